/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * X.509 certificates (RFC 5280) as IKEv2 uses them (RFC 4945, RFC 7296 3.6): which CAs are trusted,
 * whether what a peer sent proves its identity, and what is said if not. CRLs, and OCSP responses
 * (RFC 6960, 4806). Raw public keys are in crypto/sign.h.
 *
 * The module has no clock, no file, no network and no state beside its arguments (but for trust_share.h):
 * bytes and the time come in, a verdict and a sentence come out. It is one of the two users of libcrypto. Nothing of what
 * libcrypto finds by itself is used: no default folder of CAs, no environment variable, no system time.
 * Different threads may use one trust store at a time.
 *
 * Words: the leaf is the certificate that has the peer's key; an anchor is a CA of the trust store;
 * SPKI is a SubjectPublicKeyInfo (RFC 5280 4.1.2.7), in DER.
 */
#ifndef ESPTUN_IKE_PKI_H
#define ESPTUN_IKE_PKI_H

#include "ike/crypto/sign.h"

enum pki_limits {
	/* Of a peer, before anything of it is looked at: */
	PKI_MAX_CERTS = 8, /* certificates */
	PKI_MAX_CERT = 12 * 1024, /* bytes of one, and of one stapled OCSP response */
	/* Bytes of all certificates together: an IKE_AUTH message of 16 KiB has room for the rest. */
	PKI_MAX_ALL = 12 * 1024,
	PKI_MAX_CRLS = 64, /* CRLs of a query */
	PKI_MAX_BETWEEN = 5, /* certificates of CAs between the leaf and an anchor */
	/* Of our own files: */
	PKI_MAX_FILE = 16 * 1024 * 1024, /* bytes */
	PKI_MAX_FILE_ITEMS = 1000, /* certificates, or CRLs, in one */
	PKI_MAX_ANCHORS = 2000, /* of a trust store */
	PKI_MAX_P12 = 1024 * 1024, /* bytes of a PKCS#12 container */
	PKI_MAX_P12_CERTS = 64, /* in one */
	PKI_MAX_P12_ROUNDS =
		10 * 1000 * 1000, /* of its MAC, which the passphrase is stretched with */
	/* Of what we give back: */
	PKI_MAX_TEXT = 1024, /* bytes of a sentence, with its NUL */
	PKI_MAX_NEEDS = 8,
	PKI_MAX_URI = 256, /* bytes, with its NUL */
	PKI_MAX_WHY = 240,
	PKI_MAX_OCSP_REQUEST = 256, /* bytes */
	PKI_MAX_SERIAL = 34, /* bytes of a serial number in DER; RFC 5280 4.1.2.2 has 22 */
	PKI_HASH_LEN = 20, /* SHA-1, of an authority in CERTREQ (RFC 7296 3.7) */
	/* By so many seconds an OCSP response may be of the future, or be too old. */
	PKI_OCSP_SKEW = 300,
	PKI_OCSP_AGE =
		86400, /* what counts as old if a response does not say when the next one comes */
};

/* ---- bytes of files ---------------------------------------------------------------------- */

/* DER objects that a file had: certificates, CRLs, OCSP responses. */
struct pki_items {
	unsigned int n;
	struct ike_iov *item; /* each is allocated, as is the array */
};

enum pki_kind {
	PKI_CERTS, /* BEGIN CERTIFICATE, or one certificate in DER */
	PKI_CRLS, /* BEGIN X509 CRL, or one CRL in DER */
	PKI_RESPONSES, /* one OCSP response in DER; PEM has no name for it, BEGIN OCSP RESPONSE is taken */
};

/*
 * The objects of one kind in the bytes of a file, which is either PEM, where blocks of other kinds and
 * text between blocks are ignored, or one object in DER. Each object parses, and nothing follows it.
 * 0, and the caller frees @items; or -1, @items is empty, and @err says what is wrong: a sentence
 * without the file's name.
 */
int pki_read(enum pki_kind kind, const void *bytes, size_t len, struct pki_items *items, char *err,
	     size_t err_size);
/* Leaves @items empty; fine if it is. */
void pki_items_free(struct pki_items *items);

/* @certs in PEM, in their order; a string to free, NULL without memory or if one is none. */
char *pki_to_pem(const struct ike_iov *certs, unsigned int n);
/* The private key of a file in DER (PKCS#8, or a traditional form) as PKCS#8 in PEM, to free after wiping; NULL if it is none. */
char *pki_key_to_pem(const void *der, size_t len);
/* Is the public key that of the certificate? */
bool pki_cert_has_key(const struct ike_iov *cert, const struct ike_iov *spki);

/* ---- PKCS#12 (RFC 7292) ------------------------------------------------------------------ */

/* What a container had, in PEM; each is a string. */
struct pki_p12 {
	char *key; /* the private key, PKCS#8, not encrypted */
	char *chain; /* its certificate, and behind it those of CAs between it and a root, in order */
	char *roots; /* certificates that are signed by themselves; NULL: there was none */
};

/*
 * Opens the container of @len bytes, which has one private key and its certificate, with @passphrase ("": none).
 * The key is of a kind that we use and that of the certificate, and the chain is one that pki_own_check() takes at @now. 0, and
 * @err is empty or warns; or -1, *@out is empty, and @err says what is wrong: the end of a sentence whose subject is the
 * container. Loads OpenSSL's legacy provider meanwhile if the container needs it, which @err then says. Not for the
 * agent: the work is bounded only for the MAC. Give @out back with pki_p12_clear().
 */
int pki_p12_open(const void *bytes, size_t len, const char *passphrase, int64_t now,
		 struct pki_p12 *out, char *err, size_t err_size);
/* Does the file begin as a container does, and not as a certificate or a key? */
bool pki_p12_is_meant(const void *bytes, size_t len);
/* Wipes the key. Fine if it is empty. */
void pki_p12_clear(struct pki_p12 *p);

/* ---- trust ------------------------------------------------------------------------------- */

/* Anchors and the CRLs that were there when it was made. It does not change. */
struct pki_trust;
struct pki_crl;

/*
 * Each of @cas, DER as of pki_read(), becomes an anchor: it is trusted whether or not it is
 * self-signed (an administrator who names an intermediate CA trusts that one, not its issuer). It must
 * be a CA by its basicConstraints and keyUsage (RFC 5280 4.2.1.9, 4.2.1.3), with a key of a kind that
 * we use; its validity is looked at when a path is verified, and so is all of the CRLs. One that is
 * there twice counts once. NULL, with a sentence in @err, if @cas is empty or has one that is no CA.
 */
struct pki_trust *pki_trust_new(const struct ike_iov *cas, unsigned int n_cas,
				const struct ike_iov *crls, unsigned int n_crls, char *err,
				size_t err_size);
/* NULL is fine. */
void pki_trust_free(struct pki_trust *trust);
/* What a CRL names a certificate by, and what is known of it. */
struct pki_serial {
	int64_t good_at; /* of pki_result.path: when the latest answer was made that it is good; seconds since 1970; 0: there is none */
	uint32_t issuer; /* a hash of its name */
	uint8_t key[PKI_HASH_LEN]; /* SHA-1 of that one's key */
	uint8_t len; /* of the number in DER; 0: it is too long, and no CRL is looked at for it */
	uint8_t der[PKI_MAX_SERIAL];
};

/* Do both name the same certificate? One whose number is too long is like no other. */
bool pki_serial_equals(const struct pki_serial *a, const struct pki_serial *b);
/*
 * Does a CRL of @trust say that one of these was revoked? Nothing else is looked at, neither its signature nor its
 * age: it tells that a former pki_verify() has to be repeated.
 */
bool pki_trust_revokes(const struct pki_trust *trust, const struct pki_serial *path,
		       unsigned int n);
/* Have both the same anchors and CRLs, in one order? Then they judge alike. */
bool pki_trust_same(const struct pki_trust *a, const struct pki_trust *b);
/*
 * What a CERTREQ payload asks for after its encoding byte (RFC 7296 3.7): PKI_HASH_LEN bytes of each
 * anchor, *n of them, which live as long as @trust. Anchors with one key count once.
 */
const uint8_t *pki_trust_hashes(const struct pki_trust *trust, unsigned int *n);

/* ---- one certificate --------------------------------------------------------------------- */

/*
 * The identities that a certificate is for, at most @cap of them, the subjectAltName's first
 * (dNSName, rfc822Name, iPAddress), then the subject's DN. The number of all of them, which may be
 * above @cap; 0 if the certificate does not parse. A name with bytes that no such name has (NUL, space,
 * beyond ASCII) is none.
 */
unsigned int pki_cert_ids(const struct ike_iov *cert, struct ike_id *ids, unsigned int cap);

/*
 * Of type 0, *@id becomes the first identity of @cert that is no wildcard; else the one that equals it, so
 * that it has the certificate's own bytes. False, and *@id is as it was, if there is none.
 */
bool pki_cert_choose_id(const struct ike_iov *cert, struct ike_id *id);

/*
 * Our own certificates, leaf first, as they will be sent: within the limits that a peer may have, each
 * issued by the next one, the leaf valid at @now and of a kind that may sign, its key @spki (of the
 * private key; NULL: not compared). 0 or -1 with a sentence. A leaf that ends within 30 days gives 0
 * and a sentence; else *err is empty.
 */
int pki_own_check(const struct ike_iov *certs, unsigned int n, const struct ike_iov *spki,
		  int64_t now, char *err, size_t err_size);

/*
 * When the next CRL after this one is due, seconds since 1970; INT64_MAX: it does not say, or is none. If it does not
 * count at @now there is a sentence in @err, else *err is empty.
 */
int64_t pki_crl_check(const struct ike_iov *crl, int64_t now, char *err, size_t err_size);

/*
 * Is it a CRL of the same CA as @former, and an older one, by its number (RFC 5280 5.2.3) or, if one has none, by
 * its date? Then true, with a sentence. Signatures are not looked at.
 */
bool pki_crl_is_older(const struct ike_iov *crl, const struct ike_iov *former, char *err,
		      size_t err_size);
/* A CRL, to look certificates up in; NULL if it is none, or memory is short. */
struct pki_crl *pki_crl_open(const struct ike_iov *der);
/* As pki_trust_revokes(), of certificates alone whose issuer has the key with this SHA-1: others of its name may be issuers, too. */
bool pki_crl_revokes(const struct pki_crl *crl, const uint8_t key[static PKI_HASH_LEN],
		     const struct pki_serial *path, unsigned int n);
void pki_crl_free(struct pki_crl *crl); /* NULL is fine */

/*
 * An OCSP response, which is to be shown with our certificate @leaf: is it about that, by its serial number, and
 * says that it is good? Signatures are not looked at. -1 with a sentence; or 0, with a sentence if
 * it does not count at @now, else *err is empty.
 */
int pki_own_response_check(const struct ike_iov *response, const struct ike_iov *leaf, int64_t now,
			   char *err, size_t err_size);

/* ---- verifying --------------------------------------------------------------------------- */

enum pki_flag {
	PKI_ALLOW_SHA1 = 1, /* signatures with SHA-1 in certificates, CRLs, OCSP responses */
	PKI_ALLOW_SHORT_RSA = 2, /* RSA keys from 1,024 bits on; 2,048 without it */
	PKI_CN_IS_NAME = 4, /* the subject's CN is an FQDN identity if there is no dNSName */
};

/*
 * Extended key usage (RFC 5280 4.2.1.12, RFC 4945 5.1.3.12). ipsecIKE (1.3.6.1.5.5.7.3.17) and
 * anyExtendedKeyUsage are right for each.
 */
enum pki_usage {
	PKI_USAGE_ANY, /* of a peer in either role; the extension may be missing */
	PKI_USAGE_SERVER, /* the extension must be there, with serverAuth */
	PKI_USAGE_CLIENT, /* the extension must be there, with clientAuth */
};

enum pki_revocation {
	/*
	 * A valid answer is required for each certificate below the anchor that names a CRL or a responder, or
	 * whose CA has a CRL among those of the trust store.
	 */
	PKI_REVOCATION_IFURI,
	PKI_REVOCATION_STRICT, /* for each certificate below the anchor a valid answer is required */
	PKI_REVOCATION_OFF, /* neither CRLs nor responses are looked at */
};

enum pki_verdict {
	PKI_TRUSTED, /* the peer that proves that it has the key of the leaf has the identity */
	PKI_NO_CERT, /* none was sent */
	PKI_TOO_MUCH, /* beyond the limits above; nothing was parsed */
	PKI_MALFORMED,
	PKI_UNKNOWN_CA, /* no path to an anchor */
	PKI_BAD_SIGNATURE, /* of the right name, and not signed by it */
	PKI_NOT_YET_VALID,
	PKI_EXPIRED,
	PKI_NOT_A_CA, /* an issuer that must not issue */
	PKI_PATH_TOO_LONG,
	PKI_NAME_CONSTRAINT,
	PKI_WRONG_USAGE,
	PKI_WEAK, /* an algorithm or a key */
	PKI_CRITICAL_EXTENSION, /* one that we do not know */
	PKI_WRONG_IDENTITY,
	PKI_REVOKED,
	PKI_STATUS_MISSING, /* all is well, but a required CRL or OCSP response: see the needs */
	PKI_FAILED, /* no memory, or what libcrypto alone understands */
	PKI_N_VERDICTS
};

struct pki_need;
struct pki_fetched;

struct pki_query {
	const struct pki_trust *trust; /* NULL: no CA is trusted */
	/* As the peer sent them, the leaf first; all of it is hostile. */
	const struct ike_iov *certs;
	unsigned int n_certs;
	/*
	 * The identity that the peer claims in its ID payload. It is compared as it is: a "*" in it stands
	 * for nothing, or a peer could claim to be many. Whether the tunnel is for that identity is another
	 * question: see ike_id_matches(). NULL: no identity is asked for.
	 */
	const struct ike_id *id;
	int64_t now; /* seconds since 1970, UTC */
	unsigned int flags; /* enum pki_flag */
	enum pki_usage usage;
	enum pki_revocation revocation;
	/* CRLs beside those of @trust, and OCSP responses, stapled or fetched: DER, of any order and origin. */
	const struct ike_iov *crls; /* the first PKI_MAX_CRLS are looked at */
	unsigned int n_crls;
	const struct ike_iov *ocsp; /* the first PKI_MAX_CERTS are looked at */
	unsigned int n_ocsp;
	/*
	 * What is known of an address that a certificate below the anchor names; called when the path is good in all
	 * other respects. What it gives lives as long as the query. NULL: nothing is ever fetched.
	 */
	struct pki_fetched (*fetched)(void *ctx, const struct pki_need *need);
	void *fetched_ctx;
};

/* What is known of an address. */
struct pki_fetched {
	struct ike_iov der; /* came from there; of base NULL: nothing did */
	const char *fault; /* then: why fetching it failed, lately; NULL: it was not tried */
};

enum pki_need_state {
	PKI_NEED_FETCH, /* nothing came from there, and it was not tried */
	PKI_NEED_FAILED, /* it was tried in vain */
	PKI_NEED_USED, /* what came from there is valid, and answers for a certificate of the path */
	PKI_NEED_USELESS, /* it is not, or does not */
};

/* An address that a certificate names, where there may be an answer. */
struct pki_need {
	bool ocsp; /* else a CRL */
	bool wanted; /* an answer is required, and there is none */
	unsigned int
		cert; /* place in the path, from the leaf on, of the first certificate that names it */
	uint8_t issuer[PKI_HASH_LEN]; /* SHA-1 of the key of that one's issuer */
	enum pki_need_state state; /* without pki_query.fetched: PKI_NEED_FETCH */
	int64_t until; /* of PKI_NEED_USED: when the next answer is due, seconds since 1970; or INT64_MAX */
	char uri[PKI_MAX_URI]; /* http:// and printable; what has another scheme is left out */
	uint8_t request[PKI_MAX_OCSP_REQUEST]; /* the body of the POST (RFC 6960 A.1); without a nonce */
	size_t request_len;
	char why[PKI_MAX_WHY]; /* of PKI_NEED_USELESS: as in the sentence about it */
};

struct pki_result {
	enum pki_verdict verdict;
	/*
	 * One sentence for the administrator, without a full stop, one line, printable. Of PKI_TRUSTED:
	 * the path, "CN=a, issued by CN=b, which CA= names".
	 */
	char text[PKI_MAX_TEXT];
	/*
	 * Of a key that we use: RSA, ECDSA (P-256, P-384, P-521), Ed25519, Ed448. Of PKI_TRUSTED; and of
	 * PKI_STATUS_MISSING and PKI_REVOKED, that who does not have it is worth no question to anybody, and no warning.
	 */
	uint8_t spki[IKE_MAX_SPKI];
	size_t spki_len;
	/* Of PKI_TRUSTED alone: when the first of the path's certificates ends; seconds since 1970, UTC. */
	int64_t not_after;
	/* Of PKI_TRUSTED alone: the certificates below the anchor. */
	struct pki_serial path[PKI_MAX_BETWEEN + 1];
	unsigned int n_path;
	/* Of PKI_REVOKED alone: the certificate that was, and whether that is known because something was fetched. */
	struct pki_serial revoked;
	bool revoked_by_fetched;
	int64_t revoked_at; /* when the latest OCSP response was made that says so; INT64_MAX: a CRL says so */
	/* Microseconds that it took, about, whatever the verdict: by the bytes and the kinds of the keys. */
	unsigned int cost;
	/*
	 * Of PKI_STATUS_MISSING those that are wanted: any one answer for each certificate that lacks one will do. With
	 * pki_query.fetched, of any verdict, also those that were looked at.
	 */
	struct pki_need needs[PKI_MAX_NEEDS];
	unsigned int n_needs;
};

/*
 * Whether the peer's certificates prove that the holder of the leaf's key has the identity. The cost is
 * bounded by the limits: at most PKI_MAX_BETWEEN + 2 signatures of certificates are verified before the
 * chain is known to lead to an anchor, and those of CRLs and responses only after that; so needs, too,
 * are of chains that are trusted in all other respects. Writes all of @result; its verdict is returned.
 */
enum pki_verdict pki_verify(const struct pki_query *query, struct pki_result *result);

/* Either the certificate or this machine's clock is wrong. */
static inline bool pki_is_about_time(enum pki_verdict v)
{
	return v == PKI_NOT_YET_VALID || v == PKI_EXPIRED;
}

#endif
