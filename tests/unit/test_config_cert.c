// SPDX-License-Identifier: GPL-2.0-or-later
/* Private and public keys, certificates and authorities of a configuration. */
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
#include <unistd.h>

#include "cert_maker.h"
#include "ike/app/config/config.h"
#include "ike/proto/names.h"
#include "some_config.h"

#define PUBLIC_KEY "hex:302a300506032b6570032100" KEY_64
#define KEY_64 "7d4d0e7f6153a69b6242b522abbee685fda4420f8834b108c3bdae369ef549fa"

static void public_keys(void **state)
{
	struct ike_iov key;
	struct config c;

	(void)state;
	accepted("[Tunnel]\nKey = /etc/esptun/hq.key\n[Peer]\nPublicKey = /etc/esptun/peer.pub\n",
		 &c);
	assert_string_equal(c.key_file, "/etc/esptun/hq.key");
	assert_string_equal(c.public_file, "/etc/esptun/peer.pub");
	assert_int_equal(c.local_auth.method, IKE_METHOD_SIGNATURE);
	assert_int_equal(c.remote_auth.method, IKE_METHOD_SIGNATURE);
	config_clear(&c);
	accepted("[Tunnel]\nKey = file:/k\nLocalAuth = pubkey\n[Peer]\n" PSK_LINE
		 "Signatures = pss\n",
		 &c);
	assert_string_equal(c.key_file, "/k");
	assert_int_equal(c.local_auth.method, IKE_METHOD_SIGNATURE);
	assert_int_equal(c.remote_auth.method, IKE_METHOD_PSK);
	assert_int_equal(c.signatures, IKE_SIG_PSS);
	config_clear(&c);
	accepted("[Peer]\n" PSK_LINE "RemoteAuth = pubkey\nPublicKey = " PUBLIC_KEY "\n", &c);
	assert_int_equal(c.local_auth.method, IKE_METHOD_PSK);
	assert_int_equal(c.remote_auth.method, IKE_METHOD_SIGNATURE);
	assert_true(
		ike_cred_find(&(struct ike_creds){ c.creds, c.n_creds }, IKE_CRED_PEER_KEY, &key));
	assert_int_equal(key.len, 44);
	config_clear(&c);
	accepted(
		"[Tunnel]\nKey = /k\n[Peer]\n"
		"PublicKey = base64:MCowBQYDK2VwAyEAfU0Of2FTpptiQrUiq77mhf2kQg+INLEIw72uNp71Sfo=\n",
		&c);
	assert_int_equal(c.n_creds, IKE_CRED_HEAD + 44);
	config_clear(&c);
}

/* Which of two keys an end proves is not guessed at, and what lacks is named. */
static void wrong_public_keys(void **state)
{
	static const struct {
		const char *text, *said;
	} rows[] = {
		{ "[Tunnel]\nKey = /k\n[Peer]\n" PSK_LINE,
		  "4: PSK, and Key in line 2: expected LocalAuth = psk or pubkey, which says what we prove who we are by" },
		{ "[Peer]\n" PSK_LINE "PublicKey = /p\n",
		  "2: PSK, and PublicKey in line 3: expected RemoteAuth = psk or pubkey, which says what the peer has to prove who it is by" },
		{ "[Tunnel]\nKey = /k\n",
		  "lacks PublicKey in [Peer], the peer's public key, or CA, who certifies it; or PSK" },
		{ "[Peer]\nPublicKey = /p\n", "lacks Key in [Tunnel], our private key; or PSK" },
		{ "[Tunnel]\nLocalAuth = pubkey\n[Peer]\n" PSK_LINE,
		  "2: LocalAuth = pubkey needs Key in [Tunnel], our private key" },
		{ "[Peer]\nRemoteAuth = pubkey\n" PSK_LINE,
		  "2: RemoteAuth = pubkey needs PublicKey in [Peer], the peer's public key, or CA" },
		{ "[Peer]\nRemoteAuth = gss\n",
		  "RemoteAuth = gss: expected psk, pubkey, eap or eap-only" },
		{ "[Peer]\n" PSK_LINE "Signatures = pss\n",
		  "3: Signatures is for public keys: expected Key in [Tunnel], or PublicKey or CA in [Peer], too" },
		{ "[Peer]\nSignatures = sha1, pss\n", "Signatures = sha1, pss: expected sha1" },
		{ "[Peer]\nSignatures = md5\n", "Signatures = md5: expected sha1" },
		{ "[Tunnel]\nKey = /k\n[Peer]\nClients = 5\nPublicKey = /p\n",
		  "5: PublicKey is of one peer, but Clients = 5: expected CA, PSK, or Secrets, for clients" },
		{ "[Tunnel]\nCert = /c\n[Peer]\n" PSK_LINE,
		  "2: Cert needs Key, the private key that belongs to it" },
		{ "[Tunnel]\nKey = /k\n[Peer]\nRemoteID = a.example\nPublicKey = /p\nCA = /c\n",
		  "6: CA, and PublicKey in line 5: expected one of them" },
		{ "[Tunnel]\nKey = /k\n[Peer]\nCA = /c\n",
		  "4: CA: each of its certificates could be the peer's: expected RemoteID in [Peer], too" },
		{ "[Peer]\nRemoteID = any\n" PSK_LINE "CA = /c\n",
		  "3: PSK, and CA in line 4: expected RemoteAuth = psk or pubkey" },
		{ "[Tunnel]\nKey = /k\nLocalAuth = pubkey\n[Peer]\nClients = 5\nRemoteID = any\nCA = /c\nSecrets = /s\n",
		  "8: Secrets, and CA in line 7: expected RemoteAuth = psk or pubkey" },
		{ "[Tunnel]\nKey = /k\nLocalAuth = pubkey\n[Peer]\nClients = 5\nRemoteID = any\nCA = /c\n[Client a.example]\n" PSK_LINE,
		  "8: PSK of [Client ID], and CA in line 7: expected RemoteAuth = psk or pubkey" },
		{ "[Tunnel]\nKey = /k # ours\n",
		  "2: Key: expected the /PATH of a private key alone" },
		{ "[Peer]\nPublicKey = hex:3000\n",
		  "PublicKey = hex:3000: the key is no public key" },
		{ "[Peer]\nPublicKey = hex:30g0\n", "the key is wrong: expected hex:" },
		{ "[Peer]\nPublicKey = base64:MCow\n", "the key is no public key" },
	};

	struct config c;

	(void)state;
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		refused(rows[i].text, rows[i].said);
	/* It may be a PSK that was put there, and is not shown. */
	refused("[Tunnel]\nKey = hunter2\n", "2: Key: expected the /PATH");
	assert_null(strstr(said, "hunter2"));
	accepted("[Peer]\n" PSK_LINE "RemoteAuth = pubkey\nPublicKey = /p\nSignatures = sha1\n",
		 &c);
	assert_non_null(strstr(said, "5: warning: Signatures: sha1 is broken"));
	config_clear(&c);
	accepted("[Tunnel]\nKey = /k\nLocalAuth = pubkey\n[Peer]\n" PSK_LINE
		 "RemoteAuth = pubkey\nPublicKey = /p\n",
		 &c);
	assert_non_null(strstr(said, "5: warning: PSK is used by neither end"));
	config_clear(&c);
}

static void files_of_key_pairs(void **state)
{
	char conf[128], key[128], public[128], text[512];
	struct config c;

	(void)state;
	make_dir();
	write_file("hq.key", 0600, PRIVATE_PEM, key, sizeof(key));
	write_file("peer.pub", 0644, PUBLIC_PEM, public, sizeof(public)); /* others may read it */
	snprintf(text, sizeof(text), "[Tunnel]\nKey = %s\n[Peer]\nPublicKey = %s\n", key, public);
	write_file("hq.conf", 0644, text, conf, sizeof(conf));
	assert_int_equal(load(conf, &c), 0);
	assert_string_equal(said, "");
	assert_int_equal(c.n_private, 48);
	assert_int_equal(c.n_creds, 2 * (IKE_CRED_HEAD + 44));
	config_clear(&c);

	assert_int_equal(chmod(public, 0664), 0);
	assert_int_equal(load(conf, &c), -1);
	assert_non_null(strstr(
		said, "peer.pub says whom to trust and can be written by others (mode 0664): run"));
	assert_int_equal(chmod(public, 0644), 0);
	if (!geteuid()) {
		assert_int_equal(chown(public, 65534, 0), 0);
		assert_int_equal(load(conf, &c), -1);
		assert_non_null(strstr(
			said,
			"peer.pub says whom to trust and belongs to another user (uid 65534)"));
		assert_int_equal(chown(public, 0, 0), 0);
	}
	assert_int_equal(chmod(key, 0640), 0);
	assert_int_equal(load(conf, &c), -1);
	assert_non_null(strstr(said, "hq.key holds a key and can be read by others (mode 0640)"));
	write_file("hq.key", 0600, PUBLIC_PEM, key, sizeof(key));
	assert_int_equal(load(conf, &c), -1);
	assert_non_null(strstr(said, "hq.key is no private key in PEM"));
	write_file("hq.key", 0600, ENCRYPTED_PEM, key, sizeof(key));
	assert_int_equal(load(conf, &c), -1);
	assert_non_null(strstr(said, "hq.key is "));
	write_file("hq.key", 0600, PRIVATE_PEM, key, sizeof(key));
	write_file("peer.pub", 0644, PRIVATE_PEM, public, sizeof(public));
	assert_int_equal(load(conf, &c), -1);
	assert_non_null(strstr(said, "peer.pub is no public key"));
	unlink(key);
	assert_int_equal(load(conf, &c), -1);
	assert_non_null(strstr(said, "cannot read the key file"));
	unlink(public);
	unlink(conf);
	rmdir(dir);
}

static void files_of_certificates(void **state)
{
	const struct recipe of_root = {
		.subject = "O=Example, CN=root",
		.from = time(NULL) - MAKER_DAY,
		.until = time(NULL) + 100 * MAKER_DAY,
		.ext = { "basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign" },
	};
	struct made root = maker_cert(&of_root);
	struct made leaf = leaf_now("CN=hq", &root, "subjectAltName=DNS:hq.example");
	struct made other = leaf_now("CN=other", &root, "subjectAltName=DNS:other.example");
	char conf[128], key[128], cert[128], ca[128], sub[160], text[1024], id[300];
	struct config c;

	(void)state;
	make_dir();
	write_key("hq.key", &leaf, key, sizeof(key));
	write_certs("hq.crt", (const struct made *[]){ &leaf, NULL }, cert, sizeof(cert));
	write_certs("root.crt", (const struct made *[]){ &root, NULL }, ca, sizeof(ca));
	snprintf(text, sizeof(text),
		 "[Tunnel]\nKey = %s\nCert = %s\n[Peer]\nRemoteID = peer.example\nCA = %s\n", key,
		 cert, ca);
	write_file("hq.conf", 0644, text, conf, sizeof(conf));
	assert_int_equal(load(conf, &c), 0);
	assert_string_equal(said, "");
	assert_int_equal(c.local_auth.method, IKE_METHOD_SIGNATURE);
	assert_int_equal(c.remote_auth.method, IKE_METHOD_SIGNATURE);
	assert_string_equal(ike_id_print(id, sizeof(id), &c.local_id), "hq.example");
	config_clear(&c);

	/* A folder of CAs; what is no certificate by its name is not read. */
	unlink(cert);
	write_certs("hq.chain", (const struct made *[]){ &leaf, NULL }, cert, sizeof(cert));
	snprintf(
		text, sizeof(text),
		"[Tunnel]\nLocalID = hq.example\nKey = %s\nCert = %s\n[Peer]\nRemoteID = any\nCA = %s\n",
		key, cert, dir);
	write_file("hq.conf", 0644, text, conf, sizeof(conf));
	assert_int_equal(load(conf, &c), 0);
	config_clear(&c);

	/* Who may write there could make CAs. */
	assert_int_equal(chmod(ca, 0646), 0);
	assert_int_equal(load(conf, &c), -1);
	assert_non_null(strstr(said, "root.crt says whom to trust and can be written by others"));
	assert_int_equal(chmod(ca, 0644), 0);
	assert_int_equal(chmod(dir, 0770), 0);
	assert_int_equal(load(conf, &c), -1);
	assert_non_null(
		strstr(said, " says whom to trust and can be written by others (mode 0770)"));
	assert_int_equal(chmod(dir, 0700), 0);

	/* Another identity, another key, no CA, nothing there. */
	snprintf(
		text, sizeof(text),
		"[Tunnel]\nLocalID = x.example\nKey = %s\nCert = %s\n[Peer]\nRemoteID = any\nCA = %s\n",
		key, cert, ca);
	write_file("hq.conf", 0644, text, conf, sizeof(conf));
	assert_int_equal(load(conf, &c), -1);
	assert_non_null(strstr(
		said, "LocalID is 'x.example', but the certificate is for 'hq.example', 'CN=hq'"));
	write_certs("hq.chain", (const struct made *[]){ &other, NULL }, cert, sizeof(cert));
	assert_int_equal(load(conf, &c), -1);
	assert_non_null(strstr(said, "hq.chain: "));
	write_certs("hq.chain", (const struct made *[]){ &leaf, NULL }, cert, sizeof(cert));
	write_certs("root.crt", (const struct made *[]){ &other, NULL }, ca, sizeof(ca));
	snprintf(text, sizeof(text),
		 "[Tunnel]\nKey = %s\nCert = %s\n[Peer]\nRemoteID = any\nCA = %s\n", key, cert, ca);
	write_file("hq.conf", 0644, text, conf, sizeof(conf));
	assert_int_equal(load(conf, &c), -1);
	assert_non_null(strstr(said, "CN=other"));
	unlink(ca);
	assert_int_equal(load(conf, &c), -1);
	assert_non_null(strstr(said, "cannot read the key file"));
	snprintf(sub, sizeof(sub), "%s/empty", dir);
	assert_int_equal(mkdir(sub, 0755), 0);
	snprintf(text, sizeof(text),
		 "[Tunnel]\nKey = %s\nCert = %s\n[Peer]\nRemoteID = any\nCA = %s\n", key, cert,
		 sub);
	write_file("hq.conf", 0644, text, conf, sizeof(conf));
	assert_int_equal(load(conf, &c), -1);
	assert_non_null(strstr(said, "empty has no file NAME.pem"));
	rmdir(sub);
	unlink(key);
	unlink(cert);
	unlink(conf);
	rmdir(dir);
	maker_free(&root);
	maker_free(&leaf);
	maker_free(&other);
}

/* The configuration of an end with this certificate, and with @local_id, lines of [Tunnel]. */
static int load_leaf(const struct made *leaf, const char *local_id, struct config *c)
{
	char conf[128], key[128], cert[128], text[1024];
	int err;

	make_dir();
	write_key("hq.key", leaf, key, sizeof(key));
	write_certs("hq.crt", (const struct made *[]){ leaf, NULL }, cert, sizeof(cert));
	snprintf(text, sizeof(text),
		 "[Tunnel]\n%sKey = %s\nCert = %s\nLocalAuth = pubkey\n[Peer]\n" PSK_LINE
		 "RemoteAuth = psk\n",
		 local_id, key, cert);
	write_file("hq.conf", 0600, text, conf, sizeof(conf));
	err = load(conf, c);
	unlink(key);
	unlink(cert);
	unlink(conf);
	rmdir(dir);
	return err;
}

static void the_identity_of_a_certificate_is_ours(void **state)
{
	static const uint8_t utf8[] = { 0x30, 0x0d, 0x31, 0x0b, 0x30, 9,   6,  3,
					0x55, 4,    3,	  0x0c, 2,    'H', 'Q' };
	struct made root = maker_ca("CN=root", NULL);
	struct made both = leaf_now("dn:0x300d310b300906035504030c024851", &root,
				    "subjectAltName=DNS:*.example.org,DNS:hq.example.org");
	struct made wild = leaf_now("", &root, "subjectAltName=DNS:*.example.org");
	struct config c;
	char id[300];

	(void)state;
	/* A wildcard is the name of nobody. */
	assert_int_equal(load_leaf(&both, "", &c), 0);
	assert_string_equal(ike_id_print(id, sizeof(id), &c.local_id), "hq.example.org");
	config_clear(&c);
	assert_int_equal(load_leaf(&wild, "", &c), -1);
	assert_non_null(strstr(
		said, "the certificate is for '*.example.org', and for no one name: expected a"));
	/* The peer sees the same bytes in the ID payload and in the certificate. */
	assert_int_equal(load_leaf(&both, "LocalID = CN=hq\n", &c), 0);
	assert_int_equal(c.local_id.len, sizeof(utf8));
	assert_memory_equal(c.local_id.data, utf8, sizeof(utf8));
	config_clear(&c);
	maker_free(&root);
	maker_free(&both);
	maker_free(&wild);
}

/* Which file of CA= has which, and how it is called, is no other configuration. */
static void files_of_authorities_have_no_order(void **state)
{
	struct made one = maker_ca("CN=one", NULL), two = maker_ca("CN=two", NULL);
	char conf[128], first[128], last[128], text[1024];
	struct config c, again;

	(void)state;
	make_dir();
	write_certs("b.crt", (const struct made *[]){ &one, NULL }, last, sizeof(last));
	write_certs("a.crt", (const struct made *[]){ &two, NULL }, first, sizeof(first));
	snprintf(text, sizeof(text),
		 "[Tunnel]\nLocalAuth = psk\n[Peer]\nRemoteID = any\n" PSK_LINE
		 "RemoteAuth = pubkey\nCA = %s\n",
		 dir);
	write_file("hq.conf", 0600, text, conf, sizeof(conf));
	assert_int_equal(load(conf, &c), 0);
	write_certs("b.crt", (const struct made *[]){ &two, NULL }, last, sizeof(last));
	write_certs("a.crt", (const struct made *[]){ &one, NULL }, first, sizeof(first));
	assert_int_equal(load(conf, &again), 0);
	assert_int_equal(c.n_creds, one.der.len + two.der.len + 2 * IKE_CRED_HEAD);
	assert_int_equal(again.n_creds, c.n_creds);
	assert_memory_equal(again.creds, c.creds, c.n_creds);
	config_clear(&c);
	config_clear(&again);
	unlink(first);
	unlink(last);
	unlink(conf);
	rmdir(dir);
	maker_free(&one);
	maker_free(&two);
}

/* The key in @key, encrypted with "correct horse". */
static void write_encrypted(const char *name, const struct made *of, char *path, size_t size)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char text[8192] = "", phrase[] = "correct horse", *pem;
	long len;

	assert_int_equal(PEM_write_bio_PKCS8PrivateKey(bio, of->key, EVP_aes_256_cbc(), phrase, 13,
						       NULL, NULL),
			 1);
	len = BIO_get_mem_data(bio, &pem);
	assert_in_range(len, 1, sizeof(text) - 1);
	memcpy(text, pem, (size_t)len);
	write_file(name, 0600, text, path, size);
	BIO_free(bio);
}

static void passphrases(void **state)
{
	static const struct {
		const char *value, *text;
		mode_t mode;
		const char *said; /* NULL: it opens the key */
	} rows[] = {
		{ "file:%s/phrase", "correct horse", 0600, NULL },
		{ "file:%s/phrase", "correct horse\n", 0600, NULL },
		{ "file:%s/phrase", "correct horse\r\nbattery\n", 0400, NULL },
		{ "cred:phrase", "correct horse\n", 0400, NULL },
		{ "file:%s/phrase", "correct horse \n", 0600,
		  "the passphrase of KeyPassphrase is another one" },
		{ "file:%s/phrase", "\ncorrect horse\n", 0600,
		  "cannot be opened: expected a passphrase in the first line of" },
		{ "file:%s/phrase", "", 0600,
		  "cannot be opened: expected a passphrase in the first line of" },
		{ "file:%s/phrase", "correct horse", 0640,
		  "phrase holds a key and can be read by others (mode 0640)" },
		{ "file:%s/none", "", 0600, "its passphrase cannot be read from" },
		{ "cred:none", "", 0600, "its passphrase cannot be read from" },
	};
	struct made root = maker_ca("CN=root", NULL);
	char conf[128], key[128], phrase[128], value[128], text[512];
	struct config c;

	(void)state;
	make_dir();
	write_encrypted("hq.key", &root, key, sizeof(key));
	assert_int_equal(setenv("CREDENTIALS_DIRECTORY", dir, 1), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		write_file("phrase", rows[i].mode, rows[i].text, phrase, sizeof(phrase));
		snprintf(value, sizeof(value), rows[i].value, dir);
		snprintf(
			text, sizeof(text),
			"[Tunnel]\nKey = %s\nKeyPassphrase = %s\nLocalAuth = pubkey\n[Peer]\n" PSK_LINE
			"RemoteAuth = psk\n",
			key, value);
		write_file("hq.conf", 0600, text, conf, sizeof(conf));
		assert_int_equal(load(conf, &c), rows[i].said ? -1 : 0);
		if (rows[i].said ? !strstr(said, rows[i].said) : *said)
			fail_msg("row %zu: %s", i, said);
		assert_null(strstr(said, "horse"));
		if (!rows[i].said) {
			assert_true(c.n_private > 100);
			config_clear(&c);
		}
		unlink(phrase);
	}
	unsetenv("CREDENTIALS_DIRECTORY");
	assert_int_equal(load(conf, &c), -1);
	assert_non_null(strstr(said, "expected LoadCredential=none:/PATH in the unit of esptund"));
	unlink(key);
	unlink(conf);
	rmdir(dir);
	maker_free(&root);
	refused("[Tunnel]\nKey = /k\nKeyPassphrase = hunter2\n[Peer]\nPublicKey = /p\n",
		"3: KeyPassphrase: expected file:/PATH or cred:NAME, where the passphrase of Key is");
	assert_null(strstr(said, "hunter2"));
	refused("[Tunnel]\nKey = /k\nKeyPassphrase = cred:../etc/x\n[Peer]\nPublicKey = /p\n",
		"3: KeyPassphrase: expected file:/PATH or cred:NAME");
	refused("[Tunnel]\nKeyPassphrase = cred:x\n[Peer]\n" PSK_LINE,
		"2: KeyPassphrase needs Key, the private key that it opens");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(public_keys),
		cmocka_unit_test(wrong_public_keys),
		cmocka_unit_test(files_of_key_pairs),
		cmocka_unit_test(files_of_certificates),
		cmocka_unit_test(the_identity_of_a_certificate_is_ours),
		cmocka_unit_test(files_of_authorities_have_no_order),
		cmocka_unit_test(passphrases),
	};

	return cmocka_run_group_tests_name("config_cert", tests, NULL, NULL);
}
