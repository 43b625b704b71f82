/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which program holds a UDP port that we want. */
#ifndef ESPTUN_HOLDER_H
#define ESPTUN_HOLDER_H

#include <ctype.h>
#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The inode of a socket with this local port, from a file as /proc/self/net/udp; 0 if there is none. */
static inline unsigned long holder_find_inode(const char *path, uint16_t port)
{
	FILE *f = fopen(path, "re");
	unsigned long inode = 0, found;
	unsigned int local;
	char line[512];

	while (f && !inode && fgets(line, sizeof(line), f)) {
		/* sl local:port remote:port st tx:rx tr:when retrnsmt uid timeout inode */
		if (sscanf(line, " %*u: %*x:%x %*x:%*x %*x %*x:%*x %*x:%*x %*x %*u %*d %lu", &local,
			   &found) == 2 &&
		    local == port)
			inode = found;
	}
	if (f)
		fclose(f);
	return inode;
}

static inline bool holder_holds(const char *pid, const char *socket)
{
	char path[300], link[64];
	struct dirent *d;
	bool found = false;
	DIR *fds;

	snprintf(path, sizeof(path), "/proc/%s/fd", pid);
	fds = opendir(path);
	while (fds && !found && (d = readdir(fds))) {
		ssize_t len = readlinkat(dirfd(fds), d->d_name, link, sizeof(link) - 1);

		link[len > 0 ? len : 0] = 0;
		found = !strcmp(link, socket);
	}
	if (fds)
		closedir(fds);
	return found;
}

static inline void holder_print(const char *pid, char *text, size_t size)
{
	char path[300], name[32] = "?";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%s/comm", pid);
	f = fopen(path, "re");
	if (f && !fgets(name, sizeof(name), f))
		name[0] = 0;
	if (f)
		fclose(f);
	name[strcspn(name, "\n")] = 0;
	snprintf(text, size, "%s (process %.20s)", name, pid);
}

/*
 * "NAME (process PID)" of one that has an IPv4 UDP socket with this local port, or an IPv6 one, in our network
 * namespace. False if it cannot be told: no rights to look, or a socket of the kernel's.
 */
static inline bool holder_of_port(uint16_t port, char *text, size_t size)
{
	unsigned long v4 = holder_find_inode("/proc/self/net/udp", port);
	unsigned long inode = v4 ? v4 : holder_find_inode("/proc/self/net/udp6", port);
	bool found = false;
	struct dirent *d;
	char socket[64];
	DIR *proc;

	if (!inode)
		return false;
	snprintf(socket, sizeof(socket), "socket:[%lu]", inode);
	proc = opendir("/proc");
	while (proc && !found && (d = readdir(proc))) {
		found = isdigit((unsigned char)d->d_name[0]) && holder_holds(d->d_name, socket);
		if (found)
			holder_print(d->d_name, text, size);
	}
	if (proc)
		closedir(proc);
	return found;
}

#endif
