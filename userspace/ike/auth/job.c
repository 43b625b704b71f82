// SPDX-License-Identifier: GPL-2.0-or-later
#include "ike/auth/job.h"

#include <errno.h>
#include <stdlib.h>

#include "ike/auth/psk.h"

struct ike_job_entry {
	STAILQ_ENTRY(ike_job_entry) link;
	struct ike_job_result result;
};

/* The AUTH value by the key of one tunnel; false if it has none, when @out is not one either. */
static bool sign(const struct ike_job *job, unsigned int i, ike_job_find_key find, void *ctx,
		 uint8_t *out, int *error)
{
	static const uint8_t no_key[32];
	size_t len = 0;
	const uint8_t *key = find(ctx, job->tunnels[i], job->peer, &len);
	bool have = key && len;

	if (ike_psk_sign(job->prf, have ? key : no_key, have ? len : sizeof(no_key), job->octets,
			 IKE_JOB_OCTETS, out))
		*error = -EINVAL;
	return have;
}

static uint8_t verify(const struct ike_job *job, unsigned int i, ike_job_find_key find, void *ctx,
		      int *error)
{
	uint8_t expected[IKE_MAX_PRF] = { 0 };
	bool have = sign(job, i, find, ctx, expected, error);
	bool equal = job->auth.len == ike_prf_len(job->prf) &&
		     ike_equal(expected, job->auth.base, job->auth.len);

	ike_wipe(expected, sizeof(expected));
	if (!have)
		return IKE_JOB_NO_KEY;
	return equal ? IKE_JOB_PROVEN : IKE_JOB_REFUTED;
}

void ike_job_do(const struct ike_job *job, ike_job_find_key find, void *ctx,
		struct ike_job_result *out)
{
	unsigned int i;

	*out = (struct ike_job_result){ .id = job->id };
	if (!job->n_tunnels || job->n_tunnels > IKE_JOB_TUNNELS) {
		out->error = -EINVAL;
	} else if (job->kind == IKE_JOB_PSK_SIGN) {
		if (!sign(job, 0, find, ctx, out->auth, &out->error))
			out->error = -ENOENT;
	} else {
		for (i = 0; i < job->n_tunnels; i++)
			out->verdict[i] = verify(job, i, find, ctx, &out->error);
	}
	if (out->error)
		ike_wipe(out->auth, sizeof(out->auth));
}

void ike_job_results_init(struct ike_job_results *r)
{
	STAILQ_INIT(&r->entries);
	r->n = 0;
}

int ike_job_results_do(struct ike_job_results *r, const struct ike_job *job, ike_job_find_key find,
		       void *ctx)
{
	struct ike_job_entry *e;

	if (r->n == IKE_JOBS)
		return -EBUSY;
	e = malloc(sizeof(*e));
	if (!e)
		return -ENOMEM;
	r->n++;
	ike_job_do(job, find, ctx, &e->result);
	STAILQ_INSERT_TAIL(&r->entries, e, link);
	return 0;
}

bool ike_job_results_take(struct ike_job_results *r, struct ike_job_result *out)
{
	struct ike_job_entry *e = STAILQ_FIRST(&r->entries);

	if (!e)
		return false;
	STAILQ_REMOVE_HEAD(&r->entries, link);
	r->n--;
	*out = e->result;
	ike_wipe(e, sizeof(*e));
	free(e);
	return true;
}

void ike_job_results_clear(struct ike_job_results *r)
{
	struct ike_job_result result;

	while (ike_job_results_take(r, &result))
		ike_wipe(&result, sizeof(result));
}
