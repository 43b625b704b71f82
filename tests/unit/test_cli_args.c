// SPDX-License-Identifier: GPL-2.0-or-later
/* The command line: keywords, values, keys, and what each command demands. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"

#define MAX_WORDS 64

struct line {
	struct args args;
	char text[2048];
	char *words[MAX_WORDS];
};

/* Split @text at blanks, as a shell would. */
static struct args *line(struct line *l, const char *text)
{
	char *word, *save;

	memset(l, 0, sizeof(*l));
	snprintf(l->text, sizeof(l->text), "%s", text);
	for (word = strtok_r(l->text, " ", &save); word; word = strtok_r(NULL, " ", &save))
		l->words[l->args.argc++] = word;
	l->args.argv = l->words;
	return &l->args;
}

static void contains(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" does not say \"%s\"", text, part);
}

static void peer_full(void **state)
{
	struct peer_args p;
	struct line l;

	(void)state;
	assert_int_equal(peer_args_parse(line(&l, "dev vpn0 id 3 remote 198.51.100.2 port 4501 "
						  "local 192.0.2.1 encap esp keepalive 0 roam off"),
					 "add", &p),
			 0);
	assert_string_equal(p.dev, "vpn0");
	assert_int_equal(p.peer.id, 3);
	assert_int_equal(p.peer.has, ESPTUN_PEER_HAS_REMOTE | ESPTUN_PEER_HAS_PORT |
					     ESPTUN_PEER_HAS_LOCAL | ESPTUN_PEER_HAS_ENCAP |
					     ESPTUN_PEER_HAS_KEEPALIVE | ESPTUN_PEER_HAS_MAY_ROAM);
	assert_int_equal(p.peer.encap, ESPTUN_ENCAP_ESP);
	assert_int_equal(p.peer.remote.port, 4501);
	assert_int_equal(p.peer.keepalive, 0);
	assert_false(p.peer.may_roam);
	assert_memory_equal(p.peer.remote.addr.bytes, "\xc6\x33\x64\x02", 4);
}

static void peer_header(void **state)
{
	struct peer_args p;
	struct line l;

	(void)state;
	assert_int_equal(peer_args_parse(line(&l, "dev vpn0 id 3 tos 0x28 ttl inherit df unset "
						  "flowlabel inner udp6zerocsumrx on"),
					 "set", &p),
			 0);
	assert_int_equal(p.peer.has, ESPTUN_PEER_HAS_TOS | ESPTUN_PEER_HAS_TTL |
					     ESPTUN_PEER_HAS_DF | ESPTUN_PEER_HAS_FLOW_LABEL |
					     ESPTUN_PEER_HAS_ZERO_CSUM6_RX);
	assert_int_equal(p.peer.tos, 0x28);
	assert_int_equal(p.peer.ttl, ESPTUN_TTL_INHERIT);
	assert_int_equal(p.peer.df, ESPTUN_DF_UNSET);
	assert_int_equal(p.peer.flow_label, ESPTUN_FLOW_LABEL_INNER);
	assert_true(p.peer.zero_csum6_rx);
	assert_int_equal(
		peer_args_parse(line(&l, "dev vpn0 id 3 tos link ttl auto df link"), "set", &p), 0);
	assert_int_equal(p.peer.tos, ESPTUN_HEADER_OF_LINK);
	assert_int_equal(p.peer.ttl, 0);
	assert_int_equal(p.peer.df, ESPTUN_HEADER_OF_LINK);
}

static void peer_with_ip6(void **state)
{
	char buf[ESPTUN_ADDR_STRLEN];
	struct peer_args p;
	struct line l;

	(void)state;
	assert_int_equal(
		peer_args_parse(line(&l, "dev vpn0 id 3 remote 2001:db8::2 local 2001:db8::1"),
				"add", &p),
		0);
	assert_string_equal(esptun_addr_format(&p.peer.remote.addr, buf), "2001:db8::2");
	assert_string_equal(esptun_addr_format(&p.peer.local, buf), "2001:db8::1");
	/* 0.0.0.0 is none, for either family. */
	assert_int_equal(peer_args_parse(line(&l, "dev vpn0 id 3 local any"), "set", &p), 0);
	assert_true(p.peer.has & ESPTUN_PEER_HAS_LOCAL);
	assert_string_equal(esptun_addr_format(&p.peer.local, buf), "0.0.0.0");
}

/* Any prefix will do, the first in the table wins, order is free. */
static void peer_abbreviated(void **state)
{
	struct peer_args p;
	struct line l;

	(void)state;
	assert_int_equal(peer_args_parse(line(&l, "re 10.0.0.1 i 7 d vpn0 k 5"), "set", &p), 0);
	assert_int_equal(p.peer.id, 7);
	assert_int_equal(p.peer.keepalive, 5);
	assert_true(p.peer.has & ESPTUN_PEER_HAS_REMOTE);
}

static void peer_refused(void **state)
{
	static const struct {
		const char *verb, *text, *says;
	} rows[] = {
		{ "add", "", "dev NAME" },
		{ "add", "dev vpn0", "id N" },
		{ "add", "dev", "\"dev\" needs a value" },
		{ "add", "dev vpn0 id 0", "from 1 to" },
		{ "add", "dev vpn0 id 4294967296", "from 1 to 4294967295" },
		{ "add", "dev vpn0 id -1", "from 1 to" },
		{ "add", "dev vpn0 id 1x", "from 1 to" },
		{ "add", "dev vpn0 id 1 remote host.example", "numeric address, or any" },
		{ "add", "dev vpn0 id 1 local 2001:db8::1::", "numeric address" },
		{ "add", "dev vpn0 id 1 port 0", "from 1 to 65535" },
		{ "add", "dev vpn0 id 1 port 65536", "from 1 to 65535" },
		{ "add", "dev vpn0 id 1 keepalive 3601", "from 0 to 3600" },
		{ "add", "dev vpn0 id 1 roam yes", "on or off" },
		{ "add", "dev vpn0 id 1 encap gre", "udp or esp" },
		{ "add", "dev vpn0 id 1 encap", "encap" },
		{ "set", "dev vpn0 id 1 tos 256", "0 to 255" },
		{ "set", "dev vpn0 id 1 ttl both", "0 to 255" },
		{ "set", "dev vpn0 id 1 df copy", "inherit, set, unset or link" },
		{ "set", "dev vpn0 id 1 df", "needs a value" },
		{ "set", "dev vpn0 id 1 flowlabel 7", "sa, inner or link" },
		{ "add", "dev vpn0 id 1 id 2", "given twice" },
		{ "add", "dev vpn0 id 1 remte 10.0.0.1", "did you mean \"remote\"" },
		{ "add", "dev vpn0 id 1 completely-else", "expected one of: dev, id" },
		{ "set", "dev vpn0 id 1", "something to change" },
		{ "del", "dev vpn0 id 1 port 5", "only dev and id" },
		{ "show", "port 5", "only dev and id" },
	};
	struct peer_args p;
	struct line l;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct args *a = line(&l, rows[i].text);

		if (!peer_args_parse(a, rows[i].verb, &p))
			fail_msg("accepted peer %s %s", rows[i].verb, rows[i].text);
		contains(a->err, rows[i].says);
	}
	assert_int_equal(peer_args_parse(line(&l, ""), "show", &p), 0);
}

#define KEY36 "0x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20212223"
#define KEY16 "0x000102030405060708090a0b0c0d0e0f"
#define KEY20 "0x000102030405060708090a0b0c0d0e0f10111213"
#define SA "dev vpn0 dir in spi 0xc0000001 peer 1 "

static void sa_full(void **state)
{
	char buf[ESPTUN_TS_STRLEN];
	struct sa_args s;
	struct line l;

	(void)state;
	assert_int_equal(sa_args_parse(line(&l, SA
					    "algo aes-gcm-256 key " KEY36 " esn on mode transport "
					    "replay-window 64 local-ts 10.1.0.0/16:tcp:443 ::/0 "
					    "remote-ts 10.2.0.0/16 remote-ts 10.3.0.0/16 "
					    "limit soft-bytes 2g limit hard-packets 1000 "
					    "limit time-hard 3600 limit soft-use-time 60 "
					    "nat-oa-local 192.0.2.1 nat-oa-remote 10.0.0.5"),
				       "add", &s),
			 0);
	assert_string_equal(s.dev, "vpn0");
	assert_int_equal(s.sa.spi, 0xc0000001);
	assert_int_equal(s.sa.dir, ESPTUN_SA_DIR_IN);
	assert_int_equal(s.sa.encr, ESPTUN_ENCR_AES_GCM_16);
	assert_int_equal(s.sa.key_len, 36);
	assert_int_equal(s.sa.key[35], 0x23);
	assert_true(s.sa.esn);
	assert_int_equal(s.sa.mode, ESPTUN_SA_MODE_TRANSPORT);
	assert_int_equal(s.sa.replay_window, 64);
	assert_int_equal(s.sa.n_ts_local, 2);
	assert_int_equal(s.sa.n_ts_remote, 2);
	assert_string_equal(esptun_ts_format(&s.sa.ts_local[0], buf), "10.1.0.0/16:tcp:443");
	assert_string_equal(esptun_ts_format(&s.sa.ts_remote[1], buf), "10.3.0.0/16");
	assert_true(s.sa.soft_bytes == 2ULL << 30);
	assert_int_equal(s.sa.hard_packets, 1000);
	assert_int_equal(s.sa.hard_time, 3600);
	assert_int_equal(s.sa.soft_use_time, 60);
	assert_string_equal(esptun_addr_format(&s.sa.nat_oa_local, buf), "192.0.2.1");
	assert_string_equal(esptun_addr_format(&s.sa.nat_oa_remote, buf), "10.0.0.5");
	assert_int_equal(s.sa.has, ESPTUN_SA_HAS_REPLAY_WINDOW | ESPTUN_SA_HAS_SOFT_BYTES |
					   ESPTUN_SA_HAS_HARD_PACKETS | ESPTUN_SA_HAS_HARD_TIME |
					   ESPTUN_SA_HAS_SOFT_USE_TIME | ESPTUN_SA_HAS_NAT_OA);
	esptun_sa_clear(&s.sa);
	/* the key is gone from the command line ps shows */
	assert_int_equal(l.words[11][0], '\0');
}

static void sa_alias_and_any(void **state)
{
	struct sa_args s;
	struct line l;

	(void)state;
	assert_int_equal(sa_args_parse(line(&l, "dev vpn0 dir out spi 256 peer 1 "
						"algo rfc4106(gcm(aes)) local-ts any "
						"key 0x000102030405060708090a0b0c0d0e0f10111213"),
				       "add", &s),
			 0);
	assert_int_equal(s.sa.key_len, 20);
	assert_int_equal(s.sa.n_ts_local, 0);
	assert_int_equal(s.sa.dir, ESPTUN_SA_DIR_OUT);
	esptun_sa_clear(&s.sa);
}

/* What the next words "stdin" read. */
static void feed_stdin(const char *text)
{
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], text, strlen(text)), strlen(text));
	close(ends[1]);
	assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
	close(ends[0]);
	clearerr(stdin);
}

/* Of two keys each has a line. */
static void sa_keys_of_stdin(void **state)
{
	char rest[16];
	struct sa_args s;
	struct line l;

	(void)state;
	feed_stdin("\n " KEY16 " \n" KEY20 "\n");
	assert_int_equal(
		sa_args_parse(line(&l, SA "algo aes-cbc-128 key stdin auth hmac-sha1 stdin"), "add",
			      &s),
		0);
	assert_int_equal(s.sa.key_len, 16);
	assert_int_equal(s.sa.integ_key_len, 20);
	assert_int_equal(s.sa.integ_key[19], 0x13);
	esptun_sa_clear(&s.sa);
	feed_stdin(KEY36);
	assert_int_equal(sa_args_parse(line(&l, SA "algo aes-gcm-256 key stdin"), "add", &s), 0);
	assert_int_equal(s.sa.key_len, 36);
	esptun_sa_clear(&s.sa);
	feed_stdin(KEY16 "\n");
	assert_int_not_equal(sa_args_parse(line(&l, SA "enc cbc(aes) stdin auth hmac-sha1 stdin"),
					   "add", &s),
			     0);
	contains(l.args.err, "each \"stdin\" takes a line");
	/* what stands behind the line is for who reads next */
	feed_stdin(KEY36 "\nmore\n");
	assert_int_equal(sa_args_parse(line(&l, SA "algo aes-gcm-256 key stdin"), "add", &s), 0);
	esptun_sa_clear(&s.sa);
	assert_int_equal(read(STDIN_FILENO, rest, sizeof(rest)), 5);
	assert_memory_equal(rest, "more\n", 5);
	feed_stdin("0x12 0x34\n");
	assert_int_not_equal(sa_args_parse(line(&l, SA "algo aes-gcm-256 key stdin"), "add", &s),
			     0);
	contains(l.args.err, "does not hold a key");
}

/* As ip xfrm and IANA say it, and as we do. */
static void sa_two_algorithms(void **state)
{
	static const struct {
		const char *text;
		int encr, integ, key_len, integ_key_len;
	} rows[] = {
		{ "algo aes-cbc-128 key " KEY16 " auth aes-cmac " KEY16, 12, 8, 16, 16 },
		{ "enc cbc(aes) " KEY16 " auth-trunc hmac(sha1) " KEY20 " 96", 12, 2, 16, 20 },
		{ "enc rfc3686(ctr(aes)) " KEY20 " auth hmac(sha1) " KEY20, 13, 2, 20, 20 },
		{ "enc ENCR_AES_CBC " KEY16 " auth AUTH_AES_XCBC_96 " KEY16, 12, 5, 16, 16 },
		{ "auth hmac-sha1 " KEY20 " enc encr_null 0x", 11, 2, 0, 20 },
		{ "algo null auth hmac-sha1 " KEY20, 11, 2, 0, 20 },
		{ "algo null key 0x auth hmac-sha1 " KEY20, 11, 2, 0, 20 },
		{ "algo ENCR_NULL auth hmac-sha1 " KEY20, 11, 2, 0, 20 },
		{ "algo ecb(cipher_null) auth hmac-sha1 " KEY20, 11, 2, 0, 20 },
		{ "aead rfc4106(gcm(aes)) " KEY20 " 64", 18, 0, 20, 0 },
		{ "aead rfc4106(gcm(aes)) " KEY20 " 96", 19, 0, 20, 0 },
		{ "aead rfc4106(gcm(aes)) " KEY36 " 128", 20, 0, 36, 0 },
		{ "aead rfc4543(gcm(aes)) " KEY20 " 128", 21, 0, 20, 0 },
		{ "algo ENCR_AES_GCM_16_IIV key " KEY20, 30, 0, 20, 0 },
		{ "algo aes-gcm8-128 key " KEY20, 18, 0, 20, 0 },
	};
	char text[1024];
	struct sa_args s;
	struct line l;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(text, sizeof(text), SA "%s", rows[i].text);
		if (sa_args_parse(line(&l, text), "add", &s))
			fail_msg("refused %s: %s", rows[i].text, l.args.err);
		assert_int_equal(s.sa.encr, rows[i].encr);
		assert_int_equal(s.sa.integ, rows[i].integ);
		assert_int_equal(s.sa.key_len, rows[i].key_len);
		assert_int_equal(s.sa.integ_key_len, rows[i].integ_key_len);
		esptun_sa_clear(&s.sa);
	}
}

static void sa_refused(void **state)
{
	static const struct {
		const char *verb, *text, *says;
	} rows[] = {
		{ "add", "dev vpn0 dir in spi 255", "below 256" },
		{ "add", SA "mode beet", "tunnel or transport" },
		{ "add", SA "nat-oa-local 10.0.0.5", "go together" },
		{ "add", SA "nat-oa-remote 10.0.0.5", "go together" },
		{ "add", SA "nat-oa-local any nat-oa-remote 10.0.0.5",
		  "\"nat-oa-local\" is any, but must be a numeric address" },
		{ "add", SA "nat-oa-local 10.0.0.5 nat-oa-remote any",
		  "\"nat-oa-remote\" is any, but must be a numeric address" },
		{ "add", "dev vpn0 dir out spi 256 peer 1 nat-oa-local ::1 nat-oa-remote ::2",
		  "\"nat-oa-local\" belongs to an inbound SA" },
		{ "set", SA "nat-oa-local ::1 nat-oa-remote ::2 dummy 1",
		  "sa set does not take \"nat-oa-local\"" },
		{ "add", "dev vpn0 dir in spi 0", "below 256" },
		{ "add", "dev vpn0 dir in spi 0x100000000", "0x100 to 0xffffffff" },
		{ "add", "dev vpn0 dir in spi c0ffee", "0x100 to 0xffffffff" },
		{ "add", "dev vpn0 dir both", "in or out" },
		{ "add", SA "algo aes-gcm-256", "needs \"key\"" },
		{ "add", SA "key " KEY36, "needs \"algo\"" },
		{ "add", SA "algo aes-gcm-256 key 0x0011", "36 bytes" },
		{ "add", SA "algo aes-gcm-256 key 0x0011", "not 2" },
		{ "add", SA "algo aes-gcm-128 key " KEY36, "20 bytes" },
		{ "add", SA "algo blowfish key " KEY36, "esptun algo show" },
		{ "add", SA "algo 3des key " KEY36, "24 bytes, not 36" },
		{ "add", SA "algo aes-cbc-128 key " KEY16, "authentication is refused" },
		{ "add", SA "enc null 0x", "authentication is refused" },
		{ "add", SA "algo aes-cbc-128 key " KEY16 " auth md4 " KEY16, "unknown integrity" },
		{ "add", SA "algo aes-cbc-128 key " KEY16 " auth aes-cmac " KEY20,
		  "16 bytes, not 20" },
		{ "add", SA "algo aes-cbc-128 key " KEY16 " auth aes-cmac", "needs a value" },
		{ "add", SA "algo aes-gcm-128 key " KEY20 " auth aes-cmac " KEY16, "by itself" },
		{ "add", SA "enc cbc(aes) " KEY16 " auth-trunc cmac(aes) " KEY16 " 128",
		  "96 bits" },
		{ "add", SA "enc cbc(aes) " KEY16 " auth cmac(aes) " KEY16 " auth aes-xcbc " KEY16,
		  "given twice" },
		{ "add",
		  SA "enc cbc(aes) " KEY16 " auth cmac(aes) " KEY16 " auth-trunc aes-cmac " KEY16
		     " 96",
		  "exclude each other" },
		{ "add", SA "aead rfc4106(gcm(aes)) " KEY20 " 64 algo aes-gcm-128 key " KEY20,
		  "exclude each other" },
		{ "add", SA "aead rfc4106(gcm(aes)) " KEY20 " 72", "no ICV of 72 bits" },
		{ "add", SA "aead rfc4106(gcm(aes)) " KEY20 " 33", "no ICV of 33 bits" },
		{ "add", SA "aead rfc4106(gcm(aes)) " KEY20, "needs a value" },
		{ "add", SA "enc cbc(aes) " KEY16 " key " KEY16, "second word" },
		{ "set", SA "enc cbc(aes) " KEY16, "does not take \"enc\"" },
		{ "add", SA "algo aes-gcm-256 key 0x123", "even number" },
		{ "add", SA "algo aes-gcm-256 key 0x", "36 bytes" },
		{ "add", SA "algo aes-gcm-256 key 0x12zz", "even number" },
		{ "add", SA "algo aes-gcm-256 key deadbeef", "0xHEX" },
		{ "add", SA "algo aes-gcm-256 key file", "needs a value" },
		{ "add", SA "algo aes-gcm-256 key file /nonexistent/key", "cannot read key file" },
		{ "add", SA "replay-window 65537", "0 to 65536" },
		{ "add",
		  "dev v dir out spi 256 peer 1 algo aes-gcm-256 key " KEY36 " replay-window 64",
		  "inbound" },
		{ "add", SA "local-ts 10.1.0.1/16", "bits set beyond" },
		{ "add", SA "local-ts 10.1.0.0/16:tcp:x", "PREFIX[:PROTO" },
		{ "add", SA "local-ts", "needs a value" },
		{ "add", SA "limit", "soft-bytes" },
		{ "add", SA "limit soft 5x", "suffix" },
		{ "add", SA "limit soft-bytes 18446744073709551615k", "suffix" },
		{ "add", SA "limit seconds 5", "soft-bytes" },
		{ "add", SA "limit time-soft 4294967296", "4294967295" },
		{ "add", SA "limit hard-time 1k", "must be a number" },
		{ "add", SA "esn maybe", "on or off" },
		{ "set", SA "tfc 700", "outbound" },
		{ "set", "dev v dir out spi 256 peer 1 tfc 65536", "0 to 65535" },
		{ "set", "dev v dir out spi 256 peer 1 dummy 1001", "0 to 1000" },
		{ "set", SA, "something to change" },
		{ "set", SA "seq 5", "does not take \"seq\"" },
		{ "add", SA "algo aes-gcm-256 key " KEY36 " seq 5", "outbound" },
		{ "add", SA "algo aes-gcm-256 key " KEY36 " cpu 0", "outbound" },
		{ "del", "dev vpn0 spi 256", "needs \"dir\"" },
		{ "del", SA "esn on", "does not take \"esn\"" },
		{ "flush", "", "needs \"dev\"" },
		{ "flush", "dev vpn0 spi 256", "does not take \"spi\"" },
		{ "show", "key " KEY36, "does not take \"key\"" },
		{ "add", SA "alog aes-gcm-256", "did you mean \"algo\"" },
	};
	struct sa_args s;
	struct line l;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct args *a = line(&l, rows[i].text);

		if (!sa_args_parse(a, rows[i].verb, &s))
			fail_msg("accepted sa %s %s", rows[i].verb, rows[i].text);
		contains(a->err, rows[i].says);
		/* what was parsed before the mistake is wiped */
		assert_int_equal(s.sa.key_len, 0);
		assert_null(s.sa.ts_local);
	}
}

/* A mistyped key must not be repeated in the error. */
static void key_not_echoed(void **state)
{
	struct sa_args s;
	struct args *a;
	struct line l;

	(void)state;
	a = line(&l, SA "algo aes-gcm-256 key 5ec2e75ec2e7");
	assert_int_not_equal(sa_args_parse(a, "add", &s), 0);
	assert_null(strstr(a->err, "5ec2e7"));
	a = line(&l, SA "algo aes-gcm-256 key 0x5ec2e75ec2e7z");
	assert_int_not_equal(sa_args_parse(a, "add", &s), 0);
	assert_null(strstr(a->err, "5ec2e7"));
}

static void key_file(void **state)
{
	char path[] = "/tmp/esptun-key-XXXXXX", text[256];
	int fd = mkstemp(path);
	struct sa_args s;
	struct args *a;
	struct line l;

	(void)state;
	assert_true(fd >= 0);
	dprintf(fd, "  " KEY36 "\n");
	snprintf(text, sizeof(text), SA "algo aes-gcm-256 key file %s esn off", path);
	assert_int_equal(sa_args_parse(line(&l, text), "add", &s), 0);
	assert_int_equal(s.sa.key_len, 36);
	assert_int_equal(s.sa.key[1], 1);
	esptun_sa_clear(&s.sa);

	/* others may read it: never */
	assert_int_equal(fchmod(fd, 0640), 0);
	a = line(&l, text);
	assert_int_not_equal(sa_args_parse(a, "add", &s), 0);
	contains(a->err, "can be read by others (mode 0640): run chmod 600 /tmp/esptun-key-");
	assert_int_equal(fchmod(fd, 0600), 0);

	dprintf(fd, "and more\n");
	a = line(&l, text);
	assert_int_not_equal(sa_args_parse(a, "add", &s), 0);
	contains(a->err, "does not hold a key");
	close(fd);
	unlink(path);
}

/* The shell's <(...) is a pipe of this process, whatever its mode. */
static void key_pipe(void **state)
{
	int fds[2];
	char text[256];
	struct sa_args s;
	struct line l;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	dprintf(fds[1], KEY36 "\n");
	close(fds[1]);
	snprintf(text, sizeof(text), SA "algo aes-gcm-256 key file /proc/self/fd/%d", fds[0]);
	assert_int_equal(sa_args_parse(line(&l, text), "add", &s), 0);
	esptun_sa_clear(&s.sa);
	close(fds[0]);
}

static void keys(void **state)
{
	char longest[2 * ARGS_KEY_MAX + 8];
	uint8_t key[ARGS_KEY_MAX];
	size_t len;

	(void)state;
	assert_int_equal(key_parse("0x00ff", key, &len), 0);
	assert_int_equal(len, 2);
	assert_int_equal(key[1], 0xff);
	assert_int_equal(key_parse("\tAbCd\n", key, &len), 0);
	assert_int_equal(key[0], 0xab);
	assert_int_not_equal(key_parse("", key, &len), 0);
	assert_int_not_equal(key_parse("0x", key, &len), 0);
	assert_int_not_equal(key_parse("0x0", key, &len), 0);
	assert_int_not_equal(key_parse("00 11", key, &len), 0);
	memset(longest, 'a', sizeof(longest));
	longest[2 * ARGS_KEY_MAX] = '\0';
	assert_int_equal(key_parse(longest, key, &len), 0);
	assert_int_equal(len, ARGS_KEY_MAX);
	memcpy(longest + 2 * ARGS_KEY_MAX, "aa", 3);
	assert_int_not_equal(key_parse(longest, key, &len), 0);
	assert_int_equal(key[0], 0);
}

static void exit_codes(void **state)
{
	static const struct {
		const char *words[5];
		int code;
	} rows[] = {
		{ { "esptun", "help" }, 0 },
		{ { "esptun", "-V" }, 0 },
		{ { "esptun", "--Version" }, 0 },
		{ { "esptun", "--version" }, 0 },
		{ { "esptun", "-help" }, 0 },
		{ { "esptun", "peer", "help" }, 0 },
		{ { "esptun", "sa", "help" }, 0 },
		{ { "esptun", "mon", "help" }, 0 },
		{ { "esptun", "-j", "stats", "help" }, 0 },
		{ { "esptun", "keygen" }, 0 },
		{ { "esptun", "keygen", "sa", "aes-gcm-128" }, 0 },
		{ { "esptun", "keygen", "sa", "rot13" }, EXIT_USAGE },
		{ { "esptun", "keygen", "help" }, 0 },
		{ { "esptun", "keygen", "psk" }, 0 },
		/* words too many are not ignored */
		{ { "esptun", "keygen", "psk", "x" }, EXIT_USAGE },
		{ { "esptun", "keygen", "sa", "aes-gcm-128", "x" }, EXIT_USAGE },
		{ { "esptun", "help", "peer", "x" }, EXIT_USAGE },
		{ { "esptun", "status", "hq", "x" }, EXIT_USAGE },
		{ { "esptun", "up", "hq", "x" }, EXIT_USAGE },
		{ { "esptun", "reload", "x" }, EXIT_USAGE },
		{ { "esptun", "stats", "x" }, EXIT_USAGE },
		{ { "esptun", "peer", "show", "x" }, EXIT_USAGE },
		{ { "esptun", "sa", "show", "x" }, EXIT_USAGE },
		{ { "esptun", "up", "/tmp/hq.conf" }, EXIT_USAGE },
		{ { "esptun", "-c=sometimes", "help" }, EXIT_USAGE },
		{ { "esptun", "-color", "-br", "-o", "help" }, 0 },
		{ { "esptun" }, EXIT_USAGE },
		{ { "esptun", "-bogus" }, EXIT_USAGE },
		{ { "esptun", "-n" }, EXIT_USAGE },
		{ { "esptun", "-show" }, EXIT_USAGE },
		{ { "esptun", "bogus" }, EXIT_USAGE },
		{ { "esptun", "peer", "bogus" }, EXIT_USAGE },
		{ { "esptun", "sa", "add" }, EXIT_USAGE },
		{ { "esptun", "up" }, EXIT_USAGE },
		{ { "esptun", "-c", "/nonexistent/control", "status" }, EXIT_USAGE },
		{ { "esptun", "-control", "/nonexistent", "status" }, EXIT_KERNEL },
		{ { "esptun", "-n", "no-such-netns-here", "peer" }, EXIT_KERNEL },
	};
	char words[5][64], *argv[6];
	size_t i;
	int argc;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		memset(argv, 0, sizeof(argv));
		for (argc = 0; argc < 5 && rows[i].words[argc]; argc++) {
			snprintf(words[argc], sizeof(words[argc]), "%s", rows[i].words[argc]);
			argv[argc] = words[argc];
		}
		if (cli_main(argc, argv) != rows[i].code)
			fail_msg("row %zu: esptun %s", i, argc > 1 ? argv[1] : "");
	}
}

/* What show prints of an SA is what add takes, and never the key by itself. */
static void sa_json(void **state)
{
	struct sa_args s;
	struct line l;
	char *text;
	json_t *o;

	(void)state;
	assert_int_equal(sa_args_parse(line(&l, SA "algo chacha20-poly1305 key " KEY36
						   " local-ts 10.1.0.0/16"),
				       "add", &s),
			 0);
	s.sa.has |= ESPTUN_SA_HAS_KEY;
	o = json_sa(&s.sa);
	assert_string_equal(json_string_value(json_object_get(o, "spi")), "0xc0000001");
	assert_string_equal(json_string_value(json_object_get(o, "dir")), "in");
	assert_string_equal(json_string_value(json_object_get(o, "algo")), "chacha20-poly1305");
	assert_string_equal(json_string_value(json_object_get(o, "key")), KEY36);
	assert_int_equal(json_array_size(json_object_get(o, "local_ts")), 1);
	json_decref(o);
	/* as the kernel answers without show-keys */
	s.sa.has &= ~ESPTUN_SA_HAS_KEY;
	o = json_sa(&s.sa);
	text = json_dumps(o, 0);
	assert_null(json_object_get(o, "key"));
	assert_string_equal(json_string_value(json_object_get(o, "algo")), "chacha20-poly1305");
	assert_null(strstr(text, "0x0001"));
	free(text);
	json_decref(o);
	esptun_sa_clear(&s.sa);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(peer_full),	     cmocka_unit_test(peer_header),
		cmocka_unit_test(peer_with_ip6),     cmocka_unit_test(peer_abbreviated),
		cmocka_unit_test(peer_refused),	     cmocka_unit_test(sa_full),
		cmocka_unit_test(sa_two_algorithms), cmocka_unit_test(sa_alias_and_any),
		cmocka_unit_test(sa_keys_of_stdin),  cmocka_unit_test(sa_refused),
		cmocka_unit_test(key_not_echoed),    cmocka_unit_test(key_file),
		cmocka_unit_test(key_pipe),	     cmocka_unit_test(keys),
		cmocka_unit_test(exit_codes),	     cmocka_unit_test(sa_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
