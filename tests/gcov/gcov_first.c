// SPDX-License-Identifier: GPL-2.0
/* Linked in front of all objects of esptun.ko. */
#include "gcov.h"

const struct gcov_object *const esptun_gcov_first[]
	__attribute__((section("esptun_gcov"), used)) = { NULL };
