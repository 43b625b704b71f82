/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses and endpoints as text, and comparing them. Pure. */
#ifndef ESPTUN_IKE_ADDR_H
#define ESPTUN_IKE_ADDR_H

#include "ike/proto/ikev2.h"

char *ike_addr_print(char *buf, size_t size, const struct ike_addr *a);
int ike_addr_from_text(const char *text, struct ike_addr *a); /* 0 or -1 */
char *ike_endpoint_print(char *buf, size_t size,
			 const struct ike_endpoint *e); /* 192.0.2.1:4500, [::1]:500 */
bool ike_addr_eq(const struct ike_addr *a, const struct ike_addr *b);
/*
 * May another machine have it, and be reached at it without naming an interface? Not unspecified,
 * loopback, multicast or what is above (RFC 6890), nor link-local IPv6 or IPv4 within IPv6.
 */
bool ike_addr_is_host(const struct ike_addr *a);
/* The address of its network of @len bits, which @a becomes; true if that is another one. */
bool ike_addr_to_net(struct ike_addr *a, unsigned int len);
/* Is @a in the network of @len bits that @net is in? */
bool ike_addr_in_net(const struct ike_addr *a, const struct ike_addr *net, unsigned int len);
/* The next one, or with @by of -1 the one before. */
void ike_addr_step(struct ike_addr *a, int by);
bool ike_endpoint_eq(const struct ike_endpoint *a, const struct ike_endpoint *b);

#endif
