// SPDX-License-Identifier: GPL-2.0
#include <net/genetlink.h>
#include "netlink/netlink-object.h"
#include "sa/peer.h"
#include "sa/timer.h"

/*
 * What messages say of a peer; what requests say is a part of it, which is all
 * that is left of what they are read into.
 */
struct peer_report {
	struct esptun_peer_params p;
	struct esptun_peer_totals t;
	u64 last_rx;
	u64 last_tx;
	u32 mtu;
};

/* Beside ESPTUN_PEER_* */
#define PEER_LAST_RX BIT(29)
#define PEER_LAST_TX BIT(30)
#define PEER_MTU BIT(31)

/* clang-format off */
#define R struct peer_report
#define CONFIG(bit) .may = ESPTUN_REQ_CHANGE, .show = ESPTUN_SHOW_BRIEF, .present = (bit)
#define HEADER(most) .max = (most), .special = ESPTUN_HEADER_OF_LINK
#define USAGE(bit) .show = ESPTUN_SHOW_ALL, .present = (bit)

static const struct esptun_attr peer_attrs[] = {
	{ ATTR_U32(ESPTUN_PEER_A_ID, R, p.id), .may = ESPTUN_REQ_ANY, .show = ESPTUN_SHOW_BRIEF,
	  .must = ESPTUN_REQ_ANY, .missing = "peer id is missing",
	  .min = 1, .max = U32_MAX, .wrong = "peer id: must not be 0" },
	{ ATTR_OUTER(ESPTUN_PEER_A_REMOTE_ADDRESS, R, p.remote.addr), CONFIG(ESPTUN_PEER_REMOTE_ADDR) },
	{ ATTR_BE16(ESPTUN_PEER_A_REMOTE_PORT, R, p.remote.port), CONFIG(ESPTUN_PEER_REMOTE_PORT),
	  .min = 1, .max = U16_MAX, .wrong = "remote-port: must not be 0" },
	{ ATTR_OUTER(ESPTUN_PEER_A_LOCAL_ADDRESS, R, p.local), CONFIG(ESPTUN_PEER_LOCAL_ADDR) },
	{ ATTR_OUTER(ESPTUN_PEER_A_LEARNED_LOCAL_ADDRESS, R, p.learned), .show = ESPTUN_SHOW_BRIEF },
	{ ATTR_U32(ESPTUN_PEER_A_KEEPALIVE, R, p.keepalive), CONFIG(ESPTUN_PEER_KEEPALIVE),
	  .max = ESPTUN_KEEPALIVE_MAX, .wrong = "keepalive: at most 3600 seconds" },
	{ ATTR_U8(ESPTUN_PEER_A_MAY_ROAM, R, p.may_roam), CONFIG(ESPTUN_PEER_MAY_ROAM) },
	{ ATTR_U8(ESPTUN_PEER_A_ON_DEMAND, R, p.on_demand), CONFIG(ESPTUN_PEER_ON_DEMAND) },
	{ ATTR_U8(ESPTUN_PEER_A_ENCAP, R, p.encap), CONFIG(ESPTUN_PEER_ENCAP) },
	{ ATTR_U16(ESPTUN_PEER_A_TOS, R, p.header.tos), CONFIG(ESPTUN_PEER_TOS),
	  HEADER(U8_MAX), .wrong = "tos: at most 255, or 65535 for the link's" },
	{ ATTR_U16(ESPTUN_PEER_A_TTL, R, p.header.ttl), CONFIG(ESPTUN_PEER_TTL),
	  HEADER(ESPTUN_TTL_INHERIT), .wrong = "ttl: at most 255, 256 for the inner one, or 65535 for the link's" },
	{ ATTR_U16(ESPTUN_PEER_A_DF, R, p.header.df), CONFIG(ESPTUN_PEER_DF),
	  HEADER(ESPTUN_DF_UNSET), .wrong = "df: at most 2, or 65535 for the link's" },
	{ ATTR_U16(ESPTUN_PEER_A_FLOW_LABEL, R, p.header.flow_label), CONFIG(ESPTUN_PEER_FLOW_LABEL),
	  HEADER(ESPTUN_FLOW_LABEL_INNER), .wrong = "flow-label: at most 1, or 65535 for the link's" },
	{ ATTR_U8(ESPTUN_PEER_A_UDP_ZERO_CSUM6_TX, R, p.zero_csum6_tx), CONFIG(ESPTUN_PEER_ZERO_CSUM6_TX) },
	{ ATTR_U8(ESPTUN_PEER_A_UDP_ZERO_CSUM6_RX, R, p.zero_csum6_rx), CONFIG(ESPTUN_PEER_ZERO_CSUM6_RX) },
	{ ATTR_BYTES(ESPTUN_PEER_A_IDENTITY, R, p.identity, p.identity_len),
	  .may = ESPTUN_REQ_CHANGE, .show = ESPTUN_SHOW_IDENTITY, .present = ESPTUN_PEER_IDENTITY,
	  .min = 1, .max = ESPTUN_PEER_IDENTITY_MAX, .wrong = "identity: must have 1 to 512 octets" },
	{ ATTR_U64(ESPTUN_PEER_A_RX_PACKETS, R, t.rx_packets), USAGE(0) },
	{ ATTR_U64(ESPTUN_PEER_A_RX_BYTES, R, t.rx_bytes), USAGE(0) },
	{ ATTR_U64(ESPTUN_PEER_A_TX_PACKETS, R, t.tx_packets), USAGE(0) },
	{ ATTR_U64(ESPTUN_PEER_A_TX_BYTES, R, t.tx_bytes), USAGE(0) },
	{ ATTR_U64(ESPTUN_PEER_A_KEEPALIVES, R, t.keepalives), USAGE(0) },
	{ ATTR_U64(ESPTUN_PEER_A_LAST_RX, R, last_rx), USAGE(PEER_LAST_RX) },
	{ ATTR_U64(ESPTUN_PEER_A_LAST_TX, R, last_tx), USAGE(PEER_LAST_TX) },
	{ ATTR_U32(ESPTUN_PEER_A_MTU, R, mtu), USAGE(PEER_MTU) },
};
/* clang-format on */

static const struct esptun_attr_table peer_table = {
	.rows = peer_attrs,
	.n = ARRAY_SIZE(peer_attrs),
	.max = ESPTUN_PEER_A_MAX,
	.pad = ESPTUN_PEER_A_PAD,
	.named =
		"this request only names a peer, by its id; take this attribute away",
};

int esptun_netlink_parse_peer(struct genl_info *info,
			      struct esptun_peer_params *params, u8 request)
{
	struct nlattr *tb[ESPTUN_PEER_A_MAX + 1];
	struct peer_report r = {};
	struct nlattr *nest;
	int err;

	nest = esptun_attr_outer(info, ESPTUN_A_PEER, "peer is missing");
	if (!nest)
		return -EINVAL;
	err = esptun_attr_parse(&peer_table, nest, tb, request, &r,
				&r.p.present, info->extack);
	if (err)
		return err;
	*params = r.p;
	return esptun_addr_check_pair(&params->local, &params->remote.addr,
				      tb[ESPTUN_PEER_A_LOCAL_ADDRESS],
				      info->extack);
}

static void take_usage(struct peer_report *r, struct esptun_peer *peer)
{
	esptun_peer_totals_get(peer, &r->t);
	r->mtu = esptun_peer_mtu(peer, true);
	if (r->mtu)
		r->p.present |= PEER_MTU;
	if (READ_ONCE(peer->received)) {
		r->last_rx = esptun_timer_ms(READ_ONCE(peer->last_rx), jiffies);
		r->p.present |= PEER_LAST_RX;
	}
	if (READ_ONCE(peer->sent)) {
		r->last_tx = esptun_timer_ms(READ_ONCE(peer->last_tx), jiffies);
		r->p.present |= PEER_LAST_TX;
	}
}

static int put_peer(struct sk_buff *msg, struct esptun_peer *peer, u8 show)
{
	struct nlattr *nest = nla_nest_start(msg, ESPTUN_A_PEER);
	struct peer_report r = {};

	esptun_peer_params_get(peer, &r.p);
	if (show & ESPTUN_SHOW_ALL)
		take_usage(&r, peer);
	if ((show & ESPTUN_SHOW_IDENTITY) && peer->identity) {
		r.p.identity = peer->identity;
		r.p.identity_len = peer->identity_len;
		r.p.present |= ESPTUN_PEER_IDENTITY;
	}
	if (!nest || esptun_attr_put(&peer_table, msg, show, &r, r.p.present))
		return -EMSGSIZE;
	nla_nest_end(msg, nest);
	return 0;
}

int esptun_netlink_put_peer(struct sk_buff *msg, struct esptun_peer *peer,
			    bool identity)
{
	return put_peer(msg, peer,
			ESPTUN_SHOW_BRIEF | ESPTUN_SHOW_ALL |
				(identity ? ESPTUN_SHOW_IDENTITY : 0));
}

int esptun_netlink_put_peer_brief(struct sk_buff *msg, struct esptun_peer *peer)
{
	return put_peer(msg, peer, ESPTUN_SHOW_BRIEF);
}
