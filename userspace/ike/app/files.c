// SPDX-License-Identifier: GPL-2.0-or-later
/* Which configuration files are not what the agent goes by; the status names them. */
#include <string.h>

#include "ike/app/agent_int.h"

static bool asked_for(const struct files *l, const char *name)
{
	return !l->only || !strcmp(l->only, name);
}

static void add(json_t *list, const char *name, const char *state)
{
	json_array_append_new(list, json_pack("{s:o,s:s}", "name", ctl_text(name), "state", state));
}

static void look_at(void *ctx, const char *name, const struct timespec *time)
{
	struct files *l = ctx;
	struct tunnel *t = tunnel_by_name(l->agent, name);

	if (!asked_for(l, name))
		return;
	if (!t) {
		add(l->list, name, "new");
		return;
	}
	if (t->file_seen < l->number)
		t->file_seen = l->number;
	if (!t->after && memcmp(time, &t->conf.file_time, sizeof(*time)))
		add(l->list, name, "changed");
}

void files_begin(struct agent *a, struct files *l, const char *only)
{
	*l = (struct files){ .agent = a, .only = only, .number = ++a->looks, .list = json_array() };
}

bool files_look(struct files *l)
{
	int rc = reader_list_some(l->agent->helpers->reader, l->after, look_at, l);

	if (rc > 0)
		return true;
	for (struct tunnel *t = rc ? NULL : l->agent->tunnels; t; t = t->next) {
		if (t->file_seen < l->number && !t->after && asked_for(l, t->conf.name))
			add(l->list, t->conf.name, "gone");
	}
	return false;
}
