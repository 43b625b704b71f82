// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
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
