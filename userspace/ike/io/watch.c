// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <event2/event.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "ike/io/rtnl.h"
#include "ike/io/rule.h"
#include "ike/io/watch.h"

/* A routing daemon that learns a whole table must not overrun us. */
enum { RECEIVE_BUFFER = 4 << 20 /* bytes */ };

struct watch {
	struct nl_sock *sk;
	struct event *event;
	struct watch_events to;
	/* Links whose carrier is gone. */
	uint32_t *dark;
	size_t n_dark;
};

/* ---- links ------------------------------------------------------------------------- */

static bool kind_is_esptun(struct nlattr *linkinfo)
{
	struct nlattr *kind =
		linkinfo ? nla_find(nla_data(linkinfo), nla_len(linkinfo), IFLA_INFO_KIND) : NULL;

	return kind && !nla_strcmp(kind, "esptun");
}

static bool forget_dark(struct watch *w, uint32_t ifindex)
{
	for (size_t i = 0; i < w->n_dark; i++) {
		if (w->dark[i] != ifindex)
			continue;
		w->dark[i] = w->dark[--w->n_dark];
		return true;
	}
	return false;
}

static void note_carrier(struct watch *w, uint32_t ifindex, bool carrier)
{
	bool was_dark = forget_dark(w, ifindex);
	uint32_t *grown;

	if (carrier) {
		if (was_dark)
			w->to.carrier(w->to.ctx, ifindex);
		return;
	}
	grown = realloc(w->dark, (w->n_dark + 1) * sizeof(*grown));
	if (!grown)
		return; /* timers make up for it */
	w->dark = grown;
	w->dark[w->n_dark++] = ifindex;
}

static void on_link(struct watch *w, struct nlmsghdr *nlh)
{
	struct ifinfomsg *ifi = nlmsg_data(nlh);
	struct nlattr *tb[IFLA_LINKINFO + 1], *there;
	uint32_t ifindex = (uint32_t)ifi->ifi_index;

	/* Ports of bridges are told with the same message, in their own family. */
	if (ifi->ifi_family != AF_UNSPEC || nlmsg_parse(nlh, sizeof(*ifi), tb, IFLA_LINKINFO, NULL))
		return;
	if (nlh->nlmsg_type == RTM_DELLINK) {
		forget_dark(w, ifindex);
		there = nlmsg_find_attr(nlh, sizeof(*ifi), IFLA_NEW_IFINDEX);
		w->to.link_gone(w->to.ctx, ifindex,
				nlmsg_find_attr(nlh, sizeof(*ifi), IFLA_NEW_NETNSID),
				there ? nla_get_u32(there) : 0);
	} else if (!kind_is_esptun(tb[IFLA_LINKINFO])) {
		note_carrier(w, ifindex, ifi->ifi_flags & IFF_RUNNING);
	} else if (tb[IFLA_IFNAME] && tb[IFLA_MTU]) {
		const struct watch_link l = {
			.ifindex = ifindex,
			.name = nla_get_string(tb[IFLA_IFNAME]),
			.mtu = nla_get_u32(tb[IFLA_MTU]),
			.up = ifi->ifi_flags & IFF_UP,
			.running = ifi->ifi_flags & IFF_RUNNING,
		};

		w->to.link(w->to.ctx, &l);
	}
}

/* ---- addresses, routes, rules ------------------------------------------------------- */

static void on_address(struct watch *w, struct nlmsghdr *nlh)
{
	struct ifaddrmsg *ifa = nlmsg_data(nlh);

	if (nlh->nlmsg_type == RTM_DELADDR)
		w->to.stripped(w->to.ctx, ifa->ifa_index);
	w->to.paths(w->to.ctx);
}

static void on_route(struct watch *w, struct nlmsghdr *nlh)
{
	struct rtmsg *rtm = nlmsg_data(nlh);
	struct nlattr *tb[RTA_OIF + 1];
	struct net_prefix to = { .len = rtm->rtm_dst_len };

	if ((rtm->rtm_flags & RTM_F_CLONED) ||
	    (rtm->rtm_family != AF_INET && rtm->rtm_family != AF_INET6) ||
	    nlmsg_parse(nlh, sizeof(*rtm), tb, RTA_OIF, NULL))
		return;
	rtnl_get_addr(&to.addr, rtm->rtm_family, tb[RTA_DST]);
	if (nlh->nlmsg_type == RTM_DELROUTE && tb[RTA_OIF])
		w->to.stripped(w->to.ctx, nla_get_u32(tb[RTA_OIF]));
	else if (nlh->nlmsg_type == RTM_NEWROUTE && (nlh->nlmsg_flags & NLM_F_REPLACE))
		w->to.replaced(w->to.ctx, &to);
	w->to.paths(w->to.ctx);
}

static int on_message(struct nl_msg *msg, void *arg)
{
	struct watch *w = arg;
	struct nlmsghdr *nlh = nlmsg_hdr(msg);

	switch (nlh->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		if (nlmsg_valid_hdr(nlh, sizeof(struct ifinfomsg)))
			on_link(w, nlh);
		break;
	case RTM_NEWADDR:
	case RTM_DELADDR:
		if (nlmsg_valid_hdr(nlh, sizeof(struct ifaddrmsg)))
			on_address(w, nlh);
		break;
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		if (nlmsg_valid_hdr(nlh, sizeof(struct rtmsg)))
			on_route(w, nlh);
		break;
	case RTM_NEWRULE:
	case RTM_DELRULE:
		if (nlh->nlmsg_type == RTM_DELRULE && rule_is_ours(nlh))
			w->to.unruled(w->to.ctx);
		w->to.paths(w->to.ctx);
		break;
	default: break;
	}
	return NL_OK;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct watch *w = arg;

	(void)fd;
	(void)what;
	if (nl_recvmsgs_default(w->sk) == -NLE_NOMEM) /* ENOBUFS */
		w->to.overrun(w->to.ctx);
}

/* ---- life ---------------------------------------------------------------------------- */

static bool subscribe(struct watch *w)
{
	int size = RECEIVE_BUFFER;

	if (nl_connect(w->sk, NETLINK_ROUTE))
		return false;
	nl_socket_set_buffer_size(w->sk, size, 0);
	setsockopt(nl_socket_get_fd(w->sk), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	return !nl_socket_add_memberships(w->sk, RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR,
					  RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_ROUTE,
					  RTNLGRP_IPV6_ROUTE, RTNLGRP_IPV4_RULE, RTNLGRP_IPV6_RULE,
					  RTNLGRP_NONE) &&
	       !nl_socket_set_nonblocking(w->sk);
}

struct watch *watch_open(struct event_base *base, const struct watch_events *events)
{
	struct watch *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->to = *events;
	w->sk = nl_socket_alloc();
	if (!w->sk)
		goto fail;
	nl_socket_disable_seq_check(w->sk);
	nl_socket_modify_cb(w->sk, NL_CB_VALID, NL_CB_CUSTOM, on_message, w);
	if (!subscribe(w))
		goto fail;
	w->event = event_new(base, nl_socket_get_fd(w->sk), EV_READ | EV_PERSIST, on_readable, w);
	if (w->event && !event_add(w->event, NULL))
		return w;
fail:
	watch_close(w);
	errno = EPROTO;
	return NULL;
}

void watch_close(struct watch *w)
{
	if (!w)
		return;
	if (w->event)
		event_free(w->event);
	if (w->sk)
		nl_socket_free(w->sk);
	free(w->dark);
	free(w);
}
