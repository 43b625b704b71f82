// SPDX-License-Identifier: GPL-2.0-or-later
#include "ike/auth/cred.h"

#include <string.h>

static size_t length_at(const uint8_t *head)
{
	return (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
}

/* The item at *@at, which moves on behind it; false at the end, or if what is there is none. */
static bool next_item(const struct ike_creds *c, size_t *at, uint8_t *kind, struct ike_iov *out)
{
	const uint8_t *head;

	if (*at >= c->len || c->len - *at < IKE_CRED_HEAD)
		return false;
	head = c->data + *at;
	*kind = head[0];
	*out = (struct ike_iov){ head + IKE_CRED_HEAD, length_at(head) };
	if (out->len > c->len - *at - IKE_CRED_HEAD)
		return false;
	*at += IKE_CRED_HEAD + out->len;
	return true;
}

bool ike_cred_next(const struct ike_creds *c, size_t *at, enum ike_cred_kind kind,
		   struct ike_iov *out)
{
	uint8_t its;

	while (next_item(c, at, &its, out)) {
		if (its == kind)
			return true;
	}
	return false;
}

bool ike_cred_find(const struct ike_creds *c, enum ike_cred_kind kind, struct ike_iov *out)
{
	size_t at = 0;

	return ike_cred_next(c, &at, kind, out);
}

bool ike_cred_same(const struct ike_creds *a, const struct ike_creds *b, enum ike_cred_kind kind)
{
	size_t at_a = 0, at_b = 0;
	struct ike_iov x, y;
	bool more;

	do {
		more = ike_cred_next(a, &at_a, kind, &x);
		if (more != ike_cred_next(b, &at_b, kind, &y) ||
		    (more && (x.len != y.len || memcmp(x.base, y.base, x.len))))
			return false;
	} while (more);
	return true;
}

bool ike_creds_are_sane(const struct ike_creds *c)
{
	struct ike_iov item;
	size_t at = 0;
	uint8_t kind;

	if (c->len > IKE_MAX_CREDS || (c->len && !c->data))
		return false;
	while (next_item(c, &at, &kind, &item)) {
		if (kind >= IKE_CRED_KINDS || !item.len)
			return false;
	}
	return at == c->len;
}

void ike_cred_head(uint8_t out[IKE_CRED_HEAD], enum ike_cred_kind kind, size_t len)
{
	out[0] = (uint8_t)kind;
	out[1] = (uint8_t)(len >> 16);
	out[2] = (uint8_t)(len >> 8);
	out[3] = (uint8_t)len;
}
