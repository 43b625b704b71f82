// SPDX-License-Identifier: GPL-2.0-or-later
/* Our own certificates before they are sent. */
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/ocsp.h>

#include "ike/pki/pki_int.h"

enum { WARN_DAYS = 30, DAY = 86400 };

static bool is_key(const EVP_PKEY *key, const struct ike_iov *spki)
{
	const uint8_t *p = spki->base;
	EVP_PKEY *known = spki->len && spki->len <= IKE_MAX_SPKI
				  ? d2i_PUBKEY(NULL, &p, (long)spki->len)
				  : NULL;
	bool is = known && p == (const uint8_t *)spki->base + spki->len &&
		  EVP_PKEY_eq(known, key) == 1;

	EVP_PKEY_free(known);
	return is;
}

bool pki_cert_has_key(const struct ike_iov *der, const struct ike_iov *spki)
{
	X509 *cert = cert_parse(der);
	bool has = cert && is_key(X509_get0_pubkey(cert), spki);

	X509_free(cert);
	ERR_clear_error();
	return has;
}

static int check_leaf(X509 *leaf, const struct ike_iov *spki, int64_t now, struct text *err)
{
	int64_t begin = time_value(X509_get0_notBefore(leaf)),
		end = time_value(X509_get0_notAfter(leaf));
	char name[NAME_TEXT], what[NAME_TEXT], when[TIME_TEXT], clock[TIME_TEXT];

	subject_text(name, leaf);
	time_text(clock, now);
	if (key_judge(X509_get0_pubkey(leaf), PKI_ALLOW_SHORT_RSA, what) != KEY_FINE)
		text_add(err, "the key of the certificate '%s' is %s", name, what);
	else if (spki && !is_key(X509_get0_pubkey(leaf), spki))
		text_add(err, "the private key is not that of the certificate '%s'", name);
	else if (!cert_may_sign(leaf))
		text_add(
			err,
			"the key of the certificate '%s' is not for signing (its keyUsage has neither "
			"digitalSignature nor nonRepudiation)",
			name);
	else if (now < begin)
		text_add(err, "the certificate '%s' is valid from %s on, and the clock says %s",
			 name, time_text(when, begin), clock);
	else if (now > end)
		text_add(err, "the certificate '%s' expired on %s, and the clock says %s", name,
			 time_text(when, end), clock);
	return err->len ? -1 : 0;
}

bool cert_is_issued_by(X509 *cert, X509 *issuer)
{
	return X509_check_issued(issuer, cert) == X509_V_OK &&
	       X509_verify(cert, X509_get0_pubkey(issuer)) == 1;
}

static int check_order(X509 **certs, unsigned int n, struct text *err)
{
	char name[NAME_TEXT], next[NAME_TEXT];

	for (unsigned int i = 0; i + 1 < n; i++) {
		if (cert_is_issued_by(certs[i], certs[i + 1]))
			continue;
		text_add(
			err,
			"the certificate '%s' is not issued by '%s', which comes behind it: expected "
			"the own certificate first, then each CA's in turn",
			subject_text(name, certs[i]), subject_text(next, certs[i + 1]));
		return -1;
	}
	return 0;
}

/* The leaf is good for now: does it end soon? */
static void warn_of_end(const X509 *leaf, int64_t now, struct text *err)
{
	int64_t end = time_value(X509_get0_notAfter(leaf));
	char name[NAME_TEXT], when[TIME_TEXT];

	if (end - now < WARN_DAYS * DAY)
		text_add(err, "the certificate '%s' expires on %s", subject_text(name, leaf),
			 time_text(when, end));
}

int pki_own_check(const struct ike_iov *certs, unsigned int n, const struct ike_iov *spki,
		  int64_t now, char *err, size_t err_size)
{
	struct text out = text_init(err, err_size);
	X509 *parsed[PKI_MAX_CERTS] = { 0 };
	size_t all = 0;
	int rc = -1;

	if (!n || n > PKI_MAX_CERTS) {
		text_add(&out, "expected 1 to %d certificates, and there are %u", PKI_MAX_CERTS, n);
		return -1;
	}
	for (unsigned int i = 0; i < n && !out.len; i++) {
		all += certs[i].len;
		parsed[i] = cert_parse(&certs[i]);
		if (!parsed[i])
			text_add(&out, "certificate %u is none", i + 1);
		else if (all > PKI_MAX_ALL)
			text_add(&out,
				 "with certificate %u they have %zu bytes, and %d fit in a message",
				 i + 1, all, PKI_MAX_ALL);
	}
	if (!out.len && !check_leaf(parsed[0], spki, now, &out) && !check_order(parsed, n, &out)) {
		warn_of_end(parsed[0], now, &out);
		rc = 0;
	}
	for (unsigned int i = 0; i < n; i++)
		X509_free(parsed[i]);
	ERR_clear_error();
	return rc;
}

int64_t pki_crl_check(const struct ike_iov *der, int64_t now, char *err, size_t err_size)
{
	const uint8_t *p = der->base;
	X509_CRL *crl = der->len <= PKI_MAX_FILE ? d2i_X509_CRL(NULL, &p, (long)der->len) : NULL;
	char issuer[NAME_TEXT], when[TIME_TEXT], clock[TIME_TEXT];
	const ASN1_TIME *next = crl ? X509_CRL_get0_nextUpdate(crl) : NULL;
	int64_t from, due = next ? time_value(next) : INT64_MAX;

	*err = 0;
	if (!crl)
		return INT64_MAX;
	from = time_value(X509_CRL_get0_lastUpdate(crl));
	name_text(issuer, X509_CRL_get_issuer(crl));
	time_text(clock, now);
	if (due < now)
		snprintf(
			err, err_size,
			"the CRL of '%s' is too old: the next one was due on %s, and this machine's clock says %s",
			issuer, time_text(when, due), clock);
	else if (from > now)
		snprintf(
			err, err_size,
			"the CRL of '%s' is from the future: it is valid from %s on, and this machine's clock says %s",
			issuer, time_text(when, from), clock);
	X509_CRL_free(crl);
	return due;
}

/* -1: it has none. */
static int64_t crl_number(X509_CRL *crl)
{
	ASN1_INTEGER *number = X509_CRL_get_ext_d2i(crl, NID_crl_number, NULL, NULL);
	int64_t value = -1;

	if (number && (ASN1_INTEGER_get_int64(&value, number) != 1 || value < 0))
		value = -1; /* RFC 5280 allows 20 bytes; then the date has to do */
	ASN1_INTEGER_free(number);
	return value;
}

static bool explain_older(X509_CRL *crl, X509_CRL *former, char *err, size_t err_size)
{
	int64_t from = time_value(X509_CRL_get0_lastUpdate(crl));
	int64_t before = time_value(X509_CRL_get0_lastUpdate(former));
	int64_t number = crl_number(crl), last = crl_number(former);
	char a[TIME_TEXT], b[TIME_TEXT];

	if (number >= 0 && last >= 0 && number < last)
		snprintf(
			err, err_size,
			"the CRL from there has the number %lld, and the one from before has %lld: it is an older one",
			(long long)number, (long long)last);
	else if (from < before)
		snprintf(
			err, err_size,
			"the CRL from there is of %s, and the one from before of %s: it is an older one",
			time_text(a, from), time_text(b, before));
	else
		return false;
	return true;
}

bool pki_crl_is_older(const struct ike_iov *der, const struct ike_iov *old, char *err,
		      size_t err_size)
{
	const uint8_t *p = der->base, *q = old->base;
	X509_CRL *crl = d2i_X509_CRL(NULL, &p, (long)der->len);
	X509_CRL *former = d2i_X509_CRL(NULL, &q, (long)old->len);
	bool is = crl && former &&
		  !X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_CRL_get_issuer(former)) &&
		  explain_older(crl, former, err, err_size);

	X509_CRL_free(crl);
	X509_CRL_free(former);
	return is;
}

/* What the response says about the certificate with that serial number; NULL: nothing. */
static OCSP_SINGLERESP *find_single(OCSP_BASICRESP *basic, const X509 *leaf)
{
	for (int i = 0; i < OCSP_resp_count(basic); i++) {
		OCSP_SINGLERESP *single = OCSP_resp_get0(basic, i);
		ASN1_INTEGER *serial = NULL;

		OCSP_id_get0_info(NULL, NULL, NULL, &serial,
				  (OCSP_CERTID *)OCSP_SINGLERESP_get0_id(single));
		if (!ASN1_INTEGER_cmp(serial, X509_get0_serialNumber(leaf)))
			return single;
	}
	return NULL;
}

static int judge_single(OCSP_SINGLERESP *single, const X509 *leaf, int64_t now, struct text *err)
{
	ASN1_GENERALIZEDTIME *from = NULL, *until = NULL;
	char name[NAME_TEXT], a[TIME_TEXT], b[TIME_TEXT], clock[TIME_TEXT];
	int64_t begin, end;

	subject_text(name, leaf);
	if (OCSP_single_get0_status(single, NULL, NULL, &from, &until) != V_OCSP_CERTSTATUS_GOOD) {
		text_add(err, "the OCSP response does not say that the certificate '%s' is good",
			 name);
		return -1;
	}
	begin = time_value(from);
	end = until ? time_value(until) : begin + PKI_OCSP_AGE;
	if (begin > now + PKI_OCSP_SKEW || end < now - PKI_OCSP_SKEW) /* as we take others' */
		text_add(
			err,
			"the OCSP response is for %s to %s, and this machine's clock says %s: peers do not take it",
			time_text(a, begin), time_text(b, end), time_text(clock, now));
	return 0;
}

int pki_own_response_check(const struct ike_iov *der, const struct ike_iov *cert, int64_t now,
			   char *err, size_t err_size)
{
	const uint8_t *p = der->base;
	OCSP_RESPONSE *response =
		der->len <= PKI_MAX_CERT ? d2i_OCSP_RESPONSE(NULL, &p, (long)der->len) : NULL;
	OCSP_BASICRESP *basic = response ? OCSP_response_get1_basic(response) : NULL;
	struct text out = text_init(err, err_size);
	X509 *leaf = cert_parse(cert);
	OCSP_SINGLERESP *single = basic && leaf ? find_single(basic, leaf) : NULL;
	char name[NAME_TEXT];
	int rc = -1;

	if (single)
		rc = judge_single(single, leaf, now, &out);
	else if (basic && leaf)
		text_add(&out, "the OCSP response is not about the certificate '%s' of Cert=",
			 subject_text(name, leaf));
	else
		text_add(&out, "expected an OCSP response of at most %d bytes, which answers",
			 PKI_MAX_CERT);
	X509_free(leaf);
	OCSP_BASICRESP_free(basic);
	OCSP_RESPONSE_free(response);
	ERR_clear_error();
	return rc;
}
