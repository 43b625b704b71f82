// SPDX-License-Identifier: GPL-2.0
/* A dump has a struct genl_info as well: 6.6. */
#include <net/genetlink.h>

const struct genl_info *probe(struct netlink_callback *cb);

const struct genl_info *probe(struct netlink_callback *cb)
{
	return genl_info_dump(cb);
}
