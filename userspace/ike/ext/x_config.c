// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The configuration payload (RFC 7296 2.19, 3.15), by which a client gets its address from a hub, and
 * is told of name servers and networks there. IKE_AUTH and INFORMATIONAL requests are answered alike.
 *
 * A hub without a pool ignores the payload, as the RFC allows, and as gateways want that send it in
 * vain. CFG_SET has no use yet, and an answer without CFG_ACK says that nothing was accepted (3.15).
 */
#include "ike/exch/layer_exchange.h"

#include <errno.h>

/* ---- the hub --------------------------------------------------------------------- */

/* How far the addresses came that were asked for. */
struct grant {
	unsigned int asked, given;
	int error; /* why one was not given, that clients may get; 0: none failed so … */
	uint8_t family; /* … of this; 0: of both */
};

/* The address of one family, if it is asked for. */
static void give_address(struct ike_core *core, struct ike_sa *sa, const struct ike_cp *ask,
			 uint32_t attribute, uint8_t family, struct ike_cp *out, struct grant *g)
{
	struct ike_peer *p = sa->peer;
	struct ike_addr *to = &out->address[family == 6];
	int err;

	if (!(ask->has & attribute))
		return;
	g->asked++;
	err = core->env.lease(core->env.ctx, p->conf->name, p->id, &sa->remote_id, family,
			      &ask->address[family == 6], to);
	if (err || to->family != family) {
		memset(to, 0, sizeof(*to));
		if (err == -EAFNOSUPPORT)
			return;
		g->family = g->error ? 0 : family;
		g->error = err;
		return;
	}
	out->has |= attribute;
	p->lease[family == 6] = *to;
	g->given++;
}

/* One of the networks that lead to us, if those of its family are asked for; there is room. */
static void tell_subnet(const struct ike_cp_subnet *subnet, const struct ike_cp *ask,
			struct ike_cp *out)
{
	uint32_t attribute = subnet->addr.family == 6 ? IKE_CP_HAS(IP6_SUBNET)
						      : IKE_CP_HAS(IP4_SUBNET);

	if (!(ask->has & attribute))
		return;
	out->has |= attribute;
	out->subnet[out->n_subnets++] = *subnet;
}

/* Those of the selectors, unless they are all there are, in which case there is nothing to say. */
static void tell_selectors(const struct tunnel_conf *c, const struct ike_cp *ask,
			   struct ike_cp *out)
{
	struct ike_ts_list local, remote;
	struct ike_prefix found[IKE_CP_SUBNETS];
	bool all[2] = { false, false };
	unsigned int i;
	int n, k;

	for (i = 0; i < c->n_child; i++) {
		tunnel_selectors(c, i, &local, &remote);
		for (k = 0; k < (int)local.n; k++)
			all[local.ts[k].family == 6] |= ike_ts_is_any(&local.ts[k]);
	}
	tunnel_selectors(c, 0, &local, &remote);
	n = ike_ts_prefixes(&local, found, IKE_CP_SUBNETS);
	for (k = 0; k < n; k++) {
		struct ike_cp_subnet subnet = { { .family = found[k].family }, found[k].len };

		memcpy(subnet.addr.b, found[k].addr, sizeof(subnet.addr.b));
		if (!all[subnet.addr.family == 6])
			tell_subnet(&subnet, ask, out);
	}
}

static void tell_subnets(const struct tunnel_conf *c, const struct ike_cp *ask, struct ike_cp *out)
{
	const struct ike_pool_conf *pool = c->pool;
	unsigned int i;

	if (!pool->tells_routes)
		tell_selectors(c, ask, out);
	for (i = 0; pool->tells_routes && i < pool->n_routes; i++)
		tell_subnet(&pool->route[i], ask, out);
}

/* What is asked for of the rest. Domains come with the servers that know them alone (RFC 8598 3.1). */
static void tell_names(const struct ike_pool_conf *pool, const struct ike_cp *ask,
		       struct ike_cp *out)
{
	unsigned int i;

	for (i = 0; i < pool->n_servers; i++) {
		uint32_t attribute = pool->server[i].family == 6 ? IKE_CP_HAS(IP6_DNS)
								 : IKE_CP_HAS(IP4_DNS);

		if (!(ask->has & attribute))
			continue;
		out->has |= attribute;
		out->server[out->n_servers++] = pool->server[i];
	}
	if (out->n_servers && *pool->domains && (ask->has & IKE_CP_HAS(DNS_DOMAIN))) {
		out->has |= IKE_CP_HAS(DNS_DOMAIN);
		memcpy(out->domains, pool->domains, sizeof(out->domains));
	}
}

static void answer_request(struct ike_core *core, struct ike_sa *sa, struct x_msg *m,
			   const struct ike_cp *ask, struct grant *g)
{
	struct ike_cp out = { .type = IKE_CP_REPLY };

	give_address(core, sa, ask, IKE_CP_HAS(IP4_ADDRESS), 4, &out, g);
	give_address(core, sa, ask, IKE_CP_HAS(IP6_ADDRESS), 6, &out, g);
	if (g->asked && !g->given)
		return;
	tell_names(sa->peer->conf->pool, ask, &out);
	tell_subnets(sa->peer->conf, ask, &out);
	/* APPLICATION_VERSION would tell whoever has a key what to attack; an answer may leave it out (3.15.4). */
	out.has |= ask->has & IKE_CP_HAS(SUPPORTED_ATTRIBUTES);
	ike_build_cp(m->reply, &out);
}

/* The request in @m; false if there is none. Malformed, it asks for nothing. */
static bool find_request(const struct x_msg *m, struct ike_cp *ask)
{
	const struct ike_payload *p = ike_payload_find(m->in, IKE_PL_CP);

	if (!p)
		return false;
	if (ike_cp_parse(p, ask))
		*ask = (struct ike_cp){ .type = IKE_CP_REQUEST };
	return ask->type == IKE_CP_REQUEST;
}

static const char *find_cause(const struct grant *g)
{
	static const struct {
		int error;
		const char *text;
	} causes[] = {
		{ 0,
		  "it asks for one of a family that Range= in [Pool] has none of: add a range to it" },
		{ -ENOSPC,
		  "clients that are connected have all of Range= in [Pool]: make it larger" },
		{ -EBUSY,
		  "another client is connected with its lease, or its SAs lead to another identity's" },
	};
	unsigned int i;

	if (!g->asked)
		return "it asks for none, but clients get one of [Pool]: let it ask (strongSwan: vips = 0.0.0.0), or remove [Pool]";
	for (i = 0; i < sizeof(causes) / sizeof(causes[0]); i++) {
		if (causes[i].error == g->error)
			return causes[i].text;
	}
	return strerror(-g->error);
}

/* Of what it asked for something is not given. */
static void explain_failure(struct ike_core *core, const struct ike_sa *sa, const struct grant *g)
{
	char id[IKE_MAX_ID + 16], family[8] = "";

	if (g->family)
		snprintf(family, sizeof(family), "IPv%u ", g->family);
	report_error(core, sa->peer, sa, "client '%s' gets no %saddress: %s",
		     ike_id_print(id, sizeof(id), &sa->remote_id), family, find_cause(g));
}

bool x_config_answer(struct ike_core *core, struct ike_sa *sa, struct x_msg *m)
{
	struct grant g = { 0 };
	struct ike_cp ask;
	bool refused;

	if (!sa->peer->conf->pool || !sa->peer->is_client)
		return true;
	if (find_request(m, &ask))
		answer_request(core, sa, m, &ask, &g);
	refused = !g.given && ike_payload_find(m->in, IKE_PL_SA);
	if (g.error || refused)
		explain_failure(core, sa, &g);
	if (!refused)
		return true;
	ike_build_notify(m->reply,
			 g.asked ? IKE_N_INTERNAL_ADDRESS_FAILURE : IKE_N_FAILED_CP_REQUIRED, NULL,
			 0);
	event_note_child(core, sa->peer, CHILD_ANY, EVENT_CHILD_REFUSED);
	return false;
}

void x_config_request(struct ike_core *core, struct ike_sa *sa, struct x_msg *m)
{
	struct grant g = { 0 };
	struct ike_cp ask;

	/* What else the message says may have ended it. */
	if (!sa->peer || !sa->peer->conf->pool || !sa->peer->is_client || !find_request(m, &ask))
		return;
	answer_request(core, sa, m, &ask, &g);
	if (g.error || (g.asked && !g.given))
		explain_failure(core, sa, &g);
	if (g.asked && !g.given)
		ike_build_notify(m->reply, IKE_N_INTERNAL_ADDRESS_FAILURE, NULL, 0);
}

/* ---- the client ------------------------------------------------------------------ */

void x_config_ask(struct ike_builder *b, const struct ike_sa *sa)
{
	const struct ike_peer *p = sa->peer;
	struct ike_cp ask = {
		.type = IKE_CP_REQUEST,
		.has = IKE_CP_HAS(IP4_ADDRESS) | IKE_CP_HAS(IP6_ADDRESS) | IKE_CP_HAS(IP4_DNS) |
		       IKE_CP_HAS(IP6_DNS) | IKE_CP_HAS(DNS_DOMAIN) | IKE_CP_HAS(IP4_SUBNET) |
		       IKE_CP_HAS(IP6_SUBNET),
	};

	if (!p->conf->asks_address)
		return;
	memcpy(ask.address, p->lease, sizeof(ask.address)); /* what we had: may we have it again? */
	ike_build_cp(b, &ask);
}

/* Of all that the peer says, what can be. */
static void keep_hosts(struct ike_cp *cp)
{
	unsigned int i, n = 0;

	for (i = 0; i < 2; i++) {
		if (!ike_addr_is_host(&cp->address[i]))
			memset(&cp->address[i], 0, sizeof(cp->address[i]));
	}
	for (i = 0; i < cp->n_servers; i++) {
		if (ike_addr_is_host(&cp->server[i]))
			cp->server[n++] = cp->server[i];
	}
	cp->n_servers = n;
}

/* The peer's reply in @in, with an address that a host can have. */
static bool find_reply(const struct ike_payloads *in, struct ike_cp *cp)
{
	const struct ike_payload *p = ike_payload_find(in, IKE_PL_CP);

	if (!p || ike_cp_parse(p, cp) || cp->type != IKE_CP_REPLY)
		return false;
	keep_hosts(cp);
	return cp->address[0].family || cp->address[1].family;
}

static void print_addresses(char *text, size_t size, const struct ike_cp *cp)
{
	char first[64] = "", second[64] = "";

	if (cp->address[0].family)
		ike_addr_print(first, sizeof(first), &cp->address[0]);
	if (cp->address[1].family)
		ike_addr_print(second, sizeof(second), &cp->address[1]);
	snprintf(text, size, "%s%s%s", first, *first && *second ? " and " : "", second);
}

bool x_config_take(struct ike_core *core, struct ike_sa *sa, const struct ike_payloads *in)
{
	struct ike_peer *p = sa->peer;
	char text[160];
	struct ike_cp cp;
	int err;

	if (!p->conf->asks_address)
		return true;
	if (!find_reply(in, &cp)) {
		report_error(
			core, p, sa,
			"peer gives us no address, but Address=request asks for one: give its side a pool (strongSwan: pools), or set Address= here");
		return false;
	}
	print_addresses(text, sizeof(text), &cp);
	err = core->env.settings(core->env.ctx, p->conf->name, &cp);
	if (err) {
		report_error(
			core, p, sa, "peer gives us the address %s, which cannot be used here: %s",
			text,
			err == -EADDRNOTAVAIL
				? "something else has it, or its network; the log says what: have its pool give others"
				: strerror(-err));
		return false;
	}
	memcpy(p->lease, cp.address, sizeof(p->lease));
	report_line(core, IKE_LOG_INFO, NULL, sa, "peer gives us the address %s", text);
	return true;
}

bool x_config_explain(struct ike_core *core, struct ike_sa *sa, uint16_t error)
{
	if (error == IKE_N_INTERNAL_ADDRESS_FAILURE)
		report_error(
			core, sa->peer, sa,
			"peer has no address for us (INTERNAL_ADDRESS_FAILURE): its pool is used up, or has no addresses for our identity; see its log");
	else if (error == IKE_N_FAILED_CP_REQUIRED)
		report_error(
			core, sa->peer, sa,
			"peer wants us to ask for an address (FAILED_CP_REQUIRED): set Address=request in [Tunnel]");
	else
		return false;
	return true;
}
