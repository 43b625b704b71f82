// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * EAP of a RADIUS server, a job of the core (IKE_JOB_RADIUS): the peer's packet goes to the server as it is, and what
 * comes back goes to the peer (RFC 3579). Conversations are kept here, with the State that the server gave: the
 * process that speaks IKE knows each by a number that it chose, and sees neither State nor Class.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ike/app/agent_int.h"
#include "ike/eap/eap.h"
#include "ike/proto/id.h"

enum {
	TALKS = 1536, /* of a tunnel at a time, as many as the core has half-open IKE SAs */
	TALK_LASTS = 60000, /* ms without a word, after which the core has given it up */
	ATTRIBUTES = RADIUS_MAX,
	FRAMED_MTU = 1400, /* bytes: longer packets of EAP the server does not send */
};

struct talk {
	TAILQ_ENTRY(talk) link;
	uint8_t number[IKE_JOB_TALK];
	uint64_t owner, job; /* of the question that is out; 0: none is */
	uint64_t used; /* ms */
	unsigned int server; /* with state_len: which server's it is */
	size_t state_len, name_len;
	uint8_t state[RADIUS_VALUE], name[RADIUS_VALUE];
};

/* ---- conversations ------------------------------------------------------------------------------ */

static void drop_talk(struct tunnel *t, struct talk *talk)
{
	if (talk->owner)
		radius_drop(t, talk->owner);
	TAILQ_REMOVE(&t->talks->list, talk, link);
	t->talks->n--;
	free(talk);
}

static struct talk *find_talk(const struct tunnel *t, const void *number)
{
	struct talk *talk;

	TAILQ_FOREACH(talk, &t->talks->list, link)
	{
		if (!memcmp(talk->number, number, sizeof(talk->number)))
			return talk;
	}
	return NULL;
}

/* Does the packet say who the user is? */
static bool is_identity(const struct ike_iov *packet)
{
	return ((const uint8_t *)packet->base)[4] == EAP_TYPE_IDENTITY;
}

/* RFC 3579 2.1: User-Name is what EAP's answer says, in all of the conversation. */
static bool names_agree(const struct talk *talk, const struct ike_job *job)
{
	const struct ike_iov *name = &job->octets[0], *packet = &job->octets[1];

	if (talk && (talk->name_len != name->len || memcmp(talk->name, name->base, name->len) != 0))
		return false;
	if (!is_identity(packet))
		return talk;
	return packet->len == 5 + name->len &&
	       !memcmp((const uint8_t *)packet->base + 5, name->base, name->len);
}

/*
 * Those that came to nothing; and if there are too many, the oldest that has no State: a user may be asked for a password
 * meanwhile, and a stranger begins as many as it likes.
 */
static void make_room(struct tunnel *t, uint64_t now)
{
	struct talk *talk;

	while ((talk = TAILQ_FIRST(&t->talks->list)) && now - talk->used > TALK_LASTS)
		drop_talk(t, talk);
	if (t->talks->n < TALKS)
		return;
	TAILQ_FOREACH(talk, &t->talks->list, link)
	{
		if (!talk->state_len)
			break;
	}
	drop_talk(t, talk ? talk : TAILQ_FIRST(&t->talks->list));
}

/* It stands behind all others then. NULL without memory. */
static struct talk *touch_talk(struct tunnel *t, const void *number, struct ike_iov name)
{
	struct talk *talk = find_talk(t, number);
	uint64_t now = loop_now();

	if (talk) {
		talk->used = now;
		TAILQ_REMOVE(&t->talks->list, talk, link);
		TAILQ_INSERT_TAIL(&t->talks->list, talk, link);
		return talk;
	}
	make_room(t, now);
	talk = calloc(1, sizeof(*talk));
	if (!talk)
		return NULL;
	memcpy(talk->number, number, sizeof(talk->number));
	talk->used = now;
	talk->name_len = name.len;
	memcpy(talk->name, name.base, name.len);
	TAILQ_INSERT_TAIL(&t->talks->list, talk, link);
	t->talks->n++;
	return talk;
}

static bool make_talks(struct tunnel *t)
{
	if (t->talks)
		return true;
	t->talks = calloc(1, sizeof(*t->talks));
	if (t->talks)
		TAILQ_INIT(&t->talks->list);
	return t->talks;
}

void backend_free(struct tunnel *t)
{
	while (t->talks && !TAILQ_EMPTY(&t->talks->list))
		drop_talk(t, TAILQ_FIRST(&t->talks->list));
	free(t->talks);
	t->talks = NULL;
}

/* ---- answers ------------------------------------------------------------------------------------ */

/* Of the user that a conversation is about. */
static void say(const struct tunnel *t, const struct talk *talk, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void say(const struct tunnel *t, const struct talk *talk, const char *fmt, ...)
{
	char name[IKE_MAX_ID + 16] = "?", more[768], text[1024];
	struct ike_id id;
	va_list ap;

	if (eap_identity(talk->name, talk->name_len, &id))
		ike_id_print(name, sizeof(name), &id);
	va_start(ap, fmt);
	vsnprintf(more, sizeof(more), fmt, ap);
	va_end(ap);
	snprintf(text, sizeof(text), "user '%.200s': %s", name, more);
	log_core(IKE_LOG_WARN, t->conf.name, NULL, NULL, text, loop_now());
}

/* The code of the EAP packet in the answer; 0: there is none. */
static uint8_t eap_code(const struct radius_answer *a)
{
	return a->eap_len ? a->eap[0] : 0;
}

/* What the server says to go on with. */
static void take_challenge(struct tunnel *t, struct talk *talk, const struct radius_result *result,
			   const struct radius_answer *a, struct ike_job_result *out)
{
	if (eap_code(a) != EAP_REQUEST || a->eap_len > sizeof(out->eap)) {
		say(t, talk, "%s",
		    eap_code(a) == EAP_REQUEST
			    ? "the RADIUS server sends a packet of EAP that is too long: set fragment_size = 1400 in tls-config { } of FreeRADIUS's eap"
			    : "the RADIUS server asks for something that is not EAP: is eap in authorize { } and authenticate { } of its site?");
		drop_talk(t, talk);
		return;
	}
	memcpy(talk->state, a->state.data, a->state.len);
	talk->state_len = a->state.len;
	talk->server = result->server;
	memcpy(out->eap, a->eap, a->eap_len);
	out->eap_len = (uint32_t)a->eap_len;
}

/* The user as the server knows it: another name than EAP's first one, if a tunnel hides that (RFC 2865 5.1). */
static struct ike_iov proven_name(const struct talk *talk, const struct radius_answer *a)
{
	return a->name.len ? (struct ike_iov){ a->name.data, a->name.len }
			   : (struct ike_iov){ talk->name, talk->name_len };
}

static void take_accept(struct tunnel *t, struct talk *talk, const struct radius_result *result,
			const struct radius_answer *a, struct ike_job_result *out)
{
	struct ike_iov name = proven_name(talk, a);
	struct ike_id id;

	/* RFC 3579 2.6.3: one that contradicts itself is no acceptance. */
	if (eap_code(a) != EAP_SUCCESS)
		say(t, talk,
		    "the RADIUS server accepts without EAP-Success, which proves nothing: is eap in authenticate { } of its site?");
	else if (!result->msk_len)
		say(t, talk,
		    "the RADIUS server accepts without MS-MPPE keys, so that the login may be one that another host relays: have it use a method that makes keys (EAP-MSCHAPv2, EAP-TLS, EAP-TTLS, PEAP), with use_mppe = yes in FreeRADIUS's mschap, and let no proxy on the way remove them");
	else if (!eap_identity(name.base, name.len, &id))
		say(t, talk, "the RADIUS server knows it by a User-Name that is no identity");
	else if (session_grant(t, &id, name, a))
		out->error = -ENOMEM;
	else {
		out->verdict[0] = IKE_JOB_PROVEN;
		memcpy(out->eap, name.base, name.len);
		out->eap_len = (uint32_t)name.len;
		memcpy(out->auth, result->msk, result->msk_len);
		out->auth_len = (uint32_t)result->msk_len;
	}
	drop_talk(t, talk);
}

static void take_answer(struct tunnel *t, struct talk *talk, const struct radius_result *result,
			struct ike_job_result *out)
{
	struct radius_answer a;

	if (!radius_read_answer(&result->packet, &a)) {
		say(t, talk,
		    "the RADIUS server's answer has attributes that contradict one another, or have wrong lengths");
		drop_talk(t, talk);
		return;
	}
	switch (a.code) {
	case RADIUS_ACCESS_CHALLENGE: take_challenge(t, talk, result, &a, out); break;
	case RADIUS_ACCESS_ACCEPT: take_accept(t, talk, result, &a, out); break;
	default:
		say(t, talk, "the RADIUS server refuses it: %s", *a.text ? a.text : "see its log");
		drop_talk(t, talk);
	}
	ike_wipe(&a, sizeof(a));
}

static void on_done(struct tunnel *t, const struct radius_result *result)
{
	struct ike_job_result out = { 0 };
	struct talk *talk = NULL;

	if (t->talks) {
		TAILQ_FOREACH(talk, &t->talks->list, link)
		{
			if (talk->owner == result->owner)
				break;
		}
	}
	if (!talk)
		return;
	out.id = talk->job;
	talk->owner = talk->job = 0;
	if (result->end == RADIUS_ANSWERED)
		take_answer(t, talk, result, &out);
	else
		out.error = result->end == RADIUS_SILENT ? -ETIMEDOUT : -EIO;
	core_job_done(t->agent->core, &out, loop_now());
	ike_wipe(&out, sizeof(out));
}

/* ---- questions ---------------------------------------------------------------------------------- */

static int ask(struct tunnel *t, struct talk *talk, const struct ike_job *job)
{
	uint8_t attributes[ATTRIBUTES];
	struct writer b = radius_attributes(attributes, sizeof(attributes));
	struct radius_question q = { .code = RADIUS_ACCESS_REQUEST, .server = RADIUS_ANY_SERVER };

	radius_add(&b, RADIUS_A_USER_NAME, talk->name, talk->name_len);
	radius_add_nas(&b, t);
	radius_add_u32(&b, RADIUS_A_FRAMED_MTU, FRAMED_MTU);
	radius_add_eap(&b, job->octets[1].base, job->octets[1].len);
	radius_add(&b, RADIUS_A_STATE, talk->state, talk->state_len);
	if (talk->state_len)
		q.server = talk->server;
	q.owner = talk->owner = ++t->talks->last;
	q.attributes = attributes;
	q.len = radius_end_attributes(&b);
	talk->job = job->id;
	return q.len ? radius_ask(t, &q, on_done) : -EMSGSIZE;
}

/* The job comes from the process that parses what the network sends. */
static bool is_good(const struct ike_job *job)
{
	const struct ike_iov *name = &job->octets[0], *packet = &job->octets[1];
	const uint8_t *eap = packet->base;

	return name->len && name->len <= RADIUS_VALUE && job->octets[2].len == IKE_JOB_TALK &&
	       packet->len >= 5 && packet->len <= RADIUS_EAP && eap[0] == EAP_RESPONSE;
}

int backend_begin(struct tunnel *t, const struct ike_job *job)
{
	struct talk *talk;
	int err;

	if (!t->conf.n_radius || !is_good(job))
		return -EINVAL;
	if (!make_talks(t))
		return -ENOMEM;
	if (!names_agree(find_talk(t, job->octets[2].base), job))
		return -EINVAL;
	talk = touch_talk(t, job->octets[2].base, job->octets[0]);
	if (!talk)
		return -ENOMEM;
	if (talk->owner) /* its job got lost */
		radius_drop(t, talk->owner);
	err = ask(t, talk, job);
	if (err)
		talk->owner = talk->job = 0;
	return err;
}
