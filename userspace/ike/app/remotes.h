/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Addresses that datagrams may be sent to, and how many bytes: the core, which runs in the process that
 * parses what comes from the network, answers, and speaks to the peers there are, but floods no other
 * machine. Some thousand addresses are known at a time; of those whose hashes fall together the one that
 * was not used longest is forgotten. Times are milliseconds.
 *
 * To where a peer is by configuration or name server a lot may be sent. Any other address gets
 * some times as much as came from there (a sender may be invented), and whatever is more is shared by all
 * of them together: clients' addresses are among these, for it is the core that says who is a client.
 */
#ifndef ESPTUN_IKE_REMOTES_H
#define ESPTUN_IKE_REMOTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ike/proto/ikev2.h"

struct remotes;

enum {
	REMOTES_ANSWER = 4, /* so many bytes for each that came from there */
	REMOTES_ANSWERS = 1 << 20, /* what was not sent of these adds up to so many */
	REMOTES_SHARED = 64, /* bytes a ms to all that no configuration knows ... */
	REMOTES_SHARED_MOST = 4 << 20, /* ... and at once */
	REMOTES_PEER = 256, /* likewise to each that one knows */
	REMOTES_PEER_MOST = 4 << 20,
	REMOTES_CLAIMS = 64, /* addresses that peers may claim at once, and ... */
	REMOTES_CLAIMS_SECOND = 10, /* ... in a second */
	REMOTES_CLAIM_LAST = 120000, /* ms that nothing may come from such an address */
};

struct remotes *remotes_new(void); /* NULL: no memory */
void remotes_free(struct remotes *r); /* NULL is fine */

/* A datagram of @len bytes came from there. */
void remotes_heard(struct remotes *r, const struct ike_addr *addr, size_t len, uint64_t now);
/* A peer is there, as configuration or name server have it. */
void remotes_vouch(struct remotes *r, const struct ike_addr *addr, uint64_t now);
/* A peer says that it is there, too. False if there are too many of these. */
bool remotes_claim(struct remotes *r, const struct ike_addr *addr, uint64_t now);

/* Is it known, be it that a peer claims it? */
bool remotes_know(const struct remotes *r, const struct ike_addr *addr, uint64_t now);
/* Did something come from there, or is a peer there by configuration or name server? */
bool remotes_trust(const struct remotes *r, const struct ike_addr *addr);
/* May a datagram of @len bytes be sent there? It is counted. */
bool remotes_admit(struct remotes *r, const struct ike_addr *addr, size_t len, uint64_t now);

#endif
