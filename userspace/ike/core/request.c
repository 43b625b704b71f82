// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Our requests (RFC 7296 2.1-2.3): a window of one message, retransmission of identical bytes,
 * and the queue of exchanges that wait until the window is open.
 *
 * Whoever wants something of the peer queues an exchange; its payloads are made when it is sent,
 * so that they are true then. request_next() is called whenever an answer came. An IKE SA whose
 * request cannot be made ends (sa_fail()).
 */
#include "ike/core/layer_ikesa.h"

void request_begin(struct ike_builder *b, void *buf, size_t cap, uint8_t *first)
{
	*first = IKE_PL_NONE;
	ike_build_inner(b, buf, cap, first);
}

/*
 * When the peer counts as dead: the time for an answer begins anew when it is heard, as after a gap of
 * the path; but what is out has to be answered in the end. The heir of the IKE SA waits no longer.
 */
static uint64_t give_up_at(const struct ike_sa *sa)
{
	uint64_t unheard = sa->tx.began + IKESA_RETRANSMIT_ALL_MS;
	uint64_t heard = sa->last_rx + IKESA_RETRANSMIT_ALL_MS;
	uint64_t most = sa->tx.began + IKESA_UNANSWERED_MS;

	if (sa->have_heir || heard < unheard)
		return unheard;
	return heard < most ? heard : most;
}

static void transmit_request(struct ike_core *core, struct ike_sa *sa)
{
	/* It may be too large for the path: smaller ones begin their schedule anew (RFC 7383 2.5.2). */
	if (sa->tx.sends == IKESA_LARGE_SENDS && message_shrink(core, sa, &sa->tx.msg))
		sa->tx.sends = 0;
	sa->tx.at = core->now + ikesa_retransmit_delay(++sa->tx.sends);
	if (sa->tx.at > give_up_at(sa))
		sa->tx.at = give_up_at(sa);
	address_send_request(core, sa);
}

/* The first copy of sa->tx.msg leaves. */
static void begin_request(struct ike_core *core, struct ike_sa *sa)
{
	sa->tx.sends = 0;
	sa->tx.began = core->now;
	transmit_request(core, sa);
	sa_touch(core, sa);
}

bool request_send_raw(struct ike_core *core, struct ike_sa *sa, struct exchange *x,
		      const uint8_t *msg, size_t len)
{
	if (sa->out != x)
		exchange_end(core, sa, ikesa_take_out(sa));
	sa->out = x;
	if (!x || !len || ikesa_message_set(&sa->tx.msg, msg, len))
		return false;
	begin_request(core, sa);
	return true;
}

/* Seal the payloads as the request of @x and send it. */
static bool send_request(struct ike_core *core, struct ike_sa *sa, struct exchange *x,
			 struct ike_builder *b, uint8_t first)
{
	/* Message IDs do not wrap (2.2). */
	if (sa->tx.next == UINT32_MAX ||
	    !message_seal(core, sa, x->ops->exchange, 0, sa->tx.next, b, first, &sa->tx.msg))
		return false;
	sa->tx.next++;
	begin_request(core, sa);
	return true;
}

bool request_start(struct ike_core *core, struct ike_sa *sa, struct exchange *x)
{
	uint8_t buf[CORE_MSG_MAX], first;
	enum exchange_build built;
	struct ike_builder b;
	bool ok;

	if (!x)
		return false;
	sa->out = x;
	request_begin(&b, buf, sizeof(buf), &first);
	built = x->ops->build(core, sa, x, &b);
	ok = built == EXCHANGE_DROP ||
	     (built == EXCHANGE_SEND && send_request(core, sa, x, &b, first));
	ike_wipe(buf, b.w.len);
	if (built != EXCHANGE_SEND || !ok)
		exchange_end(core, sa, ikesa_take_out(sa));
	return ok;
}

bool request_timer(struct ike_core *core, struct ike_sa *sa)
{
	if (core->now < sa->tx.at)
		return true;
	if (core->now >= give_up_at(sa))
		return false;
	if (sa->tx.sends >= IKESA_RETRANSMIT_SENDS)
		sa->tx.sends = 0;
	core->stats.retransmits++;
	transmit_request(core, sa);
	return true;
}

void request_again(struct ike_core *core, struct ike_sa *sa)
{
	if (!sa->out)
		return;
	core->stats.retransmits++;
	sa->tx.sends = 0;
	transmit_request(core, sa);
	sa_touch(core, sa);
}

/* May a request of ours leave now? */
static bool is_open(const struct ike_core *core, const struct ike_sa *sa)
{
	/* A request of ours on a new SA comes after the answer that makes it known. */
	return !sa->out && sa != core->answering && sa != core->answering_heir &&
	       (sa->state == IKESA_ESTABLISHED || sa->state == IKESA_REKEYED ||
		sa->state == IKESA_DELETING);
}

void request_next(struct ike_core *core, struct ike_sa *sa)
{
	struct exchange *x;

	while (is_open(core, sa) && (x = TAILQ_FIRST(&sa->queue))) {
		TAILQ_REMOVE(&sa->queue, x, link);
		if (!request_start(core, sa, x)) {
			sa_fail(core, sa);
			return;
		}
	}
}

static void queue_at(struct ike_core *core, struct ike_sa *sa, struct exchange *x, bool first)
{
	if (!x) {
		sa_fail(core, sa);
		return;
	}
	if (first)
		TAILQ_INSERT_HEAD(&sa->queue, x, link);
	else
		TAILQ_INSERT_TAIL(&sa->queue, x, link);
	request_next(core, sa);
	sa_touch(core, sa);
}

void request_queue(struct ike_core *core, struct ike_sa *sa, struct exchange *x)
{
	queue_at(core, sa, x, false);
}

void request_queue_first(struct ike_core *core, struct ike_sa *sa, struct exchange *x)
{
	queue_at(core, sa, x, true);
}
