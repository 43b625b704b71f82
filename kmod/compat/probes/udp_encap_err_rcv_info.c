// SPDX-License-Identifier: GPL-2.0
/* encap_err_rcv() is given the ICMP error, not only an offset: 6.3. */
#include <net/udp_tunnel.h>

void probe(udp_tunnel_encap_err_rcv_t fn, struct sock *sk, struct sk_buff *skb);

void probe(udp_tunnel_encap_err_rcv_t fn, struct sock *sk, struct sk_buff *skb)
{
	fn(sk, skb, 0, 0, 0, NULL);
}
