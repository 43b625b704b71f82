/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The process that sets name servers for netdevices: it runs systemd-resolved's resolvectl(1), and no other
 * program, without a shell. The agent can run none, and cannot reach a Unix socket. This process stays root,
 * since that is whom resolved lets change links, without capabilities; it reads programs and libraries,
 * writes no file, and has no socket of the network.
 *
 * What it is asked for comes from a gateway in the end: addresses are binary until here, domains are letters,
 * digits, hyphens, underscores and dots (cp.h), and each is looked at again.
 */
#ifndef ESPTUN_IKE_LINK_DNS_H
#define ESPTUN_IKE_LINK_DNS_H

#include "ike/proto/cp.h"

struct event_base;
struct link_dns;

struct link_dns_options {
	const char *program; /* resolvectl, an absolute path */
	uint32_t patience; /* ms that it may take: LINK_DNS_PATIENCE, but for tests */
	bool at_home; /* link_dns_at_home() says so; else no program is run */
	bool quiet; /* keep no terminal open */
	bool seccomp;
};

#define LINK_DNS_PROGRAM "/usr/bin/resolvectl"
enum { LINK_DNS_PATIENCE = 10000 };

/*
 * Are we where the first process is, as resolved is? Elsewhere resolvectl would name the netdevice by its index,
 * which is another's there. To be called by root. Without the right to look at the first process it is judged
 * by systemd's own socket, which only the network namespace that it was bound in lists.
 */
bool link_dns_at_home(void);

/* Does @list, a file as /proc/net/unix, have a socket that is bound to the path @socket? */
bool link_dns_lists(const char *list, const char *socket);

/* Start it, as reader_start() and with what is said there. NULL with a sentence in @err. */
struct link_dns *link_dns_start(const struct link_dns_options *o, char *err, size_t err_size);
/* It ends when this is called, or when the agent is gone. NULL is fine. */
void link_dns_free(struct link_dns *d);

/* What came of a link_dns_set(). */
struct link_dns_outcome {
	char name[16]; /* the netdevice's */
	/*
	 * 0; -ENOENT: there is no resolvectl; -EXDEV: resolved is, as far as can be told, in another network
	 * namespace, where this netdevice is none or another; -EINVAL: a netdevice's name that is not printable ASCII,
	 * or what no gateway can tell; -ETIMEDOUT; -EPIPE: the process has ended; -EIO: it failed, and says …
	 */
	int32_t err;
	char text[256]; /* … this: printable ASCII */
};

/* From now on @fn hears of each; to be called before the first wish. 0 or -1. */
int link_dns_watch(struct link_dns *d, struct event_base *base,
		   void (*fn)(void *ctx, const struct link_dns_outcome *o), void *ctx);

/*
 * Names are asked of the servers of @cp, through the netdevice @name, from now on: those in its domains, or all if
 * it has none (RFC 8598 5). 0, or a negative errno: -EPIPE if the process has ended. Does not wait: while the process
 * has too much to do, the last wish about each netdevice is kept here.
 */
int link_dns_set(struct link_dns *d, const char *name, const struct ike_cp *cp);

/* No longer. A netdevice that is gone is fine; nobody hears of it. */
int link_dns_clear(struct link_dns *d, const char *name);

#endif
