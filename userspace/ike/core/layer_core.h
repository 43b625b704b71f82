/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The top: events (core.c, whose functions are in core.h) and the messages of the network.
 */
#ifndef ESPTUN_IKE_LAYER_CORE_H
#define ESPTUN_IKE_LAYER_CORE_H

#include "ike/core/layer_peer.h"

/* ---- dispatch.c -------------------------------------------------------------- */

/* A message with an SPI of ours, or none we know. */
void dispatch_datagram(struct ike_core *core, const struct ike_datagram *d,
		       const struct ike_header *h);
/* What waited for a job goes on with the result, which is an error if there is none. */
void dispatch_job_done(struct ike_core *core, struct waiting *w, const struct ike_job_result *r);

#endif
