/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Work that is done elsewhere: on another CPU, when this one has too much of
 * it, or on this one in process context, when its SIMD registers were taken
 * (we interrupted someone's SIMD section). A CPU is woken only when its queue
 * was empty.
 */
#ifndef ESPTUN_SPREAD_H
#define ESPTUN_SPREAD_H

#include <linux/llist.h>
#include <linux/types.h>

/**
 * struct esptun_job - part of what is to be done; the owner has the rest
 * @node: in the CPU's queue
 * @run: does it, and may free it: bottom halves off, in an RCU read side
 */
struct esptun_job {
	struct llist_node node;
	void (*run)(struct esptun_job *job);
};

int esptun_spread_module_init(void);
void esptun_spread_module_exit(void);

/**
 * esptun_spread_pick - is there a CPU that should do a batch instead of us?
 *
 * Bottom halves off. Return: a CPU that has time, if ours has had none lately;
 * -1 if the batch is best done here and now.
 */
int esptun_spread_pick(void);

/**
 * esptun_spread - have a job done soon
 * @cpu: result of esptun_spread_pick(), or our own
 * @job: @job->run is set
 *
 * Bottom halves off. Jobs of a CPU are begun in their order. Return: false if
 * too many are waiting; then nothing happened.
 */
bool esptun_spread(int cpu, struct esptun_job *job);

/**
 * esptun_spread_drain - wait until what is queued now was done
 *
 * For owners going away, after they stopped queueing. Process context, may
 * hold rtnl and esptun_net.lock.
 */
void esptun_spread_drain(void);

#endif /* ESPTUN_SPREAD_H */
