// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Both ends of the socket between the agent and the process that sets name servers. A message is a struct
 * wish, and if it sets some, its answer a struct link_dns_outcome.
 */
#include "ike/app/link_dns.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ike/app/helper.h"
#include "ike/app/rights.h"
#include "ike/io/loop.h"
#include "ike/proto/addr.h"

enum { MAX_ARGS = 8 + IKE_CP_SERVERS + IKE_CP_DOMAINS / 2 };

struct wish {
	char name[16];
	uint32_t n_servers; /* 0: no longer */
	struct ike_addr server[IKE_CP_SERVERS];
	char domains[IKE_CP_DOMAINS]; /* with blanks between them */
};

/* That of systemd, for its own programs. */
#define FIRST_PROCESS_SOCKET "/run/systemd/private"

/* For which the socket has no room yet: one of each netdevice, the last. */
struct waiting {
	STAILQ_ENTRY(waiting) next;
	struct wish wish;
};

struct link_dns {
	int fd;
	struct event *event, *writable; /* the latter while there is one that waits */
	STAILQ_HEAD(, waiting) waiting;
	void (*fn)(void *ctx, const struct link_dns_outcome *o);
	void *ctx;
};

/* ---- the process: running a program ------------------------------------------------------ */

_Noreturn static void become(char *const argv[], int output)
{
	static char *const env[] = { "PATH=/usr/bin:/bin", "LC_ALL=C", "SYSTEMD_COLORS=0", NULL };

	dup2(output, STDOUT_FILENO);
	dup2(output, STDERR_FILENO);
	close(HELPER_FD);
	signal(SIGPIPE, SIG_DFL);
	execve(argv[0], argv, env);
	_exit(errno == ENOENT ? 127 : 126);
}

/* False if the time is up before there is anything to read. */
static bool await_readable(int fd, uint64_t deadline)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	uint64_t now;
	int rc = 0;

	do {
		now = loop_awake();
		rc = now < deadline ? poll(&p, 1, (int)(deadline - now)) : 0;
	} while (rc < 0 && errno == EINTR);
	return rc > 0;
}

/* Adds what comes to the text, until the end, or until the time is up: false. */
static bool listen_to(int fd, uint64_t deadline, char *text, size_t size)
{
	size_t len = strlen(text);
	char buf[256];

	for (;;) {
		ssize_t n;

		if (!await_readable(fd, deadline))
			return false;
		n = read(fd, buf, sizeof(buf));
		if (n <= 0)
			return true;
		for (ssize_t i = 0; i < n && len + 1 < size; i++)
			text[len++] = buf[i] >= ' ' && buf[i] <= '~' ? buf[i] : ' ';
		text[len] = 0;
	}
}

/* 0, or as link_dns_outcome has it. */
static int judge(int status)
{
	if (WIFEXITED(status) && !WEXITSTATUS(status))
		return 0;
	return WIFEXITED(status) && WEXITSTATUS(status) == 127 ? -ENOENT : -EIO;
}

/* The program may have closed its output, and go on. False if the time is up. */
static bool await_end(pid_t pid, uint64_t deadline)
{
	int fd = pidfd_open(pid, 0);
	bool ended = fd >= 0 && await_readable(fd, deadline);

	if (fd >= 0)
		close(fd);
	return ended;
}

/* The time is up @patience ms from now: then it is killed, and that is -ETIMEDOUT. */
static int run_program(char *const argv[], uint32_t patience, char *text, size_t size)
{
	uint64_t deadline = loop_awake() + patience;
	int fds[2], status;
	bool ended;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	pid = fork();
	if (!pid)
		become(argv, fds[1]);
	close(fds[1]);
	ended = pid > 0 && listen_to(fds[0], deadline, text, size) && await_end(pid, deadline);
	close(fds[0]);
	if (pid < 0)
		return -EAGAIN;
	if (!ended)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return ended ? judge(status) : -ETIMEDOUT;
}

/* ---- the process: what is asked for -------------------------------------------------------- */

/* "resolvectl -- VERB NAME", and what is added; "--", for a name may begin with a hyphen. */
struct command {
	char *argv[MAX_ARGS + 1];
	unsigned int n;
};

static void begin_command(struct command *c, const char *program, const char *verb,
			  const struct wish *w)
{
	const char *const words[] = { program, "--", verb, w->name };

	memset(c, 0, sizeof(*c));
	for (c->n = 0; c->n < 4; c->n++)
		c->argv[c->n] = (char *)words[c->n];
}

static void add_word(struct command *c, char *word)
{
	if (c->n < MAX_ARGS)
		c->argv[c->n++] = word;
}

/* Of some domains, those alone are asked; else all. */
static int set_domains(const struct link_dns_options *by, const struct wish *w, char *text,
		       size_t size)
{
	static char words[2 * IKE_CP_DOMAINS];
	char copy[IKE_CP_DOMAINS], *at = words, *save;
	struct command c;
	int err;

	begin_command(&c, by->program, "domain", w);
	memcpy(copy, w->domains, sizeof(copy));
	for (char *d = strtok_r(copy, " ", &save); d; d = strtok_r(NULL, " ", &save)) {
		add_word(&c, at);
		at += snprintf(at, (size_t)(words + sizeof(words) - at), "~%s", d) + 1;
	}
	if (!*w->domains)
		add_word(&c, "~.");
	err = run_program(c.argv, by->patience, text, size);
	if (err)
		return err;
	begin_command(&c, by->program, "default-route", w);
	add_word(&c, *w->domains ? "no" : "yes");
	return run_program(c.argv, by->patience, text, size);
}

static int set_servers(const struct link_dns_options *by, const struct wish *w, char *text,
		       size_t size)
{
	char addr[IKE_CP_SERVERS][64];
	struct command c;
	int err;

	begin_command(&c, by->program, "dns", w);
	for (unsigned int i = 0; i < w->n_servers; i++)
		add_word(&c, ike_addr_print(addr[i], sizeof(addr[i]), &w->server[i]));
	err = run_program(c.argv, by->patience, text, size);
	return err ? err : set_domains(by, w, text, size);
}

static bool is_whole(const char *text, size_t size)
{
	return memchr(text, 0, size) != NULL;
}

static bool wish_ok(const struct wish *w)
{
	if (!is_whole(w->name, sizeof(w->name)) || !*w->name || w->n_servers > IKE_CP_SERVERS ||
	    !is_whole(w->domains, sizeof(w->domains)) || !ike_cp_domains_ok(w->domains))
		return false;
	for (const char *s = w->name; *s; s++) {
		if (*s <= ' ' || *s > '~' || *s == '/')
			return false;
	}
	for (unsigned int i = 0; i < w->n_servers; i++) {
		if (!ike_addr_is_host(&w->server[i]))
			return false;
	}
	return true;
}

/* False: the agent is gone, or asks for what it should not. */
static bool serve_wish(const struct link_dns_options *by)
{
	struct link_dns_outcome o;
	struct command c;
	struct wish w;
	ssize_t n;

	do {
		n = recv(HELPER_FD, &w, sizeof(w), 0);
	} while (n < 0 && errno == EINTR);
	if (n != sizeof(w) || !is_whole(w.name, sizeof(w.name)))
		return false;
	memset(&o, 0, sizeof(o));
	memcpy(o.name, w.name, sizeof(o.name));
	if (!wish_ok(&w)) { /* that one alone is not fulfilled */
		o.err = -EINVAL;
		return send(HELPER_FD, &o, sizeof(o), MSG_NOSIGNAL) == sizeof(o);
	}
	if (!w.n_servers && !by->at_home)
		return true;
	if (!w.n_servers) {
		begin_command(&c, by->program, "revert", &w);
		run_program(c.argv, by->patience, o.text, sizeof(o.text));
		return true;
	}
	o.err = by->at_home ? set_servers(by, &w, o.text, sizeof(o.text)) : -EXDEV;
	return send(HELPER_FD, &o, sizeof(o), MSG_NOSIGNAL) == sizeof(o);
}

_Noreturn static void run(int fd, void *arg)
{
	const struct link_dns_options *o = arg;
	char err[512];

	helper_begin("esptund-dns", fd, o->quiet);
	if (rights_drop_runner(o->program, o->seccomp, err, sizeof(err))) {
		fprintf(stderr, "esptund: %s\n", err);
		_exit(1);
	}
	while (serve_wish(o))
		;
	_exit(0);
}

/* ---- the agent's side ------------------------------------------------------------------ */

bool link_dns_lists(const char *list, const char *socket)
{
	FILE *f = fopen(list, "re");
	bool found = false;
	char line[512];

	while (f && !found && fgets(line, sizeof(line), f)) {
		int at = 0;

		line[strcspn(line, "\n")] = 0;
		/* Num RefCount Protocol Flags Type St Inode Path; that of an abstract socket begins with @. */
		sscanf(line, "%*s %*x %*x %*x %*x %*x %*u%n", &at);
		found = at && line[at] == ' ' && !strcmp(line + at + 1, socket);
	}
	if (f)
		fclose(f);
	return found;
}

bool link_dns_at_home(void)
{
	struct stat own, first;

	/* To look at the first process takes CAP_SYS_PTRACE, which the unit does not give. */
	if (stat("/proc/1/ns/net", &first))
		return link_dns_lists("/proc/self/net/unix", FIRST_PROCESS_SOCKET);
	return !stat("/proc/self/ns/net", &own) && own.st_dev == first.st_dev &&
	       own.st_ino == first.st_ino;
}

struct link_dns *link_dns_start(const struct link_dns_options *o, char *err, size_t err_size)
{
	struct link_dns *d = calloc(1, sizeof(*d));

	if (!d) {
		snprintf(err, err_size, "out of memory");
		return NULL;
	}
	STAILQ_INIT(&d->waiting);
	d->fd = helper_start(SOCK_SEQPACKET, run, (void *)o);
	if (d->fd >= 0)
		return d;
	snprintf(err, err_size, "cannot start the process that sets name servers: %s",
		 strerror(errno));
	free(d);
	return NULL;
}

static void drop_first(struct link_dns *d)
{
	struct waiting *w = STAILQ_FIRST(&d->waiting);

	STAILQ_REMOVE_HEAD(&d->waiting, next);
	free(w);
}

void link_dns_free(struct link_dns *d)
{
	if (!d)
		return;
	if (d->event)
		event_free(d->event);
	if (d->writable)
		event_free(d->writable);
	while (!STAILQ_EMPTY(&d->waiting))
		drop_first(d);
	close(d->fd);
	free(d);
}

static void on_outcome(evutil_socket_t fd, short what, void *arg)
{
	struct link_dns *d = arg;
	struct link_dns_outcome o;

	(void)what;
	if (recv(fd, &o, sizeof(o), MSG_DONTWAIT) != sizeof(o)) {
		event_del(d->event); /* it is gone, which the next wish tells */
		return;
	}
	o.name[sizeof(o.name) - 1] = o.text[sizeof(o.text) - 1] = 0;
	d->fn(d->ctx, &o);
}

/* 0, or a negative errno; -EAGAIN: the socket is full. */
static int send_wish(struct link_dns *d, const struct wish *w)
{
	ssize_t n = send(d->fd, w, sizeof(*w), MSG_NOSIGNAL | MSG_DONTWAIT);

	return n == sizeof(*w) ? 0 : -errno;
}

/* It is gone. Whoever waits for an answer hears of it. */
static void fail_first(struct link_dns *d, int err)
{
	struct link_dns_outcome o = { .err = err };
	const struct wish *w = &STAILQ_FIRST(&d->waiting)->wish;

	memcpy(o.name, w->name, sizeof(o.name));
	if (w->n_servers)
		d->fn(d->ctx, &o);
	drop_first(d);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct link_dns *d = arg;

	(void)fd;
	(void)what;
	while (!STAILQ_EMPTY(&d->waiting)) {
		int err = send_wish(d, &STAILQ_FIRST(&d->waiting)->wish);

		if (err == -EAGAIN)
			return;
		if (err)
			fail_first(d, err);
		else
			drop_first(d);
	}
	event_del(d->writable);
}

int link_dns_watch(struct link_dns *d, struct event_base *base,
		   void (*fn)(void *ctx, const struct link_dns_outcome *o), void *ctx)
{
	d->fn = fn;
	d->ctx = ctx;
	d->event = event_new(base, d->fd, EV_READ | EV_PERSIST, on_outcome, d);
	d->writable = event_new(base, d->fd, EV_WRITE | EV_PERSIST, on_writable, d);
	return d->event && d->writable && !event_add(d->event, NULL) ? 0 : -1;
}

static int keep_wish(struct link_dns *d, const struct wish *wish)
{
	struct waiting *w = malloc(sizeof(*w));

	if (!w || event_add(d->writable, NULL)) {
		free(w);
		return -ENOMEM;
	}
	w->wish = *wish;
	STAILQ_INSERT_TAIL(&d->waiting, w, next);
	return 0;
}

static int put_wish(struct link_dns *d, const struct wish *wish)
{
	struct waiting *w;
	int err;

	STAILQ_FOREACH(w, &d->waiting, next)
	{
		if (strcmp(w->wish.name, wish->name) != 0)
			continue;
		w->wish = *wish;
		return 0;
	}
	err = send_wish(d, wish);
	return err == -EAGAIN ? keep_wish(d, wish) : err;
}

int link_dns_set(struct link_dns *d, const char *name, const struct ike_cp *cp)
{
	struct wish w;

	if (!cp->n_servers)
		return link_dns_clear(d, name);
	memset(&w, 0, sizeof(w));
	snprintf(w.name, sizeof(w.name), "%s", name);
	w.n_servers = cp->n_servers;
	memcpy(w.server, cp->server, sizeof(w.server));
	memcpy(w.domains, cp->domains, sizeof(w.domains));
	return put_wish(d, &w);
}

int link_dns_clear(struct link_dns *d, const char *name)
{
	struct wish w;

	memset(&w, 0, sizeof(w));
	snprintf(w.name, sizeof(w.name), "%s", name);
	return put_wish(d, &w);
}
