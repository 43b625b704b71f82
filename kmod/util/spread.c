// SPDX-License-Identifier: GPL-2.0
#include <linux/cpumask.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/sched/isolation.h>
#include <linux/spinlock.h>
#include <linux/tick.h>
#include <linux/topology.h>
#include <linux/workqueue.h>
#include "ablate.h"
#include "limits.h"
#include "util/spread.h"

/**
 * struct spread - of one CPU
 * @jobs: waiting, newest first
 * @n: how many of them were not finished
 * @work: does them
 * @worked: microseconds spent with jobs of others
 * @hint: who was picked last
 * @lock: one CPU at a time takes the sample below
 * @stamp: jiffies of the sample
 * @when: microseconds then
 * @idle: microseconds the CPU had been idle then
 * @worked_then: @worked then
 * @busy: it had little time between the last two samples
 * @free: it had time, or spent it on our jobs
 */
struct spread {
	struct llist_head jobs;
	atomic_t n;
	struct work_struct work;
	u32 worked;
	int hint;

	spinlock_t lock;
	unsigned long stamp;
	u32 when;
	u32 idle;
	u32 worked_then;
	bool busy;
	bool free;
};

static struct spread __percpu *spreads;
static struct workqueue_struct *spread_wq;

static u32 now_us(void)
{
	return ktime_to_us(ktime_get());
}

/* ---- doing ---- */

static void spread_work(struct work_struct *work)
{
	struct spread *s = container_of(work, struct spread, work);
	/* Only what is there now: later ones queue us again. */
	struct llist_node *next = llist_reverse_order(llist_del_all(&s->jobs));
	u32 since = now_us();

	while (next) {
		struct esptun_job *job =
			llist_entry(next, struct esptun_job, node);

		next = next->next;
		local_bh_disable();
		rcu_read_lock();
		job->run(job);
		rcu_read_unlock();
		atomic_dec(&s->n);
		local_bh_enable();
		cond_resched();
	}
	WRITE_ONCE(s->worked, s->worked + now_us() - since);
}

bool esptun_spread(int cpu, struct esptun_job *job)
{
	struct spread *s = per_cpu_ptr(spreads, cpu);

	if (atomic_read(&s->n) >= ESPTUN_SPREAD_MAX)
		return false;
	atomic_inc(&s->n);
	if (llist_add(&job->node, &s->jobs))
		queue_work_on(cpu, spread_wq, &s->work);
	return true;
}

void esptun_spread_drain(void)
{
	flush_workqueue(spread_wq);
}

/* ---- choosing ---- */

/*
 * Once in a jiffy: what did the CPU do since? Less than half idle is busy,
 * half of the time for others is free.
 */
static struct spread *sampled(int cpu)
{
	struct spread *s = per_cpu_ptr(spreads, cpu);
	u32 all, idle, worked;

	if (!time_after(jiffies, READ_ONCE(s->stamp)) ||
	    !spin_trylock(&s->lock))
		return s;
	WRITE_ONCE(s->stamp, jiffies);
	all = now_us() - s->when;
	idle = (u32)get_cpu_idle_time_us(cpu, NULL) - s->idle;
	worked = READ_ONCE(s->worked) - s->worked_then;
	WRITE_ONCE(s->busy, idle < all / 2);
	WRITE_ONCE(s->free, idle + worked > all / 2);
	s->when += all;
	s->idle += idle;
	s->worked_then += worked;
	spin_unlock(&s->lock);
	return s;
}

static bool has_time(int cpu)
{
	return cpu_online(cpu) && housekeeping_test_cpu(cpu, HK_TYPE_DOMAIN) &&
	       atomic_read(&per_cpu_ptr(spreads, cpu)->n) <
		       ESPTUN_SPREAD_DEPTH &&
	       READ_ONCE(sampled(cpu)->free);
}

int esptun_spread_pick(void)
{
	unsigned int tries = ESPTUN_SPREAD_TRIES;
	int cpu, own = smp_processor_id();
	struct spread *s;

	if (num_online_cpus() == 1 || esptun_ablate(ESPTUN_ABLATE_SPILL))
		return -1;
	s = sampled(own);
	if (!READ_ONCE(s->busy))
		return -1;
	for_each_cpu_wrap(cpu, cpumask_of_node(numa_node_id()), s->hint) {
		if (cpu == own)
			continue;
		s->hint = cpu;
		if (has_time(cpu))
			return cpu;
		if (!--tries)
			break;
	}
	return -1;
}

int esptun_spread_module_init(void)
{
	int cpu;

	spreads = alloc_percpu(struct spread);
	if (!spreads)
		return -ENOMEM;
	for_each_possible_cpu(cpu) {
		struct spread *s = per_cpu_ptr(spreads, cpu);

		init_llist_head(&s->jobs);
		INIT_WORK(&s->work, spread_work);
		spin_lock_init(&s->lock);
		s->stamp = jiffies;
		s->hint = cpu;
	}
	spread_wq = alloc_workqueue(ESPTUN_KIND "_spread",
				    WQ_HIGHPRI | WQ_PERCPU, 0);
	if (!spread_wq) {
		free_percpu(spreads);
		return -ENOMEM;
	}
	return 0;
}

void esptun_spread_module_exit(void)
{
	destroy_workqueue(spread_wq);
	free_percpu(spreads);
}
