// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ike/app/agent_int.h"
#include "common/holder.h"
#include "ike/proto/msg.h"

/* ---- settling --------------------------------------------------------------------------------- */

/* Of the peers with these numbers; without a pair the SPIs are 0. */
static void retell_some(const struct tunnel *t, const struct kernel_view *view, const uint32_t *ids,
			unsigned int n)
{
	struct core_rows rows;

	tunnel_peer_rows(t, ids, n, &rows);
	for (unsigned int i = 0; i < rows.n && t->ifindex; i++) {
		const struct ike_status *s = &rows.v[i].status;

		if (rows.v[i].child == 1 || (rows.v[i].child && s->have_child))
			kernel_retell(t->agent->kernel, view, ids[rows.v[i].key], s->spi_in,
				      s->spi_out);
	}
	free(rows.v);
}

/*
 * What the kernel may have told of the tunnel's peers and of their SAs, to the core. No pair is made meanwhile that the view does not have: that takes a datagram.
 */
static void retell(struct agent *a, const struct tunnel *t)
{
	struct kernel_view *view = kernel_view(a->kernel, t->ifindex);
	uint32_t ids[1 + WIRE_CLIENTS_MAX] = { IKE_PEER_FIRST };
	unsigned int n = 1;

	if (!view)
		return;
	if (t->conf.clients > 1)
		n += tunnel_clients(t, ids + 1);
	for (unsigned int at = 0; at < n && t->ifindex; at += WIRE_KEYS)
		retell_some(t, view, ids + at, n - at < WIRE_KEYS ? n - at : WIRE_KEYS);
	kernel_view_free(view);
}

static void do_todo(struct agent *a, uint64_t until)
{
	struct tunnel *t;

	while ((t = TAILQ_FIRST(&a->todo)) && core_runs(a->core) && loop_now() <= until) {
		unsigned int what = tunnel_take_todo(t);

		if (what & TODO_TELL)
			tunnel_retell(a, t);
		else if (what & TODO_LOOK)
			path_look_again(a, t);
		if ((what & TODO_RETELL) && t->ifindex && !t->after)
			retell(a, t);
	}
}

/* A tunnel that is up needs no name. */
static bool needs_name(const struct tunnel *t)
{
	return t->ifindex && !t->after && (!t->started || t->state != IKE_TUNNEL_UP);
}

/* When the tunnel has to be looked at though nothing happens. */
static uint64_t tunnel_next(const struct tunnel *t)
{
	uint64_t at = needs_name(t) && !t->lookup ? t->lookup_at : UINT64_MAX;

	if (t->reopen_at < at)
		at = t->reopen_at;
	if (t->after && t->close_by < at)
		at = t->close_by;
	if (t->review_at < at)
		at = t->review_at;
	if (t->save_at < at)
		at = t->save_at;
	if (t->cert_status_at < at)
		at = t->cert_status_at;
	if (radius_next(t) < at)
		at = radius_next(t);
	if (session_next(t) < at)
		at = session_next(t);
	return t->restore_at < at ? t->restore_at : at;
}

/* The core refused it, and hears of it once more. */
static void plan_telling(struct tunnel *t)
{
	t->reopen_at = UINT64_MAX;
	tunnel_todo(t, TODO_TELL);
}

static void settle_tunnel(struct agent *a, struct tunnel *t, uint64_t now)
{
	uint32_t late;

	if (t->after && tunnel_may_go(t, now)) {
		tunnel_closed(a, t); /* it may be gone now */
		return;
	}
	if (needs_name(t) && !t->lookup && t->lookup_at <= now)
		path_resolve(a, t);
	else if (t->reopen_at <= now && t->ifindex)
		plan_telling(t);
	else if (t->reopen_at <= now)
		tunnel_open(a, t);
	else if (t->restore_at <= now)
		follow_restore(a, t);
	if (t->review_at <= now)
		adopt_review(t);
	if (t->save_at <= now)
		lease_save(t);
	tunnel_look_at_cert_status(a, t, now);
	radius_timer(t, now);
	while ((late = session_timer(t, now)))
		adopt_remove(t, late);
	timer_set(&a->timers, &t->timer, tunnel_next(t));
}

static void settle_tunnels(struct agent *a)
{
	uint64_t now = loop_now();
	struct timer *due;
	struct tunnel *t;

	agent_revive_core(a, now);
	if (a->look_at <= now)
		path_look_all(a);
	while ((due = timers_first(&a->timers)) && due->at <= now) {
		timer_set(&a->timers, due, TIMER_NEVER);
		tunnel_dirty(container_of(due, struct tunnel, timer));
	}
	while ((t = TAILQ_FIRST(&a->dirty))) {
		TAILQ_REMOVE(&a->dirty, t, dirty);
		t->is_dirty = false;
		settle_tunnel(a, t, now);
	}
}

static uint64_t next_wake(const struct agent *a)
{
	const struct timer *first = timers_first(&a->timers);
	uint64_t when = core_next(a->core);

	if (!core_runs(a->core))
		when = a->core_is_lost ? a->revival.at : loop_now();
	else if (!TAILQ_EMPTY(&a->todo) || key_proc_has_result(a->key_proc))
		when = loop_now();
	if (metrics_is_busy(a->metrics))
		when = loop_now();
	if (cmd_next(a) < when)
		when = cmd_next(a);
	if (first && first->at < when)
		when = first->at;
	if (probe_next(a) < when)
		when = probe_next(a);
	if (a->look_at < when)
		when = a->look_at;
	return when;
}

/* Act on what changed; the last thing to do in every event. */
static void agent_settle(struct agent *a)
{
	if (a->settling)
		return; /* a command called the core from within; the outer call goes on */
	a->settling = true;
	settle_tunnels(a);
	cmd_review(a);
	probe_review(a, loop_now());
	a->settling = false;
	loop_wake_at(a->loop, next_wake(a));
}

/* ---- events --------------------------------------------------------------------------------- */

/* It may be for a tunnel that the core has not heard of yet: it would be refused, so it comes again. */
static bool is_too_early(const struct agent *a, const struct ike_datagram *d)
{
	struct ike_header h;

	return a->untold && !ike_header_parse(d->data, d->len, &h) && h.exchange == IKE_SA_INIT &&
	       !(h.flags & IKE_FLAG_RESPONSE);
}

static void on_datagram(void *ctx, const struct ike_datagram *d)
{
	struct agent *a = ctx;

	remotes_heard(a->remotes, &d->remote.addr, d->len, loop_now());
	if (!probe_heard(a, d) && !is_too_early(a, d))
		core_datagram(a->core, d, loop_now());
	agent_settle(a);
}

static void on_acquire(void *ctx, uint32_t ifindex, const struct ike_flow *flow)
{
	struct agent *a = ctx;
	struct tunnel *t = tunnel_by_index(a, ifindex);

	if (t && !t->after)
		core_acquire(a->core, t->conf.name, flow, loop_now());
	agent_settle(a);
}

static void end_sa(struct agent *a, uint32_t ifindex, uint32_t peer, uint32_t spi, bool inbound,
		   enum ike_expire why)
{
	struct tunnel *t = tunnel_by_index(a, ifindex);

	if (t && !t->after)
		core_expire(a->core, t->conf.name, peer, spi, inbound, why, loop_now());
	agent_settle(a);
}

static void on_expire(void *ctx, uint32_t ifindex, uint32_t peer, uint32_t spi, bool inbound,
		      bool hard)
{
	end_sa(ctx, ifindex, peer, spi, inbound, hard ? IKE_EXPIRE_HARD : IKE_EXPIRE_SOFT);
}

/* Ours to remove, somebody else did it: the core finds nothing of its own removals any more. */
static void on_sa_gone(void *ctx, uint32_t ifindex, uint32_t peer, uint32_t spi, bool inbound)
{
	end_sa(ctx, ifindex, peer, spi, inbound, IKE_EXPIRE_REMOVED);
}

static void on_peer_moved(void *ctx, uint32_t ifindex, uint32_t peer,
			  const struct ike_endpoint *remote)
{
	struct agent *a = ctx;
	struct tunnel *t = tunnel_by_index(a, ifindex);

	if (t) {
		remotes_heard(a->remotes, &remote->addr, 0, loop_now());
		core_peer_moved(a->core, t->conf.name, peer, remote, loop_now());
	}
	agent_settle(a);
}

static void on_peer_gone(void *ctx, uint32_t ifindex, uint32_t peer)
{
	if (peer == IKE_PEER_FIRST)
		follow_peer_gone(ctx, ifindex);
	else
		follow_client_gone(ctx, ifindex, peer);
}

/*
 * A lost soft expiry would never be told again, and the SA would run into its end. A lost
 * acquire is: with the next packet, a second later.
 */
static void on_overrun(void *ctx)
{
	struct agent *a = ctx;

	log_core(IKE_LOG_WARN, NULL, NULL, NULL,
		 "the kernel had more to tell than we could read; looking at all tunnels anew",
		 loop_now());
	for (struct tunnel *t = a->tunnels; t; t = t->next) {
		if (t->ifindex && !t->after)
			tunnel_todo(t, TODO_RETELL);
	}
	agent_settle(a);
}

static void on_core_lost(void *ctx)
{
	agent_settle(ctx);
}

static void on_keys(void *ctx)
{
	struct agent *a = ctx;

	a->failed |= key_proc_failed(a->key_proc);
	if (a->failed)
		loop_stop(a->loop);
	agent_settle(a);
}

/* Once in a turn of the loop: what takes time, some of it, for others wait. */
static void on_due(void *ctx)
{
	struct agent *a = ctx;
	uint64_t until = loop_now() + TODO_SLICE;

	a->settling = true;
	if (core_next(a->core) <= loop_now())
		core_timer(a->core, loop_now());
	agent_take_jobs(a, JOBS_AT_ONCE, until);
	do_todo(a, until);
	status_tell(a);
	metrics_tell(a->metrics);
	a->settling = false;
	agent_settle(a);
}

/* ---- life ----------------------------------------------------------------------------------------- */

static const struct kernel_events kernel_events = {
	.datagram = on_datagram,
	.acquire = on_acquire,
	.expire = on_expire,
	.peer_moved = on_peer_moved,
	.sa_gone = on_sa_gone,
	.peer_gone = on_peer_gone,
	.overrun = on_overrun,
};

static bool open_udp(struct agent *a, char *err, size_t err_size)
{
	char holder[128];

	a->udp = udp_open(loop_base(a->loop), IKE_PORT, on_datagram, a);
	if (a->udp)
		return true;
	if (errno == EADDRINUSE)
		snprintf(err, err_size,
			 "UDP port 500 is taken by %s: stop that IKE daemon first, and disable it",
			 holder_of_port(IKE_PORT, holder, sizeof(holder))
				 ? holder
				 : "another program, which ss -lnup 'sport = 500' names");
	else if (errno == EACCES)
		snprintf(err, err_size,
			 "esptund needs root rights to bind UDP port 500: run it as root");
	else
		snprintf(err, err_size, "cannot bind UDP port 500: %s", strerror(errno));
	return false;
}

static bool open_helpers(struct agent *a, char *err, size_t err_size)
{
	const struct key_proc_events events = { env_find_key, on_keys, a };
	struct ike_env env;

	a->key_proc = key_proc_new(loop_base(a->loop), a->helpers->key_spawn, &events);
	if (!a->key_proc) {
		snprintf(err, err_size, "cannot start the process that has the keys: %s",
			 strerror(errno));
		return false;
	}
	agent_env(a, &env);
	a->core = core_new(loop_base(a->loop), a->helpers->spawn, &env, on_core_lost, a);
	if (!a->core)
		snprintf(err, err_size, "cannot start the process that speaks IKE: %s",
			 strerror(errno));
	return a->core;
}

/* Any user can take a port, or a path in some folders. That is to keep no tunnel down. */
static bool open_metrics(struct agent *a, char *err, size_t err_size)
{
	char why[512];
	int rc = metrics_open(a, a->options->metrics, why, sizeof(why));

	if (rc == -EINVAL)
		snprintf(err, err_size, "%s", why);
	else if (rc)
		log_say(IKE_LOG_ERROR, NULL, "%s. Tunnels come up, metrics are not answered", why);
	return rc != -EINVAL;
}

static bool open_all(struct agent *a, char *err, size_t err_size)
{
	struct kernel_events events = kernel_events;

	snprintf(err, err_size, "out of memory");
	a->loop = loop_new(on_due, a);
	a->remotes = remotes_new();
	if (!a->loop || !a->remotes)
		return false;
	events.ctx = a;
	a->kernel = kernel_open(loop_base(a->loop), &events, err, err_size);
	if (!a->kernel)
		return false;
	if (!open_udp(a, err, err_size))
		return false;
	a->ctl = ctl_open(loop_base(a->loop), a->options->socket, cmd_request, a, err, err_size);
	if (!a->ctl)
		return false;
	if (a->options->metrics && !open_metrics(a, err, err_size))
		return false;
	a->net = net_open(kernel_handle(a->kernel));
	a->watch = a->net ? follow_open(a) : NULL;
	if (!a->watch) {
		snprintf(err, err_size, "cannot open a netlink socket: %s", strerror(errno));
		return false;
	}
	if (a->options->key_dir) {
		a->keys = keytable_open(a->options->key_dir);
		if (!a->keys) {
			snprintf(err, err_size, "cannot write key tables to %s: %s",
				 a->options->key_dir, strerror(errno));
			return false;
		}
	}
	if (link_dns_watch(a->helpers->link_dns, loop_base(a->loop), given_on_names, a))
		return false;
	if (a->options->terms_fault)
		log_say(IKE_LOG_WARN, NULL, "%s: the next agent takes over less than it could",
			a->options->terms_fault);
	return open_helpers(a, err, err_size);
}

struct agent *agent_new(const struct agent_options *o, const struct agent_helpers *helpers,
			char *err, size_t err_size)
{
	struct agent *a = calloc(1, sizeof(*a));

	if (!a) {
		snprintf(err, err_size, "out of memory");
		return NULL;
	}
	a->options = o;
	a->helpers = helpers;
	memcpy(a->terms_secret, o->terms_secret, sizeof(a->terms_secret));
	a->look_at = UINT64_MAX;
	TAILQ_INIT(&a->dirty);
	LIST_INIT(&a->radius);
	TAILQ_INIT(&a->todo);
	TAILQ_INIT(&a->status_jobs);
	TAILQ_INIT(&a->probes);
	if (open_all(a, err, err_size))
		return a;
	agent_free(a);
	return NULL;
}

int agent_start(struct agent *a)
{
	if (a->keys)
		log_say(IKE_LOG_WARN, NULL,
			"writing every secret key to %s: whoever reads it reads the traffic; never do this in production",
			a->options->key_dir);
	if (agent_read_configs(a, NULL))
		return -1;
	agent_remove_leftovers(a);
	if (!a->tunnels)
		log_say(IKE_LOG_WARN, NULL,
			"no tunnel yet: put NAME.conf into %s and run esptun up NAME",
			a->options->config_dir);
	agent_settle(a);
	return 0;
}

int agent_run(struct agent *a)
{
	return loop_run(a->loop) || a->failed ? -1 : 0;
}

void agent_reload(struct agent *a)
{
	log_say(IKE_LOG_INFO, NULL, "reading %s again", a->options->config_dir);
	agent_read_configs(a, NULL);
	agent_settle(a);
}

void agent_stop(struct agent *a)
{
	log_say(IKE_LOG_INFO, NULL, "stopping; tunnels go on without agent");
	loop_stop(a->loop);
}

struct event_base *agent_base(struct agent *a)
{
	return loop_base(a->loop);
}

void agent_free(struct agent *a)
{
	struct tunnel *t;

	/* Links, routes and SAs stay. */
	if (!a)
		return;
	ctl_close(a->ctl);
	status_free(a);
	metrics_free(a->metrics);
	probe_free(a);
	cmd_free(a);
	/* It still takes what nobody would know from the kernel: larval SAs, and late ones. */
	core_free(a->core);
	key_proc_free(a->key_proc);
	fetch_free(a);
	lease_save_all(a);
	while ((t = a->tunnels)) {
		a->tunnels = t->next;
		tunnel_free(t);
	}
	timers_free(&a->timers);
	remotes_free(a->remotes);
	keytable_close(a->keys);
	watch_close(a->watch);
	net_close(a->net);
	udp_close(a->udp);
	kernel_close(a->kernel);
	loop_free(a->loop);
	free(a);
}
