// SPDX-License-Identifier: GPL-2.0
#include <linux/inetdevice.h>
#include <linux/slab.h>
#include <net/ipv6.h>
#include "sa/selector.h"
#include "stats.h"

static bool addr_in(const struct in6_addr *addr, const struct esptun_ts *ts)
{
	if (ts->family == AF_INET6)
		return ipv6_prefix_equal(addr, &ts->addr, ts->plen);
	return !((addr->s6_addr32[0] ^ ts->addr.s6_addr32[0]) &
		 inet_make_mask(ts->plen));
}

const char *esptun_ts_check(const struct esptun_ts *ts, u16 *at)
{
	struct in6_addr prefix;

	*at = ESPTUN_TS_A_ADDRESS;
	if (ts->family != AF_INET && ts->family != AF_INET6)
		return "ts: the address must be IPv4 or IPv6";
	if (ts->plen > esptun_ts_addr_bits(ts->family)) {
		*at = ESPTUN_TS_A_PREFIX_LEN;
		return "ts: prefix-len is longer than the address";
	}
	esptun_ts_addr_prefix(&prefix, &ts->addr, ts->family, ts->plen);
	if (!ipv6_addr_equal(&prefix, &ts->addr))
		return "ts: the address has bits set beyond prefix-len";
	if (esptun_ts_all_ports(ts))
		return NULL;
	*at = ESPTUN_TS_A_PORT_START;
	if (!ts->proto)
		return "ts: ports need a protocol";
	if (ts->port_lo > ts->port_hi)
		return "ts: port-start is above port-end";
	return NULL;
}

bool esptun_ts_match(const struct esptun_ts *ts, unsigned int n,
		     const struct esptun_flow *flow, bool source)
{
	const struct in6_addr *addr = source ? &flow->src : &flow->dst;
	unsigned int i;

	if (!n)
		return true;
	for (i = 0; i < n; i++)
		if (ts[i].family == flow->family && addr_in(addr, &ts[i]) &&
		    esptun_ts_upper_match(&ts[i], flow, source))
			return true;
	return false;
}

static bool set_match(const struct esptun_ts_set *set,
		      const struct esptun_flow *flow)
{
	return esptun_ts_match(esptun_ts_set_remote(set), set->n_remote, flow,
			       true) &&
	       esptun_ts_match(esptun_ts_set_local(set), set->n_local, flow,
			       false);
}

unsigned int esptun_ts_set_why(const struct esptun_ts_set *set,
			       struct esptun_flow *flow)
{
	if (set_match(set, flow))
		return 0;
	flow->any_port = flow->fragment;
	if (flow->fragment && set_match(set, flow))
		return ESPTUN_STATS_A_RX_TS_FRAGMENT;
	return ESPTUN_STATS_A_RX_TS;
}

struct esptun_ts_set *esptun_ts_set_alloc(const struct esptun_ts_lists *from,
					  bool entries)
{
	unsigned int n_sels = entries ? max(from->n_remote, 1u) : 0;
	unsigned int n = from->n_local + from->n_remote;
	struct esptun_ts_set *set;

	set = kvzalloc(struct_size(set, sels, n_sels) + n * sizeof(*set->ts),
		       GFP_KERNEL_ACCOUNT);
	if (!set)
		return NULL;
	set->n_local = from->n_local;
	set->n_remote = from->n_remote;
	set->n_sels = n_sels;
	set->ts = (struct esptun_ts *)(set->sels + n_sels);
	if (from->n_local)
		memcpy(set->ts, from->local, from->n_local * sizeof(*set->ts));
	if (from->n_remote)
		memcpy(set->ts + from->n_local, from->remote,
		       from->n_remote * sizeof(*set->ts));
	return set;
}
