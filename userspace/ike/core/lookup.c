// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Finding tunnels: by name for commands and for the kernel's events, by address and policy for
 * IKE_SA_INIT requests, by identity for IKE_AUTH. So that what a datagram costs does not depend on
 * how many tunnels there are, each is in a bucket for its name, its remote address and its
 * RemoteID=, with two rounds FirstID=, and in a list of its group.
 *
 * A group is all tunnels with equal IKE proposals, equal Local=, and one answer to whether we claim a
 * NAT so that ESP comes in UDP. An IKE_SA_INIT request is
 * judged by groups, once each, for no more can be told apart before IKE_AUTH.
 */
#include "common/hash.h"
#include "ike/core/layer_ikesa.h"

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

static struct ike_peers *bucket_of_id(struct ike_core *core, const struct ike_id *id)
{
	bool any = !id->type || ike_id_is_wildcard(id);

	return &core->by_id[any ? 0 : ike_id_hash(id) % CORE_BUCKETS];
}

static struct ike_peer_list *bucket_of_name(const struct ike_core *core, const char *name)
{
	return (struct ike_peer_list *)&core->by_name[hash_lower(name, strlen(name)) % CORE_BUCKETS];
}

struct ike_peer *lookup_name(const struct ike_core *core, const char *name)
{
	struct ike_peer *p;

	LIST_FOREACH(p, bucket_of_name(core, name), by_name)
	{
		if (!strcmp(p->conf->name, name))
			return p;
	}
	return NULL;
}

struct ike_peer *lookup_peer(const struct ike_core *core, const char *tunnel, uint32_t id)
{
	struct ike_peer *p = lookup_name(core, tunnel);
	const struct ike_tunnel *t = p ? p->tunnel : NULL;

	if (!p || p->id == id)
		return p;
	LIST_FOREACH(p, &core->by_number[id % CORE_BUCKETS], by_number)
	{
		if (p->id == id && p->tunnel == t)
			return p;
	}
	return NULL;
}

/* ---- clients ------------------------------------------------------------- */

static struct ike_peer_list *bucket_of_proven(const struct ike_core *core, const struct ike_id *id)
{
	return (struct ike_peer_list *)&core->by_proven[ike_id_hash(id) % CORE_BUCKETS];
}

struct ike_peer *lookup_client(const struct ike_core *core, const struct ike_tunnel *t,
			       const struct ike_id *id)
{
	struct ike_peer *p;

	LIST_FOREACH(p, bucket_of_proven(core, id), by_proven)
	{
		if (p->tunnel == t && ike_id_eq(&p->proven, id))
			return p;
	}
	return NULL;
}

void lookup_add_client(struct ike_core *core, struct ike_peer *p)
{
	TAILQ_INSERT_TAIL(&p->tunnel->clients, p, of_tunnel);
	LIST_INSERT_HEAD(&core->by_number[p->id % CORE_BUCKETS], p, by_number);
	p->tunnel->n_clients++;
}

void lookup_name_client(struct ike_core *core, struct ike_peer *p)
{
	LIST_INSERT_HEAD(bucket_of_proven(core, &p->proven), p, by_proven);
}

void lookup_remove_client(struct ike_peer *p)
{
	TAILQ_REMOVE(&p->tunnel->clients, p, of_tunnel);
	LIST_REMOVE(p, by_number);
	if (p->proven.type)
		LIST_REMOVE(p, by_proven);
	p->tunnel->n_clients--;
}

/* ---- groups -------------------------------------------------------------- */

/* The group of @conf, made if it is the first one of its kind; NULL without memory. */
static struct ike_group *group_of(struct ike_core *core, const struct tunnel_conf *conf)
{
	struct ike_group *g;
	unsigned int i;

	TAILQ_FOREACH(g, &core->groups, link)
	{
		if (ike_addr_eq(&g->local, &conf->local.addr) && g->ike == conf->ike &&
		    g->claims_nat == (conf->encap == IKE_ENCAP_UDP))
			return g;
	}
	g = calloc(1, sizeof(*g));
	if (!g)
		return NULL;
	g->local = conf->local.addr;
	g->claims_nat = conf->encap == IKE_ENCAP_UDP;
	g->ike = ike_proposals_get(conf->ike);
	for (i = 0; i < GROUP_LISTS; i++)
		TAILQ_INIT(&g->peers[i]);
	TAILQ_INSERT_TAIL(&core->groups, g, link);
	return g;
}

static void group_put(struct ike_core *core, struct ike_group *g)
{
	if (--g->members)
		return;
	TAILQ_REMOVE(&core->groups, g, link);
	ike_proposals_put(g->ike);
	free(g);
}

/* ---- keeping up ---------------------------------------------------------- */

int lookup_add(struct ike_core *core, struct ike_peer *p)
{
	p->group = group_of(core, p->conf);
	if (!p->group)
		return -ENOMEM;
	p->group->members++;
	TAILQ_INSERT_TAIL(&core->peers, p, link);
	LIST_INSERT_HEAD(bucket_of_name(core, p->conf->name), p, by_name);
	TAILQ_INSERT_TAIL(bucket_of_id(core, query_first_id(p->conf)), p, by_id);
	core->n_peers++;
	p->listed = GROUP_LISTS;
	return 0;
}

void lookup_update(struct ike_core *core, struct ike_peer *p)
{
	if (p->listed != GROUP_LISTS)
		TAILQ_REMOVE(&p->group->peers[p->listed], p, of_group);
	if (p->listed == GROUP_REMOTE)
		TAILQ_REMOVE(p->remote_bucket, p, by_remote);
	p->listed = GROUP_LISTS;
	if (!p->enabled)
		return;
	p->listed = p->remote.addr.family ? GROUP_REMOTE : GROUP_ANYWHERE;
	TAILQ_INSERT_TAIL(&p->group->peers[p->listed], p, of_group);
	if (p->listed == GROUP_ANYWHERE)
		return;
	p->remote_bucket = &core->by_remote[digest_source(core, &p->remote.addr) % CORE_BUCKETS];
	TAILQ_INSERT_TAIL(p->remote_bucket, p, by_remote);
}

int lookup_change(struct ike_core *core, struct ike_peer *p, const struct tunnel_conf *conf)
{
	struct ike_group *group = group_of(core, conf);
	bool enabled = p->enabled;

	if (!group)
		return -ENOMEM;
	group->members++;
	p->enabled = false;
	lookup_update(core, p);
	TAILQ_REMOVE(bucket_of_id(core, query_first_id(p->conf)), p, by_id);
	group_put(core, p->group);
	p->conf = conf;
	p->group = group;
	TAILQ_INSERT_TAIL(bucket_of_id(core, query_first_id(conf)), p, by_id);
	p->enabled = enabled;
	lookup_update(core, p);
	return 0;
}

void lookup_remove(struct ike_core *core, struct ike_peer *p)
{
	p->enabled = false;
	lookup_update(core, p);
	TAILQ_REMOVE(&core->peers, p, link);
	LIST_REMOVE(p, by_name);
	TAILQ_REMOVE(bucket_of_id(core, query_first_id(p->conf)), p, by_id);
	core->n_peers--;
	group_put(core, p->group);
}

/* ---- IKE_SA_INIT --------------------------------------------------------- */

struct ike_peer *lookup_remote(struct ike_core *core, const struct ike_addr *from)
{
	struct ike_peer *p;

	TAILQ_FOREACH(p, &core->by_remote[digest_source(core, from) % CORE_BUCKETS], by_remote)
	{
		core->stats.visited++;
		if (ike_addr_eq(&p->remote.addr, from))
			return p;
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
	return ike_proposal_choose(g->ike, o->offer, o->ke_group, chosen);
}

/* Where a tunnel is looked for: a peer may also come from elsewhere than its configured address, by a NAT. */
static const enum group_list order[] = { GROUP_ANYWHERE, GROUP_REMOTE };

/*
 * May the peer mean a tunnel that has ESP in UDP? Those configured for its address come first, then
 * those for any; those for other addresses count if there is nothing else.
 */
static bool may_want_udp(struct ike_core *core, const struct lookup_offer *o)
{
	const struct ike_addr *from = &o->d->remote.addr;
	const struct ike_group *g;
	const struct ike_peer *p;
	bool known = false;
	unsigned int i;

	for (p = lookup_remote(core, from); p; p = TAILQ_NEXT(p, by_remote)) {
		if (!ike_addr_eq(&p->remote.addr, from) || forbids_local(p->group, o->d))
			continue;
		if (p->group->claims_nat)
			return true;
		known = true;
	}
	for (i = 0; i < 2 && !known; i++) {
		TAILQ_FOREACH(g, &core->groups, link)
		{
			if (!TAILQ_FIRST(&g->peers[order[i]]) || forbids_local(g, o->d))
				continue;
			if (g->claims_nat)
				return true;
			known = true;
		}
	}
	return false;
}

static bool find_policy(struct ike_core *core, struct lookup_offer *o, struct ike_proposal *chosen,
			struct ike_peer **best)
{
	const struct ike_addr *from = &o->d->remote.addr;
	struct ike_group *g;
	struct ike_peer *p;
	unsigned int i;

	core->judging++;
	*best = NULL;
	for (p = lookup_remote(core, from); p; p = TAILQ_NEXT(p, by_remote)) {
		core->stats.visited++;
		if (!ike_addr_eq(&p->remote.addr, from) || forbids_local(p->group, o->d))
			continue;
		if (!*best)
			*best = p;
		if (judge_group(core, p->group, o, chosen))
			return true;
	}
	for (i = 0; i < 2; i++) {
		TAILQ_FOREACH(g, &core->groups, link)
		{
			core->stats.visited++;
			p = TAILQ_FIRST(&g->peers[order[i]]);
			if (!p || forbids_local(g, o->d))
				continue;
			if (!*best)
				*best = p;
			if (judge_group(core, g, o, chosen))
				return true;
		}
	}
	return false;
}

bool lookup_policy(struct ike_core *core, struct lookup_offer *o, struct ike_proposal *chosen,
		   struct ike_peer **best)
{
	if (!find_policy(core, o, chosen, best))
		return false;
	o->claims_nat = may_want_udp(core, o);
	return true;
}

/* ---- IKE_AUTH ------------------------------------------------------------ */

struct ike_peer *lookup_id(struct ike_core *core, const struct ike_id *id,
			   const struct ike_peer *after)
{
	static const struct ike_id any;
	struct ike_peers *named = bucket_of_id(core, id), *others = bucket_of_id(core, &any);
	struct ike_peer *p;

	p = after ? TAILQ_NEXT(after, by_id) : TAILQ_FIRST(named);
	if (!p && named != others &&
	    (!after || bucket_of_id(core, query_first_id(after->conf)) == named))
		p = TAILQ_FIRST(others);
	if (p)
		core->stats.visited++;
	return p;
}
