/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Inner packets on their way up the stack, joined by GRO once more. As the
 * kernel's gro_cells, except that a queue is not a CPU's: packets of a peer go
 * through one and the same, so they stay in order whatever CPUs they were
 * opened on; and that a packet which GRO can do nothing for, and which none is
 * before, does not wait.
 */
#ifndef ESPTUN_CELLS_H
#define ESPTUN_CELLS_H

#include <linux/netdevice.h>
#include <linux/skbuff.h>

/**
 * struct esptun_cell - one queue
 * @queue: packets, put in by any CPU
 * @taken: those its CPU is at
 * @joining: GRO may hold some of them
 * @napi: whoever schedules it runs it
 */
struct esptun_cell {
	struct sk_buff_head queue;
	struct sk_buff_head taken;
	bool joining;
	struct napi_struct napi;
};

/**
 * struct esptun_cells - those of a link
 * @cell: the first
 * @mask: how many, less one
 */
struct esptun_cells {
	struct esptun_cell *cell;
	unsigned int mask;
};

/* From ndo_init on. Return: 0; -ENOMEM. */
int esptun_cells_init(struct esptun_cells *cells, struct net_device *dev);

/*
 * From ndo_uninit, when nobody calls esptun_cells_receive() any more; what
 * waits is dropped.
 */
void esptun_cells_stop(struct esptun_cells *cells);

/* At least one RCU grace period after esptun_cells_stop(). */
void esptun_cells_free(struct esptun_cells *cells);

/**
 * esptun_cells_receive - give a packet to the stack
 * @cells: those of skb->dev
 * @which: packets with an equal value stay in order
 * @skb: the packet, consumed unless there is a reason to drop it
 * @alone: GRO has nothing to join it to, so far as the caller knows
 *
 * Bottom halves off, RCU; no lock that the way up the stack may want.
 * Return: 0, or why it has to be dropped: ESPTUN_STATS_A_RX_BACKLOG if too many
 * wait, ESPTUN_STATS_A_RX_LINK_DOWN.
 */
unsigned int esptun_cells_receive(struct esptun_cells *cells,
				  unsigned int which, struct sk_buff *skb,
				  bool alone);

#endif /* ESPTUN_CELLS_H */
