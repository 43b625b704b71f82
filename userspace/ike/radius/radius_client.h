/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A client of RADIUS servers: which server is asked, when a request is sent again, which datagram is its answer,
 * and when another server takes its place. Pure: time and datagrams come in, sockets and secrets are the env's.
 *
 * Each request to a server has a socket with a port of its own, an identifier and an authenticator that are
 * random, and keeps them for repetitions (RFC 2865 3, RFC 5080 2.2.1): what comes later, or from elsewhere, finds
 * neither. A server that was silent for all of a request is dead for a while: others are asked first. It takes one
 * request to see that it lives again. Logins and accounting know nothing of one another: each has servers that are dead,
 * and places, of its own.
 */
#ifndef ESPTUN_IKE_RADIUS_CLIENT_H
#define ESPTUN_IKE_RADIUS_CLIENT_H

#include "ike/radius/radius.h"

enum radius_client_limits {
	RADIUS_SERVERS = 4,
	RADIUS_LOGINS = 48, /* requests under way at a time */
	RADIUS_BEGUN = 16, /* of these for logins that have a State */
	RADIUS_RECORDS = 16, /* likewise, of accounting, which no unknown peer can use up */
	RADIUS_QUEUE = 1024, /* records that wait for one of these places */
	RADIUS_ANSWERS = 16, /* datagrams that are checked for one request to a server */
	RADIUS_PATIENCE =
		5000, /* ms for a signature, and for a check when the time for answers is up */
};

struct radius_server {
	struct ike_endpoint access, accounting; /* port 0: not asked for that */
	uint32_t timeout; /* ms until the first repetition, at most; doubled for each one that follows */
	uint32_t retries; /* of a request, before the next server is asked */
	uint32_t dead_time; /* ms */
};

struct radius_servers {
	unsigned int n; /* 1 to RADIUS_SERVERS */
	struct radius_server v[RADIUS_SERVERS]; /* in the order in which they are asked */
};

enum radius_end {
	RADIUS_ANSWERED,
	RADIUS_SILENT, /* no server, or not the one that it had to be, gave an answer that is authentic */
	RADIUS_FAILED, /* it could not be signed, or no answer checked */
};

struct radius_result {
	uint64_t owner; /* as of the question */
	enum radius_end end;
	/* RADIUS_ANSWERED: by which server, and what; msk as radius_check() gives it. */
	unsigned int server;
	struct radius_packet packet;
	const uint8_t *msk;
	size_t msk_len;
};

/*
 * What the client has done. Functions but done() are called at any time, and call nothing of the client; @request
 * is a number that is never used twice.
 */
struct radius_env {
	void *ctx;
	struct ike_rng rng;
	/*
	 * Have radius_sign() or radius_check() done with the secret of a server. The result is for
	 * radius_client_signed() or radius_client_checked(), not from within. 0 or a negative errno.
	 */
	int (*sign)(void *ctx, uint64_t request, unsigned int server, const uint8_t *packet,
		    size_t len);
	int (*check)(void *ctx, uint64_t request, unsigned int server,
		     const uint8_t authenticator[RADIUS_AUTHENTICATOR], const uint8_t *data,
		     size_t len);
	/* A socket with a port of its own, for datagrams to and from @server alone. 0 or a negative errno. */
	int (*open)(void *ctx, uint64_t request, const struct ike_endpoint *server);
	void (*close)(void *ctx, uint64_t request);
	void (*send)(void *ctx, uint64_t request, const uint8_t *packet, size_t len);
	/* One datagram is for radius_client_datagram(); the next one waits in the socket until this is called again. */
	void (*listen)(void *ctx, uint64_t request);
	/* The question has its answer, or there will be none. It may ask the next one. */
	void (*done)(void *ctx, const struct radius_result *r);
	/* A sentence for the user: something is wrong with a server, or well again. */
	void (*say)(void *ctx, bool wrong, const char *text);
};

struct radius_client;

/* Both are copied. NULL without memory. */
struct radius_client *radius_client_new(const struct radius_env *env,
					const struct radius_servers *servers);
void radius_client_free(struct radius_client *c); /* NULL is fine; done() is not called */

enum { RADIUS_ANY_SERVER = RADIUS_SERVERS };

struct radius_question {
	uint64_t owner; /* for radius_result */
	uint8_t code; /* RADIUS_ACCESS_REQUEST or RADIUS_ACCOUNTING_REQUEST */
	unsigned int server; /* RADIUS_ANY_SERVER, or the one that a State is of */
	const uint8_t *attributes;
	size_t len;
};

/* 0, and done() will be called, for a record of accounting maybe much later; or -EBUSY, -ENOMEM, -EMSGSIZE, -ENOENT: no server is asked for that. */
int radius_client_ask(struct radius_client *c, const struct radius_question *q, uint64_t now);
/* The owner waits no more. */
void radius_client_drop(struct radius_client *c, uint64_t owner);

/* What env was asked for. @error is 0 or a negative errno; -EAGAIN: that got lost, and env is to be asked again. */
void radius_client_signed(struct radius_client *c, uint64_t request, int error,
			  const uint8_t signature[RADIUS_AUTHENTICATOR], uint64_t now);
void radius_client_checked(struct radius_client *c, uint64_t request, int error,
			   enum radius_fault fault, const uint8_t *msk, size_t msk_len,
			   uint64_t now);
/* A datagram of the request's socket; or with @error, negative, what the network said of one that we sent. */
void radius_client_datagram(struct radius_client *c, uint64_t request, int error, const void *data,
			    size_t len, uint64_t now);
void radius_client_timer(struct radius_client *c, uint64_t now);
uint64_t radius_client_next(const struct radius_client *c); /* ms; UINT64_MAX: never */
unsigned int radius_client_records(const struct radius_client *c); /* under way, and waiting */
/* All records, also those under way, are @to's from now on, whose servers are others; what @from has else stays. */
void radius_client_move_records(struct radius_client *from, struct radius_client *to, uint64_t now);

/* How logins, or accounting, of a server went so far. */
struct radius_service_status {
	bool dead; /* it was silent, and did not answer since */
	uint64_t requests, answers; /* without repetitions; authentic ones */
};

struct radius_status {
	struct radius_service_status access, accounting;
	uint64_t accepts, rejects; /* of access.answers; others are challenges */
};

void radius_client_status(const struct radius_client *c, unsigned int server,
			  struct radius_status *out);

#endif
