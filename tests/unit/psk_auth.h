/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The AUTH value of RFC 7296 2.15 from all that it is made of. */
#ifndef ESPTUN_UNIT_PSK_AUTH_H
#define ESPTUN_UNIT_PSK_AUTH_H

#include "ike/crypto/crypto.h"

/*
 * prf(prf(PSK, "Key Pad for IKEv2"), message | nonce | prf(@sk_p, @id_body)), see ike_psk_sign().
 * 0 or -1.
 */
int psk_auth(uint16_t prf, const uint8_t *psk, size_t psk_len, const struct ike_iov *message,
	     const struct ike_iov *nonce, const uint8_t *sk_p, const struct ike_iov *id_body,
	     uint8_t *out);

#endif
