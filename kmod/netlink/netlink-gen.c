// SPDX-License-Identifier: GPL-2.0
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/esptun.yaml */
/* YNL-GEN kernel source */

#include <net/netlink.h>
#include <net/genetlink.h>

#include "netlink-gen.h"

#include <uapi/linux/esptun.h>

/* Common nested types */
const struct nla_policy esptun_ike_nl_policy[ESPTUN_IKE_A_DATA + 1] = {
	[ESPTUN_IKE_A_LOCAL_ADDRESS] = { .type = NLA_BINARY, },
	[ESPTUN_IKE_A_LOCAL_PORT] = { .type = NLA_U16, },
	[ESPTUN_IKE_A_REMOTE_ADDRESS] = { .type = NLA_BINARY, },
	[ESPTUN_IKE_A_REMOTE_PORT] = { .type = NLA_U16, },
	[ESPTUN_IKE_A_DATA] = { .type = NLA_BINARY, },
};

const struct nla_policy esptun_peer_nl_policy[ESPTUN_PEER_A_UDP_ZERO_CSUM6_RX + 1] = {
	[ESPTUN_PEER_A_ID] = { .type = NLA_U32, },
	[ESPTUN_PEER_A_REMOTE_ADDRESS] = { .type = NLA_BINARY, },
	[ESPTUN_PEER_A_REMOTE_PORT] = { .type = NLA_U16, },
	[ESPTUN_PEER_A_LOCAL_ADDRESS] = { .type = NLA_BINARY, },
	[ESPTUN_PEER_A_KEEPALIVE] = { .type = NLA_U32, },
	[ESPTUN_PEER_A_MAY_ROAM] = NLA_POLICY_MAX(NLA_U8, 1),
	[ESPTUN_PEER_A_RX_PACKETS] = { .type = NLA_U64, },
	[ESPTUN_PEER_A_RX_BYTES] = { .type = NLA_U64, },
	[ESPTUN_PEER_A_TX_PACKETS] = { .type = NLA_U64, },
	[ESPTUN_PEER_A_TX_BYTES] = { .type = NLA_U64, },
	[ESPTUN_PEER_A_LAST_RX] = { .type = NLA_U64, },
	[ESPTUN_PEER_A_LAST_TX] = { .type = NLA_U64, },
	[ESPTUN_PEER_A_KEEPALIVES] = { .type = NLA_U64, },
	[ESPTUN_PEER_A_MTU] = { .type = NLA_U32, },
	[ESPTUN_PEER_A_LEARNED_LOCAL_ADDRESS] = { .type = NLA_BINARY, },
	[ESPTUN_PEER_A_ON_DEMAND] = NLA_POLICY_MAX(NLA_U8, 1),
	[ESPTUN_PEER_A_IDENTITY] = { .type = NLA_BINARY, },
	[ESPTUN_PEER_A_ENCAP] = NLA_POLICY_MAX(NLA_U8, 1),
	[ESPTUN_PEER_A_TOS] = { .type = NLA_U16, },
	[ESPTUN_PEER_A_TTL] = { .type = NLA_U16, },
	[ESPTUN_PEER_A_DF] = { .type = NLA_U16, },
	[ESPTUN_PEER_A_FLOW_LABEL] = { .type = NLA_U16, },
	[ESPTUN_PEER_A_UDP_ZERO_CSUM6_TX] = NLA_POLICY_MAX(NLA_U8, 1),
	[ESPTUN_PEER_A_UDP_ZERO_CSUM6_RX] = NLA_POLICY_MAX(NLA_U8, 1),
};

const struct nla_policy esptun_sa_nl_policy[ESPTUN_SA_A_NAT_OA_REMOTE + 1] = {
	[ESPTUN_SA_A_SPI] = { .type = NLA_U32, },
	[ESPTUN_SA_A_DIR] = NLA_POLICY_MAX(NLA_U8, 1),
	[ESPTUN_SA_A_PEER] = { .type = NLA_U32, },
	[ESPTUN_SA_A_MODE] = NLA_POLICY_MAX(NLA_U8, 1),
	[ESPTUN_SA_A_ENCR] = { .type = NLA_U16, },
	[ESPTUN_SA_A_INTEG] = { .type = NLA_U16, },
	[ESPTUN_SA_A_ENCR_KEY] = { .type = NLA_BINARY, },
	[ESPTUN_SA_A_INTEG_KEY] = { .type = NLA_BINARY, },
	[ESPTUN_SA_A_ESN] = NLA_POLICY_MAX(NLA_U8, 1),
	[ESPTUN_SA_A_REPLAY_WINDOW] = { .type = NLA_U32, },
	[ESPTUN_SA_A_TS_LOCAL] = NLA_POLICY_NESTED(esptun_ts_nl_policy),
	[ESPTUN_SA_A_TS_REMOTE] = NLA_POLICY_NESTED(esptun_ts_nl_policy),
	[ESPTUN_SA_A_SOFT_BYTES] = { .type = NLA_U64, },
	[ESPTUN_SA_A_HARD_BYTES] = { .type = NLA_U64, },
	[ESPTUN_SA_A_SOFT_PACKETS] = { .type = NLA_U64, },
	[ESPTUN_SA_A_HARD_PACKETS] = { .type = NLA_U64, },
	[ESPTUN_SA_A_STATE] = NLA_POLICY_MAX(NLA_U8, 3),
	[ESPTUN_SA_A_DRIVER] = { .type = NLA_NUL_STRING, },
	[ESPTUN_SA_A_SEQ] = { .type = NLA_U64, },
	[ESPTUN_SA_A_PACKETS] = { .type = NLA_U64, },
	[ESPTUN_SA_A_BYTES] = { .type = NLA_U64, },
	[ESPTUN_SA_A_AGE] = { .type = NLA_U64, },
	[ESPTUN_SA_A_LAST_USED] = { .type = NLA_U64, },
	[ESPTUN_SA_A_STATS] = NLA_POLICY_NESTED(esptun_stats_nl_policy),
	[ESPTUN_SA_A_KEY_LEN] = { .type = NLA_U16, },
	[ESPTUN_SA_A_SOFT_TIME] = { .type = NLA_U64, },
	[ESPTUN_SA_A_HARD_TIME] = { .type = NLA_U64, },
	[ESPTUN_SA_A_SOFT_USE_TIME] = { .type = NLA_U64, },
	[ESPTUN_SA_A_HARD_USE_TIME] = { .type = NLA_U64, },
	[ESPTUN_SA_A_CPU] = { .type = NLA_U32, },
	[ESPTUN_SA_A_TFC] = { .type = NLA_U32, },
	[ESPTUN_SA_A_DUMMY] = { .type = NLA_U32, },
	[ESPTUN_SA_A_NAT_OA_LOCAL] = { .type = NLA_BINARY, },
	[ESPTUN_SA_A_NAT_OA_REMOTE] = { .type = NLA_BINARY, },
};

const struct nla_policy esptun_stats_nl_policy[ESPTUN_STATS_A_RX_ICMP_REFUSED + 1] = {
	[ESPTUN_STATS_A_RX_KEEPALIVE] = { .type = NLA_U64, },
	[ESPTUN_STATS_A_RX_IKE] = { .type = NLA_U64, },
	[ESPTUN_STATS_A_RX_DUMMY] = { .type = NLA_U64, },
	[ESPTUN_STATS_A_RX_IKE_NO_AGENT] = { .type = NLA_U64, },
	[ESPTUN_STATS_A_RX_IKE_LIMITED] = { .type = NLA_U64, },
	[ESPTUN_STATS_A_RX_TRUNCATED] = { .type = NLA_U64, },
	[ESPTUN_STATS_A_RX_NO_SA] = { .type = NLA_U64, },
	[ESPTUN_STATS_A_RX_REPLAY] = { .type = NLA_U64, },
	[ESPTUN_STATS_A_RX_AUTH] = { .type = NLA_U64, },
	[ESPTUN_STATS_A_RX_PADDING] = { .type = NLA_U64, },
	[ESPTUN_STATS_A_RX_NEXT_HEADER] = { .type = NLA_U64, },
	[ESPTUN_STATS_A_RX_INNER] = { .type = NLA_U64, },
	[ESPTUN_STATS_A_RX_ECN] = { .type = NLA_U64, },
	[ESPTUN_STATS_A_RX_TS] = { .type = NLA_U64, },
	[ESPTUN_STATS_A_RX_EXPIRED] = { .type = NLA_U64, },
	[ESPTUN_STATS_A_RX_LINK_DOWN] = { .type = NLA_U64, },
	[ESPTUN_STATS_A_RX_NOMEM] = { .type = NLA_U64, },
	[ESPTUN_STATS_A_TX_NO_SA] = { .type = NLA_U64, },
	[ESPTUN_STATS_A_TX_HELD] = { .type = NLA_U64, },
	[ESPTUN_STATS_A_TX_MALFORMED] = { .type = NLA_U64, },
	[ESPTUN_STATS_A_TX_TOO_BIG] = { .type = NLA_U64, },
	[ESPTUN_STATS_A_TX_NO_ROUTE] = { .type = NLA_U64, },
	[ESPTUN_STATS_A_TX_LOOP] = { .type = NLA_U64, },
	[ESPTUN_STATS_A_TX_EXPIRED] = { .type = NLA_U64, },
	[ESPTUN_STATS_A_TX_SEQUENCE] = { .type = NLA_U64, },
	[ESPTUN_STATS_A_TX_CRYPTO] = { .type = NLA_U64, },
	[ESPTUN_STATS_A_TX_NOMEM] = { .type = NLA_U64, },
	[ESPTUN_STATS_A_RX_OVERFLOW] = { .type = NLA_U64, },
	[ESPTUN_STATS_A_TX_OVERFLOW] = { .type = NLA_U64, },
	[ESPTUN_STATS_A_ROAM_REFUSED] = { .type = NLA_U64, },
	[ESPTUN_STATS_A_RX_IKE_TOO_LONG] = { .type = NLA_U64, },
	[ESPTUN_STATS_A_RX_TS_FRAGMENT] = { .type = NLA_U64, },
	[ESPTUN_STATS_A_TX_TS_FRAGMENT] = { .type = NLA_U64, },
	[ESPTUN_STATS_A_RX_LARVAL] = { .type = NLA_U64, },
	[ESPTUN_STATS_A_RX_ZERO_CSUM6] = { .type = NLA_U64, },
	[ESPTUN_STATS_A_TX_DUMMY] = { .type = NLA_U64, },
	[ESPTUN_STATS_A_RX_BACKLOG] = { .type = NLA_U64, },
	[ESPTUN_STATS_A_RX_ICMP_REFUSED] = { .type = NLA_U64, },
};

const struct nla_policy esptun_ts_nl_policy[ESPTUN_TS_A_PORT_END + 1] = {
	[ESPTUN_TS_A_ADDRESS] = { .type = NLA_BINARY, },
	[ESPTUN_TS_A_PREFIX_LEN] = { .type = NLA_U8, },
	[ESPTUN_TS_A_PROTOCOL] = { .type = NLA_U8, },
	[ESPTUN_TS_A_PORT_START] = { .type = NLA_U16, },
	[ESPTUN_TS_A_PORT_END] = { .type = NLA_U16, },
};

/* Global operation policy for esptun */
const struct nla_policy esptun_nl_policy[ESPTUN_A_SHOW_KEYS + 1] = {
	[ESPTUN_A_IFINDEX] = { .type = NLA_U32, },
	[ESPTUN_A_PEER] = NLA_POLICY_NESTED(esptun_peer_nl_policy),
	[ESPTUN_A_SA] = NLA_POLICY_NESTED(esptun_sa_nl_policy),
	[ESPTUN_A_IKE] = NLA_POLICY_NESTED(esptun_ike_nl_policy),
	[ESPTUN_A_SHOW_KEYS] = { .type = NLA_FLAG, },
};

/* Ops table for esptun */
const struct genl_small_ops esptun_nl_ops[14] = {
	{
		.cmd		= ESPTUN_CMD_PEER_NEW,
		.validate	= GENL_DONT_VALIDATE_STRICT,
		.doit		= esptun_nl_peer_new_doit,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= ESPTUN_CMD_PEER_SET,
		.validate	= GENL_DONT_VALIDATE_STRICT,
		.doit		= esptun_nl_peer_set_doit,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= ESPTUN_CMD_PEER_DEL,
		.validate	= GENL_DONT_VALIDATE_STRICT,
		.doit		= esptun_nl_peer_del_doit,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= ESPTUN_CMD_PEER_GET,
		.validate	= GENL_DONT_VALIDATE_STRICT | GENL_DONT_VALIDATE_DUMP_STRICT,
		.doit		= esptun_nl_peer_get_doit,
		.dumpit		= esptun_nl_peer_get_dumpit,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= ESPTUN_CMD_SA_NEW,
		.validate	= GENL_DONT_VALIDATE_STRICT,
		.doit		= esptun_nl_sa_new_doit,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= ESPTUN_CMD_SA_SET,
		.validate	= GENL_DONT_VALIDATE_STRICT,
		.doit		= esptun_nl_sa_set_doit,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= ESPTUN_CMD_SA_DEL,
		.validate	= GENL_DONT_VALIDATE_STRICT,
		.doit		= esptun_nl_sa_del_doit,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= ESPTUN_CMD_SA_GET,
		.validate	= GENL_DONT_VALIDATE_STRICT | GENL_DONT_VALIDATE_DUMP_STRICT,
		.doit		= esptun_nl_sa_get_doit,
		.dumpit		= esptun_nl_sa_get_dumpit,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= ESPTUN_CMD_SPI_ALLOC,
		.validate	= GENL_DONT_VALIDATE_STRICT,
		.doit		= esptun_nl_spi_alloc_doit,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= ESPTUN_CMD_FLUSH,
		.validate	= GENL_DONT_VALIDATE_STRICT,
		.doit		= esptun_nl_flush_doit,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= ESPTUN_CMD_STATS_GET,
		.validate	= GENL_DONT_VALIDATE_DUMP_STRICT,
		.dumpit		= esptun_nl_stats_get_dumpit,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= ESPTUN_CMD_IKE_BIND,
		.validate	= GENL_DONT_VALIDATE_STRICT,
		.doit		= esptun_nl_ike_bind_doit,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd		= ESPTUN_CMD_IKE_SEND,
		.validate	= GENL_DONT_VALIDATE_STRICT,
		.doit		= esptun_nl_ike_send_doit,
		.flags		= GENL_UNS_ADMIN_PERM,
	},
	{
		.cmd	= ESPTUN_CMD_ALGO_GET,
		.dumpit	= esptun_nl_algo_get_dumpit,
		.flags	= GENL_UNS_ADMIN_PERM,
	},
};

const struct genl_multicast_group esptun_nl_mcgrps[1] = {
	[ESPTUN_NLGRP_EVENTS] = { "events", },
};
