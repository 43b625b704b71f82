// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The addresses that a tunnel's peer gives us, its client (Address = request). What the core says of them
 * is noted, and follow_restore() has the netdevice follow: no core may wait for that.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ike/app/agent_int.h"
#include "ike/child/ts.h"
#include "ike/proto/addr.h"

/* ---- name servers ------------------------------------------------------------------ */

/* " ADDRESS ADDRESS" */
static void print_servers(char list[static IKE_CP_SERVERS * 64], const struct ike_cp *cp)
{
	char addr[64];
	size_t len = 0;

	*list = 0;
	for (unsigned int i = 0; i < cp->n_servers; i++)
		len += (size_t)snprintf(list + len, IKE_CP_SERVERS * 64 - len, " %s",
					ike_addr_print(addr, sizeof(addr), &cp->server[i]));
}

/* What there is, and @rest. */
static void say_servers(const struct tunnel *t, enum ike_log_level level, const char *rest)
{
	char list[IKE_CP_SERVERS * 64], text[1536];

	print_servers(list, t->given);
	snprintf(text, sizeof(text), "the peer's name servers are%s, for %s%s: %s", list,
		 *t->given->domains		? "the domains "
		 : ike_cp_odd_domains(t->given) ? "domains that are no names"
						: "all names",
		 t->given->domains, rest);
	log_core(level, t->conf.name, NULL, NULL, text, loop_now());
}

/* Who has them used instead is told how. */
static void say_how(const struct tunnel *t, enum ike_log_level level, const char *why)
{
	char list[IKE_CP_SERVERS * 64], text[1024];

	print_servers(list, t->given);
	snprintf(
		text, sizeof(text),
		"not used, %s; with systemd-resolved it is: resolvectl dns %s%s, else a line of each in /etc/resolv.conf",
		why, t->device, list);
	say_servers(t, level, text);
}

static const char ended[] = "for the process that sets them has ended";

/* A netdevice that is ours may be gone, and with it what was set. */
static void forget_names(struct tunnel *t)
{
	if (t->names_set && link_dns_clear(t->agent->helpers->link_dns, t->device) != -ENOMEM)
		t->names_set = false;
}

/* The netdevice is looked at when the event is over, and then what was given is used. */
static void use_soon(struct tunnel *t)
{
	t->given_is_new = true;
	t->restore_at = loop_now();
	tunnel_dirty(t);
}

void given_follow_state(struct tunnel *t)
{
	if (t->state != IKE_TUNNEL_UP)
		forget_names(t);
	else if (t->given && t->given->n_servers && !t->conf.leaves_dns && !t->names_set)
		use_soon(t);
}

void given_use_names(struct tunnel *t)
{
	struct link_dns *dns = t->agent->helpers->link_dns;
	int err;

	if (t->conf.leaves_dns) {
		if (t->given->n_servers)
			say_servers(t, IKE_LOG_INFO, "not used, by DNS = no");
		return;
	}
	if (!dns || t->state != IKE_TUNNEL_UP || (!t->given->n_servers && !t->names_set))
		return;
	if (t->given->n_servers && ike_cp_odd_domains(t->given)) {
		forget_names(t);
		say_how(t, IKE_LOG_WARN, "for they would be asked of all other names, too");
		return;
	}
	err = link_dns_set(dns, t->device, t->given);
	t->names_set = !err && t->given->n_servers;
	if (err)
		say_how(t, IKE_LOG_WARN, err == -EPIPE ? ended : strerror(-err));
}

void given_on_names(void *ctx, const struct link_dns_outcome *o)
{
	char why[400];

	for (struct tunnel *t = ((struct agent *)ctx)->tunnels; t; t = t->next) {
		if (strcmp(t->device, o->name) != 0 || !t->given || !t->given->n_servers)
			continue;
		snprintf(why, sizeof(why), "for resolvectl says: %s",
			 o->err == -ETIMEDOUT ? "nothing, for 10 seconds" : o->text);
		if (!o->err)
			say_servers(t, IKE_LOG_INFO, "used, by systemd-resolved");
		else if (o->err == -ENOENT)
			say_how(t, IKE_LOG_INFO, "for there is no systemd-resolved");
		else if (o->err == -EPIPE)
			say_how(t, IKE_LOG_WARN, ended);
		else if (o->err == -EINVAL)
			say_how(t, IKE_LOG_WARN, "for the netdevice's name is not printable ASCII");
		else if (o->err == -EXDEV)
			say_how(t, IKE_LOG_INFO,
				"for esptund is in another network namespace than systemd-resolved");
		else
			say_how(t, IKE_LOG_WARN, why);
	}
}

/* ---- what cannot be ours ------------------------------------------------------------ */

enum conflict { CONFLICT_NONE, CONFLICT_NO_HOST, CONFLICT_PEER, CONFLICT_GATEWAY, CONFLICT_NEAR };

static const struct {
	const char *address, *route; /* that we cannot have for this */
} conflicts[] = {
	[CONFLICT_NO_HOST] = { "no host can have",
			       "which has addresses that no host behind it has" },
	[CONFLICT_PEER] = { "a peer has", "where a peer is" },
	[CONFLICT_GATEWAY] = { "the gateway on the way to it has",
			       "where the gateway on the way to it is" },
	[CONFLICT_NEAR] = { "is of another netdevice here, or of the network there",
			    "which another netdevice here leads to, or to more than that" },
};

/* Here, by configuration, name server or what was heard. */
static const struct ike_addr *find_peer_in(const struct tunnel *t, const struct net_prefix *p)
{
	const struct ike_addr *at[] = { &t->conf.endpoint_addr, &t->resolved, &t->adopted_remote };

	for (unsigned int i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		if (at[i]->family && ike_addr_in_net(at[i], &p->addr, p->len))
			return at[i];
	}
	return owned_remote_in(&t->owned, &p->addr, p->len);
}

/* Whom we would not reach any more if @p, an address or a network, were ours, or led into the tunnel. *@at: where. */
static enum conflict find_conflict(const struct tunnel *t, const struct net_prefix *p,
				   const struct ike_addr **at)
{
	const struct ike_addr *gateway = &t->path.gateway;
	struct net_prefix alone = { .addr = *gateway, .len = gateway->family == 4 ? 32 : 128 };

	for (const struct tunnel *o = t->agent->tunnels; o; o = o->next) {
		*at = find_peer_in(o, p);
		if (*at)
			return CONFLICT_PEER;
	}
	if (net_is_near(t->agent->net, p, t->ifindex))
		return CONFLICT_NEAR;
	/* The way to one in a network here is more specific. */
	if (!gateway->family || !ike_addr_in_net(gateway, &p->addr, p->len) ||
	    (p->len < alone.len && net_is_near(t->agent->net, &alone, t->ifindex)))
		return CONFLICT_NONE;
	*at = gateway;
	return CONFLICT_GATEWAY;
}

/* ---- routes ------------------------------------------------------------------------ */

/* This machine's own, those of a link, groups, and what is set aside (RFC 6890, RFC 4291 2.4). */
static const struct net_prefix no_hosts[] = {
	{ { 4, { 0 } }, 8 },	       { { 4, { 127 } }, 8 },  { { 4, { 169, 254 } }, 16 },
	{ { 4, { 224 } }, 3 },	       { { 6, { 0 } }, 80 }, /* also those of IPv4 */
	{ { 6, { 0xfe, 0x80 } }, 10 }, { { 6, { 0xff } }, 8 },
};

bool given_has_no_hosts(const struct net_prefix *p)
{
	for (unsigned int i = 0; i < sizeof(no_hosts) / sizeof(no_hosts[0]); i++) {
		const struct net_prefix *none = &no_hosts[i];

		if (ike_addr_in_net(&p->addr, &none->addr, p->len < none->len ? p->len : none->len))
			return true;
	}
	return false;
}

/* By what the file allows; whatever the peer says. */
static bool is_allowed(const struct tunnel *t, const struct net_prefix *p)
{
	const struct ike_ts_list one = { .n = 1, .ts = { ike_ts_of_net(&p->addr, p->len) } };

	for (unsigned int i = 0; i < t->conf.n_child; i++) {
		if (ike_ts_within(IKE_TS_OFFER(&one), &t->conf.child[i].remote_ts))
			return true;
	}
	return false;
}

/* In a table of its own it is for the rules of whoever made that to say what goes there. */
static enum conflict find_route_conflict(const struct tunnel *t, const struct net_prefix *p,
					 const struct ike_addr **at)
{
	*at = NULL;
	if (t->conf.table)
		return CONFLICT_NONE;
	return given_has_no_hosts(p) ? CONFLICT_NO_HOST : find_conflict(t, p, at);
}

static bool may_route(const struct tunnel *t, const struct net_prefix *p)
{
	char net[64], addr[64], where[80] = "", text[400];
	const struct ike_addr *at;
	enum conflict why;

	ike_addr_print(net, sizeof(net), &p->addr);
	why = find_route_conflict(t, p, &at);
	if (at)
		snprintf(where, sizeof(where), " (%s)", ike_addr_print(addr, sizeof(addr), at));
	if (!is_allowed(t, p))
		snprintf(text, sizeof(text),
			 "the peer routes %s/%u for us, which Selectors do not allow: no route",
			 net, p->len);
	else if (why)
		snprintf(
			text, sizeof(text),
			"the peer routes %s/%u for us, %s%s: no route; to have it, set Table and FwMark in [Tunnel], and rules that send all but what has the mark to that table",
			net, p->len, conflicts[why].route, where);
	else
		return true;
	log_core(IKE_LOG_WARN, t->conf.name, NULL, NULL, text, loop_now());
	return false;
}

static bool has_prefix(const struct net_prefix *v, unsigned int n, const struct net_prefix *p)
{
	for (unsigned int i = 0; i < n; i++) {
		if (v[i].len == p->len && ike_addr_eq(&v[i].addr, &p->addr))
			return true;
	}
	return false;
}

/* The netdevice gets these in place of what was told before. */
static void take_routes(struct tunnel *t, const struct net_prefix *v, unsigned int n)
{
	struct net_prefix *kept = n ? calloc(n, sizeof(*kept)) : NULL;
	unsigned int n_kept = 0;

	for (unsigned int i = 0; kept && i < n; i++) {
		if (!has_prefix(t->conf.routes, t->conf.n_routes, &v[i]) &&
		    !has_prefix(kept, n_kept, &v[i]) && may_route(t, &v[i]))
			kept[n_kept++] = v[i];
	}
	if (n_kept == t->n_told && (!n_kept || !memcmp(kept, t->told, n_kept * sizeof(*kept)))) {
		free(kept);
		return;
	}
	free(t->told);
	t->told = kept;
	t->n_told = n_kept;
	use_soon(t);
}

static void take_subnets(struct tunnel *t, const struct ike_cp *cp)
{
	struct net_prefix v[IKE_CP_SUBNETS];

	memset(v, 0, sizeof(v));
	for (unsigned int i = 0; i < cp->n_subnets; i++) {
		v[i].addr = cp->subnet[i].addr;
		v[i].len = cp->subnet[i].len;
	}
	take_routes(t, v, cp->n_subnets);
}

void given_take_selectors(struct tunnel *t, const struct ike_ts_list *remote)
{
	struct ike_prefix found[IKE_CP_SUBNETS];
	struct net_prefix v[IKE_CP_SUBNETS];
	int n;

	/* Of several child SAs nobody knows which are still to come. */
	if (!t->conf.asks_routes || t->conf.n_child != 1 || !t->given || t->given->n_subnets)
		return;
	n = ike_ts_prefixes(remote, found, IKE_CP_SUBNETS);
	memset(v, 0, sizeof(v));
	for (int i = 0; i < n; i++) {
		v[i].addr.family = found[i].family;
		memcpy(v[i].addr.b, found[i].addr, sizeof(v[i].addr.b));
		v[i].len = found[i].len;
	}
	take_routes(t, v, n > 0 ? (unsigned int)n : 0);
}

void given_judge_routes(struct tunnel *t)
{
	take_routes(t, t->told, t->n_told);
}

/* ---- addresses --------------------------------------------------------------------- */

/* False without memory. */
static bool keep_given(struct tunnel *t, const struct ike_cp *cp)
{
	if (!t->given)
		t->given = malloc(sizeof(*t->given));
	if (t->given)
		*t->given = *cp;
	return t->given;
}

static bool may_have(const struct tunnel *t, const struct ike_addr *addr)
{
	const struct net_prefix p = { *addr, addr->family == 4 ? 32 : 128 };
	enum conflict why = CONFLICT_NO_HOST;
	const struct ike_addr *at;
	char one[64], text[400];

	if (!addr->family)
		return true;
	if (ike_addr_is_host(addr))
		why = find_conflict(t, &p, &at);
	if (!why)
		return true;
	snprintf(text, sizeof(text),
		 "the peer gives us the address %s, which %s: refused, its pool has to have others",
		 ike_addr_print(one, sizeof(one), addr), conflicts[why].address);
	log_core(IKE_LOG_ERROR, t->conf.name, NULL, NULL, text, loop_now());
	return false;
}

int given_take(struct tunnel *t, const struct ike_cp *cp)
{
	bool is_news = !t->given || memcmp(t->given, cp, sizeof(*cp)) != 0;

	if (!t->conf.asks_address || !may_have(t, &cp->address[0]) || !may_have(t, &cp->address[1]))
		return -EADDRNOTAVAIL;
	if (is_news && !keep_given(t, cp))
		return -ENOMEM;
	/* Else the selectors of the one child SA take the place of former ones. */
	if (t->conf.asks_routes && (cp->n_subnets || t->conf.n_child != 1))
		take_subnets(t, cp);
	if (is_news)
		use_soon(t);
	return 0;
}

/* Of what is there, as far as a peer could tell it now. */
static void find_routes(struct tunnel *t)
{
	struct net_prefix v[IKE_CP_SUBNETS];

	memset(v, 0, sizeof(v));
	take_routes(t, v, net_routes(t->agent->net, t->conf.name, v, IKE_CP_SUBNETS));
}

void given_find(struct tunnel *t)
{
	struct ike_cp cp = { .type = IKE_CP_REPLY };

	if (!t->conf.asks_address || t->given)
		return;
	net_given(t->agent->net, t->conf.name, cp.address);
	if (!cp.address[0].family && !cp.address[1].family)
		return;
	if (!t->conf.leaves_dns && t->agent->helpers->link_dns)
		link_dns_clear(t->agent->helpers->link_dns, t->conf.name);
	if (keep_given(t, &cp) && t->conf.asks_routes)
		find_routes(t);
}

void given_forget(struct tunnel *t)
{
	forget_names(t);
	free(t->told);
	t->told = NULL;
	t->n_told = 0;
	free(t->given);
	t->given = NULL;
	t->given_is_new = false;
}

void given_change(struct tunnel *t)
{
	bool uses = !t->conf.leaves_dns;

	if (!t->conf.asks_routes)
		take_routes(t, NULL, 0);
	else if (t->given && t->given->n_subnets)
		take_subnets(t, t->given);
	if (!t->given || !t->given->n_servers || uses == t->names_set)
		return;
	forget_names(t);
	use_soon(t); /* or it is said that they are not */
}
