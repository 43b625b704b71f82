/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Counters. Their index is the number of the netlink attribute that shows them
 * (ESPTUN_STATS_A_*). A new counter is a row of the specification, from which
 * stats-gen.h is generated, and the place that raises it.
 */
#ifndef ESPTUN_STATS_H
#define ESPTUN_STATS_H

#include <linux/percpu.h>
#include <linux/u64_stats_sync.h>
#include <linux/esptun.h>
#include "stats-gen.h"

#define ESPTUN_STATS_FIRST ESPTUN_STATS_A_RX_KEEPALIVE
#define ESPTUN_STATS_NUM (ESPTUN_STATS_A_MAX + 1)

struct net_device;

/* Of the packets a counter counts. */
enum esptun_way {
	ESPTUN_WAY_RX = ESPTUN_SA_DIR_IN,
	ESPTUN_WAY_TX = ESPTUN_SA_DIR_OUT,
	ESPTUN_WAY_NONE,
	ESPTUN_WAY_NUM
};

/**
 * struct esptun_counter - what a counter counts
 * @name: "rx-replay" and so on
 * @drop: dropped packets
 * @way: enum esptun_way
 * @slot: place in esptun_sa.counters plus 1; 0 if SAs do not have it
 */
struct esptun_counter {
	const char *name;
	bool drop;
	u8 way;
	u8 slot;
};

/* By ESPTUN_STATS_A_*, from ESPTUN_STATS_FIRST on. */
extern const struct esptun_counter esptun_counters[ESPTUN_STATS_NUM];

/* One CPU's counters of one link or one netns. */
struct esptun_stats {
	u64_stats_t count[ESPTUN_STATS_NUM];
	struct u64_stats_sync syncp;
};

/**
 * esptun_stats_alloc - per-CPU counters, all 0
 *
 * May sleep. Free with free_percpu(). NULL if out of memory.
 */
struct esptun_stats __percpu *esptun_stats_alloc(void);

/**
 * esptun_stats_add - raise one counter
 * @stats: counters of a link or a netns
 * @id: ESPTUN_STATS_A_*
 * @n: how much
 *
 * Any context but hard interrupt.
 */
void esptun_stats_add(struct esptun_stats __percpu *stats, unsigned int id,
		      unsigned int n);

/**
 * esptun_stats_drop - raise one counter of drops and trace it
 * @stats: counters of a link or a netns
 * @dev: the link's netdevice, NULL if @stats are a netns's
 * @spi: of the SA, 0 if there is none
 * @id: ESPTUN_STATS_A_*
 * @n: packets
 *
 * Any context but hard interrupt.
 */
void esptun_stats_drop(struct esptun_stats __percpu *stats,
		       const struct net_device *dev, __be32 spi,
		       unsigned int id, unsigned int n);

/**
 * esptun_stats_sum - add the counters of all CPUs up
 * @stats: counters of a link or a netns
 * @sum: one u64 for each attribute number, overwritten
 *
 * Any context.
 */
void esptun_stats_sum(struct esptun_stats __percpu *stats,
		      u64 sum[ESPTUN_STATS_NUM]);

/**
 * esptun_stats_dropped - how many of the counters are drops
 * @sum: result of esptun_stats_sum()
 * @rx: packets dropped inbound
 * @tx: packets dropped outbound
 */
void esptun_stats_dropped(const u64 sum[ESPTUN_STATS_NUM], u64 *rx, u64 *tx);

#endif /* ESPTUN_STATS_H */
