// SPDX-License-Identifier: GPL-2.0-or-later
/* Hexadecimal digits, printed and read. */
#include <ctype.h>
#include <string.h>

#include "ike/proto/text.h"

void text_add_hex(struct text *out, const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		text_add(out, "%02x", p[i]);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int ike_hex_from_text(const char *text, uint8_t *out, size_t cap, size_t *len)
{
	size_t n = strlen(text);

	if (!n || n % 2 || n / 2 > cap)
		return -1;
	for (size_t i = 0; i < n; i += 2) {
		int hi = hex_digit(text[i]), lo = hex_digit(text[i + 1]);

		if (hi < 0 || lo < 0)
			return -1;
		out[i / 2] = (uint8_t)(hi << 4 | lo);
	}
	*len = n / 2;
	return 0;
}
