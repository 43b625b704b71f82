// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * "esptun -complete WORDS...": for the shell's completion, what may stand in place of the
 * last word, one a line; from the table of commands, so that nothing is missing there.
 */
#include <dirent.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

static void offer(const char *word, size_t len, const char *prefix)
{
	if (!strncmp(word, prefix, strlen(prefix)) && strlen(prefix) <= len)
		printf("%.*s\n", (int)len, word);
}

/* The names in folder @path that end in @suffix, without it. */
static void offer_files(const char *path, const char *suffix, const char *prefix)
{
	DIR *dir = opendir(path);
	struct dirent *e;

	while (dir && (e = readdir(dir))) {
		size_t len = strlen(e->d_name), tail = strlen(suffix);

		if (e->d_name[0] != '.' && len > tail && !strcmp(e->d_name + len - tail, suffix))
			offer(e->d_name, len - tail, prefix);
	}
	if (dir)
		closedir(dir);
}

static void offer_links(struct cli *cli, const char *prefix)
{
	struct if_nameindex *all = cli_open(cli) ? NULL : if_nameindex();
	struct esptun_link link;

	for (struct if_nameindex *i = all; i && i->if_index; i++) {
		if (!esptun_link_get(cli->h, i->if_name, &link))
			offer(i->if_name, strlen(i->if_name), prefix);
	}
	if (all)
		if_freenameindex(all);
}

static void offer_what(struct cli *cli, const char *what, size_t len, const char *prefix)
{
	const struct esptun_integ_alg *integ;
	const struct esptun_alg *alg;

	if (!strncmp(what, "@dev", len)) {
		offer_links(cli, prefix);
	} else if (!strncmp(what, "@tunnel", len)) {
		offer_files(CONFIG_PATH, ".conf", prefix);
	} else if (!strncmp(what, "@netns", len)) {
		offer_files("/run/netns", "", prefix);
	} else if (!strncmp(what, "@algo", len)) {
		for (alg = esptun_algs(); alg->name; alg++)
			offer(alg->name, strlen(alg->name), prefix);
	} else if (!strncmp(what, "@auth", len)) {
		for (integ = esptun_integ_algs(); integ->name; integ++)
			offer(integ->name, strlen(integ->name), prefix);
	} else {
		puts("@file"); /* the shell knows better */
	}
}

/* @values as of struct keyword. */
static void offer_values(struct cli *cli, const char *values, const char *prefix)
{
	while (values && *values) {
		size_t len = strcspn(values, " "), word = len - (values[len - 1] == ':');

		if (*values == '@')
			offer_what(cli, values, len, prefix);
		else
			offer(values, word, prefix);
		values += len + (values[len] == ' ');
	}
}

/* Does @word of @values take another one? */
static bool takes_another(const char *values, const char *word)
{
	while (values && *values) {
		size_t len = strcspn(values, " ");

		if (values[len - 1] == ':' && strlen(word) == len - 1 &&
		    !strncmp(values, word, len - 1))
			return true;
		values += len + (values[len] == ' ');
	}
	return false;
}

static const struct keyword *find(const struct keyword *k, const char *word)
{
	while (k && k->name && !args_abbrev(word, k->name))
		k++;
	return k && k->name ? k : NULL;
}

/* The keywords of @allowed and their values, up to the last word. */
static void complete_keywords(struct cli *cli, struct args *a, const struct keyword *table,
			      unsigned int allowed)
{
	const struct keyword *k;
	unsigned int seen = 0;

	while (a->argc > 1) {
		k = find(table, args_next(a));
		if (!k)
			continue; /* another selector, or a slip */
		seen |= k->repeats ? 0 : 1U << k->id;
		if (k->values && !*k->values)
			continue;
		if (a->argc == 1) {
			offer_values(cli, k->values, a->argv[0]);
			return;
		}
		if (!takes_another(k->values, args_next(a)))
			continue;
		if (a->argc == 1) {
			if (strstr(k->values, "file:"))
				puts("@file");
			return;
		}
		args_next(a);
	}
	for (k = table; k && k->name; k++) {
		if (allowed & ~seen & 1U << k->id)
			offer(k->name, strlen(k->name), a->argv[0]);
	}
}

static void complete_command(struct cli *cli, struct args *a, const struct command *c)
{
	const struct subcommand *s = c->subcommands;
	unsigned int allowed = UINT32_MAX;

	if (c->first || s) {
		const char *first;

		if (a->argc == 1) {
			if (!s)
				offer_values(cli, c->first, a->argv[0]);
			for (; s && s->name; s++)
				offer(s->name, strlen(s->name), a->argv[0]);
			offer("help", 4, a->argv[0]);
			return;
		}
		first = args_next(a);
		while (s && s->name && !args_abbrev(first, s->name))
			s++;
		if (s)
			allowed = s->name ? s->needs | s->takes : 0;
		if (s && s->name && c->first && a->argc == 1)
			offer_values(cli, c->first, a->argv[0]);
	} else if (a->argc == 1) {
		offer("help", 4, a->argv[0]);
	}
	complete_keywords(cli, a, c->keywords, allowed);
}

/* "-n NAME -j": go on behind them; false if the last word is one of them. */
static bool skip_options(struct cli *cli, struct args *a)
{
	while (a->argc > 1 && a->argv[0][0] == '-') {
		int id = cli_option(args_next(a));
		const struct keyword *o = options;

		while (o->name && o->id != id)
			o++;
		if (!o->name || !*o->values)
			continue;
		if (a->argc == 1) {
			offer_values(cli, o->values, a->argv[0]);
			return false;
		}
		args_next(a);
	}
	if (a->argv[0][0] != '-')
		return true;
	for (const struct keyword *o = options; o->name; o++) {
		char text[32];

		snprintf(text, sizeof(text), "%s%s", a->argv[0][1] == '-' ? "--" : "-", o->name);
		offer(text, strlen(text), a->argv[0]);
	}
	return false;
}

void cli_complete(struct cli *cli, struct args *a)
{
	const struct command *c = commands;
	const char *name;

	if (!a->argc || !skip_options(cli, a))
		return;
	if (a->argc == 1) {
		for (; c->name; c++)
			offer(c->name, strlen(c->name), a->argv[0]);
		offer("help", 4, a->argv[0]);
		return;
	}
	name = args_next(a);
	while (c->name && !args_abbrev(name, c->name))
		c++;
	if (c->name)
		complete_command(cli, a, c);
	else if (args_abbrev(name, "help") && a->argc == 1)
		for (c = commands; c->name; c++)
			offer(c->name, strlen(c->name), a->argv[0]);
}
