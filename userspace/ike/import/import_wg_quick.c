// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What wg-quick(8) reads: each [Peer] becomes a tunnel. Addresses, networks and endpoint have a meaning in IPsec, keys have none:
 * WireGuard's are of another protocol.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ike/app/config/ini.h"
#include "ike/crypto/crypto.h"
#include "ike/import/import_int.h"

enum {
	ALL_TABLE = 51820
}; /* of routes to everything, and the mark of what does not take them, as wg-quick has it */

static int parse_line(struct import *im, struct import_node *into, struct import_node **section,
		      struct ini_line *l, const char *path)
{
	char *name, *value;

	if (l->fault) {
		import_say(im, path, l->number, "%s", l->fault);
		return -1;
	}
	name = ini_section(l->text);
	if (name) {
		*section = import_add(im, into, name, NULL, path, l->number);
		return *section ? 0 : -1;
	}
	name = ini_pair(l->text, &value);
	if (!name || !*section) {
		import_say(im, path, l->number,
			   "expected [Interface] or [Peer], and KEY = VALUE below them");
		return -1;
	}
	ini_strip_comment(value);
	return import_add(im, *section, name, value, path, l->number) ? 0 : -1;
}

static int parse(struct import *im, struct import_node *into, const char *text, const char *path)
{
	struct ini_line *l = malloc(sizeof(*l));
	struct import_node *section = NULL;
	struct ini r;
	int err = -1;

	if (l && ini_open(&r, text, strlen(text)))
		err = 0;
	else
		import_say(im, path, 0, "it is UTF-16: save it as UTF-8");
	while (!err && ini_next(&r, l))
		err = parse_line(im, into, &section, l, path);
	if (l)
		ike_wipe(l, sizeof(*l));
	free(l);
	return err;
}

/* ---- meaning ------------------------------------------------------------------------------------- */

static void take_address(struct import_conn *c, const struct import_node *n, int end)
{
	(void)end;
	import_append(c, OUT_ADDRESS, n, "%s", n->value);
}

static void take_mtu(struct import_conn *c, const struct import_node *n, int end)
{
	(void)end;
	import_set(c, OUT_MTU, n, "%s", n->value);
}

static void take_fwmark(struct import_conn *c, const struct import_node *n, int end)
{
	(void)end;
	if (strcasecmp(n->value, "off") != 0)
		import_set(c, OUT_FWMARK, n, "%s", n->value);
}

static void take_table(struct import_conn *c, const struct import_node *n, int end)
{
	(void)end;
	if (!strcasecmp(n->value, "off"))
		import_say_of(c->im, n, "Table = off: take Routes out of [Peer]");
	else if (strcasecmp(n->value, "auto") != 0)
		import_set(c, OUT_TABLE, n, "%s", n->value);
}

/* HOST:PORT, without the port, which is WireGuard's. */
static void take_endpoint(struct import_conn *c, const struct import_node *n, int end)
{
	char *host = strdup(n->value), *colon = host ? strrchr(host, ':') : NULL;
	size_t len;

	(void)end;
	if (!host)
		return;
	if (colon)
		*colon = 0;
	len = strlen(host);
	if (*host == '[' && host[len - 1] == ']')
		import_set(c, OUT_ENDPOINT, n, "%.*s", (int)len - 2, host + 1);
	else
		import_set(c, OUT_ENDPOINT, n, "%s", host);
	if (colon)
		import_say_of(
			c->im, n,
			"the port %.10s is left out: IKE begins at port 500 and goes on at 4500, which have to be open there",
			colon + 1);
	free(host);
}

static void take_keepalive(struct import_conn *c, const struct import_node *n, int end)
{
	(void)end;
	import_set(c, OUT_KEEPALIVE, n, "%s", strcasecmp(n->value, "off") ? n->value : "0");
}

static void take_networks(struct import_conn *c, const struct import_node *n, int end)
{
	(void)end;
	import_take_selectors(c, n, REMOTE);
}

static const char KEYS_DIFFER[] =
	"keys of WireGuard are of another protocol, and cannot be carried over: PSK, or Key and Cert, take their place";

static const struct import_row rows[] = {
	ROW_TAKEN('i', "Address", take_address),
	ROW_TAKEN('i', "MTU", take_mtu),
	ROW_TAKEN('i', "FwMark", take_fwmark),
	ROW_TAKEN('i', "Table", take_table),
	ROW_LEFT('i', "PrivateKey", KEYS_DIFFER),
	ROW_LEFT('i', "ListenPort", "the port is 4500, unless Port in [Tunnel] says another"),
	ROW_LEFT(
		'i', "DNS",
		"name servers are used that a peer tells with Address = request; else: resolvectl dns"),
	ROW_TAKEN('p', "AllowedIPs", take_networks),
	ROW_TAKEN('p', "Endpoint", take_endpoint),
	ROW_TAKEN('p', "PersistentKeepalive", take_keepalive),
	ROW_LEFT('p', "PublicKey", KEYS_DIFFER),
	ROW_LEFT('p', "PresharedKey", KEYS_DIFFER),
	{ 0 },
};

static void take_lines(struct import_conn *c, char where, const struct import_node *section)
{
	const struct import_node *n;

	TAILQ_FOREACH(n, &section->sub, link)
	import_take(c, where, n->name, n, LOCAL);
}

static bool is_everything(const char *ts)
{
	return !strcmp(ts, "0.0.0.0/0") || !strcmp(ts, "::/0");
}

/* What wg-quick does for 0.0.0.0/0: a table of its own, and a rule for all but the tunnel's own packets. */
static void route_everything(struct import_conn *c)
{
	for (unsigned int i = 0; i < c->in->n_ts[REMOTE]; i++) {
		if (!is_everything(c->in->ts[REMOTE][i]) || c->value[OUT_TABLE])
			continue;
		if (!c->value[OUT_FWMARK])
			import_set(c, OUT_FWMARK, NULL, "%d", ALL_TABLE);
		import_set(c, OUT_TABLE, NULL, "%d", ALL_TABLE);
		import_say_of(
			c->im, c->at,
			"everything goes into the tunnel by table %d: ip rule add not fwmark %s table %d; ip rule add table main suppress_prefixlength 0; the same with ip -6",
			ALL_TABLE, c->value[OUT_FWMARK], ALL_TABLE);
	}
}

static void set_psk(struct import_conn *c)
{
	const struct import_env *env = c->im->env;
	char text[IMPORT_PSK_TEXT], line[IMPORT_PSK_TEXT + 16], *path = NULL;

	c->end[LOCAL].auth = c->end[REMOTE].auth = AUTH_PSK;
	import_set(c, OUT_PSK, NULL, "file:%s/%s.psk", c->im->o->dir, c->name);
	if (env->make_psk && env->make_psk(env->ctx, text)) {
		snprintf(line, sizeof(line), "base64:%s\n", text);
		path = import_add_file(c, "psk", line, strlen(line));
		ike_wipe(text, sizeof(text));
		ike_wipe(line, sizeof(line));
	}
	import_say_of(
		c->im, c->at,
		path ? "%s/%s.psk is a new key: the peer needs the same, over a channel that you trust"
		     : "%s/%s.psk has to be made: (umask 077; esptun keygen >FILE), and the peer needs the same",
		c->im->o->dir, c->name);
	free(path);
}

static void convert_peer(struct import *im, const char *name, const struct import_node *interface,
			 const struct import_node *peer)
{
	struct import_conn *c = import_begin(im, name, peer);

	if (!c)
		return;
	if (!import_begin_child(c, "all", peer)) {
		import_finish(c);
		return;
	}
	take_lines(c, 'i', interface);
	take_lines(c, 'p', peer);
	if (!c->in->n_ts[REMOTE]) { /* no selectors would be all of them */
		import_say_of(
			c->im, peer,
			"there are no AllowedIPs, so that the peer may send nothing: name its networks");
		c->refused = true;
	}
	route_everything(c);
	set_psk(c);
	import_finish(c);
}

static int convert(struct import *im)
{
	const struct import_node *interface = import_find(im->root, "Interface"), *n;
	const char *base = strrchr(im->o->path, '/');
	unsigned int peers = 0;
	char name[256];

	base = base ? base + 1 : im->o->path;
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(base, "."), base);
	if (!interface || interface->value) {
		import_say(im, im->o->path, 0, "there is no section [Interface]");
		return -1;
	}
	TAILQ_FOREACH(n, &im->root->sub, link)
	{
		if (!strcasecmp(n->name, "Peer")) {
			convert_peer(im, name, interface, n);
			peers++;
		} else if (n != interface) {
			import_say_of(im, n, "[%.60s] is left out: it is not known here", n->name);
		}
	}
	if (peers > 1)
		import_say_of(
			im, interface,
			"each of the %u peers has a netdevice of its own, all with this Address: where they are clients, write one tunnel with Clients and [Pool] instead",
			peers);
	return 0;
}

const struct import_format import_wg_quick = { "wg-quick", rows, parse, convert, NULL };
