/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What ESP packets travel in: one row for each encapsulation. All functions of a
 * row are called in the RCU read side with bottom halves off unless they say
 * otherwise.
 */
#ifndef ESPTUN_ENCAP_H
#define ESPTUN_ENCAP_H

#include <linux/types.h>

struct esptun_link;
struct esptun_outer;
struct esptun_path;
struct netlink_ext_ack;
struct sk_buff;

/**
 * struct esptun_encap_ops - an encapsulation
 * @id: enum esptun_encap
 * @proto: protocol that the outer IP header names
 * @hlen: octets between the IP header and the ESP header
 * @ports: routes may depend on the UDP ports of link and peer
 * @get: receive it; NULL if it is received anyway. Process context, under
 *	esptun_net.lock. Return: 0 or why not, with @extack told
 * @put: as often as @get succeeded; waits for packets on their way in
 * @batches: is it worth to send super-packets this way; NULL if there are none
 * @join: make a super-packet of ESP packets one behind the other, starting at
 *	skb->data, of @size octets each, only the last may have less
 * @wrap: put what comes between IP and ESP in front
 */
struct esptun_encap_ops {
	u8 id;
	u8 proto;
	u8 hlen;
	bool ports;
	int (*get)(struct netlink_ext_ack *extack);
	void (*put)(void);
	bool (*batches)(const struct esptun_path *path);
	void (*join)(struct sk_buff *skb, unsigned int size);
	void (*wrap)(const struct esptun_link *link,
		     const struct esptun_path *path, struct sk_buff *skb);
};

/* ESP in UDP (RFC 3948), see udp.c. */
extern const struct esptun_encap_ops esptun_encap_udp;

/* The row of an enum esptun_encap, NULL if this kernel has none. */
const struct esptun_encap_ops *esptun_encap_of(u8 id);

/* Octets an skb needs in front of what esptun_encap_wrap() is given. */
unsigned int esptun_encap_headroom(const struct esptun_path *path);

/**
 * esptun_encap_wrap - put the outer headers in front, and the route with them
 * @link: whose port and fwmark are used; RCU read side
 * @path: result of esptun_path_find(); its route reference stays the caller's
 * @skb: ESP packet with esptun_encap_headroom(), or what @path->encap->join()
 *	made
 * @outer: the rest of the header
 */
void esptun_encap_wrap(const struct esptun_link *link,
		       const struct esptun_path *path, struct sk_buff *skb,
		       const struct esptun_outer *outer);

/**
 * esptun_encap_send - send what esptun_encap_wrap() made
 * @link: whose socket is the sender; RCU read side, bottom halves off
 * @skb: consumed
 */
void esptun_encap_send(const struct esptun_link *link, struct sk_buff *skb);

#endif /* ESPTUN_ENCAP_H */
