/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the parts of the agent share, and private to these. Each calls only those before it:
 *	tunnels.c	the list of tunnels, and what is noted of each
 *	radius.c	RADIUS servers of a tunnel
 *	session.c	clients that one let in, and accounting
 *	backend.c	EAP of RADIUS servers
 *	env.c		the core's effects
 *	files.c		configuration files that are not what the agent goes by
 *	pools.c		pools and their leases
 *	status.c	status
 *	metrics.c	metrics
 *	probe.c		whether peers answer
 *	path.c		the way to the peers
 *	adopt.c		whose SAs may be there
 *	life.c		opening and closing, and another ike process
 *	follow.c	what other programs change
 *	reload.c	what changed configurations do
 *	cmd.c		commands
 *	agent.c		events, and acting on what they changed
 */
#ifndef ESPTUN_IKE_AGENT_INT_H
#define ESPTUN_IKE_AGENT_INT_H

#include <sys/queue.h>

#include "ike/app/agent.h"
#include "ike/app/bucket.h"
#include "ike/app/config/config.h"
#include "ike/app/core_proc.h"
#include "ike/app/ctl/ctl.h"
#include "ike/keys/key_proc.h"
#include "ike/keys/keytable.h"
#include "ike/app/link_dns.h"
#include "ike/app/log.h"
#include "ike/app/owned.h"
#include "ike/app/reader.h"
#include "ike/app/remotes.h"
#include "ike/app/revival.h"
#include "ike/app/terms.h"
#include "ike/io/dns.h"
#include "ike/io/kernel.h"
#include "ike/io/loop.h"
#include "ike/io/net.h"
#include "ike/io/radius_udp.h"
#include "ike/io/udp.h"
#include "ike/io/watch.h"
#include "ike/core/timer.h"
#include "ike/radius/radius_client.h"

enum {
	TODO_SLICE = 10, /* ms for what there is to do, then other events have their turn */
	JOBS_AT_ONCE = 64, /* results that the core hears of, likewise */
	MANY_FILES = 32, /* of so many configurations, routes are read for all links at once */
	/* Octets that may be signed for the core; a signature counts as so many more as its time is worth. */
	JOB_BYTES_LEAST = 2048,
	JOB_BYTES_PER_MS = 50000,
	JOB_BYTES_AT_ONCE = 100000000,
	CLOSE_LIMIT = 30000, /* ms; the core gives a peer that does not answer up before */
	REOPEN_EVERY = 30000, /* ms, while a tunnel's netdevice cannot be made */
	CERT_STATUS_EVERY =
		60000, /* ms between two looks whether CRLs and OCSP responses were changed … */
	CERT_STATUS_SPREAD = 10000, /* … and up to so many more */
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

/* What is to be done for an open tunnel when it is its turn: some at a time, for there may be many. */
enum todo {
	TODO_TELL = 1, /* the core is to hear of it */
	TODO_LOOK = 2, /* at the way to its peer, and for its name if that was not found */
	TODO_RETELL = 4, /* to the core, what the kernel may have told of its SAs */
};

struct radius;
struct talks { /* conversations with RADIUS servers, of backend.c */
	TAILQ_HEAD(, talk) list; /* the one that was used last is last */
	unsigned int n;
	uint64_t last; /* owner of a question */
};
struct sessions { /* of session.c */
	TAILQ_HEAD(, session) list; /* the oldest is first */
	unsigned int n_waiting; /* for their peers */
};

struct tunnel {
	struct tunnel *next;
	LIST_ENTRY(tunnel) by_name, by_index;
	TAILQ_ENTRY(tunnel) dirty;
	bool is_dirty; /* in the agent's list */
	TAILQ_ENTRY(tunnel) todo_link;
	unsigned int todo; /* enum todo; in the agent's list unless 0 */
	bool has_file; /* NAME.conf was there at the last reading */
	uint64_t file_seen; /* and at the look with this number, or later */
	struct timer timer; /* of lookup_at, reopen_at, restore_at, save_at and cert_status_at */
	struct agent *agent;
	struct config conf;
	struct bucket fetches; /* that were begun for it, see fetch.c */
	struct config *successor; /* its own; with AFTER_REPLACE, else NULL */
	uint32_t ifindex; /* 0: closed, neither netdevice nor core know it */
	struct pool *pool; /* of its clients' addresses; NULL: they bring them */
	bool leases_read; /* what a former agent knew of them */
	uint64_t leases_saved; /* pool_changes() of what was written last */
	uint64_t save_at; /* when leases are to be written; UINT64_MAX: they are */
	struct radius *radius; /* its RADIUS servers; NULL: none was asked yet */
	struct talks *talks; /* NULL: there was none yet */
	struct sessions *sessions; /* likewise */
	struct ike_cp *given; /* what its peer gave us as its client, its own; NULL: nothing */
	struct net_prefix *told; /* networks that it routes for us, its own */
	unsigned int n_told;
	bool given_is_new; /* and the netdevice does not have it yet */
	bool names_set; /* its name servers were asked to be used */
	struct owned owned; /* peers and SAs that the core may change */
	bool started; /* the core may initiate */
	bool wanted; /* somebody asked for it to be up, and nobody since for it to be down */
	bool adopted; /* a former agent's SAs of its one peer run */
	bool terms_kept; /* the kernel has those of its one peer, see terms.h */
	enum ike_tunnel_state state; /* as the core told last */
	enum after after; /* not NOTHING: closing */
	uint64_t close_by; /* it is shut then, whatever the core says */
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
	uint32_t mtu; /* the netdevice's, as told last; 0: it cannot be read */
	bool running; /* as told last: packets go through the netdevice */
	bool opening; /* rtnetlink is yet to tell that we brought the netdevice up */
	bool link_down; /* by another program */
	bool moved; /* the netdevice is in another network namespace */
	uint64_t restore_at; /* when to put back what others took away; UINT64_MAX: nothing is */
	uint64_t review_at; /* when clients are looked at again after a change; UINT64_MAX: there was none */
	bool keys_changed; /* then also those go of whom it is not known by what key they came */
	uint64_t restored_at; /* last time there was something to put back */
	unsigned int restores; /* so many times lately */
	uint64_t cert_status_at; /* when CRLs and OCSP response are looked at again; UINT64_MAX: there are none */
	int64_t crls_late; /* the conf.crl_due that was told to be over */
};

/* An up or down that has not been answered. */
struct waiter {
	struct waiter *next;
	struct ctl_request *request;
	char tunnel[16];
	bool up;
	uint64_t asked_at, deadline;
};

/* A look at the configuration files. */
struct files {
	struct agent *agent;
	const char *only;
	uint64_t number; /* looks are counted */
	json_t *list; /* what was found */
	char after[READER_NAME];
};

/* A status that is being told: first files, then tunnels; if one was asked for, last its clients. */
struct status_job {
	TAILQ_ENTRY(status_job) link;
	struct ctl_request *request;
	char only[16]; /* "": of all */
	struct files files; /* agent: NULL before it has begun */
	bool has_files; /* and they are told */
	bool of_pools; /* which are told alone */
	struct tunnel *next; /* to be told */
	struct tunnel *hub; /* whose clients are being told; NULL: not yet, or no more */
	uint32_t clients[WIRE_CLIENTS_MAX];
	unsigned int n_clients, told;
	struct esptun_peer *peers; /* what the kernel has of them, in order of numbers */
	size_t n_peers;
};

struct agent {
	const struct agent_options *options;
	const struct agent_helpers *helpers;
	struct loop *loop;
	struct udp *udp;
	struct kernel *kernel;
	struct net *net;
	struct watch *watch;
	struct ctl *ctl;
	struct keytable *keys;
	struct core *core;
	uint8_t terms_secret[TERMS_SECRET];
	struct key_proc *key_proc;
	struct fetches *fetches; /* NULL: none were begun */
	LIST_HEAD(, radius) radius; /* of tunnels */
	uint64_t own_jobs; /* of the keys process, that were the agent's own */
	struct bucket job_bytes; /* that were signed for the core */
	struct remotes *remotes; /* that the core may send to */
	struct revival revival; /* of the ike process */
	bool core_is_lost; /* and tunnels know */
	bool failed; /* the ike process, or the keys process, cannot be started */
	TAILQ_HEAD(, tunnel) todo; /* tunnels that there is something to do for */
	unsigned int untold; /* those that the core is yet to hear of */
	struct tunnel *tunnels, *last; /* in order of names */
	LIST_HEAD(, tunnel) by_name[TUNNEL_BUCKETS], by_index[TUNNEL_BUCKETS];
	TAILQ_HEAD(, tunnel) dirty; /* to be looked at when the event is over */
	struct timers timers;
	struct waiter *waiters;
	TAILQ_HEAD(, status_job) status_jobs;
	struct metrics *metrics; /* NULL: nobody may read them */
	TAILQ_HEAD(, probe) probes; /* of peers, that are under way */
	unsigned int n_probes;
	uint64_t looks; /* at files that were begun */
	char saving[16]; /* the hub whose leases are written; "": none's are */
	int leases_error; /* negative errno of the last try to write leases, which was said; 0: it went well */
	bool settling;
	struct net_address own[AGENT_MAX_OWN]; /* of this machine, as last read … */
	unsigned int n_own;
	bool own_known; /* … unless something changed since */
	uint64_t look_at; /* when to look at all ways to peers; UINT64_MAX: nothing changed */
	uint64_t look_not_before;
	uint64_t look_took; /* ms, this time up to now */
};

/* ---- tunnels.c */
struct tunnel *tunnel_by_name(const struct agent *a, const char *name);
struct tunnel *tunnel_by_index(const struct agent *a, uint32_t ifindex);
/* Its netdevice is @ifindex now; 0: it has none. */
void tunnel_set_index(struct tunnel *t, uint32_t ifindex);
/* Asks for mtu and running of its netdevice; what changes of them rtnetlink tells. */
void tunnel_read_link(struct tunnel *t);
/* A new one, closed, in the list of all. It owns what is in *@conf then. NULL without memory. */
struct tunnel *tunnel_insert(struct agent *a, const struct config *conf);
/* Something about the tunnel changed: look at it when the event is over. */
void tunnel_dirty(struct tunnel *t);
/* When it is its turn, do this, too. */
void tunnel_todo(struct tunnel *t, enum todo what);
/* What there is to do, which is taken off. */
unsigned int tunnel_take_todo(struct tunnel *t);
/* Have agent.c act on what changed, as soon as the event is over: the last thing to do in each. */
void agent_wake(struct agent *a);
/* Remember and log what is wrong; only the time is new if it was so before. */
void tunnel_fail(struct tunnel *t, enum trouble trouble, const char *text);
/* It is no longer; false if the tunnel's error was another one. */
bool tunnel_well(struct tunnel *t, enum trouble trouble);
/* Numbers of clients that the core has and that are its own; how many, WIRE_CLIENTS_MAX at most. */
unsigned int tunnel_clients(const struct tunnel *t, uint32_t ids[WIRE_CLIENTS_MAX]);
/* What the core says of some of its peers; see core_status_rows(). */
int tunnel_peer_rows(const struct tunnel *t, const uint32_t *ids, unsigned int n,
		     struct core_rows *rows);
/* The core may initiate from now on, and does so if somebody wanted the tunnel up. */
void tunnel_start(struct agent *a, struct tunnel *t);
/* How its netdevice is to be. */
void tunnel_net_conf(const struct tunnel *t, struct net_conf *out);
/* What the core hears of @c: the configuration, but of ESP's algorithms only those that the kernel has. */
void tunnel_core_conf(struct agent *a, const struct config *c, struct ike_tunnel_conf *out);
/* How its one peer is to be in the kernel; without identity and terms. */
struct kernel_peer_conf tunnel_peer_conf(const struct tunnel *t);

/* ---- life.c */
/* Netdevice up, core told. 0, or -1 with t->error set and logged. */
int tunnel_open(struct agent *a, struct tunnel *t);
/* The core hears of an open tunnel, of which it knows nothing. */
void tunnel_retell(struct agent *a, struct tunnel *t);
/* Begin to close; what comes then happens in agent_settle(). */
void tunnel_close(struct agent *a, struct tunnel *t, enum after after);
/* It is closing: are its SAs gone, and was that told to whom it concerns, or does nobody wait any more? */
bool tunnel_may_go(const struct tunnel *t, uint64_t now);
/* It was closing and its SAs are gone: what comes after; it may be gone, too. */
void tunnel_closed(struct agent *a, struct tunnel *t);
/* Nothing is left of it but its configuration. */
void tunnel_shut(struct agent *a, struct tunnel *t);
/* No other configuration takes the place of its own. */
void tunnel_drop_successor(struct tunnel *t);
/* Its memory alone; for agent_free(). */
void tunnel_free(struct tunnel *t);
/* If the ike process has ended: tell the tunnels, and start another when it is time. */
void agent_revive_core(struct agent *a, uint64_t now);
/* What the core had done with keys, @most at a time and until then; that may be the begin of more. */
void agent_take_jobs(struct agent *a, unsigned int most, uint64_t until);

/* ---- reload.c */
/* Load NAME.conf into a new tunnel. NULL, with the sentences in @err, one a line. */
struct tunnel *tunnel_load(struct agent *a, const char *name, char *err, size_t err_size);
/* What a reload did: arrays of names and sentences. */
struct reload {
	json_t *added, *removed, *changed, *errors;
};
/* -1 if the folder cannot be read. */
int agent_read_configs(struct agent *a, struct reload *r);
/* Read its CRLs and OCSP response again if it is time for that, and they were changed. */
void tunnel_look_at_cert_status(struct agent *a, struct tunnel *t, uint64_t now);
/* Netdevices of a former agent whose configuration is gone. */
void agent_remove_leftovers(struct agent *a);

/* ---- path.c */
/* Look at the way to the peer, tell what changed, start the tunnel if nothing is in the way. */
void path_look(struct agent *a, struct tunnel *t);
/* The same for all, when look_at has come. */
void path_look_all(struct agent *a);
/* It is the turn of this one; a name that was not found is looked up anew. */
void path_look_again(struct agent *a, struct tunnel *t);
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

/* ---- adopt.c */
/*
 * The core takes over what a former agent left of the tunnel and fits it; the rest leaves the kernel. 0, or
 * -1 with t->error set and logged: there may be SAs that nobody looked at.
 */
int adopt_all(struct tunnel *t);
/* A client leaves the kernel, whatever the core does. 0 or a negative errno: it is there, and nobody else gets its addresses. */
int adopt_remove(struct tunnel *t, uint32_t peer);
/*
 * t->conf was changed: those clients go that it does not let in any more, by key, selectors or number. With
 * @keys also those of whom it is not known by what key they came.
 */
void adopt_changed(struct tunnel *t, bool keys);
/* review_at has come: those that are still there are removed. */
void adopt_review(struct tunnel *t);

/* ---- lease.c */
/*
 * Make the pool that t->conf has, with the leases of the one there is, or of a former agent's, which nobody
 * holds then. 0 or -ENOMEM.
 */
int lease_open(struct tunnel *t);
/* See ike_env.lease; for a peer of the core's. */
int lease_take(struct tunnel *t, uint32_t peer, const struct ike_id *id, uint8_t family,
	       const struct ike_addr *wanted, struct ike_addr *out);
void lease_release(struct tunnel *t, uint32_t peer);
/* May the peer have SAs for these? With a pool, each is of an address that it holds. */
bool lease_allows(const struct tunnel *t, uint32_t peer, struct ike_ts_offer remote);
/*
 * The client holds the addresses of this pair, from now on, whatever was read of those whom nobody holds; false: it
 * cannot.
 */
bool lease_adopt(struct tunnel *t, const struct ike_adopted *pair);

/* save_at has come: its leases are written, or that is tried again, or looked at. */
void lease_save(struct tunnel *t);
/* What was to be written some time is written now, of this hub or of all; waits until it is. */
void lease_save_now(struct tunnel *t);
void lease_save_all(struct agent *a);

/* ---- radius.c */
typedef void (*radius_done_fn)(struct tunnel *t, const struct radius_result *r);
/*
 * Ask the RADIUS servers of t->conf, @q->owner not 0; one @done for all. 0 or see radius_client_ask(); -ENOENT also
 * without [Radius].
 */
int radius_ask(struct tunnel *t, const struct radius_question *q, radius_done_fn done);
/* What this end is, for any request. */
void radius_add_nas(struct writer *b, const struct tunnel *t);
/* Send a record of accounting with these attributes; if no server takes it, that is told. */
void radius_account(struct tunnel *t, const uint8_t *attributes, size_t len);
void radius_drop(struct tunnel *t, uint64_t owner);
/* Of accounting, that no server has taken so far. */
unsigned int radius_records(const struct tunnel *t);
/* How a server of t->conf does since it was asked first. */
void radius_status(const struct tunnel *t, unsigned int server, struct radius_status *out);
/* The tunnel ends: what was asked gets no answer, and records that are lost are told. */
void radius_free(struct tunnel *t);
/* t->conf has others from now on: the same, but records go to these, if there are some. */
void radius_change(struct tunnel *t);
/* Is a job of this number the agent's own? Then it is no job of the core's. */
bool radius_owns_job(uint64_t id);
/* The keys process did one of the agent's own jobs; false: it is none. */
bool radius_job_done(struct agent *a, const struct ike_job_result *result);
/* All of its own jobs were dropped: they are begun again. */
void radius_jobs_lost(struct agent *a);
/* The sealed secret for one of these jobs; NULL: that server is not configured any more. */
const uint8_t *radius_secret(const struct tunnel *t, const struct ike_job *job, size_t *len);
uint64_t radius_next(const struct tunnel *t);
void radius_timer(struct tunnel *t, uint64_t now);

/* ---- session.c */
/* The server let @id in, whom it knows as @name, and says @answer of it. 0 or -ENOMEM. */
int session_grant(struct tunnel *t, const struct ike_id *id, struct ike_iov name,
		  const struct radius_answer *answer);
/*
 * May @peer be made for @id? With [Radius] it needs a session: one that waits for its peer, or its own. What a former agent
 * let in goes on without.
 */
bool session_admits(const struct tunnel *t, uint32_t peer, const struct ike_id *id);
/* When the time is over that the server gives the peer, which is made for @id; 0: never. */
uint64_t session_ends(const struct tunnel *t, uint32_t peer, const struct ike_id *id);
/* Has the peer a session, of this identity? One that waits for @id becomes its. */
bool session_has(struct tunnel *t, uint32_t peer, const struct ike_id *id);
/* The peer was made for this identity, or is at @remote now. */
void session_bind(struct tunnel *t, uint32_t peer, const struct ike_id *id,
		  const struct ike_endpoint *remote);
/* The address that the server gives it; false: none. */
bool session_address(struct tunnel *t, uint32_t peer, const struct ike_id *id, uint8_t family,
		     struct ike_addr *out);
/* The peer has an SA. */
void session_start(struct tunnel *t, uint32_t peer);
/* It is about to be removed from the kernel. */
void session_stop(struct tunnel *t, uint32_t peer);
/* All peers are. */
void session_stop_all(struct tunnel *t);
/* Those are that are not owned any more. */
void session_stop_removed(struct tunnel *t);
/* Without a word to the server: SAs go on. */
void session_free(struct tunnel *t);
uint64_t session_next(const struct tunnel *t);
/* A peer whose time is over, and which the core did not end when it was told: to be asked again until it is 0. */
uint32_t session_timer(struct tunnel *t, uint64_t now);

/* ---- backend.c */
/* Do IKE_JOB_RADIUS: the core hears of the result, later. 0 or a negative errno. */
int backend_begin(struct tunnel *t, const struct ike_job *job);
/* The core has forgotten all conversations, or the tunnel ends. */
void backend_free(struct tunnel *t);

/* ---- fetch.c */
/* Do IKE_JOB_FETCH, of the tunnel's: the core hears of it later. 0 or a negative errno. */
int fetch_begin(struct tunnel *t, const struct ike_job *job);
/* The core found the CRL good that came last from @uri: it is kept, also for the next agent. */
void fetch_keep(struct agent *a, const char *uri);
/* The core waits for nothing any more. */
void fetch_drop(struct agent *a);
void fetch_free(struct agent *a);

/* ---- given.c */
/* Has no other host an address in it, by what it is set aside for? */
bool given_has_no_hosts(const struct net_prefix *p);
/*
 * See ike_env.settings: the addresses come on the link, in place of former ones, when the event is over.
 * -EADDRNOTAVAIL: nobody asked for them, or somebody here or on the way to the peer has one.
 */
int given_take(struct tunnel *t, const struct ike_cp *cp);
/*
 * Those that a former agent was given, and SAs may be for, stay until the peer gives others. Name servers are not
 * asked until the tunnel is up again.
 */
void given_find(struct tunnel *t);
void given_forget(struct tunnel *t);
/* t->conf was changed: routes and name servers that the peer told of are wanted now, or no more. */
void given_change(struct tunnel *t);
/*
 * A pair with these remote selectors is there: without networks that the peer told of, they are what it routes for
 * us.
 */
void given_take_selectors(struct tunnel *t, const struct ike_ts_list *remote);
/* The peer is reached through the tunnel itself: those of these routes go that lead there. */
void given_judge_routes(struct tunnel *t);
/* The netdevice has the addresses: names are asked of the servers that came with them, if the tunnel is up. */
void given_use_names(struct tunnel *t);
/*
 * t->state was set: names are asked of the servers as long as the tunnel is up. Else nothing would find the address
 * of a peer that moved meanwhile.
 */
void given_follow_state(struct tunnel *t);
/* For link_dns_watch(). @ctx is the agent. */
void given_on_names(void *ctx, const struct link_dns_outcome *o);

/* ---- files.c */
/* The files that are not what the agent goes by, as "files" in ctl.h; @only of one tunnel, or NULL. */
void files_begin(struct agent *a, struct files *l, const char *only);
/* Look at some. False: that was all, and l->list has them; it is the caller's. */
bool files_look(struct files *l);

/* ---- env.c */
void agent_env(struct agent *a, struct ike_env *env);
/* For key_proc_new(): the key, sealed, of a tunnel of the core's that is open. @ctx is the agent. */
const uint8_t *env_find_key(void *ctx, const struct ike_job *job, unsigned int i, size_t *len);
/* How many peers it may have: the one that every tunnel has, and clients. */
unsigned int env_max_peers(const struct tunnel *t);
/*
 * May datagrams go to @addr? It is where a peer of the tunnel (NULL: of any) is by configuration or name
 * server, or claims to be, or datagrams came from there.
 */
bool env_may_reach(struct agent *a, const struct tunnel *t, const struct ike_addr *addr);
/* This SA of the peer is the core's from now on; 0: none. False if there is no such peer, or no memory. */
bool env_own_spi(struct tunnel *t, uint32_t peer, uint32_t spi, bool inbound);

/* ---- pools.c */
/* How much of it is in use, as "pool" in ctl.h. */
json_t *pool_json(const struct pool *pool);
/* An item of "pools" in ctl.h, if the tunnel has one; false if nobody listens any more. */
bool pool_tell(const struct tunnel *t, struct ctl_request *q);

/* ---- servers.c */
/* As "radius" in ctl.h; for a tunnel with [Radius]. */
json_t *servers_json(const struct tunnel *t);

/* ---- status.c */
/* Of the tunnel with that name, with its clients, or with NULL of all: told by status_tell(). */
void status_begin(struct agent *a, struct ctl_request *q, const char *name);
/* The same of pools alone, with all leases. */
void status_begin_pools(struct agent *a, struct ctl_request *q, const char *name);
/* Tell some more of what was asked for, for some milliseconds. */
void status_tell(struct agent *a);
/* One tunnel's, without clients. */
json_t *status_json(struct agent *a, const struct tunnel *t);
/* "up" and so on, as "state" in ctl.h. */
const char *status_state(const struct tunnel *t);
/* What the core says of one peer. */
struct peer_rows {
	const struct ike_status *peer; /* NULL: it has none */
	const struct wire_status *children;
	unsigned int n_children;
};
/* False: it wants no more of them. */
typedef bool (*status_fn)(void *ctx, const struct tunnel *t, const struct peer_rows *r);
/* Calls @fn for some tunnels from @from on; the next one, or NULL if those were all, or @fn wants no more. */
struct tunnel *status_walk(struct agent *a, struct tunnel *from, status_fn fn, void *ctx);
/* The tunnel leaves the list of all. */
void status_tunnel_ends(struct agent *a, const struct tunnel *t);
/* Nobody gets an answer any more. */
void status_free(struct agent *a);

/* ---- metrics.c */
/*
 * Answer those who ask at @where, as listen_local() reads it; told by metrics_tell(). 0, or a negative errno with a
 * sentence in @err.
 */
int metrics_open(struct agent *a, const char *where, char *err, size_t err_size);
/* Collect some more of what was asked for, for some milliseconds; NULL is fine. */
void metrics_tell(struct metrics *m);
/* Is there something left to collect? NULL is fine. */
bool metrics_is_busy(const struct metrics *m);
/* The tunnel leaves the list of all; NULL is fine. */
void metrics_tunnel_ends(struct metrics *m, const struct tunnel *t);
void metrics_free(struct metrics *m); /* NULL is fine */

/* ---- probe.c */
/*
 * See whether the tunnel's peer answers on UDP @port, with 0 that of Endpoint; @q is answered when it did, or after
 * 2 s. NULL, or a few words on why not; then @q is still the caller's.
 */
const char *probe_begin(struct agent *a, struct ctl_request *q, const struct tunnel *t,
			uint16_t port);
/* True if it is the answer to a probe, of which the core hears nothing. */
bool probe_heard(struct agent *a, const struct ike_datagram *d);
/* Send what is due, and give up what waited long enough. */
void probe_review(struct agent *a, uint64_t now);
/* When probe_review() is to be called next; UINT64_MAX: never. */
uint64_t probe_next(const struct agent *a);
/* Nobody gets an answer any more. */
void probe_free(struct agent *a);

/* ---- cmd.c */
void cmd_request(void *ctx, struct ctl_request *q, json_t *what);
/* Answer the waiters whose tunnel is where they want it, has failed, or whose time is up. */
void cmd_review(struct agent *a);
/* Nobody gets an answer any more. */
void cmd_free(struct agent *a);
/* The earliest deadline; now, if there is something left to tell. */
uint64_t cmd_next(const struct agent *a);

#endif
