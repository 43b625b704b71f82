// SPDX-License-Identifier: GPL-2.0
/* IPv6 outside. */
#include <linux/ipv6.h>
#include <linux/netfilter.h>
#include <linux/udp.h>
#include <net/addrconf.h>
#include <net/dst_cache.h>
#include <net/ip6_checksum.h>
#include <net/ip6_fib.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>
#include <net/udp.h>
#include "encap/encap.h"
#include "encap/family.h"
#include "link.h"

/* A peer that changes its family may still have a route of the other one. */
static struct dst_entry *cached(struct dst_cache *cache,
				struct esptun_addr *source)
{
	struct in6_addr saddr;
	struct dst_entry *dst = dst_cache_get_ip6(cache, &saddr);

	if (!dst)
		return NULL;
	if (unlikely(dst->ops->family != AF_INET6)) {
		dst_release(dst);
		return NULL;
	}
	*source = esptun_addr_ip6(&saddr);
	return dst;
}

static void cache_route(struct dst_cache *cache, struct dst_entry *dst,
			const struct esptun_addr *source)
{
	dst_cache_set_ip6(cache, dst, &source->ip6);
}

/* Also one of a prefix that a route of type local makes ours, as IPv4 has it. */
static bool is_ours(struct net *net, const struct in6_addr *ip6)
{
	struct rt6_info *rt;
	bool local;

	if (ipv6_chk_addr(net, ip6, NULL, 0))
		return true;
	rt = rt6_lookup(net, ip6, NULL, 0, NULL, 0);
	local = rt && (rt->rt6i_flags & RTF_LOCAL);
	ip6_rt_put(rt);
	return local;
}

/*
 * With a known source the look-up only prefers flowi6_oif, and takes a better route
 * by another device. It keeps to it for a socket that is bound. RCU read side.
 */
static struct sock *bound_socket(const struct esptun_link *link)
{
	const struct esptun_sock *us = rcu_dereference(link->us);

	return us && READ_ONCE(link->underlay) ? us->sk[ESPTUN_IP6] : NULL;
}

static struct dst_entry *route(const struct esptun_link *link,
			       struct esptun_path *path)
{
	const struct esptun_addr *source = &path->source;
	struct flowi6 fl6 = {
		.flowi6_oif = READ_ONCE(link->underlay),
		.flowi6_mark = READ_ONCE(link->fwmark),
		.flowi6_proto = path->encap->proto,
		.daddr = path->remote.addr.ip6,
		.saddr = source->ip6,
	};
	struct dst_entry *dst;

	if (!ipv6_mod_enabled())
		return ERR_PTR(-EAFNOSUPPORT);
	/* Other than IPv4's, the look-up takes any source. */
	if (esptun_addr_is_set(source) && !is_ours(link->net, &source->ip6))
		return ERR_PTR(-EADDRNOTAVAIL);
	if (path->encap->ports) {
		fl6.fl6_sport = READ_ONCE(link->port);
		fl6.fl6_dport = path->remote.port;
	}
	rcu_read_lock();
	dst = ip6_dst_lookup_flow(link->net, bound_socket(link), &fl6, NULL);
	rcu_read_unlock();
	if (IS_ERR(dst))
		return dst;
	if (dst->dev == link->dev) {
		dst_release(dst);
		return ERR_PTR(-ELOOP);
	}
	path->source = esptun_addr_ip6(&fl6.saddr);
	return dst;
}

/* What ICMP taught is a metric of the route that packets take, not of its origin. */
static unsigned int hop_mtu(const struct dst_entry *dst)
{
	const struct rt6_info *rt = container_of(dst, struct rt6_info, dst);
	const struct fib6_info *from = rcu_dereference(rt->from);
	const struct inet6_dev *idev = __in6_dev_get(dst->dev);
	unsigned int mtu = idev ? READ_ONCE(idev->cnf.mtu6) : IPV6_MIN_MTU;
	unsigned int metric;

	metric = from ? from->fib6_pmtu : dst_metric_raw(dst, RTAX_MTU);
	return metric ? min(mtu, metric) : mtu;
}

static void set_udp_csum(struct sk_buff *skb, const struct esptun_path *path,
			 bool zero)
{
	udp6_set_csum(zero, skb, &path->source.ip6, &path->remote.addr.ip6,
		      skb->len);
}

/* What the path cannot carry whole leaves in fragments, as IPv4 packets without DF do. */
static void wrap(struct sk_buff *skb, const struct esptun_path *path,
		 const struct esptun_outer *outer)
{
	struct ipv6hdr *ip;

	skb->protocol = htons(ETH_P_IPV6);
	skb->ignore_df = !outer->df;
	ip = __skb_push(skb, sizeof(*ip));
	skb_reset_network_header(skb);
	ip6_flow_hdr(ip, outer->tos, htonl(outer->label));
	ip->payload_len = htons(skb->len - sizeof(*ip));
	ip->nexthdr = path->encap->proto;
	ip->hop_limit = min_t(u8, outer->ttl ?: ip6_dst_hoplimit(path->dst),
			      outer->ttl_max);
	ip->saddr = path->source.ip6;
	ip->daddr = path->remote.addr.ip6;
	memset(IP6CB(skb), 0, sizeof(*IP6CB(skb)));
	IP6CB(skb)->frag_max_size = outer->frag_max;
}

static void arrival(const struct sk_buff *skb, struct esptun_arrival *a)
{
	const struct dst_entry *dst = skb_dst(skb);
	const struct ipv6hdr *ip = ipv6_hdr(skb);
	u32 flags = dst ? ((const struct rt6_info *)dst)->rt6i_flags : 0;

	a->from.addr = esptun_addr_ip6(&ip->saddr);
	a->to = esptun_addr_ip6(&ip->daddr);
	a->own = (flags & RTF_LOCAL) && !(flags & RTF_ANYCAST) &&
		 esptun_addr_is_host(&a->to);
	a->tos = ipv6_get_dsfield(ip);
	a->ttl = ip->hop_limit;
	a->df = true;
	a->zero_csum6 = false;
}

static bool is_own(struct net *net, const void *ip)
{
	return ipv6_chk_addr(net, &((const struct ipv6hdr *)ip)->daddr, NULL,
			     0);
}

static void put_pseudo(struct udphdr *uh, const void *ip)
{
	const struct ipv6hdr *ip6 = ip;

	uh->check = ~udp_v6_check(ntohs(uh->len), &ip6->saddr, &ip6->daddr, 0);
}

static unsigned int udp_offset(const struct sk_buff *skb)
{
	if (ipv6_hdr(skb)->nexthdr != IPPROTO_UDP)
		return 0;
	return skb_network_offset(skb) + sizeof(struct ipv6hdr);
}

static struct sock *receiver(struct net *net, const struct sk_buff *skb,
			     const struct udphdr *uh)
{
	const struct ipv6hdr *ip = ipv6_hdr(skb);

	return __udp6_lib_lookup(net, &ip->saddr, uh->source, &ip->daddr,
				 uh->dest, inet6_iif(skb), inet6_sdif(skb),
				 NULL);
}

const struct esptun_family esptun_ip6 = {
	.family = AF_INET6,
	.index = ESPTUN_IP6,
	.pf = NFPROTO_IPV6,
	.hlen = sizeof(struct ipv6hdr),
	.csum = NETIF_F_HW_CSUM | NETIF_F_IPV6_CSUM,
	.cached = cached,
	.cache = cache_route,
	.route = route,
	.hop_mtu = hop_mtu,
	.set_udp_csum = set_udp_csum,
	.wrap = wrap,
	.local_out = ip6_local_out,
	.arrival = arrival,
	.is_own = is_own,
	.put_pseudo = put_pseudo,
	.udp_offset = udp_offset,
	.receiver = receiver,
};
