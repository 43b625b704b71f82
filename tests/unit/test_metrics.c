// SPDX-License-Identifier: GPL-2.0-or-later
/* The list of metrics keeps the rules of OpenMetrics, and the guide has all of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GUIDE "Documentation/guides/monitoring.md"

static const struct row {
	const char *name, *type, *unit, *help;
} rows[] = {
#define METRIC(id, name, type, unit, help) { "esptun_" name, #type, unit, help },
#include "ike/app/ctl/metrics.def"
#undef METRIC
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

static bool ends(const char *text, const char *end)
{
	size_t len = strlen(text), n = strlen(end);

	return len >= n && !strcmp(text + len - n, end);
}

static void rules_of_openmetrics(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < ROWS; i++) {
		const struct row *r = &rows[i];
		char unit[40];

		for (const char *s = r->name; *s; s++)
			assert_true(islower((unsigned char)*s) || isdigit((unsigned char)*s) ||
				    *s == '_');
		/* What ends so is put behind the names of some types' samples. */
		assert_false(ends(r->name, "_total") || ends(r->name, "_info"));
		snprintf(unit, sizeof(unit), "_%s", r->unit);
		assert_true(!*r->unit || ends(r->name, unit));
		assert_true(!ends(r->name, "_bytes") || !strcmp(r->unit, "bytes"));
		assert_true(!ends(r->name, "_seconds") || !strcmp(r->unit, "seconds"));
		assert_null(strpbrk(r->help, "\"\\\n")); /* which the formats escape */
		assert_true(ends(r->help, "."));
		for (unsigned int k = 0; k < i; k++)
			assert_string_not_equal(rows[k].name, r->name);
	}
}

static char *read_guide(void)
{
	char *text = calloc(1, 1 << 16);
	FILE *f = fopen(GUIDE, "r");

	assert_non_null(f);
	assert_true(text && fread(text, 1, (1 << 16) - 1, f) > 0);
	fclose(f);
	return text;
}

static const char *lower(const char *word)
{
	static char out[16];

	snprintf(out, sizeof(out), "%s", word);
	for (char *s = out; *s; s++)
		*s = (char)tolower((unsigned char)*s);
	return out;
}

static void the_guide_lists_them(void **state)
{
	char *text = read_guide(), line[400];
	const char *at = strstr(text, "|---|---|---|\n");

	(void)state;
	assert_non_null(at);
	at = strchr(at, '\n') + 1;
	for (unsigned int i = 0; i < ROWS; i++) {
		const struct row *r = &rows[i];
		const char *suffix = !strcmp(r->type, "COUNTER") ? "_total"
				     : !strcmp(r->type, "INFO")	 ? "_info"
								 : "";

		snprintf(line, sizeof(line), "| `%s%s` | %s | %s |\n", r->name, suffix,
			 lower(r->type), r->help);
		if (strncmp(at, line, strlen(line)))
			fail_msg(GUIDE " has not, in this order: %s", line);
		at += strlen(line);
	}
	assert_true(!*at);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_of_openmetrics),
		cmocka_unit_test(the_guide_lists_them),
	};

	return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}
