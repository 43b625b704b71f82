/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pre-shared key as the user writes it, how hard it is to guess, and files that
 * hold it.
 */
#ifndef ESPTUN_IKE_SECRET_H
#define ESPTUN_IKE_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

enum secret_limits {
	SECRET_MAX = 256, /* bytes */
	SECRET_ROOM = SECRET_MAX + 16, /* also for it wrapped, see seal.h */
	SECRET_DIGEST = 32,
	SECRET_MIN_BITS = 128,
	SECRET_PPK_BITS = 224, /* estimated of nearly every random key of 256 bits */
};

/*
 * @s is text (with or without double quotes), "hex:DIGITS" or "base64:TEXT". 0 with
 * the key in @key, and in @why "" or what its writer may have meant otherwise: another
 * program's notation, quotation marks or blanks that are a part of the key now. Or -1
 * with what is wrong in @why; @key may hold a part of the key then. @why is one
 * sentence without its subject, the key, and holds no part of it.
 */
int secret_from_text(const char *s, uint8_t key[static SECRET_MAX], size_t *len, char *why,
		     size_t size);

/*
 * The same for the value of a line, which must have no comment behind it. Here @why, after an error, is
 * a whole sentence.
 */
int secret_from_value(const char *s, uint8_t key[static SECRET_MAX], size_t *len, char *why,
		      size_t size);

/*
 * The same as secret_from_text() for a key file's @n bytes in @buf, which must have room for one more and is
 * changed: its first line, without blanks around it, is the text.
 */
int secret_from_file(char *buf, size_t n, uint8_t key[static SECRET_MAX], size_t *len, char *why,
		     size_t size);

/* Estimated bits a guesser of this key has to try, from its characters alone. */
unsigned int secret_bits(const uint8_t *key, size_t len);

/* False with "can be guessed ..." in @why if the key has less than SECRET_MIN_BITS. */
bool secret_strong(const uint8_t *key, size_t len, char *why, size_t size);

/* The same for a PPK, which is to withstand quantum computers: SECRET_PPK_BITS (RFC 8784 6). */
bool secret_strong_ppk(const uint8_t *key, size_t len, char *why, size_t size);

/*
 * Read a regular file of at most @cap bytes, without ever waiting for one that is
 * none. Its length with its attributes in @st, or -1 with the cause in errno, EINVAL
 * if it is no regular file; @buf may hold a part then.
 */
ssize_t secret_read(const char *path, char *buf, size_t cap, struct stat *st);

/* The setting of esptund.service that hides @path, an absolute one, from it, or NULL. */
const char *secret_hidden(const char *path);

#endif
