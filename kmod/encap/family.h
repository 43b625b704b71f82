/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What differs between families of outer addresses: one row for each. All
 * functions of a row are called in the RCU read side with bottom halves off
 * unless they say otherwise.
 */
#ifndef ESPTUN_FAMILY_H
#define ESPTUN_FAMILY_H

#include <linux/indirect_call_wrapper.h>
#include <linux/netdev_features.h>
#include <linux/types.h>
#include "encap/endpoint.h"
#include "encap/header.h"

struct dst_cache;
struct dst_entry;
struct esptun_encap_ops;
struct esptun_family;
struct esptun_link;
struct net;
struct sk_buff;
struct sock;
struct udphdr;

/* Rows, in an order of their own. */
enum esptun_family_index {
	ESPTUN_IP4,
	ESPTUN_IP6,
	ESPTUN_FAMILIES,
};

/**
 * struct esptun_path - where a peer's packets go
 * @family: of @source and @remote
 * @encap: what ESP packets travel in
 * @dst: outer route, one reference, or NULL
 * @source: outer source
 * @remote: outer destination
 * @mtu: of the path
 * @hlen: octets of outer headers in front of the ESP header
 * @header: what the outer IP header is like
 * @udpcsum: enum esptun_udpcsum, of the outer UDP header if there is one
 */
struct esptun_path {
	const struct esptun_family *family;
	const struct esptun_encap_ops *encap;
	struct dst_entry *dst;
	struct esptun_addr source;
	struct esptun_endpoint remote;
	unsigned int mtu;
	unsigned int hlen;
	struct esptun_header header;
	u8 udpcsum;
};

/**
 * struct esptun_outer - the outer IP header, where it is a packet's own
 * @flow: of all packets of an SA, 0 for others
 * @label: IPv6 flow label
 * @tos: outer TOS or traffic class
 * @ttl: outer TTL or hop limit, 0 for the route's
 * @ttl_max: at most
 * @df: nobody may fragment it; IPv6 routers never do
 * @frag_max: of IPv6 packets without @df, octets of a fragment; 0 for the path's MTU
 */
struct esptun_outer {
	u32 flow;
	u32 label;
	u8 tos;
	u8 ttl;
	u8 ttl_max;
	bool df;
	u16 frag_max;
};

/**
 * struct esptun_arrival - what the outer headers of a received datagram say
 * @from: source address and port, 0 if it travelled without ports
 * @to: destination address
 * @own: @to is an address of this host alone, neither broadcast nor multicast
 * @tos: TOS or traffic class
 * @ttl: TTL or hop limit
 * @df: nobody may have fragmented it on its way
 * @zero_csum6: it came in UDP over IPv6 without a checksum
 */
struct esptun_arrival {
	struct esptun_endpoint from;
	struct esptun_addr to;
	bool own;
	u8 tos;
	u8 ttl;
	bool df;
	bool zero_csum6;
};

/**
 * struct esptun_family - a family of outer addresses
 * @family: AF_*
 * @index: its row
 * @pf: its NFPROTO_*
 * @hlen: octets of its header, without options
 * @csum: a device with one of these computes UDP checksums
 * @own_pmtu: what ICMP taught about a path is the peer's, and what the kernel's
 *	routes learned does not count
 * @zero_csum: UDP may go without a checksum to everybody
 * @cached: route in a cache, one reference, and its source; NULL if there is none
 * @cache: put a route and its source there
 * @route: a route, with one reference, to @path->remote from @path->source, which
 *	is chosen if it is none, for packets of @path->encap. Any context.
 *	ERR_PTR: -ELOOP if it leads into the link
 * @hop_mtu: MTU of the first hop and its route, without what ICMP taught
 * @set_udp_csum: complete the UDP header that @skb starts with
 * @wrap: put IP in front of @path->encap's header
 * @local_out: send what @wrap made; consumes @skb
 * @arrival: what the IP header of a received packet says, all but the port
 * @is_own: is an IP header's destination an address of this host
 * @put_pseudo: what a UDP checksum begins with, as devices want it
 * @udp_offset: where a packet's UDP header is, behind no other one, or 0
 * @receiver: the socket that a datagram with @uh is for
 */
struct esptun_family {
	u32 family;
	enum esptun_family_index index;
	u8 pf;
	unsigned int hlen;
	netdev_features_t csum;
	bool own_pmtu;
	bool zero_csum;
	struct dst_entry *(*cached)(struct dst_cache *cache,
				    struct esptun_addr *source);
	void (*cache)(struct dst_cache *cache, struct dst_entry *dst,
		      const struct esptun_addr *source);
	struct dst_entry *(*route)(const struct esptun_link *link,
				   struct esptun_path *path);
	unsigned int (*hop_mtu)(const struct dst_entry *dst);
	void (*set_udp_csum)(struct sk_buff *skb,
			     const struct esptun_path *path, bool zero);
	void (*wrap)(struct sk_buff *skb, const struct esptun_path *path,
		     const struct esptun_outer *outer);
	int (*local_out)(struct net *net, struct sock *sk, struct sk_buff *skb);
	void (*arrival)(const struct sk_buff *skb, struct esptun_arrival *a);
	bool (*is_own)(struct net *net, const void *ip);
	void (*put_pseudo)(struct udphdr *uh, const void *ip);
	unsigned int (*udp_offset)(const struct sk_buff *skb);
	struct sock *(*receiver)(struct net *net, const struct sk_buff *skb,
				 const struct udphdr *uh);
};

extern const struct esptun_family esptun_ip4;
extern const struct esptun_family esptun_ip6;

/* Those of IPv4's row that each packet needs, called without a detour. */
struct dst_entry *esptun_ip4_cached(struct dst_cache *cache,
				    struct esptun_addr *source);
void esptun_ip4_set_udp_csum(struct sk_buff *skb,
			     const struct esptun_path *path, bool zero);
void esptun_ip4_wrap(struct sk_buff *skb, const struct esptun_path *path,
		     const struct esptun_outer *outer);
void esptun_ip4_arrival(const struct sk_buff *skb, struct esptun_arrival *a);

/* The row of AF_*, or NULL. */
static inline const struct esptun_family *esptun_family_of(u32 family)
{
	if (family == AF_INET)
		return &esptun_ip4;
	if (IS_ENABLED(CONFIG_IPV6) && family == AF_INET6)
		return &esptun_ip6;
	return NULL;
}

#endif /* ESPTUN_FAMILY_H */
