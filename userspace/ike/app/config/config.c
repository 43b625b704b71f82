// SPDX-License-Identifier: GPL-2.0-or-later
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ike/app/config/config_int.h"
#include "ike/app/config/foreign.h"
#include "ike/app/config/ini.h"
#include "ike/proto/id.h"
#include "ike/child/proposal_share.h"

/* ---- lines and sections --------------------------------------------------------------- */

/* Letters alone, and few: all else may be a part of a pre-shared key that got there. */
static bool key_like(const char *name)
{
	size_t len = strlen(name);

	for (; isalpha((unsigned char)*name); name++)
		;
	return !*name && len <= 16;
}

/* [Section] has no key WORD; it is OURS in [Section] here, NOTE. */
static void report_foreign(struct parse *p, const struct foreign_word *f)
{
	const struct key *ours = f->ours ? config_find_key_of(p->section, f->ours) : NULL;

	if (f->ours && !ours)
		ours = config_find_key(f->ours);
	if (ours)
		config_say(p, true, p->line, "[%s] has no key %s; it is %s in [%s] here%s%s",
			   p->section, f->theirs, ours->name, ours->section, f->note ? ", " : "",
			   f->note ? f->note : "");
	else
		config_say(p, true, p->line, "[%s] has no key %s: %s", p->section, f->theirs,
			   f->note);
}

static void unknown_key(struct parse *p, const char *name)
{
	const struct foreign_word *f = foreign_key(name);
	const struct key *near = config_nearest_key(p->section, name);
	/* "secret" is another program's word for a key of this section, and ours in another one. */
	bool is_theirs = f && f->ours && config_find_key_of(p->section, f->ours);

	if (near && !strcasecmp(near->name, name) && !is_theirs)
		config_say(p, true, p->line, "%s belongs into section [%s], not [%s]", near->name,
			   near->section, p->section);
	else if (f)
		report_foreign(p, f);
	else if (near)
		config_say(p, true, p->line, "[%s] has no key %.60s; did you mean %s?", p->section,
			   name, near->name);
	else
		config_say(p, true, p->line, "[%s] has no %s%s; esptun.conf(5) lists the keys",
			   p->section, key_like(name) ? "key " : "such key",
			   key_like(name) ? name : "");
}

/* @knows: p->err says what is wrong; else k->expected has to do. */
static void report_value(struct parse *p, const struct key *k, const char *shown, bool knows)
{
	config_say(p, true, p->line, "%s%s: %s%s", k->name, shown, knows ? "" : "expected ",
		   knows ? p->err : k->expected);
}

/*
 * Is the value ASCII? Text pasted from elsewhere may hold blanks and dashes that only look
 * like ours. Double quotes around it are no part of it.
 */
static bool plain_value(struct parse *p, char **value)
{
	char *s = *value;
	size_t len = strlen(s);

	for (size_t i = 0; i < len; i++) {
		if (isprint((unsigned char)s[i]) || s[i] == '\t')
			continue;
		snprintf(p->err, sizeof(p->err),
			 "expected ASCII, but character %zu is the byte 0x%02x", i + 1,
			 (unsigned char)s[i]);
		return false;
	}
	if (len > 1 && s[0] == '"' && s[len - 1] == '"') {
		s[len - 1] = 0;
		*value = s + 1;
	}
	return true;
}

static void set_key(struct parse *p, const struct key *k, const char *text)
{
	unsigned int i = (unsigned int)(k - config_keys);
	char value[INI_MAX_LINE + 1], shown[81], *s;
	bool secret;

	if (p->continued && k->kind != KEY_LIST) {
		config_say(p, true, p->line, "%s takes one value, which this line cannot continue",
			   k->name);
		return;
	}
	if (p->seen[i] && k->kind != KEY_LIST) {
		config_say(p, true, p->line, "%s is given again; the first one is in line %u",
			   k->name, p->line_of[i]);
		return;
	}
	if (!p->seen[i])
		p->line_of[i] = p->line;
	p->seen[i] = true;
	snprintf(value, sizeof(value), "%s", text);
	if (k->kind != KEY_SECRET)
		ini_strip_comment(value);
	s = ini_trim(value);
	p->err[0] = 0;
	if (!*s && p->continued && k->kind == KEY_LIST)
		return; /* a comment in a list that goes on */
	/* Not a pre-shared key, nor what on a line that goes on may be one gone astray. */
	secret = k->kind == KEY_SECRET ||
		 (p->continued && s[strspn(s, "0123456789abcdefABCDEF.:/-=, \t")]);
	*shown = 0;
	if (!secret)
		snprintf(shown, sizeof(shown), " = %.75s", s);
	if (!*s || (k->kind != KEY_SECRET && !plain_value(p, &s)) || k->set(p, s))
		report_value(p, k, shown, *p->err && (!secret || k->kind == KEY_SECRET));
	ike_wipe(value, sizeof(value));
}

static void report_line(struct parse *p, const char *text)
{
	const char *known = foreign_line(text);

	config_say(p, true, p->line, "%s", known ? known : "expected [Section] or KEY = VALUE");
}

/* [Child NAME] or [Client ID] begins, of which there may be several: its keys are not given yet. */
static void begin_section(struct parse *p, const char *section)
{
	p->section = section;
	for (unsigned int i = 0; i < config_n_keys; i++) {
		if (!strcmp(config_keys[i].section, section))
			p->seen[i] = false;
	}
}

/* "Child NAME": a section for each name. */
static void take_child_section(struct parse *p, const char *name)
{
	struct children_section *s;

	for (unsigned int i = 1; i < p->n_sections; i++) {
		if (strcasecmp(p->sections[i].name, name))
			continue;
		config_say(p, true, p->line, "[Child %s] is there already, in line %u", name,
			   p->sections[i].line);
		return;
	}
	if (p->n_sections == sizeof(p->sections) / sizeof(p->sections[0])) {
		config_say(p, true, p->line, "expected at most %d sections [Child NAME]",
			   IKE_MAX_CHILD);
		return;
	}
	s = &p->sections[p->n_sections++];
	config_copy(s->name, sizeof(s->name), name);
	s->line = p->line;
	p->at = s;
	begin_section(p, "Child");
}

static bool is_child_name(const char *s)
{
	size_t n = 0;

	while (isalnum((unsigned char)s[n]) || (n && s[n] && strchr("._-", s[n])))
		n++;
	return n && !s[n] && n < IKE_CHILD_NAME;
}

/* Is it "Child" with, or without, a name? Then the section is dealt with. */
static bool is_child_section(struct parse *p, char *name)
{
	char *own;

	if (strncasecmp(name, "Child", 5) || (name[5] && name[5] != ' ' && name[5] != '\t'))
		return false;
	own = ini_trim(name + 5);
	if (is_child_name(own))
		take_child_section(p, own);
	else
		config_say(p, true, p->line,
			   "expected [Child NAME], a name of at most %d letters, digits and . _ -",
			   IKE_CHILD_NAME - 1);
	return true;
}

/* Is it "Client" with, or without, an identity? Then the section is dealt with. */
static bool is_client_section(struct parse *p, char *name)
{
	struct client_key *k;
	struct ike_id id;

	if (strncasecmp(name, "Client", 6) || (name[6] && name[6] != ' ' && name[6] != '\t'))
		return false;
	if (ike_id_from_text(ini_trim(name + 6), &id, p->err, sizeof(p->err))) {
		config_say(p, true, p->line, "expected [Client ID]: %s", p->err);
		return true;
	}
	if (id.type == IKE_ID_DER_DN && ike_id_is_wildcard(&id)) {
		config_say(p, true, p->line,
			   "expected [Client ID]: a key is for one distinguished name; CN=* is for "
			   "RemoteID");
		return true;
	}
	k = client_keys_add(&p->c->keys);
	if (!k) {
		config_say(p, true, p->line, "expected at most %d sections [Client ID]",
			   CLIENT_KEYS_MAX);
		return true;
	}
	k->id = id;
	k->line = p->line;
	p->client = k;
	begin_section(p, "Client");
	return true;
}

static void take_section(struct parse *p, char *text)
{
	static const char *const sections[] = { "Tunnel", "Peer", "Pool" };
	char *name = ini_section(text);
	const char *theirs;

	p->section = NULL;
	p->at = &p->sections[0];
	p->client = NULL;
	p->radius = NULL;
	if (!name) {
		report_line(p, text);
		return;
	}
	for (unsigned int i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
		if (!strcasecmp(name, sections[i]))
			p->section = sections[i];
	}
	if (p->section || is_child_section(p, name) || is_client_section(p, name))
		return;
	if (config_radius_section(p, name)) {
		if (p->radius)
			begin_section(p, "Radius");
		return;
	}
	theirs = foreign_section(name);
	p->section = theirs;
	if (theirs)
		config_say(p, true, p->line, "[%.40s] is written [%s] here", name, theirs);
	else
		config_say(
			p, true, p->line,
			"unknown section [%.40s]; expected [Tunnel], [Peer], [Pool], [Radius], [Child NAME] or [Client ID]",
			name);
}

static void take_pair(struct parse *p, char *text)
{
	char *value, *name = ini_pair(text, &value);
	const struct key *k;

	if (!name) {
		report_line(p, text);
		return;
	}
	if (p->section && !*p->section) {
		config_say(p, true, p->line, "a key before any section; expected [Tunnel] first");
		p->section = NULL;
	}
	if (!p->section)
		return;
	k = config_find_key_of(p->section, name);
	if (k) {
		set_key(p, k, value);
		p->key = k;
		return;
	}
	unknown_key(p, name);
	p->skipping = true;
}

/*
 * Does an indented line begin a section, or a key: one of ours, another program's, or what
 * seems a slip of ours? Not "esp: ..." of Crypto, and not "any = ..." of Selectors.
 */
static bool begins_anew(const char *text)
{
	const struct key *near;
	char word[32];
	size_t n = 0;

	if (*text == '[')
		return !strncasecmp(text, "[Peer]", 6) || !strncasecmp(text, "[Tunnel]", 8) ||
		       !strncasecmp(text, "[Pool]", 6) || !strncasecmp(text, "[Child", 6) ||
		       !strncasecmp(text, "[Client", 7) || !strncasecmp(text, "[Radius]", 8);
	while (n < sizeof(word) - 1 && (isalpha((unsigned char)text[n]) || text[n] == '_'))
		n++;
	memcpy(word, text, n);
	word[n] = 0;
	text += n + strspn(text + n, " \t");
	if (!n || (*text != '=' && *text != ':'))
		return false;
	near = config_nearest_key("Peer", word);
	if (*text == '=')
		return near || foreign_key(word);
	return near && !strcasecmp(near->name, word);
}

static void take_line(struct parse *p, struct ini_line *l)
{
	p->line = l->number;
	if (l->fault) {
		config_say(p, true, p->line, "%s", l->fault);
		return;
	}
	p->continued = l->indented && (p->key || p->skipping) && !begins_anew(l->text);
	if (p->continued) {
		if (p->key)
			set_key(p, p->key, l->text);
		return;
	}
	p->key = NULL;
	p->skipping = false;
	if (l->text[0] == '[')
		take_section(p, l->text);
	else
		take_pair(p, l->text);
}

static void read_lines(struct parse *p, const char *text, size_t len)
{
	struct ini_line l;
	struct ini r;

	p->section = "";
	if (ini_open(&r, text, len)) {
		while (ini_next(&r, &l))
			take_line(p, &l);
	} else {
		config_say(p, true, 1, "the file is UTF-16; save it as UTF-8");
	}
	ike_wipe(&l, sizeof(l));
}

int config_parse(const char *name, const char *text, size_t len, struct config *out,
		 const struct config_report *rep)
{
	struct parse p = { .c = out, .report = rep, .n_sections = 1 };

	memset(out, 0, sizeof(*out));
	out->port = IKE_NATT_PORT;
	out->endpoint_port = IKE_PORT;
	out->keepalive = 20;
	out->liveness = 30;
	out->mobike = true;
	out->fetch = true;
	out->rekey_ike = CONFIG_REKEY_IKE;
	out->rekey_child = CONFIG_REKEY_CHILD;
	out->replay_window = 1024;
	p.at = p.sections;
	out->clients = 1;
	if (!config_name_ok(name))
		config_say(
			&p, true, 0,
			"\"%.40s\" cannot name a netdevice: 1 to 15 characters, without blanks, slashes and colons",
			name);
	else
		config_copy(out->name, sizeof(out->name), name);
	config_copy(p.sections[0].name, sizeof(p.sections[0].name), out->name);
	if (len > CONFIG_MAX_FILE)
		config_say(&p, true, 0, "the file is longer than %d bytes", CONFIG_MAX_FILE);
	else
		read_lines(&p, text, len);
	if (!p.errors)
		config_check(&p);
	for (unsigned int i = 0; i < p.n_sections; i++)
		children_clear(&p.sections[i]);
	if (p.errors)
		config_clear(out);
	return p.errors ? -1 : 0;
}

/* ---- the whole ------------------------------------------------------------------------ */

void config_lists(struct config *c, struct config_list out[CONFIG_LISTS])
{
	out[0] = (struct config_list){ (void **)&c->address, c->n_address, sizeof(*c->address) };
	out[1] = (struct config_list){ (void **)&c->routes, c->n_routes, sizeof(*c->routes) };
	out[2] = (struct config_list){ (void **)&c->child, c->n_child, sizeof(*c->child) };
	out[3] = (struct config_list){ (void **)&c->keys.v, c->keys.n, sizeof(*c->keys.v) };
	out[4] = (struct config_list){ (void **)&c->private_key, c->n_private, 1 };
	out[5] = (struct config_list){ (void **)&c->creds, c->n_creds, 1 };
	out[6] = (struct config_list){ (void **)&c->ranges, c->n_ranges, sizeof(*c->ranges) };
	out[7] = (struct config_list){ (void **)&c->fixed, c->n_fixed, sizeof(*c->fixed) };
	out[8] = (struct config_list){ (void **)&c->domains, c->n_domains, 1 };
	out[9] = (struct config_list){ (void **)&c->apart, c->n_apart, sizeof(*c->apart) };
	out[10] = (struct config_list){ (void **)&c->told, c->n_told, sizeof(*c->told) };
	out[11] = (struct config_list){ (void **)&c->ppk, c->n_ppk, sizeof(*c->ppk) };
	out[12] = (struct config_list){ (void **)&c->paths, c->n_paths, sizeof(*c->paths) };
	out[13] = (struct config_list){ (void **)&c->radius, c->n_radius, sizeof(*c->radius) };
	out[14] =
		(struct config_list){ (void **)&c->password, c->n_password, sizeof(*c->password) };
	out[15] = (struct config_list){ (void **)&c->fetch_from, c->n_fetch_from,
					sizeof(*c->fetch_from) };
	out[16] =
		(struct config_list){ (void **)&c->first_id, c->n_first_id, sizeof(*c->first_id) };
	out[17] = (struct config_list){ (void **)&c->ppks.keys.v, c->ppks.keys.n,
					sizeof(*c->ppks.keys.v) };
	out[18] =
		(struct config_list){ (void **)&c->ppks.of.v, c->ppks.of.n, sizeof(*c->ppks.of.v) };
}

void config_clear(struct config *c)
{
	struct config_list lists[CONFIG_LISTS];

	client_keys_clear(&c->keys);
	client_keys_clear(&c->ppks.keys);
	client_keys_clear(&c->ppks.of);
	if (c->private_key)
		ike_wipe(c->private_key, c->n_private);
	if (c->ppk)
		ike_wipe(c->ppk, sizeof(*c->ppk));
	if (c->password)
		ike_wipe(c->password, sizeof(*c->password));
	if (c->radius)
		ike_wipe(c->radius, c->n_radius * sizeof(*c->radius));
	ike_proposals_put(c->ike);
	ike_proposals_put(c->esp);
	config_lists(c, lists);
	for (unsigned int i = 0; i < CONFIG_LISTS; i++)
		free(*lists[i].items);
	ike_wipe(c, sizeof(*c));
}

static bool lists_equal(const struct config_list *a, const struct config_list *b)
{
	return a->n == b->n && (!a->n || !memcmp(*a->items, *b->items, a->n * a->size));
}

bool config_equal_pool(const struct config *a, const struct config *b)
{
	const struct config_list x[2] = { { (void **)&a->ranges, a->n_ranges, sizeof(*a->ranges) },
					  { (void **)&a->fixed, a->n_fixed, sizeof(*a->fixed) } };
	const struct config_list y[2] = { { (void **)&b->ranges, b->n_ranges, sizeof(*b->ranges) },
					  { (void **)&b->fixed, b->n_fixed, sizeof(*b->fixed) } };

	return lists_equal(&x[0], &y[0]) && lists_equal(&x[1], &y[1]);
}

bool config_equal_radius(const struct config *a, const struct config *b)
{
	return a->n_radius == b->n_radius &&
	       (!a->n_radius || !memcmp(a->radius, b->radius, a->n_radius * sizeof(*a->radius)));
}

bool config_equal(const struct config *a, const struct config *b)
{
	struct config_list of_x[CONFIG_LISTS], of_y[CONFIG_LISTS];
	struct config x = *a, y = *b;
	bool same = true;

	config_lists(&x, of_x);
	config_lists(&y, of_y);
	for (unsigned int i = 0; i < CONFIG_LISTS; i++) {
		same &= lists_equal(&of_x[i], &of_y[i]);
		*of_x[i].items = *of_y[i].items = NULL;
	}
	x.file_time = y.file_time;
	x.changed = y.changed;
	x.cert_status_time = y.cert_status_time;
	/* Everything was zeroed before it was filled, and equal proposals are one, so that bytes compare. */
	same &= !memcmp(&x, &y, sizeof(x));
	ike_wipe(&x, sizeof(x));
	ike_wipe(&y, sizeof(y));
	return same;
}

bool config_equal_but_keys(const struct config *a, const struct config *b)
{
	struct config x = *a;
	bool same;

	x.keys = b->keys;
	x.ppks = b->ppks;
	memcpy(x.secrets_file, b->secrets_file, sizeof(x.secrets_file));
	same = config_equal(&x, b);
	ike_wipe(&x, sizeof(x));
	return same;
}

void config_tunnel(const struct config *c, struct ike_tunnel_conf *out)
{
	memset(out, 0, sizeof(*out));
	memcpy(out->name, c->name, sizeof(out->name));
	out->local_id = c->local_id;
	if (c->first_id)
		out->first_id = *c->first_id;
	out->remote_id = c->remote_id;
	out->local_auth = c->local_auth;
	out->remote_auth = c->remote_auth;
	out->signatures = c->signatures;
	out->revocation = c->revocation;
	out->fetch = c->fetch;
	out->eap_methods = c->eap_methods;
	out->creds = (struct ike_creds){ c->creds, c->n_creds };
	if (c->ppk)
		out->ppk = c->ppk->name;
	out->local.addr = c->local;
	out->local.port = c->port;
	out->remote.addr = c->endpoint_addr;
	out->remote.port = c->endpoint_port;
	out->ike = *c->ike;
	out->esp = *c->esp;
	out->n_child = c->n_child;
	memcpy(out->child, c->child, c->n_child * sizeof(*c->child));
	out->clients = c->clients;
	out->unique = c->unique;
	out->pool.on = c->n_ranges;
	out->pool.n_servers = c->n_servers;
	memcpy(out->pool.server, c->server, sizeof(c->server));
	if (c->n_domains)
		memcpy(out->pool.domains, c->domains, sizeof(out->pool.domains));
	out->pool.tells_routes = c->tells_routes;
	out->pool.n_routes = c->n_told;
	for (unsigned int i = 0; i < c->n_told; i++)
		out->pool.route[i] = (struct ike_cp_subnet){ c->told[i].addr, c->told[i].len };
	out->asks_address = c->asks_address;
	out->liveness = c->liveness;
	out->mobike = c->mobike;
	out->encap = c->encap;
	out->reauth = c->reauth;
	out->rekey_ike = c->rekey_ike;
	out->rekey_child = c->rekey_child;
	out->rekey_bytes = c->rekey_bytes;
	out->rekey_packets = c->rekey_packets;
}

bool config_adds_by_traffic(const struct config *c)
{
	for (unsigned int i = 0; c->n_child > 1 && i < c->n_child; i++) {
		if (c->child[i].start == IKE_START_TRAFFIC)
			return true;
	}
	return false;
}

bool config_name_ok(const char *name)
{
	size_t len = strlen(name);

	/* What dev_valid_name() of the kernel says, and no name that hides a file. */
	if (!len || len > 15 || name[0] == '.')
		return false;
	for (; *name; name++) {
		if (!isgraph((unsigned char)*name) || strchr("/:%", *name))
			return false;
	}
	return true;
}
