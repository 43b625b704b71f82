/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A local sender is held to its share of memory until its packet has left the
 * host: so TCP keeps its queues short (TSQ), UDP blocks. So the inner packet,
 * which carries the charge, is kept until the outer one was freed. The outer one
 * is not the sender's, or qdiscs and the choice of a transmit queue would take
 * packets of one SA for packets of many flows.
 */
#ifndef ESPTUN_CHARGE_H
#define ESPTUN_CHARGE_H

#include <linux/skbuff.h>

/* Has the packet a sender who waits for it to be freed? */
static inline bool esptun_charged(const struct sk_buff *skb)
{
	return skb->destructor;
}

/**
 * esptun_charge_keep - keep an inner packet until an outer one was freed
 * @out: the outer packet, not sent yet, with no destructor
 * @in: the inner packet; no longer the caller's
 *
 * Bottom halves off.
 */
void esptun_charge_keep(struct sk_buff *out, struct sk_buff *in);

/* Once per module; exit waits until the last outer packet was freed. */
int esptun_charge_module_init(void);
void esptun_charge_module_exit(void);

#endif /* ESPTUN_CHARGE_H */
