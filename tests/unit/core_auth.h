/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages of IKE_AUTH in place of those that two cores would send each other. */
#ifndef ESPTUN_TEST_CORE_AUTH_H
#define ESPTUN_TEST_CORE_AUTH_H

#include "core_util.h"

struct auth_message {
	uint8_t buf[4096], first;
	struct ike_builder b;
};

/* The pair starts; a's IKE_AUTH request number @n (from 1) and all that follow within 30 ms do not arrive. */
void auth_stop_before(struct pair *p, unsigned int n);
/* b's IKE SA, which is no tunnel's yet. */
struct ike_sa *auth_half_open(struct pair *p);
/* A message without payloads, to be appended to ->b. */
void auth_begin(struct auth_message *m);
/* b answers with that, instead of what it would have said to the request that did not arrive. */
void auth_answer(struct pair *p, struct auth_message *m);
/* A message that a will send in place of its request number @n, before which it is stopped. */
void auth_replace(struct pair *p, unsigned int n, struct auth_message *m);
void auth_send(struct pair *p, struct auth_message *m);
/* Append what @s, of the first of a's or b's IKE SAs, has inside, but for notifies of type @without. */
void auth_copy(struct auth_message *m, struct pair *p, const struct sent *s, uint16_t without);

#endif
