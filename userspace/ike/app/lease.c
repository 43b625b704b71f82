// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The addresses that a tunnel's pool gives to its clients. The pool is here, and not in the core, because
 * that runs in the process that parses what the network sends: whatever it says, no client gets SAs for
 * another one's address (env.c asks lease_allows()), and what is known of leases outlives it.
 */
#include <errno.h>
#include <string.h>

#include "ike/app/agent_int.h"
#include "ike/child/ts.h"

static void keep_lease(void *ctx, const struct pool_lease *l)
{
	/* What the configuration no longer allows is forgotten. */
	if (l->id.type)
		pool_restore(ctx, 0, &l->id, &l->addr);
}

int lease_open(struct tunnel *t)
{
	const struct config *c = &t->conf;
	struct pool *former = t->pool;

	t->pool = NULL;
	if (c->n_ranges) {
		t->pool = pool_new(c->ranges, c->n_ranges, c->fixed, c->n_fixed);
		if (t->pool && former)
			pool_each(former, keep_lease, t->pool);
	}
	pool_free(former);
	return c->n_ranges && !t->pool ? -ENOMEM : 0;
}

int lease_take(struct tunnel *t, uint32_t peer, const struct ike_id *id, uint8_t family,
	       const struct ike_addr *wanted, struct ike_addr *out)
{
	if (!t->pool || (family != 4 && family != 6))
		return -EAFNOSUPPORT;
	if (peer == IKE_PEER_FIRST || !id->type)
		return -EPERM;
	return pool_take(t->pool, peer, id, family, wanted, out);
}

void lease_release(struct tunnel *t, uint32_t peer)
{
	if (t->pool)
		pool_release(t->pool, peer);
}

bool lease_allows(const struct tunnel *t, uint32_t peer, struct ike_ts_offer remote)
{
	if (!t->pool)
		return !t->conf.n_ranges;
	for (unsigned int i = 0; i < remote.n; i++) {
		const struct ike_ts_list one = { .n = 1, .ts = { remote.ts[i] } };
		struct ike_addr held;

		if (!pool_held(t->pool, peer, remote.ts[i].family, &held) ||
		    !ike_ts_of_address(&one, &held))
			return false;
	}
	return true;
}

bool lease_adopt(struct tunnel *t, const struct ike_adopted *pair)
{
	for (unsigned int i = 0; t->pool && i < pair->remote_ts.n; i++) {
		struct ike_addr addr = { .family = pair->remote_ts.ts[i].family };

		memcpy(addr.b, pair->remote_ts.ts[i].start, sizeof(addr.b));
		/* If it cannot have that, lease_allows() says so. */
		pool_restore(t->pool, pair->peer, &pair->id, &addr);
	}
	return lease_allows(t, pair->peer, pair->remote_ts);
}
