/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The world as esptun why and esptun check ask it. */
#ifndef CLI_WHY_ASK_H
#define CLI_WHY_ASK_H

#include "cli/cli.h"
#include "cli/why.h"

/* What the kernel counts of a tunnel's peer and of its link. */
struct why_counts {
	struct esptun_peer peer;
	struct esptun_stats stats;
};

struct why_drops {
	uint32_t ifindex;
	struct why_counts before;
};

/** why_asks_of() - have @asks ask the kernel, the agent of @cli and the network */
void why_asks_of(struct cli *cli, struct why_asks *asks);

/** why_drops_begin() - note the counters of link @dev; @cli has a handle */
void why_drops_begin(struct cli *cli, const char *dev, struct why_drops *d);

/** why_drops_end() - those of drops that rose since, as "rx-replay 3 (text), ..."; "" if none */
void why_drops_end(struct cli *cli, const struct why_drops *d, char *text, size_t size);

#endif
