/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The keys process's end of key_wire.h: it does jobs, one after another, and keeps nothing of them but connections of TLS (job_tls.h). */
#ifndef ESPTUN_IKE_KEY_SERVE_H
#define ESPTUN_IKE_KEY_SERVE_H

#include "ike/app/seal.h"

struct job_tls;

/* Until the agent is gone, or says what makes no sense. Keys are wrapped with @wrapping. */
_Noreturn void key_serve(int fd, const uint8_t wrapping[SEAL_WRAPPING]);

/*
 * Until there is something to read at @fd, or the other end is gone; connections of TLS, which have private keys, are
 * forgotten meanwhile when it is time, by @now: ms of a clock that does not go back.
 */
void key_wait(int fd, struct job_tls *tls, uint64_t (*now)(void));

#endif
