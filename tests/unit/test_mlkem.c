// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ML-KEM of libcrypto, where it has it (OpenSSL 3.5): published vectors, and both roles. Where it has
 * not, Crypto= says so. What an initiator's value may be is checked by our own code, everywhere.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "ike/child/proposal.h"
#include "ike/crypto/kex.h"
#include "ike/proto/names.h"
#include "vectors.h"

enum { EK_LEN = 1184, CT_LEN = 1088, SECRET_LEN = 32, SEED_LEN = 64 };

static const struct ike_rng rng = { .fill = ike_crypto_random };

static bool is_known(void)
{
	return ike_kex_known(IKE_DH_MLKEM768);
}

/* The words are ours either way; what libcrypto lacks is told. */
static void words_need_the_library(void **state)
{
	static const char *const text[] = { "aes256gcm16-x25519-ke1_mlkem768",
					    "aes256gcm16-mlkem1024" };
	struct ike_proposals p;
	char err[512];

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		int rc = ike_proposals_from_text(text[i], IKE_PROTO_IKE, &p, err, sizeof(err));

		assert_int_equal(rc, is_known() ? 0 : -1);
		if (rc)
			assert_non_null(strstr(
				err, "which the libcrypto here does not: it takes OpenSSL 3.5"));
	}
}

/* It is what modern offers first, and a peer without it takes the next proposal. */
static void modern_begins_with_it(void **state)
{
	struct ike_proposals p;
	char err[512], text[512];

	(void)state;
	assert_int_equal(ike_proposals_from_text("modern", IKE_PROTO_IKE, &p, err, sizeof(err)), 0);
	assert_int_equal(p.n, is_known() ? 3 : 2);
	assert_int_equal(ike_proposals_have_addke(&p), is_known());
	ike_proposal_print(text, sizeof(text), &p.p[0]);
	assert_int_equal(strstr(text, "-ke1_mlkem768/ke1_mlkem1024") != NULL, is_known());
	p.p[0] = p.p[1];
	p.n = 1;
	assert_false(ike_proposals_have_addke(&p));
}

/* Coefficients from q on are refused (FIPS 203 7.2), each of the first and of the last pair. */
static void coefficients_are_below_q(void **state)
{
	static const uint8_t at[][3] = { { 0x00, 0x0d, 0x00 },
					 { 0x01, 0x0d, 0x00 },
					 { 0x00, 0x00, 0xd0 },
					 { 0x00, 0x10, 0xd0 } };
	const struct kex_method *m = &kex_methods[KEX_MLKEM768];
	uint8_t ek[EK_LEN];

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		memset(ek, 0xff, sizeof(ek)); /* the seed may be anything */
		memset(ek, 0, EK_LEN - 32);
		assert_true(m->ops->valid(m, ek));
		memcpy(ek + (i & 1 ? EK_LEN - 32 - 3 : 0), at[i], 3); /* 3328 or 3329 */
		assert_int_equal(m->ops->valid(m, ek), !(i & 1));
		memset(ek, 0, EK_LEN - 32);
		memcpy(ek + (i & 1 ? 0 : EK_LEN - 32 - 3), at[i], 3);
		assert_int_equal(m->ops->valid(m, ek), !(i & 1));
	}
}

/* One of Wycheproof's: the key of a seed, and what a ciphertext means for it. */
static void check_vector(const json_t *v)
{
	bool valid = !strcmp(vectors_text(v, "result"), "valid");
	uint8_t seed[SEED_LEN + 64], ek[EK_LEN + 64], c[CT_LEN + 64], k[64];
	size_t seed_len = vectors_hex(v, "seed", seed, sizeof(seed)), len;
	size_t c_len = vectors_hex(v, "c", c, sizeof(c));
	struct ike_kex *kex = ike_kex_from_private(IKE_DH_MLKEM768, seed, seed_len);
	struct ike_secret secret;

	if (!kex) {
		assert_false(valid);
		return;
	}
	if (valid) {
		assert_int_equal(vectors_hex(v, "ek", ek, sizeof(ek)), EK_LEN);
		assert_memory_equal(ike_kex_public(kex, &len), ek, EK_LEN);
		assert_true(ike_kex_valid(IKE_DH_MLKEM768, ek, EK_LEN));
		assert_int_equal(vectors_hex(v, "K", k, sizeof(k)), SECRET_LEN);
	}
	assert_int_equal(ike_kex_finish(kex, c, c_len, &secret), valid ? 0 : -1);
	if (valid)
		assert_memory_equal(secret.data, k, SECRET_LEN);
	ike_kex_free(kex);
}

static void published_vectors(void **state)
{
	json_t *file, *group, *test;
	size_t i, j;

	(void)state;
	file = vectors_load("wycheproof/mlkem_768_test.json");
	json_array_foreach(json_object_get(file, "testGroups"), i, group)
		json_array_foreach(json_object_get(group, "tests"), j, test)
			check_vector(test);
	json_decref(file);
}

/* Each of the three with itself, and a ciphertext that was changed on its way gives another secret. */
static void both_roles_agree(void **state)
{
	static const uint16_t methods[] = { IKE_DH_MLKEM512, IKE_DH_MLKEM768, IKE_DH_MLKEM1024 };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct ike_kex *a = ike_kex_new(methods[i], &rng), *b;
		struct ike_secret x, y;
		uint8_t wrong[IKE_MAX_KE];
		const uint8_t *value;
		size_t len;

		assert_non_null(a);
		value = ike_kex_public(a, &len);
		assert_true(ike_kex_valid(methods[i], value, len));
		b = ike_kex_respond(methods[i], &rng, value, len, &x);
		assert_non_null(b);
		value = ike_kex_public(b, &len);
		memcpy(wrong, value, len);
		wrong[len / 2] ^= 1;
		assert_int_equal(ike_kex_finish(a, value, len, &y), 0);
		assert_int_equal(x.len, SECRET_LEN);
		assert_int_equal(y.len, SECRET_LEN);
		assert_memory_equal(x.data, y.data, SECRET_LEN);
		assert_int_equal(ike_kex_finish(a, wrong, len, &y), 0);
		assert_memory_not_equal(x.data, y.data, SECRET_LEN);
		assert_int_equal(ike_kex_finish(a, wrong, len - 1, &y), -1);
		ike_kex_free(a);
		ike_kex_free(b);
	}
}

int main(void)
{
	const struct CMUnitTest anywhere[] = {
		cmocka_unit_test(words_need_the_library),
		cmocka_unit_test(modern_begins_with_it),
		cmocka_unit_test(coefficients_are_below_q),
	};
	const struct CMUnitTest with_library[] = {
		cmocka_unit_test(published_vectors),
		cmocka_unit_test(both_roles_agree),
	};
	int failed = cmocka_run_group_tests_name("mlkem", anywhere, NULL, NULL);

	if (is_known())
		failed +=
			cmocka_run_group_tests_name("mlkem of libcrypto", with_library, NULL, NULL);
	return failed;
}
