/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Key schedule of IKEv2: SKEYSEED and SK_* (RFC 7296 2.14, 2.18), KEYMAT of child
 * SAs (2.17). Pure. Whoever holds one of these structs wipes it when done.
 */
#ifndef ESPTUN_IKE_KEYS_H
#define ESPTUN_IKE_KEYS_H

#include "ike/crypto/crypto.h"
#include "ike/proto/msg.h"

/* Key exchanges beyond the first one, in the order in which they come (RFC 9370). */
struct ike_addke {
	uint8_t n;
	uint16_t method[IKE_MAX_ADDKE];
};

/* What an IKE SA negotiated. */
struct ike_suite {
	struct ike_cipher cipher;
	uint16_t prf;
	uint16_t dh;
	struct ike_addke addke;
};

/* What a child SA negotiated. */
struct esp_suite {
	struct ike_cipher cipher;
	uint16_t dh; /* IKE_DH_NONE without PFS */
	struct ike_addke addke; /* only with PFS */
	bool esn;
};

struct ike_nonces {
	const uint8_t *i, *r; /* initiator's and responder's of this exchange */
	size_t i_len, r_len;
};

/*
 * Initiator: what both ends know after the key exchange that @kex began and the responder's value @ke
 * ends. False, with @out empty, if that is invalid or of another group, or if @kex is NULL.
 */
bool ike_secret_agree(struct ike_secret *out, struct ike_kex *kex, const struct ike_ke *ke);

/* Append the KE payload with our value. */
void ike_secret_build(struct ike_builder *b, const struct ike_kex *kex);

/* The lower of both nonces, its first octets: the lowest of an exchange decides collisions (2.8.1). */
void ike_nonces_lower(const struct ike_nonces *n, uint8_t out[IKE_OUR_NONCE]);

/* The seven secrets of an IKE SA; each array is filled up to its length. */
struct ike_keys {
	struct ike_suite suite;
	uint8_t d_len; /* SK_d, SK_pi, SK_pr: the PRF's length */
	uint8_t a_len; /* SK_ai, SK_ar: 0 with an AEAD */
	uint8_t e_len; /* SK_ei, SK_er: with the salt of an AEAD */
	uint8_t d[IKE_MAX_PRF];
	uint8_t ai[IKE_MAX_KEY], ar[IKE_MAX_KEY];
	uint8_t ei[IKE_MAX_KEY], er[IKE_MAX_KEY];
	uint8_t pi[IKE_MAX_PRF], pr[IKE_MAX_PRF];
	uint64_t sent; /* messages sealed: the IV of the next one with an AEAD */
};

/* Keys of a child SA, one direction each: "i" is what the exchange's initiator sends with. */
struct esp_keys {
	uint8_t e_len, a_len;
	uint8_t ei[IKE_MAX_KEY], er[IKE_MAX_KEY];
	uint8_t ai[IKE_MAX_KEY], ar[IKE_MAX_KEY];
};

/*
 * Keys of a new IKE SA from its g^ir. 0, or -1 (unknown algorithm, nonce empty or too
 * long) with @k wiped. Whether nonces are long enough is for ike_nonce_parse() to say.
 */
int ike_keys_derive(struct ike_keys *k, const struct ike_suite *suite, const struct ike_nonces *n,
		    const uint8_t spi_i[IKE_SPI_LEN], const uint8_t spi_r[IKE_SPI_LEN],
		    const uint8_t *shared, size_t shared_len);

/*
 * The same for an IKE SA that replaces @old: SKEYSEED comes from old SK_d, with the old PRF (2.18). @more:
 * the secrets of @n_more additional key exchanges (RFC 9370 2.2.4).
 */
int ike_keys_rekey(struct ike_keys *k, const struct ike_suite *suite, const struct ike_keys *old,
		   const struct ike_nonces *n, const uint8_t spi_i[IKE_SPI_LEN],
		   const uint8_t spi_r[IKE_SPI_LEN], const uint8_t *shared, size_t shared_len,
		   const struct ike_secret *more, unsigned int n_more);

/*
 * Keys of a child SA; @shared is NULL unless its exchange had a KE payload of its own. @more: the secrets
 * of @n_more additional key exchanges (RFC 9370 2.2.4).
 */
int esp_keys_derive(struct esp_keys *out, const struct ike_cipher *cipher, const struct ike_keys *k,
		    const struct ike_nonces *n, const uint8_t *shared, size_t shared_len,
		    const struct ike_secret *more, unsigned int n_more);

#endif
