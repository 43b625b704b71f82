/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The addresses that a hub gives its clients. Each identity has one lease of each address family at
 * most, keeps it while its client is connected, and gets it back when it comes again: a lease that
 * nobody holds is given to another identity only when no address is free any more, the one that was
 * released first. Pure; all it takes grows with the logarithm of the number of leases.
 *
 * A holder is the number of a client's peer.
 */
#ifndef ESPTUN_IKE_POOL_H
#define ESPTUN_IKE_POOL_H

#include "ike/proto/ikev2.h"

enum {
	POOL_LEASES = 8192
}; /* of both families that are remembered, the connected clients' among them */

struct pool_range {
	struct ike_addr first, last; /* of one family, in order */
};

/* An address that nobody gets, with id.type 0, or this identity alone, which gets no other one. */
struct pool_fixed {
	struct ike_id id;
	struct ike_addr addr;
};

bool pool_range_has(const struct pool_range *r, const struct ike_addr *addr);

struct pool;

/* The lists are copied. NULL: out of memory. */
struct pool *pool_new(const struct pool_range *ranges, unsigned int n_ranges,
		      const struct pool_fixed *fixed, unsigned int n_fixed);
void pool_free(struct pool *pool);

/*
 * The lease of @id, which @holder holds from now on. @wanted is given to an identity without a lease if it
 * can be (family 0: any; else of @family). 0, or
 *	-EAFNOSUPPORT	there are no addresses of this family for it
 *	-ENOSPC		connected clients have all of them
 *	-EBUSY		another holder has the identity's lease, or this one that of another identity, to which
 *			its SAs lead until pool_release()
 *	-ENOMEM
 */
int pool_take(struct pool *pool, uint32_t holder, const struct ike_id *id, uint8_t family,
	      const struct ike_addr *wanted, struct ike_addr *out);

/*
 * As pool_take(), but the lease is @addr, which somebody else chose for the identity. Another one that the holder has
 * for this identity is free then. 0, or, with nothing changed,
 *	-ENOENT		the address is not among those that this identity can get
 *	-EBUSY		a connected client has it, or another holder has the identity's lease, or this one another identity's
 *	-ENOMEM
 */
int pool_assign(struct pool *pool, uint32_t holder, const struct ike_id *id,
		const struct ike_addr *addr);

/*
 * What was known before, of an earlier agent: @addr is the lease of @id, and @holder has it, unless that is
 * 0. With @id of type 0 it is not known whose lease @holder has. Before a holder, who has SAs, leases give way that
 * nobody holds. 0, or
 *	-ENOENT		the address is not among those that this identity can get
 *	-EEXIST		it is another identity's or holder's, or either has another one of the family
 *	-ENOMEM
 * and then nothing changed.
 */
int pool_restore(struct pool *pool, uint32_t holder, const struct ike_id *id,
		 const struct ike_addr *addr);

/* The holder is gone: its leases wait for their identity. */
void pool_release(struct pool *pool, uint32_t holder);

/* Its lease of the family; false if it holds none. */
bool pool_held(const struct pool *pool, uint32_t holder, uint8_t family, struct ike_addr *out);

struct pool_lease {
	struct ike_id id; /* type 0: not known */
	struct ike_addr addr;
	uint32_t holder; /* 0: nobody */
	int64_t since; /* when that began, by pool_clock() */
};

/* Calls @fn for each lease: those that were released, of each family the first one first, then those that are held. */
void pool_each(const struct pool *pool, void (*fn)(void *ctx, const struct pool_lease *lease),
	       void *ctx);

/* What changes from now on is dated so, in seconds since 1970; 0, as at first: not known. */
void pool_clock(struct pool *pool, int64_t now);

/* How often leases were made, named, taken, released or forgotten so far. */
uint64_t pool_changes(const struct pool *pool);

/*
 * How many addresses of the family there are, UINT32_MAX if more, how many are leased, and held, and how
 * many any identity can get that has none.
 */
struct pool_count {
	uint32_t size, leased, held, free;
};
void pool_count(const struct pool *pool, uint8_t family, struct pool_count *out);

#endif
