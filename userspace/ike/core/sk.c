// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The Encrypted payload (RFC 7296 3.14, RFC 5282), and that of a fragment (RFC 7383 2.5), which
 * has Fragment Number and Total Fragments between generic header and IV, authenticated as well.
 */
#include <string.h>

#include "ike/proto/names.h"
#include "ike/core/sk.h"

enum { GENERIC_LEN = 4, NUMBERS_LEN = 4 };

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

size_t ike_skf_room(const struct ike_keys *k, size_t len)
{
	const struct ike_cipher *c = &k->suite.cipher;
	size_t around = IKE_HDR_LEN + GENERIC_LEN + NUMBERS_LEN + ike_cipher_iv_len(c) +
			ike_cipher_icv_len(c);
	size_t text = len > around ? len - around : 0;

	text -= text % ike_cipher_block(c);
	return text ? text - 1 : 0;
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

/* An SK payload around @f's data, or with Total Fragments an SKF payload. */
static size_t seal(struct ike_keys *k, const struct ike_rng *rng, const struct ike_header *h,
		   const struct ike_skf *f, uint8_t *out, size_t cap)
{
	const struct ike_cipher *c = &k->suite.cipher;
	bool initiator = h->flags & IKE_FLAG_INITIATOR;
	size_t iv_len = ike_cipher_iv_len(c), pad, total, aad_len;
	struct writer w = writer_init(out, cap);
	struct ike_header head = *h;
	uint8_t *iv, *text;

	if (f->len > IKE_MAX_MSG)
		return 0;
	total = ike_sk_sealed_len(k, f->len) + (f->total ? NUMBERS_LEN : 0);
	if (total > IKE_MAX_MSG)
		return 0;
	pad = pad_len(c, f->len);
	head.next = f->total ? IKE_PL_SKF : IKE_PL_SK;
	head.length = (uint32_t)total;
	ike_header_write(&w, &head);
	writer_u8(&w, f->first);
	writer_u8(&w, 0);
	writer_be16(&w, (uint16_t)(total - IKE_HDR_LEN));
	if (f->total) {
		writer_be16(&w, f->number);
		writer_be16(&w, f->total);
	}
	aad_len = w.len;
	iv = writer_reserve(&w, iv_len);
	text = writer_reserve(&w, f->len + pad + 1);
	if (!writer_reserve(&w, ike_cipher_icv_len(c)) || !iv_make(k, rng, iv))
		return 0;
	if (f->len)
		memcpy(text, f->data, f->len);
	memset(text + f->len, 0, pad);
	text[f->len + pad] = (uint8_t)pad;
	if (ike_cipher_seal(c, initiator ? k->ei : k->er, initiator ? k->ai : k->ar, out, aad_len,
			    iv, f->len + pad + 1)) {
		ike_wipe(out, total);
		return 0;
	}
	return w.len;
}

size_t ike_sk_seal(struct ike_keys *k, const struct ike_rng *rng, const struct ike_header *h,
		   uint8_t first, const void *inner, size_t inner_len, uint8_t *out, size_t cap)
{
	const struct ike_skf whole = { .first = first, .data = inner, .len = inner_len };

	return seal(k, rng, h, &whole, out, cap);
}

size_t ike_skf_seal(struct ike_keys *k, const struct ike_rng *rng, const struct ike_header *h,
		    const struct ike_skf *f, uint8_t *out, size_t cap)
{
	if (!f->number || f->number > f->total)
		return 0;
	return seal(k, rng, h, f, out, cap);
}

/*
 * The SK or SKF payload at the end of the message. It may be wrong, for nothing is verified yet.
 */
static bool find_last(const uint8_t *msg, size_t len, struct ike_header *h,
		      struct ike_payload *last)
{
	struct ike_payloads outer;
	uint8_t offender;

	if (ike_header_parse(msg, len, h) ||
	    ike_payloads_parse(h->next, msg + IKE_HDR_LEN, len - IKE_HDR_LEN, &outer, &offender) ||
	    !outer.n)
		return false;
	*last = outer.p[outer.n - 1];
	return last->type == IKE_PL_SK || last->type == IKE_PL_SKF;
}

/*
 * Verify and decrypt that payload into @copy: @f->data and ->len are what was inside, without the
 * padding. @f->total is 0 for SK.
 */
static int open_last(const struct ike_keys *k, const uint8_t *msg, size_t len, uint8_t *copy,
		     size_t cap, struct ike_skf *f)
{
	const struct ike_cipher *c = &k->suite.cipher;
	size_t iv_len = ike_cipher_iv_len(c), icv_len = ike_cipher_icv_len(c), text_len, pad;
	struct ike_payload last;
	struct ike_header h;
	struct cursor body;
	bool initiator;
	uint8_t *iv;

	*f = (struct ike_skf){ 0 };
	if (len > cap || !find_last(msg, len, &h, &last))
		return IKE_SK_FORGED;
	f->first = last.next;
	f->flags = last.flags;
	body = cursor_init(last.body, last.len);
	if (last.type == IKE_PL_SKF) {
		f->number = cursor_be16(&body);
		f->total = cursor_be16(&body);
		if (!f->number || f->number > f->total)
			return IKE_SK_FORGED;
	}
	if (body.bad || body.left < iv_len + icv_len + 1)
		return IKE_SK_FORGED;
	text_len = body.left - iv_len - icv_len;
	if (text_len % ike_cipher_block(c))
		return IKE_SK_FORGED;
	memcpy(copy, msg, len);
	iv = copy + (body.p - msg);
	initiator = h.flags & IKE_FLAG_INITIATOR;
	if (ike_cipher_open(c, initiator ? k->ei : k->er, initiator ? k->ai : k->ar, copy,
			    (size_t)(iv - copy), iv, text_len))
		return IKE_SK_FORGED;
	pad = iv[iv_len + text_len - 1];
	if (pad + 1 > text_len)
		return -IKE_N_INVALID_SYNTAX;
	f->data = iv + iv_len;
	f->len = text_len - pad - 1;
	return 0;
}

int ike_sk_open(const struct ike_keys *k, const uint8_t *msg, size_t len, uint8_t *copy, size_t cap,
		struct ike_payloads *inner, uint8_t *offender)
{
	struct ike_skf whole;
	int rc = open_last(k, msg, len, copy, cap, &whole);

	inner->n = 0;
	*offender = 0;
	if (rc || whole.total)
		return rc ? rc : IKE_SK_FORGED;
	rc = ike_payloads_parse(whole.first, whole.data, whole.len, inner, offender);
	inner->outer_flags = whole.flags;
	return rc;
}

int ike_skf_open(const struct ike_keys *k, const uint8_t *msg, size_t len, uint8_t *copy,
		 size_t cap, struct ike_skf *f)
{
	if (open_last(k, msg, len, copy, cap, f))
		return IKE_SK_FORGED;
	if (!f->total)
		f->number = f->total = 1;
	return 0;
}
