// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What must hold of what is inside protected messages, opened with the sender's keys: a nonce
 * serves one exchange, and of two successors of one SA, made by exchanges of both ends that crossed,
 * the one of the lowest nonce is deleted, by who created it (RFC 7296 2.8.1, 2.8.2, 3.9). There are not
 * two if an end that began never heard the response: an exchange goes with its IKE SA, which the other
 * end deletes when its own exchange is over.
 *
 * Pairs and IKE SAs alike are known by the SPIs of both ends; a pair's are of four octets.
 */
#include <arpa/inet.h>

#include "ike/core/state.h"
#include "world_int.h"

/* Purposes of hashes. */
enum { HASH_OPENED = 0x60, HASH_INNER_NONCE, HASH_INNER_NONCE_OF, HASH_SPIS };

enum {
	FALLBACK_MS = CHILD_REKEYED_OTHER_MS
}; /* after so long who won deletes what the other end left */

static uint64_t spi_of(const struct ike_proposal *p)
{
	return hash_bytes(p->spi, p->spi_len, HASH_SPIS);
}

static uint64_t spi_i_of(const struct ike_sa *sa)
{
	return hash_bytes(sa->spi_i, IKE_SPI_LEN, HASH_SPIS);
}

/* The newest SA that @node knows by @spi, of its own. */
static struct made_sa *find_made(struct world *w, unsigned int node, uint64_t spi)
{
	unsigned int i;

	for (i = w->n_made; i-- > 0;) {
		struct made_sa *m = &w->made[i];

		if ((m->by == node && m->spi[0] == spi) || (m->to == node && m->spi[1] == spi))
			return m;
	}
	return NULL;
}

/* The newest one that the exchange of @ike_sa with this ID, begun by @by, is to make. */
static struct made_sa *find_asked(struct world *w, unsigned int by, uint64_t ike_sa, uint32_t id)
{
	unsigned int i;

	for (i = w->n_made; i-- > 0;) {
		struct made_sa *m = &w->made[i];

		if (m->by == by && m->ike_sa == ike_sa && m->id == id)
			return m;
	}
	return NULL;
}

/* What an exchange that replaces @m has as its ->old. */
static uint64_t name_of(const struct world *w, const struct made_sa *m)
{
	return m->ike ? m->spi[0] : (uint64_t)(m - w->made) + 1;
}

static void note_low(struct made_sa *m, const struct ike_payloads *in)
{
	const struct ike_payload *p = ike_payload_find(in, IKE_PL_NONCE);

	if (p && p->len >= IKE_OUR_NONCE && memcmp(p->body, m->low, IKE_OUR_NONCE) < 0)
		memcpy(m->low, p->body, IKE_OUR_NONCE);
}

static void note_request(struct node *n, const struct ike_sa *sa, const struct ike_header *h,
			 const struct ike_proposal *p, const struct ike_payloads *in)
{
	struct world *w = n->w;
	struct ike_notify rekey;
	struct made_sa *m, *old;

	if (w->n_made == WORLD_MADE)
		return; /* what comes later is not judged */
	m = &w->made[w->n_made];
	*m = (struct made_sa){
		.by = n->index,
		.to = WORLD_NODES,
		.ike = p->protocol == IKE_PROTO_IKE,
		.ike_sa = spi_i_of(sa),
		.id = h->id,
		.spi = { spi_of(p) },
	};
	memset(m->low, 0xff, sizeof(m->low));
	note_low(m, in);
	if (m->ike)
		m->old = m->ike_sa;
	else if (ike_notify_find(in, IKE_N_REKEY_SA, &rekey)) {
		old = find_made(w, n->index, hash_bytes(rekey.spi, rekey.spi_len, HASH_SPIS));
		m->old = old ? name_of(w, old) : 0;
	}
	w->n_made++;
}

static void note_response(struct node *n, const struct ike_sa *sa, const struct ike_header *h,
			  const struct ike_proposal *p, const struct ike_payloads *in)
{
	uint64_t ike_sa = spi_i_of(sa);
	unsigned int i;

	for (i = 0; i < n->w->n_nodes; i++) {
		struct made_sa *m = i == n->index ? NULL : find_asked(n->w, i, ike_sa, h->id);

		if (!m || m->to != WORLD_NODES)
			continue;
		m->to = n->index;
		m->spi[1] = spi_of(p);
		m->at = n->w->now;
		note_low(m, in);
	}
}

/* The other successor of what @m replaced, if it was there too and nothing has come of it. */
static const struct made_sa *rival_of(const struct world *w, const struct made_sa *m)
{
	unsigned int i;

	for (i = 0; m->old && i < w->n_made; i++) {
		const struct made_sa *o = &w->made[i];

		if (o != m && o->old == m->old && o->to < WORLD_NODES && o->by == m->to)
			return o;
	}
	return NULL;
}

static bool has_ike_sa(const struct node *n, uint64_t spi_i)
{
	const struct ike_sa *sa;
	size_t i;

	for (i = 0; n->core && i < n->core->sas.buckets; i++) {
		LIST_FOREACH(sa, &n->core->sas.by_spi[i], by_spi)
		{
			if (sa->initiator && spi_i_of(sa) == spi_i)
				return true;
		}
	}
	return false;
}

static bool has_inbound(const struct node *n, uint64_t spi)
{
	unsigned int i;

	for (i = 0; i < n->n_sa; i++) {
		uint32_t own = htonl(n->sa[i].spi);

		if (n->sa[i].in && hash_bytes(&own, sizeof(own), HASH_SPIS) == spi)
			return true;
	}
	return false;
}

/* Does the end that asked for it have it, or wait for the response? */
static bool is_there(const struct world *w, const struct made_sa *m)
{
	const struct node *by = &w->node[m->by];

	return m->ike ? has_ike_sa(by, m->spi[0]) : has_inbound(by, m->spi[0]);
}

static bool has_successor(const struct world *w, const struct made_sa *m)
{
	uint64_t name = name_of(w, m);
	unsigned int i;

	for (i = 0; i < w->n_made; i++) {
		if (w->made[i].old == name && w->made[i].to < WORLD_NODES)
			return true;
	}
	return false;
}

/* @n asks its peer to delete @m. */
static void check_deleted(struct node *n, struct made_sa *m)
{
	const struct made_sa *rival = rival_of(n->w, m);

	if (m->gone || !rival || rival->gone || !is_there(n->w, rival) || has_successor(n->w, m) ||
	    has_successor(n->w, rival) || !n->w->judge_rivals)
		goto out;
	n->w->judged++;
	if (memcmp(m->low, rival->low, sizeof(m->low)) > 0)
		world_fail(n->w,
			   "node %u deletes the successor that does not have the lowest nonce",
			   n->index);
	if (m->by != n->index && n->w->now < m->at + FALLBACK_MS)
		world_fail(n->w, "node %u deletes the losing successor that node %u created",
			   n->index, m->by);
out:
	m->gone = true;
}

static void note_deletes(struct node *n, const struct ike_sa *sa, const struct ike_payloads *in)
{
	struct ike_delete d;
	struct made_sa *m;
	unsigned int i, k;

	for (i = 0; i < in->n; i++) {
		if (in->p[i].type != IKE_PL_DELETE || ike_delete_parse(&in->p[i], &d))
			continue;
		if (d.protocol == IKE_PROTO_IKE) {
			m = find_made(n->w, n->index,
				      hash_bytes(sa->initiator ? sa->spi_i : sa->spi_r, IKE_SPI_LEN,
						 HASH_SPIS));
			if (m)
				check_deleted(n, m);
		}
		for (k = 0; d.protocol == IKE_PROTO_ESP && k < d.n; k++) {
			m = find_made(n->w, n->index,
				      hash_bytes(d.spis + 4 * (size_t)k, 4, HASH_SPIS));
			if (m)
				check_deleted(n, m);
		}
	}
}

static void check_inner_nonce(struct node *n, const struct ike_header *h,
			      const struct ike_payloads *in)
{
	const struct ike_payload *p = ike_payload_find(in, IKE_PL_NONCE);
	uint64_t key, of;

	if (!p || n->w->any_nonces)
		return;
	if (p->len < IKE_OUR_NONCE)
		world_fail(n->w, "node %u: nonce of %zu octets", n->index, p->len);
	key = hash_bytes(p->body, p->len, HASH_INNER_NONCE);
	of = hash_bytes(h->spi_i, IKE_SPI_LEN, HASH_INNER_NONCE_OF + h->id);
	of = hash_bytes(&h->flags, 1, of);
	if (!seen_once(&n->w->nonces, key, of))
		world_fail(n->w, "node %u: nonce used for two exchanges", n->index);
}

void inside_check(struct node *n, const struct ike_datagram *d, const struct ike_header *h)
{
	bool initiator = h->flags & IKE_FLAG_INITIATOR, response = h->flags & IKE_FLAG_RESPONSE;
	static uint8_t copy[IKE_MAX_MSG];
	struct ike_sa_payload sa_payload;
	const struct ike_payload *p;
	struct seen_entry *first;
	struct ike_payloads in;
	struct ike_sa *sa;
	uint8_t offender;

	first = seen_find(&n->w->messages, hash_bytes(d->data, d->len, HASH_OPENED));
	if (first->value)
		return;
	first->value = 1;
	sa = ikesa_find(&n->core->sas, initiator ? h->spi_i : h->spi_r, initiator);
	if (!sa || !sa->have_keys ||
	    ike_sk_open(&sa->keys, d->data, d->len, copy, sizeof(copy), &in, &offender))
		return;
	check_inner_nonce(n, h, &in);
	if (!response)
		note_deletes(n, sa, &in);
	p = ike_payload_find(&in, IKE_PL_SA);
	if (!p || ike_sa_parse(p, &sa_payload) || !sa_payload.n)
		return;
	if (response)
		note_response(n, sa, h, &sa_payload.p[0], &in);
	else
		note_request(n, sa, h, &sa_payload.p[0], &in);
}
