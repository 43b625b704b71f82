/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of this folder share; only they include it. */
#ifndef ESPTUN_IKE_PKI_INT_H
#define ESPTUN_IKE_PKI_INT_H

#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "ike/pki/pki.h"
#include "ike/proto/text.h"

struct pki_trust {
	STACK_OF(X509) *anchors;
	STACK_OF(X509_CRL) *crls;
	uint8_t *hashes; /* PKI_HASH_LEN bytes of each key of an anchor */
	unsigned int n_hashes;
};

/* ---- cert.c ------------------------------------------------------------------------------ */

/* Exactly one certificate in DER, whose extensions parse; NULL if the bytes are none. */
X509 *cert_parse(const struct ike_iov *der);

enum {
	NAME_TEXT = 200, /* bytes of a DN in a sentence */
	TIME_TEXT = 32
};
/* The subject, the issuer, as DN; "(no name)" if it is empty. @buf has NAME_TEXT bytes. */
char *name_text(char *buf, const X509_NAME *name);
char *subject_text(char *buf, const X509 *cert);
char *issuer_text(char *buf, const X509 *cert);
/* "2026-11-30 00:50:00 UTC". @buf has TIME_TEXT bytes. */
char *time_text(char *buf, int64_t time);
/* Seconds since 1970; -1 if it is no time. */
int64_t time_value(const ASN1_TIME *time);
/* The names that the certificate is for, at most four: "'a', 'b' and 3 others"; "nobody" without one. */
void add_cert_ids(struct text *out, const X509 *cert);
/* Is the CN, of which there is one, the host name @id? */
bool cert_has_cn(const X509 *cert, const struct ike_id *id);
bool cert_is_for(const X509 *cert, const struct ike_id *id, unsigned int flags);

enum key_fault {
	KEY_FINE,
	KEY_WEAK, /* or of a kind that we do not use */
	KEY_COSTLY, /* so large that to verify a signature with it is work that a stranger could have us do */
};
/* @what, of NAME_TEXT bytes, says what the key is, as "RSA with 1024 bits"; NULL key: none that we know. */
enum key_fault key_judge(EVP_PKEY *key, unsigned int flags, char *what);
/* Microseconds to verify a signature with it, about; 0 if that is not done. */
unsigned int key_cost(const EVP_PKEY *key);
/* NULL, or the name of an algorithm that no signature should have; @flags: enum pki_flag. */
const char *signature_fault(const X509_ALGOR *algorithm, unsigned int flags);
/* Of a leaf: may its key sign? KeyUsage, if it is there, has digitalSignature or nonRepudiation. */
bool cert_may_sign(X509 *cert);
/* By name, usage and signature? */
bool cert_is_issued_by(X509 *cert, X509 *issuer);

/* What CRLs of @issuer name the certificate by. */
struct pki_serial cert_serial(const X509 *cert, const X509 *issuer);

/* ---- chain.c, explain.c ------------------------------------------------------------------ */

/* What one pki_verify() has in hand. */
struct pki_job {
	const struct pki_query *q;
	struct pki_result *r;
	X509 *leaf; /* the first of … */
	STACK_OF(X509) *sent; /* what the peer sent, without duplicates */
	X509_STORE *store;
	STACK_OF(X509) *path; /* from the leaf to an anchor; NULL until there is one */
};

/* Writes the sentence; @verdict. */
__attribute__((format(printf, 3, 4))) enum pki_verdict
refuse(struct pki_result *r, enum pki_verdict verdict, const char *fmt, ...);
/* The key, or else the signature, of @cert is weak; PKI_TRUSTED if neither is. An anchor's signature is nothing. */
enum pki_verdict judge_algorithms(struct pki_job *j, X509 *cert, bool anchor);
/* What X509_verify_cert() found, as a verdict and a sentence. */
enum pki_verdict explain_fault(struct pki_job *j, X509_STORE_CTX *ctx);

/* ---- revocation.c ------------------------------------------------------------------------ */

/*
 * CRLs and OCSP responses about the certificates of @path, which is verified and ends with an anchor. @store has the anchors and the time of @query, @untrusted what the peer sent. PKI_TRUSTED,
 * PKI_REVOKED or PKI_STATUS_MISSING, or PKI_FAILED; with text and needs, but for PKI_TRUSTED.
 */
enum pki_verdict check_revocation(const struct pki_query *query, X509_STORE *store,
				  STACK_OF(X509) *path, STACK_OF(X509) *untrusted,
				  struct pki_result *result);

/* ---- convert.c --------------------------------------------------------------------------- */

/*
 * What was written to @bio, which is freed, with a NUL behind it that *@len, which may be NULL, does not count; to free.
 * NULL: unless @written, or nothing was, or no memory.
 */
char *bio_take(BIO *bio, bool written, size_t *len);
/* The key, which may be NULL, as PKCS#8 in PEM, likewise; it is to be wiped. */
char *key_to_pem(EVP_PKEY *key, size_t *len);

#endif
