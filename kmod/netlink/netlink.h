/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The generic netlink family: requests in netlink.c, dumps in netlink-dump.c,
 * events and the IKE channel in notify.c; the attributes of objects, both ways, by
 * tables (netlink-attr.h) in netlink-peer.c, netlink-sa.c and netlink-ike.c.
 */
#ifndef ESPTUN_NETLINK_H
#define ESPTUN_NETLINK_H

#include <net/genetlink.h>

struct esptun_link;

extern struct genl_family esptun_nl_family;

/*
 * Offer the family and watch for agents that die. After the pernet state
 * (esptun_dev_module_init()) exists; undone before it goes. Process context.
 */
int esptun_netlink_module_init(void);
void esptun_netlink_module_exit(void);

/*
 * What generic netlink should have checked, as strictly as it would: it frees
 * what it refuses without giving us a chance to wipe the keys.
 */
int esptun_netlink_check_policy(const struct genlmsghdr *hdr,
				struct netlink_ext_ack *extack);

/*
 * The link of the asker's netns with this index, locked as by esptun_dev_lock();
 * or an error, and extack is told: -ENODEV, -EPERM.
 */
struct esptun_link *esptun_netlink_lock(struct sk_buff *request,
					const struct nlattr *ifindex,
					struct netlink_ext_ack *extack);

/* A link in the asker's netns may have been made where the asker has no say. */
bool esptun_netlink_may_ask(struct sk_buff *request,
			    const struct esptun_link *link);

#endif /* ESPTUN_NETLINK_H */
