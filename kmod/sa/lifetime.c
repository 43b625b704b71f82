// SPDX-License-Identifier: GPL-2.0
/*
 * Limits, and what happens when an SA reaches one: packets are counted in
 * softirq, and the one over a limit raises the SA's state, under sa->lock, so that
 * each limit is told once. For limits of time an SA has a timer, which is armed
 * only if there are any, under sa->lock and while it is in the tables. Limits
 * change under the configuration lock.
 */
#include <linux/ktime.h>
#include <linux/netlink.h>
#include <linux/timer.h>
#include "util/event.h"
#include "link.h"
#include "sa/sa.h"

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

/* ---- time ---- */

static u64 now_ms(void)
{
	return ktime_to_ms(ktime_get_boottime());
}

/* Have the timer look in @ms, unless it does so sooner, as for newer limits. */
static void look_after(struct esptun_sa *sa, unsigned long ms)
{
	spin_lock_bh(&sa->lock);
	if (sa->timed)
		timer_reduce(&sa->timer, jiffies + msecs_to_jiffies(ms));
	spin_unlock_bh(&sa->lock);
}

static bool has_time_limits(const struct esptun_limits *l)
{
	return READ_ONCE(l->soft[ESPTUN_TIME]) ||
	       READ_ONCE(l->hard[ESPTUN_TIME]) ||
	       READ_ONCE(l->soft[ESPTUN_USE_TIME]) ||
	       READ_ONCE(l->hard[ESPTUN_USE_TIME]);
}

/* Milliseconds until @limit seconds after @begun are over: 0 if they are. */
static u64 ms_left(u64 limit, u64 begun, u64 now)
{
	u64 end = begun + limit * MSEC_PER_SEC;

	return end > now ? end - now : 0;
}

/* Return: milliseconds until the next limit of @unit, U64_MAX for never. */
static u64 check_time(struct esptun_sa *sa, unsigned int unit, u64 begun,
		      u64 now)
{
	u64 soft = READ_ONCE(sa->limits.soft[unit]);
	u64 hard = READ_ONCE(sa->limits.hard[unit]);
	u64 left = U64_MAX;

	if (hard)
		left = ms_left(hard, begun, now);
	if (!left) {
		esptun_sa_expire(sa, ESPTUN_SA_STATE_DEAD,
				 ESPTUN_EXPIRE_REASON_HARD);
		return U64_MAX;
	}
	if (!soft || READ_ONCE(sa->state) != ESPTUN_SA_STATE_MATURE)
		return left;
	soft = ms_left(soft, begun, now);
	if (soft)
		return min(left, soft);
	esptun_sa_expire(sa, ESPTUN_SA_STATE_DYING, ESPTUN_EXPIRE_REASON_SOFT);
	return left;
}

/*
 * Limits count time asleep, too, in which the timer stands still: it looks each
 * minute, also if none is due yet.
 */
static void lifetime_fire(struct timer_list *timer)
{
	struct esptun_sa *sa = timer_container_of(sa, timer, timer);
	u64 first_used = READ_ONCE(sa->first_used);
	u64 now = now_ms();
	u64 next;

	rcu_read_lock();
	next = check_time(sa, ESPTUN_TIME, sa->added, now);
	if (first_used)
		next = min(next,
			   check_time(sa, ESPTUN_USE_TIME, first_used, now));
	rcu_read_unlock();
	if (next != U64_MAX && READ_ONCE(sa->state) != ESPTUN_SA_STATE_DEAD)
		look_after(sa, min_t(u64, next, ESPTUN_LIFETIME_MS));
}

void esptun_lifetime_init(struct esptun_sa *sa)
{
	timer_setup(&sa->timer, lifetime_fire, 0);
}

void esptun_lifetime_start(struct esptun_sa *sa)
{
	sa->added = now_ms();
	spin_lock_bh(&sa->lock);
	sa->timed = true;
	spin_unlock_bh(&sa->lock);
	if (has_time_limits(&sa->limits))
		look_after(sa, 0);
}

void esptun_lifetime_stop(struct esptun_sa *sa)
{
	spin_lock_bh(&sa->lock);
	sa->timed = false;
	spin_unlock_bh(&sa->lock);
	timer_shutdown_sync(&sa->timer);
}

/* ---- bytes and packets ---- */

/* A limit of 0 is none. */
static bool reached(u64 value, const u64 *limit)
{
	return value > READ_ONCE(*limit) - 1;
}

static __always_inline void check_usage(struct esptun_sa *sa, u64 packets,
					u64 bytes)
{
	const struct esptun_limits *l = &sa->limits;

	if (unlikely(reached(packets, &l->hard[ESPTUN_PACKETS]) ||
		     reached(bytes, &l->hard[ESPTUN_BYTES])))
		esptun_sa_expire(sa, ESPTUN_SA_STATE_DEAD,
				 ESPTUN_EXPIRE_REASON_HARD);
	else if (unlikely((reached(packets, &l->soft[ESPTUN_PACKETS]) ||
			   reached(bytes, &l->soft[ESPTUN_BYTES])) &&
			  READ_ONCE(sa->state) == ESPTUN_SA_STATE_MATURE))
		esptun_sa_expire(sa, ESPTUN_SA_STATE_DYING,
				 ESPTUN_EXPIRE_REASON_SOFT);
}

/* Several CPUs may find that nobody noted it yet: the first one does. */
static noinline void first_use(struct esptun_sa *sa, u64 packets, u64 bytes)
{
	spin_lock_bh(&sa->lock);
	if (!sa->first_used)
		WRITE_ONCE(sa->first_used, now_ms());
	spin_unlock_bh(&sa->lock);
	if (has_time_limits(&sa->limits))
		look_after(sa, 0);
	check_usage(sa, packets, bytes);
}

void esptun_sa_used(struct esptun_sa *sa, unsigned int packets, u64 bytes)
{
	u64 p = atomic64_add_return(packets, &sa->packets);
	u64 b = atomic64_add_return(bytes, &sa->bytes);
	unsigned long now = jiffies;

	if (READ_ONCE(sa->last_used) != now) {
		WRITE_ONCE(sa->last_used, now);
		if (unlikely(!READ_ONCE(sa->first_used))) {
			first_use(sa, p, b);
			return;
		}
	}
	check_usage(sa, p, b);
}

/* ---- limits ---- */

int esptun_limits_check(const struct esptun_limits *l,
			struct netlink_ext_ack *extack)
{
	static const char *const names[] = { "bytes", "packets", "time",
					     "use-time" };
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
	/* What is next over a limit, packet or timer, makes it dying again, and tells. */
	if (sa->state == ESPTUN_SA_STATE_DYING)
		WRITE_ONCE(sa->state, ESPTUN_SA_STATE_MATURE);
	spin_unlock_bh(&sa->lock);
	if (has_time_limits(l))
		look_after(sa, 0);
}
