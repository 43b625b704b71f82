/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CRLs that were fetched, by the address they came from, for when their server does not answer. The agent keeps their bytes
 * and parses none: what it hands to the core is judged there as if it came from the network now.
 *
 * One is kept when the core says that pki_verify() used it. Until then it waits, with room of its own: an answer of no use
 * displaces nothing that was of use.
 */
#ifndef ESPTUN_IKE_KEPT_H
#define ESPTUN_IKE_KEPT_H

#include <stdbool.h>
#include <stddef.h>

#include "ike/crypto/crypto.h"

enum {
	KEPT_ITEMS = 256, /* with all of these, … */
	KEPT_BYTES = 4 << 20, /* … those go first that were not used for the longest time */
	KEPT_WAITING = 1 << 20, /* bytes of those that wait */
};

struct kept;

/* NULL when memory is out. */
struct kept *kept_new(void);
void kept_free(struct kept *k);

/* This came from @uri, and waits; without memory, or if it is larger than a CRL may be, it does not. */
void kept_add(struct kept *k, const char *uri, const struct ike_iov *data);
/* What came last from @uri was of use: if it waits it is kept. */
void kept_use(struct kept *k, const char *uri);
/* What is kept of @uri, until the next call; base NULL: nothing. */
struct ike_iov kept_find(struct kept *k, const char *uri);

/* Is something kept that kept_print() has not printed, or whose print was lost, as kept_set_changed() says? */
bool kept_is_changed(const struct kept *k);
void kept_set_changed(struct kept *k);

/*
 * As a file, the caller's to free; NULL when memory is out: a first line, then of each, the longest unused first, a line
 * with the number of bytes and the address, the bytes, and the end of a line.
 */
char *kept_print(struct kept *k, size_t *len);
/* What such a file has is kept. 0; -EINVAL: it is damaged, and what stands before that is kept; or -ENOMEM. */
int kept_parse(struct kept *k, const char *text, size_t len);

#endif
