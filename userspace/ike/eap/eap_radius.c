// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Whatever method a RADIUS server has for the user (RFC 3579): its requests go to the peer, and the peer's answers to
 * it, as they are. The agent asks it (IKE_JOB_RADIUS); here is one packet at a time. The user's name is the one that the
 * server accepted, which may be another than that of EAP's first answer, if a method hides it.
 *
 * Wrong passwords are counted where the method shows the name that they go with. In PEAP, TTLS and the like EAP's first answer may be
 * a name that many users share, which nobody may lock out by it; what is wrong within, the RADIUS server alone can count.
 */
#include "ike/eap/eap.h"

#include <string.h>

enum { TYPE_AT = 4 }; /* where a Response has its type */

struct radius_state {
	uint8_t talk[IKE_JOB_TALK]; /* what the agent knows the conversation by */
	uint8_t packet[EAP_MAX_PACKET]; /* of the peer, while the server is asked */
	size_t len;
};

/* Is a Response of @type, whatever it says, an answer to the question for the password of the user that EAP's first answer names? */
static bool shows_password(uint8_t type)
{
	return type == EAP_TYPE_MD5 || type == EAP_TYPE_GTC || type == EAP_TYPE_MSCHAPV2;
}

static enum eap_verdict ask(struct eap *e, struct eap_step *s, const void *packet, size_t len)
{
	struct radius_state *r = e->state;

	memcpy(r->packet, packet, len);
	r->len = len;
	s->job.kind = IKE_JOB_RADIUS;
	s->job.octets[0] = (struct ike_iov){ e->name, e->name_len };
	s->job.octets[1] = (struct ike_iov){ r->packet, r->len };
	s->job.octets[2] = (struct ike_iov){ r->talk, sizeof(r->talk) };
	s->tries_password = shows_password(r->packet[TYPE_AT]);
	return EAP_WAIT;
}

/* The answer to our question for the name, without what is not the name. */
static enum eap_verdict ask_as(struct eap *e, struct eap_step *s, const void *name, size_t name_len)
{
	size_t len = 5 + name_len;
	uint8_t packet[5 + EAP_MAX_NAME] = { EAP_RESPONSE, e->id, (uint8_t)(len >> 8), (uint8_t)len,
					     EAP_TYPE_IDENTITY };

	memcpy(packet + 5, name, name_len);
	return ask(e, s, packet, len);
}

static enum eap_verdict begin(struct eap *e, struct eap_step *s)
{
	struct radius_state *r = e->state;

	s->rng->fill(s->rng->ctx, r->talk, sizeof(r->talk));
	return ask_as(e, s, e->name, e->name_len);
}

/* The name comes again if its job got lost; that it is the same one, the agent sees. */
static enum eap_verdict take(struct eap *e, struct eap_step *s, const struct eap_packet *p)
{
	size_t len = eap_name_len(p);

	if (p->type == EAP_TYPE_IDENTITY && len <= EAP_MAX_NAME)
		return ask_as(e, s, p->data, len);
	return ask(e, s, p->whole.base, p->whole.len);
}

static enum eap_verdict finish(struct eap *e, struct eap_step *s, const struct ike_job_result *r)
{
	if (!r->eap_len || r->eap_len > sizeof(e->name))
		return eap_fail(e, s, "is accepted by the RADIUS server, but as whom is not known");
	if (r->auth_len != EAP_MSK_LEN)
		return eap_fail(e, s, "is accepted by the RADIUS server, but without MS-MPPE keys");
	memcpy(e->name, r->eap, r->eap_len);
	e->name_len = r->eap_len;
	return eap_finish(e, s, r->auth);
}

static enum eap_verdict judge(struct eap *e, struct eap_step *s, const struct ike_job_result *r)
{
	const struct radius_state *talk = e->state;

	if (r->verdict[0] == IKE_JOB_PROVEN)
		return finish(e, s, r);
	if (r->eap_len)
		return eap_forward(e, s, r->eap, r->eap_len);
	s->wrong_secret = shows_password(talk->packet[TYPE_AT]);
	return eap_fail(e, s, "is refused by the RADIUS server, whose log says why");
}

const struct eap_method eap_method_radius = {
	.name = "EAP by RADIUS",
	.word = "radius",
	.needs = EAP_NEEDS_LEGACY, /* RADIUS itself */
	.passes_through = true,
	.state_size = sizeof(struct radius_state),
	.server_begin = begin,
	.server_take = take,
	.server_job = judge,
};
