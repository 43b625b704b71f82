/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The agent: configuration in, tunnels out. It feeds the core with what network,
 * kernel, clock and control socket say, and does what the core wants. One thread.
 */
#ifndef ESPTUN_IKE_AGENT_H
#define ESPTUN_IKE_AGENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct agent;
struct link_dns;
struct reader;
struct spawn;
struct store;

struct agent_options {
	const char *config_dir; /* of NAME.conf files */
	const char *socket; /* control socket */
	const char *state_dir; /* where leases and CRLs are kept */
	const char *metrics; /* where they are answered, see listen_local(); NULL: nowhere */
	const char *key_dir; /* debugging: where key tables go; NULL: nowhere */
	const uint8_t *terms_secret; /* TERMS_SECRET octets; copied */
	const char *terms_fault; /* why the next agent will not have it; NULL: it will */
};

/* The processes that were left behind while the agent was root. */
struct agent_helpers {
	struct reader *reader; /* reads files */
	struct store *store; /* keeps leases and CRLs; NULL: they are not kept */
	struct link_dns *link_dns; /* sets name servers; NULL: nobody does */
	struct spawn *spawn; /* starts the ike process */
	struct spawn *key_spawn; /* starts the keys process */
	struct spawn *fetch_spawn; /* starts the fetch process; NULL: nothing is fetched */
};

/*
 * Open sockets, claim the IKE channel. @o, its strings and @helpers must outlive the agent.
 * NULL with a sentence in @err.
 */
struct agent *agent_new(const struct agent_options *o, const struct agent_helpers *helpers,
			char *err, size_t err_size);

/* Read the configuration folder and begin. Tunnels that fail are logged; -1 if the folder cannot be read. */
int agent_start(struct agent *a);

/* Until agent_stop() is through. 0, or -1 if the loop failed or a process cannot be started again. */
int agent_run(struct agent *a);

/* For signal handlers of the event loop: read the configuration again; end, with the tunnels left as they are. */
void agent_reload(struct agent *a);
void agent_stop(struct agent *a);

/* For signals and the like. */
struct event_base *agent_base(struct agent *a);

void agent_free(struct agent *a); /* NULL is fine */

#endif
