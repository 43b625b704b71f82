/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The leases of a pool as text, by which they outlive the agent. The first line says what it is, the last
 * one that it is whole, and each between them is a lease:
 *
 *	ADDRESS SINCE IDENTITY
 *
 * SINCE: when it was taken or released, in seconds since 1970. IDENTITY: the body of an ID payload
 * (RFC 7296 3.5) in hexadecimal digits. Those that were released stand first, in that order. Pure.
 */
#ifndef ESPTUN_IKE_LEASE_TEXT_H
#define ESPTUN_IKE_LEASE_TEXT_H

#include "ike/pool/pool.h"

enum {
	LEASE_LINE = 64 + 24 + 2 * (4 + IKE_MAX_ID), /* bytes of a line, more than it takes */
	LEASE_TEXT = (POOL_LEASES + 2) * LEASE_LINE, /* of all; who has more has no text of ours */
};

/* The leases of known identities. *@len bytes, which are the caller's to free; NULL: out of memory. */
char *lease_text_print(const struct pool *pool, size_t *len);

/*
 * Restore what @text has: nobody holds it. Leases that the pool cannot have (any more), as its ranges or
 * fixed addresses are others, are left out, and counted in *@left_out. 0, or -EINVAL with what is wrong, and in
 * which line, in @err, or -ENOMEM: what stands before that line was restored. The text may be any bytes.
 */
int lease_text_parse(struct pool *pool, const char *text, size_t len, unsigned int *left_out,
		     char *err, size_t err_size);

#endif
