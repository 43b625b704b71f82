// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Calls of the agent's come in, the core runs, and what it wants done goes out. Nothing is left
 * to do here when the agent is gone, or says what makes no sense.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ike/app/helper.h"
#include "ike/app/log.h"
#include "ike/app/serve.h"
#include "ike/app/wire.h"

struct serve {
	int fd;
	struct ike_core *core;
	struct wire call; /* what is being done */
	struct wire answer;
	/* A job. */
	uint8_t octets[WIRE_BODY] __attribute__((aligned(16)));
	struct wire_status rows[WIRE_BODY / sizeof(struct wire_status)];
	uint32_t n_rows;
};

static void put(struct serve *s, const struct wire_head *h, const void *body)
{
	if (wire_put(s->fd, h, body) != WIRE_OK)
		_exit(0);
}

static const struct wire_head *ask(struct serve *s, const struct wire_head *h, const void *body)
{
	put(s, h, body);
	if (wire_get(s->fd, false, &s->answer) != WIRE_OK || s->answer.h.type != WIRE_ANSWER)
		_exit(0);
	return &s->answer.h;
}

static struct wire_head head_of_peer(uint32_t peer, enum wire_type type, const char *tunnel)
{
	struct wire_head h = wire_head(type, tunnel);

	h.peer = peer;
	return h;
}

/* ---- what the core wants done ------------------------------------------------------------- */

static void env_send(void *ctx, const char *tunnel, const struct ike_datagram *d)
{
	struct wire_head h = wire_head(WIRE_ENV_SEND, tunnel);

	h.len = (uint32_t)d->len;
	h.local = d->local;
	h.remote = d->remote;
	put(ctx, &h, d->data);
}

static int env_peer_make(void *ctx, const char *tunnel, uint32_t peer,
			 const struct ike_endpoint *remote, const struct ike_id *id)
{
	struct wire_head h = head_of_peer(peer, WIRE_ENV_PEER_MAKE, tunnel);

	h.remote = *remote;
	h.len = sizeof(*id);
	return ask(ctx, &h, id)->result;
}

static void env_peer_remove(void *ctx, const char *tunnel, uint32_t peer)
{
	struct wire_head h = head_of_peer(peer, WIRE_ENV_PEER_REMOVE, tunnel);

	put(ctx, &h, NULL);
}

static int env_lease(void *ctx, const char *tunnel, uint32_t peer, const struct ike_id *id,
		     uint8_t family, const struct ike_addr *wanted, struct ike_addr *out)
{
	struct wire_head h = head_of_peer(peer, WIRE_ENV_LEASE, tunnel);
	const struct wire_head *answer;

	h.remote.addr = *wanted;
	h.value = family;
	h.len = sizeof(*id);
	answer = ask(ctx, &h, id);
	*out = answer->remote.addr;
	return answer->result;
}

static int env_settings(void *ctx, const char *tunnel, const struct ike_cp *cp)
{
	struct wire_head h = wire_head(WIRE_ENV_SETTINGS, tunnel);

	h.len = sizeof(*cp);
	return ask(ctx, &h, cp)->result;
}

static int env_spi_alloc(void *ctx, const char *tunnel, uint32_t peer, uint32_t *spi)
{
	struct wire_head h = head_of_peer(peer, WIRE_ENV_SPI_ALLOC, tunnel);
	const struct wire_head *answer = ask(ctx, &h, NULL);

	*spi = answer->spi_in;
	return answer->result;
}

static int env_sa_install(void *ctx, const struct ike_child *child)
{
	struct wire_head h = wire_head(WIRE_ENV_SA_INSTALL, child->tunnel);
	struct wire_child body;
	int err;

	h.len = sizeof(body);
	wire_child_fill(&body, child);
	err = ask(ctx, &h, &body)->result;
	ike_wipe(&body, sizeof(body));
	return err;
}

static void env_sa_remove(void *ctx, const char *tunnel, uint32_t peer, uint32_t spi_in,
			  uint32_t spi_out)
{
	struct wire_head h = head_of_peer(peer, WIRE_ENV_SA_REMOVE, tunnel);

	h.spi_in = spi_in;
	h.spi_out = spi_out;
	put(ctx, &h, NULL);
}

static uint64_t env_last_rx(void *ctx, const char *tunnel, uint32_t peer)
{
	struct wire_head h = head_of_peer(peer, WIRE_ENV_LAST_RX, tunnel);

	return ask(ctx, &h, NULL)->time;
}

static void env_peer_moved(void *ctx, const char *tunnel, uint32_t peer,
			   const struct ike_addr *local, const struct ike_endpoint *remote,
			   bool plain)
{
	struct wire_head h = head_of_peer(peer, WIRE_ENV_PEER_MOVED, tunnel);

	h.value = plain;
	if (local)
		h.local.addr = *local;
	h.remote = *remote;
	put(ctx, &h, NULL);
}

static void env_peer_follow(void *ctx, const char *tunnel, uint32_t peer, bool may)
{
	struct wire_head h = head_of_peer(peer, WIRE_ENV_PEER_FOLLOW, tunnel);

	h.value = may;
	put(ctx, &h, NULL);
}

static bool env_is_outside(void *ctx, const char *tunnel, const struct ike_addr *remote)
{
	struct wire_head h = wire_head(WIRE_ENV_IS_OUTSIDE, tunnel);

	h.remote.addr = *remote;
	return !ask(ctx, &h, NULL)->result;
}

static void env_state(void *ctx, const char *tunnel, uint32_t peer, enum ike_tunnel_state state)
{
	struct wire_head h = head_of_peer(peer, WIRE_ENV_STATE, tunnel);

	h.value = state;
	put(ctx, &h, NULL);
}

static void env_log(void *ctx, enum ike_log_level level, const char *tunnel, const uint8_t *spi_i,
		    const uint8_t *spi_r, const char *text)
{
	struct wire_head h = wire_head(WIRE_ENV_LOG, tunnel);
	char body[WIRE_TEXT];

	if (!log_wants(level))
		return;
	wire_copy_text(body, sizeof(body), text);
	h.len = (uint32_t)strlen(body) + 1;
	h.value = level;
	h.have_spis = spi_i || spi_r;
	if (spi_i)
		memcpy(h.spi_i, spi_i, sizeof(h.spi_i));
	if (spi_r)
		memcpy(h.spi_r, spi_r, sizeof(h.spi_r));
	put(ctx, &h, body);
}

/* More octets behind those of the body that there are; false if there are too many. */
static bool add_octets(struct serve *s, struct wire_head *h, const struct ike_iov *from, size_t max)
{
	if (from->len > max)
		return false;
	if (from->len)
		memcpy(s->octets + h->len, from->base, from->len);
	h->len += (uint32_t)from->len;
	return true;
}

static int env_job_start(void *ctx, const struct ike_job *job)
{
	struct wire_head h = wire_head(WIRE_ENV_JOB_START, NULL);
	struct ike_iov auth = job->auth;
	struct serve *s = ctx;
	struct wire_job *body = (struct wire_job *)s->octets;
	int err;

	if (auth.len > WIRE_AUTH)
		auth.len = WIRE_AUTH;
	memset(body, 0, sizeof(*body));
	body->id = job->id;
	body->kind = job->kind;
	body->n_tunnels = job->n_tunnels;
	body->prf = job->prf;
	body->alg = job->alg;
	body->auth_len = (uint32_t)auth.len;
	body->peer = *job->peer;
	memcpy(body->tunnels, job->tunnels, job->n_tunnels * sizeof(body->tunnels[0]));
	h.len = sizeof(*body);
	for (unsigned int i = 0; i < IKE_JOB_OCTETS; i++) {
		body->octets_len[i] = (uint32_t)job->octets[i].len;
		if (!add_octets(s, &h, &job->octets[i], WIRE_OCTETS))
			return -EMSGSIZE;
	}
	add_octets(s, &h, &auth, WIRE_AUTH);
	err = ask(s, &h, body)
		      ->result; /* else who waits for one that is not begun waits for nothing */
	ike_wipe(body + 1, h.len - sizeof(*body)); /* keys, if they are for a PPK */
	return err;
}

static int64_t env_utc(void *ctx)
{
	(void)ctx;
	return time(NULL);
}

static void env_keylog(void *ctx, const struct ike_keylog *k)
{
	struct wire_head h = wire_head(WIRE_ENV_KEYLOG, k->child ? k->child->tunnel : NULL);
	struct wire_keylog body = { .is_child = k->child != NULL };

	h.len = sizeof(body);
	if (k->child) {
		wire_child_fill(&body.child, k->child);
	} else {
		memcpy(body.spi_i, k->spi_i, IKE_SPI_LEN);
		memcpy(body.spi_r, k->spi_r, IKE_SPI_LEN);
		body.cipher = *k->cipher;
		body.sk_e_len = (uint32_t)k->sk_e_len;
		body.sk_a_len = k->sk_ai ? (uint32_t)k->sk_a_len : 0;
		wire_copy_key(body.sk_ei, k->sk_ei, body.sk_e_len);
		wire_copy_key(body.sk_er, k->sk_er, body.sk_e_len);
		wire_copy_key(body.sk_ai, k->sk_ai, body.sk_a_len);
		wire_copy_key(body.sk_ar, k->sk_ar, body.sk_a_len);
	}
	put(ctx, &h, &body);
	ike_wipe(&body, sizeof(body));
}

static void env_crl_used(void *ctx, const char *uri)
{
	struct wire_head h = wire_head(WIRE_ENV_CRL_USED, NULL);

	h.len = (uint32_t)strlen(uri) + 1;
	put(ctx, &h, uri);
}

/* ---- what the agent calls --------------------------------------------------------------------- */

static void put_return(struct serve *s, struct wire_head *h, const void *body, size_t len)
{
	h->len = (uint32_t)len;
	h->time = ike_core_next(s->core);
	put(s, h, body);
}

/* The rows of one key; false if there is no room for all. */
static bool add_rows(struct serve *s, const struct wire_key *k, uint32_t key, bool children)
{
	const size_t room = sizeof(s->rows) / sizeof(s->rows[0]);
	uint32_t n = s->n_rows, child = 0;
	struct ike_status status;
	int err;

	if (k->peer)
		err = ike_core_peer_status(s->core, k->tunnel, k->peer, &status);
	else
		err = ike_core_tunnel_status(s->core, k->tunnel, &status);
	while (!err) {
		if (n == room)
			return false;
		wire_status_fill(&s->rows[n++], key, child++, &status);
		if (!children)
			break;
		err = ike_core_child_status(s->core, k->tunnel, k->peer ? k->peer : IKE_PEER_FIRST,
					    child - 1, &status);
	}
	s->n_rows = n;
	return true;
}

/* Of as many keys as there is room for. */
static void tell_status(struct serve *s)
{
	const struct wire_key *keys = (const struct wire_key *)s->call.body;
	uint32_t n = s->call.h.len / (uint32_t)sizeof(*keys), done = 0;
	struct wire_head h = wire_head(WIRE_RETURN_STATUS, NULL);

	s->n_rows = 0;
	while (done < n && add_rows(s, &keys[done], done, s->call.h.value))
		done++;
	h.value = done;
	put_return(s, &h, s->rows, s->n_rows * sizeof(s->rows[0]));
}

static void tell_clients(struct serve *s)
{
	struct wire_head h = wire_head(WIRE_RETURN_CLIENTS, NULL);
	uint32_t ids[WIRE_CLIENTS_MAX], n = 0, id = 0;

	while (n < WIRE_CLIENTS_MAX && (id = ike_core_client_next(s->core, s->call.h.tunnel, id)))
		ids[n++] = id;
	put_return(s, &h, ids, n * sizeof(ids[0]));
}

static void tell_stats(struct serve *s)
{
	struct wire_head h = wire_head(WIRE_RETURN_STATS, NULL);
	struct ike_core_stats body;

	ike_core_stats(s->core, &body);
	put_return(s, &h, &body, sizeof(body));
}

static void adopt(struct serve *s)
{
	const struct wire_head *h = &s->call.h;
	const struct wire_adopted *body = (const struct wire_adopted *)s->call.body;
	const struct ike_adopted pair = {
		.peer = h->peer,
		.id = body->id,
		.remote = h->remote,
		.remote_ts = { body->n, (const struct ike_ts *)(body + 1) },
		.spi_in = h->spi_in,
		.spi_out = h->spi_out,
		.until = h->time,
	};

	ike_core_adopt(s->core, h->tunnel, &pair);
}

/* The configuration in a call, with its credentials, which are behind its child SAs. */
static const struct ike_tunnel_conf *open_conf(struct serve *s)
{
	struct ike_tunnel_conf *conf = (struct ike_tunnel_conf *)s->call.body;

	conf->creds.data = (const uint8_t *)(conf->child + conf->n_child);
	return conf;
}

static int change_tunnel(struct serve *s)
{
	return ike_core_tunnel_change(s->core, open_conf(s), s->call.h.value, s->call.h.time);
}

static void take_result(struct serve *s)
{
	ike_core_job_done(s->core, (const struct ike_job_result *)s->call.body, s->call.h.time);
	ike_wipe(s->call.body, sizeof(struct ike_job_result));
}

static void take_fetched(struct serve *s)
{
	const struct wire_fetched *body = (const struct wire_fetched *)s->call.body;
	const uint8_t *rest = (const uint8_t *)(body + 1);
	const struct ike_fetched f = {
		.uri = body->uri,
		.request = { rest, body->request_len },
		.data = { body->data_len ? rest + body->request_len : NULL, body->data_len },
		.fault = *body->fault ? body->fault : NULL,
		.tunnel = wire_tunnel(&s->call.h),
		.refused = s->call.h.value == WIRE_FETCHED_REFUSED,
		.kept = s->call.h.value == WIRE_FETCHED_KEPT,
	};

	ike_core_fetched(s->core, &f, s->call.h.time);
}

static void take_datagram(struct serve *s)
{
	const struct wire_head *h = &s->call.h;
	const struct ike_datagram d = {
		.local = h->local,
		.remote = h->remote,
		.data = s->call.body,
		.len = h->len,
	};

	ike_core_datagram(s->core, &d, h->time);
}

/* The last words to the kernel; what comes then is the end of the socket. */
static void free_core(struct serve *s)
{
	struct wire_head h = wire_head(WIRE_RETURN, NULL);

	ike_core_free(s->core);
	put(s, &h, NULL);
	_exit(0);
}

/* False if it was answered already; else what it gives is in @result. */
static bool do_call(struct serve *s, int32_t *result)
{
	const struct wire_head *h = &s->call.h;
	struct ike_core *core = s->core;

	*result = 0;
	switch (h->type) {
	case WIRE_TUNNEL_ADD: *result = ike_core_tunnel_add(core, open_conf(s)); return true;
	case WIRE_ADOPT: adopt(s); return true;
	case WIRE_START: ike_core_start(core, h->tunnel, h->time); return true;
	case WIRE_DATAGRAM: take_datagram(s); return true;
	case WIRE_ACQUIRE:
		ike_core_acquire(core, h->tunnel,
				 h->len ? (const struct ike_flow *)s->call.body : NULL, h->time);
		return true;
	case WIRE_EXPIRE:
		ike_core_expire(core, h->tunnel, h->peer, h->spi_in, h->inbound,
				(enum ike_expire)h->value, h->time);
		return true;
	case WIRE_PEER_MOVED:
		ike_core_peer_moved(core, h->tunnel, h->peer, &h->remote, h->time);
		return true;
	case WIRE_PATH:
		ike_core_path(core, h->tunnel, h->peer, &h->local.addr, h->time);
		return true;
	case WIRE_ADDRESSES:
		ike_core_addresses(core, h->tunnel, (const struct ike_addr *)s->call.body,
				   h->len / sizeof(struct ike_addr), h->time);
		return true;
	case WIRE_JOB_DONE: take_result(s); return true;
	case WIRE_FETCHED: take_fetched(s); return true;
	case WIRE_TIMER: ike_core_timer(core, h->time); return true;
	case WIRE_TUNNEL_REMOTE:
		*result = ike_core_tunnel_remote(core, h->tunnel, &h->remote);
		return true;
	case WIRE_TUNNEL_CHANGE: *result = change_tunnel(s); return true;
	case WIRE_TUNNEL_DEL: *result = ike_core_tunnel_del(core, h->tunnel); return true;
	case WIRE_UP: *result = ike_core_up(core, h->tunnel, h->time); return true;
	case WIRE_DOWN: *result = ike_core_down(core, h->tunnel, h->time); return true;
	case WIRE_REKEY: *result = ike_core_rekey(core, h->tunnel, h->time); return true;
	case WIRE_CLIENT_DOWN:
		*result = ike_core_client_down(core, h->tunnel, h->peer, h->time);
		return true;
	case WIRE_STATUS: tell_status(s); return false;
	case WIRE_CLIENTS: tell_clients(s); return false;
	case WIRE_STATS: tell_stats(s); return false;
	case WIRE_FREE: free_core(s); return false;
	default: _exit(1); /* an answer that nobody asked for */
	}
}

void serve_last_words(const char *text)
{
	struct wire_head h = { .type = WIRE_ENV_LOG, .value = IKE_LOG_ERROR };

	h.len = (uint32_t)strlen(text) + 1;
	wire_put(HELPER_FD, &h, text);
}

void serve_core(int fd, bool keylog)
{
	struct serve *s = calloc(1, sizeof(*s));
	const struct ike_env env = {
		.ctx = s,
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
		.crl_used = env_crl_used,
		.keylog = keylog ? env_keylog : NULL,
	};
	struct wire_head answer = wire_head(WIRE_RETURN, NULL);

	if (!s)
		_exit(1);
	s->fd = fd;
	s->core = ike_core_new(&env);
	while (s->core && wire_get(fd, false, &s->call) == WIRE_OK) {
		if (do_call(s, &answer.result))
			put_return(s, &answer, NULL, 0);
	}
	_exit(0);
}
