// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

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
