/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Identities, addresses and pools for tests, from text. They fail the test where that cannot be. */
#ifndef ESPTUN_TEST_SOME_POOL_H
#define ESPTUN_TEST_SOME_POOL_H

#include "ike/pool/pool.h"

struct ike_id name(const char *text);
struct ike_addr at(const char *text);
/* From @first to @last, without fixed addresses; for pool_free(). */
struct pool *pool_of(const char *first, const char *last);

#endif
