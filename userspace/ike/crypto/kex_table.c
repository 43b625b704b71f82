// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The methods of key exchange that we have.
 */
#include "ike/crypto/kex.h"

#define DH(name, number, word, kind, library, public_i, public_r, shared, ...) \
	_Static_assert((public_i) <= IKE_MAX_KE && (public_r) <= IKE_MAX_KE && \
			       (shared) <= IKE_MAX_SHARED,                     \
		       "too long: " word);
#include "ike/proto/transform.def"

const struct kex_method kex_methods[KEX_METHODS] = {
#define DH(name, number, word, kind, library, public_i, public_r, shared, cost, place) \
	{ number, &kex_##kind, library, public_i, public_r, shared, cost },
#include "ike/proto/transform.def"
};

const struct kex_method *kex_find(uint16_t id)
{
	for (size_t i = 0; i < KEX_METHODS; i++)
		if (kex_methods[i].id == id)
			return &kex_methods[i];
	return NULL;
}
