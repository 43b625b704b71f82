// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The configuration payload between two cores: clients of a hub get their addresses from its pool, keep
 * them, and get no others; what vendors ask for, and what the wrong ones do.
 */
#include "core_hub.h"
#include "ike/proto/cp.h"

#include <errno.h>
#include <string.h>

static struct hub *hub_up(unsigned int pool_size, unsigned int clients)
{
	struct hub *h = hub_new(10, pool_size);
	unsigned int i;

	node_start(h->hub, false);
	for (i = 0; i < clients; i++) {
		node_start(h->client[i], false);
		hub_run(h, 200);
		assert_true(hub_works(h, i));
	}
	return h;
}

/* The last byte of the address that client @i has, as it sees it. */
static unsigned int address_of(const struct hub *h, unsigned int i)
{
	return h->client[i]->settings[h->link[i]].address[0].b[3];
}

static struct ike_status status_of(const struct hub *h, unsigned int i)
{
	uint32_t n = client_number(&h->w, h->link[i]);
	struct ike_status s;

	assert_int_not_equal(n, 0);
	assert_int_equal(ike_core_peer_status(h->hub->core, "t0", n, &s), 0);
	return s;
}

static void says(const char *error, const char *words)
{
	if (!strstr(error, words))
		fail_msg("\"%s\" is not in: %s", words, error);
}

/* How often does client 0 begin an IKE SA in a minute? */
static unsigned int attempts(struct hub *h)
{
	struct ike_core_stats before = node_stats(h->hub), after;

	hub_run(h, 60000);
	after = node_stats(h->hub);
	return (unsigned int)(after.key_exchanges - before.key_exchanges);
}

/* The address comes by IKE_AUTH, the child that needs it by CREATE_CHILD_SA (RFC 6023). */
static void an_address_without_a_child(void **state)
{
	struct hub *h = hub_new(10, 200);

	(void)state;
	node_start(h->hub, false);
	node_start(h->client[0], false);
	TAILQ_FIRST(&h->client[0]->core->peers)->childless = true;
	hub_run(h, 1000);
	assert_true(hub_works(h, 0));
	assert_int_equal(address_of(h, 0), 1);
	hub_free(h);
}

static void each_gets_an_address(void **state)
{
	struct hub *h = hub_up(200, CLIENTS);
	unsigned int i;

	(void)state;
	for (i = 0; i < CLIENTS; i++) {
		const struct ike_cp *cp = &h->client[i]->settings[h->link[i]];
		struct ike_status s = status_of(h, i);

		assert_int_equal(address_of(h, i), i + 1);
		assert_int_equal(cp->address[1].family, 6);
		assert_int_equal(cp->address[1].b[15], i + 1);
		assert_int_equal(cp->n_servers, 1);
		assert_int_equal(cp->server[0].b[3], 53);
		assert_string_equal(cp->domains, "corp.example");
		assert_int_equal(cp->n_subnets, 0); /* all networks lead there */
		/* the selectors of the client are its lease */
		assert_int_equal(s.remote_ts.n, 2);
		assert_memory_equal(s.remote_ts.ts[0].start, cp->address[0].b, 4);
		assert_memory_equal(s.remote_ts.ts[0].end, cp->address[0].b, 4);
		assert_memory_equal(s.lease, cp->address, sizeof(s.lease));
	}
	hub_free(h);
}

static void split_networks_are_told(void **state)
{
	struct hub *h = hub_new(10, 200);
	struct ike_ts_list *local = &h->hub->conf[h->tunnel].child[0].local_ts;
	const struct ike_cp *cp = &h->client[0]->settings[h->link[0]];

	(void)state;
	local->n = 2;
	local->ts[0] = (struct ike_ts){ 4, 0, 0, 65535, { 10, 1 }, { 10, 1, 255, 255 } };
	local->ts[1] = (struct ike_ts){ 6, 0, 0, 65535, { 0xfd, 1 }, { 0xfd, 1, [2] = 255 } };
	memset(local->ts[1].end + 2, 255, 14);
	h->client[0]->conf[h->link[0]].child[0].remote_ts =
		h->hub->conf[h->tunnel].child[0].remote_ts; /* any */
	node_start(h->hub, false);
	node_start(h->client[0], false);
	hub_run(h, 300);
	assert_true(hub_works(h, 0));
	assert_int_equal(cp->n_subnets, 2);
	assert_int_equal(cp->subnet[0].len, 16);
	assert_int_equal(cp->subnet[1].len, 16);
	assert_int_equal(status_of(h, 0).local_ts.n, 2);
	hub_free(h);
}

static void a_client_that_comes_again_has_its_address(void **state)
{
	struct hub *h = hub_up(200, CLIENTS);

	(void)state;
	ike_core_down(h->client[0]->core, "t1", h->w.now);
	ike_core_down(h->client[1]->core, "t2", h->w.now);
	hub_run(h, 20000);
	assert_int_equal(client_number(&h->w, h->link[1]), 0);
	ike_core_up(h->client[1]->core, "t2", h->w.now);
	hub_run(h, 1000);
	ike_core_up(h->client[0]->core, "t1", h->w.now);
	hub_run(h, 1000);
	assert_true(hub_works(h, 0));
	assert_true(hub_works(h, 1));
	assert_int_equal(address_of(h, 0), 1);
	assert_int_equal(address_of(h, 1), 2);
	/* also one that lost its memory, and while the hub has not noticed yet */
	node_crash(h->client[1]);
	hub_run(h, 1000);
	node_start(h->client[1], false);
	hub_run(h, 20000);
	assert_int_equal(address_of(h, 1), 2);
	assert_true(hub_works(h, 1));
	hub_free(h);
}

/* What an agent finds on the netdevice, its former one may have had: the hub gives that again. */
static void what_a_client_had_is_asked_for(void **state)
{
	struct hub *h = hub_new(10, 200);
	struct ike_addr *had = h->client[0]->conf[h->link[0]].had;

	(void)state;
	had[0] = (struct ike_addr){ 4, { 10, 9, 0, 57 } };
	node_start(h->hub, false);
	node_start(h->client[0], false);
	hub_run(h, 500);
	assert_true(hub_works(h, 0));
	assert_int_equal(address_of(h, 0), 57);
	assert_int_equal(h->client[0]->settings[h->link[0]].address[1].b[15], 1);
	hub_free(h);
}

/* The client's agent has no use for the address: no tunnel is up without one, and the status says why. */
static void an_address_that_cannot_be_used(void **state)
{
	struct hub *h = hub_new(10, 200);
	struct ike_status s;

	(void)state;
	h->client[0]->refuses_settings = true;
	node_start(h->hub, false);
	node_start(h->client[0], false);
	hub_run(h, 5000);
	assert_false(hub_works(h, 0));
	assert_int_equal(h->client[0]->installs, 0);
	s = node_status(h->client[0], h->link[0]);
	assert_int_not_equal(s.state, IKE_TUNNEL_UP);
	assert_int_equal(s.lease[0].family, 0);
	says(s.last_error,
	     "peer gives us the address 10.9.0.1 and fd09::1, which cannot be used here");
	assert_in_range(attempts(h), 1, 6);
	h->client[0]->refuses_settings = false;
	hub_run(h, 120000);
	assert_true(hub_works(h, 0));
	assert_int_equal(address_of(h, 0), 1);
	hub_free(h);
}

static void rekeying_keeps_the_lease(void **state)
{
	struct hub *h = hub_new(10, 200);

	(void)state;
	h->client[0]->conf[h->link[0]].rekey_child = 7;
	h->client[0]->conf[h->link[0]].rekey_ike = 11;
	h->hub->conf[h->tunnel].rekey_child = 9;
	h->client[1]->conf[h->link[1]].reauth = 15;
	node_start(h->hub, false);
	node_start(h->client[0], false);
	hub_run(h, 300);
	node_start(h->client[1], false);
	hub_run(h, 60000);
	assert_true(hub_works(h, 0));
	assert_true(hub_works(h, 1));
	assert_int_equal(address_of(h, 0), 1);
	assert_int_equal(address_of(h, 1), 2);
	assert_int_equal(status_of(h, 0).lease[0].b[3], 1);
	assert_int_equal(status_of(h, 0).remote_ts.ts[0].start[3], 1);
	hub_free(h);
}

static void a_new_agent_keeps_the_leases(void **state)
{
	struct hub *h = hub_up(200, 2);

	(void)state;
	h->w.traffic = true;
	ike_core_down(h->client[0]->core, "t1", h->w.now);
	hub_run(h, 20000);
	node_kill(h->hub);
	hub_run(h, 500);
	h->hub->adopts_for = 3600000;
	node_start(h->hub, true);
	/* a third one gets neither the address of who is connected nor of who is not */
	node_start(h->client[2], false);
	hub_run(h, 500);
	assert_int_equal(address_of(h, 2), 3);
	ike_core_up(h->client[0]->core, "t1", h->w.now);
	hub_run(h, 60000);
	assert_int_equal(address_of(h, 0), 1);
	assert_int_equal(address_of(h, 1), 2);
	assert_true(hub_works(h, 0));
	assert_true(hub_works(h, 1));
	assert_true(hub_works(h, 2));
	hub_free(h);
}

static void a_used_up_pool_says_so(void **state)
{
	struct hub *h = hub_up(2, 2);
	struct ike_status s;

	(void)state;
	node_start(h->client[2], false);
	hub_run(h, 500);
	assert_false(hub_works(h, 2));
	s = status_of(h, 2);
	assert_false(s.have_child);
	says(s.last_error, "client 'node3.example' gets no address: clients");
	says(s.last_error, "Range= in [Pool]");
	says(node_status(h->client[2], h->link[2]).last_error, "INTERNAL_ADDRESS_FAILURE");
	/* those who are connected keep theirs; when one goes, there is room */
	assert_true(hub_works(h, 0) && hub_works(h, 1));
	ike_core_down(h->client[0]->core, "t1", h->w.now);
	hub_run(h, 120000);
	assert_true(hub_works(h, 2));
	assert_int_equal(address_of(h, 2), 1);
	hub_free(h);
}

static void a_client_must_ask(void **state)
{
	struct hub *h = hub_new(10, 200);
	struct ike_status s;

	(void)state;
	h->client[0]->conf[h->link[0]].asks_address = false;
	node_start(h->hub, false);
	node_start(h->client[0], false);
	hub_run(h, 500);
	s = status_of(h, 0);
	assert_false(s.have_child);
	assert_int_equal(h->hub->installs, 0);
	says(s.last_error, "asks for none");
	says(node_status(h->client[0], h->link[0]).last_error, "Address=request");
	/* nor does it get one by asking for the pair alone */
	hub_run(h, 120000);
	assert_int_equal(h->hub->installs, 0);
	hub_free(h);
}

static void a_client_gets_no_other_address(void **state)
{
	struct hub *h = hub_up(200, 1);
	struct ike_ts *ts;

	(void)state;
	ts = &h->client[1]->conf[h->link[1]].child[0].local_ts.ts[0];
	memcpy(ts->start, (uint8_t[]){ 10, 9, 0, 1 }, 4);
	memcpy(ts->end, ts->start, 4);
	h->client[1]->conf[h->link[1]].child[0].local_ts.n = 1;
	node_start(h->client[1], false);
	hub_run(h, 500);
	assert_false(hub_works(h, 1));
	assert_true(hub_works(h, 0));
	says(status_of(h, 1).last_error, "selectors");
	hub_free(h);
}

static void a_hub_without_a_pool_ignores_it(void **state)
{
	struct hub *h = hub_new(10, 200);

	(void)state;
	h->hub->conf[h->tunnel].pool.on = false;
	node_start(h->hub, false);
	node_start(h->client[0], false);
	hub_run(h, 500);
	assert_false(hub_works(h, 0));
	says(node_status(h->client[0], h->link[0]).last_error, "gives us no address");
	hub_free(h);
}

static void no_address_and_no_child(void **state)
{
	struct hub *h = hub_new(10, 200);

	(void)state;
	h->hub->conf[h->tunnel].pool.on = false;
	node_start(h->hub, false);
	node_start(h->client[0], false);
	TAILQ_FIRST(&h->client[0]->core->peers)->childless = true;
	hub_run(h, 5000);
	says(node_status(h->client[0], h->link[0]).last_error, "gives us no address");
	assert_in_range(attempts(h), 1, 6);
	hub_free(h);
}

/* It asks for the pair alone, under an IKE SA that gave it no address. */
static void a_childless_client_must_ask(void **state)
{
	struct hub *h = hub_new(10, 200);

	(void)state;
	h->client[0]->conf[h->link[0]].asks_address = false;
	node_start(h->hub, false);
	node_start(h->client[0], false);
	TAILQ_FIRST(&h->client[0]->core->peers)->childless = true;
	hub_run(h, 1000);
	assert_int_equal(h->hub->installs, 0);
	says(status_of(h, 0).last_error, "no address of [Pool]: let the client ask");
	says(node_status(h->client[0], h->link[0]).last_error, "FAILED_CP_REQUIRED");
	hub_free(h);
}

static void one_family_is_used_up(void **state)
{
	struct hub *h = hub_new(10, 200);
	const struct pool_range r[2] = {
		{ { 4, { 10, 9, 0, 1 } }, { 4, { 10, 9, 0, 1 } } },
		{ { 6, { 0xfd, 9, [15] = 1 } }, { 6, { 0xfd, 9, [15] = 99 } } },
	};

	(void)state;
	node_start(h->hub, false);
	pool_free(h->hub->pool);
	h->hub->pool = pool_new(r, 2, NULL, 0);
	node_start(h->client[0], false);
	hub_run(h, 500);
	node_start(h->client[1], false);
	hub_run(h, 500);
	assert_true(status_of(h, 1).have_child);
	says(h->hub->log, "client 'node2.example' gets no IPv4 address: clients");
	hub_free(h);
}

/* What its request in an INFORMATIONAL exchange is answered with. */
static void ask_later(struct hub *h, const struct ike_cp *ask)
{
	struct ike_builder b;
	uint8_t buf[512], first;
	struct ike_sa *sa = node_sa(h->client[0]);

	assert_non_null(sa);
	request_begin(&b, buf, sizeof(buf), &first);
	ike_build_cp(&b, ask);
	assert_true(node_request(h->client[0], IKE_INFORMATIONAL, &b, first));
	hub_run(h, 200);
}

static void it_is_answered_later_too(void **state)
{
	struct hub *h = hub_up(200, 1);
	struct ike_cp ask = { .type = IKE_CP_REQUEST,
			      .has = IKE_CP_HAS(APPLICATION_VERSION) | IKE_CP_HAS(IP4_ADDRESS) };

	(void)state;
	ask_later(h, &ask);
	assert_int_equal(status_of(h, 0).lease[0].b[3], 1);
	ask.type = IKE_CP_SET;
	ask_later(h, &ask);
	ask.type = 99;
	ask_later(h, &ask);
	assert_true(hub_works(h, 0));
	hub_free(h);
}

/* The peer deletes the IKE SA, and asks in the same message. */
static void nothing_is_given_with_a_delete(void **state)
{
	struct hub *h = hub_up(200, 1);
	struct ike_cp ask = { .type = IKE_CP_REQUEST, .has = IKE_CP_HAS(IP4_ADDRESS) };
	struct ike_builder b;
	uint8_t buf[512], first;

	(void)state;
	request_begin(&b, buf, sizeof(buf), &first);
	ike_build_delete(&b, IKE_PROTO_IKE, NULL, 0);
	ike_build_cp(&b, &ask);
	assert_true(node_request(h->client[0], IKE_INFORMATIONAL, &b, first));
	hub_run(h, 12000);
	hub_free(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_gets_an_address),
		cmocka_unit_test(an_address_without_a_child),
		cmocka_unit_test(split_networks_are_told),
		cmocka_unit_test(a_client_that_comes_again_has_its_address),
		cmocka_unit_test(what_a_client_had_is_asked_for),
		cmocka_unit_test(an_address_that_cannot_be_used),
		cmocka_unit_test(rekeying_keeps_the_lease),
		cmocka_unit_test(a_new_agent_keeps_the_leases),
		cmocka_unit_test(a_used_up_pool_says_so),
		cmocka_unit_test(a_client_must_ask),
		cmocka_unit_test(a_client_gets_no_other_address),
		cmocka_unit_test(a_hub_without_a_pool_ignores_it),
		cmocka_unit_test(no_address_and_no_child),
		cmocka_unit_test(a_childless_client_must_ask),
		cmocka_unit_test(one_family_is_used_up),
		cmocka_unit_test(it_is_answered_later_too),
		cmocka_unit_test(nothing_is_given_with_a_delete),
	};

	return cmocka_run_group_tests_name("core_config", tests, NULL, NULL);
}
