// SPDX-License-Identifier: GPL-2.0-or-later
/* What is said about wrong configuration files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "ike/app/config/config.h"
#include "some_config.h"

/* Logs, terminals and JSON get ASCII. */
static void says_ascii(void **state)
{
	static const char *const rows[] = {
		"[Tunnel]\nLocal = f\xfcr\n",	  "[Tunnel]\nF\xfcr = 1\n",
		"[T\xfcnnel]\nMTU = 1\n",	  "[Tunnel]\nMTU = \x1b[2J\x7f\n",
		"[Peer]\nRoutes = caf\xc3\xa9\n", "[Peer]\nCrypto = caf\xe9\n" PSK_LINE,
	};
	struct config c;

	(void)state;
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(parse(rows[i], &c), -1);
		assert_true(*said);
		for (const char *s = said; *s; s++)
			assert_true(*s == '\n' || (*s >= ' ' && *s <= '~'));
	}
}

struct wrong {
	const char *text, *expected;
};

static const struct wrong values[] = {
	{ "[Tunnel]\nPort = 500\n",
	  "2: Port = 500: expected a UDP port from 1 to 65535, but not 500" },
	{ "[Tunnel]\nPort = 65536\n", "2: Port = 65536" },
	{ "[Tunnel]\nPort = -1\n", "2: Port = -1" },
	{ "[Tunnel]\nPort = 4500x\n", "2: Port = 4500x" },
	{ "[Tunnel]\n\nMTU = big\n", "3: MTU = big: expected auto, or bytes from 576 to 65535" },
	{ "[Tunnel]\nMTU =\n", "2: MTU = : expected auto" },
	{ "[Tunnel]\nLocal = vpn.example.org\n",
	  "2: Local = vpn.example.org: expected an IPv4 or IPv6 address" },
	{ "[Tunnel]\nAddress = 10.0.0.1/33\n", "\"10.0.0.1/33\" is no prefix; expected" },
	{ "[Tunnel]\nAddress = 10.0.0.1,\n  10.0.0.300/8\n", "3: Address" },
	{ "[Tunnel]\nFwMark = 0x1ffffffff\n", "2: FwMark" },
	{ "[Tunnel]\nTable = default\n", "2: Table = default: expected main, or" },
	{ "[Peer]\nRoutes = 10.1.2.3/8\n",
	  "2: Routes = 10.1.2.3/8: 10.1.2.3/8 has bits set beyond /8; the network is 10.0.0.0/8" },
	{ "[Peer]\nRoutes = lan\n", "\"lan\" is no prefix" },
	{ "[Peer]\nEndpoint = 192.0.2.300\n",
	  "2: Endpoint = 192.0.2.300: expected a host name or address" },
	{ "[Peer]\nEndpoint = vpn example\n", "2: Endpoint" },
	{ "[Peer]\nEndpoint = vpn.example.org:0\n", "2: Endpoint" },
	{ "[Peer]\nEndpoint = fe80::1\n",
	  "2: Endpoint = fe80::1: expected an address of one other machine" },
	{ "[Peer]\nEndpoint = [::ffff:192.0.2.1]:4500\n", "address of one other machine" },
	{ "[Peer]\nEndpoint = ::1\n", "address of one other machine" },
	{ "[Peer]\nEndpoint = ff02::1\n", "address of one other machine" },
	{ "[Tunnel]\nLocal = ::\n", "2: Local = ::: expected an IPv4 or IPv6 address" },
	{ "[Tunnel]\nLocal = 192.0.2.1\n[Peer]\nEndpoint = 2001:db8::2\n",
	  "2: Local = 192.0.2.1 and Endpoint = 2001:db8::2: expected two addresses of one family" },
	{ "[Peer]\nEndpoint = [2001:db8::1\n", "2: Endpoint" },
	{ "[Peer]\nSelectors = 10.1.0.0/16\n",
	  "2: Selectors = 10.1.0.0/16: expected \"any\", or LOCAL = REMOTE" },
	{ "[Peer]\nSelectors = 10.1.0.0/16 = here\n", "2: Selectors" },
	{ "[Peer]\nSelectors = 10.1.0.0/16 = 10.2.0.0/16, 192.168.1.0/24 = 10.9.0.0/16\n"
	  "SelectorsPerChild = all\n",
	  "2: Selectors: one child SA carries all pairs, and would allow 10.1.0.0/16 = 10.9.0.0/16, too" },
	{ "[Peer]\nSelectors = 10.1.0.0/16 = 10.2.0.0/16\nSelectors = any = 10.3.0.0/16\n"
	  "SelectorsPerChild = all\n",
	  "would allow 10.1.0.0/16 = 10.3.0.0/16, too" },
	{ "[Peer]\nKeepalive = often\n",
	  "2: Keepalive = often: expected seconds from 0 (off) to 3600" },
	{ "[Peer]\nMobike = perhaps\n", "2: Mobike = perhaps: expected yes or no" },
	{ "[Peer]\nReplayWindow = 100000\n", "2: ReplayWindow" },
	{ "[Peer]\nStart = later\n", "2: Start = later: expected now, traffic or listen" },
	{ "[Peer]\nStart = now\n" PSK_LINE, "2: without Endpoint only Start = listen is possible" },
	{ "[Peer]\nEndpoint = 192.0.2.1\n" PSK_LINE "Clients = 5\n",
	  "4: Clients = 5: clients come from anywhere, but Endpoint in line 2 names one: expected one or the other" },
	{ "[Peer]\nCrypto = rot13\n" PSK_LINE,
	  "2: Crypto = rot13: unknown word \"rot13\"; expected words like" },
	{ "[Peer]\nCrypto = ike: aes256-sha256-modp2048, esp: rot13\n" PSK_LINE,
	  "2: Crypto = rot13" },
};

static const struct wrong lifetimes[] = {
	{ "[Peer]\nReauth = 59s\n",
	  "2: Reauth = 59s: expected off, or a time from 60s to 30d (s, m, h or d)" },
	{ "[Peer]\nRekey = 4h\n",
	  "2: Rekey = 4h: expected two times, the IKE SA's and the child SA's, such as 4h, 1h" },
	{ "[Peer]\nRekey =\n",
	  "2: Rekey = : expected the times of the IKE SA and of the child SA, such as 4h, 1h" },
	{ "[Peer]\nRekey = 9s, 1h\n",
	  "2: Rekey = 9s, 1h: expected for the IKE SA a time from 10s to 30d, or off" },
	{ "[Peer]\nRekey = 31d, 1h\n", "2: Rekey = 31d, 1h: expected for the IKE SA" },
	{ "[Peer]\nRekey = 4h, 4\n",
	  "2: Rekey = 4h, 4: expected for the child SA a time from 5s to 7d, or off" },
	{ "[Peer]\nRekey = 4h, 169h\n", "2: Rekey = 4h, 169h: expected for the child SA" },
	{ "[Peer]\nRekey = 4h, 1h, 1h\n", "2: Rekey = 4h, 1h, 1h: expected for the child SA" },
	{ "[Peer]\nRekey = 4h,\n", "2: Rekey = 4h," },
	{ "[Peer]\nRekey = 4h, 0x1d\n", "2: Rekey = 4h, 0x1d" },
	{ "[Peer]\nRekey = 4h, 1w\n", "2: Rekey = 4h, 1w" },
	{ "[Peer]\nRekey = 4h, 1hh\n", "2: Rekey = 4h, 1hh" },
	{ "[Peer]\nRekey = 4h, h\n", "2: Rekey = 4h, h" },
	{ "[Peer]\nRekey = 4h, -1h\n", "2: Rekey = 4h, -1h" },
	{ "[Peer]\nRekey = 4h, 99999999999999999999\n", "2: Rekey = 4h, 99999999999999999999" },
	{ "[Peer]\nRekey = 4 h, 1h\n", "2: Rekey = 4 h, 1h: expected for the IKE SA" },
	{ "[Peer]\nRekeyBytes = 1023K\n",
	  "2: RekeyBytes = 1023K: expected off, or bytes from 1M on" },
	{ "[Peer]\nRekeyBytes = 16777216T\n", "2: RekeyBytes = 16777216T: expected off" },
	{ "[Peer]\nRekeyBytes = 4GB\n", "2: RekeyBytes = 4GB: expected off" },
	{ "[Peer]\nRekeyPackets = 999\n",
	  "2: RekeyPackets = 999: expected off, or packets from 1000 on" },
	{ "[Peer]\nRekeyPackets = 1P\n", "2: RekeyPackets = 1P: expected off" },
};

static void wrong_values(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		refused(values[i].text, values[i].expected);
	for (unsigned int i = 0; i < sizeof(lifetimes) / sizeof(lifetimes[0]); i++)
		refused(lifetimes[i].text, lifetimes[i].expected);
}

static void wrong_keys(void **state)
{
	(void)state;
	refused("[Tunnel]\nAdress = 10.0.0.1/24\n",
		"2: [Tunnel] has no key Adress; did you mean Address?");
	refused("[Peer]\nBandwidth = 10.0.0.0/8\n",
		"2: [Peer] has no key Bandwidth; esptun.conf(5) lists the keys");
	refused("[Tunnel]\nPSK = x\n", "2: PSK belongs into section [Peer], not [Tunnel]");
	refused("[Pear]\nPSK = x\n",
		"1: unknown section [Pear]; expected [Tunnel], [Peer], [Pool], [Radius], [Child NAME] or [Client ID]");
	refused("PSK = x\n", "1: a key before any section; expected [Tunnel] first");
	refused("[Peer]\nPSK\n", "2: expected [Section] or KEY = VALUE");
	refused("[Peer\nPSK = x\n", "1: expected [Section] or KEY = VALUE");
	refused("[Tunnel]\nMTU = 1400\n\nMTU = 1300\n",
		"4: MTU is given again; the first one is in line 2");
	refused("[Tunnel]\nMTU = auto\n", "0: [Peer] lacks PSK");
	refused("", "0: [Peer] lacks PSK");
}

/* What other programs' users write, @line in @section: each is led to our word. */
static void other_words(void **state)
{
	static const struct {
		const char *section, *line, *said;
	} rows[] = {
		{ "Peer", "AllowedIPs = 10.0.0.0/8", "AllowedIPs; it is Routes in [Peer] here" },
		{ "Peer", "PresharedKey = abc", "it is PSK in [Peer] here" },
		{ "Peer", "PersistentKeepalive = 25", "it is Keepalive in [Peer] here" },
		{ "Peer", "PublicKey = abc", "PublicKey = abc: expected the peer's public key" },
		{ "Tunnel", "PrivateKey = abc", "it is Key in [Tunnel] here, the /PATH" },
		{ "Peer", "pubkeys = a.pub", "it is PublicKey in [Peer] here" },
		{ "Peer", "leftauth = pubkey", "it is LocalAuth in [Tunnel] here" },
		{ "Tunnel", "ListenPort = 51820", "it is Port in [Tunnel] here" },
		{ "Tunnel", "DNS = 1.1.1.1",
		  "DNS = 1.1.1.1: expected yes or no, whether the peer's name servers are used; those for clients belong into [Pool]" },
		{ "Tunnel", "PostUp = iptables", "PostUp: no commands are run" },
		{ "Tunnel", "PreUp = x", "PreUp: no commands are run" },
		{ "Tunnel", "SaveConfig = true", "esptund never writes its configuration" },
		{ "Tunnel", "Certificate = x", "it is Cert in [Tunnel] here" },
		{ "Peer", "cacerts = x", "it is CA in [Peer] here" },
		{ "Peer", "rightcert = x", "CA and RemoteID in [Peer] say which certificate" },
		{ "Peer", "remote_addrs = 1.2.3.4", "it is Endpoint in [Peer] here" },
		{ "Peer", "proposals = x", "it is Crypto in [Peer] here" },
		{ "Peer", "secret = a", "it is PSK in [Peer] here" },
		{ "Peer", "left = 1.2.3.4", "it is Local in [Tunnel] here" },
		{ "Peer", "leftid = a", "it is LocalID in [Tunnel] here" },
		{ "Peer", "rightsubnet = 10.0.0.0/8", "it is Routes in [Peer] here" },
		{ "Peer", "auto = start", "it is Start in [Peer] here, now (start)" },
		{ "Peer", "dpddelay = 30", "it is Liveness in [Peer] here" },
		{ "Peer", "esp = aes256gcm16", "it is Crypto in [Peer] here, with esp:" },
		{ "Peer", "ike = aes256-sha256", "it is Crypto in [Peer] here, with ike:" },
		{ "Peer", "rekey = no",
		  "Rekey = no: expected two times, the IKE SA's and the child SA's" },
		{ "Tunnel", "rekey = yes", "Rekey belongs into section [Peer]" },
		{ "Peer", "ikelifetime = 8h", "it is Rekey in [Peer] here, the first of" },
		{ "Peer", "keylife = 1h", "it is Rekey in [Peer] here, the second of" },
		{ "Peer", "rekey_time = 1h",
		  "it is Rekey in [Peer] here, as IKE-TIME, CHILD-TIME" },
		{ "Peer", "ipsec-max-bytes = 1G", "it is RekeyBytes in [Peer] here, which" },
		{ "Peer", "margintime = 9m", "it is Rekey in [Peer] here, which says when" },
		{ "Peer", "rekey_packets = 9", "it is RekeyPackets in [Peer] here" },
		{ "Peer", "pfs = yes", "it is Crypto in [Peer] here, the word pfs" },
		{ "Peer", "Key = x", "Key belongs into section [Tunnel], not [Peer]" },
		{ "Tunnel", "Table = off", "Table = off: expected main, or" },
		{ "Tunnel", "FwMark = off", "FwMark = off: expected a number from 0 (off)" },
		{ "Peer", "Keepalive = off", "Keepalive = off: expected seconds from 0 (off)" },
		{ "Peer", "Start = trap", "expected now, traffic or listen" },
		{ "Tunnel", "}", "braces belong to swanctl.conf" },
		{ "Tunnel", "children {", "braces belong to swanctl.conf" },
		{ "Tunnel", "conn hq", "this is ipsec.conf's form" },
		{ "Interface", "MTU = 1400", "1: [Interface] is written [Tunnel] here" },
		/* with every key of the file indented */
		{ "Peer", "  Routes = 10.0.0.0/8\n  AllowedIPs = ::/0",
		  "3: [Peer] has no key AllowedIPs" },
		{ "Peer", "  Routes = 10.0.0.0/8\n  remote_addrs = a",
		  "3: [Peer] has no key remote_addrs" },
		{ "Peer", "Routs = 10.0.0.0/8,\n  10.2.0.0/16\n  Start = soon", "4: Start = soon" },
	};
	char text[256];

	(void)state;
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(text, sizeof(text), "[%s]\n%s\n", rows[i].section, rows[i].line);
		refused(text, rows[i].said);
	}
	/* an unknown key is complained of once, however long its value */
	refused("[Peer]\nRouts = 10.0.0.0/8,\n  10.2.0.0/16\n", "did you mean Routes?");
	assert_null(strstr(said, "3:"));
}

/* Values as people write them elsewhere; what is wrong is a whole sentence. */
static void other_values(void **state)
{
	static const struct {
		const char *section, *line, *said;
	} rows[] = {
		{ "Peer", "Crypto = aes256",
		  "Crypto = aes256: \"aes256\" has encryption without integrity algorithm; add one, such as sha256\n" },
		{ "Peer", "Crypto = default",
		  "Crypto = default: unknown word \"default\"; did you mean modern?\n" },
		{ "Peer", "Crypto = ike:aes256gcm16-prfsha384-ecp384 esp:aes256gcm16",
		  "a proposal holds no = and no :; put commas between proposals\n" },
		{ "Peer", "Crypto = ike:aes256-sha256-modp2048, esp:aes128-nointeg",
		  "Crypto = aes128-nointeg: nointeg is not implemented; choose another integrity algorithm: sha256, sha384, sha512, sha1\n" },
		{ "Peer", "Crypto = aes-256-gcm", "; did you mean aes256gcm16?\n" },
		{ "Peer", "Crypto = aes256ctr-sha256-modp2048",
		  "leaves nothing for IKE; add a proposal with aes256gcm16" },
		{ "Peer", "Endpoint = any",
		  "a tunnel that waits for its peer goes without Endpoint" },
		{ "Peer", "Endpoint = %any",
		  "a tunnel that waits for its peer goes without Endpoint" },
		{ "Peer", "Endpoint = 0.0.0.0", "expected an address of one other machine" },
		{ "Peer", "Endpoint = 127.0.0.1", "expected an address of one other machine" },
		{ "Peer", "Endpoint = 224.0.0.18", "expected an address of one other machine" },
		{ "Peer", "Endpoint = 255.255.255.255", "expected an address of one other" },
		{ "Peer", "Endpoint = udp://vpn.example.org", "expected a host name" },
		{ "Peer", "Endpoint = 192.0.2.2/32", "expected a host name" },
		{ "Peer", "Endpoint = 192.000.002.002", "expected a host name" },
		{ "Peer", "Endpoint = 192.0.2.2, 192.0.2.3", "expected a host name" },
		{ "Peer", "Endpoint = 192.0.2.2\xc2\xa0",
		  "expected ASCII, but character 10 is the byte 0xc2" },
		{ "Peer",
		  "Routes = 10.0.0.0/8,\xc2\xa0"
		  "fd00::/8",
		  "expected ASCII" },
		{ "Peer",
		  "Routes = 10.0.0.0\xe2\x81\x84"
		  "8",
		  "expected ASCII" },
		{ "Peer", "Routes = default", "\"default\" is no prefix" },
		{ "Peer", "Routes = 10.1.2.0/255.255.255.0", "is no prefix" },
		{ "Peer", "Routes = 10.1.2.3/24", "the network is 10.1.2.0/24" },
		{ "Peer", "RemoteID = %any",
		  "RemoteID = %any: any peer is written any; expected an identity" },
		{ "Peer", "RemoteID = *.example.org",
		  "RemoteID with * is for clients: expected Clients" },
		{ "Peer", "Clients = 0", "expected how many peers may be connected, from 1" },
		{ "Peer", "Clients = 10001", "expected how many peers" },
		{ "Peer", "Unique = keep", "Unique is for clients: expected Clients of 2 or more" },
		{ "Peer", "Unique = never", "expected replace, keep or refuse" },
		{ "Peer", "Clients = 2\nReauth = 1h", "only clients can authenticate again" },
		{ "Tunnel", "LocalID = *.example.org", "LocalID = *.example.org" },
		{ "Tunnel", "LocalID = @west.example", "a host name is written without @" },
		{ "Tunnel", "LocalID = C=CH, Q=Example, CN=west", "a distinguished name has" },
		{ "Tunnel", "LocalID = C=CH, CN=*", "LocalID = C=CH, CN=*" },
		{ "Peer", "Clients = 2\n[Client C=CH, CN=*]\nPSK = 0123456789abcdef",
		  "a key is for one distinguished name" },
		{ "Tunnel", "LocalID = west gate",
		  "LocalID = west gate: this is no identity; expected an identity" },
		{ "Tunnel", "LocalID = a.example\xc2\xa0", "expected ASCII" },
		{ "Tunnel", "MTU = 1200\nAddress = fd00::1/64", "MTU = 1200: IPv6, of which" },
		{ "Tunnel", "MTU = 1200\n[Peer]\nRoutes = fd00::/8", "needs 1280" },
	};
	char text[512];
	struct config c;

	(void)state;
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(text, sizeof(text), "[Peer]\n" PSK_LINE "[%s]\n%s\n", rows[i].section,
			 rows[i].line);
		refused(text, rows[i].said);
		assert_null(strstr(said, "expected expected"));
		assert_null(strstr(said, "expected unknown"));
	}
	accepted("[Tunnel]\nLocalID = \"west.example\"\nMTU = 1200\n[Peer]\n"
		 "Crypto = Modern\nEndpoint = vpn.example.org.:51820\n" PSK_LINE,
		 &c);
	assert_string_equal(said, "");
	assert_string_equal(c.endpoint, "vpn.example.org.");
	assert_int_equal(c.local_id.len, 12);
	config_clear(&c);
	accepted("[Tunnel]\nAddress = 10.9.0.1/24, 10.9.0.1/24\n[Peer]\n"
		 "Routes = 10.0.0.0/8\nRoutes = 10.0.0.0/8\n" PSK_LINE,
		 &c);
	assert_string_equal(said, "2: warning: Address: 10.9.0.1/24 is given twice\n"
				  "4: warning: Routes: 10.0.0.0/8 is given twice\n");
	config_clear(&c);
}

static void all_errors_at_once(void **state)
{
	(void)state;
	refused("[Tunnel]\nMTU = 1\nPort = 0\n[Peer]\nStrat = now\n", "2: MTU");
	assert_non_null(strstr(said, "3: Port"));
	assert_non_null(strstr(said, "5: [Peer] has no key Strat; did you mean Start?"));
}

static void hostile_text(void **state)
{
	static char big[CONFIG_MAX_FILE + 2];
	struct config c;

	(void)state;
	said[0] = 0;
	assert_int_equal(config_parse("hq", "[Peer]\nPSK = a\0b\n", 17, &c, &report), -1);
	assert_non_null(strstr(said, "2: the line holds a zero byte"));

	memset(big, 'x', sizeof(big));
	said[0] = 0;
	assert_int_equal(config_parse("hq", big, 5000, &c, &report), -1);
	assert_non_null(strstr(said, "1: the line is longer than"));
	said[0] = 0;
	assert_int_equal(config_parse("hq", big, CONFIG_MAX_FILE + 1, &c, &report), -1);
	assert_non_null(strstr(said, "the file is longer than"));
	assert_int_equal(config_parse("hq", NULL, 0, &c, &report), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_ascii),	cmocka_unit_test(wrong_values),
		cmocka_unit_test(wrong_keys),	cmocka_unit_test(other_words),
		cmocka_unit_test(other_values), cmocka_unit_test(all_errors_at_once),
		cmocka_unit_test(hostile_text),
	};

	return cmocka_run_group_tests_name("config_wrong", tests, NULL, NULL);
}
