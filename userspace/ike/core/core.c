// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Events of the core. Every public function that is an event sets the clock, does its work
 * through peer.c and dispatch.c, settles at its end the tunnels that something was noted about,
 * and frees the IKE SAs that died meanwhile.
 */
#include "ike/core/layer_core.h"

#include <errno.h>
#include <stdlib.h>

static void begin_event(struct ike_core *core, uint64_t now)
{
	if (now > core->now)
		core->now = now;
}

static void free_dead(struct ike_core *core)
{
	struct ike_sa *sa;

	while ((sa = LIST_FIRST(&core->dead))) {
		LIST_REMOVE(sa, dead);
		ikesa_free(sa);
	}
}

static void end_event(struct ike_core *core)
{
	peer_settle_all(core);
	free_dead(core);
}

/* ---- time passes for an IKE SA ------------------------------------------- */

/* No answer, and the exchange has nothing to say about that: the peer is dead (2.4). */
static void lose_peer(struct ike_core *core, struct ike_sa *sa)
{
	struct ike_peer *p = sa->peer;
	char ep[64];

	ike_endpoint_print(ep, sizeof(ep), &sa->remote);
	sa_end(core, sa, false);
	if (query_has_outbound(p, CHILD_ANY)) /* it came back under another IKE SA */
		report_line(core, IKE_LOG_INFO, p, sa, "peer %s no longer answers on this IKE SA",
			    ep);
	else
		report_silence(core, p, sa, "peer %s no longer answers; its SAs are removed", ep);
}

static void give_up(struct ike_core *core, struct ike_sa *sa)
{
	if (!sa->out->ops->lost || !sa->out->ops->lost(core, sa, sa->out))
		lose_peer(core, sa);
}

enum {
	REAUTH_GRACE_MS = 60000
}; /* for a peer whose certificate ended to prove itself by another */

/* Both ends are to prove again who they are (RFC 7296 2.8.3): before this one goes, a new one comes. */
static void reauth_timer(struct ike_core *core, struct ike_sa *sa)
{
	if (core->now < sa->reauth_at)
		return;
	sa->reauth_at = TIMER_NEVER;
	sa->replaced |= sa->state == IKESA_ESTABLISHED;
	if (sa->state == IKESA_ESTABLISHED && core->now >= sa->proof_until &&
	    sa->replace_by == TIMER_NEVER) {
		sa->outdated = true;
		sa->rekey_at = TIMER_NEVER;
		sa->replace_by = core->now + REAUTH_GRACE_MS;
	}
	report_line(core, IKE_LOG_INFO, NULL, sa, "time to authenticate again");
	event_note(core, sa->peer, EVENT_CHANGED);
}

/* The peer did not prove itself by another certificate. */
static void replace_timer(struct ike_core *core, struct ike_sa *sa)
{
	if (core->now >= sa->replace_by)
		request_close(core, sa, IKESA_CLOSE_MS);
}

/* No result came, nor will one be taken. */
static void give_up_job(struct ike_core *core, struct waiting *w)
{
	struct ike_job_result none = { .error = -ETIMEDOUT };

	if (w && core->now >= w->until)
		dispatch_job_done(core, w, &none);
}

static void sa_timer(struct ike_core *core, struct ike_sa *sa)
{
	if (core->now >= sa->expire_at) {
		sa_drop(core, sa);
		return;
	}
	if (core->now >= sa->rx.frags_until)
		ikesa_frags_free(sa);
	give_up_job(core, sa->rx.wait);
	if (sa->state != IKESA_DEAD)
		give_up_job(core, sa->tx.wait);
	if (sa->state == IKESA_DEAD)
		return;
	if (!request_timer(core, sa))
		give_up(core, sa);
	if (sa->state != IKESA_DEAD)
		x_create_timer(core, sa);
	if (sa->state != IKESA_DEAD)
		x_rekey_timer(core, sa);
	if (sa->state != IKESA_DEAD)
		reauth_timer(core, sa);
	if (sa->state != IKESA_DEAD)
		replace_timer(core, sa);
	if (sa->state != IKESA_DEAD && core->now >= sa->close_at)
		peer_retire(core, sa);
	if (sa->state != IKESA_DEAD && core->now >= sa->liveness_at)
		liveness_check(core, sa);
	sa_touch(core, sa);
}

/* ---- the core ------------------------------------------------------------ */

struct ike_core *ike_core_new(const struct ike_env *env)
{
	struct ike_core *core = calloc(1, sizeof(*core));

	if (!core)
		return NULL;
	if (ikesa_table_init(&core->sas)) {
		free(core);
		return NULL;
	}
	core->env = *env;
	TAILQ_INIT(&core->peers);
	TAILQ_INIT(&core->dirty);
	TAILQ_INIT(&core->fetched.list);
	LIST_INIT(&core->dead);
	env->rng.fill(env->rng.ctx, core->digest_key, sizeof(core->digest_key));
	admit_init(core);
	lookup_init(core);
	return core;
}

void ike_core_free(struct ike_core *core)
{
	struct ike_peer *p, *client;
	struct timer *first;
	struct ike_sa *sa;
	size_t i;

	if (!core)
		return;
	end_event(core);
	for (i = 0; i < core->sas.buckets; i++) {
		while ((sa = LIST_FIRST(&core->sas.by_spi[i]))) {
			LIST_REMOVE(sa, by_spi);
			job_end(core, sa->rx.wait);
			job_end(core, sa->tx.wait);
			exchange_end_all(core, sa);
			child_drop_agreed(core, sa);
			ikesa_free(sa);
		}
	}
	free_dead(core); /* what exchanges had prepared */
	fetched_free(core);
	while ((first = timers_first(&core->peer_timers)))
		timer_set(&core->peer_timers, first, TIMER_NEVER);
	while ((p = TAILQ_FIRST(&core->peers))) {
		while ((client = TAILQ_FIRST(&p->tunnel->clients))) {
			child_linger_end(core, client, TIMER_NEVER);
			lookup_remove_client(client);
			tunnel_free_peer(core, client);
		}
		child_linger_end(core, p, TIMER_NEVER);
		lookup_remove(core, p);
		tunnel_free_peer(core, p);
	}
	ikesa_table_free(&core->sas);
	timers_free(&core->sa_timers);
	timers_free(&core->peer_timers);
	ike_wipe(core, sizeof(*core));
	free(core);
}

int ike_core_tunnel_add(struct ike_core *core, const struct ike_tunnel_conf *conf)
{
	struct ike_peer *p;

	if (!tunnel_conf_is_sane(conf))
		return -EINVAL;
	if (lookup_name(core, conf->name))
		return -EEXIST;
	if (core->n_peers >= CORE_MAX_TUNNELS)
		return -ENOMEM;
	p = tunnel_new(core, conf);
	if (!p)
		return -ENOMEM;
	p->id = IKE_PEER_FIRST;
	p->remote = conf->remote;
	memcpy(p->lease, conf->had, sizeof(p->lease));
	if (lookup_add(core, p)) {
		tunnel_free_peer(core, p);
		return -ENOMEM;
	}
	core->changes++;
	return 0;
}

/* Everything of the peer leaves the kernel, without a word to anyone. */
static void drop_all(struct ike_core *core, struct ike_peer *p)
{
	struct ike_sa *sa;

	peer_enable(core, p, false);
	adopted_remove(core, p);
	/* Also those that only linger to repeat an answer: they name the tunnel. */
	while ((sa = TAILQ_FIRST(&p->sas)) || (sa = TAILQ_FIRST(&p->closed)))
		sa_drop(core, sa);
	child_linger_end(core, p, TIMER_NEVER);
}

int ike_core_tunnel_del(struct ike_core *core, const char *tunnel)
{
	struct ike_peer *p = lookup_name(core, tunnel), *client;

	if (!p)
		return -ENOENT;
	while ((client = TAILQ_FIRST(&p->tunnel->clients))) {
		drop_all(core, client);
		client_end(core, client);
	}
	core->changes++;
	drop_all(core, p);
	event_take(core, p);
	lookup_remove(core, p);
	tunnel_free_peer(core, p);
	end_event(core);
	return 0;
}

void ike_core_adopt(struct ike_core *core, const char *tunnel, const struct ike_adopted *pair)
{
	struct ike_peer *first = lookup_name(core, tunnel);
	struct ike_peer *p = lookup_peer(core, tunnel, pair->peer);

	if (!p && first && first->conf->clients > 1)
		p = client_adopted(core, first->tunnel, pair->peer, &pair->id);
	if (!p)
		return;
	if (!p->adopted)
		p->adopted = calloc(IKE_MAX_ADOPTED, sizeof(p->adopted[0]));
	if (!p->adopted) {
		report_line(core, IKE_LOG_ERROR, p, NULL,
			    "SAs of a former agent are removed, for want of memory");
		core->env.sa_remove(core->env.ctx, tunnel, p->id, pair->spi_in, pair->spi_out);
		return;
	}
	if (p->n_adopted == IKE_MAX_ADOPTED) {
		core->env.sa_remove(core->env.ctx, tunnel, p->id, pair->spi_in, pair->spi_out);
		return;
	}
	if (!p->n_adopted || p->adopted_until < pair->until)
		p->adopted_until = pair->until;
	p->adopted[p->n_adopted++] = (struct adopted_pair){ pair->spi_in, pair->spi_out };
	p->adopted_remote = pair->remote;
	claim_adopt(core, p, pair->remote_ts);
	admit_proven(core, &pair->remote.addr);
}

/* From now on what a former agent left of clients has its time. */
static void start_clients(struct ike_core *core, struct ike_peer *first)
{
	struct ike_peer *p;

	TAILQ_FOREACH(p, &first->tunnel->clients, of_tunnel)
	{
		p->adopted_end = core->now + CLIENT_ADOPTED_MS;
		event_note(core, p, EVENT_CHANGED);
	}
}

void ike_core_start(struct ike_core *core, const char *tunnel, uint64_t now)
{
	struct ike_peer *p = lookup_name(core, tunnel);
	unsigned int i;

	begin_event(core, now);
	if (p && !p->enabled) {
		peer_enable(core, p, true);
		start_clients(core, p);
		for (i = 0; i < p->conf->n_child; i++) {
			if (p->conf->child[i].start == IKE_START_NOW || p->n_adopted)
				p->want[i].next_try = core->now;
		}
		event_note(core, p, EVENT_CHANGED);
	}
	end_event(core);
}

/* ---- events -------------------------------------------------------------- */

void ike_core_datagram(struct ike_core *core, const struct ike_datagram *d, uint64_t now)
{
	static const uint8_t zero[IKE_SPI_LEN];
	const uint8_t version = 0x20;
	struct ike_header h;
	int rc;

	begin_event(core, now);
	core->stats.rx++;
	rc = d->len <= IKE_MAX_MSG ? ike_header_parse(d->data, d->len, &h) : -IKE_N_INVALID_SYNTAX;
	if (rc) {
		core->stats.rx_bad++;
		if (rc == -IKE_N_INVALID_MAJOR_VERSION && h.version >> 4 > 2 &&
		    h.length == d->len && !(h.flags & IKE_FLAG_RESPONSE))
			send_error(core, d, &h, IKE_N_INVALID_MAJOR_VERSION, &version, 1);
	} else if (h.exchange == IKE_SA_INIT && d->len > CORE_INIT_MAX) {
		core->stats.rx_bad++;
	} else if (h.exchange == IKE_SA_INIT && !(h.flags & IKE_FLAG_RESPONSE)) {
		/* Only the request that starts an IKE SA has these values (2.2, 2.6). */
		if (h.id == 0 && h.flags & IKE_FLAG_INITIATOR &&
		    !memcmp(h.spi_r, zero, IKE_SPI_LEN) && memcmp(h.spi_i, zero, IKE_SPI_LEN))
			x_init_request(core, d, &h);
		else
			core->stats.rx_bad++;
	} else {
		dispatch_datagram(core, d, &h);
	}
	end_event(core);
}

void ike_core_fetched(struct ike_core *core, const struct ike_fetched *f, uint64_t now)
{
	begin_event(core, now);
	fetched_take(core, f);
	end_event(core);
}

void ike_core_job_done(struct ike_core *core, const struct ike_job_result *r, uint64_t now)
{
	struct waiting *w = job_find(core, r->id);

	begin_event(core, now);
	if (w)
		dispatch_job_done(core, w, r);
	end_event(core);
}

/* Would a pair of this configuration carry the packet? */
static bool carries(const struct ike_peer *p, unsigned int conf, const struct ike_flow *f)
{
	struct ike_ts_list local, remote;

	tunnel_selectors(p->conf, conf, &local, &remote);
	return ike_ts_within((struct ike_ts_offer){ 1, &f->local }, &local) &&
	       ike_ts_within((struct ike_ts_offer){ 1, &f->remote }, &remote);
}

void ike_core_acquire(struct ike_core *core, const char *tunnel, const struct ike_flow *flow,
		      uint64_t now)
{
	struct ike_peer *p = lookup_name(core, tunnel);
	unsigned int i;

	begin_event(core, now);
	for (i = 0; p && p->enabled && i < p->conf->n_child; i++) {
		struct child_want *want = &p->want[i];

		if (p->conf->child[i].start != IKE_START_TRAFFIC || want->wanted ||
		    query_has_child(p, i) || (flow && !carries(p, i, flow)))
			continue;
		want->wanted = true;
		if (!p->failures && !want->failures)
			want->next_try = core->now;
		event_note(core, p, EVENT_CHANGED);
	}
	end_event(core);
}

void ike_core_expire(struct ike_core *core, const char *tunnel, uint32_t peer, uint32_t spi,
		     bool inbound, enum ike_expire why, uint64_t now)
{
	struct ike_peer *p = lookup_peer(core, tunnel, peer);
	bool hard = why != IKE_EXPIRE_SOFT;
	struct child_sa *c = NULL;
	struct ike_sa *sa;

	begin_event(core, now);
	if (!p)
		return;
	TAILQ_FOREACH(sa, &p->sas, of_peer)
	{
		c = child_find(sa, inbound ? spi : 0, inbound ? 0 : spi);
		if (c)
			break;
	}
	if (c && why == IKE_EXPIRE_REMOVED &&
	    (c->state >= CHILD_DELETING || (!inbound && !c->out))) {
		end_event(core); /* we did it: negotiate_reject() or child_stop_sending() */
		return;
	}
	if (c && hard && ikesa_authenticated(sa)) {
		report_line(core, IKE_LOG_WARN, p, sa, "SA 0x%08x %s", spi,
			    why == IKE_EXPIRE_REMOVED ? "was removed by another program"
						      : "reached its limit");
		request_delete_child(core, sa, c);
		peer_want_pair(p, c->conf);
	} else if (c && ikesa_authenticated(sa) && c->state == CHILD_UP && !sa->replaced) {
		x_create_successor(core, sa, c);
	} else if (!c && hard) {
		adopted_remove_pair(core, p, spi, inbound);
	}
	event_note(core, p, EVENT_CHANGED);
	end_event(core);
}

void ike_core_peer_moved(struct ike_core *core, const char *tunnel, uint32_t peer,
			 const struct ike_endpoint *remote, uint64_t now)
{
	struct ike_peer *p = lookup_peer(core, tunnel, peer);
	struct ike_sa *sa;

	begin_event(core, now);
	if (!p)
		return;
	admit_proven(core, &remote->addr);
	if (p->n_adopted)
		p->adopted_remote = *remote;
	sa = query_primary(p);
	if (sa && ikesa_authenticated(sa)) {
		if (sa->mobike.on)
			x_mobike_heard(core, sa, remote);
		else
			sa->remote = *remote;
	}
	end_event(core);
}

void ike_core_path(struct ike_core *core, const char *tunnel, uint32_t peer,
		   const struct ike_addr *local, uint64_t now)
{
	struct ike_peer *p = lookup_peer(core, tunnel, peer);

	begin_event(core, now);
	if (p && p->enabled && local->family)
		peer_path_opened(core, p, local);
	end_event(core);
}

static void tell_addresses(struct ike_core *core, struct ike_peer *p)
{
	struct ike_sa *sa;

	TAILQ_FOREACH(sa, &p->sas, of_peer)
	{
		if (ikesa_authenticated(sa))
			x_mobike_tell(core, sa);
	}
}

/* False if they are as before, also for want of memory. */
static bool set_addresses(struct ike_tunnel *t, const struct ike_addr *ours, unsigned int n)
{
	struct ike_addr *copy;

	if (n == t->n_ours && (!n || !memcmp(ours, t->ours, n * sizeof(*ours))))
		return false;
	copy = n ? malloc(n * sizeof(*ours)) : NULL;
	if (n && !copy)
		return false;
	if (n)
		memcpy(copy, ours, n * sizeof(*ours));
	free(t->ours);
	t->ours = copy;
	t->n_ours = n;
	return true;
}

void ike_core_addresses(struct ike_core *core, const char *tunnel, const struct ike_addr *ours,
			size_t n, uint64_t now)
{
	struct ike_peer *p = lookup_name(core, tunnel), *client;
	struct ike_tunnel *t = p ? p->tunnel : NULL;

	begin_event(core, now);
	if (n > TUNNEL_MAX_OURS)
		n = TUNNEL_MAX_OURS;
	if (t && set_addresses(t, ours, (unsigned int)n)) {
		tell_addresses(core, p);
		TAILQ_FOREACH(client, &t->clients, of_tunnel)
		tell_addresses(core, client);
	}
	end_event(core);
}

void ike_core_timer(struct ike_core *core, uint64_t now)
{
	struct timer *first;

	begin_event(core, now);
	while ((first = timers_first(&core->sa_timers)) && first->at <= core->now)
		sa_timer(core, container_of(first, struct ike_sa, timer));
	/* Settling sets the tunnels' timers. */
	peer_settle_all(core);
	while ((first = timers_first(&core->peer_timers)) && first->at <= core->now) {
		peer_timer(core, container_of(first, struct ike_peer, timer));
		peer_settle_all(core);
	}
	end_event(core);
}

uint64_t ike_core_next(const struct ike_core *core)
{
	const struct timer *sa = timers_first(&core->sa_timers);
	const struct timer *t = timers_first(&core->peer_timers);
	uint64_t at = sa ? sa->at : TIMER_NEVER;

	return t && t->at < at ? t->at : at;
}

/* ---- commands ------------------------------------------------------------ */

int ike_core_tunnel_remote(struct ike_core *core, const char *tunnel,
			   const struct ike_endpoint *remote)
{
	struct ike_peer *p = lookup_name(core, tunnel);

	if (!p)
		return -ENOENT;
	p->remote = *remote;
	lookup_update(core, p);
	return 0;
}

int ike_core_tunnel_change(struct ike_core *core, const struct ike_tunnel_conf *conf, bool renew,
			   uint64_t now)
{
	struct ike_peer *p;
	int rc;

	begin_event(core, now);
	if (!tunnel_conf_is_sane(conf))
		return -EINVAL;
	p = lookup_name(core, conf->name);
	if (!p)
		return -ENOENT;
	if ((conf->clients > 1) != (p->conf->clients > 1))
		return -EINVAL;
	rc = peer_change(core, p, conf, renew);
	end_event(core);
	return rc;
}

int ike_core_up(struct ike_core *core, const char *tunnel, uint64_t now)
{
	struct ike_peer *p = lookup_name(core, tunnel);
	unsigned int i;

	begin_event(core, now);
	if (!p)
		return -ENOENT;
	peer_enable(core, p, true);
	peer_forget_failures(p);
	sa_forget_rejections(p);
	for (i = 0; i < p->conf->n_child; i++) {
		p->want[i].wanted = p->conf->child[i].start != IKE_START_LISTEN;
		p->want[i].next_try = core->now;
	}
	event_note(core, p, EVENT_CHANGED);
	end_event(core);
	return 0;
}

/* Not one that goes anyway, and for which another one comes. */
static void rekey_sa(struct ike_core *core, struct ike_sa *sa)
{
	struct child_sa *c, *next;

	if (!ikesa_authenticated(sa) || sa->replaced || sa->superseded || sa->outdated ||
	    sa->close_at != TIMER_NEVER)
		return;
	for (c = TAILQ_FIRST(&sa->children); c; c = next) {
		next = TAILQ_NEXT(c, link);
		if (c->state == CHILD_UP)
			x_create_successor(core, sa, c);
	}
	sa->rekey_at = core->now;
	x_rekey_timer(core, sa);
	sa_touch(core, sa);
}

int ike_core_rekey(struct ike_core *core, const char *tunnel, uint64_t now)
{
	struct ike_peer *p = lookup_name(core, tunnel);
	struct ike_sa *sa, *next;

	begin_event(core, now);
	if (!p)
		return -ENOENT;
	for (sa = TAILQ_FIRST(&p->sas); sa; sa = next) {
		next = TAILQ_NEXT(sa, of_peer);
		rekey_sa(core, sa);
	}
	end_event(core);
	return 0;
}

int ike_core_down(struct ike_core *core, const char *tunnel, uint64_t now)
{
	struct ike_peer *p = lookup_name(core, tunnel);

	begin_event(core, now);
	if (!p)
		return -ENOENT;
	peer_down(core, p);
	end_event(core);
	return 0;
}

int ike_core_client_down(struct ike_core *core, const char *tunnel, uint32_t peer, uint64_t now)
{
	struct ike_peer *p = lookup_peer(core, tunnel, peer);

	begin_event(core, now);
	if (!p || !p->is_client)
		return -ENOENT;
	peer_down(core, p);
	end_event(core);
	return 0;
}

void ike_core_shutdown(struct ike_core *core, uint64_t now)
{
	struct ike_peer *p;

	begin_event(core, now);
	TAILQ_FOREACH(p, &core->peers, link)
	peer_down(core, p);
	end_event(core);
}

bool ike_core_idle(const struct ike_core *core)
{
	return !core->n_enabled && !core->n_of_peers;
}
