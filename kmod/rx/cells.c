// SPDX-License-Identifier: GPL-2.0
#include <linux/log2.h>
#include <linux/percpu.h>
#include <linux/slab.h>
#include "rx/cells.h"
#include "limits.h"
#include "stats.h"

/* The way up the stack has begun here, from esptun_cells_receive(). */
static DEFINE_PER_CPU(bool, delivering);

/* A packet with nothing to join needs no GRO. */
static void deliver(struct esptun_cell *cell, struct sk_buff *skb)
{
	if (!cell->joining && skb_queue_empty(&cell->taken) &&
	    skb_queue_empty_lockless(&cell->queue)) {
		netif_receive_skb(skb);
		return;
	}
	WRITE_ONCE(cell->joining, true);
	napi_gro_receive(&cell->napi, skb);
}

static int poll(struct napi_struct *napi, int budget)
{
	struct esptun_cell *cell = container_of(napi, struct esptun_cell, napi);
	struct sk_buff *skb;
	int done = 0;

	while (done < budget) {
		skb = __skb_dequeue(&cell->taken);
		if (skb) {
			deliver(cell, skb);
			done++;
			continue;
		}
		/* Who puts one in later schedules us again. */
		if (skb_queue_empty_lockless(&cell->queue))
			break;
		spin_lock(&cell->queue.lock);
		skb_queue_splice_init(&cell->queue, &cell->taken);
		spin_unlock(&cell->queue.lock);
	}
	if (done < budget) {
		/* GRO gives up what it holds, unless told to wait. */
		WRITE_ONCE(cell->joining,
			   READ_ONCE(napi->dev->gro_flush_timeout));
		napi_complete_done(napi, done);
	}
	return done;
}

int esptun_cells_init(struct esptun_cells *cells, struct net_device *dev)
{
	unsigned int n = min_t(unsigned int, ESPTUN_CELLS_MAX,
			       roundup_pow_of_two(num_possible_cpus()));
	unsigned int i;

	cells->mask = n - 1;
	cells->cell = kvcalloc(n, sizeof(*cells->cell), GFP_KERNEL_ACCOUNT);
	if (!cells->cell)
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		struct esptun_cell *cell = &cells->cell[i];

		skb_queue_head_init(&cell->queue);
		__skb_queue_head_init(&cell->taken);
		set_bit(NAPI_STATE_NO_BUSY_POLL, &cell->napi.state);
		netif_napi_add(dev, &cell->napi, poll);
		napi_enable(&cell->napi);
	}
	return 0;
}

void esptun_cells_stop(struct esptun_cells *cells)
{
	unsigned int i;

	for (i = 0; i <= cells->mask; i++) {
		struct esptun_cell *cell = &cells->cell[i];

		napi_disable(&cell->napi);
		__netif_napi_del(&cell->napi);
		__skb_queue_purge(&cell->taken);
		__skb_queue_purge(&cell->queue);
	}
}

void esptun_cells_free(struct esptun_cells *cells)
{
	kvfree(cells->cell);
}

/*
 * On its way already, on this CPU or another? A tunnel in a tunnel comes here
 * from the way up of the outer one's packet; the stack is not deep enough for
 * any number of them.
 */
static bool idle(const struct esptun_cell *cell)
{
	/* Tasks share @delivering there, though bottom halves are off. */
	if (IS_ENABLED(CONFIG_PREEMPT_RT))
		return false;
	if (!skb_queue_empty_lockless(&cell->queue))
		return false;
	/* Who takes from the queue is scheduled till all is delivered, */
	smp_rmb();
	if (test_bit(NAPI_STATE_SCHED, &cell->napi.state))
		return false;
	/* but for what GRO was told to hold longer: said before. */
	smp_rmb();
	return !READ_ONCE(cell->joining) && !__this_cpu_read(delivering);
}

unsigned int esptun_cells_receive(struct esptun_cells *cells,
				  unsigned int which, struct sk_buff *skb,
				  bool alone)
{
	struct esptun_cell *cell = &cells->cell[which & cells->mask];
	unsigned int waiting;

	if (unlikely(!(skb->dev->flags & IFF_UP)))
		return ESPTUN_STATS_A_RX_LINK_DOWN;
	if (unlikely(skb_queue_len_lockless(&cell->queue) >= ESPTUN_CELL_MAX))
		return ESPTUN_STATS_A_RX_BACKLOG;
	if (alone && idle(cell)) {
		__this_cpu_write(delivering, true);
		netif_receive_skb(skb);
		__this_cpu_write(delivering, false);
		return 0;
	}
	spin_lock(&cell->queue.lock);
	waiting = skb_queue_len(&cell->queue);
	__skb_queue_tail(&cell->queue, skb);
	spin_unlock(&cell->queue.lock);
	/* If others wait, it was scheduled for them and has yet to take them. */
	if (!waiting)
		napi_schedule(&cell->napi);
	return 0;
}
