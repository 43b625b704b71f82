// SPDX-License-Identifier: GPL-2.0-or-later
/* --check: what configurations do to each other, and what the service cannot have. */
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

#include "ike/app/config/check.h"
#include "ike/proto/names.h"

static char said[4096];

static void on_fault(void *ctx, const char *path, bool error, const char *text)
{
	size_t len = strlen(said);

	(void)ctx;
	snprintf(said + len, sizeof(said) - len, "%s: %s%s\n", path,
		 error ? "" : "warning: ", text);
}

static void on_line(void *ctx, bool error, unsigned int line, const char *text)
{
	(void)ctx;
	(void)line;
	if (error)
		fail_msg("%s", text);
}

#define KEY_A "PSK = 5dtRc2sPqYb8Wm1xVn7uKz4L\n"
#define KEY_B "PSK = 6euSd3tQrZc9Xn2yWo8vLa5M\n"

/* What is said of a.conf and b.conf on a machine with 192.0.2.1. */
static const char *judge(const char *a, const char *b)
{
	struct config_report lines = { .fn = on_line };
	struct check_report report = { .fn = on_fault };
	struct check_file files[2] = { { .path = "a.conf" }, { .path = "b.conf" } };
	struct ike_addr own;

	assert_int_equal(ike_addr_from_text("192.0.2.1", &own), 0);
	assert_int_equal(config_parse("a", a, strlen(a), &files[0].conf, &lines), 0);
	assert_int_equal(config_parse("b", b, strlen(b), &files[1].conf, &lines), 0);
	said[0] = '\0';
	check_together(files, 2, &own, 1, &report);
	config_clear(&files[0].conf);
	config_clear(&files[1].conf);
	return said;
}

static void pairs(void **state)
{
	static const struct {
		const char *a, *b, *said;
	} rows[] = {
		/* two sites as they should be */
		{ "[Tunnel]\nAddress = 169.254.1.1/30\n[Peer]\nRemoteID = a.example\nRoutes = 10.1.0.0/16\n" KEY_A,
		  "[Tunnel]\nAddress = 169.254.2.1/30\n[Peer]\nRemoteID = b.example\nRoutes = 10.2.0.0/16\n" KEY_A,
		  "" },
		/* routes */
		{ "[Peer]\nRoutes = 10.1.0.0/16 fd00::/8\n" KEY_A,
		  "[Peer]\nRoutes = 10.2.0.0/16 10.1.0.0/16\n" KEY_B,
		  "b.conf: Routes: 10.1.0.0/16 is also in a.conf; set Metric or Table in one of them\n" },
		{ "[Peer]\nRoutes = 10.1.0.0/16\n" KEY_A, "[Peer]\nRoutes = 10.1.0.0/24\n" KEY_B,
		  "" },
		{ "[Peer]\nRoutes = 10.1.0.0/16\n" KEY_A,
		  "[Tunnel]\nMetric = 5\n[Peer]\nRoutes = 10.1.0.0/16\n" KEY_B, "" },
		{ "[Tunnel]\nTable = 7\n[Peer]\nRoutes = 10.1.0.0/16\n" KEY_A,
		  "[Peer]\nRoutes = 10.1.0.0/16\n" KEY_B, "" },
		/* addresses */
		{ "[Tunnel]\nAddress = 10.9.0.1/24\n[Peer]\n" KEY_A,
		  "[Tunnel]\nAddress = 10.9.0.1/24\n[Peer]\n" KEY_B,
		  "b.conf: warning: Address: 10.9.0.1/24 is also in a.conf\n" },
		{ "[Tunnel]\nAddress = 10.9.0.1/24\n[Peer]\n" KEY_A,
		  "[Tunnel]\nAddress = 10.9.0.2/30\n[Peer]\n" KEY_B,
		  "b.conf: warning: Address: 10.9.0.2/30 is in a network of a.conf\n" },
		{ "[Tunnel]\nAddress = fd00::1/64\n[Peer]\n" KEY_A,
		  "[Tunnel]\nAddress = fd00:0:0:1::1/64\n[Peer]\n" KEY_B, "" },
		/* one socket has one mark */
		{ "[Tunnel]\nFwMark = 1\n[Peer]\n" KEY_A, "[Peer]\n" KEY_B,
		  "b.conf: FwMark: a.conf has another one on the same port; set Port in one of them\n" },
		{ "[Tunnel]\nFwMark = 1\nPort = 4501\n[Peer]\n" KEY_A, "[Peer]\n" KEY_B, "" },
		/* peers */
		{ "[Peer]\nRemoteID = x.example\n" KEY_A, "[Peer]\nRemoteID = X.example\n" KEY_B,
		  "b.conf: warning: RemoteID: the peer X.example is also that of a.conf; only one can be up\n" },
		{ "[Peer]\n" KEY_A, "[Peer]\n" KEY_A,
		  "b.conf: warning: PSK: a.conf has the same key, and nothing else tells the peers apart: give each a RemoteID\n" },
		{ "[Peer]\n" KEY_A, "[Peer]\nRemoteID = x.example\n" KEY_A,
		  "b.conf: warning: PSK: a.conf has the same key, and nothing else tells the peers apart: give each a RemoteID\n" },
		{ "[Peer]\n" KEY_A, "[Peer]\n" KEY_B, "" },
		{ "[Tunnel]\nLocalID = a\n[Peer]\n" KEY_A, "[Tunnel]\nLocalID = b\n[Peer]\n" KEY_A,
		  "" },
		{ "[Peer]\nEndpoint = a.example\n" KEY_A, "[Peer]\nEndpoint = b.example\n" KEY_A,
		  "" },
		{ "[Peer]\nEndpoint = a.example\n" KEY_A, "[Peer]\nEndpoint = A.example\n" KEY_A,
		  "b.conf: warning: PSK: a.conf has the same key, and nothing else tells the peers apart: give each a RemoteID\n" },
		/* this machine */
		{ "[Peer]\nEndpoint = 192.0.2.1\n" KEY_A, "[Peer]\n" KEY_B,
		  "a.conf: Endpoint: 192.0.2.1 is an address of this machine\n" },
		{ "[Tunnel]\nLocal = 192.0.2.1\n[Peer]\n" KEY_A,
		  "[Tunnel]\nLocal = 192.0.2.9\n[Peer]\n" KEY_B,
		  "b.conf: warning: Local: 192.0.2.9 is no address of this machine now\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (strcmp(judge(rows[i].a, rows[i].b), rows[i].said))
			fail_msg("row %zu: \"%s\", not \"%s\"", i, said, rows[i].said);
	}
}

/* The unit still has the settings that --check warns of. */
static void hidden_files(void **state)
{
	static const struct {
		const char *path, *setting;
	} rows[] = {
		{ "/root/hq.psk", "ProtectHome=yes" },
		{ "/home/me/hq.psk", "ProtectHome=yes" },
		{ "/run/user/0/psk", "ProtectHome=yes" },
		{ "/tmp/psk", "PrivateTmp=yes" },
		{ "/var/tmp/psk", "PrivateTmp=yes" },
		{ "/etc/esptun/hq.psk", NULL },
		{ "/rootless/psk", NULL },
	};
	FILE *f = fopen("userspace/dist/esptund.service", "r");
	char unit[8192];
	size_t n;

	(void)state;
	assert_non_null(f);
	n = fread(unit, 1, sizeof(unit) - 1, f);
	unit[n] = '\0';
	fclose(f);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *setting = secret_hidden(rows[i].path);

		assert_int_equal(!setting, !rows[i].setting);
		if (!setting)
			continue;
		assert_string_equal(setting, rows[i].setting);
		assert_non_null(strstr(unit, setting));
	}
}

static char dir[] = "/tmp/test_check.XXXXXX";

static void put_file(const char *name, const char *text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, 0600), 0);
}

/* What --check prints of the folder, the folder's name left out. */
static const char *check_dir(int want)
{
	static char text[4096], line[1024];
	char path[64], *paths[] = { dir };
	int old;
	FILE *f;

	snprintf(path, sizeof(path), "%s/out", dir);
	fflush(stdout);
	old = dup(STDOUT_FILENO);
	assert_non_null(freopen(path, "w", stdout));
	assert_int_equal(check_configs(paths, 1), want);
	fflush(stdout);
	dup2(old, STDOUT_FILENO);
	close(old);
	text[0] = '\0';
	f = fopen(path, "r");
	while (fgets(line, sizeof(line), f)) {
		const char *s = line;

		for (const char *at; (at = strstr(s, dir)); s = at + strlen(dir) + 1)
			strncat(text, s, (size_t)(at - s));
		strcat(text, s);
	}
	fclose(f);
	unlink(path);
	return text;
}

static void folders(void **state)
{
	char path[64], text[256];

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_non_null(strstr(check_dir(1), "no NAME.conf there"));
	put_file("a.conf", "[Peer]\nRoutes = 10.1.0.0/16\n" KEY_A);
	put_file("note.txt", "none of it");
	assert_string_equal(check_dir(0), "a.conf: ok\n");
	put_file("b.conf", "[Peer]\nRoutes = 10.1.0.0/16\n" KEY_B);
	assert_string_equal(check_dir(1), "a.conf: ok\nb.conf: ok\n"
					  "b.conf: Routes: 10.1.0.0/16 is also in a.conf; "
					  "set Metric or Table in one of them\n");
	/* a file that is wrong by itself does not hide what is wrong with the others */
	put_file("b.conf", "[Peer]\nRoute = x\n");
	assert_string_equal(check_dir(1),
			    "a.conf: ok\n"
			    "b.conf:2: [Peer] has no key Route; did you mean Routes?\n");
	put_file("hq.psk", "5dtRc2sPqYb8Wm1xVn7uKz4L\n");
	snprintf(text, sizeof(text), "[Peer]\nPSK = file:%s/hq.psk\n", dir);
	put_file("b.conf", text);
	assert_string_equal(
		check_dir(0),
		"a.conf: ok\nb.conf: ok\n"
		"b.conf: warning: PSK: the service cannot read hq.psk, because its unit has "
		"PrivateTmp=yes; move it to /etc/esptun\n"
		"b.conf: warning: PSK: a.conf has the same key, and nothing else tells the "
		"peers apart: give each a RemoteID\n");
	snprintf(path, sizeof(path), "rm -r %s", dir);
	assert_int_equal(system(path), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pairs),
		cmocka_unit_test(hidden_files),
		cmocka_unit_test(folders),
	};

	return cmocka_run_group_tests_name("check", tests, NULL, NULL);
}
