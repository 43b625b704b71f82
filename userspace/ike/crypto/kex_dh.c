// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Diffie-Hellman over OpenSSL 3 (RFC 7296 2.14): MODP groups (RFC 3526, and one of RFC 2409), curves of
 * NIST (RFC 5903), X25519 (RFC 7748, 8031). The responder's value is one of the same kind as the initiator's.
 */
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include "ike/crypto/kex.h"

enum { X25519_LEN = 32, ECP_MAX = 66 };

/* What differs among the kinds of groups. Public values have the length of the row. */
struct dh_kind {
	EVP_PKEY *(*generate)(const struct kex_method *m, const struct ike_rng *rng);
	EVP_PKEY *(*from_private)(const struct kex_method *m, const uint8_t *priv, size_t len);
	EVP_PKEY *(*from_public)(const struct kex_method *m, const uint8_t *public);
	bool (*public)(const struct kex_method *m, EVP_PKEY *key, uint8_t *out);
	bool (*valid)(const struct kex_method *m, const uint8_t *public);
	BIGNUM *(*prime)(
		BIGNUM *to); /* of a MODP group that libcrypto knows no name of; else NULL */
	const char *type; /* for key_generate() and key_import(): libcrypto's name of such a key */
	bool pad; /* the library has to be told not to shorten the secret */
	bool not_zero; /* a secret of zeros is refused (RFC 7748 6.1) */
};

static const struct dh_kind *kind_of(const struct kex_method *m)
{
	return m->ops->kind;
}

/* ---- of several kinds ------------------------------------------------------------ */

/* A fresh key from the library's generator. */
static EVP_PKEY *key_generate(const struct kex_method *m, const struct ike_rng *rng)
{
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)m->name, 0),
		OSSL_PARAM_construct_end(),
	};
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, kind_of(m)->type, NULL);
	EVP_PKEY *key = NULL;

	(void)rng;
	if (ctx && EVP_PKEY_keygen_init(ctx) == 1 && EVP_PKEY_CTX_set_params(ctx, params) == 1 &&
	    EVP_PKEY_generate(ctx, &key) != 1)
		key = NULL;
	EVP_PKEY_CTX_free(ctx);
	return key;
}

static const BIGNUM *modp_prime(const struct kex_method *m);

/* Which group it is: by name, or by its prime and the generator 2. */
static bool push_group(OSSL_PARAM_BLD *bld, const struct kex_method *m)
{
	static BIGNUM *two; /* kept, as @bld points to it */

	if (!kind_of(m)->prime)
		return OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME, m->name, 0);
	if (!two && BN_dec2bn(&two, "2") != 1)
		return false;
	return modp_prime(m) && OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_FFC_P, modp_prime(m)) &&
	       OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_FFC_G, two);
}

/*
 * A key from its parts. @point: an encoded EC point, @number: a MODP public value,
 * whichever the group has; @priv may be NULL.
 */
static EVP_PKEY *key_import(const struct kex_method *m, const uint8_t *point, size_t point_len,
			    const BIGNUM *number, const BIGNUM *priv)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, kind_of(m)->type, NULL);
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	OSSL_PARAM *params = NULL;
	EVP_PKEY *key = NULL;
	bool ok;

	ok = ctx && bld && push_group(bld, m) &&
	     (!point ||
	      OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY, point, point_len)) &&
	     (!number || OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_PUB_KEY, number)) &&
	     (!priv || OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_PRIV_KEY, priv));
	if (ok)
		params = OSSL_PARAM_BLD_to_param(bld);
	if (params && EVP_PKEY_fromdata_init(ctx) == 1 &&
	    EVP_PKEY_fromdata(ctx, &key, priv ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY, params) !=
		    1)
		key = NULL;
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(bld);
	EVP_PKEY_CTX_free(ctx);
	return key;
}

/* ---- MODP ------------------------------------------------------------------------ */

/* The prime of a group, kept; NULL on failure. */
static const BIGNUM *modp_prime(const struct kex_method *m)
{
	static BIGNUM *primes[KEX_METHODS];
	BIGNUM **prime = &primes[m - kex_methods];
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)m->name, 0),
		OSSL_PARAM_construct_end(),
	};
	EVP_PKEY *domain = NULL;
	EVP_PKEY_CTX *ctx;

	if (!*prime && kind_of(m)->prime)
		*prime = kind_of(m)->prime(NULL);
	if (*prime)
		return *prime;
	ctx = EVP_PKEY_CTX_new_from_name(NULL, "DH", NULL);
	if (ctx && EVP_PKEY_paramgen_init(ctx) == 1 && EVP_PKEY_CTX_set_params(ctx, params) == 1 &&
	    EVP_PKEY_generate(ctx, &domain) == 1)
		EVP_PKEY_get_bn_param(domain, OSSL_PKEY_PARAM_FFC_P, prime);
	EVP_PKEY_free(domain);
	EVP_PKEY_CTX_free(ctx);
	return *prime;
}

static EVP_PKEY *modp_from_private(const struct kex_method *m, const uint8_t *priv, size_t len)
{
	BIGNUM *exponent = BN_bin2bn(priv, (int)len, NULL), *pub = BN_new(), *two = BN_new();
	const BIGNUM *p = modp_prime(m);
	BN_CTX *ctx = BN_CTX_new();
	EVP_PKEY *key = NULL;

	if (exponent)
		BN_set_flags(exponent, BN_FLG_CONSTTIME);
	if (exponent && p && pub && two && ctx && BN_set_word(two, 2) &&
	    BN_mod_exp(pub, two, exponent, p, ctx))
		key = key_import(m, NULL, 0, pub, exponent);
	BN_CTX_free(ctx);
	BN_free(two);
	BN_free(pub);
	BN_clear_free(exponent);
	return key;
}

static EVP_PKEY *modp_from_public(const struct kex_method *m, const uint8_t *public)
{
	BIGNUM *y = BN_bin2bn(public, (int)m->public_i, NULL);
	EVP_PKEY *key = y ? key_import(m, NULL, 0, y, NULL) : NULL;

	BN_free(y);
	return key;
}

static bool modp_public(const struct kex_method *m, EVP_PKEY *key, uint8_t *out)
{
	BIGNUM *pub = NULL;
	bool ok;

	ok = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_PUB_KEY, &pub) == 1 &&
	     BN_bn2binpad(pub, out, (int)m->public_i) == (int)m->public_i;
	BN_free(pub);
	return ok;
}

/* 1 < y < p - 1. The prime is safe, so no more is to be found (RFC 6989 2.1). */
static bool modp_valid(const struct kex_method *m, const uint8_t *public)
{
	BIGNUM *y = BN_bin2bn(public, (int)m->public_i, NULL);
	const BIGNUM *p = modp_prime(m);
	bool ok = y && p && BN_cmp(y, BN_value_one()) > 0 && BN_add_word(y, 1) && BN_cmp(y, p) < 0;

	BN_free(y);
	return ok;
}

static const struct dh_kind modp = {
	.generate = key_generate,
	.from_private = modp_from_private,
	.from_public = modp_from_public,
	.public = modp_public,
	.valid = modp_valid,
	.type = "DH",
	.pad = true,
};

/* A fresh key of a group without a name. */
static EVP_PKEY *oakley_generate(const struct kex_method *m, const struct ike_rng *rng)
{
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	OSSL_PARAM *params = bld && push_group(bld, m) ? OSSL_PARAM_BLD_to_param(bld) : NULL;
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, kind_of(m)->type, NULL);
	EVP_PKEY *domain = NULL, *key = NULL;

	(void)rng;
	if (params && ctx && EVP_PKEY_fromdata_init(ctx) == 1 &&
	    EVP_PKEY_fromdata(ctx, &domain, EVP_PKEY_KEY_PARAMETERS, params) != 1)
		domain = NULL;
	EVP_PKEY_CTX_free(ctx);
	ctx = domain ? EVP_PKEY_CTX_new_from_pkey(NULL, domain, NULL) : NULL;
	if (ctx && EVP_PKEY_keygen_init(ctx) == 1 && EVP_PKEY_generate(ctx, &key) != 1)
		key = NULL;
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(domain);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(bld);
	return key;
}

/* The "second Oakley group" (RFC 2409 6.2). */
static const struct dh_kind oakley = {
	.generate = oakley_generate,
	.from_private = modp_from_private,
	.from_public = modp_from_public,
	.public = modp_public,
	.valid = modp_valid,
	.prime = BN_get_rfc2409_prime_1024,
	.type = "DH",
	.pad = true,
};

/* ---- ECP ------------------------------------------------------------------------- */

/* Encoded points: RFC 5903 7 has x and y one behind the other, without the octet before them. */
struct point {
	uint8_t format;
	uint8_t xy[2 * ECP_MAX];
};

static struct point point_of(const struct kex_method *m, const uint8_t *public)
{
	struct point p = { .format = POINT_CONVERSION_UNCOMPRESSED };

	memcpy(p.xy, public, m->public_i);
	return p;
}

static EVP_PKEY *ecp_from_private(const struct kex_method *m, const uint8_t *priv, size_t len)
{
	EC_GROUP *curve = EC_GROUP_new_by_curve_name(EC_curve_nist2nid(m->name));
	EC_POINT *pub = curve ? EC_POINT_new(curve) : NULL;
	BIGNUM *n = BN_bin2bn(priv, (int)len, NULL);
	EVP_PKEY *key = NULL;
	struct point p;

	if (pub && n && EC_POINT_mul(curve, pub, n, NULL, NULL, NULL) &&
	    EC_POINT_point2oct(curve, pub, POINT_CONVERSION_UNCOMPRESSED, (uint8_t *)&p, sizeof(p),
			       NULL) == m->public_i + 1)
		key = key_import(m, (const uint8_t *)&p, m->public_i + 1, NULL, n);
	BN_clear_free(n);
	EC_POINT_free(pub);
	EC_GROUP_free(curve);
	return key;
}

static EVP_PKEY *ecp_from_public(const struct kex_method *m, const uint8_t *public)
{
	struct point p = point_of(m, public);

	return key_import(m, (const uint8_t *)&p, m->public_i + 1, NULL, NULL);
}

static bool ecp_public(const struct kex_method *m, EVP_PKEY *key, uint8_t *out)
{
	unsigned char *point = NULL;
	size_t len = EVP_PKEY_get1_encoded_public_key(key, &point);
	bool ok = len == m->public_i + 1 && point[0] == POINT_CONVERSION_UNCOMPRESSED;

	if (ok)
		memcpy(out, point + 1, m->public_i);
	OPENSSL_free(point);
	return ok;
}

/* Coordinates in range, on the curve, whose cofactor is 1 (RFC 6989 2.3). */
static bool ecp_valid(const struct kex_method *m, const uint8_t *public)
{
	static EC_GROUP *curves[KEX_METHODS];
	EC_GROUP **curve = &curves[m - kex_methods];
	struct point p = point_of(m, public);
	EC_POINT *decoded;
	bool ok;

	if (!*curve)
		*curve = EC_GROUP_new_by_curve_name(EC_curve_nist2nid(m->name));
	decoded = *curve ? EC_POINT_new(*curve) : NULL;
	/* Decoding refuses what is not on the curve, and this encoding has no point at infinity. */
	ok = decoded &&
	     EC_POINT_oct2point(*curve, decoded, (const uint8_t *)&p, m->public_i + 1, NULL) == 1;
	EC_POINT_free(decoded);
	return ok;
}

static const struct dh_kind ecp = {
	.generate = key_generate,
	.from_private = ecp_from_private,
	.from_public = ecp_from_public,
	.public = ecp_public,
	.valid = ecp_valid,
	.type = "EC",
};

/* ---- X25519 ---------------------------------------------------------------------- */

static EVP_PKEY *x25519_from_private(const struct kex_method *m, const uint8_t *priv, size_t len)
{
	(void)m;
	return EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, priv, len);
}

static EVP_PKEY *x25519_generate(const struct kex_method *m, const struct ike_rng *rng)
{
	uint8_t priv[X25519_LEN];
	EVP_PKEY *key;

	rng->fill(rng->ctx, priv, sizeof(priv));
	key = x25519_from_private(m, priv, sizeof(priv));
	ike_wipe(priv, sizeof(priv));
	return key;
}

static EVP_PKEY *x25519_from_public(const struct kex_method *m, const uint8_t *public)
{
	return EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, public, m->public_i);
}

static bool x25519_public(const struct kex_method *m, EVP_PKEY *key, uint8_t *out)
{
	size_t len = m->public_i;

	return EVP_PKEY_get_raw_public_key(key, out, &len) == 1 && len == m->public_i;
}

/* Any value is one: it is judged by the secret that it leads to. */
static bool x25519_valid(const struct kex_method *m, const uint8_t *public)
{
	(void)m;
	(void)public;
	return true;
}

static const struct dh_kind x25519 = {
	.generate = x25519_generate,
	.from_private = x25519_from_private,
	.from_public = x25519_from_public,
	.public = x25519_public,
	.valid = x25519_valid,
	.not_zero = true,
};

/* ---- the exchange ---------------------------------------------------------------- */

static bool derive(const struct kex_method *m, EVP_PKEY *key, EVP_PKEY *peer, uint8_t *shared)
{
	static const uint8_t zero[IKE_MAX_SHARED];
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	unsigned int pad = 1;
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_uint(OSSL_EXCHANGE_PARAM_PAD, &pad),
		OSSL_PARAM_construct_end(),
	};
	size_t len = m->shared;
	bool ok;

	ok = ctx && EVP_PKEY_derive_init(ctx) == 1 &&
	     (!kind_of(m)->pad || EVP_PKEY_CTX_set_params(ctx, params) == 1) &&
	     EVP_PKEY_derive_set_peer_ex(ctx, peer, 0) == 1 &&
	     EVP_PKEY_derive(ctx, shared, &len) == 1 && len == m->shared &&
	     !(kind_of(m)->not_zero && ike_equal(shared, zero, len));
	EVP_PKEY_CTX_free(ctx);
	return ok;
}

static bool dh_valid(const struct kex_method *m, const uint8_t *public)
{
	return kind_of(m)->valid(m, public);
}

/* @key, with its value at @public; NULL if there is none. */
static EVP_PKEY *with_public(const struct kex_method *m, EVP_PKEY *key, uint8_t *public)
{
	if (key && kind_of(m)->public(m, key, public))
		return key;
	EVP_PKEY_free(key);
	return NULL;
}

static void *dh_new(const struct kex_method *m, const struct ike_rng *rng, uint8_t *public)
{
	return with_public(m, kind_of(m)->generate(m, rng), public);
}

static void *dh_from_private(const struct kex_method *m, const uint8_t *priv, size_t len,
			     uint8_t *public)
{
	return with_public(m, kind_of(m)->from_private(m, priv, len), public);
}

static bool dh_finish(const struct kex_method *m, void *key, const uint8_t *peer, uint8_t *shared)
{
	EVP_PKEY *other = dh_valid(m, peer) ? kind_of(m)->from_public(m, peer) : NULL;
	bool ok = other && derive(m, key, other, shared);

	EVP_PKEY_free(other);
	return ok;
}

static void dh_free(void *key)
{
	EVP_PKEY_free(key); /* clears the private part */
}

static bool dh_respond(const struct kex_method *m, const struct ike_rng *rng, const uint8_t *peer,
		       uint8_t *public, uint8_t *shared)
{
	EVP_PKEY *key = dh_new(m, rng, public);
	bool ok = key && dh_finish(m, key, peer, shared);

	dh_free(key);
	return ok;
}

#define DH_OPS(which)                                                                      \
	{                                                                                  \
		.kind = &(which), .valid = dh_valid, .new = dh_new, .respond = dh_respond, \
		.finish = dh_finish, .from_private = dh_from_private, .free = dh_free,     \
	}

const struct kex_ops kex_modp = DH_OPS(modp);
const struct kex_ops kex_oakley = DH_OPS(oakley);
const struct kex_ops kex_ecp = DH_OPS(ecp);
const struct kex_ops kex_x25519 = DH_OPS(x25519);
