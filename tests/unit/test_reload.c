// SPDX-License-Identifier: GPL-2.0-or-later
/* What the agent does with files that changed, beside a core that may not take it (see WRAP_test_reload in the Makefile). */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "cert_maker.h"
#include "ike/app/agent_int.h"
#include "some_config.h"

static int core_says;
static unsigned int told; /* of CRLs, bytes of credentials in the last change that the core took */

int __wrap_core_tunnel_change(struct core *c, const struct ike_tunnel_conf *conf, bool other_key,
			      uint64_t now);
int __wrap_core_tunnel_change(struct core *c, const struct ike_tunnel_conf *conf, bool other_key,
			      uint64_t now)
{
	(void)c;
	(void)other_key;
	(void)now;
	if (!core_says)
		told = (unsigned int)conf->creds.len;
	return core_says;
}

bool __wrap_kernel_has_cipher(struct kernel *k, const struct ike_cipher *cipher);
bool __wrap_kernel_has_cipher(struct kernel *k, const struct ike_cipher *cipher)
{
	(void)k;
	(void)cipher;
	return true;
}

/* ---- CRLs ------------------------------------------------------------------------------ */

static const struct seal seal = { { 1 }, { 2 } };

static void write_crl(const struct made *ca, int days)
{
	struct ike_iov der =
		maker_crl(&(struct crl_recipe){ .issuer = ca,
						.from = time(NULL) - MAKER_DAY,
						.until = time(NULL) + days * MAKER_DAY });
	char path[128];
	FILE *f;

	usleep(20000); /* a file's time is as coarse as the kernel's clock */
	write_file("a.crl", 0644, "", path, sizeof(path));
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(der.base, 1, der.len, f), der.len);
	assert_int_equal(fclose(f), 0);
	maker_free_der(&der);
}

/* Core and agent go by the same CRLs, the former ones if either cannot take the new ones; these are tried again. */
static void crls_that_the_core_does_not_take(void **state)
{
	const struct reader_options options = { .seal = &seal,
						.config_dir = dir,
						.socket = "/nowhere" };
	struct made ca = maker_ca("CN=one", NULL);
	struct agent_helpers helpers = { .reader = NULL };
	struct agent a = { .helpers = &helpers };
	struct tunnel t = { .agent = &a, .ifindex = 1, .cert_status_at = 0 };
	char text[512], path[128], command[64], err[256];
	struct ike_creds former;

	(void)state;
	make_dir();
	write_certs("ca.crt", (const struct made *[]){ &ca, NULL }, path, sizeof(path));
	write_crl(&ca, 5);
	snprintf(text, sizeof(text),
		 "[Tunnel]\nLocalAuth = psk\n[Peer]\nRemoteID = any\n" PSK_LINE
		 "RemoteAuth = pubkey\nCA = %s/ca.crt\nCRL = %s/a.crl\n",
		 dir, dir);
	write_file("hq.conf", 0600, text, path, sizeof(path));
	helpers.reader = reader_start(&options, err, sizeof(err));
	assert_non_null(helpers.reader);
	assert_int_equal(reader_load(helpers.reader, "hq", &t.conf, &report), 0);
	former = (struct ike_creds){ malloc(t.conf.n_creds), t.conf.n_creds };
	memcpy((void *)former.data, t.conf.creds, former.len);

	write_crl(&ca, 7);
	core_says = -ENOMEM;
	tunnel_look_at_cert_status(&a, &t, 0);
	assert_int_equal(t.conf.n_creds, former.len);
	assert_memory_equal(t.conf.creds, former.data, former.len);
	assert_in_range(t.conf.crl_due, time(NULL) + 4 * MAKER_DAY, time(NULL) + 6 * MAKER_DAY);
	core_says = 0;
	tunnel_look_at_cert_status(&a, &t, t.cert_status_at);
	assert_memory_not_equal(t.conf.creds, former.data, former.len);
	assert_in_range(t.conf.crl_due, time(NULL) + 6 * MAKER_DAY, time(NULL) + 8 * MAKER_DAY);
	assert_int_equal(told, t.conf.n_creds);
	told = 0;
	tunnel_look_at_cert_status(&a, &t, t.cert_status_at); /* it is as it was */
	assert_int_equal(told, 0);

	config_clear(&t.conf);
	reader_free(helpers.reader);
	free((void *)former.data);
	maker_free(&ca);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	assert_int_equal(system(command), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(crls_that_the_core_does_not_take),
	};

	return cmocka_run_group_tests_name("reload", tests, NULL, NULL);
}
