// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The messages themselves (RFC 7296 2.5, 2.6, 2.10, 3.1 to 3.4): what ours must have and must not
 * have, and what those of the peer may have without any consequence.
 */
#include "core_util.h"
#include "ike/exch/layer_exchange.h"

enum { CREATE = IKE_CREATE_CHILD_SA };

static struct pair *new_pair(const char *ike, const char *esp)
{
	struct pair *p = pair_new();
	struct node *n[2] = { p->a, p->b };
	char err[128];
	unsigned int i;

	for (i = 0; i < 2; i++) {
		struct ike_tunnel_conf *c = &n[i]->conf[0];

		c->liveness = 0;
		if (ike)
			assert_int_equal(ike_proposals_from_text(ike, IKE_PROTO_IKE, &c->ike, err,
								 sizeof(err)),
					 0);
		if (esp)
			assert_int_equal(ike_proposals_from_text(esp, IKE_PROTO_ESP, &c->esp, err,
								 sizeof(err)),
					 0);
	}
	return p;
}

/* The payloads of @s, whether it is protected or not. */
static struct ike_payloads payloads_of(const struct sent *s, const struct ike_sa *sa)
{
	struct ike_payloads in;
	uint8_t offender;

	if (s->h.exchange != IKE_SA_INIT)
		return sent_open(s, sa);
	assert_int_equal(ike_payloads_parse(s->h.next, s->data + IKE_HDR_LEN, s->len - IKE_HDR_LEN,
					    &in, &offender),
			 0);
	return in;
}

/*
 * IKE_SA_INIT, IKE_AUTH, the rekeying of the pair and that of the IKE SA, which all are kept apart
 * by their exchange: @check looks at each message, @sa has its keys.
 */
static void each_message(const char *ike, const char *esp,
			 void (*check)(const struct sent *s, const struct ike_payloads *in))
{
	struct pair *p = new_pair(ike, esp);
	struct ike_keys keys;
	struct ike_sa first;
	unsigned int i;

	pair_start(p, true);
	first.keys = node_sa(p->a)->keys;
	keys = first.keys;
	node_rekey_child(p->a);
	pair_run(p, 10000);
	node_rekey_ike(p->b);
	pair_run(p, 10000);
	assert_int_equal(pair_count(p, p->a, CREATE, false), 1);
	assert_int_equal(pair_count(p, p->b, CREATE, false), 1);
	for (i = 0; i < p->n_sent; i++) {
		struct ike_payloads in = payloads_of(&p->sent[i], &first);

		assert_memory_equal(&keys, &first.keys, sizeof(keys));
		check(&p->sent[i], &in);
	}
	pair_free(p);
}

/* ---- what ours have ------------------------------------------------------------- */

static void zero(const uint8_t *p, size_t n)
{
	while (n--)
		assert_int_equal(*p++, 0);
}

/* The reserved octets of all proposals and transforms. */
static void check_reserved_of_sa(const struct ike_payload *p)
{
	struct cursor c = cursor_init(p->body, p->len), t;
	uint8_t spi_len;

	while (c.left) {
		zero(c.p + 1, 1);
		spi_len = c.p[6];
		t = cursor_sub(&c, (size_t)(c.p[2] << 8 | c.p[3]));
		cursor_bytes(&t, 8u + spi_len);
		while (t.left) {
			zero(t.p + 1, 1);
			zero(t.p + 5, 1);
			cursor_bytes(&t, (size_t)(t.p[2] << 8 | t.p[3]));
		}
		assert_false(t.bad);
	}
	assert_false(c.bad);
}

static void check_reserved(const struct sent *s, const struct ike_payloads *in)
{
	unsigned int i;

	assert_int_equal(s->h.version, 0x20);
	assert_int_equal(s->h.flags & ~(IKE_FLAG_INITIATOR | IKE_FLAG_RESPONSE), 0);
	for (i = 0; i < in->n; i++) {
		const struct ike_payload *p = &in->p[i];

		zero(p->body - 3, 1); /* critical and reserved */
		switch (p->type) {
		case IKE_PL_SA: check_reserved_of_sa(p); break;
		case IKE_PL_KE: zero(p->body + 2, 2); break;
		case IKE_PL_IDI:
		case IKE_PL_IDR:
		case IKE_PL_AUTH:
		case IKE_PL_TSI:
		case IKE_PL_TSR: zero(p->body + 1, 3); break;
		default: break;
		}
	}
}

static void what_says_nothing_is_zero(void **state)
{
	(void)state;
	each_message(NULL, "aes256gcm16-esn-x25519", check_reserved);
}

static void check_offer(const struct sent *s, const struct ike_payloads *in)
{
	const struct ike_payload *p = ike_payload_find(in, IKE_PL_SA);
	bool pair = ike_payload_find(in, IKE_PL_TSI), groups = false;
	struct ike_sa_payload o;
	unsigned int i, j;

	if (!p)
		return;
	assert_int_equal(ike_sa_parse(p, &o), 0);
	for (i = 0; i < o.n; i++) {
		if (!(s->h.flags & IKE_FLAG_RESPONSE))
			assert_int_equal(o.p[i].num, i + 1);
		assert_int_equal(o.p[i].spi_len, pair				? 4
						 : s->h.exchange == IKE_SA_INIT ? 0
										: IKE_SPI_LEN);
		for (j = 0; j < o.p[i].n; j++) {
			const struct ike_transform *t = &o.p[i].t[j];

			/* "None" is said where a group may be chosen only (1.2). */
			assert_true(t->id || t->type == IKE_T_ESN ||
				    (t->type == IKE_T_DH && s->h.exchange == CREATE));
			assert_int_equal(t->key_bits != 0,
					 t->type == IKE_T_ENCR &&
						 t->id != IKE_ENCR_CHACHA20_POLY1305);
			groups |= t->type == IKE_T_DH && t->id;
		}
	}
	assert_true(groups || !ike_payload_find(in, IKE_PL_KE));
}

/* Proposals count from 1, have the SPI of their place, and KE goes with a group (3.3, 3.4). */
static void offers_do_not_say_none(void **state)
{
	(void)state;
	each_message(NULL, "chacha20poly1305, aes256gcm16-esn-noesn-x25519", check_offer);
	each_message("aes256gcm16-prfsha256-x25519, aes128gcm16-prfsha256-x25519-ecp256",
		     "aes256gcm16", check_offer);
}

static void check_nonces(const struct sent *s, const struct ike_payloads *in)
{
	const struct ike_payload *p = ike_payload_find(in, IKE_PL_NONCE);

	if (s->h.exchange == IKE_SA_INIT || s->h.exchange == CREATE)
		assert_non_null(p);
	if (p)
		assert_true(p->len >= 32); /* half of the key that HMAC-SHA2-512 prefers (2.10) */
}

static void nonces_are_long_enough(void **state)
{
	(void)state;
	each_message("aes256gcm16-prfsha512-x25519", NULL, check_nonces);
}

/* I is of the end that began the IKE SA, also if that was by rekeying it (3.1). */
static void the_initiator_flag_says_who_began(void **state)
{
	struct pair *p = new_pair(NULL, NULL);
	unsigned int i, old;
	bool by_b;

	(void)state;
	pair_start(p, true);
	node_rekey_child(p->b);
	pair_run(p, 10000);
	node_rekey_ike(p->b);
	pair_run(p, 10000);
	old = p->n_sent;
	p->a->core->now = p->b->core->now = p->w.now;
	request_probe(p->a->core, node_sa(p->a));
	pair_run(p, 1000);
	p->b->core->now = p->w.now;
	request_probe(p->b->core, node_sa(p->b));
	pair_run(p, 1000);
	assert_int_equal(p->n_sent, old + 4);
	for (i = 0; i < p->n_sent; i++) {
		by_b = i >= old;
		assert_int_equal(!!(p->sent[i].h.flags & IKE_FLAG_INITIATOR),
				 p->sent[i].from == (by_b ? p->b : p->a)->index);
	}
	pair_free(p);
}

/* The retry after INVALID_KE_PAYLOAD offers what the first request did (1.2). */
static void a_retry_offers_everything_again(void **state)
{
	struct pair *p = new_pair(
		"aes256gcm16-prfsha256-ecp256-x25519, chacha20poly1305-prfsha384-x25519", NULL);
	struct ike_payloads first, again;
	char err[128];

	(void)state;
	ike_proposals_from_text("aes256gcm16-prfsha256-x25519", IKE_PROTO_IKE, &p->b->conf[0].ike,
				err, sizeof(err));
	pair_start(p, true);
	assert_int_equal(pair_count(p, p->a, IKE_SA_INIT, false), 2);
	first = payloads_of(pair_sent(p, p->a, IKE_SA_INIT, false, 0), NULL);
	again = payloads_of(pair_sent(p, p->a, IKE_SA_INIT, false, 1), NULL);
	assert_int_equal(first.p[0].type, IKE_PL_SA);
	assert_int_equal(again.p[0].type, IKE_PL_SA);
	assert_int_equal(first.p[0].len, again.p[0].len);
	assert_memory_equal(first.p[0].body, again.p[0].body, first.p[0].len);
	pair_free(p);
}

/* A pair keeps the selectors that it was narrowed to (2.8, 2.9.2). */
static void successors_keep_their_selectors(void **state)
{
	struct pair *p = new_pair(NULL, NULL);
	struct ike_ts_list before, after;
	struct node *n[2] = { p->a, p->b };
	struct ike_payloads in;
	struct ike_ts_payload ts;
	uint32_t spi;
	char err[128];
	unsigned int i;

	(void)state;
	p->a->conf[0].child[0].local_ts.n = 0;
	ike_ts_from_text("10.0.0.0/8", &p->a->conf[0].child[0].local_ts, err, sizeof(err));
	p->b->conf[0].child[0].remote_ts.n = 0;
	ike_ts_from_text("10.2.0.0/16", &p->b->conf[0].child[0].remote_ts, err, sizeof(err));
	pair_start(p, true);
	before = node_status(p->a, 0).local_ts;
	for (i = 0; i < 2; i++) {
		spi = node_out(p->a, 0)->spi;
		node_rekey_child(n[i]);
		pair_run(p, 10000);
		after = node_status(p->a, 0).local_ts;
		assert_int_not_equal(node_out(p->a, 0)->spi, spi);
		assert_int_equal(after.n, 1);
		assert_memory_equal(&before.ts[0], &after.ts[0], sizeof(before.ts[0]));
		in = sent_open(pair_sent(p, n[i], CREATE, false, 0), node_sa(p->a));
		assert_int_equal(
			ike_ts_parse(ike_payload_find(&in, i ? IKE_PL_TSR : IKE_PL_TSI), &ts), 0);
		assert_int_equal(ts.n, 1);
		assert_memory_equal(&ts.ts[0], &before.ts[0], sizeof(before.ts[0]));
	}
	pair_free(p);
}

static void set_esp(struct node *n, const char *words)
{
	char err[256];

	if (ike_proposals_from_text(words, IKE_PROTO_ESP, &n->conf[0].esp, err, sizeof(err)))
		fail_msg("%s", err);
}

/* A pair keeps its algorithms, whatever is preferred by the end that answers (2.8). */
static void successors_keep_their_algorithms(void **state)
{
	struct pair *p = new_pair(NULL, NULL);
	struct node *n[2] = { p->a, p->b };
	struct ike_payloads in;
	struct ike_sa_payload offer;
	struct child_sa *c;
	char got[128];
	uint32_t spi;
	unsigned int i;

	(void)state;
	set_esp(p->a, "aes256gcm16-aes128gcm16, aes256-aes128-sha256-sha1");
	set_esp(p->b, "aes128-sha1, aes128gcm16, aes256-sha256");
	pair_start(p, true);
	for (i = 0; i < 3; i++) {
		spi = node_out(p->a, 0)->spi;
		if (i == 2) { /* a peer that offers all that it has when it rekeys */
			TAILQ_FOREACH(c, &node_sa(p->b)->children, link)
			c->suite.cipher.encr = IKE_ENCR_CHACHA20_POLY1305;
		}
		node_rekey_child(n[i % 2 ? 0 : 1]);
		pair_run(p, 10000);
		assert_int_not_equal(node_out(p->a, 0)->spi, spi);
		in = sent_open(pair_sent(p, n[i % 2 ? 0 : 1], CREATE, false, i / 2), node_sa(p->a));
		assert_int_equal(ike_sa_parse(ike_payload_find(&in, IKE_PL_SA), &offer), 0);
		assert_int_equal(offer.n, i == 2 ? 3 : 1);
		assert_string_equal(ike_proposal_print(got, sizeof(got), &offer.p[0]),
				    i == 2 ? "aes128-sha1-esn/noesn" : "aes128-sha1-esn");
		TAILQ_FOREACH(c, &node_sa(p->a)->children, link)
		assert_int_equal(c->suite.cipher.integ, IKE_INTEG_HMAC_SHA1_96);
	}
	pair_free(p);
}

/* Randomness that repeats does not make two IKE SAs of one SPI (2.6). */
static void an_spi_names_one_ike_sa(void **state)
{
	struct pair *p = new_pair(NULL, NULL);
	struct ike_sa *one, *two;
	uint64_t random;

	(void)state;
	pair_start(p, true);
	random = p->a->rnd.s;
	one = sa_new(p->a->core, true, &node_sa(p->a)->local, &node_sa(p->a)->remote, NULL);
	p->a->rnd.s = random;
	two = sa_new(p->a->core, true, &node_sa(p->a)->local, &node_sa(p->a)->remote, NULL);
	assert_memory_not_equal(one->spi_i, two->spi_i, IKE_SPI_LEN);
	one->peer = two->peer = node_sa(p->a)->peer;
	sa_join(p->a->core, one);
	sa_join(p->a->core, two);
	pair_free(p);
}

/* ---- what the peer's may have ---------------------------------------------------------- */

/* An IKE_SA_INIT request, its payloads from last to first, and others of later extensions. */
static size_t build_odd(struct pair *p, uint8_t *buf, size_t cap, uint8_t spi)
{
	struct ike_header h = { .version = 0x20,
				.exchange = IKE_SA_INIT,
				.flags = IKE_FLAG_INITIATOR };
	struct ike_proposal offer = p->a->conf[0].ike.p[0];
	const uint8_t nonce[32] = { 1 }, pub[32] = { 9 };
	struct ike_builder b;

	memset(h.spi_i, spi, sizeof(h.spi_i));
	ike_build_init(&b, buf, cap, &h);
	ike_build_payload(&b, IKE_PL_VENDOR, "unheard of", 10);
	ike_build_notify(&b, 50000, "status", 6);
	ike_build_payload(&b, 200, "extension", 9);
	ike_build_nonce(&b, nonce, sizeof(nonce));
	ike_build_ke(&b, IKE_DH_CURVE25519, pub, sizeof(pub));
	offer.num = 1;
	offer.protocol = IKE_PROTO_IKE;
	ike_build_sa(&b, (struct ike_offer){ 1, &offer });
	return ike_build_end(&b);
}

/* All reserved bits are set, and the critical one of each payload that RFC 7296 has. */
static void set_what_says_nothing(uint8_t *buf, size_t len)
{
	size_t at = IKE_HDR_LEN;
	uint8_t type = buf[16];

	buf[17] |= 0x0f; /* minor version */
	buf[19] |= 0xc7 | IKE_FLAG_VERSION;
	for (; at < len; at += (size_t)(buf[at + 2] << 8 | buf[at + 3])) {
		buf[at + 1] = type == 200 ? 0x7f : 0xff;
		if (type == IKE_PL_KE)
			memset(buf + at + 6, 0xff, 2);
		if (type == IKE_PL_SA)
			buf[at + 5] = buf[at + 13] = buf[at + 17] = 0xff; /* of the first of each */
		type = buf[at];
	}
	assert_int_equal(at, len);
}

static void what_says_nothing_is_ignored(void **state)
{
	struct pair *p = new_pair(NULL, NULL);
	struct ike_endpoint from = { { 4, { 203, 0, 113, 5 } }, IKE_PORT };
	struct ike_endpoint to = { p->b->addr, IKE_PORT };
	struct ike_payloads in;
	uint8_t buf[512];
	size_t len;

	(void)state;
	node_start(p->b, false);
	len = build_odd(p, buf, sizeof(buf), 7);
	set_what_says_nothing(buf, len);
	world_inject(&p->w, &from, &to, buf, len, 0);
	pair_run(p, 10);
	in = payloads_of(pair_sent(p, p->b, IKE_SA_INIT, true, 0), NULL);
	assert_non_null(ike_payload_find(&in, IKE_PL_SA));
	pair_free(p);
}

/* The first message has an initiator's SPI, and none of a responder (3.1). */
static void headers_of_a_first_message(void **state)
{
	static const uint8_t none[IKE_SPI_LEN];
	struct pair *p = new_pair(NULL, NULL);
	struct ike_endpoint from = { { 4, { 203, 0, 113, 5 } }, IKE_PORT };
	struct ike_endpoint to = { p->b->addr, IKE_PORT };
	const struct sent *s;
	uint8_t buf[512];
	size_t len;

	(void)state;
	node_start(p->b, false);
	len = build_odd(p, buf, sizeof(buf), 0);
	world_inject(&p->w, &from, &to, buf, len, 0);
	pair_run(p, 10);
	len = build_odd(p, buf, sizeof(buf), 8);
	buf[IKE_SPI_LEN] = 1;
	world_inject(&p->w, &from, &to, buf, len, 0);
	pair_run(p, 10);
	assert_int_equal(p->n_sent, 0);
	assert_int_equal(node_stats(p->b).rx_bad, 2);
	node_start(p->a, false);
	pair_run(p, 100);
	s = pair_sent(p, p->a, IKE_SA_INIT, false, 0);
	assert_memory_not_equal(s->h.spi_i, none, sizeof(none));
	assert_memory_equal(s->h.spi_r, none, sizeof(none));
	pair_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_says_nothing_is_zero),
		cmocka_unit_test(offers_do_not_say_none),
		cmocka_unit_test(nonces_are_long_enough),
		cmocka_unit_test(the_initiator_flag_says_who_began),
		cmocka_unit_test(a_retry_offers_everything_again),
		cmocka_unit_test(successors_keep_their_selectors),
		cmocka_unit_test(successors_keep_their_algorithms),
		cmocka_unit_test(an_spi_names_one_ike_sa),
		cmocka_unit_test(what_says_nothing_is_ignored),
		cmocka_unit_test(headers_of_a_first_message),
	};

	return cmocka_run_group_tests_name("core_format", tests, NULL, NULL);
}
