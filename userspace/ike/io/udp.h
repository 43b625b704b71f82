/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IKE over plain UDP, port 500. (Port 4500 belongs to the kernel module, see kernel.h.)
 */
#ifndef ESPTUN_IKE_UDP_H
#define ESPTUN_IKE_UDP_H

#include <netinet/in.h>

#include "ike/core/core.h"

struct event_base;
struct udp;

typedef void (*udp_fn)(void *ctx, const struct ike_datagram *d);

/*
 * Bind @port on all addresses of this network namespace, IPv4 and, if the machine has it, IPv6.
 * @fn gets each datagram with the address it was sent to. NULL with the cause in errno.
 */
struct udp *udp_open(struct event_base *base, uint16_t port, udp_fn fn, void *ctx);
void udp_close(struct udp *u); /* NULL is fine */

/*
 * Send @d from its local address (any if that is absent or not ours any more), with
 * @mark. 0 or a negative errno.
 */
int udp_send(struct udp *u, const struct ike_datagram *d, uint32_t mark);

/* @e as system calls have it, in *@sa; its length. */
socklen_t udp_sockaddr(struct sockaddr_in6 *sa, const struct ike_endpoint *e);

#endif
