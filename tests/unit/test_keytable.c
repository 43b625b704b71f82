// SPDX-License-Identifier: GPL-2.0-or-later
/* Tables of keys are not written to a file that others may see into. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ike/keys/keytable.h"

static char dir[] = "/tmp/test_keytable.XXXXXX";
static char ike[64], esp[64], other[64];

static int set_up(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	snprintf(ike, sizeof(ike), "%s/ikev2_decryption_table", dir);
	snprintf(esp, sizeof(esp), "%s/esp_sa", dir);
	snprintf(other, sizeof(other), "%s/other", dir);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	unlink(ike);
	unlink(esp);
	unlink(other);
	return rmdir(dir);
}

static int opened(void)
{
	struct keytable *t;

	errno = 0;
	t = keytable_open(dir);
	if (!t)
		return errno;
	keytable_close(t);
	return 0;
}

static void makes_and_takes_its_own(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(opened(), 0);
	assert_int_equal(stat(ike, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(stat(esp, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(opened(), 0);
}

static void refuses_what_others_may_read(void **state)
{
	(void)state;
	assert_int_equal(chmod(esp, 0640), 0);
	assert_int_equal(opened(), EPERM);
	assert_int_equal(chmod(esp, 0600), 0);
	assert_int_equal(link(esp, other), 0);
	assert_int_equal(opened(), EPERM);
	assert_int_equal(unlink(other), 0);
	assert_int_equal(opened(), 0);
	if (geteuid())
		return;
	assert_int_equal(chown(esp, 65534, 65534), 0);
	assert_int_equal(opened(), EPERM);
	assert_int_equal(chown(esp, 0, 0), 0);
}

static void refuses_what_is_no_file(void **state)
{
	(void)state;
	assert_int_equal(rename(esp, other), 0);
	assert_int_equal(symlink(other, esp), 0);
	assert_int_equal(opened(), ELOOP);
	unlink(esp);
	assert_int_equal(mkfifo(esp, 0600), 0);
	alarm(10); /* it must not wait for a reader */
	assert_int_equal(opened(), ENXIO);
	alarm(0);
}

/* The lines that an IKE SA, or a child SA, with @cipher adds to the empty table at @path. */
static const char *line_of(const char *path, struct ike_cipher cipher, bool child)
{
	static const uint8_t spi[IKE_SPI_LEN] = { 0xa1 }, key[2] = { 1, 2 }, integ[2] = { 3, 4 };
	const struct ike_child part = {
		.spi_in = 1,
		.spi_out = 2,
		.cipher = cipher,
		.key_in = key,
		.key_out = key,
		.key_len = cipher.encr == IKE_ENCR_NULL ? 0 : 2,
		.integ_in = integ,
		.integ_out = integ,
		.integ_len = cipher.integ ? 2 : 0,
	};
	const struct ike_keylog log = {
		.spi_i = spi,
		.spi_r = spi,
		.sk_ei = key,
		.sk_er = key,
		.sk_e_len = 2,
		.cipher = &cipher,
		.child = child ? &part : NULL,
	};
	struct keytable *t = keytable_open(dir);
	static char text[1024];
	FILE *f;

	assert_non_null(t);
	assert_int_equal(truncate(path, 0), 0);
	keytable_add(t, &log);
	keytable_close(t);
	f = fopen(path, "r");
	assert_non_null(f);
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	fclose(f);
	return text;
}

/* Wireshark reads a line only if it knows the algorithms by these very names. */
static void algorithms_have_wiresharks_names(void **state)
{
	const struct ike_cipher gcm = { IKE_ENCR_AES_GCM_16, 192, IKE_INTEG_NONE };
	const struct ike_cipher cbc = { IKE_ENCR_AES_CBC, 256, IKE_INTEG_HMAC_SHA2_384_192 };
	const struct ike_cipher chacha = { IKE_ENCR_CHACHA20_POLY1305, 0, IKE_INTEG_NONE };
	static const struct {
		struct ike_cipher cipher;
		const char *line;
	} rows[] = {
		{ { IKE_ENCR_AES_CBC, 128, IKE_INTEG_HMAC_SHA1_96 },
		  "\"AES-CBC [RFC3602]\",\"0x0102\",\"HMAC-SHA-1-96 [RFC2404]\",\"0x0304\"" },
		{ { IKE_ENCR_AES_CTR, 256, IKE_INTEG_HMAC_SHA2_512_256 },
		  "\"AES-CTR [RFC3686]\",\"0x0102\",\"HMAC-SHA-512-256 [RFC4868]\",\"0x0304\"" },
		{ { IKE_ENCR_3DES, 0, IKE_INTEG_HMAC_MD5_96 },
		  "\"TripleDES-CBC [RFC2451]\",\"0x0102\",\"HMAC-MD5-96 [RFC2403]\",\"0x0304\"" },
		{ { IKE_ENCR_NULL, 0, IKE_INTEG_AES_CMAC_96 },
		  "\"NULL\",\"\",\"ANY 96 bit authentication [no checking]\",\"0x0304\"" },
		{ { IKE_ENCR_AES_GCM_8, 128, IKE_INTEG_NONE },
		  "\"AES-GCM with 8 octet ICV [RFC4106]\",\"0x0102\",\"NULL\",\"\"" },
	};
	char want[512];

	(void)state;
	assert_string_equal(line_of(ike, gcm, false),
			    "a100000000000000,a100000000000000,0102,0102,"
			    "\"AES-GCM-192 with 16 octet ICV [RFC5282]\",,,\"NONE [RFC4306]\"\n");
	assert_string_equal(line_of(ike, cbc, false),
			    "a100000000000000,a100000000000000,0102,0102,"
			    "\"AES-CBC-256 [RFC3602]\",,,\"HMAC_SHA2_384_192 [RFC4868]\"\n");
	assert_string_equal(line_of(ike, chacha, false), "");
	assert_string_equal(
		line_of(esp, gcm, true),
		"\"IPv4\",\"*\",\"*\",\"0x00000001\",\"AES-GCM with 16 octet ICV [RFC4106]\","
		"\"0x0102\",\"NULL\",\"\"\n"
		"\"IPv4\",\"*\",\"*\",\"0x00000002\",\"AES-GCM with 16 octet ICV [RFC4106]\","
		"\"0x0102\",\"NULL\",\"\"\n");
	assert_string_equal(line_of(esp, chacha, true), "");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(
			want, sizeof(want),
			"\"IPv4\",\"*\",\"*\",\"0x00000001\",%s\n\"IPv4\",\"*\",\"*\",\"0x00000002\",%s\n",
			rows[i].line, rows[i].line);
		assert_string_equal(line_of(esp, rows[i].cipher, true), want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(makes_and_takes_its_own),
		cmocka_unit_test(algorithms_have_wiresharks_names),
		cmocka_unit_test(refuses_what_others_may_read),
		cmocka_unit_test(refuses_what_is_no_file),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
