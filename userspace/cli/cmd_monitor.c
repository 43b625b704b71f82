// SPDX-License-Identifier: GPL-2.0-or-later
/* esptun monitor, esptun stats */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/cli.h"

const char usage_monitor[] =
	"Usage: esptun monitor [dev NAME] [label on|off]\n"
	"Prints events until interrupted: acquire, expire, peer-moved, and peers and SAs added,\n"
	"changed and deleted. With -j one JSON object a line. label on prints the time first.\n"
	"\"overrun\" means that events came faster than they were read and some are lost.\n";

const char usage_stats[] =
	"Usage: esptun stats [dev NAME]\n"
	"Counters, with the reason of every dropped packet; those that moved, all with -d or -j.\n"
	"\"(no link)\", \"-\" with -brief, counts datagrams that could not be matched to a link.\n";

const struct keyword monitor_keywords[] = {
	{ "dev", 0, false, "@dev" },
	{ "label", 1, false, "on off" },
	{ NULL, 0, false, NULL },
};

const struct keyword stats_keywords[] = { { "dev", 0, false, "@dev" }, { NULL, 0, false, NULL } };

struct monitor {
	struct cli *cli;
	uint32_t ifindex; /* 0: of any link */
	bool label;
};

static void print_label(json_t *json)
{
	struct timespec now;
	struct tm tm;
	char text[64];
	size_t n;

	clock_gettime(CLOCK_REALTIME, &now);
	localtime_r(&now.tv_sec, &tm);
	n = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text + n, sizeof(text) - n, ".%06ld", now.tv_nsec / 1000);
	if (json)
		json_object_set_new(json, "time", json_string(text));
	else
		printf("[%s] ", text);
}

static void on_event(const struct esptun_event *ev, void *arg)
{
	struct monitor *m = arg;
	json_t *json = NULL;

	if (m->ifindex && ev->ifindex && (ev->ifindex != m->ifindex || ev->where.elsewhere))
		return;
	if (m->cli->json)
		json = json_event(ev);
	if (m->label)
		print_label(json);
	if (json)
		print_json(m->cli, json);
	else
		print_event(m->cli, ev);
	fflush(stdout);
}

static int parse(struct args *a, const char **dev, bool *label)
{
	int id;

	a->seen = 0;
	while (a->argc > 0)
		if (args_keyword(a, monitor_keywords, &id) ||
		    (id == 0 ? args_value(a, "dev", dev) : args_bool(a, "label", label)))
			return -EINVAL;
	return 0;
}

static int follow(struct monitor *m)
{
	struct pollfd p = { .events = POLLIN };

	p.fd = esptun_events_open(m->cli->h);
	if (p.fd < 0)
		return cli_kernel_error(m->cli);
	for (;;) {
		if (poll(&p, 1, -1) < 0 && errno != EINTR) {
			cli_error("cannot wait for events: %s", strerror(errno));
			return EXIT_KERNEL;
		}
		if (esptun_events_read(m->cli->h, on_event, m) < 0)
			return cli_kernel_error(m->cli);
		if (ferror(stdout))
			return EXIT_KERNEL;
	}
}

int cmd_monitor(struct cli *cli, struct args *a)
{
	struct monitor m = { .cli = cli };
	const char *dev = NULL;
	int err;

	if (a->argc && args_abbrev(a->argv[0], "help")) {
		fputs(usage_monitor, stdout);
		return 0;
	}
	if (parse(a, &dev, &m.label))
		return cli_usage_error(a);
	err = dev ? cli_ifindex(cli, dev, &m.ifindex) : cli_open(cli);
	return err ? err : follow(&m);
}

static json_t *json_link_stats(const struct esptun_link_stats *s)
{
	json_t *o = json_object();

	json_object_set_new(o, "dev",
			    s->ifindex ? json_string(cli_dev(s->ifindex, &s->where)) : json_null());
	json_object_set_new(o, "stats", json_stats(&s->stats));
	return o;
}

int cmd_stats(struct cli *cli, struct args *a)
{
	struct esptun_link_stats *stats;
	json_t *list = NULL;
	const char *dev = NULL;
	uint32_t ifindex = 0;
	size_t i, n;
	int err, id;

	if (a->argc && args_abbrev(a->argv[0], "help")) {
		fputs(usage_stats, stdout);
		return 0;
	}
	a->seen = 0;
	while (a->argc > 0)
		if (args_keyword(a, stats_keywords, &id) || args_value(a, "dev", &dev))
			return cli_usage_error(a);
	err = dev ? cli_ifindex(cli, dev, &ifindex) : cli_open(cli);
	if (err)
		return err;
	if (esptun_stats_dump(cli->h, ifindex, &stats, &n))
		return cli_kernel_error(cli);
	if (cli->json)
		list = json_array();
	for (i = 0; i < n; i++) {
		if (list)
			json_array_append_new(list, json_link_stats(&stats[i]));
		else
			print_stats(cli,
				    stats[i].ifindex ? cli_dev(stats[i].ifindex, &stats[i].where)
				    : cli->brief     ? "-"
						     : "(no link)",
				    &stats[i].stats);
	}
	free(stats);
	if (list)
		print_json(cli, list);
	return 0;
}
