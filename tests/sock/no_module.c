// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libesptun and esptund's net.c, as far as esptund uses them, without kernel module and netdevices,
 * so that esptund itself runs on any machine with ten thousand tunnels. Peers are a table here, SAs carry
 * nothing, and the IKE channel is a socket on UDP port 4500. What asks the kernel about a tunnel
 * asks generic netlink's controller something instead, which costs about as much.
 */
#include <net/if.h>
#include <linux/if.h>
#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <search.h>
#include <linux/genetlink.h>
#include <netlink/genl/genl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ike/io/net.h"
#include "ike/io/rtnl.h"
#include "lib/esptun.h"

enum { BUCKETS = 4096, MARKER = 4 /* octets of the non-ESP marker, zero */ };

struct peer {
	LIST_ENTRY(peer) link;
	struct esptun_peer p;
};

LIST_HEAD(peers, peer);

struct esptun {
	struct nl_sock *genl;
	int events, ike; /* descriptors; -1: not open */
	struct peers peers[BUCKETS]; /* by link */
	uint32_t spi; /* given last */
	char error[128];
	uint8_t buf[MARKER + ESPTUN_IKE_MAX];
};

struct esptun *esptun_open(void)
{
	struct esptun *h = calloc(1, sizeof(*h));

	if (!h)
		return NULL;
	h->events = h->ike = -1;
	h->spi = ESPTUN_SPI_MIN;
	h->genl = nl_socket_alloc();
	if (h->genl && !genl_connect(h->genl))
		return h;
	esptun_close(h);
	errno = EPROTO;
	return NULL;
}

void esptun_close(struct esptun *h)
{
	if (!h)
		return;
	for (unsigned int i = 0; i < BUCKETS; i++) {
		struct peer *p;

		while ((p = LIST_FIRST(&h->peers[i]))) {
			LIST_REMOVE(p, link);
			free(p);
		}
	}
	if (h->events >= 0)
		close(h->events);
	if (h->ike >= 0)
		close(h->ike);
	nl_socket_free(h->genl);
	free(h);
}

const char *esptun_error(const struct esptun *h)
{
	return h->error;
}

/* In place of a question to the module. */
static int ask(struct esptun *h)
{
	struct nl_msg *msg = nlmsg_alloc();

	if (!msg)
		return -ENOMEM;
	if (!genlmsg_put(msg, 0, 0, GENL_ID_CTRL, 0, 0, CTRL_CMD_GETFAMILY, 2) ||
	    nla_put_u16(msg, CTRL_ATTR_FAMILY_ID, GENL_ID_CTRL)) {
		nlmsg_free(msg);
		return -EMSGSIZE;
	}
	return rtnl_talk(h->genl, msg, NULL, NULL);
}

/* ---- links --------------------------------------------------------------------- */

/* Only esptund's network part makes links, and net_up() below does without. */
int esptun_link_get(struct esptun *h, const char *name, struct esptun_link *link)
{
	memset(link, 0, sizeof(*link));
	snprintf(link->name, sizeof(link->name), "%s", name);
	link->ifindex = 1;
	link->mtu = 1400;
	link->operstate = IF_OPER_UP;
	return ask(h);
}

struct link {
	uint32_t index;
	char name[IFNAMSIZ];
};

static void *links; /* a tree of tsearch(): a name keeps its number */

static int compare_links(const void *a, const void *b)
{
	return strcmp(((const struct link *)a)->name, ((const struct link *)b)->name);
}

/* 0: out of memory. */
static uint32_t index_of(const char *name)
{
	static uint32_t last;
	struct link *l = calloc(1, sizeof(*l)), **found;

	if (!l)
		return 0;
	snprintf(l->name, sizeof(l->name), "%s", name);
	found = tsearch(l, &links, compare_links);
	if (!found || *found != l)
		free(l);
	if (!found)
		return 0;
	if (!(*found)->index)
		(*found)->index = ++last;
	return (*found)->index;
}

struct net *net_open(struct esptun *h)
{
	return (struct net *)h;
}

void net_close(struct net *n)
{
	(void)n;
}

void net_note_routes(struct net *n)
{
	(void)n;
}

void net_forget_routes(struct net *n)
{
	(void)n;
}

int net_up(struct net *n, const struct net_conf *conf, uint32_t *ifindex, bool *made, char *err,
	   size_t err_size)
{
	(void)n;
	*ifindex = index_of(conf->name);
	*made = false;
	if (!*ifindex)
		snprintf(err, err_size, "no memory");
	return *ifindex ? 0 : -ENOMEM;
}

int net_restore(struct net *n, const struct net_conf *conf, uint32_t ifindex, struct net_did *did,
		char *err, size_t err_size)
{
	(void)n;
	(void)conf;
	(void)ifindex;
	(void)err;
	(void)err_size;
	memset(did, 0, sizeof(*did));
	return 0;
}

/* As many bytes as the link's number, so that tests can tell them from others'. */
int net_traffic(struct net *n, uint32_t ifindex, struct net_traffic *out)
{
	*out = (struct net_traffic){ 1, ifindex, 2, 2 * (uint64_t)ifindex };
	return ask((struct esptun *)n);
}

void net_down(struct net *n, uint32_t ifindex)
{
	(void)n;
	(void)ifindex;
}

int net_each_own(struct net *n, void (*fn)(void *ctx, const char *name, uint32_t ifindex),
		 void *ctx)
{
	(void)n;
	(void)fn;
	(void)ctx;
	return 0;
}

void net_find_path(struct net *n, const struct ike_addr *remote, const struct ike_addr *local,
		   uint32_t mark, struct net_path *p)
{
	(void)n;
	(void)remote;
	(void)mark;
	memset(p, 0, sizeof(*p));
	p->local = *local;
}

bool net_is_own(struct net *n, const struct ike_addr *addr)
{
	(void)n;
	(void)addr;
	return false;
}

bool net_is_near(struct net *n, const struct net_prefix *p, uint32_t except)
{
	(void)n;
	(void)p;
	(void)except;
	return false;
}

void net_given(struct net *n, const char *name, struct ike_addr out[2])
{
	(void)n;
	(void)name;
	memset(out, 0, 2 * sizeof(*out));
}

unsigned int net_routes(struct net *n, const char *name, struct net_prefix *out, unsigned int max)
{
	(void)n;
	(void)name;
	(void)out;
	(void)max;
	return 0;
}

int net_addresses(struct net *n, struct net_address *out, unsigned int max)
{
	(void)n;
	(void)out;
	(void)max;
	return 0;
}

bool net_find_vrf(struct net *n, const struct ike_addr *remote, struct net_vrf *out)
{
	(void)n;
	(void)remote;
	(void)out;
	return false;
}

/* ---- peers --------------------------------------------------------------------- */

static struct peer *find(struct esptun *h, uint32_t ifindex, uint32_t id)
{
	struct peer *p;

	LIST_FOREACH(p, &h->peers[ifindex % BUCKETS], link)
	{
		if (p->p.ifindex == ifindex && p->p.id == id)
			return p;
	}
	return NULL;
}

/* The algorithms of Crypto=modern that a benchmark negotiates. */
int esptun_algo_dump(struct esptun *h, struct esptun_algo **algos, size_t *n)
{
	static const struct esptun_algo gcm = {
		.type = ESPTUN_ALGO_ENCR,
		.id = ESPTUN_ENCR_AES_GCM_16,
		.state = ESPTUN_ALGO_STATE_AVAILABLE,
		.key_lens = { 20, 28, 36 },
		.n_key_lens = 3,
		.salt_len = 4,
	};

	(void)h;
	*algos = malloc(sizeof(gcm));
	if (!*algos)
		return -ENOMEM;
	**algos = gcm;
	*n = 1;
	return 0;
}

int esptun_peer_add(struct esptun *h, const struct esptun_peer *peer)
{
	struct peer *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	p->p = *peer;
	LIST_INSERT_HEAD(&h->peers[peer->ifindex % BUCKETS], p, link);
	return 0;
}

int esptun_peer_set(struct esptun *h, const struct esptun_peer *peer)
{
	return find(h, peer->ifindex, peer->id) ? 0 : -ENOENT;
}

int esptun_peer_del(struct esptun *h, uint32_t ifindex, uint32_t id)
{
	struct peer *p = find(h, ifindex, id);

	if (!p)
		return -ENOENT;
	LIST_REMOVE(p, link);
	free(p);
	return 0;
}

int esptun_peer_get(struct esptun *h, uint32_t ifindex, uint32_t id, struct esptun_peer *peer)
{
	const struct peer *p = find(h, ifindex, id);
	int err = ask(h);

	if (err || !p)
		return err ? err : -ENOENT;
	*peer = p->p;
	return 0;
}

int esptun_peer_dump(struct esptun *h, uint32_t ifindex, struct esptun_peer **peers, size_t *n)
{
	const struct peer *p;
	int err = ask(h);
	size_t count = 0;

	*peers = NULL;
	*n = 0;
	if (err)
		return err;
	LIST_FOREACH(p, &h->peers[ifindex % BUCKETS], link)
	count++;
	*peers = count ? calloc(count, sizeof(**peers)) : NULL;
	if (!*peers)
		return count ? -ENOMEM : 0;
	LIST_FOREACH(p, &h->peers[ifindex % BUCKETS], link)
	{
		if (p->p.ifindex == ifindex)
			(*peers)[(*n)++] = p->p;
	}
	return 0;
}

int esptun_stats_dump(struct esptun *h, uint32_t ifindex, struct esptun_link_stats **stats,
		      size_t *n)
{
	int err = ask(h);

	*stats = err ? NULL : calloc(1, sizeof(**stats));
	*n = *stats ? 1 : 0;
	if (*stats)
		(*stats)->ifindex = ifindex;
	return err;
}

/* ---- SAs ----------------------------------------------------------------------- */

int esptun_spi_alloc(struct esptun *h, uint32_t ifindex, uint32_t peer, uint32_t *spi)
{
	(void)ifindex;
	(void)peer;
	*spi = ++h->spi;
	return 0;
}

int esptun_sa_add(struct esptun *h, const struct esptun_sa *sa)
{
	return find(h, sa->ifindex, sa->peer) ? 0 : -ENOENT;
}

int esptun_sa_del(struct esptun *h, uint32_t ifindex, enum esptun_sa_dir dir, uint32_t spi,
		  uint32_t peer)
{
	(void)h;
	(void)ifindex;
	(void)dir;
	(void)spi;
	(void)peer;
	return 0;
}

int esptun_sa_flush(struct esptun *h, uint32_t ifindex, uint32_t peer)
{
	(void)h;
	(void)ifindex;
	(void)peer;
	return 0;
}

int esptun_sa_dump(struct esptun *h, uint32_t ifindex, unsigned int flags, struct esptun_sa **sas,
		   size_t *n)
{
	(void)h;
	(void)ifindex;
	(void)flags;
	*sas = NULL;
	*n = 0;
	return 0;
}

void esptun_sas_free(struct esptun_sa *sas, size_t n)
{
	(void)n;
	free(sas);
}

/* ---- events -------------------------------------------------------------------- */

/* There are none. */
int esptun_events_open(struct esptun *h)
{
	h->events = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return h->events < 0 ? -errno : h->events;
}

int esptun_events_read(struct esptun *h, esptun_event_fn fn, void *arg)
{
	(void)h;
	(void)fn;
	(void)arg;
	return 0;
}

/* ---- the IKE channel ----------------------------------------------------------- */

int esptun_ike_open(struct esptun *h)
{
	const struct sockaddr_in any = { .sin_family = AF_INET,
					 .sin_port = htobe16(ESPTUN_DEFAULT_PORT) };
	int on = 1, size = 4 << 20;

	h->ike = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (h->ike < 0 || setsockopt(h->ike, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on)) ||
	    setsockopt(h->ike, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) ||
	    bind(h->ike, (const struct sockaddr *)&any, sizeof(any))) {
		snprintf(h->error, sizeof(h->error), "UDP port %d: %s", ESPTUN_DEFAULT_PORT,
			 strerror(errno));
		return -errno;
	}
	return h->ike;
}

static void endpoint(struct esptun_endpoint *e, const struct in_addr *addr, uint16_t port)
{
	memset(e, 0, sizeof(*e));
	e->addr.family = AF_INET;
	memcpy(e->addr.bytes, addr, sizeof(*addr));
	e->port = port;
}

static bool take(struct esptun *h, const struct msghdr *m, size_t len, struct esptun_ike *ike)
{
	static const uint8_t marker[MARKER];
	const struct sockaddr_in *from = m->msg_name;
	struct cmsghdr *c = CMSG_FIRSTHDR(m);
	struct in_pktinfo info;

	if (len <= MARKER || memcmp(h->buf, marker, MARKER) || !c || c->cmsg_type != IP_PKTINFO)
		return false;
	memcpy(&info, CMSG_DATA(c), sizeof(info));
	endpoint(&ike->remote, &from->sin_addr, be16toh(from->sin_port));
	endpoint(&ike->local, &info.ipi_addr, ESPTUN_DEFAULT_PORT);
	ike->data = h->buf + MARKER;
	ike->len = len - MARKER;
	return true;
}

int esptun_ike_read(struct esptun *h, esptun_event_fn fn, void *arg)
{
	for (unsigned int i = 0; i < 64; i++) {
		char control[CMSG_SPACE(sizeof(struct in_pktinfo))];
		struct esptun_event ev = { .type = ESPTUN_EVENT_IKE };
		struct iovec iov = { h->buf, sizeof(h->buf) };
		struct sockaddr_in from;
		struct msghdr m = {
			.msg_name = &from,
			.msg_namelen = sizeof(from),
			.msg_iov = &iov,
			.msg_iovlen = 1,
			.msg_control = control,
			.msg_controllen = sizeof(control),
		};
		ssize_t n = recvmsg(h->ike, &m, 0);

		if (n < 0)
			break;
		if (take(h, &m, (size_t)n, &ev.u.ike))
			fn(&ev, arg);
	}
	return 0;
}

int esptun_ike_send(struct esptun *h, uint32_t ifindex, const struct esptun_ike *ike)
{
	static const uint8_t marker[MARKER];
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htobe16(ike->remote.port) };
	struct iovec iov[] = { { (void *)marker, MARKER }, { (void *)ike->data, ike->len } };
	char control[CMSG_SPACE(sizeof(struct in_pktinfo))] = { 0 };
	struct msghdr m = {
		.msg_name = &to,
		.msg_namelen = sizeof(to),
		.msg_iov = iov,
		.msg_iovlen = 2,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	struct in_pktinfo info = { 0 };

	(void)ifindex;
	memcpy(&to.sin_addr, ike->remote.addr.bytes, sizeof(to.sin_addr));
	memcpy(&info.ipi_spec_dst, ike->local.addr.bytes, sizeof(info.ipi_spec_dst));
	c->cmsg_level = IPPROTO_IP;
	c->cmsg_type = IP_PKTINFO;
	c->cmsg_len = CMSG_LEN(sizeof(info));
	memcpy(CMSG_DATA(c), &info, sizeof(info));
	return sendmsg(h->ike, &m, 0) < 0 ? -errno : 0;
}
