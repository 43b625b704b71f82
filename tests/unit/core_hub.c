// SPDX-License-Identifier: GPL-2.0-or-later
/* A hub and its clients in a quiet world. */
#include "core_hub.h"

struct hub *hub_new(unsigned int most, unsigned int pool_size)
{
	struct hub *h = calloc(1, sizeof(*h));
	unsigned int i;

	assert_non_null(h);
	world_init(&h->w, 7);
	h->w.delay_min = h->w.delay_max = 10;
	h->hub = world_node(&h->w);
	h->tunnel = world_hub(&h->w, h->hub, most);
	if (pool_size)
		world_hub_pool(&h->w, h->tunnel, pool_size);
	for (i = 0; i < CLIENTS; i++) {
		h->client[i] = world_node(&h->w);
		h->link[i] = pool_size ? world_client_asking(&h->w, h->client[i], h->tunnel)
				       : world_client(&h->w, h->client[i], h->tunnel);
	}
	return h;
}

void hub_free(struct hub *h)
{
	world_free(&h->w);
	free(h);
}

void hub_run(struct hub *h, uint64_t ms)
{
	world_run(&h->w, h->w.now + ms);
	if (h->w.failed[0])
		fail_msg("%s", h->w.failed);
}

bool hub_works(const struct hub *h, unsigned int i)
{
	return direction_works(h->client[i], h->hub, h->link[i]) &&
	       direction_works(h->hub, h->client[i], h->link[i]);
}
