// SPDX-License-Identifier: GPL-2.0-or-later
/* Keys of clients: sections [Client ID] and the file of Secrets=. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ike/app/config/config.h"
#include "some_config.h"

#define HUB "[Peer]\nRemoteID = *.example.org\nClients = 5\n"
#define KEY_A "Kq7mTz3vRw9pXc2nYb5sLd8g"
#define KEY_B "9fGhJ4kWe6rVt2yNu8iMo5pQ"

static const struct client_key *key_for(const struct config *c, const char *text)
{
	struct ike_id id;
	char err[160];

	assert_int_equal(ike_id_from_text(text, &id, err, sizeof(err)), 0);
	return client_keys_find(c->keys.v, c->keys.n, &id);
}

static void has_key(const struct config *c, const char *id, const char *key)
{
	const struct client_key *k = key_for(c, id);

	if (!k)
		fail_msg("no key for %s", id);
	if (k->len != strlen(key) || memcmp(k->key, key, k->len))
		fail_msg("another key for %s", id);
}

static void a_key_for_each_client(void **state)
{
	struct config c, d;

	(void)state;
	accepted(HUB PSK_LINE "[Client b.example.org]\nPSK = " KEY_B "\n"
			      "[client A.example.ORG]\nPSK = \"" KEY_A "\"\n",
		 &c);
	assert_string_equal(said, "");
	has_key(&c, "a.example.org", KEY_A);
	has_key(&c, "B.example.org", KEY_B);
	assert_null(key_for(&c, "c.example.org"));
	assert_null(key_for(&c, "keyid:a.example.org"));
	assert_null(key_for(&c, "example.org"));
	accepted(HUB PSK_LINE "[Client a.example.org]\nPSK = " KEY_B "\n", &d);
	assert_false(config_equal(&c, &d));
	assert_true(config_equal_but_keys(&c, &d));
	config_clear(&d);
	accepted(HUB "[Client a.example.org]\nPSK = " KEY_B "\n", &d);
	assert_false(config_equal_but_keys(&c, &d)); /* the tunnel's is another */
	config_clear(&d);
	config_clear(&c);
}

static void the_most_exact_key(void **state)
{
	struct config c;

	(void)state;
	accepted("[Peer]\nClients = 5\n"
		 "[Client *.example.org]\nPSK = 11" KEY_A "\n"
		 "[Client *.b.example.org]\nPSK = 22" KEY_A "\n"
		 "[Client c.b.example.org]\nPSK = 33" KEY_A "\n"
		 "[Client *@example.org]\nPSK = 44" KEY_A "\n"
		 "[Client Jo@example.org]\nPSK = 55" KEY_A "\n"
		 "[Client 2001:db8::7]\nPSK = 66" KEY_A "\n"
		 "[Client keyid:0x00ff]\nPSK = 77" KEY_A "\n",
		 &c);
	has_key(&c, "a.example.org", "11" KEY_A);
	has_key(&c, "b.example.org", "11" KEY_A);
	has_key(&c, "x.b.example.org", "22" KEY_A);
	has_key(&c, "x.y.B.example.org", "22" KEY_A);
	has_key(&c, "C.b.example.org", "33" KEY_A);
	has_key(&c, "x.c.b.example.org", "22" KEY_A);
	has_key(&c, "jo@example.org", "44" KEY_A);
	has_key(&c, "Jo@EXAMPLE.org", "55" KEY_A);
	has_key(&c, "2001:db8::7", "66" KEY_A);
	has_key(&c, "keyid:0x00ff", "77" KEY_A);
	assert_null(key_for(&c, "example.org"));
	assert_null(key_for(&c, "jo@a.example.org"));
	assert_null(key_for(&c, "badexample.org"));
	assert_null(key_for(&c, "192.0.2.1"));
	config_clear(&c);
}

static void wrong_client_sections(void **state)
{
	static const struct {
		const char *text, *said;
	} rows[] = {
		{ HUB "[Client a.example.org]\n",
		  "4: [Client a.example.org] lacks PSK, the key shared with it" },
		{ HUB "[Client a.example.org]\nPSK = " KEY_A
		      "\n[Client A.example.org]\nPSK = " KEY_B "\n",
		  "6: [Client A.example.org] is there already, in line 4" },
		{ HUB "[Client a.example.org]\nPSK = " KEY_A "\nPSK = " KEY_A "\n",
		  "6: PSK is given again; the first one is in line 5" },
		{ HUB "[Client a.example.net]\nPSK = " KEY_A "\n",
		  "4: [Client a.example.net] can never come: RemoteID is *.example.org" },
		{ HUB "[Client]\nPSK = " KEY_A "\n",
		  "4: expected [Client ID]: this is no identity" },
		{ HUB "[Client a b]\nPSK = " KEY_A "\n", "4: expected [Client ID]: " },
		{ HUB "[Client a.example.org]\nPSK = hex:0\n", "5: PSK: the key is wrong" },
		{ HUB "[Client a.example.org]\nRoutes = 10.0.0.0/8\n",
		  "5: Routes belongs into section [Peer], not [Client]" },
		{ HUB "[Client a.example.org]\nsecret = x\n",
		  "5: [Client] has no key secret; it is PSK in [Client] here" },
		{ HUB "[Clients a.example.org]\n", "4: unknown section" },
		{ HUB, "0: [Peer] lacks PSK" },
		{ HUB "Secrets = hub.secrets\n",
		  "4: Secrets = hub.secrets: expected the /PATH of a file" },
		{ "[Peer]\n" PSK_LINE "[Client a.example.org]\nPSK = " KEY_A "\n",
		  "3: [Client ID] is for clients: expected Clients of 2 or more" },
		{ "[Peer]\n" PSK_LINE "Secrets = /etc/esptun/s\n",
		  "3: Secrets is for clients: expected Clients of 2 or more" },
	};
	struct config c;

	(void)state;
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		refused(rows[i].text, rows[i].said);
		assert_null(strstr(said, KEY_A));
	}
	accepted(HUB "[Client a.example.org]\nPSK = easy\n", &c);
	assert_non_null(strstr(said, "4: warning: [Client a.example.org]: the key can be guessed"));
	config_clear(&c);
	accepted(HUB "Secrets = /etc/esptun/hub.secrets\n", &c);
	assert_string_equal(c.secrets_file, "/etc/esptun/hub.secrets");
	config_clear(&c);
}

/* The hub's configuration with @lines in the file of Secrets=: what is said about it. */
static int load_hub(const char *lines, const char *sections, struct config *c)
{
	char conf[128], secrets[128], text[512];

	write_file("secrets", 0600, lines, secrets, sizeof(secrets));
	snprintf(text, sizeof(text), HUB "Secrets = %s\n%s", secrets, sections);
	write_file("hub.conf", 0600, text, conf, sizeof(conf));
	return load(conf, c);
}

static bool is_later(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec > b->tv_sec || (a->tv_sec == b->tv_sec && a->tv_nsec > b->tv_nsec);
}

/* Another key in a file of keys is another configuration, for SAs of which nothing else is known. */
static void files_of_keys_have_their_time(void **state)
{
	char path[128], sections[256];
	struct timespec before;
	struct config c;

	(void)state;
	make_dir();
	write_file("own", 0600, KEY_B, path, sizeof(path));
	snprintf(sections, sizeof(sections), "[Client b.example.org]\nPSK = file:%s\n", path);
	assert_int_equal(load_hub("a.example.org = " KEY_A "\n", sections, &c), 0);
	before = c.changed;
	config_clear(&c);
	for (unsigned int i = 0; i < 2; i++) {
		usleep(20000);
		snprintf(path, sizeof(path), "%s/%s", dir, i ? "own" : "secrets");
		assert_int_equal(chmod(path, 0600), 0);
		snprintf(path, sizeof(path), "%s/hub.conf", dir);
		assert_int_equal(load(path, &c), 0);
		assert_true(is_later(&c.changed, &before));
		before = c.changed;
		config_clear(&c);
	}
}

static void wrong_lines_of_secrets(void)
{
	static const struct {
		const char *lines, *sections, *said;
	} rows[] = {
		{ "a.example.org = " KEY_A "\nb.example.org\n", "",
		  "/secrets:2: expected IDENTITY = KEY" },
		{ "a.example.org : PSK \"" KEY_A "=\"\n", "",
		  "/secrets:1: lines of ipsec.secrets" },
		{ "[Client a.example.org]\nPSK = " KEY_A "\n", "",
		  "/secrets:1: this file has no sections" },
		{ "a b = " KEY_A "\n", "", "/secrets:1: before the =: this is no identity" },
		{ "a.example.org =\n", "", "/secrets:1: there is no key behind the =" },
		{ "a.example.org = hex:x\n", "", "/secrets:1: the key is wrong" },
		{ "a.example.org = " KEY_A " # a\n", "",
		  "/secrets:1: expected a key without comment" },
		{ "a.example.org = " KEY_A "\n#\nA.example.org = " KEY_B "\n", "",
		  "/secrets:3: A.example.org has a key already, in line 1 of this file" },
		{ "#\na.example.org = " KEY_A "\n", "[Client a.example.org]\nPSK = " KEY_B "\n",
		  "/secrets:2: a.example.org has a key already, in line 5 of the configuration" },
	};
	struct config c;

	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(load_hub(rows[i].lines, rows[i].sections, &c), -1);
		if (!strstr(said, rows[i].said))
			fail_msg("said \"%s\", not \"%s\"", said, rows[i].said);
		assert_null(strstr(said, KEY_A));
	}
	assert_int_equal(load_hub("a.example.org = easy\n", "", &c), 0);
	assert_non_null(strstr(said, "/secrets:1: the key can be guessed"));
	config_clear(&c);
}

/* The file of Secrets= has to be ours alone; the configuration, which holds no key itself, may be read by others. */
static void others_do_not_read_secrets(void)
{
	char conf[128], path[128];
	struct config c;

	snprintf(path, sizeof(path), "%s/secrets", dir);
	snprintf(conf, sizeof(conf), "%s/hub.conf", dir);
	assert_int_equal(chmod(conf, 0644), 0);
	assert_int_equal(load(conf, &c), 0);
	config_clear(&c);
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(load(conf, &c), -1);
	assert_non_null(strstr(said, "can be read by others (mode 0640)"));
	unlink(path);
	assert_int_equal(load(conf, &c), -1);
	assert_non_null(strstr(said, "cannot read the key file"));
	unlink(conf);
}

/* The key of a section in a file of its own, named in one that others may read. */
static void a_file_for_one_client(void)
{
	char conf[128], path[128], text[512];
	struct config c;

	write_file("a.psk", 0600, KEY_A "\n", path, sizeof(path));
	snprintf(text, sizeof(text), HUB "[Client a.example.org]\nPSK = file:%s\n", path);
	write_file("hub.conf", 0644, text, conf, sizeof(conf));
	assert_int_equal(load(conf, &c), 0);
	has_key(&c, "a.example.org", KEY_A);
	config_clear(&c);
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(load(conf, &c), -1);
	assert_int_equal(chmod(path, 0600), 0);
	snprintf(text, sizeof(text),
		 HUB "[Client a.example.org]\nPSK = file:%s\n[Client b.example.org]\nPSK = " KEY_B
		     "\n",
		 path);
	write_file("hub.conf", 0644, text, conf, sizeof(conf));
	assert_int_equal(load(conf, &c), -1);
	assert_non_null(strstr(said, "hub.conf holds a key and can be read by others"));
	/* the longest path there is room for, and one more byte */
	for (unsigned int i = 0; i < 2; i++) {
		char longest[SECRET_MAX + 1];

		memset(longest, 'x', SECRET_MAX - 1 + i);
		longest[0] = '/';
		longest[SECRET_MAX - 1 + i] = 0;
		snprintf(text, sizeof(text), HUB "[Client a.example.org]\nPSK = file:%s\n",
			 longest);
		write_file("hub.conf", 0600, text, conf, sizeof(conf));
		assert_int_equal(load(conf, &c), -1);
		assert_int_equal(strstr(said, "cannot read the key file /xxx") != NULL, i == 0);
	}
	unlink(path);
	unlink(conf);
}

static void a_file_of_secrets(void **state)
{
	struct config c, d;

	(void)state;
	make_dir();
	assert_int_equal(load_hub("# who may come\n\n"
				  "b.example.org = " KEY_B "\n"
				  "  a.example.org=\"" KEY_A "\"\n"
				  "; the rest\n"
				  "*.example.org = base64:9kXqTz3vRw9pXc2nYb5sLQ==\n"
				  "keyid:7 = hex:8f3a61c27be5094d1877f2aa3c95e06b\n"
				  "keyid:ou=7\t= " KEY_A " = 1\n",
				  "[Client c.example.org]\nPSK = " KEY_A KEY_B "\n", &c),
			 0);
	assert_string_equal(said, "");
	assert_int_equal(c.keys.n, 6);
	has_key(&c, "keyid:ou=7", KEY_A " = 1");
	has_key(&c, "a.example.org", KEY_A);
	has_key(&c, "b.example.org", KEY_B);
	has_key(&c, "c.example.org", KEY_A KEY_B);
	assert_int_equal(key_for(&c, "d.example.org")->len, 16);
	assert_int_equal(key_for(&c, "keyid:7")->len, 16);
	/* the same in other lines is no change */
	assert_int_equal(load_hub("*.example.org = base64:9kXqTz3vRw9pXc2nYb5sLQ==\n\n"
				  "keyid:7 = hex:8f3a61c27be5094d1877f2aa3c95e06b\n"
				  "keyid:ou=7 = " KEY_A " = 1\n"
				  "a.example.org = " KEY_A "\n"
				  "b.example.org = " KEY_B "\n",
				  "[Client c.example.org]\nPSK = " KEY_A KEY_B "\n", &d),
			 0);
	assert_true(config_equal(&c, &d));
	config_clear(&d);
	config_clear(&c);
	wrong_lines_of_secrets();
	others_do_not_read_secrets();
	a_file_for_one_client();
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_for_each_client),
		cmocka_unit_test(the_most_exact_key),
		cmocka_unit_test(wrong_client_sections),
		cmocka_unit_test(a_file_of_secrets),
		cmocka_unit_test(files_of_keys_have_their_time),
	};

	return cmocka_run_group_tests_name("config_clients", tests, NULL, NULL);
}
