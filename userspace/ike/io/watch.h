/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel and other programs change of links, addresses, routes and rules of this
 * network namespace, as rtnetlink tells. Our own changes are told, too.
 */
#ifndef ESPTUN_IKE_WATCH_H
#define ESPTUN_IKE_WATCH_H

#include "ike/io/net.h"

struct event_base;
struct watch;

/* A link of kind esptun. */
struct watch_link {
	uint32_t ifindex;
	const char *name; /* the event's */
	uint32_t mtu;
	bool up; /* IFF_UP: by its administrator */
	bool running; /* IFF_RUNNING */
};

/* Called from the event loop. */
struct watch_events {
	void *ctx;
	/*
	 * The link left this network namespace: deleted, or (@moved) now in another one, there
	 * with index @there (0: the same).
	 */
	void (*link_gone)(void *ctx, uint32_t ifindex, bool moved, uint32_t there);
	/* Something of it changed. */
	void (*link)(void *ctx, const struct watch_link *l);
	/* An address or route of this link was removed. */
	void (*stripped)(void *ctx, uint32_t ifindex);
	/* A route to @to took the place of another one. */
	void (*replaced)(void *ctx, const struct net_prefix *to);
	/* The carrier of a link that is not of kind esptun came back. */
	void (*carrier)(void *ctx, uint32_t ifindex);
	/* A rule of ours was removed (rule.h). */
	void (*unruled)(void *ctx);
	/* Addresses, routes or rules are not what they were. */
	void (*paths)(void *ctx);
	/* Messages were lost: anything may have changed. */
	void (*overrun)(void *ctx);
};

/* NULL with the cause in errno. @events is copied. */
struct watch *watch_open(struct event_base *base, const struct watch_events *events);
void watch_close(struct watch *w); /* NULL is fine */

#endif
