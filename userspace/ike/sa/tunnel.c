// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a tunnel wants: attempts and their spacing, its state, and which of several IKE
 * SAs with the same peer stays.
 *
 * Several appear when both ends initiate at once, when an agent that came back sets up
 * what it lost, or when an SA is replaced. Both ends can tell which one stays: one with a
 * child SA before one without, then by RFC 7296 2.8.1 the one that does not hold the
 * lowest of the four nonces. The redundant one is closed by its initiator, or later by
 * the other end should that not happen; and never before the one that stays proved alive
 * since, for the peer may have restarted and know only the newer one. So traffic always
 * has a working pair.
 */
#include "ike/sa/layer_tunnel.h"

void tunnel_enable(struct ike_core *core, struct ike_tunnel *t, bool enabled)
{
	if (t->enabled == enabled)
		return;
	t->enabled = enabled;
	core->n_enabled += enabled ? 1 : -1u;
	lookup_update(core, t);
}

/* ---- state and attempts -------------------------------------------------- */

static bool wants_attempt(const struct ike_tunnel *t)
{
	if (!t->enabled || query_has_child(t, false) || query_is_attempting(t) ||
	    !query_remote(t).addr.family)
		return false;
	return t->conf.start == IKE_START_NOW || t->n_adopted || query_has_child(t, true) ||
	       t->wanted;
}

void tunnel_want_pair(struct ike_tunnel *t)
{
	t->wanted |= !query_has_child(t, false);
}

/* Wait for the next attempt after @base ms, with a quarter of jitter either way. */
static void plan_attempt(struct ike_core *core, struct ike_tunnel *t, uint64_t base)
{
	uint32_t r;

	core->env.rng.fill(core->env.rng.ctx, &r, sizeof(r));
	t->next_try = core->now + base - base / 4 + r % (base / 2 + 1);
}

static void plan_next_attempt(struct ike_core *core, struct ike_tunnel *t)
{
	bool refused = t->refused && query_is_established(t) && !query_has_child(t, true);
	uint64_t base = refused ? TUNNEL_REFUSED_MS : TUNNEL_RETRY_MS;
	unsigned int doublings = t->failures > 1 ? t->failures - 1 : 0;

	if (t->next_try != TIMER_NEVER)
		return;
	while (doublings-- && base < TUNNEL_RETRY_CAP_MS)
		base *= 2;
	plan_attempt(core, t, base < TUNNEL_RETRY_CAP_MS ? base : TUNNEL_RETRY_CAP_MS);
}

static enum ike_tunnel_state state_of(const struct ike_tunnel *t)
{
	const struct ike_sa *sa;

	if (t->enabled) {
		if (t->n_adopted)
			return IKE_TUNNEL_UP;
		TAILQ_FOREACH(sa, &t->sas, of_tunnel)
		{
			if (query_sa_has_outbound(sa))
				return IKE_TUNNEL_UP;
		}
		if (query_is_attempting(t) || t->next_try != TIMER_NEVER ||
		    query_has_child(t, false))
			return IKE_TUNNEL_CONNECTING;
	}
	TAILQ_FOREACH(sa, &t->sas, of_tunnel)
	{
		if (sa->state == IKESA_DELETING || !t->enabled)
			return IKE_TUNNEL_CLOSING;
	}
	return IKE_TUNNEL_DOWN;
}

/*
 * The pair that carried traffic is gone. That is no failed attempt, so the next one begins
 * at once; but a peer that drops each new pair must not keep us busy.
 */
static void note_loss(struct ike_core *core, struct ike_tunnel *t)
{
	t->failures = 0;
	t->next_try = TIMER_NEVER;
	if (core->now < t->next_at_once)
		return;
	t->next_at_once = core->now + TUNNEL_AT_ONCE_MS;
	t->next_try = core->now;
}

static void set_timer(struct ike_core *core, struct ike_tunnel *t)
{
	const struct child_sa *c = TAILQ_FIRST(&t->lingering);
	uint64_t at = t->next_try < t->adopted_end ? t->next_try : t->adopted_end;

	if (c && c->next_at < at)
		at = c->next_at;

	timer_set(&core->tunnel_timers, &t->timer, at);
}

/* Plan the next attempt if one is called for, tell env if the state changed. */
static void review_attempts(struct ike_core *core, struct ike_tunnel *t)
{
	bool paired = query_has_pair(t);
	enum ike_tunnel_state state;

	if (t->paired && !paired)
		note_loss(core, t);
	t->paired = paired;
	if (wants_attempt(t))
		plan_next_attempt(core, t);
	else
		t->next_try = TIMER_NEVER;
	set_timer(core, t);
	state = state_of(t);
	if (state == t->state)
		return;
	t->state = state;
	core->env.state(core->env.ctx, t->conf.name, state);
}

/* The SAs we took over are of no use once the peer is known to be dead. */
static void judge_adopted(struct ike_core *core, struct ike_tunnel *t)
{
	uint64_t quiet = 1000ULL * t->conf.liveness;

	if (!t->n_adopted || !quiet)
		return;
	if (quiet < 60000)
		quiet = 60000;
	if (core->env.last_rx(core->env.ctx, t->conf.name) >= quiet)
		tunnel_adopted_remove(core, t);
}

static void attempt_failed(struct ike_core *core, struct ike_tunnel *t)
{
	t->failures++;
	t->wanted = false;
	t->next_try = TIMER_NEVER; /* plan anew, with this failure counted */
	judge_adopted(core, t);
}

void tunnel_adopted_remove(struct ike_core *core, struct ike_tunnel *t)
{
	unsigned int i;

	for (i = 0; i < t->n_adopted; i++)
		core->env.sa_remove(core->env.ctx, t->conf.name, t->adopted[i].spi_in,
				    t->adopted[i].spi_out);
	t->n_adopted = 0;
	t->adopted_end = TIMER_NEVER;
}

/* A pair by the IKE SA there is, or by a new one. */
static void start_attempt(struct ike_core *core, struct ike_tunnel *t)
{
	struct ike_sa *sa = query_usable(t);

	if (query_is_attempting(t))
		return;
	if (sa)
		x_create_pair(core, sa);
	else
		x_init_start(core, t);
}

void tunnel_timer(struct ike_core *core, struct ike_tunnel *t)
{
	child_linger_end(core, t, core->now);
	if (core->now >= t->adopted_end) {
		report_line(core, IKE_LOG_INFO, t, NULL, "SAs of the former agent are replaced");
		tunnel_adopted_remove(core, t);
	}
	if (core->now >= t->next_try) {
		t->next_try = TIMER_NEVER;
		start_attempt(core, t);
	}
	event_note(core, t, EVENT_CHANGED);
}

void tunnel_down(struct ike_core *core, struct ike_tunnel *t)
{
	struct ike_sa *sa, *next;

	tunnel_enable(core, t, false);
	t->wanted = false;
	t->failures = 0;
	tunnel_adopted_remove(core, t);
	child_linger_end(core, t, TIMER_NEVER);
	/* What ends meanwhile stays readable until the event is over. */
	for (sa = TAILQ_FIRST(&t->sas); sa; sa = next) {
		next = TAILQ_NEXT(sa, of_tunnel);
		request_close(core, sa, IKESA_CLOSE_MS);
	}
	event_note(core, t, EVENT_CHANGED);
}

/* ---- one of several ------------------------------------------------------ */

/* Has @sa shown life since @then, and does it carry traffic? */
static bool is_proven_since(const struct ike_sa *sa, uint64_t then)
{
	return sa->confirmed && sa->last_rx >= then &&
	       (query_sa_has_outbound(sa) || !query_sa_has_child(sa));
}

/*
 * An established SA goes on from another address of ours: the peer follows the first
 * authenticated message from there (2.23).
 */
static void follow_local(struct ike_core *core, struct ike_sa *sa, const struct ike_addr *local)
{
	char from[64], to[64];

	if (ike_addr_eq(&sa->local.addr, local))
		return;
	report_line(core, IKE_LOG_INFO, NULL, sa, "our address changed from %s to %s",
		    ike_addr_print(from, sizeof(from), &sa->local.addr),
		    ike_addr_print(to, sizeof(to), local));
	sa->local.addr = *local;
	request_probe(core, sa);
}

void tunnel_path_opened(struct ike_core *core, struct ike_tunnel *t, const struct ike_addr *local)
{
	struct ike_sa *sa;

	TAILQ_FOREACH(sa, &t->sas, of_tunnel)
	{
		request_again(core, sa);
		if (sa->state == IKESA_ESTABLISHED)
			follow_local(core, sa, local);
	}
	if (t->next_try == TIMER_NEVER)
		return;
	t->failures = 0;
	t->next_try = core->now;
	event_note(core, t, EVENT_CHANGED);
}

/* An attempt that only sent IKE_SA_INIT is pointless once the peer's own attempt succeeded. */
static void drop_overtaken(struct ike_core *core, struct ike_tunnel *t)
{
	const struct ike_sa *done;
	struct ike_sa *sa;

	TAILQ_FOREACH(sa, &t->sas, of_tunnel)
	{
		if (sa->state != IKESA_INIT_SENT)
			continue;
		TAILQ_FOREACH(done, &t->sas, of_tunnel)
		{
			if (query_sa_has_outbound(done) && done->established_at >= sa->created_at) {
				sa_end(core, sa, false);
				return; /* there is one at a time */
			}
		}
	}
}

static void mark_redundant(struct ike_core *core, struct ike_sa *sa, struct ike_sa *keep)
{
	bool ours = sa->initiator || sa->replaced;

	report_line(core, IKE_LOG_DEBUG, NULL, sa,
		    "redundant; another IKE SA with this peer stays");
	sa->close_marked = core->now;
	sa->close_at = core->now + (ours ? IKESA_REDUNDANT_MS : IKESA_REDUNDANT_OTHER_MS);
	sa_touch(core, sa);
	if (!is_proven_since(keep, core->now))
		request_probe(core, keep);
}

/* Retire what something that came up, or was confirmed, replaces or duplicates. */
static void settle_sas(struct ike_core *core, struct ike_tunnel *t)
{
	struct ike_sa *sa, *keep;
	bool works = false;

	drop_overtaken(core, t);
	TAILQ_FOREACH(sa, &t->sas, of_tunnel)
	{
		if (sa->state != IKESA_ESTABLISHED)
			continue;
		/*
		 * Adopted pairs go without a word, so the peer must have moved to the new one:
		 * a responder does when it hears of us after IKE_AUTH, an initiator long has.
		 */
		if (t->n_adopted && query_sa_has_outbound(sa) && sa->initiator && !sa->acked)
			request_probe(core, sa);
		works |= query_sa_has_outbound(sa) && (sa->initiator ? sa->acked : sa->confirmed);
		keep = query_survivor(sa);
		if (keep != sa && sa->close_at == TIMER_NEVER)
			mark_redundant(core, sa, keep);
		/* A half-installed pair waits for the peer's word: ask for it. */
		if (query_sa_has_child(sa) && !sa->confirmed && !query_sa_has_outbound(sa))
			request_probe(core, sa);
	}
	if (works && t->n_adopted && t->adopted_end == TIMER_NEVER)
		t->adopted_end = core->now + TUNNEL_ADOPTED_MS;
	/* With nothing left to carry traffic, there is nothing to wait for. */
	if (query_has_outbound(t))
		return;
	TAILQ_FOREACH(sa, &t->sas, of_tunnel)
	{
		if (sa->state == IKESA_ESTABLISHED && !sa->superseded)
			collide_proven(core, sa);
	}
}

/* What the events say about attempts; each of them is noted once at most in an event. */
static void take_events(struct ike_core *core, struct ike_tunnel *t, unsigned int events)
{
	if (events & EVENT_CHILD_UP) {
		t->failures = 0;
		t->wanted = t->refused = false;
	}
	if (events & (EVENT_CHILD_REFUSED | EVENT_CHILD_UNUSABLE | EVENT_PEER_REFUSED))
		t->refused = true;
	if (events & EVENT_PEER_BUSY)
		t->refused = false;
	if (events & (EVENT_PEER_REFUSED | EVENT_PEER_BUSY))
		t->wanted = false;
	if (events & (EVENT_CHILD_UNUSABLE | EVENT_PEER_REFUSED | EVENT_PEER_BUSY))
		t->failures++;
	if (events & EVENT_ATTEMPT_FAILED)
		attempt_failed(core, t);
}

void tunnel_settle_all(struct ike_core *core)
{
	struct ike_tunnel *t;

	/* What is done for one may make it, or another, dirty again. */
	while ((t = TAILQ_FIRST(&core->dirty))) {
		take_events(core, t, event_take(core, t));
		settle_sas(core, t);
		review_attempts(core, t);
	}
}

void tunnel_retire(struct ike_core *core, struct ike_sa *sa)
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
	if (is_proven_since(keep, sa->close_marked) &&
	    (query_sa_has_outbound(keep) || !query_sa_has_outbound(sa))) {
		report_line(core, IKE_LOG_INFO, NULL, sa, "closing this redundant IKE SA");
		request_close(core, sa, IKESA_DEAD_MS);
		return;
	}
	sa->close_at = core->now + 1000;
	request_probe(core, keep);
}
