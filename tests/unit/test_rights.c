// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is left to code that got into the process that fetches, and into the one that starts it: each thing is tried by
 * a process that has given up its rights as they do. Of the others t_rights.sh tells, from within running ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ike/app/rights.h"

enum { REFUSED = 3, KILLED = 159 /* by the filter, with its last words */ };

static pid_t other; /* a process of root's */

static int judge(bool done)
{
	return done ? 0 : REFUSED;
}

static int connect_tcp(void)
{
	const struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	return judge(fd >= 0 && (!connect(fd, (const struct sockaddr *)&to, sizeof(to)) ||
				 errno == EINPROGRESS || errno == ECONNREFUSED));
}

static int make_udp(void)
{
	return judge(socket(AF_INET6, SOCK_DGRAM, 0) >= 0);
}

static int make_raw(void)
{
	return judge(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP) >= 0);
}

static int make_unix(void)
{
	return judge(socket(AF_UNIX, SOCK_STREAM, 0) >= 0);
}

static int make_netlink(void)
{
	return judge(socket(AF_NETLINK, SOCK_RAW, 0) >= 0);
}

static int make_packet(void)
{
	return judge(socket(AF_PACKET, SOCK_RAW, 0) >= 0);
}

static int wait_for_others(void)
{
	const struct sockaddr_in at = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	return judge(fd >= 0 && !bind(fd, (const struct sockaddr *)&at, sizeof(at)));
}

static int read_file(void)
{
	return judge(open("/etc/passwd", O_RDONLY) >= 0);
}

static int write_memory(void)
{
	return judge(open("/proc/self/mem", O_RDWR) >= 0);
}

static int make_file(void)
{
	return judge(open("/tmp/made", O_CREAT | O_WRONLY, 0600) >= 0);
}

static int run_program(void)
{
	char *const argv[] = { "/bin/true", NULL };

	execv(argv[0], argv);
	return REFUSED;
}

static int run_memory(void)
{
	return judge(mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
}

static int end_process(void)
{
	return judge(!kill(other, SIGKILL));
}

static int look_into_process(void)
{
	return judge(!syscall(SYS_ptrace, 16 /* PTRACE_ATTACH */, other, 0, 0));
}

static int become_root(void)
{
	return judge(!syscall(SYS_setuid, 0));
}

static int fork_more(void)
{
	pid_t pid = (pid_t)syscall(SYS_fork);

	if (!pid)
		_exit(0);
	return judge(pid > 0);
}

static const struct attempt {
	const char *what;
	int (*try)(void);
	int child; /* how it ends in the process that fetches */
} attempts[] = {
	{ "connect by TCP", connect_tcp, 0 },
	{ "a socket of UDP", make_udp, REFUSED },
	{ "a raw socket", make_raw, REFUSED },
	{ "a Unix socket", make_unix, REFUSED },
	{ "a netlink socket", make_netlink, REFUSED },
	{ "a packet socket", make_packet, KILLED },
	{ "wait for connections", wait_for_others, KILLED },
	{ "read a file", read_file, REFUSED },
	{ "write its own text", write_memory, REFUSED },
	{ "make a file", make_file, REFUSED },
	{ "run a program", run_program, KILLED },
	{ "run what it has written", run_memory, REFUSED },
	{ "end another process", end_process, REFUSED },
	{ "look into another process", look_into_process, KILLED },
	{ "become root", become_root, KILLED },
	{ "start another process", fork_more, KILLED },
};

/* It runs in a process that ends. */
static int attempt(const struct attempt *a)
{
	int null = open("/dev/null", O_RDWR);
	char err[512];

	dup2(null, STDERR_FILENO); /* the last words */
	if (rights_drop_spawn("nobody", true, true, err, sizeof(err)) ||
	    rights_confine_child(true, true, NULL, err, sizeof(err)))
		return 99;
	return a->try();
}

static void code_that_got_in_can_do_nothing_else(void **state)
{
	(void)state;
	if (geteuid()) {
		print_message("only root can give up what root has\n");
		skip();
	}
	other = fork();
	if (!other) {
		pause();
		_exit(0);
	}
	for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++) {
		int status;
		pid_t pid = fork();

		if (!pid)
			_exit(attempt(&attempts[i]));
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (!WIFEXITED(status) || WEXITSTATUS(status) != attempts[i].child)
			fail_msg("%s: ends with %x", attempts[i].what, (unsigned int)status);
	}
	assert_int_equal(waitpid(other, NULL, WNOHANG), 0);
	kill(other, SIGKILL);
	waitpid(other, NULL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(code_that_got_in_can_do_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
