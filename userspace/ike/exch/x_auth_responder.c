// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * IKE_AUTH (RFC 7296 1.2, 2.15, 2.16) as the responder: the peer's requests, the tunnel for it (x_auth_choose.c), and our answers. With
 * EAP it is several exchanges: the first and the last one are here, those between in x_eap.c.
 */
#include "ike/exch/layer_exchange.h"

#include <errno.h>

/* Both are who they say, and the answer has our proof: the rest of what @m asks for, which is the first request. */
static enum x_verdict accept_peer(struct ike_core *core, struct ike_sa *sa, struct x_msg *m)
{
	struct ike_peer *p = sa->peer;
	struct ike_notify n;

	x_auth_establish(core, sa);
	x_mobike_begin(core, sa, m->in);
	if (sa->mobike.on)
		x_mobike_offer(m->reply, sa);
	if (ike_notify_find(m->in, IKE_N_INITIAL_CONTACT, &n))
		x_contact_initial(core, sa);
	if (p->is_client)
		client_replace(core, sa);
	if (x_config_answer(core, sa, m))
		x_auth_give_child(core, sa, m);
	/* Whatever is to be retired needs the peer's word that this SA is up at its end. */
	sa_end_setup(core, sa);
	event_note(core, p, EVENT_CHANGED);
	return X_DONE;
}

/* The peer of @p, which is a tunnel's first one, that proved to be @who; NULL: it is refused. */
static struct ike_peer *admit_peer(struct ike_core *core, struct ike_sa *sa, const struct x_msg *m,
				   struct ike_peer *p, const struct x_claim *who)
{
	struct ike_notify initial;

	if (p->conf->clients > 1)
		return client_admit(core, p, sa, &who->id,
				    ike_notify_find(m->in, IKE_N_INITIAL_CONTACT, &initial));
	return x_contact_is_held(core, sa, p, &who->id) ? NULL : p;
}

/*
 * The peer proved that it is @who to the tunnel of @p, and @r is our own proof. @m: the message at hand, or with EAP
 * that with the payloads of the first one.
 */
static enum x_verdict admit_and_accept(struct ike_core *core, struct ike_sa *sa, struct x_msg *m,
				       struct ike_peer *p, const struct x_claim *who,
				       const struct ike_job_result *r)
{
	p = admit_peer(core, sa, m, p, who);
	if (!p)
		return x_refuse_auth(m);
	if (p->conf->mobike && x_mobike_met_nat(m)) {
		report_error(
			core, p, sa,
			"peer forbids NATs (NO_NATS_ALLOWED), but there is one on the path: turn on NAT traversal at its side");
		ike_build_notify(m->reply, IKE_N_UNEXPECTED_NAT_DETECTED, NULL, 0);
		return X_CLOSE;
	}
	sa->peer = p;
	sa->remote_id = who->id;
	if (!who->eap) /* it had that before */
		ike_build_id(m->reply, IKE_PL_IDR, &sa->local_id);
	x_proof_build(m->reply, sa, p, r->auth, r->auth_len);
	if (!p->conf->remote_auth.then_user) /* that was in the answer to the first round */
		x_ppk_confirm(m->reply, sa);
	return accept_peer(core, sa, m);
}

/* The tunnel of @p was chosen for the first request, and @r is our own proof. */
static enum x_verdict answer_first(struct ike_core *core, struct ike_sa *sa, struct x_msg *m,
				   struct ike_peer *p, const struct x_claim *who,
				   const struct ike_job_result *r)
{
	if (!who->eap && !p->conf->remote_auth.then_user)
		return admit_and_accept(core, sa, m, p, who, r);
	ike_build_id(m->reply, IKE_PL_IDR, &sa->local_id);
	if (!x_eap_is_only(p, who))
		x_proof_build(m->reply, sa, p, r->auth, r->auth_len);
	x_ppk_confirm(m->reply, sa);
	return who->eap ? x_eap_begin(core, sa, m, p, who) : x_eap_await(core, sa, m, p, who);
}

/* ---- after EAP ------------------------------------------------------------------ */

/* Our second proof is there: the last answer, with what the first request asked for. */
static enum x_verdict answer_last(struct ike_core *core, struct ike_sa *sa, struct x_msg *m,
				  void *state, const struct ike_job_result *r)
{
	const struct x_claim *who = state;
	struct ike_peer *p = lookup_name(core, sa->setup->eap->tunnel);
	struct x_msg first = *m;

	first.in = &sa->setup->eap->first.in;
	return p && !r->error ? admit_and_accept(core, sa, &first, p, who, r) : x_refuse_auth(m);
}

/* Whether the peer has the key of EAP is known now. */
static enum x_verdict finish_last_request(struct ike_core *core, struct ike_sa *sa, struct x_msg *m,
					  void *state, const struct ike_job_result *r)
{
	struct ike_peer *p = lookup_name(core, sa->setup->eap->tunnel);
	struct x_claim *who = state;
	enum x_verdict verdict;

	if (p && r->verdict[0] == IKE_JOB_PROVEN && ike_id_matches(&who->id, &p->conf->remote_id)) {
		verdict = x_proof_sign(core, sa, m, p, &who->id, answer_last, who);
		return verdict == X_DROP ? x_refuse_auth(m) : verdict;
	}
	admit_work(core, ADMIT_WORK_AUTH);
	if (p && admit_reply_to(core, sa)) { /* or our log could be filled at will */
		if (r->verdict[0] == IKE_JOB_PROVEN)
			x_proof_explain_id(core, p, sa, &who->id, &p->conf->remote_id);
		else if (p->conf->remote_auth.then_user || !sa->setup->ppk ||
			 !x_ppk_explain(core, p, sa, who))
			x_proof_explain_key(core, p, sa, who, false);
	}
	return x_refuse_auth(m);
}

/* Does the peer have the key of EAP, and that of its PPK, if there is one? It is known at once, so that @who may be on the stack. */
static enum x_verdict verify_last_request(struct ike_core *core, struct ike_sa *sa, struct x_msg *m,
					  struct x_claim *who)
{
	const struct x_candidates none = { 0 };
	enum x_verdict verdict = x_proof_verify(core, sa, m, who, &none, finish_last_request, who);

	return verdict == X_DROP ? x_refuse_auth(m) : verdict;
}

static enum x_verdict refuse_ppk(struct ike_core *core, struct ike_sa *sa, struct x_msg *m,
				 struct ike_peer *p, const struct x_claim *who)
{
	admit_work(core, ADMIT_WORK_AUTH);
	if (admit_reply_to(core, sa)) /* or our log could be filled at will */
		x_ppk_explain(core, p, sa, who);
	return x_refuse_auth(m);
}

/* The keys are mixed with the PPK that the peer names, or it has none of that name. */
static enum x_verdict take_mixed(struct ike_core *core, struct ike_sa *sa, struct x_msg *m,
				 void *state, const struct ike_job_result *r)
{
	struct x_claim who;
	struct ike_peer *p = x_eap_last(core, sa, m, &who);
	int error = x_ppk_take(sa, r);

	(void)state;
	if (!p)
		return x_refuse_auth(m);
	if (error && error != -ENOENT)
		return X_DROP; /* a copy of the request begins the job again */
	if (error) {
		who.unknown = &p->conf->name;
		who.n_unknown = 1;
	}
	if (error && x_ppk_fit(p, sa, &who) != X_PPK_WITHOUT)
		return refuse_ppk(core, sa, m, p, &who);
	return verify_last_request(core, sa, m, &who);
}

/* The request that proves that the peer has the key of EAP. */
static enum x_verdict take_last_request(struct ike_core *core, struct ike_sa *sa, struct x_msg *m)
{
	struct x_claim who;
	struct ike_peer *p = x_eap_last(core, sa, m, &who);

	if (!p)
		return x_refuse_auth(m);
	if (p->conf->remote_auth.then_user) /* its first round settled whether there is a PPK */
		return verify_last_request(core, sa, m, &who);
	x_ppk_drop(sa); /* of a copy of the request, whose job got lost */
	switch (x_ppk_fit(p, sa, &who)) {
	case X_PPK_NOT: return refuse_ppk(core, sa, m, p, &who);
	case X_PPK_WITH: return x_ppk_mix(core, sa, m, p, &who, take_mixed, NULL);
	case X_PPK_WITHOUT: break;
	}
	return verify_last_request(core, sa, m, &who);
}

/* ---- its first request --------------------------------------------------------- */

/* Another round is announced with an AUTH payload, by a peer that takes several (RFC 4739). */
static bool may_announce(struct ike_core *core, const struct ike_sa *sa, const struct x_claim *who)
{
	if (!who->another || (who->rounds && !who->eap))
		return true;
	if (admit_reply_to(core, sa)) /* or our log could be filled at will */
		report_line(
			core, IKE_LOG_WARN, NULL, sa,
			"IKE_AUTH request refused: it announces another round of authentication (ANOTHER_AUTH_FOLLOWS) without %s",
			who->eap ? "an AUTH payload" : "MULTIPLE_AUTH_SUPPORTED");
	return false;
}

enum x_verdict x_auth_request(struct ike_core *core, struct ike_sa *sa, struct x_msg *m)
{
	struct x_claim who = { 0 };

	if (sa->setup->eap)
		return ikesa_eap_is_proven(sa) ? take_last_request(core, sa, m)
					       : x_eap_request(core, sa, m);
	if (x_derive_next(sa) != IKE_DH_NONE || !x_proof_find_id(m->in, IKE_PL_IDI, &who)) {
		if (admit_reply_to(core, sa)) /* or our log could be filled at will */
			report_line(
				core, IKE_LOG_WARN, NULL, sa,
				"malformed or early IKE_AUTH request answered with INVALID_SYNTAX");
		ike_build_notify(m->reply, IKE_N_INVALID_SYNTAX, NULL, 0);
		return X_CLOSE;
	}
	if (!x_match_read(sa, m->in, &who) || !may_announce(core, sa, &who))
		return x_refuse_auth(m);
	sa->setup->asks_status = authority_asks_status(m->in);
	sa->setup->takes_raw_key = authority_takes_raw_key(m->in);
	return x_auth_choose(core, sa, m, &who, answer_first);
}
