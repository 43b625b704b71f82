// SPDX-License-Identifier: GPL-2.0
/*
 * Plain ESP, beside the kernel's own IPsec (xfrm), which has protocol 50, too.
 *
 * The kernel's handlers of protocol 50 are a chain in the order of their
 * priorities. A handler answers -EINVAL for a packet that is not its own, and the
 * next one gets it. xfrm's takes everything, and so do those of xfrm interfaces
 * (priority 10) and, between the ends of a VTI, those of VTIs (100). So ours are
 * in front of all of them. They take a packet only if an SA has its SPI whose peer
 * has plain ESP, and xfrm has no state with this SPI and destination.
 *
 * The handlers are in the chain while any peer has plain ESP, whatever its
 * namespace; without one xfrm is as it was. They run in softirq, in an RCU read
 * side. Taking them out waits until none runs any more.
 */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/mutex.h>
#include <linux/netlink.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>
#include <net/l3mdev.h>
#include <net/route.h>
#include <net/xfrm.h>
#include "dev.h"
#include "esp/esp.h"
#include "encap/family.h"
#include "encap/path.h"
#include "link.h"
#include "sa/peer.h"
#include "encap/plain.h"
#include "rx/icmp.h"
#include "rx/rx.h"
#include "sa/sa.h"

/* In front of VTI's, see above. */
#define PRIORITY 1000

/* ---- receiving ---- */

/* Has the kernel's IPsec a state for packets with @spi to @daddr? */
static bool xfrm_knows(struct net *net, const struct sk_buff *skb,
		       const void *daddr, __be32 spi, u16 family)
{
	struct xfrm_state *x;

	if (likely(!READ_ONCE(net->xfrm.state_num)))
		return false;
	x = xfrm_state_lookup(net, skb->mark, daddr, spi, IPPROTO_ESP, family);
	if (!x)
		return false;
	xfrm_state_put(x);
	return true;
}

static bool is_ours(struct esptun_net *en, const struct sk_buff *skb,
		    const void *daddr, u16 family)
{
	const struct esptun_esp_hdr *esp;
	const struct esptun_sa *sa;
	struct esptun_esp_hdr buf;

	esp = skb_header_pointer(skb, 0, sizeof(buf), &buf);
	if (!esp)
		return false;
	if (READ_ONCE(en->dying))
		return false;
	sa = esptun_sadb_in_find(en, esp->spi);
	return sa && READ_ONCE(sa->peer->encap) == &esptun_encap_plain &&
	       !xfrm_knows(en->net, skb, daddr, esp->spi, family);
}

/* @skb starts at the ESP header; what was fragmented is whole again. */
static int receive(struct sk_buff *skb, const void *daddr, u16 family)
{
	struct esptun_net *en = esptun_dev_net(dev_net(skb->dev));
	struct esptun_arrival arrival = {};

	if (!is_ours(en, skb, daddr, family))
		return -EINVAL;
	esptun_family_of(family)->arrival(skb, &arrival);
	esptun_rx_plain(en, skb, &arrival);
	return 0;
}

static int receive_ip4(struct sk_buff *skb)
{
	return receive(skb, &ip_hdr(skb)->daddr, AF_INET);
}

/* ESP in UDP is given to our sockets, not to this chain. */
static int refuse_encapsulated(struct sk_buff *skb, int nexthdr, __be32 spi,
			       int encap_type)
{
	return -EINVAL;
}

/* xfrm asks who has decrypted a packet of its own: not we. */
static int refuse_decrypted(struct sk_buff *skb, int err)
{
	return 1;
}

/* ---- ICMP errors ---- */

/*
 * The SA that sent a packet to @to lately which began with @esp, or NULL. xfrm may
 * have sent it as well, so that it is asked in any case.
 */
static struct esptun_sa *sender_of(const struct sk_buff *skb,
				   const struct esptun_addr *to,
				   const struct esptun_esp_hdr *esp)
{
	struct esptun_net *en = esptun_dev_net(dev_net(skb->dev));
	const struct esptun_endpoint at = { .addr = *to };
	struct esptun_sa *sa;

	if (esptun_icmp_fits(skb) == UINT_MAX || READ_ONCE(en->dying))
		return NULL;
	sa = esptun_sadb_sent_find(en, NULL, &esptun_encap_plain, &at, esp);
	if (!sa && !xfrm_knows(en->net, skb, &to->ip6, esp->spi, to->family))
		esptun_stats_add(en->stats, ESPTUN_STATS_A_RX_ICMP_REFUSED, 1);
	return sa;
}

/* @skb starts with the IP header of what was sent, 8 octets follow it. */
static int error_ip4(struct sk_buff *skb, u32 info)
{
	const struct iphdr *ip = (const struct iphdr *)skb->data;
	const void *esp = skb->data + ip->ihl * 4;
	const struct esptun_addr to = esptun_addr_ip4(ip->daddr);
	struct esptun_sa *sa = sender_of(skb, &to, esp);

	if (sa)
		esptun_path_learn(sa->peer, esptun_icmp_fits(skb));
	return -ENOENT;
}

static struct xfrm4_protocol handler_ip4 = {
	.handler = receive_ip4,
	.input_handler = refuse_encapsulated,
	.cb_handler = refuse_decrypted,
	.err_handler = error_ip4,
	.priority = PRIORITY,
};

/* ---- IPv6 ---- */

#if IS_ENABLED(CONFIG_IPV6)

static int receive_ip6(struct sk_buff *skb)
{
	return receive(skb, &ipv6_hdr(skb)->daddr, AF_INET6);
}

/* Packets from the socket take a route that carries no more than @mtu bytes. */
static void learn_route(struct sk_buff *skb, const struct sock *sk, __be32 mtu)
{
	struct net *net = sock_net(sk);
	int oif = READ_ONCE(sk->sk_bound_dev_if);

	if (!oif)
		oif = l3mdev_master_ifindex(skb->dev);
	ip6_update_pmtu(skb, net, mtu, oif, READ_ONCE(sk->sk_mark),
			sock_net_uid(net, sk));
}

static int error_ip6(struct sk_buff *skb, struct inet6_skb_parm *opt, u8 type,
		     u8 code, int offset, __be32 mtu)
{
	const struct ipv6hdr *ip = (const struct ipv6hdr *)skb->data;
	const void *esp = skb->data + offset;
	const struct esptun_addr to = esptun_addr_ip6(&ip->daddr);
	const struct esptun_sa *sa;
	struct esptun_sock *us;

	sa = sender_of(skb, &to, esp);
	us = sa ? rcu_dereference(sa->link->us) : NULL;
	if (us)
		learn_route(skb, us->sk[ESPTUN_IP6], mtu);
	return -ENOENT;
}

static struct xfrm6_protocol handler_ip6 = {
	.handler = receive_ip6,
	.input_handler = refuse_encapsulated,
	.cb_handler = refuse_decrypted,
	.err_handler = error_ip6,
	.priority = PRIORITY,
};

static int attach_ip6(void)
{
	return ipv6_mod_enabled() ?
		       xfrm6_protocol_register(&handler_ip6, IPPROTO_ESP) :
		       0;
}

static void detach_ip6(void)
{
	if (ipv6_mod_enabled())
		xfrm6_protocol_deregister(&handler_ip6, IPPROTO_ESP);
}

#else

static int attach_ip6(void)
{
	return 0;
}

static void detach_ip6(void)
{
}

#endif

/* ---- the hook ---- */

static DEFINE_MUTEX(hook_lock);
/* Peers, under @hook_lock. */
static unsigned int users;

bool esptun_plain_is_used(void)
{
	return READ_ONCE(users);
}

static void detach(void)
{
	detach_ip6();
	xfrm4_protocol_deregister(&handler_ip4, IPPROTO_ESP);
}

/* Registering may fail with the handler in the chain. */
static int attach(void)
{
	int err = xfrm4_protocol_register(&handler_ip4, IPPROTO_ESP);

	if (!err)
		err = attach_ip6();
	if (err)
		detach();
	return err;
}

static int get_hook(struct netlink_ext_ack *extack)
{
	int err = 0;

	mutex_lock(&hook_lock);
	if (!users)
		err = attach();
	if (!err)
		WRITE_ONCE(users, users + 1);
	mutex_unlock(&hook_lock);
	if (err)
		NL_SET_ERR_MSG(
			extack,
			"encap: another module has what receives plain ESP");
	return err;
}

static void put_hook(void)
{
	mutex_lock(&hook_lock);
	WRITE_ONCE(users, users - 1);
	if (!users)
		detach();
	mutex_unlock(&hook_lock);
}

/* ---- sending ---- */

/* Nothing comes between IP and ESP. */
static void wrap(const struct esptun_link *link, const struct esptun_path *path,
		 struct sk_buff *skb)
{
	skb_reset_transport_header(skb);
}

const struct esptun_encap_ops esptun_encap_plain = {
	.id = ESPTUN_ENCAP_ESP,
	.proto = IPPROTO_ESP,
	.get = get_hook,
	.put = put_hook,
	.wrap = wrap,
};
