// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * IKE_AUTH (RFC 7296 1.2, 2.15, 2.16, 2.21.2) as the initiator: our proof, the request, whether the responder is the one that
 * we want. With EAP it is several exchanges: the first and the last one are here, those between in x_eap.c.
 */
#include "ike/exch/layer_exchange.h"

#include <errno.h>
#include <stdlib.h>

static const char UNPROVEN[] =
	"peer asks for EAP without an AUTH payload of its own, so that anybody could be it: let it prove who it is by a certificate, or set RemoteAuth=eap-only in [Peer] for a server of EAP-TLS (RFC 5998)";
static const char NO_EAP[] =
	"peer asks for EAP, though we sent an AUTH payload: set LocalAuth=eap in [Tunnel], or its side to what LocalAuth= is";
static const char NO_ID[] = "peer's IKE_AUTH response has no identity";

/* ---- the request --------------------------------------------------------------- */

static enum exchange_build build_request(struct ike_core *core, struct ike_sa *sa,
					 struct exchange *x, struct ike_builder *b)
{
	struct ike_peer *p = sa->peer;
	struct negotiation n = { 0 };

	(void)core;
	(void)x;
	ike_build_id(b, IKE_PL_IDI, &sa->local_id);
	/* First contact: nothing of ours, taken over or established, is at the peer (2.4). */
	if (!p->n_adopted && !query_is_established(p))
		ike_build_notify(b, IKE_N_INITIAL_CONTACT, NULL, 0);
	if (p->conf->remote_id.type && !ike_id_is_wildcard(&p->conf->remote_id))
		ike_build_id(b, IKE_PL_IDR, &p->conf->remote_id);
	authority_build(b, p->conf);
	if (!sa->setup->eap) { /* without AUTH we are asked for EAP (2.16) */
		x_proof_build(b, sa, p, sa->setup->auth.data, sa->setup->auth.len);
		x_ppk_name(b, sa);
	} else if (p->conf->remote_auth.eap_only) {
		ike_build_notify(b, IKE_N_EAP_ONLY_AUTHENTICATION, NULL, 0);
	}
	if (p->conf->local_auth.then_user) {
		ike_build_notify(b, IKE_N_MULTIPLE_AUTH_SUPPORTED, NULL, 0);
		ike_build_notify(b, IKE_N_ANOTHER_AUTH_FOLLOWS, NULL, 0);
	}
	x_config_ask(b, sa);
	if (!sa->setup->childless) {
		n.spi_in = sa->setup->spi_in;
		negotiate_begin(&n, sa, sa->setup->child, NULL);
		negotiate_offer(b, &n);
	}
	x_mobike_offer(b, sa);
	return EXCHANGE_SEND;
}

/* ---- the response -------------------------------------------------------------- */

/* Does the peer want an IKE SA without a child SA first (RFC 6023)? Then the next one is, and a pair comes after. */
static bool note_childless(struct ike_core *core, struct ike_sa *sa, uint16_t error)
{
	if (error != IKE_N_INVALID_SYNTAX || !sa->setup->peer_childless || sa->setup->childless)
		return false;
	sa->peer->childless = true;
	report_line(
		core, IKE_LOG_WARN, sa->peer, sa,
		"peer answered INVALID_SYNTAX to IKE_AUTH: it may demand an IKE SA without child SA first (RFC 6023), so the next attempt is one");
	return true;
}

static void explain_refusal(struct ike_core *core, struct ike_sa *sa, uint16_t error)
{
	char us[IKE_MAX_ID + 16], them[IKE_MAX_ID + 16] = "any";
	struct ike_peer *p = sa->peer;
	struct negotiation n = { 0 };
	const char *name;

	ike_id_print(us, sizeof(us), &sa->local_id);
	if (p->conf->remote_id.type)
		ike_id_print(them, sizeof(them), &p->conf->remote_id);
	if (error == IKE_N_AUTHENTICATION_FAILED) {
		report_error(
			core, p, sa,
			"peer answered AUTHENTICATION_FAILED: it rejects our identity '%s' or our key, or is not '%s': compare %s%s, LocalID= and RemoteID= with its configuration",
			us, them, x_ppk_compare(sa),
			x_proof_method(p->conf->local_auth.method)->compare);
		return;
	}
	negotiate_begin(&n, sa, sa->setup->child, NULL);
	if (note_childless(core, sa, error) || negotiate_explain(core, sa, &n, error))
		return;
	name = ike_notify_name(error);
	report_error(core, p, sa, "peer answered IKE_AUTH without proving who it is (%s%s%u)",
		     name ? name : "", name ? ", " : "notify ", error);
}

/* The peer counts the IKE SA as established, we do not: tell it (2.21.2). */
static void send_auth_failed(struct ike_core *core, struct ike_sa *sa)
{
	struct ike_peer *p = sa->peer;

	child_spi_release(core, sa, sa->setup->spi_in);
	sa->setup->spi_in = 0;
	sa_end_setup(core, sa);
	sa->state = IKESA_DELETING;
	sa->expire_at = core->now + IKESA_CLOSE_MS;
	if (!request_auth_failed(core, sa))
		sa_end(core, sa, false);
	event_note(core, p, EVENT_ATTEMPT_FAILED);
}

/*
 * The responder proved that it holds the key, or @r says otherwise. Is it who we want? Sets
 * sa->remote_id.
 */
static bool accept_responder(struct ike_core *core, struct ike_sa *sa, const struct x_claim *who,
			     const struct ike_job_result *r)
{
	struct ike_peer *p = sa->peer;

	if (r->error) {
		report_error(core, p, sa, "could not verify the peer's proof: %s",
			     strerror(-r->error));
		return false;
	}
	if (r->verdict[0] != IKE_JOB_PROVEN) {
		x_proof_explain_key(core, p, sa, who, r->verdict[0] == IKE_JOB_NO_KEY);
		return false;
	}
	if (!ike_id_matches(&who->id, &p->conf->remote_id)) {
		x_proof_explain_id(core, p, sa, &who->id, &p->conf->remote_id);
		return false;
	}
	if (x_contact_is_held(core, sa, p, &who->id))
		return false;
	sa->remote_id = who->id;
	return true;
}

/* What the peer claims in @m; false if there is nothing, or a malformed one. */
static bool find_claim(const struct x_msg *m, uint8_t id, struct x_claim *who)
{
	return x_proof_find_id(m->in, id, who) && x_proof_find_auth(m->in, who);
}

/* The responder is who it should be, and has our own proof: what its response @m says beside that. */
static enum x_verdict take_rest(struct ike_core *core, struct ike_sa *sa, struct x_msg *m)
{
	struct ike_peer *p = sa->peer;

	/* It has proven who it is, and ended the IKE SA at its side (2.21.3), as strongSwan does. */
	if (note_childless(core, sa, ike_notify_first_error(m->in))) {
		sa_attempt_failed(core, sa);
		return X_DONE;
	}
	x_auth_establish(core, sa);
	x_mobike_begin(core, sa, m->in);
	if (p->enabled) {
		x_auth_take_child(core, sa, m->in);
	} else { /* taken down meanwhile: the peer learns it now */
		request_close(core, sa, IKESA_CLOSE_MS);
		return X_DONE;
	}
	sa_end_setup(core, sa);
	event_note(core, p, EVENT_CHANGED);
	return X_DONE;
}

/* The responder did not prove who it is. With EAP to come it does not count the IKE SA as established yet. */
static void reject_responder(struct ike_core *core, struct ike_sa *sa)
{
	if (ike_auth_is_user(&sa->peer->conf->local_auth) && !ikesa_eap_is_proven(sa))
		sa_attempt_failed(core, sa);
	else
		send_auth_failed(core, sa);
}

/*
 * Does the responder, which proved itself, go on to prove itself once more (RFC 4739)? It is asked for one round, and cannot be
 * for EAP (RFC 7296 2.16). Then it does not count the IKE SA as established, and the attempt is over.
 */
static bool announces_another(struct ike_core *core, struct ike_sa *sa, const struct x_msg *m)
{
	struct ike_notify n;

	if (!ike_notify_find(m->in, IKE_N_ANOTHER_AUTH_FOLLOWS, &n))
		return false;
	report_error(
		core, sa->peer, sa,
		"peer announces another round of authentication of its own (ANOTHER_AUTH_FOLLOWS), but who answers us proves itself once: set its own side to one round");
	sa_attempt_failed(core, sa);
	return true;
}

static void send_proof(struct ike_core *core, struct ike_sa *sa);

/* The responder is the right one. Has it said nothing but that, so that our second round is next? */
static void begin_second(struct ike_core *core, struct ike_sa *sa, const struct x_msg *m,
			 const struct x_claim *who)
{
	static const uint8_t parts[] = { IKE_PL_SA, IKE_PL_TSI, IKE_PL_TSR, IKE_PL_CP, IKE_PL_EAP };
	bool goes_on = !ike_notify_first_error(m->in);

	for (unsigned int i = 0; i < m->in->n; i++)
		goes_on &= !memchr(parts, m->in->p[i].type, sizeof(parts));
	if (goes_on) {
		x_eap_second(core, sa, who, send_proof);
		return;
	}
	report_error(
		core, sa->peer, sa,
		"peer takes our first proof for all, though we announced another round (ANOTHER_AUTH_FOLLOWS): set its side to a second round, by EAP (strongSwan: remote-2), or set LocalAuth=%s in [Tunnel]",
		ike_method_row(sa->peer->conf->local_auth.method)->word);
	send_auth_failed(core, sa);
}

static enum x_verdict verify_responder(struct ike_core *core, struct ike_sa *sa, struct x_msg *m,
				       const struct x_claim *who);

/* Whether the responder's proof is one is known now; or something was fetched that it is judged by. */
static enum x_verdict finish_response(struct ike_core *core, struct ike_sa *sa, struct x_msg *m,
				      void *state, const struct ike_job_result *r)
{
	struct x_claim who = { 0 };

	(void)state;
	if (r->error == -ERESTART && find_claim(m, IKE_PL_IDR, &who))
		return verify_responder(core, sa, m, &who) == X_WAIT ? X_WAIT : X_DONE;
	if (!find_claim(m, IKE_PL_IDR, &who) || !accept_responder(core, sa, &who, r)) {
		reject_responder(core, sa);
		return X_DONE;
	}
	if (announces_another(core, sa, m))
		return X_DONE;
	if (sa->setup->eap)
		return x_eap_answer(core, sa, m, &who, send_proof);
	if (!sa->peer->conf->local_auth.then_user)
		return take_rest(core, sa, m);
	begin_second(core, sa, m, &who);
	return X_DONE;
}

static enum x_verdict verify_responder(struct ike_core *core, struct ike_sa *sa, struct x_msg *m,
				       const struct x_claim *who)
{
	struct x_candidates own = { .n = 1 };
	enum x_verdict verdict;

	memcpy(own.name[0], sa->peer->conf->name, sizeof(own.name[0]));
	verdict = x_proof_verify(core, sa, m, who, &own, finish_response, NULL);
	if (verdict == X_DROP) {
		report_error(core, sa->peer, sa, "%s", X_NO_JOB);
		reject_responder(core, sa);
	}
	return verdict;
}

/*
 * The responder proves who it is by EAP alone (RFC 5998), which we take. Until that is over it is who it says; the AUTH payload at the end
 * covers that. Another identity cannot hold the tunnel, as RemoteID= of a user is one name (tunnel_conf_is_sane()).
 */
static void begin_eap_only(struct ike_core *core, struct ike_sa *sa, struct x_msg *m)
{
	struct ike_peer *p = sa->peer;
	struct x_claim who = { 0 };

	if (!x_proof_find_id(m->in, IKE_PL_IDR, &who)) {
		report_error(core, p, sa, "%s", NO_ID);
	} else if (!ike_id_matches(&who.id, &p->conf->remote_id)) {
		x_proof_explain_id(core, p, sa, &who.id, &p->conf->remote_id);
	} else {
		sa->remote_id = who.id;
		x_eap_answer(core, sa, m, &who, send_proof);
		return;
	}
	sa_attempt_failed(core, sa);
}

static void take_response(struct ike_core *core, struct ike_sa *sa, struct exchange *x,
			  struct x_msg *m)
{
	struct ike_peer *p = sa->peer;
	enum x_verdict verdict = X_CLOSE;
	struct x_claim who = { 0 };

	(void)x;
	if (sa->setup->eap && p->conf->remote_auth.eap_only &&
	    !ike_payload_find(m->in, IKE_PL_AUTH) && ike_payload_find(m->in, IKE_PL_EAP)) {
		begin_eap_only(core, sa, m);
		return;
	}
	if (!x_proof_find_auth(m->in, &who)) {
		/* Protected, but by whoever answered IKE_SA_INIT: the attempt is over, that is all. */
		if (ike_payload_find(m->in, IKE_PL_EAP))
			report_error(core, p, sa, "%s", sa->setup->eap ? UNPROVEN : NO_EAP);
		else
			explain_refusal(core, sa, ike_notify_first_error(m->in));
		sa_attempt_failed(core, sa);
		return;
	}
	if (!x_proof_find_id(m->in, IKE_PL_IDR, &who))
		report_error(core, p, sa, "%s", NO_ID);
	else if (!x_proof_fits(p, &who))
		x_proof_explain_key(core, p, sa, &who, false);
	else if (sa->setup->eap || x_ppk_confirmed(core, sa, m->in)) /* with EAP that comes last */
		verdict = verify_responder(core, sa, m, &who);
	if (verdict == X_CLOSE)
		reject_responder(core, sa);
}

static bool lose_auth(struct ike_core *core, struct ike_sa *sa, struct exchange *x)
{
	char ep[64];

	(void)x;
	report_silence(
		core, sa->peer, sa,
		"no answer from %s to IKE_AUTH though it answered IKE_SA_INIT: check that UDP port 4500 passes, and the peer's log",
		ike_endpoint_print(ep, sizeof(ep), &sa->remote));
	sa_attempt_failed(core, sa);
	return true;
}

static const struct exchange_ops auth_ops = {
	.name = "IKE_AUTH",
	.exchange = IKE_AUTH,
	.build = build_request,
	.response = take_response,
	.lost = lose_auth,
};

/* A job was begun that the request needs, or it cannot be made; X_DONE: the job was done at once. */
static enum x_verdict await_job(struct ike_core *core, struct ike_sa *sa, enum x_verdict verdict)
{
	if (verdict == X_DONE)
		return X_DONE;
	if (verdict == X_WAIT) {
		sa_touch(core, sa);
		return X_DONE;
	}
	if (verdict == X_DROP)
		report_error(core, sa->peer, sa, "%s", X_NO_JOB);
	sa_attempt_failed(core, sa);
	return X_DONE;
}

/* A job failed whose result the request needs. */
static enum x_verdict lack_proof(struct ike_core *core, struct ike_sa *sa)
{
	report_error(core, sa->peer, sa, "could not make an IKE_AUTH request: check %s%s",
		     sa->setup->ppk_agreed ? "PPK=, " : "",
		     x_proof_method(sa->peer->conf->local_auth.method)->compare);
	return await_job(core, sa, X_CLOSE);
}

/* ---- after EAP ------------------------------------------------------------------ */

/* Is this our second round? Then the first one has settled whether a PPK is used. */
static bool is_second(const struct ike_sa *sa)
{
	return sa->peer->conf->local_auth.then_user && ikesa_eap_is_proven(sa);
}

static enum exchange_build build_last(struct ike_core *core, struct ike_sa *sa, struct exchange *x,
				      struct ike_builder *b)
{
	(void)core;
	(void)x;
	x_proof_build(b, sa, sa->peer, sa->setup->auth.data, sa->setup->auth.len);
	if (!is_second(sa))
		x_ppk_name(b, sa);
	return EXCHANGE_SEND;
}

/* The responder's second proof; who it is it has shown before. */
static enum x_verdict finish_last(struct ike_core *core, struct ike_sa *sa, struct x_msg *m,
				  void *state, const struct ike_job_result *r)
{
	struct x_claim who = { .id = sa->remote_id, .eap = true };

	(void)state;
	if (r->verdict[0] == IKE_JOB_PROVEN)
		return announces_another(core, sa, m) ? X_DONE : take_rest(core, sa, m);
	x_method_eap.explain(core, sa->peer, sa, &who, false);
	send_auth_failed(core, sa);
	return X_DONE;
}

static void take_last(struct ike_core *core, struct ike_sa *sa, struct exchange *x, struct x_msg *m)
{
	const struct ikesa_bytes *id = &sa->setup->eap->peer_id;
	struct x_claim who = { .id = sa->remote_id, .eap = true, .body = { id->data, id->len } };
	struct x_candidates own = { .n = 1 };

	(void)x;
	if (!x_proof_find_auth(m->in, &who)) {
		explain_refusal(core, sa, ike_notify_first_error(m->in));
		sa_attempt_failed(core, sa);
	} else if ((!is_second(sa) && !x_ppk_confirmed(core, sa, m->in)) ||
		   x_proof_verify(core, sa, m, &who, &own, finish_last, NULL) == X_DROP) {
		send_auth_failed(core, sa);
	}
}

static const struct exchange_ops last_ops = {
	.name = "IKE_AUTH",
	.exchange = IKE_AUTH,
	.build = build_last,
	.response = take_last,
	.lost = lose_auth,
};

/* ---- our proof -------------------------------------------- */

/* Our proof is there: the request can be made. */
static enum x_verdict send_request(struct ike_core *core, struct ike_sa *sa, struct x_msg *m,
				   void *state, const struct ike_job_result *r)
{
	(void)m;
	(void)state;
	if (!r->error && !ikesa_bytes_set(&sa->setup->auth, r->auth, r->auth_len) &&
	    request_start(core, sa,
			  exchange_new(ikesa_eap_is_proven(sa) ? &last_ops : &auth_ops, 0)))
		return X_DONE;
	return lack_proof(core, sa);
}

/* Prove who we are, with the keys there are now; then @done. */
static enum x_verdict prove(struct ike_core *core, struct ike_sa *sa, job_done_fn done)
{
	return x_proof_sign(core, sa, NULL, sa->peer, &sa->peer->conf->remote_id, done, NULL);
}

/* The keys are mixed with the PPK. */
static enum x_verdict take_mixed(struct ike_core *core, struct ike_sa *sa, struct x_msg *m,
				 void *state, const struct ike_job_result *r)
{
	(void)m;
	(void)state;
	return x_ppk_take(sa, r) ? lack_proof(core, sa)
				 : await_job(core, sa, prove(core, sa, send_request));
}

static enum x_verdict mix(struct ike_core *core, struct ike_sa *sa)
{
	const struct x_claim who = { .id = sa->peer->conf->remote_id };

	return x_ppk_mix(core, sa, NULL, sa->peer, &who, take_mixed, NULL);
}

/* Our proof without PPK is there. */
static enum x_verdict keep_plain_proof(struct ike_core *core, struct ike_sa *sa, struct x_msg *m,
				       void *state, const struct ike_job_result *r)
{
	(void)m;
	(void)state;
	if (r->error ||
	    x_proof_keep_data(sa, sa->peer, r->auth, r->auth_len, &sa->setup->no_ppk_auth))
		return lack_proof(core, sa);
	return await_job(core, sa, mix(core, sa));
}

/* Make our AUTH payload: with the PPK, if both ends use one, and without it for a peer that may not have ours; then send it. */
static void send_proof(struct ike_core *core, struct ike_sa *sa)
{
	const struct ike_ppk_conf *ppk = sa->setup->ppk_agreed ? sa->peer->conf->ppk : NULL;

	if (!ppk || is_second(sa))
		await_job(core, sa, prove(core, sa, send_request));
	else if (ppk->required)
		await_job(core, sa, mix(core, sa));
	else
		await_job(core, sa, prove(core, sa, keep_plain_proof));
}

/* The first request, without AUTH: the peer is to prove itself, and to ask us for EAP. */
static void start_eap(struct ike_core *core, struct ike_sa *sa)
{
	if (x_eap_start(sa, sa->peer) && request_start(core, sa, exchange_new(&auth_ops, 0)))
		return;
	report_error(core, sa->peer, sa, "could not make an IKE_AUTH request: check %s",
		     x_proof_method(sa->peer->conf->local_auth.method)->compare);
	sa_attempt_failed(core, sa);
}

/* Does the responder take as many rounds as we have? */
static bool takes_rounds(struct ike_core *core, struct ike_sa *sa)
{
	const struct ike_auth_conf *ours = &sa->peer->conf->local_auth;
	char rounds[32];

	if (!ours->then_user || sa->setup->peer_rounds)
		return true;
	report_error(
		core, sa->peer, sa,
		"peer takes one round of authentication alone (no MULTIPLE_AUTH_SUPPORTED, RFC 4739), but LocalAuth= is %s: set LocalAuth= in [Tunnel] to one of them",
		ike_auth_print(rounds, sizeof(rounds), ours));
	return false;
}

void x_auth_start(struct ike_core *core, struct ike_sa *sa)
{
	struct ike_peer *p = sa->peer;

	sa->setup->childless = p->childless && sa->setup->peer_childless;
	if (!sa->setup->childless)
		sa->setup->spi_in = install_reserve_spi(core, sa);
	if (!takes_rounds(core, sa) || (!sa->setup->childless && !sa->setup->spi_in)) {
		sa_attempt_failed(core, sa);
		return;
	}
	query_local_id(p, sa, &sa->local_id);
	sa->state = IKESA_AUTH_SENT;
	if (p->conf->local_auth.method == IKE_METHOD_EAP)
		start_eap(core, sa);
	else
		send_proof(core, sa);
}
