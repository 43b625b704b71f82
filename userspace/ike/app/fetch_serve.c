// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The process that fetches CRLs and OCSP responses. It speaks HTTP with servers that are not trusted, and has nothing but
 * that: what it brings is hostile to whoever takes it, and is verified by its signature (pki/).
 */
#include "ike/app/fetch_serve.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

struct server {
	int fd;
	struct event_base *base;
	struct http *http[FETCH_AT_ONCE]; /* NULL: there is room */
};

struct task {
	struct server *server;
	unsigned int place;
	uint32_t number;
};

static void put_outcome(const struct server *s, struct fetch_outcome *o, const struct ike_iov *body)
{
	struct iovec parts[] = { { o, sizeof(*o) }, { (void *)body->base, body->len } };
	const struct msghdr m = { .msg_iov = parts, .msg_iovlen = body->len ? 2 : 1 };

	o->len = (uint32_t)body->len;
	if (sendmsg(s->fd, &m, MSG_NOSIGNAL) < 0)
		_exit(0);
}

static void on_answer(void *ctx, const struct http_answer *a)
{
	struct task *t = ctx;
	struct fetch_outcome o = { .number = t->number,
				   .end = a->end,
				   .status = (uint32_t)a->status };

	if (a->location && strlen(a->location) < sizeof(o.location))
		memcpy(o.location, a->location, strlen(a->location));
	put_outcome(t->server, &o, &a->body);
	http_free(t->server->http[t->place]);
	t->server->http[t->place] = NULL;
	free(t);
}

static bool is_whole(const char *text, size_t size)
{
	return memchr(text, 0, size) != NULL;
}

static bool order_is_good(const struct fetch_order *o)
{
	return o->n_addrs && o->n_addrs <= FETCH_ADDRESSES && o->port && o->port <= UINT16_MAX &&
	       o->max <= IKE_MAX_FETCHED && o->request_len <= sizeof(o->request) &&
	       is_whole(o->host, sizeof(o->host)) && is_whole(o->path, sizeof(o->path));
}

static void begin(struct server *s, const struct fetch_order *o)
{
	const struct http_request r = {
		.addrs = o->addr,
		.n_addrs = o->n_addrs,
		.port = (uint16_t)o->port,
		.host = o->host,
		.path = o->path,
		.body = { o->request, o->request_len },
		.type = "application/ocsp-request",
		.max = o->max,
		.ms = o->ms,
	};
	struct task *t = calloc(1, sizeof(*t));
	unsigned int i = 0;

	while (i < FETCH_AT_ONCE && s->http[i])
		i++;
	if (!t || i == FETCH_AT_ONCE)
		_exit(1);
	*t = (struct task){ s, i, o->number };
	s->http[i] = http_ask(s->base, &r, on_answer, t);
	if (!s->http[i])
		_exit(1);
}

static void on_order(evutil_socket_t fd, short what, void *ctx)
{
	struct fetch_order o;
	ssize_t n;

	(void)what;
	do {
		n = recv(fd, &o, sizeof(o), 0);
	} while (n < 0 && errno == EINTR);
	if (n != sizeof(o) || !order_is_good(&o)) /* the agent is gone */
		_exit(0);
	begin(ctx, &o);
}

void fetch_serve(int fd)
{
	struct server s = { .fd = fd, .base = event_base_new() };
	struct event *e = s.base ? event_new(s.base, fd, EV_READ | EV_PERSIST, on_order, &s) : NULL;

	if (e && !event_add(e, NULL))
		event_base_dispatch(s.base);
	_exit(1);
}
