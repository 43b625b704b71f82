/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Signature algorithms of IKE_AUTH: those that have an authentication method of their own (RFC 7296
 * 3.8, RFC 4754), and those that an AlgorithmIdentifier names (RFC 7427, RFC 8420). One table, of
 * which both ends' choices come. Pure.
 */
#ifndef ESPTUN_IKE_SIGALG_H
#define ESPTUN_IKE_SIGALG_H

#include "ike/crypto/sign.h"
#include "ike/proto/msg.h"

/* Numbers of RFC 7427 section 7 and RFC 8420; in a set each is the bit of its number. */
enum ike_hash {
	IKE_HASH_SHA1 = 1,
	IKE_HASH_SHA2_256 = 2,
	IKE_HASH_SHA2_384 = 3,
	IKE_HASH_SHA2_512 = 4,
	IKE_HASH_IDENTITY = 5,
};

/* What we take, and say so: SHA-1 is not among them (RFC 8247 3.2.1). */
enum {
	IKE_HASHES = 1 << IKE_HASH_SHA2_256 | 1 << IKE_HASH_SHA2_384 | 1 << IKE_HASH_SHA2_512 |
		     1 << IKE_HASH_IDENTITY,
	IKE_N_HASHES = 4,
};

struct sigalg {
	const char *name; /* for people */
	uint8_t method; /* enum ike_auth_method */
	uint8_t hash; /* enum ike_hash */
	bool also; /* is taken, but never made: another way to write one that is */
	struct ike_scheme scheme;
	const uint8_t *der; /* the AlgorithmIdentifier; of method IKE_AUTH_SIGNATURE only */
	uint8_t der_len;
	uint16_t cost; /* microseconds to verify, about … */
	uint16_t sign_cost; /* … and to sign; with RSA of 2,048 bits */
};

/* What a tunnel allows beyond what is always allowed, and demands; bits. */
enum ike_sig_policy {
	IKE_SIG_SHA1 = 1, /* RSA with SHA-1, to and from peers that do not know RFC 7427 */
	IKE_SIG_PSS = 2, /* RSA signatures are RSASSA-PSS, ours and the peer's */
};

/* Row @i, from 0 on, which jobs call it by; NULL beyond the last one. */
const struct sigalg *sigalg_get(unsigned int i);
unsigned int sigalg_number(const struct sigalg *s);

/* Microseconds, about, to sign with a private key of @private_len bytes; RSA takes eight times as long by one twice as long. */
uint64_t sigalg_sign_cost(const struct sigalg *s, size_t private_len);

/* May @s be used with a peer that takes @hashes, or 0 if it did not say so? @policy: enum ike_sig_policy. */
bool sigalg_allows(const struct sigalg *s, unsigned int hashes, unsigned int policy);

/* The set that a SIGNATURE_HASH_ALGORITHMS notify holds, of those known here; 0 if malformed. */
unsigned int sigalg_hashes(const struct ike_notify *n);
/* Append that notify with ours. */
void sigalg_build_hashes(struct ike_builder *b);

/*
 * What our key of this kind signs with. @hashes: what the peer takes; 0: it did not say so, for it does
 * not know RFC 7427. NULL: nothing, with a sentence in @why.
 */
const struct sigalg *sigalg_choose(enum ike_key_kind key, unsigned int hashes, unsigned int policy,
				   char *why, size_t size);

/*
 * The algorithm and the signature that an AUTH payload holds. NULL if it names none that we take, with a
 * sentence in @why. @hashes: what the peer takes.
 */
const struct sigalg *sigalg_read(const struct ike_auth *auth, enum ike_key_kind key,
				 unsigned int hashes, unsigned int policy,
				 struct ike_iov *signature, char *why, size_t size);

enum { SIGALG_MAX_AUTH = 1 + UINT8_MAX + IKE_MAX_SIGNATURE };

/* The Authentication Data of an AUTH payload with our @signature of @len bytes; its length. */
size_t sigalg_auth_data(const struct sigalg *s, const uint8_t *signature, size_t len,
			uint8_t data[SIGALG_MAX_AUTH]);
/* Append that payload. */
void sigalg_build_auth(struct ike_builder *b, const struct sigalg *s, const uint8_t *signature,
		       size_t len);

#endif
