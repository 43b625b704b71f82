// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Nothing is installed before the peer proved who it is: under each IKE SA that an end counts as established, as many
 * messages with an AUTH payload came in as the way in which the peer authenticates has (RFC 7296 2.15, 2.16; RFC 4739),
 * each of them whole. An end opens what it sends here with its own keys, in fragments or not; what of it comes
 * to the other end is known by its bytes. An IKE SA that a rekey made has no such messages.
 */
#include "ike/core/state.h"
#include "world_int.h"

/* Purposes of hashes. */
enum { HASH_PROOF_SENT = 0x70, HASH_PROOF_MESSAGE, HASH_PROOF_PART, HASH_PROOF_WHOLE, HASH_PROOFS };

/* What is noted of a message: how many datagrams it has, and … */
enum { PROOF_AUTH = 1 << 16 }; /* … that there is an AUTH payload in it. */

/* The message, however it was split. */
static uint64_t whole_key(const struct node *to, const struct ike_header *h, uint64_t purpose)
{
	uint64_t key = hash_bytes(h->spi_i, IKE_SPI_LEN, purpose + to->index);

	key = hash_bytes(&h->flags, 1, key);
	return hash_bytes(&h->id, sizeof(h->id), key);
}

static uint64_t count_key(const struct node *to, const uint8_t *spi_i)
{
	return hash_bytes(spi_i, IKE_SPI_LEN, HASH_PROOFS + ((uint64_t)to->index << 8));
}

/* ---- what is sent -------------------------------------------------------- */

static const struct ike_sa *find_sender(const struct node *n, const struct ike_header *h)
{
	bool initiator = h->flags & IKE_FLAG_INITIATOR;
	const struct ike_sa *sa =
		ikesa_find(&n->core->sas, initiator ? h->spi_i : h->spi_r, initiator);

	return sa && sa->have_keys ? sa : NULL;
}

/* Fragments leave in their order; what is in them so far is in @parts. The last one: true. */
static bool add_part(struct proof_parts *parts, const struct ike_sa *sa,
		     const struct ike_datagram *d, unsigned int *total)
{
	static uint8_t copy[IKE_MAX_MSG];
	struct ike_skf f;

	*total = 0;
	if (ike_skf_open(&sa->keys, d->data, d->len, copy, sizeof(copy), &f))
		return false;
	*total = f.total;
	if (f.number == 1)
		*parts = (struct proof_parts){ .first = f.first };
	if (parts->len + f.len > sizeof(parts->plain))
		return false;
	memcpy(parts->plain + parts->len, f.data, f.len);
	parts->len += f.len;
	return f.number == f.total;
}

static bool is_proof(struct world *w, const struct ike_sa *sa, const struct ike_datagram *d,
		     const struct ike_header *h, unsigned int *total)
{
	static uint8_t copy[IKE_MAX_MSG];
	struct ike_payloads in;
	uint8_t offender;
	bool whole;

	*total = 1;
	if (h->next == IKE_PL_SKF)
		whole = add_part(&w->proof_parts, sa, d, total) &&
			!ike_payloads_parse(w->proof_parts.first, w->proof_parts.plain,
					    w->proof_parts.len, &in, &offender);
	else
		whole = !ike_sk_open(&sa->keys, d->data, d->len, copy, sizeof(copy), &in,
				     &offender);
	return whole && ike_payload_find(&in, IKE_PL_AUTH);
}

void proof_sent(struct node *n, const struct ike_datagram *d, const struct ike_header *h)
{
	const struct ike_sa *sa = n->w->judge_proofs ? find_sender(n, h) : NULL;
	struct seen *all = &n->w->proofs;
	struct seen_entry *sent;
	unsigned int total;
	uint64_t message;
	bool proof;

	if (!sa)
		return;
	sent = seen_find(all, hash_bytes(d->data, d->len, HASH_PROOF_SENT));
	if (sent->value)
		return;
	proof = is_proof(n->w, sa, d, h, &total);
	message = hash_bytes(&total, sizeof(total), whole_key(n, h, HASH_PROOF_MESSAGE)) | 1;
	sent->value = message;
	seen_find(all, message)->value |= total | (proof ? PROOF_AUTH : 0);
}

/* ---- what comes ---------------------------------------------------------- */

void proof_came(struct node *n, const uint8_t *data, size_t len)
{
	struct seen *all = &n->w->proofs;
	uint64_t message, digest = hash_bytes(data, len, HASH_PROOF_SENT), noted;
	struct seen_entry *part, *parts;
	struct ike_header h;

	if (!n->w->judge_proofs || ike_header_parse(data, len, &h) || h.exchange != IKE_AUTH)
		return;
	message = seen_find(all, digest)->value;
	if (!message)
		return;
	noted = seen_find(all, message)->value;
	part = seen_find(all, hash_bytes(&digest, sizeof(digest), HASH_PROOF_PART + n->index));
	if (part->value)
		return;
	part->value = 1;
	parts = seen_find(all, hash_bytes(&message, sizeof(message), HASH_PROOF_PART + n->index));
	if (++parts->value != (noted & ~PROOF_AUTH) || !(noted & PROOF_AUTH))
		return;
	part = seen_find(all, whole_key(n, &h, HASH_PROOF_WHOLE));
	if (part->value)
		return;
	part->value = 1;
	seen_find(all, count_key(n, h.spi_i))->value++;
}

/* ---- what has to have come ----------------------------------------------- */

/* So many messages of the peer have an AUTH payload. */
static unsigned int count_wanted(const struct ike_tunnel_conf *c)
{
	if (ike_auth_is_user(&c->local_auth) && !c->remote_auth.eap_only)
		return 2; /* a server proves itself before EAP begins, and when it is over */
	return c->remote_auth.then_user ? 2 : 1;
}

void proof_check(struct node *n, const struct ike_child *c)
{
	unsigned int wanted = count_wanted(&n->conf[link_of(c->tunnel)]), came;
	const struct ike_sa *sa;
	bool any = false;

	for (size_t i = 0; n->w->judge_proofs && i < n->core->sas.buckets; i++) {
		LIST_FOREACH(sa, &n->core->sas.by_spi[i], by_spi)
		{
			if (!sa->peer || strcmp(sa->peer->conf->name, c->tunnel) != 0 ||
			    sa->peer->id != c->peer || sa->established_at == TIMER_NEVER)
				continue;
			any = true;
			came = (unsigned int)seen_find(&n->w->proofs, count_key(n, sa->spi_i))
				       ->value;
			if (message_began_ike_sa(n->w, sa->spi_i) && came < wanted)
				world_fail(
					n->w,
					"node %u installs a pair, and of the peer's %u AUTH payloads %u came",
					n->index, wanted, came);
		}
	}
	if (n->w->judge_proofs && !any)
		world_fail(n->w, "node %u installs a pair without an IKE SA", n->index);
}
