// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Who proves what by what: keys, certificates and secrets of other programs, which find them by what they hold rather than by
 * name, become files of one connection. Keys and certificates that cannot be read are named all the same, with the place where they
 * are to be put.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ike/app/secret.h"
#include "ike/import/import_int.h"
#include "ike/pki/pki.h"
#include "ike/proto/id.h"
#include "ike/proto/text.h"

/* ---- lines -------------------------------------------------------------------------------------- */

/* What is said of an end's method, "pubkey-sha256" or "rsa-4096" with what is asked of certificates behind it. */
void import_take_auth(struct import_conn *c, const struct import_node *n, int end)
{
	static const struct {
		const char *word;
		enum import_auth auth;
		const char *why;
	} words[] = {
		{ "psk", AUTH_PSK, NULL },
		{ "pubkey", AUTH_PUBKEY, NULL },
		{ "rsa", AUTH_PUBKEY, NULL },
		{ "ecdsa", AUTH_PUBKEY, NULL },
		{ "ed25519", AUTH_PUBKEY, NULL },
		{ "ed448", AUTH_PUBKEY, NULL },
		{ "eap-mschapv2", AUTH_EAP, NULL },
		{ "eap-md5", AUTH_EAP, "EAPMethods = md5 in [Peer] allows it" },
		{ "eap-radius", AUTH_NONE, "write a section [Radius], with Server and Secret" },
		{ "eap-tls", AUTH_NONE,
		  "EAPMethods = tls in [Peer], with CA, is the same: write this tunnel by hand" },
		{ "eap-dynamic", AUTH_EAP, NULL },
		{ "eap-identity", AUTH_EAP, NULL },
		{ "eap", AUTH_EAP, NULL },
		{ "xauth", AUTH_NONE, "that is IKEv1: have the peer use EAP" },
		{ "any", AUTH_NONE, "it has to be one: psk, pubkey or eap-mschapv2" },
	};
	struct import_end *e = &c->end[end];

	for (unsigned int i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t len = strlen(words[i].word);
		bool whole;

		if (strncasecmp(n->value, words[i].word, len) != 0 ||
		    !strchr("-:", n->value[len])) /* also at its end */
			continue;
		whole = !n->value[len];
		if (!strcmp(words[i].word, "eap") && !whole)
			break; /* a method of EAP that is not there */
		e->auth = words[i].auth;
		if (words[i].why)
			import_say_of(c->im, n, "%s = %.60s: %s", n->name, n->value, words[i].why);
		else if (!whole)
			import_say_of(
				c->im, n,
				"%s = %.60s: what is asked of keys and hashes is left out: any that is good enough will do",
				n->name, n->value);
		return;
	}
	import_say_of(c->im, n, "%s = %.60s is not there: expected psk, pubkey or eap-mschapv2",
		      n->name, n->value);
	e->auth = AUTH_NONE;
}

/* The connection is left out, as with one round less more peers could be let in. */
void import_take_second_round(struct import_conn *c, const struct import_node *n, int end)
{
	import_say_of(
		c->im, n,
		"%.60s: a second round of authentication is not imported: %s has two rounds; write this tunnel by hand",
		n->name,
		end == LOCAL ? "LocalAuth = pubkey, eap in [Tunnel]"
			     : "RemoteAuth = pubkey, eap in [Peer]");
	c->refused = true;
}

void import_take_id(struct import_conn *c, const struct import_node *n, int end)
{
	free(c->end[end].id);
	c->end[end].id = import_identity(c, n, n->value);
	c->refused |= !c->end[end].id;
}

void import_take_eap_id(struct import_conn *c, const struct import_node *n, int end)
{
	if (end == REMOTE && !strcasecmp(n->value, "%any"))
		return;
	if (end == REMOTE && strchr(n->value, '*')) {
		import_say_of(
			c->im, n,
			"%s: users are told apart by a file of their own: name one here, or %%any",
			n->name);
		c->refused = true;
	}
	free(c->end[end].eap_id);
	c->end[end].eap_id = strdup(n->value);
}

/* One certificate of ours. What pins the peer's own has no counterpart, and without it others of its CAs would do. */
void import_take_certs(struct import_conn *c, const struct import_node *n, int end)
{
	if (end == REMOTE) {
		import_say_of(
			c->im, n,
			"%s: no one certificate can be demanded: CA and RemoteID in [Peer] say which is the peer's",
			n->name);
		c->refused = true;
	} else if (c->end[LOCAL].cert || strchr(n->value, ',')) {
		import_say_of(
			c->im, n,
			"%s is left out: Cert in [Tunnel] is one, with those of CAs behind it",
			n->name);
	} else {
		c->end[LOCAL].cert = n;
	}
}

void import_take_pubkeys(struct import_conn *c, const struct import_node *n, int end)
{
	if (!c->end[end].pubkey && !strchr(n->value, ','))
		c->end[end].pubkey = n;
	else
		import_say_of(c->im, n, "%s is left out: PublicKey in [Peer] is one", n->name);
}

/* ---- secrets --------------------------------------------------------------------------------- */

/*
 * The secret @value of another program as the line of a file of ours, to free after wiping. Theirs has bytes as 0xDIGITS and 0sBASE64
 * unless it is in double quotes. NULL: it is none here, or there is no memory.
 */
static char *secret_line(const char *value)
{
	size_t len = strlen(value), key_len;
	bool quoted = len > 1 && *value == '"' && value[len - 1] == '"';
	uint8_t key[SECRET_MAX];
	char why[256], *line = calloc(1, 2 * len + 16);
	struct text t;

	if (!line)
		return NULL;
	t = text_init(line, 2 * len + 16);
	if (quoted)
		value++, len -= 2;
	if (!quoted && !strncmp(value, "0x", 2)) {
		text_add(&t, "hex:%s", value + 2);
	} else if (!quoted && !strncmp(value, "0s", 2)) {
		text_add(&t, "base64:%s", value + 2);
	} else {
		bool plain = true;

		for (size_t i = 0; i < len; i++)
			plain &= value[i] >= ' ' && value[i] <= '~';
		if (plain) {
			text_add(&t, "\"%.*s\"", (int)len, value);
		} else {
			text_add(&t, "hex:");
			text_add_hex(&t, (const uint8_t *)value, len);
		}
	}
	if (secret_from_text(line, key, &key_len, why, sizeof(why))) {
		ike_wipe(line, t.len);
		free(line);
		line = NULL;
	} else {
		text_add(&t, "\n");
	}
	ike_wipe(key, sizeof(key));
	return line;
}

/* A file NAME.@suffix with the secret, and KEY = file:PATH. */
static void set_secret(struct import_conn *c, enum import_key key, const char *suffix,
		       const struct import_secret *s)
{
	char *line = s->value ? secret_line(s->value) : NULL;
	char *path = line ? import_add_file(c, suffix, line, strlen(line)) : NULL;

	if (path) {
		import_set(c, key, NULL, "file:%s", path);
	} else {
		import_say_of(c->im, s->at,
			      "%s: expected 1 to 256 bytes: as text, 0xDIGITS or 0sBASE64",
			      s->at->name);
		c->refused = true;
	}
	if (line)
		ike_wipe(line, strlen(line));
	free(line);
	free(path);
}

static bool next_secret(struct import_conn *c, const struct import_node **at,
			struct import_secret *out)
{
	memset(out, 0, sizeof(*out));
	return c->im->format->secret && c->im->format->secret(c->im, at, out);
}

/* What the end is called: its identity, else its address; NULL: anything. */
static const char *name_of(const struct import_conn *c, int end)
{
	if (c->end[end].id && *c->end[end].id)
		return c->end[end].id;
	return c->value[end == LOCAL ? OUT_LOCAL : OUT_ENDPOINT];
}

/* Is it for the identity? */
static bool is_for(struct import_conn *c, const struct import_secret *s, const char *who)
{
	bool is = false;

	for (unsigned int i = 0; who && i < s->n_id; i++) {
		char *id = import_identity(c, NULL, s->id[i]);

		is |= !strcasecmp(s->id[i], who) || (id && !strcasecmp(id, who));
		free(id);
	}
	return is;
}

/*
 * Of secrets of one kind the one that is for the peer, @other, and at best for @own, too; else one that is for all; else
 * one that is for @own and somebody else, as strongSwan takes it.
 */
static bool find_secret(struct import_conn *c, int kind, const char *own, const char *other,
			struct import_secret *out)
{
	enum { OWN = 1, ALL = 2, OTHER = 4 };
	const struct import_node *at = NULL;
	struct import_secret s;
	int best = 0;

	while (next_secret(c, &at, &s)) {
		bool all = !s.n_id || (s.n_id == 1 && !strcmp(s.id[0], "%any"));
		int score = (is_for(c, &s, own) ? OWN : 0) + (is_for(c, &s, other) ? OTHER : 0) +
			    (all ? ALL : 0);

		if ((int)s.kind != kind || !s.value || score <= best)
			continue;
		best = score;
		*out = s;
	}
	return best;
}

static void finish_psk(struct import_conn *c)
{
	struct import_secret s;

	if (c->end[LOCAL].auth != AUTH_PSK && c->end[REMOTE].auth != AUTH_PSK)
		return;
	if (find_secret(c, SECRET_PSK, name_of(c, LOCAL), name_of(c, REMOTE), &s)) {
		set_secret(c, OUT_PSK, "psk", &s);
		return;
	}
	import_set(c, OUT_PSK, NULL, "file:%s/%s.psk", c->im->o->dir, c->name);
	import_say_of(c->im, c->at,
		      "no pre-shared key for %s was found: put it into %s/%s.psk (chmod 600)",
		      name_of(c, REMOTE) ? name_of(c, REMOTE) : "the peer", c->im->o->dir, c->name);
}

static void finish_ppk(struct import_conn *c)
{
	struct import_secret s;

	if (!c->value[OUT_PPK_ID])
		return;
	if (find_secret(c, SECRET_PPK, c->value[OUT_PPK_ID], NULL, &s)) {
		set_secret(c, OUT_PPK, "ppk", &s);
	} else {
		import_set(c, OUT_PPK, NULL, "file:%s/%s.ppk", c->im->o->dir, c->name);
		import_say_of(c->im, c->at,
			      "the PPK was not found: put it into %s/%s.ppk (chmod 600)",
			      c->im->o->dir, c->name);
	}
	if (!c->value[OUT_PPK_REQUIRED])
		import_set(c, OUT_PPK_REQUIRED, NULL, "no");
}

/* ---- EAP ------------------------------------------------------------------------------------- */

static void finish_eap_user(struct import_conn *c)
{
	const char *name = c->end[LOCAL].eap_id ? c->end[LOCAL].eap_id : c->end[LOCAL].id;
	struct import_secret s;

	if (c->end[LOCAL].auth != AUTH_EAP)
		return;
	import_set(c, OUT_EAP, NULL, "%s", name ? name : "");
	if (find_secret(c, SECRET_EAP, name, NULL, &s)) {
		set_secret(c, OUT_PASSWORD, "password", &s);
		return;
	}
	import_set(c, OUT_PASSWORD, NULL, "file:%s/%s.password", c->im->o->dir, c->name);
	import_say_of(c->im, c->at,
		      "the password was not found: put it into %s/%s.password (chmod 600)",
		      c->im->o->dir, c->name);
}

/* A name that the line of a users file can begin with. */
static bool can_be_user(const char *name)
{
	if (!*name || strlen(name) > 253 || *name == '#' || *name == ';' || *name == '"')
		return false;
	for (; *name; name++) {
		if (*name <= ' ' || *name > '~' || *name == '=')
			return false;
	}
	return true;
}

static void add_users(struct import_conn *c, const struct import_secret *s, struct text *t)
{
	char *line = s->value ? secret_line(s->value) : NULL;
	const char *only = c->end[REMOTE].eap_id;

	for (unsigned int i = 0; i < s->n_id; i++) {
		if (only && strcmp(only, s->id[i]) != 0)
			continue;
		if (line && can_be_user(s->id[i]))
			text_add(t, "%s = %s", s->id[i], line);
		else
			import_say_of(
				c->im, s->at,
				"the user %.100s is left out: name or password cannot stand in a file of Users",
				s->id[i]);
	}
	if (line)
		ike_wipe(line, strlen(line));
	free(line);
}

static void finish_eap_server(struct import_conn *c)
{
	enum { ROOM = 1 << 20 };
	char *text, *path;
	const struct import_node *at = NULL;
	struct import_secret s;
	struct text t;

	if (c->end[REMOTE].auth != AUTH_EAP)
		return;
	text = malloc(ROOM);
	c->refused |= !text;
	if (!text)
		return;
	t = text_init(text, ROOM);
	while (next_secret(c, &at, &s)) {
		if (s.kind == SECRET_EAP)
			add_users(c, &s, &t);
	}
	c->refused |= t.len + 1 >= t.size;
	path = import_add_file(c, "users", text, t.len);
	if (path)
		import_set(c, OUT_USERS, NULL, "%s", path);
	if (!t.len)
		import_say_of(c->im, c->at,
			      "no user was found: write lines NAME = PASSWORD into %s/%s.users",
			      c->im->o->dir, c->name);
	c->clients = true;
	ike_wipe(text, t.len);
	free(text);
	free(path);
}

/* ---- certificates and keys --------------------------------------------------------------------- */

/* The file that the line @n names. */
static uint8_t *read_named(struct import_conn *c, const struct import_node *n, const char *below,
			   size_t *len)
{
	char *path = import_beside(c->im->home, below, n->value);
	uint8_t *bytes = path ? c->im->env->read(c->im->env->ctx, path, len) : NULL;

	free(path);
	return bytes;
}

/* The certificates at @path, of all or only of the one with @subject, are appended to @pem; how many. */
static unsigned int append_certs(struct import_conn *c, const struct import_node *at,
				 const char *path, const struct ike_id *subject, struct text *pem)
{
	size_t len = 0;
	uint8_t *bytes = c->im->env->read(c->im->env->ctx, path, &len);
	struct pki_items items = { 0 };
	char why[PKI_MAX_TEXT];
	unsigned int n = 0;

	if (!bytes || pki_read(PKI_CERTS, bytes, len, &items, why, sizeof(why)))
		import_say_of(c->im, at, "%.200s is left out: %s", path,
			      bytes ? why : strerror(errno));
	for (unsigned int i = 0; i < items.n; i++) {
		struct ike_id ids[32];
		unsigned int n_ids = subject ? pki_cert_ids(&items.item[i], ids, 32) : 0;
		char *s;

		if (subject && (!n_ids || n_ids > 32 || !ike_id_eq(&ids[n_ids - 1], subject)))
			continue;
		s = pki_to_pem(&items.item[i], 1);
		if (s)
			text_add(pem, "%s", s);
		n += s != NULL;
		free(s);
	}
	pki_items_free(&items);
	free(bytes);
	return n;
}

struct ca_search {
	struct import_conn *c;
	const struct ike_id *subject; /* of the one that is meant; NULL: all */
	struct text pem;
	unsigned int n;
};

static void add_ca(void *arg, const char *path)
{
	struct ca_search *s = arg;

	s->n += append_certs(s->c, s->c->at, path, s->subject, &s->pem);
}

/* CAs of the peer: those that are named, else all that there are. */
static void finish_cas(struct import_conn *c, const char *below, const struct ike_id *subject)
{
	enum { ROOM = 256 * 1024 };
	const struct import_list_of_files *ca = &c->end[REMOTE].ca;
	struct ca_search s = { .c = c, .subject = subject };
	char *text = malloc(ROOM), *pattern = import_beside(c->im->home, below, "*"), *path;

	if (text && pattern) {
		s.pem = text_init(text, ROOM);
		for (unsigned int i = 0; i < ca->n; i++)
			add_ca(&s, ca->path[i]);
		if (!ca->n)
			c->im->env->glob(c->im->env->ctx, pattern, add_ca, &s);
	}
	c->refused |= s.n && s.pem.len + 1 >= s.pem.size;
	path = s.n ? import_add_file(c, "ca", text, s.pem.len) : NULL;
	if (path)
		import_set(c, OUT_CA, NULL, "%s", path);
	else {
		import_set(c, OUT_CA, NULL, "%s/%s.ca", c->im->o->dir, c->name);
		import_say_of(c->im, c->at,
			      "no certificate of a CA for the peer was found: put it into %s/%s.ca",
			      c->im->o->dir, c->name);
	}
	free(path);
	free(pattern);
	free(text);
}

/* Our private key is sought by the certificate, or the public key, that it belongs to. */
struct key_search {
	struct import_conn *c;
	struct ike_iov cert, spki;
	const char *passphrase;
	char *found; /* PEM */
	bool encrypted; /* it is found, and stays encrypted */
};

/* Bytes of a file as the key that is sought. */
static bool is_sought(struct key_search *s, const char *pem, size_t len)
{
	struct ike_iov pass = { s->passphrase, s->passphrase ? strlen(s->passphrase) : 0 };
	struct ike_private_key private;
	struct ike_public_key public = { 0 };
	struct ike_iov spki = { public.spki, 0 };
	char why[512];
	bool plain = !ike_private_read(pem, len, &private, &public, why, sizeof(why)), is;

	s->encrypted = false;
	if (!plain && s->passphrase)
		s->encrypted =
			!ike_private_decrypt(pem, len, &pass, &private, &public, why, sizeof(why));
	if (!plain && !s->encrypted)
		return false;
	ike_wipe(&private, sizeof(private));
	spki.len = public.len;
	is = s->cert.len ? pki_cert_has_key(&s->cert, &spki)
			 : s->spki.len == spki.len && !memcmp(s->spki.base, spki.base, spki.len);
	return is;
}

static void try_key(void *arg, const char *path)
{
	struct key_search *s = arg;
	size_t len = 0, size;
	uint8_t *bytes = s->found ? NULL : s->c->im->env->read(s->c->im->env->ctx, path, &len);
	char *pem = bytes ? pki_key_to_pem(bytes, len) : NULL;

	size = pem ? strlen(pem) : len;
	if (bytes && !pem) {
		pem = calloc(1, len + 1);
		if (pem)
			memcpy(pem, bytes, len);
	}
	if (pem && strlen(pem) <= IKE_MAX_KEY_FILE && is_sought(s, pem, strlen(pem))) {
		s->found = pem;
		pem = NULL;
	}
	if (pem) /* what is no text has zeros in it */
		ike_wipe(pem, size);
	free(pem);
	if (bytes)
		ike_wipe(bytes, len);
	free(bytes);
}

/* First the files that secrets name, with their passphrases, then all in the folders. */
static void seek_key(struct key_search *s, const char *const *folders, char **passphrase)
{
	struct import *im = s->c->im;
	const struct import_node *at = NULL;
	struct import_secret secret;

	while (!s->found && next_secret(s->c, &at, &secret)) {
		if (secret.kind != SECRET_KEY || !secret.file)
			continue;
		s->passphrase = secret.value;
		for (unsigned int k = 0; folders[k] && !s->found; k++) {
			char *path = import_beside(im->home, folders[k], secret.file);

			if (path)
				try_key(s, path);
			free(path);
		}
		if (s->encrypted && s->found)
			*passphrase = secret.value ? strdup(secret.value) : NULL;
	}
	s->passphrase = NULL;
	for (unsigned int k = 0; folders[k] && !s->found; k++) {
		char *pattern = import_beside(im->home, folders[k], "*");

		if (pattern)
			im->env->glob(im->env->ctx, pattern, try_key, s);
		free(pattern);
	}
}

static void set_passphrase(struct import_conn *c, const char *passphrase)
{
	size_t len = strlen(passphrase);
	bool quoted = len > 1 && *passphrase == '"' && passphrase[len - 1] == '"';
	char *path = quoted ? import_add_file(c, "pass", passphrase + 1, len - 2)
			    : import_add_file(c, "pass", passphrase, len);

	if (path)
		import_set(c, OUT_KEY_PASSPHRASE, NULL, "file:%s", path);
	free(path);
}

static void finish_key(struct import_conn *c, struct key_search *s, const char *const *folders)
{
	char *passphrase = NULL, *path = NULL;

	if (s->cert.len || s->spki.len)
		seek_key(s, folders, &passphrase);
	if (s->found)
		path = import_add_file(c, "key", s->found, strlen(s->found));
	import_set(c, OUT_KEY, NULL, "%s/%s.key", c->im->o->dir, c->name);
	if (path && passphrase)
		set_passphrase(c, passphrase);
	if (!path)
		import_say_of(
			c->im, c->at,
			"our private key was not found: put it, in PEM, into %s/%s.key (chmod 600)",
			c->im->o->dir, c->name);
	if (passphrase)
		ike_wipe(passphrase, strlen(passphrase));
	free(passphrase);
	if (s->found)
		ike_wipe(s->found, strlen(s->found));
	free(s->found);
	free(path);
}

/* Without another identity strongSwan shows the certificate's subject; we would show its first name. */
static void default_to_subject(struct import_conn *c, const struct ike_iov *cert)
{
	struct ike_id ids[32];
	unsigned int n = pki_cert_ids(cert, ids, 32);
	char text[IMPORT_MAX_TEXT];

	if (c->value[OUT_LOCAL_ID] || !n || n > 32)
		return;
	import_set(c, OUT_LOCAL_ID, NULL, "%s", ike_id_print(text, sizeof(text), &ids[n - 1]));
}

/* Folders of the other program, beside its configuration. */
struct folders {
	const char *certs, *cas, *pubkeys;
	const char *const *keys;
};

static void finish_own_cert(struct import_conn *c, const struct folders *f)
{
	const struct import_node *n = c->end[LOCAL].cert;
	struct key_search s = { .c = c };
	struct pki_items items = { 0 };
	char why[PKI_MAX_TEXT], *pem = NULL, *path = NULL;
	size_t len = 0;
	uint8_t *bytes = n ? read_named(c, n, f->certs, &len) : NULL;

	if (bytes && pki_read(PKI_CERTS, bytes, len, &items, why, sizeof(why)))
		import_say_of(c->im, n, "%.200s: %s", n->value, why);
	if (items.n) {
		s.cert = items.item[0];
		pem = pki_to_pem(items.item, items.n);
		default_to_subject(c, &items.item[0]);
	}
	if (pem)
		path = import_add_file(c, "crt", pem, strlen(pem));
	import_set(c, OUT_CERT, NULL, "%s/%s.crt", c->im->o->dir, c->name);
	if (!path)
		import_say_of(
			c->im, n ? n : c->at,
			"our certificate was not found: put it, and those of CAs between it and a root, into %s/%s.crt",
			c->im->o->dir, c->name);
	finish_key(c, &s, f->keys);
	pki_items_free(&items);
	free(bytes);
	free(pem);
	free(path);
}

static void finish_own_pubkey(struct import_conn *c, const struct folders *f)
{
	const struct import_node *n = c->end[LOCAL].pubkey;
	struct key_search s = { .c = c };
	struct ike_public_key public = { 0 };
	char why[256];
	size_t len = 0;
	uint8_t *bytes = read_named(c, n, f->pubkeys, &len);

	if (bytes && !ike_public_read(bytes, len, &public, why, sizeof(why)))
		s.spki = (struct ike_iov){ public.spki, public.len };
	finish_key(c, &s, f->keys);
	free(bytes);
}

static void finish_peer_pubkey(struct import_conn *c, const struct folders *f)
{
	const struct import_node *n = c->end[REMOTE].pubkey;
	size_t len = 0;
	uint8_t *bytes = read_named(c, n, f->pubkeys, &len);
	struct ike_public_key public = { 0 };
	char *path = NULL, why[256];

	if (bytes && !ike_public_read(bytes, len, &public, why, sizeof(why)))
		path = import_add_file(c, "pub", (char *)bytes, len);
	else if (bytes)
		import_say_of(c->im, n, "%.200s %s", n->value, why);

	import_set(c, OUT_PUBLIC_KEY, NULL, "%s/%s.pub", c->im->o->dir, c->name);
	if (!path)
		import_say_of(c->im, n,
			      "the peer's public key was not found: put it into %s/%s.pub",
			      c->im->o->dir, c->name);
	free(bytes);
	free(path);
}

/*
 * Of a peer with a certificate it has to be said who it is. Without a word ipsec.conf has the peer's address, swanctl.conf anybody; but
 * our password is not for anybody.
 */
static void need_remote_id(struct import_conn *c)
{
	bool address = c->end[LOCAL].auth == AUTH_EAP ||
		       (c->im->format == &import_ipsec_conf && !c->end[REMOTE].id);

	if (c->value[OUT_REMOTE_ID])
		return;
	if (address && c->value[OUT_ENDPOINT]) {
		import_set(c, OUT_REMOTE_ID, NULL, "%s", c->value[OUT_ENDPOINT]);
		import_say_of(
			c->im, c->at,
			"the peer's identity is not said: RemoteID is its address, %.200s; change it if the peer's certificate has another",
			c->value[OUT_ENDPOINT]);
		return;
	}
	import_set(c, OUT_REMOTE_ID, NULL, "any");
	import_say_of(
		c->im, c->at,
		"the peer's identity is not said: RemoteID is any, so that each certificate of its CAs may be the peer's; better say which");
}

/* A peer of one identity is one peer, unless it gets its address from here; one without, or with a wildcard, may be many. */
static void set_identities(struct import_conn *c)
{
	const char *remote = c->end[REMOTE].id;
	struct ike_id id;
	char err[256];

	if (c->end[LOCAL].id && *c->end[LOCAL].id && c->end[LOCAL].auth != AUTH_EAP)
		import_set(c, OUT_LOCAL_ID, NULL, "%s", c->end[LOCAL].id);
	if (!remote || !*remote)
		return;
	if (c->end[REMOTE].auth == AUTH_EAP) {
		import_say_of(
			c->im, c->at,
			"the identity %.200s of users is left out: they are who they prove to be by EAP",
			remote);
		return;
	}
	import_set(c, OUT_REMOTE_ID, NULL, "%s", remote);
	if (!ike_id_from_text(remote, &id, err, sizeof(err)) && ike_id_is_wildcard(&id))
		c->clients = true;
	else if (!c->value[OUT_RANGE])
		c->clients = false;
}

static void set_methods(struct import_conn *c)
{
	static const char *const words[] = { [AUTH_PSK] = "psk", [AUTH_PUBKEY] = "pubkey" };
	enum import_auth l = c->end[LOCAL].auth, r = c->end[REMOTE].auth;

	if (l == r || l == AUTH_EAP || r == AUTH_EAP)
		return;
	import_set(c, OUT_LOCAL_AUTH, NULL, "%s", words[l]);
	import_set(c, OUT_REMOTE_AUTH, NULL, "%s", words[r]);
}

static const struct ike_id *meant_ca(const struct import_conn *c, struct ike_id *id)
{
	char err[256];

	return c->remote_ca && !ike_id_from_text(c->remote_ca, id, err, sizeof(err)) ? id : NULL;
}

void import_finish_auth(struct import_conn *c)
{
	static const char *const swanctl_keys[] = { "private", "rsa", "ecdsa", "pkcs8", NULL };
	static const char *const ipsec_keys[] = { "ipsec.d/private", NULL };
	static const struct folders swanctl = { "x509", "x509ca", "pubkey", swanctl_keys },
				    ipsec = { "ipsec.d/certs", "ipsec.d/cacerts", "ipsec.d/certs",
					      ipsec_keys };
	const struct folders *f = c->im->format == &import_swanctl ? &swanctl : &ipsec;
	struct ike_id ca;

	for (int end = LOCAL; end <= REMOTE; end++) {
		if (c->end[end].auth == AUTH_UNSAID)
			c->end[end].auth = AUTH_PUBKEY;
		if (c->end[end].auth == AUTH_NONE)
			c->refused = true;
	}
	if (c->refused || c->im->format == &import_wg_quick)
		return;
	set_identities(c);
	set_methods(c);
	finish_psk(c);
	finish_ppk(c);
	finish_eap_user(c);
	finish_eap_server(c);
	if (c->end[LOCAL].auth == AUTH_PUBKEY && c->end[LOCAL].pubkey)
		finish_own_pubkey(c, f);
	else if (c->end[LOCAL].auth == AUTH_PUBKEY)
		finish_own_cert(c, f);
	if (c->end[REMOTE].auth == AUTH_PUBKEY && c->end[REMOTE].pubkey) {
		finish_peer_pubkey(c, f);
	} else if (c->end[REMOTE].auth == AUTH_PUBKEY) {
		finish_cas(c, f->cas, meant_ca(c, &ca));
		need_remote_id(c);
	}
}
