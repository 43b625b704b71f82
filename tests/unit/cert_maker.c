// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "cert_maker.h"
#include "ike/proto/id.h"

/* A public key alone, which nobody has: a modulus of so many bits, an exponent of so many. */
static EVP_PKEY *fake_rsa(int n_bits, int e_bits)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	BIGNUM *n = BN_new(), *e = BN_new();
	OSSL_PARAM *params;
	EVP_PKEY *key = NULL;

	BN_rand(n, n_bits, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ODD);
	BN_rand(e, e_bits, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ODD);
	OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n);
	OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e);
	params = OSSL_PARAM_BLD_to_param(build);
	assert_int_equal(EVP_PKEY_fromdata_init(ctx), 1);
	assert_int_equal(EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params), 1);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(build);
	BN_free(n);
	BN_free(e);
	EVP_PKEY_CTX_free(ctx);
	return key;
}

static EVP_PKEY *make_key(const char *kind)
{
	int bits, exponent;
	EVP_PKEY *key;

	if (sscanf(kind, "FAKE-%d-%d", &bits, &exponent) == 2) {
		key = fake_rsa(bits, exponent);
	} else if (!strncmp(kind, "RSA-", 4)) {
		key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)atoi(kind + 4));
	} else if (!strncmp(kind, "PSS-", 4)) {
		EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA-PSS", NULL);

		key = NULL;
		assert_int_equal(EVP_PKEY_keygen_init(ctx), 1);
		assert_int_equal(EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, atoi(kind + 4)), 1);
		assert_int_equal(EVP_PKEY_keygen(ctx, &key), 1);
		EVP_PKEY_CTX_free(ctx);
	} else if (!strncmp(kind, "EXPLICIT-", 9)) {
		key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", kind + 9);
		EVP_PKEY_set_utf8_string_param(key, OSSL_PKEY_PARAM_EC_ENCODING, "explicit");
	} else if (!strncmp(kind, "P-", 2) || !strncmp(kind, "brainpool", 9)) {
		key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", kind);
	} else {
		key = EVP_PKEY_Q_keygen(NULL, NULL, kind);
	}
	assert_non_null(key);
	return key;
}

static const EVP_MD *find_hash(const EVP_PKEY *key, const char *name)
{
	int kind = EVP_PKEY_get_base_id(key);

	if (kind == EVP_PKEY_ED25519 || kind == EVP_PKEY_ED448)
		return NULL;
	return EVP_get_digestbyname(name ? name : "SHA256");
}

static X509_NAME *make_name(const char *text)
{
	struct ike_id id;
	const uint8_t *p = id.data;
	X509_NAME *name;
	char err[512];

	if (!*text)
		return X509_NAME_new();
	if (ike_id_from_text(text, &id, err, sizeof(err)) || id.type != IKE_ID_DER_DN)
		fail_msg("%s: %s", text, err);
	name = d2i_X509_NAME(NULL, &p, id.len);
	assert_non_null(name);
	return name;
}

static void set_serial(X509 *cert, const char *hex)
{
	static unsigned long counter = 1000;
	BIGNUM *n = NULL;

	if (hex)
		assert_true(BN_hex2bn(&n, hex) > 0);
	else
		assert_true((n = BN_new()) && BN_set_word(n, ++counter));
	BN_to_ASN1_INTEGER(n, X509_get_serialNumber(cert));
	BN_free(n);
}

static void add_extension(X509 *cert, X509V3_CTX *ctx, const char *text)
{
	const char *equals = strchr(text, '=');
	char name[64];
	X509_EXTENSION *e;

	snprintf(name, sizeof(name), "%.*s", (int)(equals - text), text);
	e = X509V3_EXT_nconf(NULL, ctx, name, equals + 1);
	if (!e)
		fail_msg("%s: %s", text, ERR_error_string(ERR_peek_last_error(), NULL));
	assert_int_equal(X509_add_ext(cert, e, -1), 1);
	X509_EXTENSION_free(e);
}

static struct ike_iov der_of(uint8_t *der, int len)
{
	assert_true(len > 0);
	return (struct ike_iov){ der, (size_t)len };
}

struct made maker_cert(const struct recipe *r)
{
	struct made m = { .cert = X509_new() };
	EVP_PKEY *signer;
	X509_NAME *subject = make_name(r->subject);
	CONF *conf = NCONF_new(NULL); /* certificatePolicies does not do without one */
	X509V3_CTX ctx;
	uint8_t *der = NULL;
	int len;

	if (r->same_key) {
		m.key = r->issuer->key;
		EVP_PKEY_up_ref(m.key);
	} else {
		m.key = make_key(r->key ? r->key : "P-256");
	}
	signer = r->issuer ? r->issuer->key : m.key;
	X509_set_version(m.cert, r->ext[0] ? X509_VERSION_3 : X509_VERSION_1);
	set_serial(m.cert, r->serial);
	X509_set_subject_name(m.cert, subject);
	X509_set_issuer_name(m.cert, r->issuer ? X509_get_subject_name(r->issuer->cert) : subject);
	ASN1_TIME_set(X509_getm_notBefore(m.cert), r->from ? r->from : MAKER_NOW - 365 * MAKER_DAY);
	ASN1_TIME_set(X509_getm_notAfter(m.cert),
		      r->until ? r->until : MAKER_NOW + 365 * MAKER_DAY);
	X509_set_pubkey(m.cert, m.key);
	X509V3_set_ctx(&ctx, r->issuer ? r->issuer->cert : m.cert, m.cert, NULL, NULL, 0);
	X509V3_set_nconf(&ctx, conf);
	for (unsigned int i = 0; i < MAKER_EXTS && r->ext[i]; i++)
		add_extension(m.cert, &ctx, r->ext[i]);
	assert_true(X509_sign(m.cert, signer, find_hash(signer, r->hash)) > 0);
	X509_NAME_free(subject);
	NCONF_free(conf);
	len = i2d_X509(m.cert, &der);
	m.der = der_of(der, len);
	return m;
}

static bool has_key_id(const struct made *issuer)
{
	return issuer && X509_get0_subject_key_id(issuer->cert);
}

struct made maker_ca(const char *subject, const struct made *issuer)
{
	return maker_cert(&(struct recipe){
		.subject = subject,
		.issuer = issuer,
		.ext = { "basicConstraints=critical,CA:TRUE",
			 "keyUsage=critical,keyCertSign,cRLSign", "subjectKeyIdentifier=hash",
			 has_key_id(issuer) ? "authorityKeyIdentifier=keyid" : NULL } });
}

struct made maker_leaf(const char *subject, const struct made *issuer, const char *san)
{
	char names[256];

	snprintf(names, sizeof(names), "subjectAltName=%s", san);
	return maker_cert(&(struct recipe){
		.subject = subject,
		.issuer = issuer,
		.ext = { "basicConstraints=CA:FALSE", "keyUsage=critical,digitalSignature", names,
			 has_key_id(issuer) ? "authorityKeyIdentifier=keyid" : NULL } });
}

void maker_free(struct made *m)
{
	X509_free(m->cert);
	EVP_PKEY_free(m->key);
	maker_free_der(&m->der);
	*m = (struct made){ 0 };
}

void maker_free_der(struct ike_iov *der)
{
	OPENSSL_free((void *)der->base);
	*der = (struct ike_iov){ 0 };
}

struct ike_iov maker_spki(const struct made *m)
{
	uint8_t *der = NULL;
	int len = i2d_PUBKEY(m->key, &der);

	return der_of(der, len);
}

struct ike_iov maker_pem(const struct made *m)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	long len;
	struct ike_iov out;

	assert_int_equal(PEM_write_bio_X509(bio, m->cert), 1);
	len = BIO_get_mem_data(bio, &text);
	out = (struct ike_iov){ OPENSSL_memdup(text, (size_t)len), (size_t)len };
	BIO_free(bio);
	return out;
}

struct ike_iov maker_crl(const struct crl_recipe *r)
{
	X509_CRL *crl = X509_CRL_new();
	ASN1_TIME *t = ASN1_TIME_new();
	X509V3_CTX ctx;
	uint8_t *der = NULL;
	int len;

	X509_CRL_set_version(crl, X509_CRL_VERSION_2);
	X509_CRL_set_issuer_name(crl, X509_get_subject_name(r->issuer->cert));
	ASN1_TIME_set(t, r->from ? r->from : MAKER_NOW - MAKER_DAY);
	X509_CRL_set1_lastUpdate(crl, t);
	ASN1_TIME_set(t, r->until ? r->until : MAKER_NOW + MAKER_DAY);
	X509_CRL_set1_nextUpdate(crl, t);
	if (r->revoked) {
		X509_REVOKED *entry = X509_REVOKED_new();

		X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(r->revoked->cert));
		ASN1_TIME_set(t, MAKER_NOW - 2 * MAKER_DAY);
		X509_REVOKED_set_revocationDate(entry, t);
		if (r->reason >= 0) {
			ASN1_ENUMERATED *code = ASN1_ENUMERATED_new();

			ASN1_ENUMERATED_set(code, r->reason);
			X509_REVOKED_add1_ext_i2d(entry, NID_crl_reason, code, 0, 0);
			ASN1_ENUMERATED_free(code);
		}
		X509_CRL_add0_revoked(crl, entry);
	}
	if (r->ext) {
		const char *equals = strchr(r->ext, '=');
		char name[64];
		X509_EXTENSION *e;

		snprintf(name, sizeof(name), "%.*s", (int)(equals - r->ext), r->ext);
		X509V3_set_ctx(&ctx, r->issuer->cert, NULL, NULL, crl, 0);
		X509V3_set_ctx_nodb(&ctx);
		e = X509V3_EXT_nconf(NULL, &ctx, name, equals + 1);
		assert_non_null(e);
		X509_CRL_add_ext(crl, e, -1);
		X509_EXTENSION_free(e);
	}
	X509_CRL_sort(crl);
	assert_true(X509_CRL_sign(crl, r->issuer->key, find_hash(r->issuer->key, r->hash)) > 0);
	len = i2d_X509_CRL(crl, &der);
	ASN1_TIME_free(t);
	X509_CRL_free(crl);
	return der_of(der, len);
}

struct ike_iov maker_ocsp(const struct ocsp_recipe *r)
{
	const struct made *signer = r->signer ? r->signer : r->issuer;
	OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
	OCSP_CERTID *id = OCSP_cert_to_id(EVP_get_digestbyname(r->id_hash ? r->id_hash : "SHA1"),
					  r->cert->cert, r->issuer->cert);
	ASN1_TIME *from = ASN1_TIME_set(NULL, r->from ? r->from : MAKER_NOW - MAKER_DAY);
	ASN1_TIME *until = ASN1_TIME_set(NULL, r->until > 0 ? r->until : MAKER_NOW + MAKER_DAY);
	ASN1_TIME *when = ASN1_TIME_set(NULL, MAKER_NOW - 2 * MAKER_DAY);
	OCSP_RESPONSE *response;
	uint8_t *der = NULL;
	int len;

	assert_non_null(OCSP_basic_add1_status(basic, id, r->status,
					       OCSP_REVOKED_STATUS_KEYCOMPROMISE,
					       r->status == V_OCSP_CERTSTATUS_REVOKED ? when : NULL,
					       from, r->until == -1 ? NULL : until));
	assert_int_equal(OCSP_basic_sign(basic, signer->cert, signer->key,
					 find_hash(signer->key, r->hash), NULL, 0),
			 1);
	response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
	len = i2d_OCSP_RESPONSE(response, &der);
	OCSP_CERTID_free(id);
	OCSP_BASICRESP_free(basic);
	OCSP_RESPONSE_free(response);
	ASN1_TIME_free(from);
	ASN1_TIME_free(until);
	ASN1_TIME_free(when);
	return der_of(der, len);
}
