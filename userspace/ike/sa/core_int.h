/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the parts of the core share: core.c (events), exchange.c (messages in and out,
 * the dispatch table), tunnel.c (what a tunnel wants), lookup.c (finding tunnels), child.c
 * (pairs of ESP SAs), admit.c (who may start an IKE SA), x_*.c (the exchanges). Private to sa/.
 */
#ifndef ESPTUN_IKE_CORE_INT_H
#define ESPTUN_IKE_CORE_INT_H

#include "ike/proto/msg.h"
#include "ike/proto/names.h"
#include "ike/sa/ikesa.h"
#include "ike/sa/proposal.h"
#include "ike/sa/sk.h"
#include "ike/sa/ts.h"

enum core_limits {
	CORE_MSG_MAX = 8192, /* what we send */
	CORE_TEXT_MAX = 1024, /* one log line */
	CORE_MAX_TUNNELS = 16384,
	CORE_BUCKETS = 4096, /* of each table of tunnels */
	TUNNEL_MAX_ADOPTED = 16, /* pairs of a former agent */
	TUNNEL_RETRY_MS = 1000, /* first wait after a failed attempt; doubles … */
	TUNNEL_RETRY_CAP_MS = 60000, /* … up to this; each with a quarter of jitter either way */
	TUNNEL_ADOPTED_MS = 5000, /* adopted pairs outlive their replacement by this */
	TUNNEL_HINT_MS = 1000, /* a stranger's failures reach a tunnel's error at most so often */
	TUNNEL_REFUSED_MS =
		30000, /* the child alone was refused: first wait before a new attempt */
	TUNNEL_CONTESTED_MS =
		300000, /* two peers with one identity: the second is refused for this */
	TUNNEL_AT_ONCE_MS = 5000, /* a lost pair is replaced without any wait at most so often */
	CORE_INIT_MAX = 8192, /* an IKE_SA_INIT message: half-open IKE SAs keep it */
	ADMIT_COOKIE_TOTAL = 30, /* half-open IKE SAs from which on cookies are asked for */
	ADMIT_COOKIE_PER_SOURCE = 3,
	ADMIT_PLACES = 2048, /* half-open IKE SAs … */
	ADMIT_PLACES_UNKNOWN = 1536, /* … of these for unknown peers … */
	ADMIT_PLACES_PER_SOURCE = 16, /* … and for each address, or /64 of IPv6 */
	ADMIT_YIELD_MS = 2000, /* age at which a source's oldest gives its place to the next */
	ADMIT_SOURCES = 512, /* buckets */
	ADMIT_WORK_HALF_MS = 1024, /* the meter of work halves in this */
	ADMIT_WORK_COOKIE = 150000, /* microseconds on it: a tenth of a processor … */
	ADMIT_WORK_MAX = 750000, /* … and half of one */
	ADMIT_WORK_REQUEST = 20, /* to parse and judge one IKE_SA_INIT request … */
	ADMIT_WORK_POLICY = 2, /* … by each further policy … */
	ADMIT_WORK_AUTH = 200, /* … to find that IKE_AUTH proves nothing … */
	ADMIT_WORK_KEY = 5, /* … and to try a key in vain */
	ADMIT_SECRET_MS = 60000, /* life of a cookie secret; the one before is still taken */
	ADMIT_COOKIE_LEN = 33, /* version of the secret | HMAC-SHA2-256 */
	ADMIT_REPLY_BURST = 50, /* unprotected error answers … */
	ADMIT_REPLY_MS = 20, /* … and one more every so often */
};

struct adopted_pair {
	uint32_t spi_in, spi_out;
};

/* Peers whose source address says something, and all others. */
enum admit_kind { ADMIT_UNKNOWN, ADMIT_KNOWN, ADMIT_KINDS };

TAILQ_HEAD(ike_sas, ike_sa);

/* Tunnels that take a request from anywhere, and those with a remote address. */
enum group_list { GROUP_ANYWHERE, GROUP_REMOTE, GROUP_LISTS };

/* What is noted about a tunnel while an event is handled, see event.c; bits. */
enum tunnel_event {
	EVENT_CHANGED = 0, /* nothing in particular: look at it again */
	EVENT_ATTEMPT_FAILED = 1, /* an attempt of ours, before the IKE SA was established */
	EVENT_CHILD_UP = 2, /* a pair was installed */
	EVENT_CHILD_REFUSED = 4, /* we refused the child SA that the peer asked for */
	EVENT_CHILD_UNUSABLE = 8, /* the peer's answer about our child SA cannot be used */
	EVENT_PEER_REFUSED = 16, /* the peer refused our child SA … */
	EVENT_PEER_BUSY = 32, /* … or did so for now only (TEMPORARY_FAILURE) */
	EVENT_PAIR_ASKED = 64, /* the peer asks for a pair that the tunnel lacks */
};

TAILQ_HEAD(ike_tunnels, ike_tunnel);
LIST_HEAD(ike_tunnel_list, ike_tunnel);

/* Tunnels whose policy for IKE_SA_INIT is the same, see lookup.c. */
struct ike_group {
	TAILQ_ENTRY(ike_group) link;
	struct ike_proposals ike;
	struct ike_addr local; /* family 0: any */
	unsigned int members;
	struct ike_tunnels tunnels[GROUP_LISTS]; /* enabled ones */
	uint64_t judged; /* the last request it was asked about */
};

struct ike_tunnel {
	TAILQ_ENTRY(ike_tunnel) link;
	LIST_ENTRY(ike_tunnel) by_name;
	TAILQ_ENTRY(ike_tunnel) by_remote, by_id, of_group;
	TAILQ_ENTRY(ike_tunnel) dirty; /* if is_dirty */
	bool is_dirty;
	unsigned int events; /* enum tunnel_event, since it was settled last */
	struct ike_group *group;
	struct ike_tunnels *remote_bucket;
	enum group_list listed; /* where in its group; GROUP_LISTS: not enabled */
	struct timer timer;
	struct ike_tunnel_conf conf;
	struct ike_endpoint remote; /* where to initiate to */
	struct ike_sas sas; /* oldest first */
	struct ike_sas closed; /* those that only repeat their last answer */
	enum ike_tunnel_state state; /* as last told to env */
	bool enabled;
	int fit; /* scratch: how well it fits the peer at hand, 0: not at all */
	bool wanted; /* traffic, a command or a loss of ours asks for a pair; until an attempt ends */
	bool paired; /* there was a pair of SAs when it was settled last */
	bool refused; /* an IKE SA came up, but one end did not take the child SA */
	uint64_t next_try; /* TIMER_NEVER: no attempt planned */
	uint64_t next_at_once; /* a lost pair is not replaced without a wait before this */
	unsigned int failures; /* attempts since the tunnel last worked */
	struct adopted_pair adopted[TUNNEL_MAX_ADOPTED];
	unsigned int n_adopted;
	struct ike_endpoint adopted_remote;
	uint64_t adopted_end; /* TIMER_NEVER: not replaced yet */
	uint64_t contested_until; /* the peer's identity was seen at two places */
	uint64_t next_hint; /* not before, see report_hint() */
	uint64_t last_error_at;
	char last_error[CORE_TEXT_MAX];
};

struct ike_core {
	struct ike_env env;
	uint64_t now; /* of the event at hand */
	struct ike_tunnels tunnels;
	struct ike_tunnel_list by_name[CORE_BUCKETS];
	struct ike_tunnels by_remote[CORE_BUCKETS], by_id[CORE_BUCKETS];
	TAILQ_HEAD(, ike_group) groups; /* in the order of their first tunnels */
	uint64_t judging; /* counts requests, see ike_group.judged */
	unsigned int n_tunnels;
	unsigned int n_enabled, n_of_tunnels; /* tunnels; IKE SAs in their lists */
	struct ikesa_table sas;
	LIST_HEAD(, ike_sa) dead; /* freed when the event is over */
	struct ike_tunnels dirty; /* settled when the event is over */
	struct timers sa_timers, tunnel_timers;
	const struct ike_sa *answering; /* has a request at hand, not answered yet */
	struct ike_core_stats stats;
	uint8_t digest_key[32];
	struct {
		uint8_t secret[2][32]; /* current, former */
		uint8_t version; /* of the current one */
		bool have, have_former;
		uint64_t made_at;
		uint64_t reply_spent[ADMIT_KINDS]; /* leaky buckets of unprotected answers */
		uint64_t work,
			work_at; /* meter: microseconds spent on the unauthenticated, and when */
		struct ike_sas half_open[ADMIT_KINDS]; /* responder's, oldest first */
		unsigned int n_half_open[ADMIT_KINDS];
		LIST_HEAD(, ike_sa) by_source[ADMIT_SOURCES]; /* the same, see ike_sa.source */
		uint64_t proven[IKESA_MAX]; /* sources of authenticated peers, each where its bits say */
	} admit;
	uint8_t plain[IKE_MAX_MSG]; /* decrypted message at hand */
};

/* ---- exchange.c ---------------------------------------------------------- */

/* One message at hand, as the handlers see it. */
struct x_msg {
	const struct ike_header *h;
	const struct ike_datagram *d;
	const struct ike_payloads *in; /* decrypted */
	struct ike_builder *reply; /* the answer's payloads, for requests */
};

enum x_verdict {
	X_DONE, /* request: answer it */
	X_CLOSE, /* request: answer it, and the IKE SA is over */
};

void report_line(struct ike_core *core, enum ike_log_level level, const struct ike_tunnel *t,
		 const struct ike_sa *sa, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/* Send without any state, from where @d came to back there. */
void send_answer(struct ike_core *core, const struct ike_datagram *d, const struct ike_tunnel *t,
		 const uint8_t *msg, size_t len);
/* An unprotected error answer to @h (RFC 7296 1.5, 2.21.4); limited in rate. */
void send_error(struct ike_core *core, const struct ike_datagram *d, const struct ike_header *h,
		uint16_t notify, const void *data, size_t len);
/* The same, without limit: for what goes right with the next request, and is shorter than this one. */
void send_notify(struct ike_core *core, const struct ike_datagram *d, const struct ike_header *h,
		 uint16_t notify, const void *data, size_t len);

/* A digest of @d's message that only this core can compute. */
void digest_datagram(struct ike_core *core, const struct ike_datagram *d,
		     uint8_t out[IKESA_DIGEST_LEN]);

/* Start the payloads of a protected message in @buf; *@first gets the first type. */
void request_begin(struct ike_builder *b, void *buf, size_t cap, uint8_t *first);
/*
 * Seal the payloads as our next request and send it; the window must be open. False if that
 * failed (no memory, message too long): the caller ends the SA.
 */
bool request_send(struct ike_core *core, struct ike_sa *sa, uint8_t exchange, enum ikesa_ask ask,
		  struct ike_builder *b, uint8_t first);
/* The same for a ready message (IKE_SA_INIT); a second call replaces the first's message. */
bool request_send_raw(struct ike_core *core, struct ike_sa *sa, enum ikesa_ask ask,
		      const uint8_t *msg, size_t len);
/* Retransmit or give up, as due. */
void request_timer(struct ike_core *core, struct ike_sa *sa);
/* Send a copy of the request that waits for its answer now, and begin its schedule anew. */
void request_again(struct ike_core *core, struct ike_sa *sa);
/* Send the next request that waits for the window. */
void request_next(struct ike_core *core, struct ike_sa *sa);

/* A message with an SPI of ours, or none we know. */
void dispatch_datagram(struct ike_core *core, const struct ike_datagram *d,
		       const struct ike_header *h);

/* ---- core.c -------------------------------------------------------------- */

/* A new SA in table and timers, with an SPI of ours; NULL without memory or room. */
struct ike_sa *sa_new(struct ike_core *core, bool initiator, const struct ike_endpoint *local,
		      const struct ike_endpoint *remote, const uint8_t *digest);
/* After any change of the SA's deadlines. */
void sa_touch(struct ike_core *core, struct ike_sa *sa);
/* The SA is one of its tunnel's now. */
void sa_join(struct ike_core *core, struct ike_sa *sa);
/* No longer half-open (responder). */
void sa_not_half_open(struct ike_core *core, struct ike_sa *sa);
/* Drop a half-open SA, or a closed one, without a word. */
void sa_drop(struct ike_core *core, struct ike_sa *sa);
/*
 * The SA is over: its child SAs leave the kernel. With @linger it still repeats its last
 * answer for a while. The tunnel is told (tunnel_lost).
 */
void sa_end(struct ike_core *core, struct ike_sa *sa, bool linger);
/*
 * End it with a DELETE if the peer knows it. We no longer send on its child SAs, but hear
 * the peer on them until it answers, @patience ms at most.
 */
void request_close(struct ike_core *core, struct ike_sa *sa, uint64_t patience);
/* Both ends are authenticated: the IKE SA is up. The tunnel and remote_id are set. */
void establish(struct ike_core *core, struct ike_sa *sa);
/* A fresh authenticated message came: note its time, source and what it proves. */
void note_heard(struct ike_core *core, struct ike_sa *sa, const struct ike_datagram *d);

/* ---- lookup.c ------------------------------------------------------------ */

void lookup_init(struct ike_core *core);
struct ike_tunnel *lookup_name(const struct ike_core *core, const char *name);
/* Enter the tunnel; 0 or -ENOMEM. */
int lookup_add(struct ike_core *core, struct ike_tunnel *t);
/* After any change of ->enabled or ->remote. */
void lookup_update(struct ike_core *core, struct ike_tunnel *t);
void lookup_remove(struct ike_core *core, struct ike_tunnel *t);
/* The first enabled tunnel whose peer is configured to be at @from; NULL if there is none. */
struct ike_tunnel *lookup_remote(struct ike_core *core, const struct ike_addr *from);

struct lookup_offer {
	const struct ike_datagram *d;
	struct ike_offer offer;
	uint16_t ke_group;
	unsigned int judged; /* policies that were compared with the offer, counted here */
};

/*
 * What the policy that fits best has in common with the offer: that of tunnels whose peer is at
 * this address, then of those that do not know where theirs is, then of all. False: nothing;
 * *@best is then a tunnel that the peer might have meant, or NULL.
 */
bool lookup_policy(struct ike_core *core, struct lookup_offer *o, struct ike_proposal *chosen,
		   struct ike_tunnel **best);
/*
 * The tunnels that could have a peer with @id, one after the other: those with this RemoteID=
 * (and a few others), then those without one. @after NULL begins; NULL ends.
 */
struct ike_tunnel *lookup_id(struct ike_core *core, const struct ike_id *id,
			     const struct ike_tunnel *after);

/* ---- event.c ------------------------------------------------------------- */

/*
 * Something of the tunnel or its IKE SAs changed: @events of enum tunnel_event. When the event
 * at hand is over, the tunnel is settled. Without a tunnel (an IKE SA whose peer proved nothing)
 * there is nothing to do.
 */
void event_note(struct ike_core *core, struct ike_tunnel *t, unsigned int events);
/* What was noted; the tunnel then counts as unchanged. */
unsigned int event_take(struct ike_core *core, struct ike_tunnel *t);

/* ---- tunnel.c ------------------------------------------------------------ */

/* The tunnel may be used, or no longer. */
void tunnel_enable(struct ike_core *core, struct ike_tunnel *t, bool enabled);
/* Remember and log why it does not work: one sentence with the remedy. */
void report_error(struct ike_core *core, struct ike_tunnel *t, const struct ike_sa *sa,
		  const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/*
 * The same about @from, who proved nothing; @t (or NULL) is the tunnel it probably means.
 * It becomes the tunnel's error only if it answers a request of ours, or if @t is not up and
 * expects its peer at that address or anywhere; else it is a line of the common log.
 */
void report_hint(struct ike_core *core, struct ike_tunnel *t, const struct ike_sa *sa,
		 const struct ike_endpoint *from, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
void tunnel_timer(struct ike_core *core, struct ike_tunnel *t);
/*
 * Settle all tunnels that something was noted about, until none is left: what is redundant is
 * retired, the next attempt planned, and env told if the state is another one.
 */
void tunnel_settle_all(struct ike_core *core);
/*
 * The pair of SAs is gone or about to be, and the tunnel needs another, whatever its start
 * mode. Nothing happens while it has a pair that stays. The caller makes the tunnel dirty.
 */
void tunnel_want_pair(struct ike_tunnel *t);
/* Where an attempt begins; family 0 if that is not known. */
struct ike_endpoint query_remote(const struct ike_tunnel *t);
/* There is a way to the peer again, or another one: what waited for time to pass goes on now. */
void tunnel_path_opened(struct ike_core *core, struct ike_tunnel *t, const struct ike_addr *local);
/* Ask the peer of @sa for a sign of life, unless a request of ours is out. */
void request_probe(struct ike_core *core, struct ike_sa *sa);
/* The best IKE SA to show and to use. */
struct ike_sa *query_primary(const struct ike_tunnel *t);
/* Does anything carry our traffic now? */
bool query_has_outbound(const struct ike_tunnel *t);
/* Has it a pair of SAs, be it one that waits for its replacement? */
bool query_has_pair(const struct ike_tunnel *t);
/* Has it an established IKE SA? */
bool query_is_established(const struct ike_tunnel *t);
/*
 * The IKE SA of the one peer a tunnel has, if that is not @id at @from: it shows another
 * identity, or the same one was found in use at two places. NULL: the tunnel is free for it.
 */
struct ike_sa *query_holder(const struct ike_core *core, const struct ike_tunnel *t,
			    const struct ike_id *id, const struct ike_endpoint *from);
/*
 * The peer answered on @sa, which another had disowned by INITIAL_CONTACT: two peers show one
 * identity. The one that came first stays.
 */
void x_contact_contested(struct ike_core *core, struct ike_sa *sa);
/* Is an attempt of ours under way? */
bool query_is_attempting(const struct ike_tunnel *t);
/* close_at of @sa is due. */
void tunnel_retire(struct ike_core *core, struct ike_sa *sa);
/* The peer's INITIAL_CONTACT on @sa: all its SAs older than that are gone at its end (2.4). */
void x_contact_initial(struct ike_core *core, struct ike_sa *sa);
void tunnel_adopted_remove(struct ike_core *core, struct ike_tunnel *t);
void tunnel_down(struct ike_core *core, struct ike_tunnel *t);
/* The identity we show on @sa. */
void query_local_id(const struct ike_tunnel *t, const struct ike_sa *sa, struct ike_id *id);

/* ---- child.c ------------------------------------------------------------- */

/*
 * Derive keys for the chosen suite and install the pair under @sa, inbound only if it
 * replaces a working one whose end the peer has not proven (responder). False: nothing is
 * left (spi_in is released too), the reason is the tunnel's last error.
 */
bool install_pair(struct ike_core *core, struct ike_sa *sa, uint32_t spi_in, uint32_t spi_out,
		  const struct ike_proposal *chosen, const struct ike_ts_list *local,
		  const struct ike_ts_list *remote, bool inbound_first);
/* Install the outbound halves that waited. */
void install_outbound(struct ike_core *core, struct ike_sa *sa);
/* Take the pair, or what the kernel has of it, out of the kernel, and forget it. */
void child_remove(struct ike_core *core, struct ike_sa *sa, struct child_sa *c);
/* Traffic no longer leaves on it; the peer's is still heard. */
void child_stop_sending(struct ike_core *core, struct ike_sa *sa, struct child_sa *c);
/* Reserve an inbound SPI for the tunnel of @sa; 0 if refused, with the tunnel's error set. */
uint32_t install_reserve_spi(struct ike_core *core, struct ike_sa *sa);
void child_spi_release(struct ike_core *core, struct ike_sa *sa, uint32_t spi);

/* ---- admit.c ------------------------------------------------------------- */

enum admit_verdict {
	ADMIT_YES,
	ADMIT_COOKIE, /* answer with a cookie */
	ADMIT_NO, /* drop it */
};

void admit_init(struct ike_core *core);
/* May this IKE_SA_INIT request be looked at further? @cookie: the one it brought. */
enum admit_verdict admit_check(struct ike_core *core, const struct ike_datagram *d,
			       const struct ike_header *h, const struct ike_payload *ni,
			       const struct ike_notify *cookie);
/* The cookie for it; stateless. False if libcrypto failed. */
bool admit_cookie(struct ike_core *core, const struct ike_datagram *d, const struct ike_header *h,
		  const struct ike_payload *ni, uint8_t out[ADMIT_COOKIE_LEN]);
/* @us microseconds are being spent on a peer that proved nothing. */
void admit_work(struct ike_core *core, unsigned int us);
/*
 * Is there a place for a half-open IKE SA with the peer at @from? False with *@oldest: yes, if
 * that one is dropped; then ask again. False with NULL: no.
 */
bool admit_has_room(struct ike_core *core, const struct ike_addr *from, struct ike_sa **oldest);
/* @sa takes that place, and gives it back. */
void admit_enter(struct ike_core *core, struct ike_sa *sa);
void admit_leave(struct ike_core *core, struct ike_sa *sa);
/* A peer proved its identity from @from. */
void admit_proven(struct ike_core *core, const struct ike_addr *from);
/* Is a tunnel configured for a peer at @from, or did one prove itself from there? */
enum admit_kind admit_kind(struct ike_core *core, const struct ike_addr *from);
/*
 * A number for the address, or for the /64 of IPv6, which one host may use as it likes; keyed, so
 * that nobody can choose addresses that share a bucket. Never 0.
 */
uint64_t digest_source(const struct ike_core *core, const struct ike_addr *a);
/* May another unprotected error answer leave for @to? Takes one from the allowance if so. */
bool admit_reply(struct ike_core *core, const struct ike_addr *to);
/* Is anything of it left? The log is spared by the same allowance. */
bool admit_reply_left(struct ike_core *core, const struct ike_addr *to);

/* ---- x_init.c, x_auth.c, x_child.c, x_info.c ----------------------------- */

/* About a peer whose IKE_SA_INIT message had no NAT_DETECTION_SOURCE_IP (2.23). */
#define X_NO_NATT                                                                                \
	"peer does not know NAT traversal, so it would send ESP without UDP, which esptun does " \
	"not receive: turn on NAT-T (UDP encapsulation) at its side"
/* Begin a new IKE SA to the tunnel's remote end. */
void x_init_start(struct ike_core *core, struct ike_tunnel *t);
void x_init_request(struct ike_core *core, const struct ike_datagram *d,
		    const struct ike_header *h);
void x_init_response(struct ike_core *core, struct ike_sa *sa, const struct ike_datagram *d,
		     const struct ike_header *h);
void x_auth_start(struct ike_core *core, struct ike_sa *sa);
enum x_verdict x_auth_request(struct ike_core *core, struct ike_sa *sa, struct x_msg *m);
enum x_verdict x_auth_response(struct ike_core *core, struct ike_sa *sa, struct x_msg *m);
enum x_verdict x_child_request(struct ike_core *core, struct ike_sa *sa, struct x_msg *m);
enum x_verdict x_info_request(struct ike_core *core, struct ike_sa *sa, struct x_msg *m);
enum x_verdict x_info_response(struct ike_core *core, struct ike_sa *sa, struct x_msg *m);
/* The peer was silent for conf.liveness: ask, or plan when to. */
void liveness_check(struct ike_core *core, struct ike_sa *sa);
/* An unprotected message hints at trouble with @sa (2.21.4): check, rarely. */
void liveness_hint(struct ike_core *core, struct ike_sa *sa, const char *what);

#endif
