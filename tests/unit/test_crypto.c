// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ike/crypto/crypto.h"
#include "vectors.h"

static void expect_hex(const uint8_t *got, const char *hex)
{
	uint8_t want[IKE_MAX_KE];
	size_t len = hex_decode(hex, want, sizeof(want));

	assert_memory_equal(got, want, len);
}

/* RFC 4231 4.3: a key shorter than the output, data in two pieces. */
static void prfs_match_rfc4231(void **state)
{
	const struct ike_iov in[] = { { "what do ya want ", 16 },
				      { NULL, 0 },
				      { "for nothing?", 12 } };
	uint8_t out[IKE_MAX_PRF];

	(void)state;
	assert_int_equal(ike_prf_len(IKE_PRF_HMAC_SHA2_256), 32);
	assert_int_equal(ike_prf_len(IKE_PRF_HMAC_SHA2_384), 48);
	assert_int_equal(ike_prf_len(IKE_PRF_HMAC_SHA2_512), 64);
	assert_int_equal(ike_prf_len(IKE_PRF_HMAC_SHA1), 20);
	assert_int_equal(ike_prf_len(1), 0);
	assert_int_equal(ike_prf(IKE_PRF_HMAC_SHA2_256, (const uint8_t *)"Jefe", 4, in, 3, out), 0);
	expect_hex(out, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	assert_int_equal(ike_hmac_sha256((const uint8_t *)"Jefe", 4, in, 3, out), 0);
	expect_hex(out, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	assert_int_equal(ike_prf(IKE_PRF_HMAC_SHA2_384, (const uint8_t *)"Jefe", 4, in, 3, out), 0);
	expect_hex(out, "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e"
			"8e2240ca5e69e2c78b3239ecfab21649");
	assert_int_equal(ike_prf(IKE_PRF_HMAC_SHA2_512, (const uint8_t *)"Jefe", 4, in, 3, out), 0);
	expect_hex(out, "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
			"9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737");
	assert_int_equal(ike_prf(IKE_PRF_HMAC_SHA1, (const uint8_t *)"Jefe", 4, in, 3, out), 0);
	expect_hex(out, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"); /* RFC 2202 3 */
	assert_int_equal(ike_prf(1, (const uint8_t *)"Jefe", 4, in, 3, out), -1);
}

/* RFC 7296 2.13: T1 = prf(K, S | 1), T2 = prf(K, T1 | S | 2) and so on, to 255. */
static void prf_plus_chains_and_ends(void **state)
{
	static uint8_t out[255 * 32 + 1], t[32];
	const uint8_t key[] = "k", three = 3;
	const struct ike_iov seed[] = { { "se", 2 }, { "ed", 2 } };
	const struct ike_iov again[] = { { out + 32, 32 }, { "seed", 4 }, { &three, 1 } };

	(void)state;
	assert_int_equal(ike_prf_plus(IKE_PRF_HMAC_SHA2_256, key, 1, seed, 2, out, 96), 0);
	assert_int_equal(ike_prf(IKE_PRF_HMAC_SHA2_256, key, 1, again, 3, t), 0);
	assert_memory_equal(out + 64, t, 32);
	assert_int_equal(ike_prf_plus(IKE_PRF_HMAC_SHA2_256, key, 1, seed, 2, out, 255 * 32), 0);
	assert_int_equal(ike_prf_plus(IKE_PRF_HMAC_SHA2_256, key, 1, seed, 2, out, 255 * 32 + 1),
			 -1);
}

static void sha1_matches_fips180(void **state)
{
	const struct ike_iov in[] = { { "a", 1 }, { "bc", 2 } };
	uint8_t out[20];

	(void)state;
	assert_int_equal(ike_sha1(in, 2, out), 0);
	expect_hex(out, "a9993e364706816aba3e25717850c26c9cd0d89d");
}

struct dh_vector {
	uint16_t group;
	const char *priv_i, *pub_i, *priv_r, *pub_r, *shared;
};

static struct ike_kex *dh_of(uint16_t group, const char *hex)
{
	uint8_t priv[IKE_MAX_KE];
	struct ike_kex *dh = ike_kex_from_private(group, priv, hex_decode(hex, priv, sizeof(priv)));

	assert_non_null(dh);
	assert_int_equal(ike_kex_method(dh), group);
	return dh;
}

/* Failures leave nothing behind. */
static int finish(struct ike_kex *kex, const uint8_t *peer, size_t len, uint8_t *out)
{
	static const struct ike_secret nothing;
	struct ike_secret secret;
	int ret;

	memset(&secret, 0xaa, sizeof(secret));
	ret = ike_kex_finish(kex, peer, len, &secret);
	if (ret)
		assert_memory_equal(&secret, &nothing, sizeof(secret));
	memcpy(out, secret.data, secret.len);
	return ret;
}

static void dh_check(const struct dh_vector *v)
{
	struct ike_kex *i = dh_of(v->group, v->priv_i), *r = dh_of(v->group, v->priv_r);
	uint8_t shared[IKE_MAX_KE];
	const uint8_t *pub;
	size_t len;

	pub = ike_kex_public(r, &len);
	assert_int_equal(len, strlen(v->pub_r) / 2);
	expect_hex(pub, v->pub_r);
	assert_int_equal(finish(i, pub, len, shared), 0);
	expect_hex(shared, v->shared);
	pub = ike_kex_public(i, &len);
	expect_hex(pub, v->pub_i);
	assert_int_equal(finish(r, pub, len, shared), 0);
	expect_hex(shared, v->shared);
	ike_kex_free(i);
	ike_kex_free(r);
}

/* RFC 7748 6.1 */
static const struct dh_vector rfc7748 = {
	IKE_DH_CURVE25519,
	"77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
	"8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
	"5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
	"de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
	"4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742",
};

/* RFC 5903 8: i, g^i, r, g^r, the x of g^ir */
static const struct dh_vector rfc5903[] = {
	{ IKE_DH_ECP256, "c88f01f510d9ac3f70a292daa2316de544e9aab8afe84049c62a9c57862d1433",
	  "dad0b65394221cf9b051e1feca5787d098dfe637fc90b9ef945d0c3772581180"
	  "5271a0461cdb8252d61f1c456fa3e59ab1f45b33accf5f58389e0577b8990bb3",
	  "c6ef9c5d78ae012a011164acb397ce2088685d8f06bf9be0b283ab46476bee53",
	  "d12dfb5289c8d4f81208b70270398c342296970a0bccb74c736fc7554494bf63"
	  "56fbf3ca366cc23e8157854c13c58d6aac23f046ada30f8353e74f33039872ab",
	  "d6840f6b42f6edafd13116e0e12565202fef8e9ece7dce03812464d04b9442de" },
	{ IKE_DH_ECP384,
	  "099f3c7034d4a2c699884d73a375a67f7624ef7c6b3c0f160647b67414dce655"
	  "e35b538041e649ee3faef896783ab194",
	  "667842d7d180ac2cde6f74f37551f55755c7645c20ef73e31634fe72b4c55ee6"
	  "de3ac808acb4bdb4c88732aee95f41aa9482ed1fc0eeb9cafc4984625ccfc23f"
	  "65032149e0e144ada024181535a0f38eeb9fcff3c2c947dae69b4c634573a81c",
	  "41cb0779b4bdb85d47846725fbec3c9430fab46cc8dc5060855cc9bda0aa2942"
	  "e0308312916b8ed2960e4bd55a7448fc",
	  "e558dbef53eecde3d3fccfc1aea08a89a987475d12fd950d83cfa41732bc509d"
	  "0d1ac43a0336def96fda41d0774a3571dcfbec7aacf3196472169e838430367f"
	  "66eebe3c6e70c416dd5f0c68759dd1fff83fa40142209dff5eaad96db9e6386c",
	  "11187331c279962d93d604243fd592cb9d0a926f422e47187521287e7156c5c4"
	  "d603135569b9e9d09cf5d4a270f59746" },
	{ IKE_DH_ECP521,
	  "0037ade9319a89f4dabdb3ef411aaccca5123c61acab57b5393dce47608172a0"
	  "95aa85a30fe1c2952c6771d937ba9777f5957b2639bab072462f68c27a57382d"
	  "4a52",
	  "0015417e84dbf28c0ad3c278713349dc7df153c897a1891bd98bab4357c9ecbe"
	  "e1e3bf42e00b8e380aeae57c2d107564941885942af5a7f4601723c4195d176c"
	  "ed3e017cae20b6641d2eeb695786d8c946146239d099e18e1d5a514c739d7cb4"
	  "a10ad8a788015ac405d7799dc75e7b7d5b6cf2261a6a7f1507438bf01beb6ca3"
	  "926f9582",
	  "0145ba99a847af43793fdd0e872e7cdfa16be30fdc780f97bccc3f078380201e"
	  "9c677d600b343757a3bdbf2a3163e4c2f869cca7458aa4a4effc311f5cb15168"
	  "5eb9",
	  "00d0b3975ac4b799f5bea16d5e13e9af971d5e9b984c9f39728b5e5739735a21"
	  "9b97c356436adc6e95bb0352f6be64a6c2912d4ef2d0433ced2b6171640012d9"
	  "460f015c68226383956e3bd066e797b623c27ce0eac2f551a10c2c724d985207"
	  "7b87220b6536c5c408a1d2aebb8e86d678ae49cb57091f4732296579ab44fcd1"
	  "7f0fc56a",
	  "01144c7d79ae6956bc8edb8e7c787c4521cb086fa64407f97894e5e6b2d79b04"
	  "d1427e73ca4baa240a34786859810c06b3c715a3a8cc3151f2bee417996d19f3"
	  "ddea" },
};

static void x25519_matches_rfc7748(void **state)
{
	(void)state;
	dh_check(&rfc7748);
}

static void ecp_groups_match_rfc5903(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rfc5903) / sizeof(rfc5903[0]); i++)
		dh_check(&rfc5903[i]);
}

/*
 * 2^a, 2^b and 2^ab modulo the primes of RFC 3526 and RFC 2409 for a = 0x1111…, b = 0x2222… (256 bits),
 * first and last 16 octets, computed with integers from the primes' definition.
 */
static const struct {
	uint16_t group;
	const char *pub_a_head, *pub_b_tail, *shared_head, *shared_tail;
} modp[] = {
	{ IKE_DH_MODP1024, "a3616141ace28df1503b7975754b8c03", "09be707945c0be75d67e16ec3011a2bb",
	  "6130d1167ba0e97f35edfb8a334f3499", "22c704f8fa6667e2a233ed748fb5c1a9" },
	{ IKE_DH_MODP2048, "ad8fc4a1fba7c548db731b8ecbca41a8", "630e80ec3fcab908c93e36365c77fb57",
	  "699f08f9542faa9ff3982b71614839cb", "8d5d16b0fb77d1346cd1afb833c7d6ee" },
	{ IKE_DH_MODP3072, "f2c4e7407ccfac452a7c7e1034e8388b", "39510433290b1c560d8c06b34a817acb",
	  "ddb57939c0b40cc0d3b83e885f0329c3", "3fbea721131c37ee3010be2b7f68f979" },
	{ IKE_DH_MODP4096, "f39401b31143c9b009b7899dea94a334", "96820bef26d438018d3991c91fd2665f",
	  "3acfbaaf4ba4c1310bef64ae1a2621b9", "b901b311a941d130cba80e748cfc1e23" },
};

static struct ike_kex *dh_repeated(uint16_t group, uint8_t octet)
{
	uint8_t priv[32];

	memset(priv, octet, sizeof(priv));
	return ike_kex_from_private(group, priv, sizeof(priv));
}

static void modp_groups_match_their_definition(void **state)
{
	uint8_t shared[IKE_MAX_KE];
	const uint8_t *pub;
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(modp) / sizeof(modp[0]); i++) {
		struct ike_kex *a = dh_repeated(modp[i].group, 0x11),
			       *b = dh_repeated(modp[i].group, 0x22);

		assert_non_null(a);
		assert_non_null(b);
		expect_hex(ike_kex_public(a, &len), modp[i].pub_a_head);
		pub = ike_kex_public(b, &len);
		expect_hex(pub + len - 16, modp[i].pub_b_tail);
		assert_int_equal(finish(a, pub, len, shared), 0);
		expect_hex(shared, modp[i].shared_head);
		expect_hex(shared + len - 16, modp[i].shared_tail);
		ike_kex_free(a);
		ike_kex_free(b);
	}
}

/* RFC 7296 2.14: padded with zeros to the modulus's length. (2^1)^3 is 8. */
static void modp_values_are_padded(void **state)
{
	static const uint8_t three = 3;
	uint8_t two[256] = { 0 }, eight[256] = { 0 }, shared[256];
	struct ike_kex *dh = ike_kex_from_private(IKE_DH_MODP2048, &three, 1);
	size_t len;

	(void)state;
	two[255] = 2;
	eight[255] = 8;
	assert_non_null(dh);
	assert_memory_equal(ike_kex_public(dh, &len), eight, 256);
	assert_int_equal(finish(dh, two, 256, shared), 0);
	assert_memory_equal(shared, eight, 256);
	ike_kex_free(dh);
}

static const uint16_t groups[] = {
	IKE_DH_MODP2048, IKE_DH_MODP3072,   IKE_DH_MODP4096, IKE_DH_ECP256,   IKE_DH_ECP384,
	IKE_DH_ECP521,	 IKE_DH_CURVE25519, IKE_DH_MODP1536, IKE_DH_MODP1024,
};

static void fresh_keys_agree(void **state)
{
	uint64_t seed = 1;
	struct ike_rng rng = seeded_rng(&seed);

	(void)state;
	for (size_t g = 0; g < sizeof(groups) / sizeof(groups[0]); g++) {
		struct ike_kex *a = ike_kex_new(groups[g], &rng), *b;
		uint8_t y[IKE_MAX_SHARED];
		struct ike_secret x;
		const uint8_t *pub;
		size_t len;

		assert_non_null(a);
		assert_true(ike_kex_known(groups[g]));
		pub = ike_kex_public(a, &len);
		assert_true(ike_kex_valid(groups[g], pub, len));
		assert_null(ike_kex_respond(groups[g], &rng, pub, len - 1, &x));
		assert_int_equal(x.len, 0);
		b = ike_kex_respond(groups[g], &rng, pub, len, &x);
		assert_non_null(b);
		assert_int_equal(ike_kex_method(b), groups[g]);
		pub = ike_kex_public(b, &len);
		assert_int_equal(finish(a, pub, len, y), 0);
		assert_memory_equal(x.data, y, x.len);
		assert_int_equal(finish(a, pub, len - 1, y), -1);
		assert_int_equal(finish(a, pub, 0, y), -1);
		/* Who responded has no key that could be used once more. */
		assert_int_equal(finish(b, pub, len, y), -1);
		ike_kex_free(a);
		ike_kex_free(b);
	}
	assert_null(ike_kex_new(1, &rng));
	assert_null(ike_kex_new(IKE_DH_NONE, &rng));
	assert_false(ike_kex_known(1));
	assert_int_equal(ike_kex_cost(1), 0);
}

/* The simulation's agents get the same keys in every run of one seed. */
static void x25519_keys_come_from_the_given_generator(void **state)
{
	uint64_t s1 = 7, s2 = 7;
	struct ike_rng r1 = seeded_rng(&s1), r2 = seeded_rng(&s2);
	struct ike_kex *a = ike_kex_new(IKE_DH_CURVE25519, &r1),
		       *b = ike_kex_new(IKE_DH_CURVE25519, &r2);
	struct ike_kex *c = ike_kex_new(IKE_DH_CURVE25519, &r2);
	size_t len;

	(void)state;
	assert_memory_equal(ike_kex_public(a, &len), ike_kex_public(b, &len), 32);
	assert_memory_not_equal(ike_kex_public(a, &len), ike_kex_public(c, &len), 32);
	ike_kex_free(a);
	ike_kex_free(b);
	ike_kex_free(c);
}

/* RFC 6989 2.1: not 0, 1, p - 1 or above. The output is wiped. */
static void senseless_modp_values_are_refused(void **state)
{
	uint8_t y[256] = { 0 }, shared[256];
	uint64_t seed = 2;
	struct ike_rng rng = seeded_rng(&seed);
	struct ike_kex *dh = ike_kex_new(IKE_DH_MODP2048, &rng);

	(void)state;
	assert_int_equal(finish(dh, y, sizeof(y), shared), -1);
	y[255] = 1;
	assert_int_equal(finish(dh, y, sizeof(y), shared), -1);
	memset(y, 0xff, sizeof(y));
	assert_int_equal(finish(dh, y, sizeof(y), shared), -1);
	/* p itself (RFC 3526 3), p - 1, and p - 2, which is allowed */
	hex_decode("FFFFFFFF FFFFFFFF C90FDAA2 2168C234 C4C6628B 80DC1CD1"
		   "29024E08 8A67CC74 020BBEA6 3B139B22 514A0879 8E3404DD"
		   "EF9519B3 CD3A431B 302B0A6D F25F1437 4FE1356D 6D51C245"
		   "E485B576 625E7EC6 F44C42E9 A637ED6B 0BFF5CB6 F406B7ED"
		   "EE386BFB 5A899FA5 AE9F2411 7C4B1FE6 49286651 ECE45B3D"
		   "C2007CB8 A163BF05 98DA4836 1C55D39A 69163FA8 FD24CF5F"
		   "83655D23 DCA3AD96 1C62F356 208552BB 9ED52907 7096966D"
		   "670C354E 4ABC9804 F1746C08 CA18217C 32905E46 2E36CE3B"
		   "E39E772C 180E8603 9B2783A2 EC07A28F B5C55DF0 6F4C52C9"
		   "DE2BCBF6 95581718 3995497C EA956AE5 15D22618 98FA0510"
		   "15728E5A 8AACAA68 FFFFFFFF FFFFFFFF",
		   y, sizeof(y));
	assert_int_equal(finish(dh, y, sizeof(y), shared), -1);
	y[255] = 0xfe;
	assert_int_equal(finish(dh, y, sizeof(y), shared), -1);
	y[255] = 0xfd;
	assert_int_equal(finish(dh, y, sizeof(y), shared), 0);
	ike_kex_free(dh);
	ike_kex_free(NULL);
}

/* RFC 7748 6.1: low-order points give an all-zero secret, which is refused. */
static void x25519_agrees_with_wycheproof(void **state)
{
	json_t *root = vectors_load("wycheproof/x25519_test.json"), *group, *test;
	unsigned int refused = 0, n = 0;
	size_t i, j;

	(void)state;
	json_array_foreach(json_object_get(root, "testGroups"), i, group) {
		json_array_foreach(json_object_get(group, "tests"), j, test) {
			static const uint8_t zero[32];
			uint8_t pub[32], want[32], got[32];
			size_t len = vectors_hex(test, "public", pub, sizeof(pub));
			struct ike_kex *dh =
				dh_of(IKE_DH_CURVE25519, vectors_text(test, "private"));
			int ret = finish(dh, pub, len, got);

			vectors_hex(test, "shared", want, sizeof(want));
			if (!memcmp(want, zero, 32)) {
				assert_int_equal(ret, -1);
				refused++;
			} else {
				assert_int_equal(ret, 0);
				assert_memory_equal(got, want, 32);
			}
			ike_kex_free(dh);
			n++;
		}
	}
	assert_int_equal(n, json_integer_value(json_object_get(root, "numberOfTests")));
	assert_in_range(refused, 20, 40);
	json_decref(root);
}

/*
 * Points as ECDH encodes them; without their first octet they are IKE's. Compressed ones
 * have the wrong length there. Off-curve points must be refused.
 */
static void ecp_file(const char *path, uint16_t group, size_t size)
{
	json_t *root = vectors_load(path), *tests, *test;
	size_t i, g;
	unsigned int valid = 0, refused = 0;

	json_array_foreach(json_object_get(root, "testGroups"), g, tests) {
		json_array_foreach(json_object_get(tests, "tests"), i, test) {
			uint8_t pub[200], priv[200], want[80], got[80];
			size_t len = vectors_hex(test, "public", pub, sizeof(pub));
			size_t priv_len = vectors_hex(test, "private", priv, sizeof(priv));
			bool good = !strcmp(vectors_text(test, "result"), "valid");
			struct ike_kex *dh;

			if (good && (len != size + 1 || pub[0] != 4))
				continue;
			dh = ike_kex_from_private(group, priv, priv_len);
			assert_non_null(dh);
			vectors_hex(test, "shared", want, sizeof(want));
			if (good) {
				assert_int_equal(finish(dh, pub + 1, len - 1, got), 0);
				assert_memory_equal(got, want, size / 2);
				valid++;
			} else {
				assert_int_equal(finish(dh, pub + 1, len ? len - 1 : 0, got), -1);
				refused++;
			}
			ike_kex_free(dh);
		}
	}
	assert_in_range(valid, 300, 2000);
	assert_in_range(refused, 15, 100);
	json_decref(root);
}

static void ecp_groups_agree_with_wycheproof(void **state)
{
	(void)state;
	ecp_file("wycheproof/ecdh_secp256r1_ecpoint_test.json", IKE_DH_ECP256, 64);
	ecp_file("wycheproof/ecdh_secp384r1_ecpoint_test.json", IKE_DH_ECP384, 96);
	ecp_file("wycheproof/ecdh_secp521r1_ecpoint_test.json", IKE_DH_ECP521, 132);
}

/* One AEAD case; the 12-octet nonce is salt and IV. */
static bool aead_case(const json_t *test, uint16_t encr, uint16_t key_bits)
{
	struct ike_cipher c = { .encr = encr, .key_bits = key_bits };
	uint8_t key[36], nonce[12], aad[600], buf[8 + 600 + 16], ct[600], tag[16], msg[600];
	size_t key_len = vectors_hex(test, "key", key, 32);
	size_t aad_len = vectors_hex(test, "aad", aad, sizeof(aad));
	size_t len = vectors_hex(test, "msg", msg, sizeof(msg));
	bool good = !strcmp(vectors_text(test, "result"), "valid");

	vectors_hex(test, "iv", nonce, sizeof(nonce));
	vectors_hex(test, "tag", tag, sizeof(tag));
	vectors_hex(test, "ct", ct, sizeof(ct));
	memcpy(key + key_len, nonce, 4);
	assert_int_equal(ike_cipher_key_len(&c), key_len + 4);
	memcpy(buf, nonce + 4, 8);
	memcpy(buf + 8, ct, len);
	memcpy(buf + 8 + len, tag, 16);
	if (!good) {
		assert_int_equal(ike_cipher_open(&c, key, NULL, aad, aad_len, buf, len), -1);
		return false;
	}
	assert_int_equal(ike_cipher_open(&c, key, NULL, aad, aad_len, buf, len), 0);
	assert_memory_equal(buf + 8, msg, len);
	assert_int_equal(ike_cipher_seal(&c, key, NULL, aad, aad_len, buf, len), 0);
	assert_memory_equal(buf + 8, ct, len);
	assert_memory_equal(buf + 8 + len, tag, 16);
	return true;
}

static void aead_file(const char *path, uint16_t encr)
{
	json_t *root = vectors_load(path), *group, *test;
	unsigned int good = 0, bad = 0;
	size_t i, j;

	json_array_foreach(json_object_get(root, "testGroups"), i, group) {
		uint16_t bits = (uint16_t)json_integer_value(json_object_get(group, "keySize"));

		if (json_integer_value(json_object_get(group, "ivSize")) != 96)
			continue;
		json_array_foreach(json_object_get(group, "tests"), j, test) {
			if (aead_case(test, encr, encr == IKE_ENCR_AES_GCM_16 ? bits : 0))
				good++;
			else
				bad++;
		}
	}
	assert_in_range(good, 100, 1000);
	assert_in_range(bad, 50, 1000);
	json_decref(root);
}

static void aeads_agree_with_wycheproof(void **state)
{
	(void)state;
	aead_file("wycheproof/aes_gcm_test.json", IKE_ENCR_AES_GCM_16);
	aead_file("wycheproof/chacha20_poly1305_test.json", IKE_ENCR_CHACHA20_POLY1305);
}

static const struct ike_cipher ciphers[] = {
	{ IKE_ENCR_AES_GCM_16, 128, IKE_INTEG_NONE },
	{ IKE_ENCR_AES_GCM_16, 192, IKE_INTEG_NONE },
	{ IKE_ENCR_AES_GCM_16, 256, IKE_INTEG_NONE },
	{ IKE_ENCR_CHACHA20_POLY1305, 0, IKE_INTEG_NONE },
	{ IKE_ENCR_AES_CBC, 128, IKE_INTEG_HMAC_SHA2_256_128 },
	{ IKE_ENCR_AES_CBC, 192, IKE_INTEG_HMAC_SHA2_384_192 },
	{ IKE_ENCR_AES_CBC, 256, IKE_INTEG_HMAC_SHA2_512_256 },
};

static void ciphers_refuse_any_changed_bit(void **state)
{
	uint8_t key[64], integ[64], aad[10], sealed[128], buf[128], text[48];
	uint64_t seed = 3;
	struct ike_rng rng = seeded_rng(&seed);

	(void)state;
	rng.fill(rng.ctx, key, sizeof(key));
	rng.fill(rng.ctx, integ, sizeof(integ));
	rng.fill(rng.ctx, aad, sizeof(aad));
	rng.fill(rng.ctx, text, sizeof(text));
	for (size_t i = 0; i < sizeof(ciphers) / sizeof(ciphers[0]); i++) {
		const struct ike_cipher *c = &ciphers[i];
		size_t iv = ike_cipher_iv_len(c), total = iv + sizeof(text) + ike_cipher_icv_len(c);

		assert_true(ike_cipher_known(c));
		assert_true(total <= sizeof(sealed));
		rng.fill(rng.ctx, sealed, iv);
		memcpy(sealed + iv, text, sizeof(text));
		assert_int_equal(
			ike_cipher_seal(c, key, integ, aad, sizeof(aad), sealed, sizeof(text)), 0);
		assert_memory_not_equal(sealed + iv, text, sizeof(text));
		memcpy(buf, sealed, total);
		assert_int_equal(
			ike_cipher_open(c, key, integ, aad, sizeof(aad), buf, sizeof(text)), 0);
		assert_memory_equal(buf + iv, text, sizeof(text));
		for (size_t at = 0; at < total; at++) {
			memcpy(buf, sealed, total);
			buf[at] ^= (uint8_t)(1 << at % 8);
			assert_int_equal(ike_cipher_open(c, key, integ, aad, sizeof(aad), buf,
							 sizeof(text)),
					 -1);
			assert_memory_not_equal(buf + iv, text, sizeof(text));
		}
		memcpy(buf, sealed, total);
		assert_int_equal(ike_cipher_open(c, key, integ, aad, sizeof(aad) - 1, buf,
						 sizeof(text)),
				 -1);
	}
}

static void combinations_that_are_none(void **state)
{
	static const struct ike_cipher wrong[] = {
		{ IKE_ENCR_AES_GCM_16, 256, IKE_INTEG_HMAC_SHA2_256_128 },
		{ IKE_ENCR_AES_GCM_16, 0, IKE_INTEG_NONE },
		{ IKE_ENCR_AES_CBC, 256, IKE_INTEG_NONE },
		{ IKE_ENCR_AES_CBC, 255, IKE_INTEG_HMAC_SHA2_256_128 },
		{ IKE_ENCR_AES_CBC, 256, 3 },
		{ IKE_ENCR_AES_CTR, 256, IKE_INTEG_NONE },
		{ IKE_ENCR_NULL, 0, IKE_INTEG_NONE },
		{ IKE_ENCR_CHACHA20_POLY1305, 256, IKE_INTEG_NONE },
		{ 1, 0, IKE_INTEG_HMAC_SHA2_256_128 },
		{ 0, 0, 0 },
	};
	uint8_t buf[64] = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_false(ike_cipher_known(&wrong[i]));
		assert_int_equal(ike_cipher_key_len(&wrong[i]), 0);
		assert_int_equal(ike_cipher_seal(&wrong[i], buf, buf, buf, 0, buf, 16), -1);
		assert_int_equal(ike_cipher_open(&wrong[i], buf, buf, buf, 0, buf, 16), -1);
	}
	/* CBC takes whole blocks only */
	assert_int_equal(ike_cipher_seal(&ciphers[4], buf, buf, buf, 0, buf, 15), -1);
}

static void comparison_and_wiping(void **state)
{
	uint8_t a[] = { 1, 2, 3 }, b[] = { 1, 2, 4 };

	(void)state;
	assert_true(ike_equal(a, b, 2));
	assert_false(ike_equal(a, b, 3));
	ike_wipe(a, 3);
	assert_int_equal(a[0] | a[1] | a[2], 0);
}

/* RFC 5649 section 6. */
static void key_wrap(void **state)
{
	static const struct {
		const char *key, *wrapped;
	} rows[] = {
		{ "c37b7e6492584340bed12207808941155068f738",
		  "138bdeaa9b8fa7fc61f97742e72248ee5ae6ae5360d1ae6a5f54f373fa543b6a" },
		{ "466f7250617369", "afbeb0f07dfbf5419200f2ccb50bb24f" },
	};
	uint8_t wrapping[24], key[32], want[40], got[40];
	size_t len, want_len, got_len;

	(void)state;
	hex_decode("5840df6e29b02af1ab493b705bf16ea1ae8338f4dcc176a8", wrapping, sizeof(wrapping));
	for (unsigned int i = 0; i < 2; i++) {
		len = hex_decode(rows[i].key, key, sizeof(key));
		want_len = hex_decode(rows[i].wrapped, want, sizeof(want));
		assert_int_equal(ike_key_wrap(wrapping, 24, key, len, got, len + IKE_WRAP_OVERHEAD,
					      &got_len),
				 0);
		assert_int_equal(got_len, want_len);
		assert_memory_equal(got, want, want_len);
		assert_int_equal(ike_key_unwrap(wrapping, 24, want, want_len, got, &got_len), 0);
		assert_int_equal(got_len, len);
		assert_memory_equal(got, key, len);
		for (size_t k = len; k < want_len; k++) /* nothing of the padding either */
			assert_int_equal(got[k], 0);
		assert_int_equal(ike_key_wrap(wrapping, 24, key, len, got,
					      len + IKE_WRAP_OVERHEAD - 1, &got_len),
				 -1);
	}
	assert_int_equal(ike_key_wrap(wrapping, 24, key, 0, got, sizeof(got), &got_len), -1);
	assert_int_equal(ike_key_wrap(wrapping, 20, key, 8, got, sizeof(got), &got_len), -1);
	assert_int_equal(ike_key_wrap(wrapping, 8, key, 8, got, sizeof(got), &got_len), -1);
	assert_int_equal(ike_key_unwrap(wrapping, 24, want, 15, got, &got_len), -1);
	assert_int_equal(ike_key_unwrap(wrapping, 24, want, 8, got, &got_len), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prfs_match_rfc4231),
		cmocka_unit_test(prf_plus_chains_and_ends),
		cmocka_unit_test(sha1_matches_fips180),
		cmocka_unit_test(x25519_matches_rfc7748),
		cmocka_unit_test(ecp_groups_match_rfc5903),
		cmocka_unit_test(modp_groups_match_their_definition),
		cmocka_unit_test(modp_values_are_padded),
		cmocka_unit_test(fresh_keys_agree),
		cmocka_unit_test(x25519_keys_come_from_the_given_generator),
		cmocka_unit_test(senseless_modp_values_are_refused),
		cmocka_unit_test(x25519_agrees_with_wycheproof),
		cmocka_unit_test(ecp_groups_agree_with_wycheproof),
		cmocka_unit_test(aeads_agree_with_wycheproof),
		cmocka_unit_test(ciphers_refuse_any_changed_bit),
		cmocka_unit_test(combinations_that_are_none),
		cmocka_unit_test(comparison_and_wiping),
		cmocka_unit_test(key_wrap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
