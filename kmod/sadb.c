// SPDX-License-Identifier: GPL-2.0
#include <linux/hash.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/inetdevice.h>
#include <linux/netlink.h>
#include <linux/rculist.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include "link.h"
#include "sa.h"
#include "sadb.h"

/*
 * Inbound SPIs are chosen on this host, so a hash that nobody could turn
 * against it is not needed. Of the product's upper half each bit depends on all
 * octets, also of SPIs that people number.
 */
static u32 spi_hash(const void *key, u32 len, u32 seed)
{
	return hash_64(*(const u32 *)key ^ seed, 32);
}

static int spi_differs(struct rhashtable_compare_arg *arg, const void *obj)
{
	const struct esptun_sa *sa = obj;

	return sa->spi != *(const __be32 *)arg->key;
}

static const struct rhashtable_params in_params = {
	.key_len = sizeof_field(struct esptun_sa, spi),
	.key_offset = offsetof(struct esptun_sa, spi),
	.head_offset = offsetof(struct esptun_sa, hash_node),
	.hashfn = spi_hash,
	.obj_cmpfn = spi_differs,
	.automatic_shrinking = true,
};

static const struct rhashtable_params key_params = {
	.key_len = sizeof_field(struct esptun_sa, key),
	.key_offset = offsetof(struct esptun_sa, key),
	.head_offset = offsetof(struct esptun_sa, hash_node),
	.automatic_shrinking = true,
};

static const struct rhashtable_params out_params = {
	.key_len = sizeof_field(struct esptun_sel, key),
	.key_offset = offsetof(struct esptun_sel, key),
	.head_offset = offsetof(struct esptun_sel, hash),
	.automatic_shrinking = true,
};

/* ---- selectors ---- */

static unsigned int family_index(u8 family)
{
	return family == AF_INET6;
}

static unsigned int addr_bits(u8 family)
{
	return family == AF_INET6 ? 128 : 32;
}

static void addr_prefix(struct in6_addr *prefix, const struct in6_addr *addr,
			u8 family, u8 plen)
{
	if (family == AF_INET6) {
		ipv6_addr_prefix(prefix, addr, plen);
		return;
	}
	memset(prefix, 0, sizeof(*prefix));
	prefix->s6_addr32[0] = addr->s6_addr32[0] & inet_make_mask(plen);
}

static bool addr_in(const struct in6_addr *addr, const struct esptun_ts *ts)
{
	if (ts->family == AF_INET6)
		return ipv6_prefix_equal(addr, &ts->addr, ts->plen);
	return !((addr->s6_addr32[0] ^ ts->addr.s6_addr32[0]) &
		 inet_make_mask(ts->plen));
}

static bool all_ports(const struct esptun_ts *ts)
{
	return ts->any_port || (!ts->port_lo && ts->port_hi == 0xffff);
}

int esptun_ts_check(const struct esptun_ts *ts, struct netlink_ext_ack *extack)
{
	struct in6_addr prefix;

	if (ts->family != AF_INET && ts->family != AF_INET6) {
		NL_SET_ERR_MSG(extack, "ts: the address must be IPv4 or IPv6");
		return -EINVAL;
	}
	if (ts->plen > addr_bits(ts->family)) {
		NL_SET_ERR_MSG(extack,
			       "ts: prefix-len is longer than the address");
		return -EINVAL;
	}
	addr_prefix(&prefix, &ts->addr, ts->family, ts->plen);
	if (!ipv6_addr_equal(&prefix, &ts->addr)) {
		NL_SET_ERR_MSG(
			extack,
			"ts: the address has bits set beyond prefix-len");
		return -EINVAL;
	}
	if (all_ports(ts))
		return 0;
	if (!ts->proto) {
		NL_SET_ERR_MSG(extack, "ts: ports need a protocol");
		return -EINVAL;
	}
	if (ts->port_lo > ts->port_hi) {
		NL_SET_ERR_MSG(extack, "ts: port-start is above port-end");
		return -EINVAL;
	}
	return 0;
}

/* Protocol and ports; the address is the caller's. */
static bool upper_match(const struct esptun_ts *ts,
			const struct esptun_flow *flow, bool source)
{
	u16 port = source ? flow->sport : flow->dport;

	if (ts->proto && ts->proto != flow->proto)
		return false;
	if (all_ports(ts) || flow->any_port)
		return true;
	return flow->ports_valid && port >= ts->port_lo && port <= ts->port_hi;
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
		    upper_match(&ts[i], flow, source))
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

/* ---- flows ---- */

static void parse_ports(const struct sk_buff *skb, unsigned int offset,
			struct esptun_flow *flow)
{
	__be16 buf[2];
	const __be16 *ports;

	switch (flow->proto) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
	case IPPROTO_SCTP:
	case IPPROTO_DCCP:
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		break;
	default:
		return;
	}
	ports = skb_header_pointer(skb, offset, sizeof(buf), buf);
	if (!ports)
		return;
	flow->sport = ntohs(ports[0]);
	flow->dport = ntohs(ports[1]);
	/* RFC 7296 3.13.1: type and code stand for the ports, on both sides. */
	if (flow->proto == IPPROTO_ICMP || flow->proto == IPPROTO_ICMPV6)
		flow->dport = flow->sport;
	flow->ports_valid = true;
}

static bool parse_ip4(const struct sk_buff *skb, struct esptun_flow *flow)
{
	const struct iphdr *ip;
	struct iphdr buf;

	ip = skb_header_pointer(skb, 0, sizeof(buf), &buf);
	if (!ip || ip->ihl < 5)
		return false;
	flow->family = AF_INET;
	flow->src.s6_addr32[0] = ip->saddr;
	flow->dst.s6_addr32[0] = ip->daddr;
	flow->proto = ip->protocol;
	flow->fragment = ip->frag_off & htons(IP_OFFSET);
	if (!flow->fragment)
		parse_ports(skb, ip->ihl * 4, flow);
	return true;
}

/*
 * A later fragment does not have the headers that tell the protocol, but its
 * fragment header names the first of them: the protocol itself, unless it is
 * another extension header. Then the protocol is opaque (RFC 4301 4.4.1.1).
 */
static void parse_fragment6(const struct sk_buff *skb, unsigned int offset,
			    struct esptun_flow *flow)
{
	const struct frag_hdr *frag;
	struct frag_hdr buf;

	frag = skb_header_pointer(skb, offset, sizeof(buf), &buf);
	if (frag && !ipv6_ext_hdr(frag->nexthdr))
		flow->proto = frag->nexthdr;
}

static bool parse_ip6(const struct sk_buff *skb, struct esptun_flow *flow)
{
	const struct ipv6hdr *ip;
	struct ipv6hdr buf;
	__be16 frag = 0;
	int offset;

	ip = skb_header_pointer(skb, 0, sizeof(buf), &buf);
	if (!ip)
		return false;
	flow->family = AF_INET6;
	flow->src = ip->saddr;
	flow->dst = ip->daddr;
	flow->proto = ip->nexthdr;
	offset = ipv6_skip_exthdr(skb, sizeof(buf), &flow->proto, &frag);
	flow->fragment = frag & htons(IP6_OFFSET);
	if (offset >= 0 && flow->fragment)
		parse_fragment6(skb, offset, flow);
	else if (offset >= 0)
		parse_ports(skb, offset, flow);
	return true;
}

bool esptun_flow_parse(const struct sk_buff *skb, struct esptun_flow *flow)
{
	const u8 *first;
	u8 buf;

	memset(flow, 0, sizeof(*flow));
	first = skb_header_pointer(skb, 0, sizeof(buf), &buf);
	if (!first)
		return false;
	switch (*first >> 4) {
	case 4:
		return parse_ip4(skb, flow);
	case 6:
		return parse_ip6(skb, flow);
	default:
		return false;
	}
}

/* ---- inbound ---- */

int esptun_sadb_net_init(struct esptun_net *en)
{
	int err = rhashtable_init(&en->sa_in, &in_params);

	if (err)
		return err;
	err = rhashtable_init(&en->keys_out, &key_params);
	if (err)
		rhashtable_destroy(&en->sa_in);
	return err;
}

void esptun_sadb_net_exit(struct esptun_net *en)
{
	rhashtable_destroy(&en->keys_out);
	rhashtable_destroy(&en->sa_in);
}

struct esptun_sa *esptun_sadb_in_find(struct esptun_net *en, __be32 spi)
{
	return rhashtable_lookup_fast(&en->sa_in, &spi, in_params);
}

int esptun_sadb_in_add(struct esptun_net *en, struct esptun_sa *sa)
{
	lockdep_assert_held(&en->lock);
	return rhashtable_lookup_insert_fast(&en->sa_in, &sa->hash_node,
					     in_params);
}

int esptun_sadb_in_replace(struct esptun_net *en, struct esptun_sa *old,
			   struct esptun_sa *sa)
{
	lockdep_assert_held(&en->lock);
	return rhashtable_replace_fast(&en->sa_in, &old->hash_node,
				       &sa->hash_node, in_params);
}

void esptun_sadb_in_del(struct esptun_net *en, struct esptun_sa *sa)
{
	lockdep_assert_held(&en->lock);
	rhashtable_remove_fast(&en->sa_in, &sa->hash_node, in_params);
}

/* ---- outbound ---- */

int esptun_sadb_key_add(struct esptun_net *en, struct esptun_sa *sa)
{
	lockdep_assert_held(&en->lock);
	return rhashtable_lookup_insert_fast(&en->keys_out, &sa->hash_node,
					     key_params);
}

void esptun_sadb_key_del(struct esptun_net *en, struct esptun_sa *sa)
{
	lockdep_assert_held(&en->lock);
	rhashtable_remove_fast(&en->keys_out, &sa->hash_node, key_params);
}

int esptun_sadb_out_init(struct esptun_sadb_out *out)
{
	INIT_HLIST_HEAD(&out->any);
	return rhltable_init(&out->prefixes, &out_params);
}

void esptun_sadb_out_exit(struct esptun_sadb_out *out)
{
	rhltable_destroy(&out->prefixes);
}

static int sel_add(struct esptun_sadb_out *out, struct esptun_sel *sel)
{
	unsigned int f = family_index(sel->key.family);
	int err;

	if (!sel->key.plen) {
		hlist_add_head_rcu(&sel->node, &out->any);
		return 0;
	}
	err = rhltable_insert(&out->prefixes, &sel->hash, out_params);
	if (err)
		return err;
	if (!out->users[f][sel->key.plen]++)
		set_bit(sel->key.plen, out->plens[f]);
	WRITE_ONCE(out->n_prefixes, out->n_prefixes + 1);
	return 0;
}

static void sel_del(struct esptun_sadb_out *out, struct esptun_sel *sel)
{
	unsigned int f = family_index(sel->key.family);

	if (!sel->key.plen) {
		hlist_del_rcu(&sel->node);
		return;
	}
	rhltable_remove(&out->prefixes, &sel->hash, out_params);
	if (!--out->users[f][sel->key.plen])
		clear_bit(sel->key.plen, out->plens[f]);
	WRITE_ONCE(out->n_prefixes, out->n_prefixes - 1);
}

/* Who has the entry by its key knows all there is to match. */
static bool only_key(const struct esptun_ts *ts)
{
	return ts->plen && !ts->proto && all_ports(ts);
}

int esptun_sadb_out_add(struct esptun_sadb_out *out, struct esptun_sa *sa,
			struct esptun_ts_set *set)
{
	const struct esptun_ts *ts = esptun_ts_set_remote(set);
	unsigned int i;
	int err;

	lockdep_assert_held(&sa->link->en->lock);
	for (i = 0; i < set->n_sels; i++) {
		struct esptun_sel *sel = &set->sels[i];

		sel->sa = sa;
		sel->set = set;
		if (set->n_remote) {
			sel->ts = only_key(&ts[i]) ? NULL : &ts[i];
			sel->key.addr = ts[i].addr;
			sel->key.family = ts[i].family;
			sel->key.plen = ts[i].plen;
		}
		err = sel_add(out, sel);
		if (err)
			goto undo;
	}
	return 0;
undo:
	while (i--)
		sel_del(out, &set->sels[i]);
	return err;
}

void esptun_sadb_out_del(struct esptun_sadb_out *out, struct esptun_ts_set *set)
{
	unsigned int i;

	for (i = 0; i < set->n_sels; i++)
		sel_del(out, &set->sels[i]);
}

/* The remote prefix of @sel covers the destination: does the rest fit? */
static bool sel_match(const struct esptun_sel *sel,
		      const struct esptun_flow *flow)
{
	const struct esptun_ts_set *set = sel->set;

	if (sel->ts && (sel->ts->family != flow->family ||
			!upper_match(sel->ts, flow, false)))
		return false;
	return esptun_ts_match(esptun_ts_set_local(set), set->n_local, flow,
			       true);
}

static bool sel_take(const struct esptun_sel *sel,
		     const struct esptun_flow *flow, struct esptun_miss *miss)
{
	if (!sel_match(sel, flow))
		return false;
	if (esptun_sa_live(sel->sa))
		return true;
	/* A larval one is not in use yet, and may still be refused. */
	if (READ_ONCE(sel->sa->state) == ESPTUN_SA_STATE_DEAD) {
		miss->sa = sel->sa;
		miss->reason = ESPTUN_STATS_A_TX_EXPIRED;
	}
	return false;
}

static struct esptun_sa *find_prefix(struct esptun_sadb_out *out,
				     const struct esptun_flow *flow,
				     struct esptun_miss *miss)
{
	const unsigned long *plens = out->plens[family_index(flow->family)];
	unsigned int plen = addr_bits(flow->family) + 1;
	struct esptun_sel_key key = { .family = flow->family };
	struct rhlist_head *list, *pos;
	struct esptun_sel *sel;
	unsigned int size;

	for (;;) {
		size = plen;
		plen = find_last_bit(plens, size);
		if (plen == size)
			return NULL;
		addr_prefix(&key.addr, &flow->dst, flow->family, plen);
		key.plen = plen;
		list = rhltable_lookup(&out->prefixes, &key, out_params);
		rhl_for_each_entry_rcu(sel, pos, list, hash)
			if (sel_take(sel, flow, miss))
				return sel->sa;
	}
}

/* One SA for everything: nothing of the packet needs to be read. */
static struct esptun_sa *find_only(struct esptun_sadb_out *out)
{
	struct esptun_sel *sel;

	if (READ_ONCE(out->n_prefixes))
		return NULL;
	sel = hlist_entry_safe(rcu_dereference(hlist_first_rcu(&out->any)),
			       struct esptun_sel, node);
	if (!sel || sel->ts || sel->set->n_local || !esptun_sa_live(sel->sa))
		return NULL;
	return sel->sa;
}

static struct esptun_sa *find_flow(struct esptun_sadb_out *out,
				   const struct esptun_flow *flow,
				   struct esptun_miss *miss)
{
	struct esptun_sa *sa = find_prefix(out, flow, miss);
	struct esptun_sel *sel;

	if (sa)
		return sa;
	hlist_for_each_entry_rcu(sel, &out->any, node)
		if (sel_take(sel, flow, miss))
			return sel->sa;
	return NULL;
}

struct esptun_sa *esptun_sadb_out_find(struct esptun_sadb_out *out,
				       const struct sk_buff *skb,
				       struct esptun_miss *miss)
{
	struct esptun_sa *sa = find_only(out);
	struct esptun_flow flow;

	miss->sa = NULL;
	if (sa)
		return sa;
	if (!esptun_flow_parse(skb, &flow))
		return NULL;
	sa = find_flow(out, &flow, miss);
	if (sa || !flow.fragment || miss->sa)
		return sa;
	flow.any_port = true;
	sa = find_flow(out, &flow, miss);
	if (sa) {
		miss->sa = sa;
		miss->reason = ESPTUN_STATS_A_TX_TS_FRAGMENT;
	}
	return NULL;
}
