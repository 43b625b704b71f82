/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Algorithms that nothing new is made with, and that protocols which are still in use are made of: MD4 and DES in
 * MS-CHAPv2, MD5 in EAP-MD5 and RADIUS. Functions return 0, or -1: the library does not have it.
 *
 * All are libcrypto's. DES with one key is 3DES with that key three times, which the default provider has. MD4 is
 * of the legacy provider alone, a file that may not be there and that no process could load once it is
 * confined; so it is taken by the older function, which the library itself has.
 */
#ifndef ESPTUN_IKE_LEGACY_H
#define ESPTUN_IKE_LEGACY_H

#include "ike/crypto/crypto.h"

enum ike_legacy_lengths { IKE_MD_LEN = 16, IKE_DES_KEY = 7, IKE_DES_BLOCK = 8 };

int ike_md4(const void *data, size_t len, uint8_t out[IKE_MD_LEN]);
int ike_md5(const struct ike_iov *in, unsigned int n, uint8_t out[IKE_MD_LEN]);
int ike_hmac_md5(const uint8_t *key, size_t key_len, const struct ike_iov *in, unsigned int n,
		 uint8_t out[IKE_MD_LEN]);
/* One block, by a key of 56 bits without parity. */
int ike_des(const uint8_t key[IKE_DES_KEY], const uint8_t in[IKE_DES_BLOCK],
	    uint8_t out[IKE_DES_BLOCK]);
/* Are all of them there? */
bool ike_legacy_known(void);

#endif
