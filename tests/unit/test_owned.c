// SPDX-License-Identifier: GPL-2.0-or-later
/* What of a tunnel the core may change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ike/app/owned.h"

static void peers(void **state)
{
	struct owned o = { 0 };
	struct owned_spi old;

	(void)state;
	assert_false(owned_add_peer(&o, 0, 3));
	assert_true(owned_add_peer(&o, 1, 3));
	assert_false(owned_add_peer(&o, 1, 3)); /* it is there */
	assert_true(owned_add_peer(&o, 2, 3));
	assert_true(owned_add_peer(&o, 7, 3));
	assert_false(owned_add_peer(&o, 8, 3)); /* too many */
	assert_true(owned_has_peer(&o, 7));
	assert_false(owned_has_peer(&o, 8));
	assert_false(owned_remove_peer(&o, 8));
	assert_true(owned_add_spi(&o, 2, 99, true, &old));
	assert_true(owned_remove_peer(&o, 2));
	assert_false(owned_has_peer(&o, 2));
	assert_false(owned_add_spi(&o, 2, 99, true, &old));
	assert_true(owned_add_peer(&o, 2, 3));
	assert_false(owned_has_spi(&o, 2, 99, true)); /* a new one has none */
	owned_free(&o);
	assert_false(owned_has_peer(&o, 1));
}

static void sas(void **state)
{
	struct owned o = { 0 };
	struct owned_spi old;

	(void)state;
	owned_add_peer(&o, 1, 2);
	owned_add_peer(&o, 2, 2);
	assert_true(owned_add_spi(&o, 1, 99, true, &old));
	assert_true(owned_has_spi(&o, 1, 99, true));
	assert_false(owned_has_spi(&o, 1, 99, false)); /* the other direction */
	assert_false(owned_has_spi(&o, 2, 99, true)); /* another peer's */
	assert_false(owned_remove_spi(&o, 2, 99, true));
	assert_true(owned_remove_spi(&o, 1, 99, true));
	assert_false(owned_remove_spi(&o, 1, 99, true));
	assert_true(owned_add_spi(&o, 1, 0, true, &old));
	assert_false(owned_has_spi(&o, 1, 0, true));
	owned_free(&o);
}

static void no_more_than(void **state)
{
	struct owned o = { 0 };
	struct owned_spi old;

	(void)state;
	owned_add_peer(&o, 1, 1);
	for (uint32_t spi = 1; spi <= OWNED_MAX_SPIS; spi++) {
		assert_true(owned_add_spi(&o, 1, spi, spi % 2, &old));
		assert_int_equal(old.spi, 0);
	}
	assert_true(owned_add_spi(&o, 1, 1000, true, &old));
	assert_int_equal(old.spi, 1);
	assert_true(old.inbound);
	assert_false(owned_has_spi(&o, 1, 1, true));
	assert_true(owned_has_spi(&o, 1, 2, false));
	assert_true(owned_add_spi(&o, 1, 1000, true, &old)); /* it is there */
	assert_int_equal(old.spi, 0);
	owned_free(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(peers),
		cmocka_unit_test(sas),
		cmocka_unit_test(no_more_than),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
