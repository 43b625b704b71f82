// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * esptun why: the checks of why.c. esptun check: brings a tunnel up, renews its keys while echo requests go through
 * it, and makes these checks.
 */
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "cli/control.h"
#include "cli/why_ask.h"
#include "cli/why_ping.h"
#include "common/clock.h"

const char usage_why[] =
	"Usage: esptun why NAME [to ADDRESS] [-v]\n"
	"Says what keeps the tunnel of /etc/esptun/NAME.conf from working, one fault at a time:\n"
	"the first one on the way from this machine to what is behind the peer. Looks at this\n"
	"machine, asks the agent, sends the peer datagrams that it has to answer, and, if the\n"
	"tunnel is up, echo requests to ADDRESS through it; of a hub ADDRESS names the client.\n"
	"Behind a NAT that takes up to a minute. -v tells of each check.\n"
	"Exit code 0: nothing is wrong; 3: a fault was found, or it cannot be told.\n";

const char usage_check[] =
	"Usage: esptun check NAME [to ADDRESS]\n"
	"Brings the tunnel of /etc/esptun/NAME.conf up, renews the keys of all its SAs while echo\n"
	"requests go through it, and tries which sizes of packets pass. A line for each step; if\n"
	"one fails, what esptun why says. ADDRESS answers echo requests behind the tunnel.\n"
	"Exit code 0: all is well; 3: something is not, or cannot be told.\n";

enum { K_TO, K_VERBOSE };

const struct keyword to_keywords[] = { { "to", K_TO, false, NULL }, { NULL, 0, false, NULL } };

const struct keyword why_keywords[] = {
	{ "to", K_TO, false, NULL },
	{ "-v", K_VERBOSE, true, "" },
	{ NULL, 0, false, NULL },
};

/* ---- the command ---------------------------------------------------------------------- */

struct report {
	struct cli *cli;
	bool verbose;
	bool brief; /* of the checks of why those alone that tell something */
	json_t *failed; /* the first step of check that did; borrowed of @steps */
	unsigned int sent, lost; /* echo requests */
	json_t *steps;
};

static void print_step(const struct cli *cli, json_t *step)
{
	const char *verdict;

	control_make_printable(step); /* which has other strings then */
	verdict = json_string_value(json_object_get(step, "verdict"));
	print_color(cli, strcmp(verdict, "ok") ? COLOR_DOWN : COLOR_UP, "%-7s", verdict);
	printf(" %s: %s\n", json_string_value(json_object_get(step, "check")),
	       json_string_value(json_object_get(step, "text")));
	fflush(stdout);
}

/* Of the checks before packets all but the faulty one go without saying. */
static bool is_worth_a_line(const struct report *r, const char *check, enum why_verdict v)
{
	static const char *const told[] = { "ESP", "MTU", "fragments" };

	for (size_t i = 0; i < sizeof(told) / sizeof(*told); i++) {
		if (!strcmp(check, told[i]))
			return true;
	}
	return !r->brief || v != WHY_OK;
}

static void note_step(void *ctx, const char *check, enum why_verdict v, const char *said)
{
	struct report *r = ctx;
	json_t *step;

	if (!is_worth_a_line(r, check, v))
		return;
	step = json_pack("{ss ss}", "check", check, "verdict", why_word(v));
	json_object_set_new(step, "text", json_string(said));
	if (r->verbose && !r->cli->json)
		print_step(r->cli, step);
	json_array_append_new(r->steps, step);
}

/* What there is to say at the end: what check found itself goes before what why did. */
static json_t *result_json(const struct report *r, const char *tunnel,
			   const struct why_result *result)
{
	json_t *o = json_pack("{ss ss}", "tunnel", tunnel, "verdict",
			      why_word(r->failed ? WHY_FAULT : result->verdict));

	if (r->failed && result->verdict != WHY_FAULT) {
		json_object_set(o, "check", json_object_get(r->failed, "check"));
		json_object_set(o, "text", json_object_get(r->failed, "text"));
	} else if (result->check) {
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

static int explain(struct report *report, const char *tunnel, const struct esptun_addr *to)
{
	struct why_result result;
	struct why_asks asks;
	json_t *o;

	why_asks_of(report->cli, &asks);
	why_run(&asks, tunnel, to, note_step, report, &result);
	o = result_json(report, tunnel, &result);
	if (report->cli->json) {
		json_object_set(o, "steps", report->steps);
		print_json(report->cli, o);
	} else {
		control_make_printable(o);
		print_result(o);
		json_decref(o);
	}
	return result.verdict == WHY_OK && !report->failed ? 0 : EXIT_FAULT;
}

/* ---- why ------------------------------------------------------------------------------ */

/* NAME, and what follows by @table; false, with the exit code, if that is all. */
static bool parse(struct args *a, const struct keyword *table, const char *usage, const char *cmd,
		  char name[static CLI_TUNNEL], struct esptun_addr *to, bool *verbose, int *code)
{
	const char *word = args_next(a);
	int id;

	*code = 0;
	if (word && args_abbrev(word, "help")) {
		fputs(usage, stdout);
		return false;
	}
	*code = EXIT_USAGE;
	if (!word) {
		args_fail(a, "%s needs the name of a tunnel: esptun %s NAME", cmd, cmd);
		cli_usage_error(a);
		return false;
	}
	if (!cli_tunnel(word, name))
		return false;
	a->seen = 0;
	while (a->argc) {
		if (args_keyword(a, table, &id) || (id == K_TO && args_addr(a, "to", to))) {
			cli_usage_error(a);
			return false;
		}
		*verbose |= id == K_VERBOSE;
	}
	return true;
}

int cmd_why(struct cli *cli, struct args *a)
{
	struct report report = { .cli = cli, .verbose = cli->details };
	struct esptun_addr to = { .family = AF_UNSPEC };
	char name[CLI_TUNNEL];
	int code;

	if (!parse(a, why_keywords, usage_why, "why", name, &to, &report.verbose, &code))
		return code;
	report.steps = json_array();
	code = explain(&report, name, &to);
	json_decref(report.steps);
	return code;
}

/* ---- check ---------------------------------------------------------------------------- */

enum {
	UP_SECONDS = 20,
	REKEY_SECONDS = 15,
};

static double now(void)
{
	return (double)clock_ms() / 1e3;
}

static void note(struct report *r, const char *check, enum why_verdict v, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

static void note(struct report *r, const char *check, enum why_verdict v, const char *fmt, ...)
{
	char said[2048];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(said, sizeof(said), fmt, ap);
	va_end(ap);
	note_step(r, check, v, said);
	if (v != WHY_OK && !r->failed)
		r->failed = json_array_get(r->steps, json_array_size(r->steps) - 1);
}

/* The agent's answer, if it is no refusal; else NULL, and @check is noted to have failed. */
static json_t *ask(struct report *r, const char *check, json_t *request)
{
	char said[512] = "";
	json_t *reply = control_exchange(r->cli, request, UP_SECONDS, NULL, said, sizeof(said));
	const char *error = json_string_value(json_object_get(reply, "error"));

	if (reply && json_is_true(json_object_get(reply, "ok")))
		return reply;
	note(r, check, WHY_FAULT, "%s", error ? error : said);
	json_decref(reply);
	return NULL;
}

/* The tunnel, as the status has it; the caller's. NULL: there is none. */
static json_t *get_status(struct report *r, const char *tunnel)
{
	json_t *reply = ask(r, "status", json_pack("{ss ss}", "cmd", "status", "tunnel", tunnel));
	json_t *t = json_incref(json_array_get(json_object_get(reply, "tunnels"), 0));

	json_decref(reply);
	return t;
}

/* Of the IKE SA, called "", and of the child SAs that are up, by their names. */
static json_t *list_spis(json_t *t)
{
	json_t *child, *spis = json_object();
	size_t i;

	json_object_set(spis, "", json_object_get(json_object_get(t, "ike"), "spi_i"));
	json_array_foreach(json_object_get(t, "children"), i, child) {
		const char *name = json_string_value(json_object_get(child, "name"));

		json_object_set(spis, name ? name : "?", json_object_get(child, "spi_in"));
	}
	return spis;
}

/* There is another one in the place of each. */
static bool are_renewed(json_t *before, json_t *t)
{
	json_t *spi, *other, *after = list_spis(t);
	const char *name;
	bool all = true;

	json_object_foreach(before, name, spi) {
		other = json_object_get(after, name);
		all &= other && !json_equal(spi, other);
	}
	json_decref(after);
	return all;
}

static void send_one(struct report *r, const char *tunnel, const struct esptun_addr *to)
{
	const struct why_ping what = { .dev = tunnel, .to = *to, .size = 84, .tries = 1 };
	struct why_pong pong = { .answered = false };

	why_ping(&what, &pong);
	r->sent++;
	r->lost += !pong.answered;
}

/* Until all have new keys; echo requests go on meanwhile, if somebody answers them. */
static void wait_for_keys(struct report *r, const char *tunnel, json_t *before,
			  const struct esptun_addr *to)
{
	const struct timespec pause = { .tv_nsec = 100000000 };
	double began = now(), took = 0;
	bool renewed = false;

	while (!renewed && took < REKEY_SECONDS) {
		json_t *t;

		if (to->family != AF_UNSPEC)
			send_one(r, tunnel, to);
		nanosleep(&pause, NULL);
		t = get_status(r, tunnel);
		renewed = t && are_renewed(before, t);
		json_decref(t);
		took = now() - began;
		if (!t)
			return;
	}
	if (renewed)
		note(r, "rekeying", WHY_OK,
		     "IKE SA and child SAs, %zu in all, have new keys, after %.1f s",
		     json_object_size(before), took);
	else
		note(r, "rekeying", WHY_FAULT,
		     "not all SAs have new keys after %d s: the log tells (journalctl -u esptund)",
		     REKEY_SECONDS);
	if (r->sent)
		note(r, "meanwhile", r->lost ? WHY_FAULT : WHY_OK,
		     "%u of %u echo requests had an answer", r->sent - r->lost, r->sent);
}

static void renew_keys(struct report *r, const char *tunnel, const struct esptun_addr *to)
{
	json_t *t = get_status(r, tunnel), *before, *reply;
	struct esptun_addr target;

	if (!t)
		return;
	why_find_target(t, to, &target);
	before = list_spis(t);
	json_decref(t);
	/* Who does not answer now says nothing about keys. */
	if (target.family != AF_UNSPEC)
		send_one(r, tunnel, &target);
	if (r->lost)
		target.family = AF_UNSPEC;
	r->sent = r->lost = 0;
	reply = ask(r, "rekeying", json_pack("{ss ss}", "cmd", "rekey", "tunnel", tunnel));
	if (reply)
		wait_for_keys(r, tunnel, before, &target);
	json_decref(reply);
	json_decref(before);
}

static void check_tunnel(struct report *r, const char *tunnel, const struct esptun_addr *to)
{
	double began = now();
	struct why_drops drops;
	char text[512];
	json_t *reply =
		ask(r, "up",
		    json_pack("{ss ss si}", "cmd", "up", "tunnel", tunnel, "timeout", UP_SECONDS));

	if (!reply)
		return;
	json_decref(reply);
	note(r, "up", WHY_OK, "the tunnel is up, after %.1f s", now() - began);
	why_drops_begin(r->cli, tunnel, &drops);
	renew_keys(r, tunnel, to);
	why_drops_end(r->cli, &drops, text, sizeof(text));
	note(r, "drops", WHY_OK, "%s", *text ? text : "no packet was dropped meanwhile");
}

int cmd_check(struct cli *cli, struct args *a)
{
	struct report report = { .cli = cli, .verbose = true };
	struct esptun_addr to = { .family = AF_UNSPEC };
	char name[CLI_TUNNEL];
	int code;

	if (!parse(a, to_keywords, usage_check, "check", name, &to, &report.verbose, &code))
		return code;
	if (cli_open(cli))
		return EXIT_KERNEL;
	report.steps = json_array();
	check_tunnel(&report, name, &to);
	report.brief = true;
	code = explain(&report, name, &to);
	json_decref(report.steps);
	return code;
}
