// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The addresses that an IKE SA uses, of those that both ends have (RFC 4555 3.5, 3.7, 3.10).
 *
 * Messages go where the peer says that it is; ESP goes where it answered. An address without an
 * answer is given up again, for the one that was proven before.
 *
 * A request of whoever chooses the addresses that has no answer for long is sent on other paths,
 * too: the window is one, so there is no way to test them before it is answered.
 */
#include "ike/core/layer_ikesa.h"

static bool is_same_path(const struct ike_sa *sa, const struct ike_endpoint *local,
			 const struct ike_endpoint *remote)
{
	return ike_addr_eq(&sa->local.addr, &local->addr) && ike_endpoint_eq(&sa->remote, remote);
}

bool address_use(struct ike_core *core, struct ike_sa *sa, const struct ike_endpoint *local,
		 const struct ike_endpoint *remote)
{
	char from[64], to[64];

	if (is_same_path(sa, local, remote))
		return false;
	if (!ike_addr_eq(&sa->local.addr, &local->addr))
		report_line(core, IKE_LOG_INFO, NULL, sa, "our address changed from %s to %s",
			    ike_addr_print(from, sizeof(from), &sa->local.addr),
			    ike_addr_print(to, sizeof(to), &local->addr));
	if (!ike_endpoint_eq(&sa->remote, remote))
		report_line(core, IKE_LOG_INFO, NULL, sa, "peer moved from %s to %s",
			    ike_endpoint_print(from, sizeof(from), &sa->remote),
			    ike_endpoint_print(to, sizeof(to), remote));
	sa->local = *local;
	sa->remote = *remote;
	sa->mobike.version++;
	sa->mobike.one_path = false;
	sa->mobike.spread = false; /* an answer to those copies may be older than the change */
	return true;
}

void address_copy(struct ike_sa *to, const struct ike_sa *from)
{
	to->mobike.version += !is_same_path(to, &from->local, &from->remote);
	to->local = from->local;
	to->remote = from->remote;
	to->mobike.proven = from->mobike.proven;
	to->mobike.proven_local = from->mobike.proven_local;
	to->mobike.given_up = from->mobike.given_up;
	to->mobike.heard = from->mobike.heard;
}

static bool is_one_of_ours(const struct ike_tunnel *t, const struct ike_addr *a)
{
	unsigned int i;

	for (i = 0; i < t->n_ours; i++) {
		if (ike_addr_eq(&t->ours[i], a))
			return true;
	}
	return !t->n_ours;
}

bool address_is_ours(const struct ike_sa *sa)
{
	return is_one_of_ours(sa->peer->tunnel, &sa->local.addr);
}

bool address_is_proven(const struct ike_sa *sa)
{
	return ike_endpoint_eq(&sa->remote, &sa->mobike.proven);
}

/* Is there a place that ESP may go back to? */
static bool has_proven(const struct ike_sa *sa)
{
	return sa->mobike.on && sa->mobike.proven.addr.family;
}

static void move_esp(struct ike_core *core, const struct ike_sa *sa)
{
	if (!TAILQ_EMPTY(&sa->children) && query_primary(sa->peer) == sa)
		core->env.peer_moved(core->env.ctx, sa->peer->conf->name, sa->peer->id,
				     &sa->local.addr, &sa->mobike.proven, natd_is_plain(&sa->natd));
}

/* The peer proved to be nowhere: peer.c closes the IKE SA when the event is over. */
static void end_soon(struct ike_core *core, struct ike_sa *sa)
{
	sa->mobike.nowhere = true;
	event_note(core, sa->peer, EVENT_CHANGED);
}

/* ---- where the kernel follows ESP ---------------------------------------------- */

static void set_follow(struct ike_core *core, struct ike_peer *p, bool may, uint64_t until)
{
	p->follow.held = !may;
	p->follow.until = until;
	core->env.peer_follow(core->env.ctx, p->conf->name, p->id, may);
	event_note(core, p, EVENT_CHANGED);
}

static bool is_led(const struct ike_peer *p)
{
	return !p->follow.held && p->follow.until != TIMER_NEVER;
}

/* ESP led to where the peer does not prove to be: it goes where it was, for a while at least. */
static void hold_esp(struct ike_core *core, struct ike_peer *p)
{
	struct ike_sa *sa = query_primary(p), *next;
	char there[64];

	report_line(
		core, IKE_LOG_WARN, p, NULL,
		"peer did not prove to be at %s, where its traffic came from: ours no longer follows it",
		ike_endpoint_print(there, sizeof(there), &p->follow.to));
	set_follow(core, p, false, core->now + MOBIKE_HOLD_MS);
	if (sa && has_proven(sa))
		move_esp(core, sa);
	for (sa = TAILQ_FIRST(&p->sas); sa; sa = next) {
		next = TAILQ_NEXT(sa, of_peer);
		if (sa->mobike.on && !has_proven(sa))
			end_soon(core, sa);
	}
}

bool address_follow(struct ike_core *core, struct ike_sa *sa, const struct ike_endpoint *remote)
{
	struct follow *f = &sa->peer->follow;

	if (f->held) { /* it did before it was told */
		move_esp(core, sa);
		return false;
	}
	f->strayed = is_led(sa->peer) && (f->strayed || !ike_endpoint_eq(&f->to, remote));
	f->to = *remote;
	if (f->until == TIMER_NEVER)
		f->until = core->now + MOBIKE_FOLLOW_MS;
	event_note(core, sa->peer, EVENT_CHANGED);
	return true;
}

/* The peer proved to be at sa->remote: was that all the places that ESP was led to? */
static void settle_follow(struct ike_core *core, struct ike_sa *sa)
{
	struct follow *f = &sa->peer->follow;

	if (is_led(sa->peer) && (f->strayed || !ike_endpoint_eq(&f->to, &sa->remote)))
		hold_esp(core, sa->peer);
	else if (is_led(sa->peer))
		f->until = TIMER_NEVER;
	else if (f->held && f->until == TIMER_NEVER)
		set_follow(core, sa->peer, true, TIMER_NEVER);
}

void address_begin_follow(struct ike_core *core, struct ike_sa *sa)
{
	struct ike_peer *p = sa->peer;

	if (!sa->mobike.on && (p->follow.held || is_led(p))) /* it is followed (RFC 7296 2.23) */
		set_follow(core, p, true, TIMER_NEVER);
	else if (p->follow.held &&
		 p->follow.until != TIMER_NEVER) /* the kernel's peer may be new */
		set_follow(core, p, false, p->follow.until);
	else if (sa->mobike.on)
		settle_follow(core, sa);
}

void address_begin_unproven(struct ike_core *core, struct ike_sa *sa)
{
	if (sa->peer->follow.held) /* no time is left for it */
		set_follow(core, sa->peer, true, core->now);
	else
		address_follow(core, sa, &sa->remote);
}

bool address_follow_timer(struct ike_core *core, struct ike_peer *p)
{
	if (core->now < p->follow.until)
		return false;
	if (!p->follow.held) {
		hold_esp(core, p);
		return false;
	}
	p->follow.until = TIMER_NEVER;
	return true;
}

/* ---- what is proven -------------------------------------------------------------- */

void address_note_proven(struct ike_sa *sa)
{
	sa->mobike.proven = sa->remote;
	sa->mobike.one_path = false;
	sa->mobike.proven_local = sa->local.addr;
}

void address_prove(struct ike_core *core, struct ike_sa *sa)
{
	char there[64];

	if (!address_is_proven(sa)) {
		core->stats.updates++;
		report_line(core, IKE_LOG_INFO, NULL, sa, "peer answered at %s: traffic goes there",
			    ike_endpoint_print(there, sizeof(there), &sa->remote));
	}
	address_note_proven(sa);
	admit_proven(core, &sa->remote.addr);
	move_esp(core, sa);
	settle_follow(core, sa);
}

const struct ike_endpoint *address_of_esp(const struct ike_sa *sa)
{
	return has_proven(sa) ? &sa->mobike.proven : &sa->remote;
}

/* ---- other paths --------------------------------------------------------------- */

/* The @n-th of our addresses, and of the peer's endpoints, the ones in use first. */
static bool nth_local(const struct ike_sa *sa, unsigned int n, struct ike_endpoint *local)
{
	const struct ike_tunnel *t = sa->peer->tunnel;

	*local = sa->local;
	if (n > t->n_ours || (n && t->conf->local.addr.family))
		return false;
	if (n)
		local->addr = t->ours[n - 1];
	return local->addr.family == sa->remote.addr.family;
}

static bool nth_remote(const struct ike_sa *sa, unsigned int n, struct ike_endpoint *remote)
{
	const struct mobike *mb = &sa->mobike;

	*remote = sa->remote;
	if (n == 1)
		*remote = mb->proven;
	else if (n == 2)
		*remote = sa->peer->remote; /* as configured */
	else if (n > 2 && n - 3 < mb->n_theirs)
		*remote = (struct ike_endpoint){ mb->theirs[n - 3], IKE_NATT_PORT };
	if (remote->port == IKE_PORT)
		remote->port = IKE_NATT_PORT;
	return remote->addr.family == sa->remote.addr.family;
}

/* Was the endpoint one of those before the @n-th? */
static bool is_repeated(const struct ike_sa *sa, unsigned int n, const struct ike_endpoint *remote)
{
	struct ike_endpoint other;
	unsigned int i;

	for (i = 0; i < n; i++) {
		if (nth_remote(sa, i, &other) && ike_endpoint_eq(&other, remote))
			return true;
	}
	return false;
}

bool address_is_outside(const struct ike_core *core, const struct ike_sa *sa,
			const struct ike_addr *remote)
{
	return core->env.is_outside(core->env.ctx, sa->peer->conf->name, remote);
}

struct paths {
	struct {
		struct ike_endpoint local, remote;
	} v[MOBIKE_OTHER_PATHS];
	unsigned int n;
};

/* Add those to @remote, from each address of ours, but not the one in use. */
static void add_paths(const struct ike_sa *sa, const struct ike_endpoint *remote,
		      struct paths *paths)
{
	struct ike_endpoint local;
	unsigned int l;

	for (l = 0; l <= sa->peer->tunnel->n_ours && paths->n < MOBIKE_OTHER_PATHS; l++) {
		if (!nth_local(sa, l, &local) || (l && ike_addr_eq(&local.addr, &sa->local.addr)) ||
		    is_same_path(sa, &local, remote))
			continue;
		paths->v[paths->n].local = local;
		paths->v[paths->n++].remote = *remote;
	}
}

/* The paths that there may be besides the one in use. */
static void find_paths(const struct ike_core *core, const struct ike_sa *sa, struct paths *paths)
{
	unsigned int r, all = 3 + sa->mobike.n_theirs;
	struct ike_endpoint remote;

	paths->n = 0;
	for (r = 0; r < all && paths->n < MOBIKE_OTHER_PATHS; r++) {
		if (nth_remote(sa, r, &remote) && !is_repeated(sa, r, &remote) &&
		    address_is_outside(core, sa, &remote.addr))
			add_paths(sa, &remote, paths);
	}
}

bool address_use_other(struct ike_core *core, struct ike_sa *sa, unsigned int n)
{
	struct paths paths;

	find_paths(core, sa, &paths);
	return n < paths.n && address_use(core, sa, &paths.v[n].local, &paths.v[n].remote);
}

/* Is it time for copies elsewhere? Where a path was seen to work it is given longer, for only an answer
 * to what went there alone proves anything. */
static bool is_late(const struct ike_sa *sa)
{
	return sa->tx.sends >= (sa->mobike.one_path ? MOBIKE_UNPROVEN_SENDS : MOBIKE_SPREAD_SENDS);
}

/* The initiator tests paths; a responder looks for a way only to tell of its addresses (3.6). */
static bool may_spread(const struct ike_sa *sa)
{
	return sa->mobike.on && is_late(sa) && (sa->began || sa->mobike.telling);
}

void address_give_up(struct ike_core *core, struct ike_sa *sa, const char *why)
{
	struct ike_endpoint local = sa->local;
	char there[64];

	report_line(core, IKE_LOG_WARN, NULL, sa, "peer %s at %s", why,
		    ike_endpoint_print(there, sizeof(there), &sa->remote));
	core->stats.unproven++;
	if (!has_proven(sa)) {
		end_soon(core, sa);
		return;
	}
	sa->mobike.given_up = sa->remote;
	if (is_one_of_ours(sa->peer->tunnel, &sa->mobike.proven_local))
		local.addr = sa->mobike.proven_local;
	address_use(core, sa, &local, &sa->mobike.proven);
	sa->mobike.update = sa->began;
	if (is_led(sa->peer))
		hold_esp(core, sa->peer);
	else
		move_esp(core, sa);
}

/*
 * The peer gives no answer. It may have been the path to where it claimed to be; or a NAT gave it
 * another address, which it cannot know. So copies go there, and to where its newest request came from.
 */
static void send_elsewhere(struct ike_core *core, struct ike_sa *sa)
{
	struct mobike *mb = &sa->mobike;
	const struct ike_endpoint *to[] = { &mb->given_up, &mb->heard };
	size_t i;

	for (i = 0; i < sizeof(to) / sizeof(to[0]); i++) {
		if (!to[i]->addr.family || ike_endpoint_eq(to[i], &sa->remote) ||
		    (i && ike_endpoint_eq(to[i], to[0])))
			continue;
		message_send(core, &sa->tx.msg, sa->peer, &sa->local, to[i]);
		mb->spread = true;
	}
}

void address_send_request(struct ike_core *core, struct ike_sa *sa)
{
	struct mobike *mb = &sa->mobike;
	struct paths paths;
	unsigned int i;

	if (sa->mobike.on && sa->tx.sends >= MOBIKE_UNPROVEN_SENDS && !address_is_proven(sa))
		address_give_up(core, sa, "does not answer");
	message_send(core, &sa->tx.msg, sa->peer, &sa->local, &sa->remote);
	if (mb->on && (mb->given_up.addr.family || is_late(sa)))
		send_elsewhere(core, sa);
	if (!may_spread(sa))
		return;
	find_paths(core, sa, &paths);
	for (i = 0; i < paths.n; i++)
		message_send(core, &sa->tx.msg, sa->peer, &paths.v[i].local, &paths.v[i].remote);
	mb->spread |= paths.n > 0;
}
