// SPDX-License-Identifier: GPL-2.0-or-later
#include "ike/keys/key_wire.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* What is left of a message. */
struct rest {
	const uint8_t *at;
	size_t len;
};

/* So many octets more; NULL if there are not as many. */
static const uint8_t *take(struct rest *r, size_t len)
{
	const uint8_t *at = r->at;

	if (len > r->len)
		return NULL;
	r->at += len;
	r->len -= len;
	return at;
}

static bool take_octets(struct rest *r, size_t len, size_t max, struct ike_iov *out)
{
	out->base = len <= max ? take(r, len) : NULL;
	out->len = len;
	return out->base;
}

static bool take_key(struct rest *r, size_t max, struct key_sealed *out)
{
	const uint8_t *head = take(r, sizeof(uint16_t));
	uint16_t len;

	if (!head)
		return false;
	memcpy(&len, head, sizeof(len));
	out->octets = len <= max ? take(r, len) : NULL;
	out->len = len;
	return out->octets;
}

bool key_call_parse(const uint8_t *data, size_t len, struct ike_job *job,
		    struct key_sealed keys[IKE_JOB_TUNNELS])
{
	struct rest r = { data, len };
	const uint8_t *head = take(&r, sizeof(struct key_call));
	struct key_call call;

	if (!head)
		return false;
	memcpy(&call, head, sizeof(call));
	if (call.kind >= IKE_JOB_KINDS || call.kind == IKE_JOB_RADIUS ||
	    call.kind == IKE_JOB_FETCH || call.prf > UINT16_MAX || call.alg > UINT16_MAX ||
	    !call.n_keys || call.n_keys > (call.kind == IKE_JOB_PSK_VERIFY ? IKE_JOB_TUNNELS : 1))
		return false;
	*job = (struct ike_job){
		.id = call.number,
		.kind = (enum ike_job_kind)call.kind,
		.n_tunnels = call.n_keys,
		.prf = (uint16_t)call.prf,
		.alg = (uint16_t)call.alg,
	};
	for (unsigned int i = 0; i < IKE_JOB_OCTETS; i++) {
		if (!take_octets(&r, call.octets_len[i], WIRE_OCTETS, &job->octets[i]))
			return false;
	}
	if (!take_octets(&r, call.auth_len, WIRE_AUTH, &job->auth))
		return false;
	for (unsigned int i = 0; i < call.n_keys; i++) {
		if (!take_key(&r, seal_room(job->kind), &keys[i]))
			return false;
	}
	return !r.len;
}

bool key_result_is_good(const struct ike_job_result *r, size_t len)
{
	if (len != sizeof(*r) || r->error > 0 || r->error < -4095 ||
	    r->auth_len > IKE_MAX_SIGNATURE || r->eap_len > IKE_JOB_EAP)
		return false;
	for (unsigned int i = 0; i < IKE_JOB_TUNNELS; i++) {
		if (r->verdict[i] > IKE_JOB_PROVEN)
			return false;
	}
	return true;
}

enum wire_got key_put(int fd, const struct iovec *parts, size_t n, bool wait)
{
	const struct msghdr m = { .msg_iov = (struct iovec *)parts, .msg_iovlen = n };
	ssize_t sent;

	do {
		sent = sendmsg(fd, &m, MSG_NOSIGNAL | (wait ? 0 : MSG_DONTWAIT));
	} while (sent < 0 && errno == EINTR);
	if (sent >= 0)
		return WIRE_OK;
	if (errno == EAGAIN)
		return WIRE_LATE;
	return errno == EPIPE || errno == ECONNRESET ? WIRE_GONE : WIRE_BAD;
}

enum wire_got key_get(int fd, void *data, size_t cap, size_t *len, bool wait)
{
	struct iovec iov = { data, cap };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	/* ECONNRESET, once, tells that the other end left something unread; what it said comes then. */
	do {
		n = recvmsg(fd, &m, wait ? 0 : MSG_DONTWAIT);
	} while (n < 0 && (errno == EINTR || errno == ECONNRESET));
	if (n <= 0)
		return n < 0 && errno == EAGAIN ? WIRE_LATE : WIRE_GONE;
	*len = (size_t)n;
	return m.msg_flags & MSG_TRUNC ? WIRE_BAD : WIRE_OK;
}
