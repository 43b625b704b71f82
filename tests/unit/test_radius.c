// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * RADIUS packets: the RFC's example and a conversation that was recorded between eapol_test and FreeRADIUS 3.2.1
 * (EAP-MSCHAPv2, secret testing123); what is written reads back; every cut, every changed byte and each wrong
 * attribute is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ike/crypto/legacy.h"
#include "ike/proto/text.h"
#include "ike/radius/radius.h"

static const char secret[] = "testing123";
enum { SECRET_LEN = sizeof(secret) - 1 };

/* ---- recorded --------------------------------------------------------------------------------- */

static const char request_1[] =
	"0100007c8d3291f93cf80bec10454965dc534da70107616c69636504067f0000011f1330322d3030"
	"2d30302d30302d30302d30310c06000005783d06000000130606000000024d18434f4e4e45435420"
	"31314d627073203830322e3131624f0c02b2000a01616c6963655012dada5ec6abf86bb593b3073a"
	"5152d06f";
static const char challenge_1[] =
	"0b000064c314c12f50b8971db138e6f044166f894f2c01b3002a1a01b3002510a8ebc55259193fdd"
	"6657a7a15836b40a667265657261646975732d332e322e315012aece85394a1795e3b831d77114c4"
	"e1781812920d6bc192be71ee9ae5fa2aead2efde";
static const char request_2[] =
	"010100c43dea2e5c62c841623130d7219a9ffecb0107616c69636504067f0000011f1330322d3030"
	"2d30302d30302d30302d30310c06000005783d06000000130606000000024d18434f4e4e45435420"
	"31314d627073203830322e3131624f4202b300401a02b3003b3165fe52684a9f17131a696a075cd9"
	"46e9000000000000000085e95328160b8b8d654b1dc902227246bb4f84aab4e9f26100616c696365"
	"1812920d6bc192be71ee9ae5fa2aead2efde501272321533a326aee40d55e428d15fd931";
static const char challenge_2[] =
	"0b0100a044bee326c485493bc223a93cad6f9a1b08060a090007a812fd0900000000000000000000"
	"000000071906676f6c641b0600000e1055060000003c120977656c636f6d654f3501b400331a03b3"
	"002e533d353646354244433845443330413945304434413433304644443638433639333645363844"
	"314546325012006db44f83cd3e4e0baaf0377792ece61812920d6bc193b971ee9ae5fa2aead2efde";
static const char request_3[] =
	"0102008a4fcaeda02a5c390b4e544cd3f924c0f20107616c69636504067f0000011f1330322d3030"
	"2d30302d30302d30302d30310c06000005783d06000000130606000000024d18434f4e4e45435420"
	"31314d627073203830322e3131624f0802b400061a031812920d6bc193b971ee9ae5fa2aead2efde"
	"5012dc62f7a467dfd20ee55e2fdaad1c1433";
static const char accept_3[] =
	"020200d2e6d8e2b4ad7ec9a385b31433a22f31f008060a090007a812fd0900000000000000000000"
	"000000071906676f6c641b0600000e1055060000003c120977656c636f6d651a0c00000137070600"
	"0000011a0c000001370806000000061a2a000001371024836c47305e95e583082d8de2d517aa5a2f"
	"2d913789ba4b7199dd94b5ed2220a262301a2a000001371124885e4af5d597a8f0378b4cd71848a2"
	"4906c678726c11047cedadfc4c64068e88e7754f0603b4000450123a3e8fb2baa90681e8ad5defac"
	"5d7c780107616c696365";
static const char recorded_msk[] =
	"bc6b83255610b3a87660a2ada12e2fd4092044cc207c404d25394b77186559a5";

struct octets {
	uint8_t data[RADIUS_MAX];
	size_t len;
};

static struct octets octets_of(const char *hex)
{
	struct octets o;

	assert_int_equal(ike_hex_from_text(hex, o.data, sizeof(o.data), &o.len), 0);
	return o;
}

static enum radius_fault check_with(const struct octets *request, const struct octets *answer,
				    const char *key, uint8_t msk[RADIUS_MSK], size_t *msk_len)
{
	/* A copy of its own, so that the sanitizer sees a byte too many. */
	uint8_t *copy = malloc(answer->len ? answer->len : 1);
	enum radius_fault fault;

	assert_non_null(copy);
	memcpy(copy, answer->data, answer->len);
	fault = radius_check(request->data + 4, copy, answer->len, (const uint8_t *)key,
			     strlen(key), msk, msk_len);
	free(copy);
	return fault;
}

static enum radius_fault check(const struct octets *request, const struct octets *answer)
{
	uint8_t msk[RADIUS_MSK];
	size_t msk_len;

	return check_with(request, answer, secret, msk, &msk_len);
}

/* ---- vectors ----------------------------------------------------------------------------------- */

static void test_md5(void **state)
{
	const struct ike_iov in[] = { { "what do ya want ", 16 }, { "for nothing?", 12 } };
	uint8_t out[IKE_MD_LEN];
	struct octets expected = octets_of("750c783e6ab0b503eaa86e310a5db738");

	(void)state;
	/* RFC 2202 2, test case 2; RFC 1321 A.5 */
	assert_int_equal(ike_hmac_md5((const uint8_t *)"Jefe", 4, in, 2, out), 0);
	assert_memory_equal(out, expected.data, sizeof(out));
	expected = octets_of("d41d8cd98f00b204e9800998ecf8427e");
	assert_int_equal(ike_md5(in, 0, out), 0);
	assert_memory_equal(out, expected.data, sizeof(out));
}

/* RFC 2865 7.1: its Response Authenticator is right, but today it takes more. */
static void test_rfc_example(void **state)
{
	struct octets request =
		octets_of("010000380f403f9473978057bd83d5cb98f4227a01066e656d6f02120dbe"
			  "708d93d413ce3196e43f782a0aee0406c0a80110050600000003");
	struct octets accept = octets_of(
		"0200002686fe220e7624ba2a1005f6bf9b55e0b20606000000010f06000000000e06c0a80103");
	uint8_t msk[RADIUS_MSK];
	size_t len;

	(void)state;
	assert_int_equal(check_with(&request, &accept, "xyzzy5461", msk, &len), RADIUS_UNSIGNED);
	assert_int_equal(check_with(&request, &accept, "xyzzy5462", msk, &len),
			 RADIUS_WRONG_RESPONSE);
}

static void test_recorded(void **state)
{
	static const struct ike_addr addr = { 4, { 10, 9, 0, 7 } },
				     addr6 = { 6, { 0xfd, 9, [15] = 7 } };
	struct octets r1 = octets_of(request_1), r2 = octets_of(request_2),
		      r3 = octets_of(request_3);
	struct octets c1 = octets_of(challenge_1), c2 = octets_of(challenge_2),
		      a = octets_of(accept_3);
	struct octets expected = octets_of(recorded_msk);
	static struct radius_answer answer;
	uint8_t msk[RADIUS_MSK], zeros[RADIUS_MSK] = { 0 };
	struct radius_packet p;
	size_t len;

	(void)state;
	assert_int_equal(check(&r1, &c1), RADIUS_AUTHENTIC);
	assert_int_equal(check(&r2, &c2), RADIUS_AUTHENTIC);
	assert_int_equal(check_with(&r3, &a, secret, msk, &len), RADIUS_AUTHENTIC);
	assert_int_equal(len, RADIUS_MSK);
	assert_memory_equal(msk, expected.data, expected.len);
	assert_memory_equal(msk + expected.len, zeros, sizeof(zeros) - expected.len);

	assert_true(radius_parse(c1.data, c1.len, &p));
	assert_true(radius_read_answer(&p, &answer));
	assert_int_equal(answer.code, RADIUS_ACCESS_CHALLENGE);
	assert_int_equal(answer.eap_len, 42);
	assert_int_equal(answer.state.len, 16);
	assert_int_equal(answer.address[0].family, 0);

	assert_true(radius_parse(a.data, a.len, &p));
	assert_true(radius_read_answer(&p, &answer));
	assert_int_equal(answer.code, RADIUS_ACCESS_ACCEPT);
	assert_int_equal(answer.eap_len, 4);
	assert_int_equal(answer.eap[0], 3); /* EAP-Success */
	assert_memory_equal(&answer.address[0], &addr, sizeof(addr));
	assert_memory_equal(&answer.address[1], &addr6, sizeof(addr6));
	assert_int_equal(answer.session_timeout, 3600);
	assert_int_equal(answer.interim_interval, 60);
	assert_int_equal(answer.n_classes, 1);
	assert_int_equal(answer.classes[0].len, 4);
	assert_memory_equal(answer.classes[0].data, "gold", 4);
	assert_string_equal(answer.text, "welcome");
}

/* An answer to another request of the same conversation is none to this one. */
static void test_other_request(void **state)
{
	struct octets r1 = octets_of(request_1), r2 = octets_of(request_2);
	struct octets c1 = octets_of(challenge_1), c2 = octets_of(challenge_2);

	(void)state;
	assert_int_equal(check(&r1, &c2), RADIUS_WRONG_RESPONSE);
	assert_int_equal(check(&r2, &c1), RADIUS_WRONG_RESPONSE);
}

/* ---- what is changed --------------------------------------------------------------------------- */

static void test_every_byte(void **state)
{
	struct octets request = octets_of(request_3), good = octets_of(accept_3);

	(void)state;
	for (size_t i = 0; i < good.len; i++) {
		struct octets bad = good;

		bad.data[i] ^= 1;
		assert_int_not_equal(check(&request, &bad), RADIUS_AUTHENTIC);
	}
	for (size_t i = 0; i < good.len; i++) {
		struct octets cut = good;

		cut.len = i;
		assert_int_equal(check(&request, &cut), RADIUS_MALFORMED);
	}
	/* RFC 2865 3: what is behind the packet is padding. */
	good.len += 5;
	assert_int_equal(check(&request, &good), RADIUS_AUTHENTIC);
}

/* The Response Authenticator of what was changed by somebody with the secret, or a collision of MD5. */
static void respond(const struct octets *request, struct octets *answer)
{
	const struct ike_iov in[] = { { answer->data, 4 },
				      { request->data + 4, RADIUS_AUTHENTICATOR },
				      { answer->data + RADIUS_HEAD, answer->len - RADIUS_HEAD },
				      { secret, SECRET_LEN } };

	answer->data[2] = (uint8_t)(answer->len >> 8);
	answer->data[3] = (uint8_t)answer->len;
	assert_int_equal(ike_md5(in, 4, answer->data + 4), 0);
}

/* Take the first attribute of this type out, or put it in again at the end. */
static size_t find_attr(const struct octets *o, uint8_t type)
{
	size_t at = RADIUS_HEAD;

	while (at < o->len && o->data[at] != type)
		at += o->data[at + 1];
	assert_true(at < o->len);
	return at;
}

static void remove_attr(struct octets *o, uint8_t type)
{
	size_t at = find_attr(o, type), len = o->data[at + 1];

	memmove(o->data + at, o->data + at + len, o->len - at - len);
	o->len -= len;
}

static void append(struct octets *o, const void *data, size_t len)
{
	memcpy(o->data + o->len, data, len);
	o->len += len;
}

/* CVE-2024-3596: MD5 of the Response Authenticator may be right, and yet nothing is believed. */
static void test_without_message_authenticator(void **state)
{
	struct octets request = octets_of(request_3), answer = octets_of(accept_3);

	(void)state;
	remove_attr(&answer, RADIUS_A_MESSAGE_AUTHENTICATOR);
	respond(&request, &answer);
	assert_int_equal(check(&request, &answer), RADIUS_UNSIGNED);
}

static void test_wrong_message_authenticator(void **state)
{
	struct octets request = octets_of(request_3), good = octets_of(accept_3);
	size_t at = find_attr(&good, RADIUS_A_MESSAGE_AUTHENTICATOR);
	struct octets bad = good;
	uint8_t again[18];

	(void)state;
	bad.data[at + 2] ^= 0x80;
	respond(&request, &bad);
	assert_int_equal(check(&request, &bad), RADIUS_WRONG_SIGNATURE);
	/* Two of them, the same twice. */
	bad = good;
	memcpy(again, bad.data + at, sizeof(again));
	append(&bad, again, sizeof(again));
	respond(&request, &bad);
	assert_int_equal(check(&request, &bad), RADIUS_WRONG_SIGNATURE);
	/* One that is too short. */
	bad = good;
	remove_attr(&bad, RADIUS_A_MESSAGE_AUTHENTICATOR);
	append(&bad, "\x50\x06\1\2\3\4", 6);
	respond(&request, &bad);
	assert_int_not_equal(check(&request, &bad), RADIUS_AUTHENTIC);
	/* What it covers. */
	bad = good;
	bad.data[find_attr(&good, RADIUS_A_FRAMED_IP_ADDRESS) + 5] ^= 1;
	respond(&request, &bad);
	assert_int_equal(check(&request, &bad), RADIUS_WRONG_SIGNATURE);
	/* A Reject that was made an Accept. */
	bad = good;
	bad.data[0] = RADIUS_ACCESS_REJECT;
	respond(&request, &bad);
	assert_int_equal(check(&request, &bad), RADIUS_WRONG_SIGNATURE);
}

/* As a server signs: both authenticators. */
static void sign_answer(const struct octets *request, struct octets *answer)
{
	size_t at = find_attr(answer, RADIUS_A_MESSAGE_AUTHENTICATOR);
	struct ike_iov in = { answer->data, answer->len };

	answer->data[2] = (uint8_t)(answer->len >> 8);
	answer->data[3] = (uint8_t)answer->len;
	memset(answer->data + at + 2, 0, RADIUS_AUTHENTICATOR);
	memcpy(answer->data + 4, request->data + 4, RADIUS_AUTHENTICATOR);
	assert_int_equal(ike_hmac_md5((const uint8_t *)secret, SECRET_LEN, &in, 1,
				      answer->data + at + 2),
			 0);
	respond(request, answer);
}

/* Two of them, the last one right with the first one there. */
static void test_second_message_authenticator(void **state)
{
	struct octets request = octets_of(request_3), answer = octets_of(accept_3);
	static const uint8_t empty[18] = { RADIUS_A_MESSAGE_AUTHENTICATOR, 18 };
	uint8_t *last = answer.data + answer.len + 2;
	struct ike_iov in = { answer.data, answer.len + sizeof(empty) };

	(void)state;
	append(&answer, empty, sizeof(empty));
	answer.data[2] = (uint8_t)(answer.len >> 8);
	answer.data[3] = (uint8_t)answer.len;
	memcpy(answer.data + 4, request.data + 4, RADIUS_AUTHENTICATOR);
	assert_int_equal(ike_hmac_md5((const uint8_t *)secret, SECRET_LEN, &in, 1, last), 0);
	respond(&request, &answer);
	assert_int_equal(check(&request, &answer), RADIUS_WRONG_SIGNATURE);
}

/* ---- MS-MPPE keys -------------------------------------------------------------------------------- */

static void test_mppe_faults(void **state)
{
	struct octets request = octets_of(request_3), good = octets_of(accept_3), bad;
	size_t send = 0, recv = 0;

	(void)state;
	sign_answer(&request, &good);
	assert_int_equal(check(&request, &good), RADIUS_AUTHENTIC);
	for (size_t at = RADIUS_HEAD; at < good.len; at += good.data[at + 1]) {
		if (good.data[at] == RADIUS_A_VENDOR_SPECIFIC && good.data[at + 6] == 16)
			send = at;
		if (good.data[at] == RADIUS_A_VENDOR_SPECIFIC && good.data[at + 6] == 17)
			recv = at;
	}
	assert_true(send && recv);
	/* A length in the clear text that is longer than it. */
	bad = good;
	bad.data[send + 10] ^= 0x60;
	sign_answer(&request, &bad);
	assert_int_equal(check(&request, &bad), RADIUS_WRONG_KEY);
	/* One key alone. */
	bad = good;
	bad.data[send + 6] = 99;
	sign_answer(&request, &bad);
	assert_int_equal(check(&request, &bad), RADIUS_WRONG_KEY);
	/* The same key twice. */
	bad = good;
	bad.data[send + 6] = 17;
	sign_answer(&request, &bad);
	assert_int_equal(check(&request, &bad), RADIUS_WRONG_KEY);
	/* The vendor's own length is another one: it is not that attribute. */
	bad = good;
	bad.data[send + 7]--;
	bad.data[recv + 7]--;
	sign_answer(&request, &bad);
	assert_int_equal(check(&request, &bad), RADIUS_AUTHENTIC);
}

/* Keys outside of an Access-Accept are none. */
static void test_no_keys_but_of_accept(void **state)
{
	struct octets request = octets_of(request_3), answer = octets_of(accept_3);
	uint8_t msk[RADIUS_MSK];
	size_t len;

	(void)state;
	answer.data[0] = RADIUS_ACCESS_CHALLENGE;
	sign_answer(&request, &answer);
	assert_int_equal(check_with(&request, &answer, secret, msk, &len), RADIUS_AUTHENTIC);
	assert_int_equal(len, 0);
}

/* ---- reading ------------------------------------------------------------------------------------- */

static bool reads(const char *attributes, struct radius_answer *out)
{
	struct octets o = octets_of(attributes);
	uint8_t *packet = malloc(RADIUS_HEAD + o.len);
	struct radius_packet p;
	bool ok;

	assert_non_null(packet);
	memset(packet, 0, RADIUS_HEAD);
	packet[0] = RADIUS_ACCESS_ACCEPT;
	packet[2] = (uint8_t)((RADIUS_HEAD + o.len) >> 8);
	packet[3] = (uint8_t)(RADIUS_HEAD + o.len);
	memcpy(packet + RADIUS_HEAD, o.data, o.len);
	ok = radius_parse(packet, RADIUS_HEAD + o.len, &p) && radius_read_answer(&p, out);
	/* What it points to is gone. */
	free(packet);
	return ok;
}

static void test_reading(void **state)
{
	static struct radius_answer a;

	(void)state;
	/* EAP in two parts, in one piece; torn apart by another attribute; longer than it says. */
	assert_true(reads("4f0601020006"
			  "4f04aabb",
			  &a));
	assert_int_equal(a.eap_len, 6);
	assert_memory_equal(a.eap, "\1\2\0\6\xaa\xbb", 6);
	assert_false(reads("4f0601020006"
			   "1904aabb"
			   "4f04aabb",
			   &a));
	assert_false(reads("4f0601020006", &a));
	assert_false(reads("4f0601020003", &a));
	assert_false(reads("4f04aabb", &a));
	/* Wrong lengths, of an address or a number; an attribute of less than its head, or beyond the end. */
	assert_false(reads("08050a0900", &a));
	assert_false(reads("a8060a090001", &a));
	assert_false(reads("1b0500000e", &a));
	assert_false(reads("1801", &a));
	assert_false(reads("1800", &a));
	assert_false(reads("1804aa", &a));
	assert_false(reads("18", &a));
	/* Two States. */
	assert_false(reads("1803aa"
			   "1803aa",
			   &a));
	/* The address that the client is to choose, or we are (RFC 2865 5.8). */
	assert_true(reads("0806ffffffff", &a));
	assert_int_equal(a.address[0].family, 0);
	assert_true(reads("0806fffffffe", &a));
	assert_int_equal(a.address[0].family, 0);
	/* No address is none. */
	assert_true(reads("080600000000", &a));
	assert_int_equal(a.address[0].family, 0);
	assert_true(reads("a81200000000000000000000000000000000", &a));
	assert_int_equal(a.address[1].family, 0);
	/* More Classes than are kept. */
	assert_true(reads("1903aa"
			  "1903bb"
			  "1903cc"
			  "1903dd"
			  "1903ee",
			  &a));
	assert_int_equal(a.n_classes, RADIUS_CLASSES);
	/* A text that would write into a terminal. */
	assert_true(reads("12071b5b324a80", &a));
	assert_string_equal(a.text, "?[2J?");
	/* Nothing at all, and what is not known. */
	assert_true(reads("e003aa", &a));
	assert_int_equal(a.eap_len, 0);
}

/* As much EAP as a packet can hold. */
static void test_most_eap(void **state)
{
	static uint8_t buf[RADIUS_MAX], eap[RADIUS_MAX];
	static const uint8_t authenticator[RADIUS_AUTHENTICATOR];
	static struct radius_answer a;
	struct writer b = radius_begin(buf, RADIUS_ACCESS_ACCEPT, 1, authenticator);
	struct radius_packet p;
	size_t len;

	(void)state;
	eap[0] = 1;
	eap[2] = 4000 >> 8;
	eap[3] = 4000 & 0xff;
	for (unsigned int i = 4; i < 4000; i++)
		eap[i] = (uint8_t)i;
	radius_add_eap(&b, eap, 4000);
	len = radius_end(&b);
	assert_int_not_equal(len, 0);
	assert_true(radius_parse(buf, len, &p));
	assert_true(radius_read_answer(&p, &a));
	assert_int_equal(a.eap_len, 4000);
	assert_memory_equal(a.eap, eap, 4000);
	b = radius_begin(buf, RADIUS_ACCESS_ACCEPT, 1, authenticator);
	radius_add_eap(&b, eap, RADIUS_MAX);
	assert_int_equal(radius_end(&b), 0);
}

/* ---- writing --------------------------------------------------------------------------------------- */

static void test_request(void **state)
{
	static const uint8_t authenticator[RADIUS_AUTHENTICATOR] = "0123456789abcdef";
	uint8_t buf[RADIUS_MAX], list[256], signature[RADIUS_AUTHENTICATOR];
	struct writer of_list = radius_attributes(list, sizeof(list)), b;
	struct ike_iov in = { buf, 0 };
	struct radius_attr a;
	struct radius_packet p;
	size_t at = 0;

	(void)state;
	radius_add_text(&of_list, RADIUS_A_USER_NAME, "alice");
	radius_add_u32(&of_list, RADIUS_A_SESSION_TIMEOUT, 0x01020304);
	radius_add(&of_list, RADIUS_A_STATE, "", 0);
	assert_int_equal(radius_end_attributes(&of_list), 13);
	b = radius_begin(buf, RADIUS_ACCESS_REQUEST, 7, authenticator);
	radius_add_all(&b, list, 13);
	in.len = radius_end(&b);
	assert_true(radius_parse(buf, in.len, &p));
	assert_int_equal(p.id, 7);
	assert_memory_equal(p.authenticator, authenticator, sizeof(authenticator));
	/* The Message-Authenticator is first: nothing that somebody else chose stands before it. */
	assert_true(radius_next_attr(&p, &at, &a));
	assert_int_equal(a.type, RADIUS_A_MESSAGE_AUTHENTICATOR);
	assert_true(radius_next_attr(&p, &at, &a));
	assert_int_equal(a.type, RADIUS_A_USER_NAME);
	assert_true(radius_next_attr(&p, &at, &a));
	assert_memory_equal(a.value, "\1\2\3\4", 4);
	assert_false(radius_next_attr(&p, &at, &a));
	/* Signed as what eapol_test sent. */
	assert_int_equal(radius_sign(buf, in.len, (const uint8_t *)secret, SECRET_LEN, signature),
			 0);
	radius_put_signature(buf, signature);
	assert_memory_equal(buf + RADIUS_HEAD + 2, signature, sizeof(signature));
	/* What is signed already is not signed again. */
	assert_int_equal(radius_sign(buf, in.len, (const uint8_t *)secret, SECRET_LEN, signature),
			 -1);
	of_list = radius_attributes(list, 4);
	radius_add_text(&of_list, RADIUS_A_USER_NAME, "alice");
	assert_int_equal(radius_end_attributes(&of_list), 0);
}

/* The keys process signs requests, and nothing else that could be taken for something. */
static void test_signs_requests_alone(void **state)
{
	static const uint8_t authenticator[RADIUS_AUTHENTICATOR] = { 0 };
	struct octets request = octets_of(request_1), signature;
	uint8_t buf[RADIUS_MAX], out[RADIUS_AUTHENTICATOR];
	struct writer b;
	size_t len;

	(void)state;
	/* Its Message-Authenticator is last. */
	memset(request.data + request.len - RADIUS_AUTHENTICATOR, 0, RADIUS_AUTHENTICATOR);
	assert_int_equal(radius_sign(request.data, request.len, (const uint8_t *)secret, SECRET_LEN,
				     out),
			 -1);
	for (unsigned int code = 0; code < 256; code++) {
		b = radius_begin(buf, (uint8_t)code, 1, authenticator);
		len = radius_end(&b);
		assert_int_equal(radius_sign(buf, len, (const uint8_t *)secret, SECRET_LEN, out),
				 code == RADIUS_ACCESS_REQUEST || code == RADIUS_ACCOUNTING_REQUEST
					 ? 0
					 : -1);
	}
	/* RFC 2866 3: MD5(code, identifier, length, 16 zero bytes, attributes, secret). */
	b = radius_begin(buf, RADIUS_ACCOUNTING_REQUEST, 1, authenticator);
	len = radius_end(&b);
	signature.len = len + SECRET_LEN;
	memcpy(signature.data, buf, len);
	memcpy(signature.data + len, secret, SECRET_LEN);
	assert_int_equal(radius_sign(buf, len, (const uint8_t *)secret, SECRET_LEN, out), 0);
	assert_int_equal(ike_md5(&(struct ike_iov){ signature.data, signature.len }, 1, buf), 0);
	assert_memory_equal(out, buf, sizeof(out));
	/* With an authenticator it is an answer's. */
	b = radius_begin(buf, RADIUS_ACCOUNTING_REQUEST, 1, (const uint8_t *)"0123456789abcdef");
	len = radius_end(&b);
	assert_int_equal(radius_sign(buf, len, (const uint8_t *)secret, SECRET_LEN, out), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_md5),
		cmocka_unit_test(test_rfc_example),
		cmocka_unit_test(test_recorded),
		cmocka_unit_test(test_other_request),
		cmocka_unit_test(test_every_byte),
		cmocka_unit_test(test_without_message_authenticator),
		cmocka_unit_test(test_wrong_message_authenticator),
		cmocka_unit_test(test_second_message_authenticator),
		cmocka_unit_test(test_mppe_faults),
		cmocka_unit_test(test_no_keys_but_of_accept),
		cmocka_unit_test(test_reading),
		cmocka_unit_test(test_most_eap),
		cmocka_unit_test(test_request),
		cmocka_unit_test(test_signs_requests_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
