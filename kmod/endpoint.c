// SPDX-License-Identifier: GPL-2.0
#include <linux/in.h>
#include <linux/jhash.h>
#include <linux/netlink.h>
#include <net/netlink.h>
#include "endpoint.h"

u32 esptun_addr_hash_site(const struct esptun_addr *addr, u32 seed)
{
	return jhash_1word((__force u32)addr->ip4, seed);
}

static unsigned int addr_len(const struct esptun_addr *addr)
{
	return esptun_addr_is_set(addr) ? sizeof(addr->ip4) : 0;
}

int esptun_addr_get(const struct nlattr *attr, struct esptun_addr *addr,
		    struct netlink_ext_ack *extack)
{
	if (nla_len(attr) == sizeof(struct in6_addr)) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "outer address: IPv6 is not supported yet");
		return -EINVAL;
	}
	if (nla_len(attr) != sizeof(addr->ip4)) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "outer address: must have 4 octets (IPv4)");
		return -EINVAL;
	}
	*addr = esptun_addr_ip4(nla_get_in_addr(attr));
	if (ipv4_is_multicast(addr->ip4) || ipv4_is_lbcast(addr->ip4)) {
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "outer address: must be a host's");
		return -EINVAL;
	}
	return 0;
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
