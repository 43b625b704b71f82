// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Any bytes as packets of EAP, for a server and for a client, whose jobs are done; and as the file of Users=. A server is
 * never convinced by them, nor a client: neither has the secret in them. Jobs of TLS have any result, and what certificates they
 * show is refused.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ike/eap/eap.h"
#include "ike/keys/client_keys.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SERVER, CLIENT, USERS, KINDS };

/* What is left of it. */
struct input {
	const uint8_t *data;
	size_t size;
};

static void fill(void *ctx, void *buf, size_t len)
{
	uint8_t *v = ctx;

	for (size_t i = 0; i < len; i++)
		((uint8_t *)buf)[i] = (*v)++;
}

static const uint8_t *find_secret(void *ctx, const struct ike_job *job, unsigned int i, size_t *len)
{
	static const uint8_t secret[] = "pnot in any input of at most a few bytes";

	(void)ctx;
	(void)job;
	(void)i;
	*len = sizeof(secret) - 1;
	return secret;
}

/* Of the bytes that follow the packet: what a step of TLS says. */
static void say_anything(struct input *in, struct ike_job_result *r)
{
	size_t len = in->size ? *in->data % 64 : 0;

	*r = (struct ike_job_result){ .auth_len = EAP_MSK_LEN };
	in->data += in->size > 0;
	in->size -= in->size > 0;
	if (len > in->size)
		len = in->size;
	memcpy(r->eap, in->data, len);
	r->eap_len = (uint32_t)len;
	in->data += len;
	in->size -= len;
}

static void do_job(struct input *in, const struct eap_step *s, struct ike_job_result *r)
{
	static const char tunnel[1][IKE_JOB_NAME] = { "t0" };
	struct ike_job job = s->job;

	job.n_tunnels = 1;
	job.tunnels = tunnel;
	if (job.kind == IKE_JOB_TLS)
		say_anything(in, r);
	else
		ike_job_do(&job, find_secret, NULL, r);
}

/* What is sent is a whole packet. */
static void check_out(const struct eap_step *s)
{
	if (s->out_len && (s->out_len < 4 || (size_t)(s->out[2] << 8 | s->out[3]) != s->out_len))
		abort();
}

static enum eap_verdict take(struct eap *e, const struct ike_rng *rng, const uint8_t *packet,
			     size_t len, struct input *in)
{
	struct eap_step s = { .rng = rng };
	enum eap_verdict verdict = eap_take(e, &s, packet, len);
	struct ike_job_result r;

	while (verdict == EAP_WAIT || verdict == EAP_JUDGE) {
		if (verdict == EAP_JUDGE) {
			verdict = eap_judged(e, &s, NULL, "peer is refused");
			continue;
		}
		do_job(in, &s, &r);
		s = (struct eap_step){ .rng = rng };
		verdict = eap_job_done(e, &s, &r);
	}
	check_out(&s);
	if (verdict == EAP_FAIL && !e->over)
		abort();
	return verdict;
}

/* Packets, each behind a byte of its length; one of them may be of the number that is due. */
static void converse(bool server, uint8_t methods, struct input in)
{
	uint8_t random = 0, copy[256];
	const struct ike_rng rng = { fill, &random };
	struct eap_step first = { .rng = &rng };
	enum eap_verdict verdict = EAP_SEND;
	struct eap e;

	if (server)
		eap_begin_server(&e, methods, &first);
	else
		eap_begin_client(&e, methods, "alice", 5);
	while (in.size > 1 && verdict == EAP_SEND) {
		size_t len = *in.data < in.size - 1 ? *in.data : in.size - 1;

		memcpy(copy, in.data + 1, len);
		in.data += 1 + len;
		in.size -= 1 + len;
		if (len > 3 && copy[1] == 0xff) { /* most would end at these, else */
			copy[1] = (uint8_t)(e.id + !server);
			copy[2] = 0;
			copy[3] = (uint8_t)len;
		}
		verdict = take(&e, &rng, copy, len, &in);
		/* MD5 proves nothing to the client. */
		if (verdict == EAP_DONE && (server || e.method != &eap_method_md5))
			abort();
	}
	eap_end(&e);
}

static void hear(void *ctx, bool error, unsigned int line, const char *text)
{
	(void)line;
	if (!*text)
		abort();
	*(bool *)ctx |= error;
}

static void read_users(const uint8_t *data, size_t size)
{
	struct client_keys l = { 0 };
	bool error = false;

	if (!client_keys_parse_users(&l, (const char *)data, size, hear, &error) == error)
		abort();
	client_keys_sort(&l);
	for (unsigned int i = 0; i < l.n && !error; i++) {
		if (!client_keys_find(l.v, l.n, &l.v[i].id) || l.v[i].len < 2)
			abort();
	}
	client_keys_clear(&l);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	if (*data % KINDS == USERS)
		read_users(data + 1, size - 1);
	else
		converse(*data % KINDS == SERVER, (uint8_t)(1 + *data / KINDS % 7),
			 (struct input){ data + 1, size - 1 });
	return 0;
}
