// SPDX-License-Identifier: GPL-2.0
/* newlink() takes its parameters in one structure: 6.15. */
#include <net/rtnetlink.h>

struct net *probe(struct rtnl_newlink_params *params);

struct net *probe(struct rtnl_newlink_params *params)
{
	return rtnl_newlink_link_net(params);
}
