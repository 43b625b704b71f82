/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The functions of sa/core.h, for a core that runs in the ike process. They wait for the answer;
 * meanwhile struct ike_env is called as the core calls it. If the ike process has ended, or does
 * not answer in some seconds, or says what it may not say, it is killed, and they fail with -EPIPE or
 * do nothing until core_restart(). It may be hostile: what it says is checked (wire.h), what it wants
 * done is bounded, and env decides whether it is done.
 */
#ifndef ESPTUN_IKE_CORE_PROC_H
#define ESPTUN_IKE_CORE_PROC_H

#include "ike/app/spawn.h"
#include "ike/app/wire.h"

struct core;
struct event_base;

/*
 * Start an ike process. @spawn has to outlive the core; @env is copied. @lost is called from the
 * event loop when the process ends between two calls. NULL with the cause in errno.
 */
struct core *core_new(struct event_base *base, struct spawn *spawn, const struct ike_env *env,
		      void (*lost)(void *ctx), void *ctx);
/* ike_core_free(); the ike process ends. */
void core_free(struct core *c);

bool core_runs(const struct core *c);
/* It does not, because it said what it may not say: nothing that it left is to be trusted. */
bool core_misbehaved(const struct core *c);
/* Start another ike process, which knows no tunnel. 0 or a negative errno, see spawn_begin(). */
int core_restart(struct core *c);

int core_tunnel_add(struct core *c, const struct ike_tunnel_conf *conf);
void core_adopt(struct core *c, const char *tunnel, const struct ike_adopted *pair);
void core_start(struct core *c, const char *tunnel, uint64_t now);
void core_datagram(struct core *c, const struct ike_datagram *d, uint64_t now);
void core_acquire(struct core *c, const char *tunnel, const struct ike_flow *flow, uint64_t now);
void core_expire(struct core *c, const char *tunnel, uint32_t peer, uint32_t spi, bool inbound,
		 enum ike_expire why, uint64_t now);
void core_peer_moved(struct core *c, const char *tunnel, uint32_t peer,
		     const struct ike_endpoint *remote, uint64_t now);
void core_path(struct core *c, const char *tunnel, uint32_t peer, const struct ike_addr *local,
	       uint64_t now);
/* As many as a message holds, WIRE_ADDRS. */
void core_addresses(struct core *c, const char *tunnel, const struct ike_addr *ours, size_t n,
		    uint64_t now);
void core_job_done(struct core *c, const struct ike_job_result *r, uint64_t now);
/* Of a name, a fault, a request or data that are too long, less is told. */
void core_fetched(struct core *c, const struct ike_fetched *f, uint64_t now);
void core_timer(struct core *c, uint64_t now);
uint64_t core_next(const struct core *c);
int core_tunnel_remote(struct core *c, const char *tunnel, const struct ike_endpoint *remote);
int core_tunnel_change(struct core *c, const struct ike_tunnel_conf *conf, bool renew,
		       uint64_t now);
int core_tunnel_del(struct core *c, const char *tunnel);
int core_up(struct core *c, const char *tunnel, uint64_t now);
int core_down(struct core *c, const char *tunnel, uint64_t now);
int core_rekey(struct core *c, const char *tunnel, uint64_t now);
int core_client_down(struct core *c, const char *tunnel, uint32_t peer, uint64_t now);
/* Pointers live until the next call. */
int core_tunnel_status(struct core *c, const char *tunnel, struct ike_status *out);
int core_peer_status(struct core *c, const char *tunnel, uint32_t peer, struct ike_status *out);

/*
 * The status of many peers and of all their child SAs, in few messages: rows as struct wire_status
 * has them, each opened, with the index in @keys. What @rows has is for the caller to free. 0, -EPIPE,
 * -ENOMEM; there are no rows then.
 */
struct core_rows {
	struct wire_status *v;
	unsigned int n;
};
int core_status_rows(struct core *c, const struct wire_key *keys, unsigned int n,
		     struct core_rows *rows);
/* Numbers of the tunnel's clients, each once, in ascending order, @max at most; how many in @ids. */
unsigned int core_clients(struct core *c, const char *tunnel, uint32_t *ids, unsigned int max);
void core_stats(struct core *c, struct ike_core_stats *out);

#endif
