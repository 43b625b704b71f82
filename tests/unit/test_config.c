// SPDX-License-Identifier: GPL-2.0-or-later
/* Configuration files: what they mean, and what is said about wrong ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <openssl/pem.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cert_maker.h"
#include "ike/app/config/config.h"
#include "ike/app/secret.h"
#include "ike/eap/eap.h"
#include "ike/proto/addr.h"
#include "ike/proto/names.h"

/* The complaints of a parse: "LINE: text\n" each, warnings as "LINE: warning: text\n". */
static char said[8192];

static void on_report(void *ctx, bool error, unsigned int line, const char *text)
{
	size_t len = strlen(said);

	(void)ctx;
	snprintf(said + len, sizeof(said) - len, "%u: %s%s\n", line,
		 error ? "" : "warning: ", text);
}

static const struct config_report report = { .fn = on_report };

#define PSK_LINE "PSK = 5dtRc2sPqYb8Wm1xVn7uKz4L\n"

static int parse(const char *text, struct config *c)
{
	said[0] = 0;
	return config_parse("hq", text, strlen(text), c, &report);
}

/* @text is refused, and what is said holds @expected. */
static void refused(const char *text, const char *expected)
{
	struct config c, zero = { 0 };

	assert_int_equal(parse(text, &c), -1);
	if (!strstr(said, expected))
		fail_msg("said \"%s\", not \"%s\"", said, expected);
	assert_memory_equal(&c, &zero, sizeof(c));
}

static void accepted(const char *text, struct config *c)
{
	if (parse(text, c))
		fail_msg("refused: %s", said);
}

static void defaults(void **state)
{
	struct config c;
	char text[512];

	(void)state;
	accepted("[Peer]\nEndpoint = vpn.example.org\n" PSK_LINE, &c);
	assert_string_equal(said, "");
	assert_string_equal(c.name, "hq");
	assert_string_equal(c.endpoint, "vpn.example.org");
	assert_int_equal(c.endpoint_addr.family, 0);
	assert_int_equal(c.endpoint_port, 500);
	assert_int_equal(c.port, 4500);
	assert_int_equal(c.mtu, 0);
	assert_int_equal(c.keepalive, 20);
	assert_int_equal(c.liveness, 30);
	assert_int_equal(c.rekey_ike, 4 * 3600);
	assert_int_equal(c.rekey_child, 3600);
	assert_int_equal(c.rekey_bytes, 0);
	assert_int_equal(c.rekey_packets, 0);
	assert_int_equal(c.replay_window, 1024);
	assert_int_equal(c.start, IKE_START_NOW);
	assert_int_equal(c.local_id.type, 0);
	assert_int_equal(c.remote_id.type, 0);
	assert_true(c.ike->n > 0 && c.esp->n > 0);
	assert_string_equal(ike_ts_list_print(text, sizeof(text),
					      IKE_TS_OFFER(&c.child[0].local_ts)),
			    "0.0.0.0/0, ::/0");
	assert_string_equal(ike_ts_list_print(text, sizeof(text),
					      IKE_TS_OFFER(&c.child[0].remote_ts)),
			    "0.0.0.0/0, ::/0");
	config_clear(&c);
}

static void every_key(void **state)
{
	struct config c;
	char text[512];

	(void)state;
	accepted("# a comment\n"
		 "[tunnel]\n"
		 "Address = 169.254.10.2/30, fd00::2/64  # both\n"
		 "  10.9.9.9\n"
		 "MTU = 1400\n"
		 "localid = branch1.example.org\n"
		 "Local = 192.0.2.7\n"
		 "Port = 4501\n"
		 "FwMark = 0x2a\n"
		 "Table = 77\n"
		 "Metric = 5\n"
		 "[Peer]\n"
		 "Endpoint = 198.51.100.2:4500 ; start there\n"
		 "RemoteID = vpn@example.org\n"
		 "PSK = \"a # key ; of 20 octets\"\n"
		 "Routes = 10.0.0.0/8\n"
		 "Routes = fd00::/8 0.0.0.0/0\n"
		 "Selectors = 10.1.0.0/16 = 10.2.0.0/16,\n"
		 "\t10.1.0.0/16 = 10.3.0.1-10.3.0.9:udp:53\n"
		 "Crypto = ike: aes256-sha256-modp2048, esp: aes128gcm16-noesn\n"
		 "Keepalive = 0\n"
		 "Liveness = 5\n"
		 "Rekey = 12h, 90m\n"
		 "RekeyBytes = 64G\n"
		 "Reauth = 36h\n"
		 "Mobike = No\n"
		 "RekeyPackets = 3M\n"
		 "ReplayWindow = 64\n"
		 "Start = traffic\n",
		 &c);
	assert_int_equal(c.n_address, 3);
	assert_int_equal(c.address[0].len, 30);
	assert_int_equal(c.address[1].addr.family, 6);
	assert_int_equal(c.address[2].len, 32);
	assert_int_equal(c.mtu, 1400);
	assert_string_equal(ike_id_print(text, sizeof(text), &c.local_id), "branch1.example.org");
	assert_string_equal(ike_addr_print(text, sizeof(text), &c.local), "192.0.2.7");
	assert_int_equal(c.port, 4501);
	assert_int_equal(c.fwmark, 42);
	assert_int_equal(c.table, 77);
	assert_int_equal(c.metric, 5);
	assert_string_equal(ike_addr_print(text, sizeof(text), &c.endpoint_addr), "198.51.100.2");
	assert_int_equal(c.endpoint_port, 4500);
	assert_int_equal(c.remote_id.type, IKE_ID_RFC822);
	assert_int_equal(c.psk_len, 22);
	assert_memory_equal(c.psk, "a # key ; of 20 octets", 22);
	assert_int_equal(c.n_routes, 3);
	assert_int_equal(c.routes[2].len, 0);
	assert_string_equal(ike_ts_list_print(text, sizeof(text),
					      IKE_TS_OFFER(&c.child[0].local_ts)),
			    "10.1.0.0/16");
	assert_int_equal(c.child[0].remote_ts.n, 2);
	assert_string_equal(ike_proposals_print(text, sizeof(text), IKE_OFFER(c.ike)),
			    "aes256-sha256-prfsha256-modp2048");
	assert_int_equal(c.esp->n, 1);
	assert_int_equal(c.keepalive, 0);
	assert_int_equal(c.liveness, 5);
	assert_int_equal(c.rekey_ike, 12 * 3600);
	assert_int_equal(c.reauth, 36 * 3600);
	assert_false(c.mobike);
	assert_int_equal(c.rekey_child, 90 * 60);
	assert_int_equal(c.rekey_bytes, 64ULL << 30);
	assert_int_equal(c.rekey_packets, 3 << 20);
	assert_int_equal(c.replay_window, 64);
	assert_int_equal(c.start, IKE_START_TRAFFIC);
	config_clear(&c);
}

static void lifetimes(void **state)
{
	static const struct {
		const char *lines;
		uint32_t ike, child;
		uint64_t bytes, packets;
	} t[] = {
		{ "Rekey = 4h,1h\n", 4 * 3600, 3600, 0, 0 },
		{ "Rekey = 30D , 7d\n", 30 * 86400, 7 * 86400, 0, 0 },
		{ "Rekey = 10, 5\n", 10, 5, 0, 0 },
		{ "Rekey = 60m, 01d # longer\n", 3600, 86400, 0, 0 },
		{ "Rekey = off, 30s\n", 0, 30, 0, 0 },
		{ "Rekey = 8h, Off\n", 8 * 3600, 0, 0, 0 },
		{ "Rekey = 0, 0\nRekeyBytes = off\nRekeyPackets = 0\n", 0, 0, 0, 0 },
		{ "RekeyBytes = 1m\nRekeyPackets = 1k\n", 14400, 3600, 1 << 20, 1024 },
		{ "RekeyBytes = 10000000\nRekeyPackets = 1000\n", 14400, 3600, 10000000, 1000 },
		{ "RekeyBytes = 2T\nRekeyPackets = 4G\n", 14400, 3600, 2ULL << 40, 4ULL << 30 },
		{ "RekeyBytes = 16777215T\n", 14400, 3600, 0xffffffULL << 40, 0 },
	};
	struct ike_tunnel_conf tunnel;
	struct config c;
	char text[512];

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		snprintf(text, sizeof(text), "[Peer]\n" PSK_LINE "%s", t[i].lines);
		accepted(text, &c);
		config_tunnel(&c, &tunnel);
		assert_int_equal(tunnel.rekey_ike, t[i].ike);
		assert_int_equal(tunnel.rekey_child, t[i].child);
		assert_int_equal(tunnel.rekey_bytes, t[i].bytes);
		assert_int_equal(tunnel.rekey_packets, t[i].packets);
		config_clear(&c);
	}
}

/* A reload replaces a tunnel that has other lifetimes. */
static void lifetimes_make_a_difference(void **state)
{
	static const char *const lines[] = { "Rekey = 5h, 1h\n", "Rekey = 4h, 2h\n",
					     "RekeyBytes = 1M\n", "RekeyPackets = 1K\n" };
	struct config a, b;
	char text[512];

	(void)state;
	accepted("[Peer]\n" PSK_LINE, &a);
	accepted("[Peer]\n" PSK_LINE "Rekey = 240m, 3600\n", &b);
	assert_true(config_equal(&a, &b));
	config_clear(&b);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		snprintf(text, sizeof(text), "[Peer]\n" PSK_LINE "%s", lines[i]);
		accepted(text, &b);
		assert_false(config_equal(&a, &b));
		config_clear(&b);
	}
	config_clear(&a);
}

static void keys_in_other_forms(void **state)
{
	struct config c;

	(void)state;
	accepted("[Peer]\nPSK = hex:00FF10\n", &c);
	assert_int_equal(c.psk_len, 3);
	assert_memory_equal(c.psk, "\x00\xff\x10", 3);
	assert_int_equal(c.start, IKE_START_LISTEN); /* nowhere to begin */
	config_clear(&c);
	accepted("[Peer]\nPSK = base64:AAECAw==\n", &c);
	assert_int_equal(c.psk_len, 4);
	assert_memory_equal(c.psk, "\x00\x01\x02\x03", 4);
	config_clear(&c);
	accepted("[Peer]\nPSK = file:/etc/esptun/psk\n", &c);
	assert_string_equal(c.psk_file, "/etc/esptun/psk");
	config_clear(&c);
	refused("[Peer]\nPSK = hex:00F\n", "2: PSK: the key is ");
	refused("[Peer]\nPSK = base64:AAA\n", "2: PSK: the key is ");
	refused("[Peer]\nPSK = base64:A*ECAw==\n", "2: PSK: the key is ");
	refused("[Peer]\nPSK = file:psk\n", "2: PSK: the key names a file: expected file:/PATH");
	refused("[Peer]\nPSK = secret # of hq\n", "2: PSK: expected a key without comment");
	refused("[Peer]\nPSK =\n", "2: PSK: expected");
}

static void never_repeats_a_key(void **state)
{
	(void)state;
	refused("[Peer]\nPSK = hex:topsecret\n", "2: PSK");
	assert_null(strstr(said, "topsecret"));
}

/* Wherever the key strays to, no complaint repeats it, not even a part. */
static void never_repeats_a_stray_key(void **state)
{
	static const char *const before[] = {
		"",
		"[Peer]\n",
		"[Peer]\n  Routes = 10.0.0.0/8\n",
		"[Peer]\n  Selectors = any\n",
		"[Peer]\n  Crypto = modern\n",
		"[Tunnel]\n\tAddress = 10.0.0.1/8\n",
		"[Peer]\n  PSK =\n",
		"[Tunnel]\n MTU = 1400\n",
	};
	static const char *const lines[] = {
		"  PSK = hunter2\n",  "\tPSK: hunter2\n",	"  pks = hunter2\n",
		"  PSK=hunter2\n",    "  Password = hunter2\n", "  Password: hunter2\n",
		"  Secret=hunter2\n", "  hunter2==\n",		"hunter2==\n",
	};
	char text[256];
	struct config c;

	(void)state;
	for (unsigned int i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
		for (unsigned int k = 0; k < sizeof(lines) / sizeof(lines[0]); k++) {
			snprintf(text, sizeof(text), "%s%s", before[i], lines[k]);
			if (!parse(text, &c))
				config_clear(&c);
			if (strstr(said, "hunter2"))
				fail_msg("of \"%s\" it said \"%s\"", text, said);
		}
	}
}

static void indented_keys(void **state)
{
	struct config c;

	(void)state;
	accepted("  [Tunnel]\n"
		 "    Address = 10.1.0.1/24\n"
		 "      10.1.1.1/24\n"
		 "    MTU = 1400\n"
		 "  [Peer]\n"
		 "    Routes = 10.0.0.0/8,\n"
		 "      fd00::/8\n"
		 "    Selectors = any = 10.2.0.0/16\n"
		 "      any = 10.3.0.0/16\n"
		 "    Crypto = ike: aes256-sha256-modp2048\n"
		 "      esp: aes128gcm16-noesn\n"
		 "    PSK = 5dtRc2sPqYb8Wm1xVn7uKz4L\n",
		 &c);
	assert_string_equal(said, "");
	assert_int_equal(c.n_address, 2);
	assert_int_equal(c.mtu, 1400);
	assert_int_equal(c.n_routes, 2);
	assert_int_equal(c.child[0].remote_ts.n, 2);
	assert_int_equal(c.ike->n, 1);
	assert_int_equal(c.esp->n, 1);
	assert_int_equal(c.psk_len, 24);
	config_clear(&c);
	refused("[Tunnel]\n  Address = 10.0.0.1/8\n  Adress = 10.0.0.2/8\n",
		"3: [Tunnel] has no key Adress; did you mean Address?");
	refused("[Peer]\n  Routes = 10.0.0.0/8\n  [Tunnel]\n  PSK = x\n",
		"4: PSK belongs into section [Peer], not [Tunnel]");
}

/* Logs, terminals and JSON get ASCII. */
/* Pairs that combine every local network with every remote one are what is negotiated. */
static void selector_pairs(void **state)
{
	static const struct {
		const char *pairs, *local, *remote;
	} t[] = {
		{ "10.1.0.0/24 = 10.2.0.0/24, 10.1.0.0/24 = 10.3.0.0/24", "10.1.0.0/24",
		  "10.2.0.0/24, 10.3.0.0/24" },
		{ "10.1.0.0/24 = 10.2.0.0/24, 10.4.0.0/24 = 10.2.0.0/24, "
		  "10.1.0.0/24 = 10.3.0.0/24, 10.4.0.0/24 = 10.3.0.0/24",
		  "10.1.0.0/24, 10.4.0.0/24", "10.2.0.0/24, 10.3.0.0/24" },
		{ "10.1.0.0/24 = 10.2.0.0/24, 10.1.0.0/24 = 10.2.0.0/24", "10.1.0.0/24",
		  "10.2.0.0/24" },
		/* no packet goes from one family to the other, or is TCP and UDP */
		{ "10.1.0.0/24 = 10.2.0.0/24, fd00:1::/64 = fd00:2::/64",
		  "10.1.0.0/24, fd00:1::/64", "10.2.0.0/24, fd00:2::/64" },
		{ "10.1.0.0/24:tcp = 10.2.0.0/24:tcp, 10.1.0.0/24:udp = 10.2.0.0/24:udp",
		  "10.1.0.0/24:tcp, 10.1.0.0/24:udp", "10.2.0.0/24:tcp, 10.2.0.0/24:udp" },
	};
	char text[512], got[512];
	struct config c;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		snprintf(text, sizeof(text), "[Peer]\n" PSK_LINE "Selectors = %s\n", t[i].pairs);
		accepted(text, &c);
		assert_string_equal(ike_ts_list_print(got, sizeof(got),
						      IKE_TS_OFFER(&c.child[0].local_ts)),
				    t[i].local);
		assert_string_equal(ike_ts_list_print(got, sizeof(got),
						      IKE_TS_OFFER(&c.child[0].remote_ts)),
				    t[i].remote);
		config_clear(&c);
	}
}

/* Name, start, mode unless it is tunnel, and selectors of each child SA, "NAME START LOCAL = REMOTE; ...". */
static void children_are(const char *lines, const char *expected)
{
	static const char *const starts[] = { "now", "traffic", "listen" };
	char text[4096], got[4096] = "", l[512], r[512];
	struct config c;
	size_t len = 0;

	snprintf(text, sizeof(text), "[Peer]\nEndpoint = 192.0.2.1\n" PSK_LINE "%s", lines);
	accepted(text, &c);
	for (unsigned int i = 0; i < c.n_child; i++)
		len += (size_t)snprintf(
			got + len, sizeof(got) - len, "%s%s %s%s %s = %s", i ? "; " : "",
			c.child[i].name, starts[c.child[i].start],
			c.child[i].mode == IKE_MODE_TRANSPORT ? " transport" : "",
			ike_ts_list_print(l, sizeof(l), IKE_TS_OFFER(&c.child[i].local_ts)),
			ike_ts_list_print(r, sizeof(r), IKE_TS_OFFER(&c.child[i].remote_ts)));
	assert_string_equal(got, expected);
	config_clear(&c);
}

static void several_children(void **state)
{
	(void)state;
	children_are("", "hq now 0.0.0.0/0, ::/0 = 0.0.0.0/0, ::/0");
	/* Pairs that one child SA cannot carry without granting more get one each. */
	children_are("Selectors = 10.1.0.0/16 = 10.2.0.0/16, 10.3.0.0/16 = 10.4.0.0/16\n",
		     "hq now 10.1.0.0/16 = 10.2.0.0/16; hq.2 now 10.3.0.0/16 = 10.4.0.0/16");
	children_are(
		"Selectors = 10.1.0.0/16 = 10.2.0.0/16, 10.1.0.0/16 = 10.3.0.0/16\n"
		"SelectorsPerChild = one\nStart = traffic\n",
		"hq traffic 10.1.0.0/16 = 10.2.0.0/16; hq.2 traffic 10.1.0.0/16 = 10.3.0.0/16");
	children_are(
		"SelectorsPerChild = one\nStart = listen\n"
		"[Child lan]\nSelectors = 10.1.0.0/16 = 10.2.0.0/16, 10.1.0.0/16 = 10.3.0.0/16\n"
		"Start = now\nMode = tunnel\n"
		"[child Voice-6]\nSelectors = fd00:1::/64 = fd00:2::/64\n"
		"SelectorsPerChild = all\n",
		"lan now 10.1.0.0/16 = 10.2.0.0/16; lan.2 now 10.1.0.0/16 = 10.3.0.0/16; "
		"Voice-6 listen fd00:1::/64 = fd00:2::/64");
	/* The mode of [Peer] is that of all sections that have none; others' selectors may overlap its own. */
	children_are("Mode = transport\nSelectors = any:gre = any:gre\n",
		     "hq now transport 0.0.0.0/0:gre, ::/0:gre = 0.0.0.0/0:gre, ::/0:gre");
	children_are("Mode = transport\n[Child nets]\nMode = tunnel\n[Child ends]\n",
		     "nets now 0.0.0.0/0, ::/0 = 0.0.0.0/0, ::/0; "
		     "ends now transport 0.0.0.0/0, ::/0 = 0.0.0.0/0, ::/0");
}

static void what_esp_travels_in(void **state)
{
	struct ike_tunnel_conf t;
	struct config c;

	(void)state;
	accepted("[Peer]\nEndpoint = 192.0.2.1\n" PSK_LINE, &c);
	assert_int_equal(c.encap, IKE_ENCAP_UDP);
	config_clear(&c);
	accepted("[Peer]\nEndpoint = 192.0.2.1\n" PSK_LINE "Encap = esp\n", &c);
	assert_int_equal(c.encap, IKE_ENCAP_ESP);
	config_clear(&c);
	accepted("[Peer]\nEndpoint = 192.0.2.1\n" PSK_LINE "Encap = auto\n", &c);
	config_tunnel(&c, &t);
	assert_int_equal(t.encap, IKE_ENCAP_AUTO);
	config_clear(&c);
}

/* MOBIKE, on unless the file says so, is off where there is transport mode. */
static void mobike_is_of_tunnel_mode(void **state)
{
	struct config c;

	(void)state;
	accepted("[Peer]\nEndpoint = 192.0.2.1\n" PSK_LINE "Mode = tunnel\n", &c);
	assert_true(c.mobike);
	config_clear(&c);
	accepted("[Peer]\nEndpoint = 192.0.2.1\n" PSK_LINE "Mode = transport\n", &c);
	assert_false(c.mobike);
	config_clear(&c);
}

static void wrong_children(void **state)
{
	static const struct {
		const char *text, *expected;
	} t[] = {
		{ "[Child a]\nSelectors = any\n[Child A]\n",
		  "5: [Child A] is there already, in line 3" },
		{ "[Child a]\nSelectors = ,\n",
		  "4: Selectors = ,: expected any, or LOCAL = REMOTE" },
		{ "Start = now\n[Child a]\n",
		  "3: without Endpoint only Start = listen is possible" },
		{ "SelectorsPerChild = one\n[Child a]\n"
		  "Selectors = 10.1.0.0/16 = any, 10.2.0.0/16 = any\n"
		  "[Child a.2]\nSelectors = 10.3.0.0/16 = any\n",
		  "6: [Child a.2] Selectors: two child SAs would have the name a.2" },
		{ "[Child]\n", "3: expected [Child NAME], a name of at most 31 letters" },
		{ "[Child a b]\n", "3: expected [Child NAME]" },
		{ "[Child a]\nMode = transport\nSelectors = 10.1.0.0/16 = any\n",
		  "3: [Child a] Selectors: Mode = transport carries packets between the endpoints: "
		  "expected any" },
		{ "Mode = transport\nSelectors = 0.0.0.0/0:gre = any\n",
		  "4: Selectors: Mode = transport carries packets between the endpoints" },
		{ "Encap = tcp\n", "3: Encap = tcp: expected udp, esp or auto" },
		{ "Mobike = yes\n[Child a]\nMode = transport\n",
		  "3: Mobike = yes: addresses of SAs in transport mode cannot change" },
		{ "[Child a]\nMode = beet\n", "4: Mode = beet: expected tunnel or transport" },
		{ "[Child a]\nPSK = x\n", "4: PSK belongs into section [Peer], not [Child]" },
		{ "[Child a]\nStart = soon\n", "4: Start = soon: expected now, traffic or listen" },
		{ "[Child a]\nStart = now\n",
		  "3: [Child a]: without Endpoint only Start = listen" },
		{ "Selectors = any\n[Child a]\n",
		  "3: Selectors belong into the sections [Child NAME]" },
		{ "[Child a]\nSelectors = 10.0.0.0/8 = any\n"
		  "[Child b]\nSelectors = 10.2.0.0/16 = 10.3.0.0/16\n",
		  "5: [Child b] Selectors: 10.2.0.0/16 = 10.3.0.0/16 overlaps a pair of child SA a" },
		{ "[Child a]\n[Child b]\n",
		  "4: [Child b] Selectors: 0.0.0.0/0, ::/0 = 0.0.0.0/0, ::/0 overlaps" },
		{ "SelectorsPerChild = some\n",
		  "3: SelectorsPerChild = some: expected one or all" },
		{ "SelectorsPerChild = one\nSelectors = any, 10.1.0.0/16 = any\n",
		  "4: Selectors: 10.1.0.0/16 = 0.0.0.0/0, ::/0 overlaps a pair of child SA hq" },
	};
	char text[512];

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		snprintf(text, sizeof(text), "[Peer]\n" PSK_LINE "%s", t[i].text);
		refused(text, t[i].expected);
	}
}

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

/* 010 is ten, as on the command line. */
static void numbers_are_decimal(void **state)
{
	struct config c;

	(void)state;
	accepted("[Tunnel]\nPort = 0777\nMTU = 02000\nFwMark = 0X1f\n"
		 "[Peer]\nRoutes = 10.0.0.0/010\n" PSK_LINE,
		 &c);
	assert_int_equal(c.port, 777);
	assert_int_equal(c.mtu, 2000);
	assert_int_equal(c.fwmark, 0x1f);
	assert_int_equal(c.routes[0].len, 10);
	config_clear(&c);
	refused("[Tunnel]\nFwMark = 0x\n", "2: FwMark = 0x");
	refused("[Tunnel]\nMetric = 1f\n", "2: Metric = 1f");
}

#ifndef __SANITIZE_ADDRESS__ /* which has a free() of its own */

static const char *residue; /* what no freed memory may hold */
static unsigned int residues;

void __libc_free(void *p);

void free(void *p)
{
	if (p && residue && memmem(p, malloc_usable_size(p), residue, strlen(residue)))
		residues++;
	__libc_free(p);
}

static void wipes_what_it_frees(void **state)
{
	struct config c;
	char *volatile seen = malloc(64);

	(void)state;
	residue = "5dtRc2sPqYb8Wm1xVn7uKz4L";
	residues = 0;
	snprintf(seen, 64, "%s", residue);
	free(seen);
	assert_int_equal(residues, 1); /* it is looked at */
	residues = 0;
	accepted("[Peer]\n" PSK_LINE, &c);
	config_clear(&c);
	accepted("[Peer]\n" PSK_LINE "Start = listen\n", &c);
	config_clear(&c);
	assert_int_equal(parse("[Peer]\n" PSK_LINE PSK_LINE, &c), -1);
	assert_int_equal(residues, 0);
	residue = NULL;
}

#endif

static void many_clients(void **state)
{
	struct ike_tunnel_conf t;
	struct config c;

	(void)state;
	accepted("[Peer]\nRemoteID = *@example.org\nClients = 50\nUnique = keep\n" PSK_LINE, &c);
	config_tunnel(&c, &t);
	assert_int_equal(t.clients, 50);
	assert_int_equal(t.unique, IKE_UNIQUE_KEEP);
	assert_true(ike_id_is_wildcard(&t.remote_id));
	assert_int_equal(t.child[0].start, IKE_START_LISTEN);
	config_clear(&c);
	accepted("[Peer]\n" PSK_LINE, &c);
	assert_int_equal(c.clients, 1);
	assert_int_equal(c.unique, IKE_UNIQUE_REPLACE);
	config_clear(&c);
}

static void weak_keys(void **state)
{
	struct config c;

	(void)state;
	accepted("[Peer]\nPSK = secret123\n", &c);
	assert_non_null(strstr(said, "2: warning: the key can be guessed"));
	assert_non_null(strstr(said, "make one with \"esptun keygen\""));
	config_clear(&c);
	assert_true(secret_bits((const uint8_t *)"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 34) < 10);
	assert_true(secret_bits((const uint8_t *)"abcdefghijklmnopqrstuvwxyz", 26) < 10);
	assert_true(secret_bits((const uint8_t *)"", 0) == 0);
	assert_in_range(secret_bits((const uint8_t *)"5dtRc2sPqYb8Wm1xVn7uKz4L", 24), 128, 150);
}

static void wrong_values(void **state)
{
	static const struct {
		const char *text, *expected;
	} rows[] = {
		{ "[Tunnel]\nPort = 500\n",
		  "2: Port = 500: expected a UDP port from 1 to 65535, but not 500" },
		{ "[Tunnel]\nPort = 65536\n", "2: Port = 65536" },
		{ "[Tunnel]\nPort = -1\n", "2: Port = -1" },
		{ "[Tunnel]\nPort = 4500x\n", "2: Port = 4500x" },
		{ "[Tunnel]\n\nMTU = big\n",
		  "3: MTU = big: expected auto, or bytes from 576 to 65535" },
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
		{ "[Peer]\nRekey = 4h, 1h, 1h\n",
		  "2: Rekey = 4h, 1h, 1h: expected for the child SA" },
		{ "[Peer]\nRekey = 4h,\n", "2: Rekey = 4h," },
		{ "[Peer]\nRekey = 4h, 0x1d\n", "2: Rekey = 4h, 0x1d" },
		{ "[Peer]\nRekey = 4h, 1w\n", "2: Rekey = 4h, 1w" },
		{ "[Peer]\nRekey = 4h, 1hh\n", "2: Rekey = 4h, 1hh" },
		{ "[Peer]\nRekey = 4h, h\n", "2: Rekey = 4h, h" },
		{ "[Peer]\nRekey = 4h, -1h\n", "2: Rekey = 4h, -1h" },
		{ "[Peer]\nRekey = 4h, 99999999999999999999\n",
		  "2: Rekey = 4h, 99999999999999999999" },
		{ "[Peer]\nRekey = 4 h, 1h\n", "2: Rekey = 4 h, 1h: expected for the IKE SA" },
		{ "[Peer]\nRekeyBytes = 1023K\n",
		  "2: RekeyBytes = 1023K: expected off, or bytes from 1M on" },
		{ "[Peer]\nRekeyBytes = 16777216T\n", "2: RekeyBytes = 16777216T: expected off" },
		{ "[Peer]\nRekeyBytes = 4GB\n", "2: RekeyBytes = 4GB: expected off" },
		{ "[Peer]\nRekeyPackets = 999\n",
		  "2: RekeyPackets = 999: expected off, or packets from 1000 on" },
		{ "[Peer]\nRekeyPackets = 1P\n", "2: RekeyPackets = 1P: expected off" },
		{ "[Peer]\nReplayWindow = 100000\n", "2: ReplayWindow" },
		{ "[Peer]\nStart = later\n", "2: Start = later: expected now, traffic or listen" },
		{ "[Peer]\nStart = now\n" PSK_LINE,
		  "2: without Endpoint only Start = listen is possible" },
		{ "[Peer]\nEndpoint = 192.0.2.1\n" PSK_LINE "Clients = 5\n",
		  "4: Clients = 5: clients come from anywhere, but Endpoint in line 2 names one: expected one or the other" },
		{ "[Peer]\nCrypto = rot13\n" PSK_LINE,
		  "2: Crypto = rot13: unknown word \"rot13\"; expected words like" },
		{ "[Peer]\nCrypto = ike: aes256-sha256-modp2048, esp: rot13\n" PSK_LINE,
		  "2: Crypto = rot13" },
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		refused(rows[i].text, rows[i].expected);
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
#define PUBLIC_KEY "hex:302a300506032b6570032100" KEY_64
#define KEY_64 "7d4d0e7f6153a69b6242b522abbee685fda4420f8834b108c3bdae369ef549fa"

static void public_keys(void **state)
{
	struct ike_iov key;
	struct config c;

	(void)state;
	accepted("[Tunnel]\nKey = /etc/esptun/hq.key\n[Peer]\nPublicKey = /etc/esptun/peer.pub\n",
		 &c);
	assert_string_equal(c.key_file, "/etc/esptun/hq.key");
	assert_string_equal(c.public_file, "/etc/esptun/peer.pub");
	assert_int_equal(c.local_auth.method, IKE_METHOD_SIGNATURE);
	assert_int_equal(c.remote_auth.method, IKE_METHOD_SIGNATURE);
	config_clear(&c);
	accepted("[Tunnel]\nKey = file:/k\nLocalAuth = pubkey\n[Peer]\n" PSK_LINE
		 "Signatures = pss\n",
		 &c);
	assert_string_equal(c.key_file, "/k");
	assert_int_equal(c.local_auth.method, IKE_METHOD_SIGNATURE);
	assert_int_equal(c.remote_auth.method, IKE_METHOD_PSK);
	assert_int_equal(c.signatures, IKE_SIG_PSS);
	config_clear(&c);
	accepted("[Peer]\n" PSK_LINE "RemoteAuth = pubkey\nPublicKey = " PUBLIC_KEY "\n", &c);
	assert_int_equal(c.local_auth.method, IKE_METHOD_PSK);
	assert_int_equal(c.remote_auth.method, IKE_METHOD_SIGNATURE);
	assert_true(
		ike_cred_find(&(struct ike_creds){ c.creds, c.n_creds }, IKE_CRED_PEER_KEY, &key));
	assert_int_equal(key.len, 44);
	config_clear(&c);
	accepted(
		"[Tunnel]\nKey = /k\n[Peer]\n"
		"PublicKey = base64:MCowBQYDK2VwAyEAfU0Of2FTpptiQrUiq77mhf2kQg+INLEIw72uNp71Sfo=\n",
		&c);
	assert_int_equal(c.n_creds, IKE_CRED_HEAD + 44);
	config_clear(&c);
}

#define BY_CA "[Tunnel]\nKey = /k\n[Peer]\nRemoteID = any\nCA = /ca\n"

/* Nobody is locked out who did not ask for anything; who has CRLs goes by them. */
static void whether_revocation_is_asked(void **state)
{
	static const struct {
		const char *text;
		enum pki_revocation is;
		const char *said;
	} rows[] = {
		{ "", PKI_REVOCATION_IFURI, "" },
		{ "Fetch = no\n", PKI_REVOCATION_OFF, "" },
		{ "CRL = /crls\n", PKI_REVOCATION_IFURI, "" },
		{ "Revocation = off\n", PKI_REVOCATION_OFF, "" },
		{ "CRL = file:/crls\nRevocation = ifuri\n", PKI_REVOCATION_IFURI, "" },
		{ "CRL = /crls\nRevocation = Strict\n", PKI_REVOCATION_STRICT, "" },
		{ "Revocation = ifuri\nFetch = no\n", PKI_REVOCATION_IFURI,
		  "6: warning: Revocation = ifuri with Fetch = no and without CRL: peers whose certificates name a CRL or an OCSP responder are refused, but for those that send an OCSP response with them" },
		{ "Revocation = strict\nFetch = no\n", PKI_REVOCATION_STRICT,
		  "6: warning: Revocation = strict with Fetch = no and without CRL: peers with certificates are refused, but for those that send an OCSP response with them" },
	};
	struct ike_tunnel_conf core;
	char text[256];
	struct config c;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(text, sizeof(text), BY_CA "%s", rows[i].text);
		accepted(text, &c);
		config_tunnel(&c, &core);
		assert_int_equal(c.revocation, rows[i].is);
		assert_int_equal(core.revocation, rows[i].is);
		assert_string_equal(config_paths(&c)->crl, strstr(text, "CRL =") ? "/crls" : "");
		if (*rows[i].said ? !strstr(said, rows[i].said) : *said)
			fail_msg("%s: %s", rows[i].text, said);
		config_clear(&c);
	}
	refused(BY_CA "Revocation = maybe\n",
		"6: Revocation = maybe: expected strict, ifuri or off");
	refused(BY_CA "CRL = crls\n",
		"6: CRL = crls: expected the /PATH of a file, or of a folder, with CRLs");
	refused(BY_CA "Revocation = off\nCRL = /crls\n",
		"7: CRL is not looked at with Revocation = off in line 6: expected one of them");
	refused("[Peer]\n" PSK_LINE "CRL = /crls\n",
		"CRL is about certificates of the peer: expected CA in [Peer], too");
	refused("[Peer]\n" PSK_LINE "Revocation = off\n",
		"Revocation is about certificates of the peer: expected CA in [Peer], too");
}

/* Which of two keys an end proves is not guessed at, and what lacks is named. */
static void wrong_public_keys(void **state)
{
	static const struct {
		const char *text, *said;
	} rows[] = {
		{ "[Tunnel]\nKey = /k\n[Peer]\n" PSK_LINE,
		  "4: PSK, and Key in line 2: expected LocalAuth = psk or pubkey, which says what we prove who we are by" },
		{ "[Peer]\n" PSK_LINE "PublicKey = /p\n",
		  "2: PSK, and PublicKey in line 3: expected RemoteAuth = psk or pubkey, which says what the peer has to prove who it is by" },
		{ "[Tunnel]\nKey = /k\n",
		  "lacks PublicKey in [Peer], the peer's public key, or CA, who certifies it; or PSK" },
		{ "[Peer]\nPublicKey = /p\n", "lacks Key in [Tunnel], our private key; or PSK" },
		{ "[Tunnel]\nLocalAuth = pubkey\n[Peer]\n" PSK_LINE,
		  "2: LocalAuth = pubkey needs Key in [Tunnel], our private key" },
		{ "[Peer]\nRemoteAuth = pubkey\n" PSK_LINE,
		  "2: RemoteAuth = pubkey needs PublicKey in [Peer], the peer's public key, or CA" },
		{ "[Peer]\nRemoteAuth = gss\n", "RemoteAuth = gss: expected psk, pubkey or eap" },
		{ "[Peer]\n" PSK_LINE "Signatures = pss\n",
		  "3: Signatures is for public keys: expected Key in [Tunnel], or PublicKey or CA in [Peer], too" },
		{ "[Peer]\nSignatures = sha1, pss\n", "Signatures = sha1, pss: expected sha1" },
		{ "[Peer]\nSignatures = md5\n", "Signatures = md5: expected sha1" },
		{ "[Tunnel]\nKey = /k\n[Peer]\nClients = 5\nPublicKey = /p\n",
		  "5: PublicKey is of one peer, but Clients = 5: expected CA, PSK, or Secrets, for clients" },
		{ "[Tunnel]\nCert = /c\n[Peer]\n" PSK_LINE,
		  "2: Cert needs Key, the private key that belongs to it" },
		{ "[Tunnel]\nKey = /k\n[Peer]\nRemoteID = a.example\nPublicKey = /p\nCA = /c\n",
		  "6: CA, and PublicKey in line 5: expected one of them" },
		{ "[Tunnel]\nKey = /k\n[Peer]\nCA = /c\n",
		  "4: CA: each of its certificates could be the peer's: expected RemoteID in [Peer], too" },
		{ "[Peer]\nRemoteID = any\n" PSK_LINE "CA = /c\n",
		  "3: PSK, and CA in line 4: expected RemoteAuth = psk or pubkey" },
		{ "[Tunnel]\nKey = /k\nLocalAuth = pubkey\n[Peer]\nClients = 5\nRemoteID = any\nCA = /c\nSecrets = /s\n",
		  "8: Secrets, and CA in line 7: expected RemoteAuth = psk or pubkey" },
		{ "[Tunnel]\nKey = /k\nLocalAuth = pubkey\n[Peer]\nClients = 5\nRemoteID = any\nCA = /c\n[Client a.example]\n" PSK_LINE,
		  "8: PSK of [Client ID], and CA in line 7: expected RemoteAuth = psk or pubkey" },
		{ "[Tunnel]\nKey = /k # ours\n",
		  "2: Key: expected the /PATH of a private key alone" },
		{ "[Peer]\nPublicKey = hex:3000\n",
		  "PublicKey = hex:3000: the key is no public key" },
		{ "[Peer]\nPublicKey = hex:30g0\n", "the key is wrong: expected hex:" },
		{ "[Peer]\nPublicKey = base64:MCow\n", "the key is no public key" },
	};

	struct config c;

	(void)state;
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		refused(rows[i].text, rows[i].said);
	/* It may be a PSK that was put there, and is not shown. */
	refused("[Tunnel]\nKey = hunter2\n", "2: Key: expected the /PATH");
	assert_null(strstr(said, "hunter2"));
	accepted("[Peer]\n" PSK_LINE "RemoteAuth = pubkey\nPublicKey = /p\nSignatures = sha1\n",
		 &c);
	assert_non_null(strstr(said, "5: warning: Signatures: sha1 is broken"));
	config_clear(&c);
	accepted("[Tunnel]\nKey = /k\nLocalAuth = pubkey\n[Peer]\n" PSK_LINE
		 "RemoteAuth = pubkey\nPublicKey = /p\n",
		 &c);
	assert_non_null(strstr(said, "5: warning: PSK is used by neither end"));
	config_clear(&c);
}

/* ---- EAP --------------------------------------------------------------------------- */

#define USER "[Tunnel]\nEAP = alice\nPassword = clue\n[Peer]\nEndpoint = vpn.example\n"
#define USERS "[Tunnel]\nKey = /k\n[Peer]\nUsers = /u\nClients = 50\n"

static void eap(void **state)
{
	struct ike_iov name;
	struct config c;

	(void)state;
	accepted(USER "CA = /c\nRemoteID = vpn.example\n", &c);
	assert_int_equal(c.local_auth.method, IKE_METHOD_EAP);
	assert_int_equal(c.remote_auth.method, IKE_METHOD_SIGNATURE);
	assert_int_equal(c.eap_methods, 1 << EAP_MSCHAPV2);
	assert_true(
		ike_cred_find(&(struct ike_creds){ c.creds, c.n_creds }, IKE_CRED_EAP_NAME, &name));
	assert_int_equal(name.len, 5);
	assert_memory_equal(name.base, "alice", 5);
	/* It is our identity, too, unless there is another one. */
	assert_int_equal(c.local_id.type, IKE_ID_FQDN);
	assert_memory_equal(c.local_id.data, "alice", 5);
	assert_string_equal(said, "");
	config_clear(&c);
	accepted("[Tunnel]\nLocalID = west.example\nLocalAuth = eap\nEAP = CORP\\alice\n"
		 "Password = file:/p\n[Peer]\nEndpoint = vpn.example\nPublicKey = /p\n"
		 "EAPMethods = md5, MSCHAPV2\n",
		 &c);
	assert_memory_equal(c.local_id.data, "west.example", 12);
	assert_string_equal(c.password->file, "/p");
	assert_int_equal(c.eap_methods, 1 << EAP_MSCHAPV2 | 1 << EAP_MD5);
	assert_non_null(strstr(said, "9: warning: EAPMethods: md5 is broken"));
	config_clear(&c);
	accepted(USERS "RemoteID = any\n", &c);
	assert_int_equal(c.local_auth.method, IKE_METHOD_SIGNATURE);
	assert_int_equal(c.remote_auth.method, IKE_METHOD_EAP);
	assert_string_equal(c.secrets_file, "/u");
	config_clear(&c);
}

static void wrong_eap(void **state)
{
	static const struct {
		const char *text, *said;
	} rows[] = {
		{ "[Tunnel]\nEAP = alice\n[Peer]\nEndpoint = vpn.example\nCA = /c\nRemoteID = vpn.example\n",
		  "LocalAuth = eap needs EAP in [Tunnel], our user's name, and Password" },
		{ "[Tunnel]\nLocalAuth = eap\nPassword = x\n[Peer]\nEndpoint = vpn.example\nCA = /c\nRemoteID = vpn.example\n",
		  "2: LocalAuth = eap needs EAP in [Tunnel]" },
		{ USER,
		  "2: EAP: who answers has to prove who it is before we show that we know our password: expected CA" },
		{ USER "CA = /c\nRemoteID = any\n",
		  "7: RemoteID: whoever has a certificate of CA could try our password" },
		{ USER "CA = /c\nRemoteID = *.vpn.example\n",
		  "7: RemoteID: whoever has a certificate of CA could try our password" },
		{ USER "CA = /c\n", "the identity of the right one\n" },
		{ USER PSK_LINE "RemoteAuth = psk\n",
		  "2: EAP: who answers has to prove who it is" },
		{ USER "RemoteAuth = eap\nUsers = /u\n",
		  "2: EAP: who answers has to prove who it is" },
		{ "[Tunnel]\nEAP = alice\nPassword = x\n[Peer]\nCA = /c\nRemoteID = vpn.example\n",
		  "2: EAP: only the end that begins is a user: expected Endpoint, too" },
		{ USER "CA = /c\nRemoteID = vpn.example\nRemoteAuth = pubkey\n" PSK_LINE,
		  "PSK, and EAP in line 2: expected one of them" },
		{ "[Tunnel]\nEAP = alice\nPassword = x\nLocalAuth = psk\n[Peer]\n" PSK_LINE,
		  "2: EAP is for EAP: expected LocalAuth = eap in [Tunnel], too" },
		{ "[Tunnel]\nPassword = x\n[Peer]\n" PSK_LINE,
		  "2: Password is for EAP: expected EAP in [Tunnel], our user's name, too" },
		{ "[Tunnel]\nEAP = CORP\\\n", "EAP = CORP\\: expected our user's name" },
		{ "[Peer]\n" PSK_LINE "EAPMethods = md5\n",
		  "3: EAPMethods is for EAP: expected RemoteAuth = eap in [Peer], or LocalAuth = eap, too" },
		{ USERS "EAPMethods = gtc\n",
		  "6: EAPMethods = gtc: expected one or both of mschapv2 and md5" },
		{ "[Tunnel]\nKey = /k\n[Peer]\nRemoteAuth = eap\n",
		  "4: RemoteAuth = eap needs Users in [Peer]" },
		{ "[Peer]\nUsers = /u\n",
		  "2: Users: we have to prove who we are before a user does: expected Key in [Tunnel]" },
		{ "[Peer]\nUsers = /u\nRemoteAuth = psk\n" PSK_LINE,
		  "2: Users is for EAP: expected RemoteAuth = eap in [Peer], too" },
		{ USERS "Secrets = /s\n", "6: Secrets has pre-shared keys, but RemoteAuth is eap" },
		{ USERS "[Client a.example]\n" PSK_LINE,
		  "6: [Client ID] has pre-shared keys, but RemoteAuth is eap" },
		{ USERS "Endpoint = vpn.example\n",
		  "6: Endpoint: a user begins, and we cannot begin to one" },
		{ "[Tunnel]\nKey = /k\n[Peer]\nUsers = /u\n",
		  "4: Users is for clients: expected Clients of 2 or more in [Peer], too" },
		{ USERS "Require = cert\n", "the peer may do without a certificate" },
		{ USERS
		  "PPKID = a\nPPK = hex:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n",
		  "7: PPK: keys are not mixed with one where an end is a user by EAP" },
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		refused(rows[i].text, rows[i].said);
	/* A password is never shown. */
	refused("[Tunnel]\nEAP = alice\nPassword = hunter2 # mine\n",
		"3: Password: expected a key without comment");
	assert_null(strstr(said, "hunter2"));
}

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

/* Algorithms that nobody should have by accident: each is warned of once, and none is in modern. */
static void algorithms_with_a_warning(void **state)
{
	static const struct {
		const char *crypto, *said;
	} rows[] = {
		{ "modern", "" },
		{ "aes256-sha1-modp2048", "" },
		{ "aes256ctr-aesxcbc, aes256-sha256-x25519", "" },
		{ "3des-sha1-modp1536",
		  "3: warning: Crypto: 3des is legacy: it has blocks of 64 bits, so that a key of ESP lasts for 1 GiB only\n"
		  "3: warning: Crypto: modp1536 is legacy: numbers of 1,536 bits are too short by now\n" },
		{ "modern, ike:aes256-sha256-modp1024",
		  "3: warning: Crypto: modp1024 is broken by who can pay for it: its numbers of 1,024 bits are too short\n" },
		{ "cloud, windows, apple, android", "" },
		{ "modern, legacy",
		  "3: warning: Crypto: 3des is legacy: it has blocks of 64 bits, so that a key of ESP lasts for 1 GiB only\n"
		  "3: warning: Crypto: modp1536 is legacy: numbers of 1,536 bits are too short by now\n"
		  "3: warning: Crypto: modp1024 is broken by who can pay for it: its numbers of 1,024 bits are too short\n" },
		{ "modern, esp:des-md5",
		  "3: warning: Crypto: des is broken: its keys of 56 bits are found within days\n"
		  "3: warning: Crypto: md5 is legacy: RFC 8221 forbids it\n" },
		{ "esp:null-sha256, ike:modern",
		  "3: warning: Crypto: null hides nothing: packets can be read on their way\n" },
		{ "esp:aes128gmac, ike:modern",
		  "3: warning: Crypto: aes128gmac hides nothing: packets can be read on their way\n" },
	};
	char text[512];
	struct config c;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(text, sizeof(text), "[Peer]\n%sCrypto = %s\n", PSK_LINE, rows[i].crypto);
		accepted(text, &c);
		assert_string_equal(said, rows[i].said);
		config_clear(&c);
	}
	refused("[Peer]\n" PSK_LINE "Crypto = esp:null, ike:modern\n",
		"3: Crypto = null: \"null\" has encryption without integrity algorithm; add one, such as sha256\n");
	refused("[Peer]\n" PSK_LINE "Crypto = ike:null-sha256-x25519\n",
		"3: Crypto = null-sha256-x25519: \"null-sha256-x25519\" leaves nothing for IKE; add a proposal with ");
}

#define PPK_LINE "PPK = hex:00112233445566778899aabbccddeeff102132435465768798a9bacbdcedfe0f\n"

static void post_quantum_keys(void **state)
{
	struct config c;

	(void)state;
	accepted("[Peer]\n" PSK_LINE PPK_LINE "PPKID = site-1\n", &c);
	assert_int_equal(c.ppk->len, 32);
	assert_int_equal(c.ppk->key[1], 0x11);
	assert_int_equal(c.ppk->name.id_len, 6);
	assert_memory_equal(c.ppk->name.id, "site-1", 6);
	assert_true(c.ppk->name.required); /* who gives one means it */
	config_clear(&c);
	accepted("[Peer]\n" PSK_LINE PPK_LINE "PPKRequired = no\nPPKID = A/b+=\n", &c);
	assert_false(c.ppk->name.required);
	config_clear(&c);
	accepted("[Peer]\n" PSK_LINE "PPK = file:/etc/esptun/hq.ppk\nPPKID = a\n", &c);
	assert_string_equal(c.ppk->file, "/etc/esptun/hq.ppk");
	assert_int_equal(c.ppk->len, 0);
	config_clear(&c);
	accepted("[Peer]\n" PSK_LINE, &c);
	assert_null(c.ppk);
	config_clear(&c);
	accepted("[Peer]\n" PSK_LINE "PPKID = a\nPPK = a few words, 25 characters\n", &c);
	assert_non_null(
		strstr(said, "warning: PPK: the key is too weak against quantum computers"));
	config_clear(&c);
	accepted("[Peer]\nClients = 2\n" PSK_LINE PPK_LINE "PPKID = a\n", &c);
	assert_non_null(strstr(said, "warning: PPK is one key for all clients"));
	config_clear(&c);
}

static void wrong_post_quantum_keys(void **state)
{
	static const struct {
		const char *text, *expected;
	} rows[] = {
		{ PPK_LINE,
		  "3: PPK: expected PPKID in [Peer], too, the name that both ends know it by" },
		{ "PPKID = a\n", "3: [Peer] lacks PPK, the post-quantum preshared key" },
		{ "PPKRequired = yes\n", "3: [Peer] lacks PPK, the post-quantum preshared key" },
		{ "PPKID = a b\n", "3: PPKID = a b: expected the PPK's name: up to 64 characters" },
		{ "PPKRequired = maybe\n", "3: PPKRequired = maybe: expected yes or no" },
		{ "PPKID = a23456789012345678901234567890123456789012345678901234567890123456\n",
		  "expected the PPK's name" },
		{ "PPK = hex:xy\n", "3: PPK: the key is wrong" },
		{ "ppk_id = a\n", "PPKID" },
		{ "ppk_required = yes\n", "PPKRequired" },
	};
	char text[512];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(text, sizeof(text), "[Peer]\n" PSK_LINE "%s", rows[i].text);
		refused(text, rows[i].expected);
	}
	refused("[Peer]\nPSK = a secret that is in two places at once, and long\n"
		"PPK = a secret that is in two places at once, and long\nPPKID = a\n",
		"3: PPK and PSK are the same key: expected a key of its own for each");
}

/* A PPK that no IKE SA goes without is as good as a post-quantum key exchange, one that some do is not. */
static void a_required_ppk_is_post_quantum(void **state)
{
	struct config c;

	(void)state;
	accepted("[Peer]\n" PSK_LINE PPK_LINE
		 "PPKID = a\nCrypto = aes256gcm16-x25519\nRequire = pq\n",
		 &c);
	assert_int_equal(c.ike->n, 1);
	config_clear(&c);
	refused("[Peer]\n" PSK_LINE PPK_LINE
		"PPKID = a\nPPKRequired = no\nCrypto = aes256gcm16-x25519\nRequire = pq\n",
		"Require = pq: no proposal of Crypto for IKE has a post-quantum key exchange: add one, such as aes256gcm16-x25519-ke1_mlkem768 (it takes OpenSSL 3.5), or a PPK that is required");
}

/* Require= leaves of Crypto= what has it; nothing else can be agreed on. */
static void what_is_required(void **state)
{
	char text[512];
	struct config c;

	(void)state;
	accepted("[Peer]\n" PSK_LINE "Require = pfs\n", &c);
	ike_proposal_print(text, sizeof(text), &c.esp->p[0]);
	assert_non_null(strstr(text, "-x25519/"));
	assert_null(strstr(text, "nopfs"));
	config_clear(&c);
	accepted("[Peer]\n" PSK_LINE
		 "Crypto = aes256gcm16-x25519, esp:aes128gcm16-nopfs\nRequire = PFS\n",
		 &c);
	assert_int_equal(c.esp->n, 1);
	ike_proposal_print(text, sizeof(text), &c.esp->p[0]);
	assert_non_null(strstr(text, "aes256gcm16-x25519"));
	config_clear(&c);
	refused("[Peer]\n" PSK_LINE "Crypto = ike:modern, esp:aes128gcm16-nopfs\nRequire = pfs\n",
		"4: Require = pfs: no proposal of Crypto for ESP has a key exchange: add one, such as x25519, and take nopfs out");
	refused("[Peer]\n" PSK_LINE "Require = quantum\n",
		"3: Require = quantum: expected one or more of pq, pfs and cert");
	refused("[Peer]\n" PSK_LINE "Require = cert\n",
		"3: Require = cert: the peer may do without a certificate: expected CA in [Peer]");
	refused("[Tunnel]\nKey = /k\n[Peer]\nPublicKey = /p\nRequire = cert\n",
		"5: Require = cert: the peer may do without a certificate");
	refused("[Peer]\nRemoteID = any\nRemoteAuth = psk\n" PSK_LINE
		"CA = /c\nRequire = pfs, cert\n",
		"6: Require = cert: the peer may do without a certificate");
	accepted("[Tunnel]\nKey = /k\n[Peer]\nRemoteID = any\nCA = /c\nRequire = cert, pfs\n", &c);
	config_clear(&c);
	if (!ike_kex_known(IKE_DH_MLKEM768)) {
		refused("[Peer]\n" PSK_LINE "Require = pfs, pq\n",
			"3: Require = pq: no proposal of Crypto for IKE has a post-quantum key exchange: add one, such as aes256gcm16-x25519-ke1_mlkem768 (it takes OpenSSL 3.5)");
		return;
	}
	accepted("[Peer]\n" PSK_LINE "Require = pq\n", &c);
	assert_int_equal(c.ike->n, 1);
	config_clear(&c);
	refused("[Peer]\n" PSK_LINE "Crypto = aes256gcm16-x25519\nRequire = pq\n",
		"4: Require = pq: no proposal of Crypto for IKE has a post-quantum key exchange");
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

static void ipv6_outside(void **state)
{
	static const struct {
		const char *endpoint;
		uint16_t port;
	} rows[] = {
		{ "2001:db8::2", 500 },
		{ "[2001:db8::2]", 500 },
		{ "[2001:db8::2]:4500", 4500 },
	};
	char conf[256], text[64];
	struct config c;

	(void)state;
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(conf, sizeof(conf),
			 "[Tunnel]\nLocal = 2001:db8::1\n[Peer]\nEndpoint = %s\n" PSK_LINE,
			 rows[i].endpoint);
		accepted(conf, &c);
		assert_string_equal(said, "");
		assert_string_equal(c.endpoint, "2001:db8::2");
		assert_string_equal(ike_addr_print(text, sizeof(text), &c.endpoint_addr),
				    "2001:db8::2");
		assert_int_equal(c.endpoint_port, rows[i].port);
		assert_string_equal(ike_addr_print(text, sizeof(text), &c.local), "2001:db8::1");
		config_clear(&c);
	}
}

/* As editors of other systems save it. */
static void other_systems(void **state)
{
	static const char *const rows[] = {
		"[Tunnel]\r\nLocalID = a.example\r\n[Peer]\r\nEndpoint = 192.0.2.2\r\n"
		"PSK = 5dtRc2sPqYb8Wm1xVn7uKz4L\r\n",
		"\xef\xbb\xbf[Tunnel]\nLocalID = a.example\n[Peer]\nEndpoint = 192.0.2.2\n" PSK_LINE,
		"\xef\xbb\xbf# a comment\r\n[Tunnel]\nLocalID=a.example\n[Peer]\nEndpoint: 192.0.2.2 \n"
		"PSK=5dtRc2sPqYb8Wm1xVn7uKz4L",
	};
	struct config c;

	(void)state;
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		accepted(rows[i], &c);
		assert_string_equal(said, "");
		assert_int_equal(c.local_id.len, 9);
		assert_string_equal(c.endpoint, "192.0.2.2");
		assert_int_equal(c.psk_len, 24);
		config_clear(&c);
	}
	refused("[Tunnel]\rLocalID = a\r", "1: the line holds a carriage return");
	refused("\xff\xfe[", "1: the file is UTF-16; save it as UTF-8");
	refused("[Peer]\nPSK \xe2\x80\x93 hunter2\n", "2: expected [Section] or KEY = VALUE");
	assert_null(strstr(said, "hunter2"));
}

/* Routes of a hundred sites, the longest key, a comment that tells a story. */
static void long_lines(void **state)
{
	char text[8192], *at = text;
	struct config c;

	(void)state;
	at += sprintf(at, "# %02000d\n[Peer]\nPSK = ", 0);
	for (unsigned int i = 0; i < 64; i++)
		at += sprintf(at, "%02xQ%c", i, 'a' + i % 26);
	at += sprintf(at, "\nRoutes = 10.0.0.0/16");
	for (unsigned int i = 1; i < 200; i++)
		at += sprintf(at, ", 10.%u.0.0/16", i);
	at += sprintf(at, " # %0200d\n", 0);
	accepted(text, &c);
	assert_string_equal(said, "");
	assert_int_equal(c.psk_len, 256);
	assert_int_equal(c.n_routes, 200);
	config_clear(&c);
	at = text + sprintf(text, "[Peer]\nPSK = hex:");
	for (unsigned int i = 0; i < 256; i++)
		at += sprintf(at, "%02x", (i * 89) & 0xff);
	strcpy(at, "\n");
	accepted(text, &c);
	assert_int_equal(c.psk_len, 256);
	config_clear(&c);
	at = text + sprintf(text, "[Peer]\nRoutes = 10.0.0.0/8%*s\n", 5000, "");
	refused(text, "2: the line is longer than 4095 bytes");
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

static void names(void **state)
{
	struct config c;

	(void)state;
	assert_true(config_name_ok("hq"));
	assert_true(config_name_ok("fifteen-letters"));
	assert_false(config_name_ok("sixteen-letters!"));
	assert_false(config_name_ok(""));
	assert_false(config_name_ok(".."));
	assert_false(config_name_ok("a/b"));
	assert_false(config_name_ok("a b"));
	assert_false(config_name_ok("vpn%d"));
	said[0] = 0;
	assert_int_equal(config_parse("a/b", "[Peer]\n", 7, &c, &report), -1);
	assert_non_null(strstr(said, "cannot name a netdevice"));
}

static void equality(void **state)
{
	static const char base[] = "[Peer]\nRoutes = 10.0.0.0/8\n" PSK_LINE;
	struct config a, b;

	(void)state;
	accepted(base, &a);
	accepted(base, &b);
	assert_true(config_equal(&a, &b));
	config_clear(&b);
	accepted("[Peer]\nRoutes = 10.0.0.0/9\n" PSK_LINE, &b);
	assert_false(config_equal(&a, &b));
	config_clear(&b);
	accepted("[Peer]\nRoutes = 10.0.0.0/8\nPSK = 5dtRc2sPqYb8Wm1xVn7uKz4M\n", &b);
	assert_false(config_equal(&a, &b));
	config_clear(&a);
	config_clear(&b);
}

/* ---- files ----------------------------------------------------------------------- */

static char dir[32];

static void make_dir(void)
{
	snprintf(dir, sizeof(dir), "/tmp/test_config.XXXXXX");
	assert_non_null(mkdtemp(dir));
}

static void write_file(const char *name, mode_t mode, const char *text, char *path, size_t size)
{
	FILE *f;

	snprintf(path, size, "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static int load(const char *path, struct config *c)
{
	said[0] = 0;
	return config_load(path, c, &report);
}

static void files(void **state)
{
	char conf[128], psk[128], text[256];
	struct config c;

	(void)state;
	make_dir();

	write_file("site.conf", 0600, "[Peer]\n" PSK_LINE, conf, sizeof(conf));
	assert_int_equal(load(conf, &c), 0);
	assert_string_equal(c.name, "site");
	config_clear(&c);
	assert_int_equal(chmod(conf, 0640), 0);
	assert_int_equal(load(conf, &c), -1);
	assert_non_null(strstr(said, "run chmod 600"));

	write_file("psk", 0600, "5dtRc2sPqYb8Wm1xVn7uKz4L\n", psk, sizeof(psk));
	snprintf(text, sizeof(text), "[Peer]\nPSK = file:%s\n", psk);
	write_file("site.conf", 0644, text, conf, sizeof(conf));
	assert_int_equal(load(conf, &c), 0);
	assert_int_equal(c.psk_len, 24);
	assert_string_equal(said, "");
	config_clear(&c);

	assert_int_equal(chmod(psk, 0604), 0);
	assert_int_equal(load(conf, &c), -1);
	assert_non_null(strstr(said, "can be read by others (mode 0604)"));

	write_file("psk", 0600, "\n", psk, sizeof(psk));
	assert_int_equal(load(conf, &c), -1);
	assert_non_null(strstr(said, "is no key: it is empty"));
	write_file("psk", 0600, "short\n", psk, sizeof(psk));
	assert_int_equal(load(conf, &c), 0);
	assert_non_null(strstr(said, "warning: the key in"));
	config_clear(&c);

	if (!geteuid()) {
		assert_int_equal(chown(psk, 65534, 65534), 0);
		assert_int_equal(load(conf, &c), -1);
		assert_non_null(strstr(said, "belongs to another user (uid 65534)"));
	}

	unlink(psk);
	assert_int_equal(mkfifo(psk, 0600), 0);
	alarm(10); /* it must not wait for a writer */
	assert_int_equal(load(conf, &c), -1);
	alarm(0);
	assert_non_null(strstr(said, "it is no regular file"));
	unlink(psk);
	assert_int_equal(load(conf, &c), -1);
	assert_non_null(strstr(said, "cannot read the key file"));
	assert_non_null(strstr(said, "(PrivateTmp=yes in esptund.service hides it: move it"));
	unlink(conf);
	assert_int_equal(load(conf, &c), -1);
	assert_non_null(strstr(said, "cannot be read: No such file"));
	assert_int_equal(load(dir, &c), -1);
	rmdir(dir);
}

#define PRIVATE_PEM                                                          \
	"-----BEGIN PRIVATE KEY-----\n"                                      \
	"MC4CAQAwBQYDK2VwBCIEICXzGVl+RYWSFKB5/Wj2WSgNMhEgDGOitYeqB6maK/WA\n" \
	"-----END PRIVATE KEY-----\n"
#define PUBLIC_PEM                                                       \
	"-----BEGIN PUBLIC KEY-----\n"                                   \
	"MCowBQYDK2VwAyEAfU0Of2FTpptiQrUiq77mhf2kQg+INLEIw72uNp71Sfo=\n" \
	"-----END PUBLIC KEY-----\n"
/* Its passphrase is x. */
#define ENCRYPTED_PEM                                                        \
	"-----BEGIN ENCRYPTED PRIVATE KEY-----\n"                            \
	"MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAgtNcrxpbbb+AICCAAw\n" \
	"-----END ENCRYPTED PRIVATE KEY-----\n"

static void files_of_key_pairs(void **state)
{
	char conf[128], key[128], public[128], text[512];
	struct config c;

	(void)state;
	make_dir();
	write_file("hq.key", 0600, PRIVATE_PEM, key, sizeof(key));
	write_file("peer.pub", 0644, PUBLIC_PEM, public, sizeof(public)); /* others may read it */
	snprintf(text, sizeof(text), "[Tunnel]\nKey = %s\n[Peer]\nPublicKey = %s\n", key, public);
	write_file("hq.conf", 0644, text, conf, sizeof(conf));
	assert_int_equal(load(conf, &c), 0);
	assert_string_equal(said, "");
	assert_int_equal(c.n_private, 48);
	assert_int_equal(c.n_creds, 2 * (IKE_CRED_HEAD + 44));
	config_clear(&c);

	assert_int_equal(chmod(public, 0664), 0);
	assert_int_equal(load(conf, &c), -1);
	assert_non_null(strstr(
		said, "peer.pub says whom to trust and can be written by others (mode 0664): run"));
	assert_int_equal(chmod(public, 0644), 0);
	if (!geteuid()) {
		assert_int_equal(chown(public, 65534, 0), 0);
		assert_int_equal(load(conf, &c), -1);
		assert_non_null(strstr(
			said,
			"peer.pub says whom to trust and belongs to another user (uid 65534)"));
		assert_int_equal(chown(public, 0, 0), 0);
	}
	assert_int_equal(chmod(key, 0640), 0);
	assert_int_equal(load(conf, &c), -1);
	assert_non_null(strstr(said, "hq.key holds a key and can be read by others (mode 0640)"));
	write_file("hq.key", 0600, PUBLIC_PEM, key, sizeof(key));
	assert_int_equal(load(conf, &c), -1);
	assert_non_null(strstr(said, "hq.key is no private key in PEM"));
	write_file("hq.key", 0600, ENCRYPTED_PEM, key, sizeof(key));
	assert_int_equal(load(conf, &c), -1);
	assert_non_null(strstr(said, "hq.key is "));
	write_file("hq.key", 0600, PRIVATE_PEM, key, sizeof(key));
	write_file("peer.pub", 0644, PRIVATE_PEM, public, sizeof(public));
	assert_int_equal(load(conf, &c), -1);
	assert_non_null(strstr(said, "peer.pub is no public key"));
	unlink(key);
	assert_int_equal(load(conf, &c), -1);
	assert_non_null(strstr(said, "cannot read the key file"));
	unlink(public);
	unlink(conf);
	rmdir(dir);
}

/* A file of the folder with the PEM of certificates, or of the private key of the first. */
static void write_certs(const char *name, const struct made *const *certs, char *path, size_t size)
{
	char text[16384] = "";

	for (; *certs; certs++) {
		struct ike_iov pem = maker_pem(*certs);
		size_t len = strlen(text);

		assert_true(len + pem.len < sizeof(text));
		memcpy(text + len, pem.base, pem.len);
		text[len + pem.len] = 0;
		maker_free_der(&pem);
	}
	write_file(name, 0644, text, path, size);
}

static void write_key(const char *name, const struct made *of, char *path, size_t size)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char text[8192] = "", *pem;
	long len;

	assert_int_equal(PEM_write_bio_PrivateKey(bio, of->key, NULL, NULL, 0, NULL, NULL), 1);
	len = BIO_get_mem_data(bio, &pem);
	memcpy(text, pem, (size_t)len);
	BIO_free(bio);
	write_file(name, 0600, text, path, size);
}

static struct made leaf_now(const char *subject, const struct made *issuer, const char *san)
{
	const struct recipe r = {
		.subject = subject,
		.issuer = issuer,
		.from = time(NULL) - MAKER_DAY,
		.until = time(NULL) + 100 * MAKER_DAY,
		.ext = { san, "keyUsage=critical,digitalSignature" },
	};

	return maker_cert(&r);
}

static void files_of_certificates(void **state)
{
	const struct recipe of_root = {
		.subject = "O=Example, CN=root",
		.from = time(NULL) - MAKER_DAY,
		.until = time(NULL) + 100 * MAKER_DAY,
		.ext = { "basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign" },
	};
	struct made root = maker_cert(&of_root);
	struct made leaf = leaf_now("CN=hq", &root, "subjectAltName=DNS:hq.example");
	struct made other = leaf_now("CN=other", &root, "subjectAltName=DNS:other.example");
	char conf[128], key[128], cert[128], ca[128], sub[160], text[1024], id[300];
	struct config c;

	(void)state;
	make_dir();
	write_key("hq.key", &leaf, key, sizeof(key));
	write_certs("hq.crt", (const struct made *[]){ &leaf, NULL }, cert, sizeof(cert));
	write_certs("root.crt", (const struct made *[]){ &root, NULL }, ca, sizeof(ca));
	snprintf(text, sizeof(text),
		 "[Tunnel]\nKey = %s\nCert = %s\n[Peer]\nRemoteID = peer.example\nCA = %s\n", key,
		 cert, ca);
	write_file("hq.conf", 0644, text, conf, sizeof(conf));
	assert_int_equal(load(conf, &c), 0);
	assert_string_equal(said, "");
	assert_int_equal(c.local_auth.method, IKE_METHOD_SIGNATURE);
	assert_int_equal(c.remote_auth.method, IKE_METHOD_SIGNATURE);
	assert_string_equal(ike_id_print(id, sizeof(id), &c.local_id), "hq.example");
	config_clear(&c);

	/* A folder of CAs; what is no certificate by its name is not read. */
	unlink(cert);
	write_certs("hq.chain", (const struct made *[]){ &leaf, NULL }, cert, sizeof(cert));
	snprintf(
		text, sizeof(text),
		"[Tunnel]\nLocalID = hq.example\nKey = %s\nCert = %s\n[Peer]\nRemoteID = any\nCA = %s\n",
		key, cert, dir);
	write_file("hq.conf", 0644, text, conf, sizeof(conf));
	assert_int_equal(load(conf, &c), 0);
	config_clear(&c);

	/* Who may write there could make CAs. */
	assert_int_equal(chmod(ca, 0646), 0);
	assert_int_equal(load(conf, &c), -1);
	assert_non_null(strstr(said, "root.crt says whom to trust and can be written by others"));
	assert_int_equal(chmod(ca, 0644), 0);
	assert_int_equal(chmod(dir, 0770), 0);
	assert_int_equal(load(conf, &c), -1);
	assert_non_null(
		strstr(said, " says whom to trust and can be written by others (mode 0770)"));
	assert_int_equal(chmod(dir, 0700), 0);

	/* Another identity, another key, no CA, nothing there. */
	snprintf(
		text, sizeof(text),
		"[Tunnel]\nLocalID = x.example\nKey = %s\nCert = %s\n[Peer]\nRemoteID = any\nCA = %s\n",
		key, cert, ca);
	write_file("hq.conf", 0644, text, conf, sizeof(conf));
	assert_int_equal(load(conf, &c), -1);
	assert_non_null(strstr(
		said, "LocalID is 'x.example', but the certificate is for 'hq.example', 'CN=hq'"));
	write_certs("hq.chain", (const struct made *[]){ &other, NULL }, cert, sizeof(cert));
	assert_int_equal(load(conf, &c), -1);
	assert_non_null(strstr(said, "hq.chain: "));
	write_certs("hq.chain", (const struct made *[]){ &leaf, NULL }, cert, sizeof(cert));
	write_certs("root.crt", (const struct made *[]){ &other, NULL }, ca, sizeof(ca));
	snprintf(text, sizeof(text),
		 "[Tunnel]\nKey = %s\nCert = %s\n[Peer]\nRemoteID = any\nCA = %s\n", key, cert, ca);
	write_file("hq.conf", 0644, text, conf, sizeof(conf));
	assert_int_equal(load(conf, &c), -1);
	assert_non_null(strstr(said, "CN=other"));
	unlink(ca);
	assert_int_equal(load(conf, &c), -1);
	assert_non_null(strstr(said, "cannot read the key file"));
	snprintf(sub, sizeof(sub), "%s/empty", dir);
	assert_int_equal(mkdir(sub, 0755), 0);
	snprintf(text, sizeof(text),
		 "[Tunnel]\nKey = %s\nCert = %s\n[Peer]\nRemoteID = any\nCA = %s\n", key, cert,
		 sub);
	write_file("hq.conf", 0644, text, conf, sizeof(conf));
	assert_int_equal(load(conf, &c), -1);
	assert_non_null(strstr(said, "empty has no file NAME.pem"));
	rmdir(sub);
	unlink(key);
	unlink(cert);
	unlink(conf);
	rmdir(dir);
	maker_free(&root);
	maker_free(&leaf);
	maker_free(&other);
}

/* The configuration of an end with this certificate, and with @local_id, lines of [Tunnel]. */
static int load_leaf(const struct made *leaf, const char *local_id, struct config *c)
{
	char conf[128], key[128], cert[128], text[1024];
	int err;

	make_dir();
	write_key("hq.key", leaf, key, sizeof(key));
	write_certs("hq.crt", (const struct made *[]){ leaf, NULL }, cert, sizeof(cert));
	snprintf(text, sizeof(text),
		 "[Tunnel]\n%sKey = %s\nCert = %s\nLocalAuth = pubkey\n[Peer]\n" PSK_LINE
		 "RemoteAuth = psk\n",
		 local_id, key, cert);
	write_file("hq.conf", 0600, text, conf, sizeof(conf));
	err = load(conf, c);
	unlink(key);
	unlink(cert);
	unlink(conf);
	rmdir(dir);
	return err;
}

static int load_users(const char *lines, mode_t mode, struct config *c)
{
	char conf[128], key[128], users[128], text[512];
	int err;

	make_dir();
	write_file("hq.key", 0600, PRIVATE_PEM, key, sizeof(key));
	write_file("users", mode, lines, users, sizeof(users));
	snprintf(text, sizeof(text), "[Tunnel]\nKey = %s\n[Peer]\nUsers = %s\nClients = 5\n", key,
		 users);
	write_file("hq.conf", 0644, text, conf, sizeof(conf));
	err = load(conf, c);
	unlink(key);
	unlink(users);
	unlink(conf);
	rmdir(dir);
	return err;
}

static void is_user(const struct config *c, const char *name, const char *secret, size_t len)
{
	const struct client_key *k;
	struct ike_id id;

	assert_true(eap_identity((const uint8_t *)name, strlen(name), &id));
	k = client_keys_find(c->keys.v, c->keys.n, &id);
	assert_non_null(k);
	assert_int_equal(k->len, len);
	assert_memory_equal(k->key, secret, len);
}

static void a_file_of_users(void **state)
{
	static const struct {
		const char *lines, *said;
	} wrong[] = {
		{ "alice\n", "/users:1: expected NAME = PASSWORD" },
		{ "[users]\n", "/users:1: expected NAME = PASSWORD" },
		{ "alice = \n", "/users:1: there is no password behind the =" },
		{ " = clue\n", "/users:1: expected NAME = PASSWORD" },
		{ "CORP\\alice = clue\n", "/users:1: before the = there is a domain" },
		{ "a = b\nalice = nt:0123\n", "/users:2: behind nt: there are no 32 digits" },
		{ "alice = hex:ff\n", "/users:1: the password is no text in UTF-8" },
		{ "alice = clue # mine\n", "/users:1: expected a key without comment" },
		{ "alice = x\nALICE = y\n", "/users:2: ALICE has a key already, in line 1" },
	};
	struct config c;

	(void)state;
	assert_int_equal(load_users("# who may come\nalice = clue\ncarol@corp.example = \"a # b\"\n"
				    "erin = nt:44EBBA8D5312B8D611474411F56989AE\nbob smith = x=y\n",
				    0600, &c),
			 0);
	assert_int_equal(c.keys.n, 4);
	assert_non_null(strstr(said, "/users:2: the password has less than 8 bytes"));
	assert_null(strstr(said, "/users:4: "));
	is_user(&c, "CORP\\Alice", "pclue", 5);
	is_user(&c, "carol@corp.example", "pa # b", 6);
	is_user(&c, "bob smith", "px=y", 4);
	is_user(&c, "erin", "n\x44\xeb\xba\x8d\x53\x12\xb8\xd6\x11\x47\x44\x11\xf5\x69\x89\xae",
		17);
	config_clear(&c);
	for (unsigned int i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(load_users(wrong[i].lines, 0600, &c), -1);
		if (!strstr(said, wrong[i].said))
			fail_msg("said \"%s\", not \"%s\"", said, wrong[i].said);
	}
	assert_int_equal(load_users("alice = clue\n", 0644, &c), -1);
	assert_null(strstr(said, "clue"));
}

/* Who has no key that the usual clients verify is told so before users complain. */
static void users_need_a_key_that_they_know(void **state)
{
	static const struct {
		const char *key, *peer, *said;
	} rows[] = {
		{ "P-256", "", "" },
		{ "P-384", "", "" },
		{ "RSA-2048", "Signatures = sha1\n", "Signatures: sha1 is broken" },
		{ "RSA-2048", "", "Key is one of RSA: users with Windows" },
		{ "ED25519", "", "Key is one of Ed25519: users with Windows" },
	};
	char conf[128], key[128], users[128], text[512];
	struct config c;

	(void)state;
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct made m =
			maker_cert(&(struct recipe){ .subject = "CN=hq", .key = rows[i].key });

		make_dir();
		write_key("hq.key", &m, key, sizeof(key));
		write_file("users", 0600, "alice = a longer clue\n", users, sizeof(users));
		snprintf(text, sizeof(text),
			 "[Tunnel]\nKey = %s\n[Peer]\nUsers = %s\nClients = 5\n%s", key, users,
			 rows[i].peer);
		write_file("hq.conf", 0644, text, conf, sizeof(conf));
		assert_int_equal(load(conf, &c), 0);
		if (!strstr(said, rows[i].said) || (!*rows[i].said && *said) ||
		    (i == 2 && strstr(said, "Key is one of")))
			fail_msg("row %u: %s", i, said);
		config_clear(&c);
		maker_free(&m);
		unlink(key);
		unlink(users);
		unlink(conf);
		rmdir(dir);
	}
}

static void our_password_is_a_key_of_jobs(void **state)
{
	char conf[128], public[128], text[512];
	struct config c;

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		make_dir();
		write_file("peer.pub", 0600, PUBLIC_PEM, public, sizeof(public));
		snprintf(
			text, sizeof(text),
			"[Tunnel]\nEAP = alice\nPassword = %s\n[Peer]\nEndpoint = 192.0.2.1\nPublicKey = %s\n",
			i ? "hex:ff" : "clue", public);
		write_file("hq.conf", 0600, text, conf, sizeof(conf));
		if (i) {
			assert_int_equal(load(conf, &c), -1);
			assert_non_null(
				strstr(said, "Password: expected at most 255 bytes of UTF-8"));
		} else {
			assert_int_equal(load(conf, &c), 0);
			assert_string_equal(
				said, ""); /* whether it is easy to guess is the server's to say */
			assert_int_equal(c.password->len, 5);
			assert_memory_equal(c.password->key, "pclue", 5);
			assert_int_equal(c.psk_len, 0);
			config_clear(&c);
		}
		unlink(public);
		unlink(conf);
		rmdir(dir);
	}
}

static void the_identity_of_a_certificate_is_ours(void **state)
{
	static const uint8_t utf8[] = { 0x30, 0x0d, 0x31, 0x0b, 0x30, 9,   6,  3,
					0x55, 4,    3,	  0x0c, 2,    'H', 'Q' };
	struct made root = maker_ca("CN=root", NULL);
	struct made both = leaf_now("dn:0x300d310b300906035504030c024851", &root,
				    "subjectAltName=DNS:*.example.org,DNS:hq.example.org");
	struct made wild = leaf_now("", &root, "subjectAltName=DNS:*.example.org");
	struct config c;
	char id[300];

	(void)state;
	/* A wildcard is the name of nobody. */
	assert_int_equal(load_leaf(&both, "", &c), 0);
	assert_string_equal(ike_id_print(id, sizeof(id), &c.local_id), "hq.example.org");
	config_clear(&c);
	assert_int_equal(load_leaf(&wild, "", &c), -1);
	assert_non_null(strstr(
		said, "the certificate is for '*.example.org', and for no one name: expected a"));
	/* The peer sees the same bytes in the ID payload and in the certificate. */
	assert_int_equal(load_leaf(&both, "LocalID = CN=hq\n", &c), 0);
	assert_int_equal(c.local_id.len, sizeof(utf8));
	assert_memory_equal(c.local_id.data, utf8, sizeof(utf8));
	config_clear(&c);
	maker_free(&root);
	maker_free(&both);
	maker_free(&wild);
}

/* Which file of CA= has which, and how it is called, is no other configuration. */
static void files_of_authorities_have_no_order(void **state)
{
	struct made one = maker_ca("CN=one", NULL), two = maker_ca("CN=two", NULL);
	char conf[128], first[128], last[128], text[1024];
	struct config c, again;

	(void)state;
	make_dir();
	write_certs("b.crt", (const struct made *[]){ &one, NULL }, last, sizeof(last));
	write_certs("a.crt", (const struct made *[]){ &two, NULL }, first, sizeof(first));
	snprintf(text, sizeof(text),
		 "[Tunnel]\nLocalAuth = psk\n[Peer]\nRemoteID = any\n" PSK_LINE
		 "RemoteAuth = pubkey\nCA = %s\n",
		 dir);
	write_file("hq.conf", 0600, text, conf, sizeof(conf));
	assert_int_equal(load(conf, &c), 0);
	write_certs("b.crt", (const struct made *[]){ &two, NULL }, last, sizeof(last));
	write_certs("a.crt", (const struct made *[]){ &one, NULL }, first, sizeof(first));
	assert_int_equal(load(conf, &again), 0);
	assert_int_equal(c.n_creds, one.der.len + two.der.len + 2 * IKE_CRED_HEAD);
	assert_int_equal(again.n_creds, c.n_creds);
	assert_memory_equal(again.creds, c.creds, c.n_creds);
	config_clear(&c);
	config_clear(&again);
	unlink(first);
	unlink(last);
	unlink(conf);
	rmdir(dir);
	maker_free(&one);
	maker_free(&two);
}

/* The key in @key, encrypted with "correct horse". */
static void write_encrypted(const char *name, const struct made *of, char *path, size_t size)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char text[8192] = "", phrase[] = "correct horse", *pem;
	long len;

	assert_int_equal(PEM_write_bio_PKCS8PrivateKey(bio, of->key, EVP_aes_256_cbc(), phrase, 13,
						       NULL, NULL),
			 1);
	len = BIO_get_mem_data(bio, &pem);
	assert_in_range(len, 1, sizeof(text) - 1);
	memcpy(text, pem, (size_t)len);
	write_file(name, 0600, text, path, size);
	BIO_free(bio);
}

static void passphrases(void **state)
{
	static const struct {
		const char *value, *text;
		mode_t mode;
		const char *said; /* NULL: it opens the key */
	} rows[] = {
		{ "file:%s/phrase", "correct horse", 0600, NULL },
		{ "file:%s/phrase", "correct horse\n", 0600, NULL },
		{ "file:%s/phrase", "correct horse\r\nbattery\n", 0400, NULL },
		{ "cred:phrase", "correct horse\n", 0400, NULL },
		{ "file:%s/phrase", "correct horse \n", 0600,
		  "the passphrase of KeyPassphrase is another one" },
		{ "file:%s/phrase", "\ncorrect horse\n", 0600,
		  "cannot be opened: expected a passphrase in the first line of" },
		{ "file:%s/phrase", "", 0600,
		  "cannot be opened: expected a passphrase in the first line of" },
		{ "file:%s/phrase", "correct horse", 0640,
		  "phrase holds a key and can be read by others (mode 0640)" },
		{ "file:%s/none", "", 0600, "its passphrase cannot be read from" },
		{ "cred:none", "", 0600, "its passphrase cannot be read from" },
	};
	struct made root = maker_ca("CN=root", NULL);
	char conf[128], key[128], phrase[128], value[128], text[512];
	struct config c;

	(void)state;
	make_dir();
	write_encrypted("hq.key", &root, key, sizeof(key));
	assert_int_equal(setenv("CREDENTIALS_DIRECTORY", dir, 1), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		write_file("phrase", rows[i].mode, rows[i].text, phrase, sizeof(phrase));
		snprintf(value, sizeof(value), rows[i].value, dir);
		snprintf(
			text, sizeof(text),
			"[Tunnel]\nKey = %s\nKeyPassphrase = %s\nLocalAuth = pubkey\n[Peer]\n" PSK_LINE
			"RemoteAuth = psk\n",
			key, value);
		write_file("hq.conf", 0600, text, conf, sizeof(conf));
		assert_int_equal(load(conf, &c), rows[i].said ? -1 : 0);
		if (rows[i].said ? !strstr(said, rows[i].said) : *said)
			fail_msg("row %zu: %s", i, said);
		assert_null(strstr(said, "horse"));
		if (!rows[i].said) {
			assert_true(c.n_private > 100);
			config_clear(&c);
		}
		unlink(phrase);
	}
	unsetenv("CREDENTIALS_DIRECTORY");
	assert_int_equal(load(conf, &c), -1);
	assert_non_null(strstr(said, "expected LoadCredential=none:/PATH in the unit of esptund"));
	unlink(key);
	unlink(conf);
	rmdir(dir);
	maker_free(&root);
	refused("[Tunnel]\nKey = /k\nKeyPassphrase = hunter2\n[Peer]\nPublicKey = /p\n",
		"3: KeyPassphrase: expected file:/PATH or cred:NAME, where the passphrase of Key is");
	assert_null(strstr(said, "hunter2"));
	refused("[Tunnel]\nKey = /k\nKeyPassphrase = cred:../etc/x\n[Peer]\nPublicKey = /p\n",
		"3: KeyPassphrase: expected file:/PATH or cred:NAME");
	refused("[Tunnel]\nKeyPassphrase = cred:x\n[Peer]\n" PSK_LINE,
		"2: KeyPassphrase needs Key, the private key that it opens");
}

/* ---- CRLs ---------------------------------------------------------------------------- */

static void write_der(const char *name, const struct ike_iov *der, char *path, size_t size)
{
	FILE *f;

	write_file(name, 0644, "", path, size);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(der->base, 1, der->len, f), der->len);
	assert_int_equal(fclose(f), 0);
}

/* A CRL of now; @days it counts for. */
static struct ike_iov crl_now(const struct made *ca, int days)
{
	return maker_crl(&(struct crl_recipe){ .issuer = ca,
					       .from = time(NULL) - 9 * MAKER_DAY,
					       .until = time(NULL) + days * MAKER_DAY });
}

static void files_of_crls(void **state)
{
	struct made one = maker_ca("CN=one", NULL);
	struct ike_iov good = crl_now(&one, 5), late = crl_now(&one, -1);
	char conf[128], ca[128], crl[128], second[128], text[1024];
	struct ike_creds creds;
	struct ike_iov item;
	struct config c;

	(void)state;
	make_dir();
	write_certs("ca.crt", (const struct made *[]){ &one, NULL }, ca, sizeof(ca));
	write_der("a.crl", &good, crl, sizeof(crl));
	snprintf(text, sizeof(text),
		 "[Tunnel]\nLocalAuth = psk\n[Peer]\nRemoteID = any\n" PSK_LINE
		 "RemoteAuth = pubkey\nCA = %s\nCRL = %s\n",
		 ca, crl);
	write_file("hq.conf", 0600, text, conf, sizeof(conf));
	assert_int_equal(load(conf, &c), 0);
	assert_string_equal(said, "");
	creds = (struct ike_creds){ c.creds, c.n_creds };
	assert_true(ike_cred_find(&creds, IKE_CRED_CRL, &item));
	assert_int_equal(item.len, good.len);
	assert_true(ike_cred_find(&creds, IKE_CRED_CA, &item));
	assert_in_range(c.crl_due, time(NULL) + 4 * MAKER_DAY, time(NULL) + 6 * MAKER_DAY);
	config_clear(&c);
	/* One that is too old is taken, and told of. */
	write_der("a.crl", &late, crl, sizeof(crl));
	assert_int_equal(load(conf, &c), 0);
	assert_non_null(
		strstr(said, "a.crl: the CRL of 'CN=one' is too old: the next one was due on"));
	assert_non_null(strstr(said, "and this machine's clock says"));
	config_clear(&c);
	/* Whoever can write it can have anybody let in. */
	assert_int_equal(chmod(crl, 0664), 0);
	assert_int_equal(load(conf, &c), -1);
	assert_non_null(strstr(said, "can be written by others"));
	/* A certificate is no CRL, and where there is none, nothing goes on without. */
	write_certs("a.crl", (const struct made *[]){ &one, NULL }, crl, sizeof(crl));
	assert_int_equal(load(conf, &c), -1);
	assert_non_null(
		strstr(said, "expected a block BEGIN X509 CRL, and there is BEGIN CERTIFICATE"));
	unlink(crl);
	assert_int_equal(load(conf, &c), -1);
	assert_non_null(strstr(said, "cannot read"));
	/* A folder. */
	snprintf(text, sizeof(text),
		 "[Tunnel]\nLocalAuth = psk\n[Peer]\nRemoteID = any\n" PSK_LINE
		 "RemoteAuth = pubkey\nCA = %s\nCRL = %s\n",
		 ca, dir);
	write_file("hq.conf", 0600, text, conf, sizeof(conf));
	assert_int_equal(load(conf, &c), -1);
	assert_non_null(strstr(said, "has no file NAME.pem, .crl or .der"));
	write_der("a.crl", &good, crl, sizeof(crl));
	write_der("b.der", &good, second, sizeof(second));
	assert_int_equal(load(conf, &c), 0);
	assert_string_equal(said, "");
	assert_int_equal(c.n_creds, 2 * good.len + one.der.len + 3 * IKE_CRED_HEAD);
	config_clear(&c);
	unlink(ca);
	unlink(crl);
	unlink(second);
	unlink(conf);
	rmdir(dir);
	maker_free_der(&good);
	maker_free_der(&late);
	maker_free(&one);
}

static int load_crls(const char *conf, const struct config *known, struct config *out)
{
	said[0] = 0;
	return config_load_cert_status(conf, &known->cert_status_time, out, &report);
}

/* Ours: a response that is about another certificate, or says that it was revoked, is no use to anybody. */
/* What stands before them, a user's name, stays where it is. */
static void crls_behind_a_name_are_read_again(void **state)
{
	struct made one = maker_ca("CN=one", NULL);
	struct ike_iov first = crl_now(&one, 5), next = crl_now(&one, 6);
	char conf[128], ca[128], crl[128], text[1024];
	struct config c, read, whole;

	(void)state;
	make_dir();
	write_certs("ca.crt", (const struct made *[]){ &one, NULL }, ca, sizeof(ca));
	write_der("a.crl", &first, crl, sizeof(crl));
	snprintf(text, sizeof(text),
		 "[Tunnel]\nEAP = alice\nPassword = long enough 7\n[Peer]\nEndpoint = 192.0.2.1\n"
		 "RemoteID = hub.example\nCA = %s\nCRL = %s\n",
		 ca, crl);
	write_file("hq.conf", 0600, text, conf, sizeof(conf));
	assert_int_equal(load(conf, &c), 0);
	usleep(20000); /* a file's time is as coarse as the kernel's clock */
	write_der("a.crl", &next, crl, sizeof(crl));
	assert_int_equal(load_crls(conf, &c, &read), 1);
	assert_int_equal(config_take_cert_status(&c, &read), 0);
	config_clear(&read);
	assert_int_equal(load(conf, &whole), 0);
	assert_true(config_equal(&c, &whole));
	config_clear(&whole);
	config_clear(&c);
	unlink(crl);
	unlink(ca);
	unlink(conf);
	rmdir(dir);
	maker_free_der(&first);
	maker_free_der(&next);
	maker_free(&one);
}

static void a_file_with_a_response(void **state)
{
	struct made root = maker_ca("CN=root", NULL);
	struct made leaf = leaf_now("CN=hq", &root, "subjectAltName=DNS:hq.example");
	struct made other = leaf_now("CN=other", &root, "subjectAltName=DNS:other.example");
	const time_t now = time(NULL);
	const struct {
		struct ocsp_recipe r;
		int err;
		const char *said;
	} rows[] = {
		{ { .cert = &leaf, .from = now - 9, .until = now + 99 }, 0, "" },
		{ { .cert = &leaf, .from = now - 99, .until = now - 9 },
		  0,
		  "and this machine's clock says" },
		{ { .cert = &other, .from = now - 9, .until = now + 99 },
		  -1,
		  "the OCSP response is not about the certificate 'CN=hq' of Cert=" },
		{ { .cert = &leaf, .status = 1, .from = now - 9, .until = now + 99 },
		  -1,
		  "the OCSP response does not say that the certificate 'CN=hq' is good" },
	};
	char conf[128], key[128], cert[128], file[128], text[1024];
	struct ike_iov response, item;
	struct config c, read;

	(void)state;
	make_dir();
	write_key("hq.key", &leaf, key, sizeof(key));
	write_certs("hq.crt", (const struct made *[]){ &leaf, NULL }, cert, sizeof(cert));
	snprintf(
		text, sizeof(text),
		"[Tunnel]\nKey = %s\nCert = %s\nOCSP = %s/hq.ocsp\nLocalAuth = pubkey\n[Peer]\n" PSK_LINE
		"RemoteAuth = psk\n",
		key, cert, dir);
	write_file("hq.conf", 0600, text, conf, sizeof(conf));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ocsp_recipe r = rows[i].r;

		r.issuer = &root;
		response = maker_ocsp(&r);
		write_der("hq.ocsp", &response, file, sizeof(file));
		assert_int_equal(load(conf, &c), rows[i].err);
		if (*rows[i].said ? !strstr(said, rows[i].said) : *said)
			fail_msg("row %zu: %s", i, said);
		if (!rows[i].err) {
			assert_true(ike_cred_find(&(struct ike_creds){ c.creds, c.n_creds },
						  IKE_CRED_OWN_OCSP, &item));
			assert_int_equal(item.len, response.len);
			config_clear(&c);
		}
		maker_free_der(&response);
	}
	/* And so if the file changes; c is of before. */
	response = maker_ocsp(&(struct ocsp_recipe){
		.issuer = &root, .cert = &leaf, .from = now - 9, .until = now + 99 });
	memset(&c, 0, sizeof(c));
	write_der("hq.ocsp", &response, file, sizeof(file));
	assert_int_equal(load_crls(conf, &c, &read), 1);
	assert_int_equal(read.n_creds, response.len + IKE_CRED_HEAD);
	assert_string_equal(said, "");
	config_clear(&read);
	maker_free_der(&response);
	response = maker_ocsp(&(struct ocsp_recipe){
		.issuer = &root, .cert = &other, .from = now - 9, .until = now + 99 });
	write_der("hq.ocsp", &response, file, sizeof(file));
	assert_int_equal(load_crls(conf, &c, &read), -1);
	assert_non_null(strstr(said, "hq.ocsp: the OCSP response is not about the certificate"));
	config_clear(&read);
	maker_free_der(&response);
	write_file("hq.ocsp", 0644, "no response", file, sizeof(file));
	assert_int_equal(load(conf, &c), -1);
	assert_non_null(strstr(said, "hq.ocsp: expected an OCSP response, PEM or DER"));
	refused("[Tunnel]\nKey = /k\nOCSP = /o\n[Peer]\nPublicKey = /p\n",
		"3: OCSP needs Cert, the certificate that the response is about");
	unlink(key);
	unlink(cert);
	unlink(file);
	unlink(conf);
	rmdir(dir);
	maker_free(&leaf);
	maker_free(&other);
	maker_free(&root);
}

/* A file that is newer hides nothing of an older one. */
static void each_of_the_files_counts(void **state)
{
	struct made one = maker_ca("CN=one", NULL);
	struct ike_iov list = crl_now(&one, 5);
	char conf[128], crl[128], ocsp[128], text[1024];
	struct config c, read;

	(void)state;
	make_dir();
	memset(&c, 0, sizeof(c));
	write_der("a.crl", &list, crl, sizeof(crl));
	usleep(20000);
	write_file("hq.ocsp", 0644, "x", ocsp, sizeof(ocsp));
	snprintf(
		text, sizeof(text),
		"[Tunnel]\nKey = /k\nCert = /c\nOCSP = %s\n[Peer]\nRemoteID = any\nCA = /ca\nCRL = %s\n",
		ocsp, crl);
	write_file("hq.conf", 0600, text, conf, sizeof(conf));
	assert_int_equal(load_crls(conf, &c, &read), -1);
	assert_non_null(strstr(said, "hq.ocsp: expected an OCSP response"));
	c.cert_status_time = read.cert_status_time;
	config_clear(&read);
	assert_int_equal(load_crls(conf, &c, &read), 0);
	config_clear(&read);
	unlink(crl);
	assert_int_equal(load_crls(conf, &c, &read), -1);
	assert_non_null(strstr(said, "a.crl: No such file"));
	config_clear(&read);
	unlink(ocsp);
	unlink(conf);
	rmdir(dir);
	maker_free_der(&list);
	maker_free(&one);
}

/* They are read again when a file is another one, and only then; what results is as if all had been read. */
static void crls_are_read_again(void **state)
{
	struct made one = maker_ca("CN=one", NULL);
	struct ike_iov first = crl_now(&one, 5), next = crl_now(&one, 6);
	char conf[128], ca[128], crl[128], text[1024], broken[128];
	struct config c, read, whole;

	(void)state;
	make_dir();
	write_certs("ca.crt", (const struct made *[]){ &one, NULL }, ca, sizeof(ca));
	write_der("a.crl", &first, crl, sizeof(crl));
	snprintf(text, sizeof(text),
		 "[Tunnel]\nLocalAuth = psk\n[Peer]\nRemoteID = any\n" PSK_LINE
		 "RemoteAuth = pubkey\nCA = %s\nCRL = %s\n",
		 ca, crl);
	write_file("hq.conf", 0600, text, conf, sizeof(conf));
	assert_int_equal(load(conf, &c), 0);
	assert_int_equal(load_crls(conf, &c, &read), 0);
	assert_null(read.creds);
	config_clear(&read);
	usleep(20000); /* a file's time is as coarse as the kernel's clock */
	write_der("a.crl", &next, crl, sizeof(crl));
	assert_int_equal(load_crls(conf, &c, &read), 1);
	assert_string_equal(said, "");
	assert_string_equal(config_paths(&read)->crl, crl);
	assert_int_equal(read.psk_len, 0);
	assert_int_equal(read.n_creds, next.len + IKE_CRED_HEAD);
	assert_int_equal(config_take_cert_status(&c, &read), 0);
	config_clear(&read);
	assert_int_equal(load(conf, &whole), 0);
	assert_true(config_equal(&c, &whole));
	config_clear(&whole);
	assert_int_equal(load_crls(conf, &c, &read), 0);
	config_clear(&read);
	/* What cannot be used is told of once. */
	usleep(20000);
	write_file("a.crl", 0644, "no CRL", broken, sizeof(broken));
	assert_int_equal(load_crls(conf, &c, &read), -1);
	assert_non_null(strstr(said, "a.crl: expected a CRL, PEM or DER"));
	assert_int_equal(read.n_creds, 0);
	c.cert_status_time = read.cert_status_time;
	config_clear(&read);
	assert_int_equal(load_crls(conf, &c, &read), 0);
	config_clear(&read);
	unlink(crl);
	assert_int_equal(load_crls(conf, &c, &read), -1);
	c.cert_status_time = read.cert_status_time;
	config_clear(&read);
	assert_int_equal(load_crls(conf, &c, &read), 0);
	config_clear(&read);
	config_clear(&c);
	unlink(ca);
	unlink(conf);
	rmdir(dir);
	maker_free_der(&first);
	maker_free_der(&next);
	maker_free(&one);
}

/* ---- keys of clients --------------------------------------------------------------- */

#define HUB "[Peer]\nRemoteID = *.example.org\nClients = 5\n"
#define KEY_A "Kq7mTz3vRw9pXc2nYb5sLd8g"
#define KEY_B "9fGhJ4kWe6rVt2yNu8iMo5pQ"

static const struct client_key *key_for(const struct config *c, const char *text)
{
	struct ike_id id;
	char err[160];

	assert_int_equal(ike_id_from_text(text, &id, err, sizeof(err)), 0);
	return client_keys_find(c->keys.v, c->keys.n, &id);
}

static void has_key(const struct config *c, const char *id, const char *key)
{
	const struct client_key *k = key_for(c, id);

	if (!k)
		fail_msg("no key for %s", id);
	if (k->len != strlen(key) || memcmp(k->key, key, k->len))
		fail_msg("another key for %s", id);
}

static void a_key_for_each_client(void **state)
{
	struct config c, d;

	(void)state;
	accepted(HUB PSK_LINE "[Client b.example.org]\nPSK = " KEY_B "\n"
			      "[client A.example.ORG]\nPSK = \"" KEY_A "\"\n",
		 &c);
	assert_string_equal(said, "");
	has_key(&c, "a.example.org", KEY_A);
	has_key(&c, "B.example.org", KEY_B);
	assert_null(key_for(&c, "c.example.org"));
	assert_null(key_for(&c, "keyid:a.example.org"));
	assert_null(key_for(&c, "example.org"));
	accepted(HUB PSK_LINE "[Client a.example.org]\nPSK = " KEY_B "\n", &d);
	assert_false(config_equal(&c, &d));
	assert_true(config_equal_but_keys(&c, &d));
	config_clear(&d);
	accepted(HUB "[Client a.example.org]\nPSK = " KEY_B "\n", &d);
	assert_false(config_equal_but_keys(&c, &d)); /* the tunnel's is another */
	config_clear(&d);
	config_clear(&c);
}

static void the_most_exact_key(void **state)
{
	struct config c;

	(void)state;
	accepted("[Peer]\nClients = 5\n"
		 "[Client *.example.org]\nPSK = 11" KEY_A "\n"
		 "[Client *.b.example.org]\nPSK = 22" KEY_A "\n"
		 "[Client c.b.example.org]\nPSK = 33" KEY_A "\n"
		 "[Client *@example.org]\nPSK = 44" KEY_A "\n"
		 "[Client Jo@example.org]\nPSK = 55" KEY_A "\n"
		 "[Client 2001:db8::7]\nPSK = 66" KEY_A "\n"
		 "[Client keyid:0x00ff]\nPSK = 77" KEY_A "\n",
		 &c);
	has_key(&c, "a.example.org", "11" KEY_A);
	has_key(&c, "b.example.org", "11" KEY_A);
	has_key(&c, "x.b.example.org", "22" KEY_A);
	has_key(&c, "x.y.B.example.org", "22" KEY_A);
	has_key(&c, "C.b.example.org", "33" KEY_A);
	has_key(&c, "x.c.b.example.org", "22" KEY_A);
	has_key(&c, "jo@example.org", "44" KEY_A);
	has_key(&c, "Jo@EXAMPLE.org", "55" KEY_A);
	has_key(&c, "2001:db8::7", "66" KEY_A);
	has_key(&c, "keyid:0x00ff", "77" KEY_A);
	assert_null(key_for(&c, "example.org"));
	assert_null(key_for(&c, "jo@a.example.org"));
	assert_null(key_for(&c, "badexample.org"));
	assert_null(key_for(&c, "192.0.2.1"));
	config_clear(&c);
}

static void wrong_client_sections(void **state)
{
	static const struct {
		const char *text, *said;
	} rows[] = {
		{ HUB "[Client a.example.org]\n",
		  "4: [Client a.example.org] lacks PSK, the key shared with it" },
		{ HUB "[Client a.example.org]\nPSK = " KEY_A
		      "\n[Client A.example.org]\nPSK = " KEY_B "\n",
		  "6: [Client A.example.org] is there already, in line 4" },
		{ HUB "[Client a.example.org]\nPSK = " KEY_A "\nPSK = " KEY_A "\n",
		  "6: PSK is given again; the first one is in line 5" },
		{ HUB "[Client a.example.net]\nPSK = " KEY_A "\n",
		  "4: [Client a.example.net] can never come: RemoteID is *.example.org" },
		{ HUB "[Client]\nPSK = " KEY_A "\n",
		  "4: expected [Client ID]: this is no identity" },
		{ HUB "[Client a b]\nPSK = " KEY_A "\n", "4: expected [Client ID]: " },
		{ HUB "[Client a.example.org]\nPSK = hex:0\n", "5: PSK: the key is wrong" },
		{ HUB "[Client a.example.org]\nRoutes = 10.0.0.0/8\n",
		  "5: Routes belongs into section [Peer], not [Client]" },
		{ HUB "[Client a.example.org]\nsecret = x\n",
		  "5: [Client] has no key secret; it is PSK in [Client] here" },
		{ HUB "[Clients a.example.org]\n", "4: unknown section" },
		{ HUB, "0: [Peer] lacks PSK" },
		{ HUB "Secrets = hub.secrets\n",
		  "4: Secrets = hub.secrets: expected the /PATH of a file" },
		{ "[Peer]\n" PSK_LINE "[Client a.example.org]\nPSK = " KEY_A "\n",
		  "3: [Client ID] is for clients: expected Clients of 2 or more" },
		{ "[Peer]\n" PSK_LINE "Secrets = /etc/esptun/s\n",
		  "3: Secrets is for clients: expected Clients of 2 or more" },
	};
	struct config c;

	(void)state;
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		refused(rows[i].text, rows[i].said);
		assert_null(strstr(said, KEY_A));
	}
	accepted(HUB "[Client a.example.org]\nPSK = easy\n", &c);
	assert_non_null(strstr(said, "4: warning: [Client a.example.org]: the key can be guessed"));
	config_clear(&c);
	accepted(HUB "Secrets = /etc/esptun/hub.secrets\n", &c);
	assert_string_equal(c.secrets_file, "/etc/esptun/hub.secrets");
	config_clear(&c);
}

/* The hub's configuration with @lines in the file of Secrets=: what is said about it. */
static int load_hub(const char *lines, const char *sections, struct config *c)
{
	char conf[128], secrets[128], text[512];

	write_file("secrets", 0600, lines, secrets, sizeof(secrets));
	snprintf(text, sizeof(text), HUB "Secrets = %s\n%s", secrets, sections);
	write_file("hub.conf", 0600, text, conf, sizeof(conf));
	return load(conf, c);
}

static bool is_later(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec > b->tv_sec || (a->tv_sec == b->tv_sec && a->tv_nsec > b->tv_nsec);
}

/* Another key in a file of keys is another configuration, for SAs of which nothing else is known. */
static void files_of_keys_have_their_time(void **state)
{
	char path[128], sections[256];
	struct timespec before;
	struct config c;

	(void)state;
	make_dir();
	write_file("own", 0600, KEY_B, path, sizeof(path));
	snprintf(sections, sizeof(sections), "[Client b.example.org]\nPSK = file:%s\n", path);
	assert_int_equal(load_hub("a.example.org = " KEY_A "\n", sections, &c), 0);
	before = c.changed;
	config_clear(&c);
	for (unsigned int i = 0; i < 2; i++) {
		usleep(20000);
		snprintf(path, sizeof(path), "%s/%s", dir, i ? "own" : "secrets");
		assert_int_equal(chmod(path, 0600), 0);
		snprintf(path, sizeof(path), "%s/hub.conf", dir);
		assert_int_equal(load(path, &c), 0);
		assert_true(is_later(&c.changed, &before));
		before = c.changed;
		config_clear(&c);
	}
}

static void secrets_say(const char *lines, const char *sections, const char *expected)
{
	struct config c;

	assert_int_equal(load_hub(lines, sections, &c), -1);
	if (!strstr(said, expected))
		fail_msg("said \"%s\", not \"%s\"", said, expected);
	assert_null(strstr(said, KEY_A));
}

static void a_file_of_secrets(void **state)
{
	char conf[128], path[128], text[512];
	struct config c, d;

	(void)state;
	make_dir();
	assert_int_equal(load_hub("# who may come\n\n"
				  "b.example.org = " KEY_B "\n"
				  "  a.example.org=\"" KEY_A "\"\n"
				  "; the rest\n"
				  "*.example.org = base64:9kXqTz3vRw9pXc2nYb5sLQ==\n"
				  "keyid:7 = hex:8f3a61c27be5094d1877f2aa3c95e06b\n"
				  "keyid:ou=7\t= " KEY_A " = 1\n",
				  "[Client c.example.org]\nPSK = " KEY_A KEY_B "\n", &c),
			 0);
	assert_string_equal(said, "");
	assert_int_equal(c.keys.n, 6);
	has_key(&c, "keyid:ou=7", KEY_A " = 1");
	has_key(&c, "a.example.org", KEY_A);
	has_key(&c, "b.example.org", KEY_B);
	has_key(&c, "c.example.org", KEY_A KEY_B);
	assert_int_equal(key_for(&c, "d.example.org")->len, 16);
	assert_int_equal(key_for(&c, "keyid:7")->len, 16);
	/* the same in other lines is no change */
	assert_int_equal(load_hub("*.example.org = base64:9kXqTz3vRw9pXc2nYb5sLQ==\n\n"
				  "keyid:7 = hex:8f3a61c27be5094d1877f2aa3c95e06b\n"
				  "keyid:ou=7 = " KEY_A " = 1\n"
				  "a.example.org = " KEY_A "\n"
				  "b.example.org = " KEY_B "\n",
				  "[Client c.example.org]\nPSK = " KEY_A KEY_B "\n", &d),
			 0);
	assert_true(config_equal(&c, &d));
	config_clear(&d);
	config_clear(&c);

	secrets_say("a.example.org = " KEY_A "\nb.example.org\n", "",
		    "/secrets:2: expected IDENTITY = KEY");
	secrets_say("a.example.org : PSK \"" KEY_A "=\"\n", "",
		    "/secrets:1: lines of ipsec.secrets");
	secrets_say("[Client a.example.org]\nPSK = " KEY_A "\n", "",
		    "/secrets:1: this file has no sections");
	secrets_say("a b = " KEY_A "\n", "", "/secrets:1: before the =: this is no identity");
	secrets_say("a.example.org =\n", "", "/secrets:1: there is no key behind the =");
	secrets_say("a.example.org = hex:x\n", "", "/secrets:1: the key is wrong");
	secrets_say("a.example.org = " KEY_A " # a\n", "",
		    "/secrets:1: expected a key without comment");
	secrets_say("a.example.org = " KEY_A "\n#\nA.example.org = " KEY_B "\n", "",
		    "/secrets:3: A.example.org has a key already, in line 1 of this file");
	secrets_say("#\na.example.org = " KEY_A "\n", "[Client a.example.org]\nPSK = " KEY_B "\n",
		    "/secrets:2: a.example.org has a key already, in line 5 of the configuration");
	assert_int_equal(load_hub("a.example.org = easy\n", "", &c), 0);
	assert_non_null(strstr(said, "/secrets:1: the key can be guessed"));
	config_clear(&c);

	snprintf(path, sizeof(path), "%s/secrets", dir);
	snprintf(conf, sizeof(conf), "%s/hub.conf", dir);
	assert_int_equal(chmod(conf, 0644), 0); /* it holds none itself */
	assert_int_equal(load(conf, &c), 0);
	config_clear(&c);
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(load(conf, &c), -1);
	assert_non_null(strstr(said, "can be read by others (mode 0640)"));
	unlink(path);
	assert_int_equal(load(conf, &c), -1);
	assert_non_null(strstr(said, "cannot read the key file"));

	/* a section's key in a file of its own, in one that others may read */
	write_file("a.psk", 0600, KEY_A "\n", path, sizeof(path));
	snprintf(text, sizeof(text), HUB "[Client a.example.org]\nPSK = file:%s\n", path);
	write_file("hub.conf", 0644, text, conf, sizeof(conf));
	assert_int_equal(load(conf, &c), 0);
	has_key(&c, "a.example.org", KEY_A);
	config_clear(&c);
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(load(conf, &c), -1);
	assert_int_equal(chmod(path, 0600), 0);
	snprintf(text, sizeof(text),
		 HUB "[Client a.example.org]\nPSK = file:%s\n[Client b.example.org]\nPSK = " KEY_B
		     "\n",
		 path);
	write_file("hub.conf", 0644, text, conf, sizeof(conf));
	assert_int_equal(load(conf, &c), -1);
	assert_non_null(strstr(said, "hub.conf holds a key and can be read by others"));
	/* the longest path there is room for, and one more octet */
	for (unsigned int i = 0; i < 2; i++) {
		char longest[SECRET_MAX + 1];

		memset(longest, 'x', SECRET_MAX - 1 + i);
		longest[0] = '/';
		longest[SECRET_MAX - 1 + i] = 0;
		snprintf(text, sizeof(text), HUB "[Client a.example.org]\nPSK = file:%s\n",
			 longest);
		write_file("hub.conf", 0600, text, conf, sizeof(conf));
		assert_int_equal(load(conf, &c), -1);
		assert_int_equal(strstr(said, "cannot read the key file /xxx") != NULL, i == 0);
	}
	unlink(path);
	unlink(conf);
	rmdir(dir);
}

#define POOL \
	"[Tunnel]\nAddress = 10.9.0.1/24, fd09::1/64\n[Peer]\nClients = 9\n" PSK_LINE "[Pool]\n"

static void range_is(const struct config *c, unsigned int i, const char *first, const char *last)
{
	char text[64];

	assert_true(i < c->n_ranges);
	assert_string_equal(ike_addr_print(text, sizeof(text), &c->ranges[i].first), first);
	assert_string_equal(ike_addr_print(text, sizeof(text), &c->ranges[i].last), last);
}

static void pools(void **state)
{
	struct config c, other;
	struct ike_tunnel_conf conf;
	char text[64];

	(void)state;
	accepted(POOL "Range = 10.9.0.0/25, 10.9.0.200-10.9.0.210\n  fd09::/64\n"
		      "Range = 10.9.0.240\nDNS = 10.0.0.53 fd00::53\nDomains = corp.example, a.b\n"
		      "Static = alice.example = 10.9.0.5, bob@b.example = fd09::b\n",
		 &c);
	assert_string_equal(said, "");
	/* without the addresses that no host has */
	range_is(&c, 0, "10.9.0.1", "10.9.0.126");
	range_is(&c, 1, "10.9.0.200", "10.9.0.210");
	range_is(&c, 2, "fd09::1", "fd09::ffff:ffff:ffff:ffff");
	range_is(&c, 3, "10.9.0.240", "10.9.0.240");
	assert_int_equal(c.n_ranges, 4);
	assert_int_equal(c.n_servers, 2);
	assert_string_equal(c.domains, "corp.example a.b");
	/* our own addresses are nobody's */
	assert_int_equal(c.n_fixed, 4);
	assert_string_equal(ike_addr_print(text, sizeof(text), &c.fixed[0].addr), "10.9.0.5");
	assert_int_equal(c.fixed[0].id.type, IKE_ID_FQDN);
	assert_string_equal(ike_addr_print(text, sizeof(text), &c.fixed[2].addr), "10.9.0.1");
	assert_int_equal(c.fixed[2].id.type, 0);
	config_tunnel(&c, &conf);
	assert_true(conf.pool.on);
	assert_int_equal(conf.pool.n_servers, 2);
	accepted(POOL "Range = 10.9.0.0/25\n", &other);
	assert_false(config_equal_pool(&c, &other));
	assert_false(config_equal(&c, &other));
	assert_true(config_equal_pool(&c, &c));
	config_clear(&other);
	config_clear(&c);
}

/* What clients are told: within what they may reach. */
static void networks_that_clients_are_told(void **state)
{
	static char many[4096] = POOL "Range = 10.9.0.0/25\nRoutes = 10.0.0.0/16";
	struct ike_tunnel_conf conf;
	struct config c;

	(void)state;
	accepted(POOL "Range = 10.9.0.0/25\n", &c);
	config_tunnel(&c, &conf);
	assert_false(conf.pool.tells_routes);
	config_clear(&c);
	accepted(POOL "Range = 10.9.0.0/25\nRoutes = any\n", &c);
	config_tunnel(&c, &conf);
	assert_true(conf.pool.tells_routes);
	assert_int_equal(conf.pool.n_routes, 0);
	config_clear(&c);
	accepted(POOL "Range = 10.9.0.0/25\nRoutes = 10.1.0.0/16\n  fd01::/48\n", &c);
	assert_int_equal(c.n_routes, 0); /* of [Peer] */
	config_tunnel(&c, &conf);
	assert_int_equal(conf.pool.n_routes, 2);
	assert_int_equal(conf.pool.route[0].len, 16);
	assert_int_equal(conf.pool.route[1].addr.family, 6);
	config_clear(&c);
	refused(POOL "Range = 10.9.0.0/25\nRoutes = 10.1.0.1/16\n", "has bits set beyond /16");
	refused(POOL "Routes = 10.1.0.0/16\n", "[Pool] lacks Range");
	refused("[Peer]\nClients = 9\nSelectors = 10.1.0.0/16 = any\n" PSK_LINE
		"[Pool]\nRange = 10.9.0.0/24\nRoutes = 10.1.2.0/24, 10.0.0.0/8\n",
		"clients are told of 10.0.0.0/8, but Selectors have no child SA for it");
	for (unsigned int i = 1; i <= IKE_CP_SUBNETS; i++)
		snprintf(many + strlen(many), sizeof(many) - strlen(many), ", 10.%u.0.0/16", i);
	strcat(many, "\n");
	refused(many, "at most 32 networks");
}

static void apart_is(const struct config *c, unsigned int i, const char *want)
{
	char text[80], addr[64];

	assert_true(i < c->n_apart);
	snprintf(text, sizeof(text), "%s/%u", ike_addr_print(addr, sizeof(addr), &c->apart[i].addr),
		 c->apart[i].len);
	assert_string_equal(text, want);
}

/* The networks of rules: all addresses that clients can have, and no others. */
static void clients_apart(void **state)
{
	static char many[16384] = POOL "ClientToClient = no\nRange = 10.7.0.0/16\nStatic = ";
	struct config c, other;

	(void)state;
	accepted(POOL "Range = 10.9.0.2-10.9.0.5\n", &other);
	assert_int_equal(other.n_apart, 0);
	accepted(POOL "Range = 10.9.0.2-10.9.0.5\nClientToClient = yes\n", &c);
	assert_true(config_equal(&c, &other));
	config_clear(&c);
	accepted(
		POOL
		"ClientToClient = No\nRange = 10.9.0.2-10.9.0.5, fd09::/64, fd09:0:0:1::8-fd09:0:0:1::9\n"
		"Static = a.b = 10.9.0.3, c.d = 10.9.0.99\n",
		&c);
	apart_is(&c, 0, "10.9.0.2/31");
	apart_is(&c, 1, "10.9.0.4/31");
	apart_is(&c, 2, "fd09::/64");
	apart_is(&c, 3, "fd09:0:0:1::8/127");
	apart_is(&c, 4, "10.9.0.99/32");
	assert_int_equal(c.n_apart, 5);
	assert_false(config_equal(&c, &other));
	config_clear(&c);
	config_clear(&other);
	refused(POOL "Range = 10.9.0.0/25\nClientToClient = maybe\n", "expected yes or no");
	refused(POOL "ClientToClient = no\n", "[Pool] lacks Range");
	for (unsigned int i = 0; i < 300; i++) {
		size_t len = strlen(many);

		snprintf(many + len, sizeof(many) - len, "%sa%u.b = 10.8.%u.%u\n",
			 i ? "Static = " : "", i, i / 100, 1 + 2 * (i % 100));
	}
	refused(many, "made up of more than 256 networks");
}

/* A hub that has fewer addresses than it lets clients in. */
static void fewer_addresses_than_clients(void **state)
{
	struct config c;

	(void)state;
	/* of 10.9.0.1 to .6 one is our own, and one is somebody's */
	accepted(POOL "Range = 10.9.0.0/29, fd09::/64\nStatic = a.b = 10.9.0.3\n", &c);
	assert_non_null(
		strstr(said, "Range: 5 IPv4 addresses, but Clients = 9: those who come when all"));
	assert_null(strstr(said, "IPv6"));
	config_clear(&c);
	accepted(POOL "Range = 10.9.0.2-10.9.0.10\n", &c);
	assert_string_equal(said, "");
	config_clear(&c);
	accepted(POOL "Range = 10.9.0.2-10.9.0.9\nStatic = a.b = 10.9.0.200\n", &c);
	assert_string_equal(said, "");
	config_clear(&c);
	accepted(POOL "Range = 10.9.0.2-10.9.0.9\n", &c);
	assert_non_null(strstr(said, "8 IPv4 addresses"));
	config_clear(&c);
}

static void wrong_pools(void **state)
{
	struct config c;

	(void)state;
	refused(POOL "Range = 10.9.0.9-10.9.0.2\n", "is no range; expected such as");
	refused(POOL "Range = 10.9.0.2-fd09::9\n", "is no range");
	refused(POOL "Range = 10.9.0.0/33\n", "is no range");
	refused(POOL "Range = 0.0.0.0/0\n", "is no range");
	refused(POOL "Range = 224.0.0.1-224.0.0.9\n", "is no range");
	refused(POOL "Range = 126.0.0.1-128.0.0.9\n", "is no range");
	refused(POOL "Range = fe00::-fec0::\n", "is no range");
	refused(POOL "Range = ::1:0:0-1::\n", "is no range");
	refused(POOL "Range = 10.9.0.2-10.9.0.9, 10.9.0.9-10.9.0.12\n", "another range has, too");
	refused(POOL "DNS = 10.0.0.53\n", "[Pool] lacks Range");
	refused(POOL "Range = 10.9.0.0/25\nDNS = ns.example\n", "up to 4 addresses");
	refused(POOL "Range = 10.9.0.0/25\nDNS = 1.1.1.1 1.1.1.2 1.1.1.3 1.1.1.4 1.1.1.5\n",
		"up to 4 addresses");
	refused(POOL "Range = 10.9.0.0/25\nDomains = corp.example\n", "expected DNS, too");
	refused(POOL "Range = 10.9.0.0/25\nDNS = 1.1.1.1\nDomains = a;b\n", "expected domains");
	refused(POOL "Range = 10.9.0.0/25\nStatic = alice.example\n", "of IDENTITY = ADDRESS");
	refused(POOL "Range = 10.9.0.0/25\nStatic = *.example = 10.9.0.5\n",
		"of IDENTITY = ADDRESS");
	refused(POOL "Range = 10.9.0.0/25\nStatic = a.b = 10.9.0.5, c.d = 10.9.0.5\n",
		"given already");
	refused(POOL "Range = 10.9.0.0/25\nStatic = a.b = 10.9.0.5, A.b = 10.9.0.6\n",
		"given already");
	refused(POOL "Range = 10.9.0.0/25\nStatic = a.b = 10.9.0.1\n", "10.9.0.1 is our own");
	refused("[Peer]\n" PSK_LINE "[Pool]\nRange = 10.9.0.0/24\n",
		"[Pool] is for clients: expected Clients of 2 or more");
	refused("[Peer]\nClients = 9\nMode = transport\n" PSK_LINE "[Pool]\nRange = 10.9.0.0/24\n",
		"in transport mode clients have addresses of their own");
	accepted("[Peer]\nClients = 9\n" PSK_LINE "[Pool]\nRange = 10.9.0.0/24\n", &c);
	assert_non_null(strstr(said, "no route leads to 10.9.0.1-10.9.0.254"));
	config_clear(&c);
}

static void an_address_on_request(void **state)
{
	struct config c;
	struct ike_tunnel_conf conf;

	(void)state;
	accepted("[Tunnel]\nAddress = request\n[Peer]\nEndpoint = 192.0.2.1\n" PSK_LINE, &c);
	assert_string_equal(said, "");
	assert_int_equal(c.n_address, 0);
	config_tunnel(&c, &conf);
	assert_true(conf.asks_address);
	config_clear(&c);
	accepted("[Tunnel]\nAddress = request\nDNS = no\n[Peer]\nEndpoint = 192.0.2.1\n" PSK_LINE,
		 &c);
	assert_true(c.leaves_dns);
	config_clear(&c);
	accepted("[Tunnel]\nAddress = request\nDNS = yes\n[Peer]\nEndpoint = 192.0.2.1\n" PSK_LINE,
		 &c);
	assert_false(c.leaves_dns);
	config_clear(&c);
	accepted("[Tunnel]\nAddress = request\n[Peer]\nEndpoint = 192.0.2.1\nRoutes = request\n"
		 "Routes = 10.7.0.0/16\n" PSK_LINE,
		 &c);
	assert_true(c.asks_routes);
	assert_int_equal(c.n_routes, 1);
	config_clear(&c);
	refused("[Peer]\nEndpoint = 192.0.2.1\nRoutes = request\n" PSK_LINE,
		"Routes = request: a peer tells routes with the address that it gives");
	refused("[Tunnel]\nDNS = no\n[Peer]\nEndpoint = 192.0.2.1\n" PSK_LINE,
		"expected Address = request, too");
	refused("[Tunnel]\nAddress = request\n[Peer]\n" PSK_LINE, "expected Endpoint, too");
	refused("[Tunnel]\nAddress = request\n[Peer]\nClients = 5\n" PSK_LINE,
		"a hub gives addresses");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(pools),
		cmocka_unit_test(networks_that_clients_are_told),
		cmocka_unit_test(clients_apart),
		cmocka_unit_test(fewer_addresses_than_clients),
		cmocka_unit_test(wrong_pools),
		cmocka_unit_test(an_address_on_request),
		cmocka_unit_test(selector_pairs),
		cmocka_unit_test(several_children),
		cmocka_unit_test(what_esp_travels_in),
		cmocka_unit_test(mobike_is_of_tunnel_mode),
		cmocka_unit_test(wrong_children),
		cmocka_unit_test(every_key),
		cmocka_unit_test(lifetimes),
		cmocka_unit_test(lifetimes_make_a_difference),
		cmocka_unit_test(keys_in_other_forms),
		cmocka_unit_test(never_repeats_a_key),
		cmocka_unit_test(never_repeats_a_stray_key),
		cmocka_unit_test(indented_keys),
		cmocka_unit_test(says_ascii),
		cmocka_unit_test(numbers_are_decimal),
#ifndef __SANITIZE_ADDRESS__
		cmocka_unit_test(wipes_what_it_frees),
#endif
		cmocka_unit_test(many_clients),
		cmocka_unit_test(a_key_for_each_client),
		cmocka_unit_test(the_most_exact_key),
		cmocka_unit_test(wrong_client_sections),
		cmocka_unit_test(a_file_of_secrets),
		cmocka_unit_test(files_of_keys_have_their_time),
		cmocka_unit_test(weak_keys),
		cmocka_unit_test(wrong_values),
		cmocka_unit_test(wrong_keys),
		cmocka_unit_test(public_keys),
		cmocka_unit_test(whether_revocation_is_asked),
		cmocka_unit_test(wrong_public_keys),
		cmocka_unit_test(eap),
		cmocka_unit_test(wrong_eap),
		cmocka_unit_test(a_file_of_users),
		cmocka_unit_test(users_need_a_key_that_they_know),
		cmocka_unit_test(our_password_is_a_key_of_jobs),
		cmocka_unit_test(other_words),
		cmocka_unit_test(other_values),
		cmocka_unit_test(algorithms_with_a_warning),
		cmocka_unit_test(post_quantum_keys),
		cmocka_unit_test(wrong_post_quantum_keys),
		cmocka_unit_test(a_required_ppk_is_post_quantum),
		cmocka_unit_test(what_is_required),
		cmocka_unit_test(ipv6_outside),
		cmocka_unit_test(other_systems),
		cmocka_unit_test(long_lines),
		cmocka_unit_test(all_errors_at_once),
		cmocka_unit_test(hostile_text),
		cmocka_unit_test(names),
		cmocka_unit_test(equality),
		cmocka_unit_test(files),
		cmocka_unit_test(files_of_key_pairs),
		cmocka_unit_test(files_of_certificates),
		cmocka_unit_test(the_identity_of_a_certificate_is_ours),
		cmocka_unit_test(files_of_authorities_have_no_order),
		cmocka_unit_test(passphrases),
		cmocka_unit_test(files_of_crls),
		cmocka_unit_test(crls_are_read_again),
		cmocka_unit_test(crls_behind_a_name_are_read_again),
		cmocka_unit_test(a_file_with_a_response),
		cmocka_unit_test(each_of_the_files_counts),
	};

	return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
