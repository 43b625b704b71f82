/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shared-key authentication (RFC 7296 2.15). Pure.
 */
#ifndef ESPTUN_IKE_PSK_H
#define ESPTUN_IKE_PSK_H

#include "ike/crypto/crypto.h"

/*
 * All that needs the PSK of an AUTH value, which is prf(prf(PSK, "Key Pad for IKEv2"), octets), of
 * ike_prf_len(@prf) octets. @octets are the @n parts of message | nonce | prf(SK_p, ID type, reserved,
 * ID): the signer's own first IKE_SA_INIT message, whole, as sent (without non-ESP marker); the other
 * side's nonce; SK_pi if the initiator signs, else SK_pr; the body of the signer's IDi/IDr payload as
 * on the wire, reserved octets too. 0 or -1 (empty PSK, unknown PRF).
 */
int ike_psk_sign(uint16_t prf, const uint8_t *psk, size_t psk_len, const struct ike_iov *octets,
		 unsigned int n, uint8_t *out);

#endif
