// SPDX-License-Identifier: GPL-2.0
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/skbuff.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include "sa/flow.h"

static void parse_ports(const struct sk_buff *skb, unsigned int offset,
			struct esptun_flow *flow)
{
	__be16 buf[2];
	const __be16 *ports;

	switch (flow->proto) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
	case IPPROTO_SCTP:
	case IPPROTO_DCCP:
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		break;
	default:
		return;
	}
	ports = skb_header_pointer(skb, offset, sizeof(buf), buf);
	if (!ports)
		return;
	flow->sport = ntohs(ports[0]);
	flow->dport = ntohs(ports[1]);
	/* RFC 7296 3.13.1: type and code stand for the ports, on both sides. */
	if (flow->proto == IPPROTO_ICMP || flow->proto == IPPROTO_ICMPV6)
		flow->dport = flow->sport;
	flow->ports_valid = true;
}

static bool parse_ip4(const struct sk_buff *skb, struct esptun_flow *flow)
{
	const struct iphdr *ip;
	struct iphdr buf;

	ip = skb_header_pointer(skb, 0, sizeof(buf), &buf);
	if (!ip || ip->ihl < 5)
		return false;
	flow->family = AF_INET;
	flow->src.s6_addr32[0] = ip->saddr;
	flow->dst.s6_addr32[0] = ip->daddr;
	flow->proto = ip->protocol;
	flow->fragment = ip->frag_off & htons(IP_OFFSET);
	if (!flow->fragment)
		parse_ports(skb, ip->ihl * 4, flow);
	return true;
}

/*
 * A later fragment does not have the headers that tell the protocol, but its
 * fragment header names the first of them: the protocol itself, unless it is
 * another extension header. Then the protocol is opaque (RFC 4301 4.4.1.1).
 */
static void parse_fragment6(const struct sk_buff *skb, unsigned int offset,
			    struct esptun_flow *flow)
{
	const struct frag_hdr *frag;
	struct frag_hdr buf;

	frag = skb_header_pointer(skb, offset, sizeof(buf), &buf);
	if (frag && !ipv6_ext_hdr(frag->nexthdr))
		flow->proto = frag->nexthdr;
}

static bool parse_ip6(const struct sk_buff *skb, struct esptun_flow *flow)
{
	const struct ipv6hdr *ip;
	struct ipv6hdr buf;
	__be16 frag = 0;
	int offset;

	ip = skb_header_pointer(skb, 0, sizeof(buf), &buf);
	if (!ip)
		return false;
	flow->family = AF_INET6;
	flow->src = ip->saddr;
	flow->dst = ip->daddr;
	flow->proto = ip->nexthdr;
	offset = ipv6_skip_exthdr(skb, sizeof(buf), &flow->proto, &frag);
	flow->fragment = frag & htons(IP6_OFFSET);
	if (offset >= 0 && flow->fragment)
		parse_fragment6(skb, offset, flow);
	else if (offset >= 0)
		parse_ports(skb, offset, flow);
	return true;
}

bool esptun_flow_parse(const struct sk_buff *skb, struct esptun_flow *flow)
{
	const u8 *first;
	u8 buf;

	memset(flow, 0, sizeof(*flow));
	first = skb_header_pointer(skb, 0, sizeof(buf), &buf);
	if (!first)
		return false;
	switch (*first >> 4) {
	case 4:
		return parse_ip4(skb, flow);
	case 6:
		return parse_ip6(skb, flow);
	default:
		return false;
	}
}
