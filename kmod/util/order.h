/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Order among what several CPUs prepare at once: packets of an SA on their way
 * out, batches of a peer on their way in. An item's place is reserved, then the
 * item is prepared, then it is completed: ready, or dead if nothing came of it.
 * The CPU that completes the item at the head hands it over, and every completed
 * item behind it, also those that other CPUs prepared. A CPU whose item is not
 * at the head leaves it to that one. No CPU waits for another.
 *
 * An order holds ESPTUN_ORDER_MAX items at most. A CPU that handed over
 * ESPTUN_ORDER_BUDGET items, or did so for ESPTUN_ORDER_TICKS, leaves the rest
 * to a worker, which enables bottom halves and lets others run in between.
 */
#ifndef ESPTUN_ORDER_H
#define ESPTUN_ORDER_H

#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/workqueue.h>
#include "limits.h"

enum esptun_order_state {
	ESPTUN_ORDER_RESERVED,
	ESPTUN_ORDER_READY,
	ESPTUN_ORDER_DEAD,
};

/**
 * struct esptun_order_item - a place, part of what is handed over
 * @node: in the order's @items, unless @first
 * @state: enum esptun_order_state
 * @first: no item was before it when it was reserved; it is not in @items
 * @waiting: for the read side that ends when the item was handed over
 */
struct esptun_order_item {
	struct list_head node;
	u8 state;
	bool first;
	int waiting;
};

/**
 * struct esptun_order - items in their order
 * @lock: protects the members below; bottom halves off
 * @busy: a CPU or the worker hands items over, or an item with @first is being
 *	prepared
 * @n: items in @items, and the one of them that is being handed over
 * @items: in the order they were reserved
 * @hand_over: takes the item, which is READY or DEAD, for good; bottom halves
 *	off, in an RCU read side, for one item at a time
 * @work: hands over what a CPU left
 */
struct esptun_order {
	spinlock_t lock;
	bool busy;
	unsigned int n;
	struct list_head items;
	void (*hand_over)(struct esptun_order *order,
			  struct esptun_order_item *item);
	struct work_struct work;
};

void esptun_order_init(struct esptun_order *order,
		       void (*hand_over)(struct esptun_order *order,
					 struct esptun_order_item *item));

/*
 * To reserve a place: lock; unless the order is full, reserve; else unlock. RCU
 * read side, bottom halves off.
 */
static inline void esptun_order_lock(struct esptun_order *order)
	__acquires(&order->lock)
{
	spin_lock(&order->lock);
}

static inline void esptun_order_unlock(struct esptun_order *order)
	__releases(&order->lock)
{
	spin_unlock(&order->lock);
}

static inline bool esptun_order_full(const struct esptun_order *order)
{
	return order->n >= ESPTUN_ORDER_MAX;
}

/**
 * esptun_order_reserve - reserve the next place, and unlock
 * @order: locked, not full
 * @item: becomes RESERVED. Valid until it was handed over
 * @may_be_first: if no item is before it, @item need not be queued: it is
 *	completed in the RCU read side that it was reserved in
 */
void esptun_order_reserve(struct esptun_order *order,
			  struct esptun_order_item *item, bool may_be_first)
	__releases(&order->lock);

/**
 * esptun_order_complete - an item was prepared
 * @order: the order; RCU read side, bottom halves off
 * @item: no longer the caller's
 * @state: ESPTUN_ORDER_READY or ESPTUN_ORDER_DEAD
 * @here: hand it over from here if its turn has come, else from the worker; an
 *	item that was not queued is always handed over from here
 */
void esptun_order_complete(struct esptun_order *order,
			   struct esptun_order_item *item,
			   enum esptun_order_state state, bool here);

/*
 * Was everything that was queued handed over? Then so are its effects visible.
 * Any context.
 */
static inline bool esptun_order_idle(const struct esptun_order *order)
{
	/* Pairs with smp_store_release() in flush(). */
	return !smp_load_acquire(&order->n);
}

/**
 * esptun_order_wait - wait until what is queued now, anywhere, was handed over
 *
 * What reserves places has to have seen that no more are wanted, and an RCU
 * grace period to have passed. Process context, may hold rtnl and
 * esptun_net.lock.
 */
void esptun_order_wait(void);

/* Once per module. Process context. */
int esptun_order_module_init(void);
void esptun_order_module_exit(void);

#endif /* ESPTUN_ORDER_H */
