/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The exchanges, both roles of each in one file, and what several of them need. They are called
 * from the table in dispatch.c, and to begin one from peer.c; what they achieve or fail at they
 * note for the tunnel (event_note()).
 */
#ifndef ESPTUN_IKE_LAYER_EXCHANGE_H
#define ESPTUN_IKE_LAYER_EXCHANGE_H

#include "ike/child/layer_child.h"

/* ---- x_derive.c -------------------------------------------------------------- */

/* SK_* of @sa from everything gathered and the key exchange's @secret. False if that failed. */
bool x_derive_keys(struct ike_core *core, struct ike_sa *sa, const struct ike_secret *secret);
/* The method of the additional key exchange that is due next; IKE_DH_NONE: all are over, IKE_AUTH may come. */
uint16_t x_derive_next(const struct ike_sa *sa);
/* The keys that follow on those of @sa with a further key exchange (RFC 9370 2.2.2), to @next. The same. */
bool x_derive_further(struct ike_core *core, const struct ike_sa *sa, struct ike_keys *next,
		      const struct ike_secret *secret);
/* Hand the keys of @sa to the key log, if there is one. */
void x_derive_log(struct ike_core *core, const struct ike_sa *sa);

/* ---- x_contact.c ------------------------------------------------------------- */

/* The peer's INITIAL_CONTACT on @sa: all its SAs older than that are gone at its end (2.4). */
void x_contact_initial(struct ike_core *core, struct ike_sa *sa);

/*
 * The peer answered on @sa, which another had disowned by INITIAL_CONTACT: two peers show one
 * identity. The one that came first stays.
 */
void x_contact_contested(struct ike_core *core, struct ike_sa *sa);

/*
 * A tunnel has one peer. Is it another than the one of @sa, which proved the key and shows @id?
 * Then that is told, and the former, whose IKE SA may be dead, is asked for a sign of life.
 */
bool x_contact_is_held(struct ike_core *core, const struct ike_sa *sa, struct ike_peer *p,
		       const struct ike_id *id);

/* ---- x_proof.c --------------------------------------------------------------- */

/* The identity that the peer claims, and its proof. */
struct x_claim {
	struct ike_iov body; /* of its ID payload as received, which is what it signed */
	struct ike_id id;
	struct ike_id wanted; /* IDr of a request; type 0: it did not say */
	struct ike_auth auth;
	bool rounds,
		another; /* it takes several rounds (RFC 4739), and another one of its own follows */
	bool eap; /* it proves itself by EAP: AUTH is missing yet, or made with the key of that */
	bool eap_only; /* of a request: and so may we, by nothing else (RFC 5998) */
	struct ike_iov raw_key; /* a public key that it shows (RFC 7670); NULL: none */
	struct ike_iov cert[PKI_MAX_CERTS]; /* certificates that it shows */
	unsigned int n_certs; /* PKI_MAX_CERTS + 1: there were more */
	struct ike_iov ocsp[PKI_MAX_CERTS]; /* OCSP responses about them; others are ignored */
	unsigned int n_ocsp;
	uint8_t other_cert; /* encoding of one that is none of these; 0: all are */
	struct ike_iov ppk_id; /* with its type, of a request, if both ends use PPKs; NULL: none */
	struct ike_iov no_ppk_auth; /* what ->auth would have without PPK; NULL: it must have one */
	const char (*unknown)[IKE_JOB_NAME]; /* tunnels whose clients have PPKs, and … */
	unsigned int n_unknown; /* … which have none of that name for it; so many */
};

/* Tunnels whose keys are tried, the best one first. */
struct x_candidates {
	unsigned int n;
	int last_fit; /* how well the last one fits */
	bool ppk; /* it is one, whose PPK the peer names */
	char name[IKE_JOB_TUNNELS][IKE_JOB_NAME];
};

/*
 * A method: how an end proves who it is, one row for each enum ike_method. IKE_AUTH knows them by the
 * functions below alone. Of @job, what is signed is set, and to sign the tunnel and its peer.
 */
struct x_method {
	const char *name; /* for people: "with ..." */
	const char *remedy; /* what the peer's side is set to for it */
	const char *compare; /* the key of the configuration that our proof is of */
	/* See x_proof_sign(). */
	enum x_verdict (*sign)(struct ike_core *core, struct ike_sa *sa, const struct x_msg *m,
			       struct ike_peer *p, struct ike_job *job, job_done_fn done,
			       void *state);
	/* Append our AUTH payload and what belongs to it; @value is the job's result. */
	void (*build)(struct ike_builder *b, const struct ike_sa *sa, const struct ike_peer *p,
		      struct ike_iov value);
	/* The Authentication Data of that payload, of SIGALG_MAX_AUTH bytes at most; its length. */
	size_t (*data)(const struct ike_sa *sa, struct ike_iov value, uint8_t *out);
	/* See x_proof_verify(). */
	enum x_verdict (*verify)(struct ike_core *core, struct ike_sa *sa, struct x_msg *m,
				 const struct x_claim *who, const struct x_candidates *c,
				 struct ike_job *job, job_done_fn done, void *state);
	/* See x_proof_explain_key(), of a peer that tried this method. */
	void (*explain)(struct ike_core *core, struct ike_peer *p, const struct ike_sa *sa,
			const struct x_claim *who, bool unknown);
};

extern const struct x_method x_method_psk; /* x_psk.c */
extern const struct x_method x_method_signature; /* x_signature.c */
extern const struct x_method x_method_eap; /* x_eap.c */

/* Why a job, or a fetch, of ours is not begun. */
#define X_NO_JOB "too many peers prove who they are at the same time, or memory is out"

/* What certificates prove that were found to be good: until when, by the clock of the core. */
uint64_t x_signature_until(const struct ike_core *core, const struct pki_result *r);
/* What of the needs of certificates is to be fetched first; NULL: nothing. */
const struct pki_need *x_signature_need(const struct pki_result *r);
/* Microseconds, about, that our signature takes to the peer of @sa, for the tunnel of @p. */
unsigned int x_signature_cost(const struct ike_sa *sa, const struct ike_peer *p);
const struct x_method *x_proof_method(enum ike_method method);
/* SK_pi or SK_pr of @sa: mixed with the PPK, once one is used. */
const uint8_t *x_proof_sk_p(const struct ike_sa *sa, bool initiator);
/* Is the peer's AUTH payload of the method that @p wants? */
bool x_proof_fits(const struct ike_peer *p, const struct x_claim *who);

/*
 * Begin the job that signs for us, with the key which @p has for the identity @peer. @m, @done and
 * @state: see job_begin(). X_WAIT; X_DROP: there are too many jobs, or no memory; X_CLOSE: it cannot be
 * done, and that was told.
 */
enum x_verdict x_proof_sign(struct ike_core *core, struct ike_sa *sa, const struct x_msg *m,
			    struct ike_peer *p, const struct ike_id *peer, job_done_fn done,
			    void *state);
/*
 * Have @done called with what tells which of the candidates' keys the peer holds: at once, and what it
 * returns is returned, or later by a job (X_WAIT). X_DROP as above.
 */
enum x_verdict x_proof_verify(struct ike_core *core, struct ike_sa *sa, struct x_msg *m,
			      const struct x_claim *claim, const struct x_candidates *c,
			      job_done_fn done, void *state);
/* Append our AUTH payload; @value is the result of x_proof_sign(). */
void x_proof_build(struct ike_builder *b, const struct ike_sa *sa, const struct ike_peer *p,
		   const uint8_t *value, size_t len);
/* The Authentication Data of that payload, for NO_PPK_AUTH. -1 without memory. */
int x_proof_keep_data(const struct ike_sa *sa, const struct ike_peer *p, const uint8_t *value,
		      size_t len, struct ikesa_bytes *out);
/* Find and parse payloads of the claim; absent and malformed alike give false. */
bool x_proof_find_id(const struct ike_payloads *in, uint8_t type, struct x_claim *who);
/* AUTH, with the public key and the certificates that the peer may show. */
bool x_proof_find_auth(const struct ike_payloads *in, struct x_claim *who);
/*
 * Tell of a peer that holds the key, under another name than @wanted, that of @p: the only one whose name is worth
 * trusting.
 */
void x_proof_explain_id(struct ike_core *core, struct ike_peer *p, const struct ike_sa *sa,
			const struct ike_id *id, const struct ike_id *wanted);
/* Tell @why we cannot prove to the peer who we are, as @p (or NULL). */
void x_proof_explain_own(struct ike_core *core, struct ike_peer *p, const struct ike_sa *sa,
			 const char *why);
/* Tell of a peer that does not hold the key of @p, which may be @unknown, or did not try. */
void x_proof_explain_key(struct ike_core *core, struct ike_peer *p, const struct ike_sa *sa,
			 const struct x_claim *who, bool unknown);

/* ---- x_ppk.c ----------------------------------------------------------------- */

/* IKE_SA_INIT request of @sa, which has its tunnel: append USE_PPK if that has a PPK. */
void x_ppk_offer(struct ike_builder *b, const struct ike_sa *sa);
/* The answer to that. False: it cannot be taken, for the PPK is required; that is told. */
bool x_ppk_agree(struct ike_core *core, struct ike_sa *sa, const struct ike_payloads *in);
/* The peer's IKE_SA_INIT request: are PPKs used (->ppk_agreed), which the answer is to say? */
void x_ppk_answer(struct ike_core *core, struct ike_sa *sa, const struct ike_payloads *in);

/*
 * Begin the job that mixes keys of @sa with the PPK that @p has, or has for @who, by the name which that says. @m,
 * @done and @state: see job_begin(). X_WAIT; X_DROP: there are too many jobs, or no memory.
 */
enum x_verdict x_ppk_mix(struct ike_core *core, struct ike_sa *sa, const struct x_msg *m,
			 const struct ike_peer *p, const struct x_claim *who, job_done_fn done,
			 void *state);
/*
 * Its result: from now on AUTH is made and judged with it. 0; -ENOENT: the tunnel has no PPK, or none of that
 * name for that client; or another negative errno. Then AUTH goes without.
 */
int x_ppk_take(struct ike_sa *sa, const struct ike_job_result *r);
/* AUTH goes without again. */
void x_ppk_drop(struct ike_sa *sa);
/* The IKE SA is established, and has its tunnel: its keys, and what is shown of its PPK. */
void x_ppk_finish(struct ike_core *core, struct ike_sa *sa);

/* IKE_AUTH request: append which PPK it is, and how we prove ourselves to a peer that has it not. */
void x_ppk_name(struct ike_builder *b, const struct ike_sa *sa);
/*
 * The answer @in, whose AUTH is not judged yet: does the peer go on with the PPK? If not, so do we. False: it
 * is required; that is told.
 */
bool x_ppk_confirmed(struct ike_core *core, struct ike_sa *sa, const struct ike_payloads *in);
/* More keys of the configuration, with a comma behind each, that our proof is of. */
const char *x_ppk_compare(const struct ike_sa *sa);

/* May a peer that names its PPK after EAP come to the tunnel of @p, by what it said in IKE_SA_INIT? */
bool x_ppk_may_come(const struct ike_peer *p, const struct ike_sa *sa);
/* What the peer's IKE_AUTH request @in says of PPKs, in @who. */
void x_ppk_read(const struct ike_sa *sa, const struct ike_payloads *in, struct x_claim *who);

enum x_ppk_fit {
	X_PPK_NOT, /* one end requires what the other has not */
	X_PPK_WITHOUT, /* AUTH has to prove the peer without PPK */
	X_PPK_WITH, /* … with that of the tunnel, which the peer names (RFC 8784, table 1) */
};

/* Does the tunnel of @p fit what the peer says of PPKs? */
enum x_ppk_fit x_ppk_fit(const struct ike_peer *p, const struct ike_sa *sa,
			 const struct x_claim *who);
/* IKE_AUTH response: append that the PPK is used, if it is. */
void x_ppk_confirm(struct ike_builder *b, const struct ike_sa *sa);
/* Tell of a peer that was refused, if that has to do with the PPK of @p, which it names by its identities. */
bool x_ppk_explain(struct ike_core *core, struct ike_peer *p, const struct ike_sa *sa,
		   const struct x_claim *who);

/* ---- x_match.c --------------------------------------------------------------- */

/* What the peer claims in its first request @in; false if it does neither prove it, nor want EAP. */
bool x_match_read(const struct ike_sa *sa, const struct ike_payloads *in, struct x_claim *who);
/* The tunnels that fit the identities, but for the first @skip of them. */
void x_match_collect(struct ike_core *core, const struct ike_sa *sa, const struct x_claim *who,
		     unsigned int skip, struct x_candidates *out);
/* The one that fits the identities best, whatever is said of rounds and PPKs; NULL: none does. */
struct ike_peer *x_match_named(struct ike_core *core, const struct ike_sa *sa,
			       const struct x_claim *who);
/* Those whose owner wants to read why the peer was refused, whatever its identity. */
void x_match_collect_near(struct ike_core *core, const struct ike_sa *sa, const struct x_claim *who,
			  struct x_candidates *out);
/*
 * The one that fits best of those of @c whose keys are proven in @r and @former, which was proven
 * before (NULL: none was); NULL if there is none. *@twin: another one that fits as well, so that nothing
 * tells which the peer means; or NULL.
 */
struct ike_peer *x_match_proven(struct ike_core *core, const struct ike_sa *sa,
				const struct x_claim *who, const struct x_candidates *c,
				const struct ike_job_result *r, struct ike_peer *former,
				struct ike_peer **twin);
/* Tell of a peer that holds the key of @p, which does not fit it. */
void x_match_explain(struct ike_core *core, const struct ike_sa *sa, const struct x_claim *who,
		     struct ike_peer *p);
/* Tell of a peer that has more or fewer rounds of authentication than @p, which it names by its identities; false: as many. */
bool x_match_explain_rounds(struct ike_core *core, const struct ike_sa *sa,
			    const struct x_claim *who, struct ike_peer *p);
/* Tell of a peer that holds the keys of two tunnels, which both fit it. */
void x_match_explain_twin(struct ike_core *core, const struct ike_sa *sa, struct ike_peer *p,
			  const struct ike_peer *twin);
/* Does the tunnel of @p, which was chosen before, still fit the peer? */
bool x_match_fits(const struct ike_peer *p, const struct ike_sa *sa, const struct x_claim *who);
/*
 * The tunnel for a peer that sent no AUTH payload, for it wants EAP, and whose identity says little: many clients
 * have their address in IDi. NULL: none has EAP, or nothing tells which one it means; that was told.
 */
struct ike_peer *x_match_eap(struct ike_core *core, const struct ike_sa *sa,
			     const struct x_claim *who);

/* ---- x_auth_choose.c ---------------------------------------------------------- */

/*
 * The tunnel of @p is the one for the request @m, whose sender, if it is not to go through EAP yet, proved that it is
 * @who; @r is our own proof. What it returns is the request's verdict.
 */
typedef enum x_verdict (*x_chosen_fn)(struct ike_core *core, struct ike_sa *sa, struct x_msg *m,
				      struct ike_peer *p, const struct x_claim *who,
				      const struct ike_job_result *r);

/*
 * Find the tunnel for the first IKE_AUTH request @m of a peer that claims to be @who; then @chosen. If there is none, the
 * request is refused, which is told.
 */
enum x_verdict x_auth_choose(struct ike_core *core, struct ike_sa *sa, struct x_msg *m,
			     const struct x_claim *who, x_chosen_fn chosen);

/* ---- x_auth_initiator.c ------------------------------------------------------- */

/* Send the IKE_AUTH request of @sa, whose IKE_SA_INIT is done. */
void x_auth_start(struct ike_core *core, struct ike_sa *sa);

/* ---- x_auth_responder.c ------------------------------------------------------- */

/* The handler of dispatch.c. */
enum x_verdict x_auth_request(struct ike_core *core, struct ike_sa *sa, struct x_msg *m);

/* ---- x_auth.c ----------------------------------------------------------------- */

/* Both ends are authenticated: the IKE SA is up. Its tunnel and ->remote_id are set. */
void x_auth_establish(struct ike_core *core, struct ike_sa *sa);
/* Initiator: the child part of the response. Whatever happens here, the IKE SA stays. */
void x_auth_take_child(struct ike_core *core, struct ike_sa *sa, const struct ike_payloads *in);
/*
 * Responder: the child part of the request @m. While another pair works, the outbound half of the new one waits until
 * the peer proved that it has it.
 */
void x_auth_give_child(struct ike_core *core, struct ike_sa *sa, struct x_msg *m);

/* ---- x_eap.c ----------------------------------------------------------------- */

/* Who we are to be by EAP proved itself: the last AUTH payloads may come. */
typedef void (*x_eap_proven_fn)(struct ike_core *core, struct ike_sa *sa);

/*
 * Responder: @p was chosen for the first request @m, in which the peer claims to be @who, and our own proof is in the
 * answer. Append the first request of EAP. X_DROP without memory.
 */
enum x_verdict x_eap_begin(struct ike_core *core, struct ike_sa *sa, struct x_msg *m,
			   const struct ike_peer *p, const struct x_claim *who);
/* The same, if EAP is the peer's second round: its next request begins that. */
enum x_verdict x_eap_await(struct ike_core *core, struct ike_sa *sa, struct x_msg *m,
			   const struct ike_peer *p, const struct x_claim *who);
/* Responder: do we prove to the peer, who claims to be @who, that we are who we say by EAP alone (RFC 5998)? */
bool x_eap_is_only(const struct ike_peer *p, const struct x_claim *who);
/* Responder: a request of the peer in the middle of EAP. */
enum x_verdict x_eap_request(struct ike_core *core, struct ike_sa *sa, struct x_msg *m);
/*
 * Responder: a request of the peer when EAP is proven. Its tunnel, the identity that it proved, and the AUTH
 * payload in @who; NULL: it is refused, which was told.
 */
struct ike_peer *x_eap_last(struct ike_core *core, struct ike_sa *sa, const struct x_msg *m,
			    struct x_claim *who);
/*
 * Initiator: the responder's first response was proven by @who, and our own first round is over. Begin the second one, by
 * EAP; when that is over @proven is called, or the attempt has failed.
 */
void x_eap_second(struct ike_core *core, struct ike_sa *sa, const struct x_claim *who,
		  x_eap_proven_fn proven);
/* Initiator, before the first request: EAP begins with its response. False without memory. */
bool x_eap_start(struct ike_sa *sa, const struct ike_peer *p);
/*
 * Initiator: the first response @m, whose AUTH payload was proven by @who; or, where we take that, it has none, as the
 * responder proves that it is @who by EAP alone. Go on with what it has of EAP; when all
 * of that is over, @proven is called, or the attempt has failed.
 */
enum x_verdict x_eap_answer(struct ike_core *core, struct ike_sa *sa, struct x_msg *m,
			    const struct x_claim *who, x_eap_proven_fn proven);

/* ---- x_eap_certs.c ----------------------------------------------------------- */

/*
 * What the certificates are worth that the other end shows by EAP, which came to EAP_JUDGE: by the CAs and CRLs of @p, as those
 * of IKE_AUTH. *@verdict: what EAP comes to then, in @step. Or else X_WAIT: what they are judged by is being fetched, and @again is
 * called with @m then; X_DROP: there are too many jobs, or no memory.
 */
enum x_verdict x_eap_judge(struct ike_core *core, struct ike_sa *sa, const struct x_msg *m,
			   const struct ike_peer *p, struct eap_step *step, job_done_fn again,
			   enum eap_verdict *verdict);

/* ---- x_intermediate.c -------------------------------------------------------- */

/*
 * IKE_SA_INIT of @sa, which we began, is done. What was agreed on to come in IKE_INTERMEDIATE comes
 * next, then IKE_AUTH.
 */
void x_intermediate_start(struct ike_core *core, struct ike_sa *sa);
/* The handler of dispatch.c. */
enum x_verdict x_intermediate_request(struct ike_core *core, struct ike_sa *sa, struct x_msg *m);

/* ---- x_init.c ---------------------------------------------------------------- */

/* Begin a new IKE SA to the peer, with a pair of the configured child SA @child. */
void x_init_start(struct ike_core *core, struct ike_peer *p, unsigned int child);
/* A request that may begin an IKE SA; its header is plausible. */
void x_init_request(struct ike_core *core, const struct ike_datagram *d,
		    const struct ike_header *h);
/* An answer to the request of @sa, which waits for one. */
void x_init_response(struct ike_core *core, struct ike_sa *sa, const struct ike_datagram *d,
		     const struct ike_header *h);

/* ---- x_refuse.c -------------------------------------------------------------- */

/* Answer with @notify; INVALID_SYNTAX ends the IKE SA. */
enum x_verdict x_refuse(struct x_msg *m, uint16_t notify);
/* Answer an IKE_AUTH request with AUTHENTICATION_FAILED; that ends the IKE SA. */
enum x_verdict x_refuse_auth(struct x_msg *m);
/* When to ask again after so many TEMPORARY_FAILUREs in a row; TIMER_NEVER: a new IKE SA has to do. */
uint64_t x_refuse_retry_at(struct ike_core *core, unsigned int failures);
/* The group that the peer wants instead of that of @x, if it is one of @own's; else IKE_DH_NONE. */
uint16_t x_refuse_group(const struct exchange *x, const struct ike_payloads *in,
			const struct ike_proposals *own);
/* Ask for the same as @x once more, with a key exchange of @group. */
void x_refuse_again(struct ike_core *core, struct ike_sa *sa, const struct exchange *x,
		    uint16_t group);

/* What a CREATE_CHILD_SA request reserved; the response needs it. */
struct creation {
	uint8_t nonce[IKE_OUR_NONCE];
	struct ike_kex *kex; /* NULL: without a key exchange */
	uint32_t spi_in; /* for the pair; 0: it is not, or no longer, the exchange's */
	struct ike_ts_list local, remote; /* the selectors that were offered for it */
	bool renews; /* it renews a pair, so that algorithms were offered for it … */
	struct esp_suite suite; /* … that were that pair's */
	struct negotiation
		*agreed; /* the pair, while additional key exchanges are under way; or NULL */
	uint8_t ike_spi[IKE_SPI_LEN]; /* or of the IKE SA that is prepared */
};

/* ---- x_rekey.c --------------------------------------------------------------- */

/* Rekey the IKE SA when that is due. */
void x_rekey_timer(struct ike_core *core, struct ike_sa *sa);
/* Is our request to rekey @sa out? */
bool x_rekey_is_out(const struct ike_sa *sa);
/* Has the peer begun to rekey @sa, with additional key exchanges of which one is yet to come? */
bool x_rekey_is_under_way(const struct ike_core *core, const struct ike_sa *sa);
/*
 * @sa, which we are rekeying, is over, or we cannot rekey it: what the peer's own rekeying of it
 * made takes over. False: it made nothing.
 */
bool x_rekey_settle(struct ike_core *core, struct ike_sa *sa);
/*
 * The peer's request @in came under @sa, which it made and we prepared (IKESA_PREPARED). Unless it is
 * the DELETE of one that lost, the peer has taken it over, and so do we.
 */
void x_rekey_heard(struct ike_core *core, const struct ike_sa *sa, const struct ike_payloads *in);
/* A CREATE_CHILD_SA request that offers proposals for the IKE SA. */
enum x_verdict x_rekey_request(struct ike_core *core, struct ike_sa *sa, struct x_msg *m,
			       struct ike_offer offer);

/* An IKE_FOLLOWUP_KE request, for what such a request has prepared. */
enum x_verdict x_rekey_further(struct ike_core *core, struct ike_sa *sa, struct x_msg *m);

/* ---- x_create.c -------------------------------------------------------------- */

/* CREATE_CHILD_SA without REKEY_SA: ask for a pair of configuration @conf, which @sa has not. */
void x_create_pair(struct ike_core *core, struct ike_sa *sa, unsigned int conf);
/* Ask for the successor of @c, unless that is under way. */
void x_create_successor(struct ike_core *core, struct ike_sa *sa, struct child_sa *c);
/* The deadlines of its pairs, see enum child_state. */
void x_create_timer(struct ike_core *core, struct ike_sa *sa);
/* The handler of dispatch.c, for all CREATE_CHILD_SA requests. */
enum x_verdict x_create_request(struct ike_core *core, struct ike_sa *sa, struct x_msg *m);
/* The handler of dispatch.c, for all IKE_FOLLOWUP_KE requests. */
enum x_verdict x_create_further(struct ike_core *core, struct ike_sa *sa, struct x_msg *m);

/* ---- x_mobike.c -------------------------------------------------------------- */

/* IKE_AUTH: append that we take MOBIKE, and our other addresses, if it is configured. */
void x_mobike_offer(struct ike_builder *b, const struct ike_sa *sa);
/* The peer's IKE_AUTH message: is MOBIKE on for the IKE SA, which is established now? */
void x_mobike_begin(struct ike_core *core, struct ike_sa *sa, const struct ike_payloads *in);
/* Does the request forbid NATs (3.9) though there was one on its way? */
bool x_mobike_met_nat(const struct x_msg *m);
/* What an INFORMATIONAL request of the peer says of addresses, and the answer to that. */
void x_mobike_request(struct ike_core *core, struct ike_sa *sa, struct x_msg *m);
/* The response to any request of ours came as @d; it was handled. */
void x_mobike_answered(struct ike_core *core, struct ike_sa *sa, const struct ike_datagram *d);
/* Messages leave from another address of ours now. */
void x_mobike_local(struct ike_core *core, struct ike_sa *sa, const struct ike_addr *local);
/* The kernel heard the peer at @remote, and sends ESP there; no news if it is known to be there. */
void x_mobike_heard(struct ike_core *core, struct ike_sa *sa, const struct ike_endpoint *remote);
/* Time passed for a peer that ESP followed. */
void x_mobike_timer(struct ike_core *core, struct ike_peer *p);
/*
 * A new request of the peer came from @from. If the kernel does not follow the peer's ESP, that is
 * what tells of a NAT's other address: the peer is asked there, and ESP goes there once it answered.
 */
void x_mobike_came(struct ike_core *core, struct ike_sa *sa, const struct ike_endpoint *from);
/* The list of our other addresses is another one. */
void x_mobike_tell(struct ike_core *core, struct ike_sa *sa);
/* @next takes the place of @old: it knows what that knew, and asks what that could not. */
void x_mobike_inherit(struct ike_core *core, struct ike_sa *old, struct ike_sa *next);

/* ---- x_config.c -------------------------------------------------------------- */

/*
 * Answer the configuration request of a client (2.19), if there is one and clients get addresses of a
 * pool. False: it has none, so that there can be no child SA, and the notify that says so is in the answer.
 */
bool x_config_answer(struct ike_core *core, struct ike_sa *sa, struct x_msg *m);
/* The same outside of IKE_AUTH, where no child SA comes with it. */
void x_config_request(struct ike_core *core, struct ike_sa *sa, struct x_msg *m);

/* IKE_AUTH: append our own request, if we get our addresses from the peer. */
void x_config_ask(struct ike_builder *b, const struct ike_sa *sa);
/*
 * The peer's answer to that, which accepts the child SA. False: we asked for an address, and there is none
 * that can be used, so that there is no child SA; that is told.
 */
bool x_config_take(struct ike_core *core, struct ike_sa *sa, const struct ike_payloads *in);
/* Tell why the peer made no child SA; false: @error is not about addresses, and nothing was told. */
bool x_config_explain(struct ike_core *core, struct ike_sa *sa, uint16_t error);

/* ---- x_info.c ---------------------------------------------------------------- */

enum x_verdict x_info_request(struct ike_core *core, struct ike_sa *sa, struct x_msg *m);

#endif
