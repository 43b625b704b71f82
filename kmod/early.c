// SPDX-License-Identifier: GPL-2.0
#include <linux/atomic.h>
#include <linux/errno.h>
#include <linux/jiffies.h>
#include <linux/lockdep.h>
#include "early.h"
#include "limits.h"

/* Memory that the early packets of all SAs of all namespaces take. */
static atomic_t all_truesize;

void esptun_early_init(struct esptun_early *early)
{
	skb_queue_head_init(&early->packets);
	early->truesize = 0;
	early->over = false;
}

bool esptun_early_full(const struct esptun_early *early)
{
	return skb_queue_len_lockless(&early->packets) >= ESPTUN_EARLY_ONE ||
	       READ_ONCE(early->truesize) >= ESPTUN_EARLY_SIZE ||
	       atomic_read(&all_truesize) >= ESPTUN_EARLY_MAX;
}

/* For all SAs. Return: whether there was room. */
static bool charge(unsigned int truesize)
{
	if (atomic_add_return(truesize, &all_truesize) <= ESPTUN_EARLY_MAX)
		return true;
	atomic_sub(truesize, &all_truesize);
	return false;
}

int esptun_early_add(struct esptun_early *early, struct sk_buff *skb)
{
	int err = 0;

	spin_lock(&early->packets.lock);
	if (early->over) {
		err = -ESTALE;
	} else if (skb_queue_len(&early->packets) >= ESPTUN_EARLY_ONE ||
		   early->truesize + skb->truesize > ESPTUN_EARLY_SIZE ||
		   !charge(skb->truesize)) {
		err = -ENOBUFS;
	} else {
		WRITE_ONCE(early->truesize, early->truesize + skb->truesize);
		__skb_queue_tail(&early->packets, skb);
	}
	spin_unlock(&early->packets.lock);
	return err;
}

void esptun_early_take(struct esptun_early *early, unsigned long age,
		       struct sk_buff_head *list)
{
	struct sk_buff *skb;

	lockdep_assert_held(&early->packets.lock);
	while ((skb = skb_peek(&early->packets)) &&
	       (!age ||
		time_after_eq(jiffies, esptun_early_cb(skb)->since + age))) {
		__skb_unlink(skb, &early->packets);
		WRITE_ONCE(early->truesize, early->truesize - skb->truesize);
		atomic_sub(skb->truesize, &all_truesize);
		__skb_queue_tail(list, skb);
	}
}
