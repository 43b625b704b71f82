/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What of a tunnel in the kernel is the core's: the peers that were made for it, and of each the SAs
 * that it was given or has reserved. The agent lets the core change nothing else, because the core
 * runs in the process that parses what comes from the network.
 */
#ifndef ESPTUN_IKE_OWNED_H
#define ESPTUN_IKE_OWNED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ike/proto/ikev2.h"

struct owned_peer;

struct owned {
	struct owned_peer **v;
	unsigned int n;
};

void owned_free(struct owned *o); /* all of it; @o is empty then */

/* False if it is there, is 0, there are @max already, or memory is out. */
bool owned_add_peer(struct owned *o, uint32_t id, unsigned int max);
bool owned_has_peer(const struct owned *o, uint32_t id);
/* Where it is, so that the core may go on speaking to it. False if it is not there. */
bool owned_set_remote(struct owned *o, uint32_t id, const struct ike_addr *addr);
bool owned_has_remote(const struct owned *o, const struct ike_addr *addr); /* is any there? */
/* Where one of them is, in that network of @len bits; NULL: none is. */
const struct ike_addr *owned_remote_in(const struct owned *o, const struct ike_addr *net,
				       unsigned int len);
/* The number of the peer with this index; 0: there is none. */
uint32_t owned_peer_id(const struct owned *o, unsigned int i);
bool owned_remove_peer(struct owned *o, uint32_t id); /* with its SAs; false if it is not there */

/*
 * Also if it is there already; an SPI of 0 is none. Beyond OWNED_MAX_SPIS of a peer the oldest SA is
 * forgotten, and told in @forgotten (spi 0: none). False if the peer is not there or memory is out.
 */
enum { OWNED_MAX_SPIS = 256 };
struct owned_spi {
	uint32_t spi;
	bool inbound;
};
bool owned_add_spi(struct owned *o, uint32_t id, uint32_t spi, bool inbound,
		   struct owned_spi *forgotten);
bool owned_has_spi(const struct owned *o, uint32_t id, uint32_t spi, bool inbound);
bool owned_remove_spi(struct owned *o, uint32_t id, uint32_t spi, bool inbound);

#endif
