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
	struct sockaddr_in6 from; /* or a sockaddr_in, which is shorter */
	struct iovec iov;
	char control[256] __attribute__((aligned(8)));
	uint8_t buf[IKE_MAX_MSG]; /* memory is taken as far as it is written to */
};

/* One for each address family. */
struct half {
	struct udp *udp;
	int fd; /* -1: this machine has no such family */
	struct event *event;
};

struct udp {
	uint16_t port;
	udp_fn fn;
	void *ctx;
	struct half v4, v6;
	struct mmsghdr msgs[BATCH];
	struct slot slots[BATCH];
};

/* ---- addresses ------------------------------------------------------------------------ */

/* False if @sa is of no family that there is. */
static bool endpoint_from(struct ike_endpoint *e, const struct sockaddr_in6 *sa, socklen_t len)
{
	const struct sockaddr_in *sin = (const struct sockaddr_in *)sa;

	memset(e, 0, sizeof(*e));
	if (sa->sin6_family == AF_INET && len == sizeof(*sin)) {
		e->addr.family = 4;
		memcpy(e->addr.b, &sin->sin_addr, 4);
		e->port = ntohs(sin->sin_port);
	} else if (sa->sin6_family == AF_INET6 && len == sizeof(*sa)) {
		e->addr.family = 6;
		memcpy(e->addr.b, &sa->sin6_addr, 16);
		e->port = ntohs(sa->sin6_port);
	}
	return e->addr.family;
}

socklen_t udp_sockaddr(struct sockaddr_in6 *sa, const struct ike_endpoint *e)
{
	struct sockaddr_in *sin = (struct sockaddr_in *)sa;

	memset(sa, 0, sizeof(*sa));
	if (e->addr.family == 6) {
		sa->sin6_family = AF_INET6;
		sa->sin6_port = htons(e->port);
		memcpy(&sa->sin6_addr, e->addr.b, 16);
		return sizeof(*sa);
	}
	sin->sin_family = AF_INET;
	sin->sin_port = htons(e->port);
	memcpy(&sin->sin_addr, e->addr.b, 4);
	return sizeof(*sin);
}

/* Which of our addresses the datagram was sent to. */
static void read_local(struct ike_addr *a, const struct cmsghdr *c)
{
	if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
		struct in_pktinfo info;

		memcpy(&info, CMSG_DATA(c), sizeof(info));
		a->family = 4;
		memcpy(a->b, &info.ipi_addr, 4);
	} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
		struct in6_pktinfo info;

		memcpy(&info, CMSG_DATA(c), sizeof(info));
		a->family = 6;
		memcpy(a->b, &info.ipi6_addr, 16);
	}
}

/* ---- receiving ------------------------------------------------------------------------ */

static void deliver(struct udp *u, const struct mmsghdr *mm, const struct slot *s)
{
	const struct msghdr *m = &mm->msg_hdr;
	struct ike_datagram d = { .data = s->buf, .len = mm->msg_len, .local.port = u->port };

	if ((m->msg_flags & (MSG_TRUNC | MSG_CTRUNC)) ||
	    !endpoint_from(&d.remote, &s->from, m->msg_namelen))
		return;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR((struct msghdr *)m, c))
		read_local(&d.local.addr, c);
	if (d.local.addr.family)
		u->fn(u->ctx, &d);
}

/* The next few datagrams; true if there may be more. */
static bool receive_batch(struct half *h)
{
	struct udp *u = h->udp;
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
	n = recvmmsg(h->fd, u->msgs, BATCH, MSG_DONTWAIT, NULL);
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

/* ---- opening -------------------------------------------------------------------------- */

/* As root whatever the system's limit is, else up to that. */
static void enlarge_buffer(int fd)
{
	int size = RECEIVE_BUFFER;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
}

/* Datagrams come with the address that they were sent to; IPv4's only to the socket of IPv4. */
static int set_options(int fd, int family)
{
	int on = 1;

	if (family == AF_INET)
		return setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on));
	return setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on)) ||
	       setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
}

/* 0 or -1 with the cause in errno. */
static int half_open(struct half *h, struct udp *u, struct event_base *base, uint8_t family)
{
	const struct ike_endpoint any = { .addr.family = family, .port = u->port };
	struct sockaddr_in6 sa;
	socklen_t len = udp_sockaddr(&sa, &any);

	h->udp = u;
	h->fd = socket(sa.sin6_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (h->fd < 0 || set_options(h->fd, sa.sin6_family) ||
	    bind(h->fd, (struct sockaddr *)&sa, len))
		return -1;
	enlarge_buffer(h->fd);
	errno = ENOMEM;
	h->event = event_new(base, h->fd, EV_READ | EV_PERSIST, on_readable, h);
	return h->event ? event_add(h->event, NULL) : -1;
}

static void half_close(struct half *h)
{
	if (h->event)
		event_free(h->event);
	if (h->fd >= 0)
		close(h->fd);
}

struct udp *udp_open(struct event_base *base, uint16_t port, udp_fn fn, void *ctx)
{
	struct udp *u = calloc(1, sizeof(*u));
	int err;

	if (!u)
		return NULL;
	u->port = port;
	u->fn = fn;
	u->ctx = ctx;
	u->v4.fd = u->v6.fd = -1;
	/* A machine that was booted without IPv6 does without. */
	if (!half_open(&u->v4, u, base, 4) &&
	    (!half_open(&u->v6, u, base, 6) || errno == EAFNOSUPPORT))
		return u;
	err = errno;
	udp_close(u);
	errno = err;
	return NULL;
}

void udp_close(struct udp *u)
{
	if (!u)
		return;
	half_close(&u->v4);
	half_close(&u->v6);
	free(u);
}

/* ---- sending -------------------------------------------------------------------------- */

static void put_control(struct msghdr *m, int level, int type, const void *data, size_t len)
{
	struct cmsghdr *c = (struct cmsghdr *)((char *)m->msg_control + m->msg_controllen);

	c->cmsg_level = level;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(c), data, len);
	m->msg_controllen += CMSG_SPACE(len);
}

static void put_source(struct msghdr *m, const struct ike_addr *local)
{
	struct in6_pktinfo info6 = { .ipi6_ifindex = 0 };
	struct in_pktinfo info = { .ipi_ifindex = 0 };

	if (local->family == 4) {
		memcpy(&info.ipi_spec_dst, local->b, 4);
		put_control(m, IPPROTO_IP, IP_PKTINFO, &info, sizeof(info));
	} else {
		memcpy(&info6.ipi6_addr, local->b, 16);
		put_control(m, IPPROTO_IPV6, IPV6_PKTINFO, &info6, sizeof(info6));
	}
}

static int send_from(const struct half *h, const struct ike_datagram *d,
		     const struct ike_addr *local, uint32_t mark)
{
	struct iovec iov = { (void *)d->data, d->len };
	char control[CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(mark))]
		__attribute__((aligned(8))) = { 0 };
	struct sockaddr_in6 to;
	struct msghdr m = {
		.msg_name = &to,
		.msg_namelen = udp_sockaddr(&to, &d->remote),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
	};

	if (local && local->family == d->remote.addr.family)
		put_source(&m, local);
	if (mark)
		put_control(&m, SOL_SOCKET, SO_MARK, &mark, sizeof(mark));
	if (!m.msg_controllen)
		m.msg_control = NULL;
	return sendmsg(h->fd, &m, MSG_DONTWAIT) < 0 ? -errno : 0;
}

int udp_send(struct udp *u, const struct ike_datagram *d, uint32_t mark)
{
	const struct half *h = d->remote.addr.family == 6 ? &u->v6 : &u->v4;
	int err;

	if (!d->remote.addr.family || h->fd < 0)
		return -EAFNOSUPPORT;
	err = send_from(h, d, &d->local.addr, mark);
	/* The address we had is gone (DHCP, roaming): let routing choose a new one. */
	if (err == -EINVAL || err == -EADDRNOTAVAIL || err == -ENETUNREACH)
		err = send_from(h, d, NULL, mark);
	return err;
}
