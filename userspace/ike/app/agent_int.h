/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What agent.c (tunnels and events), path.c (the way to the peers), follow.c (what other
 * programs change), files.c (configuration files), env.c (the core's effects) and cmd.c
 * (commands and status) share. Private to these six.
 */
#ifndef ESPTUN_IKE_AGENT_INT_H
#define ESPTUN_IKE_AGENT_INT_H

#include <sys/queue.h>

#include "ike/app/agent.h"
#include "ike/app/config.h"
#include "ike/app/ctl.h"
#include "ike/app/keytable.h"
#include "ike/app/log.h"
#include "ike/app/reader.h"
#include "ike/io/dns.h"
#include "ike/io/kernel.h"
#include "ike/io/loop.h"
#include "ike/io/net.h"
#include "ike/io/udp.h"
#include "ike/io/watch.h"
#include "ike/sa/timer.h"

enum {
	REOPEN_EVERY = 30000, /* ms, while a tunnel's netdevice cannot be made */
	TUNNEL_BUCKETS = 4096, /* of each table of tunnels */
	AGENT_MAX_OWN = 64, /* addresses of this machine that are looked at */
};

/* What is to happen once the peer was told and the SAs are gone. */
enum after { AFTER_NOTHING, AFTER_STAY, AFTER_FORGET, AFTER_REPLACE };

/* What the tunnel's error is about; each is cleared by what cures it. */
enum trouble {
	TROUBLE_NONE,
	TROUBLE_DEVICE, /* netdevice, its addresses and routes */
	TROUBLE_NAME, /* name resolution */
	TROUBLE_PATH, /* the way to the peer */
};

enum path_state {
	PATH_UNKNOWN, /* not looked at yet */
	PATH_OPEN, /* also without a peer to look for */
	PATH_NO_ROUTE,
	/* What follows keeps a tunnel from starting. */
	PATH_OWN, /* the peer's address is ours */
	PATH_LOOP, /* through the tunnel itself */
	PATH_NOT_LOCAL, /* Local is not ours */
};

struct tunnel {
	struct tunnel *next;
	LIST_ENTRY(tunnel) by_name, by_index;
	TAILQ_ENTRY(tunnel) dirty;
	bool is_dirty; /* in the agent's list */
	bool has_file; /* NAME.conf was there at the last reading */
	struct timer timer; /* of lookup_at, reopen_at and restore_at */
	struct agent *agent;
	struct config conf;
	struct config *successor; /* its own; with AFTER_REPLACE, else NULL */
	uint32_t ifindex; /* 0: closed, neither netdevice nor core know it */
	bool started; /* the core may initiate */
	bool adopted; /* a former agent's SAs run */
	bool terms_kept; /* the kernel has those of its one peer, see terms.h */
	enum ike_tunnel_state state; /* as the core told last */
	enum after after; /* not NOTHING: closing */
	enum trouble trouble;
	const char *error; /* what @trouble is, its own; or no_error, which is "" */
	uint64_t error_at;
	struct dns *lookup;
	unsigned int lookups; /* that failed in a row */
	uint64_t lookup_at; /* when the next one is due; UINT64_MAX: none */
	uint64_t reopen_at; /* when to try again after a failure; UINT64_MAX: never */
	struct ike_addr resolved; /* family 0: not yet */
	struct ike_addr adopted_remote; /* where adopted SAs lead */
	int send_error; /* errno of the last datagram to the peer, 0 if it left */
	struct net_path path; /* as found last */
	enum path_state path_state;
	char device[16]; /* the netdevice's name now */
	bool opening; /* rtnetlink is yet to tell that we brought the netdevice up */
	bool link_down; /* by another program */
	bool moved; /* the netdevice is in another network namespace */
	uint64_t restore_at; /* when to put back what others took away; UINT64_MAX: nothing is */
	uint64_t restored_at; /* last time there was something to put back */
	unsigned int restores; /* so many times lately */
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
	struct reader *reader;
	struct loop *loop;
	struct udp *udp;
	struct kernel *kernel;
	struct net *net;
	struct watch *watch;
	struct ctl *ctl;
	struct keytable *keys;
	struct ike_core *core;
	struct ike_job_results jobs; /* that are done, and the core is yet to hear of */
	struct tunnel *tunnels, *last; /* in order of names */
	LIST_HEAD(, tunnel) by_name[TUNNEL_BUCKETS], by_index[TUNNEL_BUCKETS];
	TAILQ_HEAD(, tunnel) dirty; /* to be looked at when the event is over */
	struct timers timers;
	struct waiter *waiters;
	bool settling;
	struct net_address own[AGENT_MAX_OWN]; /* of this machine, as last read … */
	unsigned int n_own;
	bool own_known; /* … unless something changed since */
	uint64_t look_at; /* when to look at all ways to peers; UINT64_MAX: nothing changed */
	uint64_t look_not_before;
};

/* ---- agent.c */
struct tunnel *tunnel_by_name(const struct agent *a, const char *name);
struct tunnel *tunnel_by_index(const struct agent *a, uint32_t ifindex);
/* Remember and log what is wrong; only the time is new if it was so before. */
void tunnel_fail(struct tunnel *t, enum trouble trouble, const char *text);
/* It is no longer; false if the tunnel's error was another one. */
bool tunnel_well(struct tunnel *t, enum trouble trouble);
void tunnel_net_conf(const struct tunnel *t, struct net_conf *out);
/* How its one peer is to be in the kernel; without identity and terms. */
struct kernel_peer_conf tunnel_peer_conf(const struct tunnel *t);
/* The core may initiate from now on. */
void tunnel_start(struct agent *a, struct tunnel *t);
/* Nothing is left of it but its configuration. */
void tunnel_shut(struct agent *a, struct tunnel *t);
/* Netdevice up, core told. 0, or -1 with t->error set and logged. */
int tunnel_open(struct agent *a, struct tunnel *t);
/* Begin to close; what comes then happens in agent_settle(). */
void tunnel_close(struct agent *a, struct tunnel *t, enum after after);
/* Load NAME.conf into a new tunnel. NULL, with the sentences in @err, one a line. */
struct tunnel *tunnel_load(struct agent *a, const char *name, char *err, size_t err_size);
/* Its netdevice is @ifindex now; 0: it has none. */
void tunnel_set_index(struct tunnel *t, uint32_t ifindex);
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

/* ---- path.c */
/* Look at the way to the peer, tell what changed, start the tunnel if nothing is in the way. */
void path_look(struct agent *a, struct tunnel *t);
/* The same for all, when look_at has come; names that were not found are looked up anew. */
void path_look_all(struct agent *a);
/* Some address, route or rule changed: look at all soon. */
void path_changed(struct agent *a);
/* The carrier of that link came back. */
void path_carrier(struct agent *a, uint32_t ifindex);
/* Look the peer's name up, whatever lookup is under way. */
void path_resolve(struct agent *a, struct tunnel *t);
/* No lookup any more, under way or planned. */
void path_forget(struct tunnel *t);

/* ---- follow.c */
struct watch *follow_open(struct agent *a);
/* Put back what is missing of the tunnel's netdevice, addresses and routes. */
void follow_restore(struct agent *a, struct tunnel *t);
/* Our peer of the link was removed by another program, if it is not there again. */
void follow_peer_gone(struct agent *a, uint32_t ifindex);
/* The same of a client's: it is made again, for the client may ask for a pair. */
void follow_client_gone(struct agent *a, uint32_t ifindex, uint32_t peer);

/* ---- files.c */
/* The files that are not what the agent goes by, as "files" in ctl.h; of one tunnel, or NULL. */
json_t *files_json(struct agent *a, const char *only);

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
