/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A small CA (RFC 5280): private keys, certificates, CRLs and PKCS#12 files (RFC 7292) as `esptun ca` makes
 * them. As all of this folder it has no clock, no file and no state: bytes and the time come in, and text or DER
 * comes out. Its randomness is the library's.
 *
 * There is one level: a root, which signs the certificates of ends and nothing else (path length 0).
 */
#ifndef ESPTUN_IKE_ISSUE_H
#define ESPTUN_IKE_ISSUE_H

#include "ike/proto/ikev2.h"
#include "ike/crypto/sign.h"

enum issue_limits {
	ISSUE_SERIAL =
		16, /* bytes of a serial number, which are random but for the first not being 0 */
	ISSUE_MAX_NAME = 64, /* bytes of a common name (RFC 5280 A.1) */
	ISSUE_MAX_SAN = 16,
	ISSUE_MAX_REVOKED = 100000, /* entries of a CRL */
};

/* A kind of private key that is made here. */
struct issue_kind {
	const char *word;
	const char *takes; /* which peers verify its signatures, for people */
};

/* Kind @i, from 0 on, the default first; NULL behind the last. */
const struct issue_kind *issue_kind_get(unsigned int i);
/* NULL if no kind has that word. */
const struct issue_kind *issue_kind_find(const char *word);

/* Bytes that a function here made: PEM or DER, with a NUL behind it that len does not count. */
struct issue_bytes {
	char *data; /* NULL: none */
	size_t len;
};

/* Wipes, for a private key may be in it, and frees. */
void issue_bytes_clear(struct issue_bytes *b);

/* A new private key of the kind in PEM (PKCS#8). 0 or -1. */
int issue_key(const struct issue_kind *kind, struct issue_bytes *out);

/* The key @key encrypted with @passphrase (PBES2 with AES-256 and 600,000 rounds), in PEM. 0 or -1. */
int issue_seal_key(const struct issue_bytes *key, const struct ike_iov *passphrase,
		   struct issue_bytes *out);

/* What stands in a certificate. */
struct issue_order {
	const char *name; /* CN, of printable ASCII, 1 to ISSUE_MAX_NAME bytes */
	const struct ike_id *san; /* ID_FQDN, ID_RFC822_ADDR, ID_IPV4_ADDR, ID_IPV6_ADDR */
	unsigned int n_san;
	bool server, client; /* which ends it is for: serverAuth, clientAuth; both, too */
	int64_t from, until; /* seconds since 1970 */
	uint8_t serial[ISSUE_SERIAL]; /* issue_serial() */
};

/* A random serial number. 0, or -1 without randomness. */
int issue_serial(uint8_t serial[ISSUE_SERIAL]);

/* The CA's own certificate, signed by itself, in PEM. @key: as of issue_key(), not encrypted. 0 or -1 with a sentence. */
int issue_root(const struct issue_order *order, const struct issue_bytes *key,
	       struct issue_bytes *cert, char *err, size_t size);

/* A CA that can sign. */
struct issuer;

/*
 * From its certificate and its key, both in PEM as files have them; @passphrase NULL: there is none. The key has to be
 * that of the certificate. NULL with a sentence in @err, and *@needs_passphrase says whether one is missing.
 */
struct issuer *issuer_open(const struct issue_bytes *cert, const struct issue_bytes *key,
			   const struct ike_iov *passphrase, bool *needs_passphrase, char *err,
			   size_t size);
void issuer_close(struct issuer *ca);
/* When the CA's certificate ends; seconds since 1970. */
int64_t issuer_until(const struct issuer *ca);

/* A certificate for the key @key (PEM, not encrypted), in PEM. 0 or -1 with a sentence. */
int issue_leaf(const struct issuer *ca, const struct issue_order *order,
	       const struct issue_bytes *key, struct issue_bytes *cert, char *err, size_t size);

/* A certificate that is revoked. */
struct issue_revoked {
	uint8_t serial[ISSUE_SERIAL];
	int64_t at; /* seconds since 1970 */
};

/* The CRL of that number (RFC 5280 5.2.3), valid from @from until @until, in PEM. 0 or -1. */
int issue_crl(const struct issuer *ca, uint32_t number, int64_t from, int64_t until,
	      const struct issue_revoked *revoked, unsigned int n, struct issue_bytes *crl);

/* How a PKCS#12 file is encrypted. */
enum issue_p12 {
	ISSUE_P12_3DES, /* 3DES and SHA-1, which all systems read: the passphrase has to be a random one */
	ISSUE_P12_AES, /* AES-256 and SHA-256, for newer systems */
};

/* @key, @cert and the CA's certificate @root, all in PEM, as PKCS#12 in DER, shown as @name. 0 or -1 with a sentence. */
int issue_p12(enum issue_p12 how, const struct issue_bytes *key, const struct issue_bytes *cert,
	      const struct issue_bytes *root, const char *name, const char *passphrase,
	      struct issue_bytes *out, char *err, size_t size);

/* The first certificate of PEM text, in DER. 0, or -1: there is none. */
int issue_der(const struct issue_bytes *pem, struct issue_bytes *der);

#endif
