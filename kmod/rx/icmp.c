// SPDX-License-Identifier: GPL-2.0
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>
#include <net/sock.h>
#include "rx/icmp.h"
#include "encap/encap.h"
#include "encap/path.h"
#include "esp/esp.h"
#include "link.h"
#include "rx/ike.h"
#include "sa/peer.h"
#include "sa/sa.h"

static bool is_ip4(const void *ip)
{
	return ((const struct iphdr *)ip)->version == 4;
}

unsigned int esptun_icmp_fits(const struct sk_buff *skb)
{
	const struct icmp6hdr *icmp6 = (const struct icmp6hdr *)skb->data - 1;
	const struct icmphdr *icmp = (const struct icmphdr *)skb->data - 1;

	if (!is_ip4(skb->data))
		return icmp6->icmp6_type == ICMPV6_PKT_TOOBIG ?
			       ntohl(icmp6->icmp6_mtu) :
			       UINT_MAX;
	return icmp->type == ICMP_DEST_UNREACH &&
			       icmp->code == ICMP_FRAG_NEEDED ?
		       ntohs(icmp->un.frag.mtu) :
		       UINT_MAX;
}

/* Where the quoted datagram was sent. */
static struct esptun_endpoint quoted_remote(const struct sk_buff *skb,
					    const struct udphdr *uh)
{
	struct esptun_endpoint to = { .port = uh->dest };

	if (is_ip4(ip_hdr(skb)))
		to.addr = esptun_addr_ip4(ip_hdr(skb)->daddr);
	else
		to.addr = esptun_addr_ip6(&ipv6_hdr(skb)->daddr);
	return to;
}

/*
 * IKE may be fragmented, and keepalives are short: no error about them can teach
 * anything, and hosts without an agent send many. In a short quote all look alike.
 */
static bool is_esp(const struct udphdr *uh, const struct esptun_esp_hdr *esp)
{
	return ntohs(uh->len) >= sizeof(*uh) + ESPTUN_ESP_HLEN &&
	       !(esp && !esp->spi);
}

/* Any of those at the endpoint may have sent what is quoted, or none. */
static void learn_unproven(struct esptun_sock *us, const struct sk_buff *skb)
{
	const struct udphdr *uh = udp_hdr(skb);
	unsigned int mtu = esptun_icmp_fits(skb);
	struct esptun_endpoint to = quoted_remote(skb, uh);

	if (is_ip4(ip_hdr(skb)) && uh->source == us->port && mtu != UINT_MAX)
		esptun_ike_path_learn(us, &to, max(mtu, ESPTUN_PMTU_UNPROVEN));
}

static struct esptun_sa *sender_of(struct esptun_sock *us,
				   const struct sk_buff *skb,
				   const struct esptun_esp_hdr *esp)
{
	const struct udphdr *uh = udp_hdr(skb);
	struct esptun_endpoint to = quoted_remote(skb, uh);

	if (uh->source != us->port)
		return NULL;
	return esptun_sadb_sent_find(us->en, us, &esptun_encap_udp, &to, esp);
}

int esptun_icmp_refuse(struct sock *sk, struct sk_buff *skb)
{
	struct esptun_sock *us = rcu_dereference_sk_user_data(sk);
	int at = skb_transport_offset(skb) + sizeof(struct udphdr);
	const struct esptun_esp_hdr *esp;
	const struct esptun_sa *sa;
	struct esptun_esp_hdr buf;
	unsigned int mtu;

	if (!us)
		return -ENOENT;
	esp = skb_header_pointer(skb, at, sizeof(buf), &buf);
	if (!is_esp(udp_hdr(skb), esp))
		return -ENOENT;
	if (!esp) {
		learn_unproven(us, skb);
		return -ENOENT;
	}
	sa = sender_of(us, skb, esp);
	if (sa && sk->sk_family == AF_INET6)
		return 0;
	mtu = esptun_icmp_fits(skb);
	if (mtu == UINT_MAX)
		return -ENOENT;
	if (sa)
		esptun_path_learn(sa->peer, mtu);
	else
		esptun_stats_add(us->en->stats, ESPTUN_STATS_A_RX_ICMP_REFUSED,
				 1);
	return -ENOENT;
}
