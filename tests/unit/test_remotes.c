// SPDX-License-Identifier: GPL-2.0-or-later
/* Where the core may send to, and how much. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ike/app/remotes.h"

static struct ike_addr addr_of(uint32_t n)
{
	return (struct ike_addr){ 4, { 10, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n } };
}

/* Bytes that may be sent there at @now, in datagrams of 100. */
static uint64_t drain(struct remotes *r, const struct ike_addr *addr, uint64_t now)
{
	uint64_t bytes = 0;

	while (remotes_admit(r, addr, 100, now))
		bytes += 100;
	return bytes;
}

static void strangers_get_nothing(void **state)
{
	struct remotes *r = remotes_new();
	struct ike_addr a = addr_of(1), b = addr_of(2), six = { 6, { 10, 0, 0, 1 } };

	(void)state;
	assert_false(remotes_know(r, &a, 5));
	assert_false(remotes_trust(r, &a));
	assert_false(remotes_admit(r, &a, 1, 5));
	remotes_heard(r, &a, 1, 5);
	assert_true(remotes_know(r, &a, 5));
	assert_true(remotes_trust(r, &a));
	assert_false(remotes_know(r, &b, 5));
	assert_false(remotes_know(r, &six, 5));
	assert_true(remotes_admit(r, &a, 1, 5));
	remotes_free(r);
}

static void bytes_are_counted(void **state)
{
	struct remotes *r = remotes_new();
	struct ike_addr a = addr_of(1), b = addr_of(2), peer = addr_of(3);

	(void)state;
	/* What came is answered; what is more, all who are not known share. */
	remotes_heard(r, &a, 1000, 50);
	remotes_heard(r, &b, 1000, 50);
	assert_in_range(drain(r, &a, 50), REMOTES_SHARED_MOST + REMOTES_ANSWER * 1000 - 100,
			REMOTES_SHARED_MOST + REMOTES_ANSWER * 1000);
	assert_int_equal(drain(r, &b, 50), REMOTES_ANSWER * 1000);
	assert_in_range(drain(r, &a, 1050), 1000 * REMOTES_SHARED - 100, 1000 * REMOTES_SHARED);
	assert_int_equal(drain(r, &b, 1050), 0);
	remotes_heard(r, &b, 100000000, 1050);
	assert_in_range(drain(r, &b, 1050), REMOTES_ANSWERS - 100, REMOTES_ANSWERS);
	/* A peer has its own, and what it did not get adds up, but not without end. */
	remotes_vouch(r, &peer, 1050);
	assert_in_range(drain(r, &peer, 1050), REMOTES_PEER_MOST - 100, REMOTES_PEER_MOST);
	assert_in_range(drain(r, &peer, 2050), 1000 * REMOTES_PEER - 100,
			1000 * REMOTES_PEER + 100);
	assert_in_range(drain(r, &peer, 1000000000), REMOTES_PEER_MOST - 100, REMOTES_PEER_MOST);
	remotes_free(r);
}

static void memory_is_bounded(void **state)
{
	enum { MANY = 100000 };
	struct remotes *r = remotes_new();
	unsigned int known = 0;

	(void)state;
	for (uint32_t i = 0; i < MANY; i++) {
		struct ike_addr a = addr_of(i);

		remotes_heard(r, &a, 28, i);
		assert_true(remotes_know(r, &a, i));
	}
	for (uint32_t i = 0; i < MANY; i++) {
		struct ike_addr a = addr_of(i);

		known += remotes_know(r, &a, MANY);
	}
	assert_in_range(known, 4096, 8192);
	remotes_free(r);
}

static void claims_are_few(void **state)
{
	struct remotes *r = remotes_new();
	unsigned int n = 0;
	struct ike_addr a = addr_of(1);

	(void)state;
	for (uint32_t i = 0; i < 10 * REMOTES_CLAIMS; i++) {
		struct ike_addr one = addr_of(i + 2);

		n += remotes_claim(r, &one, 7);
	}
	assert_int_equal(n, REMOTES_CLAIMS);
	assert_false(remotes_claim(r, &a, 7));
	remotes_heard(r, &a, 28, 7);
	assert_true(remotes_claim(r, &a, 7)); /* known anyway */
	a = addr_of(7000);
	assert_false(remotes_claim(r, &a, 7 + 1000 / REMOTES_CLAIMS_SECOND - 1));
	assert_true(remotes_claim(r, &a, 7 + 1000 / REMOTES_CLAIMS_SECOND));
	remotes_free(r);
}

/* That a peer may be there is no reason to send there for ever, nor to take it for a peer's place. */
static void claims_end(void **state)
{
	struct remotes *r = remotes_new();
	struct ike_addr a = addr_of(1);

	(void)state;
	assert_true(remotes_claim(r, &a, 5));
	assert_true(remotes_admit(r, &a, 100, 5));
	assert_false(remotes_trust(r, &a));
	assert_true(remotes_know(r, &a, 4 + REMOTES_CLAIM_LAST));
	assert_false(remotes_know(r, &a, 5 + REMOTES_CLAIM_LAST));
	assert_false(remotes_admit(r, &a, 100, 5 + REMOTES_CLAIM_LAST));
	assert_true(remotes_claim(r, &a, 5 + REMOTES_CLAIM_LAST));
	remotes_heard(r, &a, 28, 6 + REMOTES_CLAIM_LAST);
	assert_true(remotes_trust(r, &a));
	assert_true(remotes_know(r, &a, 3 * REMOTES_CLAIM_LAST));
	remotes_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strangers_get_nothing),
		cmocka_unit_test(bytes_are_counted),
		cmocka_unit_test(memory_is_bounded),
		cmocka_unit_test(claims_are_few),
		cmocka_unit_test(claims_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
