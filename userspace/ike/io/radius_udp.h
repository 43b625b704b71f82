/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sockets of requests to RADIUS servers: each is connected, so that the kernel gives it datagrams from its server alone,
 * and has a port of its own, which the kernel chooses at random.
 */
#ifndef ESPTUN_IKE_RADIUS_UDP_H
#define ESPTUN_IKE_RADIUS_UDP_H

#include <stddef.h>
#include <stdint.h>

#include "ike/proto/ikev2.h"

struct event_base;
struct radius_udp;

/* From the event loop: a datagram, or with @error, negative, what became of one that was sent. */
typedef void (*radius_udp_fn)(void *ctx, uint64_t request, int error, const void *data, size_t len);

/* NULL without memory. */
struct radius_udp *radius_udp_new(struct event_base *base, radius_udp_fn fn, void *ctx);
void radius_udp_free(struct radius_udp *u); /* closes all; NULL is fine */

/* 0 or a negative errno. @request is not in use. */
int radius_udp_open(struct radius_udp *u, uint64_t request, const struct ike_endpoint *server);
/* The others do nothing if there is no such request. */
void radius_udp_close(struct radius_udp *u, uint64_t request);
void radius_udp_send(struct radius_udp *u, uint64_t request, const void *data, size_t len);
/* Have the function called once, with the next datagram. */
void radius_udp_listen(struct radius_udp *u, uint64_t request);

#endif
