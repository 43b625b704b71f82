// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * CRLs and OCSP responses that were fetched from the addresses which certificates name: a cache for all tunnels.
 * x_signature.c asks it while it judges certificates, and has it begin to fetch what is missing.
 *
 * What comes from the network is kept only if pki_verify() finds that the right CA signed it and that it is valid;
 * until then it is fresh, beside what was held before, and has room of its own, so that it puts nothing out that is
 * known to be good. An item is found by its address and the key of the CA that has
 * to sign, so that who names an address of another CA's in a certificate spoils nothing for that one. A CRL older
 * than the one that is held is refused, also if that one is too old by now. What failed is not tried again for
 * FETCHED_RETRY_MS; that a tunnel may not ask there (FetchFrom=) is remembered for that one alone. What is held is fetched anew after a day, or when the next one is due; should that fail, it
 * counts until then.
 */
#include "ike/core/layer_ikesa.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	/* Of those that hold something, and as many that do not: of each client of a hub there may be an OCSP response. */
	FETCHED_ITEMS = 1024,
	FETCHED_BYTES = 4 << 20, /* that are held */
	FETCHED_FRESH = 1 << 20, /* bytes that are fresh */
	FETCHED_RETRY_MS = 60000, /* nothing is fetched more often, … */
	FETCHED_DAY_MS =
		86400000, /* … nor kept longer without a look at whether there is something new */
	FETCHED_FAULT = 256,
	/* For one path of certificates, in a row, so that a half-open IKE SA and its peer's patience last: */
	FETCHES = PKI_MAX_NEEDS,
	FETCHES_MS = 10000, /* from the first until the last one begins */
};

struct fetched_item {
	TAILQ_ENTRY(fetched_item) link;
	char uri[PKI_MAX_URI];
	uint8_t issuer[PKI_HASH_LEN];
	uint8_t request[PKI_MAX_OCSP_REQUEST];
	size_t request_len; /* 0: it is a CRL */
	struct ikesa_bytes held, fresh;
	bool kept; /* ->fresh came from there once, and nothing does now */
	int64_t until; /* of ->held: when the next one is due, UTC */
	uint64_t renew_at; /* of ->held: when it is fetched anew */
	uint64_t retry_at; /* it is not fetched before */
	uint64_t job; /* that is to fetch it; 0: none is */
	char fault[FETCHED_FAULT]; /* why that failed, until retry_at */
	/* Nothing is known but that this tunnel may not ask there, until retry_at; "": the item is all tunnels'. */
	char refused[IKE_JOB_NAME];
};

/* ---- items --------------------------------------------------------------------- */

/* @refused: what a tunnel of this name may not ask for; "": what all tunnels share. */
static struct fetched_item *find_item(struct ike_core *core, const struct pki_need *need,
				      const char *refused)
{
	struct fetched_item *i;

	TAILQ_FOREACH(i, &core->fetched.list, link)
	{
		if (!strcmp(i->uri, need->uri) && !strcmp(i->refused, refused) &&
		    i->request_len == need->request_len &&
		    !memcmp(i->request, need->request, need->request_len) &&
		    !memcmp(i->issuer, need->issuer, sizeof(i->issuer)))
			return i;
	}
	return NULL;
}

static void drop_held(struct ike_core *core, struct fetched_item *i)
{
	core->fetched.bytes -= i->held.len;
	core->fetched.n_held -= i->held.len > 0;
	ikesa_bytes_free(&i->held);
}

static void drop_fresh(struct ike_core *core, struct fetched_item *i)
{
	core->fetched.fresh_bytes -= i->fresh.len;
	ikesa_bytes_free(&i->fresh);
}

static void drop_item(struct ike_core *core, struct fetched_item *i)
{
	drop_held(core, i);
	drop_fresh(core, i);
	TAILQ_REMOVE(&core->fetched.list, i, link);
	core->fetched.n--;
	free(i);
}

static void touch_item(struct ike_core *core, struct fetched_item *i)
{
	TAILQ_REMOVE(&core->fetched.list, i, link);
	TAILQ_INSERT_TAIL(&core->fetched.list, i, link);
}

/* Of those that hold something, or of the others, the one that was not used for the longest time, but for @but; or NULL. */
static struct fetched_item *find_oldest(struct ike_core *core, bool held,
					const struct fetched_item *but)
{
	struct fetched_item *i;

	TAILQ_FOREACH(i, &core->fetched.list, link)
	{
		if (i != but && (i->held.len > 0) == held)
			break;
	}
	return i;
}

/* There is one more that holds nothing. */
static void make_room_for_item(struct ike_core *core, const struct fetched_item *i)
{
	while (core->fetched.n - core->fetched.n_held > FETCHED_ITEMS)
		drop_item(core, find_oldest(core, false, i));
}

/* There is more that @i holds: it is good, as the others are. */
static void make_room_for_held(struct ike_core *core, const struct fetched_item *i)
{
	struct fetched_item *oldest;

	while ((core->fetched.n_held > FETCHED_ITEMS || core->fetched.bytes > FETCHED_BYTES) &&
	       (oldest = find_oldest(core, true, i)))
		drop_item(core, oldest);
}

/* There is more that is fresh of @i. */
static void make_room_for_fresh(struct ike_core *core, const struct fetched_item *i)
{
	struct fetched_item *other;

	TAILQ_FOREACH(other, &core->fetched.list, link)
	{
		if (core->fetched.fresh_bytes <= FETCHED_FRESH)
			return;
		if (other != i)
			drop_fresh(core, other);
	}
}

static struct fetched_item *make_item(struct ike_core *core, const struct pki_need *need,
				      const char *refused)
{
	struct fetched_item *i = find_item(core, need, refused);

	if (i)
		return i;
	i = calloc(1, sizeof(*i));
	if (!i)
		return NULL;
	memcpy(i->uri, need->uri, sizeof(i->uri));
	memcpy(i->issuer, need->issuer, sizeof(i->issuer));
	memcpy(i->request, need->request, need->request_len);
	i->request_len = need->request_len;
	snprintf(i->refused, sizeof(i->refused), "%s", refused);
	TAILQ_INSERT_TAIL(&core->fetched.list, i, link);
	core->fetched.n++;
	make_room_for_item(core, i);
	return i;
}

void fetched_free(struct ike_core *core)
{
	while (!TAILQ_EMPTY(&core->fetched.list))
		drop_item(core, TAILQ_FIRST(&core->fetched.list));
}

/* ---- what is known ------------------------------------------------------------- */

static bool counts(struct ike_core *core, const struct fetched_item *i)
{
	return i->held.data && core->env.utc(core->env.ctx) < i->until;
}

static bool may_fetch(const struct ike_core *core, const struct ikesa_setup *s)
{
	return s && s->fetches < FETCHES && (!s->fetch_until || core->now < s->fetch_until);
}

/* Why this tunnel may not ask there; NULL: it may, or was not refused lately. */
static const char *find_refusal(struct ike_core *core, const struct pki_need *need,
				const char *tunnel)
{
	const struct fetched_item *i = find_item(core, need, tunnel);

	return i && core->now < i->retry_at ? i->fault : NULL;
}

struct pki_fetched fetched_find(void *asker, const struct pki_need *need)
{
	const struct fetched_asker *by = asker;
	struct ike_core *core = by->core;
	struct fetched_item *i = find_item(core, need, "");
	const char *fault = find_refusal(core, need, by->tunnel);
	struct pki_fetched out = { 0 };

	if (i) {
		touch_item(core, i);
		if (core->now < i->retry_at && !i->job && !fault)
			fault = i->fault;
		/* Whoever had it fetched is gone, and it may be old. */
		if (core->now >= i->retry_at)
			drop_fresh(core, i);
	}
	if (i && i->fresh.data)
		out.der = (struct ike_iov){ i->fresh.data, i->fresh.len };
	else if (i && counts(core, i) &&
		 (fault || core->now < i->renew_at || !may_fetch(core, by->sa->setup)))
		out.der = (struct ike_iov){ i->held.data, i->held.len };
	else
		out.fault = fault;
	return out;
}

/* What was found to be revoked: one certificate, or, with @crl, all that it names and whose issuer has the key. */
struct revoked {
	const struct pki_serial *cert;
	int64_t cert_at; /* as pki_result.revoked_at */
	const struct pki_crl *crl;
	const uint8_t *issuer;
	bool by_fetched;
};

static bool is_shown(const struct revoked *r, const struct shown_path *shown)
{
	if (r->crl)
		return pki_crl_revokes(r->crl, r->issuer, shown->v, shown->n);
	/* Anybody may show a response from before the answer by which the peer was let in: a hold was lifted since. */
	for (unsigned int i = 0; i < shown->n; i++) {
		if (pki_serial_equals(r->cert, &shown->v[i]) && shown->v[i].good_at <= r->cert_at)
			return true;
	}
	return false;
}

/* Of the tunnel that the peer of @sa is connected to, or will be after EAP; NULL: of none. */
static const struct tunnel_conf *find_conf(const struct ike_core *core, const struct ike_sa *sa)
{
	const struct ike_peer *p = sa->peer;

	if (!p && sa->setup && sa->setup->eap)
		p = lookup_name(core, sa->setup->eap->tunnel);
	return p ? p->conf : NULL;
}

/*
 * Is the peer of @sa here by what was revoked? Then it has to prove itself anew. A tunnel that fetches nothing hears nothing of
 * what was fetched for others: it would let the peer in again.
 */
static void look_up_shown(struct ike_core *core, struct ike_sa *sa, const struct revoked *r)
{
	const struct tunnel_conf *c = find_conf(core, sa);

	if ((sa->state != IKESA_ESTABLISHED && !sa->setup) || !sa->shown || !c ||
	    c->revocation == PKI_REVOCATION_OFF || (r->by_fetched && !c->fetch) ||
	    !is_shown(r, sa->shown))
		return;
	sa_revoked(core, sa);
	sa_touch(core, sa);
}

/* However it is known, by a CRL or an OCSP response: peers that are connected by it do not stay. */
static void end_revoked(struct ike_core *core, const struct revoked *r)
{
	struct ike_sa *sa;

	for (unsigned int n = 0; n < core->sas.buckets; n++) {
		LIST_FOREACH(sa, &core->sas.by_spi[n], by_spi)
		{
			look_up_shown(core, sa, r);
		}
	}
}

static void end_revoked_by_crl(struct ike_core *core, const struct fetched_item *i)
{
	const struct ike_iov der = { i->held.data, i->held.len };
	struct pki_crl *crl = pki_crl_open(&der);

	if (crl)
		end_revoked(core, &(struct revoked){
					  .crl = crl, .issuer = i->issuer, .by_fetched = true });
	pki_crl_free(crl);
}

static void keep_fresh(struct ike_core *core, struct fetched_item *i, const struct pki_need *need)
{
	int64_t left = need->until - core->env.utc(core->env.ctx);

	drop_held(core, i);
	core->fetched.fresh_bytes -= i->fresh.len;
	core->fetched.bytes += i->fresh.len;
	core->fetched.n_held++;
	i->held = i->fresh;
	i->fresh = (struct ikesa_bytes){ 0 };
	make_room_for_held(core, i);
	i->until = need->until;
	i->renew_at = core->now + FETCHED_DAY_MS;
	if (left < FETCHED_DAY_MS / 1000)
		i->renew_at = core->now + (left > 0 ? 1000 * (uint64_t)left : 0);
	if (i->kept)
		i->renew_at = core->now; /* as soon as ->retry_at allows */
	else if (!i->request_len && core->env.crl_used)
		core->env.crl_used(core->env.ctx, i->uri);
	i->retry_at = core->now + FETCHED_RETRY_MS;
	snprintf(i->fault, sizeof(i->fault),
		 "what came from there less than a minute ago is too old by now");
	if (!i->request_len)
		end_revoked_by_crl(core, i);
}

void fetched_judge(struct ike_core *core, struct pki_result *r)
{
	for (unsigned int n = 0; n < r->n_needs; n++) {
		struct pki_need *need = &r->needs[n];
		struct fetched_item *i = find_item(core, need, "");

		if (!i)
			continue;
		if (need->state == PKI_NEED_USED && i->fresh.data) {
			keep_fresh(core, i, need);
		} else if (need->state == PKI_NEED_USELESS && i->fresh.data) {
			drop_fresh(core, i);
			i->retry_at = core->now + FETCHED_RETRY_MS;
			snprintf(i->fault, sizeof(i->fault), "%s", need->why);
		} else if (need->state == PKI_NEED_USELESS) {
			drop_held(core, i);
			if (core->now >= i->retry_at)
				need->state = PKI_NEED_FETCH;
		}
	}
	if (r->verdict == PKI_REVOKED)
		end_revoked(core, &(struct revoked){ .cert = &r->revoked,
						     .cert_at = r->revoked_at,
						     .by_fetched = r->revoked_by_fetched });
}

/* ---- fetching ------------------------------------------------------------------ */

/* Nothing tells of it any more. */
static void end_job(struct ike_core *core, uint64_t job)
{
	struct fetched_item *i;

	TAILQ_FOREACH(i, &core->fetched.list, link)
	{
		if (i->job != job)
			continue;
		i->job = 0;
		core->chain.by = NULL; /* what it was judged by is another thing now */
	}
}

static enum x_verdict go_on(struct ike_core *core, struct ike_sa *sa, struct x_msg *m, void *state,
			    const struct ike_job_result *r)
{
	const struct ike_job_result again = { .id = r->id, .error = -ERESTART };

	end_job(core, m->wait->id); /* @r has no number if it is late */
	return sa->setup->after_fetch(core, sa, m, state, &again);
}

enum x_verdict fetched_begin(struct ike_core *core, struct ike_sa *sa, const struct x_msg *m,
			     const char *tunnel, const struct ike_id *id,
			     const struct pki_need *need, job_done_fn done, void *state)
{
	struct ikesa_setup *s = sa->setup;
	char name[1][IKE_JOB_NAME];
	struct ike_job job = {
		.kind = IKE_JOB_FETCH,
		.n_tunnels = 1,
		.tunnels = name,
		.peer = id,
		.prf = sa->keys.suite.prf,
		.octets = { { need->uri, strlen(need->uri) },
			    { need->request, need->request_len } },
	};
	struct fetched_item *i;

	if (!may_fetch(core, s))
		return X_DONE;
	i = make_item(core, need, "");
	if (!i)
		return X_DROP;
	memcpy(name[0], tunnel, sizeof(name[0]));
	if (!job_begin(core, sa, m, &job, go_on, state))
		return X_DROP;
	if (!s->fetches++)
		s->fetch_until = core->now + FETCHES_MS;
	s->after_fetch = done;
	i->job = job.id;
	i->retry_at = core->now + FETCHED_RETRY_MS;
	snprintf(i->fault, sizeof(i->fault), "fetching it takes too long");
	return X_WAIT;
}

void fetched_begin_path(struct ike_sa *sa)
{
	sa->setup->fetches = 0;
	sa->setup->fetch_until = 0;
}

void fetched_end(struct ike_sa *sa)
{
	sa->setup->fetches = FETCHES;
}

/* It may be an older one that somebody on the way has kept. */
static bool goes_back(const struct fetched_item *i, const struct ike_fetched *f, char *why,
		      size_t size)
{
	const struct ike_iov held = { i->held.data, i->held.len };

	return held.base && !i->request_len && pki_crl_is_older(&f->data, &held, why, size);
}

static void take_item(struct ike_core *core, struct fetched_item *i, const struct ike_fetched *f)
{
	i->job = 0;
	i->retry_at = core->now + FETCHED_RETRY_MS;
	if (!f->data.base || !f->data.len) {
		snprintf(i->fault, sizeof(i->fault), "%s", f->fault ? f->fault : "nothing came");
		return;
	}
	if (goes_back(i, f, i->fault, sizeof(i->fault)))
		return;
	snprintf(i->fault, sizeof(i->fault), "out of memory");
	drop_fresh(core, i);
	if (ikesa_bytes_set(&i->fresh, f->data.base, f->data.len))
		return;
	i->kept = f->kept;
	core->fetched.fresh_bytes += i->fresh.len;
	make_room_for_fresh(core, i);
}

/* An item that waits for what @f is about; NULL: there is none. */
static struct fetched_item *find_awaited(struct ike_core *core, const struct ike_fetched *f)
{
	struct fetched_item *i;

	TAILQ_FOREACH(i, &core->fetched.list, link)
	{
		if (i->job && !strcmp(i->uri, f->uri) && i->request_len == f->request.len &&
		    !memcmp(i->request, f->request.base, f->request.len))
			break;
	}
	return i;
}

/* The tunnel may not ask there. Nobody was asked, so another tunnel may be the next one. */
static void refuse_item(struct ike_core *core, struct fetched_item *i, const struct ike_fetched *f)
{
	struct pki_need need = { .request_len = i->request_len };
	struct fetched_item *refusal;

	i->job = 0;
	i->retry_at = core->now;
	memcpy(need.uri, i->uri, sizeof(need.uri));
	memcpy(need.issuer, i->issuer, sizeof(need.issuer));
	memcpy(need.request, i->request, i->request_len);
	refusal = make_item(core, &need, f->tunnel);
	if (!refusal)
		return;
	refusal->retry_at = core->now + FETCHED_RETRY_MS;
	snprintf(refusal->fault, sizeof(refusal->fault), "%s", f->fault);
}

void fetched_take(struct ike_core *core, const struct ike_fetched *f)
{
	bool refused = f->refused && f->fault && f->tunnel && *f->tunnel;
	struct fetched_item *i;

	core->chain.by = NULL; /* what it was judged by is another thing now */
	if (f->data.len > IKE_MAX_FETCHED)
		return;
	while ((i = find_awaited(core, f))) {
		if (refused)
			refuse_item(core, i, f);
		else
			take_item(core, i, f);
	}
}
