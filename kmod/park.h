/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Packets that arrived while the CPU's SIMD registers were taken (we interrupted
 * someone's SIMD section) wait here for process context, where they are free.
 */
#ifndef ESPTUN_PARK_H
#define ESPTUN_PARK_H

#include <linux/skbuff.h>

/* Called with bottom halves off, in an RCU read side; consumes @skb. */
typedef void (*esptun_park_fn)(struct sk_buff *skb);

/* Room a parked packet's owner may use in skb->cb, from the start. */
#define ESPTUN_PARK_CB 40

int esptun_park_module_init(void);
void esptun_park_module_exit(void);

/**
 * esptun_park - keep a packet and call @fn with it soon
 * @skb: the packet
 * @fn: what to do with it
 *
 * Bottom halves off. Return: false if too many are waiting; then nothing
 * happened.
 */
bool esptun_park(struct sk_buff *skb, esptun_park_fn fn);

/**
 * esptun_park_drain - wait until what is parked now was handled
 *
 * For owners going away, after they stopped parking. Process context, may
 * hold rtnl and esptun_net.lock.
 */
void esptun_park_drain(void);

#endif /* ESPTUN_PARK_H */
