// SPDX-License-Identifier: GPL-2.0-or-later
#include "ike/auth/job.h"

#include <errno.h>

#include "ike/auth/psk.h"

/* The AUTH value by the key of one tunnel; false if it has none, when @out is not one either. */
static bool sign(const struct ike_job *job, unsigned int i, ike_job_find_key find, void *ctx,
		 uint8_t *out, int *error)
{
	static const uint8_t no_key[32];
	size_t len = 0;
	const uint8_t *key = find(ctx, job, i, &len);
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
