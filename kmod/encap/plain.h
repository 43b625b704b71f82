/* SPDX-License-Identifier: GPL-2.0 */
/* Plain ESP: packets of IP protocol 50 (RFC 4303 2), beside the kernel's IPsec. */
#ifndef ESPTUN_PLAIN_H
#define ESPTUN_PLAIN_H

#include <linux/kconfig.h>
#include <linux/types.h>
#include "encap/encap.h"

#if IS_ENABLED(CONFIG_XFRM)

/* It can be received only where the kernel has a chain of handlers for it. */
extern const struct esptun_encap_ops esptun_encap_plain;

/* Has any peer of any namespace plain ESP? A hint. Any context. */
bool esptun_plain_is_used(void);

#else

static inline bool esptun_plain_is_used(void)
{
	return false;
}

#endif

#endif /* ESPTUN_PLAIN_H */
