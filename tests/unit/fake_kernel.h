/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A kernel for one test program: the functions of libesptun that ask it are replaced by ones that answer
 * from two arrays, and count. After cmocka.h.
 */
#ifndef ESPTUN_TESTS_FAKE_KERNEL_H
#define ESPTUN_TESTS_FAKE_KERNEL_H

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/esptun.h"

enum { FAKE_PEERS = 300, FAKE_SAS = 4 * FAKE_PEERS };

static struct esptun_peer peers[FAKE_PEERS];
static struct esptun_sa sas[FAKE_SAS];
static size_t n_peers, n_sas;
static enum esptun_sa_mode added_mode; /* of the SA that was added last */
static struct esptun_addr added_nat_oa[2][2]; /* local, remote, by direction; not there: family 0 */
static unsigned int peer_reads, sa_reads, deleted;
static int refuses; /* to remove SAs: a negative errno */
static int refuses_to_tell; /* of them, likewise */
static bool is_older; /* the module knows no identities, and does not tell its algorithms */
static int fds[2];
static struct esptun_event event; /* read when fds[0] is readable */

/* Lengths of keys are in bytes, with the salt. */
static const struct esptun_algo fake_algos[] = {
	{ .type = ESPTUN_ALGO_ENCR,
	  .id = ESPTUN_ENCR_AES_GCM_16,
	  .state = ESPTUN_ALGO_STATE_AVAILABLE,
	  .key_lens = { 20, 36 },
	  .n_key_lens = 2,
	  .salt_len = 4 },
	{ .type = ESPTUN_ALGO_ENCR,
	  .id = ESPTUN_ENCR_CHACHA20_POLY1305,
	  .state = ESPTUN_ALGO_STATE_MISSING,
	  .key_lens = { 36 },
	  .n_key_lens = 1,
	  .salt_len = 4 },
	{ .type = ESPTUN_ALGO_ENCR, .id = ESPTUN_ENCR_NULL, .state = ESPTUN_ALGO_STATE_AVAILABLE },
	{ .type = ESPTUN_ALGO_ENCR,
	  .id = ESPTUN_ENCR_3DES,
	  .legacy = true,
	  .state = ESPTUN_ALGO_STATE_REFUSED,
	  .key_lens = { 24 },
	  .n_key_lens = 1 },
	{ .type = ESPTUN_ALGO_INTEG,
	  .id = ESPTUN_INTEG_HMAC_SHA2_256_128,
	  .state = ESPTUN_ALGO_STATE_AVAILABLE,
	  .key_lens = { 32 },
	  .n_key_lens = 1 },
	{ .type = ESPTUN_ALGO_INTEG,
	  .id = ESPTUN_INTEG_AES_XCBC_96,
	  .state = ESPTUN_ALGO_STATE_MISSING,
	  .key_lens = { 16 },
	  .n_key_lens = 1 },
};

static void fake_empty(void)
{
	n_peers = n_sas = 0;
	peer_reads = sa_reads = deleted = 0;
	refuses = refuses_to_tell = 0;
}

static void fake_close(void)
{
	close(fds[0]);
	close(fds[1]);
}

static void add_sa(uint32_t peer, enum esptun_sa_dir dir, uint32_t spi, uint64_t age,
		   struct esptun_ts *remote)
{
	assert_true(n_sas < FAKE_SAS);
	sas[n_sas++] = (struct esptun_sa){
		.peer = peer,
		.dir = dir,
		.spi = spi,
		.age = age,
		.state = ESPTUN_SA_STATE_MATURE,
		.ts_remote = remote,
		.n_ts_remote = remote ? 1 : 0,
	};
}

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
	uint64_t n;

	(void)h;
	if (read(fds[0], &n, sizeof(n)) == sizeof(n))
		fn(&event, data);
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

int esptun_algo_dump(struct esptun *h, struct esptun_algo **to, size_t *n)
{
	(void)h;
	if (is_older)
		return -EOPNOTSUPP;
	*to = malloc(sizeof(fake_algos));
	if (!*to)
		return -ENOMEM;
	memcpy(*to, fake_algos, sizeof(fake_algos));
	*n = sizeof(fake_algos) / sizeof(fake_algos[0]);
	return 0;
}

int esptun_peer_add(struct esptun *h, const struct esptun_peer *peer)
{
	(void)h;
	if (is_older && peer->identity_len)
		return -EINVAL;
	assert_true(n_peers < FAKE_PEERS);
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
	size_t kept = 0;

	(void)h;
	(void)ifindex;
	for (size_t i = 0; i < n_peers; i++) {
		if (peers[i].id != id)
			peers[kept++] = peers[i];
	}
	n_peers = kept;
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
	added_mode = sa->mode;
	memset(added_nat_oa[sa->dir], 0, sizeof(added_nat_oa[sa->dir]));
	if (sa->has & ESPTUN_SA_HAS_NAT_OA) {
		added_nat_oa[sa->dir][0] = sa->nat_oa_local;
		added_nat_oa[sa->dir][1] = sa->nat_oa_remote;
	}
	return 0;
}

static void remove_sas(bool flush, enum esptun_sa_dir dir, uint32_t spi, uint32_t peer)
{
	size_t kept = 0;

	for (size_t i = 0; i < n_sas; i++) {
		if (flush ? sas[i].peer != peer : sas[i].dir != dir || sas[i].spi != spi)
			sas[kept++] = sas[i];
	}
	deleted += (unsigned int)(n_sas - kept);
	n_sas = kept;
}

int esptun_sa_del(struct esptun *h, uint32_t ifindex, enum esptun_sa_dir dir, uint32_t spi,
		  uint32_t peer)
{
	(void)h;
	(void)ifindex;
	if (!refuses)
		remove_sas(false, dir, spi, peer);
	return refuses;
}

int esptun_sa_flush(struct esptun *h, uint32_t ifindex, uint32_t peer)
{
	(void)h;
	(void)ifindex;
	if (!refuses)
		remove_sas(true, 0, 0, peer);
	return refuses;
}

int esptun_sa_dump(struct esptun *h, uint32_t ifindex, unsigned int flags, struct esptun_sa **out,
		   size_t *n)
{
	(void)h;
	(void)ifindex;
	(void)flags;
	sa_reads++;
	if (refuses_to_tell)
		return refuses_to_tell;
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

#endif
