// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Name servers of netdevices: what the process runs that sets them, with a program in resolvectl's place that
 * says what it was called with; and what the agent says of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ike/app/agent_int.h"
#include "ike/app/link_dns.h"
#include "ike/proto/addr.h"
#include "ike/proto/ts_text.h"

/* ---- what given.c needs of others ---------------------------------------------------- */

static char said[2048];
static struct ike_cp found; /* on the netdevice */

uint64_t loop_now(void)
{
	return 1;
}

void tunnel_dirty(struct tunnel *t)
{
	(void)t;
}

void net_given(struct net *n, const char *name, struct ike_addr out[2])
{
	(void)n;
	(void)name;
	memcpy(out, found.address, sizeof(found.address));
}

unsigned int net_routes(struct net *n, const char *name, struct net_prefix *out, unsigned int max)
{
	(void)n;
	(void)name;
	(void)out;
	(void)max;
	return 0;
}

void log_core(enum ike_log_level level, const char *tunnel, const uint8_t *spi_i,
	      const uint8_t *spi_r, const char *text, uint64_t now)
{
	(void)level;
	(void)tunnel;
	(void)spi_i;
	(void)spi_r;
	(void)now;
	snprintf(said, sizeof(said), "%s", text);
}

void log_say(enum ike_log_level level, const char *tunnel, const char *fmt, ...)
{
	(void)level;
	(void)tunnel;
	(void)fmt;
}

/* ---- a program, and the process that runs it -------------------------------------------- */

static char dir[32], program[64];
static struct event_base *base;
static struct link_dns *dns;
static struct link_dns_outcome last;
static unsigned int heard;

static void on_outcome(void *ctx, const struct link_dns_outcome *o)
{
	(void)ctx;
	last = *o;
	heard++;
}

static void write_program(const char *text)
{
	FILE *f = fopen(program, "w");

	assert_non_null(f);
	fprintf(f, "#!/bin/sh\n%s\n", text);
	fclose(f);
	chmod(program, 0755);
}

static void start(bool at_home, bool seccomp)
{
	const struct link_dns_options o = { .program = program,
					    .at_home = at_home,
					    .seccomp = seccomp };
	char err[256];

	dns = link_dns_start(&o, err, sizeof(err));
	assert_non_null(dns);
	assert_int_equal(link_dns_watch(dns, base, on_outcome, NULL), 0);
}

static int begin(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/esptun-dns-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(program, sizeof(program), "%s/resolvectl", dir);
	base = event_base_new();
	write_program("echo \"$@\"");
	heard = 0;
	start(true, false);
	return 0;
}

static int end(void **state)
{
	(void)state;
	link_dns_free(dns);
	event_base_free(base);
	unlink(program);
	return rmdir(dir);
}

static void wait_heard(unsigned int n)
{
	for (unsigned int i = 0; i < 500 && heard < n; i++) {
		event_base_loop(base, EVLOOP_NONBLOCK);
		usleep(10000);
	}
	assert_int_equal(heard, n);
}

/* The program tells by a signal that servers are to be asked no longer: what it prints then nobody hears. */
static volatile sig_atomic_t reverts;

static void on_signal(int signal_number)
{
	(void)signal_number;
	reverts = reverts + 1;
}

static void write_telling_program(void)
{
	char text[100];

	snprintf(text, sizeof(text), "[ \"$2 $3\" != 'revert vpn0' ] || kill -USR1 %d", getpid());
	write_program(text);
	reverts = 0;
	signal(SIGUSR1, on_signal);
}

static void wait_reverts(int n)
{
	for (unsigned int i = 0; i < 500 && reverts < n; i++)
		usleep(10000);
	assert_int_equal(reverts, n);
}

static struct ike_cp settings(const char *server, const char *domains)
{
	struct ike_cp cp = { .type = IKE_CP_REPLY, .n_servers = 1 };

	assert_int_equal(ike_addr_from_text(server, &cp.server[0]), 0);
	strcpy(cp.domains, domains);
	return cp;
}

static void of_some_domains_these_alone(void **state)
{
	struct ike_cp cp = settings("10.0.0.53", "corp.example lab.example");

	(void)state;
	cp.n_servers = 2;
	assert_int_equal(ike_addr_from_text("fd00::53", &cp.server[1]), 0);
	assert_int_equal(link_dns_set(dns, "vpn0", &cp), 0);
	wait_heard(1);
	assert_int_equal(last.err, 0);
	assert_string_equal(last.name, "vpn0");
	assert_string_equal(last.text, "-- dns vpn0 10.0.0.53 fd00::53 "
				       "-- domain vpn0 ~corp.example ~lab.example "
				       "-- default-route vpn0 no ");
}

/* A netdevice's name may look like an option. */
static void without_domains_all_names(void **state)
{
	const struct ike_cp cp = settings("10.0.0.53", "");

	(void)state;
	assert_int_equal(link_dns_set(dns, "-h", &cp), 0);
	wait_heard(1);
	assert_string_equal(last.text,
			    "-- dns -h 10.0.0.53 -- domain -h ~. -- default-route -h yes ");
}

static void what_goes_wrong_is_told(void **state)
{
	const struct ike_cp cp = settings("10.0.0.53", "corp.example");

	(void)state;
	write_program("printf 'Failed:\\tno\\033[2Jt so\\n' >&2; exit 1");
	assert_int_equal(link_dns_set(dns, "vpn0", &cp), 0);
	wait_heard(1);
	assert_int_equal(last.err, -EIO);
	assert_string_equal(last.text, "Failed: no [2Jt so ");
	assert_int_equal(unlink(program), 0);
	assert_int_equal(link_dns_set(dns, "vpn0", &cp), 0);
	wait_heard(2);
	assert_int_equal(last.err, -ENOENT);
	write_program("kill -9 $$");
	assert_int_equal(link_dns_set(dns, "vpn0", &cp), 0);
	wait_heard(3);
	assert_int_equal(last.err, -EIO);
}

/* resolved is not in this network namespace: another netdevice may have this one's index there. */
static void elsewhere_nothing_is_run(void **state)
{
	const struct ike_cp cp = settings("10.0.0.53", "");

	(void)state;
	link_dns_free(dns);
	start(false, false);
	assert_int_equal(link_dns_clear(dns, "vpn0"), 0);
	assert_int_equal(link_dns_set(dns, "vpn0", &cp), 0);
	wait_heard(1);
	assert_int_equal(last.err, -EXDEV);
	assert_string_equal(last.text, "");
}

/* Whoever asks for what no gateway's message could say is taken for an enemy. */
static void nothing_else_is_run(void **state)
{
	static const struct {
		const char *name, *server, *domains;
	} rows[] = {
		{ "vpn0", "10.0.0.53", "--help" },   { "vpn0", "10.0.0.53", "a.b;reboot" },
		{ "vpn0", "10.0.0.53", "a.b  c.d" }, { "vpn0", "10.0.0.53", "$(id).example" },
		{ "vpn0", "10.0.0.53", ".example" }, { "vpn0", "127.0.0.53", "" },
		{ "vpn0", "224.0.0.1", "" },	     { "../vpn0", "10.0.0.53", "" },
		{ "vpn 0", "10.0.0.53", "" },	     { "", "10.0.0.53", "" },
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct ike_cp cp = settings(rows[i].server, rows[i].domains);
		int err = link_dns_set(dns, rows[i].name, &cp);

		for (unsigned int k = 0; k < 500 && err != -EPIPE; k++) {
			usleep(10000);
			err = link_dns_clear(dns, "vpn0");
		}
		assert_int_equal(err, -EPIPE);
		event_base_loop(base, EVLOOP_NONBLOCK);
		assert_int_equal(heard, 0);
		link_dns_free(dns);
		start(true, false);
	}
}

static void it_works_behind_all_walls(void **state)
{
	const struct ike_cp cp = settings("10.0.0.53", "");

	(void)state;
#ifdef __SANITIZE_ADDRESS__
	skip();
#endif
	link_dns_free(dns);
	/* neither a file can be made, nor a socket of the network */
	write_program("touch "
		      "/tmp/esptun-dns-made"
		      "; bash -c 'echo > /dev/udp/127.0.0.1/9'; exit 3");
	start(true, true);
	assert_int_equal(link_dns_set(dns, "vpn0", &cp), 0);
	wait_heard(1);
	assert_int_equal(last.err, -EIO);
	if (!strstr(last.text, "ermission denied"))
		fail_msg("%s", last.text);
	write_program("echo \"$@\"");
	assert_int_equal(link_dns_set(dns, "vpn0", &cp), 0);
	wait_heard(2);
	assert_int_equal(last.err, 0);
}

/* ---- what the agent says ------------------------------------------------------------------ */

static void says(const char *words)
{
	if (!strstr(said, words))
		fail_msg("\"%s\" is not in: %s", words, said);
}

static void the_agent_says_what_came_of_it(void **state)
{
	struct ike_cp cp = settings("10.0.0.53", "corp.example");
	struct link_dns_outcome o = { .name = "vpn0" };
	struct agent_helpers helpers = { .link_dns = dns };
	struct agent a = { .helpers = &helpers };
	struct tunnel t = { .agent = &a,
			    .conf = { .name = "vpn0", .asks_address = true },
			    .state = IKE_TUNNEL_UP,
			    .device = "vpn0" };

	(void)state;
	a.tunnels = &t;
	*said = 0;
	assert_int_equal(given_take(&t, &cp), 0);
	assert_string_equal(said, ""); /* the netdevice has no address yet */
	given_use_names(&t);
	assert_true(t.names_set);
	wait_heard(1);
	given_on_names(&a, &o);
	says("the peer's name servers are 10.0.0.53, for the domains corp.example: used, by systemd-resolved");
	o.err = -ENOENT;
	given_on_names(&a, &o);
	says("not used, for there is no systemd-resolved; with systemd-resolved it is: resolvectl dns vpn0 10.0.0.53, else");
	o.err = -EXDEV;
	given_on_names(&a, &o);
	says("another network namespace");
	o.err = -EIO;
	strcpy(o.text, "Failed");
	given_on_names(&a, &o);
	says("for resolvectl says: Failed; with");
	/* the file is changed while it runs, and back */
	t.given_is_new = false;
	given_change(&t);
	assert_false(t.given_is_new);
	t.conf.leaves_dns = true;
	given_change(&t);
	assert_false(t.names_set);
	assert_true(t.given_is_new);
	given_use_names(&t);
	says("not used, by DNS = no");
	t.given_is_new = t.conf.leaves_dns = false;
	given_change(&t);
	assert_true(t.given_is_new);
	given_use_names(&t);
	assert_true(t.names_set);
	wait_heard(2);
	/* of a netdevice that has none any more */
	*said = 0;
	given_forget(&t);
	assert_false(t.names_set);
	given_on_names(&a, &o);
	assert_string_equal(said, "");
	/* left alone */
	t.conf.leaves_dns = true;
	*cp.domains = 0;
	assert_int_equal(given_take(&t, &cp), 0);
	given_use_names(&t);
	assert_false(t.names_set);
	says("for all names: not used, by DNS = no");
	given_forget(&t);
}

/* Through a tunnel that is down nobody would find where its peer is now. */
static void names_are_asked_there_while_the_tunnel_is_up(void **state)
{
	const struct ike_cp cp = settings("10.0.0.53", "");
	struct agent_helpers helpers = { .link_dns = dns };
	struct agent a = { .helpers = &helpers };
	struct tunnel t = { .agent = &a,
			    .conf = { .name = "vpn0", .asks_address = true },
			    .restore_at = UINT64_MAX,
			    .device = "vpn0" };

	(void)state;
	a.tunnels = &t;
	write_telling_program();
	given_follow_state(&t);
	assert_int_equal(given_take(&t, &cp), 0);
	given_use_names(&t); /* too early */
	assert_false(t.names_set);
	t.given_is_new = false;
	t.state = IKE_TUNNEL_UP;
	given_follow_state(&t);
	assert_true(t.given_is_new);
	assert_int_equal(t.restore_at, 1);
	given_use_names(&t);
	assert_true(t.names_set);
	wait_heard(1);
	t.given_is_new = false;
	given_follow_state(&t); /* told twice */
	assert_false(t.given_is_new);
	t.state = IKE_TUNNEL_CONNECTING;
	given_follow_state(&t);
	assert_false(t.names_set);
	assert_false(t.given_is_new);
	wait_reverts(1);
	/* and back, with what is known already */
	assert_int_equal(given_take(&t, &cp), 0);
	assert_false(t.given_is_new);
	t.state = IKE_TUNNEL_UP;
	given_follow_state(&t);
	assert_true(t.given_is_new);
	/* those of a former agent, of whose SAs nobody knows whether they lead anywhere */
	given_forget(&t);
	found = cp;
	found.address[0] = found.server[0];
	given_find(&t);
	assert_non_null(t.given);
	wait_reverts(2);
	given_forget(&t);
	memset(&found, 0, sizeof(found));
}

/* ---- routes that a hub tells ------------------------------------------------------------- */

static struct ike_ts_list selectors(const char *text)
{
	struct ike_ts_list l = { .n = 0 };
	char err[200];

	assert_int_equal(ike_ts_from_text(text, &l, err, sizeof(err)), 0);
	return l;
}

static void told_is(const struct tunnel *t, const char *want)
{
	char text[400] = "", addr[64];

	for (unsigned int i = 0; i < t->n_told; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s/%u ",
			 ike_addr_print(addr, sizeof(addr), &t->told[i].addr), t->told[i].len);
	assert_string_equal(text, want);
}

static void tell(struct ike_cp *cp, const char *addr, uint8_t len)
{
	assert_int_equal(ike_addr_from_text(addr, &cp->subnet[cp->n_subnets].addr), 0);
	cp->subnet[cp->n_subnets++].len = len;
}

static void routes_are_told_by_the_peer(void **state)
{
	static const struct agent_helpers none;
	struct ike_child_conf child = { .remote_ts = selectors("10.0.0.0/8") };
	struct net_prefix own = { .len = 16 };
	struct agent a = { .helpers = &none };
	struct tunnel t = { .agent = &a,
			    .conf = { .name = "vpn0", .asks_address = true, .asks_routes = true },
			    .device = "vpn0" };
	struct ike_ts_list narrowed;
	struct ike_cp cp = { .type = IKE_CP_REPLY };

	(void)state;
	a.tunnels = &t;
	t.conf.child = &child;
	t.conf.n_child = 1;
	t.conf.routes = &own;
	t.conf.n_routes = 1;
	assert_int_equal(ike_addr_from_text("10.7.0.0", &own.addr), 0);
	assert_int_equal(ike_addr_from_text("10.66.0.1", &t.conf.endpoint_addr), 0);
	tell(&cp, "10.1.0.0", 16);
	tell(&cp, "10.2.0.0", 16);
	tell(&cp, "10.1.0.0", 16); /* twice */
	tell(&cp, "10.7.0.0", 16); /* in the file, too */
	*said = 0;
	assert_int_equal(given_take(&t, &cp), 0);
	told_is(&t, "10.1.0.0/16 10.2.0.0/16 ");
	assert_string_equal(said, "");
	assert_true(t.given_is_new);
	/* not what the file does not allow */
	tell(&cp, "192.168.0.0", 16);
	assert_int_equal(given_take(&t, &cp), 0);
	told_is(&t, "10.1.0.0/16 10.2.0.0/16 ");
	says("routes 192.168.0.0/16 for us, which Selectors do not allow");
	/* nor where the peer is, unless it is not for all packets */
	tell(&cp, "10.64.0.0", 10);
	assert_int_equal(given_take(&t, &cp), 0);
	told_is(&t, "10.1.0.0/16 10.2.0.0/16 ");
	says("routes 10.64.0.0/10 for us, but 10.66.0.1, a peer, is in it: no route; to have it, set Table and FwMark");
	t.conf.table = 7;
	given_change(&t);
	told_is(&t, "10.1.0.0/16 10.2.0.0/16 10.64.0.0/10 ");
	/* networks that are told count more than selectors */
	narrowed = selectors("10.9.0.0-10.9.0.255");
	given_take_selectors(&t, &narrowed);
	told_is(&t, "10.1.0.0/16 10.2.0.0/16 10.64.0.0/10 ");
	cp.n_subnets = 0;
	assert_int_equal(given_take(&t, &cp), 0);
	given_take_selectors(&t, &narrowed);
	told_is(&t, "10.9.0.0/24 ");
	t.given_is_new = false;
	given_take_selectors(&t, &narrowed); /* as when it is rekeyed */
	assert_false(t.given_is_new);
	t.conf.asks_routes = false;
	given_change(&t);
	told_is(&t, "");
	assert_true(t.given_is_new); /* so that they are taken away */
	given_forget(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(of_some_domains_these_alone, begin, end),
		cmocka_unit_test_setup_teardown(without_domains_all_names, begin, end),
		cmocka_unit_test_setup_teardown(what_goes_wrong_is_told, begin, end),
		cmocka_unit_test_setup_teardown(elsewhere_nothing_is_run, begin, end),
		cmocka_unit_test_setup_teardown(nothing_else_is_run, begin, end),
		cmocka_unit_test_setup_teardown(it_works_behind_all_walls, begin, end),
		cmocka_unit_test_setup_teardown(the_agent_says_what_came_of_it, begin, end),
		cmocka_unit_test_setup_teardown(names_are_asked_there_while_the_tunnel_is_up, begin,
						end),
		cmocka_unit_test(routes_are_told_by_the_peer),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests_name("link_dns", tests, NULL, NULL);
}
