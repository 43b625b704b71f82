// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fetching: what the agent lets be fetched and what it makes of each end, with the real process, its filter on, and a
 * server of HTTP that does what it should not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "ike/app/agent_int.h"
#include "ike/app/fetch_serve.h"
#include "ike/proto/addr.h"

#ifdef __SANITIZE_ADDRESS__ /* it makes system calls of its own */
#define SECCOMP false
#else
#define SECCOMP true
#endif

/* ---- the rest of the agent ----------------------------------------------------------------------- */

static struct event_base *base;
static struct agent agent;
static struct tunnel tunnel, other;
static struct agent_helpers helpers;

static struct ike_fetched got; /* the last thing that the core was told, … */
static uint8_t got_data[IKE_MAX_FETCHED];
static char got_uri[PKI_MAX_URI], got_fault[256], said[1024];
static unsigned int n_got, n_done; /* … so many of these, and of jobs that ended */
static struct ike_addr own, inside; /* addresses: of this machine, and through the other tunnel */
static uint64_t later; /* ms that the agent's clock is ahead */
static uint64_t stopped; /* what it says while it stands still, else 0 */

struct event_base *loop_base(struct loop *l)
{
	(void)l;
	return base;
}

uint64_t loop_now(void)
{
	return stopped ? stopped : (uint64_t)clock_ms() + later;
}

uint64_t loop_awake(void)
{
	return loop_now();
}

void agent_wake(struct agent *a)
{
	assert_ptr_equal(a, &agent);
}

void core_fetched(struct core *c, const struct ike_fetched *f, uint64_t now)
{
	(void)c;
	(void)now;
	got = *f;
	snprintf(got_uri, sizeof(got_uri), "%s", f->uri);
	snprintf(got_fault, sizeof(got_fault), "%s", f->fault ? f->fault : "");
	if (f->data.len)
		memcpy(got_data, f->data.base, f->data.len);
	n_got++;
}

void core_job_done(struct core *c, const struct ike_job_result *r, uint64_t now)
{
	(void)c;
	(void)now;
	assert_int_equal(r->error, 0);
	n_done++;
	event_base_loopbreak(base);
}

struct tunnel *tunnel_by_name(const struct agent *a, const char *name)
{
	(void)a;
	return strcmp(name, "vpn0") ? NULL : &tunnel;
}

struct tunnel *tunnel_by_index(const struct agent *a, uint32_t ifindex)
{
	(void)a;
	return ifindex == 7 ? &other : NULL;
}

bool net_is_own(struct net *n, const struct ike_addr *addr)
{
	(void)n;
	return ike_addr_eq(addr, &own);
}

void net_find_path(struct net *n, const struct ike_addr *remote, const struct ike_addr *local,
		   uint32_t mark, struct net_path *p)
{
	(void)n;
	(void)local;
	(void)mark;
	memset(p, 0, sizeof(*p));
	p->oif = ike_addr_eq(remote, &inside) ? 7 : 2;
}

bool given_has_no_hosts(const struct net_prefix *p)
{
	return !ike_addr_is_host(&p->addr) ||
	       (p->addr.family == 4 && p->addr.b[0] == 169 && p->addr.b[1] == 254);
}

void log_core(enum ike_log_level level, const char *tunnel_name, const uint8_t *spi_i,
	      const uint8_t *spi_r, const char *text, uint64_t now)
{
	(void)level;
	(void)tunnel_name;
	(void)spi_i;
	(void)spi_r;
	(void)now;
	snprintf(said, sizeof(said), "%s", text);
}

bool log_wants(enum ike_log_level level)
{
	(void)level;
	return false;
}

void log_say(enum ike_log_level level, const char *tunnel_name, const char *fmt, ...)
{
	va_list ap;

	(void)level;
	(void)tunnel_name;
	va_start(ap, fmt);
	vsnprintf(said, sizeof(said), fmt, ap);
	va_end(ap);
}

/* ---- a server ------------------------------------------------------------------------------------ */

static uint16_t port;
static pid_t server;

static void put(int fd, const char *text)
{
	if (write(fd, text, strlen(text)) < 0)
		_exit(0);
}

static void be_large(int fd)
{
	char chunk[1024];

	memset(chunk, 'x', sizeof(chunk));
	put(fd, "HTTP/1.0 200 OK\r\n\r\n");
	for (;;) {
		if (write(fd, chunk, sizeof(chunk)) < 0)
			return;
	}
}

static void be_slow(int fd)
{
	put(fd, "HTTP/1.0 200 OK\r\n\r\n");
	for (;;) {
		put(fd, "x");
		usleep(100000);
	}
}

static const struct {
	const char *request, *answer;
} answers[] = {
	{ "GET /good ", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nGOOD" },
	{ "GET /chunks ",
	  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nGOOD\r\n0\r\n\r\n" },
	{ "GET /old ", "HTTP/1.0 200 OK\r\n\r\nGOOD" },
	{ "GET /none ", "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nNO" },
	{ "GET /empty ", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" },
	{ "GET /said-large ", "HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\nx" },
	{ "GET /cut ", "HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\nGOOD" },
	{ "GET /junk ", "SSH-2.0-OpenSSH_9.2\r\n\r\n" },
	{ "GET /loop ", "HTTP/1.1 302 Found\r\nLocation: /loop\r\nContent-Length: 0\r\n\r\n" },
	{ "GET /there ", "HTTP/1.1 301 Moved\r\nLocation: /good\r\nContent-Length: 0\r\n\r\n" },
	{ "GET /https ",
	  "HTTP/1.1 302 Found\r\nLocation: https://127.0.0.1/\r\nContent-Length: 0\r\n\r\n" },
	{ "GET /file ",
	  "HTTP/1.1 302 Found\r\nLocation: file:///etc/shadow\r\nContent-Length: 0\r\n\r\n" },
	{ "GET /meta ",
	  "HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/x\r\nContent-Length: 0\r\n\r\n" },
	{ "GET /nowhere ", "HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n" },
	{ "POST /ocsp ", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nOCSP" },
};

static void answer(int fd)
{
	char request[4096];
	ssize_t n = read(fd, request, sizeof(request) - 1);

	if (n <= 0)
		return;
	request[n] = 0;
	if (!strncmp(request, "GET /large ", 11))
		be_large(fd);
	if (!strncmp(request, "GET /slow ", 10))
		be_slow(fd);
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		if (strncmp(request, answers[i].request, strlen(answers[i].request)) != 0)
			continue;
		if (*request == 'P' &&
		    (!strstr(request, "Content-Type: application/ocsp-request\r\n") ||
		     !strstr(request, "\r\n\r\nASK")))
			continue;
		if (!strstr(request, "\r\nHost: 127.0.0.1:"))
			continue;
		put(fd, answers[i].answer);
	}
}

static int start_server(void **state)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	(void)state;
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 16), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	port = ntohs(at.sin_port);
	server = fork();
	if (!server) {
		signal(SIGCHLD, SIG_IGN);
		for (;;) {
			int one = accept(fd, NULL, NULL);

			if (!fork()) {
				answer(one);
				_exit(0);
			}
			close(one);
		}
	}
	close(fd);
	base = event_base_new();
	return base && server > 0 ? 0 : -1;
}

static int end_server(void **state)
{
	(void)state;
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	event_base_free(base);
	return 0;
}

/* ---- asking ----------------------------------------------------------------------------------------- */

static struct net_prefix loopback = { { 4, { 127 } }, 8 };

static int begin(void **state)
{
	const struct spawn_options o = { .kind = SPAWN_FETCH, .seccomp = SECCOMP };
	char err[512];

	(void)state;
	memset(&agent, 0, sizeof(agent));
	helpers.fetch_spawn = spawn_start(&o, err, sizeof(err));
	assert_non_null(helpers.fetch_spawn);
	agent.helpers = &helpers;
	tunnel.agent = &agent;
	tunnel.fetches = (struct bucket){ 0 };
	snprintf(tunnel.conf.name, sizeof(tunnel.conf.name), "vpn0");
	snprintf(other.conf.name, sizeof(other.conf.name), "vpn1");
	tunnel.conf.fetch = true;
	tunnel.conf.fetch_from = &loopback;
	tunnel.conf.n_fetch_from = 1;
	own = inside = (struct ike_addr){ 0 };
	n_got = n_done = 0;
	return 0;
}

static int end(void **state)
{
	(void)state;
	fetch_free(&agent);
	spawn_free(helpers.fetch_spawn);
	return 0;
}

static int ask(const char *uri, const char *request)
{
	const struct ike_job job = {
		.id = 1,
		.kind = IKE_JOB_FETCH,
		.octets = { { uri, strlen(uri) }, { request, request ? strlen(request) : 0 } },
	};

	return fetch_begin(&tunnel, &job);
}

/* Until so many jobs are over, 8 seconds at most. */
static void wait_for(unsigned int jobs)
{
	int64_t limit = clock_ms() + 60000;
	const struct timeval some = { .tv_usec = 50000 };

	while (n_done < jobs && clock_ms() < limit) {
		event_base_loopexit(base, &some);
		event_base_dispatch(base);
	}
	assert_int_equal(n_done, jobs);
}

/* Is there a process that fetches for us? */
static bool process_runs(void)
{
	char command[128], line[64];
	bool runs;
	FILE *f;

	snprintf(command, sizeof(command),
		 "pgrep -x -P \"$(pgrep -n -x -P %d esptund-fspawn)\" esptund-fetch", getpid());
	f = popen(command, "r");
	assert_non_null(f);
	runs = fgets(line, sizeof(line), f);
	pclose(f);
	return runs;
}

static const char *url(const char *path)
{
	static char text[PKI_MAX_URI];

	snprintf(text, sizeof(text), "http://127.0.0.1:%u%s", port, path);
	return text;
}

static void expect(const char *uri, const char *request, const char *data, const char *fault)
{
	unsigned int before = n_done;

	assert_int_equal(ask(uri, request), 0);
	assert_int_equal(n_done, before); /* never from within */
	wait_for(before + 1);
	assert_string_equal(got_uri, uri);
	if (data) {
		if (*got_fault)
			fail_msg("%s: %s", uri, got_fault);
		assert_false(got.kept);
		assert_int_equal(got.data.len, strlen(data));
		assert_memory_equal(got_data, data, strlen(data));
		return;
	}
	if (!strstr(got_fault, fault))
		fail_msg("%s: '%s', not '%s'", uri, got_fault, fault);
	assert_null(got.data.base);
	assert_non_null(strstr(said, "cannot fetch the "));
	assert_non_null(strstr(said, uri));
	assert_non_null(strstr(said, fault));
}

static void what_is_there_is_brought(void **state)
{
	(void)state;
	expect(url("/good"), NULL, "GOOD", NULL);
	assert_non_null(strstr(said, "fetched the CRL at "));
	expect(url("/chunks"), NULL, "GOOD", NULL);
	expect(url("/old"), NULL, "GOOD", NULL);
	expect(url("/there"), NULL, "GOOD", NULL);
	expect(url("/ocsp"), "ASK", "OCSP", NULL);
}

static void what_is_wrong_is_said(void **state)
{
	(void)state;
	expect(url("/none"), NULL, NULL, "HTTP status 404");
	expect(url("/empty"), NULL, NULL, "nothing is there");
	expect(url("/large"), NULL, NULL, "it is larger than 262144 bytes");
	expect(url("/said-large"), NULL, NULL, "it is larger than 262144 bytes");
	expect(url("/cut"), NULL, NULL, "no answer of HTTP, or is cut off");
	expect(url("/junk"), NULL, NULL, "no answer of HTTP, or is cut off");
	expect(url("/loop"), NULL, NULL, "more than 3 redirects");
	expect(url("/https"), NULL, NULL,
	       "it redirects to 'https://127.0.0.1/', and only http:// is followed");
	expect(url("/file"), NULL, NULL, "only http:// is followed");
	expect(url("/nowhere"), NULL, NULL, "only http:// is followed");
	expect(url("/meta"), NULL, NULL, "169.254.169.254 is an address that no host beyond");
	expect("http://127.0.0.1:1/x", NULL, NULL, "no connection to 127.0.0.1, port 1");
	expect("http://user@127.0.0.1/x", NULL, NULL, "no http:// address that can be used");
	expect("https://127.0.0.1/x", NULL, NULL, "no http:// address that can be used");
	expect("http://127.0.0.1:99999/x", NULL, NULL, "no http:// address that can be used");
}

static void patience_ends(void **state)
{
	uint64_t began = loop_now();

	(void)state;
	expect(url("/slow"), NULL, NULL, "there was no whole answer within 5 seconds");
	assert_in_range(loop_now() - began, 4000, 20000);
}

static void some_addresses_are_forbidden(void **state)
{
	(void)state;
	tunnel.conf.n_fetch_from = 0;
	expect("http://127.0.0.1/x", NULL, NULL,
	       "127.0.0.1 is an address that no host beyond a router has, and nothing is fetched from "
	       "there without FetchFrom = 127.0.0.1 in [Peer]");
	expect("http://[::1]/x", NULL, NULL, "::1 is an address");
	expect("http://[::ffff:127.0.0.1]/x", NULL, NULL, "is an address that");
	expect("http://169.254.169.254/latest/meta-data", NULL, NULL,
	       "169.254.169.254 is an address");
	expect("http://0.0.0.0/x", NULL, NULL, "0.0.0.0 is an address");
	own = (struct ike_addr){ 4, { 10, 1, 2, 3 } };
	expect("http://10.1.2.3/x", NULL, NULL, "10.1.2.3 is an address of this machine");
	inside = (struct ike_addr){ 4, { 10, 9, 9, 9 } };
	expect("http://10.9.9.9/x", NULL, NULL, "10.9.9.9 is reached through the tunnel vpn1");
	assert_false(process_runs()); /* no process was needed */
	tunnel.conf.fetch = false;
	assert_int_equal(ask("http://192.0.2.1/x", NULL), -EINVAL);
}

/* The same thing for two jobs is fetched once; and no more at a time than there may be. */
static void fetches_are_shared_and_bounded(void **state)
{
	char path[32];
	unsigned int i;

	(void)state;
	assert_int_equal(ask(url("/good"), NULL), 0);
	assert_int_equal(ask(url("/good"), NULL), 0);
	wait_for(2);
	assert_int_equal(n_got, 1);
	for (i = 0; i < 48; i++) {
		snprintf(path, sizeof(path), "/good?%u", i);
		assert_int_equal(ask(url(path), NULL), 0);
	}
	assert_int_equal(ask(url("/good"), NULL), -EBUSY);
	assert_int_equal(ask(url("/good?3"), NULL), 0); /* that is no other one */
	wait_for(2 + 49);
	assert_false(process_runs()); /* the process is gone when there is nothing to do */
	/* Nor more in a time, however long each of them takes here. */
	stopped = loop_now();
	for (i = 0; i < 400 && !ask(url("/good"), NULL); i++)
		wait_for(2 + 49 + i + 1);
	assert_in_range(i, 200, 399);
	stopped += 60000;
	assert_int_equal(ask(url("/good"), NULL), 0);
	later += 60000;
	stopped = 0;
}

/* It is killed, as by what a server sends. */
static void the_process_may_end(void **state)
{
	unsigned int before;

	(void)state;
	assert_int_equal(ask(url("/slow"), NULL), 0);
	event_base_loop(base, EVLOOP_ONCE);
	assert_true(process_runs());
	spawn_kill(helpers.fetch_spawn);
	before = n_done;
	wait_for(before + 1);
	assert_non_null(strstr(got_fault, "the process that fetches has ended"));
	expect(url("/good"), NULL, NULL, "cannot be started");
	later += 2000;
	expect(url("/good"), NULL, "GOOD", NULL);
}

/* What was of use stands in for a server that fails, for CRLs of that address, where a tunnel may ask it. */
static void what_was_of_use_stands_in(void **state)
{
	(void)state;
	expect(url("/good"), NULL, "GOOD", NULL);
	expect(url("/old"), NULL, "GOOD", NULL); /* is of no use */
	expect(url("/ocsp"), "ASK", "OCSP", NULL);
	fetch_keep(&agent, url("/good"));
	fetch_keep(&agent, url("/ocsp"));
	assert_int_equal(ask(url("/slow"), NULL), 0);
	event_base_loop(base, EVLOOP_ONCE);
	spawn_kill(helpers.fetch_spawn);
	wait_for(4); /* now nothing can be fetched for some time */

	assert_int_equal(ask(url("/good"), NULL), 0);
	wait_for(5);
	assert_true(got.kept);
	assert_string_equal(got_fault, "");
	assert_int_equal(got.data.len, 4);
	assert_memory_equal(got_data, "GOOD", 4);
	assert_non_null(strstr(said, "cannot fetch the CRL at "));
	assert_non_null(strstr(said, "; the one that came from there before stands in"));

	expect(url("/old"), NULL, NULL, "cannot be started");
	expect(url("/ocsp"), "ASK", NULL, "cannot be started");
	tunnel.conf.n_fetch_from = 0;
	expect(url("/good"), NULL, NULL, "127.0.0.1 is an address that no host beyond");
	assert_true(got.refused);
	later += 2000;
}

/* The core is gone, and with it who waits. */
static void nobody_may_wait(void **state)
{
	(void)state;
	assert_int_equal(ask(url("/slow"), NULL), 0);
	event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
	fetch_drop(&agent);
	event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
	assert_int_equal(n_done, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_there_is_brought),
		TEST(what_is_wrong_is_said),
		TEST(patience_ends),
		TEST(some_addresses_are_forbidden),
		TEST(fetches_are_shared_and_bounded),
		TEST(the_process_may_end),
		TEST(what_was_of_use_stands_in),
		TEST(nobody_may_wait),
	};

	return cmocka_run_group_tests(tests, start_server, end_server);
}
