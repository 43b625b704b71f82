// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The Encrypted payload (RFC 7296 3.14, RFC 5282).
 */
#include <string.h>

#include "ike/proto/names.h"
#include "ike/sa/sk.h"

enum { GENERIC_LEN = 4 };

/* Octets of padding, without the Pad Length octet, behind @len inner octets. */
static size_t pad_len(const struct ike_cipher *c, size_t len)
{
	size_t block = ike_cipher_block(c);

	return (block - (len + 1) % block) % block;
}

size_t ike_sk_sealed_len(const struct ike_keys *k, size_t inner_len)
{
	const struct ike_cipher *c = &k->suite.cipher;

	return IKE_HDR_LEN + GENERIC_LEN + ike_cipher_iv_len(c) + inner_len +
	       pad_len(c, inner_len) + 1 + ike_cipher_icv_len(c);
}

/*
 * CBC wants an IV that cannot be foretold (RFC 7296 3.14), an AEAD one that is never used
 * again with the key (RFC 5282 3.1). False when no such IV is left.
 */
static bool iv_make(struct ike_keys *k, const struct ike_rng *rng, uint8_t *iv)
{
	if (!ike_encr_is_aead(k->suite.cipher.encr)) {
		rng->fill(rng->ctx, iv, ike_cipher_iv_len(&k->suite.cipher));
		return true;
	}
	if (k->sent == UINT64_MAX)
		return false;
	for (unsigned int i = 0; i < 8; i++)
		iv[i] = (uint8_t)(k->sent >> (56 - 8 * i));
	k->sent++;
	return true;
}

size_t ike_sk_seal(struct ike_keys *k, const struct ike_rng *rng, const struct ike_header *h,
		   uint8_t first, const void *inner, size_t inner_len, uint8_t *out, size_t cap)
{
	const struct ike_cipher *c = &k->suite.cipher;
	bool initiator = h->flags & IKE_FLAG_INITIATOR;
	size_t iv_len = ike_cipher_iv_len(c), aad_len = IKE_HDR_LEN + GENERIC_LEN, pad, total;
	struct writer w = writer_init(out, cap);
	struct ike_header head = *h;
	uint8_t *iv, *text;

	if (inner_len > IKE_MAX_MSG || ike_sk_sealed_len(k, inner_len) > IKE_MAX_MSG)
		return 0;
	pad = pad_len(c, inner_len);
	total = ike_sk_sealed_len(k, inner_len);
	head.next = IKE_PL_SK;
	head.length = (uint32_t)total;
	ike_header_write(&w, &head);
	writer_u8(&w, first);
	writer_u8(&w, 0);
	writer_be16(&w, (uint16_t)(total - IKE_HDR_LEN));
	iv = writer_reserve(&w, iv_len);
	text = writer_reserve(&w, inner_len + pad + 1);
	if (!writer_reserve(&w, ike_cipher_icv_len(c)) || !iv_make(k, rng, iv))
		return 0;
	if (inner_len)
		memcpy(text, inner, inner_len);
	memset(text + inner_len, 0, pad);
	text[inner_len + pad] = (uint8_t)pad;
	if (ike_cipher_seal(c, initiator ? k->ei : k->er, initiator ? k->ai : k->ar, out, aad_len,
			    iv, inner_len + pad + 1)) {
		ike_wipe(out, total);
		return 0;
	}
	return w.len;
}

/* The SK payload at the end of the message, or NULL. */
static const struct ike_payload *sk_find(const struct ike_header *h, const uint8_t *msg, size_t len,
					 struct ike_payloads *outer)
{
	uint8_t offender;

	if (ike_payloads_parse(h->next, msg + IKE_HDR_LEN, len - IKE_HDR_LEN, outer, &offender) ||
	    !outer->n || outer->p[outer->n - 1].type != IKE_PL_SK)
		return NULL;
	return &outer->p[outer->n - 1];
}

int ike_sk_open(const struct ike_keys *k, const uint8_t *msg, size_t len, uint8_t *copy, size_t cap,
		struct ike_payloads *inner, uint8_t *offender)
{
	const struct ike_cipher *c = &k->suite.cipher;
	size_t iv_len = ike_cipher_iv_len(c), icv_len = ike_cipher_icv_len(c), text_len, pad;
	const struct ike_payload *sk;
	struct ike_header h;
	uint8_t first, *iv;
	bool initiator;

	inner->n = 0;
	*offender = 0;
	if (len > cap || ike_header_parse(msg, len, &h))
		return IKE_SK_FORGED;
	/* Borrow @inner for the outer chain; it may be wrong, for nothing is verified yet. */
	sk = sk_find(&h, msg, len, inner);
	if (!sk || sk->len < iv_len + icv_len + 1 ||
	    (sk->len - iv_len - icv_len) % ike_cipher_block(c)) {
		inner->n = 0;
		return IKE_SK_FORGED;
	}
	text_len = sk->len - iv_len - icv_len;
	first = sk->next;
	memcpy(copy, msg, len);
	iv = copy + (sk->body - msg);
	inner->n = 0;
	initiator = h.flags & IKE_FLAG_INITIATOR;
	if (ike_cipher_open(c, initiator ? k->ei : k->er, initiator ? k->ai : k->ar, copy,
			    (size_t)(iv - copy), iv, text_len))
		return IKE_SK_FORGED;
	pad = iv[iv_len + text_len - 1];
	if (pad + 1 > text_len)
		return -IKE_N_INVALID_SYNTAX;
	return ike_payloads_parse(first, iv + iv_len, text_len - pad - 1, inner, offender);
}
