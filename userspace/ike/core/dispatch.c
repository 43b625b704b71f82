// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Messages in (RFC 7296 2.1-2.3, 2.21): finding the IKE SA, the window of the peer's requests
 * with the answer kept for repetition, the table that says which request is acceptable when, and
 * messages that go on when a job is done.
 */
#include "ike/core/layer_core.h"

/* Payload types 33-53 as bits. */
#define NEED(type) (1u << ((type)-IKE_PL_SA))

/* The requests of the peer. Responses go to the exchange of ours that waits for them. */
static const struct x_row {
	uint8_t exchange;
	unsigned int states;
	uint32_t need; /* payloads without which the message is malformed */
	enum x_verdict (*handle)(struct ike_core *core, struct ike_sa *sa, struct x_msg *m);
} x_table[] = {
	{ IKE_INTERMEDIATE, 1 << IKESA_HALF_OPEN, 0, x_intermediate_request },
	{ IKE_AUTH, 1 << IKESA_HALF_OPEN, 0, x_auth_request },
	/* What we prepared the peer may use, or delete, before we know whether it lost. */
	{ IKE_CREATE_CHILD_SA,
	  1 << IKESA_PREPARED | 1 << IKESA_ESTABLISHED | 1 << IKESA_REKEYED | 1 << IKESA_DELETING,
	  NEED(IKE_PL_SA) | NEED(IKE_PL_NONCE), x_create_request },
	{ IKE_FOLLOWUP_KE,
	  1 << IKESA_PREPARED | 1 << IKESA_ESTABLISHED | 1 << IKESA_REKEYED | 1 << IKESA_DELETING,
	  0, x_create_further },
	{ IKE_INFORMATIONAL,
	  1 << IKESA_PREPARED | 1 << IKESA_ESTABLISHED | 1 << IKESA_REKEYED | 1 << IKESA_DELETING,
	  0, x_info_request },
};

/* ---- receiving ----------------------------------------------------------- */

static const struct x_row *row_of(const struct ike_sa *sa, const struct ike_header *h)
{
	size_t i;

	for (i = 0; i < sizeof(x_table) / sizeof(x_table[0]); i++) {
		if (x_table[i].exchange == h->exchange && x_table[i].states & 1u << sa->state)
			return &x_table[i];
	}
	return NULL;
}

static bool has_needed_payloads(const struct x_row *row, const struct ike_payloads *in)
{
	uint8_t type;

	for (type = IKE_PL_SA; type <= IKE_PL_SKF; type++) {
		if (row->need & NEED(type) && !ike_payload_find(in, type))
			return false;
	}
	return true;
}

enum { HALF_OPEN_REPEATS = 8 }; /* of one answer */

/*
 * Who proved nothing gets an answer again at the address alone where the first one went, and a few times: its requests
 * are short, and the answer may have our certificates.
 */
static bool may_repeat(struct ike_core *core, struct ike_sa *sa, const struct ike_datagram *d)
{
	if (sa->state != IKESA_HALF_OPEN)
		return true;
	admit_work(core, ADMIT_WORK_REQUEST);
	return ike_addr_eq(&sa->remote.addr, &d->remote.addr) && sa->rx.repeats < HALF_OPEN_REPEATS;
}

/*
 * May the answer be too long for the path? That of a long request may, and so may one that is asked for as often as we
 * would send a request before we split it for smaller packets (RFC 7383 2.5.2).
 */
static bool may_be_too_long(const struct ike_sa *sa, const struct ike_header *h)
{
	return h->next == IKE_PL_SKF || sa->rx.repeats >= IKESA_LARGE_SENDS;
}

/* A request under the message ID of the last one we answered. */
static void repeat_answer(struct ike_core *core, struct ike_sa *sa, const struct ike_datagram *d,
			  const struct ike_header *h)
{
	if (!sa->rx.answer.len || !message_is_repeated(core, sa, d, h))
		return;
	if (!may_repeat(core, sa, d))
		return;
	core->stats.retransmits++;
	if (sa->rx.repeats < UINT8_MAX)
		sa->rx.repeats++;
	if (may_be_too_long(sa, h))
		message_shrink(core, sa, &sa->rx.answer);
	message_send(core, &sa->rx.answer, sa->peer, &d->local, &d->remote);
}

/* Seal, keep and send the answer; false if that failed. */
static bool answer_request(struct ike_core *core, struct ike_sa *sa, struct x_msg *m, uint8_t first)
{
	if (!message_seal(core, sa, m->h->exchange, IKE_FLAG_RESPONSE, m->h->id, m->reply, first,
			  &sa->rx.answer))
		return false;
	sa->rx.repeats = 0;
	message_send(core, &sa->rx.answer, sa->peer, &m->d->local, &m->d->remote);
	return true;
}

/* The answer to an authentic but malformed request (2.21.2, 2.21.3). */
static enum x_verdict refuse_request(struct ike_core *core, struct ike_sa *sa, struct x_msg *m,
				     uint16_t notify, uint8_t offender)
{
	bool critical = notify == IKE_N_UNSUPPORTED_CRITICAL_PAYLOAD;

	report_line(core, IKE_LOG_WARN, NULL, sa, "malformed %s request answered with %s",
		    ike_exchange_name(m->h->exchange), ike_notify_name(notify));
	ike_build_notify(m->reply, notify, &offender, critical ? 1 : 0);
	/* INVALID_SYNTAX ends the IKE SA at both ends; any error does before it is established. */
	return critical && sa->state != IKESA_HALF_OPEN ? X_DONE : X_CLOSE;
}

/*
 * An authentic request of a kind that is unknown or out of place, from a later extension
 * maybe. INVALID_SYNTAX would end the IKE SA at the peer (2.21.3); RFC 9370's notify ends
 * the exchange alone.
 */
static enum x_verdict refuse_exchange(struct ike_core *core, struct ike_sa *sa, struct x_msg *m)
{
	report_line(core, IKE_LOG_WARN, NULL, sa,
		    "request of exchange type %u (%s) answered with STATE_NOT_FOUND",
		    m->h->exchange, ike_exchange_name(m->h->exchange));
	ike_build_notify(m->reply, IKE_N_STATE_NOT_FOUND, NULL, 0);
	return X_DONE;
}

/* The peer is where an authenticated fresh message came from. */
static void follow_remote(struct ike_core *core, struct ike_sa *sa,
			  const struct ike_endpoint *remote)
{
	char from[64], to[64];

	report_line(core, IKE_LOG_INFO, NULL, sa, "peer moved from %s to %s",
		    ike_endpoint_print(from, sizeof(from), &sa->remote),
		    ike_endpoint_print(to, sizeof(to), remote));
	sa->strayed |= !ike_addr_eq(&sa->remote.addr, &remote->addr);
	sa->remote = *remote;
	admit_proven(core, &sa->remote.addr);
	if (!TAILQ_EMPTY(&sa->children) && query_primary(sa->peer) == sa)
		core->env.peer_moved(core->env.ctx, sa->peer->conf->name, sa->peer->id, NULL,
				     &sa->remote, natd_is_plain(&sa->natd));
}

/*
 * NAT rebinding: follow the message, unless we are behind a NAT (2.23). What is bound to addresses, or
 * to there being no NAT, does not outlive that: a new IKE_SA_INIT shows what there is.
 */
static void follow_peer(struct ike_core *core, struct ike_sa *sa, const struct ike_datagram *d,
			bool request)
{
	struct ike_endpoint local = sa->local, remote = sa->remote;
	bool moved, elsewhere;

	if (sa->mobike.on) { /* only by UPDATE_SA_ADDRESSES (RFC 4555 3.8) */
		if (request)
			x_mobike_came(core, sa, &d->remote);
		return;
	}
	sa->local = d->local;
	if (!sa->natd.local && !ike_endpoint_eq(&sa->remote, &d->remote))
		follow_remote(core, sa, &d->remote);
	moved = !ike_endpoint_eq(&sa->remote, &remote);
	elsewhere = !ike_addr_eq(&sa->local.addr, &local.addr) ||
		    !ike_addr_eq(&sa->remote.addr, &remote.addr);
	if ((moved && natd_is_plain(&sa->natd)) || (elsewhere && query_is_bound(sa->peer)))
		peer_begin_anew(core, sa);
}

/*
 * A fresh authenticated message came: note its time, source and what it proves. The first one shows
 * that the peer knows the IKE SA is up; any request, that it has our answer to the one before.
 */
static void note_heard(struct ike_core *core, struct ike_sa *sa, const struct ike_datagram *d,
		       const struct ike_header *h)
{
	bool request = !(h->flags & IKE_FLAG_RESPONSE);

	sa->last_rx = core->now;
	if (!request)
		sa->proven_at = sa->tx.began;
	if (sa->state == IKESA_HALF_OPEN) { /* the float to port 4500 */
		/* A copy of a request that was dropped comes from where that came from. */
		sa->strayed |= !ike_addr_eq(&sa->remote.addr, &d->remote.addr);
		sa->local = d->local;
		sa->remote = d->remote;
	}
	if (sa->state != IKESA_ESTABLISHED && sa->state != IKESA_DELETING)
		return;
	follow_peer(core, sa, d, request);
	if (sa->state != IKESA_ESTABLISHED || (sa->confirmed && !request))
		return;
	/* What an INFORMATIONAL request says of pairs is for x_info_request() to weigh. */
	if (!request || h->exchange != IKE_INFORMATIONAL)
		collide_proven(core, sa, CHILD_ANY);
	if (sa->confirmed)
		return;
	sa->confirmed = true;
	event_note(core, sa->peer, EVENT_CHANGED);
}

/* The verdict of the handler, or of what a malformed or misplaced request gets without one. */
static enum x_verdict judge_request(struct ike_core *core, struct ike_sa *sa, struct x_msg *m,
				    const struct x_row *row, int malformed, uint8_t offender)
{
	if (malformed)
		return refuse_request(core, sa, m, (uint16_t)-malformed, offender);
	if (!row)
		return refuse_exchange(core, sa, m);
	if (!has_needed_payloads(row, m->in))
		return refuse_request(core, sa, m, IKE_N_INVALID_SYNTAX, 0);
	return row->handle(core, sa, m);
}

/* Answer the request, which has its verdict; what we have to ask ourselves comes behind. */
static void finish_request(struct ike_core *core, struct ike_sa *sa, struct x_msg *m,
			   enum x_verdict verdict, uint8_t first)
{
	struct ike_sa *heir = core->answering_heir;

	core->answering = NULL;
	core->answering_heir = NULL;
	if (verdict == X_WAIT || verdict == X_DROP)
		return;
	sa->rx.next++;
	if (!answer_request(core, sa, m, first) && sa->state != IKESA_DEAD)
		sa_end(core, sa, false);
	if (heir)
		request_next(core, heir);
	if (sa->state == IKESA_DEAD)
		return;
	if (verdict == X_CLOSE)
		sa_end(core, sa, true);
	else
		request_next(core, sa);
}

/* Is the request the one that is expected next, in a state that has a use for it? */
static bool is_expected(const struct ike_sa *sa, const struct ike_header *h,
			const struct x_row *row)
{
	return h->id == sa->rx.next && sa->state != IKESA_CLOSED && sa->have_keys &&
	       (row || sa->state == IKESA_ESTABLISHED || sa->state == IKESA_DELETING);
}

static void receive_request(struct ike_core *core, struct ike_sa *sa, const struct ike_datagram *d,
			    const struct ike_header *h)
{
	uint8_t inner[CORE_MSG_MAX], first = IKE_PL_NONE, offender = 0;
	const struct x_row *row = row_of(sa, h);
	struct ike_payloads in;
	struct ike_builder reply;
	struct x_msg m = { .h = h, .d = d, .in = &in, .reply = &reply };
	enum x_verdict verdict;
	int rc;

	if (sa->rx.answer.len && h->id == sa->rx.next - 1) {
		repeat_answer(core, sa, d, h);
		return;
	}
	if (sa->tx.wait && sa->state == IKESA_AUTH_SENT) {
		job_hold(sa->tx.wait, d);
		return;
	}
	/* Until authenticated, anything but the expected exchange is ignored. */
	if (sa->rx.wait || !is_expected(sa, h, row)) {
		report_line(core, IKE_LOG_DEBUG, NULL, sa,
			    "%s request %u ignored, not expected now (next is %u)",
			    ike_exchange_name(h->exchange), h->id, sa->rx.next);
		return;
	}
	rc = message_open(core, sa, d, h, &in, &offender);
	if (rc == IKE_SK_FORGED || rc == MESSAGE_INCOMPLETE)
		return;
	core->answering = sa;
	if (sa->state == IKESA_PREPARED && !rc)
		x_rekey_heard(core, sa, &in);
	note_heard(core, sa, d, h);
	request_begin(&reply, inner, sizeof(inner), &first);
	verdict = judge_request(core, sa, &m, row, rc, offender);
	finish_request(core, sa, &m, verdict, first);
	ike_wipe(inner, sizeof(inner));
}

/* What follows from any response on an established SA. */
static void note_answered(struct ike_core *core, struct ike_sa *sa)
{
	sa->acked = true;
	sa->doubted = false;
	if (sa->superseded && sa->proven_at >= sa->close_marked)
		x_contact_contested(core, sa);
	else if (sa->superseded) /* it was asked before another one disowned it: and now? */
		request_probe(core, sa);
	if (sa->state == IKESA_ESTABLISHED)
		liveness_check(core, sa);
	event_note(core, sa->peer, EVENT_CHANGED);
}

/* The response to @x, which came as @d, was handled. */
static void finish_response(struct ike_core *core, struct ike_sa *sa, struct exchange *x,
			    const struct ike_datagram *d, bool was_up)
{
	exchange_end(core, sa, x);
	x_mobike_answered(core, sa, d);
	if (was_up && sa->state != IKESA_DEAD && sa->state != IKESA_CLOSED)
		note_answered(core, sa);
	if (sa->state != IKESA_DEAD)
		request_next(core, sa);
}

/* Is it an unprotected message with INVALID_IKE_SPI? */
static bool says_unknown(const struct ike_datagram *d, const struct ike_header *h)
{
	struct ike_payloads in;
	struct ike_notify n;
	uint8_t offender;

	return !ike_payloads_parse(h->next, d->data + IKE_HDR_LEN, d->len - IKE_HDR_LEN, &in,
				   &offender) &&
	       ike_notify_find(&in, IKE_N_INVALID_IKE_SPI, &n);
}

static void receive_response(struct ike_core *core, struct ike_sa *sa, const struct ike_datagram *d,
			     const struct ike_header *h)
{
	bool was_up = sa->state == IKESA_ESTABLISHED;
	struct ike_payloads in;
	struct x_msg m = { .h = h, .d = d, .in = &in };
	uint8_t offender = 0;
	struct exchange *x;
	struct ike_notify n;
	int rc;

	/* Our next ID is one past that of the request that is out. */
	if (!sa->out || sa->tx.wait || !sa->out->ops->build ||
	    sa->out->ops->exchange != h->exchange || h->id != sa->tx.next - 1)
		return;
	rc = message_open(core, sa, d, h, &in, &offender);
	if (rc == IKE_SK_FORGED && says_unknown(d, h))
		liveness_hint(core, sa);
	if (rc == IKE_SK_FORGED || rc == MESSAGE_INCOMPLETE)
		return;
	note_heard(core, sa, d, h);
	/* Critical bits are not for responses (2.5); a malformed one has no content we could use. */
	if (rc) {
		report_line(core, IKE_LOG_WARN, NULL, sa, "malformed %s response",
			    ike_exchange_name(h->exchange));
		in.n = 0;
	}
	x = ikesa_take_out(sa);
	if (was_up && ike_notify_find(&in, IKE_N_INVALID_SYNTAX, &n)) /* 2.21.3 */
		sa_end(core, sa, false);
	else if (x->ops->response)
		x->ops->response(core, sa, x, &m);
	if (sa->tx.wait && sa->tx.wait->has_message) /* for a job: the window stays closed */
		sa->out = x;
	else
		finish_response(core, sa, x, d, was_up);
}

void dispatch_datagram(struct ike_core *core, const struct ike_datagram *d,
		       const struct ike_header *h)
{
	bool from_initiator = h->flags & IKE_FLAG_INITIATOR;
	bool response = h->flags & IKE_FLAG_RESPONSE;
	struct ike_sa *sa;

	sa = ikesa_find(&core->sas, from_initiator ? h->spi_r : h->spi_i, !from_initiator);
	if (!sa) {
		core->stats.rx_bad++;
		if (!response)
			send_error(core, d, h, IKE_N_INVALID_IKE_SPI, NULL, 0);
		return;
	}
	if (h->exchange == IKE_SA_INIT) {
		if (response && sa->state == IKESA_INIT_SENT && h->id == 0)
			x_init_response(core, sa, d, h);
		return;
	}
	/* The other SPI must be right too; before the first answer we do not know it. */
	if (sa->state == IKESA_INIT_SENT ||
	    memcmp(from_initiator ? h->spi_i : h->spi_r, from_initiator ? sa->spi_i : sa->spi_r,
		   IKE_SPI_LEN)) {
		core->stats.rx_bad++;
		return;
	}
	if (response)
		receive_response(core, sa, d, h);
	else
		receive_request(core, sa, d, h);
	ike_wipe(core->plain, core->plain_len);
	sa_touch(core, sa);
}

/* ---- jobs ---------------------------------------------------------------- */

/* The request that waited goes on. */
static void resume_request(struct ike_core *core, struct waiting *w, const struct ike_job_result *r)
{
	uint8_t inner[CORE_MSG_MAX], first = IKE_PL_NONE;
	struct ike_builder reply;
	struct x_msg m = { .h = &w->h, .d = &w->d, .in = &w->kept.in, .reply = &reply, .wait = w };
	struct ike_sa *sa = w->sa;
	enum x_verdict verdict;

	sa->rx.wait = NULL;
	core->answering = sa;
	request_begin(&reply, inner, sizeof(inner), &first);
	verdict = w->done(core, sa, &m, w->state, r);
	finish_request(core, sa, &m, verdict, first);
	if (verdict != X_WAIT)
		job_end(core, w);
	ike_wipe(inner, sizeof(inner));
}

/* The response that waited goes on, or a request of ours can be made now. */
static void resume_own(struct ike_core *core, struct waiting *w, const struct ike_job_result *r)
{
	struct x_msg m = { .h = &w->h, .d = &w->d, .in = &w->kept.in, .wait = w };
	bool was_up = w->sa->state == IKESA_ESTABLISHED;
	struct ike_sa *sa = w->sa;
	struct exchange *x = NULL;
	struct ike_header h;

	sa->tx.wait = NULL;
	if (w->has_message)
		x = ikesa_take_out(sa);
	if (w->done(core, sa, w->has_message ? &m : NULL, w->state, r) == X_WAIT) {
		sa->out = x;
		return;
	}
	if (x)
		finish_response(core, sa, x, &w->d, was_up);
	if (w->early.data && !ike_header_parse(w->early.data, w->early.len, &h))
		dispatch_datagram(core, &w->early, &h);
	job_end(core, w);
}

void dispatch_job_done(struct ike_core *core, struct waiting *w, const struct ike_job_result *r)
{
	struct ike_sa *sa = w->sa;

	if (w->is_request)
		resume_request(core, w, r);
	else
		resume_own(core, w, r);
	sa_touch(core, sa);
}
