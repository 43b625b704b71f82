// SPDX-License-Identifier: GPL-2.0
/*
 * Events for the multicast group and IKE datagrams for the agent. Losing one
 * is never an error of the operation it reports: a listener whose socket is
 * full learns that from netlink and dumps again.
 */
#include <linux/skbuff.h>
#include <net/genetlink.h>
#include "link.h"
#include "netlink/netlink-gen.h"
#include "netlink/netlink-object.h"
#include "netlink/netlink.h"
#include "netlink/notify.h"
#include "sa/peer.h"
#include "sa/sa.h"

/* An event under way. */
struct event {
	struct sk_buff *msg;
	void *hdr;
};

/* Return: false if nobody listens or memory is short. */
static bool event_begin(struct event *e, struct esptun_link *link, u8 cmd,
			size_t size, gfp_t gfp)
{
	const struct esptun_receiver to = { .net = link->net };

	if (!genl_has_listeners(&esptun_nl_family, link->net,
				ESPTUN_NLGRP_EVENTS))
		return false;
	e->msg = genlmsg_new(size, gfp);
	if (!e->msg)
		return false;
	e->hdr = esptun_netlink_begin(e->msg, &to, cmd, link);
	if (!e->hdr) {
		nlmsg_free(e->msg);
		return false;
	}
	return true;
}

/* @err: of the attributes put since event_begin() */
static void event_end(struct event *e, struct esptun_link *link, int err,
		      gfp_t gfp)
{
	/* The sizes are upper bounds. */
	if (WARN_ON_ONCE(err)) {
		nlmsg_free(e->msg);
		return;
	}
	genlmsg_end(e->msg, e->hdr);
	genlmsg_multicast_netns(&esptun_nl_family, link->net, e->msg, 0,
				ESPTUN_NLGRP_EVENTS, gfp);
}

static void notify_acquire(struct esptun_link *link, struct esptun_peer *peer,
			   const struct esptun_flow *flow,
			   const unsigned int *cpu)
{
	struct event e;
	int err = 0;

	if (!event_begin(&e, link, ESPTUN_CMD_ACQUIRE, ESPTUN_NETLINK_SIZE,
			 GFP_ATOMIC))
		return;
	if (peer)
		err = esptun_netlink_put_peer_brief(e.msg, peer);
	if (!err)
		err = esptun_netlink_put_flow(e.msg, flow, cpu);
	event_end(&e, link, err, GFP_ATOMIC);
}

static void notify_expire(struct esptun_sa *sa, u8 reason)
{
	struct event e;
	int err;

	if (!event_begin(&e, sa->link, ESPTUN_CMD_EXPIRE, ESPTUN_NETLINK_SIZE,
			 GFP_ATOMIC))
		return;
	err = esptun_netlink_put_sa_brief(e.msg, sa);
	if (!err)
		err = nla_put_u8(e.msg, ESPTUN_A_EXPIRE_REASON, reason);
	event_end(&e, sa->link, err, GFP_ATOMIC);
}

static void notify_peer_moved(struct esptun_peer *peer)
{
	struct event e;

	if (!event_begin(&e, peer->link, ESPTUN_CMD_PEER_MOVED,
			 ESPTUN_NETLINK_SIZE, GFP_ATOMIC))
		return;
	event_end(&e, peer->link, esptun_netlink_put_peer_brief(e.msg, peer),
		  GFP_ATOMIC);
}

static void notify_peer(struct esptun_peer *peer, u8 cmd)
{
	struct event e;

	if (!event_begin(&e, peer->link, cmd, ESPTUN_NETLINK_SIZE, GFP_KERNEL))
		return;
	event_end(&e, peer->link, esptun_netlink_put_peer(e.msg, peer, false),
		  GFP_KERNEL);
}

static void notify_sa(struct esptun_sa *sa, u8 cmd)
{
	struct event e;

	if (!event_begin(&e, sa->link, cmd, esptun_netlink_sa_size(sa),
			 GFP_KERNEL))
		return;
	event_end(&e, sa->link, esptun_netlink_put_sa(e.msg, sa, false),
		  GFP_KERNEL);
}

/* ---- IKE channel --------------------------------------------------------- */

static int notify_ike_recv(struct esptun_net *en,
			   const struct esptun_endpoint *local,
			   const struct esptun_endpoint *remote,
			   const struct sk_buff *skb, unsigned int offset,
			   unsigned int len)
{
	u32 agent = READ_ONCE(en->agent);
	struct sk_buff *msg;
	void *hdr;
	int err;

	if (!agent)
		return -ENOTCONN;
	msg = genlmsg_new(esptun_netlink_ike_size(local, remote) + len,
			  GFP_ATOMIC);
	if (!msg)
		return -ENOMEM;
	hdr = genlmsg_put(msg, 0, 0, &esptun_nl_family, 0, ESPTUN_CMD_IKE_RECV);
	if (!hdr ||
	    esptun_netlink_put_ike(msg, local, remote, skb, offset, len)) {
		nlmsg_free(msg);
		return -ENOMEM;
	}
	genlmsg_end(msg, hdr);

	err = genlmsg_unicast(en->net, msg, agent);
	if (err == -ECONNREFUSED)
		return -ENOTCONN;
	return err ? -ENOBUFS : 0;
}

const struct esptun_listener esptun_notify_listener = {
	.acquire = notify_acquire,
	.expire = notify_expire,
	.peer_moved = notify_peer_moved,
	.peer = notify_peer,
	.sa = notify_sa,
	.ike_recv = notify_ike_recv,
};
