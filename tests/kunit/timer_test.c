// SPDX-License-Identifier: GPL-2.0
/* Times for display. */
#include <kunit/test.h>
#include <linux/jiffies.h>
#include "sa/timer.h"

#define DAY (24 * 3600 * HZ)
#define DAY_MS (24 * 3600 * 1000ULL)

static void timer_ms(struct kunit *test)
{
	unsigned long now = jiffies;

	KUNIT_EXPECT_EQ(test, 0ULL, esptun_timer_ms(now, now));
	KUNIT_EXPECT_EQ(test, 1000ULL, esptun_timer_ms(now - HZ, now));
	KUNIT_EXPECT_EQ(test, 49 * DAY_MS,
			esptun_timer_ms(now - 49UL * DAY, now));
	/* 2^32 milliseconds are 49.7 days. */
	KUNIT_EXPECT_EQ(test, 50 * DAY_MS,
			esptun_timer_ms(now - 50UL * DAY, now));
	KUNIT_EXPECT_EQ(test, 10000 * DAY_MS,
			esptun_timer_ms(now - 10000UL * DAY, now));
	KUNIT_EXPECT_EQ(test, 0ULL, esptun_timer_ms(now + 1, now));
	/* jiffies start shortly before 0. */
	KUNIT_EXPECT_EQ(test, 2000ULL, esptun_timer_ms(-HZ, HZ));
}

static struct kunit_case timer_cases[] = { KUNIT_CASE(timer_ms), {} };

static struct kunit_suite timer_suite = {
	.name = "esptun_timer",
	.test_cases = timer_cases,
};

kunit_test_suite(timer_suite);
