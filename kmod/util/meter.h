/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A leaky bucket: what is let through fills it, time empties it. A meter of all
 * zeros is an empty one. The caller serialises.
 */
#ifndef ESPTUN_METER_H
#define ESPTUN_METER_H

#include <linux/jiffies.h>
#include <linux/minmax.h>
#include <linux/types.h>

/**
 * struct esptun_rate - what a meter lets through
 * @second: units a second
 * @burst: units at once; @burst * HZ must fit in 32 bits
 */
struct esptun_rate {
	u32 second;
	u32 burst;
};

/**
 * struct esptun_meter - how much was let through lately
 * @level: units times HZ, so that a jiffy is never rounded away
 * @when: jiffies when @level was right
 */
struct esptun_meter {
	u32 level;
	unsigned long when;
};

/* Units that may still be let through now. */
static inline u32 esptun_meter_left(struct esptun_meter *m,
				    const struct esptun_rate *rate)
{
	unsigned long now = jiffies;
	u64 leaked = (u64)(now - m->when) * rate->second;
	u32 full = rate->burst * HZ;

	m->level -= min_t(u64, m->level, leaked);
	m->when = now;
	return (full - min(m->level, full)) / HZ;
}

/* @n units were let through; a full meter stays full. */
static inline void esptun_meter_add(struct esptun_meter *m,
				    const struct esptun_rate *rate, u32 n)
{
	m->level = min(m->level + n * HZ, rate->burst * HZ);
}

#endif /* ESPTUN_METER_H */
