/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The IKE SA object: who, where, keys, one window of message IDs each way, the request
 * we wait an answer for, the answer we keep for repetition (RFC 7296 2.1-2.3), and its
 * child SAs. What the exchanges do with it is in x_*.c.
 *
 * Our own SPI is random and never used twice, so it doubles as the handle that stays
 * safe across anything that may end the SA. An SA that ends is marked IKESA_DEAD, leaves
 * every list at once, and is freed when the event that killed it is over.
 */
#ifndef ESPTUN_IKE_IKESA_H
#define ESPTUN_IKE_IKESA_H

#include <limits.h>
#include <sys/queue.h>

#include "ike/core/core.h"
#include "ike/eap/eap.h"
#include "ike/proto/msg.h"
#include "ike/core/frag.h"
#include "ike/core/keys.h"
#include "ike/core/timer.h"

/* Retransmission: 0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5, 47.5 s; given up at 63.5 s. */
enum ikesa_schedule {
	IKESA_RETRANSMIT_FIRST_MS = 500, /* doubles … */
	IKESA_RETRANSMIT_CAP_MS = 16000, /* … up to this */
	IKESA_RETRANSMIT_SENDS = 8, /* copies sent before the peer counts as dead, … */
	IKESA_RETRANSMIT_ALL_MS = 63500, /* … which takes so long, … */
	IKESA_UNANSWERED_MS = 300000, /* … or that, if it is heard meanwhile */
	IKESA_LARGE_SENDS = 4, /* copies before a large one is split for smaller packets */
	IKESA_DEAD_MS = 64000, /* … that is, after this */
	IKESA_CLOSE_MS = 5000, /* patience for the answer to a DELETE when going down */
	IKESA_HALF_OPEN_MS =
		30000, /* responder: from IKE_SA_INIT, or a message of EAP, to a valid IKE_AUTH */
	IKESA_EAP_MS = 60000, /* responder: from the first IKE_AUTH to the last one of EAP */
	IKESA_JOB_MS = 10000, /* patience for the result of a job */
	IKESA_LINGER_MS = 10000, /* a closed SA repeats its last answer for so long */
	IKESA_SUPERSEDED_MS = 5000, /* INITIAL_CONTACT to the end of the SAs it disowns */
	IKESA_REDUNDANT_MS = 3000, /* a redundant SA's initiator closes it after this … */
	IKESA_REDUNDANT_OTHER_MS = 15000, /* … the other end, should that not happen, after this */
	IKESA_REDUNDANT_CAP_MS =
		32000, /* if it has to wait: 1 s more each time, doubled up to this … */
	IKESA_REDUNDANT_ALL_MS =
		300000, /* … and not for a pair of the other one longer than this */
	IKESA_HINT_MS = 10000, /* unauthenticated hints count at most so often */
	CHILD_IN_MS = 10000, /* a pair of ours that lost a collision is deleted after this */
	CHILD_PROOF_MS = 200000, /* a peer does not repeat its request for longer than this */
	CHILD_REKEYED_MS = 1000, /* from the end of our rekeying to our DELETE of the old pair */
	CHILD_REKEYED_OTHER_MS = 60000, /* the same, if it is the peer that should send it */
	CHILD_LINGER_MS = 5000, /* packets that were on their way arrive within this */
};

enum ikesa_limits {
	IKESA_MAX = 16384, /* IKE SAs of all kinds */
	IKESA_MAX_PER_PEER = 8, /* established, of one identity on one tunnel */
	IKESA_MAX_COOKIES = 6, /* COOKIE answers obeyed per attempt */
	IKESA_MAX_KE_RETRIES = 4, /* INVALID_KE_PAYLOAD answers obeyed per attempt */
	IKESA_DIGEST_LEN = 16,
	CHILD_BLOCK64_BYTES =
		1 << 30, /* of one direction, with a cipher whose blocks have 64 bits */
};

enum mobike_limits {
	MOBIKE_MAX_ADDRESSES = 8, /* of each end that the other hears of, besides the one in use */
	MOBIKE_COOKIE_LEN = 16,
	MOBIKE_OTHER_PATHS = 8, /* that a copy of a request is sent on at once, … */
	MOBIKE_SPREAD_SENDS = 3, /* … from this copy on, that is after 1.5 s */
	MOBIKE_UNPROVEN_SENDS =
		5, /* an address with no answer is left with this copy, after 7.5 s */
	MOBIKE_FOLLOW_MS = 7500, /* ESP goes to a place that is not proven for so long */
	MOBIKE_HOLD_MS = 120000, /* after that the kernel does not follow the peer for so long */
	MOBIKE_REFUSALS = 3, /* in a row; then a new IKE SA is better */
	NATD_LEN = 20, /* of a NAT detection hash */
};

enum ikesa_state {
	IKESA_INIT_SENT, /* initiator: IKE_SA_INIT request is out */
	IKESA_HALF_OPEN, /* responder: IKE_SA_INIT answered, IKE_AUTH awaited */
	IKESA_AUTH_SENT, /* initiator: IKE_AUTH request is out */
	IKESA_ESTABLISHED, /* both ends authenticated */
	IKESA_PREPARED, /* made by rekeying another one, and not yet known to be the one that stays */
	IKESA_REKEYED, /* another one has its pairs; the peer is to delete it */
	IKESA_DELETING, /* was established; our DELETE is out or about to be */
	IKESA_CLOSED, /* only repeats its last answer */
	IKESA_DEAD, /* about to be freed */
};

/*
 * One of our exchanges. It waits in the queue of its IKE SA until the window is open, then its
 * request is out until the response comes, or never does. exchange.c makes and ends it.
 */
struct exchange {
	TAILQ_ENTRY(exchange) link;
	const struct exchange_ops *ops;
	uint32_t spi; /* inbound SPI of the pair it is about; 0: of none */
	unsigned int conf; /* if it makes a pair: what that is to carry, as in child_sa */
	uint16_t group; /* of its key exchange, if the peer named one; else 0 */
	bool unwanted; /* the configuration changed since: its pair is not taken */
	unsigned int tries; /* requests before this one for the same */
	uint32_t deleted; /* outbound SPI unknown to us that the peer deleted while it is out */
	struct creation *made; /* CREATE_CHILD_SA: what it needs until the response came */
};

enum exchange_build {
	EXCHANGE_SEND, /* the payloads are complete */
	EXCHANGE_DROP, /* there is nothing to ask any more */
	EXCHANGE_FAIL, /* the request cannot be made: the IKE SA ends */
};

struct ike_core;
struct ike_sa;
struct ike_builder;
struct x_msg;

enum x_verdict {
	X_DONE, /* request: answer it */
	X_CLOSE, /* request: answer it, and the IKE SA is over */
	X_WAIT, /* a job was begun: job_done_fn goes on with the message */
	X_DROP, /* request: it is as if it had not come, until it comes again; for want of memory mostly */
};

/*
 * The result @r of the job that @m waited for is here, or it failed (->error). @state is what was
 * given to job_begin(). @m is NULL if no message waited.
 */
typedef enum x_verdict (*job_done_fn)(struct ike_core *core, struct ike_sa *sa, struct x_msg *m,
				      void *state, const struct ike_job_result *r);

/* A kind of exchange, as we begin it. Functions may be NULL where it says so. */
struct exchange_ops {
	const char *name; /* for people */
	uint8_t exchange; /* its type in the header */
	bool makes_pair; /* it brings a pair where there is none */
	/* The window is open: append the payloads. NULL: the message is made elsewhere. */
	enum exchange_build (*build)(struct ike_core *core, struct ike_sa *sa, struct exchange *x,
				     struct ike_builder *b);
	/* The response; the window is open again, unless the response waits for a job. */
	void (*response)(struct ike_core *core, struct ike_sa *sa, struct exchange *x,
			 struct x_msg *m);
	/* No response came. True: @sa has ended. False, or NULL: the peer counts as dead. */
	bool (*lost)(struct ike_core *core, struct ike_sa *sa, struct exchange *x);
	/* It is over, whatever came of it: release what it holds. NULL: nothing. */
	void (*end)(struct ike_core *core, struct ike_sa *sa, struct exchange *x);
};

TAILQ_HEAD(exchanges, exchange);

struct ikesa_bytes {
	uint8_t *data;
	size_t len;
};

/* A decrypted message of the peer that is needed for longer than it is at hand; wiped when it is given back. */
struct ikesa_kept {
	uint8_t *plain; /* NULL: there is none */
	size_t len;
	struct ike_payloads in; /* they point into ->plain */
};

/* A message as it leaves: one datagram, or one for each fragment, one behind the other. */
struct ikesa_message {
	uint8_t *data;
	size_t len; /* of all; 0: there is none */
	size_t each; /* of every datagram but the last, which has the rest */
};

/* What a pair of ESP SAs goes through, in this order; each state has a deadline, ->next_at. */
enum child_state {
	CHILD_IN, /* its outbound half waits until the peer is known to have the pair, or so long */
	CHILD_UP, /* works both ways; at the deadline we rekey it */
	CHILD_REKEYED, /* another carries our traffic; at the deadline we have the peer delete it */
	CHILD_DELETING, /* our DELETE of it waits or is out; no deadline */
	CHILD_LINGERING, /* no IKE SA's any more; until the deadline late packets still arrive */
};

/*
 * In ->replaces instead of an SPI (those up to 255 are reserved, RFC 4303 2.1): both ends lacked
 * the pair of this configuration and asked for it at the same time, so that one of both is redundant.
 */
static inline uint32_t child_replaces_nothing(unsigned int conf)
{
	return 1 + conf;
}

_Static_assert(IKE_MAX_CHILD < 255, "child_replaces_nothing() must not be an SPI");

/* A pair of ESP SAs. */
struct claims;

struct child_sa {
	TAILQ_ENTRY(child_sa) link;
	unsigned int conf; /* what it is to carry: tunnel_conf.child[conf] */
	enum ike_mode mode;
	uint32_t spi_in, spi_out;
	enum child_state state;
	uint64_t next_at; /* see enum child_state */
	uint64_t at; /* installed */
	bool out; /* the kernel has its outbound half */
	bool ours; /* we began the exchange that made it */
	uint32_t replaces; /* inbound SPI of the pair it was made to replace; 0: of none; see below */
	unsigned int failures; /* of rekeying it, one after the other */
	uint8_t low_nonce[IKE_OUR_NONCE]; /* the lower one of its exchange, first octets (2.8.1) */
	struct esp_keys *keys; /* only while the outbound half waits; wiped afterwards */
	struct esp_suite suite;
	struct ike_proposal proposal;
	struct claims *claims; /* of a client, while it is one of its IKE SA's pairs, see claim.c */
	uint16_t n_local, n_remote;
	struct ike_ts ts[]; /* local ones, then remote ones */
};

/* What AUTH covers of IKE_INTERMEDIATE (RFC 9242 3.3.2), see intauth.c. */
struct intauth {
	unsigned int n; /* exchanges that are over */
	uint8_t i[IKE_MAX_PRF], r[IKE_MAX_PRF]; /* IntAuth_i and IntAuth_r */
	bool begun_i, begun_r; /* a message of that end is in it */
};

enum { INTAUTH_MAX = 2 * IKE_MAX_PRF + 4 }; /* bytes of IntAuth */

/* Keys of an IKE SA that were mixed with a PPK (RFC 8784 3): each as long as the ones it takes the place of. */
struct ppk_keys {
	uint8_t d[IKE_MAX_PRF], pi[IKE_MAX_PRF], pr[IKE_MAX_PRF];
};

/*
 * EAP in IKE_AUTH (RFC 7296 2.16), see x_eap.c: from the first request on until both AUTH payloads that its
 * key makes have come.
 */
struct ikesa_eap {
	struct eap run;
	bool awaited; /* responder: the peer proved itself in its first round, EAP is its second one, which is next */
	bool refused; /* initiator: an error ended EAP when a method had begun: for its proof, or for another reason */
	bool shows_certs; /* the other end does within TLS, and they are being judged, or were */
	bool only; /* the responder proves who it is by nothing else (RFC 5998) */
	bool proven; /* the method was completed: AUTH by its key is next, and … */
	void (*go_on)(struct ike_core *core, struct ike_sa *sa); /* … initiator: is begun by this */
	char tunnel[IKE_JOB_NAME]; /* responder: the one that was chosen, … */
	uint64_t until; /* responder: it may take so long */
	uint64_t changes; /* … core->changes then, as what is proven now is proven by that configuration, and … */
	struct ikesa_kept first; /* … the first request, of which the child SA is made */
	struct ikesa_bytes packet; /* initiator: that the next request has */
	struct ikesa_bytes
		peer_id; /* body of the peer's ID payload that its AUTH by EAP's key covers */
};

/* What is needed only until the IKE SA is established. */
struct ikesa_setup {
	struct ike_kex *kex; /* initiator: until there are keys */
	uint8_t ni[IKE_MAX_NONCE], nr[IKE_MAX_NONCE];
	size_t ni_len, nr_len;
	struct ikesa_bytes init_i, init_r; /* both IKE_SA_INIT messages, for AUTH (2.15) */
	uint8_t cookie[IKE_MAX_COOKIE];
	size_t cookie_len;
	unsigned int cookies, ke_retries;
	bool peer_rounds; /* the responder takes several rounds of authentication (RFC 4739) */
	bool peer_childless; /* the responder takes an IKE_AUTH without child SA (RFC 6023) … */
	bool childless; /* … and ours is one */
	unsigned int child; /* initiator: the configured child SA that the attempt is for */
	uint32_t spi_in; /* initiator: reserved for it, 0 if none */
	struct ikesa_bytes auth; /* initiator: our AUTH value, or signature */
	const struct sigalg *sigalg; /* that our signature is made with */
	unsigned int peer_hashes; /* set of enum ike_hash that the peer takes; 0: it did not say */
	bool asks_status; /* the peer takes OCSP responses about our certificates */
	bool takes_raw_key; /* it may be shown our raw public key (RFC 7670) */
	struct intauth intauth;
	unsigned int addke; /* additional key exchanges that are over */
	struct ike_keys *next_keys; /* responder: those of the next request; NULL: the same */
	bool ppk_agreed; /* both ends said USE_PPK (RFC 8784) */
	struct ppk_keys *ppk; /* AUTH is made and judged with these; NULL: with those of ->keys */
	struct ikesa_bytes no_ppk_auth; /* initiator: our AUTH value without PPK, for NO_PPK_AUTH */
	struct ikesa_eap *eap; /* while EAP goes on; NULL: it does not */
	unsigned int work; /* microseconds on the meter for the peer's proof, see admit.c */
	unsigned int fetches; /* that were begun for its certificates, see fetched.c, … */
	uint64_t fetch_until; /* … the last of them before this; 0: none was */
	job_done_fn after_fetch; /* what goes on then */
	/* The peer has the key of a certificate that is good but for revocation: a refusal is worth a warning. */
	bool has_cert_key;
	/* By this machine's clock a certificate of the peer's, or of its issuers, is not valid yet, or no more. */
	bool out_of_time;
};

/*
 * MOBIKE (RFC 4555), see x_mobike.c: what an IKE SA knows of both ends' addresses. ->local and
 * ->remote of the IKE SA are those that its messages use; ESP goes to the proven one. The end that
 * began decides which are used.
 */
struct mobike {
	bool on; /* both ends sent MOBIKE_SUPPORTED */
	bool update; /* the addresses in use are yet to be told (we began) or proven */
	bool tell; /* the peer is yet to hear which other addresses we have */
	struct ike_endpoint proven; /* the peer answered from there, or nowhere yet (family 0) … */
	struct ike_endpoint given_up; /* where it claimed to be, without an answer; or family 0 */
	struct ike_endpoint heard; /* where its newest request came from, whatever it claims */
	struct ike_addr proven_local; /* … to this address of ours, or routing chose it since */
	struct ike_addr theirs[MOBIKE_MAX_ADDRESSES]; /* other addresses of the peer, as it says */
	unsigned int n_theirs;
	unsigned int version; /* another one with each change of the addresses in use */
	unsigned int refusals; /* of updates, one after the other */
	bool told; /* the peer said under this IKE SA which addresses it uses */
	uint8_t heir_spi[IKE_SPI_LEN]; /* of a rekeyed one: ours of its successor, … */
	bool heir_is_ours; /* … which we began */
	bool nowhere; /* the peer proved to be at no place at all: the IKE SA is to end */
	bool have_seen;
	uint8_t seen[NATD_LEN]; /* where the peer sees us, hashed */
	/* Of the request that is out: */
	bool spread; /* copies went on several paths, so the answer says nothing about one */
	bool one_path; /* an answer showed that this path works, so others wait longer until it is proven */
	bool verifying; /* the peer is to return COOKIE2 */
	unsigned int asked; /* the version it is about */
	bool telling; /* it has our other addresses */
	uint8_t cookie[MOBIKE_COOKIE_LEN];
};

/* A path of certificates, below the CA that was trusted. */
struct shown_path {
	unsigned int n;
	struct pki_serial v[];
};

struct ike_peer;
struct negotiation;

/*
 * A pair that the peer asked for and both ends agreed on, which waits for its additional key exchanges
 * (RFC 9370 2.2.4). Of each IKE SA there is one at most, see x_create.c.
 */
struct agreed_pair {
	struct negotiation *n; /* its own, as is n->further */
	struct followup *further;
	uint32_t spi_in; /* reserved for it; 0: it is the pair's by now */
	uint64_t until; /* forgotten then */
};

/*
 * A message that waits for the result of a job, or our request that cannot be made before; see
 * job.c, which makes and ends it. The message is kept decrypted, as the handler saw it.
 */
struct waiting {
	LIST_ENTRY(waiting) by_id;
	uint64_t id; /* of the job */
	uint64_t until; /* given up then */
	struct ike_sa *sa;
	job_done_fn done;
	void *state; /* what the exchange noted, in one piece; may be NULL */
	bool is_request; /* the peer's */
	bool has_message; /* what follows is valid */
	struct ike_header h;
	struct ike_datagram d; /* without its octets */
	struct ikesa_kept kept;
	struct ike_datagram early; /* a request that came meanwhile; with ->data of its own, if any */
};

LIST_HEAD(waiting_list, waiting);

/* What NAT detection says of a path, see natd.c. */
struct natd {
	bool local, remote; /* who is behind a NAT */
	bool claims, peer_claims; /* an end says so to have ESP in UDP, NAT or not */
	bool peer_knows; /* NAT traversal */
};

struct ike_sa {
	TAILQ_ENTRY(ike_sa) of_peer;
	LIST_ENTRY(ike_sa) by_spi, by_digest;
	TAILQ_ENTRY(ike_sa) half_open;
	LIST_ENTRY(ike_sa) by_source;
	LIST_ENTRY(ike_sa) dead;
	struct timer timer;

	struct ike_peer *peer; /* responder: NULL until authenticated */
	enum ikesa_state state;
	/*
	 * We began the exchange that made this IKE SA, IKE_SA_INIT or the rekeying of another one: then
	 * the flag of the header, SPIi and SK_*i are ours (RFC 7296 2.2, 2.8, 3.1).
	 */
	bool initiator;
	/*
	 * We sent the IKE_SA_INIT request of the first of the IKE SAs that were rekeyed one after the
	 * other up to this: the "initiator" of RFC 4555, whoever rekeyed since.
	 */
	bool began;
	bool counted_half_open;
	uint8_t admit_kind; /* enum admit_kind, while half-open; and its peer's address, hashed */
	uint64_t source;
	uint8_t spi_i[IKE_SPI_LEN], spi_r[IKE_SPI_LEN];
	struct ike_endpoint local, remote;
	struct mobike mobike;
	struct natd natd;
	/*
	 * Something of the peer's came from another address than the one that got our IKE_SA_INIT: without
	 * MOBIKE nothing shows that the peer holds it, so there is no transport mode for it.
	 */
	bool strayed;
	struct ike_id local_id, remote_id; /* remote: proven once established */
	struct ike_id *
		first_id; /* that the peer proved in the first one of two rounds; NULL: it had one */
	struct ike_auth_conf local_auth, remote_auth; /* once it is established: what both were */
	struct ike_proposal proposal;
	struct ike_keys keys;
	bool have_keys;
	enum ike_ppk ppk; /* once it is established */
	struct ikesa_setup *setup;
	bool has_digest; /* it answered an IKE_SA_INIT request, and this is of that: */
	uint8_t digest[IKESA_DIGEST_LEN];
	uint8_t low_nonce
		[IKE_OUR_NONCE]; /* the lower of both, first octets (2.8.1); successors inherit it */
	uint64_t created_at; /* when we sent its IKE_SA_INIT request, or got it; successors inherit it */
	uint64_t established_at;
	uint64_t first_established_at; /* the first IKE SA of its line; successors inherit it */
	uint64_t last_rx; /* last fresh authenticated message */
	uint64_t proven_at; /* when our request left that was answered last: the peer had the SA since */
	uint64_t last_hint;
	bool confirmed; /* the peer proved that it knows the SA is established … */
	bool acked; /* … and that it knows that we know, so that it sends on it */
	bool fragments; /* both ends take fragments (RFC 7383) */
	bool small_packets; /* longer ones may not get through, so messages are split for 576 bytes */

	/* Our requests: a window of one. */
	struct exchange *out; /* its request waits for the response */
	struct exchanges queue; /* these wait for the window */
	struct {
		uint32_t next; /* message ID of the next request */
		struct ikesa_message msg; /* of ->out */
		unsigned int sends;
		struct frags *frags; /* of the response, while some are missing */
		struct waiting *wait; /* the request, or its response, waits for a job */
		uint64_t at; /* next copy, or giving up */
		uint64_t began; /* when the first copy left, whatever made the schedule begin anew */
	} tx;

	/* The peer's requests: a window of one. */
	struct {
		uint32_t next; /* message ID of the next request */
		struct ikesa_message answer; /* to the request before it; empty if there was none */
		uint8_t repeats; /* how often that answer left again */
		uint8_t request[IKESA_DIGEST_LEN]; /* digest of that request, or of its fragment 1 */
		struct frags *frags; /* of the next request, while some are missing … */
		uint64_t frags_until; /* … but no longer than this */
		struct waiting *wait; /* the next request is here, and waits for a job */
	} rx;

	uint64_t expire_at; /* half-open, closing and closed SAs */
	uint64_t liveness_at;
	uint64_t rekey_at;
	uint64_t reauth_at; /* of it and its successors; then a new IKE SA replaces it */
	uint64_t proof_until; /* when the peer's certificate ends, likewise; TIMER_NEVER: it showed none */
	uint64_t replace_by; /* after that: it, or its successor, ends then if no new IKE SA came */
	struct shown_path
		*shown; /* its own; certificates that the peer proved itself by; NULL: by none */
	bool rekey_due; /* we want to rekey it */
	unsigned int rekey_failures; /* one after the other */
	bool have_heir; /* see x_rekey.c; our SPI of it: */
	uint8_t heir_spi[IKE_SPI_LEN];
	struct agreed_pair *agreed; /* NULL: none */
	struct followup *followup; /* of one that is prepared: until these are over it has no keys */
	uint8_t old_spi[IKE_SPI_LEN]; /* of an heir: ours of the IKE SA that it is one of, … */
	bool old_is_ours; /* … which we began */
	uint64_t close_at; /* redundant or superseded: end it then */
	uint64_t close_marked; /* when that was decided */
	bool superseded; /* the peer disowned it: end it without a word */
	bool replaced; /* we set up its replacement: never the one to keep */
	bool doubted; /* as replaced, until the peer answers: an unprotected message says that it lost it */
	bool outdated; /* replaced, for the configuration has other terms: nothing new comes under it */

	TAILQ_HEAD(child_sas, child_sa) children;
};

LIST_HEAD(ikesa_list, ike_sa);

struct ikesa_table {
	struct ikesa_list *by_spi, *by_digest; /* buckets, a power of two */
	size_t buckets, n;
};

/*
 * The predicate that gates every child SA: both ends proved their identities, and the
 * IKE SA is not on its way out.
 */
static inline bool ikesa_authenticated(const struct ike_sa *sa)
{
	return sa->state == IKESA_ESTABLISHED && sa->have_keys && sa->peer &&
	       sa->established_at != TIMER_NEVER;
}

/* Is EAP over, so that what comes next is AUTH by its key? */
static inline bool ikesa_eap_is_proven(const struct ike_sa *sa)
{
	return sa->setup && sa->setup->eap && sa->setup->eap->proven;
}

static inline const uint8_t *ikesa_own_spi(const struct ike_sa *sa)
{
	return sa->initiator ? sa->spi_i : sa->spi_r;
}

/* 0 or -ENOMEM. */
int ikesa_table_init(struct ikesa_table *t);
void ikesa_table_free(struct ikesa_table *t);
void ikesa_table_add(struct ikesa_table *t, struct ike_sa *sa);
void ikesa_table_del(struct ikesa_table *t, struct ike_sa *sa);
/* By the SPI we chose. */
struct ike_sa *ikesa_find(const struct ikesa_table *t, const uint8_t own_spi[IKE_SPI_LEN],
			  bool we_initiated);
/* Responder SAs by the digest of the request that made them (RFC 7296 2.1). */
struct ike_sa *ikesa_find_digest(const struct ikesa_table *t,
				 const uint8_t digest[IKESA_DIGEST_LEN]);

/* An empty SA without SPIs; NULL without memory. */
struct ike_sa *ikesa_new(bool initiator, uint64_t now);
/* Wipes and frees; the SA must be in no list and have no timer. */
void ikesa_free(struct ike_sa *sa);
/* The secrets of the handshake are no longer needed. */
void ikesa_setup_free(struct ike_sa *sa);

/* A copy of @len octets replaces @b; 0 or -ENOMEM (then @b is empty). */
int ikesa_bytes_set(struct ikesa_bytes *b, const void *data, size_t len);
void ikesa_bytes_free(struct ikesa_bytes *b);
/* A copy of the message @in, whose payloads are within the @len octets at @plain; 0 or -ENOMEM. */
int ikesa_keep(struct ikesa_kept *k, const uint8_t *plain, size_t len,
	       const struct ike_payloads *in);
void ikesa_kept_free(struct ikesa_kept *k);
/* The peer proved @id in its first round; 0 or -ENOMEM. */
int ikesa_set_first_id(struct ike_sa *sa, const struct ike_id *id);
/* EAP begins; NULL without memory. */
struct ikesa_eap *ikesa_eap_new(struct ike_sa *sa);
void ikesa_eap_free(struct ike_sa *sa);
/* The same for a message of one datagram. */
int ikesa_message_set(struct ikesa_message *m, const void *data, size_t len);
void ikesa_message_free(struct ikesa_message *m);
/* Fragments of the peer's request are no longer needed. */
void ikesa_frags_free(struct ike_sa *sa);

/* Our request is answered or abandoned: the window is open again. The exchange is the caller's. */
struct exchange *ikesa_take_out(struct ike_sa *sa);
/* When the next copy goes out after @sends of them, or the peer is given up. */
uint64_t ikesa_retransmit_delay(unsigned int sends);

/* The earliest thing the SA waits for. */
uint64_t ikesa_deadline(const struct ike_sa *sa);

#endif
