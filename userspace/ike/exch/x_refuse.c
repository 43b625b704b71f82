// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Refusals of requests: how we say no, and in CREATE_CHILD_SA (RFC 7296 1.3, 2.25), where they are alike for pairs and
 * for IKE SAs, what follows when the peer does.
 */
#include "ike/exch/layer_exchange.h"

enum refuse_limits {
	REFUSE_RETRY_MS =
		1000, /* wait after the first TEMPORARY_FAILURE; grows by as much each time … */
	REFUSE_TRIES = 8, /* … and so often, then a new IKE SA has to do */
	REFUSE_KE_TRIES = 2, /* INVALID_KE_PAYLOAD answers obeyed */
};

enum x_verdict x_refuse(struct x_msg *m, uint16_t notify)
{
	ike_build_notify(m->reply, notify, NULL, 0);
	return notify == IKE_N_INVALID_SYNTAX ? X_CLOSE : X_DONE; /* 2.21.3 */
}

enum x_verdict x_refuse_auth(struct x_msg *m)
{
	ike_build_notify(m->reply, IKE_N_AUTHENTICATION_FAILED, NULL, 0);
	return X_CLOSE;
}

uint64_t x_refuse_retry_at(struct ike_core *core, unsigned int failures)
{
	uint64_t wait = REFUSE_RETRY_MS * (uint64_t)failures;
	uint64_t r;

	if (failures > REFUSE_TRIES)
		return TIMER_NEVER;
	core->env.rng.fill(core->env.rng.ctx, &r, sizeof(r));
	return core->now + wait + r % (wait + 1);
}

uint16_t x_refuse_group(const struct exchange *x, const struct ike_payloads *in,
			const struct ike_proposals *own)
{
	struct ike_notify n;
	uint16_t group;

	if (x->tries >= REFUSE_KE_TRIES || !ike_notify_find(in, IKE_N_INVALID_KE_PAYLOAD, &n) ||
	    n.len != 2)
		return IKE_DH_NONE;
	group = (uint16_t)(n.data[0] << 8 | n.data[1]);
	return ike_proposals_have_dh(own, group) ? group : IKE_DH_NONE;
}

void x_refuse_again(struct ike_core *core, struct ike_sa *sa, const struct exchange *x,
		    uint16_t group)
{
	struct exchange *again = exchange_new(x->ops, x->spi);

	if (again) {
		again->conf = x->conf;
		again->group = group;
		again->tries = x->tries + 1;
	}
	request_queue(core, sa, again);
}
