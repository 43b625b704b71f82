/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the processes that esptund leaves behind at its start have in common. */
#ifndef ESPTUN_IKE_HELPER_H
#define ESPTUN_IKE_HELPER_H

#include <stdbool.h>
#include <stddef.h>

enum { HELPER_FD = 3 };

/*
 * To be called first in a process just forked: it is called @name from now on, keeps no
 * descriptor but standard error (nor that, with @quiet) and @fd, which becomes HELPER_FD, and ends
 * with the agent, not by what a terminal or a service manager sends to all.
 */
void helper_begin(const char *name, int fd, bool quiet);

/*
 * Forks a process for which @run is called with @arg and its end of a pair of sockets of the type @type
 * (SOCK_STREAM, SOCK_SEQPACKET), and does not return. Our end, or -1 with the cause in errno.
 */
int helper_start(int type, void (*run)(int fd, void *arg), void *arg);

/* All @len bytes, to or from a socket of one of them, or a file. False: it has ended before, or failed. */
bool helper_put(int fd, const void *data, size_t len);
bool helper_get(int fd, void *data, size_t len);

#endif
