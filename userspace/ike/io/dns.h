/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Host names to addresses, without blocking. */
#ifndef ESPTUN_IKE_DNS_H
#define ESPTUN_IKE_DNS_H

#include "ike/proto/ikev2.h"

struct event_base;
struct dns;

enum { DNS_ADDRESSES = 16 }; /* of one name, at most; further ones are not told */

/* What a name is of. Of each use so many at a time are looked up. */
enum dns_use {
	DNS_OF_PEERS, /* Endpoint= */
	DNS_OF_FETCHING, /* a server that a certificate names */
	DNS_USES
};

/* The addresses of a name, IPv6 before IPv4 as RFC 6724 has it; if @n is 0, @err says why. */
typedef void (*dns_fn)(void *ctx, const struct ike_addr *addrs, unsigned int n, const char *err);

/*
 * Ask /etc/hosts and the servers of /etc/resolv.conf, read anew, for the addresses of @name. @fn is
 * called once, after this returned, unless dns_cancel() is called first. NULL when memory is out,
 * or when too many lookups of this use are under way: ask later.
 */
struct dns *dns_lookup(struct event_base *base, enum dns_use use, const char *name, dns_fn fn,
		       void *ctx);

/* Give a lookup up, or give back one that has called its function (from outside it). NULL is fine. */
void dns_cancel(struct dns *d);

#endif
