// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * esptun import: configurations of other programs, and PKCS#12 containers, become files of the agent. What they mean is decided in
 * ike/import/ and ike/pki/; here files are read, and written: all or none, each whole, for its owner alone, and none over another
 * unless that is asked for.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/stat.h>

#include "cli/cli.h"
#include "cli/passphrase.h"
#include "ike/app/secret.h"
#include "ike/import/import.h"
#include "ike/pki/pki.h"
#include "ike/proto/addr.h"

const char usage_import[] =
	"Usage: esptun import FILE [--from KIND] [--to DIR] [--dry-run] [--force]\n"
	"                          [--secrets FILE] [--local left|right] [--psk]\n"
	"       esptun import FILE.p12 [--name NAME] [--passphrase-file FILE]\n"
	"                          [--to DIR] [--dry-run] [--force]\n"
	"KIND := swanctl | ipsec.conf | wg-quick | pkcs12\n"
	"Writes a file DIR/NAME.conf for each connection (DIR: " CONFIG_PATH "), and those with\n"
	"its keys and certificates, and says of each line that is left out why, and what to do\n"
	"instead. --dry-run (-n) shows what would be written. --psk makes a pre-shared key\n"
	"for what was WireGuard's. Of PKCS#12 the key, the certificate and CAs are written, and\n"
	"the lines are printed that name them.\n";

enum {
	K_FROM,
	K_TO,
	K_NAME,
	K_DRY_RUN,
	K_FORCE,
	K_SECRETS,
	K_LOCAL,
	K_PSK,
	K_PASSPHRASE,
};

const struct keyword import_keywords[] = {
	{ "--from", K_FROM, false, "swanctl ipsec.conf wg-quick pkcs12" },
	{ "--to", K_TO, false, "@file" },
	{ "--name", K_NAME, false, NULL },
	{ "--dry-run", K_DRY_RUN, false, "" },
	{ "--force", K_FORCE, false, "" },
	{ "--secrets", K_SECRETS, false, "@file" },
	{ "--local", K_LOCAL, false, "left right" },
	{ "--psk", K_PSK, false, "" },
	{ "--passphrase-file", K_PASSPHRASE, false, "@file" },
	{ NULL, 0, false, NULL },
};

struct importing {
	const struct cli *cli;
	const char *path, *dir, *name, *secrets, *passphrase_file;
	enum import_kind kind;
	int local;
	bool dry_run, force, psk;
};

/* ---- reading ------------------------------------------------------------------------- */

static uint8_t *read_file(void *ctx, const char *path, size_t *len)
{
	uint8_t *bytes = malloc(IMPORT_MAX_FILE + 2);
	struct stat st;
	ssize_t n;

	(void)ctx;
	if (!bytes)
		return NULL;
	n = secret_read(path, (char *)bytes, IMPORT_MAX_FILE + 1, &st);
	if (n >= 0 && n <= IMPORT_MAX_FILE) {
		bytes[n] = 0;
		*len = (size_t)n;
		return bytes;
	}
	if (n > 0)
		errno = EFBIG;
	free(bytes);
	return NULL;
}

static unsigned int find_files(void *ctx, const char *pattern,
			       void (*each)(void *arg, const char *path), void *arg)
{
	unsigned int n = 0;
	glob_t g = { 0 };
	struct stat st;

	(void)ctx;
	if (glob(pattern, 0, NULL, &g))
		return 0;
	for (size_t i = 0; i < g.gl_pathc; i++) {
		if (stat(g.gl_pathv[i], &st) || !S_ISREG(st.st_mode))
			continue;
		each(arg, g.gl_pathv[i]);
		n++;
	}
	globfree(&g);
	return n;
}

static bool has_address(void *ctx, const struct ike_addr *a)
{
	struct ifaddrs *all;
	bool has = false;

	(void)ctx;
	if (getifaddrs(&all))
		return false;
	for (struct ifaddrs *i = all; i; i = i->ifa_next) {
		if (i->ifa_addr && i->ifa_addr->sa_family == AF_INET && a->family == 4)
			has |= !memcmp(&((struct sockaddr_in *)i->ifa_addr)->sin_addr, a->b, 4);
		else if (i->ifa_addr && i->ifa_addr->sa_family == AF_INET6 && a->family == 6)
			has |= !memcmp(&((struct sockaddr_in6 *)i->ifa_addr)->sin6_addr, a->b, 16);
	}
	freeifaddrs(all);
	return has;
}

static void say(void *ctx, const char *path, unsigned int line, const char *text)
{
	(void)ctx;
	if (line)
		fprintf(stderr, "%s:%u: %s\n", path, line, text);
	else
		fprintf(stderr, "%s: %s\n", path, text);
}

static bool make_psk(void *ctx, char text[IMPORT_PSK_TEXT])
{
	_Static_assert((int)KEYGEN_PSK_TEXT <= (int)IMPORT_PSK_TEXT, "a key does not fit");
	(void)ctx;
	return !keygen_psk_text(text);
}

/* ---- writing ------------------------------------------------------------------------- */

static int write_all(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = write(fd, text, len);

		if (n < 0)
			return -1;
		text += n;
		len -= (size_t)n;
	}
	return fsync(fd);
}

/* A new file @path, or in place of the one there with @force: whole or not at all. 0, or -1 with errno. */
static int write_file(const char *path, const struct import_file *f, bool force)
{
	char *temporary;
	int fd, err = -1, cause;

	if (asprintf(&temporary, "%s.XXXXXX", path) < 0)
		return -1;
	fd = mkostemp(temporary, O_CLOEXEC); /* 0600 */
	if (fd >= 0) {
		err = write_all(fd, f->text, f->len);
		if (!err)
			err = force ? rename(temporary, path) : link(temporary, path);
		cause = errno;
		close(fd);
		if (err || !force)
			unlink(temporary);
		errno = cause;
	}
	free(temporary);
	return err ? -1 : 0;
}

static char *path_of(const struct importing *im, const struct import_file *f)
{
	char *path;

	return asprintf(&path, "%s/%s", im->dir, f->name) < 0 ? NULL : path;
}

/* Nothing is written if one of them is there. */
static int refuse_overwriting(const struct importing *im, const struct import_file *files,
			      unsigned int n)
{
	struct stat st;
	int err = 0;

	for (unsigned int i = 0; i < n && !im->force && !err; i++) {
		char *path = path_of(im, &files[i]);

		if (path && !lstat(path, &st)) {
			cli_error(
				"%s is there already, so nothing was written: --force replaces it",
				path);
			err = EXIT_KERNEL;
		}
		free(path);
	}
	return err;
}

static int write_one(const struct importing *im, const struct import_file *f)
{
	char *path = path_of(im, f);
	int err = path ? write_file(path, f, im->force) : -1;

	if (err)
		cli_error("cannot write %s: %s", path ? path : f->name, strerror(errno));
	free(path);
	return err ? EXIT_KERNEL : 0;
}

/* Takes away what was written before another could not be; what took the place of others stays. */
static void remove_files(const struct importing *im, const struct import_file *files,
			 unsigned int n)
{
	for (unsigned int i = 0; i < n && !im->force; i++) {
		char *path = path_of(im, &files[i]);

		if (path)
			unlink(path);
		free(path);
	}
}

static int write_files(const struct importing *im, const struct import_file *files, unsigned int n)
{
	int err = refuse_overwriting(im, files, n);
	unsigned int done = 0;

	while (done < n && !err) {
		err = write_one(im, &files[done]);
		done += !err;
	}
	if (err) {
		remove_files(im, files, done);
		return err;
	}
	for (unsigned int i = 0; i < n; i++)
		printf("%s/%s\n", im->dir, files[i].name);
	if (n && geteuid())
		fprintf(stderr,
			"Warning: the files belong to uid %u, and esptund takes keys of root: chown root\n",
			geteuid());
	return 0;
}

static bool is_conf(const struct import_file *f)
{
	size_t len = strlen(f->name);

	return len > 5 && !strcmp(f->name + len - 5, ".conf");
}

/* Configurations are shown, other files with -show-keys only. */
static void show_files(const struct importing *im, const struct import_file *files, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		printf("==> %s/%s (0600, %zu bytes)\n", im->dir, files[i].name, files[i].len);
		if (is_conf(&files[i]) || im->cli->show_keys)
			printf("%s\n", files[i].text);
	}
}

/* ---- configurations ------------------------------------------------------------------- */

static int import_conf(const struct importing *im, const uint8_t *bytes, size_t len)
{
	const struct import_options o = {
		.path = im->path,
		.dir = im->dir,
		.secrets = im->secrets,
		.local = im->local,
	};
	const struct import_env env = {
		.read = read_file,
		.glob = find_files,
		.is_own = has_address,
		.make_psk = im->psk ? make_psk : NULL,
		.say = say,
	};
	struct import_result r;
	int err = 0;

	if (import_read(im->kind, bytes, len, &o, &env, &r)) {
		cli_error("%s cannot be understood as %s; --from says what it is", im->path,
			  import_kind_name(im->kind));
		return EXIT_KERNEL;
	}
	if (im->dry_run)
		show_files(im, r.file, r.n);
	else
		err = write_files(im, r.file, r.n);
	if (!err && r.conns && !im->dry_run)
		printf("%u tunnel%s; now: esptund --check %s, then esptun up NAME\n", r.conns,
		       r.conns > 1 ? "s" : "", im->dir);
	if (!err && (r.refused || !r.conns)) {
		cli_error("%u connection%s could not be imported", r.refused,
			  r.refused == 1 ? "" : "s");
		err = EXIT_KERNEL;
	}
	import_result_clear(&r);
	return err;
}

/* ---- PKCS#12 --------------------------------------------------------------------------- */

static int get_passphrase(const struct importing *im, struct passphrase *p)
{
	char prompt[256];

	snprintf(prompt, sizeof(prompt), "Passphrase of %.200s: ", im->path);
	if (!(im->passphrase_file ? passphrase_read(p, im->passphrase_file)
				  : passphrase_ask(p, prompt, "--passphrase-file")))
		return 0;
	cli_error("%s", p->err);
	return EXIT_KERNEL;
}

/* Without a passphrase if that will do, so that nobody is asked for nothing. */
static int open_p12(const struct importing *im, const uint8_t *bytes, size_t len,
		    struct pki_p12 *out)
{
	struct passphrase p = { 0 };
	char why[PKI_MAX_TEXT];
	int rc = pki_p12_open(bytes, len, "", time(NULL), out, why, sizeof(why));

	if (rc && pki_p12_is_meant(bytes, len)) {
		int err = get_passphrase(im, &p);

		if (!err)
			rc = pki_p12_open(bytes, len, p.text, time(NULL), out, why, sizeof(why));
		passphrase_clear(&p);
		if (err)
			return err;
	}
	if (rc)
		cli_error("%s %s", im->path, why);
	else if (*why)
		fprintf(stderr, "Warning: %s %s\n", im->path, why);
	return rc ? EXIT_KERNEL : 0;
}

/* "vpn" of "/tmp/vpn.p12", unless it is said. */
static void base_name(const struct importing *im, char *out, size_t size)
{
	const char *base = strrchr(im->path, '/');

	base = base ? base + 1 : im->path;
	snprintf(out, size, "%.*s", (int)strcspn(base, "."), base);
	if (im->name)
		snprintf(out, size, "%s", im->name);
}

/* It stands in lines of a configuration, and in names of files. */
static bool is_base_name(const char *s)
{
	return *s && *s != '-' &&
	       !s[strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._@+-")];
}

static void print_lines(const struct importing *im, const char *name, bool roots)
{
	printf("[Tunnel]\nKey = %s/%s.key\nCert = %s/%s.crt\n", im->dir, name, im->dir, name);
	if (roots)
		printf("\n[Peer]\n# if the peer's certificate is of the same CA; RemoteID says who it is\nCA = %s/%s.ca\n",
		       im->dir, name);
}

/* Files of a container, one for each of its three texts that it has. */
static int put_p12(const struct importing *im, const char *name, const struct pki_p12 *p12)
{
	static const char *const ends[] = { "key", "crt", "ca" };
	char *const texts[] = { p12->key, p12->chain, p12->roots };
	char names[3][80];
	struct import_file files[3];
	unsigned int n = 0;

	for (; n < 3 && texts[n]; n++) {
		snprintf(names[n], sizeof(names[n]), "%s.%s", name, ends[n]);
		files[n] = (struct import_file){ names[n], texts[n], strlen(texts[n]) };
	}
	if (!im->dry_run)
		return write_files(im, files, n);
	show_files(im, files, n);
	return 0;
}

static int import_p12(const struct importing *im, const uint8_t *bytes, size_t len)
{
	struct pki_p12 p12;
	char name[64];
	int err;

	base_name(im, name, sizeof(name));
	if (!is_base_name(name)) {
		cli_error(
			"that is no name for a key's file: --name says what the files are called");
		return EXIT_KERNEL;
	}
	err = open_p12(im, bytes, len, &p12);
	if (err)
		return err;
	err = put_p12(im, name, &p12);
	if (!err)
		print_lines(im, name, p12.roots);
	pki_p12_clear(&p12);
	return err;
}

/* ---- the command ------------------------------------------------------------------------ */

static enum import_kind kind_by_name(const char *word)
{
	for (int kind = IMPORT_UNKNOWN; kind < IMPORT_KINDS; kind++) {
		if (import_kind_name(kind) && !strcmp(import_kind_name(kind), word))
			return kind;
	}
	return IMPORT_UNKNOWN;
}

static int take_word(struct args *a, struct importing *im)
{
	const char *value = NULL;
	int id;

	if (!strcmp(a->argv[0], "-n"))
		a->argv[0] = (char *)"--dry-run";
	if (args_keyword(a, import_keywords, &id) ||
	    (*(import_keywords[id].values ? import_keywords[id].values : "x") &&
	     args_value(a, import_keywords[id].name, &value)))
		return -1;
	switch (id) {
	case K_TO: im->dir = value; return 0;
	case K_NAME: im->name = value; return 0;
	case K_DRY_RUN: im->dry_run = true; return 0;
	case K_FORCE: im->force = true; return 0;
	case K_SECRETS: im->secrets = value; return 0;
	case K_PSK: im->psk = true; return 0;
	case K_PASSPHRASE: im->passphrase_file = value; return 0;
	case K_LOCAL:
		im->local = !strcmp(value, "right");
		if (im->local || !strcmp(value, "left"))
			return 0;
		return args_fail(a, "--local is %.40s, but must be left or right", value);
	default:
		im->kind = kind_by_name(value);
		if (im->kind)
			return 0;
		return args_fail(
			a, "--from is %.40s, but must be swanctl, ipsec.conf, wg-quick or pkcs12",
			value);
	}
}

static int parse_words(struct args *a, struct importing *im)
{
	im->path = args_next(a);
	if (!im->path)
		return args_fail(a, "expected the file to import, see \"esptun import help\"");
	a->seen = 0;
	while (a->argc) {
		if (take_word(a, im))
			return -1;
	}
	if (*im->dir != '/')
		return args_fail(a, "--to is %.40s, but must be the /PATH of a folder", im->dir);
	if (im->name &&
	    (!*im->name || strlen(im->name) > 15 || *im->name == '.' || strchr(im->name, '/')))
		return args_fail(a,
				 "--name is %.40s, but must be one of 1 to 15 characters without /",
				 im->name);
	return 0;
}

int cmd_import(struct cli *cli, struct args *a)
{
	struct importing im = { .cli = cli, .dir = CONFIG_PATH, .local = -1 };
	uint8_t *bytes;
	size_t len = 0;
	int err;

	if (a->argc && args_abbrev(a->argv[0], "help")) {
		fputs(usage_import, stdout);
		return 0;
	}
	if (parse_words(a, &im))
		return cli_usage_error(a);
	bytes = read_file(NULL, im.path, &len);
	if (!bytes) {
		cli_error("cannot read %s: %s", im.path, strerror(errno));
		return EXIT_KERNEL;
	}
	if (!im.kind)
		im.kind = pki_p12_is_meant(bytes, len) ? IMPORT_PKCS12 : import_detect(bytes, len);
	if (im.kind == IMPORT_PKCS12) {
		err = import_p12(&im, bytes, len);
	} else if (im.kind) {
		err = import_conf(&im, bytes, len);
	} else {
		cli_error(
			"%s is not known to be of any kind; --from says what it is: swanctl, ipsec.conf, wg-quick or pkcs12",
			im.path);
		err = EXIT_KERNEL;
	}
	explicit_bzero(bytes, len);
	free(bytes);
	return err;
}
