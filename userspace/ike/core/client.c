// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Clients: the peers of a tunnel that serves many. One is made when somebody who is none of them
 * yet has proven an identity, never before, and goes with the last IKE SA and pair that is its. It
 * has a peer of its own in the kernel, where the selectors of its pairs say what is sent to it:
 * therefore no two of them get overlapping ones (claim_rival()).
 *
 * A client begins everything that needs to know where it is; we only rekey what there is.
 */
#include "ike/core/layer_ikesa.h"

/* ---- coming ---------------------------------------------------------------- */

/* The next number that no client of @t has. */
static uint32_t choose_number(const struct ike_core *core, struct ike_tunnel *t)
{
	do {
		if (++t->last_id <= IKE_PEER_FIRST)
			t->last_id = IKE_PEER_FIRST + 1;
	} while (lookup_peer(core, t->conf->name, t->last_id));
	return t->last_id;
}

static struct ike_peer *make_client(struct ike_core *core, struct ike_tunnel *t, uint32_t id)
{
	struct ike_peer *p = tunnel_new_peer(core, t);

	if (!p)
		return NULL;
	p->is_client = p->enabled = true;
	p->id = id;
	lookup_add_client(core, p);
	/* Should nothing come of it, it goes when the event is over. */
	event_note(core, p, EVENT_CHANGED);
	event_note(core, t->first, EVENT_CHANGED);
	return p;
}

/* The kernel has no peer for it. */
static void forget_client(struct ike_core *core, struct ike_peer *p)
{
	event_take(core, p);
	lookup_remove_client(p);
	event_note(core, p->tunnel->first, EVENT_CHANGED);
	tunnel_free_peer(core, p);
}

/* The adopted client whose SAs lead to @remote, and which did not say yet who it is. */
static struct ike_peer *find_adopted(const struct ike_tunnel *t, const struct ike_endpoint *remote)
{
	struct ike_peer *p;

	TAILQ_FOREACH(p, &t->clients, of_tunnel)
	{
		if (!p->proven.type && p->n_adopted && ike_endpoint_eq(&p->adopted_remote, remote))
			return p;
	}
	return NULL;
}

/* Its peer in the kernel, which another program may have removed. */
static int make_peer(struct ike_core *core, const struct ike_peer *p, const struct ike_sa *sa,
		     const struct ike_id *id)
{
	char text[IKE_MAX_ID + 16];
	int rc = core->env.peer_make(core->env.ctx, p->conf->name, p->id, &sa->remote, id);

	if (rc)
		report_error(core, p->tunnel->first, sa,
			     "refused '%s', which proved its key: no peer can be made for it",
			     ike_id_print(text, sizeof(text), id));
	return rc;
}

static struct ike_peer *new_client(struct ike_core *core, struct ike_peer *first,
				   const struct ike_sa *sa, const struct ike_id *id)
{
	struct ike_tunnel *t = first->tunnel;
	char text[IKE_MAX_ID + 16];
	struct ike_peer *p;

	if (t->n_clients >= t->conf->clients) {
		report_error(
			core, first, sa,
			"refused '%s', which proved its key: there are %u clients already, as many as Clients= allows",
			ike_id_print(text, sizeof(text), id), t->n_clients);
		return NULL;
	}
	p = make_client(core, t, choose_number(core, t));
	if (p && make_peer(core, p, sa, id)) {
		forget_client(core, p);
		p = NULL;
	}
	return p;
}

static void name_client(struct ike_core *core, struct ike_peer *p, const struct ike_id *id)
{
	p->proven = *id;
	lookup_name_client(core, p);
}

/* Is there an IKE SA that must not be replaced by one from elsewhere? It is asked whether it lives. */
static bool is_kept(struct ike_core *core, struct ike_peer *p, const struct ike_sa *sa,
		    bool initial)
{
	char id[IKE_MAX_ID + 16], there[64], here[64];
	struct ike_sa *old;

	if (p->conf->unique == IKE_UNIQUE_REPLACE ||
	    (p->conf->unique == IKE_UNIQUE_KEEP && initial))
		return false;
	TAILQ_FOREACH(old, &p->sas, of_peer)
	{
		if (old->state != IKESA_ESTABLISHED || ike_endpoint_eq(&old->remote, &sa->remote))
			continue;
		report_error(
			core, p, sa,
			"refused '%s' at %s, which proved its key: a client at %s has this identity, and Unique= keeps that one while it answers",
			ike_id_print(id, sizeof(id), &p->proven),
			ike_endpoint_print(here, sizeof(here), &sa->remote),
			ike_endpoint_print(there, sizeof(there), &old->remote));
		request_probe(core, old);
		return true;
	}
	return false;
}

struct ike_peer *client_admit(struct ike_core *core, struct ike_peer *first, struct ike_sa *sa,
			      const struct ike_id *id, bool initial)
{
	struct ike_peer *p = lookup_client(core, first->tunnel, id);

	if (p) {
		if (is_kept(core, p, sa, initial) || make_peer(core, p, sa, id))
			return NULL;
		/* It was taken down, alone or with its tunnel, and is back before all of it has ended. */
		p->enabled = true;
		return p;
	}
	/* A source address alone may be anyone's: only where it was sent an answer it is the client's. */
	p = sa->strayed ? NULL : find_adopted(first->tunnel, &sa->remote);
	if (p && make_peer(core, p, sa, id))
		return NULL;
	if (!p)
		p = new_client(core, first, sa, id);
	if (!p)
		return NULL;
	name_client(core, p, id);
	return p;
}

struct ike_peer *client_adopted(struct ike_core *core, struct ike_tunnel *t, uint32_t number,
				const struct ike_id *id)
{
	struct ike_peer *p = make_client(core, t, number);

	if (p && id->type && !lookup_client(core, t, id))
		name_client(core, p, id);
	return p;
}

void client_replace(struct ike_core *core, struct ike_sa *sa)
{
	struct ike_sa *old;

	TAILQ_FOREACH(old, &sa->peer->sas, of_peer)
	{
		if (old != sa && old->state == IKESA_ESTABLISHED)
			old->replaced = true;
	}
	event_note(core, sa->peer, EVENT_CHANGED);
}

/* ---- going ------------------------------------------------------------------- */

void client_end(struct ike_core *core, struct ike_peer *p)
{
	char id[IKE_MAX_ID + 16];

	if (!p->is_client || !TAILQ_EMPTY(&p->sas) || !TAILQ_EMPTY(&p->closed) ||
	    !TAILQ_EMPTY(&p->lingering) || p->n_adopted)
		return;
	if (p->proven.type)
		report_line(core, IKE_LOG_INFO, p, NULL, "client '%s' is gone",
			    ike_id_print(id, sizeof(id), &p->proven));
	core->env.peer_remove(core->env.ctx, p->conf->name, p->id);
	forget_client(core, p);
}
