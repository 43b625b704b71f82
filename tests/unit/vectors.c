// SPDX-License-Identifier: GPL-2.0-or-later
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ike/crypto/crypto.h"
#include "ike/proto/cursor.h"
#include "vectors.h"

static void data_path(char *out, size_t size, const char *path)
{
	const char *top = getenv("ESPTUN_TOP");

	snprintf(out, size, "%s/tests/data/%s", top ? top : ".", path);
}

static int nibble(char c)
{
	const char *digits = "0123456789abcdef";
	const char *at = c ? strchr(digits, tolower((unsigned char)c)) : NULL;

	return at ? (int)(at - digits) : -1;
}

size_t hex_decode(const char *text, uint8_t *out, size_t cap)
{
	size_t n = 0;

	for (; *text; text++) {
		int hi, lo;

		if (isspace((unsigned char)*text))
			continue;
		hi = nibble(text[0]);
		lo = nibble(text[1]);
		if (hi < 0 || lo < 0 || n == cap)
			fail_msg("not hexadecimal, or longer than %zu octets: %.40s", cap, text);
		out[n++] = (uint8_t)(hi << 4 | lo);
		text++;
	}
	return n;
}

json_t *vectors_load(const char *path)
{
	json_error_t err;
	char full[512];
	json_t *root;

	data_path(full, sizeof(full), path);
	root = json_load_file(full, 0, &err);
	if (!root)
		fail_msg("%s:%d: %s", full, err.line, err.text);
	return root;
}

const char *vectors_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	if (!text)
		fail_msg("no member \"%s\"", key);
	return text;
}

size_t vectors_hex(const json_t *object, const char *key, uint8_t *out, size_t cap)
{
	return hex_decode(vectors_text(object, key), out, cap);
}

/* Captures. */

static uint32_t le32(struct cursor *c)
{
	uint32_t v = cursor_be32(c);

	return __builtin_bswap32(v);
}

/* IPv4 and UDP; everything else is passed over. */
static void take_ip(struct cursor c, struct capture *out)
{
	uint8_t first = cursor_u8(&c);
	uint16_t total, size;
	struct datagram *d = &out->d[out->n];

	cursor_u8(&c);
	total = cursor_be16(&c);
	cursor_bytes(&c, 5);
	if (c.bad || first >> 4 != 4 || (first & 15) < 5 || total < (first & 15) * 4 ||
	    cursor_u8(&c) != 17)
		return;
	cursor_bytes(&c, (first & 15) * 4u - 10);
	d->from = cursor_be16(&c);
	d->to = cursor_be16(&c);
	size = cursor_be16(&c);
	cursor_be16(&c);
	if (c.bad || size < 8)
		return;
	d->len = size - 8;
	d->data = cursor_bytes(&c, d->len);
	if (!d->data)
		return;
	assert_in_range(out->n, 0, sizeof(out->d) / sizeof(out->d[0]) - 2);
	out->n++;
}

static void take_frame(struct cursor c, uint32_t link, struct capture *out)
{
	size_t skip;

	switch (link) {
	case 1: skip = 14; break; /* Ethernet */
	case 101: skip = 0; break; /* raw IP */
	case 113: skip = 16; break; /* Linux cooked */
	case 276: skip = 20; break; /* Linux cooked, version 2 */
	default: fail_msg("link type %u", link); return;
	}
	if (cursor_bytes(&c, skip))
		take_ip(c, out);
}

static void read_pcap(struct cursor c, struct capture *out)
{
	uint32_t link;

	cursor_bytes(&c, 20);
	link = le32(&c);
	while (c.left && !c.bad) {
		uint32_t len;

		cursor_bytes(&c, 8);
		len = le32(&c);
		le32(&c);
		take_frame(cursor_sub(&c, len), link, out);
	}
	assert_false(c.bad);
}

static void read_pcapng(struct cursor c, struct capture *out)
{
	uint32_t link = 1;

	while (c.left && !c.bad) {
		uint32_t type = le32(&c), size = le32(&c);
		struct cursor b = cursor_sub(&c, size > 12 ? size - 12 : 0);

		le32(&c);
		if (type == 1) { /* interface description */
			link = le32(&b) & 0xffff;
		} else if (type == 6) { /* enhanced packet */
			uint32_t len;

			cursor_bytes(&b, 12);
			len = le32(&b);
			le32(&b);
			take_frame(cursor_sub(&b, len), link, out);
		}
	}
	assert_false(c.bad);
}

void capture_load(const char *path, struct capture *out)
{
	enum { FILE_MAX = 1 << 20 };
	struct cursor c, head;
	char full[512];
	size_t len;
	FILE *f;

	data_path(full, sizeof(full), path);
	f = fopen(full, "rb");
	if (!f)
		fail_msg("cannot open %s", full);
	memset(out, 0, sizeof(*out));
	out->file = malloc(FILE_MAX);
	assert_non_null(out->file);
	len = fread(out->file, 1, FILE_MAX, f);
	fclose(f);
	assert_in_range(len, 24, FILE_MAX - 1);
	c = head = cursor_init(out->file, len);
	switch (le32(&head)) {
	case 0xa1b2c3d4: read_pcap(c, out); break;
	case 0x0a0d0d0a: read_pcapng(c, out); break;
	default: fail_msg("%s is no little-endian capture", full);
	}
	assert_true(out->n > 0);
}

void capture_free(struct capture *c)
{
	free(c->file);
	c->file = NULL;
}

void capture_ike(struct capture *c)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < c->n; i++) {
		struct datagram d = c->d[i];

		if (d.from == 4500 || d.to == 4500) {
			if (d.len < 4 || memcmp(d.data, "\0\0\0\0", 4))
				continue;
			d.data += 4;
			d.len -= 4;
		} else if (d.from != 500 && d.to != 500) {
			continue;
		}
		c->d[n++] = d;
	}
	c->n = n;
	assert_true(n > 0);
}

size_t strongswan_secret(const json_t *root, const char *name, unsigned int nth, uint8_t *out,
			 size_t cap)
{
	json_t *event;
	size_t i;

	json_array_foreach(json_object_get(root, "events"), i, event) {
		if (strcmp(json_string_value(json_array_get(event, 0)), name) || nth--)
			continue;
		return hex_decode(json_string_value(json_array_get(event, 1)), out, cap);
	}
	fail_msg("no event \"%s\"", name);
	return 0;
}

/* splitmix64 */
static void seeded_fill(void *ctx, void *buf, size_t len)
{
	uint64_t *state = ctx;
	uint8_t *out = buf;

	for (size_t i = 0; i < len; i++) {
		uint64_t z = *state += 0x9e3779b97f4a7c15ull;

		z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
		z = (z ^ z >> 27) * 0x94d049bb133111ebull;
		out[i] = (uint8_t)(z >> 32);
	}
}

struct ike_rng seeded_rng(uint64_t *state)
{
	return (struct ike_rng){ .fill = seeded_fill, .ctx = state };
}
