// SPDX-License-Identifier: GPL-2.0-or-later
/* Configuration files: defaults, all keys, and how files are written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "ike/app/config/config.h"
#include "ike/proto/addr.h"
#include "ike/proto/names.h"
#include "some_config.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),	 cmocka_unit_test(every_key),
		cmocka_unit_test(lifetimes),	 cmocka_unit_test(lifetimes_make_a_difference),
		cmocka_unit_test(indented_keys), cmocka_unit_test(numbers_are_decimal),
		cmocka_unit_test(many_clients),	 cmocka_unit_test(ipv6_outside),
		cmocka_unit_test(other_systems), cmocka_unit_test(long_lines),
		cmocka_unit_test(names),	 cmocka_unit_test(equality),
	};

	return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
