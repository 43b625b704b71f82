// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What only the whole of a file shows: algorithms, child SAs, the netdevice's addresses and routes; config_auth.c and config_clients.c have
 * the rest. config_parse() calls config_check() when it has read all lines.
 */
#include <stdio.h>
#include <string.h>

#include "ike/app/config/config_int.h"
#include "ike/proto/addr.h"
#include "ike/proto/transform.h"
#include "ike/child/proposal.h"
#include "ike/child/proposal_share.h"

/* What Crypto names and modern would not. */
static void warn_of_crypto(struct parse *p)
{
	const struct ike_word *w;

	for (size_t i = 0; (w = ike_word_get(i)); i++) {
		const char *caution = ike_transform_caution(&w->t);

		if (caution && (ike_proposals_allow(p->c->ike, &w->t, 1) ||
				ike_proposals_allow(p->c->esp, &w->t, 1)))
			config_say(p, false, config_line_of(p, "Crypto"), "Crypto: %s %s", w->text,
				   caution);
	}
}

/* What Require asks for, of one list; false, and an error is told, if Crypto has none of it. */
static bool apply_require(struct parse *p, unsigned int protocol, struct ike_proposals *list)
{
	for (unsigned int i = 0; i < REQUIRE_WORDS; i++) {
		const struct requirement_row *r = &config_requirements[i];

		if (!(p->require & 1u << i) || !r->keep || r->list != protocol)
			continue;
		/* No IKE SA comes without a required PPK, so that any key exchange does. */
		if ((i == REQUIRE_PQ && p->c->ppk && p->c->ppk->name.required) || r->keep(list))
			continue;
		config_refuse_requirement(p, i);
		return false;
	}
	return true;
}

static void finish_crypto(struct parse *p)
{
	static const uint8_t protocol[2] = { IKE_PROTO_IKE, IKE_PROTO_ESP };
	const struct ike_proposals **const out[2] = { &p->c->ike, &p->c->esp };
	struct ike_proposals list = { .n = 0 };

	for (unsigned int i = 0; i < 2; i++) {
		const char *text = p->crypto_given[i] ? p->crypto[i] : "modern";

		snprintf(p->err, sizeof(p->err), "no memory");
		if (!ike_proposals_from_text(text, protocol[i], &list, p->err, sizeof(p->err))) {
			if (!apply_require(p, i, &list))
				return;
			*out[i] = ike_proposals_get(&list);
		}
		if (*out[i])
			continue;
		config_say(p, true, config_line_of(p, "Crypto"), "Crypto = %.100s: %s", text,
			   p->err);
		return;
	}
	warn_of_crypto(p);
}

/* Without an endpoint we cannot begin. */
static void check_start(struct parse *p, struct children_section *s)
{
	bool begins = s->start_given && s->start != IKE_START_LISTEN;

	if (config_given(p, "Endpoint"))
		return;
	if (begins && s != p->sections)
		config_say(p, true, s->line,
			   "[Child %s]: without Endpoint only Start = listen is possible", s->name);
	else if (begins)
		config_say(p, true, config_line_of(p, "Start"),
			   "without Endpoint only Start = listen is possible");
	s->start = IKE_START_LISTEN;
}

/* What [Peer] says of Start, SelectorsPerChild and Mode holds where [Child NAME] does not say it. */
static void finish_section(struct parse *p, struct children_section *s, struct children *out)
{
	char any[] = "any";

	if (!s->start_given)
		s->start = p->sections[0].start;
	if (s->per == CHILDREN_AUTO)
		s->per = p->sections[0].per;
	if (!s->mode_given)
		s->mode = p->sections[0].mode;
	check_start(p, s);
	if ((s->n_pairs || !children_add_pair(s, any, p->err, sizeof(p->err))) &&
	    !children_make(out, s, p->err, sizeof(p->err)))
		*p->err = 0;
	else if (s->line)
		config_say(p, true, s->line, "[Child %s] Selectors: %s", s->name, p->err);
	else
		config_say(p, true, config_line_of(p, "Selectors"), "Selectors: %s", p->err);
	if (s->start < p->c->start)
		p->c->start = s->start;
}

static void finish_children(struct parse *p)
{
	unsigned int first = p->n_sections > 1 ? 1 : 0;
	struct children made = { .n = 0 };

	if (first && p->sections[0].n_pairs)
		config_say(p, true, config_line_of(p, "Selectors"),
			   "Selectors belong into the sections [Child NAME], as there are some");
	if (first)
		check_start(p, &p->sections[0]);
	p->c->start = IKE_START_LISTEN;
	for (unsigned int i = first; i < p->n_sections; i++)
		finish_section(p, &p->sections[i], &made);
	p->c->child = made.list;
	p->c->n_child = made.n;
}

/*
 * MOBIKE moves SAs in tunnel mode (RFC 4555 1.3): those of transport mode have the addresses of the
 * endpoints in their selectors.
 */
static void check_mobike(struct parse *p)
{
	bool transport = false;

	for (unsigned int i = 0; i < p->c->n_child; i++)
		transport |= p->c->child[i].mode == IKE_MODE_TRANSPORT;
	if (!transport)
		return;
	if (config_given(p, "Mobike") && p->c->mobike)
		config_say(
			p, true, config_line_of(p, "Mobike"),
			"Mobike = yes: addresses of SAs in transport mode cannot change: expected no, or Mode = tunnel");
	p->c->mobike = false;
}

static bool has_ipv6(const struct net_prefix *p, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		if (p[i].addr.family == 6)
			return true;
	}
	return false;
}

static void check_mtu(struct parse *p)
{
	struct config *c = p->c;

	if (!c->mtu || c->mtu >= IPV6_MIN_MTU)
		return;
	if (has_ipv6(c->address, c->n_address) || has_ipv6(c->routes, c->n_routes))
		config_say(p, true, config_line_of(p, "MTU"),
			   "MTU = %u: IPv6, of which Address or Routes has prefixes, needs %d",
			   c->mtu, IPV6_MIN_MTU);
}

static void check_families(struct parse *p)
{
	const struct config *c = p->c;
	char local[64];

	if (c->local.family && c->endpoint_addr.family &&
	    c->local.family != c->endpoint_addr.family)
		config_say(p, true, config_line_of(p, "Local"),
			   "Local = %s and Endpoint = %s: expected two addresses of one family",
			   ike_addr_print(local, sizeof(local), &c->local), c->endpoint);
}

/* A prefix that stands in @key again does no harm, but was meant to be another one. */
static void warn_of_twice(struct parse *p, const char *key, const struct net_prefix *v,
			  unsigned int n)
{
	char addr[64];

	for (unsigned int i = 1; i < n; i++) {
		for (unsigned int k = 0; k < i; k++) {
			if (memcmp(&v[i], &v[k], sizeof(v[i])))
				continue;
			config_say(p, false, config_line_of(p, key), "%s: %s/%u is given twice",
				   key, ike_addr_print(addr, sizeof(addr), &v[i].addr), v[i].len);
			break;
		}
	}
}

static void check_request(struct parse *p)
{
	if (!p->c->asks_address && config_given(p, "DNS"))
		config_say(
			p, true, config_line_of(p, "DNS"),
			"DNS: a peer tells name servers with the address that it gives: expected Address = request, too");
	if (!p->c->asks_address && p->c->asks_routes)
		config_say(
			p, true, config_line_of(p, "Routes"),
			"Routes = request: a peer tells routes with the address that it gives: expected Address = request, too");
	if (!p->c->asks_address)
		return;
	if (p->c->clients > 1)
		config_say(p, true, config_line_of(p, "Address"),
			   "Address = request: a hub gives addresses, and asks nobody for one");
	if (!config_given(p, "Endpoint"))
		config_say(
			p, true, config_line_of(p, "Address"),
			"Address = request: only the end that begins asks: expected Endpoint, too");
}

void config_check(struct parse *p)
{
	struct config *c = p->c;

	check_mtu(p);
	check_families(p);
	warn_of_twice(p, "Address", c->address, c->n_address);
	warn_of_twice(p, "Routes", c->routes, c->n_routes);
	config_auth_check(p);
	config_clients_check(p);
	finish_children(p);
	config_pool_check(p);
	config_radius_check(p);
	check_request(p);
	check_mobike(p);
	finish_crypto(p);
}
