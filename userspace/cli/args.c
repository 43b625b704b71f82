// SPDX-License-Identifier: GPL-2.0-or-later
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/args.h"
#include "common/distance.h"
#include "common/keyfile.h"

int args_fail(struct args *a, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(a->err, sizeof(a->err), fmt, ap);
	va_end(ap);
	return -EINVAL;
}

bool args_abbrev(const char *s, const char *word)
{
	return *s && !strncmp(s, word, strlen(s));
}

const char *args_next(struct args *a)
{
	if (a->argc <= 0)
		return NULL;
	a->argc--;
	return *a->argv++;
}

static int fail_unknown(struct args *a, const char *s, const struct keyword *table)
{
	const struct keyword *k, *nearest = table;
	char all[200] = "";

	for (k = table; k->name; k++) {
		size_t used = strlen(all);

		if (edit_distance(s, k->name) < edit_distance(s, nearest->name))
			nearest = k;
		snprintf(all + used, sizeof(all) - used, "%s%s", used ? ", " : "", k->name);
	}
	if (edit_distance(s, nearest->name) <= 2)
		return args_fail(a, "unknown keyword \"%.40s\"; did you mean \"%s\"?", s,
				 nearest->name);
	return args_fail(a, "unknown keyword \"%.40s\"; expected one of: %s", s, all);
}

int args_keyword(struct args *a, const struct keyword *table, int *id)
{
	const struct keyword *k, *found = NULL;
	const char *s = args_next(a);

	if (!s)
		return args_fail(a, "command line is not complete; expected \"%s\"", table->name);
	for (k = table; k->name; k++) {
		if (!strcmp(s, k->name)) {
			found = k;
			break;
		}
		if (!found && args_abbrev(s, k->name))
			found = k;
	}
	if (!found)
		return fail_unknown(a, s, table);
	if (args_has(a, found->id) && !found->repeats)
		return args_fail(a, "\"%s\" is given twice", found->name);
	a->seen |= 1U << found->id;
	*id = found->id;
	return 0;
}

bool args_has(const struct args *a, int id)
{
	return a->seen & (1U << id);
}

int args_end(struct args *a, const char *usage)
{
	return a->argc ? args_fail(a, "unexpected \"%.40s\"; usage: %s", a->argv[0], usage) : 0;
}

int args_value(struct args *a, const char *kw, const char **value)
{
	*value = args_next(a);
	return *value ? 0 : args_fail(a, "\"%s\" needs a value", kw);
}

static int parse_u64(const char *s, uint64_t *v, const char **rest)
{
	char *end;

	if (!isdigit((unsigned char)*s))
		return -EINVAL;
	errno = 0;
	*v = strtoull(s, &end, s[0] == '0' && tolower((unsigned char)s[1]) == 'x' ? 16 : 10);
	*rest = end;
	return errno ? -EINVAL : 0;
}

int args_number(struct args *a, const char *kw, uint64_t min, uint64_t max, uint64_t *v)
{
	const char *s, *rest;

	if (args_value(a, kw, &s))
		return -EINVAL;
	if (parse_u64(s, v, &rest) || *rest || *v < min || *v > max)
		return args_fail(a, "\"%s\" is %.40s, but must be a number from %llu to %llu", kw,
				 s, (unsigned long long)min, (unsigned long long)max);
	return 0;
}

int args_u32(struct args *a, const char *kw, uint32_t min, uint32_t max, uint32_t *v)
{
	uint64_t wide;

	if (args_number(a, kw, min, max, &wide))
		return -EINVAL;
	*v = (uint32_t)wide;
	return 0;
}

int args_size(struct args *a, const char *kw, uint64_t *v)
{
	static const char suffixes[] = "kmgt";
	const char *s, *rest, *suffix;
	unsigned int shift = 0;

	if (args_value(a, kw, &s))
		return -EINVAL;
	if (parse_u64(s, v, &rest))
		goto bad;
	if (*rest) {
		suffix = strchr(suffixes, tolower((unsigned char)*rest));
		if (!suffix || rest[1])
			goto bad;
		shift = 10 * (unsigned int)(suffix - suffixes + 1);
	}
	if (*v > UINT64_MAX >> shift)
		goto bad;
	*v <<= shift;
	return 0;
bad:
	return args_fail(
		a, "\"%s\" is %.40s, but must be a number, or one with suffix k, m, g or t", kw, s);
}

int args_bool(struct args *a, const char *kw, bool *v)
{
	const char *s;

	if (args_value(a, kw, &s))
		return -EINVAL;
	if (strcmp(s, "on") && strcmp(s, "off"))
		return args_fail(a, "\"%s\" is %.40s, but must be on or off", kw, s);
	*v = !strcmp(s, "on");
	return 0;
}

static int parse_addr(struct args *a, const char *kw, bool may_be_any, struct esptun_addr *v)
{
	const char *s;

	if (args_value(a, kw, &s))
		return -EINVAL;
	if (esptun_addr_parse(may_be_any && !strcmp(s, "any") ? "0.0.0.0" : s, v))
		return args_fail(a, "\"%s\" is %.60s, but must be a numeric address%s", kw, s,
				 may_be_any ? ", or any" : "");
	return 0;
}

int args_addr(struct args *a, const char *kw, struct esptun_addr *v)
{
	return parse_addr(a, kw, false, v);
}

int args_addr_or_any(struct args *a, const char *kw, struct esptun_addr *v)
{
	return parse_addr(a, kw, true, v);
}

int args_spi(struct args *a, const char *kw, uint32_t *v)
{
	const char *s, *rest;
	uint64_t wide;

	if (args_value(a, kw, &s))
		return -EINVAL;
	if (parse_u64(s, &wide, &rest) || *rest || wide > UINT32_MAX)
		return args_fail(
			a, "\"%s\" is %.40s, but must be a number from 0x100 to 0xffffffff", kw, s);
	if (wide < ESPTUN_SPI_MIN)
		return args_fail(
			a,
			"SPI %.40s is below 256, which RFC 4303 reserves; choose one from 0x100 to 0xffffffff",
			s);
	*v = (uint32_t)wide;
	return 0;
}

int args_ts_text(struct args *a, const char *kw, const char *s, struct esptun_ts **list, size_t *n)
{
	struct esptun_ts ts, *grown;
	int err = esptun_ts_parse(s, &ts);

	if (err == -EDOM)
		return args_fail(a, "\"%s\" %.70s has bits set beyond its prefix length", kw, s);
	if (err)
		return args_fail(
			a,
			"\"%s\" is %.70s, but must be PREFIX[:PROTO[:PORT[-PORT]]], an IPv6 prefix in brackets if more follows",
			kw, s);
	if (*n == ESPTUN_TS_MAX)
		return args_fail(a, "\"%s\" has more than %d selectors", kw, ESPTUN_TS_MAX);
	grown = realloc(*list, (*n + 1) * sizeof(*grown));
	if (!grown)
		return args_fail(a, "out of memory");
	grown[(*n)++] = ts;
	*list = grown;
	return 0;
}

int args_ts(struct args *a, const char *kw, struct esptun_ts **list, size_t *n)
{
	const char *s;

	if (args_value(a, kw, &s))
		return -EINVAL;
	if (!strcmp(s, "any"))
		return 0;
	do {
		if (args_ts_text(a, kw, s, list, n))
			return -EINVAL;
		/* no keyword holds one of these characters, every selector does */
	} while (a->argc > 0 && strpbrk(a->argv[0], ".:/") && (s = args_next(a)));
	return 0;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int key_parse(const char *s, uint8_t key[static ARGS_KEY_MAX], size_t *len)
{
	size_t n = 0;

	while (isspace((unsigned char)*s))
		s++;
	if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X'))
		s += 2;
	while (hex_digit(s[0]) >= 0 && hex_digit(s[1]) >= 0) {
		if (n == ARGS_KEY_MAX)
			goto bad;
		key[n++] = (uint8_t)(hex_digit(s[0]) << 4 | hex_digit(s[1]));
		s += 2;
	}
	while (isspace((unsigned char)*s))
		s++;
	if (*s || !n)
		goto bad;
	*len = n;
	return 0;
bad:
	explicit_bzero(key, ARGS_KEY_MAX);
	return -EINVAL;
}

/* A pipe, as the shell's <(...) makes one, belongs to this process. */
static int check_key_file(struct args *a, const char *path, FILE *f)
{
	struct stat st;

	if (fstat(fileno(f), &st))
		return args_fail(a, "cannot read key file %.100s: %s", path, strerror(errno));
	if (S_ISREG(st.st_mode) && !key_file_ok(path, &st, a->err, sizeof(a->err)))
		return -EINVAL;
	return 0;
}

/* All of @f, or with @one_line no more than the next line that is not empty; 0: there is none. */
static size_t read_text(FILE *f, bool one_line, char *text, size_t size)
{
	size_t n = 0;
	int c;

	/* stdio must not keep a copy of the key */
	setvbuf(f, NULL, _IONBF, 0);
	while (n < size - 1 && (c = getc(f)) != EOF && !(one_line && n && c == '\n'))
		if (n || !isspace(c))
			text[n++] = (char)c;
	text[n] = '\0';
	return n;
}

/* @text is wiped. */
static int key_from_text(struct args *a, const char *name, char *text, size_t size, uint8_t *key,
			 size_t *len)
{
	int err = key_parse(text, key, len);

	explicit_bzero(text, size);
	if (err)
		return args_fail(
			a,
			"%.100s does not hold a key: expected hexadecimal digits, at most %d bytes",
			name, ARGS_KEY_MAX);
	return 0;
}

/* Of two keys each has a line. */
static int key_from_stdin(struct args *a, uint8_t *key, size_t *len)
{
	char text[4 * ARGS_KEY_MAX];

	if (!read_text(stdin, true, text, sizeof(text)))
		return args_fail(
			a, "no key is left on standard input: each \"stdin\" takes a line of it");
	return key_from_text(a, "standard input", text, sizeof(text), key, len);
}

static int key_from_file(struct args *a, const char *path, uint8_t *key, size_t *len)
{
	char text[4 * ARGS_KEY_MAX];
	FILE *f = fopen(path, "re");
	int err;

	if (!f)
		return args_fail(a, "cannot read key file %.100s: %s", path, strerror(errno));
	err = check_key_file(a, path, f);
	if (!err) {
		read_text(f, false, text, sizeof(text));
		err = key_from_text(a, path, text, sizeof(text), key, len);
	}
	fclose(f);
	return err;
}

int args_key(struct args *a, const char *kw, uint8_t key[static ARGS_KEY_MAX], size_t *len)
{
	const char *s;
	int err;

	if (args_value(a, kw, &s))
		return -EINVAL;
	if (!strcmp(s, "stdin"))
		return key_from_stdin(a, key, len);
	if (!strcmp(s, "file")) {
		if (args_value(a, "key file", &s))
			return -EINVAL;
		return key_from_file(a, s, key, len);
	}
	/* never echo what may be a key with a typing error */
	if (strncmp(s, "0x", 2))
		return args_fail(a, "\"%s\" must be 0xHEX, \"file PATH\" or \"stdin\"", kw);
	err = key_parse(s, key, len);
	explicit_bzero((char *)s, strlen(s));
	if (err)
		return args_fail(
			a,
			"\"%s\" must be an even number of hexadecimal digits after 0x, at most %d bytes",
			kw, ARGS_KEY_MAX);
	return 0;
}
