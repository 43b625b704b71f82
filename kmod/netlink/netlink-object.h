/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Objects as netlink attributes: from a request to the parameters of an object,
 * from an object to a message. Every refusal has a text that names the attribute,
 * and points at it where there is one.
 */
#ifndef ESPTUN_NETLINK_OBJECT_H
#define ESPTUN_NETLINK_OBJECT_H

#include <linux/types.h>
#include "netlink/netlink-attr.h"
#include "sa/peer.h"
#include "sa/sa.h"

struct esptun_stats;

/* ---- reading ---- */

/**
 * struct esptun_sa_request - the "sa" attribute of a request
 * @p: what the request says; its keys point into the request
 * @tb: attributes inside, for pointing at
 * @ts: memory of the selectors, or NULL
 *
 * esptun_netlink_parse_sa_end() frees it.
 */
struct esptun_sa_request {
	struct esptun_sa_params p;
	struct nlattr *tb[ESPTUN_SA_A_MAX + 1];
	struct esptun_ts *ts;
};

/**
 * struct esptun_ike_request - the "ike" attribute of a request
 * @local: source, no address if not given
 * @remote: destination
 * @data: the IKE message, inside the request
 * @len: octets
 */
struct esptun_ike_request {
	struct esptun_endpoint local;
	struct esptun_endpoint remote;
	const void *data;
	unsigned int len;
};

/**
 * esptun_netlink_parse_peer - read the "peer" attribute
 * @info: request
 * @params: result; params->present says what was there
 * @request: ESPTUN_REQ_*, one of them
 *
 * Return: 0, -EINVAL or -EAFNOSUPPORT.
 */
int esptun_netlink_parse_peer(struct genl_info *info,
			      struct esptun_peer_params *params, u8 request);

/**
 * esptun_netlink_parse_sa - read the "sa" attribute
 * @info: request
 * @req: result, to be ended on success
 * @request: ESPTUN_REQ_*, one of them
 *
 * May sleep. Return: 0, -EINVAL, -E2BIG or -ENOMEM.
 */
int esptun_netlink_parse_sa(struct genl_info *info,
			    struct esptun_sa_request *req, u8 request);

void esptun_netlink_parse_sa_end(struct esptun_sa_request *req);

/* Read the "ike" attribute. Return: 0, -EINVAL or -EAFNOSUPPORT. */
int esptun_netlink_parse_ike(struct genl_info *info,
			     struct esptun_ike_request *req);

/* ---- writing ---- */

/*
 * Each of these appends one attribute to a message and returns 0, or
 * -EMSGSIZE; then the caller cancels the message.
 */

/* Where the link is now, as @receiver, the reader's netns, sees it. Any context. */
int esptun_netlink_put_link(struct sk_buff *msg, const struct esptun_link *link,
			    struct net *receiver);

/*
 * All about a peer. en->lock held; process context. @identity: that, too; it
 * has no place in events, which everybody may hear on older kernels.
 */
int esptun_netlink_put_peer(struct sk_buff *msg, struct esptun_peer *peer,
			    bool identity);

/* Id and endpoints. RCU read side. */
int esptun_netlink_put_peer_brief(struct sk_buff *msg,
				  struct esptun_peer *peer);

/* All about an SA. en->lock held. @keys: the key too. */
int esptun_netlink_put_sa(struct sk_buff *msg, struct esptun_sa *sa, bool keys);

/* Direction, SPI, peer and state. RCU read side. */
int esptun_netlink_put_sa_brief(struct sk_buff *msg,
				const struct esptun_sa *sa);

/* Upper bound of what esptun_netlink_put_sa() and a message header need. */
size_t esptun_netlink_sa_size(const struct esptun_sa *sa);

/* Upper bound for any other message of this family but ike-recv. */
#define ESPTUN_NETLINK_SIZE 1536

int esptun_netlink_put_stats(struct sk_buff *msg,
			     struct esptun_stats __percpu *stats);

/* @cpu: that sent it and has no SA, NULL if no CPU has. */
int esptun_netlink_put_flow(struct sk_buff *msg, const struct esptun_flow *flow,
			    const unsigned int *cpu);

/* An IKE datagram: @len octets of @skb from @offset on. Softirq. */
int esptun_netlink_put_ike(struct sk_buff *msg,
			   const struct esptun_endpoint *local,
			   const struct esptun_endpoint *remote,
			   const struct sk_buff *skb, unsigned int offset,
			   unsigned int len);

/*
 * What that needs beside the datagram. Not more than it needs: the agent's socket
 * holds as many datagrams as their memory allows.
 */
unsigned int esptun_netlink_ike_size(const struct esptun_endpoint *local,
				     const struct esptun_endpoint *remote);

/* ---- messages ---- */

struct netlink_callback;

/**
 * struct esptun_receiver - to whom a message goes, and in answer to what
 * @net: its netns
 * @portid: its netlink port ID
 * @seq: of the request
 * @flags: NLM_F_*
 * @cb: the dump it is part of, or NULL
 */
struct esptun_receiver {
	struct net *net;
	u32 portid;
	u32 seq;
	int flags;
	struct netlink_callback *cb;
};

/* A message about @link, or about what belongs to none; NULL if @msg is full. */
void *esptun_netlink_begin(struct sk_buff *msg,
			   const struct esptun_receiver *to, u8 cmd,
			   const struct esptun_link *link);

/* @err: of what was put since. Return: @err; then the message is taken back. */
int esptun_netlink_end(struct sk_buff *msg, void *hdr, int err);

/* A whole message. en->lock held; process context. Return: 0 or -EMSGSIZE. */
int esptun_netlink_fill_peer(struct sk_buff *msg,
			     const struct esptun_receiver *to,
			     struct esptun_peer *peer);
int esptun_netlink_fill_sa(struct sk_buff *msg,
			   const struct esptun_receiver *to, u8 cmd,
			   struct esptun_sa *sa, bool keys);

#endif /* ESPTUN_NETLINK_OBJECT_H */
