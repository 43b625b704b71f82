// SPDX-License-Identifier: GPL-2.0
/*
 * Copying and summing in two passes beats the kernel's combined function: the
 * second pass finds the octets in the nearest cache, and both have the faster
 * instructions.
 */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/checksum.h>
#include <net/ip6_checksum.h>
#include "tx/segment.h"

#define KINDS                                              \
	(SKB_GSO_TCPV4 | SKB_GSO_TCPV6 | SKB_GSO_TCP_ECN | \
	 SKB_GSO_TCP_FIXEDID | SKB_GSO_UDP_L4)

/* Is there a transport header of the kind the metadata speak of? */
static bool transport_ok(struct esptun_segments *s, struct sk_buff *skb)
{
	unsigned int head = s->transport;

	if (skb->protocol == htons(ETH_P_IP)) {
		const struct iphdr *ip = ip_hdr(skb);

		if (head != ip->ihl * 4u || ip_is_fragment(ip) ||
		    ip->protocol != (s->tcp ? IPPROTO_TCP : IPPROTO_UDP))
			return false;
	} else if (head < sizeof(struct ipv6hdr)) {
		return false;
	}
	if (!s->tcp) {
		s->head = head + sizeof(struct udphdr);
		return pskb_may_pull(skb, s->head);
	}
	if (!pskb_may_pull(skb, head + sizeof(struct tcphdr)))
		return false;
	s->head = head + tcp_hdrlen(skb);
	return tcp_hdrlen(skb) >= sizeof(struct tcphdr) &&
	       pskb_may_pull(skb, s->head);
}

bool esptun_segments_init(struct esptun_segments *s, struct sk_buff *skb)
{
	unsigned int type = skb_shinfo(skb)->gso_type;
	bool ip4 = skb->protocol == htons(ETH_P_IP);

	s->skb = skb;
	s->head = 0;
	s->size = 0;
	s->n = 1;
	if (!skb_is_gso(skb))
		return true;
	s->tcp = type & (ip4 ? SKB_GSO_TCPV4 : SKB_GSO_TCPV6);
	if (type & ~KINDS || s->tcp == !!(type & SKB_GSO_UDP_L4) ||
	    skb->ip_summed != CHECKSUM_PARTIAL || skb_transport_offset(skb) < 0)
		return false;
	s->transport = skb_transport_offset(skb);
	if (!transport_ok(s, skb) || skb->len <= s->head)
		return false;
	s->size = skb_shinfo(skb)->gso_size;
	s->n = DIV_ROUND_UP(skb->len - s->head, s->size);
	esptun_reader_init(&s->payload, skb);
	return true;
}

void esptun_segments_end(struct esptun_segments *s)
{
	if (s->head)
		esptun_reader_end(&s->payload);
}

/* The packet with its checksum completed, without writing to @skb. */
static bool write_whole(const struct sk_buff *skb, u8 *to)
{
	unsigned int start, field;
	__sum16 sum;

	if (!esptun_copy(skb, 0, to, skb->len))
		return false;
	if (skb->ip_summed != CHECKSUM_PARTIAL)
		return true;
	start = skb_checksum_start_offset(skb);
	field = start + skb->csum_offset;
	if (start > skb_headlen(skb) || field + sizeof(sum) > skb->len)
		return false;
	sum = csum_fold(csum_partial(to + start, skb->len - start, 0));
	/* In UDP a checksum of 0 would mean there is none. */
	sum = sum ?: CSUM_MANGLED_0;
	memcpy(to + field, &sum, sizeof(sum));
	return true;
}

/* Of a transport header at @th and what follows it, its own field being 0. */
static __sum16 transport_sum(const struct esptun_segments *s, const u8 *to,
			     const u8 *th, unsigned int len)
{
	const struct iphdr *ip4 = (const struct iphdr *)to;
	const struct ipv6hdr *ip6 = (const struct ipv6hdr *)to;
	u8 proto = s->tcp ? IPPROTO_TCP : IPPROTO_UDP;
	__wsum sum = csum_partial(th, len, 0);

	if (s->skb->protocol == htons(ETH_P_IP))
		return csum_tcpudp_magic(ip4->saddr, ip4->daddr, len, proto,
					 sum);
	return csum_ipv6_magic(&ip6->saddr, &ip6->daddr, len, proto, sum);
}

static void patch_ip(const struct esptun_segments *s, unsigned int i, u8 *to,
		     unsigned int len)
{
	if (s->skb->protocol == htons(ETH_P_IP)) {
		struct iphdr *ip = (struct iphdr *)to;

		ip->tot_len = htons(len);
		if (!(skb_shinfo(s->skb)->gso_type & SKB_GSO_TCP_FIXEDID))
			ip->id = htons(ntohs(ip->id) + i);
		ip->check = 0;
		ip->check = ip_fast_csum(ip, ip->ihl);
	} else {
		struct ipv6hdr *ip = (struct ipv6hdr *)to;

		ip->payload_len = htons(len - sizeof(*ip));
	}
}

/* What tcp_gso_segment() does to the flags: CWR is the first segment's only. */
static void patch_tcp(const struct esptun_segments *s, unsigned int i, u8 *to,
		      unsigned int len)
{
	struct tcphdr *th = (struct tcphdr *)(to + s->transport);

	th->seq = htonl(ntohl(th->seq) + i * s->size);
	if (i)
		th->cwr = 0;
	if (i + 1 < s->n)
		th->fin = th->psh = 0;
	th->check = 0;
	th->check = transport_sum(s, to, (u8 *)th, len - s->transport);
}

static void patch_udp(const struct esptun_segments *s, u8 *to, unsigned int len)
{
	struct udphdr *uh = (struct udphdr *)(to + s->transport);

	uh->len = htons(len - s->transport);
	uh->check = 0;
	uh->check = transport_sum(s, to, (u8 *)uh, len - s->transport) ?:
			    CSUM_MANGLED_0;
}

bool esptun_segment_write(struct esptun_segments *s, unsigned int i, u8 *to)
{
	unsigned int len = esptun_segment_len(s, i);

	if (!s->head)
		return write_whole(s->skb, to);
	memcpy(to, s->skb->data, s->head);
	if (!esptun_reader_get(&s->payload, s->head + i * s->size, to + s->head,
			       len - s->head))
		return false;
	patch_ip(s, i, to, len);
	if (s->tcp)
		patch_tcp(s, i, to, len);
	else
		patch_udp(s, to, len);
	return true;
}
