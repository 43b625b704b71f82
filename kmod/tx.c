// SPDX-License-Identifier: GPL-2.0
/*
 * Outbound. The unit is what the stack hands us, up to a 64 KB super-packet:
 * one SA lookup, one route, one range of sequence numbers, one update of each
 * counter, then each segment is copied once into memory of our own, where its
 * checksum is completed and it is encrypted. Submitted memory is only read.
 */
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/jhash.h>
#include <net/icmp.h>
#include <net/inet_ecn.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include "link.h"
#include "notify.h"
#include "park.h"
#include "peer.h"
#include "sa.h"
#include "timer.h"
#include "tx.h"

/* While a packet is held. */
struct tx_cb {
	unsigned long since;
};

static struct tx_cb *tx_cb(struct sk_buff *skb)
{
	BUILD_BUG_ON(sizeof(struct tx_cb) > ESPTUN_PARK_CB);
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

static void send_too_big(struct sk_buff *skb, unsigned int mtu)
{
	skb_dst_update_pmtu_no_confirm(skb, mtu);
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

static u32 flow_hash(const struct esptun_flow *flow)
{
	static u32 seed __read_mostly;

	net_get_random_once(&seed, sizeof(seed));
	return jhash(&flow->dst, sizeof(flow->dst), seed);
}

/*
 * At most one acquire a second for a destination, and ESPTUN_ACQUIRE_SLOTS for
 * all. link->held.lock held.
 */
static bool acquire_due(struct esptun_link *link, u32 hash)
{
	struct esptun_acquire *slot =
		&link->acquire[hash % ESPTUN_ACQUIRE_SLOTS];
	unsigned long gap = msecs_to_jiffies(ESPTUN_ACQUIRE_MS);
	unsigned long now = jiffies ?: 1;

	if (slot->when && slot->hash == hash &&
	    time_before(now, slot->when + gap))
		return false;
	if (!time_before(now, link->acquire_since + gap)) {
		link->acquire_since = now;
		link->acquire_count = 0;
	}
	if (link->acquire_count >= ESPTUN_ACQUIRE_SLOTS)
		return false;
	link->acquire_count++;
	slot->hash = hash;
	slot->when = now;
	return true;
}

static struct esptun_peer *only_peer(struct esptun_link *link)
{
	unsigned long id = 0;

	if (READ_ONCE(link->n_peers) != 1)
		return NULL;
	return xa_find(&link->peers, &id, ULONG_MAX, XA_PRESENT);
}

/* Keep the packet; the oldest goes if there are too many. */
static void hold(struct esptun_link *link, struct sk_buff *skb,
		 unsigned long since)
{
	struct sk_buff *oldest = NULL;
	struct esptun_flow flow;
	bool due;

	esptun_flow_parse(skb, &flow);
	tx_cb(skb)->since = since;
	spin_lock(&link->held.lock);
	due = acquire_due(link, flow_hash(&flow));
	if (skb_queue_len(&link->held) >= ESPTUN_HOLD_MAX)
		oldest = __skb_dequeue(&link->held);
	__skb_queue_tail(&link->held, skb);
	esptun_timer_held(link);
	spin_unlock(&link->held.lock);
	if (oldest) {
		esptun_stats_drop(link->stats, link->dev, 0,
				  ESPTUN_STATS_A_TX_HELD, segments(oldest));
		kfree_skb(oldest);
	}
	if (due)
		esptun_notify_acquire(link, only_peer(link), &flow);
}

/*
 * May an agent come up with an SA? Not if every peer has one already: then the
 * packet is outside of all selectors.
 */
static bool worth_waiting(const struct esptun_link *link)
{
	return READ_ONCE(link->en->agent) &&
	       (READ_ONCE(link->n_idle) || !READ_ONCE(link->n_peers));
}

static void no_sa(struct esptun_link *link, struct sk_buff *skb,
		  struct esptun_sa *dead, unsigned long since)
{
	if (worth_waiting(link)) {
		hold(link, skb, since);
		return;
	}
	send_unreachable(skb);
	if (dead) {
		drop(dead, skb, ESPTUN_STATS_A_TX_EXPIRED);
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

static bool dont_fragment(const struct sk_buff *skb)
{
	return !is_ip4(skb) || (ip_hdr(skb)->frag_off & htons(IP_DF));
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

/* The packet with its checksum completed, without writing to @skb. */
static bool copy_packet(const struct sk_buff *skb, u8 *to)
{
	unsigned int start, field;
	__sum16 sum;

	if (skb->ip_summed != CHECKSUM_PARTIAL)
		return !skb_copy_bits(skb, 0, to, skb->len);
	start = skb_checksum_start_offset(skb);
	field = start + skb->csum_offset;
	if (start > skb_headlen(skb) || field + sizeof(sum) > skb->len)
		return false;
	skb_copy_from_linear_data(skb, to, start);
	sum = csum_fold(skb_copy_and_csum_bits(skb, start, to + start,
					       skb->len - start));
	/* In UDP a checksum of 0 would mean there is none. */
	sum = sum ?: CSUM_MANGLED_0;
	memcpy(to + field, &sum, sizeof(sum));
	return true;
}

/* What all segments of a batch have in common. */
struct batch {
	struct esptun_sa *sa;
	struct esptun_path path;
	unsigned int inner_mtu;
	u8 tos;
	u8 next;
	bool df;
	unsigned int packets;
	u64 bytes;
};

/* The ESP packet for one inner packet, or NULL after counting why not. */
static struct sk_buff *seal(struct batch *b, const struct sk_buff *skb, u64 seq)
{
	const struct esptun_esp_sizes *sizes = &b->sa->aead.alg->sizes;
	unsigned int head = LL_RESERVED_SPACE(b->path.rt->dst.dev) +
			    b->path.rt->dst.header_len + ESPTUN_IP4_HLEN +
			    ESPTUN_UDP_HLEN + ESPTUN_AEAD_HEADROOM;
	unsigned int pad = esptun_esp_pad(sizes, skb->len);
	unsigned int len = esptun_esp_len(sizes, skb->len);
	struct esptun_esp_hdr *esp;
	struct sk_buff *out;
	u8 *text;

	/* Segments of a super-packet were not measured before. */
	if (skb->len > ESPTUN_INNER_MAX) {
		esptun_sa_drop(b->sa, ESPTUN_STATS_A_TX_TOO_BIG, 1);
		return NULL;
	}
	out = alloc_skb(head + len, GFP_ATOMIC);
	if (!out) {
		esptun_sa_drop(b->sa, ESPTUN_STATS_A_TX_NOMEM, 1);
		return NULL;
	}
	skb_reserve(out, head);
	esp = skb_put(out, len);
	esp->spi = b->sa->spi;
	esp->seq = htonl(lower_32_bits(seq));
	text = (u8 *)(esp + 1) + sizes->iv;
	esptun_esp_put_trailer(text + skb->len, pad, b->next);
	if (!copy_packet(skb, text) ||
	    esptun_aead_seal(&b->sa->aead, (u8 *)esp,
			     skb->len + pad + ESPTUN_ESP_TLEN, seq,
			     b->sa->esn)) {
		esptun_sa_drop(b->sa, ESPTUN_STATS_A_TX_CRYPTO, 1);
		kfree_skb(out);
		return NULL;
	}
	out->priority = skb->priority;
	skb_copy_hash(out, skb);
	return out;
}

/* RFC 6040 4.1: the outer ECN field is the inner one. */
static u8 outer_tos(const struct esptun_link *link, const struct sk_buff *skb)
{
	u8 tos = READ_ONCE(link->tos);
	u8 inner = is_ip4(skb) ? ip_hdr(skb)->tos :
				 ipv6_get_dsfield(ipv6_hdr(skb));

	if (tos == ESPTUN_TOS_INHERIT)
		return inner;
	return (tos & ~INET_ECN_MASK) | (inner & INET_ECN_MASK);
}

/*
 * One super-packet becomes a list that still points into its memory. Return:
 * NULL after counting why not; @skb is gone then.
 */
static struct sk_buff *split(struct esptun_sa *sa, struct sk_buff *skb)
{
	struct sk_buff *list;

	if (!skb_is_gso(skb))
		return skb;
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

static void count_tx(struct batch *b)
{
	if (!b->packets)
		return;
	dev_sw_netstats_tx_add(b->sa->link->dev, b->packets, b->bytes);
	esptun_sa_used(b->sa, b->packets, b->bytes);
	esptun_timer_sent(b->sa->peer);
}

static void send_one(struct batch *b, const struct sk_buff *skb)
{
	struct sk_buff *out;
	u64 seq;

	if (esptun_sa_take(b->sa, 1, &seq)) {
		esptun_sa_drop(b->sa, ESPTUN_STATS_A_TX_SEQUENCE, 1);
		return;
	}
	out = seal(b, skb, seq);
	if (!out)
		return;
	b->packets++;
	b->bytes += skb->len;
	esptun_udp_xmit(b->sa->link, &b->path, out, b->tos, b->df);
}

/*
 * The path is known, the packet fits: it goes. Between taking a number and
 * sending, other CPUs send higher ones, so each packet is sent before the next
 * number is taken: the peer's window may be as small as 32 (RFC 4303 3.4.3).
 */
static void send_batch(struct batch *b, struct sk_buff *skb)
{
	struct sk_buff *next;

	for (skb = split(b->sa, skb); skb; skb = next) {
		next = skb->next;
		skb_mark_not_on_list(skb);
		send_one(b, skb);
		consume_skb(skb);
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

static void with_sa(struct esptun_sa *sa, struct sk_buff *skb)
{
	struct batch b = { .sa = sa };
	unsigned int mtu;
	int err;

	err = esptun_udp_path(sa->peer, &b.path);
	if (err) {
		no_path(sa, skb, err);
		return;
	}
	b.inner_mtu = esptun_esp_inner_mtu(&sa->aead.alg->sizes, b.path.mtu,
					   ESPTUN_IP4_HLEN + ESPTUN_UDP_HLEN);
	b.tos = outer_tos(sa->link, skb);
	b.next = is_ip4(skb) ? ESPTUN_NEXT_IP4 : ESPTUN_NEXT_IP6;
	b.df = dont_fragment(skb) && fits(skb, b.inner_mtu);
	mtu = sender_mtu(skb, b.inner_mtu);
	if (b.df || !dont_fragment(skb) || fits(skb, mtu)) {
		send_batch(&b, skb);
	} else {
		send_too_big(skb, mtu);
		drop(sa, skb, ESPTUN_STATS_A_TX_TOO_BIG);
	}
	esptun_udp_path_put(&b.path);
}

/* @since: jiffies when the packet came. Bottom halves off, RCU. */
static void send_packet(struct esptun_link *link, struct sk_buff *skb,
			unsigned long since);

static void unpark(struct sk_buff *skb)
{
	send_packet(netdev_priv(skb->dev), skb, jiffies);
}

static void send_packet(struct esptun_link *link, struct sk_buff *skb,
			unsigned long since)
{
	struct esptun_sa *sa, *dead;

	sa = esptun_sadb_out_find(&link->out, skb, &dead);
	if (!sa)
		no_sa(link, skb, dead, since);
	else if (likely(esptun_aead_ready(&sa->aead)))
		with_sa(sa, skb);
	else if (!esptun_park(skb, unpark))
		drop(sa, skb, ESPTUN_STATS_A_TX_NOMEM);
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

	__skb_queue_head_init(&list);
	local_bh_disable();
	rcu_read_lock();
	spin_lock(&link->held.lock);
	skb_queue_splice_init(&link->held, &list);
	spin_unlock(&link->held.lock);
	while ((skb = __skb_dequeue(&list)))
		send_packet(link, skb, tx_cb(skb)->since);
	rcu_read_unlock();
	local_bh_enable();
}

bool esptun_tx_expire(struct esptun_link *link, bool all)
{
	unsigned long hold_for = msecs_to_jiffies(ESPTUN_HOLD_MS);
	struct sk_buff_head old;
	struct sk_buff *skb;
	bool left;

	__skb_queue_head_init(&old);
	spin_lock_bh(&link->held.lock);
	while ((skb = skb_peek(&link->held)) &&
	       (all || time_after_eq(jiffies, tx_cb(skb)->since + hold_for))) {
		__skb_unlink(skb, &link->held);
		__skb_queue_tail(&old, skb);
	}
	left = !skb_queue_empty(&link->held);
	spin_unlock_bh(&link->held.lock);
	while ((skb = __skb_dequeue(&old))) {
		esptun_stats_drop(link->stats, link->dev, 0,
				  ESPTUN_STATS_A_TX_HELD, segments(skb));
		if (!all)
			send_unreachable(skb);
		kfree_skb(skb);
	}
	return left;
}
