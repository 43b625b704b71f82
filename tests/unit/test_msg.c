// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ike/crypto/crypto.h"
#include "ike/proto/msg.h"
#include "ike/proto/transform.h"
#include "vectors.h"

static const struct ike_header head = {
	.spi_i = { 1, 2, 3, 4, 5, 6, 7, 8 },
	.spi_r = { 9, 10, 11, 12, 13, 14, 15, 16 },
	.version = 0x20,
	.exchange = IKE_AUTH,
	.flags = IKE_FLAG_INITIATOR,
	.id = 1,
};

static const struct ike_proposals proposals = {
	.n = 2,
	.p = {
		{ .num = 1, .protocol = IKE_PROTO_ESP, .spi_len = 4, .spi = { 1, 2, 3, 4 }, .n = 2,
		  .t = { { IKE_T_ENCR, IKE_ENCR_AES_GCM_16, 256 }, { IKE_T_ESN, IKE_ESN_NO, 0 } } },
		{ .num = 2, .protocol = IKE_PROTO_ESP, .spi_len = 4, .spi = { 5, 6, 7, 8 }, .n = 3,
		  .t = { { IKE_T_ENCR, IKE_ENCR_AES_CBC, 128 },
			 { IKE_T_INTEG, IKE_INTEG_HMAC_SHA2_256_128, 0 },
			 { IKE_T_ESN, IKE_ESN_YES, 0 } } },
	},
};

static const struct ike_ts_list selectors = {
	.n = 2,
	.ts = {
		{ .family = 4, .protocol = 17, .port_start = 53, .port_end = 53,
		  .start = { 10, 1, 0, 0 }, .end = { 10, 1, 255, 255 } },
		{ .family = 6, .port_end = 65535, .start = { 0xfd }, .end = { 0xfd, 0xff } },
	},
};

static const struct ike_id id = { .type = IKE_ID_FQDN, .len = 9, .data = "a.example" };
static const uint32_t spis[] = { 0x01020304, 0xa1a2a3a4 };

/* One payload of each kind that we write. */
static size_t build_all(uint8_t *buf, size_t cap)
{
	struct ike_builder b;

	ike_build_init(&b, buf, cap, &head);
	ike_build_id(&b, IKE_PL_IDI, &id);
	ike_build_auth(&b, IKE_AUTH_PSK, (const uint8_t *)"0123456789", 10);
	ike_build_sa(&b, IKE_OFFER(&proposals));
	ike_build_ke(&b, IKE_DH_CURVE25519, (const uint8_t *)"abcdefgh", 8);
	ike_build_nonce(&b, (const uint8_t *)"nonce nonce nonce", 17);
	ike_build_ts(&b, IKE_PL_TSI, IKE_TS_OFFER(&selectors));
	ike_build_notify(&b, IKE_N_INITIAL_CONTACT, NULL, 0);
	ike_build_notify_spi(&b, IKE_N_REKEY_SA, IKE_PROTO_ESP, "\1\2\3\4", 4, "x", 1);
	ike_build_delete(&b, IKE_PROTO_ESP, spis, 2);
	ike_build_payload(&b, IKE_PL_VENDOR, "esptun", 6);
	return ike_build_end(&b);
}

static void a_message_reads_back_as_written(void **state)
{
	uint8_t buf[1024], offender;
	size_t len = build_all(buf, sizeof(buf)), nonce_len;
	const uint8_t *nonce;
	struct ike_payloads p;
	struct ike_sa_payload sa;
	struct ike_ts_payload ts;
	struct ike_header h;
	struct ike_id got;
	struct ike_auth auth;
	struct ike_ke ke;
	struct ike_notify n;
	struct ike_delete d;

	(void)state;
	assert_int_not_equal(len, 0);
	assert_int_equal(ike_header_parse(buf, len, &h), 0);
	assert_int_equal(h.length, len);
	assert_int_equal(h.next, IKE_PL_IDI);
	assert_memory_equal(h.spi_r, head.spi_r, 8);
	assert_int_equal(
		ike_payloads_parse(h.next, buf + IKE_HDR_LEN, len - IKE_HDR_LEN, &p, &offender), 0);
	assert_int_equal(p.n, 10);

	assert_int_equal(ike_id_parse(ike_payload_find(&p, IKE_PL_IDI), &got), 0);
	assert_memory_equal(&got, &id, sizeof(id));
	assert_int_equal(ike_auth_parse(ike_payload_find(&p, IKE_PL_AUTH), &auth), 0);
	assert_int_equal(auth.method, IKE_AUTH_PSK);
	assert_int_equal(auth.len, 10);
	assert_int_equal(ike_sa_parse(ike_payload_find(&p, IKE_PL_SA), &sa), 0);
	assert_int_equal(sa.n, 2);
	assert_memory_equal(sa.p, proposals.p, 2 * sizeof(sa.p[0]));
	assert_int_equal(ike_ke_parse(ike_payload_find(&p, IKE_PL_KE), &ke), 0);
	assert_int_equal(ke.group, IKE_DH_CURVE25519);
	assert_memory_equal(ke.data, "abcdefgh", ke.len);
	assert_int_equal(ike_nonce_parse(ike_payload_find(&p, IKE_PL_NONCE), &nonce, &nonce_len),
			 0);
	assert_int_equal(nonce_len, 17);
	assert_int_equal(ike_ts_parse(ike_payload_find(&p, IKE_PL_TSI), &ts), 0);
	assert_int_equal(ts.n, 2);
	assert_memory_equal(ts.ts, selectors.ts, 2 * sizeof(ts.ts[0]));
	assert_true(ike_notify_find(&p, IKE_N_INITIAL_CONTACT, &n));
	assert_int_equal(n.len, 0);
	assert_true(ike_notify_find(&p, IKE_N_REKEY_SA, &n));
	assert_int_equal(n.protocol, IKE_PROTO_ESP);
	assert_memory_equal(n.spi, "\1\2\3\4", n.spi_len);
	assert_int_equal(n.len, 1);
	assert_false(ike_notify_find(&p, IKE_N_COOKIE, &n));
	assert_int_equal(ike_delete_parse(ike_payload_find(&p, IKE_PL_DELETE), &d), 0);
	assert_int_equal(d.n, 2);
	assert_memory_equal(d.spis, "\1\2\3\4\xa1\xa2\xa3\xa4", 8);
	assert_null(ike_payload_find(&p, IKE_PL_TSR));
}

/* A copy of exactly @len octets on the heap, so that sanitizers see one octet too many. */
static uint8_t *tight(const uint8_t *from, size_t len)
{
	uint8_t *p = malloc(len ? len : 1);

	assert_non_null(p);
	memcpy(p, from, len);
	return p;
}

/* Every parser over every payload: none may crash, whatever it says. */
static void parse_bodies(const struct ike_payloads *p)
{
	static struct ike_sa_payload sa;
	static struct ike_ts_payload ts;
	struct ike_id got;
	struct ike_auth auth;
	struct ike_ke ke;
	struct ike_notify n;
	struct ike_delete d;

	for (unsigned int i = 0; i < p->n; i++) {
		ike_sa_parse(&p->p[i], &sa);
		ike_ts_parse(&p->p[i], &ts);
		ike_id_parse(&p->p[i], &got);
		ike_auth_parse(&p->p[i], &auth);
		ike_ke_parse(&p->p[i], &ke);
		ike_notify_parse(&p->p[i], &n);
		ike_delete_parse(&p->p[i], &d);
	}
}

/* @msg is valid; whatever it is cut to is not, with its own length field or a corrected one. */
static void no_prefix_is_valid(const uint8_t *msg, size_t len)
{
	for (size_t cut = 0; cut < len; cut++) {
		uint8_t *p = tight(msg, cut), offender;
		struct ike_payloads pl;
		struct ike_header h;

		assert_true(ike_header_parse(p, cut, &h) < 0);
		if (cut >= IKE_HDR_LEN) {
			p[26] = (uint8_t)(cut >> 8);
			p[27] = (uint8_t)cut;
			assert_int_equal(ike_header_parse(p, cut, &h), 0);
			assert_int_equal(ike_payloads_parse(h.next, p + IKE_HDR_LEN,
							    cut - IKE_HDR_LEN, &pl, &offender),
					 -IKE_N_INVALID_SYNTAX);
			parse_bodies(&pl);
		}
		free(p);
	}
}

static void every_prefix_fails(void **state)
{
	uint8_t buf[1024];

	(void)state;
	no_prefix_is_valid(buf, build_all(buf, sizeof(buf)));
}

static void every_prefix_of_a_body_is_read_within_bounds(void **state)
{
	uint8_t buf[1024], offender;
	size_t len = build_all(buf, sizeof(buf));
	struct ike_payloads p;
	static struct ike_sa_payload sa;
	static struct ike_ts_payload ts;

	(void)state;
	assert_int_equal(ike_payloads_parse(IKE_PL_IDI, buf + IKE_HDR_LEN, len - IKE_HDR_LEN, &p,
					    &offender),
			 0);
	for (unsigned int i = 0; i < p.n; i++) {
		for (size_t cut = 0; cut < p.p[i].len; cut++) {
			uint8_t *copy = tight(p.p[i].body, cut);
			struct ike_payloads one = { .n = 1 };

			one.p[0] = p.p[i];
			one.p[0].body = copy;
			one.p[0].len = cut;
			parse_bodies(&one);
			if (p.p[i].type == IKE_PL_SA)
				assert_int_equal(ike_sa_parse(&one.p[0], &sa),
						 -IKE_N_INVALID_SYNTAX);
			if (p.p[i].type == IKE_PL_TSI)
				assert_int_equal(ike_ts_parse(&one.p[0], &ts),
						 -IKE_N_INVALID_SYNTAX);
			free(copy);
		}
	}
}

static void nothing_overflows_a_short_buffer(void **state)
{
	uint8_t buf[1024];
	size_t len = build_all(buf, sizeof(buf));

	(void)state;
	for (size_t cap = 0; cap < len; cap++) {
		uint8_t *p = malloc(cap ? cap : 1);

		assert_int_equal(build_all(p, cap), 0);
		free(p);
	}
	assert_int_equal(build_all(buf, len), len);
}

static void headers_that_are_refused(void **state)
{
	uint8_t buf[1024];
	size_t len = build_all(buf, sizeof(buf));
	struct ike_header h;

	(void)state;
	buf[17] = 0x10;
	assert_int_equal(ike_header_parse(buf, len, &h), -IKE_N_INVALID_MAJOR_VERSION);
	buf[17] = 0x30;
	assert_int_equal(ike_header_parse(buf, len, &h), -IKE_N_INVALID_MAJOR_VERSION);
	buf[17] = 0x2f; /* RFC 7296 2.5: the minor version says nothing */
	assert_int_equal(ike_header_parse(buf, len, &h), 0);
	assert_int_equal(ike_header_parse(buf, len - 1, &h), -IKE_N_INVALID_SYNTAX);
	assert_int_equal(ike_header_parse(buf, len + 1, &h), -IKE_N_INVALID_SYNTAX);
	buf[24] = 0xff; /* a length of 4 GB */
	assert_int_equal(ike_header_parse(buf, len, &h), -IKE_N_INVALID_SYNTAX);
}

static int chain(uint8_t first, const char *hex, struct ike_payloads *p, uint8_t *offender)
{
	static uint8_t buf[1024];
	size_t len = hex_decode(hex, buf, sizeof(buf));

	return ike_payloads_parse(first, buf, len, p, offender);
}

static void unknown_payloads_pass_unless_critical(void **state)
{
	struct ike_payloads p;
	uint8_t offender;

	(void)state;
	assert_int_equal(chain(200, "28 00 0005 aa  00 00 0005 bb", &p, &offender), 0);
	assert_int_equal(p.n, 2);
	assert_int_equal(p.p[1].type, IKE_PL_NONCE);
	assert_int_equal(chain(200, "28 80 0005 aa  00 00 0005 bb", &p, &offender),
			 -IKE_N_UNSUPPORTED_CRITICAL_PAYLOAD);
	assert_int_equal(offender, 200);
	/* 3.2: the bit says nothing on payloads of RFC 7296 itself */
	assert_int_equal(chain(IKE_PL_CP, "00 80 0005 aa", &p, &offender), 0);
	/* 1 to 32 belong to IKEv1 */
	assert_int_equal(chain(5, "00 80 0004", &p, &offender),
			 -IKE_N_UNSUPPORTED_CRITICAL_PAYLOAD);
}

static void chains_that_are_refused(void **state)
{
	struct ike_payloads p;
	uint8_t offender;

	(void)state;
	assert_int_equal(chain(0, "", &p, &offender), 0);
	assert_int_equal(p.n, 0);
	assert_int_equal(chain(0, "00", &p, &offender), -IKE_N_INVALID_SYNTAX);
	assert_int_equal(chain(40, "00 00 0003", &p, &offender), -IKE_N_INVALID_SYNTAX);
	assert_int_equal(chain(40, "00 00 0000", &p, &offender), -IKE_N_INVALID_SYNTAX);
	assert_int_equal(chain(40, "00 00 0005 aa 00", &p, &offender), -IKE_N_INVALID_SYNTAX);
	assert_int_equal(chain(40, "28 00 ffff", &p, &offender), -IKE_N_INVALID_SYNTAX);
	/* SK is the last, whatever its "next payload" names */
	assert_int_equal(chain(46, "23 00 0006 aabb", &p, &offender), 0);
	assert_int_equal(p.n, 1);
	assert_int_equal(p.p[0].next, IKE_PL_IDI);
	assert_int_equal(chain(46, "28 00 0006 aabb 00 00 0004", &p, &offender),
			 -IKE_N_INVALID_SYNTAX);
}

static void too_many_payloads_are_refused(void **state)
{
	uint8_t buf[4 * (IKE_MAX_PAYLOADS + 1)] = { 0 }, offender;
	struct ike_payloads p;

	(void)state;
	for (unsigned int i = 0; i <= IKE_MAX_PAYLOADS; i++) {
		buf[4 * i] = i < IKE_MAX_PAYLOADS ? IKE_PL_VENDOR : 0;
		buf[4 * i + 3] = 4;
	}
	assert_int_equal(ike_payloads_parse(IKE_PL_VENDOR, buf, sizeof(buf), &p, &offender),
			 -IKE_N_INVALID_SYNTAX);
	buf[4 * (IKE_MAX_PAYLOADS - 1)] = 0;
	assert_int_equal(ike_payloads_parse(IKE_PL_VENDOR, buf, sizeof(buf) - 4, &p, &offender), 0);
	assert_int_equal(p.n, IKE_MAX_PAYLOADS);
}

static struct ike_payload body(const char *hex)
{
	static uint8_t buf[8192];
	size_t len = hex_decode(hex, buf, sizeof(buf));

	return (struct ike_payload){ .body = buf, .len = len };
}

static int sa(const char *hex, struct ike_sa_payload *out)
{
	struct ike_payload p = body(hex);

	return ike_sa_parse(&p, out);
}

static void attributes_we_do_not_know_spoil_their_transform_only(void **state)
{
	static struct ike_sa_payload out;

	(void)state;
	/* AES-CBC with an unknown TLV attribute; the same with Key Length 256 */
	assert_int_equal(sa("00 00 0026 01 01 00 02 "
			    "03 00 0012 01 00 000c 800e0100 1234 0002 abcd"
			    "00 00 000c 01 00 000c 800e0100",
			    &out),
			 0);
	assert_int_equal(out.p[0].n, 2);
	assert_int_equal(out.p[0].t[0].id, 0xffff);
	assert_int_equal(out.p[0].t[1].id, IKE_ENCR_AES_CBC);
	assert_int_equal(out.p[0].t[1].key_bits, 256);
	/* Key Length twice, as TLV, zero, and an unknown TV */
	assert_int_equal(sa("00 00 0018 01 01 00 01 00 00 0010 01 00 000c 800e0100 800e0080", &out),
			 0);
	assert_int_equal(out.p[0].t[0].id, 0xffff);
	assert_int_equal(sa("00 00 0016 01 01 00 01 00 00 000e 01 00 000c 000e0002 0100", &out), 0);
	assert_int_equal(out.p[0].t[0].id, 0xffff);
	assert_int_equal(sa("00 00 0014 01 01 00 01 00 00 000c 01 00 000c 800e0000", &out), 0);
	assert_int_equal(out.p[0].t[0].id, 0xffff);
	assert_int_equal(sa("00 00 0014 01 01 00 01 00 00 000c 01 00 000c 80110001", &out), 0);
	assert_int_equal(out.p[0].t[0].id, 0xffff);
	/* an attribute longer than its transform */
	assert_int_equal(sa("00 00 0014 01 01 00 01 00 00 000c 01 00 000c 12340001", &out),
			 -IKE_N_INVALID_SYNTAX);
}

static void proposals_that_are_refused(void **state)
{
	static struct ike_sa_payload out;

	(void)state;
	assert_int_equal(sa("00 00 0010 01 01 00 01 00 00 0008 02 00 0005", &out), 0);
	assert_int_equal(sa("", &out), -IKE_N_INVALID_SYNTAX);
	/* "more" said and none there; none said and more there; neither 0 nor 2 */
	assert_int_equal(sa("02 00 0010 01 01 00 01 00 00 0008 02 00 0005", &out),
			 -IKE_N_INVALID_SYNTAX);
	assert_int_equal(sa("00 00 0010 01 01 00 01 00 00 0008 02 00 0005 00", &out),
			 -IKE_N_INVALID_SYNTAX);
	assert_int_equal(sa("01 00 0010 01 01 00 01 00 00 0008 02 00 0005", &out),
			 -IKE_N_INVALID_SYNTAX);
	/* number of transforms, their marks, their lengths */
	assert_int_equal(sa("00 00 0010 01 01 00 02 03 00 0008 02 00 0005", &out),
			 -IKE_N_INVALID_SYNTAX);
	assert_int_equal(sa("00 00 0010 01 01 00 01 03 00 0008 02 00 0005", &out),
			 -IKE_N_INVALID_SYNTAX);
	assert_int_equal(sa("00 00 0010 01 01 00 00 00 00 0008 02 00 0005", &out),
			 -IKE_N_INVALID_SYNTAX);
	assert_int_equal(sa("00 00 0010 01 01 00 01 00 00 0007 02 00 0005", &out),
			 -IKE_N_INVALID_SYNTAX);
	assert_int_equal(sa("00 00 0010 01 01 00 01 00 00 0009 02 00 0005", &out),
			 -IKE_N_INVALID_SYNTAX);
	assert_int_equal(sa("00 00 0007 01 01 00 00", &out), -IKE_N_INVALID_SYNTAX);
	/* an SPI longer than the proposal */
	assert_int_equal(sa("00 00 000a 01 01 04 00 0102", &out), -IKE_N_INVALID_SYNTAX);
}

/* Append one transform. */
static void transform(struct writer *w, bool more, uint8_t type, uint16_t number, uint16_t key_bits)
{
	writer_u8(w, more ? 3 : 0);
	writer_u8(w, 0);
	writer_be16(w, key_bits ? 12 : 8);
	writer_u8(w, type);
	writer_u8(w, 0);
	writer_be16(w, number);
	if (key_bits) {
		writer_be16(w, 0x800e);
		writer_be16(w, key_bits);
	}
}

/* As many proposals as can be numbered, none is lost. */
static void offers_of_255_proposals(void **state)
{
	static uint8_t buf[255 * 32 + 32];
	struct writer w = writer_init(buf, sizeof(buf));
	static struct ike_sa_payload out;
	struct ike_payload p = { .body = buf };

	(void)state;
	for (unsigned int i = 1; i <= 256; i++) {
		if (i == 256)
			buf[254 * 32] = 2; /* the last one's mark */
		writer_u8(&w, i < 255 ? 2 : 0);
		writer_u8(&w, 0);
		writer_be16(&w, 32);
		writer_bytes(&w, (uint8_t[]){ (uint8_t)i, IKE_PROTO_IKE, 0, 3 }, 4);
		transform(&w, true, IKE_T_ENCR, IKE_ENCR_CHACHA20_POLY1305, 0);
		transform(&w, true, IKE_T_PRF, IKE_PRF_HMAC_SHA2_256, 0);
		transform(&w, false, IKE_T_DH, (uint16_t)(1000 + i), 0);
		assert_false(w.bad);
		p.len = w.len;
		if (i == 255) {
			assert_int_equal(ike_sa_parse(&p, &out), 0);
			assert_int_equal(out.n, 255);
			assert_int_equal(out.p[254].num, 255);
			assert_int_equal(out.p[254].t[2].id, 1255);
		}
	}
	assert_int_equal(ike_sa_parse(&p, &out), -IKE_N_INVALID_SYNTAX);
}

/*
 * As many transforms as can be counted: ours are all there, wherever they stand, and of others
 * there is one of each type at least, or the type would count as not offered.
 */
static void proposals_of_255_transforms(void **state)
{
	static const struct ike_transform ours[] = {
		{ IKE_T_ENCR, IKE_ENCR_AES_GCM_16, 128 },
		{ IKE_T_ENCR, IKE_ENCR_AES_GCM_16, 192 },
		{ IKE_T_ENCR, IKE_ENCR_AES_GCM_16, 256 },
		{ IKE_T_ENCR, IKE_ENCR_AES_CBC, 128 },
		{ IKE_T_ENCR, IKE_ENCR_AES_CBC, 192 },
		{ IKE_T_ENCR, IKE_ENCR_AES_CBC, 256 },
		{ IKE_T_ENCR, IKE_ENCR_CHACHA20_POLY1305, 0 },
		{ IKE_T_PRF, 5, 0 },
		{ IKE_T_PRF, 6, 0 },
		{ IKE_T_PRF, 7, 0 },
		{ IKE_T_INTEG, 0, 0 },
		{ IKE_T_INTEG, 12, 0 },
		{ IKE_T_INTEG, 13, 0 },
		{ IKE_T_INTEG, 14, 0 },
		{ IKE_T_DH, 0, 0 },
		{ IKE_T_DH, 14, 0 },
		{ IKE_T_DH, 15, 0 },
		{ IKE_T_DH, 16, 0 },
		{ IKE_T_DH, 19, 0 },
		{ IKE_T_DH, 20, 0 },
		{ IKE_T_DH, 21, 0 },
		{ IKE_T_DH, 31, 0 },
		{ IKE_T_ESN, 0, 0 },
		{ IKE_T_ESN, 1, 0 },
	};
	enum { OURS = sizeof(ours) / sizeof(ours[0]) };
	static uint8_t buf[8 + 255 * 12];
	static struct ike_sa_payload out;
	const struct ike_proposal *p = &out.p[0];
	unsigned int types[8] = { 0 };
	struct ike_payload in = { .body = buf };
	struct writer w = writer_init(buf, sizeof(buf));

	(void)state;
	writer_bytes(&w, (uint8_t[]){ 0, 0, 0, 0, 1, IKE_PROTO_IKE, 0, 255 }, 8);
	for (unsigned int i = 0; i < 255 - OURS;
	     i++) /* each twice, in five types and an unknown one */
		transform(&w, true, 1 + i % 6, (uint16_t)(2000 + i / 12), 0);
	for (unsigned int i = 0; i < OURS; i++)
		transform(&w, i + 1 < OURS, ours[i].type, ours[i].id, ours[i].key_bits);
	writer_patch_be16(&w, 2, (uint16_t)w.len);
	in.len = w.len;
	assert_false(w.bad);
	assert_int_equal(ike_sa_parse(&in, &out), 0);
	assert_int_equal(out.n, 1);
	assert_in_range(p->n, OURS + 6, IKE_MAX_TRANSFORMS);
	for (unsigned int i = 0; i < p->n; i++) {
		assert_in_range(p->t[i].type, 1, 6);
		types[p->t[i].type] += p->t[i].id >= 2000;
	}
	for (unsigned int i = 1; i <= 6; i++)
		assert_in_range(types[i], 1, IKE_MAX_FOREIGN);
	for (unsigned int i = 0; i < OURS; i++) {
		unsigned int found = 0;

		for (unsigned int j = 0; j < p->n; j++)
			found += p->t[j].type == ours[i].type && p->t[j].id == ours[i].id &&
				 p->t[j].key_bits == ours[i].key_bits;
		assert_int_equal(found, 1);
	}
	assert_true(p->left_out > 50);
}

/*
 * All of ours that one proposal may hold, AEADs or the others, are kept behind as many foreign ones as
 * are kept, too.
 */
static void all_of_ours_are_kept(void **state)
{
	static uint8_t buf[8 + 255 * 12];
	static struct ike_sa_payload out;
	const struct ike_word *word;

	(void)state;
	for (unsigned int aead = 0; aead < 2; aead++) {
		struct writer w = writer_init(buf, sizeof(buf));
		struct ike_payload in = { .body = buf };
		unsigned int n = 0, kept = 0;

		writer_bytes(&w, (uint8_t[]){ 0, 0, 0, 0, 1, IKE_PROTO_ESP, 4, 0, 0, 0, 1, 1 }, 12);
		for (unsigned int i = 0; i < 60; i++, n++)
			transform(&w, true, (uint8_t[]){ 1, 3, 4, 5, 13 }[i % 5],
				  (uint16_t)(2000 + i), 0);
		for (size_t i = 0; (word = ike_word_get(i)); i++) {
			const struct ike_transform *t = &word->t;

			/* Additional key exchanges are more than there is room for, in seven types. */
			if (!word->esp || !strcmp(word->text, "curve25519") || !t->id ||
			    (ike_type_is_kex(t->type) && t->type != IKE_T_DH) ||
			    (t->type == IKE_T_ENCR && ike_encr_is_aead(t->id) != aead) ||
			    (t->type == IKE_T_INTEG && aead))
				continue;
			transform(&w, true, (uint8_t)t->type, t->id, t->key_bits);
			n++;
			kept++;
		}
		transform(&w, false, IKE_T_ESN, IKE_ESN_NO, 0);
		writer_patch_be16(&w, 2, (uint16_t)w.len);
		buf[7] = (uint8_t)(n + 1);
		in.len = w.len;
		assert_int_equal(ike_sa_parse(&in, &out), 0);
		for (unsigned int i = 0; i < out.p[0].n; i++)
			kept -= out.p[0].t[i].id < 2000 && out.p[0].t[i].id;
		assert_int_equal(kept, 0);
		assert_true(out.p[0].left_out > 40);
		assert_true(out.p[0].t[out.p[0].n - 1].type == IKE_T_ESN);
	}
}

/* An SPI of a length that belongs to no protocol of ours spoils its proposal, not the offer. */
static void long_spis_spoil_their_proposal_only(void **state)
{
	static struct ike_sa_payload out;

	(void)state;
	assert_int_equal(sa("02 00 001a 01 7b 0a 01 00010203040506070809 00 00 0008 01 00 001c"
			    "00 00 0010 02 01 00 01 00 00 0008 01 00 001c",
			    &out),
			 0);
	assert_int_equal(out.n, 2);
	assert_int_equal(out.p[0].protocol, 0);
	assert_int_equal(out.p[1].protocol, IKE_PROTO_IKE);
	assert_int_equal(out.p[1].t[0].id, IKE_ENCR_CHACHA20_POLY1305);
}

static void bodies_that_are_refused(void **state)
{
	static uint8_t big[4 + IKE_MAX_ID + 1] = { IKE_ID_KEY_ID };
	struct ike_payload p;
	struct ike_id i;
	struct ike_ke ke;
	struct ike_auth auth;
	struct ike_cert cert;
	struct ike_delete d;
	struct ike_notify n;
	const uint8_t *nonce;
	size_t len;

	(void)state;
	p = body("001f 0000");
	assert_int_equal(ike_ke_parse(&p, &ke), -IKE_N_INVALID_SYNTAX);
	p = body("02 000000");
	assert_int_equal(ike_auth_parse(&p, &auth), -IKE_N_INVALID_SYNTAX);
	p = body("");
	assert_int_equal(ike_cert_parse(&p, &cert), -IKE_N_INVALID_SYNTAX);
	p = body("04 3082");
	assert_int_equal(ike_cert_parse(&p, &cert), 0);
	assert_int_equal(cert.encoding, IKE_CERT_X509);
	assert_int_equal(cert.len, 2);
	p = body("01 000000 0a0101");
	assert_int_equal(ike_id_parse(&p, &i), -IKE_N_INVALID_SYNTAX);
	p = body("05 000000 0a010101");
	assert_int_equal(ike_id_parse(&p, &i), -IKE_N_INVALID_SYNTAX);
	p = body("00 000000 61");
	assert_int_equal(ike_id_parse(&p, &i), -IKE_N_INVALID_SYNTAX);
	p = (struct ike_payload){ .body = big, .len = sizeof(big) };
	assert_int_equal(ike_id_parse(&p, &i), -IKE_N_INVALID_SYNTAX);
	p.len--;
	assert_int_equal(ike_id_parse(&p, &i), 0);
	assert_int_equal(i.len, IKE_MAX_ID);
	/* notify: SPI longer than the payload */
	p = body("03 08 4009 01020304");
	assert_int_equal(ike_notify_parse(&p, &n), -IKE_N_INVALID_SYNTAX);
	/* delete: numbers that do not fit, IKE with SPI, unknown protocol */
	p = body("03 04 0002 01020304");
	assert_int_equal(ike_delete_parse(&p, &d), -IKE_N_INVALID_SYNTAX);
	p = body("03 04 0001 0102030405");
	assert_int_equal(ike_delete_parse(&p, &d), -IKE_N_INVALID_SYNTAX);
	p = body("03 08 0001 0102030405060708");
	assert_int_equal(ike_delete_parse(&p, &d), -IKE_N_INVALID_SYNTAX);
	p = body("01 08 0001 0102030405060708");
	assert_int_equal(ike_delete_parse(&p, &d), -IKE_N_INVALID_SYNTAX);
	p = body("04 04 0000");
	assert_int_equal(ike_delete_parse(&p, &d), -IKE_N_INVALID_SYNTAX);
	p = body("01 00 0000");
	assert_int_equal(ike_delete_parse(&p, &d), 0);
	/* nonce: 15 and 257 octets */
	p = body("000102030405060708090a0b0c0d0e");
	assert_int_equal(ike_nonce_parse(&p, &nonce, &len), -IKE_N_INVALID_SYNTAX);
	p = (struct ike_payload){ .body = big, .len = 257 };
	assert_int_equal(ike_nonce_parse(&p, &nonce, &len), -IKE_N_INVALID_SYNTAX);
}

static int ts(const char *hex, struct ike_ts_payload *out)
{
	struct ike_payload p = body(hex);

	return ike_ts_parse(&p, out);
}

static void selectors_of_unknown_types_are_skipped(void **state)
{
	static struct ike_ts_payload out;

	(void)state;
	assert_int_equal(
		ts("02 000000 09 00 0006 abcd 07 06 0010 0050 0051 0a000001 0a000002", &out), 0);
	assert_int_equal(out.n, 1);
	assert_int_equal(out.ts[0].port_end, 0x51);
	assert_int_equal(ts("01 000000 09 00 0004", &out), 0);
	assert_int_equal(out.n, 0);
	/* OPAQUE */
	assert_int_equal(ts("01 000000 07 11 0010 ffff 0000 0a000001 0a000002", &out), 0);
	assert_int_equal(out.n, 1);
}

static void selectors_that_are_refused(void **state)
{
	static struct ike_ts_payload out;

	(void)state;
	/* ports and addresses the wrong way round, wrong lengths, wrong count */
	assert_int_equal(ts("01 000000 07 06 0010 0051 0050 0a000001 0a000002", &out),
			 -IKE_N_INVALID_SYNTAX);
	assert_int_equal(ts("01 000000 07 06 0010 0050 0051 0a000003 0a000002", &out),
			 -IKE_N_INVALID_SYNTAX);
	assert_int_equal(ts("01 000000 07 06 000f 0050 0051 0a000001 0a0000", &out),
			 -IKE_N_INVALID_SYNTAX);
	assert_int_equal(ts("01 000000 07 06 0011 0050 0051 0a000001 0a00000200", &out),
			 -IKE_N_INVALID_SYNTAX);
	assert_int_equal(ts("01 000000 08 06 0010 0050 0051 0a000001 0a000002", &out),
			 -IKE_N_INVALID_SYNTAX);
	assert_int_equal(ts("02 000000 07 06 0010 0050 0051 0a000001 0a000002", &out),
			 -IKE_N_INVALID_SYNTAX);
	assert_int_equal(ts("00 000000 07 06 0010 0050 0051 0a000001 0a000002", &out),
			 -IKE_N_INVALID_SYNTAX);
	assert_int_equal(ts("01 000000 09 00 0003", &out), -IKE_N_INVALID_SYNTAX);
}

/* As many as can be counted. */
static void payloads_of_255_selectors(void **state)
{
	static uint8_t buf[4 + 255 * 16] = { 255 };
	static struct ike_ts_payload out;
	struct ike_payload p = { .body = buf, .len = sizeof(buf) };

	(void)state;
	for (unsigned int i = 0; i < 255; i++)
		memcpy(buf + 4 + 16 * i,
		       (uint8_t[]){ 7, 0, 0, 16, 0, 0, 255, 255, 10, 0, 0, (uint8_t)i, 10, 0, 0,
				    (uint8_t)i },
		       16);
	assert_int_equal(ike_ts_parse(&p, &out), 0);
	assert_int_equal(out.n, 255);
	assert_int_equal(out.ts[254].start[3], 254);
}

static void an_inner_chain_names_its_first_payload(void **state)
{
	uint8_t buf[64], first = 99, offender;
	struct ike_payloads p;
	struct ike_builder b;
	size_t len;

	(void)state;
	ike_build_inner(&b, buf, sizeof(buf), &first);
	assert_int_equal(ike_build_end(&b), 0);
	assert_false(b.w.bad);
	assert_int_equal(first, IKE_PL_NONE);
	ike_build_inner(&b, buf, sizeof(buf), &first);
	ike_build_delete(&b, IKE_PROTO_IKE, NULL, 0);
	ike_build_notify(&b, IKE_N_COOKIE, "c", 1);
	len = ike_build_end(&b);
	assert_int_equal(first, IKE_PL_DELETE);
	assert_int_equal(ike_payloads_parse(first, buf, len, &p, &offender), 0);
	assert_int_equal(p.n, 2);
}

static bool leaves_out(const struct ike_sa_payload *sa)
{
	for (unsigned int i = 0; i < sa->n; i++)
		if (sa->p[i].left_out)
			return true;
	return false;
}

/* Payloads of real daemons: parsed, and SA and TS built again give the same octets. */
static void foreign(const char *path, unsigned int messages)
{
	static struct ike_sa_payload sap;
	static struct capture c;
	struct ike_payloads p;
	struct ike_header h;
	uint8_t again[2048], offender, first;
	struct ike_builder b;

	capture_load(path, &c);
	capture_ike(&c);
	assert_int_equal(c.n, messages);
	for (unsigned int i = 0; i < c.n; i++) {
		const struct datagram *d = &c.d[i];
		const struct ike_payload *s;

		assert_int_equal(ike_header_parse(d->data, d->len, &h), 0);
		assert_int_equal(ike_payloads_parse(h.next, d->data + IKE_HDR_LEN,
						    d->len - IKE_HDR_LEN, &p, &offender),
				 0);
		no_prefix_is_valid(d->data, d->len);
		s = ike_payload_find(&p, IKE_PL_SA);
		assert_true((h.exchange == IKE_SA_INIT) == (s != NULL));
		if (!s)
			continue;
		assert_int_equal(ike_sa_parse(s, &sap), 0);
		if (leaves_out(&sap))
			continue;
		ike_build_inner(&b, again, sizeof(again), &first);
		ike_build_sa(&b, IKE_OFFER(&sap));
		assert_int_equal(ike_build_end(&b), s->len + 4);
		assert_memory_equal(again + 4, s->body, s->len);
	}
	capture_free(&c);
}

static void messages_of_other_daemons_parse(void **state)
{
	(void)state;
	foreign("ike-captures/ikev2_nat_t.pcapng", 30);
	foreign("ike-captures/strongswan-6.1.0-aescbc.pcapng", 14);
	foreign("ike-captures/ikev2-decrypt-aes256cbc.pcapng", 4);
	foreign("ike-captures/ikev2-decrypt-aes256gcm16.pcap", 6);
}

/* RFC 7296 2.23: SHA-1 over SPIs, address and port of the sender, as strongSwan made it. */
static void nat_detection_of_another_daemon_is_understood(void **state)
{
	static const uint8_t addr[] = { 192, 0, 2, 1 }, port[] = { 500 >> 8, 500 & 255 };
	static struct capture c;
	struct ike_payloads p;
	struct ike_header h;
	struct ike_notify n;
	uint8_t offender, hash[20];

	(void)state;
	capture_load("ike-captures/strongswan-6.1.0-aescbc.pcapng", &c);
	capture_ike(&c);
	assert_int_equal(ike_header_parse(c.d[0].data, c.d[0].len, &h), 0);
	assert_int_equal(ike_payloads_parse(h.next, c.d[0].data + IKE_HDR_LEN,
					    c.d[0].len - IKE_HDR_LEN, &p, &offender),
			 0);
	assert_true(ike_notify_find(&p, IKE_N_NAT_DETECTION_DESTINATION_IP, &n));
	assert_int_equal(n.len, 20);
	{
		static const uint8_t to[] = { 192, 0, 2, 2 };
		struct ike_iov in[] = { { h.spi_i, 8 }, { h.spi_r, 8 }, { to, 4 }, { port, 2 } };

		assert_int_equal(ike_sha1(in, 4, hash), 0);
		assert_memory_equal(hash, n.data, 20);
		in[2].base = addr;
		assert_int_equal(ike_sha1(in, 4, hash), 0);
		assert_memory_not_equal(hash, n.data, 20);
	}
	capture_free(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_reads_back_as_written),
		cmocka_unit_test(every_prefix_fails),
		cmocka_unit_test(every_prefix_of_a_body_is_read_within_bounds),
		cmocka_unit_test(nothing_overflows_a_short_buffer),
		cmocka_unit_test(headers_that_are_refused),
		cmocka_unit_test(unknown_payloads_pass_unless_critical),
		cmocka_unit_test(chains_that_are_refused),
		cmocka_unit_test(too_many_payloads_are_refused),
		cmocka_unit_test(attributes_we_do_not_know_spoil_their_transform_only),
		cmocka_unit_test(proposals_that_are_refused),
		cmocka_unit_test(offers_of_255_proposals),
		cmocka_unit_test(proposals_of_255_transforms),
		cmocka_unit_test(all_of_ours_are_kept),
		cmocka_unit_test(long_spis_spoil_their_proposal_only),
		cmocka_unit_test(bodies_that_are_refused),
		cmocka_unit_test(selectors_of_unknown_types_are_skipped),
		cmocka_unit_test(selectors_that_are_refused),
		cmocka_unit_test(payloads_of_255_selectors),
		cmocka_unit_test(an_inner_chain_names_its_first_payload),
		cmocka_unit_test(messages_of_other_daemons_parse),
		cmocka_unit_test(nat_detection_of_another_daemon_is_understood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
