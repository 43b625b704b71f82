// SPDX-License-Identifier: GPL-2.0
/* Packets on their way up the stack: order, and that no more wait than may. */
#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/etherdevice.h>
#include <linux/netdevice.h>
#include <linux/rtnetlink.h>
#include "limits.h"
#include "rx/cells.h"
#include "stats.h"

/**
 * struct world - a netdevice that is in no list, and what the stack got from it
 * @dev: the netdevice
 * @cells: its queues
 * @n: packets that arrived
 * @disorder: one came before one with a lower mark
 * @last: mark of the last
 * @inner: what comes again while the first one is on its way, or NULL
 */
struct world {
	struct net_device *dev;
	struct esptun_cells cells;
	unsigned int n;
	bool disorder;
	u32 last;
	struct sk_buff *inner;
};

static rx_handler_result_t arrive(struct sk_buff **pskb)
{
	struct sk_buff *skb = *pskb, *inner;
	struct world *w = rcu_dereference(skb->dev->rx_handler_data);

	w->n++;
	w->disorder |= skb->mark < w->last;
	w->last = skb->mark;
	inner = w->inner;
	w->inner = NULL;
	if (inner)
		esptun_cells_receive(&w->cells, 0, inner, true);
	consume_skb(skb);
	return RX_HANDLER_CONSUMED;
}

static void open_world(struct kunit *test, struct world *w)
{
	w->dev = alloc_netdev(0, "cells", NET_NAME_UNKNOWN, ether_setup);
	KUNIT_ASSERT_NOT_NULL(test, w->dev);
	w->dev->flags |= IFF_UP;
	rtnl_lock();
	netdev_rx_handler_register(w->dev, arrive, w);
	rtnl_unlock();
	KUNIT_ASSERT_EQ(test, 0, esptun_cells_init(&w->cells, w->dev));
}

static void close_world(struct world *w)
{
	esptun_cells_stop(&w->cells);
	rtnl_lock();
	netdev_rx_handler_unregister(w->dev);
	rtnl_unlock();
	synchronize_net();
	esptun_cells_free(&w->cells);
	free_netdev(w->dev);
}

static struct sk_buff *make_packet(struct kunit *test, struct world *w,
				   u32 mark)
{
	struct sk_buff *skb = alloc_skb(ETH_HLEN + 20, GFP_ATOMIC);

	KUNIT_ASSERT_NOT_NULL(test, skb);
	skb_put_zero(skb, ETH_HLEN + 20);
	skb_reset_mac_header(skb);
	__skb_pull(skb, ETH_HLEN);
	skb_reset_network_header(skb);
	skb->protocol = htons(ETH_P_IP);
	skb->dev = w->dev;
	skb->mark = mark;
	return skb;
}

static bool have_arrived(const struct world *w, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < 500 && READ_ONCE(w->n) < n; i++)
		msleep(20);
	return READ_ONCE(w->n) == n;
}

static void cells_bound(struct kunit *test)
{
	struct world w = {};
	struct sk_buff *skb;
	unsigned int i;

	open_world(test, &w);
	local_bh_disable();
	for (i = 0; i < ESPTUN_CELL_MAX; i++)
		KUNIT_EXPECT_EQ(test, 0,
				esptun_cells_receive(&w.cells, 0,
						     make_packet(test, &w, i),
						     i & 1));
	skb = make_packet(test, &w, i);
	KUNIT_EXPECT_EQ(test, ESPTUN_STATS_A_RX_BACKLOG,
			esptun_cells_receive(&w.cells, 0, skb, false));
	KUNIT_EXPECT_EQ(test, 0, w.n);
	local_bh_enable();
	/* It was not taken, so it may be offered again. */
	KUNIT_EXPECT_TRUE(test, have_arrived(&w, ESPTUN_CELL_MAX));
	local_bh_disable();
	KUNIT_EXPECT_EQ(test, 0, esptun_cells_receive(&w.cells, 0, skb, false));
	local_bh_enable();
	KUNIT_EXPECT_TRUE(test, have_arrived(&w, ESPTUN_CELL_MAX + 1));
	KUNIT_EXPECT_FALSE(test, w.disorder);
	close_world(&w);
}

static void cells_down(struct kunit *test)
{
	struct world w = {};
	struct sk_buff *skb;

	open_world(test, &w);
	w.dev->flags &= ~IFF_UP;
	skb = make_packet(test, &w, 0);
	local_bh_disable();
	KUNIT_EXPECT_EQ(test, ESPTUN_STATS_A_RX_LINK_DOWN,
			esptun_cells_receive(&w.cells, 0, skb, true));
	local_bh_enable();
	kfree_skb(skb);
	KUNIT_EXPECT_EQ(test, 0, w.n);
	close_world(&w);
}

/* What is alone goes up at once, but not past what waits, nor from within. */
static void cells_alone(struct kunit *test)
{
	struct world w = {};

	open_world(test, &w);
	local_bh_disable();
	esptun_cells_receive(&w.cells, 0, make_packet(test, &w, 1), true);
	KUNIT_EXPECT_EQ(test, 1, w.n);
	w.inner = make_packet(test, &w, 3);
	esptun_cells_receive(&w.cells, 0, make_packet(test, &w, 2), true);
	KUNIT_EXPECT_EQ(test, 2, w.n);
	esptun_cells_receive(&w.cells, 0, make_packet(test, &w, 4), true);
	KUNIT_EXPECT_EQ(test, 2, w.n);
	local_bh_enable();
	KUNIT_EXPECT_TRUE(test, have_arrived(&w, 4));
	KUNIT_EXPECT_FALSE(test, w.disorder);
	close_world(&w);
}

static struct kunit_case cells_cases[] = {
	KUNIT_CASE(cells_bound),
	KUNIT_CASE(cells_down),
	KUNIT_CASE(cells_alone),
	{},
};

static struct kunit_suite cells_suite = {
	.name = "esptun_cells",
	.test_cases = cells_cases,
};

kunit_test_suite(cells_suite);
