// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "ike/app/terms.h"
#include "ike/crypto/crypto.h"

/* Each part is digested with what came before it. */
struct digest {
	const uint8_t *salt;
	uint8_t v[32];
	bool failed;
};

/* The length is told, too, so that no octet can be of another part. */
static void add(struct digest *d, const void *data, size_t len)
{
	const uint8_t length[2] = { (uint8_t)(len >> 8), (uint8_t)len };
	const struct ike_iov in[] = { { d->v, sizeof(d->v) }, { length, 2 }, { data, len } };
	uint8_t out[32];

	d->failed |= ike_hmac_sha256(d->salt, TERMS_SALT, in, len ? 3 : 2, out);
	memcpy(d->v, out, sizeof(d->v));
}

/* In an order of octets that is the same everywhere. */
static void add_numbers(struct digest *d, const uint16_t *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		add(d, (const uint8_t[]){ (uint8_t)(v[i] >> 8), (uint8_t)v[i] }, 2);
}

static void add_id(struct digest *d, const struct ike_id *id)
{
	add(d, &id->type, 1);
	add(d, id->data, id->len);
}

static void add_address(struct digest *d, const struct ike_addr *a)
{
	add(d, &a->family, 1);
	add(d, a->b, sizeof(a->b));
}

static void add_proposals(struct digest *d, const struct ike_proposals *l)
{
	for (unsigned int i = 0; i < l->n; i++) {
		for (unsigned int j = 0; j < l->p[i].n; j++) {
			const struct ike_transform *t = &l->p[i].t[j];

			add_numbers(d, (const uint16_t[]){ t->type, t->id, t->key_bits }, 3);
		}
		add(d, NULL, 0);
	}
	add(d, NULL, 0);
}

static void add_selectors(struct digest *d, const struct ike_ts_list *l)
{
	for (unsigned int i = 0; i < l->n; i++) {
		const struct ike_ts *ts = &l->ts[i];

		add_numbers(d,
			    (const uint16_t[]){ ts->family, ts->protocol, ts->port_start,
						ts->port_end },
			    4);
		add(d, ts->start, sizeof(ts->start));
		add(d, ts->end, sizeof(ts->end));
	}
	add(d, NULL, 0);
}

static void add_key(struct digest *d, const struct config *c, const struct ike_id *id)
{
	const struct client_key *own = client_keys_find(c->keys.v, c->keys.n, id);

	if (own)
		add(d, own->key, own->len);
	else
		add(d, c->psk, c->psk_len);
}

static bool digest_agreement(const struct config *c, const struct ike_id *id, const uint8_t *salt,
			     uint8_t out[TERMS_DIGEST])
{
	struct digest d = { .salt = salt };

	add_key(&d, c, id);
	add_id(&d, &c->local_id);
	add_id(&d, &c->remote_id);
	add_address(&d, &c->local);
	add(&d, c->endpoint, strlen(c->endpoint));
	add_numbers(&d, (const uint16_t[]){ c->port, c->endpoint_port, c->clients > 1 }, 3);
	add_proposals(&d, c->ike);
	add_proposals(&d, c->esp);
	memcpy(out, d.v, TERMS_DIGEST);
	return !d.failed;
}

static bool digest_selectors(const struct config *c, const uint8_t *salt, uint8_t out[TERMS_DIGEST])
{
	struct digest d = { .salt = salt };

	for (unsigned int i = 0; i < c->n_child; i++) {
		add_selectors(&d, &c->child[i].local_ts);
		add_selectors(&d, &c->child[i].remote_ts);
	}
	memcpy(out, d.v, TERMS_DIGEST);
	return !d.failed;
}

/* The salt, a digest of what both ends agreed on, and one of the selectors. */
static int compute_terms(const struct config *c, const struct ike_id *id, const uint8_t *salt,
			 uint8_t out[TERMS_LEN])
{
	uint8_t *digests = out + TERMS_SALT;

	memcpy(out, salt, TERMS_SALT);
	return digest_agreement(c, id, salt, digests) &&
			       digest_selectors(c, salt, digests + TERMS_DIGEST)
		       ? 0
		       : -1;
}

int terms_make(const struct config *c, const struct ike_id *id, uint8_t out[TERMS_LEN])
{
	uint8_t salt[TERMS_SALT];

	ike_crypto_random(NULL, salt, sizeof(salt));
	return compute_terms(c, id, salt, out);
}

enum terms_verdict terms_judge(const struct config *c, const struct ike_id *id,
			       const uint8_t terms[TERMS_LEN])
{
	const size_t agreed = TERMS_SALT + TERMS_DIGEST;
	uint8_t now[TERMS_LEN];

	if (compute_terms(c, id, terms, now) || !ike_equal(now, terms, agreed))
		return TERMS_OTHER;
	return ike_equal(now + agreed, terms + agreed, TERMS_DIGEST) ? TERMS_SAME
								     : TERMS_OTHER_SELECTORS;
}
