// SPDX-License-Identifier: GPL-2.0-or-later
/* The status of tunnels, as ctl.h states its JSON. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ike/app/agent_int.h"
#include "ike/proto/addr.h"
#include "ike/proto/id.h"
#include "ike/proto/proposal_text.h"
#include "ike/proto/transform.h"
#include "ike/proto/ts_text.h"

enum {
	STATUS_SLICE = 10, /* ms, then other events have their turn */
	STATUS_AT_ONCE = 16, /* tunnels that the core is asked of in one message */
};

/* ---- status ------------------------------------------------------------------------ */

static double seconds(uint64_t ms)
{
	return (double)ms / 1000;
}

static void put_text(json_t *o, const char *key, const char *text)
{
	json_object_set_new(o, key, ctl_text(text));
}

static void put_int(json_t *o, const char *key, uint64_t v)
{
	json_object_set_new(o, key, json_integer((json_int_t)v));
}

static void put_endpoint(json_t *o, const char *key, const struct ike_endpoint *e)
{
	char text[80];

	if (e->addr.family)
		put_text(o, key, ike_endpoint_print(text, sizeof(text), e));
}

static void put_id(json_t *o, const char *key, const struct ike_id *id)
{
	char text[600];

	if (id->type)
		put_text(o, key, ike_id_print(text, sizeof(text), id));
}

static void put_spi(json_t *o, const char *key, const uint8_t spi[IKE_SPI_LEN])
{
	char text[2 * IKE_SPI_LEN + 1];

	for (unsigned int i = 0; i < IKE_SPI_LEN; i++)
		snprintf(text + 2 * i, 3, "%02x", spi[i]);
	put_text(o, key, text);
}

/* Of what was chosen, what nobody should have by accident: a sentence each. */
static void put_cautions(json_t *o, const struct ike_proposal *p)
{
	char word[64], text[256];
	json_t *list = NULL;

	for (unsigned int i = 0; i < p->n; i++) {
		const char *caution = ike_transform_caution(&p->t[i]);

		if (!caution)
			continue;
		if (!list)
			list = json_array();
		snprintf(text, sizeof(text), "%s %s",
			 ike_transform_print(word, sizeof(word), &p->t[i]), caution);
		json_array_append_new(list, ctl_text(text));
	}
	if (list)
		json_object_set_new(o, "cautions", list);
}

static void put_proposal(json_t *o, const struct ike_proposal *p)
{
	char text[256];

	if (p->n)
		put_text(o, "proposal", ike_proposal_print(text, sizeof(text), p));
	put_cautions(o, p);
}

/* How long until it is rekeyed, if that is planned. */
static void put_rekey(json_t *o, uint64_t at, uint64_t now)
{
	if (at)
		json_object_set_new(o, "rekey_in", json_real(at > now ? seconds(at - now) : 0));
}

static void put_ppk(json_t *o, enum ike_ppk ppk)
{
	static const char *const words[] = {
		[IKE_PPK_USED] = "used",
		[IKE_PPK_NOT_OFFERED] = "not-offered",
		[IKE_PPK_UNKNOWN] = "unknown",
	};

	if (ppk != IKE_PPK_NONE)
		put_text(o, "ppk", words[ppk]);
}

static json_t *ike_json(const struct ike_status *s, uint64_t now)
{
	json_t *o = json_object();
	char auth[32];

	put_text(o, "state", s->established ? "established" : "half-open");
	put_text(o, "role", s->initiator ? "initiator" : "responder");
	put_spi(o, "spi_i", s->spi_i);
	put_spi(o, "spi_r", s->spi_r);
	put_endpoint(o, "local", &s->local);
	put_endpoint(o, "remote", &s->remote);
	put_id(o, "local_id", &s->local_id);
	put_id(o, "remote_id", &s->remote_id);
	put_id(o, "first_id", &s->first_id);
	put_proposal(o, &s->ike);
	if (s->established) {
		put_text(o, "local_auth", ike_auth_print(auth, sizeof(auth), &s->local_auth));
		put_text(o, "remote_auth", ike_auth_print(auth, sizeof(auth), &s->remote_auth));
		put_ppk(o, s->ppk);
		json_object_set_new(o, "age", json_real(seconds(now - s->established_at)));
	}
	put_rekey(o, s->rekey_at, now);
	json_object_set_new(o, "nat_local", json_boolean(s->nat_local));
	json_object_set_new(o, "nat_remote", json_boolean(s->nat_remote));
	put_text(o, "encap", s->plain ? "esp" : "udp");
	json_object_set_new(o, "mobike", json_boolean(s->mobike));
	return o;
}

static json_t *ts_json(const struct ike_ts_list *l)
{
	json_t *list = json_array();
	char text[160];

	for (unsigned int i = 0; i < l->n; i++)
		json_array_append_new(list,
				      json_string(ike_ts_print(text, sizeof(text), &l->ts[i])));
	return list;
}

static json_t *child_json(const struct ike_status *s, uint64_t now)
{
	json_t *o = json_object();
	char text[16];

	snprintf(text, sizeof(text), "0x%08x", s->spi_in);
	put_text(o, "spi_in", text);
	snprintf(text, sizeof(text), "0x%08x", s->spi_out);
	put_text(o, "spi_out", text);
	put_proposal(o, &s->esp);
	put_text(o, "mode", s->mode == IKE_MODE_TRANSPORT ? "transport" : "tunnel");
	json_object_set_new(o, "local_ts", ts_json(&s->local_ts));
	json_object_set_new(o, "remote_ts", ts_json(&s->remote_ts));
	json_object_set_new(o, "age", json_real(seconds(now - s->child_at)));
	put_rekey(o, s->child_rekey_at, now);
	return o;
}

/* The next of @all, from *@at on, if they are of the key with this index. */
static struct peer_rows take_rows(const struct core_rows *all, unsigned int *at, uint32_t key)
{
	struct peer_rows r = { NULL };

	if (*at < all->n && all->v[*at].key == key)
		r.peer = &all->v[(*at)++].status;
	r.children = all->v + *at;
	while (*at + r.n_children < all->n && all->v[*at + r.n_children].key == key)
		r.n_children++;
	*at += r.n_children;
	return r;
}

/* All that are configured; of one that is not up, the name alone. */
static json_t *children_json(const struct peer_rows *r, uint64_t now)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < r->n_children; i++) {
		const struct ike_status *s = &r->children[i].status;
		json_t *o = s->have_child ? child_json(s, now) : json_object();

		put_text(o, "name", s->child_name);
		put_text(o, "state", s->have_child ? "up" : "down");
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *prefixes_json(const struct net_prefix *p, unsigned int n)
{
	json_t *list = json_array();
	char addr[64], text[80];

	for (unsigned int i = 0; i < n; i++) {
		snprintf(text, sizeof(text), "%s/%u",
			 ike_addr_print(addr, sizeof(addr), &p[i].addr), p[i].len);
		json_array_append_new(list, json_string(text));
	}
	return list;
}

/* Of a client; or ours, of a hub. */
static void put_lease(json_t *o, const struct ike_status *s)
{
	json_t *list;
	char addr[64];

	if (!s->lease[0].family && !s->lease[1].family)
		return;
	list = json_array();
	for (unsigned int i = 0; i < 2; i++) {
		if (s->lease[i].family)
			json_array_append_new(list, json_string(ike_addr_print(addr, sizeof(addr),
									       &s->lease[i])));
	}
	json_object_set_new(o, "lease", list);
}

static json_t *peer_json(const struct esptun_peer *p)
{
	json_t *o = json_object();

	put_int(o, "rx_packets", p->rx_packets);
	put_int(o, "rx_bytes", p->rx_bytes);
	put_int(o, "tx_packets", p->tx_packets);
	put_int(o, "tx_bytes", p->tx_bytes);
	if (p->has & ESPTUN_PEER_HAS_LAST_RX)
		json_object_set_new(o, "last_rx", json_real(seconds(p->last_rx)));
	put_int(o, "keepalives", p->keepalives);
	return o;
}

static json_t *counters_json(const struct esptun_stats *s)
{
	char key[ESPTUN_STATS_KEYLEN];
	json_t *o = json_object();

	for (unsigned int i = 0; i <= ESPTUN_STATS_A_MAX; i++) {
		if (esptun_stats_key(i, key) && s->v[i])
			put_int(o, key, s->v[i]);
	}
	return o;
}

/* What the kernel knows. */
static void put_kernel(struct agent *a, const struct tunnel *t, json_t *o)
{
	struct esptun *h = kernel_handle(a->kernel);
	struct esptun_link_stats *stats;
	struct esptun_peer peer;
	json_t *l;
	size_t n;

	if (!t->moved && t->mtu) {
		l = json_object();
		put_int(l, "ifindex", t->ifindex);
		put_int(l, "mtu", t->mtu);
		json_object_set_new(l, "running", json_boolean(t->running));
		json_object_set_new(o, "link", l);
	}
	if (!esptun_peer_get(h, t->ifindex, IKE_PEER_FIRST, &peer))
		json_object_set_new(o, "peer", peer_json(&peer));
	if (!esptun_stats_dump(h, t->ifindex, &stats, &n)) {
		for (size_t i = 0; i < n; i++) {
			if (stats[i].ifindex == t->ifindex)
				json_object_set_new(o, "counters", counters_json(&stats[i].stats));
		}
		free(stats);
	}
}

/* @fault: what it is about, NULL if that is not known. */
static void put_error(json_t *o, const char *text, const char *fault, uint64_t at, uint64_t now)
{
	put_text(o, "error", text);
	if (fault)
		put_text(o, "fault", fault);
	json_object_set_new(o, "error_age", json_real(seconds(now - at)));
}

static const char *const faults[] = {
	[IKE_FAULT_SILENCE] = "silence", [IKE_FAULT_INIT] = "IKE_SA_INIT",
	[IKE_FAULT_AUTH] = "IKE_AUTH",	 [IKE_FAULT_CHILD] = "child SA",
	[IKE_FAULT_CLOCK] = "clock",
};

static const char *const troubles[] = {
	[TROUBLE_DEVICE] = "netdevice",
	[TROUBLE_NAME] = "name",
	[TROUBLE_PATH] = "path",
};

static const char *const state_names[] = {
	[IKE_TUNNEL_DOWN] = "down",
	[IKE_TUNNEL_CONNECTING] = "connecting",
	[IKE_TUNNEL_UP] = "up",
	[IKE_TUNNEL_CLOSING] = "closing",
};

const char *status_state(const struct tunnel *t)
{
	if (*t->error && !t->started)
		return "failed";
	return state_names[t->state];
}

/* How far it came, how often that was tried, and why it does not go on. */
static void put_attempt(json_t *o, const struct tunnel *t, const struct ike_status *s, uint64_t now)
{
	put_int(o, "attempt", s->attempt);
	if (*s->step) {
		put_text(o, "step", s->step);
		put_int(o, "tries", s->tries);
	}
	if (s->next_try > now)
		json_object_set_new(o, "next_try", json_real(seconds(s->next_try - now)));
	if (t->send_error)
		put_text(o, "send_error", strerror(t->send_error));
}

static void put_rekeys(json_t *o, const struct ike_rekeys *r)
{
	json_object_set_new(o, "rekeys",
			    json_pack("{s:I,s:I}", "ike", (json_int_t)r->ike, "child",
				      (json_int_t)r->child));
}

static void put_core(const struct tunnel *t, const struct peer_rows *r, json_t *o, uint64_t now)
{
	const struct ike_status *s = r->peer;

	if (t->ifindex && !core_runs(t->agent->core) && !*t->error)
		put_error(
			o,
			"the process that speaks IKE has ended and is started again; SAs carry traffic meanwhile",
			NULL, now, now);
	if (!t->ifindex || !s)
		return;
	if (*s->last_error && !*t->error)
		put_error(o, s->last_error, faults[s->fault], s->last_error_at, now);
	if (s->state == IKE_TUNNEL_CONNECTING)
		put_attempt(o, t, s, now);
	put_int(o, "adopted", s->adopted);
	put_rekeys(o, &s->rekeys);
	if (t->conf.clients > 1)
		put_int(o, "n_clients", s->clients);
	put_lease(o, s);
	if (s->have_ike)
		json_object_set_new(o, "ike", ike_json(s, now));
	if (s->have_child)
		json_object_set_new(o, "child", child_json(s, now));
	if (t->conf.clients <= 1)
		json_object_set_new(o, "children", children_json(r, now));
}

/* What the kernel counts of the peer with this number; @peers are in ascending order. */
static const struct esptun_peer *find_peer(const struct esptun_peer *peers, size_t n, uint32_t id)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t at = low + (high - low) / 2;

		if (peers[at].id == id)
			return &peers[at];
		if (peers[at].id < id)
			low = at + 1;
		else
			high = at;
	}
	return NULL;
}

static int by_id(const void *a, const void *b)
{
	const struct esptun_peer *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

static json_t *client_json(const struct peer_rows *r, const struct esptun_peer *peer, uint64_t now)
{
	const struct ike_status *s = r->peer;
	json_t *o = json_object();

	put_int(o, "peer_id", s->peer);
	put_id(o, "id", &s->remote_id);
	put_text(o, "state", state_names[s->state]);
	if (*s->last_error)
		put_error(o, s->last_error, faults[s->fault], s->last_error_at, now);
	put_int(o, "adopted", s->adopted);
	put_rekeys(o, &s->rekeys);
	put_lease(o, s);
	if (s->have_ike)
		json_object_set_new(o, "ike", ike_json(s, now));
	if (peer)
		json_object_set_new(o, "peer", peer_json(peer));
	json_object_set_new(o, "children", children_json(r, now));
	return o;
}

/* @r is what the core says. */
static json_t *tunnel_json(struct agent *a, const struct tunnel *t, const struct peer_rows *r)
{
	static const char *const starts[] = { "now", "traffic", "listen" };
	uint64_t now = loop_now();
	json_t *o = json_object();

	put_text(o, "name", t->conf.name);
	put_text(o, "state", status_state(t));
	put_text(o, "start", starts[t->conf.start]);
	if (*t->error)
		put_error(o, t->error, troubles[t->trouble], t->error_at, now);
	if (*t->conf.endpoint)
		put_text(o, "endpoint", t->conf.endpoint);
	json_object_set_new(o, "addresses", prefixes_json(t->conf.address, t->conf.n_address));
	json_object_set_new(o, "routes", prefixes_json(t->conf.routes, t->conf.n_routes));
	if (t->n_told)
		json_object_set_new(o, "told_routes", prefixes_json(t->told, t->n_told));
	put_core(t, r, o, now);
	if (t->pool && t->ifindex)
		json_object_set_new(o, "pool", pool_json(t->pool));
	if (t->conf.n_radius) {
		json_object_set_new(o, "radius", servers_json(t));
		json_object_set_new(o, "radius_records", json_integer(radius_records(t)));
	}
	if (t->ifindex)
		put_kernel(a, t, o);
	return o;
}

static struct wire_key key_of(const struct tunnel *t)
{
	struct wire_key key = { .peer = 0 };

	memcpy(key.tunnel, t->conf.name, sizeof(key.tunnel));
	return key;
}

json_t *status_json(struct agent *a, const struct tunnel *t)
{
	const struct wire_key key = key_of(t);
	struct core_rows rows;
	struct peer_rows r;
	unsigned int at = 0;
	json_t *o;

	core_status_rows(a->core, &key, 1, &rows);
	r = take_rows(&rows, &at, 0);
	o = tunnel_json(a, t, &r);
	free(rows.v);
	return o;
}

static json_t *core_json(const struct agent *a)
{
	struct ike_core_stats s;

	core_stats(a->core, &s);
	return json_pack("{s:i,s:i,s:i,s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "ike_sas", s.ike_sas,
			 "half_open", s.half_open, "children", s.children, "rx", (json_int_t)s.rx,
			 "rx_bad", (json_int_t)s.rx_bad, "rx_unauthenticated",
			 (json_int_t)s.rx_unauthenticated, "tx", (json_int_t)s.tx, "retransmits",
			 (json_int_t)s.retransmits, "cookies_sent", (json_int_t)s.cookies_sent,
			 "cookies_bad", (json_int_t)s.cookies_bad);
}

static void tell_head(const struct agent *a, struct ctl_request *q, json_t *files)
{
	ctl_list_begin(q,
		       json_pack("{s:b,s:s,s:o,s:o,s:o}", "ok", 1, "version", ESPTUN_VERSION, "ike",
				 core_json(a), "folder", ctl_text(a->options->config_dir), "files",
				 files),
		       "tunnels");
}

static struct status_job *begin_job(struct agent *a, struct ctl_request *q, const char *name)
{
	struct status_job *job;

	job = calloc(1, sizeof(*job));
	if (!job) {
		ctl_answer(q, NULL);
		return NULL;
	}
	if (name)
		snprintf(job->only, sizeof(job->only), "%s", name);
	job->request = q;
	TAILQ_INSERT_TAIL(&a->status_jobs, job, link);
	return job;
}

/* Of one tunnel, with its clients, or of all: told in agent_settle(), a part at a time. */
void status_begin(struct agent *a, struct ctl_request *q, const char *name)
{
	begin_job(a, q, name);
}

void status_begin_pools(struct agent *a, struct ctl_request *q, const char *name)
{
	struct status_job *job = begin_job(a, q, name);

	if (!job)
		return;
	ctl_list_begin(q, json_pack("{s:b}", "ok", 1), "pools");
	job->has_files = job->of_pools = true; /* of which none are looked at */
	job->next = *job->only ? tunnel_by_name(a, job->only) : a->tunnels;
}

/* Some more files; when that was all, tunnels come next. */
static void look_some(struct agent *a, struct status_job *job)
{
	if (!job->files.agent)
		files_begin(a, &job->files, *job->only ? job->only : NULL);
	if (files_look(&job->files))
		return;
	tell_head(a, job->request, job->files.list);
	job->files.list = NULL;
	job->has_files = true;
	job->next = *job->only ? tunnel_by_name(a, job->only) : a->tunnels;
}

/* All of them were told, or there is no tunnel any more. */
static void end_clients(struct status_job *job)
{
	if (!job->hub)
		return;
	job->hub = NULL;
	free(job->peers);
	ctl_list_end(job->request);
}

/* The kernel is asked once for all of them. */
static void begin_clients(struct agent *a, struct status_job *job, struct tunnel *t, json_t *head)
{
	ctl_list_begin(job->request, head, "clients");
	job->hub = t;
	job->n_clients = tunnel_clients(t, job->clients);
	if (esptun_peer_dump(kernel_handle(a->kernel), t->ifindex, &job->peers, &job->n_peers)) {
		job->peers = NULL;
		job->n_peers = 0;
	}
	if (job->n_peers)
		qsort(job->peers, job->n_peers, sizeof(*job->peers), by_id);
}

/* Some more clients; false if those were all, or nobody listens any more. */
static bool tell_clients(struct status_job *job)
{
	const uint32_t *ids = job->clients + job->told;
	unsigned int n = job->n_clients - job->told, at = 0;
	struct core_rows rows;
	bool heard = true;

	if (n > STATUS_AT_ONCE)
		n = STATUS_AT_ONCE;
	tunnel_peer_rows(job->hub, ids, n, &rows);
	for (unsigned int i = 0; i < n && heard; i++) {
		const struct peer_rows r = take_rows(&rows, &at, i);
		const struct esptun_peer *peer = find_peer(job->peers, job->n_peers, ids[i]);

		if (r.peer)
			heard = ctl_list_add(job->request, client_json(&r, peer, loop_now()));
	}
	free(rows.v);
	job->told += n;
	return heard && job->told < job->n_clients;
}

/* The one that was asked for; true if its clients follow. */
static bool tell_one(struct agent *a, struct status_job *job)
{
	struct tunnel *t = job->next;

	job->next = NULL;
	if (!t)
		return false;
	if (t->ifindex && t->conf.clients > 1)
		begin_clients(a, job, t, status_json(a, t));
	else
		ctl_list_add(job->request, status_json(a, t));
	return job->hub;
}

struct tunnel *status_walk(struct agent *a, struct tunnel *from, status_fn fn, void *ctx)
{
	struct wire_key keys[STATUS_AT_ONCE] = { 0 };
	struct tunnel *tunnels[STATUS_AT_ONCE];
	unsigned int n = 0, at = 0;
	struct core_rows rows;
	bool heard = true;

	for (; from && n < STATUS_AT_ONCE; from = from->next) {
		tunnels[n] = from;
		keys[n++] = key_of(from);
	}
	core_status_rows(a->core, keys, n, &rows);
	for (unsigned int i = 0; i < n && heard; i++) {
		const struct peer_rows r = take_rows(&rows, &at, i);

		heard = fn(ctx, tunnels[i], &r);
	}
	free(rows.v);
	return heard ? from : NULL;
}

static bool tell_tunnel(void *ctx, const struct tunnel *t, const struct peer_rows *r)
{
	struct status_job *job = ctx;

	return ctl_list_add(job->request, tunnel_json(t->agent, t, r));
}

/* Some more of all tunnels; false if those were all, or nobody listens any more. */
static bool tell_tunnels(struct agent *a, struct status_job *job)
{
	job->next = status_walk(a, job->next, tell_tunnel, job);
	return job->next;
}

/* One pool more, with all its leases; false if that was the last one, or nobody listens any more. */
static bool tell_pool(struct status_job *job)
{
	struct tunnel *t = job->next;

	if (!t)
		return false;
	job->next = *job->only ? NULL : t->next;
	return pool_tell(t, job->request) && job->next;
}

/* False if that was all. */
static bool tell_some(struct agent *a, struct status_job *job)
{
	if (job->of_pools)
		return tell_pool(job);
	if (!job->has_files) {
		look_some(a, job);
		return true;
	}
	if (job->hub)
		return tell_clients(job);
	return *job->only ? tell_one(a, job) : tell_tunnels(a, job);
}

static void end_job(struct agent *a, struct status_job *job)
{
	TAILQ_REMOVE(&a->status_jobs, job, link);
	end_clients(job);
	json_decref(job->files.list);
	if (job->has_files)
		ctl_list_end(job->request);
	else
		ctl_answer(job->request, json_object());
	free(job);
}

void status_tell(struct agent *a)
{
	uint64_t until = loop_now() + STATUS_SLICE;
	struct status_job *job;

	while ((job = TAILQ_FIRST(&a->status_jobs)) && loop_now() < until) {
		if (!tell_some(a, job))
			end_job(a, job);
	}
}

void status_tunnel_ends(struct agent *a, const struct tunnel *t)
{
	struct status_job *job;

	TAILQ_FOREACH(job, &a->status_jobs, link)
	{
		if (job->next == t)
			job->next = *job->only ? NULL : t->next;
		if (job->hub == t)
			end_clients(job);
	}
}

void status_free(struct agent *a)
{
	while (!TAILQ_EMPTY(&a->status_jobs))
		end_job(a, TAILQ_FIRST(&a->status_jobs));
}
