// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ike/crypto/crypto.h"
#include "ike/proto/names.h"
#include "ike/child/ts.h"
#include "vectors.h"

static char text[2048], err[512];

static struct ike_ts_list list(const char *words)
{
	struct ike_ts_list l = { 0 };
	char copy[1024], *save, *w;

	snprintf(copy, sizeof(copy), "%s", words);
	for (w = strtok_r(copy, ", ", &save); w; w = strtok_r(NULL, ", ", &save))
		if (ike_ts_from_text(w, &l, err, sizeof(err)))
			fail_msg("%s", err);
	return l;
}

static void narrows(const char *offer, const char *policy, const char *want)
{
	struct ike_ts_list o = list(offer), p = list(policy), got;
	bool some = ike_ts_narrow(IKE_TS_OFFER(&o), &p, &got);

	assert_int_equal(some, got.n > 0);
	assert_string_equal(ike_ts_list_print(text, sizeof(text), IKE_TS_OFFER(&got)), want);
	if (some) {
		assert_true(ike_ts_within(IKE_TS_OFFER(&got), &o));
		assert_true(ike_ts_within(IKE_TS_OFFER(&got), &p));
	}
}

static void narrowing_intersects(void **state)
{
	(void)state;
	narrows("any", "any", "0.0.0.0/0, ::/0");
	narrows("any:gre", "192.0.2.1", "192.0.2.1/32:gre");
	narrows("any:udp:1701", "::/0", "::/0:udp:1701");
	narrows("0.0.0.0/0", "10.1.0.0/16", "10.1.0.0/16");
	narrows("10.1.0.0/16", "0.0.0.0/0", "10.1.0.0/16");
	narrows("10.1.0.0/16", "10.2.0.0/16", "nothing");
	narrows("10.1.0.0/16", "::/0", "nothing");
	narrows("10.0.0.5-10.0.0.20", "10.0.0.10-10.0.0.30", "10.0.0.10-10.0.0.20");
	narrows("10.0.0.5-10.0.0.10", "10.0.0.10-10.0.0.30", "10.0.0.10/32");
	narrows("10.1.0.0/16, fd00::/8", "fd00::/16, 10.1.2.0/24", "10.1.2.0/24, fd00::/16");
	narrows("10.0.0.0/8", "10.1.0.0/16, 10.2.0.0/16", "10.1.0.0/16, 10.2.0.0/16");
}

static void protocols_and_ports_narrow_too(void **state)
{
	(void)state;
	narrows("10.0.0.0/8", "10.1.0.0/16:udp:53", "10.1.0.0/16:udp:53");
	narrows("10.0.0.0/8:udp", "10.1.0.0/16:udp:53", "10.1.0.0/16:udp:53");
	narrows("10.0.0.0/8:tcp", "10.1.0.0/16:udp:53", "nothing");
	narrows("10.0.0.0/8:tcp:1-100", "10.0.0.0/8:tcp:80-443", "10.0.0.0/8:tcp:80-100");
	narrows("10.0.0.0/8:tcp:1-79", "10.0.0.0/8:tcp:80-443", "nothing");
	narrows("10.0.0.0/8:icmp:8", "10.0.0.0/8:icmp:0-8", "10.0.0.0/8:icmp:8");
	narrows("10.0.0.0/8:icmp:8/0", "10.0.0.0/8", "10.0.0.0/8:icmp:8/0");
}

static void opaque_is_in_any_alone(void **state)
{
	(void)state;
	narrows("10.0.0.0/8:udp:opaque", "10.0.0.0/8:udp", "10.0.0.0/8:udp:opaque");
	narrows("10.0.0.0/8", "10.0.0.0/8:udp:opaque", "10.0.0.0/8:udp:opaque");
	narrows("10.0.0.0/8:udp:opaque", "10.0.0.0/8:udp:opaque", "10.0.0.0/8:udp:opaque");
	narrows("10.0.0.0/8:udp:opaque", "10.0.0.0/8:udp:53", "nothing");
	narrows("10.0.0.0/8:udp:1-65535", "10.0.0.0/8:udp:opaque", "nothing");
}

/* RFC 7296 2.9: the first selector may be the packet's own; what is left must hold it. */
static void the_packets_selector_stays_inside(void **state)
{
	(void)state;
	narrows("10.1.0.5:tcp:80, 10.0.0.0/8", "10.1.0.0/16", "10.1.0.0/16");
	narrows("10.1.0.5:tcp:80, 10.0.0.0/8", "10.1.0.0/16:tcp", "10.1.0.0/16:tcp");
	narrows("10.2.0.5, 10.1.0.0/16, 10.2.0.0/16", "10.0.0.0/8", "10.2.0.0/16, 10.1.0.0/16");
	narrows("10.1.0.0/16, 10.1.2.0/24", "any", "10.1.0.0/16");
	narrows("10.1.1.0/24, 10.1.2.0/24, 10.1.0.0/16", "any", "10.1.0.0/16");
}

static void narrowing_keeps_within_the_limit(void **state)
{
	struct ike_ts_list o = { 0 }, p = { 0 }, got;
	char word[64];

	(void)state;
	for (int i = 0; i < IKE_MAX_TS; i++) {
		snprintf(word, sizeof(word), "10.%d.0.0/16", i);
		assert_int_equal(ike_ts_from_text(word, &o, err, sizeof(err)), 0);
		snprintf(word, sizeof(word), "10.0.0.0/8:tcp:%d", i);
		assert_int_equal(ike_ts_from_text(word, &p, err, sizeof(err)), 0);
	}
	assert_true(ike_ts_narrow(IKE_TS_OFFER(&o), &p, &got)); /* 32 times 32 */
	assert_int_equal(got.n, IKE_MAX_TS);
	assert_true(ike_ts_within(IKE_TS_OFFER(&got), &o));
}

/* However many a peer asks for, the one that fits is found; and what it answers is cut by its limit. */
static void payloads_may_be_longer_than_policies(void **state)
{
	static struct ike_ts_payload many;
	struct ike_ts_list policy = list("10.0.254.0/24"), got;

	(void)state;
	for (many.n = 0; many.n < IKE_MAX_TS_OFFER; many.n++) {
		char word[32];
		struct ike_ts_list one;

		snprintf(word, sizeof(word), "10.0.%u.0/24", many.n);
		one = list(word);
		many.ts[many.n] = one.ts[0];
	}
	assert_true(ike_ts_narrow(IKE_TS_OFFER(&many), &policy, &got));
	assert_string_equal(ike_ts_list_print(text, sizeof(text), IKE_TS_OFFER(&got)),
			    "10.0.254.0/24");
	assert_false(ike_ts_take(IKE_TS_OFFER(&many), &got));
	many.n = IKE_MAX_TS;
	assert_true(ike_ts_take(IKE_TS_OFFER(&many), &got));
	assert_int_equal(got.n, IKE_MAX_TS);
	/* one that holds all others is one */
	many.n = IKE_MAX_TS_OFFER;
	policy = list("10.0.0.0/16");
	many.ts[0] = policy.ts[0];
	assert_true(ike_ts_take(IKE_TS_OFFER(&many), &got));
	assert_int_equal(got.n, 1);
}

static bool within(const char *answer, const char *offer)
{
	struct ike_ts_list a = list(answer), o = list(offer);

	return ike_ts_within(IKE_TS_OFFER(&a), &o);
}

static void answers_lie_within_the_offer(void **state)
{
	(void)state;
	assert_true(within("10.1.0.0/16", "10.0.0.0/8"));
	assert_true(within("10.1.0.0/16, fd00::/8", "any"));
	assert_true(within("10.1.0.0/16:udp:53", "10.1.0.0/16"));
	assert_true(within("10.1.0.0/16:udp:opaque", "10.1.0.0/16"));
	assert_false(within("10.0.0.0/8", "10.1.0.0/16"));
	assert_false(within("10.1.0.0/16, 11.0.0.0/8", "10.0.0.0/8"));
	assert_false(within("10.1.0.0/16", "10.1.0.0/16:udp"));
	assert_false(within("10.1.0.0/16:udp", "10.1.0.0/16:udp:53"));
	assert_false(within("10.1.0.0/16:udp", "10.1.0.0/16:udp:opaque"));
	assert_false(within("::/0", "0.0.0.0/0"));
	assert_false(within("", "any")); /* no selector is no answer */
}

static void any_is_every_packet(void **state)
{
	struct ike_ts_list any = list("any, 0.0.0.0/0:udp, 0.0.0.0/1");

	(void)state;
	assert_true(ike_ts_is_any(&any.ts[0]));
	assert_true(ike_ts_is_any(&any.ts[1]));
	assert_false(ike_ts_is_any(&any.ts[2]));
	assert_false(ike_ts_is_any(&any.ts[3]));
}

static void prefixes(const char *words, const char *want)
{
	struct ike_ts_list l = list(words);
	struct ike_prefix p[256];
	int n = ike_ts_prefixes(&l, p, 256);
	char got[8192] = "", addr[64];

	assert_in_range(n, 1, 256);
	for (int i = 0; i < n; i++) {
		struct ike_addr a = { .family = p[i].family };

		memcpy(a.b, p[i].addr, 16);
		snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s%s/%u", i ? " " : "",
			 ike_addr_print(addr, sizeof(addr), &a), p[i].len);
	}
	assert_string_equal(got, want);
	assert_int_equal(ike_ts_prefixes(&l, p, (unsigned int)n), n);
	assert_int_equal(ike_ts_prefixes(&l, p, (unsigned int)n - 1), -1);
}

static void ranges_become_prefixes(void **state)
{
	(void)state;
	prefixes("0.0.0.0/0", "0.0.0.0/0");
	prefixes("::/0", "::/0");
	prefixes("10.1.0.0/16", "10.1.0.0/16");
	prefixes("10.1.0.5", "10.1.0.5/32");
	prefixes("10.1.0.5-10.1.0.9", "10.1.0.5/32 10.1.0.6/31 10.1.0.8/31");
	prefixes("10.1.0.0-10.1.1.255", "10.1.0.0/23");
	prefixes("10.1.1.0-10.1.2.255", "10.1.1.0/24 10.1.2.0/24");
	prefixes("255.255.255.254-255.255.255.255", "255.255.255.254/31");
	prefixes("128.0.0.0-255.255.255.255", "128.0.0.0/1");
	prefixes("fd00::1-fd00::4", "fd00::1/128 fd00::2/127 fd00::4/128");
	prefixes("ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
		 "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe/127");
	prefixes("8000::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "8000::/1");
	prefixes("10.1.0.0/16, fd00::/8", "10.1.0.0/16 fd00::/8");
}

static void worst_ranges_take_62_and_254(void **state)
{
	struct ike_ts_list l = list("0.0.0.1-255.255.255.254");
	struct ike_prefix p[254];

	(void)state;
	assert_int_equal(ike_ts_prefixes(&l, p, 254), 62);
	l = list("::1-ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe");
	assert_int_equal(ike_ts_prefixes(&l, p, 254), 254);
	l.n = 0;
	assert_int_equal(ike_ts_prefixes(&l, p, 0), 0);
}

static void prefixes_carry_protocol_and_ports(void **state)
{
	struct ike_ts_list l = list("10.1.0.0/16:udp:53-54");
	struct ike_prefix p;

	(void)state;
	assert_int_equal(ike_ts_prefixes(&l, &p, 1), 1);
	assert_int_equal(p.protocol, 17);
	assert_int_equal(p.port_start, 53);
	assert_int_equal(p.port_end, 54);
}

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Random ranges: the prefixes follow one another without gap from start to end. */
static void prefixes_cover_exactly(void **state)
{
	uint64_t seed = 4;
	struct ike_rng rng = seeded_rng(&seed);

	(void)state;
	for (int run = 0; run < 2000; run++) {
		struct ike_ts_list l = { .n = 1, .ts = { { .family = 4, .port_end = 65535 } } };
		struct ike_prefix p[64];
		uint64_t next;
		int n;

		rng.fill(rng.ctx, l.ts[0].start, 4);
		rng.fill(rng.ctx, l.ts[0].end, 4);
		if (run % 2) /* short ones too */
			memcpy(l.ts[0].end, l.ts[0].start, 2);
		if (memcmp(l.ts[0].start, l.ts[0].end, 4) > 0)
			continue;
		next = be32(l.ts[0].start);
		n = ike_ts_prefixes(&l, p, 64);
		assert_in_range(n, 1, 62);
		for (int i = 0; i < n; i++) {
			uint64_t size = 1ull << (32 - p[i].len);

			assert_int_equal(be32(p[i].addr), next);
			assert_int_equal(next % size, 0);
			next += size;
		}
		assert_int_equal(next, (uint64_t)be32(l.ts[0].end) + 1);
	}
}

static void explanations_name_side_lists_and_key(void **state)
{
	struct ike_ts_list local = list("10.1.0.0/16"), remote = list("10.2.0.0/16");
	struct ike_ts_list asked = list("10.9.0.0/16, 10.8.0.0/16");

	(void)state;
	assert_string_equal(
		ike_ts_explain(text, sizeof(text), &local, &remote, IKE_TS_OFFER(&asked),
			       IKE_TS_OFFER(&remote)),
		"no common traffic selector for our side: the peer asks for 10.9.0.0/16, "
		"10.8.0.0/16, our Selectors= allow 10.1.0.0/16; change one of the two");
	assert_string_equal(
		ike_ts_explain(text, sizeof(text), &local, &remote, IKE_TS_OFFER(&local),
			       IKE_TS_OFFER(&asked)),
		"no common traffic selector for its side: the peer asks for 10.9.0.0/16, "
		"10.8.0.0/16, our Selectors= allow 10.2.0.0/16; change one of the two");
	assert_string_equal(
		ike_ts_explain(text, sizeof(text), &local, &remote, (struct ike_ts_offer){ 0 },
			       (struct ike_ts_offer){ 0 }),
		"the peer allows no part of our traffic selectors 10.1.0.0/16 = 10.2.0.0/16; "
		"write what it has configured, ours = its, into Selectors=");
}

/* Of a child SA in transport mode nothing but the endpoints' own address may be installed. */
static void of_one_address(void **state)
{
	static const struct ike_addr host = { 4, { 192, 0, 2, 7 } },
				     other = { 4, { 192, 0, 2, 8 } };
	struct ike_ts_list l = { .n = 0 };

	(void)state;
	assert_int_equal(ike_ts_from_text("any:gre", &l, err, sizeof(err)), 0);
	assert_false(ike_ts_of_address(&l, &host));
	ike_ts_pin(&l, &host);
	assert_true(ike_ts_of_address(&l, &host));
	assert_false(ike_ts_of_address(&l, &other));
	assert_int_equal(ike_ts_from_text("192.0.2.7/32:tcp", &l, err, sizeof(err)), 0);
	assert_true(ike_ts_of_address(&l, &host));
	assert_int_equal(ike_ts_from_text("192.0.2.6/31", &l, err, sizeof(err)), 0);
	assert_false(ike_ts_of_address(&l, &host));
}

/* What a peer behind a NAT says of its address becomes what we see, and what it said is known. */
static void substituted(void **state)
{
	static const struct ike_addr seen = { 4, { 192, 0, 2, 7 } }, said = { 4, { 10, 0, 0, 5 } },
				     none = { 0, { 0 } }, other = { 6, { 0x20, 1, [15] = 1 } },
				     said6 = { 6, { 0xfd, [15] = 5 } };
	static const struct {
		const char *text;
		const struct ike_addr *a, *was;
		bool host;
	} rows[] = {
		{ "10.0.0.5/32:tcp", &seen, &said, true },
		{ "10.0.0.5/32:tcp, 10.0.0.5/32:udp:53", &seen, &said, true },
		{ "10.0.0.5/32, 10.0.0.0/8", &seen, &said, false },
		{ "10.0.0.5/32, 10.0.0.6/32", &seen, &none, true },
		{ "10.0.0.6/32, 10.0.0.5/32, 10.0.0.5/32", &seen, &none, true },
		{ "10.0.0.5/32, 2001:db8::5/128", &seen, &none, true },
		{ "2001:db8::5/128, 10.0.0.5/32", &seen, &none, true },
		{ "10.0.0.5/32", &other, &none, true },
		{ "fd00::5/128:udp:53, fd00::5/128:tcp", &other, &said6, true },
		{ "fd00::5/128, fd00::6/128", &other, &none, true },
		/* what no host has, the kernel would refuse */
		{ "0.0.0.0/32", &seen, &none, true },
		{ "224.0.0.1/32", &seen, &none, true },
		{ "255.255.255.255/32:udp", &seen, &none, true },
		{ "::/128", &other, &none, true },
		{ "fe80::5/128", &other, &none, true },
		{ "ff02::1/128", &other, &none, true },
		{ "::ffff:10.0.0.5/128", &other, &none, true },
		{ "0.0.0.0/0", &seen, &none, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ike_ts_payload p = { 0 };
		struct ike_ts_list l = list(rows[i].text);
		struct ike_addr was = { 6, { 1 } };

		p.n = l.n;
		memcpy(p.ts, l.ts, l.n * sizeof(l.ts[0]));
		ike_ts_substitute(&p, rows[i].a, &was);
		assert_memory_equal(&was, rows[i].was, sizeof(was));
		memcpy(l.ts, p.ts, l.n * sizeof(l.ts[0]));
		assert_int_equal(ike_ts_of_address(&l, rows[i].a), rows[i].host);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(narrowing_intersects),
		cmocka_unit_test(protocols_and_ports_narrow_too),
		cmocka_unit_test(opaque_is_in_any_alone),
		cmocka_unit_test(the_packets_selector_stays_inside),
		cmocka_unit_test(narrowing_keeps_within_the_limit),
		cmocka_unit_test(payloads_may_be_longer_than_policies),
		cmocka_unit_test(answers_lie_within_the_offer),
		cmocka_unit_test(any_is_every_packet),
		cmocka_unit_test(ranges_become_prefixes),
		cmocka_unit_test(worst_ranges_take_62_and_254),
		cmocka_unit_test(prefixes_carry_protocol_and_ports),
		cmocka_unit_test(prefixes_cover_exactly),
		cmocka_unit_test(explanations_name_side_lists_and_key),
		cmocka_unit_test(of_one_address),
		cmocka_unit_test(substituted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
