/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Certificates, CRLs and OCSP responses of any kind, made by libcrypto for tests. Fails the test if it cannot. */
#ifndef ESPTUN_TEST_CERT_MAKER_H
#define ESPTUN_TEST_CERT_MAKER_H

#include <openssl/x509.h>

#include "ike/crypto/crypto.h"

enum {
	MAKER_DAY = 86400,
	MAKER_NOW = 1767225600, /* 2026-01-01 00:00:00 UTC, the middle of what is made */
	MAKER_EXTS = 12,
};

struct made {
	X509 *cert;
	EVP_PKEY *key;
	struct ike_iov der;
};

struct recipe {
	const char *subject; /* as an identity; "": an empty name */
	const struct made *issuer; /* NULL: it signs itself */
	const char *
		key; /* "P-256" if NULL; "P-384", "P-521", "P-192", "ED25519", "ED448", "RSA-2048", "PSS-2048", "EXPLICIT-P-256", "FAKE-9000-17": RSA with such a modulus and exponent ... */
	const char *hash; /* "SHA256" if NULL */
	int64_t from, until; /* seconds; a year before and after MAKER_NOW if 0 */
	const char *serial; /* hexadecimal; a counter if NULL */
	const char *ext[MAKER_EXTS]; /* "basicConstraints=critical,CA:TRUE", as in openssl.cnf */
	bool same_key; /* as the issuer has */
};

/* The certificate; freed by maker_free(). */
struct made maker_cert(const struct recipe *r);
/* A usual CA, a usual leaf with one name in subjectAltName ("DNS:a.example"). */
struct made maker_ca(const char *subject, const struct made *issuer);
struct made maker_leaf(const char *subject, const struct made *issuer, const char *san);
void maker_free(struct made *m);
/* The SPKI of its key, to be freed with maker_free_der(). */
struct ike_iov maker_spki(const struct made *m);
struct ike_iov maker_pem(const struct made *m);
void maker_free_der(struct ike_iov *der);

struct crl_recipe {
	const struct made *issuer;
	const struct made *revoked; /* NULL: none */
	int reason; /* of RFC 5280 5.3.1; -1: it does not say */
	int64_t from, until; /* a day before and after MAKER_NOW if 0 */
	const char *hash;
	const char *ext; /* one more extension */
};

struct ike_iov maker_crl(const struct crl_recipe *r);

struct ocsp_recipe {
	const struct made *issuer; /* of the certificate */
	const struct made *signer; /* NULL: the issuer */
	const struct made *cert;
	int status; /* V_OCSP_CERTSTATUS_... */
	int64_t from, until; /* a day before and after MAKER_NOW if 0; until -1: it does not say */
	const char *hash, *id_hash; /* of the signature, of the certificate's name */
};

struct ike_iov maker_ocsp(const struct ocsp_recipe *r);

#endif
