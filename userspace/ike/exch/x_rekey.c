// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * CREATE_CHILD_SA that rekeys the IKE SA (RFC 7296 1.3.2, 2.8, 2.18, 2.25.2).
 *
 * The new IKE SA is prepared when the request is built, or answered, and takes over the pairs and
 * the waiting exchanges of the old one when it is sure to be the one that stays. The end that began
 * then deletes the old one.
 *
 * When both ends begin at once, each answers, and there are two new IKE SAs. The one whose exchange
 * had the lowest of the four nonces inherits nothing, and is deleted by the end that began it. Only
 * the end whose own request is still out does not know all nonces yet: what it prepared for the
 * peer is the heir, which waits for the response to that request, or for the peer to use it.
 *
 * With additional key exchanges (RFC 9370 2.2.4) the new IKE SA has no keys before the last
 * IKE_FOLLOWUP_KE exchange, and cannot take over: ->followup. The end that sees then that its own
 * exchange had the lowest nonce goes no further with it, and the other end forgets what it prepared.
 */
#include "ike/exch/layer_exchange.h"

#include <stdlib.h>

enum rekey_limits {
	REKEY_REDUNDANT_MS =
		5000, /* one that is about to be closed is looked at again after this */
	REKEY_OLD_MS = 60000, /* the peer deletes the old IKE SA within this, or we forget it */
	REKEY_MAX_OLD = 4, /* rekeyed IKE SAs of a tunnel that the peer has not deleted yet */
};

static const struct exchange_ops rekey_ops, further_ops;

/* ---- who takes over ----------------------------------------------------------- */

/* A prepared IKE SA is one of its tunnel's now. */
static void begin_established(struct ike_core *core, struct ike_sa *next, struct ike_peer *p)
{
	next->peer = p;
	next->state = IKESA_ESTABLISHED;
	next->expire_at = TIMER_NEVER;
	next->established_at = core->now;
	sa_join(core, next);
}

static void inherit(struct ike_core *core, struct ike_sa *old, struct ike_sa *next)
{
	char text[64];

	begin_established(core, next, old->peer);
	old->peer->rekeys.ike++;
	old->peer->tunnel->rekeys.ike++;
	child_drop_agreed(core, old); /* the peer asks for it anew */
	sa_drop_unfinished(core, old); /* of the peer's own exchange, if ours made @next */
	next->last_rx = old->last_rx; /* that it took over is no sign of life */
	next->proven_at = old->proven_at;
	TAILQ_CONCAT(&next->children, &old->children, link);
	TAILQ_CONCAT(&next->queue, &old->queue, link);
	/* Both ends decide by the first one's times and nonces which of several IKE SAs stays, see peer.c. */
	memcpy(next->low_nonce, old->low_nonce, sizeof(next->low_nonce));
	next->created_at = old->created_at;
	next->first_established_at = old->first_established_at;
	next->superseded = old->superseded;
	next->replaced = old->replaced;
	next->outdated = old->outdated;
	next->strayed = old->strayed;
	next->ppk = old->ppk;
	next->close_at = old->close_at;
	next->close_marked = old->close_marked;
	next->reauth_at = old->reauth_at;
	next->proof_until = old->proof_until;
	next->replace_by = old->replace_by;
	next->shown = old->shown;
	free(next->first_id);
	next->first_id = old->first_id;
	old->first_id = NULL;
	old->shown = NULL;
	sa_plan_rekey(core, next);
	report_line(core, IKE_LOG_INFO, NULL, old, "IKE SA rekeyed, now %s",
		    ike_spis_print(text, sizeof(text), next->spi_i, next->spi_r));
	old->have_heir = false;
	old->state = IKESA_REKEYED;
	old->liveness_at = old->close_at = old->rekey_at = TIMER_NEVER;
	old->reauth_at = old->replace_by = TIMER_NEVER;
	old->expire_at = core->now + REKEY_OLD_MS;
	if (core->answering == old)
		core->answering_heir = next; /* its requests come after the answer */
	x_mobike_inherit(core, old, next);
	request_next(core, next);
	liveness_check(core, next);
	sa_touch(core, next);
	sa_touch(core, old);
	event_note(core, next->peer, EVENT_CHANGED);
}

/* What was prepared for the peer and has its keys: it can take over. */
static struct ike_sa *heir_of(const struct ike_core *core, const struct ike_sa *sa)
{
	struct ike_sa *heir = sa_prepared(core, sa);

	return heir && heir->have_keys ? heir : NULL;
}

/* The new IKE SA of our exchange lost: it is deleted, having nothing. */
static void close_loser(struct ike_core *core, struct ike_sa *next, struct ike_peer *p)
{
	begin_established(core, next, p);
	request_close(core, next, TIMER_NEVER);
}

bool x_rekey_settle(struct ike_core *core, struct ike_sa *sa)
{
	struct ike_sa *heir = heir_of(core, sa);

	if (heir && ikesa_authenticated(sa))
		inherit(core, sa, heir);
	else if (heir) /* we are closing the old one, and have told the peer of no other */
		close_loser(core, heir, sa->peer);
	return heir;
}

static bool has_delete_of_ike_sa(const struct ike_payloads *in)
{
	struct ike_delete del;
	unsigned int i;

	for (i = 0; i < in->n; i++) {
		if (in->p[i].type == IKE_PL_DELETE && !ike_delete_parse(&in->p[i], &del) &&
		    del.protocol == IKE_PROTO_IKE)
			return true;
	}
	return false;
}

void x_rekey_heard(struct ike_core *core, const struct ike_sa *sa, const struct ike_payloads *in)
{
	struct ike_sa *old = ikesa_find(&core->sas, sa->old_spi, sa->old_is_ours);

	if (old && heir_of(core, old) == sa && !has_delete_of_ike_sa(in))
		x_rekey_settle(core, old);
}

/* That of the peer's exchange lost: the peer deletes it. */
static void await_delete(struct ike_core *core, struct ike_sa *heir, struct ike_peer *p)
{
	begin_established(core, heir, p);
	heir->state = IKESA_REKEYED;
	heir->expire_at = core->now + REKEY_OLD_MS;
	sa_touch(core, heir);
}

/* ---- keys ----------------------------------------------------------------------- */

/* SK_* of @next from those of @old, the nonces and the secrets of all key exchanges. */
static bool derive(struct ike_core *core, const struct ike_sa *old, struct ike_sa *next,
		   const struct ike_nonces *n, const struct ike_secret *secret, unsigned int n_more)
{
	struct ike_suite suite;

	next->have_keys =
		!ike_suite_from_proposal(&next->proposal, &suite) && suite.addke.n == n_more &&
		!ike_keys_rekey(&next->keys, &suite, &old->keys, n, next->spi_i, next->spi_r,
				secret->data, secret->len, secret + 1, n_more);
	if (next->have_keys)
		x_derive_log(core, next);
	return next->have_keys;
}

/*
 * The exchange with our @kex gave these nonces and this secret. @next gets its keys, or ->followup if
 * others have to come first.
 */
static bool begin_keys(struct ike_core *core, const struct ike_sa *old, struct ike_sa *next,
		       const struct ike_nonces *n, const struct ike_kex *kex,
		       const struct ike_secret *secret)
{
	struct ike_suite suite;

	if (ike_suite_from_proposal(&next->proposal, &suite) || suite.dh != ike_kex_method(kex))
		return false;
	ike_nonces_lower(n, next->low_nonce);
	if (!suite.addke.n)
		return derive(core, old, next, n, secret, 0);
	next->followup = followup_new(&suite.addke, n, secret);
	return next->followup;
}

/* All key exchanges of @next are over. */
static bool finish_keys(struct ike_core *core, const struct ike_sa *old, struct ike_sa *next)
{
	struct followup *f = next->followup;
	bool ok = derive(core, old, next, &f->nonces, f->secret, f->done);

	followup_free(f);
	next->followup = NULL;
	return ok;
}

static void put_ike_spi(struct ike_proposal *p, const uint8_t *spi)
{
	p->spi_len = IKE_SPI_LEN;
	memcpy(p->spi, spi, IKE_SPI_LEN);
}

static bool has_spi(const struct ike_proposal *p)
{
	static const uint8_t zero[IKE_SPI_LEN];

	return p->protocol == IKE_PROTO_IKE && p->spi_len == IKE_SPI_LEN &&
	       memcmp(p->spi, zero, IKE_SPI_LEN) != 0;
}

static void build_values(struct ike_builder *b, struct ike_offer o, const uint8_t *nonce,
			 size_t nonce_len, const struct ike_kex *kex)
{
	ike_build_sa(b, o);
	ike_build_nonce(b, nonce, nonce_len);
	ike_secret_build(b, kex);
}

/* ---- initiator -------------------------------------------------------------------- */

static void end_rekey(struct ike_core *core, struct ike_sa *sa, struct exchange *x)
{
	struct creation *made = x->made;
	struct ike_sa *next;

	(void)sa;
	if (!made)
		return;
	next = ikesa_find(&core->sas, made->ike_spi, true);
	if (next && next->state == IKESA_PREPARED)
		sa_drop(core, next);
	ike_kex_free(made->kex);
	ike_wipe(made, sizeof(*made));
	free(made);
	x->made = NULL;
}

/* The IKE SA to be, and what the response needs; NULL if that cannot be had, see end_rekey(). */
static struct ike_sa *begin_rekey(struct ike_core *core, struct ike_sa *sa, struct exchange *x,
				  uint16_t group)
{
	struct creation *made = calloc(1, sizeof(*made));
	struct ike_sa *next;

	if (!made)
		return NULL;
	x->made = made;
	next = sa_new_successor(core, sa, true);
	if (!next)
		return NULL;
	memcpy(made->ike_spi, next->spi_i, IKE_SPI_LEN);
	core->env.rng.fill(core->env.rng.ctx, made->nonce, sizeof(made->nonce));
	made->kex = ike_kex_new(group, &core->env.rng);
	return made->kex ? next : NULL;
}

/* Ask again a little later, or do without CREATE_CHILD_SA. */
static void try_later(struct ike_core *core, struct ike_sa *sa)
{
	sa->rekey_due = false;
	sa->rekey_at = x_refuse_retry_at(core, ++sa->rekey_failures);
	if (sa->rekey_at == TIMER_NEVER)
		sa->replaced = true;
	sa_touch(core, sa);
	event_note(core, sa->peer, EVENT_CHANGED);
}

static enum exchange_build build_rekey(struct ike_core *core, struct ike_sa *sa, struct exchange *x,
				       struct ike_builder *b)
{
	struct ike_proposals offer = *sa->peer->conf->ike;
	struct creation *made;
	struct ike_sa *next;
	unsigned int i;
	uint16_t group = x->group;

	if (!sa->rekey_due) /* the peer rekeyed it meanwhile */
		return EXCHANGE_DROP;
	if (sa_prepared(core, sa)) { /* the peer is rekeying it, and may leave off */
		try_later(core, sa);
		return EXCHANGE_DROP;
	}
	if (!group)
		group = ike_proposals_have_dh(&offer, sa->keys.suite.dh)
				? sa->keys.suite.dh
				: ike_proposals_first_dh(&offer);
	next = begin_rekey(core, sa, x, group);
	if (!next) { /* it goes on as it is */
		try_later(core, sa);
		return EXCHANGE_DROP;
	}
	made = x->made;
	for (i = 0; i < offer.n; i++)
		put_ike_spi(&offer.p[i], next->spi_i);
	build_values(b, IKE_OFFER(&offer), made->nonce, sizeof(made->nonce), made->kex);
	return EXCHANGE_SEND;
}

static void take_refusal(struct ike_core *core, struct ike_sa *sa, struct exchange *x,
			 const struct ike_payloads *in)
{
	uint16_t error = ike_notify_first_error(in), group;
	const char *name = ike_notify_name(error);

	group = x->ops == &rekey_ops ? x_refuse_group(x, in, sa->peer->conf->ike) : IKE_DH_NONE;
	if (group != IKE_DH_NONE) {
		x_refuse_again(core, sa, x, group);
		return;
	}
	/* The peer had to forget what it had prepared: from the beginning (RFC 9370 2.2.4). */
	if (error == IKE_N_TEMPORARY_FAILURE || error == IKE_N_STATE_NOT_FOUND) {
		try_later(core, sa);
		return;
	}
	sa->rekey_due = false;
	report_line(core, IKE_LOG_INFO, NULL, sa,
		    "peer did not rekey the IKE SA (%s, %u): a new one replaces it",
		    name ? name : "no usable answer", error);
	sa->replaced = true;
}

/* Is the response one to what we offered? Completes @next. */
static bool accept_answer(struct ike_core *core, struct ike_sa *sa, struct ike_sa *next,
			  struct creation *made, const struct ike_payloads *in)
{
	const struct ike_payload *p_ke = ike_payload_find(in, IKE_PL_KE);
	const struct ike_payload *p_nonce = ike_payload_find(in, IKE_PL_NONCE);
	struct ike_nonces n = { .i = made->nonce, .i_len = sizeof(made->nonce) };
	struct ike_sa_payload answer;
	struct ike_secret secret;
	struct ike_ke ke;
	char err[256];
	bool ok;

	if (!p_ke || !p_nonce || ike_sa_parse(ike_payload_find(in, IKE_PL_SA), &answer) ||
	    ike_ke_parse(p_ke, &ke) || ike_nonce_parse(p_nonce, &n.r, &n.r_len)) {
		report_error(core, sa->peer, sa,
			     "peer's answer to the rekeying of the IKE SA is malformed");
		return false;
	}
	if (!ike_proposal_verify(IKE_OFFER(sa->peer->conf->ike), IKE_OFFER(&answer),
				 &next->proposal, err, sizeof(err)) ||
	    !has_spi(&next->proposal)) {
		report_error(core, sa->peer, sa,
			     "peer chose algorithms for the new IKE SA that we did not offer: %s",
			     has_spi(&answer.p[0]) ? err : "and no SPI");
		return false;
	}
	memcpy(next->spi_r, next->proposal.spi, IKE_SPI_LEN);
	ok = ike_secret_agree(&secret, made->kex, &ke) &&
	     begin_keys(core, sa, next, &n, made->kex, &secret);
	ike_wipe(&secret, sizeof(secret));
	ike_kex_free(made->kex);
	made->kex = NULL;
	if (!ok)
		report_error(core, sa->peer, sa,
			     "peer's key exchange value for the new IKE SA is invalid");
	else if (next->followup && !followup_take_blob(next->followup, in))
		report_error(
			core, sa->peer, sa,
			"peer chose additional key exchanges for the new IKE SA, and does not say how they go on");
	else
		return true;
	return false;
}

/* The next one of the exchanges that the new IKE SA needs before it has keys. */
static void ask_further(struct ike_core *core, struct ike_sa *sa, struct exchange *x)
{
	struct exchange *further = exchange_new(&further_ops, 0);

	if (further) {
		further->made = x->made;
		x->made = NULL;
	}
	request_queue_first(core, sa, further);
}

/* Both ends know all nonces now: does ours go on? If not, the peer's does. */
static void begin_further(struct ike_core *core, struct ike_sa *sa, struct exchange *x,
			  const struct ike_sa *next)
{
	const struct ike_sa *other = sa_prepared(core, sa);

	if (other && memcmp(next->low_nonce, other->low_nonce, IKE_OUR_NONCE) < 0) {
		if (!x_rekey_settle(core, sa))
			try_later(core, sa); /* should the peer not come to an end */
		return;
	}
	sa_drop_unfinished(core, sa);
	ask_further(core, sa, x);
}

/* Our exchanges are over. @ok: they made @next, which has its keys. */
static void conclude(struct ike_core *core, struct ike_sa *sa, struct exchange *x,
		     const struct x_msg *m, struct ike_sa *next, bool ok)
{
	struct ike_sa *heir = heir_of(core, sa);
	struct ike_peer *p = sa->peer;

	if (sa->state != IKESA_ESTABLISHED) {
		if (ok) /* the tunnel was taken down meanwhile, or the peer's own one took over */
			close_loser(core, next, p);
	} else if (!ok) {
		if (!x_rekey_settle(core, sa))
			take_refusal(core, sa, x, m->in);
	} else if (heir && memcmp(next->low_nonce, heir->low_nonce, IKE_OUR_NONCE) < 0) {
		inherit(core, sa, heir);
		close_loser(core, next, p);
	} else {
		inherit(core, sa, next);
		request_close(core, sa, TIMER_NEVER);
		if (heir)
			await_delete(core, heir, p);
	}
}

static void take_rekey(struct ike_core *core, struct ike_sa *sa, struct exchange *x,
		       struct x_msg *m)
{
	struct ike_sa *next = ikesa_find(&core->sas, x->made->ike_spi, true);
	bool ok = next && ike_offer_accepted(m->in) &&
		  accept_answer(core, sa, next, x->made, m->in);

	if (!ok || !next->followup)
		conclude(core, sa, x, m, next, ok);
	else if (sa->state == IKESA_ESTABLISHED)
		begin_further(core, sa, x, next);
	sa_touch(core, sa);
	event_note(core, sa->peer, EVENT_CHANGED);
}

static enum exchange_build build_further(struct ike_core *core, struct ike_sa *sa,
					 struct exchange *x, struct ike_builder *b)
{
	struct ike_sa *next = ikesa_find(&core->sas, x->made->ike_spi, true);

	if (next && followup_ask(next->followup, &core->env.rng, b))
		return EXCHANGE_SEND;
	try_later(core, sa);
	return EXCHANGE_DROP;
}

static void take_further(struct ike_core *core, struct ike_sa *sa, struct exchange *x,
			 struct x_msg *m)
{
	struct ike_sa *next = ikesa_find(&core->sas, x->made->ike_spi, true);
	bool ok = next && followup_take(next->followup, m->in);

	if (ok && sa->state == IKESA_ESTABLISHED && !followup_is_over(next->followup))
		ask_further(core, sa, x);
	else
		conclude(core, sa, x, m, next,
			 ok && followup_is_over(next->followup) && finish_keys(core, sa, next));
	sa_touch(core, sa);
	event_note(core, sa->peer, EVENT_CHANGED);
}

/* The peer's own rekeying worked, so it lives. */
static bool lose_rekey(struct ike_core *core, struct ike_sa *sa, struct exchange *x)
{
	(void)x;
	if (sa->state == IKESA_ESTABLISHED && !x_rekey_settle(core, sa))
		return false;
	if (sa->state != IKESA_REKEYED)
		return false;
	report_line(core, IKE_LOG_WARN, NULL, sa,
		    "peer no longer answers on this IKE SA, which it rekeyed itself");
	sa_end(core, sa, false);
	return true;
}

static const struct exchange_ops rekey_ops = {
	.name = "rekeying of the IKE SA",
	.exchange = IKE_CREATE_CHILD_SA,
	.build = build_rekey,
	.response = take_rekey,
	.lost = lose_rekey,
	.end = end_rekey,
};

static const struct exchange_ops further_ops = {
	.name = "rekeying of the IKE SA, additional key exchange",
	.exchange = IKE_FOLLOWUP_KE,
	.build = build_further,
	.response = take_further,
	.lost = lose_rekey,
	.end = end_rekey,
};

void x_rekey_timer(struct ike_core *core, struct ike_sa *sa)
{
	if (core->now < sa->rekey_at)
		return;
	if (sa->outdated) { /* what should have taken its place did not come */
		sa->rekey_at = TIMER_NEVER;
		if (sa->replace_by == TIMER_NEVER) /* else there is a time for that */
			request_close(core, sa, IKESA_CLOSE_MS);
		return;
	}
	/* A redundant one may yet stay, should the other fail. */
	sa->rekey_at = sa->close_at == TIMER_NEVER ? TIMER_NEVER : core->now + REKEY_REDUNDANT_MS;
	if (!ikesa_authenticated(sa) || sa->replaced || sa->superseded ||
	    sa->close_at != TIMER_NEVER)
		return;
	sa->rekey_due = true;
	if (!exchange_find(sa, &rekey_ops, 0) && !x_rekey_is_out(sa))
		request_queue(core, sa, exchange_new(&rekey_ops, 0));
}

bool x_rekey_is_out(const struct ike_sa *sa)
{
	return sa->out && (sa->out->ops == &rekey_ops || sa->out->ops == &further_ops);
}

/* ---- responder ---------------------------------------------------------------------- */

bool x_rekey_is_under_way(const struct ike_core *core, const struct ike_sa *sa)
{
	const struct ike_sa *next = sa_prepared(core, sa);

	return next && next->followup;
}

/* Prepare the IKE SA that both agreed on, and answer. */
static enum x_verdict give_successor(struct ike_core *core, struct ike_sa *sa, struct x_msg *m,
				     struct ike_proposal *chosen, const struct ike_ke *ke)
{
	struct ike_nonces n = { .r_len = IKE_OUR_NONCE };
	struct ike_sa *next = sa_new_successor(core, sa, false);
	uint8_t nonce[IKE_OUR_NONCE];
	struct ike_secret secret;
	struct ike_kex *kex;
	bool ok;

	if (!next)
		return x_refuse(m, IKE_N_TEMPORARY_FAILURE);
	next->expire_at =
		core->now + IKESA_DEAD_MS; /* no earlier than our own request is given up */
	next->proposal = *chosen;
	memcpy(next->spi_i, chosen->spi, IKE_SPI_LEN);
	ike_nonce_parse(ike_payload_find(m->in, IKE_PL_NONCE), &n.i, &n.i_len);
	core->env.rng.fill(core->env.rng.ctx, nonce, sizeof(nonce));
	n.r = nonce;
	kex = ike_kex_respond(ke->group, &core->env.rng, ke->data, ke->len, &secret);
	ok = kex && begin_keys(core, sa, next, &n, kex, &secret);
	ike_wipe(&secret, sizeof(secret));
	if (!ok) {
		ike_kex_free(kex);
		sa_drop(core, next);
		return x_refuse(m, IKE_N_TEMPORARY_FAILURE);
	}
	put_ike_spi(chosen, next->spi_r);
	build_values(m->reply, (struct ike_offer){ 1, chosen }, nonce, sizeof(nonce), kex);
	ike_kex_free(kex);
	sa_touch(core, next);
	if (next->followup) {
		followup_name(next->followup, next->spi_r, IKE_SPI_LEN, m->reply);
	} else if (!x_rekey_is_out(sa)) {
		inherit(core, sa, next);
		return X_DONE;
	}
	memcpy(sa->heir_spi, next->spi_r, IKE_SPI_LEN);
	sa->have_heir = true;
	memcpy(next->old_spi, ikesa_own_spi(sa), IKE_SPI_LEN);
	next->old_is_ours = sa->initiator;
	return X_DONE;
}

static unsigned int count_old(const struct ike_peer *p)
{
	const struct ike_sa *sa;
	unsigned int n = 0;

	TAILQ_FOREACH(sa, &p->sas, of_peer)
	n += sa->state == IKESA_REKEYED;
	return n;
}

/* Are we creating, rekeying or deleting a pair of it? */
static bool is_about_pairs(const struct ike_sa *sa)
{
	return sa->out && (sa->out->spi || sa->out->ops->makes_pair);
}

enum x_verdict x_rekey_request(struct ike_core *core, struct ike_sa *sa, struct x_msg *m,
			       struct ike_offer offer)
{
	const struct ike_payload *p_ke = ike_payload_find(m->in, IKE_PL_KE);
	const struct ike_payload *nonce = ike_payload_find(m->in, IKE_PL_NONCE);
	const struct ike_proposals *own = sa->peer->conf->ike;
	struct ike_proposal chosen;
	struct ike_suite suite;
	struct ike_ke ke;
	char why[CORE_TEXT_MAX - 128];
	const uint8_t *data;
	size_t len;

	if (!p_ke || ike_ke_parse(p_ke, &ke) || ike_nonce_parse(nonce, &data, &len))
		return x_refuse(m, IKE_N_INVALID_SYNTAX);
	/* We are rekeying it and know that ours stays (RFC 9370 2.2.4), or are not done with the last ones. */
	if (is_about_pairs(sa) || (sa->out && sa->out->ops == &further_ops) || heir_of(core, sa) ||
	    count_old(sa->peer) >= REKEY_MAX_OLD)
		return x_refuse(m, IKE_N_TEMPORARY_FAILURE);
	sa_drop_unfinished(core, sa); /* it begins anew */
	if (!ike_proposal_choose(own, offer, ke.group, &chosen) || !has_spi(&chosen) ||
	    ike_suite_from_proposal(&chosen, &suite)) {
		report_error(core, sa->peer, sa, "no common proposal to rekey the IKE SA: %s",
			     ike_proposal_explain(why, sizeof(why), own, offer));
		return x_refuse(m, IKE_N_NO_PROPOSAL_CHOSEN);
	}
	if (suite.dh != ke.group) {
		ike_build_invalid_ke(m->reply, suite.dh);
		return X_DONE;
	}
	if (!ike_kex_valid(ke.group, ke.data, ke.len))
		return x_refuse(m, IKE_N_INVALID_SYNTAX);
	return give_successor(core, sa, m, &chosen, &ke);
}

/* Our value for @next, and its keys if it was the last one. 0, or the notify to refuse @m with. */
static uint16_t answer_further(struct ike_core *core, const struct ike_sa *sa, struct ike_sa *next,
			       struct x_msg *m)
{
	struct ike_kex *kex;
	uint16_t refusal = followup_answer(next->followup, &core->env.rng, m->in, &kex);

	if (refusal)
		return refusal;
	if (followup_is_over(next->followup) && !finish_keys(core, sa, next))
		refusal = IKE_N_TEMPORARY_FAILURE;
	else
		ike_secret_build(m->reply, kex);
	ike_kex_free(kex);
	return refusal;
}

enum x_verdict x_rekey_further(struct ike_core *core, struct ike_sa *sa, struct x_msg *m)
{
	struct ike_sa *next = sa_prepared(core, sa);
	struct ike_notify n;
	uint16_t refusal;

	if (!ikesa_authenticated(sa) || !next || !next->followup ||
	    !ike_notify_find(m->in, IKE_N_ADDITIONAL_KEY_EXCHANGE, &n) ||
	    !followup_is_named(next->followup, next->spi_r, IKE_SPI_LEN, &n))
		return x_refuse(m, IKE_N_STATE_NOT_FOUND);
	/* Pairs move to @next with the answer. A copy of the request comes when the one we ask about is settled. */
	if (is_about_pairs(sa))
		return X_DROP;
	refusal = answer_further(core, sa, next, m);
	if (refusal) {
		sa_drop_unfinished(core, sa);
		return x_refuse(m, refusal);
	}
	next->expire_at = core->now + IKESA_DEAD_MS;
	sa_touch(core, next);
	if (next->followup)
		followup_name(next->followup, next->spi_r, IKE_SPI_LEN, m->reply);
	else if (!x_rekey_is_out(sa))
		inherit(core, sa, next);
	return X_DONE;
}
