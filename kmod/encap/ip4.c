// SPDX-License-Identifier: GPL-2.0
/* IPv4 outside. */
#include <linux/inetdevice.h>
#include <linux/ip.h>
#include <linux/netfilter.h>
#include <linux/udp.h>
#include <net/dst_cache.h>
#include <net/ip.h>
#include <net/route.h>
#include <net/udp.h>
#include "encap/encap.h"
#include "encap/family.h"
#include "limits.h"
#include "link.h"

/* A peer that changes its family may still have a route of the other one. */
struct dst_entry *esptun_ip4_cached(struct dst_cache *cache,
				    struct esptun_addr *source)
{
	__be32 saddr = 0;
	struct rtable *rt = dst_cache_get_ip4(cache, &saddr);

	if (!rt)
		return NULL;
	if (unlikely(rt->dst.ops->family != AF_INET)) {
		ip_rt_put(rt);
		return NULL;
	}
	*source = esptun_addr_ip4(saddr);
	return &rt->dst;
}

static void cache_route(struct dst_cache *cache, struct dst_entry *dst,
			const struct esptun_addr *source)
{
	dst_cache_set_ip4(cache, dst, source->ip4);
}

static struct dst_entry *route(const struct esptun_link *link,
			       struct esptun_path *path)
{
	struct flowi4 fl4 = {
		.flowi4_oif = READ_ONCE(link->underlay),
		.flowi4_mark = READ_ONCE(link->fwmark),
		.flowi4_proto = path->encap->proto,
		.daddr = path->remote.addr.ip4,
		.saddr = path->source.ip4,
	};
	struct rtable *rt;

	if (path->encap->ports) {
		fl4.fl4_sport = READ_ONCE(link->port);
		fl4.fl4_dport = path->remote.port;
	}
	rt = ip_route_output_key(link->net, &fl4);
	if (IS_ERR(rt))
		return ERR_CAST(rt);
	if (rt->dst.dev == link->dev) {
		ip_rt_put(rt);
		return ERR_PTR(-ELOOP);
	}
	path->source = esptun_addr_ip4(fl4.saddr);
	return &rt->dst;
}

static unsigned int hop_mtu(const struct dst_entry *dst)
{
	unsigned int mtu = READ_ONCE(dst->dev->mtu);
	unsigned int metric = dst_metric_raw(dst, RTAX_MTU);

	mtu = min_t(unsigned int, metric ? min(mtu, metric) : mtu, IP_MAX_MTU);
	return mtu - lwtunnel_headroom(dst->lwtstate, mtu);
}

void esptun_ip4_set_udp_csum(struct sk_buff *skb,
			     const struct esptun_path *path, bool zero)
{
	udp_set_csum(zero, skb, path->source.ip4, path->remote.addr.ip4,
		     skb->len);
}

/* Routers must fragment if the administrator says so, or a path is very narrow. */
static bool may_stay_whole(const struct esptun_path *path)
{
	return !dst_metric_locked(path->dst, RTAX_MTU) &&
	       path->mtu > ESPTUN_PMTU_MIN;
}

void esptun_ip4_wrap(struct sk_buff *skb, const struct esptun_path *path,
		     const struct esptun_outer *outer)
{
	const struct dst_entry *dst = path->dst;
	struct iphdr *ip;

	skb->protocol = htons(ETH_P_IP);
	ip = __skb_push(skb, sizeof(*ip));
	skb_reset_network_header(skb);
	ip->version = 4;
	ip->ihl = sizeof(*ip) / 4;
	ip->tos = outer->tos;
	ip->frag_off = outer->df && may_stay_whole(path) ? htons(IP_DF) : 0;
	ip->ttl =
		min_t(u8, outer->ttl ?: ip4_dst_hoplimit(dst), outer->ttl_max);
	ip->protocol = path->encap->proto;
	ip->saddr = path->source.ip4;
	ip->daddr = path->remote.addr.ip4;
	__ip_select_ident(dev_net(dst->dev), ip,
			  skb_shinfo(skb)->gso_segs ?: 1);
	memset(IPCB(skb), 0, sizeof(*IPCB(skb)));
	/* The stack itself goes by the device's MTU for our sockets (udp.c). */
	if (!ip->frag_off && !skb_is_gso(skb) && skb->len > path->mtu)
		IPCB(skb)->frag_max_size = max_t(u16, path->mtu, IPV4_MIN_MTU);
}

void esptun_ip4_arrival(const struct sk_buff *skb, struct esptun_arrival *a)
{
	const struct rtable *rt = skb_rtable(skb);
	const struct iphdr *ip = ip_hdr(skb);

	a->from.addr = esptun_addr_ip4(ip->saddr);
	a->to = esptun_addr_ip4(ip->daddr);
	a->own = rt && rt->rt_type == RTN_LOCAL;
	a->tos = ip->tos;
	a->ttl = ip->ttl;
	a->df = ip->frag_off & htons(IP_DF);
	a->zero_csum6 = false;
}

static bool is_own(struct net *net, const void *ip)
{
	return __ip_dev_find(net, ((const struct iphdr *)ip)->daddr, false);
}

static void put_pseudo(struct udphdr *uh, const void *ip)
{
	const struct iphdr *ip4 = ip;

	uh->check = ~udp_v4_check(ntohs(uh->len), ip4->saddr, ip4->daddr, 0);
}

static unsigned int udp_offset(const struct sk_buff *skb)
{
	const struct iphdr *ip = ip_hdr(skb);

	if (ip->protocol != IPPROTO_UDP || ip_is_fragment(ip))
		return 0;
	return skb_network_offset(skb) + ip->ihl * 4;
}

static struct sock *receiver(struct net *net, const struct sk_buff *skb,
			     const struct udphdr *uh)
{
	const struct iphdr *ip = ip_hdr(skb);

	return __udp4_lib_lookup(net, ip->saddr, uh->source, ip->daddr,
				 uh->dest, inet_iif(skb), inet_sdif(skb), NULL);
}

const struct esptun_family esptun_ip4 = {
	.family = AF_INET,
	.index = ESPTUN_IP4,
	.pf = NFPROTO_IPV4,
	.hlen = sizeof(struct iphdr),
	.csum = NETIF_F_HW_CSUM | NETIF_F_IP_CSUM,
	.own_pmtu = true,
	.zero_csum = true,
	.cached = esptun_ip4_cached,
	.cache = cache_route,
	.route = route,
	.hop_mtu = hop_mtu,
	.set_udp_csum = esptun_ip4_set_udp_csum,
	.wrap = esptun_ip4_wrap,
	.local_out = ip_local_out,
	.arrival = esptun_ip4_arrival,
	.is_own = is_own,
	.put_pseudo = put_pseudo,
	.udp_offset = udp_offset,
	.receiver = receiver,
};
