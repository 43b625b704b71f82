/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The fragments of one message until all of them are there (RFC 7383 2.6). Pure. They come in any
 * order, and only after their ICVs were verified, so nobody but the peer can make this grow, up
 * to 64 fragments and 64 KB. Which message they are of is for the caller to know.
 */
#ifndef ESPTUN_IKE_FRAG_H
#define ESPTUN_IKE_FRAG_H

#include "ike/core/sk.h"

enum { FRAGS_MAX = 64, FRAGS_MAX_LEN = 65536 };

struct frags;

enum frags_verdict {
	FRAGS_DROPPED, /* we have it, or it is of an older set, or beyond the limits */
	FRAGS_KEPT, /* others are missing */
	FRAGS_COMPLETE, /* all are there: see frags_join() */
};

/*
 * Keep a copy of @f; *@all is NULL before the first. One of more fragments than the others are of
 * replaces them all: the sender split the message anew, into smaller ones (2.5.2). A limit that is
 * reached, or no memory, drops @f and leaves the others.
 */
enum frags_verdict frags_add(struct frags **all, const struct ike_skf *f);
/*
 * The message that is complete: its inner chain goes to @out, which has FRAGS_MAX_LEN octets, the
 * type of its first payload to *@first, and to *@flags those of the payload that was fragment 1
 * (ike_skf.flags). Returns its length; *@all is wiped, freed and NULL.
 */
size_t frags_join(struct frags **all, uint8_t *out, uint8_t *first, uint8_t *flags);
/* How many bytes are kept; 0 for NULL. */
size_t frags_len(const struct frags *all);
/* Wipe and free them; *@all is NULL then, and may be before. */
void frags_free(struct frags **all);

#endif
