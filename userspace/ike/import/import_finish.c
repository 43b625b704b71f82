// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * When all lines of a connection of another program were taken: what follows from several of them, the text of the file, and the
 * agent's own parser, which sees it before anybody gets it. And the way in, import_read().
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ike/app/config/config.h"
#include "ike/import/import_int.h"
#include "ike/proto/addr.h"
#include "ike/proto/text.h"

enum { MAX_TEXT = CONFIG_MAX_FILE };

/* ---- what follows from all lines ------------------------------------------------------------ */

static void finish_rekey(struct import_conn *c)
{
	static const int64_t usual[] = { CONFIG_REKEY_IKE, CONFIG_REKEY_CHILD };
	static const int64_t least[] = { 10, 5 }, most[] = { 30 * 86400, CONFIG_REKEY_CHILD_MAX };
	char word[2][24];

	if (c->rekey[0] < 0 && c->rekey[1] < 0)
		return;
	for (unsigned int i = 0; i < 2; i++) {
		int64_t t = c->rekey[i] < 0 ? usual[i] : c->rekey[i];

		if (c->rekey[i] > c->margin)
			t -= c->margin;
		if (t && (t < least[i] || t > most[i])) {
			import_say_of(
				c->im, c->at,
				"%s is rekeyed after %lld s here: expected from %lld to %lld s, and there it is %lld",
				i ? "the child SA" : "the IKE SA", (long long)usual[i],
				(long long)least[i], (long long)most[i], (long long)t);
			t = usual[i];
		}
		snprintf(word[i], sizeof(word[i]), t ? "%llds" : "off", (long long)t);
	}
	import_set(c, OUT_REKEY, NULL, "%s, %s", word[0], word[1]);
}

/* The port goes behind the host's name. */
static void finish_endpoint(struct import_conn *c)
{
	const char *host = c->value[OUT_ENDPOINT];
	bool v6 = host && strchr(host, ':');

	if (host && c->remote_port && c->remote_port != 500)
		import_set(c, OUT_ENDPOINT, NULL, v6 ? "[%s]:%u" : "%s:%u", host, c->remote_port);
}

static void finish_crypto(struct import_conn *c)
{
	if (!c->crypto[0] && !c->crypto[1])
		return;
	import_set(c, OUT_CRYPTO, NULL, "%s, %s", c->crypto[0] ? c->crypto[0] : "ike:modern",
		   c->crypto[1] ? c->crypto[1] : "esp:modern");
}

/* The networks of the other end, without what narrows them, are routed into the tunnel; each once. */
static void add_route(struct import_conn *c, const struct import_child *child, const char *ts)
{
	size_t len = strcspn(ts, "/"), end = len + strcspn(ts + len, ":");
	const char *had = c->value[OUT_ROUTES];
	char net[IMPORT_TS_TEXT];

	snprintf(net, sizeof(net), "%.*s", (int)end, ts);
	if (!strncmp(ts, "any", 3))
		return;
	if (strchr(net, '-')) {
		import_say_of(
			c->im, child->at,
			"%s has no route: a range is none; add the networks it is made of to Routes",
			net);
		return;
	}
	if (c->value[OUT_ENDPOINT] && strlen(c->value[OUT_ENDPOINT]) == len &&
	    !strncmp(net, c->value[OUT_ENDPOINT], len)) {
		import_say_of(
			c->im, child->at,
			"%s has no route, as the tunnel's own packets go there: for traffic between the ends themselves there is Mode = transport",
			net);
		return;
	}
	if (!strcmp(net + len, "/0") && !c->value[OUT_TABLE]) {
		import_say_of(
			c->im, child->at,
			"%s has no route, as the tunnel's own packets would go there, too: set FwMark and Table, and a rule for them (Routes of esptun.conf(5))",
			net);
		return;
	}
	for (const char *at = had; at && (at = strstr(at, net)); at++) {
		char behind = at[strlen(net)];

		if ((at == had || at[-1] == ' ') && (!behind || behind == ','))
			return;
	}
	import_append(c, OUT_ROUTES, child->at, "%s", net);
}

static bool is_v6(const char *ts)
{
	return strchr(ts, ':') && (!strchr(ts, '.') || strchr(ts, ':') < strchr(ts, '.'));
}

/* Every network here with every one there, as one child SA carries them. */
static char *pairs_of(struct import_conn *c, const struct import_child *child)
{
	struct text t;
	char *all = malloc(IMPORT_MAX_VALUE);

	if (!all)
		return NULL;
	t = text_init(all, IMPORT_MAX_VALUE);
	for (unsigned int i = 0; i < child->n_ts[LOCAL]; i++) {
		for (unsigned int k = 0; k < child->n_ts[REMOTE]; k++) {
			const char *l = child->ts[LOCAL][i], *r = child->ts[REMOTE][k];
			bool any = !strncmp(l, "any", 3) || !strncmp(r, "any", 3);

			if (any || is_v6(l) == is_v6(r))
				text_add(&t, "%s%s = %s", t.len ? ", " : "", l, r);
		}
	}
	if (t.len + 1 < t.size && t.len)
		return all;
	import_say_of(c->im, child->at, "%s: its selectors are %s", child->name,
		      t.len ? "too many" : "of different address families");
	c->refused = true;
	free(all);
	return NULL;
}

/* The outer address of an end, unless it has another inside: "192.0.2.1/32"; false: it is not known. */
static bool own_network(const struct import_conn *c, int end, char *out, size_t size)
{
	const char *host = c->value[end == LOCAL ? OUT_LOCAL : OUT_ENDPOINT];
	const char *inside = c->value[end == LOCAL ? OUT_ADDRESS : OUT_RANGE];
	struct ike_addr a;

	if (inside || !host || ike_addr_from_text(host, &a))
		return false;
	snprintf(out, size, "%s/%d", host, a.family == 4 ? 32 : 128);
	return true;
}

/* "any" of the other program is an end's own address in tunnel mode; here it is any where that is not known. */
static void complete_ts(struct import_conn *c, struct import_child *child, int end, char *ts)
{
	char net[IMPORT_TS_TEXT], rest[IMPORT_TS_TEXT];

	if (c->im->format == &import_wg_quick || child->mode || strncmp(ts, "any", 3) != 0)
		return;
	if (own_network(c, end, net, sizeof(net))) {
		snprintf(rest, sizeof(rest), "%s", ts + 3);
		snprintf(ts, IMPORT_TS_TEXT, "%.60s%.40s", net, rest);
		return;
	}
	if (end == REMOTE && !c->value[OUT_RANGE])
		import_say_of(
			c->im, child->at,
			"%s: which addresses the peer has inside is not said: any here, so that it may send from all; limit it by Selectors",
			child->name);
}

/* A side without selectors is the end itself, with what narrows it. */
static void complete_sides(struct import_conn *c, struct import_child *child)
{
	for (int end = LOCAL; end <= REMOTE; end++) {
		const char *suffix = c->end[end].ts_suffix;

		if (!child->n_ts[end]) {
			snprintf(child->ts[end][0], sizeof(child->ts[end][0]), "any");
			child->n_ts[end] = 1;
		}
		for (unsigned int i = 0; i < child->n_ts[end]; i++) {
			char *ts = child->ts[end][i];
			size_t len;

			complete_ts(c, child, end, ts);
			len = strlen(ts);
			snprintf(ts + len, IMPORT_TS_TEXT - len, "%s", suffix ? suffix : "");
		}
	}
}

static bool is_all(const struct import_child *child)
{
	return child->n_ts[LOCAL] == 1 && child->n_ts[REMOTE] == 1 &&
	       !strcmp(child->ts[LOCAL][0], "any") && !strcmp(child->ts[REMOTE][0], "any");
}

/* What stands in [Peer], or of several child SAs in the section of each, of which @pairs are the selectors. */
static void print_child(struct import_conn *c, const struct import_child *child, const char *pairs,
			struct text *sections)
{
	const char *start = c->value[OUT_ENDPOINT] ? child->start : NULL;

	if (c->n_child > 1) {
		text_add(sections, "\n[Child %s]\nSelectors = %s\n", child->name, pairs);
		if (start)
			text_add(sections, "Start = %s\n", start);
		if (child->mode)
			text_add(sections, "Mode = %s\n", child->mode);
		return;
	}
	if (!is_all(child))
		import_set(c, OUT_SELECTORS, child->at, "%s", pairs);
	if (start)
		import_set(c, OUT_START, child->at, "%s", start);
	if (child->mode)
		import_set(c, OUT_MODE, child->at, "%s", child->mode);
}

/* What was begun by hand is begun by the peer alone, unless the file says another. */
static void say_of_start(struct import_conn *c, const struct import_child *child)
{
	if (child->start && !strcmp(child->start, "listen") && c->value[OUT_ENDPOINT])
		import_say_of(
			c->im, child->at,
			"%s: Start = listen, so that the peer begins; with now or traffic this end does",
			child->name);
}

/* Routes of all, selectors and the rest of each. */
static void finish_children(struct import_conn *c, struct text *sections)
{
	for (unsigned int i = 0; i < c->n_child; i++) {
		struct import_child *child = &c->child[i];
		char *pairs;

		complete_sides(c, child);
		for (unsigned int k = 0; !child->mode && k < child->n_ts[REMOTE]; k++)
			add_route(c, child, child->ts[REMOTE][k]);
		pairs = pairs_of(c, child);
		if (pairs)
			print_child(c, child, pairs, sections);
		say_of_start(c, child);
		free(pairs);
	}
}

static void finish_clients(struct import_conn *c)
{
	enum { SOME = 100 };

	if (!c->clients || c->value[OUT_ENDPOINT])
		return;
	import_set(c, OUT_CLIENTS, NULL, "%d", SOME);
	import_say_of(c->im, c->at, "up to %d clients are let in: Clients in [Peer] says how many",
		      SOME);
}

static void print_conf(const struct import_conn *c, const char *sections, struct text *out)
{
	const char *section = "";

	text_add(out, "# By esptun import, which said what it left out.\n");
	for (unsigned int i = 0; i < OUT_KEYS; i++) {
		if (!c->value[i])
			continue;
		if (strcmp(section, import_key_names[i].section) != 0)
			text_add(out, "%s[%s]\n", *section ? "\n" : "",
				 import_key_names[i].section);
		section = import_key_names[i].section;
		text_add(out, "%s = %s\n", import_key_names[i].key, c->value[i]);
	}
	text_add(out, "%s", sections);
}

/* ---- the result -------------------------------------------------------------------------- */

struct verdict {
	struct import_conn *c;
	bool error;
};

static void hear(void *ctx, bool error, unsigned int line, const char *text)
{
	struct verdict *v = ctx;

	v->error |= error;
	import_say_of(v->c->im, v->c->at, "%s.conf%s: %s (line %u of it)", v->c->name,
		      error ? " would be refused" : "", text, line);
}

static bool agent_takes(struct import_conn *c, const char *text, size_t len)
{
	struct verdict v = { c, false };
	const struct config_report report = { hear, &v };
	struct config config;

	if (config_parse(c->name, text, len, &config, &report))
		return false;
	config_clear(&config);
	return !v.error;
}

static bool add_result(struct import_result *r, struct import_file *f)
{
	struct import_file *grown = realloc(r->file, (r->n + 1) * sizeof(*f));

	if (!grown)
		return false;
	r->file = grown;
	grown[r->n++] = *f;
	memset(f, 0, sizeof(*f));
	return true;
}

static void clear_file(struct import_file *f)
{
	if (f->text)
		ike_wipe(f->text, f->len);
	free(f->text);
	free(f->name);
	memset(f, 0, sizeof(*f));
}

/* The connection's files, the NAME.conf of @text behind those that it names. */
static bool give_files(struct import_conn *c, const char *text, size_t len)
{
	char *path = import_add_file(c, "conf", text, len);
	bool good = path;

	for (unsigned int i = 0; good && i < c->n_files; i++)
		good = add_result(c->im->out, &c->file[i]);
	free(path);
	return good;
}

static void free_conn(struct import_conn *c)
{
	for (unsigned int i = 0; i < OUT_KEYS; i++)
		free(c->value[i]);
	for (int end = LOCAL; end <= REMOTE; end++) {
		free(c->end[end].id);
		free(c->end[end].eap_id);
		free(c->end[end].ts_suffix);
		for (unsigned int i = 0; i < c->end[end].ca.n; i++)
			free(c->end[end].ca.path[i]);
	}
	for (unsigned int i = 0; i < c->n_files; i++)
		clear_file(&c->file[i]);
	free(c->remote_ca);
	free(c->crypto[0]);
	free(c->crypto[1]);
	free(c);
}

/* What was cut to fit could mean another thing. */
static bool is_whole(struct import_conn *c, const struct text *t)
{
	if (t->len + 1 < t->size)
		return true;
	import_say_of(c->im, c->at, "%s.conf would be longer than %d bytes", c->name, MAX_TEXT);
	return false;
}

static bool compose(struct import_conn *c)
{
	char *text = malloc(MAX_TEXT), *sections = malloc(MAX_TEXT);
	struct text out, more;
	bool good = text && sections;

	if (good) {
		more = text_init(sections, MAX_TEXT);
		finish_rekey(c);
		finish_crypto(c);
		import_finish_auth(c);
		finish_children(c, &more);
		finish_clients(c);
		finish_endpoint(c);
		out = text_init(text, MAX_TEXT);
		print_conf(c, sections, &out);
		good = !c->refused && is_whole(c, &out) && is_whole(c, &more) &&
		       agent_takes(c, text, out.len) && give_files(c, text, out.len);
	}
	free(text);
	free(sections);
	return good;
}

void import_finish(struct import_conn *c)
{
	if (!c->refused && compose(c)) {
		c->im->out->conns++;
	} else {
		import_say_of(c->im, c->at, "%s is left out as a whole", c->name);
		c->im->out->refused++;
	}
	free_conn(c);
}

void import_result_clear(struct import_result *r)
{
	for (unsigned int i = 0; i < r->n; i++)
		clear_file(&r->file[i]);
	free(r->file);
	memset(r, 0, sizeof(*r));
}

/* ---- all of it ---------------------------------------------------------------------------- */

static const struct import_format *const formats[IMPORT_KINDS] = {
	[IMPORT_SWANCTL] = &import_swanctl,
	[IMPORT_IPSEC_CONF] = &import_ipsec_conf,
	[IMPORT_WG_QUICK] = &import_wg_quick,
};

const char *import_kind_name(enum import_kind kind)
{
	if (kind == IMPORT_PKCS12)
		return "pkcs12";
	return kind < IMPORT_KINDS && formats[kind] ? formats[kind]->word : NULL;
}

/* A line that no other of the three has. */
enum import_kind import_detect(const uint8_t *bytes, size_t len)
{
	static const struct {
		const char *begins;
		enum import_kind kind;
	} signs[] = {
		{ "[Interface]", IMPORT_WG_QUICK },    { "[Peer]", IMPORT_WG_QUICK },
		{ "conn ", IMPORT_IPSEC_CONF },	       { "conn\t", IMPORT_IPSEC_CONF },
		{ "config setup", IMPORT_IPSEC_CONF }, { "connections", IMPORT_SWANCTL },
		{ "secrets", IMPORT_SWANCTL },	       { "pools", IMPORT_SWANCTL },
	};
	size_t at = 0;

	while (at < len) {
		const char *line = (const char *)bytes + at;
		const uint8_t *end = memchr(line, '\n', len - at);
		size_t n = end ? (size_t)(end - bytes) - at : len - at;

		at += n + 1;
		while (n && isspace((unsigned char)*line))
			line++, n--;
		for (unsigned int i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
			size_t sign = strlen(signs[i].begins);

			if (n >= sign && !strncasecmp(line, signs[i].begins, sign))
				return signs[i].kind;
		}
	}
	return IMPORT_UNKNOWN;
}

/* A file in the folder for parts has keys and certificates where the whole one has them, in the folder above. */
static char *find_home(const char *path)
{
	static const char *const parts[] = { "/conf.d", "/ipsec.d" };
	const char *slash = strrchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) : 0, folder = len;
	char *home;

	for (unsigned int i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		size_t n = strlen(parts[i]);

		if (len >= n && !strncmp(slash - n, parts[i], n))
			folder = len - n;
	}
	return asprintf(&home, "%.*s%s", (int)folder, path, slash ? slash : path) < 0 ? NULL : home;
}

int import_read(enum import_kind kind, const uint8_t *bytes, size_t len,
		const struct import_options *options, const struct import_env *env,
		struct import_result *out)
{
	struct import im = { .o = options, .env = env, .out = out, .format = formats[kind] };
	char *text = len <= IMPORT_MAX_FILE ? malloc(len + 1) : NULL;
	int err = -1;

	memset(out, 0, sizeof(*out));
	if (text) {
		memcpy(text, bytes, len);
		text[len] = 0;
		im.home = find_home(options->path);
	}
	if (im.home) {
		im.root = import_add(&im, NULL, "", NULL, options->path, 0);
	}
	if (im.root && strlen(text) != len)
		import_say(&im, options->path, 0, "it has a zero byte");
	else if (im.root && !im.format->parse(&im, im.root, text, options->path))
		err = im.format->convert(&im);
	if (text)
		ike_wipe(text, len);
	free(text);
	free(im.home);
	import_free(im.root);
	import_free(im.secrets);
	for (unsigned int i = 0; i < im.n_paths; i++)
		free(im.path[i]);
	if (err)
		import_result_clear(out);
	return err;
}
