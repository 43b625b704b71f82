// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <string.h>

#include "ike/app/bucket.h"
#include "ike/app/remotes.h"
#include "ike/crypto/crypto.h"
#include "ike/proto/addr.h"

enum { SETS = 1024, WAYS = 8 };

static const struct rate rate_peer = { REMOTES_PEER_MOST, REMOTES_PEER };
static const struct rate rate_shared = { REMOTES_SHARED_MOST, REMOTES_SHARED };
/* In thousandths of a claim. */
static const struct rate rate_claims = { 1000 * REMOTES_CLAIMS, REMOTES_CLAIMS_SECOND };

struct remote {
	struct ike_addr addr; /* family 0: free */
	bool peer; /* by configuration or name server */
	bool heard;
	uint64_t used_at; /* last time */
	uint64_t claimed_at; /* likewise; 0: never */
	uint64_t answers; /* bytes that may be sent for what came */
	struct bucket sent; /* to a peer */
};

struct remotes {
	uint64_t seed[2]; /* so that nobody chooses what falls together */
	struct bucket claims, shared;
	struct remote v[SETS][WAYS];
};

struct remotes *remotes_new(void)
{
	struct remotes *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	ike_crypto_random(NULL, r->seed, sizeof(r->seed));
	return r;
}

void remotes_free(struct remotes *r)
{
	free(r);
}

static struct remote *set_of(const struct remotes *r, const struct ike_addr *addr)
{
	uint64_t h = r->seed[0] ^ addr->family, part;

	for (size_t at = 0; at < (addr->family == 4 ? 4 : 16); at += sizeof(part)) {
		part = 0;
		memcpy(&part, addr->b + at, addr->family == 4 ? 4 : sizeof(part));
		h = (h ^ part) * (r->seed[1] | 1);
		h ^= h >> 29;
	}
	return (struct remote *)r->v[h % SETS];
}

static struct remote *find(const struct remotes *r, const struct ike_addr *addr)
{
	struct remote *set = set_of(r, addr);

	for (unsigned int i = 0; i < WAYS; i++) {
		if (set[i].addr.family && ike_addr_eq(&set[i].addr, addr))
			return &set[i];
	}
	return NULL;
}

/* The one of this address, which may take the place of another. */
static struct remote *make(struct remotes *r, const struct ike_addr *addr, uint64_t now)
{
	struct remote *e = find(r, addr), *set = set_of(r, addr);

	if (!e) {
		e = set;
		for (unsigned int i = 1; i < WAYS; i++) {
			if (set[i].used_at < e->used_at)
				e = &set[i];
		}
		*e = (struct remote){ .addr = *addr };
	}
	e->used_at = now;
	return e;
}

void remotes_heard(struct remotes *r, const struct ike_addr *addr, size_t len, uint64_t now)
{
	struct remote *e = make(r, addr, now);

	e->heard = true;
	e->answers += REMOTES_ANSWER * (uint64_t)len;
	if (e->answers > REMOTES_ANSWERS)
		e->answers = REMOTES_ANSWERS;
}

void remotes_vouch(struct remotes *r, const struct ike_addr *addr, uint64_t now)
{
	make(r, addr, now)->peer = true;
}

bool remotes_claim(struct remotes *r, const struct ike_addr *addr, uint64_t now)
{
	if (remotes_know(r, addr, now))
		return true;
	if (!bucket_take(&r->claims, &rate_claims, 1000, now))
		return false;
	make(r, addr, now)->claimed_at = now;
	return true;
}

bool remotes_trust(const struct remotes *r, const struct ike_addr *addr)
{
	const struct remote *e = find(r, addr);

	return e && (e->heard || e->peer);
}

bool remotes_know(const struct remotes *r, const struct ike_addr *addr, uint64_t now)
{
	const struct remote *e = find(r, addr);

	return e && (e->heard || e->peer || now - e->claimed_at < REMOTES_CLAIM_LAST);
}

bool remotes_admit(struct remotes *r, const struct ike_addr *addr, size_t len, uint64_t now)
{
	struct remote *e = find(r, addr);

	if (!remotes_know(r, addr, now))
		return false;
	e->used_at = now;
	if (e->peer)
		return bucket_take(&e->sent, &rate_peer, len, now);
	if (e->answers < len)
		return bucket_take(&r->shared, &rate_shared, len, now);
	e->answers -= len;
	return true;
}
