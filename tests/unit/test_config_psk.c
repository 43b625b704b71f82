// SPDX-License-Identifier: GPL-2.0-or-later
/* PSK= of a configuration: its forms, its file, and that it is shown nowhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ike/app/config/config.h"
#include "ike/app/secret.h"
#include "some_config.h"

static void keys_in_other_forms(void **state)
{
	struct config c;

	(void)state;
	accepted("[Peer]\nPSK = hex:00FF10\n", &c);
	assert_int_equal(c.psk_len, 3);
	assert_memory_equal(c.psk, "\x00\xff\x10", 3);
	assert_int_equal(c.start, IKE_START_LISTEN); /* nowhere to begin */
	config_clear(&c);
	accepted("[Peer]\nPSK = base64:AAECAw==\n", &c);
	assert_int_equal(c.psk_len, 4);
	assert_memory_equal(c.psk, "\x00\x01\x02\x03", 4);
	config_clear(&c);
	accepted("[Peer]\nPSK = file:/etc/esptun/psk\n", &c);
	assert_string_equal(c.psk_file, "/etc/esptun/psk");
	config_clear(&c);
	refused("[Peer]\nPSK = hex:00F\n", "2: PSK: the key is ");
	refused("[Peer]\nPSK = base64:AAA\n", "2: PSK: the key is ");
	refused("[Peer]\nPSK = base64:A*ECAw==\n", "2: PSK: the key is ");
	refused("[Peer]\nPSK = file:psk\n", "2: PSK: the key names a file: expected file:/PATH");
	refused("[Peer]\nPSK = secret # of hq\n", "2: PSK: expected a key without comment");
	refused("[Peer]\nPSK =\n", "2: PSK: expected");
}

static void never_repeats_a_key(void **state)
{
	(void)state;
	refused("[Peer]\nPSK = hex:topsecret\n", "2: PSK");
	assert_null(strstr(said, "topsecret"));
}

/* Wherever the key strays to, no complaint repeats it, not even a part. */
static void never_repeats_a_stray_key(void **state)
{
	static const char *const before[] = {
		"",
		"[Peer]\n",
		"[Peer]\n  Routes = 10.0.0.0/8\n",
		"[Peer]\n  Selectors = any\n",
		"[Peer]\n  Crypto = modern\n",
		"[Tunnel]\n\tAddress = 10.0.0.1/8\n",
		"[Peer]\n  PSK =\n",
		"[Tunnel]\n MTU = 1400\n",
	};
	static const char *const lines[] = {
		"  PSK = hunter2\n",  "\tPSK: hunter2\n",	"  pks = hunter2\n",
		"  PSK=hunter2\n",    "  Password = hunter2\n", "  Password: hunter2\n",
		"  Secret=hunter2\n", "  hunter2==\n",		"hunter2==\n",
	};
	char text[256];
	struct config c;

	(void)state;
	for (unsigned int i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
		for (unsigned int k = 0; k < sizeof(lines) / sizeof(lines[0]); k++) {
			snprintf(text, sizeof(text), "%s%s", before[i], lines[k]);
			if (!parse(text, &c))
				config_clear(&c);
			if (strstr(said, "hunter2"))
				fail_msg("of \"%s\" it said \"%s\"", text, said);
		}
	}
}

#ifndef __SANITIZE_ADDRESS__ /* which has a free() of its own */

static const char *residue; /* what no freed memory may hold */
static unsigned int residues;

void __libc_free(void *p);

void free(void *p)
{
	if (p && residue && memmem(p, malloc_usable_size(p), residue, strlen(residue)))
		residues++;
	__libc_free(p);
}

static void wipes_what_it_frees(void **state)
{
	struct config c;
	char *volatile seen = malloc(64);

	(void)state;
	residue = "5dtRc2sPqYb8Wm1xVn7uKz4L";
	residues = 0;
	snprintf(seen, 64, "%s", residue);
	free(seen);
	assert_int_equal(residues, 1); /* it is looked at */
	residues = 0;
	accepted("[Peer]\n" PSK_LINE, &c);
	config_clear(&c);
	accepted("[Peer]\n" PSK_LINE "Start = listen\n", &c);
	config_clear(&c);
	assert_int_equal(parse("[Peer]\n" PSK_LINE PSK_LINE, &c), -1);
	assert_int_equal(residues, 0);
	residue = NULL;
}

#endif

static void weak_keys(void **state)
{
	struct config c;

	(void)state;
	accepted("[Peer]\nPSK = secret123\n", &c);
	assert_non_null(strstr(said, "2: warning: the key can be guessed"));
	assert_non_null(strstr(said, "make one with \"esptun keygen\""));
	config_clear(&c);
	assert_true(secret_bits((const uint8_t *)"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 34) < 10);
	assert_true(secret_bits((const uint8_t *)"abcdefghijklmnopqrstuvwxyz", 26) < 10);
	assert_true(secret_bits((const uint8_t *)"", 0) == 0);
	assert_in_range(secret_bits((const uint8_t *)"5dtRc2sPqYb8Wm1xVn7uKz4L", 24), 128, 150);
}

static void files(void **state)
{
	char conf[128], psk[128], text[256];
	struct config c;

	(void)state;
	make_dir();

	write_file("site.conf", 0600, "[Peer]\n" PSK_LINE, conf, sizeof(conf));
	assert_int_equal(load(conf, &c), 0);
	assert_string_equal(c.name, "site");
	config_clear(&c);
	assert_int_equal(chmod(conf, 0640), 0);
	assert_int_equal(load(conf, &c), -1);
	assert_non_null(strstr(said, "run chmod 600"));

	write_file("psk", 0600, "5dtRc2sPqYb8Wm1xVn7uKz4L\n", psk, sizeof(psk));
	snprintf(text, sizeof(text), "[Peer]\nPSK = file:%s\n", psk);
	write_file("site.conf", 0644, text, conf, sizeof(conf));
	assert_int_equal(load(conf, &c), 0);
	assert_int_equal(c.psk_len, 24);
	assert_string_equal(said, "");
	config_clear(&c);

	assert_int_equal(chmod(psk, 0604), 0);
	assert_int_equal(load(conf, &c), -1);
	assert_non_null(strstr(said, "can be read by others (mode 0604)"));

	write_file("psk", 0600, "\n", psk, sizeof(psk));
	assert_int_equal(load(conf, &c), -1);
	assert_non_null(strstr(said, "is no key: it is empty"));
	write_file("psk", 0600, "short\n", psk, sizeof(psk));
	assert_int_equal(load(conf, &c), 0);
	assert_non_null(strstr(said, "warning: the key in"));
	config_clear(&c);

	if (!geteuid()) {
		assert_int_equal(chown(psk, 65534, 65534), 0);
		assert_int_equal(load(conf, &c), -1);
		assert_non_null(strstr(said, "belongs to another user (uid 65534)"));
	}

	unlink(psk);
	assert_int_equal(mkfifo(psk, 0600), 0);
	alarm(10); /* it must not wait for a writer */
	assert_int_equal(load(conf, &c), -1);
	alarm(0);
	assert_non_null(strstr(said, "it is no regular file"));
	unlink(psk);
	assert_int_equal(load(conf, &c), -1);
	assert_non_null(strstr(said, "cannot read the key file"));
	assert_non_null(strstr(said, "(PrivateTmp=yes in esptund.service hides it: move it"));
	unlink(conf);
	assert_int_equal(load(conf, &c), -1);
	assert_non_null(strstr(said, "cannot be read: No such file"));
	assert_int_equal(load(dir, &c), -1);
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_in_other_forms),
		cmocka_unit_test(never_repeats_a_key),
		cmocka_unit_test(never_repeats_a_stray_key),
#ifndef __SANITIZE_ADDRESS__
		cmocka_unit_test(wipes_what_it_frees),
#endif
		cmocka_unit_test(weak_keys),
		cmocka_unit_test(files),
	};

	return cmocka_run_group_tests_name("config_psk", tests, NULL, NULL);
}
