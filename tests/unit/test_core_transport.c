// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Transport mode (RFC 7296 1.3.1, 2.23.1): which end asks for it, what becomes of a pair that one end
 * wants in another mode, and the selectors, which are the endpoints as each end sees them.
 */
#include <errno.h>

#include "core_util.h"
#include "ike/proto/ts_text.h"
#include "ike/core/core.h"

static const struct ike_addr nat = { 4, { 198, 51, 100, 7 } };
static const struct ike_addr stranger = { 4, { 203, 0, 113, 66 } };

static void any_address(struct ike_ts_list *l)
{
	char err[128];

	l->n = 0;
	assert_int_equal(ike_ts_from_text("any", l, err, sizeof(err)), 0);
}

static void use_transport(struct node *n, unsigned int child)
{
	struct ike_child_conf *c = &n->conf[0].child[child];

	n->conf[0].mobike = false;
	c->mode = IKE_MODE_TRANSPORT;
	any_address(&c->local_ts);
	any_address(&c->remote_ts);
}

static struct pair *with_modes(bool a, bool b)
{
	struct pair *p = pair_new();

	if (a)
		use_transport(p->a, 0);
	if (b)
		use_transport(p->b, 0);
	return p;
}

static struct pair *up_in_transport_mode(void)
{
	struct pair *p = with_modes(true, true);

	pair_start(p, true);
	return p;
}

/* Has the protected message @s of the IKE SA there is USE_TRANSPORT_MODE? */
static bool has_notify(const struct pair *p, const struct sent *s)
{
	struct ike_payloads in;
	struct ike_notify n;

	assert_non_null(s);
	in = sent_open(s, node_sa(p->a));
	return ike_notify_find(&in, IKE_N_USE_TRANSPORT_MODE, &n);
}

static void is_of(const struct ike_ts_list *l, const struct ike_addr *a)
{
	assert_int_equal(l->n, 1);
	assert_int_equal(l->ts[0].family, a->family);
	assert_memory_equal(l->ts[0].start, a->b, sizeof(a->b));
	assert_memory_equal(l->ts[0].end, a->b, sizeof(a->b));
}

/* The one pair of @n is in transport mode, between @local and @remote. */
static void is_between(const struct node *n, const struct ike_addr *local,
		       const struct ike_addr *remote)
{
	struct ike_status s = node_status(n, 0);

	assert_true(s.have_child);
	assert_int_equal(s.mode, IKE_MODE_TRANSPORT);
	is_of(&s.local_ts, local);
	is_of(&s.remote_ts, remote);
	assert_int_equal(node_stats(n).children, 1);
}

/* Checksums of what @n receives cover @local and @remote, which a NAT made others of; NULL: they cover these. */
static void covers(const struct node *n, const struct ike_addr *local,
		   const struct ike_addr *remote)
{
	static const struct ike_addr none;

	assert_memory_equal(&n->nat_oa_local[0], local ? local : &none, sizeof(none));
	assert_memory_equal(&n->nat_oa_remote[0], remote ? remote : &none, sizeof(none));
}

static void asked_for_and_agreed(void **state)
{
	struct pair *p = up_in_transport_mode();

	(void)state;
	assert_true(has_notify(p, pair_sent(p, p->a, IKE_AUTH, false, 0)));
	assert_true(has_notify(p, pair_sent(p, p->b, IKE_AUTH, true, 0)));
	is_between(p->a, &p->a->addr, &p->b->addr);
	is_between(p->b, &p->b->addr, &p->a->addr);
	covers(p->a, NULL, NULL);
	covers(p->b, NULL, NULL);
	pair_free(p);
}

static void tunnel_mode_is_not_asked_for(void **state)
{
	struct pair *p = with_modes(false, false);

	(void)state;
	pair_start(p, true);
	assert_false(has_notify(p, pair_sent(p, p->a, IKE_AUTH, false, 0)));
	assert_int_equal(node_status(p->b, 0).mode, IKE_MODE_TUNNEL);
	pair_free(p);
}

/* No pair is left at either end, while the IKE SA stays. */
static void has_no_pair(const struct pair *p)
{
	assert_int_equal(node_stats(p->a).children, 0);
	assert_int_equal(node_stats(p->b).children, 0);
	assert_int_equal(node_stats(p->a).ike_sas, 1);
	assert_int_equal(p->a->n_sa, 0);
	assert_int_equal(p->b->n_sa, 0);
	assert_int_not_equal(p->a->state[0], IKE_TUNNEL_UP);
}

/* The responder makes it in tunnel mode without a word; the initiator deletes it. */
static void the_responder_is_for_tunnel_mode(void **state)
{
	struct pair *p = with_modes(true, false);

	(void)state;
	pair_start(p, false);
	pair_run(p, 1000);
	assert_true(has_notify(p, pair_sent(p, p->a, IKE_AUTH, false, 0)));
	assert_false(has_notify(p, pair_sent(p, p->b, IKE_AUTH, true, 0)));
	assert_int_equal(p->a->installs, 0);
	assert_int_equal(p->b->installs, 1);
	assert_non_null(pair_sent(p, p->a, IKE_INFORMATIONAL, false, 0));
	has_no_pair(p);
	node_says(p->a, "does not take transport mode");
	pair_free(p);
}

static void the_initiator_is_for_tunnel_mode(void **state)
{
	struct pair *p = with_modes(false, true);

	(void)state;
	pair_start(p, false);
	pair_run(p, 1000);
	has_no_pair(p);
	assert_int_equal(p->a->installs + p->b->installs, 0);
	node_says(p->b, "asks for tunnel mode");
	node_says(p->a, "TS_UNACCEPTABLE");
	pair_free(p);
}

/* It was not asked for, by the time that the answer is here. */
static void agreed_without_a_question(void **state)
{
	struct pair *p = with_modes(true, true);

	(void)state;
	p->drop_from = 1 << 1;
	p->drop_exchange = IKE_AUTH;
	p->drop_responses = true;
	pair_start(p, false);
	pair_run(p, 100);
	own_conf(p->a)->child[0].mode = IKE_MODE_TUNNEL;
	p->drop_responses = false;
	pair_run(p, 1000);
	assert_int_equal(p->a->installs, 0);
	node_says(p->a, "which was not asked for");
	pair_free(p);
}

static void the_initiator_is_behind_a_nat(void **state)
{
	struct pair *p = with_modes(true, true);

	(void)state;
	p->a->nat = nat;
	node_rebind(p->a);
	pair_start(p, true);
	is_between(p->a, &p->a->addr, &p->b->addr);
	is_between(p->b, &p->b->addr, &nat);
	covers(p->a, &nat, &p->b->addr);
	covers(p->b, &p->b->addr, &p->a->addr);
	/* Pairs that either end renews say the same. */
	memset(p->b->nat_oa_remote, 0, sizeof(p->b->nat_oa_remote));
	memset(p->a->nat_oa_local, 0, sizeof(p->a->nat_oa_local));
	node_rekey_child(p->a);
	pair_run(p, 10000);
	covers(p->a, &nat, &p->b->addr);
	covers(p->b, &p->b->addr, &p->a->addr);
	memset(p->b->nat_oa_remote, 0, sizeof(p->b->nat_oa_remote));
	memset(p->a->nat_oa_local, 0, sizeof(p->a->nat_oa_local));
	node_rekey_child(p->b);
	pair_run(p, 10000);
	covers(p->a, &nat, &p->b->addr);
	covers(p->b, &p->b->addr, &p->a->addr);
	pair_free(p);
}

/* An address that no host has stands in no checksum; the kernel would refuse it, and the peer come again for ever. */
static void what_is_no_hosts_is_not_told(void **state)
{
	static const struct ike_addr group = { 4, { 224, 0, 0, 1 } };
	struct pair *p = with_modes(true, true);

	(void)state;
	p->a->addr = group;
	p->a->nat = nat;
	node_rebind(p->a);
	pair_start(p, true);
	is_between(p->b, &p->b->addr, &nat);
	covers(p->b, NULL, NULL);
	pair_free(p);
}

static void the_responder_is_behind_a_nat(void **state)
{
	struct pair *p = with_modes(true, true);

	(void)state;
	p->b->nat = nat;
	node_rebind(p->b);
	p->a->conf[0].remote = (struct ike_endpoint){ nat, p->b->nat_port[1] };
	pair_start(p, true);
	is_between(p->a, &p->a->addr, &nat);
	is_between(p->b, &p->b->addr, &p->a->addr);
	covers(p->a, &p->a->addr, &p->b->addr);
	covers(p->b, &nat, &p->a->addr);
	pair_free(p);
}

static void both_are_behind_nats(void **state)
{
	static const struct ike_addr other_nat = { 4, { 203, 0, 113, 9 } };
	struct pair *p = with_modes(true, true);

	(void)state;
	p->a->nat = nat;
	p->b->nat = other_nat;
	node_rebind(p->a);
	node_rebind(p->b);
	p->a->conf[0].remote = (struct ike_endpoint){ other_nat, p->b->nat_port[1] };
	pair_start(p, true);
	is_between(p->a, &p->a->addr, &other_nat);
	is_between(p->b, &p->b->addr, &nat);
	covers(p->a, &nat, &p->b->addr);
	covers(p->b, &other_nat, &p->a->addr);
	pair_free(p);
}

/* In tunnel mode the NAT's address is in no inner header. */
static void tunnel_mode_behind_a_nat(void **state)
{
	struct pair *p = with_modes(false, false);

	(void)state;
	p->a->nat = nat;
	node_rebind(p->a);
	pair_start(p, true);
	covers(p->a, NULL, NULL);
	covers(p->b, NULL, NULL);
	pair_free(p);
}

/* Of what both ends allow, by protocol and port, the part in common. */
static void narrowed(void **state)
{
	struct pair *p = with_modes(true, true);
	struct ike_status s;
	unsigned int i;

	(void)state;
	for (i = 0; i < 2; i++)
		p->b->conf[0].child[0].local_ts.ts[i].protocol = 47;
	pair_start(p, true);
	s = node_status(p->a, 0);
	assert_int_equal(s.remote_ts.ts[0].protocol, 47);
	assert_int_equal(s.local_ts.ts[0].protocol, 0);
	pair_free(p);
}

static void rekeyed(void **state)
{
	struct pair *p = up_in_transport_mode();
	struct ike_status before = node_status(p->a, 0);
	const struct sent *s;

	(void)state;
	node_rekey_child(p->a);
	pair_run(p, 10000);
	s = pair_sent(p, p->a, IKE_CREATE_CHILD_SA, false, 0);
	assert_true(has_notify(p, s));
	assert_true(has_notify(p, pair_sent(p, p->b, IKE_CREATE_CHILD_SA, true, 0)));
	assert_int_not_equal(before.spi_in, node_status(p->a, 0).spi_in);
	is_between(p->a, &p->a->addr, &p->b->addr);
	node_rekey_child(p->b);
	pair_run(p, 10000);
	assert_true(has_notify(p, pair_sent(p, p->b, IKE_CREATE_CHILD_SA, false, 0)));
	is_between(p->b, &p->b->addr, &p->a->addr);
	pair_free(p);
}

/* A pair is renewed in the mode that it has, or not at all. */
static void rekeyed_in_another_mode(void **state)
{
	struct pair *p = up_in_transport_mode();
	uint32_t before = node_status(p->b, 0).spi_in;

	(void)state;
	node_sa(p->a)->children.tqh_first->mode = IKE_MODE_TUNNEL;
	node_rekey_child(p->a);
	pair_run(p, 500);
	node_says(p->b, "asks for tunnel mode");
	assert_int_equal(node_status(p->b, 0).spi_in, before);
	pair_free(p);
}

/* Each child SA has a mode of its own, also where the selectors of both would fit. */
static void beside_tunnel_mode(void **state)
{
	struct pair *p = pair_new();
	struct node *ends[2] = { p->a, p->b };
	struct ike_status s;
	unsigned int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		struct ike_tunnel_conf *c = &ends[i]->conf[0];

		c->n_child = 2;
		c->child[1] = c->child[0];
		memcpy(c->child[0].name, "nets", 5);
		memcpy(c->child[1].name, "gre", 4);
		use_transport(ends[i], 1);
	}
	pair_start(p, false);
	pair_run(p, 3000);
	for (i = 0; i < 2; i++) {
		assert_int_equal(ike_core_child_status(ends[i]->core, "t0", IKE_PEER_FIRST, 0, &s),
				 0);
		assert_true(s.have_child);
		assert_int_equal(s.mode, IKE_MODE_TUNNEL);
		assert_int_equal(ike_core_child_status(ends[i]->core, "t0", IKE_PEER_FIRST, 1, &s),
				 0);
		assert_true(s.have_child);
		assert_int_equal(s.mode, IKE_MODE_TRANSPORT);
	}
	assert_int_equal(node_stats(p->a).children, 2);
	pair_free(p);
}

/* A NAT has another address: the pair of the former one goes, and one of the new one comes. */
static void the_nat_moves(void **state)
{
	static const struct ike_addr other = { 4, { 198, 51, 100, 8 } };
	struct pair *p = with_modes(true, true);

	(void)state;
	p->a->nat = nat;
	node_rebind(p->a);
	p->a->conf[0].liveness = 5;
	pair_start(p, true);
	p->a->nat = other;
	node_rebind(p->a);
	pair_run(p, 30000);
	is_between(p->b, &p->b->addr, &other);
	is_between(p->a, &p->a->addr, &p->b->addr);
	pair_free(p);
}

static void our_address_changes(void **state)
{
	static const struct ike_addr other = { 4, { 192, 0, 2, 77 } };
	struct pair *p = up_in_transport_mode();

	(void)state;
	node_move(p->a, &other, NULL);
	pair_run(p, 60000);
	is_between(p->a, &other, &p->b->addr);
	is_between(p->b, &p->b->addr, &other);
	pair_free(p);
}

/* ---- addresses that nothing shows to be the peer's ------------------------------------ */

/* Up to the moment when b has answered IKE_SA_INIT. */
static struct ike_sa *begin(struct pair *p)
{
	struct ike_sa *half_open = NULL;

	node_start(p->b, false);
	node_start(p->a, false);
	while (!half_open) {
		pair_run(p, 1);
		half_open = ikesa_find(&p->b->core->sas, node_sa(p->a)->spi_r, false);
	}
	assert_int_equal(half_open->state, IKESA_HALF_OPEN);
	return half_open;
}

/* The message arrives as if it came from the address. */
static void comes_from(struct pair *p, const struct sent *s, const struct ike_addr *from,
		       const struct ike_endpoint *to)
{
	const struct ike_endpoint at = { *from, s->local.port };

	assert_non_null(s);
	world_inject(&p->w, &at, to, s->data, s->len, 0);
}

/* No pair is made until a new IKE SA shows where the peer is. */
static void comes_with_a_new_ike_sa(struct pair *p)
{
	pair_run(p, 2000);
	assert_int_equal(p->b->installs, 0);
	node_says(p->a, "NO_ADDITIONAL_SAS");
	node_says(p->b, "did not prove its address");
	pair_run(p, 120000);
	is_between(p->a, &p->a->addr, &p->b->addr);
	is_between(p->b, &p->b->addr, &p->a->addr);
	assert_int_equal(pair_count(p, p->a, IKE_AUTH, false), 2);
	pair_free(p);
}

static void auth_from_elsewhere(void **state)
{
	struct pair *p = with_modes(true, true);

	(void)state;
	begin(p)->remote.addr = stranger;
	comes_with_a_new_ike_sa(p);
}

/* Who gets the answer by a copy of the request need not be where that came from first. */
static void init_from_elsewhere(void **state)
{
	struct pair *p = with_modes(true, true);
	const struct sent *s;

	(void)state;
	begin(p);
	s = pair_sent(p, p->a, IKE_SA_INIT, false, 0);
	comes_from(p, s, &stranger, &s->remote);
	comes_with_a_new_ike_sa(p);
}

/* A request that @p's a sent, and that did not arrive. */
static const struct sent *lost_rekeying(struct pair *p)
{
	p->drop_from = 1 << p->a->index;
	p->drop_exchange = IKE_CREATE_CHILD_SA;
	p->drop_requests = true;
	node_rekey_child(p->a);
	pair_run(p, 100);
	p->drop_requests = false;
	return pair_sent(p, p->a, IKE_CREATE_CHILD_SA, false, 0);
}

/* The peer's request for a pair comes from an address that it need not hold: a new IKE SA is to show it. */
static void a_pair_from_elsewhere(void **state)
{
	const struct sent *s;
	struct pair *p;
	int knows;

	(void)state;
	for (knows = 0; knows < 2; knows++) {
		p = with_modes(true, true);
		if (knows)
			p->b->conf[0].remote = (struct ike_endpoint){ p->a->addr, IKE_PORT };
		pair_start(p, true);
		pair_run(p, 5000);
		s = lost_rekeying(p);
		comes_from(p, s, &stranger, &s->remote);
		pair_run(p, 5);
		assert_int_equal(p->b->installs, 1);
		assert_true(node_sa(p->b)->strayed);
		if (knows)
			assert_true(node_sa(p->b)->replaced);
		else
			assert_int_equal(node_sa(p->b)->state, IKESA_DELETING);
		pair_run(p, 200000);
		is_between(p->a, &p->a->addr, &p->b->addr);
		is_between(p->b, &p->b->addr, &p->a->addr);
		pair_free(p);
	}
}

/* The answer comes from an address that the peer need not hold. */
static void an_answer_from_elsewhere(void **state)
{
	struct pair *p = up_in_transport_mode();
	const struct sent *s;

	(void)state;
	pair_run(p, 5000);
	p->drop_from = 1 << p->b->index;
	p->drop_exchange = IKE_CREATE_CHILD_SA;
	p->drop_responses = true;
	node_rekey_child(p->a);
	pair_run(p, 100);
	p->drop_responses = false;
	s = pair_sent(p, p->b, IKE_CREATE_CHILD_SA, true, 0);
	comes_from(p, s, &stranger, &s->remote);
	pair_run(p, 5);
	assert_int_equal(p->a->installs, 1);
	node_says(p->a, "was at another address");
	pair_run(p, 100000);
	is_between(p->a, &p->a->addr, &p->b->addr);
	is_between(p->b, &p->b->addr, &p->a->addr);
	pair_free(p);
}

/* The peer goes on to another address of ours, which the pair is not of. */
static void to_another_address(void **state)
{
	struct pair *p = up_in_transport_mode();
	struct ike_endpoint to;
	const struct sent *s;

	(void)state;
	pair_run(p, 5000);
	p->b->more = nat;
	s = lost_rekeying(p);
	to = s->remote;
	to.addr = nat;
	comes_from(p, s, &p->a->addr, &to);
	pair_run(p, 5);
	assert_int_equal(node_sa(p->b)->state, IKESA_DELETING);
	pair_run(p, 100000);
	is_between(p->a, &p->a->addr, &p->b->addr);
	is_between(p->b, &p->b->addr, &p->a->addr);
	pair_free(p);
}

/* A reload with another mode has a new IKE SA take the place of the old one. */
static void the_mode_changes(void **state)
{
	struct pair *p = with_modes(false, false);
	struct node *ends[2] = { p->b, p->a };
	unsigned int i;

	(void)state;
	pair_start(p, true);
	for (i = 0; i < 2; i++) {
		use_transport(ends[i], 0);
		assert_int_equal(ike_core_tunnel_change(ends[i]->core, &ends[i]->conf[0], false,
							p->w.now),
				 0);
	}
	pair_run(p, 60000);
	is_between(p->a, &p->a->addr, &p->b->addr);
	is_between(p->b, &p->b->addr, &p->a->addr);
	pair_free(p);
}

/* Selectors of networks, or MOBIKE, are none of transport mode. */
static void what_cannot_be(void **state)
{
	struct pair *p = pair_new();
	struct ike_core *core;
	struct ike_tunnel_conf *c = &p->a->conf[0];

	(void)state;
	pair_start(p, true);
	core = p->a->core;
	use_transport(p->a, 0);
	c->mobike = true;
	assert_int_equal(ike_core_tunnel_change(core, c, false, p->w.now), -EINVAL);
	c->mobike = false;
	c->child[0].remote_ts.n = 1;
	assert_int_equal(ike_core_tunnel_change(core, c, false, p->w.now), -EINVAL);
	c->child[0].remote_ts.n = 2;
	c->child[0].remote_ts.ts[0].start[0] = 10;
	assert_int_equal(ike_core_tunnel_change(core, c, false, p->w.now), -EINVAL);
	pair_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(asked_for_and_agreed),
		cmocka_unit_test(tunnel_mode_is_not_asked_for),
		cmocka_unit_test(the_responder_is_for_tunnel_mode),
		cmocka_unit_test(the_initiator_is_for_tunnel_mode),
		cmocka_unit_test(agreed_without_a_question),
		cmocka_unit_test(the_initiator_is_behind_a_nat),
		cmocka_unit_test(what_is_no_hosts_is_not_told),
		cmocka_unit_test(the_responder_is_behind_a_nat),
		cmocka_unit_test(both_are_behind_nats),
		cmocka_unit_test(tunnel_mode_behind_a_nat),
		cmocka_unit_test(narrowed),
		cmocka_unit_test(rekeyed),
		cmocka_unit_test(rekeyed_in_another_mode),
		cmocka_unit_test(beside_tunnel_mode),
		cmocka_unit_test(the_nat_moves),
		cmocka_unit_test(our_address_changes),
		cmocka_unit_test(auth_from_elsewhere),
		cmocka_unit_test(init_from_elsewhere),
		cmocka_unit_test(a_pair_from_elsewhere),
		cmocka_unit_test(an_answer_from_elsewhere),
		cmocka_unit_test(to_another_address),
		cmocka_unit_test(the_mode_changes),
		cmocka_unit_test(what_cannot_be),
	};

	return cmocka_run_group_tests_name("core transport", tests, NULL, NULL);
}
