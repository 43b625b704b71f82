// SPDX-License-Identifier: GPL-2.0-or-later
/* Any octets as a job for the keys process, or as its result. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ike/keys/key_wire.h"

/* All that a job points to is within the message. */
static void look(const uint8_t *octets, size_t len)
{
	volatile uint8_t seen = 0;

	for (size_t i = 0; i < len; i++)
		seen ^= octets[i];
	(void)seen;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct key_sealed keys[IKE_JOB_TUNNELS];
	uint8_t *copy = malloc(size ? size : 1);
	struct ike_job_result r = { 0 };
	struct ike_job job;

	if (!copy)
		abort();
	memcpy(copy, data, size);
	if (key_call_parse(copy, size, &job, keys)) {
		for (unsigned int i = 0; i < IKE_JOB_OCTETS; i++)
			look(job.octets[i].base, job.octets[i].len);
		look(job.auth.base, job.auth.len);
		for (unsigned int i = 0; i < job.n_tunnels; i++)
			look(keys[i].octets, keys[i].len);
	}
	free(copy);
	memcpy(&r, data, size < sizeof(r) ? size : sizeof(r));
	key_result_is_good(&r, size);
	return 0;
}
