// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Finding tunnels: by name for commands and for the kernel's events, by address and policy for
 * IKE_SA_INIT requests, by identity for IKE_AUTH. So that what a datagram costs does not depend on
 * how many tunnels there are, each is in a bucket for its name, its remote address and its
 * RemoteID=, and in a list of its group.
 *
 * A group is all tunnels with equal IKE proposals and equal Local=. An IKE_SA_INIT request is
 * judged by groups, once each, for no more can be told apart before IKE_AUTH.
 */
#include "common/hash.h"
#include "ike/sa/layer_ikesa.h"

#include <errno.h>
#include <stdlib.h>

void lookup_init(struct ike_core *core)
{
	unsigned int i;

	TAILQ_INIT(&core->groups);
	for (i = 0; i < CORE_BUCKETS; i++) {
		TAILQ_INIT(&core->by_remote[i]);
		TAILQ_INIT(&core->by_id[i]);
	}
}

static struct ike_tunnels *bucket_of_id(struct ike_core *core, const struct ike_id *id)
{
	return &core->by_id[id->type ? hash_lower(id->data, id->len) % CORE_BUCKETS : 0];
}

static struct ike_tunnel_list *bucket_of_name(const struct ike_core *core, const char *name)
{
	return (struct ike_tunnel_list *)&core
		->by_name[hash_lower(name, strlen(name)) % CORE_BUCKETS];
}

struct ike_tunnel *lookup_name(const struct ike_core *core, const char *name)
{
	struct ike_tunnel *t;

	LIST_FOREACH(t, bucket_of_name(core, name), by_name)
	{
		if (!strcmp(t->conf.name, name))
			return t;
	}
	return NULL;
}

/* ---- groups -------------------------------------------------------------- */

static bool proposals_eq(const struct ike_proposals *a, const struct ike_proposals *b)
{
	unsigned int i, j;

	if (a->n != b->n)
		return false;
	for (i = 0; i < a->n; i++) {
		if (a->p[i].n != b->p[i].n)
			return false;
		for (j = 0; j < a->p[i].n; j++) {
			const struct ike_transform *x = &a->p[i].t[j], *y = &b->p[i].t[j];

			if (x->type != y->type || x->id != y->id || x->key_bits != y->key_bits)
				return false;
		}
	}
	return true;
}

/* The group of @t, made if it is the first one of its kind; NULL without memory. */
static struct ike_group *group_of(struct ike_core *core, const struct ike_tunnel *t)
{
	struct ike_group *g;
	unsigned int i;

	TAILQ_FOREACH(g, &core->groups, link)
	{
		if (ike_addr_eq(&g->local, &t->conf.local.addr) &&
		    proposals_eq(&g->ike, &t->conf.ike))
			return g;
	}
	g = calloc(1, sizeof(*g));
	if (!g)
		return NULL;
	g->local = t->conf.local.addr;
	g->ike = t->conf.ike;
	for (i = 0; i < GROUP_LISTS; i++)
		TAILQ_INIT(&g->tunnels[i]);
	TAILQ_INSERT_TAIL(&core->groups, g, link);
	return g;
}

static void group_put(struct ike_core *core, struct ike_group *g)
{
	if (--g->members)
		return;
	TAILQ_REMOVE(&core->groups, g, link);
	free(g);
}

/* ---- keeping up ---------------------------------------------------------- */

int lookup_add(struct ike_core *core, struct ike_tunnel *t)
{
	t->group = group_of(core, t);
	if (!t->group)
		return -ENOMEM;
	t->group->members++;
	TAILQ_INSERT_TAIL(&core->tunnels, t, link);
	LIST_INSERT_HEAD(bucket_of_name(core, t->conf.name), t, by_name);
	TAILQ_INSERT_TAIL(bucket_of_id(core, &t->conf.remote_id), t, by_id);
	core->n_tunnels++;
	t->listed = GROUP_LISTS;
	return 0;
}

void lookup_update(struct ike_core *core, struct ike_tunnel *t)
{
	if (t->listed != GROUP_LISTS)
		TAILQ_REMOVE(&t->group->tunnels[t->listed], t, of_group);
	if (t->listed == GROUP_REMOTE)
		TAILQ_REMOVE(t->remote_bucket, t, by_remote);
	t->listed = GROUP_LISTS;
	if (!t->enabled)
		return;
	t->listed = t->remote.addr.family ? GROUP_REMOTE : GROUP_ANYWHERE;
	TAILQ_INSERT_TAIL(&t->group->tunnels[t->listed], t, of_group);
	if (t->listed == GROUP_ANYWHERE)
		return;
	t->remote_bucket = &core->by_remote[digest_source(core, &t->remote.addr) % CORE_BUCKETS];
	TAILQ_INSERT_TAIL(t->remote_bucket, t, by_remote);
}

void lookup_remove(struct ike_core *core, struct ike_tunnel *t)
{
	t->enabled = false;
	lookup_update(core, t);
	TAILQ_REMOVE(&core->tunnels, t, link);
	LIST_REMOVE(t, by_name);
	TAILQ_REMOVE(bucket_of_id(core, &t->conf.remote_id), t, by_id);
	core->n_tunnels--;
	group_put(core, t->group);
}

/* ---- IKE_SA_INIT --------------------------------------------------------- */

struct ike_tunnel *lookup_remote(struct ike_core *core, const struct ike_addr *from)
{
	struct ike_tunnel *t;

	TAILQ_FOREACH(t, &core->by_remote[digest_source(core, from) % CORE_BUCKETS], by_remote)
	{
		core->stats.visited++;
		if (ike_addr_eq(&t->remote.addr, from))
			return t;
	}
	return NULL;
}

static bool forbids_local(const struct ike_group *g, const struct ike_datagram *d)
{
	return g->local.family && !ike_addr_eq(&g->local, &d->local.addr);
}

/* Judge the offer for @g, unless that was done or an address forbids it. */
static bool judge_group(struct ike_core *core, struct ike_group *g, struct lookup_offer *o,
			struct ike_proposal *chosen)
{
	if (g->judged == core->judging || forbids_local(g, o->d))
		return false;
	g->judged = core->judging;
	o->judged++;
	return ike_proposal_choose(&g->ike, o->offer, o->ke_group, chosen);
}

bool lookup_policy(struct ike_core *core, struct lookup_offer *o, struct ike_proposal *chosen,
		   struct ike_tunnel **best)
{
	/* A peer may come from elsewhere than its configured address: NAT. */
	static const unsigned int order[] = { GROUP_ANYWHERE, GROUP_REMOTE };
	const struct ike_addr *from = &o->d->remote.addr;
	struct ike_group *g;
	struct ike_tunnel *t;
	unsigned int i;

	core->judging++;
	*best = NULL;
	for (t = lookup_remote(core, from); t; t = TAILQ_NEXT(t, by_remote)) {
		core->stats.visited++;
		if (!ike_addr_eq(&t->remote.addr, from) || forbids_local(t->group, o->d))
			continue;
		if (!*best)
			*best = t;
		if (judge_group(core, t->group, o, chosen))
			return true;
	}
	for (i = 0; i < 2; i++) {
		TAILQ_FOREACH(g, &core->groups, link)
		{
			core->stats.visited++;
			t = TAILQ_FIRST(&g->tunnels[order[i]]);
			if (!t || forbids_local(g, o->d))
				continue;
			if (!*best)
				*best = t;
			if (judge_group(core, g, o, chosen))
				return true;
		}
	}
	return false;
}

/* ---- IKE_AUTH ------------------------------------------------------------ */

struct ike_tunnel *lookup_id(struct ike_core *core, const struct ike_id *id,
			     const struct ike_tunnel *after)
{
	static const struct ike_id any;
	struct ike_tunnels *named = bucket_of_id(core, id), *others = bucket_of_id(core, &any);
	struct ike_tunnel *t;

	t = after ? TAILQ_NEXT(after, by_id) : TAILQ_FIRST(named);
	if (!t && named != others &&
	    (!after || bucket_of_id(core, &after->conf.remote_id) == named))
		t = TAILQ_FIRST(others);
	if (t)
		core->stats.visited++;
	return t;
}
