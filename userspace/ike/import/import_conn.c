// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A connection of another program on its way to a file of ours: rows of tables say what each of its lines means; here is kept
 * what they said. import_finish.c makes the file of it.
 */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ike/app/config/config.h"
#include "ike/app/config/foreign.h"
#include "ike/import/import_int.h"

/* In the order in which they are written. */
const struct import_key_name import_key_names[OUT_KEYS] = {
	[OUT_ADDRESS] = { "Tunnel", "Address" },
	[OUT_MTU] = { "Tunnel", "MTU" },
	[OUT_LOCAL_ID] = { "Tunnel", "LocalID" },
	[OUT_LOCAL_AUTH] = { "Tunnel", "LocalAuth" },
	[OUT_EAP] = { "Tunnel", "EAP" },
	[OUT_PASSWORD] = { "Tunnel", "Password" },
	[OUT_KEY] = { "Tunnel", "Key" },
	[OUT_KEY_PASSPHRASE] = { "Tunnel", "KeyPassphrase" },
	[OUT_CERT] = { "Tunnel", "Cert" },
	[OUT_LOCAL] = { "Tunnel", "Local" },
	[OUT_PORT] = { "Tunnel", "Port" },
	[OUT_FWMARK] = { "Tunnel", "FwMark" },
	[OUT_TABLE] = { "Tunnel", "Table" },
	[OUT_ENDPOINT] = { "Peer", "Endpoint" },
	[OUT_REMOTE_ID] = { "Peer", "RemoteID" },
	[OUT_REMOTE_AUTH] = { "Peer", "RemoteAuth" },
	[OUT_USERS] = { "Peer", "Users" },
	[OUT_PUBLIC_KEY] = { "Peer", "PublicKey" },
	[OUT_CA] = { "Peer", "CA" },
	[OUT_REVOCATION] = { "Peer", "Revocation" },
	[OUT_PSK] = { "Peer", "PSK" },
	[OUT_PPK] = { "Peer", "PPK" },
	[OUT_PPK_ID] = { "Peer", "PPKID" },
	[OUT_PPK_REQUIRED] = { "Peer", "PPKRequired" },
	[OUT_ROUTES] = { "Peer", "Routes" },
	[OUT_SELECTORS] = { "Peer", "Selectors" },
	[OUT_CRYPTO] = { "Peer", "Crypto" },
	[OUT_ENCAP] = { "Peer", "Encap" },
	[OUT_MOBIKE] = { "Peer", "Mobike" },
	[OUT_KEEPALIVE] = { "Peer", "Keepalive" },
	[OUT_LIVENESS] = { "Peer", "Liveness" },
	[OUT_REKEY] = { "Peer", "Rekey" },
	[OUT_REAUTH] = { "Peer", "Reauth" },
	[OUT_REKEY_BYTES] = { "Peer", "RekeyBytes" },
	[OUT_REKEY_PACKETS] = { "Peer", "RekeyPackets" },
	[OUT_REPLAY_WINDOW] = { "Peer", "ReplayWindow" },
	[OUT_START] = { "Peer", "Start" },
	[OUT_MODE] = { "Peer", "Mode" },
	[OUT_CLIENTS] = { "Peer", "Clients" },
	[OUT_UNIQUE] = { "Peer", "Unique" },
	[OUT_RANGE] = { "Pool", "Range" },
	[OUT_POOL_DNS] = { "Pool", "DNS" },
	[OUT_POOL_ROUTES] = { "Pool", "Routes" },
};

/* ---- what rows say ----------------------------------------------------------------------- */

static void leave_out(struct import_conn *c, const struct import_node *n, const char *why)
{
	const struct foreign_word *w = why ? NULL : foreign_key(n->name);

	if (why)
		import_say_of(c->im, n, "%.60s is left out: %s", n->name, why);
	else if (w && w->ours)
		import_say_of(c->im, n, "%.60s is left out: here it is %s%s%s", n->name, w->ours,
			      w->note ? ", " : "", w->note ? w->note : "");
	else if (w)
		import_say_of(c->im, n, "%.60s is left out: %s", n->name, w->note);
	else
		import_say_of(c->im, n, "%.60s is left out: it is not known here", n->name);
}

void import_take(struct import_conn *c, char where, const char *key, const struct import_node *n,
		 int end)
{
	const struct import_row *r = c->im->format->rows;

	if (n->value && !*n->value)
		return; /* it takes a template's value away */
	while (r->key && (r->where != where || strcasecmp(r->key, key) != 0))
		r++;
	if (r->key && r->take) {
		r->take(c, n, end);
		return;
	}
	leave_out(c, n, r->key ? r->why : NULL);
	c->refused |= r->key && r->limits && end == REMOTE;
}

/* Would a line with the value be read as it is meant? */
static bool can_be_value(const char *s)
{
	if (!*s || strlen(s) > IMPORT_MAX_VALUE - 64 || isspace((unsigned char)*s) || *s == '#' ||
	    *s == ';')
		return false;
	for (const char *at = s; *at; at++) {
		if (*at < ' ' || *at > '~')
			return false;
		if (*at == ' ' && (at[1] == '#' || at[1] == ';' || !at[1]))
			return false;
	}
	return true;
}

static void vset(struct import_conn *c, enum import_key key, const struct import_node *n,
		 const char *before, const char *fmt, va_list ap)
{
	char *s, *all;

	if (vasprintf(&s, fmt, ap) < 0) {
		c->refused = true;
		return;
	}
	if (asprintf(&all, "%s%s%s", before ? before : "", before ? ", " : "", s) < 0)
		all = NULL;
	if (!all || !can_be_value(s) || !can_be_value(all)) {
		import_say_of(c->im, n ? n : c->at,
			      "%.60s: its value cannot be one of %s in esptun.conf(5)",
			      n ? n->name : c->at->name, import_key_names[key].key);
		c->refused = true;
		free(all);
	} else {
		free(c->value[key]);
		c->value[key] = all;
	}
	free(s);
}

void import_set(struct import_conn *c, enum import_key key, const struct import_node *n,
		const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vset(c, key, n, NULL, fmt, ap);
	va_end(ap);
}

void import_append(struct import_conn *c, enum import_key key, const struct import_node *n,
		   const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vset(c, key, n, c->value[key], fmt, ap);
	va_end(ap);
}

/* ---- names ------------------------------------------------------------------------------- */

static bool name_taken(const struct import *im, const char *name)
{
	size_t len = strlen(name);

	for (unsigned int i = 0; i < im->out->n; i++) {
		const char *file = im->out->file[i].name;

		if (!strncasecmp(file, name, len) && !strcasecmp(file + len, ".conf"))
			return true;
	}
	return false;
}

/* A netdevice's name that is like @wish, and that no other connection has. */
static void choose_name(const struct import *im, const char *wish, char name[16])
{
	char base[16];
	size_t n = 0;

	for (; *wish && n < 15; wish++) {
		bool fine = isalnum((unsigned char)*wish) || (n && strchr("._-", *wish));

		if (fine)
			base[n++] = *wish;
	}
	base[n] = 0;
	snprintf(name, 16, "%s", config_name_ok(base) ? base : "vpn");
	for (unsigned int i = 2; name_taken(im, name); i++) {
		char number[12];

		snprintf(number, sizeof(number), "-%u", i);
		snprintf(name, 16, "%.*s%s", (int)(15 - strlen(number)), *base ? base : "vpn",
			 number);
	}
}

struct import_conn *import_begin(struct import *im, const char *name, const struct import_node *at)
{
	struct import_conn *c = NULL;

	if (im->out->conns + im->out->refused < IMPORT_MAX_CONNS)
		c = calloc(1, sizeof(*c));
	if (!c) {
		import_say_of(im, at, "%.60s is left out: there are more than %d connections",
			      at->name, IMPORT_MAX_CONNS);
		return NULL;
	}
	c->im = im;
	c->at = at;
	c->rekey[0] = c->rekey[1] = -1;
	choose_name(im, name, c->name);
	if (strcmp(c->name, name) != 0)
		import_say_of(im, at, "%.60s becomes %s: a netdevice cannot have that name", name,
			      c->name);
	return c;
}

bool import_begin_child(struct import_conn *c, const char *name, const struct import_node *at)
{
	if (c->n_child == IMPORT_MAX_CHILDREN) {
		import_say_of(c->im, at, "%.60s is left out: there are more than %d child SAs",
			      name, IMPORT_MAX_CHILDREN);
		return false;
	}
	c->in = &c->child[c->n_child++];
	c->in->at = at;
	snprintf(c->in->name, sizeof(c->in->name), "%.15s", name);
	for (char *s = c->in->name; *s; s++) {
		if (!isalnum((unsigned char)*s) && (s == c->in->name || !strchr("._-", *s)))
			*s = 'x';
	}
	return true;
}

char *import_add_file(struct import_conn *c, const char *suffix, const char *text, size_t len)
{
	struct import_file *f = &c->file[c->n_files];
	char *path = NULL;

	if (c->n_files == sizeof(c->file) / sizeof(c->file[0]))
		return NULL;
	f->text = malloc(len + 1);
	if (asprintf(&f->name, "%s.%s", c->name, suffix) < 0)
		f->name = NULL;
	if (!f->text || !f->name || asprintf(&path, "%s/%s", c->im->o->dir, f->name) < 0) {
		free(f->text);
		free(f->name);
		memset(f, 0, sizeof(*f));
		return NULL;
	}
	memcpy(f->text, text, len);
	f->text[len] = 0;
	f->len = len;
	c->n_files++;
	return path;
}
