// SPDX-License-Identifier: GPL-2.0-or-later
#include "ike/crypto/evp_hash.h"

#include <openssl/core_names.h>

int evp_digest(EVP_MD **made, const char *name, const struct ike_iov *in, unsigned int n,
	       uint8_t *out)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok;

	if (!*made)
		*made = EVP_MD_fetch(NULL, name, NULL);
	ok = ctx && *made && EVP_DigestInit_ex2(ctx, *made, NULL);
	for (unsigned int i = 0; ok && i < n; i++)
		ok = !in[i].len || EVP_DigestUpdate(ctx, in[i].base, in[i].len);
	ok = ok && EVP_DigestFinal_ex(ctx, out, NULL);
	EVP_MD_CTX_free(ctx);
	return ok ? 0 : -1;
}

/* A keyless context of HMAC with this hash, to be duplicated; NULL if the library lacks it. */
static const EVP_MAC_CTX *hmac_template(EVP_MAC_CTX **made, const char *name)
{
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)name, 0),
		OSSL_PARAM_construct_end(),
	};
	EVP_MAC *mac;

	if (*made)
		return *made;
	mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	*made = mac ? EVP_MAC_CTX_new(mac) : NULL;
	EVP_MAC_free(mac);
	if (*made && !EVP_MAC_CTX_set_params(*made, params)) {
		EVP_MAC_CTX_free(*made);
		*made = NULL;
	}
	return *made;
}

int evp_hmac(EVP_MAC_CTX **made, const char *name, const uint8_t *key, size_t key_len,
	     const struct ike_iov *in, unsigned int n, uint8_t *out, size_t out_len)
{
	const EVP_MAC_CTX *template = hmac_template(made, name);
	EVP_MAC_CTX *ctx = template ? EVP_MAC_CTX_dup(template) : NULL;
	size_t len = 0;
	bool ok;

	ok = ctx && key && EVP_MAC_init(ctx, key, key_len, NULL);
	for (unsigned int i = 0; ok && i < n; i++)
		ok = !in[i].len || EVP_MAC_update(ctx, in[i].base, in[i].len);
	ok = ok && EVP_MAC_final(ctx, out, &len, out_len) && len == out_len;
	EVP_MAC_CTX_free(ctx);
	return ok ? 0 : -1;
}
