/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One end of a TLS connection as EAP-TLS has it (RFC 5216, RFC 9190): both ends show certificates, no data follows, and
 * what is kept of it is a key. TLS 1.2 and 1.3 of libssl, over bytes in memory. The only file that uses libssl is tls.c.
 *
 * No session is resumed and none can be: there are no tickets and no identifiers of sessions, no early data, no compression,
 * no second handshake. What the other end's certificates are worth is for the caller to judge (pki/): the handshake stops
 * until it has, so that we show our own certificate to none that is refused.
 */
#ifndef ESPTUN_IKE_TLS_H
#define ESPTUN_IKE_TLS_H

#include <stdbool.h>

#include "ike/crypto/crypto.h"

enum ike_tls_limits {
	IKE_TLS_MAX_CERTS = 12 * 1024, /* bytes of certificates, with what comes before each */
	IKE_TLS_MAX_REST = 8 * 1024, /* bytes of what is neither that nor names of CAs */
	/* Bytes that the other end may send in all: libssl takes as many of names of CAs as of certificates. */
	IKE_TLS_MAX = 2 * IKE_TLS_MAX_CERTS + IKE_TLS_MAX_REST,
	IKE_TLS_CERT_HEAD = 3, /* bytes: a certificate's length in network order */
	IKE_TLS_MSK = 64,
	IKE_TLS_WHY = 256,
};

/* What all connections of a process have in common. */
struct ike_tls_setup;
struct ike_tls;

/* NULL: memory is out, or the library lacks what is needed. */
struct ike_tls_setup *ike_tls_setup_new(void);
void ike_tls_setup_free(struct ike_tls_setup *setup); /* NULL is fine */

struct ike_tls_conf {
	bool server;
	uint8_t type; /* of EAP: TLS 1.3 derives the key from it */
	struct ike_iov key; /* private, in DER */
	const struct ike_iov *certs; /* DER, the one of the key first */
	unsigned int n_certs;
};

/*
 * A connection in which nothing was said yet, in *@out. @conf is copied, @setup has to live as long. 0; -EINVAL: @conf is no
 * end's; -ENOMEM. Without one *@out is NULL.
 */
int ike_tls_new(struct ike_tls_setup *setup, const struct ike_tls_conf *conf, struct ike_tls **out);
/* Wipes it. NULL is fine. */
void ike_tls_free(struct ike_tls *t);

enum ike_tls_state {
	IKE_TLS_GOES_ON, /* the other end's bytes are awaited */
	IKE_TLS_JUDGE, /* its certificates are shown: ike_tls_judge() is awaited */
	IKE_TLS_DONE, /* both proved that they have the keys of their certificates: there is an MSK */
	IKE_TLS_FAILED, /* see ike_tls_why(); an alert may be among the bytes to send */
};

/* Bytes of the other end. False: they are too many, or no memory is left, and it is over (FAILED). */
bool ike_tls_put(struct ike_tls *t, const void *data, size_t len);
/* Go on with all that there is. */
enum ike_tls_state ike_tls_run(struct ike_tls *t);
/* What that came to last. */
enum ike_tls_state ike_tls_state(const struct ike_tls *t);
/* The next bytes to send, @cap at most, and how many are left behind them. None are there before the state is another than JUDGE. */
size_t ike_tls_get(struct ike_tls *t, uint8_t *out, size_t cap, size_t *left);

/*
 * The other end's certificates as it showed them, each with IKE_TLS_CERT_HEAD bytes before it, of IKE_TLS_MAX_CERTS bytes at most; they
 * are the connection's.
 */
struct ike_iov ike_tls_certs(const struct ike_tls *t);
/* JUDGE: they are worth it, or not. ike_tls_run() goes on. */
void ike_tls_judge(struct ike_tls *t, bool good);

/* DONE: the key (RFC 5216 2.3, RFC 9190 2.3). 0 or -1. */
int ike_tls_msk(struct ike_tls *t, uint8_t out[IKE_TLS_MSK]);
/* FAILED: what happened, a sentence in which the other end is "peer". */
const char *ike_tls_why(const struct ike_tls *t);

#endif
