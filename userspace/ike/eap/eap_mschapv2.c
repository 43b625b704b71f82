// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * EAP-MSCHAPv2 (draft-kamath-pppext-eap-mschapv2, on RFC 2759): the server sends a challenge, the client answers
 * with a challenge of its own and a response to both, the server proves that it has the hash of the
 * password, too, and the client acknowledges that. Both have a key then (RFC 3079).
 *
 * Whoever sees challenges and response can try passwords until one fits, so the client answers no server
 * that did not prove who it is: x_eap.c sees to that. Hashes and passwords are with the keys process, which does
 * what needs them (auth/mschapv2.h).
 */
#include "ike/eap/eap.h"

#include <string.h>

#include "ike/auth/mschapv2.h"
#include "ike/proto/cursor.h"
#include "ike/proto/id.h"
#include "ike/proto/text.h"

enum opcode { OP_CHALLENGE = 1, OP_RESPONSE, OP_SUCCESS, OP_FAILURE };

enum {
	HEAD_LEN = 4, /* opcode, MS-CHAPv2-ID, MS-Length */
	RESPONSE_LEN = 49, /* peer challenge, 8 reserved bytes, response, flags */
	RESERVED_LEN = 8,
	ERROR_PASSWORD = 691,
};

/* What was sent last. */
enum phase { PHASE_NONE, PHASE_CHALLENGE, PHASE_SUCCESS, PHASE_FAILURE, PHASE_RESPONSE };

struct mschapv2 {
	enum phase phase;
	uint8_t ms_id;
	uint8_t challenge[MSCHAPV2_CHALLENGE]; /* the server's */
	uint8_t answer[MSCHAPV2_ANSWER]; /* the client's challenge and response */
	uint8_t proof[MSCHAPV2_AUTHENTICATOR]; /* the server's */
	uint8_t msk[MSCHAPV2_MSK]; /* server: once the client proved itself */
};

_Static_assert((int)MSCHAPV2_MSK == (int)EAP_MSK_LEN, "the key is as long as IKE takes it");

/* The user's name as it is hashed: without a domain (RFC 2759 4). */
static struct ike_iov hashed_name(const uint8_t *name, size_t len)
{
	size_t domain = eap_domain_len(name, len);

	return (struct ike_iov){ name + domain, len - domain };
}

/* The head of a packet, with @len bytes behind it, in @head; then the parts. */
static struct eap_parts begin_parts(uint8_t head[HEAD_LEN], enum opcode op, uint8_t id, size_t len)
{
	size_t all = HEAD_LEN + len;

	head[0] = (uint8_t)op;
	head[1] = id;
	head[2] = (uint8_t)(all >> 8);
	head[3] = (uint8_t)all;
	return (struct eap_parts){ .n = 1, .part = { { head, HEAD_LEN } } };
}

static void add_part(struct eap_parts *p, const void *data, size_t len)
{
	p->part[p->n++] = (struct ike_iov){ data, len };
}

/* What comes behind the head of @p, whose length is true; bad if it is not. */
static struct cursor open_packet(const struct eap_packet *p, uint8_t *op, uint8_t *id)
{
	struct cursor c = cursor_init(p->data, p->len);

	*op = cursor_u8(&c);
	*id = 0;
	if (c.left) {
		*id = cursor_u8(&c);
		c.bad |= cursor_be16(&c) != p->len;
	}
	return c;
}

/* ---- server -------------------------------------------------------------------------------- */

static enum eap_verdict send_challenge(struct eap *e, struct eap_step *s)
{
	static const char name[] = "esptun";
	struct mschapv2 *m = e->state;
	const uint8_t size = MSCHAPV2_CHALLENGE;
	uint8_t head[HEAD_LEN];
	struct eap_parts parts;

	s->rng->fill(s->rng->ctx, m->challenge, sizeof(m->challenge));
	m->phase = PHASE_CHALLENGE;
	m->ms_id = (uint8_t)(e->id + 1); /* that of the request, as all do */
	parts = begin_parts(head, OP_CHALLENGE, m->ms_id,
			    1 + sizeof(m->challenge) + sizeof(name) - 1);
	add_part(&parts, &size, 1);
	add_part(&parts, m->challenge, sizeof(m->challenge));
	add_part(&parts, name, sizeof(name) - 1);
	return eap_request(e, s, EAP_TYPE_MSCHAPV2, &parts);
}

/* The response is made with a name that is none, or not that of the user whose key would be tried. */
static enum eap_verdict refuse_name(struct eap *e, struct eap_step *s, const uint8_t *name,
				    size_t len)
{
	char id[IKE_MAX_ID + 16];
	struct ike_id other;

	if (!eap_identity(name, len, &other))
		return eap_fail(
			e, s,
			"peer gave no name of 1 to %d bytes in EAP-MSCHAPv2: give it its user's name",
			EAP_MAX_NAME);
	return eap_fail(
		e, s,
		"peer gave '%s' as its name in EAP-MSCHAPv2, which is another one than in EAP-Identity: let both be that of its user",
		ike_id_print(id, sizeof(id), &other));
}

static enum eap_verdict take_proof(struct eap *e, struct eap_step *s, struct cursor *c)
{
	struct mschapv2 *m = e->state;
	uint8_t size = cursor_u8(c);

	cursor_copy(c, m->answer, MSCHAPV2_CHALLENGE);
	cursor_bytes(c, RESERVED_LEN);
	cursor_copy(c, m->answer + MSCHAPV2_CHALLENGE, MSCHAPV2_RESPONSE);
	cursor_u8(c); /* flags */
	if (c->bad || size != RESPONSE_LEN)
		return eap_fail(e, s, "peer's response of EAP-MSCHAPv2 is malformed");
	if (!eap_take_name(e, c->p, c->left))
		return refuse_name(e, s, c->p, c->left);
	s->job = (struct ike_job){
		.kind = IKE_JOB_MSCHAPV2_VERIFY,
		.octets = { { m->challenge, sizeof(m->challenge) },
			    { m->answer, MSCHAPV2_CHALLENGE },
			    hashed_name(c->p, c->left) },
		.auth = { m->answer + MSCHAPV2_CHALLENGE, MSCHAPV2_RESPONSE },
	};
	s->tries_password = true;
	return EAP_WAIT;
}

static enum eap_verdict serve(struct eap *e, struct eap_step *s, const struct eap_packet *p)
{
	struct mschapv2 *m = e->state;
	uint8_t op, id;
	struct cursor c = open_packet(p, &op, &id);

	if (m->phase == PHASE_FAILURE) /* whatever it says to that: it was told */
		return eap_fail(e, s, "%s", "");
	if (m->phase == PHASE_CHALLENGE && op == OP_RESPONSE && id == m->ms_id && !c.bad)
		return take_proof(e, s, &c);
	if (m->phase == PHASE_SUCCESS && op == OP_SUCCESS && !c.bad)
		return eap_finish(e, s, m->msk);
	if (m->phase == PHASE_SUCCESS && op == OP_FAILURE)
		return eap_fail(
			e, s,
			"peer says that we do not have its password: set the same at its end and in the file of Users=");
	return eap_fail(e, s, "peer's answer of EAP-MSCHAPv2 is malformed, or out of place");
}

static enum eap_verdict send_success(struct eap *e, struct eap_step *s)
{
	char text[2 * MSCHAPV2_AUTHENTICATOR + 16];
	struct text t = text_init(text, sizeof(text));
	struct mschapv2 *m = e->state;
	uint8_t head[HEAD_LEN];
	struct eap_parts parts;

	m->phase = PHASE_SUCCESS;
	text_add(&t, "S=");
	for (size_t i = 0; i < sizeof(m->proof); i++)
		text_add(&t, "%02X", m->proof[i]);
	text_add(&t, " M=OK");
	parts = begin_parts(head, OP_SUCCESS, m->ms_id, t.len);
	add_part(&parts, text, t.len);
	return eap_request(e, s, EAP_TYPE_MSCHAPV2, &parts);
}

/* No second try: it would be one more packet for a guess, and clients ask their user again anyway. */
static enum eap_verdict send_failure(struct eap *e, struct eap_step *s)
{
	char text[128];
	struct text t = text_init(text, sizeof(text));
	struct mschapv2 *m = e->state;
	uint8_t head[HEAD_LEN], next[MSCHAPV2_CHALLENGE];
	struct eap_parts parts;

	m->phase = PHASE_FAILURE;
	s->rng->fill(s->rng->ctx, next, sizeof(next));
	text_add(&t, "E=%d R=0 C=", ERROR_PASSWORD);
	for (size_t i = 0; i < sizeof(next); i++)
		text_add(&t, "%02X", next[i]);
	text_add(&t, " V=3 M=Authentication failed");
	parts = begin_parts(head, OP_FAILURE, m->ms_id, t.len);
	add_part(&parts, text, t.len);
	return eap_request(e, s, EAP_TYPE_MSCHAPV2, &parts);
}

static enum eap_verdict serve_judged(struct eap *e, struct eap_step *s,
				     const struct ike_job_result *r)
{
	struct mschapv2 *m = e->state;

	if (r->verdict[0] == IKE_JOB_PROVEN && r->auth_len == sizeof(m->proof) + sizeof(m->msk)) {
		memcpy(m->proof, r->auth, sizeof(m->proof));
		memcpy(m->msk, r->auth + sizeof(m->proof), sizeof(m->msk));
		return send_success(e, s);
	}
	s->wrong_secret = true;
	if (r->verdict[0] == IKE_JOB_NO_KEY)
		eap_tell(
			s,
			"peer is no user here: add a line for it to the file of Users=, and run esptun reload");
	else
		eap_tell(
			s,
			"peer does not have the password that we have for it: set the same at its end and in the file of Users=");
	return send_failure(e, s);
}

/* ---- client -------------------------------------------------------------------------------- */

static enum eap_verdict take_challenge(struct eap *e, struct eap_step *s, struct cursor *c)
{
	struct mschapv2 *m = e->state;
	uint8_t size = cursor_u8(c);

	cursor_copy(c, m->challenge, sizeof(m->challenge));
	if (c->bad || size != sizeof(m->challenge))
		return eap_fail(e, s, "peer's challenge of EAP-MSCHAPv2 is malformed");
	m->phase = PHASE_CHALLENGE;
	s->job = (struct ike_job){
		.kind = IKE_JOB_MSCHAPV2_RESPOND,
		.octets = { { m->challenge, sizeof(m->challenge) },
			    { NULL, 0 },
			    hashed_name(e->name, e->name_len) },
	};
	return EAP_WAIT;
}

/* "S=" and 40 digits; more may follow. */
static bool read_success(const struct cursor *c, uint8_t out[MSCHAPV2_AUTHENTICATOR])
{
	char digits[2 * MSCHAPV2_AUTHENTICATOR + 1] = { 0 };
	size_t len;

	if (c->left < 2 + sizeof(digits) - 1 || memcmp(c->p, "S=", 2) != 0)
		return false;
	memcpy(digits, c->p + 2, sizeof(digits) - 1);
	return !ike_hex_from_text(digits, out, MSCHAPV2_AUTHENTICATOR, &len) &&
	       len == MSCHAPV2_AUTHENTICATOR;
}

static enum eap_verdict take_success(struct eap *e, struct eap_step *s, const struct cursor *c)
{
	struct mschapv2 *m = e->state;

	if (!read_success(c, m->proof))
		return eap_fail(e, s, "peer's success of EAP-MSCHAPv2 is malformed");
	m->phase = PHASE_SUCCESS;
	s->job = (struct ike_job){
		.kind = IKE_JOB_MSCHAPV2_CONFIRM,
		.octets = { { m->challenge, sizeof(m->challenge) },
			    { m->answer, sizeof(m->answer) },
			    hashed_name(e->name, e->name_len) },
		.auth = { m->proof, sizeof(m->proof) },
	};
	return EAP_WAIT;
}

/* "E=691 R=0 C=... V=3 M=..." (RFC 2759 6). We acknowledge it, so that the server ends this at once; EAP-Failure follows. */
static enum eap_verdict take_failure(struct eap *e, struct eap_step *s, const struct cursor *c)
{
	static const struct {
		unsigned int error;
		const char *what;
	} rows[] = {
		{ 646, "the user may not connect at this hour" },
		{ 647, "the user's account is disabled" },
		{ 648, "the password has expired" },
		{ 649, "the user may not connect from outside" },
		{ ERROR_PASSWORD, "it does not know the user, or has another password for it" },
		{ 709, "the password could not be changed" },
	};
	static const uint8_t failure = OP_FAILURE;
	struct mschapv2 *m = e->state;
	const char *what = "see its log";
	unsigned int error = 0;
	size_t at = 2;

	if (c->left > 2 && !memcmp(c->p, "E=", 2)) {
		for (; at < c->left && at < 12 && c->p[at] >= '0' && c->p[at] <= '9'; at++)
			error = 10 * error % 1000000 + (unsigned int)(c->p[at] - '0');
	}
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].error == error)
			what = rows[i].what;
	}
	eap_tell(
		s,
		"peer refused our user's name or password (error %u: %s): compare EAP= and Password= with its list of users",
		error, what);
	m->phase = PHASE_FAILURE;
	e->rejected = true;
	return eap_response(e, s, EAP_TYPE_MSCHAPV2,
			    &(struct eap_parts){ .n = 1, .part = { { &failure, 1 } } });
}

static enum eap_verdict answer(struct eap *e, struct eap_step *s, const struct eap_packet *p)
{
	struct mschapv2 *m = e->state;
	uint8_t op, id;
	struct cursor c = open_packet(p, &op, &id);

	if (!c.bad && op == OP_CHALLENGE && m->phase == PHASE_NONE) {
		m->ms_id = id;
		return take_challenge(e, s, &c);
	}
	if (!c.bad && op == OP_SUCCESS && m->phase == PHASE_RESPONSE)
		return take_success(e, s, &c);
	if (!c.bad && op == OP_FAILURE && m->phase == PHASE_RESPONSE)
		return take_failure(e, s, &c);
	return eap_fail(e, s, "peer's request of EAP-MSCHAPv2 is malformed, or out of place");
}

static enum eap_verdict send_response(struct eap *e, struct eap_step *s,
				      const struct ike_job_result *r)
{
	struct mschapv2 *m = e->state;
	uint8_t head[HEAD_LEN], value[1 + RESPONSE_LEN] = { RESPONSE_LEN };
	struct eap_parts parts;

	if (r->auth_len != sizeof(m->answer))
		return eap_fail(e, s, "no response of EAP-MSCHAPv2 could be made");
	memcpy(m->answer, r->auth, sizeof(m->answer));
	memcpy(value + 1, m->answer, MSCHAPV2_CHALLENGE);
	memcpy(value + 1 + MSCHAPV2_CHALLENGE + RESERVED_LEN, m->answer + MSCHAPV2_CHALLENGE,
	       MSCHAPV2_RESPONSE);
	m->phase = PHASE_RESPONSE;
	parts = begin_parts(head, OP_RESPONSE, m->ms_id, sizeof(value) + e->name_len);
	add_part(&parts, value, sizeof(value));
	add_part(&parts, e->name, e->name_len);
	return eap_response(e, s, EAP_TYPE_MSCHAPV2, &parts);
}

static enum eap_verdict answer_judged(struct eap *e, struct eap_step *s,
				      const struct ike_job_result *r)
{
	static const uint8_t success = OP_SUCCESS;
	struct mschapv2 *m = e->state;

	if (m->phase == PHASE_CHALLENGE)
		return send_response(e, s, r);
	if (r->verdict[0] != IKE_JOB_PROVEN || r->auth_len != sizeof(m->msk))
		return eap_fail(
			e, s,
			"peer does not have our password, though it says that ours is right: it is another server than it should be, or see its log");
	eap_response(e, s, EAP_TYPE_MSCHAPV2,
		     &(struct eap_parts){ .n = 1, .part = { { &success, 1 } } });
	return eap_finish(e, s, r->auth);
}

const struct eap_method eap_method_mschapv2 = {
	.name = "EAP-MSCHAPv2",
	.word = "mschapv2",
	.type = EAP_TYPE_MSCHAPV2,
	.needs = EAP_NEEDS_PASSWORD | EAP_NEEDS_LEGACY,
	.state_size = sizeof(struct mschapv2),
	.server_begin = send_challenge,
	.server_take = serve,
	.server_job = serve_judged,
	.client_take = answer,
	.client_job = answer_judged,
};
