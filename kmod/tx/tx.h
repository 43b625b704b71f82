/* SPDX-License-Identifier: GPL-2.0 */
/* Outbound: inner packet to ESP in UDP. */
#ifndef ESPTUN_TX_H
#define ESPTUN_TX_H

#include <linux/netdevice.h>

struct esptun_link;
struct esptun_order;
struct esptun_order_item;

/* ndo_start_xmit */
netdev_tx_t esptun_tx_xmit(struct sk_buff *skb, struct net_device *dev);

/* struct esptun_order.hand_over of sa->sending */
void esptun_tx_hand_over(struct esptun_order *order,
			 struct esptun_order_item *item);

/* An outbound SA became usable: try the held packets again. Process context. */
void esptun_tx_release(struct esptun_link *link);

/*
 * Give up packets held longer than ESPTUN_HOLD_MS, or all of them. Any context
 * but hard interrupt. Return: whether some are left.
 */
bool esptun_tx_expire(struct esptun_link *link, bool all);

/*
 * Send a dummy packet (RFC 4303 2.6) by an outbound SA, unless there is no way or
 * its packets wait for their turn. RCU read side, bottom halves off.
 */
void esptun_tx_dummy(struct esptun_sa *sa);

#endif /* ESPTUN_TX_H */
