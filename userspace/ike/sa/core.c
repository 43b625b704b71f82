// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Events of the core. Every public function that is an event sets the clock, does its work
 * through tunnel.c and dispatch.c, settles at its end the tunnels that something was noted about,
 * and frees the IKE SAs that died meanwhile.
 */
#include "ike/sa/layer_core.h"

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
	tunnel_settle_all(core);
	free_dead(core);
}

/* ---- time passes for an IKE SA ------------------------------------------- */

/* No answer, and the exchange has nothing to say about that: the peer is dead (2.4). */
static void lose_peer(struct ike_core *core, struct ike_sa *sa)
{
	struct ike_tunnel *t = sa->tunnel;
	char ep[64];

	ike_endpoint_print(ep, sizeof(ep), &sa->remote);
	sa_end(core, sa, false);
	if (query_has_outbound(t)) /* it came back under another IKE SA */
		report_line(core, IKE_LOG_INFO, t, sa, "peer %s no longer answers on this IKE SA",
			    ep);
	else
		report_error(core, t, sa, "peer %s no longer answers; its SAs are removed", ep);
}

static void give_up(struct ike_core *core, struct ike_sa *sa)
{
	if (!sa->out->ops->lost || !sa->out->ops->lost(core, sa, sa->out))
		lose_peer(core, sa);
}

/* Both ends are to prove again who they are (RFC 7296 2.8.3): before this one goes, a new one comes. */
static void reauth_timer(struct ike_core *core, struct ike_sa *sa)
{
	if (core->now < sa->reauth_at)
		return;
	sa->reauth_at = TIMER_NEVER;
	sa->replaced |= sa->state == IKESA_ESTABLISHED;
	report_line(core, IKE_LOG_INFO, NULL, sa, "time to authenticate again");
	event_note(core, sa->tunnel, EVENT_CHANGED);
}

static void sa_timer(struct ike_core *core, struct ike_sa *sa)
{
	if (core->now >= sa->expire_at) {
		sa_drop(core, sa);
		return;
	}
	if (core->now >= sa->rx.frags_until)
		ikesa_frags_free(sa);
	if (!request_timer(core, sa))
		give_up(core, sa);
	if (sa->state != IKESA_DEAD)
		x_create_timer(core, sa);
	if (sa->state != IKESA_DEAD)
		x_rekey_timer(core, sa);
	if (sa->state != IKESA_DEAD)
		reauth_timer(core, sa);
	if (sa->state != IKESA_DEAD && core->now >= sa->close_at)
		tunnel_retire(core, sa);
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
	TAILQ_INIT(&core->tunnels);
	TAILQ_INIT(&core->dirty);
	LIST_INIT(&core->dead);
	env->rng.fill(env->rng.ctx, core->digest_key, sizeof(core->digest_key));
	admit_init(core);
	lookup_init(core);
	return core;
}

void ike_core_free(struct ike_core *core)
{
	struct ike_tunnel *t;
	struct timer *first;
	struct ike_sa *sa;
	size_t i;

	if (!core)
		return;
	end_event(core);
	for (i = 0; i < core->sas.buckets; i++) {
		while ((sa = LIST_FIRST(&core->sas.by_spi[i]))) {
			LIST_REMOVE(sa, by_spi);
			exchange_end_all(core, sa);
			ikesa_free(sa);
		}
	}
	free_dead(core); /* what exchanges had prepared */
	while ((first = timers_first(&core->tunnel_timers)))
		timer_set(&core->tunnel_timers, first, TIMER_NEVER);
	while ((t = TAILQ_FIRST(&core->tunnels))) {
		child_linger_end(core, t, TIMER_NEVER);
		lookup_remove(core, t);
		ike_wipe(t, sizeof(*t));
		free(t);
	}
	ikesa_table_free(&core->sas);
	timers_free(&core->sa_timers);
	timers_free(&core->tunnel_timers);
	ike_wipe(core, sizeof(*core));
	free(core);
}

static void number_proposals(struct ike_proposals *p, uint8_t protocol)
{
	unsigned int i;

	for (i = 0; i < p->n; i++) {
		p->p[i].num = (uint8_t)(i + 1);
		p->p[i].protocol = protocol;
		p->p[i].spi_len = 0;
	}
}

static bool conf_sane(const struct ike_tunnel_conf *c)
{
	return c->name[0] && memchr(c->name, 0, sizeof(c->name)) && c->psk_len &&
	       c->psk_len <= sizeof(c->psk) && c->ike.n && c->ike.n <= IKE_MAX_PROPOSALS &&
	       c->esp.n && c->esp.n <= IKE_MAX_PROPOSALS && c->local_ts.n &&
	       c->local_ts.n <= IKE_MAX_TS && c->remote_ts.n && c->remote_ts.n <= IKE_MAX_TS &&
	       c->local_id.len <= IKE_MAX_ID && c->remote_id.len <= IKE_MAX_ID;
}

int ike_core_tunnel_add(struct ike_core *core, const struct ike_tunnel_conf *conf)
{
	struct ike_tunnel *t;

	if (!conf_sane(conf))
		return -EINVAL;
	if (lookup_name(core, conf->name))
		return -EEXIST;
	if (core->n_tunnels >= CORE_MAX_TUNNELS)
		return -ENOMEM;
	t = calloc(1, sizeof(*t));
	if (!t)
		return -ENOMEM;
	if (timers_reserve(&core->tunnel_timers)) {
		free(t);
		return -ENOMEM;
	}
	t->conf = *conf;
	if (!t->conf.local.port)
		t->conf.local.port = IKE_NATT_PORT;
	number_proposals(&t->conf.ike, IKE_PROTO_IKE);
	number_proposals(&t->conf.esp, IKE_PROTO_ESP);
	t->remote = conf->remote;
	t->next_try = t->adopted_end = TIMER_NEVER;
	TAILQ_INIT(&t->sas);
	TAILQ_INIT(&t->closed);
	TAILQ_INIT(&t->lingering);
	if (lookup_add(core, t)) {
		timers_unreserve(&core->tunnel_timers, &t->timer);
		ike_wipe(t, sizeof(*t));
		free(t);
		return -ENOMEM;
	}
	return 0;
}

int ike_core_tunnel_del(struct ike_core *core, const char *tunnel)
{
	struct ike_tunnel *t = lookup_name(core, tunnel);
	struct ike_sa *sa;

	if (!t)
		return -ENOENT;
	tunnel_enable(core, t, false);
	tunnel_adopted_remove(core, t);
	/* Also those that only linger to repeat an answer: they name the tunnel. */
	while ((sa = TAILQ_FIRST(&t->sas)) || (sa = TAILQ_FIRST(&t->closed)))
		sa_drop(core, sa);
	child_linger_end(core, t, TIMER_NEVER);
	event_take(core, t);
	timers_unreserve(&core->tunnel_timers, &t->timer);
	lookup_remove(core, t);
	ike_wipe(t, sizeof(*t));
	free(t);
	end_event(core);
	return 0;
}

void ike_core_adopt(struct ike_core *core, const char *tunnel, const struct ike_endpoint *remote,
		    uint32_t spi_in, uint32_t spi_out)
{
	struct ike_tunnel *t = lookup_name(core, tunnel);

	if (!t)
		return;
	if (t->n_adopted == TUNNEL_MAX_ADOPTED) {
		core->env.sa_remove(core->env.ctx, tunnel, t->adopted[0].spi_in,
				    t->adopted[0].spi_out);
		memmove(t->adopted, t->adopted + 1, --t->n_adopted * sizeof(t->adopted[0]));
	}
	t->adopted[t->n_adopted++] = (struct adopted_pair){ spi_in, spi_out };
	t->adopted_remote = *remote;
	admit_proven(core, &remote->addr);
}

void ike_core_start(struct ike_core *core, const char *tunnel, uint64_t now)
{
	struct ike_tunnel *t = lookup_name(core, tunnel);

	begin_event(core, now);
	if (t && !t->enabled) {
		tunnel_enable(core, t, true);
		if (t->conf.start == IKE_START_NOW || t->n_adopted)
			t->next_try = core->now;
		event_note(core, t, EVENT_CHANGED);
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

void ike_core_acquire(struct ike_core *core, const char *tunnel, uint64_t now)
{
	struct ike_tunnel *t = lookup_name(core, tunnel);

	begin_event(core, now);
	if (t && t->enabled && t->conf.start == IKE_START_TRAFFIC && !t->wanted) {
		t->wanted = true;
		if (!t->failures)
			t->next_try = core->now;
		event_note(core, t, EVENT_CHANGED);
	}
	end_event(core);
}

static void adopted_expired(struct ike_core *core, struct ike_tunnel *t, uint32_t spi, bool inbound)
{
	struct adopted_pair *p;
	unsigned int i;

	for (i = 0; i < t->n_adopted; i++) {
		p = &t->adopted[i];
		if ((inbound ? p->spi_in : p->spi_out) != spi)
			continue;
		core->env.sa_remove(core->env.ctx, t->conf.name, p->spi_in, p->spi_out);
		*p = t->adopted[--t->n_adopted];
		return;
	}
}

void ike_core_expire(struct ike_core *core, const char *tunnel, uint32_t spi, bool inbound,
		     enum ike_expire why, uint64_t now)
{
	struct ike_tunnel *t = lookup_name(core, tunnel);
	bool hard = why != IKE_EXPIRE_SOFT;
	struct child_sa *c = NULL;
	struct ike_sa *sa;

	begin_event(core, now);
	if (!t)
		return;
	TAILQ_FOREACH(sa, &t->sas, of_tunnel)
	{
		c = child_find(sa, inbound ? spi : 0, inbound ? 0 : spi);
		if (c)
			break;
	}
	if (c && why == IKE_EXPIRE_REMOVED && !inbound && !c->out) {
		end_event(core); /* we did it: child_stop_sending() */
		return;
	}
	if (c && hard && ikesa_authenticated(sa)) {
		report_line(core, IKE_LOG_WARN, t, sa, "SA 0x%08x %s", spi,
			    why == IKE_EXPIRE_REMOVED ? "was removed by another program"
						      : "reached its limit");
		request_delete_child(core, sa, c);
		tunnel_want_pair(t);
	} else if (c && ikesa_authenticated(sa) && c->state == CHILD_UP && !sa->replaced) {
		x_create_successor(core, sa, c);
	} else if (!c && hard) {
		adopted_expired(core, t, spi, inbound);
	}
	event_note(core, t, EVENT_CHANGED);
	end_event(core);
}

void ike_core_peer_moved(struct ike_core *core, const char *tunnel,
			 const struct ike_endpoint *remote, uint64_t now)
{
	struct ike_tunnel *t = lookup_name(core, tunnel);
	struct ike_sa *sa;

	begin_event(core, now);
	if (!t)
		return;
	admit_proven(core, &remote->addr);
	if (t->n_adopted)
		t->adopted_remote = *remote;
	sa = query_primary(t);
	if (sa && ikesa_authenticated(sa))
		sa->remote = *remote;
	end_event(core);
}

void ike_core_path(struct ike_core *core, const char *tunnel, const struct ike_addr *local,
		   uint64_t now)
{
	struct ike_tunnel *t = lookup_name(core, tunnel);

	begin_event(core, now);
	if (t && t->enabled && local->family)
		tunnel_path_opened(core, t, local);
	end_event(core);
}

void ike_core_timer(struct ike_core *core, uint64_t now)
{
	struct timer *first;

	begin_event(core, now);
	while ((first = timers_first(&core->sa_timers)) && first->at <= core->now)
		sa_timer(core, container_of(first, struct ike_sa, timer));
	/* Settling sets the tunnels' timers. */
	tunnel_settle_all(core);
	while ((first = timers_first(&core->tunnel_timers)) && first->at <= core->now) {
		tunnel_timer(core, container_of(first, struct ike_tunnel, timer));
		tunnel_settle_all(core);
	}
	end_event(core);
}

uint64_t ike_core_next(const struct ike_core *core)
{
	const struct timer *sa = timers_first(&core->sa_timers);
	const struct timer *t = timers_first(&core->tunnel_timers);
	uint64_t at = sa ? sa->at : TIMER_NEVER;

	return t && t->at < at ? t->at : at;
}

/* ---- commands ------------------------------------------------------------ */

int ike_core_tunnel_remote(struct ike_core *core, const char *tunnel,
			   const struct ike_endpoint *remote)
{
	struct ike_tunnel *t = lookup_name(core, tunnel);

	if (!t)
		return -ENOENT;
	t->remote = *remote;
	lookup_update(core, t);
	return 0;
}

int ike_core_up(struct ike_core *core, const char *tunnel, uint64_t now)
{
	struct ike_tunnel *t = lookup_name(core, tunnel);

	begin_event(core, now);
	if (!t)
		return -ENOENT;
	tunnel_enable(core, t, true);
	t->wanted = t->conf.start != IKE_START_LISTEN;
	t->failures = 0;
	t->next_try = core->now;
	event_note(core, t, EVENT_CHANGED);
	end_event(core);
	return 0;
}

int ike_core_down(struct ike_core *core, const char *tunnel, uint64_t now)
{
	struct ike_tunnel *t = lookup_name(core, tunnel);

	begin_event(core, now);
	if (!t)
		return -ENOENT;
	tunnel_down(core, t);
	end_event(core);
	return 0;
}

void ike_core_shutdown(struct ike_core *core, uint64_t now)
{
	struct ike_tunnel *t;

	begin_event(core, now);
	TAILQ_FOREACH(t, &core->tunnels, link)
	tunnel_down(core, t);
	end_event(core);
}

bool ike_core_idle(const struct ike_core *core)
{
	return !core->n_enabled && !core->n_of_tunnels;
}
