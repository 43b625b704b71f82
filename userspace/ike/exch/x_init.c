// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * IKE_SA_INIT (RFC 7296 1.2, 2.6, 2.6.1, 2.7, 2.23). Nothing here is authenticated: a
 * wrong answer is passed over while the right one may still come, and an error notify is
 * a hint for the user (2.21.1).
 */
#include "ike/exch/layer_exchange.h"

/* ---- both roles ---------------------------------------------------------- */

static bool nonce_ok(const struct ike_payload *p)
{
	const uint8_t *data;
	size_t len;

	return p && !ike_nonce_parse(p, &data, &len);
}

/* Which hashes the peer's signature algorithms may have, as it says (RFC 7427 4). */
static void note_hashes(struct ike_sa *sa, const struct ike_payloads *in)
{
	struct ike_notify n;

	sa->setup->peer_hashes = 0;
	if (ike_notify_find(in, IKE_N_SIGNATURE_HASH_ALGORITHMS, &n))
		sa->setup->peer_hashes = sigalg_hashes(&n);
}

/* ---- initiator ----------------------------------------------------------- */

static bool lose_init(struct ike_core *core, struct ike_sa *sa, struct exchange *x)
{
	struct ike_peer *p = sa->peer;
	char ep[64];

	(void)x;
	if (!sa->last_hint)
		report_silence(
			core, p, sa,
			"no answer from %s to IKE_SA_INIT: check that Endpoint= is right, the peer runs, and UDP ports 500 and 4500 pass",
			ike_endpoint_print(ep, sizeof(ep), &sa->remote));
	sa_attempt_failed(core, sa);
	return true;
}

/* Neither sealed nor numbered like the others, so its messages do not go through request_start(). */
static const struct exchange_ops init_ops = {
	.name = "IKE_SA_INIT",
	.exchange = IKE_SA_INIT,
	.lost = lose_init,
};

/* The request as it stands: 2.6 wants everything but cookie and KE unchanged in retries. */
static bool send_request(struct ike_core *core, struct ike_sa *sa)
{
	struct ikesa_setup *s = sa->setup;
	struct ike_header h = { .version = 0x20,
				.exchange = IKE_SA_INIT,
				.flags = IKE_FLAG_INITIATOR };
	uint8_t buf[CORE_MSG_MAX];
	struct ike_builder b;
	size_t len;

	memcpy(h.spi_i, sa->spi_i, IKE_SPI_LEN);
	ike_build_init(&b, buf, sizeof(buf), &h);
	if (s->cookie_len)
		ike_build_notify(&b, IKE_N_COOKIE, s->cookie, s->cookie_len);
	ike_build_sa(&b, IKE_OFFER(sa->peer->conf->ike));
	ike_secret_build(&b, s->kex);
	ike_build_nonce(&b, s->ni, s->ni_len);
	sigalg_build_hashes(&b);
	natd_build(&b, sa, &sa->local, &sa->remote);
	ike_build_notify(&b, IKE_N_IKEV2_FRAGMENTATION_SUPPORTED, NULL, 0);
	x_ppk_offer(&b, sa);
	if (ike_proposals_have_addke(sa->peer->conf->ike))
		ike_build_notify(&b, IKE_N_INTERMEDIATE_EXCHANGE_SUPPORTED, NULL, 0);
	len = ike_build_end(&b);
	return len && !ikesa_bytes_set(&s->init_i, buf, len) &&
	       request_send_raw(core, sa, sa->out ? sa->out : exchange_new(&init_ops, 0), buf, len);
}

static struct ike_endpoint initiator_local(const struct ike_peer *p,
					   const struct ike_endpoint *remote)
{
	struct ike_endpoint local = p->conf->local;

	/* Anything but port 500 speaks the 4500 format from the start (2.23). */
	if (remote->port == IKE_PORT)
		local.port = IKE_PORT;
	return local;
}

void x_init_start(struct ike_core *core, struct ike_peer *p, unsigned int child)
{
	struct ike_endpoint remote = query_remote(p), local;
	struct ike_sa *sa;
	char ep[64];

	if (!remote.addr.family || query_is_attempting(p, CHILD_ANY))
		return;
	local = initiator_local(p, &remote);
	sa = sa_new(core, true, &local, &remote, NULL);
	if (!sa) {
		report_error(core, p, NULL, "no room for another IKE SA");
		event_note(core, p, EVENT_ATTEMPT_FAILED);
		return;
	}
	sa->peer = p;
	sa->setup->child = child;
	sa->natd.claims = natd_must_claim(p, &local);
	sa_join(core, sa);
	sa->setup->ni_len = IKE_OUR_NONCE;
	core->env.rng.fill(core->env.rng.ctx, sa->setup->ni, IKE_OUR_NONCE);
	sa->setup->kex = ike_kex_new(ike_proposals_first_dh(p->conf->ike), &core->env.rng);
	report_line(core, IKE_LOG_INFO, p, sa, "initiating to %s",
		    ike_endpoint_print(ep, sizeof(ep), &remote));
	if (!sa->setup->kex || !send_request(core, sa)) {
		report_error(
			core, p, sa,
			"could not make an IKE_SA_INIT request: no memory, or no known group in Crypto=");
		sa_attempt_failed(core, sa);
		return;
	}
	sa->tx.next = 1;
	event_note(core, p, EVENT_CHANGED);
}

static void retry_with_cookie(struct ike_core *core, struct ike_sa *sa, const struct ike_notify *n)
{
	struct ikesa_setup *s = sa->setup;

	if (!n->len || n->len > IKE_MAX_COOKIE || s->cookies >= IKESA_MAX_COOKIES)
		return;
	/* A repeated answer to a request that had no cookie yet asks nothing new. */
	if (n->len == s->cookie_len && !memcmp(n->data, s->cookie, n->len))
		return;
	s->cookies++;
	memcpy(s->cookie, n->data, n->len);
	s->cookie_len = n->len;
	if (!send_request(core, sa))
		sa_attempt_failed(core, sa);
}

static void retry_with_group(struct ike_core *core, struct ike_sa *sa, const struct ike_notify *n)
{
	struct ikesa_setup *s = sa->setup;
	struct ike_kex *kex;
	uint16_t group;

	if (n->len != 2 || s->ke_retries >= IKESA_MAX_KE_RETRIES)
		return;
	group = (uint16_t)(n->data[0] << 8 | n->data[1]);
	if (group == ike_kex_method(s->kex))
		return;
	/* Only what we offered: else anyone could talk us into a weaker group (2.7). */
	if (!ike_proposals_have_dh(sa->peer->conf->ike, group)) {
		if (sa->last_hint)
			return; /* told once per attempt */
		sa->last_hint = core->now;
		report_error(core, sa->peer, sa,
			     "peer wants key exchange group %u, which Crypto= does not offer",
			     group);
		return;
	}
	kex = ike_kex_new(group, &core->env.rng);
	if (!kex)
		return;
	s->ke_retries++;
	ike_kex_free(s->kex);
	s->kex = kex;
	report_line(core, IKE_LOG_DEBUG, NULL, sa, "peer wants group %u: trying again", group);
	if (!send_request(core, sa))
		sa_attempt_failed(core, sa);
}

/* Anyone can send an error notify: tell the user, and go on waiting (2.21.1). */
static void note_error(struct ike_core *core, struct ike_sa *sa, const struct ike_payloads *in)
{
	const char *name;
	struct ike_notify n;
	char why[CORE_TEXT_MAX - 128];
	unsigned int i;

	for (i = 0; i < in->n; i++) {
		if (in->p[i].type != IKE_PL_NOTIFY || ike_notify_parse(&in->p[i], &n) ||
		    n.type > IKE_N_ERROR_MAX)
			continue;
		if (sa->last_hint)
			return; /* once per attempt */
		sa->last_hint = core->now;
		name = ike_notify_name(n.type);
		if (n.type == IKE_N_NO_PROPOSAL_CHOSEN)
			report_error(core, sa->peer, sa, "peer answered NO_PROPOSAL_CHOSEN: %s",
				     ike_proposal_explain(why, sizeof(why), sa->peer->conf->ike,
							  (struct ike_offer){ 0 }));
		else
			report_error(core, sa->peer, sa,
				     "peer answered %s (%u) to IKE_SA_INIT; see its log",
				     name ? name : "an unknown error", n.type);
		return;
	}
}

/* Does the answer fit what we asked? Fills proposal, nonce, SPI; nothing else changes. */
static bool accept_answer(struct ike_core *core, struct ike_sa *sa, const struct ike_header *h,
			  const struct ike_payloads *in, struct ike_ke *ke)
{
	static const uint8_t zero[IKE_SPI_LEN];
	const struct ike_payload *p_sa = ike_payload_find(in, IKE_PL_SA);
	const struct ike_payload *p_ke = ike_payload_find(in, IKE_PL_KE);
	const struct ike_payload *nonce = ike_payload_find(in, IKE_PL_NONCE);
	struct ike_sa_payload answer;
	struct ike_suite suite;
	struct ike_notify n;
	char err[256];

	if (!p_sa || !p_ke || !nonce_ok(nonce) || !memcmp(h->spi_r, zero, IKE_SPI_LEN) ||
	    ike_sa_parse(p_sa, &answer) || ike_ke_parse(p_ke, ke))
		return false;
	if (!ike_proposal_verify(IKE_OFFER(sa->peer->conf->ike), IKE_OFFER(&answer), &sa->proposal,
				 err, sizeof(err))) {
		report_line(core, IKE_LOG_WARN, NULL, sa, "IKE_SA_INIT response passed over: %s",
			    err);
		return false;
	}
	if (ike_suite_from_proposal(&sa->proposal, &suite) || suite.dh != ke->group ||
	    ke->group != ike_kex_method(sa->setup->kex)) {
		report_line(core, IKE_LOG_WARN, NULL, sa,
			    "IKE_SA_INIT response passed over: its group is not the one we used");
		return false;
	}
	if (suite.addke.n && !ike_notify_find(in, IKE_N_INTERMEDIATE_EXCHANGE_SUPPORTED, &n)) {
		report_line(
			core, IKE_LOG_WARN, NULL, sa,
			"IKE_SA_INIT response passed over: it chose additional key exchanges, but no IKE_INTERMEDIATE to do them in");
		return false;
	}
	memcpy(sa->setup->nr, nonce->body, nonce->len);
	sa->setup->nr_len = nonce->len;
	memcpy(sa->spi_r, h->spi_r, IKE_SPI_LEN);
	return true;
}

/* With an invalid value of the peer our key stays: a better answer may come. */
static bool finish_key_exchange(struct ike_core *core, struct ike_sa *sa, const struct ike_ke *ke)
{
	struct ikesa_setup *s = sa->setup;
	struct ike_secret secret;
	bool ok = ike_secret_agree(&secret, s->kex, ke) && x_derive_keys(core, sa, &secret);

	ike_wipe(&secret, sizeof(secret));
	if (!ok)
		return false;
	ike_kex_free(s->kex);
	s->kex = NULL;
	return true;
}

static void complete_initiator(struct ike_core *core, struct ike_sa *sa,
			       const struct ike_datagram *d, const struct ike_header *h,
			       const struct ike_payloads *in, const struct ike_ke *ke)
{
	struct ike_peer *p = sa->peer;
	struct ike_notify n;
	const char *refusal;

	natd_judge(&sa->natd, h, in, d);
	sa->fragments = ike_notify_find(in, IKE_N_IKEV2_FRAGMENTATION_SUPPORTED, &n);
	note_hashes(sa, in);
	sa->setup->asks_status = authority_asks_status(in);
	sa->setup->takes_raw_key = authority_takes_raw_key(in);
	sa->setup->peer_rounds = ike_notify_find(in, IKE_N_MULTIPLE_AUTH_SUPPORTED, &n);
	sa->setup->peer_childless = ike_notify_find(in, IKE_N_CHILDLESS_IKEV2_SUPPORTED, &n);
	refusal = natd_refusal(sa, &sa->natd);
	if (refusal) {
		if (!sa->last_hint) /* told once per attempt */
			report_error(core, p, sa, "%s", refusal);
		sa->last_hint = core->now ? core->now : 1;
		memset(sa->spi_r, 0, IKE_SPI_LEN);
		return;
	}
	if (!x_ppk_agree(core, sa, in)) {
		memset(sa->spi_r, 0, IKE_SPI_LEN);
		return;
	}
	if (ikesa_bytes_set(&sa->setup->init_r, d->data, d->len) ||
	    !finish_key_exchange(core, sa, ke)) {
		core->stats.rx_bad++;
		report_line(core, IKE_LOG_WARN, NULL, sa,
			    "IKE_SA_INIT response passed over: its key exchange value is invalid");
		memset(sa->spi_r, 0, IKE_SPI_LEN);
		return;
	}
	exchange_end(core, sa, ikesa_take_out(sa));
	sa->local.addr = d->local.addr;
	if (sa->remote.port == IKE_PORT) { /* float (2.23) */
		sa->remote.port = IKE_NATT_PORT;
		sa->local.port = p->conf->local.port;
	}
	x_intermediate_start(core, sa);
}

void x_init_response(struct ike_core *core, struct ike_sa *sa, const struct ike_datagram *d,
		     const struct ike_header *h)
{
	struct ike_payloads in;
	struct ike_notify n;
	uint8_t offender;
	struct ike_ke ke;

	if (ike_payloads_parse(h->next, d->data + IKE_HDR_LEN, d->len - IKE_HDR_LEN, &in,
			       &offender)) {
		core->stats.rx_bad++;
		return;
	}
	if (!ike_offer_accepted(&in)) {
		if (ike_notify_find(&in, IKE_N_COOKIE, &n))
			retry_with_cookie(core, sa, &n);
		else if (ike_notify_find(&in, IKE_N_INVALID_KE_PAYLOAD, &n))
			retry_with_group(core, sa, &n);
		else
			note_error(core, sa, &in);
		return;
	}
	if (accept_answer(core, sa, h, &in, &ke))
		complete_initiator(core, sa, d, h, &in, &ke);
	else
		core->stats.rx_bad++;
}

/* ---- responder ----------------------------------------------------------- */

static void answer_cookie(struct ike_core *core, const struct ike_datagram *d,
			  const struct ike_header *h, const struct ike_payload *ni)
{
	uint8_t cookie[ADMIT_COOKIE_LEN];

	if (!admit_cookie(core, d, h, ni, cookie))
		return;
	core->stats.cookies_sent++;
	send_notify(core, d, h, IKE_N_COOKIE, cookie, sizeof(cookie));
}

/* No tunnel, or none with a common proposal: say so to the user and the peer. */
static void refuse_offer(struct ike_core *core, const struct ike_datagram *d,
			 const struct ike_header *h, struct ike_peer *best, struct ike_offer offer)
{
	char ep[64], why[CORE_TEXT_MAX - 128];

	if (!admit_reply_left(core, &d->remote.addr))
		return;
	ike_endpoint_print(ep, sizeof(ep), &d->remote);
	if (best)
		report_hint(core, best, NULL, &d->remote, "no common IKE proposal with %s: %s", ep,
			    ike_proposal_explain(why, sizeof(why), best->conf->ike, offer));
	else
		report_line(core, IKE_LOG_INFO, NULL, NULL,
			    "IKE_SA_INIT from %s refused: no tunnel that is up expects it", ep);
	send_error(core, d, h, IKE_N_NO_PROPOSAL_CHOSEN, NULL, 0);
}

static bool build_response(struct ike_core *core, struct ike_sa *sa, const struct ike_datagram *d,
			   const struct ike_kex *kex)
{
	struct ikesa_setup *s = sa->setup;
	struct ike_header h = { .version = 0x20,
				.exchange = IKE_SA_INIT,
				.flags = IKE_FLAG_RESPONSE };
	struct ike_proposal chosen = sa->proposal;
	uint8_t buf[CORE_MSG_MAX];
	struct ike_builder b;
	size_t len;

	memcpy(h.spi_i, sa->spi_i, IKE_SPI_LEN);
	memcpy(h.spi_r, sa->spi_r, IKE_SPI_LEN);
	chosen.spi_len = 0;
	ike_build_init(&b, buf, sizeof(buf), &h);
	ike_build_sa(&b, (struct ike_offer){ 1, &chosen });
	ike_secret_build(&b, kex);
	ike_build_nonce(&b, s->nr, s->nr_len);
	/* Also to an initiator that told none: by RFC 7427 3 it is not to sign by ours then, but libreswan 4.10 does. */
	sigalg_build_hashes(&b);
	authority_build_any(core, &b);
	if (sa->natd.peer_knows)
		natd_build(&b, sa, &d->local, &d->remote);
	if (sa->fragments)
		ike_build_notify(&b, IKE_N_IKEV2_FRAGMENTATION_SUPPORTED, NULL, 0);
	ike_build_notify(&b, IKE_N_CHILDLESS_IKEV2_SUPPORTED, NULL, 0);
	ike_build_notify(&b, IKE_N_MULTIPLE_AUTH_SUPPORTED, NULL, 0);
	if (s->ppk_agreed)
		ike_build_notify(&b, IKE_N_USE_PPK, NULL, 0);
	if (ike_proposals_have_addke(&(struct ike_proposals){ .n = 1, .p = { chosen } }))
		ike_build_notify(&b, IKE_N_INTERMEDIATE_EXCHANGE_SUPPORTED, NULL, 0);
	len = ike_build_end(&b);
	return len && !ikesa_bytes_set(&s->init_r, buf, len) &&
	       !ikesa_message_set(&sa->rx.answer, buf, len);
}

static bool fill_responder(struct ike_core *core, struct ike_sa *sa, const struct ike_datagram *d,
			   const struct ike_header *h, const struct ike_payloads *in,
			   const struct ike_ke *ke, const struct ike_payload *ni)
{
	struct ikesa_setup *s = sa->setup;
	struct ike_secret secret;
	struct ike_notify n;
	struct ike_kex *kex;
	bool ok;

	memcpy(sa->spi_i, h->spi_i, IKE_SPI_LEN);
	memcpy(s->ni, ni->body, ni->len);
	s->ni_len = ni->len;
	s->nr_len = IKE_OUR_NONCE;
	core->env.rng.fill(core->env.rng.ctx, s->nr, s->nr_len);
	admit_work(core, ike_kex_cost(ke->group));
	core->stats.key_exchanges++;
	/* The request's hashes were made with the responder's SPI still zero: @h has it so. */
	natd_judge(&sa->natd, h, in, d);
	sa->fragments = ike_notify_find(in, IKE_N_IKEV2_FRAGMENTATION_SUPPORTED, &n);
	note_hashes(sa, in);
	x_ppk_answer(core, sa, in);
	kex = ike_kex_respond(ke->group, &core->env.rng, ke->data, ke->len, &secret);
	ok = kex && !ikesa_bytes_set(&s->init_i, d->data, d->len) &&
	     build_response(core, sa, d, kex) && x_derive_keys(core, sa, &secret);
	ike_kex_free(kex);
	ike_wipe(&secret, sizeof(secret));
	if (!ok)
		return false;
	sa->rx.next = 1;
	memcpy(sa->rx.request, sa->digest, sizeof(sa->digest));
	send_answer(core, d, NULL, sa->rx.answer.data, sa->rx.answer.len);
	return true;
}

static void drop_request(struct ike_core *core, const char *why)
{
	core->stats.refused++;
	report_line(core, IKE_LOG_DEBUG, NULL, NULL, "IKE_SA_INIT dropped: %s", why);
}

/* A place for a half-open IKE SA; older ones may have to go for it. */
static bool make_room(struct ike_core *core, const struct ike_addr *from)
{
	struct ike_sa *oldest;

	while (!admit_has_room(core, from, &oldest)) {
		if (!oldest)
			return false;
		core->stats.evicted++;
		sa_drop(core, oldest);
	}
	return true;
}

/* What the peer offers, and its value for one of that; false if the payloads are malformed. */
static bool read_offer(const struct ike_payloads *in, struct ike_sa_payload *offer,
		       struct ike_ke *ke)
{
	struct ike_notify n;
	unsigned int i;

	if (ike_sa_parse(ike_payload_find(in, IKE_PL_SA), offer) ||
	    ike_ke_parse(ike_payload_find(in, IKE_PL_KE), ke))
		return false;
	if (ike_notify_find(in, IKE_N_INTERMEDIATE_EXCHANGE_SUPPORTED, &n))
		return true;
	/* Additional key exchanges are done in IKE_INTERMEDIATE, or not at all (RFC 9370 2.2.1). */
	for (i = 0; i < offer->n; i++)
		ike_proposal_drop_addke(&offer->p[i]);
	return true;
}

/* Is @ke a value of the group @dh that was chosen? If not the peer is told. */
static bool judge_value(struct ike_core *core, const struct ike_datagram *d,
			const struct ike_header *h, const struct ike_ke *ke, uint16_t dh)
{
	const uint8_t group[2] = { (uint8_t)(dh >> 8), (uint8_t)dh };

	if (dh != ke->group) {
		send_notify(core, d, h, IKE_N_INVALID_KE_PAYLOAD, group, sizeof(group));
		return false;
	}
	if (ike_kex_valid(ke->group, ke->data, ke->len))
		return true;
	core->stats.rx_bad++;
	send_error(core, d, h, IKE_N_INVALID_SYNTAX, NULL, 0);
	return false;
}

static void begin_responder(struct ike_core *core, const struct ike_datagram *d,
			    const struct ike_header *h, const struct ike_payloads *in,
			    const struct ike_payload *ni, const uint8_t *digest)
{
	struct ike_sa_payload offer;
	struct ike_proposal chosen;
	struct ike_suite suite;
	struct lookup_offer asked;
	struct ike_peer *best;
	struct ike_sa *sa;
	struct ike_ke ke;
	bool common;

	if (!read_offer(in, &offer, &ke)) {
		core->stats.rx_bad++;
		send_error(core, d, h, IKE_N_INVALID_SYNTAX, NULL, 0);
		return;
	}
	asked = (struct lookup_offer){ .d = d, .offer = IKE_OFFER(&offer), .ke_group = ke.group };
	common = lookup_policy(core, &asked, &chosen, &best);
	admit_work(core, ADMIT_WORK_POLICY * asked.judged);
	if (!common || ike_suite_from_proposal(&chosen, &suite)) {
		refuse_offer(core, d, h, best, IKE_OFFER(&offer));
		return;
	}
	if (!judge_value(core, d, h, &ke, suite.dh))
		return;
	if (!make_room(core, &d->remote.addr)) {
		drop_request(core, "too many half-open IKE SAs");
		return;
	}
	sa = sa_new(core, false, &d->local, &d->remote, digest);
	if (!sa)
		return;
	sa->proposal = chosen;
	sa->natd.claims = asked.claims_nat;
	if (!fill_responder(core, sa, d, h, in, &ke, ni)) {
		core->stats.rx_bad++;
		sa_end(core, sa, false);
	}
}

void x_init_request(struct ike_core *core, const struct ike_datagram *d, const struct ike_header *h)
{
	uint8_t digest[IKESA_DIGEST_LEN], offender = 0;
	const struct ike_payload *ni;
	struct ike_payloads in;
	struct ike_notify cookie;
	struct ike_sa *sa;
	bool brought;
	int rc;

	if (ikesa_find(&core->sas, h->spi_i, true)) {
		/* Our own request sent back to us: we must not authenticate to ourselves. */
		core->stats.rx_bad++;
		return;
	}
	/* A copy gets the same answer until the next request is answered, none afterwards (2.1). */
	digest_datagram(core, d, digest);
	sa = ikesa_find_digest(&core->sas, digest);
	if (sa) {
		if (sa->state == IKESA_HALF_OPEN && sa->rx.next == 1) {
			sa->strayed |= !ike_addr_eq(&sa->remote.addr, &d->remote.addr);
			core->stats.retransmits++;
			send_answer(core, d, NULL, sa->rx.answer.data, sa->rx.answer.len);
		}
		return;
	}
	rc = ike_payloads_parse(h->next, d->data + IKE_HDR_LEN, d->len - IKE_HDR_LEN, &in,
				&offender);
	if (!rc && (!ike_payload_find(&in, IKE_PL_SA) || !ike_payload_find(&in, IKE_PL_KE) ||
		    !nonce_ok(ike_payload_find(&in, IKE_PL_NONCE))))
		rc = -IKE_N_INVALID_SYNTAX;
	if (rc) {
		core->stats.rx_bad++;
		send_error(core, d, h, (uint16_t)-rc, &offender,
			   rc == -IKE_N_UNSUPPORTED_CRITICAL_PAYLOAD);
		return;
	}
	ni = ike_payload_find(&in, IKE_PL_NONCE);
	brought = ike_notify_find(&in, IKE_N_COOKIE, &cookie);
	switch (admit_check(core, d, h, ni, brought ? &cookie : NULL)) {
	case ADMIT_YES: begin_responder(core, d, h, &in, ni, digest); break;
	case ADMIT_COOKIE: answer_cookie(core, d, h, ni); break;
	case ADMIT_NO: drop_request(core, "unknown peers take too much time"); break;
	}
}
