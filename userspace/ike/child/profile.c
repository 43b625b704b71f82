// SPDX-License-Identifier: GPL-2.0-or-later
#include "ike/child/profile.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

/*
 * What the systems are documented to offer is in tests/unit/test_core_vendors.c, which compares. Each row has
 * AEADs first. Of groups only those that the other end has: a peer that answers in its own order, as Google's
 * does, takes one of these.
 */
static const struct profile profiles[] = {
	{ "modern", NULL, NULL },
	/* AWS, Azure and Google Cloud, of which AWS and Azure have no x25519 */
	{ "cloud",
	  "aes256gcm16-aes128gcm16-prfsha384-prfsha256-ecp256-ecp384-modp2048,"
	  "aes256-aes128-sha384-sha256-ecp256-ecp384-modp2048",
	  "aes256gcm16-aes128gcm16-ecp256-ecp384-modp2048,"
	  "aes256-aes128-sha256-sha1-ecp256-ecp384-modp2048" },
	/* where NegotiateDH2048_AES256 or Set-VpnConnectionIPsecConfiguration is used; else it is legacy */
	{ "windows",
	  "aes256gcm16-aes128gcm16-prfsha384-prfsha256-ecp256-ecp384-modp2048,"
	  "aes256-aes192-aes128-sha384-sha256-ecp256-ecp384-modp2048",
	  "aes256gcm16-aes192gcm16-aes128gcm16-ecp256-ecp384-modp2048,"
	  "aes256-aes192-aes128-sha256-sha1-ecp256-ecp384-modp2048" },
	{ "apple",
	  "aes256gcm16-aes128gcm16-chacha20poly1305-prfsha256-prfsha384-prfsha512-"
	  "x25519-ecp256-ecp384-ecp521-modp2048,"
	  "aes256-aes128-sha256-sha384-sha512-x25519-ecp256-ecp384-ecp521-modp2048",
	  "aes256gcm16-aes128gcm16-chacha20poly1305-x25519-ecp256-ecp384-ecp521-modp2048,"
	  "aes256-aes128-sha256-sha384-sha512-x25519-ecp256-ecp384-ecp521-modp2048" },
	{ "android",
	  "aes256gcm16-chacha20poly1305-aes128gcm16-prfsha512-prfsha384-prfsha256-"
	  "x25519-modp4096-modp3072-modp2048,"
	  "aes256-aes128-sha512-sha384-sha256-x25519-modp4096-modp3072-modp2048",
	  "aes256gcm16-chacha20poly1305-aes128gcm16-x25519-modp4096-modp3072-modp2048,"
	  "aes256-aes128-sha512-sha384-sha256-x25519-modp4096-modp3072-modp2048" },
	/* CNSA 2.0 of the NSA: ML-KEM-1024 behind a key exchange that need not withstand quantum computers */
	{ "cnsa2", "aes256gcm16-prfsha512-prfsha384-ecp384-ke1_mlkem1024",
	  "aes256gcm16-ecp384-ke1_mlkem1024-pfs" },
	/* as old as is defensible with a warning: DES and MD5 are taken by name alone */
	{ "legacy",
	  "aes256-aes192-aes128-sha256-prfsha256-modp2048-modp1536-modp1024,"
	  "aes256-aes192-aes128-3des-sha1-prfsha1-modp2048-modp1536-modp1024",
	  "aes256-aes192-aes128-sha256-modp2048-modp1536-modp1024,"
	  "aes256-aes192-aes128-3des-sha1-modp2048-modp1536-modp1024" },
};

const struct profile *profile_find(const char *item, const char **rest)
{
	for (size_t i = 0; i < sizeof(profiles) / sizeof(profiles[0]); i++) {
		size_t len = strlen(profiles[i].word);

		if (strncasecmp(item, profiles[i].word, len) != 0)
			continue;
		*rest = item + len;
		if (!**rest || !strcasecmp(*rest, "-pfs") || !strcasecmp(*rest, "-nopfs"))
			return &profiles[i];
	}
	return NULL;
}
