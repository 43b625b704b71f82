// SPDX-License-Identifier: GPL-2.0
/* Modes of an SA: what of a packet is sealed, and what a payload becomes. */
#include <kunit/test.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/skbuff.h>
#include <net/ip.h>
#include <linux/esptun.h>
#include "esp/esp.h"
#include "encap/family.h"
#include "esp/mode.h"

#define OURS 0xc0000201
#define THEIRS 0xc0000202

/* A payload with room in front and a trailer behind. */
struct payload {
	u8 room[ESPTUN_UNWRAP_HEADROOM];
	u8 text[256];
} __aligned(4);

static unsigned int open_payload(struct payload *p, u8 mode, unsigned int len,
				 u8 next, const struct esptun_arrival *arrival,
				 struct esptun_inner *inner)
{
	esptun_esp_put_trailer(p->text + len, 2, next);
	return esptun_mode_open(esptun_mode_of(mode), p->text,
				len + 2 + ESPTUN_ESP_TLEN, arrival, inner);
}

static struct esptun_arrival arrival_ip4(void)
{
	return (struct esptun_arrival){
		.from.addr = esptun_addr_ip4(htonl(THEIRS)),
		.to = esptun_addr_ip4(htonl(OURS)),
		.own = true,
		.tos = 0xb9,
		.ttl = 61,
	};
}

static void mode_dummy(struct kunit *test)
{
	struct payload *p = kunit_kzalloc(test, sizeof(*p), GFP_KERNEL);
	struct esptun_arrival arrival = arrival_ip4();
	struct esptun_inner inner;
	u8 mode;

	KUNIT_ASSERT_NOT_NULL(test, p);
	for (mode = ESPTUN_SA_MODE_TUNNEL; mode <= ESPTUN_SA_MODE_TRANSPORT;
	     mode++)
		KUNIT_EXPECT_EQ(test, (unsigned int)ESPTUN_STATS_A_RX_DUMMY,
				open_payload(p, mode, 40, ESPTUN_NEXT_DUMMY,
					     &arrival, &inner));
}

static void mode_tunnel(struct kunit *test)
{
	struct payload *p = kunit_kzalloc(test, sizeof(*p), GFP_KERNEL);
	struct esptun_arrival arrival = arrival_ip4();
	struct esptun_inner inner;
	struct iphdr *ip;

	KUNIT_ASSERT_NOT_NULL(test, p);
	ip = (struct iphdr *)p->text;
	ip->version = 4;
	ip->ihl = 5;
	ip->tot_len = htons(60);
	KUNIT_EXPECT_EQ(test, 0u,
			open_payload(p, ESPTUN_SA_MODE_TUNNEL, 60,
				     ESPTUN_NEXT_IP4, &arrival, &inner));
	KUNIT_EXPECT_PTR_EQ(test, inner.at, &p->text[0]);
	KUNIT_EXPECT_EQ(test, inner.len, 60u);
	KUNIT_EXPECT_TRUE(test, inner.ip4);
	/* Padding of RFC 4303 2.7 behind the packet goes. */
	KUNIT_EXPECT_EQ(test, 0u,
			open_payload(p, ESPTUN_SA_MODE_TUNNEL, 100,
				     ESPTUN_NEXT_IP4, &arrival, &inner));
	KUNIT_EXPECT_EQ(test, inner.len, 60u);
	KUNIT_EXPECT_EQ(test, (unsigned int)ESPTUN_STATS_A_RX_INNER,
			open_payload(p, ESPTUN_SA_MODE_TUNNEL, 59,
				     ESPTUN_NEXT_IP4, &arrival, &inner));
	KUNIT_EXPECT_EQ(test, (unsigned int)ESPTUN_STATS_A_RX_INNER,
			open_payload(p, ESPTUN_SA_MODE_TUNNEL, 60,
				     ESPTUN_NEXT_IP6, &arrival, &inner));
	KUNIT_EXPECT_EQ(test, (unsigned int)ESPTUN_STATS_A_RX_NEXT_HEADER,
			open_payload(p, ESPTUN_SA_MODE_TUNNEL, 60, IPPROTO_GRE,
				     &arrival, &inner));
}

static void mode_transport_ip4(struct kunit *test)
{
	struct payload *p = kunit_kzalloc(test, sizeof(*p), GFP_KERNEL);
	struct esptun_arrival arrival = arrival_ip4();
	struct esptun_inner inner;
	struct iphdr *ip;

	KUNIT_ASSERT_NOT_NULL(test, p);
	memset(p, 0xee, sizeof(*p));
	KUNIT_ASSERT_EQ(test, 0u,
			open_payload(p, ESPTUN_SA_MODE_TRANSPORT, 44,
				     IPPROTO_GRE, &arrival, &inner));
	ip = (struct iphdr *)inner.at;
	KUNIT_EXPECT_PTR_EQ(test, (u8 *)(ip + 1), &p->text[0]);
	KUNIT_EXPECT_EQ(test, inner.len, 64u);
	KUNIT_EXPECT_TRUE(test, inner.ip4);
	KUNIT_EXPECT_EQ(test, ntohs(ip->tot_len), 64);
	KUNIT_EXPECT_EQ(test, ntohl(ip->saddr), (u32)THEIRS);
	KUNIT_EXPECT_EQ(test, ntohl(ip->daddr), (u32)OURS);
	KUNIT_EXPECT_EQ(test, ip->protocol, (u8)IPPROTO_GRE);
	KUNIT_EXPECT_EQ(test, ip->tos, (u8)0xb9);
	KUNIT_EXPECT_EQ(test, ip->ttl, (u8)61);
	KUNIT_EXPECT_EQ(test, ip_fast_csum(ip, ip->ihl), (__force __sum16)0);
	/* To a broadcast or multicast address, or from nowhere. */
	arrival.own = false;
	KUNIT_EXPECT_EQ(test, (unsigned int)ESPTUN_STATS_A_RX_TS,
			open_payload(p, ESPTUN_SA_MODE_TRANSPORT, 44,
				     IPPROTO_GRE, &arrival, &inner));
	memset(&arrival, 0, sizeof(arrival));
	arrival.own = true;
	KUNIT_EXPECT_EQ(test, (unsigned int)ESPTUN_STATS_A_RX_TS,
			open_payload(p, ESPTUN_SA_MODE_TRANSPORT, 44,
				     IPPROTO_GRE, &arrival, &inner));
}

static void mode_transport_ip6(struct kunit *test)
{
	struct payload *p = kunit_kzalloc(test, sizeof(*p), GFP_KERNEL);
	struct in6_addr theirs = { .s6_addr = { 0x20, 1, [15] = 2 } };
	struct in6_addr ours = { .s6_addr = { 0x20, 1, [15] = 1 } };
	struct esptun_arrival arrival = {
		.from.addr = esptun_addr_ip6(&theirs),
		.to = esptun_addr_ip6(&ours),
		.own = true,
		.tos = 0xb9,
		.ttl = 61,
	};
	struct esptun_inner inner;
	struct ipv6hdr *ip;
	static const u8 refused[] = { NEXTHDR_HOP, NEXTHDR_ROUTING,
				      NEXTHDR_FRAGMENT };
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_ASSERT_EQ(test, 0u,
			open_payload(p, ESPTUN_SA_MODE_TRANSPORT, 44,
				     IPPROTO_TCP, &arrival, &inner));
	ip = (struct ipv6hdr *)inner.at;
	KUNIT_EXPECT_PTR_EQ(test, (u8 *)(ip + 1), &p->text[0]);
	KUNIT_EXPECT_EQ(test, inner.len, 84u);
	KUNIT_EXPECT_FALSE(test, inner.ip4);
	KUNIT_EXPECT_EQ(test, ntohs(ip->payload_len), 44);
	KUNIT_EXPECT_TRUE(test, ipv6_addr_equal(&ip->saddr, &theirs));
	KUNIT_EXPECT_TRUE(test, ipv6_addr_equal(&ip->daddr, &ours));
	KUNIT_EXPECT_EQ(test, ip->nexthdr, (u8)IPPROTO_TCP);
	KUNIT_EXPECT_EQ(test, ipv6_get_dsfield(ip), (u8)0xb9);
	KUNIT_EXPECT_EQ(test, ip->hop_limit, (u8)61);
	for (i = 0; i < ARRAY_SIZE(refused); i++)
		KUNIT_EXPECT_EQ(test,
				(unsigned int)ESPTUN_STATS_A_RX_NEXT_HEADER,
				open_payload(p, ESPTUN_SA_MODE_TRANSPORT, 44,
					     refused[i], &arrival, &inner));
}

/* Which packets go by an SA in transport mode. */
static void mode_wrap(struct kunit *test)
{
	const struct esptun_mode_ops *transport =
		esptun_mode_of(ESPTUN_SA_MODE_TRANSPORT);
	const struct esptun_path path = {
		.family = &esptun_ip4,
		.source = esptun_addr_ip4(htonl(OURS)),
		.remote.addr = esptun_addr_ip4(htonl(THEIRS)),
	};
	struct sk_buff *skb = alloc_skb(128, GFP_KERNEL);
	struct esptun_frame frame;
	struct iphdr *ip;

	KUNIT_ASSERT_NOT_NULL(test, skb);
	skb->protocol = htons(ETH_P_IP);
	ip = skb_put_zero(skb, 100);
	skb_reset_network_header(skb);
	*ip = (struct iphdr){
		.version = 4,
		.ihl = 5,
		.tot_len = htons(100),
		.ttl = 9,
		.protocol = IPPROTO_GRE,
		.saddr = htonl(OURS),
		.daddr = htonl(THEIRS),
	};
	KUNIT_EXPECT_TRUE(test, transport->wrap(skb, &path, &frame));
	KUNIT_EXPECT_EQ(test, frame.strip, 20u);
	KUNIT_EXPECT_EQ(test, frame.next, (u8)IPPROTO_GRE);
	KUNIT_EXPECT_EQ(test, frame.ttl, (u8)9);
	ip->tot_len = htons(99);
	KUNIT_EXPECT_FALSE(test, transport->wrap(skb, &path, &frame));
	ip->tot_len = htons(100);
	ip->ttl = 0;
	KUNIT_EXPECT_FALSE(test, transport->wrap(skb, &path, &frame));
	ip->ttl = 9;
	ip->ihl = 6;
	KUNIT_EXPECT_FALSE(test, transport->wrap(skb, &path, &frame));
	ip->ihl = 5;
	ip->frag_off = htons(IP_MF);
	KUNIT_EXPECT_FALSE(test, transport->wrap(skb, &path, &frame));
	ip->frag_off = htons(1);
	KUNIT_EXPECT_FALSE(test, transport->wrap(skb, &path, &frame));
	ip->frag_off = 0;
	ip->saddr = htonl(OURS + 9);
	KUNIT_EXPECT_FALSE(test, transport->wrap(skb, &path, &frame));
	ip->saddr = htonl(OURS);
	ip->daddr = htonl(THEIRS + 9);
	KUNIT_EXPECT_FALSE(test, transport->wrap(skb, &path, &frame));
	KUNIT_EXPECT_TRUE(test, esptun_mode_of(ESPTUN_SA_MODE_TUNNEL)
					->wrap(skb, &path, &frame));
	KUNIT_EXPECT_EQ(test, frame.strip, 0u);
	KUNIT_EXPECT_EQ(test, frame.next, (u8)ESPTUN_NEXT_IP4);
	kfree_skb(skb);
}

/* The same over IPv6: what stands in front of ESP there is refused as well. */
static void mode_wrap_ip6(struct kunit *test)
{
	static const u8 refused[] = { NEXTHDR_HOP, NEXTHDR_ROUTING,
				      NEXTHDR_FRAGMENT };
	const struct in6_addr ours = { .s6_addr = { 0x20, 1, [15] = 1 } };
	const struct in6_addr theirs = { .s6_addr = { 0x20, 1, [15] = 2 } };
	const struct esptun_path path = {
		.family = &esptun_ip6,
		.source = esptun_addr_ip6(&ours),
		.remote.addr = esptun_addr_ip6(&theirs),
	};
	const struct esptun_path path_ip4 = { .family = &esptun_ip4 };
	const struct esptun_mode_ops *ops =
		esptun_mode_of(ESPTUN_SA_MODE_TRANSPORT);
	struct sk_buff *skb = alloc_skb(128, GFP_KERNEL);
	struct esptun_frame frame;
	struct ipv6hdr good, *ip;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, skb);
	skb->protocol = htons(ETH_P_IPV6);
	ip = skb_put_zero(skb, 100);
	skb_reset_network_header(skb);
	good = (struct ipv6hdr){
		.version = 6,
		.payload_len = htons(60),
		.nexthdr = IPPROTO_GRE,
		.hop_limit = 9,
		.saddr = ours,
		.daddr = theirs,
	};
	*ip = good;
	KUNIT_EXPECT_TRUE(test, ops->wrap(skb, &path, &frame));
	KUNIT_EXPECT_EQ(test, frame.strip, 40u);
	KUNIT_EXPECT_EQ(test, frame.next, (u8)IPPROTO_GRE);
	KUNIT_EXPECT_EQ(test, frame.ttl, (u8)9);
	KUNIT_EXPECT_FALSE(test, ops->wrap(skb, &path_ip4, &frame));
	for (i = 0; i < ARRAY_SIZE(refused); i++) {
		ip->nexthdr = refused[i];
		KUNIT_EXPECT_FALSE(test, ops->wrap(skb, &path, &frame));
	}
	*ip = good;
	ip->payload_len = htons(59);
	KUNIT_EXPECT_FALSE(test, ops->wrap(skb, &path, &frame));
	*ip = good;
	ip->hop_limit = 0;
	KUNIT_EXPECT_FALSE(test, ops->wrap(skb, &path, &frame));
	*ip = good;
	ip->saddr = theirs;
	KUNIT_EXPECT_FALSE(test, ops->wrap(skb, &path, &frame));
	*ip = good;
	ip->daddr = ours;
	KUNIT_EXPECT_FALSE(test, ops->wrap(skb, &path, &frame));
	/* A super-packet has no length of its own; one of UDP fragments is none. */
	*ip = good;
	ip->payload_len = 0;
	skb_shinfo(skb)->gso_size = 20;
	skb_shinfo(skb)->gso_type = SKB_GSO_TCPV6;
	KUNIT_EXPECT_TRUE(test, ops->wrap(skb, &path, &frame));
	skb_shinfo(skb)->gso_type = SKB_GSO_UDP;
	KUNIT_EXPECT_FALSE(test, ops->wrap(skb, &path, &frame));
	kfree_skb(skb);
}

static struct kunit_case mode_cases[] = { KUNIT_CASE(mode_dummy),
					  KUNIT_CASE(mode_tunnel),
					  KUNIT_CASE(mode_transport_ip4),
					  KUNIT_CASE(mode_transport_ip6),
					  KUNIT_CASE(mode_wrap),
					  KUNIT_CASE(mode_wrap_ip6),
					  {} };

static struct kunit_suite mode_suite = {
	.name = "esptun_mode",
	.test_cases = mode_cases,
};

kunit_test_suite(mode_suite);
