/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Signatures: with a private key as PKCS#8 (RFC 5958), against a public key as SubjectPublicKeyInfo
 * (RFC 5280 4.1.2.7), both in DER; and the files that hold them. Pure but for the library's randomness.
 */
#ifndef ESPTUN_IKE_SIGN_H
#define ESPTUN_IKE_SIGN_H

#include "ike/crypto/crypto.h"

enum ike_sign_limits {
	IKE_MAX_SPKI = 1200, /* RSA of 8,192 bits has 1,062 bytes */
	IKE_MAX_PRIVATE = 5120, /* … and its private key 4,7xx */
	IKE_MAX_SIGNATURE = 1024,
	IKE_MIN_RSA_BITS = 2048,
	IKE_MAX_RSA_BITS = 8192,
	IKE_MAX_KEY_FILE = 16384, /* bytes of a file with one key */
};

enum ike_key_kind {
	IKE_KEY_NONE, /* none that signs here */
	IKE_KEY_RSA,
	IKE_KEY_P256,
	IKE_KEY_P384,
	IKE_KEY_P521,
	IKE_KEY_ED25519,
	IKE_KEY_ED448,
	IKE_KEY_KINDS,
};

/* How a key of one kind signs. */
struct ike_scheme {
	enum ike_key_kind key;
	const char *digest; /* the library's name; NULL: the key's own way, of the whole message */
	bool pss; /* RSASSA-PSS, salt as long as the digest, MGF1 of the same; else RSASSA-PKCS1-v1_5 */
	bool plain; /* ECDSA: r and s side by side (RFC 4754), not a DER sequence */
};

/* "RSA", "ECDSA P-256": for people. */
const char *ike_key_name(enum ike_key_kind kind);

/*
 * What kind of key is the SubjectPublicKeyInfo of @len bytes at @spki? IKE_KEY_NONE with a sentence's
 * end in @why ("is ...") if it is none of ours: malformed, longer than IKE_MAX_SPKI, RSA of too few or
 * too many bits or with an unusual exponent, another algorithm or curve, a curve that is spelled out.
 */
enum ike_key_kind ike_key_kind(const uint8_t *spki, size_t len, char *why, size_t size);

/*
 * Sign the @n parts of a message with a private key, whose kind must be the scheme's. *@out_len bytes are
 * in @out, which has room for IKE_MAX_SIGNATURE. 0, or -1 with nothing in @out.
 */
int ike_sign(const struct ike_scheme *s, const uint8_t *private_key, size_t len,
	     const struct ike_iov *in, unsigned int n, uint8_t *out, size_t *out_len);

/* Is @sig the signature of the @n parts by the public key? False for anything else, errors among them. */
bool ike_signature_holds(const struct ike_scheme *s, const uint8_t *spki, size_t len,
			 const struct ike_iov *in, unsigned int n, const uint8_t *sig,
			 size_t sig_len);

/* A key in DER. Of a private one, its holder wipes it. */
struct ike_private_key {
	uint8_t der[IKE_MAX_PRIVATE];
	size_t len;
};

struct ike_public_key {
	uint8_t spki[IKE_MAX_SPKI];
	size_t len;
};

/*
 * The private key of a file, @len bytes of PEM (PKCS#8, or a traditional form), which is changed to
 * PKCS#8; and its public key. 0, or -1 with a sentence's end in @why ("is encrypted ...").
 */
int ike_private_read(const char *text, size_t len, struct ike_private_key *out,
		     struct ike_public_key *public, char *why, size_t size);

/* The same for one that is encrypted with @passphrase; one that is not is refused. NULL: ike_private_read(). */
int ike_private_decrypt(const char *text, size_t len, const struct ike_iov *passphrase,
			struct ike_private_key *out, struct ike_public_key *public, char *why,
			size_t size);

/*
 * A public key: PEM ("PUBLIC KEY"), or DER. 0, or -1 likewise.
 */
int ike_public_read(const void *data, size_t len, struct ike_public_key *out, char *why,
		    size_t size);

/* SHA2-256 of a public key, as people compare it: "SHA256:" and base64 without padding. */
enum { IKE_FINGERPRINT = 56 };
char *ike_key_fingerprint(char buf[IKE_FINGERPRINT], const uint8_t *spki, size_t len);

#endif
