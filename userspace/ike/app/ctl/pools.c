// SPDX-License-Identifier: GPL-2.0-or-later
/* The addresses that hubs give their clients, and who has them: ctl.h states the JSON. */
#include <string.h>

#include "ike/app/agent_int.h"
#include "ike/proto/addr.h"
#include "ike/proto/id.h"

/* Addresses that there are, that are some identity's, that connected clients have, that anybody can get. */
static json_t *count_json(const struct pool_count *c)
{
	return json_pack("{s:I,s:I,s:I,s:I}", "size", (json_int_t)c->size, "leased",
			 (json_int_t)c->leased, "held", (json_int_t)c->held, "free",
			 (json_int_t)c->free);
}

json_t *pool_json(const struct pool *pool)
{
	static const char *const names[] = { "ipv4", "ipv6" };
	json_t *o = json_object();

	for (unsigned int i = 0; i < 2; i++) {
		struct pool_count c;

		pool_count(pool, i ? 6 : 4, &c);
		if (c.size || c.leased)
			json_object_set_new(o, names[i], count_json(&c));
	}
	return o;
}

static json_t *ranges_json(const struct config *c)
{
	char first[64], last[64], text[136];
	json_t *list = json_array();

	for (unsigned int i = 0; i < c->n_ranges; i++) {
		snprintf(text, sizeof(text), "%s-%s",
			 ike_addr_print(first, sizeof(first), &c->ranges[i].first),
			 ike_addr_print(last, sizeof(last), &c->ranges[i].last));
		json_array_append_new(list, json_string(text));
	}
	return list;
}

static void tell_lease(void *ctx, const struct pool_lease *l)
{
	json_t *o = json_object();
	char text[600];

	json_object_set_new(o, "address",
			    json_string(ike_addr_print(text, sizeof(text), &l->addr)));
	if (l->id.type)
		json_object_set_new(o, "id", ctl_text(ike_id_print(text, sizeof(text), &l->id)));
	json_object_set_new(o, "state", json_string(l->holder ? "online" : "offline"));
	if (l->holder)
		json_object_set_new(o, "peer_id", json_integer(l->holder));
	if (l->since)
		json_object_set_new(o, "since", json_integer(l->since));
	ctl_list_add(ctx, o);
}

bool pool_tell(const struct tunnel *t, struct ctl_request *q)
{
	json_t *head;

	if (!t->pool)
		return true;
	head = pool_json(t->pool);
	json_object_set_new(head, "name", ctl_text(t->conf.name));
	json_object_set_new(head, "ranges", ranges_json(&t->conf));
	json_object_set_new(head, "clients", json_integer(t->conf.clients));
	ctl_list_begin(q, head, "leases");
	pool_each(t->pool, tell_lease, q);
	ctl_list_end(q);
	return ctl_is_heard(q);
}
