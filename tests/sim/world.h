/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A world for protocol cores: nodes with a fake kernel each, a network that loses,
 * doubles, delays and reorders, NATs, an attacker who sees everything, a virtual clock,
 * and invariants that are checked after every event. All of it follows from one seed.
 */
#ifndef ESPTUN_SIM_WORLD_H
#define ESPTUN_SIM_WORLD_H

#include <stdio.h>

#include "ike/proto/msg.h"
#include "ike/proto/names.h"
#include "ike/core/core.h"
#include "ike/pool/pool.h"

enum {
	WORLD_NODES = 8,
	WORLD_LINKS = 8,
	NODE_CLIENTS = 64, /* numbers of peers */
	NODE_SAS = 160,
	NODE_HAD = 64,
	NODE_CREDS = 8192, /* bytes of a tunnel's credentials */
	NODE_PPKS = 4,
	NODE_USERS = 8, /* of EAP */
	NODE_LOG = 12000,
	WORLD_POOL = 32,
	WORLD_HOLDS = 16,
	WORLD_MADE = 256,
	WORLD_WAITS = 16,
	WORLD_ANSWERS = 12, /* of both ends, with which they can say all about their addresses */
};

struct rnd {
	uint64_t s;
};

uint64_t rnd_next(struct rnd *r);
/* Below @n; 0 if @n is 0. */
uint64_t rnd_below(struct rnd *r, uint64_t n);
bool rnd_chance(struct rnd *r, unsigned int percent);
void rnd_fill(void *ctx, void *buf, size_t len); /* struct ike_rng's, ctx is a struct rnd */

/* A set of hashes with a value each, to see whether something happens twice. */
struct seen {
	struct seen_entry {
		uint64_t key, value;
	} * v;
	size_t n, cap;
};

/* An SA of the fake kernel. */
struct ksa {
	char tunnel[16];
	unsigned int link;
	uint32_t peer; /* its number */
	bool in, larval;
	uint32_t spi;
	uint64_t order; /* the newest outbound one takes the traffic */
	uint64_t id; /* of its keys, algorithms and selectors: the same at both ends */
	struct ike_ts_list remote_ts; /* of outbound ones */
};

/* A job whose result is told at @at. */
struct node_job {
	struct node_job *next;
	uint64_t at;
	struct ike_job_result result;
	bool fetches; /* it is to fetch what follows names */
	char uri[PKI_MAX_URI];
	uint8_t request[PKI_MAX_OCSP_REQUEST];
	size_t request_len;
	char tunnel[IKE_JOB_NAME];
};

/* A user of EAP, and its secret as a job's key. */
/* A PPK of a client. */
struct world_ppk {
	const char *id, *key, *client; /* NULL: of any */
};

struct world_user {
	struct ike_id id;
	uint8_t secret[64];
	size_t len;
};

struct node {
	struct world *w;
	unsigned int index;
	struct ike_core *core; /* NULL: the agent is not running */
	bool reachable; /* false: the machine is dead, nothing in or out */
	bool asleep; /* … or suspended: its timers do not fire, but its clock goes on */
	struct rnd rnd;
	uint8_t nonces_begin; /* first octet of its nonces, so that a test says which is lowest; 0: any */
	struct ike_addr addr; /* as the node sees it */
	struct ike_addr more; /* another one, without a NAT; family 0: none */
	struct ike_addr
		inside; /* of another node, to which this one has a route by a tunnel; family 0: none */
	bool dark[2]; /* nothing passes to and from ->addr, ->more */
	struct ike_addr had[NODE_HAD]; /* addresses it had before, as others saw them */
	unsigned int n_had;
	struct ike_addr local[WORLD_LINKS]; /* where the kernel sends ESP from */
	struct ike_addr nat; /* family 0: no NAT */
	uint16_t nat_port[2]; /* public ports of 500 and 4500 */
	struct ksa sa[NODE_SAS];
	unsigned int n_sa;
	uint64_t order;
	uint32_t freed_spi; /* of the inbound SA that was removed last */
	struct ike_endpoint remote[WORLD_LINKS]; /* where the kernel sends the peer's ESP */
	bool plain[WORLD_LINKS]; /* … and ESP to it travels without UDP */
	/* What checksums of the peer's packets cover, of the newest inbound SA; family 0: what arrives. */
	struct ike_addr nat_oa_local[WORLD_LINKS], nat_oa_remote[WORLD_LINKS];
	bool stays[WORLD_LINKS]; /* … and does not follow the peer's own (may-roam off) */
	uint64_t newest_esp[WORLD_LINKS]; /* received; it tells where the peer is */
	uint64_t last_rx[WORLD_LINKS]; /* per link; UINT64_MAX: never */
	enum ike_tunnel_state state[WORLD_LINKS];
	struct ike_tunnel_conf conf[WORLD_LINKS]; /* name[0] == 0: none */
	bool has_peer[NODE_CLIENTS]; /* of clients, by number … */
	unsigned int peer_link[NODE_CLIENTS]; /* … the link to each … */
	struct ike_id peer_id[NODE_CLIENTS]; /* … and who it proved to be, unless … */
	bool keeps_no_ids; /* … its module is older */
	uint64_t adopts_for; /* milliseconds from the start on that adopted SAs may live */
	unsigned int n_peers;
	struct pool *pool; /* of the hub that it is; NULL: its clients bring addresses */
	struct ike_cp settings[WORLD_LINKS]; /* of the client that it is: what it was given last */
	bool refuses_settings; /* its agent cannot have these addresses */
	unsigned int fail_peers; /* so many peer_make calls fail */
	uint8_t psk[WORLD_LINKS][256]; /* keys of its tunnels */
	size_t psk_len[WORLD_LINKS];
	char password[WORLD_LINKS][64]; /* of its own as a user, as enum ike_job_secret says */
	const char *ppk[WORLD_LINKS]; /* likewise; where conf[].ppk names one */
	struct world_ppk client_ppk[NODE_PPKS]; /* where it says that clients have them */
	unsigned int n_client_ppk;
	struct ike_private_key private_key[WORLD_LINKS]; /* likewise, where it signs */
	struct world_user user[NODE_USERS]; /* whom it serves by EAP */
	unsigned int n_users;
	uint8_t creds[WORLD_LINKS][NODE_CREDS]; /* that conf[].creds points to */
	const char *shares_key; /* for a test's: a tunnel */
	ike_job_find_key find_key; /* instead of these, by a test; its ctx is the node */
	/* Fetches what @f names: its data, which live until the next call, or a fault. NULL: there is no network. */
	void (*fetch)(struct node *n, struct ike_fetched *f);
	unsigned int n_fetches; /* that the core asked for */
	unsigned int busy_fetches; /* so many more are not begun: too much is fetched at the time */
	unsigned int n_crls_used; /* CRLs of which the core said that they were of use */
	struct node_job *jobs; /* that the core waits for, by time … */
	struct job_tls *tls; /* what those of EAP-TLS keep; NULL: there was none */
	bool holds_jobs; /* … and whose results it gets only by node_finish_job() */
	unsigned int fail_installs; /* so many sa_install calls fail */
	bool no_installs; /* it may install nothing: it must not trust the other end */
	unsigned int installs;
	unsigned int lost_peers; /* IKE SAs that ended for want of an answer */
	char log[NODE_LOG]; /* warnings and errors, one a line */
	size_t log_len;
};

/* Two ends of a tunnel. Link i is tunnel "t<i>" on both. */
struct sim_link {
	unsigned int a, b;
	bool of_hub; /* @b serves @a as one of its clients, by … */
	unsigned int hub; /* … this link's tunnel */
	/*
	 * A direction that works must go on working: at every moment there is an outbound SA
	 * whose inbound half the peer has, and what was sent on one finds it on arrival.
	 */
	bool watch;
	bool may_lose_peer; /* … unless the network took all copies of a message */
	bool works[2];
	uint64_t esp_at; /* both ends send the next ESP packet then … */
	uint64_t dense_until; /* … and until then one soon after another */
	uint64_t esp_sent, esp_arrived;
	uint64_t esp_unknown; /* came to a node without the SA for it */
};

struct packet {
	struct packet *next;
	uint64_t at, seq;
	struct ike_endpoint from, to; /* as on the wire */
	bool marker; /* non-ESP marker in front */
	bool genuine;
	bool esp;
	bool owed; /* ESP on a link under watch: must find its SA */
	unsigned int link; /* of ESP … */
	uint32_t spi;
	uint64_t sa; /* … and ksa.id of the SA it was sent on */
	uint64_t sent_at;
	size_t len;
	uint8_t data[];
};

/* See world_hold(). */
struct hold {
	unsigned int from;
	uint8_t exchange;
	bool response;
	unsigned int nth; /* messages to let pass first */
	bool caught; /* it has its message */
	bool open; /* released or dropped: nothing is held any more */
	uint64_t digest; /* of its message */
	struct seen passed;
	struct ike_endpoint from_outside, to;
	bool marker;
	uint8_t *data;
	size_t len;
};

/* A pair or an IKE SA that an exchange was to make, see inside.c. */
struct made_sa {
	unsigned int by,
		to; /* the node that asked, and the one that agreed; WORLD_NODES: none has */
	bool ike;
	bool gone; /* one end asked the other to delete it */
	uint64_t ike_sa; /* under which: hash of its SPIi … */
	uint32_t id; /* … and message ID */
	uint64_t spi[2]; /* hashes of the SPI of ->by, of ->to */
	uint64_t old; /* what it replaces; 0: nothing */
	uint64_t at; /* when ->to agreed */
	uint8_t low[IKE_OUR_NONCE]; /* the lower nonce of its exchange */
};

/* A request that is out, see taken.c. */
struct wait {
	uint64_t key;
	uint64_t at; /* when a copy of it, or of its answer, left last */
	bool open; /* … and was lost */
	bool answered; /* one answer was not */
};

struct world {
	uint64_t now;
	struct rnd rnd; /* network and scenario */
	struct rnd esp_rnd; /* ESP's part of the network, so that IKE does not depend on it */
	struct node node[WORLD_NODES];
	unsigned int n_nodes;
	struct sim_link link[WORLD_LINKS];
	unsigned int n_links;
	struct packet *flight; /* by time */
	uint64_t seq;
	/* network: percent, milliseconds */
	unsigned int loss, duplicate, delay_min, delay_max;
	int64_t utc; /* seconds since 1970 at time 0 */
	unsigned int job_delay; /* jobs take up to so many ms … */
	unsigned int job_loss; /* … and of so many percent no result comes, … */
	unsigned int late_jobs, later; /* … or, of so many percent, up to so many ms later */
	unsigned int esp_jitter; /* ESP takes delay_min and up to so many ms more */
	bool traffic; /* ESP flows both ways, see kernel.c */
	unsigned int reuse; /* percent of SPIs that are the one that became free last */
	bool hostile;
	unsigned int attack; /* percent of datagrams that make the attacker act */
	bool spoof; /* the attacker also uses addresses of others as source */
	uint16_t forges; /* it does nothing but answer each message with this notify; 0: whatever */
	bool no_installs; /* nothing may be installed: the ends must not trust each other */
	bool judge_proofs; /* nothing is installed before the peer's AUTH payloads came, see proof.c */
	struct packet *pool[WORLD_POOL]; /* seen by the attacker */
	unsigned int verbose;
	char failed[400]; /* the first broken invariant */
	/* what may never happen twice */
	struct seen messages; /* (SPIs, direction, ID) -> octets */
	struct seen nonces, keys, spis;
	struct seen ids; /* of requests, see message.c */
	struct seen proofs; /* see proof.c … */
	struct proof_parts {
		uint8_t first; /* type of the first payload in them */
		uint8_t plain[IKE_MAX_MSG];
		size_t len;
	} proof_parts; /* … which joins fragments here */
	unsigned int
		late_results; /* results of jobs that came when nobody waited for them any more */
	bool any_ids; /* a test makes a node break their order */
	bool any_nonces; /* a test says what is in a node's messages */
	uint64_t sent, delivered, events;
	/* test hook: return false to drop the datagram */
	bool (*filter)(struct world *w, struct node *from, const struct ike_datagram *d);
	void *filter_ctx;
	struct hold hold[WORLD_HOLDS];
	unsigned int n_holds;
	struct made_sa made[WORLD_MADE];
	unsigned int n_made;
	struct wait wait[WORLD_WAITS];
	unsigned int answers; /* that came, since a test set it to 0 */
	uint64_t taken_ms; /* for so long an end waited because a message was lost */
	bool judge_rivals; /* nothing but a collision makes an end delete a new SA … */
	unsigned int judged; /* … which was seen so often */
};

/*
 * Memory that is zero, for munmap(). A world is megabytes, of which a run touches few; such pages
 * cost less than memset().
 */
void *zero_pages(size_t len);
/* @w must be zeroed. */
void world_init(struct world *w, uint64_t seed);
/* Frees everything; checks nothing. */
void world_free(struct world *w);
/* Note a broken invariant; the first one stays. */
void world_fail(struct world *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

struct node *world_node(struct world *w);
/* A node behind its own NAT. */
struct node *world_node_nat(struct world *w);
void node_rebind(struct node *n);
/* It has this address now instead, behind @nat (NULL: no NAT), and its core hears of that. */
void node_move(struct node *n, const struct ike_addr *addr, const struct ike_addr *nat);
/*
 * Link @a and @b by tunnel "t<i>", PSK, any-any selectors, X25519 and AES-GCM. @b's
 * configuration knows @a's address only if @both. Configurations may be changed until
 * node_start(). Returns the link's number.
 */
unsigned int world_link(struct world *w, struct node *a, struct node *b, bool both);
/* Its key for the tunnel is @psk from now on. */
void node_set_psk(struct node *n, unsigned int link, const char *psk);
/* So is its password as a user of the tunnel's other end. */
void node_set_password(struct node *n, unsigned int link, const char *password);

/* Its clients of the link have PPKs of their own: @ppk for the one of this identity (NULL: any). All stay where they are. */
void node_add_ppk(struct node *n, unsigned int link, const char *id, const char *ppk,
		  const char *client, bool required);
/* So is its PPK, by this name; @ppk stays where it is. */
void node_set_ppk(struct node *n, unsigned int link, const char *id, const char *ppk,
		  bool required);

/* Two private keys, of Ed25519, in PEM. */
extern const char *const world_keys[2];
/*
 * Its private key for the link is the one in PEM, unless that is NULL, and its peer has that of @peer,
 * unless that is NULL. Both ends prove themselves by signatures if they have one.
 */
void node_set_key(struct node *n, unsigned int link, const char *own, const char *peer);
/* Add a certificate to the node's credentials: of its own, or of a CA for the peer, which has to sign then. */
void node_add_cert(struct node *n, unsigned int link, enum ike_cred_kind kind,
		   const struct ike_iov *der);
/* It serves this user by EAP: @secret is a password, or "nt:" and 16 bytes. */
void node_add_user(struct node *n, const char *name, const char *secret);
/*
 * @a is the user @name with this password by EAP, by the methods of the set; @b proves itself by the key in PEM, and
 * has its own users.
 */
void world_eap(struct world *w, unsigned int link, const char *b, const char *name,
	       const char *password, unsigned int methods);
/*
 * The same in the second one of two rounds: in the first one @a proves itself by its key in PEM, or with NULL by the PSK.
 */
void world_rounds(struct world *w, unsigned int link, const char *a, const char *b,
		  const char *name, const char *password);
/* Both ends of the link have such keys. */
void world_sign(struct world *w, unsigned int link, const char *a, const char *b);
/*
 * A tunnel of @hub for @clients clients, "*.example", which share a key. It is a link of the hub
 * with itself, by which nothing comes.
 */
unsigned int world_hub(struct world *w, struct node *hub, unsigned int clients);
/* Its clients get addresses from 10.9.0.1 on, so many, and from fd09::1 on. */
void world_hub_pool(struct world *w, unsigned int hub, unsigned int size);
/* A link of @n with the hub, of which it is a client that gets its address from there. */
unsigned int world_client_asking(struct world *w, struct node *n, unsigned int hub);
/* A link of @n with the hub, of which it is a client that wants 10.8.<link>.1. */
unsigned int world_client(struct world *w, struct node *n, unsigned int hub);
/* The number the hub's client on @link has now; 0: none. */
uint32_t client_number(const struct world *w, unsigned int link);
/* Make the core, add its tunnels, adopt if @adopt what the fake kernel holds, start them. */
void node_start(struct node *n, bool adopt);
/* The result of the job begun first is there. False: there is none. */
bool node_finish_job(struct node *n);
/* How many jobs its core waits for, how many have no result yet, and connections of TLS that did not end, together. */
unsigned int node_jobs_left(struct node *n);
/* The agent is killed: no word to anyone; the kernel goes on. */
void node_kill(struct node *n);
/* The machine is gone, kernel too. */
void node_crash(struct node *n);
/* The machine is suspended, and goes on as if nothing was. */
void node_sleep(struct node *n);
void node_wake(struct node *n);
/* From now on neither IKE SAs nor pairs are rekeyed, nor peers proven anew, for their age, once they were for the last time. */
void node_stop_rekeying(struct node *n);
/* Which link a tunnel name means. */
unsigned int link_of(const char *tunnel);

/* Run until virtual time @until or a broken invariant. */
void world_run(struct world *w, uint64_t until);
/* One step: the earliest event. False if nothing happens before @until. */
bool world_step(struct world *w, uint64_t until);
/* The earliest event's time, UINT64_MAX if none. */
uint64_t world_next(struct world *w);

/* Hand @len octets to @to as if from @from, now. */
void world_inject(struct world *w, const struct ike_endpoint *from, const struct ike_endpoint *to,
		  const uint8_t *data, size_t len, uint64_t delay);

/*
 * Hold back a message: the @nth one (from 0, counted from now on; copies of a message are not
 * counted) that @from sends as a request or response of @exchange, with all its copies. The
 * result stays valid as long as the world; there are WORLD_HOLDS of them.
 */
struct hold *world_hold(struct world *w, const struct node *from, uint8_t exchange, bool response,
			unsigned int nth);
/* Run until the hold has its message, for at most @ms. False if it has not. */
bool world_await(struct world *w, const struct hold *h, uint64_t ms);
/*
 * Let the held message arrive at this moment, before anything that comes later; what is
 * released first arrives first. Copies pass from now on. Once more: it arrives once more.
 */
void world_release(struct world *w, struct hold *h);
/* What was held is lost, or what would have been held is not. Copies pass from now on. */
void world_drop(struct hold *h);

unsigned int node_count(const struct node *n, unsigned int link, bool in);
const struct ksa *node_out(const struct node *n, unsigned int link);
/* Does the kernel of @from send ESP to where @to is? */
bool esp_leads(const struct node *from, const struct node *to, unsigned int link);
/*
 * Would ESP of @from travel in what gets to @to? No NAT takes plain ESP, and without UDP it is received
 * where it is sent so alone.
 */
bool encap_leads(const struct node *from, const struct node *to, unsigned int link);
bool direction_works(const struct node *from, const struct node *to, unsigned int link);
/*
 * Equal SA sets, exactly @pairs each, nothing larval, and if there are any, each kernel knows
 * where the other is; false explains in @why.
 */
bool link_at_rest(const struct world *w, unsigned int link, unsigned int pairs, char *why,
		  size_t size);
/* Status of the node's tunnel on @link; pointers inside live until the next event. */
struct ike_status node_status(const struct node *n, unsigned int link);

#endif
