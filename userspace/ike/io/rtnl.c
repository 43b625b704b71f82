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

/* A dump during which something changed is asked for again, so often. */
#define DUMP_TRIES 5

struct reply {
	rtnl_fn fn;
	rtnl_anew_fn anew;
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

/* Everything up to the end of the answer. Return: -EAGAIN if a dump was interrupted by changes. */
static int receive(struct nl_sock *sk, struct nl_cb *cb, struct reply *r)
{
	bool interrupted = false;
	int err;

	do {
		err = nl_recvmsgs(sk, cb);
		interrupted |= err == -NLE_DUMP_INTR;
	} while (!r->done && (err >= 0 || err == -NLE_DUMP_INTR));
	if (r->err)
		return r->err;
	if (interrupted)
		return -EAGAIN;
	return err < 0 ? -EIO : 0;
}

static int talk(struct nl_sock *sk, struct nl_msg *msg, struct nl_cb *cb, struct reply *r)
{
	int err = 0;

	for (int tries = 0; tries < DUMP_TRIES; tries++) {
		if (tries && r->anew)
			r->anew(r->ctx);
		r->done = false;
		nlmsg_hdr(msg)->nlmsg_seq = NL_AUTO_SEQ;
		if (nl_send_auto(sk, msg) < 0)
			return -EIO;
		err = receive(sk, cb, r);
		if (err != -EAGAIN)
			break;
	}
	return err;
}

int rtnl_dump(struct nl_sock *sk, struct nl_msg *msg, rtnl_fn fn, rtnl_anew_fn anew, void *ctx)
{
	struct reply r = { .fn = fn, .anew = anew, .ctx = ctx };
	struct nl_cb *cb = nl_cb_alloc(NL_CB_DEFAULT);
	int err = -ENOMEM;

	if (cb && msg) {
		nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, on_valid, &r);
		nl_cb_set(cb, NL_CB_ACK, NL_CB_CUSTOM, on_end, &r);
		nl_cb_set(cb, NL_CB_FINISH, NL_CB_CUSTOM, on_end, &r);
		nl_cb_err(cb, NL_CB_CUSTOM, on_error, &r);
		/* A dump ends by itself; its flags overlap with NLM_F_EXCL. */
		if ((nlmsg_hdr(msg)->nlmsg_flags & NLM_F_DUMP) != NLM_F_DUMP)
			nlmsg_hdr(msg)->nlmsg_flags |= NLM_F_ACK;
		err = talk(sk, msg, cb, &r);
	}
	nlmsg_free(msg);
	nl_cb_put(cb);
	return err;
}

int rtnl_talk(struct nl_sock *sk, struct nl_msg *msg, rtnl_fn fn, void *ctx)
{
	return rtnl_dump(sk, msg, fn, NULL, ctx);
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
