// SPDX-License-Identifier: GPL-2.0-or-later
/* Messages in fragments: RFC 7383, between two cores. */
#include "core_util.h"
#include "ike/core/core.h"

enum {
	LARGE = 1280 - 32, /* octets of IKE in a packet, behind IPv4, UDP and non-ESP marker … */
	SMALL = 576 - 32, /* … and in a small one */
	IN_LARGE = 2, /* fragments of the messages below … */
	ASKED_SMALL = 4, /* … and of the request, … */
	ANSWERED_SMALL = 3, /* … and of the response, in small packets */
};

static void long_id(struct ike_id *id, char name)
{
	id->type = IKE_ID_FQDN;
	id->len = 250;
	memset(id->data, name, id->len);
}

/* 32 selectors of their own for each end. */
static void many_selectors(struct ike_ts_list *l, uint8_t net)
{
	l->n = IKE_MAX_TS;
	for (uint8_t i = 0; i < IKE_MAX_TS; i++)
		l->ts[i] = (struct ike_ts){ .family = 4,
					    .port_end = 65535,
					    .start = { 10, net, i, 0 },
					    .end = { 10, net, i, 255 } };
}

/* IKE_AUTH takes some 1,600 octets each way. */
static struct pair *pair_with_much_to_say(void)
{
	struct pair *p = pair_new();

	long_id(&p->a->conf[0].local_id, 'a');
	long_id(&p->b->conf[0].local_id, 'b');
	p->a->conf[0].remote_id = p->b->conf[0].local_id;
	p->b->conf[0].remote_id = p->a->conf[0].local_id;
	many_selectors(&p->a->conf[0].child[0].local_ts, 1);
	many_selectors(&p->a->conf[0].child[0].remote_ts, 2);
	many_selectors(&p->b->conf[0].child[0].local_ts, 2);
	many_selectors(&p->b->conf[0].child[0].remote_ts, 1);
	return p;
}

static unsigned int number_of(const struct sent *s)
{
	return s->data[32] << 8 | s->data[33];
}

static unsigned int total_of(const struct sent *s)
{
	return s->data[34] << 8 | s->data[35];
}

/* Of fragments @n on of @from's IKE_AUTH messages: one whole set, none longer than @most. */
static unsigned int check_set(const struct pair *p, const struct node *from, bool response,
			      unsigned int n, size_t most)
{
	const struct sent *s = pair_sent(p, from, IKE_AUTH, response, n);
	unsigned int total, i;

	assert_non_null(s);
	total = total_of(s);
	for (i = 0; i < total; i++) {
		s = pair_sent(p, from, IKE_AUTH, response, n + i);
		assert_non_null(s);
		assert_int_equal(s->h.next, IKE_PL_SKF);
		assert_int_equal(number_of(s), i + 1);
		assert_int_equal(total_of(s), total);
		assert_int_equal(s->data[28] != 0, i == 0); /* the type of the first payload */
		/* all but the last are as long as may be */
		assert_in_range(s->len, i + 1 < total ? most - 15 : 1, most);
	}
	return total;
}

static void large_messages_are_split(void **state)
{
	struct pair *p = pair_with_much_to_say();
	struct ike_notify n;

	(void)state;
	pair_start(p, true);
	assert_true(sent_notify(pair_sent(p, p->a, IKE_SA_INIT, false, 0),
				IKE_N_IKEV2_FRAGMENTATION_SUPPORTED, &n));
	assert_int_equal(n.len + n.spi_len + n.protocol, 0);
	assert_true(sent_notify(pair_sent(p, p->b, IKE_SA_INIT, true, 0),
				IKE_N_IKEV2_FRAGMENTATION_SUPPORTED, &n));
	assert_int_equal(check_set(p, p->a, false, 0, LARGE), IN_LARGE);
	assert_int_equal(check_set(p, p->b, true, 0, LARGE), IN_LARGE);
	assert_int_equal(pair_count(p, p->a, IKE_AUTH, false), 2);
	assert_int_equal(pair_count(p, p->b, IKE_AUTH, true), 2);
	assert_int_equal(node_stats(p->b).rx_unauthenticated, 0);
	assert_null(node_sa(p->a)->tx.frags);
	assert_null(node_sa(p->b)->rx.frags);
	assert_int_equal(node_sa(p->b)->rx.frags_until, TIMER_NEVER);
	pair_free(p);
}

/* What was decrypted and joined does not stay behind. */
static void nothing_joined_is_kept(void **state)
{
	static const uint8_t zero[FRAGS_MAX_LEN];
	struct pair *p = pair_with_much_to_say();

	(void)state;
	pair_start(p, true);
	assert_memory_equal(p->a->core->plain, zero, sizeof(zero));
	assert_memory_equal(p->b->core->plain, zero, sizeof(zero));
	pair_free(p);
}

static void short_messages_are_not_split(void **state)
{
	struct pair *p = pair_new();

	(void)state;
	pair_start(p, true);
	assert_int_equal(pair_sent(p, p->a, IKE_AUTH, false, 0)->h.next, IKE_PL_SK);
	assert_int_equal(pair_sent(p, p->b, IKE_AUTH, true, 0)->h.next, IKE_PL_SK);
	pair_free(p);
}

/* An initiator that does not know fragments: ours without its last notify. */
static void only_with_both_ends(void **state)
{
	struct pair *p = pair_with_much_to_say();
	struct sent *init;
	struct ike_notify n;

	(void)state;
	node_start(p->b, false);
	p->drop_all = true;
	node_start(p->a, false);
	pair_run(p, 1);
	p->drop_all = false;
	init = &p->sent[0];
	assert_true(sent_notify(init, IKE_N_IKEV2_FRAGMENTATION_SUPPORTED, &n));
	assert_ptr_equal(n.data, init->data + init->len);
	init->len -= 8;
	init->data[26] = (uint8_t)(init->len >> 8);
	init->data[27] = (uint8_t)init->len;
	init->data[init->len - 28] = IKE_PL_NONE; /* before it stands a hash of NAT detection */
	pair_replay(p, init);
	pair_run(p, 50);
	assert_non_null(pair_sent(p, p->b, IKE_SA_INIT, true, 0));
	assert_false(sent_notify(pair_sent(p, p->b, IKE_SA_INIT, true, 0),
				 IKE_N_IKEV2_FRAGMENTATION_SUPPORTED, &n));
	/* the answer says that the peer does not, so the request is one datagram, however long */
	assert_int_equal(pair_count(p, p->a, IKE_AUTH, false), 1);
	assert_int_equal(pair_sent(p, p->a, IKE_AUTH, false, 0)->h.next, IKE_PL_SK);
	assert_true(pair_sent(p, p->a, IKE_AUTH, false, 0)->len > LARGE);
	pair_run(p, 10000);
	assert_int_equal(pair_sent(p, p->a, IKE_AUTH, false, 0)->h.next, IKE_PL_SK);
	pair_free(p);
}

/* Where 1,280 octets do not get through, the fifth copy is smaller, and so is the answer at once. */
static void small_packets_after_no_answer(void **state)
{
	static const uint64_t at[] = { 0, 500, 1500, 3500, 7500 };
	struct pair *p = pair_with_much_to_say();
	uint64_t began;
	unsigned int i;

	(void)state;
	p->drop_longer = SMALL;
	pair_start(p, false);
	pair_run(p, 7600);
	pair_is_up(p);
	began = pair_sent(p, p->a, IKE_AUTH, false, 0)->at;
	for (i = 0; i < 4; i++) {
		assert_int_equal(check_set(p, p->a, false, 2 * i, LARGE), IN_LARGE);
		assert_int_equal(pair_sent(p, p->a, IKE_AUTH, false, 2 * i)->at, began + at[i]);
	}
	assert_int_equal(check_set(p, p->a, false, 8, SMALL), ASKED_SMALL);
	assert_int_equal(pair_sent(p, p->a, IKE_AUTH, false, 8)->at, began + at[4]);
	assert_int_equal(pair_count(p, p->a, IKE_AUTH, false), 4 * IN_LARGE + ASKED_SMALL);
	assert_int_equal(check_set(p, p->b, true, 0, SMALL), ANSWERED_SMALL);
	assert_int_equal(pair_count(p, p->b, IKE_AUTH, true), ANSWERED_SMALL);
	assert_true(node_sa(p->a)->small_packets && node_sa(p->b)->small_packets);
	pair_free(p);
}

/* A short request says nothing of the path: the answer to its fifth copy is smaller. */
static void a_long_answer_to_a_short_request(void **state)
{
	struct pair *p = pair_new();

	(void)state;
	many_selectors(&p->b->conf[0].child[0].local_ts, 2);
	many_selectors(&p->b->conf[0].child[0].remote_ts, 1);
	p->drop_longer = SMALL;
	pair_start(p, false);
	pair_run(p, 7000);
	assert_int_equal(pair_sent(p, p->a, IKE_AUTH, false, 3)->h.next, IKE_PL_SK);
	assert_int_equal(pair_count(p, p->b, IKE_AUTH, true), 4);
	assert_true(pair_sent(p, p->b, IKE_AUTH, true, 3)->len > SMALL);
	pair_run(p, 1000);
	check_set(p, p->b, true, 4, SMALL);
	pair_is_up(p);
	pair_free(p);
}

/* An IKE SA that replaces another knows what that one learned of the path. */
static void a_successor_knows_the_path(void **state)
{
	struct pair *p = pair_with_much_to_say();
	struct ike_sa *old;

	(void)state;
	p->drop_longer = SMALL;
	p->a->conf[0].rekey_ike = 60;
	pair_start(p, false);
	pair_run(p, 7600);
	pair_is_up(p);
	old = node_sa(p->a);
	pair_run(p, 62000);
	assert_ptr_not_equal(node_sa(p->a), old);
	assert_true(node_sa(p->a)->fragments && node_sa(p->b)->fragments);
	assert_true(node_sa(p->a)->small_packets && node_sa(p->b)->small_packets);
	pair_free(p);
}

/* No answer at all: the schedule begins anew with smaller packets, yet ends in the same time. */
static void no_answer_takes_as_long(void **state)
{
	static const uint64_t at[] = { 7500, 8000, 9000, 11000, 15000, 23000, 39000, 55000 };
	struct pair *p = pair_with_much_to_say();
	uint64_t began;
	unsigned int i;

	(void)state;
	p->drop_from = 1 << 0;
	p->drop_exchange = IKE_AUTH;
	p->drop_requests = true;
	pair_start(p, false);
	pair_run(p, 100);
	began = pair_sent(p, p->a, IKE_AUTH, false, 0)->at;
	pair_run(p, began + 63499 - p->w.now);
	assert_string_equal(node_error(p->a), "");
	pair_run(p, 2);
	assert_non_null(strstr(node_error(p->a), "to IKE_AUTH"));
	assert_int_equal(pair_count(p, p->a, IKE_AUTH, false), 4 * IN_LARGE + 8 * ASKED_SMALL);
	for (i = 0; i < 8; i++)
		assert_int_equal(
			pair_sent(p, p->a, IKE_AUTH, false, 4 * IN_LARGE + ASKED_SMALL * i)->at,
			began + at[i]);
	pair_free(p);
}

/* A repeated request is answered once, with smaller packets, however many fragments it has. */
static void the_answer_is_repeated_once(void **state)
{
	struct pair *p = pair_with_much_to_say();

	(void)state;
	p->drop_from = 1 << 1;
	p->drop_exchange = IKE_AUTH;
	p->drop_responses = true;
	pair_start(p, false);
	pair_run(p, 400);
	assert_int_equal(pair_count(p, p->b, IKE_AUTH, true), 2);
	p->drop_longer = SMALL;
	p->drop_responses = false;
	/* the first fragment of the copy is lost, which then has none that counts … */
	pair_run(p, 300);
	assert_int_equal(pair_count(p, p->a, IKE_AUTH, false), 4);
	assert_int_equal(pair_count(p, p->b, IKE_AUTH, true), 2);
	/* … and here it is */
	pair_replay(p, pair_sent(p, p->a, IKE_AUTH, false, 0));
	pair_run(p, 50);
	assert_int_equal(check_set(p, p->b, true, 2, SMALL), ANSWERED_SMALL);
	assert_int_equal(pair_count(p, p->b, IKE_AUTH, true), IN_LARGE + ANSWERED_SMALL);
	pair_is_up(p);
	/* later copies change nothing any more */
	pair_replay(p, pair_sent(p, p->a, IKE_AUTH, false, 1));
	pair_run(p, 50);
	assert_int_equal(pair_count(p, p->b, IKE_AUTH, true), IN_LARGE + ANSWERED_SMALL);
	pair_replay(p, pair_sent(p, p->a, IKE_AUTH, false, 0));
	pair_run(p, 50);
	assert_int_equal(pair_count(p, p->b, IKE_AUTH, true), IN_LARGE + 2 * ANSWERED_SMALL);
	assert_memory_equal(pair_sent(p, p->b, IKE_AUTH, true, 5)->data,
			    pair_sent(p, p->b, IKE_AUTH, true, 2)->data, SMALL - 15);
	pair_free(p);
}

/* The request was answered, but its sender split it anew: other octets, the same request. */
static void a_request_split_anew_is_known(void **state)
{
	struct pair *p = pair_with_much_to_say();

	(void)state;
	p->drop_from = 1 << 1;
	p->drop_exchange = IKE_AUTH;
	p->drop_responses = true;
	pair_start(p, false);
	pair_run(p, 7000);
	assert_int_equal(pair_count(p, p->a, IKE_AUTH, false), 8);
	p->drop_responses = false;
	pair_run(p, 600);
	assert_int_equal(check_set(p, p->a, false, 8, SMALL), ASKED_SMALL);
	pair_is_up(p);
	pair_free(p);
}

/* The refusal of a request in fragments is repeated, too, though the IKE SA is over. */
static void a_closed_ike_sa_repeats(void **state)
{
	struct pair *p = pair_with_much_to_say();

	(void)state;
	p->b->psk[0][0] ^= 1;
	p->drop_from = 1 << 1;
	p->drop_exchange = IKE_AUTH;
	p->drop_responses = true;
	pair_start(p, false);
	pair_run(p, 400);
	assert_int_equal(pair_count(p, p->b, IKE_AUTH, true), 1);
	p->drop_responses = false;
	pair_run(p, 300);
	assert_int_equal(pair_count(p, p->b, IKE_AUTH, true), 2);
	assert_non_null(strstr(node_error(p->a), "AUTHENTICATION_FAILED"));
	pair_free(p);
}

/* Loss of any one fragment costs one repetition; the others are not needed again. */
static void what_arrived_is_kept(void **state)
{
	struct pair *p = pair_with_much_to_say();

	(void)state;
	p->drop_fragments = 1 << 1;
	pair_start(p, false);
	pair_run(p, 400);
	p->drop_fragments = 1 << 2;
	pair_run(p, 200);
	assert_int_equal(pair_count(p, p->b, IKE_AUTH, true), 2);
	pair_run(p, 1000);
	assert_int_equal(pair_count(p, p->a, IKE_AUTH, false), 6);
	p->drop_fragments = 0;
	pair_run(p, 2000);
	pair_is_up(p);
	pair_free(p);
}

/* Seal one fragment as @n could, and hand it to @to. */
static void send_fragment(struct pair *p, struct node *n, struct node *to, uint32_t id,
			  uint16_t number, uint16_t total, size_t len, bool forged)
{
	static const uint8_t data[1000];
	struct ike_endpoint from = { n->addr, IKE_NATT_PORT }, at = { to->addr, IKE_NATT_PORT };
	struct ike_sa *sa = node_sa(n);
	struct ike_header h = { .version = 0x20,
				.exchange = IKE_INFORMATIONAL,
				.flags = sa->initiator ? IKE_FLAG_INITIATOR : 0,
				.id = id };
	const struct ike_skf f = { number, total, IKE_PL_NONE, data, len, 0 };
	uint8_t msg[1100];
	size_t n_msg;

	memcpy(h.spi_i, sa->spi_i, IKE_SPI_LEN);
	memcpy(h.spi_r, sa->spi_r, IKE_SPI_LEN);
	n_msg = ike_skf_seal(&sa->keys, &n->core->env.rng, &h, &f, msg, sizeof(msg));
	assert_true(n_msg > 0);
	msg[n_msg - 1] ^= forged;
	world_inject(&p->w, &from, &at, msg, n_msg, 0);
	pair_run(p, 20);
}

static void forged_fragments_leave_nothing(void **state)
{
	struct pair *p = pair_new();
	struct ike_sa *sa;
	uint32_t id;

	(void)state;
	pair_start(p, true);
	sa = node_sa(p->b);
	id = sa->rx.next;
	send_fragment(p, p->a, p->b, id, 1, 2, 100, true);
	assert_int_equal(node_stats(p->b).rx_unauthenticated, 1);
	assert_null(sa->rx.frags);
	/* under the ID of the request that was answered: it is no repetition */
	send_fragment(p, p->a, p->b, id - 1, 1, 2, 100, true);
	assert_int_equal(node_stats(p->b).rx_unauthenticated, 2);
	assert_int_equal(pair_count(p, p->b, IKE_AUTH, true), 1);
	/* under any other it is not even looked at */
	send_fragment(p, p->a, p->b, id + 1, 1, 2, 100, false);
	send_fragment(p, p->a, p->b, id - 2, 1, 2, 100, false);
	assert_int_equal(node_stats(p->b).rx_unauthenticated, 2);
	assert_null(sa->rx.frags);
	assert_int_equal(sa->rx.next, id);
	pair_free(p);
}

static void not_without_negotiation(void **state)
{
	struct pair *p = pair_new();
	struct ike_sa *sa;

	(void)state;
	pair_start(p, true);
	sa = node_sa(p->b);
	sa->fragments = false;
	send_fragment(p, p->a, p->b, sa->rx.next, 1, 2, 100, false);
	assert_null(sa->rx.frags);
	assert_int_equal(node_stats(p->b).rx_unauthenticated, 1);
	pair_free(p);
}

/* Whatever the peer's first attempt was: when the request came, its fragments go. */
static void fragments_go_with_the_window(void **state)
{
	struct ike_builder b;
	struct pair *p = pair_new();
	struct ike_sa *sa;
	uint8_t buf[64], first;

	(void)state;
	pair_start(p, true);
	sa = node_sa(p->b);
	send_fragment(p, p->a, p->b, sa->rx.next, 2, 2, 100, false);
	assert_non_null(sa->rx.frags);
	request_begin(&b, buf, sizeof(buf), &first);
	assert_true(node_request(p->a, IKE_INFORMATIONAL, &b, first));
	pair_run(p, 50);
	assert_int_equal(pair_count(p, p->b, IKE_INFORMATIONAL, true), 1);
	assert_null(sa->rx.frags);
	assert_int_equal(sa->rx.frags_until, TIMER_NEVER);
	pair_free(p);
}

/* A request that never becomes complete is forgotten (2.6). */
static void fragments_go_in_time(void **state)
{
	struct pair *p = pair_new();
	struct ike_sa *sa;

	(void)state;
	p->a->conf[0].liveness = p->b->conf[0].liveness = 0;
	pair_start(p, true);
	sa = node_sa(p->b);
	send_fragment(p, p->a, p->b, sa->rx.next, 1, 3, 100, false);
	pair_run(p, 40000);
	send_fragment(p, p->a, p->b, sa->rx.next, 2, 3, 100, false);
	assert_non_null(sa->rx.frags);
	pair_run(p, IKESA_RETRANSMIT_ALL_MS - 40000);
	assert_null(sa->rx.frags);
	assert_true(node_sa(p->b) == sa);
	pair_free(p);
}

/* The last fragment brings 64 KB of zeros together, which are no payloads. */
static void much_that_is_nothing(void **state)
{
	struct pair *p = pair_new();
	struct ike_sa *sa;

	(void)state;
	pair_start(p, true);
	sa = node_sa(p->b);
	for (uint16_t n = 64; n; n--)
		send_fragment(p, p->a, p->b, sa->rx.next, n, 64, 1000, false);
	assert_int_equal(pair_count(p, p->b, IKE_INFORMATIONAL, true), 1);
	pair_free(p);
}

/*
 * Of who proved nothing no more is looked at than is kept, in one piece or in several: no answer, and few lines in
 * the log however often it comes.
 */
static void long_requests_of_strangers_are_not_read(void **state)
{
	static uint8_t inner[20000], msg[21000];
	struct pair *p = pair_new();
	struct ike_header h = { .version = 0x20, .exchange = IKE_AUTH, .id = 1 };
	struct ike_builder b;
	struct ike_sa *sa;
	uint8_t first;
	size_t len, pad;

	(void)state;
	p->drop_from = 1 << 0;
	p->drop_exchange = IKE_AUTH;
	p->drop_requests = true;
	pair_start(p, false);
	pair_run(p, 100);
	sa = node_sa(p->a);
	h.flags = IKE_FLAG_INITIATOR;
	memcpy(h.spi_i, sa->spi_i, IKE_SPI_LEN);
	memcpy(h.spi_r, sa->spi_r, IKE_SPI_LEN);
	for (pad = 17000; pad >= 15000; pad -= 2000) { /* too long; and not */
		static const uint8_t zeros[17000];

		request_begin(&b, inner, sizeof(inner), &first);
		ike_build_id(&b, IKE_PL_IDI, &sa->local_id);
		ike_build_auth(&b, IKE_AUTH_PSK, zeros, 32);
		ike_build_notify(&b, 40000, zeros, pad);
		len = ike_build_end(&b);
		assert_true(len > pad);
		len = ike_sk_seal(&sa->keys, &p->a->core->env.rng, &h, first, inner, len, msg,
				  sizeof(msg));
		assert_true(len > pad);
		assert_int_equal(node_stats(p->b).half_open, 1);
		for (unsigned int i = 0; i < 200; i++)
			world_inject(&p->w, &(struct ike_endpoint){ p->a->addr, IKE_NATT_PORT },
				     &(struct ike_endpoint){ p->b->addr, IKE_NATT_PORT }, msg, len,
				     0);
		pair_run(p, 50);
		if (pad == 17000)
			assert_int_equal(pair_count(p, p->b, IKE_AUTH, true), 0);
	}
	node_says(p->b, "octets ignored: let the peer send fewer certificates");
	assert_true(pair_count(p, p->b, IKE_AUTH, true) > 0);
	pair_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(large_messages_are_split),
		cmocka_unit_test(nothing_joined_is_kept),
		cmocka_unit_test(short_messages_are_not_split),
		cmocka_unit_test(only_with_both_ends),
		cmocka_unit_test(small_packets_after_no_answer),
		cmocka_unit_test(a_long_answer_to_a_short_request),
		cmocka_unit_test(a_successor_knows_the_path),
		cmocka_unit_test(no_answer_takes_as_long),
		cmocka_unit_test(the_answer_is_repeated_once),
		cmocka_unit_test(a_request_split_anew_is_known),
		cmocka_unit_test(a_closed_ike_sa_repeats),
		cmocka_unit_test(what_arrived_is_kept),
		cmocka_unit_test(forged_fragments_leave_nothing),
		cmocka_unit_test(not_without_negotiation),
		cmocka_unit_test(fragments_go_with_the_window),
		cmocka_unit_test(fragments_go_in_time),
		cmocka_unit_test(much_that_is_nothing),
		cmocka_unit_test(long_requests_of_strangers_are_not_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
