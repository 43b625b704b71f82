// SPDX-License-Identifier: GPL-2.0-or-later
/* Pre-shared keys as people paste them: the key that was meant, or a word about it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "ike/app/secret.h"

#define KEY "Closed-door-47-window-93"
#define LONG "4YkG1xXn-qP8tZ0vB-3sLw7RdMcJ9uHfEaTQi5oN2KyVbC6gDjSeWhUrImApOl.zXF!"

struct row {
	const char *text;
	const char *key; /* NULL: refused */
	const char *said; /* a part of it; "": nothing */
};

static void judge(const struct row *r, int err, const uint8_t *key, size_t len, const char *why)
{
	if (err != (r->key ? 0 : -1))
		fail_msg("%s: %d, %s", r->text, err, why);
	if (r->key) {
		assert_int_equal(len, strlen(r->key));
		assert_memory_equal(key, r->key, len);
	}
	if (*r->said ? !strstr(why, r->said) : *why)
		fail_msg("%s: said \"%s\", not \"%s\"", r->text, why, r->said);
	assert_null(strstr(why, "door"));
}

static void texts(void **state)
{
	static const struct row rows[] = {
		{ KEY, KEY, "" },
		{ "\"" KEY "\"", KEY, "" },
		{ "Gr\xc3\xbc\xc3\x9f"
		  "e-aus-47",
		  "Gr\xc3\xbc\xc3\x9f"
		  "e-aus-47",
		  "" },
		/* 64 octets and more (RFC 7296 2.15) */
		{ LONG, LONG, "" },
		{ "%any%d%s$HOME\\47", "%any%d%s$HOME\\47", "" },
		{ "hex:446f6F72", "Door", "" },
		{ "base64:RG9vcg==", "Door", "" },
		/* strongSwan's and libreswan's forms */
		{ "0x446f6f72", "0x446f6f72", "written hex:DIGITS" },
		{ "0x446f6f7", "0x446f6f7", "written hex:DIGITS" },
		{ "\"0x446f6f72\"", "0x446f6f72", "" },
		{ "0xen-and-cow", "0xen-and-cow", "" },
		{ "0sRG9vcg==", "0sRG9vcg==", "written base64:TEXT" },
		{ "\"0sRG9vcg==\"", "0sRG9vcg==", "" },
		{ "0sober-47", "0sober-47", "" },
		{ "/etc/esptun/hq.psk", "/etc/esptun/hq.psk", "written file:/PATH" },
		{ "\"/etc/esptun/hq.psk\"", "/etc/esptun/hq.psk", "" },
		/* what word processors and web pages make of it */
		{ "'" KEY "'", "'" KEY "'", "a quotation mark" },
		{ "\"" KEY, "\"" KEY, "a quotation mark" },
		{ "\xe2\x80\x9c" KEY "\xe2\x80\x9d", "\xe2\x80\x9c" KEY "\xe2\x80\x9d",
		  "a typographic quotation mark" },
		{ KEY "\xc2\xa0", KEY "\xc2\xa0", "a no-break space" },
		{ "\xe2\x80\x8b" KEY, "\xe2\x80\x8b" KEY, "a space of no width" },
		{ "\x01" KEY, "\x01" KEY, "control characters" },
		/* prefixes that go wrong */
		{ "HEX:446f6f72", NULL, "hex: in capitals" },
		{ "Base64:RG9vcg==", NULL, "base64: in capitals" },
		{ "\"HEX:446f\"", "HEX:446f", "" },
		{ "File:/etc/esptun/hq.psk", NULL, "expected file:/PATH" },
		{ "file:hq.psk", NULL, "expected file:/PATH" },
		{ "hex:43:6c", NULL, "hex:DIGITS" },
		{ "hex:43c", NULL, "hex:DIGITS" },
		{ "hex:", NULL, "hex:DIGITS" },
		{ "base64:RG9vcg", NULL, "groups of 4 characters" },
		{ "base64:RG9v_-==", NULL, "base64url" },
		{ "base64:R*9vcg==", NULL, "is not base64" },
		{ "base64:RG=vcg==", NULL, "is not base64" },
		{ "base64:RG9vc===", NULL, "is not base64" },
		{ "base64:", NULL, "is not base64" },
		{ "", NULL, "is empty" },
		{ "\"\"", NULL, "is empty" },
	};
	char why[160], longest[7 + 4 * 90];
	uint8_t key[SECRET_MAX];
	size_t len;
	int err;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		err = secret_from_text(rows[i].text, key, &len, why, sizeof(why));
		judge(&rows[i], err, key, len, why);
	}
	/* 256 bytes and no more, in each form */
	memset(longest, 'k', sizeof(longest));
	longest[SECRET_MAX] = '\0';
	assert_int_equal(secret_from_text(longest, key, &len, why, sizeof(why)), 0);
	assert_int_equal(len, SECRET_MAX);
	longest[SECRET_MAX] = 'k';
	longest[SECRET_MAX + 1] = '\0';
	assert_int_equal(secret_from_text(longest, key, &len, why, sizeof(why)), -1);
	assert_non_null(strstr(why, "longer than 256"));
	memcpy(longest, "base64:", 7);
	memset(longest + 7, 'k', sizeof(longest) - 7);
	strcpy(longest + 7 + 85 * 4, "kk==");
	assert_int_equal(secret_from_text(longest, key, &len, why, sizeof(why)), 0);
	assert_int_equal(len, SECRET_MAX);
	strcpy(longest + 7 + 85 * 4, "kkk=");
	assert_int_equal(secret_from_text(longest, key, &len, why, sizeof(why)), -1);
	assert_non_null(strstr(why, "longer than 256"));
}

static void files(void **state)
{
	static const struct row rows[] = {
		{ KEY "\n", KEY, "" },
		{ KEY "\r\n", KEY, "" },
		{ KEY, KEY, "" },
		{ "base64:RG9vcg==\n\n", "Door", "" },
		{ KEY " \n", KEY, "has blanks around it" },
		{ "\t" KEY "\n", KEY, "has blanks around it" },
		{ "\" " KEY " \"\n", " " KEY " ", "" },
		{ "\xef\xbb\xbf" KEY "\r\n", KEY, "byte order mark" },
		{ "\xef\xbb\xbfhex:446f6f72\n", "Door", "byte order mark" },
		{ "\xff\xfe"
		  "C",
		  NULL, "UTF-16" },
		{ "# key of hq, 2024\n" KEY "\n", NULL, "is a comment" },
		{ "\"# key of hq\"\n", "# key of hq", "" },
		{ "#" KEY "\n", "#" KEY, "" },
		{ "\n" KEY "\n", NULL, "is empty" },
		{ "", NULL, "is empty" },
		{ " \n", NULL, "is empty" },
		{ "PSK = " KEY "\n", NULL, "holds the key alone" },
		{ "psk: " KEY "\n", NULL, "holds the key alone" },
		{ "psk=" KEY "\n", "psk=" KEY, "" },
		{ "@a.example @b.example : PSK \"" KEY "\"\n", NULL, "ipsec.secrets" },
		{ KEY "\nmore\n", KEY, "has more, which are ignored" },
		{ "0x446f6f72\n", "0x446f6f72", "written hex:DIGITS" },
		{ "file:/etc/esptun/hq.psk\n", NULL, "no file: within a file" },
	};
	char why[160], buf[256];
	uint8_t key[SECRET_MAX];
	size_t len;
	int err;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		strcpy(buf, rows[i].text);
		err = secret_from_file(buf, strlen(buf), key, &len, why, sizeof(why));
		judge(&rows[i], err, key, len, why);
	}
	memcpy(buf, "\x81\x9f\0\x13\n", 5);
	assert_int_equal(secret_from_file(buf, 5, key, &len, why, sizeof(why)), -1);
	assert_non_null(strstr(why, "zero byte"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts),
		cmocka_unit_test(files),
	};

	return cmocka_run_group_tests_name("secret", tests, NULL, NULL);
}
