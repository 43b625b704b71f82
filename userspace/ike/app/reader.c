// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Both ends of the socket between the agent and the process that reads files. A message is
 * a struct head and so many bytes. Each request is answered by any number of NAMES or REPORT
 * messages and one RESULT. The agent trusts the answers; the reader trusts no request.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ike/app/helper.h"
#include "ike/app/reader.h"
#include "ike/app/rights.h"
#include "ike/child/proposal_share.h"

enum message {
	/* requests */
	READ_LIST, /* the name after which the list goes on; "": a new list */
	READ_CONFIG, /* a name */
	READ_CERT_STATUS, /* struct timespec, when it was changed last, and a name */
	READ_REMOVE_SOCKET,
	/* answers */
	READ_NAMES, /* of each a struct timespec, when it was changed last, and its name with the NUL */
	READ_REPORT, /* struct report, and the sentence */
	/*
	 * int32_t: negative errno, or of a list 1 if more follows; struct config, its lists, its proposals. Of
	 * certificates' status 1 if it changed; struct cert_status, and credentials.
	 */
	READ_RESULT,
};

enum { NAME_LEN = READER_NAME, TEXT_LEN = 2048, LIST_AT_ONCE = 256 /* names */ };

struct head {
	uint32_t message, len;
};

struct report {
	uint32_t error, line;
};

struct cert_status {
	struct config_paths paths;
	struct timespec time;
	int64_t due;
	uint32_t len; /* of the credentials */
};

struct reader {
	int fd;
	/* the reader's own */
	struct reader_options options;
	struct dirent **list; /* files, as they were when a list began; NULL: none is under way */
	int n;
	/* either's: body of a READ_NAMES */
	char names[LIST_AT_ONCE * (sizeof(struct timespec) + NAME_LEN)];
	size_t names_len;
};

static bool put_message(int fd, enum message message, const void *data, size_t len)
{
	struct head h = { .message = message, .len = (uint32_t)len };

	return helper_put(fd, &h, sizeof(h)) && helper_put(fd, data, len);
}

/* ---- the reader ----------------------------------------------------------------------- */

static bool put_result(int fd, int err)
{
	int32_t result = err;

	return put_message(fd, READ_RESULT, &result, sizeof(result));
}

static int is_config(const struct dirent *d)
{
	size_t len = strlen(d->d_name);

	return d->d_name[0] != '.' && len > 5 && !strcmp(d->d_name + len - 5, ".conf");
}

static void add_name(struct reader *r, const char *file)
{
	size_t len = strlen(file) - strlen(".conf");
	char path[4096], *at = r->names + r->names_len;
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", r->options.config_dir, file);
	if (stat(path, &st))
		memset(&st, 0, sizeof(st));
	memcpy(at, &st.st_mtim, sizeof(st.st_mtim));
	memcpy(at + sizeof(st.st_mtim), file, len);
	at[sizeof(st.st_mtim) + len] = 0;
	r->names_len += sizeof(st.st_mtim) + len + 1;
}

static void forget_list(struct reader *r)
{
	while (r->n)
		free(r->list[--r->n]);
	free(r->list);
	r->list = NULL;
}

static bool answer_list(struct reader *r, const char *after)
{
	char file[NAME_LEN + 8];
	int i = 0, end;

	if (!*after || !r->list) {
		forget_list(r);
		r->n = scandir(r->options.config_dir, &r->list, is_config, alphasort);
	}
	if (r->n < 0) {
		r->n = 0;
		r->list = NULL;
		return put_result(r->fd, -errno);
	}
	snprintf(file, sizeof(file), "%s.conf", after);
	while (*after && i < r->n && strcoll(r->list[i]->d_name, file) <= 0)
		i++;
	end = r->n - i > LIST_AT_ONCE ? i + LIST_AT_ONCE : r->n;
	for (r->names_len = 0; i < end; i++)
		add_name(r, r->list[i]->d_name);
	if (!put_message(r->fd, READ_NAMES, r->names, r->names_len))
		return false;
	if (end < r->n)
		return put_result(r->fd, 1);
	forget_list(r);
	return put_result(r->fd, 0);
}

static void answer_report(void *ctx, bool error, unsigned int line, const char *text)
{
	struct reader *r = ctx;
	struct report rep = { .error = error, .line = line };
	size_t len = strnlen(text, TEXT_LEN - sizeof(rep) - 1);
	struct head h = { .message = READ_REPORT, .len = (uint32_t)(sizeof(rep) + len) };

	/* A failure shows with the result. */
	if (helper_put(r->fd, &h, sizeof(h)) && helper_put(r->fd, &rep, sizeof(rep)))
		helper_put(r->fd, text, len);
}

static bool answer_config(struct reader *r, const char *name)
{
	struct config_report report = { answer_report, r };
	struct config_list lists[CONFIG_LISTS];
	struct config conf;
	int32_t err = 0;
	struct head h = { .message = READ_RESULT };
	char path[4096];
	bool ok;

	snprintf(path, sizeof(path), "%s/%s.conf", r->options.config_dir, name);
	if (config_load(path, &conf, &report))
		return put_result(r->fd, -EINVAL);
	if (seal_config(r->options.seal, &conf)) {
		answer_report(r, true, 0, "cannot be read: the library cannot wrap its keys");
		config_clear(&conf);
		return put_result(r->fd, -EINVAL);
	}
	config_lists(&conf, lists);
	h.len = (uint32_t)(sizeof(err) + sizeof(conf) + sizeof(*conf.ike) + sizeof(*conf.esp));
	for (unsigned int i = 0; i < CONFIG_LISTS; i++)
		h.len += (uint32_t)(lists[i].n * lists[i].size);
	ok = helper_put(r->fd, &h, sizeof(h)) && helper_put(r->fd, &err, sizeof(err)) &&
	     helper_put(r->fd, &conf, sizeof(conf));
	for (unsigned int i = 0; i < CONFIG_LISTS; i++)
		ok = ok && helper_put(r->fd, *lists[i].items, lists[i].n * lists[i].size);
	ok = ok && helper_put(r->fd, conf.ike, sizeof(*conf.ike)) &&
	     helper_put(r->fd, conf.esp, sizeof(*conf.esp));
	config_clear(&conf);
	return ok;
}

static bool answer_cert_status(struct reader *r, const char *name, const struct timespec *known)
{
	struct config_report report = { answer_report, r };
	struct head h = { .message = READ_RESULT };
	struct config conf;
	struct cert_status s;
	char path[4096];
	int32_t rc;
	bool ok;

	snprintf(path, sizeof(path), "%s/%s.conf", r->options.config_dir, name);
	rc = config_load_cert_status(path, known, &conf, &report);
	memset(&s, 0, sizeof(s));
	s.paths = *config_paths(&conf);
	s.time = conf.cert_status_time;
	s.due = conf.crl_due;
	s.len = rc > 0 ? conf.n_creds : 0;
	h.len = (uint32_t)(sizeof(rc) + sizeof(s) + s.len);
	ok = helper_put(r->fd, &h, sizeof(h)) && helper_put(r->fd, &rc, sizeof(rc)) &&
	     helper_put(r->fd, &s, sizeof(s)) && helper_put(r->fd, conf.creds, s.len);
	config_clear(&conf);
	return ok;
}

/* A name stays within the folder; whether it names a netdevice config_load() says. */
static bool name_stays(const char *name, size_t len)
{
	return len && strlen(name) == len && name[0] != '.' && !strchr(name, '/');
}

static bool answer(struct reader *r)
{
	struct timespec known = { 0 };
	char name[NAME_LEN];
	struct head h;

	if (!helper_get(r->fd, &h, sizeof(h)))
		return false;
	if (h.message == READ_CERT_STATUS) {
		if (h.len < sizeof(known) || !helper_get(r->fd, &known, sizeof(known)))
			return false;
		h.len -= (uint32_t)sizeof(known);
	}
	if (h.len >= sizeof(name) || !helper_get(r->fd, name, h.len))
		return false;
	name[h.len] = 0;
	switch (h.message) {
	case READ_CERT_STATUS:
		return name_stays(name, h.len) && answer_cert_status(r, name, &known);
	case READ_LIST: return answer_list(r, name);
	case READ_CONFIG: return name_stays(name, h.len) && answer_config(r, name);
	case READ_REMOVE_SOCKET: return put_result(r->fd, unlink(r->options.socket) ? -errno : 0);
	default: return false;
	}
}

static void run(int fd, void *arg)
{
	struct reader *r = arg;
	char err[512];

	helper_begin("esptund-reader", fd, r->options.quiet);
	r->fd = HELPER_FD;
	if (rights_drop_reader(r->options.socket, r->options.seccomp, err, sizeof(err))) {
		fprintf(stderr, "esptund: %s\n", err);
		_exit(1);
	}
	while (answer(r))
		;
	_exit(0);
}

/* ---- the agent's side ------------------------------------------------------------------ */

struct reader *reader_start(const struct reader_options *o, char *err, size_t err_size)
{
	struct reader *r = calloc(1, sizeof(*r));

	if (!r) {
		snprintf(err, err_size, "out of memory");
		return NULL;
	}
	r->options = *o;
	r->fd = helper_start(SOCK_STREAM, run, r);
	if (r->fd >= 0)
		return r;
	snprintf(err, err_size, "cannot start the process that reads the configuration: %s",
		 strerror(errno));
	free(r);
	return NULL;
}

void reader_free(struct reader *r)
{
	if (!r)
		return;
	close(r->fd);
	free(r);
}

static void report_gone(const struct config_report *report)
{
	report->fn(
		report->ctx, true, 0,
		"cannot be read: the process that reads the configuration has ended; restart esptund");
}

/* The next message's head, and its first @cap - 1 bytes as a string, if it is not a result. */
static bool get_message(struct reader *r, struct head *h, char *data, size_t cap)
{
	if (!helper_get(r->fd, h, sizeof(*h)))
		return false;
	if (h->message == READ_RESULT)
		return h->len >= sizeof(int32_t);
	if (h->len >= cap || !helper_get(r->fd, data, h->len))
		return false;
	data[h->len] = 0;
	return true;
}

/* Calls @fn for each name of the body; the last one is in @after then. False if it is none. */
static bool take_names(struct reader *r, char after[READER_NAME],
		       void (*fn)(void *ctx, const char *name, const struct timespec *time),
		       void *ctx)
{
	const char *at = r->names, *end = r->names + r->names_len;
	struct timespec time;

	while (at < end) {
		const char *name = at + sizeof(time);

		if ((size_t)(end - at) <= sizeof(time) || !memchr(name, 0, (size_t)(end - name)))
			return false;
		memcpy(&time, at, sizeof(time));
		snprintf(after, READER_NAME, "%s", name);
		fn(ctx, name, &time);
		at = name + strlen(name) + 1;
	}
	return true;
}

int reader_list_some(struct reader *r, char after[READER_NAME],
		     void (*fn)(void *ctx, const char *name, const struct timespec *time),
		     void *ctx)
{
	struct head h;
	int32_t err;

	if (!put_message(r->fd, READ_LIST, after, strlen(after)))
		return -EPIPE;
	while (helper_get(r->fd, &h, sizeof(h))) {
		if (h.message == READ_RESULT)
			return h.len == sizeof(err) && helper_get(r->fd, &err, sizeof(err))
				       ? err
				       : -EPIPE;
		if (h.message != READ_NAMES || h.len > sizeof(r->names) ||
		    !helper_get(r->fd, r->names, h.len))
			break;
		r->names_len = h.len;
		if (!take_names(r, after, fn, ctx))
			break;
	}
	return -EPIPE;
}

int reader_list(struct reader *r,
		void (*fn)(void *ctx, const char *name, const struct timespec *time), void *ctx)
{
	char after[READER_NAME] = "";
	int rc;

	do {
		rc = reader_list_some(r, after, fn, ctx);
	} while (rc > 0);
	return rc;
}

/* The items of a list, whose pointer came from another process. */
static bool get_list(struct reader *r, struct config_list *l)
{
	*l->items = l->n ? calloc(l->n, l->size) : NULL;
	return !l->n || (*l->items && helper_get(r->fd, *l->items, l->n * l->size));
}

static bool get_proposals(struct reader *r, const struct ike_proposals **out)
{
	struct ike_proposals list;

	if (!helper_get(r->fd, &list, sizeof(list)))
		return false;
	*out = ike_proposals_get(&list);
	return *out;
}

/* The rest of a result that holds a configuration. */
static int get_config(struct reader *r, size_t len, struct config *out)
{
	struct config_list lists[CONFIG_LISTS];
	bool ok = true;

	if (len < sizeof(*out) || !helper_get(r->fd, out, sizeof(*out)))
		return -EPIPE;
	config_lists(out, lists);
	for (unsigned int i = 0; i < CONFIG_LISTS; i++)
		*lists[i].items = NULL;
	out->ike = out->esp = NULL;
	for (unsigned int i = 0; i < CONFIG_LISTS; i++)
		ok = ok && get_list(r, &lists[i]);
	if (ok && get_proposals(r, &out->ike) && get_proposals(r, &out->esp))
		return 0;
	config_clear(out);
	return -EPIPE;
}

/* The number that the result begins with, after all reports; false if the reader is gone. */
static bool get_result(struct reader *r, const struct config_report *report, struct head *h,
		       int32_t *result)
{
	char data[TEXT_LEN] __attribute__((aligned(8)));
	struct report *rep = (struct report *)data;

	while (get_message(r, h, data, sizeof(data))) {
		if (h->message == READ_RESULT)
			return helper_get(r->fd, result, sizeof(*result));
		report->fn(report->ctx, rep->error, rep->line, data + sizeof(*rep));
	}
	return false;
}

int reader_load(struct reader *r, const char *name, struct config *out,
		const struct config_report *report)
{
	struct head h;
	int32_t err;

	memset(out, 0, sizeof(*out));
	if (put_message(r->fd, READ_CONFIG, name, strlen(name)) &&
	    get_result(r, report, &h, &err) && (err || !get_config(r, h.len - sizeof(err), out)))
		return err;
	report_gone(report);
	return -EPIPE;
}

/* The rest of a result that holds CRLs and OCSP response. */
static bool get_cert_status(struct reader *r, size_t len, struct config *out)
{
	struct cert_status s;

	if (len < sizeof(s) || !helper_get(r->fd, &s, sizeof(s)) || s.len != len - sizeof(s) ||
	    s.len > IKE_MAX_CREDS)
		return false;
	out->paths = malloc(sizeof(s.paths));
	if (!out->paths)
		return false;
	*out->paths = s.paths;
	out->n_paths = 1;
	out->cert_status_time = s.time;
	out->crl_due = s.due;
	out->n_creds = s.len;
	out->creds = s.len ? malloc(s.len) : NULL;
	if (!s.len || (out->creds && helper_get(r->fd, out->creds, s.len)))
		return true;
	config_clear(out);
	return false;
}

int reader_load_cert_status(struct reader *r, const char *name, const struct timespec *known,
			    struct config *out, const struct config_report *report)
{
	struct head h = { .message = READ_CERT_STATUS };
	int32_t rc;

	memset(out, 0, sizeof(*out));
	h.len = (uint32_t)(sizeof(*known) + strlen(name));
	if (helper_put(r->fd, &h, sizeof(h)) && helper_put(r->fd, known, sizeof(*known)) &&
	    helper_put(r->fd, name, strlen(name)) && get_result(r, report, &h, &rc) &&
	    get_cert_status(r, h.len - sizeof(rc), out))
		return rc;
	report_gone(report);
	return -EPIPE;
}

void reader_remove_socket(struct reader *r)
{
	struct head h;
	int32_t err;

	if (put_message(r->fd, READ_REMOVE_SOCKET, NULL, 0) && helper_get(r->fd, &h, sizeof(h)))
		helper_get(r->fd, &err, sizeof(err));
}
