// SPDX-License-Identifier: GPL-2.0
/* Packets that come before a key: in order, bounded by number, memory and time. */
#include <kunit/test.h>
#include <linux/bottom_half.h>
#include <linux/errno.h>
#include <linux/jiffies.h>
#include "sa/early.h"
#include "limits.h"

/* SAs that take all memory there is for them in a namespace, and one more. */
#define SAS (ESPTUN_EARLY_NET / ESPTUN_EARLY_SIZE + 1)

/* Of SAs of a namespace. */
static struct esptun_early *new_early(struct kunit *test, unsigned int n)
{
	atomic_t *net = kunit_kzalloc(test, sizeof(*net), GFP_KERNEL);
	struct esptun_early *early =
		kunit_kcalloc(test, n, sizeof(*early), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, net);
	KUNIT_ASSERT_NOT_NULL(test, early);
	for (i = 0; i < n; i++)
		esptun_early_init(&early[i], net);
	return early;
}

/* One of @len bytes, marked with @number. What is not kept is freed. */
static int add(struct kunit *test, struct esptun_early *early, unsigned int len,
	       u8 number)
{
	struct sk_buff *skb = alloc_skb(len, GFP_KERNEL);
	int err;

	KUNIT_ASSERT_NOT_NULL(test, skb);
	skb_put_u8(skb, number);
	esptun_early_cb(skb)->since = jiffies;
	local_bh_disable();
	err = esptun_early_add(early, skb);
	local_bh_enable();
	if (err)
		kfree_skb(skb);
	return err;
}

/* How many were taken; they have the numbers from @first on. */
static unsigned int take(struct kunit *test, struct esptun_early *early,
			 unsigned long age, u8 first)
{
	struct sk_buff_head list;
	struct sk_buff *skb;
	unsigned int n = 0;

	__skb_queue_head_init(&list);
	spin_lock_bh(&early->packets.lock);
	esptun_early_take(early, age, &list);
	spin_unlock_bh(&early->packets.lock);
	while ((skb = __skb_dequeue(&list))) {
		KUNIT_EXPECT_EQ(test, skb->data[0], (u8)(first + n++));
		kfree_skb(skb);
	}
	return n;
}

static void early_number(struct kunit *test)
{
	struct esptun_early *early = new_early(test, 1);
	unsigned int i;

	for (i = 0; i < ESPTUN_EARLY_ONE; i++) {
		KUNIT_EXPECT_FALSE(test, esptun_early_full(early));
		KUNIT_EXPECT_EQ(test, add(test, early, 100, i), 0);
	}
	KUNIT_EXPECT_TRUE(test, esptun_early_full(early));
	KUNIT_EXPECT_EQ(test, add(test, early, 100, 0), -ENOBUFS);
	KUNIT_EXPECT_EQ(test, take(test, early, 0, 0), ESPTUN_EARLY_ONE);
	KUNIT_EXPECT_EQ(test, early->truesize, 0u);
	KUNIT_EXPECT_EQ(test, add(test, early, 100, 7), 0);
	KUNIT_EXPECT_EQ(test, take(test, early, 0, 7), 1u);
}

static void early_age(struct kunit *test)
{
	struct esptun_early *early = new_early(test, 1);

	add(test, early, 100, 1);
	add(test, early, 100, 2);
	esptun_early_cb(skb_peek(&early->packets))->since -= HZ;
	KUNIT_EXPECT_EQ(test, take(test, early, HZ + HZ / 2, 1), 0u);
	KUNIT_EXPECT_EQ(test, take(test, early, HZ, 1), 1u);
	KUNIT_EXPECT_EQ(test, take(test, early, 0, 2), 1u);
}

static void early_over(struct kunit *test)
{
	struct esptun_early *early = new_early(test, 1);

	early->over = true;
	KUNIT_EXPECT_EQ(test, add(test, early, 100, 1), -ESTALE);
	KUNIT_EXPECT_EQ(test, take(test, early, 0, 1), 0u);
}

/* Large packets until there is no room. */
static unsigned int fill(struct kunit *test, struct esptun_early *early)
{
	unsigned int n = 0;

	while (!add(test, early, 16000, n))
		n++;
	return n;
}

static void early_memory(struct kunit *test)
{
	struct esptun_early *early = new_early(test, SAS);
	struct esptun_early *elsewhere = new_early(test, 1);
	unsigned int i, total = 0;
	unsigned int n[SAS];

	for (i = 0; i < SAS; i++) {
		n[i] = fill(test, &early[i]);
		KUNIT_EXPECT_LE(test, early[i].truesize, ESPTUN_EARLY_SIZE);
		total += early[i].truesize;
	}
	KUNIT_EXPECT_LT(test, n[0], ESPTUN_EARLY_ONE);
	KUNIT_EXPECT_GT(test, n[0], 16u);
	/* The last one has what the others left. */
	KUNIT_EXPECT_LE(test, total, (unsigned int)ESPTUN_EARLY_NET);
	KUNIT_EXPECT_LT(test, n[SAS - 1], n[0]);
	/* Another namespace has memory of its own. */
	KUNIT_EXPECT_EQ(test, fill(test, elsewhere), n[0]);
	KUNIT_EXPECT_EQ(test, take(test, elsewhere, 0, 0), n[0]);
	for (i = 0; i < SAS; i++)
		KUNIT_EXPECT_EQ(test, take(test, &early[i], 0, 0), n[i]);
	KUNIT_EXPECT_EQ(test, fill(test, &early[SAS - 1]), n[0]);
	KUNIT_EXPECT_EQ(test, take(test, &early[SAS - 1], 0, 0), n[0]);
}

static struct kunit_case early_cases[] = {
	KUNIT_CASE(early_number),
	KUNIT_CASE(early_age),
	KUNIT_CASE(early_over),
	KUNIT_CASE(early_memory),
	{},
};

static struct kunit_suite early_suite = {
	.name = "esptun_early",
	.test_cases = early_cases,
};

kunit_test_suite(early_suite);
