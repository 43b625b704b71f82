// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The packets of EAP that are of no method (RFC 3748 4, 5.1 to 5.3.1): their form, Identity, Notification, Nak,
 * Success and Failure; and the rule by which a method runs.
 *
 * One method runs in a conversation. A Nak can replace it by another one that is configured, but only in place of
 * the first answer to it. A server that has a method completed sends EAP-Success, and a client takes
 * EAP-Success only then: anything else ends the conversation, and IKE's with it.
 */
#include "ike/eap/eap.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "ike/proto/cursor.h"
#include "ike/proto/text.h"

enum { HEAD_LEN = 4 }; /* code, identifier, length */

static const struct eap_method *const methods[EAP_METHODS] = {
	[EAP_TLS] = &eap_method_tls,
	[EAP_MSCHAPV2] = &eap_method_mschapv2,
	[EAP_MD5] = &eap_method_md5,
	[EAP_RADIUS] = &eap_method_radius,
};

const struct eap_method *eap_method(unsigned int number)
{
	return number < EAP_METHODS ? methods[number] : NULL;
}

char *eap_words(char *buf, size_t size, uint8_t set)
{
	struct text t = text_init(buf, size);

	for (unsigned int i = 0; i < EAP_METHODS; i++) {
		if (set & 1u << i)
			text_add(&t, "%s%s", *buf ? ", " : "", methods[i]->word);
	}
	return buf;
}

unsigned int eap_needs(uint32_t set)
{
	unsigned int all = 0;

	for (unsigned int i = 0; i < EAP_METHODS; i++) {
		if (set & 1u << i)
			all |= methods[i]->needs;
	}
	return all;
}

uint8_t eap_proving_both(uint32_t set)
{
	uint8_t out = 0;

	for (unsigned int i = 0; i < EAP_METHODS; i++)
		out |= methods[i]->proves_both ? (uint8_t)(set & 1u << i) : 0;
	return out;
}

void eap_go_alone(struct eap *e)
{
	e->alone = true;
	e->allowed = eap_proving_both(e->allowed);
}

bool eap_all_need(uint32_t set, enum eap_need need)
{
	for (unsigned int i = 0; i < EAP_METHODS; i++) {
		if (set & 1u << i && !(methods[i]->needs & need))
			return false;
	}
	return set;
}

bool eap_asks_password(const struct eap *e)
{
	return e->method && e->method->needs & EAP_NEEDS_PASSWORD;
}

const char *eap_compare(const struct eap *e)
{
	return e->method && e->method->needs & EAP_NEEDS_CERTS ? "EAP=, Cert= and Key="
							       : "EAP= and Password=";
}

/* "26 (EAP-MSCHAPv2)". */
static char *print_type(char *buf, size_t size, uint8_t type)
{
	struct text t = text_init(buf, size);

	text_add(&t, "%u", type);
	for (unsigned int i = 0; i < EAP_METHODS; i++) {
		if (methods[i]->type == type)
			text_add(&t, " (%s)", methods[i]->name);
	}
	return buf;
}

/* ---- packets out --------------------------------------------------------------------------- */

static bool put_packet(struct eap_step *s, uint8_t code, uint8_t id, uint8_t type,
		       const struct eap_parts *parts)
{
	struct writer w = writer_init(s->out, sizeof(s->out));

	writer_u8(&w, code);
	writer_u8(&w, id);
	writer_be16(&w, 0); /* the length is patched below */
	if (type)
		writer_u8(&w, type);
	for (unsigned int i = 0; parts && i < parts->n; i++)
		writer_bytes(&w, parts->part[i].base, parts->part[i].len);
	if (w.bad)
		return false;
	s->out[2] = (uint8_t)(w.len >> 8);
	s->out[3] = (uint8_t)w.len;
	s->out_len = w.len;
	return true;
}

enum eap_verdict eap_request(struct eap *e, struct eap_step *s, uint8_t type,
			     const struct eap_parts *parts)
{
	e->id++;
	e->unanswered = false;
	return put_packet(s, EAP_REQUEST, e->id, type, parts)
		       ? EAP_SEND
		       : eap_fail(e, s, "a request of EAP has more than %d bytes", EAP_MAX_PACKET);
}

enum eap_verdict eap_response(struct eap *e, struct eap_step *s, uint8_t type,
			      const struct eap_parts *parts)
{
	e->unanswered = false;
	return put_packet(s, EAP_RESPONSE, e->id, type, parts)
		       ? EAP_SEND
		       : eap_fail(e, s, "an answer of EAP has more than %d bytes", EAP_MAX_PACKET);
}

enum eap_verdict eap_finish(struct eap *e, struct eap_step *s, const uint8_t *msk)
{
	if (e->alone && (!msk || !e->method->proves_both))
		return eap_fail(e, s, "%s does not prove who the server is, and nothing else does",
				e->method->name);
	if (msk) {
		memcpy(e->msk, msk, sizeof(e->msk));
		e->msk_len = sizeof(e->msk);
	}
	e->finished = true;
	if (!e->server)
		return EAP_SEND;
	e->over = true;
	put_packet(s, EAP_SUCCESS, e->id, 0, NULL);
	return EAP_DONE;
}

void eap_tell(struct eap_step *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(s->why, sizeof(s->why), fmt, ap);
	va_end(ap);
}

enum eap_verdict eap_fail(struct eap *e, struct eap_step *s, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(s->why, sizeof(s->why), fmt, ap);
	va_end(ap);
	e->over = true;
	e->finished = false;
	ike_wipe(e->msk, sizeof(e->msk));
	e->msk_len = 0;
	s->out_len = 0;
	if (e->server)
		put_packet(s, EAP_FAILURE, e->id, 0, NULL);
	return EAP_FAIL;
}

/* ---- packets in ---------------------------------------------------------------------------- */

/* Bytes behind the length that the packet itself says are no part of it (RFC 3748 4); IKE has none. */
static bool parse_packet(const uint8_t *data, size_t len, struct eap_packet *out)
{
	struct cursor c = cursor_init(data, len);

	*out = (struct eap_packet){ .whole = { data, len } };
	out->code = cursor_u8(&c);
	out->id = cursor_u8(&c);
	if (cursor_be16(&c) != len || c.bad || len > EAP_MAX_PACKET)
		return false;
	if (out->code == EAP_SUCCESS || out->code == EAP_FAILURE)
		return !c.left;
	out->type = cursor_u8(&c);
	out->data = c.p;
	out->len = c.left;
	return !c.bad && out->type && (out->code == EAP_REQUEST || out->code == EAP_RESPONSE);
}

enum eap_verdict eap_forward(struct eap *e, struct eap_step *s, const uint8_t *packet, size_t len)
{
	struct eap_packet p;

	if (!parse_packet(packet, len, &p) || p.code != EAP_REQUEST)
		return eap_fail(e, s, "%s sent no request of EAP", e->method->name);
	e->id = p.id;
	e->unanswered = false;
	memcpy(s->out, packet, len);
	s->out_len = len;
	return EAP_SEND;
}

/* ---- server -------------------------------------------------------------------------------- */

static void drop_state(struct eap *e)
{
	if (e->state && e->method->end)
		e->method->end(e);
	if (e->state)
		ike_wipe(e->state, e->method->state_size);
	free(e->state);
	e->state = NULL;
}

static bool begin_method(struct eap *e, const struct eap_method *method)
{
	drop_state(e);
	e->state = method->state_size ? calloc(1, method->state_size) : NULL;
	e->method = method;
	return e->state || !method->state_size;
}

void eap_begin_server(struct eap *e, uint8_t allowed, struct eap_step *s)
{
	*e = (struct eap){ .server = true, .allowed = allowed };
	s->rng->fill(s->rng->ctx, &e->id, 1);
	eap_request(e, s, EAP_TYPE_IDENTITY, NULL);
}

static enum eap_verdict begin_server_method(struct eap *e, struct eap_step *s, unsigned int i)
{
	if (!begin_method(e, methods[i]))
		return eap_fail(e, s, "no memory for %s", methods[i]->name);
	return methods[i]->server_begin(e, s);
}

/* The first method that is configured, and that @set has. */
static enum eap_verdict choose_method(struct eap *e, struct eap_step *s, uint8_t set,
				      const char *wanted)
{
	char ours[64];

	for (unsigned int i = 0; i < EAP_METHODS; i++) {
		if (e->allowed & set & ~e->refused & 1u << i)
			return begin_server_method(e, s, i);
	}
	eap_words(ours, sizeof(ours), e->allowed);
	if (e->alone)
		return eap_fail(
			e, s,
			"peer has us prove who we are by EAP alone (RFC 5998), and takes no method that does: it wants type %s, and of EAPMethods= that is %s: let its side take one of these, or our certificate in IKE",
			wanted, ours);
	return eap_fail(
		e, s,
		"peer takes no method of EAP that is configured here: it wants type %s, and EAPMethods= has %s: let its side take one of these, or add its method",
		wanted, ours);
}

size_t eap_name_len(const struct eap_packet *p)
{
	return strnlen((const char *)p->data, p->len);
}

static enum eap_verdict take_identity(struct eap *e, struct eap_step *s, const struct eap_packet *p)
{
	size_t len = eap_name_len(p);

	if (len > sizeof(e->name))
		return eap_fail(
			e, s,
			"peer's name of EAP has %zu bytes: expected at most %d, so give it its user's name",
			len, EAP_MAX_NAME);
	memcpy(e->name, p->data, len);
	e->name_len = len;
	e->named = true;
	return choose_method(e, s, UINT8_MAX, "none");
}

/* A Nak names methods that the peer would take instead (RFC 3748 5.3.1). */
static enum eap_verdict take_nak(struct eap *e, struct eap_step *s, const struct eap_packet *p)
{
	char wanted[64], *buf = wanted;
	struct text t = text_init(buf, sizeof(wanted));
	uint8_t set = 0;

	if (e->answered)
		return eap_fail(e, s,
				"peer left %s in the middle of it, which it may not: see its log",
				e->method->name);
	for (size_t i = 0; i < p->len; i++) {
		char type[40];

		if (t.len < sizeof(wanted) / 2)
			text_add(&t, "%s%s", i ? ", " : "",
				 print_type(type, sizeof(type), p->data[i]));
		for (unsigned int m = 0; m < EAP_METHODS; m++) {
			if (methods[m]->type == p->data[i])
				set |= (uint8_t)(1u << m);
		}
	}
	for (unsigned int m = 0; m < EAP_METHODS; m++) {
		if (methods[m] == e->method)
			e->refused |= (uint8_t)(1u << m);
	}
	drop_state(e);
	return choose_method(e, s, set, *wanted ? wanted : "none");
}

static enum eap_verdict take_response(struct eap *e, struct eap_step *s, const struct eap_packet *p)
{
	char type[40];

	if (p->code != EAP_RESPONSE)
		return eap_fail(e, s,
				"peer sent a packet of EAP with code %u where an answer was due",
				p->code);
	if (p->id != e->id)
		return eap_fail(e, s, "peer answered request %u of EAP, but %u is out", p->id,
				e->id);
	if (!e->named) {
		if (p->type == EAP_TYPE_IDENTITY)
			return take_identity(e, s, p);
		return eap_fail(e, s, "peer answered the question for its name with type %s of EAP",
				print_type(type, sizeof(type), p->type));
	}
	if (p->type == EAP_TYPE_NAK && !e->method->passes_through)
		return take_nak(e, s, p);
	if (p->type != e->method->type && !e->method->passes_through)
		return eap_fail(e, s,
				"peer answered %s with type %s of EAP, which was not asked for",
				e->method->name, print_type(type, sizeof(type), p->type));
	e->answered = true;
	return e->method->server_take(e, s, p);
}

/* ---- client -------------------------------------------------------------------------------- */

bool eap_begin_client(struct eap *e, uint8_t allowed, const void *name, size_t len)
{
	*e = (struct eap){ .allowed = allowed };
	if (!len || len > sizeof(e->name))
		return false;
	memcpy(e->name, name, len);
	e->name_len = len;
	return true;
}

/* The method of this type, if it is configured; NULL: it is not. */
static const struct eap_method *find_method(const struct eap *e, uint8_t type)
{
	for (unsigned int i = 0; i < EAP_METHODS; i++) {
		if (e->allowed & 1u << i && methods[i]->type == type && methods[i]->client_take)
			return methods[i];
	}
	return NULL;
}

/* The server has none of our methods, but one of @type. */
static enum eap_verdict fail_unwanted(struct eap *e, struct eap_step *s, uint8_t type)
{
	char theirs[40], ours[64];

	return eap_fail(
		e, s,
		"peer wants type %s of EAP, and EAPMethods= has %s: let the server offer one of these",
		print_type(theirs, sizeof(theirs), type),
		eap_words(ours, sizeof(ours), e->allowed));
}

/* A method that we do not take: say which ones we would. */
static enum eap_verdict send_nak(struct eap *e, struct eap_step *s, uint8_t type)
{
	uint8_t list[EAP_METHODS];
	size_t n = 0;

	if (e->refused)
		return fail_unwanted(e, s, type);
	for (unsigned int i = 0; i < EAP_METHODS; i++) {
		if (e->allowed & 1u << i)
			list[n++] = methods[i]->type;
	}
	e->refused = e->allowed; /* once: which ones we take is known then */
	e->unwanted = type;
	return eap_response(e, s, EAP_TYPE_NAK,
			    &(struct eap_parts){ .n = 1, .part = { { list, n } } });
}

/* The server did not prove who it is, and begins a method by which it never does (RFC 5998 3). */
static enum eap_verdict fail_alone(struct eap *e, struct eap_step *s, uint8_t type)
{
	char theirs[40], ours[64];

	return eap_fail(
		e, s,
		"peer leaves out its AUTH payload (RFC 5998) and wants type %s of EAP, which does not prove who it is: let the server take %s, or show its certificate in IKE",
		print_type(theirs, sizeof(theirs), type),
		eap_words(ours, sizeof(ours), e->allowed));
}

static enum eap_verdict take_method(struct eap *e, struct eap_step *s, const struct eap_packet *p)
{
	char type[40];

	if (e->method && p->type != e->method->type)
		return eap_fail(e, s,
				"peer left %s in the middle of it for type %s of EAP: see its log",
				e->method->name, print_type(type, sizeof(type), p->type));
	if (!e->method) {
		const struct eap_method *m = find_method(e, p->type);

		if (!m)
			return e->alone ? fail_alone(e, s, p->type) : send_nak(e, s, p->type);
		if (!begin_method(e, m))
			return eap_fail(e, s, "no memory for %s", m->name);
	}
	if (e->finished)
		return eap_fail(e, s, "peer goes on with %s, which is completed", e->method->name);
	e->answered = true;
	return e->method->client_take(e, s, p);
}

static enum eap_verdict take_request(struct eap *e, struct eap_step *s, const struct eap_packet *p)
{
	e->id = p->id; /* whatever it was before: IKE keeps requests apart (RFC 7296 3.16) */
	switch (p->type) {
	case EAP_TYPE_IDENTITY:
		if (e->method)
			break;
		return eap_response(e, s, EAP_TYPE_IDENTITY,
				    &(struct eap_parts){ .n = 1,
							 .part = { { e->name, e->name_len } } });
	case EAP_TYPE_NOTIFICATION: return eap_response(e, s, EAP_TYPE_NOTIFICATION, NULL);
	case EAP_TYPE_NAK: break;
	default: return take_method(e, s, p);
	}
	return eap_fail(e, s, "peer sent a request of EAP that is out of place: type %u", p->type);
}

static enum eap_verdict take_end(struct eap *e, struct eap_step *s, const struct eap_packet *p)
{
	if (p->code == EAP_FAILURE && e->unwanted && !e->method)
		return fail_unwanted(e, s, e->unwanted);
	if (p->code == EAP_FAILURE && (e->rejected || e->told)) /* why, the method said */
		return eap_fail(e, s, "%s", "");
	if (p->code == EAP_FAILURE) {
		e->rejected = eap_asks_password(e);
		return eap_fail(
			e, s,
			"peer refused us by EAP-Failure: compare %s with its list of users, and see its log",
			eap_compare(e));
	}
	if (!e->finished)
		return eap_fail(
			e, s,
			"peer sent EAP-Success before any method of EAP was completed, which proves nothing");
	e->over = true;
	return EAP_DONE;
}

static enum eap_verdict take_as_client(struct eap *e, struct eap_step *s,
				       const struct eap_packet *p)
{
	if (p->code == EAP_REQUEST)
		return take_request(e, s, p);
	if (p->code == EAP_RESPONSE)
		return eap_fail(e, s, "peer sent an answer of EAP where a request was due");
	return take_end(e, s, p);
}

/* ---- both ---------------------------------------------------------------------------------- */

enum eap_verdict eap_take(struct eap *e, struct eap_step *s, const uint8_t *data, size_t len)
{
	struct eap_packet p;

	s->out_len = 0;
	if (e->over)
		return eap_fail(e, s, "peer goes on with EAP, which is over");
	/* A packet comes again if the job that it was for got lost here, which is not the peer's fault. */
	e->rounds += !e->unanswered;
	e->unanswered = true;
	if (e->rounds > EAP_MAX_ROUNDS)
		return eap_fail(e, s, "peer sent more than %d packets of EAP", EAP_MAX_ROUNDS);
	if (!parse_packet(data, len, &p))
		return eap_fail(e, s, "peer sent a malformed packet of EAP, of %zu bytes", len);
	return e->server ? take_response(e, s, &p) : take_as_client(e, s, &p);
}

/* Of a job that failed. */
static const char *print_error(int error)
{
	if (error == -ESTALE)
		return "esptund-keys has forgotten what was said before, as it was restarted, or has too many handshakes: it goes with another attempt";
	return strerror(-error);
}

enum eap_verdict eap_job_done(struct eap *e, struct eap_step *s, const struct ike_job_result *r)
{
	s->out_len = 0;
	if (r->error)
		return eap_fail(e, s, "%s could not be done here: %s", e->method->name,
				print_error(r->error));
	return e->server ? e->method->server_job(e, s, r) : e->method->client_job(e, s, r);
}

enum eap_verdict eap_judged(struct eap *e, struct eap_step *s, const struct ike_id *id,
			    const char *fault)
{
	if (id && e->server)
		e->proven = *id;
	return e->method->judged(e, s, id ? NULL : fault);
}

bool eap_leave(struct eap *e, struct ike_job *job)
{
	return e->state && e->method->leave && e->method->leave(e, job);
}

void eap_end(struct eap *e)
{
	drop_state(e);
	ike_wipe(e, sizeof(*e));
}
