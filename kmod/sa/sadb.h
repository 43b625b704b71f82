/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Finding SAs: inbound by SPI in a netns, outbound by selector in a link.
 */
#ifndef ESPTUN_SADB_H
#define ESPTUN_SADB_H

#include <linux/bitmap.h>
#include <linux/rhashtable.h>
#include <linux/types.h>
#include "sa/selector.h"

struct esptun_encap_ops;
struct esptun_endpoint;
struct esptun_esp_hdr;
struct esptun_net;
struct esptun_sa;
struct esptun_sock;
struct sk_buff;

/**
 * struct esptun_miss - an SA that a packet only just missed
 * @sa: the SA, or NULL
 * @reason: why, a counter ESPTUN_STATS_A_*
 */
struct esptun_miss {
	struct esptun_sa *sa;
	unsigned int reason;
};

/**
 * struct esptun_sadb_out - outbound SAs of a link
 * @any: newest selector of prefix length 0
 * @prefixes: newest struct esptun_sel of each key
 * @n_prefixes: entries in @prefixes; 0 makes lookups short
 * @plens: prefix lengths in use, IPv4 and IPv6
 * @users: selectors by family and prefix length; under esptun_net.lock
 *
 * Selectors with one key are a list: a newer one takes the place of the head, and
 * each knows its neighbours. So it takes no longer to remove one of many with the
 * same key (rhltable would walk there), which whole links do under rtnl.
 * Changes under esptun_net.lock, lookups under RCU.
 */
struct esptun_sadb_out {
	struct esptun_sel __rcu *any;
	struct rhashtable prefixes;
	unsigned int n_prefixes;
	unsigned long plens[2][BITS_TO_LONGS(129)];
	u32 users[2][129];
};

int esptun_sadb_net_init(struct esptun_net *en);
void esptun_sadb_net_exit(struct esptun_net *en);
int esptun_sadb_out_init(struct esptun_sadb_out *out);
void esptun_sadb_out_exit(struct esptun_sadb_out *out);

/**
 * esptun_sadb_in_find - inbound SA by SPI
 * @en: netns; RCU read side or en->lock
 * @spi: network order
 *
 * Return: NULL if there is none; may be larval or dead.
 */
struct esptun_sa *esptun_sadb_in_find(struct esptun_net *en, __be32 spi);

/* Insert an inbound SA. en->lock held. Return: 0, -EEXIST, -ENOMEM. */
int esptun_sadb_in_add(struct esptun_net *en, struct esptun_sa *sa);

/* Put @sa in the place of @old, which has the same SPI. en->lock held. */
int esptun_sadb_in_replace(struct esptun_net *en, struct esptun_sa *old,
			   struct esptun_sa *sa);

void esptun_sadb_in_del(struct esptun_net *en, struct esptun_sa *sa);

/**
 * esptun_sadb_key_add - note that an outbound SA uses its key, and its SPI
 * @en: netns; en->lock held
 * @sa: with sa->key set
 *
 * The sequence number is the IV: under one key each may be sent once
 * (RFC 4106 3.1), which two SAs that count by themselves cannot keep. Without
 * encryption there is no such key, and nothing is noted.
 * Return: 0, -EEXIST if another outbound SA has the key, -ENOMEM.
 */
int esptun_sadb_key_add(struct esptun_net *en, struct esptun_sa *sa);

void esptun_sadb_key_del(struct esptun_net *en, struct esptun_sa *sa);

/**
 * esptun_sadb_sent_find - outbound SA of a packet that was sent lately
 * @en: netns; RCU read side
 * @us: the socket it was sent from, NULL for any link's
 * @encap: what it travelled in
 * @to: where it was sent, port 0 if it has none
 * @esp: its ESP header; of what is recent see esptun_icmp_is_recent()
 *
 * Return: NULL if there is none, or too many peers have chosen this SPI.
 */
struct esptun_sa *esptun_sadb_sent_find(struct esptun_net *en,
					const struct esptun_sock *us,
					const struct esptun_encap_ops *encap,
					const struct esptun_endpoint *to,
					const struct esptun_esp_hdr *esp);

/**
 * esptun_sadb_out_add - make an outbound SA findable by its selectors
 * @out: the link's table; en->lock held
 * @sa: the SA
 * @set: its selectors, with room for one entry for each remote one, at least one
 *
 * In front of others with the same selectors. Return: 0 or -ENOMEM, then they
 * may have been seen for a moment.
 */
int esptun_sadb_out_add(struct esptun_sadb_out *out, struct esptun_sa *sa,
			struct esptun_ts_set *set);

/* @set is freed after a grace period. */
void esptun_sadb_out_del(struct esptun_sadb_out *out,
			 struct esptun_ts_set *set);

/**
 * esptun_sadb_out_find - outbound SA for a packet
 * @out: the link's table; RCU read side
 * @skb: inner packet, IP header at skb->data
 * @miss: result: an SA past its limit would have matched, or one whose selectors
 *	name ports, which a later fragment has not (RFC 4301 7.1)
 *
 * The longest remote prefix wins, and the newest SA among equals. A larval SA
 * counts for nothing.
 * Return: a live SA or NULL.
 */
struct esptun_sa *esptun_sadb_out_find(struct esptun_sadb_out *out,
				       const struct sk_buff *skb,
				       struct esptun_miss *miss);

#endif /* ESPTUN_SADB_H */
