// SPDX-License-Identifier: GPL-2.0-or-later
/* EAPMethods = tls in a configuration: what it needs at either end, and what is said about wrong ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "ike/app/config/config.h"
#include "ike/eap/eap.h"

enum { TLS = 1 << EAP_TLS, MSCHAPV2 = 1 << EAP_MSCHAPV2 };

#define OWN "[Tunnel]\nKey = /k\nCert = /c\nLocalID = hub.example\n"
#define HUB OWN "[Peer]\nClients = 9\nRemoteAuth = eap\nEAPMethods = tls\n"
#define USER \
	"[Tunnel]\nKey = /k\nCert = /c\nEAP = alice@example.org\n[Peer]\nEndpoint = 192.0.2.1\n"

static char said[4096];

static void on_report(void *ctx, bool error, unsigned int line, const char *text)
{
	size_t len = strlen(said);

	(void)ctx;
	snprintf(said + len, sizeof(said) - len, "%u: %s%s\n", line,
		 error ? "" : "warning: ", text);
}

static int parse(const char *text, struct config *c)
{
	static const struct config_report report = { .fn = on_report };

	said[0] = 0;
	return config_parse("hub", text, strlen(text), c, &report);
}

static void accepted(const char *text, struct config *c)
{
	if (parse(text, c))
		fail_msg("refused: %s", said);
	assert_string_equal(said, "");
}

static void refused(const char *text, const char *expected)
{
	struct config c;

	assert_int_equal(parse(text, &c), -1);
	if (!strstr(said, expected))
		fail_msg("said \"%s\", not \"%s\"", said, expected);
}

static void a_server_has_no_passwords(void **state)
{
	struct config c;

	(void)state;
	accepted(HUB "CA = /ca\nRemoteID = *@example.org\n", &c);
	assert_int_equal(c.remote_auth.method, IKE_METHOD_EAP);
	assert_int_equal(c.local_auth.method, IKE_METHOD_SIGNATURE);
	assert_int_equal(c.eap_methods, TLS);
	config_clear(&c);
	accepted(
		OWN
		"[Peer]\nClients = 9\nUsers = /u\nEAPMethods = mschapv2, tls\nCA = /ca\nRemoteID = any\n",
		&c);
	assert_int_equal(c.eap_methods, TLS | MSCHAPV2);
	config_clear(&c);
}

static void a_user_has_no_password(void **state)
{
	struct config c;

	(void)state;
	accepted(USER "EAPMethods = tls\nCA = /ca\nRemoteID = vpn.example\n", &c);
	assert_int_equal(c.local_auth.method, IKE_METHOD_EAP);
	assert_int_equal(c.remote_auth.method, IKE_METHOD_SIGNATURE);
	assert_null(c.password);
	config_clear(&c);
}

static void what_is_missing_is_named(void **state)
{
	(void)state;
	refused(HUB "RemoteID = any\n",
		"EAPMethods: tls shows a certificate of each end: expected CA in [Peer], too");
	refused("[Tunnel]\nKey = /k\n[Peer]\nClients = 9\nRemoteAuth = eap\nEAPMethods = tls\nCA = /ca\nRemoteID = any\n",
		"6: EAPMethods: tls shows a certificate of each end: expected Cert and Key in [Tunnel], too");
	refused(OWN "[Peer]\nRemoteAuth = eap\nEAPMethods = tls\nCA = /ca\nRemoteID = any\n",
		"6: RemoteAuth: users are clients: expected Clients of 2 or more in [Peer], too");
	refused(HUB "CA = /ca\n",
		"CA: each of its certificates could be the peer's: expected RemoteID");
	refused(HUB "CA = /ca\nRemoteID = any\nUsers = /u\n",
		"Users is for passwords, and no method of EAPMethods asks for one: expected none; RemoteID says whose certificates are let in");
	refused(USER "EAPMethods = tls\nCA = /ca\nRemoteID = any\n",
		"RemoteID: whoever has a certificate of CA could");
	refused("[Tunnel]\nKey = /k\nCert = /c\nLocalAuth = eap\n[Peer]\nEndpoint = 192.0.2.1\nEAPMethods = tls\nCA = /ca\nRemoteID = vpn.example\n",
		"LocalAuth = eap needs EAP in [Tunnel], our user's name\n");
	refused("[Tunnel]\nKey = /k\nCert = /c\nEAP = alice\nPassword = x\n[Peer]\nEndpoint = 192.0.2.1\nEAPMethods = tls\nCA = /ca\nRemoteID = vpn.example\n",
		"Password is for passwords, and no method of EAPMethods asks for one: expected none");
	refused(USER "EAPMethods = tls, mschapv2\nCA = /ca\nRemoteID = vpn.example\n",
		"and Password, which goes with it");
}

static void the_server_may_be_another(void **state)
{
	struct ike_creds creds;
	struct ike_iov item;
	struct config c;

	(void)state;
	accepted(
		USER
		"EAPMethods = tls\nCA = /ca\nRemoteID = vpn.example\nEAPServerID = radius.example\n",
		&c);
	creds = (struct ike_creds){ c.creds, c.n_creds };
	assert_true(ike_cred_find(&creds, IKE_CRED_EAP_SERVER, &item));
	assert_int_equal(item.len, 15);
	assert_memory_equal(item.base, "\x02radius.example", 15);
	config_clear(&c);
	refused(USER
		"EAPMethods = tls\nCA = /ca\nRemoteID = vpn.example\nEAPServerID = *.example\n",
		"EAPServerID = *.example: expected one identity");
	refused(HUB "CA = /ca\nRemoteID = any\nEAPServerID = radius.example\n",
		"EAPServerID is who a server of EAP-TLS is, for its users: expected EAP in [Tunnel]");
	refused("[Peer]\nPSK = 5dtRc2sPqYb8Wm1xVn7uKz4L\nEAPServerID = radius.example\n",
		"EAPServerID is for EAP: expected EAP in [Tunnel], too");
}

static void a_certificate_may_be_required(void **state)
{
	struct config c;

	(void)state;
	accepted(HUB "CA = /ca\nRemoteID = any\nRequire = cert\n", &c);
	config_clear(&c);
	refused(OWN
		"[Peer]\nClients = 9\nUsers = /u\nEAPMethods = mschapv2, tls\nCA = /ca\nRemoteID = any\nRequire = cert\n",
		"the peer may do without a certificate");
}

/* A server may prove who it is by EAP alone; each end says for itself that it takes that. */
static void a_server_may_do_without_a_proof_in_ike(void **state)
{
	char text[64];
	struct config c;

	(void)state;
	accepted(OWN
		 "LocalAuth = eap-only\n[Peer]\nClients = 9\nRemoteAuth = eap\nEAPMethods = tls\n"
		 "CA = /ca\nRemoteID = any\n",
		 &c);
	assert_int_equal(c.local_auth.method, IKE_METHOD_SIGNATURE);
	assert_true(c.local_auth.eap_only);
	assert_string_equal(ike_auth_print(text, sizeof(text), &c.local_auth), "eap-only");
	config_clear(&c);
	accepted(USER "EAPMethods = tls\nCA = /ca\nRemoteID = vpn.example\nRemoteAuth = eap-only\n",
		 &c);
	assert_true(c.remote_auth.eap_only);
	config_clear(&c);
	accepted(OWN "LocalAuth = eap-only\n[Peer]\nClients = 9\nRemoteAuth = eap\nUsers = /u\n"
		     "EAPMethods = tls, mschapv2\nCA = /ca\nRemoteID = any\n",
		 &c);
	config_clear(&c);
}

static void eap_alone_has_to_prove_the_server(void **state)
{
	(void)state;
	refused("[Tunnel]\nKey = /k\nCert = /c\nLocalAuth = eap-only\n[Peer]\nClients = 9\n"
		"RemoteAuth = eap\nUsers = /u\n",
		"4: LocalAuth = eap-only: by none of the methods here does a server prove who it is");
	refused("[Tunnel]\nEAP = alice\nPassword = x\n[Peer]\nEndpoint = 192.0.2.1\nCA = /ca\n"
		"RemoteID = vpn.example\nRemoteAuth = eap-only\n",
		"8: RemoteAuth = eap-only: by none of the methods here does a server prove who it is");
	refused("[Tunnel]\nKey = /k\nCert = /c\nLocalAuth = eap-only\n[Peer]\nClients = 9\n"
		"RemoteAuth = eap\n[Radius]\nServer = 192.0.2.1\nSecret = 5dtRc2sPqYb8Wm1xVn7uKz4L\n",
		"4: LocalAuth = eap-only: by none of the methods");
	refused(OWN "LocalAuth = eap-only\n[Peer]\nCA = /ca\nRemoteID = any\n",
		"5: LocalAuth = eap-only is how a server proves who it is to users: expected RemoteAuth = eap in [Peer]");
	refused(OWN
		"[Peer]\nEndpoint = 192.0.2.1\nCA = /ca\nRemoteID = any\nRemoteAuth = eap-only\n",
		"9: RemoteAuth = eap-only is how a server proves who it is to users: expected LocalAuth = eap in [Tunnel]");
	refused(USER
		"EAPMethods = tls\nCA = /ca\nRemoteID = vpn.example\nRemoteAuth = eap-only\nEAPServerID = radius.example\n",
		"EAPServerID: with RemoteAuth = eap-only nothing but EAP says who the peer is");
	/* What is missing is said of the word that is written there, and of the end that it is missing at. */
	refused("[Tunnel]\nLocalAuth = eap-only\n[Peer]\nCA = /ca\nRemoteID = any\n",
		"2: LocalAuth = eap-only needs Key in [Tunnel], our private key");
	refused(USER "RemoteID = vpn.example\nRemoteAuth = eap-only\nEAPMethods = tls\n",
		"9: EAPMethods: tls shows a certificate of each end: expected CA in [Peer], too");
	refused(OWN
		"LocalAuth = eap-only\n[Peer]\nClients = 9\nRemoteAuth = eap\nEAPMethods = tls\n"
		"CA = /ca\nRemoteID = any\nEAPServerID = radius.example\n",
		"EAPServerID is who a server of EAP-TLS is, for its users");
	assert_null(strstr(said, "RemoteAuth = eap-only"));
	refused(OWN "LocalAuth = eap-only, eap\n[Peer]\nCA = /ca\nRemoteID = any\n",
		"LocalAuth = eap-only, eap: expected psk, pubkey, eap or eap-only");
}

/* By any of the methods a user is let in, so that only passwords' lines are asked for where nothing else is. */
static void lines_are_for_passwords(void **state)
{
	(void)state;
	assert_true(eap_all_need(MSCHAPV2, EAP_NEEDS_PASSWORD));
	assert_true(eap_all_need(MSCHAPV2 | 1 << EAP_MD5, EAP_NEEDS_PASSWORD));
	assert_false(eap_all_need(MSCHAPV2 | TLS, EAP_NEEDS_PASSWORD));
	assert_false(eap_all_need(0, EAP_NEEDS_PASSWORD));
	assert_false(eap_all_need(TLS, EAP_NEEDS_PASSWORD));
	assert_false(eap_all_need(1 << EAP_RADIUS, EAP_NEEDS_PASSWORD));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_server_has_no_passwords),
		cmocka_unit_test(a_user_has_no_password),
		cmocka_unit_test(what_is_missing_is_named),
		cmocka_unit_test(the_server_may_be_another),
		cmocka_unit_test(a_certificate_may_be_required),
		cmocka_unit_test(a_server_may_do_without_a_proof_in_ike),
		cmocka_unit_test(eap_alone_has_to_prove_the_server),
		cmocka_unit_test(lines_are_for_passwords),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
