// SPDX-License-Identifier: GPL-2.0-or-later
#include "psk_auth.h"

#include "ike/auth/psk.h"

int psk_auth(uint16_t prf, const uint8_t *psk, size_t psk_len, const struct ike_iov *message,
	     const struct ike_iov *nonce, const uint8_t *sk_p, const struct ike_iov *id_body,
	     uint8_t *out)
{
	uint8_t maced_id[IKE_MAX_PRF];
	size_t len = ike_prf_len(prf);
	const struct ike_iov octets[] = { *message, *nonce, { maced_id, len } };
	int ret = -1;

	if (len && !ike_prf(prf, sk_p, len, id_body, 1, maced_id))
		ret = ike_psk_sign(prf, psk, psk_len, octets, 3, out);
	ike_wipe(maced_id, sizeof(maced_id));
	return ret;
}
