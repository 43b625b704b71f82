// SPDX-License-Identifier: GPL-2.0-or-later
/* The configuration payload: what vendors send is read, what is written reads back, every cut is safe. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ike/proto/cp.h"

static int parse(const void *body, size_t len, struct ike_cp *out)
{
	/* A copy of its own, so that the sanitizer sees a byte too many. */
	uint8_t *copy = malloc(len ? len : 1);
	struct ike_payload p = { .type = IKE_PL_CP, .body = copy, .len = len };
	int rc;

	assert_non_null(copy);
	memcpy(copy, body, len);
	rc = ike_cp_parse(&p, out);
	free(copy);
	return rc;
}

#define PARSE(out, ...) \
	parse((const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }), out)

/* The body that ike_build_cp() writes. */
static size_t build(const struct ike_cp *cp, uint8_t *buf, size_t cap, const uint8_t **body)
{
	struct ike_builder b;
	uint8_t first;
	size_t len;

	ike_build_inner(&b, buf, cap, &first);
	ike_build_cp(&b, cp);
	len = ike_build_end(&b);
	assert_true(len >= 8);
	assert_int_equal(first, IKE_PL_CP);
	*body = buf + 4;
	return len - 4;
}

static struct ike_cp full_reply(void)
{
	struct ike_cp cp = {
		.type = IKE_CP_REPLY,
		.has = IKE_CP_HAS(IP4_ADDRESS) | IKE_CP_HAS(IP6_ADDRESS) | IKE_CP_HAS(IP4_DNS) |
		       IKE_CP_HAS(IP6_DNS) | IKE_CP_HAS(IP4_SUBNET) | IKE_CP_HAS(IP6_SUBNET) |
		       IKE_CP_HAS(DNS_DOMAIN) | IKE_CP_HAS(APPLICATION_VERSION),
		.address = { { 4, { 10, 9, 0, 2 } }, { 6, { 0xfd, [15] = 2 } } },
		.n_servers = 3,
		.server = { { 4, { 10, 0, 0, 53 } },
			    { 4, { 10, 0, 0, 54 } },
			    { 6, { 0xfd, [15] = 53 } } },
		.n_subnets = 3,
		.subnet = { { { 4, { 10 } }, 8 }, { { 4, { 0 } }, 0 }, { { 6, { 0xfd } }, 48 } },
		.version = "esptun",
	};

	assert_true(ike_cp_add_domain(cp.domains, "corp.example", 12));
	assert_true(ike_cp_add_domain(cp.domains, "lab.example", 11));
	return cp;
}

static void a_reply_reads_back_as_written(void **state)
{
	struct ike_cp cp = full_reply(), got;
	const uint8_t *body;
	uint8_t buf[1024];
	size_t len = build(&cp, buf, sizeof(buf), &body);

	(void)state;
	assert_int_equal(parse(body, len, &got), 0);
	assert_memory_equal(&got, &cp, sizeof(cp));
	assert_string_equal(got.domains, "corp.example lab.example");
}

static void each_cut_is_refused_or_shorter(void **state)
{
	struct ike_cp cp = full_reply(), got;
	const uint8_t *body;
	uint8_t buf[1024];
	size_t len = build(&cp, buf, sizeof(buf), &body);
	unsigned int whole = 0;

	(void)state;
	for (size_t cut = 0; cut < len; cut++) {
		int rc = parse(body, cut, &got);

		assert_true(rc == 0 || rc == -IKE_N_INVALID_SYNTAX);
		if (!rc) /* it ended between two attributes */
			assert_true(cut >= 4 && (got.has & ~cp.has) == 0);
		whole += !rc;
	}
	assert_int_equal(whole, 11); /* none, or up to ten of its eleven values … */
}

static void a_request_asks_with_empty_attributes(void **state)
{
	struct ike_cp cp = {
		.type = IKE_CP_REQUEST,
		.has = IKE_CP_HAS(IP4_ADDRESS) | IKE_CP_HAS(IP6_DNS),
	};
	static const uint8_t want[] = { 1, 0, 0, 0, 0, 1, 0, 0, 0, 10, 0, 0 };
	const uint8_t *body;
	uint8_t buf[64];

	(void)state;
	assert_int_equal(build(&cp, buf, sizeof(buf), &body), sizeof(want));
	assert_memory_equal(body, want, sizeof(want));
}

/* Windows asks for attributes of its own, Apple for old ones with reserved bits, phones again for what they had. */
static void unknown_attributes_are_ignored(void **state)
{
	struct ike_cp cp;

	(void)state;
	assert_int_equal(PARSE(&cp, 1, 0, 0, 0, 0, 1, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0x5b, 0xa0, 0,
			       0, 0, 8, 0, 0, 0, 10, 0, 0, 0x5b, 0xa1, 0, 0),
			 0);
	assert_int_equal(cp.has, IKE_CP_HAS(IP4_ADDRESS) | IKE_CP_HAS(IP4_DNS) |
					 IKE_CP_HAS(IP4_NBNS) | IKE_CP_HAS(IP6_ADDRESS) |
					 IKE_CP_HAS(IP6_DNS));
	assert_int_equal(PARSE(&cp, 1, 9, 9, 9, 0x80, 1, 0, 4, 10, 9, 0, 7), 0);
	assert_int_equal(cp.address[0].family, 4);
	assert_int_equal(cp.address[0].b[3], 7);
}

static void values_of_a_wrong_length_are_ignored(void **state)
{
	struct ike_cp cp;

	(void)state;
	assert_int_equal(PARSE(&cp, 2, 0, 0, 0, 0, 1, 0, 3, 10, 9, 0), 0);
	assert_int_equal(cp.address[0].family, 0);
	assert_int_equal(PARSE(&cp, 2, 0, 0, 0, 0, 1, 0, 5, 10, 9, 0, 1, 1), 0);
	assert_int_equal(cp.address[0].family, 0);
	/* an IPv6 address without its prefix length */
	assert_int_equal(PARSE(&cp, 2, 0, 0, 0, 0, 8, 0, 16, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
			       0, 0, 0, 1),
			 0);
	assert_int_equal(cp.address[1].family, 0);
	assert_int_equal(PARSE(&cp, 2, 0, 0, 0, 0, 3, 0, 1, 10, 0, 13, 0, 7, 1, 2, 3, 4, 255, 0, 0),
			 0);
	assert_int_equal(cp.n_servers + cp.n_subnets, 0);
	/* a mask with gaps, and a prefix that is too long */
	assert_int_equal(PARSE(&cp, 2, 0, 0, 0, 0, 13, 0, 8, 10, 0, 0, 0, 255, 0, 255, 0, 0, 15, 0,
			       17, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 129),
			 0);
	assert_int_equal(cp.n_subnets, 0);
}

static void the_first_address_counts(void **state)
{
	struct ike_cp cp;

	(void)state;
	assert_int_equal(PARSE(&cp, 2, 0, 0, 0, 0, 1, 0, 4, 10, 9, 0, 1, 0, 1, 0, 4, 10, 9, 0, 2),
			 0);
	assert_int_equal(cp.address[0].b[3], 1);
}

static void host_bits_of_a_subnet_go(void **state)
{
	struct ike_cp cp;

	(void)state;
	assert_int_equal(PARSE(&cp, 2, 0, 0, 0, 0, 13, 0, 8, 10, 1, 2, 3, 255, 255, 0, 0), 0);
	assert_int_equal(cp.n_subnets, 1);
	assert_int_equal(cp.subnet[0].len, 16);
	assert_memory_equal(cp.subnet[0].addr.b, ((uint8_t[]){ 10, 1, 0, 0 }), 4);
}

static void too_many_values_are_left_out(void **state)
{
	static uint8_t body[4 + 100 * (8 + 12 + 9)] = { IKE_CP_REPLY };
	static const uint8_t one[] = { 0, 3,   0, 4, 10, 0, 0,	1, 0, 13,  0,	8,   10,  0,  0,
				       0, 255, 0, 0, 0,	 0, 25, 0, 5, 'a', '.', 'b', 'c', 'd' };
	struct ike_cp cp;
	size_t len = 4;

	(void)state;
	for (int i = 0; i < 100; i++, len += sizeof(one))
		memcpy(body + len, one, sizeof(one));
	assert_int_equal(len, sizeof(body));
	assert_int_equal(parse(body, len, &cp), 0);
	assert_int_equal(cp.n_servers, IKE_CP_SERVERS);
	assert_int_equal(cp.n_subnets, IKE_CP_SUBNETS);
	assert_true(strlen(cp.domains) < IKE_CP_DOMAINS);
	assert_true(strlen(cp.domains) > IKE_CP_DOMAINS - 10);
	assert_true(ike_cp_domains_ok(cp.domains));
}

/* They become arguments of other programs. */
static void what_is_no_domain_is_left_out(void **state)
{
	static const char *const bad[] = { "",	  "-x.example", "a b",	 "a;b",	 "../etc",
					   ".a",  "a..",	"a..b",	 "a\nb", "$(reboot)",
					   "a/b", "a\"b",	"\xff.a" };
	struct ike_cp cp = { .type = IKE_CP_REPLY };
	char longest[300];

	(void)state;
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(ike_cp_add_domain(cp.domains, bad[i], strlen(bad[i])));
	assert_false(ike_cp_add_domain(cp.domains, "a\0b", 3));
	assert_false(ike_cp_add_domain(cp.domains, ".", 1));
	memset(longest, 'a', sizeof(longest));
	assert_false(ike_cp_add_domain(cp.domains, longest, 254));
	assert_string_equal(cp.domains, "");
	assert_true(ike_cp_add_domain(cp.domains, longest, 253));
	assert_true(ike_cp_add_domain(cp.domains, longest, 253));
	assert_false(ike_cp_add_domain(cp.domains, longest, 253));
	assert_true(ike_cp_add_domain(cp.domains, "a", 1));
	assert_false(ike_cp_add_domain(cp.domains, "ab", 2));
}

/* A name may be told with the dot that ends a whole one. */
static void one_dot_at_the_end_is_none(void **state)
{
	static const uint8_t body[] = { 2,   0,	  0,   0,   0,	 25,  0,   13,	'c', 'o', 'r',
					'p', '.', 'e', 'x', 'a', 'm', 'p', 'l', 'e', '.' };
	struct ike_cp cp;

	(void)state;
	assert_int_equal(parse(body, sizeof(body), &cp), 0);
	assert_string_equal(cp.domains, "corp.example");
	assert_false(ike_cp_odd_domains(&cp));
	assert_true(ike_cp_domains_ok("corp.example lab.example"));
	assert_true(ike_cp_domains_ok(""));
	assert_false(ike_cp_domains_ok("corp.example."));
	assert_false(ike_cp_domains_ok(" corp.example"));
	assert_false(ike_cp_domains_ok("corp.example "));
	assert_false(ike_cp_domains_ok("a  b"));
	assert_int_equal(PARSE(&cp, 2, 0, 0, 0, 0, 25, 0, 2, '$', 'a'), 0);
	assert_true(ike_cp_odd_domains(&cp));
	assert_int_equal(PARSE(&cp, 2, 0, 0, 0), 0);
	assert_false(ike_cp_odd_domains(&cp));
}

static void a_version_is_printable(void **state)
{
	struct ike_cp cp;

	(void)state;
	assert_int_equal(PARSE(&cp, 2, 0, 0, 0, 0, 7, 0, 4, 'a', '\n', 0, 'b'), 0);
	assert_string_equal(cp.version, "a  b");
}

static void supported_attributes_are_told_in_replies(void **state)
{
	struct ike_cp cp = { .type = IKE_CP_REPLY, .has = IKE_CP_HAS(SUPPORTED_ATTRIBUTES) };
	static const uint8_t want[] = { 2, 0, 0, 0, 0,	14, 0,	18, 0,	1, 0,  3, 0,
					7, 0, 8, 0, 10, 0,  13, 0,  14, 0, 15, 0, 25 };
	const uint8_t *body;
	uint8_t buf[64];

	(void)state;
	assert_int_equal(build(&cp, buf, sizeof(buf), &body), sizeof(want));
	assert_memory_equal(body, want, sizeof(want));
	cp.type = IKE_CP_REQUEST;
	assert_int_equal(build(&cp, buf, sizeof(buf), &body), 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reply_reads_back_as_written),
		cmocka_unit_test(each_cut_is_refused_or_shorter),
		cmocka_unit_test(a_request_asks_with_empty_attributes),
		cmocka_unit_test(unknown_attributes_are_ignored),
		cmocka_unit_test(values_of_a_wrong_length_are_ignored),
		cmocka_unit_test(the_first_address_counts),
		cmocka_unit_test(host_bits_of_a_subnet_go),
		cmocka_unit_test(too_many_values_are_left_out),
		cmocka_unit_test(what_is_no_domain_is_left_out),
		cmocka_unit_test(one_dot_at_the_end_is_none),
		cmocka_unit_test(a_version_is_printable),
		cmocka_unit_test(supported_attributes_are_told_in_replies),
	};

	return cmocka_run_group_tests_name("cp", tests, NULL, NULL);
}
