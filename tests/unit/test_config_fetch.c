// SPDX-License-Identifier: GPL-2.0-or-later
/* Fetch= and FetchFrom=: what they default to, what they take, and beside which keys they say nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ike/app/config/config.h"

#define MARKED "[Tunnel]\nKey = /k\nFwMark = 7\n[Peer]\nRemoteID = any\nCA = /ca\n"
#define PEER "[Tunnel]\nKey = /k\n[Peer]\nRemoteID = any\nCA = /ca\n"

static char said[2048];

static void collect(void *ctx, bool error, unsigned int line, const char *text)
{
	size_t len = strlen(said);

	(void)ctx;
	(void)error;
	snprintf(said + len, sizeof(said) - len, "%u: %s\n", line, text);
}

static int parse(const char *text, struct config *c)
{
	const struct config_report report = { .fn = collect };

	*said = 0;
	return config_parse("vpn0", text, strlen(text), c, &report);
}

static void fetching_is_the_default(void **state)
{
	static const struct {
		const char *text;
		bool fetch;
		enum pki_revocation revocation;
	} rows[] = {
		{ PEER, true, PKI_REVOCATION_IFURI },
		{ PEER "Fetch = yes\n", true, PKI_REVOCATION_IFURI },
		{ PEER "Fetch = No\n", false, PKI_REVOCATION_OFF },
		{ PEER "Fetch = no\nCRL = /crl\n", false, PKI_REVOCATION_IFURI },
		{ PEER "Revocation = strict\n", true, PKI_REVOCATION_STRICT },
		{ PEER "Revocation = off\nFetch = no\n", false, PKI_REVOCATION_OFF },
		{ "[Peer]\nPSK = 5dtRc2sPqYb8Wm1xVn7uKz4L\n", false, PKI_REVOCATION_OFF },
	};
	struct ike_tunnel_conf core;
	struct config c;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (parse(rows[i].text, &c))
			fail_msg("%s: %s", rows[i].text, said);
		config_tunnel(&c, &core);
		if (core.fetch != rows[i].fetch || core.revocation != rows[i].revocation)
			fail_msg("%s: %d %d", rows[i].text, core.fetch, core.revocation);
		config_clear(&c);
	}
}

/*
 * Connections of fetching carry no mark: with one, as of who sends all else into the tunnel, fetching has to be asked for
 * by name.
 */
static void with_a_mark_it_is_not(void **state)
{
	static const struct {
		const char *text;
		bool fetch;
		enum pki_revocation revocation;
		const char *said;
	} rows[] = {
		{ MARKED, false, PKI_REVOCATION_OFF, "" },
		{ MARKED "CRL = /crl\n", false, PKI_REVOCATION_IFURI, "" },
		{ MARKED "Fetch = no\n", false, PKI_REVOCATION_OFF, "" },
		{ MARKED "Fetch = yes\n", true, PKI_REVOCATION_IFURI,
		  "7: Fetch = yes: fetching is without FwMark, which is in line 3: a server to which packets without "
		  "it are routed through a tunnel is not asked, unless FetchFrom names it\n" },
		{ MARKED "Revocation = ifuri\n", false, PKI_REVOCATION_IFURI,
		  "7: Revocation = ifuri with Fetch = no, the default with FwMark, and without CRL: peers" },
		{ "[Tunnel]\nKey = /k\nFwMark = 0\n[Peer]\nRemoteID = any\nCA = /ca\n", true,
		  PKI_REVOCATION_IFURI, "" },
	};
	struct config c;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (parse(rows[i].text, &c))
			fail_msg("%s: %s", rows[i].text, said);
		if (c.fetch != rows[i].fetch || c.revocation != rows[i].revocation)
			fail_msg("%s: %d %d", rows[i].text, c.fetch, c.revocation);
		if (!strstr(said, rows[i].said) || (!*rows[i].said && *said))
			fail_msg("%s: %s", rows[i].text, said);
		config_clear(&c);
	}
}

static void servers_are_networks(void **state)
{
	struct config c;

	(void)state;
	assert_int_equal(parse(PEER "FetchFrom = 127.0.0.1, 10.1.0.0/16 fd00::/8\n", &c), 0);
	assert_int_equal(c.n_fetch_from, 3);
	assert_int_equal(c.fetch_from[0].len, 32);
	assert_int_equal(c.fetch_from[1].len, 16);
	assert_int_equal(c.fetch_from[2].addr.family, 6);
	config_clear(&c);
}

static void refused(const char *text, const char *why)
{
	struct config c;

	assert_int_equal(parse(text, &c), -1);
	if (!strstr(said, why))
		fail_msg("%s: %s", text, said);
}

static void what_says_nothing_is_refused(void **state)
{
	(void)state;
	refused(PEER "Fetch = maybe\n", "6: Fetch = maybe: expected yes or no");
	refused(PEER "FetchFrom = crl.example\n",
		"6: FetchFrom = crl.example: \"crl.example\" is no prefix");
	refused(PEER "Revocation = off\nFetch = yes\n",
		"7: Fetch: nothing is fetched with Revocation = off in line 6: expected one of them");
	refused(PEER "Revocation = off\nFetchFrom = 10.0.0.0/8\n",
		"7: FetchFrom: nothing is fetched with Revocation = off in line 6");
	refused(PEER "Fetch = no\nFetchFrom = 10.0.0.0/8\n",
		"7: FetchFrom: nothing is fetched with Fetch = no in line 6");
	refused(PEER "Revocation = strict\nFetch = no\nFetchFrom = 10.0.0.0/8\n",
		"8: FetchFrom: nothing is fetched with Fetch = no in line 7");
	refused(MARKED "FetchFrom = 10.0.0.0/8\n",
		"7: FetchFrom: nothing is fetched with FwMark in line 3 without Fetch = yes: expected that, too");
	refused("[Peer]\nPSK = 5dtRc2sPqYb8Wm1xVn7uKz4L\nFetch = yes\n",
		"3: Fetch is about certificates of the peer: expected CA in [Peer], too");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fetching_is_the_default),
		cmocka_unit_test(with_a_mark_it_is_not),
		cmocka_unit_test(servers_are_networks),
		cmocka_unit_test(what_says_nothing_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
