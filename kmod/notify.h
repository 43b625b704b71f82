/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Facts the data path and the objects report; netlink.c tells user space.
 * Kept apart from netlink.h so that dependencies point down.
 */
#ifndef ESPTUN_NOTIFY_H
#define ESPTUN_NOTIFY_H

#include <linux/types.h>
#include <linux/esptun.h>

struct esptun_endpoint;
struct esptun_flow;
struct esptun_link;
struct esptun_net;
struct esptun_peer;
struct esptun_sa;
struct sk_buff;

/*
 * A packet found no outbound SA. @peer may be NULL: not known. Softirq, RCU
 * read side; must not sleep. The caller limits the rate.
 */
void esptun_notify_acquire(struct esptun_link *link, struct esptun_peer *peer,
			   const struct esptun_flow *flow);

/*
 * An SA reached a limit. @reason: enum esptun_expire_reason. Softirq, RCU read
 * side; must not sleep.
 */
void esptun_notify_expire(struct esptun_sa *sa, u8 reason);

/* The peer has a new remote endpoint. Softirq, RCU read side. */
void esptun_notify_peer_moved(struct esptun_peer *peer);

/*
 * A peer was added, changed or is about to go (@cmd: ESPTUN_CMD_PEER_NEW, _SET,
 * _DEL). Process context, en->lock held.
 */
void esptun_notify_peer(struct esptun_peer *peer, u8 cmd);

/*
 * An SA was added, changed or is about to go (@cmd: ESPTUN_CMD_SA_NEW, _SET,
 * _DEL). Never carries keys. Process context, en->lock held.
 */
void esptun_notify_sa(struct esptun_sa *sa, u8 cmd);

/**
 * esptun_notify_ike_recv - give an IKE datagram to the agent
 * @en: netns
 * @local: where it arrived
 * @remote: where it came from
 * @skb: the datagram; not consumed, not changed
 * @offset: of the IKE message in skb->data, past the non-ESP marker
 * @len: octets from there on, 1 to ESPTUN_IKE_MAX
 *
 * Softirq, RCU read side.
 * Return: 0; -ENOTCONN if no agent is bound; -ENOBUFS if its socket is full;
 * -ENOMEM.
 */
int esptun_notify_ike_recv(struct esptun_net *en,
			   const struct esptun_endpoint *local,
			   const struct esptun_endpoint *remote,
			   const struct sk_buff *skb, unsigned int offset,
			   unsigned int len);

#endif /* ESPTUN_NOTIFY_H */
