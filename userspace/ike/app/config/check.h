/* SPDX-License-Identifier: GPL-2.0-or-later */
/* esptund --check: configurations judged alone, together, and on this machine. */
#ifndef ESPTUN_IKE_CHECK_H
#define ESPTUN_IKE_CHECK_H

#include "ike/app/config/config.h"

struct check_file {
	const char *path;
	struct config conf;
};

struct check_report {
	void (*fn)(void *ctx, const char *path, bool error, const char *text);
	void *ctx;
};

/*
 * What one file cannot tell: tunnels that want the same route, address or peer, an endpoint
 * among @own, the addresses of this machine. Each pair is reported with the latter file.
 */
void check_together(const struct check_file *files, unsigned int n, const struct ike_addr *own,
		    unsigned int n_own, const struct check_report *report);

/*
 * Read the @n files, or the NAME.conf of folders, print what is wrong with them and "ok"
 * of those that are good. 0, or 1 if there was an error.
 */
int check_configs(char *const *paths, unsigned int n);

#endif
