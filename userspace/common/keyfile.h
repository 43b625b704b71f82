/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which files may hold a key, and which may say whom to trust. */
#ifndef ESPTUN_KEYFILE_H
#define ESPTUN_KEYFILE_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * May this file, @st of @path, hold a key: can only its owner read it, and is that root or
 * us? False with a sentence in @why if not.
 */
static inline bool key_file_ok(const char *path, const struct stat *st, char *why, size_t size)
{
	if (st->st_mode & 077) {
		snprintf(why, size,
			 "%s holds a key and can be read by others (mode %04o): run chmod 600 %s",
			 path, st->st_mode & 07777, path);
		return false;
	}
	if (st->st_uid && st->st_uid != geteuid()) {
		snprintf(why, size,
			 "%s holds a key and belongs to another user (uid %u): run chown %u %s",
			 path, st->st_uid, geteuid(), path);
		return false;
	}
	return true;
}

/*
 * May this file or folder, @st of @path, say whom to trust: can only its owner write it, and is that
 * root or us? False with a sentence in @why if not. Others may read it.
 */
static inline bool trust_file_ok(const char *path, const struct stat *st, char *why, size_t size)
{
	if (st->st_mode & 022) {
		snprintf(
			why, size,
			"%s says whom to trust and can be written by others (mode %04o): run chmod go-w %s",
			path, st->st_mode & 07777, path);
		return false;
	}
	if (st->st_uid && st->st_uid != geteuid()) {
		snprintf(
			why, size,
			"%s says whom to trust and belongs to another user (uid %u): run chown %u %s",
			path, st->st_uid, geteuid(), path);
		return false;
	}
	return true;
}

#endif
