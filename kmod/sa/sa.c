// SPDX-License-Identifier: GPL-2.0
#include <linux/netlink.h>
#include <linux/random.h>
#include <linux/slab.h>
#include "esp/repair.h"
#include "tx/dummy.h"
#include "util/event.h"
#include "link.h"
#include "sa/peer.h"
#include "sa/percpu.h"
#include "rx/rx.h"
#include "sa/sa.h"
#include "tx/tx.h"

static struct kmem_cache *sa_cache;

/* ---- making ---- */

static int check_window(const struct esptun_sa_params *p,
			struct netlink_ext_ack *extack)
{
	if (!(p->present & ESPTUN_SA_REPLAY_WINDOW))
		return 0;
	if (p->dir != ESPTUN_SA_DIR_IN) {
		NL_SET_ERR_MSG(extack,
			       "replay-window: only an inbound SA has one");
		return -EINVAL;
	}
	return 0;
}

/* The number is the IV too: never again one that was used with this key. */
static int check_seq(const struct esptun_sa_params *p,
		     struct netlink_ext_ack *extack)
{
	if (!(p->present & ESPTUN_SA_SEQ))
		return 0;
	if (p->dir != ESPTUN_SA_DIR_OUT) {
		NL_SET_ERR_MSG(extack, "seq: only an outbound SA takes one");
		return -EINVAL;
	}
	if (p->seq >= (p->esn ? ESPTUN_SEQ_START_MAX : U32_MAX)) {
		NL_SET_ERR_MSG(extack, "seq: no numbers are left after it");
		return -EINVAL;
	}
	return 0;
}

static int check_cpu(const struct esptun_sa_params *p,
		     struct netlink_ext_ack *extack)
{
	if (!(p->present & ESPTUN_SA_CPU))
		return 0;
	if (p->dir != ESPTUN_SA_DIR_OUT) {
		NL_SET_ERR_MSG(extack, "cpu: only an outbound SA has one");
		return -EINVAL;
	}
	if (p->cpu >= nr_cpu_ids || !cpu_possible(p->cpu)) {
		NL_SET_ERR_MSG(extack, "cpu: this machine has no such CPU");
		return -EINVAL;
	}
	return 0;
}

/*
 * The receiver finds the end of a padded packet by the inner IP header, which in
 * transport mode is not there (RFC 4303 2.7).
 */
static int check_tfc(u8 dir, u8 mode, const struct esptun_sa_params *p,
		     struct netlink_ext_ack *extack)
{
	if (dir != ESPTUN_SA_DIR_OUT &&
	    (p->present & (ESPTUN_SA_TFC | ESPTUN_SA_DUMMY))) {
		NL_SET_ERR_MSG(extack,
			       "tfc, dummy: only an outbound SA has them");
		return -EINVAL;
	}
	if (mode != ESPTUN_SA_MODE_TUNNEL && (p->present & ESPTUN_SA_TFC) &&
	    p->tfc) {
		NL_SET_ERR_MSG(extack, "tfc: only in tunnel mode");
		return -EINVAL;
	}
	return 0;
}

#define NAT_OA (ESPTUN_SA_NAT_OA_LOCAL | ESPTUN_SA_NAT_OA_REMOTE)

/* They are addresses of packets between the endpoints that a NAT may have changed. */
static const char *why_no_nat_oa(struct esptun_peer *peer,
				 const struct esptun_sa_params *p)
{
	struct esptun_peer_params at;

	if (p->dir != ESPTUN_SA_DIR_IN)
		return "nat-oa-local, nat-oa-remote: only an inbound SA has them";
	if (p->mode != ESPTUN_SA_MODE_TRANSPORT)
		return "nat-oa-local, nat-oa-remote: only in transport mode";
	if (!esptun_addr_is_set(&p->nat_oa.local) ||
	    !esptun_addr_is_set(&p->nat_oa.remote))
		return "nat-oa-local and nat-oa-remote go together";
	if (p->nat_oa.local.family != p->nat_oa.remote.family)
		return "nat-oa-local, nat-oa-remote: not of one family";
	esptun_peer_params_get(peer, &at);
	if (at.encap != ESPTUN_ENCAP_UDP)
		return "nat-oa-local, nat-oa-remote: only of a peer whose ESP travels in UDP";
	if (esptun_addr_is_set(&at.remote.addr) &&
	    at.remote.addr.family != p->nat_oa.local.family)
		return "nat-oa-local, nat-oa-remote: not of the family of the peer's remote-address";
	return NULL;
}

static int check_nat_oa(struct esptun_peer *peer,
			const struct esptun_sa_params *p,
			struct netlink_ext_ack *extack)
{
	const char *why;

	if (!(p->present & NAT_OA))
		return 0;
	why = why_no_nat_oa(peer, p);
	if (!why)
		return 0;
	compat_nl_set_err_text(extack, why);
	return -EINVAL;
}

static int check_params(struct esptun_peer *peer,
			const struct esptun_sa_params *p,
			struct netlink_ext_ack *extack)
{
	int err;

	err = check_window(p, extack);
	if (!err)
		err = check_seq(p, extack);
	if (!err)
		err = check_cpu(p, extack);
	if (!err)
		err = check_tfc(p->dir, p->mode, p, extack);
	if (!err)
		err = check_nat_oa(peer, p, extack);
	return err ?: esptun_limits_check(&p->limits, extack);
}

static void sa_free(struct esptun_reclaim *r)
{
	struct esptun_sa *sa = container_of(r, struct esptun_sa, reclaim);

	esptun_alg_free(&sa->alg);
	kvfree(sa->replay.ring);
	kvfree(rcu_access_pointer(sa->ts));
	kfree(sa->dummy);
	kfree(sa->nat_oa);
	memzero_explicit(sa, sizeof(*sa));
	kmem_cache_free(sa_cache, sa);
}

static int sa_alloc_window(struct esptun_sa *sa, u32 window)
{
	unsigned int words = esptun_replay_words(window);
	u64 *ring = NULL;

	if (words) {
		ring = kvcalloc(words, sizeof(*ring), GFP_KERNEL_ACCOUNT);
		if (!ring)
			return -ENOMEM;
	}
	esptun_replay_init(&sa->replay, window, ring);
	return 0;
}

struct esptun_ts_set *esptun_sa_ts(const struct esptun_sa *sa)
{
	return rcu_dereference_protected(sa->ts,
					 lockdep_is_held(&sa->link->en->lock));
}

/* Not yet published. Inbound, most have none and need no memory. */
static int sa_alloc_ts(struct esptun_sa *sa, const struct esptun_sa_params *p)
{
	struct esptun_ts_set *set;

	if (sa->dir == ESPTUN_SA_DIR_IN && !p->ts.n_local && !p->ts.n_remote)
		return 0;
	set = esptun_ts_set_alloc(&p->ts, sa->dir == ESPTUN_SA_DIR_OUT);
	if (!set)
		return -ENOMEM;
	RCU_INIT_POINTER(sa->ts, set);
	return 0;
}

static int sa_alloc_nat_oa(struct esptun_sa *sa,
			   const struct esptun_sa_params *p)
{
	if (!(p->present & NAT_OA))
		return 0;
	sa->nat_oa = kmemdup(&p->nat_oa, sizeof(p->nat_oa), GFP_KERNEL_ACCOUNT);
	if (!sa->nat_oa)
		return -ENOMEM;
	sa->nat_oa_sum = esptun_repair_sum(&p->nat_oa.local, &p->nat_oa.remote);
	return 0;
}

static struct esptun_sa *sa_alloc(struct esptun_net *en,
				  const struct esptun_sa_params *p, u32 window)
{
	struct esptun_sa *sa = kmem_cache_zalloc(sa_cache, GFP_KERNEL_ACCOUNT);

	if (!sa)
		return NULL;
	sa->dir = p->dir;
	sa->spi = p->spi;
	sa->mode = p->mode;
	sa->esn = p->esn;
	sa->cpu = p->present & ESPTUN_SA_CPU ? p->cpu + 1 : 0;
	atomic64_set(&sa->seq, p->seq);
	sa->tfc = p->tfc;
	sa->limits = p->limits;
	sa->created = jiffies;
	sa->state = ESPTUN_SA_STATE_LARVAL;
	spin_lock_init(&sa->lock);
	esptun_lifetime_init(sa);
	if (sa->dir == ESPTUN_SA_DIR_OUT)
		esptun_order_init(&sa->sending, esptun_tx_hand_over);
	else
		esptun_early_init(&sa->early, &en->early_truesize);
	if (sa_alloc_window(sa, p->dir == ESPTUN_SA_DIR_IN ? window : 0) ||
	    sa_alloc_ts(sa, p) || sa_alloc_nat_oa(sa, p) ||
	    esptun_dummy_init(sa, p->dummy)) {
		sa_free(&sa->reclaim);
		return NULL;
	}
	return sa;
}

/* For dumps, and for the table of outbound keys. */
static void keep_keys(struct esptun_sa *sa, const struct esptun_keys *keys)
{
	if (keys->encr_len)
		memcpy(sa->key, keys->encr, keys->encr_len);
	if (keys->integ_len)
		memcpy(sa->integ_key, keys->integ, keys->integ_len);
	sa->key_len = keys->encr_len;
	sa->integ_key_len = keys->integ_len;
}

/* What its cipher bears, if nobody said how many bytes it may carry. */
static int limit_key(struct esptun_sa *sa, u32 present,
		     struct netlink_ext_ack *extack)
{
	u64 *hard = &sa->limits.hard[ESPTUN_BYTES];

	if (!sa->alg.encr->key_bytes ||
	    (present & ESPTUN_LIMIT_HARD(ESPTUN_BYTES)))
		return 0;
	*hard = sa->alg.encr->key_bytes;
	if (sa->limits.soft[ESPTUN_BYTES] <= *hard)
		return 0;
	static_assert(ESPTUN_BLOCK64_BYTES == 8u << 20);
	NL_SET_ERR_MSG(
		extack,
		"soft-bytes: more than the 8 MiB after which this cipher's SAs end; give hard-bytes, too");
	return -EINVAL;
}

/* Everything about it but its place: larval, until packets may use it. */
static struct esptun_sa *sa_create(struct esptun_peer *peer,
				   const struct esptun_sa_params *p,
				   struct netlink_ext_ack *extack)
{
	u32 window = p->present & ESPTUN_SA_REPLAY_WINDOW ?
			     p->replay_window :
			     ESPTUN_REPLAY_WINDOW_DEFAULT;
	struct esptun_sa *sa;
	int err;

	err = check_params(peer, p, extack);
	if (err)
		return ERR_PTR(err);
	sa = sa_alloc(peer->link->en, p, window);
	if (!sa)
		return ERR_PTR(-ENOMEM);
	err = esptun_alg_init(&sa->alg, p->encr, p->integ, &p->keys, extack);
	if (!err)
		err = limit_key(sa, p->present, extack);
	if (err) {
		sa_free(&sa->reclaim);
		return ERR_PTR(err);
	}
	keep_keys(sa, &p->keys);
	return sa;
}

static struct esptun_peer *find_peer(struct esptun_link *link, u32 id,
				     struct netlink_ext_ack *extack)
{
	struct esptun_peer *peer;

	if (link->dead) {
		NL_SET_ERR_MSG(extack, "ifindex: the link is being removed");
		return ERR_PTR(-ENODEV);
	}
	peer = esptun_peer_find(link, id);
	if (!peer) {
		NL_SET_ERR_MSG(extack,
			       "peer: no peer with this id on the link");
		return ERR_PTR(-ENOENT);
	}
	if (peer->n_sas >= ESPTUN_SAS_PER_PEER_MAX) {
		NL_SET_ERR_MSG(extack, "peer: it has too many SAs");
		return ERR_PTR(-E2BIG);
	}
	if (link->en->n_sas >= ESPTUN_SAS_MAX) {
		NL_SET_ERR_MSG(extack,
			       "the network namespace has too many SAs");
		return ERR_PTR(-E2BIG);
	}
	return peer;
}

static void attach(struct esptun_sa *sa, struct esptun_peer *peer)
{
	sa->link = peer->link;
	sa->peer = peer;
	sa->serial = ++peer->link->en->serial;
}

/* Early packets of a larval SA that are @age old; 0 for all, and for ever. */
static void drop_early(struct esptun_sa *sa, unsigned long age)
{
	struct esptun_early *early = &sa->early;
	struct sk_buff_head list;

	__skb_queue_head_init(&list);
	spin_lock_bh(&early->packets.lock);
	esptun_early_take(early, age, &list);
	early->over |= !age;
	spin_unlock_bh(&early->packets.lock);
	if (skb_queue_empty(&list))
		return;
	esptun_sa_drop(sa, ESPTUN_STATS_A_RX_LARVAL, skb_queue_len(&list));
	__skb_queue_purge(&list);
}

static void linked(struct esptun_sa *sa)
{
	list_add_tail_rcu(&sa->peer_node, &sa->peer->sas);
	sa->peer->n_sas++;
	sa->link->en->n_sas++;
	sa->link->n_larval += sa->state == ESPTUN_SA_STATE_LARVAL;
	sa->link->en->generation++;
	esptun_lifetime_start(sa);
	esptun_sa_count(sa, esptun_sa_live(sa));
	esptun_sa_operstate(sa->link);
}

/* No longer found by anyone; readers may hold it until a grace period ends. */
static void unlinked(struct esptun_sa *sa)
{
	struct esptun_peer *peer = sa->peer;
	u64 packets = atomic64_read(&sa->packets);
	u64 bytes = atomic64_read(&sa->bytes);

	if (sa->dir == ESPTUN_SA_DIR_IN) {
		peer->gone.rx_packets += packets;
		peer->gone.rx_bytes += bytes;
	} else {
		peer->gone.tx_packets += packets;
		peer->gone.tx_bytes += bytes;
	}
	list_del_rcu(&sa->peer_node);
	peer->n_sas--;
	peer->link->en->n_sas--;
	if (sa->state == ESPTUN_SA_STATE_LARVAL) {
		peer->link->n_larval--;
		drop_early(sa, 0);
	}
	peer->link->en->generation++;
	esptun_sa_count(sa, false);
	esptun_lifetime_stop(sa);
	esptun_dummy_set(sa, 0);
	esptun_reclaim(&sa->reclaim, sa_free);
}

/*
 * Put @sa in the place of @old, and what came for @old in front of what comes for
 * @sa: who finds @old meanwhile waits for the lock, then finds @sa.
 */
static int replace_larval(struct esptun_sa *old, struct esptun_sa *sa)
{
	int err;

	spin_lock_bh(&old->early.packets.lock);
	esptun_rx_early(sa, &old->early);
	err = esptun_sadb_in_replace(sa->link->en, old, sa);
	old->early.over = !err;
	spin_unlock_bh(&old->early.packets.lock);
	if (!err)
		unlinked(old);
	return err;
}

static int publish_in(struct esptun_link *link, struct esptun_sa *sa,
		      struct netlink_ext_ack *extack)
{
	struct esptun_sa *old = esptun_sadb_in_find(link->en, sa->spi);
	int err;

	/* It has all that packets need. */
	sa->state = ESPTUN_SA_STATE_MATURE;
	if (!old)
		err = esptun_sadb_in_add(link->en, sa);
	else if (old->state == ESPTUN_SA_STATE_LARVAL && old->peer == sa->peer)
		err = replace_larval(old, sa);
	else
		err = -EEXIST;
	if (err == -EEXIST)
		NL_SET_ERR_MSG(
			extack,
			"spi: an inbound SA with this SPI exists in the network namespace");
	return err;
}

/* Packets find an SA by its selectors, or by way of one without a CPU. */
static int show_out(struct esptun_link *link, struct esptun_sa *sa,
		    struct netlink_ext_ack *extack)
{
	int err = esptun_percpu_add(sa, extack);

	if (err || sa->cpu)
		return err;
	return esptun_sadb_out_add(&link->out, sa, esptun_sa_ts(sa));
}

static void hide_out(struct esptun_link *link, struct esptun_sa *sa)
{
	if (sa->cpu)
		esptun_percpu_del(sa);
	else
		esptun_sadb_out_del(&link->out, esptun_sa_ts(sa));
}

static int publish_out(struct esptun_link *link, struct esptun_sa *sa,
		       struct netlink_ext_ack *extack)
{
	int err;

	if (esptun_sa_find(link, sa->dir, sa->spi, sa->peer->id)) {
		NL_SET_ERR_MSG(
			extack,
			"spi: the peer has an outbound SA with this SPI");
		return -EEXIST;
	}
	err = esptun_sadb_key_add(link->en, sa);
	if (err == -EEXIST)
		NL_SET_ERR_MSG(
			extack,
			"encr-key: another outbound SA has this key, and would send the same IVs");
	if (err)
		return err;
	err = show_out(link, sa, extack);
	if (err)
		esptun_sadb_key_del(link->en, sa);
	return err;
}

int esptun_sa_new(struct esptun_link *link,
		  const struct esptun_sa_params *params,
		  struct netlink_ext_ack *extack)
{
	struct esptun_peer *peer;
	struct esptun_sa *sa;
	int err;

	lockdep_assert_held(&link->en->lock);
	peer = find_peer(link, params->peer, extack);
	if (IS_ERR(peer))
		return PTR_ERR(peer);
	sa = sa_create(peer, params, extack);
	if (IS_ERR(sa))
		return PTR_ERR(sa);
	attach(sa, peer);
	if (sa->dir == ESPTUN_SA_DIR_IN)
		err = publish_in(link, sa, extack);
	else
		err = publish_out(link, sa, extack);
	if (err) {
		/* A failed outbound insertion may have been seen. */
		esptun_reclaim(&sa->reclaim, sa_free);
		return err;
	}
	/* Nothing can fail any more: only now packets use an outbound one. */
	if (sa->dir == ESPTUN_SA_DIR_OUT)
		WRITE_ONCE(sa->state, ESPTUN_SA_STATE_MATURE);
	linked(sa);
	esptun_dummy_set(sa, params->dummy);
	esptun_event_sa(sa, ESPTUN_CMD_SA_NEW);
	if (sa->dir == ESPTUN_SA_DIR_OUT)
		esptun_link_release(link);
	esptun_link_update(link);
	return 0;
}

static u32 random_spi(void)
{
	u32 spi;

	do
		spi = get_random_u32();
	while (spi < ESPTUN_SPI_MIN);
	return spi;
}

int esptun_sa_spi_alloc(struct esptun_link *link, u32 id, __be32 *spi,
			struct netlink_ext_ack *extack)
{
	struct esptun_sa_params p = {
		.dir = ESPTUN_SA_DIR_IN,
		.mode = ESPTUN_SA_MODE_TUNNEL,
		.spi = *spi,
	};
	unsigned int tries = *spi ? 1 : 100;
	struct esptun_peer *peer;
	struct esptun_sa *sa;
	int err;

	lockdep_assert_held(&link->en->lock);
	peer = find_peer(link, id, extack);
	if (IS_ERR(peer))
		return PTR_ERR(peer);
	sa = sa_alloc(link->en, &p, 0);
	if (!sa)
		return -ENOMEM;
	attach(sa, peer);
	do {
		if (!*spi)
			sa->spi = htonl(random_spi());
		err = esptun_sadb_in_add(link->en, sa);
	} while (err == -EEXIST && --tries);
	if (err) {
		NL_SET_ERR_MSG(extack,
			       "spi: no free SPI, or the wanted one is in use");
		sa_free(&sa->reclaim);
		return err;
	}
	linked(sa);
	*spi = sa->spi;
	esptun_event_sa(sa, ESPTUN_CMD_SA_NEW);
	esptun_link_update(link);
	return 0;
}

/* ---- changing and removing ---- */

/* A side that @params does not name keeps its selectors. */
static int set_selectors(struct esptun_sa *sa,
			 const struct esptun_sa_params *params,
			 struct netlink_ext_ack *extack)
{
	struct esptun_ts_set *set, *old = esptun_sa_ts(sa);
	bool out = sa->dir == ESPTUN_SA_DIR_OUT;
	struct esptun_ts_lists ts = params->ts;
	int err;

	if (!(params->present & (ESPTUN_SA_TS_LOCAL | ESPTUN_SA_TS_REMOTE)))
		return 0;
	if (rcu_access_pointer(sa->percpu)) {
		NL_SET_ERR_MSG(
			extack,
			"ts: by these selectors SAs with a cpu belong to it; remove those with a cpu first");
		return -EBUSY;
	}
	if (old && !(params->present & ESPTUN_SA_TS_LOCAL)) {
		ts.local = esptun_ts_set_local(old);
		ts.n_local = old->n_local;
	}
	if (old && !(params->present & ESPTUN_SA_TS_REMOTE)) {
		ts.remote = esptun_ts_set_remote(old);
		ts.n_remote = old->n_remote;
	}
	set = esptun_ts_set_alloc(&ts, out);
	if (!set)
		return -ENOMEM;
	err = out ? esptun_sadb_out_add(&sa->link->out, sa, set) : 0;
	if (err) {
		kvfree_rcu(set, rcu);
		return err;
	}
	rcu_assign_pointer(sa->ts, set);
	/* Selectors of one with a CPU stay, and for others it cannot fail. */
	if (out)
		esptun_percpu_add(sa, extack);
	if (!old)
		return 0;
	esptun_sadb_out_del(&sa->link->out, old);
	kvfree_rcu(old, rcu);
	return 0;
}

int esptun_sa_set(struct esptun_sa *sa, const struct esptun_sa_params *params,
		  struct netlink_ext_ack *extack)
{
	struct esptun_limits l = sa->limits;
	int err;

	lockdep_assert_held(&sa->link->en->lock);
	esptun_limits_merge(&l, &params->limits, params->present);
	err = esptun_limits_check(&l, extack);
	if (!err)
		err = check_tfc(sa->dir, sa->mode, params, extack);
	if (!err)
		err = esptun_dummy_init(sa, params->dummy);
	if (!err)
		err = set_selectors(sa, params, extack);
	if (err)
		return err;
	esptun_sa_set_limits(sa, &l);
	if (params->present & ESPTUN_SA_TFC)
		WRITE_ONCE(sa->tfc, params->tfc);
	if (params->present & ESPTUN_SA_DUMMY)
		esptun_dummy_set(sa, params->dummy);
	sa->link->en->generation++;
	esptun_event_sa(sa, ESPTUN_CMD_SA_SET);
	if (sa->dir == ESPTUN_SA_DIR_OUT)
		esptun_link_release(sa->link);
	return 0;
}

struct esptun_sa *esptun_sa_find(struct esptun_link *link, u8 dir, __be32 spi,
				 u32 id)
{
	struct esptun_peer *peer;
	struct esptun_sa *sa;

	lockdep_assert_held(&link->en->lock);
	if (dir == ESPTUN_SA_DIR_IN) {
		sa = esptun_sadb_in_find(link->en, spi);
		if (!sa || sa->link != link || (id && sa->peer->id != id))
			return NULL;
		return sa;
	}
	peer = esptun_peer_find(link, id);
	if (!peer)
		return NULL;
	list_for_each_entry(sa, &peer->sas, peer_node)
		if (sa->dir == dir && sa->spi == spi)
			return sa;
	return NULL;
}

static void sa_remove(struct esptun_sa *sa)
{
	if (sa->dir == ESPTUN_SA_DIR_IN) {
		esptun_sadb_in_del(sa->link->en, sa);
	} else {
		hide_out(sa->link, sa);
		esptun_sadb_key_del(sa->link->en, sa);
	}
	unlinked(sa);
}

void esptun_sa_del(struct esptun_sa *sa)
{
	struct esptun_link *link = sa->link;

	lockdep_assert_held(&link->en->lock);
	esptun_event_sa(sa, ESPTUN_CMD_SA_DEL);
	sa_remove(sa);
	esptun_sa_operstate(link);
}

static void flush_peer(struct esptun_peer *peer)
{
	struct esptun_sa *sa, *next;

	esptun_percpu_flush(peer);
	list_for_each_entry_safe(sa, next, &peer->sas, peer_node) {
		if (!peer->link->dead)
			esptun_event_sa(sa, ESPTUN_CMD_SA_DEL);
		sa_remove(sa);
	}
}

int esptun_sa_flush(struct esptun_link *link, u32 id)
{
	struct esptun_peer *peer;
	unsigned long index;

	lockdep_assert_held(&link->en->lock);
	if (id) {
		peer = esptun_peer_find(link, id);
		if (!peer)
			return -ENOENT;
		flush_peer(peer);
	} else {
		xa_for_each(&link->peers, index, peer)
			flush_peer(peer);
	}
	esptun_sa_operstate(link);
	return 0;
}

static void age_larval(struct esptun_sa *sa)
{
	drop_early(sa, msecs_to_jiffies(ESPTUN_EARLY_MS));
	/* The agent that reserved it died, or its peer went silent. */
	if (time_after(jiffies,
		       sa->created + msecs_to_jiffies(ESPTUN_LARVAL_MS)))
		esptun_sa_del(sa);
}

bool esptun_sa_purge_larval(struct esptun_link *link)
{
	struct esptun_peer *peer;
	struct esptun_sa *sa, *next;
	unsigned long id;

	lockdep_assert_held(&link->en->lock);
	if (!link->n_larval)
		return false;
	xa_for_each(&link->peers, id, peer)
		list_for_each_entry_safe(sa, next, &peer->sas, peer_node)
			if (sa->state == ESPTUN_SA_STATE_LARVAL)
				age_larval(sa);
	return link->n_larval;
}

int esptun_sa_module_init(void)
{
	sa_cache = KMEM_CACHE(esptun_sa, SLAB_HWCACHE_ALIGN);
	return sa_cache ? 0 : -ENOMEM;
}

void esptun_sa_module_exit(void)
{
	kmem_cache_destroy(sa_cache);
}
