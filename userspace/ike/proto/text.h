/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Printing into a buffer of fixed size: cut to fit, always terminated. Hexadecimal digits. */
#ifndef ESPTUN_IKE_TEXT_H
#define ESPTUN_IKE_TEXT_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct text {
	char *buf;
	size_t size;
	size_t len; /* written so far, without the terminator; below size */
};

static inline struct text text_init(char *buf, size_t size)
{
	if (size)
		buf[0] = '\0';
	return (struct text){ .buf = buf, .size = size };
}

__attribute__((format(printf, 2, 3))) static inline void text_add(struct text *t, const char *fmt,
								  ...)
{
	va_list ap;
	int n;

	if (t->len + 1 >= t->size)
		return;
	va_start(ap, fmt);
	n = vsnprintf(t->buf + t->len, t->size - t->len, fmt, ap);
	va_end(ap);
	if (n > 0)
		t->len = (size_t)n < t->size - t->len ? t->len + (size_t)n : t->size - 1;
}

/* @len bytes as pairs of hexadecimal digits. */
void text_add_hex(struct text *t, const uint8_t *p, size_t len);

/* Pairs of hexadecimal digits, at least one and at most @cap; 0 with *len, or -1. */
int ike_hex_from_text(const char *text, uint8_t *out, size_t cap, size_t *len);

#endif
