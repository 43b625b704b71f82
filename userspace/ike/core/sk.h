/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Encrypted payload (RFC 7296 3.14, RFC 5282) and the Encrypted Fragment payload (RFC 7383):
 * a whole message goes in or out, and nothing inside is looked at before its integrity is proven.
 */
#ifndef ESPTUN_IKE_SK_H
#define ESPTUN_IKE_SK_H

#include "ike/proto/msg.h"
#include "ike/core/keys.h"

/* The message is not protected by these keys: drop it, answer nothing. No notify has this number. */
enum { IKE_SK_FORGED = -0x10000 };

/* Most octets a message of @inner_len inner octets takes. */
size_t ike_sk_sealed_len(const struct ike_keys *k, size_t inner_len);

/*
 * Write the message of @h (->next and ->length are ours) with one SK payload around
 * the chain @inner whose first payload has type @first. @h->flags tells whose key to
 * use. CBC takes its IV from @rng; an AEAD from k->sent, which never repeats for a key
 * because one end seals with one key only and an exhausted counter fails.
 * Returns the message's length, or 0 if it does not fit or the library failed.
 */
size_t ike_sk_seal(struct ike_keys *k, const struct ike_rng *rng, const struct ike_header *h,
		   uint8_t first, const void *inner, size_t inner_len, uint8_t *out, size_t cap);

/*
 * Verify and decrypt @msg into @copy (@cap octets, at least @len) and split what was
 * inside; @inner points into @copy. The sender's key follows from the Initiator flag.
 * Returns 0, IKE_SK_FORGED, or after successful verification one of msg.h's negative
 * notify types. @offender: see ike_payloads_parse().
 */
int ike_sk_open(const struct ike_keys *k, const uint8_t *msg, size_t len, uint8_t *copy, size_t cap,
		struct ike_payloads *inner, uint8_t *offender);

/* One fragment of a message: what its SKF payload says, and its part of the inner chain. */
struct ike_skf {
	uint16_t number, total; /* Fragment Number, from 1 to Total Fragments */
	uint8_t first; /* type of the message's first inner payload; 0 but in fragment 1 */
	const uint8_t *data;
	size_t len;
	uint8_t flags; /* as received, of the payload's generic header */
};

/* Most octets of the inner chain that fit a fragment whose message has @len octets; 0 if none do. */
size_t ike_skf_room(const struct ike_keys *k, size_t len);
/* As ike_sk_seal(), with one SKF payload around @f->data (RFC 7383 2.5). */
size_t ike_skf_seal(struct ike_keys *k, const struct ike_rng *rng, const struct ike_header *h,
		    const struct ike_skf *f, uint8_t *out, size_t cap);

/*
 * Verify and decrypt @msg into @copy (@cap octets, at least @len); @f->data points into @copy. A
 * message with an SK payload counts as fragment 1 of 1. Returns 0 or IKE_SK_FORGED: also if the
 * numbers cannot be, or the padding is longer than the text, for such a fragment is dropped
 * without an answer (RFC 7383 2.6).
 */
int ike_skf_open(const struct ike_keys *k, const uint8_t *msg, size_t len, uint8_t *copy,
		 size_t cap, struct ike_skf *f);

#endif
