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
#define DH(name, number, word, kind, library, public_i, public_r, shared, cost, place, more) \
	{ number, &kex_##kind, library, public_i, public_r, shared, cost },
#include "ike/proto/transform.def"
};

/* libcrypto may be too old for it. */
static bool is_there(const struct kex_method *m)
{
	return !m->ops->available || m->ops->available(m);
}

const struct kex_method *kex_find(uint16_t id)
{
	for (size_t i = 0; i < KEX_METHODS; i++)
		if (kex_methods[i].id == id)
			return is_there(&kex_methods[i]) ? &kex_methods[i] : NULL;
	return NULL;
}
