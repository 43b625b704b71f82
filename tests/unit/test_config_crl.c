// SPDX-License-Identifier: GPL-2.0-or-later
/* Revocation=, CRL= and OCSP= of a configuration. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cert_maker.h"
#include "ike/app/config/config.h"
#include "some_config.h"

#define BY_CA "[Tunnel]\nKey = /k\n[Peer]\nRemoteID = any\nCA = /ca\n"

/* Nobody is locked out who did not ask for anything; who has CRLs goes by them. */
static void whether_revocation_is_asked(void **state)
{
	static const struct {
		const char *text;
		enum pki_revocation is;
		const char *said;
	} rows[] = {
		{ "", PKI_REVOCATION_IFURI, "" },
		{ "Fetch = no\n", PKI_REVOCATION_OFF, "" },
		{ "CRL = /crls\n", PKI_REVOCATION_IFURI, "" },
		{ "Revocation = off\n", PKI_REVOCATION_OFF, "" },
		{ "CRL = file:/crls\nRevocation = ifuri\n", PKI_REVOCATION_IFURI, "" },
		{ "CRL = /crls\nRevocation = Strict\n", PKI_REVOCATION_STRICT, "" },
		{ "Revocation = ifuri\nFetch = no\n", PKI_REVOCATION_IFURI,
		  "6: warning: Revocation = ifuri with Fetch = no and without CRL: peers whose certificates name a CRL or an OCSP responder are refused, but for those that send an OCSP response with them" },
		{ "Revocation = strict\nFetch = no\n", PKI_REVOCATION_STRICT,
		  "6: warning: Revocation = strict with Fetch = no and without CRL: peers with certificates are refused, but for those that send an OCSP response with them" },
	};
	struct ike_tunnel_conf core;
	char text[256];
	struct config c;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(text, sizeof(text), BY_CA "%s", rows[i].text);
		accepted(text, &c);
		config_tunnel(&c, &core);
		assert_int_equal(c.revocation, rows[i].is);
		assert_int_equal(core.revocation, rows[i].is);
		assert_string_equal(config_paths(&c)->crl, strstr(text, "CRL =") ? "/crls" : "");
		if (*rows[i].said ? !strstr(said, rows[i].said) : *said)
			fail_msg("%s: %s", rows[i].text, said);
		config_clear(&c);
	}
	refused(BY_CA "Revocation = maybe\n",
		"6: Revocation = maybe: expected strict, ifuri or off");
	refused(BY_CA "CRL = crls\n",
		"6: CRL = crls: expected the /PATH of a file, or of a folder, with CRLs");
	refused(BY_CA "Revocation = off\nCRL = /crls\n",
		"7: CRL is not looked at with Revocation = off in line 6: expected one of them");
	refused("[Peer]\n" PSK_LINE "CRL = /crls\n",
		"CRL is about certificates of the peer: expected CA in [Peer], too");
	refused("[Peer]\n" PSK_LINE "Revocation = off\n",
		"Revocation is about certificates of the peer: expected CA in [Peer], too");
}

static void write_der(const char *name, const struct ike_iov *der, char *path, size_t size)
{
	FILE *f;

	write_file(name, 0644, "", path, size);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(der->base, 1, der->len, f), der->len);
	assert_int_equal(fclose(f), 0);
}

/* A CRL of now; @days it counts for. */
static struct ike_iov crl_now(const struct made *ca, int days)
{
	return maker_crl(&(struct crl_recipe){ .issuer = ca,
					       .from = time(NULL) - 9 * MAKER_DAY,
					       .until = time(NULL) + days * MAKER_DAY });
}

static void files_of_crls(void **state)
{
	struct made one = maker_ca("CN=one", NULL);
	struct ike_iov good = crl_now(&one, 5), late = crl_now(&one, -1);
	char conf[128], ca[128], crl[128], second[128], text[1024];
	struct ike_creds creds;
	struct ike_iov item;
	struct config c;

	(void)state;
	make_dir();
	write_certs("ca.crt", (const struct made *[]){ &one, NULL }, ca, sizeof(ca));
	write_der("a.crl", &good, crl, sizeof(crl));
	snprintf(text, sizeof(text),
		 "[Tunnel]\nLocalAuth = psk\n[Peer]\nRemoteID = any\n" PSK_LINE
		 "RemoteAuth = pubkey\nCA = %s\nCRL = %s\n",
		 ca, crl);
	write_file("hq.conf", 0600, text, conf, sizeof(conf));
	assert_int_equal(load(conf, &c), 0);
	assert_string_equal(said, "");
	creds = (struct ike_creds){ c.creds, c.n_creds };
	assert_true(ike_cred_find(&creds, IKE_CRED_CRL, &item));
	assert_int_equal(item.len, good.len);
	assert_true(ike_cred_find(&creds, IKE_CRED_CA, &item));
	assert_in_range(c.crl_due, time(NULL) + 4 * MAKER_DAY, time(NULL) + 6 * MAKER_DAY);
	config_clear(&c);
	/* One that is too old is taken, and told of. */
	write_der("a.crl", &late, crl, sizeof(crl));
	assert_int_equal(load(conf, &c), 0);
	assert_non_null(
		strstr(said, "a.crl: the CRL of 'CN=one' is too old: the next one was due on"));
	assert_non_null(strstr(said, "and this machine's clock says"));
	config_clear(&c);
	/* Whoever can write it can have anybody let in. */
	assert_int_equal(chmod(crl, 0664), 0);
	assert_int_equal(load(conf, &c), -1);
	assert_non_null(strstr(said, "can be written by others"));
	/* A certificate is no CRL, and where there is none, nothing goes on without. */
	write_certs("a.crl", (const struct made *[]){ &one, NULL }, crl, sizeof(crl));
	assert_int_equal(load(conf, &c), -1);
	assert_non_null(
		strstr(said, "expected a block BEGIN X509 CRL, and there is BEGIN CERTIFICATE"));
	unlink(crl);
	assert_int_equal(load(conf, &c), -1);
	assert_non_null(strstr(said, "cannot read"));
	/* A folder. */
	snprintf(text, sizeof(text),
		 "[Tunnel]\nLocalAuth = psk\n[Peer]\nRemoteID = any\n" PSK_LINE
		 "RemoteAuth = pubkey\nCA = %s\nCRL = %s\n",
		 ca, dir);
	write_file("hq.conf", 0600, text, conf, sizeof(conf));
	assert_int_equal(load(conf, &c), -1);
	assert_non_null(strstr(said, "has no file NAME.pem, .crl or .der"));
	write_der("a.crl", &good, crl, sizeof(crl));
	write_der("b.der", &good, second, sizeof(second));
	assert_int_equal(load(conf, &c), 0);
	assert_string_equal(said, "");
	assert_int_equal(c.n_creds, 2 * good.len + one.der.len + 3 * IKE_CRED_HEAD);
	config_clear(&c);
	unlink(ca);
	unlink(crl);
	unlink(second);
	unlink(conf);
	rmdir(dir);
	maker_free_der(&good);
	maker_free_der(&late);
	maker_free(&one);
}

static int load_crls(const char *conf, const struct config *known, struct config *out)
{
	said[0] = 0;
	return config_load_cert_status(conf, &known->cert_status_time, out, &report);
}

/* They are read again when a file is another one, and only then; what results is as if all had been read. */
static void crls_are_read_again(void **state)
{
	struct made one = maker_ca("CN=one", NULL);
	struct ike_iov first = crl_now(&one, 5), next = crl_now(&one, 6);
	char conf[128], ca[128], crl[128], text[1024], broken[128];
	struct config c, read, whole;

	(void)state;
	make_dir();
	write_certs("ca.crt", (const struct made *[]){ &one, NULL }, ca, sizeof(ca));
	write_der("a.crl", &first, crl, sizeof(crl));
	snprintf(text, sizeof(text),
		 "[Tunnel]\nLocalAuth = psk\n[Peer]\nRemoteID = any\n" PSK_LINE
		 "RemoteAuth = pubkey\nCA = %s\nCRL = %s\n",
		 ca, crl);
	write_file("hq.conf", 0600, text, conf, sizeof(conf));
	assert_int_equal(load(conf, &c), 0);
	assert_int_equal(load_crls(conf, &c, &read), 0);
	assert_null(read.creds);
	config_clear(&read);
	usleep(20000); /* a file's time is as coarse as the kernel's clock */
	write_der("a.crl", &next, crl, sizeof(crl));
	assert_int_equal(load_crls(conf, &c, &read), 1);
	assert_string_equal(said, "");
	assert_string_equal(config_paths(&read)->crl, crl);
	assert_int_equal(read.psk_len, 0);
	assert_int_equal(read.n_creds, next.len + IKE_CRED_HEAD);
	assert_int_equal(config_take_cert_status(&c, &read), 0);
	config_clear(&read);
	assert_int_equal(load(conf, &whole), 0);
	assert_true(config_equal(&c, &whole));
	config_clear(&whole);
	assert_int_equal(load_crls(conf, &c, &read), 0);
	config_clear(&read);
	/* What cannot be used is told of once. */
	usleep(20000);
	write_file("a.crl", 0644, "no CRL", broken, sizeof(broken));
	assert_int_equal(load_crls(conf, &c, &read), -1);
	assert_non_null(strstr(said, "a.crl: expected a CRL, PEM or DER"));
	assert_int_equal(read.n_creds, 0);
	c.cert_status_time = read.cert_status_time;
	config_clear(&read);
	assert_int_equal(load_crls(conf, &c, &read), 0);
	config_clear(&read);
	unlink(crl);
	assert_int_equal(load_crls(conf, &c, &read), -1);
	c.cert_status_time = read.cert_status_time;
	config_clear(&read);
	assert_int_equal(load_crls(conf, &c, &read), 0);
	config_clear(&read);
	config_clear(&c);
	unlink(ca);
	unlink(conf);
	rmdir(dir);
	maker_free_der(&first);
	maker_free_der(&next);
	maker_free(&one);
}

/* What stands before them, a user's name, stays where it is. */
static void crls_behind_a_name_are_read_again(void **state)
{
	struct made one = maker_ca("CN=one", NULL);
	struct ike_iov first = crl_now(&one, 5), next = crl_now(&one, 6);
	char conf[128], ca[128], crl[128], text[1024];
	struct config c, read, whole;

	(void)state;
	make_dir();
	write_certs("ca.crt", (const struct made *[]){ &one, NULL }, ca, sizeof(ca));
	write_der("a.crl", &first, crl, sizeof(crl));
	snprintf(text, sizeof(text),
		 "[Tunnel]\nEAP = alice\nPassword = long enough 7\n[Peer]\nEndpoint = 192.0.2.1\n"
		 "RemoteID = hub.example\nCA = %s\nCRL = %s\n",
		 ca, crl);
	write_file("hq.conf", 0600, text, conf, sizeof(conf));
	assert_int_equal(load(conf, &c), 0);
	usleep(20000); /* a file's time is as coarse as the kernel's clock */
	write_der("a.crl", &next, crl, sizeof(crl));
	assert_int_equal(load_crls(conf, &c, &read), 1);
	assert_int_equal(config_take_cert_status(&c, &read), 0);
	config_clear(&read);
	assert_int_equal(load(conf, &whole), 0);
	assert_true(config_equal(&c, &whole));
	config_clear(&whole);
	config_clear(&c);
	unlink(crl);
	unlink(ca);
	unlink(conf);
	rmdir(dir);
	maker_free_der(&first);
	maker_free_der(&next);
	maker_free(&one);
}

/* Ours: a response that is about another certificate, or says that it was revoked, is no use to anybody. */
static void a_file_with_a_response(void **state)
{
	struct made root = maker_ca("CN=root", NULL);
	struct made leaf = leaf_now("CN=hq", &root, "subjectAltName=DNS:hq.example");
	struct made other = leaf_now("CN=other", &root, "subjectAltName=DNS:other.example");
	const time_t now = time(NULL);
	const struct {
		struct ocsp_recipe r;
		int err;
		const char *said;
	} rows[] = {
		{ { .cert = &leaf, .from = now - 9, .until = now + 99 }, 0, "" },
		{ { .cert = &leaf, .from = now - 999, .until = now - 399 },
		  0,
		  "and this machine's clock says" },
		{ { .cert = &leaf, .from = now + 399, .until = now + 999 },
		  0,
		  "and this machine's clock says" },
		/* Clocks may differ by some minutes, for peers as for us. */
		{ { .cert = &leaf, .from = now - 99, .until = now - 9 }, 0, "" },
		{ { .cert = &leaf, .from = now + 99, .until = now + 999 }, 0, "" },
		{ { .cert = &other, .from = now - 9, .until = now + 99 },
		  -1,
		  "the OCSP response is not about the certificate 'CN=hq' of Cert=" },
		{ { .cert = &leaf, .status = 1, .from = now - 9, .until = now + 99 },
		  -1,
		  "the OCSP response does not say that the certificate 'CN=hq' is good" },
	};
	char conf[128], key[128], cert[128], file[128], text[1024];
	struct ike_iov response, item;
	struct config c, read;

	(void)state;
	make_dir();
	write_key("hq.key", &leaf, key, sizeof(key));
	write_certs("hq.crt", (const struct made *[]){ &leaf, NULL }, cert, sizeof(cert));
	snprintf(
		text, sizeof(text),
		"[Tunnel]\nKey = %s\nCert = %s\nOCSP = %s/hq.ocsp\nLocalAuth = pubkey\n[Peer]\n" PSK_LINE
		"RemoteAuth = psk\n",
		key, cert, dir);
	write_file("hq.conf", 0600, text, conf, sizeof(conf));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ocsp_recipe r = rows[i].r;

		r.issuer = &root;
		response = maker_ocsp(&r);
		write_der("hq.ocsp", &response, file, sizeof(file));
		assert_int_equal(load(conf, &c), rows[i].err);
		if (*rows[i].said ? !strstr(said, rows[i].said) : *said)
			fail_msg("row %zu: %s", i, said);
		if (!rows[i].err) {
			assert_true(ike_cred_find(&(struct ike_creds){ c.creds, c.n_creds },
						  IKE_CRED_OWN_OCSP, &item));
			assert_int_equal(item.len, response.len);
			config_clear(&c);
		}
		maker_free_der(&response);
	}
	/* And so if the file changes; c is of before. */
	response = maker_ocsp(&(struct ocsp_recipe){
		.issuer = &root, .cert = &leaf, .from = now - 9, .until = now + 99 });
	memset(&c, 0, sizeof(c));
	write_der("hq.ocsp", &response, file, sizeof(file));
	assert_int_equal(load_crls(conf, &c, &read), 1);
	assert_int_equal(read.n_creds, response.len + IKE_CRED_HEAD);
	assert_string_equal(said, "");
	config_clear(&read);
	maker_free_der(&response);
	response = maker_ocsp(&(struct ocsp_recipe){
		.issuer = &root, .cert = &other, .from = now - 9, .until = now + 99 });
	write_der("hq.ocsp", &response, file, sizeof(file));
	assert_int_equal(load_crls(conf, &c, &read), -1);
	assert_non_null(strstr(said, "hq.ocsp: the OCSP response is not about the certificate"));
	config_clear(&read);
	maker_free_der(&response);
	write_file("hq.ocsp", 0644, "no response", file, sizeof(file));
	assert_int_equal(load(conf, &c), -1);
	assert_non_null(strstr(said, "hq.ocsp: expected an OCSP response, PEM or DER"));
	refused("[Tunnel]\nKey = /k\nOCSP = /o\n[Peer]\nPublicKey = /p\n",
		"3: OCSP needs Cert, the certificate that the response is about");
	unlink(key);
	unlink(cert);
	unlink(file);
	unlink(conf);
	rmdir(dir);
	maker_free(&leaf);
	maker_free(&other);
	maker_free(&root);
}

/* A file that is newer hides nothing of an older one. */
static void each_of_the_files_counts(void **state)
{
	struct made one = maker_ca("CN=one", NULL);
	struct ike_iov list = crl_now(&one, 5);
	char conf[128], crl[128], ocsp[128], text[1024];
	struct config c, read;

	(void)state;
	make_dir();
	memset(&c, 0, sizeof(c));
	write_der("a.crl", &list, crl, sizeof(crl));
	usleep(20000);
	write_file("hq.ocsp", 0644, "x", ocsp, sizeof(ocsp));
	snprintf(
		text, sizeof(text),
		"[Tunnel]\nKey = /k\nCert = /c\nOCSP = %s\n[Peer]\nRemoteID = any\nCA = /ca\nCRL = %s\n",
		ocsp, crl);
	write_file("hq.conf", 0600, text, conf, sizeof(conf));
	assert_int_equal(load_crls(conf, &c, &read), -1);
	assert_non_null(strstr(said, "hq.ocsp: expected an OCSP response"));
	c.cert_status_time = read.cert_status_time;
	config_clear(&read);
	assert_int_equal(load_crls(conf, &c, &read), 0);
	config_clear(&read);
	unlink(crl);
	assert_int_equal(load_crls(conf, &c, &read), -1);
	assert_non_null(strstr(said, "a.crl: No such file"));
	config_clear(&read);
	unlink(ocsp);
	unlink(conf);
	rmdir(dir);
	maker_free_der(&list);
	maker_free(&one);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whether_revocation_is_asked),
		cmocka_unit_test(files_of_crls),
		cmocka_unit_test(crls_are_read_again),
		cmocka_unit_test(crls_behind_a_name_are_read_again),
		cmocka_unit_test(a_file_with_a_response),
		cmocka_unit_test(each_of_the_files_counts),
	};

	return cmocka_run_group_tests_name("config_crl", tests, NULL, NULL);
}
