/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the agent and the keys process tell each other, over a socket that keeps messages apart
 * (SOCK_SEQPACKET): a job is one message, its result another, and they come in the order of the jobs.
 *
 * Both ends are one program, so structures go as they are. Neither trusts the other: lengths are exact, and
 * nothing is used before it was looked at.
 */
#ifndef ESPTUN_IKE_KEY_WIRE_H
#define ESPTUN_IKE_KEY_WIRE_H

#include <sys/uio.h>

#include "ike/app/seal.h"
#include "ike/app/wire.h"

/*
 * Before each job. The octets to sign follow, then the AUTH value, and of each key uint16_t octets and these:
 * as it is sealed, or 0 for none. It is a PSK, or for IKE_JOB_SIGN and IKE_JOB_TLS the private key.
 */
struct key_call {
	uint64_t number; /* of the message: 1 and so on */
	uint32_t kind, prf, alg, n_keys;
	uint32_t octets_len[IKE_JOB_OCTETS], auth_len;
};

/* The result: a struct ike_job_result whose id is the number of the message. */

enum {
	KEY_LIST_MAX =
		IKE_JOB_TUNNELS * (sizeof(uint16_t) + SECRET_ROOM), /* a private key is alone */
	KEY_CALL_MAX =
		sizeof(struct key_call) + IKE_JOB_OCTETS * WIRE_OCTETS + WIRE_AUTH + KEY_LIST_MAX,
};

/* A sealed key within a message. */
struct key_sealed {
	const uint8_t *octets;
	size_t len; /* 0: there is none */
};

/*
 * Is the message of @len octets at @data a job? Then @job is that with the number as id, without tunnels and
 * peer, and @keys has its job->n_tunnels keys; both point into the message.
 */
bool key_call_parse(const uint8_t *data, size_t len, struct ike_job *job,
		    struct key_sealed keys[IKE_JOB_TUNNELS]);

/* Is the message of @len octets in @r a result? */
bool key_result_is_good(const struct ike_job_result *r, size_t len);

/*
 * One message. WIRE_GONE: the other end has ended; WIRE_LATE: without @wait, there is no room; WIRE_BAD: the
 * kernel does not take it.
 */
enum wire_got key_put(int fd, const struct iovec *parts, size_t n, bool wait);

/*
 * The next message, *@len octets in @data. WIRE_GONE: the other end has ended, and all it said was read;
 * WIRE_LATE: without @wait, there is none; WIRE_BAD: it is longer than @cap.
 */
enum wire_got key_get(int fd, void *data, size_t cap, size_t *len, bool wait);

#endif
