// SPDX-License-Identifier: GPL-2.0
/* pre_doit() is given a split operation: 6.2. */
#include <net/genetlink.h>

int probe(const struct genl_family *family, const struct genl_split_ops *ops,
	  struct genl_info *info);

int probe(const struct genl_family *family, const struct genl_split_ops *ops,
	  struct genl_info *info)
{
	return family->pre_doit(ops, NULL, info);
}
