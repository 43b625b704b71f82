// SPDX-License-Identifier: GPL-2.0-or-later
/* Addresses, traffic selectors, algorithms and counters as text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/esptun.h"

static void addresses(void **state)
{
	static const struct {
		const char *text;
		int family; /* 0: refused */
	} rows[] = {
		{ "192.0.2.1", AF_INET },
		{ "0.0.0.0", AF_INET },
		{ "2001:db8::1", AF_INET6 },
		{ "::ffff:192.0.2.1", AF_INET6 },
		{ "", 0 },
		{ "192.0.2", 0 },
		{ "192.0.2.256", 0 },
		{ "192.0.2.1/24", 0 },
		{ "fe80::1%eth0", 0 },
		{ "localhost", 0 },
		{ " 192.0.2.1", 0 },
		{ "192.0.2.1 ", 0 },
	};
	char buf[ESPTUN_ADDR_STRLEN];
	struct esptun_addr a, b;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int err = esptun_addr_parse(rows[i].text, &a);

		if (!rows[i].family) {
			assert_int_equal(err, -EINVAL);
			continue;
		}
		assert_int_equal(err, 0);
		assert_int_equal(a.family, rows[i].family);
		assert_string_equal(esptun_addr_format(&a, buf), rows[i].text);
	}
	memset(&a, 0, sizeof(a));
	assert_string_equal(esptun_addr_format(&a, buf), "any");
	assert_int_equal(esptun_addr_len(&a), 0);
	assert_int_equal(esptun_addr_parse("10.0.0.1", &a), 0);
	assert_int_equal(esptun_addr_parse("10.0.0.2", &b), 0);
	assert_false(esptun_addr_equal(&a, &b));
	b = a;
	b.bytes[7] = 1; /* beyond IPv4's octets: does not count */
	assert_true(esptun_addr_equal(&a, &b));
	b.family = AF_INET6;
	assert_false(esptun_addr_equal(&a, &b));
}

static void selectors(void **state)
{
	static const struct {
		const char *text;
		const char *printed; /* NULL: same as text */
		uint8_t prefix_len, protocol;
		uint16_t start, end;
	} rows[] = {
		{ "10.1.0.0/16", NULL, 16, 0, 0, 65535 },
		{ "0.0.0.0/0", NULL, 0, 0, 0, 65535 },
		{ "10.1.2.3", "10.1.2.3/32", 32, 0, 0, 65535 },
		{ "10.1.0.0/16:tcp", NULL, 16, 6, 0, 65535 },
		{ "10.1.0.0/16:tcp:443", NULL, 16, 6, 443, 443 },
		{ "10.1.0.5:17:53-54", "10.1.0.5/32:udp:53-54", 32, 17, 53, 54 },
		{ "10.1.0.0/16:99", NULL, 16, 99, 0, 65535 },
		{ "10.1.0.0/16:any", "10.1.0.0/16", 16, 0, 0, 65535 },
		{ "10.1.0.0/16:tcp:any", "10.1.0.0/16:tcp", 16, 6, 0, 65535 },
		{ "10.1.0.0/16:udp:0", NULL, 16, 17, 0, 0 },
		{ "2001:db8::/32", NULL, 32, 0, 0, 65535 },
		{ "::/0", NULL, 0, 0, 0, 65535 },
		{ "[2001:db8::/32]", "2001:db8::/32", 32, 0, 0, 65535 },
		{ "[2001:db8::1]:icmpv6", "[2001:db8::1/128]:icmpv6", 128, 58, 0, 65535 },
		{ "[2001:db8::/32]:udp:53-54", NULL, 32, 17, 53, 54 },
	};
	char buf[ESPTUN_TS_STRLEN];
	struct esptun_ts ts;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(esptun_ts_parse(rows[i].text, &ts), 0);
		assert_int_equal(ts.prefix_len, rows[i].prefix_len);
		assert_int_equal(ts.protocol, rows[i].protocol);
		assert_int_equal(ts.port_start, rows[i].start);
		assert_int_equal(ts.port_end, rows[i].end);
		assert_string_equal(esptun_ts_format(&ts, buf),
				    rows[i].printed ? rows[i].printed : rows[i].text);
	}
}

static void bad_selectors(void **state)
{
	static const char *const bad[] = {
		"",
		"/16",
		"10.1.0.0/33",
		"10.1.0.0/-1",
		"10.1.0.0/",
		"10.1.0.0/16:",
		"10.1.0.0/16:tcp:",
		"10.1.0.0/16:tcp:1-",
		"10.1.0.0/16:tcp:2-1",
		"10.1.0.0/16:tcp:65536",
		"10.1.0.0/16:256",
		"10.1.0.0/16:nonsense",
		"10.1.0.0/16:any:443",
		"10.1.0.0/16:tcp:1-2-3",
		"10.1.0.0/16:tcp:1:2",
		"[2001:db8::/32",
		"[2001:db8::/32]udp",
		"[2001:db8::/32]:",
		"[]",
		"2001:db8::/129",
		"2001:db8::/32:tcp",
		"ff:1",
		"tcp",
		"10.1.0.0/16:tcp:443,10.2.0.0/16:tcp:443,10.3.0.0/16:tcp:443,10.4.0.0/16:tcp:443,x",
	};
	struct esptun_ts ts;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (esptun_ts_parse(bad[i], &ts) != -EINVAL)
			fail_msg("accepted \"%s\"", bad[i]);
	assert_int_equal(esptun_ts_parse("10.1.0.1/16", &ts), -EDOM);
	assert_int_equal(esptun_ts_parse("128.0.0.0/0", &ts), -EDOM);
	assert_int_equal(esptun_ts_parse("2001:db8::1/64", &ts), -EDOM);
}

static void algorithms(void **state)
{
	const struct esptun_alg *a;

	(void)state;
	a = esptun_alg_by_name("aes-gcm-256", 0);
	assert_non_null(a);
	assert_int_equal(a->encr, 20);
	assert_int_equal(a->key_len, 36);
	assert_int_equal(a->salt_len, 4);
	a = esptun_alg_by_name("chacha20-poly1305", 0);
	assert_non_null(a);
	assert_int_equal(a->encr, 28);
	assert_int_equal(a->key_len, 36);

	assert_string_equal(esptun_alg_by_name("rfc4106(gcm(aes))", 20)->name, "aes-gcm-128");
	assert_string_equal(esptun_alg_by_name("rfc4106(gcm(aes))", 28)->name, "aes-gcm-192");
	assert_string_equal(esptun_alg_by_name("rfc4106(gcm(aes))", 36)->name, "aes-gcm-256");
	/* a wrong length still finds a row, for the error text */
	assert_non_null(esptun_alg_by_name("rfc4106(gcm(aes))", 21));
	assert_null(esptun_alg_by_name("aes", 0));
	assert_null(esptun_alg_by_name("", 0));

	assert_string_equal(esptun_alg_by_id(20, 28)->name, "aes-gcm-192");
	assert_string_equal(esptun_alg_by_id(28, 36)->name, "chacha20-poly1305");
	assert_null(esptun_alg_by_id(20, 32));
	assert_null(esptun_alg_by_id(12, 36));
	assert_string_equal(esptun_alg_by_id(11, 0)->name, "null");
	assert_string_equal(esptun_alg_by_name("encr_aes_gcm_8", 28)->name, "aes-gcm8-192");
	assert_string_equal(esptun_alg_by_icv("rfc4106(gcm(aes))", 28, 12)->name, "aes-gcm12-192");
	assert_string_equal(esptun_alg_by_icv("cbc(aes)", 16, 0)->name, "aes-cbc-128");
	assert_null(esptun_alg_by_icv("rfc4106(gcm(aes))", 28, 10));
	assert_null(esptun_alg_by_icv("rfc4106(gcm(aes))", 21, 16));
}

/* Each name finds its row, and no two rows have one name or number. */
static void algorithm_names(void **state)
{
	const struct esptun_integ_alg *i, *j;
	const struct esptun_alg *a, *b;

	(void)state;
	for (a = esptun_algs(); a->name; a++) {
		assert_ptr_equal(esptun_alg_by_name(a->name, 0), a);
		assert_ptr_equal(esptun_alg_by_name(a->iana, a->key_len), a);
		assert_ptr_equal(esptun_alg_by_id(a->encr, a->key_len), a);
		if (a->alias)
			assert_ptr_equal(esptun_alg_by_icv(a->alias, a->key_len, a->icv_len), a);
		assert_true(a->key_len <= ESPTUN_KEY_MAX && a->salt_len <= a->key_len);
		for (b = esptun_algs(); b < a; b++)
			assert_false(a->alias && b->alias && !strcmp(a->alias, b->alias) &&
				     a->icv_len > b->icv_len);
	}
	for (i = esptun_integ_algs(); i->name; i++) {
		assert_ptr_equal(esptun_integ_by_name(i->name), i);
		assert_ptr_equal(esptun_integ_by_name(i->alias), i);
		assert_ptr_equal(esptun_integ_by_name(i->iana), i);
		assert_ptr_equal(esptun_integ_by_id(i->integ), i);
		assert_true(i->key_len <= ESPTUN_KEY_MAX);
		for (j = esptun_integ_algs(); j < i; j++)
			assert_int_not_equal(i->integ, j->integ);
	}
	assert_null(esptun_integ_by_name("hmac"));
	assert_null(esptun_integ_by_id(0));
}

/* Every counter of the ABI has a name and text; every drop says so. */
static void counters(void **state)
{
	unsigned int i, named = 0, drops = 0;
	char key[ESPTUN_STATS_KEYLEN];

	(void)state;
	for (i = 0; i <= ESPTUN_STATS_A_MAX + 1; i++) {
		assert_int_equal(!esptun_stats_name(i), !esptun_stats_key(i, key));
		assert_true(!esptun_stats_name(i) || strlen(esptun_stats_name(i)) < sizeof(key));
		assert_true(!esptun_stats_name(i) || !strchr(key, '-'));
		assert_int_equal(!esptun_stats_name(i), !esptun_stats_text(i));
		named += esptun_stats_name(i) != NULL;
		drops += esptun_stats_is_drop(i);
	}
	assert_int_equal(named, ESPTUN_STATS_A_MAX - ESPTUN_STATS_A_PAD);
	assert_int_equal(drops, named - 6);
	assert_string_equal(esptun_stats_key(ESPTUN_STATS_A_RX_REPLAY, key), "rx_replay");
	assert_false(esptun_stats_is_drop(ESPTUN_STATS_A_RX_KEEPALIVE));
	assert_false(esptun_stats_is_drop(ESPTUN_STATS_A_RX_IKE));
	assert_false(esptun_stats_is_drop(ESPTUN_STATS_A_RX_DUMMY));
	assert_false(esptun_stats_is_drop(ESPTUN_STATS_A_ROAM_REFUSED));
	assert_false(esptun_stats_is_drop(ESPTUN_STATS_A_TX_DUMMY));
	assert_false(esptun_stats_is_drop(ESPTUN_STATS_A_RX_ICMP_REFUSED));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses),	   cmocka_unit_test(selectors),
		cmocka_unit_test(bad_selectors),   cmocka_unit_test(algorithms),
		cmocka_unit_test(algorithm_names), cmocka_unit_test(counters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
