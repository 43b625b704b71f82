// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ike/proto/msg.h"
#include "ike/core/keys.h"
#include "ike/core/sk.h"
#include "vectors.h"

static const struct ike_suite sha256_suite = {
	.cipher = { IKE_ENCR_AES_CBC, 256, IKE_INTEG_HMAC_SHA2_256_128 },
	.prf = IKE_PRF_HMAC_SHA2_256,
	.dh = IKE_DH_MODP2048,
};

/* All SK_* in the order of RFC 7296 2.14. */
static size_t concat(const struct ike_keys *k, uint8_t *out)
{
	struct writer w = writer_init(out, 512);

	writer_bytes(&w, k->d, k->d_len);
	writer_bytes(&w, k->ai, k->a_len);
	writer_bytes(&w, k->ar, k->a_len);
	writer_bytes(&w, k->ei, k->e_len);
	writer_bytes(&w, k->er, k->e_len);
	writer_bytes(&w, k->pi, k->d_len);
	writer_bytes(&w, k->pr, k->d_len);
	assert_false(w.bad);
	return w.len;
}

struct kdf_case {
	uint8_t ni[256], nr[256], spii[8], spir[8], gir[256], gir_new[256];
	struct ike_nonces n;
	size_t gir_len, gir_new_len;
};

static void case_load(const json_t *c, struct kdf_case *k)
{
	k->n.i_len = vectors_hex(c, "ni", k->ni, sizeof(k->ni));
	k->n.r_len = vectors_hex(c, "nr", k->nr, sizeof(k->nr));
	k->n.i = k->ni;
	k->n.r = k->nr;
	vectors_hex(c, "spii", k->spii, 8);
	vectors_hex(c, "spir", k->spir, 8);
	k->gir_len = vectors_hex(c, "gir", k->gir, sizeof(k->gir));
	k->gir_new_len = vectors_hex(c, "girNew", k->gir_new, sizeof(k->gir_new));
}

/* The value called @name, or its published beginning. */
static size_t leading(const json_t *c, const char *name, uint8_t *out, size_t cap)
{
	char prefix[64];

	if (json_object_get(c, name))
		return vectors_hex(c, name, out, cap);
	snprintf(prefix, sizeof(prefix), "%sPrefix", name);
	return vectors_hex(c, prefix, out, cap);
}

/* Child keys, of which KEYMAT is cut in the order of RFC 7296 2.17, against its published beginning. */
static void child_check(const json_t *c, const char *name, const struct ike_keys *k,
			const struct kdf_case *in, const uint8_t *shared, size_t shared_len)
{
	static const struct {
		struct ike_cipher cipher;
		size_t e_len, a_len; /* with salt or nonce */
	} t[] = {
		{ { IKE_ENCR_AES_CBC, 256, IKE_INTEG_HMAC_SHA2_512_256 }, 32, 64 },
		{ { IKE_ENCR_AES_CBC, 128, IKE_INTEG_HMAC_SHA1_96 }, 16, 20 },
		{ { IKE_ENCR_AES_CTR, 192, IKE_INTEG_HMAC_SHA2_384_192 }, 28, 48 },
		{ { IKE_ENCR_NULL, 0, IKE_INTEG_AES_CMAC_96 }, 0, 16 },
		{ { IKE_ENCR_3DES, 0, IKE_INTEG_HMAC_MD5_96 }, 24, 16 },
		{ { IKE_ENCR_AES_CCM_12, 256, IKE_INTEG_NONE }, 35, 0 },
		{ { IKE_ENCR_NULL_AUTH_AES_GMAC, 128, IKE_INTEG_NONE }, 20, 0 },
	};
	uint8_t want[512], got[192];
	size_t len = leading(c, name, want, sizeof(want));

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct writer w = writer_init(got, sizeof(got));
		struct esp_keys e;

		assert_int_equal(esp_keys_derive(&e, &t[i].cipher, k, &in->n, shared, shared_len,
						 NULL, 0),
				 0);
		assert_int_equal(e.e_len, t[i].e_len);
		assert_int_equal(e.a_len, t[i].a_len);
		writer_bytes(&w, e.ei, e.e_len);
		writer_bytes(&w, e.ai, e.a_len);
		writer_bytes(&w, e.er, e.e_len);
		writer_bytes(&w, e.ar, e.a_len);
		assert_false(w.bad);
		assert_memory_equal(got, want, len < w.len ? len : w.len);
	}
}

static void check_case(const json_t *c, const struct ike_suite *suite)
{
	struct kdf_case in;
	struct ike_keys k, next;
	uint8_t want[512], got[512], seed[64];
	size_t len, got_len;

	case_load(c, &in);
	assert_int_equal(ike_keys_derive(&k, suite, &in.n, in.spii, in.spir, in.gir, in.gir_len),
			 0);
	got_len = concat(&k, got);
	len = leading(c, "dkm", want, sizeof(want));
	assert_in_range(len, k.d_len, sizeof(want));
	assert_memory_equal(got, want, len < got_len ? len : got_len);
	child_check(c, "dkmChild", &k, &in, NULL, 0);
	child_check(c, "dkmChildDh", &k, &in, in.gir_new, in.gir_new_len);

	/* Rekeying: the published value is SKEYSEED, our result what follows from it. */
	vectors_hex(c, "skeyseedRekey", seed, sizeof(seed));
	{
		const struct ike_iov s[] = {
			{ in.ni, in.n.i_len },
			{ in.nr, in.n.r_len },
			{ in.spii, 8 },
			{ in.spir, 8 },
		};

		assert_int_equal(ike_prf_plus(suite->prf, seed, k.d_len, s, 4, want, got_len), 0);
	}
	assert_int_equal(ike_keys_rekey(&next, suite, &k, &in.n, in.spii, in.spir, in.gir_new,
					in.gir_new_len, NULL, 0),
			 0);
	concat(&next, got);
	assert_memory_equal(got, want, got_len);
}

static void published_values(void **state)
{
	json_t *root = vectors_load("ike-kdf/ikev2-kdf-published.json"), *c;
	unsigned int done = 0;
	size_t i;

	(void)state;
	json_array_foreach(json_object_get(root, "cases"), i, c) {
		const char *hash = vectors_text(c, "hash");
		struct ike_suite suite = sha256_suite;

		if (!strcmp(hash, "SHA-512")) {
			suite.prf = IKE_PRF_HMAC_SHA2_512;
			suite.cipher.integ = IKE_INTEG_HMAC_SHA2_512_256;
		} else if (!strcmp(hash, "SHA-1")) {
			suite.prf = IKE_PRF_HMAC_SHA1;
			suite.cipher.integ = IKE_INTEG_HMAC_SHA1_96;
		} else {
			assert_string_equal(hash, "SHA-256");
		}
		check_case(c, &suite);
		done++;
	}
	assert_int_equal(done, 4);
	json_decref(root);
}

static void expect_secret(const json_t *root, const char *name, unsigned int nth,
			  const uint8_t *got, size_t len)
{
	uint8_t want[64];

	assert_int_equal(strongswan_secret(root, name, nth, want, sizeof(want)), len);
	assert_memory_equal(got, want, len);
}

static void expect_keys(const json_t *root, unsigned int nth, const struct ike_keys *k)
{
	expect_secret(root, "Sk_d secret", nth, k->d, k->d_len);
	expect_secret(root, "Sk_ai secret", nth, k->ai, k->a_len);
	expect_secret(root, "Sk_ar secret", nth, k->ar, k->a_len);
	expect_secret(root, "Sk_ei secret", nth, k->ei, k->e_len);
	expect_secret(root, "Sk_er secret", nth, k->er, k->e_len);
	expect_secret(root, "Sk_pi secret", nth, k->pi, k->d_len);
	expect_secret(root, "Sk_pr secret", nth, k->pr, k->d_len);
}

static void expect_child(const json_t *root, unsigned int nth, const struct esp_keys *e)
{
	expect_secret(root, "encryption initiator key", nth, e->ei, e->e_len);
	expect_secret(root, "encryption responder key", nth, e->er, e->e_len);
	expect_secret(root, "integrity initiator key", nth, e->ai, e->a_len);
	expect_secret(root, "integrity responder key", nth, e->ar, e->a_len);
}

/* The nonces and SPIs of two messages of the capture, opened with @k if they are sealed. */
struct exchange {
	uint8_t copy[2][2048];
	struct ike_payloads p[2];
	struct ike_header h[2];
	struct ike_nonces n;
};

static void exchange_load(const struct capture *c, unsigned int at, const struct ike_keys *k,
			  struct exchange *x)
{
	uint8_t offender;

	for (unsigned int i = 0; i < 2; i++) {
		const struct datagram *d = &c->d[at + i];

		assert_int_equal(ike_header_parse(d->data, d->len, &x->h[i]), 0);
		if (k)
			assert_int_equal(ike_sk_open(k, d->data, d->len, x->copy[i],
						     sizeof(x->copy[i]), &x->p[i], &offender),
					 0);
		else
			assert_int_equal(ike_payloads_parse(x->h[i].next, d->data + IKE_HDR_LEN,
							    d->len - IKE_HDR_LEN, &x->p[i],
							    &offender),
					 0);
	}
	assert_int_equal(
		ike_nonce_parse(ike_payload_find(&x->p[0], IKE_PL_NONCE), &x->n.i, &x->n.i_len), 0);
	assert_int_equal(
		ike_nonce_parse(ike_payload_find(&x->p[1], IKE_PL_NONCE), &x->n.r, &x->n.r_len), 0);
}

/* The SPI of the one proposal in message @i's SA payload. */
static void exchange_spi(const struct exchange *x, unsigned int i, uint8_t spi[8])
{
	static struct ike_sa_payload sa;

	assert_int_equal(ike_sa_parse(ike_payload_find(&x->p[i], IKE_PL_SA), &sa), 0);
	assert_int_equal(sa.p[0].spi_len, 8);
	memcpy(spi, sa.p[0].spi, 8);
}

/*
 * A session of two strongSwan daemons: from the shared secrets they logged and what is on
 * the wire, all keys follow: IKE SA, child SA, its rekeying with PFS, IKE SA rekeying.
 */
static void keys_of_a_foreign_session(void **state)
{
	const struct ike_suite suite = {
		.cipher = { IKE_ENCR_AES_CBC, 256, IKE_INTEG_HMAC_SHA2_256_128 },
		.prf = IKE_PRF_HMAC_SHA2_256,
		.dh = IKE_DH_CURVE25519,
	};
	const struct ike_cipher esp = { IKE_ENCR_AES_CBC, 128, IKE_INTEG_HMAC_SHA2_256_128 };
	json_t *root = vectors_load("ike-captures/strongswan-6.1.0-aescbc.keys.json");
	static struct capture c;
	static struct exchange init, child, rekey;
	uint8_t shared[32], spi_i[8], spi_r[8];
	struct ike_keys k, next;
	struct esp_keys e;

	(void)state;
	capture_load("ike-captures/strongswan-6.1.0-aescbc.pcapng", &c);
	capture_ike(&c);
	exchange_load(&c, 0, NULL, &init);
	strongswan_secret(root, "key exchange secret", 0, shared, sizeof(shared));
	assert_int_equal(ike_keys_derive(&k, &suite, &init.n, init.h[1].spi_i, init.h[1].spi_r,
					 shared, sizeof(shared)),
			 0);
	expect_keys(root, 0, &k);
	assert_int_equal(esp_keys_derive(&e, &esp, &k, &init.n, NULL, 0, NULL, 0), 0);
	expect_child(root, 0, &e);

	exchange_load(&c, 4, &k, &child);
	strongswan_secret(root, "key exchange secret", 1, shared, sizeof(shared));
	assert_int_equal(esp_keys_derive(&e, &esp, &k, &child.n, shared, sizeof(shared), NULL, 0),
			 0);
	expect_child(root, 1, &e);

	exchange_load(&c, 8, &k, &rekey);
	exchange_spi(&rekey, 0, spi_i);
	exchange_spi(&rekey, 1, spi_r);
	strongswan_secret(root, "key exchange secret", 2, shared, sizeof(shared));
	assert_int_equal(ike_keys_rekey(&next, &suite, &k, &rekey.n, spi_i, spi_r, shared,
					sizeof(shared), NULL, 0),
			 0);
	expect_keys(root, 1, &next);
	capture_free(&c);
	json_decref(root);
}

static void lengths_follow_the_suite(void **state)
{
	const struct ike_suite gcm = {
		.cipher = { IKE_ENCR_AES_GCM_16, 256, IKE_INTEG_NONE },
		.prf = IKE_PRF_HMAC_SHA2_384,
	};
	static const uint8_t nonce[32] = { 1 }, spi[8] = { 2 }, shared[32] = { 3 };
	const struct ike_nonces n = { nonce, nonce, 32, 32 };
	struct ike_keys k;
	struct esp_keys e;

	(void)state;
	assert_int_equal(ike_keys_derive(&k, &gcm, &n, spi, spi, shared, 32), 0);
	assert_int_equal(k.d_len, 48);
	assert_int_equal(k.a_len, 0);
	assert_int_equal(k.e_len, 36);
	assert_int_equal(k.sent, 0);
	assert_int_equal(esp_keys_derive(&e, &gcm.cipher, &k, &n, NULL, 0, NULL, 0), 0);
	assert_int_equal(e.e_len, 36);
	assert_int_equal(e.a_len, 0);
	assert_memory_not_equal(e.ei, e.er, 36);
}

/* KEYMAT of a pair with two more key exchanges: SK(0) | Ni | Nr | SK(1) | SK(2) (RFC 9370 2.2.4). */
static void further_secrets_come_behind_the_nonces(void **state)
{
	static const struct ike_cipher gcm = { IKE_ENCR_AES_GCM_16, 256, IKE_INTEG_NONE };
	static const uint8_t ni[32] = { 1 }, nr[32] = { 2 }, shared[32] = { 3 };
	const struct ike_nonces n = { ni, nr, sizeof(ni), sizeof(nr) };
	const struct ike_secret more[2] = { { .data = "one", .len = 3 },
					    { .data = "two!", .len = 4 } };
	const struct ike_iov seed[] = { { shared, 32 }, { ni, 32 }, { nr, 32 }, { "onetwo!", 7 } };
	struct ike_keys k = { .suite = { .prf = IKE_PRF_HMAC_SHA2_256 }, .d_len = 32, .d = { 4 } };
	struct esp_keys e;
	uint8_t mat[72];

	(void)state;
	assert_int_equal(esp_keys_derive(&e, &gcm, &k, &n, shared, 32, more, 2), 0);
	assert_int_equal(ike_prf_plus(IKE_PRF_HMAC_SHA2_256, k.d, 32, seed, 4, mat, 72), 0);
	assert_memory_equal(e.ei, mat, 36);
	assert_memory_equal(e.er, mat + 36, 36);
	assert_int_equal(esp_keys_derive(&e, &gcm, &k, &n, shared, 32, more, IKE_MAX_ADDKE + 1),
			 -1);
}

static void failure_leaves_nothing(void **state)
{
	static const uint8_t nonce[300] = { 1 }, spi[8] = { 2 }, shared[32] = { 3 };
	static const struct ike_keys none;
	const struct ike_nonces empty = { nonce, nonce, 0, 32 }, big = { nonce, nonce, 257, 32 };
	const struct ike_nonces good = { nonce, nonce, 32, 32 };
	struct ike_suite suite = sha256_suite;
	struct ike_keys k;

	(void)state;
	memset(&k, 0xaa, sizeof(k));
	assert_int_equal(ike_keys_derive(&k, &suite, &empty, spi, spi, shared, 32), -1);
	assert_memory_equal(&k, &none, sizeof(k));
	assert_int_equal(ike_keys_derive(&k, &suite, &big, spi, spi, shared, 32), -1);
	suite.prf = 4;
	assert_int_equal(ike_keys_derive(&k, &suite, &good, spi, spi, shared, 32), -1);
	assert_memory_equal(&k, &none, sizeof(k));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_values),
		cmocka_unit_test(keys_of_a_foreign_session),
		cmocka_unit_test(lengths_follow_the_suite),
		cmocka_unit_test(further_secrets_come_behind_the_nonces),
		cmocka_unit_test(failure_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
