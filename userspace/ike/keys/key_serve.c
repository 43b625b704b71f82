// SPDX-License-Identifier: GPL-2.0-or-later
#include "ike/keys/key_serve.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "ike/auth/job_tls.h"
#include "ike/io/loop.h"
#include "ike/keys/key_wire.h"

struct server {
	const uint8_t *wrapping;
	struct job_tls *tls; /* all that is kept between jobs */
	struct key_sealed keys[IKE_JOB_TUNNELS]; /* of the job at hand */
	bool foreign; /* one of them is not of our seal */
	uint8_t key[SEAL_PRIVATE]; /* the one at hand, clear */
	uint8_t none[SECRET_ROOM]; /* opened in place of one that is not there, so that this takes as long */
	size_t none_len;
	uint8_t call[KEY_CALL_MAX];
};

static const uint8_t *open_key(void *ctx, const struct ike_job *job, unsigned int i, size_t *len)
{
	struct server *s = ctx;
	struct key_sealed sealed = s->keys[i];

	(void)job;
	if (!sealed.len)
		sealed = (struct key_sealed){ s->none, s->none_len };
	if (seal_open(s->wrapping, sealed.octets, sealed.len, s->key, sizeof(s->key), len))
		s->foreign = true;
	return s->keys[i].len && *len ? s->key : NULL;
}

static void do_job(struct server *s, const struct ike_job *job, struct ike_job_result *r)
{
	s->foreign = false;
	job_do_any(s->tls, job, open_key, s, loop_awake(), r);
	ike_wipe(s->key, sizeof(s->key));
	if (s->foreign) {
		ike_wipe(r, sizeof(*r));
		*r = (struct ike_job_result){ .id = job->id, .error = -EKEYREJECTED };
	}
}

void key_wait(int fd, struct job_tls *tls, uint64_t (*now)(void))
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int n;

	do {
		job_tls_expire(tls, now());
		n = poll(&p, 1, job_tls_left(tls, now()));
	} while (!n || (n < 0 && errno == EINTR));
}

static enum wire_got get_call(struct server *s, int fd, size_t *len)
{
	key_wait(fd, s->tls, loop_awake);
	return key_get(fd, s->call, sizeof(s->call), len, true);
}

_Noreturn void key_serve(int fd, const uint8_t wrapping[SEAL_WRAPPING])
{
	static const uint8_t nothing[32];
	struct server *s = calloc(1, sizeof(*s));
	struct ike_job_result r;
	struct ike_job job;
	size_t len;

	if (s)
		s->tls = job_tls_new();
	if (!s || !s->tls ||
	    ike_key_wrap(wrapping, SEAL_WRAPPING, nothing, sizeof(nothing), s->none,
			 sizeof(s->none), &s->none_len))
		_exit(1);
	s->wrapping = wrapping;
	while (get_call(s, fd, &len) == WIRE_OK && key_call_parse(s->call, len, &job, s->keys)) {
		const struct iovec answer = { &r, sizeof(r) };

		do_job(s, &job, &r);
		ike_wipe(s->call, len); /* code that gets in later shall find no keys to open */
		if (key_put(fd, &answer, 1, true) != WIRE_OK)
			break;
		ike_wipe(&r, sizeof(r));
	}
	_exit(0);
}
