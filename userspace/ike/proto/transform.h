/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What transform.def says of transforms, but for what only cryptography wants to know, which
 * files in crypto/ take from there. Pure.
 */
#ifndef ESPTUN_IKE_TRANSFORM_H
#define ESPTUN_IKE_TRANSFORM_H

#include "ike/proto/ikev2.h"

/* A transform type (RFC 7296 3.3.2). */
struct ike_type {
	const char *title; /* "encryption algorithm" */
	const char *prefix; /* of a transform without word: this and its number */
	uint8_t number;
	bool optional; /* a proposal may leave it out, which means the same as ->none in it */
	bool ike, esp; /* proposals of the protocol have it */
	struct ike_transform none; /* its transform 0 */
};

/* Type @i in the order in which proposals are written, NULL behind the last. */
const struct ike_type *ike_type_get(size_t i);
/* Are transforms of this type key exchanges: the first one, or an additional one (RFC 9370)? */
bool ike_type_is_kex(uint16_t number);
/* NULL if the type is not known: a proposal with such a transform must not be chosen (3.3.6). */
const struct ike_type *ike_type_of(uint16_t number);

/* A word of Crypto= and the transform that it stands for. */
struct ike_word {
	const char *text;
	struct ike_transform t;
	bool ours; /* implemented by us, for one protocol at least: */
	bool ike, esp;
	uint8_t ike_place, esp_place; /* in Crypto=modern of the protocol; 0: not in it */
};

/* Word number @i of the list, NULL behind the last. */
const struct ike_word *ike_word_get(size_t i);
/* The word for @t, NULL if it has none. */
const struct ike_word *ike_word_of(const struct ike_transform *t);
/* Place @place, from 1 on, among the words of @type that Crypto=modern stands for; NULL behind the last. */
const struct ike_word *ike_word_at(uint8_t type, uint8_t protocol, unsigned int place);

bool ike_transform_eq(const struct ike_transform *a, const struct ike_transform *b);
bool ike_transform_ours(const struct ike_transform *t); /* implemented by us? */
/* Implemented by us for @protocol, IKE or ESP? */
bool ike_transform_serves(const struct ike_transform *t, uint8_t protocol);
/* What is to be said to those who name @t in Crypto=, to follow its word; NULL: nothing. */
const char *ike_transform_caution(const struct ike_transform *t);
/*
 * One transform as configuration spells it: "aes256gcm16", "sha256", "prfsha256", "x25519", "esn".
 * Those that we do not implement print, too ("prfmd5", "modp1024"); without a word: "encr24:256".
 */
char *ike_transform_print(char *buf, size_t size, const struct ike_transform *t);

bool ike_encr_is_aead(uint16_t encr); /* of those with a word, ours or not */
/* The PRF of the same hash; IKE_PRF_NONE for those that IKE does not have. */
uint16_t ike_integ_prf(uint16_t integ);

#endif
