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
	"COMMAND := peer | sa | stats | monitor | keygen | up | down | status |\n"
	"           reload\n"
	"OPTIONS := -j[son] -p[retty] -s[tatistics] -d[etails] -n[etns] NAME -V[ersion]\n"
	"           -show-keys -c[ontrol] PATH\n"
	"Commands and keywords may be abbreviated. Links are made with ip:\n"
	"    ip link add vpn0 type esptun local ADDR\n"
	"See also: esptun(8), esptund(8)\n";

static const struct command commands[] = {
	{ "peer", cmd_peer, usage_peer },	{ "sa", cmd_sa, usage_sa },
	{ "stats", cmd_stats, usage_stats },	{ "monitor", cmd_monitor, usage_monitor },
	{ "keygen", cmd_keygen, usage_keygen }, { "up", cmd_up, usage_agent },
	{ "down", cmd_down, usage_agent },	{ "status", cmd_status, usage_agent },
	{ "reload", cmd_reload, usage_agent },	{ NULL, NULL, NULL },
};

/* ------------------------------------------------------------------- errors */

void cli_error(const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	fputs("Error: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
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

const char *cli_ifname(uint32_t ifindex)
{
	static char name[IFNAMSIZ + 8];

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
	fputs(usage, stderr);
	return EXIT_USAGE;
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

enum { O_JSON, O_PRETTY, O_STATISTICS, O_DETAILS, O_NETNS, O_VERSION, O_HELP, O_CONTROL, O_KEYS };

static const struct keyword options[] = {
	{ "json", O_JSON, true },
	{ "pretty", O_PRETTY, true },
	{ "statistics", O_STATISTICS, true },
	{ "stats", O_STATISTICS, true },
	{ "details", O_DETAILS, true },
	{ "netns", O_NETNS, true },
	{ "Version", O_VERSION, true },
	{ "help", O_HELP, true },
	{ "control", O_CONTROL, true },
	{ NULL, 0, false },
};

/* "-j", "-json", "--json"; keys are too precious for an abbreviation. */
static int find_option(const char *s)
{
	const struct keyword *k;

	s += s[1] == '-' ? 2 : 1;
	if (!strcmp(s, "show-keys"))
		return O_KEYS;
	for (k = options; k->name; k++)
		if (args_abbrev(s, k->name))
			return k->id;
	return -1;
}

/* Take one option: 0 go on, -1 done well, or an exit code. */
static int take_option(struct cli *cli, struct args *a)
{
	const char *option = args_next(a), *value = NULL;
	int id = find_option(option);

	if ((id == O_NETNS || id == O_CONTROL) && args_value(a, option, &value))
		return cli_usage_error(a);
	switch (id) {
	case O_JSON: cli->json = true; return 0;
	case O_PRETTY: cli->pretty = true; return 0;
	case O_STATISTICS: cli->statistics = true; return 0;
	case O_DETAILS: cli->details = true; return 0;
	case O_KEYS: cli->show_keys = true; return 0;
	case O_CONTROL: cli->control = value; return 0;
	case O_NETNS: return enter_netns(value);
	case O_VERSION: printf("esptun %s\n", ESPTUN_VERSION); return -1;
	case O_HELP: fputs(usage_main, stdout); return -1;
	default:
		cli_error("option \"%.40s\" is unknown, try \"esptun -help\"", option);
		return EXIT_USAGE;
	}
}

static int print_help(const char *topic)
{
	const struct command *c;

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
		return print_help(args_next(a));
	for (c = commands; c->name; c++)
		if (args_abbrev(s, c->name))
			return c->run(cli, a);
	cli_error("unknown command \"%.40s\", try \"esptun help\"", s);
	return EXIT_USAGE;
}

int cli_main(int argc, char **argv)
{
	struct args a = { .argc = argc - 1, .argv = argv + 1 };
	struct cli cli = { 0 };
	int ret = 0;

	while (!ret && a.argc && a.argv[0][0] == '-')
		ret = take_option(&cli, &a);
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
