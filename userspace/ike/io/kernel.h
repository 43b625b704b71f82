/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel half: SAs, peers and events of esptun links, and the IKE channel of port
 * 4500, over libesptun. Peers of a link have numbers, see struct ike_env. Functions
 * returning int give 0 or a negative errno; kernel_error() then has the sentence.
 */
#ifndef ESPTUN_IKE_KERNEL_H
#define ESPTUN_IKE_KERNEL_H

#include "ike/core/core.h"
#include "lib/esptun.h"

struct event_base;
struct kernel;

/* What the kernel tells. Called from the event loop, never from within a function below. */
struct kernel_events {
	void *ctx;
	void (*datagram)(void *ctx, const struct ike_datagram *d);
	void (*acquire)(void *ctx, uint32_t ifindex, const struct ike_flow *flow);
	void (*expire)(void *ctx, uint32_t ifindex, uint32_t peer, uint32_t spi, bool inbound,
		       bool hard);
	void (*peer_moved)(void *ctx, uint32_t ifindex, uint32_t peer,
			   const struct ike_endpoint *remote);
	/* Somebody (we, or a user) removed the SA. */
	void (*sa_gone)(void *ctx, uint32_t ifindex, uint32_t peer, uint32_t spi, bool inbound);
	/* This peer of the link may be gone (kernel_peer_exists()), and the link with it. */
	void (*peer_gone)(void *ctx, uint32_t ifindex, uint32_t peer);
	void (*overrun)(void *ctx); /* events were lost: kernel_retell() */
};

/*
 * Claim the IKE channel and subscribe to events. NULL with a sentence in @err: no
 * module, no rights, another agent.
 */
struct kernel *kernel_open(struct event_base *base, const struct kernel_events *events, char *err,
			   size_t err_size);
void kernel_close(struct kernel *k); /* NULL is fine; SAs stay */
const char *kernel_error(const struct kernel *k);
struct esptun *kernel_handle(struct kernel *k); /* for what net.c and the status need */

enum { KERNEL_TERMS = 48 }; /* octets */

/* How a peer is to be. */
struct kernel_peer_conf {
	struct ike_endpoint remote; /* family 0: not known yet */
	uint32_t keepalive; /* seconds */
	bool on_demand; /* a packet that fits no SA raises an acquire */
	bool follow; /* the kernel follows it from now on, see kernel_peer_follow(); a new one anyway */
	/* Kept with it for the next agent: */
	const struct ike_id *id; /* NULL: neither, or as they were; type 0 if it is the only peer */
	const uint8_t *terms; /* KERNEL_TERMS octets, on which its SAs were made; NULL: not known */
	uint64_t ends; /* with terms: when its time is over, ms since boot; 0: it has no end */
};

/* Make the peer, or adjust the one of a former agent, whose endpoint is kept. */
int kernel_peer_make(struct kernel *k, uint32_t ifindex, uint32_t id,
		     const struct kernel_peer_conf *conf);
bool kernel_peer_exists(struct kernel *k, uint32_t ifindex, uint32_t id);
/* Remove its SAs and the peer. */
int kernel_peer_remove(struct kernel *k, uint32_t ifindex, uint32_t id);
/* The peer is at @remote, and its packets leave from @local (NULL: as they did), @plain: without UDP. */
int kernel_peer_move(struct kernel *k, uint32_t ifindex, uint32_t id,
		     const struct ike_endpoint *remote, const struct ike_addr *local, bool plain);
/* Its packets leave from @local from now on. */
int kernel_peer_local(struct kernel *k, uint32_t ifindex, uint32_t id,
		      const struct ike_addr *local);
/* Does the kernel follow it to where its authenticated packets come from? It does with a new one. */
int kernel_peer_follow(struct kernel *k, uint32_t ifindex, uint32_t id, bool may);
/* Milliseconds since its last authenticated packet, UINT64_MAX if never. */
uint64_t kernel_peer_last_rx(struct kernel *k, uint32_t ifindex, uint32_t id);

/* Inner bytes and packets of the peer since it was made, and the time since the last one came. False if it is gone. */
struct kernel_traffic {
	uint64_t rx_bytes, rx_packets, tx_bytes, tx_packets;
	uint64_t last_rx; /* milliseconds, UINT64_MAX if never */
};
bool kernel_peer_traffic(struct kernel *k, uint32_t ifindex, uint32_t id,
			 struct kernel_traffic *out);

/*
 * All peers and SAs of a link as they are now, read once for as many peers as there are; without any if
 * the link is gone. NULL: they cannot be read. Give it back with kernel_view_free().
 */
struct kernel_view;
struct kernel_view *kernel_view(struct kernel *k, uint32_t ifindex);
void kernel_view_free(struct kernel_view *v);
/* Calls @fn for each peer in it, those heard last first. */
void kernel_each_peer(const struct kernel_view *v, void (*fn)(void *ctx, uint32_t id), void *ctx);
/* The terms kept with the peer, and its identity in @id; NULL if none are. They live as long as @v. */
const uint8_t *kernel_peer_terms(const struct kernel_view *v, uint32_t peer, struct ike_id *id);
/* Likewise, when its time is over; 0: it has no end, or none is kept. */
uint64_t kernel_peer_ends(const struct kernel_view *v, uint32_t peer);

/* Is one of the @n child SAs of a configuration to carry, in @mode, all from @local to @remote? */
bool kernel_may_carry(const struct ike_child_conf *child, unsigned int n, enum ike_mode mode,
		      struct ike_ts_offer local, struct ike_ts_offer remote);

/* What SAs of a peer may stay. */
struct kernel_fit {
	uint64_t max_age; /* milliseconds since they were made */
	uint64_t until; /* when one that was made just now is to end, by the caller's clock */
	const struct ike_child_conf *child; /* one of these may carry all that it does */
	unsigned int n_child;
};

/* Has the peer an SA that does not fit? Larval ones are none yet. */
bool kernel_peer_misfits(const struct kernel_view *v, uint32_t peer, const struct kernel_fit *fit);

struct kernel_adopted {
	unsigned int kept, misfits, excess; /* pairs */
};

/*
 * Calls @fn for each pair of SAs a former agent left with the peer, oldest first. Removes larval SAs, pairs
 * that do not fit, and all but the IKE_MAX_ADOPTED newest. What became of them is added to @count.
 */
void kernel_adopt(struct kernel *k, const struct kernel_view *v, uint32_t peer,
		  const struct kernel_fit *fit,
		  void (*fn)(void *ctx, const struct ike_adopted *pair), void *ctx,
		  struct kernel_adopted *count);

/*
 * Events were lost: call those that were true of the peer and of its pair of SAs (0: none) when @v was
 * read. From within an event, too.
 */
void kernel_retell(struct kernel *k, const struct kernel_view *v, uint32_t peer, uint32_t spi_in,
		   uint32_t spi_out);

/* Can an SA have @cipher? Asked before it is offered; what the kernel says of an SA is final. */
bool kernel_has_cipher(const struct kernel *k, const struct ike_cipher *cipher);

/* As struct ike_env has them. */
int kernel_spi_alloc(struct kernel *k, uint32_t ifindex, uint32_t peer, uint32_t *spi);
int kernel_sa_install(struct kernel *k, uint32_t ifindex, const struct ike_child *child,
		      uint32_t replay_window);
void kernel_sa_remove(struct kernel *k, uint32_t ifindex, uint32_t peer, uint32_t spi_in,
		      uint32_t spi_out);
int kernel_ike_send(struct kernel *k, uint32_t ifindex, const struct ike_datagram *d);

#endif
