/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * On what terms a peer's SAs were agreed: a salted digest of the configuration's key for it,
 * identities, algorithms and addresses, and one of its selectors. The kernel keeps both with the peer, so
 * that the next agent takes over what still fits its configuration. Who may read them, as he may the keys
 * of SAs, can try keys with them, which only a key that nobody guesses withstands. Pure.
 */
#ifndef ESPTUN_IKE_TERMS_H
#define ESPTUN_IKE_TERMS_H

#include "ike/app/config.h"

enum { TERMS_SALT = 16, TERMS_DIGEST = 8, TERMS_LEN = TERMS_SALT + 2 * TERMS_DIGEST }; /* octets */

enum terms_verdict {
	TERMS_OTHER, /* nothing of them holds */
	TERMS_OTHER_SELECTORS, /* of some child SA: SAs made since hold */
	TERMS_SAME,
};

/* Those of @c for a client that is @id, or with type 0 for the one peer. 0, or -1 without a digest. */
int terms_make(const struct config *c, const struct ike_id *id, uint8_t out[TERMS_LEN]);
/* What are @terms, which a former agent made, under @c? */
enum terms_verdict terms_judge(const struct config *c, const struct ike_id *id,
			       const uint8_t terms[TERMS_LEN]);

#endif
