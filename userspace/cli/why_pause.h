/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Does what the peer sends after a pause still find its way through a NAT? Needs CAP_NET_RAW. */
#ifndef CLI_WHY_PAUSE_H
#define CLI_WHY_PAUSE_H

#include "cli/why.h"

enum { WHY_PAUSE_SECONDS = 60 }; /* at most, about */

/**
 * why_pause() - send nothing until just before a NAT keepalive, and see whether packets come
 * @ifindex: of the tunnel's netdevice
 * @p: keepalive is given; all else is set
 */
void why_pause(const struct why_pause *what, uint32_t ifindex, struct why_paused *p);

#endif
