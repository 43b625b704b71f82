/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The link (netdevice) and what a network namespace holds.
 *
 * Everything belongs to the netns the link was created in (link->net); the
 * netdevice may live in another one, like WireGuard's.
 *
 * Locking. esptun_net.lock is the configuration lock: links, peers, SAs and
 * sockets of a netns change only under it, and dumps hold it. It nests inside
 * rtnl, so never take rtnl under it. Packets use RCU, the peer's endpoint
 * seqlock, and spinlocks that are held for a few lines: that of sa->early, with
 * peer->receiving.lock or sa->lock inside; sa->sending.lock, with sa->lock
 * inside; peer->receiving.lock; those of cells and of held packets.
 */
#ifndef ESPTUN_LINK_H
#define ESPTUN_LINK_H

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/netdevice.h>
#include <linux/rhashtable.h>
#include <linux/seqlock.h>
#include <linux/spinlock.h>
#include <linux/timer.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include <net/net_namespace.h>
#include "rx/cells.h"
#include "encap/endpoint.h"
#include "encap/header.h"
#include "tx/hold.h"
#include "limits.h"
#include "sa/sadb.h"
#include "stats.h"
#include "encap/udp.h"

struct esptun_ike;

/**
 * struct esptun_net - one network namespace
 * @net: back pointer
 * @lock: the configuration lock
 * @links: struct esptun_link.node, under @lock
 * @socks: struct esptun_sock.node, under @lock
 * @sa_in: inbound SAs by SPI; changes under @lock, lookups under RCU
 * @keys_out: outbound SAs by key, under @lock
 * @spis_out: outbound SAs by SPI, of which several may have the same; changes
 *	under @lock, lookups under RCU
 * @generation: raised with every change to links, peers or SAs, under @lock;
 *	a dump that sees two values was interrupted (NLM_F_DUMP_INTR)
 * @serial: last esptun_sa.serial given out, under @lock
 * @n_sas: SAs of all links, under @lock
 * @agent: netlink port ID of the IKE agent, 0 for none. Written under @lock,
 *	read anywhere with READ_ONCE
 * @agent_sk: its socket; RCU
 * @ike: what sources sent lately, since the first agent
 * @known: struct esptun_peer by remote endpoint, see ike.c
 * @early_truesize: memory that early packets take, see early.h
 * @stats: what belongs to no link
 * @dying: @sa_in and @spis_out go, and nothing may be looked for in them any more:
 *	protocol 50 comes as long as there are devices. Written once, pairs with a
 *	grace period
 */
struct esptun_net {
	struct net *net;
	struct mutex lock;
	struct list_head links;
	struct list_head socks;
	struct rhashtable sa_in;
	struct rhashtable keys_out;
	struct rhltable spis_out;
	unsigned int generation;
	u64 serial;
	unsigned int n_sas;
	u32 agent;
	struct sock __rcu *agent_sk;
	struct esptun_ike *ike;
	struct rhltable known;
	atomic_t early_truesize;
	struct esptun_stats __percpu *stats;
	bool dying;
};

/**
 * struct esptun_link - the private part of the netdevice
 * @dev: the netdevice
 * @net: creation netns
 * @en: its state
 * @node: in esptun_net.links
 * @dead: going away, no new objects; under esptun_net.lock
 * @us: encapsulation socket, from ndo_init to ndo_uninit; RCU
 * @port: its port
 * @underlay: index, in @net, of the device or VRF that outer packets take and
 *	come from, 0 for any
 * @local_lock: protects @local; written under rtnl, too
 * @local: outer source address, for peers at addresses of its family
 * @fwmark: mark on outer packets
 * @header: what outer IP headers are like, where a peer has nothing else
 * @udpcsum: enum esptun_udpcsum
 * @mtu_user: the MTU was set by hand; under rtnl
 * @mtu_ours: the MTU change in progress is ours; under rtnl
 * @mtu_floored: the automatic MTU is more than fits, for IPv6; under rtnl
 * @peers: struct esptun_peer by id; changes under esptun_net.lock, RCU
 * @n_peers: how many, under esptun_net.lock
 * @n_pairs: peers with usable SAs in both directions, under esptun_net.lock
 * @n_on_demand: peers for which an agent makes further SAs; likewise
 * @n_idle: peers without a usable outbound SA; written under
 *	esptun_net.lock, read anywhere
 * @out: outbound SAs by selector
 * @cells: inner GRO
 * @stats: counters
 * @expired: an SA stopped being usable, the counts are to be made anew
 * @untold: some peer moved and nobody was told yet
 * @n_larval: reserved SPIs, under esptun_net.lock
 * @update: brings operational state, held packets and MTU in line with the SAs
 * @release: sends held packets
 * @held: packets waiting for an SA
 * @held_timer: gives them up
 * @held_expire: how
 *
 * @port, @underlay, @fwmark, @udpcsum and the members of @header are written
 * under rtnl and read with READ_ONCE.
 */
struct esptun_link {
	struct net_device *dev;
	struct net *net;
	struct esptun_net *en;
	struct list_head node;
	bool dead;
	struct esptun_sock __rcu *us;
	__be16 port;
	int underlay;
	seqlock_t local_lock;
	struct esptun_addr local;
	u32 fwmark;
	struct esptun_header header;
	u8 udpcsum;
	bool mtu_user;
	bool mtu_ours;
	bool mtu_floored;
	struct xarray peers;
	unsigned int n_peers;
	unsigned int n_pairs;
	unsigned int n_idle;
	unsigned int n_on_demand;
	struct esptun_sadb_out out;
	struct esptun_cells cells;
	struct esptun_stats __percpu *stats;
	bool expired;
	bool untold;
	unsigned int n_larval;
	struct delayed_work update;
	struct work_struct release;
	struct esptun_hold held;
	struct timer_list held_timer;
	bool (*held_expire)(struct esptun_link *link, bool all);
};

/*
 * Peers or SAs changed, or an SA stopped being usable: bring operational state,
 * held packets and MTU in line soon. With many peers that takes its time, so
 * not for each change on its own. Any context.
 */
static inline void esptun_link_update(struct esptun_link *link)
{
	unsigned int n = READ_ONCE(link->n_peers);
	unsigned int ms = n > ESPTUN_FEW_PEERS ? min(n, 1000u) : 0;

	schedule_delayed_work(&link->update, msecs_to_jiffies(ms));
}

/* There is a new outbound SA: try the held packets at once. Any context. */
static inline void esptun_link_release(struct esptun_link *link)
{
	if (!esptun_hold_empty(&link->held))
		queue_work(system_highpri_wq, &link->release);
}

static inline struct esptun_addr
esptun_link_local(const struct esptun_link *link)
{
	struct esptun_addr local;
	unsigned int seq;

	do {
		seq = read_seqbegin(&link->local_lock);
		local = link->local;
	} while (read_seqretry(&link->local_lock, seq));
	return local;
}

#endif /* ESPTUN_LINK_H */
