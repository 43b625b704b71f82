// SPDX-License-Identifier: GPL-2.0
#include <linux/atomic.h>
#include <linux/errno.h>
#include <linux/jiffies.h>
#include <linux/lockdep.h>
#include "sa/early.h"
#include "limits.h"

/* Memory that the early packets of all SAs of all namespaces take. */
static atomic_t all_truesize;

void esptun_early_init(struct esptun_early *early, atomic_t *net_truesize)
{
	skb_queue_head_init(&early->packets);
	early->net_truesize = net_truesize;
	early->truesize = 0;
	early->over = false;
}

bool esptun_early_full(const struct esptun_early *early)
{
	return skb_queue_len_lockless(&early->packets) >= ESPTUN_EARLY_ONE ||
	       READ_ONCE(early->truesize) >= ESPTUN_EARLY_SIZE ||
	       atomic_read(early->net_truesize) >= ESPTUN_EARLY_NET ||
	       atomic_read(&all_truesize) >= ESPTUN_EARLY_MAX;
}

static void uncharge(struct esptun_early *early, unsigned int truesize)
{
	atomic_sub(truesize, early->net_truesize);
	atomic_sub(truesize, &all_truesize);
}

/* Return: whether its namespace, and all of them, had room. */
static bool charge(struct esptun_early *early, unsigned int truesize)
{
	int net = atomic_add_return(truesize, early->net_truesize);
	int all = atomic_add_return(truesize, &all_truesize);

	if (net <= ESPTUN_EARLY_NET && all <= ESPTUN_EARLY_MAX)
		return true;
	uncharge(early, truesize);
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
		   !charge(early, skb->truesize)) {
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
		uncharge(early, skb->truesize);
		__skb_queue_tail(list, skb);
	}
}
