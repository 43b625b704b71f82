/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Packets that wait for an SA, and whether the agent is to be asked for one.
 */
#ifndef ESPTUN_HOLD_H
#define ESPTUN_HOLD_H

#include <linux/build_bug.h>
#include <linux/skbuff.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include "limits.h"
#include "util/meter.h"

struct esptun_flow;

/**
 * struct esptun_hold_cb - of a packet that waits, in skb->cb
 * @since: jiffies when it came
 * @depth: SAs it went through already, see nest.h
 */
struct esptun_hold_cb {
	unsigned long since;
	unsigned int depth;
};

static inline struct esptun_hold_cb *esptun_hold_cb(struct sk_buff *skb)
{
	BUILD_BUG_ON(sizeof(struct esptun_hold_cb) > sizeof(skb->cb));
	return (struct esptun_hold_cb *)skb->cb;
}

/**
 * struct esptun_hold_slot - destinations with one value of the hash
 * @packets: waiting, oldest first
 * @asked: full hash of the destination last asked for
 * @when: jiffies of that, 0 for never
 */
struct esptun_hold_slot {
	struct sk_buff_head packets;
	u32 asked;
	unsigned long when;
};

/**
 * struct esptun_hold - the packets of a link that wait
 * @lock: protects all of it; bottom halves off
 * @n: packets waiting
 * @slot: by destination
 * @asked: acquires of all sources
 * @asked_by: acquires by inner source
 * @asked_cpu: acquires for CPUs
 */
struct esptun_hold {
	spinlock_t lock;
	unsigned int n;
	struct esptun_hold_slot slot[ESPTUN_HOLD_SLOTS];
	struct esptun_meter asked;
	struct esptun_meter asked_by[ESPTUN_ACQUIRE_SOURCES];
	struct esptun_meter asked_cpu;
};

void esptun_hold_init(struct esptun_hold *h);

/**
 * esptun_hold_add - keep a packet
 * @h: of the link; bottom halves off
 * @skb: the packet, with esptun_hold_cb() filled in
 * @flow: of @skb
 * @surplus: result: a packet that had to make room, now the caller's, or NULL
 *
 * A destination keeps its newest ESPTUN_HOLD_ONE packets. When more than
 * ESPTUN_HOLD_MAX wait in all, the destination with the most of them gives its
 * newest: what waits already need not go because of a host that tries many.
 *
 * Return: whether the agent should be asked for an SA.
 */
bool esptun_hold_add(struct esptun_hold *h, struct sk_buff *skb,
		     const struct esptun_flow *flow, struct sk_buff **surplus);

/*
 * May the agent be asked for an SA of a CPU? No packet waits for it, so what waits
 * has acquires of its own. Bottom halves off.
 */
bool esptun_hold_ask_cpu(struct esptun_hold *h);

/**
 * esptun_hold_take - take packets out
 * @h: of the link
 * @age: those that came so many jiffies ago, or earlier; 0 for all
 * @list: they are put behind what is in it
 *
 * Return: whether some are left.
 */
bool esptun_hold_take(struct esptun_hold *h, unsigned long age,
		      struct sk_buff_head *list);

static inline bool esptun_hold_empty(const struct esptun_hold *h)
{
	return !READ_ONCE(h->n);
}

#endif /* ESPTUN_HOLD_H */
