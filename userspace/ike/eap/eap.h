/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * EAP (RFC 3748) as IKE_AUTH carries it (RFC 7296 2.16, 3.16): either end of one conversation. Pure.
 *
 * A conversation is a struct eap, which sees each packet of the other end once and answers with one of its own,
 * as IKE repeats messages itself. Secrets are not here: what needs one is a job (auth/job.h), which the
 * caller begins, and whose result it hands to eap_job_done(). A method is one file with one row,
 * struct eap_method; eap.c knows the packets that are of no method, and when which method may run.
 */
#ifndef ESPTUN_IKE_EAP_H
#define ESPTUN_IKE_EAP_H

#include "ike/auth/job.h"

enum eap_limits {
	EAP_MAX_PACKET = 4096, /* bytes, either way; a longer one ends the conversation */
	EAP_MAX_NAME = 253, /* bytes of an identity */
	EAP_MAX_ROUNDS =
		80, /* packets of the other end; then it is over. See eap_tls.c, which needs most */
	EAP_MSK_LEN =
		64, /* bytes of a key that a method makes, at least and as IKE takes it (RFC 3748 7.10) */
	EAP_WHY = 1100, /* bytes of a sentence: one about certificates fits */
};

enum eap_code { EAP_REQUEST = 1, EAP_RESPONSE, EAP_SUCCESS, EAP_FAILURE };

/* As in IANA's registry "Method Types". */
enum eap_type {
	EAP_TYPE_IDENTITY = 1,
	EAP_TYPE_NOTIFICATION = 2,
	EAP_TYPE_NAK = 3,
	EAP_TYPE_MD5 = 4,
	EAP_TYPE_GTC = 6,
	EAP_TYPE_TLS = 13,
	EAP_TYPE_MSCHAPV2 = 26,
};

/* A method, by its place in the table. A set of them has bit 1 << number for each. */
enum eap_number { EAP_TLS, EAP_MSCHAPV2, EAP_MD5, EAP_RADIUS, EAP_METHODS };

/* A packet that was looked at: a Request or a Response has a type. It points into the one that was parsed. */
struct eap_packet {
	uint8_t code, id, type; /* type 0: Success or Failure */
	const uint8_t *data; /* behind the type */
	size_t len;
	struct ike_iov whole;
};

/* What a method needs where it is configured; a set of them. */
enum eap_need {
	EAP_NEEDS_PASSWORD = 1, /* the user's: a server has it in Users=, a client in Password= */
	EAP_NEEDS_LEGACY = 2, /* MD4, MD5 and DES, see crypto/legacy.h */
	EAP_NEEDS_CERTS =
		4, /* certificates of both ends: our own one, and a CA that stands for the other one's */
};

/* What a packet, or the result of a job, came to. */
enum eap_verdict {
	EAP_SEND, /* ->out is the answer */
	EAP_WAIT, /* ->job is to be begun, and its result goes to eap_job_done() */
	EAP_JUDGE, /* the other end shows certs of struct eap: what they are worth goes to eap_judged() */
	EAP_DONE, /* the other end proved itself by the method. Server: ->out is EAP-Success */
	EAP_FAIL, /* it is over, ->why says why. Server: ->out is EAP-Failure, if it is not empty */
};

/*
 * What one step needs and gives. It is the caller's, all zero but for @rng before each step, and wiped
 * after it.
 */
struct eap_step {
	const struct ike_rng *rng;
	uint8_t out[EAP_MAX_PACKET];
	size_t out_len; /* 0: nothing is to be sent */
	/*
	 * EAP_WAIT: kind, octets, auth and alg are set; what they point to lives as long as the conversation and the
	 * packet. The caller adds tunnel, peer, and PRF, and to a job that wants them our certificates.
	 */
	struct ike_job job;
	bool own_certs; /* it wants them, in octets[2] */
	bool tries_password; /* server: it looks at a password of the user that the peer's name is of */
	/* A sentence that is to be told, whatever the verdict; "": there is none. EAP_FAIL has one, or told it before. */
	char why[EAP_WHY];
	bool wrong_secret; /* … and the peer does not have it: somebody guesses, maybe */
};

struct eap_method;

struct eap {
	bool server;
	uint8_t allowed; /* set of enum eap_number */
	const struct eap_method *method; /* that runs, or has run; NULL: none was begun */
	void *state; /* the method's own, ->state_size bytes; wiped with the conversation */
	bool answered; /* the other end took part in the method, so that it is not left any more */
	bool alone; /* see eap_go_alone() */
	uint8_t refused; /* set of methods that the other end refused by a Nak */
	uint8_t unwanted; /* client: type of a method that it refused so; 0: none */
	bool named; /* server: the peer answered the question for its identity */
	bool finished; /* the method was completed; what is missing is EAP-Success */
	bool rejected; /* client: the server does not take our name and password, which was told */
	bool told; /* client: it is over but for EAP-Failure, which was told */
	bool over;
	uint8_t id; /* identifier of the last request, ours or the other end's */
	unsigned int rounds; /* packets of the other end, … */
	bool unanswered; /* … of which the last one has no answer yet: what comes is a copy of it */
	/* Server: as the peer says, without a NUL; empty: by its method it will say (eap_take_name()). Client: ours. */
	uint8_t name[EAP_MAX_NAME];
	size_t name_len;
	/* EAP_JUDGE: as ike_tls_certs() in crypto/tls.h has them; they live as long as the conversation. */
	struct ike_iov certs;
	struct ike_id
		proven; /* server: who the peer proved to be, if it was not its name that it proved; type 0: it was */
	/* EAP_DONE: the method's key. Without one (msk_len 0) IKE has SK_pi and SK_pr in its place. */
	uint8_t msk[EAP_MSK_LEN];
	size_t msk_len;
};

/*
 * A method, both roles; NULL where it has no such role. Functions are called in a conversation of that role
 * alone, with what is of their type alone, unless ->passes_through. They return what eap_request(),
 * eap_response(), eap_forward(), eap_finish() or eap_fail() returned, or EAP_WAIT with s->job set.
 */
struct eap_method {
	const char *name; /* for people: "EAP-MSCHAPv2" */
	const char *word; /* of EAPMethods= */
	uint8_t type;
	unsigned int needs; /* enum eap_need */
	const char *caution; /* why it should not be configured: "is ..."; NULL: it may be */
	/*
	 * The server proves who it is, too, both have a key then, and no guess at a secret can be tried by what either says: a server
	 * need not prove itself in another way (RFC 5998 4).
	 */
	bool proves_both;
	/*
	 * Server: somebody else has the method: server_begin is called with the identity known, server_take
	 * gets every Response whole, also a Nak, and it may send packets of any type by eap_forward().
	 */
	bool passes_through;
	size_t state_size;
	/* Make the first request of the method, or have it made by a job. */
	enum eap_verdict (*server_begin)(struct eap *e, struct eap_step *s);
	/* A Response with the identifier of our last request. */
	enum eap_verdict (*server_take)(struct eap *e, struct eap_step *s,
					const struct eap_packet *p);
	/* The result of the job that EAP_WAIT asked for; r->error is 0. */
	enum eap_verdict (*server_job)(struct eap *e, struct eap_step *s,
				       const struct ike_job_result *r);
	/* A Request. */
	enum eap_verdict (*client_take)(struct eap *e, struct eap_step *s,
					const struct eap_packet *p);
	enum eap_verdict (*client_job)(struct eap *e, struct eap_step *s,
				       const struct ike_job_result *r);
	/* Both roles, after EAP_JUDGE: @fault is what is wrong with the certificates; NULL: nothing. NULL: there are none. */
	enum eap_verdict (*judged)(struct eap *e, struct eap_step *s, const char *fault);
	/* A job by which whoever did those of the conversation forgets what it keeps of it. False: it keeps nothing. NULL: so it is. */
	bool (*leave)(struct eap *e, struct ike_job *job);
	/* Free what the state points to; NULL: nothing. */
	void (*end)(struct eap *e);
};

extern const struct eap_method eap_method_tls; /* eap_tls.c */
extern const struct eap_method eap_method_mschapv2; /* eap_mschapv2.c */
extern const struct eap_method eap_method_md5; /* eap_md5.c */
extern const struct eap_method eap_method_radius; /* eap_radius.c */

/* The row; NULL beyond the last one. */
const struct eap_method *eap_method(unsigned int number);
/* "mschapv2, md5": the words of a set. */
char *eap_words(char *buf, size_t size, uint8_t set);
/* What all of a set need together: enum eap_need. */
unsigned int eap_needs(uint32_t set);
/* Those of a set that prove both ends, so that nothing else has to. */
uint8_t eap_proving_both(uint32_t set);
/* Does each method of the set need it? Not if there is none. */
bool eap_all_need(uint32_t set, enum eap_need need);

/* ---- for IKE --------------------------------------------------------------------------------- */

/*
 * Begin as the server, with the methods of @allowed (not empty): s->out asks for the identity. Or as the client
 * whose name is @name, which waits for the server's first request.
 */
void eap_begin_server(struct eap *e, uint8_t allowed, struct eap_step *s);
/* False if @name has no or more than EAP_MAX_NAME bytes. */
bool eap_begin_client(struct eap *e, uint8_t allowed, const void *name, size_t len);
/*
 * Nothing but this conversation, which was just begun, proves who the server is (RFC 5998): no method counts that does not
 * prove it.
 */
void eap_go_alone(struct eap *e);
/* The other end's packet, as received. */
enum eap_verdict eap_take(struct eap *e, struct eap_step *s, const uint8_t *data, size_t len);
/* The job that the last step asked for is done, or failed (r->error). */
enum eap_verdict eap_job_done(struct eap *e, struct eap_step *s, const struct ike_job_result *r);
/*
 * The certificates of EAP_JUDGE are worth it, and stand for @id; or @id is NULL, and @fault is a sentence about the peer.
 */
enum eap_verdict eap_judged(struct eap *e, struct eap_step *s, const struct ike_id *id,
			    const char *fault);
/*
 * Before eap_end(): is there a job, as of EAP_WAIT, by which whoever did the others forgets what it keeps of them? Nobody waits
 * for its result.
 */
bool eap_leave(struct eap *e, struct ike_job *job);
/* Wipe all of it. */
void eap_end(struct eap *e);

/*
 * The identity of IKE that a user's name stands for: with an @ in it an e-mail address, else a host name if it
 * may be one, else a key ID of its bytes; never a wildcard. A domain of Windows before it (DOMAIN\name) is no
 * part of it. False if it is empty or too long.
 */
bool eap_identity(const uint8_t *name, size_t len, struct ike_id *out);

/* Of the name in an answer to the question for it: behind a NUL is what is for the first hop of an access network (RFC 3748 5.1). */
size_t eap_name_len(const struct eap_packet *p);

/* Has a method begun that goes by a password? */
bool eap_asks_password(const struct eap *e);
/* Keys of the configuration that the method of a client goes by. */
const char *eap_compare(const struct eap *e);

/*
 * Who the other end of @e is: what its method proved, else what its name stands for. False: it has given none, or
 * one that is none.
 */
bool eap_peer(const struct eap *e, struct ike_id *out);

/* Where the name without that domain begins. */
size_t eap_domain_len(const uint8_t *name, size_t len);

/* ---- for methods ------------------------------------------------------------------------------ */

/* What a packet is made of behind the type. */
struct eap_parts {
	unsigned int n;
	struct ike_iov part[4];
};

/* Send a Request of @type with a new identifier. EAP_SEND, or EAP_FAIL if it is too long. */
enum eap_verdict eap_request(struct eap *e, struct eap_step *s, uint8_t type,
			     const struct eap_parts *parts);
/* Answer the request at hand. */
enum eap_verdict eap_response(struct eap *e, struct eap_step *s, uint8_t type,
			      const struct eap_parts *parts);
/*
 * Server: a packet of the method says that the peer is @name. Android's client says so here alone, as RFC 3748 5.1 lets an
 * identity that is not known be empty. False: it is no name, or another user's than the identity is.
 */
bool eap_take_name(struct eap *e, const uint8_t *name, size_t len);
/* passes_through: send the Request of @len bytes at @packet as it is. Success and Failure are for eap_finish() and eap_fail(). */
enum eap_verdict eap_forward(struct eap *e, struct eap_step *s, const uint8_t *packet, size_t len);
/*
 * The method was completed, with a key of EAP_MSK_LEN bytes or none (@msk NULL). Server: EAP-Success leaves,
 * EAP_DONE. Client: EAP-Success may come now; the answer that eap_response() made before leaves, EAP_SEND.
 */
enum eap_verdict eap_finish(struct eap *e, struct eap_step *s, const uint8_t *msk);
/* s->why; @fmt is a sentence about the peer. */
void eap_tell(struct eap_step *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* It is over: the same sentence. Server: EAP-Failure leaves. */
enum eap_verdict eap_fail(struct eap *e, struct eap_step *s, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
