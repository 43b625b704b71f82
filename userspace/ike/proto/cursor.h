/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one way bytes are read and written in the agent: a bounded reader and a
 * bounded writer. Both are sticky: the first access out of bounds sets ->bad,
 * and from then on reads give zero and writes do nothing, so a parser may read
 * a whole structure and look at ->bad once, before it uses any of it.
 */
#ifndef ESPTUN_IKE_CURSOR_H
#define ESPTUN_IKE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct cursor {
	const uint8_t *p; /* next octet */
	size_t left; /* octets from p to the end */
	bool bad; /* an access went past the end */
};

static inline struct cursor cursor_init(const void *buf, size_t len)
{
	return (struct cursor){ .p = buf, .left = len };
}

/* The next @len octets, or NULL (and bad) if there are fewer. */
static inline const uint8_t *cursor_bytes(struct cursor *c, size_t len)
{
	const uint8_t *p = c->p;

	if (c->bad || len > c->left) {
		c->bad = true;
		return NULL;
	}
	c->p += len;
	c->left -= len;
	return p;
}

/* A cursor over the next @len octets alone; bad if there are fewer. */
static inline struct cursor cursor_sub(struct cursor *c, size_t len)
{
	const uint8_t *p = cursor_bytes(c, len);

	return (struct cursor){ .p = p, .left = p ? len : 0, .bad = !p };
}

static inline bool cursor_copy(struct cursor *c, void *to, size_t len)
{
	const uint8_t *p = cursor_bytes(c, len);

	if (!p)
		return false;
	memcpy(to, p, len);
	return true;
}

static inline uint8_t cursor_u8(struct cursor *c)
{
	const uint8_t *p = cursor_bytes(c, 1);

	return p ? p[0] : 0;
}

static inline uint16_t cursor_be16(struct cursor *c)
{
	const uint8_t *p = cursor_bytes(c, 2);

	return p ? (uint16_t)(p[0] << 8 | p[1]) : 0;
}

static inline uint32_t cursor_be32(struct cursor *c)
{
	const uint8_t *p = cursor_bytes(c, 4);

	return p ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3] : 0;
}

struct writer {
	uint8_t *buf;
	size_t len; /* written so far */
	size_t cap;
	bool bad; /* something did not fit */
};

static inline struct writer writer_init(void *buf, size_t cap)
{
	return (struct writer){ .buf = buf, .cap = cap };
}

/* Room for @len octets, to be filled by the caller; NULL (and bad) if full. */
static inline uint8_t *writer_reserve(struct writer *w, size_t len)
{
	uint8_t *p;

	if (w->bad || len > w->cap - w->len) {
		w->bad = true;
		return NULL;
	}
	p = w->buf + w->len;
	w->len += len;
	return p;
}

static inline void writer_bytes(struct writer *w, const void *from, size_t len)
{
	uint8_t *p = writer_reserve(w, len);

	if (p && len)
		memcpy(p, from, len);
}

static inline void writer_u8(struct writer *w, uint8_t v)
{
	writer_bytes(w, &v, 1);
}

static inline void writer_be16(struct writer *w, uint16_t v)
{
	uint8_t b[2] = { (uint8_t)(v >> 8), (uint8_t)v };

	writer_bytes(w, b, 2);
}

static inline void writer_be32(struct writer *w, uint32_t v)
{
	uint8_t b[4] = { (uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v };

	writer_bytes(w, b, 4);
}

/* Overwrite two octets written earlier, at offset @at (a length field). */
static inline void writer_patch_be16(struct writer *w, size_t at, uint16_t v)
{
	if (w->bad || at + 2 > w->len)
		return;
	w->buf[at] = (uint8_t)(v >> 8);
	w->buf[at + 1] = (uint8_t)v;
}

static inline void writer_patch_be32(struct writer *w, size_t at, uint32_t v)
{
	writer_patch_be16(w, at, (uint16_t)(v >> 16));
	writer_patch_be16(w, at + 2, (uint16_t)v);
}

#endif
