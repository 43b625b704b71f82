/* SPDX-License-Identifier: GPL-2.0 */
/* Outer addresses and endpoints of any family, from netlink to the wire. */
#ifndef ESPTUN_ENDPOINT_H
#define ESPTUN_ENDPOINT_H

#include <linux/in6.h>
#include <linux/socket.h>
#include <linux/types.h>
#include <net/ipv6.h>

struct netlink_ext_ack;
struct nlattr;
struct sk_buff;

/**
 * struct esptun_addr - an outer address
 * @family: AF_INET, AF_INET6, or AF_UNSPEC if there is none
 * @ip6: IPv6 address
 * @ip4: IPv4 address; what @ip6 has more is 0
 *
 * No octet is without a value: it may be compared and hashed as memory.
 */
struct esptun_addr {
	u32 family;
	union {
		struct in6_addr ip6;
		__be32 ip4;
	};
};

/**
 * struct esptun_endpoint - one end of the outer UDP flow
 * @addr: address
 * @port: UDP port
 */
struct esptun_endpoint {
	struct esptun_addr addr;
	__be16 port;
};

/* Is there an address? */
static inline bool esptun_addr_is_set(const struct esptun_addr *addr)
{
	return addr->family != AF_UNSPEC;
}

/* 0.0.0.0 is none. */
static inline struct esptun_addr esptun_addr_ip4(__be32 ip4)
{
	struct esptun_addr addr = {};

	if (ip4) {
		addr.family = AF_INET;
		addr.ip4 = ip4;
	}
	return addr;
}

/* :: is none. */
static inline struct esptun_addr esptun_addr_ip6(const struct in6_addr *ip6)
{
	struct esptun_addr addr = {};

	if (!ipv6_addr_any(ip6)) {
		addr.family = AF_INET6;
		addr.ip6 = *ip6;
	}
	return addr;
}

static inline bool esptun_addr_equal(const struct esptun_addr *a,
				     const struct esptun_addr *b)
{
	return a->family == b->family && ipv6_addr_equal(&a->ip6, &b->ip6);
}

/* Does what came from @from, whose port is 0 if it has none, come from @at? */
static inline bool esptun_endpoint_covers(const struct esptun_endpoint *at,
					  const struct esptun_endpoint *from)
{
	return esptun_addr_equal(&at->addr, &from->addr) &&
	       (!from->port || at->port == from->port);
}

/* Could a host have it, whom it names on whatever interface? Not if it is none. */
bool esptun_addr_is_host(const struct esptun_addr *addr);

/* Equal for all addresses that one host may easily have: all of an IPv6 /64. */
u32 esptun_addr_hash_site(const struct esptun_addr *addr, u32 seed);

/**
 * esptun_addr_get - an address of a request
 * @attr: the attribute
 * @addr: result, none if it is 0.0.0.0
 * @extack: told why not
 *
 * Return: 0; -EINVAL if it is not the address of a host; -EAFNOSUPPORT.
 */
int esptun_addr_get(const struct nlattr *attr, struct esptun_addr *addr,
		    struct netlink_ext_ack *extack);

/*
 * Packets have one source and one destination, of one family. @attr is told of
 * if it is not so. Return: 0 or -EINVAL.
 */
int esptun_addr_check_pair(const struct esptun_addr *local,
			   const struct esptun_addr *remote,
			   const struct nlattr *attr,
			   struct netlink_ext_ack *extack);

/* Octets that esptun_addr_put() takes of a message. */
unsigned int esptun_addr_size(const struct esptun_addr *addr);

/* Into a message, nothing if there is none. Return: 0 or -EMSGSIZE. */
int esptun_addr_put(struct sk_buff *msg, int type,
		    const struct esptun_addr *addr);

#endif /* ESPTUN_ENDPOINT_H */
