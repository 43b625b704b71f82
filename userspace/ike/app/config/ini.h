/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads the text of an INI file line by line. What a line means is the caller's; here
 * end blanks, comments and line ends of any system.
 *
 * Written instead of using inih, because a line must be judged before the reader copies
 * it: inih bounds lines at 200 bytes or at a constant of its own build, leaves the keys
 * that it has read in its buffers, takes an indented KEY = VALUE for a part of the value
 * above, and does not tell which line a comment, a NUL or a carriage return stands in.
 */
#ifndef ESPTUN_IKE_INI_H
#define ESPTUN_IKE_INI_H

#include <stdbool.h>
#include <stddef.h>

enum { INI_MAX_LINE = 4095 }; /* bytes; comments may be longer */

struct ini {
	const char *text;
	size_t left;
	unsigned int line;
};

struct ini_line {
	unsigned int number;
	bool indented;
	const char *fault; /* why it cannot be read; NULL if it can */
	char text[INI_MAX_LINE + 1]; /* without blanks around it; may hold a key: wipe it */
};

/*
 * Begin with the first of @len bytes, behind a byte order mark of UTF-8. False if the
 * text is UTF-16.
 */
bool ini_open(struct ini *r, const char *text, size_t len);

/* The next line that is neither blank nor a comment, or that has a fault; false at the end. */
bool ini_next(struct ini *r, struct ini_line *out);

/* "[NAME]", perhaps with a comment behind it: the name, else NULL. Changes @text. */
char *ini_section(char *text);

/* "KEY = VALUE" or "KEY: VALUE": the key, with *@value set, else NULL. Changes @text. */
char *ini_pair(char *text, char **value);

/* Cut off a comment, which begins with # or ; behind a blank. */
void ini_strip_comment(char *value);

/* Cut off blanks at both ends. */
char *ini_trim(char *text);

#endif
