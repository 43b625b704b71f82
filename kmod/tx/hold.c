// SPDX-License-Identifier: GPL-2.0
/*
 * Packets without an SA, while an agent negotiates one. Both what is kept and
 * what the agent is asked are bounded for each destination and source, so that
 * a host that sends much to one address, or scans a network, leaves room for the
 * others. Sending (tx.c) puts packets in, in softirq; a new SA and the timer of
 * the link take them out. One lock, held for a few lines.
 */
#include <linux/jhash.h>
#include <linux/net.h>
#include "tx/hold.h"
#include "sa/flow.h"

void esptun_hold_init(struct esptun_hold *h)
{
	unsigned int i;

	spin_lock_init(&h->lock);
	for (i = 0; i < ARRAY_SIZE(h->slot); i++)
		__skb_queue_head_init(&h->slot[i].packets);
}

static u32 hash_addr(const struct in6_addr *addr)
{
	static u32 seed __read_mostly;

	net_get_random_once(&seed, sizeof(seed));
	return jhash(addr, sizeof(*addr), seed);
}

/* ---- acquires ---- */

static bool asked_lately(const struct esptun_hold_slot *slot, u32 hash)
{
	unsigned long gap = msecs_to_jiffies(ESPTUN_ACQUIRE_MS);

	return slot->when && slot->asked == hash &&
	       time_before(jiffies, slot->when + gap);
}

bool esptun_hold_ask_cpu(struct esptun_hold *h)
{
	static const struct esptun_rate rate = {
		.second = ESPTUN_ACQUIRE_CPU_MAX,
		.burst = ESPTUN_ACQUIRE_CPU_MAX,
	};
	bool due;

	spin_lock(&h->lock);
	due = esptun_meter_left(&h->asked_cpu, &rate);
	if (due)
		esptun_meter_add(&h->asked_cpu, &rate, 1);
	spin_unlock(&h->lock);
	return due;
}

static bool ask_due(struct esptun_hold *h, struct esptun_hold_slot *slot,
		    u32 hash, u32 source)
{
	static const struct esptun_rate one = {
		.second = ESPTUN_ACQUIRE_ONE,
		.burst = ESPTUN_ACQUIRE_ONE,
	};
	static const struct esptun_rate all = {
		.second = ESPTUN_ACQUIRE_MAX,
		.burst = ESPTUN_ACQUIRE_MAX,
	};
	struct esptun_meter *by = &h->asked_by[source % ESPTUN_ACQUIRE_SOURCES];

	if (asked_lately(slot, hash) || !esptun_meter_left(by, &one) ||
	    !esptun_meter_left(&h->asked, &all))
		return false;
	esptun_meter_add(by, &one, 1);
	esptun_meter_add(&h->asked, &all, 1);
	slot->asked = hash;
	slot->when = jiffies ?: 1;
	return true;
}

/* ---- packets ---- */

static void put(struct esptun_hold *h, struct esptun_hold_slot *slot,
		struct sk_buff *skb)
{
	WRITE_ONCE(h->n, h->n + 1);
	__skb_queue_tail(&slot->packets, skb);
}

static void take(struct esptun_hold *h, struct esptun_hold_slot *slot,
		 struct sk_buff *skb)
{
	WRITE_ONCE(h->n, h->n - 1);
	__skb_unlink(skb, &slot->packets);
}

static struct esptun_hold_slot *longest(struct esptun_hold *h)
{
	struct esptun_hold_slot *most = &h->slot[0];
	unsigned int i;

	for (i = 1; i < ARRAY_SIZE(h->slot); i++)
		if (skb_queue_len(&h->slot[i].packets) >
		    skb_queue_len(&most->packets))
			most = &h->slot[i];
	return most;
}

bool esptun_hold_add(struct esptun_hold *h, struct sk_buff *skb,
		     const struct esptun_flow *flow, struct sk_buff **surplus)
{
	u32 hash = hash_addr(&flow->dst);
	struct esptun_hold_slot *slot = &h->slot[hash % ESPTUN_HOLD_SLOTS];
	bool due;

	*surplus = NULL;
	spin_lock(&h->lock);
	due = ask_due(h, slot, hash, hash_addr(&flow->src));
	put(h, slot, skb);
	if (skb_queue_len(&slot->packets) > ESPTUN_HOLD_ONE) {
		*surplus = skb_peek(&slot->packets);
	} else if (h->n > ESPTUN_HOLD_MAX) {
		slot = longest(h);
		*surplus = skb_peek_tail(&slot->packets);
	}
	if (*surplus)
		take(h, slot, *surplus);
	spin_unlock(&h->lock);
	return due;
}

bool esptun_hold_take(struct esptun_hold *h, unsigned long age,
		      struct sk_buff_head *list)
{
	struct sk_buff *skb;
	unsigned int i;
	bool left;

	spin_lock_bh(&h->lock);
	for (i = 0; i < ARRAY_SIZE(h->slot); i++) {
		struct esptun_hold_slot *slot = &h->slot[i];

		while ((skb = skb_peek(&slot->packets)) &&
		       (!age ||
			time_after_eq(jiffies,
				      esptun_hold_cb(skb)->since + age))) {
			take(h, slot, skb);
			__skb_queue_tail(list, skb);
		}
	}
	left = h->n;
	spin_unlock_bh(&h->lock);
	return left;
}
