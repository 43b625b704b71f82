/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ESPTUN_SIM_MEMORY_H
#define ESPTUN_SIM_MEMORY_H

#include "world.h"

/* From now on so many percent of the calls for memory fail, chosen by @seed; 0: none. */
void memory_fail(unsigned int percent_of_calls, uint64_t seed);

#endif
