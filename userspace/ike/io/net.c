// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * rtnetlink messages are built by hand: libnl-route 3.7 knows no IFA_PROTO, and its
 * objects would not be shorter.
 */
#include <errno.h>
#include <event2/event.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "ike/io/net.h"
#include "ike/proto/names.h"

#ifndef IFA_PROTO /* <linux/if_addr.h> of Linux 5.18 */
#define IFA_PROTO 11
#endif

static const char alias[] = "made by esptund";

struct net {
	struct nl_sock *sk; /* requests */
	struct nl_sock *news; /* notifications */
	struct event *event;
	struct esptun *h;
	void (*gone)(void *ctx, uint32_t ifindex);
	void *ctx;
};

static int on_news(struct nl_msg *msg, void *arg)
{
	struct net *n = arg;
	struct nlmsghdr *nlh = nlmsg_hdr(msg);
	struct ifinfomsg *ifi = nlmsg_data(nlh);

	/* Ports leave bridges with the same message, in their own family. */
	if (nlh->nlmsg_type == RTM_DELLINK && nlmsg_valid_hdr(nlh, sizeof(*ifi)) &&
	    ifi->ifi_family == AF_UNSPEC)
		n->gone(n->ctx, (uint32_t)ifi->ifi_index);
	return NL_OK;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct net *n = arg;

	(void)fd;
	(void)what;
	nl_recvmsgs_default(n->news);
}

static bool watch(struct net *n, struct event_base *base)
{
	n->news = nl_socket_alloc();
	if (!n->news)
		return false;
	nl_socket_disable_seq_check(n->news);
	nl_socket_modify_cb(n->news, NL_CB_VALID, NL_CB_CUSTOM, on_news, n);
	if (nl_connect(n->news, NETLINK_ROUTE) || nl_socket_add_membership(n->news, RTNLGRP_LINK) ||
	    nl_socket_set_nonblocking(n->news))
		return false;
	n->event = event_new(base, nl_socket_get_fd(n->news), EV_READ | EV_PERSIST, on_readable, n);
	return n->event && !event_add(n->event, NULL);
}

struct net *net_open(struct event_base *base, struct esptun *h,
		     void (*gone)(void *ctx, uint32_t ifindex), void *ctx)
{
	struct net *n = calloc(1, sizeof(*n));
	int on = 1;

	if (!n)
		return NULL;
	n->h = h;
	n->gone = gone;
	n->ctx = ctx;
	n->sk = nl_socket_alloc();
	if (!n->sk || nl_connect(n->sk, NETLINK_ROUTE) || !watch(n, base)) {
		net_close(n);
		errno = EPROTO;
		return NULL;
	}
	/* The kernel then lists what is asked for; without, all there is, and reading sorts it out. */
	setsockopt(nl_socket_get_fd(n->sk), SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof(on));
	nl_socket_disable_auto_ack(n->sk);
	return n;
}

void net_close(struct net *n)
{
	if (!n)
		return;
	if (n->event)
		event_free(n->event);
	if (n->news)
		nl_socket_free(n->news);
	if (n->sk)
		nl_socket_free(n->sk);
	free(n);
}

/* ---- requests -------------------------------------------------------------------- */

typedef void (*net_fn)(void *ctx, struct nlmsghdr *nlh);

struct reply {
	net_fn fn;
	void *ctx;
	int err;
	bool done;
};

static int on_valid(struct nl_msg *msg, void *arg)
{
	struct reply *r = arg;

	if (r->fn)
		r->fn(r->ctx, nlmsg_hdr(msg));
	return NL_OK;
}

static int on_error(struct sockaddr_nl *from, struct nlmsgerr *e, void *arg)
{
	struct reply *r = arg;

	(void)from;
	r->err = e->error;
	r->done = true;
	return NL_STOP;
}

static int on_end(struct nl_msg *msg, void *arg)
{
	(void)msg;
	((struct reply *)arg)->done = true;
	return NL_STOP;
}

/* Sends and frees @msg, hands replies to @fn (may be NULL). 0 or a negative errno. */
static int talk(struct net *n, struct nl_msg *msg, net_fn fn, void *ctx)
{
	struct reply r = { .fn = fn, .ctx = ctx };
	struct nl_cb *cb = nl_cb_alloc(NL_CB_DEFAULT);
	int err;

	if (!cb || !msg) {
		nlmsg_free(msg);
		nl_cb_put(cb);
		return -ENOMEM;
	}
	nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, on_valid, &r);
	nl_cb_set(cb, NL_CB_ACK, NL_CB_CUSTOM, on_end, &r);
	nl_cb_set(cb, NL_CB_FINISH, NL_CB_CUSTOM, on_end, &r);
	nl_cb_err(cb, NL_CB_CUSTOM, on_error, &r);
	/* A dump ends by itself; its flags overlap with NLM_F_EXCL. */
	if ((nlmsg_hdr(msg)->nlmsg_flags & NLM_F_DUMP) != NLM_F_DUMP)
		nlmsg_hdr(msg)->nlmsg_flags |= NLM_F_ACK;
	err = nl_send_auto(n->sk, msg);
	nlmsg_free(msg);
	while (err >= 0 && !r.done)
		err = nl_recvmsgs(n->sk, cb);
	nl_cb_put(cb);
	return r.err ? r.err : err < 0 ? -EIO : 0;
}

static struct nl_msg *request(int type, int flags, const void *head, size_t len)
{
	struct nl_msg *msg = nlmsg_alloc_simple(type, flags);

	if (msg && nlmsg_append(msg, (void *)head, len, NLMSG_ALIGNTO)) {
		nlmsg_free(msg);
		msg = NULL;
	}
	return msg;
}

static int addr_len(const struct ike_addr *a)
{
	return a->family == 4 ? 4 : 16;
}

static uint8_t af(const struct ike_addr *a)
{
	return a->family == 4 ? AF_INET : AF_INET6;
}

static void print_prefix(char *buf, size_t size, const struct net_prefix *p)
{
	char text[64];

	snprintf(buf, size, "%s/%u", ike_addr_print(text, sizeof(text), &p->addr), p->len);
}

/* ---- links ----------------------------------------------------------------------- */

static int mark_link(struct net *n, uint32_t ifindex)
{
	struct ifinfomsg head = { .ifi_family = AF_UNSPEC, .ifi_index = (int)ifindex };
	struct nl_msg *msg = request(RTM_SETLINK, 0, &head, sizeof(head));

	if (msg)
		nla_put(msg, IFLA_IFALIAS, (int)sizeof(alias) - 1, alias);
	return talk(n, msg, NULL, NULL);
}

static void read_alias(void *ctx, struct nlmsghdr *nlh)
{
	struct nlattr *a = nlmsg_find_attr(nlh, sizeof(struct ifinfomsg), IFLA_IFALIAS);

	if (a && (size_t)nla_len(a) >= sizeof(alias) - 1 &&
	    !memcmp(nla_data(a), alias, sizeof(alias) - 1))
		*(bool *)ctx = true;
}

static bool link_is_ours(struct net *n, uint32_t ifindex)
{
	struct ifinfomsg head = { .ifi_family = AF_UNSPEC, .ifi_index = (int)ifindex };
	bool ours = false;

	talk(n, request(RTM_GETLINK, 0, &head, sizeof(head)), read_alias, &ours);
	return ours;
}

static void link_from_conf(struct esptun_link *l, const struct net_conf *c)
{
	memset(l, 0, sizeof(*l));
	snprintf(l->name, sizeof(l->name), "%s", c->name);
	l->has = ESPTUN_LINK_HAS_FWMARK | ESPTUN_LINK_HAS_LOCAL;
	l->fwmark = c->fwmark;
	if (c->local.family == 4) {
		l->local.family = AF_INET;
		memcpy(l->local.bytes, c->local.b, 4);
	}
	if (c->mtu) {
		l->has |= ESPTUN_LINK_HAS_MTU;
		l->mtu = c->mtu;
	}
}

static int link_make(struct net *n, const struct net_conf *c, uint32_t *ifindex, char *err,
		     size_t err_size)
{
	struct esptun_link l;
	int rc;

	link_from_conf(&l, c);
	l.has |= ESPTUN_LINK_HAS_PORT;
	l.port = c->port;
	if (!c->local.family)
		l.has &= ~ESPTUN_LINK_HAS_LOCAL;
	rc = esptun_link_add(n->h, &l, ifindex);
	if (!rc)
		rc = mark_link(n, *ifindex);
	if (rc == -EADDRINUSE)
		snprintf(
			err, err_size,
			"UDP port %u is taken by another program: stop the other IKE daemon (strongswan, libreswan, iked) or set Port in [Tunnel]",
			c->port);
	else if (rc == -EOPNOTSUPP)
		snprintf(err, err_size, "the kernel module is not loaded: run modprobe esptun");
	else if (rc)
		snprintf(err, err_size, "cannot make netdevice %s: %s", c->name,
			 esptun_error(n->h));
	return rc;
}

static int link_adjust(struct net *n, const struct net_conf *c, const struct esptun_link *old,
		       char *err, size_t err_size)
{
	struct esptun_link l;
	int rc;

	if (old->port != c->port) {
		snprintf(
			err, err_size,
			"netdevice %s exists with UDP port %u, but Port is %u, and a link keeps its port: run ip link del %s, or change Port",
			c->name, old->port, c->port, c->name);
		return -EEXIST;
	}
	link_from_conf(&l, c);
	l.ifindex = old->ifindex;
	if (old->fwmark == l.fwmark && esptun_addr_equal(&old->local, &l.local) &&
	    (!c->mtu || old->mtu == c->mtu))
		return 0;
	rc = esptun_link_set(n->h, &l);
	if (rc)
		snprintf(err, err_size, "cannot change netdevice %s: %s", c->name,
			 esptun_error(n->h));
	return rc;
}

/* *@made tells if the link is new. */
static int link_up(struct net *n, const struct net_conf *c, uint32_t *ifindex, bool *made,
		   char *err, size_t err_size)
{
	struct esptun_link old;
	int rc = esptun_link_get(n->h, c->name, &old);

	*made = rc == -ENODEV;
	if (*made)
		return link_make(n, c, ifindex, err, err_size);
	if (rc == -EMEDIUMTYPE)
		snprintf(
			err, err_size,
			"netdevice %s exists and is not of kind esptun: rename it or the configuration file",
			c->name);
	else if (rc)
		snprintf(err, err_size, "cannot read netdevice %s: %s", c->name,
			 esptun_error(n->h));
	if (rc)
		return rc;
	*ifindex = old.ifindex;
	return link_adjust(n, c, &old, err, err_size);
}

static int set_up(struct net *n, uint32_t ifindex)
{
	struct esptun_link l = { .has = ESPTUN_LINK_HAS_UP, .ifindex = ifindex, .up = true };

	return esptun_link_set(n->h, &l);
}

/* ---- addresses and routes of a link ------------------------------------------------ */

/* One address or route the kernel has. */
struct have {
	struct net_prefix p;
	uint32_t table, metric;
	uint8_t scope;
	bool ours, keep;
};

struct haves {
	uint32_t ifindex;
	struct have *v;
	unsigned int n;
	bool failed;
};

static struct have *have_add(struct haves *h)
{
	struct have *grown = realloc(h->v, (h->n + 1) * sizeof(*grown));

	if (!grown) {
		h->failed = true;
		return NULL;
	}
	h->v = grown;
	memset(&grown[h->n], 0, sizeof(*grown));
	return &grown[h->n++];
}

static void have_addr(struct have *h, uint8_t family, uint8_t len, const struct nlattr *a)
{
	h->p.addr.family = family == AF_INET ? 4 : 6;
	h->p.len = len;
	if (a && nla_len(a) == addr_len(&h->p.addr))
		memcpy(h->p.addr.b, nla_data(a), (size_t)nla_len(a));
}

static void read_address(void *ctx, struct nlmsghdr *nlh)
{
	struct ifaddrmsg *ifa = nlmsg_data(nlh);
	struct haves *all = ctx;
	struct nlattr *tb[IFA_PROTO + 1];
	struct have *h;

	if (nlh->nlmsg_type != RTM_NEWADDR || ifa->ifa_index != all->ifindex ||
	    nlmsg_parse(nlh, sizeof(*ifa), tb, IFA_PROTO, NULL))
		return;
	h = have_add(all);
	if (!h)
		return;
	have_addr(h, ifa->ifa_family, ifa->ifa_prefixlen,
		  tb[IFA_LOCAL] ? tb[IFA_LOCAL] : tb[IFA_ADDRESS]);
	h->ours = tb[IFA_PROTO] && nla_get_u8(tb[IFA_PROTO]) == NET_PROTO;
}

static void read_route(void *ctx, struct nlmsghdr *nlh)
{
	struct rtmsg *rtm = nlmsg_data(nlh);
	struct haves *all = ctx;
	struct nlattr *tb[RTA_TABLE + 1];
	struct have *h;

	if (nlh->nlmsg_type != RTM_NEWROUTE || rtm->rtm_type != RTN_UNICAST ||
	    (rtm->rtm_flags & RTM_F_CLONED) ||
	    nlmsg_parse(nlh, sizeof(*rtm), tb, RTA_TABLE, NULL) || !tb[RTA_OIF] ||
	    nla_get_u32(tb[RTA_OIF]) != all->ifindex)
		return;
	h = have_add(all);
	if (!h)
		return;
	have_addr(h, rtm->rtm_family, rtm->rtm_dst_len, tb[RTA_DST]);
	h->table = tb[RTA_TABLE] ? nla_get_u32(tb[RTA_TABLE]) : rtm->rtm_table;
	h->metric = tb[RTA_PRIORITY] ? nla_get_u32(tb[RTA_PRIORITY]) : 0;
	h->scope = rtm->rtm_scope;
	h->ours = rtm->rtm_protocol == NET_PROTO;
}

/* The addresses or routes of one family that the netdevice has. */
static int list_family(struct net *n, uint8_t family, bool routes, uint32_t ifindex,
		       struct haves *out)
{
	struct ifaddrmsg ifa = { .ifa_family = family, .ifa_index = ifindex };
	struct rtmsg rtm = { .rtm_family = family };
	struct nl_msg *msg;

	if (!routes)
		return talk(n, request(RTM_GETADDR, NLM_F_DUMP, &ifa, sizeof(ifa)), read_address,
			    out);
	msg = request(RTM_GETROUTE, NLM_F_DUMP, &rtm, sizeof(rtm));
	if (msg)
		nla_put_u32(msg, RTA_OIF, ifindex);
	return talk(n, msg, read_route, out);
}

static int list(struct net *n, bool routes, uint32_t ifindex, struct haves *out)
{
	int err;

	*out = (struct haves){ .ifindex = ifindex };
	err = list_family(n, AF_INET, routes, ifindex, out);
	if (!err)
		err = list_family(n, AF_INET6, routes, ifindex, out);
	return err ? err : out->failed ? -ENOMEM : 0;
}

static int change_address(struct net *n, uint32_t ifindex, const struct net_prefix *p, bool add)
{
	struct ifaddrmsg head = {
		.ifa_family = af(&p->addr),
		.ifa_prefixlen = p->len,
		.ifa_index = ifindex,
		.ifa_flags = IFA_F_NODAD, /* nobody else is on the link */
	};
	struct nl_msg *msg = request(add ? RTM_NEWADDR : RTM_DELADDR,
				     add ? NLM_F_CREATE | NLM_F_EXCL : 0, &head, sizeof(head));

	if (msg) {
		nla_put(msg, IFA_LOCAL, addr_len(&p->addr), p->addr.b);
		nla_put(msg, IFA_ADDRESS, addr_len(&p->addr), p->addr.b);
		if (add)
			nla_put_u8(msg, IFA_PROTO, NET_PROTO);
	}
	return talk(n, msg, NULL, NULL);
}

static int change_route(struct net *n, uint32_t ifindex, const struct have *r, bool add)
{
	struct rtmsg head = {
		.rtm_family = af(&r->p.addr),
		.rtm_dst_len = r->p.len,
		.rtm_table = RT_TABLE_UNSPEC,
		.rtm_protocol = NET_PROTO,
		.rtm_scope = r->p.addr.family == 4 ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE,
		.rtm_type = RTN_UNICAST,
	};
	struct nl_msg *msg = request(add ? RTM_NEWROUTE : RTM_DELROUTE,
				     add ? NLM_F_CREATE | NLM_F_EXCL : 0, &head, sizeof(head));

	if (msg) {
		if (r->p.len)
			nla_put(msg, RTA_DST, addr_len(&r->p.addr), r->p.addr.b);
		nla_put_u32(msg, RTA_OIF, ifindex);
		nla_put_u32(msg, RTA_TABLE, r->table);
		if (r->metric)
			nla_put_u32(msg, RTA_PRIORITY, r->metric);
	}
	return talk(n, msg, NULL, NULL);
}

static bool same_prefix(const struct net_prefix *a, const struct net_prefix *b)
{
	return a->len == b->len && ike_addr_eq(&a->addr, &b->addr);
}

/* 128 and 0 are what IPv6 shows for routes made without a metric: 1024. */
static bool same_metric(const struct have *have, uint32_t metric)
{
	return have->metric == metric || (!metric && have->p.addr.family == 6);
}

static int addresses(struct net *n, const struct net_conf *c, uint32_t ifindex, char *err,
		     size_t err_size)
{
	struct haves have;
	int rc = list(n, false, ifindex, &have);

	for (unsigned int i = 0; i < c->n_address && !rc; i++) {
		bool there = false;
		char text[64];

		for (unsigned int k = 0; k < have.n; k++) {
			if (same_prefix(&have.v[k].p, &c->address[i]))
				there = have.v[k].keep = true;
		}
		if (!there)
			rc = change_address(n, ifindex, &c->address[i], true);
		print_prefix(text, sizeof(text), &c->address[i]);
		if (rc)
			snprintf(err, err_size, "cannot add address %s to %s: %s", text, c->name,
				 strerror(-rc));
	}
	for (unsigned int k = 0; k < have.n && !rc; k++) {
		if (have.v[k].ours && !have.v[k].keep)
			change_address(n, ifindex, &have.v[k].p, false);
	}
	free(have.v);
	return rc;
}

static int route_add(struct net *n, const struct net_conf *c, uint32_t ifindex, struct have *r,
		     char *err, size_t err_size)
{
	char text[64];
	int rc = change_route(n, ifindex, r, true);

	print_prefix(text, sizeof(text), &r->p);
	if (rc == -EEXIST)
		snprintf(
			err, err_size,
			"a route to %s exists already, through another netdevice: remove it, or set Metric or Table in [Tunnel]",
			text);
	else if (rc)
		snprintf(err, err_size, "cannot add route %s through %s: %s", text, c->name,
			 strerror(-rc));
	return rc;
}

static int routes(struct net *n, const struct net_conf *c, uint32_t ifindex, char *err,
		  size_t err_size)
{
	uint32_t table = c->table ? c->table : RT_TABLE_MAIN;
	struct haves have;
	int rc = list(n, true, ifindex, &have);

	for (unsigned int i = 0; i < c->n_routes && !rc; i++) {
		struct have want = { .p = c->routes[i], .table = table, .metric = c->metric };
		bool there = false;

		for (unsigned int k = 0; k < have.n; k++) {
			if (same_prefix(&have.v[k].p, &want.p) && have.v[k].table == table &&
			    same_metric(&have.v[k], c->metric))
				there = have.v[k].keep = true;
		}
		if (!there)
			rc = route_add(n, c, ifindex, &want, err, err_size);
	}
	for (unsigned int k = 0; k < have.n && !rc; k++) {
		if (have.v[k].ours && !have.v[k].keep)
			change_route(n, ifindex, &have.v[k], false);
	}
	free(have.v);
	return rc;
}

int net_up(struct net *n, const struct net_conf *c, uint32_t *ifindex, char *err, size_t err_size)
{
	bool made = false;
	int rc;

	snprintf(err, err_size, "out of memory");
	*ifindex = 0;
	rc = link_up(n, c, ifindex, &made, err, err_size);
	if (!rc)
		rc = addresses(n, c, *ifindex, err, err_size);
	if (!rc) {
		rc = set_up(n, *ifindex);
		if (rc)
			snprintf(err, err_size, "cannot bring %s up: %s", c->name,
				 esptun_error(n->h));
	}
	if (!rc)
		rc = routes(n, c, *ifindex, err, err_size);
	if (rc && made && *ifindex)
		esptun_link_del(n->h, *ifindex);
	return rc;
}

void net_down(struct net *n, const char *name)
{
	struct esptun_link l;
	struct haves have;

	if (esptun_link_get(n->h, name, &l))
		return;
	if (link_is_ours(n, l.ifindex)) {
		esptun_link_del(n->h, l.ifindex);
		return;
	}
	if (!list(n, true, l.ifindex, &have)) {
		for (unsigned int k = 0; k < have.n; k++) {
			if (have.v[k].ours)
				change_route(n, l.ifindex, &have.v[k], false);
		}
	}
	free(have.v);
	if (!list(n, false, l.ifindex, &have)) {
		for (unsigned int k = 0; k < have.n; k++) {
			if (have.v[k].ours)
				change_address(n, l.ifindex, &have.v[k].p, false);
		}
	}
	free(have.v);
}

/* ---- loops ----------------------------------------------------------------------- */

static void read_oif(void *ctx, struct nlmsghdr *nlh)
{
	struct nlattr *a = nlmsg_find_attr(nlh, sizeof(struct rtmsg), RTA_OIF);

	if (a && nla_len(a) >= 4)
		*(uint32_t *)ctx = nla_get_u32(a);
}

bool net_loops(struct net *n, const struct ike_addr *remote, uint32_t mark, uint32_t ifindex)
{
	struct rtmsg head = {
		.rtm_family = af(remote),
		.rtm_dst_len = (unsigned char)(addr_len(remote) * 8),
	};
	struct nl_msg *msg = request(RTM_GETROUTE, 0, &head, sizeof(head));
	uint32_t oif = 0;

	if (msg) {
		nla_put(msg, RTA_DST, addr_len(remote), remote->b);
		if (mark)
			nla_put_u32(msg, RTA_MARK, mark);
	}
	return !talk(n, msg, read_oif, &oif) && oif == ifindex;
}
