// SPDX-License-Identifier: GPL-2.0-or-later
#include "ike/keys/key_proc.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include "ike/keys/key_wire.h"
#include "ike/app/log.h"
#include "ike/app/revival.h"
#include "ike/io/loop.h"

enum {
	AT_ONCE = 64, /* messages that are not answered */
	PATIENCE = 3000, /* ms for the next result; the longest job takes a tenth of it */
	LOSSES = 3, /* of processes over one job, then it is given up */
};

struct key_job {
	TAILQ_ENTRY(key_job) link;
	uint64_t number; /* of the message, once it was sent */
	unsigned int losses; /* processes that ended over it */
	struct ike_job job; /* points to what follows */
	struct ike_job_result result; /* in the list done */
	struct ike_id peer;
	size_t len;
	uint8_t data[]; /* names of tunnels, octets, the AUTH value */
};

TAILQ_HEAD(job_list, key_job);

struct key_proc {
	struct event_base *base;
	struct spawn *spawn;
	struct key_proc_events events;
	int fd; /* -1: there is no keys process */
	struct event *event; /* that its socket can be read */
	struct event *timer; /* when the next one is started */
	struct revival revival;
	bool failed;
	struct job_list todo, sent, done; /* in their order; each in one of them */
	unsigned int n; /* in all of them */
	/* Numbers of messages; those sent that nobody waits for any more are answered, too. */
	uint64_t last, answered;
	uint64_t heard; /* ms: when it had nothing to do, or the last result came */
	uint8_t keys[KEY_LIST_MAX]; /* of a message */
};

/* ---- jobs --------------------------------------------------------------------------------- */

static void copy_octets(uint8_t **at, struct ike_iov *iov)
{
	if (iov->len)
		memcpy(*at, iov->base, iov->len);
	iov->base = *at;
	*at += iov->len;
}

static struct key_job *copy_job(const struct ike_job *job)
{
	size_t names = job->n_tunnels * sizeof(job->tunnels[0]), len = names + job->auth.len;
	struct key_job *j;
	uint8_t *at;

	for (unsigned int i = 0; i < IKE_JOB_OCTETS; i++)
		len += job->octets[i].len;
	j = calloc(1, sizeof(*j) + len);
	if (!j)
		return NULL;
	j->len = len;
	j->job = *job;
	j->peer = *job->peer;
	j->job.peer = &j->peer;
	memcpy(j->data, job->tunnels, names);
	j->job.tunnels = (const char(*)[IKE_JOB_NAME])j->data;
	at = j->data + names;
	for (unsigned int i = 0; i < IKE_JOB_OCTETS; i++)
		copy_octets(&at, &j->job.octets[i]);
	copy_octets(&at, &j->job.auth);
	return j;
}

static void move(struct key_job *j, struct job_list *from, struct job_list *to)
{
	TAILQ_REMOVE(from, j, link);
	TAILQ_INSERT_TAIL(to, j, link);
}

/* It has failed; the result of it is an error. */
static void give_up(struct key_job *j, struct job_list *from, struct job_list *done, int err)
{
	j->result = (struct ike_job_result){ .id = j->job.id, .error = err };
	move(j, from, done);
}

static void free_first(struct key_proc *k, struct job_list *l)
{
	struct key_job *j = TAILQ_FIRST(l);

	TAILQ_REMOVE(l, j, link);
	k->n--;
	ike_wipe(&j->result, sizeof(j->result));
	ike_wipe(j->data, j->len); /* keys, if they are for a PPK */
	free(j);
}

/* All that were sent, and all behind them, are to be sent. */
static void send_again(struct key_proc *k)
{
	TAILQ_CONCAT(&k->sent, &k->todo, link);
	TAILQ_CONCAT(&k->todo, &k->sent, link);
}

/* Have the callback called after so many ms, at the earliest. */
static void add_event(struct event *e, uint64_t ms)
{
	const struct timeval wait = { .tv_sec = (time_t)((ms + 1) / 1000),
				      .tv_usec = (suseconds_t)((ms + 1) % 1000 * 1000) };

	event_add(e, &wait);
}

/* ---- messages ----------------------------------------------------------------------------- */

/* The sealed keys of @j, as they are now, in k->keys; how many octets. */
static size_t list_keys(struct key_proc *k, const struct key_job *j)
{
	size_t at = 0;

	for (unsigned int i = 0; i < j->job.n_tunnels; i++) {
		size_t len = 0;
		const uint8_t *key = k->events.find(k->events.ctx, &j->job, i, &len);
		const uint16_t head = key && len <= seal_room(j->job.kind) ? (uint16_t)len : 0;

		memcpy(k->keys + at, &head, sizeof(head));
		at += sizeof(head);
		if (head)
			memcpy(k->keys + at, key, head);
		at += head;
	}
	return at;
}

static enum wire_got send_job(struct key_proc *k, struct key_job *j)
{
	struct key_call call = {
		.number = k->last + 1,
		.kind = j->job.kind,
		.prf = j->job.prf,
		.alg = j->job.alg,
		.n_keys = j->job.n_tunnels,
		.auth_len = (uint32_t)j->job.auth.len,
	};
	struct iovec parts[IKE_JOB_OCTETS + 3];
	unsigned int n = 0;
	enum wire_got got;

	parts[n++] = (struct iovec){ &call, sizeof(call) };
	for (unsigned int i = 0; i < IKE_JOB_OCTETS; i++) {
		call.octets_len[i] = (uint32_t)j->job.octets[i].len;
		parts[n++] = (struct iovec){ (void *)j->job.octets[i].base, j->job.octets[i].len };
	}
	parts[n++] = (struct iovec){ (void *)j->job.auth.base, j->job.auth.len };
	parts[n++] = (struct iovec){ k->keys, list_keys(k, j) };
	got = key_put(k->fd, parts, n, false);
	if (got == WIRE_OK)
		j->number = ++k->last;
	return got;
}

/* Have it looked at when the next result is late. */
static void set_patience(struct key_proc *k)
{
	uint64_t due = k->heard + PATIENCE, now = loop_awake();

	if (k->last == k->answered)
		event_remove_timer(k->event);
	else
		add_event(k->event, due > now ? due - now : 0);
}

/* Send what there is room for. If the process has ended, that shows when its last words are read. */
static void send_some(struct key_proc *k)
{
	bool idle = k->last == k->answered;
	struct key_job *j;

	while (k->fd >= 0 && (j = TAILQ_FIRST(&k->todo)) && k->last - k->answered < AT_ONCE) {
		enum wire_got got = send_job(k, j);

		if (got == WIRE_OK)
			move(j, &k->todo, &k->sent);
		else if (got == WIRE_BAD || (got == WIRE_LATE && k->last == k->answered))
			give_up(j, &k->todo, &k->done, -ENOBUFS);
		else
			break;
	}
	if (k->fd < 0 || !idle)
		return;
	k->heard = loop_awake();
	set_patience(k);
}

/* The next result. Jobs that nobody waits for, or that were begun again, have none. */
static enum wire_got take_result(struct key_proc *k)
{
	struct key_job *j = TAILQ_FIRST(&k->sent);
	struct ike_job_result r;
	enum wire_got got;
	size_t len;

	got = key_get(k->fd, &r, sizeof(r), &len, false);
	if (got != WIRE_OK)
		return got;
	if (!key_result_is_good(&r, len) || k->answered == k->last || r.id != k->answered + 1)
		return WIRE_BAD;
	k->heard = loop_awake();
	k->answered++;
	if (j && j->number == r.id) {
		j->result = r;
		j->result.id = j->job.id;
		move(j, &k->sent, &k->done);
	}
	ike_wipe(&r, sizeof(r));
	return WIRE_OK;
}

/* ---- the keys process's life ------------------------------------------------------------------ */

static void on_event(evutil_socket_t fd, short what, void *arg);

static void forget(struct key_proc *k)
{
	if (k->event)
		event_free(k->event);
	k->event = NULL;
	if (k->fd >= 0)
		close(k->fd);
	k->fd = -1;
}

/* 0 or a negative errno, see spawn_begin(). */
static int start(struct key_proc *k)
{
	int fd = spawn_begin(k->spawn);

	if (fd < 0)
		return fd;
	k->fd = fd;
	k->heard = loop_awake();
	k->event = event_new(k->base, fd, EV_READ | EV_PERSIST, on_event, k);
	if (k->event && !event_add(k->event, NULL)) {
		send_some(k);
		return 0;
	}
	forget(k);
	return -ENOMEM;
}

/* Start another, if it is time to, else when it is. */
static void revive(struct key_proc *k)
{
	uint64_t now = loop_now();
	int err = 0;

	if (now >= k->revival.at) {
		revival_note(&k->revival, now);
		err = start(k);
		if (!err)
			return;
		log_say(IKE_LOG_ERROR, NULL, "cannot start the process that has the keys: %s",
			err == -EPIPE ? "the process that starts it has ended" : strerror(-err));
	} else {
		log_say(IKE_LOG_WARN, NULL,
			"the process that has the keys ends again and again: the next one is started in %u s",
			(unsigned int)(k->revival.at - now + 999) / 1000);
	}
	k->failed = err == -EPIPE; /* only whoever started us can help */
	add_event(k->timer, k->revival.at - now);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct key_proc *k = arg;

	(void)fd;
	(void)what;
	if (!k->failed)
		revive(k);
	k->events.changed(k->events.ctx);
}

/* Its jobs are for the next one. If it ended over the same one several times, that is to blame. */
static void lose(struct key_proc *k, enum wire_got why)
{
	static const char *const texts[] = {
		[WIRE_GONE] = "has ended",
		[WIRE_LATE] = "does not answer",
		[WIRE_BAD] = "sends what it may not send",
	};
	struct key_job *j = TAILQ_FIRST(&k->sent);

	log_say(IKE_LOG_ERROR, NULL, "the process that has the keys %s: another takes its place",
		texts[why]);
	forget(k);
	spawn_kill(k->spawn);
	if (j && j->number == k->answered + 1 && ++j->losses >= LOSSES)
		give_up(j, &k->sent, &k->done, -EIO);
	k->answered = k->last;
	send_again(k);
	revive(k);
}

static void on_event(evutil_socket_t fd, short what, void *arg)
{
	struct key_proc *k = arg;
	enum wire_got got = WIRE_OK;

	(void)fd;
	(void)what; /* a result may be there all the same */
	for (unsigned int i = 0; i < AT_ONCE && got == WIRE_OK; i++)
		got = take_result(k);
	if (got == WIRE_LATE && (k->answered == k->last || loop_awake() < k->heard + PATIENCE))
		got = WIRE_OK;
	if (got == WIRE_OK) {
		send_some(k);
		set_patience(k);
	} else {
		lose(k, got);
	}
	k->events.changed(k->events.ctx);
}

struct key_proc *key_proc_new(struct event_base *base, struct spawn *spawn,
			      const struct key_proc_events *events)
{
	struct key_proc *k = calloc(1, sizeof(*k));
	int err = -ENOMEM;

	if (!k)
		return NULL;
	k->base = base;
	k->spawn = spawn;
	k->events = *events;
	k->fd = -1;
	TAILQ_INIT(&k->todo);
	TAILQ_INIT(&k->sent);
	TAILQ_INIT(&k->done);
	k->timer = event_new(base, -1, 0, on_timer, k);
	if (k->timer)
		err = start(k);
	if (!err)
		return k;
	key_proc_free(k);
	errno = -err;
	return NULL;
}

void key_proc_free(struct key_proc *k)
{
	if (!k)
		return;
	key_proc_drop(k);
	forget(k);
	if (k->timer)
		event_free(k->timer);
	free(k);
}

/* ---- for the agent ------------------------------------------------------------------------------ */

int key_proc_begin(struct key_proc *k, const struct ike_job *job)
{
	struct key_job *j;

	if (k->n == IKE_JOBS)
		return -EBUSY;
	j = copy_job(job);
	if (!j)
		return -ENOMEM;
	k->n++;
	TAILQ_INSERT_TAIL(&k->todo, j, link);
	send_some(k);
	return 0;
}

bool key_proc_has_result(const struct key_proc *k)
{
	return !TAILQ_EMPTY(&k->done);
}

bool key_proc_take(struct key_proc *k, struct ike_job_result *out)
{
	if (TAILQ_EMPTY(&k->done))
		return false;
	*out = TAILQ_FIRST(&k->done)->result;
	free_first(k, &k->done);
	return true;
}

void key_proc_again(struct key_proc *k)
{
	send_again(k);
	TAILQ_CONCAT(&k->done, &k->todo, link);
	TAILQ_CONCAT(&k->todo, &k->done, link);
	send_some(k);
}

void key_proc_drop(struct key_proc *k)
{
	send_again(k);
	while (!TAILQ_EMPTY(&k->done))
		free_first(k, &k->done);
	while (!TAILQ_EMPTY(&k->todo))
		free_first(k, &k->todo);
}

bool key_proc_failed(const struct key_proc *k)
{
	return k->failed;
}
