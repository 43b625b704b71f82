// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ike/proto/names.h"

static char buf[2048], err[512];

static void numbers_have_names(void **state)
{
	(void)state;
	assert_string_equal(ike_exchange_name(IKE_SA_INIT), "IKE_SA_INIT");
	assert_string_equal(ike_exchange_name(IKE_CREATE_CHILD_SA), "CREATE_CHILD_SA");
	assert_string_equal(ike_exchange_name(1), "unknown exchange");
	assert_string_equal(ike_payload_name(IKE_PL_TSR), "TSr");
	assert_string_equal(ike_payload_name(200), "unknown payload");
	assert_string_equal(ike_notify_name(IKE_N_NO_PROPOSAL_CHOSEN), "NO_PROPOSAL_CHOSEN");
	assert_null(ike_notify_name(12345));
	assert_string_equal(ike_transform_type_name(IKE_T_DH), "key exchange group");
	assert_string_equal(ike_transform_type_name(13), "transform of unknown type");
}

static void transforms_print(void **state)
{
	static const struct {
		struct ike_transform t;
		const char *text;
		bool ours;
	} cases[] = {
		{ { IKE_T_ENCR, IKE_ENCR_AES_GCM_16, 256 }, "aes256gcm16", true },
		{ { IKE_T_ENCR, IKE_ENCR_CHACHA20_POLY1305, 0 }, "chacha20poly1305", true },
		{ { IKE_T_INTEG, IKE_INTEG_HMAC_SHA2_384_192, 0 }, "sha384", true },
		{ { IKE_T_DH, IKE_DH_CURVE25519, 0 }, "x25519", true },
		{ { IKE_T_ESN, IKE_ESN_NO, 0 }, "noesn", true },
		{ { IKE_T_INTEG, 2, 0 }, "sha1", true },
		{ { IKE_T_ENCR, 3, 0 }, "3des", true },
		{ { IKE_T_ENCR, IKE_ENCR_AES_CCM_8_IIV, 256 }, "aes256ccm8iiv", true },
		{ { IKE_T_ENCR, 23, 256 }, "camellia256", false },
		{ { IKE_T_DH, 1, 0 }, "modp768", false },
		{ { IKE_T_ENCR, IKE_ENCR_AES_GCM_16, 0 }, "encr20", false },
		{ { IKE_T_ENCR, 24, 256 }, "encr24:256", false },
		{ { IKE_T_DH, 0xffff, 0 }, "group65535", false },
		{ { IKE_T_ADDKE1, IKE_DH_ECP384, 0 }, "ke1_ecp384", true },
		{ { IKE_T_ADDKE7, IKE_DH_NONE, 0 }, "ke7_none", true },
		{ { IKE_T_ADDKE4, 7, 0 }, "ke4_7", false },
		{ { 13, 7, 0 }, "type13-7", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_string_equal(ike_transform_print(buf, sizeof(buf), &cases[i].t),
				    cases[i].text);
		assert_int_equal(ike_transform_ours(&cases[i].t), cases[i].ours);
	}
}

static void text_is_cut_and_terminated(void **state)
{
	static const struct ike_transform t = { IKE_T_ENCR, IKE_ENCR_AES_GCM_16, 256 };
	char small[5];

	(void)state;
	memset(small, 'x', sizeof(small));
	assert_string_equal(ike_transform_print(small, sizeof(small), &t), "aes2");
	assert_string_equal(ike_transform_print(small, 1, &t), "");
	memset(small, 'x', sizeof(small));
	ike_transform_print(small, 0, &t);
	assert_int_equal(small[0], 'x');
}

static const char *reprint(const char *text, uint8_t protocol)
{
	struct ike_proposal p;

	if (ike_proposal_from_text(text, protocol, &p, err, sizeof(err)))
		fail_msg("%s: %s", text, err);
	assert_int_equal(p.protocol, protocol);
	assert_int_equal(p.num, 1);
	return ike_proposal_print(buf, sizeof(buf), &p);
}

static void proposals_read_and_print(void **state)
{
	(void)state;
	assert_string_equal(reprint("aes256gcm16-prfsha256-x25519", IKE_PROTO_IKE),
			    "aes256gcm16-prfsha256-x25519");
	/* any order, any case, several of a type, nothing twice */
	assert_string_equal(reprint("X25519-ecp256-SHA256-aes128-aes256-aes128", IKE_PROTO_IKE),
			    "aes128/aes256-sha256-prfsha256-x25519/ecp256");
	/* what was printed can be read */
	assert_string_equal(reprint("aes128/aes256-sha256-prfsha256-x25519/ecp256", IKE_PROTO_IKE),
			    "aes128/aes256-sha256-prfsha256-x25519/ecp256");
	/* an AEAD without PRF; with a bare hash, which then is the PRF's */
	assert_string_equal(reprint("chacha20poly1305-curve25519", IKE_PROTO_IKE),
			    "chacha20poly1305-prfsha256/prfsha384/prfsha512-x25519");
	assert_string_equal(reprint("aes256gcm16-sha384-ecp384", IKE_PROTO_IKE),
			    "aes256gcm16-prfsha384-ecp384");
	/* the same words for ESP */
	assert_string_equal(reprint("aes256gcm16-sha384-ecp384", IKE_PROTO_ESP),
			    "aes256gcm16-ecp384/nopfs-esn/noesn");
	assert_string_equal(reprint("aes256gcm16-prfsha256-noesn", IKE_PROTO_ESP),
			    "aes256gcm16-noesn");
	assert_string_equal(reprint("aes128-sha256", IKE_PROTO_ESP), "aes128-sha256-esn/noesn");
}

/* Groups in ESP are PFS: wanted, required or not had. */
static void pfs_is_a_word(void **state)
{
	(void)state;
	assert_string_equal(reprint("aes128gcm16-modp2048-x25519-noesn", IKE_PROTO_ESP),
			    "aes128gcm16-modp2048/x25519/nopfs-noesn");
	assert_string_equal(reprint("PFS-aes128gcm16-modp2048-x25519-noesn", IKE_PROTO_ESP),
			    "aes128gcm16-modp2048/x25519-noesn");
	assert_string_equal(reprint("aes128gcm16-noPFS-modp2048-x25519-noesn", IKE_PROTO_ESP),
			    "aes128gcm16-noesn");
	assert_string_equal(reprint("aes128gcm16-nopfs-noesn", IKE_PROTO_ESP), "aes128gcm16-noesn");
	/* an IKE SA has its groups whatever is said of PFS */
	assert_string_equal(reprint("aes128gcm16-prfsha256-x25519-pfs", IKE_PROTO_IKE),
			    "aes128gcm16-prfsha256-x25519");
	assert_string_equal(reprint("aes128gcm16-prfsha256-nopfs-x25519", IKE_PROTO_IKE),
			    "aes128gcm16-prfsha256-x25519");
}

/* Every order of @n words means the same. */
static void permute(const char *words[], unsigned int n, unsigned int from, const char *ike,
		    const char *esp)
{
	char text[256] = "";

	for (unsigned int i = from; i < n; i++) {
		const char *first = words[i];

		words[i] = words[from];
		words[from] = first;
		permute(words, n, from + 1, ike, esp);
		words[from] = words[i];
		words[i] = first;
	}
	if (from < n)
		return;
	for (unsigned int i = 0; i < n; i++) {
		strcat(text, i ? "-" : "");
		strcat(text, words[i]);
	}
	assert_string_equal(reprint(text, IKE_PROTO_IKE), ike);
	assert_string_equal(reprint(text, IKE_PROTO_ESP), esp);
}

static void the_order_of_words_says_nothing(void **state)
{
	const char *aead[] = { "aes256gcm16", "sha256", "x25519", "esn" };
	const char *chacha[] = {
		"chacha20poly1305", "prfsha512", "sha384", "ecp256", "pfs", "noesn"
	};
	const char *cbc[] = { "aes128", "sha512", "prfsha256", "modp2048" };

	(void)state;
	permute(aead, 4, 0, "aes256gcm16-prfsha256-x25519", "aes256gcm16-x25519/nopfs-esn");
	permute(chacha, 6, 0, "chacha20poly1305-prfsha512-ecp256", "chacha20poly1305-ecp256-noesn");
	permute(cbc, 4, 0, "aes128-sha512-prfsha256-modp2048",
		"aes128-sha512-modp2048/nopfs-esn/noesn");
}

/* One table says of each cipher whether it authenticates, of those we lack, too. */
static void ciphers_that_authenticate(void **state)
{
	static const uint16_t aead[] = { 14, 16, 18, 19, 20, 28 },
			      plain[] = { 2, 3, 11, 12, 13, 23 };

	(void)state;
	for (size_t i = 0; i < sizeof(aead) / sizeof(aead[0]); i++)
		assert_true(ike_encr_is_aead(aead[i]));
	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		assert_false(ike_encr_is_aead(plain[i]));
}

static void refuse_for(uint8_t protocol, const char *text, const char *why)
{
	struct ike_proposal p;

	err[0] = '\0';
	assert_int_equal(ike_proposal_from_text(text, protocol, &p, err, sizeof(err)), -1);
	if (!strstr(err, why))
		fail_msg("\"%s\" does not say \"%s\"", err, why);
}

static void refuse(const char *text, const char *why)
{
	refuse_for(IKE_PROTO_IKE, text, why);
}

static void proposals_that_make_no_sense(void **state)
{
	(void)state;
	refuse("aes256gcm16-x25520", "unknown word \"x25520\"");
	refuse("aes256gcm16-x25520", " x25519");
	refuse("", "unknown word");
	refuse("aes256gcm16--x25519", "unknown word");
	refuse("aes256gcm16-x25519-", "unknown word");
	refuse("camellia256-sha1-x25519", "camellia256 is not implemented");
	refuse("sha256-x25519", "no encryption algorithm");
	refuse("aes256-x25519", "without integrity");
	refuse("aes256-aes256gcm16-sha256-x25519", "make two proposals");
	refuse("aes256gcm16", "no key exchange group");
	refuse("aes256gcm16-nopfs", "no key exchange group");
	refuse("aes256gcm16-pfs", "no key exchange group");
	refuse("aes256gcm16-x25519-pfs-nopfs", "both pfs and nopfs; choose one");
	refuse_for(IKE_PROTO_ESP, "aes256gcm16-pfs", "no key exchange group; add one");
	refuse_for(IKE_PROTO_ESP, "aes256gcm16-x25519-pfs-nopfs", "both pfs and nopfs");
	refuse_for(IKE_PROTO_ESP, "aes256gcm16-x25519-pfsx", "unknown word \"pfsx\"");
}

/* Slips, and the words of strongSwan, libreswan, OpenSSL and routers. */
static void proposals_in_other_words(void **state)
{
	static const struct {
		const char *text, *meant;
	} rows[] = {
		{ "aes256gmc16-x25519",
		  "\"aes256gmc16\" in \"aes256gmc16-x25519\"; did you mean aes256gcm16?" },
		{ "aes256gcm16-prfsha265-x25519", "did you mean prfsha256?" },
		{ "aes256-gcm", "\"gcm\" in \"aes256-gcm\"; did you mean aes256gcm16?" },
		{ "aes-256-gcm", "did you mean aes256gcm16?" },
		{ "aes-gcm-256", "did you mean aes256gcm16?" },
		{ "AES_GCM_16_256", "did you mean aes256gcm16?" },
		{ "aes128gcm128-prfsha256-ecp256", "did you mean aes128gcm16?" },
		{ "aes256-sha2_256-modp2048", "did you mean sha256?" },
		{ "aes256-sha256-dh14", "did you mean modp2048?" },
		{ "aes256-sha256-group19", "did you mean ecp256?" },
		{ "aes256-sha256-dh1", "\"dh1\" in \"aes256-sha256-dh1\"; expected words like" },
		{ "aes256gcm16-prfsha256-secp384r1", "did you mean ecp384?" },
		{ "aes256gcm16-prfsha256-ecp256!", "did you mean ecp256?" },
		{ "default", "unknown word \"default\"; did you mean modern?" },
		{ "rot13",
		  "unknown word \"rot13\"; expected words like aes256gcm16-prfsha384-x25519, which esptun.conf(5) lists" },
		{ "camellia128-sha1-modp768",
		  "camellia128 is not implemented; choose another encryption algorithm: aes256gcm16, " },
		{ "aes256-prfmd5",
		  "choose another pseudo-random function: prfsha256, prfsha384, " },
		{ "aes256ccm96", "did you mean aes256ccm12?" },
		{ "aes192gcm64", "did you mean aes192gcm8?" },
		{ "aes128gcm80", "did you mean aes128gcm8?" },
		{ "aes256-hmac_sha1_96", "did you mean sha1?" },
		{ "aes-cbc-256-sha", "did you mean" },
		{ "aes256-sha256-modp768",
		  "modp768 is not implemented; choose another key exchange group: x25519, " },
		{ "aes256", "\"aes256\" has encryption without integrity algorithm" },
	};
	char longest[4096];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		refuse(rows[i].text, rows[i].meant);
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	refuse(longest, "unknown word \"xxx");
}

static void lists_print_with_commas(void **state)
{
	static struct ike_proposals l = { .n = 2 };

	(void)state;
	ike_proposal_from_text("aes256gcm16-noesn", IKE_PROTO_ESP, &l.p[0], err, sizeof(err));
	ike_proposal_from_text("chacha20poly1305-noesn", IKE_PROTO_ESP, &l.p[1], err, sizeof(err));
	assert_string_equal(ike_proposals_print(buf, sizeof(buf), IKE_OFFER(&l)),
			    "aes256gcm16-noesn, chacha20poly1305-noesn");
}

static void addresses(void **state)
{
	struct ike_endpoint e = { .port = 4500 }, f = e;

	(void)state;
	assert_string_equal(ike_endpoint_print(buf, sizeof(buf), &e), "any:4500");
	assert_true(ike_endpoint_eq(&e, &f));
	assert_int_equal(ike_addr_from_text("192.0.2.1", &e.addr), 0);
	assert_string_equal(ike_endpoint_print(buf, sizeof(buf), &e), "192.0.2.1:4500");
	assert_false(ike_endpoint_eq(&e, &f));
	assert_int_equal(ike_addr_from_text("2001:db8::1", &f.addr), 0);
	assert_string_equal(ike_endpoint_print(buf, sizeof(buf), &f), "[2001:db8::1]:4500");
	assert_string_equal(ike_addr_print(buf, sizeof(buf), &f.addr), "2001:db8::1");
	assert_false(ike_addr_eq(&e.addr, &f.addr));
	f = e;
	f.addr.b[10] = 1; /* behind an IPv4 address: says nothing */
	assert_true(ike_endpoint_eq(&e, &f));
	f.port = 500;
	assert_false(ike_endpoint_eq(&e, &f));
	assert_int_equal(ike_addr_from_text("192.0.2", &e.addr), -1);
	assert_int_equal(e.addr.family, 0);
	assert_int_equal(ike_addr_from_text("vpn.example.org", &e.addr), -1);
}

static void id_trip(const char *text, uint8_t type, size_t len, const char *printed)
{
	struct ike_id id, again;

	if (ike_id_from_text(text, &id, err, sizeof(err)))
		fail_msg("%s", err);
	assert_int_equal(id.type, type);
	assert_int_equal(id.len, len);
	assert_string_equal(ike_id_print(buf, sizeof(buf), &id), printed);
	assert_int_equal(ike_id_from_text(printed, &again, err, sizeof(err)), 0);
	assert_true(ike_id_eq(&id, &again));
}

static void identities_read_and_print(void **state)
{
	(void)state;
	id_trip("192.0.2.1", IKE_ID_IPV4, 4, "192.0.2.1");
	id_trip("2001:db8::1", IKE_ID_IPV6, 16, "2001:db8::1");
	id_trip("vpn.example.org", IKE_ID_FQDN, 15, "vpn.example.org");
	id_trip("alice@example.org", IKE_ID_RFC822, 17, "alice@example.org");
	id_trip("keyid:branch1", IKE_ID_KEY_ID, 7, "keyid:branch1");
	id_trip("keyid:0xDEADbeef", IKE_ID_KEY_ID, 4, "keyid:0xdeadbeef");
	id_trip("keyid:0x3078", IKE_ID_KEY_ID, 2, "keyid:0x3078"); /* the text "0x" */
	/* forced types stay visible where the bare word would be read otherwise */
	id_trip("fqdn:192.0.2.1", IKE_ID_FQDN, 9, "fqdn:192.0.2.1");
	id_trip("fqdn:a@b", IKE_ID_FQDN, 3, "fqdn:a@b");
	id_trip("fqdn:plain", IKE_ID_FQDN, 5, "plain");
	id_trip("ipv4:192.0.2.1", IKE_ID_IPV4, 4, "192.0.2.1");
	id_trip("ipv6:::1", IKE_ID_IPV6, 16, "::1");
	id_trip("email:a@b", IKE_ID_RFC822, 3, "a@b");
	/* what is no host name, too */
	id_trip("fqdn:*.example.org", IKE_ID_FQDN, 13, "*.example.org");
	id_trip("fqdn:a=b", IKE_ID_FQDN, 3, "fqdn:a=b");
	id_trip("fqdn:1.2.3.400", IKE_ID_FQDN, 9, "fqdn:1.2.3.400");
	id_trip("email:*@b", IKE_ID_RFC822, 3, "*@b");
	id_trip("host_1-a.b", IKE_ID_FQDN, 10, "host_1-a.b");
	id_trip("alice=x@example.org", IKE_ID_RFC822, 19, "alice=x@example.org");
}

static void identities_that_are_none(void **state)
{
	static const char *const wrong[] = {
		"",
		"two words",
		"ipv4:vpn.example.org",
		"ipv6:192.0.2.1",
		"@example.org",
		"alice@",
		"email:bob",
		"keyid:",
		"keyid:0x123",
		"keyid:0xzz",
		"192.0.2.1:500",
		"a\"b",
		"a\\b",
		"caf\xc3\xa9",
		"192.168.1.300",
		"192.168.1.2/24",
		"west.example,east.example",
	};
	static const struct {
		const char *text, *said;
	} foreign[] = {
		{ "%any", "any peer is written any" },
		{ "%fromcert", "words with % belong to ipsec.conf" },
		{ "a*.example.org", "a wildcard is written *.DOMAIN, *@DOMAIN or CN=*" },
		{ "*a@example.org", "a wildcard is written" },
		{ "*@*.org", "a wildcard is written" },
		{ "*", "a wildcard is written" },
		{ "@west.example", "a host name is written without @" },
		{ "@@user@example.org", "without @" },
		{ "@#0a0b0c", "keyid:0xHEX" },
		{ "X=CH, CN=west", "a distinguished name has attributes C, ST" },
		{ "CN=west, SN=1", "SN is serialNumber to some programs and surname to others" },
		{ "S=Bern, CN=west", "S is ST (state) to some programs" },
		{ "CN=", "an attribute of a distinguished name has no value" },
		{ "CN=a, O= ", "has no value" },
		{ "CN=a,", "a distinguished name has attributes" },
		{ "dn:CN", "followed by = and its value" },
		{ "CN=a, O", "followed by = and its value" },
		{ "CN=a+O=b", "are written with a \\ before them" },
		{ "CN=\"a\"", "are written with a \\ before them" },
		{ "CN=#0c0161", "is written dn:0xHEX" },
		{ "CN=a\\g1", "two hexadecimal digits" },
		{ "CN=a\\", "two hexadecimal digits" },
		{ "dn:west.example.org", "a distinguished name has attributes" },
		{ "dn:0x3", "this does not go with its prefix" },
		{ "192.168.1.300", "this is no IPv4 address; expected" },
		{ "ipv4:::1", "this does not go with its prefix" },
	};
	static char longest[IKE_MAX_ID + 2];
	struct ike_id id;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		if (!ike_id_from_text(wrong[i], &id, err, sizeof(err)))
			fail_msg("\"%s\" was taken", wrong[i]);
		assert_int_equal(id.type, 0);
		assert_non_null(strstr(err, "expected"));
	}
	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
		if (ike_id_from_text(foreign[i].text, &id, err, sizeof(err)) != -1)
			fail_msg("%s", foreign[i].text);
		if (!strstr(err, foreign[i].said))
			fail_msg("%s: %s", foreign[i].text, err);
	}
	memset(longest, 'a', IKE_MAX_ID);
	assert_int_equal(ike_id_from_text(longest, &id, err, sizeof(err)), 0);
	longest[IKE_MAX_ID] = 'a';
	assert_int_equal(ike_id_from_text(longest, &id, err, sizeof(err)), -1);
}

/* What a peer sends goes into logs and messages: no control characters, no quotation marks. */
static void hostile_identities_print_harmlessly(void **state)
{
	struct ike_id id = { .type = IKE_ID_FQDN, .len = 6, .data = "a\n\0\x1b\"\\" };

	(void)state;
	assert_string_equal(ike_id_print(buf, sizeof(buf), &id), "fqdn:a\\x0a\\x00\\x1b\\x22\\x5c");
	id.type = IKE_ID_KEY_ID;
	assert_string_equal(ike_id_print(buf, sizeof(buf), &id), "keyid:0x610a001b225c");
	id.type = IKE_ID_DER_DN;
	assert_string_equal(ike_id_print(buf, sizeof(buf), &id), "dn:0x610a001b225c");
	id.type = 13;
	id.len = 0;
	assert_string_equal(ike_id_print(buf, sizeof(buf), &id), "type13:0x");
	id.type = IKE_ID_FQDN;
	id.len = IKE_MAX_ID;
	memset(id.data, 0xff, sizeof(id.data));
	assert_int_equal(strlen(ike_id_print(buf, sizeof(buf), &id)), 5 + 4 * IKE_MAX_ID);
	id.type = 0;
	assert_string_equal(ike_id_print(buf, sizeof(buf), &id), "any");
}

static bool ids_equal(const char *a, const char *b)
{
	struct ike_id x, y;

	assert_int_equal(ike_id_from_text(a, &x, err, sizeof(err)), 0);
	assert_int_equal(ike_id_from_text(b, &y, err, sizeof(err)), 0);
	return ike_id_eq(&x, &y);
}

static void identities_compare(void **state)
{
	(void)state;
	assert_true(ids_equal("vpn.example.org", "VPN.Example.ORG"));
	assert_false(ids_equal("vpn.example.org", "vpn.example.orh"));
	assert_false(ids_equal("vpn.example.org", "vpn.example.org."));
	assert_false(ids_equal("fqdn:a[b", "fqdn:a{b")); /* differ by 0x20, are no letters */
	assert_true(ids_equal("alice@Example.org", "alice@example.ORG"));
	assert_false(ids_equal("Alice@example.org", "alice@example.org"));
	assert_false(ids_equal("keyid:abc", "keyid:ABC"));
	assert_false(ids_equal("fqdn:abc", "keyid:abc"));
	assert_true(ids_equal("::1", "0:0::1"));
}

static void ts_trip(const char *text, const char *printed)
{
	struct ike_ts_list l = { 0 }, again = { 0 };

	if (ike_ts_from_text(text, &l, err, sizeof(err)))
		fail_msg("%s", err);
	assert_string_equal(ike_ts_list_print(buf, sizeof(buf), IKE_TS_OFFER(&l)), printed);
	if (l.n != 1)
		return;
	assert_int_equal(ike_ts_from_text(printed, &again, err, sizeof(err)), 0);
	assert_memory_equal(&l.ts[0], &again.ts[0], sizeof(l.ts[0]));
}

static void selectors_read_and_print(void **state)
{
	(void)state;
	ts_trip("10.1.0.0/16", "10.1.0.0/16");
	ts_trip("10.1.0.5", "10.1.0.5/32");
	ts_trip("0.0.0.0/0", "0.0.0.0/0");
	ts_trip("10.1.0.5-10.1.0.9", "10.1.0.5-10.1.0.9");
	ts_trip("10.1.0.0-10.1.0.255", "10.1.0.0/24");
	ts_trip("any", "0.0.0.0/0, ::/0");
	ts_trip("fd00::/8", "fd00::/8");
	ts_trip("fd00::1-fd00::9:tcp:80-90", "fd00::1-fd00::9:tcp:80-90");
	ts_trip("::1:udp", "::1/128:udp");
	ts_trip("10.1.0.0/16:UDP:53", "10.1.0.0/16:udp:53");
	ts_trip("10.1.0.0/16:proto47", "10.1.0.0/16:gre");
	ts_trip("10.1.0.0/16:proto99:1-2", "10.1.0.0/16:proto99:1-2");
	ts_trip("10.1.0.0/16:udp:opaque", "10.1.0.0/16:udp:opaque");
	ts_trip("10.1.0.0/16:tcp:0-65535", "10.1.0.0/16:tcp");
	ts_trip("10.1.0.0/16:icmp:8", "10.1.0.0/16:icmp:8");
	ts_trip("10.1.0.0/16:icmp:3/4", "10.1.0.0/16:icmp:3/4");
	ts_trip("fd00::/8:icmp6:128-129", "fd00::/8:icmp6:128/0-129/255");
}

static void icmp_types_are_the_high_octet(void **state)
{
	struct ike_ts_list l = { 0 };

	(void)state;
	assert_int_equal(ike_ts_from_text("10.0.0.0/8:icmp:8/1", &l, err, sizeof(err)), 0);
	assert_int_equal(l.ts[0].protocol, 1);
	assert_int_equal(l.ts[0].port_start, 0x0801);
	assert_int_equal(l.ts[0].port_end, 0x0801);
}

static void selectors_that_are_none(void **state)
{
	static const char *const wrong[] = {
		"",
		"10.1.0.0/33",
		"10.1.0.0/-1",
		"10.1.0.0/",
		"10.1.0.9-10.1.0.5",
		"10.1.0.5-fd00::1",
		"10.1.0.0/16:udp:90-80",
		"10.1.0.0/16:udp:65536",
		"10.1.0.0/16:udp:",
		"10.1.0.0/16:foo",
		"10.1.0.0/16:udp:53:1",
		"example.org",
		"10.1.0.0/16:icmp:256",
		"fd00::/129",
		"10.1.0.0/16:proto256",
		"10.1.0.0/16:icmp:8/",
	};
	struct ike_ts_list l = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		if (!ike_ts_from_text(wrong[i], &l, err, sizeof(err)))
			fail_msg("\"%s\" was taken", wrong[i]);
		assert_non_null(strstr(err, "expected"));
	}
	assert_int_equal(l.n, 0);
	assert_int_equal(ike_ts_from_text("10.1.0.5/16", &l, err, sizeof(err)), -1);
	assert_non_null(strstr(err, "bits set behind"));
	while (l.n < IKE_MAX_TS)
		assert_int_equal(ike_ts_from_text("10.0.0.0/8", &l, err, sizeof(err)), 0);
	assert_int_equal(ike_ts_from_text("10.0.0.0/8", &l, err, sizeof(err)), -1);
	assert_int_equal(l.n, IKE_MAX_TS);
}

static void spis_print(void **state)
{
	static const uint8_t i[8] = { 0xa1, 0xb2, 0xc3, 0xd4, 0xe5, 0xf6, 7, 0x18 }, r[8] = { 1 };

	(void)state;
	assert_string_equal(ike_spis_print(buf, sizeof(buf), i, r),
			    "a1b2c3d4e5f60718_i 0100000000000000_r");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_have_names),
		cmocka_unit_test(transforms_print),
		cmocka_unit_test(text_is_cut_and_terminated),
		cmocka_unit_test(proposals_read_and_print),
		cmocka_unit_test(pfs_is_a_word),
		cmocka_unit_test(the_order_of_words_says_nothing),
		cmocka_unit_test(ciphers_that_authenticate),
		cmocka_unit_test(proposals_that_make_no_sense),
		cmocka_unit_test(proposals_in_other_words),
		cmocka_unit_test(lists_print_with_commas),
		cmocka_unit_test(addresses),
		cmocka_unit_test(identities_read_and_print),
		cmocka_unit_test(identities_that_are_none),
		cmocka_unit_test(hostile_identities_print_harmlessly),
		cmocka_unit_test(identities_compare),
		cmocka_unit_test(selectors_read_and_print),
		cmocka_unit_test(icmp_types_are_the_high_octet),
		cmocka_unit_test(selectors_that_are_none),
		cmocka_unit_test(spis_print),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
