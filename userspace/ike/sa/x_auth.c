// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * IKE_AUTH (RFC 7296 1.2, 2.15, 2.21.2) with pre-shared keys, and the child SA that comes
 * with it. The IKE SA stays when only the child fails.
 */
#include "ike/auth/psk.h"
#include "ike/sa/core_int.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- AUTH ---------------------------------------------------------------- */

/* What one end signs: its IKE_SA_INIT message, the other's nonce, its ID with its SK_p. */
struct signed_octets {
	struct ike_iov message, nonce, id;
	const uint8_t *sk_p;
};

static struct signed_octets octets_of(const struct ike_sa *sa, bool initiator,
				      struct ike_iov id_body)
{
	const struct ikesa_setup *s = sa->setup;
	const struct ikesa_bytes *m = initiator ? &s->init_i : &s->init_r;

	return (struct signed_octets){
		.message = { m->data, m->len },
		.nonce = initiator ? (struct ike_iov){ s->nr, s->nr_len }
				   : (struct ike_iov){ s->ni, s->ni_len },
		.id = id_body,
		.sk_p = initiator ? sa->keys.pi : sa->keys.pr,
	};
}

/* Append our AUTH payload for @t. */
static bool x_proof_build(struct ike_builder *b, const struct ike_sa *sa,
			  const struct ike_tunnel *t)
{
	uint16_t prf = sa->keys.suite.prf;
	uint8_t auth[IKE_MAX_PRF];
	/* Our ID payload's body: type, three reserved octets, data (3.5). */
	uint8_t body[4 + IKE_MAX_ID] = { sa->local_id.type };
	struct signed_octets o;

	memcpy(body + 4, sa->local_id.data, sa->local_id.len);
	o = octets_of(sa, sa->initiator, (struct ike_iov){ body, 4u + sa->local_id.len });
	if (ike_psk_auth(prf, t->conf.psk, t->conf.psk_len, &o.message, &o.nonce, o.sk_p, &o.id,
			 auth))
		return false;
	ike_build_auth(b, IKE_AUTH_PSK, auth, ike_prf_len(prf));
	return true;
}

/* Who the peer says it is, and its proof. */
struct x_claim {
	struct ike_iov body; /* of its ID payload as received, which is what it signed */
	struct ike_id id;
	struct ike_id wanted; /* IDr of a request; type 0: it did not say */
	struct ike_auth auth;
};

/* Does the peer prove that it holds @t's key? */
static bool x_proof_verify(const struct ike_sa *sa, const struct ike_tunnel *t,
			   const struct x_claim *who)
{
	const struct ike_auth *auth = &who->auth;
	struct signed_octets o;

	if (auth->method != IKE_AUTH_PSK)
		return false;
	o = octets_of(sa, !sa->initiator, who->body);
	return ike_psk_verify(sa->keys.suite.prf, t->conf.psk, t->conf.psk_len, &o.message,
			      &o.nonce, o.sk_p, &o.id, auth->data, auth->len);
}

/* Find and parse; absent and malformed alike give false. */
static bool x_proof_find_id(const struct ike_payloads *in, uint8_t type, struct x_claim *who)
{
	const struct ike_payload *p = ike_payload_find(in, type);

	if (!p || ike_id_parse(p, &who->id))
		return false;
	who->body = (struct ike_iov){ p->body, p->len };
	return true;
}

static bool x_proof_find_auth(const struct ike_payloads *in, struct ike_auth *auth)
{
	const struct ike_payload *p = ike_payload_find(in, IKE_PL_AUTH);

	return p && !ike_auth_parse(p, auth);
}

/* A peer that holds the key, under another name: the only one whose name is worth trusting. */
static void x_proof_explain_id(struct ike_core *core, struct ike_tunnel *t, const struct ike_sa *sa,
			       const struct ike_id *id)
{
	char got[IKE_MAX_ID + 16], want[IKE_MAX_ID + 16];

	ike_id_print(got, sizeof(got), id);
	ike_id_print(want, sizeof(want), &t->conf.remote_id);
	report_error(
		core, t, sa,
		"peer identifies as '%s', but RemoteID= expects '%s': set RemoteID=%s in [Peer], or the peer's own identity to the latter",
		got, want, got);
}

/* A peer that does not hold the key of @t, or did not try. */
static void x_proof_explain_key(struct ike_core *core, struct ike_tunnel *t,
				const struct ike_sa *sa, const struct x_claim *who)
{
	char id[IKE_MAX_ID + 16];

	ike_id_print(id, sizeof(id), &who->id);
	if (who->auth.method != IKE_AUTH_PSK)
		report_hint(
			core, t, sa, &sa->remote,
			"peer '%s' proves itself with authentication method %u, not with a pre-shared key: set its side to PSK",
			id, who->auth.method);
	else
		report_hint(
			core, t, sa, &sa->remote,
			"peer '%s' does not hold our pre-shared key: set the same PSK= at both ends",
			id);
}

/*
 * A tunnel has one peer. Is it another than the one of @sa, which proved the key? The IKE SA
 * of the former may be dead: ask, so that a later attempt succeeds.
 */
static bool x_contact_is_held(struct ike_core *core, const struct ike_sa *sa, struct ike_tunnel *t,
			      const struct ike_id *id)
{
	char held_by[IKE_MAX_ID + 16], refused[IKE_MAX_ID + 16], there[64], here[64];
	struct ike_sa *holder = query_holder(core, t, id, &sa->remote);

	if (!holder)
		return false;
	report_error(
		core, t, sa,
		"refused '%s' at %s, which proved the key: the tunnel is in use by '%s' at %s, and has room for one peer; make a tunnel for each, with a RemoteID= and a key of its own",
		ike_id_print(refused, sizeof(refused), id),
		ike_endpoint_print(here, sizeof(here), &sa->remote),
		ike_id_print(held_by, sizeof(held_by), &holder->remote_id),
		ike_endpoint_print(there, sizeof(there), &holder->remote));
	if (core->now < t->contested_until)
		t->contested_until = core->now + TUNNEL_CONTESTED_MS;
	request_probe(core, holder);
	return true;
}

/* ---- child proposals ----------------------------------------------------- */

/* The first proposal's SPI, if it is an ESP SPI that may be used (RFC 4303 2.1). */
static uint32_t offered_spi(const struct ike_proposal *p)
{
	uint32_t spi;

	if (p->protocol != IKE_PROTO_ESP || p->spi_len != 4)
		return 0;
	spi = (uint32_t)p->spi[0] << 24 | (uint32_t)p->spi[1] << 16 | (uint32_t)p->spi[2] << 8 |
	      p->spi[3];
	return spi > 255 ? spi : 0;
}

static void put_spi(struct ike_proposal *p, uint32_t spi)
{
	struct writer w = writer_init(p->spi, 4);

	p->spi_len = 4;
	writer_be32(&w, spi);
}

/* ---- initiator ----------------------------------------------------------- */

static void negotiate_offer(struct ike_builder *b, const struct ike_tunnel *t, uint32_t spi)
{
	struct ike_proposals offer = t->conf.esp;
	unsigned int i;

	for (i = 0; i < offer.n; i++)
		put_spi(&offer.p[i], spi);
	ike_build_sa(b, IKE_OFFER(&offer));
	ike_build_ts(b, IKE_PL_TSI, IKE_TS_OFFER(&t->conf.local_ts));
	ike_build_ts(b, IKE_PL_TSR, IKE_TS_OFFER(&t->conf.remote_ts));
}

static void attempt_over(struct ike_core *core, struct ike_sa *sa)
{
	struct ike_tunnel *t = sa->tunnel;

	sa_end(core, sa, false);
	event_note(core, t, EVENT_ATTEMPT_FAILED);
}

void x_auth_start(struct ike_core *core, struct ike_sa *sa)
{
	struct ike_tunnel *t = sa->tunnel;
	uint8_t buf[CORE_MSG_MAX], first;
	struct ike_builder b;
	bool ok, first_contact;

	sa->setup->spi_in = install_reserve_spi(core, sa);
	if (!sa->setup->spi_in) {
		attempt_over(core, sa);
		return;
	}
	query_local_id(t, sa, &sa->local_id);
	/* First contact: nothing of ours, taken over or established, is at the peer (2.4). */
	first_contact = !t->n_adopted && !query_is_established(t);
	request_begin(&b, buf, sizeof(buf), &first);
	ike_build_id(&b, IKE_PL_IDI, &sa->local_id);
	if (first_contact)
		ike_build_notify(&b, IKE_N_INITIAL_CONTACT, NULL, 0);
	if (t->conf.remote_id.type)
		ike_build_id(&b, IKE_PL_IDR, &t->conf.remote_id);
	ok = x_proof_build(&b, sa, t);
	negotiate_offer(&b, t, sa->setup->spi_in);
	sa->state = IKESA_AUTH_SENT;
	sa->tx.next = 1;
	if (!ok || !request_send(core, sa, IKE_AUTH, IKESA_ASK_AUTH, &b, first)) {
		report_error(core, t, sa, "could not make an IKE_AUTH request: check PSK=");
		attempt_over(core, sa);
	}
}

/* The first error notify, 0 if there is none. */
static uint16_t error_notify(const struct ike_payloads *in)
{
	struct ike_notify n;
	unsigned int i;

	for (i = 0; i < in->n; i++) {
		if (in->p[i].type == IKE_PL_NOTIFY && !ike_notify_parse(&in->p[i], &n) &&
		    n.type <= IKE_N_ERROR_MAX)
			return n.type;
	}
	return 0;
}

/* What the peer did not like of our offer for the child SA. False: @error is not about that. */
static bool negotiate_explain(struct ike_core *core, struct ike_sa *sa, uint16_t error)
{
	struct ike_tunnel *t = sa->tunnel;
	char why[CORE_TEXT_MAX - 128];

	if (error == IKE_N_INVALID_SYNTAX && sa->setup->peer_childless) {
		report_error(
			core, t, sa,
			"peer answered INVALID_SYNTAX to IKE_AUTH: it may demand an IKE SA without child SA first (RFC 6023), which esptun does not do: let it allow the usual way (strongSwan: childless = allow)");
		return true;
	}
	if (error == IKE_N_NO_PROPOSAL_CHOSEN)
		ike_proposal_explain(why, sizeof(why), &t->conf.esp, (struct ike_offer){ 0 });
	else if (error == IKE_N_TS_UNACCEPTABLE)
		ike_ts_explain(why, sizeof(why), &t->conf.local_ts, &t->conf.remote_ts,
			       (struct ike_ts_offer){ 0 }, (struct ike_ts_offer){ 0 });
	else
		return false;
	report_error(core, t, sa, "peer refused the child SA (%s): %s", ike_notify_name(error),
		     why);
	return true;
}

static void explain_refusal(struct ike_core *core, struct ike_sa *sa, uint16_t error)
{
	char us[IKE_MAX_ID + 16], them[IKE_MAX_ID + 16] = "any";
	struct ike_tunnel *t = sa->tunnel;
	const char *name;

	ike_id_print(us, sizeof(us), &sa->local_id);
	if (t->conf.remote_id.type)
		ike_id_print(them, sizeof(them), &t->conf.remote_id);
	if (error == IKE_N_AUTHENTICATION_FAILED) {
		report_error(
			core, t, sa,
			"peer answered AUTHENTICATION_FAILED: it rejects our identity '%s' or our key, or is not '%s': compare PSK=, LocalID= and RemoteID= with its configuration",
			us, them);
		return;
	}
	if (negotiate_explain(core, sa, error))
		return;
	name = ike_notify_name(error);
	report_error(core, t, sa, "peer answered IKE_AUTH without proving who it is (%s%s%u)",
		     name ? name : "", name ? ", " : "notify ", error);
}

/* The peer counts the IKE SA as established, we do not: tell it (2.21.2). */
static void send_auth_failed(struct ike_core *core, struct ike_sa *sa)
{
	struct ike_tunnel *t = sa->tunnel;
	uint8_t buf[64], first;
	struct ike_builder b;

	ikesa_request_done(sa);
	child_spi_release(core, sa, sa->setup->spi_in);
	sa->setup->spi_in = 0;
	ikesa_setup_free(sa);
	sa->state = IKESA_DELETING;
	sa->expire_at = core->now + IKESA_CLOSE_MS;
	request_begin(&b, buf, sizeof(buf), &first);
	ike_build_notify(&b, IKE_N_AUTHENTICATION_FAILED, NULL, 0);
	if (!request_send(core, sa, IKE_INFORMATIONAL, IKESA_ASK_AUTH_FAILED, &b, first))
		sa_end(core, sa, false);
	event_note(core, t, EVENT_ATTEMPT_FAILED);
}

/* Is the answer from whom we want? Sets sa->remote_id. */
static bool verify_responder(struct ike_core *core, struct ike_sa *sa,
			     const struct ike_payloads *in, struct x_claim *who)
{
	struct ike_tunnel *t = sa->tunnel;

	if (!x_proof_find_id(in, IKE_PL_IDR, who)) {
		report_error(core, t, sa, "peer's IKE_AUTH response has no identity");
		return false;
	}
	if (!x_proof_verify(sa, t, who)) {
		x_proof_explain_key(core, t, sa, who);
		return false;
	}
	if (t->conf.remote_id.type && !ike_id_eq(&who->id, &t->conf.remote_id)) {
		x_proof_explain_id(core, t, sa, &who->id);
		return false;
	}
	if (x_contact_is_held(core, sa, t, &who->id))
		return false;
	sa->remote_id = who->id;
	return true;
}

/* Undo a child SA that the peer believes in and we cannot have. */
static void reject_child(struct ike_sa *sa, uint32_t spi)
{
	static const struct ike_ts_list none;
	struct child_sa *c = child_new(&none, &none);

	if (!c) {
		sa->want_delete = true;
		return;
	}
	c->spi_in = spi;
	c->unwanted = true;
	TAILQ_INSERT_TAIL(&sa->children, c, link);
}

static bool child_answer_ok(struct ike_core *core, struct ike_sa *sa, const struct ike_payloads *in,
			    struct ike_proposal *chosen, struct ike_ts_list *tsi,
			    struct ike_ts_list *tsr)
{
	const struct ike_payload *p_i = ike_payload_find(in, IKE_PL_TSI);
	const struct ike_payload *p_r = ike_payload_find(in, IKE_PL_TSR);
	struct ike_tunnel *t = sa->tunnel;
	struct ike_ts_payload ours, theirs;
	struct ike_sa_payload answer;
	char err[256];

	if (ike_sa_parse(ike_payload_find(in, IKE_PL_SA), &answer) || !p_i || !p_r ||
	    ike_ts_parse(p_i, &ours) || ike_ts_parse(p_r, &theirs)) {
		report_error(core, t, sa, "peer's answer about the child SA is malformed");
		return false;
	}
	if (!ike_proposal_verify(IKE_OFFER(&t->conf.esp), IKE_OFFER(&answer), chosen, err,
				 sizeof(err)) ||
	    !offered_spi(chosen)) {
		report_error(core, t, sa, "peer chose child SA algorithms we did not offer: %s",
			     offered_spi(&answer.p[0]) ? err : "and no usable SPI");
		return false;
	}
	if (!ike_ts_within(IKE_TS_OFFER(&ours), &t->conf.local_ts) ||
	    !ike_ts_within(IKE_TS_OFFER(&theirs), &t->conf.remote_ts)) {
		char a[200], b[200];

		report_error(
			core, t, sa,
			"peer answered with selectors %s = %s, wider than Selectors=: correct its policy",
			ike_ts_list_print(a, sizeof(a), IKE_TS_OFFER(&ours)),
			ike_ts_list_print(b, sizeof(b), IKE_TS_OFFER(&theirs)));
		return false;
	}
	if (!ike_ts_take(IKE_TS_OFFER(&ours), tsi) || !ike_ts_take(IKE_TS_OFFER(&theirs), tsr)) {
		report_error(
			core, t, sa,
			"peer answered with more than %d traffic selectors: ask for fewer in Selectors=",
			IKE_MAX_TS);
		return false;
	}
	return true;
}

/* The response's child part. Whatever happens here, the IKE SA stays. */
static void negotiate_take(struct ike_core *core, struct ike_sa *sa, const struct ike_payloads *in)
{
	struct ike_tunnel *t = sa->tunnel;
	uint32_t spi = sa->setup->spi_in;
	uint16_t error = error_notify(in);
	struct ike_ts_list tsi, tsr;
	struct ike_proposal chosen;
	const char *name;

	sa->setup->spi_in = 0;
	if (ike_payload_find(in, IKE_PL_SA)) {
		if (!child_answer_ok(core, sa, in, &chosen, &tsi, &tsr)) {
			child_spi_release(core, sa, spi);
			reject_child(sa, spi);
		} else if (install_pair(core, sa, spi, offered_spi(&chosen), &chosen, &tsi, &tsr,
					false)) {
			return;
		} else {
			reject_child(sa, spi);
		}
		event_note(core, t, EVENT_CHILD_UNUSABLE);
		return;
	}
	child_spi_release(core, sa, spi);
	event_note(core, t,
		   error == IKE_N_TEMPORARY_FAILURE ? EVENT_PEER_BUSY : EVENT_PEER_REFUSED);
	if (negotiate_explain(core, sa, error))
		return;
	name = ike_notify_name(error);
	report_error(core, t, sa, "peer refused the child SA (%s, %u); see its log",
		     name ? name : "unknown error", error);
}

enum x_verdict x_auth_response(struct ike_core *core, struct ike_sa *sa, struct x_msg *m)
{
	struct ike_tunnel *t = sa->tunnel;
	struct x_claim who = { 0 };

	ikesa_request_done(sa);
	if (!x_proof_find_auth(m->in, &who.auth)) {
		/* Protected, but by whoever answered IKE_SA_INIT: the attempt is over, that is all. */
		explain_refusal(core, sa, error_notify(m->in));
		attempt_over(core, sa);
		return X_DONE;
	}
	if (!verify_responder(core, sa, m->in, &who)) {
		send_auth_failed(core, sa);
		return X_DONE;
	}
	establish(core, sa);
	if (t->enabled) {
		negotiate_take(core, sa, m->in);
	} else { /* taken down meanwhile: the peer learns it now */
		request_close(core, sa, IKESA_CLOSE_MS);
		return X_DONE;
	}
	ikesa_setup_free(sa);
	event_note(core, t, EVENT_CHANGED);
	return X_DONE;
}

/* ---- responder ----------------------------------------------------------- */

/* How well does @t fit the identities and the suite agreed on? 0: not at all. */
static int fits(const struct ike_tunnel *t, const struct ike_sa *sa, const struct x_claim *who)
{
	const struct ike_offer chosen = { 1, &sa->proposal };
	struct ike_proposal out;
	struct ike_id own;

	if (!t->enabled ||
	    (t->conf.local.addr.family && !ike_addr_eq(&t->conf.local.addr, &sa->local.addr)))
		return 0;
	if (t->conf.remote_id.type && !ike_id_eq(&who->id, &t->conf.remote_id))
		return 0;
	query_local_id(t, sa, &own);
	if (who->wanted.type && !ike_id_eq(&who->wanted, &own))
		return 0;
	/* The suite was agreed on under another tunnel's policy, maybe. */
	if (!ike_proposal_choose(&t->conf.ike, chosen, sa->keys.suite.dh, &out))
		return 0;
	return 1 + (t->conf.remote_id.type ? 4 : 0) +
	       (!t->remote.addr.family				 ? 1
		: ike_addr_eq(&t->remote.addr, &sa->remote.addr) ? 2
								 : 0);
}

/* By address alone: whose owner wants to read why the peer was refused? */
static int matches_address_only(const struct ike_tunnel *t, const struct ike_sa *sa,
				const struct x_claim *who)
{
	(void)who;
	if (!t->enabled)
		return 0;
	if (ike_addr_eq(&t->remote.addr, &sa->remote.addr))
		return 3;
	return t->remote.addr.family ? 1 : 2;
}

typedef int (*fit_fn)(const struct ike_tunnel *t, const struct ike_sa *sa,
		      const struct x_claim *who);

/* All tunnels one after the other; but only those that could fit if the identity decides. */
static struct ike_tunnel *next_tunnel(struct ike_core *core, const struct x_claim *who, fit_fn fit,
				      const struct ike_tunnel *after)
{
	if (fit == fits)
		return lookup_id(core, &who->id, after);
	core->stats.visited++;
	return after ? TAILQ_NEXT(after, link) : TAILQ_FIRST(&core->tunnels);
}

/* Give each tunnel its ->fit; the first of the best, NULL if none fits. */
static struct ike_tunnel *judge_tunnels(struct ike_core *core, const struct ike_sa *sa,
					const struct x_claim *who, fit_fn fit)
{
	struct ike_tunnel *t = NULL, *best = NULL;

	while ((t = next_tunnel(core, who, fit, t))) {
		t->fit = fit(t, sa, who);
		if (t->fit && (!best || t->fit > best->fit))
			best = t;
	}
	return best;
}

/* The tunnel whose key the peer proved; NULL and, in *@best, the one it probably meant. */
static struct ike_tunnel *authenticate(struct ike_core *core, const struct ike_sa *sa,
				       const struct x_claim *who, fit_fn fit,
				       struct ike_tunnel **best)
{
	struct ike_tunnel *t = NULL;
	int level;

	*best = judge_tunnels(core, sa, who, fit);
	for (level = *best ? (*best)->fit : 0; level > 0; level--) {
		while ((t = next_tunnel(core, who, fit, t))) {
			if (t->fit != level)
				continue;
			if (x_proof_verify(sa, t, who))
				return t;
			admit_work(core, ADMIT_WORK_KEY);
		}
	}
	return NULL;
}

/*
 * Another tunnel that fits as well as @t and has the same key. Nothing tells their peers
 * apart then, and the routes of one must not lead to the peer of the other.
 */
static struct ike_tunnel *find_twin(struct ike_core *core, const struct x_claim *who,
				    const struct ike_tunnel *t)
{
	struct ike_tunnel *other = NULL;

	while ((other = next_tunnel(core, who, fits, other))) {
		if (other != t && other->fit == t->fit && other->conf.psk_len == t->conf.psk_len &&
		    ike_equal(other->conf.psk, t->conf.psk, t->conf.psk_len))
			return other;
	}
	return NULL;
}

/* The peer holds the key of @t, yet @t does not fit it. */
static void explain_misfit(struct ike_core *core, const struct ike_sa *sa,
			   const struct x_claim *who, struct ike_tunnel *t)
{
	char id[IKE_MAX_ID + 16], want[IKE_MAX_ID + 16], own[IKE_MAX_ID + 16];
	struct ike_id own_id;

	ike_id_print(id, sizeof(id), &who->id);
	query_local_id(t, sa, &own_id);
	if (t->conf.remote_id.type && !ike_id_eq(&who->id, &t->conf.remote_id)) {
		x_proof_explain_id(core, t, sa, &who->id);
	} else if (who->wanted.type && !ike_id_eq(&who->wanted, &own_id)) {
		ike_id_print(want, sizeof(want), &who->wanted);
		report_error(
			core, t, sa,
			"peer '%s' wants to reach '%s', but we are '%s': set LocalID=%s in [Tunnel], or the peer's idea of us to the latter",
			id, want, ike_id_print(own, sizeof(own), &own_id), want);
	} else {
		report_error(
			core, t, sa,
			"peer '%s' came to an address that Local= forbids, or agreed on algorithms that Crypto= does",
			id);
	}
}

static void x_match_explain(struct ike_core *core, const struct ike_sa *sa,
			    const struct x_claim *who, struct ike_tunnel *best)
{
	struct ike_tunnel *near, *holder = authenticate(core, sa, who, matches_address_only, &near);

	if (holder)
		explain_misfit(core, sa, who, holder);
	else
		x_proof_explain_key(core, best ? best : near, sa, who);
}

static void x_match_explain_eap(struct ike_core *core, const struct ike_sa *sa,
				const struct x_claim *who)
{
	struct ike_tunnel *t = judge_tunnels(core, sa, who, matches_address_only);
	char id[IKE_MAX_ID + 16];

	report_hint(core, t, sa, &sa->remote,
		    "peer '%s' wants EAP, which this tunnel does not offer: set its side to PSK",
		    ike_id_print(id, sizeof(id), &who->id));
}

static bool x_match_is_ambiguous(struct ike_core *core, const struct ike_sa *sa,
				 const struct x_claim *who, struct ike_tunnel *t)
{
	struct ike_tunnel *twin = find_twin(core, who, t);

	if (!twin)
		return false;
	report_error(
		core, t, sa,
		"a peer proved the key that %s has, too, and nothing tells which of the two tunnels it means: set RemoteID= in [Peer] of both, or give each a key of its own",
		twin->conf.name);
	return true;
}

static enum x_verdict refuse_auth(struct x_msg *m)
{
	ike_build_notify(m->reply, IKE_N_AUTHENTICATION_FAILED, NULL, 0);
	return X_CLOSE;
}

static void refuse_child(struct ike_core *core, struct ike_sa *sa, struct x_msg *m, uint16_t notify,
			 const char *what, const char *why)
{
	event_note(core, sa->tunnel, EVENT_CHILD_REFUSED);
	report_error(core, sa->tunnel, sa, "child SA refused: %s%s%s", what, *why ? ": " : "", why);
	ike_build_notify(m->reply, notify, NULL, 0);
}

/* The request's child part; a failure is answered with a notify and nothing more. */
static void negotiate_give(struct ike_core *core, struct ike_sa *sa, struct x_msg *m,
			   bool inbound_first)
{
	const struct ike_payload *p_sa = ike_payload_find(m->in, IKE_PL_SA);
	const struct ike_payload *p_i = ike_payload_find(m->in, IKE_PL_TSI);
	const struct ike_payload *p_r = ike_payload_find(m->in, IKE_PL_TSR);
	const struct ike_tunnel_conf *conf = &sa->tunnel->conf;
	struct ike_ts_list local, remote;
	struct ike_ts_payload tsi, tsr;
	struct ike_sa_payload offer;
	struct ike_proposal chosen;
	char why[CORE_TEXT_MAX - 128];
	uint32_t spi, peer_spi;
	unsigned int i;

	if (!p_sa || !p_i || !p_r) {
		report_line(core, IKE_LOG_INFO, NULL, sa, "peer asks for no child SA");
		return;
	}
	if (!sa->setup->peer_natt) {
		refuse_child(core, sa, m, IKE_N_NO_PROPOSAL_CHOSEN, X_NO_NATT, "");
		return;
	}
	if (ike_sa_parse(p_sa, &offer) || ike_ts_parse(p_i, &tsi) || ike_ts_parse(p_r, &tsr)) {
		refuse_child(core, sa, m, IKE_N_INVALID_SYNTAX, "the offer is malformed", "");
		return;
	}
	for (i = 0; i < offer.n; i++)
		ike_proposal_drop_dh(&offer.p[i]);
	if (!ike_proposal_choose(&conf->esp, IKE_OFFER(&offer), IKE_DH_NONE, &chosen) ||
	    !(peer_spi = offered_spi(&chosen))) {
		refuse_child(core, sa, m, IKE_N_NO_PROPOSAL_CHOSEN, "no common proposal",
			     ike_proposal_explain(why, sizeof(why), &conf->esp, IKE_OFFER(&offer)));
		return;
	}
	if (!ike_ts_narrow(IKE_TS_OFFER(&tsr), &conf->local_ts, &local) ||
	    !ike_ts_narrow(IKE_TS_OFFER(&tsi), &conf->remote_ts, &remote)) {
		refuse_child(core, sa, m, IKE_N_TS_UNACCEPTABLE, "no common selectors",
			     ike_ts_explain(why, sizeof(why), &conf->local_ts, &conf->remote_ts,
					    IKE_TS_OFFER(&tsr), IKE_TS_OFFER(&tsi)));
		return;
	}
	spi = install_reserve_spi(core, sa);
	if (!spi ||
	    !install_pair(core, sa, spi, peer_spi, &chosen, &local, &remote, inbound_first)) {
		/* The reason is logged already; the peer may try again (2.25). */
		ike_build_notify(m->reply, IKE_N_TEMPORARY_FAILURE, NULL, 0);
		return;
	}
	put_spi(&chosen, spi);
	ike_build_sa(m->reply, (struct ike_offer){ 1, &chosen });
	ike_build_ts(m->reply, IKE_PL_TSI, IKE_TS_OFFER(&remote));
	ike_build_ts(m->reply, IKE_PL_TSR, IKE_TS_OFFER(&local));
}

/* Both are who they say: the answer's AUTH, then the child. */
static enum x_verdict accept_peer(struct ike_core *core, struct ike_sa *sa, struct x_msg *m)
{
	struct ike_tunnel *t = sa->tunnel;
	struct ike_notify n;
	bool busy;

	query_local_id(t, sa, &sa->local_id);
	ike_build_id(m->reply, IKE_PL_IDR, &sa->local_id);
	if (!x_proof_build(m->reply, sa, t)) {
		sa->tunnel = NULL;
		return refuse_auth(m);
	}
	establish(core, sa);
	if (ike_notify_find(m->in, IKE_N_INITIAL_CONTACT, &n))
		x_contact_initial(core, sa);
	busy = query_has_outbound(t);
	negotiate_give(core, sa, m, busy);
	/* Whatever is to be retired needs the peer's word that this SA is up at its end. */
	ikesa_setup_free(sa);
	event_note(core, t, EVENT_CHANGED);
	return X_DONE;
}

enum x_verdict x_auth_request(struct ike_core *core, struct ike_sa *sa, struct x_msg *m)
{
	const struct ike_payload *idr = ike_payload_find(m->in, IKE_PL_IDR);
	struct ike_tunnel *t, *best;
	struct x_claim who = { 0 };

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
	t = authenticate(core, sa, &who, fits, &best);
	if (!t) {
		admit_work(core, ADMIT_WORK_AUTH);
		if (admit_reply(core, &sa->remote.addr))
			x_match_explain(core, sa, &who, best);
		return refuse_auth(m);
	}
	if (x_match_is_ambiguous(core, sa, &who, t) || x_contact_is_held(core, sa, t, &who.id))
		return refuse_auth(m);
	sa->tunnel = t;
	sa->remote_id = who.id;
	return accept_peer(core, sa, m);
}
