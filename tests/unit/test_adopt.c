// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Whose SAs may be in the kernel: of those that a former agent left, and of clients when the configuration
 * is changed. The core is the real one; what it does not do of its own must not depend on it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <event2/event.h>
#include <stdio.h>
#include <string.h>

#include "no_radius.h"
#include "fake_kernel.h"
#include "ike/app/agent_int.h"
#include "ike/app/core_proc.h"
#include "ike/app/terms.h"
#include "ike/proto/id.h"

#define KEY_A "Kq7mTz3vRw9pXc2nYb5sLd8g"
#define KEY_B "9fGhJ4kWe6rVt2yNu8iMo5pQ"
#define HUB                                                                \
	"[Tunnel]\nLocalID = hub.example\nAddress = 10.1.0.1/24\n[Peer]\n" \
	"RemoteID = *.example\nSelectors = 10.1.0.0/24 = 10.2.0.0/16\n"
#define ONE                                                                \
	"[Tunnel]\nLocalID = hub.example\nAddress = 10.1.0.1/24\n[Peer]\n" \
	"RemoteID = c1.example\nSelectors = 10.1.0.0/24 = 10.2.0.0/16\n"
#define WILDCARD "[Client *.example]\nPSK = " KEY_A "\n"
#define OWN "[Client c3.example]\nPSK = " KEY_B "\n"

enum { LINK = 7 };

static const struct agent_helpers helpers; /* leases are not kept */
static struct agent agent;
static struct ike_core *core; /* in this process */
static struct tunnel tunnel;
static struct event_base *base;
static char said[4096];
static unsigned int lines;

/* ---- what adopt.c needs of others --------------------------------------------------- */

void session_stop(struct tunnel *t, uint32_t peer)
{
	(void)t;
	(void)peer;
}

void tunnel_dirty(struct tunnel *t)
{
	(void)t;
}

struct tunnel *tunnel_by_name(const struct agent *a, const char *name)
{
	(void)a;
	(void)name;
	return NULL;
}

bool env_own_spi(struct tunnel *t, uint32_t peer, uint32_t spi, bool inbound)
{
	(void)t;
	(void)peer;
	(void)spi;
	(void)inbound;
	return true;
}

unsigned int env_max_peers(const struct tunnel *t)
{
	return 1 + t->conf.clients;
}

void core_adopt(struct core *c, const char *name, const struct ike_adopted *pair)
{
	(void)c;
	ike_core_adopt(core, name, pair);
}

int core_client_down(struct core *c, const char *name, uint32_t peer, uint64_t now)
{
	(void)c;
	return ike_core_client_down(core, name, peer, now);
}

int core_peer_status(struct core *c, const char *name, uint32_t peer, struct ike_status *out)
{
	(void)c;
	return ike_core_peer_status(core, name, peer, out);
}

void log_say(enum ike_log_level level, const char *name, const char *fmt, ...)
{
	size_t len = strlen(said);
	va_list ap;

	(void)level;
	(void)name;
	va_start(ap, fmt);
	vsnprintf(said + len, sizeof(said) - len, fmt, ap);
	va_end(ap);
	lines++;
}

void tunnel_fail(struct tunnel *t, enum trouble trouble, const char *text)
{
	(void)trouble;
	log_say(IKE_LOG_ERROR, t->conf.name, "%s", text);
}

static void env_peer_remove(void *ctx, const char *name, uint32_t peer)
{
	(void)ctx;
	(void)name;
	kernel_peer_remove(agent.kernel, LINK, peer);
}

static void env_sa_remove(void *ctx, const char *name, uint32_t peer, uint32_t spi_in,
			  uint32_t spi_out)
{
	(void)ctx;
	(void)name;
	kernel_sa_remove(agent.kernel, LINK, peer, spi_in, spi_out);
}

static uint64_t env_last_rx(void *ctx, const char *name, uint32_t peer)
{
	(void)ctx;
	(void)name;
	(void)peer;
	return 0; /* somebody sends all the time */
}

static void env_state(void *ctx, const char *name, uint32_t peer, enum ike_tunnel_state state)
{
	(void)ctx;
	(void)name;
	(void)peer;
	(void)state;
}

static void env_log(void *ctx, enum ike_log_level level, const char *name, const uint8_t *spi_i,
		    const uint8_t *spi_r, const char *text)
{
	(void)ctx;
	(void)level;
	(void)name;
	(void)spi_i;
	(void)spi_r;
	(void)text;
}

static const struct seal seal;

/* ---- the hub ------------------------------------------------------------------------- */

static void on_report(void *ctx, bool error, unsigned int line, const char *text)
{
	(void)ctx;
	if (error)
		fail_msg("line %u: %s", line, text);
}

static void configure(const char *text)
{
	const struct config_report report = { on_report, NULL };

	config_clear(&tunnel.conf);
	assert_int_equal(config_parse("hub", text, strlen(text), &tunnel.conf, &report), 0);
	assert_int_equal(seal_config(&seal, &tunnel.conf), 0);
}

static int hub_begin(void **state)
{
	const struct kernel_events events = { .ctx = NULL };
	const struct ike_env env = {
		.rng = { .fill = ike_crypto_random },
		.peer_remove = env_peer_remove,
		.sa_remove = env_sa_remove,
		.last_rx = env_last_rx,
		.state = env_state,
		.log = env_log,
	};
	char err[256];

	(void)state;
	fake_empty();
	memset(&agent, 0, sizeof(agent));
	memset(&tunnel, 0, sizeof(tunnel));
	base = event_base_new();
	agent.kernel = kernel_open(base, &events, err, sizeof(err));
	core = ike_core_new(&env);
	agent.helpers = &helpers;
	tunnel.agent = &agent;
	tunnel.ifindex = LINK;
	memset(agent.terms_secret, 5, sizeof(agent.terms_secret));
	*said = 0;
	lines = 0;
	return !agent.kernel || !core;
}

static int hub_end(void **state)
{
	(void)state;
	ike_core_free(core);
	kernel_close(agent.kernel);
	config_clear(&tunnel.conf);
	owned_free(&tunnel.owned);
	pool_free(tunnel.pool);
	event_base_free(base);
	fake_close();
	return 0;
}

static struct esptun_ts lan = { .addr = { .family = AF_INET, .bytes = { 10, 1, 0, 0 } },
				.prefix_len = 24,
				.port_end = 65535 };
static struct esptun_ts theirs[FAKE_PEERS];

static void add_pair(uint32_t id, uint64_t age)
{
	struct esptun_ts *ts = &theirs[id];

	*ts = lan;
	memcpy(ts->addr.bytes, (uint8_t[]){ 10, 2, (uint8_t)(id % 256), 0 }, 4);
	for (unsigned int dir = 0; dir < 2; dir++) {
		add_sa(id, dir ? ESPTUN_SA_DIR_OUT : ESPTUN_SA_DIR_IN,
		       1000 * (dir + 1) + (uint32_t)n_sas, age, ts);
		sas[n_sas - 1].ts_local = &lan;
		sas[n_sas - 1].n_ts_local = 1;
	}
}

static uint64_t ends; /* of the time that clients were given; 0: without end */

/* A client "cN.example" that proved it by the configuration at hand, heard @heard milliseconds ago. */
static void add_client(uint32_t id, uint64_t age, uint64_t heard)
{
	struct ike_id who = { .type = IKE_ID_FQDN };
	uint8_t terms[TERMS_LEN];
	const struct kernel_peer_conf conf = { .id = &who, .terms = terms, .ends = ends };

	who.len = (uint16_t)snprintf((char *)who.data, sizeof(who.data), "c%u.example", id);
	assert_int_equal(terms_make(&tunnel.conf, agent.terms_secret, &who, terms), 0);
	assert_int_equal(kernel_peer_make(agent.kernel, LINK, id, &conf), 0);
	peers[n_peers - 1].has |= ESPTUN_PEER_HAS_LAST_RX;
	peers[n_peers - 1].last_rx = heard;
	add_pair(id, age);
}

/* The next agent comes. */
static void adopt(void)
{
	struct ike_tunnel_conf conf;

	config_tunnel(&tunnel.conf, &conf);
	assert_int_equal(ike_core_tunnel_add(core, &conf), 0);
	assert_int_equal(adopt_all(&tunnel), 0);
	ike_core_start(core, "hub", loop_now());
}

static bool core_has(uint32_t peer)
{
	struct ike_status s;

	return !ike_core_peer_status(core, "hub", peer, &s);
}

static bool kernel_has(uint32_t peer)
{
	for (size_t i = 0; i < n_sas; i++) {
		if (sas[i].peer == peer)
			return true;
	}
	return false;
}

/* Of the clients from 2 on: "x" in the kernel and in the core, "k" in the kernel only, "-" gone. */
static void are(const char *expected)
{
	char now[32] = "";

	for (uint32_t id = 2; expected[id - 2]; id++)
		now[id - 2] = kernel_has(id) ? core_has(id) ? 'x' : 'k' : core_has(id) ? 'c' : '-';
	assert_string_equal(now, expected);
}

static void says(const char *words)
{
	if (!strstr(said, words))
		fail_msg("\"%s\" is not in: %s", words, said);
	*said = 0;
}

/* ---- tests ----------------------------------------------------------------------------- */

static void those_that_fit(void **state)
{
	const struct kernel_peer_conf no_conf = { .id = NULL };

	(void)state;
	configure(HUB "Clients = 8\nRekey = 2h, 30m\n" WILDCARD OWN);
	add_client(2, 1000, 10);
	add_client(3, 1000, 10);
	add_client(4, 39 * 60000, 10);
	/* The peer that every tunnel has carries nothing. */
	assert_int_equal(kernel_peer_make(agent.kernel, LINK, IKE_PEER_FIRST, &no_conf), 0);
	add_pair(IKE_PEER_FIRST, 1000);
	add_client(5, 41 * 60000, 10); /* was to be rekeyed 11 minutes ago */
	theirs[2] = lan; /* it has 10.1.0.0/24, which is ours */
	configure(HUB "Clients = 8\nRekey = 2h, 30m\n" WILDCARD
		      "[Client c3.example]\nPSK = 77" KEY_B "\n");
	adopt();
	are("--x-");
	assert_false(kernel_has(IKE_PEER_FIRST));
	assert_int_equal(n_peers, 2);
	says("1 pairs, with 1 peers");
}

/* Whoever sends all the time, and never comes back, is there no longer than until its SAs are too old. */
static void nobody_stays_for_ever(void **state)
{
	uint64_t now = loop_now(), end = now + (30 + 10 - 20) * 60000;

	(void)state;
	configure(HUB "Clients = 8\nRekey = 2h, 30m\n" WILDCARD);
	add_client(2, 20 * 60000, 0);
	adopt();
	for (; now < end - 60000; now += 30000) {
		ike_core_timer(core, now);
		are("x");
	}
	ike_core_timer(core, end + 60000);
	are("-");
	assert_int_equal(n_peers, 0);
}

/* A RADIUS server let them in for some time, which a restart of the agent does not make longer. */
static void the_time_of_a_login_goes_on(void **state)
{
	uint64_t now = loop_now();

	(void)state;
	configure(HUB "Clients = 8\nRekey = 2h, 30m\n" WILDCARD);
	ends = now + 5 * 60000;
	add_client(2, 1000, 0);
	ends = now - 1;
	add_client(3, 1000, 0);
	ends = now + 600 * 60000; /* its SAs are too old before */
	add_client(4, 20 * 60000, 0);
	ends = 0;
	add_client(5, 1000, 0);
	adopt();
	are("x-xx");
	ike_core_timer(core, now + 4 * 60000);
	are("x-xx");
	ike_core_timer(core, now + 6 * 60000);
	are("--xx");
	ike_core_timer(core, now + 21 * 60000);
	are("---x");
}

/* A former agent was made to leave as much as it could. */
static void a_flood(void **state)
{
	(void)state;
	configure(HUB "Clients = 3\n" WILDCARD);
	for (uint32_t id = 2; id < 200; id++)
		add_client(id, 1000, 1000 - id);
	for (unsigned int i = 0; i < 300; i++)
		add_pair(198, 500);
	assert_int_equal(kernel_peer_make(agent.kernel, LINK, 250,
					  &(struct kernel_peer_conf){ .keepalive = 0 }),
			 0); /* without SAs it has no place */
	adopt();
	assert_true(lines <= 2);
	assert_true(core_has(199) && core_has(198) && core_has(197) && !core_has(196));
	assert_int_equal(n_peers, 3);
	assert_int_equal(n_sas, 2 * (2 + IKE_MAX_ADOPTED));
}

static void with_another_secret(void **state)
{
	(void)state;
	configure(HUB "Clients = 8\n" WILDCARD);
	add_client(2, 5000, 10);
	add_client(3, 20000, 10);
	memset(agent.terms_secret, 6, sizeof(agent.terms_secret));
	configure(HUB "Clients = 8\n" WILDCARD);
	clock_gettime(CLOCK_REALTIME, &tunnel.conf.changed);
	tunnel.conf.changed.tv_sec -= 10;
	adopt();
	are("x-");
	says("its secret is lost");
	/* keys change, and by which one it came is not known */
	adopt_changed(&tunnel, false);
	are("x-");
	adopt_changed(&tunnel, true);
	are("--");
}

/* A more exact key first, and then the wildcard is taken out, by which all came. */
static void a_key_taken_out_in_two_steps(void **state)
{
	(void)state;
	configure(HUB "Clients = 8\n" WILDCARD);
	for (uint32_t id = 2; id < 5; id++)
		add_client(id, 1000, 10);
	adopt();
	configure(HUB "Clients = 8\n" WILDCARD OWN);
	adopt_changed(&tunnel, true);
	are("xxx");
	configure(HUB "Clients = 8\n" OWN "[Client c4.example]\nPSK = " KEY_A "\n");
	adopt_changed(&tunnel, true);
	are("--x"); /* c4 holds the same key by another name */
	says("the key of client 'c3.example' was taken away: its SAs end, as do those of 1 others");
}

static void fewer_selectors(void **state)
{
	(void)state;
	configure(HUB "Clients = 8\n" WILDCARD);
	add_client(2, 1000, 10);
	add_client(3, 1000, 10);
	adopt();
	configure(
		"[Tunnel]\nLocalID = hub.example\nAddress = 10.1.0.1/24\n[Peer]\n"
		"RemoteID = *.example\nSelectors = 10.1.0.0/24 = 10.2.2.0/24\nClients = 8\n" WILDCARD);
	adopt_changed(&tunnel, false);
	are("x-");
	says("client 'c3.example' has more than Selectors= allows now: its SAs end");
}

static void fewer_clients(void **state)
{
	(void)state;
	configure(HUB "Clients = 5\n" WILDCARD);
	for (uint32_t id = 2; id < 7; id++)
		add_client(id, 1000, id == 4 ? 9 : 100 - id);
	adopt();
	are("xxxxx");
	configure(HUB "Clients = 3\n" WILDCARD);
	adopt_changed(&tunnel, false);
	are("--xxx");
	says("client 'c2.example' was not heard for longest");
}

/* The core does nothing of what it should have. */
static void whoever_is_left_is_removed(void **state)
{
	(void)state;
	configure(HUB "Clients = 8\n" WILDCARD OWN);
	adopt();
	for (uint32_t id = 2; id < 5; id++)
		add_client(id, 1000, 10);
	configure(HUB "Clients = 8\n" OWN);
	adopt_changed(&tunnel, true);
	assert_true(tunnel.review_at > loop_now() && tunnel.review_at < UINT64_MAX);
	are("kkk");
	adopt_review(&tunnel);
	are("-k-"); /* without a key nobody comes back, however young its SAs are */
	assert_true(tunnel.review_at == UINT64_MAX);
}

static void whoever_is_back_stays(void **state)
{
	(void)state;
	configure(HUB "Clients = 8\n" WILDCARD);
	adopt();
	for (uint32_t id = 2; id < 5; id++)
		add_client(id, 1000, 10 * id);
	configure(HUB "Clients = 2\n" WILDCARD);
	adopt_changed(&tunnel, false);
	adopt_review(&tunnel);
	are("kkk"); /* as if they came after the core was told */
	for (size_t i = 0; i < n_sas; i++)
		sas[i].age = 40000;
	adopt_review(&tunnel);
	are("kk-");
}

static void one_peer_is_left_to_the_core(void **state)
{
	static const struct ike_id of_one_peer;
	uint8_t terms[TERMS_LEN];
	const struct kernel_peer_conf conf = { .id = &of_one_peer, .terms = terms };

	(void)state;
	configure(ONE "PSK = " KEY_A "\n");
	assert_int_equal(terms_make(&tunnel.conf, agent.terms_secret, &of_one_peer, terms), 0);
	assert_int_equal(kernel_peer_make(agent.kernel, LINK, 1, &conf), 0);
	add_pair(1, 1000);
	add_client(2, 1000, 10); /* from when there were many */
	adopt();
	assert_true(kernel_has(1) && tunnel.adopted);
	are("-");
	configure(ONE "PSK = 77" KEY_A "\n");
	adopt_changed(&tunnel, true);
	assert_true(kernel_has(1));
	assert_int_equal(tunnel.review_at, 0);
	/* the next agent has the other key */
	assert_int_equal(ike_core_tunnel_del(core, "hub"), 0);
	add_pair(1, 1000);
	adopt();
	assert_false(kernel_has(1));
}

#define LEASING                                                            \
	"[Tunnel]\nLocalID = hub.example\nAddress = 10.2.0.1/16\n[Peer]\n" \
	"RemoteID = *.example\nSelectors = 10.1.0.0/24 = any\nClients = 8\n" WILDCARD
#define POOL "[Pool]\nRange = 10.2.0.0/16\n"

/* A client "cN.example" with the address 10.2.@addr.0. */
static void add_leaser(uint32_t id, uint8_t addr, uint64_t heard)
{
	add_client(id, 1000, heard);
	theirs[id].prefix_len = 32;
	theirs[id].addr.bytes[2] = addr;
}

static bool leases(uint32_t peer)
{
	struct ike_addr a;

	return pool_held(tunnel.pool, peer, 4, &a);
}

static void those_that_hold_their_addresses(void **state)
{
	const struct ike_ts any = { .family = 4, .port_end = 65535, .end = { 255, 255, 255, 255 } };

	(void)state;
	configure(LEASING POOL);
	assert_int_equal(lease_open(&tunnel), 0);
	add_leaser(2, 2, 10);
	add_leaser(3, 3, 10);
	add_leaser(4, 3, 20); /* the other one's */
	add_client(5, 1000, 10); /* a whole network */
	add_client(6, 1000, 10);
	n_sas--; /* it only receives, from there */
	adopt();
	are("xx---");
	assert_true(leases(2) && leases(3) && !leases(4) && !leases(5) && !leases(6));
	/* as it is without memory */
	assert_false(lease_allows(&tunnel, 2, (struct ike_ts_offer){ 1, &any }));
	pool_free(tunnel.pool);
	tunnel.pool = NULL;
	assert_false(lease_allows(&tunnel, 2, (struct ike_ts_offer){ 1, &any }));
	tunnel.conf.n_ranges = 0;
	assert_true(lease_allows(&tunnel, 2, (struct ike_ts_offer){ 1, &any }));
}

static void what_cannot_be_read_or_removed(void **state)
{
	(void)state;
	configure(LEASING POOL);
	assert_int_equal(lease_open(&tunnel), 0);
	add_leaser(2, 2, 10);
	add_leaser(3, 3, 10);
	add_leaser(4, 3, 20);
	adopt();
	are("xx-");
	configure("[Tunnel]\nLocalID = hub.example\nAddress = 10.2.0.1/16\n[Peer]\n"
		  "RemoteID = *.example\nSelectors = 10.1.0.0/24 = any\nClients = 8\n" OWN POOL);
	refuses = -ENOMEM;
	tunnel.review_at = 0;
	adopt_review(&tunnel);
	assert_true(kernel_has(2) && leases(2)); /* its address is not for others */
	assert_int_equal(ike_core_tunnel_del(core, "hub"), 0);
	configure(LEASING POOL);
	add_leaser(5, 3, 30);
	*said = 0;
	assert_int_equal(adopt_all(&tunnel), -1);
	says("does not remove");
	refuses_to_tell = -ENOMEM;
	assert_int_equal(adopt_all(&tunnel), -1);
	says("cannot read what SAs");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(those_that_fit, hub_begin, hub_end),
		cmocka_unit_test_setup_teardown(nobody_stays_for_ever, hub_begin, hub_end),
		cmocka_unit_test_setup_teardown(the_time_of_a_login_goes_on, hub_begin, hub_end),
		cmocka_unit_test_setup_teardown(a_flood, hub_begin, hub_end),
		cmocka_unit_test_setup_teardown(with_another_secret, hub_begin, hub_end),
		cmocka_unit_test_setup_teardown(a_key_taken_out_in_two_steps, hub_begin, hub_end),
		cmocka_unit_test_setup_teardown(fewer_selectors, hub_begin, hub_end),
		cmocka_unit_test_setup_teardown(fewer_clients, hub_begin, hub_end),
		cmocka_unit_test_setup_teardown(whoever_is_left_is_removed, hub_begin, hub_end),
		cmocka_unit_test_setup_teardown(whoever_is_back_stays, hub_begin, hub_end),
		cmocka_unit_test_setup_teardown(one_peer_is_left_to_the_core, hub_begin, hub_end),
		cmocka_unit_test_setup_teardown(those_that_hold_their_addresses, hub_begin,
						hub_end),
		cmocka_unit_test_setup_teardown(what_cannot_be_read_or_removed, hub_begin, hub_end),
	};

	return cmocka_run_group_tests_name("adopt", tests, NULL, NULL);
}
