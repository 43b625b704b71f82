// SPDX-License-Identifier: GPL-2.0-or-later
/* Whose SAs still fit a configuration that was changed while no agent ran. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ike/app/terms.h"
#include "ike/proto/id.h"

#define KEY_A "Kq7mTz3vRw9pXc2nYb5sLd8g"
#define KEY_B "9fGhJ4kWe6rVt2yNu8iMo5pQ"
#define TUNNEL "[Tunnel]\nLocalID = hub.example\nAddress = 10.1.0.1/24\n"
#define PEER_KEYLESS                                  \
	"[Peer]\nRemoteID = *.example\nClients = 8\n" \
	"Selectors = 10.1.0.0/24 = 10.2.0.0/16\n"
#define PEER PEER_KEYLESS "PSK = " KEY_A "\n"
#define CLIENT "[Client a.example]\nPSK = " KEY_B "\n"

/* What keys are wrapped with is another key for each agent, the secret is not. */
static struct seal seal = { .secret = { 1 } };

static void on_report(void *ctx, bool error, unsigned int line, const char *text)
{
	(void)ctx;
	if (error)
		fail_msg("line %u: %s", line, text);
}

static void parse(const char *text, struct config *out)
{
	const struct config_report report = { on_report, NULL };

	assert_int_equal(config_parse("hub", text, strlen(text), out, &report), 0);
	assert_int_equal(seal_config(&seal, out), 0);
}

static struct ike_id id_of(const char *text)
{
	struct ike_id id;
	char err[160];

	assert_int_equal(ike_id_from_text(text, &id, err, sizeof(err)), 0);
	return id;
}

static void what_differs(void **state)
{
	static const uint8_t secret[TERMS_SECRET] = { 1 }, other[TERMS_SECRET] = { 2 };
	static const struct {
		const char *text;
		enum terms_verdict a, b; /* of the SAs of a.example, b.example */
	} rows[] = {
		{ TUNNEL PEER CLIENT, TERMS_SAME, TERMS_SAME },
		{ "# another day\n" TUNNEL "MTU = 1400\n" PEER "Liveness = 30\n" CLIENT, TERMS_SAME,
		  TERMS_SAME },
		{ TUNNEL PEER "[Client a.example]\nPSK = 77" KEY_B "\n", TERMS_OTHER_KEY,
		  TERMS_SAME },
		{ TUNNEL PEER, TERMS_NO_KEY, TERMS_SAME },
		{ TUNNEL PEER CLIENT "[Client b.example]\nPSK = 77" KEY_B "\n", TERMS_SAME,
		  TERMS_OTHER_KEY },
		/* the same, after which the key of all was taken out */
		{ TUNNEL PEER_KEYLESS CLIENT "[Client b.example]\nPSK = 77" KEY_B "\n", TERMS_SAME,
		  TERMS_NO_KEY },
		{ TUNNEL PEER_KEYLESS CLIENT, TERMS_SAME, TERMS_NO_KEY },
		{ TUNNEL PEER CLIENT "[Client b.example]\nPSK = " KEY_A "\n", TERMS_SAME,
		  TERMS_SAME },
		{ TUNNEL PEER "Crypto = aes128gcm16-x25519\n" CLIENT, TERMS_OTHER, TERMS_OTHER },
		{ "[Tunnel]\nLocalID = hub2.example\nAddress = 10.1.0.1/24\n" PEER CLIENT,
		  TERMS_OTHER, TERMS_OTHER },
		{ TUNNEL PEER "Selectors = 10.1.1.0/24 = 10.2.0.0/16\n" CLIENT, TERMS_SAME,
		  TERMS_SAME },
	};
	struct ike_id a = id_of("a.example"), b = id_of("b.example");
	uint8_t of_a[TERMS_LEN], of_b[TERMS_LEN], again[TERMS_LEN];
	struct config c, d;

	(void)state;
	parse(rows[0].text, &c);
	assert_int_equal(terms_make(&c, secret, &a, of_a), 0);
	assert_int_equal(terms_make(&c, secret, &b, of_b), 0);
	assert_int_equal(terms_make(&c, secret, &b, again), 0);
	for (size_t i = 0; i < TERMS_LEN; i += TERMS_DIGEST)
		assert_memory_not_equal(of_b + i, again + i, TERMS_DIGEST);
	assert_int_equal(terms_judge(&c, secret, &a, of_b), TERMS_OTHER_KEY);
	/* with the secret of other agents, or none at all */
	assert_int_equal(terms_judge(&c, other, &a, of_a), TERMS_UNKNOWN);
	assert_int_equal(terms_judge(&c, secret, &a, NULL), TERMS_UNKNOWN);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		seal.wrapping[0]++;
		parse(rows[i].text, &d);
		if (terms_judge(&d, secret, &a, of_a) != rows[i].a ||
		    terms_judge(&d, secret, &b, of_b) != rows[i].b)
			fail_msg("row %zu: %s", i, rows[i].text);
		config_clear(&d);
	}
	config_clear(&c);
}

/* A configuration with these users. */
static void parse_users(const char *peer, const char *users, struct config *out)
{
	const struct config_report report = { on_report, NULL };
	char text[256];

	snprintf(text, sizeof(text), TUNNEL "Key = /k\n[Peer]\nUsers = /u\nClients = 5\n%s", peer);
	assert_int_equal(config_parse("hub", text, strlen(text), out, &report), 0);
	assert_int_equal(client_keys_parse_users(&out->keys, users, strlen(users), on_report, NULL),
			 0);
	assert_null(client_keys_sort(&out->keys));
	assert_int_equal(seal_config(&seal, out), 0);
}

/* Who is no user any more, or has another password, is out; who never was one stays out. */
static void users_are_terms(void **state)
{
	static const uint8_t secret[TERMS_SECRET] = { 1 };
	static const struct {
		const char *peer, *users;
		enum terms_verdict alice, mallory;
	} rows[] = {
		{ "", "alice = x\nbob = z\n", TERMS_SAME, TERMS_NO_KEY },
		{ "", "alice = z\nbob = y\n", TERMS_OTHER_KEY, TERMS_NO_KEY },
		{ "", "bob = y\n", TERMS_NO_KEY, TERMS_NO_KEY },
		{ "", "alice = x\nmallory = z\n", TERMS_SAME, TERMS_NO_KEY },
		{ "EAPMethods = md5, mschapv2\n", "alice = x\nbob = y\n", TERMS_OTHER,
		  TERMS_OTHER },
	};
	const struct ike_id alice = id_of("alice"), mallory = id_of("mallory");
	uint8_t terms[2][TERMS_LEN];
	struct config c;

	(void)state;
	parse_users("", "alice = x\nbob = y\n", &c);
	assert_int_equal(terms_make(&c, secret, &alice, terms[0]), 0);
	assert_int_equal(terms_make(&c, secret, &mallory, terms[1]), 0);
	assert_int_equal(terms_judge(&c, secret, &alice, terms[0]), TERMS_SAME);
	assert_int_equal(terms_judge(&c, secret, &mallory, terms[1]), TERMS_NO_KEY);
	config_clear(&c);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		parse_users(rows[i].peer, rows[i].users, &c);
		assert_int_equal(terms_judge(&c, secret, &alice, terms[0]), rows[i].alice);
		assert_int_equal(terms_judge(&c, secret, &mallory, terms[1]), rows[i].mallory);
		config_clear(&c);
	}
}

/* Which PPK a client has to have. What others may name is no term: nobody knows which of them it was. */
static void ppks_of_clients_are_terms(void **state)
{
#define PPK_1 "hex:00112233445566778899aabbccddeeff102132435465768798a9bacbdcedfe0f"
#define PPK_2 "hex:ff112233445566778899aabbccddeeff102132435465768798a9bacbdcedfe0f"
#define OWN(name, key) TUNNEL PEER "[Client a.example]\nPPKID = " name "\nPPK = " key "\n"
	static const uint8_t secret[TERMS_SECRET] = { 1 };
	static const struct {
		const char *text;
		enum terms_verdict a, b; /* of the SAs of a.example, b.example */
	} rows[] = {
		{ OWN("one", PPK_1), TERMS_SAME, TERMS_SAME },
		{ OWN("two", PPK_1), TERMS_SAME, TERMS_SAME },
		{ OWN("one", PPK_2), TERMS_OTHER_KEY, TERMS_SAME },
		{ TUNNEL PEER "PPKRequired = no\n[Client a.example]\nPPKID = one\nPPK = " PPK_1
			      "\n",
		  TERMS_OTHER, TERMS_OTHER },
		{ TUNNEL PEER, TERMS_OTHER, TERMS_OTHER },
		{ TUNNEL PEER "PPKID = one\nPPK = " PPK_1 "\n", TERMS_OTHER, TERMS_OTHER },
	};
	const struct ike_id a = id_of("a.example"), b = id_of("b.example");
	uint8_t terms[2][TERMS_LEN];
	struct config c;

	(void)state;
	parse(rows[0].text, &c);
	assert_int_equal(terms_make(&c, secret, &a, terms[0]), 0);
	assert_int_equal(terms_make(&c, secret, &b, terms[1]), 0);
	config_clear(&c);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		parse(rows[i].text, &c);
		assert_int_equal(terms_judge(&c, secret, &a, terms[0]), rows[i].a);
		assert_int_equal(terms_judge(&c, secret, &b, terms[1]), rows[i].b);
		config_clear(&c);
	}
}

#define SIGNS(own, peer) \
	"[Tunnel]\nLocalID = a.example\nKey = /" own "\n[Peer]\nPublicKey = hex:" peer "\n"
#define SPKI_1 \
	"302a300506032b65700321007d4d0e7f6153a69b6242b522abbee685fda4420f8834b108c3bdae369ef549fa"
#define SPKI_2 \
	"302a300506032b6570032100d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"

/* With two rounds both of what was proven, and as whom. */
static void both_rounds_are_terms(void **state)
{
#define ROUNDS "RemoteAuth = psk, eap\n[Tunnel]\nLocalAuth = pubkey\n[Peer]\n"
	static const uint8_t secret[TERMS_SECRET] = { 1 };
	static const struct {
		const char *peer, *users;
		enum terms_verdict alice;
	} rows[] = {
		{ ROUNDS "PSK = " KEY_A "\n", "alice = x\nbob = z\n", TERMS_SAME },
		{ ROUNDS "PSK = 77" KEY_B "\n", "alice = x\n", TERMS_OTHER_KEY },
		{ ROUNDS "PSK = " KEY_A "\n", "alice = z\n", TERMS_OTHER_KEY },
		{ ROUNDS "PSK = " KEY_A "\n", "bob = x\n", TERMS_NO_KEY },
		{ ROUNDS "PSK = " KEY_A "\nFirstID = a.example\n", "alice = x\n", TERMS_OTHER },
		{ "", "alice = x\n", TERMS_OTHER },
	};
	const struct ike_id alice = id_of("alice");
	uint8_t terms[TERMS_LEN];
	struct config c;

	(void)state;
	parse_users(rows[0].peer, "alice = x\n", &c);
	assert_int_equal(terms_make(&c, secret, &alice, terms), 0);
	config_clear(&c);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		parse_users(rows[i].peer, rows[i].users, &c);
		if (terms_judge(&c, secret, &alice, terms) != rows[i].alice)
			fail_msg("row %zu: %d", i, terms_judge(&c, secret, &alice, terms));
		config_clear(&c);
	}
}

/* As a user: who we are, and who the server of EAP is. */
static void names_of_eap_are_terms(void **state)
{
#define USER                                                               \
	"[Tunnel]\nLocalID = a.example\nLocalAuth = eap\nPassword = xyz\n" \
	"[Peer]\nEndpoint = 192.0.2.1\nPublicKey = hex:" SPKI_1 "\n[Tunnel]\nEAP = "
	static const uint8_t secret[TERMS_SECRET] = { 1 };
	static uint8_t server[] = { IKE_CRED_EAP_SERVER, 0, 0, 4, IKE_ID_FQDN, 'a', '.', 'b' };
	const struct ike_id hub = id_of("hub.example");
	uint8_t terms[TERMS_LEN], *creds;
	struct config c;

	(void)state;
	parse(USER "alice\n", &c);
	assert_int_equal(terms_make(&c, secret, &hub, terms), 0);
	assert_int_equal(terms_judge(&c, secret, &hub, terms), TERMS_SAME);
	config_clear(&c);
	parse(USER "bob\n", &c);
	assert_int_equal(terms_judge(&c, secret, &hub, terms), TERMS_OTHER);
	creds = c.creds;
	c.creds = server;
	c.n_creds = sizeof(server);
	assert_int_equal(terms_make(&c, secret, &hub, terms), 0);
	assert_int_equal(terms_judge(&c, secret, &hub, terms), TERMS_SAME);
	server[sizeof(server) - 1] = 'c';
	assert_int_equal(terms_judge(&c, secret, &hub, terms), TERMS_OTHER);
	c.creds = creds;
	config_clear(&c);
}

/* The peer's key is of the terms, and the method; our own is not, which the next IKE SA shows. */
static void public_keys_are_terms(void **state)
{
	static const uint8_t secret[TERMS_SECRET] = { 1 };
	static const struct {
		const char *text;
		enum terms_verdict verdict;
	} rows[] = {
		{ SIGNS("k", SPKI_1), TERMS_SAME },
		{ SIGNS("another", SPKI_1), TERMS_SAME },
		{ SIGNS("k", SPKI_2), TERMS_OTHER_KEY },
		{ SIGNS("k", SPKI_1) "Signatures = pss\n", TERMS_OTHER },
		{ "[Tunnel]\nLocalID = a.example\n[Peer]\nPSK = " KEY_A "\n", TERMS_OTHER },
	};
	const struct ike_id of_one_peer = { .type = 0 };
	uint8_t terms[TERMS_LEN];
	struct config c;

	(void)state;
	parse(rows[0].text, &c);
	assert_int_equal(terms_make(&c, secret, &of_one_peer, terms), 0);
	config_clear(&c);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		parse(rows[i].text, &c);
		if (terms_judge(&c, secret, &of_one_peer, terms) != rows[i].verdict)
			fail_msg("row %zu: %s", i, rows[i].text);
		config_clear(&c);
	}
}

#define NEAR "[Client a.b.example]\nPSK = " KEY_A "\n"
#define WILDCARD "[Client *.b.example]\nPSK = " KEY_B "\n"
#define FAR "[Client *.example]\nPSK = 77" KEY_A "\n"

/* Where the key stood by which a.b.example came, and what became of it. */
static void keys_taken_away(void **state)
{
	static const uint8_t secret[TERMS_SECRET] = { 1 };
	static const struct {
		const char *then, *now;
		enum terms_verdict verdict;
	} rows[] = {
		{ NEAR WILDCARD, NEAR, TERMS_SAME },
		{ NEAR WILDCARD, WILDCARD, TERMS_NO_KEY },
		{ NEAR WILDCARD, "[Client *.b.example]\nPSK = " KEY_A "\n", TERMS_SAME },
		{ NEAR, "[Client a.b.example]\nPSK = 77" KEY_A "\n", TERMS_OTHER_KEY },
		{ NEAR, FAR, TERMS_NO_KEY },
		{ WILDCARD, WILDCARD NEAR, TERMS_OTHER_KEY },
		{ WILDCARD, NEAR,
		  TERMS_NO_KEY }, /* … and, another time, the wildcard was taken out */
		{ WILDCARD FAR, FAR, TERMS_NO_KEY },
		{ FAR, WILDCARD NEAR FAR, TERMS_OTHER_KEY },
		{ FAR, WILDCARD NEAR, TERMS_NO_KEY },
		{ FAR, "[Client c.b.example]\nPSK = 77" KEY_A "\n", TERMS_NO_KEY },
	};
	struct ike_id id = id_of("a.b.example");
	uint8_t terms[TERMS_LEN];
	struct config c, d;
	char text[1024];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(text, sizeof(text), TUNNEL PEER_KEYLESS "%s", rows[i].then);
		parse(text, &c);
		snprintf(text, sizeof(text), TUNNEL PEER_KEYLESS "%s", rows[i].now);
		parse(text, &d);
		assert_int_equal(terms_make(&c, secret, &id, terms), 0);
		if (terms_judge(&d, secret, &id, terms) != rows[i].verdict)
			fail_msg("row %zu: %s became %s", i, rows[i].then, rows[i].now);
		config_clear(&c);
		config_clear(&d);
	}
}

/* The next agent has it again, unless somebody else may have put it there. */
static void the_secret_stays(void **state)
{
	uint8_t first[TERMS_SECRET], second[TERMS_SECRET];
	char dir[] = "/tmp/esptun-terms-XXXXXX", socket[64], file[80], err[256];
	struct stat st;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(socket, sizeof(socket), "%s/control", dir);
	snprintf(file, sizeof(file), "%s.secret", socket);
	assert_int_equal(terms_secret_read(socket, first, err, sizeof(err)), 0);
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(terms_secret_read(socket, second, err, sizeof(err)), 0);
	assert_memory_equal(first, second, sizeof(first));
	/* others could read it; it is cut off; it is a link */
	chmod(file, 0640);
	assert_int_equal(terms_secret_read(socket, second, err, sizeof(err)), 0);
	assert_memory_not_equal(first, second, sizeof(first));
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(truncate(file, TERMS_SECRET - 1), 0);
	assert_int_equal(terms_secret_read(socket, first, err, sizeof(err)), 0);
	assert_memory_not_equal(first, second, sizeof(first));
	unlink(file);
	assert_int_equal(symlink("/dev/zero", file), 0);
	assert_int_equal(terms_secret_read(socket, first, err, sizeof(err)), -1);
	assert_non_null(strstr(err, file));
	unlink(file);
	/* a folder that is not there */
	snprintf(socket, sizeof(socket), "%s/none/control", dir);
	assert_int_equal(terms_secret_read(socket, second, err, sizeof(err)), -1);
	assert_memory_not_equal(first, second, sizeof(first));
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_differs),
		cmocka_unit_test(users_are_terms),
		cmocka_unit_test(ppks_of_clients_are_terms),
		cmocka_unit_test(both_rounds_are_terms),
		cmocka_unit_test(names_of_eap_are_terms),
		cmocka_unit_test(public_keys_are_terms),
		cmocka_unit_test(keys_taken_away),
		cmocka_unit_test(the_secret_stays),
	};

	return cmocka_run_group_tests_name("terms", tests, NULL, NULL);
}
