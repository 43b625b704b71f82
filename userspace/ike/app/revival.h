/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When a process that ended may be started again: at once, but the more of them end, the later. */
#ifndef ESPTUN_IKE_REVIVAL_H
#define ESPTUN_IKE_REVIVAL_H

#include <stdint.h>

enum {
	/* ms between two starts: double each time, unless it ran for the longest */
	REVIVE_FIRST = 1000,
	REVIVE_LAST = 64000,
};

/* All 0: none was started again. Times are ms, and never go back. */
struct revival {
	uint64_t at; /* not before */
	uint64_t began; /* the last one */
	unsigned int wait; /* between its start and the next one */
};

/* One is started again. */
static inline void revival_note(struct revival *r, uint64_t now)
{
	if (now - r->began > REVIVE_LAST || !r->wait)
		r->wait = REVIVE_FIRST;
	else if (r->wait < REVIVE_LAST)
		r->wait *= 2;
	r->began = now;
	r->at = now + r->wait;
}

#endif
