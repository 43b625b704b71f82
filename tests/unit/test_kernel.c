// SPDX-License-Identifier: GPL-2.0-or-later
/* What the agent reads of a link: once for all of its peers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <event2/event.h>
#include <string.h>
#include <sys/socket.h>

#include "fake_kernel.h"
#include "ike/io/kernel.h"

enum { PEERS = FAKE_PEERS, LINK = 7 };

/* ---- what is told ---------------------------------------------------------------- */

static struct ike_adopted told[2 * PEERS];
static struct ike_ts told_ts[2 * PEERS][ESPTUN_TS_MAX];
static unsigned int n_told, moved, gone, expired, peers_gone, acquired;

static void on_pair(void *ctx, const struct ike_adopted *pair)
{
	(void)ctx;
	assert_true(n_told < 2 * PEERS);
	if (pair->remote_ts.n)
		memcpy(told_ts[n_told], pair->remote_ts.ts,
		       pair->remote_ts.n * sizeof(struct ike_ts));
	told[n_told] = *pair;
	told[n_told].remote_ts.ts = told_ts[n_told];
	n_told++;
}

static void on_expire(void *ctx, uint32_t ifindex, uint32_t peer, uint32_t spi, bool inbound,
		      bool hard)
{
	(void)ctx;
	(void)peer;
	(void)spi;
	(void)inbound;
	assert_int_equal(ifindex, LINK);
	expired += hard ? 100 : 1;
}

static void on_acquire(void *ctx, uint32_t ifindex, const struct ike_flow *flow)
{
	(void)ctx;
	assert_int_equal(ifindex, LINK);
	assert_int_equal(flow->remote.port_start, 53);
	acquired++;
}

static void on_moved(void *ctx, uint32_t ifindex, uint32_t peer, const struct ike_endpoint *remote)
{
	(void)ctx;
	assert_int_equal(ifindex, LINK);
	assert_int_equal(remote->port, 1000 + peer);
	moved++;
}

static void on_sa_gone(void *ctx, uint32_t ifindex, uint32_t peer, uint32_t spi, bool inbound)
{
	(void)ctx;
	(void)ifindex;
	(void)peer;
	(void)spi;
	(void)inbound;
	gone++;
}

static void on_peer_gone(void *ctx, uint32_t ifindex, uint32_t peer)
{
	(void)ctx;
	(void)ifindex;
	(void)peer;
	peers_gone++;
}

static struct event_base *base;
static struct kernel *k;

/* Peers in falling order, each with two pairs, the younger one first. */
static int make_link(void **state)
{
	static struct esptun_ts ts = { .addr = { .family = AF_INET, .bytes = { 10, 8, 4 } },
				       .prefix_len = 22,
				       .protocol = 17,
				       .port_start = 53,
				       .port_end = 54 };
	const struct kernel_events events = {
		.acquire = on_acquire,
		.expire = on_expire,
		.peer_moved = on_moved,
		.sa_gone = on_sa_gone,
		.peer_gone = on_peer_gone,
	};
	char err[256];

	(void)state;
	fake_empty();
	n_told = moved = gone = expired = peers_gone = acquired = 0;
	for (uint32_t id = PEERS; id; id--) {
		struct esptun_peer *p = &peers[n_peers++];

		*p = (struct esptun_peer){ .ifindex = LINK, .id = id };
		p->remote.addr.family = AF_INET;
		p->remote.port = (uint16_t)(1000 + id);
		add_sa(id, ESPTUN_SA_DIR_OUT, 40000 + id, 10, &ts);
		add_sa(id, ESPTUN_SA_DIR_IN, 30000 + id, 10, NULL);
		add_sa(id, ESPTUN_SA_DIR_OUT, 20000 + id, 5000, NULL);
		add_sa(id, ESPTUN_SA_DIR_IN, 10000 + id, 5000, NULL);
	}
	base = event_base_new();
	k = kernel_open(base, &events, err, sizeof(err));
	return !k;
}

static int drop_link(void **state)
{
	(void)state;
	kernel_close(k);
	event_base_free(base);
	fake_close();
	return 0;
}

/* ---- tests ----------------------------------------------------------------------- */

static struct ike_child_conf all;
static struct kernel_adopted count;

/* It may carry everything. */
static void set_any(struct ike_child_conf *c)
{
	memset(c, 0, sizeof(*c));
	c->local_ts.n = 2;
	for (unsigned int i = 0; i < 2; i++) {
		struct ike_ts *ts = &c->local_ts.ts[i];

		ts->family = i ? 6 : 4;
		ts->port_end = 65535;
		memset(ts->end, 0xff, i ? 16 : 4);
	}
	c->remote_ts = c->local_ts;
}

static void adopt_fit(const struct kernel_view *v, uint32_t peer, const struct kernel_fit *fit)
{
	memset(&count, 0, sizeof(count));
	kernel_adopt(k, v, peer, fit, on_pair, NULL, &count);
}

static void adopt(const struct kernel_view *v, uint32_t peer, uint64_t max_age)
{
	const struct kernel_fit fit = {
		.max_age = max_age, .until = 1000000, .child = &all, .n_child = 1
	};

	set_any(&all);
	adopt_fit(v, peer, &fit);
}

static void adopt_one(void *ctx, uint32_t id)
{
	adopt(ctx, id, 60000);
}

static void one_reading_serves_all(void **state)
{
	struct kernel_view *v = kernel_view(k, LINK);

	(void)state;
	assert_non_null(v);
	kernel_each_peer(v, adopt_one, v);
	assert_int_equal(n_told, 2 * PEERS);
	for (uint32_t id = 1; id <= PEERS; id++)
		kernel_retell(k, v, id, 30000 + id, 40000 + id);
	kernel_view_free(v);
	assert_int_equal(moved, PEERS);
	assert_int_equal(gone + peers_gone + expired + deleted, 0);
	assert_int_equal(peer_reads, 1);
	assert_int_equal(sa_reads, 1);
}

static void pairs_of_each(void **state)
{
	struct kernel_view *v = kernel_view(k, LINK);
	const struct ike_ts *ts;

	(void)state;
	adopt(v, 70, 60000);
	assert_int_equal(n_told, 2);
	assert_int_equal(count.kept, 2);
	assert_int_equal(count.misfits + count.excess, 0);
	assert_int_equal(told[0].peer, 70);
	assert_int_equal(told[0].until, 1000000 - 5000);
	assert_int_equal(told[1].until, 1000000 - 10);
	assert_int_equal(told[0].remote.port, 1070);
	assert_int_equal(told[0].spi_in, 10070);
	assert_int_equal(told[0].spi_out, 20070);
	assert_int_equal(told[0].remote_ts.n, 2); /* any */
	assert_true(told[0].remote_ts.ts[0].family == 4 && told[0].remote_ts.ts[1].family == 6);
	assert_int_equal(told[0].remote_ts.ts[1].end[15], 255);
	assert_int_equal(told[1].spi_in, 30070);
	assert_int_equal(told[1].spi_out, 40070);
	assert_int_equal(told[1].remote_ts.n, 1);
	ts = &told[1].remote_ts.ts[0];
	assert_memory_equal(ts->start, ((uint8_t[]){ 10, 8, 4, 0 }), 4);
	assert_memory_equal(ts->end, ((uint8_t[]){ 10, 8, 7, 255 }), 4);
	assert_true(ts->protocol == 17 && ts->port_start == 53 && ts->port_end == 54);
	/* nothing of a peer that is not there */
	adopt(v, PEERS + 1, 60000);
	assert_int_equal(n_told, 2);
	/* the older pair is of another configuration */
	adopt(v, 71, 1000);
	assert_int_equal(count.misfits, 1);
	assert_int_equal(n_told, 3);
	assert_int_equal(told[2].spi_in, 30071);
	assert_int_equal(deleted, 2);
	kernel_view_free(v);
}

/* Every prefix of its selectors, which are more than a child SA is configured with. */
static void as_many_prefixes_as_the_kernel_has(void **state)
{
	static struct esptun_ts ts[ESPTUN_TS_MAX];
	struct kernel_view *v;

	(void)state;
	for (unsigned int i = 0; i < ESPTUN_TS_MAX; i++)
		ts[i] = (struct esptun_ts){ .addr = { .family = AF_INET,
						      .bytes = { 10, 9, (uint8_t)i } },
					    .prefix_len = 24,
					    .port_end = 65535 };
	for (size_t i = 0; i < n_sas; i++) {
		if (sas[i].peer != 70 || sas[i].dir != ESPTUN_SA_DIR_OUT)
			continue;
		sas[i].ts_remote = ts;
		sas[i].n_ts_remote = ESPTUN_TS_MAX;
	}
	v = kernel_view(k, LINK);
	adopt(v, 70, 60000);
	assert_int_equal(told[1].remote_ts.n, ESPTUN_TS_MAX);
	for (unsigned int i = 0; i < ESPTUN_TS_MAX; i++)
		assert_int_equal(told[1].remote_ts.ts[i].start[2], i);
	kernel_view_free(v);
}

static struct esptun_sa *find_sa(uint32_t spi)
{
	for (size_t i = 0; i < n_sas; i++) {
		if (sas[i].spi == spi)
			return &sas[i];
	}
	fail();
	return NULL;
}

/* What carries more than the configuration allows is not taken over, nor more of a peer than we keep. */
static void what_is_not_taken_over(void **state)
{
	struct esptun_sa *in, *out;
	struct kernel_fit fit = { .max_age = 60000, .until = 60000, .child = &all, .n_child = 1 };
	struct ike_ts *remote = &all.remote_ts.ts[0];
	struct kernel_view *v;

	(void)state;
	set_any(&all);
	all.remote_ts.n = 1; /* 10.8.0.0/16 */
	memcpy(remote->start, (uint8_t[]){ 10, 8, 0, 0 }, 4);
	memcpy(remote->end, (uint8_t[]){ 10, 8, 255, 255 }, 4);
	v = kernel_view(k, LINK);
	adopt_fit(v, 70, &fit);
	kernel_view_free(v);
	assert_int_equal(count.misfits, 2); /* inbound, the younger one has all */
	in = find_sa(30071);
	out = find_sa(40071);
	in->ts_remote = out->ts_remote;
	in->n_ts_remote = out->n_ts_remote;
	v = kernel_view(k, LINK);
	assert_true(kernel_peer_misfits(v, 71, &fit)); /* the older pair has all */
	adopt_fit(v, 71, &fit);
	assert_int_equal(count.misfits, 1);
	assert_int_equal(count.kept, 1);
	assert_int_equal(told[n_told - 1].spi_out, 40071);
	fit.max_age = 9;
	adopt_fit(v, 71, &fit);
	assert_int_equal(count.misfits, 2);
	assert_false(kernel_peer_misfits(v, PEERS + 1, &fit));
	kernel_view_free(v);
}

/* Nor what is in a mode that the configuration does not say. */
static void modes(void **state)
{
	struct kernel_fit fit = { .max_age = 60000, .until = 60000, .child = &all, .n_child = 1 };
	static const uint8_t key[36];
	struct ike_child c = { .peer = 70,
			       .part = IKE_CHILD_IN,
			       .mode = IKE_MODE_TRANSPORT,
			       .key_in = key,
			       .key_len = sizeof(key) };
	struct kernel_view *v;

	(void)state;
	set_any(&all);
	all.mode = IKE_MODE_TRANSPORT;
	v = kernel_view(k, LINK);
	assert_true(kernel_peer_misfits(v, 70, &fit));
	kernel_view_free(v);
	for (size_t i = 0; i < n_sas; i++)
		sas[i].mode = ESPTUN_SA_MODE_TRANSPORT;
	v = kernel_view(k, LINK);
	assert_false(kernel_peer_misfits(v, 70, &fit));
	all.mode = IKE_MODE_TUNNEL;
	assert_true(kernel_peer_misfits(v, 70, &fit));
	kernel_view_free(v);

	c.local_ts = &all.local_ts;
	c.remote_ts = &all.remote_ts;
	assert_int_equal(kernel_sa_install(k, LINK, &c, 0), 0);
	assert_int_equal(added_mode, ESPTUN_SA_MODE_TRANSPORT);
	c.mode = IKE_MODE_TUNNEL;
	assert_int_equal(kernel_sa_install(k, LINK, &c, 0), 0);
	assert_int_equal(added_mode, ESPTUN_SA_MODE_TUNNEL);
}

/* Checksums of what is received are repaired, if they cover other addresses. */
static void before_a_nat(void **state)
{
	static const uint8_t key[36];
	struct ike_child c = { .peer = 70,
			       .part = IKE_CHILD_BOTH,
			       .mode = IKE_MODE_TRANSPORT,
			       .key_in = key,
			       .key_out = key,
			       .key_len = sizeof(key),
			       .local_ts = &all.local_ts,
			       .remote_ts = &all.remote_ts };

	(void)state;
	set_any(&all);
	assert_int_equal(kernel_sa_install(k, LINK, &c, 0), 0);
	assert_int_equal(added_nat_oa[ESPTUN_SA_DIR_IN][0].family, AF_UNSPEC);
	c.nat_oa_local = (struct ike_addr){ 4, { 192, 0, 2, 1 } };
	c.nat_oa_remote = (struct ike_addr){ 4, { 10, 0, 0, 5 } };
	assert_int_equal(kernel_sa_install(k, LINK, &c, 0), 0);
	assert_int_equal(added_nat_oa[ESPTUN_SA_DIR_IN][0].family, AF_INET);
	assert_memory_equal(added_nat_oa[ESPTUN_SA_DIR_IN][0].bytes, c.nat_oa_local.b, 4);
	assert_int_equal(added_nat_oa[ESPTUN_SA_DIR_IN][1].family, AF_INET);
	assert_memory_equal(added_nat_oa[ESPTUN_SA_DIR_IN][1].bytes, c.nat_oa_remote.b, 4);
	assert_int_equal(added_nat_oa[ESPTUN_SA_DIR_OUT][0].family, AF_UNSPEC);
}

static void raise_event(void)
{
	const uint64_t one = 1;

	assert_int_equal(write(fds[0], &one, sizeof(one)), sizeof(one));
	event_base_loop(base, EVLOOP_NONBLOCK);
}

/* A CPU without an SA of its own needs none: its packets travel. */
static void acquires(void **state)
{
	(void)state;
	event = (struct esptun_event){ .type = ESPTUN_EVENT_ACQUIRE, .ifindex = LINK };
	event.u.acquire.destination_port = 53;
	raise_event();
	assert_int_equal(acquired, 1);
	event.u.acquire.has_cpu = true;
	raise_event();
	assert_int_equal(acquired, 1);
}

static void more_pairs_than_are_kept(void **state)
{
	struct kernel_view *v;

	(void)state;
	n_sas = 0;
	for (uint32_t i = 0; i < IKE_MAX_ADOPTED + 2; i++) {
		add_sa(70, ESPTUN_SA_DIR_IN, 1000 + i, 1000 - i, NULL);
		add_sa(70, ESPTUN_SA_DIR_OUT, 2000 + i, 1000 - i, NULL);
	}
	v = kernel_view(k, LINK);
	adopt(v, 70, 60000);
	kernel_view_free(v);
	assert_int_equal(count.kept, IKE_MAX_ADOPTED);
	assert_int_equal(count.excess, 2);
	assert_int_equal(n_told, IKE_MAX_ADOPTED);
	assert_int_equal(told[0].spi_in, 1002); /* the oldest two are gone */
	assert_int_equal(n_sas, 2 * IKE_MAX_ADOPTED);
}

static void note_peer(void *ctx, uint32_t id)
{
	uint32_t **at = ctx;

	*(*at)++ = id;
}

static void those_heard_last_first(void **state)
{
	uint32_t order[PEERS], *at = order;
	struct kernel_view *v;

	(void)state;
	for (size_t i = 0; i < n_peers; i++) {
		if (peers[i].id % 2) {
			peers[i].has |= ESPTUN_PEER_HAS_LAST_RX;
			peers[i].last_rx = 1000 - peers[i].id;
		}
	}
	v = kernel_view(k, LINK);
	kernel_each_peer(v, note_peer, &at);
	kernel_view_free(v);
	assert_int_equal(order[0], PEERS - 1);
	assert_int_equal(order[1], PEERS - 3);
	assert_int_equal(order[PEERS / 2 - 1], 1);
	assert_int_equal(order[PEERS / 2] % 2, 0); /* never heard */
}

static void read_identity(uint32_t peer, struct ike_id *id)
{
	struct kernel_view *v = kernel_view(k, LINK);

	n_told = 0;
	adopt(v, peer, 60000);
	assert_int_equal(n_told, 2);
	*id = told[1].id;
	kernel_view_free(v);
}

/* The next agent gets back what this one gave, of whatever type and length; its text is for people. */
static void identities_are_kept(void **state)
{
	static const uint8_t types[] = { IKE_ID_FQDN, IKE_ID_KEY_ID, IKE_ID_DER_DN, 201 };
	struct ike_id id, back;
	uint8_t terms[KERNEL_TERMS];
	struct kernel_peer_conf conf = { .id = &id };
	struct esptun_peer *p = &peers[n_peers - 70];
	struct kernel_view *v;

	(void)state;
	for (unsigned int i = 0; i < sizeof(types); i++) {
		for (unsigned int len = 0; len <= IKE_MAX_ID; len += i ? 64 : 1) {
			memset(&id, 0, sizeof(id));
			id.type = types[i];
			id.len = (uint16_t)len;
			memset(id.data, i % 2 ? 0 : 'n', len);
			assert_int_equal(kernel_peer_make(k, LINK, 70, &conf), 0);
			read_identity(70, &back);
			assert_memory_equal(&back, &id, sizeof(id));
			conf.terms = conf.terms ? NULL : terms;
		}
	}
	/* The terms beside it, also those of one peer, whose identity is not told. */
	memset(terms, 0x5a, sizeof(terms));
	for (unsigned int i = 0; i < 2; i++) {
		conf.terms = terms;
		assert_int_equal(kernel_peer_make(k, LINK, 70, &conf), 0);
		v = kernel_view(k, LINK);
		assert_memory_equal(kernel_peer_terms(v, 70, &back), terms, sizeof(terms));
		assert_memory_equal(&back, &id, sizeof(id));
		assert_int_equal(kernel_peer_ends(v, 70), conf.ends);
		assert_int_equal(kernel_peer_ends(v, PEERS + 1), 0);
		assert_null(kernel_peer_terms(v, 71, &back));
		assert_null(kernel_peer_terms(v, PEERS + 1, &back));
		kernel_view_free(v);
		memset(&id, 0, sizeof(id));
		conf.ends = 0x123456789abcdef0;
	}
	conf.terms = NULL;
	conf.ends = 0;
	memcpy(id.data, "gw.example", 10);
	id.type = IKE_ID_FQDN;
	id.len = 10;
	assert_int_equal(kernel_peer_make(k, LINK, 70, &conf), 0);
	assert_string_equal((const char *)p->identity, "gw.example");
	/* What is cut off, or of another form, is nobody's. */
	for (; p->identity_len; p->identity_len--) {
		read_identity(70, &back);
		assert_int_equal(back.type, p->identity_len == 24 ? IKE_ID_FQDN : 0);
	}
	memset(p->identity, 'x', sizeof(p->identity));
	p->identity_len = sizeof(p->identity);
	read_identity(70, &back);
	assert_int_equal(back.type, 0);
	/* A module that knows no identities makes the peer without. */
	is_older = true;
	n_peers--;
	assert_int_equal(kernel_peer_make(k, LINK, 1, &conf), 0);
	assert_int_equal(peers[n_peers - 1].id, 1);
	assert_int_equal(peers[n_peers - 1].identity_len, 0);
	assert_int_equal(kernel_peer_make(k, LINK, 70, &conf), 0);
	is_older = false;
}

/* What is changed of a peer that the core does not want followed leaves that so. */
static void who_is_held_stays_held(void **state)
{
	struct kernel_peer_conf conf = { .keepalive = 20 };
	struct esptun_peer *p = &peers[0];

	(void)state;
	p->may_roam = false;
	assert_int_equal(kernel_peer_make(k, LINK, p->id, &conf), 0);
	assert_false(p->may_roam);
	conf.follow = true;
	assert_int_equal(kernel_peer_make(k, LINK, p->id, &conf), 0);
	assert_true(p->may_roam);
	/* a new one is followed */
	conf.follow = false;
	n_peers--;
	assert_int_equal(kernel_peer_make(k, LINK, PEERS + 7, &conf), 0);
	assert_true(peers[n_peers - 1].has & ESPTUN_PEER_HAS_MAY_ROAM);
	assert_true(peers[n_peers - 1].may_roam);
}

static void what_events_would_have_said(void **state)
{
	struct kernel_view *v;

	(void)state;
	sas[0].state = ESPTUN_SA_STATE_DYING; /* of the last peer, out */
	sas[1].state = ESPTUN_SA_STATE_DEAD;
	v = kernel_view(k, LINK);
	kernel_retell(k, v, PEERS, 30000 + PEERS, 40000 + PEERS);
	assert_int_equal(expired, 101);
	kernel_retell(k, v, 1, 77, 40001);
	assert_int_equal(gone, 1);
	kernel_retell(k, v, PEERS + 1, 1, 2);
	assert_int_equal(peers_gone, 1);
	kernel_view_free(v);
}

static void ciphers_the_kernel_has(void **state)
{
	static const struct {
		struct ike_cipher cipher;
		bool has;
	} rows[] = {
		{ { ESPTUN_ENCR_AES_GCM_16, 128, IKE_INTEG_NONE }, true },
		{ { ESPTUN_ENCR_AES_GCM_16, 256, IKE_INTEG_NONE }, true },
		{ { ESPTUN_ENCR_AES_GCM_16, 192, IKE_INTEG_NONE }, false }, /* no such length */
		{ { ESPTUN_ENCR_AES_GCM_8, 128, IKE_INTEG_NONE }, false }, /* not in the list */
		{ { ESPTUN_ENCR_CHACHA20_POLY1305, 0, IKE_INTEG_NONE }, false }, /* missing */
		{ { ESPTUN_ENCR_3DES, 0, ESPTUN_INTEG_HMAC_SHA2_256_128 }, false }, /* refused */
		{ { ESPTUN_ENCR_NULL, 0, ESPTUN_INTEG_HMAC_SHA2_256_128 }, true },
		{ { ESPTUN_ENCR_NULL, 0, ESPTUN_INTEG_AES_XCBC_96 }, false }, /* missing */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(kernel_has_cipher(k, &rows[i].cipher), rows[i].has);
}

/* A module that was loaded before the agent was replaced by a newer one. */
static void ciphers_of_an_older_module(void **state)
{
	const struct ike_cipher gcm = { ESPTUN_ENCR_AES_GCM_16, 192, IKE_INTEG_NONE },
				chacha = { ESPTUN_ENCR_CHACHA20_POLY1305, 0, IKE_INTEG_NONE },
				cbc = { ESPTUN_ENCR_AES_CBC, 128, ESPTUN_INTEG_HMAC_SHA2_256_128 };

	is_older = true;
	drop_link(state);
	make_link(state);
	assert_true(kernel_has_cipher(k, &gcm));
	assert_true(kernel_has_cipher(k, &chacha));
	assert_false(kernel_has_cipher(k, &cbc));
	is_older = false;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_reading_serves_all, make_link, drop_link),
		cmocka_unit_test_setup_teardown(pairs_of_each, make_link, drop_link),
		cmocka_unit_test_setup_teardown(what_is_not_taken_over, make_link, drop_link),
		cmocka_unit_test_setup_teardown(modes, make_link, drop_link),
		cmocka_unit_test_setup_teardown(before_a_nat, make_link, drop_link),
		cmocka_unit_test_setup_teardown(acquires, make_link, drop_link),
		cmocka_unit_test_setup_teardown(more_pairs_than_are_kept, make_link, drop_link),
		cmocka_unit_test_setup_teardown(those_heard_last_first, make_link, drop_link),
		cmocka_unit_test_setup_teardown(as_many_prefixes_as_the_kernel_has, make_link,
						drop_link),
		cmocka_unit_test_setup_teardown(identities_are_kept, make_link, drop_link),
		cmocka_unit_test_setup_teardown(who_is_held_stays_held, make_link, drop_link),
		cmocka_unit_test_setup_teardown(what_events_would_have_said, make_link, drop_link),
		cmocka_unit_test_setup_teardown(ciphers_the_kernel_has, make_link, drop_link),
		cmocka_unit_test_setup_teardown(ciphers_of_an_older_module, make_link, drop_link),
	};

	return cmocka_run_group_tests_name("kernel", tests, NULL, NULL);
}
