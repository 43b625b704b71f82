// SPDX-License-Identifier: GPL-2.0
#include <linux/bitmap.h>
#include <linux/netlink.h>
#include <linux/slab.h>
#include <linux/udp.h>
#include <net/dst.h>
#include <net/udp.h>
#include <net/udp_tunnel.h>
#include "link.h"
#include "encap/encap.h"
#include "esp/esp.h"
#include "rx/gro.h"
#include "rx/icmp.h"
#include "encap/path.h"
#include "sa/peer.h"
#include "sa/timer.h"
#include "encap/udp.h"

/* RFC 3948 2.2: an SPI of 0 marks IKE */
#define MARKER_LEN 4u

/* ---- sockets ---- */

/* Ports that links had. A hint: ports that are no longer in use stay. */
static DECLARE_BITMAP(our_ports, U16_MAX + 1);

bool esptun_udp_is_our_port(__be16 port)
{
	return test_bit(ntohs(port), our_ports);
}

static const struct esptun_family *const families[] = {
	&esptun_ip4,
#if IS_ENABLED(CONFIG_IPV6)
	&esptun_ip6,
#endif
};

/* Of datagrams over IPv6 without a checksum see rx.c. */
static int sock_open_one(struct esptun_sock *us,
			 const struct esptun_family *family,
			 int (*rcv)(struct sock *sk, struct sk_buff *skb))
{
	struct udp_port_cfg port = {
		.family = family->family,
		.local_udp_port = us->port,
		.bind_ifindex = us->ifindex,
		.use_udp6_rx_checksums = false,
		.use_udp6_tx_checksums = true,
		.ipv6_v6only = true,
	};
	struct udp_tunnel_sock_cfg cfg = {
		.sk_user_data = us,
		.encap_type = UDP_ENCAP_ESPINUDP,
		.encap_rcv = rcv,
		.encap_err_lookup = esptun_icmp_refuse,
		.gro_receive = esptun_gro_receive,
		.gro_complete = esptun_gro_complete,
	};
	struct socket *sock;
	int err;

	err = udp_sock_create(us->en->net, &port, &sock);
	if (err)
		return err;
	err = esptun_gro_attach(us, family);
	if (err) {
		udp_tunnel_sock_release(sock->sk);
		return err;
	}
	/* The stack has no look at what its routes learned; see esptun_path_learn(). */
	if (family->own_pmtu)
		ip_sock_set_mtu_discover(sock->sk, IP_PMTUDISC_OMIT);
	us->sk[family->index] = sock->sk;
	setup_udp_tunnel_sock(us->en->net, sock->sk, &cfg);
	return 0;
}

/* Packets on their way through encap_rcv use @us: close, let them finish. */
static void sock_close(struct esptun_sock *us)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(families); i++) {
		if (!us->sk[i])
			continue;
		esptun_gro_detach(us, families[i]);
		udp_tunnel_sock_release(us->sk[i]);
	}
	synchronize_net();
}

static int sock_open(struct esptun_sock *us,
		     int (*rcv)(struct sock *sk, struct sk_buff *skb))
{
	unsigned int i;
	int err;

	for (i = 0; i < ARRAY_SIZE(families); i++) {
		/* IPv6 may be off (ipv6.disable=1). */
		if (families[i]->family == AF_INET6 && !ipv6_mod_enabled())
			continue;
		err = sock_open_one(us, families[i], rcv);
		if (err) {
			sock_close(us);
			return err;
		}
	}
	return 0;
}

void esptun_udp_mark(struct esptun_sock *us, u32 mark)
{
	unsigned int i;

	lockdep_assert_held(&us->en->lock);
	for (i = 0; i < ARRAY_SIZE(families); i++)
		if (us->sk[i])
			WRITE_ONCE(us->sk[i]->sk_mark, mark);
}

static void explain(int err, __be16 port, struct netlink_ext_ack *extack)
{
	if (err == -EADDRINUSE && port == htons(ESPTUN_PORT_DEFAULT))
		NL_SET_ERR_MSG(
			extack,
			"UDP port 4500 is taken; stop the other IPsec daemon or choose another port");
	else if (err == -EADDRINUSE)
		NL_SET_ERR_MSG(
			extack,
			"port: another program has this UDP port; choose another one");
	else
		NL_SET_ERR_MSG(extack, "port: cannot open the UDP socket");
}

static struct esptun_sock *
sock_new(struct esptun_net *en, __be16 port, int ifindex,
	 int (*rcv)(struct sock *sk, struct sk_buff *skb),
	 struct netlink_ext_ack *extack)
{
	struct esptun_sock *us = kzalloc(sizeof(*us), GFP_KERNEL_ACCOUNT);
	int err;

	if (!us)
		return ERR_PTR(-ENOMEM);
	us->en = en;
	us->port = port;
	us->ifindex = ifindex;
	us->users = 1;
	err = sock_open(us, rcv);
	if (err) {
		kfree(us);
		explain(err, port, extack);
		return ERR_PTR(err);
	}
	set_bit(ntohs(port), our_ports);
	list_add_tail(&us->node, &en->socks);
	return us;
}

/*
 * From no device to one, or back, which no second socket of the port can do while
 * this one is open. Only the caller's rights can forbid it, so the first of the
 * sockets is refused, or none is.
 */
static int sock_rebind(struct esptun_sock *us, int ifindex,
		       struct netlink_ext_ack *extack)
{
	unsigned int i;
	int err;

	for (i = 0; i < ARRAY_SIZE(families); i++) {
		if (!us->sk[i])
			continue;
		err = sock_bindtoindex(us->sk[i], ifindex, true);
		if (err) {
			NL_SET_ERR_MSG(
				extack,
				"dev: to take it away needs CAP_NET_RAW where the link was made; or choose another port with it");
			return err;
		}
	}
	us->ifindex = ifindex;
	return 0;
}

static struct esptun_sock *find_sock(struct esptun_net *en, __be16 port,
				     int ifindex)
{
	struct esptun_sock *us;

	list_for_each_entry(us, &en->socks, node)
		if (us->port == port && us->ifindex == ifindex)
			return us;
	return NULL;
}

/*
 * One of two sockets without a device would get what the other one is for. The
 * stack refuses to open such a pair, but not to make one by binding anew.
 */
static bool is_taken(struct esptun_net *en, __be16 port, int ifindex,
		     const struct esptun_sock *but)
{
	struct esptun_sock *us;

	list_for_each_entry(us, &en->socks, node)
		if (us != but && us->port == port && (!us->ifindex || !ifindex))
			return true;
	return false;
}

struct esptun_sock *esptun_udp_get(struct esptun_net *en, __be16 port,
				   int ifindex, struct esptun_sock *former,
				   int (*rcv)(struct sock *sk,
					      struct sk_buff *skb),
				   struct netlink_ext_ack *extack)
{
	struct esptun_sock *us;
	int err;

	lockdep_assert_held(&en->lock);
	us = find_sock(en, port, ifindex);
	if (us) {
		us->users++;
		return us;
	}
	if (former && (former->port != port || former->users > 1 ||
		       (former->ifindex && ifindex)))
		former = NULL;
	if (is_taken(en, port, ifindex, former)) {
		NL_SET_ERR_MSG(
			extack,
			"port: of links that share a port, either all have a dev, or none");
		return ERR_PTR(-EADDRINUSE);
	}
	if (!former)
		return sock_new(en, port, ifindex, rcv, extack);
	err = sock_rebind(former, ifindex, extack);
	if (err)
		return ERR_PTR(err);
	former->users++;
	return former;
}

void esptun_udp_put(struct esptun_sock *us)
{
	lockdep_assert_held(&us->en->lock);
	if (--us->users)
		return;
	list_del(&us->node);
	sock_close(us);
	kfree(us);
}

/* ---- sending ---- */

bool esptun_udp_batches(const struct esptun_path *path)
{
	netdev_features_t features = READ_ONCE(path->dst->dev->features);

	switch (path->udpcsum) {
	case ESPTUN_UDPCSUM_ON:
		return true;
	case ESPTUN_UDPCSUM_OFF:
		return false;
	default:
		return (features & NETIF_F_SG) &&
		       (features & path->family->csum);
	}
}

void esptun_udp_join(struct sk_buff *skb, unsigned int size)
{
	skb_shinfo(skb)->gso_type = SKB_GSO_UDP_L4;
	skb_shinfo(skb)->gso_size = size;
	skb_shinfo(skb)->gso_segs = DIV_ROUND_UP(skb->len, size);
	skb->ip_summed = CHECKSUM_PARTIAL;
	skb->csum_start = skb_headroom(skb) - ESPTUN_UDP_HLEN;
	skb->csum_offset = offsetof(struct udphdr, check);
}

void esptun_udp_wrap(const struct esptun_link *link,
		     const struct esptun_path *path, struct sk_buff *skb)
{
	bool zero_csum = !skb_is_gso(skb) && path->udpcsum != ESPTUN_UDPCSUM_ON;
	struct udphdr *uh = __skb_push(skb, sizeof(*uh));

	skb_reset_transport_header(skb);
	uh->source = READ_ONCE(link->port);
	uh->dest = path->remote.port;
	uh->len = htons(skb->len);
	INDIRECT_CALL_1(path->family->set_udp_csum, esptun_ip4_set_udp_csum,
			skb, path, zero_csum);
}

const struct esptun_encap_ops esptun_encap_udp = {
	.id = ESPTUN_ENCAP_UDP,
	.proto = IPPROTO_UDP,
	.hlen = ESPTUN_UDP_HLEN,
	.ports = true,
	.batches = esptun_udp_batches,
	.join = esptun_udp_join,
	.wrap = esptun_udp_wrap,
};

/*
 * What ICMP says of such packets is not believed (icmp.h): if need be they leave in
 * fragments, over IPv6 in such that every path carries, over IPv4 in such that fit
 * the route, which routers may divide.
 */
static void xmit(const struct esptun_link *link, const struct esptun_path *path,
		 struct sk_buff *skb)
{
	const struct esptun_outer outer = {
		.ttl = esptun_header_ttl(&path->header, NULL),
		.ttl_max = U8_MAX,
		.frag_max = IPV6_MIN_MTU,
	};

	esptun_encap_wrap(link, path, skb, &outer);
	esptun_encap_send(link, skb);
}

static struct sk_buff *alloc_payload(const struct esptun_path *path,
				     unsigned int len, gfp_t gfp)
{
	unsigned int head = esptun_encap_headroom(path);
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

	err = esptun_path_find(peer, &path);
	if (err)
		return err;
	/* Without UDP no NAT has to be kept open. */
	if (path.encap != &esptun_encap_udp)
		goto out;
	skb = alloc_payload(&path, 1, GFP_ATOMIC);
	err = skb ? 0 : -ENOMEM;
	if (skb) {
		skb_put_u8(skb, 0xff);
		atomic64_inc(&peer->keepalives);
		esptun_timer_sent(peer);
		xmit(peer->link, &path, skb);
	}
out:
	esptun_path_put(&path);
	return err;
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
	err = esptun_path_to(link, &esptun_encap_udp, &local->addr, remote,
			     &path, extack);
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
	esptun_path_put(&path);
	return skb ? 0 : -ENOMEM;
}
