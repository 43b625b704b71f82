// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What must hold of each IKE message a node sends, as far as an observer without keys can
 * tell: nonces, octets of repetitions, IVs, message IDs. env_send() in world.c calls it.
 */
#include "world_int.h"

/* Purposes of hashes, so that one of them cannot be taken for another. */
enum {
	HASH_NONCE = 0x50,
	HASH_NONCE_SA,
	HASH_MESSAGE,
	HASH_MESSAGE_BYTES,
	HASH_IV,
	HASH_IV_BYTES,
	HASH_BY_INIT,
	HASH_NEXT_ID,
};

enum {
	SPIS_LEN = 2 * IKE_SPI_LEN,
	NUMBERS_LEN = 4, /* Fragment Number and Total Fragments (RFC 7383 2.5), before the IV */
	FRAGMENT_MAX = 1280 - 20 - 8 - 4, /* of an IP packet, behind IPv4, UDP and non-ESP marker */
};

/* Nonces of IKE_SA_INIT are fresh for each IKE SA: a request's for its SPIi, a response's for SPIr. */
static void check_nonce(struct node *n, const struct ike_datagram *d, const struct ike_header *h)
{
	const struct ike_payload *p;
	struct ike_payloads in;
	uint8_t offender;
	uint64_t key;

	if (ike_payloads_parse(h->next, d->data + IKE_HDR_LEN, d->len - IKE_HDR_LEN, &in,
			       &offender))
		world_fail(n->w, "node %u sent an IKE_SA_INIT message nobody can parse", n->index);
	p = ike_payload_find(&in, IKE_PL_NONCE);
	if (!p)
		return;
	key = hash_bytes(p->body, p->len, HASH_NONCE);
	if (!seen_once(&n->w->nonces, key,
		       hash_bytes(h->flags & IKE_FLAG_RESPONSE ? h->spi_r : h->spi_i, IKE_SPI_LEN,
				  HASH_NONCE_SA)))
		world_fail(n->w, "node %u: nonce used for two IKE SAs", n->index);
}

bool message_began_ike_sa(struct world *w, const uint8_t *spi_i)
{
	return seen_find(&w->ids, hash_bytes(spi_i, IKE_SPI_LEN, HASH_BY_INIT))->value;
}

/*
 * The requests of one end of an IKE SA are numbered without a gap (RFC 7296 2.2). They begin
 * at 0, but at 1 for the end whose IKE_SA_INIT had 0: so an IKE SA that a rekey made begins
 * at 0 at both ends (2.18).
 */
static void check_id(struct node *n, const struct ike_header *h, const uint8_t *spis)
{
	/* Found by SPIi alone: an attacker may have changed SPIr of the IKE_SA_INIT response. */
	bool by_init = message_began_ike_sa(n->w, spis);
	uint8_t initiator = h->flags & IKE_FLAG_INITIATOR;
	uint64_t key = hash_bytes(spis, SPIS_LEN, HASH_NEXT_ID + (initiator << 8));
	struct seen_entry *next = seen_find(&n->w->ids, key);

	if (!next->value) /* one more than the ID, so that it is not 0 */
		next->value = by_init && initiator ? 2 : 1;
	if ((uint64_t)h->id + 1 > next->value)
		world_fail(n->w, "node %u numbers a request %u where %llu is next", n->index, h->id,
			   (unsigned long long)next->value - 1);
	if ((uint64_t)h->id + 1 == next->value)
		next->value++;
}

/*
 * One message per SPI pair, direction and ID: whatever is sent again must be the same
 * octets (RFC 7296 2.1), so that no IV serves twice. IKE_SA_INIT requests change with
 * cookie and group, and unprotected answers to strangers are no part of an IKE SA. Of a message
 * in fragments that holds for each; split anew, there are more of them (RFC 7383 2.5.2).
 */
void message_check(struct node *n, const struct ike_datagram *d)
{
	size_t iv_at = IKE_HDR_LEN + 4;
	struct world *w = n->w;
	struct ike_header h;
	uint64_t key;

	if (ike_header_parse(d->data, d->len, &h)) {
		world_fail(w, "node %u sent a message with a bad header", n->index);
		return;
	}
	if (h.exchange == IKE_SA_INIT) {
		check_nonce(n, d, &h);
		key = hash_bytes(h.spi_i, IKE_SPI_LEN, HASH_BY_INIT);
		seen_find(&w->ids, key)->value = 1;
		return;
	}
	if (h.next == IKE_PL_SKF)
		iv_at += NUMBERS_LEN;
	else if (h.next != IKE_PL_SK)
		return;
	if (h.next == IKE_PL_SKF && d->len > FRAGMENT_MAX)
		world_fail(w, "node %u sent a fragment of %zu bytes", n->index, d->len);
	if (!(h.flags & IKE_FLAG_RESPONSE) && !w->any_ids)
		check_id(n, &h, d->data);
	key = hash_bytes(d->data, SPIS_LEN, HASH_MESSAGE);
	key = hash_bytes(&h.flags, 1, key);
	key = hash_bytes(&h.id, sizeof(h.id), key);
	key = hash_bytes(d->data + IKE_HDR_LEN + 4, iv_at - IKE_HDR_LEN - 4, key);
	if (!seen_once(&w->messages, key, hash_bytes(d->data, d->len, HASH_MESSAGE_BYTES)))
		world_fail(w, "node %u sent two messages of exchange %u with ID %u", n->index,
			   h.exchange, h.id);
	/* SPIs and role of the sender name the key; then comes the IV, or half of it with CBC. */
	key = hash_bytes(d->data, SPIS_LEN, HASH_IV + ((h.flags & IKE_FLAG_INITIATOR) << 8));
	key = hash_bytes(d->data + iv_at, 8, key);
	if (!seen_once(&w->messages, key, hash_bytes(d->data, d->len, HASH_IV_BYTES)))
		world_fail(w, "node %u used an IV twice", n->index);
	if (h.exchange == IKE_AUTH)
		proof_sent(n, d, &h);
	if (h.next == IKE_PL_SK)
		inside_check(n, d, &h);
}
