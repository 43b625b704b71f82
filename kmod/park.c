// SPDX-License-Identifier: GPL-2.0
#include <linux/percpu.h>
#include <linux/workqueue.h>
#include "limits.h"
#include "park.h"

struct park {
	struct sk_buff_head queue;
	struct work_struct work;
};

struct park_cb {
	u8 owner[ESPTUN_PARK_CB];
	esptun_park_fn fn;
};

static struct park __percpu *parks;
static struct workqueue_struct *park_wq;

static struct park_cb *park_cb(struct sk_buff *skb)
{
	BUILD_BUG_ON(sizeof(struct park_cb) > sizeof(skb->cb));
	return (struct park_cb *)skb->cb;
}

static void park_work(struct work_struct *work)
{
	struct park *park = container_of(work, struct park, work);
	struct sk_buff_head list;
	struct sk_buff *skb;

	/* Only what is there now: should a packet be parked again, it waits. */
	__skb_queue_head_init(&list);
	spin_lock_bh(&park->queue.lock);
	skb_queue_splice_init(&park->queue, &list);
	spin_unlock_bh(&park->queue.lock);
	while ((skb = __skb_dequeue(&list))) {
		local_bh_disable();
		rcu_read_lock();
		park_cb(skb)->fn(skb);
		rcu_read_unlock();
		local_bh_enable();
	}
}

bool esptun_park(struct sk_buff *skb, esptun_park_fn fn)
{
	struct park *park = this_cpu_ptr(parks);

	if (skb_queue_len_lockless(&park->queue) >= ESPTUN_PARK_MAX)
		return false;
	park_cb(skb)->fn = fn;
	skb_queue_tail(&park->queue, skb);
	queue_work_on(smp_processor_id(), park_wq, &park->work);
	return true;
}

void esptun_park_drain(void)
{
	flush_workqueue(park_wq);
}

int esptun_park_module_init(void)
{
	int cpu;

	parks = alloc_percpu(struct park);
	if (!parks)
		return -ENOMEM;
	for_each_possible_cpu(cpu) {
		struct park *park = per_cpu_ptr(parks, cpu);

		skb_queue_head_init(&park->queue);
		INIT_WORK(&park->work, park_work);
	}
	park_wq = alloc_workqueue(ESPTUN_KIND "_park", WQ_HIGHPRI, 0);
	if (!park_wq) {
		free_percpu(parks);
		return -ENOMEM;
	}
	return 0;
}

void esptun_park_module_exit(void)
{
	destroy_workqueue(park_wq);
	free_percpu(parks);
}
