// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See issue.h. What extensions say is what the strictest of the known peers asks for: Windows and Apple's systems want
 * serverAuth and a name in subjectAltName, the agent's own pki wants a CA with keyCertSign, and RFC 5280 the critical
 * flags. keyUsage of an end is digitalSignature alone, as IKE signs and encrypts nothing with its key (RFC 4945 5.1.3.2).
 */
#include "ike/pki/issue.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "ike/pki/pki_int.h"

enum { KEY_ROUNDS = 600000, P12_ROUNDS = 100000 };

struct issuer {
	X509 *cert;
	EVP_PKEY *key;
};

/* ---- kinds of keys ------------------------------------------------------------------------------- */

static const struct issue_kind kinds[] = {
	{ "ecdsa-p256",
	  "every peer but Android's own client, which verifies RSA alone: strongSwan, libreswan, OpenIKED, Windows, Apple's systems, routers, clouds" },
	{ "ecdsa-p384", "the same as ecdsa-p256, slower; CNSA asks for it" },
	{ "rsa-3072",
	  "every peer, Android's own client, too; of Windows and older systems of Apple with Signatures = sha1 alone" },
	{ "ed25519",
	  "strongSwan and esptun; none of OpenIKED, Windows, Apple's systems, Android, routers" },
};

/* In the order of kinds[]. */
static EVP_PKEY *make_key(const struct issue_kind *kind)
{
	switch (kind - kinds) {
	case 0: return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	case 1: return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-384");
	case 2: return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)3072);
	default: return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	}
}

const struct issue_kind *issue_kind_get(unsigned int i)
{
	return i < sizeof(kinds) / sizeof(kinds[0]) ? &kinds[i] : NULL;
}

const struct issue_kind *issue_kind_find(const char *word)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (!strcmp(kinds[i].word, word))
			return &kinds[i];
	}
	return NULL;
}

/* ---- bytes --------------------------------------------------------------------------------------- */

void issue_bytes_clear(struct issue_bytes *b)
{
	if (b->data) {
		ike_wipe(b->data, b->len);
		free(b->data);
	}
	*b = (struct issue_bytes){ 0 };
}

/* What was written to @bio, which is freed; -1 unless @written. */
static int take_bio(BIO *bio, bool written, struct issue_bytes *out)
{
	out->data = bio_take(bio, written, &out->len);
	return out->data ? 0 : -1;
}

static X509 *read_cert(const struct issue_bytes *pem)
{
	BIO *bio = BIO_new_mem_buf(pem->data, (int)pem->len);
	X509 *cert = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;

	BIO_free(bio);
	ERR_clear_error();
	return cert;
}

static int no_passphrase(char *buf, int size, int writing, void *ctx)
{
	(void)buf, (void)size, (void)writing;
	*(bool *)ctx = true;
	return -1;
}

static int copy_passphrase(char *buf, int size, int writing, void *ctx)
{
	const struct ike_iov *passphrase = ctx;

	(void)writing;
	if (passphrase->len > (size_t)size)
		return -1;
	memcpy(buf, passphrase->base, passphrase->len);
	return (int)passphrase->len;
}

/* @encrypted: it needs a passphrase, and @passphrase is NULL. */
static EVP_PKEY *read_key(const struct issue_bytes *pem, const struct ike_iov *passphrase,
			  bool *encrypted)
{
	BIO *bio = BIO_new_mem_buf(pem->data, (int)pem->len);
	EVP_PKEY *key = NULL;

	*encrypted = false;
	if (bio && passphrase)
		key = PEM_read_bio_PrivateKey(bio, NULL, copy_passphrase, (void *)passphrase);
	else if (bio)
		key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, encrypted);
	BIO_free(bio);
	ERR_clear_error();
	return key;
}

int issue_key(const struct issue_kind *kind, struct issue_bytes *out)
{
	EVP_PKEY *key = make_key(kind);

	out->data = key_to_pem(key, &out->len);
	EVP_PKEY_free(key);
	return out->data ? 0 : -1;
}

int issue_seal_key(const struct issue_bytes *pem, const struct ike_iov *passphrase,
		   struct issue_bytes *out)
{
	bool encrypted;
	EVP_PKEY *key = read_key(pem, NULL, &encrypted);
	PKCS8_PRIV_KEY_INFO *info = key ? EVP_PKEY2PKCS8(key) : NULL;
	X509_SIG *sealed = info ? PKCS8_encrypt(-1, EVP_aes_256_cbc(), passphrase->base,
						(int)passphrase->len, NULL, 0, KEY_ROUNDS, info)
				: NULL;
	BIO *bio = BIO_new(BIO_s_mem());
	int rc = take_bio(bio, sealed && bio && PEM_write_bio_PKCS8(bio, sealed), out);

	X509_SIG_free(sealed);
	PKCS8_PRIV_KEY_INFO_free(info);
	EVP_PKEY_free(key);
	return rc;
}

/* ---- certificates -------------------------------------------------------------------------------- */

int issue_serial(uint8_t serial[ISSUE_SERIAL])
{
	do {
		if (RAND_bytes(serial, ISSUE_SERIAL) != 1)
			return -1;
	} while (!serial[0]);
	return 0;
}

static bool put_serial(const uint8_t serial[ISSUE_SERIAL], ASN1_INTEGER *out)
{
	BIGNUM *n = BN_bin2bn(serial, ISSUE_SERIAL, NULL);
	bool ok = n && BN_to_ASN1_INTEGER(n, out);

	BN_free(n);
	return ok;
}

static bool put_name(const char *name, X509 *cert)
{
	X509_NAME *subject = X509_get_subject_name(cert);

	return X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8,
					  (const unsigned char *)name, -1, -1, 0);
}

/* @text is ours, and nothing that a user wrote: the library's own grammar would read commas and sections in it. */
static bool add_extension(X509 *cert, X509 *issuer, int nid, const char *text)
{
	X509V3_CTX ctx;
	X509_EXTENSION *e;
	bool ok;

	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	e = X509V3_EXT_conf_nid(NULL, &ctx, nid, text);
	ok = e && X509_add_ext(cert, e, -1);
	X509_EXTENSION_free(e);
	return ok;
}

static GENERAL_NAME *make_general_name(const struct ike_id *id)
{
	bool is_address = id->type == IKE_ID_IPV4 || id->type == IKE_ID_IPV6;
	int type = is_address ? GEN_IPADD : id->type == IKE_ID_FQDN ? GEN_DNS : GEN_EMAIL;
	ASN1_STRING *s = ASN1_STRING_type_new(is_address ? V_ASN1_OCTET_STRING : V_ASN1_IA5STRING);
	GENERAL_NAME *name = GENERAL_NAME_new();

	if (!s || !name || !ASN1_STRING_set(s, id->data, id->len)) {
		ASN1_STRING_free(s);
		GENERAL_NAME_free(name);
		return NULL;
	}
	GENERAL_NAME_set0_value(name, type, s);
	return name;
}

static bool add_names(X509 *cert, const struct issue_order *order)
{
	GENERAL_NAMES *names = GENERAL_NAMES_new();
	bool ok = names;

	for (unsigned int i = 0; ok && i < order->n_san; i++) {
		GENERAL_NAME *name = make_general_name(&order->san[i]);

		ok = name && sk_GENERAL_NAME_push(names, name);
		if (!ok)
			GENERAL_NAME_free(name);
	}
	ok = ok && X509_add1_ext_i2d(cert, NID_subject_alt_name, names, 0, X509V3_ADD_APPEND) == 1;
	GENERAL_NAMES_free(names);
	return ok;
}

static bool add_leaf_extensions(X509 *cert, X509 *issuer, const struct issue_order *order)
{
	char usage[64];

	/* ipsecIKE (RFC 4945 5.1.3.12) beside what the systems ask for. */
	snprintf(usage, sizeof(usage), "%s%sipsecIKE", order->server ? "serverAuth," : "",
		 order->client ? "clientAuth," : "");
	return add_extension(cert, issuer, NID_basic_constraints, "critical,CA:FALSE") &&
	       add_extension(cert, issuer, NID_key_usage, "critical,digitalSignature") &&
	       add_extension(cert, issuer, NID_ext_key_usage, usage) &&
	       add_extension(cert, issuer, NID_subject_key_identifier, "hash") &&
	       add_extension(cert, issuer, NID_authority_key_identifier, "keyid:always") &&
	       add_names(cert, order);
}

static bool add_root_extensions(X509 *cert)
{
	return add_extension(cert, cert, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
	       add_extension(cert, cert, NID_key_usage, "critical,keyCertSign,cRLSign") &&
	       add_extension(cert, cert, NID_subject_key_identifier, "hash");
}

/* The hash that the key @key signs with; NULL: it has one of its own. */
static const EVP_MD *hash_of(const EVP_PKEY *key)
{
	if (EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519)
		return NULL;
	return EVP_PKEY_get_bits(key) == 384 ? EVP_sha384() : EVP_sha256();
}

/* All but extensions and signature. */
static X509 *begin_cert(const struct issue_order *order, EVP_PKEY *key)
{
	X509 *cert = X509_new();

	if (cert && X509_set_version(cert, X509_VERSION_3) &&
	    put_serial(order->serial, X509_get_serialNumber(cert)) && put_name(order->name, cert) &&
	    ASN1_TIME_set(X509_getm_notBefore(cert), (time_t)order->from) &&
	    ASN1_TIME_set(X509_getm_notAfter(cert), (time_t)order->until) &&
	    X509_set_pubkey(cert, key))
		return cert;
	X509_free(cert);
	return NULL;
}

static int write_cert(X509 *cert, bool ok, struct issue_bytes *out, char *err, size_t size)
{
	BIO *bio = BIO_new(BIO_s_mem());
	int rc = take_bio(bio, ok && bio && PEM_write_bio_X509(bio, cert), out);

	if (rc)
		snprintf(err, size, "OpenSSL could not make the certificate");
	X509_free(cert);
	return rc;
}

int issue_root(const struct issue_order *order, const struct issue_bytes *key,
	       struct issue_bytes *out, char *err, size_t size)
{
	bool encrypted;
	EVP_PKEY *own = read_key(key, NULL, &encrypted);
	X509 *cert = own ? begin_cert(order, own) : NULL;
	bool ok = cert && X509_set_issuer_name(cert, X509_get_subject_name(cert)) &&
		  add_root_extensions(cert) && X509_sign(cert, own, hash_of(own)) > 0;

	EVP_PKEY_free(own);
	return write_cert(cert, ok, out, err, size);
}

int issue_leaf(const struct issuer *ca, const struct issue_order *order,
	       const struct issue_bytes *key, struct issue_bytes *out, char *err, size_t size)
{
	bool encrypted;
	EVP_PKEY *own = read_key(key, NULL, &encrypted);
	X509 *cert = own ? begin_cert(order, own) : NULL;
	bool ok = cert && X509_set_issuer_name(cert, X509_get_subject_name(ca->cert)) &&
		  add_leaf_extensions(cert, ca->cert, order) &&
		  X509_sign(cert, ca->key, hash_of(ca->key)) > 0;

	EVP_PKEY_free(own);
	return write_cert(cert, ok, out, err, size);
}

/* ---- the CA -------------------------------------------------------------------------------------- */

struct issuer *issuer_open(const struct issue_bytes *cert, const struct issue_bytes *key,
			   const struct ike_iov *passphrase, bool *needs_passphrase, char *err,
			   size_t size)
{
	struct issuer *ca = calloc(1, sizeof(*ca));

	*needs_passphrase = false;
	if (ca) {
		ca->cert = read_cert(cert);
		ca->key = read_key(key, passphrase, needs_passphrase);
	}
	if (!ca)
		snprintf(err, size, "no memory");
	else if (!ca->cert)
		snprintf(err, size, "the CA's certificate is none");
	else if (!ca->key && *needs_passphrase)
		snprintf(err, size, "the CA's key is encrypted, and its passphrase is needed");
	else if (!ca->key)
		snprintf(err, size, "%s",
			 passphrase ? "the CA's key has another passphrase"
				    : "the CA's key is none");
	else if (X509_check_private_key(ca->cert, ca->key) != 1)
		snprintf(err, size, "the CA's key is not that of its certificate");
	else
		return ca;
	ERR_clear_error();
	issuer_close(ca);
	return NULL;
}

void issuer_close(struct issuer *ca)
{
	if (!ca)
		return;
	X509_free(ca->cert);
	EVP_PKEY_free(ca->key);
	free(ca);
}

int64_t issuer_until(const struct issuer *ca)
{
	struct tm tm;

	return ASN1_TIME_to_tm(X509_get0_notAfter(ca->cert), &tm) ? (int64_t)timegm(&tm) : 0;
}

/* ---- CRLs ---------------------------------------------------------------------------------------- */

static bool set_time(X509_CRL *crl, int (*set)(X509_CRL *, const ASN1_TIME *), int64_t at)
{
	ASN1_TIME *time = ASN1_TIME_set(NULL, (time_t)at);
	bool ok = time && set(crl, time);

	ASN1_TIME_free(time);
	return ok;
}

static bool add_revoked(X509_CRL *crl, const struct issue_revoked *r)
{
	X509_REVOKED *entry = X509_REVOKED_new();
	ASN1_INTEGER *serial = ASN1_INTEGER_new();
	ASN1_TIME *at = ASN1_TIME_set(NULL, (time_t)r->at);
	bool ok = entry && serial && at && put_serial(r->serial, serial) &&
		  X509_REVOKED_set_serialNumber(entry, serial) &&
		  X509_REVOKED_set_revocationDate(entry, at) && X509_CRL_add0_revoked(crl, entry);

	if (!ok)
		X509_REVOKED_free(entry);
	ASN1_INTEGER_free(serial);
	ASN1_TIME_free(at);
	return ok;
}

static bool add_crl_extensions(X509_CRL *crl, X509 *issuer, uint32_t number)
{
	ASN1_INTEGER *n = ASN1_INTEGER_new();
	X509V3_CTX ctx;
	X509_EXTENSION *key_id;
	bool ok;

	X509V3_set_ctx(&ctx, issuer, NULL, NULL, crl, 0);
	key_id = X509V3_EXT_conf_nid(NULL, &ctx, NID_authority_key_identifier, "keyid:always");
	ok = n && key_id && ASN1_INTEGER_set_uint64(n, number) &&
	     X509_CRL_add1_ext_i2d(crl, NID_crl_number, n, 0, X509V3_ADD_APPEND) == 1 &&
	     X509_CRL_add_ext(crl, key_id, -1);
	X509_EXTENSION_free(key_id);
	ASN1_INTEGER_free(n);
	return ok;
}

int issue_crl(const struct issuer *ca, uint32_t number, int64_t from, int64_t until,
	      const struct issue_revoked *revoked, unsigned int n, struct issue_bytes *out)
{
	X509_CRL *crl = X509_CRL_new();
	BIO *bio = BIO_new(BIO_s_mem());
	bool ok = crl && bio && X509_CRL_set_version(crl, X509_CRL_VERSION_2) &&
		  X509_CRL_set_issuer_name(crl, X509_get_subject_name(ca->cert)) &&
		  set_time(crl, X509_CRL_set1_lastUpdate, from) &&
		  set_time(crl, X509_CRL_set1_nextUpdate, until) &&
		  add_crl_extensions(crl, ca->cert, number);

	for (unsigned int i = 0; ok && i < n; i++)
		ok = add_revoked(crl, &revoked[i]);
	ok = ok && X509_CRL_sort(crl) && X509_CRL_sign(crl, ca->key, hash_of(ca->key)) > 0 &&
	     PEM_write_bio_X509_CRL(bio, crl);
	X509_CRL_free(crl);
	return take_bio(bio, ok, out);
}

/* ---- PKCS#12 ------------------------------------------------------------------------------------- */

static PKCS12 *make_p12(enum issue_p12 how, EVP_PKEY *key, X509 *cert, STACK_OF(X509) *roots,
			const char *name, const char *passphrase)
{
	int cipher = how == ISSUE_P12_AES ? NID_aes_256_cbc
					  : NID_pbe_WithSHA1And3_Key_TripleDES_CBC;
	/* Without a MAC at first, for its hash is chosen then. */
	PKCS12 *p = PKCS12_create(passphrase, name, key, cert, roots, cipher, cipher, P12_ROUNDS,
				  -1, 0);

	if (p && PKCS12_set_mac(p, passphrase, -1, NULL, 0, P12_ROUNDS,
				how == ISSUE_P12_AES ? EVP_sha256() : EVP_sha1()))
		return p;
	PKCS12_free(p);
	return NULL;
}

int issue_p12(enum issue_p12 how, const struct issue_bytes *key, const struct issue_bytes *cert,
	      const struct issue_bytes *root, const char *name, const char *passphrase,
	      struct issue_bytes *out, char *err, size_t size)
{
	bool encrypted;
	EVP_PKEY *own = read_key(key, NULL, &encrypted);
	X509 *leaf = read_cert(cert), *ca = read_cert(root);
	STACK_OF(X509) *roots = sk_X509_new_null();
	BIO *bio = BIO_new(BIO_s_secmem());
	PKCS12 *p = own && leaf && ca && roots && sk_X509_push(roots, ca)
			    ? make_p12(how, own, leaf, roots, name, passphrase)
			    : NULL;
	int rc = take_bio(bio, p && bio && i2d_PKCS12_bio(bio, p), out);

	if (rc)
		snprintf(
			err, size,
			"OpenSSL could not make the PKCS#12 file; a system of FIPS has no 3DES there: try --p12-cipher aes256");
	PKCS12_free(p);
	sk_X509_free(roots);
	X509_free(ca);
	X509_free(leaf);
	EVP_PKEY_free(own);
	return rc;
}

int issue_der(const struct issue_bytes *pem, struct issue_bytes *der)
{
	X509 *cert = read_cert(pem);
	BIO *bio = BIO_new(BIO_s_mem());
	int rc = take_bio(bio, cert && bio && i2d_X509_bio(bio, cert), der);

	X509_free(cert);
	return rc;
}
