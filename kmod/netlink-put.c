// SPDX-License-Identifier: GPL-2.0
#include "netlink-put.h"

#include <linux/net_namespace.h>
#include <net/netlink.h>
#include "link.h"
#include "peer.h"
#include "sa.h"
#include "timer.h"

static int put_u64(struct sk_buff *msg, int type, u64 value, int pad)
{
	return nla_put_u64_64bit(msg, type, value, pad);
}

int esptun_netlink_put_link(struct sk_buff *msg, const struct esptun_link *link,
			    struct net *receiver)
{
	const struct net_device *dev = link->dev;
	int nsid = NETNSA_NSID_NOT_ASSIGNED;
	char name[IFNAMSIZ];
	struct net *net;
	bool here;

	rcu_read_lock();
	net = dev_net(dev);
	here = net_eq(net, receiver);
	if (!here)
		nsid = peernet2id(receiver, net);
	rcu_read_unlock();
	/* Another one may come while it is copied. */
	strscpy(name, dev->name, sizeof(name));
	if (nla_put_u32(msg, ESPTUN_A_IFINDEX, READ_ONCE(dev->ifindex)) ||
	    nla_put_string(msg, ESPTUN_A_IFNAME, name) ||
	    (!here && nla_put_s32(msg, ESPTUN_A_NETNSID, nsid)))
		return -EMSGSIZE;
	return 0;
}

/* ---- peers --------------------------------------------------------------- */

static int put_peer_config(struct sk_buff *msg, struct esptun_peer *peer)
{
	struct esptun_peer_params p;

	esptun_peer_params_get(peer, &p);
	if (nla_put_u32(msg, ESPTUN_PEER_A_ID, peer->id))
		return -EMSGSIZE;
	if (esptun_addr_put(msg, ESPTUN_PEER_A_REMOTE_ADDRESS,
			    &p.remote.addr) ||
	    nla_put_be16(msg, ESPTUN_PEER_A_REMOTE_PORT, p.remote.port) ||
	    esptun_addr_put(msg, ESPTUN_PEER_A_LOCAL_ADDRESS, &p.local) ||
	    esptun_addr_put(msg, ESPTUN_PEER_A_LEARNED_LOCAL_ADDRESS,
			    &p.learned))
		return -EMSGSIZE;
	if (nla_put_u32(msg, ESPTUN_PEER_A_KEEPALIVE, p.keepalive) ||
	    nla_put_u8(msg, ESPTUN_PEER_A_MAY_ROAM, p.may_roam) ||
	    nla_put_u8(msg, ESPTUN_PEER_A_ON_DEMAND, p.on_demand))
		return -EMSGSIZE;
	return 0;
}

static int put_peer_totals(struct sk_buff *msg, struct esptun_peer *peer)
{
	const int pad = ESPTUN_PEER_A_PAD;
	struct esptun_peer_totals t;

	esptun_peer_totals_get(peer, &t);
	if (put_u64(msg, ESPTUN_PEER_A_RX_PACKETS, t.rx_packets, pad) ||
	    put_u64(msg, ESPTUN_PEER_A_RX_BYTES, t.rx_bytes, pad) ||
	    put_u64(msg, ESPTUN_PEER_A_TX_PACKETS, t.tx_packets, pad) ||
	    put_u64(msg, ESPTUN_PEER_A_TX_BYTES, t.tx_bytes, pad) ||
	    put_u64(msg, ESPTUN_PEER_A_KEEPALIVES, t.keepalives, pad))
		return -EMSGSIZE;
	if (READ_ONCE(peer->received) &&
	    put_u64(msg, ESPTUN_PEER_A_LAST_RX,
		    esptun_timer_ms(READ_ONCE(peer->last_rx), jiffies), pad))
		return -EMSGSIZE;
	if (READ_ONCE(peer->sent) &&
	    put_u64(msg, ESPTUN_PEER_A_LAST_TX,
		    esptun_timer_ms(READ_ONCE(peer->last_tx), jiffies), pad))
		return -EMSGSIZE;
	return 0;
}

int esptun_netlink_put_peer(struct sk_buff *msg, struct esptun_peer *peer,
			    bool identity)
{
	unsigned int mtu = esptun_peer_mtu(peer, true);
	struct nlattr *nest;

	nest = nla_nest_start(msg, ESPTUN_A_PEER);
	if (!nest || put_peer_config(msg, peer) || put_peer_totals(msg, peer))
		return -EMSGSIZE;
	if (mtu && nla_put_u32(msg, ESPTUN_PEER_A_MTU, mtu))
		return -EMSGSIZE;
	if (identity && peer->identity &&
	    nla_put(msg, ESPTUN_PEER_A_IDENTITY, peer->identity_len,
		    peer->identity))
		return -EMSGSIZE;
	nla_nest_end(msg, nest);
	return 0;
}

int esptun_netlink_put_peer_brief(struct sk_buff *msg, struct esptun_peer *peer)
{
	struct nlattr *nest = nla_nest_start(msg, ESPTUN_A_PEER);

	if (!nest || put_peer_config(msg, peer))
		return -EMSGSIZE;
	nla_nest_end(msg, nest);
	return 0;
}

/* ---- SAs ----------------------------------------------------------------- */

static int put_ts(struct sk_buff *msg, int type, const struct esptun_ts *ts)
{
	struct nlattr *nest = nla_nest_start(msg, type);
	int len = ts->family == AF_INET ? sizeof(struct in_addr) :
					  sizeof(struct in6_addr);

	if (!nest || nla_put(msg, ESPTUN_TS_A_ADDRESS, len, &ts->addr) ||
	    nla_put_u8(msg, ESPTUN_TS_A_PREFIX_LEN, ts->plen) ||
	    nla_put_u8(msg, ESPTUN_TS_A_PROTOCOL, ts->proto))
		return -EMSGSIZE;
	if (!ts->any_port &&
	    (nla_put_be16(msg, ESPTUN_TS_A_PORT_START, htons(ts->port_lo)) ||
	     nla_put_be16(msg, ESPTUN_TS_A_PORT_END, htons(ts->port_hi))))
		return -EMSGSIZE;
	nla_nest_end(msg, nest);
	return 0;
}

static int put_all_ts(struct sk_buff *msg, int type, const struct esptun_ts *ts,
		      unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		if (put_ts(msg, type, &ts[i]))
			return -EMSGSIZE;
	return 0;
}

static int put_sa_selectors(struct sk_buff *msg, const struct esptun_sa *sa)
{
	const struct esptun_ts_set *set = esptun_sa_ts(sa);

	if (!set)
		return 0;
	if (put_all_ts(msg, ESPTUN_SA_A_TS_LOCAL, esptun_ts_set_local(set),
		       set->n_local))
		return -EMSGSIZE;
	return put_all_ts(msg, ESPTUN_SA_A_TS_REMOTE, esptun_ts_set_remote(set),
			  set->n_remote);
}

static int put_sa_name(struct sk_buff *msg, const struct esptun_sa *sa)
{
	if (nla_put_be32(msg, ESPTUN_SA_A_SPI, sa->spi) ||
	    nla_put_u8(msg, ESPTUN_SA_A_DIR, sa->dir) ||
	    nla_put_u32(msg, ESPTUN_SA_A_PEER, sa->peer->id) ||
	    nla_put_u8(msg, ESPTUN_SA_A_STATE, READ_ONCE(sa->state)))
		return -EMSGSIZE;
	return 0;
}

static int put_sa_crypto(struct sk_buff *msg, const struct esptun_sa *sa,
			 bool keys)
{
	/* A larval SA is a reserved SPI and nothing else. */
	if (!sa->aead.alg)
		return 0;
	if (nla_put_u8(msg, ESPTUN_SA_A_MODE, sa->mode) ||
	    nla_put_u16(msg, ESPTUN_SA_A_ENCR, sa->aead.alg->encr) ||
	    nla_put_u16(msg, ESPTUN_SA_A_KEY_LEN, sa->key_len) ||
	    nla_put_u8(msg, ESPTUN_SA_A_ESN, sa->esn) ||
	    nla_put_string(msg, ESPTUN_SA_A_DRIVER,
			   esptun_aead_driver(&sa->aead)))
		return -EMSGSIZE;
	if (sa->dir == ESPTUN_SA_DIR_IN &&
	    nla_put_u32(msg, ESPTUN_SA_A_REPLAY_WINDOW, sa->replay.window))
		return -EMSGSIZE;
	if (keys && nla_put(msg, ESPTUN_SA_A_ENCR_KEY, sa->key_len, sa->key))
		return -EMSGSIZE;
	return 0;
}

static int put_limit(struct sk_buff *msg, int type, u64 limit)
{
	return limit ? put_u64(msg, type, limit, ESPTUN_SA_A_PAD) : 0;
}

static int put_sa_usage(struct sk_buff *msg, struct esptun_sa *sa)
{
	const struct esptun_limits *l = &sa->limits;
	const int pad = ESPTUN_SA_A_PAD;
	u64 packets = atomic64_read(&sa->packets);

	if (put_limit(msg, ESPTUN_SA_A_SOFT_BYTES, l->soft[ESPTUN_BYTES]) ||
	    put_limit(msg, ESPTUN_SA_A_HARD_BYTES, l->hard[ESPTUN_BYTES]) ||
	    put_limit(msg, ESPTUN_SA_A_SOFT_PACKETS, l->soft[ESPTUN_PACKETS]) ||
	    put_limit(msg, ESPTUN_SA_A_HARD_PACKETS, l->hard[ESPTUN_PACKETS]) ||
	    put_u64(msg, ESPTUN_SA_A_SEQ, esptun_sa_seq(sa), pad) ||
	    put_u64(msg, ESPTUN_SA_A_PACKETS, packets, pad) ||
	    put_u64(msg, ESPTUN_SA_A_BYTES, atomic64_read(&sa->bytes), pad) ||
	    put_u64(msg, ESPTUN_SA_A_AGE, esptun_timer_ms(sa->created, jiffies),
		    pad))
		return -EMSGSIZE;
	if (packets &&
	    put_u64(msg, ESPTUN_SA_A_LAST_USED,
		    esptun_timer_ms(READ_ONCE(sa->last_used), jiffies), pad))
		return -EMSGSIZE;
	return 0;
}

static int put_sa_counters(struct sk_buff *msg, struct esptun_sa *sa)
{
	struct nlattr *nest = nla_nest_start(msg, ESPTUN_SA_A_STATS);
	const atomic_t *counter;
	unsigned int id;

	if (!nest)
		return -EMSGSIZE;
	for (id = ESPTUN_STATS_FIRST; id < ESPTUN_STATS_NUM; id++) {
		counter = esptun_sa_counter(sa, id);
		if (counter && put_u64(msg, id, (u32)atomic_read(counter),
				       ESPTUN_STATS_A_PAD))
			return -EMSGSIZE;
	}
	nla_nest_end(msg, nest);
	return 0;
}

int esptun_netlink_put_sa(struct sk_buff *msg, struct esptun_sa *sa, bool keys)
{
	struct nlattr *nest = nla_nest_start(msg, ESPTUN_A_SA);

	if (!nest || put_sa_name(msg, sa) || put_sa_crypto(msg, sa, keys) ||
	    put_sa_usage(msg, sa) || put_sa_counters(msg, sa) ||
	    put_sa_selectors(msg, sa))
		return -EMSGSIZE;
	nla_nest_end(msg, nest);
	return 0;
}

int esptun_netlink_put_sa_brief(struct sk_buff *msg, const struct esptun_sa *sa)
{
	struct nlattr *nest = nla_nest_start(msg, ESPTUN_A_SA);

	if (!nest || put_sa_name(msg, sa))
		return -EMSGSIZE;
	nla_nest_end(msg, nest);
	return 0;
}

size_t esptun_netlink_sa_size(const struct esptun_sa *sa)
{
	const struct esptun_ts_set *set = esptun_sa_ts(sa);
	unsigned int n = set ? set->n_local + set->n_remote : 0;
	size_t ts = nla_total_size(0) +
		    nla_total_size(sizeof(struct in6_addr)) +
		    4 * nla_total_size(sizeof(u16));

	return ESPTUN_NETLINK_SIZE + n * ts;
}

/* ---- the rest ------------------------------------------------------------ */

int esptun_netlink_put_stats(struct sk_buff *msg,
			     struct esptun_stats __percpu *stats)
{
	struct nlattr *nest = nla_nest_start(msg, ESPTUN_A_STATS);
	u64 sum[ESPTUN_STATS_NUM];
	unsigned int id;

	if (!nest)
		return -EMSGSIZE;
	esptun_stats_sum(stats, sum);
	for (id = ESPTUN_STATS_FIRST; id < ESPTUN_STATS_NUM; id++) {
		if (put_u64(msg, id, sum[id], ESPTUN_STATS_A_PAD))
			return -EMSGSIZE;
	}
	nla_nest_end(msg, nest);
	return 0;
}

int esptun_netlink_put_flow(struct sk_buff *msg, const struct esptun_flow *flow)
{
	struct nlattr *nest = nla_nest_start(msg, ESPTUN_A_FLOW);
	int len = flow->family == AF_INET ? sizeof(struct in_addr) :
					    sizeof(struct in6_addr);

	if (!nest || nla_put(msg, ESPTUN_FLOW_A_SOURCE, len, &flow->src) ||
	    nla_put(msg, ESPTUN_FLOW_A_DESTINATION, len, &flow->dst) ||
	    nla_put_u8(msg, ESPTUN_FLOW_A_PROTOCOL, flow->proto))
		return -EMSGSIZE;
	if (flow->ports_valid &&
	    (nla_put_be16(msg, ESPTUN_FLOW_A_SOURCE_PORT, htons(flow->sport)) ||
	     nla_put_be16(msg, ESPTUN_FLOW_A_DESTINATION_PORT,
			  htons(flow->dport))))
		return -EMSGSIZE;
	nla_nest_end(msg, nest);
	return 0;
}
