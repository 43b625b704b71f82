// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Code that got into a running esptund tries to get out of it: preloaded, it waits until all
 * rights are given up, in the agent for the first turn of the event loop and in the ike process and the
 * keys process when they wait for the first message, and tells what it could do. As these have nothing to write to, the
 * agent writes all of it to standard error, out of memory that they share. The folder, socket and
 * process it tries are named by ATTACK_DIR, ATTACK_SOCKET and ATTACK_PID.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

int victim(void);

static char who[16] = "esptund"; /* the name of the process attacked */

__attribute__((noinline)) int victim(void)
{
	__asm__ volatile("");
	return 1;
}

enum { REPORT = 1 << 16 };
static struct {
	unsigned int len, told; /* bytes of text, and how many the agent has written */
	char text[REPORT];
} * report;

__attribute__((constructor)) static void share_report(void)
{
	report = mmap(NULL, sizeof(*report), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (report == MAP_FAILED)
		abort();
}

static void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static void say(const char *fmt, ...)
{
	char line[300];
	va_list ap;
	int len, begin;

	va_start(ap, fmt);
	len = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	begin = __atomic_fetch_add(&report->len, len, __ATOMIC_SEQ_CST);
	if (begin + len < REPORT)
		memcpy(report->text + begin, line, len);
}

static void write_report(void)
{
	unsigned int len = __atomic_load_n(&report->len, __ATOMIC_SEQ_CST);

	/* A line is whole a moment after it is counted. */
	while (len < REPORT && report->told < len && report->text[len - 1] == '\n') {
		ssize_t n = write(STDERR_FILENO, report->text + report->told, len - report->told);

		if (n <= 0)
			return;
		report->told += n;
	}
}

static void tell(const char *what, int done)
{
	say("attack: %s: %s: %s\n", who, what, done ? "DONE" : strerror(errno));
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

	say("attack: %s: begins as uid %d\n", who, (int)getuid());
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
	if (strcmp(who, "esptund"))
		tell("write to standard error", write(STDERR_FILENO, "", 0) == 0);
	say("attack: %s: ends\n", who);
}

int epoll_wait(int fd, struct epoll_event *events, int n, int timeout)
{
	int (*real)(int, struct epoll_event *, int, int) = dlsym(RTLD_NEXT, "epoll_wait");
	static int begun;

	if (!begun) {
		begun = 1;
		attack();
	}
	write_report();
	return real(fd, events, n, timeout);
}

/* Later on the name cannot be asked for. */
int prctl(int option, ...)
{
	unsigned long arg[4];
	va_list ap;

	va_start(ap, option);
	for (int i = 0; i < 4; i++)
		arg[i] = va_arg(ap, unsigned long);
	va_end(ap);
	if (option == PR_SET_NAME)
		snprintf(who, sizeof(who), "%.15s", (const char *)arg[0]);
	return (int)syscall(SYS_prctl, option, arg[0], arg[1], arg[2], arg[3]);
}

/* The agent's own calls are looked at above; a new process begins anew. */
static void attack_while_waiting(void)
{
	static pid_t begun;

	if (begun != getpid() && (!strcmp(who, "esptund-ike") || !strcmp(who, "esptund-keys"))) {
		begun = getpid();
		attack();
	}
}

ssize_t recvmsg(int fd, struct msghdr *m, int flags)
{
	ssize_t (*real)(int, struct msghdr *, int) = dlsym(RTLD_NEXT, "recvmsg");

	attack_while_waiting();
	return real(fd, m, flags);
}

int poll(struct pollfd *fds, nfds_t n, int timeout)
{
	int (*real)(struct pollfd *, nfds_t, int) = dlsym(RTLD_NEXT, "poll");

	attack_while_waiting();
	return real(fds, n, timeout);
}
