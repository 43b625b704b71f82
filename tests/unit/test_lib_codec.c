// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Structs to messages and back. What the kernel alone sends (counters, times)
 * is appended by hand; every message is also cut at each octet, and each octet
 * is changed: the decoder must refuse or accept, never read outside.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <linux/if_link.h>

#include "lib/internal.h"

static const uint8_t key36[36] = { 1, 2, 3, [35] = 0x5a };

static struct nl_msg *begin(uint8_t cmd, uint32_t ifindex)
{
	struct genlmsghdr g = { .cmd = cmd, .version = ESPTUN_GENL_VERSION };
	struct nl_msg *msg = nlmsg_alloc_size(65536);

	assert_non_null(msg);
	assert_non_null(nlmsg_put(msg, 0, 1, 0x20, 0, 0));
	assert_int_equal(nlmsg_append(msg, &g, sizeof(g), NLMSG_ALIGNTO), 0);
	if (ifindex)
		assert_int_equal(nla_put_u32(msg, ESPTUN_A_IFINDEX, ifindex), 0);
	return msg;
}

/* A copy of exactly the message's octets, so that sanitizers see overreads. */
static struct nlmsghdr *exact(const struct nl_msg *msg, size_t *len)
{
	const struct nlmsghdr *nlh = nlmsg_hdr((struct nl_msg *)msg);
	struct nlmsghdr *copy = malloc(nlh->nlmsg_len);

	assert_non_null(copy);
	*len = nlh->nlmsg_len;
	return memcpy(copy, nlh, *len);
}

static struct esptun_addr addr(const char *s)
{
	struct esptun_addr a;

	assert_int_equal(esptun_addr_parse(s, &a), 0);
	return a;
}

static struct esptun_ts ts(const char *s)
{
	struct esptun_ts t;

	assert_int_equal(esptun_ts_parse(s, &t), 0);
	return t;
}

static void assert_addr(const struct esptun_addr *a, const char *text)
{
	char buf[ESPTUN_ADDR_STRLEN];

	assert_string_equal(esptun_addr_format(a, buf), text);
}

static struct esptun_peer a_peer(void)
{
	struct esptun_peer p = {
		.has = ESPTUN_PEER_HAS_REMOTE | ESPTUN_PEER_HAS_PORT | ESPTUN_PEER_HAS_LOCAL |
		       ESPTUN_PEER_HAS_KEEPALIVE | ESPTUN_PEER_HAS_MAY_ROAM |
		       ESPTUN_PEER_HAS_ON_DEMAND | ESPTUN_PEER_HAS_ENCAP | ESPTUN_PEER_HAS_TOS |
		       ESPTUN_PEER_HAS_TTL | ESPTUN_PEER_HAS_DF | ESPTUN_PEER_HAS_FLOW_LABEL |
		       ESPTUN_PEER_HAS_ZERO_CSUM6_TX | ESPTUN_PEER_HAS_ZERO_CSUM6_RX,
		.ifindex = 7,
		.id = 0x01020304,
		.remote = { addr("2001:db8::2"), 4501 },
		.local = addr("2001:db8::1"),
		.keepalive = 25,
		.may_roam = true,
		.on_demand = true,
		.encap = ESPTUN_ENCAP_ESP,
		.tos = 0x28,
		.ttl = ESPTUN_TTL_INHERIT,
		.df = ESPTUN_HEADER_OF_LINK,
		.flow_label = ESPTUN_FLOW_LABEL_INNER,
		.zero_csum6_tx = true,
		.identity = "a.example",
		.identity_len = ESPTUN_PEER_IDENTITY_MAX,
	};

	return p;
}

static void peer_round_trip(void **state)
{
	struct esptun_peer in = a_peer(), out;
	struct nl_msg *msg = begin(ESPTUN_CMD_PEER_GET, 7);
	struct nlmsghdr *nlh;
	size_t len;

	(void)state;
	assert_int_equal(esptun_peer_encode(msg, &in), 0);
	nlh = exact(msg, &len);
	assert_int_equal(esptun_peer_decode(nlh, len, &out), 0);
	assert_int_equal(out.has, in.has);
	assert_int_equal(out.ifindex, 7);
	assert_int_equal(out.id, 0x01020304);
	assert_addr(&out.remote.addr, "2001:db8::2");
	assert_int_equal(out.remote.port, 4501);
	assert_addr(&out.local, "2001:db8::1");
	assert_int_equal(out.keepalive, 25);
	assert_true(out.may_roam);
	assert_true(out.on_demand);
	assert_int_equal(out.encap, ESPTUN_ENCAP_ESP);
	assert_int_equal(out.tos, 0x28);
	assert_int_equal(out.ttl, ESPTUN_TTL_INHERIT);
	assert_int_equal(out.df, ESPTUN_HEADER_OF_LINK);
	assert_int_equal(out.flow_label, ESPTUN_FLOW_LABEL_INNER);
	assert_true(out.zero_csum6_tx);
	assert_false(out.zero_csum6_rx);
	assert_int_equal(out.identity_len, in.identity_len);
	assert_memory_equal(out.identity, in.identity, in.identity_len);
	free(nlh);
	nlmsg_free(msg);
}

/* Only what has names goes into the message: a set must change nothing else. */
static void peer_sends_what_it_has(void **state)
{
	struct esptun_peer in = a_peer(), out;
	struct nl_msg *msg = begin(ESPTUN_CMD_PEER_GET, 7);
	struct nlmsghdr *nlh;
	size_t len;

	(void)state;
	in.has = ESPTUN_PEER_HAS_KEEPALIVE;
	in.keepalive = 0;
	assert_int_equal(esptun_peer_encode(msg, &in), 0);
	nlh = exact(msg, &len);
	assert_int_equal(esptun_peer_decode(nlh, len, &out), 0);
	assert_int_equal(out.has, ESPTUN_PEER_HAS_KEEPALIVE);
	assert_int_equal(out.keepalive, 0);
	free(nlh);
	nlmsg_free(msg);

	msg = begin(ESPTUN_CMD_PEER_NEW, 7);
	in.has = ESPTUN_PEER_HAS_REMOTE;
	memset(&in.remote, 0, sizeof(in.remote));
	assert_int_equal(esptun_peer_encode(msg, &in), -EINVAL);
	nlmsg_free(msg);
}

/* The kernel's strict policy wants the nested flag, network order for ports. */
static void wire_form(void **state)
{
	struct esptun_peer in = a_peer();
	struct nl_msg *msg = begin(ESPTUN_CMD_PEER_NEW, 7);
	struct nlattr *nest, *port;

	(void)state;
	assert_int_equal(esptun_peer_encode(msg, &in), 0);
	nest = nlmsg_find_attr(nlmsg_hdr(msg), GENL_HDRLEN, ESPTUN_A_PEER);
	assert_non_null(nest);
	assert_true(nest->nla_type & NLA_F_NESTED);
	port = nla_find(nla_data(nest), nla_len(nest), ESPTUN_PEER_A_REMOTE_PORT);
	assert_non_null(port);
	assert_int_equal(nla_get_u16(port), htons(4501));
	nlmsg_free(msg);
}

static struct esptun_sa an_sa(struct esptun_ts *local, struct esptun_ts *remote)
{
	struct esptun_sa sa = {
		.has = ESPTUN_SA_HAS_REPLAY_WINDOW | ESPTUN_SA_HAS_SOFT_BYTES |
		       ESPTUN_SA_HAS_HARD_PACKETS | ESPTUN_SA_HAS_HARD_USE_TIME |
		       ESPTUN_SA_HAS_TFC | ESPTUN_SA_HAS_DUMMY | ESPTUN_SA_HAS_NAT_OA,
		.ifindex = 7,
		.spi = 0xc0ffee01,
		.peer = 9,
		.dir = ESPTUN_SA_DIR_IN,
		.encr = ESPTUN_ENCR_AES_GCM_16,
		.esn = true,
		.key_len = sizeof(key36),
		.replay_window = 4096,
		.ts_local = local,
		.n_ts_local = 2,
		.ts_remote = remote,
		.n_ts_remote = 1,
		.soft_bytes = 1ULL << 40,
		.hard_packets = 77,
		.hard_use_time = 3600,
		.tfc = ESPTUN_TFC_MTU,
		.dummy = 7,
		.nat_oa_local = { AF_INET, { 192, 0, 2, 1 } },
		.nat_oa_remote = { AF_INET, { 10, 0, 0, 5 } },
	};

	memcpy(sa.key, key36, sizeof(key36));
	local[0] = ts("10.1.0.0/16:tcp:443-444");
	local[1] = ts("2001:db8::/32");
	remote[0] = ts("0.0.0.0/0");
	return sa;
}

static void assert_an_sa(const struct esptun_sa *out)
{
	char buf[ESPTUN_TS_STRLEN];

	assert_int_equal(out->spi, 0xc0ffee01);
	assert_int_equal(out->peer, 9);
	assert_int_equal(out->dir, ESPTUN_SA_DIR_IN);
	assert_int_equal(out->encr, 20);
	assert_true(out->esn);
	assert_int_equal(out->key_len, sizeof(key36));
	assert_memory_equal(out->key, key36, sizeof(key36));
	assert_int_equal(out->replay_window, 4096);
	assert_true(out->soft_bytes == 1ULL << 40);
	assert_int_equal(out->hard_packets, 77);
	assert_int_equal(out->hard_use_time, 3600);
	assert_int_equal(out->tfc, ESPTUN_TFC_MTU);
	assert_int_equal(out->dummy, 7);
	assert_true(out->has & ESPTUN_SA_HAS_NAT_OA);
	assert_string_equal(esptun_addr_format(&out->nat_oa_local, buf), "192.0.2.1");
	assert_string_equal(esptun_addr_format(&out->nat_oa_remote, buf), "10.0.0.5");
	assert_false(out->has & ESPTUN_SA_HAS_HARD_TIME);
	assert_false(out->has & ESPTUN_SA_HAS_HARD_BYTES);
	assert_int_equal(out->n_ts_local, 2);
	assert_int_equal(out->n_ts_remote, 1);
	assert_string_equal(esptun_ts_format(&out->ts_local[0], buf), "10.1.0.0/16:tcp:443-444");
	assert_string_equal(esptun_ts_format(&out->ts_local[1], buf), "2001:db8::/32");
	assert_string_equal(esptun_ts_format(&out->ts_remote[0], buf), "0.0.0.0/0");
}

static void sa_round_trip(void **state)
{
	struct nl_msg *msg = begin(ESPTUN_CMD_SA_GET, 7);
	struct esptun_ts local[2], remote[1];
	struct esptun_sa in = an_sa(local, remote), out;
	struct nlmsghdr *nlh;
	size_t len;

	(void)state;
	assert_int_equal(esptun_sa_encode(msg, &in), 0);
	nlh = exact(msg, &len);
	assert_int_equal(esptun_sa_decode(nlh, len, &out), 0);
	assert_an_sa(&out);
	assert_int_equal(out.ifindex, 7);
	esptun_sa_clear(&out);
	assert_int_equal(out.key[35], 0);
	assert_null(out.ts_local);
	free(nlh);
	nlmsg_free(msg);
}

/* As many selectors as the ABI allows fit; one more is refused. */
static void sa_many_selectors(void **state)
{
	struct esptun_ts *many = calloc(ESPTUN_TS_MAX + 1, sizeof(*many));
	struct nl_msg *msg = begin(ESPTUN_CMD_SA_GET, 7);
	struct esptun_sa in = { .spi = 256,
				.peer = 1,
				.key_len = 36,
				.ts_local = many,
				.n_ts_local = ESPTUN_TS_MAX,
				.ts_remote = many,
				.n_ts_remote = ESPTUN_TS_MAX },
			 out;
	struct nlmsghdr *nlh;
	size_t i, len;

	(void)state;
	for (i = 0; i <= ESPTUN_TS_MAX; i++)
		many[i] = ts("[2001:db8::/32]:udp:53-54");
	assert_int_equal(esptun_sa_encode(msg, &in), 0);
	nlh = exact(msg, &len);
	assert_int_equal(esptun_sa_decode(nlh, len, &out), 0);
	assert_int_equal(out.n_ts_local, ESPTUN_TS_MAX);
	assert_int_equal(out.n_ts_remote, ESPTUN_TS_MAX);
	esptun_sa_clear(&out);
	free(nlh);
	nlmsg_free(msg);

	msg = begin(ESPTUN_CMD_SA_GET, 7);
	in.n_ts_remote = ESPTUN_TS_MAX + 1;
	assert_int_equal(esptun_sa_encode(msg, &in), -EINVAL);
	nlmsg_free(msg);
	free(many);
}

/* A message too small for the SA is refused, not cut. */
static void sa_message_full(void **state)
{
	struct esptun_ts local[2], remote[1];
	struct esptun_sa in = an_sa(local, remote);
	struct nl_msg *msg = nlmsg_alloc_size(128);

	(void)state;
	assert_non_null(nlmsg_put(msg, 0, 1, 0x20, 0, 0));
	assert_int_equal(esptun_sa_encode(msg, &in), -EMSGSIZE);
	nlmsg_free(msg);
	in.key_len = ESPTUN_KEY_MAX + 1;
	msg = begin(ESPTUN_CMD_SA_NEW, 7);
	assert_int_equal(esptun_sa_encode(msg, &in), -EINVAL);
	nlmsg_free(msg);
}

static void put_u8_in(uint8_t cmd, int nest_type, int type, uint8_t v, int expect)
{
	struct nl_msg *msg = begin(cmd, 7);
	struct nlattr *nest = nla_nest_start(msg, nest_type);
	struct esptun_sa sa;
	struct nlmsghdr *nlh;
	size_t len;

	nla_put_u8(msg, type, v);
	nla_nest_end(msg, nest);
	nlh = exact(msg, &len);
	assert_int_equal(esptun_sa_decode(nlh, len, &sa), expect);
	free(nlh);
	nlmsg_free(msg);
}

static void sa_enums_bounded(void **state)
{
	(void)state;
	put_u8_in(ESPTUN_CMD_SA_GET, ESPTUN_A_SA, ESPTUN_SA_A_DIR, 1, 0);
	put_u8_in(ESPTUN_CMD_SA_GET, ESPTUN_A_SA, ESPTUN_SA_A_DIR, 2, -EBADMSG);
	put_u8_in(ESPTUN_CMD_SA_GET, ESPTUN_A_SA, ESPTUN_SA_A_MODE, 2, -EBADMSG);
	put_u8_in(ESPTUN_CMD_SA_GET, ESPTUN_A_SA, ESPTUN_SA_A_STATE, 4, -EBADMSG);
	put_u8_in(ESPTUN_CMD_SA_GET, ESPTUN_A_SA, ESPTUN_SA_A_SPI, 1, -EBADMSG);
	put_u8_in(ESPTUN_CMD_PEER_GET, ESPTUN_A_SA, ESPTUN_SA_A_DIR, 1, -ENOMSG);
	put_u8_in(ESPTUN_CMD_SA_GET, ESPTUN_A_PEER, ESPTUN_SA_A_DIR, 1, -EBADMSG);
}

static void stats_decoded(void **state)
{
	struct nl_msg *msg = begin(ESPTUN_CMD_STATS_GET, 3);
	struct nlattr *nest = nla_nest_start(msg, ESPTUN_A_STATS);
	struct esptun_link_stats st;
	struct nlmsghdr *nlh;
	size_t len;

	(void)state;
	nla_put_u64(msg, ESPTUN_STATS_A_RX_REPLAY, 1ULL << 33);
	nla_put_u64(msg, ESPTUN_STATS_A_TX_NOMEM, 5);
	nla_put_u64(msg, ESPTUN_STATS_A_MAX + 1, 6); /* a newer kernel's */
	nla_nest_end(msg, nest);
	nlh = exact(msg, &len);
	assert_int_equal(esptun_stats_decode(nlh, len, &st), 0);
	assert_int_equal(st.ifindex, 3);
	assert_true(st.stats.v[ESPTUN_STATS_A_RX_REPLAY] == 1ULL << 33);
	assert_int_equal(st.stats.v[ESPTUN_STATS_A_TX_NOMEM], 5);
	assert_int_equal(st.stats.v[ESPTUN_STATS_A_RX_AUTH], 0);
	assert_true(st.stats.told ==
		    (1ULL << ESPTUN_STATS_A_RX_REPLAY | 1ULL << ESPTUN_STATS_A_TX_NOMEM));
	free(nlh);
	nlmsg_free(msg);
}

static void algo_decoded(void **state)
{
	static const uint16_t lens[] = { 20, 28, 36 };
	struct nl_msg *msg = begin(ESPTUN_CMD_ALGO_GET, 0);
	struct nlattr *nest = nla_nest_start(msg, ESPTUN_A_ALGO);
	struct esptun_algo algo;
	struct nlmsghdr *nlh;
	size_t i, len;

	(void)state;
	nla_put_u8(msg, ESPTUN_ALGO_A_TYPE, ESPTUN_ALGO_ENCR);
	nla_put_u16(msg, ESPTUN_ALGO_A_ID, 20);
	nla_put_string(msg, ESPTUN_ALGO_A_NAME, "ENCR_AES_GCM_16");
	nla_put_string(msg, ESPTUN_ALGO_A_XFRM_NAME, "rfc4106(gcm(aes))");
	nla_put_u8(msg, ESPTUN_ALGO_A_CLASS, ESPTUN_ALGO_CLASS_LEGACY);
	nla_put_u8(msg, ESPTUN_ALGO_A_STATE, ESPTUN_ALGO_STATE_REFUSED);
	for (i = 0; i < 12; i++) /* more than there is room for */
		nla_put_u16(msg, ESPTUN_ALGO_A_KEY_LEN, lens[i % 3]);
	nla_put_u8(msg, ESPTUN_ALGO_A_SALT_LEN, 4);
	nla_put_u8(msg, ESPTUN_ALGO_A_ICV_LEN, 16);
	nla_nest_end(msg, nest);
	nlh = exact(msg, &len);
	assert_int_equal(esptun_algo_decode(nlh, len, &algo), 0);
	assert_int_equal(algo.type, ESPTUN_ALGO_ENCR);
	assert_int_equal(algo.id, 20);
	assert_string_equal(algo.name, "ENCR_AES_GCM_16");
	assert_string_equal(algo.xfrm_name, "rfc4106(gcm(aes))");
	assert_string_equal(algo.driver, "");
	assert_true(algo.legacy);
	assert_int_equal(algo.state, ESPTUN_ALGO_STATE_REFUSED);
	assert_int_equal(algo.n_key_lens, 8);
	assert_int_equal(algo.key_lens[1], 28);
	assert_int_equal(algo.salt_len, 4);
	assert_int_equal(algo.icv_len, 16);
	free(nlh);
	nlmsg_free(msg);
}

static void ike_round_trip(void **state)
{
	static uint8_t data[ESPTUN_IKE_MAX];
	struct esptun_ike in = {
		{ addr("192.0.2.1"), 4500 }, { addr("198.51.100.2"), 4500 }, data, sizeof(data)
	};
	struct nl_msg *msg = begin(ESPTUN_CMD_IKE_RECV, 0);
	struct esptun_event ev;
	struct nlmsghdr *nlh;
	size_t len;

	(void)state;
	data[0] = 0xaa;
	data[sizeof(data) - 1] = 0xbb;
	assert_int_equal(esptun_ike_encode(msg, &in), 0);
	nlh = exact(msg, &len);
	assert_int_equal(esptun_event_decode(nlh, len, &ev), 0);
	assert_int_equal(ev.type, ESPTUN_EVENT_IKE);
	assert_addr(&ev.u.ike.local.addr, "192.0.2.1");
	assert_addr(&ev.u.ike.remote.addr, "198.51.100.2");
	assert_int_equal(ev.u.ike.remote.port, 4500);
	assert_int_equal(ev.u.ike.len, sizeof(data));
	assert_memory_equal(ev.u.ike.data, data, sizeof(data));
	free(nlh);
	nlmsg_free(msg);

	msg = begin(ESPTUN_CMD_IKE_SEND, 7);
	in.len = 0;
	assert_int_equal(esptun_ike_encode(msg, &in), -EINVAL);
	in.len = ESPTUN_IKE_MAX + 1;
	assert_int_equal(esptun_ike_encode(msg, &in), -EINVAL);
	nlmsg_free(msg);
}

static void event_acquire(void **state)
{
	struct nl_msg *msg = begin(ESPTUN_CMD_ACQUIRE, 7);
	struct nlattr *nest;
	struct esptun_event ev;
	struct nlmsghdr *nlh;
	size_t len;

	(void)state;
	assert_int_equal(esptun_peer_encode_id(msg, 4), 0);
	nest = nla_nest_start(msg, ESPTUN_A_FLOW);
	nla_put(msg, ESPTUN_FLOW_A_SOURCE, 4, "\x0a\x01\x00\x02");
	nla_put(msg, ESPTUN_FLOW_A_DESTINATION, 4, "\x0a\x02\x00\x02");
	nla_put_u8(msg, ESPTUN_FLOW_A_PROTOCOL, 6);
	nla_put_u16(msg, ESPTUN_FLOW_A_SOURCE_PORT, htons(1234));
	nla_put_u16(msg, ESPTUN_FLOW_A_DESTINATION_PORT, htons(443));
	nla_put_u32(msg, ESPTUN_FLOW_A_CPU, 0);
	nla_nest_end(msg, nest);
	nlh = exact(msg, &len);
	assert_int_equal(esptun_event_decode(nlh, len, &ev), 0);
	assert_int_equal(ev.type, ESPTUN_EVENT_ACQUIRE);
	assert_int_equal(ev.ifindex, 7);
	assert_int_equal(ev.u.acquire.peer, 4);
	assert_addr(&ev.u.acquire.source, "10.1.0.2");
	assert_addr(&ev.u.acquire.destination, "10.2.0.2");
	assert_int_equal(ev.u.acquire.protocol, 6);
	assert_int_equal(ev.u.acquire.source_port, 1234);
	assert_int_equal(ev.u.acquire.destination_port, 443);
	assert_true(ev.u.acquire.has_cpu);
	assert_int_equal(ev.u.acquire.cpu, 0);
	free(nlh);
	nlmsg_free(msg);
}

static void event_expire(void **state)
{
	struct nl_msg *msg = begin(ESPTUN_CMD_EXPIRE, 7);
	struct esptun_event ev;
	struct nlmsghdr *nlh;
	size_t len;

	(void)state;
	assert_int_equal(esptun_sa_encode_id(msg, ESPTUN_SA_DIR_OUT, 0x1234, 4), 0);
	nla_put_u8(msg, ESPTUN_A_EXPIRE_REASON, ESPTUN_EXPIRE_REASON_SEQUENCE);
	nlh = exact(msg, &len);
	assert_int_equal(esptun_event_decode(nlh, len, &ev), 0);
	assert_int_equal(ev.type, ESPTUN_EVENT_EXPIRE);
	assert_int_equal(ev.u.expire.spi, 0x1234);
	assert_int_equal(ev.u.expire.peer, 4);
	assert_int_equal(ev.u.expire.dir, ESPTUN_SA_DIR_OUT);
	assert_int_equal(ev.u.expire.reason, ESPTUN_EXPIRE_REASON_SEQUENCE);
	free(nlh);
	nlmsg_free(msg);
}

/* Each notification of the ABI has an event; requests and replies have none. */
static void event_kinds(void **state)
{
	static const struct {
		uint8_t cmd;
		enum esptun_event_type type;
		const char *name;
	} rows[] = {
		{ ESPTUN_CMD_PEER_NEW, ESPTUN_EVENT_PEER_ADD, "peer-add" },
		{ ESPTUN_CMD_PEER_SET, ESPTUN_EVENT_PEER_CHANGE, "peer-change" },
		{ ESPTUN_CMD_PEER_DEL, ESPTUN_EVENT_PEER_DEL, "peer-delete" },
		{ ESPTUN_CMD_PEER_MOVED, ESPTUN_EVENT_PEER_MOVED, "peer-moved" },
		{ ESPTUN_CMD_SA_NEW, ESPTUN_EVENT_SA_ADD, "sa-add" },
		{ ESPTUN_CMD_SA_SET, ESPTUN_EVENT_SA_CHANGE, "sa-change" },
		{ ESPTUN_CMD_SA_DEL, ESPTUN_EVENT_SA_DEL, "sa-delete" },
		{ ESPTUN_CMD_FLUSH, ESPTUN_EVENT_SA_FLUSH, "sa-flush" },
	};
	struct esptun_event ev;
	struct nlmsghdr *nlh;
	struct nl_msg *msg;
	size_t i, len;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		msg = begin(rows[i].cmd, 7);
		assert_int_equal(esptun_peer_encode_id(msg, 4), 0);
		assert_int_equal(esptun_sa_encode_id(msg, ESPTUN_SA_DIR_IN, 999, 4), 0);
		nlh = exact(msg, &len);
		assert_int_equal(esptun_event_decode(nlh, len, &ev), 0);
		assert_int_equal(ev.type, rows[i].type);
		assert_string_equal(esptun_event_name(ev.type), rows[i].name);
		esptun_event_clear(&ev);
		free(nlh);
		nlmsg_free(msg);
	}
	assert_string_equal(esptun_event_name(ESPTUN_EVENT_OVERRUN), "overrun");
	msg = begin(ESPTUN_CMD_SA_GET, 7);
	nlh = exact(msg, &len);
	assert_int_equal(esptun_event_decode(nlh, len, &ev), -ENOMSG);
	free(nlh);
	nlmsg_free(msg);
}

/* Wrong lengths of every kind of attribute. */
static void bad_lengths(void **state)
{
	static const struct {
		uint8_t cmd;
		int nest, type, len;
	} rows[] = {
		{ ESPTUN_CMD_PEER_NEW, ESPTUN_A_PEER, ESPTUN_PEER_A_REMOTE_ADDRESS, 5 },
		{ ESPTUN_CMD_PEER_NEW, ESPTUN_A_PEER, ESPTUN_PEER_A_REMOTE_ADDRESS, 0 },
		{ ESPTUN_CMD_PEER_NEW, ESPTUN_A_PEER, ESPTUN_PEER_A_REMOTE_ADDRESS, 17 },
		{ ESPTUN_CMD_PEER_NEW, ESPTUN_A_PEER, ESPTUN_PEER_A_ID, 3 },
		{ ESPTUN_CMD_SA_NEW, ESPTUN_A_SA, ESPTUN_SA_A_ENCR_KEY, ESPTUN_KEY_MAX + 1 },
		{ ESPTUN_CMD_SA_NEW, ESPTUN_A_SA, ESPTUN_SA_A_TS_LOCAL, 3 },
		{ ESPTUN_CMD_SA_NEW, ESPTUN_A_SA, ESPTUN_SA_A_DRIVER, 0 },
		{ ESPTUN_CMD_SA_NEW, ESPTUN_A_SA, ESPTUN_SA_A_DRIVER, 4 },
		{ ESPTUN_CMD_SA_NEW, ESPTUN_A_SA, ESPTUN_SA_A_AGE, 4 },
		{ ESPTUN_CMD_IKE_RECV, ESPTUN_A_IKE, ESPTUN_IKE_A_DATA, ESPTUN_IKE_MAX + 1 },
		{ ESPTUN_CMD_ACQUIRE, ESPTUN_A_FLOW, ESPTUN_FLOW_A_SOURCE, 7 },
		{ ESPTUN_CMD_EXPIRE, ESPTUN_A_SA, ESPTUN_SA_A_SPI, 2 },
	};
	static const uint8_t octets[ESPTUN_IKE_MAX + 1] = { [0 ... ESPTUN_IKE_MAX] = 'x' };
	struct esptun_event ev;
	struct nlmsghdr *nlh;
	struct nlattr *nest;
	struct nl_msg *msg;
	size_t i, len;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		msg = begin(rows[i].cmd, 7);
		nest = nla_nest_start(msg, rows[i].nest);
		assert_int_equal(nla_put(msg, rows[i].type, rows[i].len, octets), 0);
		nla_nest_end(msg, nest);
		nlh = exact(msg, &len);
		assert_int_equal(esptun_event_decode(nlh, len, &ev), -EBADMSG);
		free(nlh);
		nlmsg_free(msg);
	}
}

/* Cut an SA event at each octet, with its length field as before and adjusted. */
static void truncated(void **state)
{
	struct nl_msg *msg = begin(ESPTUN_CMD_SA_NEW, 7);
	struct esptun_ts local[2], remote[1];
	struct esptun_sa in = an_sa(local, remote);
	struct nlmsghdr *nlh, *cut;
	struct esptun_event ev;
	size_t len, n;

	(void)state;
	assert_int_equal(esptun_sa_encode(msg, &in), 0);
	nlh = exact(msg, &len);
	for (n = 0; n < len; n++) {
		cut = malloc(n ? n : 1);
		memcpy(cut, nlh, n);
		if (n >= sizeof(nlh->nlmsg_len)) {
			assert_int_equal(esptun_event_decode(cut, n, &ev), -EBADMSG);
			cut->nlmsg_len = (uint32_t)n;
		}
		if (!esptun_event_decode(cut, n, &ev))
			esptun_event_clear(&ev);
		free(cut);
	}
	free(nlh);
	nlmsg_free(msg);
}

/* Change each octet in turn to each of a few values. */
static void corrupted(void **state)
{
	static const uint8_t values[] = { 0, 1, 3, 4, 5, 0x7f, 0x80, 0xff };
	struct nl_msg *msg = begin(ESPTUN_CMD_SA_NEW, 7);
	struct esptun_ts local[2], remote[1];
	struct esptun_sa in = an_sa(local, remote);
	unsigned int accepted = 0, refused = 0;
	struct esptun_event ev;
	struct nlmsghdr *nlh;
	size_t len, n, v;

	(void)state;
	assert_int_equal(esptun_sa_encode(msg, &in), 0);
	nlh = exact(msg, &len);
	for (n = 0; n < len; n++) {
		uint8_t *octet = (uint8_t *)nlh + n, was = *octet;

		for (v = 0; v < sizeof(values); v++) {
			*octet = values[v];
			if (esptun_event_decode(nlh, len, &ev)) {
				refused++;
			} else {
				accepted++;
				esptun_event_clear(&ev);
			}
		}
		*octet = was;
	}
	assert_true(accepted > 0 && refused > 0);
	free(nlh);
	nlmsg_free(msg);
}

/* What comes back of a link that was sent. */
static struct esptun_link there_and_back(const struct esptun_link *in)
{
	struct ifinfomsg ifi = { .ifi_index = 12, .ifi_flags = IFF_UP };
	struct nl_msg *msg = nlmsg_alloc();
	struct esptun_link out;
	struct nlmsghdr *nlh;
	size_t len;

	assert_non_null(nlmsg_put(msg, 0, 1, RTM_NEWLINK, 0, 0));
	assert_int_equal(nlmsg_append(msg, &ifi, sizeof(ifi), NLMSG_ALIGNTO), 0);
	assert_int_equal(esptun_link_encode(msg, in), 0);
	nlh = exact(msg, &len);
	assert_int_equal(esptun_link_decode(nlh, len, &out), 0);
	free(nlh);
	nlmsg_free(msg);
	return out;
}

static void link_round_trip(void **state)
{
	struct esptun_link in = {
		.has = ESPTUN_LINK_HAS_LOCAL | ESPTUN_LINK_HAS_PORT | ESPTUN_LINK_HAS_FWMARK |
		       ESPTUN_LINK_HAS_TOS | ESPTUN_LINK_HAS_TTL | ESPTUN_LINK_HAS_MTU |
		       ESPTUN_LINK_HAS_DEV,
		.name = "vpn0",
		.local = addr("192.0.2.1"),
		.port = 4501,
		.fwmark = 0x1234,
		.tos = 0x10,
		.ttl = 64,
		.mtu = 1400,
		.dev = 3,
	};
	struct esptun_link out = there_and_back(&in);

	(void)state;
	assert_int_equal(out.has, in.has | ESPTUN_LINK_HAS_UP);
	assert_int_equal(out.ifindex, 12);
	assert_string_equal(out.name, "vpn0");
	assert_addr(&out.local, "192.0.2.1");
	assert_int_equal(out.port, 4501);
	assert_int_equal(out.fwmark, 0x1234);
	assert_int_equal(out.tos, 0x10);
	assert_int_equal(out.ttl, 64);
	assert_int_equal(out.mtu, 1400);
	assert_int_equal(out.dev, 3);
	assert_true(out.up);
}

static void link_local_of_each_family(void **state)
{
	static const char *const text[] = { "192.0.2.1", "2001:db8::1", "::1.2.3.4", "any" };
	struct esptun_link in = { .has = ESPTUN_LINK_HAS_LOCAL, .name = "vpn0" };
	struct esptun_link out;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(text) / sizeof(text[0]); i++) {
		memset(&in.local, 0, sizeof(in.local));
		esptun_addr_parse(text[i], &in.local);
		out = there_and_back(&in);
		assert_true(out.has & ESPTUN_LINK_HAS_LOCAL);
		assert_true(esptun_addr_equal(&out.local, &in.local));
		assert_addr(&out.local, text[i]);
	}
}

static void link_of_another_kind(void **state)
{
	struct ifinfomsg ifi = { .ifi_index = 12 };
	struct nl_msg *msg = nlmsg_alloc();
	struct esptun_link out;
	struct nlmsghdr *nlh;
	struct nlattr *info;
	size_t len;

	(void)state;
	assert_non_null(nlmsg_put(msg, 0, 1, RTM_NEWLINK, 0, 0));
	assert_int_equal(nlmsg_append(msg, &ifi, sizeof(ifi), NLMSG_ALIGNTO), 0);
	nla_put_string(msg, IFLA_IFNAME, "lo");
	nlh = exact(msg, &len);
	assert_int_equal(esptun_link_decode(nlh, len, &out), -ENOMSG);
	free(nlh);
	info = nla_nest_start(msg, IFLA_LINKINFO);
	nla_put_string(msg, IFLA_INFO_KIND, "veth");
	nla_nest_end(msg, info);
	nlh = exact(msg, &len);
	assert_int_equal(esptun_link_decode(nlh, len, &out), -ENOMSG);
	nlh->nlmsg_len = NLMSG_HDRLEN;
	assert_int_equal(esptun_link_decode(nlh, len, &out), -EBADMSG);
	free(nlh);
	nlmsg_free(msg);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(peer_round_trip),
		cmocka_unit_test(peer_sends_what_it_has),
		cmocka_unit_test(wire_form),
		cmocka_unit_test(sa_round_trip),
		cmocka_unit_test(sa_many_selectors),
		cmocka_unit_test(sa_message_full),
		cmocka_unit_test(sa_enums_bounded),
		cmocka_unit_test(stats_decoded),
		cmocka_unit_test(algo_decoded),
		cmocka_unit_test(ike_round_trip),
		cmocka_unit_test(event_acquire),
		cmocka_unit_test(event_expire),
		cmocka_unit_test(event_kinds),
		cmocka_unit_test(bad_lengths),
		cmocka_unit_test(truncated),
		cmocka_unit_test(corrupted),
		cmocka_unit_test(link_round_trip),
		cmocka_unit_test(link_local_of_each_family),
		cmocka_unit_test(link_of_another_kind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
