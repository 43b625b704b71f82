// SPDX-License-Identifier: GPL-2.0
#include <linux/net_namespace.h>
#include <net/genetlink.h>
#include "sa/flow.h"
#include "link.h"
#include "netlink/netlink-object.h"
#include "netlink/netlink.h"

int esptun_netlink_put_link(struct sk_buff *msg, const struct esptun_link *link,
			    struct net *receiver)
{
	const struct net_device *dev = link->dev;
	int nsid = NETNSA_NSID_NOT_ASSIGNED;
	char name[IFNAMSIZ];
	struct net *net;
	bool here;

	rcu_read_lock();
	net = dev_net(dev);
	here = net_eq(net, receiver);
	if (!here)
		nsid = peernet2id(receiver, net);
	rcu_read_unlock();
	/* Another one may come while it is copied. */
	strscpy(name, dev->name, sizeof(name));
	if (nla_put_u32(msg, ESPTUN_A_IFINDEX, READ_ONCE(dev->ifindex)) ||
	    nla_put_string(msg, ESPTUN_A_IFNAME, name) ||
	    (!here && nla_put_s32(msg, ESPTUN_A_NETNSID, nsid)))
		return -EMSGSIZE;
	return 0;
}

int esptun_netlink_put_stats(struct sk_buff *msg,
			     struct esptun_stats __percpu *stats)
{
	struct nlattr *nest = nla_nest_start(msg, ESPTUN_A_STATS);
	u64 sum[ESPTUN_STATS_NUM];
	unsigned int id;

	if (!nest)
		return -EMSGSIZE;
	esptun_stats_sum(stats, sum);
	for (id = ESPTUN_STATS_FIRST; id < ESPTUN_STATS_NUM; id++) {
		if (nla_put_u64_64bit(msg, id, sum[id], ESPTUN_STATS_A_PAD))
			return -EMSGSIZE;
	}
	nla_nest_end(msg, nest);
	return 0;
}

#define FLOW_PORTS BIT(0)
#define FLOW_CPU BIT(1)

struct flow_report {
	struct esptun_flow f;
	u32 cpu;
};

/* clang-format off */
#define R struct flow_report
#define FLOW(bit) .show = ESPTUN_SHOW_ALL, .present = (bit)

static const struct esptun_attr flow_attrs[] = {
	{ ATTR_INNER(ESPTUN_FLOW_A_SOURCE, R, f.src, f.family), FLOW(0) },
	{ ATTR_INNER(ESPTUN_FLOW_A_DESTINATION, R, f.dst, f.family), FLOW(0) },
	{ ATTR_U8(ESPTUN_FLOW_A_PROTOCOL, R, f.proto), FLOW(0) },
	{ ATTR_PORT(ESPTUN_FLOW_A_SOURCE_PORT, R, f.sport), FLOW(FLOW_PORTS) },
	{ ATTR_PORT(ESPTUN_FLOW_A_DESTINATION_PORT, R, f.dport), FLOW(FLOW_PORTS) },
	{ ATTR_U32(ESPTUN_FLOW_A_CPU, R, cpu), FLOW(FLOW_CPU) },
};
/* clang-format on */

static const struct esptun_attr_table flow_table = {
	.rows = flow_attrs,
	.n = ARRAY_SIZE(flow_attrs),
	.max = ESPTUN_FLOW_A_MAX,
};

int esptun_netlink_put_flow(struct sk_buff *msg, const struct esptun_flow *flow,
			    const unsigned int *cpu)
{
	struct nlattr *nest = nla_nest_start(msg, ESPTUN_A_FLOW);
	const struct flow_report r = { .f = *flow, .cpu = cpu ? *cpu : 0 };
	u32 present = (flow->ports_valid ? FLOW_PORTS : 0) |
		      (cpu ? FLOW_CPU : 0);

	if (!nest ||
	    esptun_attr_put(&flow_table, msg, ESPTUN_SHOW_ALL, &r, present))
		return -EMSGSIZE;
	nla_nest_end(msg, nest);
	return 0;
}

/* ---- messages ---- */

void *esptun_netlink_begin(struct sk_buff *msg,
			   const struct esptun_receiver *to, u8 cmd,
			   const struct esptun_link *link)
{
	void *hdr = genlmsg_put(msg, to->portid, to->seq, &esptun_nl_family,
				to->flags, cmd);

	if (!hdr)
		return NULL;
	if (to->cb)
		genl_dump_check_consistent(to->cb, hdr);
	if (link && esptun_netlink_put_link(msg, link, to->net)) {
		genlmsg_cancel(msg, hdr);
		return NULL;
	}
	return hdr;
}

int esptun_netlink_end(struct sk_buff *msg, void *hdr, int err)
{
	if (err)
		genlmsg_cancel(msg, hdr);
	else
		genlmsg_end(msg, hdr);
	return err;
}

int esptun_netlink_fill_peer(struct sk_buff *msg,
			     const struct esptun_receiver *to,
			     struct esptun_peer *peer)
{
	void *hdr =
		esptun_netlink_begin(msg, to, ESPTUN_CMD_PEER_GET, peer->link);

	if (!hdr)
		return -EMSGSIZE;
	return esptun_netlink_end(msg, hdr,
				  esptun_netlink_put_peer(msg, peer, true));
}

int esptun_netlink_fill_sa(struct sk_buff *msg,
			   const struct esptun_receiver *to, u8 cmd,
			   struct esptun_sa *sa, bool keys)
{
	void *hdr = esptun_netlink_begin(msg, to, cmd, sa->link);

	if (!hdr)
		return -EMSGSIZE;
	return esptun_netlink_end(msg, hdr,
				  esptun_netlink_put_sa(msg, sa, keys));
}
