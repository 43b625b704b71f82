// SPDX-License-Identifier: GPL-2.0
#include <linux/hash.h>
#include <linux/rcupdate.h>
#include "esp/esp.h"
#include "link.h"
#include "rx/icmp.h"
#include "sa/peer.h"
#include "sa/sa.h"
#include "sa/sadb.h"

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

/* Outbound ones are chosen by peers, so this hash has a seed. */
static const struct rhashtable_params spi_params = {
	.key_len = sizeof_field(struct esptun_sa, spi),
	.key_offset = offsetof(struct esptun_sa, spi),
	.head_offset = offsetof(struct esptun_sa, spi_node),
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

static unsigned int family_index(u8 family)
{
	return family == AF_INET6;
}

/* ---- inbound ---- */

int esptun_sadb_net_init(struct esptun_net *en)
{
	int err = rhashtable_init(&en->sa_in, &in_params);

	if (err)
		return err;
	err = rhashtable_init(&en->keys_out, &key_params);
	if (err)
		goto err_in;
	err = rhltable_init(&en->spis_out, &spi_params);
	if (err)
		goto err_keys;
	return 0;
err_keys:
	rhashtable_destroy(&en->keys_out);
err_in:
	rhashtable_destroy(&en->sa_in);
	return err;
}

void esptun_sadb_net_exit(struct esptun_net *en)
{
	rhltable_destroy(&en->spis_out);
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

/* A longer list of equal SPIs, which peers choose, is not looked through to its end. */
static bool is_crowded(struct esptun_net *en, __be32 spi)
{
	struct rhlist_head *list, *pos;
	unsigned int n = 0;
	struct esptun_sa *sa;

	rcu_read_lock();
	list = rhltable_lookup(&en->spis_out, &spi, spi_params);
	rhl_for_each_entry_rcu(sa, pos, list, spi_node)
		n++;
	rcu_read_unlock();
	return n >= ESPTUN_SPI_TRIES;
}

static int sent_add(struct esptun_net *en, struct esptun_sa *sa)
{
	int err;

	if (is_crowded(en, sa->spi))
		return 0;
	err = rhltable_insert(&en->spis_out, &sa->spi_node, spi_params);
	sa->by_spi = !err;
	return err;
}

int esptun_sadb_key_add(struct esptun_net *en, struct esptun_sa *sa)
{
	int err = 0;

	lockdep_assert_held(&en->lock);
	if (sa->key_len)
		err = rhashtable_lookup_insert_fast(&en->keys_out,
						    &sa->hash_node, key_params);
	if (err)
		return err;
	err = sent_add(en, sa);
	if (err && sa->key_len)
		rhashtable_remove_fast(&en->keys_out, &sa->hash_node,
				       key_params);
	return err;
}

void esptun_sadb_key_del(struct esptun_net *en, struct esptun_sa *sa)
{
	lockdep_assert_held(&en->lock);
	if (sa->by_spi)
		rhltable_remove(&en->spis_out, &sa->spi_node, spi_params);
	if (sa->key_len)
		rhashtable_remove_fast(&en->keys_out, &sa->hash_node,
				       key_params);
}

struct esptun_sa *esptun_sadb_sent_find(struct esptun_net *en,
					const struct esptun_sock *us,
					const struct esptun_encap_ops *encap,
					const struct esptun_endpoint *to,
					const struct esptun_esp_hdr *esp)
{
	struct rhlist_head *list, *pos;
	struct esptun_sa *sa;

	list = rhltable_lookup(&en->spis_out, &esp->spi, spi_params);
	rhl_for_each_entry_rcu(sa, pos, list, spi_node)
		if (READ_ONCE(sa->peer->encap) == encap &&
		    (!us || rcu_access_pointer(sa->link->us) == us) &&
		    esptun_icmp_is_recent(atomic64_read(&sa->seq),
					  ntohl(esp->seq)) &&
		    esptun_peer_is_at(sa->peer, to))
			return sa;
	return NULL;
}

int esptun_sadb_out_init(struct esptun_sadb_out *out)
{
	RCU_INIT_POINTER(out->any, NULL);
	return rhashtable_init(&out->prefixes, &out_params);
}

void esptun_sadb_out_exit(struct esptun_sadb_out *out)
{
	rhashtable_destroy(&out->prefixes);
}

/* Put @sel in the place of @first, the newest one of its key so far, or of none. */
static int head_replace(struct esptun_sadb_out *out, struct esptun_sel *first,
			struct esptun_sel *sel)
{
	if (!sel->key.plen)
		rcu_assign_pointer(out->any, sel);
	else if (first)
		return rhashtable_replace_fast(&out->prefixes, &first->hash,
					       &sel->hash, out_params);
	else
		return rhashtable_insert_fast(&out->prefixes, &sel->hash,
					      out_params);
	return 0;
}

static void head_remove(struct esptun_sadb_out *out, struct esptun_sel *sel)
{
	if (!sel->key.plen)
		RCU_INIT_POINTER(out->any, NULL);
	else
		rhashtable_remove_fast(&out->prefixes, &sel->hash, out_params);
}

static bool is_locked(const struct esptun_sel *sel)
{
	return lockdep_is_held(&sel->sa->link->en->lock);
}

/* The newest one with the key of @sel. */
static struct esptun_sel *head_of(struct esptun_sadb_out *out,
				  const struct esptun_sel *sel)
{
	if (!sel->key.plen)
		return rcu_dereference_protected(out->any, is_locked(sel));
	return rhashtable_lookup_fast(&out->prefixes, &sel->key, out_params);
}

static int sel_add(struct esptun_sadb_out *out, struct esptun_sel *sel)
{
	struct esptun_sel *first = head_of(out, sel);
	unsigned int f = family_index(sel->key.family);
	int err;

	sel->newer = NULL;
	RCU_INIT_POINTER(sel->older, first);
	err = head_replace(out, first, sel);
	if (err)
		return err;
	if (first)
		first->newer = sel;
	if (!sel->key.plen)
		return 0;
	if (!out->users[f][sel->key.plen]++)
		set_bit(sel->key.plen, out->plens[f]);
	WRITE_ONCE(out->n_prefixes, out->n_prefixes + 1);
	return 0;
}

static void sel_del(struct esptun_sadb_out *out, struct esptun_sel *sel)
{
	struct esptun_sel *older =
		rcu_dereference_protected(sel->older, is_locked(sel));
	unsigned int f = family_index(sel->key.family);

	if (older)
		older->newer = sel->newer;
	if (sel->newer)
		rcu_assign_pointer(sel->newer->older, older);
	else if (older)
		WARN_ON_ONCE(head_replace(out, sel, older));
	else
		head_remove(out, sel);
	if (!sel->key.plen)
		return;
	if (!--out->users[f][sel->key.plen])
		clear_bit(sel->key.plen, out->plens[f]);
	WRITE_ONCE(out->n_prefixes, out->n_prefixes - 1);
}

/* Who has the entry by its key knows all there is to match. */
static bool only_key(const struct esptun_ts *ts)
{
	return ts->plen && !ts->proto && esptun_ts_all_ports(ts);
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
			!esptun_ts_upper_match(sel->ts, flow, false)))
		return false;
	return !set->n_local || esptun_ts_match(esptun_ts_set_local(set),
						set->n_local, flow, true);
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

/* The newest one that fits, of @sel and the older ones with its key. */
static struct esptun_sa *find_among(const struct esptun_sel *sel,
				    const struct esptun_flow *flow,
				    struct esptun_miss *miss)
{
	for (; sel; sel = rcu_dereference(sel->older))
		if (sel_take(sel, flow, miss))
			return sel->sa;
	return NULL;
}

static struct esptun_sa *find_prefix(struct esptun_sadb_out *out,
				     const struct esptun_flow *flow,
				     struct esptun_miss *miss)
{
	const unsigned long *plens = out->plens[family_index(flow->family)];
	unsigned int plen = esptun_ts_addr_bits(flow->family) + 1;
	struct esptun_sel_key key = { .family = flow->family };
	struct esptun_sel *sel;
	struct esptun_sa *sa;
	unsigned int size;

	for (;;) {
		size = plen;
		plen = find_last_bit(plens, size);
		if (plen == size)
			return NULL;
		esptun_ts_addr_prefix(&key.addr, &flow->dst, flow->family,
				      plen);
		key.plen = plen;
		sel = rhashtable_lookup(&out->prefixes, &key, out_params);
		sa = find_among(sel, flow, miss);
		if (sa)
			return sa;
	}
}

/* One SA for everything: nothing of the packet needs to be read. */
static struct esptun_sa *find_only(struct esptun_sadb_out *out)
{
	const struct esptun_sel *sel;

	if (READ_ONCE(out->n_prefixes))
		return NULL;
	sel = rcu_dereference(out->any);
	if (!sel || sel->ts || sel->set->n_local || !esptun_sa_live(sel->sa))
		return NULL;
	return sel->sa;
}

static struct esptun_sa *find_flow(struct esptun_sadb_out *out,
				   const struct esptun_flow *flow,
				   struct esptun_miss *miss)
{
	struct esptun_sa *sa = find_prefix(out, flow, miss);

	return sa ?: find_among(rcu_dereference(out->any), flow, miss);
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
