/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What MS-CHAPv2 computes of a password's hash (RFC 2759 8, RFC 3079 3). Pure. All functions return 0, or -1:
 * the library has no MD4 or DES, see ike_legacy_known().
 */
#ifndef ESPTUN_IKE_MSCHAPV2_H
#define ESPTUN_IKE_MSCHAPV2_H

#include "ike/crypto/crypto.h"

enum mschapv2_lengths {
	MSCHAPV2_CHALLENGE = 16, /* bytes, as all that follow; of either end */
	MSCHAPV2_RESPONSE = 24,
	MSCHAPV2_ANSWER = MSCHAPV2_CHALLENGE + MSCHAPV2_RESPONSE,
	MSCHAPV2_AUTHENTICATOR = 20,
	MSCHAPV2_HASH = 16,
	MSCHAPV2_MSK = 64,
};

/* What both ends know: the server's challenge, the client's, and the user's name without domain. */
struct mschapv2_run {
	const uint8_t *server, *client; /* MSCHAPV2_CHALLENGE bytes each */
	struct ike_iov name;
};

/* The hash of a password in UTF-8; -1 also if it is none. Whoever has it needs no password. */
int mschapv2_hash(const uint8_t *password, size_t len, uint8_t out[MSCHAPV2_HASH]);
/* The client's response. */
int mschapv2_respond(const uint8_t hash[MSCHAPV2_HASH], const struct mschapv2_run *run,
		     uint8_t out[MSCHAPV2_RESPONSE]);
/* How the server proves, to a client that sent @response, that it has the hash, too. */
int mschapv2_authenticate(const uint8_t hash[MSCHAPV2_HASH], const struct mschapv2_run *run,
			  const uint8_t response[MSCHAPV2_RESPONSE],
			  uint8_t out[MSCHAPV2_AUTHENTICATOR]);
/* The key of both: the server's receive key, its send key, and zeros. */
int mschapv2_msk(const uint8_t hash[MSCHAPV2_HASH], const uint8_t response[MSCHAPV2_RESPONSE],
		 uint8_t out[MSCHAPV2_MSK]);

#endif
