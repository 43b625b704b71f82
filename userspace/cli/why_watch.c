// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A packet socket hears of outgoing packets when a device is given them, which is after the firewall, and of
 * incoming ones before it. A filter keeps all packets from it that are not of the peer or ICMP errors, and cuts
 * those to what is looked at. Packets are hostile: each length is compared before anything is read.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/why_watch.h"

enum {
	MOST = 1 << 16, /* packets that are counted: a busy tunnel has more of them without end */
	CUT = 160, /* bytes of a packet: two IPv6 headers, ICMPv6 and UDP fit */
	UDP_LEN = 8,
	NON_ESP_MARKER = 4,
	IKE_PLAIN_PORT = 500, /* of which datagrams have no marker */
};

/* ---- packets -------------------------------------------------------------------------- */

struct packet {
	uint8_t protocol;
	bool fragment; /* not the first one: without the header of what is in it */
	struct esptun_addr source, destination;
	const uint8_t *body;
	size_t len;
};

static struct esptun_addr address(uint8_t family, const uint8_t *b)
{
	struct esptun_addr a = { .family = family };

	memcpy(a.bytes, b, family == AF_INET ? 4 : 16);
	return a;
}

/* Extension headers of IPv6 hide what is behind them: neither IKE nor ESP has any. */
static bool parse_packet(const uint8_t *b, size_t len, struct packet *p)
{
	size_t head;

	memset(p, 0, sizeof(*p));
	if (len >= 20 && b[0] >> 4 == 4) {
		head = (size_t)(b[0] & 15) * 4;
		if (head < 20 || head > len)
			return false;
		p->protocol = b[9];
		p->fragment = (b[6] & 0x1f) || b[7];
		p->source = address(AF_INET, b + 12);
		p->destination = address(AF_INET, b + 16);
	} else if (len >= 40 && b[0] >> 4 == 6) {
		head = 40;
		p->protocol = b[6];
		p->source = address(AF_INET6, b + 8);
		p->destination = address(AF_INET6, b + 24);
	} else {
		return false;
	}
	p->body = b + head;
	p->len = len - head;
	return true;
}

static uint16_t read_u16(const uint8_t *b)
{
	return (uint16_t)(b[0] << 8 | b[1]);
}

/* ---- counting ------------------------------------------------------------------------- */

static bool is_ike(const uint8_t *payload, size_t len, uint16_t port)
{
	static const uint8_t marker[NON_ESP_MARKER];

	return port == IKE_PLAIN_PORT ||
	       (len >= sizeof(marker) && !memcmp(payload, marker, sizeof(marker)));
}

/* Of the peer, to it if @outgoing. */
static void count_of_peer(const struct why_watch *w, const struct packet *p, bool outgoing,
			  struct why_seen *seen)
{
	uint16_t port;

	if (p->protocol == IPPROTO_ESP || (p->protocol == IPPROTO_UDP && p->fragment)) {
		*(outgoing ? &seen->esp_left : &seen->esp_arrived) += 1;
		return;
	}
	if (p->protocol != IPPROTO_UDP || p->len <= UDP_LEN)
		return;
	port = read_u16(p->body + (outgoing ? 2 : 0));
	if (is_ike(p->body + UDP_LEN, p->len - UDP_LEN, port)) {
		if (port == w->port)
			*(outgoing ? &seen->ike_left : &seen->ike_arrived) += 1;
	} else if (p->len > UDP_LEN + 1) { /* a keepalive is one byte */
		*(outgoing ? &seen->esp_left : &seen->esp_arrived) += 1;
	}
}

static enum why_icmp judge_code(uint8_t protocol, uint8_t type, uint8_t code)
{
	if (protocol == IPPROTO_ICMP && type == 3) /* RFC 792, 1812 5.2.7.1 */
		return code == 3			       ? WHY_ICMP_CLOSED
		       : code == 4			       ? WHY_ICMP_NONE
		       : code == 9 || code == 10 || code == 13 ? WHY_ICMP_PROHIBITED
							       : WHY_ICMP_UNREACHABLE;
	if (protocol == IPPROTO_ICMPV6 && type == 1) /* RFC 4443 3.1 */
		return code == 4		? WHY_ICMP_CLOSED
		       : code == 1 || code == 5 ? WHY_ICMP_PROHIBITED
						: WHY_ICMP_UNREACHABLE;
	return WHY_ICMP_NONE;
}

/* An error about a datagram to the peer's port. */
static void note_icmp(const struct why_watch *w, const struct packet *p, struct why_seen *seen)
{
	enum why_icmp icmp;
	struct packet in;

	if ((p->protocol != IPPROTO_ICMP && p->protocol != IPPROTO_ICMPV6) || p->fragment ||
	    p->len < 8)
		return;
	icmp = judge_code(p->protocol, p->body[0], p->body[1]);
	if (icmp == WHY_ICMP_NONE || !parse_packet(p->body + 8, p->len - 8, &in) ||
	    in.protocol != IPPROTO_UDP || in.len < 4 || read_u16(in.body + 2) != w->port ||
	    !esptun_addr_equal(&in.destination, &w->peer))
		return;
	seen->icmp = icmp;
	esptun_addr_format(&p->source, seen->icmp_from);
}

void why_watch_count(const struct why_watch *w, const uint8_t *packet, size_t len, bool outgoing,
		     const char *device, struct why_seen *seen)
{
	struct packet p;

	if (!parse_packet(packet, len, &p))
		return;
	if (!outgoing)
		note_icmp(w, &p, seen);
	if (!esptun_addr_equal(outgoing ? &p.destination : &p.source, &w->peer))
		return;
	if (outgoing)
		snprintf(seen->device, sizeof(seen->device), "%s", device);
	count_of_peer(w, &p, outgoing, seen);
}

/* ---- the socket ----------------------------------------------------------------------- */

#define LOAD(size, at) BPF_STMT(BPF_LD | (size) | BPF_ABS, (uint32_t)(at))
/* On to the statement after @yes, or after @no, others. */
#define IF_EQUAL(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), (yes), (no))

static uint32_t word(const struct esptun_addr *a, unsigned int i)
{
	uint32_t v;

	memcpy(&v, a->bytes + 4 * i, sizeof(v));
	return ntohl(v);
}

/* Of IPv6 addresses the last words are compared, which lets some others through. */
static int attach_filter(int fd, const struct esptun_addr *peer)
{
	const bool v4 = peer->family == AF_INET;
	const uint32_t last = word(peer, v4 ? 0 : 3);
	struct sock_filter code[] = {
		LOAD(BPF_H, SKF_AD_OFF + SKF_AD_PROTOCOL),
		IF_EQUAL(v4 ? ETH_P_IP : ETH_P_IPV6, 0, 6),
		LOAD(BPF_W, v4 ? 12 : 20),
		IF_EQUAL(last, 5, 0),
		LOAD(BPF_W, v4 ? 16 : 36),
		IF_EQUAL(last, 3, 0),
		LOAD(BPF_B, v4 ? 9 : 6),
		IF_EQUAL(v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, CUT),
	};
	const struct sock_fprog program = { sizeof(code) / sizeof(*code), code };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

/* The filter is there before the first packet is. */
void why_watch_begin(struct why_watch *w, const struct esptun_addr *peer, uint16_t port,
		     uint32_t not_on)
{
	const struct sockaddr_ll all = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
	};

	*w = (struct why_watch){ .fd = -1, .peer = *peer, .port = port, .not_on = not_on };
	if (peer->family == AF_UNSPEC)
		return;
	w->fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (w->fd >= 0 && !attach_filter(w->fd, peer) &&
	    !bind(w->fd, (const struct sockaddr *)&all, sizeof(all)))
		return;
	if (w->fd >= 0)
		close(w->fd);
	w->fd = -1;
}

static void count_next(const struct why_watch *w, const uint8_t *packet, size_t len,
		       const struct sockaddr_ll *from, struct why_seen *seen)
{
	char device[IFNAMSIZ] = "?";

	if (from->sll_ifindex == (int)w->not_on || from->sll_pkttype == PACKET_LOOPBACK)
		return;
	if_indextoname((unsigned int)from->sll_ifindex, device);
	why_watch_count(w, packet, len, from->sll_pkttype == PACKET_OUTGOING, device, seen);
}

void why_watch_end(struct why_watch *w, struct why_seen *seen)
{
	uint8_t packet[CUT];
	struct sockaddr_ll from;
	socklen_t size = sizeof(from);
	ssize_t n;

	memset(seen, 0, sizeof(*seen));
	if (w->fd < 0)
		return;
	seen->watched = true;
	for (unsigned int i = 0; i < MOST; i++) {
		n = recvfrom(w->fd, packet, sizeof(packet), 0, (struct sockaddr *)&from, &size);
		if (n < 0)
			break;
		count_next(w, packet, (size_t)n, &from, seen);
		size = sizeof(from);
	}
	close(w->fd);
	w->fd = -1;
}
