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
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
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

uint64_t loop_awake(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
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

static struct net_prefix made[4]; /* routes of ours */
static unsigned int n_made;

unsigned int net_routes(struct net *n, const char *name, struct net_prefix *out, unsigned int max)
{
	(void)n;
	(void)name;
	(void)max;
	memcpy(out, made, sizeof(made));
	return n_made;
}

static struct net_prefix near; /* of another netdevice; family 0: there is none */

bool net_is_near(struct net *n, const struct net_prefix *p, uint32_t except)
{
	(void)n;
	(void)except;
	return near.len && p->len >= near.len && ike_addr_in_net(&p->addr, &near.addr, near.len);
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
	const struct link_dns_options o = {
		.program = program, .patience = 300, .at_home = at_home, .seccomp = seccomp
	};
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

/* A minute, in turns of 10 ms: who waits longer waits for what does not come, however slow the machine is. */
enum { TURNS = 6000 };

static void wait_heard(unsigned int n)
{
	for (unsigned int i = 0; i < TURNS && heard < n; i++) {
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
	for (unsigned int i = 0; i < TURNS && reverts < n; i++) {
		event_base_loop(base, EVLOOP_NONBLOCK);
		usleep(10000);
	}
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

/* The program is waited for, whether it keeps its output open or not. */
static void a_program_that_stays_is_ended(void **state)
{
	const struct ike_cp cp = settings("10.0.0.53", "corp.example");

	(void)state;
	write_program("exec sleep 60");
	assert_int_equal(link_dns_set(dns, "vpn0", &cp), 0);
	wait_heard(1);
	assert_int_equal(last.err, -ETIMEDOUT);
	write_program("exec sleep 60 >&- 2>&-");
	assert_int_equal(link_dns_set(dns, "vpn0", &cp), 0);
	wait_heard(2);
	assert_int_equal(last.err, -ETIMEDOUT);
	write_program("echo \"$@\"; exec >&- 2>&-; sleep 0.05");
	assert_int_equal(link_dns_set(dns, "vpn0", &cp), 0);
	wait_heard(3);
	assert_int_equal(last.err, 0);
}

/* While the process is busy, and its socket is full: of each netdevice the last wish is kept. */
static void no_wish_is_lost(void **state)
{
	struct ike_cp cp = settings("10.0.0.53", "");

	(void)state;
	write_telling_program();
	for (unsigned int i = 0; i < 2000; i++)
		assert_int_equal(link_dns_clear(dns, "vpn1"), 0);
	assert_int_equal(link_dns_set(dns, "vpn0", &cp), 0);
	assert_int_equal(link_dns_clear(dns, "vpn0"), 0);
	assert_int_equal(link_dns_set(dns, "vpn2", &cp), 0);
	wait_reverts(1);
	wait_heard(1);
	/* The process may be so fast, or this one so slow, that vpn0's first wish left in time. */
	if (!strcmp(last.name, "vpn0"))
		wait_heard(2);
	assert_string_equal(last.name, "vpn2");
	assert_int_equal(last.err, 0);
}

static void who_waits_hears_that_the_process_ended(void **state)
{
	struct ike_cp cp = settings("10.0.0.53", "");

	(void)state;
	write_program("sleep 0.2; kill -9 $PPID");
	for (unsigned int i = 0; i < 2000; i++)
		assert_int_equal(link_dns_clear(dns, "vpn1"), 0);
	assert_int_equal(link_dns_set(dns, "vpn0", &cp), 0);
	wait_heard(1);
	assert_int_equal(last.err, -EPIPE);
	assert_string_equal(last.name, "vpn0");
	assert_int_equal(link_dns_set(dns, "vpn0", &cp), -EPIPE);
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

/* Sockets of a network namespace, as Linux lists them. */
static void the_list_of_sockets_is_read(void **state)
{
	static const struct {
		const char *line;
		bool is_there;
	} rows[] = {
		{ "0000000000000000: 00000002 00000000 00010000 0001 01 11542 /run/systemd/private",
		  true },
		{ "ffff8881: 00000002 00000000 00010000 0001 01 4294967295 /run/systemd/private",
		  true },
		{ "0000000000000000: 00000003 00000000 00000000 0001 03 11542", false },
		{ "0000000000000000: 00000003 00000000 00000000 0001 03 11542 @/run/systemd/private",
		  false },
		{ "0000000000000000: 00000002 00000000 00010000 0001 01 11542  /run/systemd/private",
		  false },
		{ "0000000000000000: 00000002 00000000 00010000 0001 01 11542 /run/systemd/privat",
		  false },
		{ "0000000000000000: 00000002 00000000 00010000 0001 01 11542 /run/systemd/private2",
		  false },
		{ "/run/systemd/private", false },
		{ "", false },
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		FILE *f = fopen(program, "w");

		assert_non_null(f);
		fprintf(f, "Num       RefCount Protocol Flags    Type St Inode Path\n%s\n%s\n",
			"0000000000000000: 00000002 00000000 00010000 0001 01 11541 /run/x",
			rows[i].line);
		fclose(f);
		if (link_dns_lists(program, "/run/systemd/private") != rows[i].is_there)
			fail_msg("row %u: %s", i, rows[i].line);
	}
	assert_false(link_dns_lists("/none/of/it", "/run/systemd/private"));
}

/* And really lists them: one that was bound, only in the network namespace in which it was. */
static void a_socket_is_listed_where_it_was_bound(void **state)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), home;

	(void)state;
	snprintf(to.sun_path, sizeof(to.sun_path), "%s/socket", dir);
	assert_int_equal(bind(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	assert_true(link_dns_lists("/proc/self/net/unix", to.sun_path));
	home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (!unshare(CLONE_NEWNET)) { /* by root */
		assert_false(link_dns_lists("/proc/self/net/unix", to.sun_path));
		assert_int_equal(setns(home, CLONE_NEWNET), 0);
	}
	close(home);
	close(fd);
	unlink(to.sun_path);
}

/* What no gateway's message could say is not done; what is asked for others is. */
static void nothing_else_is_run(void **state)
{
	static const struct {
		const char *name, *server, *domains;
	} rows[] = {
		{ "vpn0", "10.0.0.53", "--help" },     { "vpn0", "10.0.0.53", "a.b;reboot" },
		{ "vpn0", "10.0.0.53", "a.b  c.d" },   { "vpn0", "10.0.0.53", "$(id).example" },
		{ "vpn0", "10.0.0.53", ".example" },   { "vpn0", "127.0.0.53", "" },
		{ "vpn0", "224.0.0.1", "" },	       { "../vpn0", "10.0.0.53", "" },
		{ "vpn 0", "10.0.0.53", "" },	       { "", "10.0.0.53", "" },
		{ "tunnel\xc3\xbc", "10.0.0.53", "" },
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ike_cp cp = settings(rows[i].server, rows[i].domains);

		assert_int_equal(link_dns_set(dns, rows[i].name, &cp), 0);
		wait_heard(2 * i + 1);
		assert_int_equal(last.err, -EINVAL);
		assert_string_equal(last.name, rows[i].name);
		assert_string_equal(last.text, "");
		cp = settings("10.0.0.53", "");
		assert_int_equal(link_dns_set(dns, "vpn1", &cp), 0);
		wait_heard(2 * i + 2);
		assert_int_equal(last.err, 0);
	}
}

#ifndef __SANITIZE_ADDRESS__
/* With the filter of system calls, which sanitizers cannot live with. */
static void it_works_behind_all_walls(void **state)
{
	const struct ike_cp cp = settings("10.0.0.53", "");

	(void)state;
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
#endif

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
	o.err = -EPIPE;
	given_on_names(&a, &o);
	says("not used, for the process that sets them has ended; with");
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
	/* domains that are none do not stand for all */
	cp.has = IKE_CP_HAS(DNS_DOMAIN);
	*cp.domains = 0;
	assert_int_equal(given_take(&t, &cp), 0);
	given_use_names(&t);
	assert_false(t.names_set);
	says("for domains that are no names: not used, for they would be asked of all other names, too; with");
	given_forget(&t);
	cp.has = 0;
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
	says("routes 10.64.0.0/10 for us, where a peer is (10.66.0.1): no route; to have it, set Table and FwMark");
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

/* The one tunnel of an agent, which may send everywhere. */
struct client {
	struct agent a;
	struct tunnel t;
	struct ike_child_conf child[2];
	struct ike_cp cp;
};

static struct client *client_new(void)
{
	static const struct agent_helpers none;
	struct client *c = calloc(1, sizeof(*c));

	assert_non_null(c);
	c->a.helpers = &none;
	c->a.tunnels = &c->t;
	c->t.agent = &c->a;
	strcpy(c->t.conf.name, "vpn0");
	c->t.conf.asks_address = c->t.conf.asks_routes = true;
	c->t.conf.child = c->child;
	c->t.conf.n_child = 1;
	c->child[0].remote_ts = c->child[1].remote_ts = selectors("any");
	c->cp.type = IKE_CP_REPLY;
	return c;
}

static void client_free(struct client *c)
{
	given_forget(&c->t);
	owned_free(&c->t.owned);
	free(c);
	memset(&near, 0, sizeof(near));
	n_made = 0;
}

static void no_route_to_what_is_here(void **state)
{
	static const struct {
		const char *addr, *words; /* NULL: it may be told */
		uint8_t len;
	} rows[] = {
		{ "10.0.0.0", NULL, 8 },
		{ "100.64.0.0", NULL, 10 },
		{ "fd00::", NULL, 8 },
		{ "64:ff9b::", NULL, 96 },
		{ "169.254.169.254", "no host", 32 },
		{ "168.0.0.0", "no host", 7 },
		{ "127.0.0.53", "no host", 32 },
		{ "0.0.0.0", "no host", 1 },
		{ "128.0.0.0", "no host", 1 },
		{ "224.0.0.0", "no host", 4 },
		{ "255.255.255.255", "no host", 32 },
		{ "fe80::", "no host", 64 },
		{ "::1", "no host", 128 },
		{ "::ffff:10.0.0.0", "no host", 104 },
		{ "ff02::", "no host", 16 },
		{ "198.51.100.0", "where a peer is (198.51.100.1)", 24 }, /* by configuration */
		{ "203.0.113.5", "where a peer is (203.0.113.5)", 32 }, /* where it moved to */
		{ "192.168.1.0", "another netdevice here", 24 },
		{ "192.168.1.53", "another netdevice here", 32 },
		{ "192.168.0.0", NULL, 16 }, /* what is more specific here counts */
		{ "172.31.1.0", "where the gateway on the way to it is (172.31.1.1)", 24 },
	};
	const struct ike_addr moved = { 4, { 203, 0, 113, 5 } };

	(void)state;
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct client *c = client_new();

		near = (struct net_prefix){ { 4, { 192, 168, 1 } }, 24 };
		c->t.path.gateway = (struct ike_addr){ 4, { 172, 31, 1, 1 } };
		c->t.conf.endpoint_addr = (struct ike_addr){ 4, { 198, 51, 100, 1 } };
		assert_true(owned_add_peer(&c->t.owned, IKE_PEER_FIRST, 1));
		assert_true(owned_set_remote(&c->t.owned, IKE_PEER_FIRST, &moved));
		tell(&c->cp, rows[i].addr, rows[i].len);
		*said = 0;
		assert_int_equal(given_take(&c->t, &c->cp), 0);
		if (rows[i].words)
			says(rows[i].words);
		else
			assert_string_equal(said, "");
		assert_int_equal(c->t.n_told, !rows[i].words);
		/* who has a table has rules */
		c->t.conf.table = 7;
		given_change(&c->t);
		assert_int_equal(c->t.n_told, 1);
		client_free(c);
	}
}

/* The gateway is in a network here: the way to that stays. */
static void a_route_around_our_network_is_told(void **state)
{
	struct client *c = client_new();

	(void)state;
	near = (struct net_prefix){ { 4, { 192, 168, 1 } }, 24 };
	c->t.path.gateway = (struct ike_addr){ 4, { 192, 168, 1, 1 } };
	tell(&c->cp, "192.168.0.0", 16);
	assert_int_equal(given_take(&c->t, &c->cp), 0);
	told_is(&c->t, "192.168.0.0/16 ");
	client_free(c);
}

static void a_route_goes_when_the_peer_is_behind_it(void **state)
{
	struct client *c = client_new();

	(void)state;
	tell(&c->cp, "203.0.113.0", 24);
	tell(&c->cp, "10.1.0.0", 16);
	assert_int_equal(given_take(&c->t, &c->cp), 0);
	told_is(&c->t, "203.0.113.0/24 10.1.0.0/16 ");
	c->t.given_is_new = false;
	given_judge_routes(&c->t);
	told_is(&c->t, "203.0.113.0/24 10.1.0.0/16 ");
	assert_false(c->t.given_is_new);
	c->t.resolved = (struct ike_addr){ 4, { 203, 0, 113, 5 } };
	given_judge_routes(&c->t);
	told_is(&c->t, "10.1.0.0/16 ");
	assert_true(c->t.given_is_new);
	/* and comes back when it is told there again */
	c->t.resolved = (struct ike_addr){ 4, { 198, 51, 100, 5 } };
	assert_int_equal(given_take(&c->t, &c->cp), 0);
	told_is(&c->t, "203.0.113.0/24 10.1.0.0/16 ");
	client_free(c);
}

static void routes_go_with_whoever_told_them(void **state)
{
	struct client *c = client_new();
	struct ike_ts_list odd = selectors("10.0.0.1-10.255.255.254");

	(void)state;
	tell(&c->cp, "10.1.0.0", 16);
	c->t.conf.n_child = 2;
	assert_int_equal(given_take(&c->t, &c->cp), 0);
	told_is(&c->t, "10.1.0.0/16 ");
	c->cp.n_subnets = 0;
	assert_int_equal(given_take(&c->t, &c->cp), 0);
	told_is(&c->t, "");
	/* of one child SA selectors are told, unless they are more networks than there can be */
	c->cp.n_subnets = 1;
	c->t.conf.n_child = 1;
	assert_int_equal(given_take(&c->t, &c->cp), 0);
	c->cp.n_subnets = 0;
	assert_int_equal(given_take(&c->t, &c->cp), 0);
	told_is(&c->t, "10.1.0.0/16 ");
	given_take_selectors(&c->t, &odd);
	told_is(&c->t, "");
	client_free(c);
}

/* What another agent finds on the netdevice, once the file says less. */
static void routes_that_are_found_are_judged(void **state)
{
	struct client *c = client_new();

	(void)state;
	assert_int_equal(ike_addr_from_text("10.9.0.2", &found.address[0]), 0);
	made[0] = (struct net_prefix){ { 4, { 10, 1 } }, 16 };
	made[1] = (struct net_prefix){ { 4, { 10, 2 } }, 16 };
	made[2] = (struct net_prefix){ { 4, { 198, 51, 100 } }, 24 };
	n_made = 3;
	c->t.conf.routes = &made[0]; /* in the file */
	c->t.conf.n_routes = 1;
	c->child[0].remote_ts = selectors("10.0.0.0/8");
	given_find(&c->t);
	told_is(&c->t, "10.2.0.0/16 ");
	memset(&found, 0, sizeof(found));
	client_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(of_some_domains_these_alone, begin, end),
		cmocka_unit_test_setup_teardown(without_domains_all_names, begin, end),
		cmocka_unit_test_setup_teardown(what_goes_wrong_is_told, begin, end),
		cmocka_unit_test_setup_teardown(a_program_that_stays_is_ended, begin, end),
		cmocka_unit_test_setup_teardown(no_wish_is_lost, begin, end),
		cmocka_unit_test_setup_teardown(who_waits_hears_that_the_process_ended, begin, end),
		cmocka_unit_test_setup_teardown(elsewhere_nothing_is_run, begin, end),
		cmocka_unit_test_setup_teardown(the_list_of_sockets_is_read, begin, end),
		cmocka_unit_test_setup_teardown(a_socket_is_listed_where_it_was_bound, begin, end),
		cmocka_unit_test_setup_teardown(nothing_else_is_run, begin, end),
#ifndef __SANITIZE_ADDRESS__
		cmocka_unit_test_setup_teardown(it_works_behind_all_walls, begin, end),
#endif
		cmocka_unit_test_setup_teardown(the_agent_says_what_came_of_it, begin, end),
		cmocka_unit_test_setup_teardown(names_are_asked_there_while_the_tunnel_is_up, begin,
						end),
		cmocka_unit_test(routes_are_told_by_the_peer),
		cmocka_unit_test(no_route_to_what_is_here),
		cmocka_unit_test(a_route_around_our_network_is_told),
		cmocka_unit_test(a_route_goes_when_the_peer_is_behind_it),
		cmocka_unit_test(routes_go_with_whoever_told_them),
		cmocka_unit_test(routes_that_are_found_are_judged),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests_name("link_dns", tests, NULL, NULL);
}
