// SPDX-License-Identifier: GPL-2.0
/*
 * Requests. All of them run under the configuration lock of the netns the link
 * was made in, so what they look up stays and a refused one has changed nothing.
 * The lock and the link are taken once, before the operation, from its ifindex.
 */
#include "netlink.h"

#include <linux/netlink.h>
#include <linux/notifier.h>
#include "dev.h"
#include "ike.h"
#include "netlink-gen.h"
#include "netlink-parse.h"
#include "netlink-put.h"
#include "notify.h"

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

/* A link in the asker's netns may have been made where the asker has no say. */
static bool may_ask(struct sk_buff *request, const struct esptun_link *link)
{
	return netlink_ns_capable(request, link->net->user_ns, CAP_NET_ADMIN);
}

static int lock_link(struct genl_info *info, struct sk_buff *request)
{
	const struct nlattr *attr = info->attrs[ESPTUN_A_IFINDEX];
	struct esptun_link *link;

	if (!attr) {
		NL_SET_ERR_ATTR_MISS(info->extack, NULL, ESPTUN_A_IFINDEX);
		NL_SET_ERR_MSG(info->extack, "ifindex is missing");
		return -EINVAL;
	}
	link = esptun_dev_lock(genl_info_net(info), nla_get_u32(attr));
	if (!link) {
		NL_SET_ERR_MSG_ATTR(
			info->extack, attr,
			"ifindex: no esptun link of this network namespace");
		return -ENODEV;
	}
	if (!may_ask(request, link)) {
		esptun_dev_unlock(link);
		NL_SET_ERR_MSG_ATTR(
			info->extack, attr,
			"ifindex: needs CAP_NET_ADMIN where the link was made, too");
		return -EPERM;
	}
	info->user_ptr[0] = link;
	return 0;
}

/*
 * What generic netlink should have checked, as strictly as it would: it frees
 * what it refuses without giving us a chance to wipe the keys.
 */
static int check_policy(const struct genlmsghdr *hdr,
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
	int err = check_policy(info->genlhdr, info->extack);

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

/* Keys leave the kernel only to who asks for them. */
static bool show_keys(struct nlattr **attrs)
{
	return attrs[ESPTUN_A_SHOW_KEYS];
}

/* ---- peers --------------------------------------------------------------- */

/* To whom a message goes, and in answer to what. */
struct receiver {
	struct net *net;
	u32 portid;
	u32 seq;
	int flags;
	struct netlink_callback *cb; /* NULL if it is no dump */
};

static struct receiver asker(struct genl_info *info)
{
	return (struct receiver){
		.net = genl_info_net(info),
		.portid = info->snd_portid,
		.seq = info->snd_seq,
	};
}

static struct receiver dumper(struct netlink_callback *cb)
{
	return (struct receiver){
		.net = sock_net(cb->skb->sk),
		.portid = NETLINK_CB(cb->skb).portid,
		.seq = cb->nlh->nlmsg_seq,
		.flags = NLM_F_MULTI,
		.cb = cb,
	};
}

/* A message about @link, or about what belongs to none; NULL if @msg is full. */
static void *begin(struct sk_buff *msg, const struct receiver *to, u8 cmd,
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

static int end(struct sk_buff *msg, void *hdr, int err)
{
	if (err)
		genlmsg_cancel(msg, hdr);
	else
		genlmsg_end(msg, hdr);
	return err;
}

static int fill_peer(struct sk_buff *msg, const struct receiver *to,
		     struct esptun_peer *peer)
{
	void *hdr = begin(msg, to, ESPTUN_CMD_PEER_GET, peer->link);

	if (!hdr)
		return -EMSGSIZE;
	return end(msg, hdr, esptun_netlink_put_peer(msg, peer, true));
}

int esptun_nl_peer_new_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct esptun_peer_params params;
	int err = esptun_netlink_parse_peer(info, &params);

	if (err)
		return err;
	return blame(info,
		     esptun_peer_new(request_link(info), &params, info->extack),
		     info->attrs[ESPTUN_A_PEER]);
}

int esptun_nl_peer_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct esptun_peer_params params;
	int err = esptun_netlink_parse_peer(info, &params);

	if (err)
		return err;
	return blame(info,
		     esptun_peer_set(request_link(info), &params, info->extack),
		     info->attrs[ESPTUN_A_PEER]);
}

int esptun_nl_peer_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct esptun_peer_params params;
	int err = esptun_netlink_parse_peer(info, &params);

	if (err)
		return err;
	return blame(info,
		     esptun_peer_del(request_link(info), params.id,
				     info->extack),
		     info->attrs[ESPTUN_A_PEER]);
}

int esptun_nl_peer_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct esptun_peer_params params;
	struct esptun_peer *peer;
	struct receiver to;
	struct sk_buff *msg;
	int err = esptun_netlink_parse_peer(info, &params);

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
	to = asker(info);
	err = fill_peer(msg, &to, peer);
	if (err) {
		nlmsg_free(msg);
		return err;
	}
	return genlmsg_reply(msg, info);
}

/* ---- SAs ----------------------------------------------------------------- */

static int fill_sa(struct sk_buff *msg, const struct receiver *to, u8 cmd,
		   struct esptun_sa *sa, bool keys)
{
	void *hdr = begin(msg, to, cmd, sa->link);

	if (!hdr)
		return -EMSGSIZE;
	return end(msg, hdr, esptun_netlink_put_sa(msg, sa, keys));
}

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

static struct esptun_sa *find_sa(struct genl_info *info,
				 const struct esptun_sa_request *req)
{
	struct esptun_sa *sa = esptun_sa_find(request_link(info), req->p.dir,
					      req->p.spi, req->p.peer);

	if (!sa)
		NL_SET_ERR_MSG_ATTR(
			info->extack, req->tb[ESPTUN_SA_A_SPI],
			"no SA with this direction, spi and peer on the link");
	return sa;
}

int esptun_nl_sa_new_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct esptun_sa_request req;
	int err;

	err = esptun_netlink_parse_sa(info, &req,
				      ESPTUN_NEED_SPI | ESPTUN_NEED_DIR |
					      ESPTUN_NEED_PEER |
					      ESPTUN_NEED_KEY);
	if (err)
		return err;
	err = esptun_sa_new(request_link(info), &req.p, info->extack);
	if (err)
		blame(info, err, culprit(&req, info, err));
	esptun_netlink_parse_sa_end(&req);
	return err;
}

int esptun_nl_sa_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct esptun_sa_request req;
	struct esptun_sa *sa;
	int err;

	err = esptun_netlink_parse_sa(info, &req,
				      ESPTUN_NEED_NAME | ESPTUN_ONLY_CHANGES);
	if (err)
		return err;
	sa = find_sa(info, &req);
	if (sa)
		err = blame(info, esptun_sa_set(sa, &req.p, info->extack),
			    info->attrs[ESPTUN_A_SA]);
	else
		err = -ENOENT;
	esptun_netlink_parse_sa_end(&req);
	return err;
}

int esptun_nl_sa_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct esptun_sa_request req;
	struct esptun_sa *sa;
	int err;

	err = esptun_netlink_parse_sa(info, &req, ESPTUN_NEED_NAME);
	if (err)
		return err;
	sa = find_sa(info, &req);
	if (sa)
		esptun_sa_del(sa);
	else
		err = -ENOENT;
	esptun_netlink_parse_sa_end(&req);
	return err;
}

static int reply_sa(struct genl_info *info, struct esptun_sa *sa, bool keys)
{
	const struct receiver to = asker(info);
	struct sk_buff *msg;
	int err;

	msg = genlmsg_new(esptun_netlink_sa_size(sa), GFP_KERNEL);
	if (!msg)
		return -ENOMEM;
	err = fill_sa(msg, &to, ESPTUN_CMD_SA_GET, sa, keys);
	if (err) {
		nlmsg_free(msg);
		return err;
	}
	return genlmsg_reply(msg, info);
}

int esptun_nl_sa_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct esptun_sa_request req;
	struct esptun_sa *sa;
	int err;

	err = esptun_netlink_parse_sa(info, &req, ESPTUN_NEED_NAME);
	if (err)
		return err;
	sa = find_sa(info, &req);
	err = sa ? reply_sa(info, sa, show_keys(info->attrs)) : -ENOENT;
	esptun_netlink_parse_sa_end(&req);
	return err;
}

int esptun_nl_spi_alloc_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct esptun_link *link = request_link(info);
	const struct receiver to = asker(info);
	struct esptun_sa_request req;
	struct esptun_sa *sa;
	struct sk_buff *msg;
	int err;

	/* First, so that nothing has to be undone for want of memory. */
	msg = genlmsg_new(ESPTUN_NETLINK_SIZE, GFP_KERNEL);
	if (!msg)
		return -ENOMEM;
	err = esptun_netlink_parse_sa(info, &req, ESPTUN_NEED_PEER);
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
	err = fill_sa(msg, &to, ESPTUN_CMD_SPI_ALLOC, sa, false);
	if (WARN_ON_ONCE(err)) {
		esptun_sa_del(sa);
		goto free_msg;
	}
	return genlmsg_reply(msg, info);

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
		err = esptun_netlink_parse_sa(info, &req, ESPTUN_NEED_PEER);
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

/* ---- dumps --------------------------------------------------------------- */

/*
 * Where a dump stands, in netlink_callback.args: how many links of the netns are
 * done, the index of the last link made elsewhere that is, in the current one the
 * next peer id and the serial of the last SA shown, and whether what belongs to
 * no link is done. Objects that come and go in between show as NLM_F_DUMP_INTR.
 */
struct dump_position {
	unsigned long links;
	unsigned long guest;
	unsigned long peer;
	unsigned long serial;
	unsigned long done;
};

static struct dump_position *dump_position(struct netlink_callback *cb)
{
	BUILD_BUG_ON(sizeof(struct dump_position) > sizeof(cb->args));
	return (struct dump_position *)cb->args;
}

typedef int (*dump_link_fn)(struct sk_buff *msg, struct netlink_callback *cb,
			    struct esptun_link *link, bool keys);

/* The next link begins at its first peer and SA. */
static int dump_link(struct sk_buff *msg, struct netlink_callback *cb,
		     struct esptun_link *link, dump_link_fn fn, bool keys)
{
	struct dump_position *pos = dump_position(cb);
	int err = fn(msg, cb, link, keys);

	if (!err) {
		pos->peer = 0;
		pos->serial = 0;
	}
	return err;
}

static int dump_one(struct sk_buff *msg, struct netlink_callback *cb,
		    const struct nlattr *ifindex, dump_link_fn fn, bool keys)
{
	struct esptun_link *link =
		esptun_dev_lock(sock_net(cb->skb->sk), nla_get_u32(ifindex));
	struct dump_position *pos = dump_position(cb);
	int err = 0;

	/* Gone half way through: the dump ends, marked interrupted. */
	if (!link && cb->prev_seq)
		return 0;
	if (!link) {
		NL_SET_ERR_MSG_ATTR(
			cb->extack, ifindex,
			"ifindex: no esptun link of this network namespace");
		return -ENODEV;
	}
	if (!may_ask(cb->skb, link)) {
		NL_SET_ERR_MSG_ATTR(
			cb->extack, ifindex,
			"ifindex: needs CAP_NET_ADMIN where the link was made, too");
		err = -EPERM;
	} else if (!pos->links) {
		err = dump_link(msg, cb, link, fn, keys);
		pos->links = !err;
	}
	esptun_dev_unlock(link);
	return err;
}

/* The links made in this netns, wherever they are. */
static int dump_own(struct sk_buff *msg, struct netlink_callback *cb,
		    dump_link_fn fn, bool keys)
{
	struct esptun_net *en = esptun_dev_net(sock_net(cb->skb->sk));
	struct dump_position *pos = dump_position(cb);
	struct esptun_link *link;
	unsigned long i = 0;
	int err = 0;

	mutex_lock(&en->lock);
	list_for_each_entry(link, &en->links, node) {
		if (i++ < pos->links)
			continue;
		err = dump_link(msg, cb, link, fn, keys);
		if (err)
			break;
		pos->links = i;
	}
	mutex_unlock(&en->lock);
	return err;
}

/* Those in this netns that were made elsewhere; some are none of the asker's. */
static int dump_guests(struct sk_buff *msg, struct netlink_callback *cb,
		       dump_link_fn fn, bool keys)
{
	struct dump_position *pos = dump_position(cb);
	struct net *net = sock_net(cb->skb->sk);
	struct esptun_link *link;
	int err = 0;

	while (!err && (link = esptun_dev_lock_guest(net, pos->guest))) {
		if (may_ask(cb->skb, link))
			err = dump_link(msg, cb, link, fn, keys);
		if (!err)
			pos->guest = READ_ONCE(link->dev->ifindex);
		esptun_dev_unlock(link);
	}
	return err;
}

/* For genl_dump_check_consistent(); 0 would switch the comparison off. */
static unsigned int dump_seq(const struct netlink_callback *cb)
{
	return esptun_dev_generation(sock_net(cb->skb->sk)) * 2 + 1;
}

/* Call @fn for the links asked for, until the message is full. */
static int dump(struct sk_buff *msg, struct netlink_callback *cb,
		dump_link_fn fn, bool keys)
{
	const struct nlattr *attr = genl_info_dump(cb)->attrs[ESPTUN_A_IFINDEX];
	int err = check_policy(nlmsg_data(cb->nlh), cb->extack);

	if (err)
		return err;
	cb->seq = dump_seq(cb);
	if (attr) {
		err = dump_one(msg, cb, attr, fn, keys);
	} else {
		err = dump_own(msg, cb, fn, keys);
		if (!err)
			err = dump_guests(msg, cb, fn, keys);
	}
	/* Also a change before the lock was taken shows, in what comes next. */
	cb->seq = dump_seq(cb);

	/* A full message with something in it is what a dump is made of. */
	return err == -EMSGSIZE && msg->len ? msg->len : err ?: msg->len;
}

static int dump_peers(struct sk_buff *msg, struct netlink_callback *cb,
		      struct esptun_link *link, bool keys)
{
	struct dump_position *pos = dump_position(cb);
	const struct receiver to = dumper(cb);
	struct esptun_peer *peer;
	unsigned long id;
	int err;

	xa_for_each_start(&link->peers, id, peer, pos->peer) {
		err = fill_peer(msg, &to, peer);
		if (err)
			return err;
		pos->peer = id + 1;
	}
	return 0;
}

int esptun_nl_peer_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	return dump(skb, cb, dump_peers, false);
}

/* An SA with many selectors may need more than a dump's usual message. */
static int make_room(struct sk_buff *msg, const struct esptun_sa *sa)
{
	size_t size = esptun_netlink_sa_size(sa);

	if (msg->len || skb_tailroom(msg) >= size)
		return 0;
	return pskb_expand_head(msg, 0, size - skb_tailroom(msg), GFP_KERNEL);
}

static int dump_peer_sas(struct sk_buff *msg, struct netlink_callback *cb,
			 struct esptun_peer *peer, bool keys)
{
	struct dump_position *pos = dump_position(cb);
	const struct receiver to = dumper(cb);
	struct esptun_sa *sa;
	int err;

	list_for_each_entry(sa, &peer->sas, peer_node) {
		if (sa->serial <= pos->serial)
			continue;
		err = make_room(msg, sa);
		if (!err)
			err = fill_sa(msg, &to, ESPTUN_CMD_SA_GET, sa, keys);
		if (err)
			return err;
		pos->serial = sa->serial;
	}
	return 0;
}

static int dump_sas(struct sk_buff *msg, struct netlink_callback *cb,
		    struct esptun_link *link, bool keys)
{
	struct dump_position *pos = dump_position(cb);
	struct esptun_peer *peer;
	unsigned long id;
	int err;

	xa_for_each_start(&link->peers, id, peer, pos->peer) {
		if (id != pos->peer)
			pos->serial = 0;
		pos->peer = id;
		err = dump_peer_sas(msg, cb, peer, keys);
		if (err)
			return err;
		pos->peer = id + 1;
		pos->serial = 0;
	}
	return 0;
}

int esptun_nl_sa_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	return dump(skb, cb, dump_sas, show_keys(genl_info_dump(cb)->attrs));
}

static int fill_stats(struct sk_buff *msg, struct netlink_callback *cb,
		      const struct esptun_link *link,
		      struct esptun_stats __percpu *stats)
{
	const struct receiver to = dumper(cb);
	void *hdr = begin(msg, &to, ESPTUN_CMD_STATS_GET, link);

	if (!hdr)
		return -EMSGSIZE;
	return end(msg, hdr, esptun_netlink_put_stats(msg, stats));
}

static int dump_stats(struct sk_buff *msg, struct netlink_callback *cb,
		      struct esptun_link *link, bool keys)
{
	return fill_stats(msg, cb, link, link->stats);
}

/* What belongs to no link comes first, then the links. */
int esptun_nl_stats_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct esptun_net *en = esptun_dev_net(sock_net(cb->skb->sk));
	struct dump_position *pos = dump_position(cb);
	int err = check_policy(nlmsg_data(cb->nlh), cb->extack);

	if (err)
		return err;
	if (!pos->done && !genl_info_dump(cb)->attrs[ESPTUN_A_IFINDEX]) {
		cb->seq = dump_seq(cb);
		err = fill_stats(skb, cb, NULL, en->stats);
		if (err)
			return err;
	}
	pos->done = 1;
	return dump(skb, cb, dump_stats, false);
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

/* Leaves all checks to check_policy(). */
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
