// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A question becomes a request to one server after another. Each of these attempts goes through three states:
 * SIGNING, until the keys process has signed the packet; WAITING, while the packet is repeated and datagrams are
 * awaited; CHECKING, while the keys process looks at one. A datagram that fails the check leads back to WAITING, so
 * that a forged one does not keep the server's own from being heard.
 *
 * Timers: an attempt's packet is repeated if no answer came within the timeout, which doubles, less some percent, so
 * that many requests do not keep step; after the last one the next server is asked, or when a check that is under way
 * then has failed.
 */
#include "ike/radius/radius_client.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "ike/proto/addr.h"

enum {
	JITTER =
		8 /* a timeout is shorter by up to one in so many: nobody waits longer than the sum of them */
};

/* A QUEUED one has no attempt yet. */
enum attempt_state { QUEUED, SIGNING, WAITING, CHECKING };

enum service { ACCESS, ACCOUNTING, SERVICES };

struct packets {
	uint8_t packet[RADIUS_MAX], answer[RADIUS_MAX];
	size_t packet_len, answer_len;
};

struct request {
	TAILQ_ENTRY(request) link;
	uint64_t owner, number; /* the number is another one with each server */
	uint8_t code;
	unsigned int pinned; /* the server that it has to be, or RADIUS_ANY_SERVER */
	unsigned int tried; /* bit per server */
	unsigned int server;
	enum attempt_state state;
	bool open; /* it has a socket */
	bool overdue; /* the time was up while an answer was CHECKING */
	unsigned int sent, answers; /* packets, datagrams checked */
	uint64_t first_sent, due;
	struct packets *io; /* NULL while it is QUEUED */
	size_t len; /* of the attributes */
	uint8_t attributes[];
};

TAILQ_HEAD(requests, request);

/* Of a server's logins, or of its accounting: one port may be silent, and the other not. */
struct server {
	uint64_t heard; /* when an authentic answer came last; 0: never */
	uint64_t dead_until;
	int error; /* what the network or the system said of our packets; 0: nothing */
	enum radius_fault fault; /* that was told; RADIUS_AUTHENTIC: none */
	bool silent; /* was told */
	uint64_t requests, answers, accepts, rejects; /* so far */
};

struct radius_client {
	struct radius_env env;
	struct radius_servers conf;
	struct server server[RADIUS_SERVERS][SERVICES];
	struct requests requests,
		queue; /* under way; records that wait for a place there, the oldest is first */
	unsigned int n[SERVICES], n_queued;
	uint64_t last; /* number of a request */
};

static enum service service_of(const struct request *r)
{
	return r->code == RADIUS_ACCOUNTING_REQUEST ? ACCOUNTING : ACCESS;
}

/* That the attempt is at. */
static struct server *server_of(struct radius_client *c, const struct request *r)
{
	return &c->server[r->server][service_of(r)];
}

/* ---- sentences ------------------------------------------------------------------------------- */

static void say(struct radius_client *c, bool wrong, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void say(struct radius_client *c, bool wrong, const char *fmt, ...)
{
	char text[768];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	c->env.say(c->env.ctx, wrong, text);
}

static const struct ike_endpoint *endpoint_of(const struct radius_client *c,
					      const struct request *r)
{
	const struct radius_server *s = &c->conf.v[r->server];

	return r->code == RADIUS_ACCOUNTING_REQUEST ? &s->accounting : &s->access;
}

static void say_silent(struct radius_client *c, const struct request *r)
{
	static const char silent[] =
		"is it running, is our address one of its clients, and is Secret= its secret for us? FreeRADIUS drops what is signed with another one without a word: compare secret= of our client { } in its clients.conf";
	struct server *s = server_of(c, r);
	char name[80];

	ike_endpoint_print(name, sizeof(name), endpoint_of(c, r));
	if (!s->silent && s->error && s->error != -ECONNREFUSED)
		say(c, true, "the RADIUS server %s cannot be reached: %s", name,
		    strerror(-s->error));
	else if (!s->silent)
		say(c, true, "the RADIUS server %s does not answer: %s", name,
		    s->error ? "nothing listens there" : silent);
	s->silent = true;
}

static void say_fault(struct radius_client *c, const struct request *r, enum radius_fault fault)
{
	static const char *const texts[RADIUS_FAULTS] = {
		[RADIUS_MALFORMED] = "is no whole RADIUS packet",
		[RADIUS_WRONG_RESPONSE] =
			"is not signed with Secret=: the server has another secret for us (FreeRADIUS: secret= of our client { } in clients.conf), or somebody forges answers",
		[RADIUS_UNSIGNED] =
			"has no Message-Authenticator, so that anybody on the way could have made it (CVE-2024-3596): update the server (FreeRADIUS 3.2.5 and later send one), or have it add one: update reply { &Message-Authenticator := 0x00 } in FreeRADIUS's post-auth",
		[RADIUS_WRONG_SIGNATURE] =
			"has a wrong Message-Authenticator: somebody on the way changes answers, or the server is broken",
		[RADIUS_WRONG_KEY] =
			"has MS-MPPE keys that Secret= does not decrypt: a proxy on the way has them encrypted for another secret",
	};
	struct server *s = server_of(c, r);
	char name[80];

	if (s->fault != fault)
		say(c, true, "an answer of the RADIUS server %s is ignored: it %s",
		    ike_endpoint_print(name, sizeof(name), endpoint_of(c, r)), texts[fault]);
	s->fault = fault;
}

/* ---- servers --------------------------------------------------------------------------------- */

static void note_answer(struct radius_client *c, const struct request *r, uint8_t code,
			uint64_t now)
{
	struct server *s = server_of(c, r);
	char name[80];

	if (s->silent)
		say(c, false, "the RADIUS server %s answers again",
		    ike_endpoint_print(name, sizeof(name), endpoint_of(c, r)));
	*s = (struct server){
		.heard = now ? now : 1,
		.requests = s->requests,
		.answers = s->answers + 1,
		.accepts = s->accepts + (code == RADIUS_ACCESS_ACCEPT),
		.rejects = s->rejects + (code == RADIUS_ACCESS_REJECT),
	};
}

/*
 * The attempt is over. That the server answered others meanwhile tells that it lives: what a peer has us send
 * may be what it does not answer.
 */
static void note_silence(struct radius_client *c, const struct request *r, uint64_t now)
{
	struct server *s = server_of(c, r);

	if (s->heard >= r->first_sent && s->heard)
		return;
	s->dead_until = now + c->conf.v[r->server].dead_time;
	say_silent(c, r);
}

unsigned int radius_client_records(const struct radius_client *c)
{
	return c->n[ACCOUNTING] + c->n_queued;
}

/* 0: it is not asked for that. */
static uint16_t port_of(const struct radius_client *c, const struct request *r, unsigned int server)
{
	const struct radius_server *s = &c->conf.v[server];

	return r->code == RADIUS_ACCOUNTING_REQUEST ? s->accounting.port : s->access.port;
}

/* Until when it is dead; 0: it is not. */
static uint64_t dead_time_of(const struct server *s, uint64_t now)
{
	return s->dead_until > now ? s->dead_until : 0;
}

/*
 * The first that was not tried and is not dead, else the one that is dead for the longest. A dead one, or one that was,
 * is dead again until it answers, so that it costs one request at a time to see whether it lives. RADIUS_ANY_SERVER if all were tried.
 */
static unsigned int choose_server(struct radius_client *c, const struct request *r, uint64_t now)
{
	unsigned int best = RADIUS_ANY_SERVER;
	enum service service = service_of(r);

	if (r->pinned != RADIUS_ANY_SERVER)
		return r->tried ? RADIUS_ANY_SERVER : r->pinned;
	for (unsigned int i = 0; i < c->conf.n; i++) {
		uint64_t dead = dead_time_of(&c->server[i][service], now);

		if ((r->tried >> i & 1) || !port_of(c, r, i))
			continue;
		if (best == RADIUS_ANY_SERVER ||
		    dead < dead_time_of(&c->server[best][service], now))
			best = i;
	}
	if (best != RADIUS_ANY_SERVER && c->server[best][service].dead_until)
		c->server[best][service].dead_until = now + c->conf.v[best].dead_time;
	return best;
}

/* ---- attempts -------------------------------------------------------------------------------- */

static struct request *find_request(struct radius_client *c, uint64_t number)
{
	struct request *r;

	TAILQ_FOREACH(r, &c->requests, link)
	{
		if (r->number == number)
			return r;
	}
	return NULL;
}

static void close_socket(struct radius_client *c, struct request *r)
{
	if (r->open)
		c->env.close(c->env.ctx, r->number);
	r->open = false;
}

static void unlink_request(struct radius_client *c, struct request *r)
{
	close_socket(c, r);
	if (r->state == QUEUED) {
		TAILQ_REMOVE(&c->queue, r, link);
		c->n_queued--;
	} else {
		TAILQ_REMOVE(&c->requests, r, link);
		c->n[service_of(r)]--;
	}
}

static void free_packets(struct request *r)
{
	if (r->io)
		ike_wipe(r->io, sizeof(*r->io));
	free(r->io);
	r->io = NULL;
}

/* It is in no list. */
static void wipe_request(struct request *r)
{
	free_packets(r);
	ike_wipe(r, sizeof(*r) + r->len);
	free(r);
}

static void free_request(struct radius_client *c, struct request *r)
{
	unlink_request(c, r);
	wipe_request(r);
}

/* False if it does not fit. */
static bool build_packet(struct radius_client *c, struct request *r)
{
	uint8_t authenticator[RADIUS_AUTHENTICATOR] = { 0 }, id;
	struct writer b;

	c->env.rng.fill(c->env.rng.ctx, &id, sizeof(id));
	if (r->code == RADIUS_ACCESS_REQUEST)
		c->env.rng.fill(c->env.rng.ctx, authenticator, sizeof(authenticator));
	b = radius_begin(r->io->packet, r->code, id, authenticator);
	radius_add_all(&b, r->attributes, r->len);
	r->io->packet_len = radius_end(&b);
	return r->io->packet_len;
}

/* 0, -EMSGSIZE, -ENOMEM, or what env said. */
static int begin_attempt(struct radius_client *c, struct request *r, unsigned int server,
			 uint64_t now)
{
	r->number = ++c->last;
	r->server = server;
	r->tried |= 1U << server;
	r->state = SIGNING;
	r->overdue = false;
	r->sent = r->answers = 0;
	r->due = now + RADIUS_PATIENCE;
	if (!r->io)
		r->io = calloc(1, sizeof(*r->io));
	if (!r->io)
		return -ENOMEM;
	if (!build_packet(c, r))
		return -EMSGSIZE;
	return c->env.sign(c->env.ctx, r->number, server, r->io->packet, r->io->packet_len);
}

/* Of the request there is nothing any more when done() is called. */
static void end_request(struct radius_client *c, struct request *r, struct radius_result *result)
{
	result->owner = r->owner;
	result->server = r->server;
	unlink_request(c, r);
	c->env.done(c->env.ctx, result);
	wipe_request(r);
}

static void give_up(struct radius_client *c, struct request *r, enum radius_end end)
{
	struct radius_result result = { .end = end };

	end_request(c, r, &result);
}

/* This one does not answer. */
static void try_next_server(struct radius_client *c, struct request *r, uint64_t now)
{
	unsigned int next;

	close_socket(c, r);
	note_silence(c, r, now);
	next = choose_server(c, r, now);
	if (next == RADIUS_ANY_SERVER)
		give_up(c, r, RADIUS_SILENT);
	else if (begin_attempt(c, r, next, now))
		give_up(c, r, RADIUS_FAILED);
}

static void send_packet(struct radius_client *c, struct request *r, uint64_t now)
{
	uint64_t wait = (uint64_t)c->conf.v[r->server].timeout << r->sent;
	uint8_t part;

	c->env.rng.fill(c->env.rng.ctx, &part, sizeof(part));
	r->due = now + wait - wait * part / (256 * JITTER);
	if (!r->sent++)
		server_of(c, r)->requests++;
	if (r->state == WAITING) /* an answer is looked at otherwise */
		c->env.send(c->env.ctx, r->number, r->io->packet, r->io->packet_len);
}

/* ---- for the agent --------------------------------------------------------------------------- */

struct radius_client *radius_client_new(const struct radius_env *env,
					const struct radius_servers *servers)
{
	struct radius_client *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->env = *env;
	c->conf = *servers;
	TAILQ_INIT(&c->requests);
	TAILQ_INIT(&c->queue);
	return c;
}

void radius_client_free(struct radius_client *c)
{
	if (!c)
		return;
	while (!TAILQ_EMPTY(&c->requests))
		free_request(c, TAILQ_FIRST(&c->requests));
	while (!TAILQ_EMPTY(&c->queue))
		free_request(c, TAILQ_FIRST(&c->queue));
	free(c);
}

/*
 * Logins and accounting have places of their own, so that neither keeps the other waiting; so have logins that a server knows
 * already, for anybody can begin one.
 */
static bool is_full(const struct radius_client *c, enum service service, bool begun)
{
	static const unsigned int places[SERVICES] = { RADIUS_LOGINS, RADIUS_RECORDS };
	bool first = service == ACCESS && !begun;

	return c->n[service] >= places[service] - (first ? RADIUS_BEGUN : 0);
}

/* 0, -ENOENT or as begin_attempt(). */
static int begin_request(struct radius_client *c, struct request *r, uint64_t now)
{
	unsigned int server = choose_server(c, r, now);

	r->state = SIGNING;
	TAILQ_INSERT_TAIL(&c->requests, r, link);
	c->n[service_of(r)]++;
	return server == RADIUS_ANY_SERVER ? -ENOENT : begin_attempt(c, r, server, now);
}

/* Records take the places that are free now; one that cannot be signed now keeps its place until its time is over. */
static void begin_queued(struct radius_client *c, uint64_t now)
{
	struct request *r;
	int err;

	while (!is_full(c, ACCOUNTING, false) && (r = TAILQ_FIRST(&c->queue))) {
		TAILQ_REMOVE(&c->queue, r, link);
		c->n_queued--;
		err = begin_request(c, r, now);
		if (err == -ENOENT || err == -EMSGSIZE)
			give_up(c, r, RADIUS_FAILED);
	}
}

/* It waits for a place, behind all others. */
static void put_last(struct radius_client *c, struct request *r)
{
	r->state = QUEUED;
	TAILQ_INSERT_TAIL(&c->queue, r, link);
	c->n_queued++;
}

static struct request *make_request(const struct radius_client *c, const struct radius_question *q)
{
	struct request *r = calloc(1, sizeof(*r) + q->len);

	if (!r)
		return NULL;
	r->owner = q->owner;
	r->code = q->code;
	r->pinned = q->server < c->conf.n ? q->server : RADIUS_ANY_SERVER;
	r->len = q->len;
	if (q->len)
		memcpy(r->attributes, q->attributes, q->len);
	return r;
}

static bool may_queue(const struct radius_client *c, const struct radius_question *q)
{
	return q->code == RADIUS_ACCOUNTING_REQUEST && c->n_queued < RADIUS_QUEUE;
}

int radius_client_ask(struct radius_client *c, const struct radius_question *q, uint64_t now)
{
	bool full = is_full(c, q->code == RADIUS_ACCOUNTING_REQUEST ? ACCOUNTING : ACCESS,
			    q->server != RADIUS_ANY_SERVER);
	struct request *r;
	int err;

	if (full && !may_queue(c, q))
		return -EBUSY;
	if (q->len > RADIUS_MAX)
		return -EMSGSIZE;
	r = make_request(c, q);
	if (!r)
		return -ENOMEM;
	if (full) {
		put_last(c, r);
		return 0;
	}
	err = begin_request(c, r, now);
	if (err)
		free_request(c, r);
	return err;
}

void radius_client_drop(struct radius_client *c, uint64_t owner)
{
	struct request *r, *next;

	for (r = TAILQ_FIRST(&c->requests); r; r = next) {
		next = TAILQ_NEXT(r, link);
		if (r->owner == owner)
			free_request(c, r);
	}
}

static void move_record(struct radius_client *from, struct radius_client *to, struct request *r)
{
	unlink_request(from, r);
	free_packets(r);
	r->tried = 0;
	r->pinned = RADIUS_ANY_SERVER;
	put_last(to, r);
}

void radius_client_move_records(struct radius_client *from, struct radius_client *to, uint64_t now)
{
	struct request *r, *next;

	for (r = TAILQ_FIRST(&from->requests); r; r = next) {
		next = TAILQ_NEXT(r, link);
		if (service_of(r) == ACCOUNTING)
			move_record(from, to, r);
	}
	while ((r = TAILQ_FIRST(&from->queue)))
		move_record(from, to, r);
	begin_queued(to, now);
}

void radius_client_signed(struct radius_client *c, uint64_t request, int error,
			  const uint8_t signature[RADIUS_AUTHENTICATOR], uint64_t now)
{
	struct request *r = find_request(c, request);

	if (!r || r->state != SIGNING)
		return;
	if (error) {
		if (error != -EAGAIN || begin_attempt(c, r, r->server, now))
			give_up(c, r, RADIUS_FAILED);
		begin_queued(c, now);
		return;
	}
	radius_put_signature(r->io->packet, signature);
	error = c->env.open(c->env.ctx, r->number, endpoint_of(c, r));
	r->open = !error;
	r->state = WAITING;
	r->first_sent = now;
	if (r->open) {
		send_packet(c, r, now);
		c->env.listen(c->env.ctx, r->number);
	} else {
		server_of(c, r)->error = error;
		r->sent = c->conf.v[r->server].retries + 1;
		r->due = now;
	}
}

/* What an answer to it must have, before anything is computed for it. */
static bool could_be_answer(const struct request *r, const struct radius_packet *p)
{
	if (p->id != r->io->packet[1])
		return false;
	if (r->code == RADIUS_ACCOUNTING_REQUEST)
		return p->code == RADIUS_ACCOUNTING_RESPONSE;
	return p->code == RADIUS_ACCESS_ACCEPT || p->code == RADIUS_ACCESS_REJECT ||
	       p->code == RADIUS_ACCESS_CHALLENGE;
}

/* Does the keys process look at it now? */
static bool begin_check(struct radius_client *c, struct request *r, const void *data, size_t len)
{
	struct radius_packet p;

	if (!radius_parse(data, len, &p) || !could_be_answer(r, &p))
		return false;
	memcpy(r->io->answer, data, p.len);
	r->io->answer_len = p.len;
	r->answers++;
	r->state = CHECKING;
	if (!c->env.check(c->env.ctx, r->number, r->server,
			  r->io->packet + RADIUS_HEAD - RADIUS_AUTHENTICATOR, r->io->answer,
			  r->io->answer_len))
		return true;
	r->state = WAITING;
	return false;
}

void radius_client_datagram(struct radius_client *c, uint64_t request, int error, const void *data,
			    size_t len, uint64_t now)
{
	struct request *r = find_request(c, request);

	(void)now;
	if (!r || r->state != WAITING)
		return;
	if (error)
		server_of(c, r)->error = error;
	if ((error || !begin_check(c, r, data, len)) && r->answers < RADIUS_ANSWERS)
		c->env.listen(c->env.ctx, r->number);
}

void radius_client_checked(struct radius_client *c, uint64_t request, int error,
			   enum radius_fault fault, const uint8_t *msk, size_t msk_len,
			   uint64_t now)
{
	struct radius_result result = { .end = RADIUS_ANSWERED, .msk = msk, .msk_len = msk_len };
	struct request *r = find_request(c, request);

	if (!r || r->state != CHECKING)
		return;
	r->state = WAITING;
	if (error || fault || !radius_parse(r->io->answer, r->io->answer_len, &result.packet)) {
		if (!error)
			say_fault(c, r, fault ? fault : RADIUS_MALFORMED);
		if (r->overdue)
			r->due = now;
		else if (r->answers < RADIUS_ANSWERS)
			c->env.listen(c->env.ctx, r->number);
		return;
	}
	note_answer(c, r, result.packet.code, now);
	end_request(c, r, &result);
	begin_queued(c, now);
}

static void act_in_time(struct radius_client *c, struct request *r, uint64_t now)
{
	if (r->state == SIGNING || (r->state == CHECKING && r->overdue)) {
		give_up(c, r, RADIUS_FAILED);
	} else if (r->sent <= c->conf.v[r->server].retries) {
		send_packet(c, r, now);
	} else if (r->state == CHECKING) {
		r->overdue = true;
		r->due = now + RADIUS_PATIENCE;
	} else {
		try_next_server(c, r, now);
	}
}

/* done() may have any other request end or begin, so each look begins at the front. */
void radius_client_timer(struct radius_client *c, uint64_t now)
{
	struct request *r;

	do {
		TAILQ_FOREACH(r, &c->requests, link)
		{
			if (r->due <= now)
				break;
		}
		if (r)
			act_in_time(c, r, now);
		begin_queued(c, now);
	} while (r);
}

uint64_t radius_client_next(const struct radius_client *c)
{
	uint64_t next = UINT64_MAX;
	struct request *r;

	TAILQ_FOREACH(r, &c->requests, link)
	{
		if (r->due < next)
			next = r->due;
	}
	return next;
}

static void read_service(const struct server *s, struct radius_service_status *out)
{
	*out = (struct radius_service_status){
		.dead = s->dead_until != 0,
		.requests = s->requests,
		.answers = s->answers,
	};
}

void radius_client_status(const struct radius_client *c, unsigned int server,
			  struct radius_status *out)
{
	const struct server *s = c->server[server];

	read_service(&s[ACCESS], &out->access);
	read_service(&s[ACCOUNTING], &out->accounting);
	out->accepts = s[ACCESS].accepts;
	out->rejects = s[ACCESS].rejects;
}
