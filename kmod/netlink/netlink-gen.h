/* SPDX-License-Identifier: GPL-2.0 */
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/esptun.yaml */
/* YNL-GEN kernel header */

#ifndef _LINUX_ESPTUN_GEN_H
#define _LINUX_ESPTUN_GEN_H

#include <net/netlink.h>
#include <net/genetlink.h>

#include <uapi/linux/esptun.h>

/* Common nested types */
extern const struct nla_policy esptun_ike_nl_policy[ESPTUN_IKE_A_DATA + 1];
extern const struct nla_policy esptun_peer_nl_policy[ESPTUN_PEER_A_UDP_ZERO_CSUM6_RX + 1];
extern const struct nla_policy esptun_sa_nl_policy[ESPTUN_SA_A_NAT_OA_REMOTE + 1];
extern const struct nla_policy esptun_stats_nl_policy[ESPTUN_STATS_A_RX_ICMP_REFUSED + 1];
extern const struct nla_policy esptun_ts_nl_policy[ESPTUN_TS_A_PORT_END + 1];

/* Global operation policy for esptun */
extern const struct nla_policy esptun_nl_policy[ESPTUN_A_SHOW_KEYS + 1];

/* Ops table for esptun */
extern const struct genl_small_ops esptun_nl_ops[14];
extern const struct genl_multicast_group esptun_nl_mcgrps[1];

int esptun_nl_peer_new_doit(struct sk_buff *skb, struct genl_info *info);
int esptun_nl_peer_set_doit(struct sk_buff *skb, struct genl_info *info);
int esptun_nl_peer_del_doit(struct sk_buff *skb, struct genl_info *info);
int esptun_nl_peer_get_doit(struct sk_buff *skb, struct genl_info *info);
int esptun_nl_peer_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int esptun_nl_sa_new_doit(struct sk_buff *skb, struct genl_info *info);
int esptun_nl_sa_set_doit(struct sk_buff *skb, struct genl_info *info);
int esptun_nl_sa_del_doit(struct sk_buff *skb, struct genl_info *info);
int esptun_nl_sa_get_doit(struct sk_buff *skb, struct genl_info *info);
int esptun_nl_sa_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int esptun_nl_spi_alloc_doit(struct sk_buff *skb, struct genl_info *info);
int esptun_nl_flush_doit(struct sk_buff *skb, struct genl_info *info);
int esptun_nl_stats_get_dumpit(struct sk_buff *skb,
			       struct netlink_callback *cb);
int esptun_nl_ike_bind_doit(struct sk_buff *skb, struct genl_info *info);
int esptun_nl_ike_send_doit(struct sk_buff *skb, struct genl_info *info);
int esptun_nl_algo_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);

enum {
	ESPTUN_NLGRP_EVENTS,
};

#endif /* _LINUX_ESPTUN_GEN_H */
