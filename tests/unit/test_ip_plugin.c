// SPDX-License-Identifier: GPL-2.0-or-later
/* Options of "ip link add type esptun", with ip's own functions replaced. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include <linux/esptun.h>

#include "iproute2/ip_abi.h"

#include "iproute2/link_esptun.c"

static jmp_buf refused;
static uint32_t value[IFLA_ESPTUN_MAX + 1]; /* as sent */

int addattr_l(struct nlmsghdr *n, int maxlen, int type, const void *payload, int len)
{
	(void)n;
	(void)maxlen;
	memcpy(&value[type], payload, (size_t)len);
	return 0;
}

void incomplete_command(void)
{
	longjmp(refused, 1);
}

void invarg(const char *msg, const char *arg)
{
	(void)msg;
	(void)arg;
	longjmp(refused, 1);
}

void duparg(const char *key, const char *arg)
{
	(void)key;
	(void)arg;
	longjmp(refused, 1);
}

bool matches(const char *arg, const char *pattern)
{
	return strncmp(arg, pattern, strlen(arg));
}

bool is_json_context(void)
{
	return false;
}

json_writer_t *get_json_writer(void)
{
	return NULL;
}

void jsonw_string_field(json_writer_t *self, const char *prop, const char *val)
{
	(void)self;
	(void)prop;
	(void)val;
}

void jsonw_uint_field(json_writer_t *self, const char *prop, unsigned int num)
{
	(void)self;
	(void)prop;
	(void)num;
}

unsigned ll_name_to_index(const char *name)
{
	return strcmp(name, "eth0") ? 0 : 7;
}

const char *ll_index_to_name(unsigned idx)
{
	(void)idx;
	return "eth0";
}

static bool taken(const char *key, const char *text)
{
	char *argv[] = { (char *)key, (char *)text, NULL };
	struct nlmsghdr n = { 0 };

	memset(value, 0, sizeof(value));
	if (setjmp(refused))
		return false;
	return !esptun_link_util.parse_opt(&esptun_link_util, text ? 2 : 1, argv, &n);
}

/* Decimal or 0x, as the esptun command and the configuration have it. */
static void numbers(void **state)
{
	(void)state;
	assert_true(taken("port", "0777"));
	assert_int_equal(value[IFLA_ESPTUN_PORT], htons(777));
	assert_true(taken("ttl", "010"));
	assert_int_equal(value[IFLA_ESPTUN_TTL], 10);
	assert_true(taken("fwmark", "0xFFFFFFFF"));
	assert_int_equal(value[IFLA_ESPTUN_FWMARK], UINT32_MAX);
	assert_true(taken("tos", "0X1c"));
	assert_int_equal(value[IFLA_ESPTUN_TOS], 0x1c);
	assert_false(taken("port", "0"));
	assert_false(taken("port", "65536"));
	assert_false(taken("port", "0x"));
	assert_false(taken("port", "-1"));
	assert_false(taken("port", " 1"));
	assert_false(taken("port", ""));
	assert_false(taken("fwmark", "1f"));
	assert_false(taken("fwmark", "0x100000000"));
	assert_false(taken("tos", "256"));
	assert_false(taken("port", NULL));
}

static void words(void **state)
{
	(void)state;
	assert_true(taken("local", "192.0.2.1"));
	assert_int_equal(value[IFLA_ESPTUN_LOCAL], htonl(0xc0000201));
	assert_true(taken("loc", "any"));
	assert_int_equal(value[IFLA_ESPTUN_LOCAL], 0);
	assert_false(taken("local", "vpn.example.org"));
	assert_true(taken("tos", "inherit"));
	assert_int_equal(value[IFLA_ESPTUN_TOS], 1);
	assert_true(taken("ttl", "auto"));
	assert_int_equal(value[IFLA_ESPTUN_TTL], 0);
	assert_true(taken("ttl", "inherit"));
	assert_int_equal(value[IFLA_ESPTUN_TTL_INHERIT], 1);
	assert_true(taken("dev", "eth0"));
	assert_int_equal(value[IFLA_ESPTUN_DEV], 7);
	assert_true(taken("dev", "any"));
	assert_int_equal(value[IFLA_ESPTUN_DEV], 0);
	assert_false(taken("dev", "eth9"));
	assert_true(taken("df", "unset"));
	assert_int_equal(value[IFLA_ESPTUN_DF], ESPTUN_DF_UNSET);
	assert_false(taken("df", "on"));
	assert_true(taken("flowlabel", "inner"));
	assert_int_equal(value[IFLA_ESPTUN_FLOW_LABEL], ESPTUN_FLOW_LABEL_INNER);
	assert_false(taken("flowlabel", "1"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers),
		cmocka_unit_test(words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
