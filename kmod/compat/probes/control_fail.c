// SPDX-License-Identifier: GPL-2.0
/* Control: must not compile. */
#include <linux/module.h>
#include <linux/netdevice.h>

unsigned int probe(struct net_device *dev);

unsigned int probe(struct net_device *dev)
{
	return esptun_no_such_function(dev);
}
