// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What ESP travels in (RFC 7296 2.23): UDP always, IP alone, or what the path takes; what each end says
 * of itself by NAT detection, and what becomes of it when a NAT appears.
 */
#include "core_util.h"
#include "ike/core/core.h"

static const struct ike_addr nat = { 4, { 198, 51, 100, 7 } };

static struct pair *with_encap(enum ike_encap a, enum ike_encap b)
{
	struct pair *p = pair_new();

	p->a->conf[0].encap = a;
	p->b->conf[0].encap = b;
	return p;
}

static void put_behind_nat(struct node *n)
{
	n->nat = nat;
	node_rebind(n);
}

/* Both ends have ESP travel so, and their kernels do it. */
static void travels(const struct pair *p, bool plain)
{
	assert_int_equal(node_status(p->a, 0).plain, plain);
	assert_int_equal(node_status(p->b, 0).plain, plain);
	assert_int_equal(p->a->plain[0], plain);
	assert_int_equal(p->b->plain[0], plain);
	assert_true(direction_works(p->a, p->b, 0));
	assert_true(direction_works(p->b, p->a, 0));
}

static void has_no_child(const struct pair *p, const struct node *who, const char *words)
{
	assert_int_equal(p->a->installs + p->b->installs, 0);
	node_says(who, words);
}

static void without_a_nat(void **state)
{
	static const struct {
		enum ike_encap a, b;
		bool plain;
	} t[] = {
		{ IKE_ENCAP_UDP, IKE_ENCAP_UDP, false },  { IKE_ENCAP_AUTO, IKE_ENCAP_UDP, false },
		{ IKE_ENCAP_UDP, IKE_ENCAP_AUTO, false }, { IKE_ENCAP_AUTO, IKE_ENCAP_AUTO, true },
		{ IKE_ENCAP_ESP, IKE_ENCAP_AUTO, true },  { IKE_ENCAP_AUTO, IKE_ENCAP_ESP, true },
		{ IKE_ENCAP_ESP, IKE_ENCAP_ESP, true },
	};
	struct pair *p;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		p = with_encap(t[i].a, t[i].b);
		pair_start(p, true);
		travels(p, t[i].plain);
		assert_false(node_status(p->a, 0).nat_remote || node_status(p->b, 0).nat_remote);
		assert_false(node_status(p->a, 0).nat_local || node_status(p->b, 0).nat_local);
		pair_free(p);
	}
}

static void one_end_wants_udp(void **state)
{
	struct pair *p = with_encap(IKE_ENCAP_ESP, IKE_ENCAP_UDP);

	(void)state;
	pair_start(p, false);
	pair_run(p, 1000);
	has_no_child(p, p->a, "wants ESP in UDP");
	pair_free(p);
	p = with_encap(IKE_ENCAP_UDP, IKE_ENCAP_ESP);
	pair_start(p, false);
	pair_run(p, 1000);
	has_no_child(p, p->b, "wants ESP in UDP");
	pair_free(p);
}

static void behind_a_nat(void **state)
{
	struct pair *p = with_encap(IKE_ENCAP_AUTO, IKE_ENCAP_AUTO);

	(void)state;
	put_behind_nat(p->a);
	pair_start(p, true);
	travels(p, false);
	assert_true(node_status(p->a, 0).nat_local);
	assert_true(node_status(p->b, 0).nat_remote); /* no end claims anything */
	pair_free(p);
}

static void esp_behind_a_nat(void **state)
{
	struct pair *p = with_encap(IKE_ENCAP_ESP, IKE_ENCAP_AUTO);

	(void)state;
	put_behind_nat(p->a);
	pair_start(p, false);
	pair_run(p, 1000);
	has_no_child(p, p->a, "there is a NAT on the path");
	pair_free(p);
	p = with_encap(IKE_ENCAP_AUTO, IKE_ENCAP_ESP);
	put_behind_nat(p->a);
	pair_start(p, false);
	pair_run(p, 1000);
	has_no_child(p, p->b, "there is a NAT on the path");
	pair_free(p);
}

/* An IKE_SA_INIT request names each address that it may leave from, but not any number. */
static void many_addresses(void **state)
{
	static const struct {
		unsigned int n;
		bool local, plain;
	} t[] = { { 8, false, true }, { 9, false, false }, { 9, true, true } };
	struct ike_addr ours[9];
	struct pair *p;
	unsigned int i, k;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		p = with_encap(IKE_ENCAP_AUTO, IKE_ENCAP_AUTO);
		p->a->conf[0].child[0].start = IKE_START_TRAFFIC;
		if (t[i].local)
			p->a->conf[0].local.addr = p->a->addr;
		pair_start(p, false);
		for (k = 0; k < t[i].n; k++)
			ours[k] = (struct ike_addr){ 4, { 10, 0, 0, (uint8_t)k } };
		ours[t[i].n - 1] = p->a->addr;
		ike_core_addresses(p->a->core, "t0", ours, t[i].n, p->w.now);
		assert_int_equal(ike_core_up(p->a->core, "t0", p->w.now), 0);
		pair_run(p, 1000);
		travels(p, t[i].plain);
		pair_free(p);
	}
}

/* Before it is known which tunnel the peer means, one that wants UDP decides. */
static void beside_another_tunnel(void **state)
{
	struct pair *p = with_encap(IKE_ENCAP_AUTO, IKE_ENCAP_AUTO);
	struct ike_tunnel_conf *other;

	(void)state;
	other = &p->b->conf[1];
	*other = p->b->conf[0];
	memcpy(other->name, "t1", 3);
	other->encap = IKE_ENCAP_UDP;
	memcpy(other->remote_id.data, "other", 5);
	pair_start(p, true);
	travels(p, false);
	pair_free(p);

	/* One that is configured for the peer's address is meant, whatever there is for others. */
	p = with_encap(IKE_ENCAP_AUTO, IKE_ENCAP_AUTO);
	p->b->conf[0].remote = (struct ike_endpoint){ p->a->addr, IKE_PORT };
	other = &p->b->conf[1];
	*other = p->b->conf[0];
	memcpy(other->name, "t1", 3);
	other->encap = IKE_ENCAP_UDP;
	other->remote = (struct ike_endpoint){ .port = 0 };
	pair_start(p, true);
	travels(p, true);
	pair_free(p);
}

/* @other is of b, for another peer than a. */
static void is_for_another(struct ike_tunnel_conf *other)
{
	memcpy(other->remote_id.data, "other", 5);
}

/* Nor does the answer to IKE_SA_INIT tell which tunnel of one address is meant. */
static void not_the_tunnel_of_the_address(void **state)
{
	struct pair *p = with_encap(IKE_ENCAP_AUTO, IKE_ENCAP_AUTO);
	struct ike_tunnel_conf *c = p->b->conf;

	(void)state;
	c[1] = c[0];
	memcpy(c[1].name, "t1", 3);
	c[1].encap = IKE_ENCAP_UDP;
	memcpy(p->b->psk[1], p->b->psk[0], sizeof(p->b->psk[1]));
	p->b->psk_len[1] = p->b->psk_len[0];
	is_for_another(&c[0]);
	c[0].remote = (struct ike_endpoint){ p->a->addr, IKE_PORT };
	pair_start(p, false);
	pair_run(p, 1000);
	has_no_child(p, p->b, "may have meant another tunnel");
	node_says(p->a, "or Encap=udp is set at its side");
	pair_free(p);
}

/* A tunnel whose peer is elsewhere says nothing of others. */
static void beside_a_tunnel_to_elsewhere(void **state)
{
	struct pair *p = with_encap(IKE_ENCAP_ESP, IKE_ENCAP_ESP);
	struct ike_tunnel_conf *other = &p->b->conf[1];

	(void)state;
	*other = p->b->conf[0];
	memcpy(other->name, "t1", 3);
	is_for_another(other);
	other->encap = IKE_ENCAP_UDP;
	other->remote = (struct ike_endpoint){ nat, IKE_PORT };
	pair_start(p, true);
	travels(p, true);
	pair_free(p);
}

static void rekeyed(void **state)
{
	struct pair *p = with_encap(IKE_ENCAP_AUTO, IKE_ENCAP_AUTO);

	(void)state;
	pair_start(p, true);
	node_rekey_ike(p->a);
	pair_run(p, 10000);
	node_rekey_child(p->b);
	pair_run(p, 10000);
	travels(p, true);
	pair_free(p);
}

/* MOBIKE finds a NAT, and the path without it again. */
static void a_nat_comes_and_goes(void **state)
{
	static const struct ike_addr inside = { 4, { 10, 9, 8, 7 } },
				     outside = { 4, { 192, 0, 2, 77 } };
	struct pair *p = with_encap(IKE_ENCAP_AUTO, IKE_ENCAP_AUTO);

	(void)state;
	pair_start(p, true);
	travels(p, true);
	node_move(p->a, &inside, &nat);
	pair_run(p, 20000);
	travels(p, false);
	assert_int_equal(node_stats(p->a).ike_sas, 1);
	node_move(p->a, &outside, NULL);
	pair_run(p, 20000);
	travels(p, true);
	assert_int_equal(node_stats(p->a).ike_sas, 1);
	assert_int_equal(pair_count(p, p->a, IKE_AUTH, false), 1);
	pair_free(p);
}

static void a_nat_comes_where_none_may_be(void **state)
{
	static const struct ike_addr inside = { 4, { 10, 9, 8, 7 } };
	struct pair *p = with_encap(IKE_ENCAP_ESP, IKE_ENCAP_AUTO);

	(void)state;
	pair_start(p, true);
	node_move(p->a, &inside, &nat);
	pair_run(p, 20000);
	node_says(p->a, "there is a NAT on the path");
	assert_false(node_status(p->a, 0).have_child);
	pair_free(p);
}

/* The same at the end that does not decide, which refuses the address. */
static void a_nat_comes_to_the_peer(void **state)
{
	static const struct ike_addr inside = { 4, { 10, 9, 8, 7 } };
	struct pair *p = with_encap(IKE_ENCAP_AUTO, IKE_ENCAP_ESP);

	(void)state;
	pair_start(p, true);
	pair_run(p, 2000);
	node_move(p->a, &inside, &nat);
	pair_run(p, 500);
	node_says(p->b, "refused the peer's change of address: Encap=esp, but there is a NAT");
	assert_true(node_status(p->b, 0).plain);
	pair_run(p, 20000);
	node_says(p->b, "child SA refused: Encap=esp, but there is a NAT");
	pair_free(p);
}

/* A copy of an update comes on another path than the one that it has the addresses of: that is no NAT. */
static void a_copy_on_another_path(void **state)
{
	static const struct ike_addr more = { 4, { 192, 0, 2, 200 } },
				     outside = { 4, { 192, 0, 2, 77 } };
	static const enum ike_encap encap[] = { IKE_ENCAP_ESP, IKE_ENCAP_AUTO };
	struct ike_addr both[2] = { outside, more };
	struct pair *p;
	unsigned int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		p = with_encap(IKE_ENCAP_AUTO, encap[i]);
		p->a->more = more;
		pair_start(p, true);
		pair_run(p, 2000);
		p->a->dark[0] = true;
		node_move(p->a, &outside, NULL);
		ike_core_addresses(p->a->core, "t0", both, 2, p->w.now);
		pair_run(p, 60000);
		assert_true(ike_addr_eq(&node_sa(p->b)->remote.addr, &more));
		travels(p, true);
		assert_int_equal(node_stats(p->a).ike_sas, 1);
		assert_int_equal(pair_count(p, p->a, IKE_AUTH, false), 1);
		pair_free(p);
	}
}

/* Without MOBIKE only a new IKE SA tells whether a peer that moved is behind a NAT since. */
static void a_nat_comes_without_mobike(void **state)
{
	struct pair *p = with_encap(IKE_ENCAP_AUTO, IKE_ENCAP_AUTO);

	(void)state;
	p->a->conf[0].mobike = false;
	p->a->conf[0].liveness = 5;
	pair_start(p, true);
	travels(p, true);
	put_behind_nat(p->a);
	pair_run(p, 30000);
	travels(p, false);
	assert_true(node_status(p->b, 0).nat_remote);
	pair_free(p);
}

/* With another word a new IKE SA takes the place of the old one. */
static void the_configuration_changes(void **state)
{
	struct pair *p = with_encap(IKE_ENCAP_AUTO, IKE_ENCAP_AUTO);

	(void)state;
	pair_start(p, true);
	p->a->conf[0].encap = IKE_ENCAP_UDP;
	assert_int_equal(ike_core_tunnel_change(p->a->core, &p->a->conf[0], false, p->w.now), 0);
	pair_run(p, 60000);
	travels(p, false);
	pair_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_nat),
		cmocka_unit_test(one_end_wants_udp),
		cmocka_unit_test(behind_a_nat),
		cmocka_unit_test(esp_behind_a_nat),
		cmocka_unit_test(many_addresses),
		cmocka_unit_test(beside_another_tunnel),
		cmocka_unit_test(not_the_tunnel_of_the_address),
		cmocka_unit_test(beside_a_tunnel_to_elsewhere),
		cmocka_unit_test(rekeyed),
		cmocka_unit_test(a_nat_comes_and_goes),
		cmocka_unit_test(a_nat_comes_where_none_may_be),
		cmocka_unit_test(a_nat_comes_to_the_peer),
		cmocka_unit_test(a_copy_on_another_path),
		cmocka_unit_test(a_nat_comes_without_mobike),
		cmocka_unit_test(the_configuration_changes),
	};

	return cmocka_run_group_tests_name("core encap", tests, NULL, NULL);
}
