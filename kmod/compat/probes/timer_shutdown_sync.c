// SPDX-License-Identifier: GPL-2.0
/* A timer can be stopped for good: 6.2. */
#include <linux/timer.h>

int probe(struct timer_list *timer);

int probe(struct timer_list *timer)
{
	return timer_shutdown_sync(timer);
}
