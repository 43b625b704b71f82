// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What other programs keep keys and certificates in, as PEM: PKCS#12 containers (RFC 7292), and DER. For the command that imports;
 * the agent does not use it. libcrypto opens containers; here is decided which certificate goes where, and what is said when
 * one cannot be opened.
 */
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/provider.h>

#include "ike/pki/pki_int.h"

char *bio_take(BIO *bio, bool written, size_t *len)
{
	char *data = NULL, *s = NULL;
	long n = bio && written ? BIO_get_mem_data(bio, &data) : 0;

	if (n > 0)
		s = calloc(1, (size_t)n + 1);
	if (s)
		memcpy(s, data, (size_t)n);
	if (len)
		*len = s ? (size_t)n : 0;
	BIO_free(bio); /* of BIO_s_secmem(): wiped */
	ERR_clear_error();
	return s;
}

static char *certs_to_pem(X509 *const *certs, unsigned int n)
{
	BIO *bio = BIO_new(BIO_s_mem());
	bool good = bio;

	for (unsigned int i = 0; good && i < n; i++)
		good = PEM_write_bio_X509(bio, certs[i]) == 1;
	return bio_take(bio, good, NULL);
}

char *pki_to_pem(const struct ike_iov *certs, unsigned int n)
{
	X509 **parsed = calloc(n + 1, sizeof(X509 *));
	bool good = parsed;
	char *s;

	for (unsigned int i = 0; good && i < n; i++) {
		parsed[i] = cert_parse(&certs[i]);
		good = parsed[i];
	}
	s = good ? certs_to_pem(parsed, n) : NULL;
	for (unsigned int i = 0; parsed && i < n; i++)
		X509_free(parsed[i]);
	free(parsed);
	ERR_clear_error();
	return s;
}

char *key_to_pem(EVP_PKEY *key, size_t *len)
{
	PKCS8_PRIV_KEY_INFO *info = key ? EVP_PKEY2PKCS8(key) : NULL;
	BIO *bio = BIO_new(BIO_s_secmem());
	char *s = bio_take(bio, info && bio && PEM_write_bio_PKCS8_PRIV_KEY_INFO(bio, info), len);

	PKCS8_PRIV_KEY_INFO_free(info);
	return s;
}

char *pki_key_to_pem(const void *der, size_t len)
{
	const uint8_t *at = der;
	EVP_PKEY *key = len <= IKE_MAX_KEY_FILE ? d2i_AutoPrivateKey(NULL, &at, (long)len) : NULL;
	char *s = key && at == (const uint8_t *)der + len ? key_to_pem(key, NULL) : NULL;

	EVP_PKEY_free(key);
	ERR_clear_error();
	return s;
}

/* ---- opening ------------------------------------------------------------------------- */

struct contents {
	EVP_PKEY *key;
	X509 *cert;
	STACK_OF(X509) *others;
};

static void free_contents(struct contents *c)
{
	EVP_PKEY_free(c->key);
	X509_free(c->cert);
	sk_X509_pop_free(c->others, X509_free);
	memset(c, 0, sizeof(*c));
}

/* Has one of the errors of libcrypto that wait to be read this reason? Those that wait are read. */
struct causes {
	bool wrong_passphrase, unsupported;
	char first[128];
};

static void read_causes(struct causes *c)
{
	unsigned long e;

	memset(c, 0, sizeof(*c));
	while ((e = ERR_get_error())) {
		int lib = ERR_GET_LIB(e), reason = ERR_GET_REASON(e);
		const char *text = ERR_reason_error_string(e);

		c->wrong_passphrase |= lib == ERR_LIB_PKCS12 &&
				       reason == PKCS12_R_MAC_VERIFY_FAILURE;
		c->unsupported |= reason == ERR_R_UNSUPPORTED ||
				  (lib == ERR_LIB_EVP && (reason == EVP_R_UNSUPPORTED_ALGORITHM ||
							  reason == EVP_R_UNKNOWN_PBE_ALGORITHM ||
							  reason == EVP_R_UNSUPPORTED_CIPHER));
		if (!*c->first && text)
			snprintf(c->first, sizeof(c->first), "%s", text);
	}
}

/* Of a container without MAC a wrong passphrase is only seen by what comes out. */
static int explain(const PKCS12 *p12, const struct causes *c, char *err, size_t size)
{
	if (c->wrong_passphrase)
		snprintf(err, size, "cannot be opened: the passphrase is another one");
	else if (c->unsupported)
		snprintf(
			err, size,
			"is encrypted with RC2 or another old cipher, which OpenSSL has in its legacy provider only, and that is not installed (Debian 13: apt install openssl-provider-legacy); or export it anew with AES-256");
	else
		snprintf(err, size, "cannot be opened%s: %s",
			 PKCS12_mac_present(p12) ? ""
						 : ", perhaps as the passphrase is another one",
			 *c->first ? c->first : "it is damaged");
	return -1;
}

static bool parse(PKCS12 *p12, const char *passphrase, struct contents *out, struct causes *causes)
{
	bool good;

	ERR_clear_error();
	good = PKCS12_parse(p12, passphrase, &out->key, &out->cert, &out->others) == 1;
	if (!good)
		memset(out, 0, sizeof(*out));
	read_causes(causes);
	return good;
}

/* The contents, with the legacy provider, for as long as it takes, if need be, which *@old tells. */
static int open_contents(PKCS12 *p12, const char *passphrase, struct contents *out, bool *old,
			 char *err, size_t size)
{
	OSSL_PROVIDER *legacy = NULL;
	struct causes causes;
	bool good = parse(p12, passphrase, out, &causes);

	if (!good && causes.unsupported)
		legacy = OSSL_PROVIDER_try_load(NULL, "legacy", 1);
	if (legacy) {
		good = parse(p12, passphrase, out, &causes);
		OSSL_PROVIDER_unload(legacy);
	}
	*old = legacy;
	return good ? 0 : explain(p12, &causes, err, size);
}

/* Work that a container may demand before its passphrase is known to be right. */
static bool rounds_bounded(const PKCS12 *p12)
{
	const ASN1_INTEGER *rounds = NULL;

	PKCS12_get0_mac(NULL, NULL, NULL, &rounds, p12);
	return !rounds ||
	       (ASN1_INTEGER_get(rounds) >= 0 && ASN1_INTEGER_get(rounds) <= PKI_MAX_P12_ROUNDS);
}

/* ---- what goes where --------------------------------------------------------------------- */

struct sorted {
	X509 *chain[PKI_MAX_CERTS], *roots[PKI_MAX_P12_CERTS];
	unsigned int n_chain, n_roots;
};

static X509 *find_issuer(X509 *cert, STACK_OF(X509) *among)
{
	for (int i = 0; i < sk_X509_num(among); i++) {
		if (cert_is_issued_by(cert, sk_X509_value(among, i)))
			return sk_X509_value(among, i);
	}
	return NULL;
}

/* The chain ends where a root would come, which is not sent, or at the limit. */
static void sort_certs(const struct contents *c, struct sorted *out)
{
	X509 *next = c->cert;

	memset(out, 0, sizeof(*out));
	do {
		out->chain[out->n_chain++] = next;
		next = find_issuer(next, c->others);
	} while (next && !cert_is_issued_by(next, next) && out->n_chain < PKI_MAX_CERTS);
	for (int i = 0; i < sk_X509_num(c->others); i++) {
		X509 *cert = sk_X509_value(c->others, i);

		if (cert_is_issued_by(cert, cert))
			out->roots[out->n_roots++] = cert;
	}
}

/* Are key and chain such that the agent takes them? */
static int check_kept(const struct pki_p12 *p, int64_t now, char *err, size_t size)
{
	struct ike_public_key public = { 0 };
	struct ike_private_key private;
	struct pki_items items;
	char why[PKI_MAX_TEXT];
	int rc;

	if (ike_private_read(p->key, strlen(p->key), &private, &public, why, sizeof(why))) {
		snprintf(err, size, "has a private key that %s", why);
		return -1;
	}
	ike_wipe(&private, sizeof(private));
	if (pki_read(PKI_CERTS, p->chain, strlen(p->chain), &items, err, size))
		return -1;
	rc = pki_own_check(items.item, items.n, &(struct ike_iov){ public.spki, public.len }, now,
			   why, sizeof(why));
	pki_items_free(&items);
	snprintf(err, size, "%s%s",
		 !*why ? ""
		 : rc  ? "has what cannot be used: "
		       : "has a certificate that is soon too old: ",
		 why);
	return rc;
}

static int keep_contents(const struct contents *c, int64_t now, struct pki_p12 *out, char *err,
			 size_t size)
{
	struct sorted s;

	if (!c->key || !c->cert) {
		snprintf(err, size, "has no private key with its certificate%s",
			 c->key ? "; the key is there alone" : "");
		return -1;
	}
	if (sk_X509_num(c->others) > PKI_MAX_P12_CERTS) {
		snprintf(err, size, "has %d certificates: expected at most %d",
			 sk_X509_num(c->others), PKI_MAX_P12_CERTS);
		return -1;
	}
	sort_certs(c, &s);
	out->key = key_to_pem(c->key, NULL);
	out->chain = certs_to_pem(s.chain, s.n_chain);
	out->roots = s.n_roots ? certs_to_pem(s.roots, s.n_roots) : NULL;
	if (!out->key || !out->chain || (s.n_roots && !out->roots)) {
		snprintf(err, size, "has a key or a certificate that cannot be written in PEM");
		return -1;
	}
	return check_kept(out, now, err, size);
}

int pki_p12_open(const void *bytes, size_t len, const char *passphrase, int64_t now,
		 struct pki_p12 *out, char *err, size_t err_size)
{
	const uint8_t *at = bytes;
	PKCS12 *p12 = len <= PKI_MAX_P12 ? d2i_PKCS12(NULL, &at, (long)len) : NULL;
	struct contents c = { 0 };
	bool old = false;
	int rc = -1;

	*err = 0;
	memset(out, 0, sizeof(*out));
	if (!p12)
		snprintf(err, err_size, "is no PKCS#12 container");
	else if (!rounds_bounded(p12))
		snprintf(err, err_size, "has more than %d rounds for its MAC", PKI_MAX_P12_ROUNDS);
	else if (!open_contents(p12, passphrase, &c, &old, err, err_size))
		rc = keep_contents(&c, now, out, err, err_size);
	if (!rc && old && !*err)
		snprintf(
			err, err_size,
			"is encrypted with an old cipher (RC2), which protects nothing: destroy the file, as its key is in others now");
	if (rc)
		pki_p12_clear(out);
	free_contents(&c);
	PKCS12_free(p12);
	ERR_clear_error();
	return rc;
}

bool pki_p12_is_meant(const void *bytes, size_t len)
{
	static const uint8_t version[] = { 0x02, 0x01, 0x03 }; /* INTEGER 3 (RFC 7292 4) */
	const uint8_t *p = bytes;

	/* SEQUENCE, its length in one of the forms of BER, and the version. */
	for (size_t head = 2; head <= 6 && head + sizeof(version) <= len && p[0] == 0x30; head++) {
		if (!memcmp(p + head, version, sizeof(version)))
			return true;
	}
	return false;
}

void pki_p12_clear(struct pki_p12 *p)
{
	if (p->key)
		ike_wipe(p->key, strlen(p->key));
	free(p->key);
	free(p->chain);
	free(p->roots);
	memset(p, 0, sizeof(*p));
}
