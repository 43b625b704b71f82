/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Traffic selectors (RFC 7296 2.9, 3.13; RFC 4301 4.4.1.1). Pure.
 */
#ifndef ESPTUN_IKE_TS_H
#define ESPTUN_IKE_TS_H

#include "ike/proto/ikev2.h"

/* A selector as the kernel takes it: a prefix. Host bits are zero. */
struct ike_prefix {
	uint8_t family; /* 4 or 6 */
	uint8_t len; /* bits */
	uint8_t protocol; /* 0: any */
	uint16_t port_start, port_end;
	uint8_t addr[16];
};

/*
 * Responder: what @offer and @policy have in common, in the offer's order so that a
 * first selector taken from a packet stays first (2.9); parts of others are left out.
 * At most IKE_MAX_TS remain. False if nothing is common: TS_UNACCEPTABLE.
 */
bool ike_ts_narrow(struct ike_ts_offer offer, const struct ike_ts_list *policy,
		   struct ike_ts_list *out);

/* Initiator: is every selector of @answer (one at least) within one of @offer? */
bool ike_ts_within(struct ike_ts_offer answer, const struct ike_ts_list *offer);

/* @from without what others hold; false if more than a child SA can have remain. */
bool ike_ts_take(struct ike_ts_offer from, struct ike_ts_list *out);

/* Does a packet fit both? */
bool ike_ts_overlap(const struct ike_ts *a, const struct ike_ts *b);

/* Does @ts hold every packet of its family? */
bool ike_ts_is_any(const struct ike_ts *ts);

/*
 * Is each selector of any address of its family, and does the list have some of both families? So are
 * those of transport mode before the addresses of its endpoints are known.
 */
bool ike_ts_of_any_address(const struct ike_ts_list *l);

/* All of the network of @len bits that @a is in: every protocol and port. */
struct ike_ts ike_ts_of_net(const struct ike_addr *a, unsigned int len);

/* The list has room for one more, that of the address @a. */
void ike_ts_add_address(struct ike_ts_list *l, const struct ike_addr *a);

/* @l, which is as ike_ts_of_any_address() says, becomes that of the one address @a. */
void ike_ts_pin(struct ike_ts_list *l, const struct ike_addr *a);

/* Is each selector of the address @a, whole and alone? */
bool ike_ts_of_address(const struct ike_ts_list *l, const struct ike_addr *a);

/*
 * Each selector of one address alone becomes one of @a (RFC 7296 2.23.1). @was: the address that it was
 * of before; none, family 0, if they were of several, or of another family, or if no host has it.
 */
void ike_ts_substitute(struct ike_ts_payload *p, const struct ike_addr *a, struct ike_addr *was);

/*
 * The prefixes that cover @l exactly, @max at most, in ascending order per selector.
 * Returns their number, or -1 if there are more (one IPv4 range takes up to 62, an IPv6
 * range up to 254).
 */
int ike_ts_prefixes(const struct ike_ts_list *l, struct ike_prefix *out, unsigned int max);

/*
 * One sentence on why a TSi/TSr pair was refused: the side that has nothing in common,
 * what the peer asked for, what we allow and the key to change. @local is our side.
 * With nothing in @offer_*: the peer refused what we asked for.
 */
char *ike_ts_explain(char *buf, size_t size, const struct ike_ts_list *local,
		     const struct ike_ts_list *remote, struct ike_ts_offer offer_local,
		     struct ike_ts_offer offer_remote);

#endif
