/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A hub and its clients, each a core, in a quiet world. */
#ifndef ESPTUN_TEST_CORE_HUB_H
#define ESPTUN_TEST_CORE_HUB_H

#include "core_util.h"

enum { CLIENTS = 3 };

struct hub {
	struct world w;
	struct node *hub, *client[CLIENTS];
	unsigned int tunnel, link[CLIENTS]; /* numbers of links */
};

/*
 * None of them is started. The hub serves up to @most clients; if @pool_size is not 0, they ask for addresses,
 * and its pool has so many of each family.
 */
struct hub *hub_new(unsigned int most, unsigned int pool_size);
void hub_free(struct hub *h);
/* The world goes on for @ms; broken invariants fail the test. */
void hub_run(struct hub *h, uint64_t ms);
/* Does traffic of client @i pass both ways? */
bool hub_works(const struct hub *h, unsigned int i);

#endif
