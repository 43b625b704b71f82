// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The client of RADIUS servers in situations: who answers what, late, twice, falsely or not at all. Servers are
 * played here; sign and check are done at once or when the test wants it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>

#include <cmocka.h>

#include "ike/crypto/legacy.h"
#include "ike/proto/addr.h"
#include "ike/radius/radius_client.h"

enum { SOCKETS = 256, TIMEOUT = 1000, DEAD = 60000 };

/* What a client that is closed has left, too: datagrams may be sent to it all the same. */
struct sock {
	uint64_t request;
	struct ike_endpoint server;
	bool open, listens;
	unsigned int sent;
	uint8_t packet[RADIUS_MAX];
	size_t len;
};

struct order {
	bool check;
	uint64_t request;
	unsigned int server;
	uint8_t authenticator[RADIUS_AUTHENTICATOR], data[RADIUS_MAX];
	size_t len;
};

struct world {
	struct radius_client *c;
	uint64_t now;
	uint8_t random; /* counts */
	uint8_t same; /* not 0: all that is random has these bytes */
	const char *secret[RADIUS_SERVERS]; /* of ours, for each server */
	struct sock sock[SOCKETS];
	unsigned int n_socks;
	bool no_sockets, no_jobs;
	struct order orders[SOCKETS];
	unsigned int n_orders;
	/* The last result, and how many there were. */
	unsigned int done;
	struct radius_result result;
	uint8_t msk[RADIUS_MSK];
	struct radius_answer answer;
	char said[1024];
	unsigned int n_said;
};

static void fill(void *ctx, void *buf, size_t len)
{
	struct world *w = ctx;

	memset(buf, w->same ? w->same : ++w->random, len);
}

static int order(struct world *w, struct order o, const uint8_t *data, size_t len)
{
	if (w->no_jobs)
		return -EBUSY;
	assert_true(w->n_orders < SOCKETS && len <= sizeof(o.data));
	memcpy(o.data, data, len);
	o.len = len;
	w->orders[w->n_orders++] = o;
	return 0;
}

static int env_sign(void *ctx, uint64_t request, unsigned int server, const uint8_t *packet,
		    size_t len)
{
	return order(ctx, (struct order){ .request = request, .server = server }, packet, len);
}

static int env_check(void *ctx, uint64_t request, unsigned int server,
		     const uint8_t authenticator[RADIUS_AUTHENTICATOR], const uint8_t *data,
		     size_t len)
{
	struct order o = { .check = true, .request = request, .server = server };

	memcpy(o.authenticator, authenticator, sizeof(o.authenticator));
	return order(ctx, o, data, len);
}

static struct sock *sock_of(struct world *w, uint64_t request)
{
	for (unsigned int i = 0; i < w->n_socks; i++) {
		if (w->sock[i].request == request)
			return &w->sock[i];
	}
	fail_msg("no socket of request %llu", (unsigned long long)request);
	return NULL;
}

static int env_open(void *ctx, uint64_t request, const struct ike_endpoint *server)
{
	struct world *w = ctx;

	if (w->no_sockets)
		return -EMFILE;
	assert_true(w->n_socks < SOCKETS);
	w->sock[w->n_socks++] =
		(struct sock){ .request = request, .server = *server, .open = true };
	return 0;
}

static void env_close(void *ctx, uint64_t request)
{
	struct sock *s = sock_of(ctx, request);

	assert_true(s->open);
	s->open = false;
}

static void env_send(void *ctx, uint64_t request, const uint8_t *packet, size_t len)
{
	struct sock *s = sock_of(ctx, request);

	assert_true(s->open);
	if (s->sent++) { /* a repetition is the same packet: RFC 2865 2.5 */
		assert_int_equal(len, s->len);
		assert_memory_equal(packet, s->packet, len);
	}
	memcpy(s->packet, packet, len);
	s->len = len;
}

static void env_listen(void *ctx, uint64_t request)
{
	sock_of(ctx, request)->listens = true;
}

static void env_done(void *ctx, const struct radius_result *r)
{
	struct world *w = ctx;

	w->done++;
	w->result = *r;
	if (r->end != RADIUS_ANSWERED)
		return;
	assert_true(radius_read_answer(&r->packet, &w->answer));
	memcpy(w->msk, r->msk, r->msk_len);
}

static void env_say(void *ctx, bool wrong, const char *text)
{
	struct world *w = ctx;

	(void)wrong;
	w->n_said++;
	snprintf(w->said, sizeof(w->said), "%s", text);
}

/* ---- the keys process ------------------------------------------------------------------------- */

static void do_order(struct world *w, unsigned int i)
{
	struct order o = w->orders[i];
	const uint8_t *secret = (const uint8_t *)w->secret[o.server];
	size_t len = strlen(w->secret[o.server]), msk_len;
	uint8_t out[RADIUS_AUTHENTICATOR], msk[RADIUS_MSK];
	enum radius_fault fault;

	memmove(&w->orders[i], &w->orders[i + 1], (--w->n_orders - i) * sizeof(o));
	if (!o.check) {
		assert_int_equal(radius_sign(o.data, o.len, secret, len, out), 0);
		radius_client_signed(w->c, o.request, 0, out, w->now);
		return;
	}
	fault = radius_check(o.authenticator, o.data, o.len, secret, len, msk, &msk_len);
	radius_client_checked(w->c, o.request, 0, fault, msk, msk_len, w->now);
}

static void do_orders(struct world *w)
{
	while (w->n_orders)
		do_order(w, 0);
}

/* ---- servers ------------------------------------------------------------------------------------ */

static struct sock *last_sock(struct world *w)
{
	assert_true(w->n_socks);
	return &w->sock[w->n_socks - 1];
}

/* What a server with this secret answers to the last packet of @s. */
struct reply {
	uint8_t code, buf[RADIUS_MAX];
	size_t len;
};

static struct reply make_reply(const struct sock *s, uint8_t code, const char *secret,
			       bool is_signed)
{
	struct reply r = { .code = code };
	const uint8_t *key = (const uint8_t *)secret, *authenticator = s->packet + 4;
	struct writer b = radius_begin(r.buf, code, s->packet[1], authenticator);
	static const uint8_t zeros[RADIUS_AUTHENTICATOR];

	if (is_signed)
		radius_add(&b, RADIUS_A_MESSAGE_AUTHENTICATOR, zeros, sizeof(zeros));
	if (code == RADIUS_ACCESS_CHALLENGE)
		radius_add(&b, RADIUS_A_STATE, "state", 5);
	if (code != RADIUS_ACCOUNTING_RESPONSE)
		radius_add_eap(&b, "\1\2\0\4", 4);
	r.len = radius_end(&b);

	const struct ike_iov whole = { r.buf, r.len };
	const struct ike_iov all[] = { { r.buf, r.len }, { secret, strlen(secret) } };

	if (is_signed)
		assert_int_equal(
			ike_hmac_md5(key, strlen(secret), &whole, 1, r.buf + RADIUS_HEAD + 2), 0);
	assert_int_equal(ike_md5(all, 2, r.buf + 4), 0);
	return r;
}

/* It arrives at the socket, if that is open, and the client reads. */
static void deliver(struct world *w, struct sock *s, const struct reply *r)
{
	if (!s->open || !s->listens)
		return;
	s->listens = false;
	radius_client_datagram(w->c, s->request, 0, r->buf, r->len, w->now);
}

static void answer(struct world *w, struct sock *s, uint8_t code, const char *secret)
{
	struct reply r = make_reply(s, code, secret, true);

	deliver(w, s, &r);
	do_orders(w);
}

/* The same without a Message-Authenticator, as answers of accounting are. */
static void answer_unsigned(struct world *w, struct sock *s, uint8_t code, const char *secret)
{
	struct reply r = make_reply(s, code, secret, false);

	deliver(w, s, &r);
	do_orders(w);
}

/* ---- the world ------------------------------------------------------------------------------------ */

static void open_world(struct world *w, unsigned int servers)
{
	struct radius_servers conf = { .n = servers };
	const struct radius_env env = {
		.ctx = w,
		.rng = { .fill = fill, .ctx = w },
		.sign = env_sign,
		.check = env_check,
		.open = env_open,
		.close = env_close,
		.send = env_send,
		.listen = env_listen,
		.done = env_done,
		.say = env_say,
	};

	memset(w, 0, sizeof(*w));
	w->now = 1000;
	for (unsigned int i = 0; i < servers; i++) {
		conf.v[i].access.addr = (struct ike_addr){ 4, { 192, 0, 2, (uint8_t)(i + 1) } };
		conf.v[i].accounting.addr = conf.v[i].access.addr;
		conf.v[i].timeout = TIMEOUT;
		conf.v[i].retries = 1;
		conf.v[i].dead_time = DEAD;
		conf.v[i].access.port = 1812;
		conf.v[i].accounting.port = 1813;
		w->secret[i] = "first";
	}
	if (servers > 1)
		w->secret[1] = "second";
	w->c = radius_client_new(&env, &conf);
	assert_non_null(w->c);
}

static void close_world(struct world *w)
{
	radius_client_free(w->c);
	for (unsigned int i = 0; i < w->n_socks; i++)
		assert_false(w->sock[i].open);
}

static int ask_as(struct world *w, uint64_t owner, uint8_t code, unsigned int server)
{
	const struct radius_question q = { owner, code, server, (const uint8_t *)"\1\3a", 3 };

	return radius_client_ask(w->c, &q, w->now);
}

static void ask(struct world *w, uint64_t owner)
{
	assert_int_equal(ask_as(w, owner, RADIUS_ACCESS_REQUEST, RADIUS_ANY_SERVER), 0);
	do_orders(w);
}

/* Timers run up to then. */
static void pass(struct world *w, uint64_t ms)
{
	uint64_t end = w->now + ms;

	while (radius_client_next(w->c) <= end) {
		w->now = radius_client_next(w->c);
		radius_client_timer(w->c, w->now);
		do_orders(w);
	}
	w->now = end;
}

/* Which server the last request is at. */
static unsigned int server_of(struct world *w)
{
	return last_sock(w)->server.addr.b[3];
}

static bool is_dead(struct world *w, unsigned int server)
{
	struct radius_status s;

	radius_client_status(w->c, server, &s);
	return s.access.dead;
}

/* The timers alone, while the keys process does nothing. */
static void pass_without_keys(struct world *w, uint64_t ms)
{
	uint64_t end = w->now + ms;

	while (radius_client_next(w->c) <= end) {
		w->now = radius_client_next(w->c);
		radius_client_timer(w->c, w->now);
	}
	w->now = end;
}

/* ---- situations ------------------------------------------------------------------------------------- */

/* That of most situations, with one server or two. */
static struct world w;

static int with_one_server(void **state)
{
	(void)state;
	open_world(&w, 1);
	return 0;
}

static int with_two_servers(void **state)
{
	(void)state;
	open_world(&w, 2);
	return 0;
}

static int end_world(void **state)
{
	(void)state;
	close_world(&w);
	return 0;
}

static void test_accepts(void **state)
{
	(void)state;
	ask(&w, 7);
	assert_int_equal(server_of(&w), 1);
	assert_int_equal(last_sock(&w)->server.port, 1812);
	answer(&w, last_sock(&w), RADIUS_ACCESS_ACCEPT, "first");
	assert_int_equal(w.done, 1);
	assert_int_equal(w.result.owner, 7);
	assert_int_equal(w.result.end, RADIUS_ANSWERED);
	assert_int_equal(w.answer.code, RADIUS_ACCESS_ACCEPT);
	assert_int_equal(radius_client_next(w.c), UINT64_MAX);
}

/* An identifier, an authenticator and a socket for each. */
static void test_each_request_is_another(void **state)
{
	(void)state;
	ask(&w, 1);
	ask(&w, 2);
	assert_int_equal(w.n_socks, 2);
	assert_int_not_equal(w.sock[0].packet[1], w.sock[1].packet[1]);
	assert_memory_not_equal(w.sock[0].packet + 4, w.sock[1].packet + 4, RADIUS_AUTHENTICATOR);
	/* The answer to one is not the other's. */
	struct reply r = make_reply(&w.sock[0], RADIUS_ACCESS_ACCEPT, "first", true);
	deliver(&w, &w.sock[1], &r);
	assert_int_equal(w.n_orders, 0); /* it is not even looked at */
	r.buf[1] = w.sock[1].packet[1];
	deliver(&w, &w.sock[1], &r);
	do_orders(&w);
	assert_int_equal(w.done, 0);
	deliver(&w, &w.sock[0], &r);
}

static void test_challenge_goes_on_with_its_server(void **state)
{
	(void)state;
	ask(&w, 1);
	pass(&w, 4 * TIMEOUT); /* the first one does not answer */
	assert_int_equal(server_of(&w), 2);
	answer(&w, last_sock(&w), RADIUS_ACCESS_CHALLENGE, "second");
	assert_int_equal(w.done, 1);
	assert_int_equal(w.answer.state.len, 5);
	assert_int_equal(w.result.server, 1);
	pass(&w, 2 * DEAD);
	/* The first is not dead any more, but knows nothing of the State. */
	assert_int_equal(ask_as(&w, 1, RADIUS_ACCESS_REQUEST, w.result.server), 0);
	do_orders(&w);
	assert_int_equal(server_of(&w), 2);
	pass(&w, 4 * TIMEOUT);
	assert_int_equal(w.done, 2);
	assert_int_equal(w.result.end, RADIUS_SILENT);
	assert_int_equal(server_of(&w), 2);
}

static void test_repeats_then_another_server(void **state)
{
	(void)state;
	ask(&w, 1);
	assert_int_equal(w.sock[0].sent, 1);
	pass(&w, TIMEOUT - TIMEOUT / 8 - 1);
	assert_int_equal(w.sock[0].sent, 1);
	pass(&w, TIMEOUT / 8 + 1);
	assert_int_equal(w.sock[0].sent, 2);
	/* The answer to either is one: they are the same packet. */
	assert_int_equal(w.n_socks, 1);
	pass(&w, 2 * TIMEOUT);
	assert_int_equal(w.n_socks, 2);
	assert_int_equal(server_of(&w), 2);
	assert_false(w.sock[0].open);
	assert_non_null(strstr(w.said, "192.0.2.1:1812 does not answer"));
	assert_non_null(strstr(w.said, "clients.conf"));
	assert_true(is_dead(&w, 0));
	/* Late, the first one's: its socket is gone. */
	answer(&w, &w.sock[0], RADIUS_ACCESS_ACCEPT, "first");
	assert_int_equal(w.done, 0);
	/* It is of no use at the second one's socket, either. */
	struct reply r = make_reply(&w.sock[0], RADIUS_ACCESS_ACCEPT, "first", true);
	deliver(&w, &w.sock[1], &r);
	r.buf[1] = w.sock[1].packet[1];
	deliver(&w, &w.sock[1], &r);
	do_orders(&w);
	assert_int_equal(w.done, 0);
	answer(&w, &w.sock[1], RADIUS_ACCESS_REJECT, "second");
	assert_int_equal(w.done, 1);
	assert_int_equal(w.answer.code, RADIUS_ACCESS_REJECT);
}

/* Dead ones are asked last, and one request at a time sees whether they live again. */
static void test_dead_time(void **state)
{
	(void)state;
	ask(&w, 1);
	pass(&w, 4 * TIMEOUT);
	answer(&w, last_sock(&w), RADIUS_ACCESS_ACCEPT, "second");
	ask(&w, 2);
	assert_int_equal(server_of(&w), 2);
	answer(&w, last_sock(&w), RADIUS_ACCESS_ACCEPT, "second");
	pass(&w, DEAD);
	ask(&w, 3);
	assert_int_equal(server_of(&w), 1);
	ask(&w, 4);
	assert_int_equal(server_of(&w), 2);
	answer(&w, &w.sock[w.n_socks - 2], RADIUS_ACCESS_ACCEPT, "first");
	assert_int_equal(w.result.owner, 3);
	assert_string_equal(w.said, "the RADIUS server 192.0.2.1:1812 answers again");
	ask(&w, 5);
	assert_int_equal(server_of(&w), 1);
}

static void test_all_servers_dead(void **state)
{
	(void)state;
	ask(&w, 1);
	pass(&w, 8 * TIMEOUT);
	assert_int_equal(w.done, 1);
	assert_int_equal(w.result.end, RADIUS_SILENT);
	assert_int_equal(w.n_said, 2);
	assert_int_equal(radius_client_next(w.c), UINT64_MAX);
	/* Both are asked all the same, and nothing is said again. */
	ask(&w, 2);
	assert_int_equal(server_of(&w), 1);
	pass(&w, 4 * TIMEOUT);
	assert_int_equal(server_of(&w), 2);
	answer(&w, last_sock(&w), RADIUS_ACCESS_ACCEPT, "second");
	assert_int_equal(w.done, 2);
	assert_int_equal(w.result.end, RADIUS_ANSWERED);
	assert_int_equal(w.n_said, 3); /* it answers again */
}

/* Servers drop in silence what they do not like, and a peer chooses what that is. */
static void test_silence_for_one_peer(void **state)
{
	(void)state;
	ask(&w, 1);
	pass(&w, TIMEOUT / 2);
	ask(&w, 2);
	answer(&w, last_sock(&w), RADIUS_ACCESS_ACCEPT, "first");
	pass(&w, 4 * TIMEOUT);
	assert_false(is_dead(&w, 0));
	assert_int_equal(w.n_said, 0);
}

static void test_wrong_secret(void **state)
{
	(void)state;
	ask(&w, 1);
	answer(&w, last_sock(&w), RADIUS_ACCESS_ACCEPT, "other");
	assert_int_equal(w.done, 0);
	assert_non_null(strstr(w.said, "192.0.2.1:1812 is ignored: it is not signed with Secret="));
	assert_non_null(strstr(w.said, "clients.conf"));
	/* Once is enough, and the right one is heard. */
	answer(&w, last_sock(&w), RADIUS_ACCESS_ACCEPT, "other");
	assert_int_equal(w.n_said, 1);
	answer(&w, last_sock(&w), RADIUS_ACCESS_ACCEPT, "first");
	assert_int_equal(w.done, 1);
}

static void test_no_message_authenticator(void **state)
{
	(void)state;
	ask(&w, 1);
	answer_unsigned(&w, last_sock(&w), RADIUS_ACCESS_ACCEPT, "first");
	assert_int_equal(w.done, 0);
	assert_non_null(strstr(w.said, "has no Message-Authenticator"));
	assert_non_null(strstr(w.said, "update reply { &Message-Authenticator := 0x00 }"));
}

/* A forged one is being looked at when the right one comes: that waits in the socket. */
static void test_forged_first(void **state)
{
	struct reply forged, right;

	(void)state;
	ask(&w, 1);
	forged = make_reply(last_sock(&w), RADIUS_ACCESS_ACCEPT, "guess", true);
	right = make_reply(last_sock(&w), RADIUS_ACCESS_REJECT, "first", true);
	deliver(&w, last_sock(&w), &forged);
	assert_false(last_sock(&w)->listens);
	/* What comes now although nobody listens is ignored. */
	radius_client_datagram(w.c, last_sock(&w)->request, 0, right.buf, right.len, w.now);
	assert_int_equal(w.n_orders, 1);
	do_orders(&w);
	assert_true(last_sock(&w)->listens);
	deliver(&w, last_sock(&w), &right);
	do_orders(&w);
	assert_int_equal(w.done, 1);
	assert_int_equal(w.answer.code, RADIUS_ACCESS_REJECT);
}

/* There is an end to what is checked for one request. */
static void test_many_forged(void **state)
{
	(void)state;
	ask(&w, 1);
	for (unsigned int i = 0; i < RADIUS_ANSWERS; i++) {
		assert_true(last_sock(&w)->listens);
		answer(&w, last_sock(&w), RADIUS_ACCESS_ACCEPT, "guess");
	}
	assert_false(last_sock(&w)->listens);
	assert_int_equal(w.done, 0);
	assert_int_equal(w.n_said, 1);
	pass(&w, 4 * TIMEOUT);
	assert_int_equal(w.result.end, RADIUS_SILENT);
}

static void test_truncated(void **state)
{
	struct reply r, cut;

	(void)state;
	ask(&w, 1);
	r = make_reply(last_sock(&w), RADIUS_ACCESS_ACCEPT, "first", true);
	for (cut = r; cut.len; cut.len--) {
		if (cut.len < r.len)
			deliver(&w, last_sock(&w), &cut);
		assert_int_equal(w.n_orders, 0);
	}
	deliver(&w, last_sock(&w), &r);
	do_orders(&w);
	assert_int_equal(w.done, 1);
}

/* Of another kind than a request has: it costs no check. */
static void test_answer_to_something_else(void **state)
{
	(void)state;
	ask(&w, 1);
	for (unsigned int code = 0; code < 256; code++) {
		if (code == RADIUS_ACCESS_ACCEPT || code == RADIUS_ACCESS_REJECT ||
		    code == RADIUS_ACCESS_CHALLENGE)
			continue;
		struct reply r = make_reply(last_sock(&w), (uint8_t)code, "first", false);

		deliver(&w, last_sock(&w), &r);
		assert_int_equal(w.n_orders, 0);
	}
	assert_int_equal(w.done, 0);
}

static void test_repeated_answer(void **state)
{
	struct sock *s;

	(void)state;
	ask(&w, 1);
	s = last_sock(&w);
	answer(&w, s, RADIUS_ACCESS_ACCEPT, "first");
	answer(&w, s, RADIUS_ACCESS_ACCEPT, "first");
	struct reply r = make_reply(s, RADIUS_ACCESS_ACCEPT, "first", true);
	radius_client_datagram(w.c, s->request, 0, r.buf, r.len, w.now);
	assert_int_equal(w.done, 1);
	assert_int_equal(w.n_orders, 0);
}

static void test_accounting(void **state)
{
	(void)state;
	assert_int_equal(ask_as(&w, 5, RADIUS_ACCOUNTING_REQUEST, RADIUS_ANY_SERVER), 0);
	do_orders(&w);
	assert_int_equal(last_sock(&w)->server.port, 1813);
	/* Its answers have no Message-Authenticator. */
	answer_unsigned(&w, last_sock(&w), RADIUS_ACCOUNTING_RESPONSE, "first");
	assert_int_equal(w.done, 1);
	assert_int_equal(w.result.end, RADIUS_ANSWERED);
}

/* A port of a server says nothing of the other one. */
static void test_services_are_apart(void **state)
{
	struct reply r;

	(void)state;
	assert_int_equal(ask_as(&w, 5, RADIUS_ACCOUNTING_REQUEST, RADIUS_ANY_SERVER), 0);
	do_orders(&w);
	pass(&w, 4 * TIMEOUT); /* nothing listens on the first one's */
	assert_int_equal(server_of(&w), 2);
	assert_non_null(strstr(w.said, "192.0.2.1:1813 does not answer"));
	answer_unsigned(&w, last_sock(&w), RADIUS_ACCOUNTING_RESPONSE, "second");
	assert_int_equal(w.done, 1);
	assert_false(is_dead(&w, 0));
	ask(&w, 6);
	assert_int_equal(server_of(&w), 1);
	assert_int_equal(last_sock(&w)->server.port, 1812);
	/* The other way: it takes records, and no logins. */
	pass(&w, 4 * TIMEOUT);
	assert_true(is_dead(&w, 0));
	pass(&w, DEAD - 4 * TIMEOUT);
	assert_int_equal(ask_as(&w, 7, RADIUS_ACCOUNTING_REQUEST, RADIUS_ANY_SERVER), 0);
	do_orders(&w);
	r = make_reply(last_sock(&w), RADIUS_ACCOUNTING_RESPONSE,
		       server_of(&w) == 1 ? "first" : "second", false);
	deliver(&w, last_sock(&w), &r);
	do_orders(&w);
	assert_true(is_dead(&w, 0));
}

static void test_limits(void **state)
{
	unsigned int n = 0, records = 0;

	(void)state;
	while (!ask_as(&w, 1, RADIUS_ACCOUNTING_REQUEST, RADIUS_ANY_SERVER))
		records++;
	assert_int_equal(records, RADIUS_RECORDS + RADIUS_QUEUE);
	/* Logins have their own places. */
	while (!ask_as(&w, 10 + n, RADIUS_ACCESS_REQUEST, RADIUS_ANY_SERVER))
		n++;
	assert_int_equal(n, RADIUS_LOGINS - RADIUS_BEGUN);
	/* As have those that a server knows. */
	while (!ask_as(&w, 10 + n, RADIUS_ACCESS_REQUEST, 0))
		n++;
	assert_int_equal(n, RADIUS_LOGINS);
	assert_int_equal(ask_as(&w, 1, RADIUS_ACCOUNTING_REQUEST, RADIUS_ANY_SERVER), -EBUSY);
	radius_client_drop(w.c, 10);
	assert_int_equal(ask_as(&w, 10, RADIUS_ACCESS_REQUEST, RADIUS_ANY_SERVER), -EBUSY);
	assert_int_equal(ask_as(&w, 10, RADIUS_ACCESS_REQUEST, 0), 0);
}

/* Records wait for one another, and all of them come. */
static void test_records_wait(void **state)
{
	enum { RECORDS = 3 * RADIUS_RECORDS };

	(void)state;
	for (unsigned int i = 0; i < RECORDS; i++)
		assert_int_equal(ask_as(&w, i, RADIUS_ACCOUNTING_REQUEST, RADIUS_ANY_SERVER), 0);
	do_orders(&w);
	assert_int_equal(w.n_socks, RADIUS_RECORDS);
	for (unsigned int i = 0; i < 2 * RADIUS_RECORDS; i++) {
		struct reply r = make_reply(&w.sock[i], RADIUS_ACCOUNTING_RESPONSE, "first", false);

		deliver(&w, &w.sock[i], &r);
		do_orders(&w);
		assert_int_equal(w.done, i + 1);
		assert_int_equal(w.result.owner, i);
	}
	/* The server falls silent: they do not wait for ever. */
	assert_int_equal(w.n_socks, RECORDS);
	pass(&w, 4 * TIMEOUT);
	assert_int_equal(w.done, RECORDS);
	assert_int_equal(w.result.end, RADIUS_SILENT);
	assert_int_equal(radius_client_next(w.c), UINT64_MAX);
}

/* The question was dropped: neither signature nor check nor time find it. */
static void test_dropped(void **state)
{
	struct reply r;

	(void)state;
	assert_int_equal(ask_as(&w, 1, RADIUS_ACCESS_REQUEST, RADIUS_ANY_SERVER), 0);
	radius_client_drop(w.c, 1);
	do_orders(&w);
	assert_int_equal(w.n_socks, 0);
	ask(&w, 2);
	r = make_reply(last_sock(&w), RADIUS_ACCESS_ACCEPT, "first", true);
	deliver(&w, last_sock(&w), &r);
	assert_int_equal(w.n_orders, 1);
	radius_client_drop(w.c, 2);
	do_orders(&w);
	assert_int_equal(w.done, 0);
	pass(&w, 10 * TIMEOUT);
	assert_int_equal(w.done, 0);
}

/* The keys process takes its time, or has none. */
static void test_slow_check(void **state)
{
	struct reply r;

	(void)state;
	ask(&w, 1);
	r = make_reply(last_sock(&w), RADIUS_ACCESS_ACCEPT, "first", true);
	deliver(&w, last_sock(&w), &r);
	w.now += TIMEOUT + TIMEOUT / 8;
	radius_client_timer(w.c, w.now);
	assert_int_equal(w.sock[0].sent, 1); /* an answer is there: nothing is sent again */
	do_orders(&w);
	assert_int_equal(w.done, 1);

	w.no_jobs = true;
	assert_int_equal(ask_as(&w, 2, RADIUS_ACCESS_REQUEST, RADIUS_ANY_SERVER), -EBUSY);
	w.no_jobs = false;
	ask(&w, 3);
	w.no_jobs = true;
	r = make_reply(last_sock(&w), RADIUS_ACCESS_ACCEPT, "first", true);
	deliver(&w, last_sock(&w), &r);
	w.no_jobs = false;
	deliver(&w, last_sock(&w), &r); /* the server repeats */
	do_orders(&w);
	assert_int_equal(w.done, 2);
	/* It ends, and another one takes its place. */
	assert_int_equal(ask_as(&w, 5, RADIUS_ACCESS_REQUEST, RADIUS_ANY_SERVER), 0);
	radius_client_signed(w.c, w.orders[0].request, -EAGAIN, NULL, w.now);
	w.n_orders--;
	memmove(&w.orders[0], &w.orders[1], sizeof(w.orders[0]));
	do_orders(&w);
	answer(&w, last_sock(&w), RADIUS_ACCESS_ACCEPT, "first");
	assert_int_equal(w.result.owner, 5);
	w.done = 2;
	/* No signature at all. */
	assert_int_equal(ask_as(&w, 4, RADIUS_ACCESS_REQUEST, RADIUS_ANY_SERVER), 0);
	w.n_orders = 0;
	pass(&w, RADIUS_PATIENCE);
	assert_int_equal(w.done, 3);
	assert_int_equal(w.result.end, RADIUS_FAILED);
}

/* The server has answered in time, if only the keys process could say so. */
static void test_time_is_up_during_a_check(void **state)
{
	struct reply r;

	(void)state;
	ask(&w, 1);
	r = make_reply(last_sock(&w), RADIUS_ACCESS_ACCEPT, "first", true);
	deliver(&w, last_sock(&w), &r);
	pass_without_keys(&w, 4 * TIMEOUT);
	assert_int_equal(w.n_socks, 1);
	assert_false(is_dead(&w, 0));
	do_orders(&w);
	assert_int_equal(w.done, 1);
	assert_int_equal(w.result.end, RADIUS_ANSWERED);
	assert_int_equal(w.n_said, 0);
	/* It was not: the next server is asked at once. */
	pass(&w, 1);
	ask(&w, 2);
	r = make_reply(last_sock(&w), RADIUS_ACCESS_ACCEPT, "guess", true);
	deliver(&w, last_sock(&w), &r);
	pass_without_keys(&w, 4 * TIMEOUT);
	do_orders(&w);
	pass(&w, 0);
	assert_int_equal(server_of(&w), 2);
	assert_true(is_dead(&w, 0));
	/* It is never looked at, which is no fault of the server's. */
	r = make_reply(last_sock(&w), RADIUS_ACCESS_ACCEPT, "second", true);
	deliver(&w, last_sock(&w), &r);
	pass_without_keys(&w, 4 * TIMEOUT + RADIUS_PATIENCE);
	assert_int_equal(w.done, 2);
	assert_int_equal(w.result.end, RADIUS_FAILED);
	assert_false(is_dead(&w, 1));
}

/* The core waits for 10 s: three servers with default times are asked within them, whatever is random. */
static void test_all_are_asked_in_time(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		open_world(&w, 3);
		w.secret[2] = "third";
		w.same = i ? 255 : 1;
		ask(&w, 1);
		pass(&w, 9 * TIMEOUT);
		assert_int_equal(w.n_socks, 3);
		assert_int_equal(w.done, 1);
		assert_int_equal(w.result.end, RADIUS_SILENT);
		close_world(&w);
	}
}

/* A record that waits has no packets yet. */
static void test_a_queue_is_small(void **state)
{
	size_t before;

	(void)state;
	for (unsigned int i = 0; i < RADIUS_RECORDS; i++)
		assert_int_equal(ask_as(&w, 1, RADIUS_ACCOUNTING_REQUEST, RADIUS_ANY_SERVER), 0);
	before = mallinfo2().uordblks;
	for (unsigned int i = 0; i < RADIUS_QUEUE; i++)
		assert_int_equal(ask_as(&w, 1, RADIUS_ACCOUNTING_REQUEST, RADIUS_ANY_SERVER), 0);
	assert_in_range(mallinfo2().uordblks - before, 0, RADIUS_QUEUE * 256);
}

/* Those under way, too, begin anew there. */
static void test_records_go_to_other_servers(void **state)
{
	enum { RECORDS = RADIUS_RECORDS + 5 };
	static struct world v;

	(void)state;
	open_world(&w, 1);
	open_world(&v, 1);
	v.secret[0] = "new";
	ask(&w, 1); /* a login, which does not */
	for (unsigned int i = 0; i < RECORDS; i++)
		assert_int_equal(ask_as(&w, 10 + i, RADIUS_ACCOUNTING_REQUEST, RADIUS_ANY_SERVER),
				 0);
	do_orders(&w);
	assert_int_equal(radius_client_records(w.c), RECORDS);
	radius_client_move_records(w.c, v.c, v.now);
	assert_int_equal(radius_client_records(w.c), 0);
	assert_int_equal(radius_client_records(v.c), RECORDS);
	do_orders(&v);
	for (unsigned int i = 0; i < RECORDS; i++) {
		struct reply r = make_reply(&v.sock[i], RADIUS_ACCOUNTING_RESPONSE, "new", false);

		deliver(&v, &v.sock[i], &r);
		do_orders(&v);
		assert_int_equal(v.done, i + 1);
		assert_int_equal(v.result.owner, 10 + i);
		assert_int_equal(v.result.end, RADIUS_ANSWERED);
	}
	assert_int_equal(w.done, 0);
	close_world(&w);
	close_world(&v);
}

/* Who asks how a server does. */
static void test_what_is_counted(void **state)
{
	struct radius_status s;

	(void)state;
	for (unsigned int i = 0; i < 3; i++) {
		static const uint8_t codes[] = { RADIUS_ACCESS_CHALLENGE, RADIUS_ACCESS_REJECT,
						 RADIUS_ACCESS_ACCEPT };

		ask(&w, i);
		answer(&w, last_sock(&w), codes[i], "first");
	}
	pass(&w, 1);
	ask(&w, 4);
	pass(&w, 4 * TIMEOUT); /* goes to the second one */
	assert_int_equal(ask_as(&w, 5, RADIUS_ACCOUNTING_REQUEST, RADIUS_ANY_SERVER), 0);
	do_orders(&w);
	answer_unsigned(&w, last_sock(&w), RADIUS_ACCOUNTING_RESPONSE, "first");
	radius_client_status(w.c, 0, &s);
	assert_true(s.access.dead);
	assert_false(s.accounting.dead);
	assert_int_equal(s.access.requests, 4);
	assert_int_equal(s.access.answers, 3);
	assert_int_equal(s.accepts, 1);
	assert_int_equal(s.rejects, 1);
	assert_int_equal(s.accounting.requests, 1);
	assert_int_equal(s.accounting.answers, 1);
	radius_client_status(w.c, 1, &s);
	assert_false(s.access.dead);
	assert_int_equal(s.access.requests, 1);
	assert_int_equal(s.access.answers, 0);
}

static void test_nothing_listens(void **state)
{
	(void)state;
	ask(&w, 1);
	last_sock(&w)->listens = false;
	radius_client_datagram(w.c, last_sock(&w)->request, -ECONNREFUSED, NULL, 0, w.now);
	assert_true(last_sock(&w)->listens);
	pass(&w, 4 * TIMEOUT);
	assert_string_equal(
		w.said, "the RADIUS server 192.0.2.1:1812 does not answer: nothing listens there");
}

static void test_no_socket(void **state)
{
	(void)state;
	w.no_sockets = true;
	ask(&w, 1);
	pass(&w, 0);
	assert_int_equal(w.done, 1);
	assert_int_equal(w.result.end, RADIUS_SILENT);
	assert_string_equal(
		w.said, "the RADIUS server 192.0.2.2:1812 cannot be reached: Too many open files");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_accepts, with_two_servers, end_world),
		cmocka_unit_test_setup_teardown(test_each_request_is_another, with_one_server,
						end_world),
		cmocka_unit_test_setup_teardown(test_challenge_goes_on_with_its_server,
						with_two_servers, end_world),
		cmocka_unit_test_setup_teardown(test_repeats_then_another_server, with_two_servers,
						end_world),
		cmocka_unit_test_setup_teardown(test_dead_time, with_two_servers, end_world),
		cmocka_unit_test_setup_teardown(test_all_servers_dead, with_two_servers, end_world),
		cmocka_unit_test_setup_teardown(test_silence_for_one_peer, with_two_servers,
						end_world),
		cmocka_unit_test_setup_teardown(test_wrong_secret, with_one_server, end_world),
		cmocka_unit_test_setup_teardown(test_no_message_authenticator, with_one_server,
						end_world),
		cmocka_unit_test_setup_teardown(test_forged_first, with_one_server, end_world),
		cmocka_unit_test_setup_teardown(test_many_forged, with_one_server, end_world),
		cmocka_unit_test_setup_teardown(test_truncated, with_one_server, end_world),
		cmocka_unit_test_setup_teardown(test_answer_to_something_else, with_one_server,
						end_world),
		cmocka_unit_test_setup_teardown(test_repeated_answer, with_one_server, end_world),
		cmocka_unit_test_setup_teardown(test_accounting, with_two_servers, end_world),
		cmocka_unit_test_setup_teardown(test_services_are_apart, with_two_servers,
						end_world),
		cmocka_unit_test_setup_teardown(test_records_wait, with_one_server, end_world),
		cmocka_unit_test_setup_teardown(test_limits, with_one_server, end_world),
		cmocka_unit_test_setup_teardown(test_dropped, with_one_server, end_world),
		cmocka_unit_test_setup_teardown(test_slow_check, with_two_servers, end_world),
		cmocka_unit_test_setup_teardown(test_time_is_up_during_a_check, with_two_servers,
						end_world),
		cmocka_unit_test(test_all_are_asked_in_time),
		cmocka_unit_test_setup_teardown(test_a_queue_is_small, with_one_server, end_world),
		cmocka_unit_test(test_records_go_to_other_servers),
		cmocka_unit_test_setup_teardown(test_what_is_counted, with_two_servers, end_world),
		cmocka_unit_test_setup_teardown(test_nothing_listens, with_one_server, end_world),
		cmocka_unit_test_setup_teardown(test_no_socket, with_two_servers, end_world),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
