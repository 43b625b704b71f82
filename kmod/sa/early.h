/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Packets of an SA that the peer uses already, while ours is larval: who answers
 * a CREATE_CHILD_SA request may send before the answer is here (RFC 7296 2.8).
 */
#ifndef ESPTUN_EARLY_H
#define ESPTUN_EARLY_H

#include <linux/atomic.h>
#include <linux/build_bug.h>
#include <linux/skbuff.h>
#include <linux/types.h>

/**
 * struct esptun_early_cb - of such a packet, in skb->cb
 * @since: jiffies when it came
 * @tos: of its outer header
 */
struct esptun_early_cb {
	unsigned long since;
	u8 tos;
};

static inline struct esptun_early_cb *esptun_early_cb(struct sk_buff *skb)
{
	BUILD_BUG_ON(sizeof(struct esptun_early_cb) > sizeof(skb->cb));
	return (struct esptun_early_cb *)skb->cb;
}

/**
 * struct esptun_early - the early packets of an SA
 * @packets: in the order they came; its lock protects all of it, bottom halves
 *	off
 * @net_truesize: memory that those of all SAs of the namespace take
 * @truesize: memory they take
 * @over: the SA is not larval any more, or gone
 */
struct esptun_early {
	struct sk_buff_head packets;
	atomic_t *net_truesize;
	unsigned int truesize;
	bool over;
};

/* @net_truesize: what all SAs of the namespace take; outlives @early. */
void esptun_early_init(struct esptun_early *early, atomic_t *net_truesize);

/* Is there no room, as far as can be told without the lock? */
bool esptun_early_full(const struct esptun_early *early);

/**
 * esptun_early_add - keep a packet
 * @early: of a larval SA; RCU read side, bottom halves off
 * @skb: the ESP packet, with esptun_early_cb() filled in; no longer the
 *	caller's if it was kept. It refers to nothing of a device or a namespace,
 *	since nobody waits for it
 *
 * The first ESPTUN_EARLY_ONE packets are kept, up to ESPTUN_EARLY_SIZE bytes of
 * memory, ESPTUN_EARLY_NET of all SAs of its namespace, and ESPTUN_EARLY_MAX of
 * all namespaces.
 *
 * Return: 0; -ENOBUFS if there is no room; -ESTALE if it is over: who looks the
 * SPI up again finds another SA, or none.
 */
int esptun_early_add(struct esptun_early *early, struct sk_buff *skb);

/**
 * esptun_early_take - take packets out
 * @early: locked
 * @age: those that came so many jiffies ago, or earlier; 0 for all
 * @list: they are put behind what is in it
 */
void esptun_early_take(struct esptun_early *early, unsigned long age,
		       struct sk_buff_head *list);

#endif /* ESPTUN_EARLY_H */
