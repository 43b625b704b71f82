// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a tunnel wants: attempts and their spacing, its state, and which of several IKE
 * SAs with the same peer stays.
 *
 * Several appear when both ends initiate at once, when an agent that came back sets up
 * what it lost, or when an SA is replaced. Both ends can tell which one stays: one with a
 * child SA before one without, then one that was begun when the other was established, then
 * by RFC 7296 2.8.1 the one that does not hold the lowest of the four nonces. The redundant one is closed by its initiator, or later by
 * the other end should that not happen; and never before the one that stays proved alive
 * since, for the peer may have restarted and know only the newer one. So traffic always
 * has a working pair.
 */
#include "ike/core/layer_peer.h"

void peer_enable(struct ike_core *core, struct ike_peer *p, bool enabled)
{
	if (p->enabled == enabled)
		return;
	p->enabled = enabled;
	if (p->is_client) /* goes by its tunnel */
		return;
	core->n_enabled += enabled ? 1 : -1u;
	lookup_update(core, p);
}

/* ---- state and attempts -------------------------------------------------- */

static bool wants_attempt(const struct ike_peer *p, unsigned int conf)
{
	if (!p->enabled || p->is_client || query_has_child(p, conf) ||
	    query_is_attempting(p, conf) || !query_remote(p).addr.family)
		return false;
	return p->conf->child[conf].start == IKE_START_NOW || query_has_pair(p, conf) ||
	       p->want[conf].wanted;
}

void peer_forget_failures(struct ike_peer *p)
{
	unsigned int i;

	p->failures = 0;
	for (i = 0; i < p->conf->n_child; i++)
		p->want[i].failures = 0;
}

void peer_want_pair(struct ike_peer *p, unsigned int conf)
{
	p->want[conf].wanted |= !query_has_child(p, conf);
}

/* @base ms from now, with a quarter of jitter either way. */
static uint64_t after_about(struct ike_core *core, uint64_t base)
{
	uint32_t r;

	core->env.rng.fill(core->env.rng.ctx, &r, sizeof(r));
	return core->now + base - base / 4 + r % (base / 2 + 1);
}

/*
 * When a pair is wanted beside others, or is the first of an IKE SA that began without, the end that
 * began the IKE SA asks at once; the other end gives it the time for that.
 */
static bool may_ask_at_once(const struct ike_core *core, const struct ike_peer *p,
			    const struct child_want *want)
{
	const struct ike_sa *sa = query_usable(p);

	return sa && sa->began && sa->expire_at == TIMER_NEVER && !want->failures &&
	       core->now >= want->next_at_once &&
	       (p->childless || query_sa_has_child(sa, CHILD_ANY));
}

static void plan_next_attempt(struct ike_core *core, struct ike_peer *p, unsigned int conf)
{
	struct child_want *want = &p->want[conf];
	bool refused = want->refused && query_is_established(p) && !query_has_pair(p, conf);
	uint64_t base = refused ? PEER_REFUSED_MS : PEER_RETRY_MS;
	unsigned int failures = p->failures + want->failures;
	unsigned int doublings = failures > 1 ? failures - 1 : 0;

	if (want->next_try != TIMER_NEVER)
		return;
	if (!want->refused && may_ask_at_once(core, p, want)) {
		want->next_try = core->now;
		return;
	}
	while (doublings-- && base < PEER_RETRY_CAP_MS)
		base *= 2;
	want->next_try = after_about(core, base < PEER_RETRY_CAP_MS ? base : PEER_RETRY_CAP_MS);
	if (want->next_try < p->rejected_until)
		want->next_try = p->rejected_until;
}

/* Of a tunnel with clients: up if one of them is. */
static enum ike_tunnel_state state_of_clients(const struct ike_peer *p)
{
	const struct ike_peer *client;

	TAILQ_FOREACH(client, &p->tunnel->clients, of_tunnel)
	{
		if (!p->enabled && !TAILQ_EMPTY(&client->sas))
			return IKE_TUNNEL_CLOSING;
		if (client->state == IKE_TUNNEL_UP)
			return IKE_TUNNEL_UP;
	}
	return IKE_TUNNEL_DOWN;
}

static enum ike_tunnel_state state_of(const struct ike_peer *p)
{
	const struct ike_sa *sa;

	if (p->conf->clients > 1 && !p->is_client)
		return state_of_clients(p);

	if (p->enabled) {
		if (p->n_adopted)
			return IKE_TUNNEL_UP;
		TAILQ_FOREACH(sa, &p->sas, of_peer)
		{
			if (query_sa_has_outbound(sa, CHILD_ANY))
				return IKE_TUNNEL_UP;
		}
		if (query_is_attempting(p, CHILD_ANY) || query_next_try(p) != TIMER_NEVER ||
		    query_has_child(p, CHILD_ANY))
			return IKE_TUNNEL_CONNECTING;
	}
	TAILQ_FOREACH(sa, &p->sas, of_peer)
	{
		if (sa->state == IKESA_DELETING || !p->enabled)
			return IKE_TUNNEL_CLOSING;
	}
	return IKE_TUNNEL_DOWN;
}

/*
 * The pair that carried traffic is gone. That is no failed attempt, so the next one begins
 * at once; but a peer that drops each new pair must not keep us busy.
 */
static void note_loss(struct ike_core *core, struct ike_peer *p, struct child_want *want)
{
	p->failures = want->failures = 0;
	want->next_try = TIMER_NEVER;
	if (core->now < want->next_at_once)
		return;
	want->next_at_once = core->now + PEER_AT_ONCE_MS;
	want->next_try = core->now;
}

static void set_timer(struct ike_core *core, struct ike_peer *p)
{
	const struct child_sa *c = TAILQ_FIRST(&p->lingering);
	uint64_t at = query_next_try(p);

	if (p->adopted_end < at)
		at = p->adopted_end;
	if (p->adopted_until < at)
		at = p->adopted_until;
	if (p->follow.until < at)
		at = p->follow.until;
	if (c && c->next_at < at)
		at = c->next_at;
	timer_set(&core->peer_timers, &p->timer, at);
}

static void review_want(struct ike_core *core, struct ike_peer *p, unsigned int conf)
{
	struct child_want *want = &p->want[conf];
	bool paired = query_has_pair(p, conf);

	if (want->paired && !paired)
		note_loss(core, p, want);
	want->paired = paired;
	if (wants_attempt(p, conf))
		plan_next_attempt(core, p, conf);
	else
		want->next_try = TIMER_NEVER;
}

/* Plan the next attempts if some are called for, tell env if the state changed. */
static void review_attempts(struct ike_core *core, struct ike_peer *p)
{
	enum ike_tunnel_state state;
	unsigned int i;

	for (i = 0; i < p->conf->n_child; i++)
		review_want(core, p, i);
	set_timer(core, p);
	state = state_of(p);
	if (state == p->state)
		return;
	p->state = state;
	if (p->is_client)
		event_note(core, p->tunnel->first, EVENT_CHANGED);
	core->env.state(core->env.ctx, p->conf->name, p->id, state);
}

/* The SAs we took over are of no use once the peer is known to be dead. */
static void judge_adopted(struct ike_core *core, struct ike_peer *p)
{
	uint64_t quiet = 1000ULL * p->conf->liveness;

	if (!p->n_adopted || !quiet)
		return;
	if (quiet < 60000)
		quiet = 60000;
	if (core->env.last_rx(core->env.ctx, p->conf->name, p->id) >= quiet)
		adopted_remove(core, p);
}

/* A few wrong passwords, and some servers lock the account: whatever asks for an attempt waits for that. */
static void note_rejection(struct ike_core *core, struct ike_peer *p)
{
	uint64_t wait = p->rejections ? PEER_REJECTED_MS : p->rejected;

	for (unsigned int i = 0; i < p->rejections && wait < PEER_REJECTED_CAP_MS; i++)
		wait *= 2;
	if (wait > PEER_REJECTED_CAP_MS)
		wait = PEER_REJECTED_CAP_MS;
	p->rejections++;
	p->rejected_until = after_about(core, wait);
	report_line(
		core, IKE_LOG_WARN, p, NULL,
		"the next attempt is in %u minutes, as some servers lock an account after a few wrong passwords: set EAP= and Password= right and run esptun reload, or esptun up %s to try these again",
		(unsigned int)((p->rejected_until - core->now + 59999) / 60000), p->conf->name);
}

static void attempt_failed(struct ike_core *core, struct ike_peer *p)
{
	unsigned int i;

	if (p->rejected)
		note_rejection(core, p);
	p->rejected = 0;
	p->failures++;
	for (i = 0; i < p->conf->n_child; i++) {
		p->want[i].wanted = false;
		p->want[i].next_try = TIMER_NEVER; /* plan anew, with this failure counted */
	}
	judge_adopted(core, p);
}

/* May a pair of @conf be asked for under the IKE SA? See ike_sa.strayed. */
static bool may_have_pair(const struct ike_sa *sa, unsigned int conf)
{
	return !sa->strayed || sa->peer->conf->child[conf].mode != IKE_MODE_TRANSPORT;
}

/* A pair by the IKE SA there is, or by a new one. */
static void start_attempt(struct ike_core *core, struct ike_peer *p, unsigned int conf)
{
	struct ike_sa *sa = query_usable(p);

	if (query_is_attempting(p, conf))
		return;
	if (sa && may_have_pair(sa, conf)) {
		x_create_pair(core, sa, conf);
		return;
	}
	/* Beside one that carries a pair it would be redundant: the peer's next word makes that usable. */
	sa = query_unproven(p);
	if (sa && query_sa_has_child(sa, CHILD_ANY))
		request_probe(core, sa);
	else
		x_init_start(core, p, conf);
}

/* A client that a former agent left: does it still send to us, not knowing that we forgot it? */
static bool may_be_back(struct ike_core *core, const struct ike_peer *p)
{
	return p->is_client && !query_is_established(p) &&
	       core->env.last_rx(core->env.ctx, p->conf->name, p->id) < CLIENT_ADOPTED_MS;
}

/* Their time is over: those that took their place work, or they are too old for anything. */
static void adopted_timer(struct ike_core *core, struct ike_peer *p)
{
	bool too_old = core->now >= p->adopted_until;

	if (!too_old && core->now < p->adopted_end)
		return;
	if (!too_old && may_be_back(core, p)) {
		p->adopted_end = core->now + CLIENT_ADOPTED_MS;
		return;
	}
	report_line(core, IKE_LOG_INFO, p, NULL,
		    too_old ? "SAs of the former agent are too old, and end"
			    : "SAs of the former agent are replaced");
	adopted_remove(core, p);
}

void peer_timer(struct ike_core *core, struct ike_peer *p)
{
	unsigned int i;

	child_linger_end(core, p, core->now);
	x_mobike_timer(core, p);
	adopted_timer(core, p);
	for (i = 0; i < p->conf->n_child; i++) {
		if (core->now < p->want[i].next_try)
			continue;
		p->want[i].next_try = TIMER_NEVER;
		if (core->now < p->rejected_until && !query_usable(p))
			p->want[i].next_try = p->rejected_until;
		else
			start_attempt(core, p, i);
	}
	event_note(core, p, EVENT_CHANGED);
}

void peer_down(struct ike_core *core, struct ike_peer *p)
{
	struct ike_peer *client;
	struct ike_sa *sa, *next;
	unsigned int i;

	peer_enable(core, p, false);
	peer_forget_failures(p);
	for (i = 0; i < p->conf->n_child; i++)
		p->want[i].wanted = false;
	adopted_remove(core, p);
	child_linger_end(core, p, TIMER_NEVER);
	/* What ends meanwhile stays readable until the event is over. */
	for (sa = TAILQ_FIRST(&p->sas); sa; sa = next) {
		next = TAILQ_NEXT(sa, of_peer);
		request_close(core, sa, IKESA_CLOSE_MS);
	}
	/* They are freed when the event is over. */
	for (client = p->is_client ? NULL : TAILQ_FIRST(&p->tunnel->clients); client;
	     client = TAILQ_NEXT(client, of_tunnel))
		peer_down(core, client);
	event_note(core, p, EVENT_CHANGED);
}

/* ---- one of several ------------------------------------------------------ */

/*
 * Did the peer have @sa at some time since @then, and does it carry traffic? Only an answer tells: a
 * request of the peer may have been on its way for long, and the agent that sent it be gone.
 */
static bool is_proven_since(const struct ike_sa *sa, uint64_t then)
{
	return sa->proven_at >= then &&
	       (query_sa_has_outbound(sa, CHILD_ANY) || !query_sa_has_child(sa, CHILD_ANY));
}

void peer_begin_anew(struct ike_core *core, struct ike_sa *sa)
{
	if (sa->state != IKESA_ESTABLISHED || sa_replace(core, sa))
		return;
	report_line(core, IKE_LOG_INFO, NULL, sa,
		    "this IKE SA is of other addresses, and ends: the peer is to begin a new one");
	request_close(core, sa, IKESA_CLOSE_MS);
}

/*
 * Without MOBIKE the peer may follow the first authenticated message from another address of ours
 * (RFC 7296 2.23), or may not: a new IKE SA replaces this one, if we can begin one.
 */
static void follow_local(struct ike_core *core, struct ike_sa *sa, const struct ike_addr *local)
{
	struct ike_endpoint from = sa->local;

	from.addr = *local;
	if (!address_use(core, sa, &from, &sa->remote))
		return;
	request_again(core, sa);
	request_probe(core, sa);
	if (query_is_bound(sa->peer))
		peer_begin_anew(core, sa);
	else
		sa_replace(core, sa);
}

void peer_path_opened(struct ike_core *core, struct ike_peer *p, const struct ike_addr *local)
{
	struct ike_sa *sa;
	unsigned int i;

	TAILQ_FOREACH(sa, &p->sas, of_peer)
	{
		if (sa->state != IKESA_ESTABLISHED || ike_addr_eq(&sa->local.addr, local))
			request_again(core, sa);
		else if (sa->mobike.on)
			x_mobike_local(core, sa, local);
		else
			follow_local(core, sa, local);
	}
	if (query_next_try(p) == TIMER_NEVER)
		return;
	peer_forget_failures(p);
	for (i = 0; i < p->conf->n_child; i++) {
		if (p->want[i].next_try != TIMER_NEVER)
			p->want[i].next_try = core->now;
	}
	event_note(core, p, EVENT_CHANGED);
}

/*
 * An attempt that only sent IKE_SA_INIT is pointless once the peer's own attempt succeeded. If it went on the
 * peer might count it as begun later than its own, and we as begun before, see query_survivor().
 */
static void drop_overtaken(struct ike_core *core, struct ike_peer *p)
{
	const struct ike_sa *done;
	struct ike_sa *sa;

	TAILQ_FOREACH(sa, &p->sas, of_peer)
	{
		if (sa->state != IKESA_INIT_SENT)
			continue;
		TAILQ_FOREACH(done, &p->sas, of_peer)
		{
			if (query_sa_has_child(done, CHILD_ANY) &&
			    done->established_at >= sa->created_at) {
				sa_end(core, sa, false);
				return; /* there is one at a time */
			}
		}
	}
}

static void mark_redundant(struct ike_core *core, struct ike_sa *sa, struct ike_sa *keep)
{
	bool ours = sa->began || query_is_replaced(sa);

	report_line(core, IKE_LOG_DEBUG, NULL, sa,
		    "redundant; another IKE SA with this peer stays");
	sa->close_marked = core->now;
	sa->close_at = core->now + (ours ? IKESA_REDUNDANT_MS : IKESA_REDUNDANT_OTHER_MS);
	sa_touch(core, sa);
	request_probe(core, keep);
}

/* Does a pair carry traffic of @conf that the peer is known to use, too? */
static bool is_in_use(const struct ike_peer *p, unsigned int conf)
{
	const struct ike_sa *sa;

	TAILQ_FOREACH(sa, &p->sas, of_peer)
	{
		if (query_sa_has_outbound(sa, conf) && (sa->began ? sa->acked : sa->confirmed))
			return true;
	}
	return false;
}

/* Do new pairs carry all that those of a former agent may carry? */
static bool is_replaced(const struct ike_peer *p)
{
	unsigned int i;

	for (i = 0; i < p->conf->n_child; i++) {
		if (!is_in_use(p, i) && !p->want[i].refused)
			return false;
	}
	return is_in_use(p, CHILD_ANY);
}

/* With nothing left that carries traffic of @conf, there is nothing to wait for. */
static void settle_lost(struct ike_core *core, struct ike_peer *p, unsigned int conf)
{
	struct ike_sa *sa;

	TAILQ_FOREACH(sa, &p->sas, of_peer)
	{
		if (sa->state == IKESA_ESTABLISHED && !sa->superseded)
			collide_proven(core, sa, conf);
	}
}

/* Retire what something that came up, or was confirmed, replaces or duplicates. */
static void settle_sas(struct ike_core *core, struct ike_peer *p)
{
	struct ike_sa *sa, *keep;
	unsigned int i;

	drop_overtaken(core, p);
	TAILQ_FOREACH(sa, &p->sas, of_peer)
	{
		if (sa->state != IKESA_ESTABLISHED)
			continue;
		if (sa->mobike.nowhere) {
			request_close(core, sa, IKESA_CLOSE_MS);
			continue;
		}
		/*
		 * Adopted pairs go without a word, so the peer must have moved to the new one:
		 * a responder does when it hears of us after IKE_AUTH, an initiator long has.
		 */
		if (p->n_adopted && query_sa_has_outbound(sa, CHILD_ANY) && sa->began && !sa->acked)
			request_probe(core, sa);
		keep = query_survivor(sa);
		/* We cannot begin another one to a client: it does when it hears that this one ends. */
		if (p->is_client && keep == sa && sa->replaced && !sa->superseded) {
			request_close(core, sa, IKESA_CLOSE_MS);
			continue;
		}
		if (keep != sa && sa->close_at == TIMER_NEVER)
			mark_redundant(core, sa, keep);
		else if (keep == sa && !sa->superseded)
			sa->close_at = TIMER_NEVER; /* the one that was to stay is gone */
		/* A half-installed pair waits for the peer's word: ask for it. */
		if (query_sa_has_child(sa, CHILD_ANY) && !sa->confirmed &&
		    !query_sa_has_outbound(sa, CHILD_ANY))
			request_probe(core, sa);
	}
	if (p->n_adopted && is_replaced(p) && p->adopted_end == TIMER_NEVER)
		p->adopted_end = core->now + PEER_ADOPTED_MS;
	for (i = 0; i < p->conf->n_child; i++) {
		if (!query_has_outbound(p, i))
			settle_lost(core, p, i);
	}
}

/* What was noted about one of its child SAs; each of the events is noted once at most. */
static void take_child_events(struct ike_peer *p, unsigned int conf)
{
	struct child_want *want = &p->want[conf];
	unsigned int events = want->events;

	want->events = 0;
	if (events & EVENT_CHILD_UP) {
		p->failures = want->failures = 0;
		want->wanted = want->refused = false;
	}
	if (events & (EVENT_CHILD_UNUSABLE | EVENT_PEER_REFUSED))
		want->refused = true;
	/* What the peer asked for may have been something else. */
	if (events & EVENT_CHILD_REFUSED && !query_has_pair(p, conf))
		want->refused = true;
	if (events & EVENT_PEER_BUSY)
		want->refused = false;
	if (events & (EVENT_PEER_REFUSED | EVENT_PEER_BUSY))
		want->wanted = false;
	if (events & (EVENT_CHILD_UNUSABLE | EVENT_PEER_REFUSED | EVENT_PEER_BUSY))
		want->failures++;
}

/* What the events say about attempts. */
static void take_events(struct ike_core *core, struct ike_peer *p)
{
	unsigned int events = event_take(core, p), i;

	for (i = 0; i < p->conf->n_child; i++)
		take_child_events(p, i);
	if (events & EVENT_ATTEMPT_FAILED)
		attempt_failed(core, p);
}

void peer_settle_all(struct ike_core *core)
{
	struct ike_peer *p;

	/* What is done for one may make it, or another, dirty again. */
	while ((p = TAILQ_FIRST(&core->dirty))) {
		take_events(core, p);
		settle_sas(core, p);
		review_attempts(core, p);
		if (!p->is_dirty)
			client_end(core, p);
	}
}

/*
 * The other one is not known to live, or the peer has no time yet (TEMPORARY_FAILURE) for a pair under
 * it that carries what @sa does. It may be the end of @sa that it waits for.
 */
static bool may_wait(const struct ike_core *core, const struct ike_sa *sa,
		     const struct ike_sa *keep)
{
	return !is_proven_since(keep, sa->close_marked) ||
	       (!query_sa_covers(keep, sa) &&
		core->now < sa->close_marked + IKESA_REDUNDANT_ALL_MS);
}

static void wait_longer(struct ike_core *core, struct ike_sa *sa, struct ike_sa *keep)
{
	uint64_t wait = (core->now - sa->close_marked) / 2;

	if (wait < 1000)
		wait = 1000;
	sa->close_at = core->now + (wait < IKESA_REDUNDANT_CAP_MS ? wait : IKESA_REDUNDANT_CAP_MS);
	if (!is_proven_since(keep, sa->close_marked))
		request_probe(core, keep);
}

void peer_retire(struct ike_core *core, struct ike_sa *sa)
{
	struct ike_sa *keep;

	sa->close_at = TIMER_NEVER;
	if (sa->superseded) {
		report_line(core, IKE_LOG_INFO, NULL, sa,
			    "gone: the peer began anew (INITIAL_CONTACT)");
		sa_end(core, sa, false);
		return;
	}
	keep = query_survivor(sa);
	if (sa->state != IKESA_ESTABLISHED || !keep || keep == sa)
		return;
	if (may_wait(core, sa, keep)) {
		wait_longer(core, sa, keep);
		return;
	}
	report_line(core, IKE_LOG_INFO, NULL, sa, "closing this redundant IKE SA");
	request_close(core, sa, TIMER_NEVER);
}
