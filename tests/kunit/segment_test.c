// SPDX-License-Identifier: GPL-2.0
/*
 * What segment.c writes is, octet for octet, what the kernel's own
 * segmentation makes of the same super-packet.
 */
#include <kunit/test.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/ip6_checksum.h>
#include <net/tcp.h>
#include <net/udp.h>
#include "tx/segment.h"

struct shape {
	bool ip4;
	bool tcp;
	bool paged; /* most of the payload in pages */
	unsigned int size; /* of a segment's payload */
	unsigned int payload;
	unsigned int type; /* more of gso_type */
};

#define OPTIONS 12u /* of TCP */

static unsigned int transport_len(const struct shape *s)
{
	return s->tcp ? sizeof(struct tcphdr) + OPTIONS : sizeof(struct udphdr);
}

static void put_ip(struct sk_buff *skb, const struct shape *s)
{
	unsigned int len = transport_len(s) + s->payload;
	u8 proto = s->tcp ? IPPROTO_TCP : IPPROTO_UDP;

	skb_reset_mac_header(skb);
	skb_reset_network_header(skb);
	if (s->ip4) {
		struct iphdr *ip = skb_put_zero(skb, sizeof(*ip));

		ip->version = 4;
		ip->ihl = 5;
		ip->tos = 0x2a;
		ip->tot_len = htons(sizeof(*ip) + len);
		ip->id = htons(0xfffe);
		ip->frag_off = htons(IP_DF);
		ip->ttl = 61;
		ip->protocol = proto;
		ip->saddr = htonl(0x0a010203);
		ip->daddr = htonl(0xc0000207);
		ip_send_check(ip);
		skb->protocol = htons(ETH_P_IP);
	} else {
		struct ipv6hdr *ip = skb_put_zero(skb, sizeof(*ip));

		ip->version = 6;
		ip->flow_lbl[1] = 0x77;
		ip->payload_len = htons(len);
		ip->nexthdr = proto;
		ip->hop_limit = 9;
		memset(&ip->saddr, 0xfd, sizeof(ip->saddr));
		memset(&ip->daddr, 0x35, sizeof(ip->daddr));
		skb->protocol = htons(ETH_P_IPV6);
	}
}

static __sum16 pseudo(const struct sk_buff *skb, const struct shape *s)
{
	unsigned int len = transport_len(s) + s->payload;
	u8 proto = s->tcp ? IPPROTO_TCP : IPPROTO_UDP;

	if (s->ip4)
		return ~csum_tcpudp_magic(ip_hdr(skb)->saddr,
					  ip_hdr(skb)->daddr, len, proto, 0);
	return ~csum_ipv6_magic(&ipv6_hdr(skb)->saddr, &ipv6_hdr(skb)->daddr,
				len, proto, 0);
}

static void put_transport(struct sk_buff *skb, const struct shape *s)
{
	skb_set_transport_header(skb, skb->len);
	skb->ip_summed = CHECKSUM_PARTIAL;
	skb->csum_start = skb_transport_header(skb) - skb->head;
	if (s->tcp) {
		struct tcphdr *th = skb_put_zero(skb, transport_len(s));

		th->source = htons(5201);
		th->dest = htons(443);
		th->seq = htonl(0xfffffc00);
		th->ack_seq = htonl(12345);
		th->doff = transport_len(s) / 4;
		th->ack = 1;
		th->psh = 1;
		th->fin = 1;
		th->cwr = !!(s->type & SKB_GSO_TCP_ECN);
		th->window = htons(501);
		memset(th + 1, 1, OPTIONS);
		th->check = pseudo(skb, s);
		skb->csum_offset = offsetof(struct tcphdr, check);
	} else {
		struct udphdr *uh = skb_put_zero(skb, sizeof(*uh));

		uh->source = htons(53);
		uh->dest = htons(5353);
		uh->len = htons(sizeof(*uh) + s->payload);
		uh->check = pseudo(skb, s);
		skb->csum_offset = offsetof(struct udphdr, check);
	}
}

static u8 octet(unsigned int i)
{
	return i * 7 + i / 251;
}

static void put_payload(struct kunit *test, struct sk_buff *skb,
			const struct shape *s)
{
	unsigned int linear = s->paged ? s->payload / 8 : s->payload;
	unsigned int i, n, at = 0;
	u8 *to = skb_put(skb, linear);

	for (i = 0; i < linear; i++)
		to[i] = octet(at++);
	for (i = 0; at < s->payload; i++) {
		struct page *page = alloc_page(GFP_KERNEL);

		KUNIT_ASSERT_NOT_NULL(test, page);
		to = page_address(page);
		for (n = 0; n < PAGE_SIZE - 96 && at < s->payload; n++)
			to[96 + n] = octet(at++);
		skb_add_rx_frag(skb, i, page, 96, n, PAGE_SIZE);
	}
}

static struct sk_buff *build(struct kunit *test, const struct shape *s)
{
	struct sk_buff *skb = alloc_skb(256 + s->payload, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, skb);
	skb_reserve(skb, 64);
	put_ip(skb, s);
	put_transport(skb, s);
	put_payload(test, skb, s);
	skb_shinfo(skb)->gso_size = s->size;
	skb_shinfo(skb)->gso_segs = DIV_ROUND_UP(s->payload, s->size);
	skb_shinfo(skb)->gso_type = s->type;
	if (s->tcp)
		skb_shinfo(skb)->gso_type |= s->ip4 ? SKB_GSO_TCPV4 :
						      SKB_GSO_TCPV6;
	else
		skb_shinfo(skb)->gso_type |= SKB_GSO_UDP_L4;
	return skb;
}

static void compare(struct kunit *test, const struct shape *s)
{
	struct sk_buff *skb = build(test, s);
	struct sk_buff *seg, *next, *list;
	struct esptun_segments segs;
	unsigned int i = 0;
	u8 *ours = kunit_kzalloc(test, 2048, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, ours);
	KUNIT_ASSERT_TRUE(test, esptun_segments_init(&segs, skb));
	KUNIT_EXPECT_EQ(test, segs.n, DIV_ROUND_UP(s->payload, s->size));
	list = skb_gso_segment(skb, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR_OR_NULL(list));
	for (seg = list; seg; seg = next, i++) {
		next = seg->next;
		KUNIT_ASSERT_LT(test, i, segs.n);
		KUNIT_ASSERT_EQ(test, 0, skb_linearize(seg));
		KUNIT_ASSERT_EQ(test, esptun_segment_len(&segs, i), seg->len);
		KUNIT_ASSERT_LE(test, seg->len, 2048u);
		KUNIT_EXPECT_TRUE(test, esptun_segment_write(&segs, i, ours));
		KUNIT_EXPECT_EQ_MSG(
			test, memcmp(ours, seg->data, seg->len), 0,
			"ip4 %d tcp %d paged %d size %u payload %u: segment %u",
			s->ip4, s->tcp, s->paged, s->size, s->payload, i);
		kfree_skb(seg);
	}
	KUNIT_EXPECT_EQ(test, i, segs.n);
	kfree_skb(skb);
}

static void segment_as_kernel(struct kunit *test)
{
	static const unsigned int sizes[] = { 37, 536, 1382, 1400 };
	static const int more[] = { 1, 700, -1, 0 };
	struct shape s = {};
	unsigned int i, m;

	for (i = 0; i < 8 * ARRAY_SIZE(sizes); i++) {
		s.ip4 = i & 1;
		s.tcp = i & 2;
		s.paged = i & 4;
		s.size = sizes[i / 8];
		for (m = 0; m < ARRAY_SIZE(more); m++) {
			s.payload = 5 * s.size + more[m];
			s.type = 0;
			compare(test, &s);
			s.type = s.tcp ? SKB_GSO_TCP_ECN : 0;
			compare(test, &s);
		}
	}
}

static void segment_refused(struct kunit *test)
{
	static const struct shape s = {
		.ip4 = true, .tcp = true, .size = 500, .payload = 2000
	};
	struct sk_buff *skb = build(test, &s);
	struct esptun_segments segs;

	skb_shinfo(skb)->gso_type |= SKB_GSO_UDP_TUNNEL;
	KUNIT_EXPECT_FALSE(test, esptun_segments_init(&segs, skb));
	skb_shinfo(skb)->gso_type = SKB_GSO_UDP_L4;
	KUNIT_EXPECT_FALSE(test, esptun_segments_init(&segs, skb));
	skb_shinfo(skb)->gso_type = SKB_GSO_TCPV6;
	KUNIT_EXPECT_FALSE(test, esptun_segments_init(&segs, skb));
	skb_shinfo(skb)->gso_type = SKB_GSO_TCPV4;
	KUNIT_EXPECT_TRUE(test, esptun_segments_init(&segs, skb));
	tcp_hdr(skb)->doff = 4;
	KUNIT_EXPECT_FALSE(test, esptun_segments_init(&segs, skb));
	tcp_hdr(skb)->doff = 15;
	KUNIT_EXPECT_TRUE(test, esptun_segments_init(&segs, skb));
	skb->ip_summed = CHECKSUM_NONE;
	KUNIT_EXPECT_FALSE(test, esptun_segments_init(&segs, skb));
	kfree_skb(skb);
}

/* Not a super-packet: itself, its checksum completed. */
static void segment_whole(struct kunit *test)
{
	struct shape s = { .ip4 = true, .size = 1400 };
	u8 *ours = kunit_kzalloc(test, 2048, GFP_KERNEL);
	struct esptun_segments segs;
	struct sk_buff *skb;

	KUNIT_ASSERT_NOT_NULL(test, ours);
	for (s.payload = 1; s.payload < 1400; s.payload += 99) {
		skb = build(test, &s);
		skb_shinfo(skb)->gso_size = 0;
		KUNIT_ASSERT_TRUE(test, esptun_segments_init(&segs, skb));
		KUNIT_EXPECT_EQ(test, segs.n, 1u);
		KUNIT_EXPECT_EQ(test, esptun_segment_len(&segs, 0), skb->len);
		KUNIT_EXPECT_TRUE(test, esptun_segment_write(&segs, 0, ours));
		KUNIT_ASSERT_EQ(test, 0, skb_checksum_help(skb));
		KUNIT_EXPECT_EQ(test, memcmp(ours, skb->data, skb->len), 0);
		kfree_skb(skb);
	}
}

static struct kunit_case cases[] = {
	KUNIT_CASE(segment_as_kernel),
	KUNIT_CASE(segment_refused),
	KUNIT_CASE(segment_whole),
	{},
};

static struct kunit_suite suite = {
	.name = "esptun_segment",
	.test_cases = cases,
};

kunit_test_suite(suite);
