/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Passphrases: from a file, from the terminal, or new ones. */
#ifndef CLI_PASSPHRASE_H
#define CLI_PASSPHRASE_H

#include "ike/crypto/crypto.h"

enum { PASSPHRASE_MAX = 1022 /* bytes */ };

struct passphrase {
	char text[PASSPHRASE_MAX + 2];
	struct ike_iov iov; /* base NULL: there is none */
	char err[512]; /* of the last function that failed: one sentence */
};

/* The first line of a file that is closed to others. 0, or -1 with p->err. */
int passphrase_read(struct passphrase *p, const char *path);
/* A line from the terminal, which does not show it; @keyword names a file instead. 0, or -1 with p->err, also behind ^C. */
int passphrase_ask(struct passphrase *p, const char *prompt, const char *keyword);
/* A random one of 120 bits, which people can type. 0, or -1 with p->err. */
int passphrase_make(struct passphrase *p);
/* Wipes it. */
void passphrase_clear(struct passphrase *p);

#endif
