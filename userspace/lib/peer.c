// SPDX-License-Identifier: LGPL-2.1-or-later
/* Peers and link counters. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/internal.h"

int esptun_peer_add(struct esptun *h, const struct esptun_peer *peer)
{
	struct request rq = { 0 };
	int err = esptun_request_genl(h, &rq, ESPTUN_CMD_PEER_NEW, NLM_F_ACK, peer->ifindex, 0,
				      "cannot add peer");

	return err ? err : esptun_request_run(h, &rq, esptun_peer_encode(rq.msg, peer));
}

int esptun_peer_set(struct esptun *h, const struct esptun_peer *peer)
{
	struct request rq = { 0 };
	int err = esptun_request_genl(h, &rq, ESPTUN_CMD_PEER_SET, NLM_F_ACK, peer->ifindex, 0,
				      "cannot change peer");

	return err ? err : esptun_request_run(h, &rq, esptun_peer_encode(rq.msg, peer));
}

int esptun_peer_del(struct esptun *h, uint32_t ifindex, uint32_t id)
{
	struct request rq = { 0 };
	int err = esptun_request_genl(h, &rq, ESPTUN_CMD_PEER_DEL, NLM_F_ACK, ifindex, 0,
				      "cannot delete peer");

	return err ? err : esptun_request_run(h, &rq, esptun_peer_encode_id(rq.msg, id));
}

static int reply_peer(const struct nlmsghdr *nlh, size_t len, void *arg)
{
	return esptun_peer_decode(nlh, len, arg);
}

int esptun_peer_get(struct esptun *h, uint32_t ifindex, uint32_t id, struct esptun_peer *peer)
{
	struct request rq = { .reply = reply_peer, .arg = peer };
	int err = esptun_request_genl(h, &rq, ESPTUN_CMD_PEER_GET, NLM_F_ACK, ifindex, 0,
				      "cannot read peer");

	return err ? err : esptun_request_run(h, &rq, esptun_peer_encode_id(rq.msg, id));
}

static int reply_peers(const struct nlmsghdr *nlh, size_t len, void *arg)
{
	struct esptun_peer *p = esptun_list_add(arg);

	return p ? esptun_peer_decode(nlh, len, p) : -ENOMEM;
}

static int reply_stats(const struct nlmsghdr *nlh, size_t len, void *arg)
{
	struct esptun_link_stats *s = esptun_list_add(arg);

	return s ? esptun_stats_decode(nlh, len, s) : -ENOMEM;
}

int esptun_peer_dump(struct esptun *h, uint32_t ifindex, struct esptun_peer **peers, size_t *n)
{
	struct list l = { .item_size = sizeof(struct esptun_peer), .reply = reply_peers };
	int err = esptun_dump_genl(h, &l, ESPTUN_CMD_PEER_GET, ifindex, 0, "cannot list peers");

	*peers = l.items;
	*n = l.n;
	return err;
}

int esptun_stats_dump(struct esptun *h, uint32_t ifindex, struct esptun_link_stats **stats,
		      size_t *n)
{
	struct list l = { .item_size = sizeof(struct esptun_link_stats), .reply = reply_stats };
	int err = esptun_dump_genl(h, &l, ESPTUN_CMD_STATS_GET, ifindex, 0, "cannot read counters");

	*stats = l.items;
	*n = l.n;
	return err;
}
