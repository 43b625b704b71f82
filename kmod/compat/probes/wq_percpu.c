// SPDX-License-Identifier: GPL-2.0
/* A work queue that is not WQ_UNBOUND has to say so: 6.17. */
#include <linux/workqueue.h>

struct workqueue_struct *probe(void);

struct workqueue_struct *probe(void)
{
	return alloc_workqueue("probe", WQ_PERCPU, 0);
}
