// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Key exchange, whatever the method: lengths, memory, and that nothing is left of what failed.
 */
#include <stdlib.h>
#include <string.h>

#include "ike/crypto/kex.h"

struct ike_kex {
	const struct kex_method *method;
	void *key; /* NULL: the responder's, which has done its part */
	size_t len;
	uint8_t public[]; /* ours */
};

bool ike_kex_known(uint16_t method)
{
	return kex_find(method);
}

bool ike_kex_is_pq(uint16_t method)
{
	const struct kex_method *m = kex_find(method);

	return m && m->ops->pq;
}

unsigned int ike_kex_cost(uint16_t method)
{
	const struct kex_method *m = kex_find(method);

	return m ? m->cost : 0;
}

static bool is_valid(const struct kex_method *m, const uint8_t *public, size_t len)
{
	return m && len == m->public_i && m->ops->valid(m, public);
}

bool ike_kex_valid(uint16_t method, const uint8_t *public, size_t len)
{
	return is_valid(kex_find(method), public, len);
}

static struct ike_kex *kex_alloc(const struct kex_method *m, size_t len)
{
	struct ike_kex *kex = calloc(1, sizeof(*kex) + len);

	if (kex) {
		kex->method = m;
		kex->len = len;
	}
	return kex;
}

/* @kex, which is not NULL, has its key; or there is none of either. */
static struct ike_kex *with_key(struct ike_kex *kex, void *key)
{
	kex->key = key;
	if (key)
		return kex;
	free(kex);
	return NULL;
}

struct ike_kex *ike_kex_new(uint16_t method, const struct ike_rng *rng)
{
	const struct kex_method *m = kex_find(method);
	struct ike_kex *kex = m ? kex_alloc(m, m->public_i) : NULL;

	return kex ? with_key(kex, m->ops->new (m, rng, kex->public)) : NULL;
}

struct ike_kex *ike_kex_from_private(uint16_t method, const uint8_t *priv, size_t len)
{
	const struct kex_method *m = kex_find(method);
	struct ike_kex *kex = NULL;

	if (m && m->ops->from_private && len <= IKE_MAX_KE)
		kex = kex_alloc(m, m->public_i);
	return kex ? with_key(kex, m->ops->from_private(m, priv, len, kex->public)) : NULL;
}

struct ike_kex *ike_kex_respond(uint16_t method, const struct ike_rng *rng, const uint8_t *public,
				size_t len, struct ike_secret *shared)
{
	const struct kex_method *m = kex_find(method);
	struct ike_kex *kex = is_valid(m, public, len) ? kex_alloc(m, m->public_r) : NULL;

	if (kex && m->ops->respond(m, rng, public, kex->public, shared->data)) {
		shared->len = m->shared;
		return kex;
	}
	ike_wipe(shared, sizeof(*shared));
	free(kex);
	return NULL;
}

int ike_kex_finish(struct ike_kex *kex, const uint8_t *public, size_t len,
		   struct ike_secret *shared)
{
	const struct kex_method *m = kex->method;

	if (kex->key && len == m->public_r && m->ops->finish(m, kex->key, public, shared->data)) {
		shared->len = m->shared;
		return 0;
	}
	ike_wipe(shared, sizeof(*shared));
	return -1;
}

uint16_t ike_kex_method(const struct ike_kex *kex)
{
	return kex->method->id;
}

const uint8_t *ike_kex_public(const struct ike_kex *kex, size_t *len)
{
	*len = kex->len;
	return kex->public;
}

void ike_kex_free(struct ike_kex *kex)
{
	if (!kex)
		return;
	if (kex->key)
		kex->method->ops->free(kex->key);
	free(kex);
}
