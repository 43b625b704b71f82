// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Requests about links, addresses and routes. All are synchronous; what other programs
 * change is told by watch.c. Dumps are filtered by link in the kernel, which finds addresses
 * by their link, but walks all routes to do so: see net_note_routes().
 */
#include <errno.h>
#include <linux/fib_rules.h>
#include <linux/if_link.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ike/io/net.h"
#include "ike/io/rule.h"
#include "ike/io/rtnl.h"
#include "ike/proto/addr.h"

static const char alias[] = "made by esptund";

/* One address or route the kernel has. */
struct have {
	uint32_t ifindex;
	struct net_prefix p;
	uint32_t table, metric;
	uint8_t scope;
	bool ours, keep;
};

struct haves {
	uint32_t ifindex; /* 0: of all links */
	struct have *v;
	unsigned int n, room;
	unsigned int family_at; /* where the family begins that is being read */
	bool failed;
};

struct net {
	struct nl_sock *sk;
	struct esptun *h;
	bool noted;
	struct haves routes; /* if so: of all links, in order of these */
	bool has_rules; /* of ours there may be some, or of a former agent's */
};

static void see_rule(void *ctx, struct nlmsghdr *nlh)
{
	*(bool *)ctx |= rule_is_ours(nlh);
}

/* Those who have none need not look for them whenever they look at a link. */
static void find_rules(struct net *n)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };

	for (unsigned int i = 0; i < 2; i++) {
		struct fib_rule_hdr head = { .family = families[i] };

		rtnl_dump(n->sk, rtnl_request(RTM_GETRULE, NLM_F_DUMP, &head, sizeof(head)),
			  see_rule, NULL, &n->has_rules);
	}
}

struct net *net_open(struct esptun *h)
{
	struct net *n = calloc(1, sizeof(*n));

	if (!n)
		return NULL;
	n->h = h;
	n->sk = rtnl_open();
	if (n->sk) {
		find_rules(n);
		return n;
	}
	free(n);
	errno = EPROTO;
	return NULL;
}

void net_close(struct net *n)
{
	if (!n)
		return;
	net_forget_routes(n);
	nl_socket_free(n->sk);
	free(n);
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
	struct nl_msg *msg = rtnl_request(RTM_SETLINK, 0, &head, sizeof(head));

	if (msg)
		nla_put(msg, IFLA_IFALIAS, (int)sizeof(alias) - 1, alias);
	return rtnl_talk(n->sk, msg, NULL, NULL);
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

	rtnl_talk(n->sk, rtnl_request(RTM_GETLINK, 0, &head, sizeof(head)), read_alias, &ours);
	return ours;
}

/* What read_traffic() found. */
struct found_traffic {
	bool found;
	struct rtnl_link_stats64 stats;
};

static void read_traffic(void *ctx, struct nlmsghdr *nlh)
{
	struct nlattr *a = nlmsg_find_attr(nlh, sizeof(struct ifinfomsg), IFLA_STATS64);
	struct found_traffic *f = ctx;

	/* A newer kernel may have more of them, an older one less. */
	if (a)
		nla_memcpy(&f->stats, a, sizeof(f->stats));
	f->found |= a != NULL;
}

int net_traffic(struct net *n, uint32_t ifindex, struct net_traffic *out)
{
	struct ifinfomsg head = { .ifi_family = AF_UNSPEC, .ifi_index = (int)ifindex };
	struct found_traffic f = { .found = false };
	int rc = rtnl_talk(n->sk, rtnl_request(RTM_GETLINK, 0, &head, sizeof(head)), read_traffic,
			   &f);

	if (rc || !f.found)
		return rc ? rc : -ENODATA;
	*out = (struct net_traffic){
		.rx_packets = f.stats.rx_packets,
		.rx_bytes = f.stats.rx_bytes,
		.tx_packets = f.stats.tx_packets,
		.tx_bytes = f.stats.tx_bytes,
	};
	return 0;
}

static void link_from_conf(struct esptun_link *l, const struct net_conf *c)
{
	memset(l, 0, sizeof(*l));
	snprintf(l->name, sizeof(l->name), "%s", c->name);
	l->has = ESPTUN_LINK_HAS_FWMARK | ESPTUN_LINK_HAS_LOCAL;
	l->fwmark = c->fwmark;
	if (c->local.family) {
		l->local.family = rtnl_family(&c->local);
		memcpy(l->local.bytes, c->local.b, (size_t)rtnl_addr_len(&c->local));
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

static struct have *have_add(struct haves *h)
{
	unsigned int room = h->room ? 2 * h->room : 4;
	struct have *grown = h->n == h->room ? realloc(h->v, room * sizeof(*grown)) : NULL;

	if (h->n == h->room && !grown) {
		h->failed = true;
		return NULL;
	}
	if (grown) {
		h->v = grown;
		h->room = room;
	}
	memset(&h->v[h->n], 0, sizeof(*h->v));
	return &h->v[h->n++];
}

static void have_addr(struct have *h, uint8_t family, uint8_t len, const struct nlattr *a)
{
	h->p.addr.family = family == AF_INET ? 4 : 6;
	h->p.len = len;
	if (a && nla_len(a) == rtnl_addr_len(&h->p.addr))
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
	    (all->ifindex && nla_get_u32(tb[RTA_OIF]) != all->ifindex))
		return;
	h = have_add(all);
	if (!h)
		return;
	h->ifindex = nla_get_u32(tb[RTA_OIF]);
	have_addr(h, rtm->rtm_family, rtm->rtm_dst_len, tb[RTA_DST]);
	h->table = tb[RTA_TABLE] ? nla_get_u32(tb[RTA_TABLE]) : rtm->rtm_table;
	h->metric = tb[RTA_PRIORITY] ? nla_get_u32(tb[RTA_PRIORITY]) : 0;
	h->scope = rtm->rtm_scope;
	h->ours = rtm->rtm_protocol == NET_PROTO;
}

static struct nl_msg *list_addresses(uint8_t family, uint32_t ifindex)
{
	struct ifaddrmsg head = { .ifa_family = family, .ifa_index = ifindex };

	return rtnl_request(RTM_GETADDR, NLM_F_DUMP, &head, sizeof(head));
}

static struct nl_msg *list_routes(uint8_t family, uint32_t ifindex)
{
	struct rtmsg head = { .rtm_family = family };
	struct nl_msg *msg = rtnl_request(RTM_GETROUTE, NLM_F_DUMP, &head, sizeof(head));

	if (msg && ifindex)
		nla_put_u32(msg, RTA_OIF, ifindex);
	return msg;
}

/* The list of the family that is being read begins anew. */
static void forget_family(void *ctx)
{
	struct haves *all = ctx;

	all->n = all->family_at;
}

static int by_link(const void *a, const void *b)
{
	const struct have *x = a, *y = b;

	return (x->ifindex > y->ifindex) - (x->ifindex < y->ifindex);
}

/* Those of one link that were noted; false: none were, or memory is out. */
static bool list_noted(const struct net *n, uint32_t ifindex, struct haves *out)
{
	const struct have key = { .ifindex = ifindex }, *end = n->routes.v + n->routes.n;
	const struct have *at;

	if (!n->noted)
		return false;
	at = n->routes.n ? bsearch(&key, n->routes.v, n->routes.n, sizeof(key), by_link) : NULL;
	while (at && at > n->routes.v && at[-1].ifindex == ifindex)
		at--;
	for (; at && at < end && at->ifindex == ifindex; at++) {
		struct have *h = have_add(out);

		if (h)
			*h = *at;
	}
	if (!out->failed)
		return true;
	free(out->v);
	return false;
}

/* Those of one link, or with 0 of all; a family that the kernel does not have has none. */
static int list(struct net *n, bool routes, uint32_t ifindex, struct haves *out)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	int err = 0;

	*out = (struct haves){ .ifindex = ifindex };
	for (unsigned int i = 0; i < 2 && !err; i++) {
		out->family_at = out->n;
		if (routes)
			err = rtnl_dump(n->sk, list_routes(families[i], ifindex), read_route,
					forget_family, out);
		else
			err = rtnl_dump(n->sk, list_addresses(families[i], ifindex), read_address,
					forget_family, out);
		if (err == -EOPNOTSUPP || err == -EAFNOSUPPORT)
			err = 0;
	}
	return err ? err : out->failed ? -ENOMEM : 0;
}

void net_note_routes(struct net *n)
{
	net_forget_routes(n);
	n->noted = !list(n, true, 0, &n->routes);
	if (n->noted && n->routes.n)
		qsort(n->routes.v, n->routes.n, sizeof(*n->routes.v), by_link);
	else if (!n->noted)
		net_forget_routes(n);
}

void net_forget_routes(struct net *n)
{
	free(n->routes.v);
	n->routes = (struct haves){ 0 };
	n->noted = false;
}

static int change_address(struct net *n, uint32_t ifindex, const struct net_prefix *p, bool add)
{
	struct ifaddrmsg head = {
		.ifa_family = rtnl_family(&p->addr),
		.ifa_prefixlen = p->len,
		.ifa_index = ifindex,
		.ifa_flags = IFA_F_NODAD, /* nobody else is on the link */
	};
	struct nl_msg *msg = rtnl_request(add ? RTM_NEWADDR : RTM_DELADDR,
					  add ? NLM_F_CREATE | NLM_F_EXCL : 0, &head, sizeof(head));

	if (msg) {
		nla_put(msg, IFA_LOCAL, rtnl_addr_len(&p->addr), p->addr.b);
		nla_put(msg, IFA_ADDRESS, rtnl_addr_len(&p->addr), p->addr.b);
		if (add)
			nla_put_u8(msg, IFA_PROTO, NET_PROTO);
	}
	return rtnl_talk(n->sk, msg, NULL, NULL);
}

static int change_route(struct net *n, uint32_t ifindex, const struct have *r, bool add)
{
	struct rtmsg head = {
		.rtm_family = rtnl_family(&r->p.addr),
		.rtm_dst_len = r->p.len,
		.rtm_table = RT_TABLE_UNSPEC,
		.rtm_protocol = NET_PROTO,
		.rtm_scope = r->p.addr.family == 4 ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE,
		.rtm_type = RTN_UNICAST,
	};
	struct nl_msg *msg = rtnl_request(add ? RTM_NEWROUTE : RTM_DELROUTE,
					  add ? NLM_F_CREATE | NLM_F_EXCL : 0, &head, sizeof(head));

	if (msg) {
		if (r->p.len)
			nla_put(msg, RTA_DST, rtnl_addr_len(&r->p.addr), r->p.addr.b);
		nla_put_u32(msg, RTA_OIF, ifindex);
		nla_put_u32(msg, RTA_TABLE, r->table);
		if (r->metric)
			nla_put_u32(msg, RTA_PRIORITY, r->metric);
	}
	return rtnl_talk(n->sk, msg, NULL, NULL);
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

/* Adds "KIND PREFIX" to the list in @did. */
static void note_done(struct net_did *did, const char *kind, const struct net_prefix *p)
{
	size_t len = strlen(did->text);
	char text[80];

	print_prefix(text, sizeof(text), p);
	snprintf(did->text + len, sizeof(did->text) - len, "%s%s %s", len ? ", " : "", kind, text);
}

/* One address that the link is to have; @have: those that it has. */
static int put_address(struct net *n, const struct net_prefix *p, uint32_t ifindex,
		       struct haves *have, struct net_did *did)
{
	bool there = false;
	int rc;

	for (unsigned int k = 0; k < have->n; k++) {
		if (same_prefix(&have->v[k].p, p))
			there = have->v[k].keep = true;
	}
	if (there)
		return 0;
	rc = change_address(n, ifindex, p, true);
	if (!rc)
		note_done(did, "address", p);
	return rc;
}

/* Configured ones, then those that were given; NULL: these were all. */
static const struct net_prefix *address_at(const struct net_conf *c, unsigned int i)
{
	const unsigned int n_given = sizeof(c->given) / sizeof(c->given[0]);

	if (i < c->n_address)
		return &c->address[i];
	return i - c->n_address < n_given ? &c->given[i - c->n_address] : NULL;
}

static int put_addresses(struct net *n, const struct net_conf *c, uint32_t ifindex,
			 struct net_did *did, char *err, size_t err_size)
{
	const struct net_prefix *p;
	struct haves have;
	int rc = list(n, false, ifindex, &have);

	for (unsigned int i = 0; (p = address_at(c, i)) && !rc; i++) {
		char text[64];

		rc = p->len ? put_address(n, p, ifindex, &have, did) : 0;
		print_prefix(text, sizeof(text), p);
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

/* Configured ones, then those that were told; NULL: these were all. */
static const struct net_prefix *route_at(const struct net_conf *c, unsigned int i)
{
	if (i < c->n_routes)
		return &c->routes[i];
	return i - c->n_routes < c->n_told ? &c->told[i - c->n_routes] : NULL;
}

/* One route that the link is to have; @have: those that it has. */
static int put_route(struct net *n, const struct net_conf *c, const struct net_prefix *p,
		     uint32_t ifindex, struct haves *have, struct net_did *did, char *err,
		     size_t err_size)
{
	uint32_t table = c->table ? c->table : RT_TABLE_MAIN;
	struct have want = { .p = *p, .table = table, .metric = c->metric };
	bool there = false;
	int rc;

	for (unsigned int k = 0; k < have->n; k++) {
		if (same_prefix(&have->v[k].p, p) && have->v[k].table == table &&
		    same_metric(&have->v[k], c->metric))
			there = have->v[k].keep = true;
	}
	if (there)
		return 0;
	rc = route_add(n, c, ifindex, &want, err, err_size);
	if (!rc)
		note_done(did, "route", p);
	return rc;
}

/* What another machine told may fail, each route for itself. */
static void note_left_out(struct net_did *did, const char *err)
{
	size_t len = strlen(did->left_out);

	snprintf(did->left_out + len, sizeof(did->left_out) - len, "%s%s", len ? "; " : "", err);
}

static int put_routes(struct net *n, const struct net_conf *c, uint32_t ifindex,
		      struct net_did *did, char *err, size_t err_size)
{
	struct haves have = { .ifindex = ifindex };
	int rc = list_noted(n, ifindex, &have) ? 0 : list(n, true, ifindex, &have);
	const struct net_prefix *p;

	for (unsigned int i = 0; (p = route_at(c, i)) && !rc; i++) {
		rc = put_route(n, c, p, ifindex, &have, did, err, err_size);
		if (rc && i >= c->n_routes) {
			note_left_out(did, err);
			rc = 0;
		}
	}
	for (unsigned int k = 0; k < have.n && !rc; k++) {
		if (have.v[k].ours && !have.v[k].keep)
			change_route(n, ifindex, &have.v[k], false);
	}
	free(have.v);
	return rc;
}

/* ---- rules of a link ---------------------------------------------------------------- */

struct ruled {
	char name[IFNAMSIZ];
	bool in_vrf;
};

static void read_ruled(void *ctx, struct nlmsghdr *nlh)
{
	struct nlattr *name = nlmsg_find_attr(nlh, sizeof(struct ifinfomsg), IFLA_IFNAME);
	struct nlattr *info = nlmsg_find_attr(nlh, sizeof(struct ifinfomsg), IFLA_LINKINFO);
	struct nlattr *master = info ? nla_find(nla_data(info), nla_len(info), IFLA_INFO_SLAVE_KIND)
				     : NULL;
	struct ruled *r = ctx;

	if (name)
		nla_strlcpy(r->name, name, sizeof(r->name));
	r->in_vrf = master && !nla_strcmp(master, "vrf");
}

static void note_rule(void *ctx, const struct net_prefix *to)
{
	note_done(ctx, "rule to", to);
}

/*
 * Rules go by the name that the link has now. -EXDEV: it is in a VRF, where packets are looked at as if the VRF's
 * netdevice had received them, which rules of ours would not see.
 */
static int put_rules(struct net *n, const struct net_prefix *to, unsigned int n_to,
		     uint32_t ifindex, struct net_did *did)
{
	struct ifinfomsg head = { .ifi_family = AF_UNSPEC, .ifi_index = (int)ifindex };
	struct ruled link = { .in_vrf = false };
	int rc;

	if (!n_to && !n->has_rules)
		return 0;
	n->has_rules = true;
	rc = rtnl_talk(n->sk, rtnl_request(RTM_GETLINK, 0, &head, sizeof(head)), read_ruled, &link);
	if (!rc && !*link.name)
		rc = -ENODEV;
	if (!rc)
		rc = rule_put(n->sk, link.name, to, n_to, did ? note_rule : NULL, did);
	return !rc && n_to && link.in_vrf ? -EXDEV : rc;
}

static void say_apart(const char *name, int rc, char *err, size_t err_size)
{
	if (rc == -EXDEV)
		snprintf(
			err, err_size,
			"ClientToClient = no in [Pool] has no effect while %s is in a VRF: run ip link set %s nomaster, or set ClientToClient = yes and keep clients apart by a firewall",
			name, name);
	else
		snprintf(err, err_size, "cannot keep clients of %s apart by a rule: %s", name,
			 strerror(-rc));
}

int net_restore(struct net *n, const struct net_conf *c, uint32_t ifindex, struct net_did *did,
		char *err, size_t err_size)
{
	int rc;

	did->text[0] = did->left_out[0] = 0;
	snprintf(err, err_size, "out of memory");
	rc = put_rules(n, c->apart, c->n_apart, ifindex, did);
	if (rc) {
		say_apart(c->name, rc, err, err_size);
		return rc;
	}
	rc = put_addresses(n, c, ifindex, did, err, err_size);
	if (!rc) {
		rc = set_up(n, ifindex);
		if (rc)
			snprintf(err, err_size, "cannot bring %s up: %s", c->name,
				 esptun_error(n->h));
	}
	return rc ? rc : put_routes(n, c, ifindex, did, err, err_size);
}

int net_up(struct net *n, const struct net_conf *c, uint32_t *ifindex, bool *made, char *err,
	   size_t err_size)
{
	struct net_did did;
	int rc;

	snprintf(err, err_size, "out of memory");
	*ifindex = 0;
	rc = link_up(n, c, ifindex, made, err, err_size);
	if (!rc)
		rc = net_restore(n, c, *ifindex, &did, err, err_size);
	if (rc && *made && *ifindex)
		esptun_link_del(n->h, *ifindex);
	return rc;
}

void net_down(struct net *n, uint32_t ifindex)
{
	struct haves have;

	put_rules(n, NULL, 0, ifindex, NULL);
	if (link_is_ours(n, ifindex)) {
		esptun_link_del(n->h, ifindex);
		return;
	}
	if (!list(n, true, ifindex, &have)) {
		for (unsigned int k = 0; k < have.n; k++) {
			if (have.v[k].ours)
				change_route(n, ifindex, &have.v[k], false);
		}
	}
	free(have.v);
	if (!list(n, false, ifindex, &have)) {
		for (unsigned int k = 0; k < have.n; k++) {
			if (have.v[k].ours)
				change_address(n, ifindex, &have.v[k].p, false);
		}
	}
	free(have.v);
}

void net_given(struct net *n, const char *name, struct ike_addr out[2])
{
	struct esptun_link l;
	struct haves have;

	memset(out, 0, 2 * sizeof(*out));
	if (esptun_link_get(n->h, name, &l))
		return;
	if (!list(n, false, l.ifindex, &have)) {
		for (unsigned int k = 0; k < have.n; k++) {
			const struct net_prefix *p = &have.v[k].p;

			if (have.v[k].ours && p->len == 8 * rtnl_addr_len(&p->addr))
				out[p->addr.family == 6] = p->addr;
		}
	}
	free(have.v);
}

unsigned int net_routes(struct net *n, const char *name, struct net_prefix *out, unsigned int max)
{
	unsigned int found = 0;
	struct esptun_link l;
	struct haves have;

	if (esptun_link_get(n->h, name, &l))
		return 0;
	if (list(n, true, l.ifindex, &have))
		have.n = 0;
	for (unsigned int k = 0; k < have.n && found < max; k++) {
		if (have.v[k].ours)
			out[found++] = have.v[k].p;
	}
	free(have.v);
	return found;
}

int net_each_own(struct net *n, void (*fn)(void *ctx, const char *name, uint32_t ifindex),
		 void *ctx)
{
	struct esptun_link *links;
	size_t count;
	int err = esptun_link_dump(n->h, &links, &count);

	for (size_t i = 0; i < count && !err; i++) {
		if (link_is_ours(n, links[i].ifindex))
			fn(ctx, links[i].name, links[i].ifindex);
	}
	free(links);
	return err;
}

/* ---- the way to a peer ------------------------------------------------------------- */

static void read_path(void *ctx, struct nlmsghdr *nlh)
{
	struct rtmsg *rtm = nlmsg_data(nlh);
	struct nlattr *tb[RTA_PREFSRC + 1];
	struct net_path *p = ctx;

	if (nlmsg_parse(nlh, sizeof(*rtm), tb, RTA_PREFSRC, NULL))
		return;
	p->own = rtm->rtm_type == RTN_LOCAL;
	if (tb[RTA_OIF])
		p->oif = nla_get_u32(tb[RTA_OIF]);
	rtnl_get_addr(&p->local, rtm->rtm_family, tb[RTA_PREFSRC]);
	if (tb[RTA_GATEWAY])
		rtnl_get_addr(&p->gateway, rtm->rtm_family, tb[RTA_GATEWAY]);
}

/* The kernel's choice for packets to @remote; through @oif if that is not 0. */
static int look_up(struct net *n, const struct ike_addr *remote, const struct ike_addr *local,
		   uint32_t mark, uint32_t oif, struct net_path *p)
{
	struct rtmsg head = {
		.rtm_family = rtnl_family(remote),
		.rtm_dst_len = (unsigned char)(rtnl_addr_len(remote) * 8),
		.rtm_src_len = (unsigned char)(local->family ? rtnl_addr_len(local) * 8 : 0),
	};
	struct nl_msg *msg = rtnl_request(RTM_GETROUTE, 0, &head, sizeof(head));

	memset(p, 0, sizeof(*p));
	if (msg) {
		rtnl_put_addr(msg, RTA_DST, remote);
		rtnl_put_addr(msg, RTA_SRC, local);
		if (mark)
			nla_put_u32(msg, RTA_MARK, mark);
		if (oif)
			nla_put_u32(msg, RTA_OIF, oif);
	}
	return rtnl_talk(n->sk, msg, read_path, p);
}

/* Of an IPv6 address IFA_ADDRESS tells, except where the other end of a link has one, too. */
static const struct nlattr *local_address(struct nlmsghdr *nlh)
{
	const struct nlattr *a = nlmsg_find_attr(nlh, sizeof(struct ifaddrmsg), IFA_LOCAL);

	return a ? a : nlmsg_find_attr(nlh, sizeof(struct ifaddrmsg), IFA_ADDRESS);
}

struct own {
	const struct ike_addr *addr;
	bool found;
};

static void read_own(void *ctx, struct nlmsghdr *nlh)
{
	const struct nlattr *a = local_address(nlh);
	struct own *own = ctx;

	own->found |= a && nla_len(a) == rtnl_addr_len(own->addr) &&
		      !memcmp(nla_data(a), own->addr->b, (size_t)nla_len(a));
}

bool net_is_own(struct net *n, const struct ike_addr *addr)
{
	static const struct ike_addr any;
	struct own own = { .addr = addr };
	struct net_path p;

	if (!look_up(n, addr, &any, 0, 0, &p) && p.own)
		return true;
	return !rtnl_talk(n->sk, list_addresses(rtnl_family(addr), 0), read_own, &own) && own.found;
}

struct near {
	const struct net_prefix *p;
	uint32_t except; /* no address of this link counts */
	bool found;
};

static void read_near(void *ctx, struct nlmsghdr *nlh)
{
	const struct ifaddrmsg *ifa = nlmsg_data(nlh);
	struct ike_addr local, at; /* the other end of a link with two, in its network */
	struct near *near = ctx;

	if (ifa->ifa_index == near->except)
		return;
	rtnl_get_addr(&local, ifa->ifa_family, local_address(nlh));
	rtnl_get_addr(&at, ifa->ifa_family, nlmsg_find_attr(nlh, sizeof(*ifa), IFA_ADDRESS));
	near->found |= near->p->len >= ifa->ifa_prefixlen &&
		       (ike_addr_eq(&near->p->addr, &local) ||
			ike_addr_in_net(&near->p->addr, &at, ifa->ifa_prefixlen));
}

bool net_is_near(struct net *n, const struct net_prefix *p, uint32_t except)
{
	struct near near = { .p = p, .except = except };

	return !rtnl_talk(n->sk, list_addresses(rtnl_family(&p->addr), 0), read_near, &near) &&
	       near.found;
}

struct addresses {
	struct net_address *out;
	unsigned int n, max;
};

static void read_global(void *ctx, struct nlmsghdr *nlh)
{
	struct ifaddrmsg *ifa = nlmsg_data(nlh);
	const struct nlattr *a = local_address(nlh), *f;
	uint32_t flags = ifa->ifa_flags;
	struct addresses *all = ctx;

	f = nlmsg_find_attr(nlh, sizeof(*ifa), IFA_FLAGS);
	if (f)
		flags = nla_get_u32(f);
	if (ifa->ifa_family == AF_INET6 && /* IFA_F_TEMPORARY is IFA_F_SECONDARY in IPv4 */
	    (flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED | IFA_F_DEPRECATED | IFA_F_TEMPORARY)))
		return;
	if (!a || ifa->ifa_scope != RT_SCOPE_UNIVERSE || all->n == all->max)
		return;
	all->out[all->n].ifindex = ifa->ifa_index;
	rtnl_get_addr(&all->out[all->n++].addr, ifa->ifa_family, a);
}

static void forget_addresses(void *ctx)
{
	((struct addresses *)ctx)->n = 0;
}

int net_addresses(struct net *n, struct net_address *out, unsigned int max)
{
	struct addresses all = { .out = out, .max = max };
	int err =
		rtnl_dump(n->sk, list_addresses(AF_UNSPEC, 0), read_global, forget_addresses, &all);

	return err ? err : (int)all.n;
}

void net_find_path(struct net *n, const struct ike_addr *remote, const struct ike_addr *local,
		   uint32_t mark, struct net_path *p)
{
	memset(p, 0, sizeof(*p));
	if (remote->family)
		p->err = look_up(n, remote, local, mark, 0, p);
	if (!local->family)
		return;
	/* The kernel calls an IPv4 source that is not ours unreachable, too; IPv6 takes any. */
	p->not_local = (p->err || !remote->family || local->family == 6) && !net_is_own(n, local);
	p->local = *local;
}

/* ---- VRFs --------------------------------------------------------------------------- */

struct vrfs {
	struct net_vrf v[NET_MAX_VRFS];
	unsigned int n;
};

static void read_vrf(void *ctx, struct nlmsghdr *nlh)
{
	struct nlattr *tb[IFLA_LINKINFO + 1], *kind, *data, *table;
	struct ifinfomsg *ifi = nlmsg_data(nlh);
	struct vrfs *all = ctx;
	struct net_vrf *vrf = &all->v[all->n];

	if (all->n == NET_MAX_VRFS || nlh->nlmsg_type != RTM_NEWLINK ||
	    nlmsg_parse(nlh, sizeof(*ifi), tb, IFLA_LINKINFO, NULL) || !tb[IFLA_LINKINFO] ||
	    !tb[IFLA_IFNAME])
		return;
	kind = nla_find(nla_data(tb[IFLA_LINKINFO]), nla_len(tb[IFLA_LINKINFO]), IFLA_INFO_KIND);
	data = nla_find(nla_data(tb[IFLA_LINKINFO]), nla_len(tb[IFLA_LINKINFO]), IFLA_INFO_DATA);
	table = data ? nla_find(nla_data(data), nla_len(data), IFLA_VRF_TABLE) : NULL;
	if (!kind || nla_strcmp(kind, "vrf") || !table)
		return;
	snprintf(vrf->name, sizeof(vrf->name), "%s", nla_get_string(tb[IFLA_IFNAME]));
	vrf->ifindex = (uint32_t)ifi->ifi_index;
	vrf->table = nla_get_u32(table);
	all->n++;
}

/* Only the links of this kind, if the kernel can tell. */
static struct nl_msg *list_vrfs(void)
{
	struct ifinfomsg head = { .ifi_family = AF_UNSPEC };
	struct nl_msg *msg = rtnl_request(RTM_GETLINK, NLM_F_DUMP, &head, sizeof(head));
	struct nlattr *info = msg ? nla_nest_start(msg, IFLA_LINKINFO) : NULL;

	if (info) {
		nla_put_string(msg, IFLA_INFO_KIND, "vrf");
		nla_nest_end(msg, info);
	}
	return msg;
}

bool net_find_vrf(struct net *n, const struct ike_addr *remote, struct net_vrf *out)
{
	static const struct ike_addr any;
	struct vrfs all = { .n = 0 };
	struct net_path p;

	if (!remote->family || rtnl_talk(n->sk, list_vrfs(), read_vrf, &all))
		return false;
	for (unsigned int i = 0; i < all.n; i++) {
		if (look_up(n, remote, &any, 0, all.v[i].ifindex, &p))
			continue;
		*out = all.v[i];
		return true;
	}
	return false;
}
