/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The process that starts the ike process, again whenever that has come to an end. It is forked
 * while the agent is root, gives up all rights at once, and reads nothing from the network: what
 * the agent asks of it is one message without content.
 */
#ifndef ESPTUN_IKE_SPAWN_H
#define ESPTUN_IKE_SPAWN_H

#include <stdbool.h>
#include <stddef.h>

struct spawn;

struct spawn_options {
	bool quiet; /* keep no terminal open */
	bool seccomp;
	bool keylog; /* see serve_core() */
};

/* Call it while no descriptor is open that it must not have. NULL with a sentence in @err. */
struct spawn *spawn_start(const struct spawn_options *o, char *err, size_t err_size);

/*
 * A new ike process; the former one is killed, if it still runs. The socket to it (wire.h), or
 * a negative errno: -EPIPE if the process that starts it has ended.
 */
int spawn_ike(struct spawn *s);

/* Kills the ike process, if there is one. */
void spawn_kill(struct spawn *s);

/* It ends, and the ike process with it. NULL is fine. */
void spawn_free(struct spawn *s);

#endif
