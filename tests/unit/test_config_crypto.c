// SPDX-License-Identifier: GPL-2.0-or-later
/* Crypto=, Require= and post-quantum preshared keys of a configuration. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "ike/app/config/config.h"
#include "ike/proto/names.h"
#include "some_config.h"

/* Algorithms that nobody should have by accident: each is warned of once, and none is in modern. */
static void algorithms_with_a_warning(void **state)
{
	static const struct {
		const char *crypto, *said;
	} rows[] = {
		{ "modern", "" },
		{ "aes256-sha1-modp2048", "" },
		{ "aes256ctr-aesxcbc, aes256-sha256-x25519", "" },
		{ "3des-sha1-modp1536",
		  "3: warning: Crypto: 3des is legacy: it has blocks of 64 bits, so that a key of ESP lasts for 1 GiB only\n"
		  "3: warning: Crypto: modp1536 is legacy: numbers of 1,536 bits are too short by now\n" },
		{ "modern, ike:aes256-sha256-modp1024",
		  "3: warning: Crypto: modp1024 is broken by who can pay for it: its numbers of 1,024 bits are too short\n" },
		{ "cloud, windows, apple, android", "" },
		{ "modern, legacy",
		  "3: warning: Crypto: 3des is legacy: it has blocks of 64 bits, so that a key of ESP lasts for 1 GiB only\n"
		  "3: warning: Crypto: modp1536 is legacy: numbers of 1,536 bits are too short by now\n"
		  "3: warning: Crypto: modp1024 is broken by who can pay for it: its numbers of 1,024 bits are too short\n" },
		{ "modern, esp:des-md5",
		  "3: warning: Crypto: des is broken: its keys of 56 bits are found within days\n"
		  "3: warning: Crypto: md5 is legacy: RFC 8221 forbids it\n" },
		{ "esp:null-sha256, ike:modern",
		  "3: warning: Crypto: null hides nothing: packets can be read on their way\n" },
		{ "esp:aes128gmac, ike:modern",
		  "3: warning: Crypto: aes128gmac hides nothing: packets can be read on their way\n" },
	};
	char text[512];
	struct config c;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(text, sizeof(text), "[Peer]\n%sCrypto = %s\n", PSK_LINE, rows[i].crypto);
		accepted(text, &c);
		assert_string_equal(said, rows[i].said);
		config_clear(&c);
	}
	refused("[Peer]\n" PSK_LINE "Crypto = esp:null, ike:modern\n",
		"3: Crypto = null: \"null\" has encryption without integrity algorithm; add one, such as sha256\n");
	refused("[Peer]\n" PSK_LINE "Crypto = ike:null-sha256-x25519\n",
		"3: Crypto = null-sha256-x25519: \"null-sha256-x25519\" leaves nothing for IKE; add a proposal with ");
}

#define PPK_LINE "PPK = hex:00112233445566778899aabbccddeeff102132435465768798a9bacbdcedfe0f\n"

static void post_quantum_keys(void **state)
{
	struct config c;

	(void)state;
	accepted("[Peer]\n" PSK_LINE PPK_LINE "PPKID = site-1\n", &c);
	assert_int_equal(c.ppk->len, 32);
	assert_int_equal(c.ppk->key[1], 0x11);
	assert_int_equal(c.ppk->name.id_len, 6);
	assert_memory_equal(c.ppk->name.id, "site-1", 6);
	assert_true(c.ppk->name.required); /* who gives one means it */
	config_clear(&c);
	accepted("[Peer]\n" PSK_LINE PPK_LINE "PPKRequired = no\nPPKID = A/b+=\n", &c);
	assert_false(c.ppk->name.required);
	config_clear(&c);
	accepted("[Peer]\n" PSK_LINE "PPK = file:/etc/esptun/hq.ppk\nPPKID = a\n", &c);
	assert_string_equal(c.ppk->file, "/etc/esptun/hq.ppk");
	assert_int_equal(c.ppk->len, 0);
	config_clear(&c);
	accepted("[Peer]\n" PSK_LINE, &c);
	assert_null(c.ppk);
	config_clear(&c);
	accepted("[Peer]\n" PSK_LINE "PPKID = a\nPPK = a few words, 25 characters\n", &c);
	assert_non_null(
		strstr(said, "warning: PPK: the key is too weak against quantum computers"));
	config_clear(&c);
	accepted("[Peer]\nClients = 2\n" PSK_LINE PPK_LINE "PPKID = a\n", &c);
	assert_non_null(strstr(said, "warning: PPK is one key for all clients"));
	config_clear(&c);
}

static void wrong_post_quantum_keys(void **state)
{
	static const struct {
		const char *text, *expected;
	} rows[] = {
		{ PPK_LINE,
		  "3: PPK: expected PPKID in [Peer], too, the name that both ends know it by" },
		{ "PPKID = a\n", "3: [Peer] lacks PPK, the post-quantum preshared key" },
		{ "PPKRequired = yes\n", "3: [Peer] lacks PPK, the post-quantum preshared key" },
		{ "PPKID = a b\n", "3: PPKID = a b: expected the PPK's name: up to 64 characters" },
		{ "PPKRequired = maybe\n", "3: PPKRequired = maybe: expected yes or no" },
		{ "PPKID = a23456789012345678901234567890123456789012345678901234567890123456\n",
		  "expected the PPK's name" },
		{ "PPK = hex:xy\n", "3: PPK: the key is wrong" },
		{ "ppk_id = a\n", "PPKID" },
		{ "ppk_required = yes\n", "PPKRequired" },
	};
	char text[512];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(text, sizeof(text), "[Peer]\n" PSK_LINE "%s", rows[i].text);
		refused(text, rows[i].expected);
	}
	refused("[Peer]\nPSK = a secret that is in two places at once, and long\n"
		"PPK = a secret that is in two places at once, and long\nPPKID = a\n",
		"3: PPK and PSK are the same key: expected a key of its own for each");
}

/* A PPK that no IKE SA goes without is as good as a post-quantum key exchange, one that some do is not. */
static void a_required_ppk_is_post_quantum(void **state)
{
	struct config c;

	(void)state;
	accepted("[Peer]\n" PSK_LINE PPK_LINE
		 "PPKID = a\nCrypto = aes256gcm16-x25519\nRequire = pq\n",
		 &c);
	assert_int_equal(c.ike->n, 1);
	config_clear(&c);
	refused("[Peer]\n" PSK_LINE PPK_LINE
		"PPKID = a\nPPKRequired = no\nCrypto = aes256gcm16-x25519\nRequire = pq\n",
		"Require = pq: no proposal of Crypto for IKE has a post-quantum key exchange: add one, such as aes256gcm16-x25519-ke1_mlkem768 (it takes OpenSSL 3.5), or a PPK that is required");
}

/* Require= leaves of Crypto= what has it; nothing else can be agreed on. */
static void what_is_required(void **state)
{
	char text[512];
	struct config c;

	(void)state;
	accepted("[Peer]\n" PSK_LINE "Require = pfs\n", &c);
	ike_proposal_print(text, sizeof(text), &c.esp->p[0]);
	assert_non_null(strstr(text, "-x25519/"));
	assert_null(strstr(text, "nopfs"));
	config_clear(&c);
	accepted("[Peer]\n" PSK_LINE
		 "Crypto = aes256gcm16-x25519, esp:aes128gcm16-nopfs\nRequire = PFS\n",
		 &c);
	assert_int_equal(c.esp->n, 1);
	ike_proposal_print(text, sizeof(text), &c.esp->p[0]);
	assert_non_null(strstr(text, "aes256gcm16-x25519"));
	config_clear(&c);
	refused("[Peer]\n" PSK_LINE "Crypto = ike:modern, esp:aes128gcm16-nopfs\nRequire = pfs\n",
		"4: Require = pfs: no proposal of Crypto for ESP has a key exchange: add one, such as x25519, and take nopfs out");
	refused("[Peer]\n" PSK_LINE "Require = quantum\n",
		"3: Require = quantum: expected one or more of pq, pfs and cert");
	refused("[Peer]\n" PSK_LINE "Require = cert\n",
		"3: Require = cert: the peer may do without a certificate: expected CA in [Peer]");
	refused("[Tunnel]\nKey = /k\n[Peer]\nPublicKey = /p\nRequire = cert\n",
		"5: Require = cert: the peer may do without a certificate");
	refused("[Peer]\nRemoteID = any\nRemoteAuth = psk\n" PSK_LINE
		"CA = /c\nRequire = pfs, cert\n",
		"6: Require = cert: the peer may do without a certificate");
	accepted("[Tunnel]\nKey = /k\n[Peer]\nRemoteID = any\nCA = /c\nRequire = cert, pfs\n", &c);
	config_clear(&c);
	if (!ike_kex_known(IKE_DH_MLKEM768)) {
		refused("[Peer]\n" PSK_LINE "Require = pfs, pq\n",
			"3: Require = pq: no proposal of Crypto for IKE has a post-quantum key exchange: add one, such as aes256gcm16-x25519-ke1_mlkem768 (it takes OpenSSL 3.5)");
		return;
	}
	accepted("[Peer]\n" PSK_LINE "Require = pq\n", &c);
	assert_int_equal(c.ike->n, 1);
	config_clear(&c);
	refused("[Peer]\n" PSK_LINE "Crypto = aes256gcm16-x25519\nRequire = pq\n",
		"4: Require = pq: no proposal of Crypto for IKE has a post-quantum key exchange");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(algorithms_with_a_warning),
		cmocka_unit_test(post_quantum_keys),
		cmocka_unit_test(wrong_post_quantum_keys),
		cmocka_unit_test(a_required_ppk_is_post_quantum),
		cmocka_unit_test(what_is_required),
	};

	return cmocka_run_group_tests_name("config_crypto", tests, NULL, NULL);
}
