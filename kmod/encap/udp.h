/* SPDX-License-Identifier: GPL-2.0 */
/*
 * UDP encapsulation (RFC 3948): sockets, demultiplexing, sending.
 */
#ifndef ESPTUN_UDP_H
#define ESPTUN_UDP_H

#include <linux/types.h>
#include <linux/list.h>
#include <linux/netfilter.h>
#include <linux/rcupdate.h>
#include <linux/skbuff.h>
#include <net/net_namespace.h>
#include "encap/endpoint.h"
#include "encap/family.h"

struct esptun_link;
struct esptun_net;
struct esptun_peer;
struct netlink_ext_ack;
struct sock;

/**
 * struct esptun_sock - an encapsulation socket, shared by links of a netns
 * @node: in esptun_net.socks, under esptun_net.lock
 * @en: the netns
 * @sk: of each family, bound to any address, @port and @ifindex; NULL if the
 *	kernel does not have the family
 * @port: UDP port
 * @ifindex: device that it is bound to, 0 for any; under esptun_net.lock
 * @users: links, under esptun_net.lock
 * @hook: of each socket, see gro.c
 */
struct esptun_sock {
	struct list_head node;
	struct esptun_net *en;
	struct sock *sk[ESPTUN_FAMILIES];
	__be16 port;
	int ifindex;
	unsigned int users;
	struct nf_hook_ops hook[ESPTUN_FAMILIES];
};

/**
 * esptun_udp_get - the socket for a port, made if there is none
 * @en: netns; en->lock held
 * @port: UDP port
 * @ifindex: device to receive from, or a VRF for all of its devices; 0 for any
 * @former: socket that the caller gives back next, or NULL. If it has no other
 *	user and differs only in that one of the two has a device, it is bound anew
 *	and returned
 * @rcv: gets every datagram, as udp_sock.encap_rcv
 * @extack: told why not
 *
 * Return: the socket with one more user, or ERR_PTR (-EADDRINUSE if another
 * program has the port, or a link with it has no device or this one has none;
 * -EPERM if @former may not give up its device; -ENOMEM). On failure nothing has
 * changed.
 */
struct esptun_sock *esptun_udp_get(struct esptun_net *en, __be16 port,
				   int ifindex, struct esptun_sock *former,
				   int (*rcv)(struct sock *sk,
					      struct sk_buff *skb),
				   struct netlink_ext_ack *extack);

/*
 * The fwmark of a link on the sockets. The stack looks for the route of an ICMPv6
 * "packet too big" by the socket's mark, so of links sharing a port, those with
 * another mark than the last one set do not learn path MTUs. en->lock held.
 */
void esptun_udp_mark(struct esptun_sock *us, u32 mark);

/* Give a socket back; the last user closes it. en->lock held; may sleep. */
void esptun_udp_put(struct esptun_sock *us);

/*
 * Was there a link with this port, in any namespace? Then a packet from it may
 * be the outer packet of a tunnel. Any context.
 */
bool esptun_udp_is_our_port(__be16 port);

/**
 * esptun_udp_batches - is it worth to send super-packets this way
 * @path: result of esptun_path_find()
 *
 * The packets of a super-packet all have a UDP checksum. Unless the way out
 * computes it, packets with a checksum of zero (RFC 3948 2.1) are cheaper; over
 * IPv6 only a peer that asked for them gets such, and then no others (RFC 6935).
 */
bool esptun_udp_batches(const struct esptun_path *path);

/* The rest of esptun_encap_udp; see encap.h. */
void esptun_udp_join(struct sk_buff *skb, unsigned int size);
void esptun_udp_wrap(const struct esptun_link *link,
		     const struct esptun_path *path, struct sk_buff *skb);

/*
 * Send one NAT keepalive (RFC 3948 2.3), unless the peer's packets travel without
 * UDP. RCU read side, bottom halves off.
 */
int esptun_udp_keepalive(struct esptun_peer *peer);

/**
 * esptun_udp_ike_send - send an IKE message from a link's socket
 * @link: whose socket; en->lock held
 * @local: source address, or none for the link's or the route's; the port is
 *	ignored
 * @remote: destination, with an address and a port
 * @data: the message, without the non-ESP marker
 * @len: 1 to ESPTUN_IKE_MAX octets
 * @extack: told why not
 *
 * Process context. Return: 0; -ENOMEM or no route. The datagram may
 * be lost later like any other.
 */
int esptun_udp_ike_send(struct esptun_link *link,
			const struct esptun_endpoint *local,
			const struct esptun_endpoint *remote, const void *data,
			size_t len, struct netlink_ext_ack *extack);

#endif /* ESPTUN_UDP_H */
