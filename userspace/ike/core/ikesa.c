// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The IKE SA object, the table of all of them, and what its fields say; see ikesa.h. Every
 * layer may call it: nothing here has an effect outside of the object.
 */
#include "ike/core/layer_ikesa.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_BUCKETS = 64 };

/* Own SPIs are random and digests keyed, so their first octets are a hash nobody can steer. */
static size_t bucket(const struct ikesa_table *t, const uint8_t *random_octets)
{
	uint64_t v;

	memcpy(&v, random_octets, sizeof(v));
	return v & (t->buckets - 1);
}

int ikesa_table_init(struct ikesa_table *t)
{
	t->n = 0;
	t->buckets = FIRST_BUCKETS;
	t->by_spi = calloc(t->buckets, sizeof(*t->by_spi));
	t->by_digest = calloc(t->buckets, sizeof(*t->by_digest));
	if (t->by_spi && t->by_digest)
		return 0;
	ikesa_table_free(t);
	return -ENOMEM;
}

void ikesa_table_free(struct ikesa_table *t)
{
	free(t->by_spi);
	free(t->by_digest);
	*t = (struct ikesa_table){ 0 };
}

static void link_sa(struct ikesa_table *t, struct ike_sa *sa)
{
	LIST_INSERT_HEAD(&t->by_spi[bucket(t, ikesa_own_spi(sa))], sa, by_spi);
	if (sa->has_digest)
		LIST_INSERT_HEAD(&t->by_digest[bucket(t, sa->digest)], sa, by_digest);
}

/* Without memory the table stays as it is, only slower. */
static void grow(struct ikesa_table *t)
{
	struct ikesa_table old = *t;
	struct ike_sa *sa;
	size_t i;

	t->buckets *= 2;
	t->by_spi = calloc(t->buckets, sizeof(*t->by_spi));
	t->by_digest = calloc(t->buckets, sizeof(*t->by_digest));
	if (!t->by_spi || !t->by_digest) {
		free(t->by_spi);
		free(t->by_digest);
		*t = old;
		return;
	}
	for (i = 0; i < old.buckets; i++) {
		while ((sa = LIST_FIRST(&old.by_spi[i]))) {
			LIST_REMOVE(sa, by_spi);
			if (sa->has_digest)
				LIST_REMOVE(sa, by_digest);
			link_sa(t, sa);
		}
	}
	ikesa_table_free(&old);
}

void ikesa_table_add(struct ikesa_table *t, struct ike_sa *sa)
{
	if (t->n >= t->buckets)
		grow(t);
	link_sa(t, sa);
	t->n++;
}

void ikesa_table_del(struct ikesa_table *t, struct ike_sa *sa)
{
	LIST_REMOVE(sa, by_spi);
	if (sa->has_digest)
		LIST_REMOVE(sa, by_digest);
	t->n--;
}

struct ike_sa *ikesa_find(const struct ikesa_table *t, const uint8_t own_spi[IKE_SPI_LEN],
			  bool we_initiated)
{
	struct ike_sa *sa;

	LIST_FOREACH(sa, &t->by_spi[bucket(t, own_spi)], by_spi)
	{
		if (sa->initiator == we_initiated &&
		    !memcmp(ikesa_own_spi(sa), own_spi, IKE_SPI_LEN))
			return sa;
	}
	return NULL;
}

struct ike_sa *ikesa_find_digest(const struct ikesa_table *t,
				 const uint8_t digest[IKESA_DIGEST_LEN])
{
	struct ike_sa *sa;

	LIST_FOREACH(sa, &t->by_digest[bucket(t, digest)], by_digest)
	{
		if (!memcmp(sa->digest, digest, IKESA_DIGEST_LEN))
			return sa;
	}
	return NULL;
}

struct ike_sa *ikesa_new(bool initiator, uint64_t now)
{
	struct ike_sa *sa = calloc(1, sizeof(*sa));

	if (!sa)
		return NULL;
	sa->setup = calloc(1, sizeof(*sa->setup));
	if (!sa->setup) {
		free(sa);
		return NULL;
	}
	sa->initiator = sa->began = initiator;
	sa->state = initiator ? IKESA_INIT_SENT : IKESA_HALF_OPEN;
	sa->created_at = now;
	sa->last_rx = now;
	sa->established_at = TIMER_NEVER;
	sa->tx.at = TIMER_NEVER;
	sa->rx.frags_until = TIMER_NEVER;
	sa->expire_at = TIMER_NEVER;
	sa->liveness_at = sa->rekey_at = sa->reauth_at = sa->proof_until = TIMER_NEVER;
	sa->close_at = sa->replace_by = TIMER_NEVER;
	TAILQ_INIT(&sa->queue);
	TAILQ_INIT(&sa->children);
	return sa;
}

void ikesa_free(struct ike_sa *sa)
{
	struct child_sa *c;

	while ((c = TAILQ_FIRST(&sa->children))) {
		TAILQ_REMOVE(&sa->children, c, link);
		child_free(c);
	}
	ikesa_setup_free(sa);
	ikesa_message_free(&sa->tx.msg);
	ikesa_message_free(&sa->rx.answer);
	frags_free(&sa->tx.frags);
	frags_free(&sa->rx.frags);
	followup_free(sa->followup);
	if (sa->agreed) {
		followup_free(sa->agreed->further);
		free(sa->agreed->n);
	}
	free(sa->agreed);
	free(sa->shown);
	free(sa->first_id);
	ike_wipe(&sa->keys, sizeof(sa->keys));
	free(sa);
}

int ikesa_set_first_id(struct ike_sa *sa, const struct ike_id *id)
{
	free(sa->first_id);
	sa->first_id = malloc(sizeof(*id));
	if (!sa->first_id)
		return -ENOMEM;
	*sa->first_id = *id;
	return 0;
}

void ikesa_eap_free(struct ike_sa *sa)
{
	struct ikesa_eap *e = sa->setup->eap;

	if (!e)
		return;
	eap_end(&e->run);
	ikesa_kept_free(&e->first);
	ikesa_bytes_free(&e->packet);
	ikesa_bytes_free(&e->peer_id);
	free(e);
	sa->setup->eap = NULL;
}

struct ikesa_eap *ikesa_eap_new(struct ike_sa *sa)
{
	ikesa_eap_free(sa);
	sa->setup->eap = calloc(1, sizeof(*sa->setup->eap));
	return sa->setup->eap;
}

void ikesa_setup_free(struct ike_sa *sa)
{
	if (!sa->setup)
		return;
	ike_kex_free(sa->setup->kex);
	ikesa_bytes_free(&sa->setup->init_i);
	ikesa_bytes_free(&sa->setup->init_r);
	ikesa_bytes_free(&sa->setup->auth);
	ikesa_bytes_free(&sa->setup->no_ppk_auth);
	if (sa->setup->ppk)
		ike_wipe(sa->setup->ppk, sizeof(*sa->setup->ppk));
	free(sa->setup->ppk);
	ikesa_eap_free(sa);
	if (sa->setup->next_keys)
		ike_wipe(sa->setup->next_keys, sizeof(*sa->setup->next_keys));
	free(sa->setup->next_keys);
	ike_wipe(sa->setup, sizeof(*sa->setup));
	free(sa->setup);
	sa->setup = NULL;
}

int ikesa_bytes_set(struct ikesa_bytes *b, const void *data, size_t len)
{
	uint8_t *p = malloc(len ? len : 1);

	ikesa_bytes_free(b);
	if (!p)
		return -ENOMEM;
	if (len)
		memcpy(p, data, len);
	b->data = p;
	b->len = len;
	return 0;
}

void ikesa_bytes_free(struct ikesa_bytes *b)
{
	if (b->len) /* a response of EAP, by which a password can be guessed, is among them */
		ike_wipe(b->data, b->len);
	free(b->data);
	*b = (struct ikesa_bytes){ 0 };
}

int ikesa_keep(struct ikesa_kept *k, const uint8_t *plain, size_t len,
	       const struct ike_payloads *in)
{
	uint8_t *copy = malloc(len ? len : 1);

	ikesa_kept_free(k);
	if (!copy)
		return -ENOMEM;
	if (len)
		memcpy(copy, plain, len);
	*k = (struct ikesa_kept){ copy, len, *in };
	for (unsigned int i = 0; i < k->in.n; i++)
		k->in.p[i].body = copy + (in->p[i].body - plain);
	return 0;
}

void ikesa_kept_free(struct ikesa_kept *k)
{
	if (k->plain)
		ike_wipe(k->plain, k->len);
	free(k->plain);
	*k = (struct ikesa_kept){ 0 };
}

int ikesa_message_set(struct ikesa_message *m, const void *data, size_t len)
{
	struct ikesa_bytes one = { 0 };

	ikesa_message_free(m);
	if (ikesa_bytes_set(&one, data, len))
		return -ENOMEM;
	*m = (struct ikesa_message){ .data = one.data, .len = len, .each = len };
	return 0;
}

void ikesa_message_free(struct ikesa_message *m)
{
	free(m->data);
	*m = (struct ikesa_message){ 0 };
}

void ikesa_frags_free(struct ike_sa *sa)
{
	frags_free(&sa->rx.frags);
	sa->rx.frags_until = TIMER_NEVER;
}

struct exchange *ikesa_take_out(struct ike_sa *sa)
{
	struct exchange *x = sa->out;

	ikesa_message_free(&sa->tx.msg);
	frags_free(&sa->tx.frags);
	sa->out = NULL;
	sa->tx.sends = 0;
	sa->tx.at = TIMER_NEVER;
	return x;
}

uint64_t ikesa_retransmit_delay(unsigned int sends)
{
	uint64_t delay = IKESA_RETRANSMIT_FIRST_MS;

	while (--sends && delay < IKESA_RETRANSMIT_CAP_MS)
		delay *= 2;
	return delay < IKESA_RETRANSMIT_CAP_MS ? delay : IKESA_RETRANSMIT_CAP_MS;
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* When the result of a job is given up. */
static uint64_t job_deadline(const struct ike_sa *sa)
{
	return earlier(sa->rx.wait ? sa->rx.wait->until : TIMER_NEVER,
		       sa->tx.wait ? sa->tx.wait->until : TIMER_NEVER);
}

uint64_t ikesa_deadline(const struct ike_sa *sa)
{
	uint64_t at = earlier(sa->rx.frags_until, earlier(sa->expire_at, sa->close_at));
	const struct child_sa *c;

	if (sa->agreed)
		at = earlier(at, sa->agreed->until);
	TAILQ_FOREACH(c, &sa->children, link)
	at = earlier(at, c->next_at);
	at = earlier(earlier(at, sa->reauth_at), earlier(sa->rekey_at, job_deadline(sa)));
	return earlier(earlier(at, sa->replace_by), earlier(sa->tx.at, sa->liveness_at));
}
