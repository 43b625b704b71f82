/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For tests of parts of the agent that are linked without session.c: no RADIUS server let anybody in. */
#ifndef ESPTUN_TEST_NO_RADIUS_H
#define ESPTUN_TEST_NO_RADIUS_H

#include "ike/app/agent_int.h"

bool session_has(struct tunnel *t, uint32_t peer, const struct ike_id *id)
{
	(void)t;
	(void)peer;
	(void)id;
	return false;
}

bool session_address(struct tunnel *t, uint32_t peer, const struct ike_id *id, uint8_t family,
		     struct ike_addr *out)
{
	(void)t;
	(void)peer;
	(void)id;
	(void)family;
	(void)out;
	return false;
}

#endif
