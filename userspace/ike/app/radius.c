// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A tunnel's client of RADIUS servers (radius_client.h), with what it has done: sockets are the agent's, secrets the
 * keys process's. Of an answer that is not authentic the agent looks at the head alone.
 *
 * It is made when it is needed first, with the [Radius] sections that there are then, and goes with them.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ike/app/agent_int.h"
#include "ike/proto/id.h"

/* Jobs of the core have no such numbers, see env.c. */
static const uint64_t OWN_JOB = 1ULL << 63;

enum { ACCOUNTING_OWNER = 0 /* nobody waits for the answer to such a request */ };

struct radius_work {
	LIST_ENTRY(radius_work) link;
	uint64_t job, request;
	bool check;
};

struct radius {
	LIST_ENTRY(radius) link;
	struct tunnel *tunnel;
	struct radius_client *client;
	struct radius_udp *udp;
	radius_done_fn done;
	LIST_HEAD(, radius_work) works;
	bool lost_records; /* told since the last one that arrived */
};

/* ---- what the client has done ------------------------------------------------------------------ */

static int begin_work(struct radius *r, uint64_t request, bool check, struct ike_job *job,
		      unsigned int server)
{
	static const struct ike_id nobody;
	struct agent *a = r->tunnel->agent;
	struct radius_work *w = calloc(1, sizeof(*w));
	char name[1][IKE_JOB_NAME];
	int err;

	if (!w)
		return -ENOMEM;
	memcpy(name[0], r->tunnel->conf.name, sizeof(name[0]));
	job->id = w->job = OWN_JOB | ++a->own_jobs;
	job->kind = check ? IKE_JOB_RADIUS_CHECK : IKE_JOB_RADIUS_SIGN;
	job->n_tunnels = 1;
	job->tunnels = name;
	job->peer = &nobody;
	job->alg = (uint16_t)server;
	w->request = request;
	w->check = check;
	err = key_proc_begin(a->key_proc, job);
	if (err)
		free(w);
	else
		LIST_INSERT_HEAD(&r->works, w, link);
	return err;
}

static int env_sign(void *ctx, uint64_t request, unsigned int server, const uint8_t *packet,
		    size_t len)
{
	struct ike_job job = { .octets = { { packet, len } } };

	return begin_work(ctx, request, false, &job, server);
}

static int env_check(void *ctx, uint64_t request, unsigned int server,
		     const uint8_t authenticator[RADIUS_AUTHENTICATOR], const uint8_t *data,
		     size_t len)
{
	struct ike_job job = { .octets = { { authenticator, RADIUS_AUTHENTICATOR },
					   { data, len } } };

	return begin_work(ctx, request, true, &job, server);
}

static int env_open(void *ctx, uint64_t request, const struct ike_endpoint *server)
{
	return radius_udp_open(((struct radius *)ctx)->udp, request, server);
}

static void env_close(void *ctx, uint64_t request)
{
	radius_udp_close(((struct radius *)ctx)->udp, request);
}

static void env_send(void *ctx, uint64_t request, const uint8_t *packet, size_t len)
{
	radius_udp_send(((struct radius *)ctx)->udp, request, packet, len);
}

static void env_listen(void *ctx, uint64_t request)
{
	radius_udp_listen(((struct radius *)ctx)->udp, request);
}

static void env_say(void *ctx, bool wrong, const char *text)
{
	const struct radius *r = ctx;

	log_core(wrong ? IKE_LOG_ERROR : IKE_LOG_INFO, r->tunnel->conf.name, NULL, NULL, text,
		 loop_now());
}

static void note_record(struct radius *r, const struct radius_result *result)
{
	if (result->end == RADIUS_ANSWERED)
		r->lost_records = false;
	else if (!r->lost_records)
		env_say(r, true,
			"no RADIUS server takes a record of accounting, which is lost: is one listening on the port of Accounting=?");
	r->lost_records |= result->end != RADIUS_ANSWERED;
}

static void env_done(void *ctx, const struct radius_result *result)
{
	struct radius *r = ctx;

	if (result->owner == ACCOUNTING_OWNER)
		note_record(r, result);
	else
		r->done(r->tunnel, result);
}

/* The tunnel's timer has to be set anew. */
static void touch(struct radius *r)
{
	tunnel_dirty(r->tunnel);
	agent_wake(r->tunnel->agent);
}

static void on_datagram(void *ctx, uint64_t request, int error, const void *data, size_t len)
{
	struct radius *r = ctx;

	radius_client_datagram(r->client, request, error, data, len, loop_now());
	touch(r);
}

/* ---- life -------------------------------------------------------------------------------------- */

static bool make_client(struct radius *r)
{
	const struct radius_env env = {
		.ctx = r,
		.rng = { .fill = ike_crypto_random },
		.sign = env_sign,
		.check = env_check,
		.open = env_open,
		.close = env_close,
		.send = env_send,
		.listen = env_listen,
		.done = env_done,
		.say = env_say,
	};
	const struct config *c = &r->tunnel->conf;
	struct radius_servers servers = { .n = c->n_radius };

	for (unsigned int i = 0; i < c->n_radius; i++)
		servers.v[i] = c->radius[i].server;
	r->udp = radius_udp_new(loop_base(r->tunnel->agent->loop), on_datagram, r);
	r->client = r->udp ? radius_client_new(&env, &servers) : NULL;
	return r->client;
}

static void say_dropped(struct radius *r, unsigned int records)
{
	char text[128];

	snprintf(text, sizeof(text),
		 "records of accounting that no RADIUS server had taken are lost: %u", records);
	if (records)
		env_say(r, true, text);
}

unsigned int radius_records(const struct tunnel *t)
{
	return t->radius && t->radius->client ? radius_client_records(t->radius->client) : 0;
}

static void free_radius(struct radius *r)
{
	if (r->client)
		say_dropped(r, radius_client_records(r->client));
	radius_client_free(r->client);
	radius_udp_free(r->udp);
	while (!LIST_EMPTY(&r->works)) {
		struct radius_work *w = LIST_FIRST(&r->works);

		LIST_REMOVE(w, link);
		free(w);
	}
	LIST_REMOVE(r, link);
	free(r);
}

void radius_free(struct tunnel *t)
{
	struct radius *r = t->radius;

	t->radius = NULL;
	if (r)
		free_radius(r);
}

static struct radius *radius_of(struct tunnel *t)
{
	struct radius *r = t->radius;

	if (r || !t->conf.n_radius)
		return r;
	r = calloc(1, sizeof(*r));
	if (!r)
		return NULL;
	r->tunnel = t;
	LIST_INIT(&r->works);
	LIST_INSERT_HEAD(&t->agent->radius, r, link);
	t->radius = r;
	if (make_client(r))
		return r;
	radius_free(t);
	return NULL;
}

void radius_change(struct tunnel *t)
{
	struct radius *former = t->radius, *r = NULL;

	if (!former)
		return;
	t->radius = NULL;
	if (radius_client_records(former->client))
		r = radius_of(t);
	if (r) {
		radius_client_move_records(former->client, r->client, loop_now());
		touch(r);
	}
	free_radius(former);
}

/* ---- for the agent ------------------------------------------------------------------------------- */

static int put_question(struct radius *r, const struct radius_question *q)
{
	int err = radius_client_ask(r->client, q, loop_now());

	touch(r);
	return err;
}

int radius_ask(struct tunnel *t, const struct radius_question *q, radius_done_fn done)
{
	struct radius *r = radius_of(t);

	if (!r)
		return t->conf.n_radius ? -ENOMEM : -ENOENT;
	r->done = done;
	return put_question(r, q);
}

void radius_add_nas(struct writer *b, const struct tunnel *t)
{
	enum { SERVICE_FRAMED = 2, PORT_VIRTUAL = 5 };
	char id[IKE_MAX_ID + 16];

	/* RFC 2865 5.4, 5.32: an address, or a name. */
	radius_add_text(b, RADIUS_A_NAS_IDENTIFIER,
			t->conf.local_id.type ? ike_id_print(id, sizeof(id), &t->conf.local_id)
					      : t->conf.name);
	radius_add_u32(b, RADIUS_A_NAS_PORT_TYPE, PORT_VIRTUAL);
	radius_add_u32(b, RADIUS_A_SERVICE_TYPE, SERVICE_FRAMED);
}

void radius_account(struct tunnel *t, const uint8_t *attributes, size_t len)
{
	const struct radius_question q = { ACCOUNTING_OWNER, RADIUS_ACCOUNTING_REQUEST,
					   RADIUS_ANY_SERVER, attributes, len };
	const struct radius_result lost = { .end = RADIUS_FAILED };
	struct radius *r = radius_of(t);

	if (r && put_question(r, &q))
		note_record(r, &lost);
}

void radius_drop(struct tunnel *t, uint64_t owner)
{
	if (t->radius)
		radius_client_drop(t->radius->client, owner);
}

static void take_result(struct radius *r, struct radius_work *w,
			const struct ike_job_result *result)
{
	uint64_t now = loop_now();

	if (!w->check)
		radius_client_signed(r->client, w->request, result->error, result->auth, now);
	else if (result->auth_len && result->auth[0] < RADIUS_FAULTS)
		radius_client_checked(r->client, w->request, result->error,
				      (enum radius_fault)result->auth[0], result->auth + 1,
				      result->auth_len - 1, now);
	else
		radius_client_checked(r->client, w->request, result->error ? result->error : -EIO,
				      RADIUS_MALFORMED, NULL, 0, now);
	free(w);
	touch(r);
}

bool radius_job_done(struct agent *a, const struct ike_job_result *result)
{
	struct radius_work *w;
	struct radius *r;

	if (!radius_owns_job(result->id))
		return false;
	LIST_FOREACH(r, &a->radius, link)
	{
		LIST_FOREACH(w, &r->works, link)
		{
			if (w->job != result->id)
				continue;
			LIST_REMOVE(w, link);
			take_result(r, w, result);
			return true;
		}
	}
	return true; /* it came too late */
}

/* The server repeats its answer, if it was one that got lost. */
static void lose_work(struct radius *r, struct radius_work *w)
{
	uint64_t now = loop_now();

	if (w->check)
		radius_client_checked(r->client, w->request, -EAGAIN, RADIUS_MALFORMED, NULL, 0,
				      now);
	else
		radius_client_signed(r->client, w->request, -EAGAIN, NULL, now);
	free(w);
	touch(r);
}

void radius_jobs_lost(struct agent *a)
{
	struct radius_work *w;
	struct radius *r;

	LIST_FOREACH(r, &a->radius, link)
	{
		LIST_HEAD(, radius_work) lost = LIST_HEAD_INITIALIZER(lost);

		while ((w = LIST_FIRST(&r->works))) { /* new ones come meanwhile */
			LIST_REMOVE(w, link);
			LIST_INSERT_HEAD(&lost, w, link);
		}
		while ((w = LIST_FIRST(&lost))) {
			LIST_REMOVE(w, link);
			lose_work(r, w);
		}
	}
}

bool radius_owns_job(uint64_t id)
{
	return id & OWN_JOB;
}

const uint8_t *radius_secret(const struct tunnel *t, const struct ike_job *job, size_t *len)
{
	if (job->alg >= t->conf.n_radius)
		return NULL;
	*len = t->conf.radius[job->alg].secret_len;
	return t->conf.radius[job->alg].secret;
}

void radius_status(const struct tunnel *t, unsigned int server, struct radius_status *out)
{
	if (t->radius)
		radius_client_status(t->radius->client, server, out);
	else
		*out = (struct radius_status){ .accepts = 0 };
}

uint64_t radius_next(const struct tunnel *t)
{
	return t->radius ? radius_client_next(t->radius->client) : UINT64_MAX;
}

void radius_timer(struct tunnel *t, uint64_t now)
{
	if (radius_next(t) <= now)
		radius_client_timer(t->radius->client, now);
}
