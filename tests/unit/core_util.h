/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two cores in a quiet world, and a record of what they send. */
#ifndef ESPTUN_TEST_CORE_UTIL_H
#define ESPTUN_TEST_CORE_UTIL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

#include "../sim/world.h"
#include "ike/core/layer_core.h"

enum { MAX_SENT = 400 };

struct sent {
	uint64_t at;
	unsigned int from;
	struct ike_header h;
	struct ike_endpoint local, remote;
	size_t len;
	uint8_t data[2048];
};

struct pair {
	struct world w;
	struct node *a, *b; /* a initiates */
	struct sent sent[MAX_SENT];
	unsigned int n_sent;
	/* drop what matches: node (1 << index), exchange, requests and/or responses */
	unsigned int drop_from, drop_exchange;
	bool drop_responses, drop_requests;
	bool drop_all;
	size_t drop_longer; /* than so many octets of IKE; 0: none */
	uint64_t drop_fragments; /* number n (1 << n) of any message */
};

struct pair *pair_new(void);
/* Both nodes run; the pair is up if @up. */
void pair_start(struct pair *p, bool up);
/* Packets arrive both ways. */
void pair_is_up(const struct pair *p);
/*
 * The pair begins while of 100 messages and results of jobs @loss are lost, each message may come twice and jobs take
 * their time; when nothing is lost any more it is up. Frees it.
 */
void pair_survives(struct pair *p, uint64_t seed, unsigned int loss);
void pair_free(struct pair *p);
/* The world goes on for @ms; broken invariants fail the test. */
void pair_run(struct pair *p, uint64_t ms);
/* The @n-th (from 0) datagram of that kind; NULL if there were fewer. */
const struct sent *pair_sent(const struct pair *p, const struct node *from, uint8_t exchange,
			     bool response, unsigned int n);
unsigned int pair_count(const struct pair *p, const struct node *from, uint8_t exchange,
			bool response);
/* First notify of type @type in an unprotected message. */
bool sent_notify(const struct sent *s, uint16_t type, struct ike_notify *n);
/* Send @s once more to where it went. */
void pair_replay(struct pair *p, const struct sent *s);
/* The message that @h holds is lost, or comes @late and then once more; then the world goes on for 20 s. */
void pair_disturb(struct pair *p, struct hold *h, bool late);
/* p->a begins by @rekey what needs additional key exchanges; its IKE_FOLLOWUP_KE are lost from now on. */
void pair_begin_series(struct pair *p, void (*rekey)(struct node *n));
/* p->a forgets that series, and that it sent anything of it. */
void pair_leave_series(struct pair *p);
/* The configuration its core keeps of its first tunnel, to be changed behind its back. */
struct tunnel_conf *own_conf(const struct node *n);
/* The core keeps conf[0] from now on, and is not told that it differs. */
void own_conf_replace(struct node *n);
struct ike_core_stats node_stats(const struct node *n);
/* The IKE SA of the node's only tunnel; NULL if there is none. */
struct ike_sa *node_sa(const struct node *n);
/* A request with the payloads in @b (see request_begin) under the node's IKE SA. */
bool node_request(struct node *n, uint8_t exchange, struct ike_builder *b, uint8_t first);
const char *node_error(const struct node *n);
/* Fails unless @words are in the tunnel's error or in what the node logged. */
void node_says(const struct node *n, const char *words);
/* Its pair, or its IKE SA, is due to be rekeyed now. */
void node_rekey_child(struct node *n);
void node_rekey_ike(struct node *n);
/* What the protected message @s has inside; @sa is the IKE SA it is of, at either end. */
struct ike_payloads sent_open(const struct sent *s, const struct ike_sa *sa);
/*
 * Have @n answer the last request of its peer, which must not reach it, with the payloads in @b
 * (see request_begin) instead of what it would say.
 */
void node_answer(struct node *n, uint8_t exchange, struct ike_builder *b, uint8_t first);

#endif
