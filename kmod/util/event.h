/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the data path and the objects report, and to whom: a listener that
 * registers. So none of them knows of netlink, which knows them all.
 */
#ifndef ESPTUN_EVENT_H
#define ESPTUN_EVENT_H

#include <linux/types.h>
#include <linux/esptun.h>

struct esptun_endpoint;
struct esptun_flow;
struct esptun_link;
struct esptun_net;
struct esptun_peer;
struct esptun_sa;
struct sk_buff;

/**
 * struct esptun_listener - what is done with events
 * @acquire: a packet found no outbound SA, or with a CPU, none of that CPU. The
 *	peer may be NULL: not known. Softirq, RCU read side; must not sleep. The
 *	caller limits the rate
 * @expire: an SA reached a limit, which one says enum esptun_expire_reason.
 *	Softirq, RCU read side; must not sleep
 * @peer_moved: the peer has a new remote endpoint. Softirq, RCU read side; or
 *	process context, en->lock held. Must not sleep
 * @peer: a peer was added, changed or is about to go (ESPTUN_CMD_PEER_NEW, _SET,
 *	_DEL). Process context, en->lock held
 * @sa: an SA was added, changed or is about to go (ESPTUN_CMD_SA_NEW, _SET, _DEL).
 *	Process context, en->lock held
 * @ike_recv: an IKE datagram came, see esptun_event_ike_recv()
 */
struct esptun_listener {
	void (*acquire)(struct esptun_link *link, struct esptun_peer *peer,
			const struct esptun_flow *flow,
			const unsigned int *cpu);
	void (*expire)(struct esptun_sa *sa, u8 reason);
	void (*peer_moved)(struct esptun_peer *peer);
	void (*peer)(struct esptun_peer *peer, u8 cmd);
	void (*sa)(struct esptun_sa *sa, u8 cmd);
	int (*ike_recv)(struct esptun_net *en,
			const struct esptun_endpoint *local,
			const struct esptun_endpoint *remote,
			const struct sk_buff *skb, unsigned int offset,
			unsigned int len);
};

/**
 * esptun_event_listen - take all events from now on
 * @listener: the one there is; NULL for none. Then the last one is no longer
 *	called on return
 *
 * May sleep.
 */
void esptun_event_listen(const struct esptun_listener *listener);

/* Events: in the contexts that struct esptun_listener names. */
void esptun_event_acquire(struct esptun_link *link, struct esptun_peer *peer,
			  const struct esptun_flow *flow,
			  const unsigned int *cpu);
void esptun_event_expire(struct esptun_sa *sa, u8 reason);
void esptun_event_peer_moved(struct esptun_peer *peer);
void esptun_event_peer(struct esptun_peer *peer, u8 cmd);
void esptun_event_sa(struct esptun_sa *sa, u8 cmd);

/**
 * esptun_event_ike_recv - give an IKE datagram to the agent
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
int esptun_event_ike_recv(struct esptun_net *en,
			  const struct esptun_endpoint *local,
			  const struct esptun_endpoint *remote,
			  const struct sk_buff *skb, unsigned int offset,
			  unsigned int len);

#endif /* ESPTUN_EVENT_H */
