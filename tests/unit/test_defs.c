// SPDX-License-Identifier: GPL-2.0-or-later
/* The lists of userspace/ike/proto (*.def): sorted, without duplicates, true to their columns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ike/crypto/crypto.h"
#include "ike/proto/crypto_word.h"
#include "ike/proto/names.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

struct number {
	unsigned int number;
	const char *name;
};

static const struct number notifies[] = {
#define NOTIFY(name, number, rfc) { number, #name },
#include "ike/proto/notify.def"
#undef NOTIFY
};

static const struct number exchanges[] = {
#define EXCHANGE(enumerator, number, name) { number, name },
#include "ike/proto/exchange.def"
#undef EXCHANGE
};

static const struct number payloads[] = {
#define PAYLOAD(name, number, notation) { number, notation },
#include "ike/proto/payload.def"
#undef PAYLOAD
};

static void sorted(const struct number *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (i && rows[i].number <= rows[i - 1].number)
			fail_msg("%s is not behind %s", rows[i].name, rows[i - 1].name);
		for (size_t j = 0; j < i; j++)
			if (!strcmp(rows[i].name, rows[j].name))
				fail_msg("%s is there twice", rows[i].name);
	}
}

static void lists_of_numbers_are_sorted_without_duplicates(void **state)
{
	(void)state;
	sorted(notifies, COUNT(notifies));
	sorted(exchanges, COUNT(exchanges));
	sorted(payloads, COUNT(payloads));
}

/* Each number prints as the name in its row; as many numbers have a name as there are rows. */
static void numbers_and_names_agree(void **state)
{
	size_t named = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(notifies); i++)
		assert_string_equal(ike_notify_name((uint16_t)notifies[i].number),
				    notifies[i].name);
	for (unsigned int number = 0; number <= UINT16_MAX; number++)
		named += ike_notify_name((uint16_t)number) != NULL;
	assert_int_equal(named, COUNT(notifies));
	for (size_t i = 0; i < COUNT(exchanges); i++)
		assert_string_equal(ike_exchange_name((uint8_t)exchanges[i].number),
				    exchanges[i].name);
	for (size_t i = 0; i < COUNT(payloads); i++)
		assert_string_equal(ike_payload_name((uint8_t)payloads[i].number),
				    payloads[i].name);
}

/* The types as RFC 7296 3.3.2 and 3.3.3 have them: which may be left out, and what each protocol has. */
static void types_are_those_of_the_rfc(void **state)
{
	static const struct ike_type want[] = {
		{ .number = 1, .ike = true, .esp = true },
		{ .number = 3, .optional = true, .ike = true, .esp = true },
		{ .number = 2, .ike = true },
		{ .number = 4, .optional = true, .ike = true, .esp = true },
		{ .number = 5, .optional = true, .esp = true },
		{ .number = 6, .optional = true, .ike = true, .esp = true }, /* RFC 9370 2.2.1 */
		{ .number = 7, .optional = true, .ike = true, .esp = true },
		{ .number = 8, .optional = true, .ike = true, .esp = true },
		{ .number = 9, .optional = true, .ike = true, .esp = true },
		{ .number = 10, .optional = true, .ike = true, .esp = true },
		{ .number = 11, .optional = true, .ike = true, .esp = true },
		{ .number = 12, .optional = true, .ike = true, .esp = true },
	};
	const struct ike_type *t;
	size_t n = 0;

	(void)state;
	for (; (t = ike_type_get(n)); n++) {
		assert_true(n < COUNT(want) && t->number == want[n].number);
		assert_true(t->optional == want[n].optional);
		assert_true(t->ike == want[n].ike && t->esp == want[n].esp);
		assert_ptr_equal(ike_type_of(t->number), t);
		assert_true(t->none.type == t->number && !t->none.id && !t->none.key_bits);
		assert_string_equal(ike_transform_type_name(t->number), t->title);
	}
	assert_int_equal(n, COUNT(want));
	assert_null(ike_type_of(0));
	assert_null(ike_type_of(13));
	assert_null(ike_type_of(256 + 1));
}

/* Numbers of the RFCs that nothing but these lists says: a slip in one would be found by a peer. */
static void numbers_are_those_of_the_registries(void **state)
{
	(void)state;
	assert_int_equal(IKE_N_NO_PROPOSAL_CHOSEN, 14);
	assert_int_equal(IKE_N_AUTHENTICATION_FAILED, 24);
	assert_int_equal(IKE_N_TEMPORARY_FAILURE, 43);
	assert_int_equal(IKE_N_COOKIE, 16390);
	assert_int_equal(IKE_N_REKEY_SA, 16393);
	assert_int_equal(IKE_N_CHILDLESS_IKEV2_SUPPORTED, 16418);
	assert_int_equal(IKE_CREATE_CHILD_SA, 36);
	assert_int_equal(IKE_INTERMEDIATE, 43);
	assert_int_equal(IKE_FOLLOWUP_KE, 44);
	assert_int_equal(IKE_N_ADDITIONAL_KEY_EXCHANGE, 16441);
	assert_int_equal(IKE_N_INTERMEDIATE_EXCHANGE_SUPPORTED, 16438);
	assert_int_equal(IKE_PL_SK, 46);
	assert_int_equal(IKE_PL_SKF, 53);
	assert_int_equal(IKE_ENCR_AES_GCM_16, 20);
	assert_int_equal(IKE_ENCR_NULL_AUTH_AES_GMAC, 21);
	assert_int_equal(IKE_ENCR_CHACHA20_POLY1305_IIV, 31); /* RFC 8750 8 */
	assert_int_equal(IKE_INTEG_HMAC_SHA1_96, 2);
	assert_int_equal(IKE_INTEG_AES_XCBC_96, 5);
	assert_int_equal(IKE_INTEG_AES_CMAC_96, 8);
	assert_int_equal(IKE_INTEG_HMAC_SHA2_256_128, 12);
	assert_int_equal(IKE_PRF_HMAC_SHA2_256, 5);
	assert_int_equal(IKE_DH_CURVE25519, 31);
	assert_int_equal(IKE_ESN_YES, 1);
}

static bool second_word(const struct ike_word *w)
{
	return ike_word_of(&w->t) != w;
}

/* Does @b follow @a in the order that the head of transform.def describes? */
static bool in_order(const struct ike_word *a, const struct ike_word *b)
{
	if (a->t.type >= IKE_T_ADDKE1) /* made of the rows of DH, one for each type */
		return b->t.type >= IKE_T_ADDKE1;
	if (a->t.type != b->t.type)
		return ike_type_of(a->t.type) < ike_type_of(b->t.type);
	if (a->ours != b->ours)
		return a->ours;
	if (a->ours && a->t.type == IKE_T_ESN)
		return true;
	if (a->ours && a->t.type == IKE_T_DH) /* second words have no place */
		return !a->ike_place || !b->ike_place || a->ike_place < b->ike_place;
	return a->t.id < b->t.id || (a->t.id == b->t.id && a->t.key_bits < b->t.key_bits);
}

static void transforms_are_sorted(void **state)
{
	const struct ike_word *a = ike_word_get(0), *b;

	(void)state;
	for (size_t i = 1; (b = ike_word_get(i)); i++, a = b)
		if (!in_order(a, b))
			fail_msg("%s may not be behind %s", b->text, a->text);
}

static void words_are_there_once(void **state)
{
	const struct ike_word *a, *b;

	(void)state;
	for (size_t i = 0; (a = ike_word_get(i)); i++) {
		for (size_t j = 0; j < i; j++) {
			b = ike_word_get(j);
			if (!strcmp(a->text, b->text))
				fail_msg("%s is there twice", a->text);
			if (ike_transform_eq(&a->t, &b->t) && strcmp(a->text, "curve25519"))
				fail_msg("%s and %s are the same", a->text, b->text);
		}
	}
}

/* A word is read as its transform, which is printed as the word; or it is refused with a reason. */
static void words_round_trip(void **state)
{
	const struct ike_word *w, *found;
	char text[64], err[512];

	(void)state;
	for (size_t i = 0; (w = ike_word_get(i)); i++) {
		size_t len = strlen(w->text);

		ike_transform_print(text, sizeof(text), &w->t);
		if (!second_word(w))
			assert_string_equal(text, w->text);
		assert_int_equal(ike_transform_ours(&w->t), w->ours);
		found = ike_word_find(w->text, len, w->text, err, sizeof(err));
		if (found != (w->ours ? w : NULL))
			fail_msg("%s is read as something else", w->text);
		if (!w->ours)
			assert_non_null(strstr(err, "is not implemented; choose another "));
	}
}

/* Places are 1, 2, 3 and so on; what modern offers the protocol has, and is not warned of. */
static void places_have_no_gap(void **state)
{
	static const uint8_t protocols[] = { IKE_PROTO_IKE, IKE_PROTO_ESP };

	(void)state;
	for (uint8_t type = IKE_T_ENCR; type <= IKE_T_ESN; type++) {
		for (size_t p = 0; p < COUNT(protocols); p++) {
			bool esp = protocols[p] == IKE_PROTO_ESP;
			unsigned int placed = 0, last = 0;
			const struct ike_word *w;

			for (size_t i = 0; (w = ike_word_get(i)); i++)
				placed += w->t.type == type && (esp ? w->esp_place : w->ike_place);
			while ((w = ike_word_at(type, protocols[p], last + 1))) {
				last++;
				assert_true(ike_transform_serves(&w->t, protocols[p]));
				assert_null(ike_transform_caution(&w->t));
			}
			assert_int_equal(placed, last);
		}
	}
}

/* Encrypt and decrypt with @c and a key of zeros. */
static void seal_and_open(const struct ike_cipher *c, const char *word)
{
	static const uint8_t key[IKE_MAX_KEY], integ_key[IKE_MAX_KEY], aad[4];
	uint8_t buf[128] = { 0 }, *text = buf + ike_cipher_iv_len(c);
	size_t len = 2 * 16;

	memset(text, 'x', len);
	if (!ike_cipher_known(c) || ike_cipher_seal(c, key, integ_key, aad, sizeof(aad), buf, len))
		fail_msg("%s does not encrypt", word);
	assert_int_not_equal(text[0], 'x');
	if (ike_cipher_open(c, key, integ_key, aad, sizeof(aad), buf, len))
		fail_msg("%s does not decrypt", word);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(text[i], 'x');
}

static void exchange_keys(uint16_t group, const char *word)
{
	static const struct ike_rng rng = { .fill = ike_crypto_random };
	struct ike_kex *i = ike_kex_new(group, &rng), *r;
	struct ike_secret x, y;
	const uint8_t *public;
	size_t len;

	if (!i)
		fail_msg("there is no key of %s", word);
	public = ike_kex_public(i, &len);
	assert_true(ike_kex_valid(group, public, len));
	r = ike_kex_respond(group, &rng, public, len, &x);
	if (!r)
		fail_msg("there is no answer to a key of %s", word);
	public = ike_kex_public(r, &len);
	assert_int_equal(ike_kex_finish(i, public, len, &y), 0);
	assert_true(x.len > 0 && x.len == y.len);
	assert_memory_equal(x.data, y.data, x.len);
	assert_true(ike_kex_cost(group) > 0);
	ike_kex_free(i);
	ike_kex_free(r);
}

/*
 * What RFCs say of ESP's algorithms: bytes of KEYMAT for one direction (key and salt), of the IV that is
 * sent, of the ICV, of a block; and whether IKE may have them.
 */
static void sizes_are_those_of_the_rfcs(void **state)
{
	static const struct {
		const char *word;
		size_t key, iv, icv, block;
		bool ike;
	} t[] = {
		{ "des", 8, 8, 16, 8, false }, /* RFC 2405 */
		{ "3des", 24, 8, 16, 8, true }, /* RFC 2451 */
		{ "null", 0, 0, 16, 1, false }, /* RFC 2410; RFC 7296 5 */
		{ "aes192", 24, 16, 16, 16, true }, /* RFC 3602 */
		{ "aes128ctr", 20, 8, 16, 1, false }, /* RFC 3686 5.1: with the nonce */
		{ "aes256ctr", 36, 8, 16, 1, false },
		{ "aes128ccm8", 19, 8, 8, 1, false }, /* RFC 4309 7.1: with 3 of salt */
		{ "aes192ccm12", 27, 8, 12, 1, false },
		{ "aes256ccm16", 35, 8, 16, 1, false },
		{ "aes128gcm8", 20, 8, 8, 1, true }, /* RFC 4106 8.1: with 4 of salt */
		{ "aes192gcm12", 28, 8, 12, 1, true },
		{ "aes256gcm16", 36, 8, 16, 1, true },
		{ "aes128gmac", 20, 8, 16, 1, false }, /* RFC 4543 5.1 */
		{ "aes256gmac", 36, 8, 16, 1, false },
		{ "chacha20poly1305", 36, 8, 16, 1, true }, /* RFC 7634 2 */
		{ "aes256ccm8iiv", 35, 0, 8, 1, false }, /* RFC 8750 4 and 7 */
		{ "aes128gcm16iiv", 20, 0, 16, 1, false },
		{ "chacha20poly1305iiv", 36, 0, 16, 1, false },
	};
	char err[256];

	(void)state;
	for (size_t i = 0; i < COUNT(t); i++) {
		const struct ike_word *w =
			ike_word_find(t[i].word, strlen(t[i].word), t[i].word, err, sizeof(err));
		struct ike_cipher c;

		assert_non_null(w);
		c = (struct ike_cipher){ w->t.id, w->t.key_bits, IKE_INTEG_NONE };
		if (!ike_encr_is_aead(w->t.id)) {
			assert_false(ike_cipher_known(&c)); /* nothing is encrypted only */
			c.integ = IKE_INTEG_HMAC_SHA2_256_128;
		}
		assert_true(ike_cipher_known(&c));
		assert_int_equal(ike_cipher_key_len(&c), t[i].key);
		assert_int_equal(ike_cipher_iv_len(&c), t[i].iv);
		assert_int_equal(ike_cipher_icv_len(&c), t[i].icv);
		assert_int_equal(ike_cipher_block(&c), t[i].block);
		assert_true(w->esp);
		assert_int_equal(w->ike, t[i].ike);
	}
}

/* The same of integrity algorithms: bytes of the key and of the ICV. */
static void integrity_is_that_of_the_rfcs(void **state)
{
	static const struct {
		uint16_t id;
		size_t key, icv;
		uint16_t prf;
	} t[] = {
		{ 1, 16, 12, 0 }, /* RFC 2403 */
		{ 2, 20, 12, 2 }, /* RFC 2404 */
		{ 5, 16, 12, 0 }, /* RFC 3566 */
		{ 8, 16, 12, 0 }, /* RFC 4494 */
		{ 12, 32, 16, 5 }, /* RFC 4868 2.6 */
		{ 13, 48, 24, 6 }, { 14, 64, 32, 7 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(t); i++) {
		const struct ike_cipher c = { IKE_ENCR_AES_CBC, 128, t[i].id };
		const struct ike_transform integ = { IKE_T_INTEG, t[i].id, 0 };

		assert_true(ike_cipher_known(&c));
		assert_int_equal(ike_integ_key_len(t[i].id), t[i].key);
		assert_int_equal(ike_cipher_icv_len(&c), t[i].icv);
		assert_int_equal(ike_integ_prf(t[i].id), t[i].prf);
		assert_true(ike_transform_serves(&integ, IKE_PROTO_ESP));
		assert_int_equal(ike_transform_serves(&integ, IKE_PROTO_IKE), t[i].prf != 0);
	}
}

/* libcrypto knows each algorithm of IKE by its column, with the lengths of its row. */
static void what_is_ours_works(void **state)
{
	static const uint8_t key[16];
	const struct ike_iov in = { "x", 1 };
	uint8_t out[IKE_MAX_PRF];
	const struct ike_word *w;

	(void)state;
	for (size_t i = 0; (w = ike_word_get(i)); i++) {
		struct ike_cipher c = { IKE_ENCR_AES_CBC, 128, w->t.id };

		if (!w->ike)
			continue;
		if (w->t.type == IKE_T_ENCR) {
			c = (struct ike_cipher){ w->t.id, w->t.key_bits, IKE_INTEG_NONE };
			if (!ike_encr_is_aead(w->t.id))
				c.integ = IKE_INTEG_HMAC_SHA2_256_128;
			seal_and_open(&c, w->text);
		} else if (w->t.type == IKE_T_INTEG) {
			seal_and_open(&c, w->text);
			assert_int_not_equal(ike_prf_len(ike_integ_prf(w->t.id)), 0);
		} else if (w->t.type == IKE_T_PRF) {
			assert_int_equal(ike_prf(w->t.id, key, sizeof(key), &in, 1, out), 0);
		} else if (w->t.type == IKE_T_DH && ike_kex_known(w->t.id)) {
			exchange_keys(w->t.id, w->text);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_of_numbers_are_sorted_without_duplicates),
		cmocka_unit_test(numbers_and_names_agree),
		cmocka_unit_test(numbers_are_those_of_the_registries),
		cmocka_unit_test(types_are_those_of_the_rfc),
		cmocka_unit_test(transforms_are_sorted),
		cmocka_unit_test(words_are_there_once),
		cmocka_unit_test(words_round_trip),
		cmocka_unit_test(places_have_no_gap),
		cmocka_unit_test(sizes_are_those_of_the_rfcs),
		cmocka_unit_test(integrity_is_that_of_the_rfcs),
		cmocka_unit_test(what_is_ours_works),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
