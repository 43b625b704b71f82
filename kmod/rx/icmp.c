// SPDX-License-Identifier: GPL-2.0
#include <linux/icmp.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>
#include <net/sock.h>
#include "rx/icmp.h"
#include "encap/encap.h"
#include "encap/path.h"
#include "esp/esp.h"
#include "link.h"
#include "sa/peer.h"
#include "sa/sa.h"

struct esptun_sa *esptun_icmp_sender(struct esptun_net *en,
				     const struct esptun_encap_ops *encap,
				     const struct esptun_endpoint *to,
				     const struct esptun_esp_hdr *esp)
{
	struct esptun_sa *sa = esptun_sadb_sent_find(en, esp->spi, to);

	if (!sa || READ_ONCE(sa->peer->encap) != encap ||
	    !esptun_icmp_is_recent(atomic64_read(&sa->seq), ntohl(esp->seq)))
		return NULL;
	return sa;
}

/* Where the quoted datagram was sent. */
static struct esptun_endpoint quoted_remote(const struct sk_buff *skb,
					    const struct udphdr *uh)
{
	struct esptun_endpoint to = { .port = uh->dest };

	if (ip_hdr(skb)->version == 4)
		to.addr = esptun_addr_ip4(ip_hdr(skb)->daddr);
	else
		to.addr = esptun_addr_ip6(&ipv6_hdr(skb)->daddr);
	return to;
}

/*
 * IKE leaves in fragments that every path carries, and keepalives are short: no
 * error about them can teach anything, and hosts without an agent send many.
 */
static bool is_esp(const struct udphdr *uh, const struct esptun_esp_hdr *esp)
{
	return ntohs(uh->len) >= sizeof(*uh) + ESPTUN_ESP_HLEN &&
	       !(esp && !esp->spi);
}

/* @skb starts behind the ICMP header. */
static void learn_ip4(struct esptun_peer *peer, const struct sk_buff *skb)
{
	const struct icmphdr *icmp = (const struct icmphdr *)skb->data - 1;

	if (icmp->type == ICMP_DEST_UNREACH && icmp->code == ICMP_FRAG_NEEDED)
		esptun_path_learn(peer, ntohs(icmp->un.frag.mtu));
}

int esptun_icmp_refuse(struct sock *sk, struct sk_buff *skb)
{
	struct esptun_sock *us = rcu_dereference_sk_user_data(sk);
	int at = skb_transport_offset(skb) + sizeof(struct udphdr);
	const struct udphdr *uh = udp_hdr(skb);
	const struct esptun_esp_hdr *esp;
	const struct esptun_sa *sa = NULL;
	struct esptun_endpoint to;
	struct esptun_esp_hdr buf;

	if (!us)
		return -ENOENT;
	esp = skb_header_pointer(skb, at, sizeof(buf), &buf);
	if (!is_esp(uh, esp))
		return -ENOENT;
	if (esp && uh->source == us->port) {
		to = quoted_remote(skb, uh);
		sa = esptun_icmp_sender(us->en, &esptun_encap_udp, &to, esp);
	}
	if (sa && rcu_access_pointer(sa->link->us) == us) {
		if (sk->sk_family == AF_INET6)
			return 0;
		learn_ip4(sa->peer, skb);
		return -ENOENT;
	}
	esptun_stats_add(us->en->stats, ESPTUN_STATS_A_RX_ICMP_REFUSED, 1);
	return -ENOENT;
}
