// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * swanctl.conf(5) of strongSwan: sections in braces, lines KEY = VALUE, "section : template { }", include. Which of its keys mean
 * what is in the table; those that are not there are left out with what foreign.c knows of them.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ike/import/import_int.h"

/* ---- reading ---------------------------------------------------------------------------------- */

struct reader {
	struct import *im;
	const char *at, *path;
	unsigned int line, depth;
	char word[IMPORT_MAX_VALUE + 1];
};

static int fail(struct reader *r, const char *what)
{
	import_say(r->im, r->path, r->line, "%s", what);
	return -1;
}

/* Skips blanks, and with @lines comments and ends of lines. */
static void skip(struct reader *r, bool lines)
{
	for (;; r->at++) {
		if (lines && *r->at == '#')
			r->at += strcspn(r->at, "\n");
		if (lines && *r->at == '\n')
			r->line++;
		else if (*r->at != ' ' && *r->at != '\t' && *r->at != '\r')
			return;
	}
}

/* The characters up to one of @ends. */
static int read_word(struct reader *r, const char *ends)
{
	size_t len = strcspn(r->at, ends);

	if (len > IMPORT_MAX_VALUE)
		return fail(r, "a word is too long");
	memcpy(r->word, r->at, len);
	r->word[len] = 0;
	r->at += len;
	return 0;
}

/* Behind a quotation mark; a backslash goes before what would end it, and has strange characters. */
static int read_quoted(struct reader *r, size_t *n)
{
	for (r->at++; *r->at && *r->at != '"'; r->at++) {
		char ch = *r->at;

		if (ch == '\\') {
			ch = *++r->at;
			if (!ch)
				break;
			ch = ch == 'n' ? '\n' : ch == 'r' ? '\r' : ch == 't' ? '\t' : ch;
			if (*r->at == '\n') {
				r->line++;
				continue; /* the string goes on in the next line */
			}
		} else if (ch == '\n') {
			r->line++;
		}
		if (*n >= IMPORT_MAX_VALUE)
			return fail(r, "a value is too long");
		r->word[(*n)++] = ch;
	}
	if (!*r->at)
		return fail(r, "a quotation mark has no other end");
	r->at++;
	return 0;
}

/* Words with one blank between, or a string in quotation marks. */
static int read_value(struct reader *r)
{
	size_t n = 0;

	for (;;) {
		skip(r, false);
		if (!*r->at || strchr("#}\n", *r->at))
			break;
		if (n && n < IMPORT_MAX_VALUE)
			r->word[n++] = ' ';
		if (*r->at == '"') {
			if (read_quoted(r, &n))
				return -1;
			continue;
		}
		while (*r->at && !strchr("#}\"\n\r\t ", *r->at)) {
			if (n >= IMPORT_MAX_VALUE)
				return fail(r, "a value is too long");
			r->word[n++] = *r->at++;
		}
	}
	r->word[n] = 0;
	return 0;
}

static int read_body(struct reader *r, struct import_node *into);

/* ": A, B" in front of a brace. */
static int read_refs(struct reader *r, struct import_node *section)
{
	while (*r->at == ':' || *r->at == ',') {
		r->at++;
		skip(r, true);
		if (read_word(r, " \t\r\n,{}#=:\"") || !*r->word)
			return fail(r, "expected the name of a section behind :");
		if (import_add_ref(r->im, section, r->word))
			return -1;
		skip(r, true);
	}
	return 0;
}

/* A section that is there twice is one. */
static int read_section(struct reader *r, struct import_node *into, const char *name,
			unsigned int line)
{
	struct import_node *section = import_section(r->im, into, name, r->path, line);
	int err;

	if (!section || read_refs(r, section))
		return -1;
	if (*r->at != '{')
		return fail(r, "expected {");
	r->at++;
	if (r->depth == IMPORT_MAX_DEPTH)
		return fail(r, "sections are too deep");
	r->depth++;
	err = read_body(r, section);
	r->depth--;
	if (err)
		return -1;
	if (*r->at != '}')
		return fail(r, "a section has no }");
	r->at++;
	return 0;
}

static int parse(struct import *im, struct import_node *into, const char *text, const char *path);

static int read_include(struct reader *r, struct import_node *into)
{
	struct import_node at = { .name = (char *)"include", .path = r->path, .line = r->line };
	int err = read_value(r);

	return err ? -1 : import_include(r->im, into, r->word, &at, parse);
}

static int read_item(struct reader *r, struct import_node *into)
{
	unsigned int line = r->line;
	char name[256];

	if (read_word(r, " \t\r\n,{}#=:\""))
		return -1;
	if (!*r->word || strlen(r->word) >= sizeof(name))
		return fail(r, "expected KEY = VALUE, or NAME { and a section");
	strcpy(name, r->word);
	if (!strcmp(name, "include") && (*r->at == ' ' || *r->at == '\t')) {
		skip(r, false);
		if (*r->at != '=' && *r->at != '{')
			return read_include(r, into);
	}
	skip(r, false);
	if (*r->at == '=') {
		r->at++;
		if (read_value(r))
			return -1;
		return import_add(r->im, into, name, r->word, r->path, line) ? 0 : -1;
	}
	skip(r, true);
	return read_section(r, into, name, line);
}

/* Up to the end of the text, or a brace that ends the section. */
static int read_body(struct reader *r, struct import_node *into)
{
	for (;;) {
		skip(r, true);
		if (!*r->at || *r->at == '}')
			return 0;
		if (read_item(r, into))
			return -1;
	}
}

static int parse(struct import *im, struct import_node *into, const char *text, const char *path)
{
	struct reader *r = malloc(sizeof(*r));
	int err = -1;

	if (!r)
		return -1;
	r->im = im;
	r->at = text;
	r->path = path;
	r->line = 1;
	r->depth = 0;
	err = read_body(r, into);
	if (!err && *r->at)
		err = fail(r, "a } has no section");
	explicit_bzero(r->word, sizeof(r->word));
	free(r);
	return err;
}

/* ---- meaning ------------------------------------------------------------------------------------- */

static void take_port(struct import_conn *c, const struct import_node *n, int end)
{
	unsigned long port = strtoul(n->value, NULL, 10);

	if (end == REMOTE && port && port < 65536)
		c->remote_port = (unsigned int)port;
	else if (port != 500 && port != 4500)
		import_say_of(
			c->im, n,
			"%s is left out: IKE begins from port 500 here; Port in [Tunnel] is for ESP, and IKE behind that",
			n->name);
}

static void take_remote_port(struct import_conn *c, const struct import_node *n, int end)
{
	(void)end;
	take_port(c, n, REMOTE);
}

static void take_local_port(struct import_conn *c, const struct import_node *n, int end)
{
	(void)end;
	take_port(c, n, LOCAL);
}

static void take_vips(struct import_conn *c, const struct import_node *n, int end)
{
	(void)end;
	import_set(c, OUT_ADDRESS, n, "request");
	if (strspn(n->value, "0.:, ") != strlen(n->value))
		import_say_of(
			c->im, n,
			"%s: an address that is asked for by name is left out: the peer chooses",
			n->name);
}

static void take_amount(struct import_conn *c, const struct import_node *n, int end)
{
	(void)end;
	if (strcmp(n->value, "0") != 0)
		import_set(c,
			   !strcasecmp(n->name, "rekey_bytes") ? OUT_REKEY_BYTES
							       : OUT_REKEY_PACKETS,
			   n, "%s", n->value);
}

static void take_reauth(struct import_conn *c, const struct import_node *n, int end)
{
	uint32_t s;

	(void)end;
	if (import_seconds(n->value, &s) && !s)
		return;
	import_say_of(
		c->im, n,
		"%s is left out: keys are renewed without it; Reauth in [Peer] is for a hub that has clients prove anew who they are",
		n->name);
}

static void take_cacerts(struct import_conn *c, const struct import_node *n, int end)
{
	struct import_list_of_files *ca = &c->end[end].ca;
	char *copy = strdup(n->value), *at = copy, *item;

	while (copy && (item = import_item(&at, false))) {
		if (ca->n == sizeof(ca->path) / sizeof(ca->path[0])) {
			import_say_of(c->im, n, "%.100s is left out: there are too many", item);
			continue;
		}
		ca->path[ca->n] = import_beside(c->im->home, "x509ca", item);
		if (ca->path[ca->n])
			ca->n++;
	}
	free(copy);
}

static void take_revocation(struct import_conn *c, const struct import_node *n, int end)
{
	(void)end;
	if (!strcasecmp(n->value, "strict") || !strcasecmp(n->value, "ifuri"))
		import_set(c, OUT_REVOCATION, n, "%s", n->value);
	else
		import_say_of(
			c->im, n,
			"%s = %.40s is left out: Revocation in [Peer] is strict, ifuri or off",
			n->name, n->value);
}

static void take_ppk_id(struct import_conn *c, const struct import_node *n, int end)
{
	(void)end;
	import_set(c, OUT_PPK_ID, n, "%s", n->value);
}

static void take_ppk_required(struct import_conn *c, const struct import_node *n, int end)
{
	(void)end;
	if (import_is_yes(n->value))
		import_set(c, OUT_PPK_REQUIRED, n, "yes");
}

static void take_unique(struct import_conn *c, const struct import_node *n, int end)
{
	(void)end;
	if (!strcasecmp(n->value, "keep"))
		import_set(c, OUT_UNIQUE, n, "keep");
	else if (strcasecmp(n->value, "replace") != 0)
		import_say_of(
			c->im, n,
			"%s = %.40s is left out: an identity is connected once here; Unique says which of two stays",
			n->name, n->value);
}

static void take_child_mode(struct import_conn *c, const struct import_node *n, int end)
{
	(void)end;
	if (!strcasecmp(n->value, "transport")) {
		c->in->mode = "transport";
	} else if (strcasecmp(n->value, "tunnel") != 0) {
		import_say_of(c->im, n, "%s = %.40s: there is tunnel and transport only", n->name,
			      n->value);
		c->refused = true;
	}
}

static void take_start(struct import_conn *c, const struct import_node *n, int end)
{
	(void)end;
	c->in->start = strcasestr(n->value, "start")  ? "now"
		       : strcasestr(n->value, "trap") ? "traffic"
						      : "listen";
}

static const char SELF_HEALING[] = "a tunnel that is lost is set up again, as Start in [Peer] says";
static const char EACH_ITS_DEVICE[] =
	"each file makes a netdevice of its own, and routes lead into it";

static const struct import_row rows[] = {
	/* connections.NAME */
	ROW_TAKEN('c', "version", import_take_version),
	ROW_TAKEN('c', "local_addrs", import_take_local_host),
	ROW_TAKEN('c', "remote_addrs", import_take_remote_host),
	ROW_TAKEN('c', "local_port", take_local_port),
	ROW_TAKEN('c', "remote_port", take_remote_port),
	ROW_TAKEN('c', "proposals", import_take_ike_proposals),
	ROW_TAKEN('c', "vips", take_vips),
	ROW_TAKEN('c', "pools", import_take_nothing), /* see take_pools() */
	ROW_TAKEN('c', "encap", import_take_encap),
	ROW_TAKEN('c', "mobike", import_take_mobike),
	ROW_TAKEN('c', "dpd_delay", import_take_liveness),
	ROW_TAKEN('c', "ppk_id", take_ppk_id),
	ROW_TAKEN('c', "ppk_required", take_ppk_required),
	ROW_TAKEN('c', "unique", take_unique),
	ROW_TAKEN('c', "rekey_time", import_take_ike_time),
	ROW_TAKEN('c', "reauth_time", take_reauth),
	ROW_LEFT('c', "send_certreq", "what is asked for follows from CA"),
	ROW_LEFT('c', "send_cert", "a certificate is always sent"),
	ROW_LEFT('c', "childless", "it is done with peers that want it"),
	ROW_LEFT('c', "dscp", "what IKE sends has none"),
	ROW_LEFT('c', "pull", "that is IKEv1"),
	ROW_LEFT('c', "mediation", "there is no mediation"),
	ROW_LEFT('c', "mediated_by", "there is no mediation"),
	ROW_LEFT('c', "mediation_peer", "there is no mediation"),
	ROW_LEFT('c', "if_id_in", EACH_ITS_DEVICE),
	ROW_LEFT('c', "if_id_out", EACH_ITS_DEVICE),
	/* local and remote */
	ROW_TAKEN('e', "auth", import_take_auth),
	ROW_TAKEN('e', "id", import_take_id),
	ROW_TAKEN('e', "eap_id", import_take_eap_id),
	ROW_TAKEN('e', "certs", import_take_certs),
	ROW_TAKEN('e', "pubkeys", import_take_pubkeys),
	ROW_TAKEN('e', "cacerts", take_cacerts),
	ROW_TAKEN('e', "revocation", take_revocation),
	ROW_LEFT('e', "round", "there is one round for each end"),
	ROW_LEFT('e', "aaa_id",
		 "who answers by EAP is the peer itself, which proves that it is RemoteID"),
	ROW_LIMIT('e', "groups", "there are no groups: a tunnel of its own has users of its own"),
	ROW_LIMIT('e', "cert_policy", "policies of certificates are not looked at"),
	ROW_LIMIT('e', "ca_id", "CA in [Peer] has the CAs: name them by cacerts"),
	ROW_LEFT('e', "xauth_id", "that is IKEv1"),
	/* children.NAME */
	ROW_TAKEN('k', "local_ts", import_take_selectors),
	ROW_TAKEN('k', "remote_ts", import_take_selectors),
	ROW_TAKEN('k', "esp_proposals", import_take_esp_proposals),
	ROW_TAKEN('k', "mode", take_child_mode),
	ROW_TAKEN('k', "start_action", take_start),
	ROW_TAKEN('k', "rekey_time", import_take_child_time),
	ROW_TAKEN('k', "rekey_bytes", take_amount),
	ROW_TAKEN('k', "rekey_packets", take_amount),
	ROW_TAKEN('k', "replay_window", import_take_replay),
	ROW_LEFT('k', "dpd_action", SELF_HEALING),
	ROW_LEFT('k', "close_action", SELF_HEALING),
	ROW_LEFT('k', "if_id_in", EACH_ITS_DEVICE),
	ROW_LEFT('k', "if_id_out", EACH_ITS_DEVICE),
	ROW_LEFT('k', "mark_in", EACH_ITS_DEVICE),
	ROW_LEFT('k', "mark_out", EACH_ITS_DEVICE),
	ROW_LEFT('k', "policies", "there are no policies"),
	ROW_LEFT('k', "policies_fwd_out", "there are no policies"),
	ROW_LEFT('k', "priority", "there are no policies; Metric in [Tunnel] orders routes"),
	ROW_LEFT('k', "reqid", "there are no policies"),
	ROW_LEFT('k', "hostaccess", "there are no firewall rules"),
	ROW_LEFT('k', "ipcomp", "there is no compression"),
	ROW_LEFT('k', "inactivity", "a child SA that is not used stays"),
	ROW_LEFT('k', "hw_offload", "there is no offload of ESP"),
	ROW_LEFT('k', "sha256_96", "SHA-256 has 128 bits, as RFC 4868 says"),
	ROW_LEFT('k', "tfc_padding", "padding is set by esptun peer set"),
	ROW_LEFT('k', "copy_df", "df of esptun-link(8) says it"),
	ROW_LEFT('k', "copy_ecn", "ECN goes by RFC 6040"),
	ROW_LEFT('k', "copy_dscp", "tos of esptun-link(8) says it"),
	ROW_LEFT('k', "label", "there are no labels"),
	ROW_LEFT('k', "label_mode", "there are no labels"),
	{ 0 },
};

/* A certificate by section; without one of the peer's, others would do. */
static void leave_section(struct import_conn *c, const struct import_node *n, int end)
{
	import_say_of(c->im, n,
		      "the section %.60s is left out: name files by certs, cacerts and pubkeys",
		      n->name);
	c->refused |= end == REMOTE;
}

static void take_lines(struct import_conn *c, char where, const struct import_node *section,
		       int end)
{
	const struct import_node *n;

	TAILQ_FOREACH(n, &section->sub, link)
	{
		if (n->value && import_counts(section, n))
			import_take(c, where, n->name, n, end);
		else if (!n->value && where == 'e')
			leave_section(c, n, end);
	}
}

static void take_end(struct import_conn *c, const struct import_node *section, int end)
{
	if (c->end[end].seen) {
		import_take_second_round(c, section, end);
		return;
	}
	c->end[end].seen = true;
	take_lines(c, 'e', section, end);
}

static void take_children(struct import_conn *c, const struct import_node *children)
{
	const struct import_node *child, *n;

	TAILQ_FOREACH(child, &children->sub, link)
	{
		if (child->value || !import_begin_child(c, child->name, child))
			continue;
		TAILQ_FOREACH(n, &child->sub, link)
		{
			if (n->value && import_counts(child, n))
				import_take(c, 'k', n->name, n,
					    strncasecmp(n->name, "remote", 6) ? LOCAL : REMOTE);
		}
		if (!c->in->start)
			c->in->start = "listen";
	}
}

static void take_pool(struct import_conn *c, const struct import_node *pool)
{
	const struct import_node *n;

	TAILQ_FOREACH(n, &pool->sub, link)
	{
		if (!n->value || !import_counts(pool, n))
			continue;
		if (!strcasecmp(n->name, "addrs"))
			import_take_range(c, n, LOCAL);
		else if (!strcasecmp(n->name, "dns"))
			import_append(c, OUT_POOL_DNS, n, "%s", n->value);
		else if (!strcasecmp(n->name, "subnet") || !strcasecmp(n->name, "split_include"))
			import_append(c, OUT_POOL_ROUTES, n, "%s", n->value);
		else
			import_say_of(
				c->im, n,
				"%.60s is left out: [Pool] has Range, DNS, Domains, Routes and Static",
				n->name);
	}
}

static void take_pools(struct import_conn *c, const struct import_node *conn)
{
	const struct import_node *pools = import_find(c->im->root, "pools");
	char *copy = strdup(import_value(conn, "pools", "")), *at = copy, *item;

	while (copy && (item = import_item(&at, false))) {
		const struct import_node *pool = pools && !pools->value ? import_find(pools, item)
									: NULL;

		if (pool && !pool->value)
			take_pool(c, pool);
		else
			import_say_of(
				c->im, conn,
				"pools: %.60s is not in this file: write its addresses as Range in [Pool]",
				item);
	}
	free(copy);
}

static void convert_conn(struct import *im, const struct import_node *conn)
{
	struct import_conn *c = import_begin(im, conn->name, conn);
	const struct import_node *n;

	if (!c)
		return;
	take_lines(c, 'c', conn, LOCAL);
	TAILQ_FOREACH(n, &conn->sub, link)
	{
		if (n->value)
			continue;
		if (!strncasecmp(n->name, "local", 5))
			take_end(c, n, LOCAL);
		else if (!strncasecmp(n->name, "remote", 6))
			take_end(c, n, REMOTE);
		else if (!strcasecmp(n->name, "children"))
			take_children(c, n);
		else
			import_say_of(im, n, "the section %.60s is left out: it is not known here",
				      n->name);
	}
	take_pools(c, conn);
	if (!c->value[OUT_ENDPOINT])
		c->clients = true;
	import_finish(c);
}

/* A key is a file of its own, by what it is. */
static bool is_key_section(const char *name)
{
	static const char *const kinds[] = { "private", "rsa", "ecdsa", "pkcs8" };

	for (unsigned int i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (!strncasecmp(name, kinds[i], strlen(kinds[i])))
			return true;
	}
	return false;
}

static bool read_secret(struct import *im, const struct import_node **at, struct import_secret *out)
{
	const struct import_node *section = import_find(im->root, "secrets"), *s, *n;

	if (!section || section->value)
		return false;
	s = *at ? TAILQ_NEXT(*at, link) : TAILQ_FIRST(&section->sub);
	*at = s;
	if (!s)
		return false;
	out->at = s;
	out->kind = !strncasecmp(s->name, "ike", 3)   ? SECRET_PSK
		    : !strncasecmp(s->name, "ppk", 3) ? SECRET_PPK
		    : is_key_section(s->name)	      ? SECRET_KEY
						      : SECRET_EAP;
	if (s->value || (out->kind == SECRET_EAP && strncasecmp(s->name, "eap", 3)))
		return true; /* it has no value, and so is none */
	out->value = import_value(s, "secret", NULL);
	out->file = import_value(s, "file", NULL);
	TAILQ_FOREACH(n, &s->sub, link)
	{
		if (!strncasecmp(n->name, "id", 2) && n->value &&
		    out->n_id < sizeof(out->id) / sizeof(out->id[0]))
			out->id[out->n_id++] = n->value;
	}
	return true;
}

/* What is beside connections. */
static void say_of_others(struct import *im)
{
	const struct import_node *n;

	TAILQ_FOREACH(n, &im->root->sub, link)
	{
		if (!strcasecmp(n->name, "authorities"))
			import_say_of(
				im, n,
				"authorities is left out: CA and CRL in [Peer] have the files");
		else if (n->value)
			import_say_of(im, n, "%.60s is left out: it is not known here", n->name);
	}
	n = import_find(im->root, "secrets");
	if (!n)
		return;
	TAILQ_FOREACH(n, &n->sub, link)
	{
		if (!strncasecmp(n->name, "token", 5))
			import_say_of(im, n, "%.60s is left out: keys in tokens are not used",
				      n->name);
		else if (!strncasecmp(n->name, "pkcs12", 6))
			import_say_of(im, n, "%.60s is left out: esptun import %.100s takes it",
				      n->name, import_value(n, "file", "FILE"));
		else if (!strncasecmp(n->name, "ntlm", 4) || !strncasecmp(n->name, "xauth", 5))
			import_say_of(im, n, "%.60s is left out: write it into the file of Users",
				      n->name);
	}
}

static int convert(struct import *im)
{
	const struct import_node *conns, *n;

	if (import_resolve(im, im->root))
		return -1;
	conns = import_find(im->root, "connections");
	if (!conns || conns->value) {
		import_say(im, im->o->path, 0, "there is no section connections");
		return -1;
	}
	TAILQ_FOREACH(n, &conns->sub, link)
	{
		if (!n->value)
			convert_conn(im, n);
	}
	say_of_others(im);
	return 0;
}

const struct import_format import_swanctl = { "swanctl", rows, parse, convert, read_secret };
