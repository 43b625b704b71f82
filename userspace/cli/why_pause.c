// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A host answers an echo request at once, but that it lacks the rest of a fragmented packet it tells only when
 * it stops waiting for it: after 30 s, as Linux does (RFC 792, time exceeded in reassembly; RFC 1122 3.3.2 allows up
 * to 120 s). So first fragments, whose rest is never sent, make the other end send packets at a time when this
 * one has been silent for long. They are sent one a second; the last of them is so late that the answers to
 * the first come shortly before the next NAT keepalive is due. Those to the last come when something was sent again:
 * that they come tells that the host does answer, and that what lacked was lost in the pause.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h> /* before linux/icmp.h, which has the same names */
#include <linux/icmp.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/why_pause.h"
#include "cli/why_ping.h"
#include "cli/why_watch.h"
#include "common/clock.h"

enum {
	REASSEMBLY = 30, /* s, after which a host tells */
	LATENESS = 3, /* s, with its timer's granularity and the way */
	LEAST_SENDING = 6, /* s: fragments are sent at least so long */
	IP_LEN = 20,
	ICMP_LEN = 8,
	DATA_LEN = 16, /* a multiple of 8, as all fragments but the last one have */
	SMALL_PING = 84,
	NATT_PORT = 4500,
};

struct fragments {
	int fd;
	struct in_addr to;
	uint16_t id; /* of the echo requests that they are the beginning of */
};

/* ---- fragments ------------------------------------------------------------------------ */

/* 0, or -1 with the cause in errno. Connection tracking of this machine must not wait for the rest. */
static int open_fragments(struct fragments *f, const struct why_pause *what)
{
	const struct icmp_filter only = { .data = ~(1U << ICMP_TIME_EXCEEDED) };
	struct sockaddr_in to = { .sin_family = AF_INET };
	const int on = 1;

	memcpy(&f->to, what->to.bytes, sizeof(f->to));
	to.sin_addr = f->to;
	f->fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_ICMP);
	if (f->fd < 0)
		return -1;
	if (getrandom(&f->id, sizeof(f->id), 0) == sizeof(f->id) &&
	    !setsockopt(f->fd, SOL_SOCKET, SO_BINDTODEVICE, what->dev,
			(socklen_t)strlen(what->dev) + 1) &&
	    !setsockopt(f->fd, IPPROTO_IP, IP_HDRINCL, &on, sizeof(on)) &&
	    !setsockopt(f->fd, IPPROTO_IP, IP_NODEFRAG, &on, sizeof(on)) &&
	    !setsockopt(f->fd, SOL_RAW, ICMP_FILTER, &only, sizeof(only)) &&
	    !connect(f->fd, (struct sockaddr *)&to, sizeof(to)))
		return 0;
	close(f->fd);
	return -1;
}

/* The kernel writes the source, the identification, and the checksum; nobody gets to the ICMP checksum. */
static void send_fragment(const struct fragments *f, uint16_t sequence)
{
	uint8_t packet[IP_LEN + ICMP_LEN + DATA_LEN] = { 0 };
	struct iphdr ip = {
		.version = 4,
		.ihl = IP_LEN / 4,
		.frag_off = htons(IP_MF),
		.ttl = 64,
		.protocol = IPPROTO_ICMP,
		.daddr = f->to.s_addr,
	};

	memcpy(packet, &ip, sizeof(ip));
	packet[IP_LEN] = ICMP_ECHO;
	memcpy(packet + IP_LEN + 4, &f->id, sizeof(f->id));
	memcpy(packet + IP_LEN + 6, &sequence, sizeof(sequence));
	if (send(f->fd, packet, sizeof(packet), 0) < 0)
		return; /* that none is answered will show */
}

/* ---- answers -------------------------------------------------------------------------- */

/* "Time exceeded in reassembly", with the head of a fragment of ours in it. */
static bool is_answer(const struct fragments *f, const uint8_t *b, size_t len)
{
	size_t head = len ? (size_t)(b[0] & 15) * 4 : 0, inner;

	if (head < IP_LEN || len < head + ICMP_LEN + IP_LEN)
		return false;
	b += head;
	len -= head + ICMP_LEN;
	inner = (size_t)(b[ICMP_LEN] & 15) * 4;
	return b[0] == ICMP_TIME_EXCEEDED && b[1] == ICMP_EXC_FRAGTIME && inner >= IP_LEN &&
	       len >= inner + ICMP_LEN && !memcmp(b + ICMP_LEN + inner + 4, &f->id, sizeof(f->id));
}

/* How many come until then. */
static unsigned int count_answers(const struct fragments *f, int64_t until)
{
	unsigned int n = 0;
	uint8_t packet[128];
	int64_t left;

	while ((left = until - clock_ms()) > 0) {
		struct pollfd poll_for = { .fd = f->fd, .events = POLLIN };
		ssize_t len;

		if (poll(&poll_for, 1, (int)left) <= 0)
			continue;
		len = recv(f->fd, packet, sizeof(packet), 0);
		n += len > 0 && is_answer(f, packet, (size_t)len);
	}
	return n;
}

/* ---- the pause ------------------------------------------------------------------------ */

static void send_ping(const struct why_pause *what)
{
	const struct why_ping ping = {
		.dev = what->dev, .to = what->to, .size = SMALL_PING, .tries = 1
	};
	struct why_pong pong = { .answered = false };

	why_ping(&ping, &pong);
}

/* Seconds for which fragments are sent, so that the first answers come just before a keepalive. */
static unsigned int time_of_sending(uint32_t keepalive)
{
	const unsigned int whole = REASSEMBLY + LATENESS;

	return keepalive && keepalive + LEAST_SENDING < whole ? whole - keepalive : LEAST_SENDING;
}

void why_pause(const struct why_pause *what, uint32_t ifindex, struct why_paused *p)
{
	const unsigned int sending = time_of_sending(p->keepalive);
	const int64_t began = clock_ms();
	const int64_t end = began + (REASSEMBLY + LATENESS) * 1000;
	struct why_watch watch;
	struct why_seen seen;
	struct fragments f;

	if (open_fragments(&f, what)) {
		snprintf(p->failed, sizeof(p->failed), "cannot send fragments by %s: %s%s",
			 what->dev, strerror(errno), errno == EPERM ? "; run as root" : "");
		return;
	}
	/* Echo requests: as long as the peer is heard, nobody asks whether it lives. */
	for (unsigned int i = 0; i <= sending; i++) {
		count_answers(&f, began + i * 1000);
		send_fragment(&f, (uint16_t)i);
		send_ping(what);
	}
	p->pause = REASSEMBLY > sending ? REASSEMBLY - sending : 0;
	why_watch_begin(&watch, &what->peer, NATT_PORT, ifindex);
	p->late = count_answers(&f, end);
	why_watch_end(&watch, &seen);
	p->busy = seen.watched && (seen.esp_left || seen.ike_left);
	for (int64_t t = end; !p->late && t < end + (int64_t)sending * 1000; t += 1000) {
		send_ping(what);
		p->afterwards += count_answers(&f, t + 1000);
	}
	close(f.fd);
}
