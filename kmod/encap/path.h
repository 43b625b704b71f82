/* SPDX-License-Identifier: GPL-2.0 */
/* Outer routes: where packets to a peer, or to any endpoint, go. */
#ifndef ESPTUN_PATH_H
#define ESPTUN_PATH_H

#include <linux/types.h>
#include "encap/endpoint.h"
#include "encap/family.h"

struct esptun_encap_ops;
struct esptun_link;
struct esptun_peer;
struct netlink_ext_ack;

/**
 * esptun_path_find - route to a peer
 * @peer: the peer; RCU read side or en->lock held, bottom halves off
 * @path: result; end it with esptun_path_put()
 *
 * Return: 0; -ENETUNREACH and the like without a route; -EDESTADDRREQ if the
 * peer's address is not known; -ELOOP if the route leads into the link.
 */
int esptun_path_find(struct esptun_peer *peer, struct esptun_path *path);

/**
 * esptun_path_to - route to an endpoint, which is in no cache
 * @link: from where; en->lock held
 * @encap: of what packets
 * @source: source address, or none for the link's or the route's
 * @remote: destination, with an address and a port
 * @path: result; end it with esptun_path_put()
 * @extack: told why not
 *
 * Process context. Return: 0 or no route.
 */
int esptun_path_to(struct esptun_link *link,
		   const struct esptun_encap_ops *encap,
		   const struct esptun_addr *source,
		   const struct esptun_endpoint *remote,
		   struct esptun_path *path, struct netlink_ext_ack *extack);

void esptun_path_put(struct esptun_path *path);

/* The peer or its link changed: look for another route, forget the path's MTU. */
void esptun_path_forget(struct esptun_peer *peer);

/**
 * esptun_path_learn - an ICMP error said what fits the path to a peer over IPv4
 * @peer: to whom a packet was sent that the error quotes, or may (icmp.h); RCU read
 *	side
 * @mtu: what it said
 *
 * The kernel's routes learn as well, from everybody, and for IPv4 nothing here
 * heeds what they do (IP_PMTUDISC_OMIT). For ESPTUN_PMTU_MS it only gets less. Two
 * CPUs that learn at once: one of the two values stays.
 */
void esptun_path_learn(struct esptun_peer *peer, unsigned int mtu);

/**
 * esptun_path_into_link - would packets to an address leave by an esptun link
 * @peer: whose packets; RCU read side, bottom halves off
 * @remote: the address
 * @learned: what they would come from, if no address is configured
 */
bool esptun_path_into_link(const struct esptun_peer *peer,
			   const struct esptun_endpoint *remote,
			   const struct esptun_addr *learned);

/* MTU of the first hop and its route, without what ICMP taught. */
unsigned int esptun_path_hop_mtu(const struct esptun_path *path);

#endif /* ESPTUN_PATH_H */
