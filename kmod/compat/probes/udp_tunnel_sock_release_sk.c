// SPDX-License-Identifier: GPL-2.0
/* udp_tunnel_sock_release() takes a struct sock: after 6.18. */
#include <net/udp_tunnel.h>

void probe(struct sock *sk);

void probe(struct sock *sk)
{
	udp_tunnel_sock_release(sk);
}
