// SPDX-License-Identifier: GPL-2.0
/*
 * Each SA that wants dummy packets has its timer; the others' is never armed, and
 * packets know nothing of it. With more packets a second than HZ it sends several
 * at a time; if it fires late, some are left out.
 */
#include <linux/jiffies.h>
#include <linux/rcupdate.h>
#include "tx/dummy.h"
#include "link.h"
#include "sa/sa.h"
#include "tx/tx.h"

static unsigned int period(u32 rate)
{
	return max(HZ / rate, 1u);
}

static void dummy_fire(struct timer_list *timer)
{
	struct esptun_sa *sa = timer_container_of(sa, timer, dummy.timer);
	struct esptun_dummy *d = &sa->dummy;
	u32 rate = READ_ONCE(d->rate);

	/* Whoever takes the rate away, or the SA, waits for this to end. */
	if (!rate || !esptun_sa_live(sa))
		return;
	d->due += rate * period(rate);
	rcu_read_lock();
	for (; d->due >= HZ; d->due -= HZ)
		if (netif_running(sa->link->dev))
			esptun_tx_dummy(sa);
	rcu_read_unlock();
	mod_timer(&d->timer, jiffies + period(rate));
}

void esptun_dummy_init(struct esptun_sa *sa)
{
	timer_setup(&sa->dummy.timer, dummy_fire, 0);
}

void esptun_dummy_set(struct esptun_sa *sa, u32 rate)
{
	lockdep_assert_held(&sa->link->en->lock);
	WRITE_ONCE(sa->dummy.rate, rate);
	if (rate)
		mod_timer(&sa->dummy.timer, jiffies + period(rate));
	else
		timer_delete_sync(&sa->dummy.timer);
}

void esptun_dummy_stop(struct esptun_sa *sa)
{
	lockdep_assert_held(&sa->link->en->lock);
	WRITE_ONCE(sa->dummy.rate, 0);
	timer_shutdown_sync(&sa->dummy.timer);
}
