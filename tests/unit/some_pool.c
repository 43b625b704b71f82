// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "some_pool.h"
#include "ike/proto/addr.h"
#include "ike/proto/id.h"

struct ike_id name(const char *text)
{
	struct ike_id id;
	char err[200];

	assert_int_equal(ike_id_from_text(text, &id, err, sizeof(err)), 0);
	return id;
}

struct ike_addr at(const char *text)
{
	struct ike_addr a = { 0 };

	assert_int_equal(ike_addr_from_text(text, &a), 0);
	return a;
}

struct pool *pool_of(const char *first, const char *last)
{
	const struct pool_range r = { at(first), at(last) };
	struct pool *pool = pool_new(&r, 1, NULL, 0);

	assert_non_null(pool);
	return pool;
}
