// SPDX-License-Identifier: GPL-2.0
#include <linux/skbuff.h>
#include <net/genetlink.h>
#include "netlink/netlink-object.h"

/* clang-format off */
#define R struct esptun_ike_request
#define ENDPOINT .may = ESPTUN_REQ_ANY, .show = ESPTUN_SHOW_ALL

static const struct esptun_attr ike_attrs[] = {
	{ ATTR_OUTER(ESPTUN_IKE_A_LOCAL_ADDRESS, R, local.addr), ENDPOINT },
	{ ATTR_BE16(ESPTUN_IKE_A_LOCAL_PORT, R, local.port), ENDPOINT },
	{ ATTR_OUTER(ESPTUN_IKE_A_REMOTE_ADDRESS, R, remote.addr), ENDPOINT,
	  .must = ESPTUN_REQ_ANY, .missing = "ike: remote-address is missing" },
	{ ATTR_BE16(ESPTUN_IKE_A_REMOTE_PORT, R, remote.port), ENDPOINT,
	  .must = ESPTUN_REQ_ANY, .missing = "ike: remote-port is missing",
	  .min = 1, .max = U16_MAX, .wrong = "ike: remote address and port must not be 0" },
	{ ATTR_BYTES(ESPTUN_IKE_A_DATA, R, data, len), .may = ESPTUN_REQ_ANY,
	  .must = ESPTUN_REQ_ANY, .missing = "ike: data is missing",
	  .min = 1, .max = ESPTUN_IKE_MAX, .wrong = "ike: data must have 1 to 65000 octets" },
};
/* clang-format on */

static const struct esptun_attr_table ike_table = {
	.rows = ike_attrs,
	.n = ARRAY_SIZE(ike_attrs),
	.max = ESPTUN_IKE_A_MAX,
};

int esptun_netlink_parse_ike(struct genl_info *info,
			     struct esptun_ike_request *req)
{
	struct nlattr *tb[ESPTUN_IKE_A_MAX + 1];
	struct nlattr *nest;
	u32 present = 0;
	int err;

	memset(req, 0, sizeof(*req));
	nest = esptun_attr_outer(info, ESPTUN_A_IKE, "ike is missing");
	if (!nest)
		return -EINVAL;
	err = esptun_attr_parse(&ike_table, nest, tb, ESPTUN_REQ_NEW, req,
				&present, info->extack);
	if (err)
		return err;
	if (!esptun_addr_is_set(&req->remote.addr))
		return esptun_attr_refuse(
			nest, "ike: remote address and port must not be 0",
			info->extack);
	return esptun_addr_check_pair(&req->local.addr, &req->remote.addr,
				      tb[ESPTUN_IKE_A_LOCAL_ADDRESS],
				      info->extack);
}

unsigned int esptun_netlink_ike_size(const struct esptun_endpoint *local,
				     const struct esptun_endpoint *remote)
{
	return nla_total_size(0) + esptun_addr_size(&local->addr) +
	       esptun_addr_size(&remote->addr) +
	       2 * nla_total_size(sizeof(__be16)) + nla_total_size(0) +
	       NLA_ALIGNTO;
}

int esptun_netlink_put_ike(struct sk_buff *msg,
			   const struct esptun_endpoint *local,
			   const struct esptun_endpoint *remote,
			   const struct sk_buff *skb, unsigned int offset,
			   unsigned int len)
{
	struct nlattr *nest = nla_nest_start(msg, ESPTUN_A_IKE);
	const struct esptun_ike_request ends = {
		.local = *local,
		.remote = *remote,
	};
	struct nlattr *data;

	if (!nest ||
	    esptun_attr_put(&ike_table, msg, ESPTUN_SHOW_ALL, &ends, 0))
		return -EMSGSIZE;
	data = nla_reserve(msg, ESPTUN_IKE_A_DATA, len);
	if (!data || skb_copy_bits(skb, offset, nla_data(data), len))
		return -EMSGSIZE;
	nla_nest_end(msg, nest);
	return 0;
}
