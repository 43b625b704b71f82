/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Configurations of other programs as ours: swanctl.conf(5) and ipsec.conf(5) of strongSwan, the latter of libreswan, too,
 * and what wg-quick(8) reads. Each connection becomes the text of one NAME.conf and of the files that it names, such as
 * those with keys. Whatever is left out is said, with its line and what to do instead. No text is given that config_parse()
 * would refuse.
 *
 * Files are read by functions of the caller; nothing is written here. The text may be anybody's: it is bounded.
 */
#ifndef ESPTUN_IKE_IMPORT_H
#define ESPTUN_IKE_IMPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ike/proto/ikev2.h"

enum import_kind {
	IMPORT_UNKNOWN,
	IMPORT_SWANCTL,
	IMPORT_IPSEC_CONF,
	IMPORT_WG_QUICK,
	IMPORT_PKCS12,
	IMPORT_KINDS,
};

enum import_limits {
	IMPORT_MAX_FILE = 1024 * 1024, /* bytes */
	IMPORT_MAX_FILES = 64, /* that are read because others include them */
	IMPORT_MAX_NODES = 20000, /* lines and sections, those that templates repeat among them */
	IMPORT_MAX_DEPTH = 16, /* of sections, of files in files, of templates of templates */
	IMPORT_MAX_VALUE = 4095, /* bytes */
	IMPORT_MAX_CONNS = 256,
	IMPORT_MAX_CHILDREN = 32, /* of a connection */
	IMPORT_MAX_TS = 16, /* networks of one side of a child SA */
	IMPORT_TS_TEXT = 112, /* bytes of one, with what narrows it */
	IMPORT_MAX_TEXT = 1024, /* bytes of what is said, with its NUL */
	IMPORT_PSK_TEXT = 64, /* bytes of a pre-shared key in base64, with its NUL */
};

struct import_env {
	/* All of the file, at most IMPORT_MAX_FILE bytes and a NUL, to free after wiping; NULL with the cause in errno. */
	uint8_t *(*read)(void *ctx, const char *path, size_t *len);
	/* Calls @each with every file that @pattern, as of glob(3), stands for; how many there were. */
	unsigned int (*glob)(void *ctx, const char *pattern,
			     void (*each)(void *arg, const char *path), void *arg);
	/* Has this machine the address? */
	bool (*is_own)(void *ctx, const struct ike_addr *a);
	/* A new pre-shared key in base64; false if there is none, and then that was said. NULL: none is to be made. */
	bool (*make_psk)(void *ctx, char text[IMPORT_PSK_TEXT]);
	/* One sentence of printable ASCII about a line of a file; @line 0: about all of it. */
	void (*say)(void *ctx, const char *path, unsigned int line, const char *text);
	void *ctx;
};

struct import_options {
	const char *path; /* of the file; its folder is where others are looked for */
	const char *dir; /* where our files are to be, such as /etc/esptun */
	const char *secrets; /* the file ipsec.secrets; NULL: the one beside @path */
	int local; /* of ipsec.conf: 0 left or 1 right is this machine; -1: the one whose address it has, else left */
};

/* A file to be written, for its owner alone to read. */
struct import_file {
	char *name; /* without folder */
	char *text; /* may hold a key */
	size_t len;
};

struct import_result {
	struct import_file *file; /* of each connection the NAME.conf comes last */
	unsigned int n;
	unsigned int conns,
		refused; /* connections: those that became files, and those that could not */
};

/* The word of --from; NULL: none. */
const char *import_kind_name(enum import_kind kind);
/* What the bytes of a file look like. */
enum import_kind import_detect(const uint8_t *bytes, size_t len);

/*
 * The connections in @bytes of the file options->path. 0, or -1 if the file cannot be understood, which was said; @out is empty
 * then. Give @out back with import_result_clear().
 */
int import_read(enum import_kind kind, const uint8_t *bytes, size_t len,
		const struct import_options *options, const struct import_env *env,
		struct import_result *out);
/* Wipes them. */
void import_result_clear(struct import_result *r);

#endif
