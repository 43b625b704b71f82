// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <string.h>

#include "ike/app/owned.h"
#include "ike/proto/addr.h"

enum { FIRST_ROOM = 8 };

struct owned_peer {
	uint32_t id;
	struct ike_addr remote; /* family 0: not known */
	unsigned int n, room;
	struct owned_spi *spis; /* in order of age */
};

/* ---- peers -------------------------------------------------------------------------------- */

static struct owned_peer **find_peer(const struct owned *o, uint32_t id)
{
	for (unsigned int i = 0; i < o->n; i++) {
		if (o->v[i]->id == id)
			return &o->v[i];
	}
	return NULL;
}

static void free_peer(struct owned_peer *p)
{
	free(p->spis);
	free(p);
}

void owned_free(struct owned *o)
{
	while (o->n)
		free_peer(o->v[--o->n]);
	free(o->v);
	o->v = NULL;
}

bool owned_add_peer(struct owned *o, uint32_t id, unsigned int max)
{
	struct owned_peer **grown, *p;

	if (!id || o->n >= max || find_peer(o, id))
		return false;
	grown = realloc(o->v, (o->n + 1) * sizeof(struct owned_peer *));
	if (!grown)
		return false;
	o->v = grown;
	p = calloc(1, sizeof(*p));
	if (!p)
		return false;
	p->id = id;
	o->v[o->n++] = p;
	return true;
}

bool owned_has_peer(const struct owned *o, uint32_t id)
{
	return find_peer(o, id);
}

bool owned_set_remote(struct owned *o, uint32_t id, const struct ike_addr *addr)
{
	struct owned_peer **at = find_peer(o, id);

	if (at)
		(*at)->remote = *addr;
	return at;
}

bool owned_has_remote(const struct owned *o, const struct ike_addr *addr)
{
	for (unsigned int i = 0; i < o->n; i++) {
		if (ike_addr_eq(&o->v[i]->remote, addr))
			return true;
	}
	return false;
}

const struct ike_addr *owned_remote_in(const struct owned *o, const struct ike_addr *net,
				       unsigned int len)
{
	for (unsigned int i = 0; i < o->n; i++) {
		if (ike_addr_in_net(&o->v[i]->remote, net, len))
			return &o->v[i]->remote;
	}
	return NULL;
}

uint32_t owned_peer_id(const struct owned *o, unsigned int i)
{
	return i < o->n ? o->v[i]->id : 0;
}

bool owned_remove_peer(struct owned *o, uint32_t id)
{
	struct owned_peer **at = find_peer(o, id);

	if (!at)
		return false;
	free_peer(*at);
	*at = o->v[--o->n];
	return true;
}

/* ---- SAs ---------------------------------------------------------------------------------- */

static struct owned_spi *find_spi(const struct owned_peer *p, uint32_t spi, bool inbound)
{
	for (unsigned int i = 0; i < p->n; i++) {
		if (p->spis[i].spi == spi && p->spis[i].inbound == inbound)
			return &p->spis[i];
	}
	return NULL;
}

static void forget_spi(struct owned_peer *p, struct owned_spi *s)
{
	struct owned_spi *end = p->spis + p->n;

	memmove(s, s + 1, (size_t)(end - s - 1) * sizeof(*s));
	p->n--;
}

static bool make_room(struct owned_peer *p)
{
	unsigned int room = p->room ? 2 * p->room : FIRST_ROOM;
	struct owned_spi *grown;

	if (p->n < p->room)
		return true;
	grown = realloc(p->spis, room * sizeof(*grown));
	if (!grown)
		return false;
	p->spis = grown;
	p->room = room;
	return true;
}

bool owned_add_spi(struct owned *o, uint32_t id, uint32_t spi, bool inbound,
		   struct owned_spi *forgotten)
{
	struct owned_peer **at = find_peer(o, id), *p;

	*forgotten = (struct owned_spi){ 0 };
	if (!at)
		return false;
	p = *at;
	if (!spi || find_spi(p, spi, inbound))
		return true;
	if (p->n == OWNED_MAX_SPIS) {
		*forgotten = p->spis[0];
		forget_spi(p, p->spis);
	}
	if (!make_room(p))
		return false;
	p->spis[p->n++] = (struct owned_spi){ spi, inbound };
	return true;
}

bool owned_has_spi(const struct owned *o, uint32_t id, uint32_t spi, bool inbound)
{
	struct owned_peer **at = find_peer(o, id);

	return at && find_spi(*at, spi, inbound);
}

bool owned_remove_spi(struct owned *o, uint32_t id, uint32_t spi, bool inbound)
{
	struct owned_peer **at = find_peer(o, id);
	struct owned_spi *s = at ? find_spi(*at, spi, inbound) : NULL;

	if (!s)
		return false;
	forget_spi(*at, s);
	return true;
}
