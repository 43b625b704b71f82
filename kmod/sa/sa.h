/* SPDX-License-Identifier: GPL-2.0 */
/* One direction of a tunnel: keys, sequence numbers, window, limits. */
#ifndef ESPTUN_SA_H
#define ESPTUN_SA_H

#include <linux/atomic.h>
#include <linux/cache.h>
#include <linux/list.h>
#include <linux/rhashtable.h>
#include <linux/skbuff.h>
#include <linux/spinlock.h>
#include <linux/timer.h>
#include <linux/types.h>
#include <linux/esptun.h>
#include "alg/alg.h"
#include "encap/endpoint.h"
#include "tx/dummy.h"
#include "sa/early.h"
#include "sa/lifetime.h"
#include "util/order.h"
#include "sa/reclaim.h"
#include "esp/replay.h"
#include "sa/sadb.h"
#include "stats.h"

struct esptun_link;
struct esptun_peer;
struct esptun_percpu;
struct netlink_ext_ack;

/* Which members of struct esptun_sa_params are there; limits see lifetime.h. */
#define ESPTUN_SA_REPLAY_WINDOW BIT(0)
#define ESPTUN_SA_SEQ BIT(1)
#define ESPTUN_SA_TS_LOCAL BIT(2)
#define ESPTUN_SA_TS_REMOTE BIT(3)
#define ESPTUN_SA_LAST_USED BIT(4)
#define ESPTUN_SA_INTEG BIT(5)
#define ESPTUN_SA_INTEG_KEY BIT(6)
#define ESPTUN_SA_CPU BIT(7)
#define ESPTUN_SA_TFC BIT(8)
#define ESPTUN_SA_DUMMY BIT(9)
#define ESPTUN_SA_NAT_OA_LOCAL BIT(10)
#define ESPTUN_SA_NAT_OA_REMOTE BIT(11)

/**
 * struct esptun_nat_oa - both ends' addresses, as the peer knows them
 * @local: ours
 * @remote: the peer's
 */
struct esptun_nat_oa {
	struct esptun_addr local;
	struct esptun_addr remote;
};

/**
 * struct esptun_sa_params - what a request says about an SA
 * @spi: 256 or more
 * @dir: enum esptun_sa_dir
 * @peer: peer id
 * @mode: enum esptun_sa_mode
 * @encr: IANA transform ID
 * @integ: IANA transform ID, 0 for a combined mode
 * @keys: the caller's
 * @esn: extended sequence numbers
 * @present: ESPTUN_SA_*, for the members below
 * @replay_window: packets, inbound only
 * @seq: last sequence number that was sent before, outbound only
 * @cpu: it sends what this CPU sends, outbound only
 * @tfc: octets to pad payloads to, ESPTUN_TFC_MTU for what fits; outbound only
 * @dummy: dummy packets a second, 0 to ESPTUN_DUMMY_MAX; outbound only
 * @nat_oa: addresses that checksums of the peer's packets cover; inbound only
 * @limits: lifetimes
 * @ts: selectors
 *
 * Each value is in its range, which netlink checks (netlink-sa.c); what they are
 * together, esptun_sa_new() checks.
 */
struct esptun_sa_params {
	__be32 spi;
	u8 dir;
	u32 peer;
	u8 mode;
	u16 encr;
	u16 integ;
	struct esptun_keys keys;
	bool esn;
	u32 present;
	u32 replay_window;
	u64 seq;
	u32 cpu;
	u32 tfc;
	u32 dummy;
	struct esptun_nat_oa nat_oa;
	struct esptun_limits limits;
	struct esptun_ts_lists ts;
};

/**
 * struct esptun_sa - a security association
 *
 * Cache lines that packets only read, those that they write, limits, then what
 * they rarely need. Window and selectors have memory of their own: the sizes differ
 * between SAs, and in one piece they would end in a too large kmalloc size.
 *
 * Hot, written once:
 * @alg: algorithms with their keys; alg.ops is NULL while larval
 * @spi: network order
 * @dir: enum esptun_sa_dir
 * @esn: extended sequence numbers
 * @state: enum esptun_sa_state; only ever rises, except that esptun_sa_set()
 *	makes a dying SA mature again. WRITE_ONCE under @lock, once it is not
 *	larval. An outbound one is larval until esptun_sa_new() can no longer
 *	fail, an inbound one has its key when it can be found, or never
 * @mode: enum esptun_sa_mode
 * @link: the link
 * @peer: the peer
 * @ts: selectors and, outbound, entries in link->out; NULL for an inbound SA
 *	without any. Changed under esptun_net.lock, read under RCU
 * @percpu: outbound: SAs of CPUs with the same selectors, NULL if there are none;
 *	likewise
 *
 * @tfc: outbound: octets to pad payloads to where they fit, 0 for none; changed
 *	under esptun_net.lock, read with READ_ONCE
 * @nat_oa_sum: inbound: esptun_repair_sum() of @nat_oa, 0 if there is none; written
 *	once
 *
 * Hot, written per batch:
 * @lock: inbound: protects @replay and the counts' consistency
 * @seq: outbound: last sequence number taken
 * @packets: carried; outbound with dummy packets, inbound without
 * @bytes: inner octets carried; outbound with padding and dummy packets, inbound
 *	without
 * @last_used: jiffies of the last packet, if @packets is not 0
 * @replay: inbound window
 * @sending: outbound: packets whose numbers were taken, in that order, until
 *	they are sent. Its lock covers esptun_sa_take()
 * @early: inbound, larval: packets that came before the key
 * @tx_cpu: outbound: whose transmit queue XPS chooses, plus 1; 0 before the
 *	first packet. Under the same lock
 * @tx_when: outbound: jiffies when it was asked for last; under the same lock
 *
 * Read per batch:
 * @limits: lifetimes; changed under @lock and esptun_net.lock, read with
 *	READ_ONCE
 * @hash_node: in esptun_net.sa_in (inbound) or esptun_net.keys_out (outbound)
 * @spi_node: outbound: in esptun_net.spis_out
 * @by_spi: it is there; SAs of further peers that chose the same SPI are not
 *
 * Cold:
 * @key_len: octets in @key
 * @integ_key_len: octets in @integ_key
 * @key: as given, for a dump that asks for keys; wiped on free
 * @integ_key: the same
 * @counters: see esptun_sa_counter()
 * @cpu: outbound: number of the CPU it is for, plus 1; 0 for any. Written once
 * @serial: rises with every SA of the netns; position for dumps
 * @created: jiffies
 * @added: milliseconds of boot time when it could be used first
 * @first_used: likewise of its first packet, 0 before; written under @lock
 * @timer: looks for limits of time
 * @timed: it may be armed; under @lock
 * @peer_node: in peer->sas; RCU
 * @counted: counted in peer->n_live; under esptun_net.lock
 * @dummy: outbound: sends dummy packets, NULL if it never had to; under
 *	esptun_net.lock
 * @nat_oa: inbound: as given, NULL if it was not; written once
 * @reclaim: frees it
 */
struct esptun_sa {
	struct esptun_alg alg;
	__be32 spi;
	u8 dir;
	bool esn;
	u8 state;
	u8 mode;
	struct esptun_link *link;
	struct esptun_peer *peer;
	struct esptun_ts_set __rcu *ts;
	struct esptun_percpu __rcu *percpu;
	u32 tfc;
	__wsum nat_oa_sum;

	spinlock_t lock ____cacheline_aligned;
	atomic64_t seq;
	atomic64_t packets;
	atomic64_t bytes;
	unsigned long last_used;
	struct esptun_replay replay;
	union {
		struct esptun_order sending;
		struct esptun_early early;
	};
	unsigned int tx_cpu;
	unsigned long tx_when;

	struct esptun_limits limits ____cacheline_aligned;
	struct rhash_head hash_node;
	struct rhlist_head spi_node;
	bool by_spi;
	u8 key_len;
	u8 integ_key_len;
	u8 key[ESPTUN_KEY_MAX];
	u8 integ_key[ESPTUN_KEY_MAX];
	atomic_t counters[ESPTUN_SA_COUNTERS];
	unsigned int cpu;
	u64 serial;
	unsigned long created;
	u64 added;
	u64 first_used;
	struct timer_list timer;
	struct list_head peer_node;
	bool timed;
	bool counted;
	struct esptun_dummy *dummy;
	struct esptun_nat_oa *nat_oa;
	struct esptun_reclaim reclaim;
};

/**
 * esptun_sa_count - note whether packets may use an SA
 * @sa: the SA; en->lock held
 * @live: whether they may
 *
 * One of a CPU does not count: without a fallback SA packets do not find it.
 * The counts of its peer and link follow, not the link's operational state.
 */
void esptun_sa_count(struct esptun_sa *sa, bool live);

/* The link is dormant if no peer has a usable pair (RFC 2863). en->lock held. */
void esptun_sa_operstate(struct esptun_link *link);

/**
 * esptun_sa_recount - which peers have usable SAs
 * @link: the link; en->lock held
 *
 * Sets the counts of peers and link, and the link's operational state.
 */
void esptun_sa_recount(struct esptun_link *link);

/**
 * esptun_sa_purge_larval - give up reserved SPIs that got no key in time
 * @link: the link; en->lock held
 *
 * And before that, early packets of theirs. Return: whether some are left.
 */
bool esptun_sa_purge_larval(struct esptun_link *link);

/* Once per module: memory of SAs and who frees it. Process context. */
int esptun_sa_module_init(void);
void esptun_sa_module_exit(void);

/**
 * esptun_sa_find - SA by direction and SPI
 * @link: the link; en->lock held
 * @dir: enum esptun_sa_dir
 * @spi: the SPI
 * @peer: peer id, needed for an outbound SA; for an inbound one 0 matches any
 *
 * To walk all SAs: every peer, and for each of them
 * list_for_each_entry(sa, &peer->sas, peer_node), in order of sa->serial.
 *
 * Return: NULL if there is none. Valid until en->lock is released.
 */
struct esptun_sa *esptun_sa_find(struct esptun_link *link, u8 dir, __be32 spi,
				 u32 peer);

/**
 * esptun_sa_new - add an SA, or give a larval one its key
 * @link: the link; en->lock held
 * @params: everything about it
 * @extack: told why not
 *
 * An outbound SA takes over at once from older ones with the same selectors.
 * Sends the event. May sleep. The keys stay the caller's, who wipes them.
 * Return: 0; -EINVAL, -EEXIST, -ENOENT (no such peer), -EOPNOTSUPP, -ENOMEM,
 * -E2BIG; on failure nothing has changed.
 */
int esptun_sa_new(struct esptun_link *link,
		  const struct esptun_sa_params *params,
		  struct netlink_ext_ack *extack);

/**
 * esptun_sa_set - change the limits, selectors, padding and dummies present
 * @sa: the SA; en->lock held
 * @params: only @params->present and what it names are looked at
 * @extack: told why not
 *
 * A packet finds the old selectors or the new ones; sequence numbers and window
 * go on. With new selectors an outbound SA takes over from others that have the
 * same, as a new one does; where SAs have a CPU, selectors stay. Sends the event.
 * Return: 0; -EINVAL; -E2BIG; -ENOMEM; -EBUSY;
 * on failure nothing has changed.
 */
int esptun_sa_set(struct esptun_sa *sa, const struct esptun_sa_params *params,
		  struct netlink_ext_ack *extack);

/* Remove an SA: sends the event, frees it after RCU. en->lock held. */
void esptun_sa_del(struct esptun_sa *sa);

/**
 * esptun_sa_flush - remove all SAs of a peer or a link
 * @link: the link; en->lock held
 * @peer: peer id, 0 for all
 *
 * Sends an event for each. Return: 0; -ENOENT if there is no such peer.
 */
int esptun_sa_flush(struct esptun_link *link, u32 peer);

/**
 * esptun_sa_spi_alloc - reserve an unused inbound SPI as a larval SA
 * @link: the link; en->lock held
 * @peer: peer id
 * @spi: wanted, or 0 to choose a random one; result
 * @extack: told why not
 *
 * Return: 0; -ENOENT, -EEXIST, -EINVAL, -ENOMEM.
 */
int esptun_sa_spi_alloc(struct esptun_link *link, u32 peer, __be32 *spi,
			struct netlink_ext_ack *extack);

/* Sequence number for display: last one sent, or highest one received. */
u64 esptun_sa_seq(struct esptun_sa *sa);

/* Counter @id (ESPTUN_STATS_A_*) of the SA, NULL if its kind of SA has none. */
atomic_t *esptun_sa_counter(struct esptun_sa *sa, unsigned int id);

/**
 * esptun_sa_drop - count dropped packets on the SA and its link
 * @sa: the SA; RCU read side
 * @id: ESPTUN_STATS_A_*
 * @n: packets
 */
void esptun_sa_drop(struct esptun_sa *sa, unsigned int id, unsigned int n);

/* As esptun_sa_drop(), of packets that were not dropped. */
void esptun_sa_note(struct esptun_sa *sa, unsigned int id, unsigned int n);

/**
 * esptun_sa_take - sequence numbers for a batch
 * @sa: outbound; RCU read side
 * @n: how many packets
 * @first: result, first of @n consecutive numbers
 *
 * Return: 0; -EOVERFLOW if they are used up: the SA is dead then and the
 * agent was told.
 */
int esptun_sa_take(struct esptun_sa *sa, unsigned int n, u64 *first);

/**
 * esptun_sa_tx_cpu - which CPU's transmit queue the SA's packets take
 * @sa: outbound; @sa->sending is locked
 *
 * Another one only after a second in which it was not asked for. Return: the CPU's
 * number plus 1.
 */
unsigned int esptun_sa_tx_cpu(struct esptun_sa *sa);

/**
 * esptun_sa_used - account a batch and enforce limits
 * @sa: the SA; RCU read side, bottom halves off
 * @packets: how many, dummies included where they are sent
 * @bytes: inner octets, with what pads them where they are sent
 *
 * Tells the agent when a limit is reached, once for each.
 */
void esptun_sa_used(struct esptun_sa *sa, unsigned int packets, u64 bytes);

/**
 * esptun_sa_expire - an SA reached a limit
 * @sa: the SA; RCU read side
 * @state: the one it has from now on, if it was a lower one
 * @reason: enum esptun_expire_reason
 *
 * Tells the agent once for each state. A larval SA has no limits.
 */
void esptun_sa_expire(struct esptun_sa *sa, u8 state, u8 reason);

/* An SA was made: prepare its timer, unarmed. */
void esptun_lifetime_init(struct esptun_sa *sa);

/* It is in use from now on. en->lock held. */
void esptun_lifetime_start(struct esptun_sa *sa);

/* It is going away: on return its timer does not run. en->lock held; may sleep. */
void esptun_lifetime_stop(struct esptun_sa *sa);

/* A dying SA is mature again, until it is found over a limit. en->lock held. */
void esptun_sa_set_limits(struct esptun_sa *sa, const struct esptun_limits *l);

/* Does the SA carry traffic now? */
static inline bool esptun_sa_live(const struct esptun_sa *sa)
{
	u8 state = READ_ONCE(sa->state);

	return state == ESPTUN_SA_STATE_MATURE ||
	       state == ESPTUN_SA_STATE_DYING;
}

/* Dummy packets a second. en->lock held. */
static inline u32 esptun_sa_dummies(const struct esptun_sa *sa)
{
	return sa->dummy ? sa->dummy->rate : 0;
}

/* Selectors, NULL if it never had any. en->lock held. */
struct esptun_ts_set *esptun_sa_ts(const struct esptun_sa *sa);

#endif /* ESPTUN_SA_H */
