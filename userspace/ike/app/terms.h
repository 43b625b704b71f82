/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * On what terms a peer's SAs were agreed: digests of the configuration's key for it, of where that key
 * stands, and of identities, algorithms and addresses. The kernel keeps them with the peer, so that the
 * next agent takes over what still fits its configuration, and this one finds whom a changed one does not
 * let in any more. Selectors are not among them: the SAs have them.
 *
 * The digests are keyed with a secret of the agents on this machine, for who reads them from the kernel
 * could else try keys with them. It is in a file that outlives the agent, as its SAs do, until the next
 * boot (terms_secret_read()); the rest is pure.
 */
#ifndef ESPTUN_IKE_TERMS_H
#define ESPTUN_IKE_TERMS_H

#include "ike/app/seal.h"

enum {
	TERMS_SECRET = SEAL_SECRET, /* octets, as all that follow */
	TERMS_SALT = 16,
	TERMS_DIGEST = 8,
	TERMS_DIGESTS = 4, /* of the salt alone, agreement, key, where the key stands */
	TERMS_LEN = TERMS_SALT + TERMS_DIGESTS * TERMS_DIGEST,
};

enum terms_verdict {
	TERMS_UNKNOWN, /* there are none, or they were made with another secret */
	TERMS_OTHER, /* identities, algorithms or addresses are others */
	TERMS_NO_KEY, /* the key was taken away … */
	TERMS_OTHER_KEY, /* … or there is another one where it stood; the rest holds */
	TERMS_SAME,
};

/* Those of @c, which is sealed, for a client that is @id, or with type 0 for the one peer. 0, or -1 without a digest. */
int terms_make(const struct config *c, const uint8_t secret[TERMS_SECRET], const struct ike_id *id,
	       uint8_t out[TERMS_LEN]);
/* What are @terms, which a former agent made, or this one before a change, under @c? They may be NULL. */
enum terms_verdict terms_judge(const struct config *c, const uint8_t secret[TERMS_SECRET],
			       const struct ike_id *id, const uint8_t *terms);

/*
 * The secret that goes with the control socket at @socket, from a file beside it; without one, a new
 * secret, which the file has from then on. 0, or -1 with a sentence in @err: the secret is new, and the
 * next agent will not know it.
 */
int terms_secret_read(const char *socket, uint8_t secret[TERMS_SECRET], char *err, size_t err_size);

#endif
