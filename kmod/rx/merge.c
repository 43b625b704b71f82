// SPDX-License-Identifier: GPL-2.0
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <net/checksum.h>
#include <net/ip6_checksum.h>
#include <net/tcp.h>
#include "ablate.h"
#include "limits.h"
#include "rx/merge.h"
#include "util/pages.h"

/* Flags that end a super-packet, and those two of them may differ in. */
#define CLOSING                                                      \
	(TCP_FLAG_URG | TCP_FLAG_PSH | TCP_FLAG_RST | TCP_FLAG_SYN | \
	 TCP_FLAG_FIN)
#define DIFFERING (TCP_FLAG_CWR | TCP_FLAG_FIN | TCP_FLAG_PSH)

/* A packet to be added. */
struct packet {
	const u8 *data;
	unsigned int len;
	unsigned int transport; /* offset of the TCP header, 0 if not TCP */
	unsigned int head; /* octets of headers, 0 if not TCP */
	bool ip4;
};

void esptun_merge_init(struct esptun_merge *m, const struct net_device *dev)
{
	__skb_queue_head_init(&m->list);
	m->join = READ_ONCE(dev->features) & NETIF_F_GRO;
	m->skb = NULL;
	m->head = 0;
}

/* ---- headers ---- */

static const struct iphdr *ip4_of(const struct packet *p)
{
	return (const struct iphdr *)p->data;
}

static const struct ipv6hdr *ip6_of(const struct packet *p)
{
	return (const struct ipv6hdr *)p->data;
}

static const struct tcphdr *tcp_of(const struct packet *p)
{
	return (const struct tcphdr *)(p->data + p->transport);
}

/* Find a TCP header behind a plain IP header; a super-packet has no other. */
static void look(struct packet *p)
{
	unsigned int ip = p->ip4 ? sizeof(struct iphdr) :
				   sizeof(struct ipv6hdr);

	p->transport = 0;
	p->head = 0;
	if (p->len < ip + sizeof(struct tcphdr))
		return;
	if (p->ip4 &&
	    (ip4_of(p)->ihl != 5 || ip4_of(p)->protocol != IPPROTO_TCP ||
	     ip_is_fragment(ip4_of(p))))
		return;
	if (!p->ip4 && ip6_of(p)->nexthdr != IPPROTO_TCP)
		return;
	p->transport = ip;
	p->head = ip + tcp_of(p)->doff * 4;
	if (p->head < ip + sizeof(struct tcphdr) || p->head > p->len)
		p->transport = p->head = 0;
}

static bool sum_ok(const struct packet *p)
{
	unsigned int len = p->len - p->transport;
	__wsum sum = csum_partial(p->data + p->transport, len, 0);
	const struct ipv6hdr *ip6 = ip6_of(p);
	const struct iphdr *ip4 = ip4_of(p);

	if (p->ip4)
		return !ip_fast_csum(ip4, ip4->ihl) &&
		       !csum_tcpudp_magic(ip4->saddr, ip4->daddr, len,
					  IPPROTO_TCP, sum);
	return !csum_ipv6_magic(&ip6->saddr, &ip6->daddr, len, IPPROTO_TCP,
				sum);
}

/* As inet_gro_receive(): what may change is the length and the number. */
static bool follows_ip4(struct esptun_merge *m, const struct iphdr *ip)
{
	const struct iphdr *was = (const struct iphdr *)m->skb->data;
	u16 id = ntohs(ip->id);

	if (ip->tos != was->tos || ip->frag_off != was->frag_off ||
	    ip->ttl != was->ttl || ip->saddr != was->saddr ||
	    ip->daddr != was->daddr)
		return false;
	if (m->count == 1)
		m->fixed = id == m->id && (ip->frag_off & htons(IP_DF));
	return id == (u16)(m->id + (m->fixed ? 0 : m->count));
}

static bool follows_ip6(const struct esptun_merge *m, const struct ipv6hdr *ip)
{
	const struct ipv6hdr *was = (const struct ipv6hdr *)m->skb->data;

	/* version, traffic class, flow label */
	return *(const __be32 *)ip == *(const __be32 *)was &&
	       ip->hop_limit == was->hop_limit &&
	       !memcmp(&ip->saddr, &was->saddr, 2 * sizeof(ip->saddr));
}

/* As tcp_gro_receive(). */
static bool follows_tcp(const struct esptun_merge *m, const struct packet *p)
{
	const struct tcphdr *was =
		(const struct tcphdr *)(m->skb->data + p->transport);
	const struct tcphdr *th = tcp_of(p);
	__be32 flags = tcp_flag_word(th);

	return th->source == was->source && th->dest == was->dest &&
	       ntohl(th->seq) == m->seq && th->ack_seq == was->ack_seq &&
	       !(flags & TCP_FLAG_CWR) &&
	       !((flags ^ tcp_flag_word(was)) & ~DIFFERING) &&
	       !memcmp(th + 1, was + 1, th->doff * 4 - sizeof(*th));
}

static bool follows(struct esptun_merge *m, const struct packet *p)
{
	unsigned int payload = p->len - p->head;

	return m->head && p->head == m->head &&
	       !esptun_ablate(ESPTUN_ABLATE_RX_MERGE) &&
	       p->ip4 == (m->skb->protocol == htons(ETH_P_IP)) && payload &&
	       payload <= m->size &&
	       m->skb->len + payload <= ESPTUN_MERGED_MAX &&
	       follows_tcp(m, p) &&
	       (p->ip4 ? follows_ip4(m, ip4_of(p)) :
			 follows_ip6(m, ip6_of(p))) &&
	       sum_ok(p);
}

/* ---- packets ---- */

/* What tcp_gro_complete() and inet_gro_complete() do. */
static void make_super(struct esptun_merge *m)
{
	struct sk_buff *skb = m->skb;
	bool ip4 = skb->protocol == htons(ETH_P_IP);
	unsigned int ip = ip4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr);
	struct skb_shared_info *info = skb_shinfo(skb);
	unsigned int len = skb->len - ip;
	struct tcphdr *th;

	skb_set_transport_header(skb, ip);
	th = tcp_hdr(skb);
	if (ip4) {
		ip_hdr(skb)->tot_len = htons(skb->len);
		ip_send_check(ip_hdr(skb));
		th->check = ~tcp_v4_check(len, ip_hdr(skb)->saddr,
					  ip_hdr(skb)->daddr, 0);
	} else {
		ipv6_hdr(skb)->payload_len = htons(len);
		th->check = ~tcp_v6_check(len, &ipv6_hdr(skb)->saddr,
					  &ipv6_hdr(skb)->daddr, 0);
	}
	skb->ip_summed = CHECKSUM_PARTIAL;
	skb->csum_start = (u8 *)th - skb->head;
	skb->csum_offset = offsetof(struct tcphdr, check);
	info->gso_size = m->size;
	info->gso_segs = m->count;
	info->gso_type = ip4 ? SKB_GSO_TCPV4 : SKB_GSO_TCPV6;
	if (m->fixed)
		info->gso_type |= SKB_GSO_TCP_FIXEDID;
	if (th->cwr)
		info->gso_type |= SKB_GSO_TCP_ECN;
}

static void close_newest(struct esptun_merge *m)
{
	if (!m->skb)
		return;
	if (m->count > 1)
		make_super(m);
	__skb_queue_tail(&m->list, m->skb);
	m->skb = NULL;
	m->head = 0;
}

/* The packet continues the newest one. */
static void extend(struct esptun_merge *m, const struct packet *p)
{
	struct tcphdr *first = (struct tcphdr *)(m->skb->data + p->transport);
	__be32 flags = tcp_flag_word(tcp_of(p));
	unsigned int payload = p->len - p->head;

	tcp_flag_word(first) |= flags & (TCP_FLAG_FIN | TCP_FLAG_PSH);
	esptun_pages_add(m->skb, p->data + p->head, payload);
	m->seq += payload;
	m->count++;
	if (payload < m->size || (flags & CLOSING))
		m->head = 0;
}

/* May others follow the newest packet? */
static void expect(struct esptun_merge *m, const struct packet *p)
{
	m->head = 0;
	m->count = 1;
	m->fixed = false;
	if (!m->join || !p->head || !sum_ok(p))
		return;
	m->skb->ip_summed = CHECKSUM_UNNECESSARY;
	m->size = p->len - p->head;
	if (!m->size || (tcp_flag_word(tcp_of(p)) & CLOSING))
		return;
	m->head = p->head;
	m->seq = ntohl(tcp_of(p)->seq) + m->size;
	m->id = p->ip4 ? ntohs(ip4_of(p)->id) : 0;
}

/* Headers in one piece, the rest behind. */
static struct sk_buff *begin(const struct packet *p)
{
	unsigned int head = p->head ?: min(p->len, ESPTUN_MERGE_HEAD_MAX);
	struct sk_buff *skb =
		alloc_skb(NET_SKB_PAD + ESPTUN_MERGE_HEAD_MAX, GFP_ATOMIC);

	if (!skb)
		return NULL;
	skb_reserve(skb, NET_SKB_PAD);
	skb_put_data(skb, p->data, head);
	skb->protocol = p->ip4 ? htons(ETH_P_IP) : htons(ETH_P_IPV6);
	skb_reset_mac_header(skb);
	skb_reset_network_header(skb);
	skb_reset_transport_header(skb);
	if (p->len > head) {
		if (!esptun_pages_room(skb, p->len - head)) {
			kfree_skb(skb);
			return NULL;
		}
		esptun_pages_add(skb, p->data + head, p->len - head);
	}
	return skb;
}

int esptun_merge_add(struct esptun_merge *m, const u8 *data, unsigned int len,
		     bool ip4)
{
	struct packet p = { .data = data, .len = len, .ip4 = ip4 };

	look(&p);
	if (follows(m, &p) && esptun_pages_room(m->skb, len - p.head)) {
		extend(m, &p);
		return 0;
	}
	close_newest(m);
	m->skb = begin(&p);
	if (!m->skb)
		return -ENOMEM;
	expect(m, &p);
	return 0;
}

void esptun_merge_finish(struct esptun_merge *m)
{
	close_newest(m);
}
