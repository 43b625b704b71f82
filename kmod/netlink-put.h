/* SPDX-License-Identifier: GPL-2.0 */
/* From the objects to netlink attributes. */
#ifndef ESPTUN_NETLINK_PUT_H
#define ESPTUN_NETLINK_PUT_H

#include <linux/types.h>

struct esptun_endpoint;
struct esptun_flow;
struct esptun_link;
struct esptun_net;
struct esptun_peer;
struct esptun_sa;
struct esptun_stats;
struct sk_buff;

/*
 * Each of these appends one attribute to a message and returns 0, or
 * -EMSGSIZE; then the caller cancels the message.
 */

/* Where the link is now, as @receiver, the reader's netns, sees it. Any context. */
int esptun_netlink_put_link(struct sk_buff *msg, const struct esptun_link *link,
			    struct net *receiver);

/*
 * All about a peer. en->lock held; process context. @identity: that, too; it
 * has no place in events, which everybody may hear on older kernels.
 */
int esptun_netlink_put_peer(struct sk_buff *msg, struct esptun_peer *peer,
			    bool identity);

/* Id and endpoints. RCU read side. */
int esptun_netlink_put_peer_brief(struct sk_buff *msg,
				  struct esptun_peer *peer);

/* All about an SA. en->lock held. @keys: the key too. */
int esptun_netlink_put_sa(struct sk_buff *msg, struct esptun_sa *sa, bool keys);

/* Direction, SPI, peer and state. RCU read side. */
int esptun_netlink_put_sa_brief(struct sk_buff *msg,
				const struct esptun_sa *sa);

/* Upper bound of what esptun_netlink_put_sa() and a message header need. */
size_t esptun_netlink_sa_size(const struct esptun_sa *sa);

/* Upper bound for any other message of this family but ike-recv. */
#define ESPTUN_NETLINK_SIZE 1024

int esptun_netlink_put_stats(struct sk_buff *msg,
			     struct esptun_stats __percpu *stats);

int esptun_netlink_put_flow(struct sk_buff *msg,
			    const struct esptun_flow *flow);

#endif /* ESPTUN_NETLINK_PUT_H */
