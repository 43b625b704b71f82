// SPDX-License-Identifier: GPL-2.0-or-later
/* Completion and the table of commands it is made from; keys that leave through the shell. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "ike/app/secret.h"

static char path[] = "/tmp/esptun-complete-XXXXXX";

/* What the command line prints to the file @fd, which becomes @stream, with blanks for newlines. */
static const char *printed(int stream, int argc, char **argv)
{
	static char text[4096];
	int fd = open(path, O_RDWR | O_TRUNC), old;
	ssize_t n;

	fflush(NULL);
	old = dup(stream);
	dup2(fd, stream);
	assert_int_equal(cli_main(argc, argv), 0);
	fflush(NULL);
	dup2(old, stream);
	close(old);
	n = pread(fd, text, sizeof(text) - 1, 0);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	for (char *s = text; *s; s++)
		*s = *s == '\n' ? ' ' : *s;
	return text;
}

/* @words behind "esptun", separated by blanks; the last one may be empty. */
static const char *complete(const char *words)
{
	static char text[256];
	char *argv[24] = { "esptun", "-complete" }, *at = text;
	int argc = 2;

	snprintf(text, sizeof(text), "%s", words);
	for (argv[argc++] = at; (at = strchr(at, ' '));) {
		*at++ = '\0';
		argv[argc++] = at;
	}
	return printed(STDOUT_FILENO, argc, argv);
}

static void completes(void **state)
{
	static const struct {
		const char *words, *offered;
	} rows[] = {
		{ "",
		  "peer sa stats monitor keygen import ca peer-config up down status top why check reload pool algo help " },
		{ "s", "sa stats status " },
		{ "x", "" },
		{ "-br", "-brief " },
		{ "--s", "--statistics --stats --show-keys " },
		{ "-j -p k", "keygen " },
		{ "-control ", "@file " },
		{ "-control /run/x ke", "keygen " },
		{ "peer ", "add set del delete show list lst help " },
		{ "pe a", "add " },
		{ "peer add ", "dev id remote port local encap keepalive roam on-demand tos ttl df "
			       "flowlabel udp6zerocsumtx udp6zerocsumrx " },
		{ "peer add dev vpn0 id 1 ",
		  "remote port local encap keepalive roam on-demand tos ttl df flowlabel "
		  "udp6zerocsumtx udp6zerocsumrx " },
		{ "peer add ttl ", "auto inherit link " },
		{ "peer add df ", "inherit set unset link " },
		{ "peer add flowlabel ", "sa inner link " },
		{ "peer add id ", "" },
		{ "peer add roam ", "on off " },
		{ "peer add encap ", "udp esp " },
		{ "peer show ", "dev id " },
		{ "peer bogus ", "" },
		{ "sa add dir o", "out " },
		{ "sa add algo aes-gcm-", "aes-gcm-128 aes-gcm-192 aes-gcm-256 aes-gcm-iiv-128 "
					  "aes-gcm-iiv-192 aes-gcm-iiv-256 " },
		{ "sa add enc 3", "3des " },
		{ "sa add aead chacha20-poly1305-", "chacha20-poly1305-iiv " },
		{ "sa add auth hmac-sha", "hmac-sha256 hmac-sha384 hmac-sha512 hmac-sha1 " },
		{ "sa add auth hmac-sha1 0x00 e", "esn enc " },
		{ "algo ", "show list lst help " },
		{ "sa add key ", "file stdin " },
		{ "sa add mode ", "tunnel transport " },
		{ "sa add key file ", "@file " },
		{ "sa add key file dev d", "dev dir dummy " },
		{ "sa add tfc ", "mtu " },
		{ "sa add limit ", "soft-bytes hard-bytes soft-packets hard-packets "
				   "soft-time hard-time soft-use-time hard-use-time " },
		{ "sa add limit soft-bytes ", "" },
		{ "sa add limit soft-bytes 5 l", "local-ts limit " },
		{ "sa add local-ts 10.0.0.0/8 fd00::/8 r", "replay-window remote-ts " },
		{ "sa flush ", "dev peer " },
		{ "monitor ", "help dev label " },
		{ "monitor label ", "on off " },
		{ "keygen ", "help sa psk " },
		{ "import ", "@file help " },
		{ "import f --f", "--from --force " },
		{ "import f --from w", "wg-quick " },
		{ "keygen sa c", "chacha20-poly1305 chacha20-poly1305-iiv " },
		{ "up hq ", "timeout " },
		{ "down -", "--all " },
		{ "reload ", "help " },
		{ "top ", "help -b -n -d " },
		{ "top -b -d 2 ", "-n " },
		{ "pool ", "show help " },
		{ "pool bogus ", "" },
		{ "ca ", "init issue revoke list crl help " },
		{ "ca init --", "--name --key --days --encrypt --dir --passphrase " },
		{ "ca init --key e", "ecdsa-p256 ecdsa-p384 ed25519 " },
		{ "ca issue x --s", "--san --server " },
		{ "ca list --", "--dir --passphrase " },
		{ "ca issue x --p12 ", "@file " },
		{ "peer-config x --f", "--for " },
		{ "peer-config x --for a", "apple android aws azure " },
		{ "peer-config x --for esptun --", "--address --id --net --p12 --secrets " },
		{ "help p", "peer peer-config pool " },
		{ "bogus ", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *offered = complete(rows[i].words);

		if (strcmp(offered, rows[i].offered))
			fail_msg("\"%s\" offers \"%s\"", rows[i].words, offered);
	}
}

/* Usage and table agree: every keyword and subcommand is explained. */
static void usage_is_complete(void **state)
{
	(void)state;
	for (const struct command *c = commands; c->name; c++) {
		for (const struct keyword *k = c->keywords; k && k->name; k++) {
			if (strcmp(k->name, "psk") && !strstr(c->usage, k->name))
				fail_msg("%s: no word of \"%s\"", c->name, k->name);
		}
		for (const struct subcommand *s = c->subcommands; s && s->name; s++) {
			char text[64];

			if (s > c->subcommands && s->run == s[-1].run)
				continue; /* another name of it */
			snprintf(text, sizeof(text), "esptun %s %s ", c->name, s->name);
			if (!strstr(c->usage, text))
				fail_msg("%s: no word of \"%s\"", c->name, s->name);
		}
	}
}

/* keygen >FILE with the usual umask. */
static void keygen_warns(void **state)
{
	char *argv[] = { "esptun", "keygen", NULL };
	char *sa[] = { "esptun", "keygen", "sa", "aes-gcm-256", NULL };
	char out[] = "/tmp/esptun-keygen-XXXXXX", want[128];
	int fd = mkstemp(out), old;

	(void)state;
	fflush(NULL);
	old = dup(STDOUT_FILENO);
	dup2(fd, STDOUT_FILENO);
	assert_string_equal(printed(STDERR_FILENO, 2, argv), "");
	assert_int_equal(fchmod(fd, 0644), 0);
	snprintf(want, sizeof(want),
		 "Warning: others can read this key (mode 0644): run chmod 600 %s,", out);
	assert_non_null(strstr(printed(STDERR_FILENO, 2, argv), want));
	assert_non_null(strstr(printed(STDERR_FILENO, 4, sa), "umask 077"));
	fflush(NULL);
	dup2(old, STDOUT_FILENO);
	close(old);
	close(fd);
	unlink(out);
}

/* A key in a file is text: the agent must not take it for anything else, and warns of what may be meant otherwise. */
static void keys_are_no_other_notation(void **state)
{
	uint8_t key[SECRET_MAX];
	char text[KEYGEN_PSK_TEXT], why[256];
	size_t len;

	(void)state;
	/* One of 128 random ones begins with a slash and has another one. */
	for (int i = 0; i < 10000; i++) {
		assert_int_equal(keygen_psk_text(text), 0);
		assert_int_equal(secret_from_text(text, key, &len, why, sizeof(why)), 0);
		assert_string_equal(why, "");
		assert_int_equal(len, 44); /* 32 bytes in base64 */
	}
}

static int make_file(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(completes),
		cmocka_unit_test(usage_is_complete),
		cmocka_unit_test(keygen_warns),
		cmocka_unit_test(keys_are_no_other_notation),
	};

	return cmocka_run_group_tests_name("cli_complete", tests, make_file, remove_file);
}
