// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Extended acknowledgements, made by hand as the kernel lays them out: the
 * error, the request's header, the rest of the request unless it is cut off,
 * and the attributes with text and offset. Then hostile ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/internal.h"

struct ack {
	_Alignas(4) uint8_t buf[1024];
	size_t len;
};

static struct nlmsghdr *header(struct ack *a)
{
	return (struct nlmsghdr *)a->buf;
}

static void add(struct ack *a, const void *data, size_t len)
{
	assert_true(a->len + NLMSG_ALIGN(len) <= sizeof(a->buf));
	memcpy(a->buf + a->len, data, len);
	a->len += NLMSG_ALIGN(len);
	header(a)->nlmsg_len = (uint32_t)a->len;
}

static void add_tlv(struct ack *a, uint16_t type, const void *data, uint16_t len)
{
	struct nlattr nla = { .nla_type = type, .nla_len = (uint16_t)(NLA_HDRLEN + len) };

	add(a, &nla, sizeof(nla));
	add(a, data, len);
}

static void add_u32(struct ack *a, uint16_t type, uint32_t v)
{
	add_tlv(a, type, &v, sizeof(v));
}

/* An acknowledgement of @req with @error, the whole request in it or only its header. */
static void begin(struct ack *a, int32_t error, const struct nlmsghdr *req, bool capped)
{
	memset(a, 0, sizeof(*a));
	a->len = NLMSG_HDRLEN;
	header(a)->nlmsg_type = NLMSG_ERROR;
	header(a)->nlmsg_flags = (uint16_t)(NLM_F_ACK_TLVS | (capped ? NLM_F_CAPPED : 0));
	add(a, &error, sizeof(error));
	add(a, req, capped ? NLMSG_HDRLEN : req->nlmsg_len);
}

/* An sa-new with a selector, as the library sends it. */
static struct nl_msg *request(void)
{
	struct genlmsghdr g = { .cmd = ESPTUN_CMD_SA_NEW };
	struct nl_msg *msg = nlmsg_alloc();
	struct esptun_ts ts;
	struct esptun_sa sa = {
		.spi = 256, .peer = 1, .key_len = 35, .ts_remote = &ts, .n_ts_remote = 1
	};

	assert_int_equal(esptun_ts_parse("10.0.0.0/8", &ts), 0);
	assert_non_null(nlmsg_put(msg, 0, 1, 0x20, 0, 0));
	assert_int_equal(nlmsg_append(msg, &g, sizeof(g), NLMSG_ALIGNTO), 0);
	assert_int_equal(nla_put_u32(msg, ESPTUN_A_IFINDEX, 7), 0);
	assert_int_equal(esptun_sa_encode(msg, &sa), 0);
	return msg;
}

static uint32_t offset(const struct nl_msg *msg, const struct nlattr *attr)
{
	return (uint32_t)((const char *)attr - (const char *)nlmsg_hdr((struct nl_msg *)msg));
}

static struct nlattr *sa_nest(struct nl_msg *msg)
{
	return nlmsg_find_attr(nlmsg_hdr(msg), GENL_HDRLEN, ESPTUN_A_SA);
}

static struct nlattr *in_nest(const struct nlattr *nest, int type)
{
	return nla_find(nla_data(nest), nla_len(nest), type);
}

static int decode(const struct ack *a, struct nl_msg *msg, struct extack *out)
{
	/* exactly the octets there are, so that sanitizers see overreads */
	struct nlmsghdr *copy = malloc(a->len);
	int ret;

	memcpy(copy, a->buf, a->len);
	ret = esptun_extack_decode(copy, nlmsg_hdr(msg), GENL_HDRLEN, &esptun_attrs_esptun, out);
	free(copy);
	return ret;
}

static void text_and_attribute(void **state)
{
	struct nl_msg *msg = request();
	struct nlattr *key = in_nest(sa_nest(msg), ESPTUN_SA_A_ENCR_KEY);
	struct extack out;
	struct ack a;
	int capped;

	(void)state;
	for (capped = 0; capped < 2; capped++) {
		begin(&a, -EINVAL, nlmsg_hdr(msg), capped);
		add_tlv(&a, NLMSGERR_ATTR_MSG, "wrong length", 13);
		add_u32(&a, NLMSGERR_ATTR_OFFS, offset(msg, key));
		assert_int_equal(decode(&a, msg, &out), 0);
		assert_int_equal(out.error, -EINVAL);
		assert_string_equal(out.msg, "wrong length");
		assert_string_equal(out.attr, "sa.encr-key");
		assert_false(out.missing);
	}
	nlmsg_free(msg);
}

static void attribute_paths(void **state)
{
	struct nl_msg *msg = request();
	struct nlattr *sa = sa_nest(msg), *ts = in_nest(sa, ESPTUN_SA_A_TS_REMOTE);
	const struct {
		const struct nlattr *attr;
		const char *path;
	} rows[] = {
		{ nlmsg_find_attr(nlmsg_hdr(msg), GENL_HDRLEN, ESPTUN_A_IFINDEX), "ifindex" },
		{ sa, "sa" },
		{ in_nest(sa, ESPTUN_SA_A_SPI), "sa.spi" },
		{ ts, "sa.ts-remote" },
		{ in_nest(ts, ESPTUN_TS_A_PREFIX_LEN), "sa.ts-remote.prefix-len" },
	};
	struct extack out;
	struct ack a;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		begin(&a, -ERANGE, nlmsg_hdr(msg), true);
		add_u32(&a, NLMSGERR_ATTR_OFFS, offset(msg, rows[i].attr));
		assert_int_equal(decode(&a, msg, &out), 0);
		assert_string_equal(out.attr, rows[i].path);
		assert_string_equal(out.msg, "");
	}
	nlmsg_free(msg);
}

static void missing_attribute(void **state)
{
	struct nl_msg *msg = request();
	struct extack out;
	struct ack a;

	(void)state;
	begin(&a, -EINVAL, nlmsg_hdr(msg), true);
	add_u32(&a, NLMSGERR_ATTR_MISS_TYPE, ESPTUN_SA_A_INTEG);
	add_u32(&a, NLMSGERR_ATTR_MISS_NEST, offset(msg, sa_nest(msg)));
	assert_int_equal(decode(&a, msg, &out), 0);
	assert_string_equal(out.attr, "sa.integ");
	assert_true(out.missing);

	begin(&a, -EINVAL, nlmsg_hdr(msg), true);
	add_u32(&a, NLMSGERR_ATTR_MISS_TYPE, ESPTUN_A_PEER);
	assert_int_equal(decode(&a, msg, &out), 0);
	assert_string_equal(out.attr, "peer");

	begin(&a, -EINVAL, nlmsg_hdr(msg), true);
	add_u32(&a, NLMSGERR_ATTR_MISS_TYPE, 0x80000001);
	assert_int_equal(decode(&a, msg, &out), 0);
	assert_string_equal(out.attr, "");
	nlmsg_free(msg);
}

static void plain_acks(void **state)
{
	struct nl_msg *msg = request();
	struct extack out;
	struct ack a;

	(void)state;
	begin(&a, 0, nlmsg_hdr(msg), true);
	header(&a)->nlmsg_flags = NLM_F_CAPPED;
	assert_int_equal(decode(&a, msg, &out), 0);
	assert_int_equal(out.error, 0);

	begin(&a, -EPERM, nlmsg_hdr(msg), true);
	header(&a)->nlmsg_flags = NLM_F_CAPPED;
	assert_int_equal(decode(&a, msg, &out), 0);
	assert_int_equal(out.error, -EPERM);
	assert_string_equal(out.msg, "");

	/* the end of a dump: an int and, if it failed, attributes */
	memset(&a, 0, sizeof(a));
	a.len = NLMSG_HDRLEN;
	header(&a)->nlmsg_type = NLMSG_DONE;
	header(&a)->nlmsg_flags = NLM_F_ACK_TLVS;
	add(&a, &(int32_t){ -EPERM }, sizeof(int32_t));
	add_tlv(&a, NLMSGERR_ATTR_MSG, "keys are secret", 16);
	assert_int_equal(decode(&a, msg, &out), 0);
	assert_int_equal(out.error, -EPERM);
	assert_string_equal(out.msg, "keys are secret");
	nlmsg_free(msg);
}

static void hostile_text(void **state)
{
	struct nl_msg *msg = request();
	char longest[600];
	struct extack out;
	struct ack a;

	(void)state;
	/* no NUL, and characters that a terminal would obey */
	begin(&a, -EINVAL, nlmsg_hdr(msg), true);
	add_tlv(&a, NLMSGERR_ATTR_MSG, "\033[2Jab\n", 7);
	assert_int_equal(decode(&a, msg, &out), 0);
	assert_string_equal(out.msg, "?[2Jab?");

	memset(longest, 'x', sizeof(longest));
	begin(&a, -EINVAL, nlmsg_hdr(msg), true);
	add_tlv(&a, NLMSGERR_ATTR_MSG, longest, sizeof(longest));
	assert_int_equal(decode(&a, msg, &out), 0);
	assert_int_equal(strlen(out.msg), sizeof(out.msg) - 1);

	begin(&a, -EINVAL, nlmsg_hdr(msg), true);
	add_tlv(&a, NLMSGERR_ATTR_MSG, "", 0);
	assert_int_equal(decode(&a, msg, &out), 0);
	assert_string_equal(out.msg, "");
	nlmsg_free(msg);
}

/* Offsets that point nowhere name no attribute. */
static void hostile_offsets(void **state)
{
	struct nl_msg *msg = request();
	uint32_t len = nlmsg_hdr(msg)->nlmsg_len, offs;
	static const uint32_t far[] = { 0x7fffffff, 0x80000000, 0xffffffff };
	struct extack out;
	struct ack a;
	size_t i;

	(void)state;
	for (offs = 0; offs < len + 64; offs++) {
		begin(&a, -EINVAL, nlmsg_hdr(msg), true);
		add_u32(&a, NLMSGERR_ATTR_OFFS, offs);
		assert_int_equal(decode(&a, msg, &out), 0);
		if (offs < NLMSG_HDRLEN + GENL_HDRLEN || offs >= len)
			assert_string_equal(out.attr, "");
	}
	for (i = 0; i < 3; i++) {
		begin(&a, -EINVAL, nlmsg_hdr(msg), true);
		add_u32(&a, NLMSGERR_ATTR_MISS_TYPE, 1);
		add_u32(&a, NLMSGERR_ATTR_MISS_NEST, far[i]);
		assert_int_equal(decode(&a, msg, &out), 0);
		assert_string_equal(out.attr, "");
	}
	nlmsg_free(msg);
}

static void hostile_lengths(void **state)
{
	struct nl_msg *msg = request();
	struct nlmsgerr *e;
	struct extack out;
	struct ack a;
	size_t full, n;

	(void)state;
	/* a request in it said to be longer than it, shorter than a header */
	begin(&a, -EINVAL, nlmsg_hdr(msg), false);
	e = (struct nlmsgerr *)(a.buf + NLMSG_HDRLEN);
	e->msg.nlmsg_len = 0xffffffff;
	assert_int_equal(decode(&a, msg, &out), -EBADMSG);
	e->msg.nlmsg_len = NLMSG_HDRLEN - 1;
	assert_int_equal(decode(&a, msg, &out), -EBADMSG);

	/* no errno */
	begin(&a, -5000, nlmsg_hdr(msg), true);
	assert_int_equal(decode(&a, msg, &out), -EBADMSG);
	begin(&a, 5, nlmsg_hdr(msg), true);
	assert_int_equal(decode(&a, msg, &out), -EBADMSG);

	/* cut at each octet */
	begin(&a, -EINVAL, nlmsg_hdr(msg), false);
	add_tlv(&a, NLMSGERR_ATTR_MSG, "some text", 10);
	add_u32(&a, NLMSGERR_ATTR_OFFS, NLMSG_HDRLEN + GENL_HDRLEN);
	full = a.len;
	for (n = NLMSG_HDRLEN; n < full; n++) {
		a.len = n;
		header(&a)->nlmsg_len = (uint32_t)n;
		if (n < NLMSG_HDRLEN + sizeof(struct nlmsgerr))
			assert_int_equal(decode(&a, msg, &out), -EBADMSG);
		else
			decode(&a, msg, &out);
	}
	nlmsg_free(msg);
}

/* An attribute with length 0 must not hang the walk. */
static void no_progress(void **state)
{
	struct nl_msg *msg = request();
	struct nlattr zero = { .nla_len = 0, .nla_type = 9 };
	struct extack out;
	struct ack a;

	(void)state;
	begin(&a, -EINVAL, nlmsg_hdr(msg), true);
	add(&a, &zero, sizeof(zero));
	add_tlv(&a, NLMSGERR_ATTR_MSG, "behind it", 10);
	assert_int_equal(decode(&a, msg, &out), 0);
	assert_string_equal(out.msg, "");
	nlmsg_free(msg);
}

static int count_reply(const struct nlmsghdr *nlh, size_t len, void *arg)
{
	(void)nlh;
	(void)len;
	++*(int *)arg;
	return 0;
}

/* An answer of several messages in one datagram. */
static void walk(void **state)
{
	int replies = 0;
	struct request rq = { .msg = request(),
			      .hdrlen = GENL_HDRLEN,
			      .set = &esptun_attrs_esptun,
			      .reply = count_reply,
			      .arg = &replies };
	_Alignas(4) uint8_t buf[3 * (NLMSG_HDRLEN + 4)] = { 0 };
	const uint32_t one = NLMSG_HDRLEN + 4;
	struct extack ack;
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		struct nlmsghdr *nlh = (struct nlmsghdr *)(buf + i * one);

		nlh->nlmsg_len = one;
		nlh->nlmsg_seq = 1;
		nlh->nlmsg_type = i == 2 ? NLMSG_DONE : 0x20;
		nlh->nlmsg_flags = i == 1 ? NLM_F_MULTI | NLM_F_DUMP_INTR : NLM_F_MULTI;
	}
	assert_int_equal(esptun_request_walk(&rq, buf, sizeof(buf), &ack), 1);
	assert_int_equal(replies, 2);
	assert_true(rq.interrupted);
	assert_int_equal(ack.error, 0);

	/* without its end there is more to come */
	assert_int_equal(esptun_request_walk(&rq, buf, 2 * one, &ack), 0);
	/* the answer to another request is not ours */
	replies = 0;
	((struct nlmsghdr *)buf)->nlmsg_seq = 2;
	assert_int_equal(esptun_request_walk(&rq, buf, one, &ack), 0);
	assert_int_equal(replies, 0);
	/* lengths that lie */
	((struct nlmsghdr *)buf)->nlmsg_len = 3;
	assert_int_equal(esptun_request_walk(&rq, buf, one, &ack), -EBADMSG);
	((struct nlmsghdr *)buf)->nlmsg_len = one + 1;
	assert_int_equal(esptun_request_walk(&rq, buf, one, &ack), -EBADMSG);
	assert_int_equal(esptun_request_walk(&rq, buf, 7, &ack), -EBADMSG);
	nlmsg_free(rq.msg);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_and_attribute),
		cmocka_unit_test(attribute_paths),
		cmocka_unit_test(missing_attribute),
		cmocka_unit_test(plain_acks),
		cmocka_unit_test(hostile_text),
		cmocka_unit_test(hostile_offsets),
		cmocka_unit_test(hostile_lengths),
		cmocka_unit_test(no_progress),
		cmocka_unit_test(walk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
