/* SPDX-License-Identifier: GPL-2.0 */
/* IKE datagrams on their way to the agent: who may send how much. */
#ifndef ESPTUN_IKE_H
#define ESPTUN_IKE_H

#include <linux/types.h>

struct esptun_arrival;
struct esptun_endpoint;
struct esptun_net;
struct esptun_peer;
struct esptun_sock;
struct sk_buff;
struct sock;

int esptun_ike_net_init(struct esptun_net *en);
void esptun_ike_net_exit(struct esptun_net *en);

/**
 * esptun_ike_bind - give the IKE channel of a netns to a netlink socket
 * @en: the netns; en->lock held
 * @sk: the socket
 * @portid: its port ID
 *
 * Return: 0 or -ENOMEM.
 */
int esptun_ike_bind(struct esptun_net *en, struct sock *sk, u32 portid);

/* The socket is being closed, a grace period before its end. en->lock held. */
void esptun_ike_unbind(struct esptun_net *en);

/**
 * esptun_ike_peer_at - the peer's remote endpoint is another one
 * @peer: with the new @peer->remote; its ep_lock is held for writing
 *
 * IKE from there has the peer's own share from now on; of many peers at one
 * endpoint only ESPTUN_IKE_TRIES have one, and whoever is there uses them all.
 */
void esptun_ike_peer_at(struct esptun_peer *peer);

/**
 * esptun_ike_path_learn - what fits the path to an endpoint over IPv4
 * @us: where what did not fit was sent from; RCU read side
 * @to: the endpoint
 * @mtu: as esptun_path_learn() takes it
 *
 * For the peers whose share is found there: all of them but those beyond
 * ESPTUN_IKE_TRIES.
 */
void esptun_ike_path_learn(const struct esptun_sock *us,
			   const struct esptun_endpoint *to, unsigned int mtu);

/* The peer goes away; esptun_ike_peer_at() does nothing any more. en->lock held. */
void esptun_ike_peer_gone(struct esptun_peer *peer);

/**
 * esptun_ike_receive - give an IKE datagram to the agent, if it may have it
 * @us: where it came; RCU read side, bottom halves off
 * @skb: starts at the non-ESP marker (RFC 3948 2.2); stays the caller's
 * @arrival: what its outer headers say
 *
 * Return: the counter that tells what became of it, ESPTUN_STATS_A_*.
 */
unsigned int esptun_ike_receive(struct esptun_sock *us,
				const struct sk_buff *skb,
				const struct esptun_arrival *arrival);

#endif /* ESPTUN_IKE_H */
