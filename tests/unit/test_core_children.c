// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Several child SAs of one tunnel: which end asks for which, and what becomes of the others when one is
 * refused, lost, rekeyed, or its IKE SA replaced. Child number n carries 10.1.n.0/24 of node a to
 * 10.2.n.0/24 of node b.
 */
#include "core_util.h"
#include "ike/core/core.h"

static void network(struct ike_ts_list *l, unsigned int side, unsigned int number)
{
	const uint8_t first[4] = { 10, (uint8_t)side, (uint8_t)number, 0 };

	memset(l, 0, sizeof(*l));
	l->n = 1;
	l->ts[0].family = 4;
	l->ts[0].port_end = 65535;
	memcpy(l->ts[0].start, first, sizeof(first));
	memcpy(l->ts[0].end, first, sizeof(first));
	l->ts[0].end[3] = 255;
}

/* @n has children of these numbers. */
static void children(struct pair *p, struct node *n, const unsigned int *numbers,
		     unsigned int count)
{
	struct ike_tunnel_conf *c = &n->conf[0];
	unsigned int i;

	c->n_child = count;
	for (i = 0; i < count; i++) {
		c->child[i].start = c->child[0].start;
		snprintf(c->child[i].name, sizeof(c->child[i].name), "net%u", numbers[i]);
		network(&c->child[i].local_ts, n == p->a ? 1 : 2, numbers[i]);
		network(&c->child[i].remote_ts, n == p->a ? 2 : 1, numbers[i]);
	}
}

static void children_up_to(struct pair *p, struct node *n, unsigned int count)
{
	unsigned int numbers[IKE_MAX_CHILD], i;

	for (i = 0; i < count; i++)
		numbers[i] = i;
	children(p, n, numbers, count);
}

/* Pairs of child @conf at @n that carry its traffic. */
static unsigned int carrying(const struct node *n, unsigned int conf)
{
	const struct ike_peer *peer = TAILQ_FIRST(&n->core->peers);
	const struct child_sa *c;
	const struct ike_sa *sa;
	unsigned int count = 0;

	TAILQ_FOREACH(sa, &peer->sas, of_peer)
	{
		if (sa->state != IKESA_ESTABLISHED)
			continue;
		TAILQ_FOREACH(c, &sa->children, link)
		count += c->out && c->conf == conf;
	}
	return count;
}

/* Each of @count children has one pair at both ends, under the one IKE SA. */
static void all_up(const struct pair *p, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		assert_int_equal(carrying(p->a, i), 1);
		assert_int_equal(carrying(p->b, i), 1);
	}
	assert_int_equal(node_stats(p->a).children, count);
	assert_int_equal(node_stats(p->b).children, count);
	assert_int_equal(node_stats(p->a).ike_sas, 1);
	assert_int_equal(node_stats(p->b).ike_sas, 1);
}

static struct pair *with_children(unsigned int count)
{
	struct pair *p = pair_new();

	children_up_to(p, p->a, count);
	children_up_to(p, p->b, count);
	return p;
}

static struct pair *up_with_children(unsigned int count)
{
	struct pair *p = with_children(count);

	pair_start(p, false);
	pair_run(p, 1000);
	all_up(p, count);
	return p;
}

static void the_initiator_asks_for_all(void **state)
{
	struct pair *p = up_with_children(3);

	(void)state;
	assert_int_equal(pair_count(p, p->a, IKE_CREATE_CHILD_SA, false), 2);
	assert_int_equal(pair_count(p, p->b, IKE_CREATE_CHILD_SA, false), 0);
	pair_run(p, 60000);
	all_up(p, 3);
	assert_string_equal(node_error(p->a), "");
	pair_free(p);
}

static void as_many_as_may_be_configured(void **state)
{
	struct pair *p = up_with_children(IKE_MAX_CHILD);

	(void)state;
	pair_free(p);
}

static void both_ends_ask(void **state)
{
	unsigned int seed;

	(void)state;
	for (seed = 0; seed < 8; seed++) {
		struct pair *p = with_children(3);
		unsigned int i;

		for (i = 0; i < 3; i++)
			p->b->conf[0].child[i].start = IKE_START_NOW;
		p->b->conf[0].remote = (struct ike_endpoint){ p->a->addr, IKE_PORT };
		pair_start(p, false);
		pair_run(p, 1000 + seed * 137);
		pair_run(p, 60000);
		all_up(p, 3);
		pair_free(p);
	}
}

/* Each end asks for another one: no collision, nothing is redundant. */
static void each_end_asks_for_another(void **state)
{
	struct pair *p = with_children(3);

	(void)state;
	p->a->conf[0].child[2].start = IKE_START_LISTEN;
	p->b->conf[0].child[2].start = IKE_START_NOW;
	p->drop_from = 1 << 0;
	p->drop_exchange = IKE_CREATE_CHILD_SA;
	p->drop_requests = true;
	pair_start(p, false);
	pair_run(p, 3000);
	p->drop_requests = false;
	pair_run(p, 20000);
	all_up(p, 3);
	pair_free(p);
}

static void the_peer_lacks_one(void **state)
{
	static const unsigned int numbers[] = { 0, 2 };
	struct pair *p = with_children(3);

	(void)state;
	children(p, p->b, numbers, 2);
	pair_start(p, false);
	pair_run(p, 10000);
	assert_int_equal(carrying(p->a, 0), 1);
	assert_int_equal(carrying(p->a, 1), 0);
	assert_int_equal(carrying(p->a, 2), 1);
	assert_int_equal(node_status(p->a, 0).state, IKE_TUNNEL_UP);
	node_says(p->a, "10.1.1.0/24 = 10.2.1.0/24");
	assert_int_equal(pair_count(p, p->a, IKE_CREATE_CHILD_SA, false), 2);
	pair_run(p, 40000); /* asked again after about 30 s */
	assert_int_equal(pair_count(p, p->a, IKE_CREATE_CHILD_SA, false), 3);
	assert_int_equal(node_stats(p->a).ike_sas, 1);
	assert_int_equal(pair_count(p, p->a, IKE_SA_INIT, false), 1);
	pair_free(p);
}

/* The one that IKE_AUTH asks for is refused: the others come all the same. */
static void the_peer_lacks_the_first(void **state)
{
	static const unsigned int numbers[] = { 1, 2 };
	struct pair *p = with_children(3);

	(void)state;
	children(p, p->b, numbers, 2);
	pair_start(p, false);
	pair_run(p, 10000);
	assert_int_equal(carrying(p->a, 0), 0);
	assert_int_equal(carrying(p->a, 1), 1);
	assert_int_equal(carrying(p->a, 2), 1);
	assert_int_equal(node_stats(p->a).ike_sas, 1);
	pair_free(p);
}

/* One offer that several configured children fit: the first selectors decide, and the peer hears of the others. */
static void an_offer_for_several(void **state)
{
	struct pair *p = with_children(3);
	struct ike_child_conf *c = &p->a->conf[0].child[0];

	(void)state;
	p->a->conf[0].n_child = 1;
	network(&c->local_ts, 1, 1);
	network(&c->remote_ts, 2, 1);
	c->local_ts.n = c->remote_ts.n = 2;
	c->local_ts.ts[1] = p->b->conf[0].child[0].remote_ts.ts[0];
	c->remote_ts.ts[1] = p->b->conf[0].child[0].local_ts.ts[0];
	pair_start(p, true);
	pair_run(p, 1000);
	assert_int_equal(carrying(p->b, 1), 1);
	assert_int_equal(node_stats(p->b).children, 1);
	node_says(p->a, "ADDITIONAL_TS_POSSIBLE");
	pair_free(p);
}

static void traffic_starts_the_right_one(void **state)
{
	struct ike_flow flow = { 0 };
	struct pair *p = pair_new();
	struct ike_ts_list l;

	(void)state;
	p->a->conf[0].child[0].start = IKE_START_TRAFFIC;
	children_up_to(p, p->a, 3);
	children_up_to(p, p->b, 3);
	pair_start(p, false);
	network(&l, 1, 2);
	flow.local = l.ts[0];
	flow.local.end[3] = 0;
	network(&l, 2, 7);
	flow.remote = l.ts[0];
	ike_core_acquire(p->a->core, "t0", &flow, p->w.now); /* for none of them */
	pair_run(p, 1000);
	assert_int_equal(pair_count(p, p->a, IKE_SA_INIT, false), 0);
	network(&l, 2, 2);
	flow.remote = l.ts[0];
	flow.remote.end[3] = 0;
	ike_core_acquire(p->a->core, "t0", &flow, p->w.now);
	pair_run(p, 5000);
	assert_int_equal(carrying(p->a, 2), 1);
	assert_int_equal(node_stats(p->a).children, 1);
	network(&l, 1, 0);
	flow.local = l.ts[0];
	network(&l, 2, 0);
	flow.remote = l.ts[0];
	ike_core_acquire(p->a->core, "t0", &flow, p->w.now);
	pair_run(p, 5000);
	assert_int_equal(carrying(p->a, 0), 1);
	assert_int_equal(carrying(p->a, 1), 0);
	assert_int_equal(node_stats(p->a).children, 2);
	assert_int_equal(pair_count(p, p->a, IKE_SA_INIT, false), 1);
	pair_free(p);
}

static void one_is_lost(void **state)
{
	struct pair *p = up_with_children(3);
	struct ike_sa *sa = node_sa(p->b);
	const struct child_sa *first = TAILQ_FIRST(&node_sa(p->a)->children);
	uint32_t spi = first->spi_in;
	struct child_sa *c;

	(void)state;
	assert_int_equal(first->conf, 0);
	TAILQ_FOREACH(c, &sa->children, link)
	{
		if (c->conf == 1)
			break;
	}
	request_delete_child(p->b->core, sa, c);
	pair_run(p, 1000);
	all_up(p, 3);
	assert_non_null(child_find(node_sa(p->a), spi, 0));
	pair_free(p);
}

static void rekeyed_each_by_itself(void **state)
{
	struct pair *p = with_children(3);

	(void)state;
	p->a->conf[0].rekey_child = 20;
	pair_start(p, false);
	pair_run(p, 70000);
	own_conf(p->a)->rekey_child = 0;
	pair_run(p, 30000);
	all_up(p, 3);
	assert_in_range(pair_count(p, p->a, IKE_CREATE_CHILD_SA, false), 2 + 9, 2 + 15);
	pair_free(p);
}

static void kept_when_the_ike_sa_is_rekeyed(void **state)
{
	struct pair *p = with_children(3);
	uint32_t spi;

	(void)state;
	p->b->conf[0].rekey_ike = 20;
	pair_start(p, false);
	pair_run(p, 1000);
	spi = TAILQ_FIRST(&node_sa(p->a)->children)->spi_in;
	pair_run(p, 24000);
	own_conf(p->b)->rekey_ike = 0;
	all_up(p, 3);
	assert_non_null(child_find(node_sa(p->a), spi, 0));
	pair_free(p);
}

/* Make before break holds for each of them. */
static void replaced_with_the_ike_sa(void **state)
{
	struct pair *p = with_children(3);
	uint64_t end;
	unsigned int i;

	(void)state;
	p->a->conf[0].reauth = 20;
	pair_start(p, false);
	pair_run(p, 1000);
	end = p->w.now + 30000;
	while (p->w.now < end) {
		for (i = 0; i < 3; i++) {
			assert_true(carrying(p->a, i) >= 1);
			assert_true(carrying(p->b, i) >= 1);
		}
		pair_run(p, 5);
	}
	own_conf(p->a)->reauth = 0;
	assert_int_equal(pair_count(p, p->a, IKE_SA_INIT, false), 2);
	pair_run(p, 30000);
	all_up(p, 3);
	pair_free(p);
}

/* What was refused to the peer does not count as refused to us: nothing goes before it is replaced. */
static void replaced_beside_a_refused_one(void **state)
{
	static const unsigned int numbers[] = { 0, 2 };
	struct pair *p = with_children(3);
	uint64_t end;

	(void)state;
	children(p, p->b, numbers, 2);
	p->b->conf[0].reauth = 20;
	pair_start(p, false);
	pair_run(p, 10000);
	p->drop_from = 3;
	p->drop_exchange = IKE_CREATE_CHILD_SA;
	p->drop_requests = true;
	end = p->w.now + 25000;
	while (p->w.now < end) {
		assert_true(carrying(p->b, 0) >= 1);
		assert_true(carrying(p->b, 1) >= 1);
		pair_run(p, 5);
	}
	own_conf(p->b)->reauth = 0;
	p->drop_requests = false;
	pair_run(p, 60000);
	assert_int_equal(carrying(p->b, 0), 1);
	assert_int_equal(carrying(p->b, 1), 1);
	pair_free(p);
}

/* The responder has one child for any traffic, and stops at a number of pairs. */
static void more_than_the_peer_takes(void **state)
{
	struct pair *p = pair_new();

	(void)state;
	children_up_to(p, p->a, 24);
	pair_start(p, false);
	pair_run(p, 20000);
	assert_int_equal(node_stats(p->b).children, 16);
	assert_int_equal(node_stats(p->a).children, 16);
	assert_int_equal(node_stats(p->a).ike_sas, 1);
	assert_int_equal(node_status(p->a, 0).state, IKE_TUNNEL_UP);
	node_says(p->a, "refused a further child SA (NO_ADDITIONAL_SAS");
	pair_run(p, 120000);
	assert_int_equal(pair_count(p, p->a, IKE_SA_INIT, false), 1);
	assert_int_equal(node_stats(p->a).children, 16);
	pair_free(p);
}

static unsigned int rekeys_of_a_full_house(struct pair *p)
{
	unsigned int before = pair_count(p, p->a, IKE_SA_INIT, false);

	own_conf(p->a)->rekey_child = 20;
	pair_run(p, 45000);
	own_conf(p->a)->rekey_child = 0;
	return pair_count(p, p->a, IKE_SA_INIT, false) - before;
}

/* The limit is for further pairs, not for successors of those there are. */
static void rekeyed_at_the_limit(void **state)
{
	struct pair *p = pair_new();

	(void)state;
	children_up_to(p, p->a, 16);
	p->a->conf[0].rekey_child = 20;
	pair_start(p, false);
	pair_run(p, 5000);
	assert_int_equal(node_stats(p->b).children, 16);
	assert_int_equal(rekeys_of_a_full_house(p), 0);
	assert_int_equal(node_stats(p->a).ike_sas, 1);
	pair_free(p);
}

/* Asked for again at once only once in a while, or both ends would do nothing else. */
static void deleted_again_and_again(void **state)
{
	struct pair *p = up_with_children(2);
	unsigned int before = pair_count(p, p->a, IKE_CREATE_CHILD_SA, false);
	uint64_t end = p->w.now + 10000;
	struct child_sa *c;

	(void)state;
	while (p->w.now < end) {
		TAILQ_FOREACH(c, &node_sa(p->b)->children, link)
		{
			if (c->conf == 1 && c->state == CHILD_UP)
				break;
		}
		if (c)
			request_delete_child(p->b->core, node_sa(p->b), c);
		pair_run(p, 5);
	}
	assert_in_range(pair_count(p, p->a, IKE_CREATE_CHILD_SA, false) - before, 5, 20);
	pair_free(p);
}

/* A responder that wants a second one asks under the IKE SA there is, once the peer is heard. */
static void the_responder_asks_for_one(void **state)
{
	static const unsigned int first[] = { 0, 1 };
	struct ike_flow flow = { 0 };
	struct ike_ts_list l;
	unsigned int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		struct pair *p = pair_new();

		children(p, p->a, first, 2);
		children(p, p->b, first, 2);
		p->a->conf[0].child[1].start = IKE_START_LISTEN;
		p->b->conf[0].child[1].start = i ? IKE_START_TRAFFIC : IKE_START_NOW;
		pair_start(p, false);
		pair_run(p, 500);
		network(&l, 2, 1);
		flow.local = l.ts[0];
		network(&l, 1, 1);
		flow.remote = l.ts[0];
		ike_core_acquire(p->b->core, "t0", &flow, p->w.now);
		pair_run(p, 5000);
		all_up(p, 2);
		assert_int_equal(pair_count(p, p->b, IKE_SA_INIT, false), 0);
		pair_free(p);
	}
}

/* A restarted agent keeps what runs until there is a new pair for each. */
static void adopted_until_all_are_there(void **state)
{
	struct pair *p = up_with_children(IKE_MAX_CHILD);

	(void)state;
	node_kill(p->a);
	node_start(p->a, true);
	p->drop_from = 3;
	p->drop_exchange = IKE_CREATE_CHILD_SA;
	p->drop_requests = true;
	pair_run(p, 20000);
	assert_int_equal(node_status(p->a, 0).adopted, IKE_MAX_CHILD);
	p->drop_requests = false;
	pair_run(p, 120000);
	assert_int_equal(node_status(p->a, 0).adopted, 0);
	all_up(p, IKE_MAX_CHILD);
	pair_free(p);
}

/*
 * The new IKE SA of a reauthentication carries one pair for a moment, and the peer has no time for any: the
 * old one waits, without asking every second whether the peer lives, and without a new one every second.
 */
static void the_peer_has_no_time(void **state)
{
	struct pair *p;
	unsigned int before, inits, i;

	(void)state;
	p = pair_new();
	p->a->conf[0].reauth = 60;
	children(p, p->a, (unsigned int[]){ 0, 1 }, 2);
	children(p, p->b, (unsigned int[]){ 0, 1 }, 2);
	pair_start(p, false);
	pair_run(p, 10000);
	all_up(p, 2);
	for (i = 0; i < 70000 && node_stats(p->a).ike_sas < 2; i++)
		pair_run(p, 1);
	assert_int_equal(node_stats(p->a).ike_sas, 2);
	p->b->fail_installs = 10000;
	p->a->core->peers.tqh_first->sas.tqh_first->reauth_at = UINT64_MAX;
	TAILQ_LAST(&p->a->core->peers.tqh_first->sas, ike_sas)->reauth_at = UINT64_MAX;
	pair_run(p, 20000);
	before = pair_count(p, p->a, IKE_INFORMATIONAL, false);
	inits = pair_count(p, p->a, IKE_SA_INIT, false) + pair_count(p, p->b, IKE_SA_INIT, false);
	pair_run(p, 100000);
	assert_in_range(node_stats(p->a).ike_sas, 1, 2);
	assert_in_range(pair_count(p, p->a, IKE_INFORMATIONAL, false) - before, 0, 20);
	assert_in_range(pair_count(p, p->a, IKE_SA_INIT, false) +
				pair_count(p, p->b, IKE_SA_INIT, false) - inits,
			1, 6);
	pair_run(p, 300000);
	assert_true(direction_works(p->a, p->b, 0) && direction_works(p->b, p->a, 0));
	p->b->fail_installs = 0;
	pair_run(p, 150000);
	all_up(p, 2);
	pair_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_initiator_asks_for_all),
		cmocka_unit_test(the_peer_has_no_time),
		cmocka_unit_test(as_many_as_may_be_configured),
		cmocka_unit_test(both_ends_ask),
		cmocka_unit_test(each_end_asks_for_another),
		cmocka_unit_test(the_peer_lacks_one),
		cmocka_unit_test(the_peer_lacks_the_first),
		cmocka_unit_test(an_offer_for_several),
		cmocka_unit_test(traffic_starts_the_right_one),
		cmocka_unit_test(one_is_lost),
		cmocka_unit_test(rekeyed_each_by_itself),
		cmocka_unit_test(kept_when_the_ike_sa_is_rekeyed),
		cmocka_unit_test(replaced_with_the_ike_sa),
		cmocka_unit_test(replaced_beside_a_refused_one),
		cmocka_unit_test(more_than_the_peer_takes),
		cmocka_unit_test(rekeyed_at_the_limit),
		cmocka_unit_test(deleted_again_and_again),
		cmocka_unit_test(the_responder_asks_for_one),
		cmocka_unit_test(adopted_until_all_are_there),
	};

	return cmocka_run_group_tests_name("core children", tests, NULL, NULL);
}
