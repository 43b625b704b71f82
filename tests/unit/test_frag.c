// SPDX-License-Identifier: GPL-2.0-or-later
/* The fragments of a message: RFC 7383 2.6. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ike/core/frag.h"

static uint8_t out[FRAGS_MAX_LEN];
static const uint8_t zeros[FRAGS_MAX_LEN];

/* Fragment @number of @total, each octet its number; of @len octets. */
static enum frags_verdict add(struct frags **all, uint16_t number, uint16_t total, size_t len)
{
	static uint8_t data[FRAGS_MAX_LEN];
	const struct ike_skf f = { number, total, number == 1 ? IKE_PL_IDI : 0,
				   data,   len,	  number == 1 ? 0x81 : 0x82 };

	memset(data, number, sizeof(data));
	return frags_add(all, &f);
}

/* What is complete: @total fragments of @len octets each, in order; the last of @last octets. */
static void check_joined(struct frags **all, unsigned int total, size_t len, size_t last)
{
	uint8_t first = 0, flags = 0;

	assert_int_equal(frags_join(all, out, &first, &flags), (total - 1) * len + last);
	assert_null(*all);
	assert_int_equal(first, IKE_PL_IDI);
	assert_int_equal(flags, 0x81);
	for (size_t i = 0; i < (total - 1) * len + last; i++)
		assert_int_equal(out[i], i / len + 1);
}

static void one_is_enough(void **state)
{
	struct frags *all = NULL;

	(void)state;
	assert_int_equal(add(&all, 1, 1, 100), FRAGS_COMPLETE);
	check_joined(&all, 1, 100, 100);
}

/* All 120 orders of five, the last of which is shorter. */
static void any_order(void **state)
{
	struct frags *all = NULL;

	(void)state;
	for (unsigned int order = 0; order < 120; order++) {
		uint16_t left[5] = { 1, 2, 3, 4, 5 };
		unsigned int code = order, n;

		for (n = 5; n; n--) {
			unsigned int at = code % n;
			uint16_t number = left[at];

			code /= n;
			memmove(left + at, left + at + 1, (n - 1 - at) * sizeof(left[0]));
			assert_int_equal(add(&all, number, 5, number == 5 ? 7 : 50),
					 n > 1 ? FRAGS_KEPT : FRAGS_COMPLETE);
		}
		check_joined(&all, 5, 50, 7);
	}
}

/* A second one under the same number is dropped, whatever it says. */
static void duplicates_are_dropped(void **state)
{
	const struct ike_skf other = { 1, 3, IKE_PL_DELETE, zeros, 30, 0 };
	struct frags *all = NULL;

	(void)state;
	assert_int_equal(add(&all, 1, 3, 30), FRAGS_KEPT);
	for (unsigned int i = 0; i < 1000; i++) {
		assert_int_equal(add(&all, 1, 3, 30), FRAGS_DROPPED);
		assert_int_equal(frags_add(&all, &other), FRAGS_DROPPED);
	}
	assert_int_equal(add(&all, 3, 3, 30), FRAGS_KEPT);
	assert_int_equal(add(&all, 3, 3, 10), FRAGS_DROPPED);
	assert_int_equal(add(&all, 2, 3, 30), FRAGS_COMPLETE);
	check_joined(&all, 3, 30, 30);
}

/* Split anew: more fragments replace all there are, and the older ones that still arrive are late. */
static void a_larger_total_replaces(void **state)
{
	struct frags *all = NULL;

	(void)state;
	assert_int_equal(add(&all, 1, 2, 100), FRAGS_KEPT);
	assert_int_equal(add(&all, 2, 4, 40), FRAGS_KEPT);
	assert_int_equal(add(&all, 2, 2, 100), FRAGS_DROPPED);
	assert_int_equal(add(&all, 1, 2, 100), FRAGS_DROPPED);
	assert_int_equal(add(&all, 3, 4, 40), FRAGS_KEPT);
	assert_int_equal(add(&all, 4, 4, 9), FRAGS_KEPT);
	assert_int_equal(add(&all, 1, 4, 40), FRAGS_COMPLETE);
	check_joined(&all, 4, 40, 9);
}

static void impossible_numbers_are_dropped(void **state)
{
	static const uint16_t numbers[][2] = {
		{ 0, 0 },   { 0, 1 },  { 0, 64 },  { 1, 0 },	 { 3, 2 },
		{ 65, 64 }, { 1, 65 }, { 65, 65 }, { 1, 65535 }, { 65535, 65535 },
	};
	struct frags *all = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		assert_int_equal(add(&all, numbers[i][0], numbers[i][1], 10), FRAGS_DROPPED);
		assert_null(all);
	}
	/* nor do they disturb those that are there */
	assert_int_equal(add(&all, 1, 2, 10), FRAGS_KEPT);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		assert_int_equal(add(&all, numbers[i][0], numbers[i][1], 10), FRAGS_DROPPED);
	assert_int_equal(add(&all, 2, 2, 10), FRAGS_COMPLETE);
	check_joined(&all, 2, 10, 10);
}

static void sixty_four_and_64_kb_are_taken(void **state)
{
	struct frags *all = NULL;

	(void)state;
	for (uint16_t n = 1; n < FRAGS_MAX; n++)
		assert_int_equal(add(&all, n, FRAGS_MAX, 1024), FRAGS_KEPT);
	assert_int_equal(add(&all, FRAGS_MAX, FRAGS_MAX, 1025), FRAGS_DROPPED);
	assert_int_equal(add(&all, FRAGS_MAX, FRAGS_MAX, 1024), FRAGS_COMPLETE);
	check_joined(&all, FRAGS_MAX, 1024, 1024);
}

/* However it is spread, 64 KB is the end; what replaces it begins to count anew. */
static void more_than_64_kb_is_dropped(void **state)
{
	struct frags *all = NULL;

	(void)state;
	assert_int_equal(add(&all, 1, 3, FRAGS_MAX_LEN), FRAGS_KEPT);
	assert_int_equal(add(&all, 2, 3, 1), FRAGS_DROPPED);
	assert_int_equal(add(&all, 2, 3, 0), FRAGS_KEPT);
	assert_int_equal(add(&all, 3, 3, FRAGS_MAX_LEN), FRAGS_DROPPED);
	assert_int_equal(add(&all, 1, 4, 30000), FRAGS_KEPT);
	assert_int_equal(add(&all, 2, 4, 30000), FRAGS_KEPT);
	assert_int_equal(add(&all, 3, 4, 30000), FRAGS_DROPPED);
	frags_free(&all);
	assert_null(all);
	frags_free(&all);
}

/* A fragment may be empty (RFC 7383 2.5.3), a message as well. */
static void empty_ones_count(void **state)
{
	struct frags *all = NULL;
	uint8_t first, flags;

	(void)state;
	assert_int_equal(add(&all, 2, 2, 0), FRAGS_KEPT);
	assert_int_equal(add(&all, 2, 2, 0), FRAGS_DROPPED);
	assert_int_equal(add(&all, 1, 2, 0), FRAGS_COMPLETE);
	assert_int_equal(frags_join(&all, out, &first, &flags), 0);
	assert_null(all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_is_enough),
		cmocka_unit_test(any_order),
		cmocka_unit_test(duplicates_are_dropped),
		cmocka_unit_test(a_larger_total_replaces),
		cmocka_unit_test(impossible_numbers_are_dropped),
		cmocka_unit_test(sixty_four_and_64_kb_are_taken),
		cmocka_unit_test(more_than_64_kb_is_dropped),
		cmocka_unit_test(empty_ones_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
