/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory that packets may still be using: freed in process context when those
 * that found it (RCU) are done, and what they left in an order (order.h) was
 * handed over.
 */
#ifndef ESPTUN_RECLAIM_H
#define ESPTUN_RECLAIM_H

#include <linux/llist.h>
#include <linux/types.h>

/**
 * struct esptun_reclaim - part of what is to be freed
 * @node: among those that wait
 * @free: frees it
 */
struct esptun_reclaim {
	struct llist_node node;
	void (*free)(struct esptun_reclaim *r);
};

int esptun_reclaim_module_init(void);
/* Waits until everything was freed. */
void esptun_reclaim_module_exit(void);

/**
 * esptun_reclaim - have it freed
 * @r: no longer found by anybody
 * @free: may sleep
 *
 * Any context.
 */
void esptun_reclaim(struct esptun_reclaim *r,
		    void (*free)(struct esptun_reclaim *r));

/**
 * esptun_reclaim_flush - wait until all that was handed over is freed
 *
 * For the end of a namespace: what is freed late may hold objects of it, as a
 * peer holds a route. Process context.
 */
void esptun_reclaim_flush(void);

#endif /* ESPTUN_RECLAIM_H */
