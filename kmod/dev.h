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
 * esptun_dev_lock - find a link by index and lock it
 * @net: the netns of the request
 * @ifindex: interface index
 *
 * The link with this index in @net, wherever it was made; without one, the link
 * that was made in @net and has it in the netns it was moved to, if there is
 * only one such.
 *
 * Return: NULL, or the link with its en->lock held and a reference on its
 * netdevice, both until esptun_dev_unlock(). Process context, not under rtnl.
 */
struct esptun_link *esptun_dev_lock(struct net *net, int ifindex);

/**
 * esptun_dev_lock_guest - lock the next link that was made elsewhere
 * @net: the netns it is in now
 * @after: it has an index greater than this
 *
 * Return: as esptun_dev_lock(); the one with the lowest index.
 */
struct esptun_link *esptun_dev_lock_guest(struct net *net, int after);

void esptun_dev_unlock(struct esptun_link *link);

/*
 * A number that changes with every change to links, peers or SAs that a dump in
 * @net shows. Any context.
 */
unsigned int esptun_dev_generation(struct net *net);

#endif /* ESPTUN_DEV_H */
