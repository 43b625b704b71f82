// SPDX-License-Identifier: GPL-2.0-or-later
/* esptun ca: what it makes is judged by the openssl program and by the agent's own pki. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <ftw.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <termios.h>
#include <unistd.h>

#include "cli/cli.h"
#include "ike/pki/issue.h"
#include "ike/pki/pki.h"
#include "ike/proto/id.h"

static char top[] = "/tmp/esptun-ca-XXXXXX";
static char said[16384]; /* by the last command, standard output and errors */

static int make_top(void **state)
{
	(void)state;
	return mkdtemp(top) && !chdir(top) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st, int what, struct FTW *at)
{
	(void)st, (void)what, (void)at;
	return remove(path);
}

static int remove_top(void **state)
{
	(void)state;
	return chdir("/") || nftw(top, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* "esptun" and @words, which have no blanks of their own but for "_", which stands for one. */
static int run(const char *words)
{
	int out = open("said", O_RDWR | O_CREAT | O_TRUNC, 0600), old_out, old_err, code;
	char text[512], *argv[32] = { (char *)"esptun" }, *save;
	int argc = 1;
	ssize_t n;

	snprintf(text, sizeof(text), "%s", words);
	for (char *w = strtok_r(text, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
		for (char *s = w; *s; s++)
			*s = *s == '_' ? ' ' : *s;
		argv[argc++] = w;
	}
	fflush(NULL);
	old_out = dup(STDOUT_FILENO), old_err = dup(STDERR_FILENO);
	dup2(out, STDOUT_FILENO), dup2(out, STDERR_FILENO);
	code = cli_main(argc, argv);
	fflush(NULL);
	dup2(old_out, STDOUT_FILENO), dup2(old_err, STDERR_FILENO);
	close(old_out), close(old_err);
	n = pread(out, said, sizeof(said) - 1, 0);
	said[n > 0 ? n : 0] = '\0';
	close(out);
	return code;
}

static void runs(const char *words)
{
	if (run(words))
		fail_msg("esptun %s: %s", words, said);
}

static void fails(const char *words, const char *sentence)
{
	if (!run(words))
		fail_msg("esptun %s succeeds", words);
	if (!strstr(said, sentence))
		fail_msg("esptun %s says: %s", words, said);
}

/* What a shell command prints; its exit code. */
static int shell(const char *command)
{
	FILE *f = popen(command, "r");
	size_t n = fread(said, 1, sizeof(said) - 1, f);

	said[n] = '\0';
	return pclose(f);
}

static void prints(const char *command, const char *text)
{
	if (shell(command))
		fail_msg("%s fails: %s", command, said);
	if (!strstr(said, text))
		fail_msg("%s has no \"%s\": %s", command, text, said);
}

static void has_mode(const char *path, mode_t mode)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	if ((st.st_mode & 07777) != mode)
		fail_msg("%s has mode %04o", path, st.st_mode & 07777);
}

static char *slurp(const char *path, size_t *len)
{
	FILE *f = fopen(path, "r");
	char *text = calloc(1, 65536);

	assert_non_null(f);
	*len = fread(text, 1, 65535, f);
	fclose(f);
	return text;
}

/* ---- by the openssl program ---------------------------------------------------------------------- */

static void kinds_and_extensions(void **state)
{
	static const struct {
		const char *word, *text;
	} rows[] = {
		{ "ecdsa-p256", "NIST CURVE: P-256" },
		{ "ecdsa-p384", "NIST CURVE: P-384" },
		{ "rsa-3072", "Public-Key: (3072 bit)" },
		{ "ed25519", "ED25519" },
	};
	char words[256];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(words, sizeof(words), "ca init --name Root_%zu --key %s --dir k%zu", i,
			 rows[i].word, i);
		runs(words);
		snprintf(words, sizeof(words),
			 "ca issue west.example --key %s --dir k%zu --san west.example "
			 "--san 192.0.2.7 --san 2001:db8::7 --san w@example.org",
			 rows[i].word, i);
		runs(words);
		snprintf(words, sizeof(words),
			 "openssl x509 -noout -text -in k%zu/issued/west.example.crt", i);
		prints(words, rows[i].text);
		prints(words, "DNS:west.example, IP Address:192.0.2.7, "
			      "IP Address:2001:DB8:0:0:0:0:0:7, email:w@example.org");
		prints(words, "X509v3 Basic Constraints: critical\n                CA:FALSE");
		prints(words, "X509v3 Key Usage: critical\n                Digital Signature\n");
		prints(words, "TLS Web Server Authentication, TLS Web Client Authentication, "
			      "ipsec Internet Key Exchange");
		snprintf(words, sizeof(words), "openssl x509 -noout -text -in k%zu/ca.crt", i);
		prints(words, "CA:TRUE, pathlen:0");
		prints(words, "Certificate Sign, CRL Sign\n");
		snprintf(
			words, sizeof(words),
			"cd k%zu && openssl verify -x509_strict -crl_check -CAfile ca.crt -CRLfile ca.crl "
			"-purpose sslserver -verify_hostname west.example issued/west.example.crt",
			i);
		prints(words, ": OK");
		snprintf(
			words, sizeof(words),
			"cd k%zu && openssl pkey -in issued/west.example.key -pubout > pub && "
			"openssl x509 -in issued/west.example.crt -noout -pubkey | cmp - pub && echo same",
			i);
		prints(words, "same");
	}
}

static void files_are_closed(void **state)
{
	(void)state;
	runs("ca init --name Closed --dir closed");
	runs("ca issue a --dir closed --p12 closed.p12 --mobileconfig closed.mobileconfig");
	has_mode("closed", 0700);
	has_mode("closed/ca.key", 0600);
	has_mode("closed/ca.crt", 0644);
	has_mode("closed/ca.crl", 0644);
	has_mode("closed/index.json", 0600);
	has_mode("closed/issued", 0700);
	has_mode("closed/issued/a.key", 0600);
	has_mode("closed.p12", 0600);
	has_mode("closed.mobileconfig", 0600);
	chmod("closed", 0750);
	fails("ca list --dir closed", "is open to others (mode 0750): run chmod 700 closed");
	chmod("closed", 0700);
}

static void purposes(void **state)
{
	(void)state;
	runs("ca init --name P --dir p");
	runs("ca issue s --server --dir p");
	runs("ca issue c --client --dir p");
	prints("openssl verify -CAfile p/ca.crt -purpose sslserver p/issued/s.crt", ": OK");
	prints("openssl verify -CAfile p/ca.crt -purpose sslclient p/issued/c.crt", ": OK");
	assert_int_not_equal(
		shell("openssl verify -CAfile p/ca.crt -purpose sslserver p/issued/c.crt 2>&1"), 0);
	assert_int_not_equal(
		shell("openssl verify -CAfile p/ca.crt -purpose sslclient p/issued/s.crt 2>&1"), 0);
}

/* An end's certificate makes no other ones: neither the CA's extensions nor its own let it. */
static void one_level(void **state)
{
	(void)state;
	runs("ca init --name One --dir one");
	runs("ca issue a --dir one");
	assert_int_equal(
		shell("cd one && openssl req -new -subj /CN=b -newkey ec -pkeyopt ec_paramgen_curve:P-256 "
		      "-nodes -keyout b.key -out b.csr 2>&1 && openssl x509 -req -in b.csr -CA issued/a.crt "
		      "-CAkey issued/a.key -CAcreateserial -out b.crt 2>&1"),
		0);
	assert_int_not_equal(
		shell("cd one && openssl verify -CAfile ca.crt -untrusted issued/a.crt b.crt 2>&1"),
		0);
}

static void revocation(void **state)
{
	char serial[2 * ISSUE_SERIAL + 1], words[128];

	(void)state;
	runs("ca init --name R --dir r");
	runs("ca issue a --dir r");
	runs("ca issue b --dir r");
	fails("ca issue a --dir r", "has a certificate that is valid");
	runs("ca issue a --dir r --again");
	prints("openssl crl -noout -text -in r/ca.crl", "No Revoked Certificates");
	prints("openssl crl -noout -crlnumber -in r/ca.crl", "crlNumber=0x01\n");
	runs("ca revoke a --dir r"); /* both of that name */
	assert_non_null(strstr(said, "a: 2 certificates revoked"));
	prints("openssl crl -noout -crlnumber -in r/ca.crl", "crlNumber=0x02\n");
	prints("openssl crl -noout -text -in r/ca.crl | grep -c 'Serial Number'", "2\n");
	assert_int_not_equal(
		shell("cd r && openssl verify -crl_check -CAfile ca.crt -CRLfile ca.crl "
		      "issued/a.crt 2>&1"),
		0);
	assert_non_null(strstr(said, "certificate revoked"));
	prints("cd r && openssl verify -crl_check -CAfile ca.crt -CRLfile ca.crl issued/b.crt",
	       ": OK");
	fails("ca revoke a --dir r", "no valid certificate of that name");
	fails("ca revoke nobody --dir r", "no valid certificate of that name");
	prints("openssl crl -noout -crlnumber -in r/ca.crl", "crlNumber=0x02\n");
	/* A name is free again; a serial number says which one, in either case of letters. */
	runs("ca issue a --dir r");
	prints("openssl x509 -noout -serial -in r/issued/a.crt", "serial=");
	snprintf(serial, sizeof(serial), "%.*s", 2 * ISSUE_SERIAL, said + strlen("serial="));
	assert_int_equal(strlen(serial), 2 * ISSUE_SERIAL);
	snprintf(words, sizeof(words), "ca revoke %s --dir r", serial);
	runs(words);
	prints("openssl crl -noout -text -in r/ca.crl", serial);
}

/* A CRL that ends soon, or did, is told at each command; crl renews it. */
static void crl_ends(void **state)
{
	(void)state;
	runs("ca init --name E --dir e");
	runs("ca list --dir e");
	assert_null(strstr(said, "Warning"));
	runs("ca crl --days 3 --dir e");
	runs("ca list --dir e");
	assert_non_null(strstr(said, "Warning: the CRL ends on"));
	assert_int_equal(
		shell("sed -i 's/\"crl_until\": [0-9]*/\"crl_until\": 1000/' e/index.json"), 0);
	runs("ca issue x --dir e");
	assert_non_null(strstr(said, "Warning: the CRL ended on 1970-01-01"));
	runs("ca crl --dir e");
	runs("ca list --dir e");
	assert_null(strstr(said, "Warning"));
	prints("openssl crl -noout -crlnumber -in e/ca.crl", "crlNumber=0x03\n");
}

static void dates(void **state)
{
	(void)state;
	runs("ca init --name D --days 10 --dir d");
	runs("ca issue x --days 20 --dir d");
	assert_non_null(strstr(said, "ends with that of the CA"));
	assert_int_equal(shell("openssl x509 -noout -checkend 863000 -in d/issued/x.crt"), 0);
	assert_int_not_equal(shell("openssl x509 -noout -checkend 865000 -in d/issued/x.crt"), 0);
	runs("ca init --name D2 --dir d2");
	runs("ca issue x --days 900 --server --dir d2");
	assert_non_null(strstr(
		said, "Apple's systems refuse a server's certificate of more than 825 days"));
	runs("ca issue y --days 9999 --client --dir d2"); /* beyond 2050: another kind of time */
	prints("openssl x509 -noout -enddate -in d2/ca.crt", "notAfter=");
}

static void pkcs12(void **state)
{
	FILE *f = fopen("pass", "w");

	(void)state;
	fputs("correct horse\n", f);
	fclose(f);
	chmod("pass", 0644);
	runs("ca init --name T --dir t");
	fails("ca issue x --dir t --p12 x.p12 --p12-passphrase pass --again",
	      "can be read by others (mode 0644): run chmod 600 pass");
	chmod("pass", 0600);
	runs("ca issue x --dir t --p12 x.p12 --p12-passphrase pass --again");
	assert_null(strstr(said, "passphrase of"));
	prints("openssl pkcs12 -in x.p12 -passin file:pass -info -nodes 2>&1",
	       "pbeWithSHA1And3-KeyTripleDES-CBC");
	prints("openssl pkcs12 -in x.p12 -passin file:pass -info -nodes 2>&1", "MAC: sha1");
	prints("openssl pkcs12 -in x.p12 -passin file:pass -cacerts -nokeys 2>/dev/null | "
	       "openssl x509 -noout -subject",
	       "CN = T");
	prints("openssl pkcs12 -in x.p12 -passin file:pass -clcerts -nokeys 2>/dev/null | "
	       "openssl x509 -noout -subject",
	       "CN = x");
	assert_int_not_equal(shell("openssl pkcs12 -in x.p12 -passin pass:wrong -nodes 2>&1"), 0);
	runs("ca issue y --dir t --p12 y.p12 --p12-cipher aes256");
	assert_non_null(strstr(said, "passphrase of y.p12: "));
	assert_int_equal(strcspn(strstr(said, ": ") + 2, "\n"), 4 * 6 + 5);
	runs("ca issue z --dir t --p12 z.p12 --p12-cipher aes256 --p12-passphrase pass");
	prints("openssl pkcs12 -in z.p12 -passin file:pass -info -nodes 2>&1", "AES-256-CBC");
	prints("openssl pkcs12 -in z.p12 -passin file:pass -info -nodes 2>&1", "MAC: sha256");
	fails("ca issue w --dir t --p12-cipher aes256", "are about --p12 or --mobileconfig");
	fails("ca issue w --dir t --p12 nowhere/w.p12", "cannot write nowhere/w.p12");
}

static void profile(void **state)
{
	(void)state;
	runs("ca init --name A&B<C> --dir m");
	runs("ca issue x --dir m --p12 m.p12 --mobileconfig m.mobileconfig --p12-passphrase pass");
	prints("python3 -c '\n"
	       "import plistlib\n"
	       "d = plistlib.load(open(\"m.mobileconfig\", \"rb\"))\n"
	       "ca, own = d[\"PayloadContent\"]\n"
	       "assert d[\"PayloadType\"] == \"Configuration\" and d[\"PayloadVersion\"] == 1\n"
	       "assert ca[\"PayloadType\"] == \"com.apple.security.root\"\n"
	       "assert ca[\"PayloadDisplayName\"] == \"A&B<C>\"\n"
	       "assert own[\"PayloadType\"] == \"com.apple.security.pkcs12\"\n"
	       "assert own[\"PayloadContent\"] == open(\"m.p12\", \"rb\").read()\n"
	       "assert \"Password\" not in own\n"
	       "assert len({d[\"PayloadUUID\"], ca[\"PayloadUUID\"], own[\"PayloadUUID\"]}) == 3\n"
	       "open(\"m.der\", \"wb\").write(ca[\"PayloadContent\"])' && "
	       "openssl x509 -inform DER -in m.der | cmp - m/ca.crt && echo good",
	       "good");
}

static void encrypted_key(void **state)
{
	(void)state;
	fails("ca init --name K --dir key --passphrase pass", "add --encrypt");
	runs("ca init --name K --dir key --encrypt --passphrase pass");
	prints("openssl pkey -in key/ca.key -passin file:pass -noout && head -1 key/ca.key",
	       "BEGIN ENCRYPTED PRIVATE KEY");
	prints("openssl asn1parse -in key/ca.key", "aes-256-cbc");
	prints("openssl asn1parse -in key/ca.key", "0927C0"); /* rounds */
	runs("ca list --dir key"); /* needs no key */
	runs("ca issue x --dir key --passphrase pass");
	prints("openssl verify -CAfile key/ca.crt key/issued/x.crt", ": OK");
	assert_int_equal(shell("echo wrong > wrong && chmod 600 wrong"), 0);
	fails("ca issue y --dir key --passphrase wrong", "another passphrase");
	fails("ca revoke x --dir key --passphrase wrong", "another passphrase");
	runs("-j ca list --dir key"); /* and nothing was changed by these */
	assert_null(strstr(said, "\"y\""));
	assert_non_null(strstr(said, "\"revoked\":0"));
}

/* ---- the folder ---------------------------------------------------------------------------------- */

enum { AT_ONCE = 8 };

static void at_once(void **state)
{
	char name[16], *argv[] = { (char *)"esptun", (char *)"ca", (char *)"issue", name,
				   (char *)"--dir",  (char *)"l" };
	int status;

	(void)state;
	runs("ca init --name L --dir l");
	for (int i = 0; i < AT_ONCE; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		if (fork())
			continue;
		if (!freopen("/dev/null", "w", stdout))
			_exit(1);
		_exit(cli_main(6, argv));
	}
	for (int i = 0; i < AT_ONCE; i++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	prints("grep -c '\"serial\"' l/index.json", "8\n");
	prints("grep '\"serial\"' l/index.json | sort -u | wc -l", "8\n");
	prints("ls l/issued/*.crt | wc -l", "8\n");
}

static void damaged_index(void **state)
{
	(void)state;
	runs("ca init --name X --dir x");
	fails("ca init --name X --dir x", "has a CA already");
	assert_int_equal(shell("echo half > x/index.json.new"),
			 0); /* of a command that was ended */
	runs("ca issue a --dir x");
	assert_int_not_equal(access("x/index.json.new", F_OK), 0);
	assert_int_equal(shell("cp x/index.json good && head -c 100 good > x/index.json"), 0);
	fails("ca issue b --dir x", "x/index.json is damaged");
	assert_int_equal(shell("sed 's/\"serial\": \"../\"serial\": \"zz/' good > x/index.json"),
			 0);
	fails("ca list --dir x", "x/index.json is damaged");
	assert_int_equal(shell("cp good x/index.json"), 0);
	runs("ca list --dir x");
	fails("ca list --dir nowhere", "make a CA with: esptun ca init");
	/* A key that is not the certificate's signs nothing. */
	assert_int_equal(shell("cp r/ca.key x/ca.key"), 0);
	fails("ca issue b --dir x", "the CA's key is not that of its certificate");
	assert_int_equal(shell("rm x/ca.crt && ln -s ../r/ca.crt x/ca.crt"), 0);
	fails("ca issue b --dir x", "cannot read x/ca.crt");
}

static void wrong_words(void **state)
{
	static const struct {
		const char *words, *sentence;
	} rows[] = {
		{ "ca init --dir w", "\"esptun ca init\" needs \"--name\"" },
		{ "ca init --name _x --dir w", "printable ASCII" },
		{ "ca init --name x --key dsa --dir w", "must be one of: ecdsa-p256" },
		{ "ca init --name x --san y --dir w",
		  "\"--san\" says nothing to \"esptun ca init\"" },
		{ "ca init --name x --days 0 --dir w", "\"--days\" is 0" },
		{ "ca issue", "esptun ca issue NAME" },
		{ "ca issue ../x --dir r", "NAME has 1 to 64 letters" },
		{ "ca issue .x --dir r", "NAME has 1 to 64 letters" },
		{ "ca issue a/b --dir r", "NAME has 1 to 64 letters" },
		{ "ca issue x --san *.example.org --dir r", "of one peer" },
		{ "ca issue x --san keyid:7 --dir r", "of one peer" },
		{ "ca issue x --san CN=x --dir r", "of one peer" },
		{ "ca issue x --san a,DNS:b --dir r", "--san a,DNS:b" },
		{ "ca revoke", "esptun ca revoke NAME" },
		{ "ca sign", "unknown subcommand" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		fails(rows[i].words, rows[i].sentence);
}

/* ---- by the agent -------------------------------------------------------------------------------- */

static void read_items(enum pki_kind kind, const char *path, struct pki_items *out)
{
	char err[256];
	size_t len;
	char *text = slurp(path, &len);

	if (pki_read(kind, text, len, out, err, sizeof(err)))
		fail_msg("%s: %s", path, err);
	free(text);
}

static enum pki_verdict judge(const char *ca, const char *leaf, const char *id,
			      enum pki_usage usage, char *text)
{
	struct pki_items cas, crls, certs;
	struct pki_result *r = calloc(1, sizeof(*r));
	struct pki_trust *trust;
	enum pki_verdict verdict;
	char path[64], err[256];
	struct ike_id who;

	snprintf(path, sizeof(path), "%s/ca.crt", ca);
	read_items(PKI_CERTS, path, &cas);
	snprintf(path, sizeof(path), "%s/ca.crl", ca);
	read_items(PKI_CRLS, path, &crls);
	snprintf(path, sizeof(path), "%s/issued/%s.crt", ca, leaf);
	read_items(PKI_CERTS, path, &certs);
	assert_int_equal(ike_id_from_text(id, &who, err, sizeof(err)), 0);
	assert_string_equal(
		(pki_own_check(certs.item, certs.n, NULL, time(NULL), err, sizeof(err)), err), "");
	assert_int_not_equal(pki_crl_check(crls.item, time(NULL), err, sizeof(err)), INT64_MAX);
	assert_string_equal(err, "");
	trust = pki_trust_new(cas.item, cas.n, crls.item, crls.n, err, sizeof(err));
	assert_non_null(trust);
	verdict = pki_verify(&(struct pki_query){ .trust = trust,
						  .certs = certs.item,
						  .n_certs = certs.n,
						  .id = &who,
						  .now = time(NULL),
						  .usage = usage,
						  .revocation = PKI_REVOCATION_STRICT },
			     r);
	snprintf(text, PKI_MAX_TEXT, "%s", r->text);
	pki_trust_free(trust);
	pki_items_free(&cas);
	pki_items_free(&crls);
	pki_items_free(&certs);
	free(r);
	return verdict;
}

static void agent_agrees(void **state)
{
	char text[PKI_MAX_TEXT];

	(void)state;
	runs("ca init --name Agent --dir a");
	runs("ca issue s --server --san hub.example.org --dir a");
	runs("ca issue c@example.org --client --key ed25519 --dir a");
	if (judge("a", "s", "hub.example.org", PKI_USAGE_SERVER, text) != PKI_TRUSTED)
		fail_msg("%s", text);
	if (judge("a", "c@example.org", "c@example.org", PKI_USAGE_CLIENT, text) != PKI_TRUSTED)
		fail_msg("%s", text);
	assert_int_equal(judge("a", "s", "west.example.org", PKI_USAGE_ANY, text),
			 PKI_WRONG_IDENTITY);
	runs("ca revoke s --dir a");
	assert_int_equal(judge("a", "s", "hub.example.org", PKI_USAGE_ANY, text), PKI_REVOKED);
	assert_int_equal(judge("a", "c@example.org", "c@example.org", PKI_USAGE_ANY, text),
			 PKI_TRUSTED);
}

/* Serial numbers are 128 random bits, none of which is fixed. */
static void serials(void **state)
{
	uint8_t any[ISSUE_SERIAL] = { 0 }, all[ISSUE_SERIAL], one[ISSUE_SERIAL];

	(void)state;
	memset(all, 0xff, sizeof(all));
	for (int i = 0; i < 1000; i++) {
		assert_int_equal(issue_serial(one), 0);
		assert_int_not_equal(one[0], 0);
		for (int k = 0; k < ISSUE_SERIAL; k++) {
			any[k] |= one[k];
			all[k] &= one[k];
		}
	}
	for (int k = 0; k < ISSUE_SERIAL; k++) {
		assert_int_equal(any[k], 0xff);
		assert_int_equal(all[k], 0);
	}
}

/* ^C where a passphrase is asked for ends the command, and the terminal shows again what is typed. */
static void terminal_is_as_it_was(void **state)
{
	char *argv[] = { "esptun", "ca", "init", "--name", "K", "--dir", "tty", "--encrypt" };
	struct termios after;
	char shown[256] = "";
	int fd, status;
	size_t n = 0;
	ssize_t got;
	pid_t pid;

	(void)state;
	pid = forkpty(&fd, NULL, NULL, NULL);
	assert_true(pid >= 0);
	if (!pid)
		_exit(cli_main(8, argv));
	while (!strstr(shown, "key: ") && (got = read(fd, shown + n, sizeof(shown) - 1 - n)) > 0)
		n += (size_t)got;
	assert_int_equal(write(fd, "words\003\n", 7), 7);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(tcgetattr(fd, &after), 0);
	close(fd);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_KERNEL);
	assert_true(after.c_lflag & ECHO && after.c_lflag & ISIG);
	assert_int_equal(access("tty/ca.key", F_OK), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds_and_extensions),
		cmocka_unit_test(files_are_closed),
		cmocka_unit_test(purposes),
		cmocka_unit_test(one_level),
		cmocka_unit_test(revocation),
		cmocka_unit_test(crl_ends),
		cmocka_unit_test(dates),
		cmocka_unit_test(pkcs12),
		cmocka_unit_test(profile),
		cmocka_unit_test(encrypted_key),
		cmocka_unit_test(at_once),
		cmocka_unit_test(damaged_index),
		cmocka_unit_test(wrong_words),
		cmocka_unit_test(agent_agrees),
		cmocka_unit_test(serials),
		cmocka_unit_test(terminal_is_as_it_was),
	};

	return cmocka_run_group_tests_name("ca", tests, make_top, remove_top);
}
