/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the subcommands share. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "cli/args.h"
#include "lib/esptun.h"

/* Exit codes, as of ip: 1 the command line is wrong, 2 the kernel refused. */
enum {
	EXIT_USAGE = 1,
	EXIT_KERNEL = 2,
};

struct cli {
	bool json;
	bool pretty;
	bool statistics;
	bool details;
	bool show_keys;
	const char *control; /* path of the agent's socket */
	struct esptun *h; /* NULL until cli_open() */
};

/* A subcommand of a command, such as "add" of "peer". */
struct subcommand {
	const char *name;
	int (*run)(struct cli *cli, struct args *a);
};

/* main.c's table, and the usage text "help" prints. */
struct command {
	const char *name;
	int (*run)(struct cli *cli, struct args *a);
	const char *usage;
};

int cmd_peer(struct cli *cli, struct args *a);
int cmd_sa(struct cli *cli, struct args *a);
int cmd_monitor(struct cli *cli, struct args *a);
int cmd_stats(struct cli *cli, struct args *a);
int cmd_keygen(struct cli *cli, struct args *a);
int cmd_up(struct cli *cli, struct args *a);
int cmd_down(struct cli *cli, struct args *a);
int cmd_status(struct cli *cli, struct args *a);
int cmd_reload(struct cli *cli, struct args *a);

extern const char usage_peer[];
extern const char usage_sa[];
extern const char usage_monitor[];
extern const char usage_stats[];
extern const char usage_keygen[];
extern const char usage_agent[];

/* ----------------------------------------------------------------- helpers */

/** cli_main() - all of the program but main() itself; returns the exit code */
int cli_main(int argc, char **argv);

/** cli_open() - get the library handle: 0, or an exit code with text printed */
int cli_open(struct cli *cli);

/** cli_kernel_error() - print the library's text; returns EXIT_KERNEL */
int cli_kernel_error(struct cli *cli);

/** cli_usage_error() - print args->err; returns EXIT_USAGE */
int cli_usage_error(const struct args *a);

/** cli_error() - print "Error: " and a sentence */
void cli_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/**
 * cli_subcommand() - run the subcommand the next argument abbreviates
 * @table: ended by a NULL name; without an argument @otherwise is run
 */
int cli_subcommand(struct cli *cli, struct args *a, const struct subcommand *table,
		   int (*otherwise)(struct cli *, struct args *), const char *usage);

/** cli_ifindex() - index of esptun link @dev: 0, or an exit code with text printed */
int cli_ifindex(struct cli *cli, const char *dev, uint32_t *ifindex);

/** cli_ifname() - name of a link, "if7" if it is gone; valid until the next call */
const char *cli_ifname(uint32_t ifindex);

/* ---------------------------------------------------- parsed command lines */

/* Keywords of "peer" and "sa"; dev is the link's name, NULL if not given. */
struct peer_args {
	const char *dev;
	struct esptun_peer peer;
};

struct sa_args {
	const char *dev;
	struct esptun_sa sa; /* selectors owned: esptun_sa_clear() */
	bool has_dir;
	bool has_spi;
};

/**
 * peer_args_parse() - the rest of "peer add|set|del|show"
 * @verb: which, decides what is required and allowed
 * Return: 0, or -EINVAL with a->err.
 */
int peer_args_parse(struct args *a, const char *verb, struct peer_args *p);

/** sa_args_parse() - the rest of "sa add|set|del|show|flush", as above */
int sa_args_parse(struct args *a, const char *verb, struct sa_args *s);

/* ----------------------------------------------------------------- printing */

/** print_json() - print and free @json as -j and -p say */
void print_json(const struct cli *cli, json_t *json);

json_t *json_peer(const struct esptun_peer *p);
json_t *json_sa(const struct esptun_sa *sa);
json_t *json_stats(const struct esptun_stats *st);
json_t *json_event(const struct esptun_event *ev);

void text_peer(const struct cli *cli, const struct esptun_peer *p);
void text_sa(const struct cli *cli, const struct esptun_sa *sa);
void text_stats(const struct cli *cli, const char *name, const struct esptun_stats *st);
void text_event(const struct cli *cli, const struct esptun_event *ev);

#endif
