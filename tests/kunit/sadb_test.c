// SPDX-License-Identifier: GPL-2.0
/* Finding SAs: inbound by SPI, outbound by selector. */
#include <kunit/test.h>
#include <linux/inet.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/slab.h>
#include <linux/udp.h>
#include "encap/encap.h"
#include "esp/esp.h"
#include "limits.h"
#include "link.h"
#include "rx/icmp.h"
#include "sa/peer.h"
#include "sa/sa.h"
#include "sa/sadb.h"

/* A namespace with one link, as far as the tables look at them. */
struct world {
	struct esptun_net *en;
	struct esptun_link *link;
};

static void world_open(struct kunit *test, struct world *w)
{
	w->en = kunit_kzalloc(test, sizeof(*w->en), GFP_KERNEL);
	w->link = kunit_kzalloc(test, sizeof(*w->link), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, w->en);
	KUNIT_ASSERT_NOT_NULL(test, w->link);
	mutex_init(&w->en->lock);
	w->link->en = w->en;
	KUNIT_ASSERT_EQ(test, 0, esptun_sadb_net_init(w->en));
	KUNIT_ASSERT_EQ(test, 0, esptun_sadb_out_init(&w->link->out));
	mutex_lock(&w->en->lock);
}

static void world_close(struct world *w)
{
	mutex_unlock(&w->en->lock);
	esptun_sadb_out_exit(&w->link->out);
	esptun_sadb_net_exit(w->en);
}

static struct esptun_sa *sa_make(struct kunit *test, struct world *w, u32 spi)
{
	struct esptun_sa *sa = kunit_kzalloc(test, sizeof(*sa), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, sa);
	sa->spi = htonl(spi);
	sa->link = w->link;
	sa->state = ESPTUN_SA_STATE_MATURE;
	atomic64_set(&sa->seq, 1);
	return sa;
}

/* ---- inbound ------------------------------------------------------------- */

/* Longest chain of the inbound table. */
static unsigned int longest_chain(struct esptun_net *en)
{
	const struct bucket_table *tbl;
	unsigned int i, n, longest = 0;
	struct rhash_head *at;

	rcu_read_lock();
	tbl = rht_dereference_rcu(en->sa_in.tbl, &en->sa_in);
	for (i = 0; i < tbl->size; i++) {
		n = 0;
		rht_for_each_rcu(at, tbl, i) n++;
		longest = max(longest, n);
	}
	rcu_read_unlock();
	return longest;
}

/* SPIs that people number: by ones, and by steps in each octet. */
static void sadb_inbound_regular(struct kunit *test)
{
	static const unsigned int steps[] = { 0, 8, 16 };
	struct esptun_sa *sa[40];
	unsigned int i, k;
	struct world w;

	world_open(test, &w);
	for (k = 0; k < ARRAY_SIZE(steps); k++) {
		for (i = 0; i < ARRAY_SIZE(sa); i++) {
			sa[i] = sa_make(test, &w, 0x01000000 + (i << steps[k]));
			KUNIT_EXPECT_EQ(test, 0,
					esptun_sadb_in_add(w.en, sa[i]));
		}
		KUNIT_EXPECT_LE(test, longest_chain(w.en), 10U);
		for (i = 0; i < ARRAY_SIZE(sa); i++)
			esptun_sadb_in_del(w.en, sa[i]);
	}
	world_close(&w);
}

static void sadb_inbound(struct kunit *test)
{
	struct esptun_sa *a, *b, *twin, *next;
	struct world w;

	world_open(test, &w);
	a = sa_make(test, &w, 0x1000);
	b = sa_make(test, &w, 0x00001001);
	twin = sa_make(test, &w, 0x1000);
	next = sa_make(test, &w, 0x1000);

	KUNIT_EXPECT_NULL(test, esptun_sadb_in_find(w.en, a->spi));
	KUNIT_EXPECT_EQ(test, 0, esptun_sadb_in_add(w.en, a));
	KUNIT_EXPECT_EQ(test, 0, esptun_sadb_in_add(w.en, b));
	KUNIT_EXPECT_EQ(test, -EEXIST, esptun_sadb_in_add(w.en, twin));
	KUNIT_EXPECT_PTR_EQ(test, a, esptun_sadb_in_find(w.en, a->spi));
	KUNIT_EXPECT_PTR_EQ(test, b, esptun_sadb_in_find(w.en, b->spi));
	KUNIT_EXPECT_NULL(test, esptun_sadb_in_find(w.en, 0));

	/* A larval SA gets its key. */
	KUNIT_EXPECT_EQ(test, 0, esptun_sadb_in_replace(w.en, a, next));
	KUNIT_EXPECT_PTR_EQ(test, next, esptun_sadb_in_find(w.en, a->spi));

	esptun_sadb_in_del(w.en, next);
	KUNIT_EXPECT_NULL(test, esptun_sadb_in_find(w.en, a->spi));
	KUNIT_EXPECT_PTR_EQ(test, b, esptun_sadb_in_find(w.en, b->spi));
	KUNIT_EXPECT_EQ(test, 0, esptun_sadb_in_add(w.en, twin));
	esptun_sadb_in_del(w.en, twin);
	esptun_sadb_in_del(w.en, b);
	world_close(&w);
}

#define MANY 3000

static void sadb_inbound_many(struct kunit *test)
{
	struct esptun_sa **sas;
	struct world w;
	int i;

	world_open(test, &w);
	sas = kunit_kcalloc(test, MANY, sizeof(*sas), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, sas);
	for (i = 0; i < MANY; i++) {
		sas[i] = sa_make(test, &w, 256 + i * 7919);
		KUNIT_ASSERT_EQ(test, 0, esptun_sadb_in_add(w.en, sas[i]));
	}
	for (i = 0; i < MANY; i++)
		KUNIT_ASSERT_PTR_EQ(test, sas[i],
				    esptun_sadb_in_find(w.en, sas[i]->spi));
	for (i = 0; i < MANY; i += 2)
		esptun_sadb_in_del(w.en, sas[i]);
	for (i = 0; i < MANY; i++)
		KUNIT_ASSERT_PTR_EQ(test, i & 1 ? sas[i] : NULL,
				    esptun_sadb_in_find(w.en, sas[i]->spi));
	for (i = 1; i < MANY; i += 2)
		esptun_sadb_in_del(w.en, sas[i]);
	world_close(&w);
}

/* ---- outbound ------------------------------------------------------------ */

/* What a selector or a packet says; ports in host order, 0-0 is any. */
struct selector {
	const char *addr;
	u8 plen;
	u8 proto;
	u16 lo;
	u16 hi;
};

static u8 parse_addr(struct kunit *test, const char *text,
		     struct in6_addr *addr)
{
	memset(addr, 0, sizeof(*addr));
	if (in4_pton(text, -1, (u8 *)addr, -1, NULL))
		return AF_INET;
	KUNIT_ASSERT_EQ(test, 1, in6_pton(text, -1, (u8 *)addr, -1, NULL));
	return AF_INET6;
}

static void ts_fill(struct kunit *test, struct esptun_ts *ts,
		    const struct selector *s)
{
	u16 at;

	ts->family = parse_addr(test, s->addr, &ts->addr);
	ts->plen = s->plen;
	ts->proto = s->proto;
	ts->any_port = !s->hi;
	ts->port_lo = s->lo;
	ts->port_hi = s->hi;
	KUNIT_ASSERT_NULL(test, esptun_ts_check(ts, &at));
}

/* An outbound SA; a selector without an address is not there. */
static struct esptun_sa *out_make(struct kunit *test, struct world *w, u32 spi,
				  const struct selector *local,
				  const struct selector *remote, int n_remote)
{
	struct esptun_sa *sa = sa_make(test, w, spi);
	unsigned int n_sels = max(n_remote, 1);
	struct esptun_ts_set *set;
	int i;

	sa->dir = ESPTUN_SA_DIR_OUT;
	set = kunit_kzalloc(test, struct_size(set, sels, n_sels), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, set);
	set->n_local = local->addr ? 1 : 0;
	set->n_remote = n_remote;
	set->n_sels = n_sels;
	set->ts =
		kunit_kcalloc(test, n_remote + 1, sizeof(*set->ts), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, set->ts);
	if (set->n_local)
		ts_fill(test, set->ts, local);
	for (i = 0; i < n_remote; i++)
		ts_fill(test, set->ts + set->n_local + i, &remote[i]);
	RCU_INIT_POINTER(sa->ts, set);
	return sa;
}

static struct esptun_ts_set *ts_of(const struct esptun_sa *sa)
{
	return rcu_dereference_protected(sa->ts, true);
}

static int sadb_add(struct world *w, struct esptun_sa *sa)
{
	return esptun_sadb_out_add(&w->link->out, sa, ts_of(sa));
}

static void sadb_del(struct world *w, struct esptun_sa *sa)
{
	esptun_sadb_out_del(&w->link->out, ts_of(sa));
}

static struct esptun_sa *out_add(struct kunit *test, struct world *w, u32 spi,
				 struct selector local, struct selector remote)
{
	struct esptun_sa *sa =
		out_make(test, w, spi, &local, &remote, remote.addr ? 1 : 0);

	KUNIT_ASSERT_EQ(test, 0, sadb_add(w, sa));
	return sa;
}

struct packet {
	const char *src;
	const char *dst;
	u8 proto;
	u16 sport;
	u16 dport;
	/* fragment offset in units of 8 bytes */
	u16 frag;
};

static struct sk_buff *packet_make(struct kunit *test, const struct packet *p)
{
	struct sk_buff *skb = alloc_skb(128, GFP_KERNEL);
	struct in6_addr src, dst;
	__be16 *ports;

	KUNIT_ASSERT_NOT_NULL(test, skb);
	parse_addr(test, p->src, &src);
	if (parse_addr(test, p->dst, &dst) == AF_INET) {
		struct iphdr *ip = skb_put_zero(skb, sizeof(*ip));

		ip->version = 4;
		ip->ihl = 5;
		ip->saddr = src.s6_addr32[0];
		ip->daddr = dst.s6_addr32[0];
		ip->protocol = p->proto;
		ip->frag_off = htons(p->frag);
	} else {
		struct ipv6hdr *ip6 = skb_put_zero(skb, sizeof(*ip6));

		ip6->version = 6;
		ip6->saddr = src;
		ip6->daddr = dst;
		ip6->nexthdr = p->frag ? NEXTHDR_FRAGMENT : p->proto;
		if (p->frag) {
			struct frag_hdr *frag =
				skb_put_zero(skb, sizeof(*frag));

			frag->nexthdr = p->proto;
			frag->frag_off = htons(p->frag << 3);
		}
	}
	ports = skb_put_zero(skb, 8);
	ports[0] = htons(p->sport);
	ports[1] = htons(p->dport);
	return skb;
}

/* SPI of the SA found, 0 for none. */
static u32 lookup_miss(struct kunit *test, struct world *w, struct packet p,
		       struct esptun_miss *miss)
{
	struct sk_buff *skb = packet_make(test, &p);
	struct esptun_sa *sa;
	u32 spi;

	rcu_read_lock();
	sa = esptun_sadb_out_find(&w->link->out, skb, miss);
	spi = sa ? ntohl(sa->spi) : 0;
	rcu_read_unlock();
	kfree_skb(skb);
	return spi;
}

static u32 lookup(struct kunit *test, struct world *w, struct packet p)
{
	struct esptun_miss miss;

	return lookup_miss(test, w, p, &miss);
}

#define SEL(...) ((struct selector){ __VA_ARGS__ })
#define ANY ((struct selector){ .addr = NULL })
#define PKT(...) ((struct packet){ __VA_ARGS__ })
#define ICMP_ECHO (8 << 8)

struct lookup_row {
	const char *name;
	struct packet packet;
	u32 spi;
};

static const struct lookup_row lookup_rows[] = {
	{ "outside every prefix",
	  { "192.168.1.1", "172.16.0.1", 17, 1, 2 },
	  0x100 },
	{ "/8", { "192.168.1.1", "10.9.9.9", 17, 1, 2 }, 0x108 },
	{ "/16 beats /8", { "192.168.1.1", "10.1.9.9", 17, 1, 2 }, 0x116 },
	{ "/32 and port", { "192.168.1.1", "10.1.2.3", 6, 999, 80 }, 0x132 },
	{ "other port falls back",
	  { "192.168.1.1", "10.1.2.3", 6, 80, 81 },
	  0x116 },
	{ "other protocol falls back",
	  { "192.168.1.1", "10.1.2.3", 17, 9, 80 },
	  0x116 },
	{ "newer with ports beats older",
	  { "192.168.1.1", "10.1.9.9", 17, 1, 53 },
	  0x153 },
	{ "top of the port range",
	  { "192.168.1.1", "10.1.9.9", 17, 1, 60 },
	  0x153 },
	{ "above the port range",
	  { "192.168.1.1", "10.1.9.9", 17, 1, 61 },
	  0x116 },
	{ "a later fragment has no ports",
	  { "192.168.1.1", "10.1.9.9", 17, 1, 53, 5 },
	  0x116 },
	{ "local prefix fits", { "192.168.1.1", "10.2.0.1", 6, 1, 2 }, 0x124 },
	{ "local prefix does not fit",
	  { "192.168.2.1", "10.2.0.1", 6, 1, 2 },
	  0x108 },
	{ "ICMP type", { "192.168.1.1", "10.3.0.1", 1, ICMP_ECHO, 0 }, 0x101 },
	{ "ICMP other type", { "192.168.1.1", "10.3.0.1", 1, 0, 0 }, 0x108 },
	{ "IPv6 /64 beats /32",
	  { "fd00::1", "2001:db8:0:1::9", 17, 1, 2 },
	  0x164 },
	{ "IPv6 /32", { "fd00::1", "2001:db8:1::9", 17, 1, 2 }, 0x160 },
	{ "IPv6 outside", { "fd00::1", "2001:db9::9", 17, 1, 2 }, 0x100 },
	{ "IPv6 protocol", { "fd00::1", "2001:dba::9", 58, 1, 2 }, 0x158 },
	{ "a later fragment of the protocol",
	  { "fd00::1", "2001:dba::9", 58, 1, 2, 7 },
	  0x158 },
	{ "a later fragment of another",
	  { "fd00::1", "2001:dba::9", 17, 1, 2, 7 },
	  0x100 },
	{ "a later fragment that begins with another header",
	  { "fd00::1", "2001:dba::9", NEXTHDR_DEST, 1, 2, 7 },
	  0x100 },
};

static void sadb_selectors(struct kunit *test)
{
	const struct lookup_row *row;
	struct esptun_sa *sas[10];
	struct world w;
	int i = 0;

	world_open(test, &w);
	sas[i++] =
		out_add(test, &w, 0x132, ANY, SEL("10.1.2.3", 32, 6, 80, 80));
	sas[i++] = out_add(test, &w, 0x116, ANY, SEL("10.1.0.0", 16));
	sas[i++] = out_add(test, &w, 0x108, ANY, SEL("10.0.0.0", 8));
	sas[i++] = out_add(test, &w, 0x100, ANY, ANY);
	sas[i++] =
		out_add(test, &w, 0x153, ANY, SEL("10.1.0.0", 16, 17, 53, 60));
	sas[i++] = out_add(test, &w, 0x124, SEL("192.168.1.0", 24),
			   SEL("10.2.0.0", 16));
	sas[i++] = out_add(test, &w, 0x101, ANY,
			   SEL("10.3.0.0", 16, 1, ICMP_ECHO, ICMP_ECHO + 255));
	sas[i++] = out_add(test, &w, 0x160, ANY, SEL("2001:db8::", 32));
	sas[i++] = out_add(test, &w, 0x164, ANY, SEL("2001:db8:0:1::", 64));
	sas[i++] =
		out_add(test, &w, 0x158, ANY, SEL("2001:dba::", 32, 58, 0, 0));
	for (row = lookup_rows; row < lookup_rows + ARRAY_SIZE(lookup_rows);
	     row++)
		KUNIT_EXPECT_EQ_MSG(test, lookup(test, &w, row->packet),
				    row->spi, "%s", row->name);
	while (i--)
		sadb_del(&w, sas[i]);
	KUNIT_EXPECT_EQ(test, 0u, lookup(test, &w, lookup_rows[0].packet));
	KUNIT_EXPECT_EQ(test, 0u, lookup(test, &w, lookup_rows[1].packet));
	world_close(&w);
}

/* RFC 4301 7.1: a later fragment has no ports; it is told from a mere stranger. */
static void sadb_fragment(struct kunit *test)
{
	struct esptun_sa *sa;
	struct esptun_miss miss;
	struct world w;

	world_open(test, &w);
	sa = out_add(test, &w, 0x111, ANY, SEL("10.1.0.0", 16, 17, 53, 60));
	KUNIT_EXPECT_EQ(test, 0x111u,
			lookup(test, &w,
			       PKT("192.168.1.1", "10.1.1.1", 17, 1, 53)));
	KUNIT_EXPECT_EQ(
		test, 0u,
		lookup_miss(test, &w,
			    PKT("192.168.1.1", "10.1.1.1", 17, 1, 53, 5),
			    &miss));
	KUNIT_EXPECT_PTR_EQ(test, miss.sa, sa);
	KUNIT_EXPECT_EQ(test, miss.reason, ESPTUN_STATS_A_TX_TS_FRAGMENT);
	KUNIT_EXPECT_EQ(test, 0u,
			lookup_miss(test, &w,
				    PKT("192.168.1.1", "10.1.1.1", 6, 1, 53, 5),
				    &miss));
	KUNIT_EXPECT_NULL(test, miss.sa);
	sadb_del(&w, sa);
	world_close(&w);
}

/* Rekeying: the new SA takes over at once, the old one is there to go back to. */
static void rekey(struct kunit *test, struct selector remote, struct packet p)
{
	struct esptun_miss miss = {};
	struct esptun_sa *old, *new;
	struct world w;

	world_open(test, &w);
	KUNIT_EXPECT_EQ(test, 0u, lookup(test, &w, p));
	old = out_add(test, &w, 0x111, ANY, remote);
	KUNIT_EXPECT_EQ(test, 0x111u, lookup(test, &w, p));
	new = out_add(test, &w, 0x222, ANY, remote);
	KUNIT_EXPECT_EQ(test, 0x222u, lookup(test, &w, p));

	/* Not in use yet, it may still be refused: it counts for nothing. */
	new->state = ESPTUN_SA_STATE_LARVAL;
	KUNIT_EXPECT_EQ(test, 0x111u, lookup_miss(test, &w, p, &miss));
	old->state = ESPTUN_SA_STATE_LARVAL;
	KUNIT_EXPECT_EQ(test, 0u, lookup_miss(test, &w, p, &miss));
	KUNIT_EXPECT_NULL(test, miss.sa);
	old->state = ESPTUN_SA_STATE_MATURE;
	new->state = ESPTUN_SA_STATE_DYING;
	KUNIT_EXPECT_EQ(test, 0x222u, lookup(test, &w, p));
	new->state = ESPTUN_SA_STATE_DEAD;
	KUNIT_EXPECT_EQ(test, 0x111u, lookup(test, &w, p));
	old->state = ESPTUN_SA_STATE_DEAD;
	KUNIT_EXPECT_EQ(test, 0u, lookup_miss(test, &w, p, &miss));
	KUNIT_EXPECT_NOT_NULL(test, miss.sa);
	KUNIT_EXPECT_EQ(test, miss.reason, ESPTUN_STATS_A_TX_EXPIRED);
	old->state = ESPTUN_SA_STATE_MATURE;
	new->state = ESPTUN_SA_STATE_MATURE;

	sadb_del(&w, old);
	KUNIT_EXPECT_EQ(test, 0x222u, lookup(test, &w, p));
	sadb_del(&w, new);
	KUNIT_EXPECT_EQ(test, 0u, lookup(test, &w, p));
	world_close(&w);
}

/* Which SAs a packet finds, when the one found last is no longer in use. */
static void expect_order(struct kunit *test, struct world *w, struct packet p,
			 struct esptun_sa **sas, const int *order)
{
	const int *i;

	for (i = order; *i >= 0; i++) {
		KUNIT_EXPECT_EQ(test, ntohl(sas[*i]->spi), lookup(test, w, p));
		sas[*i]->state = ESPTUN_SA_STATE_LARVAL;
	}
	KUNIT_EXPECT_EQ(test, 0u, lookup(test, w, p));
	for (i = order; *i >= 0; i++)
		sas[*i]->state = ESPTUN_SA_STATE_MATURE;
}

/*
 * Of many SAs for the same each is removed without a look at the others: links
 * with tens of thousands of them go away under rtnl. What cannot be found from
 * the newest one, because that is cut off, is removed all the same.
 */
static void equal(struct kunit *test, struct selector remote, struct packet p)
{
	struct esptun_sel *newest, *older;
	struct esptun_sa *sas[5];
	struct world w;
	int i;

	world_open(test, &w);
	for (i = 0; i < ARRAY_SIZE(sas); i++)
		sas[i] = out_add(test, &w, 0x100 + i, ANY, remote);
	expect_order(test, &w, p, sas, (int[]){ 4, 3, 2, 1, 0, -1 });
	newest = &ts_of(sas[4])->sels[0];
	older = rcu_dereference_protected(newest->older, true);
	RCU_INIT_POINTER(newest->older, NULL);
	sadb_del(&w, sas[1]);
	RCU_INIT_POINTER(newest->older, older);
	expect_order(test, &w, p, sas, (int[]){ 4, 3, 2, 0, -1 });
	sadb_del(&w, sas[0]);
	expect_order(test, &w, p, sas, (int[]){ 4, 3, 2, -1 });
	sadb_del(&w, sas[4]);
	expect_order(test, &w, p, sas, (int[]){ 3, 2, -1 });
	KUNIT_EXPECT_EQ(test, 0, sadb_add(&w, sas[0]));
	expect_order(test, &w, p, sas, (int[]){ 0, 3, 2, -1 });
	for (i = 0; i < 4; i++)
		if (i != 1)
			sadb_del(&w, sas[i]);
	KUNIT_EXPECT_EQ(test, 0u, lookup(test, &w, p));
	world_close(&w);
}

static void sadb_equal_any(struct kunit *test)
{
	equal(test, ANY, PKT("192.168.1.1", "10.1.1.1", 17, 1, 2));
}

static void sadb_equal_prefix(struct kunit *test)
{
	equal(test, SEL("10.1.0.0", 16, 0, 0, 0),
	      PKT("192.168.1.1", "10.1.1.1", 17, 1, 2));
}

static void sadb_rekey_any(struct kunit *test)
{
	rekey(test, ANY, PKT("192.168.1.1", "10.1.1.1", 17, 1, 2));
	rekey(test, ANY, PKT("fd00::1", "fd00::2", 17, 1, 2));
}

static void sadb_rekey_prefix(struct kunit *test)
{
	rekey(test, SEL("10.1.0.0", 16),
	      PKT("192.168.1.1", "10.1.1.1", 17, 1, 2));
	rekey(test, SEL("fd00::", 8), PKT("fd00::1", "fd00::2", 17, 1, 2));
	rekey(test, SEL("0.0.0.0", 0),
	      PKT("192.168.1.1", "10.1.1.1", 17, 1, 2));
}

/* Every IPv4 selector of one SA finds it, and none of them IPv6. */
static void sadb_many_selectors(struct kunit *test)
{
	const struct selector remotes[] = {
		{ "10.0.0.0", 8 },
		{ "172.16.0.0", 12 },
		{ "0.0.0.0", 1 },
		{ "10.0.0.0", 8, 6, 22, 22 },
	};
	struct selector local = { .addr = NULL };
	struct esptun_sa *sa;
	struct world w;

	world_open(test, &w);
	sa = out_make(test, &w, 0x300, &local, remotes, ARRAY_SIZE(remotes));
	KUNIT_ASSERT_EQ(test, 0, sadb_add(&w, sa));
	KUNIT_EXPECT_EQ(test, 0x300u,
			lookup(test, &w, PKT("1.1.1.1", "10.1.1.1", 6, 1, 22)));
	KUNIT_EXPECT_EQ(test, 0x300u,
			lookup(test, &w,
			       PKT("1.1.1.1", "172.31.1.1", 6, 1, 22)));
	KUNIT_EXPECT_EQ(test, 0x300u,
			lookup(test, &w,
			       PKT("1.1.1.1", "127.1.1.1", 6, 1, 22)));
	KUNIT_EXPECT_EQ(test, 0u,
			lookup(test, &w,
			       PKT("1.1.1.1", "192.1.1.1", 6, 1, 22)));
	KUNIT_EXPECT_EQ(test, 0u,
			lookup(test, &w, PKT("fd00::1", "::1", 6, 1, 22)));
	sadb_del(&w, sa);
	KUNIT_EXPECT_EQ(test, 0u,
			lookup(test, &w, PKT("1.1.1.1", "10.1.1.1", 6, 1, 22)));
	world_close(&w);
}

/* ---- selectors and flows themselves -------------------------------------- */

/* @wrong: the attribute at fault, 0 for none. */
struct check_row {
	const char *name;
	struct selector s;
	u16 wrong;
};

static const struct check_row check_rows[] = {
	{ "host", { "10.0.0.1", 32 } },
	{ "default", { "0.0.0.0", 0 } },
	{ "host bits", { "10.0.0.1", 31 }, ESPTUN_TS_A_ADDRESS },
	{ "host bits in /0", { "128.0.0.0", 0 }, ESPTUN_TS_A_ADDRESS },
	{ "longer than IPv4", { "10.0.0.1", 33 }, ESPTUN_TS_A_PREFIX_LEN },
	{ "IPv6", { "2001:db8::", 32 } },
	{ "IPv6 host", { "::1", 128 } },
	{ "IPv6 host bits", { "2001:db8::1", 127 }, ESPTUN_TS_A_ADDRESS },
	{ "longer than IPv6", { "::1", 129 }, ESPTUN_TS_A_PREFIX_LEN },
	{ "ports", { "10.0.0.0", 8, 17, 53, 53 } },
	{ "ports backwards",
	  { "10.0.0.0", 8, 17, 54, 53 },
	  ESPTUN_TS_A_PORT_START },
	{ "ports of any protocol",
	  { "10.0.0.0", 8, 0, 53, 53 },
	  ESPTUN_TS_A_PORT_START },
};

static void sadb_ts_check(struct kunit *test)
{
	const struct check_row *row;
	u16 at;

	for (row = check_rows; row < check_rows + ARRAY_SIZE(check_rows);
	     row++) {
		struct esptun_ts ts = {
			.plen = row->s.plen,
			.proto = row->s.proto,
			.any_port = !row->s.hi,
			.port_lo = row->s.lo,
			.port_hi = row->s.hi,
		};

		ts.family = parse_addr(test, row->s.addr, &ts.addr);
		KUNIT_EXPECT_EQ_MSG(test, !esptun_ts_check(&ts, &at),
				    !row->wrong, "%s", row->name);
		if (row->wrong)
			KUNIT_EXPECT_EQ_MSG(test, at, row->wrong, "%s",
					    row->name);
	}
}

/* A packet cut off anywhere, or no IP at all, is refused or has no ports. */
static void sadb_flow_truncated(struct kunit *test)
{
	const struct packet packets[] = {
		{ "1.1.1.1", "2.2.2.2", 17, 5, 6 },
		{ "fd00::1", "fd00::2", 6, 5, 6 },
	};
	struct esptun_flow flow;
	unsigned int i, len, full, header;

	for (i = 0; i < ARRAY_SIZE(packets); i++) {
		struct sk_buff *skb = packet_make(test, &packets[i]);

		full = skb->len;
		header = full - 8;
		KUNIT_EXPECT_TRUE(test, esptun_flow_parse(skb, &flow));
		KUNIT_EXPECT_TRUE(test, flow.ports_valid);
		KUNIT_EXPECT_EQ(test, flow.sport, (u16)5);
		KUNIT_EXPECT_EQ(test, flow.dport, (u16)6);
		for (len = full - 1; len < full; len--) {
			skb_trim(skb, len);
			KUNIT_EXPECT_EQ_MSG(test, esptun_flow_parse(skb, &flow),
					    len >= header,
					    "packet %u length %u", i, len);
			if (len < header + 4)
				KUNIT_EXPECT_FALSE(test, flow.ports_valid);
		}
		kfree_skb(skb);
	}
}

static void sadb_flow_version(struct kunit *test)
{
	struct packet p = { "1.1.1.1", "2.2.2.2", 17, 5, 6 };
	struct sk_buff *skb = packet_make(test, &p);
	struct esptun_flow flow;
	int version;

	for (version = 0; version < 16; version++) {
		if (version == 4 || version == 6)
			continue;
		skb->data[0] = version << 4 | 5;
		KUNIT_EXPECT_FALSE(test, esptun_flow_parse(skb, &flow));
	}
	/* A header length below the smallest. */
	skb->data[0] = 0x44;
	KUNIT_EXPECT_FALSE(test, esptun_flow_parse(skb, &flow));
	kfree_skb(skb);
}

/* ---- packets that were sent ---------------------------------------------- */

static struct esptun_peer *peer_make(struct kunit *test, u32 ip4)
{
	struct esptun_peer *peer =
		kunit_kzalloc(test, sizeof(*peer), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, peer);
	seqlock_init(&peer->ep_lock);
	peer->remote.addr = esptun_addr_ip4(htonl(ip4));
	peer->remote.port = htons(4500);
	return peer;
}

static bool is_sent(struct world *w, u32 spi, u32 ip4,
		    const struct esptun_sa *sa)
{
	const struct esptun_endpoint to = {
		.addr = esptun_addr_ip4(htonl(ip4)),
	};
	const struct esptun_esp_hdr esp = {
		.spi = htonl(spi),
		.seq = htonl(1),
	};
	bool same;

	rcu_read_lock();
	same = esptun_sadb_sent_find(w->en, NULL, NULL, &to, &esp) == sa;
	rcu_read_unlock();
	return same;
}

/* Peers choose these SPIs, so several may have the same one. */
static void sadb_sent(struct kunit *test)
{
	struct esptun_sa *a, *b;
	struct world w;

	world_open(test, &w);
	a = sa_make(test, &w, 0x1000);
	b = sa_make(test, &w, 0x1000);
	a->peer = peer_make(test, 0xc0000201);
	b->peer = peer_make(test, 0xc0000202);
	b->key[0] = 1;
	a->key_len = 1;
	b->key_len = 1;
	KUNIT_EXPECT_EQ(test, 0, esptun_sadb_key_add(w.en, a));
	KUNIT_EXPECT_EQ(test, 0, esptun_sadb_key_add(w.en, b));
	KUNIT_EXPECT_TRUE(test, is_sent(&w, 0x1000, 0xc0000201, a));
	KUNIT_EXPECT_TRUE(test, is_sent(&w, 0x1000, 0xc0000202, b));
	KUNIT_EXPECT_TRUE(test, is_sent(&w, 0x1000, 0xc0000203, NULL));
	KUNIT_EXPECT_TRUE(test, is_sent(&w, 0x1001, 0xc0000201, NULL));
	esptun_sadb_key_del(w.en, a);
	KUNIT_EXPECT_TRUE(test, is_sent(&w, 0x1000, 0xc0000201, NULL));
	KUNIT_EXPECT_TRUE(test, is_sent(&w, 0x1000, 0xc0000202, b));
	/* A key that is taken leaves no trace of the SPI. */
	a->key[0] = 1;
	KUNIT_EXPECT_EQ(test, -EEXIST, esptun_sadb_key_add(w.en, a));
	KUNIT_EXPECT_TRUE(test, is_sent(&w, 0x1000, 0xc0000201, NULL));
	esptun_sadb_key_del(w.en, b);
	world_close(&w);
}

/* Of packets in UDP the port counts, too. */
static void sadb_sent_port(struct kunit *test)
{
	struct esptun_endpoint to = { .addr = esptun_addr_ip4(
					      htonl(0xc0000201)) };
	const struct esptun_esp_hdr esp = {
		.spi = htonl(0x1000),
		.seq = htonl(1),
	};
	struct esptun_sa *a;
	struct world w;

	world_open(test, &w);
	a = sa_make(test, &w, 0x1000);
	a->peer = peer_make(test, 0xc0000201);
	KUNIT_ASSERT_EQ(test, 0, esptun_sadb_key_add(w.en, a));
	rcu_read_lock();
	to.port = htons(4500);
	KUNIT_EXPECT_PTR_EQ(test, a,
			    esptun_sadb_sent_find(w.en, NULL, NULL, &to, &esp));
	to.port = htons(4501);
	KUNIT_EXPECT_NULL(test,
			  esptun_sadb_sent_find(w.en, NULL, NULL, &to, &esp));
	rcu_read_unlock();
	esptun_sadb_key_del(w.en, a);
	world_close(&w);
}

/* Two SAs with one SPI at one endpoint: what else a packet shows tells them apart. */
static void sadb_sent_twins(struct kunit *test)
{
	const struct esptun_endpoint to = {
		.addr = esptun_addr_ip4(htonl(0xc0000201)),
	};
	static const struct esptun_encap_ops udp = {};
	struct esptun_esp_hdr esp = { .spi = htonl(0x1000), .seq = htonl(1) };
	struct esptun_sock us = {}, other = {};
	struct esptun_sa *a, *b;
	struct world w;

	world_open(test, &w);
	RCU_INIT_POINTER(w.link->us, &us);
	a = sa_make(test, &w, 0x1000);
	b = sa_make(test, &w, 0x1000);
	a->peer = peer_make(test, 0xc0000201);
	b->peer = peer_make(test, 0xc0000201);
	b->peer->encap = &udp;
	KUNIT_ASSERT_EQ(test, 0, esptun_sadb_key_add(w.en, a));
	KUNIT_ASSERT_EQ(test, 0, esptun_sadb_key_add(w.en, b));
	rcu_read_lock();
	KUNIT_EXPECT_PTR_EQ(test, a,
			    esptun_sadb_sent_find(w.en, &us, NULL, &to, &esp));
	KUNIT_EXPECT_PTR_EQ(test, b,
			    esptun_sadb_sent_find(w.en, &us, &udp, &to, &esp));
	KUNIT_EXPECT_NULL(test,
			  esptun_sadb_sent_find(w.en, &other, &udp, &to, &esp));
	/* Of two in the same, the number is one of theirs. */
	b->peer->encap = NULL;
	esp.seq = htonl(7);
	KUNIT_EXPECT_NULL(test,
			  esptun_sadb_sent_find(w.en, &us, NULL, &to, &esp));
	atomic64_set(&a->seq, 7);
	KUNIT_EXPECT_PTR_EQ(test, a,
			    esptun_sadb_sent_find(w.en, &us, NULL, &to, &esp));
	atomic64_set(&a->seq, 1);
	atomic64_set(&b->seq, 7);
	KUNIT_EXPECT_PTR_EQ(test, b,
			    esptun_sadb_sent_find(w.en, &us, NULL, &to, &esp));
	rcu_read_unlock();
	esptun_sadb_key_del(w.en, a);
	esptun_sadb_key_del(w.en, b);
	RCU_INIT_POINTER(w.link->us, NULL);
	world_close(&w);
}

/* The numbers that an ICMP error may name: the last ones, but none that was not sent. */
static void icmp_recent(struct kunit *test)
{
	const u32 w = ESPTUN_ICMP_LATELY;

	KUNIT_EXPECT_FALSE(test, esptun_icmp_is_recent(0, 0));
	KUNIT_EXPECT_FALSE(test, esptun_icmp_is_recent(0, 1));
	KUNIT_EXPECT_FALSE(test, esptun_icmp_is_recent(0, U32_MAX));
	KUNIT_EXPECT_FALSE(test, esptun_icmp_is_recent(1, 0));
	KUNIT_EXPECT_TRUE(test, esptun_icmp_is_recent(1, 1));
	KUNIT_EXPECT_FALSE(test, esptun_icmp_is_recent(1, 2));
	KUNIT_EXPECT_FALSE(test, esptun_icmp_is_recent(5, U32_MAX));
	KUNIT_EXPECT_TRUE(test, esptun_icmp_is_recent(w, 1));
	KUNIT_EXPECT_TRUE(test, esptun_icmp_is_recent(w + 1, 2));
	KUNIT_EXPECT_FALSE(test, esptun_icmp_is_recent(w + 1, 1));
	KUNIT_EXPECT_FALSE(test, esptun_icmp_is_recent(w + 1, w + 2));
	/* With ESN the low half goes on at 0. */
	KUNIT_EXPECT_TRUE(test, esptun_icmp_is_recent(1ull << 32, 0));
	KUNIT_EXPECT_TRUE(test, esptun_icmp_is_recent(1ull << 32, U32_MAX));
	KUNIT_EXPECT_FALSE(test, esptun_icmp_is_recent(1ull << 32, 1));
	KUNIT_EXPECT_FALSE(test, esptun_icmp_is_recent(1ull << 32, -w));
}

/* Peers that all choose one SPI: what is found, and removed, stays a short list. */
static void sadb_sent_crowd(struct kunit *test)
{
	struct esptun_sa *sas[ESPTUN_SPI_TRIES + 3];
	unsigned int i, found = 0;
	struct world w;

	world_open(test, &w);
	for (i = 0; i < ARRAY_SIZE(sas); i++) {
		sas[i] = sa_make(test, &w, 0x1000);
		sas[i]->peer = peer_make(test, 0xc0000200 + i);
		sas[i]->key[0] = i + 1;
		sas[i]->key_len = 1;
		KUNIT_EXPECT_EQ(test, 0, esptun_sadb_key_add(w.en, sas[i]));
	}
	for (i = 0; i < ARRAY_SIZE(sas); i++)
		found += is_sent(&w, 0x1000, 0xc0000200 + i, sas[i]);
	KUNIT_EXPECT_EQ(test, ESPTUN_SPI_TRIES, found);
	for (i = ARRAY_SIZE(sas); i-- > 1;)
		esptun_sadb_key_del(w.en, sas[i]);
	KUNIT_EXPECT_TRUE(test, is_sent(&w, 0x1000, 0xc0000200, sas[0]));
	esptun_sadb_key_del(w.en, sas[0]);
	KUNIT_EXPECT_TRUE(test, is_sent(&w, 0x1000, 0xc0000200, NULL));
	world_close(&w);
}

static struct kunit_case sadb_cases[] = { KUNIT_CASE(sadb_sent),
					  KUNIT_CASE(sadb_sent_port),
					  KUNIT_CASE(sadb_sent_twins),
					  KUNIT_CASE(icmp_recent),
					  KUNIT_CASE(sadb_sent_crowd),
					  KUNIT_CASE(sadb_inbound),
					  KUNIT_CASE(sadb_inbound_many),
					  KUNIT_CASE(sadb_inbound_regular),
					  KUNIT_CASE(sadb_selectors),
					  KUNIT_CASE(sadb_fragment),
					  KUNIT_CASE(sadb_rekey_any),
					  KUNIT_CASE(sadb_rekey_prefix),
					  KUNIT_CASE(sadb_many_selectors),
					  KUNIT_CASE(sadb_ts_check),
					  KUNIT_CASE(sadb_flow_truncated),
					  KUNIT_CASE(sadb_flow_version),
					  KUNIT_CASE(sadb_equal_any),
					  KUNIT_CASE(sadb_equal_prefix),
					  {} };

static struct kunit_suite sadb_suite = {
	.name = "esptun_sadb",
	.test_cases = sadb_cases,
};

kunit_test_suite(sadb_suite);
