/* SPDX-License-Identifier: GPL-2.0 */
/* How much an SA may carry before it is told of, and before it ends. */
#ifndef ESPTUN_LIFETIME_H
#define ESPTUN_LIFETIME_H

#include <linux/bits.h>
#include <linux/types.h>

struct netlink_ext_ack;

/*
 * What is limited: inner octets, packets, seconds since added and since first used.
 * An outbound SA counts padding and dummy packets, too.
 */
enum esptun_unit {
	ESPTUN_BYTES,
	ESPTUN_PACKETS,
	ESPTUN_TIME,
	ESPTUN_USE_TIME,
	ESPTUN_UNITS,
};

/**
 * struct esptun_limits - by enum esptun_unit; 0 is no limit
 * @soft: until a warning
 * @hard: until the SA is dead
 */
struct esptun_limits {
	u64 soft[ESPTUN_UNITS];
	u64 hard[ESPTUN_UNITS];
};

/* That a limit was given, in esptun_sa_params.present. */
#define ESPTUN_LIMIT_SOFT(unit) BIT(16 + (unit))
#define ESPTUN_LIMIT_HARD(unit) BIT(24 + (unit))

/* Refuse a soft limit beyond the hard one. Return: 0 or -EINVAL. */
int esptun_limits_check(const struct esptun_limits *l,
			struct netlink_ext_ack *extack);

/* Put those of @from that are @present in the place of those in @to. */
void esptun_limits_merge(struct esptun_limits *to,
			 const struct esptun_limits *from, u32 present);

/* Which are there, as ESPTUN_LIMIT_SOFT() and ESPTUN_LIMIT_HARD(). */
u32 esptun_limits_present(const struct esptun_limits *l);

#endif /* ESPTUN_LIFETIME_H */
