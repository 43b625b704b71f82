// SPDX-License-Identifier: GPL-2.0-or-later
#include "ike/auth/job.h"

#include <errno.h>

#include "ike/auth/psk.h"
#include "ike/auth/sigalg.h"

_Static_assert((int)IKE_MAX_SIGNATURE >= (int)IKE_MAX_PRF, "a result holds either");

/* The AUTH value by the PSK of one tunnel; false if it has none, when @out is not one either. */
static bool sign_by_psk(const struct ike_job *job, unsigned int i, ike_job_find_key find, void *ctx,
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

static uint8_t verify_psk(const struct ike_job *job, unsigned int i, ike_job_find_key find,
			  void *ctx, int *error)
{
	uint8_t expected[IKE_MAX_PRF] = { 0 };
	bool have = sign_by_psk(job, i, find, ctx, expected, error);
	bool equal = job->auth.len == ike_prf_len(job->prf) &&
		     ike_equal(expected, job->auth.base, job->auth.len);

	ike_wipe(expected, sizeof(expected));
	if (!have)
		return IKE_JOB_NO_KEY;
	return equal ? IKE_JOB_PROVEN : IKE_JOB_REFUTED;
}

static void do_psk_sign(const struct ike_job *job, ike_job_find_key find, void *ctx,
			struct ike_job_result *out)
{
	out->auth_len = (uint32_t)ike_prf_len(job->prf);
	if (!sign_by_psk(job, 0, find, ctx, out->auth, &out->error))
		out->error = -ENOENT;
}

static void do_psk_verify(const struct ike_job *job, ike_job_find_key find, void *ctx,
			  struct ike_job_result *out)
{
	for (unsigned int i = 0; i < job->n_tunnels; i++)
		out->verdict[i] = verify_psk(job, i, find, ctx, &out->error);
}

static void do_sign(const struct ike_job *job, ike_job_find_key find, void *ctx,
		    struct ike_job_result *out)
{
	const struct sigalg *alg = sigalg_get(job->alg);
	size_t key_len = 0, len = 0;
	const uint8_t *key = find(ctx, job, 0, &key_len);

	if (!key || !key_len)
		out->error = -ENOENT;
	else if (!alg ||
		 ike_sign(&alg->scheme, key, key_len, job->octets, IKE_JOB_OCTETS, out->auth, &len))
		out->error = -EINVAL;
	out->auth_len = (uint32_t)len;
}

void ike_job_do(const struct ike_job *job, ike_job_find_key find, void *ctx,
		struct ike_job_result *out)
{
	static void (*const kinds[IKE_JOB_KINDS])(const struct ike_job *, ike_job_find_key, void *,
						  struct ike_job_result *) = {
		[IKE_JOB_PSK_SIGN] = do_psk_sign,
		[IKE_JOB_PSK_VERIFY] = do_psk_verify,
		[IKE_JOB_SIGN] = do_sign,
	};

	*out = (struct ike_job_result){ .id = job->id };
	if (!job->n_tunnels || job->n_tunnels > IKE_JOB_TUNNELS)
		out->error = -EINVAL;
	else
		kinds[job->kind](job, find, ctx, out);
	if (!out->error)
		return;
	out->auth_len = 0;
	ike_wipe(out->auth, sizeof(out->auth));
}
