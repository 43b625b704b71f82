// SPDX-License-Identifier: GPL-2.0
#include <linux/slab.h>
#include "alg/scratch.h"

DEFINE_PER_CPU(local_lock_t,
	       esptun_scratch_lock) = INIT_LOCAL_LOCK(esptun_scratch_lock);
DEFINE_PER_CPU(struct esptun_scratch *, esptun_scratches);

int esptun_scratch_module_init(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct esptun_scratch *s =
			kzalloc_node(sizeof(*s), GFP_KERNEL, cpu_to_node(cpu));

		if (!s) {
			esptun_scratch_module_exit();
			return -ENOMEM;
		}
		sg_init_table(s->sg, ARRAY_SIZE(s->sg));
		per_cpu(esptun_scratches, cpu) = s;
	}
	return 0;
}

void esptun_scratch_module_exit(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		kfree_sensitive(per_cpu(esptun_scratches, cpu));
		per_cpu(esptun_scratches, cpu) = NULL;
	}
}
