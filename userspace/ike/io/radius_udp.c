// SPDX-License-Identifier: GPL-2.0-or-later
#include "ike/io/radius_udp.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ike/io/udp.h"

enum { DATAGRAM = 4096 /* bytes: no RADIUS packet is longer */ };

struct radius_socket {
	LIST_ENTRY(radius_socket) link;
	struct radius_udp *udp;
	uint64_t request;
	int fd;
	struct event *event;
};

struct radius_udp {
	struct event_base *base;
	radius_udp_fn fn;
	void *ctx;
	LIST_HEAD(, radius_socket) sockets;
};

static struct radius_socket *find_socket(struct radius_udp *u, uint64_t request)
{
	struct radius_socket *s;

	LIST_FOREACH(s, &u->sockets, link)
	{
		if (s->request == request)
			return s;
	}
	return NULL;
}

static void free_socket(struct radius_socket *s)
{
	LIST_REMOVE(s, link);
	if (s->event)
		event_free(s->event);
	if (s->fd >= 0)
		close(s->fd);
	free(s);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct radius_socket *s = arg;
	struct radius_udp *u = s->udp;
	uint8_t data[DATAGRAM];
	ssize_t len = recv(fd, data, sizeof(data), MSG_DONTWAIT);

	(void)what;
	if (len < 0 && (errno == EAGAIN || errno == EINTR)) {
		event_add(s->event, NULL);
		return;
	}
	/* The function may close the socket. */
	u->fn(u->ctx, s->request, len < 0 ? -errno : 0, data, len < 0 ? 0 : (size_t)len);
}

struct radius_udp *radius_udp_new(struct event_base *base, radius_udp_fn fn, void *ctx)
{
	struct radius_udp *u = calloc(1, sizeof(*u));

	if (!u)
		return NULL;
	u->base = base;
	u->fn = fn;
	u->ctx = ctx;
	LIST_INIT(&u->sockets);
	return u;
}

void radius_udp_free(struct radius_udp *u)
{
	if (!u)
		return;
	while (!LIST_EMPTY(&u->sockets))
		free_socket(LIST_FIRST(&u->sockets));
	free(u);
}

static int connect_to(int fd, const struct ike_endpoint *server)
{
	struct sockaddr_in6 sa;
	socklen_t len = udp_sockaddr(&sa, server);

	return connect(fd, (struct sockaddr *)&sa, len) ? -errno : 0;
}

int radius_udp_open(struct radius_udp *u, uint64_t request, const struct ike_endpoint *server)
{
	int family = server->addr.family == 6 ? AF_INET6 : AF_INET, err;
	struct radius_socket *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->udp = u;
	s->request = request;
	LIST_INSERT_HEAD(&u->sockets, s, link);
	s->fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	err = s->fd < 0 ? -errno : connect_to(s->fd, server);
	if (!err) {
		s->event = event_new(u->base, s->fd, EV_READ, on_readable, s);
		err = s->event ? 0 : -ENOMEM;
	}
	if (err)
		free_socket(s);
	return err;
}

void radius_udp_close(struct radius_udp *u, uint64_t request)
{
	struct radius_socket *s = find_socket(u, request);

	if (s)
		free_socket(s);
}

void radius_udp_send(struct radius_udp *u, uint64_t request, const void *data, size_t len)
{
	struct radius_socket *s = find_socket(u, request);

	/* Lost like any datagram: it is repeated. */
	if (s && send(s->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return;
}

void radius_udp_listen(struct radius_udp *u, uint64_t request)
{
	struct radius_socket *s = find_socket(u, request);

	if (s)
		event_add(s->event, NULL);
}
