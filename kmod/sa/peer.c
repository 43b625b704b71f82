// SPDX-License-Identifier: GPL-2.0
#include <linux/netlink.h>
#include <linux/slab.h>
#include "encap/encap.h"
#include "util/event.h"
#include "rx/ike.h"
#include "link.h"
#include "encap/path.h"
#include "sa/peer.h"
#include "rx/rx.h"
#include "sa/sa.h"
#include "sa/timer.h"

/* @copy: result, NULL if the request has none. Return: 0 or -ENOMEM. */
static int copy_identity(const struct esptun_peer_params *p, u8 **copy)
{
	*copy = NULL;
	if (!(p->present & ESPTUN_PEER_IDENTITY))
		return 0;
	*copy = kmemdup(p->identity, p->identity_len, GFP_KERNEL_ACCOUNT);
	return *copy ? 0 : -ENOMEM;
}

static void set_identity(struct esptun_peer *peer, u8 *copy,
			 const struct esptun_peer_params *p)
{
	if (!copy)
		return;
	kfree(peer->identity);
	peer->identity = copy;
	peer->identity_len = p->identity_len;
}

static int get_encap(const struct esptun_encap_ops *encap,
		     struct netlink_ext_ack *extack)
{
	return encap->get ? encap->get(extack) : 0;
}

static void put_encap(const struct esptun_encap_ops *encap)
{
	if (encap->put)
		encap->put();
}

/* On failure nothing has changed. */
static int set_encap(struct esptun_peer *peer,
		     const struct esptun_peer_params *p,
		     struct netlink_ext_ack *extack)
{
	const struct esptun_encap_ops *old = peer->encap;
	const struct esptun_encap_ops *encap;
	int err;

	if (!(p->present & ESPTUN_PEER_ENCAP) || p->encap == old->id)
		return 0;
	encap = esptun_encap_of(p->encap);
	if (!encap) {
		NL_SET_ERR_MSG(
			extack,
			"encap: this kernel has no IPsec (CONFIG_XFRM), which plain ESP needs");
		return -EOPNOTSUPP;
	}
	err = get_encap(encap, extack);
	if (err)
		return err;
	WRITE_ONCE(peer->encap, encap);
	put_encap(old);
	return 0;
}

/* A request whose attributes are not there leaves members as they were. */
static void set_header(struct esptun_peer *peer,
		       const struct esptun_peer_params *p)
{
	struct esptun_header *own = &peer->own_header;

	if (p->present & ESPTUN_PEER_TOS)
		own->tos = p->header.tos;
	if (p->present & ESPTUN_PEER_TTL)
		own->ttl = p->header.ttl;
	if (p->present & ESPTUN_PEER_DF)
		own->df = p->header.df;
	if (p->present & ESPTUN_PEER_FLOW_LABEL)
		own->flow_label = p->header.flow_label;
	esptun_header_merge(&peer->header, &peer->link->header, own);
}

static void apply_params(struct esptun_peer *peer,
			 const struct esptun_peer_params *p)
{
	write_seqlock_bh(&peer->ep_lock);
	if (p->present & ESPTUN_PEER_REMOTE_ADDR)
		peer->remote.addr = p->remote.addr;
	if (p->present & ESPTUN_PEER_REMOTE_PORT)
		peer->remote.port = p->remote.port;
	if (p->present & ESPTUN_PEER_LOCAL_ADDR)
		peer->local = p->local;
	/* What was learned belongs to what was configured before. */
	if (p->present & (ESPTUN_PEER_REMOTE_ADDR | ESPTUN_PEER_LOCAL_ADDR))
		peer->learned = (struct esptun_addr){};
	esptun_ike_peer_at(peer);
	write_sequnlock_bh(&peer->ep_lock);
	esptun_path_forget(peer);
	if (p->present & ESPTUN_PEER_MAY_ROAM)
		WRITE_ONCE(peer->may_roam, p->may_roam);
	if (p->present & ESPTUN_PEER_ON_DEMAND)
		WRITE_ONCE(peer->on_demand, p->on_demand);
	if (p->present & ESPTUN_PEER_KEEPALIVE)
		WRITE_ONCE(peer->keepalive, p->keepalive);
	if (p->present & ESPTUN_PEER_ZERO_CSUM6_TX)
		WRITE_ONCE(peer->zero_csum6_tx, p->zero_csum6_tx);
	if (p->present & ESPTUN_PEER_ZERO_CSUM6_RX)
		WRITE_ONCE(peer->zero_csum6_rx, p->zero_csum6_rx);
	set_header(peer, p);
}

/* What can fail first; on failure nothing has changed. */
static int change_peer(struct esptun_peer *peer,
		       const struct esptun_peer_params *p,
		       struct netlink_ext_ack *extack)
{
	u8 *identity;
	int err;

	err = copy_identity(p, &identity);
	if (err)
		return err;
	err = set_encap(peer, p, extack);
	if (err) {
		kfree(identity);
		return err;
	}
	set_identity(peer, identity, p);
	apply_params(peer, p);
	return 0;
}

static struct esptun_peer *peer_alloc(struct esptun_link *link, u32 id)
{
	struct esptun_peer *peer = kzalloc(sizeof(*peer), GFP_KERNEL_ACCOUNT);

	if (!peer)
		return NULL;
	if (dst_cache_init(&peer->dst, GFP_KERNEL_ACCOUNT)) {
		kfree(peer);
		return NULL;
	}
	peer->link = link;
	peer->id = id;
	seqlock_init(&peer->ep_lock);
	esptun_order_init(&peer->receiving, esptun_rx_hand_over);
	INIT_LIST_HEAD(&peer->sas);
	peer->remote.port = htons(ESPTUN_PORT_DEFAULT);
	peer->encap = &esptun_encap_udp;
	peer->own_header = esptun_header_of_link();
	peer->keepalive = ESPTUN_KEEPALIVE_DEFAULT;
	peer->may_roam = true;
	esptun_timer_peer_init(peer);
	return peer;
}

static void peer_free(struct esptun_reclaim *r)
{
	struct esptun_peer *peer = container_of(r, struct esptun_peer, reclaim);

	dst_cache_destroy(&peer->dst);
	kfree(peer->identity);
	kfree(peer);
}

int esptun_peer_new(struct esptun_link *link,
		    const struct esptun_peer_params *params,
		    struct netlink_ext_ack *extack)
{
	struct esptun_peer *peer;
	int err;

	lockdep_assert_held(&link->en->lock);
	if (link->dead) {
		NL_SET_ERR_MSG(extack, "ifindex: the link is being removed");
		return -ENODEV;
	}
	if (link->n_peers >= ESPTUN_PEERS_MAX) {
		NL_SET_ERR_MSG(extack, "peer: the link has too many peers");
		return -E2BIG;
	}
	peer = peer_alloc(link, params->id);
	if (!peer)
		return -ENOMEM;
	err = change_peer(peer, params, extack);
	if (!err)
		err = xa_insert(&link->peers, params->id, peer,
				GFP_KERNEL_ACCOUNT);
	if (err) {
		if (err == -EBUSY) {
			NL_SET_ERR_MSG(extack,
				       "id: the link has a peer with this id");
			err = -EEXIST;
		}
		put_encap(peer->encap);
		esptun_ike_peer_gone(peer);
		esptun_reclaim(&peer->reclaim, peer_free);
		return err;
	}
	WRITE_ONCE(link->n_peers, link->n_peers + 1);
	peer->idle = true;
	WRITE_ONCE(link->n_idle, link->n_idle + 1);
	WRITE_ONCE(link->n_on_demand, link->n_on_demand + peer->on_demand);
	link->en->generation++;
	esptun_timer_peer_changed(peer);
	esptun_event_peer(peer, ESPTUN_CMD_PEER_NEW);
	esptun_link_update(link);
	return 0;
}

int esptun_peer_set(struct esptun_link *link,
		    const struct esptun_peer_params *params,
		    struct netlink_ext_ack *extack)
{
	struct esptun_peer *peer;
	bool was_on_demand;
	int err;

	lockdep_assert_held(&link->en->lock);
	peer = esptun_peer_find(link, params->id);
	if (!peer) {
		NL_SET_ERR_MSG(extack, "id: no peer with this id on the link");
		return -ENOENT;
	}
	was_on_demand = peer->on_demand;
	err = change_peer(peer, params, extack);
	if (err)
		return err;
	WRITE_ONCE(link->n_on_demand,
		   link->n_on_demand + peer->on_demand - was_on_demand);
	link->en->generation++;
	esptun_timer_peer_changed(peer);
	esptun_event_peer(peer, ESPTUN_CMD_PEER_SET);
	esptun_link_update(link);
	return 0;
}

static void peer_remove(struct esptun_peer *peer)
{
	struct esptun_link *link = peer->link;

	xa_erase(&link->peers, peer->id);
	WRITE_ONCE(link->n_peers, link->n_peers - 1);
	WRITE_ONCE(link->n_idle, link->n_idle - peer->idle);
	WRITE_ONCE(link->n_on_demand, link->n_on_demand - peer->on_demand);
	link->n_pairs -= peer->pair;
	link->en->generation++;
	esptun_timer_peer_stop(peer);
	esptun_ike_peer_gone(peer);
	put_encap(peer->encap);
	esptun_reclaim(&peer->reclaim, peer_free);
}

int esptun_peer_del(struct esptun_link *link,
		    const struct esptun_peer_params *params,
		    struct netlink_ext_ack *extack)
{
	struct esptun_peer *peer;

	lockdep_assert_held(&link->en->lock);
	peer = esptun_peer_find(link, params->id);
	if (!peer) {
		NL_SET_ERR_MSG(extack, "id: no peer with this id on the link");
		return -ENOENT;
	}
	if (peer->n_sas) {
		NL_SET_ERR_MSG(extack,
			       "peer in use: it has SAs, remove them first");
		return -EBUSY;
	}
	esptun_event_peer(peer, ESPTUN_CMD_PEER_DEL);
	peer_remove(peer);
	esptun_link_update(link);
	return 0;
}

void esptun_peer_purge(struct esptun_link *link)
{
	struct esptun_peer *peer;
	unsigned long id;

	lockdep_assert_held(&link->en->lock);
	esptun_sa_flush(link, 0);
	xa_for_each(&link->peers, id, peer)
		peer_remove(peer);
}

void esptun_peer_params_get(struct esptun_peer *peer,
			    struct esptun_peer_params *params)
{
	unsigned int seq;

	params->id = peer->id;
	params->present = ESPTUN_PEER_REMOTE_ADDR | ESPTUN_PEER_REMOTE_PORT |
			  ESPTUN_PEER_LOCAL_ADDR | ESPTUN_PEER_KEEPALIVE |
			  ESPTUN_PEER_MAY_ROAM | ESPTUN_PEER_ON_DEMAND |
			  ESPTUN_PEER_ENCAP | ESPTUN_PEER_TOS |
			  ESPTUN_PEER_TTL | ESPTUN_PEER_DF |
			  ESPTUN_PEER_FLOW_LABEL | ESPTUN_PEER_ZERO_CSUM6_TX |
			  ESPTUN_PEER_ZERO_CSUM6_RX;
	do {
		seq = read_seqbegin(&peer->ep_lock);
		params->remote = peer->remote;
		params->local = peer->local;
		params->learned = peer->learned;
	} while (read_seqretry(&peer->ep_lock, seq));
	params->keepalive = READ_ONCE(peer->keepalive);
	params->may_roam = READ_ONCE(peer->may_roam);
	params->on_demand = READ_ONCE(peer->on_demand);
	params->encap = READ_ONCE(peer->encap)->id;
	params->header = esptun_header_read(&peer->own_header);
	params->zero_csum6_tx = READ_ONCE(peer->zero_csum6_tx);
	params->zero_csum6_rx = READ_ONCE(peer->zero_csum6_rx);
}

void esptun_peer_link_changed(struct esptun_peer *peer)
{
	lockdep_assert_held(&peer->link->en->lock);
	esptun_path_forget(peer);
	esptun_header_merge(&peer->header, &peer->link->header,
			    &peer->own_header);
}

void esptun_peer_totals_get(const struct esptun_peer *peer,
			    struct esptun_peer_totals *totals)
{
	const struct esptun_sa *sa;

	lockdep_assert_held(&peer->link->en->lock);
	*totals = peer->gone;
	totals->keepalives = atomic64_read(&peer->keepalives);
	list_for_each_entry(sa, &peer->sas, peer_node) {
		u64 packets = atomic64_read(&sa->packets);
		u64 bytes = atomic64_read(&sa->bytes);

		if (sa->dir == ESPTUN_SA_DIR_IN) {
			totals->rx_packets += packets;
			totals->rx_bytes += bytes;
		} else {
			totals->tx_packets += packets;
			totals->tx_bytes += bytes;
		}
	}
}

static const struct esptun_esp_sizes *sizes_of(const struct esptun_peer *peer)
{
	static const struct esptun_esp_sizes usual = {
		.iv = 8,
		.icv = 16,
		.align = 4,
	};
	const struct esptun_sa *sa;

	list_for_each_entry_reverse(sa, &peer->sas, peer_node)
		if (sa->dir == ESPTUN_SA_DIR_OUT)
			return &sa->alg.sizes;
	return &usual;
}

unsigned int esptun_peer_mtu(struct esptun_peer *peer, bool learned)
{
	struct esptun_path path = {};
	unsigned int mtu = 0;

	lockdep_assert_held(&peer->link->en->lock);
	local_bh_disable();
	rcu_read_lock();
	if (!esptun_path_find(peer, &path)) {
		mtu = learned ? path.mtu : esptun_path_hop_mtu(&path);
		esptun_path_put(&path);
	}
	rcu_read_unlock();
	local_bh_enable();
	return esptun_esp_inner_mtu(sizes_of(peer), mtu, path.hlen);
}

/* ---- roaming ---- */

bool esptun_peer_is_at(struct esptun_peer *peer,
		       const struct esptun_endpoint *at)
{
	unsigned int seq;
	bool same;

	do {
		seq = read_seqbegin(&peer->ep_lock);
		same = esptun_endpoint_covers(&peer->remote, at);
	} while (read_seqretry(&peer->ep_lock, seq));
	return same && esptun_addr_is_set(&at->addr);
}

static bool tell_due(const struct esptun_peer *peer)
{
	return !READ_ONCE(peer->moves) ||
	       time_after(jiffies, READ_ONCE(peer->told) +
					   msecs_to_jiffies(ESPTUN_MOVED_MS));
}

static void tell(struct esptun_peer *peer)
{
	WRITE_ONCE(peer->untold, false);
	WRITE_ONCE(peer->told, jiffies);
	WRITE_ONCE(peer->moves, true);
	esptun_event_peer_moved(peer);
}

bool esptun_peer_tell_moves(struct esptun_link *link)
{
	struct esptun_peer *peer;
	bool soon = false;
	unsigned long id;

	lockdep_assert_held(&link->en->lock);
	if (!xchg(&link->untold, false))
		return false;
	xa_for_each(&link->peers, id, peer) {
		if (!READ_ONCE(peer->untold))
			continue;
		if (tell_due(peer))
			tell(peer);
		else
			soon = true;
	}
	if (soon)
		WRITE_ONCE(link->untold, true);
	return soon;
}

/* Whoever alternates between addresses must not flood the agent. */
static void moved(struct esptun_peer *peer)
{
	if (tell_due(peer)) {
		tell(peer);
		return;
	}
	WRITE_ONCE(peer->untold, true);
	WRITE_ONCE(peer->link->untold, true);
	schedule_delayed_work(&peer->link->update,
			      msecs_to_jiffies(ESPTUN_MOVED_MS));
}

/* For the same traffic, so that one replaces the other? */
static bool is_same_traffic(const struct esptun_sa *one,
			    const struct esptun_sa *other)
{
	const struct esptun_ts_set *a = rcu_dereference(one->ts);
	const struct esptun_ts_set *b = rcu_dereference(other->ts);

	if (!a || !b)
		return a == b;
	return a->n_local == b->n_local && a->n_remote == b->n_remote &&
	       !memcmp(a->ts, b->ts,
		       (a->n_local + a->n_remote) * sizeof(*a->ts));
}

/*
 * Has the peer begun to use a newer SA in the place of @sa? Of SAs for different
 * traffic nothing tells which one the peer used last.
 */
static bool is_superseded(const struct esptun_sa *sa)
{
	const struct esptun_sa *other;

	list_for_each_entry_rcu(other, &sa->peer->sas, peer_node)
		if (other->dir == ESPTUN_SA_DIR_IN &&
		    other->serial > sa->serial &&
		    READ_ONCE(other->replay.top) && is_same_traffic(sa, other))
			return true;
	return false;
}

/* Return: whether @from is new. */
static bool set_endpoints(struct esptun_peer *peer,
			  const struct esptun_endpoint *from,
			  const struct esptun_addr *to)
{
	bool moves;

	write_seqlock_bh(&peer->ep_lock);
	moves = !esptun_endpoint_covers(&peer->remote, from);
	peer->remote.addr = from->addr;
	if (from->port)
		peer->remote.port = from->port;
	if (esptun_addr_is_set(to))
		peer->learned = *to;
	if (moves)
		esptun_ike_peer_at(peer);
	write_sequnlock_bh(&peer->ep_lock);
	esptun_path_forget(peer);
	return moves;
}

/*
 * Outer addresses are not authenticated. A packet that somebody on the path held
 * back and sent on from elsewhere must not move the peer: the newest one of the
 * newest SA can only be held back as long as no other one follows. Addresses that
 * no checksum covers may be damaged, too: IPv6 has none but UDP's (RFC 6936 4).
 */
void esptun_peer_seen(struct esptun_sa *sa,
		      const struct esptun_arrival *arrival, bool newest)
{
	static const struct esptun_addr none;
	const struct esptun_addr *to = arrival->own ? &arrival->to : &none;
	const struct esptun_endpoint *from = &arrival->from;
	struct esptun_peer *peer = sa->peer;
	bool there, same;
	unsigned int seq;

	esptun_timer_received(peer);
	if (!newest || arrival->zero_csum6 || !READ_ONCE(peer->may_roam))
		return;
	do {
		seq = read_seqbegin(&peer->ep_lock);
		same = esptun_endpoint_covers(&peer->remote, from);
		there = same && (!esptun_addr_is_set(to) ||
				 esptun_addr_equal(&peer->learned, to));
	} while (read_seqretry(&peer->ep_lock, seq));
	if (likely(there) || !esptun_addr_is_set(&from->addr) ||
	    is_superseded(sa))
		return;
	/* A spoofed source could lead our tunnels through one another. */
	if (!same && (!esptun_addr_is_host(&from->addr) ||
		      esptun_path_into_link(peer, from, to))) {
		esptun_stats_add(peer->link->stats, ESPTUN_STATS_A_ROAM_REFUSED,
				 1);
		return;
	}
	if (set_endpoints(peer, from, to))
		moved(peer);
}

void esptun_peer_forget(struct esptun_peer *peer,
			const struct esptun_addr *addr)
{
	write_seqlock_bh(&peer->ep_lock);
	if (esptun_addr_equal(&peer->learned, addr))
		peer->learned = (struct esptun_addr){};
	write_sequnlock_bh(&peer->ep_lock);
}
