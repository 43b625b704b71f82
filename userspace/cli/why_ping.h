/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Echo requests of a given size, by a given netdevice. Needs CAP_NET_RAW. */
#ifndef CLI_WHY_PING_H
#define CLI_WHY_PING_H

#include "cli/why.h"

/**
 * why_ping() - send echo requests through what->dev, and wait for an answer
 * @p: failed, answered, too_big and error are set
 */
void why_ping(const struct why_ping *what, struct why_pong *p);

#endif
