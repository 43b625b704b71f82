// SPDX-License-Identifier: GPL-2.0
/* Checksums behind a NAT: computed anew over what is delivered, they come to the same. */
#include <kunit/test.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <net/checksum.h>
#include <net/ip6_checksum.h>
#include "encap/endpoint.h"
#include "esp/mode.h"
#include "esp/repair.h"

#define DATA 40 /* octets behind the IP header */

/* Both ends as the peer knows them. */
struct addrs {
	u8 local[16], remote[16];
};

static const struct addrs before = { { 192, 0, 2, 1 }, { 10, 0, 0, 5 } };
static const struct addrs before6 = { { 0x20, 1, [15] = 1 },
				      { 0xfd, 7, [15] = 9 } };

static struct esptun_addr addr_of(const u8 octets[16], bool ip4)
{
	struct esptun_addr addr = { .family = ip4 ? AF_INET : AF_INET6 };

	memcpy(&addr.ip6, octets, ip4 ? 4 : 16);
	return addr;
}

static const struct nat {
	const char *what;
	bool ours, peers; /* who is behind one */
} nats[] = {
	{ "none", false, false },
	{ "ours", true, false },
	{ "the peer's", false, true },
	{ "both", true, true },
};

/* Where checksums are, 0 for others. */
static const struct protocol {
	u8 number, at;
	bool ip4, ip6, udp;
} protocols[] = {
	{ IPPROTO_TCP, 16, true, true, false },
	{ IPPROTO_UDP, 6, true, true, true },
	{ IPPROTO_UDPLITE, 6, true, true, true },
	{ IPPROTO_DCCP, 6, true, true, false },
	{ IPPROTO_ICMPV6, 2, false, true, false },
	/* Checksums of these cover no addresses, or are behind another header. */
	{ IPPROTO_SCTP, 0, true, true, false },
	{ IPPROTO_GRE, 0, true, true, false },
	{ IPPROTO_ICMP, 0, true, true, false },
	{ IPPROTO_ICMPV6, 0, true, false, false },
	{ NEXTHDR_FRAGMENT, 0, false, true, false },
	{ NEXTHDR_DEST, 0, false, true, false },
};

/* A packet, whose IP header has @head octets. */
struct packet {
	u8 octets[sizeof(struct ipv6hdr) + DATA];
	unsigned int head;
	bool ip4;
} __aligned(4);

static u8 *source_of(struct packet *p)
{
	return p->octets + (p->ip4 ? offsetof(struct iphdr, saddr) :
				     offsetof(struct ipv6hdr, saddr));
}

static u8 *destination_of(struct packet *p)
{
	return p->octets + (p->ip4 ? offsetof(struct iphdr, daddr) :
				     offsetof(struct ipv6hdr, daddr));
}

static __sum16 *check_of(struct packet *p, const struct protocol *how)
{
	return (__sum16 *)(p->octets + p->head + how->at);
}

/* What the peer sends, before any NAT, with zeros for a checksum. */
static void make_packet(struct packet *p, const struct protocol *how, bool ip4)
{
	const struct addrs *from = ip4 ? &before : &before6;
	unsigned int i;

	memset(p, 0, sizeof(*p));
	p->ip4 = ip4;
	p->head = ip4 ? sizeof(struct iphdr) : sizeof(struct ipv6hdr);
	p->octets[0] = ip4 ? 0x45 : 0x60;
	p->octets[ip4 ? offsetof(struct iphdr, protocol) :
			offsetof(struct ipv6hdr, nexthdr)] = how->number;
	memcpy(source_of(p), from->remote, ip4 ? 4 : 16);
	memcpy(destination_of(p), from->local, ip4 ? 4 : 16);
	for (i = 0; i < DATA; i++)
		p->octets[p->head + i] = i * 37 + how->number;
	if (how->at)
		*check_of(p, how) = 0;
}

/* Of the whole packet: 0 if the checksum in it is right. */
static __sum16 sum_of(struct packet *p, const struct protocol *how)
{
	__wsum sum = csum_partial(p->octets + p->head, DATA, 0);
	const struct ipv6hdr *ip6 = (const struct ipv6hdr *)p->octets;
	const struct iphdr *ip = (const struct iphdr *)p->octets;

	if (p->ip4)
		return csum_tcpudp_magic(ip->saddr, ip->daddr, DATA,
					 how->number, sum);
	return csum_ipv6_magic(&ip6->saddr, &ip6->daddr, DATA, how->number,
			       sum);
}

static void set_checksum(struct packet *p, const struct protocol *how)
{
	*check_of(p, how) = sum_of(p, how);
	if (how->udp && !*check_of(p, how))
		*check_of(p, how) = CSUM_MANGLED_0;
}

/* What comes out of ESP: with other addresses, if there are NATs. */
static void cross_nat(struct packet *p, const struct nat *nat)
{
	if (nat->peers) {
		source_of(p)[1] ^= 0x5a;
		source_of(p)[3] ^= 0xff;
	}
	if (nat->ours) {
		destination_of(p)[0] ^= 0xc1;
		destination_of(p)[2] ^= 0x77;
	}
}

/* Of a packet with @len octets behind the IP header. */
static void repair(struct packet *p, unsigned int len)
{
	const struct addrs *from = p->ip4 ? &before : &before6;
	struct esptun_addr local = addr_of(from->local, p->ip4);
	struct esptun_addr remote = addr_of(from->remote, p->ip4);
	const struct esptun_inner inner = {
		.at = p->octets,
		.len = p->head + len,
		.ip4 = p->ip4,
	};

	esptun_repair(&inner, esptun_repair_sum(&local, &remote));
}

static void try_protocol(struct kunit *test, const struct protocol *how,
			 const struct nat *nat, bool ip4)
{
	struct packet p, was;

	make_packet(&p, how, ip4);
	if (how->at)
		set_checksum(&p, how);
	cross_nat(&p, nat);
	was = p;
	repair(&p, DATA);
	if (how->at) {
		KUNIT_EXPECT_EQ_MSG(test, (__force u16)sum_of(&p, how), 0,
				    "protocol %u, NAT: %s", how->number,
				    nat->what);
		*check_of(&p, how) = *check_of(&was, how);
	}
	/* Nothing else changes. */
	KUNIT_EXPECT_EQ_MSG(test, memcmp(&p, &was, sizeof(p)), 0,
			    "protocol %u, NAT: %s", how->number, nat->what);
}

static void repair_protocols(struct kunit *test)
{
	const struct protocol *how;
	unsigned int i;

	for (how = protocols; how < protocols + ARRAY_SIZE(protocols); how++) {
		for (i = 0; i < ARRAY_SIZE(nats); i++) {
			if (how->ip4)
				try_protocol(test, how, &nats[i], true);
			if (how->ip6)
				try_protocol(test, how, &nats[i], false);
		}
	}
}

/* A packet that ends within the checksum, or in front of it, has none. */
static void repair_truncated(struct kunit *test)
{
	const struct protocol *tcp = &protocols[0];
	struct packet p, was;
	unsigned int len;

	make_packet(&p, tcp, true);
	cross_nat(&p, &nats[3]);
	was = p;
	for (len = 0; len < tcp->at + 2; len++) {
		repair(&p, len);
		KUNIT_EXPECT_EQ_MSG(test, memcmp(&p, &was, sizeof(p)), 0,
				    "%u octets", len);
	}
	repair(&p, len);
	KUNIT_EXPECT_NE(test, memcmp(&p, &was, sizeof(p)), 0);
}

/* UDP without a checksum stays without, and a checksum of 0 is 0xffff on the wire. */
static void repair_udp_zero(struct kunit *test)
{
	const struct protocol *udp = &protocols[1];
	unsigned int i, good = 0, zero = 0;
	struct packet p, was;

	make_packet(&p, udp, true);
	cross_nat(&p, &nats[3]);
	was = p;
	repair(&p, DATA);
	KUNIT_EXPECT_EQ(test, memcmp(&p, &was, sizeof(p)), 0);
	for (i = 0; i <= U16_MAX; i++) {
		make_packet(&p, udp, true);
		p.octets[p.head] = i >> 8;
		p.octets[p.head + 1] = i;
		set_checksum(&p, udp);
		cross_nat(&p, &nats[3]);
		repair(&p, DATA);
		good += *check_of(&p, udp) && !sum_of(&p, udp);
		zero += *check_of(&p, udp) == CSUM_MANGLED_0;
	}
	KUNIT_EXPECT_EQ(test, good, U16_MAX + 1u);
	KUNIT_EXPECT_GE(test, zero, 1u);
}

/* What was wrong before is wrong behind it. */
static void repair_keeps_errors(struct kunit *test)
{
	const struct protocol *tcp = &protocols[0];
	unsigned int bit, right = 0;
	struct packet p;

	for (bit = 0; bit < 8 * DATA; bit++) {
		make_packet(&p, tcp, true);
		set_checksum(&p, tcp);
		p.octets[p.head + bit / 8] ^= BIT(bit % 8);
		cross_nat(&p, &nats[3]);
		repair(&p, DATA);
		right += !sum_of(&p, tcp);
	}
	KUNIT_EXPECT_EQ(test, right, 0u);
}

/* Made by hand: 10.0.0.5 to 192.0.2.1, SYN; the same from 198.51.100.7, its NAT. */
static void repair_vector(struct kunit *test)
{
	static const u8 syn[20] = {
		0x0f, 0xa0, 0x00, 0x50, 0x01, 0x02, 0x03, 0x04, 0x00, 0x00,
		0x00, 0x00, 0x50, 0x02, 0x20, 0x00, 0xaf, 0xe6, 0x00, 0x00,
	};
	static const u8 nat[4] = { 198, 51, 100, 7 };
	struct packet p;

	make_packet(&p, &protocols[0], true);
	memcpy(p.octets + p.head, syn, sizeof(syn));
	memcpy(source_of(&p), nat, sizeof(nat));
	repair(&p, sizeof(syn));
	KUNIT_EXPECT_EQ(test, p.octets[p.head + 16], (u8)0x8f);
	KUNIT_EXPECT_EQ(test, p.octets[p.head + 17], (u8)0xb0);
}

static struct kunit_case repair_cases[] = {
	KUNIT_CASE(repair_protocols), KUNIT_CASE(repair_truncated),
	KUNIT_CASE(repair_udp_zero),  KUNIT_CASE(repair_keeps_errors),
	KUNIT_CASE(repair_vector),    {}
};

static struct kunit_suite repair_suite = {
	.name = "esptun_repair",
	.test_cases = repair_cases,
};

kunit_test_suite(repair_suite);
