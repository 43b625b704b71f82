// SPDX-License-Identifier: GPL-2.0
/* A netns knows its table of UDP sockets: 6.2. */
#include <net/net_namespace.h>
#include <net/udp.h>

struct udp_table *probe(struct net *net);

struct udp_table *probe(struct net *net)
{
	return net->ipv4.udp_table;
}
