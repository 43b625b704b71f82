// SPDX-License-Identifier: GPL-2.0-or-later
/* Any bytes as the leases of a hub: what is taken is printed and read again alike. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ike/pool/lease_text.h"

static const struct pool_range ranges[] = {
	{ { 4, { 10, 9, 0, 2 } }, { 4, { 10, 9, 0, 254 } } },
	{ { 6, { 0xfd, 9, [15] = 1 } }, { 6, { 0xfd, 9, [14] = 255, 255 } } },
};

static struct pool *new_pool(void)
{
	struct pool *pool = pool_new(ranges, 2, NULL, 0);

	if (!pool)
		abort();
	return pool;
}

static void check_lease(void *ctx, const struct pool_lease *l)
{
	unsigned int *n = ctx;

	++*n;
	if (l->holder || !l->id.type || l->id.len > sizeof(l->id.data) || l->since < 0)
		abort();
}

/* What is printed of @pool is whole, and fits as it did. */
static void check_again(const struct pool *pool)
{
	struct pool *next = new_pool();
	unsigned int left_out;
	size_t len, len2;
	char err[256], *text = lease_text_print(pool, &len), *again;

	if (!text || lease_text_parse(next, text, len, &left_out, err, sizeof(err)) || left_out)
		abort();
	again = lease_text_print(next, &len2);
	if (!again || len != len2 || memcmp(text, again, len) != 0)
		abort();
	free(text);
	free(again);
	pool_free(next);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pool *pool = new_pool();
	unsigned int left_out, n = 0;
	char err[256] = "";
	int rc = lease_text_parse(pool, (const char *)data, size, &left_out, err, sizeof(err));

	/* Refused means that a line was named, and only then. */
	if ((rc != 0) != !strncmp(err, "line ", 5))
		abort();
	pool_each(pool, check_lease, &n);
	if (n > size)
		abort();
	check_again(pool);
	pool_free(pool);
	return 0;
}
