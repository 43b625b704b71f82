// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the agent reads of a link: once for all of its peers. The functions of libesptun that ask the
 * kernel are replaced by ones that answer from two arrays and count.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ike/io/kernel.h"

enum { PEERS = 300, LINK = 7, MAX_SAS = 4 * PEERS };

static struct esptun_peer peers[PEERS];
static struct esptun_sa sas[MAX_SAS];
static size_t n_peers, n_sas;
static unsigned int peer_reads, sa_reads, deleted;
static bool is_older; /* the module knows no identities */
static int fds[2];

/* ---- the kernel ---------------------------------------------------------------- */

struct esptun *esptun_open(void)
{
	return (struct esptun *)&fds;
}

void esptun_close(struct esptun *h)
{
	(void)h;
}

const char *esptun_error(const struct esptun *h)
{
	(void)h;
	return "";
}

int esptun_events_open(struct esptun *h)
{
	(void)h;
	return fds[0] = eventfd(0, EFD_CLOEXEC);
}

int esptun_ike_open(struct esptun *h)
{
	(void)h;
	return fds[1] = eventfd(0, EFD_CLOEXEC);
}

int esptun_events_read(struct esptun *h, void (*fn)(const struct esptun_event *event, void *data),
		       void *data)
{
	(void)h;
	(void)fn;
	(void)data;
	return 0;
}

int esptun_ike_read(struct esptun *h, void (*fn)(const struct esptun_event *event, void *data),
		    void *data)
{
	(void)h;
	(void)fn;
	(void)data;
	return 0;
}

int esptun_ike_send(struct esptun *h, uint32_t ifindex, const struct esptun_ike *ike)
{
	(void)h;
	(void)ifindex;
	(void)ike;
	return 0;
}

int esptun_peer_add(struct esptun *h, const struct esptun_peer *peer)
{
	(void)h;
	if (is_older && peer->identity_len)
		return -EINVAL;
	assert_true(n_peers < PEERS);
	peers[n_peers++] = *peer;
	return 0;
}

int esptun_peer_set(struct esptun *h, const struct esptun_peer *peer)
{
	(void)h;
	if (is_older && peer->identity_len)
		return -EINVAL;
	for (size_t i = 0; i < n_peers; i++) {
		if (peers[i].id != peer->id)
			continue;
		memcpy(peers[i].identity, peer->identity, sizeof(peer->identity));
		peers[i].identity_len = peer->identity_len;
		if (peer->has & ESPTUN_PEER_HAS_MAY_ROAM)
			peers[i].may_roam = peer->may_roam;
		return 0;
	}
	return -ENOENT;
}

int esptun_peer_del(struct esptun *h, uint32_t ifindex, uint32_t id)
{
	(void)h;
	(void)ifindex;
	(void)id;
	return 0;
}

int esptun_peer_get(struct esptun *h, uint32_t ifindex, uint32_t id, struct esptun_peer *peer)
{
	(void)h;
	(void)ifindex;
	peer_reads++;
	for (size_t i = 0; i < n_peers; i++) {
		if (peers[i].id != id)
			continue;
		*peer = peers[i];
		return 0;
	}
	return -ENOENT;
}

int esptun_peer_dump(struct esptun *h, uint32_t ifindex, struct esptun_peer **out, size_t *n)
{
	(void)h;
	(void)ifindex;
	peer_reads++;
	*out = malloc(sizeof(peers));
	assert_non_null(*out);
	memcpy(*out, peers, sizeof(peers));
	*n = n_peers;
	return 0;
}

int esptun_sa_add(struct esptun *h, const struct esptun_sa *sa)
{
	(void)h;
	(void)sa;
	return 0;
}

int esptun_sa_del(struct esptun *h, uint32_t ifindex, enum esptun_sa_dir dir, uint32_t spi,
		  uint32_t peer)
{
	(void)h;
	(void)ifindex;
	(void)dir;
	(void)spi;
	(void)peer;
	deleted++;
	return 0;
}

int esptun_sa_flush(struct esptun *h, uint32_t ifindex, uint32_t peer)
{
	(void)h;
	(void)ifindex;
	(void)peer;
	return 0;
}

int esptun_sa_dump(struct esptun *h, uint32_t ifindex, unsigned int flags, struct esptun_sa **out,
		   size_t *n)
{
	(void)h;
	(void)ifindex;
	(void)flags;
	sa_reads++;
	*out = malloc(sizeof(sas));
	assert_non_null(*out);
	memcpy(*out, sas, sizeof(sas));
	*n = n_sas;
	return 0;
}

void esptun_sas_free(struct esptun_sa *list, size_t n)
{
	(void)n;
	free(list);
}

int esptun_spi_alloc(struct esptun *h, uint32_t ifindex, uint32_t peer, uint32_t *spi)
{
	(void)h;
	(void)ifindex;
	(void)peer;
	(void)spi;
	return 0;
}

/* ---- what is told ---------------------------------------------------------------- */

static struct ike_adopted told[2 * PEERS];
static struct ike_ts told_ts[2 * PEERS][ESPTUN_TS_MAX];
static unsigned int n_told, moved, gone, expired, peers_gone;

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

static void add_sa(uint32_t peer, enum esptun_sa_dir dir, uint32_t spi, uint64_t age,
		   struct esptun_ts *remote)
{
	sas[n_sas++] = (struct esptun_sa){
		.ifindex = LINK,
		.peer = peer,
		.dir = dir,
		.spi = spi,
		.age = age,
		.state = ESPTUN_SA_STATE_MATURE,
		.ts_remote = remote,
		.n_ts_remote = remote ? 1 : 0,
	};
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
		.expire = on_expire,
		.peer_moved = on_moved,
		.sa_gone = on_sa_gone,
		.peer_gone = on_peer_gone,
	};
	char err[256];

	(void)state;
	n_peers = n_sas = 0;
	n_told = moved = gone = expired = peers_gone = 0;
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
	peer_reads = sa_reads = deleted = 0;
	return !k;
}

static int drop_link(void **state)
{
	(void)state;
	kernel_close(k);
	event_base_free(base);
	close(fds[0]);
	close(fds[1]);
	return 0;
}

/* ---- tests ----------------------------------------------------------------------- */

static void adopt_one(void *ctx, uint32_t id)
{
	kernel_adopt(k, ctx, id, 60000, on_pair, NULL);
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
	assert_int_equal(kernel_adopt(k, v, 70, 60000, on_pair, NULL), 0);
	assert_int_equal(n_told, 2);
	assert_int_equal(told[0].peer, 70);
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
	assert_int_equal(kernel_adopt(k, v, PEERS + 1, 60000, on_pair, NULL), 0);
	assert_int_equal(n_told, 2);
	/* the older pair is of another configuration */
	assert_int_equal(kernel_adopt(k, v, 71, 1000, on_pair, NULL), 1);
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
	assert_int_equal(kernel_adopt(k, v, 70, 60000, on_pair, NULL), 0);
	assert_int_equal(told[1].remote_ts.n, ESPTUN_TS_MAX);
	for (unsigned int i = 0; i < ESPTUN_TS_MAX; i++)
		assert_int_equal(told[1].remote_ts.ts[i].start[2], i);
	kernel_view_free(v);
}

static void read_identity(uint32_t peer, struct ike_id *id)
{
	struct kernel_view *v = kernel_view(k, LINK);

	n_told = 0;
	kernel_adopt(k, v, peer, 60000, on_pair, NULL);
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
		assert_null(kernel_peer_terms(v, 71, &back));
		assert_null(kernel_peer_terms(v, PEERS + 1, &back));
		kernel_view_free(v);
		memset(&id, 0, sizeof(id));
	}
	conf.terms = NULL;
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_reading_serves_all, make_link, drop_link),
		cmocka_unit_test_setup_teardown(pairs_of_each, make_link, drop_link),
		cmocka_unit_test_setup_teardown(as_many_prefixes_as_the_kernel_has, make_link,
						drop_link),
		cmocka_unit_test_setup_teardown(identities_are_kept, make_link, drop_link),
		cmocka_unit_test_setup_teardown(who_is_held_stays_held, make_link, drop_link),
		cmocka_unit_test_setup_teardown(what_events_would_have_said, make_link, drop_link),
	};

	return cmocka_run_group_tests_name("kernel", tests, NULL, NULL);
}
