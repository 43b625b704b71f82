/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * On what terms a peer's SAs were agreed: a salted digest of the configuration's key for it,
 * identities, algorithms, addresses and selectors. The kernel keeps it with the peer, so that the next
 * agent takes over what still fits its configuration. It tells of the key no more than AUTH does
 * to somebody who can try keys, and only to those who may read the keys of SAs, too. Pure.
 */
#ifndef ESPTUN_IKE_TERMS_H
#define ESPTUN_IKE_TERMS_H

#include "ike/app/config.h"

enum { TERMS_SALT = 16, TERMS_LEN = TERMS_SALT + 16 }; /* octets: the salt, the digest */

/* Those of @c for a client that is @id, or with type 0 for the one peer. 0, or -1 without a digest. */
int terms_make(const struct config *c, const struct ike_id *id, uint8_t out[TERMS_LEN]);
/* Are @terms, which a former agent made, the same? */
bool terms_fit(const struct config *c, const struct ike_id *id, const uint8_t terms[TERMS_LEN]);

#endif
