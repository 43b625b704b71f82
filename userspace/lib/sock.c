// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The handle: sockets, one request with its answer, error text. Requests have
 * sockets of their own, so an event never stands between a request and its
 * acknowledgement.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/socket.h>
#include <linux/rtnetlink.h>
#include <netlink/errno.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/socket.h>

#include "lib/internal.h"

int esptun_set_error(struct esptun *h, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(h->error, sizeof(h->error), fmt, ap);
	va_end(ap);
	return err;
}

const char *esptun_error(const struct esptun *h)
{
	return h->error;
}

/* What a bare errno means here, better than strerror() where we know. */
static const char *error_text(int err)
{
	switch (err) {
	case -EPERM:
	case -EACCES: return "not permitted; run as root, or with CAP_NET_ADMIN";
	case -ENODEV: return "no such device";
	case -ENOENT: return "not found";
	case -EEXIST: return "exists already";
	case -EADDRINUSE: return "the UDP port is taken; stop its user or choose another port";
	case -EOPNOTSUPP:
		return "not supported by this kernel; is the module loaded? run: modprobe esptun";
	default: return strerror(-err);
	}
}

/*
 * The kernel's sentence often names the attribute itself; once is enough. A whole
 * object, such as "sa", helps nobody.
 */
static bool worth_naming(const struct extack *ack)
{
	const char *last = strrchr(ack->attr, '.');

	return ack->missing || (last && !strstr(ack->msg, last + 1));
}

int esptun_set_ack_error(struct esptun *h, const char *what, const struct extack *ack)
{
	const char *text = ack->msg[0] ? ack->msg : error_text(ack->error);

	if (!ack->msg[0] && ack->missing)
		text = "required attribute missing";
	if (ack->attr[0] && worth_naming(ack))
		return esptun_set_error(h, ack->error, "%s: %s (%s)", what, text, ack->attr);
	return esptun_set_error(h, ack->error, "%s: %s", what, text);
}

/* ------------------------------------------------------------------ sockets */

struct nl_sock *esptun_sock_new(struct esptun *h, int proto)
{
	struct nl_sock *sk = nl_socket_alloc();
	int one = 1, err;

	if (!sk) {
		esptun_set_error(h, -ENOMEM, "out of memory");
		return NULL;
	}
	err = nl_connect(sk, proto);
	if (err < 0) {
		esptun_set_error(h, -EIO, "cannot open a netlink socket: %s", nl_geterror(err));
		nl_socket_free(sk);
		return NULL;
	}
	/* libnl's 32 KB would do for all but the longest IKE datagram */
	nl_socket_set_buffer_size(sk, 256 * 1024, 256 * 1024);
	/* without these, errors only lose their text */
	setsockopt(nl_socket_get_fd(sk), SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one));
	setsockopt(nl_socket_get_fd(sk), SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one));
	return sk;
}

struct esptun *esptun_open(void)
{
	struct esptun *h = calloc(1, sizeof(*h));

	if (!h)
		return NULL;
	h->event_buf = malloc(RECV_BUF_SIZE);
	h->genl = esptun_sock_new(h, NETLINK_GENERIC);
	h->rtnl = esptun_sock_new(h, NETLINK_ROUTE);
	if (h->event_buf && h->genl && h->rtnl)
		return h;
	esptun_close(h);
	errno = ENOMEM;
	return NULL;
}

void esptun_close(struct esptun *h)
{
	if (!h)
		return;
	nl_socket_free(h->genl);
	nl_socket_free(h->rtnl);
	nl_socket_free(h->events);
	nl_socket_free(h->ike);
	free(h->event_buf);
	free(h);
}

ssize_t esptun_sock_recv(struct nl_sock *sk, void *buf, size_t size)
{
	struct sockaddr_nl from = { 0 };
	struct iovec iov = { .iov_base = buf, .iov_len = size };
	struct msghdr msg = {
		.msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = &iov,
		.msg_iovlen = 1,
	};
	ssize_t n;

	for (;;) {
		n = recvmsg(nl_socket_get_fd(sk), &msg, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (msg.msg_flags & MSG_TRUNC)
			return -EMSGSIZE;
		/* any process may send to a netlink socket; port 0 is the kernel */
		if (from.nl_pid == 0)
			return n;
		msg.msg_namelen = sizeof(from);
	}
}

/* Does the file's beginning hold @text? */
static bool file_has(const char *path, const char *text)
{
	char line[128] = "";
	FILE *f = fopen(path, "re");

	if (!f)
		return false;
	if (!fgets(line, sizeof(line), f))
		*line = 0;
	fclose(f);
	return strstr(line, text);
}

/* Does this kernel load signed modules only, as under Secure Boot? */
static bool signature_demanded(void)
{
	static const char lockdown[] = "/sys/kernel/security/lockdown";

	return file_has("/sys/module/module/parameters/sig_enforce", "Y") ||
	       file_has(lockdown, "[integrity]") || file_has(lockdown, "[confidentiality]");
}

/*
 * libnl's own exchange, in which it counts sequence numbers; so it has a socket of
 * its own for as long as it takes.
 */
int esptun_family_resolve(struct esptun *h)
{
	const char *hint = "";
	struct nl_sock *sk;

	if (h->family)
		return 0;
	sk = esptun_sock_new(h, NETLINK_GENERIC);
	if (!sk)
		return -ENOMEM;
	h->group = genl_ctrl_resolve_grp(sk, ESPTUN_GENL_NAME, ESPTUN_MCGRP_EVENTS);
	if (h->group >= 0)
		h->family = genl_ctrl_resolve(sk, ESPTUN_GENL_NAME);
	nl_socket_free(sk);
	if (h->group >= 0 && h->family > 0)
		return 0;
	h->family = 0;
	if (signature_demanded())
		hint = ". This kernel loads only signed modules (Secure Boot): if it says \"Key was rejected\", enrol DKMS's key with mokutil --import /var/lib/dkms/mok.pub";
	return esptun_set_error(h, -ENOENT,
				"esptun: kernel module not loaded; run: modprobe esptun%s", hint);
}

/* ----------------------------------------------------------------- requests */

static struct nl_msg *msg_new(struct nl_sock *sk, uint16_t type, int flags, size_t size)
{
	struct nl_msg *msg = nlmsg_alloc_size(size);
	struct nlmsghdr *nlh;

	if (!msg)
		return NULL;
	nlh = nlmsg_put(msg, nl_socket_get_local_port(sk), nl_socket_use_seq(sk), type, 0,
			NLM_F_REQUEST | flags);
	if (nlh)
		return msg;
	nlmsg_free(msg);
	return NULL;
}

int esptun_request_genl(struct esptun *h, struct request *rq, uint8_t cmd, int flags,
			uint32_t ifindex, size_t size, const char *what)
{
	struct genlmsghdr g = { .cmd = cmd, .version = ESPTUN_GENL_VERSION };
	int err = esptun_family_resolve(h);

	if (err)
		return err;
	h->error[0] = '\0';
	rq->what = what;
	rq->sock = h->genl;
	rq->hdrlen = GENL_HDRLEN;
	rq->set = &esptun_attrs_esptun;
	rq->msg = msg_new(h->genl, (uint16_t)h->family, flags, size + 256);
	if (!rq->msg || nlmsg_append(rq->msg, &g, sizeof(g), NLMSG_ALIGNTO) < 0 ||
	    (ifindex && nla_put_u32(rq->msg, ESPTUN_A_IFINDEX, ifindex) < 0)) {
		nlmsg_free(rq->msg);
		return esptun_set_error(h, -ENOMEM, "%s: out of memory", what);
	}
	return 0;
}

int esptun_request_rtnl(struct esptun *h, struct request *rq, uint16_t type, int flags,
			const void *hdr, size_t hdrlen, const char *what)
{
	h->error[0] = '\0';
	rq->what = what;
	rq->sock = h->rtnl;
	rq->hdrlen = hdrlen;
	rq->set = &esptun_attrs_ifinfo;
	rq->msg = msg_new(h->rtnl, type, flags, 1024);
	if (!rq->msg || nlmsg_append(rq->msg, (void *)hdr, hdrlen, NLMSG_ALIGNTO) < 0) {
		nlmsg_free(rq->msg);
		return esptun_set_error(h, -ENOMEM, "%s: out of memory", what);
	}
	return 0;
}

/* One message of the answer; as esptun_request_walk(). */
static int walk_one(struct request *rq, const struct nlmsghdr *nlh, struct extack *ack)
{
	const struct nlmsghdr *req = nlmsg_hdr(rq->msg);

	if (nlh->nlmsg_seq != req->nlmsg_seq)
		return 0; /* left over from an exchange given up */
	if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
		rq->interrupted = true;
	switch (nlh->nlmsg_type) {
	case NLMSG_NOOP: return 0;
	case NLMSG_OVERRUN: return -ENOBUFS;
	case NLMSG_ERROR:
	case NLMSG_DONE:
		if (esptun_extack_decode(nlh, req, rq->hdrlen, rq->set, ack))
			return -EBADMSG;
		return 1;
	default:
		if (rq->reply && !rq->failed)
			rq->failed = rq->reply(nlh, nlh->nlmsg_len, rq->arg);
		return 0;
	}
}

int esptun_request_walk(struct request *rq, const void *buf, size_t len, struct extack *ack)
{
	const char *p = buf;

	while (len >= NLMSG_HDRLEN) {
		const struct nlmsghdr *nlh = (const void *)p;
		size_t step;
		int ret;

		if (nlh->nlmsg_len < NLMSG_HDRLEN || nlh->nlmsg_len > len)
			return -EBADMSG;
		ret = walk_one(rq, nlh, ack);
		if (ret)
			return ret;
		step = NLMSG_ALIGN(nlh->nlmsg_len);
		if (step >= len)
			return 0;
		p += step;
		len -= step;
	}
	return len ? -EBADMSG : 0;
}

/* Read until the answer is complete. The buffer may have held keys: wipe. */
static int read_answer(struct request *rq, struct extack *ack)
{
	uint8_t *buf = malloc(RECV_BUF_SIZE);
	int ret = 0;

	if (!buf)
		return -ENOMEM;
	while (ret == 0) {
		ssize_t n = esptun_sock_recv(rq->sock, buf, RECV_BUF_SIZE);

		if (n < 0) {
			ret = (int)n;
			break;
		}
		ret = esptun_request_walk(rq, buf, (size_t)n, ack);
		explicit_bzero(buf, (size_t)n);
	}
	free(buf);
	return ret < 0 ? ret : rq->failed;
}

static int exchange(struct request *rq, struct extack *ack)
{
	const struct nlmsghdr *nlh = nlmsg_hdr(rq->msg);

	memset(ack, 0, sizeof(*ack));
	if (send(nl_socket_get_fd(rq->sock), nlh, nlh->nlmsg_len, 0) < 0)
		return -errno;
	return read_answer(rq, ack);
}

int esptun_request_run(struct esptun *h, struct request *rq, int err)
{
	struct extack ack;

	if (!err) {
		err = exchange(rq, &ack);
		if (!err && ack.error)
			err = esptun_set_ack_error(h, rq->what, &ack);
		else if (err)
			esptun_set_error(h, err, "%s: %s", rq->what, error_text(err));
	} else {
		esptun_set_error(h, err, "%s: %s", rq->what, error_text(err));
	}
	explicit_bzero(nlmsg_hdr(rq->msg), nlmsg_hdr(rq->msg)->nlmsg_len);
	nlmsg_free(rq->msg);
	rq->msg = NULL;
	return err;
}

void *esptun_list_add(struct list *l)
{
	size_t cap = l->cap ? 2 * l->cap : 16;
	void *items;

	if (l->n == l->cap) {
		/* not realloc(): an old copy could keep keys */
		items = calloc(cap, l->item_size);
		if (!items)
			return NULL;
		if (l->items) {
			memcpy(items, l->items, l->n * l->item_size);
			explicit_bzero(l->items, l->n * l->item_size);
			free(l->items);
		}
		l->items = items;
		l->cap = cap;
	}
	return (char *)l->items + l->item_size * l->n++;
}

/* A dump that keeps being interrupted is given up after so many tries. */
#define DUMP_TRIES 32

static void list_empty(struct list *l)
{
	if (l->clear)
		l->clear(l);
	free(l->items);
	l->items = NULL;
	l->n = 0;
	l->cap = 0;
}

bool esptun_dump_again(struct esptun *h, struct list *l, struct request *rq, int made, int *err)
{
	list_empty(l);
	*err = made;
	if (made)
		return false;
	rq->reply = l->reply;
	rq->arg = l;
	*err = esptun_request_run(h, rq, 0);
	if (!*err && rq->interrupted && ++l->tries < DUMP_TRIES)
		return true;
	if (!*err && rq->interrupted)
		*err = esptun_set_error(h, -EAGAIN, "%s: it keeps changing; try again", rq->what);
	if (*err)
		list_empty(l);
	return false;
}

int esptun_dump_genl(struct esptun *h, struct list *l, uint8_t cmd, uint32_t ifindex,
		     unsigned int flags, const char *what)
{
	struct request rq;
	int err;

	do {
		rq = (struct request){ 0 };
		err = esptun_request_genl(h, &rq, cmd, NLM_F_DUMP, ifindex, 0, what);
		/* fits: the message has room to spare */
		if (!err && (flags & ESPTUN_SHOW_KEYS))
			nla_put_flag(rq.msg, ESPTUN_A_SHOW_KEYS);
	} while (esptun_dump_again(h, l, &rq, err, &err));
	return err;
}
