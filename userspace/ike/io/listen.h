/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sockets that programs of this machine connect to, opened while the agent is root. */
#ifndef ESPTUN_IKE_LISTEN_H
#define ESPTUN_IKE_LISTEN_H

#include <stddef.h>
#include <sys/types.h>

/*
 * Listen on the Unix stream socket @path, made with @mode in place of one that nobody answers at. @what it is, and
 * how esptund is told of another one, as in "control socket" and "--socket". A descriptor, or a negative errno with a sentence.
 */
int listen_unix(const char *path, mode_t mode, const char *what, const char *option, char *err,
		size_t err_size);

/*
 * Listen where @option says: "unix:/PATH", which whoever may enter its folder can connect to, or ADDRESS:PORT with an
 * address of the loopback interface. A descriptor; or a negative errno with a sentence, -EINVAL if @where is none of these.
 */
int listen_local(const char *where, const char *what, const char *option, char *err,
		 size_t err_size);

#endif
