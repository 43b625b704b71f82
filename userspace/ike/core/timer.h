/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Deadlines of many objects, the earliest first: a binary heap of nodes embedded in
 * their owners. Setting a deadline cannot fail, for room is reserved when an owner is
 * made.
 */
#ifndef ESPTUN_IKE_TIMER_H
#define ESPTUN_IKE_TIMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TIMER_NEVER UINT64_MAX

/* The owner of an embedded node. */
#define container_of(p, type, member) ((type *)((char *)(p)-offsetof(type, member)))

struct timer {
	uint64_t at; /* milliseconds; meaningful while pos is not 0 */
	size_t pos; /* place in the heap, from 1; 0: not waiting */
};

struct timers {
	struct timer **v; /* v[0] unused */
	size_t n; /* waiting */
	size_t cap; /* allocated */
	size_t owners; /* that room was reserved for */
};

/* Room for one more owner; 0 or -ENOMEM. Undone with timers_unreserve(). */
int timers_reserve(struct timers *h);
void timers_unreserve(struct timers *h, struct timer *t);
/* Move @t to @at; TIMER_NEVER takes it out. */
void timer_set(struct timers *h, struct timer *t, uint64_t at);
/* The earliest, or NULL. */
struct timer *timers_first(const struct timers *h);
void timers_free(struct timers *h);

#endif
