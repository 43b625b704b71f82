/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The visible side of a tunnel: netdevice, addresses, routes. Idempotent: what is
 * there already is kept. What was made here carries a mark in the kernel itself (the
 * link's alias, protocol NET_PROTO of routes and addresses), so that only that is
 * removed, also after a crash.
 */
#ifndef ESPTUN_IKE_NET_H
#define ESPTUN_IKE_NET_H

#include "ike/proto/ikev2.h"
#include "lib/esptun.h"

enum { NET_PROTO = 69 }; /* of routes (rtnetlink's rtm_protocol) and addresses (IFA_PROTO) */

struct net;

struct net_prefix {
	struct ike_addr addr;
	uint8_t len;
};

struct net_conf {
	const char *name;
	struct ike_addr local; /* outer; family 0: routing chooses */
	uint16_t port;
	uint32_t fwmark;
	uint32_t mtu; /* 0: the kernel's choice */
	const struct net_prefix *address;
	unsigned int n_address;
	struct net_prefix given[2]; /* more addresses; of length 0: none */
	const struct net_prefix *routes;
	unsigned int n_routes;
	const struct net_prefix *told; /* more routes */
	unsigned int n_told;
	uint32_t table, metric; /* of the routes; 0: main, the kernel's default */
	const struct net_prefix *apart; /* where what comes from the link may not go, see rule.h */
	unsigned int n_apart;
};

/* What net_restore() had to do, "" if nothing; cut off if it is much. */
struct net_did {
	char text[512];
	char left_out[512]; /* routes of ->told that could not be made, and why; likewise */
};

/* NULL with the cause in errno. @h: for links; stays the caller's. */
struct net *net_open(struct esptun *h);
void net_close(struct net *n); /* NULL is fine */

/*
 * Read the routes of all links at once, which those who open many tunnels want: the kernel walks all
 * routes whenever it is asked for those of one link. What is done to a link's routes from then on, by
 * whomever, net_up() and net_restore() do not see before net_forget_routes(). If they cannot be
 * read, each link is asked for its own.
 */
void net_note_routes(struct net *n);
void net_forget_routes(struct net *n); /* also if none were read */

/*
 * Bring the tunnel's link up as @conf has it and remove addresses and routes of ours
 * that it has no longer. 0 with the link's index, and in @made if it is new; or a negative
 * errno with a sentence and its remedy in @err; then nothing new remains.
 */
int net_up(struct net *n, const struct net_conf *conf, uint32_t *ifindex, bool *made, char *err,
	   size_t err_size);

/*
 * The same for a link that is there, whatever its name is now: put back the addresses, state
 * and routes of @conf that it lacks. On failure what could be put back is.
 */
int net_restore(struct net *n, const struct net_conf *conf, uint32_t ifindex, struct net_did *did,
		char *err, size_t err_size);

/* Remove what net_up() made: the link, or its addresses and routes if the user made it. */
void net_down(struct net *n, uint32_t ifindex);

/* What a former net_up() or net_restore() had as ->given of the link, IPv4 and IPv6; family 0: nothing. */
void net_given(struct net *n, const char *name, struct ike_addr out[2]);

/* What went through a link since it was made, as ip -s link shows it. */
struct net_traffic {
	uint64_t rx_packets, rx_bytes, tx_packets, tx_bytes;
};

/* 0 or a negative errno. */
int net_traffic(struct net *n, uint32_t ifindex, struct net_traffic *out);

/*
 * Up to @max routes of ours through the link: those of a former net_up() or net_restore(). How many; 0 also if
 * there is no such link.
 */
unsigned int net_routes(struct net *n, const char *name, struct net_prefix *out, unsigned int max);

/* Calls @fn for each link that net_up() made, also in a former life. 0 or a negative errno. */
int net_each_own(struct net *n, void (*fn)(void *ctx, const char *name, uint32_t ifindex),
		 void *ctx);

/* How packets to a peer leave, by the routes of now. */
struct net_path {
	int err; /* negative errno of the route lookup; 0 also without a peer */
	bool own; /* the peer's address is one of this machine */
	bool not_local; /* the local address asked for is none of this machine */
	uint32_t oif;
	struct ike_addr local, gateway; /* family 0: none */
};

/*
 * Find the way of packets with @mark to @remote. With @local (family 0: routing chooses) they
 * are to leave from that address. With @remote of family 0 only @local is looked at.
 */
void net_find_path(struct net *n, const struct ike_addr *remote, const struct ike_addr *local,
		   uint32_t mark, struct net_path *p);

/* Is it an address of this machine, in whatever VRF? */
bool net_is_own(struct net *n, const struct ike_addr *addr);

/*
 * Is it a network of another link than @except, or within one? An address (of whole length) may be the link's own,
 * too.
 */
bool net_is_near(struct net *n, const struct net_prefix *p, uint32_t except);

struct net_address {
	struct ike_addr addr;
	uint32_t ifindex;
};

/* Up to @max addresses of this machine that others may reach; how many, or a negative errno. */
int net_addresses(struct net *n, struct net_address *out, unsigned int max);

enum { NET_MAX_VRFS = 16 };

struct net_vrf {
	char name[16];
	uint32_t ifindex, table;
};

/* A VRF of this network namespace that has a route to @remote; false if none has. */
bool net_find_vrf(struct net *n, const struct ike_addr *remote, struct net_vrf *out);

#endif
