// SPDX-License-Identifier: GPL-2.0
/* Limits of SAs, as far as they are numbers. */
#include <kunit/test.h>
#include "lifetime.h"

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

static struct kunit_case lifetime_cases[] = { KUNIT_CASE(lifetime_check),
					      KUNIT_CASE(lifetime_merge),
					      {} };

static struct kunit_suite lifetime_suite = {
	.name = "esptun_lifetime",
	.test_cases = lifetime_cases,
};

kunit_test_suite(lifetime_suite);
