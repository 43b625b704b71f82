/* SPDX-License-Identifier: GPL-2.0 */
/* Inbound: UDP datagram to keepalive, IKE message or inner packet. */
#ifndef ESPTUN_RX_H
#define ESPTUN_RX_H

#include <linux/skbuff.h>

struct esptun_early;
struct esptun_order;
struct esptun_order_item;
struct esptun_sa;
struct sock;

/* encap_rcv of the encapsulation sockets: consumes every datagram, returns 0. */
int esptun_rx_encap(struct sock *sk, struct sk_buff *skb);

/**
 * esptun_rx_plain - a packet that travelled without UDP
 * @en: the netns it came to
 * @skb: starts at the ESP header; consumed
 * @arrival: what its IP header says
 *
 * Softirq, in an RCU read side.
 */
void esptun_rx_plain(struct esptun_net *en, struct sk_buff *skb,
		     const struct esptun_arrival *arrival);

/* struct esptun_order.hand_over of peer->receiving */
void esptun_rx_hand_over(struct esptun_order *order,
			 struct esptun_order_item *item);

/**
 * esptun_rx_early - receive what came before an SA's key
 * @sa: mature, nobody can find it yet; en->lock held
 * @early: packets that came for its SPI; locked. Empty afterwards
 *
 * They get their places in peer->receiving now, so all that is received for @sa
 * later is delivered after them; a worker opens them, and nothing is delivered
 * from here.
 */
void esptun_rx_early(struct esptun_sa *sa, struct esptun_early *early);

/* Once per module. Return: 0 or -ENOMEM. */
int esptun_rx_module_init(void);
void esptun_rx_module_exit(void);

#endif /* ESPTUN_RX_H */
