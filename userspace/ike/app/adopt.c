// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Whose SAs may be in the kernel: at the start those of a former agent that fit the configuration, which
 * the core takes over, and after a change of configuration those of clients that it still lets in.
 *
 * All is judged by what the kernel has: selectors and ages of SAs, and the terms they were made on (terms.h).
 * What the core says of its peers counts for nothing: it has no keys, and reads what strangers send.
 */
#include <errno.h>
#include <stdio.h>

#include "ike/app/agent_int.h"
#include "ike/app/core_proc.h"
#include "ike/app/terms.h"
#include "ike/proto/id.h"

enum {
	ADOPT_LATE =
		600, /* seconds by which SAs may outlive the time when they were to be rekeyed */
	REVIEW_AFTER = 30000, /* milliseconds in which the core has clients go */
};

/* Milliseconds since SAs were made after which nobody is left who would rekey them. */
static uint64_t lifetime(const struct config *c)
{
	uint32_t rekey = c->rekey_child ? c->rekey_child : CONFIG_REKEY_CHILD_MAX;

	return 1000ULL * (rekey + ADOPT_LATE);
}

/* Milliseconds since the configuration was changed; without end if that is to come. */
static uint64_t since_changed(const struct config *c)
{
	const struct timespec *then = &c->changed;
	struct timespec now;
	int64_t ms;

	clock_gettime(CLOCK_REALTIME, &now);
	ms = (int64_t)(now.tv_sec - then->tv_sec) * 1000 + (now.tv_nsec - then->tv_nsec) / 1000000;
	return ms < 0 ? UINT64_MAX : (uint64_t)ms;
}

static enum terms_verdict judge(const struct tunnel *t, const struct kernel_view *view,
				uint32_t peer, struct ike_id *id)
{
	const uint8_t *terms = kernel_peer_terms(view, peer, id);

	return terms_judge(&t->conf, t->agent->terms_secret, id, terms);
}

/* ---- what a former agent left ----------------------------------------------------------- */

int adopt_remove(struct tunnel *t, uint32_t peer)
{
	int err;

	session_stop(t, peer);
	err = kernel_peer_remove(t->agent->kernel, t->ifindex, peer);

	owned_remove_peer(&t->owned, peer);
	if (!err)
		lease_release(t, peer);
	return err;
}

struct adoption {
	struct tunnel *tunnel;
	const struct kernel_view *view;
	unsigned int clients, excess; /* that were adopted, and those removed as they were enough */
	unsigned int leases; /* pairs of addresses that their clients cannot have */
	unsigned int unknown; /* peers with SAs made on terms that we do not know */
	struct kernel_adopted pairs;
	uint64_t ends; /* of the time of the peer at hand; UINT64_MAX: never */
	bool failed; /* a peer may not be there, and the kernel does not remove it */
};

static void adopt_pair(void *ctx, const struct ike_adopted *pair)
{
	struct adoption *from = ctx;
	struct tunnel *t = from->tunnel;
	struct ike_adopted taken = *pair;

	if (pair->peer != IKE_PEER_FIRST && !lease_adopt(t, pair)) {
		kernel_sa_remove(t->agent->kernel, t->ifindex, pair->peer, pair->spi_in,
				 pair->spi_out);
		from->leases++;
		return;
	}
	if (pair->peer == IKE_PEER_FIRST) {
		t->adopted = true;
		t->adopted_remote = pair->remote.addr;
	}
	env_own_spi(t, pair->peer, pair->spi_in, true);
	env_own_spi(t, pair->peer, pair->spi_out, false);
	owned_set_remote(&t->owned, pair->peer, &pair->remote.addr);
	if (from->ends < taken.until)
		taken.until = from->ends;
	core_adopt(t->agent->core, t->conf.name, &taken);
}

/* SAs that are older, in milliseconds, do not stay. Where terms are not known, time is left to go by. */
static uint64_t max_age(const struct config *c, enum terms_verdict verdict)
{
	uint64_t age = lifetime(c);

	if (verdict == TERMS_SAME)
		return age;
	if (verdict != TERMS_UNKNOWN)
		return 0;
	return since_changed(c) < age ? since_changed(c) : age;
}

/* False if nothing is left of it. */
static bool adopt_peer(struct adoption *from, uint32_t peer)
{
	const struct tunnel *t = from->tunnel;
	uint64_t now = loop_now(), ends = kernel_peer_ends(from->view, peer);
	struct ike_id id;
	enum terms_verdict verdict = judge(t, from->view, peer, &id);
	const struct kernel_fit fit = {
		.max_age = ends && ends <= now ? 0 : max_age(&t->conf, verdict),
		.until = now + lifetime(&t->conf),
		.child = t->conf.child,
		.n_child = t->conf.n_child,
	};
	struct kernel_adopted pairs = { .kept = 0 };

	from->ends = ends ? ends : UINT64_MAX;
	kernel_adopt(t->agent->kernel, from->view, peer, &fit, adopt_pair, from, &pairs);
	from->unknown += verdict == TERMS_UNKNOWN && pairs.kept + pairs.misfits;
	from->pairs.kept += pairs.kept;
	from->pairs.misfits += pairs.misfits;
	from->pairs.excess += pairs.excess;
	return pairs.kept;
}

/* One of a former agent's clients, unless it is the peer that every tunnel has. */
static void adopt_client(void *ctx, uint32_t peer)
{
	struct adoption *from = ctx;
	struct tunnel *t = from->tunnel;
	unsigned int most = t->conf.clients > 1 ? t->conf.clients : 0;
	struct ike_status s;

	if (peer == IKE_PEER_FIRST)
		return;
	/* One stays also if the core is lost: the next one adopts it. */
	if (from->clients < most && owned_add_peer(&t->owned, peer, env_max_peers(t)) &&
	    adopt_peer(from, peer) &&
	    core_peer_status(t->agent->core, t->conf.name, peer, &s) != -ENOENT) {
		from->clients++;
		return;
	}
	from->excess += most && from->clients == most;
	from->failed |= adopt_remove(t, peer) != 0;
}

/* A line for each kind, however much there is. */
static void say_adopted(const struct adoption *from)
{
	const char *name = from->tunnel->conf.name;

	if (from->pairs.kept)
		log_say(IKE_LOG_INFO, name,
			"taking over running SAs from a former agent: %u pairs, with %u peers",
			from->pairs.kept, from->clients + from->tunnel->adopted);
	if (from->pairs.misfits)
		log_say(IKE_LOG_INFO, name,
			"removed SAs of a former agent, %u pairs: the configuration was changed since, or they are too old",
			from->pairs.misfits);
	if (from->pairs.excess || from->excess)
		log_say(IKE_LOG_WARN, name,
			"removed SAs of a former agent: %u clients more than Clients= allows, and %u pairs more than %d of one peer",
			from->excess, from->pairs.excess, IKE_MAX_ADOPTED);
	if (from->leases)
		log_say(IKE_LOG_INFO, name,
			"removed SAs of a former agent, %u pairs: their clients have other addresses, or [Pool] has no longer these",
			from->leases);
	if (from->unknown)
		log_say(IKE_LOG_WARN, name,
			"with what keys %u peers of a former agent came is not known: its secret is lost, or it had an older module; their SAs stay if they are younger than the configuration",
			from->unknown);
}

int adopt_all(struct tunnel *t)
{
	struct kernel_view *view = kernel_view(t->agent->kernel, t->ifindex);
	struct adoption from = { .tunnel = t, .view = view };
	/* With clients, that peer is none: a core that behaves has no SAs with it. */
	const struct kernel_fit none = { .n_child = 0 };

	char text[512];

	if (!view) {
		snprintf(text, sizeof(text), "cannot read what SAs a former agent left: %s",
			 kernel_error(t->agent->kernel));
		tunnel_fail(t, TROUBLE_DEVICE, text);
		return -1;
	}
	if (t->conf.clients <= 1)
		adopt_peer(&from, IKE_PEER_FIRST);
	else
		kernel_adopt(t->agent->kernel, view, IKE_PEER_FIRST, &none, adopt_pair, &from,
			     &from.pairs);
	kernel_each_peer(view, adopt_client, &from);
	kernel_view_free(view);
	say_adopted(&from);
	if (!from.failed)
		return 0;
	tunnel_fail(t, TROUBLE_DEVICE,
		    "the kernel does not remove SAs of a former agent's clients that may not stay");
	return -1;
}

/* ---- whom a changed configuration lets in ------------------------------------------------- */

enum why { WHY_KEY, WHY_TERMS, WHY_SELECTORS, WHY_CLIENTS, WHYS };

struct review {
	struct tunnel *tunnel;
	const struct kernel_view *view;
	bool force; /* those who had the time to go are removed */
	unsigned int stay;
	unsigned int gone[WHYS]; /* so many go, … */
	struct ike_id one[WHYS]; /* … and this is one of them */
};

/* Why the client has to go; WHYS: it stays. */
static enum why judge_client(const struct review *r, uint32_t peer, struct ike_id *id)
{
	const struct tunnel *t = r->tunnel;
	enum terms_verdict verdict = judge(t, r->view, peer, id);
	const struct kernel_fit fit = {
		.max_age = UINT64_MAX,
		.child = t->conf.child,
		.n_child = t->conf.n_child,
	};

	if (verdict == TERMS_NO_KEY)
		return WHY_KEY;
	if (verdict == TERMS_OTHER || (verdict == TERMS_UNKNOWN && t->keys_changed))
		return WHY_TERMS;
	if (kernel_peer_misfits(r->view, peer, &fit))
		return WHY_SELECTORS;
	return r->stay < t->conf.clients ? WHYS : WHY_CLIENTS;
}

/* Has it SAs that were there when the core was told, and had the time to remove them? */
static bool is_left(const struct review *r, uint32_t peer)
{
	const struct tunnel *t = r->tunnel;
	const struct kernel_fit fit = {
		.max_age = REVIEW_AFTER,
		.child = t->conf.child,
		.n_child = t->conf.n_child,
	};

	return kernel_peer_misfits(r->view, peer, &fit);
}

static void review_client(void *ctx, uint32_t peer)
{
	struct review *r = ctx;
	struct tunnel *t = r->tunnel;
	struct ike_id id;
	enum why why;

	if (peer == IKE_PEER_FIRST)
		return;
	why = judge_client(r, peer, &id);
	if (why == WHYS) {
		r->stay++;
		return;
	}
	if (r->force && why != WHY_KEY && !is_left(r, peer))
		return; /* it is back already, on the terms of now; without a key nobody is */
	r->gone[why]++;
	r->one[why] = id;
	core_client_down(t->agent->core, t->conf.name, peer, loop_now());
	if (r->force)
		adopt_remove(t, peer);
}

/* A line for each reason, however many there are. */
static void say_review(const struct review *r)
{
	static const struct {
		const char *before, *after; /* its identity */
	} texts[WHYS] = {
		[WHY_KEY] = { "the key of client", "was taken away" },
		[WHY_TERMS] = { "client", "has to prove anew who it is" },
		[WHY_SELECTORS] = { "client", "has more than Selectors= allows now" },
		[WHY_CLIENTS] = { "client",
				  "was not heard for longest, and Clients= allows fewer" },
	};
	char id[IKE_MAX_ID + 16], others[64];

	for (unsigned int i = 0; i < WHYS; i++) {
		if (!r->gone[i])
			continue;
		*others = 0;
		if (r->gone[i] > 1)
			snprintf(others, sizeof(others), ", as do those of %u others",
				 r->gone[i] - 1);
		log_say(IKE_LOG_INFO, r->tunnel->conf.name, "%s '%s' %s: its SAs end%s",
			texts[i].before, ike_id_print(id, sizeof(id), &r->one[i]), texts[i].after,
			others);
	}
}

static void review_clients(struct tunnel *t, bool force)
{
	struct kernel_view *view = kernel_view(t->agent->kernel, t->ifindex);
	struct review r = { .tunnel = t, .view = view, .force = force };

	if (!view) {
		log_say(IKE_LOG_ERROR, t->conf.name, "cannot read whose SAs there are: %s",
			kernel_error(t->agent->kernel));
		return;
	}
	kernel_each_peer(view, review_client, &r);
	kernel_view_free(view);
	say_review(&r);
}

void adopt_changed(struct tunnel *t, bool keys)
{
	if (!t->ifindex || t->conf.clients <= 1)
		return;
	t->keys_changed |= keys;
	t->review_at = loop_now() + REVIEW_AFTER;
	tunnel_dirty(t);
	review_clients(t, false);
}

void adopt_review(struct tunnel *t)
{
	review_clients(t, true);
	t->review_at = UINT64_MAX;
	t->keys_changed = false;
}
