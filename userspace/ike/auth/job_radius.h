/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How jobs with the secret of a RADIUS server are done; ike_job_do() calls these. */
#ifndef ESPTUN_IKE_JOB_RADIUS_H
#define ESPTUN_IKE_JOB_RADIUS_H

#include "ike/auth/job.h"

void job_radius_sign(const struct ike_job *job, ike_job_find_key find, void *ctx,
		     struct ike_job_result *out);
void job_radius_check(const struct ike_job *job, ike_job_find_key find, void *ctx,
		      struct ike_job_result *out);

#endif
