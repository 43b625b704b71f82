// SPDX-License-Identifier: GPL-2.0
/* Items are handed over once, in the order of their places, whoever completes them. */
#include <kunit/test.h>
#include <linux/bottom_half.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/srcu.h>
#include "tx/nest.h"
#include "util/order.h"

/* More than the order holds. */
#define ITEMS (ESPTUN_ORDER_MAX + 1)

struct line {
	struct esptun_order order;
	struct esptun_order_item items[ITEMS];
	unsigned int handed[2 * ITEMS];
	unsigned int n;
	unsigned int dead;
	/* One more is reserved and completed while this one is handed over. */
	struct esptun_order_item *during;
};

static void begin(void)
{
	local_bh_disable();
	rcu_read_lock();
}

static void end(void)
{
	rcu_read_unlock();
	local_bh_enable();
}

static void hand_over(struct esptun_order *order,
		      struct esptun_order_item *item)
{
	struct line *line = container_of(order, struct line, order);
	struct esptun_order_item *next = item + 1;

	line->handed[line->n++] = item - line->items;
	line->dead += item->state == ESPTUN_ORDER_DEAD;
	if (line->during != item)
		return;
	line->during = NULL;
	esptun_order_lock(order);
	esptun_order_reserve(order, next, true);
	esptun_order_complete(order, next, ESPTUN_ORDER_READY, true);
	/* It waits until this one was handed over. */
	line->handed[line->n++] = ITEMS;
}

static struct line *new_line(struct kunit *test)
{
	struct line *line = kunit_kzalloc(test, sizeof(*line), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, line);
	esptun_order_init(&line->order, hand_over);
	return line;
}

static bool reserve(struct line *line, unsigned int i)
{
	bool full;

	esptun_order_lock(&line->order);
	full = esptun_order_full(&line->order);
	if (full)
		esptun_order_unlock(&line->order);
	else
		esptun_order_reserve(&line->order, &line->items[i], true);
	return !full;
}

static void complete_as(struct line *line, unsigned int i,
			enum esptun_order_state state)
{
	esptun_order_complete(&line->order, &line->items[i], state, true);
}

static void ready(struct line *line, unsigned int i)
{
	complete_as(line, i, ESPTUN_ORDER_READY);
}

static void expect_all(struct kunit *test, const struct line *line,
		       unsigned int n)
{
	unsigned int i;

	KUNIT_ASSERT_EQ(test, line->n, n);
	for (i = 0; i < n; i++)
		KUNIT_EXPECT_EQ(test, line->handed[i], i);
	KUNIT_EXPECT_TRUE(test, esptun_order_idle(&line->order));
	KUNIT_EXPECT_FALSE(test, line->order.busy);
}

static void order_alone(struct kunit *test)
{
	struct line *line = new_line(test);

	begin();
	KUNIT_EXPECT_TRUE(test, reserve(line, 0));
	KUNIT_EXPECT_TRUE(test, esptun_order_idle(&line->order));
	KUNIT_EXPECT_EQ(test, line->n, 0u);
	ready(line, 0);
	expect_all(test, line, 1);
	reserve(line, 1);
	ready(line, 1);
	expect_all(test, line, 2);
	end();
}

static void order_kept(struct kunit *test)
{
	static const u8 completed[] = { 2, 4, 1, 0, 3 };
	struct line *line = new_line(test);
	unsigned int i;

	begin();
	for (i = 0; i < ARRAY_SIZE(completed); i++)
		reserve(line, i);
	KUNIT_EXPECT_FALSE(test, esptun_order_idle(&line->order));
	for (i = 0; i < 3; i++)
		ready(line, completed[i]);
	KUNIT_EXPECT_EQ(test, line->n, 0u);
	ready(line, completed[3]);
	KUNIT_EXPECT_EQ(test, line->n, 3u);
	ready(line, completed[4]);
	expect_all(test, line, 5);
	end();
}

static void order_dead(struct kunit *test)
{
	struct line *line = new_line(test);

	begin();
	reserve(line, 0);
	reserve(line, 1);
	reserve(line, 2);
	complete_as(line, 1, ESPTUN_ORDER_DEAD);
	complete_as(line, 0, ESPTUN_ORDER_DEAD);
	KUNIT_EXPECT_EQ(test, line->n, 2u);
	ready(line, 2);
	expect_all(test, line, 3);
	KUNIT_EXPECT_EQ(test, line->dead, 2u);
	end();
}

/* The first one is not queued, so one more than the bound has a place. */
static void order_full(struct kunit *test)
{
	struct line *line = new_line(test);
	unsigned int i;

	begin();
	for (i = 0; i < ITEMS; i++)
		KUNIT_ASSERT_TRUE(test, reserve(line, i));
	KUNIT_EXPECT_FALSE(test, reserve(line, 0));
	KUNIT_EXPECT_EQ(test, line->order.n, ESPTUN_ORDER_MAX);
	for (i = 1; i < ITEMS; i++)
		ready(line, i);
	KUNIT_EXPECT_EQ(test, line->n, 0u);
	ready(line, 0);
	/* Its own and as many as the budget allows; the worker does the rest. */
	KUNIT_EXPECT_LE(test, line->n, 1 + ESPTUN_ORDER_BUDGET);
	KUNIT_EXPECT_FALSE(test, esptun_order_idle(&line->order));
	end();
	esptun_order_wait();
	/* The last one is counted after it was handed over. */
	while (!esptun_order_idle(&line->order) || READ_ONCE(line->order.busy))
		cond_resched();
	expect_all(test, line, ITEMS);
	begin();
	KUNIT_EXPECT_TRUE(test, reserve(line, 0));
	ready(line, 0);
	KUNIT_EXPECT_EQ(test, line->n, ITEMS + 1);
	end();
}

static void order_elsewhere(struct kunit *test)
{
	struct line *line = new_line(test);

	begin();
	esptun_order_lock(&line->order);
	esptun_order_reserve(&line->order, &line->items[0], false);
	KUNIT_EXPECT_FALSE(test, esptun_order_idle(&line->order));
	esptun_order_complete(&line->order, &line->items[0], ESPTUN_ORDER_READY,
			      false);
	end();
	esptun_order_wait();
	while (!esptun_order_idle(&line->order) || READ_ONCE(line->order.busy))
		cond_resched();
	expect_all(test, line, 1);
}

static void order_during(struct kunit *test)
{
	struct line *line = new_line(test);

	begin();
	line->during = &line->items[0];
	reserve(line, 0);
	ready(line, 0);
	KUNIT_ASSERT_EQ(test, line->n, 3u);
	KUNIT_EXPECT_EQ(test, line->handed[0], 0u);
	KUNIT_EXPECT_EQ(test, line->handed[1], ITEMS);
	KUNIT_EXPECT_EQ(test, line->handed[2], 1u);
	KUNIT_EXPECT_TRUE(test, esptun_order_idle(&line->order));
	end();
}

static void nest_loops(struct kunit *test)
{
	const struct esptun_sa *a = (void *)0x100, *b = (void *)0x200;
	struct esptun_nest outer, resumed, inner;
	struct esptun_nest_place place;

	local_bh_disable();
	place = esptun_nest_find(a);
	KUNIT_EXPECT_EQ(test, place.depth, 0u);
	KUNIT_EXPECT_EQ(test, place.frames, 0u);
	KUNIT_EXPECT_FALSE(test, place.loop);
	esptun_nest_enter(&outer, a, 1);
	esptun_nest_enter(&resumed, NULL, 4);
	esptun_nest_enter(&inner, b, 5);
	place = esptun_nest_find(a);
	KUNIT_EXPECT_EQ(test, place.depth, 5u);
	KUNIT_EXPECT_EQ(test, place.frames, 3u);
	KUNIT_EXPECT_TRUE(test, place.loop);
	KUNIT_EXPECT_TRUE(test, esptun_nest_find(b).loop);
	esptun_nest_leave(&inner);
	KUNIT_EXPECT_FALSE(test, esptun_nest_find(b).loop);
	KUNIT_EXPECT_EQ(test, esptun_nest_find(b).depth, 4u);
	/* As tasks of PREEMPT_RT do, not in the reverse order. */
	esptun_nest_leave(&outer);
	KUNIT_EXPECT_FALSE(test, esptun_nest_find(a).loop);
	KUNIT_EXPECT_EQ(test, esptun_nest_find(a).frames, 1u);
	esptun_nest_leave(&resumed);
	KUNIT_EXPECT_EQ(test, esptun_nest_find(a).frames, 0u);
	local_bh_enable();
}

static struct kunit_case order_cases[] = {
	KUNIT_CASE(order_alone),     KUNIT_CASE(order_kept),
	KUNIT_CASE(order_dead),	     KUNIT_CASE(order_full),
	KUNIT_CASE(order_elsewhere), KUNIT_CASE(order_during),
	KUNIT_CASE(nest_loops),	     {},
};

static struct kunit_suite order_suite = {
	.name = "esptun_order",
	.test_cases = order_cases,
};

kunit_test_suite(order_suite);
