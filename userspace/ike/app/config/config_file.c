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
#include "ike/pki/pki.h"

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

/* secret_strong() or secret_strong_ppk(). */
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
	if (!strong(key, *len, why, sizeof(why)))
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

/* The keys of clients whose sections name a file. */
static int load_client_keys(struct config *c, const struct config_report *rep)
{
	struct timespec changed;
	int err = 0;

	for (unsigned int i = 0; i < c->keys.n; i++) {
		struct client_key *k = &c->keys.v[i];
		char path[sizeof(k->key)];

		if (!k->named)
			continue;
		memcpy(path, k->key, sizeof(path)); /* it ends within: config_copy() */
		memset(k->key, 0, sizeof(k->key));
		if (load_key(path, k->key, &k->len, secret_strong, &changed, rep))
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
};

static int take_private(struct config *c, const void *data, size_t len, char *why, size_t size)
{
	return config_cred_private(c, data, len, why, size);
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

static int is_cert_file(const struct dirent *d)
{
	static const char *const ends[] = { ".pem", ".crt", ".cer", ".der" };
	const char *dot = strrchr(d->d_name, '.');

	for (size_t i = 0; dot && d->d_name[0] != '.' && i < sizeof(ends) / sizeof(ends[0]); i++) {
		if (!strcasecmp(dot, ends[i]))
			return 1;
	}
	return 0;
}

/* All files with certificates in a folder. */
static int load_folder(struct config *c, const struct cred_file *f, const struct config_report *rep)
{
	struct dirent **list = NULL;
	int n = scandir(f->path, &list, is_cert_file, alphasort), err = n > 0 ? 0 : -1;
	char path[4096];

	if (n < 0)
		report_unread(f->path, rep);
	else if (!n)
		tell(rep, true, "%s has no file NAME.pem, .crt, .cer or .der", f->path);
	for (int i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%s", f->path, list[i]->d_name);
		if (!err)
			err = load_cred(c, f, path, rep);
		free(list[i]);
	}
	free(list);
	return err;
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
		{ c->key_file, key_file_ok, IKE_MAX_KEY_FILE, take_private, true },
		{ c->public_file, trust_file_ok, IKE_MAX_KEY_FILE, config_cred_public, true },
		{ c->cert_file, NULL, 8 * PKI_MAX_ALL, config_cred_certs, false },
		{ c->ca_path, trust_file_ok, 2 * IKE_MAX_CREDS, config_cred_cas, false },
	};
	struct stat st;
	int err = 0;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]) && !err; i++) {
		const struct cred_file *f = &files[i];

		if (!*f->path)
			continue;
		if (f->take == config_cred_cas && !stat(f->path, &st) && S_ISDIR(st.st_mode))
			err = is_guarded(f->ok, f->path, &st, rep) ? load_folder(c, f, rep) : -1;
		else
			err = load_cred(c, f, f->path, rep);
	}
	return err ? -1 : check_creds(c, rep);
}

struct secrets {
	const struct config *c;
	const struct config_report *rep;
};

static void tell_of_line(void *ctx, bool error, unsigned int line, const char *text)
{
	const struct secrets *s = ctx;

	tell(s->rep, error, "%s:%u: %s", s->c->secrets_file, line, text);
}

static int load_secrets(struct config *c, const struct config_report *rep)
{
	struct secrets ctx = { c, rep };
	char *text = malloc(CONFIG_MAX_SECRETS + 1);
	struct stat st;
	ssize_t len = text ? secret_read(c->secrets_file, text, CONFIG_MAX_SECRETS + 1, &st) : -1;
	int err = -1;

	if (len < 0)
		report_unread(c->secrets_file, rep);
	else if (len > CONFIG_MAX_SECRETS)
		tell(rep, true, "%s is longer than %d bytes", c->secrets_file, CONFIG_MAX_SECRETS);
	else if (closed_to_others(c->secrets_file, &st, rep)) {
		note_change(c, &st.st_ctim);
		err = client_keys_parse(&c->keys, text, (size_t)len, tell_of_line, &ctx);
	}
	if (text)
		ike_wipe(text, CONFIG_MAX_SECRETS + 1);
	free(text);
	return err;
}

/* No identity has two keys; then all are in order. */
static int join_client_keys(struct config *c, const struct config_report *rep)
{
	const struct client_key *b = client_keys_sort(&c->keys), *a = b ? b - 1 : NULL;
	char id[IKE_MAX_ID + 16];

	for (unsigned int i = 0; !b && i < c->keys.n; i++) {
		c->keys.v[i].line = 0;
		c->keys.v[i].named = c->keys.v[i].of_secrets = false;
	}
	if (!b)
		return 0;
	/* Within the sections it was looked for already, so one at least is of the file. */
	if (!b->of_secrets || (a->of_secrets && a->line > b->line)) {
		const struct client_key *x = a;

		a = b;
		b = x;
	}
	tell(rep, true, "%s:%u: %s has a key already, in line %u of %s", c->secrets_file, b->line,
	     ike_id_print(id, sizeof(id), &b->id), a->line,
	     a->of_secrets ? "this file" : "the configuration");
	return -1;
}

/* Does the configuration file itself hold a key? */
static bool holds_key(const struct config *c)
{
	for (unsigned int i = 0; i < c->keys.n; i++) {
		if (!c->keys.v[i].named)
			return true;
	}
	return c->psk_len || (c->ppk && c->ppk->len);
}

/* All keys that are in files, that of the configuration, @st of @path, among them. */
static int load_keys(const char *path, const struct stat *st, struct config *c,
		     const struct config_report *rep)
{
	if (holds_key(c) && !closed_to_others(path, st, rep))
		return -1;
	if ((*c->psk_file && load_psk(c, rep)) || (c->ppk && *c->ppk->file && load_ppk(c, rep)) ||
	    load_creds(c, rep) || load_client_keys(c, rep) ||
	    (*c->secrets_file && load_secrets(c, rep)))
		return -1;
	return join_client_keys(c, rep);
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

int config_load(const char *path, struct config *out, const struct config_report *rep)
{
	char name[256], *text = malloc(CONFIG_MAX_FILE + 1);
	struct stat st;
	ssize_t len;
	int err = -1;

	memset(out, 0, sizeof(*out));
	len = text ? secret_read(path, text, CONFIG_MAX_FILE + 1, &st) : -1;
	if (len < 0) {
		tell(rep, true, "cannot be read: %s", why_unread());
	} else {
		name_of(path, name, sizeof(name));
		err = config_parse(name, text, (size_t)len, out, rep);
		out->file_time = st.st_mtim;
		/* An older file that was put in its place has an older st_mtim. */
		out->changed = st.st_ctim;
	}
	if (text)
		ike_wipe(text, CONFIG_MAX_FILE + 1);
	free(text);
	if (!err)
		err = load_keys(path, &st, out, rep);
	if (err)
		config_clear(out);
	return err;
}
