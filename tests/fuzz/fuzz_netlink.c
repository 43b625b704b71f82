// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Any octets as an answer or event of the kernel, through libesptun's decoders. The
 * first octet chooses the command, so that the fuzzer need not find family headers.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/internal.h"

/* A copy of exactly @size octets, so that the sanitizer sees a step beyond. */
static struct nlmsghdr *message(const uint8_t *data, size_t size, uint8_t cmd)
{
	struct nlmsghdr *nlh = malloc(size ? size : 1);

	if (!nlh)
		abort();
	memcpy(nlh, data, size);
	if (size >= sizeof(*nlh)) {
		nlh->nlmsg_len = (uint32_t)size;
		if (size > sizeof(*nlh))
			*(uint8_t *)(nlh + 1) = cmd;
	}
	return nlh;
}

static void decode(const struct nlmsghdr *nlh, size_t size)
{
	struct esptun_link_stats stats;
	struct esptun_algo algo;
	struct esptun_peer peer;
	struct esptun_event ev;
	struct esptun_link link;
	struct esptun_sa sa;
	char buf[ESPTUN_TS_STRLEN];

	if (size < sizeof(*nlh))
		return;
	esptun_peer_decode(nlh, size, &peer);
	esptun_stats_decode(nlh, size, &stats);
	esptun_algo_decode(nlh, size, &algo);
	esptun_link_decode(nlh, size, &link);
	if (!esptun_sa_decode(nlh, size, &sa)) {
		for (size_t i = 0; i < sa.n_ts_local; i++)
			esptun_ts_format(&sa.ts_local[i], buf);
		esptun_sa_clear(&sa);
	}
	if (!esptun_event_decode(nlh, size, &ev))
		esptun_event_clear(&ev);
}

static int reply(const struct nlmsghdr *nlh, size_t len, void *arg)
{
	(void)arg;
	decode(nlh, len);
	return 0;
}

/* What was asked: an extack may point into it. */
static struct nl_msg *request(void)
{
	struct nl_msg *msg = nlmsg_alloc_simple(GENL_ID_CTRL, 0);

	if (!msg || !nlmsg_reserve(msg, GENL_HDRLEN, 0) ||
	    esptun_sa_encode_id(msg, ESPTUN_SA_DIR_IN, 256, 1))
		abort();
	return msg;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct request rq = {
		.what = "fuzz", .hdrlen = GENL_HDRLEN, .set = &esptun_attrs_esptun, .reply = reply
	};
	struct extack ack = { 0 };
	struct nlmsghdr *nlh;
	void *copy;

	if (!size)
		return 0;
	nlh = message(data + 1, size - 1, data[0] & 31);
	decode(nlh, size - 1);
	if (size - 1 >= sizeof(*nlh))
		esptun_extack_decode(nlh, NULL, GENL_HDRLEN, &esptun_attrs_esptun, &ack);
	free(nlh);

	/* The same as a datagram of several messages. */
	copy = malloc(size);
	if (!copy)
		abort();
	memcpy(copy, data, size);
	rq.msg = request();
	esptun_request_walk(&rq, copy, size, &ack);
	nlmsg_free(rq.msg);
	free(copy);
	return 0;
}
