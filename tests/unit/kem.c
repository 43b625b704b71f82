// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "kem.h"

enum { X_LEN = 32 };

unsigned int kem_responses;

/* A value of X25519, and behind it octets that follow from it and from what the whole is. */
static uint8_t filling(const uint8_t *v, size_t i, size_t len)
{
	return (uint8_t)(v[i % X_LEN] ^ i ^ (len == KEM_EK_LEN ? 0x55 : 0xaa));
}

static void fill(uint8_t *v, const struct ike_kex *x, size_t len)
{
	size_t n;

	memcpy(v, ike_kex_public(x, &n), X_LEN);
	for (size_t i = X_LEN; i < len; i++)
		v[i] = filling(v, i, len);
}

static bool is_filled(const uint8_t *v, size_t len)
{
	for (size_t i = X_LEN; i < len; i++)
		if (v[i] != filling(v, i, len))
			return false;
	return true;
}

static bool kem_valid(const struct kex_method *m, const uint8_t *public)
{
	return is_filled(public, m->public_i);
}

static void *kem_new(const struct kex_method *m, const struct ike_rng *rng, uint8_t *public)
{
	struct ike_kex *x = ike_kex_new(IKE_DH_CURVE25519, rng);

	fill(public, x, m->public_i);
	return x;
}

static bool kem_respond(const struct kex_method *m, const struct ike_rng *rng, const uint8_t *peer,
			uint8_t *public, uint8_t *shared)
{
	struct ike_secret secret;
	struct ike_kex *x = ike_kex_respond(IKE_DH_CURVE25519, rng, peer, X_LEN, &secret);

	kem_responses++;
	if (!x)
		return false;
	fill(public, x, m->public_r);
	memcpy(shared, secret.data, KEM_SHARED_LEN);
	ike_kex_free(x);
	return true;
}

/* As in ML-KEM a wrong ciphertext gives a wrong secret, not an error. */
static bool kem_finish(const struct kex_method *m, void *key, const uint8_t *peer, uint8_t *shared)
{
	struct ike_secret secret;

	if (ike_kex_finish(key, peer, X_LEN, &secret))
		return false;
	memcpy(shared, secret.data, KEM_SHARED_LEN);
	shared[0] ^= !is_filled(peer, m->public_r);
	return true;
}

static void kem_free(void *key)
{
	ike_kex_free(key);
}

static const struct kex_ops kem_ops = {
	.pq = true,
	.valid = kem_valid,
	.new = kem_new,
	.respond = kem_respond,
	.finish = kem_finish,
	.free = kem_free,
};

const struct kex_method *__real_kex_find(uint16_t id);
/* The linker has the core ask here instead of in the table. */
const struct kex_method *__wrap_kex_find(uint16_t id)
{
	static const struct kex_method row = { KEM,	   &kem_ops,	   NULL, KEM_EK_LEN,
					       KEM_CT_LEN, KEM_SHARED_LEN, 60 };

	return id == KEM ? &row : __real_kex_find(id);
}
