/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How jobs of EAP are done; ike_job_do() calls these, and nobody else does. */
#ifndef ESPTUN_IKE_JOB_EAP_H
#define ESPTUN_IKE_JOB_EAP_H

#include "ike/auth/job.h"

void job_mschapv2_verify(const struct ike_job *job, ike_job_find_key find, void *ctx,
			 struct ike_job_result *out);
void job_mschapv2_respond(const struct ike_job *job, ike_job_find_key find, void *ctx,
			  struct ike_job_result *out);
void job_mschapv2_confirm(const struct ike_job *job, ike_job_find_key find, void *ctx,
			  struct ike_job_result *out);
void job_md5_verify(const struct ike_job *job, ike_job_find_key find, void *ctx,
		    struct ike_job_result *out);
void job_md5_respond(const struct ike_job *job, ike_job_find_key find, void *ctx,
		     struct ike_job_result *out);

#endif
