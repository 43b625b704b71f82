// SPDX-License-Identifier: GPL-2.0-or-later
/* Configurations with two rounds of authentication: what they mean, and what is said about wrong ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "ike/app/config/config.h"
#include "ike/eap/eap.h"

static char said[4096];

static void on_report(void *ctx, bool error, unsigned int line, const char *text)
{
	size_t len = strlen(said);

	(void)ctx;
	snprintf(said + len, sizeof(said) - len, "%u: %s%s\n", line,
		 error ? "" : "warning: ", text);
}

static int parse(const char *text, struct config *c)
{
	static const struct config_report report = { .fn = on_report };

	said[0] = 0;
	return config_parse("hq", text, strlen(text), c, &report);
}

#define PSK_LINE "PSK = 5dtRc2sPqYb8Wm1xVn7uKz4L\n"
#define CLIENT                                                                        \
	"[Tunnel]\nLocalAuth = pubkey, eap\nKey = /k\nEAP = alice\nPassword = clue\n" \
	"[Peer]\nEndpoint = vpn.example\nCA = /c\nRemoteID = vpn.example\n"
#define PPK "hex:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n"
#define SERVER \
	"[Tunnel]\nKey = /k\n[Peer]\nRemoteAuth = pubkey, eap\nCA = /c\nUsers = /u\nClients = 9\n"

static void rounds_are_read(void **state)
{
	struct ike_tunnel_conf core;
	struct config c, other;
	char text[32];

	(void)state;
	assert_int_equal(parse(CLIENT, &c), 0);
	assert_string_equal(said, "");
	assert_string_equal(ike_auth_print(text, sizeof(text), &c.local_auth), "pubkey, eap");
	assert_string_equal(ike_auth_print(text, sizeof(text), &c.remote_auth), "pubkey");
	config_clear(&c);
	/* The PPK is in the first round. */
	assert_int_equal(parse(CLIENT "PPKID = site-1\nPPK = " PPK, &c), 0);
	config_tunnel(&c, &core);
	assert_int_equal(core.ppk.id_len, 6);
	assert_true(core.ppk.required);
	config_clear(&c);
	assert_int_equal(parse(SERVER "FirstID = any\nPPKID = site-1\nPPK = " PPK, &c), 0);
	assert_non_null(strstr(said, "expected one round in RemoteAuth, with ClientPPKs"));
	config_clear(&c);
	assert_int_equal(parse(CLIENT, &c), 0);
	/* What we are in the first round is not what we are as a user. */
	assert_int_equal(c.local_id.type, 0);
	assert_int_equal(c.eap_methods, 1 << EAP_MSCHAPV2);
	config_clear(&c);
	assert_int_equal(parse(SERVER "FirstID = *.laptops.example\nRemoteID = *@example\n", &c),
			 0);
	assert_string_equal(said, "");
	assert_string_equal(ike_auth_print(text, sizeof(text), &c.remote_auth), "pubkey, eap");
	assert_memory_equal(c.first_id->data, "*.laptops.example", 17);
	config_tunnel(&c, &core);
	assert_true(ike_id_eq(&core.first_id, c.first_id));
	assert_memory_equal(core.remote_id.data, "*@example", 9);
	assert_true(core.remote_auth.then_user);
	assert_int_equal(
		parse(SERVER "FirstID = *.tablets.example\nRemoteID = *@example\n", &other), 0);
	assert_false(config_equal(&c, &other));
	config_clear(&c);
	config_clear(&other);
	assert_int_equal(parse(SERVER "FirstID = any\nRequire = cert\n", &c), 0);
	assert_int_equal(c.first_id->type, 0);
	config_clear(&c);
	/* A pre-shared key first: that both ends have one says nothing of the other end's proof. */
	assert_int_equal(
		parse("[Tunnel]\nLocalAuth = psk eap\nEAP = alice\nPassword = clue\n[Peer]\nEndpoint = vpn.example\nRemoteAuth = pubkey\nPublicKey = /p\n" PSK_LINE,
		      &c),
		0);
	assert_string_equal(said, "");
	assert_string_equal(ike_auth_print(text, sizeof(text), &c.local_auth), "psk, eap");
	config_clear(&c);
	assert_int_equal(
		parse("[Tunnel]\nKey = /k\nLocalAuth = pubkey\n[Peer]\nRemoteAuth = PSK,EAP\nUsers = /u\nClients = 9\n" PSK_LINE,
		      &c),
		0);
	assert_string_equal(said, "");
	assert_string_equal(ike_auth_print(text, sizeof(text), &c.remote_auth), "psk, eap");
	config_clear(&c);
}

static void wrong_rounds(void **state)
{
	static const struct {
		const char *text, *said;
	} rows[] = {
		{ "[Tunnel]\nLocalAuth = eap, pubkey\n",
		  "2: LocalAuth = eap, pubkey: expected psk, pubkey, eap or eap-only; or two rounds: pubkey, eap or psk, eap" },
		{ "[Tunnel]\nLocalAuth = eap, eap\n", "2: LocalAuth = eap, eap: expected psk" },
		{ "[Tunnel]\nLocalAuth = pubkey, psk\n", "2: LocalAuth = pubkey, psk: expected" },
		{ "[Tunnel]\nLocalAuth = pubkey, eap, eap\n",
		  "2: LocalAuth = pubkey, eap, eap: exp" },
		{ "[Tunnel]\nLocalAuth = ,\n", "2: LocalAuth = ,: expected psk" },
		{ "[Peer]\nRemoteAuth = psk, gtc\n", "2: RemoteAuth = psk, gtc: expected psk" },
		{ "[Tunnel]\nLocalAuth = pubkey, eap\nKey = /k\n[Peer]\nEndpoint = vpn.example\nPublicKey = /p\n",
		  "2: LocalAuth = pubkey, eap needs EAP in [Tunnel], our user's name, and Password" },
		{ "[Tunnel]\nLocalAuth = pubkey, eap\nEAP = alice\nPassword = x\n[Peer]\nEndpoint = vpn.example\nPublicKey = /p\n",
		  "2: LocalAuth = pubkey needs Key in [Tunnel], our private key" },
		{ CLIENT PSK_LINE "RemoteAuth = pubkey\n",
		  "10: PSK, and EAP in line 4: expected one of them, or LocalAuth = psk, eap" },
		{ "[Tunnel]\nLocalAuth = psk, eap\nEAP = alice\nPassword = x\n[Peer]\nEndpoint = vpn.example\n" PSK_LINE
		  "RemoteAuth = psk\n",
		  "3: EAP: who answers has to prove who it is" },
		{ CLIENT "RemoteAuth = pubkey, eap\nFirstID = any\nUsers = /u\nClients = 2\n",
		  "EAP: who answers has to prove who it is" },
		{ SERVER,
		  "CA: each of its certificates could be the peer's: expected FirstID in [Peer], too" },
		{ SERVER "RemoteID = any\n", "expected FirstID in [Peer], too" },
		{ "[Tunnel]\nKey = /k\n[Peer]\nRemoteAuth = pubkey\nPublicKey = /p\nFirstID = a.example\n",
		  "6: FirstID is of the first one of two rounds: expected RemoteAuth = pubkey, eap" },
		{ "[Tunnel]\nKey = /k\n[Peer]\nRemoteAuth = pubkey, eap\nCA = /c\nFirstID = any\nClients = 9\n",
		  "4: RemoteAuth = pubkey, eap needs Users in [Peer]" },
		{ "[Tunnel]\nKey = /k\n[Peer]\nRemoteAuth = pubkey, eap\nUsers = /u\nClients = 9\n",
		  "4: RemoteAuth = pubkey needs PublicKey in [Peer]" },
		{ "[Tunnel]\nKey = /k\n[Peer]\nRemoteAuth = psk, eap\nUsers = /u\nClients = 9\n" PSK_LINE,
		  "expected LocalAuth = psk or pubkey" },
		{ "[Tunnel]\nKey = /k\nLocalAuth = pubkey\n[Peer]\nRemoteAuth = psk, eap\nUsers = /u\nClients = 9\nSecrets = /s\n",
		  "Secrets has pre-shared keys, but RemoteAuth is eap" },
		{ "[Tunnel]\nKey = /k\nLocalAuth = pubkey\n[Peer]\nRemoteAuth = psk, eap\nUsers = /u\nClients = 9\nRequire = cert\n" PSK_LINE,
		  "the peer may do without a certificate" },
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct config c;

		if (!parse(rows[i].text, &c))
			fail_msg("row %u was taken", i);
		if (!strstr(said, rows[i].said))
			fail_msg("said \"%s\", not \"%s\"", said, rows[i].said);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rounds_are_read),
		cmocka_unit_test(wrong_rounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
