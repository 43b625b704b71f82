/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TLS as jobs (IKE_JOB_TLS): the one kind for which who does them keeps something, a connection from its first step to its last. It
 * is known by random bytes that the core made. Steps have numbers, so that one whose result got lost can be asked for again:
 * its answer is repeated. A connection ends by JOB_TLS_END. One that is not used for JOB_TLS_IDLE_MS is forgotten, and so is the one that was not used for
 * the longest time when there are JOB_TLS_MAX of them; its next step is -ESTALE.
 *
 * Whoever may ask for these jobs can have a connection of TLS with our private key and certificates, and learns its MSK; neither
 * data nor the keys of the connection come out, and nothing but its own handshake is signed.
 */
#ifndef ESPTUN_IKE_JOB_TLS_H
#define ESPTUN_IKE_JOB_TLS_H

#include "ike/auth/job.h"

enum job_tls_limits {
	JOB_TLS_MAX = 1024, /* connections */
	JOB_TLS_IDLE_MS = 90000,
	JOB_TLS_ID = 8, /* bytes that a connection is known by */
	JOB_TLS_REF = JOB_TLS_ID + 4, /* and the number of the step, in network order, from 1 on */
	JOB_TLS_HEAD =
		3, /* of what a step gives: enum job_tls_said, bytes that are left behind this */
	JOB_TLS_PART = 1024, /* bytes to send in one */
};

/*
 * octets of the job: [0] the connection and the step, [1] bytes of the other end, [2] to begin: our certificates, items
 * IKE_CRED_OWN_CERT (auth/cred.h). The key is the tunnel's private one.
 */
enum job_tls_op {
	JOB_TLS_SERVE, /* begin as the server, with all of the client's first message … */
	JOB_TLS_SERVE_PART, /* … or a part of it, when more will come */
	JOB_TLS_CONNECT, /* begin as the client; no bytes */
	JOB_TLS_TAKE, /* the last part of a message … */
	JOB_TLS_TAKE_PART, /* … and one before that */
	JOB_TLS_NEXT, /* what is left to send */
	JOB_TLS_CERTS, /* the certificates, or what is left of them */
	JOB_TLS_ACCEPT, /* they are worth it … */
	JOB_TLS_REFUSE, /* … or not */
	JOB_TLS_END, /* the IKE SA is set up, or ended: forget the connection, of any step, if it is there */
	JOB_TLS_OPS,
};

/* The first byte of a result's eap. */
enum job_tls_said {
	JOB_TLS_SEND, /* bytes to send, or none: the other end's are awaited */
	JOB_TLS_JUDGE, /* the other end's certificates are to be asked for, and judged */
	JOB_TLS_SHOW, /* bytes of them, as ike_tls_certs() has them */
	JOB_TLS_DONE, /* bytes to send, or none; auth is the MSK */
	JOB_TLS_FAIL, /* a sentence about the peer; what is left to send is an alert */
	JOB_TLS_SAID,
};

/* Does the step go on with the handshake, so that it takes time? The others move bytes. */
bool job_tls_is_costly(const struct ike_job *job);

struct job_tls; /* all connections */

/* NULL without memory. */
struct job_tls *job_tls_new(void);
/* Wipes all. NULL is fine. */
void job_tls_free(struct job_tls *all);
/* Do the job as ike_job_do() does others. @now: ms of a clock that does not go back. */
void job_tls_do(struct job_tls *all, const struct ike_job *job, ike_job_find_key find, void *ctx,
		uint64_t now, struct ike_job_result *out);
/* Do a job of any kind, as one or the other; @all NULL: those of TLS are not there (-ENOTSUP). */
void job_do_any(struct job_tls *all, const struct ike_job *job, ike_job_find_key find, void *ctx,
		uint64_t now, struct ike_job_result *out);
/* Forget what was not used for long. */
void job_tls_expire(struct job_tls *all, uint64_t now);
/* ms until there is something to forget; -1: there is nothing. */
int job_tls_left(const struct job_tls *all, uint64_t now);
/* How many connections there are: for tests. */
unsigned int job_tls_count(const struct job_tls *all);

#endif
