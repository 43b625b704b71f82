/* SPDX-License-Identifier: GPL-2.0 */
/* Traffic selectors: which packets an SA is for. */
#ifndef ESPTUN_SELECTOR_H
#define ESPTUN_SELECTOR_H

#include <linux/in6.h>
#include <linux/inetdevice.h>
#include <linux/rhashtable-types.h>
#include <linux/socket.h>
#include <linux/types.h>
#include <net/ipv6.h>
#include "sa/flow.h"

struct esptun_sa;

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

/* Bits of an address. */
static inline unsigned int esptun_ts_addr_bits(u8 family)
{
	return family == AF_INET6 ? 128 : 32;
}

/* Do its ports match any? */
static inline bool esptun_ts_all_ports(const struct esptun_ts *ts)
{
	return ts->any_port || (!ts->port_lo && ts->port_hi == 0xffff);
}

/* The first @plen bits of @addr, the others 0. */
static inline void esptun_ts_addr_prefix(struct in6_addr *prefix,
					 const struct in6_addr *addr, u8 family,
					 u8 plen)
{
	if (family == AF_INET6) {
		ipv6_addr_prefix(prefix, addr, plen);
		return;
	}
	memset(prefix, 0, sizeof(*prefix));
	prefix->s6_addr32[0] = addr->s6_addr32[0] & inet_make_mask(plen);
}

/* Do protocol and port of that end of a packet fit? The address is the caller's. */
static inline bool esptun_ts_upper_match(const struct esptun_ts *ts,
					 const struct esptun_flow *flow,
					 bool source)
{
	u16 port = source ? flow->sport : flow->dport;

	if (ts->proto && ts->proto != flow->proto)
		return false;
	if (esptun_ts_all_ports(ts) || flow->any_port)
		return true;
	return flow->ports_valid && port >= ts->port_lo && port <= ts->port_hi;
}

/* Key of a selector entry: the remote prefix. */
struct esptun_sel_key {
	struct in6_addr addr;
	u8 family;
	u8 plen;
	u16 zero;
};

/**
 * struct esptun_sel - one remote selector of an outbound SA in a link's table
 * @hash: in esptun_sadb_out.prefixes, if it is the newest one of its key
 * @older: the next one with the same key; RCU
 * @newer: the one before it with the same key; under esptun_net.lock
 * @key: remote prefix; family 0 stands for any address at all
 * @ts: the selector, NULL if @key says it all
 * @set: what it is part of
 * @sa: whose
 */
struct esptun_sel {
	struct rhash_head hash;
	struct esptun_sel __rcu *older;
	struct esptun_sel *newer;
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
 * struct esptun_ts_lists - selectors as a request has them, the caller's
 * @local: our side's
 * @remote: the peer's side's
 * @n_local: how many, up to ESPTUN_TS_MAX; 0 is any
 * @n_remote: how many, up to ESPTUN_TS_MAX; 0 is any
 */
struct esptun_ts_lists {
	const struct esptun_ts *local;
	const struct esptun_ts *remote;
	unsigned int n_local;
	unsigned int n_remote;
};

/**
 * esptun_ts_set_alloc - a copy in memory of its own
 * @from: well formed selectors
 * @entries: with room for entries of a link's table: of an outbound SA
 *
 * May sleep. Free with kvfree(), or kvfree_rcu() once published. NULL if out of
 * memory.
 */
struct esptun_ts_set *esptun_ts_set_alloc(const struct esptun_ts_lists *from,
					  bool entries);

/**
 * esptun_ts_check - is a selector well formed
 * @ts: to check
 * @at: result if it is not: the ESPTUN_TS_A_* that is wrong
 *
 * Return: NULL, or what is wrong.
 */
const char *esptun_ts_check(const struct esptun_ts *ts, u16 *at);

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

#endif /* ESPTUN_SELECTOR_H */
