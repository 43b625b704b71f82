// SPDX-License-Identifier: GPL-2.0-or-later
#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "ike/io/listen.h"

enum { BACKLOG = 8 };

/* Also one at whom so many connections wait that this one would have to. */
static bool somebody_answers(const struct sockaddr_un *addr)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	bool answers = fd >= 0 && (!connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) ||
				   errno == EAGAIN);

	if (fd >= 0)
		close(fd);
	return answers;
}

/* A descriptor that listens on @addr, or a negative errno. */
static int listen_on(const struct sockaddr *addr, socklen_t len)
{
	int fd = socket(addr->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
	int cause;

	if (fd < 0)
		return -errno;
	/* Connections of a former agent may still be closing. */
	if (addr->sa_family != AF_UNIX)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (!bind(fd, addr, len) && !listen(fd, BACKLOG))
		return fd;
	cause = errno;
	close(fd);
	return -cause;
}

int listen_unix(const char *path, mode_t mode, const char *what, const char *option, char *err,
		size_t err_size)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct stat old_file;
	mode_t old;
	int fd;

	if (strlen(path) >= sizeof(addr.sun_path)) {
		snprintf(err, err_size, "the path of the %s, %s, is longer than %zu octets", what,
			 path, sizeof(addr.sun_path) - 1);
		return -EINVAL;
	}
	memcpy(addr.sun_path, path, strlen(path) + 1);
	if (somebody_answers(&addr)) {
		snprintf(
			err, err_size,
			"another esptund answers on %s: stop it first, or give this one another %s with %s",
			path, what, option);
		return -EADDRINUSE;
	}
	if (!lstat(path, &old_file) && S_ISSOCK(old_file.st_mode))
		unlink(path);
	old = umask(0777 & ~mode); /* it has its mode from the first moment */
	fd = listen_on((const struct sockaddr *)&addr, sizeof(addr));
	umask(old);
	if (fd < 0)
		snprintf(err, err_size, "cannot make the %s %s: %s", what, path, strerror(-fd));
	return fd;
}

/* The port behind the last colon of @text, which ends there then; 0: there is none. */
static in_port_t take_port(char *text)
{
	char *colon = strrchr(text, ':'), *end;
	unsigned long port;

	if (!colon || colon[1] < '0' || colon[1] > '9')
		return 0;
	*colon = 0;
	port = strtoul(colon + 1, &end, 10);
	return *end || port > UINT16_MAX ? 0 : htons((in_port_t)port);
}

/* "127.0.0.1:9509" or "[::1]:9509"; the length of *@out, 0: it is no such address. */
static socklen_t parse_loopback(const char *where, struct sockaddr_storage *out)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)out;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;
	char text[64];
	in_port_t port;

	if ((size_t)snprintf(text, sizeof(text), "%s", where) >= sizeof(text))
		return 0;
	port = take_port(text);
	memset(out, 0, sizeof(*out));
	if (!port)
		return 0;
	if (!strcmp(text, "[::1]")) {
		v6->sin6_family = AF_INET6;
		v6->sin6_addr = in6addr_loopback;
		v6->sin6_port = port;
		return sizeof(*v6);
	}
	v4->sin_family = AF_INET;
	v4->sin_port = port;
	return inet_pton(AF_INET, text, &v4->sin_addr) == 1 &&
			       ntohl(v4->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET
		       ? sizeof(*v4)
		       : 0;
}

int listen_local(const char *where, const char *what, const char *option, char *err,
		 size_t err_size)
{
	struct sockaddr_storage addr;
	socklen_t len;
	int fd;

	if (!strncmp(where, "unix:/", 6))
		return listen_unix(where + 5, 0666, what, option, err, err_size);
	len = parse_loopback(where, &addr);
	if (!len) {
		snprintf(
			err, err_size,
			"%s %.100s: expected unix:/PATH, 127.0.0.1:PORT or [::1]:PORT; what other machines are to read goes through a web server with TLS and passwords",
			option, where);
		return -EINVAL;
	}
	fd = listen_on((const struct sockaddr *)&addr, len);
	if (fd < 0)
		snprintf(err, err_size, "cannot listen on %s for %s: %s; %s names another address",
			 where, what, strerror(-fd), option);
	return fd;
}
