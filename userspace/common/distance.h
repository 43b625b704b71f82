/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How far two words are apart, for "did you mean ...?". */
#ifndef ESPTUN_DISTANCE_H
#define ESPTUN_DISTANCE_H

#include <ctype.h>
#include <string.h>

enum { DISTANCE_MAX_WORD = 63, DISTANCE_FAR = 64 };

/*
 * Edits (insert, delete, replace a character; without case) that make @b of @a:
 * Levenshtein's distance. DISTANCE_FAR if one is longer than DISTANCE_MAX_WORD.
 */
static inline unsigned int edit_distance(const char *a, const char *b)
{
	unsigned int row[DISTANCE_MAX_WORD + 1];
	size_t n = strlen(b);

	if (n > DISTANCE_MAX_WORD || strlen(a) > DISTANCE_MAX_WORD)
		return DISTANCE_FAR;
	for (unsigned int j = 0; j <= n; j++)
		row[j] = j;
	for (unsigned int i = 1; a[i - 1]; i++) {
		unsigned int diagonal = row[0];

		row[0] = i;
		for (unsigned int j = 1; j <= n; j++) {
			unsigned int best = diagonal + (tolower((unsigned char)a[i - 1]) !=
							tolower((unsigned char)b[j - 1]));

			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[n];
}

#endif
