// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a hub's configuration says about its clients, and the addresses of [Pool] that they get. Called by config_check.c when
 * all lines were read.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ike/app/config/config_int.h"
#include "ike/app/secret.h"
#include "ike/child/ts.h"
#include "ike/proto/addr.h"
#include "ike/proto/id.h"

static bool may_come(struct parse *p, const struct client_key *k)
{
	const struct ike_id *of_all = &p->c->remote_id;
	char id[IKE_MAX_ID + 16], all[IKE_MAX_ID + 16];

	if (ike_id_matches(&k->id, of_all) || ike_id_matches(of_all, &k->id))
		return true;
	config_say(p, true, k->line, "[Client %s] can never come: RemoteID is %s",
		   ike_id_print(id, sizeof(id), &k->id), ike_id_print(all, sizeof(all), of_all));
	return false;
}

static void check_client_key(struct parse *p, const struct client_key *k)
{
	char id[IKE_MAX_ID + 16], why[128];

	ike_id_print(id, sizeof(id), &k->id);
	if (!may_come(p, k))
		return;
	if (!k->len && !k->named)
		config_say(p, true, k->line, "[Client %s] lacks PSK, the key shared with it", id);
	else if (k->len && !secret_strong(k->key, k->len, why, sizeof(why)))
		config_say(p, false, k->line, "[Client %s]: the key %s", id, why);
}

/* The sections [Client ID]; what comes from the file of Secrets= is not there yet. */
static void check_client_keys(struct parse *p)
{
	struct client_keys *l = &p->c->keys;
	const struct client_key *twice = client_keys_sort(l);
	char id[IKE_MAX_ID + 16];

	if (twice)
		config_say(p, true, twice->line > twice[-1].line ? twice->line : twice[-1].line,
			   "[Client %s] is there already, in line %u",
			   ike_id_print(id, sizeof(id), &twice->id),
			   twice->line > twice[-1].line ? twice[-1].line : twice->line);
	for (unsigned int i = 0; i < l->n; i++)
		check_client_key(p, &l->v[i]);
	for (unsigned int i = 0; i < p->c->ppks.of.n; i++)
		may_come(p, &p->c->ppks.of.v[i]);
}

static void refuse_client_keys(struct parse *p)
{
	if (p->c->keys.n + p->c->ppks.of.n)
		config_say(
			p, true, (p->c->keys.n ? p->c->keys.v : p->c->ppks.of.v)[0].line,
			"[Client ID] is for clients: expected Clients of 2 or more in [Peer], too");
	if (config_given(p, "Secrets"))
		config_say(p, true, config_line_of(p, "Secrets"),
			   "Secrets is for clients: expected Clients of 2 or more in [Peer], too");
	if (config_given(p, "Users"))
		config_say(p, true, config_line_of(p, "Users"),
			   "Users is for clients: expected Clients of 2 or more in [Peer], too");
	if (p->c->n_radius)
		config_say(p, true, p->c->radius[0].line,
			   "[Radius] is for clients: expected Clients of 2 or more in [Peer], too");
	if (ike_auth_is_user(&p->c->remote_auth) && !config_given(p, "Users") && !p->c->n_radius)
		config_say(
			p, true, config_line_of(p, "RemoteAuth"),
			"RemoteAuth: users are clients: expected Clients of 2 or more in [Peer], too");
}

/* Keys that say something about one peer whose place is known, and what to do with many. */
void config_clients_check(struct parse *p)
{
	const struct config *c = p->c;

	if (c->clients <= 1) {
		refuse_client_keys(p);
		if (config_given(p, "Unique"))
			config_say(
				p, true, config_line_of(p, "Unique"),
				"Unique is for clients: expected Clients of 2 or more in [Peer], too");
		if (ike_id_is_wildcard(&c->remote_id))
			config_say(
				p, true, config_line_of(p, "RemoteID"),
				"RemoteID with * is for clients: expected Clients of 2 or more in [Peer], or one identity");
		return;
	}
	if (config_given(p, "Endpoint"))
		config_say(
			p, true, config_line_of(p, "Clients"),
			"Clients = %u: clients come from anywhere, but Endpoint in line %u names one: expected one or the other",
			c->clients, config_line_of(p, "Endpoint"));
	if (c->reauth)
		config_say(
			p, true, config_line_of(p, "Reauth"),
			"Reauth: only clients can authenticate again: expected off, and a time at their ends");
	check_client_keys(p);
}

/* Does a route of the link lead to the address? */
static bool is_routed(const struct config *c, const struct ike_addr *a)
{
	const struct net_prefix *lists[] = { c->address, c->routes };
	const unsigned int n[] = { c->n_address, c->n_routes };

	for (unsigned int k = 0; k < 2; k++) {
		for (unsigned int i = 0; i < n[k]; i++) {
			if (ike_addr_in_net(a, &lists[k][i].addr, lists[k][i].len))
				return true;
		}
	}
	return false;
}

static void check_routes(struct parse *p)
{
	char first[64], last[64];

	for (unsigned int i = 0; i < p->c->n_ranges; i++) {
		const struct pool_range *r = &p->c->ranges[i];

		if (is_routed(p->c, &r->first) && is_routed(p->c, &r->last))
			continue;
		config_say(
			p, false, config_line_of(p, "Range"),
			"Range: no route leads to %s-%s: add its network to Routes, or an Address with the network's length",
			ike_addr_print(first, sizeof(first), &r->first),
			ike_addr_print(last, sizeof(last), &r->last));
	}
}

static bool is_static(const struct config *c, const struct ike_addr *addr)
{
	for (unsigned int i = 0; i < c->n_fixed; i++) {
		if (ike_addr_eq(&c->fixed[i].addr, addr))
			return true;
	}
	return false;
}

/* Our own addresses are nobody's. */
static void keep_own(struct parse *p)
{
	char text[64];

	for (unsigned int i = 0; i < p->c->n_address; i++) {
		struct pool_fixed own;

		memset(&own, 0, sizeof(own));
		own.addr = p->c->address[i].addr;
		if (is_static(p->c, &own.addr))
			config_say(p, true, config_line_of(p, "Static"),
				   "Static: %s is our own, by Address: give the client another one",
				   ike_addr_print(text, sizeof(text), &own.addr));
		else if (config_add_fixed(p->c, &own))
			config_say(p, true, 0, "out of memory");
	}
}

static unsigned int line_of_pool_routes(const struct parse *p)
{
	return p->line_of[config_find_key_of("Pool", "Routes") - config_keys];
}

/* Does a child SA of the first kind, which clients begin, carry all that goes to @net? */
static bool is_selected(const struct config *c, const struct net_prefix *net)
{
	const struct ike_ts_list one = { .n = 1, .ts = { ike_ts_of_net(&net->addr, net->len) } };

	for (unsigned int i = 0; i < c->n_child; i++) {
		if (ike_ts_within(IKE_TS_OFFER(&one), &c->child[i].local_ts))
			return true;
	}
	return false;
}

/* Clients are told of networks that they can reach. */
static void check_told(struct parse *p)
{
	const struct config *c = p->c;
	char text[64];

	for (unsigned int i = 0; i < c->n_told; i++) {
		if (is_selected(c, &c->told[i]))
			continue;
		config_say(
			p, true, line_of_pool_routes(p),
			"Routes: clients are told of %s/%u, but Selectors have no child SA for it: add it to Selectors, at the side of this end, or take it out",
			ike_addr_print(text, sizeof(text), &c->told[i].addr), c->told[i].len);
	}
}

/* Those of @r alone; -1 if they are too many. */
static int add_apart(struct config *c, const struct pool_range *r)
{
	struct ike_ts_list exact = { .n = 1,
				     .ts = { { .family = r->first.family, .port_end = 65535 } } };
	struct ike_prefix found[CONFIG_MAX_APART];
	struct ike_ts *ts = &exact.ts[0];
	struct ike_addr first = r->first;
	struct net_prefix *grown;
	int n;

	memcpy(ts->end, r->last.b, sizeof(ts->end));
	/* A network of IPv6 but for its first address, which is no host's (RFC 4291 2.6.1), is one. */
	ike_addr_step(&first, -1);
	memcpy(ts->start, first.b, sizeof(ts->start));
	if (first.family == 4 || ike_ts_prefixes(&exact, found, 1) != 1)
		memcpy(ts->start, r->first.b, sizeof(ts->start));
	n = ike_ts_prefixes(&exact, found, CONFIG_MAX_APART - c->n_apart);
	if (n < 0)
		return -1;
	grown = realloc(c->apart, (c->n_apart + (unsigned int)n) * sizeof(*grown));
	if (!grown)
		return -1;
	c->apart = grown;
	for (int i = 0; i < n; i++) {
		struct net_prefix *to = &c->apart[c->n_apart++];

		memset(to, 0, sizeof(*to));
		to->addr.family = found[i].family;
		memcpy(to->addr.b, found[i].addr, sizeof(to->addr.b));
		to->len = found[i].len;
	}
	return 0;
}

static bool is_in_range(const struct config *c, const struct ike_addr *a)
{
	for (unsigned int i = 0; i < c->n_ranges; i++) {
		if (pool_range_has(&c->ranges[i], a))
			return true;
	}
	return false;
}

/* All addresses that clients can have become networks, as rules of the kernel have these. */
static void keep_clients_apart(struct parse *p)
{
	struct config *c = p->c;
	int rc = 0;

	for (unsigned int i = 0; i < c->n_ranges && !rc; i++)
		rc = add_apart(c, &c->ranges[i]);
	for (unsigned int i = 0; i < c->n_fixed && !rc; i++) {
		const struct pool_range one = { c->fixed[i].addr, c->fixed[i].addr };

		if (c->fixed[i].id.type && !is_in_range(c, &one.first))
			rc = add_apart(c, &one);
	}
	if (rc)
		config_say(
			p, true, config_line_of(p, "ClientToClient"),
			"ClientToClient = no: Range and Static are made up of more than %d networks: let ranges begin and end with networks, and have the addresses of Static",
			CONFIG_MAX_APART);
}

/* Of one family: those that anybody can get, and those of Static. */
static uint32_t count_addresses(const struct config *c, const struct pool *pool, uint8_t family)
{
	struct pool_count count;
	uint32_t fixed = 0;

	pool_count(pool, family, &count);
	for (unsigned int i = 0; i < c->n_fixed; i++)
		fixed += c->fixed[i].id.type && c->fixed[i].addr.family == family;
	return count.size && count.free < UINT32_MAX - fixed ? count.free + fixed : UINT32_MAX;
}

/* Clients may be more than the addresses, but their last ones get none then. */
static void compare_with_clients(struct parse *p)
{
	const struct config *c = p->c;
	struct pool *pool = pool_new(c->ranges, c->n_ranges, c->fixed, c->n_fixed);

	for (uint8_t family = 4; pool && family <= 6; family += 2) {
		uint32_t n = count_addresses(c, pool, family);

		if (n < c->clients)
			config_say(
				p, false, config_line_of(p, "Range"),
				"Range: %u IPv%u addresses, but Clients = %u: those who come when all are in use get none",
				n, family, c->clients);
	}
	pool_free(pool);
}

void config_pool_check(struct parse *p)
{
	struct config *c = p->c;

	if (!c->n_ranges) {
		if (c->n_servers || config_given(p, "Domains") || config_given(p, "Static") ||
		    config_given(p, "ClientToClient") || c->tells_routes)
			config_say(p, true, 0, "[Pool] lacks Range, the addresses of clients");
		return;
	}
	if (c->clients <= 1)
		config_say(p, true, config_line_of(p, "Range"),
			   "[Pool] is for clients: expected Clients of 2 or more in [Peer], too");
	if (c->n_domains && !c->n_servers)
		config_say(p, true, config_line_of(p, "Domains"),
			   "Domains: expected DNS, too, the name servers that know them");
	for (unsigned int i = 0; i < c->n_child; i++) {
		if (c->child[i].mode != IKE_MODE_TRANSPORT)
			continue;
		config_say(
			p, true, config_line_of(p, "Range"),
			"[Pool]: in transport mode clients have addresses of their own: expected Mode = tunnel, or no [Pool]");
		break;
	}
	check_routes(p);
	check_told(p);
	if (p->clients_apart)
		keep_clients_apart(p);
	keep_own(p);
	compare_with_clients(p);
}
