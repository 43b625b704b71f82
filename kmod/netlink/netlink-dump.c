// SPDX-License-Identifier: GPL-2.0
#include <linux/netlink.h>
#include "dev.h"
#include "netlink/netlink-gen.h"
#include "netlink/netlink-object.h"
#include "netlink/netlink.h"

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

static struct esptun_receiver dumper(struct netlink_callback *cb)
{
	return (struct esptun_receiver){
		.net = sock_net(cb->skb->sk),
		.portid = NETLINK_CB(cb->skb).portid,
		.seq = cb->nlh->nlmsg_seq,
		.flags = NLM_F_MULTI,
		.cb = cb,
	};
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
	struct esptun_link *link = esptun_netlink_lock(
		cb->skb, ifindex, cb->prev_seq ? NULL : cb->extack);
	struct dump_position *pos = dump_position(cb);
	int err = 0;

	/* Gone half way through: the dump ends, marked interrupted. */
	if (link == ERR_PTR(-ENODEV) && cb->prev_seq)
		return 0;
	if (IS_ERR(link))
		return PTR_ERR(link);
	if (!pos->links) {
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
		if (esptun_netlink_may_ask(cb->skb, link))
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
	int err = esptun_netlink_check_policy(nlmsg_data(cb->nlh), cb->extack);

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
	const struct esptun_receiver to = dumper(cb);
	struct esptun_peer *peer;
	unsigned long id;
	int err;

	xa_for_each_start(&link->peers, id, peer, pos->peer) {
		err = esptun_netlink_fill_peer(msg, &to, peer);
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
	const struct esptun_receiver to = dumper(cb);
	struct esptun_sa *sa;
	int err;

	list_for_each_entry(sa, &peer->sas, peer_node) {
		if (sa->serial <= pos->serial)
			continue;
		err = make_room(msg, sa);
		if (!err)
			err = esptun_netlink_fill_sa(
				msg, &to, ESPTUN_CMD_SA_GET, sa, keys);
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
	return dump(skb, cb, dump_sas,
		    genl_info_dump(cb)->attrs[ESPTUN_A_SHOW_KEYS]);
}

static int fill_stats(struct sk_buff *msg, struct netlink_callback *cb,
		      const struct esptun_link *link,
		      struct esptun_stats __percpu *stats)
{
	const struct esptun_receiver to = dumper(cb);
	void *hdr = esptun_netlink_begin(msg, &to, ESPTUN_CMD_STATS_GET, link);

	if (!hdr)
		return -EMSGSIZE;
	return esptun_netlink_end(msg, hdr,
				  esptun_netlink_put_stats(msg, stats));
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
	int err = esptun_netlink_check_policy(nlmsg_data(cb->nlh), cb->extack);

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
