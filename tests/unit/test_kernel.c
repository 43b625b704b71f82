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
	(void)peer;
	return 0;
}

int esptun_peer_set(struct esptun *h, const struct esptun_peer *peer)
{
	(void)h;
	(void)peer;
	return 0;
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
	return -2;
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

static struct kernel_pair told[2 * PEERS];
static unsigned int n_told, moved, gone, expired, peers_gone;

static void on_pair(void *ctx, const struct kernel_pair *pair)
{
	(void)ctx;
	assert_true(n_told < 2 * PEERS);
	told[n_told++] = *pair;
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
	struct ike_ts *ts;

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
		cmocka_unit_test_setup_teardown(what_events_would_have_said, make_link, drop_link),
	};

	return cmocka_run_group_tests_name("kernel", tests, NULL, NULL);
}
