// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * EAP-MD5 (RFC 3748 5.4): the client hashes its password with a challenge. It proves nothing of the server,
 * makes no key, and needs the password in clear at both ends; so it is there for old peers, where it is named.
 */
#include "ike/eap/eap.h"

#include <string.h>

#include "ike/proto/cursor.h"

enum { CHALLENGE_LEN = 16, DIGEST_LEN = 16 };

struct md5 {
	uint8_t id;
	uint8_t challenge[UINT8_MAX];
	uint8_t len;
	bool answered;
};

/* Value-Size, Value, Name; the last one is left in @c. */
static bool parse_value(const struct eap_packet *p, const uint8_t **value, uint8_t *len,
			struct cursor *c)
{
	*c = cursor_init(p->data, p->len);
	*len = cursor_u8(c);
	*value = cursor_bytes(c, *len);
	return !c->bad && *len;
}

static struct ike_job job_of(enum ike_job_kind kind, const struct md5 *m)
{
	return (struct ike_job){ .kind = kind,
				 .octets = { { &m->id, 1 }, { m->challenge, m->len } } };
}

static enum eap_verdict send_challenge(struct eap *e, struct eap_step *s)
{
	struct md5 *m = e->state;

	m->len = CHALLENGE_LEN;
	m->id = (uint8_t)(e->id + 1);
	s->rng->fill(s->rng->ctx, m->challenge, m->len);
	return eap_request(e, s, EAP_TYPE_MD5,
			   &(struct eap_parts){
				   .n = 2, .part = { { &m->len, 1 }, { m->challenge, m->len } } });
}

static enum eap_verdict serve(struct eap *e, struct eap_step *s, const struct eap_packet *p)
{
	const uint8_t *value;
	struct cursor c;
	uint8_t len;

	if (!parse_value(p, &value, &len, &c) || len != DIGEST_LEN)
		return eap_fail(e, s, "peer's response of EAP-MD5 is malformed");
	/* Some say nothing there, or what their machine is called. */
	if (!e->name_len && !eap_take_name(e, c.p, c.left))
		return eap_fail(
			e, s,
			"peer gave no name, in EAP-Identity or in EAP-MD5: give it its user's name");
	s->job = job_of(IKE_JOB_MD5_VERIFY, e->state);
	s->job.auth = (struct ike_iov){ value, len };
	s->tries_password = true;
	return EAP_WAIT;
}

static enum eap_verdict serve_judged(struct eap *e, struct eap_step *s,
				     const struct ike_job_result *r)
{
	if (r->verdict[0] == IKE_JOB_PROVEN)
		return eap_finish(e, s, NULL);
	s->wrong_secret = true;
	if (r->verdict[0] == IKE_JOB_NO_KEY)
		return eap_fail(
			e, s,
			"peer is no user here with a password in clear, which EAP-MD5 needs: add a line for it to the file of Users=, and run esptun reload");
	return eap_fail(
		e, s,
		"peer does not have the password that we have for it: set the same at its end and in the file of Users=");
}

static enum eap_verdict answer(struct eap *e, struct eap_step *s, const struct eap_packet *p)
{
	struct md5 *m = e->state;
	const uint8_t *value;
	struct cursor c;

	if (m->answered)
		return eap_fail(e, s, "peer sent a second challenge of EAP-MD5");
	if (!parse_value(p, &value, &m->len, &c))
		return eap_fail(e, s, "peer's challenge of EAP-MD5 is malformed");
	memcpy(m->challenge, value, m->len);
	m->id = e->id;
	m->answered = true;
	s->job = job_of(IKE_JOB_MD5_RESPOND, m);
	return EAP_WAIT;
}

static enum eap_verdict answer_judged(struct eap *e, struct eap_step *s,
				      const struct ike_job_result *r)
{
	const uint8_t len = DIGEST_LEN;

	if (r->auth_len != DIGEST_LEN)
		return eap_fail(e, s, "no response of EAP-MD5 could be made");
	eap_response(e, s, EAP_TYPE_MD5,
		     &(struct eap_parts){ .n = 3,
					  .part = { { &len, 1 },
						    { r->auth, DIGEST_LEN },
						    { e->name, e->name_len } } });
	return eap_finish(e, s, NULL);
}

const struct eap_method eap_method_md5 = {
	.name = "EAP-MD5",
	.word = "md5",
	.type = EAP_TYPE_MD5,
	.needs = EAP_NEEDS_PASSWORD | EAP_NEEDS_LEGACY,
	.caution = "is broken: the server needs each password in clear, and proves nothing by it",
	.state_size = sizeof(struct md5),
	.server_begin = send_challenge,
	.server_take = serve,
	.server_job = serve_judged,
	.client_take = answer,
	.client_job = answer_judged,
};
