// SPDX-License-Identifier: GPL-2.0
#include <linux/kernel.h>
#include <linux/log2.h>
#include "esp/replay.h"

#define WORD_BITS 64
/* Without a window, a number counts as the nearest one to the highest seen. */
#define NO_WINDOW (1U << 31)

/*
 * One word more than the window, so that clearing the words ahead of @top,
 * whole words at a time, never touches a bit still inside the window.
 */
unsigned int esptun_replay_words(u32 window)
{
	if (!window)
		return 0;
	return roundup_pow_of_two(DIV_ROUND_UP(window, WORD_BITS) + 1);
}

void esptun_replay_init(struct esptun_replay *r, u32 window, u64 *ring)
{
	unsigned int words = esptun_replay_words(window);

	r->top = 0;
	r->window = window;
	r->mask = words ? words - 1 : 0;
	r->ring = ring;
}

/*
 * RFC 4303 A2.2. The window [bottom, top] lies in one or two 2^32 subspaces;
 * a number is taken to be in the window or ahead of it.
 */
bool esptun_replay_infer(const struct esptun_replay *r, u32 seq, bool esn,
			 u64 *full)
{
	u32 window = r->window ?: NO_WINDOW;
	u32 low = lower_32_bits(r->top);
	u32 high = upper_32_bits(r->top);
	u32 bottom = low - window + 1;

	if (!esn) {
		*full = seq;
		return true;
	}
	if (low >= window - 1) {
		if (seq < bottom)
			high++;
	} else if (seq >= bottom) {
		if (!high)
			return false;
		high--;
	}
	*full = ((u64)high << 32) | seq;
	return true;
}

static u64 *word_of(const struct esptun_replay *r, u64 full)
{
	return &r->ring[(full / WORD_BITS) & r->mask];
}

static u64 bit_of(u64 full)
{
	return 1ULL << (full % WORD_BITS);
}

bool esptun_replay_check(const struct esptun_replay *r, u64 full)
{
	if (!r->window)
		return true;
	if (!full)
		return false;
	if (full > r->top)
		return true;
	if (r->top - full >= r->window)
		return false;
	return !(*word_of(r, full) & bit_of(full));
}

/* The words between the one of @top and that of @full hold old numbers. */
static void clear_ahead(struct esptun_replay *r, u64 full)
{
	u64 from = r->top / WORD_BITS;
	u64 steps = full / WORD_BITS - from;

	steps = min_t(u64, steps, (u64)r->mask + 1);
	while (steps--)
		r->ring[++from & r->mask] = 0;
}

bool esptun_replay_commit(struct esptun_replay *r, u64 full)
{
	if (!esptun_replay_check(r, full))
		return false;
	if (r->window) {
		if (full > r->top)
			clear_ahead(r, full);
		*word_of(r, full) |= bit_of(full);
	}
	if (full > r->top)
		r->top = full;
	return true;
}
