// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * IKE_AUTH (RFC 7296 1.2, 2.15, 2.21.2): identities, proofs (x_proof.c), for the responder the
 * choice of the tunnel (x_match.c), then the child SA that comes with it (negotiate.c).
 */
#include "ike/sa/layer_exchange.h"

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
	sa->state = IKESA_ESTABLISHED;
	sa->expire_at = TIMER_NEVER; /* a tunnel taken down and up again may have set it */
	sa->established_at = core->now;
	sa->confirmed = sa->initiator;
	report_line(core, IKE_LOG_INFO, NULL, sa, "IKE SA with %s at %s established: %s",
		    ike_id_print(id, sizeof(id), &sa->remote_id),
		    ike_endpoint_print(ep, sizeof(ep), &sa->remote),
		    ike_proposal_print(prop, sizeof(prop), &sa->proposal));
	limit_per_peer(core, sa);
	sa_plan_rekey(core, sa);
	sa_plan_reauth(core, sa);
	liveness_check(core, sa);
}

/* ---- initiator ----------------------------------------------------------- */

static void attempt_over(struct ike_core *core, struct ike_sa *sa)
{
	struct ike_peer *p = sa->peer;

	sa_end(core, sa, false);
	event_note(core, p, EVENT_ATTEMPT_FAILED);
}

static enum exchange_build build_request(struct ike_core *core, struct ike_sa *sa,
					 struct exchange *x, struct ike_builder *b)
{
	struct ike_peer *p = sa->peer;
	struct negotiation n = { 0 };
	bool ok;

	(void)x;
	ike_build_id(b, IKE_PL_IDI, &sa->local_id);
	/* First contact: nothing of ours, taken over or established, is at the peer (2.4). */
	if (!p->n_adopted && !query_is_established(p))
		ike_build_notify(b, IKE_N_INITIAL_CONTACT, NULL, 0);
	if (p->conf->remote_id.type && !ike_id_is_wildcard(&p->conf->remote_id))
		ike_build_id(b, IKE_PL_IDR, &p->conf->remote_id);
	ok = x_proof_build(core, b, sa, p);
	n.spi_in = sa->setup->spi_in;
	negotiate_begin(&n, p, sa->setup->child, NULL);
	negotiate_offer(b, &n);
	x_mobike_offer(b, sa);
	return ok ? EXCHANGE_SEND : EXCHANGE_FAIL;
}

static bool explain_childless(struct ike_core *core, struct ike_sa *sa, uint16_t error)
{
	if (error != IKE_N_INVALID_SYNTAX || !sa->setup->peer_childless)
		return false;
	report_error(
		core, sa->peer, sa,
		"peer answered INVALID_SYNTAX to IKE_AUTH: it may demand an IKE SA without child SA first (RFC 6023), which esptun does not do: let it allow the usual way (strongSwan: childless = allow)");
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
			"peer answered AUTHENTICATION_FAILED: it rejects our identity '%s' or our key, or is not '%s': compare PSK=, LocalID= and RemoteID= with its configuration",
			us, them);
		return;
	}
	negotiate_begin(&n, p, sa->setup->child, NULL);
	if (explain_childless(core, sa, error) || negotiate_explain(core, sa, &n, error))
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

	negotiate_begin(&n, p, sa->setup->child, NULL);
	sa->setup->spi_in = 0;
	if (ike_offer_accepted(in)) {
		if (!negotiate_take(core, sa, &n, in))
			event_note_child(core, p, n.conf, EVENT_CHILD_UNUSABLE);
		return;
	}
	child_spi_release(core, sa, n.spi_in);
	event_note_child(core, p, n.conf,
			 error == IKE_N_TEMPORARY_FAILURE ? EVENT_PEER_BUSY : EVENT_PEER_REFUSED);
	if (!explain_childless(core, sa, error) && !negotiate_explain(core, sa, &n, error))
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

/* Is the answer from whom we want? Sets sa->remote_id. */
static bool verify_responder(struct ike_core *core, struct ike_sa *sa,
			     const struct ike_payloads *in, struct x_claim *who)
{
	struct ike_peer *p = sa->peer;

	if (!x_proof_find_id(in, IKE_PL_IDR, who)) {
		report_error(core, p, sa, "peer's IKE_AUTH response has no identity");
		return false;
	}
	if (!x_proof_verify(core, sa, p, who)) {
		x_proof_explain_key(core, p, sa, who);
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

static void take_response(struct ike_core *core, struct ike_sa *sa, struct exchange *x,
			  struct x_msg *m)
{
	struct ike_peer *p = sa->peer;
	struct x_claim who = { 0 };

	(void)x;
	if (!x_proof_find_auth(m->in, &who.auth)) {
		/* Protected, but by whoever answered IKE_SA_INIT: the attempt is over, that is all. */
		explain_refusal(core, sa, ike_notify_first_error(m->in));
		attempt_over(core, sa);
		return;
	}
	if (!verify_responder(core, sa, m->in, &who)) {
		send_auth_failed(core, sa);
		return;
	}
	mark_established(core, sa);
	x_mobike_begin(core, sa, m->in);
	if (p->enabled) {
		take_child(core, sa, m->in);
	} else { /* taken down meanwhile: the peer learns it now */
		request_close(core, sa, IKESA_CLOSE_MS);
		return;
	}
	ikesa_setup_free(sa);
	event_note(core, p, EVENT_CHANGED);
}

static bool lose_auth(struct ike_core *core, struct ike_sa *sa, struct exchange *x)
{
	char ep[64];

	(void)x;
	report_error(
		core, sa->peer, sa,
		"no answer from %s to IKE_AUTH though it answered IKE_SA_INIT: check that UDP port 4500 passes, and the peer's log",
		ike_endpoint_print(ep, sizeof(ep), &sa->remote));
	attempt_over(core, sa);
	return true;
}

static const struct exchange_ops auth_ops = {
	.name = "IKE_AUTH",
	.exchange = IKE_AUTH,
	.build = build_request,
	.response = take_response,
	.lost = lose_auth,
};

void x_auth_start(struct ike_core *core, struct ike_sa *sa)
{
	sa->setup->spi_in = install_reserve_spi(core, sa);
	if (!sa->setup->spi_in) {
		attempt_over(core, sa);
		return;
	}
	query_local_id(sa->peer, sa, &sa->local_id);
	sa->state = IKESA_AUTH_SENT;
	sa->tx.next = 1;
	if (!request_start(core, sa, exchange_new(&auth_ops, 0))) {
		report_error(core, sa->peer, sa, "could not make an IKE_AUTH request: check PSK=");
		attempt_over(core, sa);
	}
}

/* ---- responder ----------------------------------------------------------- */

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

	if (!ike_payload_find(m->in, IKE_PL_SA) || !ike_payload_find(m->in, IKE_PL_TSI) ||
	    !ike_payload_find(m->in, IKE_PL_TSR)) {
		report_line(core, IKE_LOG_INFO, NULL, sa, "peer asks for no child SA");
		return;
	}
	negotiate_begin(&n, sa->peer, CHILD_ANY, NULL);
	if (!sa->peer_natt) {
		report_error(core, sa->peer, sa, "child SA refused: %s", NEGOTIATE_NO_NATT);
		ike_build_notify(m->reply, IKE_N_NO_PROPOSAL_CHOSEN, NULL, 0);
		event_note_child(core, sa->peer, CHILD_ANY, EVENT_CHILD_REFUSED);
	} else {
		negotiate_give(core, sa, &n, m);
	}
}

/* Both are who they say: the answer's AUTH, then the child. */
static enum x_verdict accept_peer(struct ike_core *core, struct ike_sa *sa, struct x_msg *m)
{
	struct ike_peer *p = sa->peer;
	struct ike_notify n;

	query_local_id(p, sa, &sa->local_id);
	ike_build_id(m->reply, IKE_PL_IDR, &sa->local_id);
	if (!x_proof_build(core, m->reply, sa, p)) {
		sa->peer = NULL;
		return refuse_auth(m);
	}
	mark_established(core, sa);
	x_mobike_begin(core, sa, m->in);
	if (sa->mobike.on)
		x_mobike_offer(m->reply, sa);
	if (ike_notify_find(m->in, IKE_N_INITIAL_CONTACT, &n))
		x_contact_initial(core, sa);
	if (p->is_client)
		client_replace(core, sa);
	give_child(core, sa, m);
	/* Whatever is to be retired needs the peer's word that this SA is up at its end. */
	ikesa_setup_free(sa);
	event_note(core, p, EVENT_CHANGED);
	return X_DONE;
}

enum x_verdict x_auth_request(struct ike_core *core, struct ike_sa *sa, struct x_msg *m)
{
	const struct ike_payload *idr = ike_payload_find(m->in, IKE_PL_IDR);
	struct ike_peer *p, *best;
	struct x_claim who = { 0 };
	struct ike_notify initial;

	if (!x_proof_find_id(m->in, IKE_PL_IDI, &who)) {
		ike_build_notify(m->reply, IKE_N_INVALID_SYNTAX, NULL, 0);
		return X_CLOSE;
	}
	if (idr)
		ike_id_parse(idr, &who.wanted); /* type 0 if malformed */
	if (!x_proof_find_auth(m->in, &who.auth)) {
		if (admit_reply(core, &sa->remote.addr)) /* or our log could be filled at will */
			x_match_explain_eap(core, sa, &who);
		return refuse_auth(m);
	}
	p = x_match_peer(core, sa, &who, &best);
	if (!p) {
		admit_work(core, ADMIT_WORK_AUTH);
		if (admit_reply(core, &sa->remote.addr))
			x_match_explain(core, sa, &who, best);
		return refuse_auth(m);
	}
	if (x_match_is_ambiguous(core, sa, &who, p))
		return refuse_auth(m);
	if (p->conf->clients > 1)
		p = client_admit(core, p, sa, &who.id,
				 ike_notify_find(m->in, IKE_N_INITIAL_CONTACT, &initial));
	else if (x_contact_is_held(core, sa, p, &who.id))
		p = NULL;
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
	sa->remote_id = who.id;
	return accept_peer(core, sa, m);
}
