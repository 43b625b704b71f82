// SPDX-License-Identifier: GPL-2.0-or-later
#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>

#include "common/keyfile.h"
#include "ike/app/config/config_int.h"
#include "ike/app/secret.h"
#include "ike/auth/sigalg.h"
#include "ike/pki/pki.h"
#include "ike/proto/text.h"

static void tell(const struct config_report *rep, bool error, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void tell(const struct config_report *rep, bool error, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	config_vsay(rep, error, 0, fmt, ap);
	va_end(ap);
}

static const char *why_unread(void)
{
	return errno == EINVAL ? "it is no regular file" : strerror(errno);
}

/* key_file_ok() or trust_file_ok(). */
typedef bool file_ok_fn(const char *path, const struct stat *st, char *why, size_t size);

static bool is_guarded(file_ok_fn *ok, const char *path, const struct stat *st,
		       const struct config_report *rep)
{
	char why[1024];
	bool good = ok(path, st, why, sizeof(why));

	if (!good)
		tell(rep, true, "%s", why);
	return good;
}

static bool closed_to_others(const char *path, const struct stat *st,
			     const struct config_report *rep)
{
	return is_guarded(key_file_ok, path, st, rep);
}

/* secret_strong() or secret_strong_ppk(); NULL: it may be easy to guess. */
typedef bool strong_fn(const uint8_t *key, size_t len, char *why, size_t size);

/* The @n bytes of the key file @path in @buf, which has room for one more. */
static int take_key(const char *path, char *buf, size_t n, uint8_t key[static SECRET_MAX],
		    size_t *len, strong_fn *strong, const struct config_report *rep)
{
	char why[160];

	if (secret_from_file(buf, n, key, len, why, sizeof(why))) {
		tell(rep, true, "the first line of %s is no key: it %s", path, why);
		return -1;
	}
	if (*why)
		tell(rep, false, "the key in %s %s", path, why);
	if (strong && !strong(key, *len, why, sizeof(why)))
		tell(rep, false, "the key in %s %s", path, why);
	return 0;
}

static void report_unread(const char *path, const struct config_report *rep)
{
	const char *why = why_unread(), *hidden = secret_hidden(path);

	if (hidden)
		tell(rep, true,
		     "cannot read the key file %s: %s (%s in esptund.service hides it: move it to %s)",
		     path, why, hidden, CONFIG_DIR);
	else
		tell(rep, true, "cannot read the key file %s: %s", path, why);
}

static bool later(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec != b->tv_sec ? a->tv_sec > b->tv_sec : a->tv_nsec > b->tv_nsec;
}

/* Its keys are of @changed, too. */
static void note_change(struct config *c, const struct timespec *changed)
{
	if (later(changed, &c->changed))
		c->changed = *changed;
}

/* The key in the file @path, and when that was changed last. */
static int load_key(const char *path, uint8_t key[static SECRET_MAX], size_t *len,
		    strong_fn *strong, struct timespec *changed, const struct config_report *rep)
{
	char buf[1024];
	struct stat st;
	ssize_t n = secret_read(path, buf, sizeof(buf) - 1, &st);
	int err = -1;

	if (n < 0)
		report_unread(path, rep);
	else if (closed_to_others(path, &st, rep))
		err = take_key(path, buf, (size_t)n, key, len, strong, rep);
	if (!err)
		*changed = st.st_ctim;
	ike_wipe(buf, sizeof(buf));
	return err;
}

static int load_psk(struct config *c, const struct config_report *rep)
{
	struct timespec changed;

	if (load_key(c->psk_file, c->psk, &c->psk_len, secret_strong, &changed, rep))
		return -1;
	note_change(c, &changed);
	return 0;
}

static int load_ppk(struct config *c, const struct config_report *rep)
{
	struct timespec changed;

	if (load_key(c->ppk->file, c->ppk->key, &c->ppk->len, secret_strong_ppk, &changed, rep))
		return -1;
	note_change(c, &changed);
	return 0;
}

/* Our password, as a key of jobs. Whether it is easy to guess is the server's to say. */
static int load_password(struct config *c, const struct config_report *rep)
{
	struct config_password *own = c->password;
	struct timespec changed;

	if (*own->file) {
		if (load_key(own->file, own->key, &own->len, NULL, &changed, rep))
			return -1;
		note_change(c, &changed);
	}
	if (!client_keys_password(own->key, &own->len))
		return 0;
	tell(rep, true, "Password: expected at most %d bytes of UTF-8", SECRET_MAX - 1);
	return -1;
}

/* Those of the keys, or PPKs, of clients whose sections name a file. */
static int load_client_keys(struct config *c, struct client_keys *l, strong_fn *strong,
			    const struct config_report *rep)
{
	struct timespec changed;
	int err = 0;

	for (unsigned int i = 0; i < l->n; i++) {
		struct client_key *k = &l->v[i];
		char path[sizeof(k->key)];

		if (!k->named)
			continue;
		memcpy(path, k->key, sizeof(path)); /* it ends within: config_copy() */
		memset(k->key, 0, sizeof(k->key));
		if (load_key(path, k->key, &k->len, strong, &changed, rep))
			err = -1;
		else
			note_change(c, &changed);
	}
	return err;
}

/* Secrets of RADIUS servers whose sections name a file. */
static int load_radius_secrets(struct config *c, const struct config_report *rep)
{
	struct timespec changed;
	int err = 0;

	for (unsigned int i = 0; i < c->n_radius; i++) {
		struct config_radius *r = &c->radius[i];

		if (!*r->secret_file)
			continue;
		if (load_key(r->secret_file, r->secret, &r->secret_len, NULL, &changed, rep))
			err = -1;
		else
			note_change(c, &changed);
	}
	return err;
}

/* Keys and certificates of public-key authentication: a key of the configuration that names a file. */
struct cred_file {
	const char *path; /* "": it is not given */
	file_ok_fn *ok; /* whom else it may be open to; NULL: that does not matter */
	size_t most; /* bytes */
	int (*take)(struct config *c, const void *data, size_t len, char *why, size_t size);
	bool is_key; /* what take() says goes on after "the key in PATH" */
	const char *const
		*ends; /* path may be a folder: of the names of its files; NULL: it may not */
};

static const char *const cert_ends[] = { ".pem", ".crt", ".cer", ".der", NULL };
static const char *const crl_ends[] = { ".pem", ".crl", ".der", NULL };

enum { PASSPHRASE_FILE = 1026 }; /* bytes: a passphrase of 1,023, and the end of its line */

/* The file that cred:NAME is, one of those that systemd gives its service. */
static int find_credential(const char *name, char *path, size_t path_size, char *why, size_t size)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");

	if (dir && (size_t)snprintf(path, path_size, "%s/%s", dir, name) < path_size)
		return 0;
	snprintf(
		why, size,
		"cannot be opened: systemd gave this process no credentials; expected LoadCredential=%s:/PATH in the unit of esptund",
		name);
	return -1;
}

/* The first line of where the configuration says that it is, in @buf. */
static int read_passphrase(struct config *c, char buf[PASSPHRASE_FILE], struct ike_iov *out,
			   char *why, size_t size)
{
	const char *name = config_paths(c)->passphrase;
	char path[512], fault[1280];
	struct stat st;
	ssize_t n;

	if (strncmp(name, "cred:", 5))
		snprintf(path, sizeof(path), "%s", name);
	else if (find_credential(name + 5, path, sizeof(path), why, size))
		return -1;
	n = secret_read(path, buf, PASSPHRASE_FILE, &st);
	if (n < 0) {
		snprintf(why, size, "cannot be opened: its passphrase cannot be read from %s: %s",
			 path, why_unread());
		return -1;
	}
	if (!key_file_ok(path, &st, fault, sizeof(fault))) {
		snprintf(why, size, "cannot be opened: %s", fault);
		return -1;
	}
	note_change(c, &st.st_ctim);
	*out = (struct ike_iov){ buf, (size_t)n };
	for (ssize_t i = n; i-- > 0;) {
		if (buf[i] == '\n' || buf[i] == '\r')
			out->len = (size_t)i;
	}
	if (out->len && n < PASSPHRASE_FILE)
		return 0;
	snprintf(why, size, "cannot be opened: expected a passphrase in the first line of %s",
		 path);
	return -1;
}

static int take_private(struct config *c, const void *data, size_t len, char *why, size_t size)
{
	struct ike_iov passphrase = { 0 };
	bool has_one = *config_paths(c)->passphrase;
	char buf[PASSPHRASE_FILE];
	int err = has_one ? read_passphrase(c, buf, &passphrase, why, size) : 0;

	if (!err)
		err = config_cred_private(c, data, len, has_one ? &passphrase : NULL, why, size);
	ike_wipe(buf, sizeof(buf));
	return err;
}

static int load_cred(struct config *c, const struct cred_file *f, const char *path,
		     const struct config_report *rep)
{
	char *text = malloc(f->most), why[PKI_MAX_TEXT];
	struct stat st;
	ssize_t n = text ? secret_read(path, text, f->most, &st) : -1;
	int err = -1;

	if (n < 0) {
		report_unread(path, rep);
	} else if ((size_t)n == f->most) {
		tell(rep, true, "%s is too long: expected less than %zu bytes", path, f->most);
	} else if (!f->ok || is_guarded(f->ok, path, &st, rep)) {
		err = f->take(c, text, (size_t)n, why, sizeof(why));
		if (err)
			tell(rep, true, f->is_key ? "the key in %s %s" : "%s: %s", path, why);
		note_change(c, &st.st_ctim);
	}
	if (text)
		ike_wipe(text, f->most);
	free(text);
	return err;
}

static bool has_end(const char *name, const char *const *ends)
{
	const char *dot = strrchr(name, '.');

	for (; dot && name[0] != '.' && *ends; ends++) {
		if (!strcasecmp(dot, *ends))
			return true;
	}
	return false;
}

/*
 * Calls @each with the path of every file in the folder of @f whose name has one of the ends, in order of names, until
 * it returns another number than 0. -1: the folder cannot be read; else how many there were, or what it returned.
 */
static int each_file(const struct cred_file *f, int (*each)(void *ctx, const char *path), void *ctx)
{
	struct dirent **list = NULL;
	int n = scandir(f->path, &list, NULL, alphasort), found = 0, err = 0;
	char path[4096];

	for (int i = 0; i < n; i++) {
		if (!err && has_end(list[i]->d_name, f->ends)) {
			snprintf(path, sizeof(path), "%s/%s", f->path, list[i]->d_name);
			err = each(ctx, path);
			found++;
		}
		free(list[i]);
	}
	free(list);
	return n < 0 ? -1 : err ? err : found;
}

struct loading {
	struct config *c;
	const struct cred_file *f;
	const struct config_report *rep;
};

static int load_one(void *ctx, const char *path)
{
	const struct loading *l = ctx;

	return load_cred(l->c, l->f, path, l->rep) ? -2 : 0;
}

static void report_empty(const struct cred_file *f, const struct config_report *rep)
{
	char ends[64];
	struct text t = text_init(ends, sizeof(ends));

	for (unsigned int i = 0; f->ends[i]; i++)
		text_add(&t, "%s%s", !i ? "" : f->ends[i + 1] ? ", " : " or ", f->ends[i]);
	tell(rep, true, "%s has no file NAME%s", f->path, ends);
}

/* All files with certificates, or CRLs, in a folder. */
static int load_folder(struct config *c, const struct cred_file *f, const struct config_report *rep)
{
	struct loading l = { c, f, rep };
	int n = each_file(f, load_one, &l);

	if (n == -1)
		report_unread(f->path, rep);
	else if (!n)
		report_empty(f, rep);
	return n > 0 ? 0 : -1;
}

/* The file, or the folder. */
static int load_path(struct config *c, const struct cred_file *f, const struct config_report *rep)
{
	struct stat st;

	if (!f->ends || stat(f->path, &st) || !S_ISDIR(st.st_mode))
		return load_cred(c, f, f->path, rep);
	return is_guarded(f->ok, f->path, &st, rep) ? load_folder(c, f, rep) : -1;
}

static int note_time(void *ctx, const char *path)
{
	struct timespec *latest = ctx;
	struct stat st;

	if (!stat(path, &st) && later(&st.st_ctim, latest))
		*latest = st.st_ctim;
	return 0;
}

/* When file or folder, and what is in it, was changed last; 0: it is not there. */
static struct timespec path_time(const struct cred_file *f)
{
	struct timespec latest = { 0 };
	struct stat st;

	note_time(&latest, f->path);
	if (!stat(f->path, &st) && S_ISDIR(st.st_mode))
		each_file(f, note_time, &latest);
	return latest;
}

/* What tells whether certificates were revoked. It changes often, and so is read again without a reload. */
enum { STATUS_FILES = 2 };

static void list_status(const struct config *c, struct cred_file out[STATUS_FILES])
{
	out[0] = (struct cred_file){
		.path = config_paths(c)->crl,
		.ok = trust_file_ok,
		.most = 2 * IKE_MAX_CREDS,
		.take = config_cred_crls,
		.ends = crl_ends,
	};
	out[1] = (struct cred_file){
		.path = config_paths(c)->ocsp,
		.most = 2 * PKI_MAX_CERT,
		.take = config_cred_ocsp,
	};
}

/* The times of all of them added up: another one whenever one of them is another, or is gone. */
static struct timespec status_time(const struct config *c)
{
	struct timespec sum = { 0 }, its;
	struct cred_file f[STATUS_FILES];

	list_status(c, f);
	for (unsigned int i = 0; i < STATUS_FILES; i++) {
		its = path_time(&f[i]);
		sum.tv_sec += its.tv_sec;
		sum.tv_nsec += its.tv_nsec;
	}
	return sum;
}

/* The time is of before, so that a change meanwhile is not missed. */
static int load_status(struct config *c, const struct config_report *rep)
{
	struct cred_file f[STATUS_FILES];
	char why[PKI_MAX_TEXT];

	c->cert_status_time = status_time(c);
	list_status(c, f);
	for (unsigned int i = 0; i < STATUS_FILES; i++) {
		if (*f[i].path && load_path(c, &f[i], rep))
			return -1;
	}
	config_cred_check_crls(c, time(NULL), why, sizeof(why));
	if (*why)
		tell(rep, false, "%s: %s", config_paths(c)->crl, why);
	return 0;
}

/* Do they belong together? */
static int check_creds(struct config *c, const struct config_report *rep)
{
	const char *path = *c->cert_file ? c->cert_file : c->ca_path;
	char why[PKI_MAX_TEXT];
	int err;

	if (!*path)
		return 0;
	err = config_cred_check(c, time(NULL), why, sizeof(why));
	if (*why)
		tell(rep, err, "%s: %s", path, why);
	return err;
}

static int load_creds(struct config *c, const struct config_report *rep)
{
	const struct cred_file files[] = {
		{ c->key_file, key_file_ok, IKE_MAX_KEY_FILE, take_private, true, NULL },
		{ c->public_file, trust_file_ok, IKE_MAX_KEY_FILE, config_cred_public, true, NULL },
		{ c->cert_file, NULL, 8 * PKI_MAX_ALL, config_cred_certs, false, NULL },
		{ c->ca_path, trust_file_ok, 2 * IKE_MAX_CREDS, config_cred_cas, false, cert_ends },
	};
	int err = load_status(c, rep); /* it comes first: config_take_cert_status() */

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]) && !err; i++) {
		if (*files[i].path)
			err = load_path(c, &files[i], rep);
	}
	return err ? -1 : check_creds(c, rep);
}

/* A file with a key in each line. */
struct secrets {
	const char *path;
	const struct config_report *rep;
};

static void tell_of_line(void *ctx, bool error, unsigned int line, const char *text)
{
	const struct secrets *s = ctx;

	tell(s->rep, error, "%s:%u: %s", s->path, line, text);
}

static int load_secrets(struct config *c, const char *path, struct client_keys *l,
			int (*parse)(struct client_keys *l, const char *text, size_t len,
				     void (*fn)(void *, bool, unsigned int, const char *), void *),
			const struct config_report *rep)
{
	struct secrets ctx = { path, rep };
	char *text = malloc(CONFIG_MAX_SECRETS + 1);
	struct stat st;
	ssize_t len = text ? secret_read(path, text, CONFIG_MAX_SECRETS + 1, &st) : -1;
	int err = -1;

	if (len < 0)
		report_unread(path, rep);
	else if (len > CONFIG_MAX_SECRETS)
		tell(rep, true, "%s is longer than %d bytes", path, CONFIG_MAX_SECRETS);
	else if (closed_to_others(path, &st, rep)) {
		note_change(c, &st.st_ctim);
		err = parse(l, text, (size_t)len, tell_of_line, &ctx);
	}
	if (text)
		ike_wipe(text, CONFIG_MAX_SECRETS + 1);
	free(text);
	return err;
}

/* No identity, or name, has two keys; then all are in order. */
static int join_keys(struct client_keys *l, const char *path, const struct config_report *rep)
{
	const struct client_key *b = client_keys_sort(l), *a = b ? b - 1 : NULL;
	char id[IKE_MAX_ID + 16];

	for (unsigned int i = 0; !b && i < l->n; i++) {
		l->v[i].line = 0;
		l->v[i].named = l->v[i].of_secrets = false;
	}
	if (!b)
		return 0;
	if (!b->of_secrets || (a->of_secrets && a->line > b->line)) {
		const struct client_key *x = a;

		a = b;
		b = x;
	}
	ike_id_print(id, sizeof(id), &b->id);
	if (b->of_secrets)
		tell(rep, true, "%s:%u: %s has a key already, in line %u of %s", path, b->line, id,
		     a->line, a->of_secrets ? "this file" : "the configuration");
	else /* identities of sections were compared before, so that it is a PPK */
		tell(rep, true,
		     "%s has two keys, in the sections [Client ID] of lines %u and %u: expected a PPK of its own for each, or one [Client *.DOMAIN] for all of them",
		     id, a->line, b->line);
	return -1;
}

/* The PPKs of clients, and those that clients have to have, are there. */
static int join_ppks(struct config *c, const struct config_report *rep)
{
	const struct client_key *lacks;
	char id[IKE_MAX_ID + 16];

	if (join_keys(&c->ppks.keys, c->ppk ? c->ppk->clients_file : "", rep))
		return -1;
	for (unsigned int i = 0; i < c->ppks.of.n; i++)
		c->ppks.of.v[i].line = 0;
	lacks = client_ppks_reserve(&c->ppks);
	if (!lacks)
		return 0;
	tell(rep, true,
	     "[Client %s] has PPKID = %.*s, and there is no such PPK: expected PPK there, too, or a line of that name in %s",
	     ike_id_print(id, sizeof(id), &lacks->id), (int)lacks->len, (const char *)lacks->key,
	     c->ppk->clients_file);
	return -1;
}

/* Does the configuration file itself hold a key? */
static bool holds_key(const struct config *c)
{
	for (unsigned int i = 0; i < c->keys.n; i++) {
		if (!c->keys.v[i].named)
			return true;
	}
	for (unsigned int i = 0; i < c->ppks.keys.n; i++) {
		if (!c->ppks.keys.v[i].named)
			return true;
	}
	for (unsigned int i = 0; i < c->n_radius; i++) {
		if (c->radius[i].secret_len)
			return true;
	}
	return c->psk_len || (c->ppk && c->ppk->len) || (c->password && c->password->len);
}

/* Our signature tells users who we are: the usual clients verify it only of some keys. */
static void warn_of_key(const struct config *c, const struct config_report *rep)
{
	const struct ike_creds creds = { c->creds, c->n_creds };
	struct ike_iov spki;
	enum ike_key_kind kind;
	char why[256];

	if (c->remote_auth.method != IKE_METHOD_EAP ||
	    !ike_cred_find(&creds, IKE_CRED_OWN_KEY, &spki))
		return;
	kind = ike_key_kind(spki.base, spki.len, why, sizeof(why));
	if (!sigalg_choose(kind, 0, c->signatures, why, sizeof(why)))
		tell(rep, false,
		     "Key is one of %s: users with Windows, or older systems of Apple, who do not know RFC 7427, cannot log in; expected an ECDSA key of P-256 or P-384%s",
		     ike_key_name(kind),
		     kind == IKE_KEY_RSA ? ", or Signatures = sha1 in [Peer]" : "");
}

/* Those of clients. */
static int load_keys_of_clients(struct config *c, const struct config_report *rep)
{
	const char *ppks = c->ppk ? c->ppk->clients_file : "";

	if (load_client_keys(c, &c->keys, secret_strong, rep) ||
	    load_client_keys(c, &c->ppks.keys, secret_strong_ppk, rep) ||
	    (*c->secrets_file &&
	     load_secrets(c, c->secrets_file, &c->keys,
			  ike_auth_is_user(&c->remote_auth) ? client_keys_parse_users
							    : client_keys_parse,
			  rep)) ||
	    (*ppks && load_secrets(c, ppks, &c->ppks.keys, client_keys_parse_ppks, rep)))
		return -1;
	return join_keys(&c->keys, c->secrets_file, rep) || join_ppks(c, rep) ? -1 : 0;
}

/* All keys that are in files, that of the configuration, @st of @path, among them. */
static int load_keys(const char *path, const struct stat *st, struct config *c,
		     const struct config_report *rep)
{
	if (holds_key(c) && !closed_to_others(path, st, rep))
		return -1;
	if ((*c->psk_file && load_psk(c, rep)) || (c->password && load_password(c, rep)) ||
	    (c->ppk && *c->ppk->file && load_ppk(c, rep)) || load_radius_secrets(c, rep) ||
	    load_creds(c, rep) || load_keys_of_clients(c, rep))
		return -1;
	warn_of_key(c, rep);
	return 0;
}

/* "hq" of "/etc/esptun/hq.conf". */
static void name_of(const char *path, char *name, size_t size)
{
	const char *base = strrchr(path, '/');
	size_t len;

	base = base ? base + 1 : path;
	len = strlen(base);
	if (len > 5 && !strcmp(base + len - 5, ".conf"))
		len -= 5;
	snprintf(name, size, "%.*s", (int)len, base);
}

/* The file itself, @st of @path, without those that it names. */
static int load_file(const char *path, struct stat *st, struct config *out,
		     const struct config_report *rep)
{
	char name[256], *text = malloc(CONFIG_MAX_FILE + 1);
	ssize_t len;
	int err = -1;

	memset(out, 0, sizeof(*out));
	len = text ? secret_read(path, text, CONFIG_MAX_FILE + 1, st) : -1;
	if (len < 0) {
		tell(rep, true, "cannot be read: %s", why_unread());
	} else {
		name_of(path, name, sizeof(name));
		err = config_parse(name, text, (size_t)len, out, rep);
		out->file_time = st->st_mtim;
		/* An older file that was put in its place has an older st_mtim. */
		out->changed = st->st_ctim;
	}
	if (text)
		ike_wipe(text, CONFIG_MAX_FILE + 1);
	free(text);
	return err;
}

int config_load(const char *path, struct config *out, const struct config_report *rep)
{
	struct stat st;
	int err = load_file(path, &st, out, rep);

	if (!err)
		err = load_keys(path, &st, out, rep);
	if (err)
		config_clear(out);
	return err;
}

static void ignore_report(void *ctx, bool error, unsigned int line, const char *text)
{
	(void)ctx;
	(void)error;
	(void)line;
	(void)text;
}

/* Is the OCSP response of @c about our certificate, which is in the file @cert? */
static int check_response(const struct config *c, const char *cert, const struct config_report *rep)
{
	const struct cred_file f = {
		.path = cert,
		.most = 8 * PKI_MAX_ALL,
		.take = config_cred_certs,
	};
	const struct ike_creds creds = { c->creds, c->n_creds };
	struct config own = { .n_creds = 0 };
	struct ike_iov response, leaf;
	char why[PKI_MAX_TEXT] = "";
	int err = 0;

	if (!ike_cred_find(&creds, IKE_CRED_OWN_OCSP, &response))
		return 0;
	err = load_cred(&own, &f, cert, rep);
	if (!err &&
	    ike_cred_find(&(struct ike_creds){ own.creds, own.n_creds }, IKE_CRED_OWN_CERT, &leaf))
		err = pki_own_response_check(&response, &leaf, time(NULL), why, sizeof(why));
	if (*why)
		tell(rep, err, "%s: %s", config_paths(c)->ocsp, why);
	config_clear(&own);
	return err;
}

/* What else may be wrong with the file is a matter of config_load(). */
int config_load_cert_status(const char *path, const struct timespec *known, struct config *out,
			    const struct config_report *rep)
{
	const struct config_report silent = { ignore_report, NULL };
	char cert[sizeof(out->cert_file)];
	struct stat st;
	int err = load_file(path, &st, out, &silent);
	struct config_paths named = *config_paths(out);

	memcpy(cert, out->cert_file, sizeof(cert));
	config_clear(out);
	if (err || !config_need_paths(out))
		return 0;
	*out->paths = named;
	out->cert_status_time = status_time(out);
	if (!memcmp(&out->cert_status_time, known, sizeof(*known)))
		return 0;
	return load_status(out, rep) || check_response(out, cert, rep) ? -1 : 1;
}
