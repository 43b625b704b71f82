// SPDX-License-Identifier: GPL-2.0-or-later
#include "ike/keys/client_keys.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ike/app/config/ini.h"
#include "ike/auth/job.h"
#include "ike/auth/mschapv2.h"
#include "ike/core/core.h"
#include "ike/crypto/crypto.h"
#include "ike/eap/eap.h"
#include "ike/proto/text.h"

/* ---- the list ------------------------------------------------------------------- */

enum { FIRST_ROOM = 16 }; /* doubled whenever it is full */

static bool is_full(const struct client_keys *l)
{
	return !l->n || (l->n >= FIRST_ROOM && !(l->n & (l->n - 1)));
}

/* No realloc(): it would leave keys behind where they were. */
static bool grow(struct client_keys *l)
{
	size_t room = l->n < FIRST_ROOM ? FIRST_ROOM : 2 * (size_t)l->n;
	struct client_key *grown = calloc(room, sizeof(*grown));

	if (!grown)
		return false;
	if (l->n) {
		memcpy(grown, l->v, l->n * sizeof(*grown));
		ike_wipe(l->v, l->n * sizeof(*grown));
	}
	free(l->v);
	l->v = grown;
	return true;
}

struct client_key *client_keys_add(struct client_keys *l)
{
	if (l->n >= CLIENT_KEYS_MAX || (is_full(l) && !grow(l)))
		return NULL;
	return &l->v[l->n++];
}

void client_keys_clear(struct client_keys *l)
{
	if (l->v)
		ike_wipe(l->v, l->n * sizeof(*l->v));
	free(l->v);
	*l = (struct client_keys){ 0 };
}

/* ---- finding --------------------------------------------------------------------- */

static int by_id(const void *a, const void *b)
{
	return ike_id_cmp(&((const struct client_key *)a)->id, &((const struct client_key *)b)->id);
}

const struct client_key *client_keys_sort(struct client_keys *l)
{
	if (l->n)
		qsort(l->v, l->n, sizeof(*l->v), by_id);
	for (unsigned int i = 1; i < l->n; i++) {
		if (!by_id(&l->v[i - 1], &l->v[i]))
			return &l->v[i];
	}
	return NULL;
}

static const struct client_key *find_exact(const struct client_key *list, unsigned int n,
					   const struct ike_id *id)
{
	unsigned int low = 0, high = n;

	while (low < high) {
		unsigned int mid = low + (high - low) / 2;
		int order = ike_id_cmp(id, &list[mid].id);

		if (!order)
			return &list[mid];
		if (order < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}

/* May a wildcard stand for what comes before octet @at, which is one at least? */
static bool has_wildcard(const struct ike_id *id, uint16_t at)
{
	return (id->type == IKE_ID_FQDN && id->data[at] == '.') ||
	       (id->type == IKE_ID_RFC822 && id->data[at] == '@');
}

const struct client_key *client_keys_at(const struct client_key *list, unsigned int n,
					const struct ike_id *id, uint16_t at)
{
	struct ike_id wildcard = { .type = id->type, .data = "*" };

	if (!at)
		return find_exact(list, n, id);
	if (!has_wildcard(id, at))
		return NULL;
	wildcard.len = (uint16_t)(1 + id->len - at);
	memcpy(wildcard.data + 1, id->data + at, id->len - at);
	return find_exact(list, n, &wildcard);
}

const struct client_key *client_keys_find(const struct client_key *list, unsigned int n,
					  const struct ike_id *id)
{
	const struct client_key *k, *found = find_exact(list, n, id);

	for (uint16_t i = 1; i < id->len; i++) {
		k = client_keys_at(list, n, id, i);
		if (!found)
			found = k;
	}
	return found;
}

void client_ppk_name(struct ike_id *id, const void *name, size_t len)
{
	*id = (struct ike_id){ .type = IKE_ID_KEY_ID, .len = (uint16_t)len };
	memcpy(id->data, name, len);
}

static struct client_key *find_ppk(const struct client_ppks *l, const void *name, size_t len)
{
	struct ike_id id;

	client_ppk_name(&id, name, len);
	return (struct client_key *)find_exact(l->keys.v, l->keys.n, &id);
}

const struct client_key *client_ppks_reserve(struct client_ppks *l)
{
	for (unsigned int i = 0; i < l->of.n; i++) {
		struct client_key *ppk = find_ppk(l, l->of.v[i].key, l->of.v[i].len);

		if (!ppk)
			return &l->of.v[i];
		ppk->reserved = true;
	}
	return NULL;
}

const struct client_key *client_ppks_find(const struct client_ppks *l, const struct ike_id *client,
					  const void *name, size_t len)
{
	const struct client_key *own = client_keys_find(l->of.v, l->of.n, client);
	const struct client_key *ppk;

	if (len > IKE_MAX_PPK_ID || (own && (own->len != len || memcmp(own->key, name, len) != 0)))
		return NULL;
	ppk = find_ppk(l, name, len);
	return ppk && ppk->reserved && !own ? NULL : ppk;
}

const struct client_key *client_ppks_own(const struct client_ppks *l, const struct ike_id *client)
{
	const struct client_key *own = client_keys_find(l->of.v, l->of.n, client);

	return own ? client_ppks_find(l, client, own->key, own->len) : NULL;
}

/* ---- the files of Secrets=, Users= and ClientPPKs= ----------------------------------------------------------- */

struct parse {
	struct client_keys *l;
	enum { OF_SECRETS, OF_USERS, OF_PPKS } file;
	void (*fn)(void *ctx, bool error, unsigned int line, const char *text);
	void *ctx;
	unsigned int line;
	bool failed;
};

static void say(struct parse *p, bool error, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void say(struct parse *p, bool error, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	p->failed |= error;
	p->fn(p->ctx, error, p->line, text);
}

/* What is wrong with a line that is no IDENTITY = KEY; it may hold a key anywhere. */
static const char *line_fault(const struct parse *p, const char *text)
{
	if (p->file == OF_USERS)
		return "expected NAME = PASSWORD";
	if (p->file == OF_PPKS)
		return "expected NAME = KEY";
	if (strstr(text, ": PSK "))
		return "lines of ipsec.secrets are written IDENTITY = KEY here";
	if (*text == '[')
		return "this file has no sections: expected IDENTITY = KEY";
	return "expected IDENTITY = KEY";
}

enum { PASSWORD_SHORT = 8 }; /* bytes; one with less can be guessed, even one handshake each */

/* "nt:" and the digits of a hash. */
static bool take_hash(struct client_key *k, const char *digits)
{
	size_t len;

	k->key[0] = IKE_SECRET_NT_HASH;
	k->len = 1 + MSCHAPV2_HASH;
	return !ike_hex_from_text(digits, k->key + 1, MSCHAPV2_HASH, &len) && len == MSCHAPV2_HASH;
}

int client_keys_password(uint8_t key[static SECRET_ROOM], size_t *len)
{
	uint8_t hash[MSCHAPV2_HASH];
	int err = *len >= SECRET_MAX || mschapv2_hash(key, *len, hash);

	ike_wipe(hash, sizeof(hash));
	if (err)
		return -1;
	memmove(key + 1, key, (*len)++);
	key[0] = IKE_SECRET_PASSWORD;
	return 0;
}

static void take_password(struct parse *p, struct client_key *k, const char *value)
{
	char why[512];

	if (secret_from_value(value, k->key, &k->len, why, sizeof(why))) {
		say(p, true, "%s", why);
		return;
	}
	if (client_keys_password(k->key, &k->len)) {
		say(p, true, "the password is no text in UTF-8 of at most %d bytes",
		    SECRET_MAX - 1);
		return;
	}
	if (*why)
		say(p, false, "the password %s", why);
	if (k->len <= PASSWORD_SHORT)
		say(p, false,
		    "the password has less than %d bytes: whoever can reach us may try some until one fits",
		    PASSWORD_SHORT);
}

static void take_user(struct parse *p, struct client_key *k, const char *name, const char *value)
{
	if (!eap_identity((const uint8_t *)name, strlen(name), &k->id))
		say(p, true, "before the = there is no name of 1 to %d bytes", EAP_MAX_NAME);
	else if (eap_domain_len((const uint8_t *)name, strlen(name)))
		say(p, true,
		    "before the = there is a domain, which is no part of a user's name here");
	else if (!*value)
		say(p, true, "there is no password behind the =");
	else if (strncmp(value, "nt:", 3) != 0)
		take_password(p, k, value);
	else if (!take_hash(k, value + 3))
		say(p, true, "behind nt: there are no 32 digits of a hash");
}

/* Whose key it is, or which. */
static bool take_name(struct parse *p, struct client_key *k, const char *name)
{
	size_t len = strlen(name);
	char why[512];

	if (p->file == OF_SECRETS && ike_id_from_text(name, &k->id, why, sizeof(why))) {
		say(p, true, "before the =: %s", why);
		return false;
	}
	if (p->file == OF_SECRETS)
		return true;
	for (size_t i = 0; i < len; i++) {
		if (!isgraph((unsigned char)name[i]))
			len = IKE_MAX_PPK_ID + 1;
	}
	if (len > IKE_MAX_PPK_ID) {
		say(p, true,
		    "before the = there is no PPK's name of up to %d characters without blanks",
		    IKE_MAX_PPK_ID);
		return false;
	}
	client_ppk_name(&k->id, name, len);
	return true;
}

static void take_key(struct parse *p, const char *name, const char *value)
{
	bool (*strong)(const uint8_t *, size_t, char *, size_t) =
		p->file == OF_PPKS ? secret_strong_ppk : secret_strong;
	struct client_key *k = client_keys_add(p->l);
	char why[512];

	if (!k) {
		say(p, true, "expected at most %d keys", CLIENT_KEYS_MAX);
		return;
	}
	k->line = p->line;
	k->of_secrets = true;
	if (p->file == OF_USERS) {
		take_user(p, k, name, value);
		return;
	}
	if (!take_name(p, k, name))
		return;
	if (!*value) {
		say(p, true, "there is no key behind the =");
		return;
	}
	if (secret_from_value(value, k->key, &k->len, why, sizeof(why))) {
		say(p, true, "%s", why);
		return;
	}
	if (*why || !strong(k->key, k->len, why, sizeof(why)))
		say(p, false, "the key %s", why);
}

/*
 * The = between both: the first one, as keys may hold others. No identity holds one but a key ID, behind
 * which it stands by itself, as it does behind a PPK's name that holds one.
 */
static char *find_equals(const struct parse *p, char *text)
{
	char *end = text + strcspn(text, " \t");
	char *after = end + strspn(end, " \t");
	bool may_hold = p->file == OF_PPKS ||
			(p->file == OF_SECRETS && !strncasecmp(text, "keyid:", 6));

	return may_hold && *after == '=' ? after : strchr(text, '=');
}

static void take_line(struct parse *p, char *text)
{
	char *equals = find_equals(p, text);

	if (!equals || equals == text ||
	    (p->file == OF_SECRETS && (strstr(text, ": PSK ") || *text == '['))) {
		say(p, true, "%s", line_fault(p, text));
		return;
	}
	*equals = 0;
	take_key(p, ini_trim(text), ini_trim(equals + 1));
}

static int parse_text(struct parse *p, const char *text, size_t len)
{
	struct ini_line line = { 0 };
	struct ini r;

	if (!ini_open(&r, text, len)) {
		p->line = 1;
		say(p, true, "the file is UTF-16; save it as UTF-8");
		return -1;
	}
	while (ini_next(&r, &line)) {
		p->line = line.number;
		if (line.fault)
			say(p, true, "%s", line.fault);
		else
			take_line(p, line.text);
		if (p->l->n >= CLIENT_KEYS_MAX && p->failed)
			break;
	}
	ike_wipe(&line, sizeof(line));
	return p->failed ? -1 : 0;
}

int client_keys_parse(struct client_keys *l, const char *text, size_t len,
		      void (*fn)(void *ctx, bool error, unsigned int line, const char *text),
		      void *ctx)
{
	struct parse p = { .l = l, .fn = fn, .ctx = ctx };

	return parse_text(&p, text, len);
}

int client_keys_parse_users(struct client_keys *l, const char *text, size_t len,
			    void (*fn)(void *ctx, bool error, unsigned int line, const char *text),
			    void *ctx)
{
	struct parse p = { .l = l, .file = OF_USERS, .fn = fn, .ctx = ctx };

	return parse_text(&p, text, len);
}

int client_keys_parse_ppks(struct client_keys *l, const char *text, size_t len,
			   void (*fn)(void *ctx, bool error, unsigned int line, const char *text),
			   void *ctx)
{
	struct parse p = { .l = l, .file = OF_PPKS, .fn = fn, .ctx = ctx };

	return parse_text(&p, text, len);
}
