// SPDX-License-Identifier: GPL-2.0-or-later
/* The HTTP server of metrics: what requests it takes, and askers that misbehave. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "ike/app/ctl/scrape.h"
#include "ike/io/listen.h"

enum { BIG = 4 << 20 };

static struct event_base *base;
static struct scrapes *all;
static char path[64];
static struct scrape *late; /* asked while @wait, not answered yet */
static bool wait;
static bool openmetrics;
static unsigned int asked;
static size_t size; /* of the answers */

static void answer(struct scrape *s)
{
	struct evbuffer *body = evbuffer_new();
	char *text = calloc(1, size + 1);

	memset(text, 'x', size);
	evbuffer_add(body, text, size);
	scrape_answer(s, "text/plain", body);
	evbuffer_free(body);
	free(text);
}

static void on_scrape(void *ctx, struct scrape *s)
{
	(void)ctx;
	asked++;
	openmetrics = scrape_wants_openmetrics(s);
	if (wait)
		late = s;
	else
		answer(s);
}

static int set_up(void **state)
{
	char err[256], where[80];
	int fd;

	(void)state;
	snprintf(path, sizeof(path), "/tmp/test_scrape.%d", (int)getpid());
	snprintf(where, sizeof(where), "unix:%s", path);
	base = event_base_new();
	fd = listen_local(where, "metrics", "--metrics", err, sizeof(err));
	all = fd < 0 ? NULL : scrapes_new(base, fd, on_scrape, NULL);
	late = NULL;
	wait = false;
	asked = 0;
	size = 3;
	return base && all ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	scrapes_free(all);
	if (late)
		scrape_answer(late, "", NULL);
	event_base_free(base);
	return unlink(path);
}

static int dial(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	memcpy(addr.sun_path, path, strlen(path) + 1);
	assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	return fd;
}

static void turn(void)
{
	for (unsigned int i = 0; i < 20; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
}

static void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
	turn();
}

/* What has come so far; "" if nothing, "closed" at the end. */
static const char *heard(int fd)
{
	static char buf[4096];
	ssize_t n = recv(fd, buf, sizeof(buf) - 1, MSG_DONTWAIT);

	if (n == 0)
		return "closed";
	buf[n > 0 ? n : 0] = 0;
	return buf;
}

#define ASK "GET /metrics HTTP/1.1\r\nHost: localhost\r\n"

static void an_answer_and_the_end(void **state)
{
	int fd = dial();

	(void)state;
	say(fd, ASK "\r\n");
	assert_string_equal(
		heard(fd),
		"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\nConnection: close\r\n\r\nxxx");
	assert_string_equal(heard(fd), "closed");
	assert_false(openmetrics);
	close(fd);
	turn();
}

static void a_request_in_pieces(void **state)
{
	int fd = dial();

	(void)state;
	for (const char *s = ASK
	     "accept: text/html, application/OpenMetrics-text;version=1.0.0\n\n";
	     *s; s++) {
		assert_int_equal(asked, 0);
		say(fd, (char[]){ *s, 0 });
	}
	assert_int_equal(asked, 1);
	assert_true(openmetrics);
	close(fd);
	turn();
}

static void other_requests(void **state)
{
	static const struct {
		const char *text;
		unsigned int status;
	} rows[] = {
		{ "GET /metrics HTTP/1.0\r\n\r\n", 200 },
		{ "GET /metrics?x=y HTTP/1.1\n\n", 200 },
		{ "GET /metricsx HTTP/1.1\r\n\r\n", 404 },
		{ "GET / HTTP/1.1\r\n\r\n", 404 },
		{ "HEAD /metrics HTTP/1.1\r\n\r\n", 405 },
		{ "GETx /metrics HTTP/1.1\r\n\r\n", 405 },
		{ "GET /metrics\r\n\r\n", 400 },
		{ "GET /metrics HTTP/2\r\n\r\n", 400 },
		{ "\r\n\r\n", 400 },
		{ "GET  HTTP/1.1\r\n\r\n", 404 },
		{ "GET /metrics HTTP/1.1\r\nAccept: */*\r\n", 0 },
		{ "", 0 },
		/* A page in a browser, whose name was made to stand for this machine's address. */
		{ "GET /metrics HTTP/1.1\r\nHost: evil.example:9509\r\n\r\n", 421 },
		{ "GET /metrics HTTP/1.1\r\nhost:\tlocalhost.evil.example\r\n\r\n", 421 },
		{ "GET /metrics HTTP/1.1\r\nHost: 127.0.0.1.evil.example\r\n\r\n", 421 },
		{ "GET /metrics HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n", 421 },
		{ "GET /metrics HTTP/1.1\r\nHost: evil.example\r\nHost: localhost\r\n\r\n", 421 },
		{ "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", 404 },
		{ "GET /metrics HTTP/1.1\r\nHost: localhost:9509\r\n\r\n", 200 },
		{ "GET /metrics HTTP/1.1\r\nhost:LOCALHOST\n\n", 200 },
		{ "GET /metrics HTTP/1.1\r\nHost: 127.0.0.1:9509 \r\n\r\n", 200 },
		{ "GET /metrics HTTP/1.1\r\nHost: [::1]:9509\r\n\r\n", 200 },
		{ "GET /metrics HTTP/1.1\r\nHost:\r\n\r\n", 200 },
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(scrape_parse(rows[i].text, strlen(rows[i].text)).status,
				 rows[i].status);
}

static void a_request_without_end(void **state)
{
	int fd = dial();
	char line[SCRAPE_HEAD];

	(void)state;
	memset(line, 'a', sizeof(line) - 1);
	line[sizeof(line) - 1] = 0;
	say(fd, ASK);
	say(fd, line);
	assert_memory_equal(heard(fd), "HTTP/1.1 431 ", 13);
	assert_int_equal(asked, 0);
	close(fd);
	turn();
}

/* They keep no other out, and the oldest goes first. */
static void silent_ones(void **state)
{
	int silent[SCRAPE_MAX], fd;

	(void)state;
	for (unsigned int i = 0; i < SCRAPE_MAX; i++) {
		silent[i] = dial();
		turn();
	}
	fd = dial();
	say(fd, ASK "\r\n");
	assert_memory_equal(heard(fd), "HTTP/1.1 200 ", 13);
	assert_string_equal(heard(silent[0]), "closed");
	assert_string_equal(heard(silent[1]), "");
	for (unsigned int i = 0; i < SCRAPE_MAX; i++)
		close(silent[i]);
	close(fd);
	turn();
}

/* Who has asked and does not read keeps the place until the deadline, but never more than all of them. */
static void unread_answers(void **state)
{
	int slow[SCRAPE_MAX], fd;

	(void)state;
	size = BIG;
	for (unsigned int i = 0; i < SCRAPE_MAX; i++) {
		slow[i] = dial();
		say(slow[i], ASK "\r\n");
	}
	assert_int_equal(asked, SCRAPE_MAX);
	fd = dial();
	turn();
	assert_string_equal(heard(fd), "closed");
	close(fd);
	for (unsigned int i = 0; i < SCRAPE_MAX; i++)
		close(slow[i]);
	turn();
	fd = dial();
	say(fd, ASK "\r\n");
	assert_memory_equal(heard(fd), "HTTP/1.1 200 ", 13);
	close(fd);
	turn();
}

/* Connections wait in the kernel then, and the loop has its rest. */
static void a_flood(void **state)
{
	unsigned int taken = 0;
	int fds[8];

	(void)state;
	for (unsigned int i = 0; i < 40; i++) {
		for (unsigned int k = 0; k < 8; k++) {
			fds[k] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
			struct sockaddr_un addr = { .sun_family = AF_UNIX };

			memcpy(addr.sun_path, path, strlen(path) + 1);
			if (connect(fds[k], (struct sockaddr *)&addr, sizeof(addr)) ||
			    send(fds[k], ASK "\r\n", strlen(ASK "\r\n"), MSG_NOSIGNAL) < 0)
				continue;
		}
		turn();
		for (unsigned int k = 0; k < 8; k++) {
			taken += !strncmp(heard(fds[k]), "HTTP/1.1 200 ", 13);
			close(fds[k]);
		}
		turn();
	}
	assert_true(taken >= SCRAPE_AT_ONCE && taken < 2 * SCRAPE_AT_ONCE);
}

/* Readers that come one by one are all taken, as many as may come at once. */
static void one_by_one(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < SCRAPE_AT_ONCE; i++) {
		int fd = dial();

		say(fd, ASK "\r\n");
		assert_memory_equal(heard(fd), "HTTP/1.1 200 ", 13);
		close(fd);
		turn();
	}
}

/* Reading it all would keep the loop busy for as long as somebody sends. */
static void more_than_a_request(void **state)
{
	int fd = dial();
	char more[SCRAPE_HEAD] = { 'a' };
	size_t sent = 0;
	ssize_t n;

	(void)state;
	wait = true;
	say(fd, ASK "\r\n");
	do {
		n = send(fd, more, sizeof(more), MSG_NOSIGNAL | MSG_DONTWAIT);
		sent += n > 0 ? (size_t)n : 0;
		turn();
	} while (n > 0 && sent < BIG);
	assert_true(sent < BIG);
	answer(late);
	late = NULL;
	turn();
	assert_memory_equal(heard(fd), "HTTP/1.1 200 ", 13);
	close(fd);
	turn();
}

static void an_asker_that_left(void **state)
{
	int fd = dial();

	(void)state;
	wait = true;
	say(fd, ASK "\r\n");
	assert_non_null(late);
	shutdown(fd, SHUT_RDWR);
	close(fd);
	turn();
	answer(late);
	late = NULL;
	turn();
}

static void no_more_is_said_but_it_is_read(void **state)
{
	int fd = dial();

	(void)state;
	wait = true;
	say(fd, ASK "\r\n");
	shutdown(fd, SHUT_WR);
	turn();
	answer(late);
	late = NULL;
	turn();
	assert_memory_equal(heard(fd), "HTTP/1.1 200 ", 13);
	assert_string_equal(heard(fd), "closed");
	close(fd);
}

static void no_memory(void **state)
{
	int fd = dial();

	(void)state;
	wait = true;
	say(fd, ASK "\r\n");
	scrape_answer(late, "", NULL);
	late = NULL;
	turn();
	assert_memory_equal(heard(fd), "HTTP/1.1 503 ", 13);
	close(fd);
	turn();
}

/* ---- where it listens ------------------------------------------------------------------ */

static void places(void **state)
{
	static const char *const wrong[] = {
		"0.0.0.0:9509", "192.0.2.1:9509", "[::]:9509", "::1:9509",	  "127.0.0.1",
		"127.0.0.1:",	"127.0.0.1:0",	  ":9509",     "127.0.0.1:65536", "127.0.0.1:9x",
		"unix:here",	"localhost:9509", "",
	};
	char err[512];

	(void)state;
	for (unsigned int i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(listen_local(wrong[i], "metrics", "--metrics", err, sizeof(err)),
				 -EINVAL);
		assert_non_null(strstr(err, "expected unix:/PATH, 127.0.0.1:PORT or [::1]:PORT"));
	}
}

/* What is no socket is not removed. */
static void a_file_is_in_its_place(void **state)
{
	char file[80], where[96], err[512];
	struct stat st;
	FILE *f;

	(void)state;
	snprintf(file, sizeof(file), "%s.file", path);
	snprintf(where, sizeof(where), "unix:%s", file);
	f = fopen(file, "w");
	assert_non_null(f);
	fclose(f);
	assert_int_equal(listen_local(where, "metrics", "--metrics", err, sizeof(err)),
			 -EADDRINUSE);
	assert_int_equal(stat(file, &st), 0);
	unlink(file);
}

/* Connections wait there already, which a connection more would have to wait for. */
static void a_socket_that_is_busy(void **state)
{
	char other[80], where[96], err[512];
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), first = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)state;
	snprintf(other, sizeof(other), "%s.busy", path);
	snprintf(where, sizeof(where), "unix:%s", other);
	memcpy(addr.sun_path, other, strlen(other) + 1);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(fd, 0), 0);
	assert_int_equal(connect(first, (struct sockaddr *)&addr, sizeof(addr)), 0);
	alarm(5);
	assert_int_equal(listen_local(where, "metrics", "--metrics", err, sizeof(err)),
			 -EADDRINUSE);
	alarm(0);
	assert_non_null(strstr(err, "another esptund answers"));
	close(first);
	close(fd);
	unlink(other);
}

/* It is said to be taken, by which the agent knows that it may do without. */
static void a_port_that_is_taken(void **state)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	socklen_t len = sizeof(addr);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char where[40], err[512];

	(void)state;
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&addr, &len), 0);
	snprintf(where, sizeof(where), "127.0.0.1:%u", ntohs(addr.sin_port));
	assert_int_equal(listen_local(where, "metrics", "--metrics", err, sizeof(err)),
			 -EADDRINUSE);
	assert_non_null(strstr(err, where));
	close(fd);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(an_answer_and_the_end),
		TEST(a_request_in_pieces),
		TEST(other_requests),
		TEST(a_request_without_end),
		TEST(silent_ones),
		TEST(unread_answers),
		TEST(a_flood),
		TEST(one_by_one),
		TEST(more_than_a_request),
		TEST(an_asker_that_left),
		TEST(no_more_is_said_but_it_is_read),
		TEST(no_memory),
		TEST(places),
		TEST(a_file_is_in_its_place),
		TEST(a_socket_that_is_busy),
		TEST(a_port_that_is_taken),
	};

	signal(SIGPIPE, SIG_IGN); /* as the agent does */
	return cmocka_run_group_tests_name("scrape", tests, NULL, NULL);
}
