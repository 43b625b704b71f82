// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Both ends of the socket between the agent and the process that keeps its files. A request is a struct
 * request and so many bytes; an answer is a struct answer, and of a file that was read its bytes.
 */
#include "ike/app/store.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ike/app/helper.h"
#include "ike/app/rights.h"

enum op { STORE_READ, STORE_WRITE, STORE_SET_ASIDE };

enum { NAME_SIZE = 16, FILE_SIZE = 64 };

struct request {
	uint32_t op, kind, len;
	char name[NAME_SIZE];
};

struct answer {
	int32_t err;
	uint32_t len;
};

struct store {
	int fd;
	bool writing; /* the answer to a STORE_WRITE is to come, … */
	enum store_kind kind; /* … of such a file */
	int result[STORE_KINDS]; /* of the last one of each kind, for store_result() */
};

/* ---- the process ----------------------------------------------------------------------- */

/* Nothing else than a file in this folder, and none that is hidden. */
static bool name_stays(const char name[NAME_SIZE])
{
	return memchr(name, 0, NAME_SIZE) && *name && *name != '.' && !strchr(name, '/');
}

static const char *const endings[STORE_KINDS] = {
	[STORE_LEASES] = "leases",
	[STORE_CRLS] = "crls",
};

static void print_file(char file[FILE_SIZE], const struct request *r, const char *end)
{
	snprintf(file, FILE_SIZE, "%s.%s%s", r->name, endings[r->kind], end);
}

/* Regular, ours, and not too large. */
static int open_file(const char *file, size_t *len)
{
	int fd = open(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), err = 0;
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st))
		err = -errno;
	else if (!S_ISREG(st.st_mode) || st.st_uid != geteuid())
		err = -EACCES;
	else if (st.st_size > STORE_MAX)
		err = -EFBIG;
	if (err) {
		close(fd);
		return err;
	}
	*len = (size_t)st.st_size;
	return fd;
}

static int read_file(const char *file, char *data, size_t *len)
{
	int fd = open_file(file, len);

	if (fd < 0)
		return fd;
	if (!helper_get(fd, data, *len))
		*len = 0; /* cut off meanwhile: it is not whole */
	close(fd);
	return 0;
}

static int write_file(const char *file, const char *fresh, const char *data, size_t len)
{
	int fd, err = 0, dir;

	unlink(fresh); /* that of a process which was ended */
	fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	if (!helper_put(fd, data, len) || fsync(fd))
		err = errno ? -errno : -EIO;
	if (close(fd) && !err)
		err = -errno;
	if (!err && rename(fresh, file))
		err = -errno;
	if (err) {
		unlink(fresh);
		return err;
	}
	dir = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir >= 0) {
		fsync(dir); /* the name, too; if not, the former file is there after a crash */
		close(dir);
	}
	return 0;
}

static bool answer(int fd, int err, const char *data, size_t len)
{
	const struct answer a = { .err = err, .len = (uint32_t)len };

	return helper_put(fd, &a, sizeof(a)) && helper_put(fd, data, len);
}

/* False: the agent is gone, or asks for what it should not. */
static bool serve_request(int fd, char *data)
{
	char file[FILE_SIZE], other[FILE_SIZE];
	struct request r;
	size_t len = 0;
	int err;

	if (!helper_get(fd, &r, sizeof(r)) || r.len > STORE_MAX || r.kind >= STORE_KINDS ||
	    !name_stays(r.name) || !helper_get(fd, data, r.len))
		return false;
	print_file(file, &r, "");
	print_file(other, &r, r.op == STORE_WRITE ? ".new" : ".damaged");
	switch (r.op) {
	case STORE_READ:
		err = read_file(file, data, &len);
		return answer(fd, err, data, err ? 0 : len);
	case STORE_WRITE: return answer(fd, write_file(file, other, data, r.len), NULL, 0);
	case STORE_SET_ASIDE: return answer(fd, rename(file, other) ? -errno : 0, NULL, 0);
	default: return false;
	}
}

_Noreturn static void run(int fd, void *arg)
{
	const struct store_options *o = arg;
	char err[512] = "out of memory", *data = malloc(STORE_MAX);

	helper_begin("esptund-store", fd, o->quiet);
	if (!data || rights_drop_store(o->dir, o->seccomp, err, sizeof(err))) {
		fprintf(stderr, "esptund: %s\n", err);
		_exit(1);
	}
	while (serve_request(HELPER_FD, data))
		;
	_exit(0);
}

/* ---- the agent's side ------------------------------------------------------------------ */

struct store *store_start(const struct store_options *o, char *err, size_t err_size)
{
	struct store *s = calloc(1, sizeof(*s));

	if (!s) {
		snprintf(err, err_size, "out of memory");
		return NULL;
	}
	mkdir(o->dir, 0700); /* if it fails, the first file says so */
	s->fd = helper_start(SOCK_STREAM, run, (void *)o);
	if (s->fd >= 0)
		return s;
	snprintf(err, err_size, "cannot start the process that keeps leases and CRLs: %s",
		 strerror(errno));
	free(s);
	return NULL;
}

void store_free(struct store *s)
{
	if (!s)
		return;
	close(s->fd);
	free(s);
}

/* Waits, if one is under way. */
static void end_writing(struct store *s)
{
	struct answer a;
	int err;

	if (!s->writing)
		return;
	err = helper_get(s->fd, &a, sizeof(a)) && !a.len ? a.err : -EPIPE;
	if (err == -EBUSY) /* of a file that cannot be replaced; ours means that a write goes on */
		err = -EIO;
	s->result[s->kind] = err;
	s->writing = false;
}

int store_result(struct store *s, enum store_kind kind, bool wait)
{
	struct pollfd p = { .fd = s->fd, .events = POLLIN };
	int err;

	if (s->writing && !wait && poll(&p, 1, 0) <= 0)
		return -EBUSY;
	end_writing(s);
	err = s->result[kind];
	s->result[kind] = 0;
	return err;
}

static int ask(struct store *s, enum op op, enum store_kind kind, const char *name,
	       const char *data, size_t len)
{
	struct request r = { .op = op, .kind = kind, .len = (uint32_t)len };

	if (strlen(name) >= sizeof(r.name) || len > STORE_MAX)
		return -EINVAL;
	memcpy(r.name, name, strlen(name));
	return helper_put(s->fd, &r, sizeof(r)) && helper_put(s->fd, data, len) ? 0 : -EPIPE;
}

int store_read(struct store *s, enum store_kind kind, const char *name, char **data, size_t *len)
{
	struct answer a;
	int err;

	end_writing(s);
	*data = NULL;
	err = ask(s, STORE_READ, kind, name, NULL, 0);
	if (err)
		return err;
	if (!helper_get(s->fd, &a, sizeof(a)) || a.len > STORE_MAX)
		return -EPIPE;
	if (a.err)
		return a.err;
	*data = malloc(a.len + 1);
	if (!*data || !helper_get(s->fd, *data, a.len)) {
		free(*data);
		*data = NULL;
		shutdown(s->fd, SHUT_RDWR); /* what is left of the text is no answer */
		return -EPIPE;
	}
	*len = a.len;
	return 0;
}

int store_write(struct store *s, enum store_kind kind, const char *name, const char *data,
		size_t len)
{
	int err = s->writing ? -EBUSY : ask(s, STORE_WRITE, kind, name, data, len);

	if (!err) {
		s->writing = true;
		s->kind = kind;
	}
	return err;
}

int store_set_aside(struct store *s, enum store_kind kind, const char *name)
{
	struct answer a;
	int err;

	end_writing(s);
	err = ask(s, STORE_SET_ASIDE, kind, name, NULL, 0);
	if (err)
		return err;
	return helper_get(s->fd, &a, sizeof(a)) && !a.len ? a.err : -EPIPE;
}
