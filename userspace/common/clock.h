/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Time for waiting, which nobody sets.
 */
#ifndef ESPTUN_COMMON_CLOCK_H
#define ESPTUN_COMMON_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline int64_t clock_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

#endif
