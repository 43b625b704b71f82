// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A NIC that segments, and a cable to another one: what "ip link add NAME type benchnic" makes
 * first waits for the next one. The sender hands it super-packets of TCP and UDP; single packets
 * arrive, through NAPI and GRO. A real NIC does the dividing itself, so what it takes here is
 * kept apart in nic_ns, and kgen.c takes it off its figures.
 */
#include <linux/etherdevice.h>
#include <linux/netdevice.h>
#include <net/gso.h>
#include <net/rtnetlink.h>

#include "kgen.h"

#define QUEUE_MAX 8192
#define SEGMENTED (NETIF_F_TSO | NETIF_F_TSO6 | NETIF_F_TSO_ECN | NETIF_F_GSO_UDP_L4)
#define FEATURES (NETIF_F_SG | NETIF_F_FRAGLIST | NETIF_F_HW_CSUM | NETIF_F_HIGHDMA | SEGMENTED)

struct nic {
	struct net_device *dev;
	struct net_device __rcu *peer;
	struct napi_struct napi;
	struct sk_buff_head queue; /* what came from the cable */
};

u64 nic_ns;

static struct net_device *unpaired;

/* divide() - the packets of @skb, which is gone, or NULL. */
static struct sk_buff *divide(struct sk_buff *skb, struct net_device *dev)
{
	u64 begun = host_clock(HOST_CPU);
	struct sk_buff *parts;

	parts = skb_gso_segment(skb, dev->features & ~NETIF_F_GSO_MASK);
	if (IS_ERR_OR_NULL(parts))
		parts = NULL;
	consume_skb(skb);
	nic_ns += host_clock(HOST_CPU) - begun;
	return parts;
}

static void send_one(struct sk_buff *skb, struct net_device *dev, struct nic *to)
{
	unsigned int len = skb->len;

	skb_mark_not_on_list(skb);
	if (skb_queue_len(&to->queue) >= QUEUE_MAX) {
		dev_core_stats_tx_dropped_inc(dev);
		kfree_skb(skb);
	} else if (__dev_forward_skb(to->dev, skb) != NET_RX_SUCCESS) {
		dev_core_stats_tx_dropped_inc(dev);
	} else {
		dev_sw_netstats_tx_add(dev, 1, len);
		skb_queue_tail(&to->queue, skb);
	}
}

static netdev_tx_t nic_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct nic *nic = netdev_priv(dev), *to;
	struct net_device *peer = rcu_dereference_bh(nic->peer);
	struct sk_buff *next;

	if (!peer) {
		dev_core_stats_tx_dropped_inc(dev);
		kfree_skb(skb);
		return NETDEV_TX_OK;
	}
	to = netdev_priv(peer);
	if (skb_is_gso(skb))
		skb = divide(skb, dev);
	skb_list_walk_safe(skb, skb, next) send_one(skb, dev, to);
	napi_schedule(&to->napi);
	return NETDEV_TX_OK;
}

static int nic_poll(struct napi_struct *napi, int budget)
{
	struct nic *nic = container_of(napi, struct nic, napi);
	struct sk_buff *skb;
	int done = 0;

	while (done < budget && (skb = skb_dequeue(&nic->queue))) {
		/* It has left: its sender may send more. */
		skb_orphan(skb);
		dev_sw_netstats_rx_add(nic->dev, skb->len);
		napi_gro_receive(napi, skb);
		done++;
	}
	if (done < budget && napi_complete_done(napi, done) && !skb_queue_empty(&nic->queue))
		napi_schedule(napi);
	return done;
}

static int nic_open(struct net_device *dev)
{
	struct nic *nic = netdev_priv(dev);

	napi_enable(&nic->napi);
	return 0;
}

static int nic_stop(struct net_device *dev)
{
	struct nic *nic = netdev_priv(dev);

	napi_disable(&nic->napi);
	skb_queue_purge(&nic->queue);
	return 0;
}

static const struct net_device_ops nic_ops = {
	.ndo_open = nic_open,
	.ndo_stop = nic_stop,
	.ndo_start_xmit = nic_xmit,
	.ndo_set_mac_address = eth_mac_addr,
};

static void nic_setup(struct net_device *dev)
{
	struct nic *nic = netdev_priv(dev);

	ether_setup(dev);
	dev->netdev_ops = &nic_ops;
	dev->needs_free_netdev = true;
	dev->pcpu_stat_type = NETDEV_PCPU_STAT_TSTATS;
	dev->max_mtu = ETH_MAX_MTU;
	dev->features |= FEATURES;
	dev->hw_features |= FEATURES;
	dev->priv_flags &= ~IFF_TX_SKB_SHARING;
	dev->lltx = true;
	eth_hw_addr_random(dev);
	nic->dev = dev;
	skb_queue_head_init(&nic->queue);
}

static void join(struct net_device *dev, struct net_device *peer)
{
	struct nic *nic = netdev_priv(dev);

	rcu_assign_pointer(nic->peer, peer);
}

static int nic_newlink(struct net_device *dev, struct rtnl_newlink_params *params,
		       struct netlink_ext_ack *extack)
{
	struct nic *nic = netdev_priv(dev);
	int err;

	netif_napi_add(dev, &nic->napi, nic_poll);
	err = register_netdevice(dev);
	if (err)
		return err;
	if (unpaired) {
		join(unpaired, dev);
		join(dev, unpaired);
		unpaired = NULL;
	} else {
		unpaired = dev;
	}
	return 0;
}

/* Both ends go. */
static void nic_dellink(struct net_device *dev, struct list_head *head)
{
	struct nic *nic = netdev_priv(dev);
	struct net_device *peer = rtnl_dereference(nic->peer);

	if (unpaired == dev)
		unpaired = NULL;
	join(dev, NULL);
	unregister_netdevice_queue(dev, head);
	if (peer) {
		join(peer, NULL);
		unregister_netdevice_queue(peer, head);
	}
}

static struct rtnl_link_ops nic_link_ops = {
	.kind = "benchnic",
	.priv_size = sizeof(struct nic),
	.setup = nic_setup,
	.newlink = nic_newlink,
	.dellink = nic_dellink,
};

static int __init nic_init(void)
{
	return rtnl_link_register(&nic_link_ops);
}
late_initcall(nic_init);
