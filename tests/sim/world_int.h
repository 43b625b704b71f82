/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of the simulated world share: world.c has randomness, network, time and
 * building, kernel.c the fake kernel and ESP, message.c what must hold of each IKE message, inside.c
 * what must hold of what is protected in it, taken.c the time that lost messages cost, proof.c what an
 * end has to have heard of its peer.
 */
#ifndef ESPTUN_SIM_WORLD_INT_H
#define ESPTUN_SIM_WORLD_INT_H

#include "world.h"

/* ---- world.c ------------------------------------------------------------- */

uint64_t hash_bytes(const void *data, size_t len, uint64_t h);
/* The entry of @key, new ones with value 0. It is valid until the next call. */
struct seen_entry *seen_find(struct seen *s, uint64_t key);
/* True the first time, and whenever @value is what it was then. */
bool seen_once(struct seen *s, uint64_t key, uint64_t value);
/*
 * The node that gets what is sent to @to, and at which of its own ports; NULL if there is
 * none. A node that is dead or has no agent is one, too.
 */
struct node *route_packet(struct world *w, const struct ike_endpoint *to, uint16_t *port);
/*
 * Where a packet that @n sends from @port of its address @local seems to come from; a @local that is
 * none of its addresses stands for the first one.
 */
struct ike_endpoint outer_endpoint(const struct node *n, const struct ike_addr *local,
				   uint16_t port);
/* Does nothing pass to and from that address of the node? */
bool node_is_dark(const struct node *n, const struct ike_addr *addr);
/* Is it an address of the node? */
bool node_has(const struct node *n, const struct ike_addr *addr);
/* Put a packet without data on its way; the caller fills in what it is. */
struct packet *enqueue_packet(struct world *w, const struct ike_endpoint *from,
			      const struct ike_endpoint *to, bool esp, size_t len, uint64_t delay);

/* ---- kernel.c ------------------------------------------------------------ */

/* Fill in the effects that the fake kernel has. */
void kernel_env(struct ike_env *env);
/* The agent ended: what it had reserved goes. */
void kernel_drop_larval(struct node *n);
/* Something happens on @link: for some time ESP packets follow each other closely. */
void kernel_wake_traffic(struct world *w, unsigned int link);
/* When ESP is sent next, UINT64_MAX if never. */
uint64_t kernel_next_traffic(const struct world *w);
/* Send what is due. */
void kernel_send_traffic(struct world *w);
/* An ESP packet has come to @n. */
void kernel_receive_esp(struct world *w, struct node *n, const struct packet *p);
/* Invariants of links after each event. */
void kernel_check_links(struct world *w);

/* ---- message.c ----------------------------------------------------------- */

/* Invariants of a message that @n is about to send. */
void message_check(struct node *n, const struct ike_datagram *d);
/* Was the IKE SA with this SPIi begun by IKE_SA_INIT, not by a rekey? */
bool message_began_ike_sa(struct world *w, const uint8_t *spi_i);

/* ---- taken.c ------------------------------------------------------------- */

/* A message of @n leaves the node, or cannot; then it gets lost if @taken. */
void taken_note(struct node *n, const struct ike_datagram *d, bool leaves, bool taken);
/* Does an end wait now because a message was lost? */
bool taken_waits(const struct world *w);

/* ---- proof.c ------------------------------------------------------------- */

/* @n sends a message of IKE_AUTH, with an SK or SKF payload. */
void proof_sent(struct node *n, const struct ike_datagram *d, const struct ike_header *h);
/* A message comes to @n. */
void proof_came(struct node *n, const uint8_t *data, size_t len);
/* @n is about to install the pair, or a half of it. */
void proof_check(struct node *n, const struct ike_child *c);

/* ---- inside.c ------------------------------------------------------------ */

/* Invariants of what is in a message that @n is about to send, with an SK payload. */
void inside_check(struct node *n, const struct ike_datagram *d, const struct ike_header *h);

#endif
