/* SPDX-License-Identifier: GPL-2.0 */
/* Who is at the other end: endpoint, keepalive, statistics. */
#ifndef ESPTUN_PEER_H
#define ESPTUN_PEER_H

#include <linux/list.h>
#include <linux/seqlock.h>
#include <linux/timer.h>
#include <linux/types.h>
#include <net/dst_cache.h>
#include "encap/header.h"
#include "link.h"
#include "util/order.h"
#include "util/meter.h"
#include "sa/reclaim.h"
#include "encap/udp.h"

struct esptun_encap_ops;
struct esptun_sa;
struct netlink_ext_ack;

/* Which members of struct esptun_peer_params the caller filled in. */
#define ESPTUN_PEER_REMOTE_ADDR BIT(0)
#define ESPTUN_PEER_REMOTE_PORT BIT(1)
#define ESPTUN_PEER_LOCAL_ADDR BIT(2)
#define ESPTUN_PEER_KEEPALIVE BIT(3)
#define ESPTUN_PEER_MAY_ROAM BIT(4)
#define ESPTUN_PEER_ON_DEMAND BIT(5)
#define ESPTUN_PEER_IDENTITY BIT(6)
#define ESPTUN_PEER_ENCAP BIT(7)
#define ESPTUN_PEER_TOS BIT(8)
#define ESPTUN_PEER_TTL BIT(9)
#define ESPTUN_PEER_DF BIT(10)
#define ESPTUN_PEER_FLOW_LABEL BIT(11)
#define ESPTUN_PEER_ZERO_CSUM6_TX BIT(12)
#define ESPTUN_PEER_ZERO_CSUM6_RX BIT(13)

/**
 * struct esptun_peer_params - what a request says about a peer
 * @id: not 0
 * @present: ESPTUN_PEER_*
 * @remote: its address (none: unknown until it roams in) and port
 * @local: outer source address, overrides the link's; none gives it back
 * @learned: address of ours that the peer last wrote to; result only
 * @keepalive: seconds, 0 to ESPTUN_KEEPALIVE_MAX
 * @encap: enum esptun_encap
 * @header: what outer IP headers are like
 * @zero_csum6_tx: send it UDP over IPv6 without checksums
 * @zero_csum6_rx: take such from it
 * @may_roam: follow its address
 * @on_demand: an agent makes further SAs for what fits none
 * @identity: by what its maker knows it again, in the request; not a result
 * @identity_len: its octets, 1 to ESPTUN_PEER_IDENTITY_MAX
 */
struct esptun_peer_params {
	u32 id;
	u32 present;
	struct esptun_endpoint remote;
	struct esptun_addr local;
	struct esptun_addr learned;
	u32 keepalive;
	u8 encap;
	struct esptun_header header;
	bool zero_csum6_tx;
	bool zero_csum6_rx;
	bool may_roam;
	bool on_demand;
	const u8 *identity;
	u32 identity_len;
};

/**
 * struct esptun_peer_totals - traffic, for display
 * @rx_packets: inner packets received
 * @rx_bytes: their octets
 * @tx_packets: inner packets sent, and dummies
 * @tx_bytes: their octets, and padding
 * @keepalives: NAT keepalives sent
 */
struct esptun_peer_totals {
	u64 rx_packets;
	u64 rx_bytes;
	u64 tx_packets;
	u64 tx_bytes;
	u64 keepalives;
};

/**
 * struct esptun_peer - one peer of a link
 * @link: the link
 * @id: index in link->peers
 * @ep_lock: protects @remote, @local and @learned; written with bottom halves
 *	off
 * @remote: where packets go
 * @local: outer source, while @remote is of its family; else the link's
 * @learned: address of ours that the peer last wrote to, none if unknown: the
 *	outer source if neither the peer nor the link has one configured
 * @encap: what packets to it travel in; changes under esptun_net.lock, read with
 *	READ_ONCE
 * @header: what outer IP headers are like: its own or the link's; members change
 *	under esptun_net.lock, read by esptun_header_read()
 * @own_header: where it differs from the link's; under esptun_net.lock
 * @zero_csum6_tx: send it UDP over IPv6 without checksums
 * @zero_csum6_rx: take such from it
 * @hop_room: MTU of the first hop and its route when the route was last looked
 *	up, less the outer IP header
 * @pmtu: MTU of the path to @remote, as ICMP taught over IPv4, 0 if it did not;
 *	see path.h
 * @pmtu_when: jiffies then
 * @dst: cached outer route
 * @may_roam: follow the address of authenticated packets
 * @on_demand: counted in link->n_on_demand; under esptun_net.lock
 * @identity: by what its maker knows it again, NULL if not given; under
 *	esptun_net.lock
 * @identity_len: its octets
 * @keepalive: seconds, 0 is off
 * @dead: the keepalive timer must not be armed again
 * @timer: keepalive, see timer.c
 * @last_tx: jiffies of the last packet sent, keepalives included
 * @last_rx: jiffies of the last authenticated packet
 * @sent: @last_tx is valid
 * @received: @last_rx is valid
 * @receiving: batches that are opened on several CPUs, see rx.c
 * @sas: struct esptun_sa.peer_node, oldest first; changes under
 *	esptun_net.lock, RCU
 * @n_sas: how many, under esptun_net.lock
 * @n_percpu: SAs of a CPU, see percpu.h; under esptun_net.lock
 * @n_live: usable ones by direction, when last counted; under esptun_net.lock
 * @pair: counted in link->n_pairs; under esptun_net.lock
 * @idle: counted in link->n_idle; under esptun_net.lock
 * @told: jiffies of the last peer-moved event, if @moves
 * @moves: it moved before
 * @untold: it moved again, too soon after @told to tell
 * @keepalives: sent
 * @gone: traffic of SAs that were deleted, under esptun_net.lock
 * @known_node: in esptun_net.known
 * @known_at: the endpoint it is listed under, if @is_known; under @ep_lock
 * @is_known: it is listed; under @ep_lock
 * @known_never: it must not be listed any more; under @ep_lock
 * @ike: IKE datagrams from there, see ike.c
 * @reclaim: frees it
 */
struct esptun_peer {
	struct esptun_link *link;
	u32 id;
	seqlock_t ep_lock;
	struct esptun_endpoint remote;
	struct esptun_addr local;
	struct esptun_addr learned;
	const struct esptun_encap_ops *encap;
	struct esptun_header header;
	struct esptun_header own_header;
	bool zero_csum6_tx;
	bool zero_csum6_rx;
	unsigned int hop_room;
	unsigned int pmtu;
	unsigned long pmtu_when;
	struct dst_cache dst;
	bool may_roam;
	bool on_demand;
	u8 *identity;
	u32 identity_len;
	u32 keepalive;
	bool dead;
	struct timer_list timer;
	unsigned long last_tx;
	unsigned long last_rx;
	bool sent;
	bool received;
	struct esptun_order receiving;
	struct list_head sas;
	unsigned int n_sas;
	unsigned int n_percpu;
	unsigned int n_live[2];
	bool pair;
	bool idle;
	unsigned long told;
	bool moves;
	bool untold;
	atomic64_t keepalives;
	struct esptun_peer_totals gone;
	struct rhlist_head known_node;
	struct esptun_endpoint known_at;
	bool is_known;
	bool known_never;
	struct esptun_meter ike;
	struct esptun_reclaim reclaim;
};

/**
 * esptun_peer_find - peer by id
 * @link: the link; en->lock held or RCU read side
 * @id: the id
 *
 * To walk all: xa_for_each_start(&link->peers, index, peer, start), under
 * en->lock, in order of id.
 *
 * Return: NULL if there is none.
 */
static inline struct esptun_peer *esptun_peer_find(struct esptun_link *link,
						   u32 id)
{
	return xa_load(&link->peers, id);
}

/**
 * esptun_peer_new - add a peer
 * @link: the link; en->lock held
 * @params: what is not present gets its default
 * @extack: told why not
 *
 * Sends the event. May sleep. Return: 0; -EEXIST, -EINVAL, -ENOMEM, -E2BIG.
 */
int esptun_peer_new(struct esptun_link *link,
		    const struct esptun_peer_params *params,
		    struct netlink_ext_ack *extack);

/**
 * esptun_peer_set - change the members present, all or none
 * @link: the link; en->lock held
 * @params: what to change
 * @extack: told why not
 *
 * Sends the event. May sleep. Return: 0; -ENOENT, -EINVAL, -ENOMEM.
 */
int esptun_peer_set(struct esptun_link *link,
		    const struct esptun_peer_params *params,
		    struct netlink_ext_ack *extack);

/**
 * esptun_peer_del - remove a peer without SAs
 * @link: the link; en->lock held
 * @params: its ID, nothing else counts
 * @extack: told why not
 *
 * Sends the event. May sleep. Return: 0; -ENOENT; -EBUSY while it has SAs.
 */
int esptun_peer_del(struct esptun_link *link,
		    const struct esptun_peer_params *params,
		    struct netlink_ext_ack *extack);

/* Remove all peers and SAs of a dying link, without events. en->lock held. */
void esptun_peer_purge(struct esptun_link *link);

/**
 * esptun_peer_params_get - a consistent copy of the configuration
 * @peer: the peer; en->lock held or RCU read side
 * @params: filled in, all members but the identity present; @params->local is
 *	the peer's own
 */
void esptun_peer_params_get(struct esptun_peer *peer,
			    struct esptun_peer_params *params);

/* Its link's settings changed: it follows them. en->lock held. */
void esptun_peer_link_changed(struct esptun_peer *peer);

/* Traffic of the peer, deleted SAs included. en->lock held. */
void esptun_peer_totals_get(const struct esptun_peer *peer,
			    struct esptun_peer_totals *totals);

/**
 * esptun_peer_mtu - largest inner packet that fits the path to the peer
 * @peer: the peer; en->lock held, process context
 * @learned: count what ICMP taught about the path, not only the route
 *
 * Counts the overhead of the newest outbound SA, or of AES-GCM without one.
 * Return: octets, 0 if there is no route.
 */
unsigned int esptun_peer_mtu(struct esptun_peer *peer, bool learned);

/* Is @at where the peer is known to be? RCU read side. */
bool esptun_peer_is_at(struct esptun_peer *peer,
		       const struct esptun_endpoint *at);

/**
 * esptun_peer_seen - an authenticated packet arrived
 * @sa: inbound SA; RCU read side, bottom halves off
 * @arrival: outer source and destination; source without an address if the
 *	packet must not move the peer
 * @newest: its sequence number is the SA's highest so far
 *
 * Moves the peer to where it came from, and its packets to the address of ours
 * that it was sent to, if the packet is the newest one that the peer is known to
 * have sent, and did not come in UDP over IPv6 without a checksum.
 */
void esptun_peer_seen(struct esptun_sa *sa,
		      const struct esptun_arrival *arrival, bool newest);

/* @peer's packets cannot leave from the learned address @addr any more. */
void esptun_peer_forget(struct esptun_peer *peer,
			const struct esptun_addr *addr);

/**
 * esptun_peer_tell_moves - tell of moves that came too soon after another
 * @link: the link; en->lock held
 *
 * Return: whether some are still too soon.
 */
bool esptun_peer_tell_moves(struct esptun_link *link);

#endif /* ESPTUN_PEER_H */
