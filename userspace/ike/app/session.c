// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sessions of clients that a RADIUS server let in: what it said of them, which address it gives them, how long they
 * may stay, and accounting (RFC 2866).
 *
 * A session begins with Access-Accept, for an identity. The peer that the core makes for this identity takes it;
 * when that has its first SA the server hears Start, then Interim-Update as often as it asked for, and Stop when
 * the peer is removed. One that no peer takes goes after a while.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ike/app/agent_int.h"
#include "ike/proto/addr.h"
#include "ike/proto/id.h"

enum {
	SESSION_WAITS = 60000, /* ms for its peer */
	SESSIONS_WAITING = 256, /* that have none, of a tunnel */
	SESSION_AGAIN =
		10000, /* ms, for the core to end one whose time is over; it is removed then */
	INTERIM_LEAST = 60, /* s, RFC 2869 5.16 */
	SESSION_TEXT = 20, /* bytes of an Acct-Session-Id, with the NUL */
	HEARD_LATELY = 10000, /* ms */
	RECORD = 2048, /* bytes of the attributes of a record */
};

/* RFC 2866 5.1 */
enum { STATUS_START = 1, STATUS_STOP = 2, STATUS_INTERIM = 3 };

struct session {
	TAILQ_ENTRY(session) link;
	struct ike_id id;
	uint32_t peer; /* 0: none has it yet */
	uint64_t granted, started; /* ms; 0: not started */
	uint64_t ends_at, interim_at; /* UINT64_MAX: never */
	uint64_t interim; /* ms */
	bool timed_out;
	char number[SESSION_TEXT];
	struct ike_endpoint remote;
	struct ike_addr address[2];
	size_t name_len, class_len[RADIUS_CLASSES];
	uint8_t name[RADIUS_VALUE], classes[RADIUS_CLASSES][RADIUS_VALUE];
	unsigned int n_classes;
};

static struct session *find_session(const struct tunnel *t, uint32_t peer)
{
	struct session *s;

	TAILQ_FOREACH(s, &t->sessions->list, link)
	{
		if (s->peer == peer)
			return s;
	}
	return NULL;
}

/* The one that waits for a peer of this identity. */
static struct session *find_waiting(const struct tunnel *t, const struct ike_id *id)
{
	struct session *s;

	TAILQ_FOREACH(s, &t->sessions->list, link)
	{
		if (!s->peer && ike_id_eq(&s->id, id))
			return s;
	}
	return NULL;
}

static void drop_session(struct tunnel *t, struct session *s)
{
	TAILQ_REMOVE(&t->sessions->list, s, link);
	t->sessions->n_waiting -= !s->peer;
	ike_wipe(s, sizeof(*s));
	free(s);
}

/* Those that no peer took in time, and another one of the same identity; the oldest if there are too many. */
static void make_room(struct tunnel *t, const struct ike_id *id, uint64_t now)
{
	struct session *s, *next;

	for (s = TAILQ_FIRST(&t->sessions->list); s; s = next) {
		next = TAILQ_NEXT(s, link);
		if (!s->peer && (now - s->granted > SESSION_WAITS || ike_id_eq(&s->id, id) ||
				 t->sessions->n_waiting >= SESSIONS_WAITING))
			drop_session(t, s);
	}
}

/* ---- records ----------------------------------------------------------------------------------- */

static void add_address(struct writer *b, const struct ike_addr *addr)
{
	if (addr->family == 4)
		radius_add(b, RADIUS_A_FRAMED_IP_ADDRESS, addr->b, 4);
	else if (addr->family == 6)
		radius_add(b, RADIUS_A_FRAMED_IPV6_ADDRESS, addr->b, 16);
}

static void add_leases(struct writer *b, const struct tunnel *t, const struct session *s)
{
	static const uint8_t families[] = { 4, 6 };
	struct ike_addr addr;

	for (unsigned int i = 0; i < 2; i++) {
		if (t->pool && pool_held(t->pool, s->peer, families[i], &addr))
			add_address(b, &addr);
	}
}

/* 64 bits in two attributes (RFC 2869 5.1). */
static void add_count(struct writer *b, uint8_t low, uint8_t high, uint64_t count)
{
	radius_add_u32(b, low, (uint32_t)count);
	radius_add_u32(b, high, (uint32_t)(count >> 32));
}

/* Input is what came from the client (RFC 2866 5.3). */
static void add_traffic(struct writer *b, const struct kernel_traffic *n, uint64_t ms)
{
	add_count(b, RADIUS_A_ACCT_INPUT_OCTETS, RADIUS_A_ACCT_INPUT_GIGAWORDS, n->rx_bytes);
	add_count(b, RADIUS_A_ACCT_OUTPUT_OCTETS, RADIUS_A_ACCT_OUTPUT_GIGAWORDS, n->tx_bytes);
	radius_add_u32(b, RADIUS_A_ACCT_INPUT_PACKETS, (uint32_t)n->rx_packets);
	radius_add_u32(b, RADIUS_A_ACCT_OUTPUT_PACKETS, (uint32_t)n->tx_packets);
	radius_add_u32(b, RADIUS_A_ACCT_SESSION_TIME, (uint32_t)(ms / 1000));
}

/* RFC 2866 5.10; 0: it is not known, and not told. A peer that was heard of until now left by itself. */
static uint32_t terminate_cause(const struct tunnel *t, const struct session *s,
				const struct kernel_traffic *n)
{
	enum { UNKNOWN, USER_REQUEST = 1, SESSION_TIMEOUT = 5, ADMIN_RESET = 6 };

	if (s->timed_out)
		return SESSION_TIMEOUT;
	if (t->after)
		return ADMIN_RESET;
	return n->last_rx < HEARD_LATELY ? USER_REQUEST : UNKNOWN;
}

static void send_record(struct tunnel *t, const struct session *s, uint32_t status, uint64_t now)
{
	struct kernel_traffic traffic = { .last_rx = UINT64_MAX };
	uint8_t attributes[RECORD];
	struct writer b = radius_attributes(attributes, sizeof(attributes));
	char text[80];
	uint32_t cause;

	kernel_peer_traffic(t->agent->kernel, t->ifindex, s->peer, &traffic);
	radius_add_u32(&b, RADIUS_A_ACCT_STATUS_TYPE, status);
	radius_add_text(&b, RADIUS_A_ACCT_SESSION_ID, s->number);
	radius_add(&b, RADIUS_A_USER_NAME, s->name, s->name_len);
	radius_add_nas(&b, t);
	radius_add_u32(&b, RADIUS_A_NAS_PORT, s->peer);
	radius_add_text(&b, RADIUS_A_CALLING_STATION_ID,
			ike_endpoint_print(text, sizeof(text), &s->remote));
	add_leases(&b, t, s);
	for (unsigned int i = 0; i < s->n_classes; i++)
		radius_add(&b, RADIUS_A_CLASS, s->classes[i], s->class_len[i]);
	if (status != STATUS_START)
		add_traffic(&b, &traffic, now - s->started);
	cause = status == STATUS_STOP ? terminate_cause(t, s, &traffic) : 0;
	if (cause)
		radius_add_u32(&b, RADIUS_A_ACCT_TERMINATE_CAUSE, cause);
	radius_account(t, attributes, radius_end_attributes(&b));
}

/* ---- life --------------------------------------------------------------------------------------- */

static void fill_session(struct session *s, const struct radius_answer *answer)
{
	uint64_t number;

	for (unsigned int i = 0; i < answer->n_classes; i++) {
		memcpy(s->classes[i], answer->classes[i].data, answer->classes[i].len);
		s->class_len[i] = answer->classes[i].len;
	}
	s->n_classes = answer->n_classes;
	memcpy(s->address, answer->address, sizeof(s->address));
	s->ends_at = s->interim_at = UINT64_MAX;
	if (answer->session_timeout)
		s->ends_at = s->granted + 1000ULL * answer->session_timeout;
	if (answer->interim_interval)
		s->interim = 1000ULL * (answer->interim_interval < INTERIM_LEAST
						? INTERIM_LEAST
						: answer->interim_interval);
	/* Unique among restarts, too (RFC 2866 5.5). */
	ike_crypto_random(NULL, &number, sizeof(number));
	snprintf(s->number, sizeof(s->number), "%016llx", (unsigned long long)number);
}

int session_grant(struct tunnel *t, const struct ike_id *id, struct ike_iov name,
		  const struct radius_answer *answer)
{
	struct session *s = calloc(1, sizeof(*s));

	if (!t->sessions) {
		t->sessions = calloc(1, sizeof(*t->sessions));
		if (t->sessions)
			TAILQ_INIT(&t->sessions->list);
	}
	if (!s || !t->sessions || name.len > sizeof(s->name)) {
		free(s);
		return -ENOMEM;
	}
	s->granted = loop_now();
	s->id = *id;
	memcpy(s->name, name.base, name.len);
	s->name_len = name.len;
	fill_session(s, answer);
	make_room(t, id, s->granted);
	TAILQ_INSERT_TAIL(&t->sessions->list, s, link);
	t->sessions->n_waiting++;
	return 0;
}

static void end_session(struct tunnel *t, struct session *s)
{
	if (s->started)
		send_record(t, s, STATUS_STOP, loop_now());
	drop_session(t, s);
}

/* The session of the peer: of one that logged in again the new one, in place of that before it. NULL: none. */
static struct session *renew_session(struct tunnel *t, uint32_t peer, const struct ike_id *id)
{
	struct session *old = t->sessions ? find_session(t, peer) : NULL;
	struct session *s = t->sessions ? find_waiting(t, id) : NULL;

	if (!s)
		return old;
	if (old) {
		s->remote = old->remote;
		end_session(t, old);
	}
	s->peer = peer;
	t->sessions->n_waiting--;
	tunnel_dirty(t);
	return s;
}

bool session_admits(const struct tunnel *t, uint32_t peer, const struct ike_id *id)
{
	const struct session *s = t->sessions ? find_session(t, peer) : NULL;

	if (!t->conf.n_radius || (t->sessions && find_waiting(t, id)))
		return true;
	if (s)
		return ike_id_eq(&s->id, id);
	return owned_has_peer(&t->owned, peer); /* adopted, and let in by a former agent */
}

uint64_t session_ends(const struct tunnel *t, uint32_t peer, const struct ike_id *id)
{
	const struct session *s = t->sessions ? find_waiting(t, id) : NULL;

	if (!s && t->sessions)
		s = find_session(t, peer);
	return s && s->ends_at != UINT64_MAX ? s->ends_at : 0;
}

bool session_has(struct tunnel *t, uint32_t peer, const struct ike_id *id)
{
	const struct session *s = renew_session(t, peer, id);

	return s && ike_id_eq(&s->id, id);
}

void session_bind(struct tunnel *t, uint32_t peer, const struct ike_id *id,
		  const struct ike_endpoint *remote)
{
	struct session *s = renew_session(t, peer, id);

	if (s && !ike_id_eq(&s->id, id)) /* the number is another client's now */
		end_session(t, s);
	else if (s)
		s->remote = *remote;
}

bool session_address(struct tunnel *t, uint32_t peer, const struct ike_id *id, uint8_t family,
		     struct ike_addr *out)
{
	const struct session *s = renew_session(t, peer, id);

	if (!s || !ike_id_eq(&s->id, id) || !s->address[family == 6].family)
		return false;
	*out = s->address[family == 6];
	return true;
}

void session_start(struct tunnel *t, uint32_t peer)
{
	struct session *s = t->sessions ? find_session(t, peer) : NULL;
	uint64_t now = loop_now();

	if (s)
		s = renew_session(t, peer, &s->id);
	if (!s || s->started)
		return;
	s->started = now;
	if (s->interim)
		s->interim_at = now + s->interim;
	send_record(t, s, STATUS_START, now);
	tunnel_dirty(t);
}

void session_stop(struct tunnel *t, uint32_t peer)
{
	struct session *s = t->sessions ? find_session(t, peer) : NULL;

	if (s)
		end_session(t, s);
}

void session_stop_all(struct tunnel *t)
{
	while (t->sessions && !TAILQ_EMPTY(&t->sessions->list))
		end_session(t, TAILQ_FIRST(&t->sessions->list));
}

void session_stop_removed(struct tunnel *t)
{
	struct session *s, *next;

	for (s = t->sessions ? TAILQ_FIRST(&t->sessions->list) : NULL; s; s = next) {
		next = TAILQ_NEXT(s, link);
		if (s->peer && !owned_has_peer(&t->owned, s->peer))
			end_session(t, s);
	}
}

void session_free(struct tunnel *t)
{
	while (t->sessions && !TAILQ_EMPTY(&t->sessions->list))
		drop_session(t, TAILQ_FIRST(&t->sessions->list));
	free(t->sessions);
	t->sessions = NULL;
}

uint64_t session_next(const struct tunnel *t)
{
	uint64_t next = UINT64_MAX;
	struct session *s;

	if (!t->sessions)
		return next;
	TAILQ_FOREACH(s, &t->sessions->list, link)
	{
		uint64_t at = s->interim_at < s->ends_at ? s->interim_at : s->ends_at;

		if (s->started && at < next)
			next = at;
	}
	return next;
}

/* Is it over though the core had the time to end it? */
static bool act_in_time(struct tunnel *t, struct session *s, uint64_t now)
{
	char id[IKE_MAX_ID + 16];

	if (s->ends_at > now) {
		s->interim_at = now + s->interim;
		send_record(t, s, STATUS_INTERIM, now);
		return false;
	}
	s->ends_at = now + SESSION_AGAIN;
	if (s->timed_out)
		return true;
	s->timed_out = true;
	log_say(IKE_LOG_INFO, t->conf.name,
		"the time that the RADIUS server gave '%s' is over (Session-Timeout)",
		ike_id_print(id, sizeof(id), &s->id));
	core_client_down(t->agent->core, t->conf.name, s->peer, now);
	return false;
}

/* core_client_down() may end sessions, so each look begins at the front. */
uint32_t session_timer(struct tunnel *t, uint64_t now)
{
	struct session *s = NULL;

	while (session_next(t) <= now) {
		TAILQ_FOREACH(s, &t->sessions->list, link)
		{
			if (s->started && (s->ends_at <= now || s->interim_at <= now))
				break;
		}
		if (s && act_in_time(t, s, now))
			return s->peer;
	}
	return 0;
}
