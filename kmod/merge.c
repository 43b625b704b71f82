// SPDX-License-Identifier: GPL-2.0
/*
 * The next packet is put so that its payload begins where the last one ended;
 * its headers then lie over the end of that payload, which is saved before and
 * restored after. Thus payloads of many packets become one piece of memory.
 */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <net/checksum.h>
#include <net/ip6_checksum.h>
#include <net/tcp.h>
#include "aead.h"
#include "limits.h"
#include "merge.h"

/* Flags that end a super-packet, and those two of them may differ in. */
#define CLOSING                                                      \
	(TCP_FLAG_URG | TCP_FLAG_PSH | TCP_FLAG_RST | TCP_FLAG_SYN | \
	 TCP_FLAG_FIN)
#define DIFFERING (TCP_FLAG_CWR | TCP_FLAG_FIN | TCP_FLAG_PSH)

/* Headers of a packet, copied out, so they are aligned and stay. */
struct head {
	union {
		u8 octets[ESPTUN_MERGE_HEAD_MAX];
		struct iphdr ip4;
		struct ipv6hdr ip6;
	};
	unsigned int transport; /* offset of the TCP header, 0 if not TCP */
	unsigned int len; /* octets of headers */
} __aligned(8);

void esptun_merge_init(struct esptun_merge *m, struct page_frag *frag,
		       unsigned int front)
{
	__skb_queue_head_init(&m->list);
	m->skb = NULL;
	m->frag = frag;
	m->end = NULL;
	m->front = front;
	m->head = 0;
	m->overlap = 0;
}

/* ---- memory ---- */

u8 *esptun_merge_room(struct esptun_merge *m, unsigned int len)
{
	unsigned int overlap = m->front + m->head;

	if (m->end && m->head &&
	    m->frag->offset + len <= m->frag->size + overlap) {
		m->overlap = overlap;
		m->to = m->end - overlap;
		memcpy(m->saved, m->to, overlap);
		return m->to;
	}
	m->overlap = 0;
	m->end = NULL;
	m->frag->offset = ALIGN(m->frag->offset, SMP_CACHE_BYTES);
	if (!skb_page_frag_refill(ESPTUN_AEAD_HEADROOM + len, m->frag,
				  GFP_ATOMIC))
		return NULL;
	/* A new page may be smaller than what was asked for. */
	if (m->frag->offset + ESPTUN_AEAD_HEADROOM + len > m->frag->size)
		return NULL;
	m->to = page_address(m->frag->page) + m->frag->offset +
		ESPTUN_AEAD_HEADROOM;
	return m->to;
}

void esptun_merge_skip(struct esptun_merge *m)
{
	memcpy(m->to, m->saved, m->overlap);
}

/* Octets [@at, @at + @len) of m->frag belong to @skb now. */
static void add_payload(struct esptun_merge *m, struct sk_buff *skb, u8 *at,
			unsigned int len)
{
	unsigned int offset = at - (u8 *)page_address(m->frag->page);
	unsigned int n = skb_shinfo(skb)->nr_frags;

	m->end = at + len;
	m->frag->offset = offset + len;
	if (!len)
		return;
	if (skb_can_coalesce(skb, n, m->frag->page, offset)) {
		skb_frag_size_add(&skb_shinfo(skb)->frags[n - 1], len);
	} else {
		skb_fill_page_desc(skb, n, m->frag->page, offset, len);
		get_page(m->frag->page);
	}
	skb->len += len;
	skb->data_len += len;
	skb->truesize += len;
}

/* ---- headers ---- */

static struct tcphdr *tcp_of(struct head *h)
{
	return (struct tcphdr *)(h->octets + h->transport);
}

/* Find a TCP header behind a plain IP header; a super-packet has no other. */
static void look(struct head *h, const u8 *packet, unsigned int len, bool ip4)
{
	unsigned int ip = ip4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr);

	memcpy(h->octets, packet, min(len, ESPTUN_MERGE_HEAD_MAX));
	h->transport = 0;
	h->len = 0;
	if (len < ip + sizeof(struct tcphdr))
		return;
	if (ip4 && (h->ip4.ihl != 5 || h->ip4.protocol != IPPROTO_TCP ||
		    ip_is_fragment(&h->ip4)))
		return;
	if (!ip4 && h->ip6.nexthdr != IPPROTO_TCP)
		return;
	h->transport = ip;
	h->len = ip + tcp_of(h)->doff * 4;
	if (h->len < ip + sizeof(struct tcphdr) || h->len > len)
		h->transport = h->len = 0;
}

static bool sum_ok(struct head *h, const u8 *packet, unsigned int len, bool ip4)
{
	unsigned int tcp = len - h->transport;
	/* The payload may lie over what was saved, the headers never change. */
	__wsum sum = csum_partial(packet + h->transport, tcp, 0);

	if (ip4 && ip_fast_csum(&h->ip4, h->ip4.ihl))
		return false;
	if (ip4)
		return !csum_tcpudp_magic(h->ip4.saddr, h->ip4.daddr, tcp,
					  IPPROTO_TCP, sum);
	return !csum_ipv6_magic(&h->ip6.saddr, &h->ip6.daddr, tcp, IPPROTO_TCP,
				sum);
}

/* As inet_gro_receive(): what may change is the length and the number. */
static bool follows_ip4(struct esptun_merge *m, const struct head *h)
{
	const struct iphdr *was = (const struct iphdr *)m->first;
	const struct iphdr *ip = &h->ip4;
	u16 id = ntohs(ip->id);

	if (ip->tos != was->tos || ip->frag_off != was->frag_off ||
	    ip->ttl != was->ttl || ip->saddr != was->saddr ||
	    ip->daddr != was->daddr)
		return false;
	if (m->count == 1)
		m->fixed = id == m->id && (ip->frag_off & htons(IP_DF));
	return id == (u16)(m->id + (m->fixed ? 0 : m->count));
}

static bool follows_ip6(const struct esptun_merge *m, const struct head *h)
{
	const struct ipv6hdr *was = (const struct ipv6hdr *)m->first;
	const struct ipv6hdr *ip = &h->ip6;

	/* version, traffic class, flow label */
	return *(const __be32 *)ip == *(const __be32 *)was &&
	       ip->hop_limit == was->hop_limit &&
	       !memcmp(&ip->saddr, &was->saddr, 2 * sizeof(ip->saddr));
}

/* As tcp_gro_receive(). */
static bool follows_tcp(const struct esptun_merge *m, struct head *h)
{
	const struct tcphdr *was =
		(const struct tcphdr *)(m->first + h->transport);
	struct tcphdr *th = tcp_of(h);
	__be32 flags = tcp_flag_word(th);

	return th->source == was->source && th->dest == was->dest &&
	       ntohl(th->seq) == m->seq && th->ack_seq == was->ack_seq &&
	       !(flags & TCP_FLAG_CWR) &&
	       !((flags ^ tcp_flag_word(was)) & ~DIFFERING) &&
	       !memcmp(th + 1, was + 1, th->doff * 4 - sizeof(*th));
}

static bool follows(struct esptun_merge *m, struct head *h, unsigned int len,
		    bool ip4)
{
	bool was_ip4 = m->skb->protocol == htons(ETH_P_IP);
	unsigned int n = skb_shinfo(m->skb)->nr_frags;

	if (!h->transport || h->len != m->head || ip4 != was_ip4 ||
	    len <= h->len || len - h->len > m->size ||
	    m->skb->len + len - h->len > ESPTUN_MERGED_MAX)
		return false;
	/* Not behind the last payload: one more fragment. */
	if (!m->overlap && n >= MAX_SKB_FRAGS)
		return false;
	if (!follows_tcp(m, h))
		return false;
	return ip4 ? follows_ip4(m, h) : follows_ip6(m, h);
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
static void extend(struct esptun_merge *m, struct head *h, u8 *packet,
		   unsigned int len)
{
	struct tcphdr *first = (struct tcphdr *)(m->skb->data + h->transport);
	__be32 flags = tcp_flag_word(tcp_of(h));

	tcp_flag_word(first) |= flags & (TCP_FLAG_FIN | TCP_FLAG_PSH);
	add_payload(m, m->skb, packet + h->len, len - h->len);
	m->seq += len - h->len;
	m->count++;
	if (len - h->len < m->size || (flags & CLOSING))
		m->head = 0;
}

/* The packet becomes the newest one: headers linear, payload where it lies. */
static struct sk_buff *begin(struct esptun_merge *m, struct head *h, u8 *packet,
			     unsigned int len, bool ip4)
{
	unsigned int linear = min(len, ESPTUN_MERGE_HEAD_MAX);
	struct sk_buff *skb;

	/* Headers only, if known, or it could not be extended. */
	if (h->len)
		linear = h->len;
	/* What lies over the packet before has to leave. */
	if (m->overlap > m->front)
		linear = max(linear, min(len, m->overlap - m->front));
	skb = alloc_skb(NET_SKB_PAD + ESPTUN_MERGE_HEAD_MAX, GFP_ATOMIC);
	if (!skb)
		return NULL;
	skb_reserve(skb, NET_SKB_PAD);
	memcpy(skb_put(skb, linear), h->octets, linear);
	skb->protocol = ip4 ? htons(ETH_P_IP) : htons(ETH_P_IPV6);
	skb_reset_mac_header(skb);
	skb_reset_network_header(skb);
	skb_reset_transport_header(skb);
	add_payload(m, skb, packet + linear, len - linear);
	if (h->transport && sum_ok(h, packet, len, ip4)) {
		skb->ip_summed = CHECKSUM_UNNECESSARY;
		if (linear == h->len && len > h->len &&
		    !(tcp_flag_word(tcp_of(h)) & CLOSING)) {
			m->head = h->len;
			m->size = len - h->len;
			m->seq = ntohl(tcp_of(h)->seq) + m->size;
			m->id = ip4 ? ntohs(h->ip4.id) : 0;
			memcpy(m->first, h->octets, h->len);
		}
	}
	return skb;
}

int esptun_merge_take(struct esptun_merge *m, unsigned int len, bool ip4)
{
	u8 *packet = m->to + m->front;
	int err = 0;
	struct head h;

	look(&h, packet, len, ip4);
	if (m->head && follows(m, &h, len, ip4) &&
	    sum_ok(&h, packet, len, ip4)) {
		extend(m, &h, packet, len);
	} else {
		close_newest(m);
		m->count = 1;
		m->fixed = false;
		m->skb = begin(m, &h, packet, len, ip4);
		if (!m->skb)
			err = -ENOMEM;
	}
	memcpy(m->to, m->saved, m->overlap);
	return err;
}

void esptun_merge_finish(struct esptun_merge *m)
{
	close_newest(m);
	if (m->frag->page)
		m->frag->offset = ALIGN(m->frag->offset, SMP_CACHE_BYTES);
}
