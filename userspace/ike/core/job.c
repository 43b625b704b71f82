// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Jobs of an IKE SA (auth/job.h): the peer's message, or our request, that one was begun for waits
 * until its result is here. A message that waits is kept as it was decrypted, for core->plain is
 * used again. Copies of it that come meanwhile are dropped (dispatch.c).
 *
 * A result that comes after the IKE SA ended, or after IKESA_JOB_MS, finds nobody who waits.
 */
#include "ike/core/layer_ikesa.h"

#include <errno.h>
#include <stdlib.h>

static struct waiting_list *bucket(struct ike_core *core, uint64_t id)
{
	return &core->waiting[id % CORE_JOB_BUCKETS];
}

struct waiting *job_find(struct ike_core *core, uint64_t id)
{
	struct waiting *w;

	LIST_FOREACH(w, bucket(core, id), by_id)
	{
		if (w->id == id)
			return w;
	}
	return NULL;
}

/* The decrypted message at hand, with pointers into the copy. */
static int keep_message(struct ike_core *core, struct waiting *w, const struct x_msg *m)
{
	if (ikesa_keep(&w->kept, core->plain, core->plain_len, m->in))
		return -ENOMEM;
	w->has_message = true;
	w->is_request = m->reply;
	w->h = *m->h;
	w->d = (struct ike_datagram){ .local = m->d->local, .remote = m->d->remote };
	return 0;
}

/* Strangers leave room for us and for peers that are known. */
static unsigned int most_jobs(const struct ike_sa *sa)
{
	bool stranger = sa->state == IKESA_HALF_OPEN && sa->admit_kind == ADMIT_UNKNOWN;

	return stranger ? CORE_MAX_JOBS_UNKNOWN : IKE_JOBS;
}

static struct waiting *new_waiting(struct ike_core *core, struct ike_sa *sa, const struct x_msg *m)
{
	struct waiting *w;

	if (core->n_waiting >= most_jobs(sa))
		return NULL;
	w = calloc(1, sizeof(*w));
	if (!w)
		return NULL;
	if (m && keep_message(core, w, m)) {
		free(w);
		return NULL;
	}
	w->sa = sa;
	core->n_waiting++;
	LIST_INSERT_HEAD(bucket(core, 0), w, by_id);
	return w;
}

bool job_begin(struct ike_core *core, struct ike_sa *sa, const struct x_msg *m, struct ike_job *job,
	       job_done_fn done, void *state)
{
	struct waiting *w = m && m->wait ? m->wait : new_waiting(core, sa, m);

	if (!w)
		return false;
	job->id = ++core->last_job;
	if (core->env.job_start(core->env.ctx, job)) {
		if (!m || !m->wait)
			job_end(core, w);
		return false;
	}
	LIST_REMOVE(w, by_id);
	w->id = job->id;
	w->until = core->now + IKESA_JOB_MS;
	w->done = done;
	w->state = state;
	LIST_INSERT_HEAD(bucket(core, w->id), w, by_id);
	if (w->is_request)
		sa->rx.wait = w;
	else
		sa->tx.wait = w;
	return true;
}

void job_hold(struct waiting *w, const struct ike_datagram *d)
{
	uint8_t *data;

	if (w->early.data || d->len > CORE_MSG_MAX)
		return;
	data = malloc(d->len);
	if (!data)
		return;
	memcpy(data, d->data, d->len);
	w->early = *d;
	w->early.data = data;
}

void job_end(struct ike_core *core, struct waiting *w)
{
	if (!w)
		return;
	if (w->sa->rx.wait == w)
		w->sa->rx.wait = NULL;
	if (w->sa->tx.wait == w)
		w->sa->tx.wait = NULL;
	LIST_REMOVE(w, by_id);
	core->n_waiting--;
	ikesa_kept_free(&w->kept);
	free((void *)w->early.data);
	free(w->state);
	free(w);
}
