// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ML-KEM (FIPS 203) in IKEv2, over OpenSSL 3.5 or newer: the initiator's value is an encapsulation key,
 * the responder's a ciphertext. Older libraries do not know the name; nothing here needs newer headers.
 */
#include <openssl/core_names.h>
#include <openssl/evp.h>

#include "ike/crypto/kex.h"

enum { Q = 3329, SEED_LEN = 32 /* of an encapsulation key, behind the coefficients */ };

static bool mlkem_available(const struct kex_method *m)
{
	static enum { NOT_ASKED, NO, YES } known[KEX_METHODS];
	EVP_PKEY_CTX *ctx;

	if (known[m - kex_methods] == NOT_ASKED) {
		ctx = EVP_PKEY_CTX_new_from_name(NULL, m->name, NULL);
		known[m - kex_methods] = ctx ? YES : NO;
		EVP_PKEY_CTX_free(ctx);
	}
	return known[m - kex_methods] == YES;
}

/* The modulus check of FIPS 203 7.2: two coefficients in three bytes, each below q. */
static bool mlkem_valid(const struct kex_method *m, const uint8_t *public)
{
	unsigned int bad = 0;

	for (size_t i = 0; i + 3 <= m->public_i - SEED_LEN; i += 3) {
		unsigned int a = public[i] | (public[i + 1] & 15u) << 8;
		unsigned int b = public[i + 1] >> 4 | (unsigned int)public[i + 2] << 4;

		bad |= a >= Q || b >= Q;
	}
	return !bad;
}

/* @key, with its value at @public; NULL if there is none. */
static EVP_PKEY *with_public(const struct kex_method *m, EVP_PKEY *key, uint8_t *public)
{
	size_t len = 0;

	if (key &&
	    EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, public, m->public_i,
					    &len) == 1 &&
	    len == m->public_i)
		return key;
	EVP_PKEY_free(key);
	return NULL;
}

static void *mlkem_new(const struct kex_method *m, const struct ike_rng *rng, uint8_t *public)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, m->name, NULL);
	EVP_PKEY *key = NULL;

	(void)rng;
	if (ctx && EVP_PKEY_keygen_init(ctx) == 1 && EVP_PKEY_generate(ctx, &key) != 1)
		key = NULL;
	EVP_PKEY_CTX_free(ctx);
	return with_public(m, key, public);
}

/* A key from one part of it. */
static EVP_PKEY *mlkem_import(const struct kex_method *m, const char *part, int selection,
			      const uint8_t *data, size_t len)
{
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_octet_string(part, (void *)data, len),
		OSSL_PARAM_construct_end(),
	};
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, m->name, NULL);
	EVP_PKEY *key = NULL;

	if (ctx && EVP_PKEY_fromdata_init(ctx) == 1 &&
	    EVP_PKEY_fromdata(ctx, &key, selection, params) != 1)
		key = NULL;
	EVP_PKEY_CTX_free(ctx);
	return key;
}

/* From the seeds d and z of FIPS 203 7.1. */
static void *mlkem_from_private(const struct kex_method *m, const uint8_t *priv, size_t len,
				uint8_t *public)
{
	return with_public(m, mlkem_import(m, "seed", EVP_PKEY_KEYPAIR, priv, len), public);
}

static bool mlkem_respond(const struct kex_method *m, const struct ike_rng *rng,
			  const uint8_t *peer, uint8_t *public, uint8_t *shared)
{
	EVP_PKEY *key =
		mlkem_import(m, OSSL_PKEY_PARAM_PUB_KEY, EVP_PKEY_PUBLIC_KEY, peer, m->public_i);
	EVP_PKEY_CTX *ctx = key ? EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL) : NULL;
	size_t len = m->public_r, secret = m->shared;
	bool ok;

	(void)rng;
	ok = ctx && EVP_PKEY_encapsulate_init(ctx, NULL) == 1 &&
	     EVP_PKEY_encapsulate(ctx, public, &len, shared, &secret) == 1 && len == m->public_r &&
	     secret == m->shared;
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(key);
	return ok;
}

/* A wrong ciphertext gives another secret, not an error (FIPS 203 6.3). */
static bool mlkem_finish(const struct kex_method *m, void *key, const uint8_t *peer,
			 uint8_t *shared)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	size_t secret = m->shared;
	bool ok;

	ok = ctx && EVP_PKEY_decapsulate_init(ctx, NULL) == 1 &&
	     EVP_PKEY_decapsulate(ctx, shared, &secret, peer, m->public_r) == 1 &&
	     secret == m->shared;
	EVP_PKEY_CTX_free(ctx);
	return ok;
}

static void mlkem_free(void *key)
{
	EVP_PKEY_free(key); /* clears the private part */
}

const struct kex_ops kex_mlkem = {
	.pq = true,
	.available = mlkem_available,
	.valid = mlkem_valid,
	.new = mlkem_new,
	.respond = mlkem_respond,
	.finish = mlkem_finish,
	.from_private = mlkem_from_private,
	.free = mlkem_free,
};
