// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ipsec.conf(5) and ipsec.secrets(5) of strongSwan, and what libreswan has in common with them: "conn NAME" at the begin of a line,
 * indented lines KEY=VALUE below it, also=, %default, include. Each end is called left or right; which of them is this machine is
 * decided by addresses, or said.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ike/crypto/crypto.h"
#include "ike/import/import_int.h"
#include "ike/proto/addr.h"

enum {
	MARGIN = 540
}; /* seconds before the end of an SA that it is rekeyed, unless margintime says */

/* ---- reading ---------------------------------------------------------------------------------- */

/* A line without comment and the blanks at its end; a quotation mark hides #. To free after wiping. */
static char *next_line(const char **at, bool *indented)
{
	size_t len = strcspn(*at, "\n"), end = 0;
	const char *s = *at;
	bool quoted = false;
	char *line;

	*at += len + (s[len] == '\n');
	*indented = len && (*s == ' ' || *s == '\t');
	while (end < len &&
	       (quoted || s[end] != '#' || (end && !isspace((unsigned char)s[end - 1])))) {
		quoted ^= s[end] == '"';
		end++;
	}
	while (end && isspace((unsigned char)s[end - 1]))
		end--;
	while (end && isspace((unsigned char)*s))
		s++, end--;
	line = strndup(s, end);
	return line;
}

static void free_line(char *line)
{
	ike_wipe(line, strlen(line));
	free(line);
}

/* "conn NAME", "config setup", "ca NAME": sections; the first one in what @into is then. */
static struct import_node *begin_section(struct import *im, struct import_node *into, char *line,
					 const char *path, unsigned int number)
{
	char *name = line + strcspn(line, " \t");
	struct import_node *kind;

	if (*name)
		*name++ = 0;
	name += strspn(name, " \t");
	if (strcasecmp(line, "conn") && strcasecmp(line, "config") && strcasecmp(line, "ca") &&
	    strcasecmp(line, "version")) {
		import_say(im, path, number,
			   "expected conn NAME, config setup, ca NAME or include");
		return NULL;
	}
	for (char *s = line; *s; s++)
		*s = (char)tolower((unsigned char)*s);
	kind = import_section(im, into, line, path, number);
	return kind ? import_section(im, kind, *name ? name : "%unnamed", path, number) : NULL;
}

static int add_line(struct import *im, struct import_node *section, char *line, const char *path,
		    unsigned int number)
{
	char *value = strchr(line, '='), *end;
	struct import_node *n;
	size_t len;

	if (!section || !value) {
		import_say(im, path, number, "expected KEY=VALUE below conn NAME");
		return -1;
	}
	for (end = value; end > line && isspace((unsigned char)end[-1]);)
		end--;
	*value++ = 0;
	*end = 0;
	value += strspn(value, " \t");
	len = strlen(value);
	if (len > 1 && *value == '"' && value[len - 1] == '"') {
		value[len - 1] = 0;
		value++;
	}
	n = import_add(im, section, line, value, path, number);
	if (n && !strcasecmp(line, "also")) {
		char ref[IMPORT_MAX_VALUE + 8];

		snprintf(ref, sizeof(ref), "conn.%s", value);
		return import_add_ref(im, section, ref);
	}
	return n ? 0 : -1;
}

static int parse(struct import *im, struct import_node *into, const char *text, const char *path)
{
	struct import_node *section = NULL;
	unsigned int number = 0;
	bool indented;
	int err = 0;

	while (*text && !err) {
		char *line = next_line(&text, &indented);

		number++;
		if (!line)
			return -1;
		if (*line && !strncasecmp(line, "include", 7) && isspace((unsigned char)line[7])) {
			const struct import_node at = { .name = (char *)"include",
							.path = path,
							.line = number };

			err = import_include(im, into, line + 7 + strspn(line + 7, " \t"), &at,
					     parse);
		} else if (*line && indented) {
			err = add_line(im, section, line, path, number);
		} else if (*line) {
			section = begin_section(im, into, line, path, number);
			err = section ? 0 : -1;
		}
		free_line(line);
	}
	return err;
}

/* ---- ipsec.secrets --------------------------------------------------------------------------------- */

static const char *const secret_kinds[] = {
	"PSK", [SECRET_EAP] = "EAP", [SECRET_PPK] = "PPKS", [SECRET_KEY] = "RSA"
};

/* The ":" in front of the kind of a secret; addresses have colons, too. NULL: none. */
static char *find_kind(char *line)
{
	for (char *at = strchr(line, ':'); at; at = strchr(at + 1, ':')) {
		if ((at == line || isspace((unsigned char)at[-1]) ||
		     isspace((unsigned char)at[1])) &&
		    isupper((unsigned char)at[1 + strspn(at + 1, " \t")]))
			return at;
	}
	return NULL;
}

/* "moonKey.pem "passphrase"": the file and what opens it. */
static int add_key(struct import *im, struct import_node *secret, char *value)
{
	char *pass = value + strcspn(value, " \t");

	if (*pass)
		*pass++ = 0;
	pass += strspn(pass, " \t");
	return import_add(im, secret, "file", value, secret->path, secret->line) &&
			       (!*pass ||
				import_add(im, secret, "secret", pass, secret->path, secret->line))
		       ? 0
		       : -1;
}

static int add_secret(struct import *im, char *line, const char *path, unsigned int number)
{
	char *kind = find_kind(line), *value, *ids = line, *id;
	struct import_node *secret;

	if (!kind) {
		import_say(im, path, number,
			   "expected : and the kind of a secret, such as : PSK \"...\"");
		return 0;
	}
	*kind++ = 0;
	kind += strspn(kind, " \t");
	value = kind + strcspn(kind, " \t");
	if (*value)
		*value++ = 0;
	value += strspn(value, " \t");
	secret = import_add(im, im->secrets, kind, NULL, path, number);
	if (!secret)
		return -1;
	while ((id = import_item(&ids, true))) {
		size_t len = strlen(id);

		if (len > 1 && *id == '"' && id[len - 1] == '"') {
			id[len - 1] = 0;
			id++;
		}
		if (!import_add(im, secret, "id", id, path, number))
			return -1;
	}
	if (!strcasecmp(kind, "RSA") || !strcasecmp(kind, "ECDSA") || !strcasecmp(kind, "PKCS8"))
		return add_key(im, secret, value);
	if (*value == '\'' && value[1] && value[strlen(value) - 1] == '\'')
		*value = value[strlen(value) - 1] = '"';
	return import_add(im, secret, "secret", value, path, number) ? 0 : -1;
}

static int parse_secrets(struct import *im, struct import_node *into, const char *text,
			 const char *path)
{
	unsigned int number = 0;
	bool indented;
	int err = 0;

	(void)into;
	while (*text && !err) {
		char *line = next_line(&text, &indented);

		number++;
		if (!line)
			return -1;
		if (*line && !strncasecmp(line, "include", 7) && isspace((unsigned char)line[7])) {
			const struct import_node at = { .name = (char *)"include",
							.path = path,
							.line = number };

			err = import_include(im, im->secrets, line + 7 + strspn(line + 7, " \t"),
					     &at, parse_secrets);
		} else if (*line) {
			err = add_secret(im, line, path, number);
		}
		free_line(line);
	}
	return err;
}

static int read_secrets(struct import *im)
{
	char *path = im->o->secrets ? strdup(im->o->secrets)
				    : import_beside(im->home, "", "ipsec.secrets");
	size_t len = 0;
	char *text = path ? (char *)im->env->read(im->env->ctx, path, &len) : NULL;
	int err = -1;

	im->secrets = path ? import_add(im, NULL, "", NULL, im->o->path, 0) : NULL;
	if (im->secrets && im->n_paths < IMPORT_MAX_FILES) {
		im->path[im->n_paths++] = path;
		err = text ? parse_secrets(im, NULL, text, path) : 0;
		if (!text)
			import_say(im, path, 0, "there are no secrets: this file cannot be read");
	} else {
		free(path);
	}
	if (text)
		ike_wipe(text, len);
	free(text);
	return err;
}

static bool read_secret(struct import *im, const struct import_node **at, struct import_secret *out)
{
	const struct import_node *s = *at ? TAILQ_NEXT(*at, link) : TAILQ_FIRST(&im->secrets->sub),
				 *n;

	*at = s;
	if (!s)
		return false;
	out->at = s;
	out->file = import_value(s, "file", NULL);
	out->kind = SECRET_KEY;
	for (unsigned int k = 0; !out->file && k < sizeof(secret_kinds) / sizeof(secret_kinds[0]);
	     k++) {
		if (!strcasecmp(s->name, secret_kinds[k]))
			out->kind = k;
	}
	out->value = import_value(s, "secret", NULL);
	TAILQ_FOREACH(n, &s->sub, link)
	{
		if (!strcmp(n->name, "id") && out->n_id < sizeof(out->id) / sizeof(out->id[0]))
			out->id[out->n_id++] = n->value;
	}
	return true;
}

/* ---- meaning ------------------------------------------------------------------------------------- */

static void take_host(struct import_conn *c, const struct import_node *n, int end)
{
	if (end == LOCAL)
		import_take_local_host(c, n, end);
	else
		import_take_remote_host(c, n, end);
}

static void take_source(struct import_conn *c, const struct import_node *n, int end)
{
	if (end == REMOTE)
		import_take_range(c, n, end);
	else
		import_set(c, OUT_ADDRESS, n, "%s", *n->value == '%' ? "request" : n->value);
}

/* "udp/1701", "17/1701", "17/%any". */
static void take_protoport(struct import_conn *c, const struct import_node *n, int end)
{
	size_t len = strcspn(n->value, "/");
	const char *port = n->value[len] ? n->value + len + 1 : "";
	bool all = !*port || *port == '%' || !strcasecmp(port, "any") || !strcmp(port, "0");
	bool digits = strspn(n->value, "0123456789") == len;

	if (strlen(n->value) > 24) {
		import_say_of(c->im, n, "%s: expected PROTOCOL/PORT, such as udp/1701", n->name);
		c->refused = true;
		return;
	}
	free(c->end[end].ts_suffix);
	if (asprintf(&c->end[end].ts_suffix, ":%s%.*s%s%.32s", digits ? "proto" : "",
		     len > 16 ? 16 : (int)len, n->value, all ? "" : ":", all ? "" : port) < 0)
		c->end[end].ts_suffix = NULL;
}

static void take_ike_port(struct import_conn *c, const struct import_node *n, int end)
{
	unsigned long port = strtoul(n->value, NULL, 10);

	if (end == REMOTE && port < 65536)
		c->remote_port = (unsigned int)port;
	else
		import_say_of(c->im, n,
			      "%s is left out: Port in [Tunnel] is for ESP, and IKE behind that",
			      n->name);
}

static void take_authby(struct import_conn *c, const struct import_node *n, int end)
{
	static const char *const psk[] = { "secret", "psk" };
	enum import_auth auth = !strcasecmp(n->value, "never") ? AUTH_NONE : AUTH_PUBKEY;

	(void)end;
	for (unsigned int i = 0; i < 2; i++) {
		if (!strcasecmp(n->value, psk[i]))
			auth = AUTH_PSK;
	}
	for (int i = LOCAL; i <= REMOTE; i++) {
		if (c->end[i].auth == AUTH_UNSAID)
			c->end[i].auth = auth;
	}
}

/* Libreswan's "secret" and "rsasig" beside strongSwan's words. */
static void take_end_auth(struct import_conn *c, const struct import_node *n, int end)
{
	if (!strcasecmp(n->value, "secret"))
		c->end[end].auth = AUTH_PSK;
	else if (!strcasecmp(n->value, "rsasig"))
		c->end[end].auth = AUTH_PUBKEY;
	else
		import_take_auth(c, n, end);
}

static void take_ca(struct import_conn *c, const struct import_node *n, int end)
{
	if (end == LOCAL || !strcasecmp(n->value, "%any"))
		return;
	free(c->remote_ca);
	c->remote_ca = import_identity(c, n, n->value);
	c->refused |= !c->remote_ca; /* "%same" is no name */
}

/* "%cert" is what there is in any case. */
static void take_sig_key(struct import_conn *c, const struct import_node *n, int end)
{
	if (*n->value == '%')
		return;
	if (*n->value == '0' || !strncasecmp(n->value, "dns:", 4) ||
	    !strncasecmp(n->value, "ssh:", 4)) {
		import_say_of(
			c->im, n,
			"%s: write the public key into a file in PEM, and name that as PublicKey in [Peer]",
			n->name);
		c->refused = true;
	} else {
		import_take_pubkeys(c, n, end);
	}
}

static void take_cert(struct import_conn *c, const struct import_node *n, int end)
{
	import_take_certs(c, n, end);
}

static void take_dns(struct import_conn *c, const struct import_node *n, int end)
{
	if (end == REMOTE)
		import_append(c, OUT_POOL_DNS, n, "%s", n->value);
}

static void take_type(struct import_conn *c, const struct import_node *n, int end)
{
	(void)end;
	if (!strcasecmp(n->value, "transport")) {
		c->in->mode = "transport";
	} else if (strcasecmp(n->value, "tunnel") != 0) {
		import_say_of(
			c->im, n,
			"type=%.40s: there are no policies: packets that no route leads into the tunnel go as they always did",
			n->value);
		c->refused = true;
	}
}

static void take_auto(struct import_conn *c, const struct import_node *n, int end)
{
	static const struct {
		const char *theirs, *ours;
	} words[] = {
		{ "start", "now" },	   { "up", "now" },	{ "route", "traffic" },
		{ "ondemand", "traffic" }, { "add", "listen" }, { "keep", "listen" },
	};

	(void)end;
	for (unsigned int i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!strcasecmp(words[i].theirs, n->value))
			c->in->start = words[i].ours;
	}
}

static void take_margin(struct import_conn *c, const struct import_node *n, int end)
{
	uint32_t s;

	(void)end;
	if (import_seconds(n->value, &s))
		c->margin = s;
}

static void take_mtu(struct import_conn *c, const struct import_node *n, int end)
{
	(void)end;
	import_set(c, OUT_MTU, n, "%s", n->value);
}

static void take_user(struct import_conn *c, const struct import_node *n, int end)
{
	(void)end;
	if (*n->value != '%')
		import_take_eap_id(c, n, LOCAL);
}

static const struct import_row rows[] = {
	ROW_TAKEN('c', "also", import_take_nothing),
	ROW_TAKEN('c', "auto", take_auto),
	ROW_TAKEN('c', "keyexchange", import_take_version),
	ROW_TAKEN('c', "ikev2", import_take_version),
	ROW_TAKEN('c', "type", take_type),
	ROW_TAKEN('c', "authby", take_authby),
	ROW_TAKEN('c', "ike", import_take_ike_proposals),
	ROW_TAKEN('c', "esp", import_take_esp_proposals),
	ROW_TAKEN('c', "phase2alg", import_take_esp_proposals),
	ROW_TAKEN('c', "dpddelay", import_take_liveness),
	ROW_TAKEN('c', "ikelifetime", import_take_ike_time),
	ROW_TAKEN('c', "lifetime", import_take_child_time),
	ROW_TAKEN('c', "keylife", import_take_child_time),
	ROW_TAKEN('c', "salifetime", import_take_child_time),
	ROW_TAKEN('c', "margintime", take_margin),
	ROW_TAKEN('c', "rekeymargin", take_margin),
	ROW_TAKEN('c', "mobike", import_take_mobike),
	ROW_TAKEN('c', "forceencaps", import_take_encap),
	ROW_TAKEN('c', "encapsulation", import_take_encap),
	ROW_TAKEN('c', "replay_window", import_take_replay),
	ROW_TAKEN('c', "replay-window", import_take_replay),
	ROW_TAKEN('c', "eap_identity", take_user),
	ROW_TAKEN('c', "mtu", take_mtu),
	ROW_LEFT('c', "rekey", "Rekey in [Peer] says when; off is never"),
	ROW_LEFT('c', "keyingtries", "esptund tries until the tunnel is up"),
	ROW_LEFT('c', "narrowing", "the peer may narrow selectors"),
	ROW_LEFT('c', "dpdaction",
		 "a tunnel that is lost is set up again, as Start in [Peer] says"),
	ROW_LEFT('c', "closeaction",
		 "a tunnel that is lost is set up again, as Start in [Peer] says"),
	ROW_LEFT('c', "modeconfig", "that is IKEv1"),
	ROW_LEFT('c', "installpolicy", "there are no policies"),
	/* of left and right */
	ROW_TAKEN('e', "", take_host),
	ROW_TAKEN('e', "id", import_take_id),
	ROW_TAKEN('e', "subnet", import_take_selectors),
	ROW_TAKEN('e', "subnets", import_take_selectors),
	ROW_TAKEN('e', "sourceip", take_source),
	ROW_TAKEN('e', "addresspool", import_take_range),
	ROW_TAKEN('e', "auth", take_end_auth),
	ROW_TAKEN('e', "auth2", import_take_second_round),
	ROW_TAKEN('e', "cert", take_cert),
	ROW_TAKEN('e', "ca", take_ca),
	ROW_TAKEN('e', "protoport", take_protoport),
	ROW_TAKEN('e', "ikeport", take_ike_port),
	ROW_TAKEN('e', "sigkey", take_sig_key),
	ROW_TAKEN('e', "rsasigkey", take_sig_key),
	ROW_TAKEN('e', "dns", take_dns),
	ROW_LEFT('e', "sendcert", "a certificate is always sent"),
	ROW_LIMIT('e', "groups", "there are no groups: a tunnel of its own has users of its own"),
	ROW_LIMIT('e', "certpolicy", "policies of certificates are not looked at"),
	ROW_LEFT('e', "hostaccess", "there are no firewall rules"),
	ROW_LEFT('e', "nexthop", "routing decides"),
	ROW_LEFT('e', "allowany", "MOBIKE follows a peer whose address changes"),
	{ 0 },
};

/* What is behind left and right in the name of a line, and which of them that is; NULL: neither. */
static const char *end_key(const char *name, unsigned int *side)
{
	*side = !strncasecmp(name, "right", 5);
	return *side ? name + 5 : !strncasecmp(name, "left", 4) ? name + 4 : NULL;
}

static bool is_here(const struct import *im, const char *host)
{
	struct ike_addr a;

	return !strcasecmp(host, "%defaultroute") ||
	       (!ike_addr_from_text(host, &a) && im->env->is_own(im->env->ctx, &a));
}

/* Which side is this machine: 0 left, 1 right. */
static unsigned int local_side(const struct import *im, const struct import_node *conn)
{
	if (im->o->local >= 0)
		return (unsigned int)im->o->local;
	return is_here(im, import_value(conn, "right", "%any")) &&
	       !is_here(im, import_value(conn, "left", "%any"));
}

static void convert_conn(struct import *im, const struct import_node *conn)
{
	struct import_conn *c = import_begin(im, conn->name, conn);
	unsigned int local, side;
	const struct import_node *n;

	if (!c)
		return;
	c->margin = MARGIN;
	local = local_side(im, conn);
	if (im->o->local < 0)
		import_say_of(im, conn, "%s is taken for this machine; --local %s says otherwise",
			      local ? "right" : "left", local ? "left" : "right");
	if (import_begin_child(c, conn->name, conn)) {
		TAILQ_FOREACH(n, &conn->sub, link)
		{
			const char *key = end_key(n->name, &side);

			if (!n->value || !import_counts(conn, n))
				continue;
			if (key)
				import_take(c, 'e', key, n, side == local ? LOCAL : REMOTE);
			else
				import_take(c, 'c', n->name, n, LOCAL);
		}
	}
	if (!c->value[OUT_ENDPOINT])
		c->clients = true;
	import_finish(c);
}

/* %default stands behind what a conn names by also=. */
static int add_defaults(struct import *im, struct import_node *conns)
{
	struct import_node *n;

	if (!import_find(conns, "%default"))
		return 0;
	TAILQ_FOREACH(n, &conns->sub, link)
	{
		if (!n->value && strcmp(n->name, "%default") != 0 &&
		    import_add_ref(im, n, "conn.%default"))
			return -1;
	}
	return 0;
}

static int convert(struct import *im)
{
	struct import_node *conns = import_find(im->root, "conn"), *n;

	if (!conns || conns->value) {
		import_say(im, im->o->path, 0, "there is no conn NAME");
		return -1;
	}
	if (add_defaults(im, conns) || import_resolve(im, im->root) || read_secrets(im))
		return -1;
	TAILQ_FOREACH(n, &conns->sub, link)
	{
		if (!strcmp(n->name, "%default"))
			continue;
		if (!strcasecmp(import_value(n, "auto", "ignore"), "ignore"))
			import_say_of(im, n,
				      "conn %.60s is left out: it has no auto=, or auto=ignore",
				      n->name);
		else
			convert_conn(im, n);
	}
	n = import_find(im->root, "config");
	if (n)
		import_say_of(
			im, n,
			"config setup is left out: it is about the daemon; esptund(8) has its options");
	n = import_find(im->root, "ca");
	if (n)
		import_say_of(im, n, "ca %s is left out: CA and CRL in [Peer] have the files",
			      TAILQ_EMPTY(&n->sub) ? "" : TAILQ_FIRST(&n->sub)->name);
	return 0;
}

const struct import_format import_ipsec_conf = { "ipsec.conf", rows, parse, convert, read_secret };
