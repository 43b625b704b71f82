// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A tunnel and its peers as objects: the copy of the configuration, which all peers of the tunnel
 * share, and their making and freeing. core.c makes the tunnel with its first peer, client.c the
 * others. The tunnel goes with the last of them.
 */
#include "ike/sa/layer_ikesa.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

/* ---- the configuration ------------------------------------------------------- */

static bool children_sane(const struct ike_tunnel_conf *c)
{
	unsigned int i;

	for (i = 0; i < c->n_child && i < IKE_MAX_CHILD; i++) {
		const struct ike_child_conf *k = &c->child[i];

		if (!memchr(k->name, 0, sizeof(k->name)) || !k->local_ts.n ||
		    k->local_ts.n > IKE_MAX_TS || !k->remote_ts.n || k->remote_ts.n > IKE_MAX_TS)
			return false;
	}
	return c->n_child && c->n_child <= IKE_MAX_CHILD;
}

bool tunnel_conf_is_sane(const struct ike_tunnel_conf *c)
{
	return c->name[0] && memchr(c->name, 0, sizeof(c->name)) && c->ike.n &&
	       c->ike.n <= IKE_MAX_PROPOSALS && c->esp.n && c->esp.n <= IKE_MAX_PROPOSALS &&
	       c->local_id.len <= IKE_MAX_ID && c->remote_id.len <= IKE_MAX_ID &&
	       children_sane(c) &&
	       (c->clients <= 1 || (c->clients <= IKE_MAX_CLIENTS && !c->remote.addr.family));
}

static void number_proposals(struct ike_proposals *p, uint8_t protocol)
{
	unsigned int i;

	for (i = 0; i < p->n; i++) {
		p->p[i].num = (uint8_t)(i + 1);
		p->p[i].protocol = protocol;
		p->p[i].spi_len = 0;
	}
}

/* Bytes of a configuration with those of its child SAs that are in use. */
static size_t conf_size(const struct ike_tunnel_conf *c)
{
	return offsetof(struct ike_tunnel_conf, child) + c->n_child * sizeof(c->child[0]);
}

const struct ike_tunnel_conf *tunnel_copy_conf(const struct ike_tunnel_conf *conf)
{
	struct ike_tunnel_conf *c = malloc(conf_size(conf));

	if (!c)
		return NULL;
	memcpy(c, conf, conf_size(conf));
	if (!c->local.port)
		c->local.port = IKE_NATT_PORT;
	number_proposals(&c->ike, IKE_PROTO_IKE);
	number_proposals(&c->esp, IKE_PROTO_ESP);
	return c;
}

void tunnel_free_conf(const struct ike_tunnel_conf *c)
{
	if (!c)
		return;
	ike_wipe((void *)c, conf_size(c));
	free((void *)c);
}

/* ---- objects ----------------------------------------------------------------- */

/* One member less; the tunnel is wiped and freed with the last. */
static void put_tunnel(struct ike_tunnel *t)
{
	if (--t->members)
		return;
	tunnel_free_conf(t->conf);
	free(t);
}

struct ike_peer *tunnel_new_peer(struct ike_core *core, struct ike_tunnel *t)
{
	struct ike_peer *p = calloc(1, sizeof(*p));
	unsigned int i;

	if (!p)
		return NULL;
	p->want = calloc(t->conf->n_child, sizeof(*p->want));
	if (!p->want || timers_reserve(&core->peer_timers)) {
		free(p->want);
		free(p);
		return NULL;
	}
	p->tunnel = t;
	p->conf = t->conf;
	t->members++;
	p->listed = GROUP_LISTS;
	p->adopted_end = p->follow.until = TIMER_NEVER;
	for (i = 0; i < t->conf->n_child; i++)
		p->want[i].next_try = TIMER_NEVER;
	TAILQ_INIT(&p->sas);
	TAILQ_INIT(&p->closed);
	TAILQ_INIT(&p->lingering);
	LIST_INIT(&p->adopted_claims);
	return p;
}

void tunnel_free_peer(struct ike_core *core, struct ike_peer *p)
{
	struct ike_tunnel *t = p->tunnel;

	claim_disown(p);
	timers_unreserve(&core->peer_timers, &p->timer);
	free(p->want);
	ike_wipe(p, sizeof(*p));
	free(p);
	put_tunnel(t);
}

static int grow_wants(struct ike_peer *p, unsigned int n)
{
	struct child_want *want;

	if (n <= p->conf->n_child)
		return 0;
	want = realloc(p->want, n * sizeof(*want));
	if (!want)
		return -ENOMEM;
	p->want = want;
	return 0;
}

int tunnel_grow_wants(struct ike_tunnel *t, unsigned int n)
{
	struct ike_peer *p;

	if (grow_wants(t->first, n))
		return -ENOMEM;
	TAILQ_FOREACH(p, &t->clients, of_tunnel)
	{
		if (grow_wants(p, n))
			return -ENOMEM;
	}
	return 0;
}

struct ike_peer *tunnel_new(struct ike_core *core, const struct ike_tunnel_conf *conf)
{
	struct ike_tunnel *t = calloc(1, sizeof(*t));
	struct ike_peer *p = NULL;

	if (!t)
		return NULL;
	TAILQ_INIT(&t->clients);
	t->last_id = IKE_PEER_FIRST;
	t->conf = tunnel_copy_conf(conf);
	t->members = 1; /* us */
	if (t->conf)
		p = tunnel_new_peer(core, t);
	t->first = p;
	put_tunnel(t);
	return p;
}
