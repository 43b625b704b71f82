// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The way to each tunnel's peer: the address its name stands for, whether a route leads
 * there, and from which of our addresses. It is looked at when a tunnel begins and again
 * whenever rtnetlink tells of a change, a moment later, so that a burst of changes costs
 * one look. The core hears of each change; so that neither a cable nor an address or route
 * that comes waits for a timer.
 */
#include <stdio.h>
#include <string.h>

#include "ike/app/agent_int.h"
#include "ike/proto/addr.h"

enum {
	LOOK_SOON = 100, /* ms after a change */
	LOOK_EVERY = 1000, /* ms between two looks at all tunnels, or … */
	LOOK_SHARE = 20, /* … so many times what one takes */
	RESOLVE_FIRST = 1000, /* ms until a name that was not found is looked up again; doubles … */
	RESOLVE_EVERY = 10000, /* … up to this */
};

/* ---- names ------------------------------------------------------------------------- */

static void plan_lookup(struct tunnel *t)
{
	uint64_t wait = RESOLVE_FIRST;

	for (unsigned int i = 0; i < t->lookups && wait < RESOLVE_EVERY; i++)
		wait *= 2;
	t->lookups++;
	t->lookup_at = loop_now() + (wait < RESOLVE_EVERY ? wait : RESOLVE_EVERY);
	tunnel_dirty(t);
}

static void use_address(struct agent *a, struct tunnel *t, const struct ike_addr *addr)
{
	struct ike_endpoint remote = { .addr = *addr, .port = t->conf.endpoint_port };
	char text[64];

	tunnel_well(t, TROUBLE_NAME);
	if (ike_addr_eq(addr, &t->resolved))
		return;
	log_say(IKE_LOG_INFO, t->conf.name, "%s is %s", t->conf.endpoint,
		ike_addr_print(text, sizeof(text), addr));
	t->resolved = *addr;
	ike_core_tunnel_remote(a->core, t->conf.name, &remote);
	path_look(a, t);
}

static void on_resolved(void *arg, const struct ike_addr *addr, const char *err)
{
	struct tunnel *t = arg;
	struct ike_addr found = { 0 };
	char text[512];

	if (addr)
		found = *addr; /* it goes with the lookup */
	dns_cancel(t->lookup);
	t->lookup = NULL;
	plan_lookup(t);
	if (found.family) {
		t->lookups = 0;
		t->lookup_at = loop_now() + RESOLVE_EVERY;
		use_address(t->agent, t, &found);
	} else {
		snprintf(text, sizeof(text),
			 "cannot find the address of %s: %s; esptund asks again every %d s",
			 t->conf.endpoint, err, RESOLVE_EVERY / 1000);
		tunnel_fail(t, TROUBLE_NAME, text);
	}
	agent_settle(t->agent);
}

/* A name may have several addresses: each failed attempt is a reason to take the next one. */
void path_resolve(struct agent *a, struct tunnel *t)
{
	unsigned int failed = 0;
	struct ike_status s;

	if (cmd_core_status(a, t->conf.name, &s) && s.attempt)
		failed = s.attempt - 1;
	path_forget(t);
	t->lookup = dns_lookup(loop_base(a->loop), t->conf.endpoint, failed, on_resolved, t);
	if (!t->lookup)
		plan_lookup(t);
}

void path_forget(struct tunnel *t)
{
	dns_cancel(t->lookup);
	t->lookup = NULL;
	t->lookup_at = UINT64_MAX;
}

/* ---- routes ------------------------------------------------------------------------- */

/*
 * Where the peer is, as far as that is known: where its SAs lead, or what file or name say.
 * And the address of ours that packets have to leave from: the configured one, or that of
 * running SAs, for as long as it is ours; family 0 if routing may choose.
 */
static void find_ends(const struct agent *a, const struct tunnel *t, struct ike_addr *remote,
		      struct ike_addr *local)
{
	struct ike_status s;
	bool sa = cmd_core_status(a, t->conf.name, &s) && s.have_ike;

	*remote = t->resolved.family ? t->resolved : t->adopted_remote;
	if (t->conf.endpoint_addr.family)
		*remote = t->conf.endpoint_addr;
	if (sa && s.remote.addr.family)
		*remote = s.remote.addr;
	*local = t->conf.local;
	if (!local->family && sa && s.local.addr.family && net_is_own(a->net, &s.local.addr))
		*local = s.local.addr;
}

static void no_route_text(struct agent *a, const struct tunnel *t, const struct ike_addr *remote,
			  char *text, size_t size)
{
	char addr[64];
	struct net_vrf vrf;

	ike_addr_print(addr, sizeof(addr), remote);
	if (!t->conf.fwmark && net_find_vrf(a->net, remote, &vrf))
		snprintf(
			text, size,
			"there is a route to %s only in VRF %s: set FwMark = 7 in [Tunnel], and run ip rule add fwmark 7 lookup %u and sysctl -w net.ipv4.udp_l3mdev_accept=1",
			addr, vrf.name, vrf.table);
	else
		snprintf(
			text, size,
			"there is no route to %s%s: connect this machine or add a route; esptund tries again when there is one",
			addr, t->conf.fwmark ? " for packets with FwMark" : "");
}

/* What is wrong with @p, in a sentence; 0 if nothing is. */
static enum path_state judge_path(struct agent *a, const struct tunnel *t,
				  const struct ike_addr *remote, const struct net_path *p,
				  char *text, size_t size)
{
	char addr[64];

	if (p->not_local) {
		snprintf(
			text, size,
			"Local = %s is no address of this machine: change it in [Tunnel], or add the address, for which esptund waits",
			ike_addr_print(addr, sizeof(addr), &t->conf.local));
		return PATH_NOT_LOCAL;
	}
	ike_addr_print(addr, sizeof(addr), remote);
	if (p->own) {
		snprintf(
			text, size,
			"the peer's address %s is one of this machine's own: Endpoint in [Peer] names the other end",
			addr);
		return PATH_OWN;
	}
	if (p->oif && p->oif == t->ifindex) {
		snprintf(
			text, size,
			"the peer's own address %s is routed into %s, so the tunnel would carry itself: leave it out of Routes, route it through another netdevice, or set Table and FwMark with an ip rule",
			addr, t->conf.name);
		return PATH_LOOP;
	}
	if (!p->err)
		return PATH_OPEN;
	no_route_text(a, t, remote, text, size);
	return PATH_NO_ROUTE;
}

static bool may_start(const struct tunnel *t)
{
	if (t->path_state == PATH_OPEN || t->path_state == PATH_NO_ROUTE)
		return !*t->conf.endpoint || t->conf.endpoint_addr.family || t->resolved.family ||
		       t->adopted;
	return false;
}

/* Only what changed is told. */
static void tell_path(struct agent *a, struct tunnel *t, const struct ike_addr *remote,
		      const char *text)
{
	static const struct ike_addr none;
	char to[64], from[64];

	if (t->path_state != PATH_OPEN) {
		/* A listener without a route does not miss one. */
		if (t->path_state != PATH_NO_ROUTE || t->conf.start != IKE_START_LISTEN)
			tunnel_fail(t, TROUBLE_PATH, text);
		ike_core_path(a->core, t->conf.name, &none, loop_now());
		return;
	}
	if (tunnel_well(t, TROUBLE_PATH))
		log_say(IKE_LOG_INFO, t->conf.name, "%s can be reached, from %s",
			ike_addr_print(to, sizeof(to), remote),
			ike_addr_print(from, sizeof(from), &t->path.local));
	if (t->path.local.family && t->state == IKE_TUNNEL_UP)
		kernel_peer_local(a->kernel, t->ifindex, IKE_PEER_FIRST, &t->path.local);
	ike_core_path(a->core, t->conf.name, &t->path.local, loop_now());
}

void path_look(struct agent *a, struct tunnel *t)
{
	struct ike_addr remote, local;
	struct net_path found;
	enum path_state state;
	char text[512];

	find_ends(a, t, &remote, &local);
	net_find_path(a->net, &remote, &local, t->conf.fwmark, &found);
	state = judge_path(a, t, &remote, &found, text, sizeof(text));
	if (state != t->path_state || memcmp(&found, &t->path, sizeof(found))) {
		t->path = found;
		t->path_state = state;
		tell_path(a, t, &remote, text);
	}
	if (may_start(t))
		tunnel_start(a, t);
}

void path_carrier(struct agent *a, uint32_t ifindex)
{
	for (struct tunnel *t = a->tunnels; t; t = t->next) {
		if (t->ifindex && !t->after && t->path.oif == ifindex && t->path_state == PATH_OPEN)
			ike_core_path(a->core, t->conf.name, &t->path.local, loop_now());
	}
}

void path_changed(struct agent *a)
{
	uint64_t soon = loop_now() + LOOK_SOON;

	if (a->look_at == UINT64_MAX)
		a->look_at = soon > a->look_not_before ? soon : a->look_not_before;
}

void path_look_all(struct agent *a)
{
	uint64_t begin = loop_now(), took;

	a->look_at = UINT64_MAX;
	for (struct tunnel *t = a->tunnels; t; t = t->next) {
		if (!t->ifindex || t->after)
			continue;
		path_look(a, t);
		/* A question to a name server that cannot be reached is not waited for. */
		if (*t->conf.endpoint && !t->conf.endpoint_addr.family && !t->started) {
			t->lookups = 0;
			path_resolve(a, t);
		}
	}
	took = (loop_now() - begin) * LOOK_SHARE;
	a->look_not_before = loop_now() + (took > LOOK_EVERY ? took : LOOK_EVERY);
}
