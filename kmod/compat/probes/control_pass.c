// SPDX-License-Identifier: GPL-2.0
/* Control: must compile. */
#include <linux/module.h>
#include <linux/netdevice.h>

unsigned int probe(struct net_device *dev);

unsigned int probe(struct net_device *dev)
{
	return dev->mtu;
}
