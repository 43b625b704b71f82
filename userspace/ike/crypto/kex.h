/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a method of key exchange is made of. kex.c has what is alike in all of them, and calls no
 * function of a method but with values of the lengths that its row says.
 */
#ifndef ESPTUN_IKE_KEX_H
#define ESPTUN_IKE_KEX_H

#include "ike/crypto/crypto.h"

struct kex_method;

struct kex_ops {
	const void *kind; /* for the functions, if several kinds share them */
	bool pq; /* no quantum computer that is known of could break it */
	bool (*available)(const struct kex_method *m); /* has libcrypto it? NULL: each has */
	/* May an initiator send @public? Far cheaper than all that follows. */
	bool (*valid)(const struct kex_method *m, const uint8_t *public);
	/* Initiator: a key, whose value goes to @public; NULL on failure. */
	void *(*new)(const struct kex_method *m, const struct ike_rng *rng, uint8_t *public);
	/* Responder: of @peer, which is valid, make a value for @public, and the secret. */
	bool (*respond)(const struct kex_method *m, const struct ike_rng *rng, const uint8_t *peer,
			uint8_t *public, uint8_t *shared);
	/* Initiator: the secret of its key and of @peer, which may be anything of that length. */
	bool (*finish)(const struct kex_method *m, void *key, const uint8_t *peer, uint8_t *shared);
	/* As new(), but the key is given; NULL if there is no such function. */
	void *(*from_private)(const struct kex_method *m, const uint8_t *priv, size_t len,
			      uint8_t *public);
	void (*free)(void *key); /* wipes it */
};

/* Kinds of DH rows in transform.def. */
extern const struct kex_ops kex_modp, kex_oakley, kex_ecp, kex_x25519, kex_mlkem;

struct kex_method {
	uint16_t id;
	const struct kex_ops *ops;
	const char *name; /* libcrypto's */
	size_t public_i, public_r, shared; /* lengths */
	unsigned int cost; /* in microseconds */
};

/* One for each DH row, in their order. */
enum {
#define DH(name, ...) KEX_##name,
#include "ike/proto/transform.def"
	KEX_METHODS
};
extern const struct kex_method kex_methods[KEX_METHODS];

/* NULL if unknown, or if libcrypto has it not. */
const struct kex_method *kex_find(uint16_t id);

#endif
