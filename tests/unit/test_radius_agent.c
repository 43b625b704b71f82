// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * EAP of a RADIUS server in the agent: jobs of the core, the keys process, sockets, sessions and accounting, with a
 * server that is played here. The core and the kernel are, too (see WRAP_test_radius_agent in the Makefile).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/hash.h"
#include "ike/app/agent_int.h"
#include "ike/crypto/legacy.h"
#include "ike/eap/eap.h"

#ifdef __SANITIZE_ADDRESS__
enum { SECCOMP = false };
#else
enum { SECCOMP = true };
#endif

static const char secret[] = "5dtRc2sPqYb8Wm1xVn7uKz4L";
enum { SECRET_LEN = sizeof(secret) - 1, PEER = 7, AT_MOST = 2000 /* turns of the loop */ };

struct world {
	struct agent *a;
	struct tunnel *t;
	struct spawn *spawn;
	struct event_base *base;
	struct ike_env env;
	struct ike_proposals proposals; /* none */
	bool no_keys; /* in an Access-Accept */
	int access, accounting; /* sockets of the server */
	/* The last request it got, and where from. */
	uint8_t buf[RADIUS_MAX];
	struct radius_packet p;
	struct sockaddr_in from;
	/* Of the core. */
	struct ike_job_result result;
	unsigned int results;
	uint32_t sent_away;
	/* Of the kernel. */
	uint64_t ends; /* of the last peer that was made */
};

static struct world w;

void __wrap_core_job_done(struct core *c, const struct ike_job_result *r, uint64_t now);
void __wrap_core_job_done(struct core *c, const struct ike_job_result *r, uint64_t now)
{
	(void)c;
	(void)now;
	w.result = *r;
	w.results++;
}

int __wrap_core_client_down(struct core *c, const char *tunnel, uint32_t peer, uint64_t now);
int __wrap_core_client_down(struct core *c, const char *tunnel, uint32_t peer, uint64_t now)
{
	(void)c;
	(void)tunnel;
	(void)now;
	w.sent_away = peer;
	return 0;
}

int __wrap_core_down(struct core *c, const char *name, uint64_t now);
int __wrap_core_down(struct core *c, const char *name, uint64_t now)
{
	(void)c;
	(void)name;
	(void)now;
	return 0;
}

bool __wrap_kernel_peer_traffic(struct kernel *k, uint32_t ifindex, uint32_t id,
				struct kernel_traffic *out);
bool __wrap_kernel_peer_traffic(struct kernel *k, uint32_t ifindex, uint32_t id,
				struct kernel_traffic *out)
{
	(void)k;
	(void)ifindex;
	(void)id;
	*out = (struct kernel_traffic){
		.rx_bytes = 0x300000005, .tx_bytes = 9, .rx_packets = 4, .tx_packets = 2
	};
	return true;
}

int __wrap_kernel_peer_make(struct kernel *k, uint32_t ifindex, uint32_t id,
			    const struct kernel_peer_conf *conf);
int __wrap_kernel_peer_make(struct kernel *k, uint32_t ifindex, uint32_t id,
			    const struct kernel_peer_conf *conf)
{
	(void)k;
	(void)ifindex;
	(void)id;
	w.ends = conf->ends;
	return 0;
}

/* ---- the world ---------------------------------------------------------------------------------- */

static int listen_on(uint16_t *port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(sin);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&sin, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sin, &len), 0);
	*port = ntohs(sin.sin_port);
	return fd;
}

/* As agent.c does it. */
static void on_keys(void *ctx)
{
	agent_take_jobs(ctx, 64, UINT64_MAX);
}

static void on_due(void *ctx)
{
	(void)ctx;
}

static struct config_radius *make_server(void)
{
	struct config_radius *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	r->server.access.addr = r->server.accounting.addr =
		(struct ike_addr){ 4, { 127, 0, 0, 1 } };
	r->server.timeout = 200;
	r->server.retries = 1;
	r->server.dead_time = 1000;
	w.access = listen_on(&r->server.access.port);
	w.accounting = listen_on(&r->server.accounting.port);
	memcpy(r->secret, secret, SECRET_LEN);
	r->secret_len = SECRET_LEN;
	return r;
}

static int set_up(void **state)
{
	const struct seal seal = { { 1 }, { 2 } };
	const struct spawn_options o = { .kind = SPAWN_KEYS,
					 .wrapping = seal.wrapping,
					 .seccomp = SECCOMP };
	static const struct agent_helpers helpers; /* nothing keeps leases */
	const struct pool_range range = { { 4, { 10, 9, 0, 2 } }, { 4, { 10, 9, 0, 9 } } };
	struct key_proc_events events = { env_find_key, on_keys, NULL };
	char err[512] = "";

	(void)state;
	memset(&w, 0, sizeof(w));
	w.a = events.ctx = calloc(1, sizeof(*w.a));
	w.t = calloc(1, sizeof(*w.t));
	w.a->helpers = &helpers;
	w.spawn = spawn_start(&o, err, sizeof(err));
	if (!w.spawn)
		fail_msg("%s", err);
	w.a->loop = loop_new(on_due, w.a);
	w.base = loop_base(w.a->loop);
	w.a->key_proc = key_proc_new(w.base, w.spawn, &events);
	assert_non_null(w.a->key_proc);
	w.a->remotes = remotes_new();
	assert_non_null(w.a->remotes);
	TAILQ_INIT(&w.a->dirty);
	LIST_INIT(&w.a->radius);
	w.t->agent = w.a;
	w.t->ifindex = 5;
	strcpy(w.t->conf.name, "vpn0");
	w.t->conf.radius = make_server();
	w.t->conf.remote_auth.method = IKE_METHOD_EAP;
	w.t->conf.n_radius = 1;
	w.t->conf.ike = w.t->conf.esp = &w.proposals;
	w.t->pool = pool_new(&range, 1, NULL, 0);
	assert_int_equal(seal_config(&seal, &w.t->conf), 0);
	assert_true(owned_add_peer(&w.t->owned, IKE_PEER_FIRST, 1));
	LIST_INSERT_HEAD(&w.a->by_name[hash_lower("vpn0", 4) % TUNNEL_BUCKETS], w.t, by_name);
	agent_env(w.a, &w.env);
	log_open(IKE_LOG_ERROR, false);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	backend_free(w.t);
	session_free(w.t);
	radius_free(w.t);
	assert_true(LIST_EMPTY(&w.a->radius));
	pool_free(w.t->pool);
	key_proc_free(w.a->key_proc);
	spawn_free(w.spawn);
	loop_free(w.a->loop);
	owned_free(&w.t->owned);
	remotes_free(w.a->remotes);
	free(w.t->conf.radius);
	free(w.t);
	free(w.a);
	close(w.access);
	close(w.accounting);
	while (wait(NULL) > 0)
		;
	return 0;
}

static void turn(void)
{
	event_base_loop(w.base, EVLOOP_NONBLOCK);
	radius_timer(w.t, loop_now());
	session_timer(w.t, loop_now());
	usleep(1000);
}

/* ---- the server ----------------------------------------------------------------------------------- */

/* The next request at the socket. */
static void receive(int fd)
{
	socklen_t len = sizeof(w.from);
	ssize_t n = -1;

	for (unsigned int i = 0; n < 0 && i < AT_MOST; i++) {
		turn();
		n = recvfrom(fd, w.buf, sizeof(w.buf), 0, (struct sockaddr *)&w.from, &len);
	}
	assert_true(n > 0);
	assert_true(radius_parse(w.buf, (size_t)n, &w.p));
}

/* The first attribute of this type in the request; NULL: it has none. */
static const uint8_t *find_attr(uint8_t type, size_t *len)
{
	struct radius_attr a;
	size_t at = 0;

	while (radius_next_attr(&w.p, &at, &a)) {
		*len = a.len;
		if (a.type == type)
			return a.value;
	}
	return NULL;
}

static uint32_t number_of(uint8_t type)
{
	size_t len = 0;
	const uint8_t *v = find_attr(type, &len);

	assert_true(v && len == 4);
	return (uint32_t)v[0] << 24 | (uint32_t)v[1] << 16 | (uint32_t)v[2] << 8 | v[3];
}

/* A key of 32 sevens, hidden as RFC 2548 2.4.2 says. */
static void add_key(struct writer *b, uint8_t type)
{
	uint8_t v[6 + 2 + 48] = { 0, 0, 311 >> 8, 311 & 0xff, type, 2 + 2 + 48, 0x80, type };
	uint8_t *text = v + 8, pad[16];
	const struct ike_iov first[] = { { secret, SECRET_LEN },
					 { w.p.authenticator, 16 },
					 { v + 6, 2 } };

	text[0] = 32;
	memset(text + 1, 7, 32);
	for (unsigned int at = 0; at < 48; at += 16) {
		const struct ike_iov next[] = { { secret, SECRET_LEN },
						{ text + at - (at ? 16 : 0), 16 } };

		assert_int_equal(at ? ike_md5(next, 2, pad) : ike_md5(first, 3, pad), 0);
		for (unsigned int i = 0; i < 16; i++)
			text[at + i] ^= pad[i];
	}
	radius_add(b, RADIUS_A_VENDOR_SPECIFIC, v, sizeof(v));
}

/* It answers the request, with these attributes. */
static void reply(int fd, uint8_t code, const uint8_t *attributes, size_t attributes_len)
{
	static const uint8_t zeros[RADIUS_AUTHENTICATOR];
	uint8_t buf[RADIUS_MAX];
	struct writer b = radius_begin(buf, code, w.p.id, w.p.authenticator);

	radius_add(&b, RADIUS_A_MESSAGE_AUTHENTICATOR, zeros, sizeof(zeros));
	radius_add_all(&b, attributes, attributes_len);
	if (code == RADIUS_ACCESS_ACCEPT && !w.no_keys) {
		add_key(&b, 16);
		add_key(&b, 17);
	}

	const size_t len = radius_end(&b);
	const struct ike_iov whole = { buf, len }, all[] = { { buf, len }, { secret, SECRET_LEN } };

	assert_int_equal(ike_hmac_md5((const uint8_t *)secret, SECRET_LEN, &whole, 1,
				      buf + RADIUS_HEAD + 2),
			 0);
	assert_int_equal(ike_md5(all, 2, buf + 4), 0);
	assert_int_equal(sendto(fd, buf, len, 0, (struct sockaddr *)&w.from, sizeof(w.from)), len);
}

/* ---- the core -------------------------------------------------------------------------------------- */

static int begin_as(const char *name, uint64_t id, const char *talk, const void *packet, size_t len)
{
	static const char names[1][IKE_JOB_NAME] = { "vpn0" };
	static const struct ike_id alice = { .type = IKE_ID_FQDN, .len = 5, .data = "alice" };
	const struct ike_job job = {
		.id = id,
		.kind = IKE_JOB_RADIUS,
		.n_tunnels = 1,
		.tunnels = names,
		.peer = &alice,
		.octets = { { name, strlen(name) }, { packet, len }, { talk, 8 } },
	};

	return w.env.job_start(w.a, &job);
}

static int begin(uint64_t id, const char *talk, const void *packet, size_t len)
{
	return begin_as("alice", id, talk, packet, len);
}

static void wait_for_result(uint64_t id)
{
	for (unsigned int i = 0; !w.results && i < AT_MOST; i++)
		turn();
	assert_int_equal(w.results, 1);
	assert_int_equal(w.result.id, id);
	w.results = 0;
}

static const uint8_t identity[] = { EAP_RESPONSE, 1,   0,   10,	 EAP_TYPE_IDENTITY,
				    'a',	  'l', 'i', 'c', 'e' };
static const uint8_t request[] = { EAP_REQUEST, 2, 0, 6, 26, 9 };
static const uint8_t response[] = { EAP_RESPONSE, 2, 0, 6, 26, 8 };
static const uint8_t success[] = { EAP_SUCCESS, 2, 0, 4 };

static void log_in(const char *talk, void (*more)(struct writer *b))
{
	uint8_t attributes[512];
	struct writer b = radius_attributes(attributes, sizeof(attributes));

	assert_int_equal(begin(1, talk, identity, sizeof(identity)), 0);
	receive(w.access);
	radius_add_eap(&b, success, sizeof(success));
	more(&b);
	reply(w.access, RADIUS_ACCESS_ACCEPT, attributes, radius_end_attributes(&b));
	wait_for_result(1);
	assert_int_equal(w.result.error, 0);
	assert_int_equal(w.result.verdict[0], IKE_JOB_PROVEN);
}

/* ---- situations ------------------------------------------------------------------------------------ */

static void nothing(struct writer *b)
{
	(void)b;
}

static void a_conversation(void **state)
{
	uint8_t attributes[64];
	struct writer b = radius_attributes(attributes, sizeof(attributes));
	size_t len = 0;

	(void)state;
	assert_int_equal(begin(5, "talk-one", identity, sizeof(identity)), 0);
	receive(w.access);
	assert_int_equal(w.p.code, RADIUS_ACCESS_REQUEST);
	assert_memory_equal(find_attr(RADIUS_A_EAP_MESSAGE, &len), identity, sizeof(identity));
	assert_memory_equal(find_attr(RADIUS_A_USER_NAME, &len), "alice", 5);
	assert_memory_equal(find_attr(RADIUS_A_NAS_IDENTIFIER, &len), "vpn0", 4);
	assert_null(find_attr(RADIUS_A_STATE, &len));
	radius_add_eap(&b, request, sizeof(request));
	radius_add(&b, RADIUS_A_STATE, "where we are", 12);
	reply(w.access, RADIUS_ACCESS_CHALLENGE, attributes, radius_end_attributes(&b));
	wait_for_result(5);
	assert_int_equal(w.result.verdict[0], IKE_JOB_REFUTED);
	assert_int_equal(w.result.eap_len, sizeof(request));
	assert_memory_equal(w.result.eap, request, sizeof(request));
	/* Another conversation knows nothing of this one's State. */
	assert_int_equal(begin(6, "talk-two", identity, sizeof(identity)), 0);
	receive(w.access);
	assert_null(find_attr(RADIUS_A_STATE, &len));
	reply(w.access, RADIUS_ACCESS_REJECT, NULL, 0);
	wait_for_result(6);
	assert_int_equal(w.result.verdict[0], IKE_JOB_REFUTED);
	assert_int_equal(w.result.eap_len, 0);
	/* The first one goes on. */
	assert_int_equal(begin(1, "talk-one", response, sizeof(response)), 0);
	receive(w.access);
	assert_memory_equal(find_attr(RADIUS_A_STATE, &len), "where we are", 12);
	b = radius_attributes(attributes, sizeof(attributes));
	radius_add_eap(&b, success, sizeof(success));
	radius_add_text(&b, RADIUS_A_USER_NAME, "alice@corp.example");
	reply(w.access, RADIUS_ACCESS_ACCEPT, attributes, radius_end_attributes(&b));
	wait_for_result(1);
	/* As whom the server knows the user. */
	assert_int_equal(w.result.verdict[0], IKE_JOB_PROVEN);
	assert_int_equal(w.result.auth_len, EAP_MSK_LEN);
	assert_memory_equal(w.result.auth, ((const uint8_t[]){ 7, 7, 7, 7 }), 4);
	assert_int_equal(w.result.eap_len, 18);
	assert_memory_equal(w.result.eap, "alice@corp.example", 18);
}

/* RFC 3579 2.6.3, 2.6.4: what RADIUS and EAP say is not the same. */
static void an_acceptance_that_is_none(void **state)
{
	static const uint8_t failure[] = { 79, 6, EAP_FAILURE, 2, 0, 4 };
	uint8_t attributes[64];

	(void)state;
	for (unsigned int i = 0; i < 4; i++) {
		struct writer b = radius_attributes(attributes, sizeof(attributes));

		if (i == 0)
			radius_add_all(&b, failure, sizeof(failure));
		if (i == 1)
			radius_add_eap(&b, request, sizeof(request));
		if (i == 3) /* RFC 7296 2.16: a method that makes no key */
			radius_add_eap(&b, success, sizeof(success));
		w.no_keys = i == 3;
		assert_int_equal(begin(1, "talk-one", identity, sizeof(identity)), 0);
		receive(w.access);
		reply(w.access, RADIUS_ACCESS_ACCEPT, attributes, radius_end_attributes(&b));
		wait_for_result(1);
		assert_int_equal(w.result.verdict[0], IKE_JOB_REFUTED);
		assert_int_equal(w.result.eap_len, 0);
	}
	assert_null(w.t->sessions);
}

static void give_all(struct writer *b)
{
	radius_add(b, RADIUS_A_FRAMED_IP_ADDRESS, (const uint8_t[]){ 10, 9, 0, 7 }, 4);
	radius_add_text(b, RADIUS_A_CLASS, "gold");
	radius_add_u32(b, RADIUS_A_SESSION_TIMEOUT, 1);
}

static void a_session(void **state)
{
	static const struct ike_endpoint remote = { { 4, { 192, 0, 2, 1 } }, 4500 };
	struct ike_addr addr = { 0 };
	struct ike_id id;
	char number[17] = "";
	size_t len = 0;

	(void)state;
	log_in("talk-one", give_all);
	assert_true(eap_identity((const uint8_t *)"alice", 5, &id));
	session_bind(w.t, PEER, &id, &remote);
	assert_int_equal(lease_take(w.t, PEER, &id, 4, NULL, &addr), 0);
	assert_memory_equal(addr.b, ((const uint8_t[]){ 10, 9, 0, 7 }), 4);
	session_start(w.t, PEER);
	session_start(w.t, PEER); /* of each child SA */
	receive(w.accounting);
	assert_int_equal(w.p.code, RADIUS_ACCOUNTING_REQUEST);
	assert_int_equal(number_of(RADIUS_A_ACCT_STATUS_TYPE), 1);
	assert_memory_equal(find_attr(RADIUS_A_CLASS, &len), "gold", 4);
	assert_memory_equal(find_attr(RADIUS_A_FRAMED_IP_ADDRESS, &len), addr.b, 4);
	assert_memory_equal(find_attr(RADIUS_A_CALLING_STATION_ID, &len), "192.0.2.1:4500", 14);
	memcpy(number, find_attr(RADIUS_A_ACCT_SESSION_ID, &len), 16);
	reply(w.accounting, RADIUS_ACCOUNTING_RESPONSE, NULL, 0);
	for (unsigned int i = 0; !w.sent_away && i < AT_MOST; i++)
		turn();
	assert_int_equal(w.sent_away, PEER); /* Session-Timeout */
	assert_int_equal(session_timer(w.t, loop_now()), 0);
	/* The core does nothing. */
	assert_in_range(session_next(w.t), loop_now(), loop_now() + 20000);
	assert_int_equal(session_timer(w.t, session_next(w.t)), PEER);
	session_stop(w.t, PEER);
	receive(w.accounting);
	assert_int_equal(number_of(RADIUS_A_ACCT_STATUS_TYPE), 2);
	assert_memory_equal(find_attr(RADIUS_A_ACCT_SESSION_ID, &len), number, 16);
	assert_int_equal(number_of(RADIUS_A_ACCT_INPUT_OCTETS), 5);
	assert_int_equal(number_of(RADIUS_A_ACCT_INPUT_GIGAWORDS), 3);
	assert_int_equal(number_of(RADIUS_A_ACCT_OUTPUT_OCTETS), 9);
	assert_int_equal(number_of(RADIUS_A_ACCT_OUTPUT_GIGAWORDS), 0);
	assert_int_equal(number_of(RADIUS_A_ACCT_INPUT_PACKETS), 4);
	/* The second of Session-Timeout began with the answer, a little before the session. */
	assert_in_range(number_of(RADIUS_A_ACCT_SESSION_TIME), 0, 3);
	assert_int_equal(number_of(RADIUS_A_ACCT_TERMINATE_CAUSE), 5);
	session_stop(w.t, PEER);
	assert_true(TAILQ_EMPTY(&w.t->sessions->list));
}

/* Its Stop has not left when the tunnel could go. */
static void a_tunnel_that_closes(void **state)
{
	static const struct ike_endpoint remote = { { 4, { 192, 0, 2, 1 } }, 4500 };
	struct ike_id id;

	(void)state;
	assert_true(eap_identity((const uint8_t *)"alice", 5, &id));
	log_in("talk-one", nothing);
	session_bind(w.t, PEER, &id, &remote);
	session_start(w.t, PEER);
	receive(w.accounting);
	reply(w.accounting, RADIUS_ACCOUNTING_RESPONSE, NULL, 0);
	for (unsigned int i = 0; radius_records(w.t) && i < AT_MOST; i++)
		turn();
	w.t->started = true;
	w.t->state = IKE_TUNNEL_UP;
	tunnel_close(w.a, w.t, AFTER_FORGET);
	assert_false(tunnel_may_go(w.t, loop_now()));
	session_stop(w.t, PEER); /* as its peer is removed */
	w.t->state = IKE_TUNNEL_DOWN;
	assert_int_equal(radius_records(w.t), 1);
	assert_false(tunnel_may_go(w.t, loop_now()));
	assert_true(tunnel_may_go(w.t, w.t->close_by));
	receive(w.accounting);
	assert_int_equal(number_of(RADIUS_A_ACCT_STATUS_TYPE), 2);
	assert_int_equal(number_of(RADIUS_A_ACCT_TERMINATE_CAUSE), 6); /* Admin-Reset */
	assert_false(tunnel_may_go(w.t, loop_now()));
	reply(w.accounting, RADIUS_ACCOUNTING_RESPONSE, NULL, 0);
	for (unsigned int i = 0; radius_records(w.t) && i < AT_MOST; i++)
		turn();
	assert_true(tunnel_may_go(w.t, loop_now()));
}

/* What another ike process does not know, or knows by another's number. */
static void sessions_of_no_peer(void **state)
{
	static const struct ike_endpoint remote = { { 4, { 192, 0, 2, 1 } }, 4500 };
	struct ike_id alice, bob;

	(void)state;
	assert_true(eap_identity((const uint8_t *)"alice", 5, &alice));
	assert_true(eap_identity((const uint8_t *)"bob", 3, &bob));
	log_in("talk-one", nothing);
	assert_true(owned_add_peer(&w.t->owned, PEER, 9));
	session_bind(w.t, PEER, &alice, &remote);
	session_stop_removed(w.t);
	assert_false(TAILQ_EMPTY(&w.t->sessions->list));
	session_bind(w.t, PEER, &bob, &remote);
	assert_true(TAILQ_EMPTY(&w.t->sessions->list));
	log_in("talk-two", nothing);
	session_stop_removed(w.t); /* that one waits */
	session_bind(w.t, PEER, &alice, &remote);
	owned_remove_peer(&w.t->owned, PEER);
	session_stop_removed(w.t);
	assert_true(TAILQ_EMPTY(&w.t->sessions->list));
}

/* The same client logs in anew: one session ends, another begins. */
static void a_second_login(void **state)
{
	static const struct ike_endpoint remote = { { 4, { 192, 0, 2, 1 } }, 4500 };
	struct ike_id id;
	char first[16];
	size_t len = 0;

	(void)state;
	assert_true(eap_identity((const uint8_t *)"alice", 5, &id));
	log_in("talk-one", nothing);
	session_bind(w.t, PEER, &id, &remote);
	session_start(w.t, PEER);
	receive(w.accounting);
	memcpy(first, find_attr(RADIUS_A_ACCT_SESSION_ID, &len), sizeof(first));
	reply(w.accounting, RADIUS_ACCOUNTING_RESPONSE, NULL, 0);
	log_in("talk-two", nothing);
	session_start(w.t, PEER);
	/* Both at once, in any order. */
	for (unsigned int i = 0; i < 2; i++) {
		bool is_first;

		receive(w.accounting);
		is_first = !memcmp(find_attr(RADIUS_A_ACCT_SESSION_ID, &len), first, sizeof(first));
		assert_int_equal(number_of(RADIUS_A_ACCT_STATUS_TYPE), is_first ? 2 : 1);
		reply(w.accounting, RADIUS_ACCOUNTING_RESPONSE, NULL, 0);
	}
}

/* What the server gives to one is nothing for another, nor for a second peer. */
static void a_session_of_another(void **state)
{
	struct ike_addr addr;
	struct ike_id id, other;

	(void)state;
	assert_true(eap_identity((const uint8_t *)"alice", 5, &id));
	assert_true(eap_identity((const uint8_t *)"bob", 3, &other));
	log_in("talk-one", give_all);
	assert_false(session_address(w.t, PEER, &other, 4, &addr));
	assert_true(session_address(w.t, PEER, &id, 4, &addr));
	assert_false(session_address(w.t, PEER, &id, 6, &addr));
	assert_false(session_address(w.t, PEER + 1, &id, 4, &addr));
}

static void a_silent_server(void **state)
{
	(void)state;
	assert_int_equal(begin(9, "talk-one", identity, sizeof(identity)), 0);
	wait_for_result(9);
	assert_int_equal(w.result.error, -ETIMEDOUT);
}

/* The process that speaks IKE is an attacker's. */
static void hostile_jobs(void **state)
{
	static const uint8_t as_request[] = { EAP_REQUEST, 1, 0, 6, 26, 9 };
	static uint8_t longest[RADIUS_EAP + 1] = { EAP_RESPONSE };
	char talk[9];

	(void)state;
	assert_int_equal(begin(1ULL << 63 | 1, "talk-one", identity, sizeof(identity)), -EINVAL);
	assert_int_equal(begin(1, "talk-one", as_request, sizeof(as_request)), -EINVAL);
	assert_int_equal(begin(1, "talk-one", identity, 4), -EINVAL);
	assert_int_equal(begin(1, "talk-one", longest, sizeof(longest)), -EINVAL);
	/* A conversation begins with the user's name, and is about this one to its end. */
	assert_int_equal(begin(1, "talk-one", response, sizeof(response)), -EINVAL);
	assert_int_equal(begin_as("bob", 1, "talk-one", identity, sizeof(identity)), -EINVAL);
	assert_int_equal(begin(1, "talk-one", identity, sizeof(identity)), 0);
	assert_int_equal(begin_as("bob", 2, "talk-one", response, sizeof(response)), -EINVAL);
	assert_int_equal(begin_as("alic", 2, "talk-one", response, sizeof(response)), -EINVAL);
	assert_int_equal(begin(1, "talk-one", longest, RADIUS_EAP), -EMSGSIZE);
	/* As many conversations as it wants: some are kept, and fewer have a question out. */
	for (unsigned int i = 0; i < 3000; i++) {
		snprintf(talk, sizeof(talk), "%08u", i);
		begin(100 + i, talk, identity, sizeof(identity));
	}
	assert_in_range(w.t->talks->n, 1, 1536);
	/* A result of the keys process that nobody waits for. */
	assert_true(radius_job_done(w.a, &(struct ike_job_result){ .id = 1ULL << 63 | 12345 }));
	assert_false(radius_job_done(w.a, &(struct ike_job_result){ .id = 12345 }));
}

/* A user is asked for a password while strangers begin what they never end. */
static void a_patient_user(void **state)
{
	uint8_t attributes[64];
	struct writer b = radius_attributes(attributes, sizeof(attributes));
	char talk[9];

	(void)state;
	assert_int_equal(begin(5, "talk-one", identity, sizeof(identity)), 0);
	receive(w.access);
	radius_add_eap(&b, request, sizeof(request));
	radius_add(&b, RADIUS_A_STATE, "where we are", 12);
	reply(w.access, RADIUS_ACCESS_CHALLENGE, attributes, radius_end_attributes(&b));
	wait_for_result(5);
	for (unsigned int i = 0; i < 3000; i++) {
		snprintf(talk, sizeof(talk), "%08u", i);
		begin(100 + i, talk, identity, sizeof(identity));
	}
	assert_int_equal(begin(6, "talk-one", response, sizeof(response)), 0);
}

/* It says that a client logged in, of whom no server was asked, or that one is another. */
static void hostile_clients(void **state)
{
	static const struct ike_endpoint remote = { { 4, { 192, 0, 2, 1 } }, 4500 };
	struct ike_addr addr;
	struct ike_id alice, bob;

	(void)state;
	w.t->conf.clients = 9;
	w.t->conf.endpoint_addr = remote.addr; /* it was heard from there */
	assert_true(eap_identity((const uint8_t *)"alice", 5, &alice));
	assert_true(eap_identity((const uint8_t *)"bob", 3, &bob));
	assert_int_equal(w.env.peer_make(w.a, "vpn0", PEER, &remote, &alice), -EPERM);
	assert_false(owned_has_peer(&w.t->owned, PEER));
	log_in("talk-one", nothing);
	assert_int_equal(w.env.peer_make(w.a, "vpn0", PEER, &remote, &bob), -EPERM);
	assert_int_equal(w.env.peer_make(w.a, "vpn0", PEER, &remote, &alice), 0);
	/* One login is one peer. */
	assert_int_equal(w.env.peer_make(w.a, "vpn0", PEER + 1, &remote, &alice), -EPERM);
	assert_int_equal(w.env.peer_make(w.a, "vpn0", PEER, &remote, &bob), -EPERM);
	assert_int_equal(w.env.lease(w.a, "vpn0", PEER, &bob, 4, NULL, &addr), -EPERM);
	assert_int_equal(w.env.lease(w.a, "vpn0", PEER, &alice, 4, NULL, &addr), 0);
	assert_int_equal(w.ends, 0);
	/* It moves, without a login. */
	assert_int_equal(w.env.peer_make(w.a, "vpn0", PEER, &remote, &alice), 0);
	/* A client of a former agent may go on, and has the address that it had. */
	assert_true(owned_add_peer(&w.t->owned, PEER + 2, 9));
	assert_int_equal(w.env.peer_make(w.a, "vpn0", PEER + 2, &remote, &bob), 0);
	assert_int_equal(w.env.lease(w.a, "vpn0", PEER + 2, &bob, 4, NULL, &addr), -EPERM);
}

/* The kernel keeps when the time of a client is over, for the next agent. */
static void the_time_of_a_client(void **state)
{
	static const struct ike_endpoint remote = { { 4, { 192, 0, 2, 1 } }, 4500 };
	uint64_t before = loop_now();
	struct ike_id alice;

	(void)state;
	w.t->conf.clients = 9;
	w.t->conf.endpoint_addr = remote.addr;
	assert_true(eap_identity((const uint8_t *)"alice", 5, &alice));
	log_in("talk-one", give_all);
	for (unsigned int i = 0; i < 2; i++) { /* also when it moves */
		w.ends = 0;
		assert_int_equal(w.env.peer_make(w.a, "vpn0", PEER, &remote, &alice), 0);
		assert_in_range(w.ends, before + 1000, loop_now() + 1000);
	}
	log_in("talk-two", nothing); /* again, without end */
	assert_int_equal(w.env.peer_make(w.a, "vpn0", PEER, &remote, &alice), 0);
	assert_int_equal(w.ends, 0);
}

/* A record of one client leaves while another one's login is out, which goes on. */
static void a_record_during_a_login(void **state)
{
	static const uint8_t record[] = { RADIUS_A_ACCT_STATUS_TYPE, 6, 0, 0, 0, 3 };

	(void)state;
	assert_int_equal(begin(5, "talk-one", identity, sizeof(identity)), 0);
	receive(w.access);
	radius_account(w.t, record, sizeof(record));
	reply(w.access, RADIUS_ACCESS_REJECT, NULL, 0);
	wait_for_result(5);
	assert_int_equal(w.result.verdict[0], IKE_JOB_REFUTED);
	receive(w.accounting);
	reply(w.accounting, RADIUS_ACCOUNTING_RESPONSE, NULL, 0);
}

/* The ike process ended, and jobs with it. */
static void jobs_that_got_lost(void **state)
{
	static const uint8_t record[] = { RADIUS_A_ACCT_STATUS_TYPE, 6, 0, 0, 0, 2 };

	(void)state;
	radius_account(w.t, record, sizeof(record));
	key_proc_drop(w.a->key_proc);
	backend_free(w.t);
	radius_jobs_lost(w.a);
	receive(w.accounting);
	assert_int_equal(number_of(RADIUS_A_ACCT_STATUS_TYPE), 2);
	reply(w.accounting, RADIUS_ACCOUNTING_RESPONSE, NULL, 0);
}

/* Configured anew while a question is out. */
static void another_configuration(void **state)
{
	(void)state;
	assert_int_equal(begin(9, "talk-one", identity, sizeof(identity)), 0);
	backend_free(w.t);
	radius_free(w.t);
	for (unsigned int i = 0; i < 50; i++)
		turn();
	assert_int_equal(w.results, 0);
	w.t->conf.n_radius = 0;
	assert_int_equal(begin(10, "talk-one", identity, sizeof(identity)), -EINVAL);
	w.t->conf.n_radius = 1;
	assert_int_equal(begin(11, "talk-one", identity, sizeof(identity)), 0);
	receive(w.access);
}

/* Records that no server took so far go to those that are there instead, and are lost where there are none. */
static void records_go_to_other_servers(void **state)
{
	static const uint8_t record[] = { RADIUS_A_ACCT_STATUS_TYPE, 6, 0, 0, 0, 2 };
	struct config_radius *server = w.t->conf.radius;
	int other;

	(void)state;
	radius_account(w.t, record, sizeof(record));
	receive(w.accounting); /* which answers nothing */
	other = listen_on(&server->server.accounting.port);
	radius_change(w.t);
	assert_int_equal(radius_records(w.t), 1);
	receive(other);
	assert_int_equal(number_of(RADIUS_A_ACCT_STATUS_TYPE), 2);
	w.t->conf.n_radius = 0;
	radius_change(w.t);
	assert_int_equal(radius_records(w.t), 0);
	w.t->conf.n_radius = 1;
	radius_change(w.t); /* nothing was asked since */
	assert_int_equal(radius_records(w.t), 0);
	close(other);
}

/* As the status has it. */
static void servers_are(const char *expected)
{
	json_t *list = servers_json(w.t);
	char *text, all[512], *at;

	json_object_del(json_array_get(list, 0), "server");
	json_object_del(json_object_get(json_array_get(list, 0), "accounting"), "server");
	text = json_dumps(list, JSON_COMPACT);
	snprintf(all, sizeof(all), "%s", text);
	for (at = all; (at = strchr(at, '"'));)
		memmove(at, at + 1, strlen(at));
	free(text);
	json_decref(list);
	assert_string_equal(all, expected);
}

static void how_a_server_does(void **state)
{
	static const uint8_t record[] = { RADIUS_A_ACCT_STATUS_TYPE, 6, 0, 0, 0, 2 };

	(void)state;
	servers_are("[{state:unknown,requests:0,answers:0,accepts:0,rejects:0,"
		    "accounting:{state:unknown,requests:0,answers:0}}]");
	log_in("talk-one", nothing);
	assert_int_equal(begin(2, "talk-two", identity, sizeof(identity)), 0);
	receive(w.access);
	reply(w.access, RADIUS_ACCESS_REJECT, NULL, 0);
	wait_for_result(2);
	servers_are("[{state:alive,requests:2,answers:2,accepts:1,rejects:1,"
		    "accounting:{state:unknown,requests:0,answers:0}}]");
	radius_account(w.t, record, sizeof(record));
	for (unsigned int i = 0; radius_records(w.t) && i < AT_MOST; i++)
		turn();
	w.t->conf.radius->server.accounting.port = 0; /* it is not told of a port that is off */
	servers_are("[{state:alive,requests:2,answers:2,accepts:1,rejects:1}]");
	w.t->conf.radius->server.accounting.port = 1;
	servers_are("[{state:alive,requests:2,answers:2,accepts:1,rejects:1,"
		    "accounting:{state:dead,requests:1,answers:0}}]");
}

#define SITUATION(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SITUATION(a_conversation),
		SITUATION(an_acceptance_that_is_none),
		SITUATION(a_session),
		SITUATION(a_tunnel_that_closes),
		SITUATION(sessions_of_no_peer),
		SITUATION(a_second_login),
		SITUATION(a_record_during_a_login),
		SITUATION(a_session_of_another),
		SITUATION(a_silent_server),
		SITUATION(hostile_jobs),
		SITUATION(hostile_clients),
		SITUATION(the_time_of_a_client),
		SITUATION(a_patient_user),
		SITUATION(jobs_that_got_lost),
		SITUATION(another_configuration),
		SITUATION(records_go_to_other_servers),
		SITUATION(how_a_server_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
