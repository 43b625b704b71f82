// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Structs to netlink messages and back. Pure over buffers: no socket, no
 * clock. Decoders take the kernel's bytes as hostile all the same: every
 * length and enum is checked before use.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include "lib/internal.h"

/* ----------------------------------------------------------------- encoding */

/* libnl fails a put only when the message is full */
static int put(struct nl_msg *msg, int type, const void *data, size_t len)
{
	return nla_put(msg, type, (int)len, data) < 0 ? -EMSGSIZE : 0;
}

static int put_u8(struct nl_msg *msg, int type, uint8_t v)
{
	return put(msg, type, &v, sizeof(v));
}

static int put_u16(struct nl_msg *msg, int type, uint16_t v)
{
	return put(msg, type, &v, sizeof(v));
}

static int put_be16(struct nl_msg *msg, int type, uint16_t v)
{
	return put_u16(msg, type, htons(v));
}

static int put_u32(struct nl_msg *msg, int type, uint32_t v)
{
	return put(msg, type, &v, sizeof(v));
}

static int put_be32(struct nl_msg *msg, int type, uint32_t v)
{
	return put_u32(msg, type, htonl(v));
}

static int put_u64(struct nl_msg *msg, int type, uint64_t v)
{
	return put(msg, type, &v, sizeof(v));
}

static int put_addr(struct nl_msg *msg, int type, const struct esptun_addr *a)
{
	size_t len = esptun_addr_len(a);

	if (!len)
		return -EINVAL;
	return put(msg, type, a->bytes, len);
}

/* Close a nest, passing the first error on. */
static int nest_end(struct nl_msg *msg, struct nlattr *nest, int err)
{
	if (err)
		return err;
	return nla_nest_end(msg, nest) < 0 ? -EMSGSIZE : 0;
}

static int put_peer(struct nl_msg *msg, const struct esptun_peer *p)
{
	int err = put_u32(msg, ESPTUN_PEER_A_ID, p->id);

	if (!err && (p->has & ESPTUN_PEER_HAS_REMOTE))
		err = put_addr(msg, ESPTUN_PEER_A_REMOTE_ADDRESS, &p->remote.addr);
	if (!err && (p->has & ESPTUN_PEER_HAS_PORT))
		err = put_be16(msg, ESPTUN_PEER_A_REMOTE_PORT, p->remote.port);
	if (!err && (p->has & ESPTUN_PEER_HAS_LOCAL))
		err = put_addr(msg, ESPTUN_PEER_A_LOCAL_ADDRESS, &p->local);
	if (!err && (p->has & ESPTUN_PEER_HAS_KEEPALIVE))
		err = put_u32(msg, ESPTUN_PEER_A_KEEPALIVE, p->keepalive);
	if (!err && (p->has & ESPTUN_PEER_HAS_MAY_ROAM))
		err = put_u8(msg, ESPTUN_PEER_A_MAY_ROAM, p->may_roam);
	if (!err && (p->has & ESPTUN_PEER_HAS_ON_DEMAND))
		err = put_u8(msg, ESPTUN_PEER_A_ON_DEMAND, p->on_demand);
	if (!err && (p->has & ESPTUN_PEER_HAS_ENCAP))
		err = put_u8(msg, ESPTUN_PEER_A_ENCAP, p->encap);
	if (!err && (p->has & ESPTUN_PEER_HAS_TOS))
		err = put_u16(msg, ESPTUN_PEER_A_TOS, p->tos);
	if (!err && (p->has & ESPTUN_PEER_HAS_TTL))
		err = put_u16(msg, ESPTUN_PEER_A_TTL, p->ttl);
	if (!err && (p->has & ESPTUN_PEER_HAS_DF))
		err = put_u16(msg, ESPTUN_PEER_A_DF, p->df);
	if (!err && (p->has & ESPTUN_PEER_HAS_FLOW_LABEL))
		err = put_u16(msg, ESPTUN_PEER_A_FLOW_LABEL, p->flow_label);
	if (!err && (p->has & ESPTUN_PEER_HAS_ZERO_CSUM6_TX))
		err = put_u8(msg, ESPTUN_PEER_A_UDP_ZERO_CSUM6_TX, p->zero_csum6_tx);
	if (!err && (p->has & ESPTUN_PEER_HAS_ZERO_CSUM6_RX))
		err = put_u8(msg, ESPTUN_PEER_A_UDP_ZERO_CSUM6_RX, p->zero_csum6_rx);
	if (!err && p->identity_len > sizeof(p->identity))
		err = -EINVAL;
	if (!err && p->identity_len)
		err = put(msg, ESPTUN_PEER_A_IDENTITY, p->identity, p->identity_len);
	return err;
}

int esptun_peer_encode(struct nl_msg *msg, const struct esptun_peer *peer)
{
	struct nlattr *nest = nla_nest_start(msg, ESPTUN_A_PEER);

	return nest ? nest_end(msg, nest, put_peer(msg, peer)) : -EMSGSIZE;
}

int esptun_peer_encode_id(struct nl_msg *msg, uint32_t id)
{
	struct esptun_peer peer = { .id = id };

	return esptun_peer_encode(msg, &peer);
}

static int put_ts(struct nl_msg *msg, int type, const struct esptun_ts *ts)
{
	struct nlattr *nest = nla_nest_start(msg, type);
	int err;

	if (!nest)
		return -EMSGSIZE;
	err = put_addr(msg, ESPTUN_TS_A_ADDRESS, &ts->addr);
	if (!err)
		err = put_u8(msg, ESPTUN_TS_A_PREFIX_LEN, ts->prefix_len);
	if (!err && ts->protocol)
		err = put_u8(msg, ESPTUN_TS_A_PROTOCOL, ts->protocol);
	if (!err && (ts->port_start != 0 || ts->port_end != UINT16_MAX)) {
		err = put_be16(msg, ESPTUN_TS_A_PORT_START, ts->port_start);
		if (!err)
			err = put_be16(msg, ESPTUN_TS_A_PORT_END, ts->port_end);
	}
	return nest_end(msg, nest, err);
}

static int put_all_ts(struct nl_msg *msg, const struct esptun_sa *sa)
{
	size_t i;
	int err = 0;

	if (sa->n_ts_local > ESPTUN_TS_MAX || sa->n_ts_remote > ESPTUN_TS_MAX)
		return -EINVAL;
	for (i = 0; !err && i < sa->n_ts_local; i++)
		err = put_ts(msg, ESPTUN_SA_A_TS_LOCAL, &sa->ts_local[i]);
	for (i = 0; !err && i < sa->n_ts_remote; i++)
		err = put_ts(msg, ESPTUN_SA_A_TS_REMOTE, &sa->ts_remote[i]);
	return err;
}

static int put_limits(struct nl_msg *msg, const struct esptun_sa *sa)
{
	const struct esptun_limit *l;
	int err = 0;

	for (l = esptun_limits(); !err && l->name; l++)
		if (sa->has & l->has)
			err = put_u64(msg, l->attr, esptun_limit_get(sa, l));
	return err;
}

static int put_sa_id(struct nl_msg *msg, enum esptun_sa_dir dir, uint32_t spi, uint32_t peer)
{
	int err = put_be32(msg, ESPTUN_SA_A_SPI, spi);

	if (!err)
		err = put_u8(msg, ESPTUN_SA_A_DIR, dir);
	if (!err && peer)
		err = put_u32(msg, ESPTUN_SA_A_PEER, peer);
	return err;
}

static int put_sa_keys(struct nl_msg *msg, const struct esptun_sa *sa)
{
	int err;

	if (sa->key_len > sizeof(sa->key) || sa->integ_key_len > sizeof(sa->integ_key))
		return -EINVAL;
	err = put_u16(msg, ESPTUN_SA_A_ENCR, sa->encr);
	if (!err)
		err = put(msg, ESPTUN_SA_A_ENCR_KEY, sa->key, sa->key_len);
	if (!err && sa->integ)
		err = put_u16(msg, ESPTUN_SA_A_INTEG, sa->integ);
	if (!err && sa->integ_key_len)
		err = put(msg, ESPTUN_SA_A_INTEG_KEY, sa->integ_key, sa->integ_key_len);
	return err;
}

static int put_tfc(struct nl_msg *msg, const struct esptun_sa *sa)
{
	int err = 0;

	if (sa->has & ESPTUN_SA_HAS_TFC)
		err = put_u32(msg, ESPTUN_SA_A_TFC, sa->tfc);
	if (!err && (sa->has & ESPTUN_SA_HAS_DUMMY))
		err = put_u32(msg, ESPTUN_SA_A_DUMMY, sa->dummy);
	return err;
}

static int put_nat_oa(struct nl_msg *msg, const struct esptun_sa *sa)
{
	int err;

	if (!(sa->has & ESPTUN_SA_HAS_NAT_OA))
		return 0;
	err = put_addr(msg, ESPTUN_SA_A_NAT_OA_LOCAL, &sa->nat_oa_local);
	return err ? err : put_addr(msg, ESPTUN_SA_A_NAT_OA_REMOTE, &sa->nat_oa_remote);
}

static int put_sa(struct nl_msg *msg, const struct esptun_sa *sa)
{
	int err = put_sa_id(msg, sa->dir, sa->spi, sa->peer);
	if (!err)
		err = put_u8(msg, ESPTUN_SA_A_MODE, sa->mode);
	if (!err)
		err = put_sa_keys(msg, sa);
	if (!err)
		err = put_u8(msg, ESPTUN_SA_A_ESN, sa->esn);
	if (!err && (sa->has & ESPTUN_SA_HAS_REPLAY_WINDOW))
		err = put_u32(msg, ESPTUN_SA_A_REPLAY_WINDOW, sa->replay_window);
	if (!err && (sa->has & ESPTUN_SA_HAS_SEQ))
		err = put_u64(msg, ESPTUN_SA_A_SEQ, sa->seq);
	if (!err && (sa->has & ESPTUN_SA_HAS_CPU))
		err = put_u32(msg, ESPTUN_SA_A_CPU, sa->cpu);
	if (!err)
		err = put_nat_oa(msg, sa);
	if (!err)
		err = put_tfc(msg, sa);
	if (!err)
		err = put_all_ts(msg, sa);
	return err ? err : put_limits(msg, sa);
}

int esptun_sa_encode(struct nl_msg *msg, const struct esptun_sa *sa)
{
	struct nlattr *nest = nla_nest_start(msg, ESPTUN_A_SA);

	return nest ? nest_end(msg, nest, put_sa(msg, sa)) : -EMSGSIZE;
}

int esptun_sa_encode_changes(struct nl_msg *msg, const struct esptun_sa *sa)
{
	struct nlattr *nest = nla_nest_start(msg, ESPTUN_A_SA);
	int err;

	if (!nest)
		return -EMSGSIZE;
	err = put_sa_id(msg, sa->dir, sa->spi, sa->peer);
	if (!err)
		err = put_tfc(msg, sa);
	if (!err)
		err = put_all_ts(msg, sa);
	return nest_end(msg, nest, err ? err : put_limits(msg, sa));
}

int esptun_sa_encode_id(struct nl_msg *msg, enum esptun_sa_dir dir, uint32_t spi, uint32_t peer)
{
	struct nlattr *nest = nla_nest_start(msg, ESPTUN_A_SA);

	if (!nest)
		return -EMSGSIZE;
	return nest_end(msg, nest, put_sa_id(msg, dir, spi, peer));
}

int esptun_sa_encode_peer(struct nl_msg *msg, uint32_t peer)
{
	struct nlattr *nest = nla_nest_start(msg, ESPTUN_A_SA);

	if (!nest)
		return -EMSGSIZE;
	return nest_end(msg, nest, put_u32(msg, ESPTUN_SA_A_PEER, peer));
}

static int put_ike(struct nl_msg *msg, const struct esptun_ike *ike)
{
	int err = 0;

	if (!ike->len || ike->len > ESPTUN_IKE_MAX)
		return -EINVAL;
	if (ike->local.addr.family)
		err = put_addr(msg, ESPTUN_IKE_A_LOCAL_ADDRESS, &ike->local.addr);
	if (!err)
		err = put_addr(msg, ESPTUN_IKE_A_REMOTE_ADDRESS, &ike->remote.addr);
	if (!err)
		err = put_be16(msg, ESPTUN_IKE_A_REMOTE_PORT, ike->remote.port);
	return err ? err : put(msg, ESPTUN_IKE_A_DATA, ike->data, ike->len);
}

int esptun_ike_encode(struct nl_msg *msg, const struct esptun_ike *ike)
{
	struct nlattr *nest = nla_nest_start(msg, ESPTUN_A_IKE);

	return nest ? nest_end(msg, nest, put_ike(msg, ike)) : -EMSGSIZE;
}

/* 0.0.0.0 for none. */
static int put_local(struct nl_msg *msg, const struct esptun_addr *local)
{
	const uint32_t any = INADDR_ANY;

	return local->family ? put_addr(msg, IFLA_ESPTUN_LOCAL, local)
			     : put(msg, IFLA_ESPTUN_LOCAL, &any, sizeof(any));
}

static int put_link_data(struct nl_msg *msg, const struct esptun_link *l)
{
	int err = 0;

	if (l->has & ESPTUN_LINK_HAS_LOCAL)
		err = put_local(msg, &l->local);
	if (!err && (l->has & ESPTUN_LINK_HAS_PORT))
		err = put_be16(msg, IFLA_ESPTUN_PORT, l->port);
	if (!err && (l->has & ESPTUN_LINK_HAS_FWMARK))
		err = put_u32(msg, IFLA_ESPTUN_FWMARK, l->fwmark);
	if (!err && (l->has & ESPTUN_LINK_HAS_TOS))
		err = put_u8(msg, IFLA_ESPTUN_TOS, l->tos);
	if (!err && (l->has & ESPTUN_LINK_HAS_TTL))
		err = put_u8(msg, IFLA_ESPTUN_TTL, l->ttl);
	if (!err && (l->has & ESPTUN_LINK_HAS_DEV))
		err = put_u32(msg, IFLA_ESPTUN_DEV, l->dev);
	return err;
}

static int put_linkinfo(struct nl_msg *msg, const struct esptun_link *l)
{
	struct nlattr *data;
	int err = put(msg, IFLA_INFO_KIND, ESPTUN_GENL_NAME, sizeof(ESPTUN_GENL_NAME));

	if (err)
		return err;
	data = nla_nest_start(msg, IFLA_INFO_DATA);
	return data ? nest_end(msg, data, put_link_data(msg, l)) : -EMSGSIZE;
}

int esptun_link_encode(struct nl_msg *msg, const struct esptun_link *link)
{
	struct nlattr *info;
	int err = 0;

	if (link->name[0])
		err = put(msg, IFLA_IFNAME, link->name,
			  strnlen(link->name, sizeof(link->name) - 1) + 1);
	if (!err && (link->has & ESPTUN_LINK_HAS_MTU))
		err = put_u32(msg, IFLA_MTU, link->mtu);
	if (err)
		return err;
	info = nla_nest_start(msg, IFLA_LINKINFO);
	return info ? nest_end(msg, info, put_linkinfo(msg, link)) : -EMSGSIZE;
}

/* ----------------------------------------------------------------- decoding */

static int parse(struct nlattr *tb[], const struct attr_set *set, const void *head, size_t len)
{
	if (nla_parse(tb, set->max, (struct nlattr *)head, (int)len, set->policy) < 0)
		return -EBADMSG;
	return 0;
}

static int parse_nest(struct nlattr *tb[], const struct attr_set *set, const struct nlattr *nest)
{
	if (!nest)
		return -EBADMSG;
	return parse(tb, set, nla_data(nest), (size_t)nla_len(nest));
}

/* Attributes of a genl message, and its command. */
static int parse_genl(const struct nlmsghdr *nlh, size_t len, struct nlattr *tb[], uint8_t *cmd)
{
	const struct genlmsghdr *g = (const void *)((const char *)nlh + NLMSG_HDRLEN);
	const size_t hdr = NLMSG_HDRLEN + GENL_HDRLEN;

	if (len < NLMSG_HDRLEN || nlh->nlmsg_len > len || nlh->nlmsg_len < hdr)
		return -EBADMSG;
	*cmd = g->cmd;
	return parse(tb, &esptun_attrs_esptun, (const char *)nlh + hdr, nlh->nlmsg_len - hdr);
}

static uint8_t get_u8(const struct nlattr *a)
{
	return a ? nla_get_u8((struct nlattr *)a) : 0;
}

static uint16_t get_u16(const struct nlattr *a)
{
	return a ? nla_get_u16((struct nlattr *)a) : 0;
}

static uint16_t get_be16(const struct nlattr *a)
{
	return ntohs(get_u16(a));
}

static uint32_t get_u32(const struct nlattr *a)
{
	return a ? nla_get_u32((struct nlattr *)a) : 0;
}

static uint64_t get_u64(const struct nlattr *a)
{
	return a ? nla_get_u64((struct nlattr *)a) : 0;
}

static int get_addr(const struct nlattr *a, struct esptun_addr *addr)
{
	int len;

	memset(addr, 0, sizeof(*addr));
	if (!a)
		return 0;
	len = nla_len(a);
	if (len != 4 && len != 16)
		return -EBADMSG;
	addr->family = len == 4 ? AF_INET : AF_INET6;
	memcpy(addr->bytes, nla_data(a), (size_t)len);
	return 0;
}

/* The kernel says 0.0.0.0 for none. */
static int get_local(const struct nlattr *a, struct esptun_addr *local)
{
	static const uint8_t any[sizeof(local->bytes)];
	int err = get_addr(a, local);

	if (!err && !memcmp(local->bytes, any, sizeof(any)))
		local->family = AF_UNSPEC;
	return err;
}

static unsigned int has(const struct nlattr *a, unsigned int bit)
{
	return a ? bit : 0;
}

/* The policy bounds it. */
static void get_identity(const struct nlattr *a, struct esptun_peer *p)
{
	p->identity_len = a ? (size_t)nla_len(a) : 0;
	if (a)
		memcpy(p->identity, nla_data(a), p->identity_len);
}

static int decode_peer(const struct nlattr *nest, struct esptun_peer *p)
{
	struct nlattr *tb[ESPTUN_PEER_A_MAX + 1];

	if (parse_nest(tb, &esptun_attrs_peer, nest) || !tb[ESPTUN_PEER_A_ID] ||
	    get_addr(tb[ESPTUN_PEER_A_REMOTE_ADDRESS], &p->remote.addr) ||
	    get_addr(tb[ESPTUN_PEER_A_LOCAL_ADDRESS], &p->local) ||
	    get_addr(tb[ESPTUN_PEER_A_LEARNED_LOCAL_ADDRESS], &p->learned))
		return -EBADMSG;
	p->has = has(tb[ESPTUN_PEER_A_REMOTE_ADDRESS], ESPTUN_PEER_HAS_REMOTE) |
		 has(tb[ESPTUN_PEER_A_REMOTE_PORT], ESPTUN_PEER_HAS_PORT) |
		 has(tb[ESPTUN_PEER_A_LOCAL_ADDRESS], ESPTUN_PEER_HAS_LOCAL) |
		 has(tb[ESPTUN_PEER_A_KEEPALIVE], ESPTUN_PEER_HAS_KEEPALIVE) |
		 has(tb[ESPTUN_PEER_A_MAY_ROAM], ESPTUN_PEER_HAS_MAY_ROAM) |
		 has(tb[ESPTUN_PEER_A_ON_DEMAND], ESPTUN_PEER_HAS_ON_DEMAND) |
		 has(tb[ESPTUN_PEER_A_ENCAP], ESPTUN_PEER_HAS_ENCAP) |
		 has(tb[ESPTUN_PEER_A_TOS], ESPTUN_PEER_HAS_TOS) |
		 has(tb[ESPTUN_PEER_A_TTL], ESPTUN_PEER_HAS_TTL) |
		 has(tb[ESPTUN_PEER_A_DF], ESPTUN_PEER_HAS_DF) |
		 has(tb[ESPTUN_PEER_A_FLOW_LABEL], ESPTUN_PEER_HAS_FLOW_LABEL) |
		 has(tb[ESPTUN_PEER_A_UDP_ZERO_CSUM6_TX], ESPTUN_PEER_HAS_ZERO_CSUM6_TX) |
		 has(tb[ESPTUN_PEER_A_UDP_ZERO_CSUM6_RX], ESPTUN_PEER_HAS_ZERO_CSUM6_RX) |
		 has(tb[ESPTUN_PEER_A_LAST_RX], ESPTUN_PEER_HAS_LAST_RX) |
		 has(tb[ESPTUN_PEER_A_LAST_TX], ESPTUN_PEER_HAS_LAST_TX) |
		 has(tb[ESPTUN_PEER_A_MTU], ESPTUN_PEER_HAS_MTU) |
		 has(tb[ESPTUN_PEER_A_LEARNED_LOCAL_ADDRESS], ESPTUN_PEER_HAS_LEARNED);
	p->id = get_u32(tb[ESPTUN_PEER_A_ID]);
	p->remote.port = get_be16(tb[ESPTUN_PEER_A_REMOTE_PORT]);
	p->keepalive = get_u32(tb[ESPTUN_PEER_A_KEEPALIVE]);
	p->may_roam = get_u8(tb[ESPTUN_PEER_A_MAY_ROAM]);
	p->on_demand = get_u8(tb[ESPTUN_PEER_A_ON_DEMAND]);
	p->encap = get_u8(tb[ESPTUN_PEER_A_ENCAP]);
	p->tos = get_u16(tb[ESPTUN_PEER_A_TOS]);
	p->ttl = get_u16(tb[ESPTUN_PEER_A_TTL]);
	p->df = get_u16(tb[ESPTUN_PEER_A_DF]);
	p->flow_label = get_u16(tb[ESPTUN_PEER_A_FLOW_LABEL]);
	p->zero_csum6_tx = get_u8(tb[ESPTUN_PEER_A_UDP_ZERO_CSUM6_TX]);
	p->zero_csum6_rx = get_u8(tb[ESPTUN_PEER_A_UDP_ZERO_CSUM6_RX]);
	get_identity(tb[ESPTUN_PEER_A_IDENTITY], p);
	p->rx_packets = get_u64(tb[ESPTUN_PEER_A_RX_PACKETS]);
	p->rx_bytes = get_u64(tb[ESPTUN_PEER_A_RX_BYTES]);
	p->tx_packets = get_u64(tb[ESPTUN_PEER_A_TX_PACKETS]);
	p->tx_bytes = get_u64(tb[ESPTUN_PEER_A_TX_BYTES]);
	p->last_rx = get_u64(tb[ESPTUN_PEER_A_LAST_RX]);
	p->last_tx = get_u64(tb[ESPTUN_PEER_A_LAST_TX]);
	p->keepalives = get_u64(tb[ESPTUN_PEER_A_KEEPALIVES]);
	p->mtu = get_u32(tb[ESPTUN_PEER_A_MTU]);
	return 0;
}

static int decode_ts(const struct nlattr *nest, struct esptun_ts *ts)
{
	struct nlattr *tb[ESPTUN_TS_A_MAX + 1];

	if (parse_nest(tb, &esptun_attrs_ts, nest) || !tb[ESPTUN_TS_A_ADDRESS] ||
	    get_addr(tb[ESPTUN_TS_A_ADDRESS], &ts->addr))
		return -EBADMSG;
	ts->prefix_len = get_u8(tb[ESPTUN_TS_A_PREFIX_LEN]);
	if (ts->prefix_len > 8 * esptun_addr_len(&ts->addr))
		return -EBADMSG;
	ts->protocol = get_u8(tb[ESPTUN_TS_A_PROTOCOL]);
	ts->port_start = get_be16(tb[ESPTUN_TS_A_PORT_START]);
	ts->port_end = tb[ESPTUN_TS_A_PORT_END] ? get_be16(tb[ESPTUN_TS_A_PORT_END]) : UINT16_MAX;
	return 0;
}

/* All selectors of one side, a repeated attribute of the SA nest. */
static int decode_ts_list(const struct nlattr *nest, int type, struct esptun_ts **list, size_t *n)
{
	struct nlattr *a;
	size_t i = 0;
	int rem;

	*n = 0;
	*list = NULL;
	nla_for_each_nested(a, (struct nlattr *)nest, rem)
		*n += nla_type(a) == type;
	if (!*n)
		return 0;
	if (*n > ESPTUN_TS_MAX)
		return -EBADMSG;
	*list = calloc(*n, sizeof(**list));
	if (!*list)
		return -ENOMEM;
	nla_for_each_nested(a, (struct nlattr *)nest, rem)
		if (nla_type(a) == type && decode_ts(a, &(*list)[i++]))
			return -EBADMSG;
	return 0;
}

static int decode_counters(const struct nlattr *nest, struct esptun_stats *st)
{
	struct nlattr *tb[ESPTUN_STATS_A_MAX + 1];
	unsigned int i;

	_Static_assert(ESPTUN_STATS_A_MAX < 64, "a bit of told for each counter");
	if (parse_nest(tb, &esptun_attrs_stats, nest))
		return -EBADMSG;
	for (i = 1; i <= ESPTUN_STATS_A_MAX; i++) {
		if (!esptun_stats_name(i) || !tb[i])
			continue;
		st->v[i] = get_u64(tb[i]);
		st->told |= 1ULL << i;
	}
	return 0;
}

static void decode_key(const struct nlattr *a, uint8_t *key, size_t *len)
{
	if (!a)
		return;
	*len = (size_t)nla_len(a); /* bounded by the policy */
	memcpy(key, nla_data(a), *len);
}

static int decode_sa_enums(struct nlattr *const *tb, struct esptun_sa *sa)
{
	uint8_t dir = get_u8(tb[ESPTUN_SA_A_DIR]);
	uint8_t mode = get_u8(tb[ESPTUN_SA_A_MODE]);
	uint8_t state = get_u8(tb[ESPTUN_SA_A_STATE]);

	if (dir > ESPTUN_SA_DIR_OUT || mode > ESPTUN_SA_MODE_TRANSPORT ||
	    state > ESPTUN_SA_STATE_DEAD)
		return -EBADMSG;
	sa->dir = dir;
	sa->mode = mode;
	sa->state = state;
	return 0;
}

static void decode_limits(struct nlattr *const *tb, struct esptun_sa *sa)
{
	const struct esptun_limit *l;

	for (l = esptun_limits(); l->name; l++)
		if (tb[l->attr])
			esptun_limit_set(sa, l, get_u64(tb[l->attr]));
}

static void decode_sa_numbers(struct nlattr *const *tb, struct esptun_sa *sa)
{
	sa->has = has(tb[ESPTUN_SA_A_REPLAY_WINDOW], ESPTUN_SA_HAS_REPLAY_WINDOW) |
		  has(tb[ESPTUN_SA_A_ENCR_KEY], ESPTUN_SA_HAS_KEY) |
		  has(tb[ESPTUN_SA_A_STATS], ESPTUN_SA_HAS_STATS) |
		  has(tb[ESPTUN_SA_A_LAST_USED], ESPTUN_SA_HAS_LAST_USED) |
		  has(tb[ESPTUN_SA_A_CPU], ESPTUN_SA_HAS_CPU) |
		  has(tb[ESPTUN_SA_A_TFC], ESPTUN_SA_HAS_TFC) |
		  has(tb[ESPTUN_SA_A_DUMMY], ESPTUN_SA_HAS_DUMMY) |
		  has(tb[ESPTUN_SA_A_NAT_OA_LOCAL] ? tb[ESPTUN_SA_A_NAT_OA_REMOTE] : NULL,
		      ESPTUN_SA_HAS_NAT_OA);
	sa->tfc = get_u32(tb[ESPTUN_SA_A_TFC]);
	sa->dummy = get_u32(tb[ESPTUN_SA_A_DUMMY]);
	sa->spi = ntohl(get_u32(tb[ESPTUN_SA_A_SPI]));
	sa->peer = get_u32(tb[ESPTUN_SA_A_PEER]);
	sa->encr = get_u16(tb[ESPTUN_SA_A_ENCR]);
	sa->integ = get_u16(tb[ESPTUN_SA_A_INTEG]);
	sa->esn = get_u8(tb[ESPTUN_SA_A_ESN]);
	sa->replay_window = get_u32(tb[ESPTUN_SA_A_REPLAY_WINDOW]);
	sa->seq = get_u64(tb[ESPTUN_SA_A_SEQ]);
	sa->cpu = get_u32(tb[ESPTUN_SA_A_CPU]);
	sa->packets = get_u64(tb[ESPTUN_SA_A_PACKETS]);
	sa->bytes = get_u64(tb[ESPTUN_SA_A_BYTES]);
	sa->age = get_u64(tb[ESPTUN_SA_A_AGE]);
	sa->last_used = get_u64(tb[ESPTUN_SA_A_LAST_USED]);
	decode_limits(tb, sa);
}

static int decode_sa(const struct nlattr *nest, struct esptun_sa *sa)
{
	struct nlattr *tb[ESPTUN_SA_A_MAX + 1];
	int err;

	if (parse_nest(tb, &esptun_attrs_sa, nest) || decode_sa_enums(tb, sa) ||
	    get_addr(tb[ESPTUN_SA_A_NAT_OA_LOCAL], &sa->nat_oa_local) ||
	    get_addr(tb[ESPTUN_SA_A_NAT_OA_REMOTE], &sa->nat_oa_remote))
		return -EBADMSG;
	decode_sa_numbers(tb, sa);
	sa->key_len = get_u16(tb[ESPTUN_SA_A_KEY_LEN]);
	if (sa->key_len > sizeof(sa->key))
		return -EBADMSG;
	decode_key(tb[ESPTUN_SA_A_ENCR_KEY], sa->key, &sa->key_len);
	decode_key(tb[ESPTUN_SA_A_INTEG_KEY], sa->integ_key, &sa->integ_key_len);
	if (tb[ESPTUN_SA_A_DRIVER])
		nla_strlcpy(sa->driver, tb[ESPTUN_SA_A_DRIVER], sizeof(sa->driver));
	err = tb[ESPTUN_SA_A_STATS] ? decode_counters(tb[ESPTUN_SA_A_STATS], &sa->stats) : 0;
	if (!err)
		err = decode_ts_list(nest, ESPTUN_SA_A_TS_LOCAL, &sa->ts_local, &sa->n_ts_local);
	if (!err)
		err = decode_ts_list(nest, ESPTUN_SA_A_TS_REMOTE, &sa->ts_remote, &sa->n_ts_remote);
	if (err)
		esptun_sa_clear(sa);
	return err;
}

static void decode_where(struct nlattr *const *tb, uint32_t *ifindex, struct esptun_where *where)
{
	*ifindex = get_u32(tb[ESPTUN_A_IFINDEX]);
	if (tb[ESPTUN_A_IFNAME])
		nla_strlcpy(where->ifname, tb[ESPTUN_A_IFNAME], sizeof(where->ifname));
	where->elsewhere = tb[ESPTUN_A_NETNSID];
	where->netnsid = (int32_t)get_u32(tb[ESPTUN_A_NETNSID]);
}

int esptun_peer_decode(const struct nlmsghdr *nlh, size_t len, struct esptun_peer *peer)
{
	struct nlattr *tb[ESPTUN_A_MAX + 1];
	uint8_t cmd;

	memset(peer, 0, sizeof(*peer));
	if (parse_genl(nlh, len, tb, &cmd))
		return -EBADMSG;
	if (cmd != ESPTUN_CMD_PEER_GET)
		return -ENOMSG;
	decode_where(tb, &peer->ifindex, &peer->where);
	return decode_peer(tb[ESPTUN_A_PEER], peer);
}

int esptun_sa_decode(const struct nlmsghdr *nlh, size_t len, struct esptun_sa *sa)
{
	struct nlattr *tb[ESPTUN_A_MAX + 1];
	uint8_t cmd;

	memset(sa, 0, sizeof(*sa));
	if (parse_genl(nlh, len, tb, &cmd))
		return -EBADMSG;
	if (cmd != ESPTUN_CMD_SA_GET && cmd != ESPTUN_CMD_SPI_ALLOC)
		return -ENOMSG;
	decode_where(tb, &sa->ifindex, &sa->where);
	return decode_sa(tb[ESPTUN_A_SA], sa);
}

int esptun_stats_decode(const struct nlmsghdr *nlh, size_t len, struct esptun_link_stats *stats)
{
	struct nlattr *tb[ESPTUN_A_MAX + 1];
	uint8_t cmd;

	memset(stats, 0, sizeof(*stats));
	if (parse_genl(nlh, len, tb, &cmd))
		return -EBADMSG;
	if (cmd != ESPTUN_CMD_STATS_GET)
		return -ENOMSG;
	decode_where(tb, &stats->ifindex, &stats->where);
	return decode_counters(tb[ESPTUN_A_STATS], &stats->stats);
}

/* Lengths beyond those there is room for are not known to this library either. */
static void decode_key_lens(const struct nlattr *nest, struct esptun_algo *algo)
{
	const size_t room = sizeof(algo->key_lens) / sizeof(algo->key_lens[0]);
	struct nlattr *a;
	int rem;

	nla_for_each_nested(a, (struct nlattr *)nest, rem)
		if (nla_type(a) == ESPTUN_ALGO_A_KEY_LEN && algo->n_key_lens < room)
			algo->key_lens[algo->n_key_lens++] = get_u16(a);
}

static int decode_algo(const struct nlattr *nest, struct esptun_algo *algo)
{
	struct nlattr *tb[ESPTUN_ALGO_A_MAX + 1];
	uint8_t class, state;

	if (parse_nest(tb, &esptun_attrs_algo, nest) || !tb[ESPTUN_ALGO_A_NAME])
		return -EBADMSG;
	class = get_u8(tb[ESPTUN_ALGO_A_CLASS]);
	state = get_u8(tb[ESPTUN_ALGO_A_STATE]);
	if (class > ESPTUN_ALGO_CLASS_LEGACY || state > ESPTUN_ALGO_STATE_REFUSED)
		return -EBADMSG;
	algo->legacy = class == ESPTUN_ALGO_CLASS_LEGACY;
	algo->state = state;
	algo->type = get_u8(tb[ESPTUN_ALGO_A_TYPE]);
	algo->id = get_u16(tb[ESPTUN_ALGO_A_ID]);
	nla_strlcpy(algo->name, tb[ESPTUN_ALGO_A_NAME], sizeof(algo->name));
	if (tb[ESPTUN_ALGO_A_XFRM_NAME])
		nla_strlcpy(algo->xfrm_name, tb[ESPTUN_ALGO_A_XFRM_NAME], sizeof(algo->xfrm_name));
	if (tb[ESPTUN_ALGO_A_DRIVER])
		nla_strlcpy(algo->driver, tb[ESPTUN_ALGO_A_DRIVER], sizeof(algo->driver));
	algo->salt_len = get_u8(tb[ESPTUN_ALGO_A_SALT_LEN]);
	algo->iv_len = get_u8(tb[ESPTUN_ALGO_A_IV_LEN]);
	algo->icv_len = get_u8(tb[ESPTUN_ALGO_A_ICV_LEN]);
	algo->align = get_u8(tb[ESPTUN_ALGO_A_ALIGN]);
	decode_key_lens(nest, algo);
	return 0;
}

int esptun_algo_decode(const struct nlmsghdr *nlh, size_t len, struct esptun_algo *algo)
{
	struct nlattr *tb[ESPTUN_A_MAX + 1];
	uint8_t cmd;

	memset(algo, 0, sizeof(*algo));
	if (parse_genl(nlh, len, tb, &cmd))
		return -EBADMSG;
	if (cmd != ESPTUN_CMD_ALGO_GET)
		return -ENOMSG;
	return decode_algo(tb[ESPTUN_A_ALGO], algo);
}

static int decode_link_data(const struct nlattr *nest, struct esptun_link *l)
{
	struct nlattr *tb[IFLA_ESPTUN_MAX + 1];

	if (parse_nest(tb, &esptun_attrs_link, nest))
		return -EBADMSG;
	if (get_local(tb[IFLA_ESPTUN_LOCAL], &l->local))
		return -EBADMSG;
	l->port = get_be16(tb[IFLA_ESPTUN_PORT]);
	l->fwmark = get_u32(tb[IFLA_ESPTUN_FWMARK]);
	l->tos = get_u8(tb[IFLA_ESPTUN_TOS]);
	l->ttl = get_u8(tb[IFLA_ESPTUN_TTL]);
	l->dev = get_u32(tb[IFLA_ESPTUN_DEV]);
	l->has |= has(tb[IFLA_ESPTUN_LOCAL], ESPTUN_LINK_HAS_LOCAL) |
		  has(tb[IFLA_ESPTUN_PORT], ESPTUN_LINK_HAS_PORT) |
		  has(tb[IFLA_ESPTUN_FWMARK], ESPTUN_LINK_HAS_FWMARK) |
		  has(tb[IFLA_ESPTUN_TOS], ESPTUN_LINK_HAS_TOS) |
		  has(tb[IFLA_ESPTUN_TTL], ESPTUN_LINK_HAS_TTL) |
		  has(tb[IFLA_ESPTUN_DEV], ESPTUN_LINK_HAS_DEV);
	return 0;
}

int esptun_link_decode(const struct nlmsghdr *nlh, size_t len, struct esptun_link *l)
{
	const size_t hdr = NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(struct ifinfomsg));
	const struct ifinfomsg *ifi = (const void *)((const char *)nlh + NLMSG_HDRLEN);
	struct nlattr *tb[IFLA_LINKINFO + 1], *info[IFLA_INFO_DATA + 1];

	memset(l, 0, sizeof(*l));
	if (len < NLMSG_HDRLEN || nlh->nlmsg_len > len || nlh->nlmsg_len < hdr)
		return -EBADMSG;
	if (nlh->nlmsg_type != RTM_NEWLINK)
		return -ENOMSG;
	if (parse(tb, &esptun_attrs_ifinfo, (const char *)nlh + hdr, nlh->nlmsg_len - hdr) ||
	    !tb[IFLA_IFNAME])
		return -EBADMSG;
	if (!tb[IFLA_LINKINFO])
		return -ENOMSG;
	if (parse_nest(info, &esptun_attrs_linkinfo, tb[IFLA_LINKINFO]))
		return -EBADMSG;
	if (!info[IFLA_INFO_KIND] || !info[IFLA_INFO_DATA] ||
	    strcmp(nla_get_string(info[IFLA_INFO_KIND]), ESPTUN_GENL_NAME))
		return -ENOMSG;
	l->ifindex = (uint32_t)ifi->ifi_index;
	l->up = ifi->ifi_flags & IFF_UP;
	nla_strlcpy(l->name, tb[IFLA_IFNAME], sizeof(l->name));
	l->mtu = get_u32(tb[IFLA_MTU]);
	l->operstate = get_u8(tb[IFLA_OPERSTATE]);
	l->has = ESPTUN_LINK_HAS_UP | has(tb[IFLA_MTU], ESPTUN_LINK_HAS_MTU);
	return decode_link_data(info[IFLA_INFO_DATA], l);
}

/* ------------------------------------------------------------------- events */

static int decode_ike(const struct nlattr *nest, struct esptun_ike *ike)
{
	struct nlattr *tb[ESPTUN_IKE_A_MAX + 1];

	if (parse_nest(tb, &esptun_attrs_ike, nest) || !tb[ESPTUN_IKE_A_DATA] ||
	    get_addr(tb[ESPTUN_IKE_A_LOCAL_ADDRESS], &ike->local.addr) ||
	    get_addr(tb[ESPTUN_IKE_A_REMOTE_ADDRESS], &ike->remote.addr))
		return -EBADMSG;
	ike->local.port = get_be16(tb[ESPTUN_IKE_A_LOCAL_PORT]);
	ike->remote.port = get_be16(tb[ESPTUN_IKE_A_REMOTE_PORT]);
	ike->data = nla_data(tb[ESPTUN_IKE_A_DATA]);
	ike->len = (size_t)nla_len(tb[ESPTUN_IKE_A_DATA]);
	return 0;
}

static int decode_acquire(struct nlattr *const *top, struct esptun_flow *f)
{
	struct nlattr *tb[ESPTUN_FLOW_A_MAX + 1];
	struct esptun_peer peer;

	if (parse_nest(tb, &esptun_attrs_flow, top[ESPTUN_A_FLOW]) ||
	    get_addr(tb[ESPTUN_FLOW_A_SOURCE], &f->source) ||
	    get_addr(tb[ESPTUN_FLOW_A_DESTINATION], &f->destination))
		return -EBADMSG;
	f->protocol = get_u8(tb[ESPTUN_FLOW_A_PROTOCOL]);
	f->source_port = get_be16(tb[ESPTUN_FLOW_A_SOURCE_PORT]);
	f->destination_port = get_be16(tb[ESPTUN_FLOW_A_DESTINATION_PORT]);
	f->has_cpu = tb[ESPTUN_FLOW_A_CPU];
	f->cpu = get_u32(tb[ESPTUN_FLOW_A_CPU]);
	if (!top[ESPTUN_A_PEER])
		return 0;
	if (decode_peer(top[ESPTUN_A_PEER], &peer))
		return -EBADMSG;
	f->peer = peer.id;
	return 0;
}

static int decode_expire(struct nlattr *const *top, struct esptun_event *ev)
{
	uint8_t reason = get_u8(top[ESPTUN_A_EXPIRE_REASON]);
	struct esptun_sa sa = { 0 };
	int err;

	if (reason > ESPTUN_EXPIRE_REASON_SEQUENCE)
		return -EBADMSG;
	err = decode_sa(top[ESPTUN_A_SA], &sa);
	if (err)
		return err;
	ev->u.expire.spi = sa.spi;
	ev->u.expire.peer = sa.peer;
	ev->u.expire.dir = sa.dir;
	ev->u.expire.reason = reason;
	esptun_sa_clear(&sa);
	return 0;
}

static const struct {
	enum esptun_event_type type;
	const char *name;
	bool is_peer;
	bool is_sa;
} commands[ESPTUN_CMD_MAX + 1] = {
	[ESPTUN_CMD_PEER_NEW] = { ESPTUN_EVENT_PEER_ADD, "peer-add", true, false },
	[ESPTUN_CMD_PEER_SET] = { ESPTUN_EVENT_PEER_CHANGE, "peer-change", true, false },
	[ESPTUN_CMD_PEER_DEL] = { ESPTUN_EVENT_PEER_DEL, "peer-delete", true, false },
	[ESPTUN_CMD_PEER_MOVED] = { ESPTUN_EVENT_PEER_MOVED, "peer-moved", true, false },
	[ESPTUN_CMD_SA_NEW] = { ESPTUN_EVENT_SA_ADD, "sa-add", false, true },
	[ESPTUN_CMD_SA_SET] = { ESPTUN_EVENT_SA_CHANGE, "sa-change", false, true },
	[ESPTUN_CMD_SA_DEL] = { ESPTUN_EVENT_SA_DEL, "sa-delete", false, true },
	[ESPTUN_CMD_FLUSH] = { ESPTUN_EVENT_SA_FLUSH, "sa-flush", false, true },
	[ESPTUN_CMD_IKE_RECV] = { ESPTUN_EVENT_IKE, "ike", false, false },
	[ESPTUN_CMD_ACQUIRE] = { ESPTUN_EVENT_ACQUIRE, "acquire", false, false },
	[ESPTUN_CMD_EXPIRE] = { ESPTUN_EVENT_EXPIRE, "expire", false, false },
};

const char *esptun_event_name(enum esptun_event_type type)
{
	unsigned int i;

	if (type == ESPTUN_EVENT_OVERRUN)
		return "overrun";
	for (i = 0; i <= ESPTUN_CMD_MAX; i++)
		if (commands[i].name && commands[i].type == type)
			return commands[i].name;
	return "unknown";
}

int esptun_event_decode(const struct nlmsghdr *nlh, size_t len, struct esptun_event *ev)
{
	struct nlattr *tb[ESPTUN_A_MAX + 1];
	uint8_t cmd;

	memset(ev, 0, sizeof(*ev));
	if (parse_genl(nlh, len, tb, &cmd))
		return -EBADMSG;
	if (cmd > ESPTUN_CMD_MAX || !commands[cmd].name)
		return -ENOMSG;
	ev->type = commands[cmd].type;
	decode_where(tb, &ev->ifindex, &ev->where);
	if (commands[cmd].is_peer)
		return decode_peer(tb[ESPTUN_A_PEER], &ev->u.peer);
	if (ev->type == ESPTUN_EVENT_SA_FLUSH && !tb[ESPTUN_A_SA])
		return 0;
	if (commands[cmd].is_sa)
		return decode_sa(tb[ESPTUN_A_SA], &ev->u.sa);
	if (ev->type == ESPTUN_EVENT_IKE)
		return decode_ike(tb[ESPTUN_A_IKE], &ev->u.ike);
	if (ev->type == ESPTUN_EVENT_ACQUIRE)
		return decode_acquire(tb, &ev->u.acquire);
	return decode_expire(tb, ev);
}

void esptun_event_clear(struct esptun_event *ev)
{
	if (ev->type == ESPTUN_EVENT_SA_ADD || ev->type == ESPTUN_EVENT_SA_CHANGE ||
	    ev->type == ESPTUN_EVENT_SA_DEL || ev->type == ESPTUN_EVENT_SA_FLUSH)
		esptun_sa_clear(&ev->u.sa);
}
