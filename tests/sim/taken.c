// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The time for which an end waits because the network took a message: from a copy of its request that
 * was lost, or from the loss of the answer, to its next copy. Only what was on its way to where the
 * other end is counts: what an agent sends elsewhere is its own affair, and so is what an IKE SA that is
 * on its way out asks.
 *
 * It counts until a few requests were answered: the ends could have said all that is to be said.
 *
 * No deadline can be kept on a network that takes whatever it likes. So deadlines are of the other time,
 * see must_flow() in sim.c.
 */
#include "ike/core/state.h"
#include "world_int.h"

enum { HASH_WAIT = 0x60 };

/* The request, at whichever end, that the message is or answers: by SPIi, ID and who asks. */
static uint64_t request_key(const struct node *asks, const struct ike_header *h)
{
	uint64_t key = hash_bytes(h->spi_i, IKE_SPI_LEN, HASH_WAIT);

	key = hash_bytes(&h->id, sizeof(h->id), key);
	return hash_bytes(&asks->index, sizeof(asks->index), key) | 1;
}

static struct wait *find_wait(struct world *w, uint64_t key)
{
	struct wait *oldest = &w->wait[0];
	unsigned int i;

	for (i = 0; i < WORLD_WAITS; i++) {
		if (w->wait[i].key == key)
			return &w->wait[i];
		if (w->wait[i].at < oldest->at)
			oldest = &w->wait[i];
	}
	*oldest = (struct wait){ .key = key };
	return oldest;
}

/* Does the IKE SA have a future at the end that asks? */
static bool is_in_use(const struct node *asks, const struct ike_header *h)
{
	bool initiator = !(h->flags & IKE_FLAG_INITIATOR) == !!(h->flags & IKE_FLAG_RESPONSE);
	const struct ike_sa *sa =
		asks->core
			? ikesa_find(&asks->core->sas, initiator ? h->spi_i : h->spi_r, initiator)
			: NULL;

	return sa && sa->state != IKESA_DELETING && sa->state != IKESA_CLOSED;
}

/* The node that the datagram reaches unless it is lost; NULL if there is none. */
static struct node *find_reached(struct world *w, const struct ike_datagram *d)
{
	uint16_t port;
	struct node *to = route_packet(w, &d->remote, &port);

	return to && to->reachable && !node_is_dark(to, &d->remote.addr) ? to : NULL;
}

void taken_note(struct node *n, const struct ike_datagram *d, bool leaves, bool taken)
{
	struct world *w = n->w;
	struct node *to = leaves ? find_reached(w, d) : NULL, *asks;
	struct ike_header h;
	struct wait *wait;

	if (ike_header_parse(d->data, d->len, &h))
		return;
	asks = h.flags & IKE_FLAG_RESPONSE ? to : n;
	/* An unprotected answer under an IKE SA that there is says nothing to it. */
	if (!asks || !is_in_use(asks, &h) ||
	    (h.exchange != IKE_SA_INIT && h.next != IKE_PL_SK && h.next != IKE_PL_SKF))
		return;
	wait = find_wait(w, request_key(asks, &h));
	if (asks == to && !taken && !wait->answered) {
		wait->answered = true;
		w->answers++;
	}
	/* Of the copies that leave at one moment one that arrives is enough. */
	if (wait->at == w->now && (!to || !wait->open || taken))
		return;
	wait->open = to && taken;
	wait->at = to ? w->now : wait->at;
}

bool taken_waits(const struct world *w)
{
	unsigned int i;

	for (i = 0; i < WORLD_WAITS && w->answers < WORLD_ANSWERS; i++) {
		if (w->wait[i].open && w->now < w->wait[i].at + IKESA_RETRANSMIT_CAP_MS)
			return true;
	}
	return false;
}
