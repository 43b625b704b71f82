// SPDX-License-Identifier: GPL-2.0
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/once.h>
#include <linux/random.h>
#include <linux/siphash.h>
#include <linux/skbuff.h>
#include <net/dsfield.h>
#include <net/inet_ecn.h>
#include <net/ip.h>
#include "encap/header.h"

static u16 choose(u16 link, u16 own)
{
	return own == ESPTUN_HEADER_OF_LINK ? link : own;
}

void esptun_header_merge(struct esptun_header *to,
			 const struct esptun_header *link,
			 const struct esptun_header *own)
{
	WRITE_ONCE(to->tos, choose(READ_ONCE(link->tos), own->tos));
	WRITE_ONCE(to->ttl, choose(READ_ONCE(link->ttl), own->ttl));
	WRITE_ONCE(to->df, choose(READ_ONCE(link->df), own->df));
	WRITE_ONCE(to->flow_label,
		   choose(READ_ONCE(link->flow_label), own->flow_label));
}

static bool is_ip4(const struct sk_buff *skb)
{
	return skb->protocol == htons(ETH_P_IP);
}

u8 esptun_header_tos(const struct esptun_header *h, const struct sk_buff *skb)
{
	u8 inner = 0;

	if (skb)
		inner = is_ip4(skb) ? ip_hdr(skb)->tos :
				      ipv6_get_dsfield(ipv6_hdr(skb));
	if (h->tos == ESPTUN_TOS_INHERIT)
		return inner;
	return (h->tos & ~INET_ECN_MASK) | (inner & INET_ECN_MASK);
}

u8 esptun_header_ttl(const struct esptun_header *h, const struct sk_buff *skb)
{
	if (likely(h->ttl != ESPTUN_TTL_INHERIT))
		return h->ttl;
	if (!skb)
		return 0;
	return is_ip4(skb) ? ip_hdr(skb)->ttl : ipv6_hdr(skb)->hop_limit;
}

bool esptun_header_whole(const struct esptun_header *h,
			 const struct sk_buff *skb)
{
	switch (h->df) {
	case ESPTUN_DF_SET:
		return true;
	case ESPTUN_DF_UNSET:
		return false;
	default:
		return !skb || !is_ip4(skb) ||
		       (ip_hdr(skb)->frag_off & htons(IP_DF));
	}
}

/*
 * A device may have made the inner flow's hash with a key that everybody knows:
 * with a secret one of ours it says which packets belong together, and no more.
 */
static u32 hash_inner(struct sk_buff *skb, u32 flow)
{
	static siphash_key_t key __read_mostly;

	get_random_once(&key, sizeof(key));
	return siphash_2u32(skb_get_hash(skb), flow, &key);
}

/* A label of 0 is none. */
u32 esptun_header_label(const struct esptun_header *h, struct sk_buff *skb,
			u32 flow)
{
	if (unlikely(h->flow_label == ESPTUN_FLOW_LABEL_INNER) && skb)
		flow = hash_inner(skb, flow);
	return (flow >> 12) ?: 1;
}
