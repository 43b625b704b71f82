// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ike/app/helper.h"

void helper_begin(const char *name, int fd, bool quiet)
{
	static const int ignored[] = { SIGINT, SIGTERM, SIGHUP, SIGPIPE };
	int null;

	for (unsigned int i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		signal(ignored[i], SIG_IGN);
	prctl(PR_SET_NAME, name);
	if (fd != HELPER_FD)
		dup2(fd, HELPER_FD);
	syscall(SYS_close_range, HELPER_FD + 1, ~0U, 0);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int std = STDIN_FILENO; null >= 0 && std <= STDERR_FILENO; std++) {
		if (quiet || std != STDERR_FILENO)
			dup2(null, std);
	}
	if (null > HELPER_FD)
		close(null);
}

int helper_start(int type, void (*run)(int fd, void *arg), void *arg)
{
	int fds[2], cause;
	pid_t pid;

	if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds))
		return -1;
	fflush(NULL);
	pid = fork();
	cause = errno;
	if (!pid) {
		run(fds[1], arg);
		_exit(1);
	}
	close(fds[1]);
	if (pid > 0)
		return fds[0];
	close(fds[0]);
	errno = cause;
	return -1;
}

bool helper_put(int fd, const void *data, size_t len)
{
	const char *at = data;

	while (len) {
		ssize_t n = write(fd, at, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		at += n;
		len -= (size_t)n;
	}
	return true;
}

bool helper_get(int fd, void *data, size_t len)
{
	char *at = data;

	while (len) {
		ssize_t n = read(fd, at, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		at += n;
		len -= (size_t)n;
	}
	return true;
}
