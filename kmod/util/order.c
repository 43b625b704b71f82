// SPDX-License-Identifier: GPL-2.0
#include <linux/jiffies.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/srcu.h>
#include "limits.h"
#include "util/order.h"

/* Each queued item of the module is a reader. */
static struct srcu_struct waiting;
static struct workqueue_struct *order_wq;

static struct esptun_order_item *completed_head(struct esptun_order *order)
{
	struct esptun_order_item *item;

	item = list_first_entry_or_null(&order->items, struct esptun_order_item,
					node);
	return item && item->state != ESPTUN_ORDER_RESERVED ? item : NULL;
}

/*
 * Hand over at most @budget items. order->busy is the caller's; order->lock is
 * held, and released. Return: true if there are more; then order->busy is still
 * the caller's, and the first of them keeps the order from being freed.
 */
static bool flush(struct esptun_order *order, unsigned int budget)
	__releases(&order->lock)
{
	unsigned long since = jiffies;
	struct esptun_order_item *item;
	int reader;

	while ((item = completed_head(order))) {
		if (!budget-- || jiffies - since >= ESPTUN_ORDER_TICKS)
			break;
		list_del(&item->node);
		spin_unlock(&order->lock);
		reader = item->waiting;
		order->hand_over(order, item);
		srcu_up_read(&waiting, reader);
		spin_lock(&order->lock);
		/* Pairs with smp_load_acquire() in esptun_order_idle(). */
		smp_store_release(&order->n, order->n - 1);
	}
	order->busy = item;
	spin_unlock(&order->lock);
	return item;
}

static void flush_work_fn(struct work_struct *work)
{
	struct esptun_order *order =
		container_of(work, struct esptun_order, work);
	bool more;

	do {
		local_bh_disable();
		rcu_read_lock();
		spin_lock(&order->lock);
		more = flush(order, ESPTUN_ORDER_BUDGET);
		rcu_read_unlock();
		local_bh_enable();
		cond_resched();
	} while (more);
}

void esptun_order_init(struct esptun_order *order,
		       void (*hand_over)(struct esptun_order *order,
					 struct esptun_order_item *item))
{
	spin_lock_init(&order->lock);
	INIT_LIST_HEAD(&order->items);
	order->hand_over = hand_over;
	INIT_WORK(&order->work, flush_work_fn);
}

void esptun_order_reserve(struct esptun_order *order,
			  struct esptun_order_item *item, bool may_be_first)
	__releases(&order->lock)
{
	item->state = ESPTUN_ORDER_RESERVED;
	item->first = may_be_first && !order->busy && list_empty(&order->items);
	if (item->first) {
		order->busy = true;
	} else {
		item->waiting = srcu_down_read(&waiting);
		list_add_tail(&item->node, &order->items);
		WRITE_ONCE(order->n, order->n + 1);
	}
	spin_unlock(&order->lock);
}

void esptun_order_complete(struct esptun_order *order,
			   struct esptun_order_item *item,
			   enum esptun_order_state state, bool here)
{
	if (item->first) {
		item->state = state;
		order->hand_over(order, item);
		spin_lock(&order->lock);
	} else {
		spin_lock(&order->lock);
		item->state = state;
		if (order->busy) {
			spin_unlock(&order->lock);
			return;
		}
		order->busy = true;
	}
	if (flush(order, here ? ESPTUN_ORDER_BUDGET : 0))
		queue_work(order_wq, &order->work);
}

void esptun_order_wait(void)
{
	synchronize_srcu(&waiting);
}

int esptun_order_module_init(void)
{
	int err = init_srcu_struct(&waiting);

	if (err)
		return err;
	order_wq = alloc_workqueue(ESPTUN_KIND "_order",
				   WQ_UNBOUND | WQ_HIGHPRI, 0);
	if (order_wq)
		return 0;
	cleanup_srcu_struct(&waiting);
	return -ENOMEM;
}

void esptun_order_module_exit(void)
{
	destroy_workqueue(order_wq);
	cleanup_srcu_struct(&waiting);
}
