// SPDX-License-Identifier: GPL-2.0-or-later
#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ike/io/udp.h"

enum {
	/*
	 * Room for what arrives while one thing is done: 4,000 requests, some 4 s of a flood. The
	 * system's default has room for 200, so that honest requests drown before one is read.
	 */
	RECEIVE_BUFFER = 4 << 20,
	BATCH = 16, /* datagrams of one system call */
	BATCHES = 4, /* of one wake-up, so that the loop stays live in a flood */
};

struct slot {
	struct sockaddr_in from;
	struct iovec iov;
	char control[256] __attribute__((aligned(8)));
	uint8_t buf[IKE_MAX_MSG]; /* memory is taken as far as it is written to */
};

struct udp {
	int fd;
	uint16_t port;
	struct event *event;
	udp_fn fn;
	void *ctx;
	struct mmsghdr msgs[BATCH];
	struct slot slots[BATCH];
};

static void endpoint_from(struct ike_endpoint *e, const struct in_addr *addr, uint16_t port)
{
	memset(e, 0, sizeof(*e));
	e->addr.family = 4;
	memcpy(e->addr.b, addr, 4);
	e->port = port;
}

static void deliver(struct udp *u, const struct mmsghdr *mm, const struct slot *s)
{
	const struct msghdr *m = &mm->msg_hdr;
	struct ike_datagram d = { .data = s->buf, .len = mm->msg_len };

	if ((m->msg_flags & (MSG_TRUNC | MSG_CTRUNC)) || m->msg_namelen != sizeof(s->from))
		return;
	endpoint_from(&d.remote, &s->from.sin_addr, ntohs(s->from.sin_port));
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR((struct msghdr *)m, c)) {
		struct in_pktinfo info;

		if (c->cmsg_level != IPPROTO_IP || c->cmsg_type != IP_PKTINFO)
			continue;
		memcpy(&info, CMSG_DATA(c), sizeof(info));
		endpoint_from(&d.local, &info.ipi_addr, u->port);
	}
	if (d.local.addr.family)
		u->fn(u->ctx, &d);
}

/* The next few datagrams; true if there may be more. */
static bool receive_batch(struct udp *u)
{
	int n;

	for (unsigned int i = 0; i < BATCH; i++) {
		struct slot *s = &u->slots[i];

		s->iov = (struct iovec){ s->buf, sizeof(s->buf) };
		u->msgs[i].msg_hdr = (struct msghdr){
			.msg_name = &s->from,
			.msg_namelen = sizeof(s->from),
			.msg_iov = &s->iov,
			.msg_iovlen = 1,
			.msg_control = s->control,
			.msg_controllen = sizeof(s->control),
		};
	}
	n = recvmmsg(u->fd, u->msgs, BATCH, MSG_DONTWAIT, NULL);
	if (n < 0) /* an ICMP error is no reason to stop reading */
		return errno != EAGAIN && errno != EBADF && errno != ENOMEM;
	for (int i = 0; i < n; i++)
		deliver(u, &u->msgs[i], &u->slots[i]);
	return n == BATCH;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	for (unsigned int i = 0; i < BATCHES; i++) {
		if (!receive_batch(arg))
			return;
	}
}

/* As root whatever the system's limit is, else up to that. */
static void enlarge_buffer(int fd)
{
	int size = RECEIVE_BUFFER;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
}

struct udp *udp_open(struct event_base *base, uint16_t port, udp_fn fn, void *ctx)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct udp *u = calloc(1, sizeof(*u));
	int on = 1, err;

	if (!u)
		return NULL;
	u->port = port;
	u->fn = fn;
	u->ctx = ctx;
	u->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (u->fd < 0 || setsockopt(u->fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on)) ||
	    bind(u->fd, (struct sockaddr *)&any, sizeof(any)))
		goto fail;
	enlarge_buffer(u->fd);
	errno = ENOMEM;
	u->event = event_new(base, u->fd, EV_READ | EV_PERSIST, on_readable, u);
	if (u->event && !event_add(u->event, NULL))
		return u;
fail:
	err = errno;
	udp_close(u);
	errno = err;
	return NULL;
}

void udp_close(struct udp *u)
{
	if (!u)
		return;
	if (u->event)
		event_free(u->event);
	if (u->fd >= 0)
		close(u->fd);
	free(u);
}

static int send_from(struct udp *u, const struct ike_datagram *d, const struct ike_addr *local,
		     uint32_t mark)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(d->remote.port) };
	struct iovec iov = { (void *)d->data, d->len };
	char control[CMSG_SPACE(sizeof(struct in_pktinfo)) + CMSG_SPACE(sizeof(mark))]
		__attribute__((aligned(8)));
	struct msghdr m = {
		.msg_name = &to,
		.msg_namelen = sizeof(to),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
	};
	struct cmsghdr *c = (struct cmsghdr *)control;

	memcpy(&to.sin_addr, d->remote.addr.b, 4);
	memset(control, 0, sizeof(control));
	if (local && local->family == 4) {
		struct in_pktinfo info = { 0 };

		memcpy(&info.ipi_spec_dst, local->b, 4);
		c->cmsg_level = IPPROTO_IP;
		c->cmsg_type = IP_PKTINFO;
		c->cmsg_len = CMSG_LEN(sizeof(info));
		memcpy(CMSG_DATA(c), &info, sizeof(info));
		m.msg_controllen += CMSG_SPACE(sizeof(info));
		c = (struct cmsghdr *)(control + m.msg_controllen);
	}
	if (mark) {
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SO_MARK;
		c->cmsg_len = CMSG_LEN(sizeof(mark));
		memcpy(CMSG_DATA(c), &mark, sizeof(mark));
		m.msg_controllen += CMSG_SPACE(sizeof(mark));
	}
	if (!m.msg_controllen)
		m.msg_control = NULL;
	return sendmsg(u->fd, &m, MSG_DONTWAIT) < 0 ? -errno : 0;
}

int udp_send(struct udp *u, const struct ike_datagram *d, uint32_t mark)
{
	int err;

	if (d->remote.addr.family != 4)
		return -EAFNOSUPPORT;
	err = send_from(u, d, &d->local.addr, mark);
	/* The address we had is gone (DHCP, roaming): let routing choose a new one. */
	if (err == -EINVAL || err == -EADDRNOTAVAIL || err == -ENETUNREACH)
		err = send_from(u, d, NULL, mark);
	return err;
}
