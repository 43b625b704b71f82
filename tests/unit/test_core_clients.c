// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A tunnel that serves many peers: one for each identity that was proven, with pairs, state and a
 * peer in the kernel of its own, which all go with it.
 */
#include "core_hub.h"
#include "ike/keys/client_keys.h"
#include "ike/auth/psk.h"
#include "ike/proto/id.h"
#include "ike/core/core.h"

#include <errno.h>
#include <string.h>

static struct hub *hub_up(unsigned int most, unsigned int clients)
{
	struct hub *h = hub_new(most, 0);
	unsigned int i;

	node_start(h->hub, false);
	for (i = 0; i < clients; i++)
		node_start(h->client[i], false);
	hub_run(h, 200);
	for (i = 0; i < clients; i++)
		assert_true(hub_works(h, i));
	assert_int_equal(h->hub->n_peers, clients);
	return h;
}

/* Nothing of any client is left, in the core or in the kernel. */
static void all_gone(const struct hub *h)
{
	struct ike_core_stats st = node_stats(h->hub);

	assert_int_equal(h->hub->n_peers, 0);
	assert_int_equal(h->hub->n_sa, 0);
	assert_int_equal(st.ike_sas, 0);
	assert_int_equal(node_status(h->hub, h->tunnel).clients, 0);
	assert_int_equal(ike_core_client_next(h->hub->core, "t0", 0), 0);
	assert_true(TAILQ_EMPTY(&TAILQ_FIRST(&h->hub->core->peers)->tunnel->clients));
}

static const char *error_of(const struct hub *h, unsigned int i)
{
	static struct ike_status s;
	uint32_t n = client_number(&h->w, h->link[i]);

	if (!n || ike_core_peer_status(h->hub->core, "t0", n, &s))
		return "";
	return s.last_error;
}

static void says(const char *error, const char *words)
{
	if (!strstr(error, words))
		fail_msg("\"%s\" is not in: %s", words, error);
}

static void rename_client(struct node *n, unsigned int link, const char *id)
{
	struct ike_id *to = &n->conf[link].local_id;

	to->len = (uint16_t)snprintf((char *)to->data, sizeof(to->data), "%s", id);
}

static void each_has_its_own(void **state)
{
	struct hub *h = hub_up(10, CLIENTS);
	uint32_t n = 0, count = 0;
	struct ike_status s;
	char id[IKE_MAX_ID + 16], want[32];

	(void)state;
	assert_int_equal(h->hub->state[h->tunnel], IKE_TUNNEL_UP);
	assert_int_equal(node_status(h->hub, h->tunnel).clients, CLIENTS);
	while ((n = ike_core_client_next(h->hub->core, "t0", n))) {
		assert_int_equal(ike_core_peer_status(h->hub->core, "t0", n, &s), 0);
		assert_int_equal(s.peer, n);
		assert_true(s.peer > IKE_PEER_FIRST);
		assert_true(s.have_child);
		snprintf(want, sizeof(want), "node%u.example", h->w.link[h->hub->peer_link[n]].a);
		assert_string_equal(ike_id_print(id, sizeof(id), &s.remote_id), want);
		assert_int_equal(s.remote_ts.ts[0].start[2], h->hub->peer_link[n]);
		count++;
	}
	assert_int_equal(count, CLIENTS);
	hub_free(h);
}

static void a_stranger_makes_none(void **state)
{
	struct hub *h = hub_new(10, 0);

	(void)state;
	h->client[0]->psk[h->link[0]][3] ^= 1;
	rename_client(h->client[1], h->link[1], "node2.elsewhere");
	rename_client(h->client[2], h->link[2], ".example");
	h->hub->fail_peers = 1; /* so that none fails for this: it stays 1 */
	node_start(h->hub, false);
	node_start(h->client[0], false);
	node_start(h->client[1], false);
	node_start(h->client[2], false);
	hub_run(h, 500);
	assert_int_equal(h->hub->fail_peers, 1);
	all_gone(h);
	hub_free(h);
}

static void no_more_than_the_limit(void **state)
{
	struct hub *h = hub_up(2, 2);

	(void)state;
	node_start(h->client[2], false);
	hub_run(h, 300);
	assert_int_equal(h->hub->n_peers, 2);
	says(node_status(h->hub, h->tunnel).last_error, "as many as Clients= allows");
	/* one goes, and there is room */
	ike_core_down(h->client[0]->core, "t1", h->w.now);
	hub_run(h, 80000);
	assert_true(hub_works(h, 1));
	assert_true(hub_works(h, 2));
	assert_int_equal(h->hub->n_peers, 2);
	hub_free(h);
}

static void one_goes_and_all_of_it(void **state)
{
	struct hub *h = hub_up(10, CLIENTS);

	(void)state;
	ike_core_down(h->client[1]->core, "t2", h->w.now);
	hub_run(h, 12000);
	assert_int_equal(h->hub->n_peers, 2);
	assert_int_equal(client_number(&h->w, h->link[1]), 0);
	assert_int_equal(node_count(h->hub, h->link[1], true), 0);
	assert_true(hub_works(h, 0));
	assert_true(hub_works(h, 2));
	assert_int_equal(h->hub->state[h->tunnel], IKE_TUNNEL_UP);
	ike_core_down(h->client[0]->core, "t1", h->w.now);
	ike_core_down(h->client[2]->core, "t3", h->w.now);
	hub_run(h, 12000);
	assert_int_equal(h->hub->state[h->tunnel], IKE_TUNNEL_DOWN);
	all_gone(h);
	hub_free(h);
}

static void a_dead_one_goes(void **state)
{
	struct hub *h = hub_up(10, 2);

	(void)state;
	node_crash(h->client[0]);
	hub_run(h, 120000);
	assert_int_equal(h->hub->n_peers, 1);
	assert_int_equal(client_number(&h->w, h->link[0]), 0);
	assert_true(hub_works(h, 1));
	hub_free(h);
}

static void down_and_up_again(void **state)
{
	struct hub *h = hub_up(10, CLIENTS);

	(void)state;
	ike_core_down(h->hub->core, "t0", h->w.now);
	hub_run(h, 1000);
	assert_int_equal(h->hub->state[h->tunnel], IKE_TUNNEL_DOWN);
	assert_true(ike_core_idle(h->hub->core));
	hub_run(h, 12000);
	all_gone(h);
	ike_core_up(h->hub->core, "t0", h->w.now);
	hub_run(h, 90000);
	assert_true(hub_works(h, 0));
	assert_true(hub_works(h, 2));
	hub_free(h);
}

static void forgotten_at_once(void **state)
{
	struct hub *h = hub_up(10, CLIENTS);

	(void)state;
	assert_int_equal(ike_core_tunnel_del(h->hub->core, "t0"), 0);
	assert_int_equal(h->hub->n_peers, 0);
	assert_int_equal(h->hub->n_sa, 0);
	hub_free(h);
}

static void no_one_gets_anothers_traffic(void **state)
{
	struct hub *h = hub_up(10, 1);
	struct ike_ts *ts = h->client[1]->conf[h->link[1]].child[0].local_ts.ts;

	(void)state;
	/* the very address of the first one, then a network that holds it */
	memcpy(ts, h->client[0]->conf[h->link[0]].child[0].local_ts.ts, sizeof(*ts));
	node_start(h->client[1], false);
	ts = h->client[2]->conf[h->link[2]].child[0].local_ts.ts;
	memcpy(ts->start, (uint8_t[]){ 10, 0, 0, 0 }, 4);
	memcpy(ts->end, (uint8_t[]){ 10, 255, 255, 255 }, 4);
	node_start(h->client[2], false);
	hub_run(h, 500);
	assert_true(hub_works(h, 0));
	assert_int_equal(node_count(h->hub, h->link[1], true), 0);
	assert_int_equal(node_count(h->hub, h->link[2], true), 0);
	says(error_of(h, 1), "client 'node1.example' has some of what 'node2.example' asks for");
	says(error_of(h, 2), "client 'node1.example' has some of what 'node3.example' asks for");
	says(h->client[1]->log, "TS_UNACCEPTABLE");
	hub_free(h);
}

/* Clients whose packets come from one address, in transport mode; each asks for its own @ports, or all. */
static struct hub *behind_one_nat(const uint16_t ports[CLIENTS])
{
	static const struct ike_addr nat = { 4, { 198, 51, 100, 7 } };
	static const struct ike_ts any[2] = {
		{ .family = 4, .protocol = 17, .port_end = 65535, .end = { 255, 255, 255, 255 } },
		{ .family = 6, .protocol = 17, .port_end = 65535, .end = { [0 ... 15] = 255 } },
	};
	struct hub *h = hub_new(10, 0);
	unsigned int i, j;

	for (i = 0; i <= CLIENTS; i++) {
		struct node *n = i < CLIENTS ? h->client[i] : h->hub;
		struct ike_tunnel_conf *c = &n->conf[i < CLIENTS ? h->link[i] : h->tunnel];

		c->mobike = false;
		c->child[0].mode = IKE_MODE_TRANSPORT;
		c->child[0].local_ts.n = c->child[0].remote_ts.n = 2;
		memcpy(c->child[0].local_ts.ts, any, sizeof(any));
		memcpy(c->child[0].remote_ts.ts, any, sizeof(any));
		for (j = 0; i < CLIENTS && ports[i] && j < 2; j++)
			c->child[0].local_ts.ts[j].port_start =
				c->child[0].local_ts.ts[j].port_end = ports[i];
		if (i == CLIENTS)
			continue;
		n->nat = nat;
		node_rebind(n);
	}
	node_start(h->hub, false);
	return h;
}

/* Each has a source port of its own, and its own address in what its checksums cover. */
static void ports_tell_them_apart(void **state)
{
	static const uint16_t ports[CLIENTS] = { 40001, 40002, 40003 };
	struct hub *h = behind_one_nat(ports);
	unsigned int i;

	(void)state;
	for (i = 0; i < CLIENTS; i++)
		node_start(h->client[i], false);
	hub_run(h, 500);
	assert_int_equal(h->hub->n_peers, CLIENTS);
	for (i = 0; i < CLIENTS; i++) {
		assert_true(hub_works(h, i));
		assert_memory_equal(&h->hub->nat_oa_remote[h->link[i]], &h->client[i]->addr,
				    sizeof(struct ike_addr));
	}
	hub_free(h);
}

/* Nothing tells packets to the second one from those to the first. */
static void one_port_is_one_clients(void **state)
{
	static const uint16_t ports[CLIENTS] = { 1701, 1701, 0 };
	struct hub *h = behind_one_nat(ports);

	(void)state;
	node_start(h->client[0], false);
	hub_run(h, 200);
	node_start(h->client[1], false);
	node_start(h->client[2], false);
	hub_run(h, 500);
	assert_true(hub_works(h, 0));
	assert_int_equal(node_count(h->hub, h->link[1], true), 0);
	assert_int_equal(node_count(h->hub, h->link[2], true), 0);
	says(error_of(h, 1), "'node2.example' asks for, which is 198.51.100.7/32:udp:1701");
	says(error_of(h, 1), "both come from one address");
	says(error_of(h, 1), "the remote side of Selectors=");
	says(error_of(h, 2), "client 'node1.example' has some of what 'node3.example' asks for");
	says(h->client[1]->log, "TS_UNACCEPTABLE");
	/* the first one goes, and leaves it to another */
	ike_core_down(h->client[0]->core, "t1", h->w.now);
	ike_core_down(h->client[2]->core, "t3", h->w.now);
	hub_run(h, 200000);
	assert_true(hub_works(h, 1));
	hub_free(h);
}

/* A client in tunnel mode, elsewhere, has a network that holds the address of one in transport mode. */
static void a_network_holds_anothers_address(void **state)
{
	static const struct ike_ts net = { .family = 4,
					   .port_end = 65535,
					   .start = { 198, 51, 100 },
					   .end = { 198, 51, 100, 255 } };
	static const uint16_t ports[CLIENTS] = { 1701, 1701 };
	struct hub *h = behind_one_nat(ports);
	struct ike_tunnel_conf *c = &h->hub->conf[h->tunnel];
	struct ike_child_conf *nets[2] = { &c->child[1], &h->client[0]->conf[h->link[0]].child[0] };
	unsigned int i;

	(void)state;
	c->n_child = 2;
	c->child[1] = c->child[0];
	memcpy(c->child[0].name, "gre", 4);
	memcpy(c->child[1].name, "nets", 5);
	for (i = 0; i < 2; i++) {
		nets[i]->mode = IKE_MODE_TUNNEL;
		nets[i]->local_ts.n = nets[i]->remote_ts.n = 1;
		nets[i]->local_ts.ts[0] = nets[i]->remote_ts.ts[0] = net;
	}
	assert_int_equal(ike_core_tunnel_change(h->hub->core, c, false, h->w.now), 0);
	h->client[0]->nat = (struct ike_addr){ 4, { 203, 0, 113, 9 } };
	node_rebind(h->client[0]);
	node_start(h->client[0], false);
	hub_run(h, 200);
	assert_int_equal(node_count(h->hub, h->link[0], true), 1);
	node_start(h->client[1], false);
	hub_run(h, 500);
	assert_int_equal(node_count(h->hub, h->link[1], true), 0);
	says(error_of(h, 1), "client 'node1.example' has some of what 'node2.example' asks for");
	says(error_of(h, 1), "give each client addresses of its own");
	hub_free(h);
}

/* Who asks for what another has makes that one show that it lives, also where Liveness= does not. */
static void a_dead_one_gives_way(void **state)
{
	static const uint16_t ports[CLIENTS] = { 1701, 1701 };
	struct hub *h = behind_one_nat(ports);

	(void)state;
	h->hub->conf[h->tunnel].liveness = 0;
	assert_int_equal(
		ike_core_tunnel_change(h->hub->core, &h->hub->conf[h->tunnel], false, h->w.now), 0);
	node_start(h->client[0], false);
	hub_run(h, 200);
	assert_true(hub_works(h, 0));
	node_crash(h->client[0]);
	hub_run(h, 400000);
	assert_int_equal(h->hub->n_peers, 1);
	node_start(h->client[1], false);
	hub_run(h, 400000);
	assert_true(hub_works(h, 1));
	assert_int_equal(h->hub->n_peers, 1);
	hub_free(h);
}

/* Two clients of which the second shows the first one's identity, from another address. */
static struct hub *twice(enum ike_unique unique)
{
	struct hub *h = hub_new(10, 0);

	h->hub->conf[h->tunnel].unique = unique;
	rename_client(h->client[1], h->link[1], "node1.example");
	node_start(h->hub, false);
	node_start(h->client[0], false);
	hub_run(h, 200);
	assert_true(hub_works(h, 0));
	return h;
}

static unsigned int ike_sas(const struct hub *h)
{
	return node_stats(h->hub).ike_sas;
}

static void the_newest_replaces(void **state)
{
	struct hub *h = twice(IKE_UNIQUE_REPLACE);

	(void)state;
	node_kill(h->client[0]); /* no answer, and no DELETE */
	node_start(h->client[1], false);
	hub_run(h, 300);
	assert_int_equal(h->hub->n_peers, 1);
	hub_run(h, 6000);
	assert_int_equal(ike_sas(h), 1);
	assert_int_equal(node_status(h->client[1], h->link[1]).state, IKE_TUNNEL_UP);
	assert_int_equal(h->hub->n_peers, 1);
	hub_free(h);
}

/* Both live, and the newer one does not say INITIAL_CONTACT: the older is told to go. */
static void the_older_is_told(void **state)
{
	struct hub *h = twice(IKE_UNIQUE_REPLACE);
	struct ike_status was = node_status(h->client[0], h->link[0]), is;
	const struct ike_adopted former = { .peer = IKE_PEER_FIRST, .until = UINT64_MAX };

	(void)state;
	node_start(h->client[1], false);
	ike_core_adopt(h->client[1]->core, h->client[1]->conf[h->link[1]].name, &former);
	hub_run(h, 1000);
	assert_int_equal(ike_sas(h), 2);
	is = node_status(h->client[0], h->link[0]);
	assert_memory_equal(is.spi_i, was.spi_i, IKE_SPI_LEN);
	hub_run(h, 5000);
	is = node_status(h->client[0], h->link[0]);
	assert_memory_not_equal(is.spi_i, was.spi_i, IKE_SPI_LEN);
	assert_int_equal(h->hub->n_peers, 1);
	hub_free(h);
}

static void kept_while_it_answers(void **state)
{
	struct hub *h = twice(IKE_UNIQUE_REFUSE);

	(void)state;
	node_start(h->client[1], false);
	hub_run(h, 3000);
	assert_true(hub_works(h, 0));
	assert_int_equal(ike_sas(h), 1);
	says(error_of(h, 0), "Unique= keeps that one while it answers");
	says(h->client[1]->log, "AUTHENTICATION_FAILED");
	/* it answers no longer */
	node_crash(h->client[0]);
	hub_run(h, 200000);
	assert_int_equal(ike_sas(h), 1);
	assert_int_equal(node_status(h->client[1], h->link[1]).state, IKE_TUNNEL_UP);
	hub_free(h);
}

/* Our own agent says INITIAL_CONTACT when it begins. */
static void initial_contact_ends_the_one_kept(void **state)
{
	struct hub *h = twice(IKE_UNIQUE_KEEP);

	(void)state;
	node_kill(h->client[0]);
	node_start(h->client[1], false);
	hub_run(h, 10000);
	assert_int_equal(ike_sas(h), 1);
	assert_int_equal(node_status(h->client[1], h->link[1]).state, IKE_TUNNEL_UP);
	hub_free(h);
}

static void initial_contact_is_for_its_identity(void **state)
{
	struct hub *h = hub_up(10, 2);

	(void)state;
	node_start(h->client[2], false); /* with INITIAL_CONTACT */
	hub_run(h, 10000);
	assert_int_equal(ike_sas(h), 3);
	assert_true(hub_works(h, 0) && hub_works(h, 1) && hub_works(h, 2));
	hub_free(h);
}

static void an_identity_is_the_same_in_capitals(void **state)
{
	struct hub *h = twice(IKE_UNIQUE_REPLACE);

	(void)state;
	node_kill(h->client[0]);
	rename_client(h->client[1], h->link[1], "NODE1.Example");
	node_start(h->client[1], false);
	hub_run(h, 300);
	assert_int_equal(h->hub->n_peers, 1);
	hub_free(h);
}

static void a_restart_replaces_its_own(void **state)
{
	struct hub *h = hub_up(10, 2);
	uint32_t n = client_number(&h->w, h->link[0]);

	(void)state;
	node_crash(h->client[0]);
	node_start(h->client[0], false);
	hub_run(h, 10000);
	assert_true(hub_works(h, 0));
	assert_int_equal(client_number(&h->w, h->link[0]), n);
	assert_int_equal(ike_sas(h), 2);
	assert_int_equal(node_count(h->hub, h->link[0], true), 1);
	hub_free(h);
}

static void another_identity_is_another_client(void **state)
{
	struct hub *h = hub_up(10, 2);
	uint32_t n = client_number(&h->w, h->link[0]);

	(void)state;
	ike_core_down(h->client[0]->core, "t1", h->w.now);
	hub_run(h, 12000);
	node_kill(h->client[0]);
	rename_client(h->client[0], h->link[0], "other.example");
	node_start(h->client[0], false);
	hub_run(h, 300);
	assert_true(hub_works(h, 0));
	assert_true(client_number(&h->w, h->link[0]) != n);
	assert_int_equal(h->hub->n_peers, 2);
	hub_free(h);
}

static void rekeying_stays_with_the_client(void **state)
{
	struct hub *h = hub_new(10, 0);
	unsigned int i;

	(void)state;
	for (i = 0; i < CLIENTS; i++)
		h->client[i]->conf[h->link[i]].rekey_ike = 30;
	h->hub->conf[h->tunnel].rekey_child = 20;
	node_start(h->hub, false);
	for (i = 0; i < CLIENTS; i++)
		node_start(h->client[i], false);
	hub_run(h, 200000);
	assert_int_equal(h->hub->n_peers, CLIENTS);
	assert_int_equal(h->hub->state[h->tunnel], IKE_TUNNEL_UP);
	for (i = 0; i < CLIENTS; i++)
		assert_true(hub_works(h, i));
	hub_free(h);
}

/*
 * They come, go, crash and are rekeyed at any time, and messages get lost: the world checks that no
 * two get the same traffic, that no number is given twice and no peer goes before its SAs.
 */
static void coming_and_going(unsigned int seed)
{
	struct hub *h = hub_new(10, 0);
	struct rnd rnd = { .s = seed };
	unsigned int i;

	h->w.loss = 20;
	h->w.duplicate = 10;
	h->w.delay_max = 300;
	h->hub->conf[h->tunnel].rekey_child = 15;
	h->hub->conf[h->tunnel].rekey_ike = 40;
	node_start(h->hub, false);
	for (i = 0; i < 60; i++) {
		struct node *n = h->client[rnd_below(&rnd, CLIENTS)];

		if (!n->core)
			node_start(n, rnd_chance(&rnd, 50));
		else if (rnd_chance(&rnd, 30))
			node_kill(n);
		else if (rnd_chance(&rnd, 30))
			node_crash(n);
		else if (rnd_chance(&rnd, 10))
			ike_core_expire(h->hub->core, "t0", 2 + (uint32_t)rnd_below(&rnd, 8),
					h->hub->n_sa ? h->hub->sa[0].spi : 1000, false,
					IKE_EXPIRE_HARD, h->w.now);
		hub_run(h, rnd_below(&rnd, 8000));
	}
	h->w.loss = 0;
	for (i = 0; i < CLIENTS; i++) {
		if (!h->client[i]->core)
			node_start(h->client[i], true);
	}
	hub_run(h, 150000);
	assert_int_equal(h->hub->n_peers, CLIENTS);
	for (i = 0; i < CLIENTS; i++) {
		assert_true(hub_works(h, i));
		node_crash(h->client[i]);
	}
	hub_run(h, 250000);
	all_gone(h);
	hub_free(h);
}

static void any_order(void **state)
{
	unsigned int seed;

	(void)state;
	for (seed = 1; seed <= 8; seed++)
		coming_and_going(seed);
}

static void two_behind_one_nat(void **state)
{
	struct hub *h = hub_new(10, 0);
	struct node *a, *b;
	unsigned int la, lb;

	(void)state;
	a = world_node_nat(&h->w);
	la = world_client(&h->w, a, h->tunnel);
	b = world_node_nat(&h->w);
	lb = world_client(&h->w, b, h->tunnel);
	b->nat = a->nat;
	node_start(h->hub, false);
	node_start(a, false);
	node_start(b, false);
	hub_run(h, 300);
	assert_int_equal(h->hub->n_peers, 2);
	assert_true(direction_works(a, h->hub, la) && direction_works(h->hub, b, lb));
	assert_true(ike_addr_eq(&h->hub->remote[la].addr, &h->hub->remote[lb].addr));
	assert_int_not_equal(h->hub->remote[la].port, h->hub->remote[lb].port);
	hub_free(h);
}

/* Its proof comes from a port that leads to nobody any more. */
static void a_nat_changes_while_one_comes(void **state)
{
	struct hub *h = hub_new(10, 0);
	struct node *n = world_node_nat(&h->w);
	unsigned int link = world_client(&h->w, n, h->tunnel);
	struct hold *proof = world_hold(&h->w, n, IKE_AUTH, false, 0);

	(void)state;
	h->w.traffic = true;
	node_start(h->hub, false);
	node_start(n, false);
	assert_true(world_await(&h->w, proof, 300));
	node_rebind(n);
	world_release(&h->w, proof);
	hub_run(h, 5000);
	assert_int_equal(h->hub->n_peers, 1);
	assert_true(direction_works(n, h->hub, link) && direction_works(h->hub, n, link));
	assert_true(esp_leads(h->hub, n, link));
	hub_free(h);
}

static void one_that_moves(void **state)
{
	struct hub *h = hub_up(10, 2);
	uint32_t n = client_number(&h->w, h->link[0]);
	struct ike_endpoint to = { { 4, { 203, 0, 113, 9 } }, 4500 };
	struct ike_status s;

	(void)state;
	ike_core_peer_moved(h->hub->core, "t0", n, &to, h->w.now);
	assert_int_equal(ike_core_peer_status(h->hub->core, "t0", n, &s), 0);
	assert_true(ike_endpoint_eq(&s.remote, &to));
	n = client_number(&h->w, h->link[1]);
	assert_int_equal(ike_core_peer_status(h->hub->core, "t0", n, &s), 0);
	assert_false(ike_endpoint_eq(&s.remote, &to));
	/* one that is not there */
	ike_core_peer_moved(h->hub->core, "t0", 60, &to, h->w.now);
	ike_core_expire(h->hub->core, "t0", 60, 1000, true, IKE_EXPIRE_HARD, h->w.now);
	hub_free(h);
}

static void an_end_of_sas_is_its_own(void **state)
{
	struct hub *h = hub_up(10, 2);
	uint32_t spi = node_out(h->hub, h->link[0])->spi;

	(void)state;
	ike_core_expire(h->hub->core, "t0", client_number(&h->w, h->link[1]), spi, false,
			IKE_EXPIRE_HARD, h->w.now);
	hub_run(h, 500);
	assert_int_equal(node_out(h->hub, h->link[0])->spi, spi);
	ike_core_expire(h->hub->core, "t0", client_number(&h->w, h->link[0]), spi, false,
			IKE_EXPIRE_SOFT, h->w.now);
	hub_run(h, 500);
	assert_true(hub_works(h, 0) && hub_works(h, 1));
	assert_int_not_equal(node_out(h->hub, h->link[0])->spi, spi);
	hub_free(h);
}

static void no_peer_in_the_kernel(void **state)
{
	struct hub *h = hub_new(10, 0);

	(void)state;
	h->hub->fail_peers = 1;
	node_start(h->hub, false);
	node_start(h->client[0], false);
	hub_run(h, 100);
	assert_int_equal(ike_sas(h), 0);
	says(node_status(h->hub, h->tunnel).last_error, "no peer can be made for it");
	hub_run(h, 5000); /* the next attempt */
	assert_true(hub_works(h, 0));
	hub_free(h);
}

/* A former agent's clients: their SAs work on, and are replaced when they come back. */
static void after_a_restart(void **state)
{
	struct hub *h = hub_up(10, 2);
	uint32_t n[2] = { client_number(&h->w, h->link[0]), client_number(&h->w, h->link[1]) };
	unsigned int i;

	(void)state;
	node_kill(h->hub);
	node_start(h->hub, true);
	assert_int_equal(h->hub->state[h->tunnel], IKE_TUNNEL_UP);
	assert_true(hub_works(h, 0) && hub_works(h, 1));
	node_crash(h->client[1]);
	hub_run(h, 300000);
	assert_true(hub_works(h, 0));
	assert_int_equal(client_number(&h->w, h->link[0]), n[0]);
	assert_int_equal(node_count(h->hub, h->link[0], true), 1);
	assert_int_equal(h->hub->n_peers, 1); /* the other one is given up */
	for (i = 0; i < h->hub->n_sa; i++)
		assert_int_equal(h->hub->sa[i].link, h->link[0]);
	(void)n[1];
	hub_free(h);
}

/* What sends all the time but never comes back: its SAs are no former agent's, or it forgot ours. */
static void adopted_for_a_time(void **state)
{
	struct hub *h = hub_up(10, 2);
	unsigned int i;

	(void)state;
	node_kill(h->hub);
	node_kill(h->client[0]);
	h->hub->adopts_for = 200000;
	node_start(h->hub, true);
	for (i = 0; i < 19; i++) {
		h->hub->last_rx[h->link[0]] = h->w.now;
		hub_run(h, 10000);
		assert_int_equal(node_count(h->hub, h->link[0], true), 1);
	}
	h->hub->last_rx[h->link[0]] = h->w.now;
	hub_run(h, 11000);
	assert_int_equal(node_count(h->hub, h->link[0], true), 0);
	assert_int_equal(client_number(&h->w, h->link[0]), 0);
	assert_true(hub_works(h, 1)); /* it came back */
	hub_free(h);
}

/* One client is sent away, for its key was taken out: known by its IKE SA, or only to the kernel. */
static void one_is_sent_away(void **state)
{
	unsigned int adopted;

	(void)state;
	for (adopted = 0; adopted < 2; adopted++) {
		struct hub *h = hub_up(10, 2);
		uint32_t n = client_number(&h->w, h->link[0]);
		struct ike_status s;

		if (adopted) {
			node_kill(h->hub);
			node_start(h->hub, true);
		}
		assert_int_equal(ike_core_peer_status(h->hub->core, "t0", n, &s), 0);
		assert_int_equal(s.have_ike, !adopted);
		assert_memory_equal(s.remote_id.data, "node1.example", s.remote_id.len);
		node_crash(h->client[0]); /* it does not come back */
		assert_int_equal(ike_core_client_down(h->hub->core, "t0", n, h->w.now), 0);
		hub_run(h, 20000);
		assert_int_equal(ike_core_client_down(h->hub->core, "t0", n, h->w.now), -ENOENT);
		assert_int_equal(ike_core_client_down(h->hub->core, "t0", IKE_PEER_FIRST, h->w.now),
				 -ENOENT);
		assert_int_equal(h->hub->n_peers, 1);
		assert_int_equal(node_count(h->hub, h->link[0], true), 0);
		assert_true(hub_works(h, 1));
		hub_free(h);
	}
}

/*
 * A client that comes back from elsewhere is the one it was, by what the kernel keeps of it: it gets
 * its selectors at once, and its old pair goes. Without that somebody else seems to have them.
 */
static void back_from_elsewhere(void **state)
{
	unsigned int unknown;

	(void)state;
	for (unknown = 0; unknown < 2; unknown++) {
		struct hub *h = hub_new(10, 0);
		uint32_t n;

		h->hub->keeps_no_ids = unknown;
		node_start(h->hub, false);
		node_start(h->client[0], false);
		node_start(h->client[1], false);
		hub_run(h, 500);
		n = client_number(&h->w, h->link[0]);
		node_kill(h->hub);
		node_crash(h->client[0]);
		node_start(h->hub, true);
		h->client[0]->addr.b[3] = 222;
		node_start(h->client[0], false);
		hub_run(h, 1000);
		assert_int_equal(h->hub->n_peers, unknown ? 3 : 2);
		assert_int_equal(hub_works(h, 0), !unknown);
		if (unknown)
			says(h->hub->log,
			     "a client that did not come back since esptund started has some of what 'node1.example'");
		if (!unknown) {
			assert_int_equal(client_number(&h->w, h->link[0]), n);
			hub_run(h, PEER_ADOPTED_MS);
			assert_int_equal(node_count(h->hub, h->link[0], true), 1);
		}
		assert_true(hub_works(h, 1));
		hub_free(h);
	}
}

/* Nobody gets the addresses of one that has not come back, until it is given up. */
static void addresses_wait_for_their_client(void **state)
{
	struct hub *h = hub_up(10, 2);

	(void)state;
	memcpy(h->client[2]->conf[h->link[2]].child[0].local_ts.ts,
	       h->client[0]->conf[h->link[0]].child[0].local_ts.ts, sizeof(struct ike_ts));
	node_kill(h->hub);
	node_crash(h->client[0]);
	node_start(h->hub, true);
	node_start(h->client[2], false);
	hub_run(h, 1000);
	says(h->client[2]->log, "TS_UNACCEPTABLE");
	says(error_of(h, 2), "client 'node1.example' has some of what 'node3.example'");
	assert_true(hub_works(h, 1));
	assert_int_equal(node_count(h->hub, h->link[0], true), 1);
	assert_int_equal(node_count(h->hub, h->link[2], true), 0);
	hub_run(h, 250000);
	assert_true(hub_works(h, 2));
	assert_int_equal(node_count(h->hub, h->link[0], true), 0);
	hub_free(h);
}

/*
 * A client of the key sends its IKE_AUTH as from where the SAs of another one lead, which did not come
 * back yet: it does not become that one.
 */
static void no_one_becomes_another_by_its_address(void **state)
{
	unsigned int strays;

	(void)state;
	for (strays = 0; strays < 2; strays++) {
		struct hub *h = hub_up(10, 1);
		uint32_t n = client_number(&h->w, h->link[0]);
		const struct ike_peer *p;
		struct ike_sa *half_open;
		unsigned int count = 0;

		memset(h->hub->peer_id, 0, sizeof(h->hub->peer_id)); /* of an older module */
		node_kill(h->hub);
		node_crash(h->client[0]);
		node_start(h->hub, true);
		h->client[1]->addr = h->client[0]->addr;
		h->client[0]->addr.b[3] = 222;
		node_start(h->client[1], false);
		hub_run(h, 25);
		half_open = ikesa_find(
			&h->hub->core->sas,
			TAILQ_FIRST(&TAILQ_FIRST(&h->client[1]->core->peers)->sas)->spi_r, false);
		assert_int_equal(half_open->state, IKESA_HALF_OPEN);
		/* As if its IKE_SA_INIT had come from elsewhere. */
		if (strays)
			half_open->remote.addr.b[3] = 223;
		hub_run(h, 500);
		TAILQ_FOREACH(p, &TAILQ_FIRST(&h->hub->core->peers)->tunnel->clients, of_tunnel)
		{
			count++;
			assert_int_equal(p->proven.type != 0, p->id != n || !strays);
		}
		assert_int_equal(count, strays ? 2 : 1);
		hub_free(h);
	}
}

static void one_client_is_a_peer_as_ever(void **state)
{
	struct hub *h = hub_new(1, 0);

	(void)state;
	node_start(h->hub, false);
	node_start(h->client[0], false);
	hub_run(h, 200);
	node_start(h->client[1], false);
	hub_run(h, 200);
	assert_int_equal(h->hub->n_peers, 0);
	assert_int_equal(ike_sas(h), 1);
	says(node_status(h->hub, h->tunnel).last_error, "has room for one peer");
	hub_free(h);
}

static void insane_configurations(void **state)
{
	struct hub *h = hub_new(10, 0);
	struct ike_tunnel_conf c = h->hub->conf[0];

	(void)state;
	node_start(h->hub, false);
	snprintf(c.name, sizeof(c.name), "t9");
	c.remote = (struct ike_endpoint){ { 4, { 192, 0, 2, 9 } }, 500 };
	assert_true(ike_core_tunnel_add(h->hub->core, &c) < 0);
	memset(&c.remote, 0, sizeof(c.remote));
	c.clients = IKE_MAX_CLIENTS + 1;
	assert_true(ike_core_tunnel_add(h->hub->core, &c) < 0);
	c.clients = IKE_MAX_CLIENTS;
	assert_int_equal(ike_core_tunnel_add(h->hub->core, &c), 0);
	hub_free(h);
}

static void wildcards(void **state)
{
	static const struct {
		const char *want, *id;
		bool matches;
	} rows[] = {
		{ "*.example.org", "a.example.org", true },
		{ "*.example.org", "a.b.example.org", true },
		{ "*.example.org", "A.EXAMPLE.org", true },
		{ "*.example.org", "example.org", false },
		{ "*.example.org", ".example.org", false },
		{ "*.example.org", "badexample.org", false },
		{ "*.example.org", "a.example.org.evil", false },
		{ "*.example.org", "a@x.example.org", false },
		{ "*@example.org", "a@example.org", true },
		{ "*@example.org", "a@EXAMPLE.org", true },
		{ "*@example.org", "a@b.example.org", false },
		{ "*@example.org", "a.example.org", false },
		{ "a.example.org", "a.example.org", true },
	};
	char err[160];
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ike_id want = { 0 }, id = { 0 };

		assert_int_equal(ike_id_from_text(rows[i].want, &want, err, sizeof(err)), 0);
		if (ike_id_from_text(rows[i].id, &id, err, sizeof(err))) { /* from the network */
			id.type = IKE_ID_FQDN;
			id.len = (uint16_t)strlen(rows[i].id);
			memcpy(id.data, rows[i].id, id.len);
		}
		if (ike_id_matches(&id, &want) != rows[i].matches)
			fail_msg("%s for %s", rows[i].id, rows[i].want);
	}
}

/* ---- changes of address (RFC 4555) ------------------------------------------- */

static const struct ike_addr elsewhere = { 4, { 192, 0, 2, 77 } };

/* Where the kernels of both ends send ESP of the client to, and from which address of the hub. */
static bool flows(const struct hub *h, unsigned int i)
{
	unsigned int link = h->link[i];

	return hub_works(h, i) && ike_addr_eq(&h->hub->remote[link].addr, &h->client[i]->addr) &&
	       ike_addr_eq(&h->client[i]->remote[link].addr, &h->hub->addr) &&
	       ike_addr_eq(&h->hub->local[link], &h->hub->addr);
}

static struct ike_sa *sa_of(const struct hub *h, unsigned int i)
{
	return TAILQ_FIRST(&lookup_peer(h->hub->core, "t0", client_number(&h->w, h->link[i]))->sas);
}

static void a_client_moves_alone(void **state)
{
	struct hub *h = hub_up(10, CLIENTS);
	struct ike_endpoint at[2] = { h->hub->remote[h->link[0]], h->hub->remote[h->link[2]] };
	uint32_t n = client_number(&h->w, h->link[1]);
	struct ike_status was = node_status(h->client[1], h->link[1]);

	(void)state;
	node_move(h->client[1], &elsewhere, NULL);
	hub_run(h, 500);
	assert_true(flows(h, 0) && flows(h, 1) && flows(h, 2));
	assert_true(ike_endpoint_eq(&at[0], &h->hub->remote[h->link[0]]));
	assert_true(ike_endpoint_eq(&at[1], &h->hub->remote[h->link[2]]));
	assert_int_equal(client_number(&h->w, h->link[1]), n);
	assert_memory_equal(node_status(h->client[1], h->link[1]).spi_i, was.spi_i, IKE_SPI_LEN);
	assert_int_equal(node_stats(h->hub).updates, 1);
	assert_int_equal(ike_sas(h), CLIENTS);
	hub_free(h);
}

/* All of them follow the hub, under the IKE SAs there are, and hear which addresses it has. */
static void the_hub_moves(void **state)
{
	struct hub *h = hub_up(10, CLIENTS);
	struct ike_addr ours[] = { h->hub->addr, elsewhere };
	struct ike_status was[CLIENTS];
	unsigned int i;

	(void)state;
	for (i = 0; i < CLIENTS; i++)
		was[i] = node_status(h->client[i], h->link[i]);
	h->hub->more = elsewhere;
	ike_core_addresses(h->hub->core, "t0", ours, 2, h->w.now);
	hub_run(h, 200);
	for (i = 0; i < CLIENTS; i++)
		assert_int_equal(node_sa(h->client[i])->mobike.n_theirs, 1);
	ike_core_addresses(h->hub->core, "t0", &elsewhere, 1, h->w.now);
	node_move(h->hub, &elsewhere, NULL);
	hub_run(h, 1000);
	for (i = 0; i < CLIENTS; i++) {
		assert_true(flows(h, i));
		assert_memory_equal(node_status(h->client[i], h->link[i]).spi_i, was[i].spi_i,
				    IKE_SPI_LEN);
		assert_int_equal(node_sa(h->client[i])->mobike.n_theirs, 0);
	}
	assert_int_equal(ike_sas(h), CLIENTS);
	hub_free(h);
}

/* Without MOBIKE the hub has nowhere to begin, so it keeps what it has, and clients follow. */
static void the_hub_moves_without(void **state)
{
	struct hub *h = hub_new(10, 0);
	unsigned int i;

	(void)state;
	h->hub->conf[h->tunnel].mobike = false;
	node_start(h->hub, false);
	for (i = 0; i < CLIENTS; i++)
		node_start(h->client[i], false);
	hub_run(h, 200);
	node_move(h->hub, &elsewhere, NULL);
	hub_run(h, 20000);
	for (i = 0; i < CLIENTS; i++) {
		assert_true(flows(h, i));
		assert_false(sa_of(h, i)->replaced);
	}
	assert_int_equal(ike_sas(h), CLIENTS);
	hub_free(h);
}

/* A client claims to be where another one is: nobody answers for it there, and no other moves. */
static void a_client_claims_anothers_place(void **state)
{
	struct hub *h = hub_up(10, CLIENTS);
	struct ike_endpoint at = h->hub->remote[h->link[0]];
	struct hold *update = world_hold(&h->w, h->client[0], IKE_INFORMATIONAL, false, 0);

	(void)state;
	node_move(h->client[0], &elsewhere, NULL);
	assert_true(world_await(&h->w, update, 100));
	update->from_outside = h->hub->remote[h->link[1]];
	h->client[0]->dark[0] = true;
	world_release(&h->w, update);
	hub_run(h, 100);
	assert_true(ike_endpoint_eq(&sa_of(h, 0)->remote, &h->hub->remote[h->link[1]]));
	assert_true(ike_endpoint_eq(&at, &h->hub->remote[h->link[0]]));
	assert_true(flows(h, 1) && flows(h, 2));
	h->client[0]->dark[0] = false;
	hub_run(h, 60000);
	assert_true(flows(h, 0) && flows(h, 1) && flows(h, 2));
	assert_int_equal(h->hub->n_peers, CLIENTS);
	hub_free(h);
}

/* A client whose IKE SA is not over yet when the tunnel is used again. */
static void down_and_up_at_once(void **state)
{
	struct hub *h = hub_up(10, 1);
	uint32_t n = client_number(&h->w, h->link[0]);
	struct ike_status s;

	(void)state;
	node_crash(h->client[0]); /* so that nobody answers the DELETE */
	ike_core_down(h->hub->core, "t0", h->w.now);
	ike_core_up(h->hub->core, "t0", h->w.now);
	node_start(h->client[0], false);
	hub_run(h, 300);
	assert_true(hub_works(h, 0));
	assert_int_equal(client_number(&h->w, h->link[0]), n);
	assert_int_equal(ike_core_peer_status(h->hub->core, "t0", n, &s), 0);
	assert_int_equal(s.state, IKE_TUNNEL_UP);
	assert_int_equal(h->hub->state[h->tunnel], IKE_TUNNEL_UP);
	hub_free(h);
}

/* Another program removes a client's peer, with its SAs, while its IKE SA is up. */
static void its_peer_is_removed(void **state)
{
	struct hub *h = hub_up(10, 1);
	uint32_t n = client_number(&h->w, h->link[0]);

	(void)state;
	h->hub->n_sa = 0;
	h->hub->has_peer[n] = false;
	h->hub->n_peers--;
	node_crash(h->client[0]);
	node_start(h->client[0], false);
	hub_run(h, 300);
	assert_int_equal(client_number(&h->w, h->link[0]), n);
	assert_true(h->hub->has_peer[n]);
	assert_true(hub_works(h, 0));
	hub_free(h);
}

/* How many tunnels and clients a stranger has us look at. */
static uint64_t looked_at(unsigned int clients)
{
	struct hub *h = hub_up(10, clients);
	uint64_t before = node_stats(h->hub).visited;

	rename_client(h->client[2], h->link[2], "node3.elsewhere");
	node_start(h->client[2], false);
	hub_run(h, 500);
	says(h->client[2]->log, "AUTHENTICATION_FAILED");
	before = node_stats(h->hub).visited - before;
	hub_free(h);
	return before;
}

static void a_stranger_sees_no_client(void **state)
{
	(void)state;
	assert_int_equal(looked_at(0), looked_at(2));
}

/* ---- keys of their own ------------------------------------------------------- */

static struct client_keys hub_keys;
static unsigned int looked_for;

/* The hub's keys, as the agent has them. */
static const uint8_t *find_hub_key(void *ctx, const struct ike_job *job, unsigned int i,
				   size_t *len)
{
	const struct client_key *k = client_keys_find(hub_keys.v, hub_keys.n, job->peer);
	const struct node *n = ctx;

	assert_string_equal(job->tunnels[i], "t0");
	looked_for++;
	*len = k ? k->len : n->psk_len[0];
	return k ? k->key : n->psk[0];
}

static void give_key(const char *id, const char *key)
{
	struct client_key *k = client_keys_add(&hub_keys);
	char err[160];

	assert_non_null(k);
	assert_int_equal(ike_id_from_text(id, &k->id, err, sizeof(err)), 0);
	k->len = (size_t)snprintf((char *)k->key, sizeof(k->key), "%s", key);
	assert_null(client_keys_sort(&hub_keys));
}

static void hold_key(struct hub *h, unsigned int i, const char *key)
{
	node_set_psk(h->client[i], h->link[i], key);
}

/* node1 and node2 have keys of their own, and the tunnel has one unless @alone. */
static struct hub *keys_new(bool alone)
{
	struct hub *h = hub_new(10, 0);

	client_keys_clear(&hub_keys);
	give_key("node1.example", "the key of the first");
	give_key("node2.example", "the key of the second");
	hold_key(h, 0, "the key of the first");
	hold_key(h, 1, "the key of the second");
	h->hub->find_key = find_hub_key;
	if (alone)
		h->hub->psk_len[h->tunnel] = 0;
	node_start(h->hub, false);
	return h;
}

static void keys_free(struct hub *h)
{
	client_keys_clear(&hub_keys);
	hub_free(h);
}

static void a_key_of_its_own(void **state)
{
	struct hub *h = keys_new(false);
	unsigned int i;

	(void)state;
	for (i = 0; i < CLIENTS; i++)
		node_start(h->client[i], false);
	hub_run(h, 200);
	for (i = 0; i < CLIENTS; i++)
		assert_true(hub_works(h, i));
	assert_int_equal(h->hub->n_peers, CLIENTS);
	keys_free(h);
}

/* Client @i shows @id, with the key it holds: that makes no client. */
static void shows_in_vain(struct hub *h, unsigned int i, const char *id, const char *said)
{
	rename_client(h->client[i], h->link[i], id);
	node_start(h->client[i], false);
	hub_run(h, 500);
	assert_int_equal(h->hub->n_peers, 0);
	says(h->client[i]->log, "AUTHENTICATION_FAILED");
	says(node_status(h->hub, h->tunnel).last_error, said);
	node_kill(h->client[i]);
	hub_run(h, 2000); /* until the next error is told, too */
}

static void no_one_shows_anothers_identity(void **state)
{
	struct hub *h = keys_new(false);

	(void)state;
	/* with a key of one's own, and with the tunnel's */
	shows_in_vain(h, 0, "node2.example", "'node2.example' does not hold the key");
	shows_in_vain(h, 2, "NODE1.example", "'NODE1.example' does not hold the key");
	/* one that goes by the tunnel's key is none that goes by its own */
	shows_in_vain(h, 1, "node9.example", "'node9.example' does not hold the key");
	keys_free(h);
}

static void no_key_for_it(void **state)
{
	struct hub *h = keys_new(true);

	(void)state;
	shows_in_vain(h, 2, "node3.example",
		      "no key for 'node3.example': add [Client node3.example]");
	rename_client(h->client[0], h->link[0], "node1.example");
	node_start(h->client[0], false);
	hub_run(h, 200);
	assert_true(hub_works(h, 0));
	keys_free(h);
}

static void the_nearest_wildcard(void **state)
{
	struct hub *h = keys_new(true);

	(void)state;
	give_key("*.example", "the key of all");
	give_key("*.a.example", "the key of some");
	hold_key(h, 2, "the key of all");
	shows_in_vain(h, 2, "node1.example", "does not hold the key");
	shows_in_vain(h, 2, "b.a.example", "does not hold the key");
	rename_client(h->client[2], h->link[2], "a.example");
	node_start(h->client[2], false);
	hub_run(h, 200);
	assert_true(hub_works(h, 2));
	keys_free(h);
}

/* What a stranger with @id costs, and sees. */
static void stranger(const char *id, unsigned int *calls, uint64_t *sent)
{
	struct hub *h = keys_new(true);
	uint64_t before;

	hold_key(h, 2, "some key or other");
	rename_client(h->client[2], h->link[2], id);
	looked_for = 0;
	before = node_stats(h->hub).tx;
	node_start(h->client[2], false);
	hub_run(h, 500);
	says(h->client[2]->log, "AUTHENTICATION_FAILED");
	*calls = looked_for;
	*sent = node_stats(h->hub).tx - before;
	keys_free(h);
}

static void a_stranger_learns_no_names(void **state)
{
	unsigned int calls[2];
	uint64_t sent[2];

	(void)state;
	stranger("node1.example", &calls[0], &sent[0]);
	stranger("nodeX.example", &calls[1], &sent[1]);
	assert_true(calls[0] > 0);
	assert_int_equal(calls[0], calls[1]);
	assert_int_equal(sent[0], sent[1]);
}

/* Whoever has an IKE SA keeps it; the next proof needs the new key. */
static void keys_change(void **state)
{
	struct hub *h = keys_new(true);

	(void)state;
	node_start(h->client[0], false);
	hub_run(h, 200);
	client_keys_clear(&hub_keys);
	give_key("node1.example", "another key");
	hub_run(h, 100000);
	assert_true(hub_works(h, 0));
	node_crash(h->client[0]);
	node_start(h->client[0], false);
	hub_run(h, 100);
	says(h->client[0]->log, "AUTHENTICATION_FAILED");
	keys_free(h);
}

static void many_keys(void **state)
{
	struct client_keys l = { 0 };
	struct ike_id id;
	char text[32], err[160];
	unsigned int i;

	(void)state;
	for (i = 0; i < CLIENT_KEYS_MAX; i++) {
		struct client_key *k = client_keys_add(&l);

		assert_non_null(k);
		snprintf(text, sizeof(text), "n%u.example", i * 7919 % CLIENT_KEYS_MAX);
		assert_int_equal(ike_id_from_text(text, &k->id, err, sizeof(err)), 0);
		k->len = (size_t)snprintf((char *)k->key, sizeof(k->key), "%s", text);
	}
	assert_null(client_keys_add(&l));
	assert_null(client_keys_sort(&l));
	for (i = 0; i < CLIENT_KEYS_MAX; i++) {
		const struct client_key *k;

		snprintf(text, sizeof(text), "N%u.example", i);
		assert_int_equal(ike_id_from_text(text, &id, err, sizeof(err)), 0);
		k = client_keys_find(l.v, l.n, &id);
		assert_non_null(k);
		assert_string_equal((const char *)k->key + 1, text + 1);
	}
	client_keys_clear(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_has_its_own),
		cmocka_unit_test(one_is_sent_away),
		cmocka_unit_test(adopted_for_a_time),
		cmocka_unit_test(back_from_elsewhere),
		cmocka_unit_test(addresses_wait_for_their_client),
		cmocka_unit_test(no_one_becomes_another_by_its_address),
		cmocka_unit_test(down_and_up_at_once),
		cmocka_unit_test(its_peer_is_removed),
		cmocka_unit_test(a_stranger_sees_no_client),
		cmocka_unit_test(a_key_of_its_own),
		cmocka_unit_test(no_one_shows_anothers_identity),
		cmocka_unit_test(no_key_for_it),
		cmocka_unit_test(the_nearest_wildcard),
		cmocka_unit_test(a_stranger_learns_no_names),
		cmocka_unit_test(keys_change),
		cmocka_unit_test(many_keys),
		cmocka_unit_test(a_stranger_makes_none),
		cmocka_unit_test(no_more_than_the_limit),
		cmocka_unit_test(one_goes_and_all_of_it),
		cmocka_unit_test(a_dead_one_goes),
		cmocka_unit_test(down_and_up_again),
		cmocka_unit_test(forgotten_at_once),
		cmocka_unit_test(no_one_gets_anothers_traffic),
		cmocka_unit_test(ports_tell_them_apart),
		cmocka_unit_test(one_port_is_one_clients),
		cmocka_unit_test(a_network_holds_anothers_address),
		cmocka_unit_test(a_dead_one_gives_way),
		cmocka_unit_test(the_newest_replaces),
		cmocka_unit_test(the_older_is_told),
		cmocka_unit_test(kept_while_it_answers),
		cmocka_unit_test(initial_contact_ends_the_one_kept),
		cmocka_unit_test(initial_contact_is_for_its_identity),
		cmocka_unit_test(an_identity_is_the_same_in_capitals),
		cmocka_unit_test(a_restart_replaces_its_own),
		cmocka_unit_test(another_identity_is_another_client),
		cmocka_unit_test(rekeying_stays_with_the_client),
		cmocka_unit_test(a_client_moves_alone),
		cmocka_unit_test(the_hub_moves),
		cmocka_unit_test(the_hub_moves_without),
		cmocka_unit_test(a_client_claims_anothers_place),
		cmocka_unit_test(any_order),
		cmocka_unit_test(two_behind_one_nat),
		cmocka_unit_test(a_nat_changes_while_one_comes),
		cmocka_unit_test(one_that_moves),
		cmocka_unit_test(an_end_of_sas_is_its_own),
		cmocka_unit_test(no_peer_in_the_kernel),
		cmocka_unit_test(after_a_restart),
		cmocka_unit_test(one_client_is_a_peer_as_ever),
		cmocka_unit_test(insane_configurations),
		cmocka_unit_test(wildcards),
	};

	return cmocka_run_group_tests_name("core_clients", tests, NULL, NULL);
}
