// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/distance.h"

static void distances(void **state)
{
	static const struct {
		const char *a, *b;
		unsigned int edits;
	} rows[] = {
		{ "", "", 0 },
		{ "", "abc", 3 },
		{ "abc", "", 3 },
		{ "Port", "port", 0 },
		{ "kitten", "sitting", 3 },
		{ "adress", "address", 1 },
		{ "addresss", "address", 1 },
		{ "sha265", "sha256", 2 },
		{ "\xff", "a", 1 },
	};
	char longest[DISTANCE_MAX_WORD + 2] = "";

	(void)state;
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(edit_distance(rows[i].a, rows[i].b), rows[i].edits);
		assert_int_equal(edit_distance(rows[i].b, rows[i].a), rows[i].edits);
	}
	memset(longest, 'x', DISTANCE_MAX_WORD);
	assert_int_equal(edit_distance(longest, ""), DISTANCE_MAX_WORD);
	longest[DISTANCE_MAX_WORD] = 'x';
	assert_int_equal(edit_distance(longest, "x"), DISTANCE_FAR);
	assert_int_equal(edit_distance("x", longest), DISTANCE_FAR);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(distances) };

	return cmocka_run_group_tests_name("distance", tests, NULL, NULL);
}
