// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Bytes of files as certificates, CRLs and OCSP responses; and the trust store that is made of them.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>

#include "ike/pki/pki_int.h"

/* ---- files ----------------------------------------------------------------------- */

static const struct kind {
	const char *what, *one;
	const char *blocks[3]; /* names of PEM blocks; NULL: no further one */
} kinds[] = {
	[PKI_CERTS] = { "certificate", "a certificate", { PEM_STRING_X509, PEM_STRING_X509_OLD } },
	[PKI_CRLS] = { "CRL", "a CRL", { PEM_STRING_X509_CRL } },
	[PKI_RESPONSES] = { "OCSP response", "an OCSP response", { "OCSP RESPONSE" } },
};

/* An allocated copy of the one object that the bytes are; len 0: none. */
static struct ike_iov copy_object(enum pki_kind kind, const uint8_t *bytes, size_t len)
{
	struct ike_iov in = { bytes, len };
	const uint8_t *p = bytes;
	X509 *cert;
	X509_CRL *crl;
	OCSP_RESPONSE *response;
	uint8_t *der = NULL;
	int n = 0;

	if (!len || len > PKI_MAX_FILE)
		return (struct ike_iov){ 0 };
	switch (kind) {
	case PKI_CERTS:
		cert = cert_parse(&in);
		n = cert ? i2d_X509(cert, &der) : 0;
		X509_free(cert);
		break;
	case PKI_CRLS:
		crl = d2i_X509_CRL(NULL, &p, (long)len);
		n = crl && p == bytes + len ? i2d_X509_CRL(crl, &der) : 0;
		X509_CRL_free(crl);
		break;
	case PKI_RESPONSES:
		response = d2i_OCSP_RESPONSE(NULL, &p, (long)len);
		n = response && p == bytes + len ? i2d_OCSP_RESPONSE(response, &der) : 0;
		OCSP_RESPONSE_free(response);
		break;
	}
	return (struct ike_iov){ der, n > 0 ? (size_t)n : 0 };
}

void pki_items_free(struct pki_items *items)
{
	for (unsigned int i = 0; i < items->n; i++)
		OPENSSL_free((void *)items->item[i].base);
	free(items->item);
	*items = (struct pki_items){ 0 };
}

static bool add_item(enum pki_kind kind, const uint8_t *bytes, size_t len, struct pki_items *items)
{
	struct ike_iov object = copy_object(kind, bytes, len), *more;

	if (!object.len)
		return false;
	more = realloc(items->item, (items->n + 1) * sizeof(*more));
	if (!more) {
		OPENSSL_free((void *)object.base);
		return false;
	}
	items->item = more;
	items->item[items->n++] = object;
	return true;
}

static bool is_of_kind(enum pki_kind kind, const char *block)
{
	for (const char *const *name = kinds[kind].blocks; *name; name++)
		if (!strcmp(*name, block))
			return true;
	return false;
}

/* All blocks of PEM. 0; or -1 with a sentence. */
static int read_pem(enum pki_kind kind, BIO *bio, struct pki_items *items, char *err,
		    size_t err_size)
{
	char other[64] = "", *name, *header;
	unsigned int block = 0;
	uint8_t *data;
	bool good = true;
	long len;

	while (good && PEM_read_bio(bio, &name, &header, &data, &len)) {
		block++;
		if (!is_of_kind(kind, name))
			snprintf(other, sizeof(other), "%s", name);
		else if (items->n == PKI_MAX_FILE_ITEMS ||
			 !add_item(kind, data, (size_t)len, items))
			good = false;
		OPENSSL_free(name);
		OPENSSL_free(header);
		OPENSSL_clear_free(data, (size_t)len);
	}
	if (!good && items->n == PKI_MAX_FILE_ITEMS)
		snprintf(err, err_size, "expected at most %d objects", PKI_MAX_FILE_ITEMS);
	else if (!good)
		snprintf(err, err_size, "block %u is no %s", block, kinds[kind].what);
	else if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
		snprintf(err, err_size, "block %u is damaged", block + 1);
	else if (!items->n && *other)
		snprintf(err, err_size, "expected a block BEGIN %s, and there is BEGIN %s",
			 kinds[kind].blocks[0], other);
	else if (!items->n)
		snprintf(err, err_size, "expected a block BEGIN %s", kinds[kind].blocks[0]);
	else
		return 0;
	return -1;
}

int pki_read(enum pki_kind kind, const void *bytes, size_t len, struct pki_items *items, char *err,
	     size_t err_size)
{
	BIO *bio;
	int rc = -1;

	*items = (struct pki_items){ 0 };
	snprintf(err, err_size, "expected %s, PEM or DER", kinds[kind].one);
	if (!len || len > PKI_MAX_FILE)
		return -1;
	if (!memmem(bytes, len, "-----BEGIN ", 11))
		return add_item(kind, bytes, len, items) ? 0 : -1;
	bio = BIO_new_mem_buf(bytes, (int)len);
	ERR_clear_error();
	if (bio)
		rc = read_pem(kind, bio, items, err, err_size);
	ERR_clear_error();
	BIO_free(bio);
	if (rc)
		pki_items_free(items);
	return rc;
}

/* ---- the trust store ------------------------------------------------------------- */

static int add_hash(struct pki_trust *t, const X509 *cert)
{
	uint8_t hash[PKI_HASH_LEN], *der = NULL;
	int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
	struct ike_iov part = { der, len > 0 ? (size_t)len : 0 };
	int rc = len > 0 ? ike_sha1(&part, 1, hash) : -1;

	OPENSSL_free(der);
	if (rc)
		return -1;
	for (unsigned int i = 0; i < t->n_hashes; i++)
		if (!memcmp(t->hashes + i * PKI_HASH_LEN, hash, PKI_HASH_LEN))
			return 0;
	memcpy(t->hashes + t->n_hashes++ * PKI_HASH_LEN, hash, PKI_HASH_LEN);
	return 0;
}

/* Takes @cert in any case. */
static int add_anchor(struct pki_trust *t, X509 *cert, unsigned int number, char *err,
		      size_t err_size)
{
	char name[NAME_TEXT], what[NAME_TEXT];

	if (!cert) {
		snprintf(err, err_size, "certificate %u is none", number);
		return -1;
	}
	for (int i = 0; i < sk_X509_num(t->anchors); i++) {
		if (!X509_cmp(sk_X509_value(t->anchors, i), cert)) {
			X509_free(cert);
			return 0;
		}
	}
	subject_text(name, cert);
	if (X509_check_ca(cert) != 1)
		snprintf(
			err, err_size,
			"the certificate '%s' is not that of a CA (its basicConstraints do not say "
			"CA:TRUE, or its keyUsage has no keyCertSign); the certificate of a peer is "
			"nothing to trust others by",
			name);
	else if (key_judge(X509_get0_pubkey(cert), PKI_ALLOW_SHORT_RSA, what) != KEY_FINE)
		snprintf(err, err_size, "the key of the CA '%s' is %s", name, what);
	else if (!add_hash(t, cert) && sk_X509_push(t->anchors, cert) > 0)
		return 0;
	else
		snprintf(err, err_size, "not enough memory");
	X509_free(cert);
	return -1;
}

static int add_crl(struct pki_trust *t, const struct ike_iov *der)
{
	const uint8_t *p = der->base;
	X509_CRL *crl = der->len <= PKI_MAX_FILE ? d2i_X509_CRL(NULL, &p, (long)der->len) : NULL;

	if (crl && sk_X509_CRL_push(t->crls, crl) > 0)
		return 0;
	X509_CRL_free(crl);
	return -1;
}

static int fill_trust(struct pki_trust *t, const struct ike_iov *cas, unsigned int n_cas,
		      const struct ike_iov *crls, unsigned int n_crls, char *err, size_t err_size)
{
	for (unsigned int i = 0; i < n_cas; i++)
		if (add_anchor(t, cert_parse(&cas[i]), i + 1, err, err_size))
			return -1;
	for (unsigned int i = 0; i < n_crls; i++) {
		if (add_crl(t, &crls[i])) {
			snprintf(err, err_size, "CRL %u is none", i + 1);
			return -1;
		}
	}
	return 0;
}

struct pki_trust *pki_trust_new(const struct ike_iov *cas, unsigned int n_cas,
				const struct ike_iov *crls, unsigned int n_crls, char *err,
				size_t err_size)
{
	struct pki_trust *t = calloc(1, sizeof(*t));

	snprintf(err, err_size, "not enough memory");
	if (!t)
		return NULL;
	if (!n_cas || n_cas > PKI_MAX_ANCHORS) {
		snprintf(err, err_size, "expected 1 to %d certificates of CAs, and there are %u",
			 PKI_MAX_ANCHORS, n_cas);
		free(t);
		return NULL;
	}
	t->anchors = sk_X509_new_null();
	t->crls = sk_X509_CRL_new_null();
	t->hashes = malloc((size_t)n_cas * PKI_HASH_LEN);
	if (t->anchors && t->crls && t->hashes &&
	    !fill_trust(t, cas, n_cas, crls, n_crls, err, err_size))
		return t;
	pki_trust_free(t);
	return NULL;
}

void pki_trust_free(struct pki_trust *t)
{
	if (!t)
		return;
	sk_X509_pop_free(t->anchors, X509_free);
	sk_X509_CRL_pop_free(t->crls, X509_CRL_free);
	free(t->hashes);
	free(t);
}

bool pki_trust_same(const struct pki_trust *a, const struct pki_trust *b)
{
	int n = sk_X509_num(a->anchors), n_crls = sk_X509_CRL_num(a->crls);

	if (n != sk_X509_num(b->anchors) || n_crls != sk_X509_CRL_num(b->crls))
		return false;
	for (int i = 0; i < n; i++)
		if (X509_cmp(sk_X509_value(a->anchors, i), sk_X509_value(b->anchors, i)))
			return false;
	for (int i = 0; i < n_crls; i++)
		if (X509_CRL_match(sk_X509_CRL_value(a->crls, i), sk_X509_CRL_value(b->crls, i)))
			return false;
	return true;
}

const uint8_t *pki_trust_hashes(const struct pki_trust *t, unsigned int *n)
{
	*n = t->n_hashes;
	return t->hashes;
}

static bool crl_revokes(X509_CRL *crl, const struct pki_serial *s)
{
	const uint8_t *p = s->der;
	X509_REVOKED *entry;
	ASN1_INTEGER *serial;
	bool is;

	if (!s->len ||
	    (uint32_t)X509_NAME_hash_ex(X509_CRL_get_issuer(crl), NULL, NULL, NULL) != s->issuer)
		return false;
	serial = d2i_ASN1_INTEGER(NULL, &p, s->len);
	/* 2: it says removeFromCRL */
	is = serial && X509_CRL_get0_by_serial(crl, &entry, serial) == 1;
	ASN1_INTEGER_free(serial);
	return is;
}

bool pki_trust_revokes(const struct pki_trust *t, const struct pki_serial *path, unsigned int n)
{
	for (int i = 0; i < sk_X509_CRL_num(t->crls); i++) {
		for (unsigned int k = 0; k < n; k++)
			if (crl_revokes(sk_X509_CRL_value(t->crls, i), &path[k]))
				return true;
	}
	return false;
}

struct pki_crl {
	X509_CRL *crl;
};

struct pki_crl *pki_crl_open(const struct ike_iov *der)
{
	struct pki_crl *c = malloc(sizeof(*c));
	const uint8_t *p = der->base;

	if (!c)
		return NULL;
	c->crl = d2i_X509_CRL(NULL, &p, (long)der->len);
	if (c->crl)
		return c;
	free(c);
	return NULL;
}

bool pki_crl_revokes(const struct pki_crl *c, const uint8_t key[static PKI_HASH_LEN],
		     const struct pki_serial *path, unsigned int n)
{
	for (unsigned int k = 0; k < n; k++) {
		if (!memcmp(path[k].key, key, PKI_HASH_LEN) && crl_revokes(c->crl, &path[k]))
			return true;
	}
	return false;
}

void pki_crl_free(struct pki_crl *c)
{
	if (!c)
		return;
	X509_CRL_free(c->crl);
	free(c);
}
