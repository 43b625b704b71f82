// SPDX-License-Identifier: GPL-2.0
/*
 * Limits, and what happens when an SA reaches one: packets are counted in
 * softirq, and the one over a limit raises the SA's state, under sa->lock, so that
 * each limit is told once. Limits change under the configuration lock.
 */
#include <linux/netlink.h>
#include "event.h"
#include "link.h"
#include "sa.h"

void esptun_sa_expire(struct esptun_sa *sa, u8 state, u8 reason)
{
	bool first;

	spin_lock_bh(&sa->lock);
	first = sa->state != ESPTUN_SA_STATE_LARVAL && sa->state < state;
	if (first)
		WRITE_ONCE(sa->state, state);
	spin_unlock_bh(&sa->lock);
	if (!first)
		return;
	esptun_event_expire(sa, reason);
	if (state == ESPTUN_SA_STATE_DEAD) {
		WRITE_ONCE(sa->link->expired, true);
		esptun_link_update(sa->link);
	}
}

/* A limit of 0 is none. */
static bool reached(u64 value, const u64 *limit)
{
	return value > READ_ONCE(*limit) - 1;
}

void esptun_sa_used(struct esptun_sa *sa, unsigned int packets, u64 bytes)
{
	u64 p = atomic64_add_return(packets, &sa->packets);
	u64 b = atomic64_add_return(bytes, &sa->bytes);
	unsigned long now = jiffies;

	if (READ_ONCE(sa->last_used) != now)
		WRITE_ONCE(sa->last_used, now);
	if (unlikely(reached(p, &sa->limits.hard[ESPTUN_PACKETS]) ||
		     reached(b, &sa->limits.hard[ESPTUN_BYTES])))
		esptun_sa_expire(sa, ESPTUN_SA_STATE_DEAD,
				 ESPTUN_EXPIRE_REASON_HARD);
	else if (unlikely((reached(p, &sa->limits.soft[ESPTUN_PACKETS]) ||
			   reached(b, &sa->limits.soft[ESPTUN_BYTES])) &&
			  READ_ONCE(sa->state) == ESPTUN_SA_STATE_MATURE))
		esptun_sa_expire(sa, ESPTUN_SA_STATE_DYING,
				 ESPTUN_EXPIRE_REASON_SOFT);
}

int esptun_limits_check(const struct esptun_limits *l,
			struct netlink_ext_ack *extack)
{
	static const char *const names[] = { "bytes", "packets" };
	unsigned int i;

	BUILD_BUG_ON(ARRAY_SIZE(names) != ESPTUN_UNITS);
	for (i = 0; i < ESPTUN_UNITS; i++) {
		if (l->hard[i] && l->soft[i] > l->hard[i]) {
			NL_SET_ERR_MSG_FMT(extack, "soft-%s: more than hard-%s",
					   names[i], names[i]);
			return -EINVAL;
		}
	}
	return 0;
}

void esptun_limits_merge(struct esptun_limits *to,
			 const struct esptun_limits *from, u32 present)
{
	unsigned int i;

	for (i = 0; i < ESPTUN_UNITS; i++) {
		if (present & ESPTUN_LIMIT_SOFT(i))
			to->soft[i] = from->soft[i];
		if (present & ESPTUN_LIMIT_HARD(i))
			to->hard[i] = from->hard[i];
	}
}

u32 esptun_limits_present(const struct esptun_limits *l)
{
	u32 present = 0;
	unsigned int i;

	for (i = 0; i < ESPTUN_UNITS; i++)
		present |= (l->soft[i] ? ESPTUN_LIMIT_SOFT(i) : 0) |
			   (l->hard[i] ? ESPTUN_LIMIT_HARD(i) : 0);
	return present;
}

void esptun_sa_set_limits(struct esptun_sa *sa, const struct esptun_limits *l)
{
	unsigned int i;

	spin_lock_bh(&sa->lock);
	for (i = 0; i < ESPTUN_UNITS; i++) {
		WRITE_ONCE(sa->limits.soft[i], l->soft[i]);
		WRITE_ONCE(sa->limits.hard[i], l->hard[i]);
	}
	/* The next packet over a limit makes it dying again, and tells. */
	if (sa->state == ESPTUN_SA_STATE_DYING)
		WRITE_ONCE(sa->state, ESPTUN_SA_STATE_MATURE);
	spin_unlock_bh(&sa->lock);
}
