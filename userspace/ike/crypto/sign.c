// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Signatures over OpenSSL 3's EVP interface. The keys process signs, the ike process verifies, and the
 * process that reads files has them decoded; none of them needs a provider but the default one.
 *
 * EdDSA signs a message in one piece, so that the parts are joined before for all.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "ike/crypto/evp_key.h"
#include "ike/crypto/sign.h"

enum {
	MAX_MESSAGE = 1 << 20, /* all parts together */
	MAX_COORDINATE = 66, /* bytes of P-521 */
	MAX_EXPONENT = 64, /* bits */
};

/* ---- kinds of keys ------------------------------------------------------------------- */

static const struct kind {
	const char *name; /* for people */
	const char *type, *group; /* the library's */
	size_t coordinate; /* ECDSA: bytes of r, and of s */
} kinds[IKE_KEY_KINDS] = {
	[IKE_KEY_NONE] = { "none", NULL, NULL, 0 },
	[IKE_KEY_RSA] = { "RSA", "RSA", NULL, 0 },
	[IKE_KEY_P256] = { "ECDSA P-256", "EC", "prime256v1", 32 },
	[IKE_KEY_P384] = { "ECDSA P-384", "EC", "secp384r1", 48 },
	[IKE_KEY_P521] = { "ECDSA P-521", "EC", "secp521r1", MAX_COORDINATE },
	[IKE_KEY_ED25519] = { "Ed25519", "ED25519", NULL, 0 },
	[IKE_KEY_ED448] = { "Ed448", "ED448", NULL, 0 },
};

const char *ike_key_name(enum ike_key_kind kind)
{
	return kinds[kind].name;
}

bool evp_exponent_is_sane(const EVP_PKEY *key)
{
	BIGNUM *e = NULL;
	bool sane = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e) &&
		    BN_num_bits(e) <= MAX_EXPONENT && BN_is_odd(e) && !BN_is_one(e);

	BN_free(e);
	return sane;
}

bool evp_curve_name(const EVP_PKEY *key, char *name, size_t size)
{
	int spelled_out = 1;

	return EVP_PKEY_get_group_name(key, name, size, NULL) &&
	       EVP_PKEY_get_int_param(key, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS,
				      &spelled_out) &&
	       !spelled_out;
}

static bool is_kind(const EVP_PKEY *key, const struct kind *k)
{
	char group[64];

	if (!k->type || !EVP_PKEY_is_a(key, k->type))
		return false;
	return !k->group || (evp_curve_name(key, group, sizeof(group)) && !strcmp(group, k->group));
}

static bool is_sane_rsa(const EVP_PKEY *key, char *why, size_t size)
{
	int bits = EVP_PKEY_get_bits(key);

	if (bits < IKE_MIN_RSA_BITS || bits > IKE_MAX_RSA_BITS)
		snprintf(why, size, "is RSA of %d bits; expected %d to %d", bits, IKE_MIN_RSA_BITS,
			 IKE_MAX_RSA_BITS);
	else if (!evp_exponent_is_sane(key))
		snprintf(why, size, "is RSA with an unusual exponent; expected 65537");
	else
		return true;
	return false;
}

static enum ike_key_kind kind_of(const EVP_PKEY *key, char *why, size_t size)
{
	for (unsigned int i = IKE_KEY_RSA; i < IKE_KEY_KINDS; i++) {
		if (!is_kind(key, &kinds[i]))
			continue;
		if (i == IKE_KEY_RSA && !is_sane_rsa(key, why, size))
			return IKE_KEY_NONE;
		return (enum ike_key_kind)i;
	}
	snprintf(
		why, size,
		"is of a kind that is not known here; expected RSA, ECDSA (P-256, P-384, P-521), Ed25519 or Ed448");
	return IKE_KEY_NONE;
}

/* All of it, and nothing behind. */
static EVP_PKEY *decode_public(const uint8_t *spki, size_t len)
{
	const uint8_t *at = spki;
	EVP_PKEY *key;

	if (!len || len > IKE_MAX_SPKI)
		return NULL;
	key = d2i_PUBKEY(NULL, &at, (long)len);
	ERR_clear_error();
	if (!key || at == spki + len)
		return key;
	EVP_PKEY_free(key);
	return NULL;
}

enum ike_key_kind ike_key_kind(const uint8_t *spki, size_t len, char *why, size_t size)
{
	EVP_PKEY *key = decode_public(spki, len);
	enum ike_key_kind kind = IKE_KEY_NONE;

	if (key)
		kind = kind_of(key, why, size);
	else
		snprintf(why, size, "is no public key");
	EVP_PKEY_free(key);
	return kind;
}

/* ---- signatures of ECDSA, plain and in DER ----------------------------------------------- */

/* -1 if it is not of the curve. */
static int plain_from_der(size_t each, const uint8_t *der, size_t len, uint8_t *out)
{
	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)len);
	int rc = -1;

	if (sig && BN_bn2binpad(ECDSA_SIG_get0_r(sig), out, (int)each) == (int)each &&
	    BN_bn2binpad(ECDSA_SIG_get0_s(sig), out + each, (int)each) == (int)each)
		rc = 0;
	ECDSA_SIG_free(sig);
	return rc;
}

/* The length in @out, which has room for any; 0: that failed. */
static size_t der_from_plain(size_t each, const uint8_t *plain, uint8_t *out)
{
	ECDSA_SIG *sig = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(plain, (int)each, NULL),
	       *s = BN_bin2bn(plain + each, (int)each, NULL);
	int len = 0;

	if (sig && r && s && ECDSA_SIG_set0(sig, r, s)) {
		r = s = NULL; /* they are the signature's now */
		len = i2d_ECDSA_SIG(sig, &out);
	}
	BN_free(r);
	BN_free(s);
	ECDSA_SIG_free(sig);
	return len > 0 ? (size_t)len : 0;
}

/* ---- signing and verifying ----------------------------------------------------------------- */

/* The parts in one piece, to be freed; NULL if that is too long. */
static uint8_t *join(const struct ike_iov *in, unsigned int n, size_t *len)
{
	uint8_t *all, *at;

	*len = 0;
	for (unsigned int i = 0; i < n; i++) {
		if (in[i].len > MAX_MESSAGE - *len)
			return NULL;
		*len += in[i].len;
	}
	at = all = malloc(*len + 1);
	for (unsigned int i = 0; all && i < n; i++) {
		if (in[i].len)
			memcpy(at, in[i].base, in[i].len);
		at += in[i].len;
	}
	return all;
}

static bool set_padding(const struct ike_scheme *s, EVP_PKEY_CTX *ctx)
{
	if (s->key != IKE_KEY_RSA)
		return true;
	if (!s->pss)
		return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) > 0;
	return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) > 0 &&
	       EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) > 0;
}

static bool sign_message(const struct ike_scheme *s, EVP_PKEY *key, const uint8_t *message,
			 size_t message_len, uint8_t *out, size_t *len)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *how;
	bool ok;

	*len = IKE_MAX_SIGNATURE;
	ok = ctx && EVP_DigestSignInit_ex(ctx, &how, s->digest, NULL, NULL, key, NULL) > 0 &&
	     set_padding(s, how) && EVP_DigestSign(ctx, out, len, message, message_len) > 0;
	EVP_MD_CTX_free(ctx);
	return ok;
}

static bool is_signature(const struct ike_scheme *s, EVP_PKEY *key, const uint8_t *message,
			 size_t message_len, const uint8_t *sig, size_t sig_len)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *how;
	bool ok;

	/* Only 1 is success: a failure may be negative. */
	ok = ctx && EVP_DigestVerifyInit_ex(ctx, &how, s->digest, NULL, NULL, key, NULL) == 1 &&
	     set_padding(s, how) && EVP_DigestVerify(ctx, sig, sig_len, message, message_len) == 1;
	EVP_MD_CTX_free(ctx);
	return ok;
}

int ike_sign(const struct ike_scheme *s, const uint8_t *private_key, size_t len,
	     const struct ike_iov *in, unsigned int n, uint8_t *out, size_t *out_len)
{
	const uint8_t *at = private_key;
	EVP_PKEY *key = len <= IKE_MAX_PRIVATE ? d2i_AutoPrivateKey(NULL, &at, (long)len) : NULL;
	size_t each = kinds[s->key].coordinate, message_len;
	uint8_t *message = join(in, n, &message_len);
	uint8_t der[IKE_MAX_SIGNATURE];
	bool ok;

	ok = key && message && is_kind(key, &kinds[s->key]) &&
	     EVP_PKEY_get_size(key) <= IKE_MAX_SIGNATURE &&
	     sign_message(s, key, message, message_len, der, out_len);
	if (ok && s->plain) {
		ok = !plain_from_der(each, der, *out_len, out);
		*out_len = 2 * each;
	} else if (ok) {
		memcpy(out, der, *out_len);
	}
	free(message);
	EVP_PKEY_free(key);
	ERR_clear_error();
	if (ok)
		return 0;
	memset(out, 0, IKE_MAX_SIGNATURE);
	*out_len = 0;
	return -1;
}

bool ike_signature_holds(const struct ike_scheme *s, const uint8_t *spki, size_t len,
			 const struct ike_iov *in, unsigned int n, const uint8_t *sig,
			 size_t sig_len)
{
	size_t each = kinds[s->key].coordinate, message_len;
	EVP_PKEY *key = decode_public(spki, len);
	uint8_t der[2 * MAX_COORDINATE + 16], *message = NULL;
	bool ok = key && sig_len <= IKE_MAX_SIGNATURE && is_kind(key, &kinds[s->key]) &&
		  (!s->plain || sig_len == 2 * each);

	if (ok && s->plain) {
		sig_len = der_from_plain(each, sig, der);
		sig = der;
		ok = sig_len;
	}
	if (ok)
		message = join(in, n, &message_len);
	ok = message && is_signature(s, key, message, message_len, sig, sig_len);
	free(message);
	EVP_PKEY_free(key);
	ERR_clear_error();
	return ok;
}

/* ---- files ------------------------------------------------------------------------------------ */

/* What is known of the passphrase, and whether one was needed. */
struct passphrase {
	const struct ike_iov *known; /* NULL: none is */
	bool needed;
};

/* The library's callback for a passphrase. */
static int give_passphrase(char *buf, int size, int writing, void *ctx)
{
	struct passphrase *p = ctx;

	(void)writing;
	p->needed = true;
	if (!p->known || p->known->len > (size_t)size)
		return -1;
	memcpy(buf, p->known->base, p->known->len);
	return (int)p->known->len;
}

static bool put_private(EVP_PKEY *key, struct ike_private_key *out)
{
	PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key);
	uint8_t *at = out->der;
	int len = info ? i2d_PKCS8_PRIV_KEY_INFO(info, NULL) : -1;

	out->len = len > 0 && len <= IKE_MAX_PRIVATE ? (size_t)i2d_PKCS8_PRIV_KEY_INFO(info, &at)
						     : 0;
	PKCS8_PRIV_KEY_INFO_free(info);
	return out->len;
}

static bool put_public(EVP_PKEY *key, struct ike_public_key *out)
{
	uint8_t *at = out->spki;
	int len = i2d_PUBKEY(key, NULL);

	memset(out, 0, sizeof(*out));
	if (len > 0 && len <= IKE_MAX_SPKI)
		out->len = (size_t)i2d_PUBKEY(key, &at);
	return out->len;
}

/* Why there is no key. */
static void explain_private(const struct passphrase *p, char *why, size_t size)
{
	if (!p->needed)
		snprintf(
			why, size,
			"is no private key in PEM: expected -----BEGIN PRIVATE KEY----- and what follows");
	else if (!p->known)
		snprintf(
			why, size,
			"is encrypted: expected KeyPassphrase in [Tunnel], where its passphrase is, or a key without one (openssl pkey -in FILE -out NEW)");
	else
		snprintf(
			why, size,
			"is encrypted, and the passphrase of KeyPassphrase is another one (or its cipher is one that OpenSSL has in its legacy provider only: openssl pkcs8 -topk8 -in FILE -out NEW writes it anew)");
}

int ike_private_decrypt(const char *text, size_t len, const struct ike_iov *passphrase,
			struct ike_private_key *out, struct ike_public_key *public, char *why,
			size_t size)
{
	struct passphrase p = { .known = passphrase };
	BIO *bio = BIO_new_mem_buf(text, (int)len);
	EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, give_passphrase, &p) : NULL;
	int rc = -1;

	*why = 0;
	memset(out, 0, sizeof(*out));
	if (!key) {
		explain_private(&p, why, size);
	} else if (passphrase && !p.needed) {
		snprintf(
			why, size,
			"is not encrypted: take KeyPassphrase out of [Tunnel], or encrypt it (openssl pkcs8 -topk8 -in FILE -out NEW)");
	} else if (kind_of(key, why, size) != IKE_KEY_NONE) {
		rc = put_private(key, out) && put_public(key, public) ? 0 : -1;
		if (rc)
			snprintf(why, size, "is too long");
	}
	EVP_PKEY_free(key);
	BIO_free(bio);
	ERR_clear_error();
	if (rc)
		ike_wipe(out, sizeof(*out));
	return rc;
}

int ike_private_read(const char *text, size_t len, struct ike_private_key *out,
		     struct ike_public_key *public, char *why, size_t size)
{
	return ike_private_decrypt(text, len, NULL, out, public, why, size);
}

int ike_public_read(const void *data, size_t len, struct ike_public_key *out, char *why,
		    size_t size)
{
	BIO *bio = BIO_new_mem_buf(data, (int)len);
	EVP_PKEY *key = bio ? PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL) : NULL;
	int rc = -1;

	*why = 0;
	if (!key)
		key = decode_public(data, len);
	if (!key)
		snprintf(
			why, size,
			"is no public key: expected -----BEGIN PUBLIC KEY----- and what follows, or that in DER");
	else if (kind_of(key, why, size) != IKE_KEY_NONE)
		rc = put_public(key, out) ? 0 : -1;
	EVP_PKEY_free(key);
	BIO_free(bio);
	ERR_clear_error();
	return rc;
}

char *ike_key_fingerprint(char buf[IKE_FINGERPRINT], const uint8_t *spki, size_t len)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	char text[4 * EVP_MAX_MD_SIZE / 3 + 4];
	size_t n = 0;

	if (!EVP_Q_digest(NULL, "SHA256", NULL, spki, len, digest, &n))
		n = 0;
	EVP_EncodeBlock((unsigned char *)text, digest, (int)n);
	snprintf(buf, IKE_FINGERPRINT, "SHA256:%.*s", (int)strcspn(text, "="), text);
	return buf;
}
