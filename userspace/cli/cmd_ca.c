// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * esptun ca: a CA for the certificates of some tunnels. What stands in a certificate is made in ike/pki/issue.c, the
 * folder is kept by ca_dir.c; here is what the command line says, and what is told.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "cli/ca_dir.h"
#include "cli/cli.h"
#include "cli/passphrase.h"
#include "cli/plist.h"
#include "ike/proto/id.h"

const char usage_ca[] =
	"Usage: esptun ca init --name NAME [--key KIND] [--days N] [--encrypt]\n"
	"       esptun ca issue NAME [--san ID]... [--server] [--client] [--key KIND]\n"
	"                       [--days N] [--again] [--p12 FILE [--p12-cipher 3des|aes256]\n"
	"                       [--p12-passphrase FILE]] [--mobileconfig FILE]\n"
	"       esptun ca revoke NAME | SERIAL\n"
	"       esptun ca list [--dir DIR]\n"
	"       esptun ca crl [--days N]\n"
	"       each with [--dir DIR] [--passphrase FILE]\n"
	"KIND := ecdsa-p256 | ecdsa-p384 | rsa-3072 | ed25519\n"
	"A CA in DIR (/etc/esptun/ca), its certificates, and its CRL, for Cert=, CA= and CRL= of\n"
	"/etc/esptun/NAME.conf. Without --server and --client a certificate is for both.\n";

enum {
	DAY = 86400,
	CA_DAYS = 3650,
	LEAF_DAYS = 365,
	CRL_DAYS = 30,
	MAX_DAYS = 36500,
	APPLE_DAYS = 825, /* of a server's certificate, that Apple's systems take */
	CRL_WARN = 7, /* days before its end */
	BACKDATE = 3600, /* seconds, for peers whose clock is behind */
};

enum {
	K_NAME,
	K_SAN,
	K_SERVER,
	K_CLIENT,
	K_KEY,
	K_DAYS,
	K_AGAIN,
	K_ENCRYPT,
	K_P12,
	K_P12_CIPHER,
	K_P12_PASSPHRASE,
	K_MOBILECONFIG,
	K_DIR,
	K_PASSPHRASE,
};

#define KINDS "ecdsa-p256 ecdsa-p384 rsa-3072 ed25519"

const struct keyword ca_keywords[] = {
	{ "--name", K_NAME, false, NULL },
	{ "--san", K_SAN, true, NULL },
	{ "--server", K_SERVER, false, "" },
	{ "--client", K_CLIENT, false, "" },
	{ "--key", K_KEY, false, KINDS },
	{ "--days", K_DAYS, false, NULL },
	{ "--again", K_AGAIN, false, "" },
	{ "--encrypt", K_ENCRYPT, false, "" },
	{ "--p12", K_P12, false, "@file" },
	{ "--p12-cipher", K_P12_CIPHER, false, "3des aes256" },
	{ "--p12-passphrase", K_P12_PASSPHRASE, false, "@file" },
	{ "--mobileconfig", K_MOBILECONFIG, false, "@file" },
	{ "--dir", K_DIR, false, "@file" },
	{ "--passphrase", K_PASSPHRASE, false, "@file" },
	{ NULL, 0, false, NULL },
};

struct ca_args {
	const char *dir, *name, *passphrase_file;
	const struct issue_kind *kind;
	uint32_t days; /* 0: not given */
	struct ike_id san[ISSUE_MAX_SAN];
	unsigned int n_san;
	bool server, client, again, encrypt;
	const char *p12, *p12_passphrase, *mobileconfig;
	enum issue_p12 p12_cipher;
};

static void warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static void warn(const char *fmt, ...)
{
	va_list ap;

	fputs("Warning: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

static const char *date(char buf[32], int64_t at)
{
	time_t then = (time_t)at;
	struct tm tm;

	if (!gmtime_r(&then, &tm) || !strftime(buf, 32, "%Y-%m-%d %H:%M UTC", &tm))
		snprintf(buf, 32, "?");
	return buf;
}

/* ---- the command line ---------------------------------------------------------------------------- */

static int parse_san(struct args *a, struct ca_args *c)
{
	char why[256];
	const char *text;
	struct ike_id *id = &c->san[c->n_san];

	if (args_value(a, "--san", &text))
		return -EINVAL;
	if (c->n_san == ISSUE_MAX_SAN)
		return args_fail(a, "a certificate has at most %d names", ISSUE_MAX_SAN);
	if (ike_id_from_text(text, id, why, sizeof(why)))
		return args_fail(a, "--san %.60s: %s", text, why);
	if (id->type == IKE_ID_DER_DN || id->type == IKE_ID_KEY_ID || ike_id_is_wildcard(id))
		return args_fail(
			a,
			"--san is %.60s, but must be a host name, an e-mail address or an IP address of one peer",
			text);
	c->n_san++;
	return 0;
}

static int parse_kind(struct args *a, struct ca_args *c)
{
	const char *word;

	if (args_value(a, "--key", &word))
		return -EINVAL;
	c->kind = issue_kind_find(word);
	return c->kind ? 0 : args_fail(a, "--key is %.40s, but must be one of: " KINDS, word);
}

static int parse_cipher(struct args *a, struct ca_args *c)
{
	const char *word;

	if (args_value(a, "--p12-cipher", &word))
		return -EINVAL;
	c->p12_cipher = !strcmp(word, "aes256") ? ISSUE_P12_AES : ISSUE_P12_3DES;
	if (c->p12_cipher == ISSUE_P12_AES || !strcmp(word, "3des"))
		return 0;
	return args_fail(a, "--p12-cipher is %.40s, but must be 3des or aes256", word);
}

static int parse_keyword(struct args *a, int id, struct ca_args *c)
{
	switch (id) {
	case K_NAME: return args_value(a, "--name", &c->name);
	case K_SAN: return parse_san(a, c);
	case K_SERVER: c->server = true; return 0;
	case K_CLIENT: c->client = true; return 0;
	case K_KEY: return parse_kind(a, c);
	case K_DAYS: return args_u32(a, "--days", 1, MAX_DAYS, &c->days);
	case K_AGAIN: c->again = true; return 0;
	case K_ENCRYPT: c->encrypt = true; return 0;
	case K_P12: return args_value(a, "--p12", &c->p12);
	case K_P12_CIPHER: return parse_cipher(a, c);
	case K_P12_PASSPHRASE: return args_value(a, "--p12-passphrase", &c->p12_passphrase);
	case K_MOBILECONFIG: return args_value(a, "--mobileconfig", &c->mobileconfig);
	case K_DIR: return args_value(a, "--dir", &c->dir);
	default: return args_value(a, "--passphrase", &c->passphrase_file);
	}
}

/* A common name: what every peer shows alike, and what no configuration has to quote. */
static bool is_common_name(const char *s)
{
	size_t len = strlen(s);

	for (size_t i = 0; i < len; i++) {
		if (s[i] < ' ' || s[i] > '~')
			return false;
	}
	return len && len <= ISSUE_MAX_NAME && s[0] != ' ' && s[len - 1] != ' ';
}

/* A name of a certificate is that of its files, too. */
static bool is_file_name(const char *s)
{
	return is_common_name(s) && *s != '.' && *s != '-' &&
	       s[strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
			   "._@-")] == '\0';
}

/* The keywords of subcommand @verb. 0 or -EINVAL with a->err. */
static int parse_args(struct args *a, const char *verb, struct ca_args *c)
{
	const struct subcommand *s = ca_commands;
	const struct keyword *k;
	int id;

	while (strcmp(s->name, verb) != 0)
		s++;
	*c = (struct ca_args){ .dir = CONFIG_PATH "/ca", .kind = issue_kind_get(0) };
	a->seen = 0;
	while (a->argc) {
		if (args_keyword(a, ca_keywords, &id))
			return -EINVAL;
		if (!((s->needs | s->takes) & 1U << id)) {
			for (k = ca_keywords; k->id != id; k++)
				;
			return args_fail(a, "\"%s\" says nothing to \"esptun ca %s\"", k->name,
					 verb);
		}
		if (parse_keyword(a, id, c))
			return -EINVAL;
	}
	for (k = ca_keywords; k->name; k++) {
		if (s->needs & 1U << k->id && !args_has(a, k->id))
			return args_fail(a, "\"esptun ca %s\" needs \"%s\"", verb, k->name);
	}
	return 0;
}

/* ---- the CA -------------------------------------------------------------------------------------- */

/* The passphrase in the file @path, or if that is NULL one that is asked for. */
static int get_passphrase(struct passphrase *p, const char *path, const char *prompt)
{
	if (!(path ? passphrase_read(p, path) : passphrase_ask(p, prompt, "--passphrase")))
		return 0;
	cli_error("%s", p->err);
	return EXIT_KERNEL;
}

/* A new one for the CA's key: from a file, or asked for twice. */
static int choose_passphrase(struct passphrase *p, const struct ca_args *c)
{
	struct passphrase again = { 0 };
	int err = get_passphrase(p, c->passphrase_file, "Passphrase of the CA's key: ");

	if (!err && !c->passphrase_file)
		err = get_passphrase(&again, NULL, "Once more: ");
	if (!err && !c->passphrase_file && strcmp(p->text, again.text) != 0) {
		cli_error("these were two different passphrases");
		err = EXIT_KERNEL;
	}
	passphrase_clear(&again);
	return err;
}

/* What a function of ca_dir.h returned as an exit code, with its error printed. */
static int told(const struct ca_dir *d, int rc)
{
	if (!rc)
		return 0;
	cli_error("%s", d->err);
	return EXIT_KERNEL;
}

/* The CA's certificate, and itself with its key, whose passphrase is asked for if there is one. */
static int open_issuer(struct ca_dir *d, const struct ca_args *c, struct issue_bytes *root,
		       struct issuer **ca)
{
	struct passphrase p = { 0 };
	struct issue_bytes key = { 0 };
	bool needed = false;
	char why[256];
	int err;

	*ca = NULL;
	err = told(d, ca_dir_read(d, "ca.crt", root));
	if (!err)
		err = told(d, ca_dir_read(d, "ca.key", &key));
	if (!err)
		*ca = issuer_open(root, &key, NULL, &needed, why, sizeof(why));
	if (needed) {
		err = get_passphrase(&p, c->passphrase_file, "Passphrase of the CA's key: ");
		if (!err)
			*ca = issuer_open(root, &key, &p.iov, &needed, why, sizeof(why));
	}
	if (!err && !*ca) {
		cli_error("%s: %s", d->path, why);
		err = EXIT_KERNEL;
	}
	passphrase_clear(&p);
	issue_bytes_clear(&key);
	return err;
}

static int64_t get_number(json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

static const char *get_text(json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

/* A CRL whose end is near has peers refuse everybody soon. */
static void warn_of_crl(struct ca_dir *d)
{
	int64_t until = get_number(d->index, "crl_until"), now = time(NULL);
	char when[32];

	if (until < now)
		warn("the CRL ended on %s, so that peers refuse all of this CA: run esptun ca crl",
		     date(when, until));
	else if (until < now + CRL_WARN * DAY)
		warn("the CRL ends on %s, and peers refuse all of this CA then: run esptun ca crl",
		     date(when, until));
}

/* A new CRL, valid for @days; its number is in the index before it is in the world. */
static int renew_crl(struct ca_dir *d, const struct issuer *ca, uint32_t days)
{
	int64_t now = time(NULL), until = now + (int64_t)days * DAY;
	int64_t number = get_number(d->index, "crl_number") + 1;
	struct issue_bytes crl = { 0 };
	struct issue_revoked *revoked;
	unsigned int n;
	int err;

	if (until > issuer_until(ca))
		until = issuer_until(ca);
	json_object_set_new(d->index, "crl_number", json_integer(number));
	json_object_set_new(d->index, "crl_until", json_integer(until));
	err = told(d, ca_dir_save(d));
	revoked = ca_dir_revoked(d, &n);
	if (!err && (!revoked ||
		     issue_crl(ca, (uint32_t)number, now - BACKDATE, until, revoked, n, &crl))) {
		cli_error("OpenSSL could not make the CRL");
		err = EXIT_KERNEL;
	}
	if (!err)
		err = told(d, ca_dir_write(d, "ca.crl", 0644, &crl));
	free(revoked);
	issue_bytes_clear(&crl);
	return err;
}

/* ---- init ---------------------------------------------------------------------------------------- */

/* The certificate and the key of a new CA are written; *@ca can sign. */
static int make_root(struct ca_dir *d, const struct ca_args *c, const struct passphrase *p,
		     struct issuer **ca)
{
	struct issue_order order = { .name = c->name, .from = time(NULL) - BACKDATE };
	struct issue_bytes key = { 0 }, sealed = { 0 }, cert = { 0 };
	char why[256] = "OpenSSL could not make a key";
	int err = EXIT_KERNEL;
	bool needed;

	order.until = time(NULL) + (int64_t)(c->days ? c->days : CA_DAYS) * DAY;
	if (issue_serial(order.serial) || issue_key(c->kind, &key) ||
	    (p->iov.base && issue_seal_key(&key, &p->iov, &sealed)) ||
	    issue_root(&order, &key, &cert, why, sizeof(why)) ||
	    !(*ca = issuer_open(&cert, &key, NULL, &needed, why, sizeof(why))))
		cli_error("%s", why);
	else
		err = told(d, ca_dir_write(d, "ca.key", 0600, p->iov.base ? &sealed : &key));
	if (!err)
		err = told(d, ca_dir_write(d, "ca.crt", 0644, &cert));
	issue_bytes_clear(&key);
	issue_bytes_clear(&sealed);
	issue_bytes_clear(&cert);
	return err;
}

static int begin_ca(struct ca_dir *d, const struct ca_args *c, struct passphrase *p)
{
	struct issuer *ca = NULL;
	int err = told(d, ca_dir_open(d, c->dir, true));

	if (!err && c->encrypt)
		err = choose_passphrase(p, c);
	if (!err)
		err = make_root(d, c, p, &ca);
	if (!err) {
		json_object_set_new(d->index, "name", json_string(c->name));
		json_object_set_new(d->index, "key", json_string(c->kind->word));
		err = renew_crl(d, ca, CRL_DAYS);
	}
	issuer_close(ca);
	return err;
}

static int init_ca(struct cli *cli, struct args *a)
{
	struct passphrase p = { 0 };
	struct ca_args c;
	struct ca_dir d;
	int err;

	(void)cli;
	if (parse_args(a, "init", &c))
		return cli_usage_error(a);
	if (!is_common_name(c.name)) {
		args_fail(a,
			  "--name is \"%.70s\", but must have 1 to %d printable ASCII characters",
			  c.name, ISSUE_MAX_NAME);
		return cli_usage_error(a);
	}
	if (c.passphrase_file && !c.encrypt) {
		args_fail(a, "--passphrase is for a key that is encrypted: add --encrypt");
		return cli_usage_error(a);
	}
	err = begin_ca(&d, &c, &p);
	if (!err)
		printf("%s: the CA \"%s\", key %s, which is verified by %s\n"
		       "What it issues is trusted with CA = %s/ca.crt and CRL = %s/ca.crl in [Peer]\n",
		       d.path, c.name, c.kind->word, c.kind->takes, d.path, d.path);
	passphrase_clear(&p);
	ca_dir_close(&d);
	return err;
}

/* ---- issue --------------------------------------------------------------------------------------- */

static const char *state_of(json_t *e, int64_t now)
{
	if (get_number(e, "revoked"))
		return "revoked";
	return get_number(e, "until") < now ? "expired" : "valid";
}

/* The last one of that name that is valid; NULL if there is none. */
static json_t *find_valid(struct ca_dir *d, const char *name)
{
	json_t *list = json_object_get(d->index, "certificates"), *e, *found = NULL;
	size_t i;

	json_array_foreach(list, i, e)
		if (!strcmp(get_text(e, "name"), name) && !strcmp(state_of(e, time(NULL)), "valid"))
			found = e;
	return found;
}

/* The certificate that is about to be made stands in the index. */
static int note_cert(struct ca_dir *d, const struct issue_order *o)
{
	char serial[2 * ISSUE_SERIAL + 1], text[IKE_MAX_ID + 16];
	json_t *san = json_array(), *e;

	for (unsigned int i = 0; i < o->n_san; i++)
		json_array_append_new(san,
				      json_string(ike_id_print(text, sizeof(text), &o->san[i])));
	ca_serial_print(serial, o->serial);
	e = json_pack("{s:s,s:s,s:o,s:I,s:I,s:i}", "serial", serial, "name", o->name, "san", san,
		      "from", (json_int_t)o->from, "until", (json_int_t)o->until, "revoked", 0);
	if (json_array_append_new(json_object_get(d->index, "certificates"), e)) {
		cli_error("no memory for the index");
		return EXIT_KERNEL;
	}
	return told(d, ca_dir_save(d));
}

/* What the holder of a certificate gets. */
struct issued {
	struct issue_bytes root, key, cert, p12;
};

static void clear_issued(struct issued *i)
{
	issue_bytes_clear(&i->root);
	issue_bytes_clear(&i->key);
	issue_bytes_clear(&i->cert);
	issue_bytes_clear(&i->p12);
}

static int write_file(const char *path, const struct issue_bytes *bytes)
{
	if (!ca_file_write(path, 0600, bytes))
		return 0;
	cli_error("cannot write %s: %s", path, strerror(errno));
	return EXIT_KERNEL;
}

/* --mobileconfig: the CA, which the system is to trust, and key and certificate. */
static int write_profile(struct ca_dir *d, const struct ca_args *c, const struct issued *i)
{
	char id[128], uuid[PLIST_UUID];
	struct issue_bytes der = { 0 }, xml = { 0 };
	FILE *f = open_memstream(&xml.data, &xml.len);
	struct plist p;
	int err = EXIT_KERNEL;

	snprintf(id, sizeof(id), "org.esptun.ca.%s", c->name);
	if (f && !issue_der(&i->root, &der)) {
		plist_begin_profile(&p, f, c->name, id);
		plist_cert_payload(&p, false, id, get_text(d->index, "name"),
				   (const uint8_t *)der.data, der.len, uuid);
		plist_cert_payload(&p, true, id, c->name, (const uint8_t *)i->p12.data, i->p12.len,
				   uuid);
		plist_end_profile(&p);
		err = 0;
	}
	if ((f && fclose(f)) || err) {
		cli_error("no memory for %s", c->mobileconfig);
		err = EXIT_KERNEL;
	}
	if (!err)
		err = write_file(c->mobileconfig, &xml);
	issue_bytes_clear(&der);
	issue_bytes_clear(&xml);
	return err;
}

/* --p12 and --mobileconfig, which have one passphrase. */
static int write_bundles(struct ca_dir *d, const struct ca_args *c, struct issued *i)
{
	struct passphrase p = { 0 };
	char why[256];
	int err = EXIT_KERNEL;

	if (!c->p12 && !c->mobileconfig)
		return 0;
	if (c->p12_passphrase)
		err = get_passphrase(&p, c->p12_passphrase, NULL);
	else if (passphrase_make(&p))
		cli_error("%s", p.err);
	else
		err = 0;
	if (!err && issue_p12(c->p12_cipher, &i->key, &i->cert, &i->root, c->name, p.text, &i->p12,
			      why, sizeof(why))) {
		cli_error("%s", why);
		err = EXIT_KERNEL;
	}
	if (!err && c->p12)
		err = write_file(c->p12, &i->p12);
	if (!err && c->mobileconfig)
		err = write_profile(d, c, i);
	if (!err && !c->p12_passphrase)
		printf("passphrase of %s%s%s: %s\n", c->p12 ? c->p12 : "",
		       c->p12 && c->mobileconfig ? " and " : "",
		       c->mobileconfig ? c->mobileconfig : "", p.text);
	passphrase_clear(&p);
	return err;
}

static int make_leaf(struct ca_dir *d, const struct issuer *ca, const struct ca_args *c,
		     const struct issue_order *order, struct issued *i)
{
	char why[256] = "OpenSSL could not make a key", file[ISSUE_MAX_NAME + 16];
	int err = note_cert(d, order);

	if (err)
		return err;
	if (issue_key(c->kind, &i->key) ||
	    issue_leaf(ca, order, &i->key, &i->cert, why, sizeof(why))) {
		cli_error("%s", why);
		return EXIT_KERNEL;
	}
	snprintf(file, sizeof(file), "issued/%s.key", c->name);
	err = told(d, ca_dir_write(d, file, 0600, &i->key));
	snprintf(file, sizeof(file), "issued/%s.crt", c->name);
	return err ? err : told(d, ca_dir_write(d, file, 0644, &i->cert));
}

/* Without --san the name is the only one, if it can be. */
static int default_san(struct args *a, struct ca_args *c)
{
	char why[256];

	if (c->n_san)
		return 0;
	if (!ike_id_from_text(c->name, &c->san[0], why, sizeof(why)) &&
	    c->san[0].type != IKE_ID_KEY_ID && c->san[0].type != IKE_ID_DER_DN) {
		c->n_san = 1;
		return 0;
	}
	return args_fail(a, "%.64s is no host name, e-mail address or IP address: add --san",
			 c->name);
}

static int parse_issue(struct args *a, struct ca_args *c)
{
	const char *name = args_next(a);

	if (!name || !is_file_name(name))
		return args_fail(
			a, "esptun ca issue NAME: NAME has 1 to %d letters, digits, . _ @ and -",
			ISSUE_MAX_NAME);
	if (parse_args(a, "issue", c))
		return -EINVAL;
	c->name = name;
	if (args_has(a, K_P12_CIPHER) + args_has(a, K_P12_PASSPHRASE) && !c->p12 &&
	    !c->mobileconfig)
		return args_fail(
			a, "--p12-cipher and --p12-passphrase are about --p12 or --mobileconfig");
	if (!c->server && !c->client)
		c->server = c->client = true;
	return default_san(a, c);
}

static void tell_issued(struct ca_dir *d, const struct ca_args *c, const struct issue_order *o)
{
	char serial[2 * ISSUE_SERIAL + 1], when[32];

	ca_serial_print(serial, o->serial);
	printf("%s: serial %s, until %s\n"
	       "    Key = %s/issued/%s.key\n"
	       "    Cert = %s/issued/%s.crt\n"
	       "    key %s, which is verified by %s\n",
	       c->name, serial, date(when, o->until), d->path, c->name, d->path, c->name,
	       c->kind->word, c->kind->takes);
	if (c->server && o->until - o->from > (int64_t)APPLE_DAYS * DAY)
		warn("Apple's systems refuse a server's certificate of more than %d days",
		     APPLE_DAYS);
}

static int issue_now(struct ca_dir *d, const struct ca_args *c)
{
	struct issue_order o = { .name = c->name,
				 .san = c->san,
				 .n_san = c->n_san,
				 .server = c->server,
				 .client = c->client,
				 .from = time(NULL) - BACKDATE };
	struct issued made = { 0 };
	struct issuer *ca = NULL;
	int err = open_issuer(d, c, &made.root, &ca);

	if (!err && issue_serial(o.serial)) {
		cli_error("OpenSSL has no randomness");
		err = EXIT_KERNEL;
	}
	if (!err) {
		o.until = time(NULL) + (int64_t)(c->days ? c->days : LEAF_DAYS) * DAY;
		if (o.until > issuer_until(ca)) {
			o.until = issuer_until(ca);
			warn("the certificate ends with that of the CA");
		}
		err = make_leaf(d, ca, c, &o, &made);
	}
	if (!err)
		err = write_bundles(d, c, &made);
	if (!err)
		tell_issued(d, c, &o);
	clear_issued(&made);
	issuer_close(ca);
	return err;
}

static int issue_cert(struct cli *cli, struct args *a)
{
	struct ca_args c;
	struct ca_dir d;
	json_t *there;
	int err;

	(void)cli;
	if (parse_issue(a, &c))
		return cli_usage_error(a);
	err = told(&d, ca_dir_open(&d, c.dir, false));
	there = err || c.again ? NULL : find_valid(&d, c.name);
	if (there) {
		cli_error(
			"%s has a certificate that is valid, serial %s: revoke it before, or add --again to leave it valid beside the new one",
			c.name, get_text(there, "serial"));
		err = EXIT_KERNEL;
	}
	if (!err)
		err = issue_now(&d, &c);
	if (!err)
		warn_of_crl(&d);
	ca_dir_close(&d);
	return err;
}

/* ---- revoke, crl --------------------------------------------------------------------------------- */

/* The certificates of that name, or the one of that serial number, are revoked in the index. How many. */
static unsigned int mark_revoked(struct ca_dir *d, const char *what)
{
	json_t *list = json_object_get(d->index, "certificates"), *e;
	unsigned int n = 0;
	size_t i;

	json_array_foreach(list, i, e) {
		if (strcmp(get_text(e, "name"), what) != 0 &&
		    strcasecmp(get_text(e, "serial"), what) != 0)
			continue;
		if (strcmp(state_of(e, time(NULL)), "valid") != 0)
			continue;
		json_object_set_new(e, "revoked", json_integer(time(NULL)));
		n++;
	}
	return n;
}

/* A new CRL, with @what revoked in it before, unless that is NULL. */
static int update_crl(const struct ca_args *c, const char *what)
{
	struct issue_bytes root = { 0 };
	struct issuer *ca = NULL;
	struct ca_dir d;
	char when[32];
	unsigned int n = 0;
	int err = told(&d, ca_dir_open(&d, c->dir, false));

	if (!err) /* before the index changes: with a wrong passphrase nothing does */
		err = open_issuer(&d, c, &root, &ca);
	if (!err && what)
		n = mark_revoked(&d, what);
	if (!err && what && !n) {
		cli_error(
			"%s has no valid certificate of that name or serial number: \"%.80s\"; see: esptun ca list",
			d.path, what);
		err = EXIT_KERNEL;
	}
	if (!err)
		err = renew_crl(&d, ca, c->days ? c->days : CRL_DAYS);
	if (!err && what)
		printf("%s: %u %s revoked\n", what, n, n == 1 ? "certificate" : "certificates");
	if (!err)
		printf("%s/ca.crl: number %" PRId64 ", until %s\n", d.path,
		       get_number(d.index, "crl_number"),
		       date(when, get_number(d.index, "crl_until")));
	issuer_close(ca);
	issue_bytes_clear(&root);
	ca_dir_close(&d);
	return err;
}

static int revoke_cert(struct cli *cli, struct args *a)
{
	const char *what = args_next(a);
	struct ca_args c;

	(void)cli;
	if (!what)
		args_fail(a, "esptun ca revoke NAME, or its serial number");
	if (!what || parse_args(a, "revoke", &c))
		return cli_usage_error(a);
	return update_crl(&c, what);
}

static int renew(struct cli *cli, struct args *a)
{
	struct ca_args c;

	(void)cli;
	if (parse_args(a, "crl", &c))
		return cli_usage_error(a);
	return update_crl(&c, NULL);
}

/* ---- list ---------------------------------------------------------------------------------------- */

static void print_cert(const struct cli *cli, json_t *e)
{
	const char *state = state_of(e, time(NULL));
	char when[32];
	json_t *name;
	size_t i;

	begin_object(cli);
	print_color(cli, COLOR_LINK, "%s", get_text(e, "name"));
	printf(" ");
	print_color(cli, *state == 'v' ? COLOR_UP : COLOR_DOWN, "%s", state);
	if (get_number(e, "revoked"))
		printf(" on %s", date(when, get_number(e, "revoked")));
	printf(" until %s serial %s\n   ", date(when, get_number(e, "until")),
	       get_text(e, "serial"));
	json_array_foreach(json_object_get(e, "san"), i, name)
		printf(" %s", json_string_value(name));
	putchar('\n');
	end_object(cli);
}

static int list_certs(struct cli *cli, struct args *a)
{
	struct ca_args c;
	struct ca_dir d;
	char when[32];
	json_t *e;
	size_t i;
	int err;

	if (parse_args(a, "list", &c))
		return cli_usage_error(a);
	err = told(&d, ca_dir_open(&d, c.dir, false));
	if (!err && cli->json) {
		json_array_foreach(json_object_get(d.index, "certificates"), i, e)
			json_object_set_new(e, "state", json_string(state_of(e, time(NULL))));
		print_json(cli, json_incref(d.index));
	} else if (!err) {
		printf("%s: the CA \"%s\", key %s, CRL number %" PRId64 " until %s\n", d.path,
		       get_text(d.index, "name"), get_text(d.index, "key"),
		       get_number(d.index, "crl_number"),
		       date(when, get_number(d.index, "crl_until")));
		json_array_foreach(json_object_get(d.index, "certificates"), i, e)
			print_cert(cli, e);
	}
	if (!err)
		warn_of_crl(&d);
	ca_dir_close(&d);
	return err;
}

#define BIT(k) (1U << K_##k)
#define BOTH (BIT(DIR) | BIT(PASSPHRASE))

const struct subcommand ca_commands[] = {
	{ "init", init_ca, BIT(NAME), BOTH | BIT(KEY) | BIT(DAYS) | BIT(ENCRYPT) },
	{ "issue", issue_cert, 0,
	  BOTH | BIT(SAN) | BIT(SERVER) | BIT(CLIENT) | BIT(KEY) | BIT(DAYS) | BIT(AGAIN) |
		  BIT(P12) | BIT(P12_CIPHER) | BIT(P12_PASSPHRASE) | BIT(MOBILECONFIG) },
	{ "revoke", revoke_cert, 0, BOTH },
	{ "list", list_certs, 0, BOTH },
	{ "crl", renew, 0, BOTH | BIT(DAYS) },
	{ NULL, NULL, 0, 0 },
};

int cmd_ca(struct cli *cli, struct args *a)
{
	return cli_subcommand(cli, a, ca_commands, list_certs, usage_ca);
}
