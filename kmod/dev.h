/* SPDX-License-Identifier: GPL-2.0 */
/* The link kind: rtnetlink, netdevice operations, netns life cycle. */
#ifndef ESPTUN_DEV_H
#define ESPTUN_DEV_H

#include "link.h"

int esptun_dev_module_init(void);
void esptun_dev_module_exit(void);

/* State of a netns, valid while the netns is. */
struct esptun_net *esptun_dev_net(const struct net *net);

/* Is a device, of any namespace, a link of ours? */
bool esptun_dev_is_link(const struct net_device *dev);

/**
 * esptun_dev_by_index - the link with this ifindex
 * @en: its creation netns; en->lock held
 * @ifindex: interface index, in whatever netns the device is now
 *
 * Two links moved away may have the same index: a link still in its creation
 * netns wins, and without one the index must be of one link only.
 *
 * Return: NULL if there is none. Valid until en->lock is released.
 */
struct esptun_link *esptun_dev_by_index(struct esptun_net *en, int ifindex);

#endif /* ESPTUN_DEV_H */
