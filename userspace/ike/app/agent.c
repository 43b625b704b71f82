// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/hash.h"
#include "ike/app/agent_int.h"
#include "ike/app/holder.h"
#include "ike/proto/addr.h"
#include "ike/proto/id.h"
#include "ike/proto/msg.h"

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
static unsigned int tunnel_take_todo(struct tunnel *t)
{
	unsigned int was = t->todo;

	if (was)
		TAILQ_REMOVE(&t->agent->todo, t, todo_link);
	if (was & TODO_TELL)
		t->agent->untold--;
	t->todo = 0;
	return was;
}

/* ---- trouble ------------------------------------------------------------------------- */

static const char no_error[] = "";

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
	if (cmd_wants_up(a, t))
		core_up(a->core, t->conf.name, loop_now());
}

/* ---- opening ------------------------------------------------------------------------ */

/* 0, also without a core: the next one is told, see revive_core(). -1 with t->error set and logged. */
static int tell_core(struct agent *a, struct tunnel *t)
{
	struct ike_tunnel_conf conf;
	char text[256];
	int err = -ENOMEM;

	config_tunnel(&t->conf, &conf);
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

struct kernel_peer_conf tunnel_peer_conf(const struct tunnel *t)
{
	return (struct kernel_peer_conf){
		.remote = { .addr = t->conf.endpoint_addr, .port = t->conf.endpoint_port },
		.keepalive = t->conf.keepalive,
		.on_demand = config_adds_by_traffic(&t->conf),
	};
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
		.table = t->conf.table,
		.metric = t->conf.metric,
	};
}

static int open_net(struct agent *a, struct tunnel *t)
{
	struct net_conf net;
	char text[512];
	uint32_t ifindex;

	tunnel_net_conf(t, &net);
	if (net_up(a->net, &net, &ifindex, &t->opening, text, sizeof(text))) {
		tunnel_fail(t, TROUBLE_DEVICE, text);
		return -1;
	}
	tunnel_set_index(t, ifindex);
	memcpy(t->device, t->conf.name, sizeof(t->device));
	return 0;
}

/* Nothing of what a former core knew or said. */
static void forget_core(struct tunnel *t)
{
	t->started = t->adopted = false;
	t->state = IKE_TUNNEL_DOWN;
	t->path_state = PATH_UNKNOWN; /* so that it is told anew */
	memset(&t->path, 0, sizeof(t->path));
	memset(&t->adopted_remote, 0, sizeof(t->adopted_remote));
	owned_free(&t->owned);
}

/* Nothing of what a former opening left behind. */
static void tunnel_reset(struct tunnel *t)
{
	forget_core(t);
	tunnel_well(t, t->trouble);
	t->moved = t->link_down = t->terms_kept = false;
	t->lookups = 0;
	t->lookup_at = t->restore_at = t->review_at = UINT64_MAX;
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
	adopt_all(t);
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
static void retell_core(struct agent *a, struct tunnel *t)
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
	adopt_all(t);
	path_look(a, t);
}

/*
 * Of one whose process misbehaved nothing is trusted: SAs go, with the peers that it made. What it has
 * in the kernel otherwise goes on.
 */
static void lose_core(struct agent *a, struct tunnel *t)
{
	uint32_t id;

	for (unsigned int i = 0; core_misbehaved(a->core) && (id = owned_peer_id(&t->owned, i));
	     i++)
		kernel_peer_remove(a->kernel, t->ifindex, id);
	if (core_misbehaved(a->core)) {
		make_peer(a, t);
		t->terms_kept = false;
	}
	forget_core(t);
	t->reopen_at = UINT64_MAX;
	tunnel_todo(t, TODO_TELL);
	tunnel_dirty(t);
}

/* When the next ike process may be started: the more of them end, the later. */
static void plan_next_revival(struct agent *a, uint64_t now)
{
	if (now - a->revived_at > REVIVE_LAST || !a->revive_wait)
		a->revive_wait = REVIVE_FIRST;
	else if (a->revive_wait < REVIVE_LAST)
		a->revive_wait *= 2;
	a->revived_at = now;
	a->revive_at = now + a->revive_wait;
}

/* The ike process has ended: the next one gets the tunnels there are. */
static void revive_core(struct agent *a, uint64_t now)
{
	int err;

	if (core_runs(a->core) || a->failed)
		return;
	for (struct tunnel *t = a->tunnels; t && !a->core_is_lost; t = t->next) {
		if (t->ifindex)
			lose_core(a, t);
	}
	if (!a->core_is_lost && now < a->revive_at)
		log_say(IKE_LOG_WARN, NULL,
			"the process that speaks IKE ends again and again: the next one is started in %u s",
			(unsigned int)(a->revive_at - now + 999) / 1000);
	a->core_is_lost = true;
	if (now < a->revive_at)
		return;
	plan_next_revival(a, now);
	err = core_restart(a->core);
	if (err) {
		log_say(IKE_LOG_ERROR, NULL, "cannot start the process that speaks IKE: %s",
			err == -EPIPE ? "the process that starts it has ended" : strerror(-err));
		a->failed = err == -EPIPE; /* only whoever started us can help */
		if (a->failed)
			loop_stop(a->loop);
		return;
	}
	ike_job_results_clear(&a->jobs); /* were the former one's */
	a->core_is_lost = false;
}

/* ---- closing ------------------------------------------------------------------------ */

void tunnel_close(struct agent *a, struct tunnel *t, enum after after)
{
	t->after = after;
	t->close_by = loop_now() + CLOSE_LIMIT;
	t->reopen_at = UINT64_MAX;
	tunnel_dirty(t);
	if (t->ifindex && t->started)
		core_down(a->core, t->conf.name, loop_now());
}

/* Nothing is left of it but its configuration. */
void tunnel_shut(struct agent *a, struct tunnel *t)
{
	path_forget(t);
	tunnel_take_todo(t);
	if (!t->ifindex)
		return;
	core_tunnel_del(a->core, t->conf.name);
	kernel_peer_remove(a->kernel, t->ifindex, IKE_PEER_FIRST);
	if (!t->moved)
		net_down(a->net, t->ifindex);
	tunnel_set_index(t, 0);
	owned_free(&t->owned);
	t->restore_at = t->review_at = UINT64_MAX;
	t->keys_changed = false;
	t->started = false;
	t->state = IKE_TUNNEL_DOWN;
}

static void drop_successor(struct tunnel *t)
{
	if (t->successor)
		config_clear(t->successor);
	free(t->successor);
	t->successor = NULL;
}

static void tunnel_free(struct tunnel *t)
{
	path_forget(t);
	tunnel_take_todo(t);
	if (t->is_dirty)
		TAILQ_REMOVE(&t->agent->dirty, t, dirty);
	timers_unreserve(&t->agent->timers, &t->timer);
	config_clear(&t->conf);
	drop_successor(t);
	set_error(t, NULL);
	owned_free(&t->owned);
	free(t);
}

static void tunnel_unlink(struct agent *a, struct tunnel *t)
{
	struct tunnel **at = &a->tunnels, *before = NULL;

	while (*at != t) {
		before = *at;
		at = &before->next;
	}
	cmd_tunnel_ends(a, t);
	*at = t->next;
	if (a->last == t)
		a->last = before;
	LIST_REMOVE(t, by_name);
	tunnel_free(t);
}

static struct tunnel *tunnel_insert(struct agent *a, const struct config *conf)
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
	t->lookup_at = t->reopen_at = t->restore_at = t->review_at = UINT64_MAX;
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

/* @t was closing and its SAs are gone. */
static void tunnel_closed(struct agent *a, struct tunnel *t)
{
	enum after after = t->after;

	t->after = AFTER_NOTHING;
	tunnel_shut(a, t);
	if (after == AFTER_FORGET) {
		tunnel_unlink(a, t);
	} else if (after == AFTER_REPLACE) {
		config_clear(&t->conf);
		t->conf = *t->successor;
		memset(t->successor, 0, sizeof(*t->successor)); /* all of it is in t->conf now */
		drop_successor(t);
		tunnel_open(a, t);
	}
}

/* ---- another configuration for a tunnel that runs ----------------------------------------- */

/*
 * Most changes the tunnel takes as it runs, and loses nothing: netdevice, kernel and core are each
 * told what is to be, and keep what still fits.
 */

/* Is the other end another, where one of both places is known to a name server only? */
static bool is_elsewhere_by_name(const struct config *x, const struct config *y)
{
	bool named = (*x->endpoint && !x->endpoint_addr.family) ||
		     (*y->endpoint && !y->endpoint_addr.family);

	return named && (strcmp(x->endpoint, y->endpoint) || x->endpoint_port != y->endpoint_port);
}

/* To the peer, who knows us by another identity, we would be somebody else in its place. */
static bool is_somebody_else(const struct config *x, const struct config *y)
{
	return !ike_id_eq(&x->local_id, &y->local_id) ||
	       (!x->local_id.type && !ike_addr_eq(&x->local, &y->local));
}

/* A link keeps its port, and knows no way back to the automatic MTU. */
static bool needs_reopening(const struct config *from, const struct config *to)
{
	return from->port != to->port || (from->clients > 1) != (to->clients > 1) ||
	       (from->mtu && !to->mtu) || is_elsewhere_by_name(from, to) ||
	       is_somebody_else(from, to);
}

static bool is_other_key(const struct config *x, const struct config *y)
{
	return x->psk_len != y->psk_len || !ike_equal(x->psk, y->psk, x->psk_len);
}

/* Is a key of @from another one, or none, in @to? */
static bool lacks_keys(const struct client_keys *from, const struct client_keys *to)
{
	for (unsigned int i = 0; i < from->n; i++) {
		const struct client_key *was = &from->v[i];
		const struct client_key *is = client_keys_find(to->v, to->n, &was->id);

		if (!is || !ike_id_eq(&is->id, &was->id) || is->len != was->len ||
		    !ike_equal(is->key, was->key, is->len))
			return true;
	}
	return false;
}

/* Without a core, the next one hears of the tunnel as it is then. */
static int change_core(struct agent *a, const struct tunnel *t, const struct config *conf)
{
	struct ike_tunnel_conf core;
	int err = 0;

	config_tunnel(conf, &core);
	if (!(t->todo & TODO_TELL))
		err = core_tunnel_change(a->core, &core, is_other_key(&t->conf, conf), loop_now());
	return err == -EPIPE ? 0 : err;
}

/* Netdevice and kernel peers become as t->conf has them; -1 with t->error set and logged. */
static int change_kernel(struct agent *a, struct tunnel *t)
{
	struct kernel_peer_conf peer = tunnel_peer_conf(t);
	struct net_conf net;
	uint32_t ifindex, id;
	char text[512];
	bool made;
	int err;

	tunnel_net_conf(t, &net);
	err = net_up(a->net, &net, &ifindex, &made, text, sizeof(text));
	if (!err && ifindex != t->ifindex) {
		err = -ENODEV;
		snprintf(text, sizeof(text), "another program took the netdevice away");
	}
	if (!err) {
		err = kernel_peer_make(a->kernel, t->ifindex, IKE_PEER_FIRST, &peer);
		snprintf(text, sizeof(text), "cannot change the peer of %s: %s", t->conf.name,
			 kernel_error(a->kernel));
	}
	if (err) {
		tunnel_fail(t, TROUBLE_DEVICE, text);
		return -1;
	}
	for (unsigned int i = 0; (id = owned_peer_id(&t->owned, i)); i++) {
		if (id != IKE_PEER_FIRST)
			kernel_peer_make(a->kernel, t->ifindex, id, &peer);
	}
	tunnel_well(t, TROUBLE_DEVICE);
	return 0;
}

/* The tunnel goes on with *@conf, which is its own then; false: nothing changed. */
static bool change_running(struct agent *a, struct tunnel *t, const struct config *conf)
{
	bool ours = t->ifindex && !t->after && !t->moved && !strcmp(t->device, t->conf.name);
	bool keys = is_other_key(&t->conf, conf) || lacks_keys(&t->conf.keys, &conf->keys);
	int err;

	if (!ours || needs_reopening(&t->conf, conf) || change_core(a, t, conf))
		return false;
	config_clear(&t->conf);
	t->conf = *conf;
	t->terms_kept = false;
	log_say(IKE_LOG_INFO, t->conf.name, "takes its changed configuration as it runs");
	adopt_changed(t, keys);
	err = change_kernel(a, t);
	t->path_state = PATH_UNKNOWN;
	path_look(a, t);
	if (err || t->path_state == PATH_LOOP) { /* as in tunnel_open() */
		tunnel_shut(a, t);
		t->reopen_at = loop_now() + REOPEN_EVERY;
	}
	tunnel_dirty(t);
	return true;
}

/*
 * @conf is what the file of @t says now: true if it takes the place of t->conf, at once or, if the
 * netdevice has to be made anew or @t is closing for an earlier reason, when @t is closed. Its lists
 * belong to @t then. False: it is as it was, or memory is out.
 */
static bool tunnel_change(struct agent *a, struct tunnel *t, const struct config *conf)
{
	const struct config *then = t->after == AFTER_REPLACE ? t->successor : &t->conf;
	struct config *successor;

	/* A tunnel that was to be forgotten or replaced opens again, even as it was. */
	if (config_equal(then, conf) && t->after != AFTER_FORGET) {
		if (!t->after)
			t->conf.file_time = conf->file_time;
		return false;
	}
	if (change_running(a, t, conf))
		return true;
	successor = malloc(sizeof(*successor));
	if (!successor)
		return false;
	*successor = *conf;
	drop_successor(t);
	t->successor = successor;
	if (t->after)
		t->after = AFTER_REPLACE;
	else
		tunnel_close(a, t, AFTER_REPLACE);
	return true;
}

/* ---- configuration files --------------------------------------------------------------- */

struct complaints {
	const char *path;
	json_t *errors; /* may be NULL */
	char *text; /* the first one, or NULL */
	size_t size;
};

static void on_complaint(void *ctx, bool error, unsigned int line, const char *text)
{
	struct complaints *c = ctx;
	char full[2048];

	if (line)
		snprintf(full, sizeof(full), "%s:%u: %s", c->path, line, text);
	else
		snprintf(full, sizeof(full), "%s: %s", c->path, text);
	log_say(error ? IKE_LOG_ERROR : IKE_LOG_WARN, NULL, "%s", full);
	if (error && c->errors)
		json_array_append_new(c->errors, ctl_text(full));
	if (error && c->text && !*c->text)
		snprintf(c->text, c->size, "%s", full);
}

/* @conf holds the key: its owner wipes it after tunnel_insert() has copied it. */
static int load(const struct agent *a, const char *name, struct config *conf, struct complaints *c)
{
	struct config_report report = { on_complaint, c };
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s.conf", a->options->config_dir, name);
	c->path = path;
	return reader_load(a->helpers->reader, name, conf, &report);
}

struct tunnel *tunnel_load(struct agent *a, const char *name, char *err, size_t err_size)
{
	struct complaints c = { .text = err, .size = err_size };
	struct config conf;
	struct tunnel *t;

	*err = 0;
	if (!config_name_ok(name)) {
		snprintf(err, err_size, "\"%.20s\" cannot be the name of a tunnel", name);
		return NULL;
	}
	if (load(a, name, &conf, &c))
		return NULL;
	t = tunnel_insert(a, &conf);
	if (t) {
		ike_wipe(&conf, sizeof(conf));
	} else {
		config_clear(&conf);
		snprintf(err, err_size, "out of memory");
	}
	return t;
}

static void note(json_t *list, const char *name)
{
	if (list)
		json_array_append_new(list, ctl_text(name));
}

/*
 * If only keys of clients are others, the next proof goes by them, and who is connected stays unless its
 * key is gone.
 */
static bool tunnel_take_keys(struct agent *a, struct tunnel *t, struct config *conf)
{
	struct client_keys old = t->conf.keys;

	if (t->after || config_equal(&t->conf, conf) || !config_equal_but_keys(&t->conf, conf))
		return false;
	t->conf.keys = conf->keys;
	conf->keys = old;
	memcpy(t->conf.secrets_file, conf->secrets_file, sizeof(t->conf.secrets_file));
	t->conf.file_time = conf->file_time;
	log_say(IKE_LOG_INFO, t->conf.name, "keys of clients were changed");
	change_core(a, t, &t->conf); /* so that proofs under way are judged anew, by these keys */
	adopt_changed(t, lacks_keys(&conf->keys, &t->conf.keys));
	return true;
}

/* NAME.conf is there: new, changed, or as it was. */
static void read_config(struct agent *a, const char *name, struct reload *r)
{
	struct complaints c = { .errors = r ? r->errors : NULL };
	struct tunnel *t = tunnel_by_name(a, name);
	struct config conf;

	if (load(a, name, &conf, &c))
		return;
	if (!t) {
		t = tunnel_insert(a, &conf);
		if (!t)
			config_clear(&conf);
		else if (!tunnel_open(a, t) && r)
			note(r->added, name);
		else if (r)
			note(r->errors, t->error);
	} else if (tunnel_take_keys(a, t, &conf)) {
		config_clear(&conf);
		if (r)
			note(r->changed, name);
	} else if (tunnel_change(a, t, &conf)) {
		if (r)
			note(r->changed, name);
	} else {
		config_clear(&conf);
		if (t->ifindex && !t->after)
			follow_restore(a, t);
	}
	ike_wipe(&conf, sizeof(conf));
}

struct names {
	char (*v)[256];
	size_t n;
	bool failed;
};

static void add_name(void *ctx, const char *name, const struct timespec *time)
{
	struct names *l = ctx;
	char(*grown)[256] = realloc(l->v, (l->n + 1) * sizeof(*grown));

	(void)time;
	if (!grown) {
		l->failed = true;
		return;
	}
	l->v = grown;
	snprintf(grown[l->n++], sizeof(*grown), "%s", name);
}

static bool has_name(const struct names *l, const char *name)
{
	for (size_t i = 0; i < l->n; i++) {
		if (!strcmp(l->v[i], name))
			return true;
	}
	return false;
}

/* The names of the configuration files; -1 if there are none to be had: logged, and noted in @r. */
static int list_configs(struct agent *a, struct names *l, struct reload *r)
{
	int err = reader_list(a->helpers->reader, add_name, l);
	char text[4352];

	if (!err && l->failed)
		err = -ENOMEM;
	if (!err)
		return 0;
	if (err == -EPIPE)
		snprintf(text, sizeof(text),
			 "the process that reads the configuration has ended: restart esptund");
	else
		snprintf(
			text, sizeof(text),
			"cannot read %s: %s; tunnels are files NAME.conf in it, see esptun.conf(5)",
			a->options->config_dir, strerror(-err));
	log_say(IKE_LOG_ERROR, NULL, "%s", text);
	if (r)
		note(r->errors, text);
	free(l->v);
	return -1;
}

/* What the core had done with keys, @most at a time and until then; that may be the begin of more. */
static void take_jobs(struct agent *a, unsigned int most, uint64_t until)
{
	struct ike_job_result r;

	for (unsigned int n = 0;
	     n < most && loop_now() <= until && ike_job_results_take(&a->jobs, &r); n++) {
		core_job_done(a->core, &r, loop_now());
		ike_wipe(&r, sizeof(r));
	}
}

int agent_read_configs(struct agent *a, struct reload *r)
{
	struct names files = { .n = 0 };

	if (list_configs(a, &files, r))
		return -1;
	/* They were done with keys that may be others in a moment. */
	take_jobs(a, IKE_JOBS, loop_now() + JOBS_WAIT);
	ike_job_results_clear(&a->jobs); /* so many only a hostile core has: its peers try again */
	for (struct tunnel *t = a->tunnels; t; t = t->next)
		t->has_file = false;
	for (size_t i = 0; i < files.n; i++) {
		struct tunnel *t = tunnel_by_name(a, files.v[i]);

		if (t)
			t->has_file = true;
	}
	for (struct tunnel *t = a->tunnels; t; t = t->next) {
		if (t->has_file || t->after == AFTER_FORGET)
			continue;
		tunnel_close(a, t, AFTER_FORGET);
		if (r)
			note(r->removed, t->conf.name);
	}
	if (files.n >= MANY_FILES)
		net_note_routes(a->net);
	for (size_t i = 0; i < files.n; i++)
		read_config(a, files.v[i], r);
	net_forget_routes(a->net);
	free(files.v);
	return 0;
}

struct leftovers {
	struct agent *agent;
	struct names files;
};

static void remove_leftover(void *ctx, const char *name, uint32_t ifindex)
{
	struct leftovers *l = ctx;

	if (tunnel_by_index(l->agent, ifindex) || has_name(&l->files, name))
		return;
	log_say(IKE_LOG_INFO, name, "removing this netdevice of a former agent: %s/%s.conf is gone",
		l->agent->options->config_dir, name);
	net_down(l->agent->net, ifindex);
}

/* A tunnel that outlived its agent may have lost its file since. */
static void remove_leftovers(struct agent *a)
{
	struct leftovers l = { .agent = a };

	if (list_configs(a, &l.files, NULL))
		return;
	net_each_own(a->net, remove_leftover, &l);
	free(l.files.v);
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
	if (!is_too_early(a, d))
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
 * What the kernel may have told of the tunnel's peers and of their SAs; without a pair the SPIs are 0.
 * No pair is made meanwhile that the view does not have: that takes a datagram.
 */
static void retell(struct agent *a, const struct tunnel *t)
{
	struct kernel_view *view = kernel_view(a->kernel, t->ifindex);
	uint32_t ids[1 + WIRE_CLIENTS_MAX] = { IKE_PEER_FIRST };
	unsigned int n = 1;
	struct core_rows rows;

	if (!view)
		return;
	if (t->conf.clients > 1)
		n += tunnel_clients(t, ids + 1);
	tunnel_peer_rows(t, ids, n, &rows);
	for (unsigned int i = 0; i < rows.n && t->ifindex; i++) {
		const struct ike_status *s = &rows.v[i].status;

		if (rows.v[i].child == 1 || (rows.v[i].child && s->have_child))
			kernel_retell(a->kernel, view, ids[rows.v[i].key], s->spi_in, s->spi_out);
	}
	free(rows.v);
	kernel_view_free(view);
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

/* ---- settling --------------------------------------------------------------------------------- */

static void do_todo(struct agent *a, uint64_t until)
{
	struct tunnel *t;

	while ((t = TAILQ_FIRST(&a->todo)) && core_runs(a->core) && loop_now() <= until) {
		unsigned int what = tunnel_take_todo(t);

		if (what & TODO_TELL)
			retell_core(a, t);
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
	return t->restore_at < at ? t->restore_at : at;
}

static void settle_tunnel(struct agent *a, struct tunnel *t, uint64_t now)
{
	if (t->after &&
	    (!t->ifindex || !t->started || t->state == IKE_TUNNEL_DOWN || t->close_by <= now)) {
		tunnel_closed(a, t); /* it may be gone now */
		return;
	}
	if (needs_name(t) && !t->lookup && t->lookup_at <= now)
		path_resolve(a, t);
	else if (t->reopen_at <= now && t->ifindex)
		tunnel_todo(t, TODO_TELL);
	else if (t->reopen_at <= now)
		tunnel_open(a, t);
	else if (t->restore_at <= now)
		follow_restore(a, t);
	if (t->review_at <= now)
		adopt_review(t);
	timer_set(&a->timers, &t->timer, tunnel_next(t));
}

static void settle_tunnels(struct agent *a)
{
	uint64_t now = loop_now();
	struct timer *due;
	struct tunnel *t;

	revive_core(a, now);
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
		when = a->core_is_lost ? a->revive_at : loop_now();
	else if (!TAILQ_EMPTY(&a->todo) || a->jobs.n)
		when = loop_now();
	if (cmd_next(a) < when)
		when = cmd_next(a);
	if (first && first->at < when)
		when = first->at;
	if (a->look_at < when)
		when = a->look_at;
	return when;
}

void agent_settle(struct agent *a)
{
	if (a->settling)
		return; /* a command called the core from within; the outer call goes on */
	a->settling = true;
	settle_tunnels(a);
	cmd_review(a);
	a->settling = false;
	loop_wake_at(a->loop, next_wake(a));
}

/* Once in a turn of the loop: what takes time, some of it, for others wait. */
static void on_due(void *ctx)
{
	struct agent *a = ctx;
	uint64_t until = loop_now() + TODO_SLICE;

	a->settling = true;
	if (core_next(a->core) <= loop_now())
		core_timer(a->core, loop_now());
	take_jobs(a, JOBS_AT_ONCE, until);
	do_todo(a, until);
	cmd_tell(a);
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
				 : "another program (strongswan, libreswan, iked)");
	else if (errno == EACCES)
		snprintf(err, err_size,
			 "esptund needs root rights to bind UDP port 500: run it as root");
	else
		snprintf(err, err_size, "cannot bind UDP port 500: %s", strerror(errno));
	return false;
}

static bool open_all(struct agent *a, char *err, size_t err_size)
{
	struct kernel_events events = kernel_events;
	struct ike_env env;

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
	if (terms_secret_read(a->options->socket, a->terms_secret, err, err_size))
		log_say(IKE_LOG_WARN, NULL, "%s: the next agent takes over less than it could",
			err);
	snprintf(err, err_size, "out of memory");
	agent_env(a, &env);
	a->core = core_new(loop_base(a->loop), a->helpers->spawn, &env, on_core_lost, a);
	if (!a->core)
		snprintf(err, err_size, "cannot start the process that speaks IKE: %s",
			 strerror(errno));
	return a->core;
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
	a->look_at = UINT64_MAX;
	TAILQ_INIT(&a->dirty);
	ike_job_results_init(&a->jobs);
	TAILQ_INIT(&a->todo);
	TAILQ_INIT(&a->status_jobs);
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
	remove_leftovers(a);
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
	cmd_free(a);
	/* It still takes what nobody would know from the kernel: larval SAs, and late ones. */
	core_free(a->core);
	ike_job_results_clear(&a->jobs);
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
