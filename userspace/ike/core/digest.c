// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Keyed digests that only this core can compute, so that no peer can choose what falls together.
 */
#include "ike/core/layer_ikesa.h"

void digest_datagram(struct ike_core *core, const struct ike_datagram *d,
		     uint8_t out[IKESA_DIGEST_LEN])
{
	const struct ike_iov in = { d->data, d->len };
	uint8_t full[32];

	if (ike_hmac_sha256(core->digest_key, sizeof(core->digest_key), &in, 1, full))
		memset(full, 0, sizeof(full));
	memcpy(out, full, IKESA_DIGEST_LEN);
}

uint64_t digest_guess(const struct ike_core *core, unsigned int kind, uint64_t source,
		      const struct ike_id *id)
{
	const uint64_t head[3] = { kind, source, id ? id->type : 0 };
	const struct ike_iov in[] = { { head, sizeof(head) },
				      { id ? id->data : NULL, id ? id->len : 0 } };
	uint8_t full[32];
	uint64_t v = 0;

	if (!ike_hmac_sha256(core->digest_key, sizeof(core->digest_key), in, 2, full))
		memcpy(&v, full, sizeof(v));
	return v ? v : 1;
}

uint64_t digest_source(const struct ike_core *core, const struct ike_addr *a)
{
	uint64_t key[2], v = 0;

	memcpy(key, core->digest_key, sizeof(key));
	memcpy(&v, a->b, a->family == 4 ? 4 : 8);
	v = (v ^ key[0] ^ a->family) * (key[1] | 1);
	v = (v ^ v >> 32) * (key[0] | 1);
	v ^= v >> 29;
	return v ? v : 1;
}
