/* SPDX-License-Identifier: GPL-2.0 */
/* Encryption, or none, and then authentication by a keyed hash. */
#ifndef ESPTUN_AUTHENC_H
#define ESPTUN_AUTHENC_H

#include "alg/alg.h"

extern const struct esptun_alg_ops esptun_authenc_ops;

/* As the operation probe of esptun_authenc_ops, for an integrity algorithm. */
int esptun_authenc_probe_integ(const struct esptun_integ *integ,
			       struct esptun_found *found);

#endif /* ESPTUN_AUTHENC_H */
