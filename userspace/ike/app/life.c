// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A tunnel's life: opened, told to the core, and to the next one if that is lost; closed, and forgotten or
 * replaced.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ike/app/agent_int.h"

/* ---- opening ------------------------------------------------------------------------ */

/* 0, also without a core: the next one is told, see agent_revive_core(). -1 with t->error set and logged. */
static int tell_core(struct agent *a, struct tunnel *t)
{
	struct ike_tunnel_conf conf;
	char text[256];
	int err = -ENOMEM;

	tunnel_core_conf(a, &t->conf, &conf);
	if (t->given)
		memcpy(conf.had, t->given->address, sizeof(conf.had));
	if (owned_add_peer(&t->owned, IKE_PEER_FIRST, 1))
		err = core_tunnel_add(a->core, &conf);
	if (err == -EPIPE)
		tunnel_todo(t, TODO_TELL);
	if (!err || err == -EPIPE)
		return 0;
	owned_free(&t->owned);
	snprintf(text, sizeof(text), "the process that speaks IKE does not take %s: %s",
		 t->conf.name, strerror(-err));
	tunnel_fail(t, TROUBLE_DEVICE, text);
	return -1;
}

/* In the kernel, the peer that every tunnel has. 0, or -1 with t->error set and logged. */
static int make_peer(struct agent *a, struct tunnel *t)
{
	struct kernel_peer_conf peer = tunnel_peer_conf(t);
	char text[512];
	int err;

	peer.follow = true; /* whatever a former core wanted */
	err = kernel_peer_make(a->kernel, t->ifindex, IKE_PEER_FIRST, &peer);
	if (!err)
		return 0;
	snprintf(text, sizeof(text), "cannot make the peer of %s: %s", t->conf.name,
		 kernel_error(a->kernel));
	tunnel_fail(t, TROUBLE_DEVICE, text);
	return -1;
}

static int open_net(struct agent *a, struct tunnel *t)
{
	struct net_conf net;
	char text[512];
	uint32_t ifindex;

	given_find(t);
	tunnel_net_conf(t, &net);
	if (net_up(a->net, &net, &ifindex, &t->opening, text, sizeof(text))) {
		tunnel_fail(t, TROUBLE_DEVICE, text);
		return -1;
	}
	tunnel_set_index(t, ifindex);
	memcpy(t->device, t->conf.name, sizeof(t->device));
	tunnel_read_link(t);
	return 0;
}

/* Nothing of what a former core knew or said. */
static void forget_core(struct tunnel *t)
{
	t->started = t->adopted = false;
	t->state = IKE_TUNNEL_DOWN;
	given_follow_state(t);
	t->path_state = PATH_UNKNOWN; /* so that it is told anew */
	memset(&t->path, 0, sizeof(t->path));
	memset(&t->adopted_remote, 0, sizeof(t->adopted_remote));
	owned_free(&t->owned);
	backend_free(t);
	if (lease_open(t))
		log_say(IKE_LOG_ERROR, t->conf.name, "out of memory: no client gets an address");
}

/* Nothing of what a former opening left behind. */
static void tunnel_reset(struct tunnel *t)
{
	forget_core(t);
	tunnel_well(t, t->trouble);
	t->moved = t->link_down = t->terms_kept = false;
	t->lookups = 0;
	t->lookup_at = t->restore_at = t->review_at = t->cert_status_at = UINT64_MAX;
	t->keys_changed = false;
	memset(&t->resolved, 0, sizeof(t->resolved));
}

int tunnel_open(struct agent *a, struct tunnel *t)
{
	tunnel_reset(t);
	t->reopen_at = loop_now() + REOPEN_EVERY;
	tunnel_dirty(t);
	if (open_net(a, t))
		return -1;
	if (make_peer(a, t) || tell_core(a, t)) {
		net_down(a->net, t->ifindex);
		tunnel_set_index(t, 0);
		return -1;
	}
	if (adopt_all(t)) {
		tunnel_shut(a, t);
		return -1;
	}
	path_look(a, t);
	if (t->path_state == PATH_LOOP) { /* its routes would take away what carries it */
		tunnel_shut(a, t);
		return -1;
	}
	t->reopen_at = UINT64_MAX;
	if (*t->conf.endpoint && !t->conf.endpoint_addr.family)
		path_resolve(a, t);
	return 0;
}

/* ---- another ike process ------------------------------------------------------------- */

/*
 * As after a restart of the agent: its SAs carry traffic, the core takes them over. If it does not,
 * they go on until it is asked again.
 */
void tunnel_retell(struct agent *a, struct tunnel *t)
{
	const struct ike_endpoint remote = { .addr = t->resolved, .port = t->conf.endpoint_port };

	forget_core(t);
	tunnel_dirty(t);
	if (t->after) /* it is closed without a word to its peer */
		return;
	t->reopen_at = UINT64_MAX;
	if (tell_core(a, t)) {
		t->reopen_at = loop_now() + REOPEN_EVERY;
		return;
	}
	tunnel_well(t, TROUBLE_DEVICE);
	if (remote.addr.family)
		core_tunnel_remote(a->core, t->conf.name, &remote);
	if (adopt_all(t)) {
		core_tunnel_del(a->core, t->conf.name);
		session_stop_all(t);
		t->reopen_at = loop_now() + REOPEN_EVERY;
		return;
	}
	session_stop_removed(t);
	path_look(a, t);
}

/* Peers that the core made, and all SAs, leave the kernel. */
static void remove_owned(struct agent *a, struct tunnel *t)
{
	uint32_t id;

	session_stop_all(t);
	for (unsigned int i = 0; (id = owned_peer_id(&t->owned, i)); i++)
		kernel_peer_remove(a->kernel, t->ifindex, id);
	make_peer(a, t);
	t->terms_kept = false;
}

/* What is in the kernel goes on, unless the process misbehaved: then nothing of it is trusted. */
static void lose_core(struct agent *a, struct tunnel *t)
{
	if (core_misbehaved(a->core))
		remove_owned(a, t);
	forget_core(t);
	t->reopen_at = UINT64_MAX;
	tunnel_todo(t, TODO_TELL);
	tunnel_dirty(t);
}

/* The ike process has ended: the next one gets the tunnels there are. */
void agent_revive_core(struct agent *a, uint64_t now)
{
	int err;

	if (core_runs(a->core) || a->failed)
		return;
	for (struct tunnel *t = a->tunnels; t && !a->core_is_lost; t = t->next) {
		if (t->ifindex)
			lose_core(a, t);
	}
	if (!a->core_is_lost && now < a->revival.at)
		log_say(IKE_LOG_WARN, NULL,
			"the process that speaks IKE ends again and again: the next one is started in %u s",
			(unsigned int)(a->revival.at - now + 999) / 1000);
	a->core_is_lost = true;
	if (now < a->revival.at)
		return;
	revival_note(&a->revival, now);
	err = core_restart(a->core);
	if (err) {
		log_say(IKE_LOG_ERROR, NULL, "cannot start the process that speaks IKE: %s",
			err == -EPIPE ? "the process that starts it has ended" : strerror(-err));
		a->failed = err == -EPIPE; /* only whoever started us can help */
		if (a->failed)
			loop_stop(a->loop);
		return;
	}
	key_proc_drop(a->key_proc); /* jobs were the former one's */
	radius_jobs_lost(a);
	fetch_drop(a);
	a->core_is_lost = false;
}

/* ---- jobs that were done ----------------------------------------------------------------- */

/* What the core had done with keys, @most at a time and until then; that may be the begin of more. */
void agent_take_jobs(struct agent *a, unsigned int most, uint64_t until)
{
	struct ike_job_result r;

	for (unsigned int n = 0; n < most && loop_now() <= until && key_proc_take(a->key_proc, &r);
	     n++) {
		if (!radius_job_done(a, &r))
			core_job_done(a->core, &r, loop_now());
		ike_wipe(&r, sizeof(r));
	}
}

/* ---- closing ------------------------------------------------------------------------ */

void tunnel_close(struct agent *a, struct tunnel *t, enum after after)
{
	t->after = after;
	if (after != AFTER_REPLACE)
		t->wanted = false;
	t->close_by = loop_now() + CLOSE_LIMIT;
	t->reopen_at = UINT64_MAX;
	tunnel_dirty(t);
	if (t->ifindex && t->started)
		core_down(a->core, t->conf.name, loop_now());
}

bool tunnel_may_go(const struct tunnel *t, uint64_t now)
{
	bool down = !t->ifindex || !t->started || t->state == IKE_TUNNEL_DOWN;

	return t->close_by <= now || (down && !radius_records(t));
}

/* Nothing is left of it but its configuration. */
void tunnel_shut(struct agent *a, struct tunnel *t)
{
	path_forget(t);
	tunnel_take_todo(t);
	backend_free(
		t); /* a new core counts jobs anew, and new servers do not know State of these */
	if (!t->ifindex)
		return;
	core_tunnel_del(a->core, t->conf.name);
	session_stop_all(t); /* without a core nobody else ended them */
	kernel_peer_remove(a->kernel, t->ifindex, IKE_PEER_FIRST);
	if (!t->moved)
		net_down(a->net, t->ifindex);
	tunnel_set_index(t, 0);
	owned_free(&t->owned);
	given_forget(t);
	t->restore_at = t->review_at = UINT64_MAX;
	t->keys_changed = false;
	t->started = false;
	t->state = IKE_TUNNEL_DOWN;
}

void tunnel_drop_successor(struct tunnel *t)
{
	if (t->successor)
		config_clear(t->successor);
	free(t->successor);
	t->successor = NULL;
}

void tunnel_free(struct tunnel *t)
{
	path_forget(t);
	tunnel_take_todo(t);
	radius_free(t);
	if (t->is_dirty)
		TAILQ_REMOVE(&t->agent->dirty, t, dirty);
	timers_unreserve(&t->agent->timers, &t->timer);
	config_clear(&t->conf);
	tunnel_drop_successor(t);
	tunnel_well(t, t->trouble);
	owned_free(&t->owned);
	pool_free(t->pool);
	backend_free(t);
	session_free(t);
	given_forget(t);
	free(t);
}

static void tunnel_unlink(struct agent *a, struct tunnel *t)
{
	struct tunnel **at = &a->tunnels, *before = NULL;

	while (*at != t) {
		before = *at;
		at = &before->next;
	}
	status_tunnel_ends(a, t);
	metrics_tunnel_ends(a->metrics, t);
	*at = t->next;
	if (a->last == t)
		a->last = before;
	LIST_REMOVE(t, by_name);
	tunnel_free(t);
}

/* @t was closing and its SAs are gone. */
void tunnel_closed(struct agent *a, struct tunnel *t)
{
	enum after after = t->after;

	t->after = AFTER_NOTHING;
	tunnel_shut(a, t);
	if (after == AFTER_FORGET) {
		lease_save_now(t);
		tunnel_unlink(a, t);
	} else if (after == AFTER_REPLACE) {
		config_clear(&t->conf);
		t->conf = *t->successor;
		memset(t->successor, 0, sizeof(*t->successor)); /* all of it is in t->conf now */
		tunnel_drop_successor(t);
		radius_change(t);
		tunnel_open(a, t);
	}
}
