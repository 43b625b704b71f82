// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "ike/app/config/ini.h"

static const char blanks[] = " \t\r\v\f";

bool ini_open(struct ini *r, const char *text, size_t len)
{
	*r = (struct ini){ .text = text, .left = len };
	if (len >= 2 && (!memcmp(text, "\xff\xfe", 2) || !memcmp(text, "\xfe\xff", 2)))
		return false;
	if (len >= 3 && !memcmp(text, "\xef\xbb\xbf", 3)) {
		r->text += 3;
		r->left -= 3;
	}
	return true;
}

/* What keeps the bytes from being a line of text, or NULL. */
static const char *line_fault(const char *text, size_t len)
{
	const char *cr = memchr(text, '\r', len);

	if (memchr(text, 0, len))
		return "the line holds a zero byte";
	if (cr && cr != text + len - 1)
		return "the line holds a carriage return; lines end with a line feed";
	return NULL;
}

static bool is_blank(char c)
{
	return c && strchr(blanks, c);
}

bool ini_next(struct ini *r, struct ini_line *out)
{
	while (r->left) {
		const char *text = r->text, *end = memchr(text, '\n', r->left);
		const size_t full = end ? (size_t)(end - text) : r->left;
		size_t len = full, first = 0;

		r->line++;
		r->text += full + (end != NULL);
		r->left -= full + (end != NULL);
		out->number = r->line;
		out->text[0] = '\0';
		out->fault = line_fault(text, len);
		if (out->fault)
			return true;
		while (len && is_blank(text[len - 1]))
			len--;
		while (first < len && is_blank(text[first]))
			first++;
		if (first == len || text[first] == '#' || text[first] == ';')
			continue;
		if (full > INI_MAX_LINE) {
			out->fault = "the line is longer than 4095 bytes";
			return true;
		}
		out->indented = first > 0;
		memcpy(out->text, text + first, len - first);
		out->text[len - first] = '\0';
		return true;
	}
	return false;
}

char *ini_section(char *text)
{
	char *close = strchr(text, ']'), *rest;

	if (*text != '[' || !close)
		return NULL;
	*close = '\0';
	rest = close + 1 + strspn(close + 1, blanks);
	if (*rest && *rest != '#' && *rest != ';')
		return NULL;
	return text + 1;
}

char *ini_pair(char *text, char **value)
{
	char *at = strpbrk(text, "=:");

	if (!at || at == text)
		return NULL;
	*at = '\0';
	*value = ini_trim(at + 1);
	return ini_trim(text);
}

void ini_strip_comment(char *value)
{
	for (char *s = value; *s; s++) {
		if ((*s == '#' || *s == ';') && (s == value || is_blank(s[-1]))) {
			*s = '\0';
			return;
		}
	}
}

char *ini_trim(char *text)
{
	size_t len;

	text += strspn(text, blanks);
	len = strlen(text);
	while (len && is_blank(text[len - 1]))
		text[--len] = '\0';
	return text;
}
