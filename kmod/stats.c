// SPDX-License-Identifier: GPL-2.0
#include <linux/string.h>
#include "stats.h"
#define CREATE_TRACE_POINTS
#include "trace.h"

const struct esptun_counter esptun_counters[ESPTUN_STATS_NUM] = {
	ESPTUN_COUNTER_ROWS
};

struct esptun_stats __percpu *esptun_stats_alloc(void)
{
	struct esptun_stats __percpu *stats = alloc_percpu(struct esptun_stats);
	int cpu;

	if (!stats)
		return NULL;
	for_each_possible_cpu(cpu)
		u64_stats_init(&per_cpu_ptr(stats, cpu)->syncp);
	return stats;
}

void esptun_stats_add(struct esptun_stats __percpu *stats, unsigned int id,
		      unsigned int n)
{
	struct esptun_stats *own;

	/* Process context (configuration) and softirq share the counters. */
	local_bh_disable();
	own = this_cpu_ptr(stats);
	u64_stats_update_begin(&own->syncp);
	u64_stats_add(&own->count[id], n);
	u64_stats_update_end(&own->syncp);
	local_bh_enable();
}

void esptun_stats_drop(struct esptun_stats __percpu *stats,
		       const struct net_device *dev, __be32 spi,
		       unsigned int id, unsigned int n)
{
	esptun_stats_add(stats, id, n);
	trace_esptun_drop(dev, spi, id, n);
}

void esptun_stats_sum(struct esptun_stats __percpu *stats,
		      u64 sum[ESPTUN_STATS_NUM])
{
	u64 count[ESPTUN_STATS_NUM];
	unsigned int start;
	unsigned int i;
	int cpu;

	memset(sum, 0, sizeof(*sum) * ESPTUN_STATS_NUM);
	for_each_possible_cpu(cpu) {
		const struct esptun_stats *one = per_cpu_ptr(stats, cpu);

		do {
			start = u64_stats_fetch_begin(&one->syncp);
			for (i = 0; i < ESPTUN_STATS_NUM; i++)
				count[i] = u64_stats_read(&one->count[i]);
		} while (u64_stats_fetch_retry(&one->syncp, start));
		for (i = 0; i < ESPTUN_STATS_NUM; i++)
			sum[i] += count[i];
	}
}

void esptun_stats_dropped(const u64 sum[ESPTUN_STATS_NUM], u64 *rx, u64 *tx)
{
	u64 dropped[ESPTUN_WAY_NUM] = {};
	unsigned int i;

	for (i = ESPTUN_STATS_FIRST; i < ESPTUN_STATS_NUM; i++)
		if (esptun_counters[i].drop)
			dropped[esptun_counters[i].way] += sum[i];
	*rx = dropped[ESPTUN_WAY_RX];
	*tx = dropped[ESPTUN_WAY_TX];
}
