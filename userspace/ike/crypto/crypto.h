/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What IKE needs of cryptography; only files beside this one use libcrypto.
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

/*
 * A key wrapped by another with AES key wrap with padding (RFC 5649): without that it cannot be read, nor
 * changed unseen; equal keys are equal when wrapped. @wrapping has 16, 24 or 32 octets.
 */
enum ike_wrap {
	IKE_WRAP_OVERHEAD = 15 /* octets at most that a key gets longer by, in steps of 8 */
};
/* @key has 1 to @cap - IKE_WRAP_OVERHEAD octets. *@out_len octets are in @out, which has room for @cap. */
int ike_key_wrap(const uint8_t *wrapping, size_t wrapping_len, const uint8_t *key, size_t len,
		 uint8_t *out, size_t cap, size_t *out_len);
/* @out has as much room as @wrapped has octets, of which all are written over; the key has fewer. */
int ike_key_unwrap(const uint8_t *wrapping, size_t wrapping_len, const uint8_t *wrapped, size_t len,
		   uint8_t *out, size_t *out_len);

/*
 * Key exchange (RFC 7296 2.14, 3.4). A method is a DH row of transform.def and has the shape of a
 * KEM: the initiator makes a key and sends its public value; of that the responder makes a value of
 * its own, and the shared secret; of which the initiator makes the same secret. In Diffie-Hellman
 * (RFC 5903, 7748/8031, 3526) both values are of one kind.
 */
struct ike_kex;

/* The result of a key exchange. Whoever holds one wipes it. */
struct ike_secret {
	uint8_t data[IKE_MAX_SHARED];
	size_t len; /* 0: there was no key exchange */
};

bool ike_kex_known(uint16_t method);
bool ike_kex_is_pq(uint16_t method); /* post-quantum? */
/* What a key and a shared secret of the method cost, in microseconds of one processor; about. 0 if unknown. */
unsigned int ike_kex_cost(uint16_t method);
/*
 * Is this an initiator's value (RFC 6989)? Its length, 1 < y < p - 1 for MODP, a point on the curve
 * for ECP; any value of X25519. It costs a hundredth of what ike_kex_cost() says at most, so a
 * responder asks before it makes a value of its own.
 */
bool ike_kex_valid(uint16_t method, const uint8_t *public, size_t len);
/*
 * Initiator: a key and its public value. NULL on failure; x25519 takes its key from @rng, the others
 * from the library.
 */
struct ike_kex *ike_kex_new(uint16_t method, const struct ike_rng *rng);
/*
 * Responder: a public value in answer to the initiator's, @public, and the secret. NULL, with @shared
 * empty, on failure, for what ike_kex_valid() refuses, and for an all-zero secret of X25519
 * (RFC 7748 6.1).
 */
struct ike_kex *ike_kex_respond(uint16_t method, const struct ike_rng *rng, const uint8_t *public,
				size_t len, struct ike_secret *shared);
/* Initiator: the secret of its own @kex and the responder's value. 0, or -1 in the same cases. */
int ike_kex_finish(struct ike_kex *kex, const uint8_t *public, size_t len,
		   struct ike_secret *shared);
/* A key of Diffie-Hellman from its private part, to compare with published results. */
struct ike_kex *ike_kex_from_private(uint16_t method, const uint8_t *priv, size_t len);
uint16_t ike_kex_method(const struct ike_kex *kex);
/* Our value, to be sent, of either role. */
const uint8_t *ike_kex_public(const struct ike_kex *kex, size_t *len);
/* Wipes the key, too. NULL is fine. */
void ike_kex_free(struct ike_kex *kex);

/*
 * Protection of ESP, and of SK payloads: an AEAD (RFC 5282, 7634), or a cipher with an integrity
 * algorithm (encrypt then MAC).
 */
struct ike_cipher {
	uint16_t encr;
	uint16_t key_bits;
	uint16_t integ; /* IKE_INTEG_NONE with an AEAD */
};
/* Do we have the combination, for ESP at least? None is without integrity protection. */
bool ike_cipher_known(const struct ike_cipher *c);
size_t ike_cipher_key_len(const struct ike_cipher *c); /* with the salt, as cut from KEYMAT */
size_t ike_cipher_iv_len(const struct ike_cipher *c);
size_t ike_cipher_icv_len(const struct ike_cipher *c);
size_t ike_cipher_block(const struct ike_cipher *c); /* 1 for AEAD */
size_t ike_integ_key_len(uint16_t integ);
/*
 * @aad: what stands before the IV. @buf: IV | text | room for ICV; text_len excludes IV
 * and ICV and is a multiple of the block. Seals in place, or opens in place after the ICV
 * was verified in constant time. Of an HMAC beside a cipher the MAC covers aad, IV and text.
 * -1 also for what the kernel module alone has.
 */
int ike_cipher_seal(const struct ike_cipher *c, const uint8_t *key, const uint8_t *integ_key,
		    const uint8_t *aad, size_t aad_len, uint8_t *buf, size_t text_len);
int ike_cipher_open(const struct ike_cipher *c, const uint8_t *key, const uint8_t *integ_key,
		    const uint8_t *aad, size_t aad_len, uint8_t *buf, size_t text_len);

#endif
