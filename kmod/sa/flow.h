/* SPDX-License-Identifier: GPL-2.0 */
/* What selectors look at in a packet. */
#ifndef ESPTUN_FLOW_H
#define ESPTUN_FLOW_H

#include <linux/in6.h>
#include <linux/types.h>

struct sk_buff;

/**
 * struct esptun_flow - what selectors look at in an inner packet
 * @src: source address, IPv4 as in struct esptun_ts
 * @dst: destination address
 * @family: AF_INET or AF_INET6
 * @proto: IP protocol, after IPv6 extension headers
 * @ports_valid: the ports are there (not a later fragment, and a protocol
 *	that has them)
 * @fragment: a fragment behind the first one
 * @any_port: match any port; to find out whether a fragment lacks only these
 * @sport: host order; for ICMP type * 256 + code, in both
 * @dport: host order
 */
struct esptun_flow {
	struct in6_addr src;
	struct in6_addr dst;
	u8 family;
	u8 proto;
	bool ports_valid;
	bool fragment;
	bool any_port;
	u16 sport;
	u16 dport;
};

/**
 * esptun_flow_parse - read a packet's addresses, protocol and ports
 * @skb: starts with an IP header at skb->data; its length was checked
 * @flow: result
 *
 * Reads only, copes with nonlinear packets.
 * Return: false if the packet is neither IPv4 nor IPv6 or too short.
 */
bool esptun_flow_parse(const struct sk_buff *skb, struct esptun_flow *flow);

#endif /* ESPTUN_FLOW_H */
