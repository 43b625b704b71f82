// SPDX-License-Identifier: GPL-2.0-or-later
#include "ike/auth/job_radius.h"

#include <errno.h>

#include "ike/radius/radius.h"

_Static_assert(1 + (int)RADIUS_MSK <= (int)IKE_MAX_SIGNATURE, "a verdict and the key fit");

void job_radius_sign(const struct ike_job *job, ike_job_find_key find, void *ctx,
		     struct ike_job_result *out)
{
	size_t len = 0;
	const uint8_t *secret = find(ctx, job, 0, &len);

	if (!secret || !len)
		out->error = -ENOENT;
	else if (radius_sign(job->octets[0].base, job->octets[0].len, secret, len, out->auth))
		out->error = -EINVAL;
	out->auth_len = RADIUS_AUTHENTICATOR;
}

void job_radius_check(const struct ike_job *job, ike_job_find_key find, void *ctx,
		      struct ike_job_result *out)
{
	const struct ike_iov *request = &job->octets[0], *answer = &job->octets[1];
	size_t len = 0, msk_len = 0;
	const uint8_t *secret = find(ctx, job, 0, &len);

	if (!secret || !len)
		out->error = -ENOENT;
	else if (request->len != RADIUS_AUTHENTICATOR)
		out->error = -EINVAL;
	else
		out->auth[0] = (uint8_t)radius_check(request->base, answer->base, answer->len,
						     secret, len, out->auth + 1, &msk_len);
	out->auth_len = (uint32_t)(1 + msk_len);
}
