// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Configuration files, read at the start and again: what each change of one does to its tunnel; and CRLs
 * and OCSP responses, which are read again when they change.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ike/app/agent_int.h"
#include "ike/proto/addr.h"
#include "ike/proto/id.h"

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
	       (from->mtu && !to->mtu) || !config_equal_pool(from, to) ||
	       is_elsewhere_by_name(from, to) || is_somebody_else(from, to);
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

/* … or a PPK of a client? */
static bool lacks_any_key(const struct config *from, const struct config *to)
{
	return lacks_keys(&from->keys, &to->keys) || lacks_keys(&from->ppks.keys, &to->ppks.keys) ||
	       lacks_keys(&from->ppks.of, &to->ppks.of);
}

static bool is_other_ppk(const struct config_ppk *x, const struct config_ppk *y)
{
	if (!x || !y)
		return x != y;
	return x->len != y->len || !ike_equal(x->key, y->key, x->len);
}

/*
 * Is what the peer proves now, by @x, not enough by @y? A CA more changes nothing for it; a key of our own is
 * used from the next IKE SA on.
 */
static bool is_other_key(const struct config *x, const struct config *y)
{
	const struct ike_creds a = { x->creds, x->n_creds }, b = { y->creds, y->n_creds };

	if (!ike_auth_eq(&x->remote_auth, &y->remote_auth) ||
	    !ike_cred_has_all(&b, &a, IKE_CRED_PEER_KEY) || !ike_cred_has_all(&b, &a, IKE_CRED_CA))
		return true;
	return x->psk_len != y->psk_len || !ike_equal(x->psk, y->psk, x->psk_len) ||
	       is_other_ppk(x->ppk, y->ppk);
}

/* Without a core, the next one hears of the tunnel as it is then. */
static int change_core(struct agent *a, const struct tunnel *t, const struct config *conf)
{
	struct ike_tunnel_conf core;
	int err = 0;

	tunnel_core_conf(a, conf, &core);
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
	bool keys = is_other_key(&t->conf, conf) || lacks_any_key(&t->conf, conf);
	bool other_servers;
	int err;

	if (!ours || needs_reopening(&t->conf, conf) || change_core(a, t, conf))
		return false;
	other_servers = !config_equal_radius(&t->conf, conf);
	if (other_servers)
		backend_free(t); /* they know nothing of conversations with the former ones */
	config_clear(&t->conf);
	t->conf = *conf;
	if (other_servers)
		radius_change(t);
	t->terms_kept = false;
	if (!conf->asks_address)
		given_forget(t);
	given_change(t);
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
	tunnel_drop_successor(t);
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

static void swap_keys(struct client_keys *a, struct client_keys *b)
{
	struct client_keys old = *a;

	*a = *b;
	*b = old;
}

/*
 * If only keys of clients are others, the next proof goes by them, and who is connected stays unless its
 * key is gone.
 */
static bool tunnel_take_keys(struct agent *a, struct tunnel *t, struct config *conf)
{
	if (t->after || t->conf.clients <= 1 || config_equal(&t->conf, conf) ||
	    !config_equal_but_keys(&t->conf, conf))
		return false;
	swap_keys(&t->conf.keys, &conf->keys);
	swap_keys(&t->conf.ppks.keys, &conf->ppks.keys);
	swap_keys(&t->conf.ppks.of, &conf->ppks.of);
	memcpy(t->conf.secrets_file, conf->secrets_file, sizeof(t->conf.secrets_file));
	t->conf.file_time = conf->file_time;
	log_say(IKE_LOG_INFO, t->conf.name, "keys of clients were changed");
	change_core(a, t, &t->conf); /* so that proofs under way are judged anew, by these keys */
	adopt_changed(t, lacks_any_key(conf, &t->conf));
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

int agent_read_configs(struct agent *a, struct reload *r)
{
	struct names files = { .n = 0 };

	if (list_configs(a, &files, r))
		return -1;
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
	key_proc_again(a->key_proc);
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
void agent_remove_leftovers(struct agent *a)
{
	struct leftovers l = { .agent = a };

	if (list_configs(a, &l.files, NULL))
		return;
	net_each_own(a->net, remove_leftover, &l);
	free(l.files.v);
}

/* ---- CRLs, and the OCSP response about our certificate --------------------------------- */

/* Core and tunnel get those of @from; or neither does. 0, -E2BIG or -ENOMEM. */
static int change_cert_status(struct agent *a, struct tunnel *t, const struct config *from)
{
	struct config next = t->conf;
	int err;

	next.creds = malloc(next.n_creds + 1);
	if (!next.creds)
		return -ENOMEM;
	if (next.n_creds)
		memcpy(next.creds, t->conf.creds, next.n_creds);
	err = config_take_cert_status(&next, from);
	if (!err && change_core(a, t, &next))
		err = -ENOMEM;
	free(err ? next.creds : t->conf.creds);
	if (!err)
		t->conf = next;
	ike_wipe(&next, sizeof(next));
	return err;
}

/*
 * The tunnel goes by those of @from, from the next proof on; the core looks for those of its peers that are revoked.
 * Those that are too large are told of once; for others there may be memory when they are looked at next.
 */
static void take_cert_status(struct agent *a, struct tunnel *t, const struct config *from)
{
	const char *crls = config_paths(&t->conf)->crl, *ocsp = config_paths(&t->conf)->ocsp;
	const char *either = *crls && *ocsp ? " or " : "";
	int err = change_cert_status(a, t, from);

	if (err == -E2BIG) {
		t->conf.cert_status_time = from->cert_status_time;
		log_say(IKE_LOG_ERROR, t->conf.name,
			"%s%s%s was changed, and is not taken: certificates and CRLs have more than %d bytes",
			crls, either, ocsp, IKE_MAX_CREDS);
	} else if (err) {
		log_say(IKE_LOG_ERROR, t->conf.name,
			"%s%s%s was changed, and is not taken yet: memory is out", crls, either,
			ocsp);
	} else {
		log_say(IKE_LOG_INFO, t->conf.name, "%s%s%s was changed, and is read again", crls,
			either, ocsp);
	}
}

static void warn_of_late_crls(struct tunnel *t)
{
	const char *crls = config_paths(&t->conf)->crl;

	if (!*crls || t->crls_late == t->conf.crl_due || t->conf.crl_due > time(NULL))
		return;
	t->crls_late = t->conf.crl_due;
	log_say(IKE_LOG_WARN, t->conf.name,
		"a CRL of %s is too old by now: put the next one there, or peers whose certificates need it are refused",
		crls);
}

static void read_cert_status(struct agent *a, struct tunnel *t)
{
	struct complaints c = { .path = t->conf.name };
	struct config_report report = { on_complaint, &c };
	struct config read;
	int rc = reader_load_cert_status(a->helpers->reader, t->conf.name,
					 &t->conf.cert_status_time, &read, &report);
	bool same = config_names_same_status(&read, &t->conf);

	/* Another CRL= or OCSP= in the file counts from the next reload on. */
	if (rc > 0 && same) {
		take_cert_status(a, t, &read);
	} else if (rc == -1 && same) {
		t->conf.cert_status_time = read.cert_status_time;
		log_say(IKE_LOG_WARN, t->conf.name,
			"the CRLs and OCSP response that were read last stay in use");
	}
	config_clear(&read);
	warn_of_late_crls(t);
}

void tunnel_look_at_cert_status(struct agent *a, struct tunnel *t, uint64_t now)
{
	const struct config_paths *paths = config_paths(&t->conf);
	bool has_some = (*paths->crl || *paths->ocsp) && t->ifindex && !t->after;

	if (has_some && t->cert_status_at <= now)
		read_cert_status(a, t);
	/* Not those of all tunnels at the same time. */
	if (has_some && (t->cert_status_at <= now || t->cert_status_at == UINT64_MAX))
		t->cert_status_at = now + CERT_STATUS_EVERY + t->ifindex * 61 % CERT_STATUS_SPREAD;
	else if (!has_some)
		t->cert_status_at = UINT64_MAX;
}
