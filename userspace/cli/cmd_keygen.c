// SPDX-License-Identifier: GPL-2.0-or-later
/* esptun keygen */
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <limits.h>
#include <unistd.h>

#include "cli/base64.h"
#include "cli/cli.h"

const char usage_keygen[] =
	"Usage: esptun keygen\n"
	"       esptun keygen sa ALGO\n"
	"Prints a pre-shared key of 256 random bits in base64, or with \"sa\" a random key and\n"
	"salt for static SAs (ALGO may be an integrity algorithm, too). Each SA needs a key of its own: one for each direction.\n"
	"Write them to files that others cannot read: umask 077 first.\n";

#define PSK_LEN 32
_Static_assert(BASE64_SIZE(PSK_LEN) <= KEYGEN_PSK_TEXT, "a key does not fit");

static int random_bytes(uint8_t *buf, size_t len)
{
	if (getrandom(buf, len, 0) == (ssize_t)len)
		return 0;
	cli_error("the kernel gave no random bytes");
	return EXIT_KERNEL;
}

int keygen_psk_text(char text[static KEYGEN_PSK_TEXT])
{
	uint8_t psk[PSK_LEN];
	int err;

	/* A key that begins with a slash could be taken for a file's name: another one, one time in 64. */
	do {
		err = random_bytes(psk, sizeof(psk));
		if (!err)
			base64(text, psk, sizeof(psk));
	} while (!err && text[0] == '/');
	explicit_bzero(psk, sizeof(psk));
	return err;
}

static int keygen_psk(void)
{
	char text[KEYGEN_PSK_TEXT];
	int err = keygen_psk_text(text);

	if (!err)
		puts(text);
	explicit_bzero(text, sizeof(text));
	return err;
}

static int keygen_sa(size_t len)
{
	uint8_t key[ESPTUN_KEY_MAX];
	int err = random_bytes(key, len);
	size_t i;

	if (!err) {
		printf("0x");
		for (i = 0; i < len; i++)
			printf("%02x", key[i]);
		putchar('\n');
	}
	explicit_bzero(key, sizeof(key));
	return err;
}

void cli_warn_readable(void)
{
	char name[PATH_MAX];
	struct stat st;
	ssize_t len;

	if (fstat(STDOUT_FILENO, &st) || !S_ISREG(st.st_mode) || !(st.st_mode & 077))
		return;
	len = readlink("/proc/self/fd/1", name, sizeof(name) - 1);
	name[len > 0 ? len : 0] = '\0';
	fprintf(stderr,
		"Warning: others can read this key (mode %04o): run chmod 600 %s, and umask 077 before the next one\n",
		st.st_mode & 07777, name);
}

/* Bytes of key for @name, 0 if it is no algorithm's or needs none. */
static size_t key_len(const char *name)
{
	const struct esptun_integ_alg *integ = esptun_integ_by_name(name);
	const struct esptun_alg *alg = esptun_alg_by_name(name, 0);

	if (alg)
		return alg->key_len;
	return integ ? integ->key_len : 0;
}

const struct keyword keygen_keywords[] = {
	{ "sa", 0, false, "@algo" },
	{ "psk", 1, false, "" },
	{ NULL, 0, false, NULL },
};

int cmd_keygen(struct cli *cli, struct args *a)
{
	const char *name;
	size_t len = 0;
	int id = 1;

	(void)cli;
	a->seen = 0;
	if (a->argc && args_abbrev(a->argv[0], "help")) {
		fputs(usage_keygen, stdout);
		return 0;
	}
	if (a->argc && args_keyword(a, keygen_keywords, &id))
		return cli_usage_error(a);
	if (id == 0) {
		if (args_value(a, "sa", &name))
			return cli_usage_error(a);
		len = key_len(name);
		if (!len) {
			args_fail(
				a,
				"no algorithm with a key is called \"%.40s\"; see: esptun sa help",
				name);
			return cli_usage_error(a);
		}
	}
	if (args_end(a, "esptun keygen [sa ALGO]"))
		return cli_usage_error(a);
	cli_warn_readable();
	return len ? keygen_sa(len) : keygen_psk();
}
