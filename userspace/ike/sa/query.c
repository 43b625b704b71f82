// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a tunnel has, read from its lists: IKE SAs, pairs of ESP SAs, the place of its peer. Every
 * layer asks here, because nothing here changes anything; what to do about an answer is decided in
 * peer.c. The answers hold until the event at hand does something more.
 *
 * query_survivor() is the rule by which both ends of several IKE SAs choose the same one, see
 * peer.c.
 */
#include "ike/sa/layer_ikesa.h"

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

bool query_sa_has_outbound(const struct ike_sa *sa)
{
	const struct child_sa *c;

	if (sa->state != IKESA_ESTABLISHED)
		return false;
	TAILQ_FOREACH(c, &sa->children, link)
	{
		if (c->out)
			return true;
	}
	return false;
}

bool query_sa_has_child(const struct ike_sa *sa)
{
	const struct child_sa *c;

	TAILQ_FOREACH(c, &sa->children, link)
	{
		if (c->state <= CHILD_UP)
			return sa->state == IKESA_ESTABLISHED;
	}
	return false;
}

bool query_has_outbound(const struct ike_peer *p)
{
	const struct ike_sa *sa;

	if (p->n_adopted && p->adopted_end == TIMER_NEVER)
		return true;
	TAILQ_FOREACH(sa, &p->sas, of_peer)
	{
		if (query_sa_has_outbound(sa) && !sa->superseded)
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

bool query_is_attempting(const struct ike_peer *p)
{
	const struct ike_sa *sa;

	TAILQ_FOREACH(sa, &p->sas, of_peer)
	{
		if (sa->state == IKESA_INIT_SENT || sa->state == IKESA_AUTH_SENT ||
		    exchange_makes_pair(sa))
			return true;
	}
	return false;
}

bool query_has_child(const struct ike_peer *p, bool replaced)
{
	const struct ike_sa *sa;

	TAILQ_FOREACH(sa, &p->sas, of_peer)
	{
		if (query_sa_has_child(sa) && !sa->superseded && sa->replaced == replaced)
			return true;
	}
	return false;
}

bool query_has_pair(const struct ike_peer *p)
{
	return p->n_adopted || query_has_child(p, false) || query_has_child(p, true);
}

struct ike_sa *query_usable(const struct ike_peer *p)
{
	struct ike_sa *sa;

	TAILQ_FOREACH(sa, &p->sas, of_peer)
	{
		if (ikesa_authenticated(sa) && sa->confirmed && !sa->replaced && !sa->superseded &&
		    sa->close_at == TIMER_NEVER)
			return sa;
	}
	return NULL;
}

struct ike_sa *query_primary(const struct ike_peer *p)
{
	struct ike_sa *sa, *best = NULL;

	TAILQ_FOREACH(sa, &p->sas, of_peer)
	{
		if (!best ||
		    (sa->established_at != TIMER_NEVER) > (best->established_at != TIMER_NEVER) ||
		    ((sa->state == IKESA_ESTABLISHED) >= (best->state == IKESA_ESTABLISHED) &&
		     query_sa_has_outbound(sa) >= query_sa_has_outbound(best)))
			best = sa;
	}
	return best;
}

/*
 * SAs taken over know where the peer really is; the configured place is the alternative. A
 * listener that replaces its own pair may know no other place than that of its IKE SA.
 */
struct ike_endpoint query_remote(const struct ike_peer *p)
{
	const struct ike_sa *sa;

	if (p->n_adopted && p->adopted_remote.addr.family &&
	    (!p->remote.addr.family || p->failures % 2 == 0))
		return p->adopted_remote;
	if (p->remote.addr.family || !query_is_established(p))
		return p->remote;
	sa = query_primary(p);
	return sa->remote;
}

struct ike_sa *query_holder(const struct ike_core *core, const struct ike_peer *p,
			    const struct ike_id *id, const struct ike_endpoint *from)
{
	bool contested = core->now < p->contested_until;
	struct ike_sa *sa;

	TAILQ_FOREACH(sa, &p->sas, of_peer)
	{
		if (sa->state == IKESA_ESTABLISHED &&
		    (!ike_id_eq(&sa->remote_id, id) ||
		     (contested && !ike_endpoint_eq(&sa->remote, from))))
			return sa;
	}
	return NULL;
}

/* Would the first lose against the second? Total over SAs of one peer, equal at both ends. */
static bool is_redundant_to(const struct ike_sa *a, const struct ike_sa *b)
{
	bool a_out = a->superseded || a->replaced, b_out = b->superseded || b->replaced;

	if (a_out != b_out)
		return a_out;
	if (query_sa_has_child(a) != query_sa_has_child(b))
		return query_sa_has_child(b);
	return memcmp(a->low_nonce, b->low_nonce, sizeof(a->low_nonce)) < 0;
}

struct ike_sa *query_survivor(const struct ike_sa *sa)
{
	struct ike_sa *other, *best = NULL;

	TAILQ_FOREACH(other, &sa->peer->sas, of_peer)
	{
		if (other->state != IKESA_ESTABLISHED ||
		    !ike_id_eq(&other->remote_id, &sa->remote_id))
			continue;
		if (!best || is_redundant_to(best, other))
			best = other;
	}
	return best;
}
