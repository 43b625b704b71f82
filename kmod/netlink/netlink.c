// SPDX-License-Identifier: GPL-2.0
/*
 * Requests. All of them run under the configuration lock of the netns the link
 * was made in, so what they look up stays and a refused one has changed nothing.
 * The lock and the link are taken once, before the operation, from its ifindex.
 */
#include "netlink/netlink.h"

#include <linux/netlink.h>
#include <linux/notifier.h>
#include "dev.h"
#include "rx/ike.h"
#include "netlink/netlink-gen.h"
#include "netlink/netlink-object.h"
#include "netlink/notify.h"

static struct esptun_link *request_link(const struct genl_info *info)
{
	return info->user_ptr[0];
}

/* What the object said is about this attribute, unless it said which. */
static int blame(struct genl_info *info, int err, const struct nlattr *attr)
{
	if (err && attr && info->extack && !info->extack->bad_attr)
		NL_SET_BAD_ATTR(info->extack, attr);
	return err;
}

bool esptun_netlink_may_ask(struct sk_buff *request,
			    const struct esptun_link *link)
{
	return netlink_ns_capable(request, link->net->user_ns, CAP_NET_ADMIN);
}

struct esptun_link *esptun_netlink_lock(struct sk_buff *request,
					const struct nlattr *ifindex,
					struct netlink_ext_ack *extack)
{
	struct esptun_link *link =
		esptun_dev_lock(sock_net(request->sk), nla_get_u32(ifindex));

	if (!link) {
		NL_SET_ERR_MSG_ATTR(
			extack, ifindex,
			"ifindex: no esptun link of this network namespace");
		return ERR_PTR(-ENODEV);
	}
	if (esptun_netlink_may_ask(request, link))
		return link;
	esptun_dev_unlock(link);
	NL_SET_ERR_MSG_ATTR(
		extack, ifindex,
		"ifindex: needs CAP_NET_ADMIN where the link was made, too");
	return ERR_PTR(-EPERM);
}

static int lock_link(struct genl_info *info, struct sk_buff *request)
{
	const struct nlattr *attr =
		esptun_attr_outer(info, ESPTUN_A_IFINDEX, "ifindex is missing");
	struct esptun_link *link;

	if (!attr)
		return -EINVAL;
	link = esptun_netlink_lock(request, attr, info->extack);
	if (IS_ERR(link))
		return PTR_ERR(link);
	info->user_ptr[0] = link;
	return 0;
}

int esptun_netlink_check_policy(const struct genlmsghdr *hdr,
				struct netlink_ext_ack *extack)
{
	if (hdr->reserved) {
		NL_SET_ERR_MSG(extack, "genlmsghdr.reserved field is not 0");
		return -EINVAL;
	}
	return nla_validate(genlmsg_data(hdr), genlmsg_len(hdr),
			    ARRAY_SIZE(esptun_nl_policy) - 1, esptun_nl_policy,
			    extack);
}

/*
 * The request's memory goes back to the allocator unwiped, and errors echo the
 * request. A malformed one may hold keys anywhere.
 */
static void wipe_request(const struct genl_info *info)
{
	memzero_explicit(genlmsg_data(info->genlhdr),
			 genlmsg_len(info->genlhdr));
}

static int pre_doit(const struct genl_split_ops *ops, struct sk_buff *skb,
		    struct genl_info *info)
{
	int err = esptun_netlink_check_policy(info->genlhdr, info->extack);

	if (err)
		goto refused;
	if (ops->cmd == ESPTUN_CMD_IKE_BIND) {
		mutex_lock(&esptun_dev_net(genl_info_net(info))->lock);
		return 0;
	}
	err = lock_link(info, skb);
	if (!err)
		return 0;
refused:
	wipe_request(info);
	return err;
}

static void post_doit(const struct genl_split_ops *ops, struct sk_buff *skb,
		      struct genl_info *info)
{
	if (ops->cmd == ESPTUN_CMD_IKE_BIND)
		mutex_unlock(&esptun_dev_net(genl_info_net(info))->lock);
	else
		esptun_dev_unlock(request_link(info));
	wipe_request(info);
}

/* ---- peers --------------------------------------------------------------- */

static struct esptun_receiver asker(struct genl_info *info)
{
	return (struct esptun_receiver){
		.net = genl_info_net(info),
		.portid = info->snd_portid,
		.seq = info->snd_seq,
	};
}

static int with_peer(struct genl_info *info, u8 request,
		     int (*op)(struct esptun_link *link,
			       const struct esptun_peer_params *params,
			       struct netlink_ext_ack *extack))
{
	struct esptun_peer_params params;
	int err = esptun_netlink_parse_peer(info, &params, request);

	if (err)
		return err;
	return blame(info, op(request_link(info), &params, info->extack),
		     info->attrs[ESPTUN_A_PEER]);
}

int esptun_nl_peer_new_doit(struct sk_buff *skb, struct genl_info *info)
{
	return with_peer(info, ESPTUN_REQ_NEW, esptun_peer_new);
}

int esptun_nl_peer_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	return with_peer(info, ESPTUN_REQ_SET, esptun_peer_set);
}

int esptun_nl_peer_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	return with_peer(info, ESPTUN_REQ_NAME, esptun_peer_del);
}

/* @err: of what was put into @msg, which is consumed. */
static int answer(struct genl_info *info, struct sk_buff *msg, int err)
{
	if (!err)
		return genlmsg_reply(msg, info);
	nlmsg_free(msg);
	return err;
}

int esptun_nl_peer_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	const struct esptun_receiver to = asker(info);
	struct esptun_peer_params params;
	struct esptun_peer *peer;
	struct sk_buff *msg;
	int err = esptun_netlink_parse_peer(info, &params, ESPTUN_REQ_NAME);

	if (err)
		return err;
	peer = esptun_peer_find(request_link(info), params.id);
	if (!peer) {
		NL_SET_ERR_MSG_ATTR(info->extack, info->attrs[ESPTUN_A_PEER],
				    "no peer with this id on the link");
		return -ENOENT;
	}
	msg = genlmsg_new(ESPTUN_NETLINK_SIZE, GFP_KERNEL);
	if (!msg)
		return -ENOMEM;
	return answer(info, msg, esptun_netlink_fill_peer(msg, &to, peer));
}

/* ---- SAs ----------------------------------------------------------------- */

/* The attribute a refusal of the SA layer is about, by its error. */
static const struct nlattr *culprit(const struct esptun_sa_request *req,
				    struct genl_info *info, int err)
{
	const struct nlattr *attr = NULL;

	if (err == -EEXIST)
		attr = req->tb[ESPTUN_SA_A_SPI];
	else if (err == -ENOENT)
		attr = req->tb[ESPTUN_SA_A_PEER];
	return attr ?: info->attrs[ESPTUN_A_SA];
}

int esptun_nl_sa_new_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct esptun_sa_request req;
	int err;

	err = esptun_netlink_parse_sa(info, &req, ESPTUN_REQ_NEW);
	if (err)
		return err;
	err = esptun_sa_new(request_link(info), &req.p, info->extack);
	if (err)
		blame(info, err, culprit(&req, info, err));
	esptun_netlink_parse_sa_end(&req);
	return err;
}

/* @request: of ESPTUN_REQ_*, one about an SA there is */
static int with_sa(struct genl_info *info, u8 request,
		   int (*op)(struct genl_info *info, struct esptun_sa *sa,
			     const struct esptun_sa_params *params))
{
	struct esptun_sa_request req;
	struct esptun_sa *sa;
	int err;

	err = esptun_netlink_parse_sa(info, &req, request);
	if (err)
		return err;
	sa = esptun_sa_find(request_link(info), req.p.dir, req.p.spi,
			    req.p.peer);
	if (sa) {
		err = op(info, sa, &req.p);
	} else {
		NL_SET_ERR_MSG_ATTR(
			info->extack, req.tb[ESPTUN_SA_A_SPI],
			"no SA with this direction, spi and peer on the link");
		err = -ENOENT;
	}
	esptun_netlink_parse_sa_end(&req);
	return err;
}

static int set_sa(struct genl_info *info, struct esptun_sa *sa,
		  const struct esptun_sa_params *params)
{
	return blame(info, esptun_sa_set(sa, params, info->extack),
		     info->attrs[ESPTUN_A_SA]);
}

int esptun_nl_sa_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	return with_sa(info, ESPTUN_REQ_SET, set_sa);
}

static int del_sa(struct genl_info *info, struct esptun_sa *sa,
		  const struct esptun_sa_params *params)
{
	esptun_sa_del(sa);
	return 0;
}

int esptun_nl_sa_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	return with_sa(info, ESPTUN_REQ_NAME, del_sa);
}

static int get_sa(struct genl_info *info, struct esptun_sa *sa,
		  const struct esptun_sa_params *params)
{
	struct sk_buff *msg =
		genlmsg_new(esptun_netlink_sa_size(sa), GFP_KERNEL);
	const struct esptun_receiver to = asker(info);

	if (!msg)
		return -ENOMEM;
	return answer(info, msg,
		      esptun_netlink_fill_sa(msg, &to, ESPTUN_CMD_SA_GET, sa,
					     info->attrs[ESPTUN_A_SHOW_KEYS]));
}

int esptun_nl_sa_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	return with_sa(info, ESPTUN_REQ_NAME, get_sa);
}

int esptun_nl_spi_alloc_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct esptun_link *link = request_link(info);
	const struct esptun_receiver to = asker(info);
	struct esptun_sa_request req;
	struct esptun_sa *sa;
	struct sk_buff *msg;
	int err;

	/* First, so that nothing has to be undone for want of memory. */
	msg = genlmsg_new(ESPTUN_NETLINK_SIZE, GFP_KERNEL);
	if (!msg)
		return -ENOMEM;
	err = esptun_netlink_parse_sa(info, &req, ESPTUN_REQ_SPI);
	if (err)
		goto free_msg;
	if (req.tb[ESPTUN_SA_A_DIR] && req.p.dir != ESPTUN_SA_DIR_IN) {
		NL_SET_ERR_MSG_ATTR(
			info->extack, req.tb[ESPTUN_SA_A_DIR],
			"dir: only inbound SPIs are ours to choose");
		err = -EINVAL;
		goto end_req;
	}
	err = esptun_sa_spi_alloc(link, req.p.peer, &req.p.spi, info->extack);
	if (err) {
		blame(info, err, culprit(&req, info, err));
		goto end_req;
	}
	esptun_netlink_parse_sa_end(&req);
	sa = esptun_sa_find(link, ESPTUN_SA_DIR_IN, req.p.spi, req.p.peer);
	err = esptun_netlink_fill_sa(msg, &to, ESPTUN_CMD_SPI_ALLOC, sa, false);
	WARN_ON_ONCE(err);
	/* An asker whose socket is full never learns the SPI. */
	err = answer(info, msg, err);
	if (err)
		esptun_sa_del(sa);
	return err;

end_req:
	esptun_netlink_parse_sa_end(&req);
free_msg:
	nlmsg_free(msg);
	return err;
}

int esptun_nl_flush_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct esptun_sa_request req = {};
	int err;

	if (info->attrs[ESPTUN_A_SA]) {
		err = esptun_netlink_parse_sa(info, &req, ESPTUN_REQ_FLUSH);
		if (err)
			return err;
		esptun_netlink_parse_sa_end(&req);
	}
	err = esptun_sa_flush(request_link(info), req.p.peer);
	if (err)
		NL_SET_ERR_MSG_ATTR(info->extack, req.tb[ESPTUN_SA_A_PEER],
				    "no peer with this id on the link");
	return err;
}

/* ---- IKE channel --------------------------------------------------------- */

int esptun_nl_ike_bind_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct esptun_net *en = esptun_dev_net(genl_info_net(info));

	if (en->agent && en->agent != info->snd_portid) {
		NL_SET_ERR_MSG(
			info->extack,
			"another agent holds the IKE channel of this network namespace");
		return -EBUSY;
	}
	return esptun_ike_bind(en, NETLINK_CB(skb).sk, info->snd_portid);
}

int esptun_nl_ike_send_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct esptun_ike_request req;
	int err = esptun_netlink_parse_ike(info, &req);

	if (err)
		return err;
	return blame(info,
		     esptun_udp_ike_send(request_link(info), &req.local,
					 &req.remote, req.data, req.len,
					 info->extack),
		     info->attrs[ESPTUN_A_IKE]);
}

/* A netlink socket was closed: if it was the agent's, another may bind. */
static int netlink_event(struct notifier_block *nb, unsigned long event,
			 void *data)
{
	const struct netlink_notify *n = data;
	struct esptun_net *en;

	if (event != NETLINK_URELEASE || n->protocol != NETLINK_GENERIC)
		return NOTIFY_DONE;
	en = esptun_dev_net(n->net);
	if (READ_ONCE(en->agent) != n->portid)
		return NOTIFY_DONE;
	mutex_lock(&en->lock);
	if (en->agent == n->portid)
		esptun_ike_unbind(en);
	mutex_unlock(&en->lock);
	return NOTIFY_DONE;
}

static struct notifier_block netlink_notifier = {
	.notifier_call = netlink_event,
};

/* ---- family -------------------------------------------------------------- */

/* Leaves all checks to esptun_netlink_check_policy(). */
static const struct nla_policy unchecked[ARRAY_SIZE(esptun_nl_policy)];

/* Who may not ask may not listen either. */
static const struct genl_multicast_group mcgrps[] = {
	[ESPTUN_NLGRP_EVENTS] = { .name = ESPTUN_MCGRP_EVENTS,
				  COMPAT_MCAST_NET_ADMIN },
};

struct genl_family esptun_nl_family __ro_after_init = {
	.name = ESPTUN_GENL_NAME,
	.version = ESPTUN_GENL_VERSION,
	.module = THIS_MODULE,
	.netnsok = true,
	.parallel_ops = true,
	.resv_start_op = ESPTUN_CMD_MAX + 1,
	.policy = unchecked,
	.maxattr = ARRAY_SIZE(unchecked) - 1,
	.pre_doit = pre_doit,
	.post_doit = post_doit,
	.small_ops = esptun_nl_ops,
	.n_small_ops = ARRAY_SIZE(esptun_nl_ops),
	.mcgrps = mcgrps,
	.n_mcgrps = ARRAY_SIZE(mcgrps),
};

int __init esptun_netlink_module_init(void)
{
	int err;

	err = netlink_register_notifier(&netlink_notifier);
	if (err)
		return err;
	err = genl_register_family(&esptun_nl_family);
	if (err) {
		netlink_unregister_notifier(&netlink_notifier);
		return err;
	}
	esptun_event_listen(&esptun_notify_listener);
	return 0;
}

void esptun_netlink_module_exit(void)
{
	esptun_event_listen(NULL);
	genl_unregister_family(&esptun_nl_family);
	netlink_unregister_notifier(&netlink_notifier);
}
