// SPDX-License-Identifier: GPL-2.0
/* Lockless transmit is a device bit, not a feature: 6.12. */
#include <linux/netdevice.h>

void probe(struct net_device *dev);

void probe(struct net_device *dev)
{
	dev->lltx = true;
}
