/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Jobs that are done at once, for tests: their results wait until the core may hear of them. */
#ifndef ESPTUN_TESTS_JOB_RESULTS_H
#define ESPTUN_TESTS_JOB_RESULTS_H

#include <errno.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "ike/auth/job_tls.h"
#include "ike/core/core.h"

struct job_result {
	STAILQ_ENTRY(job_result) link;
	struct ike_job_result result;
};

STAILQ_HEAD(job_results, job_result);

/* 0 or -ENOMEM. */
static inline int job_results_do(struct job_results *l, struct job_tls *tls,
				 const struct ike_job *job, ike_job_find_key find, void *ctx)
{
	struct job_result *r = malloc(sizeof(*r));

	if (!r)
		return -ENOMEM;
	job_do_any(tls, job, find, ctx, 0, &r->result);
	STAILQ_INSERT_TAIL(l, r, link);
	return 0;
}

/* Take the first one; false if there is none. */
static inline bool job_results_take(struct job_results *l, struct ike_job_result *out)
{
	struct job_result *r = STAILQ_FIRST(l);

	if (!r)
		return false;
	STAILQ_REMOVE_HEAD(l, link);
	*out = r->result;
	free(r);
	return true;
}

#endif
