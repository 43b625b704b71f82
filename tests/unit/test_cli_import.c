// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * esptun import with real files: what is written where, for whom to read, and never over another; PKCS#12 containers of all
 * ages, and where their passphrase comes from. The commands of Documentation/guides/migrating.md are run, and give what it has.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <openssl/pkcs12.h>
#include <openssl/provider.h>

#include "cert_maker.h"
#include "cli/cli.h"
#include "ike/app/config/config.h"

enum { MAX_OUTPUT = 16384 };

static char dir[] = "/tmp/esptun-import-XXXXXX";
static char out[MAX_OUTPUT], err[MAX_OUTPUT];
static struct made root, between, leaf;

static const char passphrase[] = "the words that open it";

/* ---- files ------------------------------------------------------------------------------- */

/* Valid ones, whatever day it is: the command looks at the clock. */
static struct made make_cert(const char *subject, const struct made *issuer, const char *san)
{
	const struct recipe r = {
		.subject = subject,
		.issuer = issuer,
		.from = time(NULL) - MAKER_DAY,
		.until = time(NULL) + 365 * MAKER_DAY,
		.ext = { san ? "basicConstraints=CA:FALSE" : "basicConstraints=critical,CA:TRUE",
			 san ? "keyUsage=digitalSignature" : "keyUsage=keyCertSign,cRLSign", san },
	};

	return maker_cert(&r);
}

static char *in_dir(const char *name)
{
	static char paths[8][320];
	static unsigned int i;
	char *path = paths[i++ % 8];

	snprintf(path, sizeof(paths[0]), "%s/%s", dir, name);
	return path;
}

static void put(const char *name, const void *data, size_t len, mode_t mode)
{
	int fd = open(in_dir(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), len);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static char *get(const char *name)
{
	static char text[MAX_OUTPUT];
	FILE *f = fopen(in_dir(name), "r");
	size_t n;

	if (!f)
		fail_msg("no %s; said: %s", name, err);
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = 0;
	fclose(f);
	return text;
}

static bool is_there(const char *name)
{
	return !access(in_dir(name), F_OK);
}

/* Files whose names have @part in them. */
static unsigned int count(const char *part)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	unsigned int n = 0;

	while ((e = readdir(d)))
		n += strstr(e->d_name, part) != NULL;
	closedir(d);
	return n;
}

static void check_mode(const char *name)
{
	struct stat st;

	assert_int_equal(stat(in_dir(name), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static int remove_files(void)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		if (e->d_name[0] != '.')
			unlink(in_dir(e->d_name));
	}
	return d ? closedir(d) : -1;
}

/* A container with @cert, all that it leads to, and the key, by an old cipher if @old. */
static void put_p12(const char *name, const char *with, bool old)
{
	OSSL_LIB_CTX *ctx = OSSL_LIB_CTX_new();
	OSSL_PROVIDER *usual = OSSL_PROVIDER_load(ctx, "default"),
		      *legacy = old ? OSSL_PROVIDER_load(ctx, "legacy") : NULL;
	STACK_OF(X509) *others = sk_X509_new_null();
	uint8_t *der = NULL;
	PKCS12 *p12;
	int len;

	assert_non_null(usual);
	assert_true(!old || legacy);
	sk_X509_push(others, root.cert); /* not in the order that they are needed in */
	sk_X509_push(others, between.cert);
	p12 = PKCS12_create_ex(with, "vpn", leaf.key, leaf.cert, others,
			       old ? NID_pbe_WithSHA1And40BitRC2_CBC : 0,
			       old ? NID_pbe_WithSHA1And40BitRC2_CBC : 0, 0, 0, 0, ctx, NULL);
	assert_non_null(p12);
	len = i2d_PKCS12(p12, &der);
	assert_true(len > 0);
	put(name, der, (size_t)len, 0600);
	OPENSSL_free(der);
	PKCS12_free(p12);
	sk_X509_free(others);
	if (legacy)
		OSSL_PROVIDER_unload(legacy);
	OSSL_PROVIDER_unload(usual);
	OSSL_LIB_CTX_free(ctx);
}

static int make_all(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	root = make_cert("C=CH, O=Example, CN=root", NULL, NULL);
	between = make_cert("C=CH, O=Example, CN=between", &root, NULL);
	leaf = make_cert("C=CH, O=Example, CN=leaf", &between,
			 "subjectAltName=DNS:leaf.example.org");
	return 0;
}

static int remove_all(void **state)
{
	(void)state;
	maker_free(&root);
	maker_free(&between);
	maker_free(&leaf);
	remove_files();
	return rmdir(dir);
}

/* ---- the command ------------------------------------------------------------------------- */

static void slurp(FILE *f, char *buf)
{
	size_t n;

	rewind(f);
	n = fread(buf, 1, MAX_OUTPUT - 1, f);
	buf[n] = 0;
	fclose(f);
}

/* "esptun WORDS", words of which each "%" is the folder; what it prints is in out and err. */
static int run(const char *words)
{
	char text[512], expanded[16][128], *argv[16] = { 0 }, *save, *word;
	FILE *o = tmpfile(), *e = tmpfile();
	int old_out = dup(1), old_err = dup(2), argc = 0, code;

	snprintf(text, sizeof(text), "esptun %s", words);
	for (word = strtok_r(text, " ", &save); word; word = strtok_r(NULL, " ", &save), argc++) {
		snprintf(expanded[argc], sizeof(expanded[0]), "%s%s", *word == '%' ? dir : "",
			 *word == '%' ? word + 1 : word);
		argv[argc] = expanded[argc];
	}
	fflush(NULL);
	dup2(fileno(o), 1);
	dup2(fileno(e), 2);
	code = cli_main(argc, argv);
	fflush(NULL);
	dup2(old_out, 1);
	dup2(old_err, 2);
	close(old_out);
	close(old_err);
	slurp(o, out);
	slurp(e, err);
	return code;
}

static void contains(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("no \"%s\" in: %s", part, text);
}

/* ---- PKCS#12 ----------------------------------------------------------------------------- */

static void on_report(void *ctx, bool error, unsigned int line, const char *text)
{
	(void)ctx;
	if (error)
		fail_msg("line %u: %s", line, text);
}

/* With all the files that it names. */
static void agent_takes(const char *name, struct config *c)
{
	const struct config_report report = { on_report, NULL };

	assert_int_equal(config_load(in_dir(name), c, &report), 0);
}

/* The lines that the command printed make a tunnel's file. */
static void agent_takes_lines(void)
{
	char text[MAX_OUTPUT + 256];
	struct config c;

	snprintf(text, sizeof(text), "%s\nRemoteID = hub.example.org\nEndpoint = 192.0.2.1\n",
		 strstr(out, "[Tunnel]"));
	put("p12.conf", text, strlen(text), 0600);
	agent_takes("p12.conf", &c);
	assert_int_equal(c.local_id.type, IKE_ID_FQDN);
	assert_true(c.n_private > 0);
	config_clear(&c);
}

static void p12_becomes_files(void **state)
{
	char *text;

	(void)state;
	put_p12("in.p12", passphrase, false);
	put("pass", "the words that open it\nanother line\n", 36, 0600);
	assert_int_equal(run("import %/in.p12 --name vpn --to % --passphrase-file %/pass"), 0);
	assert_string_equal(err, geteuid() ? err : "");
	contains(out, "Key = /tmp/esptun-import-");
	check_mode("vpn.key");
	check_mode("vpn.crt");
	check_mode("vpn.ca");
	contains(get("vpn.key"), "-----BEGIN PRIVATE KEY-----");
	text = get("vpn.crt");
	contains(strstr(text, "BEGIN CERT") + 1,
		 "BEGIN CERT"); /* leaf and the CA between, not the root */
	assert_null(strstr(strstr(strstr(text, "BEGIN CERT") + 1, "BEGIN CERT") + 1, "BEGIN CERT"));
	agent_takes_lines();
	assert_int_equal(count("XXXXXX") + count(".key."), 0);

	/* They stay as they are, and nothing else is written, unless it is asked for. */
	put("vpn.key", "mine", 4, 0600);
	unlink(in_dir("vpn.crt"));
	assert_int_equal(run("import %/in.p12 --name vpn --to % --passphrase-file %/pass"),
			 EXIT_KERNEL);
	contains(err, "vpn.key is there already, so nothing was written: --force replaces it");
	assert_string_equal(get("vpn.key"), "mine");
	assert_false(is_there("vpn.crt"));
	assert_int_equal(run("import %/in.p12 --name vpn --to % --passphrase-file %/pass --force"),
			 0);
	contains(get("vpn.key"), "-----BEGIN PRIVATE KEY-----");
	check_mode("vpn.key");
	remove_files();
}

static void p12_not_opened(void **state)
{
	(void)state;
	put_p12("in.p12", passphrase, false);
	put("pass", "other words\n", 12, 0600);
	assert_int_equal(run("import %/in.p12 --to % --passphrase-file %/pass"), EXIT_KERNEL);
	contains(err, "in.p12 cannot be opened: the passphrase is another one");
	put("pass", "\n", 1, 0600);
	assert_int_equal(run("import %/in.p12 --to % --passphrase-file %/pass"), EXIT_KERNEL);
	contains(err, "/pass has no passphrase of 1 to 1022 bytes in its first line");
	put("pass", passphrase, strlen(passphrase), 0644);
	assert_int_equal(run("import %/in.p12 --to % --passphrase-file %/pass"), EXIT_KERNEL);
	contains(err, "can be read by others (mode 0644): run chmod 600");
	put("none.p12", "0\x82\x01\x02\x02\x01\x03 and nothing", 18, 0600);
	assert_int_equal(run("import %/none.p12 --to % --passphrase-file %/none.p12"), EXIT_KERNEL);
	contains(err, "none.p12 is no PKCS#12 container");
	assert_int_equal(count(".key"), 0);
	remove_files();
}

/* A file's name that no tunnel can have is none of ours: its lines would stand in a configuration. */
static void p12_names(void **state)
{
	(void)state;
	put_p12(".p12", "", false);
	assert_int_equal(run("import %/.p12 --to %"), EXIT_KERNEL);
	contains(err, "--name says what the files are called");
	put_p12("a\nPassword.p12", "", false);
	assert_int_equal(run("import %/a\nPassword.p12 --to %"), EXIT_KERNEL);
	contains(err, "--name says what the files are called");
	assert_int_equal(count(".key"), 0);
	assert_int_equal(run("import %/.p12 --to % --name vpn"), 0);
	unlink(in_dir(".p12"));
	remove_files();
}

/* Without a passphrase nobody is asked for one. */
static void p12_without_passphrase(void **state)
{
	(void)state;
	put_p12("in.p12", "", false);
	assert_int_equal(run("import %/in.p12 --to % --dry-run"), 0);
	contains(out, "/in.key (0600, ");
	assert_null(strstr(out, "BEGIN"));
	assert_int_equal(count("in."), 1);
	assert_int_equal(run("-show-keys import %/in.p12 --to % -n"), 0);
	contains(out, "BEGIN PRIVATE KEY");
	assert_int_equal(run("import %/in.p12 --to %"), 0);
	assert_true(is_there("in.key"));
	remove_files();
}

/* OpenSSL's legacy provider is loaded if need be; without it that is said. */
static void p12_of_old(void **state)
{
	(void)state;
	put_p12("in.p12", passphrase, true);
	put("pass", passphrase, strlen(passphrase), 0600);
	setenv("OPENSSL_MODULES", "/nonexistent", 1);
	assert_int_equal(run("import %/in.p12 --to % --passphrase-file %/pass"), EXIT_KERNEL);
	contains(
		err,
		"in.p12 is encrypted with RC2 or another old cipher, which OpenSSL has in its legacy provider only");
	contains(err, "apt install openssl-provider-legacy");
	unsetenv("OPENSSL_MODULES");
	assert_int_equal(run("import %/in.p12 --to % --passphrase-file %/pass"), 0);
	contains(err,
		 "is encrypted with an old cipher (RC2), which protects nothing: destroy the file");
	agent_takes_lines();
	remove_files();
}

/* The terminal is asked, and does not show what is typed. */
static void p12_asks_terminal(void **state)
{
	char shown[1024] = "";
	size_t n = 0;
	int fd, status;
	ssize_t got;
	pid_t pid;

	(void)state;
	put_p12("in.p12", passphrase, false);
	pid = forkpty(&fd, NULL, NULL, NULL);
	assert_true(pid >= 0);
	if (!pid) {
		char *argv[] = { "esptun", "import", in_dir("in.p12"), "--to", dir };

		_exit(cli_main(5, argv));
	}
	while (!strstr(shown, "Passphrase of ") &&
	       (got = read(fd, shown + n, sizeof(shown) - 1 - n)) > 0)
		n += (size_t)got;
	assert_int_equal(write(fd, passphrase, strlen(passphrase)), strlen(passphrase));
	assert_int_equal(write(fd, "\n", 1), 1);
	while (n < sizeof(shown) - 1 && (got = read(fd, shown + n, sizeof(shown) - 1 - n)) > 0)
		n += (size_t)got;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	close(fd);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status))
		fail_msg("%s", shown);
	assert_null(strstr(shown, "words"));
	assert_true(is_there("in.key"));
	remove_files();
}

/* ---- configurations ------------------------------------------------------------------------ */

static const char swanctl[] =
	"connections { hq { remote_addrs = 192.0.2.7\n fragmentation = yes\n"
	"local { auth = psk\n id = a.example.org }\n remote { auth = psk\n id = b.example.org } } }\n"
	"secrets { ike { secret = \"much longer than it looks at first\" } }\n";

static void swanctl_becomes_files(void **state)
{
	struct config c;

	(void)state;
	put("swanctl.conf", swanctl, strlen(swanctl), 0600);
	assert_int_equal(run("import %/swanctl.conf --to % --dry-run"), 0);
	contains(err, "swanctl.conf:2: fragmentation is left out: ");
	contains(out, "RemoteID = b.example.org\n");
	assert_null(strstr(out, "longer"));
	assert_false(is_there("hq.conf"));
	assert_int_equal(run("import %/swanctl.conf --to %"), 0);
	contains(out, "/hq.conf\n1 tunnel; now: esptund --check ");
	check_mode("hq.conf");
	check_mode("hq.psk");
	assert_string_equal(get("hq.psk"), "\"much longer than it looks at first\"\n");
	agent_takes("hq.conf", &c);
	assert_int_equal(c.psk_len, 34);
	config_clear(&c);
	unlink(in_dir("hq.psk"));
	assert_int_equal(run("import %/swanctl.conf --to %"), EXIT_KERNEL);
	assert_false(is_there("hq.psk"));
	assert_int_equal(run("import %/swanctl.conf --to % --from ipsec.conf"), EXIT_KERNEL);
	contains(err, "cannot be understood as ipsec.conf; --from says what it is");
	remove_files();
}

/* All or none: the key fits on the disk, the configuration does not. */
static void nothing_is_left(void **state)
{
	const struct rlimit little = { 100, RLIM_INFINITY };
	struct rlimit old;

	(void)state;
	put("swanctl.conf", swanctl, strlen(swanctl), 0600);
	fflush(NULL);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
	run("import %/swanctl.conf --to %");
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(count("hq"), 0);
	assert_int_equal(run("import %/swanctl.conf --to %"), 0);
	assert_int_equal(count("hq"), 2);
	remove_files();
}

static void put_der(const char *name, const struct made *m, bool key)
{
	uint8_t *der = NULL;
	int len = key ? i2d_PrivateKey(m->key, &der) : i2d_X509(m->cert, &der);

	assert_true(len > 0);
	put(name, der, (size_t)len, 0600);
	OPENSSL_free(der);
}

/* strongSwan's own tools write DER; a folder may have what is no key or certificate. */
static void certificates_in_der(void **state)
{
	static const char text[] =
		"connections { hub { local { certs = leaf.der }\n remote { id = *.example.org } } }\n";
	static const char *const folders[] = { "x509", "x509ca", "private" };
	static const char *const made[] = { "x509/leaf.der",	"x509ca/root.der",
					    "x509ca/README",	"private/between.key",
					    "private/leaf.key", "private/README" };
	struct config c;

	(void)state;
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(mkdir(in_dir(folders[i]), 0700), 0);
	put_der(made[0], &leaf, false);
	put_der(made[1], &root, false);
	put(made[2], "hello\n", 6, 0600);
	put_der(made[3], &between, true);
	put_der(made[4], &leaf, true);
	put(made[5], "hello\n", 6, 0600);
	put("swanctl.conf", text, strlen(text), 0600);
	assert_int_equal(run("import %/swanctl.conf --to %"), 0);
	contains(err, "x509ca/README is left out: ");
	assert_null(strstr(err, "not found"));
	agent_takes("hub.conf", &c);
	assert_int_equal(c.local_id.type, IKE_ID_DER_DN); /* the subject, as strongSwan has it */
	assert_int_equal(c.clients, 100);
	config_clear(&c);
	for (unsigned int i = 0; i < 6; i++)
		unlink(in_dir(made[i]));
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(rmdir(in_dir(folders[i])), 0);
	remove_files();
}

static void wg_quick_gets_key(void **state)
{
	static const char text[] = "[Interface]\nPrivateKey = x\n[Peer]\nAllowedIPs = 10.0.0.0/8\n";

	(void)state;
	put("wg0.conf", text, strlen(text), 0600);
	put("wg1.conf", text, strlen(text), 0600);
	assert_int_equal(mkdir(in_dir("to"), 0700), 0);
	assert_int_equal(run("import %/wg0.conf --to %/to --psk"), 0);
	assert_int_equal(strlen(get("to/wg0.psk")), 7 + 44 + 1);
	assert_int_equal(run("import %/wg1.conf --to %/to"), 0);
	assert_false(is_there("to/wg1.psk"));
	contains(err, "wg1.psk has to be made");
	for (unsigned int i = 0; i < 3; i++)
		unlink(in_dir(((const char *[]){ "to/wg0.psk", "to/wg0.conf", "to/wg1.conf" })[i]));
	assert_int_equal(rmdir(in_dir("to")), 0);
	remove_files();
}

/* ---- the guide ----------------------------------------------------------------------------- */

static char guide[32768];

static void read_guide(void)
{
	const char *top = getenv("ESPTUN_TOP");
	char path[256];
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "%s/Documentation/guides/migrating.md", top ? top : ".");
	f = fopen(path, "r");
	if (!f)
		fail_msg("cannot open %s", path);
	n = fread(guide, 1, sizeof(guide) - 1, f);
	guide[n] = 0;
	fclose(f);
}

/* What stands between ```@kind and ``` behind *@at, which moves on. */
static void next_block(const char **at, const char *kind, char *text, size_t size)
{
	char begin[32];
	const char *end;

	snprintf(begin, sizeof(begin), "```%s\n", kind);
	*at = strstr(*at, begin);
	if (!*at)
		fail_msg("no block %s", kind);
	*at += strlen(begin);
	end = strstr(*at, "```");
	assert_true(end && (size_t)(end - *at) < size);
	snprintf(text, size, "%.*s", (int)(end - *at), *at);
	*at = end + 3;
}

/* The folder's name is taken out, so that "/tmp/x/etc/a" becomes "/etc/a". */
static void without_dir(char *text)
{
	size_t len = strlen(dir);

	for (char *s; (s = strstr(text, dir));)
		memmove(s, s + len, strlen(s + len) + 1);
}

/* "esptun import /etc/FILE WORDS" of the guide, with the folder in front of files. */
static void run_of_guide(const char *at)
{
	char line[256], words[512];

	at = strstr(at, "\n```sh\nesptun ");
	assert_non_null(at);
	at += strlen("\n```sh\nesptun ");
	snprintf(line, sizeof(line), "%.*s", (int)strcspn(at, "\n"), at);
	assert_memory_equal(line, "import /", 8);
	snprintf(words, sizeof(words), "import %%%s --to %%/etc/esptun", line + 7);
	assert_int_equal(run(words), 0);
	without_dir(err);
}

static void check_guide(const char *kind, const char *file, const char *conf)
{
	char text[4096], is[4096];
	const char *at = guide;

	next_block(&at, kind, text, sizeof(text));
	put(file, text, strlen(text), 0600);
	run_of_guide(at);
	next_block(&at, "said", text, sizeof(text));
	assert_string_equal(err, text);
	next_block(&at, "ini", text, sizeof(text));
	snprintf(is, sizeof(is), "%s", strstr(get(conf), "[Tunnel]"));
	without_dir(is);
	assert_string_equal(is, text);
}

static void guide_is_right(void **state)
{
	static const char *const folders[] = { "etc", "etc/esptun", "etc/swanctl",
					       "etc/wireguard" };
	static const char *const made[] = {
		"etc/swanctl/swanctl.conf", "etc/ipsec.conf",	  "etc/wireguard/wg0.conf",
		"etc/esptun/hq.conf",	    "etc/esptun/hq.psk",  "etc/esptun/branch.conf",
		"etc/esptun/wg0.conf",	    "etc/esptun/wg0.psk",
	};

	(void)state;
	read_guide();
	for (unsigned int i = 0; i < 4; i++)
		assert_int_equal(mkdir(in_dir(folders[i]), 0700), 0);
	check_guide("swanctl", made[0], "etc/esptun/hq.conf");
	check_guide("ipsec", made[1], "etc/esptun/branch.conf");
	check_guide("wireguard", made[2], "etc/esptun/wg0.conf");
	for (unsigned int i = 0; i < sizeof(made) / sizeof(made[0]); i++)
		assert_int_equal(unlink(in_dir(made[i])), 0);
	for (unsigned int i = 4; i--;)
		assert_int_equal(rmdir(in_dir(folders[i])), 0);
}

static void wrong_words(void **state)
{
	static const struct {
		const char *words, *sentence;
		int code;
	} rows[] = {
		{ "import", "expected the file to import", EXIT_USAGE },
		{ "import /nonexistent", "cannot read /nonexistent: No such file", EXIT_KERNEL },
		{ "import x --from iked", "--from is iked, but must be swanctl", EXIT_USAGE },
		{ "import x --local up", "--local is up, but must be left or right", EXIT_USAGE },
		{ "import x --to etc", "--to is etc, but must be the /PATH of a folder",
		  EXIT_USAGE },
		{ "import x --name a/b", "--name is a/b, but must be", EXIT_USAGE },
		{ "import x --frob", "--frob", EXIT_USAGE },
		{ "import %/odd", "is not known to be of any kind", EXIT_KERNEL },
		{ "import %/swanctl.conf --to /nonexistent",
		  "cannot write /nonexistent/hq.psk: No such file", EXIT_KERNEL },
	};

	(void)state;
	put("odd", "hello\n", 6, 0600);
	put("swanctl.conf", swanctl, strlen(swanctl), 0600);
	for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(run(rows[i].words), rows[i].code);
		contains(err, rows[i].sentence);
	}
	assert_int_equal(run("import help"), 0);
	contains(out, "Usage: esptun import FILE");
	remove_files();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(p12_of_old),
		cmocka_unit_test(p12_becomes_files),
		cmocka_unit_test(p12_not_opened),
		cmocka_unit_test(p12_names),
		cmocka_unit_test(p12_without_passphrase),
		cmocka_unit_test(p12_asks_terminal),
		cmocka_unit_test(swanctl_becomes_files),
		cmocka_unit_test(nothing_is_left),
		cmocka_unit_test(certificates_in_der),
		cmocka_unit_test(wg_quick_gets_key),
		cmocka_unit_test(guide_is_right),
		cmocka_unit_test(wrong_words),
	};

	return cmocka_run_group_tests_name("cli_import", tests, make_all, remove_all);
}
