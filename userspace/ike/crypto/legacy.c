// SPDX-License-Identifier: GPL-2.0-or-later
#define OPENSSL_SUPPRESS_DEPRECATED /* MD4(), see legacy.h */

#include "ike/crypto/evp_hash.h"
#include "ike/crypto/legacy.h"

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

	return evp_digest(&md, "MD5", in, n, out);
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

int ike_hmac_md5(const uint8_t *key, size_t key_len, const struct ike_iov *in, unsigned int n,
		 uint8_t out[IKE_MD_LEN])
{
	static EVP_MAC_CTX *made;

	return evp_hmac(&made, "MD5", key, key_len, in, n, out, IKE_MD_LEN);
}
