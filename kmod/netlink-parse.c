// SPDX-License-Identifier: GPL-2.0
#include "netlink-parse.h"

#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <net/genetlink.h>
#include "netlink-gen.h"

/* The text must be a literal: it outlives the request. */
#define REQUIRE(extack, nest, tb, type, name)               \
	((tb)[type] ? 0 : ({                                \
		NL_SET_ERR_ATTR_MISS(extack, nest, type);   \
		NL_SET_ERR_MSG(extack, name " is missing"); \
		-EINVAL;                                    \
	}))

/* The generated policy was applied to the whole request before. */
static int parse_nest(struct nlattr *tb[], int max, const struct nlattr *nest,
		      struct netlink_ext_ack *extack)
{
	return nla_parse_nested(tb, max, nest, NULL, extack);
}

/* Attributes from @first to @last only ever go from the kernel to user space. */
static int refuse_read_only(struct nlattr *tb[], int first, int last,
			    struct netlink_ext_ack *extack)
{
	int i;

	for (i = first; i <= last; i++) {
		if (tb[i]) {
			NL_SET_ERR_MSG_ATTR(extack, tb[i],
					    "attribute is read-only");
			return -EINVAL;
		}
	}
	return 0;
}

/* Packets have one source and one destination, of one family. */
static int check_families(const struct esptun_addr *local,
			  const struct esptun_addr *remote,
			  const struct nlattr *attr,
			  struct netlink_ext_ack *extack)
{
	if (!esptun_addr_is_set(local) || !esptun_addr_is_set(remote) ||
	    local->family == remote->family)
		return 0;
	NL_SET_ERR_MSG_ATTR(
		extack, attr,
		"local-address: not of the remote-address's family");
	return -EINVAL;
}

static int parse_peer_endpoint(struct nlattr *tb[],
			       struct esptun_peer_params *params,
			       struct netlink_ext_ack *extack)
{
	struct nlattr *attr;
	int err;

	attr = tb[ESPTUN_PEER_A_REMOTE_ADDRESS];
	if (attr) {
		err = esptun_addr_get(attr, &params->remote.addr, extack);
		if (err)
			return err;
		params->present |= ESPTUN_PEER_REMOTE_ADDR;
	}
	attr = tb[ESPTUN_PEER_A_REMOTE_PORT];
	if (attr) {
		params->remote.port = nla_get_be16(attr);
		if (!params->remote.port) {
			NL_SET_ERR_MSG_ATTR(extack, attr,
					    "remote-port: must not be 0");
			return -EINVAL;
		}
		params->present |= ESPTUN_PEER_REMOTE_PORT;
	}
	attr = tb[ESPTUN_PEER_A_LOCAL_ADDRESS];
	if (attr) {
		err = esptun_addr_get(attr, &params->local, extack);
		if (err)
			return err;
		params->present |= ESPTUN_PEER_LOCAL_ADDR;
	}
	return check_families(&params->local, &params->remote.addr, attr,
			      extack);
}

/* It stays in the request. */
static int parse_peer_identity(const struct nlattr *attr,
			       struct esptun_peer_params *params,
			       struct netlink_ext_ack *extack)
{
	int len = nla_len(attr);

	if (!len || len > ESPTUN_PEER_IDENTITY_MAX) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "identity: must have 1 to 512 octets");
		return -EINVAL;
	}
	params->identity = nla_data(attr);
	params->identity_len = len;
	params->present |= ESPTUN_PEER_IDENTITY;
	return 0;
}

int esptun_netlink_parse_peer(struct genl_info *info,
			      struct esptun_peer_params *params)
{
	struct netlink_ext_ack *extack = info->extack;
	struct nlattr *tb[ESPTUN_PEER_A_MAX + 1];
	struct nlattr *nest, *attr;
	int err;

	memset(params, 0, sizeof(*params));
	err = REQUIRE(extack, NULL, info->attrs, ESPTUN_A_PEER, "peer");
	if (err)
		return err;
	nest = info->attrs[ESPTUN_A_PEER];
	err = parse_nest(tb, ESPTUN_PEER_A_MAX, nest, extack);
	if (!err)
		err = refuse_read_only(tb, ESPTUN_PEER_A_RX_PACKETS,
				       ESPTUN_PEER_A_LEARNED_LOCAL_ADDRESS,
				       extack);
	if (!err)
		err = REQUIRE(extack, nest, tb, ESPTUN_PEER_A_ID, "peer id");
	if (err)
		return err;

	params->id = nla_get_u32(tb[ESPTUN_PEER_A_ID]);
	if (!params->id) {
		NL_SET_ERR_MSG_ATTR(extack, tb[ESPTUN_PEER_A_ID],
				    "peer id: must not be 0");
		return -EINVAL;
	}
	err = parse_peer_endpoint(tb, params, extack);
	if (err)
		return err;
	attr = tb[ESPTUN_PEER_A_KEEPALIVE];
	if (attr) {
		params->keepalive = nla_get_u32(attr);
		if (params->keepalive > ESPTUN_KEEPALIVE_MAX) {
			NL_SET_ERR_MSG_ATTR(extack, attr,
					    "keepalive: at most 3600 seconds");
			return -EINVAL;
		}
		params->present |= ESPTUN_PEER_KEEPALIVE;
	}
	attr = tb[ESPTUN_PEER_A_MAY_ROAM];
	if (attr) {
		params->may_roam = nla_get_u8(attr);
		params->present |= ESPTUN_PEER_MAY_ROAM;
	}
	attr = tb[ESPTUN_PEER_A_ON_DEMAND];
	if (attr) {
		params->on_demand = nla_get_u8(attr);
		params->present |= ESPTUN_PEER_ON_DEMAND;
	}
	attr = tb[ESPTUN_PEER_A_IDENTITY];
	return attr ? parse_peer_identity(attr, params, extack) : 0;
}

static int parse_ts_ports(struct nlattr *nest, struct nlattr *tb[],
			  struct esptun_ts *ts, struct netlink_ext_ack *extack)
{
	struct nlattr *lo = tb[ESPTUN_TS_A_PORT_START];
	struct nlattr *hi = tb[ESPTUN_TS_A_PORT_END];

	if (!lo != !hi) {
		NL_SET_ERR_MSG_ATTR(
			extack, nest,
			"traffic selector: port-start and port-end go together");
		return -EINVAL;
	}
	ts->any_port = !lo;
	if (!lo)
		return 0;
	ts->port_lo = ntohs(nla_get_be16(lo));
	ts->port_hi = ntohs(nla_get_be16(hi));
	if (ts->port_lo > ts->port_hi) {
		NL_SET_ERR_MSG_ATTR(
			extack, hi,
			"traffic selector: port-end is below port-start");
		return -EINVAL;
	}
	return 0;
}

static int parse_ts(struct nlattr *nest, struct esptun_ts *ts,
		    struct netlink_ext_ack *extack)
{
	struct nlattr *tb[ESPTUN_TS_A_MAX + 1];
	struct nlattr *attr;
	unsigned int bits;
	int err;

	err = parse_nest(tb, ESPTUN_TS_A_MAX, nest, extack);
	if (!err)
		err = REQUIRE(extack, nest, tb, ESPTUN_TS_A_ADDRESS,
			      "traffic selector: address");
	if (err)
		return err;

	memset(ts, 0, sizeof(*ts));
	attr = tb[ESPTUN_TS_A_ADDRESS];
	switch (nla_len(attr)) {
	case sizeof(struct in_addr):
		ts->family = AF_INET;
		break;
	case sizeof(struct in6_addr):
		ts->family = AF_INET6;
		break;
	default:
		NL_SET_ERR_MSG_ATTR(
			extack, attr,
			"traffic selector: address must have 4 or 16 octets");
		return -EINVAL;
	}
	memcpy(&ts->addr, nla_data(attr), nla_len(attr));

	bits = nla_len(attr) * BITS_PER_BYTE;
	attr = tb[ESPTUN_TS_A_PREFIX_LEN];
	ts->plen = attr ? nla_get_u8(attr) : bits;
	if (ts->plen > bits) {
		NL_SET_ERR_MSG_ATTR(
			extack, attr,
			"traffic selector: prefix-len is longer than the address");
		return -EINVAL;
	}
	attr = tb[ESPTUN_TS_A_PROTOCOL];
	ts->proto = attr ? nla_get_u8(attr) : 0;
	err = parse_ts_ports(nest, tb, ts, extack);
	if (err)
		return err;

	err = esptun_ts_check(ts, extack);
	if (err && extack && !extack->bad_attr)
		NL_SET_BAD_ATTR(extack, nest);
	return err;
}

/* Both sides' selectors, each side in the order given, our side in front. */
static int parse_ts_lists(struct nlattr *nest, struct esptun_sa_request *req,
			  struct netlink_ext_ack *extack)
{
	struct esptun_ts *local = req->ts;
	struct esptun_ts *remote = req->ts + req->p.ts.n_local;
	struct nlattr *attr;
	int err, rem;

	req->p.ts.local = local;
	req->p.ts.remote = remote;
	nla_for_each_nested(attr, nest, rem) {
		if (nla_type(attr) == ESPTUN_SA_A_TS_LOCAL)
			err = parse_ts(attr, local++, extack);
		else if (nla_type(attr) == ESPTUN_SA_A_TS_REMOTE)
			err = parse_ts(attr, remote++, extack);
		else
			continue;
		if (err)
			return err;
	}
	return 0;
}

static int parse_sa_selectors(struct nlattr *nest,
			      struct esptun_sa_request *req,
			      struct netlink_ext_ack *extack)
{
	struct esptun_sa_params *p = &req->p;
	struct nlattr *attr;
	int rem;

	nla_for_each_nested(attr, nest, rem) {
		p->ts.n_local += nla_type(attr) == ESPTUN_SA_A_TS_LOCAL;
		p->ts.n_remote += nla_type(attr) == ESPTUN_SA_A_TS_REMOTE;
		if (p->ts.n_local > ESPTUN_TS_MAX ||
		    p->ts.n_remote > ESPTUN_TS_MAX) {
			NL_SET_ERR_MSG_ATTR(
				extack, attr,
				"traffic selectors: at most 256 a side");
			return -E2BIG;
		}
	}
	if (p->ts.n_local)
		p->present |= ESPTUN_SA_TS_LOCAL;
	if (p->ts.n_remote)
		p->present |= ESPTUN_SA_TS_REMOTE;
	if (!p->ts.n_local && !p->ts.n_remote)
		return 0;
	req->ts = kvcalloc(p->ts.n_local + p->ts.n_remote, sizeof(*req->ts),
			   GFP_KERNEL);
	if (!req->ts)
		return -ENOMEM;
	return parse_ts_lists(nest, req, extack);
}

static int parse_key(const struct nlattr *attr, const u8 **key,
		     unsigned int *len, struct netlink_ext_ack *extack)
{
	if (!attr)
		return 0;
	*key = nla_data(attr);
	*len = nla_len(attr);
	if (*len > ESPTUN_KEY_MAX) {
		NL_SET_ERR_MSG_ATTR(extack, attr, "key: at most 64 octets");
		return -EINVAL;
	}
	return 0;
}

static int parse_sa_crypto(struct esptun_sa_request *req,
			   struct netlink_ext_ack *extack)
{
	struct nlattr **tb = req->tb;
	struct esptun_sa_params *p = &req->p;
	int err;

	if (tb[ESPTUN_SA_A_ENCR])
		p->encr = nla_get_u16(tb[ESPTUN_SA_A_ENCR]);
	if (tb[ESPTUN_SA_A_INTEG])
		p->integ = nla_get_u16(tb[ESPTUN_SA_A_INTEG]);
	if (tb[ESPTUN_SA_A_ESN])
		p->esn = nla_get_u8(tb[ESPTUN_SA_A_ESN]);
	if (tb[ESPTUN_SA_A_SEQ]) {
		p->seq = nla_get_u64(tb[ESPTUN_SA_A_SEQ]);
		p->present |= ESPTUN_SA_SEQ;
	}
	err = parse_key(tb[ESPTUN_SA_A_ENCR_KEY], &p->encr_key,
			&p->encr_key_len, extack);
	if (err)
		return err;
	return parse_key(tb[ESPTUN_SA_A_INTEG_KEY], &p->integ_key,
			 &p->integ_key_len, extack);
}

static void parse_limit(const struct nlattr *attr, u64 *limit, u32 bit,
			u32 *present)
{
	if (!attr)
		return;
	*limit = nla_get_u64(attr);
	*present |= bit;
}

static int parse_sa_limits(struct esptun_sa_request *req,
			   struct netlink_ext_ack *extack)
{
	struct esptun_limits *l = &req->p.limits;
	struct nlattr **tb = req->tb;
	u32 *present = &req->p.present;

	if (tb[ESPTUN_SA_A_REPLAY_WINDOW]) {
		req->p.replay_window =
			nla_get_u32(tb[ESPTUN_SA_A_REPLAY_WINDOW]);
		if (req->p.replay_window > ESPTUN_REPLAY_WINDOW_MAX) {
			NL_SET_ERR_MSG_ATTR(
				extack, tb[ESPTUN_SA_A_REPLAY_WINDOW],
				"replay-window: at most 65536 packets");
			return -EINVAL;
		}
		*present |= ESPTUN_SA_REPLAY_WINDOW;
	}
	parse_limit(tb[ESPTUN_SA_A_SOFT_BYTES], &l->soft[ESPTUN_BYTES],
		    ESPTUN_LIMIT_SOFT(ESPTUN_BYTES), present);
	parse_limit(tb[ESPTUN_SA_A_HARD_BYTES], &l->hard[ESPTUN_BYTES],
		    ESPTUN_LIMIT_HARD(ESPTUN_BYTES), present);
	parse_limit(tb[ESPTUN_SA_A_SOFT_PACKETS], &l->soft[ESPTUN_PACKETS],
		    ESPTUN_LIMIT_SOFT(ESPTUN_PACKETS), present);
	parse_limit(tb[ESPTUN_SA_A_HARD_PACKETS], &l->hard[ESPTUN_PACKETS],
		    ESPTUN_LIMIT_HARD(ESPTUN_PACKETS), present);
	return 0;
}

static int parse_sa_name(struct nlattr *nest, struct esptun_sa_request *req,
			 struct netlink_ext_ack *extack)
{
	struct nlattr **tb = req->tb;
	struct esptun_sa_params *p = &req->p;

	if (tb[ESPTUN_SA_A_SPI]) {
		p->spi = nla_get_be32(tb[ESPTUN_SA_A_SPI]);
		if (ntohl(p->spi) < ESPTUN_SPI_MIN) {
			NL_SET_ERR_MSG_ATTR(
				extack, tb[ESPTUN_SA_A_SPI],
				"spi: must be 256 or more (RFC 4303 2.1)");
			return -EINVAL;
		}
	}
	if (tb[ESPTUN_SA_A_DIR])
		p->dir = nla_get_u8(tb[ESPTUN_SA_A_DIR]);
	if (tb[ESPTUN_SA_A_MODE])
		p->mode = nla_get_u8(tb[ESPTUN_SA_A_MODE]);
	if (tb[ESPTUN_SA_A_PEER]) {
		p->peer = nla_get_u32(tb[ESPTUN_SA_A_PEER]);
		if (!p->peer) {
			NL_SET_ERR_MSG_ATTR(extack, tb[ESPTUN_SA_A_PEER],
					    "peer: must not be 0");
			return -EINVAL;
		}
	}
	return 0;
}

static int require_sa(struct nlattr *nest, const struct esptun_sa_request *req,
		      unsigned int need, struct netlink_ext_ack *extack)
{
	struct nlattr *const *tb = req->tb;
	int err = 0;

	if (need & ESPTUN_NEED_SPI)
		err = REQUIRE(extack, nest, tb, ESPTUN_SA_A_SPI, "spi");
	if (!err && (need & ESPTUN_NEED_DIR))
		err = REQUIRE(extack, nest, tb, ESPTUN_SA_A_DIR, "dir");
	if (!err && (need & ESPTUN_NEED_PEER))
		err = REQUIRE(extack, nest, tb, ESPTUN_SA_A_PEER, "peer");
	if (!err && (need & ESPTUN_NEED_NAME) == ESPTUN_NEED_NAME &&
	    req->p.dir == ESPTUN_SA_DIR_OUT)
		err = REQUIRE(extack, nest, tb, ESPTUN_SA_A_PEER,
			      "an outbound SA is named by peer and spi: peer");
	if (!err && (need & ESPTUN_NEED_KEY))
		err = REQUIRE(extack, nest, tb, ESPTUN_SA_A_ENCR, "encr");
	if (!err && (need & ESPTUN_NEED_KEY))
		err = REQUIRE(extack, nest, tb, ESPTUN_SA_A_ENCR_KEY,
			      "encr-key");
	return err;
}

/* Ignoring what cannot be done would look like having done it. */
static int refuse_sa_attrs(struct nlattr *tb[], unsigned int need,
			   struct netlink_ext_ack *extack)
{
	struct nlattr *seq = tb[ESPTUN_SA_A_SEQ];
	int i, err;

	/* A new SA may go on where another one stopped. */
	if (need & ESPTUN_NEED_KEY)
		tb[ESPTUN_SA_A_SEQ] = NULL;
	err = refuse_read_only(tb, ESPTUN_SA_A_HARD_PACKETS + 1,
			       ESPTUN_SA_A_MAX, extack);
	tb[ESPTUN_SA_A_SEQ] = seq;
	if (err || !(need & ESPTUN_ONLY_CHANGES))
		return err;
	for (i = ESPTUN_SA_A_MODE; i <= ESPTUN_SA_A_REPLAY_WINDOW; i++) {
		if (tb[i]) {
			NL_SET_ERR_MSG_ATTR(
				extack, tb[i],
				"only limits and selectors of an SA can be changed");
			return -EINVAL;
		}
	}
	return 0;
}

int esptun_netlink_parse_sa(struct genl_info *info,
			    struct esptun_sa_request *req, unsigned int need)
{
	struct netlink_ext_ack *extack = info->extack;
	struct nlattr *nest;
	int err;

	memset(req, 0, sizeof(*req));
	err = REQUIRE(extack, NULL, info->attrs, ESPTUN_A_SA, "sa");
	if (err)
		return err;
	nest = info->attrs[ESPTUN_A_SA];
	err = parse_nest(req->tb, ESPTUN_SA_A_MAX, nest, extack);
	if (!err)
		err = refuse_sa_attrs(req->tb, need, extack);
	if (!err)
		err = parse_sa_name(nest, req, extack);
	if (!err)
		err = require_sa(nest, req, need, extack);
	if (!err)
		err = parse_sa_crypto(req, extack);
	if (!err)
		err = parse_sa_limits(req, extack);
	if (!err)
		err = parse_sa_selectors(nest, req, extack);
	if (err)
		esptun_netlink_parse_sa_end(req);
	return err;
}

void esptun_netlink_parse_sa_end(struct esptun_sa_request *req)
{
	kvfree(req->ts);
	req->ts = NULL;
}

int esptun_netlink_parse_ike(struct genl_info *info,
			     struct esptun_ike_request *req)
{
	struct netlink_ext_ack *extack = info->extack;
	struct nlattr *tb[ESPTUN_IKE_A_MAX + 1];
	struct nlattr *nest, *data;
	int err;

	memset(req, 0, sizeof(*req));
	err = REQUIRE(extack, NULL, info->attrs, ESPTUN_A_IKE, "ike");
	if (err)
		return err;
	nest = info->attrs[ESPTUN_A_IKE];
	err = parse_nest(tb, ESPTUN_IKE_A_MAX, nest, extack);
	if (!err)
		err = REQUIRE(extack, nest, tb, ESPTUN_IKE_A_REMOTE_ADDRESS,
			      "ike: remote-address");
	if (!err)
		err = REQUIRE(extack, nest, tb, ESPTUN_IKE_A_REMOTE_PORT,
			      "ike: remote-port");
	if (!err)
		err = REQUIRE(extack, nest, tb, ESPTUN_IKE_A_DATA, "ike: data");
	if (!err)
		err = esptun_addr_get(tb[ESPTUN_IKE_A_REMOTE_ADDRESS],
				      &req->remote.addr, extack);
	if (!err && tb[ESPTUN_IKE_A_LOCAL_ADDRESS])
		err = esptun_addr_get(tb[ESPTUN_IKE_A_LOCAL_ADDRESS],
				      &req->local.addr, extack);
	if (!err)
		err = check_families(&req->local.addr, &req->remote.addr,
				     tb[ESPTUN_IKE_A_LOCAL_ADDRESS], extack);
	if (err)
		return err;

	req->remote.port = nla_get_be16(tb[ESPTUN_IKE_A_REMOTE_PORT]);
	if (tb[ESPTUN_IKE_A_LOCAL_PORT])
		req->local.port = nla_get_be16(tb[ESPTUN_IKE_A_LOCAL_PORT]);
	if (!esptun_addr_is_set(&req->remote.addr) || !req->remote.port) {
		NL_SET_ERR_MSG_ATTR(
			extack, nest,
			"ike: remote address and port must not be 0");
		return -EINVAL;
	}
	data = tb[ESPTUN_IKE_A_DATA];
	req->data = nla_data(data);
	req->len = nla_len(data);
	if (!req->len || req->len > ESPTUN_IKE_MAX) {
		NL_SET_ERR_MSG_ATTR(extack, data,
				    "ike: data must have 1 to 65000 octets");
		return -EINVAL;
	}
	return 0;
}
