// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ike/core/sk.h"
#include "vectors.h"

static const struct ike_header head = {
	.spi_i = { 1, 2, 3, 4, 5, 6, 7, 8 },
	.spi_r = { 9, 10, 11, 12, 13, 14, 15, 16 },
	.version = 0x20,
	.exchange = IKE_INFORMATIONAL,
	.flags = IKE_FLAG_INITIATOR,
	.id = 7,
};

static const struct ike_cipher ciphers[] = {
	{ IKE_ENCR_AES_GCM_16, 128, IKE_INTEG_NONE },
	{ IKE_ENCR_AES_GCM_16, 256, IKE_INTEG_NONE },
	{ IKE_ENCR_CHACHA20_POLY1305, 0, IKE_INTEG_NONE },
	{ IKE_ENCR_AES_CBC, 128, IKE_INTEG_HMAC_SHA2_256_128 },
	{ IKE_ENCR_AES_CBC, 192, IKE_INTEG_HMAC_SHA2_384_192 },
	{ IKE_ENCR_AES_CBC, 256, IKE_INTEG_HMAC_SHA2_512_256 },
};

#define NCIPHERS (sizeof(ciphers) / sizeof(ciphers[0]))

static uint64_t seed = 11;

static struct ike_keys keys_for(const struct ike_cipher *c)
{
	static const uint8_t nonce[32] = { 1 }, spi[8] = { 2 }, shared[32] = { 3 };
	const struct ike_nonces n = { nonce, nonce, 32, 32 };
	const struct ike_suite s = { .cipher = *c, .prf = IKE_PRF_HMAC_SHA2_256 };
	struct ike_keys k;

	assert_int_equal(ike_keys_derive(&k, &s, &n, spi, spi, shared, 32), 0);
	return k;
}

/* A chain of one vendor payload with @len octets; @len 0 gives an empty chain. */
static size_t chain(uint8_t *buf, size_t cap, size_t len, uint8_t *first)
{
	static const uint8_t text[512] = "vendor";
	struct ike_builder b;

	ike_build_inner(&b, buf, cap, first);
	if (len)
		ike_build_payload(&b, IKE_PL_VENDOR, text, len);
	return ike_build_end(&b);
}

static void what_was_sealed_opens(void **state)
{
	struct ike_rng rng = seeded_rng(&seed);

	(void)state;
	for (size_t i = 0; i < NCIPHERS; i++) {
		struct ike_keys k = keys_for(&ciphers[i]);

		for (size_t n = 0; n < 70; n++) {
			uint8_t inner[128], msg[512], copy[512], first, offender;
			size_t in_len = chain(inner, sizeof(inner), n, &first), len;
			struct ike_header h = head, got;
			struct ike_payloads p;

			h.flags = n % 2 ? IKE_FLAG_INITIATOR : IKE_FLAG_RESPONSE;
			len = ike_sk_seal(&k, &rng, &h, first, inner, in_len, msg, sizeof(msg));
			assert_int_equal(len, ike_sk_sealed_len(&k, in_len));
			assert_int_equal(ike_header_parse(msg, len, &got), 0);
			assert_int_equal(got.next, IKE_PL_SK);
			assert_int_equal(got.flags, h.flags);
			assert_int_equal(
				ike_sk_open(&k, msg, len, copy, sizeof(copy), &p, &offender), 0);
			assert_int_equal(p.n, n ? 1 : 0);
			if (n) {
				assert_int_equal(p.p[0].len, n);
				assert_memory_equal(p.p[0].body - 4, inner, in_len);
				assert_true(p.p[0].body > copy &&
					    p.p[0].body < copy + sizeof(copy));
			}
		}
	}
}

static void any_changed_bit_is_forged(void **state)
{
	struct ike_rng rng = seeded_rng(&seed);

	(void)state;
	for (size_t i = 0; i < NCIPHERS; i++) {
		struct ike_keys k = keys_for(&ciphers[i]);
		uint8_t inner[64], msg[512], copy[512], first, offender;
		size_t in_len = chain(inner, sizeof(inner), 20, &first);
		size_t len = ike_sk_seal(&k, &rng, &head, first, inner, in_len, msg, sizeof(msg));
		struct ike_payloads p;

		for (size_t bit = 0; bit < 8 * len; bit++) {
			msg[bit / 8] ^= (uint8_t)(1 << bit % 8);
			assert_int_equal(ike_sk_open(&k, msg, len, copy, sizeof(copy), &p,
						     &offender),
					 IKE_SK_FORGED);
			assert_int_equal(p.n, 0);
			msg[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
		assert_int_equal(ike_sk_open(&k, msg, len, copy, sizeof(copy), &p, &offender), 0);
	}
}

/* Cut anywhere, with all lengths corrected, so that only the ICV can tell. */
static void any_prefix_is_forged(void **state)
{
	struct ike_rng rng = seeded_rng(&seed);

	(void)state;
	for (size_t i = 0; i < NCIPHERS; i++) {
		struct ike_keys k = keys_for(&ciphers[i]);
		uint8_t inner[64], msg[512], copy[512], first, offender;
		size_t in_len = chain(inner, sizeof(inner), 40, &first);
		size_t len = ike_sk_seal(&k, &rng, &head, first, inner, in_len, msg, sizeof(msg));
		struct ike_payloads p;

		for (size_t cut = 0; cut < len; cut++) {
			uint8_t *t = malloc(cut ? cut : 1);

			assert_non_null(t);
			memcpy(t, msg, cut);
			assert_int_equal(ike_sk_open(&k, t, cut, copy, sizeof(copy), &p, &offender),
					 IKE_SK_FORGED);
			if (cut >= IKE_HDR_LEN + 4) {
				t[26] = (uint8_t)(cut >> 8);
				t[27] = (uint8_t)cut;
				t[30] = (uint8_t)((cut - IKE_HDR_LEN) >> 8);
				t[31] = (uint8_t)(cut - IKE_HDR_LEN);
				assert_int_equal(ike_sk_open(&k, t, cut, copy, sizeof(copy), &p,
							     &offender),
						 IKE_SK_FORGED);
			}
			free(t);
		}
		assert_int_equal(ike_sk_open(&k, msg, len, copy, len - 1, &p, &offender),
				 IKE_SK_FORGED);
	}
}

/* A peer's own message sent back to it does not open: each direction has its key. */
static void reflection_is_forged(void **state)
{
	struct ike_rng rng = seeded_rng(&seed);
	struct ike_keys k = keys_for(&ciphers[0]);
	uint8_t msg[128], copy[128], offender;
	size_t len = ike_sk_seal(&k, &rng, &head, 0, NULL, 0, msg, sizeof(msg));
	struct ike_keys swapped = k;
	struct ike_payloads p;

	(void)state;
	memcpy(swapped.ei, k.er, sizeof(k.er));
	memcpy(swapped.er, k.ei, sizeof(k.ei));
	assert_int_equal(ike_sk_open(&swapped, msg, len, copy, sizeof(copy), &p, &offender),
			 IKE_SK_FORGED);
}

static void messages_without_sk_are_forged(void **state)
{
	struct ike_keys k = keys_for(&ciphers[0]);
	uint8_t msg[256], copy[256], offender;
	struct ike_payloads p;
	struct ike_builder b;
	size_t len;

	(void)state;
	ike_build_init(&b, msg, sizeof(msg), &head);
	len = ike_build_end(&b);
	assert_int_equal(ike_sk_open(&k, msg, len, copy, sizeof(copy), &p, &offender),
			 IKE_SK_FORGED);
	ike_build_init(&b, msg, sizeof(msg), &head);
	ike_build_delete(&b, IKE_PROTO_IKE, NULL, 0);
	len = ike_build_end(&b);
	assert_int_equal(ike_sk_open(&k, msg, len, copy, sizeof(copy), &p, &offender),
			 IKE_SK_FORGED);
	ike_build_init(&b, msg, sizeof(msg), &head);
	ike_build_payload(&b, IKE_PL_SKF, copy, 100);
	len = ike_build_end(&b);
	assert_int_equal(ike_sk_open(&k, msg, len, copy, sizeof(copy), &p, &offender),
			 IKE_SK_FORGED);
}

/* Seal @text, padding included, as it is: what only someone with the keys can do wrong. */
static int open_raw(const struct ike_cipher *c, uint8_t first, const uint8_t *text, size_t n)
{
	struct ike_keys k = keys_for(c);
	size_t iv = ike_cipher_iv_len(c), len = IKE_HDR_LEN + 4 + iv + n + ike_cipher_icv_len(c);
	uint8_t msg[256], copy[256], offender;
	struct writer w = writer_init(msg, sizeof(msg));
	struct ike_header h = head;
	struct ike_payloads p;

	h.next = IKE_PL_SK;
	h.length = (uint32_t)len;
	ike_header_write(&w, &h);
	writer_u8(&w, first);
	writer_u8(&w, 0);
	writer_be16(&w, (uint16_t)(len - IKE_HDR_LEN));
	memset(writer_reserve(&w, iv), 0x55, iv);
	writer_bytes(&w, text, n);
	assert_int_equal(
		ike_cipher_seal(c, k.ei, k.ai, msg, IKE_HDR_LEN + 4, msg + IKE_HDR_LEN + 4, n), 0);
	return ike_sk_open(&k, msg, len, copy, sizeof(copy), &p, &offender);
}

static void padding_is_checked_after_the_icv(void **state)
{
	uint8_t text[32] = { 0 };

	(void)state;
	for (size_t i = 0; i < NCIPHERS; i++) {
		memset(text, 0, sizeof(text));
		text[31] = 31; /* all of it padding */
		assert_int_equal(open_raw(&ciphers[i], 0, text, 32), 0);
		text[31] = 32; /* one octet more than there is */
		assert_int_equal(open_raw(&ciphers[i], 0, text, 32), -IKE_N_INVALID_SYNTAX);
		text[31] = 255;
		assert_int_equal(open_raw(&ciphers[i], 0, text, 32), -IKE_N_INVALID_SYNTAX);
		/* a payload cut off by the padding */
		memcpy(text, "\0\0\0\20", 4);
		text[31] = 16;
		assert_int_equal(open_raw(&ciphers[i], IKE_PL_VENDOR, text, 32),
				 -IKE_N_INVALID_SYNTAX);
		text[31] = 15;
		assert_int_equal(open_raw(&ciphers[i], IKE_PL_VENDOR, text, 32), 0);
		/* a critical payload we do not know, now with the right to be told */
		text[1] = 0x80;
		assert_int_equal(open_raw(&ciphers[i], 200, text, 32),
				 -IKE_N_UNSUPPORTED_CRITICAL_PAYLOAD);
	}
}

static void aead_ivs_never_repeat(void **state)
{
	struct ike_rng rng = seeded_rng(&seed);
	struct ike_keys k = keys_for(&ciphers[0]);
	uint8_t a[128], b[128];

	(void)state;
	assert_true(ike_sk_seal(&k, &rng, &head, 0, NULL, 0, a, sizeof(a)) > 0);
	assert_true(ike_sk_seal(&k, &rng, &head, 0, NULL, 0, b, sizeof(b)) > 0);
	assert_memory_equal(a + 32, "\0\0\0\0\0\0\0\0", 8);
	assert_memory_equal(b + 32, "\0\0\0\0\0\0\0\1", 8);
	assert_int_equal(k.sent, 2);
	k.sent = UINT64_MAX;
	assert_int_equal(ike_sk_seal(&k, &rng, &head, 0, NULL, 0, a, sizeof(a)), 0);
	assert_int_equal(k.sent, UINT64_MAX);
	/* CBC: from the generator */
	k = keys_for(&ciphers[3]);
	assert_true(ike_sk_seal(&k, &rng, &head, 0, NULL, 0, a, sizeof(a)) > 0);
	assert_true(ike_sk_seal(&k, &rng, &head, 0, NULL, 0, b, sizeof(b)) > 0);
	assert_memory_not_equal(a + 32, b + 32, 16);
}

static void sealing_respects_the_buffer(void **state)
{
	struct ike_rng rng = seeded_rng(&seed);
	static uint8_t big[IKE_MAX_MSG];

	(void)state;
	for (size_t i = 0; i < NCIPHERS; i++) {
		struct ike_keys k = keys_for(&ciphers[i]);
		size_t need = ike_sk_sealed_len(&k, 0);

		for (size_t cap = 0; cap < need; cap++) {
			uint8_t *t = malloc(cap ? cap : 1);

			assert_int_equal(ike_sk_seal(&k, &rng, &head, 0, NULL, 0, t, cap), 0);
			free(t);
		}
		assert_int_equal(
			ike_sk_seal(&k, &rng, &head, 40, big, sizeof(big), big, sizeof(big)), 0);
		assert_int_equal(ike_sk_seal(&k, &rng, &head, 40, big, SIZE_MAX, big, sizeof(big)),
				 0);
	}
}

/* ---- fragments (RFC 7383) ------------------------------------------------- */

static const uint8_t text[2048] = "any octets: a fragment begins and ends anywhere";

static void fragments_open(void **state)
{
	struct ike_rng rng = seeded_rng(&seed);

	(void)state;
	for (size_t i = 0; i < NCIPHERS; i++) {
		struct ike_keys k = keys_for(&ciphers[i]);

		for (size_t n = 0; n < 70; n++) {
			struct ike_skf f = { (uint16_t)(n + 1), 70, 35, text, n, 0 }, got;
			uint8_t msg[256], copy[256];
			struct ike_header h;
			size_t len = ike_skf_seal(&k, &rng, &head, &f, msg, sizeof(msg));

			assert_int_equal(len, ike_sk_sealed_len(&k, n) + 4);
			assert_int_equal(ike_header_parse(msg, len, &h), 0);
			assert_int_equal(h.next, IKE_PL_SKF);
			assert_int_equal(ike_skf_open(&k, msg, len, copy, sizeof(copy), &got), 0);
			assert_int_equal(got.number, n + 1);
			assert_int_equal(got.total, 70);
			assert_int_equal(got.first, 35);
			assert_int_equal(got.len, n);
			assert_memory_equal(got.data, text, n);
			assert_int_equal(ike_skf_open(&k, msg, len, copy, len - 1, &got),
					 IKE_SK_FORGED);
		}
	}
}

/* Number and total are authenticated, too. */
static void any_changed_bit_of_a_fragment_is_forged(void **state)
{
	const struct ike_skf f = { 2, 5, 0, text, 20, 0 };
	struct ike_rng rng = seeded_rng(&seed);

	(void)state;
	for (size_t i = 0; i < NCIPHERS; i++) {
		struct ike_keys k = keys_for(&ciphers[i]);
		uint8_t msg[256], copy[256];
		struct ike_skf got;
		size_t len = ike_skf_seal(&k, &rng, &head, &f, msg, sizeof(msg));

		for (size_t bit = 0; bit < 8 * len; bit++) {
			msg[bit / 8] ^= (uint8_t)(1 << bit % 8);
			assert_int_equal(ike_skf_open(&k, msg, len, copy, sizeof(copy), &got),
					 IKE_SK_FORGED);
			assert_int_equal(got.len, 0);
			msg[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
		assert_int_equal(ike_skf_open(&k, msg, len, copy, sizeof(copy), &got), 0);
	}
}

/* A fragment with these numbers and @plain, padding included: what only someone with the keys can do wrong. */
static int open_raw_fragment(uint16_t number, uint16_t total, const uint8_t *plain, size_t n)
{
	struct ike_keys k = keys_for(&ciphers[0]);
	size_t iv = ike_cipher_iv_len(&ciphers[0]), aad = IKE_HDR_LEN + 8;
	uint8_t msg[256], copy[256];
	struct writer w = writer_init(msg, sizeof(msg));
	struct ike_header h = head;
	struct ike_skf got;

	h.next = IKE_PL_SKF;
	h.length = (uint32_t)(aad + iv + n + ike_cipher_icv_len(&ciphers[0]));
	ike_header_write(&w, &h);
	writer_be16(&w, 0);
	writer_be16(&w, (uint16_t)(h.length - IKE_HDR_LEN));
	writer_be16(&w, number);
	writer_be16(&w, total);
	memset(writer_reserve(&w, iv), 0x55, iv);
	writer_bytes(&w, plain, n);
	assert_int_equal(ike_cipher_seal(&ciphers[0], k.ei, k.ai, msg, aad, msg + aad, n), 0);
	return ike_skf_open(&k, msg, h.length, copy, sizeof(copy), &got);
}

static void impossible_fragments_are_forged(void **state)
{
	static const uint16_t numbers[][2] = {
		{ 0, 0 }, { 0, 1 }, { 1, 0 }, { 3, 2 }, { 65535, 1 }
	};
	struct ike_rng rng = seeded_rng(&seed);
	struct ike_keys k = keys_for(&ciphers[0]);
	uint8_t plain[8] = { 0 }, msg[256];

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		const struct ike_skf f = { numbers[i][0], numbers[i][1], 0, plain, 8, 0 };

		assert_int_equal(ike_skf_seal(&k, &rng, &head, &f, msg, sizeof(msg)), 0);
		assert_int_equal(open_raw_fragment(f.number, f.total, plain, 8), IKE_SK_FORGED);
	}
	assert_int_equal(open_raw_fragment(1, 1, plain, 8), 0);
	assert_int_equal(open_raw_fragment(65535, 65535, plain, 8), 0);
	plain[7] = 7; /* all of it padding */
	assert_int_equal(open_raw_fragment(1, 1, plain, 8), 0);
	plain[7] = 8; /* one octet more than there is */
	assert_int_equal(open_raw_fragment(1, 1, plain, 8), IKE_SK_FORGED);
}

static void a_fragment_is_no_whole_message(void **state)
{
	struct ike_rng rng = seeded_rng(&seed);
	struct ike_keys k = keys_for(&ciphers[0]);
	const struct ike_skf f = { 1, 1, 0, NULL, 0, 0 };
	uint8_t msg[256], copy[256], offender;
	struct ike_payloads p;
	size_t len = ike_skf_seal(&k, &rng, &head, &f, msg, sizeof(msg));

	(void)state;
	assert_int_equal(ike_sk_open(&k, msg, len, copy, sizeof(copy), &p, &offender),
			 IKE_SK_FORGED);
	msg[16] = IKE_PL_SK;
	assert_int_equal(ike_sk_open(&k, msg, len, copy, sizeof(copy), &p, &offender),
			 IKE_SK_FORGED);
}

/* Of a message that was not split, the whole inside is the first of one. */
static void a_whole_message_is_one_fragment(void **state)
{
	struct ike_rng rng = seeded_rng(&seed);
	struct ike_keys k = keys_for(&ciphers[0]);
	uint8_t msg[256], copy[256], inner[64], first;
	size_t in_len = chain(inner, sizeof(inner), 20, &first), len;
	struct ike_skf f;

	(void)state;
	len = ike_sk_seal(&k, &rng, &head, first, inner, in_len, msg, sizeof(msg));
	assert_int_equal(ike_skf_open(&k, msg, len, copy, sizeof(copy), &f), 0);
	assert_int_equal(f.number, 1);
	assert_int_equal(f.total, 1);
	assert_int_equal(f.first, IKE_PL_VENDOR);
	assert_int_equal(f.len, in_len);
	assert_memory_equal(f.data, inner, in_len);
}

/* As much as fits, and not an octet more. */
static void fragments_fill_their_room(void **state)
{
	struct ike_rng rng = seeded_rng(&seed);
	uint8_t msg[1400];

	(void)state;
	for (size_t i = 0; i < NCIPHERS; i++) {
		struct ike_keys k = keys_for(&ciphers[i]);

		for (size_t len = 0; len < sizeof(msg); len++) {
			size_t room = ike_skf_room(&k, len);
			struct ike_skf f = { 1, 2, 0, text, room, 0 };

			if (room)
				assert_in_range(ike_skf_seal(&k, &rng, &head, &f, msg, len), 1,
						len);
			f.len++;
			assert_int_equal(ike_skf_seal(&k, &rng, &head, &f, msg, len), 0);
		}
	}
}

static void fill_f0(void *ctx, void *buf, size_t len)
{
	uint8_t *p = buf;

	(void)ctx;
	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)(0xf0 + i);
}

/* Fragments that Python's "cryptography" made, opened and made again. */
static void fragments_of_another_hand(void **state)
{
	static const struct {
		struct ike_cipher cipher;
		uint16_t number;
		uint8_t first;
		const char *msg;
	} cases[] = {
		{ { IKE_ENCR_AES_GCM_16, 256, IKE_INTEG_NONE },
		  2,
		  IKE_PL_NONE,
		  "0102030405060708090a0b0c0d0e0f1035202308000000010000005200000036"
		  "000200030000000000000007303a7e7f12a7bd922116d02f7bf658d652256bc5"
		  "c3ee1107841e5adc54fdd7b5f026bfa089eb" },
		{ { IKE_ENCR_CHACHA20_POLY1305, 0, IKE_INTEG_NONE },
		  2,
		  IKE_PL_NONE,
		  "0102030405060708090a0b0c0d0e0f1035202308000000010000005200000036"
		  "000200030000000000000007ecdaf8d4fb49d39e67f17ca7b1bd9d767cc9a23e"
		  "8a9a2e9eef13a76627be628d6fb45b9970a0" },
		{ { IKE_ENCR_AES_CBC, 256, IKE_INTEG_HMAC_SHA2_256_128 },
		  1,
		  IKE_PL_IDI,
		  "0102030405060708090a0b0c0d0e0f1035202308000000010000006423000048"
		  "00010003f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff965fe30bdce6316a5ec0e066"
		  "ec3389d49710900bc49f0848f07855db13e4691fe1256f7a8dffc45a24953953"
		  "fa6d53f2" },
	};
	const struct ike_rng rng = { fill_f0, NULL };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ike_keys k = { .suite.cipher = cases[i].cipher, .sent = 7 };
		uint8_t msg[128], copy[128], again[128], plain[21];
		size_t len = hex_decode(cases[i].msg, msg, sizeof(msg));
		struct ike_header h;
		struct ike_skf f;

		for (uint8_t n = 0; n < 32; n++) {
			k.ei[n] = n;
			k.ai[n] = 0x80 + n;
		}
		if (cases[i].cipher.integ == IKE_INTEG_NONE)
			memcpy(k.ei + 32, "\xa0\xa1\xa2\xa3", 4);
		for (uint8_t n = 0; n < sizeof(plain); n++)
			plain[n] = 0x40 + n;
		assert_int_equal(ike_skf_open(&k, msg, len, copy, sizeof(copy), &f), 0);
		assert_int_equal(f.number, cases[i].number);
		assert_int_equal(f.total, 3);
		assert_int_equal(f.first, cases[i].first);
		assert_int_equal(f.len, sizeof(plain));
		assert_memory_equal(f.data, plain, sizeof(plain));
		assert_int_equal(ike_header_parse(msg, len, &h), 0);
		assert_int_equal(ike_skf_seal(&k, &rng, &h, &f, again, sizeof(again)), len);
		assert_memory_equal(again, msg, len);
	}
}

/* ---- whole messages of others ---------------------------------------------- */

/* Every payload inside must parse, and the SA's inside be one we could have written. */
static void inner_check(const struct ike_payloads *p)
{
	static struct ike_sa_payload sa;
	static struct ike_ts_payload ts;
	struct ike_id id;
	struct ike_notify n;
	struct ike_auth auth;
	struct ike_delete d;
	struct ike_ke ke;

	for (unsigned int i = 0; i < p->n; i++) {
		switch (p->p[i].type) {
		case IKE_PL_SA: assert_int_equal(ike_sa_parse(&p->p[i], &sa), 0); break;
		case IKE_PL_TSI:
		case IKE_PL_TSR:
			assert_int_equal(ike_ts_parse(&p->p[i], &ts), 0);
			assert_int_not_equal(ts.n, 0);
			break;
		case IKE_PL_IDI:
		case IKE_PL_IDR: assert_int_equal(ike_id_parse(&p->p[i], &id), 0); break;
		case IKE_PL_NOTIFY: assert_int_equal(ike_notify_parse(&p->p[i], &n), 0); break;
		case IKE_PL_AUTH: assert_int_equal(ike_auth_parse(&p->p[i], &auth), 0); break;
		case IKE_PL_DELETE: assert_int_equal(ike_delete_parse(&p->p[i], &d), 0); break;
		case IKE_PL_KE: assert_int_equal(ike_ke_parse(&p->p[i], &ke), 0); break;
		default: break;
		}
	}
}

/* Open every sealed message of a capture; returns their number. */
static unsigned int open_all(const struct capture *c, unsigned int from, unsigned int to,
			     const struct ike_keys *k, struct ike_payloads *auth)
{
	static uint8_t copy[16][2048];
	unsigned int n = 0;

	for (unsigned int i = from; i < to; i++) {
		struct ike_payloads p;
		struct ike_header h;
		uint8_t offender;

		assert_int_equal(ike_header_parse(c->d[i].data, c->d[i].len, &h), 0);
		if (h.exchange == IKE_SA_INIT)
			continue;
		assert_in_range(i, 0, 15);
		assert_int_equal(ike_sk_open(k, c->d[i].data, c->d[i].len, copy[i], sizeof(copy[i]),
					     &p, &offender),
				 0);
		inner_check(&p);
		if (auth && ike_payload_find(&p, IKE_PL_AUTH))
			*auth++ = p;
		n++;
	}
	return n;
}

static bool auth_is(const struct ike_payloads *p, const char *hex)
{
	struct ike_auth auth;
	uint8_t want[64];
	size_t len = hex_decode(hex, want, sizeof(want));

	assert_int_equal(ike_auth_parse(ike_payload_find(p, IKE_PL_AUTH), &auth), 0);
	return auth.len == len && !memcmp(auth.data, want, len);
}

/* Wireshark's captures with its keys: SK_ei, SK_er, SK_ai, SK_ar as in the table beside them. */
static void wireshark_captures_open(void **state)
{
	static const struct {
		const char *file, *ei, *er, *ai, *ar;
		struct ike_cipher cipher;
		unsigned int sealed;
	} cases[] = {
		{ "ikev2-decrypt-aes256cbc.pcapng",
		  "9096ddd2933620e8f48122c53a3f562cb0222c1cf97ce41fcc874ea2582a89ac",
		  "6718c6b2bbef2f234eac4c13832f885d87b574afd2af0111161e99b5dc61b4d4",
		  "12d532c3e83c757906af548dfe1ccf223ca5507af77898454e2d55c8ace57a17",
		  "30c4ead18c93024b58a86c1e3db60f550221801026853170b4cb0248d3a95329",
		  { IKE_ENCR_AES_CBC, 256, IKE_INTEG_HMAC_SHA2_256_128 },
		  2 },
		{ "ikev2-decrypt-aes256gcm16.pcap",
		  "647075bf167447a1c8683e8dbe4794b4cfe73799cc6bec34905441159ce13705c8dfb3a9",
		  "15c9eae6f94631d63068bf44bb69999abc07b3d15e915fd8f0ed99ad481efd75deb02a5e",
		  "",
		  "",
		  { IKE_ENCR_AES_GCM_16, 256, IKE_INTEG_NONE },
		  4 },
	};
	json_t *root = vectors_load("ike-captures/expected.json"), *expected, *e;
	static struct capture c;
	struct ike_payloads auth[4];

	(void)state;
	expected = json_object_get(root, "ikev2");
	assert_int_equal(json_array_size(expected), 2);
	for (size_t i = 0; i < 2; i++) {
		struct ike_keys k = { .suite.cipher = cases[i].cipher };
		char path[128];

		e = json_array_get(expected, i);
		assert_string_equal(vectors_text(e, "capture"), cases[i].file);
		hex_decode(cases[i].ei, k.ei, sizeof(k.ei));
		hex_decode(cases[i].er, k.er, sizeof(k.er));
		hex_decode(cases[i].ai, k.ai, sizeof(k.ai));
		hex_decode(cases[i].ar, k.ar, sizeof(k.ar));
		snprintf(path, sizeof(path), "ike-captures/%s", cases[i].file);
		capture_load(path, &c);
		capture_ike(&c);
		assert_int_equal(open_all(&c, 0, c.n, &k, auth), cases[i].sealed);
		/* it does not say whose: exactly one side's */
		assert_int_equal(auth_is(&auth[0], vectors_text(e, "auth_data")) +
					 auth_is(&auth[1], vectors_text(e, "auth_data")),
				 1);
		capture_free(&c);
	}
	json_decref(root);
}

static void strongswan_keys(const json_t *root, unsigned int nth, struct ike_keys *k)
{
	*k = (struct ike_keys){
		.suite.cipher = { IKE_ENCR_AES_CBC, 256, IKE_INTEG_HMAC_SHA2_256_128 },
	};
	strongswan_secret(root, "Sk_ei secret", nth, k->ei, sizeof(k->ei));
	strongswan_secret(root, "Sk_er secret", nth, k->er, sizeof(k->er));
	strongswan_secret(root, "Sk_ai secret", nth, k->ai, sizeof(k->ai));
	strongswan_secret(root, "Sk_ar secret", nth, k->ar, sizeof(k->ar));
}

/* A whole session: IKE_AUTH, child rekey, IKE rekey, then delete under the new keys. */
static void strongswan_session_opens(void **state)
{
	json_t *root = vectors_load("ike-captures/strongswan-6.1.0-aescbc.keys.json");
	static struct capture c;
	struct ike_payloads p;
	struct ike_keys k;
	uint8_t copy[2048], offender;

	(void)state;
	capture_load("ike-captures/strongswan-6.1.0-aescbc.pcapng", &c);
	capture_ike(&c);
	strongswan_keys(root, 0, &k);
	assert_int_equal(open_all(&c, 0, 12, &k, NULL), 10);
	assert_int_equal(ike_sk_open(&k, c.d[12].data, c.d[12].len, copy, sizeof(copy), &p,
				     &offender),
			 IKE_SK_FORGED);
	strongswan_keys(root, 1, &k);
	assert_int_equal(open_all(&c, 12, 14, &k, NULL), 2);
	capture_free(&c);
	json_decref(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_sealed_opens),
		cmocka_unit_test(any_changed_bit_is_forged),
		cmocka_unit_test(any_prefix_is_forged),
		cmocka_unit_test(reflection_is_forged),
		cmocka_unit_test(messages_without_sk_are_forged),
		cmocka_unit_test(padding_is_checked_after_the_icv),
		cmocka_unit_test(aead_ivs_never_repeat),
		cmocka_unit_test(sealing_respects_the_buffer),
		cmocka_unit_test(fragments_open),
		cmocka_unit_test(any_changed_bit_of_a_fragment_is_forged),
		cmocka_unit_test(impossible_fragments_are_forged),
		cmocka_unit_test(a_fragment_is_no_whole_message),
		cmocka_unit_test(a_whole_message_is_one_fragment),
		cmocka_unit_test(fragments_fill_their_room),
		cmocka_unit_test(fragments_of_another_hand),
		cmocka_unit_test(wireshark_captures_open),
		cmocka_unit_test(strongswan_session_opens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
