/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the subcommands share. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "cli/args.h"
#include "lib/esptun.h"

/* Exit codes, as of ip: 1 the command line is wrong, 2 the kernel refused; 3 a fault that was looked for is there. */
enum {
	EXIT_USAGE = 1,
	EXIT_KERNEL = 2,
	EXIT_FAULT = 3,
};

struct cli {
	bool json;
	bool pretty;
	bool statistics;
	bool details;
	bool brief;
	bool oneline;
	bool color;
	bool show_keys;
	const char *control; /* path of the agent's socket */
	struct esptun *h; /* NULL until cli_open() */
};

/* A subcommand of a command, such as "add" of "peer"; of its command's keywords, as bits 1 << id: */
struct subcommand {
	const char *name; /* NULL ends the table */
	int (*run)(struct cli *cli, struct args *a);
	unsigned int needs; /* must be given */
	unsigned int takes; /* may be given */
};

/* A row of the table of commands, which usage, help and completion are made from. */
struct command {
	const char *name;
	int (*run)(struct cli *cli, struct args *a);
	const char *usage; /* the text "help" prints */
	const struct keyword *keywords; /* NULL: none */
	const struct subcommand *subcommands; /* NULL: none */
	/* Values of a word before the keywords, behind the subcommand if there is one, as in struct keyword. */
	const char *first;
};

extern const struct command commands[]; /* ended by a NULL name */
extern const struct keyword options[]; /* values: of the option's argument, "": it has none */

int cmd_peer(struct cli *cli, struct args *a);
int cmd_sa(struct cli *cli, struct args *a);
int cmd_monitor(struct cli *cli, struct args *a);
int cmd_algo(struct cli *cli, struct args *a);
int cmd_stats(struct cli *cli, struct args *a);
int cmd_keygen(struct cli *cli, struct args *a);
int cmd_import(struct cli *cli, struct args *a);
int cmd_ca(struct cli *cli, struct args *a);
int cmd_peer_config(struct cli *cli, struct args *a);
int cmd_up(struct cli *cli, struct args *a);
int cmd_down(struct cli *cli, struct args *a);
int cmd_status(struct cli *cli, struct args *a);
int cmd_top(struct cli *cli, struct args *a);
int cmd_reload(struct cli *cli, struct args *a);
int cmd_why(struct cli *cli, struct args *a);
int cmd_check(struct cli *cli, struct args *a);
int cmd_pool(struct cli *cli, struct args *a);

extern const char usage_peer[];
extern const char usage_sa[];
extern const char usage_algo[];
extern const char usage_monitor[];
extern const char usage_stats[];
extern const char usage_keygen[];
extern const char usage_import[];
extern const char usage_ca[];
extern const char usage_peer_config[];
extern const char usage_agent[];
extern const char usage_top[];
extern const char usage_why[];
extern const char usage_check[];
extern const char usage_pool[];

extern const struct keyword peer_keywords[], sa_keywords[], monitor_keywords[], stats_keywords[],
	keygen_keywords[], import_keywords[], ca_keywords[], peer_config_keywords[], up_keywords[],
	why_keywords[], to_keywords[], top_keywords[];
extern const struct subcommand peer_commands[], sa_commands[], algo_commands[], pool_commands[],
	ca_commands[];

/* ----------------------------------------------------------------- helpers */

/** cli_main() - all of the program but main() itself; returns the exit code */
int cli_main(int argc, char **argv);

/** cli_open() - get the library handle: 0, or an exit code with text printed */
int cli_open(struct cli *cli);

/** cli_kernel_error() - print the library's text; returns EXIT_KERNEL */
int cli_kernel_error(struct cli *cli);

/** cli_usage_error() - print args->err; returns EXIT_USAGE */
int cli_usage_error(const struct args *a);

/** cli_error() - print "Error: " and a sentence; with -j {"error": sentence} */
void cli_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/**
 * cli_warn_readable() - a key is about to be printed: if the shell made a file for it that others
 * can read, say so
 */
void cli_warn_readable(void);

/** cli_option() - the option that @s, with its hyphens, abbreviates; -1 if none */
int cli_option(const char *s);

#define CLI_TUNNEL \
	64 /* bytes: longer than any netdevice's name, so that the agent can say what is wrong */

/**
 * cli_tunnel() - name of a tunnel: "hq", also of "hq.conf" and "/etc/esptun/hq.conf"
 * Return: @name; NULL, and said, if the file is elsewhere.
 */
const char *cli_tunnel(const char *word, char name[static CLI_TUNNEL]);

/** cli_complete() - print what may stand in place of the last of the words @a */
void cli_complete(struct cli *cli, struct args *a);

/** keygen_psk_text() - a new pre-shared key in base64: 0, or an exit code with text printed */
enum { KEYGEN_PSK_TEXT = 48 };
int keygen_psk_text(char text[static KEYGEN_PSK_TEXT]);

/** CONFIG_PATH: where the agent's NAME.conf are */
#define CONFIG_PATH "/etc/esptun"

/**
 * cli_subcommand() - run the subcommand the next argument abbreviates
 * @table: ended by a NULL name; without an argument @otherwise is run
 */
int cli_subcommand(struct cli *cli, struct args *a, const struct subcommand *table,
		   int (*otherwise)(struct cli *, struct args *), const char *usage);

/** cli_ifindex() - index of esptun link @dev: 0, or an exit code with text printed */
int cli_ifindex(struct cli *cli, const char *dev, uint32_t *ifindex);

/** cli_dev() - name of a link, "if7" if it is gone; valid until the next call */
const char *cli_dev(uint32_t ifindex, const struct esptun_where *where);

/* ---------------------------------------------------- parsed command lines */

/* Keywords of "peer" and "sa"; dev is the link's name, NULL if not given. */
/* Words for a value of an outer header, in print.c; the last one has no name. */
struct header_word {
	const char *name;
	uint16_t value;
};

extern const struct header_word tos_words[], ttl_words[], df_words[], flow_label_words[];

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

/* An object as text: some lines, with -o or -br a single one. */
void print_peer(const struct cli *cli, const struct esptun_peer *p);
void print_sa(const struct cli *cli, const struct esptun_sa *sa);
void print_stats(const struct cli *cli, const char *name, const struct esptun_stats *st);
void print_event(const struct cli *cli, const struct esptun_event *ev);

/* Between these, what is written to standard output becomes one line if -o is given. */
void begin_object(const struct cli *cli);
void end_object(const struct cli *cli);

/* The colors of ip: of links, of addresses, of states. */
enum color { COLOR_LINK, COLOR_ADDR, COLOR_UP, COLOR_DOWN };

/** print_color() - printf() in @color, if colors are wanted */
void print_color(const struct cli *cli, enum color color, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
