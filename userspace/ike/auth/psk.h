/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shared-key authentication (RFC 7296 2.15). Pure.
 */
#ifndef ESPTUN_IKE_PSK_H
#define ESPTUN_IKE_PSK_H

#include "ike/crypto/crypto.h"

/*
 * The AUTH value, ike_prf_len(@prf) octets:
 * prf(prf(PSK, "Key Pad for IKEv2"), message | nonce | prf(SK_p, ID type, reserved, ID)).
 * @message: the signer's own first IKE_SA_INIT message, whole, as sent (without non-ESP
 * marker); @nonce: the other side's; @sk_p: SK_pi if the initiator signs, else SK_pr;
 * @id_body: the body of the signer's IDi/IDr payload as on the wire, reserved octets too.
 * 0 or -1 (empty PSK, unknown PRF).
 */
int ike_psk_auth(uint16_t prf, const uint8_t *psk, size_t psk_len, const struct ike_iov *message,
		 const struct ike_iov *nonce, const uint8_t *sk_p, const struct ike_iov *id_body,
		 uint8_t *out);

/*
 * The last step of it, all that needs the PSK: prf(prf(PSK, "Key Pad for IKEv2"), octets), where
 * @octets are the @n parts of message | nonce | prf(SK_p, ...). 0 or -1.
 */
int ike_psk_sign(uint16_t prf, const uint8_t *psk, size_t psk_len, const struct ike_iov *octets,
		 unsigned int n, uint8_t *out);

#endif
