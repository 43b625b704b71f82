/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Checksums behind a NAT (RFC 3948 3.1.2): those of TCP, UDP and others cover the
 * addresses of a packet, and in transport mode it is delivered with the ones that a
 * NAT made of them.
 */
#ifndef ESPTUN_REPAIR_H
#define ESPTUN_REPAIR_H

#include <linux/types.h>

struct esptun_addr;
struct esptun_inner;

/* The sum of two addresses, which must be there; never 0. Any context. */
__wsum esptun_repair_sum(const struct esptun_addr *a,
			 const struct esptun_addr *b);

/**
 * esptun_repair - have a checksum cover the addresses of the IP header
 * @inner: the packet, in memory of our own; its addresses directly in front of
 *	what it carries
 * @was: esptun_repair_sum() of those that the checksum covers
 *
 * By the difference (RFC 1624): what was wrong before stays wrong. A packet without
 * such a checksum, or too short for it, stays as it is. Any context.
 */
void esptun_repair(const struct esptun_inner *inner, __wsum was);

#endif /* ESPTUN_REPAIR_H */
