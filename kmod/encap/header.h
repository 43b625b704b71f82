/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the outer IP header takes from the packet inside and what is fixed. A
 * link has all of it; a peer may have some of it otherwise, and its SAs follow.
 */
#ifndef ESPTUN_HEADER_H
#define ESPTUN_HEADER_H

#include <linux/compiler.h>
#include <linux/types.h>
#include <linux/esptun.h>

struct sk_buff;

/**
 * struct esptun_header - settings; of a peer's own each may be
 *	ESPTUN_HEADER_OF_LINK
 * @tos: TOS or traffic class of which the DSCP is taken, or ESPTUN_TOS_INHERIT
 * @ttl: TTL or hop limit, 0 for the route's, or ESPTUN_TTL_INHERIT
 * @df: enum esptun_df
 * @flow_label: enum esptun_flow_label
 */
struct esptun_header {
	u16 tos;
	u16 ttl;
	u16 df;
	u16 flow_label;
};

/* Copy the inner DSCP (as the ip-tunnel drivers do). */
#define ESPTUN_TOS_INHERIT 1

/* What a peer begins with: all is the link's. */
static inline struct esptun_header esptun_header_of_link(void)
{
	return (struct esptun_header){
		.tos = ESPTUN_HEADER_OF_LINK,
		.ttl = ESPTUN_HEADER_OF_LINK,
		.df = ESPTUN_HEADER_OF_LINK,
		.flow_label = ESPTUN_HEADER_OF_LINK,
	};
}

/* A copy of settings that may change meanwhile, each on its own. Any context. */
static inline struct esptun_header
esptun_header_read(const struct esptun_header *h)
{
	return (struct esptun_header){
		.tos = READ_ONCE(h->tos),
		.ttl = READ_ONCE(h->ttl),
		.df = READ_ONCE(h->df),
		.flow_label = READ_ONCE(h->flow_label),
	};
}

/**
 * esptun_header_merge - a peer's settings, where it has its own, or the link's
 * @to: result, which may be read by esptun_header_read() meanwhile
 * @link: the link's
 * @own: the peer's
 *
 * Writers of @to, and of one of the others, exclude one another.
 */
void esptun_header_merge(struct esptun_header *to,
			 const struct esptun_header *link,
			 const struct esptun_header *own);

/*
 * For a packet @skb, IPv4 or IPv6 by skb->protocol, whose IP header is linear, or
 * NULL for what has no packet inside. Any context.
 */

/* The outer TOS or traffic class. Its ECN field is the inner one (RFC 6040 4.1). */
u8 esptun_header_tos(const struct esptun_header *h, const struct sk_buff *skb);

/* The outer TTL or hop limit, 0 for the route's. */
u8 esptun_header_ttl(const struct esptun_header *h, const struct sk_buff *skb);

/* Must the outer packet stay whole, so that the sender is to be told what fits? */
bool esptun_header_whole(const struct esptun_header *h,
			 const struct sk_buff *skb);

/**
 * esptun_header_label - the flow label where IPv6 is outside (RFC 6438)
 * @h: settings
 * @skb: as above, but not const: its flow hash is kept in it
 * @flow: of the SA
 *
 * Return: 1 to 0xfffff.
 */
u32 esptun_header_label(const struct esptun_header *h, struct sk_buff *skb,
			u32 flow);

#endif /* ESPTUN_HEADER_H */
