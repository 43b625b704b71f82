/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rules of the routing policy (ip-rule(8)) by which the kernel refuses to forward what comes from a netdevice
 * to some networks: "iif NAME to NETWORK prohibit". The sender hears of it (ICMP, administratively
 * prohibited). Addresses of this machine stay reachable, as the kernel looks at these before.
 *
 * What was made here has the protocol number NET_PROTO, so that only that is removed, also after a crash.
 */
#ifndef ESPTUN_IKE_RULE_H
#define ESPTUN_IKE_RULE_H

#include "ike/io/net.h"
#include "ike/io/rtnl.h"

enum {
	RULE_PRIORITY = 69
}; /* behind the kernel's own rule for local addresses, before all others */

/*
 * What the netdevice @name receives for the @n networks of @to is not forwarded from now on, and for others
 * it is, as far as rules of ours go; those of netdevices that are gone are removed, too. 0, with @fn (may be
 * NULL) called for each that was missing, or a negative errno. The rules outlive the netdevice: call it with
 * @n of 0 before that is removed.
 */
int rule_put(struct nl_sock *sk, const char *name, const struct net_prefix *to, unsigned int n,
	     void (*fn)(void *ctx, const struct net_prefix *to), void *ctx);

/* Is this message of RTM_NEWRULE or RTM_DELRULE about one of ours? */
bool rule_is_ours(struct nlmsghdr *nlh);

#endif
