/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Host names to addresses, without blocking. */
#ifndef ESPTUN_IKE_DNS_H
#define ESPTUN_IKE_DNS_H

#include "ike/proto/ikev2.h"

struct event_base;
struct dns;

/* @addr is NULL if there is none; then @err says why. */
typedef void (*dns_fn)(void *ctx, const struct ike_addr *addr, const char *err);

/*
 * Ask /etc/hosts and the servers of /etc/resolv.conf, read anew, for an IPv4 address
 * of @name: of several the one at place @nth from 0, counted round and round. @fn is
 * called once, after this returned, unless dns_cancel() is called first. NULL when memory is out, or when too many lookups are under way: ask later.
 */
struct dns *dns_lookup(struct event_base *base, const char *name, unsigned int nth, dns_fn fn,
		       void *ctx);

/* Give a lookup up, or give back one that has called its function (from outside it). NULL is fine. */
void dns_cancel(struct dns *d);

#endif
