// SPDX-License-Identifier: GPL-2.0-or-later
/* The process that reads files: what it hands out, and what it does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cert_maker.h"
#include "ike/app/reader.h"

#define KEY "5dtRc2sPqYb8Wm1xVn7uKz4L"

static const struct seal seal = { { 1 }, { 2 } };

struct fixture {
	char dir[32], socket[64];
	struct reader_options options;
	struct reader *reader;
	char names[256], reports[4096];
	unsigned int errors, n;
	char last[READER_NAME];
};

static void put_file(const struct fixture *f, const char *name, const char *text)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	chmod(path, 0600);
}

static int begin(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	char err[256];

	strcpy(f->dir, "/tmp/esptun-reader-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->socket, sizeof(f->socket), "%s/control", f->dir);
	f->options =
		(struct reader_options){ .seal = &seal, .config_dir = f->dir, .socket = f->socket };
	f->reader = reader_start(&f->options, err, sizeof(err));
	assert_non_null(f->reader);
	*state = f;
	return 0;
}

static int end(void **state)
{
	struct fixture *f = *state;
	char command[64];

	reader_free(f->reader);
	snprintf(command, sizeof(command), "rm -r %s", f->dir);
	assert_int_equal(system(command), 0);
	free(f);
	return 0;
}

static void on_name(void *ctx, const char *name, const struct timespec *time)
{
	struct fixture *f = ctx;

	assert_true(time->tv_sec > 0);
	snprintf(f->names + strlen(f->names), sizeof(f->names) - strlen(f->names), "%s ", name);
}

/* They come in order. */
static void count_name(void *ctx, const char *name, const struct timespec *time)
{
	struct fixture *f = ctx;

	assert_true(time->tv_sec > 0);
	assert_true(strcmp(f->last, name) < 0);
	snprintf(f->last, sizeof(f->last), "%s", name);
	f->n++;
}

static void on_report(void *ctx, bool error, unsigned int line, const char *text)
{
	struct fixture *f = ctx;
	size_t len = strlen(f->reports);

	f->errors += error;
	snprintf(f->reports + len, sizeof(f->reports) - len, "%u: %s\n", line, text);
}

static int load(struct fixture *f, const char *name, struct config *out)
{
	struct config_report report = { on_report, f };

	return reader_load(f->reader, name, out, &report);
}

static void lists_names(void **state)
{
	struct fixture *f = *state;

	put_file(f, "hq.conf", "");
	put_file(f, "branch.conf", "");
	put_file(f, ".hidden.conf", "");
	put_file(f, "hq.conf~", "");
	put_file(f, ".conf", "");
	assert_int_equal(reader_list(f->reader, on_name, f), 0);
	assert_string_equal(f->names, "branch hq ");
}

/* Some at a time, also if another list begins meanwhile. */
static void lists_many_names(void **state)
{
	enum { MANY = 600 };
	struct fixture *f = *state, other = { .n = 0 };
	char after[READER_NAME] = "", name[32];
	int rc, parts = 0;

	for (unsigned int i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "t%u.conf", i);
		put_file(f, name, "");
	}
	do {
		rc = reader_list_some(f->reader, after, count_name, f);
		if (!parts++)
			assert_int_equal(reader_list(f->reader, count_name, &other), 0);
	} while (rc > 0);
	assert_int_equal(rc, 0);
	assert_true(parts > 1);
	assert_int_equal(f->n, MANY);
	assert_int_equal(other.n, MANY);
	assert_string_equal(f->last, "t99");
}

static void no_folder(void **state)
{
	struct fixture *f = *state, g = { .dir = "/nonexistent" };
	char err[256];

	(void)f;
	g.options = (struct reader_options){ .config_dir = g.dir, .socket = g.socket };
	g.reader = reader_start(&g.options, err, sizeof(err));
	assert_non_null(g.reader);
	assert_int_equal(reader_list(g.reader, on_name, &g), -ENOENT);
	reader_free(g.reader);
}

static bool holds(const struct config *c, const char *key)
{
	return memmem(c, sizeof(*c), key, strlen(key)) ||
	       (c->keys.n && memmem(c->keys.v, c->keys.n * sizeof(*c->keys.v), key, strlen(key)));
}

/* As if it were read here, lists included, and keys, but these are sealed. */
static void loads_a_configuration(void **state)
{
	struct fixture *f = *state;
	struct config_report report = { on_report, f };
	struct config got, wanted;
	char path[128];

	put_file(f, "hq.conf",
		 "[Tunnel]\nAddress = 10.9.0.1/32, fd00:9::1/128\n"
		 "[Peer]\nEndpoint = vpn.example.org\nPSK = " KEY "\n"
		 "Routes = 10.0.0.0/8, 192.168.0.0/16, fd00::/8\n");
	assert_int_equal(load(f, "hq", &got), 0);
	snprintf(path, sizeof(path), "%s/hq.conf", f->dir);
	assert_int_equal(config_load(path, &wanted, &report), 0);
	assert_true(holds(&wanted, KEY));
	assert_false(holds(&got, KEY));
	assert_int_equal(seal_config(&seal, &wanted), 0);
	assert_true(config_equal(&got, &wanted));
	assert_int_equal(got.n_routes, 3);
	assert_int_equal(f->errors, 0);
	config_clear(&got);
	config_clear(&wanted);
}

static void seals_keys_of_clients(void **state)
{
	struct fixture *f = *state;
	char text[256], path[128];
	struct config got;

	snprintf(path, sizeof(path), "%s/secrets", f->dir);
	put_file(f, "secrets", "b.example = 77" KEY "\n");
	snprintf(text, sizeof(text),
		 "[Peer]\nClients = 4\nSecrets = %s\n[Client a.example]\nPSK = 88" KEY "\n", path);
	put_file(f, "hub.conf", text);
	assert_int_equal(load(f, "hub", &got), 0);
	assert_int_equal(got.keys.n, 2);
	assert_int_equal(got.psk_len, 0);
	assert_false(holds(&got, KEY));
	config_clear(&got);
}

/* Of what a tunnel's file names, and without any of its keys. */
static void loads_crls_alone(void **state)
{
	struct fixture *f = *state;
	struct config_report report = { on_report, f };
	struct timespec never = { 0 };
	struct made ca = maker_ca("CN=ca", NULL);
	struct ike_iov crl = maker_crl(&(struct crl_recipe){
		.issuer = &ca, .from = time(NULL) - 9, .until = time(NULL) + MAKER_DAY });
	char text[512], path[128];
	struct config got;
	FILE *file;

	snprintf(path, sizeof(path), "%s/ca.crl", f->dir);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(crl.base, 1, crl.len, file), crl.len);
	fclose(file);
	snprintf(text, sizeof(text),
		 "[Tunnel]\nLocalAuth = psk\n[Peer]\nPSK = " KEY
		 "\nRemoteID = any\nRemoteAuth = pubkey\nCA = /nowhere\nCRL = %s\n",
		 path);
	put_file(f, "hq.conf", text);
	assert_int_equal(reader_load_cert_status(f->reader, "hq", &never, &got, &report), 1);
	assert_false(holds(&got, KEY));
	assert_string_equal(config_paths(&got)->crl, path);
	assert_int_equal(got.n_creds, crl.len + IKE_CRED_HEAD);
	assert_memory_equal(got.creds + IKE_CRED_HEAD, crl.base, crl.len);
	never = got.cert_status_time;
	config_clear(&got);
	assert_int_equal(reader_load_cert_status(f->reader, "hq", &never, &got, &report), 0);
	config_clear(&got);
	assert_int_equal(f->errors, 0);
	unlink(path);
	assert_int_equal(reader_load_cert_status(f->reader, "hq", &never, &got, &report), -1);
	config_clear(&got);
	assert_non_null(strstr(f->reports, "ca.crl: No such file"));
	/* no path, and an end if it is asked for one */
	assert_int_equal(reader_load_cert_status(f->reader, "../hq", &never, &got, &report),
			 -EPIPE);
	maker_free_der(&crl);
	maker_free(&ca);
}

static void reports_errors(void **state)
{
	struct fixture *f = *state;
	struct config conf;

	put_file(f, "hq.conf", "[Peer]\nNonsense = 1\nPSK = " KEY "\n");
	assert_int_equal(load(f, "hq", &conf), -EINVAL);
	assert_int_equal(f->errors, 1);
	assert_non_null(strstr(f->reports, "2: "));
	assert_non_null(strstr(f->reports, "Nonsense"));
	assert_int_equal(load(f, "nosuch", &conf), -EINVAL);
	assert_non_null(strstr(f->reports, "No such file"));
	/* and it goes on */
	put_file(f, "hq.conf", "[Peer]\nPSK = " KEY "\n");
	assert_int_equal(load(f, "hq", &conf), 0);
	config_clear(&conf);
}

/* The agent names tunnels, not paths: a reader that is asked for one takes the agent for an enemy. */
static void takes_no_path(void **state)
{
	static const char *const paths[] = { "../hq", "a/b", ".hidden", "" };
	struct fixture *f = *state;
	char err[256], name[300];
	struct config conf;

	put_file(f, ".hidden.conf", "[Peer]\nPSK = " KEY "\n");
	for (unsigned int i = 0; i < 4; i++) {
		f->reports[0] = 0;
		assert_int_equal(load(f, paths[i], &conf), -EPIPE);
		assert_non_null(strstr(f->reports, "has ended; restart esptund"));
		assert_int_equal(reader_list(f->reader, on_name, f), -EPIPE);
		reader_free(f->reader);
		f->reader = reader_start(&f->options, err, sizeof(err));
	}
	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = 0;
	assert_int_equal(load(f, name, &conf), -EPIPE);
}

static void removes_the_socket(void **state)
{
	struct fixture *f = *state;

	put_file(f, "control", "");
	reader_remove_socket(f->reader);
	assert_int_not_equal(access(f->socket, F_OK), 0);
	reader_remove_socket(f->reader); /* nothing there is fine */
	assert_int_equal(reader_list(f->reader, on_name, f), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(lists_names, begin, end),
		cmocka_unit_test_setup_teardown(lists_many_names, begin, end),
		cmocka_unit_test_setup_teardown(no_folder, begin, end),
		cmocka_unit_test_setup_teardown(loads_a_configuration, begin, end),
		cmocka_unit_test_setup_teardown(seals_keys_of_clients, begin, end),
		cmocka_unit_test_setup_teardown(loads_crls_alone, begin, end),
		cmocka_unit_test_setup_teardown(reports_errors, begin, end),
		cmocka_unit_test_setup_teardown(takes_no_path, begin, end),
		cmocka_unit_test_setup_teardown(removes_the_socket, begin, end),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests_name("reader", tests, NULL, NULL);
}
