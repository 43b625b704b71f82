// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What other programs do to our netdevices, their addresses and routes, and to our SAs:
 * it is put back, and said. What is taken away again and again is put back ever more
 * slowly, for two programs that undo each other's work would keep the machine busy.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ike/app/agent_int.h"
#include "ike/proto/addr.h"

enum {
	RESTORE_SOON = 200, /* ms after an address or route went */
	RESTORE_LINK = 5000, /* ms after a link was taken down or away: a command may follow */
	RESTORE_AT_ONCE = 10, /* so many times; from then on the wait doubles … */
	RESTORE_CAP = 30000, /* ms, … up to this */
	RESTORE_FORGET = 60000, /* ms without trouble, after which the waits begin anew */
};

static struct tunnel *find_open(struct agent *a, uint32_t ifindex)
{
	struct tunnel *t = tunnel_by_index(a, ifindex);

	return t && !t->after && !t->moved ? t : NULL;
}

/* How long to wait this time. */
static uint64_t restore_wait(struct tunnel *t, uint64_t base)
{
	uint64_t now = loop_now();

	if (now - t->restored_at > RESTORE_FORGET)
		t->restores = 0;
	for (unsigned int i = RESTORE_AT_ONCE; i < t->restores && base < RESTORE_CAP; i++)
		base *= 2;
	return now + (base < RESTORE_CAP ? base : RESTORE_CAP);
}

static void plan_restore(struct tunnel *t, uint64_t base)
{
	uint64_t at = restore_wait(t, base);

	if (at < t->restore_at)
		t->restore_at = at;
	tunnel_dirty(t);
}

static void tunnel_lost_device(struct agent *a, struct tunnel *t)
{
	tunnel_shut(a, t);
	if (t->after)
		return;
	t->reopen_at = restore_wait(t, RESTORE_LINK);
	tunnel_dirty(t);
	t->restored_at = loop_now();
	t->restores++;
	tunnel_fail(t, TROUBLE_DEVICE,
		    "another program removed the netdevice; esptund makes it again");
}

/*
 * The kernel goes by an index of ours before that of a link elsewhere: where it is another
 * tunnel's, nothing may be asked of it any more.
 */
static void tunnel_out_of_reach(struct agent *a, struct tunnel *t)
{
	tunnel_lost_device(a, t);
	tunnel_fail(
		t, TROUBLE_DEVICE,
		"another program moved the netdevice to a network namespace where esptund cannot tell it from another tunnel's; esptund makes a new one");
}

static void tunnel_moved(struct agent *a, struct tunnel *t, uint32_t there)
{
	if (there && there != t->ifindex && tunnel_by_index(a, there)) {
		tunnel_out_of_reach(a, t);
		return;
	}
	if (there)
		tunnel_set_index(t, there);
	t->moved = true;
	t->restore_at = UINT64_MAX;
	tunnel_fail(
		t, TROUBLE_DEVICE,
		"another program moved the netdevice to another network namespace, where the tunnel goes on; its addresses and routes are not set there");
}

/* What was not as it is to be, but for what the peer gave us just now. */
static void say_restored(struct tunnel *t, const struct net_did *did)
{
	char text[600];

	if (t->given_is_new && *did->text) {
		snprintf(text, sizeof(text), "added %s, which the peer gives us", did->text);
		log_core(IKE_LOG_INFO, t->conf.name, NULL, NULL, text, loop_now());
		return;
	}
	if (!*did->text && !t->link_down)
		return;
	t->restored_at = loop_now();
	t->restores++;
	log_core(IKE_LOG_WARN, t->conf.name, NULL, NULL,
		 t->link_down ? "another program took the netdevice down: up again"
			      : "another program removed addresses, routes or rules",
		 loop_now());
	if (*did->text)
		log_say(IKE_LOG_INFO, t->conf.name, "put back %s", did->text);
}

void follow_restore(struct agent *a, struct tunnel *t)
{
	struct net_conf conf;
	struct net_did did;
	char text[512];
	int err;

	t->restore_at = UINT64_MAX;
	if (t->moved)
		return;
	tunnel_net_conf(t, &conf);
	err = net_restore(a->net, &conf, t->ifindex, &did, text, sizeof(text));
	say_restored(t, &did);
	if (*did.left_out)
		log_core(IKE_LOG_WARN, t->conf.name, NULL, NULL, did.left_out, loop_now());
	if (!err && t->given_is_new)
		given_use_names(t);
	t->link_down = false;
	t->given_is_new &= err != 0;
	tunnel_read_link(t); /* should what rtnetlink told have been lost */
	if (err == -ENODEV) {
		tunnel_lost_device(a, t);
	} else if (err) {
		tunnel_fail(t, TROUBLE_DEVICE, text);
		t->restore_at = loop_now() + RESTORE_CAP;
		tunnel_dirty(t);
	} else if (!strcmp(t->device, t->conf.name)) {
		tunnel_well(t, TROUBLE_DEVICE);
	}
}

static void on_renamed(struct tunnel *t, const char *name)
{
	char text[256];

	snprintf(t->device, sizeof(t->device), "%s", name);
	if (t->conf.n_apart) /* rules go by names */
		plan_restore(t, 0);
	if (!strcmp(name, t->conf.name)) {
		tunnel_well(t, TROUBLE_DEVICE);
		return;
	}
	snprintf(
		text, sizeof(text),
		"another program renamed the netdevice to %s, where the tunnel goes on: rename it back, or run esptun down %s and esptun up %s",
		name, t->conf.name, t->conf.name);
	tunnel_fail(t, TROUBLE_DEVICE, text);
}

static void on_link(void *ctx, const struct watch_link *l)
{
	struct agent *a = ctx;
	struct tunnel *t = find_open(a, l->ifindex);

	if (!t)
		return;
	t->mtu = l->mtu;
	t->running = l->running;
	if (t->opening) { /* what we did ourselves */
		t->opening = !l->up;
		return;
	}
	if (strcmp(l->name, t->device))
		on_renamed(t, l->name);
	if (!l->up && !t->link_down) {
		t->link_down = true;
		t->restore_at = restore_wait(t, RESTORE_LINK);
		tunnel_dirty(t);
	} else if (l->up && t->link_down) {
		t->link_down = false;
		plan_restore(t, RESTORE_SOON); /* down, it lost routes without a word */
	}
	agent_wake(a);
}

static void on_stripped(void *ctx, uint32_t ifindex)
{
	struct agent *a = ctx;
	struct tunnel *t = find_open(a, ifindex);

	if (!t || t->link_down)
		return;
	plan_restore(t, RESTORE_SOON);
	agent_wake(a);
}

static bool has_route(const struct tunnel *t, const struct net_prefix *to)
{
	for (unsigned int i = 0; i < t->conf.n_routes; i++) {
		if (t->conf.routes[i].len == to->len &&
		    ike_addr_eq(&t->conf.routes[i].addr, &to->addr))
			return true;
	}
	for (unsigned int i = 0; i < t->n_told; i++) {
		if (t->told[i].len == to->len && ike_addr_eq(&t->told[i].addr, &to->addr))
			return true;
	}
	return false;
}

static void on_replaced(void *ctx, const struct net_prefix *to)
{
	struct agent *a = ctx;

	for (struct tunnel *t = a->tunnels; t; t = t->next) {
		if (t->ifindex && !t->after && !t->moved && has_route(t, to))
			plan_restore(t, RESTORE_SOON);
	}
	agent_wake(a);
}

/* By whom, and of which link, does not matter: what is there is not made again. */
static void on_unruled(void *ctx)
{
	struct agent *a = ctx;

	for (struct tunnel *t = a->tunnels; t; t = t->next) {
		if (t->conf.n_apart && t->ifindex && !t->after && !t->moved)
			plan_restore(t, RESTORE_SOON);
	}
	agent_wake(a);
}

static void on_link_gone(void *ctx, uint32_t ifindex, bool moved, uint32_t there)
{
	struct agent *a = ctx;
	struct tunnel *t = tunnel_by_index(a, ifindex);

	if (!t)
		return; /* not ours, or removed by ourselves */
	if (moved)
		tunnel_moved(a, t, there);
	else
		tunnel_lost_device(a, t);
	agent_wake(a);
}

void follow_peer_gone(struct agent *a, uint32_t ifindex)
{
	if (!kernel_peer_exists(a->kernel, ifindex, IKE_PEER_FIRST))
		on_link_gone(a, ifindex, false, 0);
}

void follow_client_gone(struct agent *a, uint32_t ifindex, uint32_t peer)
{
	struct tunnel *t = find_open(a, ifindex);
	struct kernel_peer_conf conf = { .on_demand = false };
	struct ike_status s;

	if (!t || !owned_has_peer(&t->owned, peer) ||
	    core_peer_status(a->core, t->conf.name, peer, &s) || !s.have_ike ||
	    !env_may_reach(a, t, &s.esp_remote.addr) ||
	    kernel_peer_exists(a->kernel, ifindex, peer))
		return;
	conf.remote = s.esp_remote;
	conf.keepalive = t->conf.keepalive;
	conf.id = &s.remote_id; /* and no terms: by which key it came is not known any more */
	if (kernel_peer_make(a->kernel, ifindex, peer, &conf))
		log_say(IKE_LOG_ERROR, t->conf.name,
			"another program removed the peer of a client, and none can be made: %s",
			kernel_error(a->kernel));
	else
		log_say(IKE_LOG_WARN, t->conf.name,
			"another program removed the peer of a client: made again");
}

static void on_carrier(void *ctx, uint32_t ifindex)
{
	path_carrier(ctx, ifindex);
	agent_wake(ctx);
}

static void on_paths(void *ctx)
{
	path_changed(ctx);
	agent_wake(ctx);
}

/* Links that went are not heard of any more, but their peers are: see on_overrun() of agent.c. */
static void on_overrun(void *ctx)
{
	struct agent *a = ctx;

	for (struct tunnel *t = a->tunnels; t; t = t->next) {
		if (t->ifindex && !t->after && !t->moved)
			plan_restore(t, RESTORE_SOON);
	}
	on_paths(ctx);
}

struct watch *follow_open(struct agent *a)
{
	const struct watch_events events = {
		.ctx = a,
		.link_gone = on_link_gone,
		.link = on_link,
		.stripped = on_stripped,
		.replaced = on_replaced,
		.unruled = on_unruled,
		.carrier = on_carrier,
		.paths = on_paths,
		.overrun = on_overrun,
	};

	return watch_open(loop_base(a->loop), &events);
}
