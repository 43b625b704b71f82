// SPDX-License-Identifier: GPL-2.0-or-later
/* Lines of configuration files, as editors of all systems write them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "ike/app/config/ini.h"

/* "NUMBER:TEXT|" of each line, ">" before an indented one, "!" before a fault. */
static const char *lines(const char *text, size_t len)
{
	static char seen[8192];
	struct ini_line l;
	struct ini r;
	size_t n = 0;

	seen[0] = '\0';
	if (!ini_open(&r, text, len))
		return "UTF-16";
	while (ini_next(&r, &l))
		n += (size_t)snprintf(seen + n, sizeof(seen) - n, "%u:%s%s|", l.number,
				      l.fault	   ? "!"
				      : l.indented ? ">"
						   : "",
				      l.fault ? l.fault : l.text);
	return seen;
}

static void reads_lines(void **state)
{
	static const struct {
		const char *text, *seen;
	} rows[] = {
		{ "", "" },
		{ "\n\n", "" },
		{ "a", "1:a|" },
		{ "a\nb\n", "1:a|2:b|" },
		{ "a\r\nb\r\n", "1:a|2:b|" },
		{ "  a \t\n\tb\n", "1:>a|2:>b|" },
		{ "# a\n ; b\nc # d\n", "3:c # d|" },
		{ "\xef\xbb\xbf[a]\n", "1:[a]|" },
		{ "\xef\xbb\xbf# a\nb", "2:b|" },
		{ "a\rb\r", "1:!the line holds a carriage return; lines end with a line feed|" },
		{ "# a\rb\r", "1:!the line holds a carriage return; lines end with a line feed|" },
		{ "\xff\xfe[", "UTF-16" },
		{ "\xfe\xff", "UTF-16" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(lines(rows[i].text, strlen(rows[i].text)), rows[i].seen);
	assert_string_equal(lines("a\0b\nc", 5), "1:!the line holds a zero byte|2:c|");
	assert_string_equal(lines("# \0\nc", 5), "1:!the line holds a zero byte|2:c|");
}

/* Lines up to 4095 bytes; comments as long as may be. */
static void bounds_lines(void **state)
{
	static char text[INI_MAX_LINE + 100];
	struct ini_line l;
	struct ini r;

	(void)state;
	memset(text, 'x', sizeof(text));
	assert_true(ini_open(&r, text, INI_MAX_LINE));
	assert_true(ini_next(&r, &l));
	assert_null(l.fault);
	assert_int_equal(strlen(l.text), INI_MAX_LINE);
	assert_false(ini_next(&r, &l));
	assert_true(ini_open(&r, text, INI_MAX_LINE + 1));
	assert_true(ini_next(&r, &l));
	assert_string_equal(l.fault, "the line is longer than 4095 bytes");
	assert_string_equal(l.text, "");
	assert_false(ini_next(&r, &l));
	text[0] = '#';
	text[sizeof(text) - 2] = '\n';
	assert_true(ini_open(&r, text, sizeof(text)));
	assert_true(ini_next(&r, &l));
	assert_int_equal(l.number, 2);
	assert_string_equal(l.text, "x");
	/* blanks count, too */
	memset(text, ' ', sizeof(text));
	text[0] = 'x';
	assert_true(ini_open(&r, text, sizeof(text)));
	assert_true(ini_next(&r, &l));
	assert_non_null(l.fault);
}

static void splits_lines(void **state)
{
	static const struct {
		const char *text, *key, *value;
	} pairs[] = {
		{ "a=b", "a", "b" },  { "a = b = c", "a", "b = c" },
		{ "a: b", "a", "b" }, { "a = b:c", "a", "b:c" },
		{ "a =", "a", "" },   { "=b", NULL, NULL },
		{ "ab", NULL, NULL }, { "", NULL, NULL },
	};
	static const struct {
		const char *text, *name;
	} sections[] = {
		{ "[a]", "a" },	    { "[a] # b", "a" }, { "[a];b", "a" },
		{ "[a b]", "a b" }, { "[a", NULL },	{ "[a]b", NULL },
		{ "a]", NULL },	    { "[]", "" },	{ "[ a ]", " a " },
	};
	char text[64], *value, *name;

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		strcpy(text, pairs[i].text);
		name = ini_pair(text, &value);
		assert_int_equal(!name, !pairs[i].key);
		if (!name)
			continue;
		assert_string_equal(name, pairs[i].key);
		assert_string_equal(value, pairs[i].value);
	}
	for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
		strcpy(text, sections[i].text);
		name = ini_section(text);
		assert_int_equal(!name, !sections[i].name);
		if (name)
			assert_string_equal(name, sections[i].name);
	}
	strcpy(text, "a#b ;c");
	ini_strip_comment(text);
	assert_string_equal(text, "a#b ");
	strcpy(text, "# a");
	ini_strip_comment(text);
	assert_string_equal(text, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_lines),
		cmocka_unit_test(bounds_lines),
		cmocka_unit_test(splits_lines),
	};

	return cmocka_run_group_tests_name("ini", tests, NULL, NULL);
}
