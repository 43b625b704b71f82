/* SPDX-License-Identifier: GPL-2.0 */
/* Combined modes of the crypto API. */
#ifndef ESPTUN_AEAD_H
#define ESPTUN_AEAD_H

#include "alg/alg.h"

extern const struct esptun_alg_ops esptun_aead_ops;

/* The operations of that name in esptun_aead_ops, for direct calls. */
int esptun_aead_seal(const struct esptun_alg *alg, u8 *esp, unsigned int len,
		     u64 seq, bool esn);
int esptun_aead_open(const struct esptun_alg *alg, u8 *esp, unsigned int len,
		     u64 seq, bool esn);

#endif /* ESPTUN_AEAD_H */
