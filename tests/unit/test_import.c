// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * esptun import of swanctl.conf, ipsec.conf and wg-quick's files, from text to text: what is written means the same as a file of ours
 * that was written by hand, each line that is left out is said, and what cannot be read right is not read at all.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/pem.h>

#include "cert_maker.h"
#include "ike/app/config/config.h"
#include "ike/import/import.h"

/* ---- files that are only in memory ----------------------------------------------------- */

enum { MAX_FILES = 24 };

static struct {
	const char *path, *text;
	size_t len;
} files[MAX_FILES];
static unsigned int n_files;
static char said[65536];
static struct import_result result;

static void put_file(const char *path, const void *text, size_t len)
{
	assert_true(n_files < MAX_FILES);
	files[n_files].path = path;
	files[n_files].text = text;
	files[n_files++].len = len;
}

static void put_text(const char *path, const char *text)
{
	put_file(path, text, strlen(text));
}

static uint8_t *read_memory(void *ctx, const char *path, size_t *len)
{
	(void)ctx;
	for (unsigned int i = 0; i < n_files; i++) {
		uint8_t *copy;

		if (strcmp(files[i].path, path) != 0)
			continue;
		copy = calloc(1, files[i].len + 1);
		assert_non_null(copy);
		memcpy(copy, files[i].text, files[i].len);
		*len = files[i].len;
		return copy;
	}
	errno = ENOENT;
	return NULL;
}

static unsigned int glob_memory(void *ctx, const char *pattern,
				void (*each)(void *arg, const char *path), void *arg)
{
	unsigned int n = 0;

	(void)ctx;
	for (unsigned int i = 0; i < n_files; i++) {
		if (fnmatch(pattern, files[i].path, FNM_PATHNAME) != 0)
			continue;
		each(arg, files[i].path);
		n++;
	}
	return n;
}

static bool is_west(void *ctx, const struct ike_addr *a)
{
	static const uint8_t west[] = { 192, 0, 2, 1 };

	(void)ctx;
	return a->family == 4 && !memcmp(a->b, west, sizeof(west));
}

static bool make_psk(void *ctx, char text[IMPORT_PSK_TEXT])
{
	(void)ctx;
	strcpy(text, "bmV2ZXIgdXNlIHRoaXMgb25lLCBpdCBpcyBwdWJsaWM=");
	return true;
}

static void hear(void *ctx, const char *path, unsigned int line, const char *text)
{
	size_t len = strlen(said);

	(void)ctx;
	for (const char *s = text; *s; s++)
		assert_true(*s >= ' ' && *s <= '~');
	snprintf(said + len, sizeof(said) - len, "%s:%u: %s\n", path, line, text);
}

static void forget(void)
{
	import_result_clear(&result);
	n_files = 0;
	*said = 0;
}

static int import_as(enum import_kind kind, const char *path, const char *text, bool psk)
{
	const struct import_options options = { .path = path, .dir = "/etc/esptun", .local = -1 };
	const struct import_env env = {
		.read = read_memory,
		.glob = glob_memory,
		.is_own = is_west,
		.make_psk = psk ? make_psk : NULL,
		.say = hear,
	};

	import_result_clear(&result);
	*said = 0;
	assert_int_equal(import_detect((const uint8_t *)text, strlen(text)), kind);
	return import_read(kind, (const uint8_t *)text, strlen(text), &options, &env, &result);
}

static void import_good(enum import_kind kind, const char *path, const char *text)
{
	if (import_as(kind, path, text, false))
		fail_msg("refused: %s", said);
}

/* The text of one of the files that came out; NULL: it is not there. */
static const char *find_written(const char *name)
{
	for (unsigned int i = 0; i < result.n; i++) {
		if (!strcmp(result.file[i].name, name))
			return result.file[i].text;
	}
	return NULL;
}

static const char *written(const char *name)
{
	if (!find_written(name))
		fail_msg("no file %s; said: %s", name, said);
	return find_written(name);
}

static void says(const char *sentence)
{
	if (!strstr(said, sentence))
		fail_msg("no \"%s\" in:\n%s", sentence, said);
}

static void on_report(void *ctx, bool error, unsigned int line, const char *text)
{
	if (error)
		fail_msg("%s, line %u: %s", (const char *)ctx, line, text);
}

static void parse_ours(const char *what, const char *text, struct config *c)
{
	const struct config_report report = { on_report, (void *)what };

	assert_int_equal(config_parse("vpn", text, strlen(text), c, &report), 0);
}

/* The agent makes the same of the file as of @meant. */
static void means(const char *name, const char *meant)
{
	struct config is, should;

	parse_ours(name, written(name), &is);
	parse_ours("meant", meant, &should);
	if (!config_equal(&is, &should))
		fail_msg("%s is\n%s\nand should mean\n%s", name, written(name), meant);
	config_clear(&is);
	config_clear(&should);
}

/* ---- swanctl.conf ---------------------------------------------------------------------- */

static void swanctl_sites(void **state)
{
	(void)state;
	put_text("/etc/swanctl/conf.d/secrets.conf",
		 "secrets {\n"
		 "	ike-east { id-1 = east.example.net\n id-2 = west.example.net\n"
		 "		secret = \"a long line of words # not a comment\" }\n"
		 "	ike-other { id = other.example.net\n secret = 0x0011 }\n"
		 "	ike-any { secret = 0sd3JvbmcgaGVyZQ== }\n"
		 "}\n");
	import_good(IMPORT_SWANCTL, "/etc/swanctl/swanctl.conf",
		    "connections {\n"
		    "	east {\n"
		    "		version = 2\n"
		    "		local_addrs = 192.0.2.1\n"
		    "		remote_addrs = vpn.example.net\n"
		    "		remote_port = 4500\n"
		    "		proposals = aes256gcm16-sha384-ecp384, aes-sha1-modp2048!\n"
		    "		dpd_delay = 2m\n"
		    "		rekey_time = 2h\n"
		    "		fragmentation = yes\n"
		    "		mobike = no\n"
		    "		encap = yes # behind a NAT\n"
		    "		local-1 { auth = psk\n"
		    "			id = west.example.net }\n"
		    "		remote-1 { auth = psk\n"
		    "			id = @east.example.net }\n"
		    "		children {\n"
		    "			net {\n"
		    "				local_ts = 10.1.0.0/16, 10.3.1.2/16\n"
		    "				remote_ts = 10.2.0.0/16[tcp/80-90]\n"
		    "				esp_proposals = aes128-sha256-x25519\n"
		    "				start_action = trap|start\n"
		    "				rekey_time = 1800\n"
		    "				replay_window = 64\n"
		    "				updown = /bin/true\n"
		    "				frobnicate = 7\n"
		    "			}\n"
		    "		}\n"
		    "	}\n"
		    "}\n"
		    "include conf.d/*.conf\n");
	means("east.conf",
	      "[Tunnel]\nLocalID = west.example.net\nLocal = 192.0.2.1\n"
	      "[Peer]\nEndpoint = vpn.example.net:4500\nRemoteID = east.example.net\n"
	      "PSK = file:/etc/esptun/east.psk\nRoutes = 10.2.0.0/16\n"
	      "Selectors = 10.1.0.0/16 = 10.2.0.0/16:tcp:80-90, 10.3.0.0/16 = 10.2.0.0/16:tcp:80-90\n"
	      "Crypto = ike:aes256gcm16-prfsha384-ecp384, ike:aes128-sha1-modp2048, esp:aes128-sha256-x25519-pfs\n"
	      "Encap = udp\nMobike = no\nLiveness = 120\nRekey = 2h, 30m\nReplayWindow = 64\nStart = now\n");
	assert_string_equal(written("east.psk"), "\"a long line of words # not a comment\"\n");
	assert_int_equal(result.conns, 1);
	assert_int_equal(result.refused, 0);
	says("swanctl.conf:10: fragmentation is left out: this is always done where the peer can\n");
	says("swanctl.conf:25: updown is left out: no commands are run");
	says("swanctl.conf:26: frobnicate is left out: it is not known here\n");
	forget();
}

/* Templates: what a section has itself goes before that of those it names, and an empty value takes it away. */
static void swanctl_templates(void **state)
{
	(void)state;
	import_good(IMPORT_SWANCTL, "/etc/swanctl/swanctl.conf",
		    "base {\n"
		    "	remote_addrs = 203.0.113.9\n dpd_delay = 10s\n mobike = no\n"
		    "	local { auth = psk\n id = hq.example.org }\n"
		    "	remote { auth = psk }\n"
		    "	children { def { start_action = start } }\n"
		    "}\n"
		    "nets { lan { remote_ts = fd00:1::/64\n local_ts = fd00:2::/64 } }\n"
		    "connections {\n"
		    "	a : base {\n"
		    "		dpd_delay = 20s\n"
		    "		mobike =\n"
		    "		remote { id = a.example.org }\n"
		    "		children { lan : nets.lan { start_action = start\n"
		    "			remote_ts = fd00:3::/64 } }\n"
		    "	}\n"
		    "}\n");
	means("a.conf",
	      "[Tunnel]\nLocalID = hq.example.org\n"
	      "[Peer]\nEndpoint = 203.0.113.9\nRemoteID = a.example.org\nPSK = file:/etc/esptun/a.psk\n"
	      "Routes = fd00:3::/64\nLiveness = 20\n"
	      "[Child lan]\nSelectors = fd00:2::/64 = fd00:3::/64\nStart = now\n"
	      "[Child def]\nSelectors = any = 203.0.113.9/32\nStart = now\n");
	says("203.0.113.9/32 has no route, as the tunnel's own packets go there");
	says("no pre-shared key for a.example.org was found: put it into /etc/esptun/a.psk (chmod 600)");
	assert_int_equal(import_as(IMPORT_SWANCTL, "/s",
				   "connections {}\na : b { x = 1 }\nb : a { x = 2 }\n", false),
			 -1);
	says("refers to a, and that to it");
	assert_int_equal(import_as(IMPORT_SWANCTL, "/s", "connections : none { }\n", false), -1);
	says("connections refers to none, which is no section");
	forget();
}

struct party {
	struct made ca, other, leaf;
	struct ike_iov ca_pem, other_pem, leaf_pem, key_pem;
};

static struct ike_iov key_pem(EVP_PKEY *key, const char *passphrase)
{
	struct ike_iov out = { 0 };
	BIO *bio = BIO_new(BIO_s_mem());
	char *data;
	long len;

	assert_int_equal(PEM_write_bio_PKCS8PrivateKey(
				 bio, key, passphrase ? EVP_aes_256_cbc() : NULL, passphrase,
				 passphrase ? (int)strlen(passphrase) : 0, NULL, NULL),
			 1);
	len = BIO_get_mem_data(bio, &data);
	out.base = malloc((size_t)len);
	out.len = (size_t)len;
	memcpy((void *)out.base, data, (size_t)len);
	BIO_free(bio);
	return out;
}

static void make_party(struct party *p, const char *passphrase)
{
	p->ca = maker_ca("C=CH, O=Example, CN=root", NULL);
	p->other = maker_ca("C=CH, O=Other, CN=root", NULL);
	p->leaf = maker_leaf("C=CH, O=Example, CN=moon", &p->ca, "DNS:moon.example.org");
	p->ca_pem = maker_pem(&p->ca);
	p->other_pem = maker_pem(&p->other);
	p->leaf_pem = maker_pem(&p->leaf);
	p->key_pem = key_pem(p->leaf.key, passphrase);
}

static void free_party(struct party *p)
{
	maker_free(&p->ca);
	maker_free(&p->other);
	maker_free(&p->leaf);
	maker_free_der(&p->ca_pem);
	maker_free_der(&p->other_pem);
	maker_free_der(&p->leaf_pem);
	free((void *)p->key_pem.base);
}

static const char home[] =
	"connections { home {\n"
	"	remote_addrs = sun.example.org\n"
	"	vips = 0.0.0.0, ::\n"
	"	local { certs = moon.pem }\n"
	"	remote { id = sun.example.org\n cacerts = b.pem\n revocation = strict }\n"
	"	children { net { remote_ts = 10.7.0.0/16\n start_action = start } }\n"
	"} }\n"
	"secrets { private-b { file = b.pem\n secret = the words that open it } }\n";

static void check_home(const struct party *p)
{
	means("home.conf",
	      "[Tunnel]\nAddress = request\nLocalID = C=CH, O=Example, CN=moon\nKey = /etc/esptun/home.key\n"
	      "KeyPassphrase = file:/etc/esptun/home.pass\nCert = /etc/esptun/home.crt\n"
	      "[Peer]\nEndpoint = sun.example.org\nRemoteID = sun.example.org\nCA = /etc/esptun/home.ca\n"
	      "Revocation = strict\nRoutes = 10.7.0.0/16\nSelectors = any = 10.7.0.0/16\nStart = now\n");
	assert_memory_equal(written("home.key"), p->key_pem.base, p->key_pem.len);
	assert_string_equal(written("home.pass"), "the words that open it");
	assert_memory_equal(written("home.ca"), p->other_pem.base, p->other_pem.len);
	assert_int_equal(strlen(written("home.ca")), p->other_pem.len);
	assert_memory_equal(written("home.crt"), p->leaf_pem.base, p->leaf_pem.len);
}

/* Our key is found by our certificate, which names us by its subject; the peer's CA is the one that is named. */
static void swanctl_certificates(void **state)
{
	struct ike_iov other_key;
	struct party p;

	(void)state;
	make_party(&p, "the words that open it");
	other_key = key_pem(p.other.key, NULL);
	put_file("/etc/swanctl/x509/moon.pem", p.leaf_pem.base, p.leaf_pem.len);
	put_file("/etc/swanctl/x509ca/a.pem", p.ca_pem.base, p.ca_pem.len);
	put_file("/etc/swanctl/x509ca/b.pem", p.other_pem.base, p.other_pem.len);
	put_file("/etc/swanctl/private/a.pem", other_key.base, other_key.len);
	put_file("/etc/swanctl/private/b.pem", p.key_pem.base, p.key_pem.len);
	put_text("/etc/swanctl/conf.d/home.conf", home);
	/* Debian's way: the whole file has nothing but the parts. */
	import_good(IMPORT_SWANCTL, "/etc/swanctl/swanctl.conf",
		    "include conf.d/*.conf\nauthorities { }\nsecrets { }\n");
	check_home(&p);
	import_good(IMPORT_SWANCTL, "/etc/swanctl/conf.d/home.conf", home);
	check_home(&p);
	free((void *)other_key.base);
	free_party(&p);
	forget();
}

static void swanctl_clients(void **state)
{
	(void)state;
	import_good(
		IMPORT_SWANCTL, "/etc/swanctl/swanctl.conf",
		"connections { rw {\n"
		"	pools = p4, p6, gone\n"
		"	unique = keep\n"
		"	send_cert = always\n"
		"	local { auth = pubkey\n certs = hub.pem\n id = hub.example.org }\n"
		"	remote { auth = eap-mschapv2\n eap_id = %any }\n"
		"	children { all { local_ts = 0.0.0.0/0, ::/0\n esp_proposals = default, aes256-sha256 } }\n"
		"} }\n"
		"pools { p4 { addrs = 10.9.0.0/24\n dns = 10.0.0.53 }\n"
		"	p6 { addrs = fd09::/112\n netbios = 1 } }\n"
		"secrets {\n"
		"	eap-1 { id-a = alice\n id-b = bob@example.org\n secret = \"wonder land 12\" }\n"
		"	eap-2 { id = \"e = ve\"\n secret = x }\n"
		"	token-1 { handle = 7 }\n }\n"
		"authorities { a { cacert = a.pem } }\n");
	means("rw.conf",
	      "[Tunnel]\nLocalID = hub.example.org\nKey = /etc/esptun/rw.key\nCert = /etc/esptun/rw.crt\n"
	      "[Peer]\nUsers = /etc/esptun/rw.users\nRoutes = 10.9.0.0/24, fd09::/112\n"
	      "Selectors = 0.0.0.0/0 = any, ::/0 = any\n"
	      "Crypto = ike:modern, esp:modern, esp:aes256-sha256\nClients = 100\nUnique = keep\n"
	      "[Pool]\nRange = 10.9.0.0/24, fd09::/112\nDNS = 10.0.0.53\n");
	assert_string_equal(written("rw.users"),
			    "alice = \"wonder land 12\"\nbob@example.org = \"wonder land 12\"\n");
	says("our certificate was not found: put it, and those of CAs between it and a root, into /etc/esptun/rw.crt");
	says("our private key was not found: put it, in PEM, into /etc/esptun/rw.key (chmod 600)");
	says("pools: gone is not in this file");
	says("netbios is left out: [Pool] has");
	says("the user e = ve is left out");
	says("token-1 is left out: keys in tokens are not used");
	says("authorities is left out");
	says("up to 100 clients are let in");
	import_good(IMPORT_SWANCTL, "/s",
		    "connections { one { local { auth = pubkey }\n"
		    "	remote { auth = eap-mschapv2\n eap_id = bob\n id = bob@example.org } } }\n"
		    "secrets { eap-1 { id-a = alice\n id-b = bob\n secret = something } }\n");
	assert_string_equal(written("one.users"), "bob = \"something\"\n");
	says("the identity bob@example.org of users is left out");
	/* Who waits for its peer begins no child SA. */
	import_good(
		IMPORT_SWANCTL, "/s",
		"connections { two { local { auth = psk }\n remote { auth = psk\n id = b.example.org }\n"
		"	children { a { local_ts = 10.1.0.0/16\n remote_ts = 10.5.0.0/16\n start_action = trap }\n"
		"		b { local_ts = 10.1.0.0/16\n remote_ts = 10.6.0.0/16 } } } }\n");
	means("two.conf",
	      "[Peer]\nRemoteID = b.example.org\nPSK = file:/etc/esptun/two.psk\nRoutes = 10.5.0.0/16, 10.6.0.0/16\n"
	      "[Child a]\nSelectors = 10.1.0.0/16 = 10.5.0.0/16\n"
	      "[Child b]\nSelectors = 10.1.0.0/16 = 10.6.0.0/16\n");
	forget();
}

/* What would let in more, or another one, than it did is not guessed at. */
static void swanctl_refused(void **state)
{
	static const struct {
		const char *conn, *sentence;
	} rows[] = {
		{ "version = 1\n local { auth = psk }\n remote { auth = psk }",
		  "there is no IKEv1" },
		{ "local { auth = psk }\n remote { auth = psk\n id = a b c }", "is no identity" },
		{ "local { auth = psk }\n remote { auth = psk }\n children { x { remote_ts = 10.0.0.0/99 } }",
		  "10.0.0.0/99 is no selector" },
		{ "local { auth = psk }\n remote { auth = psk }\n children { x { remote_ts = 10.0.0.0/8, fe:80 } }",
		  "fe:80 is no selector" },
		{ "local { auth = psk }\n remote { auth = psk }\n remote-2 { auth = psk }",
		  "RemoteAuth = pubkey, eap in [Peer] has two rounds" },
		{ "local-1 { auth = psk }\n local-2 { auth = eap }\n remote { auth = psk }",
		  "LocalAuth = pubkey, eap in [Tunnel] has two rounds" },
		{ "local { auth = pubkey }\n remote { auth = eap-tls }", "EAPMethods = tls" },
		{ "local { auth = psk }\n remote { certs = sun.pem }",
		  "no one certificate can be demanded" },
		{ "local { auth = psk }\n remote { auth = eap-mschapv2\n eap_id = *@example.org }",
		  "name one here, or %any" },
		{ "local { auth = psk }\n remote { auth = pubkey\n cacert-1 { file = a.pem } }",
		  "the section cacert-1 is left out" },
		{ "local { auth = psk }\n remote { groups = sales }", "there are no groups" },
		{ "local { auth = psk }\n remote { auth = psk }\n remote_addrs = \"a # b\"",
		  "remote_addrs: its value cannot be one of Endpoint" },
		{ "local { auth = psk }\n remote { auth = psk }\n children { x { remote_ts = 10.0.0.0/8[tcp/80-000000000000000000000000000000000000000000000000000000000090] } }",
		  "is no selector" },
		{ "local { auth = psk }\n remote { auth = eap-radius }",
		  "write a section [Radius]" },
		{ "local { auth = psk }\n remote { auth = eap-sim }", "eap-sim is not there" },
		{ "local { auth = psk }\n remote { auth = any }", "it has to be one" },
		{ "local { auth = psk }\n remote { auth = psk }\n proposals = camellia256-md5-modp768",
		  "nothing of it is there" },
		{ "local { auth = psk }\n remote { auth = psk }\n children { x { mode = beet } }",
		  "there is tunnel and transport only" },
		{ "local { auth = psk }\n remote { auth = psk }\n remote_addrs = 1.2.3",
		  "would be refused" },
	};
	char text[2048];

	(void)state;
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(text, sizeof(text), "connections { x {\n%s\n} }\n", rows[i].conn);
		import_good(IMPORT_SWANCTL, "/s", text);
		assert_int_equal(result.conns, 0);
		assert_int_equal(result.refused, 1);
		assert_int_equal(result.n, 0);
		says(rows[i].sentence);
		says("x is left out as a whole");
	}
	forget();
}

/* A line that is there twice counts once: what stood before does not let more in. */
static void later_lines_count(void **state)
{
	(void)state;
	import_good(IMPORT_SWANCTL, "/etc/swanctl/swanctl.conf",
		    "connections {\n"
		    "	a {\n"
		    "		remote_addrs = 198.51.100.9\n"
		    "		remote_addrs = 192.0.2.2\n"
		    "		local { auth = psk }\n"
		    "		remote { auth = psk }\n"
		    "		children { n { local_ts = 10.1.0.0/16\n"
		    "			remote_ts = 10.0.0.0/8\n"
		    "			remote_ts = 10.2.0.0/16 } }\n"
		    "	}\n"
		    "}\n");
	means("a.conf",
	      "[Tunnel]\n[Peer]\nEndpoint = 192.0.2.2\nPSK = file:/etc/esptun/a.psk\n"
	      "Routes = 10.2.0.0/16\nSelectors = 10.1.0.0/16 = 10.2.0.0/16\nStart = listen\n");
	import_good(IMPORT_IPSEC_CONF, "/etc/ipsec.conf",
		    "conn a\n"
		    "	authby=secret\n"
		    "	left=192.0.2.1\n"
		    "	right=192.0.2.2\n"
		    "	leftsubnet=10.1.0.0/16\n"
		    "	rightsubnet=10.0.0.0/8\n"
		    "	rightsubnet=10.2.0.0/16\n"
		    "	auto=add\n");
	means("a.conf", "[Tunnel]\nLocal = 192.0.2.1\n[Peer]\nEndpoint = 192.0.2.2\n"
			"PSK = file:/etc/esptun/a.psk\nRoutes = 10.2.0.0/16\n"
			"Selectors = 10.1.0.0/16 = 10.2.0.0/16\nStart = listen\n");
	forget();
}

/* A conn goes on where its name comes again: half of it could do without what the other half asks for. */
static void parts_of_a_conn(void **state)
{
	(void)state;
	import_good(IMPORT_IPSEC_CONF, "/etc/ipsec.conf",
		    "conn a\n"
		    "	authby=secret\n"
		    "	left=192.0.2.1\n"
		    "	right=192.0.2.2\n"
		    "	auto=add\n"
		    "conn A\n"
		    "	auto=ignore\n"
		    "conn a\n"
		    "	rightauth2=eap-mschapv2\n");
	assert_null(find_written("a.conf"));
	assert_int_equal(result.refused, 1);
	forget();
}

/* strongSwan tells names by case: a connection has what its own template says, not what another one does. */
static void names_have_case(void **state)
{
	(void)state;
	import_good(
		IMPORT_SWANCTL, "/etc/swanctl/swanctl.conf",
		"Base { remote { id = good.example }\n children { n { remote_ts = 10.2.0.0/16 } } }\n"
		"base { remote { id = other.example }\n children { n { remote_ts = 0.0.0.0/0 } } }\n"
		"connections {\n"
		"	a : Base {\n"
		"		remote_addrs = 192.0.2.2\n"
		"		local { auth = psk }\n"
		"		remote { auth = psk }\n"
		"		children { n { local_ts = 10.1.0.0/16 } }\n"
		"	}\n"
		"}\n");
	means("a.conf", "[Tunnel]\n[Peer]\nEndpoint = 192.0.2.2\nRemoteID = good.example\n"
			"PSK = file:/etc/esptun/a.psk\nRoutes = 10.2.0.0/16\n"
			"Selectors = 10.1.0.0/16 = 10.2.0.0/16\nStart = listen\n");
	forget();
}

/* Nothing but a key is copied from where a file of another program points. */
static void only_keys_are_copied(void **state)
{
	(void)state;
	put_text("/etc/shadow", "root:$y$j9T$secret:20000:0:99999:7:::\n");
	import_good(IMPORT_SWANCTL, "/etc/swanctl/swanctl.conf",
		    "connections {\n"
		    "	a {\n"
		    "		remote_addrs = 192.0.2.2\n"
		    "		local { auth = psk }\n"
		    "		remote { auth = pubkey\n pubkeys = /etc/shadow\n id = b.example }\n"
		    "	}\n"
		    "}\n");
	says("the peer's public key was not found: put it into /etc/esptun/a.pub");
	assert_null(find_written("a.pub"));
	forget();
}

static void swanctl_grammar(void **state)
{
	static const struct {
		const char *text, *sentence;
	} rows[] = {
		{ "connections { a {", "/s:1: a section has no }" },
		{ "connections { } }", "a } has no section" },
		{ "connections {\n a = \"x\n", "a quotation mark has no other end" },
		{ "connections\n= 3\n", "expected {" },
		{ "connections { \"a\" { } }", "expected KEY = VALUE" },
		{ "connections = 3\n", "there is no section connections" },
		{ "connections : { }", "expected the name of a section behind :" },
		{ "secrets { x { } }", "there is no section connections" },
		{ "connections { a { b { c { d { e { f { g { h { i { j { k { l { m { n { o { p { q {",
		  "sections are too deep" },
		{ "connections { }\ninclude /loop\n", "include: more than" },
	};
	char longer[2 * IMPORT_MAX_VALUE + 64];

	(void)state;
	put_text("/loop", "include /loop\n");
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(import_as(IMPORT_SWANCTL, "/s", rows[i].text, false), -1);
		says(rows[i].sentence);
		assert_int_equal(result.n, 0);
	}
	memset(longer, 'x', sizeof(longer));
	memcpy(longer, "connections { a = ", 18);
	longer[sizeof(longer) - 1] = 0;
	assert_int_equal(import_as(IMPORT_SWANCTL, "/s", longer, false), -1);
	says("too long");
	import_good(IMPORT_SWANCTL, "/s", "connections { }\ninclude /none/*.conf\n");
	says("/s:2: include: there is no file /none/*.conf");
	forget();
}

/* ---- ipsec.conf ------------------------------------------------------------------------ */

static void ipsec_sites(void **state)
{
	(void)state;
	put_text("/etc/ipsec.secrets",
		 "# keys\n"
		 "@sun.example.org : PSK \"not this one\"\n"
		 "192.0.2.1 @moon.example.org : PSK 0sVGhlIHJpZ2h0IG9uZSwgYnkgbmFtZQ==\n"
		 "include /etc/ipsec.d/*.secrets\n");
	import_good(IMPORT_IPSEC_CONF, "/etc/ipsec.conf",
		    "config setup\n"
		    "	charondebug=\"ike 2\"\n"
		    "\n"
		    "conn %default\n"
		    "	keyexchange=ikev2\n"
		    "	authby=secret\n"
		    "	ikelifetime=3h\n"
		    "	lifetime=1h\n"
		    "	dpdaction=restart\n"
		    "	dpddelay=30s\n"
		    "\n"
		    "conn west\n"
		    "	left=%defaultroute\n"
		    "	leftid=@west.example.org\n"
		    "	leftfirewall=yes\n"
		    "\n"
		    "conn moon   # the other office\n"
		    "	also=west\n"
		    "	leftsubnet=10.1.0.0/16\n"
		    "	right=203.0.113.7\n"
		    "	rightid=@moon.example.org\n"
		    "	rightsubnet=10.2.0.0/16,10.4.0.0/16\n"
		    "	ike=aes256-sha256-modp2048!\n"
		    "	esp=aes128gcm16-modp2048!\n"
		    "	margintime=5m\n"
		    "	auto=start\n");
	means("moon.conf",
	      "[Tunnel]\nLocalID = west.example.org\n"
	      "[Peer]\nEndpoint = 203.0.113.7\nRemoteID = moon.example.org\nPSK = file:/etc/esptun/moon.psk\n"
	      "Routes = 10.2.0.0/16, 10.4.0.0/16\n"
	      "Selectors = 10.1.0.0/16 = 10.2.0.0/16, 10.1.0.0/16 = 10.4.0.0/16\n"
	      "Crypto = ike:aes256-sha256-modp2048, esp:aes128gcm16-modp2048-pfs\n"
	      "Liveness = 30\nRekey = 175m, 55m\nStart = now\n");
	assert_string_equal(written("moon.psk"), "base64:VGhlIHJpZ2h0IG9uZSwgYnkgbmFtZQ==\n");
	assert_int_equal(result.conns, 1);
	says("/etc/ipsec.conf:12: conn west is left out: it has no auto=, or auto=ignore");
	says("/etc/ipsec.conf:15: leftfirewall is left out");
	says("/etc/ipsec.conf:9: dpdaction is left out");
	says("config setup is left out");
	says("/etc/ipsec.secrets:4: include: there is no file /etc/ipsec.d/*.secrets");
	says("left is taken for this machine; --local right says otherwise");
	forget();
}

/* Libreswan's words; right is this machine, by its address. L2TP is transport mode with ports. */
static void ipsec_libreswan(void **state)
{
	(void)state;
	put_text("/etc/ipsec.secrets",
		 "198.51.100.4 192.0.2.1: PSK 'x'\n: PSK \"for whoever has none\"\n");
	import_good(
		IMPORT_IPSEC_CONF, "/etc/ipsec.conf",
		"version 2.0\n"
		"conn tunnel\n"
		"	ikev2=insist\n"
		"	left=198.51.100.4\n"
		"	leftsubnets={10.5.0.0/16 10.6.0.0/16}\n"
		"	right=192.0.2.1\n"
		"	rightsubnet=10.8.0.0/16\n"
		"	authby=secret\n"
		"	ike=aes_gcm256-sha2_512;dh19\n"
		"	phase2alg=aes256-sha2_256;dh14\n"
		"	salifetime=8h\n"
		"	encapsulation=yes\n"
		"	auto=ondemand\n"
		"conn l2tp\n"
		"	type=transport\n"
		"	left=192.0.2.1\n"
		"	leftprotoport=17/1701\n"
		"	right=198.51.100.9\n"
		"	rightprotoport=17/%any\n"
		"	authby=secret\n"
		"	auto=add\n"
		"conn old\n"
		"	ikev2=no\n	left=192.0.2.1\n	right=198.51.100.5\n	authby=secret\n	auto=add\n"
		"conn open\n"
		"	type=passthrough\n	left=192.0.2.1\n	right=%any\n	authby=never\n	auto=route\n");
	means("tunnel.conf",
	      "[Tunnel]\nLocal = 192.0.2.1\n"
	      "[Peer]\nEndpoint = 198.51.100.4\nPSK = file:/etc/esptun/tunnel.psk\n"
	      "Routes = 10.5.0.0/16, 10.6.0.0/16\n"
	      "Selectors = 10.8.0.0/16 = 10.5.0.0/16, 10.8.0.0/16 = 10.6.0.0/16\n"
	      "Crypto = ike:aes256gcm16-prfsha512-ecp256, esp:aes256-sha256-modp2048-pfs\n"
	      "Encap = udp\nRekey = 4h, 471m\nStart = traffic\n");
	says("right is taken for this machine; --local left says otherwise");
	means("l2tp.conf",
	      "[Tunnel]\nLocal = 192.0.2.1\n"
	      "[Peer]\nEndpoint = 198.51.100.9\nPSK = file:/etc/esptun/l2tp.psk\n"
	      "Selectors = any:udp:1701 = any:udp\nStart = listen\nMode = transport\n");
	says("l2tp: Start = listen, so that the peer begins; with now or traffic this end does");
	assert_string_equal(written("l2tp.psk"), "\"for whoever has none\"\n");
	says("there is no IKEv1");
	says("there are no policies");
	assert_int_equal(result.conns, 2);
	assert_int_equal(result.refused, 2);
	forget();
}

static void ipsec_certificates(void **state)
{
	struct party p;

	(void)state;
	make_party(&p, NULL);
	put_file("/etc/ipsec.d/certs/moon.pem", p.leaf_pem.base, p.leaf_pem.len);
	put_file("/etc/ipsec.d/cacerts/a.pem", p.ca_pem.base, p.ca_pem.len);
	put_file("/etc/ipsec.d/cacerts/b.pem", p.other_pem.base, p.other_pem.len);
	put_file("/etc/ipsec.d/private/moon.pem", p.key_pem.base, p.key_pem.len);
	put_text("/etc/ipsec.secrets", ": ECDSA moon.pem\ncarol : EAP \"very secret words\"\n");
	import_good(
		IMPORT_IPSEC_CONF, "/etc/ipsec.conf",
		"conn rw\n"
		"	left=%any\n	leftcert=moon.pem\n	leftid=moon.example.org\n"
		"	leftsubnet=10.1.0.0/16\n"
		"	right=%any\n	rightid=*.example.org\n	rightca=\"C=CH, O=Other, CN=root\"\n"
		"	rightsourceip=10.3.0.0/24\n	rightdns=10.1.0.53\n"
		"	auto=add\n"
		"conn home\n"
		"	left=%any\n	leftsourceip=%config\n	leftauth=eap-mschapv2\n	eap_identity=carol\n"
		"	right=gw.example.org\n	rightauth=pubkey\n	rightsubnet=0.0.0.0/0\n"
		"	auto=start\n");
	means("rw.conf",
	      "[Tunnel]\nLocalID = moon.example.org\nKey = /etc/esptun/rw.key\nCert = /etc/esptun/rw.crt\n"
	      "[Peer]\nRemoteID = *.example.org\nCA = /etc/esptun/rw.ca\nRoutes = 10.3.0.0/24\n"
	      "Selectors = 10.1.0.0/16 = any\nClients = 100\n"
	      "[Pool]\nRange = 10.3.0.0/24\nDNS = 10.1.0.53\n");
	assert_memory_equal(written("rw.key"), p.key_pem.base, p.key_pem.len);
	assert_int_equal(strlen(written("rw.ca")), p.other_pem.len);
	assert_memory_equal(written("rw.ca"), p.other_pem.base, p.other_pem.len);
	means("home.conf",
	      "[Tunnel]\nAddress = request\nEAP = carol\nPassword = file:/etc/esptun/home.password\n"
	      "[Peer]\nEndpoint = gw.example.org\nRemoteID = gw.example.org\nCA = /etc/esptun/home.ca\n"
	      "Selectors = any = 0.0.0.0/0\nStart = now\n");
	assert_string_equal(written("home.password"), "\"very secret words\"\n");
	says("RemoteID is its address, gw.example.org");
	says("0.0.0.0/0 has no route, as the tunnel's own packets would go there, too");
	free_party(&p);
	forget();
}

static void ipsec_grammar(void **state)
{
	static const struct {
		const char *text, *sentence;
	} rows[] = {
		{ "conn a\n	x\n", "/i:2: expected KEY=VALUE below conn NAME" },
		{ "	x=1\nconn a\n", "/i:1: expected KEY=VALUE below conn NAME" },
		{ "conn a\nfoo bar\n", "/i:2: expected conn NAME" },
		{ "conn a\n	also=b\n	auto=add\n",
		  "refers to conn.b, which is no section" },
		{ "conn a\n	also=b\nconn b\n	also=a\n", "and that to it" },
		{ "config setup\n	x=1\n", "there is no conn NAME" },
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(import_as(IMPORT_IPSEC_CONF, "/i", rows[i].text, false), -1);
		says(rows[i].sentence);
	}
	forget();
}

/* ---- wg-quick -------------------------------------------------------------------------- */

static const char wg[] = "[Interface]\n"
			 "PrivateKey = AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
			 "Address = 10.9.0.1/24, fd09::1/64\n"
			 "ListenPort = 51820\n"
			 "PostUp = iptables -A FORWARD -j ACCEPT\n"
			 "\n"
			 "[Peer] # the office\n"
			 "PublicKey = BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB=\n"
			 "AllowedIPs = 10.9.0.2/32, 10.2.0.7/16\n"
			 "Endpoint = [2001:db8::7]:51820\n"
			 "PersistentKeepalive = 25\n"
			 "\n"
			 "[Peer]\n"
			 "PublicKey = CCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCC=\n"
			 "AllowedIPs = 10.9.0.3/32\n";

static void wg_quick_peers(void **state)
{
	(void)state;
	import_good(IMPORT_WG_QUICK, "/etc/wireguard/wg0.conf", wg);
	means("wg0.conf",
	      "[Tunnel]\nAddress = 10.9.0.1/24, fd09::1/64\n"
	      "[Peer]\nEndpoint = 2001:db8::7\nPSK = file:/etc/esptun/wg0.psk\nKeepalive = 25\n"
	      "Routes = 10.9.0.2/32, 10.2.0.0/16\n"
	      "Selectors = any = 10.9.0.2/32, any = 10.2.0.0/16\n");
	means("wg0-2.conf", "[Tunnel]\nAddress = 10.9.0.1/24, fd09::1/64\n"
			    "[Peer]\nPSK = file:/etc/esptun/wg0-2.psk\n"
			    "Routes = 10.9.0.3/32\nSelectors = any = 10.9.0.3/32\n");
	assert_null(find_written("wg0.psk"));
	assert_null(strstr(said, "AAAA"));
	says("/etc/wireguard/wg0.conf:2: PrivateKey is left out: keys of WireGuard are of another protocol, and cannot be carried over");
	says("/etc/wireguard/wg0.conf:5: PostUp is left out: no commands are run");
	says("/etc/wireguard/wg0.conf:8: PublicKey is left out");
	says("/etc/wireguard/wg0.conf:10: the port 51820 is left out");
	says("/etc/esptun/wg0.psk has to be made: (umask 077; esptun keygen >FILE)");
	says("each of the 2 peers has a netdevice of its own");
	assert_int_equal(import_as(IMPORT_WG_QUICK, "/etc/wireguard/wg0.conf", wg, true), 0);
	assert_string_equal(written("wg0.psk"),
			    "base64:bmV2ZXIgdXNlIHRoaXMgb25lLCBpdCBpcyBwdWJsaWM=\n");
	says("/etc/esptun/wg0.psk is a new key");
	forget();
}

/* A peer of which nothing is said may send nothing in WireGuard; here it would be everything. */
static void wg_quick_nothing(void **state)
{
	(void)state;
	import_good(
		IMPORT_WG_QUICK, "/etc/wireguard/wg0.conf",
		"[Interface]\nAddress = 10.9.0.1/24\n[Peer]\nEndpoint = 192.0.2.2:51820\nAllowedIPs =\n"
		"[Peer]\nEndpoint = 192.0.2.3:51820\n");
	assert_int_equal(result.conns, 0);
	assert_int_equal(result.refused, 2);
	says("there are no AllowedIPs");
	forget();
}

static void wg_quick_everything(void **state)
{
	(void)state;
	import_good(
		IMPORT_WG_QUICK, "home.conf",
		"[Interface]\nPrivateKey = x\nAddress = 10.9.0.2/32\nDNS = 10.9.0.1\nMTU = 1380\n"
		"[Peer]\nPublicKey = y\nPresharedKey = z\nAllowedIPs = 0.0.0.0/0, ::/0\nEndpoint = vpn.example.org:443\n");
	means("home.conf",
	      "[Tunnel]\nAddress = 10.9.0.2/32\nMTU = 1380\nFwMark = 51820\nTable = 51820\n"
	      "[Peer]\nEndpoint = vpn.example.org\nPSK = file:/etc/esptun/home.psk\n"
	      "Routes = 0.0.0.0/0, ::/0\nSelectors = any = 0.0.0.0/0, any = ::/0\n");
	says("ip rule add not fwmark 51820 table 51820; ip rule add table main suppress_prefixlength 0");
	assert_int_equal(import_as(IMPORT_WG_QUICK, "w", "[Peer]\nAllowedIPs = any\n", false), -1);
	says("there is no section [Interface]");
	import_good(IMPORT_WG_QUICK, "w",
		    "[Interface]\n[Peer]\nAllowedIPs = 10.0.0.0/8 x\n[Peer]\n");
	assert_int_equal(result.refused, 2);
	says("x is no selector");
	forget();
}

/* ---- limits ---------------------------------------------------------------------------- */

/* A file that does not fit is not cut: a selector that was cut would be a wider one. */
static void long_files_are_refused(void **state)
{
	char *text = malloc(1 << 20);
	size_t n = 0;

	(void)state;
	assert_non_null(text);
	n += (size_t)sprintf(
		text,
		"connections { a { local { auth = psk }\n remote { auth = psk }\n children {\n");
	for (unsigned int i = 0; i < 32; i++) {
		n += (size_t)sprintf(text + n, "c%u { local_ts = ", i);
		for (unsigned int k = 0; k < 16; k++)
			n += (size_t)sprintf(text + n, "2001:db8:1111:2222:3333:%u:%u:0/120,", i,
					     k);
		n += (size_t)sprintf(
			text + n,
			"\nremote_ts = 2001:db8:1111:2222:4444:%u::/96,2001:db8:1111:2222:5555:%u::/96\n}\n",
			i, i);
	}
	sprintf(text + n, "} } }\n");
	import_good(IMPORT_SWANCTL, "/s", text);
	assert_int_equal(result.refused, 1);
	says("a.conf would be longer than 65536 bytes");
	free(text);
	forget();
}

/* Templates of templates: what they would make is counted, not made. */
static void templates_are_bounded(void **state)
{
	char *text = malloc(1 << 20);
	size_t n = 0;

	(void)state;
	assert_non_null(text);
	n += (size_t)sprintf(text, "connections { }\nt0 { ");
	for (unsigned int i = 0; i < 400; i++)
		n += (size_t)sprintf(text + n, "k%u = 1\n", i);
	n += (size_t)sprintf(text + n, "}\n");
	for (unsigned int i = 1; i < 400; i++)
		n += (size_t)sprintf(text + n, "t%u { a : t%u { }\n b : t%u { } }\n", i, i - 1,
				     i - 1);
	assert_int_equal(import_as(IMPORT_SWANCTL, "/s", text, false), -1);
	says("there are more than 20000 lines and sections in all");
	free(text);
}

static void names_are_of_netdevices(void **state)
{
	char text[2048];
	size_t n = 0;

	(void)state;
	n += (size_t)sprintf(text + n, "connections {\n");
	for (unsigned int i = 0; i < 3; i++)
		n += (size_t)sprintf(
			text + n,
			"a-very-long-name-of-%u { local { auth = psk }\n remote { auth = psk } }\n",
			i);
	sprintf(text + n, "../x { local { auth = psk }\n remote { auth = psk } }\n}\n");
	import_good(IMPORT_SWANCTL, "/s", text);
	written("a-very-long-nam.conf");
	written("a-very-long-n-2.conf");
	written("a-very-long-n-3.conf");
	written("x.conf");
	says("a-very-long-name-of-0 becomes a-very-long-nam: a netdevice cannot have that name");
	forget();
}

static void kinds_are_told_apart(void **state)
{
	static const struct {
		const char *text;
		enum import_kind kind;
	} rows[] = {
		{ "", IMPORT_UNKNOWN },
		{ "[Tunnel]\nLocalID = a\n", IMPORT_UNKNOWN },
		{ "  # x\n\tconn a\n", IMPORT_IPSEC_CONF },
		{ "[interface]\n", IMPORT_WG_QUICK },
		{ "x\nsecrets{", IMPORT_SWANCTL },
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(import_detect((const uint8_t *)rows[i].text, strlen(rows[i].text)),
				 rows[i].kind);
	assert_string_equal(import_kind_name(IMPORT_PKCS12), "pkcs12");
	assert_null(import_kind_name(IMPORT_UNKNOWN));
}

static void keep_report(void *ctx, bool error, unsigned int line, const char *text)
{
	(void)ctx;
	(void)error;
	(void)line;
	snprintf(said, sizeof(said), "%s", text);
}

/* What strongSwan has as a token has no counterpart, which those are told who try. */
static void tokens_are_refused(void **state)
{
	static const char text[] =
		"[Tunnel]\nKey = pkcs11:token=a;object=b\n[Peer]\nPublicKey = /a\n";
	const struct config_report report = { keep_report, NULL };
	struct config c;

	(void)state;
	assert_int_equal(config_parse("vpn", text, strlen(text), &c, &report), -1);
	says("Key: keys in tokens (PKCS#11) are not used");
	*said = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(swanctl_sites),	 cmocka_unit_test(swanctl_templates),
		cmocka_unit_test(swanctl_certificates),	 cmocka_unit_test(swanctl_clients),
		cmocka_unit_test(swanctl_refused),	 cmocka_unit_test(later_lines_count),
		cmocka_unit_test(parts_of_a_conn),	 cmocka_unit_test(swanctl_grammar),
		cmocka_unit_test(names_have_case),	 cmocka_unit_test(only_keys_are_copied),
		cmocka_unit_test(ipsec_sites),		 cmocka_unit_test(ipsec_libreswan),
		cmocka_unit_test(ipsec_certificates),	 cmocka_unit_test(ipsec_grammar),
		cmocka_unit_test(wg_quick_peers),	 cmocka_unit_test(wg_quick_nothing),
		cmocka_unit_test(wg_quick_everything),	 cmocka_unit_test(long_files_are_refused),
		cmocka_unit_test(templates_are_bounded), cmocka_unit_test(names_are_of_netdevices),
		cmocka_unit_test(kinds_are_told_apart),	 cmocka_unit_test(tokens_are_refused),
	};

	return cmocka_run_group_tests_name("import", tests, NULL, NULL);
}
