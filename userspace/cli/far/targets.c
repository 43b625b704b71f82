// SPDX-License-Identifier: GPL-2.0-or-later
/* The targets of esptun peer-config: their names, what they can express, and their generators. */
#include <string.h>

#include "cli/far/far.h"

const struct far_target far_targets[] = {
#define ALL_SITES (FAR_PSK | FAR_SITE | FAR_IPV6)
#define ALL_WRITTEN (~(uint32_t)(FAR_ROUNDS | FAR_TLS | FAR_ODD_ID))
	{ "swanctl", "strongSwan", "# ", far_write_swanctl, ALL_WRITTEN },
	{ "ipsec.conf", "libreswan", "# ", far_write_ipsec_conf,
	  ALL_SITES | FAR_CERT | FAR_RAW | FAR_CLIENT | FAR_PSK_CLIENT | FAR_TRANSPORT | FAR_PPK |
		  FAR_PORTS | FAR_CHILDREN | FAR_KEYID | FAR_DN | FAR_BINARY },
	{ "iked", "OpenIKED", "# ", far_write_iked,
	  ALL_SITES | FAR_CERT | FAR_RAW | FAR_CLIENT | FAR_PSK_CLIENT | FAR_TRANSPORT | FAR_PORTS |
		  FAR_DN | FAR_BINARY },
	{ "esptun", "esptun", "# ", far_write_esptun, ALL_WRITTEN | FAR_ODD_ID },
	{ "windows", "Windows", "# ", far_write_windows,
	  ALL_SITES | FAR_CERT | FAR_USER | FAR_CLIENT | FAR_DN | FAR_ODD_ID },
	{ "apple", "Apple's VPN client", NULL, far_write_apple,
	  FAR_PSK | FAR_CERT | FAR_USER | FAR_CLIENT | FAR_PSK_CLIENT | FAR_IPV6 | FAR_ODD_ID },
	{ "android", "Android", NULL, far_write_android,
	  FAR_PSK | FAR_CERT | FAR_USER | FAR_CLIENT | FAR_PSK_CLIENT | FAR_IPV6 | FAR_ODD_ID },
	{ "cisco", "Cisco IOS XE", "! ", far_write_cisco, ALL_SITES | FAR_KEYID },
	{ "juniper", "Junos OS", "# ", far_write_juniper, ALL_SITES | FAR_CHILDREN },
	{ "mikrotik", "RouterOS", "# ", far_write_mikrotik,
	  ALL_SITES | FAR_CHILDREN | FAR_TRANSPORT | FAR_KEYID },
	{ "opnsense", "OPNsense", "# ", far_write_opnsense, ALL_WRITTEN },
	{ "aws", "AWS Site-to-Site VPN", "# ", far_write_aws, FAR_PSK | FAR_SITE | FAR_ODD_ID },
	{ "azure", "Azure VPN Gateway", "# ", far_write_azure, FAR_PSK | FAR_SITE | FAR_ODD_ID },
	{ "gcp", "Google Cloud VPN", "# ", far_write_gcp, FAR_PSK | FAR_SITE | FAR_ODD_ID },
	{ NULL, NULL, NULL, NULL, 0 },
};

const struct far_target *far_target_find(const char *word)
{
	for (const struct far_target *t = far_targets; t->word; t++) {
		if (!strcmp(t->word, word))
			return t;
	}
	return NULL;
}
