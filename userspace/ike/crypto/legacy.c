// SPDX-License-Identifier: GPL-2.0-or-later
#define OPENSSL_SUPPRESS_DEPRECATED /* MD4(), see legacy.h */

#include "ike/crypto/legacy.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/md4.h>

int ike_md4(const void *data, size_t len, uint8_t out[IKE_MD_LEN])
{
#ifdef OPENSSL_NO_MD4
	(void)data;
	(void)len;
	(void)out;
	return -1;
#else
	return MD4(data, len, out) ? 0 : -1;
#endif
}

int ike_md5(const struct ike_iov *in, unsigned int n, uint8_t out[IKE_MD_LEN])
{
	static EVP_MD *md;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok;

	if (!md)
		md = EVP_MD_fetch(NULL, "MD5", NULL);
	ok = ctx && md && EVP_DigestInit_ex2(ctx, md, NULL);
	for (unsigned int i = 0; ok && i < n; i++)
		ok = !in[i].len || EVP_DigestUpdate(ctx, in[i].base, in[i].len);
	ok = ok && EVP_DigestFinal_ex(ctx, out, NULL);
	EVP_MD_CTX_free(ctx);
	return ok ? 0 : -1;
}

/* Seven bits of the key are in each byte; the lowest one, of parity, does not count. */
static void spread_key(const uint8_t key[IKE_DES_KEY], uint8_t out[IKE_DES_BLOCK])
{
	uint64_t bits = 0;

	for (unsigned int i = 0; i < IKE_DES_KEY; i++)
		bits = bits << 8 | key[i];
	for (unsigned int i = 0; i < IKE_DES_BLOCK; i++)
		out[i] = (uint8_t)(bits >> (49 - 7 * i) << 1);
	ike_wipe(&bits, sizeof(bits));
}

int ike_des(const uint8_t key[IKE_DES_KEY], const uint8_t in[IKE_DES_BLOCK],
	    uint8_t out[IKE_DES_BLOCK])
{
	static EVP_CIPHER *cipher;
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t keys[3 * IKE_DES_BLOCK];
	int len = 0;
	bool ok;

	for (unsigned int i = 0; i < 3; i++)
		spread_key(key, keys + i * IKE_DES_BLOCK);
	if (!cipher)
		cipher = EVP_CIPHER_fetch(NULL, "DES-EDE3-ECB", NULL);
	ok = ctx && cipher && EVP_EncryptInit_ex2(ctx, cipher, keys, NULL, NULL) &&
	     EVP_EncryptUpdate(ctx, out, &len, in, IKE_DES_BLOCK) && len == IKE_DES_BLOCK;
	EVP_CIPHER_CTX_free(ctx);
	ike_wipe(keys, sizeof(keys));
	return ok ? 0 : -1;
}

bool ike_legacy_known(void)
{
	const uint8_t zeros[IKE_DES_BLOCK] = { 0 };
	const struct ike_iov one = { zeros, 1 };
	uint8_t out[IKE_MD_LEN];

	return !ike_md4(zeros, 1, out) && !ike_md5(&one, 1, out) && !ike_des(zeros, zeros, out);
}

/* A keyless context, to be duplicated; NULL if the library lacks it. */
static const EVP_MAC_CTX *hmac_template(void)
{
	static EVP_MAC_CTX *made;
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, "MD5", 0),
		OSSL_PARAM_construct_end(),
	};
	EVP_MAC *mac;

	if (made)
		return made;
	mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	made = mac ? EVP_MAC_CTX_new(mac) : NULL;
	EVP_MAC_free(mac);
	if (made && !EVP_MAC_CTX_set_params(made, params)) {
		EVP_MAC_CTX_free(made);
		made = NULL;
	}
	return made;
}

int ike_hmac_md5(const uint8_t *key, size_t key_len, const struct ike_iov *in, unsigned int n,
		 uint8_t out[IKE_MD_LEN])
{
	const EVP_MAC_CTX *template = hmac_template();
	EVP_MAC_CTX *ctx = template ? EVP_MAC_CTX_dup(template) : NULL;
	size_t len = 0;
	bool ok;

	ok = ctx && key && EVP_MAC_init(ctx, key, key_len, NULL);
	for (unsigned int i = 0; ok && i < n; i++)
		ok = !in[i].len || EVP_MAC_update(ctx, in[i].base, in[i].len);
	ok = ok && EVP_MAC_final(ctx, out, &len, IKE_MD_LEN) && len == IKE_MD_LEN;
	EVP_MAC_CTX_free(ctx);
	return ok ? 0 : -1;
}
