// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What must hold of each IKE message a node sends, as far as an observer without keys can
 * tell: nonces, octets of repetitions, IVs. env_send() in world.c calls it.
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
};

enum { SPIS_LEN = 2 * IKE_SPI_LEN };

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

/*
 * One message per SPI pair, direction and ID: whatever is sent again must be the same
 * octets (RFC 7296 2.1), so that no IV serves twice. IKE_SA_INIT requests change with
 * cookie and group, and unprotected answers to strangers are no part of an IKE SA.
 */
void message_check(struct node *n, const struct ike_datagram *d)
{
	struct world *w = n->w;
	struct ike_header h;
	uint64_t key;

	if (ike_header_parse(d->data, d->len, &h)) {
		world_fail(w, "node %u sent a message with a bad header", n->index);
		return;
	}
	if (h.exchange == IKE_SA_INIT) {
		check_nonce(n, d, &h);
		return;
	}
	if (h.next != IKE_PL_SK)
		return;
	key = hash_bytes(d->data, SPIS_LEN, HASH_MESSAGE);
	key = hash_bytes(&h.flags, 1, key);
	key = hash_bytes(&h.id, sizeof(h.id), key);
	if (!seen_once(&w->messages, key, hash_bytes(d->data, d->len, HASH_MESSAGE_BYTES)))
		world_fail(w, "node %u sent two messages of exchange %u with ID %u", n->index,
			   h.exchange, h.id);
	/* SPIs and role of the sender name the key; then comes the IV, or half of it with CBC. */
	key = hash_bytes(d->data, SPIS_LEN, HASH_IV + ((h.flags & IKE_FLAG_INITIATOR) << 8));
	key = hash_bytes(d->data + IKE_HDR_LEN + 4, 8, key);
	if (!seen_once(&w->messages, key, hash_bytes(d->data, d->len, HASH_IV_BYTES)))
		world_fail(w, "node %u used an IV twice", n->index);
}
