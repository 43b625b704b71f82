/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What agent.c (tunnels and events), env.c (the core's effects) and cmd.c (commands and
 * status) share. Private to these three.
 */
#ifndef ESPTUN_IKE_AGENT_INT_H
#define ESPTUN_IKE_AGENT_INT_H

#include <sys/queue.h>

#include "ike/app/agent.h"
#include "ike/app/config.h"
#include "ike/app/ctl.h"
#include "ike/app/keytable.h"
#include "ike/app/log.h"
#include "ike/io/dns.h"
#include "ike/io/kernel.h"
#include "ike/io/loop.h"
#include "ike/io/net.h"
#include "ike/io/udp.h"
#include "ike/sa/timer.h"

enum {
	RESOLVE_EVERY = 10000, /* ms, while a tunnel is not up */
	REOPEN_EVERY = 30000, /* ms, while its netdevice cannot be made */
	TUNNEL_BUCKETS = 4096, /* of each table of tunnels */
};

/* What is to happen once the peer was told and the SAs are gone. */
enum after { AFTER_NOTHING, AFTER_STAY, AFTER_FORGET, AFTER_REPLACE };

struct tunnel {
	struct tunnel *next;
	LIST_ENTRY(tunnel) by_name, by_index;
	TAILQ_ENTRY(tunnel) dirty;
	bool is_dirty; /* in the agent's list */
	bool has_file; /* NAME.conf was there at the last reading */
	struct timer timer; /* of lookup_at and reopen_at */
	struct agent *agent;
	struct config conf;
	struct config successor; /* with AFTER_REPLACE */
	uint32_t ifindex; /* 0: closed, neither netdevice nor core know it */
	bool started; /* the core may initiate */
	bool adopted; /* a former agent's SAs run */
	enum ike_tunnel_state state; /* as the core told last */
	enum after after; /* not NOTHING: closing */
	char error[512]; /* of netdevice or name resolution, "" if none */
	uint64_t error_at;
	struct dns *lookup;
	uint64_t lookup_at; /* when the next one is due; UINT64_MAX: none */
	uint64_t reopen_at; /* when to try again after a failure; UINT64_MAX: never */
	struct ike_addr resolved; /* family 0: not yet */
};

/* An up or down that has not been answered. */
struct waiter {
	struct waiter *next;
	struct ctl_request *request;
	char tunnel[16];
	bool up;
	uint64_t asked_at, deadline;
};

struct agent {
	const struct agent_options *options;
	struct loop *loop;
	struct udp *udp;
	struct kernel *kernel;
	struct net *net;
	struct ctl *ctl;
	struct keytable *keys;
	struct ike_core *core;
	struct tunnel *tunnels, *last; /* in order of names */
	LIST_HEAD(, tunnel) by_name[TUNNEL_BUCKETS], by_index[TUNNEL_BUCKETS];
	TAILQ_HEAD(, tunnel) dirty; /* to be looked at when the event is over */
	struct timers timers;
	struct waiter *waiters;
	bool stopping, settling;
	uint64_t stop_at; /* give up waiting for peers */
};

/* ---- agent.c */
struct tunnel *tunnel_by_name(const struct agent *a, const char *name);
struct tunnel *tunnel_by_index(const struct agent *a, uint32_t ifindex);
/* Netdevice up, core told. 0, or -1 with t->error set and logged. */
int tunnel_open(struct agent *a, struct tunnel *t);
/* Begin to close; what comes then happens in agent_settle(). */
void tunnel_close(struct agent *a, struct tunnel *t, enum after after);
/* Load NAME.conf into a new tunnel. NULL, with the sentences in @err, one a line. */
struct tunnel *tunnel_load(struct agent *a, const char *name, char *err, size_t err_size);
/* Something about the tunnel changed: look at it when the event is over. */
void tunnel_dirty(struct tunnel *t);
/* Act on what changed; the last thing to do in every event. */
void agent_settle(struct agent *a);

/* What a reload did: arrays of names and sentences. */
struct reload {
	json_t *added, *removed, *changed, *errors;
};
/* -1 if the folder cannot be read. */
int agent_read_configs(struct agent *a, struct reload *r);

/* ---- env.c */
void agent_env(struct agent *a, struct ike_env *env);

/* ---- cmd.c */
void cmd_request(void *ctx, struct ctl_request *q, json_t *what);
/* Answer the waiters whose tunnel is where they want it, has failed, or whose time is up. */
void cmd_review(struct agent *a);
/* The earliest deadline. */
uint64_t cmd_next(const struct agent *a);
/* The core's view of a tunnel; false if it has none. Pointers as in struct ike_status. */
bool cmd_core_status(const struct agent *a, const char *name, struct ike_status *out);

#endif
