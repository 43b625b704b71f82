// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a tunnel has, read from its lists: IKE SAs, pairs of ESP SAs, the place of its peer. Every
 * layer asks here, because nothing here changes anything; what to do about an answer is decided in
 * peer.c. The answers hold until the event at hand does something more.
 *
 * query_survivor() is the rule by which both ends of several IKE SAs choose the same one, see
 * peer.c.
 */
#include "ike/core/layer_ikesa.h"

const struct ike_id *query_first_id(const struct tunnel_conf *c)
{
	return c->first_id ? c->first_id : &c->remote_id;
}

void query_local_id(const struct ike_peer *p, const struct ike_sa *sa, struct ike_id *id)
{
	const struct ike_addr *a = &sa->local.addr;

	*id = p->conf->local_id;
	if (id->type)
		return;
	id->type = a->family == 6 ? IKE_ID_IPV6 : IKE_ID_IPV4;
	id->len = a->family == 6 ? 16 : 4;
	memcpy(id->data, a->b, id->len);
}

bool query_sa_has_outbound(const struct ike_sa *sa, unsigned int conf)
{
	const struct child_sa *c;

	if (sa->state != IKESA_ESTABLISHED)
		return false;
	TAILQ_FOREACH(c, &sa->children, link)
	{
		if (c->out && (conf == CHILD_ANY || c->conf == conf))
			return true;
	}
	return false;
}

bool query_sa_has_child(const struct ike_sa *sa, unsigned int conf)
{
	const struct child_sa *c;

	if (sa->state != IKESA_ESTABLISHED)
		return false;
	TAILQ_FOREACH(c, &sa->children, link)
	{
		if (c->state <= CHILD_UP && (conf == CHILD_ANY || c->conf == conf))
			return true;
	}
	return false;
}

bool query_sa_covers(const struct ike_sa *sa, const struct ike_sa *other)
{
	const struct child_sa *c;

	TAILQ_FOREACH(c, &other->children, link)
	{
		if (c->out && !query_sa_has_outbound(sa, c->conf) &&
		    !sa->peer->want[c->conf].refused)
			return false;
	}
	return true;
}

bool query_is_replaced(const struct ike_sa *sa)
{
	return sa->replaced || sa->doubted;
}

/* Nothing is to take its place, as far as we know. */
static bool is_to_stay(const struct ike_sa *sa)
{
	return !query_is_replaced(sa) && !sa->superseded && sa->close_at == TIMER_NEVER;
}

bool query_has_outbound(const struct ike_peer *p, unsigned int conf)
{
	const struct ike_sa *sa;

	if (p->n_adopted && p->adopted_end == TIMER_NEVER)
		return true;
	TAILQ_FOREACH(sa, &p->sas, of_peer)
	{
		if (query_sa_has_outbound(sa, conf) && !sa->superseded)
			return true;
	}
	return false;
}

bool query_is_established(const struct ike_peer *p)
{
	const struct ike_sa *sa;

	TAILQ_FOREACH(sa, &p->sas, of_peer)
	{
		if (sa->state == IKESA_ESTABLISHED)
			return true;
	}
	return false;
}

bool query_is_attempting(const struct ike_peer *p, unsigned int conf)
{
	const struct ike_sa *sa;

	TAILQ_FOREACH(sa, &p->sas, of_peer)
	{
		if (sa->state == IKESA_INIT_SENT || sa->state == IKESA_AUTH_SENT ||
		    exchange_makes_pair(sa, conf))
			return true;
	}
	return false;
}

bool query_has_child(const struct ike_peer *p, unsigned int conf)
{
	const struct ike_sa *sa;

	TAILQ_FOREACH(sa, &p->sas, of_peer)
	{
		if (is_to_stay(sa) && query_sa_has_child(sa, conf))
			return true;
	}
	return false;
}

bool query_has_pair(const struct ike_peer *p, unsigned int conf)
{
	const struct ike_sa *sa;

	TAILQ_FOREACH(sa, &p->sas, of_peer)
	{
		if (!sa->superseded && query_sa_has_child(sa, conf))
			return true;
	}
	return p->n_adopted;
}

struct ike_sa *query_usable(const struct ike_peer *p)
{
	struct ike_sa *sa;

	TAILQ_FOREACH(sa, &p->sas, of_peer)
	{
		if (ikesa_authenticated(sa) && sa->confirmed && is_to_stay(sa))
			return sa;
	}
	return NULL;
}

struct ike_sa *query_unproven(const struct ike_peer *p)
{
	struct ike_sa *sa;

	TAILQ_FOREACH(sa, &p->sas, of_peer)
	{
		if (ikesa_authenticated(sa) && !sa->confirmed && is_to_stay(sa))
			return sa;
	}
	return NULL;
}

bool query_is_bound(const struct ike_peer *p)
{
	unsigned int i;

	for (i = 0; i < p->conf->n_child; i++) {
		if (p->conf->child[i].mode == IKE_MODE_TRANSPORT)
			return true;
	}
	return false;
}

struct ike_sa *query_primary(const struct ike_peer *p)
{
	struct ike_sa *sa, *best = NULL;

	TAILQ_FOREACH(sa, &p->sas, of_peer)
	{
		if (!best ||
		    (sa->established_at != TIMER_NEVER) > (best->established_at != TIMER_NEVER) ||
		    ((sa->state == IKESA_ESTABLISHED) >= (best->state == IKESA_ESTABLISHED) &&
		     query_sa_has_outbound(sa, CHILD_ANY) >=
			     query_sa_has_outbound(best, CHILD_ANY)))
			best = sa;
	}
	return best;
}

unsigned int query_failures(const struct ike_peer *p)
{
	unsigned int i, most = 0;

	for (i = 0; i < p->conf->n_child; i++) {
		if (p->want[i].failures > most)
			most = p->want[i].failures;
	}
	return p->failures + most;
}

uint64_t query_next_try(const struct ike_peer *p)
{
	uint64_t at = TIMER_NEVER;
	unsigned int i;

	for (i = 0; i < p->conf->n_child; i++) {
		if (p->want[i].next_try < at)
			at = p->want[i].next_try;
	}
	return at;
}

/*
 * SAs taken over know where the peer really is; the configured place is the alternative. A
 * listener that replaces its own pair may know no other place than that of its IKE SA.
 */
struct ike_endpoint query_remote(const struct ike_peer *p)
{
	const struct ike_sa *sa;

	if (ike_auth_is_user(&p->conf->remote_auth))
		return (struct ike_endpoint){ 0 };
	if (p->n_adopted && p->adopted_remote.addr.family &&
	    (!p->remote.addr.family || query_failures(p) % 2 == 0))
		return p->adopted_remote;
	if (p->remote.addr.family || !query_is_established(p))
		return p->remote;
	sa = query_primary(p);
	return sa->remote;
}

bool query_can_replace(const struct ike_sa *sa)
{
	const struct ike_peer *p = sa->peer;

	return !p->is_client && !ike_auth_is_user(&p->conf->remote_auth) &&
	       (sa->began || p->remote.addr.family);
}

struct ike_sa *query_holder(const struct ike_core *core, const struct ike_peer *p,
			    const struct ike_id *id, const struct ike_endpoint *from)
{
	bool contested = core->now < p->contested_until;
	struct ike_sa *sa;

	TAILQ_FOREACH(sa, &p->sas, of_peer)
	{
		if (sa->state == IKESA_ESTABLISHED && !sa->outdated &&
		    (!ike_id_eq(&sa->remote_id, id) ||
		     (contested && !ike_endpoint_eq(&sa->remote, from))))
			return sa;
	}
	return NULL;
}

/*
 * Was another one begun when @sa was established? Who began that knew @sa, so that it is to take the place
 * of @sa, though only the end that decided so has set ->replaced.
 */
static bool is_outlived(const struct ike_sa *sa)
{
	const struct ike_sa *later;

	TAILQ_FOREACH(later, &sa->peer->sas, of_peer)
	{
		if (later->state == IKESA_ESTABLISHED && !later->superseded &&
		    later->created_at > sa->first_established_at &&
		    ike_id_eq(&later->remote_id, &sa->remote_id))
			return true;
	}
	return false;
}

/* Would the first lose against the second? Total over SAs of one peer, equal at both ends. */
static bool is_redundant_to(const struct ike_sa *a, const struct ike_sa *b)
{
	bool a_is = a->superseded || query_is_replaced(a);
	bool b_is = b->superseded || query_is_replaced(b);

	if (a_is != b_is)
		return a_is;
	a_is = query_sa_has_child(a, CHILD_ANY);
	b_is = query_sa_has_child(b, CHILD_ANY);
	if (a_is != b_is)
		return b_is;
	a_is = is_outlived(a);
	b_is = is_outlived(b);
	if (a_is != b_is)
		return a_is;
	return memcmp(a->low_nonce, b->low_nonce, sizeof(a->low_nonce)) < 0;
}

struct ike_sa *query_survivor(const struct ike_sa *sa)
{
	struct ike_sa *other, *best = NULL;

	TAILQ_FOREACH(other, &sa->peer->sas, of_peer)
	{
		/* Whatever identity it showed, one under terms of before gives way to one under those of now. */
		if (other->state != IKESA_ESTABLISHED ||
		    !(sa->outdated || ike_id_eq(&other->remote_id, &sa->remote_id)))
			continue;
		if (!best || is_redundant_to(best, other))
			best = other;
	}
	return best;
}
