// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Shared-key authentication (RFC 7296 2.15).
 */
#include "ike/auth/psk.h"

int ike_psk_sign(uint16_t prf, const uint8_t *psk, size_t psk_len, const struct ike_iov *octets,
		 unsigned int n, uint8_t *out)
{
	static const char pad[] = "Key Pad for IKEv2";
	const struct ike_iov pad_iov = { pad, sizeof(pad) - 1 };
	uint8_t key[IKE_MAX_PRF];
	size_t len = ike_prf_len(prf);
	int ret = -1;

	if (len && psk_len && !ike_prf(prf, psk, psk_len, &pad_iov, 1, key))
		ret = ike_prf(prf, key, len, octets, n, out);
	ike_wipe(key, sizeof(key));
	return ret;
}
