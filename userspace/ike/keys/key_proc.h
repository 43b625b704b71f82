/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Jobs, done by a process that can open the keys (seal.h). It keeps nothing but handshakes of TLS, which begin anew with the next one; so one that ends, hangs or says
 * what it may not say is replaced, at once or, if that happens again and again, later, and the jobs under
 * way are done by the next one. It may be hostile: its results are judged by key_wire.h, but what they say is
 * for it to decide.
 */
#ifndef ESPTUN_IKE_KEY_PROC_H
#define ESPTUN_IKE_KEY_PROC_H

#include "ike/app/spawn.h"
#include "ike/auth/job.h"

struct event_base;
struct key_proc;

struct key_proc_events {
	/* The key that a tunnel has, sealed, at the time it is sent. */
	ike_job_find_key find;
	/* From the event loop: there is a result, or no keys process can be started any more. */
	void (*changed)(void *ctx);
	void *ctx;
};

/* Start a keys process. @spawn has to outlive it; @events is copied. NULL with the cause in errno. */
struct key_proc *key_proc_new(struct event_base *base, struct spawn *spawn,
			      const struct key_proc_events *events);
void key_proc_free(struct key_proc *k); /* NULL is fine */

/* Begin the job, which is copied. 0, -EBUSY if IKE_JOBS are under way, or -ENOMEM. */
int key_proc_begin(struct key_proc *k, const struct ike_job *job);
/* Take the result that was there first; false if there is none. */
bool key_proc_take(struct key_proc *k, struct ike_job_result *out);
bool key_proc_has_result(const struct key_proc *k);
/* Keys are others now: whatever was not taken yet is done with these. */
void key_proc_again(struct key_proc *k);
/* Nobody waits for any job any more. */
void key_proc_drop(struct key_proc *k);
/* There is no keys process, and none can be started: who does that has ended. */
bool key_proc_failed(const struct key_proc *k);

#endif
