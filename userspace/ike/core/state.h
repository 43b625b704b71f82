/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The state of the core: tunnels, the tables that find them, limits. Private to sa/. The functions
 * on it are in one header for each layer, and a file includes the one of its own layer:
 *
 *	layer_ikesa.h < layer_child.h < layer_exchange.h < layer_peer.h < layer_core.h
 */
#ifndef ESPTUN_IKE_STATE_H
#define ESPTUN_IKE_STATE_H

#include "ike/auth/sigalg.h"
#include "ike/pki/pki.h"
#include "ike/proto/msg.h"
#include "ike/proto/names.h"
#include "ike/core/followup.h"
#include "ike/core/ikesa.h"
#include "ike/child/proposal.h"
#include "ike/child/proposal_share.h"
#include "ike/core/sk.h"
#include "ike/child/ts.h"

enum core_limits {
	CORE_MSG_MAX = 16384, /* what we send */
	CORE_TEXT_MAX = 1024, /* one log line */
	CORE_MAX_TUNNELS = 16384,
	CORE_AUTHORITIES = 16, /* CAs that an IKE_SA_INIT response names at most */
	CORE_BUCKETS = 4096, /* of each table of tunnels */
	CORE_JOB_BUCKETS = 64,
	CORE_MAX_JOBS_UNKNOWN = IKE_JOBS / 4 * 3, /* under way at a time for unknown peers */
	TUNNEL_MAX_OURS = 65, /* addresses of this machine, with the one in use */
	PEER_RETRY_MS = 1000, /* first wait after a failed attempt; doubles … */
	PEER_RETRY_CAP_MS = 60000, /* … up to this; each with a quarter of jitter either way */
	PEER_REJECTED_MS = 300000, /* wait after a password that the peer rejects; doubles … */
	PEER_REJECTED_CAP_MS = 3600000, /* … up to this */
	PEER_ADOPTED_MS = 5000, /* adopted pairs outlive their replacement by this */
	CLIENT_ADOPTED_MS = 60000, /* an adopted client is given up after such a silence */
	CLAIM_LOOKS = 4096, /* claims of others to a selector's addresses, but other ports */
	PEER_HINT_MS = 1000, /* a stranger's failures reach a tunnel's error at most so often */
	PEER_REFUSED_MS = 30000, /* the child alone was refused: first wait before a new attempt */
	PEER_CONTESTED_MS =
		300000, /* two peers with one identity: the second is refused for this */
	PEER_AT_ONCE_MS = 5000, /* a lost pair is replaced without any wait at most so often */
	CORE_INIT_MAX = 8192, /* an IKE_SA_INIT message: half-open IKE SAs keep it */
	ADMIT_COOKIE_TOTAL = 30, /* half-open IKE SAs from which on cookies are asked for */
	ADMIT_COOKIE_PER_SOURCE = 3,
	ADMIT_PLACES = 2048, /* half-open IKE SAs … */
	ADMIT_PLACES_UNKNOWN = 1536, /* … of these for unknown peers … */
	ADMIT_PLACES_PER_SOURCE = 16, /* … and for each address, or /64 of IPv6 */
	ADMIT_YIELD_MS =
		2000, /* silence after which a source's oldest gives its place to the next */
	ADMIT_SOURCES = 512, /* buckets */
	ADMIT_WORK_HALF_MS = 1024, /* the meter of work halves in this */
	ADMIT_WORK_COOKIE = 150000, /* microseconds on it: a tenth of a processor … */
	ADMIT_WORK_MAX = 750000, /* … and half of one */
	ADMIT_WORK_REQUEST = 20, /* to parse and judge one IKE_SA_INIT request … */
	ADMIT_WORK_POLICY = 2, /* … by each further policy … */
	ADMIT_WORK_AUTH = 200, /* … to find that IKE_AUTH proves nothing … */
	ADMIT_WORK_KEY = 5, /* … to try a key in vain … */
	ADMIT_WORK_FRAGMENT = 10, /* … and to open a fragment of IKE_AUTH */
	ADMIT_FRAGMENTS_LEN =
		16384, /* of an IKE_AUTH request, or of its fragments together; the rest is not looked at */
	ADMIT_SECRET_MS = 60000, /* life of a cookie secret; the one before is still taken */
	ADMIT_COOKIE_LEN = 33, /* version of the secret | HMAC-SHA2-256 */
	GUESS_BUCKETS = 256, /* of the table of wrong passwords … */
	GUESS_WAYS = 4, /* … with so many rows each */
	GUESS_MS = 60000, /* one more is looked at after this */
	ADMIT_REPLY_BURST = 500, /* unprotected error answers, no longer than the requests … */
	ADMIT_REPLY_MS = 2, /* … and one more every so often */
};

/* Wrong passwords of one kind, see guess.c. */
struct guess {
	uint64_t key; /* 0: there are none */
	uint64_t spent; /* a leaky bucket: when all of them would have been, one in GUESS_MS */
};

struct adopted_pair {
	uint32_t spi_in, spi_out;
};

/* Peers whose source address says something, and all others. */
enum admit_kind { ADMIT_UNKNOWN, ADMIT_KNOWN, ADMIT_KINDS };

TAILQ_HEAD(ike_sas, ike_sa);

/* Instead of a configured child SA: whichever. */
#define CHILD_ANY UINT_MAX

/* Tunnels that take a request from anywhere, and those with a remote address. */
enum group_list { GROUP_ANYWHERE, GROUP_REMOTE, GROUP_LISTS };

/* What is noted about a peer while an event is handled, see event.c; bits. */
enum peer_event {
	EVENT_CHANGED = 0, /* nothing in particular: look at it again */
	EVENT_ATTEMPT_FAILED = 1, /* an attempt of ours, before the IKE SA was established */
};

/* What is noted about one of its configured child SAs; bits. */
enum child_event {
	EVENT_CHILD_UP = 1, /* a pair was installed */
	EVENT_CHILD_REFUSED = 2, /* we refused the pair that the peer asked for */
	EVENT_CHILD_UNUSABLE = 4, /* the peer's answer about our pair cannot be used */
	EVENT_PEER_REFUSED = 8, /* the peer refused our pair … */
	EVENT_PEER_BUSY = 16, /* … or did so for now only (TEMPORARY_FAILURE) */
};

/* What is wanted of a configured child SA. */
struct child_want {
	unsigned int events; /* enum child_event, since the peer was settled last */
	bool wanted; /* traffic, a command or a loss of ours asks for a pair; until an attempt ends */
	bool paired; /* there was a pair when it was settled last */
	bool refused; /* an IKE SA came up, but one end did not take the pair */
	uint64_t next_try; /* TIMER_NEVER: no attempt planned */
	uint64_t next_at_once; /* a lost pair is not replaced without a wait before this */
	unsigned int failures; /* attempts with an IKE SA but without a pair, since there was one */
};

TAILQ_HEAD(ike_peers, ike_peer);
TAILQ_HEAD(fetched_list, fetched_item); /* see fetched.c */
LIST_HEAD(ike_peer_list, ike_peer);

/* A child SA as it is configured. */
struct child_conf {
	char name[IKE_CHILD_NAME];
	enum ike_start start;
	enum ike_mode mode;
	uint16_t n_local, n_remote;
	const struct ike_ts *ts; /* local selectors, then remote ones: see tunnel_selectors() */
};

/*
 * What was given as struct ike_tunnel_conf, whose fields these are, without the room that it has for
 * more. It is one piece of memory, selectors and credentials included; the lists of proposals are shared with all
 * tunnels that have the same. tunnel.c makes it and gives it back.
 */
struct tunnel_conf {
	char name[16];
	struct ike_id local_id, remote_id;
	const struct ike_id *first_id; /* its own; NULL: the peer has one round */
	struct ike_auth_conf local_auth, remote_auth;
	uint32_t signatures;
	uint32_t eap_methods;
	enum ike_key_kind own_key; /* of those of creds; IKE_KEY_NONE: there is none */
	struct ike_creds creds; /* behind the selectors */
	struct pki_trust *trust; /* of the CAs and CRLs among them; NULL: there are no CAs */
	enum pki_revocation revocation;
	bool fetch;
	const struct ike_ppk_conf *ppk; /* its own; NULL: there is none */
	unsigned int clients;
	enum ike_unique unique;
	const struct ike_pool_conf *pool; /* its own; NULL: clients bring addresses of their own */
	bool asks_address;
	struct ike_endpoint local, remote;
	const struct ike_proposals *ike, *esp;
	uint32_t liveness;
	bool mobike;
	enum ike_encap encap;
	uint32_t reauth;
	uint32_t rekey_ike, rekey_child;
	uint64_t rekey_bytes, rekey_packets;
	unsigned int n_child;
	struct child_conf child[];
};

/* Tunnels whose policy for IKE_SA_INIT is the same, see lookup.c. */
struct ike_group {
	TAILQ_ENTRY(ike_group) link;
	const struct ike_proposals *ike; /* shared */
	struct ike_addr local; /* family 0: any */
	bool claims_nat; /* to have ESP in UDP */
	unsigned int members;
	struct ike_peers peers[GROUP_LISTS]; /* enabled ones */
	uint64_t judged; /* the last request it was asked about */
};

/* A remote selector of a client: a node of a tree, see claim.c. */
struct claim {
	struct ike_ts ts;
	struct ike_peer *owner;
	struct claim *left, *right; /* by first address */
	uint8_t reach[16]; /* the greatest last address in it and below */
	struct ike_peer *sole; /* of all those; NULL: of several */
	uint32_t priority; /* not below that of those below */
};

/* Those of one pair. */
struct claims {
	LIST_ENTRY(claims) link; /* of a former agent's pairs */
	unsigned int n;
	struct claim v[];
};

/* What the peers of a tunnel share. It goes with the last of them. */
struct ike_tunnel {
	const struct tunnel_conf *conf; /* its own */
	unsigned int members; /* peers that point here */
	struct ike_peer *first; /* the configured one; with clients, the one they come through */
	struct ike_peers clients; /* in the order they came */
	unsigned int n_clients;
	uint32_t last_id; /* number of the client that was made last */
	struct ike_addr *ours; /* its own: that we may be reached at */
	unsigned int n_ours;
	struct claim *claims[2]; /* of the clients, IPv4 and IPv6 */
	struct ike_rekeys rekeys; /* of all its peers */
};

/*
 * MOBIKE: the kernel follows the peer's ESP at once to wherever it comes from, which the peer is yet
 * to prove (RFC 4555 3.8). Whether it may is a thing of the peer, not of one IKE SA, see address.c.
 */
struct follow {
	struct ike_endpoint to; /* where it followed last, … */
	bool strayed; /* … and before that to another place, which was not proven either */
	bool held; /* the kernel is not to follow */
	uint64_t until; /* it is as it is until then; TIMER_NEVER: until a place is proven */
};

struct ike_peer {
	TAILQ_ENTRY(ike_peer) link; /* the first one of each tunnel */
	struct ike_tunnel *tunnel;
	bool is_client; /* made when it proved who it is, gone with the last that is its */
	struct ike_addr
		lease[2]; /* IPv4 and IPv6: a client's, or ours if it is our hub; family 0: none */
	struct ike_id proven; /* of a client; type 0: adopted, and not back yet */
	TAILQ_ENTRY(ike_peer) of_tunnel; /* clients */
	LIST_ENTRY(ike_peer) by_number, by_proven; /* clients; the latter if it is known */
	LIST_ENTRY(ike_peer) by_name;
	TAILQ_ENTRY(ike_peer) by_remote, by_id, of_group;
	TAILQ_ENTRY(ike_peer) dirty; /* if is_dirty */
	bool is_dirty;
	unsigned int events; /* enum peer_event, since it was settled last */
	struct ike_group *group;
	struct ike_peers *remote_bucket;
	enum group_list listed; /* where in its group; GROUP_LISTS: not enabled */
	struct timer timer;
	const struct tunnel_conf *conf; /* its tunnel's */
	uint32_t id; /* its number, the kernel's too */
	struct ike_endpoint remote; /* where to initiate to */
	struct ike_sas sas; /* oldest first */
	struct ike_sas closed; /* those that only repeat their last answer */
	struct child_sas lingering; /* see child_retire() */
	enum ike_tunnel_state state; /* as last told to env */
	bool enabled;
	bool childless; /* it wants IKE_AUTH without a child SA (RFC 6023) */
	/* Our password, as a user, was taken for wrong: */
	uint32_t rejected; /* in the last attempt: so many ms are to be waited; 0: it was not */
	unsigned int rejections; /* so often, since it was taken, or may be another one */
	uint64_t rejected_until; /* no attempt begins before this */
	int fit; /* scratch: how well it fits the peer at hand, 0: not at all */
	struct child_want *want; /* one for each child SA of conf */
	unsigned int failures; /* attempts without an IKE SA, since it last worked */
	struct adopted_pair *adopted; /* its own */
	unsigned int n_adopted;
	LIST_HEAD(, claims) adopted_claims; /* of a client, as long as any of those pairs is left */
	struct ike_endpoint adopted_remote;
	struct follow follow;
	uint64_t adopted_end; /* TIMER_NEVER: not replaced yet */
	uint64_t adopted_until; /* replaced or not; TIMER_NEVER only if there are none */
	uint64_t contested_until; /* the peer's identity was seen at two places */
	uint64_t next_hint; /* not before, see report_hint() */
	struct ike_rekeys rekeys;
	uint64_t last_error_at;
	char *last_error; /* its own; NULL: none */
	enum ike_fault fault; /* what it is about */
};

struct ike_core {
	struct ike_env env;
	uint64_t now; /* of the event at hand */
	struct ike_peers peers; /* the first one of each tunnel */
	struct ike_peer_list by_name[CORE_BUCKETS];
	struct ike_peer_list by_number[CORE_BUCKETS], by_proven[CORE_BUCKETS]; /* clients */
	struct ike_peers by_remote[CORE_BUCKETS], by_id[CORE_BUCKETS];
	TAILQ_HEAD(, ike_group) groups; /* in the order of their first tunnels */
	uint64_t judging; /* counts requests, see ike_group.judged */
	unsigned int n_peers;
	unsigned int n_enabled, n_of_peers; /* tunnels; IKE SAs in their lists */
	struct ikesa_table sas;
	LIST_HEAD(, ike_sa) dead; /* freed when the event is over */
	struct ike_peers dirty; /* settled when the event is over */
	struct timers sa_timers, peer_timers;
	const struct ike_sa *answering; /* has a request at hand, not answered yet */
	struct ike_sa
		*answering_heir; /* took over from it: what it has to ask comes after the answer */
	struct waiting_list waiting[CORE_JOB_BUCKETS]; /* by the job's number */
	unsigned int n_waiting;
	uint64_t last_job; /* number of the one begun last */
	uint64_t changes; /* of the tunnels: another number after each */
	struct authorities { /* what CERTREQ of a responder asks for, see authority.c */
		uint64_t of; /* changes when it was made, plus 1 */
		bool wants_status; /* some tunnel asks whether certificates were revoked */
		bool wanted; /* some tunnel has CAs … */
		unsigned int n; /* … which are so many; 0: too many to name */
		uint8_t hash[CORE_AUTHORITIES][PKI_HASH_LEN];
	} authorities;
	uint64_t ppks_of; /* changes when the next was found out, plus 1 */
	bool has_ppks; /* some tunnel has a PPK, see x_ppk.c */
	struct judged_chain { /* the peer's certificates that were judged last, see x_signature.c */
		const struct pki_trust *by; /* a tunnel's, of then; NULL: none were */
		enum pki_revocation revocation; /* likewise */
		bool fetch; /* likewise */
		uint64_t changes, at; /* of the tunnels; ms: when that was */
		uint8_t digest[32]; /* of certificates, OCSP responses and the identity */
		struct pki_result result;
	} chain;
	struct {
		struct fetched_list
			list; /* CRLs and OCSP responses, the one used last at the end, … */
		unsigned int n, n_held; /* … so many; and those of which something is held, … */
		size_t bytes,
			fresh_bytes; /* … of so many bytes; and those that are not verified yet */
	} fetched;
	struct ike_core_stats stats;
	struct guess guesses[GUESS_BUCKETS][GUESS_WAYS];
	uint8_t digest_key[32];
	struct {
		uint8_t secret[2][32]; /* current, former */
		uint8_t version; /* of the current one */
		bool have, have_former;
		uint64_t made_at;
		uint64_t reply_spent[ADMIT_KINDS]; /* leaky buckets of unprotected answers */
		uint64_t work,
			work_at; /* meter: microseconds spent on the unauthenticated, and when */
		struct ike_sas half_open
			[ADMIT_KINDS]; /* responder's, the one that was silent longest first */
		unsigned int n_half_open[ADMIT_KINDS];
		LIST_HEAD(, ike_sa) by_source[ADMIT_SOURCES]; /* the same, see ike_sa.source */
		uint64_t proven[IKESA_MAX]; /* sources of authenticated peers, each where its bits say */
	} admit;
	uint8_t plain[FRAGS_MAX_LEN]; /* decrypted message at hand … */
	size_t plain_len; /* … as far as it was written to */
};

/* One message at hand, as the handlers see it. */
struct x_msg {
	const struct ike_header *h;
	const struct ike_datagram *d;
	const struct ike_payloads *in; /* decrypted */
	struct ike_builder *reply; /* the answer's payloads, for requests */
	struct waiting *wait; /* it waited for a job, and this has it; else NULL */
};

#endif
