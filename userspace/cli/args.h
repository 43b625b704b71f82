/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Command lines in the manner of ip: keyword value keyword value, keywords
 * abbreviated to any prefix. All functions return 0 or -EINVAL with args->err
 * set to one sentence for the user.
 */
#ifndef CLI_ARGS_H
#define CLI_ARGS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/esptun.h"

struct args {
	int argc; /* arguments left */
	char **argv; /* the next one first */
	unsigned int seen; /* keywords used, 1 << id */
	char err[320];
};

/*
 * A keyword; the first in a table that an argument is a prefix of wins. Its value, for
 * completion: words with blanks between; one that ends with ":" takes another word; @dev,
 * @algo, @auth, @tunnel, @netns, @file stand for what there is of them. NULL: any one word, "": none.
 */
struct keyword {
	const char *name; /* NULL ends the table */
	int id; /* 0 to 31 */
	bool repeats; /* may be given more than once */
	const char *values;
};

/** args_fail() - set args->err, return -EINVAL */
int args_fail(struct args *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** args_abbrev() - @s is a non-empty prefix of @word */
bool args_abbrev(const char *s, const char *word);

/** args_next() - take the next argument, NULL at the end */
const char *args_next(struct args *a);

/**
 * args_keyword() - take the next argument as a keyword of @table
 * Return: 0 with its id in @id. Unknown: the error names the nearest keyword.
 */
int args_keyword(struct args *a, const struct keyword *table, int *id);

/** args_end() - nothing may follow; @usage says what is right */
int args_end(struct args *a, const char *usage);

/** args_has() - keyword @id was given */
bool args_has(const struct args *a, int id);

/** args_value() - take the value of keyword @kw */
int args_value(struct args *a, const char *kw, const char **value);

/** args_number() - value of @kw, decimal or 0x, from @min to @max */
int args_number(struct args *a, const char *kw, uint64_t min, uint64_t max, uint64_t *v);

/** args_u32() - as args_number(), 32 bits wide */
int args_u32(struct args *a, const char *kw, uint32_t min, uint32_t max, uint32_t *v);

/** args_size() - value of @kw, with a suffix k, m, g or t for powers of 1024 */
int args_size(struct args *a, const char *kw, uint64_t *v);

/** args_bool() - "on" or "off" */
int args_bool(struct args *a, const char *kw, bool *v);

/** args_addr() - numeric address, IPv4 or IPv6 */
int args_addr(struct args *a, const char *kw, struct esptun_addr *v);

/** args_addr_or_any() - the same, or "any": 0.0.0.0, which stands for none */
int args_addr_or_any(struct args *a, const char *kw, struct esptun_addr *v);

/** args_spi() - SPI, at least 256 */
int args_spi(struct args *a, const char *kw, uint32_t *v);

/**
 * args_ts() - one or more selectors, or "any"
 * @a: arguments
 * @kw: keyword
 * @list: array from malloc() to append to, owned by the caller even on failure
 * @n: its length
 */
int args_ts(struct args *a, const char *kw, struct esptun_ts **list, size_t *n);

/** args_ts_text() - append the selector @s, as if it were the value of @kw */
int args_ts_text(struct args *a, const char *kw, const char *s, struct esptun_ts **list, size_t *n);

/* What may follow the keyword "key". */
#define ARGS_KEY_MAX ESPTUN_KEY_MAX

/**
 * args_key() - 0xHEX, "file PATH" or "stdin", whose next line it takes; a file that others can
 * read is refused
 * @a: arguments
 * @kw: keyword
 * @key: bytes, wiped on failure
 * @len: how many
 *
 * On the command line the key is visible to other users in ps until it has
 * been read here and wiped from argv.
 */
int args_key(struct args *a, const char *kw, uint8_t key[static ARGS_KEY_MAX], size_t *len);

/** key_parse() - bytes of 0xHEX text (0x optional, white space around it); 0 or -EINVAL */
int key_parse(const char *s, uint8_t key[static ARGS_KEY_MAX], size_t *len);

#endif
