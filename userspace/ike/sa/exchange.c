// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Messages in and out (RFC 7296 2.1-2.3, 2.21): finding the IKE SA, windows of one
 * message each way, retransmission of identical octets, and the table that says which
 * message is acceptable when.
 */
#include "ike/sa/core_int.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* Payload types 33-53 as bits. */
#define NEED(type) (1u << ((type)-IKE_PL_SA))

static const struct x_row {
	uint8_t exchange;
	bool response;
	unsigned int states;
	uint32_t need; /* payloads without which the message is malformed */
	enum x_verdict (*handle)(struct ike_core *core, struct ike_sa *sa, struct x_msg *m);
} x_table[] = {
	{ IKE_AUTH, false, 1 << IKESA_HALF_OPEN, NEED(IKE_PL_IDI), x_auth_request },
	{ IKE_AUTH, true, 1 << IKESA_AUTH_SENT, 0, x_auth_response },
	{ IKE_CREATE_CHILD_SA, false, 1 << IKESA_ESTABLISHED | 1 << IKESA_DELETING,
	  NEED(IKE_PL_SA) | NEED(IKE_PL_NONCE), x_child_request },
	{ IKE_INFORMATIONAL, false, 1 << IKESA_ESTABLISHED | 1 << IKESA_DELETING, 0,
	  x_info_request },
	{ IKE_INFORMATIONAL, true, 1 << IKESA_ESTABLISHED | 1 << IKESA_DELETING, 0,
	  x_info_response },
};

void report_line(struct ike_core *core, enum ike_log_level level, const struct ike_tunnel *t,
		 const struct ike_sa *sa, const char *fmt, ...)
{
	char text[CORE_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (!t && sa)
		t = sa->tunnel;
	core->env.log(core->env.ctx, level, t ? t->conf.name : NULL, sa ? sa->spi_i : NULL,
		      sa ? sa->spi_r : NULL, text);
}

void digest_datagram(struct ike_core *core, const struct ike_datagram *d,
		     uint8_t out[IKESA_DIGEST_LEN])
{
	const struct ike_iov in = { d->data, d->len };
	uint8_t full[32];

	if (ike_hmac_sha256(core->digest_key, sizeof(core->digest_key), &in, 1, full))
		memset(full, 0, sizeof(full));
	memcpy(out, full, IKESA_DIGEST_LEN);
}

/* ---- sending ------------------------------------------------------------- */

static void send_datagram(struct ike_core *core, const struct ike_tunnel *t,
			  const struct ike_endpoint *local, const struct ike_endpoint *remote,
			  const uint8_t *msg, size_t len)
{
	const struct ike_datagram d = {
		.local = *local, .remote = *remote, .data = msg, .len = len
	};

	core->stats.tx++;
	core->env.send(core->env.ctx, t ? t->conf.name : NULL, &d);
}

void send_answer(struct ike_core *core, const struct ike_datagram *d, const struct ike_tunnel *t,
		 const uint8_t *msg, size_t len)
{
	send_datagram(core, t, &d->local, &d->remote, msg, len);
}

void send_notify(struct ike_core *core, const struct ike_datagram *d, const struct ike_header *h,
		 uint16_t notify, const void *data, size_t len)
{
	uint8_t buf[256];
	struct ike_builder b;
	struct ike_header out = *h;
	size_t n;

	/* SPIs, exchange and message ID are those of the request (1.5); we are not its initiator. */
	out.version = 0x20;
	out.flags = IKE_FLAG_RESPONSE | (~h->flags & IKE_FLAG_INITIATOR);
	ike_build_init(&b, buf, sizeof(buf), &out);
	ike_build_notify(&b, notify, data, len);
	n = ike_build_end(&b);
	if (n)
		send_answer(core, d, NULL, buf, n);
}

void send_error(struct ike_core *core, const struct ike_datagram *d, const struct ike_header *h,
		uint16_t notify, const void *data, size_t len)
{
	if (admit_reply(core, &d->remote.addr))
		send_notify(core, d, h, notify, data, len);
}

void request_begin(struct ike_builder *b, void *buf, size_t cap, uint8_t *first)
{
	*first = IKE_PL_NONE;
	ike_build_inner(b, buf, cap, first);
}

static void transmit_request(struct ike_core *core, struct ike_sa *sa)
{
	sa->tx.at = core->now + ikesa_retransmit_delay(++sa->tx.sends);
	if (sa->tx.at > sa->tx.until)
		sa->tx.at = sa->tx.until;
	send_datagram(core, sa->tunnel, &sa->local, &sa->remote, sa->tx.msg.data, sa->tx.msg.len);
}

bool request_send_raw(struct ike_core *core, struct ike_sa *sa, enum ikesa_ask ask,
		      const uint8_t *msg, size_t len)
{
	ikesa_request_done(sa);
	if (!len || ikesa_bytes_set(&sa->tx.msg, msg, len))
		return false;
	sa->tx.ask = ask;
	sa->tx.until = core->now + IKESA_RETRANSMIT_ALL_MS;
	transmit_request(core, sa);
	sa_touch(core, sa);
	return true;
}

/* Seal @b's payloads under @id into @out; 0 on failure. */
static size_t send_seal(struct ike_core *core, struct ike_sa *sa, uint8_t exchange, uint8_t flags,
			uint32_t id, struct ike_builder *b, uint8_t first, uint8_t *out, size_t cap)
{
	struct ike_header h = {
		.version = 0x20,
		.exchange = exchange,
		.flags = flags | (sa->initiator ? IKE_FLAG_INITIATOR : 0),
		.id = id,
	};
	size_t len = ike_build_end(b);

	if (b->w.bad)
		return 0;
	memcpy(h.spi_i, sa->spi_i, IKE_SPI_LEN);
	memcpy(h.spi_r, sa->spi_r, IKE_SPI_LEN);
	return ike_sk_seal(&sa->keys, &core->env.rng, &h, len ? first : IKE_PL_NONE, b->w.buf, len,
			   out, cap);
}

bool request_send(struct ike_core *core, struct ike_sa *sa, uint8_t exchange, enum ikesa_ask ask,
		  struct ike_builder *b, uint8_t first)
{
	uint8_t out[CORE_MSG_MAX];
	size_t len = send_seal(core, sa, exchange, 0, sa->tx.next, b, first, out, sizeof(out));

	/* Message IDs do not wrap (2.2). */
	if (!len || sa->tx.next == UINT32_MAX || !request_send_raw(core, sa, ask, out, len))
		return false;
	sa->tx.next++;
	return true;
}

/* No answer: the attempt failed, or the peer is dead (2.4). */
static void give_up(struct ike_core *core, struct ike_sa *sa)
{
	struct ike_tunnel *t = sa->tunnel;
	char ep[64];

	ike_endpoint_print(ep, sizeof(ep), &sa->remote);
	switch (sa->tx.ask) {
	case IKESA_ASK_INIT:
		if (!sa->last_hint)
			report_error(
				core, t, sa,
				"no answer from %s to IKE_SA_INIT: check that Endpoint= is right, the peer runs, and UDP ports 500 and 4500 pass",
				ep);
		sa_end(core, sa, false);
		event_note(core, t, EVENT_ATTEMPT_FAILED);
		break;
	case IKESA_ASK_AUTH:
		report_error(
			core, t, sa,
			"no answer from %s to IKE_AUTH though it answered IKE_SA_INIT: check that UDP port 4500 passes, and the peer's log",
			ep);
		sa_end(core, sa, false);
		event_note(core, t, EVENT_ATTEMPT_FAILED);
		break;
	case IKESA_ASK_DELETE:
	case IKESA_ASK_AUTH_FAILED:
		report_line(core, IKE_LOG_DEBUG, t, sa, "no answer to our delete; gone anyway");
		sa_end(core, sa, false);
		break;
	default:
		sa_end(core, sa, false);
		if (query_has_outbound(t)) /* it came back under another IKE SA */
			report_line(core, IKE_LOG_INFO, t, sa,
				    "peer %s no longer answers on this IKE SA", ep);
		else
			report_error(core, t, sa, "peer %s no longer answers; its SAs are removed",
				     ep);
		break;
	}
}

void request_timer(struct ike_core *core, struct ike_sa *sa)
{
	if (core->now < sa->tx.at)
		return;
	if (sa->tx.sends >= IKESA_RETRANSMIT_SENDS || core->now >= sa->tx.until) {
		give_up(core, sa);
		return;
	}
	core->stats.retransmits++;
	transmit_request(core, sa);
}

void request_again(struct ike_core *core, struct ike_sa *sa)
{
	if (sa->tx.ask == IKESA_ASK_NONE)
		return;
	core->stats.retransmits++;
	sa->tx.sends = 0;
	transmit_request(core, sa);
	sa_touch(core, sa);
}

static bool send_delete_child(struct ike_core *core, struct ike_sa *sa, struct child_sa *c)
{
	uint8_t buf[64], first;
	struct ike_builder b;

	request_begin(&b, buf, sizeof(buf), &first);
	ike_build_delete(&b, IKE_PROTO_ESP, &c->spi_in, 1);
	sa->tx.spi = c->spi_in;
	return request_send(core, sa, IKE_INFORMATIONAL, IKESA_ASK_DELETE_CHILD, &b, first);
}

static bool send_info(struct ike_core *core, struct ike_sa *sa, enum ikesa_ask ask)
{
	uint8_t buf[64], first;
	struct ike_builder b;

	request_begin(&b, buf, sizeof(buf), &first);
	if (ask == IKESA_ASK_DELETE)
		ike_build_delete(&b, IKE_PROTO_IKE, NULL, 0);
	return request_send(core, sa, IKE_INFORMATIONAL, ask, &b, first);
}

void request_next(struct ike_core *core, struct ike_sa *sa)
{
	struct child_sa *c;
	bool ok = true;

	/* A request of ours on a new SA comes after the answer that makes it known. */
	if (sa->tx.ask != IKESA_ASK_NONE || sa == core->answering ||
	    (sa->state != IKESA_ESTABLISHED && sa->state != IKESA_DELETING))
		return;
	if (sa->want_delete) {
		sa->want_delete = false;
		ok = send_info(core, sa, IKESA_ASK_DELETE);
	} else {
		TAILQ_FOREACH(c, &sa->children, link)
		{
			if (c->unwanted)
				break;
		}
		if (c) {
			ok = send_delete_child(core, sa, c);
		} else if (sa->want_probe) {
			sa->want_probe = false;
			ok = send_info(core, sa, IKESA_ASK_PROBE);
		}
	}
	if (!ok)
		sa_end(core, sa, false);
}

/* ---- receiving ----------------------------------------------------------- */

static const struct x_row *row_of(const struct ike_sa *sa, const struct ike_header *h)
{
	bool response = h->flags & IKE_FLAG_RESPONSE;
	size_t i;

	for (i = 0; i < sizeof(x_table) / sizeof(x_table[0]); i++) {
		if (x_table[i].exchange == h->exchange && x_table[i].response == response &&
		    x_table[i].states & 1u << sa->state)
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

/* A request under the message ID of the last one we answered. */
static void repeat_answer(struct ike_core *core, struct ike_sa *sa, const struct ike_datagram *d)
{
	uint8_t digest[IKESA_DIGEST_LEN];

	if (!sa->rx.answer.len)
		return;
	digest_datagram(core, d, digest);
	if (memcmp(digest, sa->rx.request, sizeof(digest)))
		return; /* a retransmission is bitwise identical (2.1); this is something else */
	core->stats.retransmits++;
	send_answer(core, d, sa->tunnel, sa->rx.answer.data, sa->rx.answer.len);
}

/* Seal, keep and send the answer; false if that failed. */
static bool answer_request(struct ike_core *core, struct ike_sa *sa, struct x_msg *m, uint8_t first)
{
	uint8_t out[CORE_MSG_MAX];
	size_t len = send_seal(core, sa, m->h->exchange, IKE_FLAG_RESPONSE, m->h->id, m->reply,
			       first, out, sizeof(out));

	if (!len || ikesa_bytes_set(&sa->rx.answer, out, len))
		return false;
	digest_datagram(core, m->d, sa->rx.request);
	send_answer(core, m->d, sa->tunnel, out, len);
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
		repeat_answer(core, sa, d);
		return;
	}
	/* Until authenticated, anything but the expected exchange is ignored. */
	if (h->id != sa->rx.next || sa->state == IKESA_CLOSED ||
	    (!row && sa->state != IKESA_ESTABLISHED && sa->state != IKESA_DELETING)) {
		report_line(core, IKE_LOG_DEBUG, NULL, sa,
			    "%s request %u ignored, not expected now (next is %u)",
			    ike_exchange_name(h->exchange), h->id, sa->rx.next);
		return;
	}
	rc = ike_sk_open(&sa->keys, d->data, d->len, core->plain, sizeof(core->plain), &in,
			 &offender);
	if (rc == IKE_SK_FORGED) {
		core->stats.rx_unauthenticated++;
		return;
	}
	core->answering = sa;
	note_heard(core, sa, d);
	request_begin(&reply, inner, sizeof(inner), &first);
	if (rc)
		verdict = refuse_request(core, sa, &m, (uint16_t)-rc, offender);
	else if (!row)
		verdict = refuse_exchange(core, sa, &m);
	else if (!has_needed_payloads(row, &in))
		verdict = refuse_request(core, sa, &m, IKE_N_INVALID_SYNTAX, 0);
	else
		verdict = row->handle(core, sa, &m);
	core->answering = NULL;
	sa->rx.next++;
	if (!answer_request(core, sa, &m, first) && sa->state != IKESA_DEAD)
		sa_end(core, sa, false);
	ike_wipe(inner, sizeof(inner));
	if (sa->state == IKESA_DEAD)
		return;
	if (verdict == X_CLOSE)
		sa_end(core, sa, true);
	else
		request_next(core, sa);
}

static void receive_response(struct ike_core *core, struct ike_sa *sa, const struct ike_datagram *d,
			     const struct ike_header *h)
{
	const struct x_row *row = row_of(sa, h);
	struct ike_payloads in;
	struct x_msg m = { .h = h, .d = d, .in = &in };
	uint8_t offender = 0;
	int rc;

	/* Our next ID is one past that of the request that is out. */
	if (!row || sa->tx.ask == IKESA_ASK_NONE || sa->tx.ask == IKESA_ASK_INIT ||
	    h->id != sa->tx.next - 1)
		return;
	rc = ike_sk_open(&sa->keys, d->data, d->len, core->plain, sizeof(core->plain), &in,
			 &offender);
	if (rc == IKE_SK_FORGED) {
		core->stats.rx_unauthenticated++;
		if (h->next == IKE_PL_NOTIFY)
			liveness_hint(core, sa, "an unprotected error notify");
		return;
	}
	note_heard(core, sa, d);
	/* Critical bits are not for responses (2.5); a malformed one has no content we could use. */
	if (rc || !has_needed_payloads(row, &in)) {
		report_line(core, IKE_LOG_WARN, NULL, sa, "malformed %s response",
			    ike_exchange_name(h->exchange));
		in.n = 0;
	}
	row->handle(core, sa, &m);
	if (sa->state != IKESA_DEAD)
		request_next(core, sa);
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
	ike_wipe(core->plain, d->len); /* never longer than the message it came in */
	sa_touch(core, sa);
}
