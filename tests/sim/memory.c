// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Memory that cannot be had, now and then: the linker leads calls of malloc() and its kind here
 * (--wrap). libcrypto's own are as always.
 */
#include "memory.h"

static unsigned int percent;
static struct rnd rnd;

void memory_fail(unsigned int percent_of_calls, uint64_t seed)
{
	percent = percent_of_calls;
	rnd.s = seed;
}

static bool is_out(void)
{
	return percent && rnd_chance(&rnd, percent);
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);

void *__wrap_malloc(size_t size)
{
	return is_out() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return is_out() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t size)
{
	return is_out() ? NULL : __real_realloc(p, size);
}
