// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Our requests (RFC 7296 2.1-2.3): a window of one message, retransmission of identical bytes,
 * and what waits until the window is open: a DELETE of the IKE SA, of a pair, a sign of life.
 *
 * An exchange builds its payloads and calls request_send(). What has no exchange of its own sets a
 * flag of the IKE SA or of a pair and calls request_next(), which is called again whenever an
 * answer came. An IKE SA whose request cannot be made ends (sa_end()).
 */
#include "ike/sa/layer_ikesa.h"

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

bool request_timer(struct ike_core *core, struct ike_sa *sa)
{
	if (core->now < sa->tx.at)
		return true;
	if (sa->tx.sends >= IKESA_RETRANSMIT_SENDS || core->now >= sa->tx.until)
		return false;
	core->stats.retransmits++;
	transmit_request(core, sa);
	return true;
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

void request_probe(struct ike_core *core, struct ike_sa *sa)
{
	if (sa->tx.ask == IKESA_ASK_NONE) {
		sa->want_probe = true;
		request_next(core, sa);
		sa_touch(core, sa);
	}
}

void request_close(struct ike_core *core, struct ike_sa *sa, uint64_t patience)
{
	struct child_sa *c;

	switch (sa->state) {
	case IKESA_INIT_SENT: sa_end(core, sa, false); break;
	case IKESA_AUTH_SENT:
		/* The peer may already count it as established; we cannot tell it before it answers. */
	case IKESA_DELETING:
		sa->expire_at = core->now + patience;
		sa_touch(core, sa);
		break;
	case IKESA_ESTABLISHED:
		sa->state = IKESA_DELETING;
		TAILQ_FOREACH(c, &sa->children, link)
		child_stop_sending(core, sa, c);
		sa->want_delete = true;
		sa->want_probe = false;
		sa->liveness_at = sa->close_at = TIMER_NEVER;
		sa->expire_at = core->now + patience;
		request_next(core, sa);
		sa_touch(core, sa);
		event_note(core, sa->tunnel, EVENT_CHANGED);
		break;
	default: break;
	}
}
