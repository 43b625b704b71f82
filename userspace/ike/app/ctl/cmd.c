// SPDX-License-Identifier: GPL-2.0-or-later
/* Commands of the control socket and the status; ctl.h states the JSON. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ike/app/agent_int.h"
#include "ike/proto/addr.h"

static json_t *failure(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static json_t *failure(const char *fmt, ...)
{
	char text[1536];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return json_pack("{s:b,s:o}", "ok", 0, "error", ctl_text(text));
}

/* ---- up and down --------------------------------------------------------------------- */

static void wait_for(struct agent *a, struct ctl_request *q, const struct tunnel *t, bool up,
		     json_t *what)
{
	struct waiter *w = calloc(1, sizeof(*w));
	json_t *timeout = json_object_get(what, "timeout");
	double wait = json_is_number(timeout) ? json_number_value(timeout) : CTL_DEFAULT_TIMEOUT;

	if (!w) {
		ctl_answer(q, failure("out of memory"));
		return;
	}
	if (!(wait >= 0 && wait < 3600))
		wait = CTL_DEFAULT_TIMEOUT;
	w->request = q;
	memcpy(w->tunnel, t->conf.name, sizeof(w->tunnel));
	w->up = up;
	w->asked_at = loop_now();
	w->deadline = w->asked_at + (uint64_t)(wait * 1000);
	w->next = a->waiters;
	a->waiters = w;
}

static json_t *done(struct agent *a, const struct tunnel *t)
{
	return json_pack("{s:b,s:o}", "ok", 1, "tunnel", status_json(a, t));
}

static json_t *why_silent(const struct tunnel *t, const struct ike_status *s)
{
	char where[80] = "the peer";
	struct ike_endpoint e = { .addr = t->resolved, .port = t->conf.endpoint_port };

	if (t->conf.endpoint_addr.family)
		e.addr = t->conf.endpoint_addr;
	if (s && s->have_ike && s->remote.addr.family)
		e = s->remote;
	if (e.addr.family)
		ike_endpoint_print(where, sizeof(where), &e);
	if (t->send_error)
		return failure(
			"%s is not up yet: nothing can be sent to %s: %s; does a firewall on this machine drop UDP port 500 or 4500? esptund keeps trying",
			t->conf.name, where, strerror(t->send_error));
	return failure(
		"%s is not up yet: no answer from %s to %s, sent %u times; is it running there, does a firewall drop UDP port 500 or 4500? esptund keeps trying",
		t->conf.name, where, s && *s->step ? s->step : "IKE_SA_INIT", s ? s->tries : 0);
}

/* The answer for an up, or NULL if there is none yet (or no memory for it). */
static json_t *judge_up(struct agent *a, const struct waiter *w, const struct tunnel *t, bool late)
{
	struct ike_status s;

	if (!t)
		return failure("%s was removed meanwhile", w->tunnel);
	if (t->after)
		return failure("%s is being taken down", w->tunnel);
	if (t->started && t->state == IKE_TUNNEL_UP)
		return done(a, t);
	if (*t->error && (t->error_at >= w->asked_at || t->trouble == TROUBLE_PATH))
		return failure("%s is not up: %s", w->tunnel, t->error);
	if (!t->ifindex || core_tunnel_status(a->core, t->conf.name, &s))
		return late ? failure("%s is not up: %s", w->tunnel,
				      *t->error
					      ? t->error
					      : "the process that speaks IKE is being started; esptund goes on trying")
			    : NULL;
	if (*s.last_error && s.last_error_at >= w->asked_at)
		return failure("%s is not up: %s", w->tunnel, s.last_error);
	if (!late)
		return NULL;
	if (t->conf.start == IKE_START_LISTEN)
		return failure(
			"%s is not up: it waits for its peer, because %s/%s.conf has %s; begin at the other end",
			w->tunnel, a->options->config_dir, w->tunnel,
			*t->conf.endpoint ? "Start = listen" : "no Endpoint");
	return *s.last_error ? failure("%s is not up: %s", w->tunnel, s.last_error)
			     : why_silent(t, &s);
}

static json_t *judge_all_down(const struct agent *a, bool late)
{
	for (const struct tunnel *t = a->tunnels; t; t = t->next) {
		if (t->ifindex || t->after)
			return late ? failure("%s is still closing", t->conf.name) : NULL;
	}
	return json_pack("{s:b}", "ok", 1);
}

static json_t *judge_down(struct agent *a, const struct waiter *w, const struct tunnel *t,
			  bool late)
{
	if (!*w->tunnel)
		return judge_all_down(a, late);
	if (!t)
		return json_pack("{s:b}", "ok", 1);
	if (!t->ifindex && !t->after)
		return done(a, t);
	return late ? failure("%s is still closing", w->tunnel) : NULL;
}

void cmd_free(struct agent *a)
{
	struct waiter *w;

	while ((w = a->waiters)) {
		a->waiters = w->next;
		ctl_answer(w->request, json_object());
		free(w);
	}
}

void cmd_review(struct agent *a)
{
	struct waiter **at = &a->waiters, *w;

	while ((w = *at)) {
		struct tunnel *t = tunnel_by_name(a, w->tunnel);
		bool late = loop_now() >= w->deadline; /* to judge may take time */
		json_t *answer = w->up ? judge_up(a, w, t, late) : judge_down(a, w, t, late);

		/* At its deadline every waiter goes, or cmd_next() would be in the past for ever. */
		if (!answer && !late) {
			at = &w->next;
			continue;
		}
		*at = w->next;
		ctl_answer(w->request, answer);
		free(w);
	}
}

uint64_t cmd_next(const struct agent *a)
{
	uint64_t when = TAILQ_EMPTY(&a->status_jobs) ? UINT64_MAX : loop_now();

	for (const struct waiter *w = a->waiters; w; w = w->next) {
		if (w->deadline < when)
			when = w->deadline;
	}
	return when;
}

static void up(struct agent *a, struct ctl_request *q, const char *name, json_t *what)
{
	struct tunnel *t = tunnel_by_name(a, name);
	bool started;
	char err[1536];

	if (!t)
		t = tunnel_load(a, name, err, sizeof(err));
	if (!t) {
		ctl_answer(q, failure("%s", err));
		return;
	}
	if (t->after) {
		ctl_answer(q, failure("%s is being taken down; try again", name));
		return;
	}
	wait_for(a, q, t, true, what);
	t->wanted = true;
	started = t->started; /* else tunnel_start() has the core bring it up */
	if (!t->ifindex && tunnel_open(a, t))
		return; /* t->error says why, cmd_review() tells it */
	follow_restore(a, t);
	path_look(a, t);
	if (started)
		core_up(a->core, name, loop_now());
}

static void down(struct agent *a, struct ctl_request *q, const char *name, json_t *what)
{
	struct tunnel *t = tunnel_by_name(a, name);

	if (!t) {
		ctl_answer(q, failure("no tunnel %.40s: esptun status lists them", name));
		return;
	}
	wait_for(a, q, t, false, what);
	tunnel_well(t, t->trouble);
	if (!t->after)
		tunnel_close(a, t, AFTER_STAY);
}

static void down_all(struct agent *a, struct ctl_request *q, json_t *what)
{
	static const struct tunnel all; /* without a name */

	wait_for(a, q, &all, false, what);
	for (struct tunnel *t = a->tunnels; t; t = t->next) {
		tunnel_well(t, t->trouble);
		if (!t->after)
			tunnel_close(a, t, AFTER_STAY);
	}
}

static void status(struct agent *a, struct ctl_request *q, const char *name)
{
	if (name && !tunnel_by_name(a, name)) {
		ctl_answer(
			q,
			failure("no tunnel %.40s: %s/%.40s.conf is not loaded; esptun up %.40s loads it",
				name, a->options->config_dir, name, name));
		return;
	}
	status_begin(a, q, name);
}

static void pool(struct agent *a, struct ctl_request *q, const char *name)
{
	const struct tunnel *t = name ? tunnel_by_name(a, name) : NULL;

	if (name && !t)
		ctl_answer(q, failure("no tunnel %.40s: esptun status lists them", name));
	else if (t && !t->pool)
		ctl_answer(
			q,
			failure("%s gives no addresses: %s/%s.conf has no [Pool] with Range, or was never up",
				name, a->options->config_dir, name));
	else
		status_begin_pools(a, q, name);
}

static void rekey(struct agent *a, struct ctl_request *q, const char *name)
{
	const struct tunnel *t = tunnel_by_name(a, name);

	if (!t)
		ctl_answer(q, failure("no tunnel %.40s: esptun status lists them", name));
	else if (!t->ifindex || t->after || t->state != IKE_TUNNEL_UP)
		ctl_answer(q, failure("%s is not up, so there are no keys to renew", name));
	else if (core_rekey(a->core, name, loop_now()))
		ctl_answer(q, failure("the process that speaks IKE is being started; try again"));
	else
		ctl_answer(q, json_pack("{s:b}", "ok", 1));
}

static void probe(struct agent *a, struct ctl_request *q, const char *name, json_t *what)
{
	const struct tunnel *t = tunnel_by_name(a, name);
	json_int_t port = json_integer_value(json_object_get(what, "port"));
	const char *why;

	if (!t) {
		ctl_answer(q, failure("no tunnel %.40s: esptun status lists them", name));
		return;
	}
	if (port < 0 || port > UINT16_MAX) {
		ctl_answer(q, failure("a port is a number from 1 to 65535"));
		return;
	}
	why = probe_begin(a, q, t, (uint16_t)port);
	if (why)
		ctl_answer(q, failure("the peer of %s cannot be probed: %s", name, why));
}

static void reload(struct agent *a, struct ctl_request *q)
{
	struct reload r = { json_array(), json_array(), json_array(), json_array() };
	bool ok = !agent_read_configs(a, &r) && !json_array_size(r.errors);
	json_t *answer = json_pack("{s:b,s:o,s:o,s:o,s:o}", "ok", ok, "added", r.added, "removed",
				   r.removed, "changed", r.changed, "errors", r.errors);

	if (!ok) {
		const char *first = json_string_value(json_array_get(r.errors, 0));

		json_object_set_new(answer, "error",
				    ctl_text(first ? first
						   : "the configuration folder cannot be read"));
	}
	ctl_answer(q, answer);
}

void cmd_request(void *ctx, struct ctl_request *q, json_t *what)
{
	struct agent *a = ctx;
	const char *cmd = json_string_value(json_object_get(what, "cmd"));
	const char *name = json_string_value(json_object_get(what, "tunnel"));

	if (!cmd)
		ctl_answer(q, failure("the request has no \"cmd\""));
	else if (!strcmp(cmd, "status"))
		status(a, q, name);
	else if (!strcmp(cmd, "pool"))
		pool(a, q, name);
	else if (!strcmp(cmd, "reload"))
		reload(a, q);
	else if (strcmp(cmd, "up") && strcmp(cmd, "down") && strcmp(cmd, "probe") &&
		 strcmp(cmd, "rekey"))
		ctl_answer(
			q,
			failure("unknown command \"%.40s\": expected status, pool, probe, rekey, up, down or reload",
				cmd));
	else if (!strcmp(cmd, "down") && json_is_true(json_object_get(what, "all")))
		down_all(a, q, what);
	else if (!name)
		ctl_answer(q, failure("%s needs the name of a tunnel", cmd));
	else if (!strcmp(cmd, "rekey"))
		rekey(a, q, name);
	else if (!strcmp(cmd, "probe"))
		probe(a, q, name, what);
	else if (!strcmp(cmd, "up"))
		up(a, q, name, what);
	else
		down(a, q, name, what);
	agent_wake(a);
}
