// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Addresses, routes and rules of a netdevice as net.c puts them: in a network namespace of its own, with a
 * netdevice that stands for one of ours. What concerns the kind alone is answered here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ike/io/net.h"
#include "ike/proto/addr.h"

/* ---- libesptun -------------------------------------------------------------------- */

int esptun_link_add(struct esptun *h, const struct esptun_link *link, uint32_t *ifindex)
{
	(void)h;
	(void)link;
	(void)ifindex;
	return -EOPNOTSUPP;
}

int esptun_link_set(struct esptun *h, const struct esptun_link *link)
{
	(void)h;
	(void)link;
	return 0;
}

int esptun_link_get(struct esptun *h, const char *name, struct esptun_link *link)
{
	(void)h;
	memset(link, 0, sizeof(*link));
	link->ifindex = if_nametoindex(name);
	return link->ifindex ? 0 : -ENODEV;
}

int esptun_link_del(struct esptun *h, uint32_t ifindex)
{
	(void)h;
	(void)ifindex;
	return 0;
}

int esptun_link_dump(struct esptun *h, struct esptun_link **links, size_t *n)
{
	(void)h;
	*links = NULL;
	*n = 0;
	return 0;
}

const char *esptun_error(const struct esptun *h)
{
	(void)h;
	return "";
}

/* ---- a netdevice -------------------------------------------------------------------- */

static struct net *net;
static uint32_t vpn0;
static struct net_did did;
static char err[512];

static int begin(void **state)
{
	(void)state;
	if (unshare(CLONE_NEWNET) ||
	    system("ip link add vpn0 type veth peer name vpn1 && ip link add eth0 type veth peer name eth1 && "
		   "ip link set vpn0 up && ip link set vpn1 up && ip link set eth0 up && ip link set eth1 up && "
		   "ip addr add 192.168.1.7/24 dev eth0") != 0)
		return 0; /* no rights: the tests are skipped */
	net = net_open(NULL);
	vpn0 = if_nametoindex("vpn0");
	return 0;
}

static int end(void **state)
{
	(void)state;
	net_close(net);
	net = NULL;
	return 0;
}

static struct net_prefix to(const char *addr, uint8_t len)
{
	struct net_prefix p = { .len = len };

	assert_int_equal(ike_addr_from_text(addr, &p.addr), 0);
	return p;
}

static int restore(const struct net_prefix *told, unsigned int n)
{
	const struct net_conf c = { .name = "vpn0", .told = told, .n_told = n };

	return net_restore(net, &c, vpn0, &did, err, sizeof(err));
}

static bool has_route(const char *what)
{
	char command[128];

	snprintf(command, sizeof(command), "ip route show %s dev vpn0 proto 69 | grep -q .", what);
	return !system(command);
}

static void a_told_route_that_is_there_stops_no_other(void **state)
{
	const struct net_prefix told[] = { to("10.0.0.0", 8), to("10.1.0.0", 16) };
	const struct net_prefix before = to("10.3.0.0", 16);

	(void)state;
	if (!net)
		skip();
	assert_int_equal(system("ip route add 10.0.0.0/8 dev eth0"), 0);
	assert_int_equal(restore(&before, 1), 0);
	assert_true(has_route("10.3.0.0/16"));
	assert_int_equal(restore(told, 2), 0);
	assert_string_equal(did.text, "route 10.1.0.0/16");
	assert_non_null(strstr(did.left_out, "a route to 10.0.0.0/8 exists already"));
	assert_true(has_route("10.1.0.0/16"));
	assert_false(has_route("10.0.0.0/8"));
	assert_false(has_route("10.3.0.0/16")); /* told no longer */
	assert_int_equal(restore(told + 1, 1), 0);
	assert_string_equal(did.text, "");
	assert_string_equal(did.left_out, "");
}

/* That of the file is the administrator's to mend. */
static void a_route_of_the_file_that_is_there_is_an_error(void **state)
{
	const struct net_prefix routes[] = { to("10.0.0.0", 8) };
	const struct net_conf c = { .name = "vpn0", .routes = routes, .n_routes = 1 };

	(void)state;
	if (!net)
		skip();
	assert_int_equal(system("ip route add 10.0.0.0/8 dev eth0"), 0);
	assert_int_equal(net_restore(net, &c, vpn0, &did, err, sizeof(err)), -EEXIST);
	assert_non_null(strstr(err, "a route to 10.0.0.0/8 exists already"));
}

static void what_is_near(void **state)
{
	static const struct {
		const char *addr;
		uint8_t len;
		bool near;
	} rows[] = {
		{ "192.168.1.7", 32, true },  { "192.168.1.1", 32, true },
		{ "192.168.1.0", 24, true },  { "192.168.1.128", 25, true },
		{ "192.168.0.0", 16, false }, { "192.168.2.0", 24, false },
		{ "10.5.0.1", 32, true },     { "10.6.0.1", 32, true },
		{ "10.6.0.0", 16, false },
	};

	(void)state;
	if (!net)
		skip();
	assert_int_equal(system("ip addr add 10.5.0.1 peer 10.6.0.1 dev eth0"), 0);
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct net_prefix p = to(rows[i].addr, rows[i].len);

		if (net_is_near(net, &p, vpn0) != rows[i].near)
			fail_msg("%s/%u", rows[i].addr, rows[i].len);
		assert_false(net_is_near(net, &p, if_nametoindex("eth0")));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_told_route_that_is_there_stops_no_other, begin,
						end),
		cmocka_unit_test_setup_teardown(a_route_of_the_file_that_is_there_is_an_error,
						begin, end),
		cmocka_unit_test_setup_teardown(what_is_near, begin, end),
	};

	return cmocka_run_group_tests_name("net", tests, NULL, NULL);
}
