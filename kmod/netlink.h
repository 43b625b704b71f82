/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The generic netlink family: requests and dumps here, writing objects into
 * messages in netlink-put.c, reading them in netlink-parse.c, events and the
 * IKE channel in notify.c.
 */
#ifndef ESPTUN_NETLINK_H
#define ESPTUN_NETLINK_H

#include <net/genetlink.h>

extern struct genl_family esptun_nl_family;

/*
 * Offer the family and watch for agents that die. After the pernet state
 * (esptun_dev_module_init()) exists; undone before it goes. Process context.
 */
int esptun_netlink_module_init(void);
void esptun_netlink_module_exit(void);

#endif /* ESPTUN_NETLINK_H */
