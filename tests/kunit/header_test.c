// SPDX-License-Identifier: GPL-2.0
/* The outer header: what it takes from the inner one, and what is set. */
#include <kunit/test.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/skbuff.h>
#include <net/ip.h>
#include "encap/header.h"

static struct sk_buff *alloc_ip4(struct kunit *test, u8 tos, u8 ttl, bool df)
{
	struct sk_buff *skb = alloc_skb(64, GFP_KERNEL);
	struct iphdr *ip;

	KUNIT_ASSERT_NOT_NULL(test, skb);
	ip = skb_put_zero(skb, sizeof(*ip));
	skb_reset_network_header(skb);
	skb->protocol = htons(ETH_P_IP);
	*ip = (struct iphdr){
		.version = 4,
		.ihl = 5,
		.tos = tos,
		.ttl = ttl,
		.frag_off = df ? htons(IP_DF) : 0,
	};
	return skb;
}

static struct sk_buff *alloc_ip6(struct kunit *test, u8 tclass, u8 hops)
{
	struct sk_buff *skb = alloc_skb(64, GFP_KERNEL);
	struct ipv6hdr *ip;

	KUNIT_ASSERT_NOT_NULL(test, skb);
	ip = skb_put_zero(skb, sizeof(*ip));
	skb_reset_network_header(skb);
	skb->protocol = htons(ETH_P_IPV6);
	ip6_flow_hdr(ip, tclass, 0);
	ip->hop_limit = hops;
	return skb;
}

static void header_merge(struct kunit *test)
{
	const struct esptun_header link = {
		.tos = 0x48,
		.ttl = 33,
		.df = ESPTUN_DF_SET,
	};
	struct esptun_header own = esptun_header_of_link(), to;

	esptun_header_merge(&to, &link, &own);
	KUNIT_EXPECT_FALSE(test, memcmp(&to, &link, sizeof(to)));
	/* Values of 0 are a peer's own as well. */
	own = (struct esptun_header){};
	esptun_header_merge(&to, &link, &own);
	KUNIT_EXPECT_FALSE(test, memcmp(&to, &own, sizeof(to)));
	own.ttl = ESPTUN_HEADER_OF_LINK;
	esptun_header_merge(&to, &link, &own);
	KUNIT_EXPECT_EQ(test, to.ttl, link.ttl);
	KUNIT_EXPECT_EQ(test, to.tos, (u16)0);
}

static void header_tos(struct kunit *test)
{
	struct esptun_header h = { .tos = ESPTUN_TOS_INHERIT };
	struct sk_buff *ip4 = alloc_ip4(test, 0xbb, 9, true);
	struct sk_buff *ip6 = alloc_ip6(test, 0x2a, 9);

	KUNIT_EXPECT_EQ(test, esptun_header_tos(&h, ip4), (u8)0xbb);
	KUNIT_EXPECT_EQ(test, esptun_header_tos(&h, ip6), (u8)0x2a);
	/* Whatever the DSCP is: RFC 6040 4.1. */
	h.tos = 0x49;
	KUNIT_EXPECT_EQ(test, esptun_header_tos(&h, ip4), (u8)0x4b);
	KUNIT_EXPECT_EQ(test, esptun_header_tos(&h, ip6), (u8)0x4a);
	h.tos = 0;
	KUNIT_EXPECT_EQ(test, esptun_header_tos(&h, ip4), (u8)0x03);
	/* A dummy packet has nothing inside. */
	h.tos = 0x49;
	KUNIT_EXPECT_EQ(test, esptun_header_tos(&h, NULL), (u8)0x48);
	h.tos = ESPTUN_TOS_INHERIT;
	KUNIT_EXPECT_EQ(test, esptun_header_tos(&h, NULL), (u8)0);
	kfree_skb(ip4);
	kfree_skb(ip6);
}

static void header_ttl(struct kunit *test)
{
	struct esptun_header h = { .ttl = 77 };
	struct sk_buff *ip4 = alloc_ip4(test, 0, 9, true);
	struct sk_buff *ip6 = alloc_ip6(test, 0, 255);

	KUNIT_EXPECT_EQ(test, esptun_header_ttl(&h, ip4), (u8)77);
	KUNIT_EXPECT_EQ(test, esptun_header_ttl(&h, NULL), (u8)77);
	h.ttl = ESPTUN_TTL_INHERIT;
	KUNIT_EXPECT_EQ(test, esptun_header_ttl(&h, ip4), (u8)9);
	KUNIT_EXPECT_EQ(test, esptun_header_ttl(&h, ip6), (u8)255);
	/* Keepalives, IKE and dummies have nothing inside. */
	KUNIT_EXPECT_EQ(test, esptun_header_ttl(&h, NULL), (u8)0);
	kfree_skb(ip4);
	kfree_skb(ip6);
}

static void header_whole(struct kunit *test)
{
	struct sk_buff *may = alloc_ip4(test, 0, 9, false);
	struct sk_buff *must = alloc_ip4(test, 0, 9, true);
	struct sk_buff *ip6 = alloc_ip6(test, 0, 9);
	struct esptun_header h = { .df = ESPTUN_DF_INHERIT };

	KUNIT_EXPECT_FALSE(test, esptun_header_whole(&h, may));
	KUNIT_EXPECT_TRUE(test, esptun_header_whole(&h, must));
	KUNIT_EXPECT_TRUE(test, esptun_header_whole(&h, ip6));
	KUNIT_EXPECT_TRUE(test, esptun_header_whole(&h, NULL));
	h.df = ESPTUN_DF_SET;
	KUNIT_EXPECT_TRUE(test, esptun_header_whole(&h, may));
	h.df = ESPTUN_DF_UNSET;
	KUNIT_EXPECT_FALSE(test, esptun_header_whole(&h, must));
	KUNIT_EXPECT_FALSE(test, esptun_header_whole(&h, ip6));
	kfree_skb(may);
	kfree_skb(must);
	kfree_skb(ip6);
}

/* RFC 6438: never 0, and with inner flows nothing that a hash in the skb shows. */
static void header_label(struct kunit *test)
{
	struct esptun_header h = { .flow_label = ESPTUN_FLOW_LABEL_SA };
	struct sk_buff *skb = alloc_ip4(test, 0, 9, true);
	u32 one, other;

	KUNIT_EXPECT_EQ(test, esptun_header_label(&h, skb, 0x12345678),
			0x12345u);
	KUNIT_EXPECT_EQ(test, esptun_header_label(&h, skb, 0xfff), 1u);
	h.flow_label = ESPTUN_FLOW_LABEL_INNER;
	skb_set_hash(skb, 0x77777777, PKT_HASH_TYPE_L4);
	one = esptun_header_label(&h, skb, 0x12345678);
	KUNIT_EXPECT_TRUE(test, one && one <= 0xfffff && one != 0x77777);
	KUNIT_EXPECT_EQ(test, esptun_header_label(&h, skb, 0x12345678), one);
	/* Another SA's packets of the same flow look like others. */
	other = esptun_header_label(&h, skb, 0x22345678);
	KUNIT_EXPECT_NE(test, other, one);
	kfree_skb(skb);
}

static struct kunit_case header_cases[] = {
	KUNIT_CASE(header_label), KUNIT_CASE(header_merge),
	KUNIT_CASE(header_tos),	  KUNIT_CASE(header_ttl),
	KUNIT_CASE(header_whole), {},
};

static struct kunit_suite header_suite = {
	.name = "esptun_header",
	.test_cases = header_cases,
};
kunit_test_suite(header_suite);
