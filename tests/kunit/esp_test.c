// SPDX-License-Identifier: GPL-2.0
/* Layout, padding and sizes of ESP packets. */
#include <kunit/test.h>
#include <linux/ip.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "esp/esp.h"

/* AES-GCM and ChaCha20-Poly1305; AES-CBC with HMAC-SHA2-256-128. */
static const struct esptun_esp_sizes aead_sizes = { .iv = 8,
						    .icv = 16,
						    .align = 4 };
static const struct esptun_esp_sizes cbc_sizes = { .iv = 16,
						   .icv = 16,
						   .align = 16 };

static const struct esptun_esp_sizes *const all_sizes[] = {
	&aead_sizes,
	&cbc_sizes,
};

struct size_row {
	const struct esptun_esp_sizes *sizes;
	unsigned int payload;
	unsigned int pad;
	unsigned int len;
};

/* Computed by hand from RFC 4303 2. */
static const struct size_row size_rows[] = {
	{ &aead_sizes, 0, 2, 36 },	{ &aead_sizes, 1, 1, 36 },
	{ &aead_sizes, 2, 0, 36 },	{ &aead_sizes, 3, 3, 40 },
	{ &aead_sizes, 20, 2, 56 },	{ &aead_sizes, 84, 2, 120 },
	{ &aead_sizes, 1438, 0, 1472 }, { &aead_sizes, 1439, 3, 1476 },
	{ &cbc_sizes, 0, 14, 56 },	{ &cbc_sizes, 14, 0, 56 },
	{ &cbc_sizes, 15, 15, 72 },	{ &cbc_sizes, 84, 10, 136 },
};

static void esp_sizes(struct kunit *test)
{
	const struct size_row *row;

	for (row = size_rows; row < size_rows + ARRAY_SIZE(size_rows); row++) {
		KUNIT_EXPECT_EQ_MSG(test,
				    esptun_esp_pad(row->sizes, row->payload),
				    row->pad, "payload %u", row->payload);
		KUNIT_EXPECT_EQ_MSG(test,
				    esptun_esp_len(row->sizes, row->payload),
				    row->len, "payload %u", row->payload);
	}
}

static void esp_len_is_valid(struct kunit *test)
{
	unsigned int i, len;

	for (i = 0; i < ARRAY_SIZE(all_sizes); i++) {
		const struct esptun_esp_sizes *s = all_sizes[i];

		for (len = 0; len < 3000; len++) {
			unsigned int pad = esptun_esp_pad(s, len);

			KUNIT_ASSERT_LT(test, pad, (unsigned int)s->align);
			KUNIT_ASSERT_EQ(test, (len + pad + 2) % s->align, 0u);
			KUNIT_ASSERT_TRUE(test,
					  esptun_esp_valid_len(
						  s, esptun_esp_len(s, len)));
		}
	}
}

struct valid_row {
	const struct esptun_esp_sizes *sizes;
	unsigned int len;
	bool valid;
};

static const struct valid_row valid_rows[] = {
	{ &aead_sizes, 0, 0 },	{ &aead_sizes, 7, 0 },	{ &aead_sizes, 8, 0 },
	{ &aead_sizes, 32, 0 }, { &aead_sizes, 33, 0 }, { &aead_sizes, 34, 0 },
	{ &aead_sizes, 35, 0 }, { &aead_sizes, 36, 1 }, { &aead_sizes, 37, 0 },
	{ &aead_sizes, 38, 0 }, { &aead_sizes, 39, 0 }, { &aead_sizes, 40, 1 },
	{ &cbc_sizes, 40, 0 },	{ &cbc_sizes, 44, 0 },	{ &cbc_sizes, 56, 1 },
	{ &cbc_sizes, 60, 0 },	{ &cbc_sizes, 72, 1 },
};

static void esp_valid_len(struct kunit *test)
{
	const struct valid_row *row;

	for (row = valid_rows; row < valid_rows + ARRAY_SIZE(valid_rows); row++)
		KUNIT_EXPECT_EQ_MSG(test,
				    esptun_esp_valid_len(row->sizes, row->len),
				    row->valid, "length %u", row->len);
}

/* The largest payload fits the path, one octet more does not. */
static void esp_inner_mtu(struct kunit *test)
{
	unsigned int outer = sizeof(struct iphdr) + ESPTUN_UDP_HLEN;
	unsigned int i, path, mtu;

	KUNIT_EXPECT_EQ(test, esptun_esp_inner_mtu(&aead_sizes, 1500, outer),
			1438u);
	KUNIT_EXPECT_EQ(test, esptun_esp_inner_mtu(&cbc_sizes, 1500, outer),
			1422u);
	KUNIT_EXPECT_EQ(test, esptun_esp_inner_mtu(&aead_sizes, 0, outer), 0u);
	KUNIT_EXPECT_EQ(test, esptun_esp_inner_mtu(&aead_sizes, 1280, 48),
			1198u);
	for (i = 0; i < ARRAY_SIZE(all_sizes); i++) {
		for (path = 0; path < 9100; path++) {
			mtu = esptun_esp_inner_mtu(all_sizes[i], path, outer);
			if (mtu)
				KUNIT_ASSERT_LE(
					test,
					outer + esptun_esp_len(all_sizes[i],
							       mtu),
					path);
			KUNIT_ASSERT_GT(test,
					outer + esptun_esp_len(all_sizes[i],
							       mtu + 1),
					path);
		}
	}
}

static void esp_trailer_round_trip(struct kunit *test)
{
	u8 *text = kunit_kzalloc(test, 600, GFP_KERNEL);
	unsigned int pad, payload, i;
	u8 next;

	KUNIT_ASSERT_NOT_NULL(test, text);
	for (pad = 0; pad < 256; pad++) {
		memset(text, 0xee, 600);
		esptun_esp_put_trailer(text + 40, pad, ESPTUN_NEXT_IP6);
		for (i = 0; i < pad; i++)
			KUNIT_ASSERT_EQ(test, text[40 + i], (u8)(i + 1));
		KUNIT_ASSERT_EQ(test, text[40 + pad], (u8)pad);
		KUNIT_ASSERT_EQ(test, text[41 + pad], (u8)ESPTUN_NEXT_IP6);
		KUNIT_ASSERT_EQ(test, text[42 + pad], (u8)0xee);
		KUNIT_ASSERT_TRUE(test,
				  esptun_esp_get_trailer(text, 42 + pad,
							 &payload, &next));
		KUNIT_ASSERT_EQ(test, payload, 40u);
		KUNIT_ASSERT_EQ(test, next, (u8)ESPTUN_NEXT_IP6);
	}
}

struct trailer_row {
	const char *name;
	u8 text[8];
	unsigned int len;
	bool ok;
	unsigned int payload;
};

static const struct trailer_row trailer_rows[] = {
	{ "nothing", { 0 }, 0, 0, 0 },
	{ "one octet", { 4 }, 1, 0, 0 },
	{ "no payload, no padding", { 0, 4 }, 2, 1, 0 },
	{ "no payload, padding", { 1, 2, 2, 4 }, 4, 1, 0 },
	{ "payload", { 0x45, 0x00, 1, 2, 2, 4 }, 6, 1, 2 },
	{ "longer than the packet by one", { 1, 2, 3, 4 }, 4, 0, 0 },
	{ "longer than the packet", { 1, 2, 255, 4 }, 4, 0, 0 },
	{ "zeros", { 0x45, 0, 0, 0, 2, 4 }, 6, 0, 0 },
	{ "starts at 0", { 0x45, 0, 0, 1, 2, 4 }, 6, 0, 0 },
	{ "backwards", { 0x45, 0, 2, 1, 2, 4 }, 6, 0, 0 },
	{ "last octet wrong", { 0x45, 1, 2, 4, 3, 4 }, 6, 0, 0 },
};

static void esp_trailer_rows(struct kunit *test)
{
	const struct trailer_row *row;
	unsigned int payload;
	u8 next;

	for (row = trailer_rows; row < trailer_rows + ARRAY_SIZE(trailer_rows);
	     row++) {
		bool ok = esptun_esp_get_trailer(row->text, row->len, &payload,
						 &next);

		KUNIT_EXPECT_EQ_MSG(test, ok, row->ok, "%s", row->name);
		if (ok && row->ok) {
			KUNIT_EXPECT_EQ_MSG(test, payload, row->payload, "%s",
					    row->name);
			KUNIT_EXPECT_EQ_MSG(test, next, (u8)4, "%s", row->name);
		}
	}
}

static struct kunit_case esp_cases[] = { KUNIT_CASE(esp_sizes),
					 KUNIT_CASE(esp_len_is_valid),
					 KUNIT_CASE(esp_valid_len),
					 KUNIT_CASE(esp_inner_mtu),
					 KUNIT_CASE(esp_trailer_round_trip),
					 KUNIT_CASE(esp_trailer_rows),
					 {} };

static struct kunit_suite esp_suite = {
	.name = "esptun_esp",
	.test_cases = esp_cases,
};

kunit_test_suite(esp_suite);
