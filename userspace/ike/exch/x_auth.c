// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * IKE_AUTH (RFC 7296 1.2, 2.15, 2.16, 2.21.2): identities, proofs (x_proof.c), for the responder the
 * choice of the tunnel (x_match.c), then the child SA that comes with it (negotiate.c). With EAP it is
 * several exchanges: the first and the last one are here, those between in x_eap.c.
 */
#include "ike/exch/layer_exchange.h"

#include <errno.h>
#include <stdlib.h>

static const char UNPROVEN[] =
	"peer asks for EAP without an AUTH payload of its own, so that anybody could be it: let it prove who it is by a certificate (it may think that we take EAP alone, RFC 5998)";
static const char NO_EAP[] =
	"peer asks for EAP, though we sent an AUTH payload: set LocalAuth=eap in [Tunnel], or its side to what LocalAuth= is";
static const char NO_JOB[] = "too many peers prove who they are at the same time, or memory is out";

/* ---- both roles ---------------------------------------------------------- */

/* No peer gets more than its share: the oldest of too many goes. */
static void limit_per_peer(struct ike_core *core, struct ike_sa *newest)
{
	struct ike_sa *sa, *oldest = NULL;
	unsigned int n = 0;

	TAILQ_FOREACH(sa, &newest->peer->sas, of_peer)
	{
		if (sa == newest || sa->established_at == TIMER_NEVER ||
		    !ike_id_eq(&sa->remote_id, &newest->remote_id))
			continue;
		if (!oldest)
			oldest = sa;
		n++;
	}
	if (n >= IKESA_MAX_PER_PEER)
		sa_end(core, oldest, false);
}

/* Both ends are authenticated: the IKE SA is up. The tunnel and remote_id are set. */
static void mark_established(struct ike_core *core, struct ike_sa *sa)
{
	char id[IKE_MAX_ID + 16], ep[64], prop[256];

	sa_not_half_open(core, sa);
	if (!sa->strayed)
		admit_proven(core, &sa->remote.addr);
	if (!sa->initiator) {
		admit_pay_back(core, sa);
		sa_join(core, sa);
	}
	x_ppk_finish(core, sa);
	sa->state = IKESA_ESTABLISHED;
	sa->expire_at = TIMER_NEVER; /* a tunnel taken down and up again may have set it */
	sa->established_at = core->now;
	sa->confirmed = sa->initiator;
	report_line(core, IKE_LOG_INFO, NULL, sa, "IKE SA with %s at %s established: %s%s",
		    ike_id_print(id, sizeof(id), &sa->remote_id),
		    ike_endpoint_print(ep, sizeof(ep), &sa->remote),
		    ike_proposal_print(prop, sizeof(prop), &sa->proposal),
		    sa->ppk == IKE_PPK_USED ? ", with a PPK" : "");
	limit_per_peer(core, sa);
	sa_plan_rekey(core, sa);
	sa_plan_reauth(core, sa);
	liveness_check(core, sa);
}

/* ---- initiator ----------------------------------------------------------- */

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
			x_proof_method(p->conf->local_method)->compare);
		return;
	}
	negotiate_begin(&n, sa, sa->setup->child, NULL);
	if (note_childless(core, sa, error) || negotiate_explain(core, sa, &n, error))
		return;
	name = ike_notify_name(error);
	report_error(core, p, sa, "peer answered IKE_AUTH without proving who it is (%s%s%u)",
		     name ? name : "", name ? ", " : "notify ", error);
}

/* The nonces of IKE_SA_INIT serve the first child, too (2.17). */
static struct ike_nonces setup_nonces(const struct ikesa_setup *s)
{
	return (struct ike_nonces){ .i = s->ni, .r = s->nr, .i_len = s->ni_len, .r_len = s->nr_len };
}

/* The response's child part. Whatever happens here, the IKE SA stays. */
static void take_child(struct ike_core *core, struct ike_sa *sa, const struct ike_payloads *in)
{
	struct ike_peer *p = sa->peer;
	uint16_t error = ike_notify_first_error(in);
	const char *name = ike_notify_name(error);
	struct negotiation n = {
		.ours = true,
		.nonces = setup_nonces(sa->setup),
		.spi_in = sa->setup->spi_in,
	};

	negotiate_begin(&n, sa, sa->setup->child, NULL);
	sa->setup->spi_in = 0;
	if (sa->setup->childless) { /* peer.c asks for the child, whatever is said of one here */
		bool refused = x_config_explain(core, sa, error);

		if (refused || !x_config_take(core, sa, in)) {
			event_note_child(core, p, n.conf,
					 refused ? EVENT_PEER_REFUSED : EVENT_CHILD_UNUSABLE);
			request_close(core, sa, IKESA_CLOSE_MS);
		}
		return;
	}
	if (ike_offer_accepted(in)) {
		if (!x_config_take(core, sa, in)) {
			child_spi_release(core, sa, n.spi_in);
			event_note_child(core, p, n.conf, EVENT_CHILD_UNUSABLE);
			request_close(core, sa, IKESA_CLOSE_MS);
		} else if (!negotiate_take(core, sa, &n, in))
			event_note_child(core, p, n.conf, EVENT_CHILD_UNUSABLE);
		return;
	}
	child_spi_release(core, sa, n.spi_in);
	event_note_child(core, p, n.conf,
			 error == IKE_N_TEMPORARY_FAILURE ? EVENT_PEER_BUSY : EVENT_PEER_REFUSED);
	if (x_config_explain(core, sa, error)) /* the IKE_AUTH of another IKE SA asks again */
		request_close(core, sa, IKESA_CLOSE_MS);
	else if (!negotiate_explain(core, sa, &n, error))
		report_error(core, p, sa, "peer refused the child SA (%s, %u); see its log",
			     name ? name : "unknown error", error);
}

/* The peer counts the IKE SA as established, we do not: tell it (2.21.2). */
static void send_auth_failed(struct ike_core *core, struct ike_sa *sa)
{
	struct ike_peer *p = sa->peer;

	child_spi_release(core, sa, sa->setup->spi_in);
	sa->setup->spi_in = 0;
	ikesa_setup_free(sa);
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
		x_proof_explain_id(core, p, sa, &who->id);
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
	mark_established(core, sa);
	x_mobike_begin(core, sa, m->in);
	if (p->enabled) {
		take_child(core, sa, m->in);
	} else { /* taken down meanwhile: the peer learns it now */
		request_close(core, sa, IKESA_CLOSE_MS);
		return X_DONE;
	}
	ikesa_setup_free(sa);
	event_note(core, p, EVENT_CHANGED);
	return X_DONE;
}

/* The responder did not prove who it is. With EAP it does not count the IKE SA as established yet. */
static void reject_responder(struct ike_core *core, struct ike_sa *sa)
{
	if (sa->setup->eap && !ikesa_eap_is_proven(sa))
		sa_attempt_failed(core, sa);
	else
		send_auth_failed(core, sa);
}

static void send_last(struct ike_core *core, struct ike_sa *sa);

/* Whether the responder's proof is one is known now. */
static enum x_verdict finish_response(struct ike_core *core, struct ike_sa *sa, struct x_msg *m,
				      void *state, const struct ike_job_result *r)
{
	struct x_claim who = { 0 };

	(void)state;
	if (!find_claim(m, IKE_PL_IDR, &who) || !accept_responder(core, sa, &who, r)) {
		reject_responder(core, sa);
		return X_DONE;
	}
	return sa->setup->eap ? x_eap_answer(core, sa, m, &who, send_last) : take_rest(core, sa, m);
}

static void take_response(struct ike_core *core, struct ike_sa *sa, struct exchange *x,
			  struct x_msg *m)
{
	struct ike_peer *p = sa->peer;
	struct x_candidates own = { .n = 1 };
	enum x_verdict verdict = X_CLOSE;
	struct x_claim who = { 0 };

	(void)x;
	if (!x_proof_find_auth(m->in, &who)) {
		/* Protected, but by whoever answered IKE_SA_INIT: the attempt is over, that is all. */
		if (ike_payload_find(m->in, IKE_PL_EAP))
			report_error(core, p, sa, "%s", sa->setup->eap ? UNPROVEN : NO_EAP);
		else
			explain_refusal(core, sa, ike_notify_first_error(m->in));
		sa_attempt_failed(core, sa);
		return;
	}
	memcpy(own.name[0], p->conf->name, sizeof(own.name[0]));
	if (!x_proof_find_id(m->in, IKE_PL_IDR, &who))
		report_error(core, p, sa, "peer's IKE_AUTH response has no identity");
	else if (!x_proof_fits(p, &who))
		x_proof_explain_key(core, p, sa, &who, false);
	else if (x_ppk_confirmed(core, sa, m->in))
		verdict = x_proof_verify(core, sa, m, &who, &own, finish_response, NULL);
	if (verdict == X_DROP)
		report_error(core, p, sa, "%s", NO_JOB);
	if (verdict == X_DROP || verdict == X_CLOSE)
		reject_responder(core, sa);
}

static bool lose_auth(struct ike_core *core, struct ike_sa *sa, struct exchange *x)
{
	char ep[64];

	(void)x;
	report_error(
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

/* A job was begun that the request needs, or it cannot be made. */
static enum x_verdict await_job(struct ike_core *core, struct ike_sa *sa, enum x_verdict verdict)
{
	if (verdict == X_WAIT) {
		sa_touch(core, sa);
		return X_DONE;
	}
	if (verdict == X_DROP)
		report_error(core, sa->peer, sa, "%s", NO_JOB);
	sa_attempt_failed(core, sa);
	return X_DONE;
}

/* A job failed whose result the request needs. */
static enum x_verdict lack_proof(struct ike_core *core, struct ike_sa *sa)
{
	report_error(core, sa->peer, sa, "could not make an IKE_AUTH request: check %s%s",
		     sa->setup->ppk_agreed ? "PPK=, " : "",
		     x_proof_method(sa->peer->conf->local_method)->compare);
	return await_job(core, sa, X_CLOSE);
}

/* ---- initiator, after EAP ---------------------------------------------------- */

static enum exchange_build build_last(struct ike_core *core, struct ike_sa *sa, struct exchange *x,
				      struct ike_builder *b)
{
	(void)core;
	(void)x;
	x_proof_build(b, sa, sa->peer, sa->setup->auth.data, sa->setup->auth.len);
	return EXCHANGE_SEND;
}

/* The responder's second proof; who it is it has shown before. */
static enum x_verdict finish_last(struct ike_core *core, struct ike_sa *sa, struct x_msg *m,
				  void *state, const struct ike_job_result *r)
{
	struct x_claim who = { .id = sa->remote_id, .eap = true };

	(void)state;
	if (r->verdict[0] == IKE_JOB_PROVEN)
		return take_rest(core, sa, m);
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
	} else if (x_proof_verify(core, sa, m, &who, &own, finish_last, NULL) == X_DROP) {
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

/* ---- initiator, its first request -------------------------------------------- */

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
	return x_ppk_mix(core, sa, NULL, sa->peer, &sa->peer->conf->remote_id, take_mixed, NULL);
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

/* EAP is over: prove that we have its key. */
static void send_last(struct ike_core *core, struct ike_sa *sa)
{
	struct ike_peer *p = sa->peer;

	if (x_proof_sign(core, sa, NULL, p, &sa->remote_id, send_request, NULL) != X_DROP)
		return;
	report_error(core, p, sa, "%s", NO_JOB);
	sa_attempt_failed(core, sa);
}

/* The first request, without AUTH: the peer is to prove itself, and to ask us for EAP. */
static void start_eap(struct ike_core *core, struct ike_sa *sa)
{
	if (x_eap_start(sa, sa->peer) && request_start(core, sa, exchange_new(&auth_ops, 0)))
		return;
	report_error(core, sa->peer, sa, "could not make an IKE_AUTH request: check %s",
		     x_proof_method(sa->peer->conf->local_method)->compare);
	sa_attempt_failed(core, sa);
}

void x_auth_start(struct ike_core *core, struct ike_sa *sa)
{
	struct ike_peer *p = sa->peer;

	sa->setup->childless = p->childless && sa->setup->peer_childless;
	if (!sa->setup->childless)
		sa->setup->spi_in = install_reserve_spi(core, sa);
	if (!sa->setup->childless && !sa->setup->spi_in) {
		sa_attempt_failed(core, sa);
		return;
	}
	query_local_id(p, sa, &sa->local_id);
	sa->state = IKESA_AUTH_SENT;
	if (p->conf->local_method == IKE_METHOD_EAP)
		start_eap(core, sa);
	else if (!sa->setup->ppk_agreed || !p->conf->ppk)
		await_job(core, sa, prove(core, sa, send_request));
	else if (p->conf->ppk->required)
		await_job(core, sa, mix(core, sa));
	else
		await_job(core, sa, prove(core, sa, keep_plain_proof));
}

/* ---- responder ----------------------------------------------------------- */

/* What the peer claims in its request; false if it does neither prove it, nor want EAP. */
static bool read_claim(const struct ike_sa *sa, const struct x_msg *m, struct x_claim *who)
{
	const struct ike_payload *idr = ike_payload_find(m->in, IKE_PL_IDR);

	if (idr)
		ike_id_parse(idr, &who->wanted); /* type 0 if malformed */
	x_ppk_read(sa, m->in, who);
	who->eap = !ike_payload_find(m->in, IKE_PL_AUTH);
	return x_proof_find_id(m->in, IKE_PL_IDI, who) &&
	       (x_proof_find_auth(m->in, who) || who->eap);
}

static enum x_verdict refuse_auth(struct x_msg *m)
{
	ike_build_notify(m->reply, IKE_N_AUTHENTICATION_FAILED, NULL, 0);
	return X_CLOSE;
}

/*
 * The request's child part. While another pair works, the outbound half of the new one waits until
 * the peer proved that it has it.
 */
static void give_child(struct ike_core *core, struct ike_sa *sa, struct x_msg *m)
{
	struct negotiation n = {
		.inbound_first = query_has_outbound(sa->peer, CHILD_ANY),
		.nonces = setup_nonces(sa->setup),
	};
	const char *refusal;

	if (!ike_payload_find(m->in, IKE_PL_SA) || !ike_payload_find(m->in, IKE_PL_TSI) ||
	    !ike_payload_find(m->in, IKE_PL_TSR)) {
		report_line(core, IKE_LOG_INFO, NULL, sa, "peer asks for no child SA");
		return;
	}
	negotiate_begin(&n, sa, CHILD_ANY, NULL);
	refusal = natd_refusal(sa, &sa->natd);
	if (refusal) {
		report_error(core, sa->peer, sa, "child SA refused: %s", refusal);
		ike_build_notify(m->reply, IKE_N_NO_PROPOSAL_CHOSEN, NULL, 0);
		event_note_child(core, sa->peer, CHILD_ANY, EVENT_CHILD_REFUSED);
	} else {
		negotiate_give(core, sa, &n, m);
	}
}

enum {
	AUTH_LOOKS = 4, /* tunnels that are looked at in a microsecond */
	AUTH_PPKS = 8, /* … whose PPKs of one name are tried, each with a job of its own */
};

/* What an IKE_AUTH request notes while it waits: first for the peer's proof, then for ours. */
struct auth_request {
	uint64_t changes; /* core->changes when it was read; with other tunnels it is read anew */
	unsigned int tried; /* tunnels whose keys were tried before those of @tunnels */
	struct x_candidates tunnels; /* the one that was chosen alone, once it was */
	char proven[IKE_JOB_NAME]; /* the best one whose key it proved, while others are tried; or "" */
	char best[IKE_JOB_NAME]; /* the one it probably meant; "": none */
	bool best_unknown; /* it has no key for the peer */
};

static enum x_verdict try_tunnels(struct ike_core *core, struct ike_sa *sa, struct x_msg *m,
				  struct auth_request *a, const struct x_claim *who,
				  unsigned int tried);

/* Both are who they say, and the answer has our proof: the rest of what @m asks for, which is the first request. */
static enum x_verdict accept_peer(struct ike_core *core, struct ike_sa *sa, struct x_msg *m)
{
	struct ike_peer *p = sa->peer;
	struct ike_notify n;

	mark_established(core, sa);
	x_mobike_begin(core, sa, m->in);
	if (sa->mobike.on)
		x_mobike_offer(m->reply, sa);
	if (ike_notify_find(m->in, IKE_N_INITIAL_CONTACT, &n))
		x_contact_initial(core, sa);
	if (p->is_client)
		client_replace(core, sa);
	if (x_config_answer(core, sa, m))
		give_child(core, sa, m);
	/* Whatever is to be retired needs the peer's word that this SA is up at its end. */
	ikesa_setup_free(sa);
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
		return refuse_auth(m);
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
	x_ppk_confirm(m->reply, sa);
	return accept_peer(core, sa, m);
}

/* Our own proof is there, for the tunnel that was chosen. */
static enum x_verdict finish_request(struct ike_core *core, struct ike_sa *sa, struct x_msg *m,
				     void *state, const struct ike_job_result *r)
{
	struct auth_request *a = state;
	struct x_claim who = { 0 };
	struct ike_peer *p;

	read_claim(sa, m, &who);
	if (a->changes != core->changes)
		return try_tunnels(core, sa, m, a, &who, 0);
	if (r->error && r->error != -ENOENT)
		return X_DROP;
	p = lookup_name(core, a->tunnels.name[0]);
	if (r->error)
		x_proof_explain_own(core, p, sa, strerror(-r->error));
	if (r->error || !p || !p->enabled)
		return refuse_auth(m);
	if (!who.eap)
		return admit_and_accept(core, sa, m, p, &who, r);
	ike_build_id(m->reply, IKE_PL_IDR, &sa->local_id);
	x_proof_build(m->reply, sa, p, r->auth, r->auth_len);
	return x_eap_begin(core, sa, m, p);
}

/*
 * Nobody takes the peer, and that is told. Does it hold the key of a tunnel that does not fit it? That says
 * more than that it lacks the key of one that fits; but not of certificates, which other tunnels take by
 * other CAs and CRLs.
 */
static enum x_verdict explain_request(struct ike_core *core, struct ike_sa *sa, struct x_msg *m,
				      void *state, const struct ike_job_result *r)
{
	const struct auth_request *a = state;
	struct ike_peer *p = NULL, *best = lookup_name(core, a->best);
	struct x_claim who = { 0 };
	bool unknown = a->best_unknown, shows_why;
	unsigned int i;

	read_claim(sa, m, &who);
	shows_why = best && who.n_certs && x_proof_fits(best, &who);
	for (i = 0; i < a->tunnels.n && !p; i++) {
		if (!r->error && r->verdict[i] == IKE_JOB_PROVEN)
			p = lookup_name(core, a->tunnels.name[i]);
		else
			admit_work(core, ADMIT_WORK_KEY);
	}
	if (!best && a->tunnels.n) {
		best = lookup_name(core, a->tunnels.name[0]);
		unknown = !r->error && r->verdict[0] == IKE_JOB_NO_KEY;
	}
	if (p && !shows_why)
		x_match_explain(core, sa, &who, p);
	else
		x_proof_explain_key(core, best, sa, &who, unknown);
	return refuse_auth(m);
}

/* The peer proved none of the keys that it may have. */
static enum x_verdict refuse_proof(struct ike_core *core, struct ike_sa *sa, struct x_msg *m,
				   struct auth_request *a, const struct x_claim *who)
{
	const struct ike_job_result none = { 0 };
	enum x_verdict verdict = X_DROP;
	struct ike_peer *p;

	x_ppk_drop(sa);
	admit_work(core, ADMIT_WORK_AUTH);
	if (!admit_reply(core, &sa->remote.addr)) /* or our log could be filled at will */
		return refuse_auth(m);
	p = x_match_named(core, sa, who);
	if (p && x_ppk_explain(core, p, sa, who))
		return refuse_auth(m);
	x_match_collect_near(core, sa, who, &a->tunnels);
	if (a->tunnels.n)
		verdict = x_proof_verify(core, sa, m, who, &a->tunnels, explain_request, a);
	return verdict == X_DROP ? explain_request(core, sa, m, a, &none) : verdict;
}

/* The peer means @p, one of those whose keys it holds: our own proof is next. */
static enum x_verdict choose_tunnel(struct ike_core *core, struct ike_sa *sa, struct x_msg *m,
				    struct auth_request *a, const struct x_claim *who,
				    struct ike_peer *p)
{
	enum x_verdict verdict;

	a->tunnels.n = 1;
	memcpy(a->tunnels.name[0], p->conf->name, sizeof(a->tunnels.name[0]));
	query_local_id(p, sa, &sa->local_id);
	verdict = x_proof_sign(core, sa, m, p, &who->id, finish_request, a);
	return verdict == X_CLOSE ? refuse_auth(m) : verdict;
}

/* What the keys that were tried say about who the peer may mean; work in vain is metered. */
static void note_verdicts(struct ike_core *core, struct auth_request *a,
			  const struct ike_job_result *r)
{
	unsigned int i;

	for (i = 0; i < a->tunnels.n; i++) {
		if (r->verdict[i] != IKE_JOB_PROVEN)
			admit_work(core, ADMIT_WORK_KEY);
	}
	if (a->tried)
		return;
	memcpy(a->best, a->tunnels.name[0], sizeof(a->best));
	a->best_unknown = r->verdict[0] == IKE_JOB_NO_KEY;
}

/* Which keys the peer holds is known now. */
static enum x_verdict take_proof(struct ike_core *core, struct ike_sa *sa, struct x_msg *m,
				 void *state, const struct ike_job_result *r)
{
	struct auth_request *a = state;
	struct ike_peer *p, *twin;
	struct x_claim who = { 0 };

	read_claim(sa, m, &who);
	if (r->error)
		return X_DROP;
	if (a->changes != core->changes)
		return try_tunnels(core, sa, m, a, &who, 0);
	note_verdicts(core, a, r);
	p = x_match_proven(core, sa, &who, &a->tunnels, r, lookup_name(core, a->proven), &twin);
	if (twin) {
		x_match_explain_twin(core, sa, p, twin);
		return refuse_auth(m);
	}
	if (a->tunnels.ppk && !p && a->tried + 1 < AUTH_PPKS)
		return try_tunnels(core, sa, m, a, &who, a->tried + 1);
	/* More may be left; one of them may fit as well, and have the same key. */
	if (a->tunnels.n == IKE_JOB_TUNNELS && (!p || a->tunnels.last_fit == p->fit)) {
		if (p)
			memcpy(a->proven, p->conf->name, sizeof(a->proven));
		return try_tunnels(core, sa, m, a, &who, a->tried + a->tunnels.n);
	}
	return p ? choose_tunnel(core, sa, m, a, &who, p) : refuse_proof(core, sa, m, a, &who);
}

/* The keys are mixed with the PPK of the one tunnel that is tried. */
static enum x_verdict try_mixed(struct ike_core *core, struct ike_sa *sa, struct x_msg *m,
				void *state, const struct ike_job_result *r)
{
	struct ike_job_result none = { .id = r->id, .verdict = { IKE_JOB_NO_KEY } };
	struct auth_request *a = state;
	struct x_claim who = { 0 };
	int error;

	read_claim(sa, m, &who);
	if (a->changes != core->changes)
		return try_tunnels(core, sa, m, a, &who, 0);
	error = x_ppk_take(sa, r);
	if (!error)
		return x_proof_verify(core, sa, m, &who, &a->tunnels, take_proof, a);
	if (error != -ENOENT)
		none.error = error;
	return take_proof(core, sa, m, a, &none);
}

/*
 * For EAP we prove who we are before the peer has proven anything: that is metered, and waits for better times, as
 * key exchanges do. It is taken off again if the peer proves itself.
 */
static enum x_verdict choose_for_eap(struct ike_core *core, struct ike_sa *sa, struct x_msg *m,
				     struct auth_request *a, const struct x_claim *who)
{
	struct ike_peer *p;
	unsigned int us;

	admit_work(core, core->n_peers / AUTH_LOOKS);
	p = x_match_eap(core, sa, who);
	if (!p)
		return refuse_auth(m);
	if (!admit_has_time(core, sa->admit_kind))
		return X_DROP; /* a copy comes */
	us = x_signature_cost(sa, p);
	admit_work(core, us);
	sa->setup->work += us;
	return choose_tunnel(core, sa, m, a, who, p);
}

/* Have the keys of the tunnels that fit the peer tried, after the first @tried of them. */
static enum x_verdict try_tunnels(struct ike_core *core, struct ike_sa *sa, struct x_msg *m,
				  struct auth_request *a, const struct x_claim *who,
				  unsigned int tried)
{
	struct ike_peer *p;

	a->changes = core->changes;
	if (who->eap)
		return choose_for_eap(core, sa, m, a, who);
	a->tried = tried;
	if (!tried)
		a->proven[0] = 0;
	x_ppk_drop(sa);
	admit_work(core, tried / AUTH_LOOKS);
	x_match_collect(core, sa, who, tried, &a->tunnels);
	p = a->tunnels.n ? NULL : lookup_name(core, a->proven);
	if (p)
		return choose_tunnel(core, sa, m, a, who, p);
	if (!a->tunnels.n)
		return refuse_proof(core, sa, m, a, who);
	if (!a->tunnels.ppk)
		return x_proof_verify(core, sa, m, who, &a->tunnels, take_proof, a);
	p = lookup_name(core, a->tunnels.name[0]);
	return x_ppk_mix(core, sa, m, p, &who->id, try_mixed, a);
}

/* ---- responder, after EAP ---------------------------------------------------- */

/* Our second proof is there: the last answer, with what the first request asked for. */
static enum x_verdict answer_last(struct ike_core *core, struct ike_sa *sa, struct x_msg *m,
				  void *state, const struct ike_job_result *r)
{
	const struct x_claim *who = state;
	struct ike_peer *p = lookup_name(core, sa->setup->eap->tunnel);
	struct x_msg first = *m;

	first.in = &sa->setup->eap->first.in;
	return p && !r->error ? admit_and_accept(core, sa, &first, p, who, r) : refuse_auth(m);
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
		return verdict == X_DROP ? refuse_auth(m) : verdict;
	}
	admit_work(core, ADMIT_WORK_AUTH);
	if (p && admit_reply(core, &sa->remote.addr)) { /* or our log could be filled at will */
		if (r->verdict[0] == IKE_JOB_PROVEN)
			x_proof_explain_id(core, p, sa, &who->id);
		else
			x_proof_explain_key(core, p, sa, who, false);
	}
	return refuse_auth(m);
}

/* The request that proves that the peer has the key of EAP. */
static enum x_verdict take_last_request(struct ike_core *core, struct ike_sa *sa, struct x_msg *m)
{
	const struct x_candidates none = { 0 };
	struct x_claim who;
	enum x_verdict verdict;

	if (!x_eap_last(core, sa, m, &who))
		return refuse_auth(m);
	/* It is known at once, so that @who may be on the stack. */
	verdict = x_proof_verify(core, sa, m, &who, &none, finish_last_request, &who);
	return verdict == X_DROP ? refuse_auth(m) : verdict;
}

/* ---- responder, its first request --------------------------------------------- */

enum x_verdict x_auth_request(struct ike_core *core, struct ike_sa *sa, struct x_msg *m)
{
	struct auth_request *a;
	enum x_verdict verdict;
	struct x_claim who = { 0 };

	if (sa->setup->eap)
		return ikesa_eap_is_proven(sa) ? take_last_request(core, sa, m)
					       : x_eap_request(core, sa, m);
	if (x_derive_next(sa) != IKE_DH_NONE || !x_proof_find_id(m->in, IKE_PL_IDI, &who)) {
		if (admit_reply(core, &sa->remote.addr)) /* or our log could be filled at will */
			report_line(
				core, IKE_LOG_WARN, NULL, sa,
				"malformed or early IKE_AUTH request answered with INVALID_SYNTAX");
		ike_build_notify(m->reply, IKE_N_INVALID_SYNTAX, NULL, 0);
		return X_CLOSE;
	}
	if (!read_claim(sa, m, &who))
		return refuse_auth(m);
	sa->setup->asks_status = authority_asks_status(m->in);
	a = calloc(1, sizeof(*a));
	if (!a)
		return X_DROP;
	verdict = try_tunnels(core, sa, m, a, &who, 0);
	if (verdict != X_WAIT)
		free(a);
	return verdict;
}
