/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tunnels in one another. The outer packet of one may be the inner packet of
 * the next, sent on the same stack. Routes that lead through each other's links
 * would do so for ever, and with an order (order.h) in between not even as a
 * recursion that the stack of the kernel notices: so each outer packet on its
 * way down is known here, and a packet that waits or changes CPUs remembers how
 * deep it is.
 */
#ifndef ESPTUN_NEST_H
#define ESPTUN_NEST_H

#include <linux/types.h>

struct esptun_sa;
struct task_struct;

/**
 * struct esptun_nest - an outer packet on its way down; on the stack
 * @up: entered before, by this task or, on PREEMPT_RT, another
 * @task: the task, or the one that was interrupted
 * @sa: whose packet it is, or NULL: a packet whose way is taken up again
 * @depth: SAs the packet went through, @sa included
 */
struct esptun_nest {
	struct esptun_nest *up;
	const struct task_struct *task;
	const struct esptun_sa *sa;
	unsigned int depth;
};

/**
 * struct esptun_nest_place - where in the nest the caller is
 * @depth: SAs that what is sent now went through already
 * @frames: how many esptun_nest_enter() were called on this stack
 * @loop: one of them with the SA asked for
 */
struct esptun_nest_place {
	unsigned int depth;
	unsigned int frames;
	bool loop;
};

/* Between two packets going down. Bottom halves off, as for all of these. */
struct esptun_nest_place esptun_nest_find(const struct esptun_sa *sa);

/* Until esptun_nest_leave(), what is sent from this stack is deeper by @nest. */
void esptun_nest_enter(struct esptun_nest *nest, const struct esptun_sa *sa,
		       unsigned int depth);
void esptun_nest_leave(struct esptun_nest *nest);

#endif /* ESPTUN_NEST_H */
