/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Configurations as the agent has them: with keys that it can tell from one another, also from those of a
 * former agent, and hand to the keys process (key_proc.h), but not read.
 *
 * Each key is wrapped (RFC 5649) with one that the process that reads files and the keys process know. With
 * it comes a digest, keyed with the secret of terms.h, so that who gets at the digest alone cannot try keys.
 */
#ifndef ESPTUN_IKE_SEAL_H
#define ESPTUN_IKE_SEAL_H

#include "ike/app/config/config.h"
#include "ike/auth/job.h"

enum {
	SEAL_WRAPPING = 32, /* octets, as all that follow */
	SEAL_SECRET = 32,
	SEAL_PRIVATE = IKE_MAX_PRIVATE + 16, /* room for a private key, wrapped or not */
};

struct seal {
	uint8_t wrapping[SEAL_WRAPPING];
	uint8_t secret[SEAL_SECRET];
};

/*
 * All keys of @c. Equal keys are equal when sealed, so that configurations compare as before. 0, or -1 if the
 * library fails; some keys may be clear then.
 */
int seal_config(const struct seal *s, struct config *c);

/*
 * The key that @sealed, of @len octets, 1 to @cap, is wrapped from; it is the caller's to wipe. @key has
 * room for @cap. 0, or -1: it is none of this seal's, and @key holds nothing of it.
 */
int seal_open(const uint8_t wrapping[SEAL_WRAPPING], const uint8_t *sealed, size_t len,
	      uint8_t *key, size_t cap, size_t *key_len);

/* Octets at most that a key which a job of this kind needs has when it is sealed. */
size_t seal_room(enum ike_job_kind kind);

#endif
