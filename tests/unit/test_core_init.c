// SPDX-License-Identifier: GPL-2.0-or-later
/* IKE_SA_INIT as RFC 7296 1.2, 2.1, 2.6, 2.7, 2.21.1, 2.23 want it. */
#include "core_util.h"
#include "ike/core/core.h"

static void crypto(struct ike_proposals *p, const char *text)
{
	char err[128];

	p->n = 1;
	if (ike_proposal_from_text(text, IKE_PROTO_IKE, &p->p[0], err, sizeof(err)))
		fail_msg("%s", err);
}

/* A well-formed request of a stranger at 203.0.113.@host. */
static void stranger(struct pair *p, uint8_t host, uint8_t serial)
{
	struct ike_endpoint from = { { 4, { 203, 0, 113, host } }, IKE_PORT };
	struct ike_endpoint to = { p->b->addr, IKE_PORT };
	struct ike_header h = { .version = 0x20,
				.exchange = IKE_SA_INIT,
				.flags = IKE_FLAG_INITIATOR };
	uint8_t buf[512], nonce[32], pub[32];
	struct ike_builder b;

	memset(h.spi_i, serial + 1, sizeof(h.spi_i));
	memset(nonce, serial, sizeof(nonce));
	memset(pub, 9, sizeof(pub));
	ike_build_init(&b, buf, sizeof(buf), &h);
	ike_build_sa(&b, IKE_OFFER(p->b->core->peers.tqh_first->conf->ike));
	ike_build_ke(&b, IKE_DH_CURVE25519, pub, sizeof(pub));
	ike_build_nonce(&b, nonce, sizeof(nonce));
	world_inject(&p->w, &from, &to, buf, ike_build_end(&b), 0);
}

static void handshake(void **state)
{
	struct pair *p = pair_new();
	struct ike_status s;

	(void)state;
	pair_start(p, true);
	assert_int_equal(pair_count(p, p->a, IKE_SA_INIT, false), 1);
	assert_int_equal(pair_count(p, p->a, IKE_AUTH, false), 1);
	assert_int_equal(pair_count(p, p->b, IKE_AUTH, true), 1);
	/* 500 first, then the float to 4500, NAT or not */
	assert_int_equal(pair_sent(p, p->a, IKE_SA_INIT, false, 0)->remote.port, IKE_PORT);
	assert_int_equal(pair_sent(p, p->a, IKE_AUTH, false, 0)->local.port, IKE_NATT_PORT);
	assert_int_equal(pair_sent(p, p->a, IKE_AUTH, false, 0)->remote.port, IKE_NATT_PORT);
	s = node_status(p->a, 0);
	assert_true(s.established && s.initiator && s.have_child);
	assert_false(s.nat_local || s.nat_remote); /* forced encapsulation is not a NAT */
	assert_int_equal(s.state, IKE_TUNNEL_UP);
	assert_int_equal(s.spi_out, node_status(p->b, 0).spi_in);
	pair_free(p);
}

static void starts_on_4500(void **state)
{
	struct pair *p = pair_new();

	(void)state;
	p->a->conf[0].remote.port = IKE_NATT_PORT;
	pair_start(p, true);
	assert_int_equal(pair_sent(p, p->a, IKE_SA_INIT, false, 0)->local.port, IKE_NATT_PORT);
	assert_int_equal(pair_sent(p, p->a, IKE_SA_INIT, false, 0)->remote.port, IKE_NATT_PORT);
	pair_free(p);
}

/* The source hash must not match, the destination hash must (2.23). */
static void fakes_nat_detection(void **state)
{
	struct pair *p = pair_new();
	const struct sent *s;
	struct ike_notify n;
	uint8_t want[20], port[2] = { IKE_PORT >> 8, IKE_PORT & 0xff };

	(void)state;
	pair_start(p, true);
	s = pair_sent(p, p->a, IKE_SA_INIT, false, 0);
	{
		const struct ike_iov in[] = {
			{ s->h.spi_i, 8 }, { s->h.spi_r, 8 }, { p->b->addr.b, 4 }, { port, 2 }
		};

		assert_int_equal(ike_sha1(in, 4, want), 0);
		assert_true(sent_notify(s, IKE_N_NAT_DETECTION_DESTINATION_IP, &n));
		assert_int_equal(n.len, 20);
		assert_memory_equal(n.data, want, 20);
	}
	{
		const struct ike_iov in[] = {
			{ s->h.spi_i, 8 }, { s->h.spi_r, 8 }, { p->a->addr.b, 4 }, { port, 2 }
		};

		assert_int_equal(ike_sha1(in, 4, want), 0);
		assert_true(sent_notify(s, IKE_N_NAT_DETECTION_SOURCE_IP, &n));
		assert_int_equal(n.len, 20);
		assert_memory_not_equal(n.data, want, 20);
	}
	pair_free(p);
}

static void sees_nat(void **state)
{
	struct pair *p = pair_new();

	(void)state;
	p->a->nat = (struct ike_addr){ 4, { 198, 51, 100, 7 } };
	node_rebind(p->a);
	pair_start(p, true);
	assert_true(node_status(p->a, 0).nat_local);
	assert_false(node_status(p->a, 0).nat_remote);
	assert_false(node_status(p->b, 0).nat_local);
	pair_free(p);
}

static void repeated_request_repeated_answer(void **state)
{
	struct pair *p = pair_new();
	const struct sent *first, *again;

	(void)state;
	p->drop_from = 1 << 0;
	p->drop_exchange = IKE_AUTH;
	p->drop_requests = true;
	pair_start(p, false);
	pair_run(p, 100);
	pair_replay(p, pair_sent(p, p->a, IKE_SA_INIT, false, 0));
	pair_run(p, 100);
	first = pair_sent(p, p->b, IKE_SA_INIT, true, 0);
	again = pair_sent(p, p->b, IKE_SA_INIT, true, 1);
	assert_non_null(again);
	assert_int_equal(first->len, again->len);
	assert_memory_equal(first->data, again->data, first->len);
	assert_int_equal(node_stats(p->b).half_open, 1);
	/* once IKE_AUTH came it is ignored */
	p->drop_requests = false;
	pair_run(p, 1000);
	assert_int_equal(node_stats(p->b).ike_sas, 1);
	pair_replay(p, pair_sent(p, p->a, IKE_SA_INIT, false, 0));
	pair_run(p, 100);
	assert_int_equal(pair_count(p, p->b, IKE_SA_INIT, true), 2);
	assert_int_equal(node_stats(p->b).half_open, 0);
	pair_free(p);
}

static void half_open_expires(void **state)
{
	struct pair *p = pair_new();

	(void)state;
	node_start(p->b, false);
	stranger(p, 1, 1);
	pair_run(p, IKESA_HALF_OPEN_MS - 1);
	assert_int_equal(node_stats(p->b).half_open, 1);
	pair_run(p, 2);
	assert_int_equal(node_stats(p->b).half_open, 0);
	pair_free(p);
}

static void cookies_from_3_per_address(void **state)
{
	struct pair *p = pair_new();
	struct ike_notify n;
	uint8_t i;

	(void)state;
	node_start(p->b, false);
	for (i = 0; i < 4; i++) {
		stranger(p, 1, i);
		pair_run(p, 10);
	}
	assert_int_equal(node_stats(p->b).half_open, 3);
	assert_int_equal(node_stats(p->b).cookies_sent, 1);
	assert_true(sent_notify(pair_sent(p, p->b, IKE_SA_INIT, true, 3), IKE_N_COOKIE, &n));
	assert_in_range(n.len, 1, 64);
	stranger(p, 2, 100); /* others are still welcome */
	pair_run(p, 10);
	assert_int_equal(node_stats(p->b).half_open, 4);
	pair_free(p);
}

static void cookies_from_30_overall(void **state)
{
	struct pair *p = pair_new();
	const struct sent *plain, *with;
	struct ike_notify n, got;
	uint8_t i;

	(void)state;
	node_start(p->b, false);
	for (i = 0; i < 30; i++)
		stranger(p, i, i);
	pair_run(p, 10);
	assert_int_equal(node_stats(p->b).half_open, 30);
	assert_int_equal(node_stats(p->b).cookies_sent, 0);
	stranger(p, 99, 99);
	pair_run(p, 10);
	assert_int_equal(node_stats(p->b).cookies_sent, 1);
	assert_int_equal(node_stats(p->b).half_open, 30);
	/* a real initiator brings it back as the first payload, the rest unchanged (2.6) */
	node_start(p->a, false);
	pair_run(p, 200);
	assert_int_equal(node_stats(p->b).ike_sas, 1);
	plain = pair_sent(p, p->a, IKE_SA_INIT, false, 0);
	with = pair_sent(p, p->a, IKE_SA_INIT, false, 1);
	assert_non_null(with);
	assert_true(sent_notify(pair_sent(p, p->b, IKE_SA_INIT, true, 31), IKE_N_COOKIE, &n));
	assert_int_equal(with->h.next, IKE_PL_NOTIFY);
	assert_true(sent_notify(with, IKE_N_COOKIE, &got));
	assert_int_equal(got.len, n.len);
	assert_memory_equal(got.data, n.data, n.len);
	assert_int_equal(with->len, plain->len + 8 + n.len);
	assert_memory_equal(with->data + IKE_HDR_LEN + 8 + n.len, plain->data + IKE_HDR_LEN,
			    plain->len - IKE_HDR_LEN);
	pair_free(p);
}

/* A cookie is bound to address, SPI and nonce, and dies with its secret. */
static void cookies_are_bound(void **state)
{
	struct pair *p = pair_new();
	uint8_t nonce[32] = { 1 }, cookie[ADMIT_COOKIE_LEN], i;
	struct ike_payload ni = { .type = IKE_PL_NONCE, .body = nonce, .len = sizeof(nonce) };
	struct ike_datagram d = { .remote = { { 4, { 203, 0, 113, 9 } }, 500 } };
	struct ike_notify n = { .type = IKE_N_COOKIE, .data = cookie, .len = sizeof(cookie) };
	struct ike_header h = { .spi_i = { 7 } };
	struct ike_core *core;

	(void)state;
	node_start(p->b, false);
	core = p->b->core;
	for (i = 0; i < 30; i++)
		stranger(p, i, i);
	pair_run(p, 10);
	assert_int_equal(admit_check(core, &d, &h, &ni, NULL), ADMIT_COOKIE);
	assert_true(admit_cookie(core, &d, &h, &ni, cookie));
	assert_int_equal(admit_check(core, &d, &h, &ni, &n), ADMIT_YES);
	d.remote.port = 4500; /* the port may change on the way */
	assert_int_equal(admit_check(core, &d, &h, &ni, &n), ADMIT_YES);
	d.remote.addr.b[3]++;
	assert_int_equal(admit_check(core, &d, &h, &ni, &n), ADMIT_COOKIE);
	d.remote.addr.b[3]--;
	h.spi_i[0]++;
	assert_int_equal(admit_check(core, &d, &h, &ni, &n), ADMIT_COOKIE);
	h.spi_i[0]--;
	nonce[0]++;
	assert_int_equal(admit_check(core, &d, &h, &ni, &n), ADMIT_COOKIE);
	nonce[0]--;
	n.len--;
	assert_int_equal(admit_check(core, &d, &h, &ni, &n), ADMIT_COOKIE);
	n.len++;
	core->now += ADMIT_SECRET_MS; /* the former secret still counts */
	assert_int_equal(admit_check(core, &d, &h, &ni, &n), ADMIT_YES);
	core->now += ADMIT_SECRET_MS;
	assert_int_equal(admit_check(core, &d, &h, &ni, &n), ADMIT_COOKIE);
	pair_free(p);
}

static void invalid_ke(void **state)
{
	struct pair *p = pair_new();
	struct ike_notify n;

	(void)state;
	crypto(&p->a->conf[0].ike, "aes256gcm16-prfsha256-ecp256-x25519");
	pair_start(p, true);
	assert_true(sent_notify(pair_sent(p, p->b, IKE_SA_INIT, true, 0), IKE_N_INVALID_KE_PAYLOAD,
				&n));
	assert_int_equal(n.len, 2);
	assert_int_equal(n.data[0] << 8 | n.data[1], IKE_DH_CURVE25519);
	assert_int_equal(pair_count(p, p->a, IKE_SA_INIT, false), 2);
	assert_int_equal(node_stats(p->b).half_open, 0);
	pair_free(p);
}

/* 2.6.1: the cookie is kept for the retry with the other group. */
static void cookie_then_invalid_ke(void **state)
{
	struct pair *p = pair_new();
	struct ike_notify n;
	uint8_t i;

	(void)state;
	crypto(&p->a->conf[0].ike, "aes256gcm16-prfsha256-ecp256-x25519");
	node_start(p->b, false);
	for (i = 0; i < 30; i++)
		stranger(p, i, i);
	pair_run(p, 10);
	node_start(p->a, false);
	pair_run(p, 200);
	assert_int_equal(node_stats(p->b).ike_sas, 1);
	assert_int_equal(pair_count(p, p->a, IKE_SA_INIT, false), 3);
	assert_true(sent_notify(pair_sent(p, p->a, IKE_SA_INIT, false, 2), IKE_N_COOKIE, &n));
	assert_int_equal(node_stats(p->b).cookies_sent, 1);
	pair_free(p);
}

static void forge(struct pair *p, uint16_t type, const void *data, size_t len)
{
	const struct sent *s = pair_sent(p, p->a, IKE_SA_INIT, false, 0);
	struct ike_endpoint to = { p->a->addr, IKE_PORT };
	struct ike_header h = s->h;
	struct ike_builder b;
	uint8_t buf[256];

	h.flags = IKE_FLAG_RESPONSE;
	ike_build_init(&b, buf, sizeof(buf), &h);
	ike_build_notify(&b, type, data, len);
	world_inject(&p->w, &s->remote, &to, buf, ike_build_end(&b), 0);
}

/* A group nobody offered is not taken, an error notify ends nothing (2.21.1). */
static void unauthenticated_errors_are_hints(void **state)
{
	static const uint8_t modp768[2] = { 0, 1 };
	struct pair *p = pair_new();

	(void)state;
	p->drop_from = 1 << 1;
	p->drop_exchange = IKE_SA_INIT;
	p->drop_responses = true;
	pair_start(p, false);
	pair_run(p, 100);
	forge(p, IKE_N_NO_PROPOSAL_CHOSEN, NULL, 0);
	forge(p, IKE_N_AUTHENTICATION_FAILED, NULL, 0);
	forge(p, IKE_N_INVALID_KE_PAYLOAD, modp768, 2);
	pair_run(p, 100);
	assert_non_null(strstr(p->a->log, "NO_PROPOSAL_CHOSEN"));
	assert_int_equal(pair_count(p, p->a, IKE_SA_INIT, false), 1);
	p->drop_responses = false;
	pair_run(p, 1000);
	assert_true(direction_works(p->a, p->b, 0));
	assert_string_equal(node_error(p->a), "");
	pair_free(p);
}

static void forged_cookies_are_bounded(void **state)
{
	struct pair *p = pair_new();
	uint8_t cookie[16], i;

	(void)state;
	p->drop_from = 1 << 1;
	p->drop_exchange = IKE_SA_INIT;
	p->drop_responses = true;
	pair_start(p, false);
	pair_run(p, 10);
	for (i = 0; i < 40; i++) {
		memset(cookie, i, sizeof(cookie));
		forge(p, IKE_N_COOKIE, cookie, sizeof(cookie));
		pair_run(p, 1);
	}
	assert_int_equal(pair_count(p, p->a, IKE_SA_INIT, false), 1 + IKESA_MAX_COOKIES);
	pair_free(p);
}

static void no_common_proposal(void **state)
{
	struct pair *p = pair_new();
	struct ike_notify n;

	(void)state;
	crypto(&p->b->conf[0].ike, "chacha20poly1305-prfsha256-x25519");
	pair_start(p, false);
	pair_run(p, 100);
	assert_true(sent_notify(pair_sent(p, p->b, IKE_SA_INIT, true, 0), IKE_N_NO_PROPOSAL_CHOSEN,
				&n));
	/* what differs, both ends' words for it, the key to change */
	assert_non_null(strstr(node_error(p->b), "aes256gcm16"));
	assert_non_null(strstr(node_error(p->b), "chacha20poly1305"));
	assert_non_null(strstr(node_error(p->b), "Crypto="));
	assert_non_null(strstr(node_error(p->a), "NO_PROPOSAL_CHOSEN"));
	assert_non_null(strstr(node_error(p->a), "Crypto="));
	assert_int_equal(node_status(p->a, 0).state, IKE_TUNNEL_CONNECTING);
	pair_free(p);
}

/* An offer of nothing we know, from @from. */
static void odd_offer(struct pair *p, struct ike_endpoint from, uint8_t serial)
{
	struct ike_endpoint to = { p->b->addr, IKE_PORT };
	struct ike_header h = { .version = 0x20,
				.exchange = IKE_SA_INIT,
				.flags = IKE_FLAG_INITIATOR };
	struct ike_proposals offer = *p->b->core->peers.tqh_first->conf->ike;
	uint8_t buf[512], nonce[32] = { serial }, pub[32] = { 9 };
	struct ike_builder b;

	h.spi_i[0] = serial;
	offer.p[0].t[0].id = 77;
	ike_build_init(&b, buf, sizeof(buf), &h);
	ike_build_sa(&b, IKE_OFFER(&offer));
	ike_build_ke(&b, IKE_DH_CURVE25519, pub, sizeof(pub));
	ike_build_nonce(&b, nonce, sizeof(nonce));
	world_inject(&p->w, &from, &to, buf, ike_build_end(&b), 0);
	pair_run(p, 10);
}

/* Who sends from anywhere must not write into the status of a tunnel it has no part in. */
static void strangers_set_no_error(void **state)
{
	struct ike_endpoint away = { { 4, { 203, 0, 113, 9 } }, IKE_PORT }, home;
	struct pair *p = pair_new();
	unsigned int i;

	(void)state;
	home = (struct ike_endpoint){ p->a->addr, IKE_PORT };
	p->b->conf[0].remote = home;
	p->b->conf[0].child[0].start = IKE_START_LISTEN;
	node_start(p->b, false);
	odd_offer(p, away, 1); /* not the address the tunnel waits for */
	assert_string_equal(node_error(p->b), "");
	odd_offer(p, home, 2); /* maybe the peer: worth reading while the tunnel is not up */
	assert_non_null(strstr(node_error(p->b), "no common"));
	node_start(p->a, false);
	pair_run(p, 100);
	assert_true(direction_works(p->a, p->b, 0));
	assert_string_equal(node_error(p->b), "");
	p->b->log_len = 0;
	for (i = 3; i < 20; i++) {
		odd_offer(p, away, (uint8_t)i);
		odd_offer(p, home, (uint8_t)(i + 20)); /* a source address proves nothing */
	}
	assert_string_equal(node_error(p->b), "");
	assert_int_equal(p->b->log_len, 0); /* nor are these warnings */
	pair_free(p);
}

/* The same where any address may be the peer's. */
static void strangers_do_not_disturb_a_working_tunnel(void **state)
{
	struct ike_endpoint away = { { 4, { 203, 0, 113, 9 } }, IKE_PORT };
	struct pair *p = pair_new();
	unsigned int i;

	(void)state;
	node_start(p->b, false);
	for (i = 0; i < 20; i++) /* one line is enough for the user */
		odd_offer(p, away, (uint8_t)(i + 1));
	assert_non_null(strstr(node_error(p->b), "no common"));
	assert_in_range(p->b->log_len, 1, 2 * strlen(node_error(p->b)));
	node_start(p->a, false);
	pair_run(p, 100);
	assert_true(direction_works(p->a, p->b, 0));
	odd_offer(p, away, 50);
	assert_string_equal(node_error(p->b), "");
	pair_free(p);
}

/* Local= is policy, and nothing but Local=: without it any address of ours will do. */
static void any_own_address_unless_local_says(void **state)
{
	struct ike_datagram d = { .local = { { 4, { 192, 0, 2, 77 } }, IKE_PORT } };
	struct pair *p = pair_new();
	const struct sent *s;
	int restrict_to;

	(void)state;
	for (restrict_to = 0; restrict_to < 2; restrict_to++) {
		p->b->conf[0].remote = (struct ike_endpoint){ p->a->addr, IKE_PORT };
		if (restrict_to)
			p->b->conf[0].local.addr = p->b->addr;
		p->drop_all = true;
		node_start(p->b, false); /* it has used an address of its own already … */
		node_start(p->a, false);
		pair_run(p, 100);
		s = pair_sent(p, p->a, IKE_SA_INIT, false, 0);
		d.remote = s->local;
		d.remote.addr = p->a->addr;
		d.data = s->data;
		d.len = s->len;
		ike_core_datagram(p->b->core, &d, p->w.now); /* … and is called on another */
		assert_int_equal(node_stats(p->b).half_open, !restrict_to);
		assert_string_equal(node_error(p->b), "");
		pair_free(p);
		p = pair_new();
	}
	pair_free(p);
}

static void disabled_tunnel_refuses(void **state)
{
	struct pair *p = pair_new();
	struct ike_notify n;

	(void)state;
	node_start(p->b, false);
	ike_core_down(p->b->core, "t0", 0);
	node_start(p->a, false);
	pair_run(p, 100);
	assert_true(sent_notify(pair_sent(p, p->b, IKE_SA_INIT, true, 0), IKE_N_NO_PROPOSAL_CHOSEN,
				&n));
	assert_int_equal(node_stats(p->b).half_open, 0);
	pair_free(p);
}

static void newer_major_version(void **state)
{
	struct pair *p = pair_new();
	struct ike_endpoint from = { p->a->addr, IKE_PORT }, to = { p->b->addr, IKE_PORT };
	uint8_t m[IKE_HDR_LEN] = {
		1, [17] = 0x30, [18] = IKE_SA_INIT, [19] = 8, [23] = 5, [27] = 28
	};
	struct ike_notify n;

	(void)state;
	node_start(p->b, false);
	world_inject(&p->w, &from, &to, m, sizeof(m), 0);
	pair_run(p, 10);
	assert_int_equal(p->n_sent, 1);
	assert_true(sent_notify(&p->sent[0], IKE_N_INVALID_MAJOR_VERSION, &n));
	assert_int_equal(p->sent[0].h.version, 0x20);
	assert_int_equal(p->sent[0].h.id, 5);
	m[17] = 0x10; /* IKEv1 gets no answer */
	world_inject(&p->w, &from, &to, m, sizeof(m), 0);
	m[17] = 0x30;
	m[19] = 8 | IKE_FLAG_RESPONSE; /* nor does a response */
	world_inject(&p->w, &from, &to, m, sizeof(m), 0);
	pair_run(p, 10);
	assert_int_equal(p->n_sent, 1);
	pair_free(p);
}

static void unknown_spi(void **state)
{
	struct pair *p = pair_new();
	struct ike_endpoint from = { p->a->addr, IKE_PORT }, to = { p->b->addr, IKE_PORT };
	uint8_t m[40] = {
		1,	  [8] = 2,  [16] = IKE_PL_SK, [17] = 0x20, [18] = IKE_INFORMATIONAL,
		[19] = 8, [23] = 9, [27] = 40,	      [31] = 12
	};
	struct ike_notify n;
	unsigned int i;

	(void)state;
	node_start(p->b, false);
	world_inject(&p->w, &from, &to, m, sizeof(m), 0);
	pair_run(p, 10);
	assert_int_equal(p->n_sent, 1);
	assert_true(sent_notify(&p->sent[0], IKE_N_INVALID_IKE_SPI, &n));
	assert_int_equal(p->sent[0].h.id, 9);
	assert_int_equal(p->sent[0].h.flags, IKE_FLAG_RESPONSE);
	assert_memory_equal(p->sent[0].data, m, 16);
	p->w.filter = NULL; /* more than it keeps */
	for (i = 0; i < 3 * ADMIT_REPLY_BURST; i++) /* limited in rate (2.21.4) */
		world_inject(&p->w, &from, &to, m, sizeof(m), 0);
	pair_run(p, 10);
	assert_in_range(node_stats(p->b).tx, ADMIT_REPLY_BURST,
			ADMIT_REPLY_BURST + 1 + 10 / ADMIT_REPLY_MS);
	m[19] |= IKE_FLAG_RESPONSE;
	pair_run(p, 10000);
	i = node_stats(p->b).tx;
	world_inject(&p->w, &from, &to, m, sizeof(m), 0);
	pair_run(p, 10);
	assert_int_equal(node_stats(p->b).tx, i); /* responses get none */
	pair_free(p);
}

/* An attacker sends an initiator its own messages: it must not talk to itself. */
static bool mirror(struct world *w, struct node *from, const struct ike_datagram *d)
{
	struct ike_endpoint self = { from->addr, d->local.port };

	world_inject(w, &d->remote, &self, d->data, d->len, 1);
	return false;
}

static void reflection(void **state)
{
	struct pair *p = pair_new();

	(void)state;
	p->a->conf[0].remote_id.type = 0; /* whoever holds the key, and it does */
	p->w.filter = mirror;
	node_start(p->a, false);
	pair_run(p, 30000);
	assert_int_equal(node_stats(p->a).half_open, 0);
	assert_int_equal(node_stats(p->a).ike_sas, 0);
	assert_int_equal(p->a->installs, 0);
	pair_free(p);
}

static void garbage_is_dropped(void **state)
{
	struct pair *p = pair_new();
	struct ike_endpoint from = { p->a->addr, IKE_PORT }, to = { p->b->addr, IKE_PORT };
	uint8_t m[600];
	unsigned int i;

	(void)state;
	node_start(p->b, false);
	for (i = 0; i < 500; i++) {
		rnd_fill(&p->w.rnd, m, sizeof(m));
		world_inject(&p->w, &from, &to, m, i, 0);
	}
	pair_run(p, 10);
	assert_int_equal(p->n_sent, 0);
	assert_int_equal(node_stats(p->b).rx, 500);
	assert_int_equal(node_stats(p->b).rx_bad, 500);
	pair_free(p);
}

/* A responder without NAT traversal is passed over: its ESP could not be received. */
static void answer_without_nat_detection(void **state)
{
	struct pair *p = pair_new();
	struct ike_header h = { .version = 0x20,
				.exchange = IKE_SA_INIT,
				.flags = IKE_FLAG_RESPONSE };
	struct ike_endpoint from = { p->b->addr, IKE_PORT }, to = { p->a->addr, IKE_PORT };
	uint8_t buf[1024], pub[32] = { 9 }, nonce[32] = { 7 };
	struct ike_proposals chosen = { .n = 1 };
	struct ike_builder b;
	size_t len;

	(void)state;
	p->drop_from = 1 << 1;
	p->drop_exchange = IKE_SA_INIT;
	p->drop_responses = true;
	pair_start(p, false);
	pair_run(p, 50);
	memcpy(h.spi_i, node_sa(p->a)->spi_i, IKE_SPI_LEN);
	memset(h.spi_r, 5, IKE_SPI_LEN);
	chosen.p[0] = p->a->conf[0].ike.p[0];
	chosen.p[0].num = 1;
	chosen.p[0].protocol = IKE_PROTO_IKE;
	ike_build_init(&b, buf, sizeof(buf), &h);
	ike_build_sa(&b, IKE_OFFER(&chosen));
	ike_build_ke(&b, IKE_DH_CURVE25519, pub, sizeof(pub));
	ike_build_nonce(&b, nonce, sizeof(nonce));
	len = ike_build_end(&b);
	world_inject(&p->w, &from, &to, buf, len, 0);
	pair_run(p, 10);
	assert_non_null(strstr(node_error(p->a), "NAT traversal"));
	assert_int_equal(pair_count(p, p->a, IKE_AUTH, false), 0);
	/* anyone could have sent that: the right answer may still come */
	p->drop_responses = false;
	pair_run(p, 2000);
	assert_true(direction_works(p->a, p->b, 0));
	pair_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(handshake),
		cmocka_unit_test(starts_on_4500),
		cmocka_unit_test(fakes_nat_detection),
		cmocka_unit_test(sees_nat),
		cmocka_unit_test(repeated_request_repeated_answer),
		cmocka_unit_test(half_open_expires),
		cmocka_unit_test(cookies_from_3_per_address),
		cmocka_unit_test(cookies_from_30_overall),
		cmocka_unit_test(cookies_are_bound),
		cmocka_unit_test(invalid_ke),
		cmocka_unit_test(cookie_then_invalid_ke),
		cmocka_unit_test(unauthenticated_errors_are_hints),
		cmocka_unit_test(forged_cookies_are_bounded),
		cmocka_unit_test(no_common_proposal),
		cmocka_unit_test(strangers_set_no_error),
		cmocka_unit_test(strangers_do_not_disturb_a_working_tunnel),
		cmocka_unit_test(any_own_address_unless_local_says),
		cmocka_unit_test(disabled_tunnel_refuses),
		cmocka_unit_test(newer_major_version),
		cmocka_unit_test(unknown_spi),
		cmocka_unit_test(reflection),
		cmocka_unit_test(garbage_is_dropped),
		cmocka_unit_test(answer_without_nat_detection),
	};

	return cmocka_run_group_tests_name("core_init", tests, NULL, NULL);
}
