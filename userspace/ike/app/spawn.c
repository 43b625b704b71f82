// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ike/app/fetch_serve.h"
#include "ike/app/helper.h"
#include "ike/keys/key_serve.h"
#include "ike/keys/key_wire.h"
#include "ike/app/rights.h"
#include "ike/app/serve.h"
#include "ike/app/spawn.h"
#include "ike/app/wire.h"

struct spawn {
	int fd;
	enum spawn_kind kind;
};

static const struct kind {
	const char *name, *user; /* of the process that starts */
	const char *child, *what; /* what it starts */
	size_t longest; /* message to or from that, octets */
	bool network; /* it makes connections of its own */
	void (*last_words)(const char *text); /* of that, see rights_confine_child() */
} kinds[] = {
	[SPAWN_IKE] = { "esptund-spawn", RIGHTS_IKE_USER, "esptund-ike", "speaks IKE",
			sizeof(struct wire), false, serve_last_words },
	[SPAWN_KEYS] = { "esptund-kspawn", RIGHTS_KEYS_USER, "esptund-keys", "has the keys",
			 KEY_CALL_MAX, false, NULL },
	[SPAWN_FETCH] = { "esptund-fspawn", RIGHTS_FETCH_USER, "esptund-fetch", "fetches CRLs",
			  FETCH_LONGEST, true, NULL },
};

/* A message of one octet with room for one descriptor. */
struct parcel {
	char octet;
	struct iovec iov;
	char control[CMSG_SPACE(sizeof(int))] __attribute__((aligned(8)));
	struct msghdr m;
};

static void parcel_init(struct parcel *p)
{
	memset(p, 0, sizeof(*p));
	p->iov = (struct iovec){ &p->octet, 1 };
	p->m.msg_iov = &p->iov;
	p->m.msg_iovlen = 1;
	p->m.msg_control = p->control;
	p->m.msg_controllen = sizeof(p->control);
}

/* ---- in the process that starts --------------------------------------------------------- */

/* Waits for the next request; false if the agent is gone. Its descriptor, -1 without one. */
static bool next_request(int *fd)
{
	struct parcel p;
	struct cmsghdr *c;
	ssize_t n;

	parcel_init(&p);
	do {
		n = recvmsg(HELPER_FD, &p.m, MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n != 1)
		return false;
	*fd = -1;
	c = CMSG_FIRSTHDR(&p.m);
	if (c && c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(sizeof(*fd)))
		memcpy(fd, CMSG_DATA(c), sizeof(*fd));
	return true;
}

/* If it has ended by itself, nobody else would say why. */
static void end(pid_t child, const char *what)
{
	int status;

	if (child <= 0)
		return;
	kill(child, SIGKILL);
	if (waitpid(child, &status, 0) != child)
		return;
	if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL) {
		fprintf(stderr, "esptund: the process that %s was ended by signal %d (%s)\n", what,
			WTERMSIG(status), strsignal(WTERMSIG(status)));
	} else if (WIFEXITED(status) && WEXITSTATUS(status)) {
		fprintf(stderr, "esptund: the process that %s ended with status %d\n", what,
			WEXITSTATUS(status));
	}
}

_Noreturn static void run_child(int fd, const struct spawn_options *o)
{
	const struct kind *kind = &kinds[o->kind];
	char err[512];

	prctl(PR_SET_NAME, kind->child);
	dup2(fd, HELPER_FD);
	close(fd);
	if (rights_confine_child(kind->network, o->seccomp, kind->last_words, err, sizeof(err))) {
		fprintf(stderr, "esptund: %s\n", err);
		_exit(1);
	}
	for (int std = STDIN_FILENO; std <= STDERR_FILENO; std++)
		close(std);
	if (o->kind == SPAWN_KEYS)
		key_serve(HELPER_FD, o->wrapping);
	if (o->kind == SPAWN_FETCH)
		fetch_serve(HELPER_FD);
	serve_core(HELPER_FD, o->keylog);
}

_Noreturn static void run(int socket, void *arg)
{
	const struct spawn_options *o = arg;
	const struct kind *kind = &kinds[o->kind];
	char err[512];
	pid_t child = 0;
	int fd;

	helper_begin(kind->name, socket, o->quiet);
	if (rights_drop_spawn(kind->user, kind->network, o->seccomp, err, sizeof(err))) {
		fprintf(stderr, "esptund: %s\n", err);
		_exit(1);
	}
	while (next_request(&fd)) {
		end(child, kind->what);
		child = fd < 0 ? 0 : fork();
		if (fd < 0)
			continue;
		if (!child)
			run_child(fd, o);
		close(fd);
	}
	end(child, kind->what);
	_exit(0);
}

/* ---- the agent's side ------------------------------------------------------------------- */

struct spawn *spawn_start(const struct spawn_options *o, char *err, size_t err_size)
{
	struct spawn *s = calloc(1, sizeof(*s));

	if (!s) {
		snprintf(err, err_size, "out of memory");
		return NULL;
	}
	s->kind = o->kind;
	s->fd = helper_start(SOCK_SEQPACKET, run, (void *)o);
	if (s->fd >= 0)
		return s;
	snprintf(err, err_size, "cannot start the process that starts %s: %s", kinds[o->kind].child,
		 strerror(errno));
	free(s);
	return NULL;
}

static int send_descriptor(int to, int fd)
{
	struct cmsghdr *c;
	struct parcel p;

	parcel_init(&p);
	c = CMSG_FIRSTHDR(&p.m);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	return sendmsg(to, &p.m, MSG_NOSIGNAL) == 1 ? 0 : -errno;
}

void spawn_kill(struct spawn *s)
{
	send(s->fd, "", 1, MSG_NOSIGNAL);
}

int spawn_begin(struct spawn *s)
{
	int fds[2], err;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds))
		return -errno;
	err = wire_make_room(fds[0], kinds[s->kind].longest);
	if (!err)
		err = wire_make_room(fds[1], kinds[s->kind].longest);
	if (!err)
		err = send_descriptor(s->fd, fds[1]);
	close(fds[1]);
	if (!err)
		return fds[0];
	close(fds[0]);
	return err;
}

void spawn_free(struct spawn *s)
{
	if (!s)
		return;
	close(s->fd);
	free(s);
}
