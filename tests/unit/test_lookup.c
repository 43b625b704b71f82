// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Finding tunnels: what a datagram costs does not depend on how many there are (looks are counted,
 * not timed), and the choice is the one a walk over all would make.
 */
#include "core_util.h"
#include "ike/core/core.h"

/* Tunnel "n<i>" at @n: like its first, with a peer and an address of its own. */
static void add(struct node *n, unsigned int i, bool remote)
{
	struct ike_tunnel_conf c = n->conf[0];

	snprintf(c.name, sizeof(c.name), "n%u", i);
	c.remote_id.len =
		(uint16_t)snprintf((char *)c.remote_id.data, IKE_MAX_ID, "client%u.example", i);
	if (remote)
		c.remote = (struct ike_endpoint){ { 4, { 100, 64, (uint8_t)(i >> 8), (uint8_t)i } },
						  IKE_PORT };
	assert_int_equal(ike_core_tunnel_add(n->core, &c), 0);
	ike_core_start(n->core, c.name, n->w->now);
}

/* Looks while a peer connects and 100 others fail to, with @tunnels more beside its own. */
static uint64_t looks(unsigned int tunnels, bool remote)
{
	struct pair *p = pair_new();
	uint64_t visited;
	unsigned int i;
	uint8_t m[64];

	p->w.filter = NULL;
	p->b->conf[0].child[0].start = IKE_START_LISTEN;
	node_start(p->b, false);
	for (i = 0; i < tunnels; i++)
		add(p->b, i, remote);
	visited = node_stats(p->b).visited;
	node_start(p->a, false);
	for (i = 0; i < 100; i++) {
		struct ike_datagram d = { .local = { p->b->addr, IKE_PORT },
					  .remote = { { 4, { 203, 0, 113, (uint8_t)i } }, 500 },
					  .data = m,
					  .len = sizeof(m) };

		rnd_fill(&p->w.rnd, m, sizeof(m));
		ike_core_datagram(p->b->core, &d, p->w.now);
	}
	world_run(&p->w, p->w.now + 200);
	assert_string_equal(p->w.failed, "");
	assert_true(direction_works(p->a, p->b, 0));
	visited = node_stats(p->b).visited - visited;
	pair_free(p);
	return visited;
}

static void a_datagram_does_not_visit_all(void **state)
{
	(void)state;
	assert_in_range(looks(1, false), 1, 10);
	assert_in_range(looks(2000, false), 1, 10);
	assert_in_range(looks(2000, true), 1, 10);
}

/* The same for a request that no tunnel can take. */
static void a_refusal_does_not_visit_all(void **state)
{
	struct pair *p = pair_new();
	struct ike_core_stats before, after;
	char err[256];
	unsigned int i;

	(void)state;
	p->w.filter = NULL;
	node_start(p->b, false);
	for (i = 0; i < 500; i++)
		add(p->b, i, i % 2);
	assert_int_equal(ike_proposals_from_text("chacha20poly1305-ecp256", IKE_PROTO_IKE,
						 &p->a->conf[0].ike, err, sizeof(err)),
			 0);
	before = node_stats(p->b);
	node_start(p->a, false);
	world_run(&p->w, p->w.now + 200);
	after = node_stats(p->b);
	assert_non_null(strstr(node_error(p->a), "NO_PROPOSAL_CHOSEN"));
	assert_in_range(after.visited - before.visited, 1, 10);
	pair_free(p);
}

static void names_are_found(void **state)
{
	struct pair *p = pair_new();
	struct ike_status s;
	unsigned int i;
	char name[16];

	(void)state;
	node_start(p->b, false);
	for (i = 0; i < 500; i++)
		add(p->b, i, i % 2);
	assert_int_equal(ike_core_tunnel_add(p->b->core, &p->b->conf[0]), -17);
	for (i = 0; i < 500; i += 2) {
		snprintf(name, sizeof(name), "n%u", i);
		assert_int_equal(ike_core_tunnel_del(p->b->core, name), 0);
	}
	for (i = 0; i < 500; i++) {
		snprintf(name, sizeof(name), "n%u", i);
		assert_int_equal(ike_core_tunnel_status(p->b->core, name, &s), i % 2 ? 0 : -2);
		if (i % 2)
			assert_string_equal(s.tunnel, name);
	}
	node_start(p->a, false);
	pair_run(p, 100);
	assert_true(direction_works(p->a, p->b, 0));
	pair_free(p);
}

/* What b's policies choose for an offer of all three ciphers from @from at b's address. */
static uint16_t chosen(struct pair *p, struct ike_addr from)
{
	struct ike_datagram d = { .local = { p->b->addr, IKE_PORT }, .remote = { from, 500 } };
	struct lookup_offer o = { .d = &d, .ke_group = IKE_DH_CURVE25519 };
	struct ike_proposals offer;
	struct ike_proposal out;
	struct ike_peer *best;
	char err[256];

	assert_int_equal(
		ike_proposals_from_text("aes256gcm16-aes128gcm16-chacha20poly1305-prfsha256-x25519",
					IKE_PROTO_IKE, &offer, err, sizeof(err)),
		0);
	o.offer = IKE_OFFER(&offer);
	return lookup_policy(p->b->core, &o, &out, &best) ? out.t[0].key_bits : 1;
}

/* First the peer expected at this address, then those expected anywhere, then all others. */
static void nearest_policy_first(void **state)
{
	static const char *const ciphers[] = { "aes256gcm16", "aes128gcm16", "chacha20poly1305" };
	struct ike_addr here = { 4, { 198, 51, 100, 1 } }, there = { 4, { 198, 51, 100, 2 } };
	struct pair *p = pair_new();
	char text[64], err[256];
	unsigned int i;

	(void)state;
	/* t0 has a remote address, n0 none, n1 another one and an address of ours that is not called */
	p->b->conf[0].remote = (struct ike_endpoint){ here, IKE_PORT };
	p->b->conf[0].child[0].start = IKE_START_LISTEN;
	node_start(p->b, false);
	assert_int_equal(chosen(p, there), 256);
	for (i = 1; i < 3; i++) {
		struct ike_tunnel_conf c = p->b->conf[0];

		snprintf(c.name, sizeof(c.name), "n%u", i - 1);
		snprintf(text, sizeof(text), "%s-prfsha256-x25519", ciphers[i]);
		assert_int_equal(
			ike_proposals_from_text(text, IKE_PROTO_IKE, &c.ike, err, sizeof(err)), 0);
		c.remote = (struct ike_endpoint){ 0 };
		if (i == 2) {
			c.remote = (struct ike_endpoint){ there, IKE_PORT };
			c.local.addr = (struct ike_addr){ 4, { 192, 0, 2, 99 } };
		}
		assert_int_equal(ike_core_tunnel_add(p->b->core, &c), 0);
		assert_int_equal(chosen(p, there),
				 i == 1 ? 256 : 128); /* not started, it is none */
		ike_core_start(p->b->core, c.name, p->w.now);
	}
	assert_int_equal(chosen(p, here), 256);
	assert_int_equal(chosen(p, there), 128);
	/* it moves, it goes */
	assert_int_equal(ike_core_tunnel_remote(p->b->core, "t0",
						&(struct ike_endpoint){ there, IKE_PORT }),
			 0);
	assert_int_equal(chosen(p, there), 256);
	assert_int_equal(chosen(p, here), 128);
	ike_core_down(p->b->core, "t0", p->w.now);
	assert_int_equal(chosen(p, there), 128);
	assert_int_equal(ike_core_tunnel_del(p->b->core, "n0"), 0);
	assert_int_equal(chosen(p, there), 1);
	pair_free(p);
}

/* Everything goes down with a count, not a walk, after each answer. */
static void idle_when_all_is_gone(void **state)
{
	struct pair *p = pair_new();
	unsigned int i;

	(void)state;
	node_start(p->b, false);
	for (i = 0; i < 10; i++)
		add(p->b, i, false);
	node_start(p->a, false);
	pair_run(p, 100);
	assert_false(ike_core_idle(p->b->core));
	ike_core_shutdown(p->b->core, p->w.now);
	assert_false(ike_core_idle(p->b->core)); /* the answer to the DELETE */
	pair_run(p, 100);
	assert_true(ike_core_idle(p->b->core));
	ike_core_up(p->b->core, "n3", p->w.now);
	assert_false(ike_core_idle(p->b->core));
	assert_int_equal(ike_core_tunnel_del(p->b->core, "n3"), 0);
	assert_true(ike_core_idle(p->b->core));
	pair_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_datagram_does_not_visit_all),
		cmocka_unit_test(a_refusal_does_not_visit_all),
		cmocka_unit_test(names_are_found),
		cmocka_unit_test(nearest_policy_first),
		cmocka_unit_test(idle_when_all_is_gone),
	};

	return cmocka_run_group_tests_name("lookup", tests, NULL, NULL);
}
