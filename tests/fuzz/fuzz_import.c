// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Any text as a configuration of another program: what comes out is taken by the agent's own parser, what is said can be shown. The
 * first byte is the kind, a zero byte ends the text, and what is behind it is every other file.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ike/app/config/config.h"
#include "ike/import/import.h"

struct other_files {
	const uint8_t *bytes;
	size_t len;
};

static uint8_t *read_other(void *ctx, const char *path, size_t *len)
{
	const struct other_files *o = ctx;
	uint8_t *copy = path[0] ? calloc(1, o->len + 1) : NULL;

	errno = ENOENT;
	if (!copy || !o->len) {
		free(copy);
		return NULL;
	}
	memcpy(copy, o->bytes, o->len);
	*len = o->len;
	return copy;
}

static unsigned int find_other(void *ctx, const char *pattern,
			       void (*each)(void *arg, const char *path), void *arg)
{
	const struct other_files *o = ctx;

	if (!o->len)
		return 0;
	each(arg, pattern);
	return 1;
}

static bool is_own(void *ctx, const struct ike_addr *a)
{
	(void)ctx;
	return a->b[3] & 1;
}

static bool make_psk(void *ctx, char text[IMPORT_PSK_TEXT])
{
	(void)ctx;
	strcpy(text, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
	return true;
}

static void hear(void *ctx, const char *path, unsigned int line, const char *text)
{
	(void)ctx;
	(void)line;
	if (!path || !text[0])
		abort();
	for (; *text; text++) {
		if (*text < ' ' || *text > '~')
			abort();
	}
}

static void on_report(void *ctx, bool error, unsigned int line, const char *text)
{
	(void)ctx;
	(void)line;
	(void)text;
	if (error)
		abort();
}

static void check_file(const struct import_file *f)
{
	const struct config_report report = { on_report, NULL };
	size_t len = strlen(f->name);
	struct config c;

	if (strchr(f->name, '/') || f->name[0] == '.')
		abort();
	if (len < 6 || strcmp(f->name + len - 5, ".conf") != 0)
		return;
	if (config_parse("vpn", f->text, f->len, &c, &report))
		abort();
	config_clear(&c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum import_kind kinds[] = { IMPORT_SWANCTL, IMPORT_IPSEC_CONF,
						  IMPORT_WG_QUICK };
	const struct import_options options = { .path = "/etc/x/x.conf",
						.dir = "/etc/esptun",
						.local = -1 };
	const uint8_t *end = size ? memchr(data + 1, 0, size - 1) : NULL;
	size_t len = !size ? 0 : end ? (size_t)(end - data) - 1 : size - 1;
	struct other_files others = { end ? end + 1 : data, end ? size - len - 2 : 0 };
	const struct import_env env = { read_other, find_other, is_own, make_psk, hear, &others };
	struct import_result r;

	if (!size)
		return 0;
	import_detect(data, size);
	if (import_read(kinds[data[0] % 3], data + 1, len, &options, &env, &r) && r.n)
		abort();
	for (unsigned int i = 0; i < r.n; i++)
		check_file(&r.file[i]);
	import_result_clear(&r);
	return 0;
}
