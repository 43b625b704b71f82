/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hashes and HMAC of libcrypto by name, for this folder. What is fetched is kept in *@made, which is one
 * name's for good and begins as NULL, for a fetch costs more than a short HMAC. 0, or -1: the library does not
 * have it, or memory is out.
 */
#ifndef ESPTUN_IKE_EVP_HASH_H
#define ESPTUN_IKE_EVP_HASH_H

#include <openssl/evp.h>

#include "ike/crypto/crypto.h"

/* The hash of the @n parts of @in; @out has room for it. */
int evp_digest(EVP_MD **made, const char *name, const struct ike_iov *in, unsigned int n,
	       uint8_t *out);
/* HMAC with that hash, of which @out gets all @out_len bytes. */
int evp_hmac(EVP_MAC_CTX **made, const char *name, const uint8_t *key, size_t key_len,
	     const struct ike_iov *in, unsigned int n, uint8_t *out, size_t out_len);

#endif
