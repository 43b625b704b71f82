// SPDX-License-Identifier: GPL-2.0
/*
 * Outbound. The unit is what the stack hands us, up to a 64 KB super-packet:
 * one SA lookup, one route, one range of sequence numbers, one update of each
 * counter, then each segment is copied once into memory of our own, where its
 * checksum is completed and it is encrypted. Submitted memory is only read.
 */
#include <linux/hash.h>
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/random.h>
#include <linux/udp.h>
#include <net/icmp.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include "ablate.h"
#include "sa/charge.h"
#include "encap/encap.h"
#include "util/event.h"
#include "link.h"
#include "esp/mode.h"
#include "tx/nest.h"
#include "util/order.h"
#include "util/pages.h"
#include "encap/path.h"
#include "sa/peer.h"
#include "sa/percpu.h"
#include "encap/plain.h"
#include "sa/sa.h"
#include "tx/segment.h"
#include "util/spread.h"
#include "sa/timer.h"
#include "tx/tx.h"

/**
 * struct tx_cb - of a packet that waits for the SIMD registers
 * @job: waits for them
 * @depth: SAs it went through already
 */
struct tx_cb {
	struct esptun_job job;
	unsigned int depth;
};

static struct tx_cb *tx_cb(struct sk_buff *skb)
{
	BUILD_BUG_ON(sizeof(struct tx_cb) > sizeof(skb->cb));
	return (struct tx_cb *)skb->cb;
}

static unsigned int segments(const struct sk_buff *skb)
{
	return skb_shinfo(skb)->gso_segs ?: 1;
}

static bool is_ip4(const struct sk_buff *skb)
{
	return skb->protocol == htons(ETH_P_IP);
}

/* ---- telling the sender ---- */

static void send_unreachable(struct sk_buff *skb)
{
	if (is_ip4(skb))
		icmp_ndo_send(skb, ICMP_DEST_UNREACH, ICMP_HOST_UNREACH, 0);
	else
		icmpv6_ndo_send(skb, ICMPV6_DEST_UNREACH, ICMPV6_ADDR_UNREACH,
				0);
}

/*
 * In transport mode the packet has the outer addresses. Over IPv6 what the ICMP
 * message taught would be taken for the MTU of the outer route, each time with less
 * room. Over IPv4 no esptun peer goes by the route, and one above this SA would
 * not be told otherwise.
 */
static void send_too_big(const struct esptun_sa *sa, struct sk_buff *skb,
			 unsigned int mtu)
{
	skb_dst_update_pmtu_no_confirm(skb, mtu);
	if (esptun_mode_of(sa->mode)->of_endpoints && !is_ip4(skb))
		return;
	if (is_ip4(skb))
		icmp_ndo_send(skb, ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED,
			      htonl(mtu));
	else
		icmpv6_ndo_send(skb, ICMPV6_PKT_TOOBIG, 0, mtu);
}

static void drop(struct esptun_sa *sa, struct sk_buff *skb, unsigned int id)
{
	esptun_sa_drop(sa, id, segments(skb));
	kfree_skb(skb);
}

/* ---- no SA ---- */

static struct esptun_peer *only_peer(struct esptun_link *link)
{
	unsigned long id = 0;

	if (READ_ONCE(link->n_peers) != 1)
		return NULL;
	return xa_find(&link->peers, &id, ULONG_MAX, XA_PRESENT);
}

/* Keep the packet until there is an SA. */
static void hold(struct esptun_link *link, struct sk_buff *skb,
		 unsigned long since)
{
	struct esptun_flow flow;
	struct sk_buff *surplus;
	bool due;

	esptun_flow_parse(skb, &flow);
	*esptun_hold_cb(skb) = (struct esptun_hold_cb){
		.since = since,
		.depth = esptun_nest_find(NULL).depth,
	};
	due = esptun_hold_add(&link->held, skb, &flow, &surplus);
	esptun_timer_held(link);
	if (surplus) {
		esptun_stats_drop(link->stats, link->dev, 0,
				  ESPTUN_STATS_A_TX_HELD, segments(surplus));
		kfree_skb(surplus);
	}
	if (due)
		esptun_event_acquire(link, only_peer(link), &flow, NULL);
}

/*
 * May an agent come up with an SA? Not if every peer has one already, and no
 * agent said that it makes further ones: then the packet is outside of all
 * selectors.
 */
static bool worth_waiting(const struct esptun_link *link)
{
	return READ_ONCE(link->en->agent) &&
	       (READ_ONCE(link->n_idle) || READ_ONCE(link->n_on_demand) ||
		!READ_ONCE(link->n_peers));
}

static void no_sa(struct esptun_link *link, struct sk_buff *skb,
		  const struct esptun_miss *miss, unsigned long since)
{
	if (worth_waiting(link)) {
		hold(link, skb, since);
		return;
	}
	send_unreachable(skb);
	if (miss->sa) {
		drop(miss->sa, skb, miss->reason);
		return;
	}
	esptun_stats_drop(link->stats, link->dev, 0, ESPTUN_STATS_A_TX_NO_SA,
			  segments(skb));
	kfree_skb(skb);
}

/* ---- checks before any work ---- */

/*
 * The stack sends IP only, packet sockets what they like. Afterwards the IP
 * header is linear and skb->protocol tells the truth.
 */
static bool valid(struct sk_buff *skb)
{
	unsigned int len = skb->len;
	const struct iphdr *ip;

	skb_reset_network_header(skb);
	if (!pskb_may_pull(skb, sizeof(struct iphdr)))
		return false;
	if (!skb_is_gso(skb) && len > ESPTUN_INNER_MAX)
		return false;
	ip = ip_hdr(skb);
	if (ip->version == 4) {
		skb->protocol = htons(ETH_P_IP);
		return ip->ihl >= 5 && pskb_may_pull(skb, ip->ihl * 4) &&
		       (skb_is_gso(skb) || ntohs(ip_hdr(skb)->tot_len) <= len);
	}
	if (ip->version == 6) {
		skb->protocol = htons(ETH_P_IPV6);
		return pskb_may_pull(skb, sizeof(struct ipv6hdr)) &&
		       (skb_is_gso(skb) ||
			ntohs(ipv6_hdr(skb)->payload_len) +
					sizeof(struct ipv6hdr) <=
				len);
	}
	return false;
}

static bool fits(const struct sk_buff *skb, unsigned int mtu)
{
	if (skb_is_gso(skb))
		return skb_gso_validate_network_len(skb, mtu);
	return skb->len <= mtu;
}

/*
 * The MTU to hold the sender to. Every IPv6 path carries 1280 octets and hosts
 * ignore who tells them less (RFC 8200 5): on a smaller path the outer packet
 * is fragmented instead.
 */
static unsigned int sender_mtu(const struct sk_buff *skb, unsigned int mtu)
{
	return is_ip4(skb) ? mtu : max_t(unsigned int, mtu, IPV6_MIN_MTU);
}

/* ---- encryption ---- */

/**
 * struct batch - what all segments of a packet have in common
 * @sa: the SA
 * @skb: the packet; struct place is in its control block
 * @out: outer packets made of it
 * @tail: where the next one goes
 * @last: the last of them
 * @segs: the segments
 * @path: where they go
 * @outer: their outer header
 * @nest: how deep the SA is in other tunnels
 * @tx_cpu: result of tx_cpu()
 * @seq: number of the first one
 * @frame: what of them is sealed
 * @pad_to: octets that a payload has at least (RFC 4303 2.7)
 * @packets: sealed
 * @bytes: sealed, inner octets
 * @padding: sealed behind them, to have @pad_to
 */
struct batch {
	struct esptun_sa *sa;
	struct sk_buff *skb;
	struct sk_buff *out;
	struct sk_buff **tail;
	struct sk_buff *last;
	struct esptun_segments segs;
	struct esptun_path path;
	struct esptun_outer outer;
	struct esptun_nest_place nest;
	unsigned int tx_cpu;
	u64 seq;
	struct esptun_frame frame;
	unsigned int pad_to;
	unsigned int packets;
	u64 bytes;
	u64 padding;
};

/* What of segment @i is sealed. */
static unsigned int inner_len(const struct batch *b, unsigned int i)
{
	return esptun_segment_len(&b->segs, i) - b->frame.strip;
}

static unsigned int sealed_len(const struct batch *b, unsigned int i)
{
	return esptun_esp_len(&b->sa->alg.sizes,
			      max(inner_len(b, i), b->pad_to));
}

/* The receiver finds by the inner header where the packet ends. Return: octets. */
static unsigned int pad_payload(const struct batch *b, u8 *text,
				unsigned int len)
{
	if (likely(len >= b->pad_to))
		return len;
	memset(text + len, 0, b->pad_to - len);
	return b->pad_to;
}

/* What could not be sealed. Some ciphers of the crypto layer ask for memory. */
static bool drop_segment(struct batch *b, int err)
{
	esptun_sa_drop(b->sa,
		       err == -ENOMEM ? ESPTUN_STATS_A_TX_NOMEM :
					ESPTUN_STATS_A_TX_CRYPTO,
		       1);
	return false;
}

/*
 * Segment @i as ESP packet @to, with ESPTUN_ALG_HEADROOM in front. What is not
 * sealed is written there, too, and overwritten by what is in front of the rest.
 */
static bool seal(struct batch *b, unsigned int i, u8 *to)
{
	const struct esptun_esp_sizes *sizes = &b->sa->alg.sizes;
	struct esptun_esp_hdr *esp = (struct esptun_esp_hdr *)to;
	unsigned int inner = inner_len(b, i);
	unsigned int len, pad;
	u8 *text = to + ESPTUN_ESP_HLEN + sizes->iv;
	u64 seq = b->seq + i;
	int err;

	BUILD_BUG_ON(ESPTUN_ALG_HEADROOM + ESPTUN_ESP_HLEN <
		     sizeof(struct ipv6hdr));
	if (!esptun_segment_write(&b->segs, i, text - b->frame.strip))
		return drop_segment(b, -EFAULT);
	len = pad_payload(b, text, inner);
	pad = esptun_esp_pad(sizes, len);
	esp->spi = b->sa->spi;
	esp->seq = htonl(lower_32_bits(seq));
	esptun_esp_put_trailer(text + len, pad, b->frame.next);
	err = esptun_alg_seal(&b->sa->alg, to, len + pad + ESPTUN_ESP_TLEN, seq,
			      b->sa->esn);
	if (unlikely(err))
		return drop_segment(b, err);
	b->packets++;
	b->bytes += inner + b->frame.strip;
	b->padding += len - inner;
	return true;
}

/*
 * A finished outer packet. All of an SA take the same transmit queue, or they
 * would overtake one another there: so the hash is the SA's, and so is the CPU
 * that XPS asks for.
 */
static void append_outer(struct batch *b, struct sk_buff *out)
{
	out->priority = b->skb->priority;
	skb_set_hash(out, b->outer.flow, PKT_HASH_TYPE_L4);
#ifdef CONFIG_XPS
	out->sender_cpu = b->tx_cpu;
#endif
	esptun_encap_wrap(b->sa->link, &b->path, out, &b->outer);
	*b->tail = out;
	b->tail = &out->next;
	b->last = out;
}

/*
 * An skb that soon is gone: from the CPU's caches for network drivers, at half
 * the price of alloc_skb().
 */
static struct sk_buff *alloc_short_lived(unsigned int len)
{
	unsigned int size = SKB_DATA_ALIGN(len) +
			    SKB_DATA_ALIGN(sizeof(struct skb_shared_info));
	struct sk_buff *skb;
	void *data;

	if (size > PAGE_SIZE)
		return alloc_skb(len, GFP_ATOMIC);
	data = napi_alloc_frag(size);
	if (!data)
		return NULL;
	skb = napi_build_skb(data, size);
	if (!skb)
		skb_free_frag(data);
	return skb;
}

/* One packet, in an skb of its own. */
static void send_single(struct batch *b, unsigned int i)
{
	unsigned int head =
		esptun_encap_headroom(&b->path) + ESPTUN_ALG_HEADROOM;
	unsigned int len = sealed_len(b, i);
	struct sk_buff *out;

	/* Segments of a super-packet were not measured before. */
	if (esptun_segment_len(&b->segs, i) > ESPTUN_INNER_MAX) {
		esptun_sa_drop(b->sa, ESPTUN_STATS_A_TX_TOO_BIG, 1);
		return;
	}
	out = alloc_short_lived(head + len);
	if (!out) {
		esptun_sa_drop(b->sa, ESPTUN_STATS_A_TX_NOMEM, 1);
		return;
	}
	skb_reserve(out, head);
	if (seal(b, i, skb_put(out, len)))
		append_outer(b, out);
	else
		kfree_skb(out);
}

/*
 * As many segments from @i on as make one outer super-packet: equal lengths, only
 * the last may be shorter. Return: how many were dealt with; 0 if memory was
 * short.
 */
static unsigned int send_super(struct batch *b, unsigned int i)
{
	unsigned int len = sealed_len(b, i);
	unsigned int most =
		min3(b->segs.n - i, ESPTUN_BATCH_MAX, ESPTUN_SEALED_MAX / len);
	unsigned int head = esptun_encap_headroom(&b->path);
	struct sk_buff *out = alloc_skb(head, GFP_ATOMIC);
	unsigned int done, n;
	u8 *work;

	if (!out)
		return 0;
	skb_reserve(out, head);
	work = esptun_pages_begin() + ESPTUN_ALG_HEADROOM;
	for (done = 0; done < most; done++) {
		n = sealed_len(b, i + done);
		if (!esptun_pages_room(out, n))
			break;
		if (seal(b, i + done, work))
			esptun_pages_add(out, work, n);
	}
	esptun_pages_end();
	if (!out->len) {
		kfree_skb(out);
		return done;
	}
	if (out->len > len)
		INDIRECT_CALL_1(b->path.encap->join, esptun_udp_join, out, len);
	append_outer(b, out);
	return done;
}

/*
 * Segments that the stack alone can make: a list that still points into the
 * super-packet's memory. Return: NULL after counting why not; @skb is gone
 * then.
 */
static struct sk_buff *split(struct esptun_sa *sa, struct sk_buff *skb)
{
	struct sk_buff *list;

	list = skb_gso_segment(skb,
			       sa->link->dev->features & ~NETIF_F_GSO_MASK);
	if (PTR_ERR(list) == -ENOMEM) {
		drop(sa, skb, ESPTUN_STATS_A_TX_NOMEM);
		return NULL;
	}
	if (IS_ERR_OR_NULL(list)) {
		esptun_stats_drop(sa->link->stats, sa->link->dev, 0,
				  ESPTUN_STATS_A_TX_MALFORMED, segments(skb));
		kfree_skb(skb);
		return NULL;
	}
	consume_skb(skb);
	return list;
}

/* Where the header behind the IP header is, 0 in a later fragment. */
static int find_upper_ip4(const struct iphdr *ip, u8 *proto)
{
	*proto = ip->protocol;
	return ip->frag_off & htons(IP_OFFSET) ? 0 : ip->ihl * 4;
}

/* Outer packets have no other extension headers. */
static int find_upper_ip6(const struct sk_buff *skb, u8 *upper)
{
	u8 proto = ipv6_hdr(skb)->nexthdr;
	int at = sizeof(struct ipv6hdr);
	const struct frag_hdr *frag;
	struct frag_hdr buf;

	if (proto == NEXTHDR_FRAGMENT) {
		frag = skb_header_pointer(skb, at, sizeof(buf), &buf);
		if (!frag)
			return -ENOENT;
		proto = frag->nexthdr;
		at = frag->frag_off & htons(IP6_OFFSET) ? 0 :
							  at + sizeof(*frag);
	}
	*upper = proto;
	return at;
}

static bool is_to_many(const struct sk_buff *skb)
{
	return is_ip4(skb) ? ipv4_is_multicast(ip_hdr(skb)->daddr) :
			     ipv6_addr_is_multicast(&ipv6_hdr(skb)->daddr);
}

/* @at: where the header of @proto is, 0 in a later fragment. */
static bool may_be_outer(const struct sk_buff *skb, u8 proto, int at)
{
	const struct udphdr *uh;
	struct udphdr buf;

	if (proto == IPPROTO_ESP)
		return esptun_plain_is_used();
	if (proto != IPPROTO_UDP)
		return false;
	if (!at)
		return true;
	uh = skb_header_pointer(skb, at, sizeof(buf), &buf);
	return uh && esptun_udp_is_our_port(uh->source);
}

/*
 * What is sent may be an outer packet of ours that some way, through other hosts
 * or namespaces, led here. Each time round it is another packet with a TTL of
 * its own, so it would go round for ever: its TTL bounds the next one. Of its
 * fragments only the first one shows the port. Return: 0 if it must end.
 */
static u8 outer_ttl_max(const struct sk_buff *skb)
{
	u8 ttl, proto;
	int at;

	at = is_ip4(skb) ? find_upper_ip4(ip_hdr(skb), &proto) :
			   find_upper_ip6(skb, &proto);
	if (at < 0 || is_to_many(skb) || !may_be_outer(skb, proto, at))
		return U8_MAX;
	ttl = is_ip4(skb) ? ip_hdr(skb)->ttl : ipv6_hdr(skb)->hop_limit;
	return ttl ? ttl - 1 : 0;
}

static void count_tx(struct batch *b)
{
	if (!b->packets)
		return;
	dev_sw_netstats_tx_add(b->sa->link->dev, b->packets, b->bytes);
	/* A key is used for padding, too (RFC 4301 4.4.2.1). */
	esptun_sa_used(b->sa, b->packets, b->bytes + b->padding);
	esptun_timer_sent(b->sa->peer);
}

/* ---- order ---- */

/**
 * struct place - of a packet in sa->sending, in its control block
 * @item: the place
 * @out: outer packets made of it, if it is ready
 * @depth: SAs it went through, this one included
 * @charged: the last outer packet keeps the packet
 */
struct place {
	struct esptun_order_item item;
	struct sk_buff *out;
	unsigned int depth;
	bool charged;
};

static struct place *place_of(struct sk_buff *skb)
{
	BUILD_BUG_ON(sizeof(struct place) > sizeof(skb->cb));
	return (struct place *)skb->cb;
}

/*
 * Dummies follow the SA's packets to their queue. Did they count as such, those
 * would never take another one.
 */
static unsigned int tx_cpu(const struct batch *b)
{
	return b->frame.next == ESPTUN_NEXT_DUMMY ? b->sa->tx_cpu :
						    esptun_sa_tx_cpu(b->sa);
}

/*
 * A sequence number and a place go together: packets of an SA leave in the order
 * of their numbers, for the peer's window may be as small as 32 (RFC 4303
 * 3.4.3). Return: the reason to drop it, or 0.
 */
static unsigned int reserve_place(struct batch *b)
{
	struct esptun_sa *sa = b->sa;
	struct place *place = place_of(b->skb);
	unsigned int reason = 0;

	esptun_order_lock(&sa->sending);
	if (esptun_order_full(&sa->sending))
		reason = ESPTUN_STATS_A_TX_OVERFLOW;
	else if (esptun_sa_take(sa, b->segs.n, &b->seq))
		reason = ESPTUN_STATS_A_TX_SEQUENCE;
	if (unlikely(reason)) {
		esptun_order_unlock(&sa->sending);
		return reason;
	}
	b->tx_cpu = tx_cpu(b);
	b->out = NULL;
	b->tail = &b->out;
	place->depth = b->nest.depth + 1;
	esptun_order_reserve(&sa->sending, &place->item,
			     b->nest.frames < ESPTUN_NEST_FRAMES);
	return 0;
}

/* What was made of the packet goes out when its turn comes. */
static void complete_place(struct batch *b)
{
	struct place *place = place_of(b->skb);

	place->out = b->out;
	place->charged = b->out && esptun_charged(b->skb);
	if (place->charged)
		esptun_charge_keep(b->last, b->skb);
	esptun_order_complete(&b->sa->sending, &place->item,
			      b->out ? ESPTUN_ORDER_READY : ESPTUN_ORDER_DEAD,
			      b->nest.frames < ESPTUN_NEST_FRAMES);
}

void esptun_tx_hand_over(struct esptun_order *order,
			 struct esptun_order_item *item)
{
	struct esptun_sa *sa = container_of(order, struct esptun_sa, sending);
	struct place *place = container_of(item, struct place, item);
	struct sk_buff *skb =
		container_of((char *)place, struct sk_buff, cb[0]);
	struct sk_buff *next, *out = place->out;
	bool charged = place->charged;
	struct esptun_nest nest;

	/* A packet that is kept may be gone with the last outer one. */
	esptun_nest_enter(&nest, sa, place->depth);
	for (; out; out = next) {
		next = out->next;
		skb_mark_not_on_list(out);
		esptun_encap_send(sa->link, out);
	}
	esptun_nest_leave(&nest);
	/* To the CPU's cache, from which outer ones are taken. */
	if (!charged)
		napi_consume_skb(skb, 1);
}

/* Segments that are too long for the path leave in fragments, each by itself. */
static bool worth_batching(const struct batch *b)
{
	return b->segs.n > 1 && b->path.encap->batches &&
	       ESPTUN_ALG_HEADROOM + sealed_len(b, 0) <= ESPTUN_WORK_LEN &&
	       sealed_len(b, 0) + b->path.hlen <= b->path.mtu &&
	       INDIRECT_CALL_1(b->path.encap->batches, esptun_udp_batches,
			       &b->path) &&
	       !esptun_ablate(ESPTUN_ABLATE_TX_BATCH);
}

/* Everything @b->segs stands for, under one range of numbers. */
static void send_segments(struct batch *b)
{
	unsigned int reason = reserve_place(b);
	bool super = worth_batching(b);
	unsigned int i, done;

	if (unlikely(reason)) {
		esptun_segments_end(&b->segs);
		drop(b->sa, b->skb, reason);
		return;
	}
	for (i = 0; i < b->segs.n; i += done) {
		done = super ? send_super(b, i) : 0;
		if (!done) {
			send_single(b, i);
			done = 1;
		}
	}
	esptun_segments_end(&b->segs);
	complete_place(b);
}

/* The path is known, the packet fits: it goes. */
static void send_batch(struct batch *b, struct sk_buff *skb)
{
	struct sk_buff *next;

	b->skb = skb;
	if (esptun_segments_init(&b->segs, skb)) {
		send_segments(b);
		count_tx(b);
		return;
	}
	for (skb = split(b->sa, skb); skb; skb = next) {
		next = skb->next;
		skb_mark_not_on_list(skb);
		b->skb = skb;
		if (esptun_segments_init(&b->segs, skb))
			send_segments(b);
		else
			drop(b->sa, skb, ESPTUN_STATS_A_TX_CRYPTO);
	}
	count_tx(b);
}

static void no_path(struct esptun_sa *sa, struct sk_buff *skb, int err)
{
	send_unreachable(skb);
	drop(sa, skb,
	     err == -ELOOP ? ESPTUN_STATS_A_TX_LOOP :
			     ESPTUN_STATS_A_TX_NO_ROUTE);
}

/*
 * All but whether it may be fragmented, which it always may if no ICMP error about it
 * will be believed. @skb: what is inside, NULL for a dummy.
 */
static void set_outer(struct batch *b, struct sk_buff *skb)
{
	struct esptun_header *h = &b->path.header;

	/* In transport mode the outer header stands for the packet's own. */
	if (esptun_mode_of(b->sa->mode)->of_endpoints)
		h->df = ESPTUN_DF_INHERIT;
	b->outer.flow = hash_32((__force u32)b->sa->spi, 32);
	b->outer.label = 0;
	b->outer.frag_max = 0;
	if (b->path.family->family == AF_INET6)
		b->outer.label = esptun_header_label(h, skb, b->outer.flow);
	b->outer.tos = esptun_header_tos(h, skb);
	b->outer.ttl = b->frame.ttl ?: esptun_header_ttl(h, skb);
}

static void with_sa(struct esptun_sa *sa, struct sk_buff *skb)
{
	struct batch b __uninitialized;
	unsigned int inner, mtu;
	bool whole;
	int err;

	b.sa = sa;
	b.packets = 0;
	b.bytes = 0;
	b.padding = 0;
	b.nest = esptun_nest_find(sa);
	b.outer.ttl_max = outer_ttl_max(skb);
	if (unlikely(b.nest.loop || b.nest.depth >= ESPTUN_NEST_MAX ||
		     !b.outer.ttl_max)) {
		no_path(sa, skb, -ELOOP);
		return;
	}
	err = esptun_path_find(sa->peer, &b.path);
	if (err) {
		no_path(sa, skb, err);
		return;
	}
	if (unlikely(!esptun_mode_of(sa->mode)->wrap(skb, &b.path, &b.frame))) {
		/* The selectors fit, but the SA is for packets between the endpoints. */
		send_unreachable(skb);
		drop(sa, skb, ESPTUN_STATS_A_TX_NO_SA);
		goto out;
	}
	inner = esptun_esp_inner_mtu(&sa->alg.sizes, b.path.mtu, b.path.hlen) +
		b.frame.strip;
	set_outer(&b, skb);
	whole = esptun_header_whole(&b.path.header, skb);
	b.outer.df = whole && sa->by_spi && fits(skb, inner);
	b.pad_to = min3(READ_ONCE(sa->tfc), inner, ESPTUN_INNER_MAX);
	mtu = sender_mtu(skb, inner);
	if (b.outer.df || !whole || fits(skb, mtu)) {
		send_batch(&b, skb);
	} else {
		send_too_big(sa, skb, mtu);
		drop(sa, skb, ESPTUN_STATS_A_TX_TOO_BIG);
	}
out:
	esptun_path_put(&b.path);
}

/* ---- dummy packets ---- */

/* As long as the SA's other packets are padded to, or anything up to a full one. */
static struct sk_buff *alloc_dummy(const struct batch *b, unsigned int inner)
{
	unsigned int most = min(inner, ESPTUN_DUMMY_LEN_MAX);
	unsigned int len = 1;
	struct sk_buff *skb;

	if (!b->pad_to)
		len += reciprocal_scale(get_random_u32(), most);
	skb = alloc_skb(len, GFP_ATOMIC);
	if (skb)
		skb_put_zero(skb, len);
	return skb;
}

/* No packet of the link's, so only the SA counts it. */
static void count_dummy(struct batch *b)
{
	if (!b->packets)
		return;
	esptun_sa_note(b->sa, ESPTUN_STATS_A_TX_DUMMY, 1);
	esptun_sa_used(b->sa, 1, b->bytes + b->padding);
	esptun_timer_sent(b->sa->peer);
}

static void send_dummy(struct batch *b)
{
	const struct esptun_esp_sizes *sizes = &b->sa->alg.sizes;
	unsigned int inner;

	inner = esptun_esp_inner_mtu(sizes, b->path.mtu, b->path.hlen);
	b->pad_to = min3(READ_ONCE(b->sa->tfc), inner, ESPTUN_INNER_MAX);
	if (!inner)
		return;
	b->skb = alloc_dummy(b, inner);
	if (!b->skb)
		return;
	/* Only a super-packet may be of a kind that it does not know. */
	esptun_segments_init(&b->segs, b->skb);
	send_segments(b);
	count_dummy(b);
}

void esptun_tx_dummy(struct esptun_sa *sa)
{
	struct batch b = {
		.sa = sa,
		.nest = esptun_nest_find(sa),
		.frame.next = ESPTUN_NEXT_DUMMY,
		.outer.ttl_max = U8_MAX,
	};

	/* What waits its turn hides as much as a dummy would. */
	if (!esptun_alg_ready(&sa->alg) || !esptun_order_idle(&sa->sending) ||
	    esptun_path_find(sa->peer, &b.path))
		return;
	set_outer(&b, NULL);
	b.outer.df = sa->by_spi && esptun_header_whole(&b.path.header, NULL);
	send_dummy(&b);
	esptun_path_put(&b.path);
}

/* @since: jiffies when the packet came. Bottom halves off, RCU. */
static void send_packet(struct esptun_link *link, struct sk_buff *skb,
			unsigned long since);

/* ---- SAs of CPUs ---- */

/* Ask an agent for an SA of this CPU; @sa sends until there is one. */
static void ask_for_cpu(struct esptun_link *link, struct esptun_sa *sa,
			const struct sk_buff *skb)
{
	const unsigned int cpu = smp_processor_id();
	struct esptun_flow flow;

	if (!READ_ONCE(link->en->agent) || !esptun_percpu_due(sa) ||
	    !esptun_hold_ask_cpu(&link->held))
		return;
	esptun_percpu_asked(sa);
	esptun_flow_parse(skb, &flow);
	esptun_event_acquire(link, sa->peer, &flow, &cpu);
}

/* @sa is one that others, of CPUs, share their selectors with. */
static struct esptun_sa *prefer_own(struct esptun_link *link,
				    struct esptun_sa *sa,
				    const struct sk_buff *skb)
{
	struct esptun_sa *own = esptun_percpu_find(sa);

	if (own)
		return own;
	ask_for_cpu(link, sa, skb);
	return sa;
}

/* Send what waited, as deep in other tunnels as it was when it came. */
static void resume(struct esptun_link *link, struct sk_buff *skb,
		   unsigned int depth, unsigned long since)
{
	struct esptun_nest nest;

	esptun_nest_enter(&nest, NULL, depth);
	send_packet(link, skb, since);
	esptun_nest_leave(&nest);
}

static void unpark(struct esptun_job *job)
{
	struct sk_buff *skb = container_of((char *)job, struct sk_buff, cb[0]);

	resume(netdev_priv(skb->dev), skb, tx_cb(skb)->depth, jiffies);
}

static bool park(struct sk_buff *skb)
{
	struct esptun_job *job = &tx_cb(skb)->job;

	tx_cb(skb)->depth = esptun_nest_find(NULL).depth;
	job->run = unpark;
	return esptun_spread(smp_processor_id(), job);
}

static void send_packet(struct esptun_link *link, struct sk_buff *skb,
			unsigned long since)
{
	struct esptun_miss miss;
	struct esptun_sa *sa;

	sa = esptun_sadb_out_find(&link->out, skb, &miss);
	if (!sa) {
		no_sa(link, skb, &miss, since);
		return;
	}
	if (unlikely(rcu_access_pointer(sa->percpu)))
		sa = prefer_own(link, sa, skb);
	if (likely(esptun_alg_ready(&sa->alg)))
		with_sa(sa, skb);
	else if (!park(skb))
		drop(sa, skb, ESPTUN_STATS_A_TX_OVERFLOW);
}

netdev_tx_t esptun_tx_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct esptun_link *link = netdev_priv(dev);

	rcu_read_lock();
	if (valid(skb)) {
		send_packet(link, skb, jiffies);
	} else {
		esptun_stats_drop(link->stats, link->dev, 0,
				  ESPTUN_STATS_A_TX_MALFORMED, segments(skb));
		kfree_skb(skb);
	}
	rcu_read_unlock();
	return NETDEV_TX_OK;
}

/* ---- held packets ---- */

void esptun_tx_release(struct esptun_link *link)
{
	struct sk_buff_head list;
	struct sk_buff *skb;

	if (!netif_running(link->dev)) {
		esptun_tx_expire(link, true);
		return;
	}
	__skb_queue_head_init(&list);
	esptun_hold_take(&link->held, 0, &list);
	local_bh_disable();
	rcu_read_lock();
	while ((skb = __skb_dequeue(&list)))
		resume(link, skb, esptun_hold_cb(skb)->depth,
		       esptun_hold_cb(skb)->since);
	rcu_read_unlock();
	local_bh_enable();
}

bool esptun_tx_expire(struct esptun_link *link, bool all)
{
	unsigned long age = all ? 0 : msecs_to_jiffies(ESPTUN_HOLD_MS);
	struct sk_buff_head old;
	struct sk_buff *skb;
	bool left;

	__skb_queue_head_init(&old);
	left = esptun_hold_take(&link->held, age, &old);
	while ((skb = __skb_dequeue(&old))) {
		esptun_stats_drop(link->stats, link->dev, 0,
				  ESPTUN_STATS_A_TX_HELD, segments(skb));
		if (!all)
			send_unreachable(skb);
		kfree_skb(skb);
	}
	return left;
}
