/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The agent's control socket, seen from the command: one JSON line there, one line back.
 * What is asked and answered is in ike/app/ctl/ctl.h.
 */
#ifndef CLI_CONTROL_H
#define CLI_CONTROL_H

#include "cli/cli.h"

#define CONTROL_NAME \
	64 /* longer than any netdevice's name, so that the agent can say what is wrong */

/* Something to do twice a second while an answer is waited for. */
struct control_tick {
	void (*fn)(void *ctx);
	void *ctx;
};

/**
 * control_exchange() - ask the agent, which may take @seconds
 * @request: taken
 * @tick: may be NULL
 * Return: the reply, also a refusal, the caller's; or NULL with a sentence in @err.
 */
json_t *control_exchange(const struct cli *cli, json_t *request, unsigned int seconds,
			 const struct control_tick *tick, char *err, size_t size);

/**
 * control_make_printable() - replace in all strings of @v what a terminal would obey
 * Identities and messages come from peers: C0 and C1 (ISO 6429), the latter as UTF-8.
 */
void control_make_printable(json_t *v);

#endif
