// SPDX-License-Identifier: GPL-2.0
/*
 * Keepalive, one timer per peer: after peer->keepalive seconds in which
 * nothing was sent, a NAT keepalive goes out, and the count starts anew (RFC
 * 3948 2.3, 4). Sending only notes the time; the timer, when it fires early,
 * goes back to sleep for the rest. Off while the link is down.
 *
 * Held packets, one timer per link: a packet waiting for an SA is given up
 * ESPTUN_HOLD_MS after it came.
 *
 * Limits of SAs have timers of their own (lifetime.c).
 */
#include <linux/jiffies.h>
#include <linux/rcupdate.h>
#include "link.h"
#include "sa/peer.h"
#include "sa/timer.h"
#include "encap/udp.h"

/* Many CPUs send to one peer: leave the cache line alone within a jiffy. */
static void note(unsigned long *when, bool *valid)
{
	unsigned long now = jiffies;

	if (READ_ONCE(*when) != now)
		WRITE_ONCE(*when, now);
	if (!READ_ONCE(*valid))
		WRITE_ONCE(*valid, true);
}

void esptun_timer_sent(struct esptun_peer *peer)
{
	note(&peer->last_tx, &peer->sent);
}

void esptun_timer_received(struct esptun_peer *peer)
{
	note(&peer->last_rx, &peer->received);
}

static void keepalive_fire(struct timer_list *timer)
{
	struct esptun_peer *peer = timer_container_of(peer, timer, timer);
	unsigned long interval = READ_ONCE(peer->keepalive) * HZ;
	unsigned long next = jiffies + interval;
	unsigned long last = READ_ONCE(peer->last_tx);

	if (!interval || READ_ONCE(peer->dead))
		return;
	rcu_read_lock();
	if (READ_ONCE(peer->sent) && time_before(jiffies, last + interval))
		next = last + interval;
	else if (netif_running(peer->link->dev))
		esptun_udp_keepalive(peer);
	rcu_read_unlock();
	mod_timer(&peer->timer, next);
}

void esptun_timer_peer_init(struct esptun_peer *peer)
{
	timer_setup(&peer->timer, keepalive_fire, 0);
}

void esptun_timer_peer_changed(struct esptun_peer *peer)
{
	lockdep_assert_held(&peer->link->en->lock);
	/* Fires at once if it is due already; then finds the real time. */
	if (peer->keepalive)
		mod_timer(&peer->timer,
			  jiffies + (peer->sent ? 1 : peer->keepalive * HZ));
	else
		timer_delete_sync(&peer->timer);
}

void esptun_timer_peer_stop(struct esptun_peer *peer)
{
	lockdep_assert_held(&peer->link->en->lock);
	WRITE_ONCE(peer->dead, true);
	timer_shutdown_sync(&peer->timer);
}

static void held_fire(struct timer_list *timer)
{
	struct esptun_link *link = timer_container_of(link, timer, held_timer);

	if (link->held_expire(link, false))
		mod_timer(&link->held_timer, jiffies + HZ);
}

void esptun_timer_link_init(struct esptun_link *link,
			    bool (*expire)(struct esptun_link *link, bool all))
{
	link->held_expire = expire;
	timer_setup(&link->held_timer, held_fire, 0);
}

void esptun_timer_held(struct esptun_link *link)
{
	if (!timer_pending(&link->held_timer))
		mod_timer(&link->held_timer,
			  jiffies + msecs_to_jiffies(ESPTUN_HOLD_MS));
}

void esptun_timer_link_stop(struct esptun_link *link)
{
	timer_shutdown_sync(&link->held_timer);
}
