/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Finding SAs: inbound by SPI in a netns, outbound by selector in a link.
 */
#ifndef ESPTUN_SADB_H
#define ESPTUN_SADB_H

#include <linux/bitmap.h>
#include <linux/in6.h>
#include <linux/list.h>
#include <linux/rhashtable.h>
#include <linux/skbuff.h>
#include <linux/types.h>

struct esptun_net;
struct esptun_sa;
struct netlink_ext_ack;

/**
 * struct esptun_ts - a traffic selector (RFC 7296 3.13.1), as a prefix
 * @addr: IPv4 in s6_addr32[0], the rest 0; or IPv6. Host bits are 0
 * @family: AF_INET or AF_INET6
 * @plen: prefix length
 * @proto: IP protocol, 0 is any
 * @any_port: @port_lo and @port_hi do not count
 * @port_lo: lowest port, host order; for ICMP type * 256 + code
 * @port_hi: highest port
 */
struct esptun_ts {
	struct in6_addr addr;
	u8 family;
	u8 plen;
	u8 proto;
	bool any_port;
	u16 port_lo;
	u16 port_hi;
};

/**
 * struct esptun_flow - what selectors look at in an inner packet
 * @src: source address, IPv4 as in struct esptun_ts
 * @dst: destination address
 * @family: AF_INET or AF_INET6
 * @proto: IP protocol, after IPv6 extension headers
 * @ports_valid: the ports are there (not a later fragment, and a protocol
 *	that has them)
 * @fragment: a fragment behind the first one
 * @any_port: match any port; to find out whether a fragment lacks only these
 * @sport: host order; for ICMP type * 256 + code, in both
 * @dport: host order
 */
struct esptun_flow {
	struct in6_addr src;
	struct in6_addr dst;
	u8 family;
	u8 proto;
	bool ports_valid;
	bool fragment;
	bool any_port;
	u16 sport;
	u16 dport;
};

/* Key of a selector entry: the remote prefix. */
struct esptun_sel_key {
	struct in6_addr addr;
	u8 family;
	u8 plen;
	u16 zero;
};

/**
 * struct esptun_sel - one remote selector of an outbound SA in a link's table
 * @hash: in esptun_sadb_out.prefixes, if key.plen is not 0
 * @node: in esptun_sadb_out.any otherwise
 * @key: remote prefix; family 0 stands for any address at all
 * @ts: the selector, NULL if @key says it all
 * @set: what it is part of
 * @sa: whose
 */
struct esptun_sel {
	union {
		struct rhlist_head hash;
		struct hlist_node node;
	};
	struct esptun_sel_key key;
	const struct esptun_ts *ts;
	const struct esptun_ts_set *set;
	struct esptun_sa *sa;
};

/**
 * struct esptun_ts_set - the selectors of an SA, all in one piece of memory
 * @rcu: frees it
 * @n_local: selectors of our side
 * @n_remote: selectors of the peer's side
 * @n_sels: entries in the link's table, 0 for an inbound SA
 * @ts: selectors, @n_local of our side, then @n_remote of the peer's
 * @sels: the entries
 */
struct esptun_ts_set {
	struct rcu_head rcu;
	u16 n_local;
	u16 n_remote;
	u16 n_sels;
	struct esptun_ts *ts;
	struct esptun_sel sels[];
};

static inline const struct esptun_ts *
esptun_ts_set_local(const struct esptun_ts_set *set)
{
	return set->ts;
}

static inline const struct esptun_ts *
esptun_ts_set_remote(const struct esptun_ts_set *set)
{
	return set->ts + set->n_local;
}

/**
 * struct esptun_miss - an SA that a packet only just missed
 * @sa: the SA, or NULL
 * @reason: why, a counter ESPTUN_STATS_A_*
 */
struct esptun_miss {
	struct esptun_sa *sa;
	unsigned int reason;
};

/**
 * struct esptun_sadb_out - outbound SAs of a link
 * @any: selectors of prefix length 0, newest first
 * @prefixes: struct esptun_sel by key, newest first
 * @n_prefixes: entries in @prefixes; 0 makes lookups short
 * @plens: prefix lengths in use, IPv4 and IPv6
 * @users: selectors by family and prefix length; under esptun_net.lock
 *
 * Changes under esptun_net.lock, lookups under RCU.
 */
struct esptun_sadb_out {
	struct hlist_head any;
	struct rhltable prefixes;
	unsigned int n_prefixes;
	unsigned long plens[2][BITS_TO_LONGS(129)];
	u32 users[2][129];
};

/**
 * esptun_ts_check - is a selector well formed
 * @ts: to check
 * @extack: told why not
 *
 * Return: 0 or -EINVAL.
 */
int esptun_ts_check(const struct esptun_ts *ts, struct netlink_ext_ack *extack);

/**
 * esptun_ts_match - does any of the selectors cover this end of a flow
 * @ts: selectors
 * @n: how many; 0 is any
 * @flow: inner packet
 * @source: look at the source end, else at the destination
 */
bool esptun_ts_match(const struct esptun_ts *ts, unsigned int n,
		     const struct esptun_flow *flow, bool source);

/**
 * esptun_ts_set_why - why do an SA's selectors not cover an inbound packet
 * @set: the selectors
 * @flow: the packet
 *
 * Return: a counter ESPTUN_STATS_A_*, 0 if they cover it.
 */
unsigned int esptun_ts_set_why(const struct esptun_ts_set *set,
			       struct esptun_flow *flow);

/**
 * esptun_flow_parse - read a packet's addresses, protocol and ports
 * @skb: starts with an IP header at skb->data; its length was checked
 * @flow: result
 *
 * Reads only, copes with nonlinear packets.
 * Return: false if the packet is neither IPv4 nor IPv6 or too short.
 */
bool esptun_flow_parse(const struct sk_buff *skb, struct esptun_flow *flow);

int esptun_sadb_net_init(struct esptun_net *en);
void esptun_sadb_net_exit(struct esptun_net *en);
int esptun_sadb_out_init(struct esptun_sadb_out *out);
void esptun_sadb_out_exit(struct esptun_sadb_out *out);

/**
 * esptun_sadb_in_find - inbound SA by SPI
 * @en: netns; RCU read side or en->lock
 * @spi: network order
 *
 * Return: NULL if there is none; may be larval or dead.
 */
struct esptun_sa *esptun_sadb_in_find(struct esptun_net *en, __be32 spi);

/* Insert an inbound SA. en->lock held. Return: 0, -EEXIST, -ENOMEM. */
int esptun_sadb_in_add(struct esptun_net *en, struct esptun_sa *sa);

/* Put @sa in the place of @old, which has the same SPI. en->lock held. */
int esptun_sadb_in_replace(struct esptun_net *en, struct esptun_sa *old,
			   struct esptun_sa *sa);

void esptun_sadb_in_del(struct esptun_net *en, struct esptun_sa *sa);

/**
 * esptun_sadb_key_add - note that an outbound SA uses its key
 * @en: netns; en->lock held
 * @sa: with sa->key set
 *
 * The sequence number is the IV: under one key each may be sent once
 * (RFC 4106 3.1), which two SAs that count by themselves cannot keep.
 * Return: 0, -EEXIST if another outbound SA has the key, -ENOMEM.
 */
int esptun_sadb_key_add(struct esptun_net *en, struct esptun_sa *sa);

void esptun_sadb_key_del(struct esptun_net *en, struct esptun_sa *sa);

/**
 * esptun_sadb_out_add - make an outbound SA findable by its selectors
 * @out: the link's table; en->lock held
 * @sa: the SA
 * @set: its selectors, with room for one entry for each remote one, at least one
 *
 * In front of others with the same selectors. Return: 0 or -ENOMEM, then they
 * may have been seen for a moment.
 */
int esptun_sadb_out_add(struct esptun_sadb_out *out, struct esptun_sa *sa,
			struct esptun_ts_set *set);

/* @set is freed after a grace period. */
void esptun_sadb_out_del(struct esptun_sadb_out *out,
			 struct esptun_ts_set *set);

/**
 * esptun_sadb_out_find - outbound SA for a packet
 * @out: the link's table; RCU read side
 * @skb: inner packet, IP header at skb->data
 * @miss: result: an SA past its limit would have matched, or one whose selectors
 *	name ports, which a later fragment has not (RFC 4301 7.1)
 *
 * The longest remote prefix wins, and the newest SA among equals. A larval SA
 * counts for nothing.
 * Return: a live SA or NULL.
 */
struct esptun_sa *esptun_sadb_out_find(struct esptun_sadb_out *out,
				       const struct sk_buff *skb,
				       struct esptun_miss *miss);

#endif /* ESPTUN_SADB_H */
