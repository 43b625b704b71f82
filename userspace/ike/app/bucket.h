/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Limits of the kind "so much at once, and so much a millisecond in the long run". */
#ifndef ESPTUN_IKE_BUCKET_H
#define ESPTUN_IKE_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

/* In whatever is counted: octets, lines, milliseconds. */
struct rate {
	uint64_t at_once, per_ms;
};

/* All 0: nothing was used. */
struct bucket {
	uint64_t used, at; /* as of then, ms */
};

/* How much may be used at @now, which never goes back. */
static inline uint64_t bucket_room(struct bucket *b, const struct rate *r, uint64_t now)
{
	uint64_t back = (now - b->at) * r->per_ms;

	b->used = back < b->used ? b->used - back : 0;
	b->at = now;
	return b->used < r->at_once ? r->at_once - b->used : 0;
}

/* Use so much of it; false, and nothing is used, if there is not as much. */
static inline bool bucket_take(struct bucket *b, const struct rate *r, uint64_t amount,
			       uint64_t now)
{
	if (bucket_room(b, r, now) < amount)
		return false;
	b->used += amount;
	return true;
}

#endif
