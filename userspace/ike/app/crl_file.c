// SPDX-License-Identifier: GPL-2.0-or-later
#include "ike/app/crl_file.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "ike/app/agent_int.h"
#include "ike/app/kept.h"
#include "ike/app/store.h"

enum {
	/*
	 * Seconds after a change or a failure. The ike process says what is of use: whatever it says, the disk gets 4 MiB
	 * a minute at most.
	 */
	SAVE_AFTER = 60,
	LOOK_AFTER = 1, /* seconds, at what came of a write */
};

static const char name[] = "fetched"; /* of the file, for store.h */

struct crl_file {
	struct agent *agent;
	struct kept *kept;
	struct event *save;
	bool writing; /* a write is under way */
	int error; /* of the last one */
};

static struct store *store_of(const struct crl_file *f)
{
	return f->agent->helpers->store;
}

static const char *explain(int err)
{
	switch (err) {
	case -EINVAL: return "it is damaged";
	case -EPIPE: return "the process that keeps files has ended";
	default: return strerror(-err);
	}
}

static void read_file(struct crl_file *f)
{
	const char *dir = f->agent->options->state_dir;
	char *text;
	size_t len;
	int err = store_read(store_of(f), STORE_CRLS, name, &text, &len);

	if (!err) {
		err = kept_parse(f->kept, text, len);
		free(text);
	}
	if (!err || err == -ENOENT)
		return;
	log_say(IKE_LOG_WARN, NULL,
		"cannot use all of %s/%s.crls: %s; CRLs that are lost are fetched anew", dir, name,
		explain(err));
	if (err == -ENOMEM) /* the file is good */
		return;
	if (!store_set_aside(store_of(f), STORE_CRLS, name))
		log_say(IKE_LOG_INFO, NULL, "the file is named %s.crls.damaged", name);
	kept_set_changed(f->kept); /* what could be used makes the next file */
}

/* How the last write went is said once, until one goes well. */
static void judge_writing(struct crl_file *f, int err)
{
	if (err)
		kept_set_changed(f->kept);
	if (err && err != f->error)
		log_say(IKE_LOG_WARN, NULL,
			"cannot write %s/%s.crls: %s; after a restart CRLs are fetched anew",
			f->agent->options->state_dir, name, explain(err));
	f->error = err;
}

static void end_writing(struct crl_file *f, bool wait)
{
	int err = store_result(store_of(f), STORE_CRLS, wait);

	if (!f->writing || err == -EBUSY)
		return;
	f->writing = false;
	judge_writing(f, err);
}

static void begin_writing(struct crl_file *f)
{
	size_t len;
	char *text = kept_print(f->kept, &len);
	int err = text ? store_write(store_of(f), STORE_CRLS, name, text, len) : -ENOMEM;

	free(text);
	f->writing = !err;
	if (err == -EBUSY) /* leases are written now: this comes later */
		kept_set_changed(f->kept);
	else if (err)
		judge_writing(f, err);
}

void crl_file_plan(struct crl_file *f)
{
	const struct timeval when = { .tv_sec = f->writing ? LOOK_AFTER : SAVE_AFTER };

	if (!store_of(f) || event_pending(f->save, EV_TIMEOUT, NULL) ||
	    !(f->writing || kept_is_changed(f->kept)))
		return;
	event_add(f->save, &when);
}

static void on_save(evutil_socket_t fd, short what, void *arg)
{
	struct crl_file *f = arg;

	(void)fd;
	(void)what;
	if (f->writing)
		end_writing(f, false);
	else
		begin_writing(f);
	crl_file_plan(f);
}

static void free_file(struct crl_file *f)
{
	kept_free(f->kept);
	if (f->save)
		event_free(f->save);
	free(f);
}

struct crl_file *crl_file_open(struct agent *a)
{
	struct crl_file *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->agent = a;
	f->kept = kept_new();
	f->save = evtimer_new(loop_base(a->loop), on_save, f);
	if (!f->kept || !f->save) {
		free_file(f);
		return NULL;
	}
	if (store_of(f))
		read_file(f);
	crl_file_plan(f);
	return f;
}

void crl_file_close(struct crl_file *f)
{
	if (!f)
		return;
	if (store_of(f)) {
		end_writing(f, true);
		if (kept_is_changed(f->kept))
			begin_writing(f);
		end_writing(f, true);
	}
	free_file(f);
}

struct kept *crl_file_kept(struct crl_file *f)
{
	return f->kept;
}
