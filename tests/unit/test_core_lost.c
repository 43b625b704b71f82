// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How long a tunnel is without a pair of SAs after it lost one, by the way it lost it. One
 * trip takes 10 ms here, a new IKE SA with its child four of them.
 */
#include "core_util.h"
#include "ike/core/core.h"

enum { AT_ONCE_MS = 200 };

/* The pair at @n goes, with a word to the peer; the IKE SA stays. */
static void delete_child(struct node *n)
{
	struct ike_sa *sa = node_sa(n);
	struct child_sa *c = TAILQ_FIRST(&sa->children);

	n->core->now = n->w->now;
	child_stop_sending(n->core, sa, c);
	request_delete_child(n->core, sa, c);
}

static void expire(struct node *n, bool hard)
{
	ike_core_expire(n->core, "t0", IKE_PEER_FIRST, node_out(n, 0)->spi, false, hard, n->w->now);
}

static bool works(const struct pair *p)
{
	return direction_works(p->a, p->b, 0) && direction_works(p->b, p->a, 0);
}

/* Until nothing works, then how long until both directions do. */
static uint64_t gap(struct pair *p, uint64_t limit)
{
	uint64_t from, end = p->w.now + limit;

	while (works(p) && world_step(&p->w, end))
		;
	from = p->w.now;
	while (!works(p) && world_step(&p->w, end))
		;
	if (p->w.failed[0])
		fail_msg("%s", p->w.failed);
	return works(p) ? p->w.now - from : UINT64_MAX;
}

static struct pair *up_for_a_while(enum ike_start start)
{
	struct pair *p = pair_new();

	p->a->conf[0].child[0].start = start;
	pair_start(p, start == IKE_START_NOW);
	ike_core_acquire(p->a->core, "t0", NULL, p->w.now);
	pair_run(p, 20000);
	assert_true(works(p));
	return p;
}

/* At rest: one pair, one IKE SA at each end. */
static void at_rest(struct pair *p)
{
	char why[200] = "";

	pair_run(p, 60000);
	if (!link_at_rest(&p->w, 0, 1, why, sizeof(why)))
		fail_msg("%s", why);
	assert_int_equal(node_stats(p->a).ike_sas, 1);
	assert_int_equal(node_stats(p->b).ike_sas, 1);
	assert_string_equal(node_error(p->a), "");
	assert_string_equal(node_error(p->b), "");
}

static void our_limit(void **state)
{
	static const enum ike_start starts[] = { IKE_START_NOW, IKE_START_TRAFFIC };
	struct pair *p;
	unsigned int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		p = up_for_a_while(starts[i]);
		expire(p->a, true);
		assert_in_range(gap(p, 1000), 0, AT_ONCE_MS);
		at_rest(p);
		pair_free(p);
	}
}

/* A hub initiates to where its peer is, though its configuration does not say where. */
static void our_limit_as_listener(void **state)
{
	struct pair *p = up_for_a_while(IKE_START_TRAFFIC);

	(void)state;
	expire(p->b, true);
	assert_in_range(gap(p, 1000), 0, AT_ONCE_MS);
	assert_false(node_status(p->a, 0).initiator);
	at_rest(p);
	pair_free(p);
}

/* Both ends replace it at the same time: one pair is left. */
static void both_replace_it(void **state)
{
	struct pair *p = up_for_a_while(IKE_START_NOW);

	(void)state;
	expire(p->b, true);
	assert_in_range(gap(p, 1000), 0, AT_ONCE_MS);
	at_rest(p);
	pair_free(p);
}

static void peer_deletes_the_child(void **state)
{
	struct pair *p = up_for_a_while(IKE_START_NOW);

	(void)state;
	delete_child(p->b);
	assert_in_range(gap(p, 1000), 0, AT_ONCE_MS);
	at_rest(p);
	pair_free(p);
}

static void peer_deletes_the_ike_sa(void **state)
{
	struct pair *p = up_for_a_while(IKE_START_NOW);

	(void)state;
	request_close(p->b->core, node_sa(p->b), IKESA_CLOSE_MS);
	assert_in_range(gap(p, 1000), 0, AT_ONCE_MS);
	at_rest(p);
	pair_free(p);
}

/* A listener does not run after a peer that went. */
static void listener_lets_its_peer_go(void **state)
{
	struct pair *p = up_for_a_while(IKE_START_TRAFFIC);

	(void)state;
	delete_child(p->a);
	pair_run(p, 5000);
	ike_core_down(p->a->core, "t0", p->w.now);
	pair_run(p, 100000);
	assert_int_equal(pair_count(p, p->b, IKE_SA_INIT, false), 0);
	assert_int_equal(p->b->state[0], IKE_TUNNEL_DOWN);
	assert_int_equal(p->b->n_sa, 0);
	pair_free(p);
}

/* Soft limit at a listener: replaced before anything is lost, also behind a NAT. */
static void listener_replaces_in_time(void **state)
{
	struct pair *p;
	uint32_t old;
	int nat;

	(void)state;
	for (nat = 0; nat < 2; nat++) {
		p = pair_new();
		if (nat) {
			p->a->nat = (struct ike_addr){ .family = 4, .b = { 198, 51, 100, 1 } };
			node_rebind(p->a);
		}
		pair_start(p, true);
		pair_run(p, 20000);
		p->w.link[0].watch = true;
		old = node_out(p->b, 0)->spi;
		expire(p->b, false);
		pair_run(p, 3000);
		assert_int_not_equal(node_out(p->b, 0)->spi, old);
		assert_int_not_equal(node_out(p->a, 0)->spi, old);
		at_rest(p);
		pair_free(p);
	}
}

/* It gives up after one attempt: what it knows is where its peer was. */
static void listener_gives_up(void **state)
{
	struct pair *p = up_for_a_while(IKE_START_TRAFFIC);
	unsigned int sent;

	(void)state;
	node_crash(p->a);
	expire(p->b, true);
	pair_run(p, 70000);
	sent = pair_count(p, p->b, IKE_SA_INIT, false);
	assert_int_equal(sent, 8);
	pair_run(p, 600000);
	assert_int_equal(pair_count(p, p->b, IKE_SA_INIT, false), sent);
	assert_int_equal(p->b->n_sa, 0);
	assert_int_equal(p->b->state[0], IKE_TUNNEL_DOWN);
	pair_free(p);
}

/* A peer that was found dead is called at once, and then less and less often. */
static void peer_dies_and_comes_back(void **state)
{
	struct pair *p = up_for_a_while(IKE_START_NOW);
	uint64_t dead_at;

	(void)state;
	node_crash(p->b);
	while (p->a->n_sa)
		pair_run(p, 10);
	dead_at = p->w.now;
	pair_run(p, 50);
	assert_int_equal(pair_count(p, p->a, IKE_SA_INIT, false), 2);
	assert_true(pair_sent(p, p->a, IKE_SA_INIT, false, 1)->at <= dead_at + 10);
	node_start(p->b, false);
	pair_run(p, 1000);
	assert_true(works(p));
	pair_free(p);
}

/*
 * An agent begins anew, and by the nonces the IKE SA of the former one would stay. What that one sent
 * last comes late: it does not show that it lives, and the one that does is not closed for it.
 */
static void last_words_are_no_sign_of_life(void **state)
{
	struct pair *p = pair_new();
	struct hold *last;

	(void)state;
	p->a->nonces_begin = p->b->nonces_begin = 200;
	pair_start(p, true);
	pair_run(p, 20000);
	last = world_hold(&p->w, p->a, IKE_INFORMATIONAL, false, 0);
	p->a->core->now = p->w.now;
	request_probe(p->a->core, node_sa(p->a));
	assert_true(world_await(&p->w, last, 100));
	node_kill(p->a);
	p->a->nonces_begin = 1;
	p->w.link[0].watch = true;
	node_start(p->a, true);
	pair_run(p, 500);
	assert_int_equal(node_stats(p->b).ike_sas, 2);
	world_release(&p->w, last);
	pair_run(p, 120000);
	at_rest(p);
	pair_free(p);
}

/*
 * A peer begins anew, as INITIAL_CONTACT says. An answer that it gave before does not show that there
 * are two with one identity.
 */
static void last_answer_is_of_no_other_peer(void **state)
{
	struct pair *p = pair_new();
	struct hold *last;

	(void)state;
	pair_start(p, true);
	pair_run(p, 20000);
	last = world_hold(&p->w, p->a, IKE_INFORMATIONAL, true, 0);
	p->b->core->now = p->w.now;
	request_probe(p->b->core, node_sa(p->b));
	assert_true(world_await(&p->w, last, 100));
	node_crash(p->a);
	node_start(p->a, false);
	pair_run(p, 100);
	assert_int_equal(node_stats(p->b).ike_sas, 2);
	world_release(&p->w, last);
	pair_run(p, 100);
	assert_null(strstr(p->b->log, "two peers"));
	assert_true(works(p));
	pair_run(p, 120000);
	at_rest(p);
	pair_free(p);
}

/* A peer that drops each pair at once does not keep us busy. */
static void peer_drops_every_pair(void **state)
{
	struct pair *p = up_for_a_while(IKE_START_NOW);
	uint64_t end = p->w.now + 30000;

	(void)state;
	while (p->w.now < end) {
		if (node_sa(p->b) && ikesa_authenticated(node_sa(p->b)) && works(p))
			request_close(p->b->core, node_sa(p->b), IKESA_CLOSE_MS);
		pair_run(p, 10);
	}
	assert_in_range(pair_count(p, p->a, IKE_SA_INIT, false), 10, 50);
	pair_free(p);
}

/* What was refused is no better for being asked again at once. */
static void refused_is_not_lost(void **state)
{
	struct pair *p = pair_new();

	(void)state;
	p->b->conf[0].esp.p[0].t[0].key_bits = 128;
	pair_start(p, false);
	pair_run(p, 20000);
	assert_int_equal(pair_count(p, p->a, IKE_CREATE_CHILD_SA, false), 0);
	pair_run(p, 20000);
	assert_int_equal(pair_count(p, p->a, IKE_CREATE_CHILD_SA, false), 1);
	assert_int_equal(pair_count(p, p->a, IKE_SA_INIT, false), 1);
	pair_free(p);
}

/*
 * The peer has an IKE SA with us that lost its child, and asks for one by CREATE_CHILD_SA. The
 * listener gives it, and needs no other IKE SA.
 */
static void peer_asks_for_the_child(void **state)
{
	struct pair *p = up_for_a_while(IKE_START_TRAFFIC);
	unsigned int begun = pair_count(p, p->a, IKE_SA_INIT, false);

	(void)state;
	delete_child(p->a);
	pair_run(p, 1000);
	assert_int_equal(p->b->n_sa, 0);
	p->a->core->now = p->w.now;
	x_create_pair(p->a->core, node_sa(p->a), 0);
	pair_run(p, AT_ONCE_MS);
	assert_int_equal(pair_count(p, p->b, IKE_CREATE_CHILD_SA, true), 1);
	assert_int_equal(pair_count(p, p->a, IKE_SA_INIT, false), begun);
	assert_true(works(p));
	at_rest(p);
	pair_free(p);
}

/* The next SPI that @n gives is @spi, which it no longer has. */
static void give_anew(struct node *n, uint32_t spi)
{
	n->w->reuse = 100;
	n->freed_spi = spi;
}

/*
 * The peer gives an SPI anew:
 *
 *	a				b
 *					its limit: DELETE of the pair
 *	deletes it; answer	-->	lost
 *	asks for a pair, of the same SPI	answers
 *	DELETE of that pair		-->	is about the new one
 */
static void spi_anew_under_a_delete(void **state)
{
	struct pair *p = up_for_a_while(IKE_START_NOW);
	uint32_t spi = node_out(p->b, 0)->spi;

	(void)state;
	p->w.reuse = 100;
	p->drop_from = 1 << p->a->index;
	p->drop_exchange = IKE_INFORMATIONAL;
	p->drop_responses = true;
	expire(p->b, true);
	pair_run(p, 100);
	assert_true(works(p));
	assert_int_equal(node_out(p->b, 0)->spi, spi);
	assert_int_equal(node_sa(p->b)->state, IKESA_ESTABLISHED);
	delete_child(p->a);
	pair_run(p, 15);
	assert_int_equal(node_count(p->b, 0, false), 0);
	p->drop_responses = false;
	at_rest(p);
	pair_free(p);
}

/* The agent of node a came back, and b does not know yet that the IKE SA of before is dead. */
static void spi_anew_beside_a_dead_ike_sa(void **state)
{
	struct pair *p = up_for_a_while(IKE_START_NOW);
	uint32_t spi = node_out(p->b, 0)->spi;

	(void)state;
	node_kill(p->a);
	node_start(p->a, true);
	pair_run(p, 10000);
	assert_int_equal(node_count(p->a, 0, true), 1);
	assert_int_equal(node_count(p->b, 0, true), 2);
	p->w.link[0].watch = true;
	give_anew(p->a, spi);
	node_rekey_child(p->a);
	pair_run(p, 3000);
	assert_int_equal(node_out(p->b, 0)->spi, spi);
	assert_true(works(p));
	pair_run(p, 60000); /* until b found its old IKE SA dead */
	at_rest(p);
	pair_free(p);
}

/* Node a began anew; the pair that had the SPI is one that b took over from its former agent. */
static void spi_anew_beside_an_adopted_pair(void **state)
{
	struct pair *p = up_for_a_while(IKE_START_NOW);
	uint32_t spi = node_out(p->b, 0)->spi;

	(void)state;
	node_kill(p->b);
	node_crash(p->a);
	p->drop_from = 1 << p->b->index;
	p->drop_exchange = IKE_SA_INIT;
	p->drop_requests = true;
	node_start(p->b, true);
	give_anew(p->a, spi);
	node_start(p->a, false);
	pair_run(p, 1000);
	assert_int_equal(node_out(p->b, 0)->spi, spi);
	assert_int_equal(node_status(p->b, 0).adopted, 0);
	assert_true(works(p));
	at_rest(p);
	pair_free(p);
}

/* Either end rekeys: another pair under the same IKE SA, and no moment without one. */
static void rekeyed_by(bool responder)
{
	struct pair *p = up_for_a_while(IKE_START_NOW);
	struct node *n = responder ? p->b : p->a;
	uint32_t old[] = { node_out(p->a, 0)->spi, node_out(p->b, 0)->spi };
	unsigned int informed = pair_count(p, n, IKE_INFORMATIONAL, false);

	p->w.link[0].watch = true;
	n->core->now = p->w.now;
	x_create_successor(n->core, node_sa(n), TAILQ_FIRST(&node_sa(n)->children));
	pair_run(p, 3000);
	assert_true(works(p));
	assert_int_not_equal(node_out(p->a, 0)->spi, old[0]);
	assert_int_not_equal(node_out(p->b, 0)->spi, old[1]);
	assert_int_equal(pair_count(p, p->a, IKE_SA_INIT, false), 1);
	assert_int_equal(pair_count(p, n, IKE_INFORMATIONAL, false), informed + 1); /* DELETE */
	at_rest(p);
	pair_free(p);
}

static void initiator_rekeys(void **state)
{
	(void)state;
	rekeyed_by(false);
}

static void responder_rekeys(void **state)
{
	(void)state;
	rekeyed_by(true);
}

/* An additional pair for other networks sends at once: nothing else carries its packets. */
static void additional_pair_works_at_once(void **state)
{
	struct pair *p = pair_new();
	struct ike_proposals offer;
	uint8_t buf[512], nonce[32] = { 1 }, first;
	struct ike_ts_list ts = { 0 };
	struct ike_builder b;
	char err[128];

	(void)state;
	p->a->conf[0].child[0].local_ts.n = 0;
	assert_int_equal(ike_ts_from_text("10.2.0.0/16", &p->a->conf[0].child[0].local_ts, err,
					  sizeof(err)),
			 0);
	pair_start(p, true);
	assert_int_equal(node_count(p->b, 0, false), 1);
	offer = p->a->conf[0].esp;
	offer.p[0].protocol = IKE_PROTO_ESP;
	offer.p[0].spi_len = 4;
	memset(offer.p[0].spi, 5, 4);
	assert_int_equal(ike_ts_from_text("10.3.0.0/16", &ts, err, sizeof(err)), 0);
	request_begin(&b, buf, sizeof(buf), &first);
	ike_build_sa(&b, IKE_OFFER(&offer));
	ike_build_nonce(&b, nonce, sizeof(nonce));
	ike_build_ts(&b, IKE_PL_TSI, IKE_TS_OFFER(&ts));
	ike_build_ts(&b, IKE_PL_TSR, IKE_TS_OFFER(&p->a->conf[0].child[0].remote_ts));
	assert_true(node_request(p->a, IKE_CREATE_CHILD_SA, &b, first));
	pair_run(p, 100);
	assert_int_equal(node_count(p->b, 0, false), 2);
	pair_free(p);
}

/* A peer that asks for pair after pair reaches the limit that the answer names. */
static void peer_wants_many_children(void **state)
{
	struct pair *p = up_for_a_while(IKE_START_NOW);
	struct ike_proposals offer = p->a->conf[0].esp;
	uint8_t buf[512], nonce[32] = { 1 }, first;
	struct ike_builder b;
	unsigned int i;

	(void)state;
	offer.p[0].protocol = IKE_PROTO_ESP;
	offer.p[0].spi_len = 4;
	for (i = 0; i < 20; i++) {
		request_begin(&b, buf, sizeof(buf), &first);
		memset(offer.p[0].spi, 5 + (int)i, 4);
		ike_build_sa(&b, IKE_OFFER(&offer));
		ike_build_nonce(&b, nonce, sizeof(nonce));
		ike_build_ts(&b, IKE_PL_TSI, IKE_TS_OFFER(&p->a->conf[0].child[0].local_ts));
		ike_build_ts(&b, IKE_PL_TSR, IKE_TS_OFFER(&p->a->conf[0].child[0].remote_ts));
		assert_true(node_request(p->a, IKE_CREATE_CHILD_SA, &b, first));
		pair_run(p, 100);
	}
	assert_int_equal(node_count(p->b, 0, true), 16);
	assert_non_null(strstr(p->b->log, "answered with NO_ADDITIONAL_SAS"));
	assert_int_equal(pair_count(p, p->b, IKE_CREATE_CHILD_SA, true), 20);
	pair_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(our_limit),
		cmocka_unit_test(our_limit_as_listener),
		cmocka_unit_test(both_replace_it),
		cmocka_unit_test(peer_deletes_the_child),
		cmocka_unit_test(peer_deletes_the_ike_sa),
		cmocka_unit_test(listener_lets_its_peer_go),
		cmocka_unit_test(listener_replaces_in_time),
		cmocka_unit_test(listener_gives_up),
		cmocka_unit_test(peer_dies_and_comes_back),
		cmocka_unit_test(last_words_are_no_sign_of_life),
		cmocka_unit_test(last_answer_is_of_no_other_peer),
		cmocka_unit_test(peer_drops_every_pair),
		cmocka_unit_test(refused_is_not_lost),
		cmocka_unit_test(peer_asks_for_the_child),
		cmocka_unit_test(initiator_rekeys),
		cmocka_unit_test(responder_rekeys),
		cmocka_unit_test(peer_wants_many_children),
		cmocka_unit_test(spi_anew_under_a_delete),
		cmocka_unit_test(spi_anew_beside_a_dead_ike_sa),
		cmocka_unit_test(spi_anew_beside_an_adopted_pair),
		cmocka_unit_test(additional_pair_works_at_once),
	};

	return cmocka_run_group_tests_name("core_lost", tests, NULL, NULL);
}
