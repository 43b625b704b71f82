/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For tables whose keys nobody hostile chooses. */
#ifndef ESPTUN_HASH_H
#define ESPTUN_HASH_H

#include <ctype.h>
#include <stddef.h>
#include <stdint.h>

/* FNV-1a of @data in lower case: what compares equal without case has one hash. */
static inline uint32_t hash_lower(const void *data, size_t len)
{
	const uint8_t *p = data;
	uint32_t h = 0x811c9dc5;

	while (len--)
		h = (h ^ (uint32_t)tolower(*p++)) * 0x01000193;
	return h;
}

#endif
