// SPDX-License-Identifier: GPL-2.0
#include <linux/errno.h>
#include <linux/srcu.h>
#include "util/event.h"

static const struct esptun_listener __rcu *listener;

/* Some events come in softirq, others sleep while they are told. */
DEFINE_STATIC_SRCU(telling);

void esptun_event_listen(const struct esptun_listener *to)
{
	rcu_assign_pointer(listener, to);
	synchronize_srcu(&telling);
}

#define TELL(event, ...)                                   \
	do {                                               \
		const struct esptun_listener *to;          \
		int index = srcu_read_lock(&telling);      \
		to = srcu_dereference(listener, &telling); \
		if (to)                                    \
			to->event(__VA_ARGS__);            \
		srcu_read_unlock(&telling, index);         \
	} while (0)

void esptun_event_acquire(struct esptun_link *link, struct esptun_peer *peer,
			  const struct esptun_flow *flow,
			  const unsigned int *cpu)
{
	TELL(acquire, link, peer, flow, cpu);
}

void esptun_event_expire(struct esptun_sa *sa, u8 reason)
{
	TELL(expire, sa, reason);
}

void esptun_event_peer_moved(struct esptun_peer *peer)
{
	TELL(peer_moved, peer);
}

void esptun_event_peer(struct esptun_peer *peer, u8 cmd)
{
	TELL(peer, peer, cmd);
}

void esptun_event_sa(struct esptun_sa *sa, u8 cmd)
{
	TELL(sa, sa, cmd);
}

int esptun_event_ike_recv(struct esptun_net *en,
			  const struct esptun_endpoint *local,
			  const struct esptun_endpoint *remote,
			  const struct sk_buff *skb, unsigned int offset,
			  unsigned int len)
{
	const struct esptun_listener *to;
	int index = srcu_read_lock(&telling);
	int err = -ENOTCONN;

	to = srcu_dereference(listener, &telling);
	if (to)
		err = to->ike_recv(en, local, remote, skb, offset, len);
	srcu_read_unlock(&telling, index);
	return err;
}
