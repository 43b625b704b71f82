// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a RADIUS packet's secret proves: used by the keys process, which alone has secrets. Answers come from the
 * network as they are. The Response Authenticator is looked at first, as it covers the whole answer and needs no
 * attribute of it to be read; but MD5 no longer withstands who chooses a part of what it covers (CVE-2024-3596),
 * so nothing is believed without the HMAC of the Message-Authenticator.
 */
#include <string.h>

#include "ike/crypto/legacy.h"
#include "ike/radius/radius.h"

enum {
	SIGNATURE_AT = RADIUS_HEAD + 2, /* of a Message-Authenticator that is first */
	VENDOR_MICROSOFT = 311,
	MPPE_SEND_KEY = 16, /* RFC 2548 2.4.2 */
	MPPE_RECV_KEY = 17, /* RFC 2548 2.4.3 */
	VENDOR_HEAD = 6, /* vendor, the vendor's type and length */
	SALT = 2,
	BLOCK = 16,
	MPPE_MAX =
		96, /* bytes of the encrypted text: blocks for 32 bytes of a key, and some of padding */
};

static const uint8_t zeros[RADIUS_AUTHENTICATOR];

/* ---- requests -------------------------------------------------------------------------------- */

static bool is_signable(const struct radius_packet *p)
{
	struct radius_attr first;
	size_t at = 0;

	return p->code == RADIUS_ACCESS_REQUEST && radius_next_attr(p, &at, &first) &&
	       first.type == RADIUS_A_MESSAGE_AUTHENTICATOR && first.len == RADIUS_AUTHENTICATOR &&
	       !memcmp(first.value, zeros, sizeof(zeros));
}

int radius_sign(const uint8_t *packet, size_t len, const uint8_t *secret, size_t secret_len,
		uint8_t out[RADIUS_AUTHENTICATOR])
{
	const struct ike_iov in[] = { { packet, len }, { secret, secret_len } };
	struct radius_packet p;

	if (!radius_parse(packet, len, &p) || p.len != len)
		return -1;
	if (is_signable(&p))
		return ike_hmac_md5(secret, secret_len, in, 1, out);
	if (p.code != RADIUS_ACCOUNTING_REQUEST || memcmp(p.authenticator, zeros, sizeof(zeros)))
		return -1;
	return ike_md5(in, 2, out);
}

void radius_put_signature(uint8_t *packet, const uint8_t signature[RADIUS_AUTHENTICATOR])
{
	size_t at = packet[0] == RADIUS_ACCESS_REQUEST ? SIGNATURE_AT
						       : RADIUS_HEAD - RADIUS_AUTHENTICATOR;

	memcpy(packet + at, signature, RADIUS_AUTHENTICATOR);
}

/* ---- answers --------------------------------------------------------------------------------- */

struct check {
	struct radius_packet p;
	const uint8_t *authenticator; /* of the request */
	const uint8_t *secret;
	size_t secret_len;
};

/* MD5(code, identifier, length, the request's authenticator, attributes, secret): RFC 2865 3, 2866 3. */
static bool is_response(const struct check *c)
{
	const size_t head = RADIUS_HEAD - RADIUS_AUTHENTICATOR;
	const struct ike_iov in[] = {
		{ c->p.data, head },
		{ c->authenticator, RADIUS_AUTHENTICATOR },
		{ c->p.data + RADIUS_HEAD, c->p.len - RADIUS_HEAD },
		{ c->secret, c->secret_len },
	};
	uint8_t expected[RADIUS_AUTHENTICATOR];

	return !ike_md5(in, 4, expected) &&
	       ike_equal(expected, c->p.authenticator, sizeof(expected));
}

/* The one Message-Authenticator; false if there is none, or another length or number of them. */
static bool find_signature(const struct radius_packet *p, const uint8_t **out)
{
	struct radius_attr a;
	size_t at = 0;

	*out = NULL;
	while (radius_next_attr(p, &at, &a)) {
		if (a.type != RADIUS_A_MESSAGE_AUTHENTICATOR)
			continue;
		if (*out || a.len != RADIUS_AUTHENTICATOR)
			return false;
		*out = a.value;
	}
	return *out;
}

/* The same octets as above but for the secret, the Message-Authenticator taken as zero: RFC 3579 3.2. */
static enum radius_fault check_signature(const struct check *c)
{
	const size_t head = RADIUS_HEAD - RADIUS_AUTHENTICATOR;
	const uint8_t *end = c->p.data + c->p.len, *signature;
	uint8_t expected[RADIUS_AUTHENTICATOR];

	if (!find_signature(&c->p, &signature))
		return signature ? RADIUS_WRONG_SIGNATURE : RADIUS_UNSIGNED;

	const uint8_t *begin = c->p.data + RADIUS_HEAD, *behind = signature + RADIUS_AUTHENTICATOR;
	const struct ike_iov in[] = {
		{ c->p.data, head },
		{ c->authenticator, RADIUS_AUTHENTICATOR },
		{ begin, (size_t)(signature - begin) },
		{ zeros, sizeof(zeros) },
		{ behind, (size_t)(end - behind) },
	};

	if (ike_hmac_md5(c->secret, c->secret_len, in, 5, expected) ||
	    !ike_equal(expected, signature, sizeof(expected)))
		return RADIUS_WRONG_SIGNATURE;
	return RADIUS_AUTHENTIC;
}

/* ---- MS-MPPE keys ---------------------------------------------------------------------------- */

/*
 * RFC 2548 2.4.2: each block of text is XORed with MD5(secret, block before it), the first one with
 * MD5(secret, the request's authenticator, salt).
 */
static bool decrypt_blocks(const struct check *c, const uint8_t *salt, const uint8_t *text,
			   size_t len, uint8_t *out)
{
	uint8_t pad[BLOCK];
	bool ok = true;

	for (size_t at = 0; at < len && ok; at += BLOCK) {
		const struct ike_iov first[] = { { c->secret, c->secret_len },
						 { c->authenticator, RADIUS_AUTHENTICATOR },
						 { salt, SALT } };
		const struct ike_iov next[] = { { c->secret, c->secret_len },
						{ text + at - (at ? BLOCK : 0), BLOCK } };

		ok = !(at ? ike_md5(next, 2, pad) : ike_md5(first, 3, pad));
		for (size_t i = 0; i < BLOCK && ok; i++)
			out[at + i] = text[at + i] ^ pad[i];
	}
	ike_wipe(pad, sizeof(pad));
	return ok;
}

/* The key in @value, which begins with the salt; *@len bytes of @key. */
static bool decrypt_key(const struct check *c, const uint8_t *value, size_t value_len,
			uint8_t key[RADIUS_MPPE_KEY], size_t *len)
{
	uint8_t clear[MPPE_MAX];
	size_t text = value_len - SALT;
	bool ok;

	if (value_len < SALT + BLOCK || text > sizeof(clear) || text % BLOCK)
		return false;
	ok = decrypt_blocks(c, value, value + SALT, text, clear);
	*len = clear[0];
	ok = ok && *len && *len <= RADIUS_MPPE_KEY && *len < text;
	if (ok)
		memcpy(key, clear + 1, *len);
	ike_wipe(clear, sizeof(clear));
	return ok;
}

/* Of Microsoft's attributes in @a the one of this type; NULL: @a is not that. */
static const uint8_t *find_vendor(const struct radius_attr *a, uint8_t type, size_t *len)
{
	const uint8_t *v = a->value;

	if (a->type != RADIUS_A_VENDOR_SPECIFIC || a->len < VENDOR_HEAD || (v[0] | v[1]) ||
	    (v[2] << 8 | v[3]) != VENDOR_MICROSOFT || v[4] != type || (size_t)v[5] + 4 != a->len)
		return NULL;
	*len = a->len - VENDOR_HEAD;
	return v + VENDOR_HEAD;
}

/* *@len is 0 if there is none; false if there is one that cannot be decrypted, or are two. */
static bool read_key(const struct check *c, uint8_t type, uint8_t key[RADIUS_MPPE_KEY], size_t *len)
{
	struct radius_attr a;
	size_t at = 0, value_len;

	*len = 0;
	while (radius_next_attr(&c->p, &at, &a)) {
		const uint8_t *value = find_vendor(&a, type, &value_len);

		if (value && (*len || !decrypt_key(c, value, value_len, key, len)))
			return false;
	}
	return true;
}

/* Recv-Key | Send-Key | zeros (RFC 5216 2.3, 3079 and 3748 7.10); both keys or none. */
static bool read_msk(const struct check *c, uint8_t msk[RADIUS_MSK], size_t *msk_len)
{
	uint8_t send[RADIUS_MPPE_KEY];
	size_t recv_len, send_len = 0;
	bool ok = read_key(c, MPPE_RECV_KEY, msk, &recv_len) &&
		  read_key(c, MPPE_SEND_KEY, send, &send_len) && !recv_len == !send_len;

	if (ok && recv_len) {
		memcpy(msk + recv_len, send, send_len);
		*msk_len = RADIUS_MSK;
	}
	ike_wipe(send, sizeof(send));
	return ok;
}

enum radius_fault radius_check(const uint8_t authenticator[RADIUS_AUTHENTICATOR], const void *data,
			       size_t len, const uint8_t *secret, size_t secret_len,
			       uint8_t msk[RADIUS_MSK], size_t *msk_len)
{
	struct check c = { .authenticator = authenticator,
			   .secret = secret,
			   .secret_len = secret_len };
	enum radius_fault fault = RADIUS_AUTHENTIC;

	*msk_len = 0;
	memset(msk, 0, RADIUS_MSK);
	if (!radius_parse(data, len, &c.p))
		return RADIUS_MALFORMED;
	if (!is_response(&c))
		return RADIUS_WRONG_RESPONSE;
	if (c.p.code == RADIUS_ACCOUNTING_RESPONSE)
		return RADIUS_AUTHENTIC;
	fault = check_signature(&c);
	if (!fault && c.p.code == RADIUS_ACCESS_ACCEPT && !read_msk(&c, msk, msk_len))
		fault = RADIUS_WRONG_KEY;
	if (fault)
		ike_wipe(msk, RADIUS_MSK);
	return fault;
}
