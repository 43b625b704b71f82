// SPDX-License-Identifier: GPL-2.0-or-later
/* esptun why: the checks of why.c, and what they ask for. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "cli/cli.h"
#include "cli/control.h"
#include "cli/why.h"
#include "cli/why_ping.h"
#include "cli/why_watch.h"
#include "common/holder.h"

const char usage_why[] =
	"Usage: esptun why NAME [to ADDRESS] [-v]\n"
	"Says what keeps the tunnel of /etc/esptun/NAME.conf from working, one fault at a time:\n"
	"the first one on the way from this machine to what is behind the peer. Looks at this\n"
	"machine, asks the agent, sends the peer datagrams that it has to answer, and, if the\n"
	"tunnel is up, echo requests to ADDRESS through it. -v tells of each check.\n"
	"Exit code 0: nothing is wrong; 3: a fault was found, or it cannot be told.\n";

enum { K_TO, K_VERBOSE };

const struct keyword why_keywords[] = {
	{ "to", K_TO, false, NULL },
	{ "-v", K_VERBOSE, true, "" },
	{ NULL, 0, false, NULL },
};

enum { PROBE_SECONDS = 3, IKE_PORT = 500 };

/* ---- what the checks ask ---------------------------------------------------------------- */

static int ask_module(void *ctx, char *said, size_t size)
{
	struct cli *cli = ctx;
	struct esptun_link_stats *stats;
	size_t n;
	int err;

	if (!cli->h)
		cli->h = esptun_open();
	if (!cli->h) {
		snprintf(said, size, "cannot open netlink sockets: %s", strerror(errno));
		return -EIO;
	}
	err = esptun_stats_dump(cli->h, 0, &stats, &n);
	if (err)
		snprintf(said, size, "%s", esptun_error(cli->h));
	else
		free(stats);
	return err;
}

static bool ask_holder(void *ctx, uint16_t port, char *name, size_t size)
{
	(void)ctx;
	return holder_of_port(port, name, size) && strncmp(name, "esptund", 7) != 0;
}

static json_t *ask_agent(void *ctx, json_t *request, char *said, size_t size)
{
	return control_exchange(ctx, request, PROBE_SECONDS, NULL, said, size);
}

static void copy_text(json_t *o, const char *key, char *to, size_t size)
{
	const char *s = json_string_value(json_object_get(o, key));

	snprintf(to, size, "%s", s ? s : "");
}

/* "192.0.2.1:4500", "[2001:db8::1]:500" */
static bool parse_endpoint(const char *s, struct esptun_addr *a, uint16_t *port)
{
	const char *colon = strrchr(s, ':');
	char host[ESPTUN_ADDR_STRLEN];
	bool v6 = *s == '[';

	if (!colon || colon - s - 2 * v6 >= (ptrdiff_t)sizeof(host))
		return false;
	snprintf(host, sizeof(host), "%.*s", (int)(colon - s - 2 * v6), s + v6);
	*port = (uint16_t)strtoul(colon + 1, NULL, 10);
	return !esptun_addr_parse(host, a);
}

static json_t *probe_request(const char *tunnel, uint16_t port)
{
	return json_pack("{ss ss si}", "cmd", "probe", "tunnel", tunnel, "port", port);
}

static void read_probe(json_t *reply, struct why_probe *out)
{
	json_t *p = json_object_get(reply, "probe");

	copy_text(reply, "error", out->refused, sizeof(out->refused));
	copy_text(p, "local", out->local, sizeof(out->local));
	copy_text(p, "remote", out->remote, sizeof(out->remote));
	copy_text(p, "send_error", out->send_error, sizeof(out->send_error));
	out->sent = (unsigned int)json_integer_value(json_object_get(p, "sent"));
	out->answered = json_is_true(json_object_get(p, "answered"));
	if (!p && !*out->refused)
		snprintf(out->refused, sizeof(out->refused),
			 "the agent does not know the command probe: it is older than this one");
}

static void probe_once(struct cli *cli, const char *tunnel, uint16_t port, struct why_probe *out)
{
	json_t *reply =
		ask_agent(cli, probe_request(tunnel, port), out->refused, sizeof(out->refused));

	if (reply)
		read_probe(reply, out);
	json_decref(reply);
}

/* Where it went is known afterwards: what got no answer is sent once more, and watched. */
static void ask_probe(void *ctx, const char *tunnel, uint16_t port, struct why_probe *out)
{
	struct esptun_addr peer;
	struct why_watch watch;
	struct why_seen seen;
	uint16_t remote_port;

	probe_once(ctx, tunnel, port, out);
	if (out->answered || *out->refused || !parse_endpoint(out->remote, &peer, &remote_port))
		return;
	why_watch_begin(&watch, &peer, remote_port, 0);
	probe_once(ctx, tunnel, port, out);
	why_watch_end(&watch, &seen);
	out->seen = seen;
}

/* What the kernel counts of the tunnel's peer and of the link. */
struct counts {
	struct esptun_peer peer;
	struct esptun_stats stats;
};

static void read_counts(struct cli *cli, uint32_t ifindex, struct counts *c)
{
	struct esptun_link_stats *all;
	size_t n;

	memset(c, 0, sizeof(*c));
	esptun_peer_get(cli->h, ifindex, 1, &c->peer);
	if (esptun_stats_dump(cli->h, ifindex, &all, &n))
		return;
	for (size_t i = 0; i < n; i++) {
		if (all[i].ifindex == ifindex)
			c->stats = all[i].stats;
	}
	free(all);
}

static void compare_counts(const struct counts *before, const struct counts *after,
			   struct why_pong *p)
{
	uint64_t most = 0;

	p->tx = after->peer.tx_packets - before->peer.tx_packets;
	p->rx = after->peer.rx_packets - before->peer.rx_packets;
	for (unsigned int i = 0; i <= ESPTUN_STATS_A_MAX; i++) {
		uint64_t rose = after->stats.v[i] - before->stats.v[i];

		if (!esptun_stats_is_drop(i) || rose <= most)
			continue;
		most = rose;
		snprintf(p->drop, sizeof(p->drop), "%s", esptun_stats_name(i));
		p->drop_text = esptun_stats_text(i);
	}
}

static void ask_ping(void *ctx, const struct why_ping *what, struct why_pong *p)
{
	struct cli *cli = ctx;
	struct counts before, after;
	struct esptun_link link;
	struct why_watch watch;

	if (esptun_link_get(cli->h, what->dev, &link)) {
		snprintf(p->failed, sizeof(p->failed), "%s", esptun_error(cli->h));
		return;
	}
	why_watch_begin(&watch, &what->peer, IKE_PORT, link.ifindex);
	read_counts(cli, link.ifindex, &before);
	why_ping(what, p);
	read_counts(cli, link.ifindex, &after);
	why_watch_end(&watch, &p->seen);
	compare_counts(&before, &after, p);
}

/* ---- the command ---------------------------------------------------------------------- */

struct report {
	const struct cli *cli;
	bool verbose;
	json_t *steps;
};

static void print_step(void *ctx, const char *check, enum why_verdict v, const char *said)
{
	struct report *r = ctx;
	json_t *text = json_object();

	json_object_set_new(text, "check", json_string(check));
	json_object_set_new(text, "verdict", json_string(why_word(v)));
	json_object_set_new(text, "text", json_stringn(said, strlen(said)));
	if (r->verbose && !r->cli->json) {
		control_make_printable(text);
		print_color(r->cli, v == WHY_OK ? COLOR_UP : COLOR_DOWN, "%-7s", why_word(v));
		printf(" %s: %s\n", check, json_string_value(json_object_get(text, "text")));
		fflush(stdout);
	}
	json_array_append_new(r->steps, text);
}

/* What there is to say at the end, in one object, whose texts are printable if it is not for programs. */
static json_t *result_json(const char *tunnel, const struct why_result *result)
{
	json_t *o = json_pack("{ss ss}", "tunnel", tunnel, "verdict", why_word(result->verdict));

	if (result->check) {
		json_object_set_new(o, "check", json_string(result->check));
		json_object_set_new(o, "text", json_string(result->said));
	}
	if (*result->note)
		json_object_set_new(o, "note", json_string(result->note));
	return o;
}

static void print_result(json_t *o)
{
	const char *name = json_string_value(json_object_get(o, "tunnel"));
	const char *said = json_string_value(json_object_get(o, "text"));
	const char *note = json_string_value(json_object_get(o, "note"));
	const char *check = json_string_value(json_object_get(o, "check"));

	if (said)
		printf("%s: %s: %s\n", name, check, said);
	else
		printf("%s: nothing is wrong\n", name);
	if (note)
		printf("%s: note: %s\n", name, note);
}

static int explain(struct cli *cli, const char *tunnel, const struct esptun_addr *to, bool verbose)
{
	const struct why_asks asks = { cli, ask_module, ask_holder, ask_agent, ask_probe, ask_ping };
	struct report report = { cli, verbose, json_array() };
	struct why_result result;
	json_t *o;

	why_run(&asks, tunnel, to, print_step, &report, &result);
	o = result_json(tunnel, &result);
	if (cli->json) {
		json_object_set_new(o, "steps", report.steps);
		print_json(cli, o);
	} else {
		json_decref(report.steps);
		control_make_printable(o);
		print_result(o);
		json_decref(o);
	}
	return result.verdict == WHY_OK ? 0 : EXIT_FAULT;
}

int cmd_why(struct cli *cli, struct args *a)
{
	struct esptun_addr to = { .family = AF_UNSPEC };
	const char *word = args_next(a), *tunnel;
	char name[CONTROL_NAME];
	bool verbose = cli->details;
	int id;

	if (word && args_abbrev(word, "help")) {
		fputs(usage_why, stdout);
		return 0;
	}
	if (!word) {
		args_fail(a, "why needs the name of a tunnel: esptun why NAME");
		return cli_usage_error(a);
	}
	tunnel = control_tunnel(word, name);
	if (!tunnel)
		return EXIT_USAGE;
	a->seen = 0;
	while (a->argc) {
		if (args_keyword(a, why_keywords, &id))
			return cli_usage_error(a);
		if (id == K_VERBOSE)
			verbose = true;
		else if (args_addr(a, "to", &to))
			return cli_usage_error(a);
	}
	return explain(cli, tunnel, &to, verbose);
}
