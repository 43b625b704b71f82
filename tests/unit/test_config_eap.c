// SPDX-License-Identifier: GPL-2.0-or-later
/* Users and EAP in a configuration. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cert_maker.h"
#include "ike/app/config/config.h"
#include "ike/eap/eap.h"
#include "some_config.h"

#define USER "[Tunnel]\nEAP = alice\nPassword = clue\n[Peer]\nEndpoint = vpn.example\n"
#define USERS "[Tunnel]\nKey = /k\n[Peer]\nUsers = /u\nClients = 50\n"

static void eap(void **state)
{
	struct ike_iov name;
	struct config c;

	(void)state;
	accepted(USER "CA = /c\nRemoteID = vpn.example\n", &c);
	assert_int_equal(c.local_auth.method, IKE_METHOD_EAP);
	assert_int_equal(c.remote_auth.method, IKE_METHOD_SIGNATURE);
	assert_int_equal(c.eap_methods, 1 << EAP_MSCHAPV2);
	assert_true(
		ike_cred_find(&(struct ike_creds){ c.creds, c.n_creds }, IKE_CRED_EAP_NAME, &name));
	assert_int_equal(name.len, 5);
	assert_memory_equal(name.base, "alice", 5);
	/* It is our identity, too, unless there is another one. */
	assert_int_equal(c.local_id.type, IKE_ID_FQDN);
	assert_memory_equal(c.local_id.data, "alice", 5);
	assert_string_equal(said, "");
	config_clear(&c);
	accepted("[Tunnel]\nLocalID = west.example\nLocalAuth = eap\nEAP = CORP\\alice\n"
		 "Password = file:/p\n[Peer]\nEndpoint = vpn.example\nPublicKey = /p\n"
		 "EAPMethods = md5, MSCHAPV2\n",
		 &c);
	assert_memory_equal(c.local_id.data, "west.example", 12);
	assert_string_equal(c.password->file, "/p");
	assert_int_equal(c.eap_methods, 1 << EAP_MSCHAPV2 | 1 << EAP_MD5);
	assert_non_null(strstr(said, "9: warning: EAPMethods: md5 is broken"));
	config_clear(&c);
	accepted(USERS "RemoteID = any\n", &c);
	assert_int_equal(c.local_auth.method, IKE_METHOD_SIGNATURE);
	assert_int_equal(c.remote_auth.method, IKE_METHOD_EAP);
	assert_string_equal(c.secrets_file, "/u");
	config_clear(&c);
}

static void wrong_eap(void **state)
{
	static const struct {
		const char *text, *said;
	} rows[] = {
		{ "[Tunnel]\nEAP = alice\n[Peer]\nEndpoint = vpn.example\nCA = /c\nRemoteID = vpn.example\n",
		  "LocalAuth = eap needs EAP in [Tunnel], our user's name, and Password" },
		{ "[Tunnel]\nLocalAuth = eap\nPassword = x\n[Peer]\nEndpoint = vpn.example\nCA = /c\nRemoteID = vpn.example\n",
		  "2: LocalAuth = eap needs EAP in [Tunnel]" },
		{ USER,
		  "2: EAP: who answers has to prove who it is before we show that we know our password: expected CA" },
		{ USER "CA = /c\nRemoteID = any\n",
		  "7: RemoteID: whoever has a certificate of CA could try our password" },
		{ USER "CA = /c\nRemoteID = *.vpn.example\n",
		  "7: RemoteID: whoever has a certificate of CA could try our password" },
		{ USER "CA = /c\n", "the identity of the right one\n" },
		{ USER PSK_LINE "RemoteAuth = psk\n",
		  "2: EAP: who answers has to prove who it is" },
		{ USER "RemoteAuth = eap\nUsers = /u\n",
		  "2: EAP: who answers has to prove who it is" },
		{ "[Tunnel]\nEAP = alice\nPassword = x\n[Peer]\nCA = /c\nRemoteID = vpn.example\n",
		  "2: EAP: only the end that begins is a user: expected Endpoint, too" },
		{ USER "CA = /c\nRemoteID = vpn.example\nRemoteAuth = pubkey\n" PSK_LINE,
		  "PSK, and EAP in line 2: expected one of them" },
		{ "[Tunnel]\nEAP = alice\nPassword = x\nLocalAuth = psk\n[Peer]\n" PSK_LINE,
		  "2: EAP is for EAP: expected LocalAuth = eap in [Tunnel], too" },
		{ "[Tunnel]\nPassword = x\n[Peer]\n" PSK_LINE,
		  "2: Password is for EAP: expected EAP in [Tunnel], our user's name, too" },
		{ "[Tunnel]\nEAP = CORP\\\n", "EAP = CORP\\: expected our user's name" },
		{ "[Peer]\n" PSK_LINE "EAPMethods = md5\n",
		  "3: EAPMethods is for EAP: expected RemoteAuth = eap in [Peer], or LocalAuth = eap, too" },
		{ USERS "EAPMethods = gtc\n",
		  "6: EAPMethods = gtc: expected some of tls, mschapv2 and md5" },
		{ "[Tunnel]\nKey = /k\n[Peer]\nRemoteAuth = eap\n",
		  "4: RemoteAuth = eap needs Users in [Peer]" },
		{ "[Peer]\nUsers = /u\n",
		  "2: Users: we have to prove who we are before a user does: expected Key in [Tunnel]" },
		{ "[Peer]\nUsers = /u\nRemoteAuth = psk\n" PSK_LINE,
		  "2: Users is for EAP: expected RemoteAuth = eap in [Peer], too" },
		{ USERS "Secrets = /s\n", "6: Secrets has pre-shared keys, but RemoteAuth is eap" },
		{ USERS "[Client a.example]\n" PSK_LINE,
		  "6: [Client ID] has pre-shared keys, but RemoteAuth is eap" },
		{ USERS "Endpoint = vpn.example\n",
		  "6: Endpoint: a user begins, and we cannot begin to one" },
		{ "[Tunnel]\nKey = /k\n[Peer]\nUsers = /u\n",
		  "4: Users is for clients: expected Clients of 2 or more in [Peer], too" },
		{ USERS "Require = cert\n", "the peer may do without a certificate" },
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		refused(rows[i].text, rows[i].said);
	/* A password is never shown. */
	refused("[Tunnel]\nEAP = alice\nPassword = hunter2 # mine\n",
		"3: Password: expected a key without comment");
	assert_null(strstr(said, "hunter2"));
}

static int load_users(const char *lines, mode_t mode, struct config *c)
{
	char conf[128], key[128], users[128], text[512];
	int err;

	make_dir();
	write_file("hq.key", 0600, PRIVATE_PEM, key, sizeof(key));
	write_file("users", mode, lines, users, sizeof(users));
	snprintf(text, sizeof(text), "[Tunnel]\nKey = %s\n[Peer]\nUsers = %s\nClients = 5\n", key,
		 users);
	write_file("hq.conf", 0644, text, conf, sizeof(conf));
	err = load(conf, c);
	unlink(key);
	unlink(users);
	unlink(conf);
	rmdir(dir);
	return err;
}

static void is_user(const struct config *c, const char *name, const char *secret, size_t len)
{
	const struct client_key *k;
	struct ike_id id;

	assert_true(eap_identity((const uint8_t *)name, strlen(name), &id));
	k = client_keys_find(c->keys.v, c->keys.n, &id);
	assert_non_null(k);
	assert_int_equal(k->len, len);
	assert_memory_equal(k->key, secret, len);
}

static void a_file_of_users(void **state)
{
	static const struct {
		const char *lines, *said;
	} wrong[] = {
		{ "alice\n", "/users:1: expected NAME = PASSWORD" },
		{ "[users]\n", "/users:1: expected NAME = PASSWORD" },
		{ "alice = \n", "/users:1: there is no password behind the =" },
		{ " = clue\n", "/users:1: expected NAME = PASSWORD" },
		{ "CORP\\alice = clue\n", "/users:1: before the = there is a domain" },
		{ "a = b\nalice = nt:0123\n", "/users:2: behind nt: there are no 32 digits" },
		{ "alice = hex:ff\n", "/users:1: the password is no text in UTF-8" },
		{ "alice = clue # mine\n", "/users:1: expected a key without comment" },
		{ "alice = x\nALICE = y\n", "/users:2: ALICE has a key already, in line 1" },
	};
	struct config c;

	(void)state;
	assert_int_equal(load_users("# who may come\nalice = clue\ncarol@corp.example = \"a # b\"\n"
				    "erin = nt:44EBBA8D5312B8D611474411F56989AE\nbob smith = x=y\n",
				    0600, &c),
			 0);
	assert_int_equal(c.keys.n, 4);
	assert_non_null(strstr(said, "/users:2: the password has less than 8 bytes"));
	assert_null(strstr(said, "/users:4: "));
	is_user(&c, "CORP\\Alice", "pclue", 5);
	is_user(&c, "carol@corp.example", "pa # b", 6);
	is_user(&c, "bob smith", "px=y", 4);
	is_user(&c, "erin", "n\x44\xeb\xba\x8d\x53\x12\xb8\xd6\x11\x47\x44\x11\xf5\x69\x89\xae",
		17);
	config_clear(&c);
	for (unsigned int i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(load_users(wrong[i].lines, 0600, &c), -1);
		if (!strstr(said, wrong[i].said))
			fail_msg("said \"%s\", not \"%s\"", said, wrong[i].said);
	}
	assert_int_equal(load_users("alice = clue\n", 0644, &c), -1);
	assert_null(strstr(said, "clue"));
}

/* Who has no key that the usual clients verify is told so before users complain. */
static void users_need_a_key_that_they_know(void **state)
{
	static const struct {
		const char *key, *peer, *said;
	} rows[] = {
		{ "P-256", "", "" },
		{ "P-384", "", "" },
		{ "RSA-2048", "Signatures = sha1\n", "Signatures: sha1 is broken" },
		{ "RSA-2048", "", "Key is one of RSA: users with Windows" },
		{ "ED25519", "", "Key is one of Ed25519: users with Windows" },
	};
	char conf[128], key[128], users[128], text[512];
	struct config c;

	(void)state;
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct made m =
			maker_cert(&(struct recipe){ .subject = "CN=hq", .key = rows[i].key });

		make_dir();
		write_key("hq.key", &m, key, sizeof(key));
		write_file("users", 0600, "alice = a longer clue\n", users, sizeof(users));
		snprintf(text, sizeof(text),
			 "[Tunnel]\nKey = %s\n[Peer]\nUsers = %s\nClients = 5\n%s", key, users,
			 rows[i].peer);
		write_file("hq.conf", 0644, text, conf, sizeof(conf));
		assert_int_equal(load(conf, &c), 0);
		if (!strstr(said, rows[i].said) || (!*rows[i].said && *said) ||
		    (i == 2 && strstr(said, "Key is one of")))
			fail_msg("row %u: %s", i, said);
		config_clear(&c);
		maker_free(&m);
		unlink(key);
		unlink(users);
		unlink(conf);
		rmdir(dir);
	}
}

static void our_password_is_a_key_of_jobs(void **state)
{
	char conf[128], public[128], text[512];
	struct config c;

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		make_dir();
		write_file("peer.pub", 0600, PUBLIC_PEM, public, sizeof(public));
		snprintf(
			text, sizeof(text),
			"[Tunnel]\nEAP = alice\nPassword = %s\n[Peer]\nEndpoint = 192.0.2.1\nPublicKey = %s\n",
			i ? "hex:ff" : "clue", public);
		write_file("hq.conf", 0600, text, conf, sizeof(conf));
		if (i) {
			assert_int_equal(load(conf, &c), -1);
			assert_non_null(
				strstr(said, "Password: expected at most 255 bytes of UTF-8"));
		} else {
			assert_int_equal(load(conf, &c), 0);
			assert_string_equal(
				said, ""); /* whether it is easy to guess is the server's to say */
			assert_int_equal(c.password->len, 5);
			assert_memory_equal(c.password->key, "pclue", 5);
			assert_int_equal(c.psk_len, 0);
			config_clear(&c);
		}
		unlink(public);
		unlink(conf);
		rmdir(dir);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(eap),
		cmocka_unit_test(wrong_eap),
		cmocka_unit_test(a_file_of_users),
		cmocka_unit_test(users_need_a_key_that_they_know),
		cmocka_unit_test(our_password_is_a_key_of_jobs),
	};

	return cmocka_run_group_tests_name("config_eap", tests, NULL, NULL);
}
