/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A run of the simulation, and the pieces that scenarios are made of (sim.c). Scenarios with certificates are in certified.c. */
#ifndef ESPTUN_SIM_SIM_H
#define ESPTUN_SIM_SIM_H

#include "world.h"

enum outcome { ANY, PAIR, NOTHING };

struct run {
	struct world w;
	struct rnd rnd; /* the scenario's choices */
	struct node *a, *b;
	uint64_t calm_ms; /* how long the calm phase is */
	enum outcome want;
	bool unnoticed; /* a's NAT gave it another address, which a cannot see */
	uint64_t slower; /* ms that a message may take beyond what it may in most runs */
	size_t path_max; /* bytes of IKE that a packet may have, see limit_path() */
	const char *say[2]; /* words that a's and b's log must hold */
	const char *esp[2]; /* ESP's words of a and b, see vary_suite(); NULL: any */
};

uint64_t between(struct run *r, uint64_t low, uint64_t high);
void pass(struct run *r, uint64_t ms);
void start_both(struct run *r);
bool up(struct run *r);
/* Let it come up, for at most @ms. */
bool until_up(struct run *r, uint64_t ms);
void both_initiate(struct run *r);
/* From now on whatever is sent arrives soon, each job has its result, and nobody attacks. */
void lose_nothing(struct run *r);
/* Whatever is longer than @max bytes gets lost, to the end of the run. */
void limit_path(struct run *r, size_t max);

/* ---- certified.c --------------------------------------------------------- */

void play_certified(struct run *r);
void play_wrong_cert(struct run *r);
void play_revocation(struct run *r);
void play_renewed_cert(struct run *r);
void play_eap_tls(struct run *r);
void play_cert_then_eap(struct run *r);

#endif
