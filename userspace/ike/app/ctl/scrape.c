// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The HTTP server of metrics.c. A connection is taken from the listening socket, reads one request, waits for its
 * answer, writes it, and waits for the other end to close. It has a deadline for the request and another for the
 * rest. When there are SCRAPE_MAX connections, a new one takes the place of the oldest without a whole request, so
 * that connections on which nothing comes keep no other out. A reader of TCP may be any user of this machine: the
 * request is hostile, and connections are counted and taken at a limited rate.
 */
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ike/app/bucket.h"
#include "ike/app/ctl/scrape.h"
#include "ike/io/loop.h"

enum {
	TOKENS = 1000 / SCRAPE_A_SECOND, /* of the bucket, for each connection */
	PAUSE_MS = 100, /* until connections are taken again */
};

struct connection {
	TAILQ_ENTRY(connection) link;
	struct scrapes *all;
	struct bufferevent *bev;
	struct event *deadline;
	struct scrape *open; /* the request that waits for its answer */
	size_t ignored; /* bytes, behind the request */
	bool asked; /* the request is whole */
	bool answered;
	bool ended; /* the other end sends no more */
	bool openmetrics;
};

struct scrape {
	struct connection *connection; /* NULL once the asker is gone */
};

struct scrapes {
	struct event_base *base;
	int fd;
	struct event *ready, *pause;
	TAILQ_HEAD(connections, connection) connections; /* oldest first */
	unsigned int n;
	struct bucket accepts;
	scrape_fn fn;
	void *ctx;
};

/* ---- requests --------------------------------------------------------------------- */

/* Bytes up to and with the next end of a line; 0: there is none. */
static size_t line_len(const char *text, size_t len)
{
	const char *end = memchr(text, '\n', len);

	return end ? (size_t)(end - text) + 1 : 0;
}

/* Does the text begin with @prefix, whatever its case? */
static bool begins(const char *text, size_t len, const char *prefix)
{
	size_t n = strlen(prefix);

	return len >= n && !strncasecmp(text, prefix, n);
}

static bool contains(const char *text, size_t len, const char *part)
{
	for (; len; text++, len--) {
		if (begins(text, len, part))
			return true;
	}
	return false;
}

/* Of a request line. */
static unsigned int judge_line(const char *line, size_t len)
{
	static const char get[] = "GET ", path[] = "/metrics";
	const char *target = memchr(line, ' ', len), *rest;

	if (!target)
		return 400;
	rest = memchr(target + 1, ' ', len - (size_t)(target + 1 - line));
	if (!rest || !begins(rest + 1, len - (size_t)(rest + 1 - line), "HTTP/1."))
		return 400;
	if (len < sizeof(get) || memcmp(line, get, sizeof(get) - 1))
		return 405;
	target++;
	if ((size_t)(rest - target) < sizeof(path) - 1 || memcmp(target, path, sizeof(path) - 1))
		return 404;
	return target[sizeof(path) - 1] == ' ' || target[sizeof(path) - 1] == '?' ? 200 : 404;
}

/*
 * Is it an address or localhost? A page that a browser shows may have any other name stand for this machine, and would
 * read the answer.
 */
static bool host_is_local(const char *host, size_t len)
{
	static const char name[] = "localhost";
	size_t n = 0;

	while (len && (*host == ' ' || *host == '\t')) {
		host++;
		len--;
	}
	if (len && *host == '[')
		return true;
	if (begins(host, len, name))
		n = sizeof(name) - 1;
	else
		n = strspn(host, "0123456789.");
	return n < len && memchr(": \t\r\n", host[n], 5);
}

struct scrape_head scrape_parse(const char *text, size_t len)
{
	static const char host[] = "Host:";
	struct scrape_head head = { .status = 0 };
	unsigned int status = 0;
	size_t n;

	for (; (n = line_len(text, len)); text += n, len -= n) {
		if (!status) {
			status = judge_line(text, n);
		} else if (n == 1 || (n == 2 && *text == '\r')) {
			head.status = status;
			return head;
		} else if (begins(text, n, "Accept:")) {
			head.openmetrics |= contains(text, n, "application/openmetrics-text");
		} else if (status == 200 && begins(text, n, host) &&
			   !host_is_local(text + strlen(host), n - strlen(host))) {
			status = 421;
		}
	}
	return head;
}

/* ---- connections ------------------------------------------------------------------- */

static void connection_free(struct connection *c)
{
	TAILQ_REMOVE(&c->all->connections, c, link);
	c->all->n--;
	if (c->open)
		c->open->connection = NULL;
	if (c->deadline)
		event_free(c->deadline);
	if (c->bev)
		bufferevent_free(c->bev);
	free(c);
}

static void set_deadline(struct connection *c, unsigned int s)
{
	const struct timeval at = { .tv_sec = s };

	event_add(c->deadline, &at);
}

/* The answer is written, whatever else the other end sends; what it has not read yet is not lost that way. */
static void put_answer(struct connection *c, const char *status, const char *type,
		       struct evbuffer *body)
{
	struct evbuffer *out = bufferevent_get_output(c->bev);

	evbuffer_add_printf(
		out,
		"HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\nConnection: close\r\n%s\r\n",
		status, type, evbuffer_get_length(body),
		strncmp(status, "405", 3) ? "" : "Allow: GET\r\n");
	evbuffer_add_buffer(out, body);
	c->answered = true;
	set_deadline(c, SCRAPE_ANSWER_S);
}

static void refuse(struct connection *c, unsigned int status)
{
	static const char expected[] = ": expected GET /metrics";
	static const struct {
		unsigned int status;
		const char *line, *advice;
	} lines[] = {
		{ 400, "400 Bad Request", expected },
		{ 404, "404 Not Found", expected },
		{ 405, "405 Method Not Allowed", expected },
		{ 421, "421 Misdirected Request", ": expected an address or localhost in Host" },
		{ 431, "431 Request Header Fields Too Large", expected },
		{ 503, "503 Service Unavailable", "" },
	};
	struct evbuffer *body = evbuffer_new();
	unsigned int i = 0;

	while (lines[i].status != status)
		i++;
	if (body) {
		evbuffer_add_printf(body, "%s%s\n", lines[i].line, lines[i].advice);
		put_answer(c, lines[i].line, "text/plain", body);
		evbuffer_free(body);
	}
}

static void ask(struct connection *c, struct scrape_head head)
{
	c->asked = true;
	c->openmetrics = head.openmetrics;
	set_deadline(c, SCRAPE_ANSWER_S);
	if (head.status != 200) {
		refuse(c, head.status);
		return;
	}
	c->open = calloc(1, sizeof(*c->open));
	if (!c->open) {
		connection_free(c);
		return;
	}
	c->open->connection = c;
	c->all->fn(c->all->ctx, c->open);
}

static void on_read(struct bufferevent *bev, void *arg)
{
	struct connection *c = arg;
	struct evbuffer *in = bufferevent_get_input(bev);
	size_t len = evbuffer_get_length(in);
	struct scrape_head head = { .status = 431 };
	const char *text;

	if (c->asked) {
		/* Whoever sends without end is not read on; the deadline ends it. */
		c->ignored += len;
		evbuffer_drain(in, len);
		if (c->ignored > SCRAPE_IGNORED)
			bufferevent_disable(bev, EV_READ);
		return;
	}
	text = (const char *)evbuffer_pullup(in, -1);
	if (!text)
		head.status = 503;
	else if (len < SCRAPE_HEAD)
		head = scrape_parse(text, len);
	if (head.status)
		ask(c, head);
}

static void on_written(struct bufferevent *bev, void *arg)
{
	struct connection *c = arg;

	if (c->answered && c->ended)
		connection_free(c);
	else if (c->answered)
		shutdown(bufferevent_getfd(bev), SHUT_WR);
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
	struct connection *c = arg;

	/* It may read the answer all the same. */
	c->ended = true;
	if (what & BEV_EVENT_ERROR ||
	    (!c->open && !evbuffer_get_length(bufferevent_get_output(bev))))
		connection_free(c);
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	connection_free(arg);
}

/* Is there room for one more? The oldest goes that has not asked yet. */
static bool make_room(struct scrapes *all)
{
	struct connection *c;

	if (all->n < SCRAPE_MAX)
		return true;
	TAILQ_FOREACH(c, &all->connections, link)
	{
		if (!c->asked) {
			connection_free(c);
			return true;
		}
	}
	return false;
}

static void begin(struct scrapes *all, int fd)
{
	struct connection *c = make_room(all) ? calloc(1, sizeof(*c)) : NULL;

	if (!c) {
		close(fd);
		return;
	}
	c->all = all;
	TAILQ_INSERT_TAIL(&all->connections, c, link);
	all->n++;
	c->bev = bufferevent_socket_new(all->base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (!c->bev)
		close(fd);
	c->deadline = evtimer_new(all->base, on_deadline, c);
	if (!c->bev || !c->deadline) {
		connection_free(c);
		return;
	}
	set_deadline(c, SCRAPE_ASK_S);
	bufferevent_setcb(c->bev, on_read, on_written, on_event, c);
	bufferevent_setwatermark(c->bev, EV_READ, 0, SCRAPE_HEAD);
	bufferevent_enable(c->bev, EV_READ | EV_WRITE);
}

/* ---- the listening socket ------------------------------------------------------------ */

static void on_ready(evutil_socket_t listener, short what, void *arg)
{
	static const struct rate rate = { .at_once = SCRAPE_AT_ONCE * TOKENS, .per_ms = 1 };
	static const struct timeval pause = { .tv_usec = PAUSE_MS * 1000 };
	struct scrapes *all = arg;
	int fd;

	(void)what;
	/* One connection for each event; one that cannot be taken, for want of descriptors, counts too. */
	if (!bucket_take(&all->accepts, &rate, TOKENS, loop_now())) {
		event_del(all->ready);
		event_add(all->pause, &pause);
		return;
	}
	fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd >= 0)
		begin(all, fd);
}

static void on_pause_over(evutil_socket_t fd, short what, void *arg)
{
	struct scrapes *all = arg;

	(void)fd;
	(void)what;
	event_add(all->ready, NULL);
}

struct scrapes *scrapes_new(struct event_base *base, int fd, scrape_fn fn, void *ctx)
{
	struct scrapes *all = calloc(1, sizeof(*all));

	if (!all) {
		close(fd);
		return NULL;
	}
	all->base = base;
	all->fd = fd;
	all->fn = fn;
	all->ctx = ctx;
	TAILQ_INIT(&all->connections);
	all->ready = event_new(base, fd, EV_READ | EV_PERSIST, on_ready, all);
	all->pause = evtimer_new(base, on_pause_over, all);
	if (all->ready && all->pause && !event_add(all->ready, NULL))
		return all;
	scrapes_free(all);
	return NULL;
}

void scrapes_free(struct scrapes *all)
{
	if (!all)
		return;
	while (!TAILQ_EMPTY(&all->connections))
		connection_free(TAILQ_FIRST(&all->connections));
	if (all->ready)
		event_free(all->ready);
	if (all->pause)
		event_free(all->pause);
	close(all->fd);
	free(all);
}

bool scrape_wants_openmetrics(const struct scrape *s)
{
	return s->connection && s->connection->openmetrics;
}

void scrape_answer(struct scrape *s, const char *type, struct evbuffer *body)
{
	struct connection *c = s->connection;

	if (c) {
		c->open = NULL;
		if (body)
			put_answer(c, "200 OK", type, body);
		else
			refuse(c, 503);
	}
	free(s);
}
