// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Three walls around the agent, each of which holds without the others: another user than
 * root, who owns nothing (with one capability left); Landlock, by which files can be read
 * below a few folders and nothing can be changed; and a filter of system calls, which knows
 * no way to open for writing, to reach a Unix socket, to signal another process, or to run
 * other code.
 */
#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/landlock.h>
#include <linux/netlink.h>
#include <pwd.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <unistd.h>

#include "ike/app/helper.h"
#include "ike/app/log.h"
#include "ike/app/rights.h"

/* ---- memory, user, capabilities ------------------------------------------------------- */

/* Keys live in memory: neither swap nor a core file nor a debugger shall get them. */
static void guard_memory(void)
{
	struct rlimit none = { 0, 0 }, all = { RLIM_INFINITY, RLIM_INFINITY };

	setrlimit(RLIMIT_CORE, &none);
	/* Best effort: in a container the limit may be out of reach. */
	if (!setrlimit(RLIMIT_MEMLOCK, &all))
		mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT);
}

/* Become RIGHTS_USER with the capabilities chosen; 0, or -1 with a sentence. */
static int change_user(char *err, size_t err_size)
{
	const struct passwd *user = getpwnam(RIGHTS_USER);
	int rc;

	if (geteuid())
		return capng_apply(CAPNG_SELECT_CAPS);
	if (!user) {
		log_say(IKE_LOG_WARN, NULL,
			"there is no user " RIGHTS_USER
			", so esptund stays root, without capabilities but one: make the user with useradd --system --no-create-home --shell /usr/sbin/nologin " RIGHTS_USER);
		return capng_apply(CAPNG_SELECT_CAPS);
	}
	rc = capng_change_id((int)user->pw_uid, (int)user->pw_gid, CAPNG_DROP_SUPP_GRP);
	if (rc)
		snprintf(err, err_size,
			 "cannot become the user " RIGHTS_USER ": step %d of it failed", -rc);
	return rc;
}

int rights_drop(char *err, size_t err_size)
{
	guard_memory();
	if (capng_get_caps_process() || !capng_have_capability(CAPNG_EFFECTIVE, CAP_NET_ADMIN)) {
		snprintf(err, err_size,
			 "esptund needs root rights (CAP_NET_ADMIN): run it as root");
		return -1;
	}
	capng_clear(CAPNG_SELECT_BOTH);
	snprintf(err, err_size, "cannot give up capabilities");
	if (capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, CAP_NET_ADMIN) ||
	    change_user(err, err_size) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -1;
	prctl(PR_SET_DUMPABLE, 0); /* a change of the user may have set it */
	return 0;
}

/* ---- Landlock -------------------------------------------------------------------------- */

#ifndef LANDLOCK_ACCESS_FS_REFER /* <linux/landlock.h> of Linux 5.19 */
#define LANDLOCK_ACCESS_FS_REFER (1ULL << 13)
#endif
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE /* 6.2 */
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif
#ifndef LANDLOCK_ACCESS_FS_IOCTL_DEV /* 6.10 */
#define LANDLOCK_ACCESS_FS_IOCTL_DEV (1ULL << 15)
#endif

enum { READING = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR };

/* All that a Landlock of this version can forbid. */
static uint64_t forbidden(int version)
{
	static const uint64_t added[] = { LANDLOCK_ACCESS_FS_REFER, LANDLOCK_ACCESS_FS_TRUNCATE, 0,
					  LANDLOCK_ACCESS_FS_IOCTL_DEV };
	uint64_t all = LANDLOCK_ACCESS_FS_MAKE_SYM * 2 - 1; /* version 1 */

	for (int i = 0; i < 4 && i + 2 <= version; i++)
		all |= added[i];
	return all;
}

static void allow_below(int ruleset, const char *path, uint64_t access)
{
	struct landlock_path_beneath_attr below = { .allowed_access = access };

	below.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (below.parent_fd < 0)
		return; /* what is not there needs no rule */
	syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &below, 0);
	close(below.parent_fd);
}

/* A ruleset that allows nothing yet; -1 on a kernel without Landlock. */
static int landlock_begin(void)
{
	int version =
		(int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	struct landlock_ruleset_attr attr = { 0 };

	if (version < 1)
		return -1;
	attr.handled_access_fs = forbidden(version);
	return (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
}

static int landlock_end(int ruleset, char *err, size_t err_size)
{
	long rc = syscall(SYS_landlock_restrict_self, ruleset, 0);

	if (rc)
		snprintf(err, err_size, "cannot restrict access to files (Landlock): %s",
			 strerror(errno));
	close(ruleset);
	return rc ? -1 : 0;
}

/* hosts and resolv.conf, wherever that leads, and time zones. */
static int confine_files(char *err, size_t err_size)
{
	static const char *const readable[] = { "/etc", "/run", "/usr/share/zoneinfo" };
	int ruleset = landlock_begin();

	if (ruleset < 0) {
		log_say(IKE_LOG_WARN, NULL,
			"this kernel has no Landlock: what esptund may read is not limited to /etc and /run");
		return 0;
	}
	for (unsigned int i = 0; i < sizeof(readable) / sizeof(readable[0]); i++)
		allow_below(ruleset, readable[i], READING);
	return landlock_end(ruleset, err, err_size);
}

/* ---- system calls ---------------------------------------------------------------------- */

static void say_to_stderr(const char *text)
{
	const struct iovec iov[] = { { (void *)"esptund: ", 9 },
				     { (void *)text, strlen(text) },
				     { (void *)"\n", 1 } };

	if (writev(STDERR_FILENO, iov, 3) < 0)
		_exit(158);
}

/* How a process says its last words; NULL: not at all. */
static void (*say_at_end)(const char *text) = say_to_stderr;

/* Runs in a signal handler. */
static void on_violation(int sig, siginfo_t *info, void *ucontext)
{
	char text[] = "stopped: system call 000 is not in the allow-list; please report this";
	int nr = info->si_syscall;

	(void)sig;
	(void)ucontext;
	for (char *digit = strstr(text, "000") + 2; nr > 0 && *digit >= '0'; nr /= 10)
		*digit-- = (char)('0' + nr % 10);
	if (say_at_end)
		say_at_end(text);
	_exit(159);
}

/* What all processes need, without a look at the arguments. */
static const int allowed_to_all[] = {
	SCMP_SYS(read),
	SCMP_SYS(write),
	SCMP_SYS(writev),
	SCMP_SYS(close),
	SCMP_SYS(fstat),
	SCMP_SYS(lseek),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(time),
	/* memory; mprotect and mmap are looked at below */
	SCMP_SYS(brk),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(madvise),
	/* process: no exec, no fork */
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(futex),
	SCMP_SYS(getrandom),
	SCMP_SYS(getpid),
	SCMP_SYS(gettid),
	SCMP_SYS(getuid),
	SCMP_SYS(geteuid),
	SCMP_SYS(getgid),
	SCMP_SYS(getegid),
	SCMP_SYS(sysinfo), /* glibc's qsort(), of 1 KiB or more: scandir() of many tunnels */
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
};

/* The agent and the reader besides. */
static const int allowed_with_files[] = {
	SCMP_SYS(readv),    SCMP_SYS(pread64),	  SCMP_SYS(stat),  SCMP_SYS(lstat),
	SCMP_SYS(statx),    SCMP_SYS(newfstatat), SCMP_SYS(fcntl), SCMP_SYS(getdents64),
	SCMP_SYS(readlink), SCMP_SYS(readlinkat),
};

static const int allowed_to_agent[] = {
	/* sockets */
	SCMP_SYS(bind),
	SCMP_SYS(connect),
	SCMP_SYS(accept4),
	SCMP_SYS(getsockname),
	SCMP_SYS(getpeername),
	SCMP_SYS(sendto),
	SCMP_SYS(recvfrom),
	SCMP_SYS(sendmsg),
	SCMP_SYS(recvmsg),
	SCMP_SYS(recvmmsg),
	SCMP_SYS(setsockopt),
	SCMP_SYS(getsockopt),
	SCMP_SYS(shutdown),
	SCMP_SYS(ioctl),
	/* loop and time */
	SCMP_SYS(epoll_wait),
	SCMP_SYS(epoll_pwait),
	SCMP_SYS(epoll_pwait2),
	SCMP_SYS(epoll_ctl),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(select),
	SCMP_SYS(pselect6),
	SCMP_SYS(timerfd_settime),
	SCMP_SYS(clock_getres),
	SCMP_SYS(nanosleep),
	SCMP_SYS(clock_nanosleep),
	/* memory */
	SCMP_SYS(mlock),
	SCMP_SYS(mlock2),
	SCMP_SYS(munlock),
	/* process; the terminal is left late */
	SCMP_SYS(dup2),
	SCMP_SYS(dup3),
	SCMP_SYS(sigaltstack),
	SCMP_SYS(uname),
	SCMP_SYS(sched_yield),
	SCMP_SYS(sched_getaffinity),
};

static int add_list(scmp_filter_ctx f, uint32_t action, const int *list, size_t n)
{
	int rc = 0;

	for (size_t i = 0; i < n && !rc; i++)
		rc = seccomp_rule_add(f, action, list[i], 0);
	return rc;
}

/* A rule about one bit field of one argument. */
struct field_rule {
	uint32_t action;
	int syscall;
	unsigned int arg;
	uint64_t mask, value;
};

static int add_fields(scmp_filter_ctx f, const struct field_rule *rules, size_t n)
{
	int rc = 0;

	for (size_t i = 0; i < n && !rc; i++)
		rc = seccomp_rule_add(f, rules[i].action, rules[i].syscall, 1,
				      SCMP_CMP(rules[i].arg, SCMP_CMP_MASKED_EQ, rules[i].mask,
					       rules[i].value));
	return rc;
}

#define REFUSE SCMP_ACT_ERRNO(EACCES)
#define CHANGING (O_ACCMODE | O_CREAT | O_TRUNC)

/* No memory that can be executed. */
static const struct field_rule data_only[] = {
	{ SCMP_ACT_ALLOW, SCMP_SYS(mmap), 2, PROT_EXEC, 0 },
	{ SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 2, PROT_EXEC, 0 },
};

/* Lists, or rules, that an array has. */
#define ALLOW(f, list) add_list(f, SCMP_ACT_ALLOW, list, sizeof(list) / sizeof((list)[0]))
#define REFUSE_ALL(f, list) add_list(f, REFUSE, list, sizeof(list) / sizeof((list)[0]))
#define ADD(f, rules) add_fields(f, rules, sizeof(rules) / sizeof((rules)[0]))

static int allow_to_all(scmp_filter_ctx f)
{
	int rc = ALLOW(f, allowed_to_all);

	return rc ? rc : ADD(f, data_only);
}

/* abort(), and no other process. */
static int allow_abort(scmp_filter_ctx f)
{
	const scmp_datum_t self = (scmp_datum_t)getpid();
	int rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
				  SCMP_A0(SCMP_CMP_EQ, self));

	return rc ? rc
		  : seccomp_rule_add(f, REFUSE, SCMP_SYS(tgkill), 1, SCMP_A0(SCMP_CMP_NE, self));
}

static int allow_common(scmp_filter_ctx f)
{
	static const struct field_rule rules[] = {
		/* files are opened for reading, or not at all */
		{ SCMP_ACT_ALLOW, SCMP_SYS(openat), 2, CHANGING, O_RDONLY },
		{ REFUSE, SCMP_SYS(openat), 2, O_WRONLY, O_WRONLY },
		{ REFUSE, SCMP_SYS(openat), 2, O_RDWR, O_RDWR },
		{ REFUSE, SCMP_SYS(openat), 2, O_CREAT, O_CREAT },
		{ REFUSE, SCMP_SYS(openat), 2, O_TRUNC, O_TRUNC },
		{ SCMP_ACT_ALLOW, SCMP_SYS(open), 1, CHANGING, O_RDONLY },
		{ REFUSE, SCMP_SYS(open), 1, O_WRONLY, O_WRONLY },
		{ REFUSE, SCMP_SYS(open), 1, O_RDWR, O_RDWR },
		{ REFUSE, SCMP_SYS(open), 1, O_CREAT, O_CREAT },
		{ REFUSE, SCMP_SYS(open), 1, O_TRUNC, O_TRUNC },
	};
	int rc = allow_to_all(f);

	if (!rc)
		rc = ALLOW(f, allowed_with_files);
	if (!rc)
		rc = ADD(f, rules);
	return rc ? rc : allow_abort(f);
}

/* Datagrams to name servers, and rtnetlink; Unix sockets only to syslog. */
static int allow_sockets(scmp_filter_ctx f, bool syslog)
{
	static const int families[] = { AF_INET, AF_INET6, AF_UNIX };
	int rc = 0;

	for (unsigned int i = 0; i < 3 && !rc; i++) {
		bool datagrams = families[i] != AF_UNIX || syslog;

		rc = seccomp_rule_add(f, datagrams ? SCMP_ACT_ALLOW : REFUSE, SCMP_SYS(socket), 2,
				      SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)families[i]),
				      SCMP_A1(SCMP_CMP_MASKED_EQ, 0xf, SOCK_DGRAM));
		/* SOCK_STREAM, SOCK_RAW and SOCK_SEQPACKET are odd numbers. */
		if (!rc)
			rc = seccomp_rule_add(f, REFUSE, SCMP_SYS(socket), 2,
					      SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)families[i]),
					      SCMP_A1(SCMP_CMP_MASKED_EQ, 1, 1));
	}
	if (!rc)
		rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(socket), 2,
				      SCMP_A0(SCMP_CMP_EQ, AF_NETLINK),
				      SCMP_A2(SCMP_CMP_EQ, NETLINK_ROUTE));
	return rc;
}

static int allow_to_agent(scmp_filter_ctx f, bool syslog)
{
	int rc = ALLOW(f, allowed_to_agent);

	if (!rc)
		rc = allow_sockets(f, syslog);
	/* to another ike process */
	if (!rc)
		rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(socketpair), 1,
				      SCMP_A0(SCMP_CMP_EQ, AF_UNIX));
	/* libevent puts the signals back at the end; the handler of violations stays. */
	if (!rc)
		rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(rt_sigaction), 1,
				      SCMP_A0(SCMP_CMP_NE, SIGSYS));
	/* glibc asks how much memory may be locked or taken, it does not change it. */
	if (!rc)
		rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 1,
				      SCMP_A2(SCMP_CMP_EQ, 0));
	return rc;
}

/* A filter that allows nothing yet. */
static int filter_new(scmp_filter_ctx *f)
{
	struct sigaction action = { .sa_sigaction = on_violation, .sa_flags = SA_SIGINFO };

	*f = seccomp_init(SCMP_ACT_TRAP);
	if (!*f)
		return -ENOMEM;
	return sigaction(SIGSYS, &action, NULL) ? -errno : 0;
}

static int filter_begin(scmp_filter_ctx *f)
{
	int rc = filter_new(f);

	return rc ? rc : allow_common(*f);
}

static int filter_end(scmp_filter_ctx f, int rc, char *err, size_t err_size)
{
	if (!rc)
		rc = seccomp_load(f);
	if (f)
		seccomp_release(f);
	if (rc)
		snprintf(err, err_size,
			 "cannot install the system call filter: %s; --no-seccomp goes without",
			 strerror(-rc));
	return rc ? -1 : 0;
}

/* ---- the agent and the reader ----------------------------------------------------------- */

int rights_confine(bool syslog, bool seccomp, char *err, size_t err_size)
{
	scmp_filter_ctx f;
	int rc;

	if (confine_files(err, err_size))
		return -1;
	if (!seccomp)
		return 0;
	rc = filter_begin(&f);
	if (!rc)
		rc = allow_to_agent(f, syslog);
	return filter_end(f, rc, err, err_size);
}

static int confine_reader_files(const char *socket, char *err, size_t err_size)
{
	char dir[4096], *slash;
	int ruleset = landlock_begin();

	if (ruleset < 0)
		return 0;
	allow_below(ruleset, "/", READING);
	snprintf(dir, sizeof(dir), "%s", socket);
	slash = strrchr(dir, '/');
	if (slash)
		slash[slash == dir] = 0;
	allow_below(ruleset, slash ? dir : ".", LANDLOCK_ACCESS_FS_REMOVE_FILE);
	return landlock_end(ruleset, err, err_size);
}

/* Root, without what makes it more than the owner of root's files. */
static int drop_capabilities(char *err, size_t err_size)
{
	guard_memory();
	capng_clear(CAPNG_SELECT_BOTH);
	if (!capng_apply(CAPNG_SELECT_CAPS) && !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) &&
	    !prctl(PR_SET_DUMPABLE, 0))
		return 0;
	snprintf(err, err_size, "cannot give up capabilities: %s", strerror(errno));
	return -1;
}

int rights_drop_reader(const char *socket, bool seccomp, char *err, size_t err_size)
{
	scmp_filter_ctx f;
	int rc;

	if (drop_capabilities(err, err_size))
		return -1;
	if (confine_reader_files(socket, err, err_size))
		return -1;
	if (!seccomp)
		return 0;
	rc = filter_begin(&f);
	if (!rc)
		rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(unlink), 0);
	return filter_end(f, rc, err, err_size);
}

/* ---- the process that keeps files ------------------------------------------------------- */

enum {
	WRITING = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG |
		  LANDLOCK_ACCESS_FS_REMOVE_FILE
};

/* Without the right to change the root, Landlock has to do. */
static int confine_store_files(const char *dir, char *err, size_t err_size)
{
	int ruleset = landlock_begin();

	if (chdir(dir)) {
		snprintf(err, err_size,
			 "cannot enter the folder %s, in which leases and CRLs are kept: %s", dir,
			 strerror(errno));
		close(ruleset);
		return -1;
	}
	if (!chroot(".") && chdir("/")) {
		snprintf(err, err_size, "cannot leave the file system: %s", strerror(errno));
		close(ruleset);
		return -1;
	}
	if (ruleset < 0)
		return 0;
	allow_below(ruleset, ".", READING | WRITING);
	return landlock_end(ruleset, err, err_size);
}

int rights_drop_store(const char *dir, bool seccomp, char *err, size_t err_size)
{
	static const int allowed_to_store[] = {
		SCMP_SYS(open),	  SCMP_SYS(openat),   SCMP_SYS(newfstatat), SCMP_SYS(fsync),
		SCMP_SYS(fcntl),  SCMP_SYS(rename),   SCMP_SYS(renameat),   SCMP_SYS(renameat2),
		SCMP_SYS(unlink), SCMP_SYS(unlinkat),
	};
	scmp_filter_ctx f;
	int rc;

	if (confine_store_files(dir, err, err_size) || drop_capabilities(err, err_size))
		return -1;
	if (!seccomp)
		return 0;
	rc = filter_new(&f);
	if (!rc)
		rc = allow_to_all(f);
	if (!rc)
		rc = ALLOW(f, allowed_to_store);
	if (!rc)
		rc = allow_abort(f);
	return filter_end(f, rc, err, err_size);
}

/* ---- the process that runs a program ----------------------------------------------------- */

static int confine_runner_files(const char *program, char *err, size_t err_size)
{
	/* Libraries may be found there without a merged /usr. */
	static const char *const folders[] = { "/usr", "/bin", "/lib", "/lib64" };
	char dir[4096], *slash;
	int ruleset = landlock_begin();

	if (ruleset < 0)
		return 0;
	for (unsigned int i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		allow_below(ruleset, folders[i], READING | LANDLOCK_ACCESS_FS_EXECUTE);
	allow_below(ruleset, "/proc", READING);
	snprintf(dir, sizeof(dir), "%s", program);
	slash = strrchr(dir, '/');
	if (slash)
		slash[slash == dir] = 0;
	allow_below(ruleset, slash ? dir : ".", READING | LANDLOCK_ACCESS_FS_EXECUTE);
	return landlock_end(ruleset, err, err_size);
}

/* What nobody needs who talks to another process over a Unix socket. */
static const int refused_to_runner[] = {
	SCMP_SYS(ptrace),
	SCMP_SYS(process_vm_readv),
	SCMP_SYS(process_vm_writev),
	SCMP_SYS(mount),
	SCMP_SYS(umount2),
	SCMP_SYS(pivot_root),
	SCMP_SYS(chroot),
	SCMP_SYS(unshare),
	SCMP_SYS(setns),
	SCMP_SYS(bpf),
	SCMP_SYS(perf_event_open),
	SCMP_SYS(keyctl),
	SCMP_SYS(add_key),
	SCMP_SYS(request_key),
	SCMP_SYS(init_module),
	SCMP_SYS(finit_module),
	SCMP_SYS(kexec_load),
	SCMP_SYS(reboot),
	SCMP_SYS(io_uring_setup),
	SCMP_SYS(userfaultfd),
};

static int refuse_sockets(scmp_filter_ctx f)
{
	static const int families[] = { AF_INET, AF_INET6, AF_PACKET, AF_KEY, AF_VSOCK };
	int rc = 0;

	for (unsigned int i = 0; i < sizeof(families) / sizeof(families[0]) && !rc; i++)
		rc = seccomp_rule_add(f, REFUSE, SCMP_SYS(socket), 1,
				      SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)families[i]));
	return rc;
}

int rights_drop_runner(const char *program, bool seccomp, char *err, size_t err_size)
{
	scmp_filter_ctx f;
	int rc = 0;

	if (drop_capabilities(err, err_size) || confine_runner_files(program, err, err_size))
		return -1;
	if (!seccomp)
		return 0;
	f = seccomp_init(SCMP_ACT_ALLOW);
	if (!f)
		rc = -ENOMEM;
	if (!rc)
		rc = REFUSE_ALL(f, refused_to_runner);
	if (!rc)
		rc = refuse_sockets(f);
	return filter_end(f, rc, err, err_size);
}

/* ---- the ike process, the keys process, and those that start them ----------------------- */

enum { NOBODY = 65534 };

/* Bytes; tens of thousands of tunnels take less. */
#define CHILD_MEMORY ((rlim_t)4 << 30)

static const int allowed_to_child[] = {
	SCMP_SYS(sendmsg), SCMP_SYS(recvmsg),	  SCMP_SYS(poll),
	SCMP_SYS(ppoll),   SCMP_SYS(sched_yield), SCMP_SYS(uname),
};

/* What the process that starts it needs besides, and what it does between fork and filter. */
static const int allowed_to_spawn[] = {
	SCMP_SYS(clone),
	SCMP_SYS(clone3),
	SCMP_SYS(fork),
	SCMP_SYS(vfork),
	SCMP_SYS(set_robust_list),
	SCMP_SYS(rseq),
	SCMP_SYS(wait4),
	SCMP_SYS(kill), /* of its own user's processes: those it started */
	SCMP_SYS(tgkill), /* abort(); what it starts may no other */
	SCMP_SYS(dup2),
	SCMP_SYS(dup3),
	SCMP_SYS(prctl),
	SCMP_SYS(seccomp),
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(mlockall),
	SCMP_SYS(setrlimit),
	SCMP_SYS(prlimit64),
};

/* What libraries may try, and do without: an answer is enough for them. */
static const int refused_to_child[] = {
	SCMP_SYS(open),
	SCMP_SYS(openat),
	SCMP_SYS(stat),
	SCMP_SYS(lstat),
	SCMP_SYS(statx),
	SCMP_SYS(access),
	SCMP_SYS(newfstatat),
	SCMP_SYS(faccessat),
	SCMP_SYS(readlink),
	SCMP_SYS(readlinkat),
	SCMP_SYS(sched_getaffinity),
};

/* And those that one with connections of its own does need. */
static const int refused_offline[] = {
	SCMP_SYS(socket),
	SCMP_SYS(connect),
	SCMP_SYS(fcntl),
};

/* It connects to others, and waits for no connection: neither bind nor listen. */
static const int allowed_online[] = {
	SCMP_SYS(connect),	  SCMP_SYS(fcntl),	     SCMP_SYS(readv),
	SCMP_SYS(sendto),	  SCMP_SYS(recvfrom),	     SCMP_SYS(getsockopt),
	SCMP_SYS(setsockopt),	  SCMP_SYS(getsockname),     SCMP_SYS(getpeername),
	SCMP_SYS(shutdown),	  SCMP_SYS(epoll_create1),   SCMP_SYS(epoll_ctl),
	SCMP_SYS(epoll_wait),	  SCMP_SYS(epoll_pwait),     SCMP_SYS(epoll_pwait2),
	SCMP_SYS(timerfd_create), SCMP_SYS(timerfd_settime), SCMP_SYS(clock_getres),
	SCMP_SYS(pipe2),
};

/* TCP, and an answer for a library that tries something else first. */
static int allow_tcp(scmp_filter_ctx f)
{
	static const int families[] = { AF_INET, AF_INET6 }, others[] = { AF_UNIX, AF_NETLINK };
	int rc = ALLOW(f, allowed_online);

	if (!rc) /* how much there is to read */
		rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
				      SCMP_A1(SCMP_CMP_EQ, FIONREAD));
	for (unsigned int i = 0; i < 2 && !rc; i++) {
		rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(socket), 2,
				      SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)families[i]),
				      SCMP_A1(SCMP_CMP_MASKED_EQ, 0xf, SOCK_STREAM));
		if (!rc)
			rc = seccomp_rule_add(f, REFUSE, SCMP_SYS(socket), 2,
					      SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)families[i]),
					      SCMP_A1(SCMP_CMP_MASKED_EQ, 0xf, SOCK_DGRAM));
		if (!rc)
			rc = seccomp_rule_add(f, REFUSE, SCMP_SYS(socket), 2,
					      SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)families[i]),
					      SCMP_A1(SCMP_CMP_MASKED_EQ, 0xf, SOCK_RAW));
		if (!rc)
			rc = seccomp_rule_add(f, REFUSE, SCMP_SYS(socket), 1,
					      SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)others[i]));
	}
	return rc;
}

static int allow_to_child(scmp_filter_ctx f, bool network)
{
	static const struct field_rule rules[] = {
		{ REFUSE, SCMP_SYS(mmap), 2, PROT_EXEC, PROT_EXEC },
		{ REFUSE, SCMP_SYS(mprotect), 2, PROT_EXEC, PROT_EXEC },
	};
	int rc = allow_to_all(f);

	if (!rc)
		rc = ALLOW(f, allowed_to_child);
	if (!rc)
		rc = REFUSE_ALL(f, refused_to_child);
	if (!rc)
		rc = network ? allow_tcp(f) : REFUSE_ALL(f, refused_offline);
	return rc ? rc : ADD(f, rules);
}

/* No folder that has files. Without the right to, Landlock and the filter have to do. */
static int empty_root(char *err, size_t err_size)
{
	int ruleset = landlock_begin();

	if (!chroot("/proc/self/fdinfo") && chdir("/")) {
		snprintf(err, err_size, "cannot leave the file system: %s", strerror(errno));
		return -1;
	}
	return ruleset < 0 ? 0 : landlock_end(ruleset, err, err_size);
}

/* If memory runs out it is the one to end: another takes its place, and traffic goes on. */
static void end_first(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, "500", 3) != 3)
		log_say(IKE_LOG_DEBUG, NULL,
			"cannot change the order in which processes end when memory is out");
	if (fd >= 0)
		close(fd);
}

static int become_user(uid_t uid, gid_t gid)
{
	if (!geteuid() &&
	    (setgroups(0, NULL) || setresgid(gid, gid, gid) || setresuid(uid, uid, uid)))
		return -1;
	capng_clear(CAPNG_SELECT_CAPS);
	return capng_apply(CAPNG_SELECT_CAPS);
}

int rights_drop_spawn(const char *user, bool network, bool seccomp, char *err, size_t err_size)
{
	const struct passwd *found = getpwnam(user);
	uid_t uid = found ? found->pw_uid : NOBODY;
	gid_t gid = found ? found->pw_gid : NOBODY;
	scmp_filter_ctx f;
	int rc;

	guard_memory();
	end_first();
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || empty_root(err, err_size))
		return -1;
	if (become_user(uid, gid) || prctl(PR_SET_DUMPABLE, 0)) {
		snprintf(err, err_size, "cannot become the user %s: %s", user, strerror(errno));
		return -1;
	}
	if (!seccomp)
		return 0;
	rc = filter_new(&f);
	if (!rc)
		rc = allow_to_child(f, network);
	if (!rc)
		rc = ALLOW(f, allowed_to_spawn);
	return filter_end(f, rc, err, err_size);
}

enum { CONNECTIONS = 32 }; /* and what it waits for them with */

/* So much of the machine it can use up; the agent has the rest. */
static int limit_child(bool network)
{
	const rlim_t most = HELPER_FD + 1 + (network ? CONNECTIONS : 0);
	const struct rlimit descriptors = { most, most };
	static const struct rlimit memory = { CHILD_MEMORY, CHILD_MEMORY };

#ifdef __SANITIZE_ADDRESS__ /* reserves terabytes */
	return setrlimit(RLIMIT_NOFILE, &descriptors);
#endif
	return setrlimit(RLIMIT_NOFILE, &descriptors) || setrlimit(RLIMIT_AS, &memory);
}

int rights_confine_child(bool network, bool seccomp, void (*say)(const char *text), char *err,
			 size_t err_size)
{
	scmp_filter_ctx f;
	int rc;

	guard_memory(); /* locks are not inherited */
	if (limit_child(network)) {
		snprintf(err, err_size, "cannot limit a process: %s", strerror(errno));
		return -1;
	}
	say_at_end = say;
	if (!seccomp)
		return 0;
	rc = filter_new(&f);
	if (!rc)
		rc = allow_to_child(f, network);
	if (!rc)
		rc = allow_abort(f);
	/* The former filter has it. */
	if (!rc)
		rc = seccomp_rule_add(f, REFUSE, SCMP_SYS(kill), 0);
	return filter_end(f, rc, err, err_size);
}
