// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The way to each tunnel's peer: the address its name stands for, whether a route leads
 * there, and from which of our addresses. It is looked at when a tunnel begins and again
 * whenever rtnetlink tells of a change, a moment later, so that a burst of changes costs
 * one look. The core hears of each change; so that neither a cable nor an address or route
 * that comes waits for a timer.
 */
#include <stdio.h>
#include <stdlib.h>
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
	core_tunnel_remote(a->core, t->conf.name, &remote);
	path_look(a, t);
}

/* So many attempts to bring the tunnel up have failed in a row. */
static unsigned int failed_attempts(const struct tunnel *t)
{
	struct ike_status s;

	return !core_tunnel_status(t->agent->core, t->conf.name, &s) && s.attempt ? s.attempt - 1
										  : 0;
}

/*
 * A name may have several addresses: each failed attempt is a reason to take the next one. Those that no route
 * leads to are left out, as IPv6 is where there is IPv4 only, unless there is no other.
 */
static struct ike_addr choose_address(const struct tunnel *t, const struct ike_addr *addrs,
				      unsigned int n)
{
	struct ike_addr hosts[DNS_ADDRESSES], open[DNS_ADDRESSES];
	struct net_path p;
	unsigned int n_hosts = 0, n_open = 0, failed = failed_attempts(t);

	for (unsigned int i = 0; i < n; i++) {
		if (!ike_addr_is_host(&addrs[i]))
			continue;
		hosts[n_hosts++] = addrs[i];
		net_find_path(t->agent->net, &addrs[i], &t->conf.local, t->conf.fwmark, &p);
		if (!p.err)
			open[n_open++] = addrs[i];
	}
	if (n_open)
		return open[failed % n_open];
	return n_hosts ? hosts[failed % n_hosts] : (struct ike_addr){ 0 };
}

static void on_resolved(void *arg, const struct ike_addr *addrs, unsigned int n, const char *err)
{
	struct tunnel *t = arg;
	struct ike_addr found = choose_address(t, addrs, n); /* @addrs go with the lookup */
	char text[512];

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
	agent_wake(t->agent);
}

void path_resolve(struct agent *a, struct tunnel *t)
{
	path_forget(t);
	t->lookup = dns_lookup(loop_base(a->loop), DNS_OF_PEERS, t->conf.endpoint, on_resolved, t);
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
 * running SAs, for as long as it is ours; family 0 if routing may choose. True: routing may choose
 * another one, as the core can tell the peer (MOBIKE).
 */
static bool find_ends(const struct agent *a, const struct tunnel *t, struct ike_addr *remote,
		      struct ike_addr *local)
{
	struct ike_status s;
	bool sa = !core_tunnel_status(a->core, t->conf.name, &s) && s.have_ike;

	*remote = t->resolved.family ? t->resolved : t->adopted_remote;
	if (t->conf.endpoint_addr.family)
		*remote = t->conf.endpoint_addr;
	if (sa && s.remote.addr.family)
		*remote = s.remote.addr;
	*local = t->conf.local;
	/* After the peer moved to the other family, ours is yet to be heard of. */
	if (!local->family && sa && s.local.addr.family && s.local.addr.family == remote->family &&
	    net_is_own(a->net, &s.local.addr))
		*local = s.local.addr;
	return !t->conf.local.family && sa && s.mobike_decides;
}

/* Addresses of this machine, without those inside of tunnels; false if the kernel does not tell. */
static bool read_own(struct agent *a)
{
	unsigned int n = 0;
	int all;

	if (a->own_known)
		return true;
	all = net_addresses(a->net, a->own, AGENT_MAX_OWN);
	if (all < 0)
		return false;
	for (int i = 0; i < all; i++) {
		if (!tunnel_by_index(a, a->own[i].ifindex))
			a->own[n++] = a->own[i];
	}
	a->n_own = n;
	a->own_known = true;
	return true;
}

/* Would packets leave by another link than the one that has @local? */
static bool is_misplaced(struct agent *a, const struct ike_addr *local, uint32_t oif)
{
	if (!read_own(a))
		return false;
	for (unsigned int i = 0; i < a->n_own; i++) {
		if (ike_addr_eq(&a->own[i].addr, local) && a->own[i].ifindex == oif)
			return false;
	}
	return true;
}

static int by_bytes(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct ike_addr));
}

/*
 * NAT detection names our addresses. MOBIKE: the peer hears which other addresses it may find us at. Besides @used these are the ones
 * from which packets to it leave by the link that has the address.
 */
static void tell_addresses(struct agent *a, const struct tunnel *t, const struct ike_addr *remote,
			   const struct ike_addr *used)
{
	struct ike_addr ours[1 + AGENT_MAX_OWN];
	struct net_path p;
	size_t n = 0;

	if ((!t->conf.mobike && t->conf.encap == IKE_ENCAP_UDP) || !read_own(a))
		return;
	if (used->family)
		ours[n++] = *used;
	for (unsigned int i = 0; i < a->n_own; i++) {
		const struct net_address *own = &a->own[i];

		net_find_path(a->net, remote, &own->addr, t->conf.fwmark, &p);
		if (!ike_addr_eq(&own->addr, used) && !p.err &&
		    (!remote->family || p.oif == own->ifindex))
			ours[n++] = own->addr;
	}
	if (t->conf.local.family) /* the only one that is to be used */
		n = 0;
	qsort(ours, n, sizeof(*ours), by_bytes);
	core_addresses(a->core, t->conf.name, ours, n, loop_now());
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
			"there is a route to %s only in VRF %s: set FwMark = 7 in [Tunnel], and run ip%s rule add fwmark 7 lookup %u and sysctl -w net.ipv4.udp_l3mdev_accept=1",
			addr, vrf.name, remote->family == 6 ? " -6" : "", vrf.table);
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
		core_path(a->core, t->conf.name, IKE_PEER_FIRST, &none, loop_now());
		return;
	}
	if (tunnel_well(t, TROUBLE_PATH))
		log_say(IKE_LOG_INFO, t->conf.name, "%s can be reached, from %s",
			ike_addr_print(to, sizeof(to), remote),
			ike_addr_print(from, sizeof(from), &t->path.local));
	if (t->path.local.family && t->state == IKE_TUNNEL_UP)
		kernel_peer_local(a->kernel, t->ifindex, IKE_PEER_FIRST, &t->path.local);
	core_path(a->core, t->conf.name, IKE_PEER_FIRST, &t->path.local, loop_now());
}

/* Clients come to an address of ours as long as we have it; then they hear from another one. */
static void look_clients(struct agent *a, const struct tunnel *t)
{
	static const struct ike_addr any;
	struct ike_addr gone = {
		0
	}; /* many clients come to the same address: it is looked up once */
	uint32_t ids[WIRE_CLIENTS_MAX];
	struct net_path p;
	struct ike_status s;
	unsigned int n;

	if (t->conf.clients <= 1 || t->conf.local.family)
		return;
	n = tunnel_clients(t, ids);
	for (unsigned int i = 0; i < n; i++) {
		if (core_peer_status(a->core, t->conf.name, ids[i], &s) || !s.have_ike ||
		    (!ike_addr_eq(&s.local.addr, &gone) && net_is_own(a->net, &s.local.addr)))
			continue;
		gone = s.local.addr;
		net_find_path(a->net, &s.remote.addr, &any, t->conf.fwmark, &p);
		if (p.err || !p.local.family)
			continue;
		kernel_peer_local(a->kernel, t->ifindex, ids[i], &p.local);
		core_path(a->core, t->conf.name, ids[i], &p.local, loop_now());
	}
}

void path_look(struct agent *a, struct tunnel *t)
{
	static const struct ike_addr any;
	struct ike_addr remote, local;
	struct net_path found;
	bool choose;
	enum path_state state;
	char text[512];

	choose = find_ends(a, t, &remote, &local);
	net_find_path(a->net, &remote, &local, t->conf.fwmark, &found);
	if (choose && local.family && (found.err || is_misplaced(a, &local, found.oif)))
		net_find_path(a->net, &remote, &any, t->conf.fwmark, &found);
	tell_addresses(a, t, &remote, &found.local); /* what follows may have to say them */
	state = judge_path(a, t, &remote, &found, text, sizeof(text));
	if (state == PATH_LOOP)
		given_judge_routes(t);
	if (state != t->path_state || memcmp(&found, &t->path, sizeof(found))) {
		t->path = found;
		t->path_state = state;
		tell_path(a, t, &remote, text);
	}
	if (t->conf.clients > 1)
		look_clients(a, t);
	if (may_start(t))
		tunnel_start(a, t);
}

void path_carrier(struct agent *a, uint32_t ifindex)
{
	for (struct tunnel *t = a->tunnels; t; t = t->next) {
		if (t->ifindex && !t->after && t->path.oif == ifindex && t->path_state == PATH_OPEN)
			core_path(a->core, t->conf.name, IKE_PEER_FIRST, &t->path.local,
				  loop_now());
	}
}

void path_changed(struct agent *a)
{
	uint64_t soon = loop_now() + LOOK_SOON;

	a->own_known = false;
	if (a->look_at == UINT64_MAX)
		a->look_at = soon > a->look_not_before ? soon : a->look_not_before;
}

void path_look_all(struct agent *a)
{
	a->look_at = UINT64_MAX;
	a->look_took = 0;
	a->look_not_before = loop_now() + LOOK_EVERY;
	for (struct tunnel *t = a->tunnels; t; t = t->next) {
		if (t->ifindex && !t->after)
			tunnel_todo(t, TODO_LOOK);
	}
}

void path_look_again(struct agent *a, struct tunnel *t)
{
	uint64_t began = loop_now(), share;

	if (t->after)
		return;
	path_look(a, t);
	/* A question to a name server that cannot be reached is not waited for. */
	if (*t->conf.endpoint && !t->conf.endpoint_addr.family && !t->started) {
		t->lookups = 0;
		path_resolve(a, t);
	}
	a->look_took += loop_now() - began;
	share = loop_now() + a->look_took * LOOK_SHARE;
	if (share > a->look_not_before)
		a->look_not_before = share;
}
