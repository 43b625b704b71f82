// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The keys of an IKE SA at the end of IKE_SA_INIT (RFC 7296 2.14), for both roles.
 */
#include "ike/sa/layer_exchange.h"

static void note_low_nonce(struct ike_sa *sa)
{
	const struct ikesa_setup *s = sa->setup;
	uint8_t i[IKE_OUR_NONCE] = { 0 }, r[IKE_OUR_NONCE] = { 0 };

	memcpy(i, s->ni, s->ni_len < sizeof(i) ? s->ni_len : sizeof(i));
	memcpy(r, s->nr, s->nr_len < sizeof(r) ? s->nr_len : sizeof(r));
	memcpy(sa->low_nonce, memcmp(i, r, sizeof(i)) < 0 ? i : r, sizeof(sa->low_nonce));
}

bool x_derive_keys(struct ike_core *core, struct ike_sa *sa, const struct ike_ke *ke)
{
	struct ikesa_setup *s = sa->setup;
	const struct ike_nonces n = {
		.i = s->ni, .r = s->nr, .i_len = s->ni_len, .r_len = s->nr_len
	};
	uint8_t shared[IKE_MAX_KE];
	struct ike_suite suite;
	bool ok;

	ok = !ike_suite_from_proposal(&sa->proposal, &suite) &&
	     ike_dh_shared_len(ke->group) <= sizeof(shared) &&
	     !ike_dh_shared(s->dh, ke->data, ke->len, shared) &&
	     !ike_keys_derive(&sa->keys, &suite, &n, sa->spi_i, sa->spi_r, shared,
			      ike_dh_shared_len(ke->group));
	ike_wipe(shared, sizeof(shared));
	if (!ok) /* the key stays: a better answer may come */
		return false;
	ike_dh_free(s->dh);
	s->dh = NULL;
	sa->have_keys = true;
	note_low_nonce(sa);
	if (core->env.keylog) {
		const struct ike_keys *k = &sa->keys;
		const struct ike_keylog log = {
			.spi_i = sa->spi_i,
			.spi_r = sa->spi_r,
			.sk_ei = k->ei,
			.sk_er = k->er,
			.sk_ai = k->ai,
			.sk_ar = k->ar,
			.sk_e_len = k->e_len,
			.sk_a_len = k->a_len,
			.cipher = &k->suite.cipher,
		};

		core->env.keylog(core->env.ctx, &log);
	}
	return true;
}
