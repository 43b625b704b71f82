// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Message IDs, retransmission, deletes and liveness: RFC 7296 1.4, 2.1-2.4, 2.21.3,
 * 2.21.4, 2.25.
 */
#include "core_util.h"
#include "ike/core/core.h"

static void reset_messages(struct pair *p)
{
	free(p->w.messages.v);
	memset(&p->w.messages, 0, sizeof(p->w.messages));
}

/* 0.5 s doubling to 16 s, eight copies of the same octets, then given up. */
static void retransmission_schedule(void **state)
{
	static const uint64_t at[] = { 0, 500, 1500, 3500, 7500, 15500, 31500, 47500 };
	struct pair *p = pair_new();
	const struct sent *s, *first;
	unsigned int i;

	(void)state;
	node_start(p->a, false);
	pair_run(p, 63499);
	assert_int_equal(pair_count(p, p->a, IKE_SA_INIT, false), 8);
	first = pair_sent(p, p->a, IKE_SA_INIT, false, 0);
	for (i = 0; i < 8; i++) {
		s = pair_sent(p, p->a, IKE_SA_INIT, false, i);
		assert_int_equal(s->at, at[i]);
		assert_int_equal(s->len, first->len);
		assert_memory_equal(s->data, first->data, first->len);
	}
	assert_string_equal(node_error(p->a), "");
	pair_run(p, 2);
	assert_non_null(strstr(node_error(p->a), "no answer from 192.0.2.2:500"));
	assert_non_null(strstr(node_error(p->a), "Endpoint="));
	pair_run(p, 2000); /* and a fresh attempt after about a second */
	assert_int_equal(pair_count(p, p->a, IKE_SA_INIT, false), 10);
	assert_memory_not_equal(pair_sent(p, p->a, IKE_SA_INIT, false, 8)->data, first->data, 8);
	pair_free(p);
}

static void auth_retransmits_same_octets(void **state)
{
	struct pair *p = pair_new();
	const struct sent *first, *s;
	unsigned int i;

	(void)state;
	p->drop_from = 1 << 1;
	p->drop_exchange = IKE_AUTH;
	p->drop_responses = true;
	pair_start(p, false);
	pair_run(p, 4000);
	first = pair_sent(p, p->a, IKE_AUTH, false, 0);
	assert_int_equal(pair_count(p, p->a, IKE_AUTH, false), 4);
	assert_int_equal(pair_count(p, p->b, IKE_AUTH, true), 4);
	for (i = 1; i < 4; i++) {
		s = pair_sent(p, p->a, IKE_AUTH, false, i);
		assert_memory_equal(s->data, first->data, first->len);
		assert_memory_equal(pair_sent(p, p->b, IKE_AUTH, true, i)->data,
				    pair_sent(p, p->b, IKE_AUTH, true, 0)->data,
				    pair_sent(p, p->b, IKE_AUTH, true, 0)->len);
	}
	assert_int_equal(p->b->installs, 1); /* done once, answered four times */
	pair_free(p);
}

/* The last request again: the same answer. An older one, or altered: nothing. */
static void duplicates(void **state)
{
	struct pair *p = pair_new();
	struct sent copy;
	struct ike_builder b;
	uint8_t buf[64], first;
	unsigned int answers;

	(void)state;
	pair_start(p, true);
	pair_replay(p, pair_sent(p, p->a, IKE_AUTH, false, 0));
	pair_run(p, 50);
	assert_int_equal(pair_count(p, p->b, IKE_AUTH, true), 2);
	assert_memory_equal(pair_sent(p, p->b, IKE_AUTH, true, 0)->data,
			    pair_sent(p, p->b, IKE_AUTH, true, 1)->data,
			    pair_sent(p, p->b, IKE_AUTH, true, 0)->len);
	assert_int_equal(p->b->installs, 1);

	copy = *pair_sent(p, p->a, IKE_AUTH, false, 0);
	copy.data[copy.len - 1] ^= 1;
	pair_replay(p, &copy);
	pair_run(p, 50);
	assert_int_equal(pair_count(p, p->b, IKE_AUTH, true), 2);

	request_begin(&b, buf, sizeof(buf), &first);
	assert_true(node_request(p->a, IKE_INFORMATIONAL, &b, first));
	pair_run(p, 50);
	answers = pair_count(p, p->b, IKE_INFORMATIONAL, true);
	assert_int_equal(answers, 1);
	pair_replay(p, pair_sent(p, p->a, IKE_AUTH, false, 0)); /* too old now */
	pair_run(p, 50);
	assert_int_equal(pair_count(p, p->b, IKE_AUTH, true), 2);
	pair_free(p);
}

static void ids_out_of_window(void **state)
{
	static const uint32_t ids[] = { 0, 1, 3, 4, 1000, UINT32_MAX - 1 };
	struct pair *p = pair_new();
	struct ike_builder b;
	uint8_t buf[64], first;
	unsigned int i;

	(void)state;
	pair_start(p, true);
	p->w.any_ids = true;
	for (i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		reset_messages(p);
		node_sa(p->a)->tx.next = ids[i];
		request_begin(&b, buf, sizeof(buf), &first);
		assert_true(node_request(p->a, IKE_INFORMATIONAL, &b, first));
		pair_run(p, 50);
		assert_int_equal(pair_count(p, p->b, IKE_INFORMATIONAL, true), 0);
	}
	reset_messages(p);
	node_sa(p->a)->tx.next = 2;
	request_begin(&b, buf, sizeof(buf), &first);
	assert_true(node_request(p->a, IKE_INFORMATIONAL, &b, first));
	pair_run(p, 50);
	assert_int_equal(pair_count(p, p->b, IKE_INFORMATIONAL, true), 1);
	pair_free(p);
}

static void ids_do_not_wrap(void **state)
{
	struct pair *p = pair_new();
	struct ike_builder b;
	uint8_t buf[64], first;

	(void)state;
	pair_start(p, true);
	node_sa(p->a)->tx.next = UINT32_MAX;
	request_begin(&b, buf, sizeof(buf), &first);
	assert_false(node_request(p->a, IKE_INFORMATIONAL, &b, first));
	pair_free(p);
}

/* Altered SPIs may well draw an unprotected INVALID_IKE_SPI. */
static unsigned int protected_answers(const struct pair *p)
{
	const struct sent *s;
	unsigned int i, n = 0;

	for (i = 0; (s = pair_sent(p, p->b, IKE_INFORMATIONAL, true, i)); i++)
		n += s->h.next == IKE_PL_SK;
	return n;
}

/* Every octet of a request flipped in turn: none is answered as if it were genuine. */
static void altered_messages(void **state)
{
	struct pair *p = pair_new();
	const struct sent *s;
	struct sent copy;
	struct ike_builder b;
	uint8_t buf[64], first;
	size_t i;

	(void)state;
	pair_start(p, true);
	request_begin(&b, buf, sizeof(buf), &first);
	p->drop_all = true; /* the attacker has it before the peer */
	assert_true(node_request(p->a, IKE_INFORMATIONAL, &b, first));
	s = pair_sent(p, p->a, IKE_INFORMATIONAL, false, 0);
	p->drop_all = false;
	for (i = 0; i < s->len; i++) {
		copy = *s;
		copy.data[i] ^= 0x40;
		pair_replay(p, &copy);
	}
	pair_run(p, 20);
	assert_int_equal(protected_answers(p), 0);
	assert_true(node_stats(p->b).rx_unauthenticated > 10);
	assert_int_equal(node_stats(p->b).ike_sas, 1);
	pair_run(p, 1000); /* the genuine one still counts */
	assert_int_equal(protected_answers(p), 1);
	pair_free(p);
}

static void delete_ike_sa(void **state)
{
	struct pair *p = pair_new();

	(void)state;
	p->a->conf[0].child[0].start = IKE_START_TRAFFIC;
	pair_start(p, false);
	ike_core_acquire(p->a->core, "t0", NULL, p->w.now);
	pair_run(p, 100);
	assert_true(direction_works(p->a, p->b, 0));
	ike_core_down(p->a->core, "t0", p->w.now);
	assert_int_equal(p->a->state[0], IKE_TUNNEL_CLOSING);
	assert_int_equal(node_count(p->a, 0, false), 0); /* sends no more … */
	assert_int_equal(node_count(p->a, 0, true), 1); /* … but hears until answered */
	assert_false(ike_core_idle(p->a->core));
	pair_run(p, 50);
	assert_int_equal(p->a->state[0], IKE_TUNNEL_DOWN);
	assert_true(ike_core_idle(p->a->core));
	assert_int_equal(p->a->n_sa, 0);
	assert_int_equal(p->b->n_sa, 0);
	assert_int_equal(p->b->state[0], IKE_TUNNEL_DOWN);
	pair_free(p);
}

/* The answer to a delete is repeated though the SA is gone. */
static void delete_answer_lost(void **state)
{
	struct pair *p = pair_new();

	(void)state;
	pair_start(p, true);
	p->drop_from = 1 << 1;
	p->drop_exchange = IKE_INFORMATIONAL;
	p->drop_responses = true;
	ike_core_down(p->a->core, "t0", p->w.now);
	pair_run(p, 100);
	p->drop_responses = false;
	pair_run(p, 500);
	assert_true(ike_core_idle(p->a->core));
	assert_int_equal(pair_count(p, p->b, IKE_INFORMATIONAL, true), 2);
	pair_free(p);
}

static void shutdown_does_not_wait_for_the_dead(void **state)
{
	struct pair *p = pair_new();

	(void)state;
	pair_start(p, true);
	node_crash(p->b);
	ike_core_shutdown(p->a->core, p->w.now);
	pair_run(p, IKESA_CLOSE_MS - 100);
	assert_false(ike_core_idle(p->a->core));
	pair_run(p, 200);
	assert_true(ike_core_idle(p->a->core));
	assert_int_equal(p->a->n_sa, 0);
	pair_free(p);
}

/* start=now comes back by itself after the peer's delete. */
static void comes_back_after_delete(void **state)
{
	struct pair *p = pair_new();

	(void)state;
	pair_start(p, true);
	ike_core_down(p->b->core, "t0", p->w.now);
	pair_run(p, 100);
	assert_int_equal(p->a->n_sa, 0);
	assert_int_equal(p->a->state[0], IKE_TUNNEL_CONNECTING);
	ike_core_up(p->b->core, "t0", p->w.now);
	pair_run(p, 2000);
	assert_true(direction_works(p->a, p->b, 0));
	pair_free(p);
}

/* The answer to a DELETE is about the pair it named, whatever else is unwanted by then. */
static void delete_names_its_child(void **state)
{
	static const struct ike_ts_list none;
	struct pair *p = pair_new();
	struct child_sa *phantom;
	struct ike_sa *sa;
	uint32_t spi;

	(void)state;
	pair_start(p, true);
	sa = node_sa(p->a);
	spi = node_out(p->a, 0)->spi;
	phantom = child_new(&none, &none);
	assert_non_null(phantom);
	phantom->spi_in = 0x1234;
	TAILQ_INSERT_TAIL(&sa->children, phantom, link);
	p->a->core->now = p->w.now;
	request_delete_child(p->a->core, sa, phantom);
	assert_int_equal(sa->out->spi, 0x1234);
	/* the pair that is first in the list wears out meanwhile */
	ike_core_expire(p->a->core, "t0", IKE_PEER_FIRST, node_out(p->a, 0)->spi, false, true,
			p->w.now);
	pair_run(p, 200);
	assert_true(pair_count(p, p->a, IKE_INFORMATIONAL, false) >= 2);
	assert_null(child_find(sa, 0x1234, 0));
	assert_null(child_find(sa, 0, spi));
	/* only the pair that replaces it is left */
	assert_int_equal(node_count(p->a, 0, true), 1);
	assert_int_equal(node_count(p->b, 0, true), 1);
	assert_int_not_equal(node_out(p->a, 0)->spi, spi);
	pair_free(p);
}

/* Down and up again while IKE_AUTH is out: what it then brings is there to stay. */
static void up_again_during_auth(void **state)
{
	struct pair *p = pair_new();
	uint8_t spi[IKE_SPI_LEN];

	(void)state;
	p->drop_from = 1 << 1;
	p->drop_exchange = IKE_AUTH;
	p->drop_responses = true;
	pair_start(p, false);
	pair_run(p, 100);
	assert_int_equal(node_sa(p->a)->state, IKESA_AUTH_SENT);
	memcpy(spi, node_sa(p->a)->spi_i, sizeof(spi));
	ike_core_down(p->a->core, "t0", p->w.now);
	ike_core_up(p->a->core, "t0", p->w.now);
	p->drop_responses = false;
	pair_run(p, 1000);
	assert_true(direction_works(p->a, p->b, 0));
	pair_run(p, IKESA_CLOSE_MS + 1000);
	assert_non_null(node_sa(p->a));
	assert_memory_equal(node_sa(p->a)->spi_i, spi, sizeof(spi));
	assert_true(direction_works(p->a, p->b, 0));
	assert_int_equal(node_stats(p->b).ike_sas, 1);
	pair_free(p);
}

/* An IKE SA that only repeats its last answer needs no keys for that. */
static void closed_keeps_no_keys(void **state)
{
	static const struct ike_keys none;
	struct pair *p = pair_new();
	uint8_t spi[IKE_SPI_LEN];
	struct ike_sa *sa;

	(void)state;
	pair_start(p, true);
	memcpy(spi, node_sa(p->b)->spi_r, sizeof(spi));
	ike_core_down(p->a->core, "t0", p->w.now);
	pair_run(p, 100);
	sa = ikesa_find(&p->b->core->sas, spi, false);
	assert_non_null(sa);
	assert_int_equal(sa->state, IKESA_CLOSED);
	assert_memory_equal(&sa->keys, &none, sizeof(none));
	pair_replay(p, pair_sent(p, p->a, IKE_INFORMATIONAL, false, 0));
	pair_run(p, 50);
	assert_int_equal(pair_count(p, p->b, IKE_INFORMATIONAL, true), 2);
	pair_free(p);
}

/* One pair is deleted, the IKE SA stays, and the answer lists the other half (1.4.1). */
static void delete_child(void **state)
{
	struct pair *p = pair_new();
	struct ike_builder b;
	uint8_t buf[64], first;
	uint32_t spi;

	(void)state;
	p->a->conf[0].child[0].start = IKE_START_TRAFFIC;
	pair_start(p, false);
	ike_core_acquire(p->a->core, "t0", NULL, p->w.now);
	pair_run(p, 100);
	request_begin(&b, buf, sizeof(buf), &first);
	spi = 0x12345678; /* not theirs: passed over */
	ike_build_delete(&b, IKE_PROTO_ESP, &spi, 1);
	assert_true(node_request(p->a, IKE_INFORMATIONAL, &b, first));
	pair_run(p, 50);
	assert_int_equal(p->b->n_sa, 2);
	request_delete_child(p->a->core, node_sa(p->a), TAILQ_FIRST(&node_sa(p->a)->children));
	pair_run(p, 50);
	assert_int_equal(p->a->n_sa, 0);
	assert_int_equal(p->b->n_sa, 0);
	assert_int_equal(node_stats(p->a).ike_sas, 1);
	assert_int_equal(node_stats(p->b).ike_sas, 1);
	pair_free(p);
}

static void no_additional_sas(void **state)
{
	struct pair *p = pair_new();
	struct ike_proposals offer;
	uint8_t buf[512], nonce[32] = { 1 }, first;
	struct ike_builder b;

	(void)state;
	pair_start(p, true);
	offer = p->a->conf[0].esp;
	offer.p[0].spi_len = 4;
	memset(offer.p[0].spi, 5, 4);
	request_begin(&b, buf, sizeof(buf), &first);
	ike_build_sa(&b, IKE_OFFER(&offer));
	ike_build_nonce(&b, nonce, sizeof(nonce));
	ike_build_ts(&b, IKE_PL_TSI, IKE_TS_OFFER(&p->a->conf[0].child[0].local_ts));
	ike_build_ts(&b, IKE_PL_TSR, IKE_TS_OFFER(&p->a->conf[0].child[0].remote_ts));
	assert_true(node_request(p->a, IKE_CREATE_CHILD_SA, &b, first));
	pair_run(p, 50);
	assert_int_equal(pair_count(p, p->b, IKE_CREATE_CHILD_SA, true), 1);
	assert_int_equal(p->b->installs, 1);
	assert_int_equal(node_stats(p->b).ike_sas, 1);
	pair_free(p);
}

/* An unknown critical payload is refused, the IKE SA stays (2.5, 2.21.3). */
static void critical_payload(void **state)
{
	struct pair *p = pair_new();
	struct ike_builder b;
	uint8_t buf[64], first;

	(void)state;
	pair_start(p, true);
	request_begin(&b, buf, sizeof(buf), &first);
	ike_build_payload(&b, 200, "x", 1);
	buf[1] |= 0x80;
	assert_true(node_request(p->a, IKE_INFORMATIONAL, &b, first));
	pair_run(p, 50);
	assert_non_null(strstr(p->b->log, "UNSUPPORTED_CRITICAL_PAYLOAD"));
	assert_int_equal(pair_count(p, p->b, IKE_INFORMATIONAL, true), 1);
	assert_int_equal(node_stats(p->b).ike_sas, 1);
	pair_free(p);
}

/* Without the critical bit it is as if it were not there. */
static void unknown_payload(void **state)
{
	struct pair *p = pair_new();
	struct ike_builder b;
	uint8_t buf[64], first;

	(void)state;
	pair_start(p, true);
	request_begin(&b, buf, sizeof(buf), &first);
	ike_build_payload(&b, 200, "x", 1);
	assert_true(node_request(p->a, IKE_INFORMATIONAL, &b, first));
	pair_run(p, 50);
	assert_null(strstr(p->b->log, "UNSUPPORTED"));
	assert_int_equal(node_stats(p->b).ike_sas, 1);
	pair_free(p);
}

/* INVALID_SYNTAX after authentication is fatal at both ends (2.21.3). */
static void malformed_is_fatal(void **state)
{
	struct pair *p = pair_new();
	struct ike_builder b;
	uint8_t buf[64], first;

	(void)state;
	p->a->conf[0].child[0].start = IKE_START_TRAFFIC;
	pair_start(p, false);
	ike_core_acquire(p->a->core, "t0", NULL, p->w.now);
	pair_run(p, 100);
	request_begin(&b, buf, sizeof(buf), &first);
	ike_build_payload(&b, IKE_PL_DELETE, "x", 1);
	assert_true(node_request(p->a, IKE_INFORMATIONAL, &b, first));
	pair_run(p, 50);
	assert_int_equal(node_stats(p->b).ike_sas, 0);
	assert_int_equal(node_stats(p->a).ike_sas, 0);
	assert_int_equal(p->a->n_sa + p->b->n_sa, 0);
	pair_free(p);
}

static void liveness(void **state)
{
	struct pair *p = pair_new();

	(void)state;
	p->b->conf[0].liveness = 0;
	pair_start(p, true);
	pair_run(p, 19000);
	assert_int_equal(pair_count(p, p->a, IKE_INFORMATIONAL, false), 0);
	pair_run(p, 2000);
	assert_int_equal(pair_count(p, p->a, IKE_INFORMATIONAL, false), 1);
	assert_int_equal(pair_count(p, p->b, IKE_INFORMATIONAL, true), 1);
	p->w.traffic = true; /* ESP is a sign of life too */
	pair_run(p, 100000);
	assert_int_equal(pair_count(p, p->a, IKE_INFORMATIONAL, false), 1);
	pair_free(p);
}

static void dead_peer(void **state)
{
	struct pair *p = pair_new();

	(void)state;
	pair_start(p, true);
	node_crash(p->b);
	pair_run(p, 80000);
	assert_int_equal(p->a->n_sa, 2);
	pair_run(p, 5000);
	assert_int_equal(p->a->n_sa, 0);
	assert_non_null(strstr(p->a->log, "no longer answers"));
	assert_int_equal(p->a->state[0], IKE_TUNNEL_CONNECTING);
	node_start(p->b, false);
	pair_run(p, 70000);
	assert_true(direction_works(p->a, p->b, 0));
	pair_free(p);
}

/* INVALID_IKE_SPI from nobody in particular: one question, no more, and nothing is removed. */
static void unprotected_notify_ends_nothing(void **state)
{
	struct pair *p = pair_new();
	struct ike_header h;
	struct ike_endpoint from, to;
	struct ike_builder b;
	uint8_t buf[128];
	unsigned int i, probes;

	(void)state;
	p->a->conf[0].liveness = p->b->conf[0].liveness = 0;
	pair_start(p, true);
	pair_run(p, 30000);
	h = pair_sent(p, p->b, IKE_AUTH, true, 0)->h;
	from = (struct ike_endpoint){ p->b->addr, IKE_NATT_PORT };
	to = (struct ike_endpoint){ p->a->addr, IKE_NATT_PORT };
	for (i = 0; i < 50; i++) {
		h.exchange = i % 2 ? IKE_INFORMATIONAL : IKE_AUTH;
		h.id = i / 2;
		ike_build_init(&b, buf, sizeof(buf), &h);
		ike_build_notify(&b, i % 3 ? IKE_N_INVALID_IKE_SPI : IKE_N_AUTHENTICATION_FAILED,
				 NULL, 0);
		world_inject(&p->w, &from, &to, buf, ike_build_end(&b), 0);
	}
	pair_run(p, 3000);
	probes = pair_count(p, p->a, IKE_INFORMATIONAL, false);
	assert_in_range(probes, 0, 1);
	assert_true(direction_works(p->a, p->b, 0));
	assert_int_equal(node_stats(p->a).ike_sas, 1);
	pair_free(p);
}

/* An unprotected error that answers the liveness check of a, as if b had sent it. */
static void forge_error(struct pair *p, uint16_t type)
{
	struct ike_endpoint from = { p->b->addr, IKE_NATT_PORT };
	struct ike_endpoint to = { p->a->addr, IKE_NATT_PORT };
	struct ike_header h = pair_sent(p, p->a, IKE_INFORMATIONAL, false, 0)->h;
	struct ike_builder b;
	uint8_t buf[128];

	h.flags = IKE_FLAG_RESPONSE;
	ike_build_init(&b, buf, sizeof(buf), &h);
	ike_build_notify(&b, type, NULL, 0);
	world_inject(&p->w, &from, &to, buf, ike_build_end(&b), 0);
}

static void forge_hint(struct pair *p)
{
	forge_error(p, IKE_N_INVALID_IKE_SPI);
}

/* The request that is out keeps its schedule; one of many is told, and has one new IKE SA begun. */
static void hints_end_nothing(void **state)
{
	struct pair *p = pair_new();
	const char *at;
	unsigned int i;

	(void)state;
	p->a->conf[0].liveness = 20;
	pair_start(p, true);
	p->drop_all = true;
	pair_run(p, 21000);
	for (i = 0; i < 40; i++) {
		forge_hint(p);
		pair_run(p, 100);
	}
	assert_in_range(pair_count(p, p->a, IKE_INFORMATIONAL, false), 3, 4);
	at = strstr(p->a->log, "does not know this IKE SA");
	assert_non_null(at);
	assert_null(strstr(at + 1, "does not know this IKE SA"));
	assert_in_range(pair_count(p, p->a, IKE_SA_INIT, false), 2, 5);
	p->drop_all = false;
	assert_true(direction_works(p->a, p->b, 0));
	pair_run(p, 30000);
	pair_is_up(p);
	assert_int_equal(node_stats(p->a).ike_sas, 1);
	pair_free(p);
}

/* Before a peer had the time to answer, such a message has nothing begun. */
static void a_hint_has_to_outlast_the_answer(void **state)
{
	struct pair *p = pair_new();

	(void)state;
	p->a->conf[0].liveness = 20;
	pair_start(p, true);
	p->w.traffic = false;
	p->w.delay_min = p->w.delay_max = 200;
	while (!pair_count(p, p->a, IKE_INFORMATIONAL, false))
		pair_run(p, 10);
	forge_hint(p);
	pair_run(p, 3000);
	assert_int_equal(pair_count(p, p->a, IKE_SA_INIT, false), 1);
	assert_null(strstr(p->a->log, "does not know this IKE SA"));
	pair_free(p);
}

/* A liveness check of a is out, and nothing is heard of b. */
static struct pair *pair_unheard(void)
{
	struct pair *p = pair_new();

	p->a->conf[0].liveness = 20;
	p->w.traffic = false;
	pair_start(p, true);
	p->drop_all = true;
	pair_run(p, 21000);
	return p;
}

static void is_passed_over(struct pair *p)
{
	pair_run(p, 3000);
	assert_int_equal(pair_count(p, p->a, IKE_SA_INIT, false), 1);
	assert_null(strstr(p->a->log, "does not know this IKE SA"));
	pair_free(p);
}

/* A liveness check of a is out, unanswered for so long that an INVALID_IKE_SPI counts, and one came. */
static struct pair *pair_doubts(void)
{
	struct pair *p = pair_unheard();

	p->drop_from = 1 << p->a->index;
	p->drop_exchange = IKE_SA_INIT;
	p->drop_requests = true;
	forge_hint(p);
	pair_run(p, 10);
	assert_non_null(strstr(p->a->log, "a new one is begun"));
	return p;
}

/* The peer answers after all, and refuses a new IKE SA: the old one is as it was, and is rekeyed. */
static void a_false_hint_is_forgotten(void **state)
{
	struct pair *p = pair_doubts();
	unsigned int n;

	(void)state;
	p->drop_all = false;
	pair_run(p, 100000); /* the attempt that was begun ends */
	n = pair_count(p, p->a, IKE_SA_INIT, false);
	pair_run(p, 200000);
	assert_int_equal(pair_count(p, p->a, IKE_SA_INIT, false), n);
	node_rekey_ike(p->a);
	pair_run(p, 3000);
	assert_int_equal(pair_count(p, p->b, IKE_CREATE_CHILD_SA, true), 1);
	assert_true(direction_works(p->a, p->b, 0));
	assert_int_equal(node_stats(p->a).ike_sas, 1);
	pair_free(p);
}

/* No other error says that the peer lost the IKE SA. */
static void another_error_is_no_hint(void **state)
{
	struct pair *p = pair_unheard();

	(void)state;
	pair_run(p, 1000);
	forge_error(p, IKE_N_AUTHENTICATION_FAILED);
	is_passed_over(p);
}

/* A peer whose ESP came since our request left has the SAs. */
static void a_hint_against_esp_is_false(void **state)
{
	struct pair *p = pair_unheard();

	(void)state;
	p->w.traffic = true;
	pair_run(p, 1000);
	forge_hint(p);
	is_passed_over(p);
}

/* Its INVALID_IKE_SPI is answered by a new IKE SA, long before the former one is given up. */
static void a_peer_that_began_anew(void **state)
{
	struct pair *p = pair_new();

	(void)state;
	p->a->conf[0].liveness = 2;
	pair_start(p, true);
	pair_run(p, 20000);
	node_crash(p->b);
	node_start(p->b, false);
	pair_run(p, 4000);
	pair_is_up(p);
	pair_run(p, 80000);
	pair_is_up(p);
	assert_int_equal(node_stats(p->a).ike_sas, 1);
	pair_free(p);
}

/* NAT rebinding: a fresh authentic message moves the peer, a replayed one does not (2.23). */
static void rebinding(void **state)
{
	struct pair *p = pair_new();
	struct sent old;
	uint16_t before;

	(void)state;
	p->a->nat = (struct ike_addr){ 4, { 198, 51, 100, 7 } };
	node_rebind(p->a);
	pair_start(p, true);
	before = node_status(p->b, 0).remote.port;
	assert_int_equal(before, p->a->nat_port[1]);
	node_rebind(p->a);
	pair_run(p, 60000);
	assert_int_equal(node_status(p->b, 0).remote.port, p->a->nat_port[1]);
	assert_int_not_equal(node_status(p->b, 0).remote.port, before);
	old = *pair_sent(p, p->a, IKE_AUTH, false, 0);
	old.local.port = 1234;
	pair_replay(p, &old);
	pair_run(p, 100);
	assert_int_equal(node_status(p->b, 0).remote.port, p->a->nat_port[1]);
	pair_free(p);
}

/* Both initiate at once: two IKE SAs for a moment, one afterwards, the same at both ends. */
static void simultaneous(void **state)
{
	struct pair *p = pair_new();
	struct ike_status a, b;

	(void)state;
	p->b->conf[0].remote = (struct ike_endpoint){ p->a->addr, IKE_PORT };
	p->b->conf[0].child[0].start = IKE_START_NOW;
	p->w.link[0].watch = true;
	pair_start(p, true);
	assert_int_equal(node_stats(p->a).ike_sas, 2);
	assert_int_equal(node_stats(p->b).ike_sas, 2);
	pair_run(p, 10000);
	assert_int_equal(node_stats(p->a).ike_sas, 1);
	assert_int_equal(node_stats(p->b).ike_sas, 1);
	a = node_status(p->a, 0);
	b = node_status(p->b, 0);
	assert_memory_equal(a.spi_i, b.spi_i, IKE_SPI_LEN);
	assert_int_equal(a.spi_in, b.spi_out);
	assert_int_equal(a.spi_out, b.spi_in);
	pair_free(p);
}

/* The IKE SA of @n, of two, that is to be closed. */
static struct ike_sa *redundant_at(const struct node *n)
{
	struct ike_sa *sa;

	TAILQ_FOREACH(sa, &TAILQ_FIRST(&n->core->peers)->sas, of_peer)
	{
		if (sa->close_at != TIMER_NEVER || sa->state == IKESA_DELETING)
			return sa;
	}
	fail_msg("none is redundant");
	return NULL;
}

/*
 * The end that closes a redundant IKE SA waits for the answer to what it asked there before, as long as it
 * hears the peer: that has not heard of the end, and may send on the pair.
 */
static void redundant_but_heard(void **state)
{
	struct pair *p = pair_new();
	struct node *closes, *other;
	struct hold *asks;
	unsigned int i;

	(void)state;
	p->b->conf[0].remote = (struct ike_endpoint){ p->a->addr, IKE_PORT };
	p->b->conf[0].child[0].start = IKE_START_NOW;
	p->w.traffic = true;
	p->w.link[0].watch = true;
	pair_start(p, true);
	closes = redundant_at(p->a)->began ? p->a : p->b;
	other = closes == p->a ? p->b : p->a;
	asks = world_hold(&p->w, closes, IKE_CREATE_CHILD_SA, false, 0);
	closes->core->now = p->w.now;
	x_create_successor(closes->core, redundant_at(closes),
			   TAILQ_FIRST(&redundant_at(closes)->children));
	for (i = 0; i < 25; i++) {
		redundant_at(other)->close_at = UINT64_MAX - 1;
		other->core->now = p->w.now;
		request_probe(other->core, redundant_at(other));
		pair_run(p, 5000);
		assert_int_equal(redundant_at(closes)->state, IKESA_DELETING);
	}
	world_release(&p->w, asks);
	pair_run(p, 20000);
	assert_int_equal(node_stats(p->a).ike_sas, 1);
	assert_int_equal(node_stats(p->b).ike_sas, 1);
	assert_true(direction_works(p->a, p->b, 0) && direction_works(p->b, p->a, 0));
	pair_free(p);
}

/* A pair of an IKE SA that is about to be closed is not renewed, unless no other one carries what it does. */
static void redundant_pairs_are_not_rekeyed(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		struct pair *p = pair_new();
		struct node *closes;
		struct ike_sa *sa;

		p->b->conf[0].remote = (struct ike_endpoint){ p->a->addr, IKE_PORT };
		p->b->conf[0].child[0].start = IKE_START_NOW;
		pair_start(p, true);
		closes = redundant_at(p->a)->began ? p->a : p->b;
		sa = redundant_at(closes);
		world_hold(&p->w, closes, IKE_CREATE_CHILD_SA, false, 0);
		closes->core->now = p->w.now;
		TAILQ_FIRST(&sa->children)->next_at = p->w.now;
		if (i) /* so that the other one has no such pair */
			TAILQ_FIRST(&query_survivor(sa)->children)->out = false;
		sa_touch(closes->core, sa);
		pair_run(p, 100);
		assert_int_equal(sa->out && sa->out->ops->exchange == IKE_CREATE_CHILD_SA, i);
		if (!i)
			assert_true(TAILQ_FIRST(&sa->children)->next_at > p->w.now);
		pair_free(p);
	}
}

/* A soft limit brings a new pair and IKE SA; the old ones go when that works (2.8). */
static void soft_expiry(void **state)
{
	struct pair *p = pair_new();
	uint32_t old;

	(void)state;
	pair_start(p, true);
	p->w.link[0].watch = true;
	old = node_out(p->a, 0)->spi;
	p->drop_from = 1 << 0; /* the request is lost again and again */
	p->drop_exchange = IKE_CREATE_CHILD_SA;
	p->drop_requests = true;
	ike_core_expire(p->a->core, "t0", IKE_PEER_FIRST, old, false, false, p->w.now);
	pair_run(p, 40000);
	assert_int_equal(node_out(p->a, 0)->spi, old);
	p->drop_requests = false;
	pair_run(p, 15000);
	assert_int_not_equal(node_out(p->a, 0)->spi, old);
	assert_int_equal(pair_count(p, p->a, IKE_SA_INIT, false), 1);
	pair_run(p, 20000);
	assert_int_equal(node_stats(p->a).ike_sas, 1);
	assert_int_equal(node_stats(p->b).ike_sas, 1);
	assert_int_equal(node_count(p->b, 0, true), 1);
	pair_free(p);
}

/* A deleted tunnel leaves nothing, not even an SA that only repeats its last answer. */
static void tunnel_deleted(void **state)
{
	struct pair *p = pair_new();

	(void)state;
	pair_start(p, true);
	ike_core_down(p->a->core, "t0", p->w.now);
	pair_run(p, 50);
	assert_int_equal(ike_core_tunnel_del(p->b->core, "t0"), 0);
	assert_int_equal(ike_core_tunnel_del(p->b->core, "t0"), -2);
	assert_int_equal(p->b->n_sa, 0);
	pair_replay(p, pair_sent(p, p->a, IKE_INFORMATIONAL, false, 0));
	pair_run(p, 60000);
	assert_int_equal(ike_core_tunnel_add(p->b->core, &p->b->conf[0]), 0);
	ike_core_start(p->b->core, "t0", p->w.now);
	ike_core_up(p->a->core, "t0", p->w.now);
	pair_run(p, 100);
	assert_true(direction_works(p->a, p->b, 0));
	assert_int_equal(ike_core_tunnel_del(p->a->core, "t0"), 0); /* in full swing */
	assert_int_equal(p->a->n_sa, 0);
	pair_free(p);
}

/* Waits double up to a minute, each a quarter more or less. */
static void backoff(void **state)
{
	struct pair *p = pair_new();
	uint64_t wait, base = 1000;
	unsigned int i;

	(void)state;
	p->b->psk[0][0] ^= 1;
	pair_start(p, false);
	pair_run(p, 1);
	for (i = 0; i < 10; i++) {
		while (query_next_try(TAILQ_FIRST(&p->a->core->peers)) == TIMER_NEVER)
			pair_run(p, 10);
		wait = query_next_try(TAILQ_FIRST(&p->a->core->peers)) - p->w.now;
		assert_in_range(wait, base * 3 / 4 - 10, base * 5 / 4 + 10);
		pair_run(p, wait + 1);
		base = base < 32000 ? base * 2 : 60000;
		p->n_sent = 0;
	}
	pair_free(p);
}

/* A cable, address or route that comes does not wait for our timers. */
static void path_opens(void **state)
{
	const struct ike_addr none = { 0 }, local = { .family = 4, .b = { 192, 0, 2, 1 } };
	struct pair *p = pair_new();
	struct ike_status s;

	(void)state;
	p->drop_all = true;
	pair_start(p, false);
	pair_run(p, 20000); /* copies at 0, 0.5, 1.5, 3.5, 7.5, 15.5 s */
	s = node_status(p->a, 0);
	assert_string_equal(s.step, "IKE_SA_INIT");
	assert_int_equal(s.tries, 6);
	assert_int_equal(s.attempt, 1);
	assert_in_range(s.next_try - p->w.now, 11000, 12000);
	assert_int_equal(pair_count(p, p->a, IKE_SA_INIT, false), 6);
	ike_core_path(p->a->core, "t0", IKE_PEER_FIRST, &none,
		      p->w.now); /* a way that is lost brings nothing */
	assert_int_equal(pair_count(p, p->a, IKE_SA_INIT, false), 6);
	ike_core_path(p->a->core, "t0", IKE_PEER_FIRST, &local, p->w.now);
	assert_int_equal(pair_count(p, p->a, IKE_SA_INIT, false), 7);
	pair_run(p, 600); /* the schedule began anew */
	assert_int_equal(pair_count(p, p->a, IKE_SA_INIT, false), 8);
	pair_run(p, 200000);
	while (query_next_try(TAILQ_FIRST(&p->a->core->peers)) == TIMER_NEVER)
		pair_run(p, 10);
	pair_run(p, 100); /* between two attempts */
	s = node_status(p->a, 0);
	assert_string_equal(s.step, "");
	assert_in_range(s.attempt, 2, 6);
	assert_true(s.next_try > p->w.now);
	p->n_sent = 0;
	p->drop_all = false;
	ike_core_path(p->a->core, "t0", IKE_PEER_FIRST, &local, p->w.now);
	pair_run(p, 200);
	assert_true(direction_works(p->a, p->b, 0));
	p->n_sent = 0;
	ike_core_path(p->a->core, "nosuch", IKE_PEER_FIRST, &local, p->w.now);
	ike_core_down(p->a->core, "t0", p->w.now);
	pair_run(p, 10000);
	p->n_sent = 0;
	ike_core_path(p->a->core, "t0", IKE_PEER_FIRST, &local, p->w.now); /* nor what is down */
	pair_run(p, 1000);
	assert_int_equal(p->n_sent, 0);
	pair_free(p);
}

/* A way that comes and goes does not make a dead peer live longer. */
static void path_flaps(void **state)
{
	struct pair *p = pair_new();
	unsigned int i;

	(void)state;
	p->a->conf[0].liveness = 10;
	pair_start(p, true);
	p->drop_all = true;
	for (i = 0; i < 10; i++) {
		pair_run(p, 10000);
		ike_core_path(p->a->core, "t0", IKE_PEER_FIRST, &p->a->addr, p->w.now);
		p->n_sent = 0;
	}
	assert_int_equal(node_status(p->a, 0).state, IKE_TUNNEL_CONNECTING);
	pair_free(p);
}

/* Our address is replaced: the peer follows at once, and the IKE SA is the same. */
static void local_address_replaced(void **state)
{
	struct pair *p = pair_new();
	struct ike_status before, a, b;

	(void)state;
	pair_start(p, true);
	pair_run(p, 1000);
	before = node_status(p->a, 0);
	p->a->addr.b[3] = 77;
	ike_core_path(p->a->core, "t0", IKE_PEER_FIRST, &p->a->addr, p->w.now);
	pair_run(p, 1000);
	a = node_status(p->a, 0);
	b = node_status(p->b, 0);
	assert_true(ike_addr_eq(&a.local.addr, &p->a->addr));
	assert_true(ike_addr_eq(&b.remote.addr, &p->a->addr));
	assert_memory_equal(a.spi_i, before.spi_i, IKE_SPI_LEN);
	assert_int_equal(a.spi_in, before.spi_in);
	p->n_sent = 0;
	ike_core_path(p->a->core, "t0", IKE_PEER_FIRST, &p->a->addr,
		      p->w.now); /* the same again is no news */
	pair_run(p, 1000);
	assert_int_equal(p->n_sent, 0);
	pair_free(p);
}

/* Exchanges of extensions we do not have end neither the IKE SA nor its child. */
static void unknown_exchange(void **state)
{
	static const uint8_t types[] = { IKE_AUTH, 43, 44, 240, 255 };
	struct pair *p = pair_new();
	struct ike_builder b;
	uint8_t buf[64], first;
	unsigned int i;

	(void)state;
	pair_start(p, true);
	for (i = 0; i < sizeof(types); i++) {
		request_begin(&b, buf, sizeof(buf), &first);
		ike_build_notify(&b, 40000, NULL, 0);
		assert_true(node_request(p->a, types[i], &b, first));
		pair_run(p, 50);
		assert_int_equal(pair_count(p, p->b, types[i], true), types[i] == IKE_AUTH ? 2 : 1);
		assert_int_equal(node_stats(p->b).ike_sas, 1);
		assert_true(direction_works(p->a, p->b, 0));
	}
	assert_non_null(strstr(
		p->b->log, "exchange type 240 (unknown exchange) answered with STATE_NOT_FOUND"));
	request_begin(&b, buf, sizeof(buf), &first);
	assert_true(node_request(p->a, IKE_INFORMATIONAL, &b, first));
	pair_run(p, 50);
	assert_int_equal(pair_count(p, p->b, IKE_INFORMATIONAL, true), 1);
	pair_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(retransmission_schedule),
		cmocka_unit_test(auth_retransmits_same_octets),
		cmocka_unit_test(duplicates),
		cmocka_unit_test(ids_out_of_window),
		cmocka_unit_test(ids_do_not_wrap),
		cmocka_unit_test(altered_messages),
		cmocka_unit_test(delete_ike_sa),
		cmocka_unit_test(delete_answer_lost),
		cmocka_unit_test(shutdown_does_not_wait_for_the_dead),
		cmocka_unit_test(comes_back_after_delete),
		cmocka_unit_test(delete_child),
		cmocka_unit_test(delete_names_its_child),
		cmocka_unit_test(up_again_during_auth),
		cmocka_unit_test(closed_keeps_no_keys),
		cmocka_unit_test(no_additional_sas),
		cmocka_unit_test(critical_payload),
		cmocka_unit_test(unknown_payload),
		cmocka_unit_test(malformed_is_fatal),
		cmocka_unit_test(liveness),
		cmocka_unit_test(dead_peer),
		cmocka_unit_test(unprotected_notify_ends_nothing),
		cmocka_unit_test(hints_end_nothing),
		cmocka_unit_test(a_hint_has_to_outlast_the_answer),
		cmocka_unit_test(a_false_hint_is_forgotten),
		cmocka_unit_test(another_error_is_no_hint),
		cmocka_unit_test(a_hint_against_esp_is_false),
		cmocka_unit_test(a_peer_that_began_anew),
		cmocka_unit_test(rebinding),
		cmocka_unit_test(simultaneous),
		cmocka_unit_test(redundant_but_heard),
		cmocka_unit_test(redundant_pairs_are_not_rekeyed),
		cmocka_unit_test(soft_expiry),
		cmocka_unit_test(tunnel_deleted),
		cmocka_unit_test(backoff),
		cmocka_unit_test(path_opens),
		cmocka_unit_test(path_flaps),
		cmocka_unit_test(local_address_replaced),
		cmocka_unit_test(unknown_exchange),
	};

	return cmocka_run_group_tests_name("core_window", tests, NULL, NULL);
}
