// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * PRFs, hashes and ciphers of IKEv2 over OpenSSL 3's EVP interface; key exchange is in kex*.c.
 * Algorithms are fetched once and kept, for a fetch costs more than a short HMAC.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "ike/crypto/crypto.h"
#include "ike/crypto/evp_hash.h"
#include "ike/proto/transform.h"

enum {
	MAX_NONCE = 16, /* salt and IV of any AEAD fit */
	MAX_ICV = 16, /* of an AEAD */
	MAX_IOV = 12,
	MAX_TEXT = 1 << 20, /* far below INT_MAX, which EVP's lengths end at */
};

/* Rows of transform.def whose lengths exceed our arrays do not compile. */
#define ENCR(name, number, aead, ike, salt, iv, block, icv, esp_shark) \
	_Static_assert((salt) + (iv) <= MAX_NONCE && (icv) <= MAX_ICV, "too long: " #name);
#define ENCR_KEY(name, bits, len, word, ...) \
	_Static_assert((len) + MAX_NONCE <= IKE_MAX_KEY, "too long: " word);
#define INTEG(name, number, word, library, key, ...) \
	_Static_assert((key) <= IKE_MAX_KEY && (key) <= IKE_MAX_PRF, "too long: " word);
#define PRF(name, number, word, library, len, place) \
	_Static_assert((len) <= IKE_MAX_PRF, "too long: " word);
#include "ike/proto/transform.def"

void ike_crypto_random(void *ctx, void *buf, size_t len)
{
	(void)ctx;
	if (len > INT_MAX || RAND_bytes(buf, (int)len) != 1)
		abort();
}

void ike_wipe(void *p, size_t len)
{
	OPENSSL_cleanse(p, len);
}

bool ike_equal(const void *a, const void *b, size_t len)
{
	return CRYPTO_memcmp(a, b, len) == 0;
}

/* HMAC: in PRFs whole, in integrity algorithms cut (RFC 4868). */

static const struct hash {
	uint8_t type; /* IKE_T_PRF or IKE_T_INTEG */
	uint16_t id;
	const char *name; /* NULL: not of libcrypto, the kernel module's alone */
	size_t len; /* of the output, uncut, and of the preferred key */
	size_t icv;
} hashes[] = {
#define PRF(name, number, word, library, len, place) { IKE_T_PRF, number, library, len, 0 },
#define INTEG(name, number, word, library, key, icv, ...) \
	{ IKE_T_INTEG, number, library, key, icv },
#include "ike/proto/transform.def"
};

#define NHASHES (sizeof(hashes) / sizeof(hashes[0]))

static const struct hash *hash_find(uint8_t type, uint16_t id)
{
	for (size_t i = 0; i < NHASHES; i++)
		if (hashes[i].type == type && hashes[i].id == id)
			return &hashes[i];
	return NULL;
}

static int hmac(const struct hash *h, const uint8_t *key, size_t key_len, const struct ike_iov *in,
		unsigned int n, uint8_t *out)
{
	static EVP_MAC_CTX *made[NHASHES];

	if (!h || !h->name)
		return -1;
	return evp_hmac(&made[h - hashes], h->name, key, key_len, in, n, out, h->len);
}

size_t ike_prf_len(uint16_t prf)
{
	const struct hash *h = hash_find(IKE_T_PRF, prf);

	return h ? h->len : 0;
}

int ike_prf(uint16_t prf, const uint8_t *key, size_t key_len, const struct ike_iov *in,
	    unsigned int n, uint8_t *out)
{
	return hmac(hash_find(IKE_T_PRF, prf), key, key_len, in, n, out);
}

int ike_prf_plus(uint16_t prf, const uint8_t *key, size_t key_len, const struct ike_iov *seed,
		 unsigned int n, uint8_t *out, size_t out_len)
{
	const struct hash *h = hash_find(IKE_T_PRF, prf);
	uint8_t t[IKE_MAX_PRF], round = 0;
	struct ike_iov in[MAX_IOV];
	size_t done = 0;

	if (!h || n + 2 > MAX_IOV || out_len > 255 * h->len)
		return -1;
	for (unsigned int i = 0; i < n; i++)
		in[i + 1] = seed[i];
	in[0] = (struct ike_iov){ t, 0 }; /* T1 has no predecessor */
	in[n + 1] = (struct ike_iov){ &round, 1 };
	while (done < out_len) {
		size_t part = out_len - done < h->len ? out_len - done : h->len;

		round++;
		if (hmac(h, key, key_len, in, n + 2, t))
			break;
		memcpy(out + done, t, part);
		done += part;
		in[0].len = h->len;
	}
	ike_wipe(t, sizeof(t));
	if (done == out_len)
		return 0;
	ike_wipe(out, out_len);
	return -1;
}

int ike_sha1(const struct ike_iov *in, unsigned int n, uint8_t out[20])
{
	static EVP_MD *md;

	return evp_digest(&md, "SHA1", in, n, out);
}

int ike_hmac_sha256(const uint8_t *key, size_t key_len, const struct ike_iov *in, unsigned int n,
		    uint8_t out[32])
{
	return ike_prf(IKE_PRF_HMAC_SHA2_256, key, key_len, in, n, out);
}

/* Ciphers. */

/* What does not depend on the length of the key. */
static const struct mode {
	uint16_t id;
	bool aead;
	size_t salt, iv, block, icv;
} modes[] = {
#define ENCR(name, number, aead, ike, salt, iv, block, icv, esp_shark) \
	{ number, aead, salt, iv, block, icv },
#include "ike/proto/transform.def"
};

#define NMODES (sizeof(modes) / sizeof(modes[0]))

enum {
#define ENCR(name, ...) MODE_##name,
#include "ike/proto/transform.def"
};

static const struct mode *mode_find(uint16_t encr)
{
	for (size_t i = 0; i < NMODES; i++)
		if (modes[i].id == encr)
			return &modes[i];
	return NULL;
}

static const struct encr {
	const struct mode *mode;
	uint16_t key_bits; /* as in the transform */
	const char *name; /* NULL: not of libcrypto, the kernel module's alone */
	size_t key_len; /* without salt */
} encrs[] = {
#define ENCR_KEY(name, bits, len, word, library, ...) { &modes[MODE_##name], bits, library, len },
#include "ike/proto/transform.def"
};

#define NENCRS (sizeof(encrs) / sizeof(encrs[0]))

/* The entry of @c if the whole combination is one we know, else NULL. Integrity there is always. */
static const struct encr *encr_find(const struct ike_cipher *c)
{
	for (size_t i = 0; i < NENCRS; i++) {
		const struct encr *e = &encrs[i];

		if (e->mode->id == c->encr && e->key_bits == c->key_bits &&
		    (e->mode->aead ? c->integ == IKE_INTEG_NONE
				   : hash_find(IKE_T_INTEG, c->integ) != NULL))
			return e;
	}
	return NULL;
}

static const EVP_CIPHER *evp_cipher(const struct encr *e)
{
	static EVP_CIPHER *fetched[NENCRS];
	size_t i = (size_t)(e - encrs);

	if (!fetched[i])
		fetched[i] = EVP_CIPHER_fetch(NULL, e->name, NULL);
	return fetched[i];
}

bool ike_cipher_known(const struct ike_cipher *c)
{
	return encr_find(c) != NULL;
}

size_t ike_cipher_key_len(const struct ike_cipher *c)
{
	const struct encr *e = encr_find(c);

	return e ? e->key_len + e->mode->salt : 0;
}

size_t ike_cipher_iv_len(const struct ike_cipher *c)
{
	const struct mode *m = mode_find(c->encr);

	return m ? m->iv : 0;
}

size_t ike_cipher_icv_len(const struct ike_cipher *c)
{
	const struct hash *h = hash_find(IKE_T_INTEG, c->integ);
	const struct mode *m = mode_find(c->encr);

	if (m && m->aead)
		return m->icv;
	return h ? h->icv : 0;
}

size_t ike_cipher_block(const struct ike_cipher *c)
{
	const struct mode *m = mode_find(c->encr);

	return m ? m->block : 1;
}

size_t ike_integ_key_len(uint16_t integ)
{
	const struct hash *h = hash_find(IKE_T_INTEG, integ);

	return h ? h->len : 0;
}

/*
 * Key and nonce or IV into a new context; NULL on failure. An AEAD's nonce is the salt,
 * which follows the key, and then the IV (RFC 5282 4, RFC 7634 2).
 */
static EVP_CIPHER_CTX *cipher_start(const struct encr *e, const uint8_t *key, const uint8_t *iv,
				    bool seal)
{
	const struct mode *m = e->mode;
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t nonce[MAX_NONCE];
	bool ok;

	if (m->aead) {
		memcpy(nonce, key + e->key_len, m->salt);
		memcpy(nonce + m->salt, iv, m->iv);
		iv = nonce;
	}
	ok = ctx && EVP_CipherInit_ex2(ctx, evp_cipher(e), key, iv, seal, NULL) == 1 &&
	     (m->aead || EVP_CIPHER_CTX_set_padding(ctx, 0) == 1);
	ike_wipe(nonce, sizeof(nonce));
	if (ok)
		return ctx;
	EVP_CIPHER_CTX_free(ctx);
	return NULL;
}

/* Run @len octets at @text through, in place; an AEAD takes @aad first. */
static bool cipher_run(EVP_CIPHER_CTX *ctx, const uint8_t *aad, size_t aad_len, uint8_t *text,
		       size_t len)
{
	int n = 0, tail = 0;

	return (!aad_len || EVP_CipherUpdate(ctx, NULL, &n, aad, (int)aad_len) == 1) &&
	       (!len || EVP_CipherUpdate(ctx, text, &n, text, (int)len) == 1) &&
	       EVP_CipherFinal_ex(ctx, text + len, &tail) == 1 && tail == 0;
}

static bool aead_seal(const struct encr *e, const uint8_t *key, const uint8_t *aad, size_t aad_len,
		      uint8_t *buf, size_t len)
{
	EVP_CIPHER_CTX *ctx = cipher_start(e, key, buf, true);
	const struct mode *m = e->mode;
	uint8_t *text = buf + m->iv;
	bool ok = ctx && cipher_run(ctx, aad, aad_len, text, len) &&
		  EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, (int)m->icv, text + len) == 1;

	EVP_CIPHER_CTX_free(ctx);
	return ok;
}

static bool aead_open(const struct encr *e, const uint8_t *key, const uint8_t *aad, size_t aad_len,
		      uint8_t *buf, size_t len)
{
	EVP_CIPHER_CTX *ctx = cipher_start(e, key, buf, false);
	const struct mode *m = e->mode;
	uint8_t *text = buf + m->iv;
	uint8_t icv[MAX_ICV];
	bool ok;

	memcpy(icv, text + len, m->icv);
	ok = ctx && EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, (int)m->icv, icv) == 1 &&
	     cipher_run(ctx, aad, aad_len, text, len);
	EVP_CIPHER_CTX_free(ctx);
	if (!ok)
		ike_wipe(text, len); /* decrypted before the verdict */
	return ok;
}

static bool cbc_run(const struct encr *e, const uint8_t *key, uint8_t *buf, size_t len, bool seal)
{
	EVP_CIPHER_CTX *ctx = cipher_start(e, key, buf, seal);
	bool ok = ctx && cipher_run(ctx, NULL, 0, buf + e->mode->iv, len);

	EVP_CIPHER_CTX_free(ctx);
	return ok;
}

/* The MAC, uncut, over what stands before the IV, the IV and the ciphertext. */
static bool cbc_mac(const struct ike_cipher *c, const uint8_t *integ_key, const uint8_t *aad,
		    size_t aad_len, const uint8_t *buf, size_t len, uint8_t mac[IKE_MAX_PRF])
{
	const struct hash *h = hash_find(IKE_T_INTEG, c->integ);
	struct ike_iov in[] = { { aad, aad_len }, { buf, ike_cipher_iv_len(c) + len } };

	return !hmac(h, integ_key, h->len, in, 2, mac);
}

static bool cbc_seal(const struct encr *e, const struct ike_cipher *c, const uint8_t *key,
		     const uint8_t *integ_key, const uint8_t *aad, size_t aad_len, uint8_t *buf,
		     size_t len)
{
	uint8_t mac[IKE_MAX_PRF];
	bool ok = cbc_run(e, key, buf, len, true) &&
		  cbc_mac(c, integ_key, aad, aad_len, buf, len, mac);

	if (ok)
		memcpy(buf + e->mode->iv + len, mac, ike_cipher_icv_len(c));
	ike_wipe(mac, sizeof(mac));
	return ok;
}

static bool cbc_open(const struct encr *e, const struct ike_cipher *c, const uint8_t *key,
		     const uint8_t *integ_key, const uint8_t *aad, size_t aad_len, uint8_t *buf,
		     size_t len)
{
	uint8_t mac[IKE_MAX_PRF];
	bool ok = cbc_mac(c, integ_key, aad, aad_len, buf, len, mac) &&
		  ike_equal(mac, buf + e->mode->iv + len, ike_cipher_icv_len(c)) &&
		  cbc_run(e, key, buf, len, false);

	ike_wipe(mac, sizeof(mac));
	return ok;
}

int ike_cipher_seal(const struct ike_cipher *c, const uint8_t *key, const uint8_t *integ_key,
		    const uint8_t *aad, size_t aad_len, uint8_t *buf, size_t text_len)
{
	const struct encr *e = encr_find(c);
	bool ok;

	if (!e || !e->name || text_len > MAX_TEXT || aad_len > MAX_TEXT ||
	    text_len % e->mode->block)
		return -1;
	if (e->mode->aead)
		ok = aead_seal(e, key, aad, aad_len, buf, text_len);
	else
		ok = cbc_seal(e, c, key, integ_key, aad, aad_len, buf, text_len);
	if (!ok)
		ike_wipe(buf + ike_cipher_iv_len(c), text_len + ike_cipher_icv_len(c));
	return ok ? 0 : -1;
}

int ike_cipher_open(const struct ike_cipher *c, const uint8_t *key, const uint8_t *integ_key,
		    const uint8_t *aad, size_t aad_len, uint8_t *buf, size_t text_len)
{
	const struct encr *e = encr_find(c);
	bool ok;

	if (!e || !e->name || text_len > MAX_TEXT || aad_len > MAX_TEXT ||
	    text_len % e->mode->block)
		return -1;
	if (e->mode->aead)
		ok = aead_open(e, key, aad, aad_len, buf, text_len);
	else
		ok = cbc_open(e, c, key, integ_key, aad, aad_len, buf, text_len);
	return ok ? 0 : -1;
}

/* ---- key wrap (RFC 5649) ---------------------------------------------------------- */

/* Fetched once; NULL if there is none with a key of this length. */
static const EVP_CIPHER *wrap_cipher(size_t wrapping_len)
{
	static const char *const names[] = { "AES-128-WRAP-PAD", "AES-192-WRAP-PAD",
					     "AES-256-WRAP-PAD" };
	static EVP_CIPHER *fetched[3];
	size_t i = wrapping_len / 8 - 2;

	if (wrapping_len % 8 || i >= 3)
		return NULL;
	if (!fetched[i])
		fetched[i] = EVP_CIPHER_fetch(NULL, names[i], NULL);
	return fetched[i];
}

/* One of both; @out has room for whatever the library writes, also if it fails. */
static int wrap(const uint8_t *wrapping, size_t wrapping_len, bool encrypt, const uint8_t *in,
		size_t len, uint8_t *out, size_t *out_len)
{
	const EVP_CIPHER *cipher = wrap_cipher(wrapping_len);
	EVP_CIPHER_CTX *ctx = cipher ? EVP_CIPHER_CTX_new() : NULL;
	int n = 0;
	bool ok;

	ok = ctx && len && len <= MAX_TEXT &&
	     EVP_CipherInit_ex2(ctx, cipher, wrapping, NULL, encrypt, NULL) == 1 &&
	     EVP_CipherUpdate(ctx, out, &n, in, (int)len) == 1 && n > 0;
	EVP_CIPHER_CTX_free(ctx);
	*out_len = ok ? (size_t)n : 0;
	return ok ? 0 : -1;
}

int ike_key_wrap(const uint8_t *wrapping, size_t wrapping_len, const uint8_t *key, size_t len,
		 uint8_t *out, size_t cap, size_t *out_len)
{
	*out_len = 0;
	if (cap < IKE_WRAP_OVERHEAD || len > cap - IKE_WRAP_OVERHEAD)
		return -1;
	return wrap(wrapping, wrapping_len, true, key, len, out, out_len);
}

int ike_key_unwrap(const uint8_t *wrapping, size_t wrapping_len, const uint8_t *wrapped, size_t len,
		   uint8_t *out, size_t *out_len)
{
	int rc = wrap(wrapping, wrapping_len, false, wrapped, len, out, out_len);

	ike_wipe(out + *out_len, len - *out_len);
	return rc;
}
