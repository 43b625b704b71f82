// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The end of the pairs that a former agent left in the kernel. They have no IKE SA, and nobody knows
 * more of them than their SPIs. When their time is over is decided in peer.c.
 */
#include "ike/core/layer_ikesa.h"

#include <stdlib.h>

static void remove_from_kernel(struct ike_core *core, const struct ike_peer *p,
			       const struct adopted_pair *pair)
{
	core->env.sa_remove(core->env.ctx, p->conf->name, p->id, pair->spi_in, pair->spi_out);
}

void adopted_remove(struct ike_core *core, struct ike_peer *p)
{
	unsigned int i;

	for (i = 0; i < p->n_adopted; i++)
		remove_from_kernel(core, p, &p->adopted[i]);
	p->n_adopted = 0;
	free(p->adopted);
	p->adopted = NULL;
	claim_disown(p);
	p->adopted_end = p->adopted_until = TIMER_NEVER;
}

void adopted_remove_pair(struct ike_core *core, struct ike_peer *p, uint32_t spi, bool inbound)
{
	struct adopted_pair *pair;
	unsigned int i;

	for (i = 0; i < p->n_adopted; i++) {
		pair = &p->adopted[i];
		if ((inbound ? pair->spi_in : pair->spi_out) != spi)
			continue;
		remove_from_kernel(core, p, pair);
		*pair = p->adopted[--p->n_adopted];
		if (!p->n_adopted)
			adopted_remove(core, p);
		return;
	}
}
