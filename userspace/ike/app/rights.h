/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Giving up what the agent and the process that reads its files do not need, before the
 * first packet is read.
 */
#ifndef ESPTUN_IKE_RIGHTS_H
#define ESPTUN_IKE_RIGHTS_H

#include <stdbool.h>
#include <stddef.h>

#define RIGHTS_USER "esptund"
#define RIGHTS_IKE_USER "esptund-ike"
#define RIGHTS_KEYS_USER "esptund-keys"
#define RIGHTS_FETCH_USER "esptund-fetch"

/*
 * No core dumps, no ptrace, no swap; the user RIGHTS_USER instead of root, if there is one;
 * no capability but CAP_NET_ADMIN. 0, or -1 with a sentence in @err: not root, or the
 * kernel refused.
 */
int rights_drop(char *err, size_t err_size);

/*
 * Files can be read below /etc and /run, none can be changed (if the kernel has Landlock).
 * With @seccomp only the system calls an agent that is set up needs are allowed; any other
 * one ends the process with a line on standard error that names it. With @syslog that may
 * be reached again. Call it last. 0, or -1 with a sentence.
 */
int rights_confine(bool syslog, bool seccomp, char *err, size_t err_size);

/*
 * The same for the process that reads files: no capability, no socket; it stays root, reads
 * all that root owns, and may remove files from the folder of @socket.
 */
int rights_drop_reader(const char *socket, bool seccomp, char *err, size_t err_size);

/*
 * The same for the process that keeps files of the agent's: it stays root, and of the file system the
 * folder @dir is left, as its root, in which it may make, write, rename and remove files.
 */
int rights_drop_store(const char *dir, bool seccomp, char *err, size_t err_size);

/*
 * The same for the process that runs @program, and nothing else of its own: it stays root; files can be read
 * and run below /usr and the folder of @program, and read below /proc, none can be changed; no socket but
 * Unix ones and netlink. All that holds for the program, too.
 */
int rights_drop_runner(const char *program, bool seccomp, char *err, size_t err_size);

/*
 * The same for a process that starts others: the user @user, or uid 65534
 * without one; no capability, no files, no sockets but the one it has; it may fork. With @network it, or rather
 * what it starts, may make TCP connections.
 */
int rights_drop_spawn(const char *user, bool network, bool seccomp, char *err, size_t err_size);

/*
 * And for the ike process, the keys process or the fetch process, which that has forked: what remains is to read and
 * write descriptors it has, memory, of which there is a limit, time and randomness; with @network also to make TCP
 * connections, and to wait for several of them. If the filter ends the process,
 * @say gets the sentence, in a signal handler; NULL: nobody does.
 */
int rights_confine_child(bool network, bool seccomp, void (*say)(const char *text), char *err,
			 size_t err_size);

#endif
