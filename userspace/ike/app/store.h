/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The process that keeps files of the agent's own: one NAME.leases for each hub, and fetched.crls, in the state
 * folder, which is all of the file system that this process has left. It stays root, without capabilities and sockets,
 * and takes the contents for bytes: the agent alone, who may open no file for writing, reads them.
 *
 * A file is written beside the one that it then replaces, and is on the disk before it does (fsync,
 * rename): whatever happens, one of both is there, whole.
 */
#ifndef ESPTUN_IKE_STORE_H
#define ESPTUN_IKE_STORE_H

#include <stdbool.h>
#include <stddef.h>

struct store;

struct store_options {
	const char *dir; /* the state folder, which is made if it is not there */
	bool quiet; /* keep no terminal open */
	bool seccomp;
};

enum { STORE_MAX = 8 << 20 }; /* bytes of a file */

/* Files of one name and another kind are others. */
enum store_kind { STORE_LEASES, STORE_CRLS, STORE_KINDS };

/* Start it, as reader_start() and with what is said there. NULL with a sentence in @err. */
struct store *store_start(const struct store_options *o, char *err, size_t err_size);
/* It ends when this is called, or when the agent is gone. NULL is fine. */
void store_free(struct store *s);

/*
 * The file of @name: *@len bytes at *@data, the caller's to free. 0, or a negative errno:
 * -ENOENT without one, -EFBIG if it is larger than a file may be, -EPIPE if the process is gone. Waits.
 */
int store_read(struct store *s, enum store_kind kind, const char *name, char **data, size_t *len);

/*
 * Begin to write it, which store_result() tells the end of. 0; -EBUSY while another one is written; -EPIPE.
 */
int store_write(struct store *s, enum store_kind kind, const char *name, const char *data,
		size_t len);

/*
 * How the last store_write() of this kind went, told once: 0, also if there was none; -EBUSY while a file of any kind is
 * written, unless that is to be waited for; or a negative errno.
 */
int store_result(struct store *s, enum store_kind kind, bool wait);

/* The file gets ".damaged" behind its name. 0 or a negative errno. Waits. */
int store_set_aside(struct store *s, enum store_kind kind, const char *name);

#endif
