// SPDX-License-Identifier: GPL-2.0
/* Outer addresses: what requests may say, and what is equal. */
#include <kunit/test.h>
#include <linux/inet.h>
#include <linux/netlink.h>
#include <net/netlink.h>
#include "encap/endpoint.h"

struct addr_row {
	const char *text;
	bool good;
	u32 family;
};

static const struct addr_row addr_rows[] = {
	{ "192.0.2.1", true, AF_INET },
	{ "127.0.0.1", true, AF_INET },
	{ "0.0.0.0", true, AF_UNSPEC },
	{ "224.0.0.1", false, 0 },
	{ "255.255.255.255", false, 0 },
	{ "2001:db8::1", true, AF_INET6 },
	{ "fd00::1", true, AF_INET6 },
	{ "::1", true, AF_INET6 },
	{ "::", false, 0 },
	{ "ff02::1", false, 0 },
	{ "fe80::1", false, 0 },
	{ "febf::1", false, 0 },
	{ "::ffff:192.0.2.1", false, 0 },
};

/* Return: octets. */
static unsigned int parse(struct kunit *test, const char *text, u8 *octets)
{
	if (strchr(text, ':')) {
		KUNIT_ASSERT_EQ(test, in6_pton(text, -1, octets, -1, NULL), 1);
		return sizeof(struct in6_addr);
	}
	KUNIT_ASSERT_EQ(test, in4_pton(text, -1, octets, -1, NULL), 1);
	return sizeof(struct in_addr);
}

static int get(struct kunit *test, const u8 *octets, unsigned int len,
	       struct esptun_addr *addr, struct netlink_ext_ack *extack)
{
	struct nlattr *attr =
		kunit_kzalloc(test, nla_total_size(len), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, attr);
	attr->nla_len = nla_attr_size(len);
	memcpy(nla_data(attr), octets, len);
	return esptun_addr_get(attr, addr, extack);
}

/* A request's address is taken, or refused with a sentence, and goes back. */
static void endpoint_get_put(struct kunit *test)
{
	struct sk_buff *msg = nlmsg_new(NLMSG_DEFAULT_SIZE, GFP_KERNEL);
	const struct addr_row *row;
	struct esptun_addr addr;
	unsigned int len, put;
	u8 octets[16];
	int err;

	KUNIT_ASSERT_NOT_NULL(test, msg);
	for (row = addr_rows; row < addr_rows + ARRAY_SIZE(addr_rows); row++) {
		struct netlink_ext_ack extack = {};

		len = parse(test, row->text, octets);
		err = get(test, octets, len, &addr, &extack);
		KUNIT_EXPECT_EQ_MSG(test, !err, row->good, "%s", row->text);
		KUNIT_EXPECT_EQ_MSG(test, !extack._msg, row->good, "%s",
				    row->text);
		if (err)
			continue;
		KUNIT_EXPECT_EQ_MSG(test, addr.family, row->family, "%s",
				    row->text);
		KUNIT_EXPECT_EQ(test, esptun_addr_is_host(&addr),
				row->family != AF_UNSPEC);
		put = msg->len;
		KUNIT_EXPECT_EQ(test, esptun_addr_put(msg, 1, &addr), 0);
		KUNIT_EXPECT_EQ(test, msg->len - put, esptun_addr_size(&addr));
		if (addr.family)
			KUNIT_EXPECT_EQ(test,
					memcmp(msg->data + put + NLA_HDRLEN,
					       octets, len),
					0);
	}
	nlmsg_free(msg);
}

static void endpoint_lengths(struct kunit *test)
{
	static const u8 octets[20] = { 1 };
	struct esptun_addr addr;
	unsigned int len;

	for (len = 0; len <= sizeof(octets); len++)
		KUNIT_EXPECT_EQ_MSG(test, !get(test, octets, len, &addr, NULL),
				    len == 4 || len == 16, "%u", len);
}

static struct esptun_addr addr_of(struct kunit *test, const char *text)
{
	struct esptun_addr addr;
	u8 octets[16];
	unsigned int len = parse(test, text, octets);

	KUNIT_ASSERT_EQ(test, get(test, octets, len, &addr, NULL), 0);
	return addr;
}

static void endpoint_equal(struct kunit *test)
{
	/* The first four octets of both are the same. */
	struct esptun_addr ip4 = addr_of(test, "32.1.13.184");
	struct esptun_addr ip6 = addr_of(test, "2001:db8::");
	struct esptun_addr more = addr_of(test, "2001:db8::1");
	struct esptun_addr other = addr_of(test, "2001:db8:0:1::1");

	KUNIT_EXPECT_TRUE(test, esptun_addr_equal(&ip4, &ip4));
	KUNIT_EXPECT_FALSE(test, esptun_addr_equal(&ip4, &ip6));
	KUNIT_EXPECT_FALSE(test, esptun_addr_equal(&ip6, &more));
	KUNIT_EXPECT_EQ(test, esptun_addr_hash_site(&ip6, 7),
			esptun_addr_hash_site(&more, 7));
	KUNIT_EXPECT_NE(test, esptun_addr_hash_site(&other, 7),
			esptun_addr_hash_site(&more, 7));
}

/* What travelled without ports comes from any port of its address. */
static void endpoint_covers(struct kunit *test)
{
	const struct esptun_endpoint at = {
		.addr = esptun_addr_ip4(htonl(0xc0000201)),
		.port = htons(4500),
	};
	struct esptun_endpoint from = at;

	KUNIT_EXPECT_TRUE(test, esptun_endpoint_covers(&at, &from));
	from.port = 0;
	KUNIT_EXPECT_TRUE(test, esptun_endpoint_covers(&at, &from));
	from.port = htons(4501);
	KUNIT_EXPECT_FALSE(test, esptun_endpoint_covers(&at, &from));
	from = at;
	from.addr = esptun_addr_ip4(htonl(0xc0000202));
	KUNIT_EXPECT_FALSE(test, esptun_endpoint_covers(&at, &from));
	from.port = 0;
	KUNIT_EXPECT_FALSE(test, esptun_endpoint_covers(&at, &from));
}

static struct kunit_case endpoint_cases[] = { KUNIT_CASE(endpoint_get_put),
					      KUNIT_CASE(endpoint_lengths),
					      KUNIT_CASE(endpoint_equal),
					      KUNIT_CASE(endpoint_covers),
					      {} };

static struct kunit_suite endpoint_suite = {
	.name = "esptun_endpoint",
	.test_cases = endpoint_cases,
};

kunit_test_suite(endpoint_suite);
