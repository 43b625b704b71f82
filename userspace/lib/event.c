// SPDX-License-Identifier: LGPL-2.1-or-later
/* Events and the IKE channel, each on a non-blocking socket of its own. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <netlink/errno.h>
#include <netlink/socket.h>

#include "lib/internal.h"

#define EVENT_RCVBUF (4 * 1024 * 1024)
#define READ_BATCH 64

/* A burst must survive the time an agent spends on one handshake. */
static void grow_buffer(int fd)
{
	int size = EVENT_RCVBUF;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
}

static int make_nonblocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return -errno;
	return fd;
}

int esptun_events_open(struct esptun *h)
{
	struct nl_sock *sk;
	int err;

	if (h->events)
		return nl_socket_get_fd(h->events);
	err = esptun_family_resolve(h);
	if (err)
		return err;
	sk = esptun_sock_new(h, NETLINK_GENERIC);
	if (!sk)
		return -ENOMEM;
	grow_buffer(nl_socket_get_fd(sk));
	err = nl_socket_add_membership(sk, h->group);
	if (err < 0) {
		nl_socket_free(sk);
		if (err == -NLE_PERM)
			return esptun_set_error(
				h, -EPERM,
				"cannot follow events: not permitted; run as root, or with CAP_NET_ADMIN");
		return esptun_set_error(h, -EIO, "cannot follow events: %s", nl_geterror(err));
	}
	h->events = sk;
	return make_nonblocking(nl_socket_get_fd(sk));
}

int esptun_ike_open(struct esptun *h)
{
	struct request rq = { 0 };
	struct nl_sock *sk;
	int err;

	if (h->ike)
		return nl_socket_get_fd(h->ike);
	err = esptun_request_genl(h, &rq, ESPTUN_CMD_IKE_BIND, NLM_F_ACK, 0, 0,
				  "cannot claim the IKE channel");
	if (err)
		return err;
	sk = esptun_sock_new(h, NETLINK_GENERIC);
	if (!sk) {
		nlmsg_free(rq.msg);
		return -ENOMEM;
	}
	/* the channel goes to the socket that asks, so ask on the new one */
	rq.sock = sk;
	nlmsg_hdr(rq.msg)->nlmsg_pid = nl_socket_get_local_port(sk);
	grow_buffer(nl_socket_get_fd(sk));
	err = esptun_request_run(h, &rq, 0);
	if (err) {
		if (err == -EBUSY)
			esptun_set_error(
				h, err,
				"cannot claim the IKE channel: another agent holds it in this network namespace; stop it first");
		nl_socket_free(sk);
		return err;
	}
	h->ike = sk;
	return make_nonblocking(nl_socket_get_fd(sk));
}

static void deliver_overrun(esptun_event_fn fn, void *arg)
{
	struct esptun_event ev = { .type = ESPTUN_EVENT_OVERRUN };

	fn(&ev, arg);
}

/* Every message of one datagram; what does not decode is skipped. */
static int deliver(struct esptun *h, size_t len, esptun_event_fn fn, void *arg)
{
	const char *p = (const char *)h->event_buf;
	int count = 0;

	while (len >= NLMSG_HDRLEN) {
		const struct nlmsghdr *nlh = (const void *)p;
		struct esptun_event ev;

		if (nlh->nlmsg_len < NLMSG_HDRLEN || nlh->nlmsg_len > len)
			break;
		if (nlh->nlmsg_type == h->family &&
		    !esptun_event_decode(nlh, nlh->nlmsg_len, &ev)) {
			fn(&ev, arg);
			esptun_event_clear(&ev);
			count++;
		}
		if (NLMSG_ALIGN(nlh->nlmsg_len) >= len)
			break;
		len -= NLMSG_ALIGN(nlh->nlmsg_len);
		p += NLMSG_ALIGN(nlh->nlmsg_len);
	}
	return count;
}

static int read_events(struct esptun *h, struct nl_sock *sk, esptun_event_fn fn, void *arg)
{
	int i, count = 0;

	if (!sk)
		return esptun_set_error(h, -EBADF, "not open");
	for (i = 0; i < READ_BATCH; i++) {
		ssize_t n = esptun_sock_recv(sk, h->event_buf, RECV_BUF_SIZE);

		if (n == -EAGAIN)
			break;
		if (n == -ENOBUFS) {
			deliver_overrun(fn, arg);
			count++;
			continue;
		}
		if (n == -EMSGSIZE)
			continue; /* no message of ours is that long */
		if (n < 0)
			return esptun_set_error(h, (int)n, "cannot read events: %s",
						strerror((int)-n));
		count += deliver(h, (size_t)n, fn, arg);
	}
	return count;
}

int esptun_events_read(struct esptun *h, esptun_event_fn fn, void *arg)
{
	return read_events(h, h->events, fn, arg);
}

int esptun_ike_read(struct esptun *h, esptun_event_fn fn, void *arg)
{
	return read_events(h, h->ike, fn, arg);
}

int esptun_ike_send(struct esptun *h, uint32_t ifindex, const struct esptun_ike *ike)
{
	struct request rq = { 0 };
	int err;

	if (!ike->len || ike->len > ESPTUN_IKE_MAX)
		return esptun_set_error(h, -EMSGSIZE,
					"cannot send an IKE message of %zu octets (1 to %d)",
					ike->len, ESPTUN_IKE_MAX);
	err = esptun_request_genl(h, &rq, ESPTUN_CMD_IKE_SEND, NLM_F_ACK, ifindex, ike->len + 128,
				  "cannot send an IKE message");
	return err ? err : esptun_request_run(h, &rq, esptun_ike_encode(rq.msg, ike));
}
