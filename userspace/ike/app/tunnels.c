// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The list of tunnels, and what is noted of each: that it has to be looked at, what there is to do, what is
 * wrong. Every other part of the agent rests on this one, which calls none of them.
 */
#include <net/if.h>
#include <linux/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/hash.h"
#include "ike/app/agent_int.h"
#include "ike/child/proposal.h"

static const char no_error[] = "";

/* ---- finding tunnels -------------------------------------------------------------- */

static size_t name_bucket(const char *name)
{
	return hash_lower(name, strlen(name)) % TUNNEL_BUCKETS;
}

struct tunnel *tunnel_by_name(const struct agent *a, const char *name)
{
	struct tunnel *t;

	LIST_FOREACH(t, &a->by_name[name_bucket(name)], by_name)
	{
		if (!strcmp(t->conf.name, name))
			return t;
	}
	return NULL;
}

struct tunnel *tunnel_by_index(const struct agent *a, uint32_t ifindex)
{
	struct tunnel *t;

	LIST_FOREACH(t, &a->by_index[ifindex % TUNNEL_BUCKETS], by_index)
	{
		if (t->ifindex == ifindex)
			return t;
	}
	return NULL;
}

void tunnel_set_index(struct tunnel *t, uint32_t ifindex)
{
	if (t->ifindex)
		LIST_REMOVE(t, by_index);
	t->ifindex = ifindex;
	if (ifindex)
		LIST_INSERT_HEAD(&t->agent->by_index[ifindex % TUNNEL_BUCKETS], t, by_index);
	tunnel_dirty(t);
}

void tunnel_dirty(struct tunnel *t)
{
	if (t->is_dirty)
		return;
	t->is_dirty = true;
	TAILQ_INSERT_TAIL(&t->agent->dirty, t, dirty);
}

void tunnel_todo(struct tunnel *t, enum todo what)
{
	if (!t->todo)
		TAILQ_INSERT_TAIL(&t->agent->todo, t, todo_link);
	if (what & ~t->todo & TODO_TELL)
		t->agent->untold++;
	t->todo |= what;
}

/* What there is to do, which is taken off. */
unsigned int tunnel_take_todo(struct tunnel *t)
{
	unsigned int was = t->todo;

	if (was)
		TAILQ_REMOVE(&t->agent->todo, t, todo_link);
	if (was & TODO_TELL)
		t->agent->untold--;
	t->todo = 0;
	return was;
}

struct tunnel *tunnel_insert(struct agent *a, const struct config *conf)
{
	struct tunnel **at = &a->tunnels, *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	if (timers_reserve(&a->timers)) {
		free(t);
		return NULL;
	}
	t->agent = a;
	t->error = no_error;
	t->conf = *conf;
	t->file_seen = a->looks; /* also by those that are under way */
	t->lookup_at = t->reopen_at = t->restore_at = t->review_at = t->save_at = UINT64_MAX;
	/* Files are read in order, so the end is where most belong. */
	if (a->last && strcmp(a->last->conf.name, conf->name) < 0)
		at = &a->last->next;
	while (*at && strcmp((*at)->conf.name, conf->name) < 0)
		at = &(*at)->next;
	t->next = *at;
	*at = t;
	if (!t->next)
		a->last = t;
	LIST_INSERT_HEAD(&a->by_name[name_bucket(conf->name)], t, by_name);
	return t;
}

void agent_wake(struct agent *a)
{
	loop_wake_at(a->loop, loop_now());
}

/* ---- trouble ------------------------------------------------------------------------- */

/* @error is its own then; NULL: none. */
static void set_error(struct tunnel *t, const char *error)
{
	if (t->error != no_error)
		free((char *)t->error);
	t->error = error ? error : no_error;
}

void tunnel_fail(struct tunnel *t, enum trouble trouble, const char *text)
{
	bool known = t->trouble == trouble && !strcmp(t->error, text);

	t->trouble = trouble;
	t->error_at = loop_now();
	if (known)
		return;
	log_say(trouble == TROUBLE_PATH ? IKE_LOG_WARN : IKE_LOG_ERROR, t->conf.name, "%s", text);
	set_error(t, strdup(text));
}

bool tunnel_well(struct tunnel *t, enum trouble trouble)
{
	if (t->trouble != trouble)
		return false;
	t->trouble = TROUBLE_NONE;
	set_error(t, NULL);
	return true;
}

/* ---- what the core has ------------------------------------------------------------------ */

unsigned int tunnel_clients(const struct tunnel *t, uint32_t ids[WIRE_CLIENTS_MAX])
{
	unsigned int all = core_clients(t->agent->core, t->conf.name, ids, WIRE_CLIENTS_MAX), n = 0;

	for (unsigned int i = 0; i < all; i++) {
		if (ids[i] != IKE_PEER_FIRST && owned_has_peer(&t->owned, ids[i]))
			ids[n++] = ids[i];
	}
	return n;
}

int tunnel_peer_rows(const struct tunnel *t, const uint32_t *ids, unsigned int n,
		     struct core_rows *rows)
{
	struct wire_key keys[1 + WIRE_CLIENTS_MAX];

	for (unsigned int i = 0; i < n; i++) {
		memcpy(keys[i].tunnel, t->conf.name, sizeof(keys[i].tunnel));
		keys[i].peer = ids[i];
	}
	return core_status_rows(t->agent->core, keys, n, rows);
}

void tunnel_start(struct agent *a, struct tunnel *t)
{
	if (t->started)
		return;
	t->started = true;
	core_start(a->core, t->conf.name, loop_now());
	if (t->wanted)
		core_up(a->core, t->conf.name, loop_now());
}

void tunnel_read_link(struct tunnel *t)
{
	struct esptun_link l;
	bool have = !esptun_link_get(kernel_handle(t->agent->kernel), t->device, &l);

	t->mtu = have ? l.mtu : 0;
	t->running = have && (l.operstate == IF_OPER_UP || l.operstate == IF_OPER_UNKNOWN);
}

/* ---- how it is to be -------------------------------------------------------------------- */

static bool has_cipher(void *kernel, const struct ike_cipher *cipher)
{
	return kernel_has_cipher(kernel, cipher);
}

void tunnel_core_conf(struct agent *a, const struct config *c, struct ike_tunnel_conf *out)
{
	config_tunnel(c, out);
	if (!ike_proposals_restrict(&out->esp, has_cipher, a->kernel))
		log_say(IKE_LOG_ERROR, c->name,
			"this kernel has none of the ESP algorithms of Crypto (the module takes legacy ones with legacy=1 only): see `esptun algo show`");
}

struct kernel_peer_conf tunnel_peer_conf(const struct tunnel *t)
{
	return (struct kernel_peer_conf){
		.remote = { .addr = t->conf.endpoint_addr, .port = t->conf.endpoint_port },
		.keepalive = t->conf.keepalive,
		.on_demand = config_adds_by_traffic(&t->conf),
	};
}

void tunnel_net_conf(const struct tunnel *t, struct net_conf *out)
{
	*out = (struct net_conf){
		.name = t->conf.name,
		.local = t->conf.local,
		.port = t->conf.port,
		.fwmark = t->conf.fwmark,
		.mtu = t->conf.mtu,
		.address = t->conf.address,
		.n_address = t->conf.n_address,
		.routes = t->conf.routes,
		.n_routes = t->conf.n_routes,
		.told = t->told,
		.n_told = t->n_told,
		.table = t->conf.table,
		.metric = t->conf.metric,
		.apart = t->conf.apart,
		.n_apart = t->conf.n_apart,
	};
	for (unsigned int i = 0; t->given && i < 2; i++) {
		if (!t->given->address[i].family)
			continue;
		out->given[i].addr = t->given->address[i];
		out->given[i].len = t->given->address[i].family == 4 ? 32 : 128;
	}
}
