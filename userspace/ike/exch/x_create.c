// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * CREATE_CHILD_SA for pairs of ESP SAs (RFC 7296 1.3.1, 1.3.3, 2.8, 2.25): an additional pair, or
 * the successor of one. That for IKE SAs is in x_rekey.c; which of several pairs stays is decided
 * in collide.c.
 *
 * A peer that cannot, or does not want to, is answered by what came before CREATE_CHILD_SA: a new
 * IKE SA that replaces this one (->replaced).
 */
#include "ike/exch/layer_exchange.h"

#include <stdlib.h>

enum create_limits {
	CREATE_SETTLE_MS =
		2000, /* while the last rekeying of a pair is not over, the next one waits */
	CREATE_REDUNDANT_MS =
		5000, /* one that goes with its IKE SA soon is looked at again after this */
	CREATE_SPARE_PAIRS = 14, /* of one IKE SA, beside two of each configured child SA */
};

/* ---- what a request reserves ---------------------------------------------- */

static void end_creation(struct ike_core *core, struct ike_sa *sa, struct exchange *x)
{
	struct creation *made = x->made;

	if (!made)
		return;
	if (sa->peer)
		child_spi_release(core, sa, made->spi_in);
	if (made->agreed)
		followup_free(made->agreed->further);
	free(made->agreed);
	ike_kex_free(made->kex);
	ike_wipe(made, sizeof(*made));
	free(made);
	x->made = NULL;
}

/* NULL if something cannot be had; end_creation() releases the rest. */
static struct creation *begin_creation(struct ike_core *core, struct ike_sa *sa, struct exchange *x,
				       uint16_t group)
{
	struct creation *made = calloc(1, sizeof(*made));

	if (!made)
		return NULL;
	x->made = made;
	core->env.rng.fill(core->env.rng.ctx, made->nonce, sizeof(made->nonce));
	made->spi_in = install_reserve_spi(core, sa);
	if (group != IKE_DH_NONE)
		made->kex = ike_kex_new(group, &core->env.rng);
	return made->spi_in && (made->kex || group == IKE_DH_NONE) ? made : NULL;
}

/* ---- initiator -------------------------------------------------------------- */

static const struct exchange_ops pair_ops, successor_ops, pair_further_ops, successor_further_ops;

/* The pair that @x renews; NULL if it creates one, or if that pair is gone or renewed already. */
static struct child_sa *renewed_pair(const struct ike_sa *sa, const struct exchange *x)
{
	struct child_sa *c = x->spi ? child_find(sa, x->spi, 0) : NULL;

	return c && c->state <= CHILD_UP ? c : NULL;
}

/* The pair stays as it is: try again a little later, or do without CREATE_CHILD_SA. */
static void try_later(struct ike_core *core, struct ike_sa *sa, struct child_sa *old)
{
	old->next_at = x_refuse_retry_at(core, ++old->failures);
	if (old->next_at == TIMER_NEVER)
		sa->replaced = true;
	sa_touch(core, sa);
	event_note(core, sa->peer, EVENT_CHANGED);
}

/* Let what the last rekeying left behind go first. */
static bool wait_for_settling(struct ike_core *core, struct ike_sa *sa, struct child_sa *old)
{
	if (!collide_is_open(sa, old))
		return false;
	old->next_at = core->now + CREATE_SETTLE_MS;
	sa_touch(core, sa);
	return true;
}

static enum exchange_build build_pair(struct ike_core *core, struct ike_sa *sa, struct exchange *x,
				      struct ike_builder *b)
{
	struct child_sa *old = renewed_pair(sa, x);
	struct negotiation n = { .own_exchange = true, .ours = true };
	uint8_t spi[4];
	struct writer w = writer_init(spi, sizeof(spi));
	struct creation *made;
	uint16_t group;

	/* What came meanwhile made it needless. */
	if (x->spi ? !old || wait_for_settling(core, sa, old) : query_sa_has_child(sa, x->conf))
		return EXCHANGE_DROP;
	negotiate_begin(&n, sa, x->conf, old);
	group = x->group ? x->group : ike_proposals_first_dh(&n.esp);
	/* The peer would refuse it (2.25.2), and could not go on with the IKE SA while it is out. */
	made = x_rekey_is_under_way(core, sa) ? NULL : begin_creation(core, sa, x, group);
	if (!made) { /* the pair there is need not suffer from it */
		if (old)
			try_later(core, sa, old);
		else
			event_note_child(core, sa->peer, x->conf, EVENT_PEER_BUSY);
		return EXCHANGE_DROP;
	}
	if (old) {
		writer_be32(&w, old->spi_in);
		ike_build_notify_spi(b, IKE_N_REKEY_SA, IKE_PROTO_ESP, spi, sizeof(spi), NULL, 0);
	}
	n.nonces.i = made->nonce;
	n.nonces.i_len = sizeof(made->nonce);
	n.kex = made->kex;
	n.spi_in = made->spi_in;
	made->local = n.local;
	made->remote = n.remote;
	made->renews = old;
	if (old)
		made->suite = old->suite;
	negotiate_offer(b, &n);
	return EXCHANGE_SEND;
}

/* The peer gives no pair; the reason is told. A new IKE SA brings one unless it said why not. */
static void lack_pair(struct ike_core *core, struct ike_sa *sa, const struct exchange *x,
		      uint16_t error, bool explained)
{
	/* Beside another pair it brings nothing: the peer would refuse one of both again. */
	bool anew = !explained && !query_sa_has_child(sa, CHILD_ANY);
	unsigned int event = EVENT_PEER_REFUSED;

	if (error == IKE_N_TEMPORARY_FAILURE)
		event = EVENT_PEER_BUSY;
	else if (anew)
		event = 0;
	sa->replaced |= error != IKE_N_TEMPORARY_FAILURE && anew;
	event_note_child(core, sa->peer, x->conf, event);
}

/* The peer does not renew the pair, which stays until something else does. */
static void keep_old(struct ike_core *core, struct ike_sa *sa, struct child_sa *old, uint16_t error)
{
	switch (error) {
	case IKE_N_TEMPORARY_FAILURE: try_later(core, sa, old); return;
	case IKE_N_CHILD_SA_NOT_FOUND: /* 2.25.1 */
		report_line(core, IKE_LOG_INFO, NULL, sa, "peer has lost child SA in 0x%08x",
			    old->spi_in);
		child_remove(core, sa, old);
		break;
	default:
		old->next_at = TIMER_NEVER;
		sa->replaced = true;
		break;
	}
	event_note(core, sa->peer, EVENT_CHANGED);
}

/* The peer says no, for a reason that is not in what we asked for. */
static void explain_refusal(struct ike_core *core, struct ike_sa *sa, const struct child_sa *old,
			    uint16_t error)
{
	const char *name = ike_notify_name(error);

	if (!name)
		name = "unknown error";
	if (!old && query_sa_has_child(sa, CHILD_ANY))
		report_error(
			core, sa->peer, sa,
			"peer refused a further child SA (%s, %u): its configuration allows fewer than ours",
			name, error);
	else
		report_line(core, IKE_LOG_INFO, NULL, sa,
			    "peer refused CREATE_CHILD_SA (%s, %u): a new IKE SA replaces this one",
			    name, error);
}

/* What the peer says instead of a pair. */
static void take_refusal(struct ike_core *core, struct ike_sa *sa, struct exchange *x,
			 const struct ike_payloads *in)
{
	struct child_sa *old = renewed_pair(sa, x);
	uint16_t error = ike_notify_first_error(in), group;
	struct negotiation n = { .own_exchange = true };
	bool explained;

	negotiate_begin(&n, sa, x->conf, old);
	if (x->made->renews)
		ike_proposals_keep(&n.esp, &x->made->suite);
	group = x_refuse_group(x, in, &n.esp);
	if (group != IKE_DH_NONE) {
		x_refuse_again(core, sa, x, group);
		return;
	}
	if (x->spi && !old)
		return; /* both ends rekeyed, or it was deleted meanwhile: nothing is missing */
	explained = negotiate_explain(core, sa, &n, error) || x_config_explain(core, sa, error);
	if (!explained && error != IKE_N_TEMPORARY_FAILURE && error != IKE_N_CHILD_SA_NOT_FOUND)
		explain_refusal(core, sa, old, error);
	if (old)
		keep_old(core, sa, old, error);
	else
		lack_pair(core, sa, x, error, explained);
}

/*
 * The peer asked for such a pair, too, while we waited for @c, and one of both ends has rekeyed that one
 * already: it is too late for the nonces to decide.
 */
static bool is_late(const struct ike_sa *sa, const struct child_sa *c)
{
	const struct child_sa *o;

	TAILQ_FOREACH(o, &sa->children, link)
	{
		if (o != c && o->conf == c->conf && o->state <= CHILD_UP && o->replaces &&
		    o->replaces != c->replaces)
			return true;
	}
	return false;
}

/* The pair is here, so the peer, whose half may wait, is to know it. */
static void use_pair(struct ike_core *core, struct ike_sa *sa, const struct exchange *x,
		     struct child_sa *c)
{
	const struct ike_peer *p = sa->peer;

	if (!x->spi && is_late(sa, c)) {
		request_delete_child(core, sa, c);
		return;
	}
	if (c->state == CHILD_UP)
		collide_up(core, sa, c);
	/* Our DELETE of the old pair tells it; without one, a pair elsewhere may carry the same. */
	if (!x->spi && (p->n_adopted || TAILQ_FIRST(&p->sas) != TAILQ_LAST(&p->sas, ike_sas)))
		request_probe(core, sa);
}

/* The configuration changed since it was asked for: the peer deletes it again. */
static void drop_unwanted(struct ike_core *core, struct ike_sa *sa, struct exchange *x,
			  const struct ike_payloads *in)
{
	struct negotiation n = { .own_exchange = true, .ours = true, .spi_in = x->made->spi_in };

	event_note(core, sa->peer, EVENT_CHANGED);
	if (!ike_offer_accepted(in))
		return;
	report_line(core, IKE_LOG_INFO, NULL, sa,
		    "the configuration changed meanwhile: this child SA is not taken");
	x->made->spi_in = 0;
	negotiate_reject(core, sa, &n);
}

/* Our exchanges for a pair are over; @c: they made it, or NULL. */
static void conclude_pair(struct ike_core *core, struct ike_sa *sa, struct exchange *x,
			  struct child_sa *c)
{
	struct child_sa *old = child_find(sa, x->spi, 0);

	if (c)
		use_pair(core, sa, x, c);
	else if (old && old->state <= CHILD_UP)
		try_later(core, sa, old);
	else if (!old)
		event_note_child(core, sa->peer, x->conf,
				 x->deleted ? EVENT_PEER_BUSY : EVENT_CHILD_UNUSABLE);
}

/* The next one of the exchanges that the pair waits for. */
static void ask_further(struct ike_core *core, struct ike_sa *sa, struct exchange *x)
{
	struct exchange *further =
		exchange_new(x->spi ? &successor_further_ops : &pair_further_ops, x->spi);

	if (further) {
		further->conf = x->conf;
		further->made = x->made;
		x->made = NULL;
	}
	request_queue_first(core, sa, further);
}

/* Both ends agreed on @n, and further key exchanges are next. False: there is no pair. */
static bool begin_further(struct ike_core *core, struct ike_sa *sa, struct exchange *x,
			  const struct negotiation *n, const struct ike_payloads *in)
{
	struct creation *made = x->made;

	made->spi_in = n->spi_in;
	made->agreed = malloc(sizeof(*n));
	if (!made->agreed) {
		followup_free(n->further);
		return false;
	}
	*made->agreed = *n;
	made->agreed->kex = NULL;
	if (followup_take_blob(n->further, in)) {
		ask_further(core, sa, x);
		return true;
	}
	report_error(
		core, sa->peer, sa,
		"peer chose additional key exchanges for the child SA, and does not say how they go on");
	return false;
}

static void take_pair(struct ike_core *core, struct ike_sa *sa, struct exchange *x, struct x_msg *m)
{
	const struct ike_payload *nonce = ike_payload_find(m->in, IKE_PL_NONCE);
	struct creation *made = x->made;
	struct negotiation n = {
		.own_exchange = true,
		.ours = true,
		.kex = made->kex,
		.spi_in = made->spi_in,
		.deleted = x->deleted,
		.nonces = { .i = made->nonce, .i_len = sizeof(made->nonce) },
	};
	uint8_t low_nonce[IKE_OUR_NONCE];
	struct child_sa *c;

	if (!ikesa_authenticated(sa))
		return; /* it ends meanwhile, and the pair with it */
	if (x->unwanted) {
		drop_unwanted(core, sa, x, m->in);
		return;
	}
	if (!ike_offer_accepted(m->in)) {
		take_refusal(core, sa, x, m->in);
		return;
	}
	made->spi_in = 0;
	if (!nonce || ike_nonce_parse(nonce, &n.nonces.r, &n.nonces.r_len)) {
		report_error(core, sa->peer, sa, "peer's answer about the child SA has no nonce");
		negotiate_reject(core, sa, &n);
		c = NULL;
	} else {
		negotiate_begin(&n, sa, x->conf, child_find(sa, x->spi, 0));
		/* Not more than was offered, also if the old pair is gone meanwhile. */
		if (n.mode == IKE_MODE_TUNNEL) { /* else it is for the endpoints of now */
			n.local = made->local;
			n.remote = made->remote;
		}
		if (made->renews)
			ike_proposals_keep(&n.esp, &made->suite);
		n.replaces = x->spi ? x->spi : child_replaces_nothing(x->conf);
		ike_nonces_lower(&n.nonces, low_nonce);
		n.inbound_first = collide_loses(sa, n.replaces, low_nonce);
		c = negotiate_take(core, sa, &n, m->in);
		if (n.further && begin_further(core, sa, x, &n, m->in))
			return;
	}
	conclude_pair(core, sa, x, c);
}

/* ---- further key exchanges (RFC 9370 2.2.4) ------------------------------------ */

static enum exchange_build build_further(struct ike_core *core, struct ike_sa *sa,
					 struct exchange *x, struct ike_builder *b)
{
	struct child_sa *old = renewed_pair(sa, x);

	if (x->spi &&
	    !old) /* what came meanwhile made it needless, and the peer forgets it in time */
		return EXCHANGE_DROP;
	if (followup_ask(x->made->agreed->further, &core->env.rng, b))
		return EXCHANGE_SEND;
	conclude_pair(core, sa, x, NULL);
	return EXCHANGE_DROP;
}

/* The peer goes no further, or its value is invalid. @made_it: then it has made the pair all the same. */
static void fail_further(struct ike_core *core, struct ike_sa *sa, struct exchange *x,
			 const struct ike_payloads *in, bool made_it)
{
	uint16_t error = ike_notify_first_error(in);
	struct child_sa *old = renewed_pair(sa, x);
	const char *name = ike_notify_name(error);

	if (x->spi && !old)
		return; /* both ends rekeyed: nothing is missing */
	report_line(core, IKE_LOG_INFO, NULL, sa,
		    "peer ended the key exchanges for a child SA (%s, %u): from the beginning",
		    name ? name : "no usable value", error);
	if (!error && made_it) {
		x->made->spi_in = 0;
		negotiate_reject(core, sa, x->made->agreed);
	}
	if (old)
		try_later(core, sa, old);
	else
		event_note_child(core, sa->peer, x->conf, EVENT_PEER_BUSY);
}

static void take_further(struct ike_core *core, struct ike_sa *sa, struct exchange *x,
			 struct x_msg *m)
{
	struct negotiation *n = x->made->agreed;
	struct followup *f = n->further;
	bool last = f->done + 1 == f->addke.n;
	uint8_t low_nonce[IKE_OUR_NONCE];

	if (!ikesa_authenticated(sa))
		return; /* it ends meanwhile, and the pair with it */
	if (!followup_take(f, m->in)) {
		fail_further(core, sa, x, m->in, last);
		return;
	}
	if (x->unwanted) {
		event_note(core, sa->peer, EVENT_CHANGED);
		x->made->spi_in = last ? 0 : x->made->spi_in;
		if (last)
			negotiate_reject(core, sa, n);
		return;
	}
	if (!last) {
		ask_further(core, sa, x);
		return;
	}
	x->made->spi_in = 0;
	n->conf = x->conf; /* the configuration may be another one */
	n->replaces = x->spi ? x->spi : child_replaces_nothing(x->conf);
	n->deleted = x->deleted;
	ike_nonces_lower(&n->nonces, low_nonce);
	n->inbound_first = collide_loses(sa, n->replaces, low_nonce);
	conclude_pair(core, sa, x, negotiate_finish(core, sa, n));
}

static const struct exchange_ops pair_further_ops = {
	.name = "CREATE_CHILD_SA, additional key exchange",
	.exchange = IKE_FOLLOWUP_KE,
	.makes_pair = true,
	.build = build_further,
	.response = take_further,
	.end = end_creation,
};

static const struct exchange_ops successor_further_ops = {
	.name = "rekeying of a child SA, additional key exchange",
	.exchange = IKE_FOLLOWUP_KE,
	.build = build_further,
	.response = take_further,
	.end = end_creation,
};

static const struct exchange_ops pair_ops = {
	.name = "CREATE_CHILD_SA",
	.exchange = IKE_CREATE_CHILD_SA,
	.makes_pair = true,
	.build = build_pair,
	.response = take_pair,
	.end = end_creation,
};

static const struct exchange_ops successor_ops = {
	.name = "rekeying of a child SA",
	.exchange = IKE_CREATE_CHILD_SA,
	.build = build_pair,
	.response = take_pair,
	.end = end_creation,
};

static void ask_for_pair(struct ike_core *core, struct ike_sa *sa, const struct exchange_ops *ops,
			 uint32_t spi, unsigned int conf)
{
	struct exchange *x = exchange_new(ops, spi);

	if (x)
		x->conf = conf;
	request_queue(core, sa, x);
}

void x_create_pair(struct ike_core *core, struct ike_sa *sa, unsigned int conf)
{
	if (!exchange_makes_pair(sa, conf))
		ask_for_pair(core, sa, &pair_ops, 0, conf);
}

void x_create_successor(struct ike_core *core, struct ike_sa *sa, struct child_sa *c)
{
	if (wait_for_settling(core, sa, c))
		return;
	c->next_at = TIMER_NEVER; /* until it failed */
	if (!exchange_find(sa, &successor_ops, c->spi_in) &&
	    !exchange_find(sa, &successor_further_ops, c->spi_in))
		ask_for_pair(core, sa, &successor_ops, c->spi_in, c->conf);
}

/* ---- deadlines --------------------------------------------------------------- */

/* No successor for a pair that goes with its IKE SA soon, if the IKE SA that stays carries what it does. */
static void renew_pair(struct ike_core *core, struct ike_sa *sa, struct child_sa *c)
{
	const struct ike_sa *keep = sa->close_at != TIMER_NEVER ? query_survivor(sa) : NULL;

	if (keep && keep != sa && query_sa_has_outbound(keep, c->conf))
		c->next_at = core->now + CREATE_REDUNDANT_MS;
	else
		x_create_successor(core, sa, c);
}

static void pair_timer(struct ike_core *core, struct ike_sa *sa, struct child_sa *c)
{
	switch (c->state) {
	case CHILD_IN:
		if (c->ours) /* it lost against one of the peer's, which went */
			request_delete_child(core, sa, c);
		else if (sa->confirmed)
			collide_up(core, sa, c);
		else
			c->next_at = core->now + CHILD_PROOF_MS;
		break;
	case CHILD_UP: renew_pair(core, sa, c); break;
	case CHILD_REKEYED: request_delete_child(core, sa, c); break;
	case CHILD_DELETING: break;
	case CHILD_LINGERING: break; /* not one of an IKE SA */
	}
}

void x_create_timer(struct ike_core *core, struct ike_sa *sa)
{
	struct child_sa *c, *next;

	if (sa->agreed && core->now >= sa->agreed->until)
		child_drop_agreed(core, sa);
	for (c = TAILQ_FIRST(&sa->children); c; c = next) {
		next = TAILQ_NEXT(c, link);
		if (core->now < c->next_at)
			continue;
		/* An IKE SA on its way out takes its pairs with it. */
		if (ikesa_authenticated(sa))
			pair_timer(core, sa, c);
		else
			c->next_at = TIMER_NEVER;
	}
}

/* ---- responder --------------------------------------------------------------- */

/*
 * The peer names a pair that is not, or no longer, there. It may be the one that we ask for: then the
 * response got lost, and the peer must not forget the pair.
 */
static enum x_verdict refuse_unknown(struct ike_core *core, struct ike_sa *sa, struct x_msg *m,
				     const struct ike_notify *rekey)
{
	if (sa->out && (sa->out->ops->exchange == IKE_CREATE_CHILD_SA ||
			sa->out->ops->exchange == IKE_FOLLOWUP_KE))
		return x_refuse(m, IKE_N_TEMPORARY_FAILURE);
	report_line(core, IKE_LOG_INFO, NULL, sa,
		    "peer rekeys a child SA that is not here: answered with CHILD_SA_NOT_FOUND");
	ike_build_notify_spi(m->reply, IKE_N_CHILD_SA_NOT_FOUND, rekey->protocol, rekey->spi,
			     rekey->spi_len, NULL, 0);
	return X_DONE;
}

static unsigned int count_pairs(const struct ike_sa *sa)
{
	const struct child_sa *c;
	unsigned int n = 0;

	TAILQ_FOREACH(c, &sa->children, link)
	n++;
	TAILQ_FOREACH(c, &sa->peer->lingering, link)
	n++;
	return n;
}

/* What names the pair that waits: its SPI, which no other has. */
static const uint8_t *put_agreed_spi(const struct ike_sa *sa, uint8_t spi[4])
{
	struct writer w = writer_init(spi, 4);

	writer_be32(&w, sa->agreed->spi_in);
	return spi;
}

static void name_agreed(const struct ike_sa *sa, struct x_msg *m)
{
	uint8_t spi[4];

	followup_name(sa->agreed->further, put_agreed_spi(sa, spi), sizeof(spi), m->reply);
}

/* Both ends agreed on @n, and the answer says so: the peer's further key exchanges are to come. */
static enum x_verdict keep_agreed(struct ike_core *core, struct ike_sa *sa, struct x_msg *m,
				  const struct negotiation *n)
{
	struct agreed_pair *a = calloc(1, sizeof(*a));

	if (a)
		a->n = malloc(sizeof(*n));
	if (!a || !a->n) {
		child_spi_release(core, sa, n->spi_in);
		followup_free(n->further);
		free(a);
		return X_DROP;
	}
	*a->n = *n;
	a->n->same = NULL; /* that pair may go before */
	a->further = n->further;
	a->spi_in = n->spi_in;
	a->until = core->now + IKESA_DEAD_MS;
	sa->agreed = a;
	name_agreed(sa, m);
	sa_touch(core, sa);
	return X_DONE;
}

static enum x_verdict give_pair(struct ike_core *core, struct ike_sa *sa, struct x_msg *m,
				const struct child_sa *old)
{
	const struct ike_payload *nonce = ike_payload_find(m->in, IKE_PL_NONCE);
	unsigned int most = 2 * sa->peer->conf->n_child + CREATE_SPARE_PAIRS;
	struct negotiation n = { .own_exchange = true };
	uint8_t ours[IKE_OUR_NONCE];
	const char *refusal;

	if (!ike_payload_find(m->in, IKE_PL_TSI) || !ike_payload_find(m->in, IKE_PL_TSR) ||
	    ike_nonce_parse(nonce, &n.nonces.i, &n.nonces.i_len))
		return x_refuse(m, IKE_N_INVALID_SYNTAX);
	refusal = natd_refusal(sa, &sa->natd);
	if (refusal) {
		report_error(core, sa->peer, sa, "child SA refused: %s", refusal);
		return x_refuse(m, IKE_N_NO_PROPOSAL_CHOSEN);
	}
	/* A successor comes beside the old pair, and beside one that still hears late packets. */
	if (count_pairs(sa) >= (old ? 3 * most : most)) {
		report_line(core, IKE_LOG_WARN, NULL, sa,
			    "peer asks for more than %u child SAs: answered with NO_ADDITIONAL_SAS",
			    most);
		return x_refuse(m, IKE_N_NO_ADDITIONAL_SAS);
	}
	core->env.rng.fill(core->env.rng.ctx, ours, sizeof(ours));
	n.nonces.r = ours;
	n.nonces.r_len = sizeof(ours);
	n.inbound_first = old && query_has_outbound(sa->peer, CHILD_ANY);
	negotiate_begin(&n, sa, old ? old->conf : CHILD_ANY, NULL);
	if (old) {
		n.replaces = old->spi_in;
		n.same = &old->suite;
	}
	child_drop_agreed(core, sa); /* it begins anew */
	if (!negotiate_give(core, sa, &n, m) && n.refused == IKE_N_INVALID_SYNTAX)
		return X_CLOSE;
	return n.further ? keep_agreed(core, sa, m, &n) : X_DONE;
}

/* The pair that waits, whose last secret is there. NULL: it cannot be had any more. */
static struct child_sa *finish_agreed(struct ike_core *core, struct ike_sa *sa)
{
	struct negotiation *n = sa->agreed->n;
	const struct child_sa *old = child_find(sa, n->replaces, 0);
	struct child_sa *c = NULL;

	/* What it was to renew may be gone, or about to. */
	if (!n->replaces || (old && !collide_is_leaving(sa, old))) {
		n->inbound_first = old && query_has_outbound(sa->peer, CHILD_ANY);
		c = negotiate_finish(core, sa, n);
	}
	if (c)
		sa->agreed->spi_in = 0;
	return c;
}

/* One of the exchanges that the pair waits for. */
static enum x_verdict answer_agreed(struct ike_core *core, struct ike_sa *sa, struct x_msg *m)
{
	struct followup *f = sa->agreed->further;
	struct ike_kex *kex = NULL;
	uint16_t refusal = followup_answer(f, &core->env.rng, m->in, &kex);

	if (!refusal && followup_is_over(f) && !finish_agreed(core, sa))
		refusal = IKE_N_TEMPORARY_FAILURE;
	if (!refusal)
		ike_secret_build(m->reply, kex);
	ike_kex_free(kex);
	if (refusal || followup_is_over(f)) {
		child_drop_agreed(core, sa);
		return refusal ? x_refuse(m, refusal) : X_DONE;
	}
	name_agreed(sa, m);
	sa->agreed->until = core->now + IKESA_DEAD_MS;
	sa_touch(core, sa);
	return X_DONE;
}

/* Is the request one for the pair that waits? */
static bool is_for_agreed(const struct ike_sa *sa, const struct x_msg *m)
{
	uint8_t spi[4];
	struct ike_notify n;

	return sa->agreed && ike_notify_find(m->in, IKE_N_ADDITIONAL_KEY_EXCHANGE, &n) &&
	       followup_is_named(sa->agreed->further, put_agreed_spi(sa, spi), sizeof(spi), &n);
}

enum x_verdict x_create_further(struct ike_core *core, struct ike_sa *sa, struct x_msg *m)
{
	if (!is_for_agreed(sa, m))
		return x_rekey_further(core, sa, m);
	if (ikesa_authenticated(sa) && sa->peer->enabled && !sa->outdated && !x_rekey_is_out(sa))
		return answer_agreed(core, sa, m);
	child_drop_agreed(core, sa);
	return x_refuse(m, IKE_N_TEMPORARY_FAILURE);
}

enum x_verdict x_create_request(struct ike_core *core, struct ike_sa *sa, struct x_msg *m)
{
	struct child_sa *old = NULL;
	struct ike_sa_payload offer;
	struct ike_notify rekey;
	struct cursor spi;

	/* An IKE SA on its way out (2.25.2). */
	if (!ikesa_authenticated(sa) || !sa->peer->enabled || sa->outdated)
		return x_refuse(m, IKE_N_TEMPORARY_FAILURE);
	if (ike_sa_parse(ike_payload_find(m->in, IKE_PL_SA), &offer))
		return x_refuse(m, IKE_N_INVALID_SYNTAX);
	if (offer.p[0].protocol == IKE_PROTO_IKE)
		return x_rekey_request(core, sa, m, IKE_OFFER(&offer));
	if (x_rekey_is_out(sa)) /* it may move the pairs to another IKE SA (2.25.2) */
		return x_refuse(m, IKE_N_TEMPORARY_FAILURE);
	if (ike_notify_find(m->in, IKE_N_REKEY_SA, &rekey)) {
		if (rekey.spi_len != 4)
			return x_refuse(m, IKE_N_INVALID_SYNTAX);
		spi = cursor_init(rekey.spi, 4);
		if (rekey.protocol == IKE_PROTO_ESP)
			old = child_find(sa, 0, cursor_be32(&spi));
		if (!old)
			return refuse_unknown(core, sa, m, &rekey);
		if (collide_is_leaving(sa, old)) /* 2.25.1 */
			return x_refuse(m, IKE_N_TEMPORARY_FAILURE);
	}
	return give_pair(core, sa, m, old);
}
