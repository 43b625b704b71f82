// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Raw sockets, for root may not be in the group of those who may have sockets for ICMP alone. They are bound to
 * the tunnel's netdevice, so that no route leads the request elsewhere. ICMP errors come on the socket's queue
 * of errors; "does not fit" is one of them, whether the kernel knew it before or heard it now.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/errqueue.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/why_ping.h"
#include "common/clock.h"

enum {
	WAIT = 1000, /* ms for an answer */
	ECHO_LEN = 8, /* bytes of the header of an echo request, which both families have */
	LONGEST = 65535,
};

struct echo {
	bool v6;
	int fd;
	uint16_t id, sequence;
};

static size_t header_len(const struct echo *e)
{
	return e->v6 ? 40 : 20;
}

/* ---- the socket ----------------------------------------------------------------------- */

static int set_number(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value));
}

static int set_options(const struct echo *e, bool df)
{
	struct icmp6_filter only;

	if (!e->v6)
		return set_number(e->fd, IPPROTO_IP, IP_RECVERR, 1) ||
		       set_number(e->fd, IPPROTO_IP, IP_MTU_DISCOVER,
				  df ? IP_PMTUDISC_DO : IP_PMTUDISC_DONT);
	ICMP6_FILTER_SETBLOCKALL(&only);
	ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &only);
	return setsockopt(e->fd, IPPROTO_ICMPV6, ICMP6_FILTER, &only, sizeof(only)) ||
	       set_number(e->fd, IPPROTO_IPV6, IPV6_RECVERR, 1) ||
	       set_number(e->fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DO) ||
	       set_number(e->fd, IPPROTO_IPV6, IPV6_DONTFRAG, 1);
}

static int connect_to(const struct echo *e, const struct esptun_addr *to)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6 };
	struct sockaddr_in four = { .sin_family = AF_INET };

	memcpy(&six.sin6_addr, to->bytes, sizeof(six.sin6_addr));
	memcpy(&four.sin_addr, to->bytes, sizeof(four.sin_addr));
	return e->v6 ? connect(e->fd, (struct sockaddr *)&six, sizeof(six))
		     : connect(e->fd, (struct sockaddr *)&four, sizeof(four));
}

/* 0, or -1 with the cause in errno. */
static int open_echo(struct echo *e, const struct why_ping *what)
{
	e->v6 = what->to.family == AF_INET6;
	e->fd = socket(what->to.family, SOCK_RAW | SOCK_CLOEXEC,
		       e->v6 ? (int)IPPROTO_ICMPV6 : (int)IPPROTO_ICMP);
	if (e->fd < 0)
		return -1;
	if (getrandom(&e->id, sizeof(e->id), 0) == sizeof(e->id) &&
	    !setsockopt(e->fd, SOL_SOCKET, SO_BINDTODEVICE, what->dev,
			(socklen_t)strlen(what->dev) + 1) &&
	    !set_options(e, what->df) && !connect_to(e, &what->to))
		return 0;
	close(e->fd);
	return -1;
}

/* ---- asking --------------------------------------------------------------------------- */

static uint16_t checksum(const uint8_t *b, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i++)
		sum += i % 2 ? b[i] : (uint32_t)b[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

/* So that the IP packet has @size bytes. 0, or -1 with the cause in errno. */
static int send_echo(struct echo *e, uint32_t size)
{
	static uint8_t packet[LONGEST];
	size_t len = size > header_len(e) + ECHO_LEN ? size - header_len(e) : ECHO_LEN;
	uint16_t sum;

	if (len > sizeof(packet))
		len = sizeof(packet);
	e->sequence++;
	memset(packet, 0, len);
	packet[0] = e->v6 ? ICMP6_ECHO_REQUEST : ICMP_ECHO;
	memcpy(packet + 4, &e->id, sizeof(e->id));
	memcpy(packet + 6, &e->sequence, sizeof(e->sequence));
	sum = e->v6 ? 0 : checksum(packet, len); /* of ICMPv6 the kernel makes it */
	memcpy(packet + 2, &sum, sizeof(sum));
	return send(e->fd, packet, len, 0) < 0 ? -1 : 0;
}

/* ---- what comes ----------------------------------------------------------------------- */

/* A socket that is connected gets its peer's alone; this process is one of several that ask. */
static bool is_answer(const struct echo *e, const uint8_t *b, size_t len)
{
	if (!e->v6) {
		size_t head = len ? (size_t)(b[0] & 15) * 4 : 0;

		if (head < 20 || len < head)
			return false;
		b += head;
		len -= head;
	}
	return len >= ECHO_LEN && b[0] == (e->v6 ? ICMP6_ECHO_REPLY : ICMP_ECHOREPLY) &&
	       !memcmp(b + 4, &e->id, sizeof(e->id));
}

static void note_error(const struct sock_extended_err *err, struct why_pong *p)
{
	if (err->ee_errno == EMSGSIZE)
		p->too_big = err->ee_info;
	else
		snprintf(p->error, sizeof(p->error), "%s", strerror((int)err->ee_errno));
}

static void read_errors(const struct echo *e, struct why_pong *p)
{
	char control[512] __attribute__((aligned(8)));
	uint8_t packet[64];

	for (;;) {
		struct iovec iov = { packet, sizeof(packet) };
		struct msghdr m = {
			.msg_iov = &iov,
			.msg_iovlen = 1,
			.msg_control = control,
			.msg_controllen = sizeof(control),
		};

		if (recvmsg(e->fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
			return;
		for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
			if ((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) ||
			    (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR))
				note_error((const struct sock_extended_err *)CMSG_DATA(c), p);
		}
	}
}

/* Until an answer, an error, or the end of patience. */
static void wait_for_answer(const struct echo *e, struct why_pong *p)
{
	int64_t until = clock_ms() + WAIT, left;
	static uint8_t packet[LONGEST];

	while ((left = until - clock_ms()) > 0 && !p->answered && !p->too_big) {
		struct pollfd poll_for = { .fd = e->fd, .events = POLLIN };
		ssize_t n;

		if (poll(&poll_for, 1, (int)left) <= 0)
			continue;
		n = recv(e->fd, packet, sizeof(packet), MSG_DONTWAIT);
		if (n >= 0)
			p->answered = is_answer(e, packet, (size_t)n);
		read_errors(e, p);
	}
}

void why_ping(const struct why_ping *what, struct why_pong *p)
{
	struct echo e = { .fd = -1 };

	if (open_echo(&e, what)) {
		snprintf(p->failed, sizeof(p->failed), "cannot send echo requests by %s: %s%s",
			 what->dev, strerror(errno), errno == EPERM ? "; run as root" : "");
		return;
	}
	for (unsigned int i = 0; i < what->tries && !p->answered && !p->too_big; i++) {
		if (send_echo(&e, what->size)) {
			snprintf(p->error, sizeof(p->error), "%s", strerror(errno));
			read_errors(&e, p); /* also of what was too big to be sent */
			continue;
		}
		wait_for_answer(&e, p);
	}
	close(e.fd);
}
