// SPDX-License-Identifier: GPL-2.0
/*
 * Inbound. The unit is a batch: an ESP packet, or as many of one SA as came
 * together in a super-packet. One lookup, the window locked once before and
 * once after decryption, one update of each counter. Order (RFC 4303 3.4):
 * check the number, authenticate and decrypt, only then move the window and
 * deliver. Each packet is first copied to memory of our own: what was received
 * may be shared with somebody who changes it meanwhile.
 */
#include <linux/etherdevice.h>
#include <linux/hash.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>
#include <net/inet_ecn.h>
#include <net/ip.h>
#include <net/udp.h>
#include "ablate.h"
#include "encap/encap.h"
#include "rx/ike.h"
#include "link.h"
#include "rx/merge.h"
#include "esp/mode.h"
#include "esp/repair.h"
#include "util/order.h"
#include "util/pages.h"
#include "sa/peer.h"
#include "util/reader.h"
#include "rx/rx.h"
#include "sa/sa.h"
#include "util/spread.h"

/* A reason to drop that was counted before. */
#define COUNTED UINT_MAX

/**
 * struct batch - packets of one SA
 * @sa: the SA
 * @skb: received; the first packet is at @at
 * @at: offset in @skb
 * @size: octets a packet, only the last may have less
 * @n: how many, up to ESPTUN_BATCH_MAX
 * @len: octets of all
 * @first: number of the first; those of the others are greater by less than 64
 * @fresh: bit i: number @first + i was not seen before
 * @pass: bit i: the packet with number @first + i is authentic
 * @arrival: what their outer headers say
 * @opened: what is inside
 */
struct batch {
	struct esptun_sa *sa;
	struct sk_buff *skb;
	unsigned int at;
	unsigned int size;
	unsigned int n;
	unsigned int len;
	u64 first;
	u64 fresh;
	u64 pass;
	struct esptun_arrival arrival;
	struct sk_buff_head opened;
};

/* A batch in peer->receiving. */
struct rx_job {
	struct esptun_job job;
	struct esptun_order_item item;
	struct batch b;
};

static struct kmem_cache *job_cache;

static unsigned int packet_len(const struct batch *b, unsigned int i)
{
	return i + 1 < b->n ? b->size : b->len - i * b->size;
}

/* ---- window ---- */

/* Which numbers are possible? The others are counted. False if none is. */
static bool check_window(struct batch *b, u64 claimed, u32 seq)
{
	struct esptun_sa *sa = b->sa;
	u64 left;

	b->fresh = 0;
	spin_lock(&sa->lock);
	if (esptun_replay_infer(&sa->replay, seq, sa->esn, &b->first))
		for (left = claimed; left; left &= left - 1)
			if (esptun_replay_check(&sa->replay,
						b->first + __ffs64(left)))
				b->fresh |= BIT_ULL(__ffs64(left));
	spin_unlock(&sa->lock);
	if (b->fresh != claimed)
		esptun_sa_drop(sa, ESPTUN_STATS_A_RX_REPLAY,
			       hweight64(claimed & ~b->fresh));
	return b->fresh;
}

/*
 * Move the window over all of @b->pass, or if one of them came another way
 * meanwhile, over nothing. @newest: whether one is the newest of all.
 */
static bool commit_window(struct batch *b, bool *newest)
{
	struct esptun_sa *sa = b->sa;
	bool good = true;
	u64 left, top;

	spin_lock(&sa->lock);
	top = sa->replay.top;
	/* The lowest one is checked when nothing has moved yet. */
	for (left = b->pass & (b->pass - 1); left && good; left &= left - 1)
		good = esptun_replay_check(&sa->replay,
					   b->first + __ffs64(left));
	for (left = b->pass; left && good; left &= left - 1)
		good = esptun_replay_commit(&sa->replay,
					    b->first + __ffs64(left));
	*newest = sa->replay.top > top;
	spin_unlock(&sa->lock);
	return good;
}

/* ---- the inner packet ---- */

/* RFC 6040: the outer congestion mark goes inside, or the packet away. */
static bool take_ecn(struct sk_buff *skb, u8 outer)
{
	u8 inner = skb->protocol == htons(ETH_P_IP) ?
			   ip_hdr(skb)->tos :
			   ipv6_get_dsfield(ipv6_hdr(skb));

	return INET_ECN_decapsulate(skb, outer, inner) <= 1;
}

/* The packet as the stack will see it. Return the reason to drop it, or 0. */
static unsigned int admit(const struct batch *b, struct sk_buff *skb)
{
	const struct esptun_ts_set *set = rcu_dereference(b->sa->ts);
	struct esptun_flow flow;
	unsigned int reason;

	if (unlikely(esptun_mode_of(b->sa->mode)->of_endpoints) &&
	    !esptun_peer_is_at(b->sa->peer, &b->arrival.from))
		return ESPTUN_STATS_A_RX_TS;
	if (set) {
		if (!esptun_flow_parse(skb, &flow))
			return ESPTUN_STATS_A_RX_TS;
		reason = esptun_ts_set_why(set, &flow);
		if (reason)
			return reason;
	}
	return take_ecn(skb, b->arrival.tos) ? 0 : ESPTUN_STATS_A_RX_ECN;
}

/* ---- decryption ---- */

/*
 * Open a packet at @text, where it was copied and nobody else changes it. Its
 * header may have changed since it was looked at. @inner tells of what is inside.
 * Return the reason to drop it, or 0.
 */
static unsigned int open_at(struct batch *b, u8 *text, unsigned int len,
			    struct esptun_inner *inner)
{
	const struct esptun_esp_sizes *sizes = &b->sa->alg.sizes;
	const struct esptun_esp_hdr *esp = (struct esptun_esp_hdr *)text;
	unsigned int head = ESPTUN_ESP_HLEN + sizes->iv;
	unsigned int reason;
	u32 ahead;
	int err;

	ahead = ntohl(esp->seq) - lower_32_bits(b->first);
	/* Counted by check_window() already. */
	if (ahead >= ESPTUN_BATCH_MAX || !(b->fresh & BIT_ULL(ahead)))
		return COUNTED;
	if (esp->spi != b->sa->spi)
		return ESPTUN_STATS_A_RX_AUTH;
	err = esptun_alg_open(&b->sa->alg, text, len, b->first + ahead,
			      b->sa->esn);
	if (err)
		return err == -ENOMEM ? ESPTUN_STATS_A_RX_NOMEM :
					ESPTUN_STATS_A_RX_AUTH;
	b->fresh &= ~BIT_ULL(ahead);
	b->pass |= BIT_ULL(ahead);
	reason = esptun_mode_open(esptun_mode_of(b->sa->mode), text + head,
				  len - head - sizes->icv, &b->arrival, inner);
	if (unlikely(b->sa->nat_oa_sum) && !reason)
		esptun_repair(inner, b->sa->nat_oa_sum);
	return reason;
}

static void count_drop(struct batch *b, unsigned int reason)
{
	if (reason != COUNTED)
		esptun_sa_drop(b->sa, reason, 1);
}

/*
 * Room for a packet of its own. As netdev_alloc_skb() does, small ones come
 * from the slab, so that what waits in a socket holds no more memory than it is
 * charged for; but without a second headroom.
 */
static struct sk_buff *alloc_single(struct net_device *dev, unsigned int len)
{
	unsigned int size = ESPTUN_ALG_HEADROOM + len;
	struct sk_buff *skb;

	if (size > SKB_WITH_OVERHEAD(1024))
		skb = netdev_alloc_skb(dev, size);
	else
		skb = __alloc_skb(size, GFP_ATOMIC,
				  SKB_ALLOC_RX | SKB_ALLOC_NAPI, NUMA_NO_NODE);
	if (skb)
		skb_reserve(skb, ESPTUN_ALG_HEADROOM);
	return skb;
}

/* A packet of its own: opened in the skb it is delivered in. */
static void open_single(struct batch *b)
{
	struct sk_buff *skb = alloc_single(b->sa->link->dev, b->len);
	unsigned int reason = ESPTUN_STATS_A_RX_NOMEM;
	struct esptun_inner inner;

	if (skb && !esptun_copy(b->skb, b->at, skb_put(skb, b->len), b->len))
		reason = ESPTUN_STATS_A_RX_TRUNCATED;
	else if (skb)
		reason = open_at(b, skb->data, b->len, &inner);
	if (reason) {
		count_drop(b, reason);
		kfree_skb(skb);
		return;
	}
	/* It may begin in front of where the ESP header was. */
	if (inner.at < skb->data)
		__skb_push(skb, skb->data - inner.at);
	else
		__skb_pull(skb, inner.at - skb->data);
	__skb_trim(skb, inner.len);
	skb->protocol = inner.ip4 ? htons(ETH_P_IP) : htons(ETH_P_IPV6);
	skb_reset_mac_header(skb);
	skb_reset_network_header(skb);
	skb_reset_transport_header(skb);
	__skb_queue_tail(&b->opened, skb);
}

/* Packets of a batch are opened in the CPU's buffer, one after the other. */
static void open_merged(struct batch *b)
{
	u8 *work = esptun_pages_begin() + ESPTUN_ALG_HEADROOM;
	struct esptun_reader r __uninitialized;
	struct esptun_inner inner;
	unsigned int i, reason;
	struct esptun_merge m;

	esptun_merge_init(&m, b->sa->link->dev);
	esptun_reader_init(&r, b->skb);
	for (i = 0; i < b->n; i++) {
		reason = ESPTUN_STATS_A_RX_TRUNCATED;
		if (esptun_reader_get(&r, b->at + i * b->size, work,
				      packet_len(b, i)))
			reason = open_at(b, work, packet_len(b, i), &inner);
		if (!reason &&
		    esptun_merge_add(&m, inner.at, inner.len, inner.ip4))
			reason = ESPTUN_STATS_A_RX_NOMEM;
		if (reason)
			count_drop(b, reason);
	}
	esptun_reader_end(&r);
	esptun_merge_finish(&m);
	esptun_pages_end();
	skb_queue_splice_tail(&m.list, &b->opened);
}

static void open_batch(struct batch *b)
{
	__skb_queue_head_init(&b->opened);
	b->pass = 0;
	if (b->n == 1)
		open_single(b);
	else
		open_merged(b);
}

/* ---- up the stack ---- */

static void count_rx(struct net_device *dev, unsigned int packets, u64 bytes)
{
	struct pcpu_sw_netstats *t = this_cpu_ptr(dev->tstats);

	u64_stats_update_begin(&t->syncp);
	u64_stats_add(&t->rx_packets, packets);
	u64_stats_add(&t->rx_bytes, bytes);
	u64_stats_update_end(&t->syncp);
}

/* Every segment of a super-packet was received with headers as long. */
static unsigned int received_len(const struct sk_buff *skb, unsigned int n)
{
	return skb->len + (n - 1) * skb_headlen(skb);
}

/* May what comes after it continue it? A super-packet is as long as it gets. */
static bool joinable(const struct sk_buff *skb)
{
	if (skb_is_gso(skb))
		return false;
	if (skb->protocol == htons(ETH_P_IP))
		return ip_hdr(skb)->protocol == IPPROTO_TCP;
	return ipv6_hdr(skb)->nexthdr == IPPROTO_TCP;
}

static void deliver(struct batch *b)
{
	struct esptun_link *link = b->sa->link;
	unsigned int n, len, reason, packets = 0;
	u32 cell = hash_32(b->sa->peer->id, 16);
	struct sk_buff *skb;
	u64 bytes = 0;
	bool alone;

	alone = skb_queue_len(&b->opened) == 1 &&
		!joinable(skb_peek(&b->opened));
	while ((skb = __skb_dequeue(&b->opened))) {
		n = skb_shinfo(skb)->gso_segs ?: 1;
		len = received_len(skb, n);
		skb->dev = link->dev;
		reason = admit(b, skb);
		if (!reason)
			reason = esptun_cells_receive(&link->cells, cell, skb,
						      alone);
		if (unlikely(reason)) {
			esptun_sa_drop(b->sa, reason, n);
			kfree_skb(skb);
			continue;
		}
		packets += n;
		bytes += len;
	}
	if (!packets)
		return;
	count_rx(link->dev, packets, bytes);
	esptun_sa_used(b->sa, packets, bytes);
}

/* ---- batches ---- */

static void finish(struct batch *b);

/*
 * One of the packets was received twice at once, and may be anywhere in what
 * was merged: open the others once more, each on its own.
 */
static void receive_singly(struct batch *b)
{
	unsigned int i;
	u32 ahead;

	__skb_queue_purge(&b->opened);
	/* Who delivers for others was not asked before. */
	if (!esptun_alg_ready(&b->sa->alg)) {
		esptun_sa_drop(b->sa, ESPTUN_STATS_A_RX_NOMEM,
			       hweight64(b->pass));
		return;
	}
	for (i = 0; i < b->n; i++) {
		struct batch one = {
			.sa = b->sa,
			.skb = b->skb,
			.at = b->at + i * b->size,
			.size = packet_len(b, i),
			.len = packet_len(b, i),
			.n = 1,
			.arrival = b->arrival,
		};
		struct esptun_esp_hdr esp;

		if (!esptun_copy(b->skb, one.at, &esp, sizeof(esp)))
			continue;
		/* Those that were not authentic are counted. */
		ahead = ntohl(esp.seq) - lower_32_bits(b->first);
		if (ahead >= ESPTUN_BATCH_MAX || !(b->pass & BIT_ULL(ahead)) ||
		    !check_window(&one, 1, ntohl(esp.seq)))
			continue;
		open_batch(&one);
		finish(&one);
	}
}

/* Decrypted, and nothing of its peer is before it. */
static void finish(struct batch *b)
{
	bool newest;

	if (!b->pass)
		return;
	if (commit_window(b, &newest)) {
		esptun_peer_seen(b->sa, &b->arrival, newest);
		deliver(b);
	} else if (b->n > 1) {
		receive_singly(b);
	} else {
		__skb_queue_purge(&b->opened);
		esptun_sa_drop(b->sa, ESPTUN_STATS_A_RX_REPLAY, 1);
	}
}

/* ---- order ---- */

/*
 * What comes from a peer is delivered as it came, also where new keys begin, and
 * an SA's window, which may be as small as 32, moves in this order.
 */
void esptun_rx_hand_over(struct esptun_order *order,
			 struct esptun_order_item *item)
{
	struct rx_job *job = container_of(item, struct rx_job, item);

	if (item->state == ESPTUN_ORDER_READY)
		finish(&job->b);
	consume_skb(job->b.skb);
	kmem_cache_free(job_cache, job);
}

static void complete_job(struct rx_job *job, enum esptun_order_state state,
			 bool here)
{
	esptun_order_complete(&job->b.sa->peer->receiving, &job->item, state,
			      here);
}

static void open_job(struct esptun_job *j)
{
	struct rx_job *job = container_of(j, struct rx_job, job);

	open_batch(&job->b);
	complete_job(job, ESPTUN_ORDER_READY, true);
}

/* A place for @b among what comes from its peer. */
static struct rx_job *reserve_job(const struct batch *b)
{
	struct esptun_order *receiving = &b->sa->peer->receiving;
	struct rx_job *job = kmem_cache_alloc(job_cache, GFP_ATOMIC);

	if (!job) {
		esptun_sa_drop(b->sa, ESPTUN_STATS_A_RX_NOMEM,
			       hweight64(b->fresh));
		return NULL;
	}
	esptun_order_lock(receiving);
	if (esptun_order_full(receiving)) {
		esptun_order_unlock(receiving);
		esptun_sa_drop(b->sa, ESPTUN_STATS_A_RX_OVERFLOW,
			       hweight64(b->fresh));
		kmem_cache_free(job_cache, job);
		return NULL;
	}
	job->job.run = open_job;
	job->b = *b;
	skb_get(b->skb);
	/* It may be opened elsewhere and later. */
	esptun_order_reserve(receiving, &job->item, false);
	return job;
}

/*
 * Into the queue, and to @cpu. @here: what others left may be delivered from here
 * if there is no room.
 */
static void receive_on(const struct batch *b, int cpu, bool here)
{
	struct rx_job *job = reserve_job(b);

	if (!job || esptun_spread(cpu, &job->job))
		return;
	esptun_sa_drop(b->sa, ESPTUN_STATS_A_RX_OVERFLOW, hweight64(b->fresh));
	complete_job(job, ESPTUN_ORDER_DEAD, here);
}

/* Into the queue, behind what waits there, and opened here. */
static void receive_behind(const struct batch *b)
{
	struct rx_job *job = reserve_job(b);

	if (job)
		open_job(&job->job);
}

/*
 * @claimed: numbers, as bits relative to @seq, which is the first one's. Here
 * and now, without any queue, if nothing of the peer is in it and this CPU has
 * had time lately.
 */
static void receive(struct batch *b, u64 claimed, u32 seq)
{
	int cpu = -1;

	if (!check_window(b, claimed, seq))
		return;
	if (unlikely(!esptun_alg_ready(&b->sa->alg)))
		cpu = smp_processor_id();
	else if (b->n > 1)
		cpu = esptun_spread_pick();
	if (cpu >= 0) {
		receive_on(b, cpu, true);
	} else if (likely(esptun_order_idle(&b->sa->peer->receiving))) {
		open_batch(b);
		finish(b);
	} else {
		receive_behind(b);
	}
}

/* ---- ESP ---- */

/* @us: the socket it came to, NULL for plain ESP, whose SA plain.c has looked at. */
static struct esptun_sa *find_sa(struct esptun_net *en,
				 const struct esptun_sock *us, __be32 spi)
{
	struct esptun_sa *sa = esptun_sadb_in_find(en, spi);

	if (likely(us && sa) && rcu_access_pointer(sa->link->us) != us)
		return NULL;
	return sa;
}

/* Of one SA, in the order they were sent: true while the next one belongs. */
static bool belongs(const struct batch *b, struct esptun_reader *r,
		    u64 *claimed, __be32 spi, u32 first)
{
	struct esptun_esp_hdr esp;
	u32 ahead;

	if (!esptun_reader_get(r, b->at + b->n * b->size, &esp, sizeof(esp)) ||
	    esp.spi != spi)
		return false;
	ahead = ntohl(esp.seq) - first;
	/* Without ESN numbers never cycle, RFC 4303 3.3.3. */
	if (!b->sa->esn && ahead > U32_MAX - first)
		return false;
	if (ahead >= ESPTUN_BATCH_MAX || *claimed >> ahead)
		return false;
	*claimed |= BIT_ULL(ahead);
	return true;
}

/* More packets for the batch: @esp begins the first one. */
static u64 gather(struct batch *b, const struct esptun_esp_hdr *esp)
{
	unsigned int next, left = b->skb->len - b->at;
	struct esptun_reader r __uninitialized;
	u64 claimed = 1;

	if (b->len == left || ESPTUN_ALG_HEADROOM + b->size > ESPTUN_WORK_LEN)
		return claimed;
	esptun_reader_init(&r, b->skb);
	while (b->len < left && b->n < ESPTUN_BATCH_MAX) {
		next = min(left - b->len, b->size);
		if (!esptun_esp_valid_len(&b->sa->alg.sizes, next) ||
		    !belongs(b, &r, &claimed, esp->spi, ntohl(esp->seq)))
			break;
		b->n++;
		b->len += next;
	}
	esptun_reader_end(&r);
	return claimed;
}

/* Why packets of this SA cannot be received now, or 0. */
static unsigned int unusable(const struct esptun_sa *sa, unsigned int len)
{
	if (!esptun_sa_live(sa))
		return READ_ONCE(sa->state) == ESPTUN_SA_STATE_LARVAL ?
			       ESPTUN_STATS_A_RX_LARVAL :
			       ESPTUN_STATS_A_RX_EXPIRED;
	if (!netif_running(sa->link->dev))
		return ESPTUN_STATS_A_RX_LINK_DOWN;
	if (!esptun_esp_valid_len(&sa->alg.sizes, len))
		return ESPTUN_STATS_A_RX_TRUNCATED;
	return 0;
}

/* ---- before the key ---- */

/*
 * A packet that came before the key of its SA, in memory of its own: what was
 * received may be large, a device's, or somebody else's.
 */
static struct sk_buff *copy_early(const struct batch *b)
{
	struct sk_buff *skb = alloc_skb(b->len, GFP_ATOMIC);

	if (!skb)
		return NULL;
	if (!esptun_copy(b->skb, b->at, skb_put(skb, b->len), b->len)) {
		kfree_skb(skb);
		return NULL;
	}
	esptun_early_cb(skb)->since = jiffies;
	esptun_early_cb(skb)->tos = b->arrival.tos;
	return skb;
}

/* Return: 0 or why not, as esptun_early_add(). */
static int keep_early(const struct batch *b)
{
	struct sk_buff *skb;
	int err;

	/* Who saw the SPI on its way may send it from anywhere. */
	if (!esptun_peer_is_at(b->sa->peer, &b->arrival.from) ||
	    esptun_early_full(&b->sa->early))
		return -ENOBUFS;
	skb = copy_early(b);
	if (!skb)
		return -ENOMEM;
	err = esptun_early_add(&b->sa->early, skb);
	if (err)
		kfree_skb(skb);
	return err;
}

/* For a larval SA. Return: octets dealt with, 0 if it is not larval any more. */
static unsigned int receive_early(const struct batch *b)
{
	int err = keep_early(b);

	if (err == -ESTALE)
		return 0;
	if (err)
		esptun_sa_drop(b->sa,
			       err == -ENOMEM ? ESPTUN_STATS_A_RX_NOMEM :
						ESPTUN_STATS_A_RX_LARVAL,
			       1);
	return b->len;
}

/*
 * The key is there. By now the peer may be elsewhere than where it sent this
 * from, so this does not move it: there is no remote address.
 */
static void queue_early(struct esptun_sa *sa, struct sk_buff *skb)
{
	const struct esptun_esp_hdr *esp = (struct esptun_esp_hdr *)skb->data;
	unsigned int reason = unusable(sa, skb->len);
	struct batch b = {
		.sa = sa,
		.skb = skb,
		.size = skb->len,
		.len = skb->len,
		.n = 1,
		.arrival.tos = esptun_early_cb(skb)->tos,
	};

	if (reason)
		esptun_sa_drop(sa, reason, 1);
	else if (check_window(&b, 1, ntohl(esp->seq)))
		receive_on(&b, smp_processor_id(), false);
}

void esptun_rx_early(struct esptun_sa *sa, struct esptun_early *early)
{
	struct sk_buff_head list;
	struct sk_buff *skb;

	__skb_queue_head_init(&list);
	esptun_early_take(early, 0, &list);
	rcu_read_lock();
	while ((skb = __skb_dequeue(&list))) {
		queue_early(sa, skb);
		consume_skb(skb);
	}
	rcu_read_unlock();
}

/* ---- datagrams ---- */

/*
 * The first packets at @at of a super-packet of packets of @size octets that form
 * a batch. Return: octets dealt with, 0 if the SA just changed: again.
 */
static unsigned int esp_batch(struct esptun_net *en,
			      const struct esptun_sock *us, struct sk_buff *skb,
			      const struct esptun_arrival *arrival,
			      unsigned int at, unsigned int size)
{
	unsigned int left = skb->len - at;
	struct batch b __uninitialized;
	struct esptun_esp_hdr esp;
	unsigned int reason;

	b.skb = skb;
	b.at = at;
	b.size = b.len = min(left, size);
	b.n = 1;
	b.arrival = *arrival;
	if (!esptun_copy(skb, at, &esp, sizeof(esp))) {
		esptun_stats_drop(en->stats, NULL, 0,
				  ESPTUN_STATS_A_RX_TRUNCATED, 1);
		return b.len;
	}
	b.sa = find_sa(en, us, esp.spi);
	if (!b.sa) {
		esptun_stats_drop(en->stats, NULL, esp.spi,
				  ESPTUN_STATS_A_RX_NO_SA, 1);
		return b.len;
	}
	if (unlikely(arrival->zero_csum6) &&
	    !READ_ONCE(b.sa->peer->zero_csum6_rx)) {
		esptun_sa_drop(b.sa, ESPTUN_STATS_A_RX_ZERO_CSUM6, 1);
		return b.len;
	}
	reason = unusable(b.sa, b.len);
	if (reason == ESPTUN_STATS_A_RX_LARVAL)
		return receive_early(&b);
	if (reason) {
		esptun_sa_drop(b.sa, reason, 1);
		return b.len;
	}
	receive(&b, gather(&b, &esp), ntohl(esp.seq));
	return b.len;
}

/*
 * @skb starts at the first ESP header; packets have @size octets, only the last
 * may have less. A packet that waits must not hold what is not ours.
 */
static void esp_receive(struct esptun_net *en, const struct esptun_sock *us,
			struct sk_buff *skb,
			const struct esptun_arrival *arrival, unsigned int size)
{
	unsigned int at = 0;

	skb_dst_drop(skb);
	skb_orphan(skb);
	while (at < skb->len)
		at += esp_batch(en, us, skb, arrival, at, size);
	/* To the CPU's cache, from which the next one is taken. */
	napi_consume_skb(skb, 1);
}

/* ---- UDP ---- */

/*
 * RFC 3948 2.2, 2.3: one octet 0xff is a keepalive, four zero octets in front
 * mean IKE, the rest is ESP. Return: a counter, or 0 if it is ESP. @skb starts
 * behind the UDP header.
 */
static unsigned int demux(struct esptun_sock *us, struct sk_buff *skb,
			  const struct esptun_arrival *arrival)
{
	const struct esptun_esp_hdr *esp;
	struct esptun_esp_hdr buf;

	esp = skb_header_pointer(skb, 0, sizeof(buf), &buf);
	/* A datagram of a jumbogram (RFC 2675) is no ESP packet of anybody's. */
	if (unlikely(skb->len > IP_MAX_MTU) && !skb_is_gso(skb))
		return ESPTUN_STATS_A_RX_TRUNCATED;
	if (esp && esp->spi)
		return 0;
	if (esp)
		return arrival->zero_csum6 ?
			       ESPTUN_STATS_A_RX_ZERO_CSUM6 :
			       esptun_ike_receive(us, skb, arrival);
	if (skb->len == 1 && pskb_may_pull(skb, 1) && skb->data[0] == 0xff)
		return ESPTUN_STATS_A_RX_KEEPALIVE;
	return ESPTUN_STATS_A_RX_TRUNCATED;
}

int esptun_rx_encap(struct sock *sk, struct sk_buff *skb)
{
	struct esptun_sock *us = rcu_dereference_sk_user_data(sk);
	struct esptun_arrival arrival;
	unsigned int counter;

	if (unlikely(!us)) {
		kfree_skb(skb);
		return 0;
	}
	__skb_pull(skb, sizeof(struct udphdr));
	INDIRECT_CALL_1(esptun_family_of(sk->sk_family)->arrival,
			esptun_ip4_arrival, skb, &arrival);
	arrival.from.port = udp_hdr(skb)->source;
	arrival.zero_csum6 = sk->sk_family == AF_INET6 && !udp_hdr(skb)->check;
	counter = demux(us, skb, &arrival);
	if (!counter) {
		esp_receive(us->en, us, skb, &arrival,
			    skb_is_gso(skb) ? skb_shinfo(skb)->gso_size :
					      skb->len);
		return 0;
	}
	if (counter == ESPTUN_STATS_A_RX_IKE ||
	    counter == ESPTUN_STATS_A_RX_KEEPALIVE) {
		esptun_stats_add(us->en->stats, counter, 1);
		consume_skb(skb);
	} else {
		esptun_stats_drop(us->en->stats, NULL, 0, counter, 1);
		kfree_skb(skb);
	}
	return 0;
}

/* Whatever a device says of it, each is a packet alone: GRO joins none of these. */
void esptun_rx_plain(struct esptun_net *en, struct sk_buff *skb,
		     const struct esptun_arrival *arrival)
{
	if (unlikely(skb->len > IP_MAX_MTU)) {
		esptun_stats_drop(en->stats, NULL, 0,
				  ESPTUN_STATS_A_RX_TRUNCATED, 1);
		kfree_skb(skb);
		return;
	}
	/* What waits for its turn must not hold what is not ours; UDP did this before. */
	nf_reset_ct(skb);
	esp_receive(en, NULL, skb, arrival, skb->len);
}

int esptun_rx_module_init(void)
{
	job_cache = KMEM_CACHE(rx_job, 0);
	return job_cache ? 0 : -ENOMEM;
}

void esptun_rx_module_exit(void)
{
	kmem_cache_destroy(job_cache);
}
