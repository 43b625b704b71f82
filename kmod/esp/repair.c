// SPDX-License-Identifier: GPL-2.0
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/checksum.h>
#include "encap/endpoint.h"
#include "esp/mode.h"
#include "esp/repair.h"

/* Whose checksum covers addresses. */
static const struct covering {
	u8 protocol;
	bool ip6_only;
	bool may_be_none; /* 0 stands for no checksum, 0xffff for one that is 0 */
	u8 at;
} coverings[] = {
	{ .protocol = IPPROTO_TCP, .at = offsetof(struct tcphdr, check) },
	{ .protocol = IPPROTO_UDP,
	  .may_be_none = true,
	  .at = offsetof(struct udphdr, check) },
	{ .protocol = IPPROTO_UDPLITE,
	  .may_be_none = true,
	  .at = offsetof(struct udphdr, check) },
	{ .protocol = IPPROTO_DCCP, .at = 6 }, /* RFC 4340 5.1 */
	{ .protocol = IPPROTO_ICMPV6,
	  .ip6_only = true,
	  .at = 2 }, /* RFC 4443 2.1 */
};

static const struct covering *find_covering(u8 protocol, bool ip4)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(coverings); i++)
		if (coverings[i].protocol == protocol)
			return ip4 && coverings[i].ip6_only ? NULL :
							      &coverings[i];
	return NULL;
}

static __wsum sum_addr(const struct esptun_addr *addr, __wsum sum)
{
	/* What an IPv4 address has more is 0. */
	return csum_partial(&addr->ip6, sizeof(addr->ip6), sum);
}

__wsum esptun_repair_sum(const struct esptun_addr *a,
			 const struct esptun_addr *b)
{
	return sum_addr(b, sum_addr(a, 0));
}

void esptun_repair(const struct esptun_inner *inner, __wsum was)
{
	const struct ipv6hdr *ip6 = (const struct ipv6hdr *)inner->at;
	const struct iphdr *ip4 = (const struct iphdr *)inner->at;
	unsigned int head = inner->ip4 ? sizeof(*ip4) : sizeof(*ip6);
	unsigned int addrs = inner->ip4 ? 2 * sizeof(ip4->saddr) :
					  2 * sizeof(ip6->saddr);
	const struct covering *c = find_covering(
		inner->ip4 ? ip4->protocol : ip6->nexthdr, inner->ip4);
	__sum16 *check;

	if (!c || inner->len < head + c->at + sizeof(*check))
		return;
	check = (__sum16 *)(inner->at + head + c->at);
	if (c->may_be_none && !*check)
		return;
	/* Both headers end with the addresses. */
	csum_replace_by_diff(
		check,
		csum_sub(csum_partial(inner->at + head - addrs, addrs, 0),
			 was));
	if (c->may_be_none && !*check)
		*check = CSUM_MANGLED_0;
}
