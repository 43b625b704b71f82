/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Decides when. The rest of the module reports events and never arms a timer, but
 * for the limits of SAs.
 */
#ifndef ESPTUN_TIMER_H
#define ESPTUN_TIMER_H

#include <linux/jiffies.h>
#include <linux/types.h>

struct esptun_link;
struct esptun_peer;

/*
 * Milliseconds from @then to @now, both in jiffies: in 64 bits, for 32 bits of
 * them are 49.7 days. 0 if another CPU noted @then after @now was read.
 */
static inline u64 esptun_timer_ms(unsigned long then, unsigned long now)
{
	return time_after(then, now) ? 0 : jiffies64_to_msecs(now - then);
}

/* A peer was made: prepare its timer, unarmed. */
void esptun_timer_peer_init(struct esptun_peer *peer);

/* The keepalive interval or the endpoint was set. en->lock held. */
void esptun_timer_peer_changed(struct esptun_peer *peer);

/* The peer goes away: on return no timer runs. en->lock held; may sleep. */
void esptun_timer_peer_stop(struct esptun_peer *peer);

/* Something was sent to the peer. RCU read side. */
void esptun_timer_sent(struct esptun_peer *peer);

/* An authenticated packet came from the peer. RCU read side. */
void esptun_timer_received(struct esptun_peer *peer);

/*
 * A link was made: prepare the timer for held packets, unarmed. @expire gives
 * up the old ones and returns whether some are left.
 */
void esptun_timer_link_init(struct esptun_link *link,
			    bool (*expire)(struct esptun_link *link, bool all));

/* A packet is held for want of an SA. Any context. */
void esptun_timer_held(struct esptun_link *link);

/* The link goes away: on return its timer does not run. May sleep. */
void esptun_timer_link_stop(struct esptun_link *link);

#endif /* ESPTUN_TIMER_H */
