/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The folder of a CA, which `esptun ca` keeps:
 *
 *   ca.key ca.crt ca.crl	the CA's key, certificate and newest CRL
 *   index.json			each certificate that it issued, and the number of the CRL
 *   issued/NAME.key, .crt	what the holder of NAME gets
 *   lock			held by the command that works on it
 *
 * A file is written beside its name and renamed, so that it is whole whenever the machine stops. The index is
 * written before a certificate is: one that is in the world is in the index.
 */
#ifndef CLI_CA_DIR_H
#define CLI_CA_DIR_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "ike/pki/issue.h"

struct ca_dir {
	const char *path;
	int fd; /* of the folder */
	int lock;
	/*
	 * {"version", "name", "key", "crl_number", "crl_until", "certificates": [{"serial", "name", "san": [],
	 * "from", "until", "revoked"}]}, times in seconds since 1970, revoked 0 if it is not.
	 */
	json_t *index;
	char err[512]; /* of the last call that failed: one sentence */
};

/*
 * Open the folder, which nobody but its owner may enter, and wait for its lock. @create: it is made if it is not there, and
 * must be without a CA. 0, or -1 with d->err; close it with ca_dir_close() in either case.
 */
int ca_dir_open(struct ca_dir *d, const char *path, bool create);
void ca_dir_close(struct ca_dir *d);

/* Write the index. 0, or -1 with d->err. */
int ca_dir_save(struct ca_dir *d);

/* The bytes of a file in the folder. 0, or -1 with d->err. */
int ca_dir_read(struct ca_dir *d, const char *name, struct issue_bytes *out);

/* Write a file of the folder, at once or not at all. 0, or -1 with d->err. */
int ca_dir_write(struct ca_dir *d, const char *name, mode_t mode, const struct issue_bytes *bytes);

/* Likewise, anywhere; -1 with errno. */
int ca_file_write(const char *path, mode_t mode, const struct issue_bytes *bytes);

/* The 32 digits of a serial number in hexadecimal; @text holds 2 * ISSUE_SERIAL + 1. */
void ca_serial_print(char *text, const uint8_t serial[ISSUE_SERIAL]);

/* The certificates that are revoked, *@n of them, to be freed; NULL without memory. */
struct issue_revoked *ca_dir_revoked(const struct ca_dir *d, unsigned int *n);

#endif
