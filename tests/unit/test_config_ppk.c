// SPDX-License-Identifier: GPL-2.0-or-later
/* PPKs of clients (RFC 8784): sections [Client ID], the file of ClientPPKs, who finds which, and each wrong one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "some_config.h"

#include "ike/app/config/config.h"
#include "ike/keys/client_keys.h"

#define A "hex:00112233445566778899aabbccddeeff102132435465768798a9bacbdcedfe0f"
#define B "hex:ff112233445566778899aabbccddeeff102132435465768798a9bacbdcedfe0f"
#define HUB "[Peer]\nClients = 5\n"

static struct ike_id id_of(const char *text)
{
	struct ike_id id;
	char why[256];

	assert_int_equal(ike_id_from_text(text, &id, why, sizeof(why)), 0);
	return id;
}

/* The first octet of the PPK of that name for a client; -1: there is none. */
static int found(const struct config *c, const char *client, const char *name)
{
	const struct ike_id id = id_of(client);
	const struct client_key *k = client_ppks_find(&c->ppks, &id, name, strlen(name));

	return k ? k->key[0] : -1;
}

/* ---- sections -------------------------------------------------------------------- */

static void sections_have_them(void **state)
{
	struct config c;
	struct ike_tunnel_conf conf;

	(void)state;
	accepted(HUB PSK_LINE "[Client a.example]\nPPKID = a=\nPPK = " A "\n[Client b.example]\n"
			      "PPK = " B "\nPPKID = b\nPSK = 4dtRc2sPqYb8Wm1xVn7uKz4L\n",
		 &c);
	assert_int_equal(c.keys.n, 1); /* a.example has the PSK of all */
	assert_int_equal(c.ppks.keys.n, 2);
	assert_int_equal(c.ppks.of.n, 2);
	config_tunnel(&c, &conf);
	assert_true(conf.ppk.of_clients && conf.ppk.required && !conf.ppk.id_len);
	assert_null(strstr(said, "warning"));
	config_clear(&c);

	accepted("[Tunnel]\nKey = /k\nCert = /c\n" HUB "Users = /u\nPPKRequired = no\n"
		 "[Client a.example]\nPPKID = a\nPPK = file:/etc/esptun/a.ppk\n",
		 &c);
	config_tunnel(&c, &conf);
	assert_true(conf.ppk.of_clients && !conf.ppk.required);
	assert_true(c.ppks.keys.v[0].named);
	assert_int_equal(c.keys.n, 0);
	config_clear(&c);
}

static void a_user_may_have_one(void **state)
{
	struct config c;

	(void)state;
	accepted(
		"[Tunnel]\nEAP = alice\nPassword = a password, long enough\n[Peer]\nEndpoint = 192.0.2.1\n"
		"CA = /ca\nRemoteID = gw.example\nPPK = " A "\nPPKID = alice-1\n",
		&c);
	assert_int_equal(c.ppk->name.id_len, 7);
	assert_false(c.ppk->name.of_clients);
	config_clear(&c);
}

/* No IKE SA comes without. */
static void they_are_post_quantum_if_required(void **state)
{
	struct config c;

	(void)state;
	accepted(HUB PSK_LINE "Crypto = aes256gcm16-x25519\nRequire = pq\nClientPPKs = /p\n", &c);
	config_clear(&c);
	refused(HUB PSK_LINE
		"Crypto = aes256gcm16-x25519\nRequire = pq\nClientPPKs = /p\nPPKRequired = no\n",
		"or a PPK that is required");
}

static void wrong_ones_are_refused(void **state)
{
	static const struct {
		const char *text, *said;
	} rows[] = {
		{ HUB PSK_LINE "[Client a.example]\nPPK = " A "\n",
		  "4: [Client ID] has PPK: expected PPKID, too, the name that both ends know it by" },
		{ HUB PSK_LINE "[Client a.example]\nPPKID = a\n",
		  "4: [Client a.example] has PPKID, and no PPK: expected that, too, or ClientPPKs in [Peer]" },
		{ HUB PSK_LINE "[Client a.example]\nPPKID = a b\n",
		  "5: PPKID = a b: expected the PPK's name" },
		{ HUB PSK_LINE "[Client a.example]\nPPKID = a\nPPK = hex:xy\n",
		  "6: PPK: the key is wrong" },
		{ HUB PSK_LINE "PPKID = x\nPPK = " A "\nClientPPKs = /p\n",
		  "5: PPK is of all clients, and there are PPKs of single ones: expected one or the other; a common one can stand in the file of ClientPPKs" },
		{ HUB PSK_LINE "PPKID = x\n[Client a.example]\nPPKID = a\nPPK = " A "\n",
		  "4: PPKID is of all clients" },
		{ "[Peer]\n" PSK_LINE "ClientPPKs = /p\n",
		  "3: ClientPPKs is for clients: expected Clients of 2 or more in [Peer], too, or PPK and PPKID" },
		{ "[Peer]\n" PSK_LINE "[Client a.example]\nPPKID = a\nPPK = " A "\n",
		  "3: [Client ID] is for clients" },
		{ HUB PSK_LINE "ClientPPKs = p\n", "4: ClientPPKs = p: expected the /PATH" },
		{ HUB PSK_LINE "RemoteID = *.example\n[Client a.test]\nPPKID = a\nPPK = " A "\n",
		  "5: [Client a.test] can never come: RemoteID is *.example" },
		{ HUB PSK_LINE "[Client a.example]\nPPKID = a\nPPK = " A
			       "\n[Client a.example]\nPPKID = b\nPPK = " B "\n",
		  "[Client a.example] is there twice, with a PPK each" },
		{ HUB PSK_LINE "PPKRequired = yes\n", "4: [Peer] lacks PPK" },
		{ HUB PSK_LINE "[Client a.example]\n", "4: [Client a.example] lacks PSK" },
		{ "[Tunnel]\nKey = /k\nLocalAuth = pubkey\n" HUB
		  "RemoteAuth = psk, eap\nFirstID = any\nUsers = /u\nClientPPKs = /p\n" PSK_LINE,
		  "9: a PPK of each client cannot be had with two rounds of authentication, as the client names it in the first one, and only the last one says which client it is: expected PPK and PPKID in [Peer], for all clients, or one round in RemoteAuth" },
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		refused(rows[i].text, rows[i].said);
}

static void weak_and_common_ones_are_told(void **state)
{
	struct config c;

	(void)state;
	accepted(HUB PSK_LINE "[Client a.example]\nPPKID = a\nPPK = a few words, 25 characters\n",
		 &c);
	assert_non_null(
		strstr(said, "4: warning: [Client ID]: PPK: the key is too weak against quantum"));
	config_clear(&c);
	accepted(HUB PSK_LINE "PPKID = a\nPPK = " A "\n", &c);
	assert_non_null(strstr(
		said,
		"once it has a quantum computer; expected ClientPPKs, or PPK and PPKID in [Client ID]"));
	config_clear(&c);
}

/* ---- the file of ClientPPKs ---------------------------------------------------------- */

/* A hub with this file, and these sections. */
static int load_hub(const char *ppks, const char *sections, struct config *c)
{
	char path[96], text[1024];
	int err;

	make_dir();
	write_file("ppks", 0600, ppks, path, sizeof(path));
	snprintf(text, sizeof(text), HUB PSK_LINE "ClientPPKs = %s\n%s", path, sections);
	write_file("hub.conf", 0600, text, path, sizeof(path));
	err = load(path, c);
	snprintf(text, sizeof(text), "rm -rf %s", dir);
	assert_int_equal(system(text), 0);
	return err;
}

static void a_file_has_them(void **state)
{
	struct config c;

	(void)state;
	assert_int_equal(
		load_hub("# of laptops\na/b+== = " A "\nb=" B "\n  c = \"" A "\"\n",
			 "[Client b.example]\nPPKID = b\n[Client *.corp.example]\nPPKID = a/b+==\n",
			 &c),
		0);
	assert_int_equal(found(&c, "any.example", "c"), 'h');
	assert_int_equal(found(&c, "any.example", "B"), -1);
	assert_int_equal(found(&c, "any.example", "b1"), -1);
	/* Who has one of its own has no other. */
	assert_int_equal(found(&c, "b.example", "b"), 0xff);
	assert_int_equal(found(&c, "b.example", "a/b+=="), -1);
	assert_int_equal(found(&c, "x.corp.example", "a/b+=="), 0);
	assert_int_equal(found(&c, "x.corp.example", "b"), -1);
	/* Nobody else has those, though they are in the file. */
	assert_int_equal(found(&c, "any.example", "a/b+=="), -1);
	assert_int_equal(found(&c, "any.example", "b"), -1);
	config_clear(&c);
}

/* What a section has with its key is of use for its client alone. */
static void a_section_is_of_its_client(void **state)
{
	struct config c;

	(void)state;
	assert_int_equal(
		load_hub("b = " B "\n", "[Client a.example]\nPPKID = a\nPPK = " A "\n", &c), 0);
	assert_int_equal(found(&c, "a.example", "a"), 0);
	assert_int_equal(found(&c, "any.example", "b"), 0xff);
	assert_int_equal(found(&c, "any.example", "a"), -1);
	config_clear(&c);
}

static void wrong_lines_are_refused(void **state)
{
	static const struct {
		const char *ppks, *sections, *said;
	} rows[] = {
		{ "a = " A "\na = " B "\n", "",
		  ":2: keyid:a has a key already, in line 1 of this file" },
		{ "a = " A "\n", "[Client a.example]\nPPKID = a\nPPK = " B "\n",
		  ":1: keyid:a has a key already, in line 5 of the configuration" },
		{ "a = " A "\n", "[Client a.example]\nPPKID = b\n",
		  "[Client a.example] has PPKID = b, and there is no such PPK: expected PPK there, too, or a line of that name in " },
		{ "a b = " A "\n", "", ":1: before the = there is no PPK's name" },
		{ "a\n", "", ":1: expected NAME = KEY" },
		{ "= " A "\n", "", ":1: expected NAME = KEY" },
		{ "a =\n", "", ":1: there is no key behind the =" },
		{ "a23456789012345678901234567890123456789012345678901234567890123456 = " A "\n",
		  "", ":1: before the = there is no PPK's name of up to 64 characters" },
		{ "",
		  "[Client a.example]\nPPKID = a\nPPK = " A
		  "\n[Client b.example]\nPPKID = a\nPPK = " B "\n",
		  "keyid:a has two keys, in the sections [Client ID] of lines" },
	};
	struct config c;

	(void)state;
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!load_hub(rows[i].ppks, rows[i].sections, &c))
			fail_msg("row %u was taken", i);
		if (!strstr(said, rows[i].said))
			fail_msg("said \"%s\", not \"%s\"", said, rows[i].said);
	}
	assert_int_equal(load_hub("a = a few words, 25 characters\n", "", &c), 0);
	assert_non_null(strstr(said, ":1: the key is too weak against quantum computers"));
	config_clear(&c);
}

/* Only keys of clients differ: these too. */
static void they_are_keys_of_clients(void **state)
{
	struct config c, d;

	(void)state;
	assert_int_equal(load_hub("a = " A "\n", "", &c), 0);
	assert_int_equal(load_hub("a = " B "\n", "", &d), 0);
	memcpy(d.ppk->clients_file, c.ppk->clients_file, sizeof(d.ppk->clients_file));
	assert_false(config_equal(&c, &d));
	assert_true(config_equal_but_keys(&c, &d));
	d.ppk->name.required = false;
	assert_false(config_equal_but_keys(&c, &d));
	config_clear(&c);
	config_clear(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sections_have_them),
		cmocka_unit_test(a_user_may_have_one),
		cmocka_unit_test(they_are_post_quantum_if_required),
		cmocka_unit_test(wrong_ones_are_refused),
		cmocka_unit_test(weak_and_common_ones_are_told),
		cmocka_unit_test(a_file_has_them),
		cmocka_unit_test(a_section_is_of_its_client),
		cmocka_unit_test(wrong_lines_are_refused),
		cmocka_unit_test(they_are_keys_of_clients),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
