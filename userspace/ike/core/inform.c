// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What we ask of the peer by INFORMATIONAL (RFC 7296 1.4): a sign of life, the end of a pair, the
 * end of the IKE SA.
 */
#include "ike/core/layer_ikesa.h"

/* ---- a sign of life ------------------------------------------------------ */

static enum exchange_build build_probe(struct ike_core *core, struct ike_sa *sa, struct exchange *x,
				       struct ike_builder *b)
{
	(void)core;
	(void)x;
	/* An empty message does; whether a NAT changed its mapping can be seen from the answer. */
	if (sa->mobike.on && sa->began)
		natd_build(b, sa, &sa->local, &sa->remote);
	return EXCHANGE_SEND;
}

static void take_alive(struct ike_core *core, struct ike_sa *sa, struct exchange *x,
		       struct x_msg *m)
{
	(void)x;
	if (!sa->mobike.on || !natd_note_seen(sa, m->in))
		return;
	report_line(core, IKE_LOG_INFO, NULL, sa, "peer sees us at another address");
	sa->mobike.update = true;
}

static const struct exchange_ops probe_ops = {
	.name = "liveness check",
	.exchange = IKE_INFORMATIONAL,
	.build = build_probe,
	.response = take_alive,
};

void request_probe(struct ike_core *core, struct ike_sa *sa)
{
	/* The answer to any request is a sign of life. */
	if (!sa->out && TAILQ_EMPTY(&sa->queue))
		request_queue(core, sa, exchange_new(&probe_ops, 0));
}

/* ---- the end of a pair --------------------------------------------------- */

static enum exchange_build build_delete_child(struct ike_core *core, struct ike_sa *sa,
					      struct exchange *x, struct ike_builder *b)
{
	(void)core;
	if (!child_find(sa, x->spi, 0))
		return EXCHANGE_DROP; /* the peer's own delete came first */
	ike_build_delete(b, IKE_PROTO_ESP, &x->spi, 1);
	return EXCHANGE_SEND;
}

/* The peer confirmed our delete of the pair, whether or not it listed its own SPI. */
static void take_deleted_child(struct ike_core *core, struct ike_sa *sa, struct exchange *x,
			       struct x_msg *m)
{
	struct child_sa *c = child_find(sa, x->spi, 0);

	(void)m;
	if (c) /* else the peer's own delete crossed ours */
		child_retire(core, sa, c);
}

static const struct exchange_ops delete_child_ops = {
	.name = "delete of a child SA",
	.exchange = IKE_INFORMATIONAL,
	.build = build_delete_child,
	.response = take_deleted_child,
};

void request_delete_child(struct ike_core *core, struct ike_sa *sa, struct child_sa *c)
{
	if (c->state >= CHILD_DELETING)
		return;
	child_stop_sending(core, sa, c);
	c->state = CHILD_DELETING;
	c->next_at = TIMER_NEVER;
	request_queue_first(core, sa, exchange_new(&delete_child_ops, c->spi_in));
}

/* ---- the end of the IKE SA ----------------------------------------------- */

static enum exchange_build build_delete(struct ike_core *core, struct ike_sa *sa,
					struct exchange *x, struct ike_builder *b)
{
	(void)core;
	(void)sa;
	(void)x;
	ike_build_delete(b, IKE_PROTO_IKE, NULL, 0);
	return EXCHANGE_SEND;
}

static void take_deleted(struct ike_core *core, struct ike_sa *sa, struct exchange *x,
			 struct x_msg *m)
{
	(void)x;
	(void)m;
	sa_end(core, sa, true);
}

static bool lose_delete(struct ike_core *core, struct ike_sa *sa, struct exchange *x)
{
	(void)x;
	report_line(core, IKE_LOG_DEBUG, NULL, sa, "no answer to our delete; gone anyway");
	sa_end(core, sa, false);
	return true;
}

static const struct exchange_ops delete_ops = {
	.name = "delete of the IKE SA",
	.exchange = IKE_INFORMATIONAL,
	.build = build_delete,
	.response = take_deleted,
	.lost = lose_delete,
};

void request_close(struct ike_core *core, struct ike_sa *sa, uint64_t patience)
{
	uint64_t until = patience == TIMER_NEVER ? TIMER_NEVER : core->now + patience;
	struct child_sa *c;

	if (sa->state == IKESA_AUTH_SENT && !sa->out) { /* our proof is not made yet */
		sa_end(core, sa, false);
		return;
	}
	switch (sa->state) {
	case IKESA_INIT_SENT: sa_end(core, sa, false); break;
	case IKESA_AUTH_SENT:
		/* The peer may already count it as established; we cannot tell it before it answers. */
	case IKESA_DELETING:
		sa->expire_at = until;
		sa_touch(core, sa);
		break;
	case IKESA_REKEYED:
	case IKESA_ESTABLISHED:
		sa->state = IKESA_DELETING;
		TAILQ_FOREACH(c, &sa->children, link)
		child_stop_sending(core, sa, c);
		exchange_end_queue(core, sa); /* the delete is all that is left to say */
		sa->liveness_at = sa->close_at = TIMER_NEVER;
		sa->reauth_at = sa->replace_by = TIMER_NEVER;
		sa->expire_at = until;
		event_note(core, sa->peer, EVENT_CHANGED);
		request_queue(core, sa, exchange_new(&delete_ops, 0));
		break;
	default: break;
	}
}

/* ---- telling that we do not accept who the peer is ------------------------ */

static enum exchange_build build_auth_failed(struct ike_core *core, struct ike_sa *sa,
					     struct exchange *x, struct ike_builder *b)
{
	(void)core;
	(void)sa;
	(void)x;
	ike_build_notify(b, IKE_N_AUTHENTICATION_FAILED, NULL, 0);
	return EXCHANGE_SEND;
}

static const struct exchange_ops auth_failed_ops = {
	.name = "AUTHENTICATION_FAILED",
	.exchange = IKE_INFORMATIONAL,
	.build = build_auth_failed,
	.response = take_deleted,
	.lost = lose_delete,
};

bool request_auth_failed(struct ike_core *core, struct ike_sa *sa)
{
	return request_start(core, sa, exchange_new(&auth_failed_ops, 0));
}
