/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The process that reads files. Configuration and keys belong to root, mode 0600, and the
 * agent gives root up. So it leaves a process behind that stays root, but has neither
 * capabilities nor sockets, and cannot write. On request it reads the configuration of a
 * tunnel, named without a path, parses it, and hands it over with its keys, which are sealed (seal.h).
 *
 * Functions wait for the answer. If the process is gone, they fail with a sentence that
 * says so.
 */
#ifndef ESPTUN_IKE_READER_H
#define ESPTUN_IKE_READER_H

#include "ike/app/seal.h"

struct reader;

struct reader_options {
	const struct seal
		*seal; /* for the keys it hands over; what it points to is copied by the start */
	const char *config_dir;
	const char *socket; /* control socket, which reader_remove_socket() removes */
	bool quiet; /* keep no terminal open */
	bool seccomp;
};

/*
 * Start it; to be called before any descriptor is open that it must not have, and before
 * rights are given up. NULL with a sentence in @err.
 */
struct reader *reader_start(const struct reader_options *o, char *err, size_t err_size);
/* It ends when this is called, or when the agent is gone. NULL is fine. */
void reader_free(struct reader *r);

/*
 * Call @fn with each NAME that has a NAME.conf in the configuration folder, in order of names,
 * and when that file was changed last. 0, or a negative errno: the folder cannot be read.
 */
int reader_list(struct reader *r,
		void (*fn)(void *ctx, const char *name, const struct timespec *time), void *ctx);

/*
 * The same, some names at a time: those that come after @after, which is "" at first and the last
 * name then. 1: there are more; 0: that was all; or a negative errno.
 */
enum { READER_NAME = 256 };
int reader_list_some(struct reader *r, char after[READER_NAME],
		     void (*fn)(void *ctx, const char *name, const struct timespec *time),
		     void *ctx);

/* config_load() of NAME.conf in the configuration folder, sealed. */
int reader_load(struct reader *r, const char *name, struct config *out,
		const struct config_report *report);

/* config_load_cert_status() of NAME.conf in the configuration folder; or -EPIPE. */
int reader_load_cert_status(struct reader *r, const char *name, const struct timespec *known,
			    struct config *out, const struct config_report *report);

/* Remove the control socket, at the end. */
void reader_remove_socket(struct reader *r);

#endif
