// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What peers that proved nothing may take from a responder: keys made, places, answers. Work is
 * counted, not timed.
 */
#include "core_util.h"
#include "ike/core/core.h"

/* An IKE_SA_INIT request as it is being put together. */
struct request {
	struct ike_endpoint from;
	uint16_t group;
	const uint8_t *public;
	size_t public_len, padding; /* a vendor ID of so many bytes, if any */
	bool cookie; /* bring a valid one */
};

static const uint8_t nothing[IKE_MAX_KE]; /* of X25519: fails, but only once a key was made */
static uint8_t something[IKE_MAX_KE]; /* a valid value of X25519 and of MODP */

static struct ike_endpoint host(unsigned int n)
{
	return (struct ike_endpoint){
		{ 4, { 203, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n } }, IKE_PORT
	};
}

static size_t build(struct pair *p, const struct request *r, uint8_t *buf, size_t cap)
{
	static const uint8_t padding[2 * CORE_INIT_MAX];
	struct ike_core *core = p->b->core;
	const struct ike_datagram d = { .remote = r->from };
	struct ike_header h = { .version = 0x20,
				.exchange = IKE_SA_INIT,
				.flags = IKE_FLAG_INITIATOR };
	uint8_t nonce[32], cookie[ADMIT_COOKIE_LEN];
	const struct ike_payload ni = { .body = nonce, .len = sizeof(nonce) };
	struct ike_proposals offer = *TAILQ_FIRST(&core->peers)->conf->ike;
	struct ike_builder b;

	rnd_fill(&p->w.rnd, h.spi_i, sizeof(h.spi_i));
	rnd_fill(&p->w.rnd, nonce, sizeof(nonce));
	core->now = p->w.now;
	ike_build_init(&b, buf, cap, &h);
	if (r->cookie) {
		assert_true(admit_cookie(core, &d, &h, &ni, cookie));
		ike_build_notify(&b, IKE_N_COOKIE, cookie, sizeof(cookie));
	}
	ike_build_sa(&b, IKE_OFFER(&offer));
	ike_build_ke(&b, r->group, r->public, r->public_len);
	ike_build_nonce(&b, nonce, sizeof(nonce));
	if (r->padding)
		ike_build_payload(&b, IKE_PL_VENDOR, padding, r->padding);
	return ike_build_end(&b);
}

/* It arrives at b, @ms after what came before. */
static void send_request(struct pair *p, const struct request *r, uint64_t ms)
{
	uint8_t buf[4 * CORE_INIT_MAX];
	size_t len = build(p, r, buf, sizeof(buf));
	const struct ike_datagram d = {
		.local = { p->b->addr, IKE_PORT }, .remote = r->from, .data = buf, .len = len
	};

	assert_true(len > 0);
	ike_core_datagram(p->b->core, &d, p->w.now);
	if (ms)
		world_run(&p->w, p->w.now + ms);
	assert_string_equal(p->w.failed, "");
}

/* b runs, and what it sends is not recorded. */
static struct pair *responder(const char *crypto)
{
	struct pair *p = pair_new();
	char err[256];

	memset(something, 0x11, sizeof(something));
	p->w.filter = NULL;
	assert_int_equal(ike_proposals_from_text(crypto, IKE_PROTO_IKE, &p->b->conf[0].ike, err,
						 sizeof(err)),
			 0);
	node_start(p->b, false);
	return p;
}

static void connects(struct pair *p, uint64_t within)
{
	node_start(p->a, false);
	world_run(&p->w, p->w.now + within);
	assert_true(direction_works(p->a, p->b, 0));
	assert_true(direction_works(p->b, p->a, 0));
}

static void bad_values_cost_no_key(void **state)
{
	static const struct request bad[] = {
		{ .group = IKE_DH_MODP2048, .public = nothing, .public_len = 256 },
		{ .group = IKE_DH_MODP3072, .public = nothing, .public_len = 384 },
		{ .group = IKE_DH_MODP4096, .public = nothing, .public_len = 512 },
		{ .group = IKE_DH_ECP256, .public = nothing, .public_len = 64 },
		{ .group = IKE_DH_ECP384, .public = something, .public_len = 96 },
		{ .group = IKE_DH_ECP521, .public = nothing, .public_len = 132 },
		{ .group = IKE_DH_CURVE25519, .public = something, .public_len = 31 },
	};
	struct pair *p = responder("modern");
	unsigned int i;

	(void)state;
	for (i = 0; i < 1400; i++) {
		struct request r = bad[i % 7];

		r.from = host(i);
		send_request(p, &r, 1);
	}
	assert_int_equal(node_stats(p->b).key_exchanges, 0);
	assert_int_equal(node_stats(p->b).half_open, 0);
	/* one interval's worth of answers, and those in store */
	assert_in_range(node_stats(p->b).tx, ADMIT_REPLY_BURST,
			ADMIT_REPLY_BURST + 1400 / ADMIT_REPLY_MS + 1);
	pair_free(p);
}

/* A value that is found bad only after the work was done leaves no half-open IKE SA to count. */
static void work_turns_cookies_on(void **state)
{
	struct pair *p = responder("modern");
	struct request r = { .group = IKE_DH_CURVE25519, .public = nothing, .public_len = 32 };
	uint64_t limit = ADMIT_WORK_COOKIE / ike_kex_cost(IKE_DH_CURVE25519) + 1, keys;
	unsigned int i;

	(void)state;
	for (i = 0; i < 2 * limit; i++) {
		r.from = host(i);
		send_request(p, &r, 0);
	}
	assert_int_equal(node_stats(p->b).half_open, 0);
	assert_in_range(node_stats(p->b).key_exchanges, limit / 2, limit);
	assert_true(node_stats(p->b).cookies_sent >= limit);
	/* for ever so: a tenth of a processor, with the interest that is in store */
	keys = node_stats(p->b).key_exchanges;
	for (i = 0; i < 20000; i++) {
		r.from = host(i);
		send_request(p, &r, i % 2);
	}
	assert_in_range((node_stats(p->b).key_exchanges - keys) * ike_kex_cost(IKE_DH_CURVE25519),
			1, 10 * (uint64_t)ADMIT_WORK_COOKIE);
	/* it is forgotten */
	world_run(&p->w, p->w.now + 10000);
	keys = node_stats(p->b).cookies_sent;
	send_request(p, &r, 0);
	assert_int_equal(node_stats(p->b).cookies_sent, keys);
	pair_free(p);
}

/* Many peers that come at once are no flood: each pays back what it cost when it proves who it is. */
static void honest_work_is_paid_back(void **state)
{
	struct pair *p = pair_new();
	uint64_t cost = ike_kex_cost(IKE_DH_CURVE25519);

	(void)state;
	pair_start(p, true);
	assert_true(direction_works(p->a, p->b, 0));
	assert_int_equal(node_stats(p->b).key_exchanges, 1);
	assert_in_range(p->b->core->admit.work, 0, cost / 4);
	pair_free(p);
	/* not so one that does not */
	p = pair_new();
	p->a->psk[0][3] ^= 1;
	pair_start(p, false);
	pair_run(p, 200);
	assert_true(p->b->core->admit.work > cost / 2);
	pair_free(p);
}

/* So many in a second that cookies were asked for if none of them proved anything. */
static void an_honest_burst_needs_no_cookies(void **state)
{
	static const char crypto[] = "aes256gcm16-prfsha256-modp4096";
	struct pair *p = responder(crypto);
	uint64_t n = ADMIT_WORK_COOKIE / ike_kex_cost(IKE_DH_MODP4096) * 2, i;
	char err[256];

	(void)state;
	p->w.delay_min = p->w.delay_max = 1;
	assert_int_equal(ike_proposals_from_text(crypto, IKE_PROTO_IKE, &p->a->conf[0].ike, err,
						 sizeof(err)),
			 0);
	for (i = 0; i < n; i++) {
		connects(p, 8);
		node_crash(p->a);
	}
	assert_int_equal(node_stats(p->b).key_exchanges, n);
	assert_int_equal(node_stats(p->b).cookies_sent, 0);
	/* A stranger's flood behind it is met with them as ever. */
	for (i = 0; i < n; i++) {
		struct request r = { .from = host((unsigned int)i),
				     .group = IKE_DH_MODP4096,
				     .public = something,
				     .public_len = 512 };

		send_request(p, &r, 8);
	}
	assert_in_range(node_stats(p->b).key_exchanges, n + 10, n + n * 3 / 4);
	assert_in_range(node_stats(p->b).cookies_sent, n / 4, n);
	pair_free(p);
}

/* Even what comes from real addresses leaves half of the time to peers that are known. */
static void work_for_unknown_peers_is_bounded(void **state)
{
	struct pair *p = responder("modern");
	struct request r = {
		.group = IKE_DH_MODP4096, .public = something, .public_len = 512, .cookie = true
	};
	uint64_t cost = ike_kex_cost(IKE_DH_MODP4096);
	struct ike_endpoint at = { p->a->addr, IKE_PORT };
	unsigned int i;

	(void)state;
	for (i = 0; i < 1500; i++) {
		r.from = host(i);
		send_request(p, &r, 1);
	}
	assert_in_range(node_stats(p->b).key_exchanges * cost, ADMIT_WORK_MAX,
			ADMIT_WORK_MAX + 1500 * 1000 / 2 + cost);
	assert_true(node_stats(p->b).refused > 500);
	assert_int_equal(ike_core_tunnel_remote(p->b->core, "t0", &at), 0);
	connects(p, 200);
	pair_free(p);
}

/* @addresses fill what they can, @per_second of them, for @seconds; then an honest peer comes. */
static void crowd(unsigned int addresses, unsigned int per_second, unsigned int seconds)
{
	struct pair *p = responder("aes256gcm16-prfsha256-x25519");
	struct request r = {
		.group = IKE_DH_CURVE25519, .public = something, .public_len = 32, .cookie = true
	};
	unsigned int i, gap = 1000 / per_second;

	for (i = 0; i < per_second * seconds; i++) {
		r.from = host(i % addresses);
		send_request(p, &r, gap);
		assert_in_range(node_stats(p->b).half_open, 0,
				addresses < 100 ? addresses * ADMIT_PLACES_PER_SOURCE + 1
						: ADMIT_PLACES_UNKNOWN);
		if (i == per_second * (seconds - 1))
			node_start(p->a, false);
	}
	assert_true(direction_works(p->a, p->b, 0));
	pair_free(p);
}

static void few_addresses_do_not_lock_out(void **state)
{
	(void)state;
	crowd(34, 72, 20);
}

static void many_addresses_do_not_lock_out(void **state)
{
	(void)state;
	crowd(2000, 100, 20);
}

/* In one instant: places go to those that came last, and to the peers we know. */
static void known_peers_have_places(void **state)
{
	struct pair *p = responder("aes256gcm16-prfsha256-x25519");
	struct request r = {
		.group = IKE_DH_CURVE25519, .public = something, .public_len = 32, .cookie = true
	};
	struct ike_core_stats st;
	struct ike_endpoint at;
	unsigned int i;

	(void)state;
	for (i = 0; i < 3000; i++) {
		r.from = host(i);
		send_request(p, &r, i % 2);
	}
	st = node_stats(p->b);
	assert_int_equal(st.half_open, ADMIT_PLACES_UNKNOWN);
	assert_int_equal(st.evicted, 3000 - ADMIT_PLACES_UNKNOWN);
	assert_int_equal(p->b->core->admit.n_half_open[ADMIT_KNOWN], 0);
	at = host(5000);
	assert_int_equal(ike_core_tunnel_remote(p->b->core, "t0", &at), 0);
	r.from = at;
	send_request(p, &r, 0);
	assert_int_equal(p->b->core->admit.n_half_open[ADMIT_KNOWN], 1);
	for (i = 0; i < 3000; i++) {
		r.from = host(i);
		send_request(p, &r, i % 2);
	}
	assert_int_equal(p->b->core->admit.n_half_open[ADMIT_KNOWN], 1);
	/* known peers take the places of others, not the reverse */
	for (i = 0; i < 3000; i++) {
		r.from = host(10000 + i);
		admit_proven(p->b->core, &r.from.addr);
		send_request(p, &r, i % 2);
	}
	st = node_stats(p->b);
	assert_in_range(st.half_open, ADMIT_PLACES - 100, ADMIT_PLACES);
	assert_int_equal(p->b->core->admit.n_half_open[ADMIT_UNKNOWN], 0);
	r.from = host(1);
	send_request(p, &r, 0);
	assert_int_equal(p->b->core->admit.n_half_open[ADMIT_UNKNOWN], 0);
	pair_free(p);
}

/* A peer that once proved itself at an address is known there, whatever the configuration says. */
static void proof_makes_known(void **state)
{
	struct pair *p = responder("aes256gcm16-prfsha256-x25519");

	(void)state;
	assert_int_equal(admit_kind(p->b->core, &p->a->addr), ADMIT_UNKNOWN);
	connects(p, 100);
	assert_int_equal(admit_kind(p->b->core, &p->a->addr), ADMIT_KNOWN);
	ike_core_down(p->a->core, "t0", p->w.now);
	world_run(&p->w, p->w.now + 20000);
	assert_int_equal(admit_kind(p->b->core, &p->a->addr), ADMIT_KNOWN);
	pair_free(p);
}

static void a_source_has_few_places(void **state)
{
	struct request r = {
		.group = IKE_DH_CURVE25519, .public = something, .public_len = 32, .cookie = true
	};
	unsigned int i, v6;

	(void)state;
	for (v6 = 0; v6 < 2; v6++) {
		struct pair *p = responder("aes256gcm16-prfsha256-x25519");

		for (i = 0; i < 2 * ADMIT_PLACES_PER_SOURCE; i++) {
			r.from = host(1);
			if (v6) /* anywhere in one /64 */
				r.from = (struct ike_endpoint){
					{ 6,
					  { 0x20, 1, 0xd, 0xb8, [12] = (uint8_t)i, (uint8_t)i } },
					IKE_PORT
				};
			send_request(p, &r, 10);
		}
		assert_int_equal(node_stats(p->b).half_open, ADMIT_PLACES_PER_SOURCE);
		assert_int_equal(node_stats(p->b).refused, ADMIT_PLACES_PER_SOURCE);
		if (v6)
			r.from.addr.b[7] = 1; /* the next /64 */
		else
			r.from = host(2);
		send_request(p, &r, 0);
		assert_int_equal(node_stats(p->b).half_open, ADMIT_PLACES_PER_SOURCE + 1);
		/* what has been open for long gives way to the next one from there */
		world_run(&p->w, p->w.now + ADMIT_YIELD_MS);
		r.from = host(1);
		if (v6)
			r.from.addr = (struct ike_addr){ 6, { 0x20, 1, 0xd, 0xb8, [15] = 9 } };
		send_request(p, &r, 0);
		assert_int_equal(node_stats(p->b).evicted, 1);
		assert_int_equal(node_stats(p->b).half_open, ADMIT_PLACES_PER_SOURCE + 1);
		pair_free(p);
	}
}

static void requests_have_a_size(void **state)
{
	struct pair *p = responder("aes256gcm16-prfsha256-x25519");
	struct request r = {
		.from = host(1), .group = IKE_DH_CURVE25519, .public = something, .public_len = 32
	};
	uint8_t buf[4 * CORE_INIT_MAX];
	size_t plain = build(p, &r, buf, sizeof(buf));

	(void)state;
	r.padding = CORE_INIT_MAX - plain - 4;
	send_request(p, &r, 0);
	assert_int_equal(node_stats(p->b).half_open, 1);
	assert_int_equal(node_stats(p->b).rx_bad, 0);
	r.padding++;
	send_request(p, &r, 0);
	assert_int_equal(node_stats(p->b).half_open, 1);
	assert_int_equal(node_stats(p->b).rx_bad, 1);
	pair_free(p);
}

/* Requests under an SPI nobody knows, 200 a second from everywhere, until @ms have passed. */
static void junk(struct pair *p, uint64_t ms)
{
	uint8_t m[40] = {
		1,	  [8] = 2,  [16] = IKE_PL_SK, [17] = 0x20, [18] = IKE_INFORMATIONAL,
		[19] = 8, [23] = 9, [27] = 40,	      [31] = 12
	};
	struct ike_datagram d = { .local = { p->b->addr, IKE_PORT }, .data = m, .len = sizeof(m) };
	uint64_t end = p->w.now + ms;
	unsigned int i;

	for (i = 0; p->w.now < end; i++) {
		d.remote = host(i);
		ike_core_datagram(p->b->core, &d, p->w.now);
		world_run(&p->w, p->w.now + 5);
	}
}

/* The answer that names the group is part of a good handshake. */
static void junk_does_not_stop_another_group(void **state)
{
	struct pair *p = responder("aes256gcm16-prfsha256-x25519");
	char err[256];

	(void)state;
	assert_int_equal(ike_proposals_from_text("aes256gcm16-prfsha256-ecp256-x25519",
						 IKE_PROTO_IKE, &p->a->conf[0].ike, err,
						 sizeof(err)),
			 0);
	junk(p, 2000);
	node_start(p->a, false);
	junk(p, 200);
	assert_true(direction_works(p->a, p->b, 0));
	pair_free(p);
}

/* What is wrong with a peer we know is told, whoever else gets an answer. */
static void junk_does_not_silence_errors(void **state)
{
	struct pair *p = responder("chacha20poly1305-prfsha256-x25519");
	struct ike_endpoint at = { p->a->addr, IKE_PORT };

	(void)state;
	assert_int_equal(ike_core_tunnel_remote(p->b->core, "t0", &at), 0);
	junk(p, 2000);
	node_start(p->a, false);
	junk(p, 200);
	assert_non_null(strstr(node_error(p->a), "NO_PROPOSAL_CHOSEN"));
	pair_free(p);
}

/*
 * Who has keys with us may write any source on what follows: a known peer's allowance for answers and lines of the log is not spent
 * by that.
 */
static void an_invented_source_spends_nothing(void **state)
{
	struct pair *p = pair_new();
	struct ike_tunnel_conf *known = &p->b->conf[1];
	struct ike_datagram d;
	const struct sent *auth;

	(void)state;
	*known = p->b->conf[0];
	memcpy(known->name, "t1", 3);
	memcpy(known->remote_id.data, "other", 5);
	known->remote = host(7);
	node_set_psk(p->a, 0, "another one");
	p->drop_from = 1;
	p->drop_exchange = IKE_AUTH;
	p->drop_requests = true;
	pair_start(p, false);
	pair_run(p, 100);
	auth = pair_sent(p, p->a, IKE_AUTH, false, 0);
	assert_non_null(auth);
	d = (struct ike_datagram){ .local = { p->b->addr, IKE_PORT },
				   .remote = host(7),
				   .data = auth->data,
				   .len = auth->len };
	assert_int_equal(admit_kind(p->b->core, &d.remote.addr), ADMIT_KNOWN);
	assert_int_equal(admit_kind(p->b->core, &p->a->addr), ADMIT_UNKNOWN);
	ike_core_datagram(p->b->core, &d, p->w.now);
	pair_run(p, 50);
	node_says(p->b, "does not hold our pre-shared key");
	assert_int_equal(p->b->core->admit.reply_spent[ADMIT_KNOWN], 0);
	assert_true(p->b->core->admit.reply_spent[ADMIT_UNKNOWN] > 0);
	pair_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_values_cost_no_key),
		cmocka_unit_test(work_turns_cookies_on),
		cmocka_unit_test(honest_work_is_paid_back),
		cmocka_unit_test(an_honest_burst_needs_no_cookies),
		cmocka_unit_test(work_for_unknown_peers_is_bounded),
		cmocka_unit_test(few_addresses_do_not_lock_out),
		cmocka_unit_test(many_addresses_do_not_lock_out),
		cmocka_unit_test(known_peers_have_places),
		cmocka_unit_test(proof_makes_known),
		cmocka_unit_test(a_source_has_few_places),
		cmocka_unit_test(requests_have_a_size),
		cmocka_unit_test(junk_does_not_stop_another_group),
		cmocka_unit_test(junk_does_not_silence_errors),
		cmocka_unit_test(an_invented_source_spends_nothing),
	};

	return cmocka_run_group_tests_name("core_admit", tests, NULL, NULL);
}
