// SPDX-License-Identifier: GPL-2.0-or-later
/* Names that are looked up: how many at a time for what. Addresses take the place of names, so that no server is asked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <event2/event.h>

#include "ike/io/dns.h"

enum { MANY = 200 };

static struct event_base *base;
static struct dns *lookups[DNS_USES][MANY];

static int begin(void **state)
{
	(void)state;
	base = event_base_new();
	return base ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	event_base_free(base);
	return 0;
}

static void on_addresses(void *ctx, const struct ike_addr *addrs, unsigned int n, const char *err)
{
	(void)err;
	assert_int_equal(n, 1);
	assert_int_equal(addrs->family, 4);
	++*(unsigned int *)ctx;
}

/* As many as may be. */
static unsigned int look_up(enum dns_use use, unsigned int *told)
{
	unsigned int n = 0;

	while (n < MANY &&
	       (lookups[use][n] = dns_lookup(base, use, "192.0.2.1", on_addresses, told)))
		n++;
	return n;
}

/* What certificates name may be the names of servers that are dead, and none of a peer. */
static void fetching_leaves_room_for_peers(void **state)
{
	unsigned int told = 0, fetched, peers;

	(void)state;
	fetched = look_up(DNS_OF_FETCHING, &told);
	assert_int_equal(fetched, 32);
	peers = look_up(DNS_OF_PEERS, &told);
	assert_int_equal(peers, 96);
	event_base_loop(base, EVLOOP_NONBLOCK);
	assert_int_equal(told, fetched + peers);
	/* The place is free when the lookup was given back. */
	dns_cancel(lookups[DNS_OF_FETCHING][0]);
	assert_null(dns_lookup(base, DNS_OF_PEERS, "192.0.2.1", on_addresses, &told));
	lookups[DNS_OF_FETCHING][0] =
		dns_lookup(base, DNS_OF_FETCHING, "192.0.2.1", on_addresses, &told);
	assert_non_null(lookups[DNS_OF_FETCHING][0]);
	for (unsigned int i = 0; i < fetched; i++)
		dns_cancel(lookups[DNS_OF_FETCHING][i]);
	for (unsigned int i = 0; i < peers; i++)
		dns_cancel(lookups[DNS_OF_PEERS][i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(fetching_leaves_room_for_peers, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
