/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What IKE needs of cryptography; openssl.c is the only user of libcrypto.
 * Functions return 0 or -1 (unknown algorithm, bad input, library failure; nothing
 * is left in the outputs). Secrets on the stack and heap are wiped before return.
 */
#ifndef ESPTUN_IKE_CRYPTO_H
#define ESPTUN_IKE_CRYPTO_H

#include "ike/proto/ikev2.h"

struct ike_iov {
	const void *base;
	size_t len;
};

/* Randomness is injected: the agent passes ike_crypto_random, the simulation a seeded one. */
struct ike_rng {
	void (*fill)(void *ctx, void *buf, size_t len);
	void *ctx;
};

/* The library's generator; aborts if it fails, for no key may be made without it. */
void ike_crypto_random(void *ctx, void *buf, size_t len);
void ike_wipe(void *p, size_t len);
bool ike_equal(const void *a, const void *b, size_t len); /* constant time */

/* Output (and preferred key) length of a PRF in octets; 0 if unknown. */
size_t ike_prf_len(uint16_t prf);
int ike_prf(uint16_t prf, const uint8_t *key, size_t key_len, const struct ike_iov *in,
	    unsigned int n, uint8_t *out /* ike_prf_len() octets */);
/* prf+ (RFC 7296 2.13); fails if @out_len needs more than 255 rounds. */
int ike_prf_plus(uint16_t prf, const uint8_t *key, size_t key_len, const struct ike_iov *seed,
		 unsigned int n, uint8_t *out, size_t out_len);
/* For NAT detection only (RFC 7296 2.23). */
int ike_sha1(const struct ike_iov *in, unsigned int n, uint8_t out[20]);
/* HMAC-SHA2-256, for cookies. */
int ike_hmac_sha256(const uint8_t *key, size_t key_len, const struct ike_iov *in, unsigned int n,
		    uint8_t out[32]);

/* Diffie-Hellman (RFC 7296 2.14, 5903, 7748/8031, 3526). Sizes in octets; 0 for unknown groups. */
size_t ike_dh_public_len(uint16_t group);
size_t ike_dh_shared_len(uint16_t group);
/* What a key and a shared secret of the group cost, in microseconds of one processor; about. */
unsigned int ike_dh_cost(uint16_t group);
/*
 * Is this a public value of the group (RFC 6989)? Its length, 1 < y < p - 1 for MODP, a point on
 * the curve for ECP; any value of X25519. It costs a hundredth of what ike_dh_cost() says at most, so
 * a responder asks before it makes a key of its own.
 */
bool ike_dh_public_valid(uint16_t group, const uint8_t *public, size_t len);
struct ike_dh;
/* NULL on failure; group 31 takes its key from @rng, the others from the library. */
struct ike_dh *ike_dh_new(uint16_t group, const struct ike_rng *rng);
struct ike_dh *ike_dh_from_private(uint16_t group, const uint8_t *priv, size_t len); /* tests */
uint16_t ike_dh_group(const struct ike_dh *dh);
const uint8_t *ike_dh_public(const struct ike_dh *dh, size_t *len);
/*
 * The shared secret, ike_dh_shared_len() octets. Refuses what ike_dh_public_valid() does and
 * an all-zero X25519 result (RFC 8031 2).
 */
int ike_dh_shared(struct ike_dh *dh, const uint8_t *peer, size_t peer_len, uint8_t *out);
void ike_dh_free(struct ike_dh *dh); /* NULL is fine */

/*
 * Protection of SK payloads and of test ESP packets: AES-GCM-16, ChaCha20-Poly1305
 * (RFC 5282, 7634) or AES-CBC with HMAC-SHA2 (encrypt then MAC).
 */
struct ike_cipher {
	uint16_t encr;
	uint16_t key_bits;
	uint16_t integ; /* IKE_INTEG_NONE with an AEAD */
};
bool ike_cipher_known(const struct ike_cipher *c);
size_t ike_cipher_key_len(const struct ike_cipher *c); /* with the salt, as cut from KEYMAT */
size_t ike_cipher_iv_len(const struct ike_cipher *c);
size_t ike_cipher_icv_len(const struct ike_cipher *c);
size_t ike_cipher_block(const struct ike_cipher *c); /* 1 for AEAD */
size_t ike_integ_key_len(uint16_t integ);
/*
 * @aad: what stands before the IV. @buf: IV | text | room for ICV; text_len excludes IV
 * and ICV and is a multiple of the block. Seals in place, or opens in place after the ICV
 * was verified in constant time. For AES-CBC+HMAC the MAC covers aad, IV and text.
 */
int ike_cipher_seal(const struct ike_cipher *c, const uint8_t *key, const uint8_t *integ_key,
		    const uint8_t *aad, size_t aad_len, uint8_t *buf, size_t text_len);
int ike_cipher_open(const struct ike_cipher *c, const uint8_t *key, const uint8_t *integ_key,
		    const uint8_t *aad, size_t aad_len, uint8_t *buf, size_t text_len);

#endif
