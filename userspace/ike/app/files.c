// SPDX-License-Identifier: GPL-2.0-or-later
/* Which configuration files are not what the agent goes by; the status names them. */
#include <string.h>

#include "ike/app/agent_int.h"

/* only: the tunnel asked for, NULL for all */
struct look {
	struct agent *agent;
	const char *only;
	json_t *files;
};

static bool asked_for(const struct look *l, const char *name)
{
	return !l->only || !strcmp(l->only, name);
}

static void add(json_t *files, const char *name, const char *state)
{
	json_array_append_new(files,
			      json_pack("{s:o,s:s}", "name", ctl_text(name), "state", state));
}

static void look_at(void *ctx, const char *name, const struct timespec *time)
{
	struct look *l = ctx;
	struct tunnel *t = tunnel_by_name(l->agent, name);

	if (!asked_for(l, name))
		return;
	if (!t) {
		add(l->files, name, "new");
		return;
	}
	t->has_file = true;
	if (!t->after && memcmp(time, &t->conf.file_time, sizeof(*time)))
		add(l->files, name, "changed");
}

json_t *files_json(struct agent *a, const char *only)
{
	struct look l = { .agent = a, .only = only, .files = json_array() };

	for (struct tunnel *t = a->tunnels; t; t = t->next)
		t->has_file = false;
	if (reader_list(a->reader, look_at, &l))
		return l.files;
	for (struct tunnel *t = a->tunnels; t; t = t->next) {
		if (!t->has_file && !t->after && asked_for(&l, t->conf.name))
			add(l.files, t->conf.name, "gone");
	}
	return l.files;
}
