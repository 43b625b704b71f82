// SPDX-License-Identifier: GPL-2.0
/*
 * IKE datagrams on their way to the agent. Their sources are not proven, and the
 * agent's time and the buffer of its socket are limited, so they are shared:
 *
 * - A datagram from the remote endpoint of a peer takes from that peer's share,
 *   whatever others do. Forging the source of one peer's IKE costs that peer
 *   only.
 * - All others share what is left. While there is plenty, each may have as much
 *   as it wants; when more than half of it is gone, or a quarter of the socket's
 *   buffer is full, each source is held to a share of its own.
 * - The second half of the socket's buffer is for peers.
 *
 * Softirq, under RCU. ike->lock is held for a few lines and nests inside
 * nothing; the table of endpoints changes under the peer's ep_lock.
 */
#include <linux/rhashtable.h>
#include <linux/slab.h>
#include <net/sock.h>
#include "encap/encap.h"
#include "encap/path.h"
#include "util/event.h"
#include "rx/ike.h"
#include "link.h"
#include "sa/peer.h"

/* RFC 3948 2.2 */
#define MARKER_LEN sizeof(__be32)

/* RFC 7296 3.1: the exchange type in an IKE header, and one of its values */
#define EXCHANGE_AT 18
#define EXCHANGE_IKE_SA_INIT 34

/**
 * struct esptun_ike - what sources sent lately
 * @lock: protects the meters, those of peers too
 * @unknown: of all sources that are no peer's
 * @source: of each of them, by a hash of its address
 */
struct esptun_ike {
	spinlock_t lock;
	struct esptun_meter unknown;
	struct esptun_meter source[ESPTUN_IKE_SOURCES];
};

static const struct esptun_rate rate_one = {
	.second = ESPTUN_IKE_ONE_RATE,
	.burst = ESPTUN_IKE_ONE_BURST,
};

static const struct esptun_rate rate_unknown = {
	.second = ESPTUN_IKE_RATE,
	.burst = ESPTUN_IKE_BURST,
};

/* ---- endpoints of peers ---- */

static const struct rhashtable_params known_params = {
	.key_len = offsetofend(struct esptun_endpoint, port),
	.key_offset = offsetof(struct esptun_peer, known_at),
	.head_offset = offsetof(struct esptun_peer, known_node),
	.automatic_shrinking = true,
};

int esptun_ike_net_init(struct esptun_net *en)
{
	return rhltable_init(&en->known, &known_params);
}

void esptun_ike_net_exit(struct esptun_net *en)
{
	rhltable_destroy(&en->known);
	kfree(en->ike);
}

static void forget(struct esptun_peer *peer)
{
	if (peer->is_known)
		rhltable_remove(&peer->link->en->known, &peer->known_node,
				known_params);
	peer->is_known = false;
}

/* Do as many peers at the endpoint have a share as may? */
static bool is_crowded(struct esptun_net *en,
		       const struct esptun_endpoint *endpoint)
{
	struct rhlist_head *list, *pos;
	struct esptun_peer *peer;
	unsigned int n = 0;

	rcu_read_lock();
	list = rhltable_lookup(&en->known, endpoint, known_params);
	rhl_for_each_entry_rcu(peer, pos, list, known_node)
		n++;
	rcu_read_unlock();
	return n >= ESPTUN_IKE_TRIES;
}

/* Long lists would make it slow to remove one of many peers with one endpoint. */
void esptun_ike_peer_at(struct esptun_peer *peer)
{
	lockdep_assert_held(&peer->ep_lock.lock);
	forget(peer);
	if (peer->known_never || !esptun_addr_is_set(&peer->remote.addr) ||
	    is_crowded(peer->link->en, &peer->remote))
		return;
	peer->known_at = peer->remote;
	/* Without memory its IKE is taken for that of others. */
	peer->is_known = !rhltable_insert(&peer->link->en->known,
					  &peer->known_node, known_params);
}

void esptun_ike_path_learn(const struct esptun_sock *us,
			   const struct esptun_endpoint *to, unsigned int mtu)
{
	struct rhlist_head *list, *pos;
	struct esptun_peer *peer;

	list = rhltable_lookup(&us->en->known, to, known_params);
	rhl_for_each_entry_rcu(peer, pos, list, known_node)
		if (READ_ONCE(peer->encap) == &esptun_encap_udp &&
		    rcu_access_pointer(peer->link->us) == us)
			esptun_path_learn(peer, mtu);
}

void esptun_ike_peer_gone(struct esptun_peer *peer)
{
	write_seqlock_bh(&peer->ep_lock);
	peer->known_never = true;
	forget(peer);
	write_sequnlock_bh(&peer->ep_lock);
}

/* ---- the agent ---- */

int esptun_ike_bind(struct esptun_net *en, struct sock *sk, u32 portid)
{
	struct esptun_ike *ike = en->ike;

	lockdep_assert_held(&en->lock);
	if (!ike) {
		ike = kzalloc(sizeof(*ike), GFP_KERNEL_ACCOUNT);
		if (!ike)
			return -ENOMEM;
		spin_lock_init(&ike->lock);
		en->ike = ike;
	}
	/* Pairs with rcu_dereference(): who sees the socket sees en->ike. */
	rcu_assign_pointer(en->agent_sk, sk);
	WRITE_ONCE(en->agent, portid);
	return 0;
}

void esptun_ike_unbind(struct esptun_net *en)
{
	lockdep_assert_held(&en->lock);
	WRITE_ONCE(en->agent, 0);
	RCU_INIT_POINTER(en->agent_sk, NULL);
}

/* ---- shares ---- */

struct datagram {
	struct esptun_net *en;
	const struct sock *agent;
	const struct sk_buff *skb;
	struct esptun_endpoint local;
	struct esptun_endpoint remote;
	unsigned int len; /* of the IKE message */
};

/* Is more than @part of @of parts of the agent's buffer in use? */
static bool backlog(const struct datagram *d, unsigned int part,
		    unsigned int of)
{
	u64 used = atomic_read(&d->agent->sk_rmem_alloc);

	return used * of > (u64)READ_ONCE(d->agent->sk_rcvbuf) * part;
}

static bool take(struct esptun_meter *m, const struct esptun_rate *rate, u32 n)
{
	bool enough = esptun_meter_left(m, rate) >= n;

	if (enough)
		esptun_meter_add(m, rate, n);
	return enough;
}

static u32 units(const struct datagram *d)
{
	return 1 + d->len / 1024;
}

/* Does the datagram come from a peer that has something left of its share? */
static bool take_from_peer(const struct datagram *d)
{
	struct rhlist_head *list, *pos;
	struct esptun_peer *peer;

	if (backlog(d, 1, 1))
		return false;
	list = rhltable_lookup(&d->en->known, &d->remote, known_params);
	rhl_for_each_entry_rcu(peer, pos, list, known_node)
		if (take(&peer->ike, &rate_one, units(d)))
			return true;
	return false;
}

static unsigned int longest(const struct datagram *d)
{
	const u8 *exchange;
	u8 buf;

	exchange = skb_header_pointer(d->skb, MARKER_LEN + EXCHANGE_AT,
				      sizeof(buf), &buf);
	return exchange && *exchange == EXCHANGE_IKE_SA_INIT ?
		       ESPTUN_IKE_INIT_MAX :
		       ESPTUN_IKE_UNKNOWN_MAX;
}

static bool take_from_unknown(const struct datagram *d)
{
	static u32 seed __read_mostly;
	struct esptun_ike *ike = d->en->ike;
	struct esptun_meter *source;
	u32 left, mine;

	net_get_random_once(&seed, sizeof(seed));
	source = &ike->source[esptun_addr_hash_site(&d->remote.addr, seed) %
			      ESPTUN_IKE_SOURCES];
	left = esptun_meter_left(&ike->unknown, &rate_unknown);
	mine = esptun_meter_left(source, &rate_one);
	if (left < units(d) || backlog(d, 1, 2))
		return false;
	if (mine < units(d) &&
	    (left < ESPTUN_IKE_BURST / 2 || backlog(d, 1, 4)))
		return false;
	esptun_meter_add(&ike->unknown, &rate_unknown, units(d));
	esptun_meter_add(source, &rate_one, units(d));
	return true;
}

/* Return: why the agent does not get the datagram, or 0 if it does. */
static unsigned int refuse(const struct datagram *d)
{
	unsigned int reason = 0;

	/* Longer ones would overflow the 16-bit length of the attributes. */
	if (d->len > ESPTUN_IKE_MAX)
		return ESPTUN_STATS_A_RX_IKE_TOO_LONG;
	spin_lock(&d->en->ike->lock);
	if (!take_from_peer(d)) {
		if (d->len > longest(d))
			reason = ESPTUN_STATS_A_RX_IKE_TOO_LONG;
		else if (!take_from_unknown(d))
			reason = ESPTUN_STATS_A_RX_IKE_LIMITED;
	}
	spin_unlock(&d->en->ike->lock);
	return reason;
}

/* ---- receiving ---- */

unsigned int esptun_ike_receive(struct esptun_sock *us,
				const struct sk_buff *skb,
				const struct esptun_arrival *arrival)
{
	struct datagram d = {
		.en = us->en,
		.agent = rcu_dereference(us->en->agent_sk),
		.skb = skb,
		.local = { .addr = arrival->to, .port = us->port },
		.remote = arrival->from,
		.len = skb->len - MARKER_LEN,
	};
	unsigned int reason;

	if (!d.agent)
		return ESPTUN_STATS_A_RX_IKE_NO_AGENT;
	/* Nobody could be answered there. */
	if (!esptun_addr_is_host(&d.remote.addr))
		return ESPTUN_STATS_A_RX_IKE_LIMITED;
	reason = refuse(&d);
	if (reason)
		return reason;
	switch (esptun_event_ike_recv(us->en, &d.local, &d.remote, skb,
				      MARKER_LEN, d.len)) {
	case 0:
		return ESPTUN_STATS_A_RX_IKE;
	case -ENOTCONN:
		return ESPTUN_STATS_A_RX_IKE_NO_AGENT;
	case -ENOMEM:
		return ESPTUN_STATS_A_RX_NOMEM;
	default:
		return ESPTUN_STATS_A_RX_IKE_LIMITED;
	}
}
