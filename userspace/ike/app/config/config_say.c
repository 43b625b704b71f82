// SPDX-License-Identifier: GPL-2.0-or-later
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ike/app/config/config_int.h"

void config_vsay(const struct config_report *rep, bool error, unsigned int line, const char *fmt,
		 va_list ap)
{
	char text[1024];

	if (!rep)
		return;
	vsnprintf(text, sizeof(text), fmt, ap);
	/* For logs, terminals and JSON: plain ASCII, whatever stands in the file. */
	for (char *s = text; *s; s++) {
		if (*s < ' ' || *s > '~')
			*s = '?';
	}
	rep->fn(rep->ctx, error, line, text);
}

void config_say(struct parse *p, bool error, unsigned int line, const char *fmt, ...)
{
	va_list ap;

	if (error)
		p->errors++;
	va_start(ap, fmt);
	config_vsay(p->report, error, line, fmt, ap);
	va_end(ap);
}

bool config_copy(char *to, size_t size, const char *from)
{
	size_t len = strlen(from);

	if (len >= size)
		return false;
	memcpy(to, from, len + 1);
	return true;
}

/* Decimal or 0x, as everywhere in esptun: no octal. */
int config_number(const char *s, uint64_t min, uint64_t max, uint32_t *out)
{
	char *end;
	uint64_t v;

	if (!isdigit((unsigned char)*s))
		return -1;
	errno = 0;
	v = strtoull(s, &end, s[0] == '0' && (s[1] | 0x20) == 'x' ? 16 : 10);
	if (*end || errno || v < min || v > max)
		return -1;
	*out = (uint32_t)v;
	return 0;
}

int config_yes_no(const char *s, bool *yes)
{
	if (strcasecmp(s, "yes") != 0 && strcasecmp(s, "no") != 0)
		return -1;
	*yes = !strcasecmp(s, "yes");
	return 0;
}

char *config_split_port(char *s, uint32_t max, uint32_t *port)
{
	char *colon = strrchr(s, ':');

	if (*s == '[') {
		char *close = strchr(s, ']');

		if (!close || (close[1] && close[1] != ':'))
			return NULL;
		colon = close[1] ? close + 1 : NULL;
		*close = 0;
		s++;
	} else if (colon && strchr(s, ':') != colon) {
		colon = NULL; /* a bare IPv6 address */
	}
	if (colon) {
		*colon = 0;
		if (config_number(colon + 1, 1, max, port))
			return NULL;
	}
	return s;
}
