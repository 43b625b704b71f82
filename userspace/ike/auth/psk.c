// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Shared-key authentication (RFC 7296 2.15).
 */
#include "ike/auth/psk.h"

int ike_psk_auth(uint16_t prf, const uint8_t *psk, size_t psk_len, const struct ike_iov *message,
		 const struct ike_iov *nonce, const uint8_t *sk_p, const struct ike_iov *id_body,
		 uint8_t *out)
{
	static const char pad[] = "Key Pad for IKEv2";
	const struct ike_iov pad_iov = { pad, sizeof(pad) - 1 };
	uint8_t key[IKE_MAX_PRF], maced_id[IKE_MAX_PRF];
	size_t len = ike_prf_len(prf);
	const struct ike_iov octets[] = { *message, *nonce, { maced_id, len } };
	int ret = -1;

	if (len && psk_len && !ike_prf(prf, psk, psk_len, &pad_iov, 1, key) &&
	    !ike_prf(prf, sk_p, len, id_body, 1, maced_id))
		ret = ike_prf(prf, key, len, octets, 3, out);
	ike_wipe(key, sizeof(key));
	ike_wipe(maced_id, sizeof(maced_id));
	return ret;
}

bool ike_psk_verify(uint16_t prf, const uint8_t *psk, size_t psk_len, const struct ike_iov *message,
		    const struct ike_iov *nonce, const uint8_t *sk_p, const struct ike_iov *id_body,
		    const uint8_t *auth, size_t len)
{
	uint8_t expected[IKE_MAX_PRF];
	bool ok;

	ok = !ike_psk_auth(prf, psk, psk_len, message, nonce, sk_p, id_body, expected) &&
	     len == ike_prf_len(prf) && ike_equal(expected, auth, len);
	ike_wipe(expected, sizeof(expected));
	return ok;
}
