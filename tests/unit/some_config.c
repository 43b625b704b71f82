// SPDX-License-Identifier: GPL-2.0-or-later
/* See some_config.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "cert_maker.h"
#include "some_config.h"

char said[8192];

static void on_report(void *ctx, bool error, unsigned int line, const char *text)
{
	size_t len = strlen(said);

	(void)ctx;
	snprintf(said + len, sizeof(said) - len, "%u: %s%s\n", line,
		 error ? "" : "warning: ", text);
}

const struct config_report report = { .fn = on_report };

int parse(const char *text, struct config *c)
{
	said[0] = 0;
	return config_parse("hq", text, strlen(text), c, &report);
}

void refused(const char *text, const char *expected)
{
	struct config c, zero = { 0 };

	assert_int_equal(parse(text, &c), -1);
	if (!strstr(said, expected))
		fail_msg("said \"%s\", not \"%s\"", said, expected);
	assert_null(strstr(said, "5dtRc2sPqYb8")); /* no part of a secret */
	assert_memory_equal(&c, &zero, sizeof(c));
}

void accepted(const char *text, struct config *c)
{
	if (parse(text, c))
		fail_msg("refused: %s", said);
}

char dir[32];

void make_dir(void)
{
	snprintf(dir, sizeof(dir), "/tmp/test_config.XXXXXX");
	assert_non_null(mkdtemp(dir));
}

void write_file(const char *name, mode_t mode, const char *text, char *path, size_t size)
{
	FILE *f;

	snprintf(path, size, "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, mode), 0);
}

int load(const char *path, struct config *c)
{
	said[0] = 0;
	return config_load(path, c, &report);
}

void write_certs(const char *name, const struct made *const *certs, char *path, size_t size)
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

void write_key(const char *name, const struct made *of, char *path, size_t size)
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

struct made leaf_now(const char *subject, const struct made *issuer, const char *san)
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
