// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/passphrase.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <termios.h>

#include "common/keyfile.h"

enum { GROUPS = 6, LETTERS = 4 }; /* of a random one; a letter is worth 5 bits */

void passphrase_clear(struct passphrase *p)
{
	explicit_bzero(p, sizeof(*p));
}

static int take_line(struct passphrase *p, FILE *f, const char *where)
{
	size_t len;

	if (!fgets(p->text, sizeof(p->text), f))
		p->text[0] = '\0';
	len = strcspn(p->text, "\r\n");
	if (!len || len > PASSPHRASE_MAX) {
		snprintf(p->err, sizeof(p->err),
			 "%.200s has no passphrase of 1 to %d bytes in its first line", where,
			 PASSPHRASE_MAX);
		return -1;
	}
	p->text[len] = '\0';
	p->iov = (struct ike_iov){ p->text, len };
	return 0;
}

int passphrase_read(struct passphrase *p, const char *path)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC), rc = -1;
	FILE *f = fd >= 0 ? fdopen(fd, "r") : NULL;
	struct stat st;

	if (!f || fstat(fd, &st)) {
		snprintf(p->err, sizeof(p->err), "cannot read %.200s: %s", path, strerror(errno));
	} else if (key_file_ok(path, &st, p->err, sizeof(p->err))) {
		setvbuf(f, NULL, _IONBF, 0); /* no copy of it stays in a buffer */
		rc = take_line(p, f, path);
	}
	if (f)
		fclose(f);
	else if (fd >= 0)
		close(fd);
	return rc;
}

/* ^C is a character here, which no passphrase has: a signal would leave a terminal that shows nothing of what is typed. */
int passphrase_ask(struct passphrase *p, const char *prompt, const char *keyword)
{
	enum { INTERRUPT = 3 };
	FILE *tty = fopen("/dev/tty", "r+e");
	struct termios was, quiet;
	int rc = -1;

	snprintf(p->err, sizeof(p->err),
		 "there is no terminal to ask for a passphrase: name a file with %s", keyword);
	if (!tty || tcgetattr(fileno(tty), &was)) {
		if (tty)
			fclose(tty);
		return -1;
	}
	quiet = was;
	quiet.c_lflag &= ~(tcflag_t)(ECHO | ISIG);
	setvbuf(tty, NULL, _IONBF, 0); /* no copy of it stays in a buffer */
	if (!tcsetattr(fileno(tty), TCSAFLUSH, &quiet)) {
		fputs(prompt, tty);
		rc = take_line(p, tty, "the terminal");
		fputc('\n', tty);
		tcsetattr(fileno(tty), TCSAFLUSH, &was);
	}
	if (!rc && strchr(p->text, INTERRUPT)) {
		snprintf(p->err, sizeof(p->err), "there is no passphrase");
		rc = -1;
	}
	fclose(tty);
	return rc;
}

int passphrase_make(struct passphrase *p)
{
	static const char digits[] = "abcdefghijkmnpqrstuvwxyz23456789"; /* none is like another */
	uint8_t bytes[GROUPS * LETTERS];
	size_t len = 0;

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes)) {
		snprintf(p->err, sizeof(p->err), "the kernel gave no random bytes");
		return -1;
	}
	for (size_t i = 0; i < sizeof(bytes); i++) {
		if (i && i % LETTERS == 0)
			p->text[len++] = '-';
		p->text[len++] = digits[bytes[i] & 31];
	}
	p->text[len] = '\0';
	p->iov = (struct ike_iov){ p->text, len };
	explicit_bzero(bytes, sizeof(bytes));
	return 0;
}
