// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "ike/io/rtnl.h"

struct nl_sock *rtnl_open(void)
{
	struct nl_sock *sk = nl_socket_alloc();
	int on = 1;

	if (!sk)
		return NULL;
	if (nl_connect(sk, NETLINK_ROUTE)) {
		nl_socket_free(sk);
		return NULL;
	}
	nl_socket_disable_auto_ack(sk);
	/* Without it a dump is of everything, which whoever reads it sorts out. */
	setsockopt(nl_socket_get_fd(sk), SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof(on));
	return sk;
}

struct nl_msg *rtnl_request(int type, int flags, const void *head, size_t len)
{
	struct nl_msg *msg = nlmsg_alloc_simple(type, flags);

	if (msg && nlmsg_append(msg, (void *)head, len, NLMSG_ALIGNTO)) {
		nlmsg_free(msg);
		msg = NULL;
	}
	return msg;
}

struct reply {
	rtnl_fn fn;
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

int rtnl_talk(struct nl_sock *sk, struct nl_msg *msg, rtnl_fn fn, void *ctx)
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
	err = nl_send_auto(sk, msg);
	nlmsg_free(msg);
	while (err >= 0 && !r.done)
		err = nl_recvmsgs(sk, cb);
	nl_cb_put(cb);
	return r.err ? r.err : err < 0 ? -EIO : 0;
}

uint8_t rtnl_family(const struct ike_addr *a)
{
	return a->family == 4 ? AF_INET : AF_INET6;
}

int rtnl_addr_len(const struct ike_addr *a)
{
	return a->family == 4 ? 4 : 16;
}

void rtnl_put_addr(struct nl_msg *msg, int type, const struct ike_addr *a)
{
	if (a->family)
		nla_put(msg, type, rtnl_addr_len(a), a->b);
}

void rtnl_get_addr(struct ike_addr *a, uint8_t family, const struct nlattr *attr)
{
	memset(a, 0, sizeof(*a));
	a->family = family == AF_INET ? 4 : 6;
	if (attr && nla_len(attr) == rtnl_addr_len(a))
		memcpy(a->b, nla_data(attr), (size_t)nla_len(attr));
}
