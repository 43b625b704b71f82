// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * IKE_INTERMEDIATE (RFC 9242) between IKE_SA_INIT and IKE_AUTH: one exchange for each additional key
 * exchange that was agreed on (RFC 9370 2.2.2), after which the IKE SA has other keys. What is large
 * goes here instead of into IKE_SA_INIT, as these messages can leave in fragments.
 *
 * The peer has proven nothing yet: what its requests cost is bounded as that of IKE_SA_INIT (admit.c), and
 * no more of them are answered than there are key exchanges left. AUTH covers all of it (intauth.c).
 */
#include "ike/exch/layer_exchange.h"

#include <stdlib.h>

static const char *method_word(char *buf, size_t size, uint16_t method)
{
	const struct ike_transform t = { .type = IKE_T_DH, .id = method };

	return ike_transform_print(buf, size, &t);
}

/* ---- initiator ----------------------------------------------------------- */

static enum exchange_build build_exchange(struct ike_core *core, struct ike_sa *sa,
					  struct exchange *x, struct ike_builder *b)
{
	(void)x;
	sa->setup->kex = ike_kex_new(x_derive_next(sa), &core->env.rng);
	if (!sa->setup->kex)
		return EXCHANGE_FAIL;
	ike_secret_build(b, sa->setup->kex);
	return EXCHANGE_SEND;
}

/* The peer's value @ke ends the key exchange; false if it does not. */
static bool finish_exchange(struct ike_core *core, struct ike_sa *sa, const struct ike_ke *ke)
{
	struct ike_secret secret;
	struct ike_keys next;
	bool ok = ike_secret_agree(&secret, sa->setup->kex, ke) &&
		  x_derive_further(core, sa, &next, &secret);

	next.sent = sa->keys.sent; /* IVs go on, so that none comes twice under these SPIs */
	if (ok)
		sa->keys = next;
	ike_wipe(&next, sizeof(next));
	ike_wipe(&secret, sizeof(secret));
	ike_kex_free(sa->setup->kex);
	sa->setup->kex = NULL;
	return ok;
}

static void take_exchange(struct ike_core *core, struct ike_sa *sa, struct exchange *x,
			  struct x_msg *m)
{
	const struct ike_payload *p_ke = ike_payload_find(m->in, IKE_PL_KE);
	uint16_t error = ike_notify_first_error(m->in);
	const char *name = ike_notify_name(error);
	struct ike_ke ke;
	char word[32];

	(void)x;
	if (p_ke && !error && !ike_ke_parse(p_ke, &ke) && intauth_add_received(sa, m->h, m->in) &&
	    finish_exchange(core, sa, &ke)) {
		sa->setup->intauth.n++;
		sa->setup->addke++;
		x_intermediate_start(core, sa);
		return;
	}
	method_word(word, sizeof(word), x_derive_next(sa));
	if (error)
		report_error(
			core, sa->peer, sa,
			"peer agreed on the additional key exchange %s, and refused it (%s, %u); see its log",
			word, name ? name : "unknown error", error);
	else
		report_error(
			core, sa->peer, sa,
			"peer's value for the additional key exchange %s is missing or invalid",
			word);
	sa_attempt_failed(core, sa);
}

static bool lose_exchange(struct ike_core *core, struct ike_sa *sa, struct exchange *x)
{
	char ep[64];

	(void)x;
	report_silence(
		core, sa->peer, sa,
		"no answer from %s to IKE_INTERMEDIATE though it answered IKE_SA_INIT: check that UDP port 4500 passes, also in packets of 1,280 bytes, and the peer's log",
		ike_endpoint_print(ep, sizeof(ep), &sa->remote));
	sa_attempt_failed(core, sa);
	return true;
}

static const struct exchange_ops intermediate_ops = {
	.name = "IKE_INTERMEDIATE",
	.exchange = IKE_INTERMEDIATE,
	.build = build_exchange,
	.response = take_exchange,
	.lost = lose_exchange,
};

void x_intermediate_start(struct ike_core *core, struct ike_sa *sa)
{
	char word[32];

	if (x_derive_next(sa) == IKE_DH_NONE) {
		x_auth_start(core, sa);
		return;
	}
	sa->state = IKESA_AUTH_SENT;
	if (request_start(core, sa, exchange_new(&intermediate_ops, 0)))
		return;
	report_error(core, sa->peer, sa,
		     "could not make a key of %s: no memory, or libcrypto failed",
		     method_word(word, sizeof(word), x_derive_next(sa)));
	sa_attempt_failed(core, sa);
}

/* ---- responder ----------------------------------------------------------- */

/* Our value is in the answer, and the keys that follow are there; false if that failed. */
static bool answer_exchange(struct ike_core *core, struct ike_sa *sa, struct x_msg *m,
			    const struct ike_ke *ke)
{
	struct ike_keys *next = calloc(1, sizeof(*next));
	struct ike_secret secret;
	struct ike_kex *kex;
	bool ok;

	admit_work(core, ike_kex_cost(ke->group));
	core->stats.key_exchanges++;
	kex = ike_kex_respond(ke->group, &core->env.rng, ke->data, ke->len, &secret);
	ok = next && kex && x_derive_further(core, sa, next, &secret) &&
	     intauth_add_received(sa, m->h, m->in);
	ike_wipe(&secret, sizeof(secret));
	if (ok) {
		ike_secret_build(m->reply, kex);
		sa->setup->next_keys = next;
	} else if (next) {
		ike_wipe(next, sizeof(*next));
		free(next);
	}
	ike_kex_free(kex);
	return ok;
}

/* Why the request is refused, which should have had a value for @method. */
static void explain_request(struct ike_core *core, const struct ike_sa *sa, uint16_t method)
{
	char word[32];

	if (!admit_reply_to(core, sa)) /* or our log could be filled at will */
		return;
	if (method == IKE_DH_NONE)
		report_line(core, IKE_LOG_WARN, NULL, sa,
			    "IKE_INTERMEDIATE refused: nothing was agreed on to come in it");
	else
		report_line(
			core, IKE_LOG_WARN, NULL, sa,
			"IKE_INTERMEDIATE refused: it has no valid value for the key exchange %s",
			method_word(word, sizeof(word), method));
}

enum x_verdict x_intermediate_request(struct ike_core *core, struct ike_sa *sa, struct x_msg *m)
{
	const struct ike_payload *p_ke = ike_payload_find(m->in, IKE_PL_KE);
	uint16_t method = x_derive_next(sa);
	struct ike_ke ke;

	admit_work(core, ADMIT_WORK_REQUEST);
	if (method == IKE_DH_NONE || !p_ke || ike_ke_parse(p_ke, &ke) || ke.group != method ||
	    !ike_kex_valid(method, ke.data, ke.len)) {
		explain_request(core, sa, method);
		return x_refuse(m, IKE_N_INVALID_SYNTAX);
	}
	if (!admit_has_time(core, sa->admit_kind))
		return X_DROP; /* a copy comes */
	if (!answer_exchange(core, sa, m, &ke)) {
		explain_request(core, sa, method);
		return x_refuse(m, IKE_N_INVALID_SYNTAX);
	}
	sa->setup->intauth.n++;
	sa->setup->addke++;
	return X_DONE;
}
