// SPDX-License-Identifier: GPL-2.0-or-later
#include "ike/io/rule.h"

#include <errno.h>
#include <linux/fib_rules.h>
#include <stdlib.h>
#include <string.h>

#include "ike/proto/addr.h"

/* One that is there. */
struct rule {
	struct net_prefix to;
	char name[16];
	bool keep;
	bool detached; /* there is no netdevice of this name */
};

struct rules {
	struct rule *v;
	unsigned int n, room;
	bool failed;
};

bool rule_is_ours(struct nlmsghdr *nlh)
{
	struct nlattr *proto, *iif;

	if (!nlmsg_valid_hdr(nlh, sizeof(struct fib_rule_hdr)))
		return false;
	proto = nlmsg_find_attr(nlh, sizeof(struct fib_rule_hdr), FRA_PROTOCOL);
	iif = nlmsg_find_attr(nlh, sizeof(struct fib_rule_hdr), FRA_IIFNAME);
	return iif && proto && nla_len(proto) == 1 && nla_get_u8(proto) == NET_PROTO;
}

static struct rule *add_rule(struct rules *all)
{
	unsigned int room = all->room ? 2 * all->room : 16;
	struct rule *grown = all->n == all->room ? realloc(all->v, room * sizeof(*grown)) : NULL;

	if (all->n == all->room && !grown) {
		all->failed = true;
		return NULL;
	}
	if (grown) {
		all->v = grown;
		all->room = room;
	}
	memset(&all->v[all->n], 0, sizeof(*all->v));
	return &all->v[all->n++];
}

static void read_rule(void *ctx, struct nlmsghdr *nlh)
{
	struct fib_rule_hdr *frh = nlmsg_data(nlh);
	struct rule *r;

	if (nlh->nlmsg_type != RTM_NEWRULE || !rule_is_ours(nlh) ||
	    (frh->family != AF_INET && frh->family != AF_INET6))
		return;
	r = add_rule(ctx);
	if (!r)
		return;
	rtnl_get_addr(&r->to.addr, frh->family, nlmsg_find_attr(nlh, sizeof(*frh), FRA_DST));
	r->to.len = frh->dst_len;
	r->detached = frh->flags & FIB_RULE_IIF_DETACHED;
	nla_strlcpy(r->name, nlmsg_find_attr(nlh, sizeof(*frh), FRA_IIFNAME), sizeof(r->name));
}

static void forget_rules(void *ctx)
{
	((struct rules *)ctx)->n = 0;
}

/* Those of both families; 0 or a negative errno. */
static int list_rules(struct nl_sock *sk, struct rules *all)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	int rc = 0;

	memset(all, 0, sizeof(*all));
	for (unsigned int i = 0; i < 2 && !rc; i++) {
		struct rules one = { 0 };
		struct fib_rule_hdr head = { .family = families[i] };

		rc = rtnl_dump(sk, rtnl_request(RTM_GETRULE, NLM_F_DUMP, &head, sizeof(head)),
			       read_rule, forget_rules, &one);
		for (unsigned int k = 0; k < one.n && !rc; k++) {
			struct rule *r = add_rule(all);

			if (r)
				*r = one.v[k];
		}
		all->failed |= one.failed;
		free(one.v);
		if (rc == -EAFNOSUPPORT || rc == -EOPNOTSUPP)
			rc = 0; /* a kernel without IPv6, or without rules: nothing is there */
	}
	return all->failed ? -ENOMEM : rc;
}

static int change_rule(struct nl_sock *sk, const char *name, const struct net_prefix *to, bool add)
{
	struct fib_rule_hdr head = {
		.family = rtnl_family(&to->addr),
		.dst_len = to->len,
		.action = FR_ACT_PROHIBIT,
	};
	struct nl_msg *msg = rtnl_request(add ? RTM_NEWRULE : RTM_DELRULE,
					  add ? NLM_F_CREATE | NLM_F_EXCL : 0, &head, sizeof(head));

	if (msg) {
		nla_put_string(msg, FRA_IIFNAME, name);
		rtnl_put_addr(msg, FRA_DST, &to->addr);
		nla_put_u32(msg, FRA_PRIORITY, RULE_PRIORITY);
		nla_put_u8(msg, FRA_PROTOCOL, NET_PROTO);
	}
	return rtnl_talk(sk, msg, NULL, NULL);
}

static bool is_there(const struct rules *have, const char *name, const struct net_prefix *to)
{
	bool there = false;

	for (unsigned int i = 0; i < have->n; i++) {
		if (have->v[i].to.len == to->len && !strcmp(have->v[i].name, name) &&
		    ike_addr_eq(&have->v[i].to.addr, &to->addr))
			there = have->v[i].keep = true;
	}
	return there;
}

int rule_put(struct nl_sock *sk, const char *name, const struct net_prefix *to, unsigned int n,
	     void (*fn)(void *ctx, const struct net_prefix *to), void *ctx)
{
	struct rules have;
	int rc = list_rules(sk, &have);

	for (unsigned int i = 0; i < n && !rc; i++) {
		if (is_there(&have, name, &to[i]))
			continue;
		rc = change_rule(sk, name, &to[i], true);
		if (!rc && fn)
			fn(ctx, &to[i]);
	}
	for (unsigned int i = 0; i < have.n && !rc; i++) {
		const struct rule *r = &have.v[i];

		if (!r->keep && (r->detached || !strcmp(r->name, name)))
			change_rule(sk, r->name, &r->to, false);
	}
	free(have.v);
	return rc;
}
