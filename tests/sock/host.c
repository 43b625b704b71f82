// SPDX-License-Identifier: GPL-2.0-or-later
#include "host.h"

#include <endian.h>
#include <errno.h>
#include <event2/event.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <time.h>

#include "esp.h"
#include "job_results.h"
#include "ike/io/loop.h"
#include "ike/io/udp.h"
#include "ike/proto/addr.h"
#include "ike/proto/text.h"
#include "ike/proto/transform.h"

enum { BUCKETS = 4096, MARKER = 4 /* octets of the non-ESP marker, zero */ };

/* A pair of SAs, or what is left of one. */
struct pair {
	LIST_ENTRY(pair) by_spi; /* the inbound one, also once it is gone */
	LIST_ENTRY(pair) of_tunnel; /* newest first */
	struct host_tunnel *tunnel;
	uint32_t peer;
	struct esp_sa in, out;
	struct ike_endpoint local, remote;
	uint64_t soft_bytes, soft_packets; /* of each direction; 0: none, or told */
};

LIST_HEAD(pairs, pair);

struct host_tunnel {
	LIST_ENTRY(host_tunnel) by_name, all;
	char name[16];
	uint8_t psk[256];
	size_t psk_len;
	uint8_t ppk[256];
	size_t ppk_len;
	struct client_keys users; /* of EAP; its own */
	struct client_ppks ppks; /* of its clients; its own */
	uint8_t password[SECRET_ROOM]; /* ours as a user, as enum ike_job_secret says */
	size_t password_len;
	uint8_t private_key[IKE_MAX_PRIVATE];
	size_t private_len;
	struct pairs pairs;
	struct pool *pool; /* of its clients' addresses, its own; NULL: none */
	uint64_t last_rx; /* UINT64_MAX: never */
};

LIST_HEAD(host_tunnels, host_tunnel);
LIST_HEAD(delayed_list, delayed);

struct host {
	struct host_options options;
	uint64_t begun;
	struct loop *loop;
	struct udp *ike, *natt;
	struct ike_core *core;
	struct job_tls *tls; /* what jobs of EAP-TLS keep */
	struct job_results jobs; /* that are done, and the core is yet to hear of */
	struct host_tunnels by_name[BUCKETS], tunnels;
	struct delayed_list delayed; /* not sent yet */
	struct pairs by_spi[BUCKETS];
	uint64_t esp, unknown, bad, echoed, installs, removes;
	uint8_t packet[ESP_MAX], answer[ESP_MAX];
	uint8_t marked[MARKER + IKE_MAX_MSG];
};

/* ---- tables ------------------------------------------------------------------------ */

static struct host_tunnels *name_bucket(struct host *h, const char *name)
{
	uint32_t hash = 2166136261; /* FNV-1a */

	while (*name)
		hash = (hash ^ (uint8_t)*name++) * 16777619;
	return &h->by_name[hash % BUCKETS];
}

static struct host_tunnel *find_tunnel(struct host *h, const char *name)
{
	struct host_tunnel *t;

	LIST_FOREACH(t, name_bucket(h, name), by_name)
	{
		if (!strcmp(t->name, name))
			return t;
	}
	return NULL;
}

static struct pair *find_in(struct host *h, uint32_t spi)
{
	struct pair *p;

	LIST_FOREACH(p, &h->by_spi[spi % BUCKETS], by_spi)
	{
		if (p->in.spi == spi)
			return p;
	}
	return NULL;
}

static void free_pair(struct pair *p)
{
	LIST_REMOVE(p, by_spi);
	LIST_REMOVE(p, of_tunnel);
	ike_wipe(p, sizeof(*p));
	free(p);
}

/* ---- lines ------------------------------------------------------------------------- */

/* Prints and frees the object, with the time. */
static void print_line(struct host *h, json_t *line)
{
	json_object_set_new(line, "at", json_integer((json_int_t)(loop_now() - h->begun)));
	json_dumpf(line, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER);
	putchar('\n');
	fflush(stdout);
	json_decref(line);
}

static const char *spi_text(char buf[12], uint32_t spi)
{
	snprintf(buf, 12, spi ? "%08x" : "%x", spi);
	return buf;
}

static json_t *pair_line(const char *event, const char *tunnel, uint32_t spi_in, uint32_t spi_out)
{
	char in[12], out[12];

	return json_pack("{s:s, s:s, s:s, s:s}", "event", event, "tunnel", tunnel, "spi_in",
			 spi_text(in, spi_in), "spi_out", spi_text(out, spi_out));
}

static const char *state_name(enum ike_tunnel_state state)
{
	static const char *const names[] = {
		[IKE_TUNNEL_DOWN] = "down",
		[IKE_TUNNEL_CONNECTING] = "connecting",
		[IKE_TUNNEL_UP] = "up",
		[IKE_TUNNEL_CLOSING] = "closing",
	};

	return names[state];
}

/* ---- the network ------------------------------------------------------------------- */

static bool lost(const struct host *h)
{
	return h->options.loss && (unsigned int)(rand() % 100) < h->options.loss;
}

void host_send(struct host *h, const struct ike_datagram *d)
{
	struct ike_datagram marked = *d;

	if (d->local.port == IKE_PORT) {
		udp_send(h->ike, d, 0);
		return;
	}
	if (d->len > IKE_MAX_MSG)
		return;
	memcpy(h->marked + MARKER, d->data, d->len);
	marked.data = h->marked;
	marked.len += MARKER;
	udp_send(h->natt, &marked, 0);
}

/* A message on its way to the network. */
struct delayed {
	LIST_ENTRY(delayed) link;
	struct host *host;
	struct ike_datagram d;
	uint8_t data[];
};

static void on_delayed(evutil_socket_t fd, short what, void *ctx)
{
	struct delayed *m = ctx;

	(void)fd;
	(void)what;
	host_send(m->host, &m->d);
	LIST_REMOVE(m, link);
	free(m);
}

static void send_later(struct host *h, const struct ike_datagram *d)
{
	struct timeval delay = { .tv_sec = h->options.delay / 1000,
				 .tv_usec = h->options.delay % 1000 * 1000 };
	struct delayed *m = malloc(sizeof(*m) + d->len);

	if (!m)
		return;
	m->host = h;
	m->d = *d;
	m->d.data = m->data;
	memcpy(m->data, d->data, d->len);
	if (event_base_once(loop_base(h->loop), -1, EV_TIMEOUT, on_delayed, m, &delay))
		free(m);
	else
		LIST_INSERT_HEAD(&h->delayed, m, link);
}

static void env_send(void *ctx, const char *tunnel, const struct ike_datagram *d)
{
	struct host *h = ctx;

	if (h->options.send)
		h->options.send(h->options.ctx, tunnel, d);
	if (lost(h))
		return;
	if (h->options.delay)
		send_later(h, d);
	else
		host_send(h, d);
}

static void on_ike(void *ctx, const struct ike_datagram *d)
{
	struct host *h = ctx;

	if (lost(h))
		return;
	ike_core_datagram(h->core, d, loop_now());
	host_settle(h);
}

static bool reached(const struct pair *p, const struct esp_sa *sa)
{
	return (p->soft_packets && sa->packets >= p->soft_packets) ||
	       (p->soft_bytes && sa->bytes >= p->soft_bytes);
}

/* Tells the core once when either SA of a pair has come to its soft limit; @p may be gone then. */
static void check_limits(struct host *h, struct pair *p)
{
	bool in = reached(p, &p->in), out = reached(p, &p->out);

	if (!in && !out)
		return;
	p->soft_packets = p->soft_bytes = 0;
	ike_core_expire(h->core, p->tunnel->name, p->peer, in ? p->in.spi : p->out.spi, in,
			IKE_EXPIRE_SOFT, loop_now());
	host_settle(h);
}

static void answer_ping(struct host *h, const struct host_tunnel *t, uint32_t peer,
			const uint8_t *ip, size_t len)
{
	struct ike_datagram d = { .data = h->answer };
	struct pair *p;
	int n;

	LIST_FOREACH(p, &t->pairs, of_tunnel)
	{
		if (p->out.on && p->peer == peer)
			break;
	}
	n = p ? esp_seal(&p->out, ip, len, h->answer) : -1;
	if (n < 0)
		return;
	d.len = (size_t)n;
	d.local = p->local;
	d.remote = p->remote;
	if (!udp_send(h->natt, &d, 0))
		h->echoed++;
	check_limits(h, p);
}

static void on_esp(struct host *h, const struct ike_datagram *d)
{
	struct host_tunnel *t;
	struct pair *p;
	uint32_t spi, peer;
	uint8_t *ip;
	int n;

	memcpy(&spi, d->data, sizeof(spi));
	p = find_in(h, be32toh(spi));
	h->esp++;
	if (!p || !p->in.on) {
		h->unknown++;
		return;
	}
	n = -1;
	if (d->len <= sizeof(h->packet)) {
		memcpy(h->packet, d->data, d->len);
		n = esp_open(&p->in, h->packet, d->len, &ip);
	}
	if (n < 0) {
		h->bad++;
		return;
	}
	t = p->tunnel;
	peer = p->peer;
	p->in.packets++;
	p->in.bytes += (size_t)n;
	t->last_rx = loop_now();
	check_limits(h, p);
	if (esp_echo(ip, (size_t)n))
		answer_ping(h, t, peer, ip, (size_t)n);
}

static void on_natt(void *ctx, const struct ike_datagram *d)
{
	static const uint8_t marker[MARKER];
	struct ike_datagram ike = *d;

	if (d->len <= MARKER) /* a NAT keepalive, RFC 3948 2.3 */
		return;
	if (memcmp(d->data, marker, MARKER)) {
		on_esp(ctx, d);
		return;
	}
	ike.data += MARKER;
	ike.len -= MARKER;
	on_ike(ctx, &ike);
}

/* ---- the kernel -------------------------------------------------------------------- */

static int env_peer_make(void *ctx, const char *tunnel, uint32_t peer,
			 const struct ike_endpoint *remote, const struct ike_id *id)
{
	(void)id;
	(void)ctx;
	(void)tunnel;
	(void)peer;
	(void)remote;
	return 0; /* pairs say whose they are */
}

static void env_peer_remove(void *ctx, const char *tunnel, uint32_t peer)
{
	struct host_tunnel *t = find_tunnel(ctx, tunnel);

	if (t && t->pool)
		pool_release(t->pool, peer);
}

static int env_lease(void *ctx, const char *tunnel, uint32_t peer, const struct ike_id *id,
		     uint8_t family, const struct ike_addr *wanted, struct ike_addr *out)
{
	struct host_tunnel *t = find_tunnel(ctx, tunnel);

	return t && t->pool ? pool_take(t->pool, peer, id, family, wanted, out) : -EAFNOSUPPORT;
}

static int env_settings(void *ctx, const char *tunnel, const struct ike_cp *cp)
{
	char address[64] = "", server[64] = "";

	if (cp->address[0].family)
		ike_addr_print(address, sizeof(address), &cp->address[0]);
	if (cp->n_servers)
		ike_addr_print(server, sizeof(server), &cp->server[0]);
	print_line(ctx, json_pack("{s:s, s:s, s:s, s:s}", "event", "settings", "tunnel", tunnel,
				  "address", address, "server", server));
	return 0;
}

static int env_spi_alloc(void *ctx, const char *tunnel, uint32_t peer, uint32_t *spi)
{
	(void)tunnel;
	(void)peer;
	do {
		ike_crypto_random(NULL, spi, sizeof(*spi));
	} while (*spi < 256 || find_in(ctx, *spi)); /* reserved, RFC 4303 2.1 */
	return 0;
}

static int fill_sa(struct esp_sa *sa, const struct ike_child *c, bool in)
{
	if (c->key_len > sizeof(sa->key) || c->integ_len > sizeof(sa->integ))
		return -EINVAL;
	sa->spi = in ? c->spi_in : c->spi_out;
	sa->cipher = c->cipher;
	memcpy(sa->key, in ? c->key_in : c->key_out, c->key_len);
	if (c->integ_len)
		memcpy(sa->integ, in ? c->integ_in : c->integ_out, c->integ_len);
	return 0;
}

static struct pair *new_pair(struct host *h, const struct ike_child *c)
{
	struct host_tunnel *t = find_tunnel(h, c->tunnel);
	struct pair *p = t ? calloc(1, sizeof(*p)) : NULL;

	if (!p)
		return NULL;
	if (fill_sa(&p->in, c, true) || fill_sa(&p->out, c, false)) {
		free(p);
		return NULL;
	}
	p->tunnel = t;
	p->peer = c->peer;
	p->local = c->local;
	p->remote = c->remote;
	p->soft_bytes = c->soft_bytes;
	p->soft_packets = c->soft_packets;
	LIST_INSERT_HEAD(&h->by_spi[c->spi_in % BUCKETS], p, by_spi);
	LIST_INSERT_HEAD(&t->pairs, p, of_tunnel);
	return p;
}

static int env_sa_install(void *ctx, const struct ike_child *c)
{
	static const char *const parts[] = {
		[IKE_CHILD_BOTH] = "both", [IKE_CHILD_IN] = "in", [IKE_CHILD_OUT] = "out"
	};
	struct ike_transform encr = { IKE_T_ENCR, c->cipher.encr, c->cipher.key_bits };
	struct host *h = ctx;
	struct pair *p = find_in(h, c->spi_in);
	char cipher[40];
	json_t *line;

	if (!p)
		p = new_pair(h, c);
	if (!p)
		return -ENOMEM;
	p->in.on |= c->part != IKE_CHILD_OUT;
	p->out.on |= c->part != IKE_CHILD_IN;
	h->installs++;
	if (h->options.quiet)
		return 0;
	line = pair_line("install", c->tunnel, c->spi_in, c->spi_out);
	json_object_set_new(line, "part", json_string(parts[c->part]));
	ike_transform_print(cipher, sizeof(cipher), &encr);
	json_object_set_new(line, "cipher", json_string(cipher));
	print_line(h, line);
	return 0;
}

static void env_sa_remove(void *ctx, const char *tunnel, uint32_t peer, uint32_t spi_in,
			  uint32_t spi_out)
{
	struct host *h = ctx;
	struct host_tunnel *t = find_tunnel(h, tunnel);
	struct pair *p, *next;

	(void)peer;
	h->removes++;
	if (!h->options.quiet)
		print_line(h, pair_line("remove", tunnel, spi_in, spi_out));
	for (p = t ? LIST_FIRST(&t->pairs) : NULL; p; p = next) {
		next = LIST_NEXT(p, of_tunnel);
		p->in.on &= p->in.spi != spi_in;
		p->out.on &= p->out.spi != spi_out;
		if (!p->in.on && !p->out.on)
			free_pair(p);
	}
}

static uint64_t env_last_rx(void *ctx, const char *tunnel, uint32_t peer)
{
	const struct host_tunnel *t = find_tunnel(ctx, tunnel);

	(void)peer;
	return t && t->last_rx != UINT64_MAX ? loop_now() - t->last_rx : UINT64_MAX;
}

static void env_peer_moved(void *ctx, const char *tunnel, uint32_t peer,
			   const struct ike_addr *local, const struct ike_endpoint *remote,
			   bool plain)
{
	struct host *h = ctx;
	struct host_tunnel *t = find_tunnel(h, tunnel);
	struct pair *p;
	char text[64];

	(void)peer;
	(void)local; /* its sockets are of one address */
	(void)plain; /* and for UDP */
	if (!t)
		return;
	LIST_FOREACH(p, &t->pairs, of_tunnel)
	p->remote = *remote;
	if (!h->options.quiet)
		print_line(h, json_pack("{s:s, s:s, s:s}", "event", "moved", "tunnel", tunnel,
					"remote", ike_endpoint_print(text, sizeof(text), remote)));
}

static void env_peer_follow(void *ctx, const char *tunnel, uint32_t peer, bool may)
{
	(void)ctx;
	(void)tunnel;
	(void)peer;
	(void)may; /* it never does: no ESP is heard */
}

static bool env_is_outside(void *ctx, const char *tunnel, const struct ike_addr *remote)
{
	(void)ctx;
	(void)tunnel;
	(void)remote;
	return true; /* there are no netdevices of its tunnels */
}

static void env_state(void *ctx, const char *tunnel, uint32_t peer, enum ike_tunnel_state state)
{
	struct host *h = ctx;

	(void)peer;
	if (!h->options.quiet)
		print_line(h, json_pack("{s:s, s:s, s:s}", "event", "state", "tunnel", tunnel,
					"state", state_name(state)));
	if (h->options.state)
		h->options.state(h->options.ctx, tunnel, state);
}

static void env_log(void *ctx, enum ike_log_level level, const char *tunnel, const uint8_t *spi_i,
		    const uint8_t *spi_r, const char *text)
{
	static const char *const levels[] = { [IKE_LOG_ERROR] = "error",
					      [IKE_LOG_WARN] = "warning",
					      [IKE_LOG_INFO] = "info",
					      [IKE_LOG_DEBUG] = "debug" };
	struct host *h = ctx;

	(void)spi_i;
	(void)spi_r;
	if (!h->options.quiet && level <= h->options.level)
		print_line(h,
			   json_pack("{s:s, s:s, s:s, s:s}", "event", "log", "tunnel",
				     tunnel ? tunnel : "", "level", levels[level], "text", text));
}

static const uint8_t *find_user(const struct host_tunnel *t, const struct ike_id *id, size_t *len)
{
	const struct client_key *k = client_keys_find(t->users.v, t->users.n, id);

	*len = k ? k->len : 0;
	return k ? k->key : NULL;
}

static const uint8_t *find_ppk(const struct host_tunnel *t, const struct ike_job *job, size_t *len)
{
	const struct client_key *k =
		client_ppks_find(&t->ppks, job->peer, job->auth.base, job->auth.len);

	*len = k ? k->len : 0;
	return k ? k->key : NULL;
}

static const uint8_t *find_key(void *ctx, const struct ike_job *job, unsigned int i, size_t *len)
{
	const struct host_tunnel *t = find_tunnel(ctx, job->tunnels[i]);

	if (t && (job->kind == IKE_JOB_SIGN || job->kind == IKE_JOB_TLS)) {
		*len = t->private_len;
		return t->private_key;
	}
	if (t && job->kind == IKE_JOB_PPK && job->auth.len)
		return find_ppk(t, job, len);
	if (t && job->kind == IKE_JOB_PPK) {
		*len = t->ppk_len;
		return t->ppk;
	}
	if (t && (job->kind == IKE_JOB_MSCHAPV2_VERIFY || job->kind == IKE_JOB_MD5_VERIFY))
		return find_user(t, job->peer, len);
	if (t && (job->kind == IKE_JOB_MSCHAPV2_RESPOND || job->kind == IKE_JOB_MSCHAPV2_CONFIRM ||
		  job->kind == IKE_JOB_MD5_RESPOND)) {
		*len = t->password_len;
		return t->password;
	}
	*len = t ? t->psk_len : 0;
	return t ? t->psk : NULL;
}

static int64_t env_utc(void *ctx)
{
	(void)ctx;
	return time(NULL);
}

/* It is done at once; host_settle() hands the result to the core. */
static int env_job_start(void *ctx, const struct ike_job *job)
{
	struct host *h = ctx;

	return job_results_do(&h->jobs, h->tls, job, find_key, ctx);
}

/* ---- time -------------------------------------------------------------------------- */

static void on_due(void *ctx)
{
	struct host *h = ctx;

	ike_core_timer(h->core, loop_now());
	host_settle(h);
}

void host_settle(struct host *h)
{
	struct ike_job_result r;

	while (job_results_take(&h->jobs, &r))
		ike_core_job_done(h->core, &r, loop_now());
	loop_wake_at(h->loop, ike_core_next(h->core));
}

/* ---- life -------------------------------------------------------------------------- */

struct host *host_open(const struct host_options *options)
{
	struct host *h = calloc(1, sizeof(*h));
	struct ike_env env = {
		.ctx = h,
		.rng = { .fill = ike_crypto_random },
		.send = env_send,
		.peer_make = env_peer_make,
		.peer_remove = env_peer_remove,
		.lease = env_lease,
		.settings = env_settings,
		.spi_alloc = env_spi_alloc,
		.sa_install = env_sa_install,
		.sa_remove = env_sa_remove,
		.last_rx = env_last_rx,
		.peer_moved = env_peer_moved,
		.peer_follow = env_peer_follow,
		.is_outside = env_is_outside,
		.state = env_state,
		.log = env_log,
		.utc = env_utc,
		.job_start = env_job_start,
	};
	int err;

	if (!h)
		return NULL;
	h->options = *options;
	STAILQ_INIT(&h->jobs);
	h->begun = loop_now();
	srand(options->seed);
	errno = ENOMEM;
	h->tls = job_tls_new();
	h->core = h->tls ? ike_core_new(&env) : NULL;
	h->loop = h->core ? loop_new(on_due, h) : NULL;
	h->ike = h->loop ? udp_open(loop_base(h->loop), IKE_PORT, on_ike, h) : NULL;
	h->natt = h->ike ? udp_open(loop_base(h->loop), IKE_NATT_PORT, on_natt, h) : NULL;
	if (h->natt)
		return h;
	err = errno;
	host_close(h);
	errno = err;
	return NULL;
}

void host_close(struct host *h)
{
	struct ike_job_result r;
	struct host_tunnel *t;
	struct delayed *m;
	struct pair *p;

	if (!h)
		return;
	ike_core_free(h->core);
	while (job_results_take(&h->jobs, &r))
		;
	job_tls_free(h->tls);
	while ((t = LIST_FIRST(&h->tunnels))) {
		while ((p = LIST_FIRST(&t->pairs)))
			free_pair(p);
		LIST_REMOVE(t, by_name);
		LIST_REMOVE(t, all);
		pool_free(t->pool);
		client_keys_clear(&t->users);
		client_keys_clear(&t->ppks.keys);
		client_keys_clear(&t->ppks.of);
		free(t);
	}
	udp_close(h->ike);
	udp_close(h->natt);
	loop_free(h->loop);
	while ((m = LIST_FIRST(&h->delayed))) {
		LIST_REMOVE(m, link);
		free(m);
	}
	free(h);
}

int host_add(struct host *h, const struct ike_tunnel_conf *conf, const uint8_t *psk, size_t psk_len)
{
	struct host_tunnel *t = calloc(1, sizeof(*t));
	int err = t ? ike_core_tunnel_add(h->core, conf) : -ENOMEM;

	if (err) {
		free(t);
		return err;
	}
	memcpy(t->name, conf->name, sizeof(t->name));
	memcpy(t->psk, psk, psk_len);
	t->psk_len = psk_len;
	t->last_rx = UINT64_MAX;
	LIST_INSERT_HEAD(name_bucket(h, t->name), t, by_name);
	LIST_INSERT_HEAD(&h->tunnels, t, all);
	return 0;
}

void host_set_key(struct host *h, const char *tunnel, const uint8_t *key, size_t len)
{
	struct host_tunnel *t = find_tunnel(h, tunnel);

	if (!t || len > sizeof(t->private_key))
		return;
	memcpy(t->private_key, key, len);
	t->private_len = len;
}

void host_set_ppk(struct host *h, const char *tunnel, const uint8_t *key, size_t len)
{
	struct host_tunnel *t = find_tunnel(h, tunnel);

	if (!t || len > sizeof(t->ppk))
		return;
	memcpy(t->ppk, key, len);
	t->ppk_len = len;
}

void host_set_password(struct host *h, const char *tunnel, const uint8_t *key, size_t len)
{
	struct host_tunnel *t = find_tunnel(h, tunnel);

	memcpy(t->password, key, len);
	t->password_len = len;
}

void host_set_ppks(struct host *h, const char *tunnel, struct client_ppks *ppks)
{
	find_tunnel(h, tunnel)->ppks = *ppks;
	*ppks = (struct client_ppks){ 0 };
}

void host_set_users(struct host *h, const char *tunnel, struct client_keys *users)
{
	find_tunnel(h, tunnel)->users = *users;
	*users = (struct client_keys){ 0 };
}

void host_set_pool(struct host *h, const char *tunnel, struct pool *pool)
{
	find_tunnel(h, tunnel)->pool = pool;
}

void host_start(struct host *h)
{
	struct host_tunnel *t;

	LIST_FOREACH(t, &h->tunnels, all)
	ike_core_start(h->core, t->name, loop_now());
	host_settle(h);
}

struct ike_core *host_core(struct host *h)
{
	return h->core;
}

struct loop *host_loop(struct host *h)
{
	return h->loop;
}

/* ---- what there is ----------------------------------------------------------------- */

static const char *ike_spi_text(char buf[2 * IKE_SPI_LEN + 1], const uint8_t *spi)
{
	struct text t = text_init(buf, 2 * IKE_SPI_LEN + 1);

	text_add_hex(&t, spi, IKE_SPI_LEN);
	return buf;
}

static void report_tunnel(struct host *h, const struct host_tunnel *t)
{
	static const char *const ppk[] = { "none", "used", "not-offered", "unknown" };
	char spi_i[2 * IKE_SPI_LEN + 1], spi_r[2 * IKE_SPI_LEN + 1], proof[32];
	struct ike_status s;
	struct pair *p;
	json_t *line;

	if (!ike_core_tunnel_status(h->core, t->name, &s) && s.have_ike)
		print_line(h, json_pack("{s:s, s:s, s:s, s:s, s:b, s:s, s:s, s:s}", "event", "ike",
					"tunnel", t->name, "spi_i", ike_spi_text(spi_i, s.spi_i),
					"spi_r", ike_spi_text(spi_r, s.spi_r), "initiator",
					s.initiator, "state", state_name(s.state), "ppk",
					ppk[s.ppk], "remote_auth",
					ike_auth_print(proof, sizeof(proof), &s.remote_auth)));
	LIST_FOREACH(p, &t->pairs, of_tunnel)
	{
		line = pair_line("pair", t->name, p->in.on ? p->in.spi : 0,
				 p->out.on ? p->out.spi : 0);
		json_object_set_new(line, "in", json_integer((json_int_t)p->in.packets));
		json_object_set_new(line, "out", json_integer((json_int_t)p->out.packets));
		print_line(h, line);
	}
}

void host_report(struct host *h)
{
	const struct host_tunnel *t;

	LIST_FOREACH(t, &h->tunnels, all)
	report_tunnel(h, t);
	print_line(h, json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I}", "event", "total", "esp",
				(json_int_t)h->esp, "unknown", (json_int_t)h->unknown, "bad",
				(json_int_t)h->bad, "echoed", (json_int_t)h->echoed, "installs",
				(json_int_t)h->installs, "removes", (json_int_t)h->removes));
}
