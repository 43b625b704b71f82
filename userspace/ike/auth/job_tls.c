// SPDX-License-Identifier: GPL-2.0-or-later
#include "ike/auth/job_tls.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "ike/auth/cred.h"
#include "ike/crypto/tls.h"

enum { EAP_TYPE = 13, MAX_OWN = 8 }; /* of EAP-TLS; certificates of our own */

_Static_assert((int)JOB_TLS_HEAD + (int)JOB_TLS_PART <= (int)IKE_JOB_EAP &&
		       (int)JOB_TLS_HEAD + (int)IKE_TLS_WHY <= (int)IKE_JOB_EAP &&
		       (int)IKE_TLS_MAX <= UINT16_MAX,
	       "a step's result has room for each kind");

/* A step's result, which is repeated if it is asked for again. */
struct answer {
	int error;
	bool has_msk;
	uint8_t msk[IKE_TLS_MSK];
	uint32_t len;
	uint8_t eap[IKE_JOB_EAP];
};

struct connection {
	TAILQ_ENTRY(connection) link;
	uint8_t id[JOB_TLS_ID];
	uint32_t step; /* the last one */
	uint64_t used; /* when that was */
	struct ike_tls *tls; /* NULL: it is over, and all was said */
	size_t shown; /* bytes of the other end's certificates */
	struct answer last;
};

TAILQ_HEAD(connections, connection);

struct job_tls {
	struct ike_tls_setup *setup; /* made when it is needed first */
	struct connections list; /* the one that was not used for the longest time first */
	unsigned int n;
};

bool job_tls_is_costly(const struct ike_job *job)
{
	switch ((enum job_tls_op)job->alg) {
	case JOB_TLS_SERVE_PART:
	case JOB_TLS_TAKE_PART:
	case JOB_TLS_NEXT:
	case JOB_TLS_CERTS:
	case JOB_TLS_END: return false;
	default: return true;
	}
}

struct job_tls *job_tls_new(void)
{
	struct job_tls *all = calloc(1, sizeof(*all));

	if (all)
		TAILQ_INIT(&all->list);
	return all;
}

static void forget(struct job_tls *all, struct connection *c)
{
	TAILQ_REMOVE(&all->list, c, link);
	all->n--;
	ike_tls_free(c->tls);
	ike_wipe(c, sizeof(*c));
	free(c);
}

void job_tls_free(struct job_tls *all)
{
	struct connection *c;

	if (!all)
		return;
	while ((c = TAILQ_FIRST(&all->list)))
		forget(all, c);
	ike_tls_setup_free(all->setup);
	free(all);
}

void job_tls_expire(struct job_tls *all, uint64_t now)
{
	struct connection *c;

	while ((c = TAILQ_FIRST(&all->list)) && now - c->used >= JOB_TLS_IDLE_MS)
		forget(all, c);
}

int job_tls_left(const struct job_tls *all, uint64_t now)
{
	const struct connection *c = TAILQ_FIRST(&all->list);

	if (!c)
		return -1;
	return now - c->used >= JOB_TLS_IDLE_MS ? 0 : (int)(JOB_TLS_IDLE_MS - (now - c->used));
}

unsigned int job_tls_count(const struct job_tls *all)
{
	return all->n;
}

static struct connection *find_connection(struct job_tls *all, const uint8_t *id)
{
	struct connection *c;

	TAILQ_FOREACH(c, &all->list, link)
	{
		if (!memcmp(c->id, id, sizeof(c->id)))
			return c;
	}
	return NULL;
}

/* ---- a step ---------------------------------------------------------------------------------- */

static void put_head(struct answer *a, enum job_tls_said said, size_t len, size_t left)
{
	a->eap[0] = (uint8_t)said;
	a->eap[1] = (uint8_t)(left >> 8);
	a->eap[2] = (uint8_t)left;
	a->len = (uint32_t)(JOB_TLS_HEAD + len);
}

static void say_send(struct connection *c, enum job_tls_said said)
{
	struct answer *a = &c->last;
	size_t left, n = ike_tls_get(c->tls, a->eap + JOB_TLS_HEAD, JOB_TLS_PART, &left);

	put_head(a, said, n, left);
	if (left > UINT16_MAX)
		a->error = -EMSGSIZE;
}

static void say_done(struct connection *c)
{
	c->last.has_msk = true;
	if (ike_tls_msk(c->tls, c->last.msk))
		c->last.error = -EIO;
	say_send(c, JOB_TLS_DONE);
}

/* The alert, if there is one, is what JOB_TLS_NEXT gives. */
static void say_fail(struct connection *c)
{
	const char *why = ike_tls_why(c->tls);
	size_t left, len = strlen(why);

	ike_tls_get(c->tls, NULL, 0, &left);
	memcpy(c->last.eap + JOB_TLS_HEAD, why, len);
	put_head(&c->last, JOB_TLS_FAIL, len, left);
}

/* The private key goes as soon as it is not needed any more. */
static void drop_if_over(struct connection *c)
{
	enum ike_tls_state state = ike_tls_state(c->tls);
	size_t left;

	ike_tls_get(c->tls, NULL, 0, &left);
	if (left || (state != IKE_TLS_DONE && state != IKE_TLS_FAILED))
		return;
	ike_tls_free(c->tls);
	c->tls = NULL;
}

static void go_on(struct connection *c)
{
	switch (ike_tls_run(c->tls)) {
	case IKE_TLS_GOES_ON: say_send(c, JOB_TLS_SEND); break;
	case IKE_TLS_JUDGE: put_head(&c->last, JOB_TLS_JUDGE, 0, ike_tls_certs(c->tls).len); break;
	case IKE_TLS_DONE: say_done(c); break;
	case IKE_TLS_FAILED: say_fail(c); break;
	}
}

static void show_certs(struct connection *c)
{
	struct ike_iov certs = ike_tls_certs(c->tls);
	size_t left = certs.len - c->shown, n = left < JOB_TLS_PART ? left : JOB_TLS_PART;

	if (n)
		memcpy(c->last.eap + JOB_TLS_HEAD, (const uint8_t *)certs.base + c->shown, n);
	c->shown += n;
	put_head(&c->last, JOB_TLS_SHOW, n, left - n);
}

static void take(struct connection *c, const struct ike_iov *bytes, bool whole)
{
	if (!ike_tls_put(c->tls, bytes->base, bytes->len))
		say_fail(c);
	else if (whole)
		go_on(c);
	else
		put_head(&c->last, JOB_TLS_SEND, 0, 0);
}

static void do_step(struct connection *c, const struct ike_job *job)
{
	c->last = (struct answer){ 0 };
	switch ((enum job_tls_op)job->alg) {
	case JOB_TLS_SERVE:
	case JOB_TLS_CONNECT:
	case JOB_TLS_TAKE: take(c, &job->octets[1], true); break;
	case JOB_TLS_SERVE_PART:
	case JOB_TLS_TAKE_PART: take(c, &job->octets[1], false); break;
	case JOB_TLS_NEXT: say_send(c, JOB_TLS_SEND); break;
	case JOB_TLS_CERTS: show_certs(c); break;
	case JOB_TLS_ACCEPT:
	case JOB_TLS_REFUSE:
		ike_tls_judge(c->tls, job->alg == JOB_TLS_ACCEPT);
		go_on(c);
		break;
	case JOB_TLS_END:
	case JOB_TLS_OPS: c->last.error = -EINVAL; break;
	}
}

/* ---- connections ------------------------------------------------------------------------------- */

static bool begins(const struct ike_job *job)
{
	return job->alg == JOB_TLS_SERVE || job->alg == JOB_TLS_SERVE_PART ||
	       job->alg == JOB_TLS_CONNECT;
}

/* 0; -ENOMEM; -EINVAL: key and certificates make no end of TLS. */
static int make_tls(struct job_tls *all, const struct ike_job *job, const struct ike_iov *key,
		    struct ike_tls **out)
{
	const struct ike_creds creds = { job->octets[2].base, (uint32_t)job->octets[2].len };
	struct ike_iov certs[MAX_OWN];
	struct ike_tls_conf conf = {
		.server = job->alg != JOB_TLS_CONNECT,
		.type = EAP_TYPE,
		.key = *key,
		.certs = certs,
	};
	size_t at = 0;

	if (!ike_creds_are_sane(&creds))
		return -EINVAL;
	while (conf.n_certs < MAX_OWN &&
	       ike_cred_next(&creds, &at, IKE_CRED_OWN_CERT, &certs[conf.n_certs]))
		conf.n_certs++;
	if (!all->setup)
		all->setup = ike_tls_setup_new();
	return all->setup ? ike_tls_new(all->setup, &conf, out) : -ENOMEM;
}

/* A new one; or NULL. *@error: 0; -ENOENT: there is no key; or as make_tls() has it. */
static struct connection *begin(struct job_tls *all, const struct ike_job *job,
				ike_job_find_key find, void *ctx, int *error)
{
	size_t len = 0;
	const uint8_t *key = find(ctx, job, 0, &len);
	struct connection *c;

	*error = -ENOENT;
	if (!key || !len)
		return NULL;
	c = calloc(1, sizeof(*c));
	*error = c ? make_tls(all, job, &(struct ike_iov){ key, len }, &c->tls) : -ENOMEM;
	if (*error) {
		free(c);
		return NULL;
	}
	if (all->n == JOB_TLS_MAX)
		forget(all, TAILQ_FIRST(&all->list));
	memcpy(c->id, job->octets[0].base, sizeof(c->id));
	TAILQ_INSERT_TAIL(&all->list, c, link);
	all->n++;
	return c;
}

static void repeat(const struct connection *c, struct ike_job_result *out)
{
	out->error = c->last.error;
	if (out->error)
		return;
	out->eap_len = c->last.len;
	memcpy(out->eap, c->last.eap, c->last.len);
	if (!c->last.has_msk)
		return;
	memcpy(out->auth, c->last.msk, sizeof(c->last.msk));
	out->auth_len = sizeof(c->last.msk);
}

static uint32_t step_of(const struct ike_job *job)
{
	const uint8_t *at = (const uint8_t *)job->octets[0].base + JOB_TLS_ID;

	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

void job_tls_do(struct job_tls *all, const struct ike_job *job, ike_job_find_key find, void *ctx,
		uint64_t now, struct ike_job_result *out)
{
	struct connection *c;
	uint32_t step;

	*out = (struct ike_job_result){ .id = job->id, .error = -EINVAL };
	if (job->octets[0].len != JOB_TLS_REF || job->alg >= JOB_TLS_OPS)
		return;
	step = step_of(job);
	c = find_connection(all, job->octets[0].base);
	if (job->alg == JOB_TLS_END) {
		if (c)
			forget(all, c);
		out->error = 0;
		return;
	}
	if (!c && step == 1 && begins(job))
		c = begin(all, job, find, ctx, &out->error);
	else if (!c)
		out->error = -ESTALE;
	if (!c)
		return;
	c->used = now;
	TAILQ_REMOVE(&all->list, c, link);
	TAILQ_INSERT_TAIL(&all->list, c, link);
	if (step == c->step + 1 && c->tls && (step == 1 || !begins(job))) {
		c->step = step;
		do_step(c, job);
		drop_if_over(c);
	}
	if (step == c->step)
		repeat(c, out);
	else
		out->error = -ESTALE;
}

void job_do_any(struct job_tls *all, const struct ike_job *job, ike_job_find_key find, void *ctx,
		uint64_t now, struct ike_job_result *out)
{
	if (all)
		job_tls_expire(all, now);
	if (all && job->kind == IKE_JOB_TLS)
		job_tls_do(all, job, find, ctx, now, out);
	else
		ike_job_do(job, find, ctx, out);
}
