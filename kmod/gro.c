// SPDX-License-Identifier: GPL-2.0
/*
 * UDP super-packets (UDP_L4) that arrive whole, over veth or from a NIC that
 * makes them, are divided by the stack before a socket with encap_rcv sees
 * them, unless they claim to be a tunnel's: the stack cannot know what the
 * socket understands. At the last point before the socket, behind every
 * firewall rule, and where it is certain that the packet is for this host, we
 * let those that hold ESP packets of an SA of ours make that claim.
 */
#include <linux/ip.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <linux/udp.h>
#include <net/ip.h>
#include <net/udp.h>
#include "ablate.h"
#include "esp.h"
#include "gro.h"
#include "limits.h"
#include "link.h"
#include "sa.h"
#include "udp.h"

/* Where the ESP packets of a super-packet to @us begin, or 0. */
static unsigned int payload_of(const struct esptun_sock *us,
			       const struct sk_buff *skb)
{
	const struct iphdr *ip = ip_hdr(skb);
	unsigned int at = skb_network_offset(skb) + ip->ihl * 4;
	const struct udphdr *uh;
	struct udphdr buf;

	if (ip->protocol != IPPROTO_UDP || ip_is_fragment(ip))
		return 0;
	uh = skb_header_pointer(skb, at, sizeof(buf), &buf);
	if (!uh || uh->dest != us->port)
		return 0;
	/* A socket bound to the very address comes before ours. */
	if (__udp4_lib_lookup(us->en->net, ip->saddr, uh->source, ip->daddr,
			      uh->dest, inet_iif(skb), inet_sdif(skb),
			      NULL) != us->sk)
		return 0;
	return at + sizeof(*uh);
}

/* Do all of them belong to one SA of this socket? Never IKE (SPI 0). */
static bool all_ours(const struct esptun_sock *us, const struct sk_buff *skb,
		     unsigned int at)
{
	const struct esptun_sa *sa;
	__be32 spi = 0;
	__be32 buf;

	if (skb->len - at > ESPTUN_BATCH_MAX * skb_shinfo(skb)->gso_size)
		return false;
	for (; at < skb->len; at += skb_shinfo(skb)->gso_size) {
		const __be32 *p =
			skb_header_pointer(skb, at, sizeof(buf), &buf);

		if (!p || !*p || (spi && *p != spi))
			return false;
		spi = *p;
	}
	sa = esptun_sadb_in_find(us->en, spi);
	return sa && rcu_access_pointer(sa->link->us) == us;
}

static unsigned int local_in(void *priv, struct sk_buff *skb,
			     const struct nf_hook_state *state)
{
	struct esptun_sock *us = priv;
	unsigned int at;

	if (likely(!skb_is_gso(skb)) ||
	    !(skb_shinfo(skb)->gso_type & SKB_GSO_UDP_L4) ||
	    esptun_ablate(ESPTUN_ABLATE_RX_WHOLE))
		return NF_ACCEPT;
	at = payload_of(us, skb);
	if (!at || !all_ours(us, skb, at) || skb_unclone(skb, GFP_ATOMIC))
		return NF_ACCEPT;
	skb_shinfo(skb)->gso_type &= ~SKB_GSO_UDP_L4;
	skb_shinfo(skb)->gso_type |= SKB_GSO_UDP_TUNNEL_CSUM;
	return NF_ACCEPT;
}

int esptun_gro_attach(struct esptun_sock *us)
{
	us->hook = (struct nf_hook_ops){
		.hook = local_in,
		.priv = us,
		.pf = NFPROTO_IPV4,
		.hooknum = NF_INET_LOCAL_IN,
		.priority = INT_MAX,
	};
	return nf_register_net_hook(us->en->net, &us->hook);
}

void esptun_gro_detach(struct esptun_sock *us)
{
	nf_unregister_net_hook(us->en->net, &us->hook);
}
