// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The keys of an IKE SA at the end of IKE_SA_INIT (RFC 7296 2.14), for both roles.
 */
#include "ike/exch/layer_exchange.h"

void x_derive_log(struct ike_core *core, const struct ike_sa *sa)
{
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

	if (core->env.keylog)
		core->env.keylog(core->env.ctx, &log);
}

bool x_derive_keys(struct ike_core *core, struct ike_sa *sa, const struct ike_secret *secret)
{
	const struct ikesa_setup *s = sa->setup;
	const struct ike_nonces n = {
		.i = s->ni, .r = s->nr, .i_len = s->ni_len, .r_len = s->nr_len
	};
	struct ike_suite suite;

	if (ike_suite_from_proposal(&sa->proposal, &suite) ||
	    ike_keys_derive(&sa->keys, &suite, &n, sa->spi_i, sa->spi_r, secret->data, secret->len))
		return false;
	sa->have_keys = true;
	ike_nonces_lower(&n, sa->low_nonce);
	x_derive_log(core, sa);
	return true;
}
