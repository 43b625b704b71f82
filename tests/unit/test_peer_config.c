// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * esptun peer-config: the far end of a configuration of ours, for each target; that of esptun is read again by the parser
 * and fits ours. The guides of Documentation/clients/ say what it says. The vendors' grammars: tests/sock/t_peer_config.sh.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/far/far.h"
#include "ike/child/proposal.h"
#include "ike/child/ts.h"
#include "ike/proto/names.h"

#define KEY "wZ8mUq3n+Lk5rT1xYb7pQe9sVd4hJc6g"
#define SITE                                 \
	"[Tunnel]\nLocalID = west.example\n" \
	"Local = 192.0.2.10\n"               \
	"[Peer]\nEndpoint = 192.0.2.1\n"     \
	"RemoteID = east.example\n"          \
	"Routes = 10.2.0.0/16\n"             \
	"Selectors = 10.1.0.0/16 = 10.2.0.0/16\n"

static char out[65536], err[1024], said[4096];

static void on_report(void *ctx, bool error, unsigned int line, const char *text)
{
	size_t len = strlen(said);

	(void)ctx;
	if (error)
		snprintf(said + len, sizeof(said) - len, "%u: %s\n", line, text);
}

static void parse(struct config *c, const char *name, const char *text)
{
	const struct config_report report = { on_report, NULL };

	*said = '\0';
	if (config_parse(name, text, strlen(text), c, &report))
		fail_msg("%s\n%s", said, text);
}

/* Notes go to a file instead of standard error. */
static int write_far(const struct config *c, const char *target, const struct far_options *o)
{
	int quiet = open("/dev/null", O_WRONLY), old = dup(STDERR_FILENO), rc;
	FILE *f = fmemopen(out, sizeof(out), "w");

	memset(out, 0, sizeof(out));
	*err = '\0';
	fflush(stderr);
	dup2(quiet, STDERR_FILENO);
	rc = far_write(c, far_target_find(target), o, f, err, sizeof(err));
	fflush(stderr);
	dup2(old, STDERR_FILENO);
	close(old);
	close(quiet);
	fclose(f);
	return rc;
}

static void has(const char *text)
{
	if (!strstr(out, text))
		fail_msg("no \"%s\" in:\n%s", text, out);
}

static void lacks(const char *text)
{
	if (strstr(out, text))
		fail_msg("\"%s\" in:\n%s", text, out);
}

/* ---- secrets --------------------------------------------------------------------------------------- */

static void secrets_only_when_asked_for(void **state)
{
	static const char hex[] = "775a386d5571336e2b4c6b35", base64_text[] = "d1o4bVVxM24rTGs1";
	struct config c;

	(void)state;
	parse(&c, "site",
	      SITE "PSK = " KEY "\nPPK = hex:"
		   "00112233445566778899aabbccddeeff00112233445566778899aabbccddee01\nPPKID = q\n");
	for (const struct far_target *t = far_targets; t->word; t++) {
		if (write_far(&c, t->word, &(struct far_options){ 0 }))
			continue;
		lacks(KEY);
		lacks(hex);
		lacks(base64_text);
		lacks("00112233445566778899");
		has("THE-PSK-OF-site");
		assert_int_equal(write_far(&c, t->word, &(struct far_options){ .secrets = true }),
				 0);
		has(KEY);
		lacks("THE-PSK-OF-site");
	}
	config_clear(&c);
}

/* A client has the PPK that its section says, and no other. */
static void the_ppk_of_a_client(void **state)
{
	static const struct far_options with = { .secrets = true };
	struct far_options a = with;
	struct config c;
	char why[256];

	(void)state;
	parse(&c, "hub",
	      "[Tunnel]\nLocalID = hub.example\nAddress = 10.9.0.1/24\n[Peer]\nClients = 5\nPSK = " KEY
	      "\n[Client a.example]\nPPKID = ppk-of-a\nPPK = hex:"
	      "00112233445566778899aabbccddeeff00112233445566778899aabbccddee01\n[Pool]\nRange = 10.9.0.10-10.9.0.99\n");
	assert_int_equal(ike_id_from_text("a.example", &a.id, why, sizeof(why)), 0);
	assert_int_equal(write_far(&c, "swanctl", &a), 0);
	has("ppk_id = \"ppk-of-a\"");
	has("secret = 0x00112233445566778899aabb");
	assert_int_equal(write_far(&c, "esptun", &a), 0);
	has("PPKID = ppk-of-a");
	has("PPK = hex:00112233445566778899aabb");
	assert_int_equal(write_far(&c, "esptun", &with), 0);
	has("no section [Client ID] says which PPK this peer has");
	lacks("00112233445566778899");
	config_clear(&c);
}

/* What a far end reads is our key, whatever characters it has. */
static void odd_keys(void **state)
{
	static const struct {
		const char *line, *swanctl; /* in our file; in strongSwan's */
	} rows[] = {
		{ "PSK = " KEY, "secret = \"" KEY "\"" },
		{ "PSK = \"two words; # and more of them 0815\"", "secret = 0x74776f20776f726473" },
		{ "PSK = \"0x00112233445566778899aabbccddeeff\"", "secret = 0x3078303031313232" },
		{ "PSK = \"0sAAECAwQFBgcICQoLDA0ODw==\"", "secret = 0x307341414543" },
		{ "PSK = \"hex:00112233445566778899aabbccddeeff\"",
		  "secret = \"hex:00112233445566778899aabbccddeeff\"" },
		{ "PSK = hex:00ff22000a0d22", "secret = 0x00ff22000a0d22" },
		{ "PSK = \"it's a $(reboot) `key` \\\\ of 42 {signs}\"", "secret = 0x6974277320" },
	};
	struct config ours, theirs;
	char text[1024];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(text, sizeof(text), SITE "%s\n", rows[i].line);
		parse(&ours, "site", text);
		assert_int_equal(
			write_far(&ours, "swanctl", &(struct far_options){ .secrets = true }), 0);
		has(rows[i].swanctl);
		assert_int_equal(
			write_far(&ours, "esptun", &(struct far_options){ .secrets = true }), 0);
		parse(&theirs, "site", out);
		if (ours.psk_len != theirs.psk_len ||
		    memcmp(ours.psk, theirs.psk, ours.psk_len) != 0)
			fail_msg("%s comes back as another key:\n%s", rows[i].line, out);
		config_clear(&theirs);
		/* What stands between quotes of another language has none of its characters. */
		if (strchr(rows[i].line, '$')) {
			assert_int_equal(write_far(&ours, "aws",
						   &(struct far_options){ .secrets = true }),
					 -1);
			assert_non_null(strstr(err, "without blanks and quotation marks"));
		}
		config_clear(&ours);
	}
}

/* ---- both ends with esptun ----------------------------------------------------------------------- */

static void same_list(const struct ike_ts_list *a, const struct ike_ts_list *b)
{
	char x[1024], y[1024];

	assert_string_equal(ike_ts_list_print(x, sizeof(x), IKE_TS_OFFER(a)),
			    ike_ts_list_print(y, sizeof(y), IKE_TS_OFFER(b)));
}

static void fits(const struct config *ours, const struct config *theirs)
{
	struct ike_proposals here = *ours->esp, there = *theirs->esp;
	struct ike_proposal chosen;

	assert_true(ike_id_eq(&ours->local_id, &theirs->remote_id));
	assert_true(!ours->remote_id.type || ike_id_is_wildcard(&ours->remote_id) ||
		    ike_id_eq(&ours->remote_id, &theirs->local_id));
	assert_int_equal(ours->local_auth.method, theirs->remote_auth.method);
	assert_int_equal(ours->remote_auth.method, theirs->local_auth.method);
	assert_int_equal(ours->encap, theirs->encap);
	assert_int_equal(ours->n_child, theirs->n_child);
	for (unsigned int i = 0; i < ours->n_child; i++) {
		assert_int_equal(ours->child[i].mode, theirs->child[i].mode);
		same_list(&ours->child[i].local_ts, &theirs->child[i].remote_ts);
		same_list(&ours->child[i].remote_ts, &theirs->child[i].local_ts);
	}
	assert_int_equal(ours->ike->n, theirs->ike->n);
	assert_int_equal(ours->esp->n, theirs->esp->n);
	assert_true(ike_proposal_choose(ours->ike, IKE_OFFER(theirs->ike), IKE_DH_NONE, &chosen));
	ike_proposals_drop_dh(&here); /* in IKE_AUTH */
	ike_proposals_drop_dh(&there);
	for (unsigned int i = 0; i < there.n; i++)
		there.p[i].spi_len = 4;
	if (!ike_proposal_choose(&here, IKE_OFFER(&there), IKE_DH_NONE, &chosen))
		fail_msg("nothing in common for ESP:\n%s", out);
	assert_int_equal(ours->rekey_ike, theirs->rekey_ike);
	assert_int_equal(ours->rekey_child, theirs->rekey_child);
}

static void esptun_fits_esptun(void **state)
{
	static const char *const texts[] = {
		SITE "PSK = " KEY "\n",
		SITE "PSK = " KEY "\nCrypto = aes128-sha256-ecp256\n",
		SITE "PSK = " KEY
		     "\nCrypto = aes128-sha256-ecp256-pfs-noesn, esp:aes256gcm16-nopfs-esn\n",
		SITE "PSK = " KEY "\nCrypto = windows, legacy\nRekey = 90s, 7d\n",
		SITE "PSK = " KEY "\nRekey = off, off\nEncap = auto\nStart = listen\n",
		SITE "PSK = " KEY
		     "\nCrypto = aes256gcm16-x25519-ke1_ecp384, aes256-sha384-ecp384\n",
		"[Tunnel]\nLocalID = w@example\n[Peer]\nEndpoint = hq.example\nRemoteID = keyid:0x7f\nPSK = " KEY
		"\nRoutes = fd00::/8\n",
		"[Tunnel]\nLocalID = w.example\n[Peer]\nEndpoint = hq.example\nRemoteID = C=CH, O=E, CN=x\nPSK = " KEY
		"\nSelectors = 10.1.0.0/16:tcp:80 = 10.2.0.0/16, 10.1.0.5-10.1.0.9 = fd00::/8\n",
		"[Tunnel]\nLocalID = w.example\n[Peer]\nEndpoint = hq.example\nRemoteID = e.example\nPSK = " KEY
		"\nMode = transport\nSelectors = any:gre = any:gre\n",
		"[Tunnel]\nLocalID = w.example\n[Peer]\nEndpoint = hq.example\nRemoteID = e.example\nPSK = " KEY
		"\n[Child a]\nSelectors = 10.1.0.0/16 = 10.2.0.0/16\n[Child b]\nSelectors = 10.3.0.0/16 = 10.4.0.0/16\n",
		"[Tunnel]\nLocalID = w.example\n[Peer]\nEndpoint = hq.example\nRemoteID = e.example\nPSK = " KEY
		"\nSelectors = 10.1.0.0/16 = 10.2.0.0/16, 10.3.0.0/16 = 10.2.0.0/16\n",
	};
	struct config ours, theirs, back;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		parse(&ours, "site", texts[i]);
		if (write_far(&ours, "esptun", &(struct far_options){ .secrets = true }))
			fail_msg("%s\n%s", err, texts[i]);
		parse(&theirs, "site", out);
		fits(&ours, &theirs);
		/* The far end of the far end is this end. */
		assert_int_equal(
			write_far(&theirs, "esptun", &(struct far_options){ .secrets = true }), 0);
		parse(&back, "site", out);
		fits(&theirs, &back);
		config_clear(&ours);
		config_clear(&theirs);
		config_clear(&back);
	}
}

/* We are a user; what the far end has to know of it is our name and password. */
static void our_password(void **state)
{
	static const char text[] =
		"[Tunnel]\nEAP = carol\nPassword = \"correct horse; # battery\"\n"
		"[Peer]\nEndpoint = hq.example\nRemoteID = hq.example\nCA = /ca.crt\n";
	struct config c;

	(void)state;
	parse(&c, "vpn", text);
	assert_int_equal(write_far(&c, "swanctl", &(struct far_options){ 0 }), 0);
	lacks("correct");
	has("id = \"carol\"\n    secret = \"OUR-PASSWORD\""); /* with it: t_peer_config.sh */
	has("auth = eap-mschapv2");
	assert_int_equal(write_far(&c, "windows", &(struct far_options){ 0 }), -1);
	assert_non_null(strstr(err, "does not ask us for a user's name and password"));
	config_clear(&c);
}

static const char hub[] = "[Tunnel]\nLocalID = hub.example\nAddress = 10.9.0.1/24\n"
			  "[Peer]\nRemoteID = *.example\nClients = 9\nPSK = " KEY "\n"
			  "[Client own.example]\nPSK = 3Jx9vWb5mQ2tZr8yLp4sKd7fHg6nCc1e\n"
			  "[Pool]\nRange = 10.9.0.0/24\n";

/* Each client has its own key, if there is one. */
static void clients(void **state)
{
	struct far_options o = { .secrets = true };
	struct config c, theirs;

	(void)state;
	parse(&c, "hub", hub);
	assert_int_equal(write_far(&c, "esptun", &o), 0);
	has("LocalID = ITS-IDENTITY");
	has("Note: our RemoteID names no single peer");
	assert_int_equal(ike_id_from_text("some.example", &o.id, err, sizeof(err)), 0);
	assert_int_equal(write_far(&c, "esptun", &o), 0);
	has("PSK = " KEY);
	parse(&theirs, "hub", out);
	assert_true(theirs.asks_address && theirs.asks_routes);
	config_clear(&theirs);
	assert_int_equal(ike_id_from_text("own.example", &o.id, err, sizeof(err)), 0);
	assert_int_equal(write_far(&c, "swanctl", &o), 0);
	has("secret = \"3Jx9vWb5mQ2tZr8yLp4sKd7fHg6nCc1e\"");
	has("vips = 0.0.0.0, ::");
	lacks(KEY);
	config_clear(&c);
}

/* OpenIKED finds a raw public key in the file that is named for the identity, in the folder of its type. */
static void raw_keys_of_openiked(void **state)
{
	static const struct {
		const char *id, *file; /* ours; NULL: there is no such folder */
	} rows[] = {
		{ "west.example", "pubkeys/fqdn/west.example" },
		{ "west@example.org", "pubkeys/ufqdn/west@example.org" },
		{ "192.0.2.10", "pubkeys/ipv4/192.0.2.10" },
		{ "2001:db8::10", "pubkeys/ipv6/2001:db8::10" },
		{ "CN=west", NULL },
	};
	struct config c;
	char text[512];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		snprintf(text, sizeof(text),
			 "[Tunnel]\nLocalID = %s\nKey = /x.key\n[Peer]\nEndpoint = 192.0.2.1\n"
			 "RemoteID = east.example\nPublicKey = /x.pub\nRoutes = 10.2.0.0/16\n"
			 "Selectors = 10.1.0.0/16 = 10.2.0.0/16\n",
			 rows[i].id);
		parse(&c, "raw", text);
		assert_int_equal(write_far(&c, "iked", &(struct far_options){ 0 }),
				 rows[i].file ? 0 : -1);
		if (rows[i].file) {
			has("\trfc7427");
			has(rows[i].file);
		} else if (!strstr(err, "names raw public keys")) {
			fail_msg("%s", err);
		}
		config_clear(&c);
	}
}

/* Some of OpenIKED's ciphers are for IKE alone, others for ESP alone. */
static void ciphers_of_openiked(void **state)
{
	static const char gcm12[] = "enc aes-256-gcm-12", chacha[] = "enc chacha20-poly1305",
			  on_linux[] = "have esp:aes256-sha512 in our Crypto";
	struct config c;

	(void)state;
	parse(&c, "gcm",
	      SITE "PSK = " KEY "\nCrypto = ike:aes256gcm12-sha256-x25519, "
		   "ike:chacha20poly1305-sha256-x25519, ike:aes256-sha256-x25519, "
		   "esp:aes256gcm12, esp:chacha20poly1305, esp:aes192gcm16\n");
	assert_int_equal(write_far(&c, "iked", &(struct far_options){ 0 }), 0);
	has("ikesa enc aes-256-gcm-12 prf");
	has("childsa enc chacha20-poly1305 ");
	has("childsa enc aes-192-gcm ");
	assert_null(strstr(strstr(out, gcm12) + 1, gcm12));
	assert_null(strstr(strstr(out, chacha) + 1, chacha));
	has(on_linux);
	config_clear(&c);
	parse(&c, "sha256",
	      SITE "PSK = " KEY "\nCrypto = ike:aes256-sha256-x25519, esp:aes256-sha256\n");
	assert_int_equal(write_far(&c, "iked", &(struct far_options){ 0 }), 0);
	has(on_linux);
	config_clear(&c);
	/* It may choose the former, which it does not install. */
	parse(&c, "both",
	      SITE "PSK = " KEY "\nCrypto = ike:aes256-sha256-x25519, esp:aes256-sha256, "
		   "esp:aes256-sha512\n");
	assert_int_equal(write_far(&c, "iked", &(struct far_options){ 0 }), 0);
	has(on_linux);
	config_clear(&c);
	parse(&c, "sha512",
	      SITE "PSK = " KEY "\nCrypto = ike:aes256-sha256-x25519, esp:aes256gcm16, "
		   "esp:aes256-sha512\n");
	assert_int_equal(write_far(&c, "iked", &(struct far_options){ 0 }), 0);
	lacks(on_linux);
	config_clear(&c);
}

/* ---- what cannot be had ---------------------------------------------------------------------------- */

#define TWO_ROUNDS                                                          \
	"[Tunnel]\nLocalAuth = pubkey, eap\nLocalID = x.example\nEAP = u\n" \
	"Password = correct-horse\nKey = /x.key\nCert = /x.crt\n[Peer]\n"   \
	"Endpoint = e.example\nRemoteAuth = pubkey\nCA = /x.ca\nRemoteID = e.example\n"

static void one_sentence(void **state)
{
	static const struct {
		const char *text, *target, *sentence;
	} rows[] = {
		{ SITE "PSK = " KEY "\n", "apple",
		  "Apple's VPN client connects a single device, not networks" },
		{ hub, "cisco", "Cisco IOS XE connects networks, and asks for no address" },
		{ hub, "windows", "Windows has no PSK for clients with IKEv2" },
		{ SITE "PSK = " KEY "\nCrypto = chacha20poly1305-x25519\n", "mikrotik",
		  "RouterOS has no algorithms in common with our Crypto for IKE: chacha20poly1305-" },
		{ SITE "PSK = " KEY "\nCrypto = aes256gcm16-x25519\n", "azure",
		  "Azure VPN Gateway has no algorithms in common with our Crypto for IKE" },
		{ SITE "PSK = " KEY "\nCrypto = aes256gcm16-ecp384-ke1_ecp256\n", "cisco",
		  "has no algorithms in common" },
		{ "[Tunnel]\nLocalID = keyid:x\n[Peer]\nEndpoint = e.example\nPSK = " KEY "\n",
		  "iked", "OpenIKED has no identities of type keyid:" },
		{ "[Tunnel]\nLocalID = keyid:0x7f01\n[Peer]\nEndpoint = e.example\nPSK = " KEY "\n",
		  "cisco", "Cisco IOS XE has key IDs of printable text alone" },
		{ "[Tunnel]\nLocalID = CN=x\n[Peer]\nEndpoint = e.example\nPSK = " KEY "\n",
		  "juniper", "Junos OS has no distinguished names as identities" },
		{ "[Tunnel]\nLocalID = x.example\nKey = /x.key\n[Peer]\nEndpoint = e.example\nPublicKey = /x.pub\n",
		  "cisco", "Cisco IOS XE has no raw public keys" },
		{ "[Tunnel]\nLocalID = x.example\n[Peer]\nEndpoint = e.example\nMode = transport\nSelectors = any:gre = any:gre\nPSK = " KEY
		  "\n",
		  "aws", "has no transport mode" },
		{ "[Tunnel]\nLocalID = keyid:$[:put(1)]\n[Peer]\nEndpoint = e.example\nPSK = " KEY
		  "\n",
		  "mikrotik", "RouterOS has no identities with characters like" },
		{ "[Tunnel]\nLocalID = keyid:x]}\n[Peer]\nEndpoint = e.example\nPSK = " KEY "\n",
		  "ipsec.conf", "libreswan has no identities with characters like" },
		{ "[Tunnel]\nLocalID = x.example\n[Peer]\nEndpoint = e.example\nRemoteID = CN=a\\, b\nPSK = " KEY
		  "\n",
		  "swanctl", "strongSwan has no identities with characters like" },
		{ TWO_ROUNDS, "esptun",
		  "esptun is configured here with one round of authentication" },
		{ TWO_ROUNDS, "swanctl", "strongSwan is configured here with one round" },
		{ "[Tunnel]\nLocalID = x.example\nLocalAuth = pubkey\nAddress = 10.9.0.1/24\nKey = /x.key\nCert = /x.crt\n"
		  "[Peer]\nRemoteAuth = psk, eap\nPSK = " KEY "\nUsers = /x.users\nClients = 9\n"
		  "[Pool]\nRange = 10.9.0.0/24\n",
		  "android", "Android is configured here with one round" },
		{ "[Tunnel]\nLocalID = x.example\nAddress = 10.9.0.1/24\nKey = /x.key\nCert = /x.crt\n"
		  "[Peer]\nRemoteAuth = eap\nEAPMethods = tls\nCA = /x.ca\nRemoteID = any\nClients = 9\n"
		  "[Pool]\nRange = 10.9.0.0/24\n",
		  "windows", "Windows is not configured here with EAP-TLS" },
	};
	struct config c;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		parse(&c, "site", rows[i].text);
		assert_int_equal(write_far(&c, rows[i].target,
					   &(struct far_options){ .secrets = true }),
				 -1);
		if (!strstr(err, rows[i].sentence))
			fail_msg("%s: %s", rows[i].target, err);
		assert_string_equal(out, "");
		config_clear(&c);
	}
}

/* RouterOS runs what stands in brackets behind a dollar sign of a string. */
static void dollars(void **state)
{
	struct config c;

	(void)state;
	parse(&c, "site",
	      SITE "PSK = \"pass$[:put(1)]word-of-some-length\"\n"
		   "Crypto = aes256-sha256-ecp256\n");
	assert_int_equal(write_far(&c, "mikrotik", &(struct far_options){ .secrets = true }), 0);
	has("secret=\"pass\\$[:put(1)]word-of-some-length\"");
	config_clear(&c);
}

/* What is left out is said in the output. */
static void notes(void **state)
{
	static const struct {
		const char *text, *target, *note;
	} rows[] = {
		{ SITE "PSK = " KEY "\nPPK = " KEY "x\nPPKID = q\n", "cisco",
		  "! Note: Cisco IOS XE has no post-quantum preshared keys" },
		{ "[Tunnel]\nLocalID = x.example\nPort = 4501\n[Peer]\nEndpoint = e.example\nPSK = " KEY
		  "\n",
		  "juniper",
		  "# Note: Junos OS sends to port 4500 alone: take Port out of our [Tunnel]" },
		{ "[Tunnel]\nLocalID = x.example\n[Peer]\nEndpoint = e.example\nPSK = " KEY
		  "\nSelectors = 10.1.0.5-10.1.0.9 = 10.2.0.0/16\n",
		  "gcp", "has prefixes in place of ranges of addresses" },
		{ "[Tunnel]\nLocalID = x.example\n[Peer]\nEndpoint = e.example\nPSK = " KEY
		  "\nSelectors = fd01::/64 = fd02::/64, 10.1.0.0/16 = 10.2.0.0/16\n",
		  "aws", "has IPv4 alone inside here" },
		{ "[Tunnel]\n[Peer]\nEndpoint = e.example\nRemoteID = e.example\nPSK = " KEY "\n",
		  "swanctl", "in place of OUR-ADDRESS, or name it with --address HOST" },
		{ "[Tunnel]\nLocalID = x.example\n[Peer]\nEndpoint = e.example\nRemoteID = e.example\nPSK = " KEY
		  "\n",
		  "swanctl", "name them with --net PREFIX" },
		{ SITE "PSK = " KEY
		       "\nCrypto = aes256gcm16-x25519-ke1_ecp384, aes256-sha256-ecp256\n",
		  "swanctl", "the proposals with them are left out" },
	};
	struct config c;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		parse(&c, "site", rows[i].text);
		if (write_far(&c, rows[i].target, &(struct far_options){ .secrets = true }))
			fail_msg("%s", err);
		has(rows[i].note);
		config_clear(&c);
	}
}

/* ---- the command line ------------------------------------------------------------------------------ */

static void wrong_words(void **state)
{
	static const struct {
		const char *words[8], *sentence;
	} rows[] = {
		{ { "peer-config" }, "needs the name of a tunnel" },
		{ { "peer-config", "x" }, "needs --for TARGET" },
		{ { "peer-config", "x", "--for", "netgear" },
		  "must be one of: swanctl ipsec.conf" },
		{ { "peer-config", "x", "--for", "esptun", "--address", "$(reboot)" },
		  "must be a host name or an IP address" },
		{ { "peer-config", "x", "--for", "esptun", "--address", "-x" },
		  "must be a host name or an IP address" },
		{ { "peer-config", "x", "--for", "esptun", "--id", "*.example" },
		  "one peer's identity" },
		{ { "peer-config", "x", "--for", "esptun", "--net", "10.1.0.1/16" },
		  "a network without host bits" },
		{ { "peer-config", "x", "--for", "esptun", "--net", "any" },
		  "a network without host bits" },
		{ { "peer-config", "x", "--for", "esptun", "--net", "10.0.0.0/8:tcp" },
		  "a network without host bits" },
		{ { "peer-config", "./nowhere.conf", "--for", "esptun" }, "nowhere.conf" },
		{ { "peer-config", "x", "--for", "apple", "--p12", "./nowhere.p12" },
		  "cannot read ./nowhere.p12" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *argv[10] = { (char *)"esptun" };
		FILE *f = tmpfile();
		int argc = 1, old = dup(STDERR_FILENO), code;

		while (argc < 9 && rows[i].words[argc - 1]) {
			argv[argc] = (char *)rows[i].words[argc - 1];
			argc++;
		}
		fflush(stderr);
		dup2(fileno(f), STDERR_FILENO);
		code = cli_main(argc, argv);
		fflush(stderr);
		dup2(old, STDERR_FILENO);
		close(old);
		rewind(f);
		memset(said, 0, sizeof(said));
		if (!fread(said, 1, sizeof(said) - 1, f))
			*said = '\0';
		fclose(f);
		assert_int_not_equal(code, 0);
		if (!strstr(said, rows[i].sentence))
			fail_msg("row %zu: %s", i, said);
	}
}

/* ---- guides ---------------------------------------------------------------------------------------- */

static char guide[16384];

static void read_guide(const char *name)
{
	const char *top = getenv("ESPTUN_TOP");
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/Documentation/clients/%s", top ? top : ".", name);
	f = fopen(path, "r");
	if (!f)
		fail_msg("cannot open %s", path);
	memset(guide, 0, sizeof(guide));
	assert_true(fread(guide, 1, sizeof(guide) - 1, f) > 0);
	fclose(f);
}

/* Between the fences of the first block of that kind. */
static void block(const char *kind, char *text, size_t size)
{
	char fence[32];
	const char *at, *end;

	snprintf(fence, sizeof(fence), "```%s\n", kind);
	at = strstr(guide, fence);
	assert_non_null(at);
	at += strlen(fence);
	end = strstr(at, "```");
	assert_non_null(end);
	snprintf(text, size, "%.*s", (int)(end - at), at);
}

static void in_guide(const char *text)
{
	if (!strstr(guide, text))
		fail_msg("the guide has no \"%s\"", text);
}

static void write_for_guide(const char *name, const char *target, const char *id)
{
	struct far_options o = { 0 };
	char ini[4096];
	struct config c;

	read_guide(name);
	block("ini", ini, sizeof(ini));
	parse(&c, "vpn", ini);
	assert_int_equal(ike_id_from_text(id, &o.id, err, sizeof(err)), 0);
	if (write_far(&c, target, &o))
		fail_msg("%s: %s", name, err);
	config_clear(&c);
}

static void windows_guide(void **state)
{
	char text[2048];

	(void)state;
	write_for_guide("windows.md", "windows", "CN=pc");
	block("powershell", text, sizeof(text));
	has(text);
	in_guide("esptun peer-config vpn --for windows");
}

static void apple_guide(void **state)
{
	(void)state;
	write_for_guide("apple.md", "apple", "alice.example.org");
	has("<key>RemoteAddress</key>\n\t\t\t\t<string>vpn.example.org</string>");
	in_guide("| Server | vpn.example.org |");
	has("<key>RemoteIdentifier</key>\n\t\t\t\t<string>vpn.example.org</string>");
	in_guide("| Remote ID | vpn.example.org,");
	has("<key>LocalIdentifier</key>\n\t\t\t\t<string>alice.example.org</string>");
	in_guide("| Local ID | alice.example.org,");
	has("<string>SharedSecret</string>");
	in_guide("| Secret |");
	has("<key>EncryptionAlgorithm</key>\n\t\t\t\t\t<string>AES-256-GCM</string>");
	in_guide("`EncryptionAlgorithm` AES-256-GCM");
	has("<key>DiffieHellmanGroup</key>\n\t\t\t\t\t<integer>19</integer>");
	in_guide("`DiffieHellmanGroup` 19");
	in_guide("esptun peer-config vpn --for apple --id alice.example.org");
}

static void android_guide(void **state)
{
	static const char *const fields[][2] = {
		{ "Type: IKEv2/IPSec PSK\n", "| Type | IKEv2/IPSec PSK |" },
		{ "Server address: vpn.example.org\n", "| Server address | vpn.example.org," },
		{ "IPSec identifier: alice.example.org\n",
		  "| IPSec identifier | alice.example.org," },
		{ "IPSec pre-shared key: ", "| IPSec pre-shared key |" },
	};

	(void)state;
	write_for_guide("android.md", "android", "alice.example.org");
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		has(fields[i][0]);
		in_guide(fields[i][1]);
	}
	in_guide("esptun peer-config vpn --for android --id alice.example.org");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(secrets_only_when_asked_for),
		cmocka_unit_test(the_ppk_of_a_client),
		cmocka_unit_test(odd_keys),
		cmocka_unit_test(esptun_fits_esptun),
		cmocka_unit_test(our_password),
		cmocka_unit_test(clients),
		cmocka_unit_test(raw_keys_of_openiked),
		cmocka_unit_test(ciphers_of_openiked),
		cmocka_unit_test(one_sentence),
		cmocka_unit_test(dollars),
		cmocka_unit_test(notes),
		cmocka_unit_test(wrong_words),
		cmocka_unit_test(windows_guide),
		cmocka_unit_test(apple_guide),
		cmocka_unit_test(android_guide),
	};

	return cmocka_run_group_tests_name("peer_config", tests, NULL, NULL);
}
