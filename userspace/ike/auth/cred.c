// SPDX-License-Identifier: GPL-2.0-or-later
#include "ike/auth/cred.h"

#include <stdlib.h>
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

struct ike_iov *ike_cred_collect(const struct ike_creds *c, enum ike_cred_kind kind,
				 unsigned int *n)
{
	struct ike_iov *items, item;
	size_t at = 0;

	for (*n = 0; ike_cred_next(c, &at, kind, &item);)
		++*n;
	items = calloc(*n + 1, sizeof(*items));
	at = 0;
	for (unsigned int i = 0; items && i < *n; i++)
		ike_cred_next(c, &at, kind, &items[i]);
	return items;
}

uint8_t *ike_cred_copy(const struct ike_creds *c, enum ike_cred_kind kind, size_t *len)
{
	uint8_t *copy = malloc(c->len + 1);
	struct ike_iov item;
	size_t at = 0;

	*len = 0;
	while (copy && ike_cred_next(c, &at, kind, &item)) {
		memcpy(copy + *len, (const uint8_t *)item.base - IKE_CRED_HEAD,
		       IKE_CRED_HEAD + item.len);
		*len += IKE_CRED_HEAD + item.len;
	}
	return copy;
}

static bool has_item(const struct ike_creds *c, enum ike_cred_kind kind, const struct ike_iov *item)
{
	struct ike_iov its;
	size_t at = 0;

	while (ike_cred_next(c, &at, kind, &its)) {
		if (its.len == item->len && !memcmp(its.base, item->base, its.len))
			return true;
	}
	return false;
}

bool ike_cred_has_all(const struct ike_creds *c, const struct ike_creds *of,
		      enum ike_cred_kind kind)
{
	struct ike_iov item;
	size_t at = 0;

	while (ike_cred_next(of, &at, kind, &item)) {
		if (!has_item(c, kind, &item))
			return false;
	}
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
