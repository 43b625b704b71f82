// SPDX-License-Identifier: GPL-2.0-or-later
/* esptun up, down, status, reload, pool. */
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/ioctl.h>

#include "cli/cli.h"
#include "cli/control.h"
#include "cli/reply.h"

const char usage_agent[] =
	"Usage: esptun up NAME [timeout SECS]\n"
	"       esptun down NAME | --all [timeout SECS]\n"
	"       esptun status [NAME]\n"
	"       esptun reload\n"
	"Asks the agent, esptund, to bring up or take down the tunnel of\n"
	"/etc/esptun/NAME.conf, how its tunnels are, or to read its configuration again.\n"
	"up returns once the tunnel is up, or with the reason why not (20 seconds).\n";

const char usage_pool[] =
	"Usage: esptun pool show [NAME]\n"
	"Asks the agent, esptund, which addresses its hubs have for their clients ([Pool]\n"
	"in /etc/esptun/NAME.conf), and who has them.\n";

#define AGENT_TIMEOUT 20 /* seconds it takes over up and down if not told */

static void print_refusal(const struct cli *cli, json_t *reply)
{
	const char *sentence = json_string_value(json_object_get(reply, "error"));
	json_t *item, *list = json_object_get(reply, "errors");
	size_t i;

	if (cli->json) {
		json_dumpf(reply, stderr, JSON_COMPACT);
		fputc('\n', stderr);
	} else if (json_array_size(list) < 2)
		cli_error("%s", sentence ? sentence : "the agent refused");
	else
		json_array_foreach(list, i, item)
			cli_error("%s", json_string_value(item));
}

/* @reply, if it is no refusal; else NULL, and that or, without a reply, @err is printed. */
static json_t *accept_reply(const struct cli *cli, json_t *reply, const char *err)
{
	if (!reply) {
		cli_error("%s", err);
		return NULL;
	}
	if (json_is_true(json_object_get(reply, "ok")))
		return reply;
	if (!cli->json)
		control_make_printable(reply);
	print_refusal(cli, reply);
	json_decref(reply);
	return NULL;
}

static json_t *ask(const struct cli *cli, json_t *request, unsigned int seconds)
{
	char err[512];
	json_t *reply = control_exchange(cli, request, seconds, NULL, err, sizeof(err));

	return accept_reply(cli, reply, err);
}

/* ------------------------------------------------------------------- status */

/* " NAME item item", nothing for an empty list. */
static void print_list(const char *name, json_t *list)
{
	json_t *item;
	size_t i;

	if (json_array_size(list) && *name)
		printf(" %s", name);
	json_array_foreach(list, i, item)
		printf(" %s", json_string_value(item) ? json_string_value(item) : "?");
}

static void print_age(const char *before, json_t *o, const char *key, const char *after)
{
	json_t *age = json_object_get(o, key);

	if (json_is_number(age))
		printf("%s%.1fs%s", before, json_number_value(age), after);
}

/* The rounds in which an end proved who it is, if there were two, and what it proved in the first one. */
static void print_rounds(json_t *ike, const char *auth, const char *first_id)
{
	if (!strchr(reply_text(ike, auth), ','))
		return;
	printf(" by %s", reply_text(ike, auth));
	if (*reply_text(ike, first_id))
		printf(" first as %s", reply_text(ike, first_id));
}

static void print_end(const char *name, json_t *ike, const char *addr, const char *id,
		      const char *auth, const char *first_id, const char *nat)
{
	printf("    %s %s", name, reply_text(ike, addr));
	if (*reply_text(ike, id))
		printf(" id %s", reply_text(ike, id));
	print_rounds(ike, auth, first_id);
	if (json_is_true(json_object_get(ike, nat)))
		printf(" behind NAT");
	putchar('\n');
}

/* What came of the PPK, if one is configured. */
static void print_ppk(json_t *ike)
{
	const char *ppk = reply_text(ike, "ppk");

	if (!strcmp(ppk, "used"))
		printf(" ppk");
	else if (!strcmp(ppk, "not-offered"))
		printf(" without PPK: the peer uses none");
	else if (*ppk)
		printf(" without PPK: the ends do not have the same");
}

/* What is legacy of the algorithms that were agreed on, a line each. */
static void print_cautions(json_t *sa)
{
	json_t *one;
	size_t i;

	json_array_foreach(json_object_get(sa, "cautions"), i, one)
		printf("\n        warning: %s",
		       json_string_value(one) ? json_string_value(one) : "");
}

static void print_ike(json_t *ike)
{
	if (!ike)
		return;
	print_end("local", ike, "local", "local_id", "local_auth", "", "nat_local");
	print_end("remote", ike, "remote", "remote_id", "remote_auth", "first_id", "nat_remote");
	printf("    ike %s %s spi %s %s", reply_text(ike, "state"), reply_text(ike, "role"),
	       reply_text(ike, "spi_i"), reply_text(ike, "spi_r"));
	print_age(" age ", ike, "age", "");
	print_age(" rekey in ", ike, "rekey_in", "");
	if (json_is_true(json_object_get(ike, "mobike")))
		printf(" mobike");
	if (!strcmp(reply_text(ike, "encap"), "esp"))
		printf(" encap esp");
	if (*reply_text(ike, "proposal"))
		printf("\n        %s", reply_text(ike, "proposal"));
	print_ppk(ike);
	print_cautions(ike);
	putchar('\n');
}

static void print_child(json_t *child, bool named)
{
	if (!child)
		return;
	printf("    esp ");
	if (named)
		printf("%s ", reply_text(child, "name"));
	printf("%s spi in %s out %s", reply_text(child, "proposal"), reply_text(child, "spi_in"),
	       reply_text(child, "spi_out"));
	print_age(" age ", child, "age", "");
	print_age(" rekey in ", child, "rekey_in", "");
	if (!strcmp(reply_text(child, "mode"), "transport"))
		printf(" transport");
	print_cautions(child);
	printf("\n       ");
	print_list("local-ts", json_object_get(child, "local_ts"));
	print_list("remote-ts", json_object_get(child, "remote_ts"));
	putchar('\n');
}

/* One needs no name; those that are not up are named after the others. */
static void print_children(json_t *children)
{
	bool several = json_array_size(children) > 1, any = false;
	json_t *child;
	size_t i;

	json_array_foreach(children, i, child) {
		if (!strcmp(reply_text(child, "state"), "up"))
			print_child(child, several);
	}
	json_array_foreach(children, i, child) {
		if (!several || !strcmp(reply_text(child, "state"), "up"))
			continue;
		printf("%s %s", any ? "" : "    esp down:", reply_text(child, "name"));
		any = true;
	}
	if (any)
		putchar('\n');
}

/* In the counter's own words: JSON has "_" where they have "-". */
static void print_counter(const char *key, json_int_t v)
{
	printf("    ");
	for (; *key; key++)
		putchar(*key == '_' ? '-' : *key);
	printf(" %" JSON_INTEGER_FORMAT "\n", v);
}

static void print_traffic(json_t *peer, json_t *counters)
{
	const char *key;
	json_t *v;

	if (peer) {
		printf("    rx packets %" JSON_INTEGER_FORMAT " bytes %" JSON_INTEGER_FORMAT,
		       reply_number(peer, "rx_packets"), reply_number(peer, "rx_bytes"));
		print_age(" last ", peer, "last_rx", " ago");
		printf("\n    tx packets %" JSON_INTEGER_FORMAT " bytes %" JSON_INTEGER_FORMAT
		       " keepalives %" JSON_INTEGER_FORMAT "\n",
		       reply_number(peer, "tx_packets"), reply_number(peer, "tx_bytes"),
		       reply_number(peer, "keepalives"));
	}
	json_object_foreach(counters, key, v)
		print_counter(key, json_integer_value(v));
}

/* Of a tunnel that is connecting: how far it came, and when it goes on. */
static void print_attempt(json_t *t)
{
	if (!json_object_get(t, "attempt"))
		return;
	printf("\n    attempt %" JSON_INTEGER_FORMAT, reply_number(t, "attempt"));
	if (*reply_text(t, "step"))
		printf(" %s sent %" JSON_INTEGER_FORMAT " times, no answer", reply_text(t, "step"),
		       reply_number(t, "tries"));
	print_age(*reply_text(t, "step") ? " again in " : " begins in ", t, "next_try", "");
	if (*reply_text(t, "send_error"))
		printf("\n    sending failed: %s", reply_text(t, "send_error"));
}

/* Addresses that one end gave the other. */
static void print_lease(json_t *o)
{
	if (!json_array_size(json_object_get(o, "lease")))
		return;
	printf("   ");
	print_list("lease", json_object_get(o, "lease"));
	putchar('\n');
}

/* Of one family of a hub's pool. */
static void print_pool(const char *family, json_t *pool)
{
	json_t *p = json_object_get(pool, family);

	if (p)
		printf("    pool %s addresses %" JSON_INTEGER_FORMAT " leased %" JSON_INTEGER_FORMAT
		       " in use %" JSON_INTEGER_FORMAT "\n",
		       family, reply_number(p, "size"), reply_number(p, "leased"),
		       reply_number(p, "held"));
}

/* How logins, or accounting, of a RADIUS server go. */
static void print_service(const char *what, json_t *s)
{
	if (!s)
		return;
	printf("    %s %s %s requests %" JSON_INTEGER_FORMAT " answers %" JSON_INTEGER_FORMAT, what,
	       reply_text(s, "server"), reply_text(s, "state"), reply_number(s, "requests"),
	       reply_number(s, "answers"));
	if (json_object_get(s, "accepts"))
		printf(" accepts %" JSON_INTEGER_FORMAT " rejects %" JSON_INTEGER_FORMAT,
		       reply_number(s, "accepts"), reply_number(s, "rejects"));
	putchar('\n');
}

static void print_servers(json_t *t)
{
	json_t *s;
	size_t i;

	json_array_foreach(json_object_get(t, "radius"), i, s) {
		print_service("radius", s);
		print_service("radius accounting", json_object_get(s, "accounting"));
	}
	if (reply_number(t, "radius_records"))
		printf("    radius records waiting %" JSON_INTEGER_FORMAT "\n",
		       reply_number(t, "radius_records"));
}

static void print_client(json_t *c)
{
	json_t *child, *ike = json_object_get(c, "ike");
	const char *id = reply_text(c, "id");
	size_t i;

	printf("    client %s: %s", *id ? id : "not back yet", reply_text(c, "state"));
	printf(" peer %" JSON_INTEGER_FORMAT, reply_number(c, "peer_id"));
	if (*reply_text(ike, "remote"))
		printf(" at %s", reply_text(ike, "remote"));
	print_rounds(ike, "remote_auth", "first_id");
	print_age(" age ", ike, "age", "");
	if (*reply_text(c, "error"))
		printf("\n        error: %s", reply_text(c, "error"));
	printf("\n       ");
	if (json_array_size(json_object_get(c, "lease")))
		print_list("lease", json_object_get(c, "lease"));
	json_array_foreach(json_object_get(c, "children"), i, child)
		print_list("remote-ts", json_object_get(child, "remote_ts"));
	printf(" rx packets %" JSON_INTEGER_FORMAT " tx packets %" JSON_INTEGER_FORMAT "\n",
	       reply_number(json_object_get(c, "peer"), "rx_packets"),
	       reply_number(json_object_get(c, "peer"), "tx_packets"));
}

static enum color state_color(json_t *t)
{
	return strcmp(reply_text(t, "state"), "up") ? COLOR_DOWN : COLOR_UP;
}

static void text_tunnel(const struct cli *cli, json_t *t)
{
	json_t *client, *link = json_object_get(t, "link");
	size_t i;

	print_color(cli, COLOR_LINK, "%s", reply_text(t, "name"));
	printf(": ");
	print_color(cli, state_color(t), "%s", reply_text(t, "state"));
	if (*reply_text(t, "endpoint"))
		printf(" endpoint %s", reply_text(t, "endpoint"));
	if (link)
		printf(" mtu %" JSON_INTEGER_FORMAT, reply_number(link, "mtu"));
	if (json_object_get(t, "n_clients"))
		printf(" clients %" JSON_INTEGER_FORMAT, reply_number(t, "n_clients"));
	print_attempt(t);
	if (*reply_text(t, "error")) {
		printf("\n    error: %s", reply_text(t, "error"));
		print_age(" (", t, "error_age", " ago)");
	}
	putchar('\n');
	if (json_array_size(json_object_get(t, "addresses")) ||
	    json_array_size(json_object_get(t, "routes"))) {
		printf("   ");
		print_list("addresses", json_object_get(t, "addresses"));
		print_list("routes", json_object_get(t, "routes"));
		putchar('\n');
	}
	if (json_array_size(json_object_get(t, "told_routes"))) {
		printf("   ");
		print_list("told-routes", json_object_get(t, "told_routes"));
		putchar('\n');
	}
	print_lease(t);
	print_pool("ipv4", json_object_get(t, "pool"));
	print_pool("ipv6", json_object_get(t, "pool"));
	print_servers(t);
	if (reply_number(t, "adopted"))
		printf("    adopted SA pairs %" JSON_INTEGER_FORMAT "\n",
		       reply_number(t, "adopted"));
	print_ike(json_object_get(t, "ike"));
	print_children(json_object_get(t, "children"));
	print_traffic(json_object_get(t, "peer"), json_object_get(t, "counters"));
	json_array_foreach(json_object_get(t, "clients"), i, client)
		print_client(client);
}

/* "hq               up         198.51.100.2:4500      10.0.0.0/8 fd00::/8" */
static void brief_tunnel(const struct cli *cli, json_t *t)
{
	const char *remote = reply_text(json_object_get(t, "ike"), "remote");

	if (!*remote)
		remote = *reply_text(t, "endpoint") ? reply_text(t, "endpoint") : "-";
	print_color(cli, COLOR_LINK, "%-16s", reply_text(t, "name"));
	printf(" ");
	print_color(cli, state_color(t), "%-10s", reply_text(t, "state"));
	printf(" ");
	print_color(cli, COLOR_ADDR, "%-22s", remote);
	print_list("", json_object_get(t, "routes"));
	putchar('\n');
}

static void print_tunnel(const struct cli *cli, json_t *t)
{
	begin_object(cli);
	if (cli->brief)
		brief_tunnel(cli, t);
	else
		text_tunnel(cli, t);
	end_object(cli);
}

/* Files that were written, changed or removed since the agent read its configuration. */
static void print_file(const char *folder, json_t *file)
{
	static const struct {
		const char *state, *says, *command;
		bool takes_name;
	} rows[] = {
		{ "new", "is not loaded", "esptun up ", true },
		{ "changed", "has changed since it was read", "esptun reload", false },
		{ "gone", "is gone, but not its tunnel", "esptun reload", false },
	};
	const char *name = reply_text(file, "name");

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (!strcmp(reply_text(file, "state"), rows[i].state))
			printf("%s/%s.conf %s: %s%s\n", folder, name, rows[i].says, rows[i].command,
			       rows[i].takes_name ? name : "");
	}
}

/* ---------------------------------------------------------------------- pools */

static void print_since(json_int_t since)
{
	time_t then = (time_t)since;
	struct tm tm;
	char when[64];

	if (since > 0 && localtime_r(&then, &tm) &&
	    strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &tm))
		printf(" since %s", when);
}

static void text_lease(const struct cli *cli, json_t *l)
{
	bool online = !strcmp(reply_text(l, "state"), "online");

	printf("    ");
	print_color(cli, COLOR_ADDR, "%s", reply_text(l, "address"));
	printf(" ");
	print_color(cli, online ? COLOR_UP : COLOR_DOWN, "%s", reply_text(l, "state"));
	print_since(reply_number(l, "since"));
	printf(" %s", *reply_text(l, "id") ? reply_text(l, "id") : "(not back yet)");
	if (online)
		printf(" peer %" JSON_INTEGER_FORMAT, reply_number(l, "peer_id"));
	putchar('\n');
}

static void text_pool(const struct cli *cli, json_t *p)
{
	static const char *const families[] = { "ipv4", "ipv6" };
	json_t *l, *leases = json_object_get(p, "leases");
	size_t i;

	begin_object(cli);
	print_color(cli, COLOR_LINK, "%s", reply_text(p, "name"));
	printf(":");
	print_list("range", json_object_get(p, "ranges"));
	printf(" clients at most %" JSON_INTEGER_FORMAT "\n", reply_number(p, "clients"));
	for (i = 0; i < 2; i++) {
		json_t *c = json_object_get(p, families[i]);

		if (c)
			printf("    %s size %" JSON_INTEGER_FORMAT " leased %" JSON_INTEGER_FORMAT
			       " in use %" JSON_INTEGER_FORMAT " free %" JSON_INTEGER_FORMAT "\n",
			       families[i], reply_number(c, "size"), reply_number(c, "leased"),
			       reply_number(c, "held"), reply_number(c, "free"));
	}
	if (!cli->brief)
		json_array_foreach(leases, i, l)
			text_lease(cli, l);
	end_object(cli);
}

static void print_pools(const struct cli *cli, json_t *pools)
{
	json_t *p;
	size_t i;

	json_array_foreach(pools, i, p)
		text_pool(cli, p);
	if (pools && !json_array_size(pools))
		puts("no tunnel has a [Pool]");
}

static void print_reply(const struct cli *cli, json_t *reply)
{
	json_t *files = json_object_get(reply, "files");
	json_t *tunnels = json_object_get(reply, "tunnels"), *t;
	static const char *const lists[] = { "added", "removed", "changed" };
	size_t i;

	print_pools(cli, json_object_get(reply, "pools"));
	json_array_foreach(tunnels, i, t)
		print_tunnel(cli, t);
	if (tunnels && !json_array_size(tunnels) && !json_array_size(files))
		printf("no tunnels: there is no file NAME.conf in %s\n",
		       reply_text(reply, "folder"));
	json_array_foreach(files, i, t)
		print_file(reply_text(reply, "folder"), t);
	t = json_object_get(reply, "tunnel");
	if (t)
		printf("%s: %s\n", reply_text(t, "name"), reply_text(t, "state"));
	for (i = 0; i < 3; i++) {
		t = json_object_get(reply, lists[i]);
		if (!json_array_size(t))
			continue;
		printf("%s:", lists[i]);
		print_list("", t);
		putchar('\n');
	}
}

/* Takes @reply; NULL: what was wrong is printed already. */
static int print_answer(const struct cli *cli, json_t *reply)
{
	if (!reply)
		return EXIT_KERNEL;
	if (cli->json) {
		print_json(cli, reply);
		return 0;
	}
	control_make_printable(reply);
	print_reply(cli, reply);
	json_decref(reply);
	return 0;
}

static int ask_and_print(struct cli *cli, json_t *request, unsigned int seconds)
{
	return print_answer(cli, ask(cli, request, seconds));
}

/* ----------------------------------------------------------------- progress */

/* The line of a terminal that tells what esptun up waits for. */
struct progress {
	struct cli *cli;
	const char *tunnel;
	bool shown;
};

/* What a tunnel that is not up waits for. */
static void describe_step(json_t *t, char *line, size_t size)
{
	const char *remote = reply_text(json_object_get(t, "ike"), "remote");
	json_t *next = json_object_get(t, "next_try");

	if (!*remote)
		remote = *reply_text(t, "endpoint") ? reply_text(t, "endpoint") : "its peer";
	if (*reply_text(t, "step"))
		snprintf(line, size, "%s sent %d times, waiting for the answer of %s",
			 reply_text(t, "step"), (int)reply_number(t, "tries"), remote);
	else if (*reply_text(t, "error"))
		snprintf(line, size, "%s", reply_text(t, "error"));
	else if (json_is_number(next))
		snprintf(line, size, "attempt %d begins in %.1f s", (int)reply_number(t, "attempt"),
			 json_number_value(next));
	else
		snprintf(line, size, "waiting for %s", remote);
}

/* Bytes of @line that fit into a line of the terminal; no character is cut in two. */
static int fitting(const char *line)
{
	struct winsize w;
	size_t most = 79, len = strlen(line);

	if (!ioctl(STDERR_FILENO, TIOCGWINSZ, &w) && w.ws_col > 1)
		most = w.ws_col - 1U;
	if (len <= most)
		return (int)len;
	while (most && ((unsigned char)line[most] & 0xc0) == 0x80)
		most--;
	return (int)most;
}

static void erase_line(void)
{
	fputs("\r\033[K", stderr);
	fflush(stderr);
}

static void show_progress(void *ctx)
{
	struct progress *p = ctx;
	json_t *request = json_pack("{ssss}", "cmd", "status", "tunnel", p->tunnel);
	char err[512], step[512], line[640];
	json_t *reply = control_exchange(p->cli, request, 0, NULL, err, sizeof(err));
	json_t *t = json_array_get(json_object_get(reply, "tunnels"), 0);

	if (t) {
		control_make_printable(t);
		describe_step(t, step, sizeof(step));
		snprintf(line, sizeof(line), "%s: %s", p->tunnel, step);
		erase_line();
		fprintf(stderr, "%.*s", fitting(line), line);
		fflush(stderr);
		p->shown = true;
	}
	json_decref(reply);
}

/* Shows what the tunnel waits for, if that goes to a terminal. */
static int bring_up(struct cli *cli, json_t *request, unsigned int seconds)
{
	struct progress p = {
		.cli = cli,
		.tunnel = reply_text(request, "tunnel"),
	};
	struct control_tick tick = { show_progress, &p };
	bool shows = !cli->json && isatty(STDERR_FILENO);
	char err[512];
	json_t *reply;

	json_incref(request); /* p.tunnel is in it */
	reply = control_exchange(cli, request, seconds, shows ? &tick : NULL, err, sizeof(err));
	json_decref(request);
	if (p.shown)
		erase_line();
	return print_answer(cli, accept_reply(cli, reply, err));
}

/* ----------------------------------------------------------------- commands */

static bool wants_help(const struct args *a)
{
	return a->argc && args_abbrev(a->argv[0], "help");
}

static int print_usage(void)
{
	fputs(usage_agent, stdout);
	return 0;
}

const struct keyword up_keywords[] = { { "timeout", 0, false, NULL }, { NULL, 0, false, NULL } };

static int up_or_down(struct cli *cli, struct args *a, const char *cmd)
{
	char name[CLI_TUNNEL];
	const char *tunnel;
	uint32_t timeout = AGENT_TIMEOUT;
	json_t *request;
	int id;

	if (wants_help(a))
		return print_usage();
	tunnel = args_next(a);
	if (!tunnel) {
		args_fail(a, "%s needs the name of a tunnel: esptun %s NAME", cmd, cmd);
		return cli_usage_error(a);
	}
	if (!strcmp(cmd, "down") && !strcmp(tunnel, "--all")) {
		request = json_pack("{sssb}", "cmd", cmd, "all", 1);
	} else {
		tunnel = cli_tunnel(tunnel, name);
		if (!tunnel)
			return EXIT_USAGE;
		request = json_pack("{ssss}", "cmd", cmd, "tunnel", tunnel);
	}
	a->seen = 0;
	while (a->argc) {
		if (args_keyword(a, up_keywords, &id) ||
		    args_u32(a, "timeout", 0, 3599, &timeout)) {
			json_decref(request);
			return cli_usage_error(a);
		}
		json_object_set_new(request, "timeout", json_integer(timeout));
	}
	return !strcmp(cmd, "up") ? bring_up(cli, request, timeout)
				  : ask_and_print(cli, request, timeout);
}

int cmd_up(struct cli *cli, struct args *a)
{
	return up_or_down(cli, a, "up");
}

int cmd_down(struct cli *cli, struct args *a)
{
	return up_or_down(cli, a, "down");
}

int cmd_reload(struct cli *cli, struct args *a)
{
	if (wants_help(a))
		return print_usage();
	if (args_end(a, "esptun reload"))
		return cli_usage_error(a);
	return ask_and_print(cli, json_pack("{ss}", "cmd", "reload"), 0);
}

/* {"cmd":COMMAND}, about the tunnel that the rest names, or about all of them. */
static int ask_about(struct cli *cli, struct args *a, const char *cmd, const char *usage)
{
	const char *word = args_next(a), *tunnel = NULL;
	char name[CLI_TUNNEL];
	json_t *request;

	if (args_end(a, usage))
		return cli_usage_error(a);
	if (word) {
		tunnel = cli_tunnel(word, name);
		if (!tunnel)
			return EXIT_USAGE;
	}
	request = json_pack("{ss}", "cmd", cmd);
	if (tunnel)
		json_object_set_new(request, "tunnel", json_string(tunnel));
	return ask_and_print(cli, request, 0);
}

int cmd_status(struct cli *cli, struct args *a)
{
	return wants_help(a) ? print_usage() : ask_about(cli, a, "status", "esptun status [NAME]");
}

static int show_pool(struct cli *cli, struct args *a)
{
	return ask_about(cli, a, "pool", "esptun pool show [NAME]");
}

const struct subcommand pool_commands[] = { { "show", show_pool, 0, 0 }, { NULL, NULL, 0, 0 } };

int cmd_pool(struct cli *cli, struct args *a)
{
	return cli_subcommand(cli, a, pool_commands, show_pool, usage_pool);
}
