// SPDX-License-Identifier: GPL-2.0
#include <linux/capability.h>
#include <linux/ethtool.h>
#include <linux/if_arp.h>
#include <linux/inetdevice.h>
#include <linux/rtnetlink.h>
#include <net/addrconf.h>
#include <net/netns/generic.h>
#include "dev.h"
#include "util/order.h"
#include "rx/ike.h"
#include "sa/peer.h"
#include "sa/reclaim.h"
#include "rx/rx.h"
#include "sa/sa.h"
#include "util/spread.h"
#include "sa/timer.h"
#include "tx/tx.h"

/* IPv4, UDP, ESP header, IV, ICV, shortest trailer of the usual algorithms. */
#define USUAL_OVERHEAD 62

static unsigned int net_id __read_mostly;
static struct rtnl_link_ops link_ops;

struct esptun_net *esptun_dev_net(const struct net *net)
{
	return net_generic(net, net_id);
}

/* ---- finding links ---- */

static const struct net_device_ops dev_ops;

bool esptun_dev_is_link(const struct net_device *dev)
{
	return dev->netdev_ops == &dev_ops;
}

/* Made elsewhere than where it is. */
static bool is_guest(const struct net_device *dev)
{
	const struct esptun_link *link = netdev_priv(dev);

	return esptun_dev_is_link(dev) && !net_eq(link->net, dev_net(dev));
}

/* @dev is held: with the link locked it stays so, without one it is given back. */
static struct esptun_link *lock_held(struct net_device *dev)
{
	struct esptun_link *link = netdev_priv(dev);

	mutex_lock(&link->en->lock);
	/* Before link_attach() and after link_uninit() it is in no list. */
	if (!list_empty(&link->node))
		return link;
	mutex_unlock(&link->en->lock);
	dev_put(dev);
	return NULL;
}

static struct esptun_link *lock_moved(struct esptun_net *en, int ifindex)
{
	struct esptun_link *link, *found = NULL;
	unsigned int n = 0;

	mutex_lock(&en->lock);
	list_for_each_entry(link, &en->links, node) {
		if (READ_ONCE(link->dev->ifindex) == ifindex &&
		    !net_eq(dev_net(link->dev), en->net)) {
			found = link;
			n++;
		}
	}
	if (n == 1) {
		dev_hold(found->dev);
		return found;
	}
	mutex_unlock(&en->lock);
	return NULL;
}

struct esptun_link *esptun_dev_lock(struct net *net, int ifindex)
{
	struct net_device *dev = dev_get_by_index(net, ifindex);

	if (dev && esptun_dev_is_link(dev))
		return lock_held(dev);
	dev_put(dev);
	return lock_moved(esptun_dev_net(net), ifindex);
}

struct esptun_link *esptun_dev_lock_guest(struct net *net, int after)
{
	struct net_device *dev, *next;
	struct esptun_link *link;

	do {
		next = NULL;
		rcu_read_lock();
		for_each_netdev_rcu(net, dev) {
			if (is_guest(dev) && dev->ifindex > after &&
			    (!next || dev->ifindex < next->ifindex))
				next = dev;
		}
		dev_hold(next);
		rcu_read_unlock();
		if (!next)
			return NULL;
		after = next->ifindex;
		link = lock_held(next);
	} while (!link);
	return link;
}

void esptun_dev_unlock(struct esptun_link *link)
{
	struct net_device *dev = link->dev;

	mutex_unlock(&link->en->lock);
	dev_put(dev);
}

unsigned int esptun_dev_generation(struct net *net)
{
	unsigned int sum = READ_ONCE(esptun_dev_net(net)->generation);
	const struct esptun_link *link;
	struct net_device *dev;

	rcu_read_lock();
	for_each_netdev_rcu(net, dev) {
		link = netdev_priv(dev);
		if (is_guest(dev))
			sum += READ_ONCE(link->en->generation) + dev->ifindex;
	}
	rcu_read_unlock();
	return sum;
}

/* ---- following peers and SAs ---- */

/* What fits the first hop to every peer; without any, the usual. */
static unsigned int auto_mtu(struct esptun_link *link)
{
	unsigned int mtu = ETH_DATA_LEN - USUAL_OVERHEAD;
	struct esptun_peer *peer;
	unsigned int least = 0;
	unsigned int one;
	unsigned long id;

	xa_for_each(&link->peers, id, peer) {
		one = esptun_peer_mtu(peer, false);
		if (one && (!least || one < least))
			least = one;
	}
	return clamp(least ?: mtu, (unsigned int)ESPTUN_MTU_MIN,
		     (unsigned int)ESPTUN_MTU_MAX);
}

/*
 * The stack takes IPv6 off a netdevice whose MTU is below 1,280, with addresses,
 * routes and settings, and does not give them back. So the automatic MTU stays
 * there as long as the netdevice has IPv6: longer outer packets leave in
 * fragments (tx.c).
 */
static unsigned int keep_ip6(struct esptun_link *link, unsigned int mtu)
{
	bool short_of = mtu < IPV6_MIN_MTU && __in6_dev_get(link->dev);

	if (short_of && !link->mtu_floored)
		netdev_info(
			link->dev,
			"MTU stays at %u for IPv6; only %u fit the path, what is longer leaves in fragments\n",
			IPV6_MIN_MTU, mtu);
	link->mtu_floored = short_of;
	return short_of ? IPV6_MIN_MTU : mtu;
}

static void update_mtu(struct esptun_link *link)
{
	unsigned int mtu;

	ASSERT_RTNL();
	if (link->mtu_user || link->dev->reg_state != NETREG_REGISTERED)
		return;
	mutex_lock(&link->en->lock);
	mtu = auto_mtu(link);
	mutex_unlock(&link->en->lock);
	mtu = keep_ip6(link, mtu);
	if (mtu == link->dev->mtu)
		return;
	link->mtu_ours = true;
	dev_set_mtu(link->dev, mtu);
	link->mtu_ours = false;
}

/* Return: whether there is more to do later. */
static bool follow(struct esptun_link *link)
{
	bool more;

	mutex_lock(&link->en->lock);
	if (xchg(&link->expired, false))
		esptun_sa_recount(link);
	more = esptun_sa_purge_larval(link);
	more |= esptun_peer_tell_moves(link);
	mutex_unlock(&link->en->lock);
	return more;
}

/* Never waits for rtnl, so that a removal under rtnl can wait for it. */
static void update_work(struct work_struct *work)
{
	struct esptun_link *link =
		container_of(to_delayed_work(work), struct esptun_link, update);
	bool more = follow(link);

	esptun_tx_release(link);
	if (!rtnl_trylock()) {
		schedule_delayed_work(&link->update, 1);
		return;
	}
	update_mtu(link);
	rtnl_unlock();
	if (more)
		schedule_delayed_work(&link->update, HZ);
}

static void update_links(const struct net *net)
{
	struct esptun_net *en = esptun_dev_net(net);
	struct esptun_link *link;

	mutex_lock(&en->lock);
	list_for_each_entry(link, &en->links, node)
		esptun_link_update(link);
	mutex_unlock(&en->lock);
}

/* Events name the namespace by a number, which only a context that sleeps can make. */
static void name_namespace(const struct net_device *dev)
{
	const struct esptun_link *link = netdev_priv(dev);

	peernet2id_alloc(link->net, dev_net(dev), GFP_KERNEL);
}

/*
 * The MTU of a netdevice that may be the first hop changed; other changes of
 * routes show with the next packet, see esptun_path_find(). Or a link was moved to
 * another namespace.
 */
static int netdevice_event(struct notifier_block *nb, unsigned long event,
			   void *info)
{
	const struct net_device *dev = netdev_notifier_info_to_dev(info);

	if (event == NETDEV_CHANGEMTU)
		update_links(dev_net(dev));
	else if (event == NETDEV_REGISTER && is_guest(dev))
		name_namespace(dev);
	return NOTIFY_DONE;
}

static struct notifier_block netdevice_notifier = {
	.notifier_call = netdevice_event,
};

static void release_work(struct work_struct *work)
{
	esptun_tx_release(container_of(work, struct esptun_link, release));
}

/* ---- netdevice ---- */

static int link_init(struct net_device *dev)
{
	struct esptun_link *link = netdev_priv(dev);
	int err;

	link->stats = esptun_stats_alloc();
	if (!link->stats)
		return -ENOMEM;
	dev->tstats = netdev_alloc_pcpu_stats(struct pcpu_sw_netstats);
	err = -ENOMEM;
	if (!dev->tstats)
		goto err_stats;
	err = esptun_sadb_out_init(&link->out);
	if (err)
		goto err_tstats;
	err = esptun_cells_init(&link->cells, dev);
	if (err)
		goto err_out;
	return 0;
err_out:
	esptun_sadb_out_exit(&link->out);
err_tstats:
	free_percpu(dev->tstats);
err_stats:
	free_percpu(link->stats);
	return err;
}

/*
 * The device is down and sends nothing any more. Mark dead, take away what
 * packets and timers can find, wait for those still at it, free.
 */
static void link_uninit(struct net_device *dev)
{
	struct esptun_link *link = netdev_priv(dev);
	struct esptun_net *en = link->en;
	struct esptun_sock *us;

	mutex_lock(&en->lock);
	link->dead = true;
	if (!list_empty(&link->node)) {
		list_del_init(&link->node);
		en->generation++;
	}
	esptun_peer_purge(link);
	us = rcu_replace_pointer(link->us, NULL, lockdep_is_held(&en->lock));
	if (us)
		esptun_udp_put(us);
	mutex_unlock(&en->lock);
	/* Until here packets, and what they leave, may start one of the works. */
	synchronize_net();
	esptun_spread_drain();
	esptun_order_wait();
	cancel_delayed_work_sync(&link->update);
	cancel_work_sync(&link->release);
	esptun_timer_link_stop(link);
	esptun_tx_expire(link, true);
	esptun_cells_stop(&link->cells);
	esptun_sadb_out_exit(&link->out);
	xa_destroy(&link->peers);
}

/* Last of all, when nobody can read counters any more. */
static void link_free(struct net_device *dev)
{
	struct esptun_link *link = netdev_priv(dev);

	esptun_cells_free(&link->cells);
	free_percpu(dev->tstats);
	free_percpu(link->stats);
}

static int link_open(struct net_device *dev)
{
	struct in_device *in_dev = __in_dev_get_rtnl(dev);
	struct inet6_dev *in6_dev = __in6_dev_get(dev);

	/* A point-to-point link has nobody to redirect to. */
	if (in_dev) {
		IN_DEV_CONF_SET(in_dev, SEND_REDIRECTS, false);
		IPV4_DEVCONF_ALL(dev_net(dev), SEND_REDIRECTS) = false;
	}
	if (in6_dev)
		in6_dev->cnf.addr_gen_mode = IN6_ADDR_GEN_MODE_NONE;
	esptun_link_update(netdev_priv(dev));
	return 0;
}

static int link_stop(struct net_device *dev)
{
	struct esptun_link *link = netdev_priv(dev);

	/*
	 * The device may move to another namespace next: no packet keeps a
	 * route or a socket of this one. A work that runs now may hold packets
	 * anew; one that begins later drops them.
	 */
	flush_work(&link->update.work);
	flush_work(&link->release);
	esptun_spread_drain();
	esptun_order_wait();
	esptun_tx_expire(link, true);
	return 0;
}

/* An MTU set by hand stays. */
static int link_change_mtu(struct net_device *dev, int mtu)
{
	struct esptun_link *link = netdev_priv(dev);

	ASSERT_RTNL();
	if (!link->mtu_ours)
		link->mtu_user = true;
	WRITE_ONCE(dev->mtu, mtu);
	return 0;
}

static void link_get_stats64(struct net_device *dev,
			     struct rtnl_link_stats64 *s)
{
	struct esptun_link *link = netdev_priv(dev);
	u64 sum[ESPTUN_STATS_NUM];
	u64 rx, tx;

	dev_get_tstats64(dev, s);
	esptun_stats_sum(link->stats, sum);
	esptun_stats_dropped(sum, &rx, &tx);
	s->rx_dropped += rx;
	s->tx_dropped += tx;
}

static const struct net_device_ops dev_ops = {
	.ndo_init = link_init,
	.ndo_uninit = link_uninit,
	.ndo_open = link_open,
	.ndo_stop = link_stop,
	.ndo_start_xmit = esptun_tx_xmit,
	.ndo_change_mtu = link_change_mtu,
	.ndo_get_stats64 = link_get_stats64,
};

static void link_get_drvinfo(struct net_device *dev,
			     struct ethtool_drvinfo *info)
{
	strscpy(info->driver, ESPTUN_KIND, sizeof(info->driver));
	strscpy(info->version, ESPTUN_VERSION, sizeof(info->version));
}

static int link_get_sset_count(struct net_device *dev, int set)
{
	if (set != ETH_SS_STATS)
		return -EOPNOTSUPP;
	return ESPTUN_STATS_NUM - ESPTUN_STATS_FIRST;
}

static void link_get_strings(struct net_device *dev, u32 set, u8 *data)
{
	unsigned int i;

	if (set != ETH_SS_STATS)
		return;
	for (i = ESPTUN_STATS_FIRST; i < ESPTUN_STATS_NUM; i++)
		ethtool_sprintf(&data, "%s", esptun_counters[i].name);
}

static void link_get_ethtool_stats(struct net_device *dev,
				   struct ethtool_stats *stats, u64 *data)
{
	struct esptun_link *link = netdev_priv(dev);
	u64 sum[ESPTUN_STATS_NUM];

	esptun_stats_sum(link->stats, sum);
	memcpy(data, sum + ESPTUN_STATS_FIRST,
	       sizeof(sum) - ESPTUN_STATS_FIRST * sizeof(sum[0]));
}

static const struct device_type dev_type = { .name = ESPTUN_KIND };

static const struct ethtool_ops dev_ethtool_ops = {
	.get_drvinfo = link_get_drvinfo,
	.get_link = ethtool_op_get_link,
	.get_sset_count = link_get_sset_count,
	.get_strings = link_get_strings,
	.get_ethtool_stats = link_get_ethtool_stats,
};

static void link_setup(struct net_device *dev)
{
	const netdev_features_t features = NETIF_F_SG | NETIF_F_FRAGLIST |
					   NETIF_F_HW_CSUM | NETIF_F_HIGHDMA |
					   NETIF_F_ALL_TSO | NETIF_F_GSO_UDP_L4;

	dev->netdev_ops = &dev_ops;
	dev->ethtool_ops = &dev_ethtool_ops;
	dev->needs_free_netdev = true;
	dev->priv_destructor = link_free;
	dev->type = ARPHRD_NONE;
	dev->flags = IFF_POINTOPOINT | IFF_NOARP;
	/* With interrupts off, netpoll could come amid a crypto request. */
	dev->priv_flags |= IFF_NO_QUEUE | IFF_DISABLE_NETPOLL;
	dev->hard_header_len = 0;
	dev->addr_len = 0;
	dev->features |= features;
	dev->hw_features |= features;
	dev->hw_enc_features |= features;
	dev->mtu = ETH_DATA_LEN - USUAL_OVERHEAD;
	dev->min_mtu = ESPTUN_MTU_MIN;
	dev->max_mtu = ESPTUN_MTU_MAX;
	netif_set_tso_max_size(dev, ESPTUN_GSO_MAX);
	compat_netdev_set_lltx(dev);
	/* ICMP errors about a packet need to know where it was going. */
	netif_keep_dst(dev);
	SET_NETDEV_DEVTYPE(dev, &dev_type);
}

/* ---- rtnetlink ---- */

static const struct nla_policy link_policy[IFLA_ESPTUN_MAX + 1] = {
	[IFLA_ESPTUN_LOCAL] = { .type = NLA_BINARY,
				.len = sizeof(struct in6_addr) },
	[IFLA_ESPTUN_PORT] = { .type = NLA_BE16 },
	[IFLA_ESPTUN_FWMARK] = { .type = NLA_U32 },
	[IFLA_ESPTUN_TOS] = { .type = NLA_U8 },
	[IFLA_ESPTUN_TTL] = { .type = NLA_U8 },
	[IFLA_ESPTUN_UDPCSUM] = NLA_POLICY_MAX(NLA_U8, ESPTUN_UDPCSUM_OFF),
	[IFLA_ESPTUN_DEV] = { .type = NLA_U32 },
	[IFLA_ESPTUN_TTL_INHERIT] = NLA_POLICY_MAX(NLA_U8, 1),
	[IFLA_ESPTUN_DF] = NLA_POLICY_MAX(NLA_U8, ESPTUN_DF_UNSET),
	[IFLA_ESPTUN_FLOW_LABEL] =
		NLA_POLICY_MAX(NLA_U8, ESPTUN_FLOW_LABEL_INNER),
};

static int link_validate(struct nlattr *tb[], struct nlattr *data[],
			 struct netlink_ext_ack *extack)
{
	struct esptun_addr local;

	if (tb[IFLA_ADDRESS]) {
		NL_SET_ERR_MSG_ATTR(
			extack, tb[IFLA_ADDRESS],
			"address: an esptun link has no link-layer address");
		return -EOPNOTSUPP;
	}
	if (!data)
		return 0;
	if (data[IFLA_ESPTUN_PORT] && !nla_get_be16(data[IFLA_ESPTUN_PORT])) {
		NL_SET_ERR_MSG_ATTR(extack, data[IFLA_ESPTUN_PORT],
				    "port: must not be 0");
		return -EINVAL;
	}
	if (data[IFLA_ESPTUN_LOCAL])
		return esptun_addr_get(data[IFLA_ESPTUN_LOCAL], &local, extack);
	return 0;
}

static void set_local(struct esptun_link *link, const struct nlattr *attr)
{
	struct esptun_addr local;

	if (esptun_addr_get(attr, &local, NULL))
		return;
	write_seqlock_bh(&link->local_lock);
	link->local = local;
	write_sequnlock_bh(&link->local_lock);
}

/* Which of the two TTLs, when both are given or only that it is not inherited? */
static u16 ttl_of(const struct nlattr *ttl, const struct nlattr *inherit,
		  u16 before)
{
	if (inherit && nla_get_u8(inherit))
		return ESPTUN_TTL_INHERIT;
	if (ttl)
		return nla_get_u8(ttl);
	return inherit && before == ESPTUN_TTL_INHERIT ? 0 : before;
}

static void apply_header(struct esptun_header *h, struct nlattr *data[])
{
	if (data[IFLA_ESPTUN_TOS])
		WRITE_ONCE(h->tos, nla_get_u8(data[IFLA_ESPTUN_TOS]));
	WRITE_ONCE(h->ttl, ttl_of(data[IFLA_ESPTUN_TTL],
				  data[IFLA_ESPTUN_TTL_INHERIT], h->ttl));
	if (data[IFLA_ESPTUN_DF])
		WRITE_ONCE(h->df, nla_get_u8(data[IFLA_ESPTUN_DF]));
	if (data[IFLA_ESPTUN_FLOW_LABEL])
		WRITE_ONCE(h->flow_label,
			   nla_get_u8(data[IFLA_ESPTUN_FLOW_LABEL]));
}

/* What may change at any time; values were validated. */
static void apply_data(struct esptun_link *link, struct nlattr *data[])
{
	if (data[IFLA_ESPTUN_LOCAL])
		set_local(link, data[IFLA_ESPTUN_LOCAL]);
	if (data[IFLA_ESPTUN_FWMARK])
		WRITE_ONCE(link->fwmark, nla_get_u32(data[IFLA_ESPTUN_FWMARK]));
	apply_header(&link->header, data);
	if (data[IFLA_ESPTUN_UDPCSUM])
		WRITE_ONCE(link->udpcsum,
			   nla_get_u8(data[IFLA_ESPTUN_UDPCSUM]));
}

static void link_prepare(struct esptun_link *link, struct net_device *dev,
			 struct net *net)
{
	link->dev = dev;
	link->net = net;
	link->en = esptun_dev_net(net);
	link->port = htons(ESPTUN_PORT_DEFAULT);
	link->header.tos = ESPTUN_TOS_INHERIT;
	seqlock_init(&link->local_lock);
	INIT_LIST_HEAD(&link->node);
	xa_init(&link->peers);
	INIT_DELAYED_WORK(&link->update, update_work);
	INIT_WORK(&link->release, release_work);
	esptun_hold_init(&link->held);
	esptun_timer_link_init(link, esptun_tx_expire);
}

/*
 * A socket of this port and device in the place of what the link has. Packets on
 * their way find either, so the former one is closed last.
 */
static int link_bind(struct esptun_link *link, __be16 port, int underlay,
		     struct netlink_ext_ack *extack)
{
	struct esptun_net *en = link->en;
	struct esptun_sock *us, *former;

	former =
		rcu_dereference_protected(link->us, lockdep_is_held(&en->lock));
	us = esptun_udp_get(en, port, underlay, former, esptun_rx_encap,
			    extack);
	if (IS_ERR(us))
		return PTR_ERR(us);
	WRITE_ONCE(link->port, port);
	WRITE_ONCE(link->underlay, underlay);
	rcu_assign_pointer(link->us, us);
	if (former)
		esptun_udp_put(former);
	return 0;
}

static void link_mark(struct esptun_link *link)
{
	esptun_udp_mark(rcu_dereference_protected(
				link->us, lockdep_is_held(&link->en->lock)),
			link->fwmark);
}

static int link_attach(struct esptun_link *link, __be16 port, int underlay,
		       struct netlink_ext_ack *extack)
{
	struct esptun_net *en = link->en;
	int err;

	mutex_lock(&en->lock);
	err = link_bind(link, port, underlay, extack);
	if (!err) {
		link_mark(link);
		list_add_tail(&link->node, &en->links);
		en->generation++;
	}
	mutex_unlock(&en->lock);
	return err;
}

static __be16 wanted_port(const struct esptun_link *link, struct nlattr *data[])
{
	return data && data[IFLA_ESPTUN_PORT] ?
		       nla_get_be16(data[IFLA_ESPTUN_PORT]) :
		       link->port;
}

static int wanted_underlay(const struct esptun_link *link,
			   struct nlattr *data[])
{
	return data && data[IFLA_ESPTUN_DEV] ?
		       nla_get_u32(data[IFLA_ESPTUN_DEV]) :
		       link->underlay;
}

/* An index is one of the netns that the link is made in. */
static int check_underlay(const struct esptun_link *link, int underlay,
			  struct netlink_ext_ack *extack)
{
	const struct net_device *dev;

	if (!underlay || underlay == link->underlay)
		return 0;
	dev = __dev_get_by_index(link->net, underlay);
	if (!dev) {
		NL_SET_ERR_MSG(extack,
			       "dev: no such device where the link is made");
		return -ENODEV;
	}
	if (dev == link->dev) {
		NL_SET_ERR_MSG(extack, "dev: this is the link itself");
		return -EINVAL;
	}
	return 0;
}

/* ip(8) found the index in the netns it runs in, where it is another device's. */
static int check_elsewhere(struct nlattr *tb[], int underlay,
			   struct netlink_ext_ack *extack)
{
	if (!underlay || !tb[IFLA_LINK_NETNSID])
		return 0;
	NL_SET_ERR_MSG(
		extack,
		"dev: not together with link-netns; make the link there with dev, then move it");
	return -EOPNOTSUPP;
}

static int link_new(struct net_device *dev, struct rtnl_newlink_params *params,
		    struct netlink_ext_ack *extack)
{
	struct esptun_link *link = netdev_priv(dev);
	struct nlattr **data = params->data;
	int underlay;
	int err;

	link_prepare(link, dev, rtnl_newlink_link_net(params));
	underlay = wanted_underlay(link, data);
	err = check_elsewhere(params->tb, underlay, extack);
	if (!err)
		err = check_underlay(link, underlay, extack);
	if (err)
		return err;
	if (data)
		apply_data(link, data);
	link->mtu_user = !!params->tb[IFLA_MTU];
	err = register_netdevice(dev);
	if (err)
		return err;
	netif_dormant_on(dev);
	/* From here on, ndo_uninit takes back what was done. */
	err = link_attach(link, wanted_port(link, data), underlay, extack);
	if (err)
		unregister_netdevice(dev);
	return err;
}

COMPAT_NEWLINK(link_new);

/* Of @link what may fail, then the rest; packets look for their route anew. */
static int change_locked(struct esptun_link *link, struct nlattr *data[],
			 struct netlink_ext_ack *extack)
{
	struct esptun_peer *peer;
	unsigned long id;
	int err;

	err = link_bind(link, wanted_port(link, data),
			wanted_underlay(link, data), extack);
	if (err)
		return err;
	apply_data(link, data);
	link_mark(link);
	xa_for_each(&link->peers, id, peer)
		esptun_peer_link_changed(peer);
	return 0;
}

static int link_change(struct net_device *dev, struct nlattr *tb[],
		       struct nlattr *data[], struct netlink_ext_ack *extack)
{
	struct esptun_link *link = netdev_priv(dev);
	int underlay, err;

	if (!data)
		return 0;
	/*
	 * Mark and source address are of the creation netns, where whoever owns
	 * the device's present netns may have no say.
	 */
	if (!ns_capable(link->net->user_ns, CAP_NET_ADMIN)) {
		NL_SET_ERR_MSG(extack,
			       "needs CAP_NET_ADMIN where the link was made");
		return -EPERM;
	}
	underlay = wanted_underlay(link, data);
	/* ip(8) found the index in the netns it runs in, where it is another device's. */
	if (underlay && underlay != link->underlay &&
	    !net_eq(dev_net(dev), link->net)) {
		NL_SET_ERR_MSG_ATTR(
			extack, data[IFLA_ESPTUN_DEV],
			"dev: can be chosen only while the link is where it was made");
		return -EOPNOTSUPP;
	}
	err = check_underlay(link, underlay, extack);
	if (err)
		return err;
	mutex_lock(&link->en->lock);
	err = change_locked(link, data, extack);
	mutex_unlock(&link->en->lock);
	if (!err)
		esptun_link_update(link);
	return err;
}

static size_t link_get_size(const struct net_device *dev)
{
	return nla_total_size(sizeof(struct in6_addr)) + /* IFLA_ESPTUN_LOCAL */
	       nla_total_size(sizeof(__be16)) + /* IFLA_ESPTUN_PORT */
	       nla_total_size(sizeof(u32)) + /* IFLA_ESPTUN_FWMARK */
	       nla_total_size(sizeof(u8)) + /* IFLA_ESPTUN_TOS */
	       nla_total_size(sizeof(u8)) + /* IFLA_ESPTUN_TTL */
	       nla_total_size(sizeof(u8)) + /* IFLA_ESPTUN_UDPCSUM */
	       nla_total_size(sizeof(u32)) + /* IFLA_ESPTUN_DEV */
	       nla_total_size(sizeof(u8)) + /* IFLA_ESPTUN_TTL_INHERIT */
	       nla_total_size(sizeof(u8)) + /* IFLA_ESPTUN_DF */
	       nla_total_size(sizeof(u8)); /* IFLA_ESPTUN_FLOW_LABEL */
}

/* 0.0.0.0 for none. */
static int put_local(struct sk_buff *skb, const struct esptun_link *link)
{
	if (!esptun_addr_is_set(&link->local))
		return nla_put_in_addr(skb, IFLA_ESPTUN_LOCAL,
				       htonl(INADDR_ANY));
	return esptun_addr_put(skb, IFLA_ESPTUN_LOCAL, &link->local);
}

static int put_header(struct sk_buff *skb, const struct esptun_header *h)
{
	bool inherit = h->ttl == ESPTUN_TTL_INHERIT;

	if (nla_put_u8(skb, IFLA_ESPTUN_TOS, h->tos) ||
	    nla_put_u8(skb, IFLA_ESPTUN_TTL, inherit ? 0 : h->ttl) ||
	    nla_put_u8(skb, IFLA_ESPTUN_TTL_INHERIT, inherit) ||
	    nla_put_u8(skb, IFLA_ESPTUN_DF, h->df) ||
	    nla_put_u8(skb, IFLA_ESPTUN_FLOW_LABEL, h->flow_label))
		return -EMSGSIZE;
	return 0;
}

static int link_fill_info(struct sk_buff *skb, const struct net_device *dev)
{
	const struct esptun_link *link = netdev_priv(dev);

	if (put_local(skb, link) ||
	    nla_put_be16(skb, IFLA_ESPTUN_PORT, link->port) ||
	    nla_put_u32(skb, IFLA_ESPTUN_FWMARK, link->fwmark) ||
	    put_header(skb, &link->header) ||
	    nla_put_u8(skb, IFLA_ESPTUN_UDPCSUM, link->udpcsum))
		return -EMSGSIZE;
	/* Elsewhere the index may be another device's. */
	if (net_eq(dev_net(dev), link->net) &&
	    nla_put_u32(skb, IFLA_ESPTUN_DEV, link->underlay))
		return -EMSGSIZE;
	return 0;
}

static struct net *link_get_net(const struct net_device *dev)
{
	const struct esptun_link *link = netdev_priv(dev);

	return link->net;
}

static struct rtnl_link_ops link_ops __read_mostly = {
	.kind = ESPTUN_KIND,
	.priv_size = sizeof(struct esptun_link),
	.maxtype = IFLA_ESPTUN_MAX,
	.policy = link_policy,
	.setup = link_setup,
	.validate = link_validate,
	.newlink = compat_newlink(link_new),
	.changelink = link_change,
	.get_size = link_get_size,
	.fill_info = link_fill_info,
	.get_link_net = link_get_net,
};

/* ---- network namespaces ---- */

static int net_init(struct net *net)
{
	struct esptun_net *en = esptun_dev_net(net);
	int err;

	en->net = net;
	mutex_init(&en->lock);
	INIT_LIST_HEAD(&en->links);
	INIT_LIST_HEAD(&en->socks);
	en->stats = esptun_stats_alloc();
	if (!en->stats)
		return -ENOMEM;
	err = esptun_sadb_net_init(en);
	if (err)
		goto err_stats;
	err = esptun_ike_net_init(en);
	if (err)
		goto err_sadb;
	return 0;
err_sadb:
	esptun_sadb_net_exit(en);
err_stats:
	free_percpu(en->stats);
	return err;
}

/* Links made here die with the netns, wherever their devices went. */
static void net_kill_links(struct esptun_net *en, struct list_head *kill)
{
	struct esptun_link *link;

	mutex_lock(&en->lock);
	list_for_each_entry(link, &en->links, node)
		unregister_netdevice_queue(link->dev, kill);
	mutex_unlock(&en->lock);
}

static void net_exit_batch(struct list_head *nets)
{
	struct esptun_net *en;
	LIST_HEAD(kill);
	struct net *net;

	rtnl_lock();
	list_for_each_entry(net, nets, exit_list)
		net_kill_links(esptun_dev_net(net), &kill);
	unregister_netdevice_many(&kill);
	rtnl_unlock();
	/*
	 * Peers removed until now hold routes, and a route through an IPsec
	 * policy needs what the exits after ours take away.
	 */
	esptun_reclaim_flush();
	list_for_each_entry(net, nets, exit_list)
		WRITE_ONCE(esptun_dev_net(net)->dying, true);
	synchronize_net();
	list_for_each_entry(net, nets, exit_list) {
		en = esptun_dev_net(net);
		WARN_ON(!list_empty(&en->links) || !list_empty(&en->socks));
		esptun_ike_net_exit(en);
		esptun_sadb_net_exit(en);
		free_percpu(en->stats);
	}
}

static struct pernet_operations net_ops = {
	.init = net_init,
	.exit_batch = net_exit_batch,
	.id = &net_id,
	.size = sizeof(struct esptun_net),
};

int esptun_dev_module_init(void)
{
	int err;

	/* A device's, so that it exits before devices are moved away. */
	err = register_pernet_device(&net_ops);
	if (err)
		return err;
	err = register_netdevice_notifier(&netdevice_notifier);
	if (err)
		goto err_pernet;
	err = rtnl_link_register(&link_ops);
	if (err)
		goto err_notifier;
	return 0;
err_notifier:
	unregister_netdevice_notifier(&netdevice_notifier);
err_pernet:
	unregister_pernet_device(&net_ops);
	return err;
}

void esptun_dev_module_exit(void)
{
	rtnl_link_unregister(&link_ops);
	unregister_netdevice_notifier(&netdevice_notifier);
	unregister_pernet_device(&net_ops);
}
