// SPDX-License-Identifier: GPL-2.0-or-later
/* The RADIUS servers of hubs, and how they answer: ctl.h states the JSON. */
#include "ike/app/agent_int.h"
#include "ike/proto/addr.h"

/* One that was not asked yet is neither dead nor alive. */
static const char *state_of(const struct radius_service_status *s)
{
	if (s->dead)
		return "dead";
	return s->answers ? "alive" : "unknown";
}

static json_t *service_json(const struct ike_endpoint *at, const struct radius_service_status *s)
{
	char text[80];

	return json_pack("{s:s,s:s,s:I,s:I}", "server", ike_endpoint_print(text, sizeof(text), at),
			 "state", state_of(s), "requests", (json_int_t)s->requests, "answers",
			 (json_int_t)s->answers);
}

json_t *servers_json(const struct tunnel *t)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < t->conf.n_radius; i++) {
		const struct radius_server *server = &t->conf.radius[i].server;
		struct radius_status s;
		json_t *o;

		radius_status(t, i, &s);
		o = service_json(&server->access, &s.access);
		json_object_set_new(o, "accepts", json_integer((json_int_t)s.accepts));
		json_object_set_new(o, "rejects", json_integer((json_int_t)s.rejects));
		if (server->accounting.port)
			json_object_set_new(o, "accounting",
					    service_json(&server->accounting, &s.accounting));
		json_array_append_new(list, o);
	}
	return list;
}
