// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a file of another program says, before it means anything: sections and lines KEY = VALUE, templates, files that
 * include others. Everything is counted, as a template of templates could be larger than memory.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ike/crypto/crypto.h"
#include "ike/import/import_int.h"

static void vsay(struct import *im, const char *path, unsigned int line, const char *fmt,
		 va_list ap)
{
	char text[IMPORT_MAX_TEXT];

	vsnprintf(text, sizeof(text), fmt, ap);
	for (char *s = text; *s; s++) {
		if (*s < ' ' || *s > '~')
			*s = '?';
	}
	im->env->say(im->env->ctx, path, line, text);
}

void import_say(struct import *im, const char *path, unsigned int line, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsay(im, path, line, fmt, ap);
	va_end(ap);
}

void import_say_of(struct import *im, const struct import_node *n, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsay(im, n->path, n->line, fmt, ap);
	va_end(ap);
}

/* ---- nodes ------------------------------------------------------------------------------- */

static void wipe_free(char *s)
{
	if (s)
		ike_wipe(s, strlen(s));
	free(s);
}

void import_free(struct import_node *n)
{
	struct import_node *sub;

	if (!n)
		return;
	while ((sub = TAILQ_FIRST(&n->sub))) {
		TAILQ_REMOVE(&n->sub, sub, link);
		import_free(sub);
	}
	for (unsigned int i = 0; i < n->n_ref; i++)
		free(n->ref[i]);
	free(n->ref);
	free(n->name);
	wipe_free(n->value);
	free(n);
}

struct import_node *import_add(struct import *im, struct import_node *parent, const char *name,
			       const char *value, const char *path, unsigned int line)
{
	struct import_node *n = NULL;

	if (im->n_nodes == IMPORT_MAX_NODES) {
		import_say(im, path, line, "there are more than %d lines and sections in all",
			   IMPORT_MAX_NODES);
		return NULL;
	}
	if (!value || strlen(value) <= IMPORT_MAX_VALUE)
		n = calloc(1, sizeof(*n));
	if (n) {
		TAILQ_INIT(&n->sub);
		n->path = path;
		n->line = line;
		n->name = strdup(name);
		n->value = value ? strdup(value) : NULL;
	}
	if (!n || !n->name || (value && !n->value)) {
		import_say(im, path, line, n ? "out of memory" : "the value is too long");
		import_free(n);
		return NULL;
	}
	im->n_nodes++;
	if (parent)
		TAILQ_INSERT_TAIL(&parent->sub, n, link);
	return n;
}

struct import_node *import_section(struct import *im, struct import_node *parent, const char *name,
				   const char *path, unsigned int line)
{
	struct import_node *n;

	TAILQ_FOREACH(n, &parent->sub, link)
	{
		if (!n->value && !strcmp(n->name, name))
			return n;
	}
	return import_add(im, parent, name, NULL, path, line);
}

int import_add_ref(struct import *im, struct import_node *n, const char *ref)
{
	char **grown = n->n_ref < IMPORT_MAX_DEPTH
			       ? realloc(n->ref, (n->n_ref + 1) * sizeof(char *))
			       : NULL;

	if (grown) {
		n->ref = grown;
		grown[n->n_ref] = strdup(ref);
	}
	if (grown && grown[n->n_ref]) {
		n->n_ref++;
		return 0;
	}
	import_say_of(im, n, "it refers to more than %d sections", IMPORT_MAX_DEPTH);
	return -1;
}

struct import_node *import_find(const struct import_node *section, const char *name)
{
	struct import_node *n;

	TAILQ_FOREACH_REVERSE(n, &section->sub, import_list, link)
	{
		if (!strcasecmp(n->name, name))
			return n;
	}
	return NULL;
}

bool import_counts(const struct import_node *section, const struct import_node *n)
{
	return import_find(section, n->name) == n;
}

const char *import_value(const struct import_node *section, const char *name, const char *otherwise)
{
	const struct import_node *n = section ? import_find(section, name) : NULL;

	return n && n->value && *n->value ? n->value : otherwise;
}

/* ---- templates --------------------------------------------------------------------------- */

/* The section that "defaults.local" is, from @from on; a name may have dots of its own. NULL: none. */
static struct import_node *find_path(struct import_node *from, const char *path)
{
	struct import_node *n, *found;

	TAILQ_FOREACH_REVERSE(n, &from->sub, import_list, link)
	{
		size_t len = strlen(n->name);

		if (n->value || strncmp(n->name, path, len) != 0)
			continue;
		if (!path[len])
			return n;
		found = path[len] == '.' ? find_path(n, path + len + 1) : NULL;
		if (found)
			return found;
	}
	return NULL;
}

/* @to gets what @from has and it has not. */
static int merge(struct import *im, struct import_node *to, const struct import_node *from)
{
	struct import_node *n, *own;

	TAILQ_FOREACH(n, &from->sub, link)
	{
		own = import_find(to, n->name);
		if (own && (own->value || n->value))
			continue;
		own = n->value ? import_add(im, to, n->name, n->value, n->path, n->line)
			       : import_section(im, to, n->name, n->path, n->line);
		if (!own || (!n->value && merge(im, own, n)))
			return -1;
	}
	return 0;
}

static int resolve_ref(struct import *im, struct import_node *section, const char *ref)
{
	struct import_node *from = find_path(im->root, ref);
	int err;

	if (!from || from->resolving || im->depth == IMPORT_MAX_DEPTH) {
		import_say_of(im, section, "%.60s refers to %.60s, %s", section->name, ref,
			      !from		? "which is no section"
			      : from->resolving ? "and that to it"
						: "too far away");
		return -1;
	}
	im->depth++;
	err = import_resolve(im, from);
	im->depth--;
	return err ? -1 : merge(im, section, from);
}

int import_resolve(struct import *im, struct import_node *section)
{
	struct import_node *n;

	if (section->resolved)
		return 0;
	section->resolving = true;
	for (unsigned int i = 0; i < section->n_ref; i++) {
		if (resolve_ref(im, section, section->ref[i]))
			return -1;
	}
	TAILQ_FOREACH(n, &section->sub, link)
	{
		if (!n->value && import_resolve(im, n))
			return -1;
	}
	section->resolving = false;
	section->resolved = true;
	return 0;
}

/* ---- files ------------------------------------------------------------------------------- */

char *import_beside(const char *path, const char *below, const char *name)
{
	const char *slash = strrchr(path, '/');
	int folder = slash && *name != '/' ? (int)(slash - path) + 1 : 0;
	bool within = *below && *name != '/';
	char *s;

	return asprintf(&s, "%.*s%s%s%s", folder, path, within ? below : "", within ? "/" : "",
			name) < 0
		       ? NULL
		       : s;
}

struct including {
	struct import *im;
	struct import_node *into;
	const struct import_node *at;
	import_parse_fn *parse;
	int err;
};

static void include_file(void *arg, const char *path)
{
	struct including *i = arg;
	struct import *im = i->im;
	size_t len = 0;
	char *copy, *text;

	if (i->err)
		return;
	i->err = -1;
	if (im->n_paths == IMPORT_MAX_FILES || im->depth == IMPORT_MAX_DEPTH) {
		import_say_of(im, i->at, "include: more than %d files, or %d within each other",
			      IMPORT_MAX_FILES, IMPORT_MAX_DEPTH);
		return;
	}
	copy = strdup(path);
	text = copy ? (char *)im->env->read(im->env->ctx, path, &len) : NULL;
	if (!text) {
		import_say_of(im, i->at, "include: %.200s cannot be read: %s", path,
			      strerror(errno));
		free(copy);
		return;
	}
	im->path[im->n_paths++] = copy;
	im->depth++;
	i->err = i->parse(im, i->into, text, copy);
	im->depth--;
	ike_wipe(text, len);
	free(text);
}

int import_include(struct import *im, struct import_node *into, const char *pattern,
		   const struct import_node *at, import_parse_fn *parse)
{
	struct including i = { im, into, at, parse, 0 };
	char *path = import_beside(at->path, "", pattern);

	if (!path)
		return -1;
	if (!im->env->glob(im->env->ctx, path, include_file, &i))
		import_say_of(im, at, "include: there is no file %.200s", path);
	free(path);
	return i.err;
}
