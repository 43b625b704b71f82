// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The keys of an IKE SA at the end of IKE_SA_INIT (RFC 7296 2.14) and of each IKE_INTERMEDIATE
 * (RFC 9370 2.2.2), for both roles.
 */
#include "ike/exch/layer_exchange.h"

static void log_keys(struct ike_core *core, const struct ike_sa *sa, const struct ike_keys *k)
{
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

void x_derive_log(struct ike_core *core, const struct ike_sa *sa)
{
	log_keys(core, sa, &sa->keys);
}

static struct ike_nonces nonces_of(const struct ikesa_setup *s)
{
	return (struct ike_nonces){ .i = s->ni, .r = s->nr, .i_len = s->ni_len, .r_len = s->nr_len };
}

bool x_derive_keys(struct ike_core *core, struct ike_sa *sa, const struct ike_secret *secret)
{
	const struct ike_nonces n = nonces_of(sa->setup);
	struct ike_suite suite;

	if (ike_suite_from_proposal(&sa->proposal, &suite) ||
	    ike_keys_derive(&sa->keys, &suite, &n, sa->spi_i, sa->spi_r, secret->data, secret->len))
		return false;
	sa->have_keys = true;
	ike_nonces_lower(&n, sa->low_nonce);
	x_derive_log(core, sa);
	return true;
}

uint16_t x_derive_next(const struct ike_sa *sa)
{
	const struct ike_suite *suite = &sa->keys.suite;

	return sa->setup->addke < suite->addke.n ? suite->addke.method[sa->setup->addke]
						 : IKE_DH_NONE;
}

bool x_derive_further(struct ike_core *core, const struct ike_sa *sa, struct ike_keys *next,
		      const struct ike_secret *secret)
{
	const struct ike_nonces n = nonces_of(sa->setup);

	/* The same as for an IKE SA that replaces another, but with SPIs and nonces of before. */
	if (ike_keys_rekey(next, &sa->keys.suite, &sa->keys, &n, sa->spi_i, sa->spi_r, secret->data,
			   secret->len, NULL, 0))
		return false;
	log_keys(core, sa, next);
	return true;
}
