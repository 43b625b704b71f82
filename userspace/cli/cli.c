// SPDX-License-Identifier: GPL-2.0-or-later
/* Options, the table of commands, and what all commands use. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>
#include <net/if.h>

#include "cli/cli.h"

#ifndef ESPTUN_VERSION
#define ESPTUN_VERSION "unknown"
#endif

static const char usage_main[] =
	"Usage: esptun [OPTIONS] COMMAND [ARGUMENTS | help]\n"
	"COMMAND := peer | sa | stats | monitor | keygen | import | ca | peer-config |\n"
	"           up | down | status | top | why | check | reload | pool | algo\n"
	"OPTIONS := -j[son] -p[retty] -s[tatistics] -d[etails] -br[ief] -o[neline]\n"
	"           -c[olor][={always|auto|never}] -n[etns] NAME -con[trol] PATH\n"
	"           -show-keys -V[ersion]\n"
	"Commands and keywords may be abbreviated. Links are made with ip:\n"
	"    ip link add vpn0 type esptun local ADDR\n"
	"See also: esptun(8), esptund(8)\n";

const struct command commands[] = {
	{ "peer", cmd_peer, usage_peer, peer_keywords, peer_commands, NULL },
	{ "sa", cmd_sa, usage_sa, sa_keywords, sa_commands, NULL },
	{ "stats", cmd_stats, usage_stats, stats_keywords, NULL, NULL },
	{ "monitor", cmd_monitor, usage_monitor, monitor_keywords, NULL, NULL },
	{ "keygen", cmd_keygen, usage_keygen, keygen_keywords, NULL, NULL },
	{ "import", cmd_import, usage_import, import_keywords, NULL, "@file" },
	{ "ca", cmd_ca, usage_ca, ca_keywords, ca_commands, NULL },
	{ "peer-config", cmd_peer_config, usage_peer_config, peer_config_keywords, NULL,
	  "@tunnel" },
	{ "up", cmd_up, usage_agent, up_keywords, NULL, "@tunnel" },
	{ "down", cmd_down, usage_agent, up_keywords, NULL, "@tunnel --all" },
	{ "status", cmd_status, usage_agent, NULL, NULL, "@tunnel" },
	{ "top", cmd_top, usage_top, top_keywords, NULL, NULL },
	{ "why", cmd_why, usage_why, why_keywords, NULL, "@tunnel" },
	{ "check", cmd_check, usage_check, to_keywords, NULL, "@tunnel" },
	{ "reload", cmd_reload, usage_agent, NULL, NULL, NULL },
	{ "pool", cmd_pool, usage_pool, NULL, pool_commands, "@tunnel" },
	{ "algo", cmd_algo, usage_algo, NULL, algo_commands, NULL },
	{ NULL, NULL, NULL, NULL, NULL, NULL },
};

/* ------------------------------------------------------------------- errors */

static bool errors_as_json;

void cli_error(const char *fmt, ...)
{
	char text[2048];
	json_t *o;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fflush(stdout);
	o = errors_as_json ? json_pack("{ss}", "error", text) : NULL;
	if (o)
		json_dumpf(o, stderr, JSON_COMPACT);
	else
		fprintf(stderr, "Error: %s", text);
	fputc('\n', stderr);
	json_decref(o);
}

int cli_usage_error(const struct args *a)
{
	cli_error("%s", a->err);
	return EXIT_USAGE;
}

int cli_kernel_error(struct cli *cli)
{
	cli_error("%s", esptun_error(cli->h));
	return EXIT_KERNEL;
}

/* ------------------------------------------------------------------ helpers */

int cli_open(struct cli *cli)
{
	if (!cli->h)
		cli->h = esptun_open();
	if (cli->h)
		return 0;
	cli_error("cannot open netlink sockets: %s", strerror(errno));
	return EXIT_KERNEL;
}

int cli_ifindex(struct cli *cli, const char *dev, uint32_t *ifindex)
{
	struct esptun_link link;
	int err = cli_open(cli);

	if (err)
		return err;
	if (esptun_link_get(cli->h, dev, &link))
		return cli_kernel_error(cli);
	*ifindex = link.ifindex;
	return 0;
}

const char *cli_dev(uint32_t ifindex, const struct esptun_where *where)
{
	static char name[IFNAMSIZ + 8];

	if (where->ifname[0])
		return where->ifname;
	if (!if_indextoname(ifindex, name))
		snprintf(name, sizeof(name), "if%u", ifindex);
	return name;
}

int cli_subcommand(struct cli *cli, struct args *a, const struct subcommand *table,
		   int (*otherwise)(struct cli *, struct args *), const char *usage)
{
	const char *s = args_next(a);

	if (!s)
		return otherwise(cli, a);
	if (args_abbrev(s, "help")) {
		fputs(usage, stdout);
		return 0;
	}
	for (; table->name; table++)
		if (args_abbrev(s, table->name))
			return table->run(cli, a);
	cli_error("unknown subcommand \"%.40s\"", s);
	if (!cli->json)
		fputs(usage, stderr);
	return EXIT_USAGE;
}

const char *cli_tunnel(const char *word, char name[static CLI_TUNNEL])
{
	const char *base = strrchr(word, '/');
	size_t len;

	if (base && strncmp(word, CONFIG_PATH "/", sizeof(CONFIG_PATH))) {
		cli_error("the agent reads " CONFIG_PATH
			  "/NAME.conf only; name the tunnel, not %.200s",
			  word);
		return NULL;
	}
	base = base ? base + 1 : word;
	len = strlen(base);
	if (len > 5 && !strcmp(base + len - 5, ".conf"))
		len -= 5;
	snprintf(name, CLI_TUNNEL, "%.*s", (int)len, base);
	return name;
}

/* ------------------------------------------------------------------ options */

static int enter_netns(const char *name)
{
	char path[256];
	int fd;

	if (strchr(name, '/'))
		snprintf(path, sizeof(path), "%s", name);
	else
		snprintf(path, sizeof(path), "/run/netns/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		cli_error("no network namespace \"%s\": %s; make it with: ip netns add %s", name,
			  strerror(errno), name);
		return EXIT_KERNEL;
	}
	if (setns(fd, CLONE_NEWNET)) {
		cli_error("cannot enter network namespace \"%s\": %s%s", name, strerror(errno),
			  errno == EPERM ? "; run as root" : "");
		close(fd);
		return EXIT_KERNEL;
	}
	close(fd);
	return 0;
}

enum {
	O_JSON,
	O_PRETTY,
	O_STATISTICS,
	O_DETAILS,
	O_BRIEF,
	O_ONELINE,
	O_COLOR,
	O_NETNS,
	O_VERSION,
	O_HELP,
	O_CONTROL,
	O_KEYS,
	O_COMPLETE,
};

/* The first one that an argument abbreviates is meant, as with ip. */
const struct keyword options[] = {
	{ "json", O_JSON, true, "" },
	{ "pretty", O_PRETTY, true, "" },
	{ "statistics", O_STATISTICS, true, "" },
	{ "stats", O_STATISTICS, true, "" },
	{ "details", O_DETAILS, true, "" },
	{ "brief", O_BRIEF, true, "" },
	{ "oneline", O_ONELINE, true, "" },
	{ "color", O_COLOR, true, "" },
	{ "colour", O_COLOR, true, "" },
	{ "netns", O_NETNS, true, "@netns" },
	{ "control", O_CONTROL, true, "@file" },
	{ "Version", O_VERSION, true, "" },
	{ "version", O_VERSION, true, "" },
	{ "help", O_HELP, true, "" },
	{ "show-keys", O_KEYS, true, "" },
	{ NULL, 0, false, NULL },
};

int cli_option(const char *s)
{
	const struct keyword *k;

	s += s[1] == '-' ? 2 : 1;
	/* These are never abbreviated: keys are too precious, the other is for programs. */
	if (!strcmp(s, "show-keys"))
		return O_KEYS;
	if (!strcmp(s, "complete"))
		return O_COMPLETE;
	for (k = options; k->name; k++)
		if (k->id != O_KEYS && args_abbrev(s, k->name))
			return k->id;
	return !strncmp(s, "c=", 2) || !strncmp(s, "color=", 6) ? O_COLOR : -1;
}

/* "-c", "-c=always", "-c=auto": the terminal decides, "-c=never". */
static int set_color(struct cli *cli, const char *option)
{
	const char *when = strchr(option, '=');

	when = when ? when + 1 : "always";
	if (strcmp(when, "always") && strcmp(when, "auto") && strcmp(when, "never")) {
		cli_error("color is %.40s, but must be always, auto or never", when);
		return EXIT_USAGE;
	}
	cli->color = !strcmp(when, "always") || (!strcmp(when, "auto") && isatty(STDOUT_FILENO));
	return 0;
}

/* Take one option: 0 go on, -1 done well, or an exit code. */
static int take_option(struct cli *cli, struct args *a)
{
	const char *option = args_next(a), *value = NULL;
	int id = cli_option(option);

	if ((id == O_NETNS || id == O_CONTROL) && args_value(a, option, &value))
		return cli_usage_error(a);
	switch (id) {
	case O_JSON: cli->json = errors_as_json = true; return 0;
	case O_PRETTY: cli->pretty = true; return 0;
	case O_STATISTICS: cli->statistics = true; return 0;
	case O_DETAILS: cli->details = true; return 0;
	case O_BRIEF: cli->brief = true; return 0;
	case O_ONELINE: cli->oneline = true; return 0;
	case O_COLOR: return set_color(cli, option);
	case O_KEYS: cli->show_keys = true; return 0;
	case O_CONTROL: cli->control = value; return 0;
	case O_NETNS: return enter_netns(value);
	case O_VERSION: printf("esptun %s\n", ESPTUN_VERSION); return -1;
	case O_HELP: fputs(usage_main, stdout); return -1;
	case O_COMPLETE: cli_complete(cli, a); return -1;
	default:
		cli_error("option \"%.40s\" is unknown, try \"esptun -help\"", option);
		return EXIT_USAGE;
	}
}

static int print_help(struct args *a)
{
	const char *topic = args_next(a);
	const struct command *c;

	if (args_end(a, "esptun help [COMMAND]"))
		return cli_usage_error(a);
	for (c = commands; topic && c->name; c++) {
		if (args_abbrev(topic, c->name)) {
			fputs(c->usage, stdout);
			return 0;
		}
	}
	fputs(usage_main, stdout);
	return 0;
}

static int run_command(struct cli *cli, struct args *a)
{
	const struct command *c;
	const char *s = args_next(a);

	if (args_abbrev(s, "help"))
		return print_help(a);
	for (c = commands; c->name; c++)
		if (args_abbrev(s, c->name))
			return c->run(cli, a);
	if (strchr(s, '/'))
		cli_error(
			"unknown command \"%.40s\"; the agent's socket is named with -control PATH",
			s);
	else
		cli_error("unknown command \"%.40s\", try \"esptun help\"", s);
	return EXIT_USAGE;
}

int cli_main(int argc, char **argv)
{
	struct args a = { .argc = argc - 1, .argv = argv + 1 };
	struct cli cli = { 0 };
	int ret = 0;

	errors_as_json = false;
	while (!ret && a.argc && a.argv[0][0] == '-')
		ret = take_option(&cli, &a);
	if (cli.json)
		cli.color = false;
	if (ret)
		return ret < 0 ? 0 : ret;
	if (a.argc) {
		ret = run_command(&cli, &a);
	} else if (cli.statistics) {
		ret = cmd_stats(&cli, &a);
	} else {
		fputs(usage_main, stderr);
		ret = EXIT_USAGE;
	}
	esptun_close(cli.h);
	if (fflush(stdout) || ferror(stdout)) {
		cli_error("cannot write: %s", strerror(errno));
		return EXIT_KERNEL;
	}
	return ret;
}
