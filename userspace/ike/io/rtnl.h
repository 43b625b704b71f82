/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rtnetlink requests and attributes, built by hand: libnl-route 3.7 knows no IFA_PROTO,
 * and its objects would not be shorter.
 */
#ifndef ESPTUN_IKE_RTNL_H
#define ESPTUN_IKE_RTNL_H

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>

#include "ike/proto/ikev2.h"

#ifndef IFA_PROTO /* <linux/if_addr.h> of Linux 5.18 */
#define IFA_PROTO 11
#endif

/* A socket for requests, which filters dumps in the kernel. NULL if there is none to be had. */
struct nl_sock *rtnl_open(void);

/* A message with its header; NULL without memory. */
struct nl_msg *rtnl_request(int type, int flags, const void *head, size_t len);

typedef void (*rtnl_fn)(void *ctx, struct nlmsghdr *nlh);
typedef void (*rtnl_anew_fn)(void *ctx);

/* Sends and frees @msg (NULL: no memory), hands replies to @fn (may be NULL). 0 or a negative errno. */
int rtnl_talk(struct nl_sock *sk, struct nl_msg *msg, rtnl_fn fn, void *ctx);

/*
 * The same for a dump: when something changed meanwhile, all is handed over again, after a call of
 * @anew (NULL: none is needed). -EAGAIN if it changes all the time.
 */
int rtnl_dump(struct nl_sock *sk, struct nl_msg *msg, rtnl_fn fn, rtnl_anew_fn anew, void *ctx);

uint8_t rtnl_family(const struct ike_addr *a);
int rtnl_addr_len(const struct ike_addr *a);
/* Nothing is put for an address without family. */
void rtnl_put_addr(struct nl_msg *msg, int type, const struct ike_addr *a);
/* All zero with @attr NULL or of another length than the family's. */
void rtnl_get_addr(struct ike_addr *a, uint8_t family, const struct nlattr *attr);

#endif
