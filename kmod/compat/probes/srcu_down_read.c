// SPDX-License-Identifier: GPL-2.0
/* A read side of SRCU may end in another context than it began in: 6.2. */
#include <linux/srcu.h>

int probe(struct srcu_struct *srcu);

int probe(struct srcu_struct *srcu)
{
	return srcu_down_read(srcu);
}
