/* SPDX-License-Identifier: GPL-2.0 */
/* Dummy packets of an SA (RFC 4303 2.6), so many a second beside others. */
#ifndef ESPTUN_DUMMY_H
#define ESPTUN_DUMMY_H

#include <linux/timer.h>
#include <linux/types.h>

struct esptun_sa;

/**
 * struct esptun_dummy - of an outbound SA
 * @timer: sends them; armed while @rate is not 0, the SA is in the tables and
 *	not dead
 * @rate: packets a second, 0 for none; changed under esptun_net.lock, read with
 *	READ_ONCE
 * @due: what is due, in packets times HZ; the timer's
 */
struct esptun_dummy {
	struct timer_list timer;
	u32 rate;
	u32 due;
};

/* An SA was made: prepare, unarmed. */
void esptun_dummy_init(struct esptun_sa *sa);

/* So many a second from now on. The SA is in the tables; en->lock held; may sleep. */
void esptun_dummy_set(struct esptun_sa *sa, u32 rate);

/* The SA is going away: on return the timer does not run. en->lock held; may sleep. */
void esptun_dummy_stop(struct esptun_sa *sa);

#endif /* ESPTUN_DUMMY_H */
