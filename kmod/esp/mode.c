// SPDX-License-Identifier: GPL-2.0
#include <linux/indirect_call_wrapper.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/skbuff.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <linux/esptun.h>
#include "esp/esp.h"
#include "encap/family.h"
#include "esp/mode.h"

/* ---- tunnel mode (RFC 4303 3.1.2): the payload is an IP packet ---- */

static bool wrap_tunnel(const struct sk_buff *skb,
			const struct esptun_path *path,
			struct esptun_frame *frame)
{
	frame->strip = 0;
	frame->next = skb->protocol == htons(ETH_P_IP) ? ESPTUN_NEXT_IP4 :
							 ESPTUN_NEXT_IP6;
	frame->ttl = 0;
	return true;
}

/* Octets the inner IP header claims, 0 if it cannot be one. */
static unsigned int inner_len(const u8 *text, unsigned int have, u8 next)
{
	const struct ipv6hdr *ip6 = (const struct ipv6hdr *)text;
	const struct iphdr *ip4 = (const struct iphdr *)text;
	unsigned int len;

	if (next == ESPTUN_NEXT_IP4) {
		if (have < sizeof(*ip4) || ip4->version != 4 || ip4->ihl < 5)
			return 0;
		len = ntohs(ip4->tot_len);
		return len < ip4->ihl * 4u ? 0 : len;
	}
	if (have < sizeof(*ip6) || ip6->version != 6)
		return 0;
	return sizeof(*ip6) + ntohs(ip6->payload_len);
}

static unsigned int unwrap_tunnel(u8 *text, unsigned int len, u8 next,
				  const struct esptun_arrival *arrival,
				  struct esptun_inner *inner)
{
	if (next != ESPTUN_NEXT_IP4 && next != ESPTUN_NEXT_IP6)
		return ESPTUN_STATS_A_RX_NEXT_HEADER;
	inner->at = text;
	inner->ip4 = next == ESPTUN_NEXT_IP4;
	/* What follows is traffic flow confidentiality padding, RFC 4303 2.7. */
	inner->len = inner_len(text, len, next);
	return inner->len && inner->len <= len ? 0 : ESPTUN_STATS_A_RX_INNER;
}

/*
 * ---- transport mode (RFC 4303 3.1.1): the payload is what follows the IP header
 *
 * Our IP header is the outer one, so only whole packets between the endpoints go
 * (RFC 4301 4.1), whose IP header is not followed by what would have to stand in
 * front of ESP: IPv4 options, hop-by-hop options, a routing header. What a packet
 * socket leaves behind the packet would become a part of it at the other end.
 */

/* Is it one packet, or a super-packet of whole ones? @len: what its header says. */
static bool is_whole(const struct sk_buff *skb, unsigned int len)
{
	if (skb_is_gso(skb))
		return !(skb_shinfo(skb)->gso_type & SKB_GSO_UDP);
	return len == skb->len;
}

static bool wrap_ip4(const struct sk_buff *skb, const struct esptun_path *path,
		     struct esptun_frame *frame)
{
	const struct iphdr *ip = ip_hdr(skb);

	if (ip->ihl != sizeof(*ip) / 4 || !ip->ttl || ip_is_fragment(ip) ||
	    !is_whole(skb, ntohs(ip->tot_len)) ||
	    path->family->family != AF_INET || ip->saddr != path->source.ip4 ||
	    ip->daddr != path->remote.addr.ip4)
		return false;
	frame->strip = sizeof(*ip);
	frame->next = ip->protocol;
	frame->ttl = ip->ttl;
	return true;
}

/* Does it belong in front of ESP (RFC 4303 3.1.1)? */
static bool precedes_esp(u8 next)
{
	return next == NEXTHDR_HOP || next == NEXTHDR_ROUTING ||
	       next == NEXTHDR_FRAGMENT;
}

static bool wrap_ip6(const struct sk_buff *skb, const struct esptun_path *path,
		     struct esptun_frame *frame)
{
	const struct ipv6hdr *ip = ipv6_hdr(skb);

	if (precedes_esp(ip->nexthdr) || !ip->hop_limit ||
	    !is_whole(skb, ntohs(ip->payload_len) + sizeof(*ip)) ||
	    path->family->family != AF_INET6 ||
	    !ipv6_addr_equal(&ip->saddr, &path->source.ip6) ||
	    !ipv6_addr_equal(&ip->daddr, &path->remote.addr.ip6))
		return false;
	frame->strip = sizeof(*ip);
	frame->next = ip->nexthdr;
	frame->ttl = ip->hop_limit;
	return true;
}

static bool wrap_transport(const struct sk_buff *skb,
			   const struct esptun_path *path,
			   struct esptun_frame *frame)
{
	return skb->protocol == htons(ETH_P_IP) ? wrap_ip4(skb, path, frame) :
						  wrap_ip6(skb, path, frame);
}

static unsigned int unwrap_ip4(u8 *text, unsigned int len, u8 next,
			       const struct esptun_arrival *arrival,
			       struct esptun_inner *inner)
{
	struct iphdr *ip = (struct iphdr *)text - 1;

	BUILD_BUG_ON(sizeof(*ip) > ESPTUN_UNWRAP_HEADROOM);
	if (len + sizeof(*ip) > IP_MAX_MTU)
		return ESPTUN_STATS_A_RX_INNER;
	*ip = (struct iphdr){
		.version = 4,
		.ihl = sizeof(*ip) / 4,
		.tos = arrival->tos,
		.tot_len = htons(len + sizeof(*ip)),
		.frag_off = arrival->df ? htons(IP_DF) : 0,
		.ttl = arrival->ttl,
		.protocol = next,
		.saddr = arrival->from.addr.ip4,
		.daddr = arrival->to.ip4,
	};
	ip->check = ip_fast_csum(ip, ip->ihl);
	*inner = (struct esptun_inner){
		.at = (u8 *)ip,
		.len = len + sizeof(*ip),
		.ip4 = true,
	};
	return 0;
}

static unsigned int unwrap_ip6(u8 *text, unsigned int len, u8 next,
			       const struct esptun_arrival *arrival,
			       struct esptun_inner *inner)
{
	struct ipv6hdr *ip = (struct ipv6hdr *)text - 1;

	BUILD_BUG_ON(sizeof(*ip) > ESPTUN_UNWRAP_HEADROOM);
	if (precedes_esp(next))
		return ESPTUN_STATS_A_RX_NEXT_HEADER;
	if (len > IPV6_MAXPLEN)
		return ESPTUN_STATS_A_RX_INNER;
	ip6_flow_hdr(ip, arrival->tos, 0);
	ip->payload_len = htons(len);
	ip->nexthdr = next;
	ip->hop_limit = arrival->ttl;
	ip->saddr = arrival->from.addr.ip6;
	ip->daddr = arrival->to.ip6;
	*inner = (struct esptun_inner){
		.at = (u8 *)ip,
		.len = len + sizeof(*ip),
	};
	return 0;
}

/* What waited for its key has no outer addresses any more. */
static unsigned int unwrap_transport(u8 *text, unsigned int len, u8 next,
				     const struct esptun_arrival *arrival,
				     struct esptun_inner *inner)
{
	if (!arrival->own)
		return ESPTUN_STATS_A_RX_TS;
	switch (arrival->from.addr.family) {
	case AF_INET:
		return unwrap_ip4(text, len, next, arrival, inner);
	case AF_INET6:
		return unwrap_ip6(text, len, next, arrival, inner);
	default:
		return ESPTUN_STATS_A_RX_TS;
	}
}

/* ---- all modes ---- */

const struct esptun_mode_ops esptun_modes[] = {
	[ESPTUN_SA_MODE_TUNNEL] = {
		.wrap = wrap_tunnel,
		.unwrap = unwrap_tunnel,
	},
	[ESPTUN_SA_MODE_TRANSPORT] = {
		.of_endpoints = true,
		.wrap = wrap_transport,
		.unwrap = unwrap_transport,
	},
};

unsigned int esptun_mode_open(const struct esptun_mode_ops *ops, u8 *text,
			      unsigned int len,
			      const struct esptun_arrival *arrival,
			      struct esptun_inner *inner)
{
	unsigned int payload;
	u8 next;

	if (!esptun_esp_get_trailer(text, len, &payload, &next))
		return ESPTUN_STATS_A_RX_PADDING;
	if (next == ESPTUN_NEXT_DUMMY)
		return ESPTUN_STATS_A_RX_DUMMY;
	return INDIRECT_CALL_1(ops->unwrap, unwrap_tunnel, text, payload, next,
			       arrival, inner);
}
