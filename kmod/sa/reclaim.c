// SPDX-License-Identifier: GPL-2.0
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/workqueue.h>
#include "limits.h"
#include "util/order.h"
#include "sa/reclaim.h"

static LLIST_HEAD(done_with);
static struct workqueue_struct *reclaim_wq;

/*
 * Packets that found an SA may still use it, and a batch of it may wait in an
 * order: (1) whatever found the SA is done with it or has reserved a place, (2)
 * all that wait were handed over, (3) the CPUs that did so are done with the
 * order. Once for all that is taken together: an rcu_work for each object would
 * be larger, and wait for each.
 */
static void wait_for_orders(void)
{
	synchronize_rcu();
	esptun_order_wait();
	synchronize_rcu();
}

static void reclaim_work(struct work_struct *work)
{
	struct llist_node *next = llist_del_all(&done_with);

	wait_for_orders();
	while (next) {
		struct esptun_reclaim *r =
			llist_entry(next, struct esptun_reclaim, node);

		next = next->next;
		r->free(r);
		cond_resched();
	}
}

static DECLARE_WORK(work, reclaim_work);

void esptun_reclaim(struct esptun_reclaim *r,
		    void (*free)(struct esptun_reclaim *r))
{
	r->free = free;
	llist_add(&r->node, &done_with);
	/* Also if others wait already: their turn to queue it may be yet to come. */
	queue_work(reclaim_wq, &work);
}

void esptun_reclaim_flush(void)
{
	flush_workqueue(reclaim_wq);
	/* A route given back by the work is freed after a grace period. */
	rcu_barrier();
}

int esptun_reclaim_module_init(void)
{
	reclaim_wq = alloc_workqueue(ESPTUN_KIND "_free", WQ_UNBOUND, 0);
	return reclaim_wq ? 0 : -ENOMEM;
}

void esptun_reclaim_module_exit(void)
{
	destroy_workqueue(reclaim_wq);
}
