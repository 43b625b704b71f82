/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Words of wg-quick(8), swanctl.conf(5) and ipsec.conf(5), answered with those of esptun.conf(5). */
#ifndef ESPTUN_IKE_FOREIGN_H
#define ESPTUN_IKE_FOREIGN_H

struct foreign_word {
	const char *theirs;
	const char *ours; /* a key of esptun.conf(5); NULL if there is none for it */
	const char *note; /* what else to know, or why there is none; may be NULL beside ours */
};

/* NULL if @word is none of theirs; case does not matter. */
const struct foreign_word *foreign_key(const char *word);

/* The sentence to say of a line that is no section and no KEY = VALUE, if its form tells; else NULL. */
const char *foreign_line(const char *text);

/* The section that another program's @name is here; NULL if none. */
const char *foreign_section(const char *name);

#endif
