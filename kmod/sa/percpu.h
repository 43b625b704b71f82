/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Several outbound SAs with the same selectors and mode, one for each CPU (RFC 9611). The
 * table of outbound SAs knows none of them: it finds the SA without a CPU, the
 * fallback SA, which leads to that of the CPU that sends.
 */
#ifndef ESPTUN_PERCPU_H
#define ESPTUN_PERCPU_H

#include <linux/rcupdate.h>
#include <linux/types.h>
#include "sa/sa.h"

struct esptun_peer;
struct netlink_ext_ack;

/**
 * struct esptun_percpu_slot - of one CPU
 * @sa: its newest SA, NULL without one; changes under esptun_net.lock, RCU
 * @when: jiffies of its last acquire, 0 for never; of this CPU alone
 */
struct esptun_percpu_slot {
	struct esptun_sa __rcu *sa;
	unsigned long when;
};

/**
 * struct esptun_percpu - SAs of one peer with the same selectors and mode, by CPU
 * @rcu: frees it
 * @n_sas: SAs of a CPU; with the last one it goes. Under esptun_net.lock
 * @slot: by number of the CPU
 */
struct esptun_percpu {
	struct rcu_head rcu;
	unsigned int n_sas;
	struct esptun_percpu_slot slot[];
};

/**
 * esptun_percpu_add - make an outbound SA findable by its CPU, or a fallback SA
 * @sa: outbound, not yet in peer->sas; en->lock held
 * @extack: told why not
 *
 * One with a CPU takes over from older ones of the same CPU. One without gets
 * those that the SA has whose selectors and mode it shares; it may be in peer->sas,
 * after its selectors changed.
 * Return: 0; -ENOENT if one with a CPU has no fallback SA; -ENOMEM.
 */
int esptun_percpu_add(struct esptun_sa *sa, struct netlink_ext_ack *extack);

/* No longer found by its CPU; an older one of that CPU is. en->lock held. */
void esptun_percpu_del(struct esptun_sa *sa);

/*
 * As esptun_percpu_del() of all SAs of @peer, in a time that grows with their
 * number; of each it does nothing then. en->lock held.
 */
void esptun_percpu_flush(struct esptun_peer *peer);

/*
 * The SA of this CPU that sends in the place of @sa, NULL if it has none that
 * carries traffic. RCU read side, bottom halves off.
 */
struct esptun_sa *esptun_percpu_find(const struct esptun_sa *sa);

/**
 * esptun_percpu_due - should an SA for this CPU be asked for
 * @sa: fallback SA, which sends in its place; RCU read side, bottom halves off
 *
 * For each CPU once in ESPTUN_ACQUIRE_CPU_MS.
 */
bool esptun_percpu_due(const struct esptun_sa *sa);

/* It was asked for now. RCU read side, bottom halves off, since it was due. */
void esptun_percpu_asked(const struct esptun_sa *sa);

#endif /* ESPTUN_PERCPU_H */
