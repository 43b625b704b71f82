// SPDX-License-Identifier: GPL-2.0-or-later
/* esptun keygen */
#include <string.h>
#include <sys/random.h>

#include "cli/cli.h"

const char usage_keygen[] =
	"Usage: esptun keygen\n"
	"       esptun keygen sa ALGO\n"
	"Prints a pre-shared key of 256 random bits in base64, or with \"sa\" a random key and\n"
	"salt for static SAs. Each SA needs a key of its own: one for each direction.\n";

#define PSK_LEN 32

/* RFC 4648 section 4; out holds 4 * ((len + 2) / 3) + 1. */
static void base64(char *out, const uint8_t *in, size_t len)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t i;

	for (i = 0; i < len; i += 3) {
		uint32_t v = (uint32_t)in[i] << 16;

		if (i + 1 < len)
			v |= (uint32_t)in[i + 1] << 8;
		if (i + 2 < len)
			v |= in[i + 2];
		*out++ = digits[v >> 18];
		*out++ = digits[(v >> 12) & 63];
		*out++ = i + 1 < len ? digits[(v >> 6) & 63] : '=';
		*out++ = i + 2 < len ? digits[v & 63] : '=';
	}
	*out = '\0';
}

static int random_octets(uint8_t *buf, size_t len)
{
	if (getrandom(buf, len, 0) == (ssize_t)len)
		return 0;
	cli_error("the kernel gave no random octets");
	return EXIT_KERNEL;
}

static int keygen_psk(void)
{
	char text[4 * ((PSK_LEN + 2) / 3) + 1];
	uint8_t psk[PSK_LEN];
	int err = random_octets(psk, sizeof(psk));

	if (!err) {
		base64(text, psk, sizeof(psk));
		puts(text);
	}
	explicit_bzero(psk, sizeof(psk));
	explicit_bzero(text, sizeof(text));
	return err;
}

static int keygen_sa(const struct esptun_alg *alg)
{
	uint8_t key[ESPTUN_KEY_MAX];
	int i, err = random_octets(key, alg->key_len);

	if (!err) {
		printf("0x");
		for (i = 0; i < alg->key_len; i++)
			printf("%02x", key[i]);
		putchar('\n');
	}
	explicit_bzero(key, sizeof(key));
	return err;
}

int cmd_keygen(struct cli *cli, struct args *a)
{
	static const struct keyword keywords[] = {
		{ "sa", 0, false },
		{ "psk", 1, false },
		{ "help", 2, false },
		{ NULL, 0, false },
	};
	const struct esptun_alg *alg;
	const char *name;
	int id;

	(void)cli;
	a->seen = 0;
	if (!a->argc)
		return keygen_psk();
	if (args_keyword(a, keywords, &id))
		return cli_usage_error(a);
	if (id == 2) {
		fputs(usage_keygen, stdout);
		return 0;
	}
	if (id == 1)
		return keygen_psk();
	if (args_value(a, "sa", &name))
		return cli_usage_error(a);
	alg = esptun_alg_by_name(name, 0);
	if (!alg) {
		args_fail(a, "unknown algorithm \"%.40s\"; see: esptun sa help", name);
		return cli_usage_error(a);
	}
	return keygen_sa(alg);
}
