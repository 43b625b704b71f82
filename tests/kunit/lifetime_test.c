// SPDX-License-Identifier: GPL-2.0
/* Limits of SAs. */
#include <kunit/test.h>
#include "sa/sa.h"

static void lifetime_check(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < ESPTUN_UNITS; i++) {
		struct esptun_limits l = {};

		KUNIT_EXPECT_EQ(test, 0, esptun_limits_check(&l, NULL));
		l.soft[i] = 2;
		KUNIT_EXPECT_EQ(test, 0, esptun_limits_check(&l, NULL));
		l.hard[i] = 2;
		KUNIT_EXPECT_EQ(test, 0, esptun_limits_check(&l, NULL));
		l.hard[i] = 1;
		KUNIT_EXPECT_EQ(test, -EINVAL, esptun_limits_check(&l, NULL));
		/* Of another unit, they have nothing to do with each other. */
		l.hard[i] = 0;
		l.hard[(i + 1) % ESPTUN_UNITS] = 1;
		KUNIT_EXPECT_EQ(test, 0, esptun_limits_check(&l, NULL));
	}
}

static void lifetime_merge(struct kunit *test)
{
	const struct esptun_limits from = {
		.soft = { 11, 12, 13, 14 },
		.hard = { 21, 22, 23, 24 },
	};
	unsigned int i;
	u32 all = 0;

	for (i = 0; i < ESPTUN_UNITS; i++) {
		struct esptun_limits to = {};

		esptun_limits_merge(&to, &from, ESPTUN_LIMIT_SOFT(i));
		KUNIT_EXPECT_EQ(test, from.soft[i], to.soft[i]);
		KUNIT_EXPECT_EQ(test, ESPTUN_LIMIT_SOFT(i),
				esptun_limits_present(&to));
		esptun_limits_merge(&to, &from, ESPTUN_LIMIT_HARD(i));
		KUNIT_EXPECT_EQ(test, from.hard[i], to.hard[i]);
		KUNIT_EXPECT_EQ(test,
				ESPTUN_LIMIT_SOFT(i) | ESPTUN_LIMIT_HARD(i),
				esptun_limits_present(&to));
		all |= ESPTUN_LIMIT_SOFT(i) | ESPTUN_LIMIT_HARD(i);
	}
	KUNIT_EXPECT_EQ(test, all, esptun_limits_present(&from));
	KUNIT_EXPECT_EQ(test, 2 * ESPTUN_UNITS, (int)hweight32(all));
}

/* The first packet counted is not the first one noted, if two CPUs have one each. */
static void lifetime_first_use(struct kunit *test)
{
	struct esptun_sa *sa = kunit_kzalloc(test, sizeof(*sa), GFP_KERNEL);
	u64 first;

	KUNIT_ASSERT_NOT_NULL(test, sa);
	spin_lock_init(&sa->lock);
	sa->state = ESPTUN_SA_STATE_MATURE;
	/* The other CPU has counted its packet, and noted nothing yet. */
	atomic64_set(&sa->packets, 1);
	sa->last_used = jiffies - 1;
	esptun_sa_used(sa, 1, 100);
	first = sa->first_used;
	KUNIT_EXPECT_NE(test, 0ULL, first);
	sa->last_used = jiffies - 1;
	esptun_sa_used(sa, 1, 100);
	KUNIT_EXPECT_EQ(test, first, sa->first_used);
	KUNIT_EXPECT_EQ(test, 3LL, atomic64_read(&sa->packets));
	KUNIT_EXPECT_EQ(test, 200LL, atomic64_read(&sa->bytes));
}

static struct kunit_case lifetime_cases[] = { KUNIT_CASE(lifetime_check),
					      KUNIT_CASE(lifetime_merge),
					      KUNIT_CASE(lifetime_first_use),
					      {} };

static struct kunit_suite lifetime_suite = {
	.name = "esptun_lifetime",
	.test_cases = lifetime_cases,
};

kunit_test_suite(lifetime_suite);
