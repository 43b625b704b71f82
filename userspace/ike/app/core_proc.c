// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <event2/event.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ike/app/bucket.h"
#include "ike/app/core_proc.h"
#include "ike/app/log.h"
#include "ike/app/wire.h"
#include "ike/io/loop.h"

/*
 * The agent waits for the answer of a call, and nothing else happens meanwhile. So its patience has
 * an end: the time of a call beyond QUICK, effects included, is taken from a stock, which grows by half a
 * millisecond in each. When there is none left the process is killed. Calls of twice QUICK can go on for
 * ever: as much time does a busy machine take for an honest one. So what it wants done by the clock
 * takes half of the time at most, and calls for many tunnels or jobs come some at a time, between which
 * other events have their turn; most calls in one event, 64, are those of a batch of datagrams.
 */
enum {
	LOOK_EVERY = 500, /* ms that the socket waits at a time */
	QUICK = 20, /* ms */
	HALVES = 2, /* of a millisecond, in which patience is counted */
	PATIENCE = HALVES * 10000, /* thousands of key exchanges in one call take less */
	PATIENCE_NEW = HALVES * 5000, /* with a process that has just begun */
	PATIENCE_END = HALVES * 3000, /* for its last words */
};

static const struct rate rate_patience = { PATIENCE, 1 };

/* More datagrams than any peer or stranger can make the core send are lost. */
static const struct rate rate_sends = { 50000, 50 };

struct core {
	struct event_base *base;
	struct spawn *spawn;
	struct ike_env env;
	void (*lost)(void *ctx);
	void *lost_ctx;
	int fd; /* -1: there is no ike process */
	struct event *ended;
	uint64_t next; /* what ike_core_next() said last */
	struct bucket sends;
	struct bucket patience; /* that was lost */
	bool misbehaved;
	struct wire in;
};

/* ---- the ike process's life --------------------------------------------------------------- */

static void do_log(const struct ike_env *env, const struct wire *w);

static void forget(struct core *c)
{
	if (c->ended)
		event_free(c->ended);
	c->ended = NULL;
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	c->next = UINT64_MAX;
	ike_wipe(&c->in, sizeof(c->in));
}

static int lose(struct core *c, enum wire_got why)
{
	static const char *const texts[] = {
		[WIRE_OK] = "says something unasked",
		[WIRE_GONE] = "has ended",
		[WIRE_LATE] = "does not answer",
		[WIRE_BAD] = "sends what it may not send",
	};

	c->misbehaved = why == WIRE_BAD || why == WIRE_OK;
	log_say(IKE_LOG_ERROR, NULL, "the process that speaks IKE %s: another takes its place, %s",
		texts[why],
		c->misbehaved ? "which begins without the SAs there are" : "tunnels go on");
	forget(c);
	spawn_kill(c->spawn);
	return -EPIPE;
}

/*
 * Between calls there is nothing to read but last words and the end; and if a call has read them
 * since the socket was found readable, nothing.
 */
static void on_ended(evutil_socket_t fd, short what, void *arg)
{
	struct core *c = arg;
	enum wire_got got = wire_look(c->fd, true, &c->in);

	(void)fd;
	(void)what;
	if (got == WIRE_LATE)
		return;
	if (got == WIRE_OK && c->in.h.type == WIRE_ENV_LOG) {
		do_log(&c->env, &c->in);
		return;
	}
	lose(c, got);
	c->lost(c->lost_ctx);
}

int core_restart(struct core *c)
{
	const struct timeval limit = { .tv_usec = LOOK_EVERY * 1000 };

	forget(c);
	c->misbehaved = false;
	c->patience = (struct bucket){ PATIENCE - PATIENCE_NEW, loop_awake() };
	c->fd = spawn_begin(c->spawn);
	if (c->fd < 0) {
		int err = c->fd;

		c->fd = -1;
		return err;
	}
	if (!setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) &&
	    !setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)))
		c->ended = event_new(c->base, c->fd, EV_READ | EV_PERSIST, on_ended, c);
	if (c->ended && !event_add(c->ended, NULL))
		return 0;
	forget(c);
	return -ENOMEM;
}

struct core *core_new(struct event_base *base, struct spawn *spawn, const struct ike_env *env,
		      void (*lost)(void *ctx), void *ctx)
{
	struct core *c = calloc(1, sizeof(*c));
	int err;

	if (!c)
		return NULL;
	c->base = base;
	c->spawn = spawn;
	c->env = *env;
	c->lost = lost;
	c->lost_ctx = ctx;
	c->fd = -1;
	err = core_restart(c);
	if (!err)
		return c;
	free(c);
	errno = -err;
	return NULL;
}

bool core_runs(const struct core *c)
{
	return c->fd >= 0;
}

bool core_misbehaved(const struct core *c)
{
	return c->misbehaved;
}

/* ---- what the core wants done ----------------------------------------------------------------- */

static void do_send(struct core *c)
{
	struct wire *w = &c->in;
	const struct ike_datagram d = {
		.local = w->h.local,
		.remote = w->h.remote,
		.data = w->body,
		.len = w->h.len,
	};

	if (bucket_take(&c->sends, &rate_sends, 1, loop_now()))
		c->env.send(c->env.ctx, wire_tunnel(&w->h), &d);
}

static void do_install(const struct ike_env *env, struct wire *w, struct wire_head *answer)
{
	struct wire_child *body = (struct wire_child *)w->body;

	answer->result = env->sa_install(env->ctx, wire_child_open(body, w->h.tunnel));
	ike_wipe(body, sizeof(*body));
}

static void do_log(const struct ike_env *env, const struct wire *w)
{
	const struct wire_head *h = &w->h;

	env->log(env->ctx, (enum ike_log_level)h->value, wire_tunnel(h),
		 h->have_spis ? h->spi_i : NULL, h->have_spis ? h->spi_r : NULL,
		 (const char *)w->body);
}

static void do_keylog(const struct ike_env *env, struct wire *w)
{
	struct wire_keylog *body = (struct wire_keylog *)w->body;
	const struct ike_keylog k = {
		.spi_i = body->spi_i,
		.spi_r = body->spi_r,
		.sk_ei = body->sk_ei,
		.sk_er = body->sk_er,
		.sk_ai = body->sk_a_len ? body->sk_ai : NULL,
		.sk_ar = body->sk_a_len ? body->sk_ar : NULL,
		.sk_e_len = body->sk_e_len,
		.sk_a_len = body->sk_a_len,
		.cipher = &body->cipher,
		.child = body->is_child ? wire_child_open(&body->child, w->h.tunnel) : NULL,
	};

	if (env->keylog)
		env->keylog(env->ctx, &k);
	ike_wipe(body, sizeof(*body));
}

static int do_job(const struct ike_env *env, const struct wire *w)
{
	const struct wire_job *body = (const struct wire_job *)w->body;
	const uint8_t *at = (const uint8_t *)(body + 1);
	struct ike_job job = {
		.id = body->id,
		.kind = (enum ike_job_kind)body->kind,
		.n_tunnels = body->n_tunnels,
		.tunnels = body->tunnels,
		.peer = &body->peer,
		.prf = (uint16_t)body->prf,
		.alg = (uint16_t)body->alg,
	};
	int err;

	for (unsigned int i = 0; i < IKE_JOB_OCTETS; i++) {
		job.octets[i] = (struct ike_iov){ at, body->octets_len[i] };
		at += body->octets_len[i];
	}
	job.auth = (struct ike_iov){ at, body->auth_len };
	err = env->job_start(env->ctx, &job);
	ike_wipe((void *)(body + 1), w->h.len - sizeof(*body)); /* keys, if they are for a PPK */
	return err;
}

/* One effect; false if it is none. @answered: whether the core waits for @answer. */
static bool do_effect(struct core *c, struct wire_head *answer, bool *answered)
{
	const struct ike_env *env = &c->env;
	struct wire_head *h = &c->in.h;

	*answered = false;
	switch (h->type) {
	case WIRE_ENV_SEND: do_send(c); return true;
	case WIRE_ENV_PEER_MAKE:
		answer->result = env->peer_make(env->ctx, h->tunnel, h->peer, &h->remote,
						(const struct ike_id *)c->in.body);
		return *answered = true;
	case WIRE_ENV_PEER_REMOVE: env->peer_remove(env->ctx, h->tunnel, h->peer); return true;
	case WIRE_ENV_LEASE:
		answer->result = env->lease(env->ctx, h->tunnel, h->peer,
					    (const struct ike_id *)c->in.body, (uint8_t)h->value,
					    &h->remote.addr, &answer->remote.addr);
		return *answered = true;
	case WIRE_ENV_SETTINGS:
		answer->result =
			env->settings(env->ctx, h->tunnel, (const struct ike_cp *)c->in.body);
		return *answered = true;
	case WIRE_ENV_SPI_ALLOC:
		answer->result = env->spi_alloc(env->ctx, h->tunnel, h->peer, &answer->spi_in);
		return *answered = true;
	case WIRE_ENV_SA_INSTALL: do_install(env, &c->in, answer); return *answered = true;
	case WIRE_ENV_SA_REMOVE:
		env->sa_remove(env->ctx, h->tunnel, h->peer, h->spi_in, h->spi_out);
		return true;
	case WIRE_ENV_LAST_RX:
		answer->time = env->last_rx(env->ctx, h->tunnel, h->peer);
		return *answered = true;
	case WIRE_ENV_PEER_MOVED:
		env->peer_moved(env->ctx, h->tunnel, h->peer,
				h->local.addr.family ? &h->local.addr : NULL, &h->remote, h->value);
		return true;
	case WIRE_ENV_PEER_FOLLOW:
		env->peer_follow(env->ctx, h->tunnel, h->peer, h->value);
		return true;
	case WIRE_ENV_IS_OUTSIDE:
		if (!env->is_outside(env->ctx, h->tunnel, &h->remote.addr))
			answer->result = -ENETUNREACH;
		return *answered = true;
	case WIRE_ENV_STATE:
		env->state(env->ctx, h->tunnel, h->peer, (enum ike_tunnel_state)h->value);
		return true;
	case WIRE_ENV_LOG: do_log(env, &c->in); return true;
	case WIRE_ENV_JOB_START: answer->result = do_job(env, &c->in); return *answered = true;
	case WIRE_ENV_KEYLOG: do_keylog(env, &c->in); return true;
	case WIRE_ENV_CRL_USED:
		if (env->crl_used)
			env->crl_used(env->ctx, (const char *)c->in.body);
		return true;
	default: return false;
	}
}

/* ---- calls ---------------------------------------------------------------------------------------- */

/* When the agent's patience is over; it waits from @now on. */
static uint64_t patience_until(struct core *c, uint64_t now)
{
	return now + QUICK + bucket_room(&c->patience, &rate_patience, now) / HALVES;
}

static void spend_patience(struct core *c, uint64_t waited)
{
	if (waited > QUICK)
		c->patience.used += HALVES * (waited - QUICK);
}

/* The next message that is good; else why there is none by @until. */
static enum wire_got next_message(struct core *c, uint64_t until)
{
	enum wire_got got;

	do {
		got = wire_get(c->fd, true, &c->in);
	} while (got == WIRE_LATE && loop_awake() < until);
	return got == WIRE_OK && loop_awake() > until ? WIRE_LATE : got;
}

/* Do what is wanted until the answer comes, of type @expected; else why there is none. */
static enum wire_got get_answer(struct core *c, enum wire_type expected, uint64_t until)
{
	bool answered;

	for (;;) {
		struct wire_head answer = { .type = WIRE_ANSWER };
		enum wire_got got = next_message(c, until);

		if (got != WIRE_OK)
			return got;
		if (c->in.h.type == expected)
			return WIRE_OK;
		if (!do_effect(c, &answer, &answered))
			return WIRE_BAD;
		if (answered)
			got = wire_put(c->fd, &answer, NULL);
		if (got != WIRE_OK)
			return got;
	}
}

/* Say @h and @body. The answer, of type @expected, is left in c->in; what it says is the result. */
static int call(struct core *c, const struct wire_head *h, const void *body,
		enum wire_type expected)
{
	uint64_t began = loop_awake(), waited;
	enum wire_got got;

	if (c->fd < 0)
		return -EPIPE;
	got = wire_put(c->fd, h, body);
	if (got == WIRE_OK)
		got = get_answer(c, expected, patience_until(c, began));
	/* Our word for having none. */
	if (got == WIRE_OK && c->in.h.result == -EPIPE)
		got = WIRE_BAD;
	if (got != WIRE_OK)
		return lose(c, got);
	waited = loop_awake() - began;
	spend_patience(c, waited);
	/* Other events have as long a turn, whatever it wants. */
	c->next = loop_now() + waited + 1;
	if (c->in.h.time > c->next)
		c->next = c->in.h.time;
	return c->in.h.result;
}

static struct wire_head head(enum wire_type type, const char *tunnel, uint64_t now)
{
	struct wire_head h = wire_head(type, tunnel);

	h.time = now;
	return h;
}

/* A call that a tunnel and the time say all of. */
static int call_plain(struct core *c, enum wire_type type, const char *tunnel, uint64_t now)
{
	struct wire_head h = head(type, tunnel, now);

	return call(c, &h, NULL, WIRE_RETURN);
}

/* One that hands over a configuration, as far as its children go, and its credentials. */
static int call_conf(struct core *c, struct wire_head *h, const struct ike_tunnel_conf *conf)
{
	size_t len =
		offsetof(struct ike_tunnel_conf, child) + conf->n_child * sizeof(conf->child[0]);
	uint8_t *body = malloc(len + conf->creds.len);
	int rc;

	if (!body)
		return -ENOMEM;
	memcpy(body, conf, len);
	((struct ike_tunnel_conf *)body)->creds.data =
		NULL; /* it is an address of this process alone */
	if (conf->creds.len)
		memcpy(body + len, conf->creds.data, conf->creds.len);
	h->len = (uint32_t)(len + conf->creds.len);
	rc = call(c, h, body, WIRE_RETURN);
	free(body);
	return rc;
}

int core_tunnel_add(struct core *c, const struct ike_tunnel_conf *conf)
{
	struct wire_head h = head(WIRE_TUNNEL_ADD, NULL, 0);

	return call_conf(c, &h, conf);
}

void core_adopt(struct core *c, const char *tunnel, const struct ike_adopted *pair)
{
	enum { MOST = (WIRE_BODY - sizeof(struct wire_adopted)) / sizeof(struct ike_ts) };
	struct wire_head h = head(WIRE_ADOPT, tunnel, pair->until);
	struct wire_adopted *body = (struct wire_adopted *)c->in.body;

	body->id = pair->id;
	body->n = pair->remote_ts.n < MOST ? pair->remote_ts.n : MOST;
	memcpy(body + 1, pair->remote_ts.ts, body->n * sizeof(struct ike_ts));
	h.len = (uint32_t)(sizeof(*body) + body->n * sizeof(struct ike_ts));
	h.peer = pair->peer;
	h.remote = pair->remote;
	h.spi_in = pair->spi_in;
	h.spi_out = pair->spi_out;
	call(c, &h, body, WIRE_RETURN);
}

void core_start(struct core *c, const char *tunnel, uint64_t now)
{
	call_plain(c, WIRE_START, tunnel, now);
}

void core_datagram(struct core *c, const struct ike_datagram *d, uint64_t now)
{
	struct wire_head h = head(WIRE_DATAGRAM, NULL, now);

	if (d->len > IKE_MAX_MSG)
		return; /* longer than any IKE message we take */
	h.local = d->local;
	h.remote = d->remote;
	h.len = (uint32_t)d->len;
	call(c, &h, d->data, WIRE_RETURN);
}

void core_acquire(struct core *c, const char *tunnel, const struct ike_flow *flow, uint64_t now)
{
	struct wire_head h = head(WIRE_ACQUIRE, tunnel, now);

	h.len = flow ? sizeof(*flow) : 0;
	call(c, &h, flow, WIRE_RETURN);
}

void core_expire(struct core *c, const char *tunnel, uint32_t peer, uint32_t spi, bool inbound,
		 enum ike_expire why, uint64_t now)
{
	struct wire_head h = head(WIRE_EXPIRE, tunnel, now);

	h.peer = peer;
	h.spi_in = spi;
	h.inbound = inbound;
	h.value = why;
	call(c, &h, NULL, WIRE_RETURN);
}

void core_peer_moved(struct core *c, const char *tunnel, uint32_t peer,
		     const struct ike_endpoint *remote, uint64_t now)
{
	struct wire_head h = head(WIRE_PEER_MOVED, tunnel, now);

	h.peer = peer;
	h.remote = *remote;
	call(c, &h, NULL, WIRE_RETURN);
}

void core_path(struct core *c, const char *tunnel, uint32_t peer, const struct ike_addr *local,
	       uint64_t now)
{
	struct wire_head h = head(WIRE_PATH, tunnel, now);

	h.peer = peer;
	h.local.addr = *local;
	call(c, &h, NULL, WIRE_RETURN);
}

void core_addresses(struct core *c, const char *tunnel, const struct ike_addr *ours, size_t n,
		    uint64_t now)
{
	struct wire_head h = head(WIRE_ADDRESSES, tunnel, now);

	if (n > WIRE_ADDRS)
		n = WIRE_ADDRS;
	h.len = (uint32_t)(n * sizeof(*ours));
	call(c, &h, ours, WIRE_RETURN);
}

void core_job_done(struct core *c, const struct ike_job_result *r, uint64_t now)
{
	struct wire_head h = head(WIRE_JOB_DONE, NULL, now);

	h.len = sizeof(*r);
	call(c, &h, r, WIRE_RETURN);
}

void core_fetched(struct core *c, const struct ike_fetched *f, uint64_t now)
{
	struct wire_head h = head(WIRE_FETCHED, f->tunnel, now);
	struct wire_fetched *body = (struct wire_fetched *)c->in.body;
	uint8_t *rest = (uint8_t *)(body + 1);

	memset(body, 0, sizeof(*body));
	wire_copy_text(body->uri, sizeof(body->uri), f->uri);
	wire_copy_text(body->fault, sizeof(body->fault), f->fault);
	if (f->request.len <= PKI_MAX_OCSP_REQUEST)
		body->request_len = (uint32_t)f->request.len;
	if (f->data.len <= IKE_MAX_FETCHED)
		body->data_len = (uint32_t)f->data.len;
	if (body->request_len)
		memcpy(rest, f->request.base, body->request_len);
	if (body->data_len)
		memcpy(rest + body->request_len, f->data.base, body->data_len);
	h.value = f->refused ? WIRE_FETCHED_REFUSED
		  : f->kept  ? WIRE_FETCHED_KEPT
			     : WIRE_FETCHED_NOW;
	h.len = (uint32_t)sizeof(*body) + body->request_len + body->data_len;
	call(c, &h, body, WIRE_RETURN);
}

void core_timer(struct core *c, uint64_t now)
{
	call_plain(c, WIRE_TIMER, NULL, now);
}

uint64_t core_next(const struct core *c)
{
	return c->next;
}

int core_tunnel_remote(struct core *c, const char *tunnel, const struct ike_endpoint *remote)
{
	struct wire_head h = head(WIRE_TUNNEL_REMOTE, tunnel, 0);

	h.remote = *remote;
	return call(c, &h, NULL, WIRE_RETURN);
}

int core_tunnel_change(struct core *c, const struct ike_tunnel_conf *conf, bool renew, uint64_t now)
{
	struct wire_head h = head(WIRE_TUNNEL_CHANGE, NULL, now);

	h.value = renew;
	return call_conf(c, &h, conf);
}

int core_tunnel_del(struct core *c, const char *tunnel)
{
	return call_plain(c, WIRE_TUNNEL_DEL, tunnel, 0);
}

int core_up(struct core *c, const char *tunnel, uint64_t now)
{
	return call_plain(c, WIRE_UP, tunnel, now);
}

int core_down(struct core *c, const char *tunnel, uint64_t now)
{
	return call_plain(c, WIRE_DOWN, tunnel, now);
}

int core_rekey(struct core *c, const char *tunnel, uint64_t now)
{
	return call_plain(c, WIRE_REKEY, tunnel, now);
}

int core_client_down(struct core *c, const char *tunnel, uint32_t peer, uint64_t now)
{
	struct wire_head h = head(WIRE_CLIENT_DOWN, tunnel, now);

	h.peer = peer;
	return call(c, &h, NULL, WIRE_RETURN);
}

/*
 * The rows of some of @keys, in c->in; of how many keys, or -EPIPE. A hostile process cannot make it
 * more than a row for each peer and child SA: they come in order.
 */
static int ask_status(struct core *c, const struct wire_key *keys, unsigned int n, bool children)
{
	struct wire_head h = head(WIRE_STATUS, NULL, 0);
	const struct wire_status *rows = (const struct wire_status *)c->in.body;
	uint64_t last = 0;
	int err;

	if (n > WIRE_KEYS)
		n = WIRE_KEYS;
	h.len = n * (uint32_t)sizeof(*keys);
	h.value = children;
	err = call(c, &h, keys, WIRE_RETURN_STATUS);
	if (err)
		return err;
	if (!c->in.h.value || c->in.h.value > n)
		return lose(c, WIRE_BAD);
	for (unsigned int i = 0; i < c->in.h.len / sizeof(*rows); i++) {
		uint64_t place = (uint64_t)rows[i].key << 32 | rows[i].child;

		if (rows[i].key >= c->in.h.value || (i && place <= last) ||
		    (rows[i].child && (!i || rows[i - 1].key != rows[i].key)))
			return lose(c, WIRE_BAD);
		last = place;
	}
	return (int)c->in.h.value;
}

static int append_rows(struct core_rows *rows, const struct wire *w, unsigned int first_key)
{
	unsigned int n = w->h.len / (unsigned int)sizeof(*rows->v);
	struct wire_status *grown = realloc(rows->v, (rows->n + n + 1) * sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	rows->v = grown;
	memcpy(grown + rows->n, w->body, n * sizeof(*grown));
	for (unsigned int i = 0; i < n; i++)
		grown[rows->n++].key += first_key;
	return 0;
}

int core_status_rows(struct core *c, const struct wire_key *keys, unsigned int n,
		     struct core_rows *rows)
{
	unsigned int done = 0;
	int rc = 0;

	*rows = (struct core_rows){ 0 };
	while (done < n && rc >= 0) {
		rc = ask_status(c, keys + done, n - done, true);
		if (rc < 0)
			break;
		done += (unsigned int)rc;
		rc = append_rows(rows, &c->in, done - (unsigned int)rc);
	}
	if (rc >= 0) {
		for (unsigned int i = 0; i < rows->n; i++)
			wire_status_open(&rows->v[i]);
		return 0;
	}
	free(rows->v);
	*rows = (struct core_rows){ 0 };
	return rc;
}

int core_peer_status(struct core *c, const char *tunnel, uint32_t peer, struct ike_status *out)
{
	struct wire_key key = { .peer = peer };
	int rc;

	wire_copy_text(key.tunnel, sizeof(key.tunnel), tunnel);
	rc = ask_status(c, &key, 1, false);
	if (rc < 0)
		return rc;
	if (!c->in.h.len)
		return -ENOENT;
	*out = *wire_status_open((struct wire_status *)c->in.body);
	return 0;
}

int core_tunnel_status(struct core *c, const char *tunnel, struct ike_status *out)
{
	return core_peer_status(c, tunnel, 0, out);
}

static int by_number(const void *a, const void *b)
{
	uint32_t x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return (x > y) - (x < y);
}

unsigned int core_clients(struct core *c, const char *tunnel, uint32_t *ids, unsigned int max)
{
	struct wire_head h = head(WIRE_CLIENTS, tunnel, 0);
	unsigned int n;

	if (call(c, &h, NULL, WIRE_RETURN_CLIENTS))
		return 0;
	n = c->in.h.len / (unsigned int)sizeof(*ids);
	if (n > max)
		n = max;
	memcpy(ids, c->in.body, n * sizeof(*ids));
	qsort(ids, n, sizeof(*ids), by_number);
	for (unsigned int i = 0; i < n; i++) {
		if (ids[i] == (i ? ids[i - 1] : 0)) {
			lose(c, WIRE_BAD);
			return 0;
		}
	}
	return n;
}

void core_stats(struct core *c, struct ike_core_stats *out)
{
	struct wire_head h = head(WIRE_STATS, NULL, 0);

	memset(out, 0, sizeof(*out));
	if (!call(c, &h, NULL, WIRE_RETURN_STATS))
		memcpy(out, c->in.body, sizeof(*out));
}

void core_free(struct core *c)
{
	struct wire_head h = head(WIRE_FREE, NULL, 0);

	if (!c)
		return;
	if (c->ended)
		event_del(c->ended); /* its end is expected */
	if (bucket_room(&c->patience, &rate_patience, loop_awake()) > PATIENCE_END)
		c->patience.used = PATIENCE - PATIENCE_END;
	call(c, &h, NULL, WIRE_RETURN);
	forget(c);
	free(c);
}
