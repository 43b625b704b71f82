// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * EAP-TLS (RFC 5216, with TLS 1.3 RFC 9190): how messages of TLS travel in packets of EAP, in either role. A message may come
 * in parts, of which each is acknowledged by an empty packet; so do ours leave.
 *
 * The handshake is with the keys process, which has the private key: each step of it is a job (auth/job_tls.h), and it keeps what we
 * have yet to send. Here is what a packet says of itself, and who may say what when. What the other end's certificates are worth is for
 * the caller to judge (EAP_JUDGE), as those of IKE_AUTH.
 */
#include "ike/eap/eap.h"

#include <stdlib.h>
#include <string.h>

#include "ike/auth/job_tls.h"
#include "ike/crypto/tls.h"
#include "ike/proto/cursor.h"

enum flags { FLAG_LENGTH = 0x80, FLAG_MORE = 0x40, FLAG_START = 0x20 };

enum phase {
	PHASE_BEGIN, /* nothing was said in TLS */
	PHASE_TALK,
	PHASE_DONE, /* server: all is said, and is to be acknowledged */
	PHASE_FAILED, /* our alert is out */
};

struct tls_state {
	enum phase phase;
	uint8_t ref[JOB_TLS_REF]; /* what the keys process knows the connection by, and the step */
	uint32_t step;
	enum job_tls_op op; /* of the last job */
	bool asked; /* its result is not here yet */
	bool told; /* why it failed */
	bool judging; /* the other end's certificates are yet to be judged */
	bool accepted; /* … and are worth it */
	uint32_t announced,
		got; /* bytes of a message that comes in parts; announced 0: none does */
	uint32_t left; /* bytes of ours that wait until what is out is acknowledged */
	uint8_t *certs; /* of the other end */
	uint32_t certs_len, certs_room;
	uint8_t msk[EAP_MSK_LEN];
};

enum { OTHER_ROUNDS = 8 }; /* Identity, a Nak, the start, acknowledgements of the last messages */

_Static_assert((int)IKE_TLS_MSK == (int)EAP_MSK_LEN, "the key is as long as IKE takes it");
_Static_assert(2 * (int)IKE_TLS_MAX / (int)JOB_TLS_PART + (int)OTHER_ROUNDS <= (int)EAP_MAX_ROUNDS,
	       "either end may send all that TLS takes, in parts as long as ours");

/* ---- jobs ------------------------------------------------------------------------------------- */

static struct ike_job job_of(struct tls_state *t, enum job_tls_op op, struct ike_iov bytes)
{
	struct writer w = writer_init(t->ref + JOB_TLS_ID, sizeof(t->ref) - JOB_TLS_ID);

	writer_be32(&w, t->step);
	return (struct ike_job){
		.kind = IKE_JOB_TLS,
		.alg = (uint16_t)op,
		.octets = { { t->ref, sizeof(t->ref) }, bytes },
	};
}

/* Begin the job of t->op. Whoever has begun it already gives the same result once more. */
static enum eap_verdict begin_job(struct eap *e, struct eap_step *s, struct ike_iov bytes)
{
	struct tls_state *t = e->state;

	s->own_certs = t->step == 1;
	s->job = job_of(t, t->op, bytes);
	return EAP_WAIT;
}

/* @bytes: of the other end's message. */
static enum eap_verdict ask(struct eap *e, struct eap_step *s, enum job_tls_op op,
			    struct ike_iov bytes)
{
	struct tls_state *t = e->state;

	t->op = op;
	t->step++;
	t->asked = true;
	return begin_job(e, s, bytes);
}

static enum eap_verdict ask_for(struct eap *e, struct eap_step *s, enum job_tls_op op)
{
	return ask(e, s, op, (struct ike_iov){ NULL, 0 });
}

/* ---- packets out -------------------------------------------------------------------------------- */

static enum eap_verdict send_packet(struct eap *e, struct eap_step *s, const uint8_t *head,
				    size_t head_len, struct ike_iov bytes)
{
	const struct eap_parts parts = { .n = 2, .part = { { head, head_len }, bytes } };

	return (e->server ? eap_request : eap_response)(e, s, EAP_TYPE_TLS, &parts);
}

/* Our next bytes, of which t->left are to come; none: an acknowledgement. The first ones of several say how many they all are. */
static enum eap_verdict send_part(struct eap *e, struct eap_step *s, struct ike_iov bytes)
{
	struct tls_state *t = e->state;
	bool first = t->left && t->op != JOB_TLS_NEXT;
	uint8_t head[5];
	struct writer w = writer_init(head, sizeof(head));

	writer_u8(&w, (first ? FLAG_LENGTH : 0) | (t->left ? FLAG_MORE : 0));
	if (first)
		writer_be32(&w, (uint32_t)bytes.len + t->left);
	return send_packet(e, s, head, w.len, bytes);
}

/* ---- results of jobs ------------------------------------------------------------------------------ */

/* Nobody waits for a server that has nothing to say. */
static enum eap_verdict send_bytes(struct eap *e, struct eap_step *s, struct ike_iov bytes)
{
	struct tls_state *t = e->state;
	bool part = t->op == JOB_TLS_TAKE_PART || t->op == JOB_TLS_SERVE_PART;

	if (!bytes.len && !part && e->server)
		return eap_fail(e, s, "peer's message of TLS is not whole: see its log");
	e->told |= t->phase == PHASE_FAILED;
	return send_part(e, s, bytes);
}

static enum eap_verdict collect_certs(struct eap *e, struct eap_step *s, struct ike_iov bytes)
{
	struct tls_state *t = e->state;

	if (!t->certs || bytes.len > t->certs_room - t->certs_len)
		return eap_fail(e, s, "certificates of EAP-TLS got lost here");
	if (bytes.len)
		memcpy(t->certs + t->certs_len, bytes.base, bytes.len);
	t->certs_len += (uint32_t)bytes.len;
	if (t->left && bytes.len)
		return ask_for(e, s, JOB_TLS_CERTS);
	t->left = 0;
	t->judging = true;
	e->certs = (struct ike_iov){ t->certs, t->certs_len };
	return EAP_JUDGE;
}

static enum eap_verdict ask_certs(struct eap *e, struct eap_step *s)
{
	struct tls_state *t = e->state;

	if (t->certs || !t->left || t->left > IKE_TLS_MAX_CERTS)
		return eap_fail(e, s, "peer shows certificates twice, or none, in EAP-TLS");
	t->certs_room = t->left;
	t->certs = malloc(t->certs_room);
	if (!t->certs)
		return eap_fail(e, s, "no memory for certificates of EAP-TLS");
	return ask_for(e, s, JOB_TLS_CERTS);
}

/* Both have the key. The client's last packet is an acknowledgement, and EAP-Success may come. */
static enum eap_verdict conclude(struct eap *e, struct eap_step *s, struct ike_iov bytes,
				 const struct ike_job_result *r)
{
	struct tls_state *t = e->state;

	/* Without a judgement no certificate proved anything. */
	if (r->auth_len != sizeof(t->msk) || !t->accepted)
		return eap_fail(e, s, "EAP-TLS made no key");
	memcpy(t->msk, r->auth, sizeof(t->msk));
	t->phase = PHASE_DONE;
	if (e->server)
		return send_bytes(e, s, bytes);
	if (send_part(e, s, bytes) == EAP_FAIL)
		return EAP_FAIL;
	return eap_finish(e, s, t->msk);
}

/* An alert that tells the other end why goes out before it is over. */
static enum eap_verdict give_up(struct eap *e, struct eap_step *s, struct ike_iov why)
{
	static const char text[] = "%.*s: see its log, and compare both ends' certificates and CAs";
	struct tls_state *t = e->state;
	bool told = t->told;

	t->told = true;
	t->phase = PHASE_FAILED;
	if (t->left && !told)
		eap_tell(s, text, (int)why.len, (const char *)why.base);
	if (t->left)
		return ask_for(e, s, JOB_TLS_NEXT);
	if (told)
		return eap_fail(e, s, "%s", "");
	return eap_fail(e, s, text, (int)why.len, (const char *)why.base);
}

static enum eap_verdict take_result(struct eap *e, struct eap_step *s,
				    const struct ike_job_result *r)
{
	struct cursor c = cursor_init(r->eap, r->eap_len);
	struct tls_state *t = e->state;
	uint8_t said = cursor_u8(&c);
	struct ike_iov bytes;

	t->asked = false;
	t->left = cursor_be16(&c);
	bytes = (struct ike_iov){ c.p, c.left };
	if (c.bad)
		return eap_fail(e, s, "EAP-TLS could not be done here");
	switch (said) {
	case JOB_TLS_SEND: return send_bytes(e, s, bytes);
	case JOB_TLS_JUDGE: return ask_certs(e, s);
	case JOB_TLS_SHOW: return collect_certs(e, s, bytes);
	case JOB_TLS_DONE: return conclude(e, s, bytes, r);
	default: return give_up(e, s, bytes);
	}
}

static enum eap_verdict judge(struct eap *e, struct eap_step *s, const char *fault)
{
	struct tls_state *t = e->state;

	t->judging = false;
	t->accepted = !fault;
	if (!fault)
		return ask_for(e, s, JOB_TLS_ACCEPT);
	/* libssl has no alert for a server that is through with its handshake. */
	if (e->server)
		return eap_fail(e, s, "%s", fault);
	eap_tell(s, "%s", fault);
	t->told = true;
	return ask_for(e, s, JOB_TLS_REFUSE);
}

/* ---- packets in ----------------------------------------------------------------------------------- */

/* What comes behind the flags, and how many bytes the message has that it is of; 0: it does not say. */
static struct cursor open_packet(const struct eap_packet *p, uint8_t *flags, uint32_t *length)
{
	struct cursor c = cursor_init(p->data, p->len);

	*flags = cursor_u8(&c);
	*length = *flags & FLAG_LENGTH ? cursor_be32(&c) : 0;
	return c;
}

/* A part of a message, or all of one. NULL, or what is wrong with it. */
static const char *take_length(struct tls_state *t, uint8_t flags, uint32_t length, size_t len)
{
	bool more = flags & FLAG_MORE;

	if (!t->announced && more && !length)
		return "peer sends a message of EAP-TLS in parts, and does not say how long it is";
	if (t->announced && length && length != t->announced)
		return "peer says two lengths of one message of EAP-TLS";
	if (!t->announced)
		t->announced = length ? length : (uint32_t)len;
	if (t->announced > IKE_TLS_MAX)
		return "peer sends a message of EAP-TLS that is too long: give it fewer or shorter certificates";
	if (len > t->announced - t->got)
		return "peer sends more of a message of EAP-TLS than it said";
	t->got += (uint32_t)len;
	if (more != (t->got < t->announced))
		return more ? "peer sends all of a message of EAP-TLS, and says that more of it comes"
			    : "peer sends less of a message of EAP-TLS than it said";
	if (!more)
		t->announced = t->got = 0;
	return NULL;
}

static enum job_tls_op op_of(const struct tls_state *t, bool more)
{
	if (t->phase == PHASE_BEGIN)
		return more ? JOB_TLS_SERVE_PART : JOB_TLS_SERVE;
	return more ? JOB_TLS_TAKE_PART : JOB_TLS_TAKE;
}

static enum eap_verdict take_bytes(struct eap *e, struct eap_step *s, uint8_t flags,
				   uint32_t length, struct ike_iov bytes)
{
	struct tls_state *t = e->state;
	const char *fault = bytes.len ? take_length(t, flags, length, bytes.len)
				      : "peer says nothing in EAP-TLS where a message is due";
	enum job_tls_op op = op_of(t, flags & FLAG_MORE);

	if (fault)
		return eap_fail(e, s, "%s", fault);
	t->phase = PHASE_TALK;
	return ask(e, s, op, bytes);
}

/* It heard what is out. */
static enum eap_verdict take_ack(struct eap *e, struct eap_step *s)
{
	struct tls_state *t = e->state;

	if (t->left)
		return ask_for(e, s, JOB_TLS_NEXT);
	return eap_finish(e, s, t->msk);
}

static enum eap_verdict take_packet(struct eap *e, struct eap_step *s, const struct eap_packet *p)
{
	struct tls_state *t = e->state;
	uint32_t length;
	uint8_t flags;
	struct cursor c = open_packet(p, &flags, &length);
	bool is_ack = !c.left && !(flags & (FLAG_LENGTH | FLAG_MORE));

	if (c.bad)
		return eap_fail(e, s, "peer's packet of EAP-TLS is malformed");
	if (t->asked) /* the job got lost, or its result */
		return begin_job(e, s, (struct ike_iov){ c.p, c.left });
	if (t->judging) /* that was dropped */
		return EAP_JUDGE;
	if (t->phase == PHASE_FAILED) /* whatever it says to that: it was told */
		return eap_fail(e, s, "%s", "");
	if (flags & FLAG_START)
		return eap_fail(e, s, "peer begins EAP-TLS in the middle of it");
	if ((t->left || t->phase == PHASE_DONE) && is_ack)
		return take_ack(e, s);
	if (t->left || t->phase == PHASE_DONE)
		return eap_fail(e, s, "peer does not wait for all of our message of EAP-TLS");
	return take_bytes(e, s, flags, length, (struct ike_iov){ c.p, c.left });
}

/* ---- how it begins and ends --------------------------------------------------------------------------- */

static void begin_state(struct eap *e, struct eap_step *s)
{
	struct tls_state *t = e->state;

	s->rng->fill(s->rng->ctx, t->ref, JOB_TLS_ID);
}

static enum eap_verdict send_start(struct eap *e, struct eap_step *s)
{
	static const uint8_t start = FLAG_START;

	begin_state(e, s);
	return send_packet(e, s, &start, 1, (struct ike_iov){ NULL, 0 });
}

static enum eap_verdict take_request(struct eap *e, struct eap_step *s, const struct eap_packet *p)
{
	struct tls_state *t = e->state;
	uint32_t length;
	uint8_t flags;
	struct cursor c = open_packet(p, &flags, &length);

	if (t->phase != PHASE_BEGIN)
		return take_packet(e, s, p);
	/* Some say how long it is: 0. */
	if (c.bad || !(flags & FLAG_START) || flags & FLAG_MORE || c.left)
		return eap_fail(e, s, "peer does not begin EAP-TLS as it has to");
	begin_state(e, s);
	t->phase = PHASE_TALK;
	return ask_for(e, s, JOB_TLS_CONNECT);
}

/* The keys process would keep the connection for a while, and has room for so many. */
static bool leave(struct eap *e, struct ike_job *job)
{
	struct tls_state *t = e->state;

	*job = job_of(t, JOB_TLS_END, (struct ike_iov){ NULL, 0 });
	return t->step;
}

static void end(struct eap *e)
{
	struct tls_state *t = e->state;

	free(t->certs);
}

const struct eap_method eap_method_tls = {
	.name = "EAP-TLS",
	.word = "tls",
	.type = EAP_TYPE_TLS,
	.needs = EAP_NEEDS_CERTS,
	.proves_both = true,
	.state_size = sizeof(struct tls_state),
	.server_begin = send_start,
	.server_take = take_packet,
	.server_job = take_result,
	.client_take = take_request,
	.client_job = take_result,
	.judged = judge,
	.leave = leave,
	.end = end,
};
