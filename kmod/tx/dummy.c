// SPDX-License-Identifier: GPL-2.0
/*
 * Each SA that wants dummy packets has its work; the others' never runs, and
 * packets know nothing of it. One thread does them all, one after the other: the
 * scheduler bounds what they take, however many SAs ask for how much. In timers
 * nobody would, for softirq goes on as long as one is due. With more packets a
 * second than HZ a work sends several at a time; if it comes late, some are left
 * out. Intervals are random, or their regularity would tell dummies from packets.
 */
#include <linux/bottom_half.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/random.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include "limits.h"
#include "tx/dummy.h"
#include "link.h"
#include "sa/sa.h"
#include "tx/tx.h"

static struct workqueue_struct *dummy_wq;

/* Jiffies between two works, in the mean. */
static unsigned int period(u32 rate)
{
	return max(HZ / rate, 1u);
}

/* From 1 to twice the mean, less 1. */
static unsigned int interval(u32 rate)
{
	return 1 + reciprocal_scale(get_random_u32(), 2 * period(rate) - 1);
}

static void send_due(struct esptun_dummy *d)
{
	local_bh_disable();
	rcu_read_lock();
	for (; d->due >= HZ; d->due -= HZ)
		esptun_tx_dummy(d->sa);
	rcu_read_unlock();
	local_bh_enable();
}

/* Who waits for it to end may hold esptun_net.lock and rtnl: it takes neither. */
static void dummy_work(struct work_struct *work)
{
	struct esptun_dummy *d =
		container_of(to_delayed_work(work), struct esptun_dummy, work);
	u32 rate = READ_ONCE(d->rate);
	unsigned int next = HZ;

	if (!rate || !esptun_sa_live(d->sa))
		return;
	if (netif_running(d->sa->link->dev)) {
		d->due += rate * period(rate);
		send_due(d);
		next = interval(rate);
	} else {
		d->due = 0;
	}
	/* Whoever takes the rate away, or the SA, keeps this from happening. */
	queue_delayed_work(dummy_wq, &d->work, next);
}

int esptun_dummy_init(struct esptun_sa *sa, u32 rate)
{
	if (!rate || sa->dummy)
		return 0;
	sa->dummy = kzalloc(sizeof(*sa->dummy), GFP_KERNEL_ACCOUNT);
	if (!sa->dummy)
		return -ENOMEM;
	sa->dummy->sa = sa;
	INIT_DELAYED_WORK(&sa->dummy->work, dummy_work);
	return 0;
}

void esptun_dummy_set(struct esptun_sa *sa, u32 rate)
{
	struct esptun_dummy *d = sa->dummy;

	lockdep_assert_held(&sa->link->en->lock);
	if (!d)
		return;
	WRITE_ONCE(d->rate, rate);
	if (rate)
		mod_delayed_work(dummy_wq, &d->work, interval(rate));
	else
		cancel_delayed_work_sync(&d->work);
}

int esptun_dummy_module_init(void)
{
	dummy_wq = alloc_ordered_workqueue(ESPTUN_KIND "_dummy", 0);
	return dummy_wq ? 0 : -ENOMEM;
}

void esptun_dummy_module_exit(void)
{
	destroy_workqueue(dummy_wq);
}
