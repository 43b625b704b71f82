// SPDX-License-Identifier: GPL-2.0
#include <linux/in.h>
#include <linux/ipv6.h>
#include <linux/jhash.h>
#include <linux/netlink.h>
#include <net/ipv6.h>
#include <net/netlink.h>
#include "encap/endpoint.h"

static const char *why_not_ip4(__be32 ip4)
{
	if (ipv4_is_multicast(ip4) || ipv4_is_lbcast(ip4))
		return "outer address: must be a host's";
	return NULL;
}

static const char *why_not_ip6(const struct in6_addr *ip6)
{
	int type = ipv6_addr_type(ip6);

	if (type == IPV6_ADDR_ANY)
		return "outer address: must not be ::; 0.0.0.0 stands for none";
	if (type & IPV6_ADDR_MULTICAST)
		return "outer address: must be a host's";
	if (type & IPV6_ADDR_MAPPED)
		return "outer address: IPv4-mapped; give the IPv4 address";
	if (type & IPV6_ADDR_LINKLOCAL)
		return "outer address: link-local, which says nothing without an interface";
	return NULL;
}

bool esptun_addr_is_host(const struct esptun_addr *addr)
{
	switch (addr->family) {
	case AF_INET:
		return !why_not_ip4(addr->ip4);
	case AF_INET6:
		return !why_not_ip6(&addr->ip6);
	default:
		return false;
	}
}

u32 esptun_addr_hash_site(const struct esptun_addr *addr, u32 seed)
{
	return jhash_2words((__force u32)addr->ip6.s6_addr32[0],
			    (__force u32)addr->ip6.s6_addr32[1], seed);
}

static unsigned int addr_len(const struct esptun_addr *addr)
{
	switch (addr->family) {
	case AF_INET:
		return sizeof(addr->ip4);
	case AF_INET6:
		return sizeof(addr->ip6);
	default:
		return 0;
	}
}

static const char *get(const struct nlattr *attr, struct esptun_addr *addr)
{
	struct in6_addr ip6;

	switch (nla_len(attr)) {
	case sizeof(addr->ip4):
		*addr = esptun_addr_ip4(nla_get_in_addr(attr));
		return why_not_ip4(addr->ip4);
	case sizeof(addr->ip6):
		ip6 = nla_get_in6_addr(attr);
		*addr = esptun_addr_ip6(&ip6);
		return why_not_ip6(&ip6);
	default:
		return "outer address: must have 4 or 16 octets";
	}
}

int esptun_addr_get(const struct nlattr *attr, struct esptun_addr *addr,
		    struct netlink_ext_ack *extack)
{
	const char *why_not = get(attr, addr);
	int err = -EINVAL;

	if (!why_not && addr->family == AF_INET6 && !ipv6_mod_enabled()) {
		why_not = "outer address: IPv6 is off in this kernel";
		err = -EAFNOSUPPORT;
	}
	if (!why_not)
		return 0;
	NL_SET_BAD_ATTR(extack, attr);
	compat_nl_set_err_text(extack, why_not);
	return err;
}

int esptun_addr_check_pair(const struct esptun_addr *local,
			   const struct esptun_addr *remote,
			   const struct nlattr *attr,
			   struct netlink_ext_ack *extack)
{
	if (!esptun_addr_is_set(local) || !esptun_addr_is_set(remote) ||
	    local->family == remote->family)
		return 0;
	NL_SET_ERR_MSG_ATTR(
		extack, attr,
		"local-address: not of the remote-address's family");
	return -EINVAL;
}

unsigned int esptun_addr_size(const struct esptun_addr *addr)
{
	unsigned int len = addr_len(addr);

	return len ? nla_total_size(len) : 0;
}

int esptun_addr_put(struct sk_buff *msg, int type,
		    const struct esptun_addr *addr)
{
	unsigned int len = addr_len(addr);

	return len ? nla_put(msg, type, len, &addr->ip6) : 0;
}
