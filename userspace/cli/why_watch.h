/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A packet socket that sees what leaves this machine for a peer, behind the firewall, and what comes from it,
 * before the firewall. Needs CAP_NET_RAW.
 */
#ifndef CLI_WHY_WATCH_H
#define CLI_WHY_WATCH_H

#include "cli/why.h"

struct why_watch {
	int fd; /* -1: it cannot be watched */
	struct esptun_addr peer;
	uint16_t port; /* of the peer's, for IKE */
	uint32_t not_on; /* index of the tunnel's own netdevice; 0: none */
};

/** why_watch_begin() - see packets of @peer from now on; on all devices but @not_on */
void why_watch_begin(struct why_watch *w, const struct esptun_addr *peer, uint16_t port,
		     uint32_t not_on);

/** why_watch_end() - what was seen, also if nothing could be */
void why_watch_end(struct why_watch *w, struct why_seen *seen);

/**
 * why_watch_count() - count one packet
 * @w: peer and port
 * @packet: from the IP header on, maybe cut
 * @len: bytes of it
 * @outgoing: it leaves this machine
 * @device: by which; counted only if it is of the peer
 */
void why_watch_count(const struct why_watch *w, const uint8_t *packet, size_t len, bool outgoing,
		     const char *device, struct why_seen *seen);

#endif
