// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "ike/proto/cursor.h"

static const uint8_t bytes[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };

static void reads_in_network_order(void **state)
{
	struct cursor c = cursor_init(bytes, sizeof(bytes));

	(void)state;
	assert_int_equal(cursor_u8(&c), 1);
	assert_int_equal(cursor_be16(&c), 0x0203);
	assert_int_equal(cursor_be32(&c), 0x04050607);
	assert_ptr_equal(cursor_bytes(&c, 2), bytes + 7);
	assert_int_equal(c.left, 0);
	assert_false(c.bad);
}

static void reading_past_the_end_sticks(void **state)
{
	struct cursor c = cursor_init(bytes, 3);

	(void)state;
	assert_int_equal(cursor_be32(&c), 0);
	assert_true(c.bad);
	/* What is left would have been enough, but nothing may be believed any more. */
	assert_int_equal(cursor_u8(&c), 0);
	assert_null(cursor_bytes(&c, 0));
	assert_int_equal(c.left, 3);
}

static void huge_lengths_do_not_wrap(void **state)
{
	struct cursor c = cursor_init(bytes, sizeof(bytes));
	uint8_t to[4] = { 0 };
	struct writer w = writer_init(to, sizeof(to));

	(void)state;
	assert_null(cursor_bytes(&c, SIZE_MAX));
	assert_true(c.bad);
	writer_u8(&w, 1);
	assert_null(writer_reserve(&w, SIZE_MAX));
	assert_true(w.bad);
}

static void sub_is_bounded_by_its_own_length(void **state)
{
	struct cursor c = cursor_init(bytes, sizeof(bytes)), s = cursor_sub(&c, 2);

	(void)state;
	assert_int_equal(c.left, 7);
	assert_int_equal(cursor_be16(&s), 0x0102);
	assert_int_equal(cursor_u8(&s), 0);
	assert_true(s.bad);
	assert_false(c.bad);
	s = cursor_sub(&c, 8);
	assert_true(s.bad);
	assert_true(c.bad);
}

static void copy_takes_all_or_nothing(void **state)
{
	struct cursor c = cursor_init(bytes, 4);
	uint8_t to[8] = { 0 };

	(void)state;
	assert_true(cursor_copy(&c, to, 3));
	assert_memory_equal(to, bytes, 3);
	assert_false(cursor_copy(&c, to + 3, 2));
	assert_int_equal(to[3], 0);
}

static void writes_stop_at_capacity(void **state)
{
	uint8_t to[6] = { 0 };
	struct writer w = writer_init(to, 5);

	(void)state;
	writer_be32(&w, 0x01020304);
	writer_be16(&w, 0x0506);
	assert_true(w.bad);
	writer_u8(&w, 7);
	assert_int_equal(w.len, 4);
	assert_memory_equal(to, bytes, 4);
	assert_int_equal(to[4], 0);
}

static void patches_only_what_was_written(void **state)
{
	uint8_t to[8] = { 0 };
	struct writer w = writer_init(to, sizeof(to));

	(void)state;
	writer_be16(&w, 0);
	writer_be16(&w, 0);
	writer_patch_be32(&w, 0, 0x01020304);
	assert_memory_equal(to, bytes, 4);
	writer_patch_be16(&w, 3, 0xffff); /* one octet behind the end */
	assert_int_equal(to[3], 4);
	assert_int_equal(to[4], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_in_network_order),
		cmocka_unit_test(reading_past_the_end_sticks),
		cmocka_unit_test(huge_lengths_do_not_wrap),
		cmocka_unit_test(sub_is_bounded_by_its_own_length),
		cmocka_unit_test(copy_takes_all_or_nothing),
		cmocka_unit_test(writes_stop_at_capacity),
		cmocka_unit_test(patches_only_what_was_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
