// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the IKE daemons of systems, clouds and routers are documented to offer and to choose, with
 * the default Crypto= on our side: the right choice, or a refusal whose sentence helps.
 *
 * The documents, by the name that the rows have for them:
 *
 * ss-windows	docs.strongswan.org, interop/windowsClients: what Windows 7 to 11 offer
 * ms-cmdlet	learn.microsoft.com, Set-VpnConnectionIPsecConfiguration
 * ss-apple	docs.strongswan.org, interop/ios: default proposals of iOS 16.5
 * apple-mdm	developer.apple.com, devicemanagement, VPN.IKEv2: what a profile can set
 * ss-log	what strongSwan 5.x logs of such a client's IKE_AUTH request
 * aosp		frameworks/base, VpnIkev2Utils.java: getIkeSaProposals(), getChildSaProposals()
 * aws		docs.aws.amazon.com, s2svpn/VPNTunnels: defaults, and "lowest configured value" first
 * azure	learn.microsoft.com, azure/virtual-wan/virtual-wan-ipsec: default and custom policies
 * gcp		cloud.google.com, network-connectivity/docs/vpn: supported-ike-ciphers, cipher-changes
 * cisco	github.com/CiscoTestAutomation/genieparser: show crypto ikev2 proposal
 */
#include "scripted.h"

#include "ike/child/profile.h"
#include "ike/core/core.h"
#include "ike/proto/proposal_text.h"

enum { MAX_NOTIFIES = 6, ESP_SPI = 0xc0ffee01 };

/* A notify that has no name here. */
enum { N_REDIRECT_SUPPORTED = 16406 };

enum auth { PSK, EAP, CERTIFICATE };

/* The words of the default Crypto=, as our refusals show them. */
#define OUR_GROUPS "x25519/ecp256/ecp384/ecp521/modp2048/modp3072/modp4096"

/* ---- they begin ---------------------------------------------------------- */

static const struct offer {
	const char *who, *source;
	const char *ike; /* see scripted_offer() */
	uint16_t group; /* of the KE payload it guesses with … */
	uint16_t asked; /* … and of INVALID_KE_PAYLOAD, if that is our answer */
	const char *chosen; /* NULL: NO_PROPOSAL_CHOSEN */
	enum auth auth;
	const char *esp;
	const char *ts; /* both sides ask for that; NULL: any IPv4 address */
	const char *pair; /* what the pair gets … */
	uint16_t error; /* … or the notify of IKE_AUTH */
	const char *says[3]; /* in the error of our tunnel */
	uint16_t init[MAX_NOTIFIES], more[MAX_NOTIFIES]; /* notifies of IKE_SA_INIT, of IKE_AUTH */
	const char *vendor[3]; /* text of Vendor IDs */
	bool configuration; /* it asks for an address (CP) */
	const char *rekey; /* what it offers to rekey the pair, with a KE payload of … */
	uint16_t rekey_group; /* … if that is not 0 */
	uint16_t rekey_asked; /* of INVALID_KE_PAYLOAD, as ->asked */
	const char *rekeyed;
} offers[] = {
	{
		.who = "Windows 11, VPN client",
		.source = "ss-windows",
		.ike = "3des-aes128-aes192-aes256-sha1-sha256-sha384-prfsha1-prfsha256-prfsha384-modp1024 "
		       "aes128gcm16-aes256gcm16-prfsha1-prfsha256-prfsha384-modp1024",
		.group = 2,
		.says = { "no common key exchange group for IKE: the peer offers modp1024, we allow " OUR_GROUPS,
			  "Crypto= could take modp1024, which is broken by who can pay for it: its numbers of 1,024 bits are too short; better let the peer offer one of ours" },
		.init = { IKE_N_IKEV2_FRAGMENTATION_SUPPORTED },
		.vendor = { "\x1e\x2b\x51\x69\x05\x99\x1c\x7d\x7c\x96\xfc\xbf\xb5\x87\xe4\x61" },
	},
	{
		.who = "Windows 11, NegotiateDH2048_AES256 is 2, EAP",
		.source = "ss-windows",
		.ike = "aes256-sha1-prfsha1-modp2048 aes256-sha256-prfsha256-modp2048 "
		       "aes256-sha384-prfsha384-modp2048",
		.group = 14,
		.chosen = "aes256-sha256-prfsha256-modp2048",
		.auth = EAP,
		.esp = "aes256-sha1-noesn aes128-sha1-noesn 3des-sha1-noesn des-sha1-noesn null-sha1-noesn",
		.error = IKE_N_AUTHENTICATION_FAILED,
		.says = { "wants EAP, which this tunnel does not offer: set its side to PSK" },
		.init = { IKE_N_IKEV2_FRAGMENTATION_SUPPORTED },
		.more = { IKE_N_MOBIKE_SUPPORTED },
		.vendor = { "\x1e\x2b\x51\x69\x05\x99\x1c\x7d\x7c\x96\xfc\xbf\xb5\x87\xe4\x61" },
		.configuration = true,
	},
	{
		.who = "Windows 11, GCMAES256 with ECP384, computer certificate",
		.source = "ms-cmdlet",
		.ike = "aes256gcm16-prfsha384-ecp384",
		.group = 20,
		.chosen = "aes256gcm16-prfsha384-ecp384",
		.auth = CERTIFICATE,
		.esp = "aes256gcm16-noesn",
		.error = IKE_N_AUTHENTICATION_FAILED,
		.says = { "authentication method 1, not with a pre-shared key: set its side to PSK" },
		.init = { IKE_N_IKEV2_FRAGMENTATION_SUPPORTED },
		.more = { IKE_N_MOBIKE_SUPPORTED },
		.configuration = true,
	},
	{
		.who = "Windows 11, a firewall's rule with PSK and the ESP of old",
		.source = "ss-windows",
		.ike = "aes256-sha256-prfsha256-modp2048",
		.group = 14,
		.chosen = "aes256-sha256-prfsha256-modp2048",
		.esp = "aes256-sha1-noesn aes128-sha1-noesn 3des-sha1-noesn des-sha1-noesn null-sha1-noesn",
		.pair = "aes256-sha1-noesn",
		.rekey =
			"aes256-sha1-noesn aes128-sha1-noesn 3des-sha1-noesn des-sha1-noesn null-sha1-noesn",
		.rekeyed = "aes256-sha1-noesn",
		.init = { IKE_N_IKEV2_FRAGMENTATION_SUPPORTED },
		.more = { IKE_N_MOBIKE_SUPPORTED },
	},
	{
		.who = "iOS 16.5, set by hand",
		.source = "ss-apple",
		.ike = "aes256-sha256-prfsha256-modp2048 aes256-sha256-prfsha256-ecp256 "
		       "aes256-sha256-prfsha256-modp1536 aes128-sha1-prfsha1-modp1024 "
		       "3des-sha1-prfsha1-modp1024",
		.group = 14,
		.chosen = "aes256-sha256-prfsha256-modp2048",
		.esp = "aes256-sha256-noesn aes256-sha256-noesn aes256-sha256-noesn "
		       "aes128-sha1-noesn 3des-sha1-noesn",
		.ts = "any",
		.pair = "aes256-sha256-noesn",
		.init = { N_REDIRECT_SUPPORTED, IKE_N_IKEV2_FRAGMENTATION_SUPPORTED },
		.more = { IKE_N_INITIAL_CONTACT, IKE_N_MOBIKE_SUPPORTED,
			  IKE_N_ESP_TFC_PADDING_NOT_SUPPORTED, IKE_N_NON_FIRST_FRAGMENTS_ALSO },
		.configuration = true,
	},
	{
		.who = "iOS, a profile with AES-256-GCM and group 19",
		.source = "apple-mdm",
		.ike = "aes256gcm16-prfsha256-ecp256",
		.group = 19,
		.chosen = "aes256gcm16-prfsha256-ecp256",
		.esp = "aes256gcm16-noesn",
		.ts = "any",
		.pair = "aes256gcm16-noesn",
		.init = { N_REDIRECT_SUPPORTED, IKE_N_IKEV2_FRAGMENTATION_SUPPORTED },
		.more = { IKE_N_INITIAL_CONTACT, IKE_N_MOBIKE_SUPPORTED,
			  IKE_N_ESP_TFC_PADDING_NOT_SUPPORTED, IKE_N_NON_FIRST_FRAGMENTS_ALSO },
		.configuration = true,
		.rekey = "aes256gcm16-ecp256-noesn aes256gcm16-noesn", /* ss-apple */
		.rekey_group = 19,
		.rekeyed = "aes256gcm16-ecp256-noesn",
	},
	{
		.who = "macOS, a profile with ChaCha20Poly1305 and group 31",
		.source = "apple-mdm",
		.ike = "chacha20poly1305-prfsha256-x25519",
		.group = 31,
		.chosen = "chacha20poly1305-prfsha256-x25519",
		.esp = "chacha20poly1305-noesn",
		.ts = "any",
		.pair = "chacha20poly1305-noesn",
		.init = { N_REDIRECT_SUPPORTED, IKE_N_IKEV2_FRAGMENTATION_SUPPORTED },
		.more = { IKE_N_INITIAL_CONTACT, IKE_N_MOBIKE_SUPPORTED },
		.configuration = true,
		.rekey = "chacha20poly1305-noesn", /* ss-apple: without a group */
		.rekeyed = "chacha20poly1305-noesn",
	},
	{
		.who = "Android, VPN of type IKEv2/IPSec PSK",
		.source = "aosp",
		.ike = "aes256ctr-aes256-1:13:192-1:12:192-aes128ctr-aes128-sha512-sha384-sha256-"
		       "aesxcbc-aescmac-modp4096-x25519-modp3072-modp2048-"
		       "prfsha512-prfsha384-prfsha256-prfaesxcbc-prfaescmac-prfsha1 "
		       "chacha20poly1305-aes256gcm16-aes256gcm12-aes256gcm8-1:20:192-1:19:192-"
		       "1:18:192-aes128gcm16-aes128gcm12-aes128gcm8-modp4096-x25519-modp3072-"
		       "modp2048-prfsha512-prfsha384-prfsha256-prfaesxcbc-prfaescmac-prfsha1",
		.group = 16, /* the first one, which we have, too */
		.chosen = "aes256gcm16-prfsha256-modp4096",
		.esp = "aes256ctr-aes256-1:13:192-1:12:192-aes128ctr-aes128-sha512-sha384-sha256-"
		       "aesxcbc-aescmac-noesn "
		       "chacha20poly1305-aes256gcm16-aes256gcm12-aes256gcm8-1:20:192-1:19:192-"
		       "1:18:192-aes128gcm16-aes128gcm12-aes128gcm8-noesn",
		.ts = "any",
		.pair = "aes256gcm16-noesn",
		.init = { IKE_N_IKEV2_FRAGMENTATION_SUPPORTED, IKE_N_SIGNATURE_HASH_ALGORITHMS },
		.more = { IKE_N_MOBIKE_SUPPORTED, IKE_N_INITIAL_CONTACT },
		.configuration = true,
	},
	{
		.who = "AWS with StartupAction=start, all defaults",
		.source = "aws",
		.ike = "aes128-aes256-sha1-sha256-sha384-sha512-prfsha1-prfsha256-prfsha384-prfsha512-"
		       "modp1024-modp2048-modp3072-modp4096-modp6144-modp8192-ecp256-ecp384-ecp521-"
		       "modp1024s160-modp2048s224-modp2048s256 "
		       "aes128gcm16-aes256gcm16-prfsha1-prfsha256-prfsha384-prfsha512-"
		       "modp1024-modp2048-modp3072-modp4096-modp6144-modp8192-ecp256-ecp384-ecp521-"
		       "modp1024s160-modp2048s224-modp2048s256",
		.group = 2,
		.asked = 19,
		.chosen = "aes256gcm16-prfsha256-ecp256",
		.esp = "aes128-aes256-sha1-sha256-sha384-sha512-noesn aes128gcm16-aes256gcm16-noesn",
		.pair = "aes256gcm16-noesn",
		.init = { IKE_N_IKEV2_FRAGMENTATION_SUPPORTED, IKE_N_SIGNATURE_HASH_ALGORITHMS,
			  N_REDIRECT_SUPPORTED },
		.rekey = "aes128-aes256-sha1-sha256-sha384-sha512-noesn-modp1024-modp2048 "
			 "aes128gcm16-aes256gcm16-noesn-modp1024-modp1536-modp2048-modp3072-"
			 "modp4096-modp6144-modp8192-ecp256-ecp384-ecp521-modp1024s160-"
			 "modp2048s224-modp2048s256",
		.rekey_group = 2,
		.rekey_asked = 19,
		.rekeyed = "aes256gcm16-ecp256-noesn",
	},
	{
		.who = "Azure, the default policy",
		.source = "azure",
		.ike = "aes256-sha1-prfsha1-modp1024 aes256-sha256-prfsha256-modp1024 "
		       "aes128-sha1-prfsha1-modp1024 aes128-sha256-prfsha256-modp1024",
		.group = 2,
		.says = { "no common key exchange group for IKE: the peer offers modp1024, we allow " OUR_GROUPS },
		.init = { IKE_N_IKEV2_FRAGMENTATION_SUPPORTED },
		.vendor = { "\x1e\x2b\x51\x69\x05\x99\x1c\x7d\x7c\x96\xfc\xbf\xb5\x87\xe4\x61" },
	},
	{
		.who = "Azure, a custom policy of GCMAES256, SHA384, ECP384",
		.source = "azure",
		.ike = "aes256gcm16-prfsha384-ecp384",
		.group = 20,
		.chosen = "aes256gcm16-prfsha384-ecp384",
		.esp = "aes256gcm16-noesn",
		.pair = "aes256gcm16-noesn",
		.rekey = "aes256gcm16-noesn", /* PFS_NONE */
		.rekeyed = "aes256gcm16-noesn",
		.init = { IKE_N_IKEV2_FRAGMENTATION_SUPPORTED },
		.vendor = { "\x1e\x2b\x51\x69\x05\x99\x1c\x7d\x7c\x96\xfc\xbf\xb5\x87\xe4\x61" },
	},
	{
		.who = "Google Cloud, order of before the change",
		.source = "gcp",
		.ike = "aes128gcm16-1:20:192-aes256gcm16-prfaesxcbc-prfaescmac-prfsha1-prfmd5-prfsha256-"
		       "prfsha384-prfsha512-modp2048-modp2048s224-modp2048s256-modp1536-modp3072-"
		       "modp4096-modp8192-modp1024-modp1024s160-ecp256-ecp384-ecp521-x25519",
		.group = 14,
		.chosen = "aes256gcm16-prfsha256-modp2048",
		.esp = "aes128gcm16-1:20:192-aes256gcm16-noesn",
		.pair = "aes256gcm16-noesn",
		.init = { IKE_N_IKEV2_FRAGMENTATION_SUPPORTED },
	},
	{
		.who = "Google Cloud, order of after the change",
		.source = "gcp",
		.ike = "aes256gcm16-1:20:192-aes128gcm16-prfsha256-prfsha384-prfsha512-prfsha1-"
		       "x25519-ecp256-ecp384-ecp521-modp3072-modp4096-modp6144-modp8192-modp2048-"
		       "modp2048s224-modp2048s256-modp1536-modp1024",
		.group = 31,
		.chosen = "aes256gcm16-prfsha256-x25519",
		.esp = "aes256gcm16-1:20:192-aes128gcm16-noesn",
		.pair = "aes256gcm16-noesn",
		.init = { IKE_N_IKEV2_FRAGMENTATION_SUPPORTED },
	},
	{
		.who = "Cisco IOS XE, default proposal and a transform set of AES-CBC",
		.source = "cisco",
		.ike = "aes256-sha512-sha384-prfsha512-prfsha384-ecp256-modp2048-ecp521-modp1536",
		.group = 19,
		.chosen = "aes256-sha384-prfsha384-ecp256",
		.esp = "aes128-sha1-noesn",
		.pair = "aes128-sha1-noesn",
		.init = { N_REDIRECT_SUPPORTED, IKE_N_IKEV2_FRAGMENTATION_SUPPORTED },
		.more = { IKE_N_INITIAL_CONTACT, IKE_N_SET_WINDOW_SIZE,
			  IKE_N_ESP_TFC_PADDING_NOT_SUPPORTED, IKE_N_NON_FIRST_FRAGMENTS_ALSO },
		.vendor = { "CISCO-DELETE-REASON", "FLEXVPN-SUPPORTED" },
	},
	{
		.who = "Cisco IOS XE, default proposal and a transform set of esp-gcm 256",
		.source = "cisco",
		.ike = "aes256-sha512-sha384-prfsha512-prfsha384-ecp256-modp2048-ecp521-modp1536",
		.group = 19,
		.chosen = "aes256-sha384-prfsha384-ecp256",
		.esp = "aes256gcm16-noesn",
		.pair = "aes256gcm16-noesn",
		.init = { N_REDIRECT_SUPPORTED, IKE_N_IKEV2_FRAGMENTATION_SUPPORTED },
		.more = { IKE_N_INITIAL_CONTACT, IKE_N_SET_WINDOW_SIZE,
			  IKE_N_ESP_TFC_PADDING_NOT_SUPPORTED, IKE_N_NON_FIRST_FRAGMENTS_ALSO },
		.vendor = { "CISCO-DELETE-REASON", "FLEXVPN-SUPPORTED" },
	},
	{
		.who = "Cisco IOS 15, default proposal",
		.source = "cisco",
		.ike = "aes256-1:12:192-aes128-sha512-sha384-sha256-sha1-md5-"
		       "prfsha512-prfsha384-prfsha256-prfsha1-prfmd5-modp1536-modp1024",
		.group = 5,
		.says = { "no common key exchange group for IKE: the peer offers modp1536/modp1024, we allow " OUR_GROUPS },
		.vendor = { "CISCO-DELETE-REASON", "FLEXVPN-SUPPORTED" },
	},
};

/* What a profile has in common with the offers of the systems that it is for. */
static const struct fit {
	const char *profile, *who; /* ->who of offers begins so */
	const char *ike, *esp; /* chosen; NULL: nothing is */
} fits[] = {
	{ "windows", "Windows 11, VPN client", NULL, NULL }, /* group 2 alone */
	{ "legacy", "Windows 11, VPN client", "aes256-sha256-prfsha256-modp1024", NULL },
	{ "windows", "Windows 11, NegotiateDH2048_AES256 is 2, EAP",
	  "aes256-sha256-prfsha256-modp2048", "aes256-sha1-noesn" },
	{ "windows", "Windows 11, GCMAES256 with ECP384", "aes256gcm16-prfsha384-ecp384",
	  "aes256gcm16-noesn" },
	{ "windows", "Windows 11, a firewall's rule", "aes256-sha256-prfsha256-modp2048",
	  "aes256-sha1-noesn" },
	{ "apple", "iOS 16.5, set by hand", "aes256-sha256-prfsha256-modp2048",
	  "aes256-sha256-noesn" },
	{ "apple", "iOS, a profile", "aes256gcm16-prfsha256-ecp256", "aes256gcm16-noesn" },
	{ "apple", "macOS, a profile", "chacha20poly1305-prfsha256-x25519",
	  "chacha20poly1305-noesn" },
	{ "android", "Android", "aes256gcm16-prfsha512-modp4096", "aes256gcm16-noesn" },
	{ "cloud", "AWS", "aes256gcm16-prfsha384-ecp256", "aes256gcm16-noesn" },
	{ "cloud", "Azure, the default policy", NULL, NULL }, /* group 2 alone */
	{ "legacy", "Azure, the default policy", "aes256-sha256-prfsha256-modp1024", NULL },
	{ "cloud", "Azure, a custom policy", "aes256gcm16-prfsha384-ecp384", "aes256gcm16-noesn" },
	{ "cloud", "Google Cloud, order of before", "aes256gcm16-prfsha384-modp2048",
	  "aes256gcm16-noesn" },
	{ "cloud", "Google Cloud, order of after", "aes256gcm16-prfsha384-ecp256",
	  "aes256gcm16-noesn" },
	{ "legacy", "Cisco IOS 15", "aes256-sha256-prfsha256-modp1536", NULL },
};

static struct ike_proposals own;

static const char *common(const char *words, uint8_t protocol, uint16_t group)
{
	static struct ike_sa_payload offer;
	static char text[256];
	struct ike_proposal chosen;

	scripted_offer(&offer, words, protocol, protocol == IKE_PROTO_ESP ? ESP_SPI : 0);
	if (!ike_proposal_choose(&own, IKE_OFFER(&offer), group, &chosen))
		return "nothing";
	return ike_proposal_print(text, sizeof(text), &chosen);
}

static void has_in_common(const struct fit *f, const struct offer *o)
{
	char err[256];

	assert_int_equal(ike_proposals_from_text(f->profile, IKE_PROTO_IKE, &own, err, sizeof(err)),
			 0);
	assert_string_equal(common(o->ike, IKE_PROTO_IKE, o->group), f->ike ? f->ike : "nothing");
	if (!f->esp)
		return;
	assert_int_equal(ike_proposals_from_text(f->profile, IKE_PROTO_ESP, &own, err, sizeof(err)),
			 0);
	ike_proposals_drop_dh(&own); /* as in IKE_AUTH */
	assert_string_equal(common(o->esp, IKE_PROTO_ESP, IKE_DH_NONE), f->esp);
}

static void profiles_are_of_what_is_offered(void **state)
{
	unsigned int i, k;

	(void)state;
	for (i = 0; i < sizeof(fits) / sizeof(fits[0]); i++) {
		const struct offer *found = NULL;

		for (k = 0; k < sizeof(offers) / sizeof(offers[0]); k++) {
			if (!strncmp(offers[k].who, fits[i].who, strlen(fits[i].who)))
				found = &offers[k];
		}
		assert_non_null(found);
		has_in_common(&fits[i], found);
	}
}

/* CNSA 2.0 is agreed on, or nothing; whether or not libcrypto has ML-KEM. */
static void cnsa2_takes_nothing_else(void **state)
{
	const struct profile *p;
	const char *rest;
	char err[256];
	unsigned int i;

	(void)state;
	p = profile_find("CNSA2", &rest);
	assert_non_null(p);
	own.n = 1;
	assert_int_equal(ike_proposal_from_text(p->ike, IKE_PROTO_IKE, &own.p[0], err, sizeof(err)),
			 0);
	for (i = 0; i < sizeof(offers) / sizeof(offers[0]); i++)
		assert_string_equal(common(offers[i].ike, IKE_PROTO_IKE, offers[i].group),
				    "nothing");
	assert_string_equal(
		common("aes128gcm16-aes256gcm16-prfsha256-prfsha384-x25519-ecp384-6:36:0-6:37:0-6:0:0",
		       IKE_PROTO_IKE, IKE_DH_CURVE25519),
		"aes256gcm16-prfsha384-ecp384-ke1_mlkem1024");
	assert_string_equal(common("aes256gcm16-prfsha384-ecp384", IKE_PROTO_IKE, IKE_DH_ECP384),
			    "nothing");
	if (ike_kex_known(IKE_DH_MLKEM1024))
		return;
	assert_int_equal(ike_proposals_from_text("cnsa2", IKE_PROTO_IKE, &own, err, sizeof(err)),
			 -1);
	assert_non_null(strstr(
		err, "has ke1_mlkem1024, which the libcrypto here does not: it takes OpenSSL 3.5"));
}

/* A core with the default Crypto=, whose peer may be anywhere. */
static struct pair *new_pair(struct node **n, bool initiator)
{
	struct pair *p = pair_new();
	struct ike_tunnel_conf *c;
	char err[256];

	*n = initiator ? p->a : p->b;
	c = &(*n)->conf[0];
	c->liveness = 0;
	assert_int_equal(
		ike_proposals_from_text("modern", IKE_PROTO_IKE, &c->ike, err, sizeof(err)), 0);
	assert_int_equal(
		ike_proposals_from_text("modern", IKE_PROTO_ESP, &c->esp, err, sizeof(err)), 0);
	return p;
}

static void add_notifies(struct ike_builder *b, const uint16_t *types)
{
	static const uint8_t window[] = { 0, 0, 0, 5 }, hashes[] = { 0, 2, 0, 3, 0, 4 };
	unsigned int i;

	for (i = 0; i < MAX_NOTIFIES && types[i]; i++) {
		if (types[i] == IKE_N_SET_WINDOW_SIZE)
			ike_build_notify(b, types[i], window, sizeof(window));
		else if (types[i] == IKE_N_SIGNATURE_HASH_ALGORITHMS)
			ike_build_notify(b, types[i], hashes, sizeof(hashes));
		else
			ike_build_notify(b, types[i], NULL, 0);
	}
}

static void ask_init(struct scripted *s, const struct offer *o, uint16_t group)
{
	static struct ike_sa_payload ike;
	unsigned int i;

	scripted_offer(&ike, o->ike, IKE_PROTO_IKE, 0);
	scripted_begin_init(s);
	ike_build_sa(&s->b, IKE_OFFER(&ike));
	scripted_key_exchange(s, group);
	scripted_natd(s, true);
	add_notifies(&s->b, o->init);
	for (i = 0; i < 3 && o->vendor[i]; i++)
		ike_build_payload(&s->b, IKE_PL_VENDOR, o->vendor[i], strlen(o->vendor[i]));
	scripted_send_init(s);
}

static void check_words(const char *who, const struct ike_payloads *in, const char *want,
			struct ike_sa_payload *answer)
{
	char got[256];

	assert_int_equal(ike_sa_parse(ike_payload_find(in, IKE_PL_SA), answer), 0);
	assert_int_equal(answer->n, 1);
	ike_proposal_print(got, sizeof(got), &answer->p[0]);
	if (strcmp(got, want))
		fail_msg("%s: chosen is %s, not %s", who, got, want);
}

/* True if there is an IKE SA to go on with. */
static bool initial_exchange(struct scripted *s, const struct offer *o)
{
	static struct ike_sa_payload answer;
	struct ike_payloads in;
	struct ike_notify n;

	ask_init(s, o, o->group);
	in = scripted_heard(s, IKE_SA_INIT);
	if (o->asked) {
		assert_true(ike_notify_find(&in, IKE_N_INVALID_KE_PAYLOAD, &n));
		assert_int_equal(n.data[0] << 8 | n.data[1], o->asked);
		memset(s->spi_r, 0, sizeof(s->spi_r));
		ask_init(s, o, o->asked);
		in = scripted_heard(s, IKE_SA_INIT);
	}
	if (!o->chosen) {
		if (!ike_notify_find(&in, IKE_N_NO_PROPOSAL_CHOSEN, &n))
			fail_msg("%s is not refused", o->who);
		return false;
	}
	check_words(o->who, &in, o->chosen, &answer);
	assert_true(ike_notify_find(&in, IKE_N_NAT_DETECTION_SOURCE_IP, &n));
	assert_int_equal(ike_notify_find(&in, IKE_N_IKEV2_FRAGMENTATION_SUPPORTED, &n),
			 o->init[0] == IKE_N_IKEV2_FRAGMENTATION_SUPPORTED ||
				 o->init[1] == IKE_N_IKEV2_FRAGMENTATION_SUPPORTED);
	scripted_derive(s, &in, &answer.p[0]);
	return true;
}

static void prove(struct scripted *s, enum auth how)
{
	const struct ike_id *id = &own_conf(s->to)->remote_id;
	static const uint8_t signature[256] = { 1 }, certificate[300] = { 4, 0x30 };

	if (how == PSK) {
		scripted_prove(s, id);
		return;
	}
	ike_build_id(&s->b, IKE_PL_IDI, id);
	if (how == EAP)
		return;
	ike_build_payload(&s->b, IKE_PL_CERT, certificate, sizeof(certificate));
	ike_build_auth(&s->b, IKE_AUTH_RSA, signature, sizeof(signature));
}

static void authenticate(struct scripted *s, const struct offer *o)
{
	/* CFG_REQUEST: INTERNAL_IP4_ADDRESS, INTERNAL_IP4_DNS, INTERNAL_IP6_ADDRESS, all empty */
	static const uint8_t cp[] = { 1, 0, 0, 0, 0, 1, 0, 0, 0, 3, 0, 0, 0, 8, 0, 0 };
	static struct ike_sa_payload esp;
	struct ike_ts_list ts = { 0 };
	char err[128];

	scripted_offer(&esp, o->esp, IKE_PROTO_ESP, ESP_SPI);
	assert_int_equal(ike_ts_from_text(o->ts ? o->ts : "0.0.0.0/0", &ts, err, sizeof(err)), 0);
	scripted_begin(s);
	prove(s, o->auth);
	if (o->configuration)
		ike_build_payload(&s->b, IKE_PL_CP, cp, sizeof(cp));
	ike_build_sa(&s->b, IKE_OFFER(&esp));
	ike_build_ts(&s->b, IKE_PL_TSI, IKE_TS_OFFER(&ts));
	ike_build_ts(&s->b, IKE_PL_TSR, IKE_TS_OFFER(&ts));
	add_notifies(&s->b, o->more);
	scripted_send(s, IKE_AUTH);
}

static void check_selectors(const struct ike_payloads *in, uint8_t type)
{
	struct ike_ts_payload ts;
	char got[256];

	assert_int_equal(ike_ts_parse(ike_payload_find(in, type), &ts), 0);
	assert_string_equal(ike_ts_list_print(got, sizeof(got), IKE_TS_OFFER(&ts)), "0.0.0.0/0");
}

static void check_answer(struct scripted *s, const struct offer *o)
{
	struct ike_payloads in = scripted_heard(s, IKE_AUTH);
	static struct ike_sa_payload answer;
	struct ike_notify n;

	if (o->error && !ike_notify_find(&in, o->error, &n))
		fail_msg("%s: no notify %u", o->who, o->error);
	if (o->error == IKE_N_AUTHENTICATION_FAILED) {
		assert_int_equal(in.n, 1);
		assert_int_equal(node_stats(s->to).ike_sas, 0);
		return;
	}
	scripted_verify(s, &in); /* the IKE SA stays, even without a pair */
	assert_int_equal(node_stats(s->to).ike_sas, 1);
	if (o->error)
		return;
	check_words(o->who, &in, o->pair, &answer);
	check_selectors(&in, IKE_PL_TSI);
	check_selectors(&in, IKE_PL_TSR);
	assert_int_equal(node_out(s->to, 0)->spi, ESP_SPI);
	assert_true(node_status(s->to, 0).state == IKE_TUNNEL_UP);
}

static void ask_rekey(struct scripted *s, const struct offer *o, uint16_t group)
{
	const uint8_t old[] = { 0xc0, 0xff, 0xee, 0x01 };
	static struct ike_sa_payload esp;
	struct ike_ts_list ts = { 0 };
	char err[128];

	scripted_offer(&esp, o->rekey, IKE_PROTO_ESP, ESP_SPI + 1);
	assert_int_equal(ike_ts_from_text("0.0.0.0/0", &ts, err, sizeof(err)), 0);
	scripted_begin(s);
	ike_build_notify_spi(&s->b, IKE_N_REKEY_SA, IKE_PROTO_ESP, old, sizeof(old), NULL, 0);
	ike_build_sa(&s->b, IKE_OFFER(&esp));
	if (group)
		scripted_key_exchange(s, group);
	else
		ike_build_nonce(&s->b, s->nonce[0], s->nonce_len[0]);
	ike_build_ts(&s->b, IKE_PL_TSI, IKE_TS_OFFER(&ts));
	ike_build_ts(&s->b, IKE_PL_TSR, IKE_TS_OFFER(&ts));
	scripted_send(s, IKE_CREATE_CHILD_SA);
}

static void check_rekeyed(struct scripted *s, const struct offer *o)
{
	static struct ike_sa_payload answer;
	struct ike_payloads in;
	struct ike_notify n;

	ask_rekey(s, o, o->rekey_group);
	in = scripted_heard(s, IKE_CREATE_CHILD_SA);
	if (o->rekey_asked) {
		assert_true(ike_notify_find(&in, IKE_N_INVALID_KE_PAYLOAD, &n));
		assert_int_equal(n.data[0] << 8 | n.data[1], o->rekey_asked);
		ask_rekey(s, o, o->rekey_asked);
		in = scripted_heard(s, IKE_CREATE_CHILD_SA);
	}
	check_words(o->who, &in, o->rekeyed, &answer);
	assert_int_equal(!ike_payload_find(&in, IKE_PL_KE), !o->rekey_group);
	assert_int_equal(node_count(s->to, 0, true), 2); /* the old one waits for its DELETE */
}

static void they_begin(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(offers) / sizeof(offers[0]); i++) {
		const struct offer *o = &offers[i];
		struct scripted s;
		unsigned int j;
		struct node *b;
		struct pair *p = new_pair(&b, false);

		print_message("%s (%s)\n", o->who, o->source);
		node_start(b, false);
		scripted_init(&s, p, b, (uint8_t)(i + 1), true);
		if (initial_exchange(&s, o)) {
			authenticate(&s, o);
			check_answer(&s, o);
		}
		assert_int_equal(b->n_sa, o->pair ? 2 : 0);
		if (o->rekey)
			check_rekeyed(&s, o);
		for (j = 0; j < 3 && o->says[j]; j++)
			if (!strstr(node_error(b), o->says[j]))
				fail_msg("%s: \"%s\" is not in: %s", o->who, o->says[j],
					 node_error(b));
		if (!o->says[0])
			assert_string_equal(node_error(b), "");
		scripted_free(&s);
		pair_free(p);
	}
}

/* ---- they ask for addresses ------------------------------------------------ */

enum { MAX_ATTRIBUTES = 12 };

/*
 * Attributes of their configuration requests, in their order, all empty, and what is answered. The pool has
 * addresses of both families, a name server of IPv4, and a domain.
 */
static const struct request {
	const char *who, *source;
	uint16_t asks[MAX_ATTRIBUTES], gets[MAX_ATTRIBUTES];
	const char *ts; /* TSi and TSr of the request … */
	const char *selects; /* … and TSi of the answer */
} requests[] = {
	{
		/* 23456 and 23457: INTERNAL_IP4_SERVER, INTERNAL_IP6_SERVER of [MS-IKEE] 2.2.5 */
		.who = "Windows 11",
		.source = "ss-log: CPRQ(ADDR DNS NBNS SRV ADDR6 DNS6 SRV6)",
		.asks = { 1, 3, 4, 23456, 8, 10, 23457 },
		.gets = { 1, 3, 8 },
		.ts = "any",
		.selects = "10.9.0.1/32, fd09::1/128",
	},
	{
		.who = "iOS and macOS",
		.source = "ss-log: CPRQ(ADDR DHCP DNS MASK ADDR6 DHCP6 DNS6 (25))",
		.asks = { 1, 6, 3, 2, 8, 12, 10, 25 },
		.gets = { 1, 3, 8, 25 },
		.ts = "any",
		.selects = "10.9.0.1/32, fd09::1/128",
	},
	{
		.who = "Android 13, its own client",
		.source = "aosp: addInternalAddressRequest(), addInternalDnsServerRequest()",
		.asks = { 1, 2, 8, 3, 10 },
		.gets = { 1, 3, 8 },
		.ts = "any",
		.selects = "10.9.0.1/32, fd09::1/128",
	},
	{
		.who = "strongSwan for Android",
		.source = "ss-log: CPRQ(ADDR ADDR6 DNS DNS6)",
		.asks = { 1, 8, 3, 10 },
		.gets = { 1, 3, 8 },
		.ts = "any",
		.selects = "10.9.0.1/32, fd09::1/128",
	},
	{
		/* Nor is the version of what runs here anybody's business. */
		.who = "IPv4 alone, with the version, networks and what nobody knows",
		.source = "-",
		.asks = { 1, 7, 13, 16383, 28 },
		.gets = { 1, 13 },
		.ts = "0.0.0.0/0",
		.selects = "10.9.0.1/32",
	},
};

static struct pair *new_hub(struct node **n)
{
	struct pair *p = new_pair(n, false);
	struct ike_tunnel_conf *c = &(*n)->conf[0];

	world_hub_pool(&p->w, 0, 50);
	c->clients = 10;
	c->child[0].local_ts = c->child[0].remote_ts; /* any */
	c->pool.tells_routes = true;
	c->pool.n_routes = 1;
	c->pool.route[0] = (struct ike_cp_subnet){ { 4, { 10, 1 } }, 16 };
	return p;
}

static void ask_for_addresses(struct scripted *s, const struct request *r)
{
	static struct ike_sa_payload esp;
	uint8_t cp[4 + 4 * MAX_ATTRIBUTES] = { 1 };
	struct ike_ts_list ts = { 0 };
	size_t len = 4;
	char err[128];

	for (unsigned int i = 0; r->asks[i]; i++, len += 4) {
		cp[len] = (uint8_t)(r->asks[i] >> 8);
		cp[len + 1] = (uint8_t)r->asks[i];
	}
	assert_int_equal(ike_ts_from_text(r->ts, &ts, err, sizeof(err)), 0);
	scripted_offer(&esp, "aes256gcm16-noesn", IKE_PROTO_ESP, ESP_SPI);
	scripted_begin(s);
	scripted_prove(s, &own_conf(s->to)->remote_id);
	ike_build_payload(&s->b, IKE_PL_CP, cp, len);
	ike_build_sa(&s->b, IKE_OFFER(&esp));
	ike_build_ts(&s->b, IKE_PL_TSI, IKE_TS_OFFER(&ts));
	ike_build_ts(&s->b, IKE_PL_TSR, IKE_TS_OFFER(&ts));
	scripted_send(s, IKE_AUTH);
}

/* The reply has these attributes, each with a value, and no others. */
static void check_reply(const struct request *r, const struct ike_payload *cp)
{
	size_t at = 4;

	assert_non_null(cp);
	assert_int_equal(cp->body[0], IKE_CP_REPLY);
	for (unsigned int i = 0; r->gets[i]; i++) {
		assert_true(at + 4 <= cp->len);
		if ((cp->body[at] << 8 | cp->body[at + 1]) != r->gets[i])
			fail_msg("%s: attribute %u is %u, not %u", r->who, i,
				 cp->body[at] << 8 | cp->body[at + 1], r->gets[i]);
		assert_int_not_equal(cp->body[at + 2] << 8 | cp->body[at + 3], 0);
		at += 4 + (size_t)(cp->body[at + 2] << 8 | cp->body[at + 3]);
	}
	assert_int_equal(at, cp->len);
}

static void they_ask_for_addresses(void **state)
{
	static const struct offer any = {
		.who = "any",
		.ike = "aes256gcm16-prfsha256-ecp256",
		.group = IKE_DH_ECP256,
		.chosen = "aes256gcm16-prfsha256-ecp256",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		const struct request *r = &requests[i];
		struct ike_ts_payload ts;
		struct ike_payloads in;
		struct scripted s;
		char got[256];
		struct node *b;
		struct pair *p = new_hub(&b);

		print_message("%s (%s)\n", r->who, r->source);
		node_start(b, false);
		scripted_init(&s, p, b, (uint8_t)(i + 1), true);
		assert_true(initial_exchange(&s, &any));
		ask_for_addresses(&s, r);
		in = scripted_heard(&s, IKE_AUTH);
		scripted_verify(&s, &in);
		check_reply(r, ike_payload_find(&in, IKE_PL_CP));
		assert_int_equal(ike_ts_parse(ike_payload_find(&in, IKE_PL_TSI), &ts), 0);
		assert_string_equal(ike_ts_list_print(got, sizeof(got), IKE_TS_OFFER(&ts)),
				    r->selects);
		scripted_free(&s);
		pair_free(p);
	}
}

/* ---- we begin ------------------------------------------------------------ */

static const struct choice {
	const char *who, *source;
	uint16_t asked; /* INVALID_KE_PAYLOAD first, with that group */
	const char *ike; /* what it chooses; NULL: NO_PROPOSAL_CHOSEN */
	uint16_t group;
	const char *esp; /* … of the pair; NULL: NO_PROPOSAL_CHOSEN */
	const char *says[3];
} choices[] = {
	{
		.who = "AWS, the lowest of what it has and we offer",
		.source = "aws",
		.asked = 14,
		.ike = "aes128-sha256-prfsha256-modp2048",
		.group = 14,
		.esp = "aes128-sha1-noesn",
	},
	{
		.who = "Azure, the default policy",
		.source = "azure",
		.says = { "peer answered NO_PROPOSAL_CHOSEN", OUR_GROUPS,
			  "let it accept one, or add one of its to Crypto=" },
	},
	{
		.who = "Azure, a custom policy with IPsec of AES256 and SHA256",
		.source = "azure",
		.asked = 20,
		.ike = "aes256-sha384-prfsha384-ecp384",
		.group = 20,
		.esp = "aes256-sha256-noesn",
	},
	{
		.who = "Azure, a custom policy with IPsec of GCMAES256",
		.source = "azure",
		.asked = 20,
		.ike = "aes256gcm16-prfsha384-ecp384",
		.group = 20,
		.esp = "aes256gcm16-noesn",
	},
	{
		.who = "Google Cloud, order of before the change",
		.source = "gcp",
		.asked = 14,
		.ike = "aes128gcm16-prfsha256-modp2048",
		.group = 14,
		.esp = "aes128gcm16-noesn",
	},
	{
		.who = "Google Cloud, order of after the change",
		.source = "gcp",
		.ike = "aes256gcm16-prfsha256-x25519",
		.group = 31,
		.esp = "aes256gcm16-noesn",
	},
	{
		.who = "Cisco IOS XE, default proposal, esp-gcm 256",
		.source = "cisco",
		.asked = 19,
		.ike = "aes256-sha512-prfsha512-ecp256",
		.group = 19,
		.esp = "aes256gcm16-noesn",
	},
};

/* The number of the first proposal in @in that has the encryption of @choice. */
static uint8_t number_of(const struct ike_payloads *in, const struct ike_proposal *choice)
{
	static struct ike_sa_payload offer;
	unsigned int i, j;

	assert_int_equal(ike_sa_parse(ike_payload_find(in, IKE_PL_SA), &offer), 0);
	for (i = 0; i < offer.n; i++)
		for (j = 0; j < offer.p[i].n; j++)
			if (!memcmp(&offer.p[i].t[j], &choice->t[0], sizeof(choice->t[0])))
				return offer.p[i].num;
	fail_msg("we do not offer its encryption");
	return 0;
}

/* True if there is an IKE SA to go on with. */
static bool answer_init(struct scripted *s, const struct choice *c)
{
	struct ike_payloads in = scripted_heard(s, IKE_SA_INIT);
	static struct ike_sa_payload answer;
	struct ike_ke ke;

	if (c->asked) {
		scripted_begin_init(s);
		ike_build_invalid_ke(&s->b, c->asked);
		scripted_send_init(s);
		in = scripted_heard(s, IKE_SA_INIT);
	}
	scripted_begin_init(s);
	if (!c->ike) {
		ike_build_notify(&s->b, IKE_N_NO_PROPOSAL_CHOSEN, NULL, 0);
		scripted_send_init(s);
		return false;
	}
	assert_int_equal(ike_ke_parse(ike_payload_find(&in, IKE_PL_KE), &ke), 0);
	assert_int_equal(ke.group, c->group);
	scripted_offer(&answer, c->ike, IKE_PROTO_IKE, 0);
	answer.p[0].num = number_of(&in, &answer.p[0]);
	ike_build_sa(&s->b, IKE_OFFER(&answer));
	scripted_key_exchange(s, c->group);
	scripted_natd(s, false);
	ike_build_notify(&s->b, IKE_N_IKEV2_FRAGMENTATION_SUPPORTED, NULL, 0);
	scripted_derive(s, &in, &answer.p[0]);
	scripted_send_init(s);
	return true;
}

static void answer_auth(struct scripted *s, const struct choice *c)
{
	struct ike_payloads in = scripted_heard(s, IKE_AUTH);
	static struct ike_sa_payload esp;
	const struct ike_payload *ts[] = { ike_payload_find(&in, IKE_PL_TSI),
					   ike_payload_find(&in, IKE_PL_TSR) };

	scripted_verify(s, &in);
	scripted_begin(s);
	scripted_prove(s, &own_conf(s->to)->remote_id);
	if (c->esp) {
		scripted_offer(&esp, c->esp, IKE_PROTO_ESP, ESP_SPI);
		esp.p[0].num = number_of(&in, &esp.p[0]);
		ike_build_sa(&s->b, IKE_OFFER(&esp));
		ike_build_payload(&s->b, IKE_PL_TSI, ts[0]->body, ts[0]->len);
		ike_build_payload(&s->b, IKE_PL_TSR, ts[1]->body, ts[1]->len);
	} else {
		ike_build_notify(&s->b, IKE_N_NO_PROPOSAL_CHOSEN, NULL, 0);
	}
	scripted_send(s, IKE_AUTH);
}

static void check_up(struct scripted *s, const struct choice *c)
{
	struct ike_sa *sa = node_sa(s->to);
	char got[256];

	assert_non_null(sa);
	assert_string_equal(ike_proposal_print(got, sizeof(got), &sa->proposal), c->ike);
	if (!c->esp)
		return;
	assert_string_equal(ike_proposal_print(got, sizeof(got),
					       &TAILQ_FIRST(&sa->children)->proposal),
			    c->esp);
	assert_int_equal(node_out(s->to, 0)->spi, ESP_SPI);
	assert_true(node_status(s->to, 0).state == IKE_TUNNEL_UP);
}

static void we_begin(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(choices) / sizeof(choices[0]); i++) {
		const struct choice *c = &choices[i];
		struct scripted s;
		unsigned int j;
		struct node *a;
		struct pair *p = new_pair(&a, true);

		print_message("%s (%s)\n", c->who, c->source);
		scripted_init(&s, p, a, (uint8_t)(i + 1), false);
		a->conf[0].remote = s.here;
		node_start(a, false);
		pair_run(p, 30);
		if (answer_init(&s, c)) {
			answer_auth(&s, c);
			check_up(&s, c);
		}
		assert_int_equal(a->n_sa, c->esp ? 2 : 0);
		for (j = 0; j < 3 && c->says[j]; j++)
			if (!strstr(node_error(a), c->says[j]))
				fail_msg("%s: \"%s\" is not in: %s", c->who, c->says[j],
					 node_error(a));
		if (!c->says[0])
			assert_string_equal(node_error(a), "");
		scripted_free(&s);
		pair_free(p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(profiles_are_of_what_is_offered),
		cmocka_unit_test(cnsa2_takes_nothing_else),
		cmocka_unit_test(they_begin),
		cmocka_unit_test(they_ask_for_addresses),
		cmocka_unit_test(we_begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
