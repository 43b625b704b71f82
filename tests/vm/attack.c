// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Code that got into a running esptund tries to get out of it: preloaded, it waits for the
 * first turn of the event loop, when all rights are given up, and writes to standard error
 * what it could do. The folder, socket and process it tries are named by ATTACK_DIR,
 * ATTACK_SOCKET and ATTACK_PID.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

int victim(void);

__attribute__((noinline)) int victim(void)
{
	__asm__ volatile("");
	return 1;
}

static void tell(const char *what, int done)
{
	dprintf(STDERR_FILENO, "attack: %s: %s\n", what, done ? "DONE" : strerror(errno));
}

static int open_path(const char *path, int flags)
{
	int fd = (int)syscall(SYS_openat, AT_FDCWD, path, flags, 0644);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static int reach(const char *path, int type)
{
	struct sockaddr_un u = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, type, 0), done;

	if (fd < 0)
		return 0;
	snprintf(u.sun_path, sizeof(u.sun_path), "%s", path);
	done = !connect(fd, (struct sockaddr *)&u, sizeof(u));
	close(fd);
	return done;
}

/* mov eax, 42; ret */
static int patch_text(void)
{
	static const unsigned char code[] = { 0xb8, 0x2a, 0, 0, 0, 0xc3 };
	int fd = open("/proc/self/mem", O_RDWR);

	return fd >= 0 && lseek(fd, (off_t)(unsigned long)victim, SEEK_SET) >= 0 &&
	       write(fd, code, sizeof(code)) == sizeof(code) && victim() == 42;
}

static void attack(void)
{
	pid_t pid = atoi(getenv("ATTACK_PID"));
	char path[300];

	dprintf(STDERR_FILENO, "attack: begins as uid %d\n", (int)getuid());
	tell("open /etc/shadow for writing", open_path("/etc/shadow", O_RDWR));
	tell("read /etc/shadow", open_path("/etc/shadow", O_RDONLY));
	tell("reach a root-only socket", reach(getenv("ATTACK_SOCKET"), SOCK_STREAM));
	tell("kill a process of root's", !syscall(SYS_tgkill, pid, pid, SIGKILL));
	tell("patch its own text", patch_text());
	snprintf(path, sizeof(path), "%s/made", getenv("ATTACK_DIR"));
	tell("create a file in a folder of root's", open_path(path, O_CREAT | O_WRONLY));
	snprintf(path, sizeof(path), "%s/there", getenv("ATTACK_DIR"));
	tell("truncate a file that all may write", open_path(path, O_WRONLY | O_TRUNC));
	tell("read a file outside of its folders", open_path(path, O_RDONLY));
	tell("read a tunnel's configuration", open_path(getenv("ATTACK_CONF"), O_RDONLY));
	dprintf(STDERR_FILENO, "attack: ends\n");
}

int epoll_wait(int fd, struct epoll_event *events, int n, int timeout)
{
	int (*real)(int, struct epoll_event *, int, int) = dlsym(RTLD_NEXT, "epoll_wait");
	static int begun;

	if (!begun) {
		begun = 1;
		attack();
	}
	return real(fd, events, n, timeout);
}
