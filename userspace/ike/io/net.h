/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The visible side of a tunnel: netdevice, addresses, routes. Idempotent: what is
 * there already is kept. What was made here carries a mark in the kernel itself (the
 * link's alias, protocol NET_PROTO of routes and addresses), so that only that is
 * removed, also after a crash.
 */
#ifndef ESPTUN_IKE_NET_H
#define ESPTUN_IKE_NET_H

#include "ike/proto/ikev2.h"
#include "lib/esptun.h"

enum { NET_PROTO = 69 }; /* of routes (rtnetlink's rtm_protocol) and addresses (IFA_PROTO) */

struct event_base;
struct net;

struct net_prefix {
	struct ike_addr addr;
	uint8_t len;
};

struct net_conf {
	const char *name;
	struct ike_addr local; /* outer; family 0: routing chooses */
	uint16_t port;
	uint32_t fwmark;
	uint32_t mtu; /* 0: the kernel's choice */
	const struct net_prefix *address;
	unsigned int n_address;
	const struct net_prefix *routes;
	unsigned int n_routes;
	uint32_t table, metric; /* of the routes; 0: main, the kernel's default */
};

/*
 * NULL with the cause in errno. @h: for links; stays the caller's. @gone is called from
 * the event loop when a netdevice was removed, by whom ever.
 */
struct net *net_open(struct event_base *base, struct esptun *h,
		     void (*gone)(void *ctx, uint32_t ifindex), void *ctx);
void net_close(struct net *n); /* NULL is fine */

/*
 * Bring the tunnel's link up as @conf has it and remove addresses and routes of ours
 * that it has no longer. 0 with the link's index, or a negative errno with a sentence
 * and its remedy in @err; then nothing new remains.
 */
int net_up(struct net *n, const struct net_conf *conf, uint32_t *ifindex, char *err,
	   size_t err_size);

/* Remove what net_up() made: the link, or its addresses and routes if the user made it. */
void net_down(struct net *n, const char *name);

/*
 * Would packets with @mark to @remote leave through link @ifindex? Such a tunnel would
 * carry itself.
 */
bool net_loops(struct net *n, const struct ike_addr *remote, uint32_t mark, uint32_t ifindex);

#endif
