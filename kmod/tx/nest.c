// SPDX-License-Identifier: GPL-2.0
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include "tx/nest.h"

/*
 * The one entered last. On PREEMPT_RT, tasks with bottom halves off stay on their
 * CPU but may preempt one another: each looks at its own only.
 */
static DEFINE_PER_CPU(struct esptun_nest *, innermost);

struct esptun_nest_place esptun_nest_find(const struct esptun_sa *sa)
{
	struct esptun_nest_place place = {};
	const struct esptun_nest *nest;

	preempt_disable();
	for (nest = __this_cpu_read(innermost); nest; nest = nest->up) {
		if (nest->task != current)
			continue;
		if (!place.frames++)
			place.depth = nest->depth;
		place.loop |= nest->sa == sa;
	}
	preempt_enable();
	return place;
}

void esptun_nest_enter(struct esptun_nest *nest, const struct esptun_sa *sa,
		       unsigned int depth)
{
	nest->task = current;
	nest->sa = sa;
	nest->depth = depth;
	preempt_disable();
	nest->up = __this_cpu_read(innermost);
	__this_cpu_write(innermost, nest);
	preempt_enable();
}

void esptun_nest_leave(struct esptun_nest *nest)
{
	struct esptun_nest **at;

	preempt_disable();
	for (at = this_cpu_ptr(&innermost); *at != nest; at = &(*at)->up)
		;
	*at = nest->up;
	preempt_enable();
}
