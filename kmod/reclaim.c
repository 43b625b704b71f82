// SPDX-License-Identifier: GPL-2.0
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/workqueue.h>
#include "limits.h"
#include "order.h"
#include "reclaim.h"

static LLIST_HEAD(done_with);
static struct workqueue_struct *reclaim_wq;

/*
 * A batch of an SA that is gone may wait in an order: (1) whatever found the SA
 * has reserved its place, (2) all that wait were handed over, (3) the CPUs that
 * did so are done with the order.
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

static void after_readers(struct rcu_head *rcu)
{
	struct esptun_reclaim *r =
		container_of(rcu, struct esptun_reclaim, rcu);

	if (llist_add(&r->node, &done_with))
		queue_work(reclaim_wq, &work);
}

void esptun_reclaim(struct esptun_reclaim *r,
		    void (*free)(struct esptun_reclaim *r))
{
	r->free = free;
	call_rcu(&r->rcu, after_readers);
}

void esptun_reclaim_flush(void)
{
	/* Every grace period ends, and after_readers() queues the work. */
	rcu_barrier();
	flush_workqueue(reclaim_wq);
	/* A route given back by the work is freed after a grace period, too. */
	rcu_barrier();
}

int esptun_reclaim_module_init(void)
{
	reclaim_wq = alloc_workqueue(ESPTUN_KIND "_free", WQ_UNBOUND, 0);
	return reclaim_wq ? 0 : -ENOMEM;
}

void esptun_reclaim_module_exit(void)
{
	/* Grace periods of what was removed last, then the work they queued. */
	rcu_barrier();
	destroy_workqueue(reclaim_wq);
}
