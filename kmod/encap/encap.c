// SPDX-License-Identifier: GPL-2.0
#include <linux/indirect_call_wrapper.h>
#include <linux/netdevice.h>
#include <net/dst.h>
#include <net/ip.h>
#include <linux/esptun.h>
#include "encap/encap.h"
#include "encap/family.h"
#include "link.h"
#include "encap/plain.h"
#include "encap/udp.h"

const struct esptun_encap_ops *esptun_encap_of(u8 id)
{
	switch (id) {
	case ESPTUN_ENCAP_UDP:
		return &esptun_encap_udp;
#if IS_ENABLED(CONFIG_XFRM)
	case ESPTUN_ENCAP_ESP:
		return &esptun_encap_plain;
#endif
	default:
		return NULL;
	}
}

unsigned int esptun_encap_headroom(const struct esptun_path *path)
{
	return LL_RESERVED_SPACE(path->dst->dev) + path->dst->header_len +
	       path->hlen;
}

void esptun_encap_wrap(const struct esptun_link *link,
		       const struct esptun_path *path, struct sk_buff *skb,
		       const struct esptun_outer *outer)
{
	skb->mark = READ_ONCE(link->fwmark);
	INDIRECT_CALL_1(path->encap->wrap, esptun_udp_wrap, link, path, skb);
	INDIRECT_CALL_1(path->family->wrap, esptun_ip4_wrap, skb, path, outer);
	skb_dst_set(skb, dst_clone(path->dst));
}

void esptun_encap_send(const struct esptun_link *link, struct sk_buff *skb)
{
	struct esptun_sock *us = rcu_dereference(link->us);
	const struct esptun_family *family;

	if (unlikely(!us)) {
		kfree_skb(skb);
		return;
	}
	family = esptun_family_of(skb->protocol == htons(ETH_P_IP) ? AF_INET :
								     AF_INET6);
	INDIRECT_CALL_1(family->local_out, ip_local_out, link->net,
			us->sk[family->index], skb);
}
