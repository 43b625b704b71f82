// SPDX-License-Identifier: GPL-2.0-or-later
/* Signatures against published vectors, and files with keys. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/pem.h>

#include "cert_maker.h"
#include "ike/crypto/sign.h"
#include "vectors.h"

/* ---- Wycheproof --------------------------------------------------------------------------------- */

/* One file, whose keys and signatures are of @s. At least @bad of them do not hold. */
static void check_file(const char *path, const struct ike_scheme *s, unsigned int bad)
{
	static uint8_t message[65536];
	json_t *root = vectors_load(path), *group, *test;
	static uint8_t sig[65536];
	uint8_t spki[IKE_MAX_SPKI];
	unsigned int held = 0, refused = 0;
	size_t i, j;

	json_array_foreach(json_object_get(root, "testGroups"), i, group) {
		size_t len = vectors_hex(group, "publicKeyDer", spki, sizeof(spki));

		json_array_foreach(json_object_get(group, "tests"), j, test) {
			const char *result = vectors_text(test, "result");
			const struct ike_iov in = { message, vectors_hex(test, "msg", message,
									 sizeof(message)) };
			size_t sig_len = vectors_hex(test, "sig", sig, sizeof(sig));
			bool holds = ike_signature_holds(s, spki, len, &in, 1, sig, sig_len);

			if (strcmp(result, "acceptable") && holds == !strcmp(result, "invalid"))
				fail_msg("%s: %lld is %s", path,
					 json_integer_value(json_object_get(test, "tcId")), result);
			held += holds;
			refused += !holds;
		}
	}
	if (held < 5 || refused < bad)
		fail_msg("%s: %u held, %u did not", path, held, refused);
	json_decref(root);
}

static void signatures_agree_with_wycheproof(void **state)
{
	static const struct {
		const char *path;
		struct ike_scheme s;
		unsigned int bad;
	} files[] = {
		{ "wycheproof/ecdsa_secp256r1_sha256_test.json",
		  { IKE_KEY_P256, "SHA256", false, false },
		  200 },
		{ "wycheproof/ecdsa_secp384r1_sha384_test.json",
		  { IKE_KEY_P384, "SHA384", false, false },
		  200 },
		{ "wycheproof/ecdsa_secp521r1_sha512_test.json",
		  { IKE_KEY_P521, "SHA512", false, false },
		  200 },
		{ "wycheproof/ed25519_test.json", { IKE_KEY_ED25519, NULL, false, false }, 50 },
		{ "wycheproof/ed448_test.json", { IKE_KEY_ED448, NULL, false, false }, 50 },
		{ "wycheproof/rsa_signature_2048_sha256_test.json",
		  { IKE_KEY_RSA, "SHA256", false, false },
		  200 },
		{ "wycheproof/rsa_pss_2048_sha256_mgf1_32_test.json",
		  { IKE_KEY_RSA, "SHA256", true, false },
		  40 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		check_file(files[i].path, &files[i].s, files[i].bad);
}

/* ---- keys made here ------------------------------------------------------------------------------- */

static void read_new_key(EVP_PKEY *key, struct ike_private_key *private,
			 struct ike_public_key *public)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char why[256], *text;
	long len;

	assert_non_null(key);
	assert_int_equal(PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL), 1);
	len = BIO_get_mem_data(bio, &text);
	if (ike_private_read(text, (size_t)len, private, public, why, sizeof(why)))
		fail_msg("%s", why);
	BIO_free(bio);
	EVP_PKEY_free(key);
}

/* Each bit of message and signature counts, and so does where the parts of a message end. */
static void signatures_hold_for_their_message_alone(void **state)
{
	static const struct ike_scheme schemes[] = {
		{ IKE_KEY_P256, "SHA256", false, false }, { IKE_KEY_P256, "SHA256", false, true },
		{ IKE_KEY_P521, "SHA512", false, true },  { IKE_KEY_RSA, "SHA512", true, false },
		{ IKE_KEY_ED25519, NULL, false, false },
	};
	char text[] = "a message";
	const struct ike_iov parts[] = { { text, 4 }, { NULL, 0 }, { text + 4, 5 } };
	const struct ike_iov whole = { text, 9 };
	struct ike_private_key private;
	struct ike_public_key public;
	uint8_t sig[IKE_MAX_SIGNATURE];
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		const struct ike_scheme *s = &schemes[i];

		read_new_key(
			s->key == IKE_KEY_RSA ? EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048)
			: s->key == IKE_KEY_ED25519
				? EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")
				: EVP_PKEY_Q_keygen(NULL, NULL, "EC",
						    s->key == IKE_KEY_P256 ? "P-256" : "P-521"),
			&private, &public);
		assert_int_equal(ike_sign(s, private.der, private.len, parts, 3, sig, &len), 0);
		if (s->plain)
			assert_int_equal(len, s->key == IKE_KEY_P256 ? 64 : 132);
		assert_true(ike_signature_holds(s, public.spki, public.len, &whole, 1, sig, len));
		for (size_t k = 0; k < len; k++) {
			sig[k] ^= 1;
			assert_false(ike_signature_holds(s, public.spki, public.len, &whole, 1, sig,
							 len));
			sig[k] ^= 1;
			assert_false(
				ike_signature_holds(s, public.spki, public.len, &whole, 1, sig, k));
		}
		text[8] ^= 1;
		assert_false(ike_signature_holds(s, public.spki, public.len, &whole, 1, sig, len));
		text[8] ^= 1;
	}
}

static void keys_sign_in_their_own_way_alone(void **state)
{
	const struct ike_scheme right = { IKE_KEY_P256, "SHA256", false, false };
	const struct ike_scheme wrong = { IKE_KEY_P384, "SHA384", false, false };
	const struct ike_iov in = { "x", 1 };
	struct ike_private_key private;
	struct ike_public_key public;
	uint8_t sig[IKE_MAX_SIGNATURE];
	size_t len;

	(void)state;
	read_new_key(EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256"), &private, &public);
	memset(sig, 0x55, sizeof(sig));
	assert_int_equal(ike_sign(&wrong, private.der, private.len, &in, 1, sig, &len), -1);
	assert_int_equal(len, 0);
	for (size_t i = 0; i < sizeof(sig); i++)
		assert_int_equal(sig[i], 0);
	assert_int_equal(ike_sign(&right, private.der, private.len - 1, &in, 1, sig, &len), -1);
	assert_int_equal(ike_sign(&right, private.der, private.len, &in, 1, sig, &len), 0);
	assert_false(ike_signature_holds(&wrong, public.spki, public.len, &in, 1, sig, len));
	assert_false(ike_signature_holds(&right, public.spki, public.len - 1, &in, 1, sig, len));
	assert_false(ike_signature_holds(&right, NULL, 0, &in, 1, sig, len));
}

/* ---- what is refused -------------------------------------------------------------------------------- */

static void weak_and_foreign_keys_are_refused(void **state)
{
	static const struct {
		const char *type, *group, *said;
		size_t bits;
	} rows[] = {
		{ "RSA", NULL, "is RSA of 1024 bits; expected 2048 to 8192", 1024 },
		{ "EC", "P-224", "is of a kind that is not known here", 0 },
		{ "EC", "secp256k1", "is of a kind that is not known here", 0 },
		{ "X25519", NULL, "is of a kind that is not known here", 0 },
	};
	struct ike_private_key private;
	struct ike_public_key public;
	char why[256], *text;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		EVP_PKEY *key = rows[i].bits	? EVP_PKEY_Q_keygen(NULL, NULL, "RSA", rows[i].bits)
				: rows[i].group ? EVP_PKEY_Q_keygen(NULL, NULL, "EC", rows[i].group)
						: EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
		BIO *bio = BIO_new(BIO_s_mem()), *pub = BIO_new(BIO_s_mem());
		long len;

		assert_int_equal(PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL), 1);
		len = BIO_get_mem_data(bio, &text);
		assert_int_equal(ike_private_read(text, (size_t)len, &private, &public, why,
						  sizeof(why)),
				 -1);
		assert_non_null(strstr(why, rows[i].said));
		assert_int_equal(private.len, 0);
		assert_int_equal(PEM_write_bio_PUBKEY(pub, key), 1);
		len = BIO_get_mem_data(pub, &text);
		assert_int_equal(ike_public_read(text, (size_t)len, &public, why, sizeof(why)), -1);
		assert_non_null(strstr(why, rows[i].said));
		BIO_free(bio);
		BIO_free(pub);
		EVP_PKEY_free(key);
	}
}

/* A key as OpenSSL writes it: PKCS#8 by PBES2, or the traditional form; @text has room for it. */
static size_t write_encrypted(EVP_PKEY *key, bool traditional, char *text, size_t size)
{
	BIO *bio = BIO_new(BIO_s_mem());
	unsigned char phrase[] = "correct horse";
	char *at;
	long len;

	if (traditional)
		assert_int_equal(PEM_write_bio_PrivateKey_traditional(bio, key, EVP_aes_256_cbc(),
								      phrase, 13, NULL, NULL),
				 1);
	else
		assert_int_equal(PEM_write_bio_PKCS8PrivateKey(bio, key, EVP_aes_256_cbc(),
							       (char *)phrase, 13, NULL, NULL),
				 1);
	len = BIO_get_mem_data(bio, &at);
	assert_in_range(len, 1, size);
	memcpy(text, at, (size_t)len);
	BIO_free(bio);
	return (size_t)len;
}

static void encrypted_keys(void **state)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	const struct ike_iov right = { "correct horse", 13 }, wrong = { "incorrect horse", 15 };
	const struct ike_iov empty = { "", 0 };
	struct ike_private_key private;
	struct ike_public_key public;
	char text[4096], why[256];

	(void)state;
	for (int traditional = 0; traditional < 2; traditional++) {
		size_t len = write_encrypted(key, traditional, text, sizeof(text));

		assert_int_equal(ike_private_decrypt(text, len, &right, &private, &public, why,
						     sizeof(why)),
				 0);
		assert_true(private.len > 100 && public.len == 91);
		assert_int_equal(ike_private_decrypt(text, len, &wrong, &private, &public, why,
						     sizeof(why)),
				 -1);
		assert_non_null(strstr(
			why, "is encrypted, and the passphrase of KeyPassphrase is another"));
		assert_int_equal(private.len, 0);
		assert_int_equal(ike_private_decrypt(text, len, &empty, &private, &public, why,
						     sizeof(why)),
				 -1);
		assert_int_equal(ike_private_read(text, len, &private, &public, why, sizeof(why)),
				 -1);
		assert_non_null(strstr(why, "is encrypted: expected KeyPassphrase in [Tunnel]"));
		assert_int_equal(ike_private_decrypt(text, len / 2, &right, &private, &public, why,
						     sizeof(why)),
				 -1);
	}
	EVP_PKEY_free(key);
}

/* Whose signatures are dear to verify, and what looks like a curve that is known. */
static void deceptive_public_keys_are_refused(void **state)
{
	static const struct {
		const char *key, *said;
	} rows[] = {
		{ "FAKE-2048-65", "is RSA with an unusual exponent" },
		{ "FAKE-2048-1", "is RSA with an unusual exponent" },
		{ "FAKE-8256-17", "is RSA of 8256 bits" },
		{ "EXPLICIT-P-256", "is of a kind that is not known here" },
	};
	struct made root = maker_ca("CN=root", NULL), made;
	struct ike_iov spki;
	char why[256];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		made = maker_cert(
			&(struct recipe){ .subject = "CN=a", .issuer = &root, .key = rows[i].key });
		spki = maker_spki(&made);
		assert_int_equal(ike_key_kind(spki.base, spki.len, why, sizeof(why)), IKE_KEY_NONE);
		if (strncmp(why, rows[i].said, strlen(rows[i].said)))
			fail_msg("%s: %s", rows[i].key, why);
		maker_free_der(&spki);
		maker_free(&made);
	}
	maker_free(&root);
}

static void nothing_behind_a_public_key(void **state)
{
	struct ike_private_key private;
	struct ike_public_key public;
	uint8_t more[IKE_MAX_SPKI];
	char why[256], text[IKE_FINGERPRINT];

	(void)state;
	read_new_key(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), &private, &public);
	memcpy(more, public.spki, public.len);
	more[public.len] = 0;
	assert_int_equal(ike_key_kind(more, public.len, why, sizeof(why)), IKE_KEY_ED25519);
	assert_int_equal(ike_key_kind(more, public.len + 1, why, sizeof(why)), IKE_KEY_NONE);
	assert_string_equal(why, "is no public key");
	for (size_t i = 0; i < public.len; i++)
		assert_int_equal(ike_key_kind(more, i, why, sizeof(why)), IKE_KEY_NONE);
	assert_int_equal(strlen(ike_key_fingerprint(text, public.spki, public.len)), 7 + 43);
}

static void passphrases_are_not_asked_for(void **state)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	BIO *bio = BIO_new(BIO_s_mem());
	struct ike_private_key private;
	struct ike_public_key public;
	char why[256], *text;
	long len;

	(void)state;
	assert_int_equal(PEM_write_bio_PrivateKey(bio, key, EVP_aes_128_cbc(), NULL, 0, NULL,
						  (void *)"x"),
			 1);
	len = BIO_get_mem_data(bio, &text);
	assert_int_equal(ike_private_read(text, (size_t)len, &private, &public, why, sizeof(why)),
			 -1);
	assert_non_null(strstr(why, "is encrypted: expected KeyPassphrase in [Tunnel]"));
	BIO_free(bio);
	EVP_PKEY_free(key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signatures_agree_with_wycheproof),
		cmocka_unit_test(signatures_hold_for_their_message_alone),
		cmocka_unit_test(keys_sign_in_their_own_way_alone),
		cmocka_unit_test(weak_and_foreign_keys_are_refused),
		cmocka_unit_test(encrypted_keys),
		cmocka_unit_test(deceptive_public_keys_are_refused),
		cmocka_unit_test(nothing_behind_a_public_key),
		cmocka_unit_test(passphrases_are_not_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
