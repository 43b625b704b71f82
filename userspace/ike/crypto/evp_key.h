/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What sign.c and pki judge keys of libcrypto by, beside their kind and length. Only these two include it. */
#ifndef ESPTUN_IKE_EVP_KEY_H
#define ESPTUN_IKE_EVP_KEY_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/evp.h>

/* Is RSA's public exponent odd, not 1, and at most 64 bits long? Longer ones let strangers make work. */
bool evp_exponent_is_sane(const EVP_PKEY *key);
/*
 * libcrypto's name of an EC key's curve. False if the key spells its curve out: that may be another one, which
 * looks like it.
 */
bool evp_curve_name(const EVP_PKEY *key, char *name, size_t size);

#endif
