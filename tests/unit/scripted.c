// SPDX-License-Identifier: GPL-2.0-or-later
#include "scripted.h"
#include "psk_auth.h"

#include <stdio.h>
#include <string.h>

/* ---- words --------------------------------------------------------------- */

static const struct {
	const char *word;
	struct ike_transform t;
} words[] = {
#define ENCR_KEY(name, bits, len, word, ...) { word, { IKE_T_ENCR, IKE_ENCR_##name, bits } },
#define INTEG(name, number, word, ...) { word, { IKE_T_INTEG, number, 0 } },
#define PRF(name, number, word, ...) { word, { IKE_T_PRF, number, 0 } },
#define DH(name, number, word, ...) { word, { IKE_T_DH, number, 0 } },
#define ESN(name, number, word) { word, { IKE_T_ESN, number, 0 } },
#define KNOWN(type, number, bits, aead, word) { word, { IKE_T_##type, number, bits } },
#include "ike/proto/transform.def"
};

static struct ike_transform transform_of(const char *word)
{
	unsigned int type, id, bits;
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcmp(words[i].word, word))
			return words[i].t;
	if (sscanf(word, "%u:%u:%u", &type, &id, &bits) != 3)
		fail_msg("no transform is called %s", word);
	return (struct ike_transform){ (uint16_t)type, (uint16_t)id, (uint16_t)bits };
}

void scripted_offer(struct ike_sa_payload *o, const char *text, uint8_t protocol, uint32_t spi)
{
	char copy[2048], *end, *proposal, *word, *save;

	memset(o, 0, sizeof(*o));
	assert_true(strlen(text) < sizeof(copy));
	strcpy(copy, text);
	for (proposal = strtok_r(copy, " ", &end); proposal; proposal = strtok_r(NULL, " ", &end)) {
		struct ike_proposal *p = &o->p[o->n];

		p->num = (uint8_t)++o->n;
		p->protocol = protocol;
		if (protocol == IKE_PROTO_ESP) {
			struct writer w = writer_init(p->spi, sizeof(p->spi));

			p->spi_len = 4;
			writer_be32(&w, spi);
		}
		for (word = strtok_r(proposal, "-", &save); word;
		     word = strtok_r(NULL, "-", &save)) {
			assert_true(p->n < IKE_MAX_TRANSFORMS);
			p->t[p->n++] = transform_of(word);
		}
	}
}

/* ---- sending ------------------------------------------------------------- */

static struct ike_rng rng_of(struct scripted *s)
{
	return (struct ike_rng){ rnd_fill, &s->p->w.rnd };
}

void scripted_init(struct scripted *s, struct pair *p, struct node *to, uint8_t host,
		   bool initiator)
{
	memset(s, 0, sizeof(*s));
	s->p = p;
	s->to = to;
	s->initiator = initiator;
	s->here = (struct ike_endpoint){ { 4, { 203, 0, 113, host } }, IKE_PORT };
	s->nonce_len[!initiator] = 32;
	rnd_fill(&p->w.rnd, s->nonce[!initiator], 32);
	rnd_fill(&p->w.rnd, initiator ? s->spi_i : s->spi_r, IKE_SPI_LEN);
}

void scripted_free(struct scripted *s)
{
	ike_kex_free(s->kex);
}

static struct ike_header header(const struct scripted *s, uint8_t exchange)
{
	struct ike_header h = {
		.version = 0x20,
		.exchange = exchange,
		.flags = s->initiator ? IKE_FLAG_INITIATOR : IKE_FLAG_RESPONSE,
		.id = s->id,
	};

	memcpy(h.spi_i, s->spi_i, IKE_SPI_LEN);
	memcpy(h.spi_r, s->spi_r, IKE_SPI_LEN);
	return h;
}

void scripted_begin_init(struct scripted *s)
{
	struct ike_header h = header(s, IKE_SA_INIT);

	ike_build_init(&s->b, s->buf, sizeof(s->buf), &h);
}

void scripted_key_exchange(struct scripted *s, uint16_t group)
{
	static const uint8_t value[128] = { 9 }; /* of a group that we have not */
	struct ike_rng rng = rng_of(s);

	ike_kex_free(s->kex);
	s->kex = ike_kex_new(group, &rng);
	if (s->kex)
		ike_secret_build(&s->b, s->kex);
	else
		ike_build_ke(&s->b, group, value, sizeof(value));
	ike_build_nonce(&s->b, s->nonce[!s->initiator], s->nonce_len[!s->initiator]);
}

void scripted_begin(struct scripted *s)
{
	ike_build_inner(&s->b, s->inner, sizeof(s->inner), &s->first);
}

static void natd(struct scripted *s, uint16_t type, const struct ike_addr *a)
{
	const uint8_t port[2] = { IKE_PORT >> 8, IKE_PORT & 0xff };
	const struct ike_iov in[] = {
		{ s->spi_i, IKE_SPI_LEN }, { s->spi_r, IKE_SPI_LEN }, { a->b, 4 }, { port, 2 }
	};
	uint8_t hash[20];

	assert_int_equal(ike_sha1(in, 4, hash), 0);
	ike_build_notify(&s->b, type, hash, sizeof(hash));
}

void scripted_natd(struct scripted *s, bool behind_nat)
{
	static const struct ike_addr inside = { 4, { 192, 168, 178, 20 } };

	natd(s, IKE_N_NAT_DETECTION_SOURCE_IP, behind_nat ? &inside : &s->here.addr);
	natd(s, IKE_N_NAT_DETECTION_DESTINATION_IP, &s->to->addr);
}

/* The AUTH value of one end. */
static size_t auth_of(const struct scripted *s, bool initiator, struct ike_iov id, uint8_t *out)
{
	unsigned int link = link_of(own_conf(s->to)->name);
	const struct ike_iov message = { s->init[!initiator], s->init_len[!initiator] };
	const struct ike_iov nonce = { s->nonce[initiator], s->nonce_len[initiator] };
	uint16_t prf = s->keys.suite.prf;

	assert_int_equal(psk_auth(prf, s->to->psk[link], s->to->psk_len[link], &message, &nonce,
				  initiator ? s->keys.pi : s->keys.pr, &id, out),
			 0);
	return ike_prf_len(prf);
}

void scripted_prove(struct scripted *s, const struct ike_id *id)
{
	uint8_t body[4 + IKE_MAX_ID] = { id->type }, auth[IKE_MAX_PRF];
	size_t len;

	memcpy(body + 4, id->data, id->len);
	len = auth_of(s, s->initiator, (struct ike_iov){ body, 4u + id->len }, auth);
	ike_build_payload(&s->b, s->initiator ? IKE_PL_IDI : IKE_PL_IDR, body, 4u + id->len);
	ike_build_auth(&s->b, IKE_AUTH_PSK, auth, len);
}

static void inject(struct scripted *s, uint8_t *data, size_t len, uint16_t port)
{
	struct ike_endpoint to = { s->to->addr, port };

	assert_true(len > 0);
	s->here.port = port;
	world_inject(&s->p->w, &s->here, &to, data, len, 0);
	pair_run(s->p, 30);
}

void scripted_send_init(struct scripted *s)
{
	size_t len = ike_build_end(&s->b);

	memcpy(s->init[!s->initiator], s->buf, len);
	s->init_len[!s->initiator] = len;
	inject(s, s->buf, len, IKE_PORT);
}

void scripted_send(struct scripted *s, uint8_t exchange)
{
	struct ike_header h = header(s, exchange);
	struct ike_rng rng = rng_of(s);
	size_t len = ike_build_end(&s->b);

	len = ike_sk_seal(&s->keys, &rng, &h, s->first, s->inner, len, s->buf, sizeof(s->buf));
	inject(s, s->buf, len, IKE_NATT_PORT);
	s->id++;
}

/* ---- hearing ------------------------------------------------------------- */

struct ike_payloads scripted_heard(struct scripted *s, uint8_t exchange)
{
	static uint8_t copy[SCRIPTED_MAX];
	const struct sent *m = NULL;
	struct ike_payloads in;
	uint8_t offender;
	unsigned int i;

	for (i = 0; i < s->p->n_sent; i++)
		if (s->p->sent[i].from == s->to->index)
			m = &s->p->sent[i];
	assert_non_null(m);
	assert_int_equal(m->h.exchange, exchange);
	if (exchange != IKE_SA_INIT) {
		assert_int_equal(ike_sk_open(&s->keys, m->data, m->len, copy, sizeof(copy), &in,
					     &offender),
				 0);
		return in;
	}
	assert_int_equal(ike_payloads_parse(m->h.next, m->data + IKE_HDR_LEN, m->len - IKE_HDR_LEN,
					    &in, &offender),
			 0);
	memcpy(s->init[s->initiator], m->data, m->len);
	s->init_len[s->initiator] = m->len;
	memcpy(s->initiator ? s->spi_r : s->spi_i, s->initiator ? m->h.spi_r : m->h.spi_i,
	       IKE_SPI_LEN);
	return in;
}

void scripted_derive(struct scripted *s, const struct ike_payloads *in,
		     const struct ike_proposal *chosen)
{
	struct ike_nonces n = { s->nonce[0], s->nonce[1], 0, 0 };
	struct ike_secret secret;
	struct ike_suite suite;
	const uint8_t *nonce;
	struct ike_ke ke;
	size_t len;

	assert_int_equal(ike_nonce_parse(ike_payload_find(in, IKE_PL_NONCE), &nonce, &len), 0);
	memcpy(s->nonce[s->initiator], nonce, len);
	s->nonce_len[s->initiator] = len;
	n.i_len = s->nonce_len[0];
	n.r_len = s->nonce_len[1];
	assert_int_equal(ike_ke_parse(ike_payload_find(in, IKE_PL_KE), &ke), 0);
	assert_true(ike_secret_agree(&secret, s->kex, &ke));
	assert_int_equal(ike_suite_from_proposal(chosen, &suite), 0);
	assert_int_equal(ike_keys_derive(&s->keys, &suite, &n, s->spi_i, s->spi_r, secret.data,
					 secret.len),
			 0);
	s->id = 1;
}

void scripted_verify(struct scripted *s, const struct ike_payloads *in)
{
	const struct ike_payload *id = ike_payload_find(in, s->initiator ? IKE_PL_IDR : IKE_PL_IDI);
	const struct ike_payload *p = ike_payload_find(in, IKE_PL_AUTH);
	uint8_t want[IKE_MAX_PRF];
	struct ike_auth auth;
	size_t len;

	assert_true(id && p);
	len = auth_of(s, !s->initiator, (struct ike_iov){ id->body, id->len }, want);
	assert_int_equal(ike_auth_parse(p, &auth), 0);
	assert_int_equal(auth.method, IKE_AUTH_PSK);
	assert_int_equal(auth.len, len);
	assert_memory_equal(auth.data, want, len);
}
