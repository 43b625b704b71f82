/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The IKEv2 agent as a pure core: events go in with the time they happened at,
 * effects come out through struct ike_env. No clock, socket, file or thread is
 * touched here, so that two cores run against each other in one process over a
 * simulated network (tests/sim). Single-threaded; no function may be called from
 * within an env callback.
 *
 * Times are milliseconds of a clock that never goes back and counts suspend.
 */
#ifndef ESPTUN_IKE_CORE_H
#define ESPTUN_IKE_CORE_H

#include "ike/auth/cred.h"
#include "ike/auth/job.h"
#include "ike/auth/method.h"
#include "ike/crypto/crypto.h"
#include "ike/pki/pki.h"
#include "ike/proto/cp.h"
#include "ike/proto/ikev2.h"

struct ike_core;

enum ike_core_limits {
	IKE_MAX_CHILD = 32, /* child SAs that are configured for one tunnel */
	IKE_CHILD_NAME = 32, /* bytes of a name, with the NUL */
	IKE_MAX_CLIENTS = 1000, /* of one tunnel */
	IKE_MAX_ADOPTED = 2 * IKE_MAX_CHILD, /* pairs of a former agent with one peer */
	IKE_PEER_FIRST = 1, /* number of a tunnel's peer, as the kernel counts them */
};

enum ike_start {
	IKE_START_NOW, /* initiate at once and whenever down */
	IKE_START_TRAFFIC, /* initiate on acquire */
	IKE_START_LISTEN, /* never initiate, except to replace adopted SAs */
};

/* A client whose identity is in use already, from another address or port. */
enum ike_unique {
	IKE_UNIQUE_REPLACE, /* takes the place of the one there is */
	IKE_UNIQUE_KEEP, /* is refused, unless it says INITIAL_CONTACT */
	IKE_UNIQUE_REFUSE, /* is refused */
};

/* What ESP travels in. */
enum ike_encap {
	IKE_ENCAP_UDP, /* UDP always: we claim to be behind a NAT */
	IKE_ENCAP_ESP, /* IP alone, as protocol 50; with a NAT on the path there is no child SA */
	IKE_ENCAP_AUTO, /* IP alone while there is no NAT on the path, else UDP */
};

enum { IKE_MAX_PPK_ID = 64 }; /* bytes of a PPK_ID, without its type */

/*
 * A post-quantum preshared key (RFC 8784), by its name, which both ends have. The key itself has whoever does
 * jobs, see IKE_JOB_PPK.
 */
struct ike_ppk_conf {
	uint8_t id_len; /* 0: there is none, or one of each client */
	uint8_t id[IKE_MAX_PPK_ID]; /* of the type PPK_ID_FIXED */
	bool required; /* else a peer may do without it */
	bool of_clients; /* each client has its own one, whose name only whoever does jobs knows */
};

/* What came of the PPK of an IKE SA's tunnel. */
enum ike_ppk {
	IKE_PPK_NONE, /* it has none */
	IKE_PPK_USED, /* it protects the keys of the IKE SA and of all that follow from it */
	IKE_PPK_NOT_OFFERED, /* the peer does not use PPKs */
	IKE_PPK_UNKNOWN, /* an end does not know the PPK_ID of the other */
};

/* Of a pair of ESP SAs (RFC 4303 3.1). */
enum ike_mode {
	IKE_MODE_TUNNEL, /* whole packets */
	IKE_MODE_TRANSPORT, /* packets between the endpoints themselves, without their IP header */
};

/*
 * What one child SA is to carry: each of its local selectors with each remote one. In transport mode
 * these are of any address, see ike_ts_of_any_address(); the IKE SA's addresses take their place.
 */
struct ike_child_conf {
	char name[IKE_CHILD_NAME]; /* for people, unique in its tunnel */
	struct ike_ts_list local_ts, remote_ts;
	enum ike_start start;
	enum ike_mode mode;
};

/*
 * Clients get addresses of the agent's pool, see ike_env.lease, and are told this with them (RFC 7296 2.19).
 * Their selectors are those addresses.
 */
struct ike_pool_conf {
	bool on;
	unsigned int n_servers;
	struct ike_addr server[IKE_CP_SERVERS]; /* of names */
	char domains[IKE_CP_DOMAINS]; /* that these servers know: names with blanks between them */
	bool tells_routes; /* the networks that clients are told are these, not those of the selectors */
	unsigned int n_routes;
	struct ike_cp_subnet route[IKE_CP_SUBNETS];
};

/* One tunnel: one netdevice, one [Peer]. The core copies it. Keys are not in it: see struct ike_job. */
struct ike_tunnel_conf {
	char name[16]; /* netdevice */
	struct ike_id local_id; /* type 0: the local address */
	struct ike_id remote_id; /* type 0: any identity that proves the key; may be a wildcard */
	struct ike_id
		first_id; /* if the peer has two rounds: of the first one, as remote_id is of the last */
	struct ike_auth_conf local_auth, remote_auth; /* how we do, and how the peer has to */
	uint32_t signatures; /* enum ike_sig_policy of auth/sigalg.h */
	uint32_t eap_methods; /* set of enum eap_number of eap/eap.h; 0: no end has EAP */
	struct ike_creds creds; /* copied, too */
	struct ike_ppk_conf ppk;
	enum pki_revocation revocation; /* of the peer's certificates */
	bool fetch; /* have CRLs and OCSP responses fetched about them */
	unsigned int clients; /* up to 1: one peer; more: so many, each with an identity of its own */
	enum ike_unique unique; /* for clients */
	struct ike_pool_conf pool; /* for clients */
	bool asks_address; /* we are a client: the peer gives us our addresses, see ike_env.settings */
	struct ike_addr had[2]; /* those that it gave before, to be asked for; family 0: none */
	/* Policy: with an address, only what comes to it is ours; 0: any, and routing chooses. */
	struct ike_endpoint local; /* port of the link (4500) */
	struct ike_endpoint
		remote; /* family 0: unknown, listen only; port 500, or 4500 to start there */
	struct ike_proposals ike, esp; /* in order of preference */
	uint32_t liveness; /* seconds without authenticated traffic before we ask; 0: never */
	bool mobike; /* offer and take MOBIKE (RFC 4555) */
	enum ike_encap encap;
	/* Seconds from establishment to our rekeying, before jitter; 0: never. */
	uint32_t reauth; /* seconds until a new IKE SA, with new proofs, replaces it; 0: never */
	uint32_t rekey_ike, rekey_child;
	/* Of one direction of a child SA before we rekey it; 0: no limit but the kernel's own. */
	uint64_t rekey_bytes, rekey_packets;
	unsigned int n_child; /* at least 1 */
	struct ike_child_conf
		child[IKE_MAX_CHILD]; /* the last member: the core copies those in use */
};

/*
 * Which half of the pair a call of sa_install is about. A responder that replaces a
 * working pair must not send on the new one before the initiator proved it has it
 * (RFC 7296 2.8): it installs IN, answers, asks, and installs OUT on the answer.
 */
enum ike_child_part { IKE_CHILD_BOTH, IKE_CHILD_IN, IKE_CHILD_OUT };

/* A pair of ESP SAs, as the kernel needs it. Keys are wiped by the core after the call. */
struct ike_child {
	const char *tunnel;
	uint32_t peer; /* its number */
	enum ike_child_part part;
	enum ike_mode mode;
	uint32_t spi_in, spi_out; /* host order */
	struct ike_endpoint local, remote;
	bool plain; /* ESP travels without UDP */
	/*
	 * Transport mode behind a NAT: the addresses that checksums of the peer's packets cover (RFC 7296
	 * 2.23.1), both or none. Family 0: they cover the addresses that we see.
	 */
	struct ike_addr nat_oa_local, nat_oa_remote;
	struct ike_cipher cipher;
	bool esn;
	const uint8_t *key_in, *key_out, *integ_in, *integ_out;
	size_t key_len, integ_len;
	const struct ike_ts_list *local_ts, *remote_ts; /* negotiated */
	/* IKE_EXPIRE_SOFT when either SA carried so many; 0: no limit but the kernel's own. */
	uint64_t soft_bytes, soft_packets;
	uint64_t hard_bytes; /* IKE_EXPIRE_HARD, and the end of the SA; 0: no limit */
};

/* The packet that found no SA: each selector has its one address, protocol and port. */
struct ike_flow {
	struct ike_ts local, remote;
};

enum ike_log_level { IKE_LOG_ERROR, IKE_LOG_WARN, IKE_LOG_INFO, IKE_LOG_DEBUG };

struct ike_datagram {
	struct ike_endpoint local, remote;
	const uint8_t *data; /* the IKE message, without non-ESP marker */
	size_t len;
};

enum ike_tunnel_state {
	IKE_TUNNEL_DOWN, /* nothing running, nothing planned (or waits for traffic/peer) */
	IKE_TUNNEL_CONNECTING,
	IKE_TUNNEL_UP, /* both directions installed */
	IKE_TUNNEL_CLOSING,
};

/* Secrets for Wireshark's tables; only with the debug option. */
struct ike_keylog {
	const uint8_t *spi_i, *spi_r; /* 8 octets each; NULL for an ESP entry */
	const uint8_t *sk_ei, *sk_er, *sk_ai, *sk_ar;
	size_t sk_e_len, sk_a_len;
	const struct ike_cipher *cipher;
	const struct ike_child *child; /* NULL for an IKE entry */
};

/*
 * Effects. @ctx is passed to each. All are synchronous; those returning int give 0
 * or a negative errno. @peer is the number of the tunnel's peer that the effect is about.
 */
struct ike_env {
	void *ctx;
	struct ike_rng rng;
	/* Seconds since 1970, UTC: by this clock, which may be wrong, certificates are valid or not. */
	int64_t (*utc)(void *ctx);
	/* Hand a datagram to the network; may lose it. From local port 4500 it goes out with the non-ESP marker. */
	void (*send)(void *ctx, const char *tunnel, const struct ike_datagram *d);
	/*
	 * A client proved that it is @id: make a peer of the tunnel for it, or leave the one that is there
	 * as it is, and keep @id with it for the next agent, see struct ike_adopted. @peer, which is
	 * above IKE_PEER_FIRST, is no other's then, until peer_remove has taken it and its SAs away.
	 */
	int (*peer_make)(void *ctx, const char *tunnel, uint32_t peer,
			 const struct ike_endpoint *remote, const struct ike_id *id);
	void (*peer_remove)(void *ctx, const char *tunnel, uint32_t peer);
	/*
	 * An address of the pool, of @family, for the client, which proved to be @id: its lease, until
	 * peer_remove. @wanted: the one it asks for; family 0: any. 0; -EAFNOSUPPORT: clients get none of this
	 * family; -ENOSPC: others have all; or another negative errno.
	 */
	int (*lease)(void *ctx, const char *tunnel, uint32_t peer, const struct ike_id *id,
		     uint8_t family, const struct ike_addr *wanted, struct ike_addr *out);
	/*
	 * The peer gave us, its client, these addresses, one at least, and told us of name servers, domains and
	 * networks; they take the place of those before. It is authenticated; all of it is what it wants. 0; or
	 * -EADDRNOTAVAIL: the addresses cannot be ours, and what was before stays; or another negative errno.
	 */
	int (*settings)(void *ctx, const char *tunnel, const struct ike_cp *cp);
	/* Reserve an inbound SPI for the peer. */
	int (*spi_alloc)(void *ctx, const char *tunnel, uint32_t peer, uint32_t *spi);
	/*
	 * Make the pair work: inbound first, then outbound; the newest outbound SA takes the
	 * traffic. On failure neither remains. With ->part IN only the inbound SA is installed;
	 * a later call with the same SPIs and ->part OUT adds the other (all fields are set in
	 * both); if that one fails, the inbound SA stays until sa_remove.
	 */
	int (*sa_install)(void *ctx, const struct ike_child *child);
	/*
	 * Remove the pair, or with spi_out 0 the inbound (or larval) SA alone, or with spi_in 0
	 * the outbound SA alone: traffic then takes the newest outbound SA that is left, while
	 * the inbound one still hears the peer until it did the same. Missing SAs are no error.
	 */
	void (*sa_remove)(void *ctx, const char *tunnel, uint32_t peer, uint32_t spi_in,
			  uint32_t spi_out);
	/* Milliseconds since the peer's last authenticated ESP packet; UINT64_MAX if never. */
	uint64_t (*last_rx)(void *ctx, const char *tunnel, uint32_t peer);
	/*
	 * The peer is now at this endpoint (float to 4500, NAT rebinding, MOBIKE). ESP leaves from
	 * @local then; NULL: from where it did. @plain: it travels without UDP.
	 */
	void (*peer_moved)(void *ctx, const char *tunnel, uint32_t peer,
			   const struct ike_addr *local, const struct ike_endpoint *remote,
			   bool plain);
	/*
	 * May the kernel follow the peer to where its authenticated ESP comes from, as it does with a
	 * new one?
	 */
	void (*peer_follow)(void *ctx, const char *tunnel, uint32_t peer, bool may);
	/*
	 * Would packets of the tunnel to @remote leave this machine, and not by a tunnel that the ones
	 * in use do not take? What a peer says of its addresses is true in its network, not in ours.
	 */
	bool (*is_outside)(void *ctx, const char *tunnel, const struct ike_addr *remote);
	void (*state)(void *ctx, const char *tunnel, uint32_t peer, enum ike_tunnel_state state);
	/* @tunnel and SPIs may be NULL. @text is one sentence without newline. */
	void (*log)(void *ctx, enum ike_log_level level, const char *tunnel, const uint8_t *spi_i,
		    const uint8_t *spi_r, const char *text);
	void (*keylog)(void *ctx, const struct ike_keylog *k); /* NULL: off */
	/*
	 * Begin a job with keys that the core has not (auth/job.h): @job is valid during the call, and
	 * the result comes by ike_core_job_done(), never from within. It may come late or not at all.
	 */
	int (*job_start)(void *ctx, const struct ike_job *job);
	/* What came last from @uri, by ike_core_fetched(), is a CRL that pki_verify() used. NULL: nobody wants to know. */
	void (*crl_used)(void *ctx, const char *uri);
};

/* NULL only when memory is out. @env is copied. */
struct ike_core *ike_core_new(const struct ike_env *env);
/*
 * Frees and wipes everything without a word to any peer (see ike_core_shutdown). Pairs stay in the
 * kernel; SAs that are reserved, or were given up and only hear late packets, leave it.
 */
void ike_core_free(struct ike_core *core);

/*
 * Add a tunnel; 0, -EEXIST, -EINVAL, -ENOMEM. Starts nothing before ike_core_start(),
 * so that running SAs can be adopted first.
 */
int ike_core_tunnel_add(struct ike_core *core, const struct ike_tunnel_conf *conf);
/* Running kernel SAs of a former agent. */
struct ike_adopted {
	uint32_t peer; /* number of the tunnel's peer */
	struct ike_id id; /* of a client, which it proved to that agent; type 0: not known */
	struct ike_endpoint remote;
	struct ike_ts_offer remote_ts; /* of the outbound SA, as prefixes */
	uint32_t spi_in, spi_out; /* 0: there is none */
	uint64_t until; /* then they end in any case; those of one peer end together, with the last */
};

/*
 * Keep them carrying traffic. More than IKE_MAX_ADOPTED pairs of a peer are removed. A peer above IKE_PEER_FIRST is a client, which we wait for: see
 * client_adopted() in client.c. Else the tunnel then initiates to ->remote whatever its start mode,
 * without INITIAL_CONTACT (the peer must not drop them early), and removes them some seconds after a
 * new pair is up. No other client gets traffic for ->remote_ts meanwhile.
 */
void ike_core_adopt(struct ike_core *core, const char *tunnel, const struct ike_adopted *pair);
void ike_core_start(struct ike_core *core, const char *tunnel, uint64_t now);

/* Events. */
void ike_core_datagram(struct ike_core *core, const struct ike_datagram *d, uint64_t now);
/*
 * A packet found no outbound SA. The child SAs that start with traffic and would carry @flow (or,
 * with NULL, all of them) are begun.
 */
void ike_core_acquire(struct ike_core *core, const char *tunnel, const struct ike_flow *flow,
		      uint64_t now);
enum ike_expire {
	IKE_EXPIRE_SOFT, /* a limit is near: replace the SA */
	IKE_EXPIRE_HARD, /* a limit was reached: it carries nothing any more */
	IKE_EXPIRE_REMOVED, /* another program took it out of the kernel */
};

/* An SA has come to its end, or will soon. */
void ike_core_expire(struct ike_core *core, const char *tunnel, uint32_t peer, uint32_t spi,
		     bool inbound, enum ike_expire why, uint64_t now);
/*
 * The kernel saw an authenticated packet from a new outer address. With MOBIKE the peer is asked to
 * answer from there, and if it does not, it counts as being where it was; after 7.5 s ESP goes there
 * again.
 */
void ike_core_peer_moved(struct ike_core *core, const char *tunnel, uint32_t peer,
			 const struct ike_endpoint *remote, uint64_t now);
/*
 * The way to a peer of the tunnel changed: packets to it now leave from @local, or with family
 * 0 there is no way at the moment. A tunnel that waits to try again tries at once; a request
 * that waits for its next copy is sent. IKE SAs go on from @local; if that is another address
 * than before, the peer hears from there at once, and without MOBIKE a new IKE SA replaces the one
 * there is.
 */
void ike_core_path(struct ike_core *core, const char *tunnel, uint32_t peer,
		   const struct ike_addr *local, uint64_t now);
/*
 * Addresses of ours that packets to the tunnel's peers may leave from, with the one in use, as many
 * as we keep: MOBIKE tells the peers of them, and tries them when a peer is not reached from the one
 * in use. If that is not among them the peer hears of them with its successor, see ike_core_path().
 */
void ike_core_addresses(struct ike_core *core, const char *tunnel, const struct ike_addr *ours,
			size_t n, uint64_t now);
/*
 * What came from an address that an IKE_JOB_FETCH names, for all such jobs under way; they end after it. It is
 * hostile.
 */
struct ike_fetched {
	const char *uri;
	struct ike_iov request; /* of OCSP; of length 0: a CRL was asked for */
	struct ike_iov data; /* of base NULL: nothing came, … */
	const char
		*fault; /* … for this reason; it may have come from the network, and is printable */
	const char *tunnel; /* it was asked for by this one, … */
	bool refused; /* … which may not ask there (there is a fault): nobody was asked */
	bool kept; /* the data came from there once: now nothing does */
};

enum { IKE_MAX_FETCHED = 256 * 1024 }; /* bytes of a CRL */

void ike_core_fetched(struct ike_core *core, const struct ike_fetched *f, uint64_t now);
/* What a job came to; no news if nobody waits for it any more. */
void ike_core_job_done(struct ike_core *core, const struct ike_job_result *r, uint64_t now);
/* Run whatever is due; then ike_core_next() tells when to come again (UINT64_MAX: nothing waits). */
void ike_core_timer(struct ike_core *core, uint64_t now);
uint64_t ike_core_next(const struct ike_core *core);

/* The endpoint's name now resolves to @remote: used from the next attempt on. 0 or -ENOENT. */
int ike_core_tunnel_remote(struct ike_core *core, const char *tunnel,
			   const struct ike_endpoint *remote);

/*
 * The tunnel has another configuration from now on. Its child SAs are known by names, or
 * selectors: those it no longer has are deleted, new ones asked for as their start mode says. If the
 * terms are others (identities, addresses, proposals, selectors of a child SA), or with @renew (the
 * key is another one), new IKE SAs take the place of those there are. These carry traffic until then, but no longer than
 * until they should have been rekeyed; a client is told that its IKE SA ends. Else all stays, and the
 * times of rekeying begin anew where they changed. The number of clients cannot change between 1 and
 * many. 0, -ENOENT, -EINVAL or -ENOMEM; then nothing changed.
 */
int ike_core_tunnel_change(struct ike_core *core, const struct ike_tunnel_conf *conf, bool renew,
			   uint64_t now);

/*
 * Forget a tunnel at once: its SAs leave the kernel without a word to the peer (to be
 * polite, ike_core_down() and wait for IKE_TUNNEL_DOWN first). 0 or -ENOENT.
 */
int ike_core_tunnel_del(struct ike_core *core, const char *tunnel);

/* Commands: 0, or -ENOENT for an unknown tunnel. Results show in ->state and in the status. */
int ike_core_up(struct ike_core *core, const char *tunnel, uint64_t now);
int ike_core_down(struct ike_core *core, const char *tunnel, uint64_t now);
/*
 * All SAs of the tunnel's one peer get new keys now, as if they were old; which shows in the status, or does not if the
 * peer does not agree.
 */
int ike_core_rekey(struct ike_core *core, const char *tunnel, uint64_t now);
/* Client @peer of the tunnel: its SAs end. It may come back. 0 or -ENOENT. */
int ike_core_client_down(struct ike_core *core, const char *tunnel, uint32_t peer, uint64_t now);
/* down for all; ike_core_idle() turns true when every delete is answered or given up (a few seconds). */
void ike_core_shutdown(struct ike_core *core, uint64_t now);
bool ike_core_idle(const struct ike_core *core);

/* What the last error of a tunnel is about. */
enum ike_fault {
	IKE_FAULT_NONE,
	IKE_FAULT_SILENCE, /* the peer did not answer */
	IKE_FAULT_INIT, /* IKE_SA_INIT: algorithms */
	IKE_FAULT_AUTH, /* IKE_INTERMEDIATE, IKE_AUTH: identities and their proofs */
	IKE_FAULT_CHILD, /* what comes after: a child SA, or changes of the IKE SA */
	IKE_FAULT_CLOCK, /* by this machine's clock a certificate is not valid yet, or no more */
};

/* How often keys were renewed, by either end. */
struct ike_rekeys {
	uint64_t ike, child; /* of IKE SAs, of pairs of child SAs */
};

/* What `esptun status` shows of a tunnel. Pointers live until the next call into the core. */
struct ike_status {
	const char *tunnel;
	uint32_t peer;
	unsigned int clients; /* how many there are */
	enum ike_tunnel_state state;
	struct ike_addr
		lease[2]; /* IPv4 and IPv6, that one end gave the other of its pool; family 0: none */
	bool have_ike; /* the IKE SA's fields below are valid */
	bool initiator; /* we began it, whoever rekeyed it since */
	bool established;
	uint8_t spi_i[IKE_SPI_LEN], spi_r[IKE_SPI_LEN];
	struct ike_endpoint local, remote;
	struct ike_endpoint esp_remote; /* where ESP goes, while the peer claims to be elsewhere */
	/* remote: proven, once established; of a client also without an IKE SA, type 0 if not known. */
	struct ike_id local_id, remote_id;
	struct ike_id
		first_id; /* that the peer proved in the first one of two rounds; type 0: it had one */
	struct ike_auth_conf local_auth,
		remote_auth; /* how both proved who they are, once established */
	struct ike_proposal ike; /* chosen */
	enum ike_ppk ppk;
	uint64_t established_at;
	uint64_t rekey_at; /* we rekey it then; 0: not planned */
	bool nat_local, nat_remote; /* who is behind a NAT, RFC 7296 2.23 */
	bool plain; /* ESP travels without UDP */
	bool mobike; /* both ends take changes of address by MOBIKE … */
	bool mobike_decides; /* … and we choose the addresses */
	bool have_child; /* the fields of the child SA below are valid */
	const char *child_name;
	uint32_t spi_in, spi_out;
	struct ike_proposal esp;
	enum ike_mode mode;
	struct ike_ts_list local_ts, remote_ts;
	uint64_t child_at;
	uint64_t child_rekey_at; /* likewise */
	unsigned int adopted; /* pairs of a former agent still running */
	/* Of the peer; of the tunnel's own peer: of all its peers, also of clients that are gone. */
	struct ike_rekeys rekeys;
	const char *last_error; /* one sentence with the remedy, "" if none */
	uint64_t last_error_at;
	enum ike_fault fault; /* what it is about */
	uint64_t next_try; /* when connecting: time of the next copy or attempt, 0 if now */
	unsigned int attempt; /* when connecting: the first since it last worked is 1 */
	const char *step; /* the exchange an attempt is at, "" between two attempts */
	unsigned int tries; /* copies of that exchange's request that were sent */
};

/* 0 or -ENOENT. */
int ike_core_tunnel_status(const struct ike_core *core, const char *tunnel, struct ike_status *out);
/* The same of one peer of the tunnel. */
int ike_core_peer_status(const struct ike_core *core, const char *tunnel, uint32_t peer,
			 struct ike_status *out);
/* The number of the client that comes after number @after, with 0 of the first one; 0: none. */
uint32_t ike_core_client_next(const struct ike_core *core, const char *tunnel, uint32_t after);

/*
 * A peer's child SA that is configured as number @i, from 0 on: have_child and what belongs to it,
 * and child_name in any case. 0, or -ENOENT, also after the last one.
 */
int ike_core_child_status(const struct ike_core *core, const char *tunnel, uint32_t peer,
			  unsigned int i, struct ike_status *out);

/* Counters for tests and metrics. */
struct ike_core_stats {
	unsigned int ike_sas, half_open, children;
	uint64_t rx, rx_bad, rx_unauthenticated, tx, retransmits, cookies_sent, cookies_bad;
	uint64_t refused; /* IKE_SA_INIT requests dropped for want of a place or of time */
	uint64_t evicted; /* half-open IKE SAs whose place another peer got */
	uint64_t visited; /* tunnels and groups of them looked at to find one */
	uint64_t updates; /* addresses of peers, by UPDATE_SA_ADDRESSES, that are in use */
	uint64_t unproven; /* those where the peer did not answer */
	uint64_t key_exchanges; /* keys made to answer IKE_SA_INIT and IKE_INTERMEDIATE requests */
};
void ike_core_stats(const struct ike_core *core, struct ike_core_stats *out);

#endif
