// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Rules that keep clients apart, in the kernel's own routing: in a network namespace of its own, with a
 * netdevice that stands for a hub's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <linux/if_link.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ike/io/rule.h"
#include "ike/proto/addr.h"

static struct nl_sock *sk;
static unsigned int added;

static struct net_prefix net(const char *addr, uint8_t len)
{
	struct net_prefix p = { .len = len };

	assert_int_equal(ike_addr_from_text(addr, &p.addr), 0);
	return p;
}

static void on_added(void *ctx, const struct net_prefix *to)
{
	(void)ctx;
	(void)to;
	added++;
}

static int put(const char *name, const struct net_prefix *to, unsigned int n)
{
	added = 0;
	return rule_put(sk, name, to, n, on_added, NULL);
}

/* The output of a command, as one line. */
static const char *told(const char *command)
{
	static char text[2048];
	FILE *f = popen(command, "r");
	size_t n = fread(text, 1, sizeof(text) - 1, f);

	pclose(f);
	text[n] = 0;
	return text;
}

static unsigned int count(const char *command)
{
	return (unsigned int)atoi(told(command));
}

#define RULES "(ip rule; ip -6 rule) | grep -c 'iif %s.*prohibit'"

static unsigned int rules_of(const char *name)
{
	char command[128];

	snprintf(command, sizeof(command), RULES, name);
	return count(command);
}

/* May what comes from @from through h0 go to @to? */
static bool passes(const char *from, const char *to)
{
	char command[160];

	snprintf(command, sizeof(command),
		 "ip route get %s from %s iif h0 >/dev/null 2>&1; echo $?", to, from);
	return !count(command);
}

static int begin(void **state)
{
	(void)state;
	if (unshare(CLONE_NEWNET) ||
	    system("ip link add h0 type veth peer name h1 && ip link add l0 type veth peer name l1 && "
		   "ip link set lo up && ip link set h0 up && ip link set h1 up && ip link set l0 up && "
		   "ip link set l1 up && ip addr add 10.9.0.1/24 dev h0 && ip addr add 10.1.0.1/24 dev l0 && "
		   "ip -6 addr add fd09::1/64 dev h0 nodad && ip -6 addr add fd01::1/64 dev l0 nodad && "
		   "echo 1 > /proc/sys/net/ipv4/ip_forward && "
		   "echo 1 > /proc/sys/net/ipv6/conf/all/forwarding") != 0)
		return 0; /* no rights: the tests are skipped */
	sk = rtnl_open();
	return 0;
}

static int end(void **state)
{
	(void)state;
	nl_socket_free(sk);
	return 0;
}

static void clients_are_kept_apart(void **state)
{
	const struct net_prefix to[] = { net("10.9.0.2", 31), net("10.9.0.4", 30),
					 net("fd09::", 64) };

	(void)state;
	if (!sk)
		skip();
	assert_true(passes("10.9.0.2", "10.9.0.3"));
	assert_true(passes("fd09::2", "fd09::3"));
	assert_int_equal(put("h0", to, 3), 0);
	assert_int_equal(added, 3);
	assert_int_equal(rules_of("h0"), 3);
	assert_false(passes("10.9.0.2", "10.9.0.3"));
	assert_false(passes("10.9.0.2", "10.9.0.7"));
	assert_false(passes("fd09::2", "fd09::3"));
	/* but neither from the hub itself, nor from its networks, nor what is no client's */
	assert_true(passes("10.9.0.2", "10.9.0.8"));
	assert_true(passes("10.9.0.2", "10.9.0.1"));
	assert_true(passes("10.9.0.2", "10.1.0.7"));
	assert_true(passes("fd09::2", "fd09::1"));
	assert_true(passes("fd09::2", "fd01::7"));
	/* once more adds nothing, what is taken away comes back alone */
	assert_int_equal(put("h0", to, 3), 0);
	assert_int_equal(added, 0);
	assert_int_equal(system("ip rule del priority 69 iif h0 to 10.9.0.4/30"), 0);
	assert_int_equal(put("h0", to, 3), 0);
	assert_int_equal(added, 1);
	/* another list takes the place of this one */
	assert_int_equal(put("h0", to, 1), 0);
	assert_int_equal(rules_of("h0"), 1);
	assert_true(passes("10.9.0.2", "10.9.0.5"));
	assert_true(passes("fd09::2", "fd09::3"));
	assert_int_equal(put("h0", NULL, 0), 0);
	assert_int_equal(rules_of("h0"), 0);
}

/* Rules of others, and of ours for other links, stay; those of links that are gone do not. */
static void only_ours_are_removed(void **state)
{
	const struct net_prefix to = net("10.9.0.0", 24);

	(void)state;
	if (!sk)
		skip();
	assert_int_equal(put("h0", &to, 1), 0);
	assert_int_equal(put("l0", &to, 1), 0);
	assert_int_equal(system("ip rule add iif h0 to 10.7.0.0/16 prohibit priority 69"), 0);
	assert_int_equal(
		system("ip rule add iif gone0 to 10.9.0.0/24 prohibit priority 69 protocol 69"), 0);
	assert_int_equal(put("h0", NULL, 0), 0);
	assert_int_equal(rules_of("h0"), 1);
	assert_int_equal(rules_of("l0"), 1);
	assert_int_equal(rules_of("gone0"), 0);
	/* nor does one that is like ours take the place of ours */
	assert_int_equal(system("ip rule add iif h0 to 10.9.0.0/24 prohibit priority 69"), 0);
	assert_int_equal(put("h0", &to, 1), 0);
	assert_int_equal(added, 1);
	assert_false(passes("10.9.0.2", "10.9.0.3"));
	assert_int_equal(put("h0", NULL, 0), 0);
	assert_int_equal(rules_of("h0"), 2);
	assert_int_equal(system("ip rule del iif h0 to 10.9.0.0/24 prohibit priority 69"), 0);
	assert_int_equal(put("l0", NULL, 0), 0);
	assert_int_equal(system("ip rule del iif h0 to 10.7.0.0/16 prohibit priority 69"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clients_are_kept_apart),
		cmocka_unit_test(only_ours_are_removed),
	};

	return cmocka_run_group_tests_name("rule", tests, begin, end);
}
