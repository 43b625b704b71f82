// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The attribute sets of Documentation/netlink/specs/esptun.yaml as the library
 * sees them: bounds for decoding, names for error text.
 */
#include <linux/if_link.h>

#include "lib/internal.h"

#define ADDR_MAX 16

#define U8 .type = NLA_U8
#define U16 .type = NLA_U16
#define U32 .type = NLA_U32
#define U64 .type = NLA_U64
#define NEST .type = NLA_NESTED
#define STRING .type = NLA_STRING
#define ADDR .type = NLA_UNSPEC, .maxlen = ADDR_MAX
#define IDENTITY .type = NLA_UNSPEC, .maxlen = ESPTUN_PEER_IDENTITY_MAX
#define KEY .type = NLA_UNSPEC, .maxlen = ESPTUN_KEY_MAX

#define SET(id, nests)                                                          \
	const struct attr_set esptun_attrs_##id = {                             \
		.name = id##_name,                                              \
		.policy = id##_policy,                                          \
		.nested = nests,                                                \
		.max = (int)(sizeof(id##_policy) / sizeof(id##_policy[0])) - 1, \
	};                                                                      \
	_Static_assert(sizeof(id##_name) / sizeof(id##_name[0]) ==              \
			       sizeof(id##_policy) / sizeof(id##_policy[0]),    \
		       "a name for each policy row")

/* -- peer -- */

static const char *const peer_name[ESPTUN_PEER_A_MAX + 1] = {
	[ESPTUN_PEER_A_ID] = "id",
	[ESPTUN_PEER_A_REMOTE_ADDRESS] = "remote-address",
	[ESPTUN_PEER_A_REMOTE_PORT] = "remote-port",
	[ESPTUN_PEER_A_LOCAL_ADDRESS] = "local-address",
	[ESPTUN_PEER_A_KEEPALIVE] = "keepalive",
	[ESPTUN_PEER_A_MAY_ROAM] = "may-roam",
	[ESPTUN_PEER_A_RX_PACKETS] = "rx-packets",
	[ESPTUN_PEER_A_RX_BYTES] = "rx-bytes",
	[ESPTUN_PEER_A_TX_PACKETS] = "tx-packets",
	[ESPTUN_PEER_A_TX_BYTES] = "tx-bytes",
	[ESPTUN_PEER_A_LAST_RX] = "last-rx",
	[ESPTUN_PEER_A_LAST_TX] = "last-tx",
	[ESPTUN_PEER_A_KEEPALIVES] = "keepalives",
	[ESPTUN_PEER_A_MTU] = "mtu",
	[ESPTUN_PEER_A_LEARNED_LOCAL_ADDRESS] = "learned-local-address",
	[ESPTUN_PEER_A_ON_DEMAND] = "on-demand",
	[ESPTUN_PEER_A_IDENTITY] = "identity",
	[ESPTUN_PEER_A_ENCAP] = "encap",
	[ESPTUN_PEER_A_TOS] = "tos",
	[ESPTUN_PEER_A_TTL] = "ttl",
	[ESPTUN_PEER_A_DF] = "df",
	[ESPTUN_PEER_A_FLOW_LABEL] = "flow-label",
	[ESPTUN_PEER_A_UDP_ZERO_CSUM6_TX] = "udp-zero-csum6-tx",
	[ESPTUN_PEER_A_UDP_ZERO_CSUM6_RX] = "udp-zero-csum6-rx",
};

static const struct nla_policy peer_policy[ESPTUN_PEER_A_MAX + 1] = {
	[ESPTUN_PEER_A_ID] = { U32 },
	[ESPTUN_PEER_A_REMOTE_ADDRESS] = { ADDR },
	[ESPTUN_PEER_A_REMOTE_PORT] = { U16 },
	[ESPTUN_PEER_A_LOCAL_ADDRESS] = { ADDR },
	[ESPTUN_PEER_A_KEEPALIVE] = { U32 },
	[ESPTUN_PEER_A_MAY_ROAM] = { U8 },
	[ESPTUN_PEER_A_ON_DEMAND] = { U8 },
	[ESPTUN_PEER_A_RX_PACKETS] = { U64 },
	[ESPTUN_PEER_A_RX_BYTES] = { U64 },
	[ESPTUN_PEER_A_TX_PACKETS] = { U64 },
	[ESPTUN_PEER_A_TX_BYTES] = { U64 },
	[ESPTUN_PEER_A_LAST_RX] = { U64 },
	[ESPTUN_PEER_A_LAST_TX] = { U64 },
	[ESPTUN_PEER_A_KEEPALIVES] = { U64 },
	[ESPTUN_PEER_A_MTU] = { U32 },
	[ESPTUN_PEER_A_LEARNED_LOCAL_ADDRESS] = { ADDR },
	[ESPTUN_PEER_A_IDENTITY] = { IDENTITY },
	[ESPTUN_PEER_A_ENCAP] = { U8 },
	[ESPTUN_PEER_A_TOS] = { U16 },
	[ESPTUN_PEER_A_TTL] = { U16 },
	[ESPTUN_PEER_A_DF] = { U16 },
	[ESPTUN_PEER_A_FLOW_LABEL] = { U16 },
	[ESPTUN_PEER_A_UDP_ZERO_CSUM6_TX] = { U8 },
	[ESPTUN_PEER_A_UDP_ZERO_CSUM6_RX] = { U8 },
};

SET(peer, NULL);

/* -- traffic selector -- */

static const char *const ts_name[ESPTUN_TS_A_MAX + 1] = {
	[ESPTUN_TS_A_ADDRESS] = "address",   [ESPTUN_TS_A_PREFIX_LEN] = "prefix-len",
	[ESPTUN_TS_A_PROTOCOL] = "protocol", [ESPTUN_TS_A_PORT_START] = "port-start",
	[ESPTUN_TS_A_PORT_END] = "port-end",
};

static const struct nla_policy ts_policy[ESPTUN_TS_A_MAX + 1] = {
	[ESPTUN_TS_A_ADDRESS] = { ADDR }, [ESPTUN_TS_A_PREFIX_LEN] = { U8 },
	[ESPTUN_TS_A_PROTOCOL] = { U8 },  [ESPTUN_TS_A_PORT_START] = { U16 },
	[ESPTUN_TS_A_PORT_END] = { U16 },
};

SET(ts, NULL);

/* -- counters: names for users are in stats.c, the policy is uniform -- */

static const char *const stats_name[ESPTUN_STATS_A_MAX + 1] = { NULL };

static const struct nla_policy stats_policy[ESPTUN_STATS_A_MAX + 1] = {
	[ESPTUN_STATS_A_PAD + 1 ... ESPTUN_STATS_A_MAX] = { U64 },
};

SET(stats, NULL);

/* -- SA -- */

static const char *const sa_name[ESPTUN_SA_A_MAX + 1] = {
	[ESPTUN_SA_A_SPI] = "spi",
	[ESPTUN_SA_A_DIR] = "dir",
	[ESPTUN_SA_A_PEER] = "peer",
	[ESPTUN_SA_A_MODE] = "mode",
	[ESPTUN_SA_A_ENCR] = "encr",
	[ESPTUN_SA_A_INTEG] = "integ",
	[ESPTUN_SA_A_ENCR_KEY] = "encr-key",
	[ESPTUN_SA_A_INTEG_KEY] = "integ-key",
	[ESPTUN_SA_A_ESN] = "esn",
	[ESPTUN_SA_A_REPLAY_WINDOW] = "replay-window",
	[ESPTUN_SA_A_CPU] = "cpu",
	[ESPTUN_SA_A_TS_LOCAL] = "ts-local",
	[ESPTUN_SA_A_TS_REMOTE] = "ts-remote",
	[ESPTUN_SA_A_SOFT_BYTES] = "soft-bytes",
	[ESPTUN_SA_A_HARD_BYTES] = "hard-bytes",
	[ESPTUN_SA_A_SOFT_PACKETS] = "soft-packets",
	[ESPTUN_SA_A_HARD_PACKETS] = "hard-packets",
	[ESPTUN_SA_A_STATE] = "state",
	[ESPTUN_SA_A_DRIVER] = "driver",
	[ESPTUN_SA_A_SEQ] = "seq",
	[ESPTUN_SA_A_PACKETS] = "packets",
	[ESPTUN_SA_A_BYTES] = "bytes",
	[ESPTUN_SA_A_AGE] = "age",
	[ESPTUN_SA_A_LAST_USED] = "last-used",
	[ESPTUN_SA_A_STATS] = "stats",
	[ESPTUN_SA_A_KEY_LEN] = "key-len",
	[ESPTUN_SA_A_SOFT_TIME] = "soft-time",
	[ESPTUN_SA_A_HARD_TIME] = "hard-time",
	[ESPTUN_SA_A_SOFT_USE_TIME] = "soft-use-time",
	[ESPTUN_SA_A_HARD_USE_TIME] = "hard-use-time",
	[ESPTUN_SA_A_TFC] = "tfc",
	[ESPTUN_SA_A_DUMMY] = "dummy",
	[ESPTUN_SA_A_NAT_OA_LOCAL] = "nat-oa-local",
	[ESPTUN_SA_A_NAT_OA_REMOTE] = "nat-oa-remote",
};

static const struct nla_policy sa_policy[ESPTUN_SA_A_MAX + 1] = {
	[ESPTUN_SA_A_SPI] = { U32 },
	[ESPTUN_SA_A_DIR] = { U8 },
	[ESPTUN_SA_A_PEER] = { U32 },
	[ESPTUN_SA_A_MODE] = { U8 },
	[ESPTUN_SA_A_ENCR] = { U16 },
	[ESPTUN_SA_A_INTEG] = { U16 },
	[ESPTUN_SA_A_ENCR_KEY] = { KEY },
	[ESPTUN_SA_A_INTEG_KEY] = { KEY },
	[ESPTUN_SA_A_ESN] = { U8 },
	[ESPTUN_SA_A_REPLAY_WINDOW] = { U32 },
	[ESPTUN_SA_A_CPU] = { U32 },
	[ESPTUN_SA_A_TS_LOCAL] = { NEST },
	[ESPTUN_SA_A_TS_REMOTE] = { NEST },
	[ESPTUN_SA_A_SOFT_BYTES] = { U64 },
	[ESPTUN_SA_A_HARD_BYTES] = { U64 },
	[ESPTUN_SA_A_SOFT_PACKETS] = { U64 },
	[ESPTUN_SA_A_HARD_PACKETS] = { U64 },
	[ESPTUN_SA_A_STATE] = { U8 },
	[ESPTUN_SA_A_DRIVER] = { STRING },
	[ESPTUN_SA_A_SEQ] = { U64 },
	[ESPTUN_SA_A_PACKETS] = { U64 },
	[ESPTUN_SA_A_BYTES] = { U64 },
	[ESPTUN_SA_A_AGE] = { U64 },
	[ESPTUN_SA_A_LAST_USED] = { U64 },
	[ESPTUN_SA_A_STATS] = { NEST },
	[ESPTUN_SA_A_KEY_LEN] = { U16 },
	[ESPTUN_SA_A_SOFT_TIME] = { U64 },
	[ESPTUN_SA_A_HARD_TIME] = { U64 },
	[ESPTUN_SA_A_SOFT_USE_TIME] = { U64 },
	[ESPTUN_SA_A_HARD_USE_TIME] = { U64 },
	[ESPTUN_SA_A_TFC] = { U32 },
	[ESPTUN_SA_A_DUMMY] = { U32 },
	[ESPTUN_SA_A_NAT_OA_LOCAL] = { ADDR },
	[ESPTUN_SA_A_NAT_OA_REMOTE] = { ADDR },
};

static const struct attr_set *const sa_nested[ESPTUN_SA_A_MAX + 1] = {
	[ESPTUN_SA_A_TS_LOCAL] = &esptun_attrs_ts,
	[ESPTUN_SA_A_TS_REMOTE] = &esptun_attrs_ts,
	[ESPTUN_SA_A_STATS] = &esptun_attrs_stats,
};

SET(sa, sa_nested);

/* -- IKE datagram -- */

static const char *const ike_name[ESPTUN_IKE_A_MAX + 1] = {
	[ESPTUN_IKE_A_LOCAL_ADDRESS] = "local-address",
	[ESPTUN_IKE_A_LOCAL_PORT] = "local-port",
	[ESPTUN_IKE_A_REMOTE_ADDRESS] = "remote-address",
	[ESPTUN_IKE_A_REMOTE_PORT] = "remote-port",
	[ESPTUN_IKE_A_DATA] = "data",
};

static const struct nla_policy ike_policy[ESPTUN_IKE_A_MAX + 1] = {
	[ESPTUN_IKE_A_LOCAL_ADDRESS] = { ADDR },
	[ESPTUN_IKE_A_LOCAL_PORT] = { U16 },
	[ESPTUN_IKE_A_REMOTE_ADDRESS] = { ADDR },
	[ESPTUN_IKE_A_REMOTE_PORT] = { U16 },
	[ESPTUN_IKE_A_DATA] = { .type = NLA_UNSPEC, .maxlen = ESPTUN_IKE_MAX },
};

SET(ike, NULL);

/* -- flow of an acquire -- */

static const char *const flow_name[ESPTUN_FLOW_A_MAX + 1] = {
	[ESPTUN_FLOW_A_SOURCE] = "source",
	[ESPTUN_FLOW_A_DESTINATION] = "destination",
	[ESPTUN_FLOW_A_PROTOCOL] = "protocol",
	[ESPTUN_FLOW_A_SOURCE_PORT] = "source-port",
	[ESPTUN_FLOW_A_DESTINATION_PORT] = "destination-port",
	[ESPTUN_FLOW_A_CPU] = "cpu",
};

static const struct nla_policy flow_policy[ESPTUN_FLOW_A_MAX + 1] = {
	[ESPTUN_FLOW_A_SOURCE] = { ADDR },	    [ESPTUN_FLOW_A_DESTINATION] = { ADDR },
	[ESPTUN_FLOW_A_PROTOCOL] = { U8 },	    [ESPTUN_FLOW_A_SOURCE_PORT] = { U16 },
	[ESPTUN_FLOW_A_DESTINATION_PORT] = { U16 }, [ESPTUN_FLOW_A_CPU] = { U32 },
};

SET(flow, NULL);

/* -- algorithm -- */

static const char *const algo_name[ESPTUN_ALGO_A_MAX + 1] = {
	[ESPTUN_ALGO_A_TYPE] = "type",	       [ESPTUN_ALGO_A_ID] = "id",
	[ESPTUN_ALGO_A_NAME] = "name",	       [ESPTUN_ALGO_A_XFRM_NAME] = "xfrm-name",
	[ESPTUN_ALGO_A_CLASS] = "class",       [ESPTUN_ALGO_A_STATE] = "state",
	[ESPTUN_ALGO_A_DRIVER] = "driver",     [ESPTUN_ALGO_A_KEY_LEN] = "key-len",
	[ESPTUN_ALGO_A_SALT_LEN] = "salt-len", [ESPTUN_ALGO_A_IV_LEN] = "iv-len",
	[ESPTUN_ALGO_A_ICV_LEN] = "icv-len",   [ESPTUN_ALGO_A_ALIGN] = "align",
};

static const struct nla_policy algo_policy[ESPTUN_ALGO_A_MAX + 1] = {
	[ESPTUN_ALGO_A_TYPE] = { U8 },	     [ESPTUN_ALGO_A_ID] = { U16 },
	[ESPTUN_ALGO_A_NAME] = { STRING },   [ESPTUN_ALGO_A_XFRM_NAME] = { STRING },
	[ESPTUN_ALGO_A_CLASS] = { U8 },	     [ESPTUN_ALGO_A_STATE] = { U8 },
	[ESPTUN_ALGO_A_DRIVER] = { STRING }, [ESPTUN_ALGO_A_KEY_LEN] = { U16 },
	[ESPTUN_ALGO_A_SALT_LEN] = { U8 },   [ESPTUN_ALGO_A_IV_LEN] = { U8 },
	[ESPTUN_ALGO_A_ICV_LEN] = { U8 },    [ESPTUN_ALGO_A_ALIGN] = { U8 },
};

SET(algo, NULL);

/* -- top level -- */

static const char *const esptun_name[ESPTUN_A_MAX + 1] = {
	[ESPTUN_A_IFINDEX] = "ifindex",
	[ESPTUN_A_PEER] = "peer",
	[ESPTUN_A_SA] = "sa",
	[ESPTUN_A_IKE] = "ike",
	[ESPTUN_A_STATS] = "stats",
	[ESPTUN_A_FLOW] = "flow",
	[ESPTUN_A_EXPIRE_REASON] = "expire-reason",
	[ESPTUN_A_SHOW_KEYS] = "show-keys",
	[ESPTUN_A_IFNAME] = "ifname",
	[ESPTUN_A_NETNSID] = "netnsid",
	[ESPTUN_A_ALGO] = "algo",
};

static const struct nla_policy esptun_policy[ESPTUN_A_MAX + 1] = {
	[ESPTUN_A_IFINDEX] = { U32 },	   [ESPTUN_A_PEER] = { NEST },
	[ESPTUN_A_SA] = { NEST },	   [ESPTUN_A_IKE] = { NEST },
	[ESPTUN_A_STATS] = { NEST },	   [ESPTUN_A_FLOW] = { NEST },
	[ESPTUN_A_EXPIRE_REASON] = { U8 }, [ESPTUN_A_SHOW_KEYS] = { .type = NLA_UNSPEC },
	[ESPTUN_A_IFNAME] = { STRING },	   [ESPTUN_A_NETNSID] = { U32 },
	[ESPTUN_A_ALGO] = { NEST },
};

static const struct attr_set *const esptun_nested[ESPTUN_A_MAX + 1] = {
	[ESPTUN_A_PEER] = &esptun_attrs_peer, [ESPTUN_A_SA] = &esptun_attrs_sa,
	[ESPTUN_A_IKE] = &esptun_attrs_ike,   [ESPTUN_A_STATS] = &esptun_attrs_stats,
	[ESPTUN_A_FLOW] = &esptun_attrs_flow, [ESPTUN_A_ALGO] = &esptun_attrs_algo,
};

SET(esptun, esptun_nested);

/* -- rtnetlink: only what we send and read -- */

static const char *const link_name[IFLA_ESPTUN_MAX + 1] = {
	[IFLA_ESPTUN_LOCAL] = "local", [IFLA_ESPTUN_PORT] = "port", [IFLA_ESPTUN_FWMARK] = "fwmark",
	[IFLA_ESPTUN_TOS] = "tos",     [IFLA_ESPTUN_TTL] = "ttl",   [IFLA_ESPTUN_DEV] = "dev",
};

static const struct nla_policy link_policy[IFLA_ESPTUN_MAX + 1] = {
	[IFLA_ESPTUN_LOCAL] = { ADDR }, [IFLA_ESPTUN_PORT] = { U16 },
	[IFLA_ESPTUN_FWMARK] = { U32 }, [IFLA_ESPTUN_TOS] = { U8 },
	[IFLA_ESPTUN_TTL] = { U8 },	[IFLA_ESPTUN_DEV] = { U32 },
};

SET(link, NULL);

static const char *const linkinfo_name[IFLA_INFO_DATA + 1] = {
	[IFLA_INFO_KIND] = "kind",
	[IFLA_INFO_DATA] = "esptun",
};

static const struct nla_policy linkinfo_policy[IFLA_INFO_DATA + 1] = {
	[IFLA_INFO_KIND] = { STRING },
	[IFLA_INFO_DATA] = { NEST },
};

static const struct attr_set *const linkinfo_nested[IFLA_INFO_DATA + 1] = {
	[IFLA_INFO_DATA] = &esptun_attrs_link,
};

SET(linkinfo, linkinfo_nested);

static const char *const ifinfo_name[IFLA_LINKINFO + 1] = {
	[IFLA_IFNAME] = "name",
	[IFLA_MTU] = "mtu",
	[IFLA_OPERSTATE] = "operstate",
	[IFLA_LINKINFO] = "linkinfo",
};

static const struct nla_policy ifinfo_policy[IFLA_LINKINFO + 1] = {
	[IFLA_IFNAME] = { .type = NLA_STRING, .maxlen = IFNAMSIZ },
	[IFLA_MTU] = { U32 },
	[IFLA_OPERSTATE] = { U8 },
	[IFLA_LINKINFO] = { NEST },
};

static const struct attr_set *const ifinfo_nested[IFLA_LINKINFO + 1] = {
	[IFLA_LINKINFO] = &esptun_attrs_linkinfo,
};

SET(ifinfo, ifinfo_nested);
