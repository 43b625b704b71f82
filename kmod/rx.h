/* SPDX-License-Identifier: GPL-2.0 */
/* Inbound: UDP datagram to keepalive, IKE message or inner packet. */
#ifndef ESPTUN_RX_H
#define ESPTUN_RX_H

#include <linux/skbuff.h>

struct sock;

int esptun_rx_module_init(void);
void esptun_rx_module_exit(void);

/* encap_rcv of the encapsulation sockets: consumes every datagram, returns 0. */
int esptun_rx_encap(struct sock *sk, struct sk_buff *skb);

/*
 * Wait until no received packet is parked. The sockets they came from must
 * be closed and a grace period over. Process context.
 */
void esptun_rx_drain(void);

#endif /* ESPTUN_RX_H */
