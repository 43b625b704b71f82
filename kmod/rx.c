// SPDX-License-Identifier: GPL-2.0
/*
 * Inbound. The unit is a list of ESP packets of one SA: one lookup, the window
 * locked once before and once after decryption, one update of each counter.
 * Order (RFC 4303 3.4): check the number, authenticate and decrypt into memory
 * of our own, only then move the window and look at what the packet says.
 */
#include <linux/etherdevice.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>
#include <net/inet_ecn.h>
#include <net/ip.h>
#include <net/udp.h>
#include "link.h"
#include "notify.h"
#include "park.h"
#include "peer.h"
#include "rx.h"
#include "sa.h"

/* What a packet carries along; @us and @from only until it is decrypted. */
struct rx_cb {
	u64 seq;
	struct esptun_sock *us;
	struct esptun_endpoint from;
	u8 tos;
};

static struct rx_cb *rx_cb(struct sk_buff *skb)
{
	BUILD_BUG_ON(sizeof(struct rx_cb) > ESPTUN_PARK_CB);
	return (struct rx_cb *)skb->cb;
}

static void drop(struct esptun_sa *sa, struct sk_buff *skb, unsigned int id)
{
	esptun_sa_drop(sa, id, 1);
	kfree_skb(skb);
}

static void drop_list(struct esptun_sa *sa, struct sk_buff_head *list,
		      unsigned int id)
{
	esptun_sa_drop(sa, id, skb_queue_len(list));
	__skb_queue_purge(list);
}

/* ---- window ---- */

/* Leave on @list the packets whose length and number are possible. */
static void check_list(struct esptun_sa *sa, struct sk_buff_head *list)
{
	struct sk_buff_head stale;
	struct sk_buff *skb, *next;

	__skb_queue_head_init(&stale);
	spin_lock(&sa->lock);
	skb_queue_walk_safe(list, skb, next) {
		struct rx_cb *cb = rx_cb(skb);

		if (esptun_replay_infer(&sa->replay, (u32)cb->seq, sa->esn,
					&cb->seq) &&
		    esptun_replay_check(&sa->replay, cb->seq))
			continue;
		__skb_unlink(skb, list);
		__skb_queue_tail(&stale, skb);
	}
	spin_unlock(&sa->lock);
	if (!skb_queue_empty(&stale))
		drop_list(sa, &stale, ESPTUN_STATS_A_RX_REPLAY);
}

/*
 * Move the window over authenticated packets; duplicates leave @list.
 * Return: whether one of them is the newest of all.
 */
static bool commit_list(struct esptun_sa *sa, struct sk_buff_head *list)
{
	struct sk_buff_head stale;
	struct sk_buff *skb, *next;
	bool newest;
	u64 top;

	__skb_queue_head_init(&stale);
	spin_lock(&sa->lock);
	top = sa->replay.top;
	skb_queue_walk_safe(list, skb, next) {
		if (esptun_replay_commit(&sa->replay, rx_cb(skb)->seq))
			continue;
		__skb_unlink(skb, list);
		__skb_queue_tail(&stale, skb);
	}
	newest = sa->replay.top > top;
	spin_unlock(&sa->lock);
	if (!skb_queue_empty(&stale))
		drop_list(sa, &stale, ESPTUN_STATS_A_RX_REPLAY);
	return newest;
}

/* ---- decryption ---- */

/* Into a new packet straight from the received one, which is linear. */
static struct sk_buff *open_linear(struct esptun_sa *sa, struct sk_buff *skb,
				   unsigned int text, int *err)
{
	struct sk_buff *out =
		netdev_alloc_skb(sa->link->dev, ESPTUN_AEAD_HEADROOM + text);

	if (!out)
		return NULL;
	skb_reserve(out, ESPTUN_AEAD_HEADROOM);
	*err = esptun_aead_open(&sa->aead, skb->data, skb->len, rx_cb(skb)->seq,
				sa->esn, out->data);
	skb_put(out, text);
	return out;
}

/* Fragments are gathered in a new packet, and decrypted there. */
static struct sk_buff *open_gather(struct esptun_sa *sa, struct sk_buff *skb,
				   unsigned int text, int *err)
{
	struct sk_buff *out = netdev_alloc_skb(sa->link->dev, skb->len);
	u8 *esp;

	if (!out)
		return NULL;
	esp = skb_put(out, skb->len);
	if (skb_copy_bits(skb, 0, esp, skb->len)) {
		kfree_skb(out);
		return NULL;
	}
	__skb_pull(out, ESPTUN_ESP_HLEN + sa->aead.alg->sizes.iv);
	*err = esptun_aead_open(&sa->aead, esp, skb->len, rx_cb(skb)->seq,
				sa->esn, out->data);
	__skb_trim(out, text);
	return out;
}

/* The decrypted packet, or NULL after counting why not; @skb stays. */
static struct sk_buff *open_one(struct esptun_sa *sa, struct sk_buff *skb)
{
	const struct esptun_esp_sizes *sizes = &sa->aead.alg->sizes;
	unsigned int text = skb->len - ESPTUN_ESP_HLEN - sizes->iv - sizes->icv;
	struct sk_buff *out;
	int err = 0;

	if (skb_headlen(skb) == skb->len)
		out = open_linear(sa, skb, text, &err);
	else
		out = open_gather(sa, skb, text, &err);
	if (!out || err == -ENOMEM) {
		esptun_sa_drop(sa, ESPTUN_STATS_A_RX_NOMEM, 1);
	} else if (err) {
		esptun_sa_drop(sa, ESPTUN_STATS_A_RX_AUTH, 1);
	} else {
		rx_cb(out)->seq = rx_cb(skb)->seq;
		rx_cb(out)->tos = rx_cb(skb)->tos;
		return out;
	}
	kfree_skb(out);
	return NULL;
}

static void open_list(struct esptun_sa *sa, struct sk_buff_head *list,
		      struct sk_buff_head *opened)
{
	struct sk_buff *skb, *out;

	while ((skb = __skb_dequeue(list))) {
		out = open_one(sa, skb);
		if (out)
			__skb_queue_tail(opened, out);
		consume_skb(skb);
	}
}

/* ---- the inner packet ---- */

/* Octets the inner IP header claims, 0 if it cannot be one. */
static unsigned int inner_len(const struct sk_buff *skb, u8 next)
{
	const struct ipv6hdr *ip6 = (const struct ipv6hdr *)skb->data;
	const struct iphdr *ip4 = (const struct iphdr *)skb->data;
	unsigned int len;

	if (next == ESPTUN_NEXT_IP4) {
		if (skb->len < sizeof(*ip4) || ip4->version != 4 ||
		    ip4->ihl < 5)
			return 0;
		len = ntohs(ip4->tot_len);
		return len < ip4->ihl * 4u ? 0 : len;
	}
	if (skb->len < sizeof(*ip6) || ip6->version != 6)
		return 0;
	return sizeof(*ip6) + ntohs(ip6->payload_len);
}

/* RFC 6040: the outer congestion mark goes inside, or the packet away. */
static bool take_ecn(struct sk_buff *skb, u8 outer, u8 next)
{
	u8 inner = next == ESPTUN_NEXT_IP4 ? ip_hdr(skb)->tos :
					     ipv6_get_dsfield(ipv6_hdr(skb));

	return INET_ECN_decapsulate(skb, outer, inner) <= 1;
}

/* Authenticated: strip the trailer. Return the reason to drop, or 0. */
static unsigned int unwrap(struct esptun_sa *sa, struct sk_buff *skb)
{
	struct esptun_flow flow;
	unsigned int len;
	u8 next;

	if (!esptun_esp_get_trailer(skb->data, skb->len, &len, &next))
		return ESPTUN_STATS_A_RX_PADDING;
	if (next == ESPTUN_NEXT_DUMMY)
		return ESPTUN_STATS_A_RX_DUMMY;
	if (next != ESPTUN_NEXT_IP4 && next != ESPTUN_NEXT_IP6)
		return ESPTUN_STATS_A_RX_NEXT_HEADER;
	__skb_trim(skb, len);
	len = inner_len(skb, next);
	if (!len || len > skb->len)
		return ESPTUN_STATS_A_RX_INNER;
	/* The rest is traffic flow confidentiality padding, RFC 4303 2.7. */
	__skb_trim(skb, len);
	if (sa->n_local || sa->n_remote) {
		if (!esptun_flow_parse(skb, &flow) ||
		    !esptun_ts_match(esptun_sa_ts_remote(sa), sa->n_remote,
				     &flow, true) ||
		    !esptun_ts_match(esptun_sa_ts_local(sa), sa->n_local, &flow,
				     false))
			return ESPTUN_STATS_A_RX_TS;
	}
	skb->protocol = next == ESPTUN_NEXT_IP4 ? htons(ETH_P_IP) :
						  htons(ETH_P_IPV6);
	skb_reset_mac_header(skb);
	skb_reset_network_header(skb);
	skb_reset_transport_header(skb);
	if (!take_ecn(skb, rx_cb(skb)->tos, next))
		return ESPTUN_STATS_A_RX_ECN;
	return 0;
}

static void count_rx(struct net_device *dev, unsigned int packets, u64 bytes)
{
	struct pcpu_sw_netstats *t = this_cpu_ptr(dev->tstats);

	u64_stats_update_begin(&t->syncp);
	u64_stats_add(&t->rx_packets, packets);
	u64_stats_add(&t->rx_bytes, bytes);
	u64_stats_update_end(&t->syncp);
}

static void deliver_list(struct esptun_sa *sa, struct sk_buff_head *list)
{
	struct esptun_link *link = sa->link;
	unsigned int packets = 0;
	unsigned int reason;
	struct sk_buff *skb;
	u64 bytes = 0;

	while ((skb = __skb_dequeue(list))) {
		reason = unwrap(sa, skb);
		if (reason) {
			drop(sa, skb, reason);
			continue;
		}
		packets++;
		bytes += skb->len;
		skb->dev = link->dev;
		memset(skb->cb, 0, sizeof(skb->cb));
		gro_cells_receive(&link->gro, skb);
	}
	if (!packets)
		return;
	count_rx(link->dev, packets, bytes);
	esptun_sa_used(sa, packets, bytes);
}

/* ---- ESP ---- */

static void esp_list(struct esptun_sa *sa, struct sk_buff_head *list)
{
	struct esptun_endpoint from = rx_cb(skb_peek(list))->from;
	struct sk_buff_head opened;
	bool newest;

	check_list(sa, list);
	__skb_queue_head_init(&opened);
	open_list(sa, list, &opened);
	if (skb_queue_empty(&opened))
		return;
	newest = commit_list(sa, &opened);
	if (skb_queue_empty(&opened))
		return;
	esptun_peer_seen(sa->peer, &from, newest);
	deliver_list(sa, &opened);
}

/* @skb starts at the ESP header, in linear memory. */
static void esp_one(struct sk_buff *skb)
{
	const struct esptun_esp_hdr *esp = (struct esptun_esp_hdr *)skb->data;
	struct esptun_sock *us = rx_cb(skb)->us;
	struct esptun_sa *sa = esptun_sadb_in_find(us->en, esp->spi);
	struct sk_buff_head list;

	if (!sa || READ_ONCE(sa->state) == ESPTUN_SA_STATE_LARVAL ||
	    rcu_access_pointer(sa->link->us) != us) {
		esptun_stats_drop(us->en->stats, NULL, esp->spi,
				  ESPTUN_STATS_A_RX_NO_SA, 1);
		kfree_skb(skb);
		return;
	}
	if (!esptun_sa_live(sa)) {
		drop(sa, skb, ESPTUN_STATS_A_RX_EXPIRED);
		return;
	}
	if (!netif_running(sa->link->dev)) {
		drop(sa, skb, ESPTUN_STATS_A_RX_LINK_DOWN);
		return;
	}
	if (!esptun_esp_valid_len(&sa->aead.alg->sizes, skb->len)) {
		drop(sa, skb, ESPTUN_STATS_A_RX_TRUNCATED);
		return;
	}
	if (!esptun_aead_ready(&sa->aead)) {
		if (!esptun_park(skb, esp_one))
			drop(sa, skb, ESPTUN_STATS_A_RX_NOMEM);
		return;
	}
	rx_cb(skb)->seq = ntohl(esp->seq);
	__skb_queue_head_init(&list);
	__skb_queue_tail(&list, skb);
	esp_list(sa, &list);
}

/* ---- IKE ---- */

/* A token bucket: a flood of IKE must not take all of the agent's time. */
static bool ike_allowed(struct esptun_net *en)
{
	unsigned long now = jiffies;
	unsigned long refill;
	bool allowed;

	spin_lock(&en->ike_lock);
	refill = min(now - en->ike_stamp, (unsigned long)HZ) * ESPTUN_IKE_RATE /
		 HZ;
	if (refill) {
		en->ike_tokens = min_t(unsigned long, ESPTUN_IKE_BURST,
				       en->ike_tokens + refill);
		en->ike_stamp = now;
	}
	allowed = en->ike_tokens;
	if (allowed)
		en->ike_tokens--;
	spin_unlock(&en->ike_lock);
	return allowed;
}

/* @skb starts at the non-ESP marker, RFC 3948 2.2. */
static unsigned int ike_one(struct esptun_sock *us, const struct sk_buff *skb)
{
	const struct iphdr *ip = ip_hdr(skb);
	struct esptun_endpoint local = {
		.addr = ip->daddr,
		.port = us->port,
	};

	if (!READ_ONCE(us->en->agent))
		return ESPTUN_STATS_A_RX_IKE_NO_AGENT;
	/* Longer ones would overflow the 16-bit length of the attributes. */
	if (skb->len - sizeof(__be32) > ESPTUN_IKE_MAX || !ike_allowed(us->en))
		return ESPTUN_STATS_A_RX_IKE_LIMITED;
	switch (esptun_notify_ike_recv(
		us->en, &local, &rx_cb((void *)skb)->from, skb, sizeof(__be32),
		skb->len - sizeof(__be32))) {
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

/* ---- UDP ---- */

/*
 * RFC 3948 2.2, 2.3: one octet 0xff is a keepalive, four zero octets in front
 * mean IKE, the rest is ESP. Return: a counter, or 0 if it is ESP. @skb starts
 * behind the UDP header.
 */
static unsigned int demux(struct esptun_sock *us, struct sk_buff *skb)
{
	if (!pskb_may_pull(skb, ESPTUN_ESP_HLEN)) {
		if (skb->len == 1 && pskb_may_pull(skb, 1) &&
		    skb->data[0] == 0xff)
			return ESPTUN_STATS_A_RX_KEEPALIVE;
		return ESPTUN_STATS_A_RX_TRUNCATED;
	}
	if (((struct esptun_esp_hdr *)skb->data)->spi)
		return 0;
	return ike_one(us, skb);
}

int esptun_rx_encap(struct sock *sk, struct sk_buff *skb)
{
	struct esptun_sock *us = rcu_dereference_sk_user_data(sk);
	struct rx_cb *cb = rx_cb(skb);
	unsigned int counter;

	if (unlikely(!us)) {
		kfree_skb(skb);
		return 0;
	}
	cb->us = us;
	cb->from.addr = ip_hdr(skb)->saddr;
	cb->from.port = udp_hdr(skb)->source;
	cb->tos = ip_hdr(skb)->tos;
	__skb_pull(skb, sizeof(struct udphdr));
	counter = demux(us, skb);
	if (!counter) {
		/* Nothing of the outer world follows the packet inside. */
		skb_dst_drop(skb);
		skb_orphan(skb);
		esp_one(skb);
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
