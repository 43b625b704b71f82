/* SPDX-License-Identifier: GPL-2.0 */
/* Inbound: UDP datagram to keepalive, IKE message or inner packet. */
#ifndef ESPTUN_RX_H
#define ESPTUN_RX_H

#include <linux/skbuff.h>

struct sock;

/* encap_rcv of the encapsulation sockets: consumes every datagram, returns 0. */
int esptun_rx_encap(struct sock *sk, struct sk_buff *skb);

/* Once per module. Return: 0 or -ENOMEM. */
int esptun_rx_module_init(void);
void esptun_rx_module_exit(void);

#endif /* ESPTUN_RX_H */
