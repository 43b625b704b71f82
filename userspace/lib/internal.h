/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Inside libesptun. Codec and extack functions are pure over buffers, so that
 * tests and the fuzzer need no socket.
 */
#ifndef LIB_INTERNAL_H
#define LIB_INTERNAL_H

#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <linux/genetlink.h>

#include "lib/esptun.h"

#pragma GCC visibility push(hidden)

/* ------------------------------------------------------- attribute sets (attrs.c) */

/* One attribute set of the spec: what an attribute is called and may hold. */
struct attr_set {
	const char *const *name; /* indexed by type, NULL unknown */
	const struct nla_policy *policy; /* indexed by type */
	const struct attr_set *const *nested; /* indexed by type; may be NULL */
	int max;
};

extern const struct attr_set esptun_attrs_esptun;
extern const struct attr_set esptun_attrs_peer;
extern const struct attr_set esptun_attrs_sa;
extern const struct attr_set esptun_attrs_ts;
extern const struct attr_set esptun_attrs_ike;
extern const struct attr_set esptun_attrs_flow;
extern const struct attr_set esptun_attrs_stats;
extern const struct attr_set esptun_attrs_algo;
extern const struct attr_set esptun_attrs_link; /* IFLA_INFO_DATA */
extern const struct attr_set esptun_attrs_linkinfo; /* IFLA_LINKINFO */
extern const struct attr_set esptun_attrs_ifinfo; /* RTM_*LINK */

/* --------------------------------------------------------- extended ack (extack.c) */

/* What the kernel said about a request. */
struct extack {
	int error; /* 0 or negative errno */
	char msg[192]; /* "" if it said nothing */
	char attr[64]; /* "sa.encr-key", "" if it named none */
	bool missing; /* that attribute was missing */
};

/**
 * esptun_extack_decode() - decode an NLMSG_ERROR or a failing NLMSG_DONE
 * @nlh: the message, @nlh->nlmsg_len octets of it readable
 * @req: the request it answers, for turning an offset into a name; may be NULL
 * @hdrlen: octets between nlmsghdr and attributes in @req
 * @set: attribute set of @req
 * @out: filled on success
 * Return: 0, or -EBADMSG if truncated.
 */
int esptun_extack_decode(const struct nlmsghdr *nlh, const struct nlmsghdr *req, size_t hdrlen,
			 const struct attr_set *set, struct extack *out);

/* --------------------------------------------------------------- codec (codec.c) */

/*
 * Encoders append one attribute to @msg: 0, or -EMSGSIZE if it is full, or
 * -EINVAL if the struct cannot be expressed.
 */
int esptun_peer_encode(struct nl_msg *msg, const struct esptun_peer *peer);
int esptun_peer_encode_id(struct nl_msg *msg, uint32_t id);
int esptun_sa_encode(struct nl_msg *msg, const struct esptun_sa *sa);
int esptun_sa_encode_changes(struct nl_msg *msg, const struct esptun_sa *sa);
int esptun_sa_encode_id(struct nl_msg *msg, enum esptun_sa_dir dir, uint32_t spi, uint32_t peer);
int esptun_sa_encode_peer(struct nl_msg *msg, uint32_t peer);
int esptun_ike_encode(struct nl_msg *msg, const struct esptun_ike *ike);
int esptun_link_encode(struct nl_msg *msg, const struct esptun_link *link);

/*
 * Decoders take a whole message, @len octets readable: 0; -EBADMSG if it is
 * malformed; -ENOMSG if it is not about what was asked (another command or link
 * kind); -ENOMEM. On failure nothing is allocated.
 */
int esptun_peer_decode(const struct nlmsghdr *nlh, size_t len, struct esptun_peer *peer);
int esptun_sa_decode(const struct nlmsghdr *nlh, size_t len, struct esptun_sa *sa);
int esptun_algo_decode(const struct nlmsghdr *nlh, size_t len, struct esptun_algo *algo);
int esptun_stats_decode(const struct nlmsghdr *nlh, size_t len, struct esptun_link_stats *stats);
int esptun_link_decode(const struct nlmsghdr *nlh, size_t len, struct esptun_link *link);
int esptun_event_decode(const struct nlmsghdr *nlh, size_t len, struct esptun_event *ev);
void esptun_event_clear(struct esptun_event *ev);

/* --------------------------------------------------------------- sockets (sock.c) */

#define RECV_BUF_SIZE (128 * 1024) /* the largest message is an IKE datagram */

struct esptun {
	struct nl_sock *genl;
	struct nl_sock *rtnl;
	struct nl_sock *events; /* NULL until opened */
	struct nl_sock *ike; /* NULL until opened */
	int family; /* genl id, 0 until resolved */
	int group; /* multicast group of events */
	uint8_t *event_buf;
	char error[512];
};

/*
 * One request and what to do with the answer.
 * reply() gets each answering message; after a negative return it is not called
 * again, and the exchange fails once the answer has been read to its end.
 */
struct request {
	const char *what; /* "cannot add peer 1" */
	struct nl_msg *msg;
	struct nl_sock *sock;
	size_t hdrlen;
	const struct attr_set *set;
	int (*reply)(const struct nlmsghdr *nlh, size_t len, void *arg);
	void *arg;
	int failed; /* what reply() returned */
	bool interrupted; /* NLM_F_DUMP_INTR seen */
};

/**
 * esptun_request_walk() - handle one received datagram (pure)
 * @rq: the request
 * @buf: the datagram
 * @len: its octets
 * @ack: filled when the answer is complete
 * Return: 1 answer complete; 0 more to come; -EBADMSG malformed.
 */
int esptun_request_walk(struct request *rq, const void *buf, size_t len, struct extack *ack);

/**
 * esptun_request_genl() - start a request to the esptun family
 * Return: 0 with rq->msg to append attributes to, or a negative errno with
 * error text. esptun_request_run() frees the message.
 */
int esptun_request_genl(struct esptun *h, struct request *rq, uint8_t cmd, int flags,
			uint32_t ifindex, size_t size, const char *what);
int esptun_request_rtnl(struct esptun *h, struct request *rq, uint16_t type, int flags,
			const void *hdr, size_t hdrlen, const char *what);

/**
 * esptun_request_run() - send, read the whole answer, free and wipe the message
 * @h: the handle
 * @rq: the request
 * @err: a failure of encoding, which is then reported instead of sending
 */
int esptun_request_run(struct esptun *h, struct request *rq, int err);

/* set error text, return @err */
int esptun_set_error(struct esptun *h, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
int esptun_set_ack_error(struct esptun *h, const char *what, const struct extack *ack);

/* look family and group up once; 0 or a negative errno with text */
int esptun_family_resolve(struct esptun *h);

/* a further socket to the family for events or IKE; NULL with text */
struct nl_sock *esptun_sock_new(struct esptun *h, int proto);

/* recv() that takes only what the kernel sent: octets, or negative errno */
ssize_t esptun_sock_recv(struct nl_sock *sk, void *buf, size_t size);

/* A growing array filled by a dump, and how to fill it. */
struct list {
	void *items;
	size_t n, cap, item_size;
	int tries;
	int (*reply)(const struct nlmsghdr *nlh, size_t len, void *list);
	void (*clear)(struct list *l); /* what the items own; may be NULL */
};

void *esptun_list_add(struct list *l); /* a zeroed item, or NULL */

/**
 * esptun_dump_genl() - dump into a list until it is consistent
 * @h: the handle
 * @l: item_size, reply and clear set; empty after a failure
 * @cmd: ESPTUN_CMD_*_GET
 * @ifindex: of one link, or 0
 * @flags: 0 or ESPTUN_SHOW_KEYS
 * @what: start of the error text
 */
int esptun_dump_genl(struct esptun *h, struct list *l, uint8_t cmd, uint32_t ifindex,
		     unsigned int flags, const char *what);

/**
 * esptun_dump_again() - run one try of a dump
 * @h: the handle
 * @l: the list, emptied first
 * @rq: the request just made
 * @made: what making it returned
 * @err: gets the result
 * Return: true if it was interrupted by a change and should be made again.
 */
bool esptun_dump_again(struct esptun *h, struct list *l, struct request *rq, int made, int *err);

#pragma GCC visibility pop

#endif
