/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Processes that start others: the ike process, or the keys process, again whenever that has come to an end; or the
 * fetch process, whenever there is something to fetch.
 * One is forked for each while the agent is root, gives up all rights at once, and reads nothing from the
 * network: what the agent asks of it is one message without content.
 */
#ifndef ESPTUN_IKE_SPAWN_H
#define ESPTUN_IKE_SPAWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct spawn;

enum spawn_kind { SPAWN_IKE, SPAWN_KEYS, SPAWN_FETCH };

struct spawn_options {
	enum spawn_kind kind;
	const uint8_t *wrapping; /* for the keys process: see key_serve(); copied by the start */
	bool quiet; /* keep no terminal open */
	bool seccomp;
	bool keylog; /* for the ike process: see serve_core() */
};

/* Call it while no descriptor is open that it must not have. NULL with a sentence in @err. */
struct spawn *spawn_start(const struct spawn_options *o, char *err, size_t err_size);

/*
 * A new process; the former one is killed, if it still runs. The socket to it (wire.h, key_wire.h), or
 * a negative errno: -EPIPE if the process that starts it has ended.
 */
int spawn_begin(struct spawn *s);

/* Kills the process that was begun, if there is one. */
void spawn_kill(struct spawn *s);

/* It ends, and what it has begun with it. NULL is fine. */
void spawn_free(struct spawn *s);

#endif
