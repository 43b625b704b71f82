// SPDX-License-Identifier: GPL-2.0
/*
 * Batches on their way to the socket. Packets that come singly are joined by
 * GRO: the first one's headers, behind them the ESP packets of all, as a UDP
 * super-packet (UDP_L4). That is what a NIC would make of them, so whoever
 * decides before the socket that they go elsewhere (NAT, a bridge, tc) can have
 * them divided again.
 *
 * Before a socket with encap_rcv the stack divides such super-packets, unless
 * they claim to be a tunnel's: it cannot know what the socket understands. At
 * the last point before the socket, behind every firewall rule, and where it is
 * certain that the packet is for this host, we let those that hold ESP packets
 * of an SA of ours make that claim.
 */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <linux/udp.h>
#include <net/gro.h>
#include <net/ip.h>
#include "ablate.h"
#include "esp/esp.h"
#include "encap/family.h"
#include "rx/gro.h"
#include "limits.h"
#include "link.h"
#include "util/reader.h"
#include "sa/sa.h"
#include "encap/udp.h"

static bool our_spi(const struct esptun_sock *us, __be32 spi)
{
	const struct esptun_sa *sa = esptun_sadb_in_find(us->en, spi);

	return sa && rcu_access_pointer(sa->link->us) == us;
}

/* ---- single packets ---- */

/* IP is in front. */
struct headers {
	struct udphdr udp;
	struct esptun_esp_hdr esp;
};

/* All that inet_gro_receive() lets through has no IP options. */
static const void *ip_of(const struct headers *h,
			 const struct esptun_family *family)
{
	return (const u8 *)h - family->hlen;
}

/* Of a packet of which the UDP header was the last that GRO went past. */
static const struct headers *headers_of(struct sk_buff *skb,
					const struct esptun_family *family)
{
	unsigned int at = skb_gro_offset(skb);
	unsigned int hlen = family->hlen + ESPTUN_UDP_HLEN;
	const u8 *ip;

	/* What an IPv6 option holds could look like another header. */
	if (family->family == AF_INET6 && at != hlen)
		return NULL;
	ip = skb_gro_header(skb, at + ESPTUN_ESP_HLEN, at - hlen);
	return ip ? (const struct headers *)(ip + family->hlen) : NULL;
}

/* Of one that GRO holds; the ESP header need not be there. */
static const struct headers *held_headers(const struct sk_buff *p,
					  unsigned int at)
{
	return (const void *)(p->data + at - ESPTUN_UDP_HLEN);
}

/* Neither a keepalive nor IKE (RFC 3948 2.2, 2.3), nor what the stack would drop. */
static bool is_esp(const struct headers *h, const struct esptun_family *family,
		   unsigned int len)
{
	const struct ipv6hdr *ip6 = ip_of(h, family);

	if (!h->esp.spi || ntohs(h->udp.len) != ESPTUN_UDP_HLEN + len)
		return false;
	if (family->family == AF_INET)
		return true;
	/* No header in between, and a checksum. */
	return ip6->version == 6 && ip6->nexthdr == IPPROTO_UDP &&
	       ip6->payload_len == h->udp.len && h->udp.check;
}

/* What GRO holds for us of this SA, or with an SPI of 0, of any, of this flow. */
static struct sk_buff *find_held(struct list_head *held, unsigned int at,
				 __be32 spi)
{
	const __be32 *have;
	struct sk_buff *p;
	__be32 buf;

	list_for_each_entry(p, held, list) {
		/* Not what the stack held before there was our socket. */
		if (!NAPI_GRO_CB(p)->same_flow || !NAPI_GRO_CB(p)->encap_mark)
			continue;
		have = skb_header_pointer(p, at, sizeof(buf), &buf);
		if (!spi || (have && *have == spi))
			return p;
	}
	return NULL;
}

static bool follows_ip4(const struct iphdr *first, const struct iphdr *ip,
			u16 before)
{
	return ip->tos == first->tos && ip->ttl == first->ttl &&
	       ip->frag_off == first->frag_off &&
	       /* RFC 6864: with DF the ID means nothing. */
	       (ip->frag_off & htons(IP_DF) ||
		ntohs(ip->id) == (u16)(ntohs(first->id) + before));
}

/* GRO compared flow labels already. */
static bool follows_ip6(const struct ipv6hdr *first, const struct ipv6hdr *ip)
{
	return ip6_flowinfo(ip) == ip6_flowinfo(first) &&
	       ip->hop_limit == first->hop_limit;
}

/* Would dividing them make the same packets again? */
static bool follows(const struct sk_buff *p, const struct headers *h,
		    const struct esptun_family *family, unsigned int at,
		    unsigned int len)
{
	const void *first = ip_of(held_headers(p, at), family);

	if (len > skb_shinfo(p)->gso_size || p->len + len > IP_MAX_MTU)
		return false;
	if (family->family == AF_INET)
		return follows_ip4(first, ip_of(h, family),
				   NAPI_GRO_CB(p)->count);
	return follows_ip6(first, ip_of(h, family));
}

/* For an SA of ours and this host, not something the host only passes on? */
static bool for_us(const struct esptun_sock *us, const struct sk_buff *skb,
		   const struct headers *h, const struct esptun_family *family)
{
	return our_spi(us, h->esp.spi) && skb->pkt_type == PACKET_HOST &&
	       family->is_own(us->en->net, ip_of(h, family));
}

/*
 * Its payload behind that of @p. A sender on this host is charged for @p's own
 * size only.
 */
static bool join(struct sk_buff *p, struct sk_buff *skb)
{
	if (!pskb_pull(skb, skb_gro_offset(skb)))
		return false;
	skb_orphan(skb);
	__skb_header_release(skb);
	if (NAPI_GRO_CB(p)->last == p)
		skb_shinfo(p)->frag_list = skb;
	else
		NAPI_GRO_CB(p)->last->next = skb;
	NAPI_GRO_CB(p)->last = skb;
	NAPI_GRO_CB(p)->count++;
	NAPI_GRO_CB(skb)->same_flow = 1;
	p->len += skb->len;
	p->data_len += skb->len;
	if (!p->sk)
		p->truesize += skb->truesize;
	skb_shinfo(p)->flags |= skb_shinfo(skb)->flags & SKBFL_SHARED_FRAG;
	return true;
}

/* GRO verified the UDP checksum, if there is one. */
struct sk_buff *esptun_gro_receive(struct sock *sk, struct list_head *held,
				   struct sk_buff *skb)
{
	const struct esptun_family *family = esptun_family_of(sk->sk_family);
	const struct esptun_sock *us = rcu_dereference_sk_user_data(sk);
	unsigned int at = skb_gro_offset(skb);
	unsigned int len = skb_gro_len(skb);
	const struct headers *h = NULL;
	struct sk_buff *p;
	bool last;

	if (us && !NAPI_GRO_CB(skb)->flush &&
	    !esptun_ablate(ESPTUN_ABLATE_RX_GRO))
		h = headers_of(skb, family);
	if (!h || !is_esp(h, family, len))
		goto alone;
	p = find_held(held, at, h->esp.spi);
	/* A new key does not overtake the old one. */
	if (!p)
		return find_held(held, at, 0);
	/* What does not follow is the first of others. */
	if (!follows(p, h, family, at, len))
		return p;
	/* It is not worth asking before there are two. */
	if (NAPI_GRO_CB(p)->count == 1 && !for_us(us, skb, h, family))
		goto alone;
	if (!join(p, skb))
		goto alone;
	last = len < skb_shinfo(p)->gso_size ||
	       NAPI_GRO_CB(p)->count == ESPTUN_BATCH_MAX;
	return last ? p : NULL;
alone:
	NAPI_GRO_CB(skb)->flush = 1;
	/* It does not overtake. */
	return find_held(held, at, 0);
}

/* The UDP header has its length already; see esptun_udp_join(). */
int esptun_gro_complete(struct sock *sk, struct sk_buff *skb, int at)
{
	const struct esptun_family *family = esptun_family_of(sk->sk_family);
	const void *ip = ip_of(held_headers(skb, at), family);
	struct udphdr *uh = (struct udphdr *)(skb->data + at) - 1;

	/* What the stack set for packets with another one inside. */
	skb->encapsulation = 0;
	skb_shinfo(skb)->gso_type = SKB_GSO_UDP_L4;
	skb_shinfo(skb)->gso_segs = NAPI_GRO_CB(skb)->count;
	family->put_pseudo(uh, ip);
	skb->ip_summed = CHECKSUM_PARTIAL;
	skb->csum_start = (unsigned char *)uh - skb->head;
	skb->csum_offset = offsetof(struct udphdr, check);
	return 0;
}

/* ---- super-packets ---- */

/* Where the ESP packets of a super-packet to @us begin, or 0. */
static unsigned int payload_of(const struct esptun_sock *us,
			       const struct sk_buff *skb,
			       const struct esptun_family *family)
{
	unsigned int at = family->udp_offset(skb);
	const struct udphdr *uh;
	struct udphdr buf;

	if (!at)
		return 0;
	uh = skb_header_pointer(skb, at, sizeof(buf), &buf);
	if (!uh || uh->dest != us->port)
		return 0;
	/* A socket bound to the very address comes before ours. */
	if (family->receiver(us->en->net, skb, uh) != us->sk[family->index])
		return 0;
	return at + sizeof(*uh);
}

/* Do all of them belong to one SA of this socket? Never IKE (SPI 0). */
static bool all_ours(const struct esptun_sock *us, struct sk_buff *skb,
		     unsigned int at)
{
	unsigned int size = skb_shinfo(skb)->gso_size;
	struct esptun_reader r __uninitialized;
	__be32 first = 0, spi;
	bool same = true;

	if (skb->len - at > ESPTUN_BATCH_MAX * size)
		return false;
	esptun_reader_init(&r, skb);
	for (; same && at < skb->len; at += size) {
		same = esptun_reader_get(&r, at, &spi, sizeof(spi)) && spi &&
		       (!first || spi == first);
		first = spi;
	}
	esptun_reader_end(&r);
	return same && our_spi(us, first);
}

static unsigned int local_in(void *priv, struct sk_buff *skb,
			     const struct nf_hook_state *state)
{
	struct esptun_sock *us = priv;
	unsigned int at;

	if (likely(!skb_is_gso(skb)) ||
	    !(skb_shinfo(skb)->gso_type & SKB_GSO_UDP_L4) ||
	    esptun_ablate(ESPTUN_ABLATE_RX_WHOLE))
		return NF_ACCEPT;
	at = payload_of(us, skb,
			esptun_family_of(state->pf == NFPROTO_IPV4 ? AF_INET :
								     AF_INET6));
	if (!at || !all_ours(us, skb, at) || skb_unclone(skb, GFP_ATOMIC))
		return NF_ACCEPT;
	skb_shinfo(skb)->gso_type &= ~(SKB_GSO_UDP_L4 | SKB_GSO_FRAGLIST);
	skb_shinfo(skb)->gso_type |= SKB_GSO_UDP_TUNNEL_CSUM;
	return NF_ACCEPT;
}

int esptun_gro_attach(struct esptun_sock *us,
		      const struct esptun_family *family)
{
	struct nf_hook_ops *hook = &us->hook[family->index];

	*hook = (struct nf_hook_ops){
		.hook = local_in,
		.priv = us,
		.pf = family->pf,
		.hooknum = NF_INET_LOCAL_IN,
		.priority = INT_MAX,
	};
	return nf_register_net_hook(us->en->net, hook);
}

void esptun_gro_detach(struct esptun_sock *us,
		       const struct esptun_family *family)
{
	nf_unregister_net_hook(us->en->net, &us->hook[family->index]);
}
