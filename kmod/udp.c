// SPDX-License-Identifier: GPL-2.0
#include <linux/bitmap.h>
#include <linux/netlink.h>
#include <linux/slab.h>
#include <linux/udp.h>
#include <net/dst_cache.h>
#include <net/ip.h>
#include <net/route.h>
#include <net/udp.h>
#include <net/udp_tunnel.h>
#include "link.h"
#include "dev.h"
#include "esp.h"
#include "gro.h"
#include "peer.h"
#include "timer.h"
#include "udp.h"

/* RFC 3948 2.2: an SPI of 0 marks IKE */
#define MARKER_LEN 4u

/* ---- sockets ---- */

/* Ports that links had. A hint: ports that are no longer in use stay. */
static DECLARE_BITMAP(our_ports, U16_MAX + 1);

bool esptun_udp_is_our_port(__be16 port)
{
	return test_bit(ntohs(port), our_ports);
}

static int sock_open(struct esptun_sock *us,
		     int (*rcv)(struct sock *sk, struct sk_buff *skb))
{
	struct udp_port_cfg port = {
		.family = AF_INET,
		.local_ip.s_addr = htonl(INADDR_ANY),
		.local_udp_port = us->port,
	};
	struct udp_tunnel_sock_cfg cfg = {
		.sk_user_data = us,
		.encap_type = UDP_ENCAP_ESPINUDP,
		.encap_rcv = rcv,
		.gro_receive = esptun_gro_receive,
		.gro_complete = esptun_gro_complete,
	};
	struct socket *sock;
	int err;

	err = udp_sock_create(us->en->net, &port, &sock);
	if (err)
		return err;
	us->sk = sock->sk;
	err = esptun_gro_attach(us);
	if (err) {
		udp_tunnel_sock_release(us->sk);
		return err;
	}
	setup_udp_tunnel_sock(us->en->net, us->sk, &cfg);
	return 0;
}

void esptun_udp_mark(struct esptun_sock *us, u32 mark)
{
	lockdep_assert_held(&us->en->lock);
	WRITE_ONCE(us->sk->sk_mark, mark);
}

struct esptun_sock *esptun_udp_get(struct esptun_net *en, __be16 port,
				   int (*rcv)(struct sock *sk,
					      struct sk_buff *skb),
				   struct netlink_ext_ack *extack)
{
	struct esptun_sock *us;
	int err;

	lockdep_assert_held(&en->lock);
	list_for_each_entry(us, &en->socks, node) {
		if (us->port == port) {
			us->users++;
			return us;
		}
	}
	us = kzalloc(sizeof(*us), GFP_KERNEL_ACCOUNT);
	if (!us)
		return ERR_PTR(-ENOMEM);
	us->en = en;
	us->port = port;
	us->users = 1;
	err = sock_open(us, rcv);
	if (err) {
		kfree(us);
		if (err == -EADDRINUSE && port == htons(ESPTUN_PORT_DEFAULT))
			NL_SET_ERR_MSG(
				extack,
				"UDP port 4500 is taken; stop the other IPsec daemon or choose another port");
		else if (err == -EADDRINUSE)
			NL_SET_ERR_MSG(
				extack,
				"port: another program has this UDP port; choose another one");
		else
			NL_SET_ERR_MSG(extack,
				       "port: cannot open the UDP socket");
		return ERR_PTR(err);
	}
	set_bit(ntohs(port), our_ports);
	list_add_tail(&us->node, &en->socks);
	return us;
}

/* Packets on their way through encap_rcv use @us: close, let them finish. */
void esptun_udp_put(struct esptun_sock *us)
{
	lockdep_assert_held(&us->en->lock);
	if (--us->users)
		return;
	list_del(&us->node);
	esptun_gro_detach(us);
	udp_tunnel_sock_release(us->sk);
	synchronize_net();
	kfree(us);
}

/* ---- routes ---- */

static struct rtable *route(const struct esptun_link *link, __be32 *saddr,
			    const struct esptun_endpoint *remote)
{
	struct flowi4 fl4 = {
		.flowi4_mark = READ_ONCE(link->fwmark),
		.flowi4_proto = IPPROTO_UDP,
		.daddr = remote->addr,
		.saddr = *saddr,
		.fl4_sport = link->port,
		.fl4_dport = remote->port,
	};
	struct rtable *rt = ip_route_output_key(link->net, &fl4);

	if (IS_ERR(rt))
		return rt;
	if (rt->dst.dev == link->dev) {
		ip_rt_put(rt);
		return ERR_PTR(-ELOOP);
	}
	*saddr = fl4.saddr;
	return rt;
}

/* MTU of the first hop and its route, without what ICMP taught. */
static unsigned int hop_mtu(const struct dst_entry *dst)
{
	unsigned int mtu = READ_ONCE(dst->dev->mtu);
	unsigned int metric = dst_metric_raw(dst, RTAX_MTU);

	return metric ? min(mtu, metric) : mtu;
}

static void path_set(struct esptun_path *path, struct rtable *rt)
{
	path->rt = rt;
	path->mtu = dst_mtu(&rt->dst);
}

/* Where to and, if configured or learned, where from. Return: the learned one. */
static __be32 get_endpoints(struct esptun_peer *peer, struct esptun_path *path)
{
	__be32 learned, configured;
	unsigned int seq;

	do {
		seq = read_seqbegin(&peer->ep_lock);
		path->remote = peer->remote;
		configured = peer->local;
		learned = peer->learned;
	} while (read_seqretry(&peer->ep_lock, seq));
	if (!configured)
		configured = READ_ONCE(peer->link->local);
	path->saddr = configured ?: learned;
	return configured ? 0 : learned;
}

/* The link's MTU follows the first hop. */
static void note_hop(struct esptun_peer *peer, const struct rtable *rt)
{
	unsigned int mtu = hop_mtu(&rt->dst);

	if (READ_ONCE(peer->hop_mtu) == mtu)
		return;
	WRITE_ONCE(peer->hop_mtu, mtu);
	esptun_link_update(peer->link);
}

int esptun_udp_path(struct esptun_peer *peer, struct esptun_path *path)
{
	const struct esptun_link *link = peer->link;
	__be32 learned = get_endpoints(peer, path);
	struct rtable *rt;

	path->rt = NULL;
	if (!path->remote.addr)
		return -EDESTADDRREQ;
	rt = dst_cache_get_ip4(&peer->dst, &path->saddr);
	if (!rt) {
		rt = route(link, &path->saddr, &path->remote);
		/* The host may have lost the address, or its uplink. */
		if (IS_ERR(rt) && learned) {
			esptun_peer_forget(peer, learned);
			path->saddr = 0;
			rt = route(link, &path->saddr, &path->remote);
		}
		if (IS_ERR(rt))
			return PTR_ERR(rt);
		dst_cache_set_ip4(&peer->dst, &rt->dst, path->saddr);
		note_hop(peer, rt);
	}
	path_set(path, rt);
	return 0;
}

bool esptun_udp_into_link(const struct esptun_peer *peer,
			  const struct esptun_endpoint *remote, __be32 learned)
{
	__be32 saddr = READ_ONCE(peer->local);
	struct rtable *rt;
	bool into;

	if (!saddr)
		saddr = READ_ONCE(peer->link->local) ?: learned;
	rt = route(peer->link, &saddr, remote);
	if (IS_ERR(rt))
		return PTR_ERR(rt) == -ELOOP;
	into = esptun_dev_is_link(rt->dst.dev);
	ip_rt_put(rt);
	return into;
}

void esptun_udp_path_put(struct esptun_path *path)
{
	ip_rt_put(path->rt);
	path->rt = NULL;
}

unsigned int esptun_udp_link_mtu(const struct esptun_path *path)
{
	return hop_mtu(&path->rt->dst);
}

/* ---- sending ---- */

bool esptun_udp_batches(const struct esptun_link *link,
			const struct esptun_path *path)
{
	netdev_features_t features = READ_ONCE(path->rt->dst.dev->features);

	switch (READ_ONCE(link->udpcsum)) {
	case ESPTUN_UDPCSUM_ON:
		return true;
	case ESPTUN_UDPCSUM_OFF:
		return false;
	default:
		return (features & NETIF_F_SG) &&
		       (features & (NETIF_F_HW_CSUM | NETIF_F_IP_CSUM));
	}
}

void esptun_udp_gso(struct sk_buff *skb, unsigned int size)
{
	skb_shinfo(skb)->gso_type = SKB_GSO_UDP_L4;
	skb_shinfo(skb)->gso_size = size;
	skb_shinfo(skb)->gso_segs = DIV_ROUND_UP(skb->len, size);
	skb->ip_summed = CHECKSUM_PARTIAL;
	skb->csum_start = skb_headroom(skb) - ESPTUN_UDP_HLEN;
	skb->csum_offset = offsetof(struct udphdr, check);
}

static void put_udp(struct sk_buff *skb, const struct esptun_path *path,
		    __be16 port, bool zero_csum)
{
	struct udphdr *uh = __skb_push(skb, sizeof(*uh));

	skb_reset_transport_header(skb);
	uh->source = port;
	uh->dest = path->remote.port;
	uh->len = htons(skb->len);
	udp_set_csum(zero_csum, skb, path->saddr, path->remote.addr, skb->len);
}

static void put_ip(struct sk_buff *skb, const struct esptun_path *path,
		   const struct esptun_outer *outer, u8 ttl)
{
	const struct dst_entry *dst = &path->rt->dst;
	struct iphdr *ip = __skb_push(skb, sizeof(*ip));

	skb_reset_network_header(skb);
	ip->version = 4;
	ip->ihl = sizeof(*ip) / 4;
	ip->tos = outer->tos;
	ip->frag_off = outer->df && !ip_mtu_locked(dst) ? htons(IP_DF) : 0;
	ip->ttl = min_t(u8, ttl ?: ip4_dst_hoplimit(dst), outer->ttl_max);
	ip->protocol = IPPROTO_UDP;
	ip->saddr = path->saddr;
	ip->daddr = path->remote.addr;
	__ip_select_ident(dev_net(dst->dev), ip,
			  skb_shinfo(skb)->gso_segs ?: 1);
}

void esptun_udp_wrap(const struct esptun_link *link,
		     const struct esptun_path *path, struct sk_buff *skb,
		     const struct esptun_outer *outer)
{
	bool zero_csum = !skb_is_gso(skb) &&
			 READ_ONCE(link->udpcsum) != ESPTUN_UDPCSUM_ON;

	skb->mark = READ_ONCE(link->fwmark);
	skb->protocol = htons(ETH_P_IP);
	put_udp(skb, path, link->port, zero_csum);
	put_ip(skb, path, outer, READ_ONCE(link->ttl));
	memset(IPCB(skb), 0, sizeof(*IPCB(skb)));
	skb_dst_set(skb, dst_clone(&path->rt->dst));
}

void esptun_udp_send(const struct esptun_link *link, struct sk_buff *skb)
{
	struct esptun_sock *us = rcu_dereference(link->us);

	if (us)
		ip_local_out(link->net, us->sk, skb);
	else
		kfree_skb(skb);
}

static void xmit(const struct esptun_link *link, const struct esptun_path *path,
		 struct sk_buff *skb)
{
	const struct esptun_outer outer = { .ttl_max = U8_MAX };

	esptun_udp_wrap(link, path, skb, &outer);
	esptun_udp_send(link, skb);
}

static struct sk_buff *alloc_payload(const struct esptun_path *path,
				     unsigned int len, gfp_t gfp)
{
	unsigned int head = LL_RESERVED_SPACE(path->rt->dst.dev) +
			    path->rt->dst.header_len + ESPTUN_IP4_HLEN +
			    ESPTUN_UDP_HLEN;
	struct sk_buff *skb = alloc_skb(head + len, gfp);

	if (skb)
		skb_reserve(skb, head);
	return skb;
}

int esptun_udp_keepalive(struct esptun_peer *peer)
{
	struct esptun_path path;
	struct sk_buff *skb;
	int err;

	err = esptun_udp_path(peer, &path);
	if (err)
		return err;
	skb = alloc_payload(&path, 1, GFP_ATOMIC);
	if (skb) {
		skb_put_u8(skb, 0xff);
		atomic64_inc(&peer->keepalives);
		esptun_timer_sent(peer);
		xmit(peer->link, &path, skb);
	}
	esptun_udp_path_put(&path);
	return skb ? 0 : -ENOMEM;
}

static int ike_path(struct esptun_link *link,
		    const struct esptun_endpoint *local,
		    const struct esptun_endpoint *remote,
		    struct esptun_path *path, struct netlink_ext_ack *extack)
{
	struct rtable *rt;

	if (!remote->addr || !remote->port) {
		NL_SET_ERR_MSG(
			extack,
			"ike: remote-address and remote-port are needed");
		return -EINVAL;
	}
	path->remote = *remote;
	path->saddr = local->addr ?: READ_ONCE(link->local);
	rt = route(link, &path->saddr, remote);
	if (IS_ERR(rt)) {
		if (PTR_ERR(rt) == -ELOOP)
			NL_SET_ERR_MSG(
				extack,
				"remote-address: the route leads into the link itself");
		else
			NL_SET_ERR_MSG(
				extack,
				"remote-address: no route from this source address");
		return PTR_ERR(rt);
	}
	path_set(path, rt);
	return 0;
}

int esptun_udp_ike_send(struct esptun_link *link,
			const struct esptun_endpoint *local,
			const struct esptun_endpoint *remote, const void *data,
			size_t len, struct netlink_ext_ack *extack)
{
	struct esptun_path path;
	struct sk_buff *skb;
	int err;

	lockdep_assert_held(&link->en->lock);
	if (!len || len > ESPTUN_IKE_MAX) {
		NL_SET_ERR_MSG(extack, "data: 1 to 65000 octets");
		return -EINVAL;
	}
	err = ike_path(link, local, remote, &path, extack);
	if (err)
		return err;
	skb = alloc_payload(&path, MARKER_LEN + len, GFP_KERNEL);
	if (skb) {
		skb_put_zero(skb, MARKER_LEN);
		skb_put_data(skb, data, len);
		local_bh_disable();
		rcu_read_lock();
		/* May be larger than the path: IP fragments it. */
		xmit(link, &path, skb);
		rcu_read_unlock();
		local_bh_enable();
	}
	esptun_udp_path_put(&path);
	return skb ? 0 : -ENOMEM;
}
