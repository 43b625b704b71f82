/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The lowest layer above the pure parts: IKE SAs, what tunnels there are, datagrams out, errors
 * and log lines. Nothing here decides what a tunnel should do; what happened is noted for
 * peer.c (event.c). A file calls functions of ikesa.c and of the files above it in
 * this list only.
 */
#ifndef ESPTUN_IKE_LAYER_IKESA_H
#define ESPTUN_IKE_LAYER_IKESA_H

#include "ike/core/state.h"

/* ---- event.c ----------------------------------------------------------------- */

/*
 * Something of the tunnel or its IKE SAs changed: @events of enum peer_event. When the event
 * at hand is over, the tunnel is settled. Without a tunnel (an IKE SA whose peer proved nothing)
 * there is nothing to do.
 */
void event_note(struct ike_core *core, struct ike_peer *p, unsigned int events);
/* The same about one of its configured child SAs, or with CHILD_ANY of all: enum child_event. */
void event_note_child(struct ike_core *core, struct ike_peer *p, unsigned int conf,
		      unsigned int events);
/* What was noted about the peer itself; it then counts as unchanged. */
unsigned int event_take(struct ike_core *core, struct ike_peer *p);

/* ---- report.c ---------------------------------------------------------------- */

/* A log line about @p and @sa; each may be NULL. */
void report_line(struct ike_core *core, enum ike_log_level level, const struct ike_peer *p,
		 const struct ike_sa *sa, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
/* Remember and log why it does not work: one sentence with the remedy. */
void report_error(struct ike_core *core, struct ike_peer *p, const struct ike_sa *sa,
		  const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* The same of a request that the peer did not answer. */
void report_silence(struct ike_core *core, struct ike_peer *p, const struct ike_sa *sa,
		    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* It works. */
void report_forget_error(struct ike_peer *p);

/*
 * The same about the peer at @from, which proved nothing; @p (or NULL) is the tunnel it probably means.
 * It becomes the tunnel's error only if it answers a request of ours, or if @p is not up and
 * expects its peer at that address or anywhere. Else it is a warning, if the peer has the key of a certificate that is
 * good but for revocation, or a line of the common log.
 */
void report_hint(struct ike_core *core, struct ike_peer *p, const struct ike_sa *sa,
		 const struct ike_endpoint *from, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/* ---- digest.c ---------------------------------------------------------------- */

/* A digest of @d's message that only this core can compute. */
void digest_datagram(struct ike_core *core, const struct ike_datagram *d,
		     uint8_t out[IKESA_DIGEST_LEN]);

/*
 * A number for the address, or for the /64 of IPv6, which one host may use as it likes; keyed, so
 * that no peer can choose addresses that share a bucket. Never 0.
 */
uint64_t digest_source(const struct ike_core *core, const struct ike_addr *a);
/* Of what wrong passwords are counted for, see guess.c; @id may be NULL. Never 0. */
uint64_t digest_guess(const struct ike_core *core, unsigned int kind, uint64_t source,
		      const struct ike_id *id);

/* ---- guess.c ----------------------------------------------------------------- */

/*
 * Were so many wrong passwords of late that one of the user @id, from where @sa, a half-open one, began, is not looked at? For so many @seconds;
 * then it says where they came from. NULL: they were not.
 */
const char *guess_bars(struct ike_core *core, const struct ike_sa *sa, const struct ike_id *id,
		       unsigned int *seconds);
/* One more was wrong. */
void guess_wrong(struct ike_core *core, const struct ike_sa *sa, const struct ike_id *id);
/* It was right: those before were slips. */
void guess_right(struct ike_core *core, const struct ike_sa *sa, const struct ike_id *id);

/* ---- query.c ----------------------------------------------------------------- */

/* Is @sa established, and does a pair of it, of configuration @conf or CHILD_ANY, carry our traffic? */
bool query_sa_has_outbound(const struct ike_sa *sa, unsigned int conf);
/* Is it established, and has it a pair, of configuration @conf or CHILD_ANY, that is to stay? */
bool query_sa_has_child(const struct ike_sa *sa, unsigned int conf);
/* Does it carry, or cannot carry since an end refused it, all that a pair of @other carries? */
bool query_sa_covers(const struct ike_sa *sa, const struct ike_sa *other);
/* Does anything carry our traffic now, or that of configuration @conf? */
bool query_has_outbound(const struct ike_peer *p, unsigned int conf);
/* Has it a pair of configuration @conf, be it one that waits for its replacement? */
bool query_has_pair(const struct ike_peer *p, unsigned int conf);
/* Has it such a pair, and is the IKE SA of that to stay? */
bool query_has_child(const struct ike_peer *p, unsigned int conf);
/* Has it an established IKE SA? */
bool query_is_established(const struct ike_peer *p);
/* Is an attempt of ours under way that brings a pair of @conf? CHILD_ANY: of any. */
bool query_is_attempting(const struct ike_peer *p, unsigned int conf);
/* Attempts since it last worked, or since the child SA that failed most often did. */
unsigned int query_failures(const struct ike_peer *p);
/* When the next one is planned; TIMER_NEVER: none is. */
uint64_t query_next_try(const struct ike_peer *p);
/* An IKE SA that is to stay, and under which a pair can be asked for; NULL if there is none. */
struct ike_sa *query_usable(const struct ike_peer *p);
/* One that is to stay, and that the peer is not known to count as established; or NULL. */
struct ike_sa *query_unproven(const struct ike_peer *p);
/*
 * Could we begin an IKE SA that takes the place of @sa? The one that began does, and who has the
 * peer's address in its configuration.
 */
bool query_can_replace(const struct ike_sa *sa);
/* Do we set up another one in its place? */
bool query_is_replaced(const struct ike_sa *sa);
/* Is a child SA of the peer bound to the addresses of the IKE SA: in transport mode? */
bool query_is_bound(const struct ike_peer *p);
/* The best IKE SA to show and to use. */
struct ike_sa *query_primary(const struct ike_peer *p);
/* The SA that stays of those with the peer of @sa. */
struct ike_sa *query_survivor(const struct ike_sa *sa);

/*
 * The IKE SA of the one peer a tunnel has, if that is not @id at @from: it shows another
 * identity, or the same one was found in use at two places. NULL: the tunnel is free for it.
 */
struct ike_sa *query_holder(const struct ike_core *core, const struct ike_peer *p,
			    const struct ike_id *id, const struct ike_endpoint *from);
/* Where an attempt begins; family 0 if that is not known. */
struct ike_endpoint query_remote(const struct ike_peer *p);
/* The identity that the peer has to show in its first IKE_AUTH message: that of its first round (RFC 4739). */
const struct ike_id *query_first_id(const struct tunnel_conf *c);
/* The identity we show on @sa. */
void query_local_id(const struct ike_peer *p, const struct ike_sa *sa, struct ike_id *id);

/* ---- lookup.c ---------------------------------------------------------------- */

/* Empty tables. */
void lookup_init(struct ike_core *core);
/* By name; NULL if there is none. */
struct ike_peer *lookup_name(const struct ike_core *core, const char *name);
/* The peer with this number of the tunnel; NULL if there is none. */
struct ike_peer *lookup_peer(const struct ike_core *core, const char *tunnel, uint32_t id);
/* The client of the tunnel with this proven identity; NULL if there is none. */
struct ike_peer *lookup_client(const struct ike_core *core, const struct ike_tunnel *t,
			       const struct ike_id *id);
/* Enter a client, or take it out of every table. */
void lookup_add_client(struct ike_core *core, struct ike_peer *p);
void lookup_remove_client(struct ike_peer *p);
/* The client is known by p->proven from now on. */
void lookup_name_client(struct ike_core *core, struct ike_peer *p);
/* Enter the tunnel; 0 or -ENOMEM. */
int lookup_add(struct ike_core *core, struct ike_peer *p);
/* After any change of ->enabled or ->remote. */
void lookup_update(struct ike_core *core, struct ike_peer *p);
/* It is found by @conf from now on, which becomes its own; 0, or -ENOMEM and nothing changes. */
int lookup_change(struct ike_core *core, struct ike_peer *p, const struct tunnel_conf *conf);
/* Take it out of every table; it counts as not enabled then. */
void lookup_remove(struct ike_core *core, struct ike_peer *p);
/* The first enabled tunnel whose peer is configured to be at @from; NULL if there is none. */
struct ike_peer *lookup_remote(struct ike_core *core, const struct ike_addr *from);

struct lookup_offer {
	const struct ike_datagram *d;
	struct ike_offer offer;
	uint16_t ke_group;
	unsigned int judged; /* policies that were compared with the offer, counted here */
	bool claims_nat; /* result: the answer is to claim a NAT */
};

/*
 * What the policy that fits best has in common with the offer: that of tunnels whose peer is at
 * this address, then of those that do not know where theirs is, then of all. False: nothing;
 * *@best is then a tunnel that the peer might have meant, or NULL.
 */
bool lookup_policy(struct ike_core *core, struct lookup_offer *o, struct ike_proposal *chosen,
		   struct ike_peer **best);

/*
 * The tunnels that could have a peer with @id, one after the other: those with this RemoteID=
 * (and a few others), then those without one. @after NULL begins; NULL ends.
 */
struct ike_peer *lookup_id(struct ike_core *core, const struct ike_id *id,
			   const struct ike_peer *after);

/* ---- authority.c ------------------------------------------------------------- */

/* Append CERTREQ payloads for the CAs of all tunnels, or of one; nothing if there are none. */
void authority_build_any(struct ike_core *core, struct ike_builder *b);
void authority_build(struct ike_builder *b, const struct tunnel_conf *c);
/* Does the peer ask for OCSP responses? */
bool authority_asks_status(const struct ike_payloads *in);
/*
 * May a raw public key be shown to the peer? If it asks for certificates alone it may refuse other encodings, as
 * OpenIKED does, which has the key anyway.
 */
bool authority_takes_raw_key(const struct ike_payloads *in);

/* ---- admit.c ----------------------------------------------------------------- */

enum admit_verdict {
	ADMIT_YES,
	ADMIT_COOKIE, /* answer with a cookie */
	ADMIT_NO, /* drop it */
};

/* All places for half-open IKE SAs are free. */
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
/* May a key be made for a peer of this kind now? */
bool admit_has_time(const struct ike_core *core, enum admit_kind kind);
/* The peer of @sa, where we are the responder, proved who it is: what is left of that work is not counted. */
void admit_pay_back(struct ike_core *core, const struct ike_sa *sa);

/*
 * Is there a place for a half-open IKE SA with the peer at @from? False with *@oldest: yes, if
 * that one is dropped; then ask again. False with NULL: no.
 */
bool admit_has_room(struct ike_core *core, const struct ike_addr *from, struct ike_sa **oldest);
/* The peer of @sa, which is half-open, went on: those that did not give their places before. */
void admit_progress(struct ike_core *core, struct ike_sa *sa);
/* @sa takes that place, and gives it back. */
void admit_enter(struct ike_core *core, struct ike_sa *sa);
void admit_leave(struct ike_core *core, struct ike_sa *sa);
/* A peer proved its identity from @from. */
void admit_proven(struct ike_core *core, const struct ike_addr *from);
/* Is a tunnel configured for a peer at @from, or did one prove itself from there? */
enum admit_kind admit_kind(struct ike_core *core, const struct ike_addr *from);
/* May another unprotected error answer leave for @to? Takes one from the allowance if so. */
bool admit_reply(struct ike_core *core, const struct ike_addr *to);
/* May another line about the peer of @sa, which proved nothing yet, go to the log? Likewise. */
bool admit_reply_to(struct ike_core *core, const struct ike_sa *sa);
/* Is anything of it left? The log is spared by the same allowance. */
bool admit_reply_left(struct ike_core *core, const struct ike_addr *to);

/* ---- claim.c ----------------------------------------------------------------- */

/*
 * The client @p has the @n remote selectors @ts of a pair from now on; false without memory. *@out is
 * to be given to claim_leave(), and NULL if @p is no client, for which there is nothing to do.
 */
bool claim_enter(struct ike_core *core, struct ike_peer *p, const struct ike_ts *ts, unsigned int n,
		 struct claims **out);
/* It has them no longer; NULL is fine. */
void claim_leave(struct claims *l);
/* The same for the pairs of a former agent: of one more of them, of all. */
void claim_adopt(struct ike_core *core, struct ike_peer *p, struct ike_ts_offer remote);
void claim_disown(struct ike_peer *p);
/*
 * Another client of the tunnel of @p whose pairs take traffic for one of the remote selectors @l, so
 * that @p must not have them; NULL if there is none.
 */
const struct ike_peer *claim_rival(const struct ike_peer *p, const struct ike_ts_list *l);

/* ---- adopted.c --------------------------------------------------------------- */

/* Take the pairs of a former agent out of the kernel. */
void adopted_remove(struct ike_core *core, struct ike_peer *p);
/* Take the one with this SPI out of it, if there is one. */
void adopted_remove_pair(struct ike_core *core, struct ike_peer *p, uint32_t spi, bool inbound);

/* ---- child.c ----------------------------------------------------------------- */

/* NULL without memory. The lists are copied. */
struct child_sa *child_new(const struct ike_ts_list *local, const struct ike_ts_list *remote);
/* Wipes its keys; the pair must be in no list and is left in the kernel. */
void child_free(struct child_sa *c);
/* The keys of an outbound half that waited are no longer needed. */
void child_wipe_keys(struct child_sa *c);
/* Copies of its selectors. */
void child_selectors(const struct child_sa *c, struct ike_ts_list *local,
		     struct ike_ts_list *remote);
/* The pair of @sa with one of these SPIs, unless both ends gave it up; 0 stands for none. */
struct child_sa *child_find(const struct ike_sa *sa, uint32_t spi_in, uint32_t spi_out);
/* Traffic no longer leaves on it; the peer's is still heard. */
void child_stop_sending(struct ike_core *core, struct ike_sa *sa, struct child_sa *c);
/* Another pair carries our traffic now: at @until the peer is asked to delete this one. */
void child_rekeyed(struct ike_core *core, struct ike_sa *sa, struct child_sa *c, uint64_t until);
/*
 * Both ends agreed on the end of the pair, or its IKE SA is over. While another one of the tunnel
 * works, the inbound half stays for CHILD_LINGER_MS, as packets may be on their way; else it is
 * removed.
 */
void child_retire(struct ike_core *core, struct ike_sa *sa, struct child_sa *c);
/* Remove what of @p lingered until @until; TIMER_NEVER: all. */
void child_linger_end(struct ike_core *core, struct ike_peer *p, uint64_t until);
/* Take the pair, or what the kernel has of it, out of the kernel, and forget it. */
void child_remove(struct ike_core *core, struct ike_sa *sa, struct child_sa *c);
/* Give back an inbound SPI that was reserved and is not used. */
void child_spi_release(struct ike_core *core, struct ike_sa *sa, uint32_t spi);
/* The pair that waits for additional key exchanges is forgotten, if there is one. */
void child_drop_agreed(struct ike_core *core, struct ike_sa *sa);

/* ---- job.c ------------------------------------------------------------------- */

/*
 * Begin a job for @sa: @job is complete but for its number. @m, the message at hand, waits for its
 * result, or with NULL our next request does; then @done is called. @state is freed when nobody
 * waits any more; it may be that of a job @m waited for before. False: there are too many, or no
 * memory; @state is the caller's then, unless @m has it already.
 */
bool job_begin(struct ike_core *core, struct ike_sa *sa, const struct x_msg *m, struct ike_job *job,
	       job_done_fn done, void *state);
/* Who waits for this job? NULL: nobody any more. */
struct waiting *job_find(struct ike_core *core, uint64_t id);
/*
 * The peer knows that the IKE SA is up, we are yet to: keep its first request until then. Another one,
 * or what memory is missing for, is lost like any datagram.
 */
void job_hold(struct waiting *w, const struct ike_datagram *d);
/* Nobody waits any more: @w, which may be NULL, and what it holds are wiped and freed. */
void job_end(struct ike_core *core, struct waiting *w);

/* ---- fetched.c --------------------------------------------------------------- */

/* Whose peer's certificates are judged; for it enough may have been fetched. */
struct fetched_asker {
	struct ike_core *core;
	const struct ike_sa *sa;
	const char *tunnel; /* that they are judged for */
};

/* For pki_query; @asker is a struct fetched_asker. */
struct pki_fetched fetched_find(void *asker, const struct pki_need *need);
/*
 * Keep, or forget, what the needs of @r are about, as it says. What was held and is of no use any more becomes
 * PKI_NEED_FETCH, if it may be fetched by now.
 */
void fetched_judge(struct ike_core *core, struct pki_result *r);
/*
 * Have what @need is about fetched, for a tunnel whose peer claims to be @id. @m, @done and @state: see job_begin();
 * when fetched_find() knows more @done is called with the error -ERESTART. X_WAIT; X_DROP: there are too many jobs,
 * or no memory; X_DONE: enough was fetched for @sa.
 */
enum x_verdict fetched_begin(struct ike_core *core, struct ike_sa *sa, const struct x_msg *m,
			     const char *tunnel, const struct ike_id *id,
			     const struct pki_need *need, job_done_fn done, void *state);
/*
 * Another path of certificates is judged from now on than before, of another round of authentication or within TLS, of which an IKE SA
 * has two at most: as much may be fetched for it.
 */
void fetched_begin_path(struct ike_sa *sa);
/* Nothing more is fetched for @sa. */
void fetched_end(struct ike_sa *sa);
/* The agent has it, or why there is nothing. */
void fetched_take(struct ike_core *core, const struct ike_fetched *f);
void fetched_free(struct ike_core *core);

/* ---- exchange.c -------------------------------------------------------------- */

/* One of this kind about the pair with this inbound SPI, or none (0); NULL without memory. */
struct exchange *exchange_new(const struct exchange_ops *ops, uint32_t spi);
/* It is over; NULL is none. It must be in no queue. */
void exchange_end(struct ike_core *core, struct ike_sa *sa, struct exchange *x);
/* All that wait for the window are over; and also the one that is out. */
void exchange_end_queue(struct ike_core *core, struct ike_sa *sa);
void exchange_end_all(struct ike_core *core, struct ike_sa *sa);
/*
 * Is one out, or does one wait, that brings a pair of @conf where there is none? CHILD_ANY: of any.
 */
bool exchange_makes_pair(const struct ike_sa *sa, unsigned int conf);
/* The one that is out or waits; NULL if there is none. */
struct exchange *exchange_find(const struct ike_sa *sa, const struct exchange_ops *ops,
			       uint32_t spi);

/* ---- sa.c -------------------------------------------------------------------- */

/* A new SA in table and timers, with an SPI of ours; NULL without memory or room. */
struct ike_sa *sa_new(struct ike_core *core, bool initiator, const struct ike_endpoint *local,
		      const struct ike_endpoint *remote, const uint8_t *digest);
/* The same to take the place of @old, prepared: it belongs to no tunnel yet, and has no other end. */
struct ike_sa *sa_new_successor(struct ike_core *core, const struct ike_sa *old, bool initiator);
/* We rekey the SA, which is one of its tunnel's, when it is so old as configured. */
void sa_plan_rekey(struct ike_core *core, struct ike_sa *sa);
/* Another IKE SA, with new proofs, takes its place when it is so old as configured, or its peer's certificate ends. */
void sa_plan_reauth(struct ike_core *core, struct ike_sa *sa);
/*
 * A new IKE SA is wanted in its place at once; until that is up it goes on. False: we cannot begin one, and nothing
 * happens.
 */
bool sa_replace(struct ike_core *core, struct ike_sa *sa);
/* The same, but only until the peer answers a request of ours under @sa. */
bool sa_doubt(struct ike_core *core, struct ike_sa *sa);
/* A certificate that its peer proved itself by was revoked since: as when one ends, it has to prove itself soon, and anew. */
void sa_revoked(struct ike_core *core, struct ike_sa *sa);
/* Its setup is over: nothing of it is left here, nor with the keys process. */
void sa_end_setup(struct ike_core *core, struct ike_sa *sa);
/* After any change of the SA's deadlines. */
void sa_touch(struct ike_core *core, struct ike_sa *sa);
/* The SA is one of its tunnel's now. */
void sa_join(struct ike_core *core, struct ike_sa *sa);
/* No longer half-open (responder). */
void sa_not_half_open(struct ike_core *core, struct ike_sa *sa);

/*
 * The SA is over: its child SAs leave the kernel. With @linger it still repeats its last
 * answer for a while. The tunnel counts as changed.
 */
void sa_end(struct ike_core *core, struct ike_sa *sa, bool linger);
/* Our password was taken, may be another one, or is to be tried all the same. */
void sa_forget_rejections(struct ike_peer *p);
/* The same of one that we began and that is not established: the tunnel makes another attempt later. */
void sa_attempt_failed(struct ike_core *core, struct ike_sa *sa);
/* Something of it cannot be made, for want of memory mostly: it ends when the event is over. */
void sa_fail(struct ike_core *core, struct ike_sa *sa);
/* @limit less up to a tenth, so that both ends do not reach it together; 0 stays 0. */
uint64_t sa_jitter(struct ike_core *core, uint64_t limit);
/* Drop a half-open SA, a prepared one, or a closed one, without a word. */
void sa_drop(struct ike_core *core, struct ike_sa *sa);
/* The IKE SA that was prepared when the peer began to rekey @sa, be it without keys yet; or NULL. */
struct ike_sa *sa_prepared(const struct ike_core *core, const struct ike_sa *sa);
/* Drop that if it has no keys yet: the peer goes no further with it, or must not. */
void sa_drop_unfinished(struct ike_core *core, struct ike_sa *sa);

/* ---- send.c ------------------------------------------------------------------ */

/* Hand a ready message to the network; @p may be NULL. */
void send_datagram(struct ike_core *core, const struct ike_peer *p,
		   const struct ike_endpoint *local, const struct ike_endpoint *remote,
		   const uint8_t *msg, size_t len);
/* Send without any state, from where @d came to back there. */
void send_answer(struct ike_core *core, const struct ike_datagram *d, const struct ike_peer *p,
		 const uint8_t *msg, size_t len);
/* An unprotected error answer to @h (RFC 7296 1.5, 2.21.4); limited in rate. */
void send_error(struct ike_core *core, const struct ike_datagram *d, const struct ike_header *h,
		uint16_t notify, const void *data, size_t len);
/* The same, without limit: for what goes right with the next request, and is shorter than this one. */
void send_notify(struct ike_core *core, const struct ike_datagram *d, const struct ike_header *h,
		 uint16_t notify, const void *data, size_t len);

/* ---- intauth.c --------------------------------------------------------------- */

/* The inside of an IKE_INTERMEDIATE message, as a whole and not encrypted. */
struct intauth_message {
	uint8_t first; /* type of its first payload */
	uint8_t flags; /* of the generic header of the payload around it */
	const uint8_t *data;
	size_t len;
};

/*
 * Our message, which has the header @h, is covered by AUTH from now on. It is called while sa->keys are
 * those that protect the message. False if that failed.
 */
bool intauth_add(struct ike_sa *sa, const struct ike_header *h, const struct intauth_message *m);
/* The same for the peer's message, of which @in is the inside. */
bool intauth_add_received(struct ike_sa *sa, const struct ike_header *h,
			  const struct ike_payloads *in);
/* IntAuth, which both ends sign behind all else; its length, 0 if there was no IKE_INTERMEDIATE. */
size_t intauth_octets(const struct ike_sa *sa, uint8_t out[INTAUTH_MAX]);

/* ---- message.c --------------------------------------------------------------- */

/*
 * Seal @b's payloads under @id: that replaces @m. The message is split into fragments if it is
 * longer than a packet should be and the peer takes them. False on failure, with @m empty.
 */
bool message_seal(struct ike_core *core, struct ike_sa *sa, uint8_t exchange, uint8_t flags,
		  uint32_t id, struct ike_builder *b, uint8_t first, struct ikesa_message *m);
/* Hand all datagrams of @m to the network; @p may be NULL. */
void message_send(struct ike_core *core, const struct ikesa_message *m, const struct ike_peer *p,
		  const struct ike_endpoint *local, const struct ike_endpoint *remote);
/*
 * @m may not have got through: if it has packets of more than 576 octets and the peer takes
 * fragments, split it anew, and all later messages of @sa so. False: it is as it was, unless
 * memory is out, when it is empty.
 */
bool message_shrink(struct ike_core *core, struct ike_sa *sa, struct ikesa_message *m);

/* Fragments are missing, or this one is not needed. No notify has this number. */
enum { MESSAGE_INCOMPLETE = 0x10000 };

/*
 * Verify and decrypt the message that is expected next (the request, or the response) into
 * core->plain. A fragment is kept until it is complete. Returns what ike_sk_open() does, having
 * counted what is forged, or MESSAGE_INCOMPLETE.
 */
int message_open(struct ike_core *core, struct ike_sa *sa, const struct ike_datagram *d,
		 const struct ike_header *h, struct ike_payloads *in, uint8_t *offender);
/*
 * Is @d, under the message ID of the request that was answered last, that request again? Of one in
 * fragments only the first counts, so that it is answered once (RFC 7383 2.6.1).
 */
bool message_is_repeated(struct ike_core *core, struct ike_sa *sa, const struct ike_datagram *d,
			 const struct ike_header *h);

/* ---- natd.c ------------------------------------------------------------------ */

/* Append the NAT detection hashes of our message from @local (family 0: not known) to @remote. */
void natd_build(struct ike_builder *b, const struct ike_sa *sa, const struct ike_endpoint *local,
		const struct ike_endpoint *remote);
/* Are we to claim a NAT to the peer, for want of an address to tell, or to have ESP in UDP? */
bool natd_must_claim(const struct ike_peer *p, const struct ike_endpoint *local);
/* Does ESP travel without UDP there, as both ends see it? Whatever the tunnel is configured for. */
bool natd_is_plain(const struct natd *n);
/*
 * Why there can be no child SA under @sa, which has a peer, on a path that is as @n says; NULL if ESP
 * travels there as configured.
 */
const char *natd_refusal(const struct ike_sa *sa, const struct natd *n);
/* Note in @n which end is behind a NAT, and whether the peer knows NAT traversal; ->claims stays. */
void natd_judge(struct natd *n, const struct ike_header *h, const struct ike_payloads *in,
		const struct ike_datagram *d);
/* Has @in hashes? */
bool natd_is_in(const struct ike_payloads *in);
/*
 * Remember where the peer sees us, if its message tells. True: elsewhere than before, or behind a
 * NAT and it is not known where that was.
 */
bool natd_note_seen(struct ike_sa *sa, const struct ike_payloads *in);

/* ---- address.c --------------------------------------------------------------- */

/* Messages go from @local to @remote from now on; false: they did already. */
bool address_use(struct ike_core *core, struct ike_sa *sa, const struct ike_endpoint *local,
		 const struct ike_endpoint *remote);
/* @to goes on where @from is, and knows what that knows of where the peer answered. */
void address_copy(struct ike_sa *to, const struct ike_sa *from);
/* Is our address in use one that we know to be ours? True also if none are known. */
bool address_is_ours(const struct ike_sa *sa);
/* Did the peer answer from the address in use? */
bool address_is_proven(const struct ike_sa *sa);
/* It did, which nobody has to hear of. */
void address_note_proven(struct ike_sa *sa);
/* It did: traffic goes there. */
void address_prove(struct ike_core *core, struct ike_sa *sa);
/*
 * The peer is not where it claims to be: it counts as being where it answered last, or if it never did
 * the IKE SA ends.
 */
void address_give_up(struct ike_core *core, struct ike_sa *sa, const char *why);
/*
 * The kernel followed ESP to @remote, which is to be proven within MOBIKE_FOLLOW_MS. False: it is not
 * to follow, and goes back.
 */
bool address_follow(struct ike_core *core, struct ike_sa *sa, const struct ike_endpoint *remote);
/* @sa is established: what it means for a peer that ESP followed, or is not to follow. */
void address_begin_follow(struct ike_core *core, struct ike_sa *sa);
/* The same if the peer proved no place yet: it has MOBIKE_FOLLOW_MS for that, or the IKE SA ends. */
void address_begin_unproven(struct ike_core *core, struct ike_sa *sa);
/* Time passed. True: what is proven next lets the kernel follow again, so the peer is to be asked. */
bool address_follow_timer(struct ike_core *core, struct ike_peer *p);
/* Where ESP goes: never to an address that the peer only claims, once it proved one. */
const struct ike_endpoint *address_of_esp(const struct ike_sa *sa);
/* May the peer be there, as far as our routes go? See is_outside in core.h. */
bool address_is_outside(const struct ike_core *core, const struct ike_sa *sa,
			const struct ike_addr *remote);
/* Use the @n-th (from 0) of the other paths there may be; false: there are fewer. */
bool address_use_other(struct ike_core *core, struct ike_sa *sa, unsigned int n);
/* Send a copy of the request that is out: on other paths, too, if it had no answer for long. */
void address_send_request(struct ike_core *core, struct ike_sa *sa);

/* ---- request.c --------------------------------------------------------------- */

/* Start the payloads of a protected message in @buf; *@first gets the first type. */
void request_begin(struct ike_builder *b, void *buf, size_t cap, uint8_t *first);

/*
 * Build the request of @x and send it now; the window must be open. @x is the SA's then, or over.
 * False if that failed (no memory, also for @x, which may be NULL; message too long): the caller
 * ends the SA.
 */
bool request_start(struct ike_core *core, struct ike_sa *sa, struct exchange *x);
/* Send a ready message for @x (IKE_SA_INIT); a second call replaces the first's message. */
bool request_send_raw(struct ike_core *core, struct ike_sa *sa, struct exchange *x,
		      const uint8_t *msg, size_t len);
/* Send the request of @x once the window is open. @x is the SA's; NULL, for want of memory, ends it soon. */
void request_queue(struct ike_core *core, struct ike_sa *sa, struct exchange *x);
/* The same, before all that wait. */
void request_queue_first(struct ike_core *core, struct ike_sa *sa, struct exchange *x);
/* Retransmit if that is due. False: it is time to give up. */
bool request_timer(struct ike_core *core, struct ike_sa *sa);
/* Send a copy of the request that waits for its answer now, and begin its schedule anew. */
void request_again(struct ike_core *core, struct ike_sa *sa);
/* Send the next request that waits for the window. */
void request_next(struct ike_core *core, struct ike_sa *sa);

/* ---- inform.c ---------------------------------------------------------------- */

/* Ask the peer of @sa for a sign of life, unless it has to answer something anyway. */
void request_probe(struct ike_core *core, struct ike_sa *sa);
/*
 * Have the peer delete the pair; it is removed when that is confirmed. The request comes before all
 * that wait: to the peer any other would prove that we have a pair which we could not install.
 */
void request_delete_child(struct ike_core *core, struct ike_sa *sa, struct child_sa *c);
/* The peer counts @sa as established, we do not: tell it (RFC 7296 2.21.2). False: see request_start(). */
bool request_auth_failed(struct ike_core *core, struct ike_sa *sa);

/*
 * End it with a DELETE if the peer knows it. We no longer send on its child SAs, but hear
 * the peer on them until it answers, @patience ms at most. TIMER_NEVER: or until it counts as dead, like
 * that of any other request; one that is out comes first, and has its own time.
 */
void request_close(struct ike_core *core, struct ike_sa *sa, uint64_t patience);

/* ---- liveness.c -------------------------------------------------------------- */

/* The peer was silent for conf.liveness: ask, or plan when to. */
void liveness_check(struct ike_core *core, struct ike_sa *sa);
/*
 * An unprotected error answers our request (2.21.4). If that had the time for another answer, and rarely: tell,
 * and begin a new IKE SA beside this one, if we can. Nothing ends by it.
 */
void liveness_hint(struct ike_core *core, struct ike_sa *sa);

/* ---- tunnel.c ---------------------------------------------------------------- */

/* Is a configuration within the limits of its lists and names? */
bool tunnel_conf_is_sane(const struct ike_tunnel_conf *c);
/* As the core keeps it, with what is implied; NULL without memory. Give it back with tunnel_free_conf(). */
const struct tunnel_conf *tunnel_keep_conf(const struct ike_tunnel_conf *conf);
/* NULL is fine. */
void tunnel_free_conf(const struct tunnel_conf *c);
/* Copies of the selectors of its child SA @i. */
void tunnel_selectors(const struct tunnel_conf *c, unsigned int i, struct ike_ts_list *local,
		      struct ike_ts_list *remote);
/* Room for @n configured child SAs in ->want of all its peers; -ENOMEM changes nothing. */
int tunnel_grow_wants(struct ike_tunnel *t, unsigned int n);
/* The first peer of a tunnel that keeps @conf, which is sane; in no table. NULL without memory. */
struct ike_peer *tunnel_new(struct ike_core *core, const struct ike_tunnel_conf *conf);
/* A peer without its numbers and tables, which is one more member of @t; NULL without memory. */
struct ike_peer *tunnel_new_peer(struct ike_core *core, struct ike_tunnel *t);
/* Wipe and free @p, which is in no table, and its tunnel with the last member. */
void tunnel_free_peer(struct ike_core *core, struct ike_peer *p);

/* ---- client.c ---------------------------------------------------------------- */

/*
 * The client of the tunnel of @first that is @id and came with @sa; it is made if there is none, for
 * which @sa must have proven @id. NULL: it is refused, and why was reported. @initial: it said
 * INITIAL_CONTACT.
 */
struct ike_peer *client_admit(struct ike_core *core, struct ike_peer *first, struct ike_sa *sa,
			      const struct ike_id *id, bool initial);
/* @sa of a client is established: other IKE SAs of it are to go. */
void client_replace(struct ike_core *core, struct ike_sa *sa);
/*
 * The client with this number, which a former agent left in the kernel. Whoever proves that he is @id
 * is that client, wherever he comes from; if @id is not known (type 0), whoever proves an identity
 * from where its SAs lead. They go when the new pair works; or it goes when nothing is heard of it any
 * more. NULL without memory.
 */
struct ike_peer *client_adopted(struct ike_core *core, struct ike_tunnel *t, uint32_t number,
				const struct ike_id *id);
/* If nothing of the client is left, its peer leaves the kernel and is freed. */
void client_end(struct ike_core *core, struct ike_peer *p);

#endif
