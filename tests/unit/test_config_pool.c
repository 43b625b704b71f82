// SPDX-License-Identifier: GPL-2.0-or-later
/* Sections [Pool] and addresses that are asked for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "ike/app/config/config.h"
#include "ike/proto/addr.h"
#include "ike/proto/names.h"
#include "some_config.h"

#define POOL \
	"[Tunnel]\nAddress = 10.9.0.1/24, fd09::1/64\n[Peer]\nClients = 9\n" PSK_LINE "[Pool]\n"

static void range_is(const struct config *c, unsigned int i, const char *first, const char *last)
{
	char text[64];

	assert_true(i < c->n_ranges);
	assert_string_equal(ike_addr_print(text, sizeof(text), &c->ranges[i].first), first);
	assert_string_equal(ike_addr_print(text, sizeof(text), &c->ranges[i].last), last);
}

static void pools(void **state)
{
	struct config c, other;
	struct ike_tunnel_conf conf;
	char text[64];

	(void)state;
	accepted(POOL "Range = 10.9.0.0/25, 10.9.0.200-10.9.0.210\n  fd09::/64\n"
		      "Range = 10.9.0.240\nDNS = 10.0.0.53 fd00::53\nDomains = corp.example, a.b\n"
		      "Static = alice.example = 10.9.0.5, bob@b.example = fd09::b\n",
		 &c);
	assert_string_equal(said, "");
	/* without the addresses that no host has */
	range_is(&c, 0, "10.9.0.1", "10.9.0.126");
	range_is(&c, 1, "10.9.0.200", "10.9.0.210");
	range_is(&c, 2, "fd09::1", "fd09::ffff:ffff:ffff:ffff");
	range_is(&c, 3, "10.9.0.240", "10.9.0.240");
	assert_int_equal(c.n_ranges, 4);
	assert_int_equal(c.n_servers, 2);
	assert_string_equal(c.domains, "corp.example a.b");
	/* our own addresses are nobody's */
	assert_int_equal(c.n_fixed, 4);
	assert_string_equal(ike_addr_print(text, sizeof(text), &c.fixed[0].addr), "10.9.0.5");
	assert_int_equal(c.fixed[0].id.type, IKE_ID_FQDN);
	assert_string_equal(ike_addr_print(text, sizeof(text), &c.fixed[2].addr), "10.9.0.1");
	assert_int_equal(c.fixed[2].id.type, 0);
	config_tunnel(&c, &conf);
	assert_true(conf.pool.on);
	assert_int_equal(conf.pool.n_servers, 2);
	accepted(POOL "Range = 10.9.0.0/25\n", &other);
	assert_false(config_equal_pool(&c, &other));
	assert_false(config_equal(&c, &other));
	assert_true(config_equal_pool(&c, &c));
	config_clear(&other);
	config_clear(&c);
}

/* What clients are told: within what they may reach. */
static void networks_that_clients_are_told(void **state)
{
	static char many[4096] = POOL "Range = 10.9.0.0/25\nRoutes = 10.0.0.0/16";
	struct ike_tunnel_conf conf;
	struct config c;

	(void)state;
	accepted(POOL "Range = 10.9.0.0/25\n", &c);
	config_tunnel(&c, &conf);
	assert_false(conf.pool.tells_routes);
	config_clear(&c);
	accepted(POOL "Range = 10.9.0.0/25\nRoutes = any\n", &c);
	config_tunnel(&c, &conf);
	assert_true(conf.pool.tells_routes);
	assert_int_equal(conf.pool.n_routes, 0);
	config_clear(&c);
	accepted(POOL "Range = 10.9.0.0/25\nRoutes = 10.1.0.0/16\n  fd01::/48\n", &c);
	assert_int_equal(c.n_routes, 0); /* of [Peer] */
	config_tunnel(&c, &conf);
	assert_int_equal(conf.pool.n_routes, 2);
	assert_int_equal(conf.pool.route[0].len, 16);
	assert_int_equal(conf.pool.route[1].addr.family, 6);
	config_clear(&c);
	refused(POOL "Range = 10.9.0.0/25\nRoutes = 10.1.0.1/16\n", "has bits set beyond /16");
	refused(POOL "Routes = 10.1.0.0/16\n", "[Pool] lacks Range");
	refused("[Peer]\nClients = 9\nSelectors = 10.1.0.0/16 = any\n" PSK_LINE
		"[Pool]\nRange = 10.9.0.0/24\nRoutes = 10.1.2.0/24, 10.0.0.0/8\n",
		"clients are told of 10.0.0.0/8, but Selectors have no child SA for it");
	for (unsigned int i = 1; i <= IKE_CP_SUBNETS; i++)
		snprintf(many + strlen(many), sizeof(many) - strlen(many), ", 10.%u.0.0/16", i);
	strcat(many, "\n");
	refused(many, "at most 32 networks");
}

static void apart_is(const struct config *c, unsigned int i, const char *want)
{
	char text[80], addr[64];

	assert_true(i < c->n_apart);
	snprintf(text, sizeof(text), "%s/%u", ike_addr_print(addr, sizeof(addr), &c->apart[i].addr),
		 c->apart[i].len);
	assert_string_equal(text, want);
}

/* The networks of rules: all addresses that clients can have, and no others. */
static void clients_apart(void **state)
{
	static char many[16384] = POOL "ClientToClient = no\nRange = 10.7.0.0/16\nStatic = ";
	struct config c, other;

	(void)state;
	accepted(POOL "Range = 10.9.0.2-10.9.0.5\n", &other);
	assert_int_equal(other.n_apart, 0);
	accepted(POOL "Range = 10.9.0.2-10.9.0.5\nClientToClient = yes\n", &c);
	assert_true(config_equal(&c, &other));
	config_clear(&c);
	accepted(
		POOL
		"ClientToClient = No\nRange = 10.9.0.2-10.9.0.5, fd09::/64, fd09:0:0:1::8-fd09:0:0:1::9\n"
		"Static = a.b = 10.9.0.3, c.d = 10.9.0.99\n",
		&c);
	apart_is(&c, 0, "10.9.0.2/31");
	apart_is(&c, 1, "10.9.0.4/31");
	apart_is(&c, 2, "fd09::/64");
	apart_is(&c, 3, "fd09:0:0:1::8/127");
	apart_is(&c, 4, "10.9.0.99/32");
	assert_int_equal(c.n_apart, 5);
	assert_false(config_equal(&c, &other));
	config_clear(&c);
	config_clear(&other);
	refused(POOL "Range = 10.9.0.0/25\nClientToClient = maybe\n", "expected yes or no");
	refused(POOL "ClientToClient = no\n", "[Pool] lacks Range");
	for (unsigned int i = 0; i < 300; i++) {
		size_t len = strlen(many);

		snprintf(many + len, sizeof(many) - len, "%sa%u.b = 10.8.%u.%u\n",
			 i ? "Static = " : "", i, i / 100, 1 + 2 * (i % 100));
	}
	refused(many, "made up of more than 256 networks");
}

/* A hub that has fewer addresses than it lets clients in. */
static void fewer_addresses_than_clients(void **state)
{
	struct config c;

	(void)state;
	/* of 10.9.0.1 to .6 one is our own, and one is somebody's */
	accepted(POOL "Range = 10.9.0.0/29, fd09::/64\nStatic = a.b = 10.9.0.3\n", &c);
	assert_non_null(
		strstr(said, "Range: 5 IPv4 addresses, but Clients = 9: those who come when all"));
	assert_null(strstr(said, "IPv6"));
	config_clear(&c);
	accepted(POOL "Range = 10.9.0.2-10.9.0.10\n", &c);
	assert_string_equal(said, "");
	config_clear(&c);
	accepted(POOL "Range = 10.9.0.2-10.9.0.9\nStatic = a.b = 10.9.0.200\n", &c);
	assert_string_equal(said, "");
	config_clear(&c);
	accepted(POOL "Range = 10.9.0.2-10.9.0.9\n", &c);
	assert_non_null(strstr(said, "8 IPv4 addresses"));
	config_clear(&c);
}

static void wrong_pools(void **state)
{
	struct config c;

	(void)state;
	refused(POOL "Range = 10.9.0.9-10.9.0.2\n", "is no range; expected such as");
	refused(POOL "Range = 10.9.0.2-fd09::9\n", "is no range");
	refused(POOL "Range = 10.9.0.0/33\n", "is no range");
	refused(POOL "Range = 0.0.0.0/0\n", "is no range");
	refused(POOL "Range = 224.0.0.1-224.0.0.9\n", "is no range");
	refused(POOL "Range = 126.0.0.1-128.0.0.9\n", "is no range");
	refused(POOL "Range = fe00::-fec0::\n", "is no range");
	refused(POOL "Range = ::1:0:0-1::\n", "is no range");
	refused(POOL "Range = 10.9.0.2-10.9.0.9, 10.9.0.9-10.9.0.12\n", "another range has, too");
	refused(POOL "DNS = 10.0.0.53\n", "[Pool] lacks Range");
	refused(POOL "Range = 10.9.0.0/25\nDNS = ns.example\n", "up to 4 addresses");
	refused(POOL "Range = 10.9.0.0/25\nDNS = 1.1.1.1 1.1.1.2 1.1.1.3 1.1.1.4 1.1.1.5\n",
		"up to 4 addresses");
	refused(POOL "Range = 10.9.0.0/25\nDomains = corp.example\n", "expected DNS, too");
	refused(POOL "Range = 10.9.0.0/25\nDNS = 1.1.1.1\nDomains = a;b\n", "expected domains");
	refused(POOL "Range = 10.9.0.0/25\nStatic = alice.example\n", "of IDENTITY = ADDRESS");
	refused(POOL "Range = 10.9.0.0/25\nStatic = *.example = 10.9.0.5\n",
		"of IDENTITY = ADDRESS");
	refused(POOL "Range = 10.9.0.0/25\nStatic = a.b = 10.9.0.5, c.d = 10.9.0.5\n",
		"given already");
	refused(POOL "Range = 10.9.0.0/25\nStatic = a.b = 10.9.0.5, A.b = 10.9.0.6\n",
		"given already");
	refused(POOL "Range = 10.9.0.0/25\nStatic = a.b = 10.9.0.1\n", "10.9.0.1 is our own");
	refused("[Peer]\n" PSK_LINE "[Pool]\nRange = 10.9.0.0/24\n",
		"[Pool] is for clients: expected Clients of 2 or more");
	refused("[Peer]\nClients = 9\nMode = transport\n" PSK_LINE "[Pool]\nRange = 10.9.0.0/24\n",
		"in transport mode clients have addresses of their own");
	accepted("[Peer]\nClients = 9\n" PSK_LINE "[Pool]\nRange = 10.9.0.0/24\n", &c);
	assert_non_null(strstr(said, "no route leads to 10.9.0.1-10.9.0.254"));
	config_clear(&c);
}

static void an_address_on_request(void **state)
{
	struct config c;
	struct ike_tunnel_conf conf;

	(void)state;
	accepted("[Tunnel]\nAddress = request\n[Peer]\nEndpoint = 192.0.2.1\n" PSK_LINE, &c);
	assert_string_equal(said, "");
	assert_int_equal(c.n_address, 0);
	config_tunnel(&c, &conf);
	assert_true(conf.asks_address);
	config_clear(&c);
	accepted("[Tunnel]\nAddress = request\nDNS = no\n[Peer]\nEndpoint = 192.0.2.1\n" PSK_LINE,
		 &c);
	assert_true(c.leaves_dns);
	config_clear(&c);
	accepted("[Tunnel]\nAddress = request\nDNS = yes\n[Peer]\nEndpoint = 192.0.2.1\n" PSK_LINE,
		 &c);
	assert_false(c.leaves_dns);
	config_clear(&c);
	accepted("[Tunnel]\nAddress = request\n[Peer]\nEndpoint = 192.0.2.1\nRoutes = request\n"
		 "Routes = 10.7.0.0/16\n" PSK_LINE,
		 &c);
	assert_true(c.asks_routes);
	assert_int_equal(c.n_routes, 1);
	config_clear(&c);
	refused("[Peer]\nEndpoint = 192.0.2.1\nRoutes = request\n" PSK_LINE,
		"Routes = request: a peer tells routes with the address that it gives");
	refused("[Tunnel]\nDNS = no\n[Peer]\nEndpoint = 192.0.2.1\n" PSK_LINE,
		"expected Address = request, too");
	refused("[Tunnel]\nAddress = request\n[Peer]\n" PSK_LINE, "expected Endpoint, too");
	refused("[Tunnel]\nAddress = request\n[Peer]\nClients = 5\n" PSK_LINE,
		"a hub gives addresses");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pools),	 cmocka_unit_test(networks_that_clients_are_told),
		cmocka_unit_test(clients_apart), cmocka_unit_test(fewer_addresses_than_clients),
		cmocka_unit_test(wrong_pools),	 cmocka_unit_test(an_address_on_request),
	};

	return cmocka_run_group_tests_name("config_pool", tests, NULL, NULL);
}
