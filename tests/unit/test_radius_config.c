// SPDX-License-Identifier: GPL-2.0-or-later
/* Sections [Radius] of a configuration: what they mean, and what is said about wrong ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "ike/app/config/config.h"
#include "ike/app/seal.h"
#include "ike/eap/eap.h"
#include "ike/proto/addr.h"
#include "some_config.h"

#define ALONE "[Tunnel]\nLocalID = hub.example\nKey = /etc/k.pem\nCert = /etc/c.pem\n[Peer]\n"
#define HUB ALONE "Clients = 9\n"
#define SECRET "Secret = 5dtRc2sPqYb8Wm1xVn7uKz4L\n"
#define SERVER "[Radius]\nServer = 192.0.2.9\n" SECRET

static const char *print(const struct ike_endpoint *e)
{
	static char text[80];

	return ike_endpoint_print(text, sizeof(text), e);
}

static void one_server(void **state)
{
	struct config c;

	(void)state;
	accepted(HUB SERVER, &c);
	assert_string_equal(said, "");
	assert_int_equal(c.n_radius, 1);
	assert_string_equal(print(&c.radius[0].server.access), "192.0.2.9:1812");
	assert_string_equal(print(&c.radius[0].server.accounting), "192.0.2.9:1813");
	assert_int_equal(c.radius[0].server.timeout, 1000);
	assert_int_equal(c.radius[0].server.retries, 1);
	assert_int_equal(c.radius[0].server.dead_time, 60000);
	assert_int_equal(c.radius[0].secret_len, 24);
	/* Peers are users of it. */
	assert_int_equal(c.remote_auth.method, IKE_METHOD_EAP);
	assert_int_equal(c.eap_methods, 1 << EAP_RADIUS);
	config_clear(&c);
}

static void several_servers(void **state)
{
	struct config c;

	(void)state;
	accepted(
		HUB SERVER
		"[radius]\nserver = [2001:db8::9]:1645\nSecret = \"a secret in words # and signs\"\n"
		"Accounting = 1700\nTimeout = 2\nRetries = 0\nDeadTime = 5\n"
		"[Radius]\nServer = 2001:db8::a\nSecret = file:/etc/esptun/radius.secret\n"
		"Accounting = off\nRetries = 0\n",
		&c);
	assert_int_equal(c.n_radius, 3);
	assert_string_equal(print(&c.radius[1].server.access), "[2001:db8::9]:1645");
	assert_string_equal(print(&c.radius[1].server.accounting), "[2001:db8::9]:1700");
	assert_int_equal(c.radius[1].server.timeout, 2000);
	assert_int_equal(c.radius[1].server.retries, 0);
	assert_int_equal(c.radius[1].server.dead_time, 5000);
	assert_string_equal(print(&c.radius[2].server.access), "[2001:db8::a]:1812");
	assert_int_equal(c.radius[2].server.accounting.port, 0);
	assert_string_equal(c.radius[2].secret_file, "/etc/esptun/radius.secret");
	config_clear(&c);
}

static void wrong_values(void **state)
{
	static const char *const five = HUB SERVER
		"[Radius]\nServer = 192.0.2.1\n" SECRET "[Radius]\nServer = 192.0.2.2\n" SECRET
		"[Radius]\nServer = 192.0.2.3\n" SECRET "[Radius]\nServer = 192.0.2.4\n" SECRET;

	(void)state;
	refused(ALONE SERVER, "6: [Radius] is for clients: expected Clients of 2 or more");
	refused(HUB "[Radius]\n" SECRET, "7: [Radius] lacks Server");
	refused(HUB "[Radius]\nServer = 192.0.2.9\n", "7: [Radius] lacks Secret");
	refused(HUB "[Radius]\nServer = radius.example\n" SECRET,
		"8: Server = radius.example: expected the address of a RADIUS server");
	refused(HUB "[Radius]\nServer = 192.0.2.9:65535\n" SECRET, "expected the address");
	refused(HUB "[Radius]\nServer = 192.0.2.9:0\n" SECRET, "expected the address");
	refused(HUB SERVER "Accounting = no\n", "10: Accounting = no: expected a UDP port, or off");
	refused(HUB SERVER "Timeout = 6\n", "expected seconds from 1 to 5");
	refused(HUB SERVER "Retries = 4\n", "expected a number from 0 to 3");
	refused(HUB SERVER "DeadTime = 0\n", "expected seconds from 1 to 3600");
	refused(HUB SERVER "Server = 192.0.2.8\n", "Server is given again");
	refused(HUB SERVER SERVER, "10: [Radius] has the same Server as the one in line 7");
	refused(five, "expected at most 4 sections [Radius]");
	refused(HUB SERVER "Timeout = 5\n",
		"if no server answers, that takes 15 s to see, and clients wait for 9 s");
	refused("[Tunnel]\nSecret = abc\n", "Secret belongs into section [Radius], not [Tunnel]");
}

/* A secret that can be guessed by anybody who sees a request. */
static void a_weak_secret(void **state)
{
	struct config c;

	(void)state;
	accepted(HUB "[Radius]\nServer = 192.0.2.9\nSecret = testing123\n", &c);
	assert_non_null(strstr(said, "9: warning: the secret of a RADIUS server can be guessed"));
	config_clear(&c);
}

static void with_other_methods(void **state)
{
	(void)state;
	refused(HUB "Users = /etc/users\n" SERVER, "Users, and [Radius] in line 8: expected one");
	refused(HUB "EAPMethods = mschapv2\n" SERVER,
		"EAPMethods, and [Radius] in line 8: expected one");
	refused(HUB "RemoteID = *.example\nRemoteAuth = pubkey\nCA = /etc/ca.pem\n" SERVER,
		"[Radius] is for EAP: expected RemoteAuth = eap");
	refused(HUB "RemoteAuth = eap\nUsers = /etc/users\nEAPMethods = radius\n",
		"EAPMethods = radius: expected a section [Radius] instead");
	refused("[Peer]\nPSK = 5dtRc2sPqYb8Wm1xVn7uKz4L\n" SERVER, "prove who we are");
}

/* A reload sees another secret, and only that. */
/* Who a user is matters then, and FreeRADIUS believes what it says of itself unless told otherwise. */
static void static_addresses(void **state)
{
	struct config c;

	(void)state;
	accepted(HUB "[Pool]\nRange = 10.9.0.2-10.9.0.9\nStatic = alice = 10.9.0.7\n" SERVER, &c);
	assert_non_null(strstr(said, "9: warning: Static and [Radius] in line 10"));
	assert_non_null(strstr(said, "check_cert_cn"));
	config_clear(&c);
	accepted(HUB "[Pool]\nRange = 10.9.0.2-10.9.0.9\n" SERVER, &c);
	assert_null(strstr(said, "check_cert_cn"));
	config_clear(&c);
}

static void compared(void **state)
{
	struct config a, b;

	(void)state;
	accepted(HUB SERVER, &a);
	accepted("# moved\n\n" HUB SERVER, &b);
	assert_true(config_equal(&a, &b));
	assert_true(config_equal_radius(&a, &b));
	b.radius[0].secret[0] ^= 1;
	assert_false(config_equal(&a, &b));
	assert_false(config_equal_radius(&a, &b));
	config_clear(&a);
	config_clear(&b);
}

/* Outside of the reader there is no secret but wrapped. */
static void sealed(void **state)
{
	const struct seal seal = { .wrapping = { 1 }, .secret = { 2 } };
	uint8_t key[SECRET_ROOM];
	struct config c;
	size_t len;

	(void)state;
	accepted(HUB SERVER, &c);
	assert_int_equal(seal_config(&seal, &c), 0);
	assert_null(memmem(c.radius, sizeof(*c.radius), "5dtRc2sPqYb8", 12));
	assert_int_equal(seal_open(seal.wrapping, c.radius[0].secret, c.radius[0].secret_len, key,
				   sizeof(key), &len),
			 0);
	assert_int_equal(len, 24);
	assert_memory_equal(key, "5dtRc2sPqYb8Wm1xVn7uKz4L", 24);
	config_clear(&c);
}

static void a_secret_in_a_file(void **state)
{
	char text[1024], conf[128], file[128];
	struct config c;

	(void)state;
	make_dir();
	write_file("secret", 0640, "5dtRc2sPqYb8Wm1xVn7uKz4L\n", file, sizeof(file));
	snprintf(text, sizeof(text), HUB "[Radius]\nServer = 192.0.2.9\nSecret = file:%s\n", file);
	write_file("hub.conf", 0644, text, conf, sizeof(conf));
	assert_int_equal(load(conf, &c), -1);
	assert_non_null(strstr(said, "secret holds a key and can be read by others"));
	/* In the configuration itself: then that is to be closed to others. */
	write_file("hub.conf", 0644, HUB SERVER, conf, sizeof(conf));
	assert_int_equal(load(conf, &c), -1);
	assert_non_null(strstr(said, "hub.conf holds a key and can be read by others"));
	unlink(conf);
	unlink(file);
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_server),	      cmocka_unit_test(several_servers),
		cmocka_unit_test(wrong_values),	      cmocka_unit_test(a_weak_secret),
		cmocka_unit_test(with_other_methods), cmocka_unit_test(static_addresses),
		cmocka_unit_test(compared),	      cmocka_unit_test(sealed),
		cmocka_unit_test(a_secret_in_a_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
