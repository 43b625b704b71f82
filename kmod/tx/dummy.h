/* SPDX-License-Identifier: GPL-2.0 */
/* Dummy packets of an SA (RFC 4303 2.6), so many a second beside others. */
#ifndef ESPTUN_DUMMY_H
#define ESPTUN_DUMMY_H

#include <linux/types.h>
#include <linux/workqueue.h>

struct esptun_sa;

/**
 * struct esptun_dummy - of an outbound SA that has, or had, dummies
 * @work: sends them, and queues itself again while @rate is not 0, the SA is in
 *	the tables and not dead
 * @sa: the SA
 * @rate: packets a second, 0 for none; changed under esptun_net.lock, read with
 *	READ_ONCE
 * @due: what is due, in packets times HZ; the work's
 */
struct esptun_dummy {
	struct delayed_work work;
	struct esptun_sa *sa;
	u32 rate;
	u32 due;
};

/* Once per module: who sends them. Exit: when there are no SAs. Process context. */
int esptun_dummy_module_init(void);
void esptun_dummy_module_exit(void);

/**
 * esptun_dummy_init - prepare for dummies, sending none yet
 * @sa: outbound; new, or en->lock held
 * @rate: how many a second there shall be; 0 needs nothing
 *
 * May sleep. @sa->dummy is freed with the SA. Return: 0 or -ENOMEM.
 */
int esptun_dummy_init(struct esptun_sa *sa, u32 rate);

/*
 * So many a second from now on, which the SA was prepared for; 0: on return the
 * work does not run. The SA is in the tables, or was; en->lock held; may sleep.
 */
void esptun_dummy_set(struct esptun_sa *sa, u32 rate);

#endif /* ESPTUN_DUMMY_H */
