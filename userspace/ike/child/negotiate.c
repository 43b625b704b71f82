// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Agreeing on a child SA (RFC 7296 1.3, 2.7, 2.9): our offer, judging the answer to it, and
 * answering the offer of the peer. IKE_AUTH and CREATE_CHILD_SA call it alike; nonces, key exchange
 * and roles are those of their exchange, in struct negotiation.
 *
 * The IKE SA stays when only the child fails. Why it failed is the error of the tunnel; what
 * follows is for the exchange to say.
 */
#include "ike/child/layer_child.h"

/* Of a client that gets addresses of a pool, those of @remote that are of these. */
static void keep_leased(const struct ike_peer *p, struct ike_ts_list *remote)
{
	const struct ike_ts_list allowed = *remote;
	struct ike_ts_list leased = { .n = 0 };
	unsigned int i;

	for (i = 0; i < 2; i++) {
		if (p->lease[i].family)
			ike_ts_add_address(&leased, &p->lease[i]);
	}
	ike_ts_narrow(IKE_TS_OFFER(&leased), &allowed, remote);
}

/* What is configured as @conf: in transport mode, for the addresses that the IKE SA has now. */
static void find_selectors(const struct ike_sa *sa, unsigned int conf, struct ike_ts_list *local,
			   struct ike_ts_list *remote)
{
	const struct tunnel_conf *c = sa->peer->conf;

	tunnel_selectors(c, conf, local, remote);
	if (c->pool && sa->peer->is_client)
		keep_leased(sa->peer, remote);
	if (c->child[conf].mode == IKE_MODE_TUNNEL)
		return;
	ike_ts_pin(local, &sa->local.addr);
	ike_ts_pin(remote, &sa->remote.addr);
}

void negotiate_begin(struct negotiation *n, const struct ike_sa *sa, unsigned int conf,
		     const struct child_sa *old)
{
	n->conf = conf;
	n->esp = *sa->peer->conf->esp;
	if (!n->own_exchange)
		ike_proposals_drop_dh(&n->esp); /* IKE_AUTH has no key exchange for it (1.2) */
	if (conf != CHILD_ANY) {
		n->mode = sa->peer->conf->child[conf].mode;
		find_selectors(sa, conf, &n->local, &n->remote);
	}
	if (old) {
		n->mode = old->mode;
		/* In transport mode the endpoints may be elsewhere since. */
		if (old->mode == IKE_MODE_TUNNEL)
			child_selectors(old, &n->local, &n->remote);
		ike_proposals_keep(&n->esp, &old->suite);
		n->replaces = old->spi_in;
	}
}

/* The first proposal's SPI, if it is an ESP SPI that may be used (RFC 4303 2.1). */
static uint32_t offered_spi(const struct ike_proposal *p)
{
	struct cursor c = cursor_init(p->spi, 4);
	uint32_t spi;

	if (p->protocol != IKE_PROTO_ESP || p->spi_len != 4)
		return 0;
	spi = cursor_be32(&c);
	return spi > 255 ? spi : 0;
}

static void put_esp_spi(struct ike_proposal *p, uint32_t spi)
{
	struct writer w = writer_init(p->spi, 4);

	p->spi_len = 4;
	writer_be32(&w, spi);
}

/* Asks for the mode, or agrees to it (1.3.1). */
static void build_mode(struct ike_builder *b, const struct negotiation *n)
{
	if (n->mode == IKE_MODE_TRANSPORT)
		ike_build_notify(b, IKE_N_USE_TRANSPORT_MODE, NULL, 0);
}

static bool has_transport_notify(const struct ike_payloads *in)
{
	struct ike_notify n;

	return ike_notify_find(in, IKE_N_USE_TRANSPORT_MODE, &n);
}

/* ---- initiator --------------------------------------------------------------- */

void negotiate_offer(struct ike_builder *b, struct negotiation *n)
{
	unsigned int i;

	for (i = 0; i < n->esp.n; i++)
		put_esp_spi(&n->esp.p[i], n->spi_in);
	build_mode(b, n);
	ike_build_sa(b, IKE_OFFER(&n->esp));
	if (n->own_exchange)
		ike_build_nonce(b, n->nonces.i, n->nonces.i_len);
	if (n->kex)
		ike_secret_build(b, n->kex);
	ike_build_ts(b, IKE_PL_TSI, IKE_TS_OFFER(&n->local));
	ike_build_ts(b, IKE_PL_TSR, IKE_TS_OFFER(&n->remote));
}

/* What else an esptun answers so for. */
static const char *other_cause(const struct ike_sa *sa, const struct negotiation *n, uint16_t error)
{
	const struct natd *at = &sa->natd;

	if (error == IKE_N_TS_UNACCEPTABLE && n->mode == IKE_MODE_TUNNEL)
		return "; or Mode=transport is set at its side";
	if (error == IKE_N_NO_PROPOSAL_CHOSEN && natd_is_plain(at))
		return "; or Encap=udp is set at its side";
	if (error == IKE_N_NO_PROPOSAL_CHOSEN && !at->peer_claims)
		return "; or Encap=esp is set at its side";
	return "";
}

bool negotiate_explain(struct ike_core *core, struct ike_sa *sa, const struct negotiation *n,
		       uint16_t error)
{
	char why[CORE_TEXT_MAX - 128];

	if (error == IKE_N_NO_PROPOSAL_CHOSEN)
		ike_proposal_explain(why, sizeof(why), &n->esp, (struct ike_offer){ 0 });
	else if (error == IKE_N_TS_UNACCEPTABLE)
		ike_ts_explain(why, sizeof(why), &n->local, &n->remote, (struct ike_ts_offer){ 0 },
			       (struct ike_ts_offer){ 0 });
	else if (error == IKE_N_SINGLE_PAIR_REQUIRED)
		snprintf(why, sizeof(why),
			 "it takes one pair of selectors: set SelectorsPerChild=one");
	else
		return false;
	report_error(core, sa->peer, sa, "peer refused the child SA (%s): %s%s",
		     ike_notify_name(error), why, other_cause(sa, n, error));
	return true;
}

/* The peer's choice of algorithms and its SPI, and the secret of the key exchange if it chose one. */
static bool take_proposal(struct ike_core *core, struct ike_sa *sa, struct negotiation *n,
			  const struct ike_payloads *in)
{
	const struct ike_payload *p_ke = ike_payload_find(in, IKE_PL_KE);
	struct ike_sa_payload answer;
	struct ike_ke ke;
	char err[256];

	if (ike_sa_parse(ike_payload_find(in, IKE_PL_SA), &answer)) {
		report_error(core, sa->peer, sa, "peer's answer about the child SA is malformed");
		return false;
	}
	if (!ike_proposal_verify(IKE_OFFER(&n->esp), IKE_OFFER(&answer), &n->chosen, err,
				 sizeof(err)) ||
	    esp_suite_from_proposal(&n->chosen, &n->suite) || !offered_spi(&n->chosen)) {
		report_error(core, sa->peer, sa,
			     "peer chose child SA algorithms we did not offer: %s",
			     offered_spi(&answer.p[0]) ? err : "and no usable SPI");
		return false;
	}
	n->spi_out = offered_spi(&n->chosen);
	/* Without a group libreswan 4 has a KE payload all the same, an empty one. */
	if (n->suite.dh == IKE_DH_NONE)
		return true;
	if (p_ke && !ike_ke_parse(p_ke, &ke) && ke.group == n->suite.dh &&
	    ike_secret_agree(&n->secret, n->kex, &ke))
		return true;
	report_error(core, sa->peer, sa,
		     "peer's answer about the child SA has no valid key exchange value");
	return false;
}

/* A responder that does not echo USE_TRANSPORT_MODE has made the pair in tunnel mode (1.3.1). */
static bool take_mode(struct ike_core *core, struct ike_sa *sa, const struct negotiation *n,
		      const struct ike_payloads *in)
{
	bool agrees = has_transport_notify(in);

	if (agrees == (n->mode == IKE_MODE_TRANSPORT) && !(agrees && sa->strayed))
		return true;
	if (agrees && sa->strayed)
		report_error(
			core, sa->peer, sa,
			"peer was at another address when this IKE SA began: a pair in transport mode is deleted, and comes with a new one");
	else if (agrees)
		report_error(
			core, sa->peer, sa,
			"peer answered in transport mode, which was not asked for: the pair is deleted");
	else
		report_error(
			core, sa->peer, sa,
			"peer does not take transport mode, and answered in tunnel mode: the pair is deleted; set transport mode at its side (strongSwan: mode = transport), or Mode=tunnel here");
	return false;
}

static bool take_selectors(struct ike_core *core, struct ike_sa *sa, struct negotiation *n,
			   const struct ike_payloads *in)
{
	const struct ike_payload *p_i = ike_payload_find(in, IKE_PL_TSI);
	const struct ike_payload *p_r = ike_payload_find(in, IKE_PL_TSR);
	struct ike_ts_payload ours, theirs;
	char a[200], b[200];

	if (!p_i || !p_r || ike_ts_parse(p_i, &ours) || ike_ts_parse(p_r, &theirs)) {
		report_error(core, sa->peer, sa, "peer's answer about the child SA is malformed");
		return false;
	}
	if (n->mode == IKE_MODE_TRANSPORT) { /* a NAT has the peer see other ones (2.23.1) */
		ike_ts_substitute(&ours, &sa->local.addr, &n->nat_oa_local);
		ike_ts_substitute(&theirs, &sa->remote.addr, &n->nat_oa_remote);
	}
	if (!ike_ts_within(IKE_TS_OFFER(&ours), &n->local) ||
	    !ike_ts_within(IKE_TS_OFFER(&theirs), &n->remote)) {
		report_error(
			core, sa->peer, sa,
			"peer answered with selectors %s = %s, wider than Selectors=: correct its policy",
			ike_ts_list_print(a, sizeof(a), IKE_TS_OFFER(&ours)),
			ike_ts_list_print(b, sizeof(b), IKE_TS_OFFER(&theirs)));
		return false;
	}
	if (ike_ts_take(IKE_TS_OFFER(&ours), &n->local) &&
	    ike_ts_take(IKE_TS_OFFER(&theirs), &n->remote))
		return true;
	report_error(
		core, sa->peer, sa,
		"peer answered with more than %d traffic selectors: ask for fewer in Selectors=",
		IKE_MAX_TS);
	return false;
}

/* Undo a child SA that the peer believes in and we cannot have. */
static void undo_child(struct ike_core *core, struct ike_sa *sa, uint32_t spi)
{
	static const struct ike_ts_list none;
	struct child_sa *c = child_new(&none, &none);

	if (!c) {
		request_close(core, sa, IKESA_CLOSE_MS);
		return;
	}
	c->spi_in = spi;
	TAILQ_INSERT_TAIL(&sa->children, c, link);
	request_delete_child(core, sa, c);
}

void negotiate_reject(struct ike_core *core, struct ike_sa *sa, struct negotiation *n)
{
	child_spi_release(core, sa, n->spi_in);
	undo_child(core, sa, n->spi_in);
	n->spi_in = 0;
}

/*
 * The peer gives @spi_out to a new pair. By its SPI it finds an SA (RFC 4303 2.1), so it no longer has
 * the one that we know by this SPI: what we send on that is lost, and its deletes mean the new one.
 */
static void end_namesakes(struct ike_core *core, struct ike_peer *p, uint32_t spi_out)
{
	struct child_sa *c;
	struct ike_sa *sa;

	TAILQ_FOREACH(sa, &p->sas, of_peer)
	{
		c = child_find(sa, 0, spi_out);
		if (c)
			child_retire(core, sa, c);
	}
	adopted_remove_pair(core, p, spi_out, false);
}

/* The secrets of additional key exchanges come behind this one, which is kept until then. */
static bool begin_further(struct negotiation *n)
{
	n->further = followup_new(&n->suite.addke, &n->nonces, &n->secret);
	if (!n->further)
		return false;
	n->nonces = n->further->nonces;
	ike_wipe(&n->secret, sizeof(n->secret));
	return true;
}

/* Both ends agreed on the pair. */
static struct child_sa *install_agreed(struct ike_core *core, struct ike_sa *sa,
				       const struct negotiation *n)
{
	end_namesakes(core, sa->peer, n->spi_out);
	return install_pair(core, sa, n);
}

/* Another client that has some of the remote selectors of @n, and is asked whether it still lives. */
static const struct ike_peer *find_rival(struct ike_core *core, const struct ike_sa *sa,
					 const struct negotiation *n)
{
	const struct ike_peer *rival = claim_rival(sa->peer, &n->remote);
	struct ike_sa *old;

	if (!rival)
		return NULL;
	TAILQ_FOREACH(old, &rival->sas, of_peer)
	{
		if (old->state == IKESA_ESTABLISHED)
			request_probe(core, old);
	}
	return rival;
}

/* What the peer narrowed our offer to may be another client's by now. */
static bool is_rivals(struct ike_core *core, struct ike_sa *sa, const struct negotiation *n)
{
	if (!find_rival(core, sa, n))
		return false;
	report_error(core, sa->peer, sa,
		     "peer answered with selectors that another client has: the pair is deleted");
	return true;
}

struct child_sa *negotiate_take(struct ike_core *core, struct ike_sa *sa, struct negotiation *n,
				const struct ike_payloads *in)
{
	struct child_sa *c = NULL;
	struct ike_notify more;

	if (take_mode(core, sa, n, in) && take_proposal(core, sa, n, in) &&
	    take_selectors(core, sa, n, in) && !is_rivals(core, sa, n) &&
	    n->spi_out != n->deleted) {
		if (n->suite.addke.n && begin_further(n))
			return NULL;
		if (!n->suite.addke.n)
			c = install_agreed(core, sa, n);
	}
	ike_wipe(&n->secret, sizeof(n->secret));
	if (!c)
		negotiate_reject(core, sa, n);
	else if (ike_notify_find(in, IKE_N_ADDITIONAL_TS_POSSIBLE, &more))
		report_line(
			core, IKE_LOG_WARN, NULL, sa,
			"peer would allow more, but under child SAs of their own (ADDITIONAL_TS_POSSIBLE): see SelectorsPerChild in esptun.conf(5)");
	return c;
}

/* ---- responder --------------------------------------------------------------- */

static bool refuse_child(struct ike_core *core, struct ike_sa *sa, struct negotiation *n,
			 struct x_msg *m, uint16_t notify, const char *what, const char *why)
{
	n->refused = notify;
	event_note_child(core, sa->peer, n->conf, EVENT_CHILD_REFUSED);
	report_error(core, sa->peer, sa, "child SA refused: %s%s%s", what, *why ? ": " : "", why);
	ike_build_notify(m->reply, notify, NULL, 0);
	return false;
}

/* What we allow that the peer offers too; of a pair that is renewed, its algorithms if they are. */
static bool choose_common(struct negotiation *n, struct ike_offer offer, uint16_t ke_group)
{
	struct ike_proposals same = n->esp;

	if (n->same) {
		ike_proposals_keep(&same, n->same);
		if (ike_proposal_choose(&same, offer, ke_group, &n->chosen))
			return true;
	}
	return ike_proposal_choose(&n->esp, offer, ke_group, &n->chosen);
}

static bool choose_proposal(struct ike_core *core, struct ike_sa *sa, struct negotiation *n,
			    struct x_msg *m, const struct ike_ke *ke)
{
	struct ike_sa_payload offer;
	char why[CORE_TEXT_MAX - 128];
	unsigned int i;

	if (ike_sa_parse(ike_payload_find(m->in, IKE_PL_SA), &offer))
		return refuse_child(core, sa, n, m, IKE_N_INVALID_SYNTAX, "the offer is malformed",
				    "");
	for (i = 0; !n->own_exchange && i < offer.n; i++)
		ike_proposal_drop_dh(&offer.p[i]);
	if (!choose_common(n, IKE_OFFER(&offer), ke->group) ||
	    esp_suite_from_proposal(&n->chosen, &n->suite) || !offered_spi(&n->chosen))
		return refuse_child(core, sa, n, m, IKE_N_NO_PROPOSAL_CHOSEN, "no common proposal",
				    ike_proposal_explain(why, sizeof(why), &n->esp,
							 IKE_OFFER(&offer)));
	n->spi_out = offered_spi(&n->chosen);
	return true;
}

/* What the peer asks for, as seen from here. */
struct asked {
	enum ike_mode mode;
	struct ike_ts_payload local, remote;
};

/* How well does what is configured as @conf answer the peer? It gets @n's selectors. 0: not at all. */
static unsigned int judge_conf(const struct ike_sa *sa, const struct asked *ask, unsigned int conf,
			       struct negotiation *n)
{
	struct ike_ts_offer local = IKE_TS_OFFER(&ask->local), remote = IKE_TS_OFFER(&ask->remote);
	struct ike_ts_list own_local, own_remote;
	unsigned int fit = 1;

	if (sa->peer->conf->child[conf].mode != ask->mode)
		return 0;
	find_selectors(sa, conf, &own_local, &own_remote);
	if (!ike_ts_narrow(local, &own_local, &n->local) ||
	    !ike_ts_narrow(remote, &own_remote, &n->remote))
		return 0;
	if (ike_ts_within(local, &own_local) && ike_ts_within(remote, &own_remote))
		fit += 4; /* nothing of it is left out */
	if (!query_sa_has_child(sa, conf))
		fit += 2; /* it is not carried yet */
	local.n = remote.n = 1;
	if (ike_ts_within(local, &own_local) && ike_ts_within(remote, &own_remote))
		fit += 1; /* the first selectors may be those of a packet (2.9) */
	return fit;
}

/* The configured child SA that answers the peer best, with the selectors in common. */
static bool choose_conf(const struct ike_sa *sa, const struct asked *ask, struct negotiation *n)
{
	unsigned int i, fit, best = 0, fitting = 0;
	struct negotiation at = { 0 };

	for (i = 0; i < sa->peer->conf->n_child; i++) {
		if (n->conf != CHILD_ANY && i != n->conf)
			continue;
		fit = judge_conf(sa, ask, i, &at);
		fitting += fit > 0;
		if (fit <= best)
			continue;
		best = fit;
		at.conf = i;
		n->local = at.local;
		n->remote = at.remote;
	}
	if (!best)
		return false;
	n->conf = at.conf;
	n->mode = ask->mode;
	n->more_possible = fitting > 1 && best <= 4;
	return true;
}

/* The same in transport mode, if it asks for that, for the addresses that we see; else in tunnel mode. */
static bool choose_mode(const struct ike_sa *sa, const struct asked *ask, struct negotiation *n)
{
	struct asked in_mode = *ask;

	/* A NAT has the peer see other addresses (2.23.1). */
	if (ask->mode == IKE_MODE_TRANSPORT && !sa->strayed) {
		ike_ts_substitute(&in_mode.local, &sa->local.addr, &n->nat_oa_local);
		ike_ts_substitute(&in_mode.remote, &sa->remote.addr, &n->nat_oa_remote);
		if (choose_conf(sa, &in_mode, n))
			return true;
	}
	in_mode = *ask;
	in_mode.mode = IKE_MODE_TUNNEL;
	return choose_conf(sa, &in_mode, n);
}

static const char *name_rival(const struct ike_peer *rival, char *buf, size_t size)
{
	char id[IKE_MAX_ID + 16];

	if (rival->proven.type)
		snprintf(buf, size, "client '%s'", ike_id_print(id, sizeof(id), &rival->proven));
	else
		snprintf(buf, size, "a client that did not come back since esptund started");
	return buf;
}

/* Is the client @p where the peer of @sa is? */
static bool is_at_one_address(const struct ike_peer *p, const struct ike_sa *sa)
{
	const struct ike_sa *other;

	TAILQ_FOREACH(other, &p->sas, of_peer)
	{
		if (ike_addr_eq(&other->remote.addr, &sa->remote.addr))
			return true;
	}
	return p->n_adopted && ike_addr_eq(&p->adopted_remote.addr, &sa->remote.addr);
}

/*
 * In transport mode clients behind one NAT have one address, and are told apart by ports of their own.
 * Ports of ours would tell some packets apart, too, but are not looked at.
 */
static bool refuse_rivals(struct ike_core *core, struct ike_sa *sa, struct negotiation *n,
			  struct x_msg *m, const struct ike_peer *rival)
{
	char name[IKE_MAX_ID + 32], own_id[IKE_MAX_ID + 16], ts[200];
	char why[CORE_TEXT_MAX - 128];

	snprintf(
		why, sizeof(why), "%s has some of what '%s' asks for, which is %s: %s",
		name_rival(rival, name, sizeof(name)),
		ike_id_print(own_id, sizeof(own_id), &sa->remote_id),
		ike_ts_list_print(ts, sizeof(ts), IKE_TS_OFFER(&n->remote)),
		n->mode == IKE_MODE_TRANSPORT && is_at_one_address(rival, sa)
			? "both come from one address; have each ask for ports of its own (strongSwan: local_ts = dynamic[udp/40001]) and limit the remote side of Selectors= to such, or set Mode=tunnel"
			: "give each client addresses of its own");
	return refuse_child(core, sa, n, m, IKE_N_TS_UNACCEPTABLE, "selectors are in use", why);
}

/* Clients of a hub with a pool have no others than the addresses they hold, and this one holds none. */
static bool lacks_lease(const struct ike_sa *sa)
{
	const struct ike_peer *p = sa->peer;

	return p->conf->pool && p->is_client && !p->lease[0].family && !p->lease[1].family;
}

static bool choose_selectors(struct ike_core *core, struct ike_sa *sa, struct negotiation *n,
			     struct x_msg *m)
{
	struct ike_ts_list own_local, own_remote;
	char why[CORE_TEXT_MAX - 128];
	unsigned int conf;
	struct asked ask;

	if (ike_ts_parse(ike_payload_find(m->in, IKE_PL_TSI), &ask.remote) ||
	    ike_ts_parse(ike_payload_find(m->in, IKE_PL_TSR), &ask.local))
		return refuse_child(core, sa, n, m, IKE_N_INVALID_SYNTAX, "the offer is malformed",
				    "");
	if (lacks_lease(sa))
		return refuse_child(
			core, sa, n, m, IKE_N_FAILED_CP_REQUIRED, "it has no address of [Pool]",
			"let the client ask for one (strongSwan: vips = 0.0.0.0), or remove [Pool]");
	ask.mode = has_transport_notify(m->in) ? IKE_MODE_TRANSPORT : IKE_MODE_TUNNEL;
	if (choose_mode(sa, &ask, n)) {
		const struct ike_peer *rival = find_rival(core, sa, n);

		return !rival || refuse_rivals(core, sa, n, m, rival);
	}
	if (ask.mode == IKE_MODE_TRANSPORT && sa->strayed) /* so that it begins a new IKE SA */
		return refuse_child(
			core, sa, n, m, IKE_N_NO_ADDITIONAL_SAS, "transport mode",
			"the peer did not prove its address, which was another one when this IKE SA began; it is to begin a new one");
	conf = n->conf == CHILD_ANY ? 0 : n->conf;
	if (ask.mode == IKE_MODE_TUNNEL && sa->peer->conf->child[conf].mode == IKE_MODE_TRANSPORT)
		return refuse_child(
			core, sa, n, m, IKE_N_TS_UNACCEPTABLE, "the peer asks for tunnel mode",
			"set transport mode at its side (strongSwan: mode = transport), or Mode=tunnel here");
	find_selectors(sa, conf, &own_local, &own_remote);
	return refuse_child(core, sa, n, m, IKE_N_TS_UNACCEPTABLE, "no common selectors",
			    ike_ts_explain(why, sizeof(why), &own_local, &own_remote,
					   IKE_TS_OFFER(&ask.local), IKE_TS_OFFER(&ask.remote)));
}

/* Our half of the key exchange that the proposal asks for, if any. */
static bool answer_key_exchange(struct ike_core *core, struct ike_sa *sa, struct negotiation *n,
				struct x_msg *m, const struct ike_ke *ke)
{
	uint16_t group = n->suite.dh;

	if (group == IKE_DH_NONE)
		return true;
	if (group != ke->group) {
		report_line(core, IKE_LOG_DEBUG, NULL, sa,
			    "asked the peer for another group for its child SA");
		ike_build_invalid_ke(m->reply, group);
		return false;
	}
	if (!ike_kex_valid(group, ke->data, ke->len))
		return refuse_child(core, sa, n, m, IKE_N_INVALID_SYNTAX,
				    "its key exchange value is invalid", "");
	n->kex = ike_kex_respond(group, &core->env.rng, ke->data, ke->len, &n->secret);
	if (n->kex)
		return true;
	return refuse_child(core, sa, n, m, IKE_N_TEMPORARY_FAILURE, "the key exchange failed", "");
}

/* Another pair of @sa that carries what the new one is for; NULL if there is none. */
static const struct child_sa *find_carrier(const struct ike_sa *sa, const struct negotiation *n)
{
	struct ike_ts_list local, remote;
	const struct child_sa *c;

	TAILQ_FOREACH(c, &sa->children, link)
	{
		child_selectors(c, &local, &remote);
		if (c->state <= CHILD_UP && ike_ts_within(IKE_TS_OFFER(&n->local), &local) &&
		    ike_ts_within(IKE_TS_OFFER(&n->remote), &remote))
			return c;
	}
	return NULL;
}

static bool is_carried(const struct ike_peer *p, const struct negotiation *n)
{
	const struct ike_sa *sa;

	TAILQ_FOREACH(sa, &p->sas, of_peer)
	{
		if (!sa->superseded && find_carrier(sa, n))
			return true;
	}
	return p->n_adopted;
}

/*
 * An additional pair has nothing to wait with until the peer is known to have it, unless another
 * carries the same. If we ask for one of the same configuration, or asked for it when the peer may
 * not have known yet, one of both is redundant.
 */
static void judge_additional(const struct ike_core *core, const struct ike_sa *sa,
			     struct negotiation *n)
{
	const struct child_sa *c = find_carrier(sa, n);
	uint32_t nothing = child_replaces_nothing(n->conf);

	n->inbound_first = is_carried(sa->peer, n);
	if (exchange_makes_pair(sa, n->conf) ||
	    (c && c->ours && c->replaces == nothing && core->now - c->at < IKESA_DEAD_MS))
		n->replaces = nothing;
}

struct child_sa *negotiate_finish(struct ike_core *core, struct ike_sa *sa, struct negotiation *n)
{
	struct child_sa *c = NULL;

	n->secret = n->further->secret[0];
	if (!n->ours && !n->replaces)
		judge_additional(core, sa, n);
	if (!(n->ours ? is_rivals(core, sa, n) : find_rival(core, sa, n) != NULL) &&
	    n->spi_out != n->deleted)
		c = install_agreed(core, sa, n);
	ike_wipe(&n->secret, sizeof(n->secret));
	if (!c && n->ours)
		negotiate_reject(core, sa, n);
	return c;
}

/* What was chosen has an SPI of ours, and is installed, or has further key exchanges to wait for. */
static bool make_chosen(struct ike_core *core, struct ike_sa *sa, struct negotiation *n,
			struct child_sa **c)
{
	n->spi_in = install_reserve_spi(core, sa);
	if (!n->spi_in)
		return false;
	if (n->suite.addke.n)
		return begin_further(n);
	if (n->own_exchange && !n->replaces)
		judge_additional(core, sa, n);
	*c = install_agreed(core, sa, n);
	return *c;
}

static struct child_sa *install_chosen(struct ike_core *core, struct ike_sa *sa,
				       struct negotiation *n, struct x_msg *m)
{
	struct child_sa *c = NULL;

	if (!make_chosen(core, sa, n, &c)) {
		child_spi_release(core, sa, n->spi_in);
		/* The reason is logged already; the peer may try again (2.25). */
		ike_build_notify(m->reply, IKE_N_TEMPORARY_FAILURE, NULL, 0);
		return NULL;
	}
	put_esp_spi(&n->chosen, n->spi_in);
	build_mode(m->reply, n);
	ike_build_sa(m->reply, (struct ike_offer){ 1, &n->chosen });
	if (n->own_exchange)
		ike_build_nonce(m->reply, n->nonces.r, n->nonces.r_len);
	if (n->kex)
		ike_secret_build(m->reply, n->kex);
	ike_build_ts(m->reply, IKE_PL_TSI, IKE_TS_OFFER(&n->remote));
	ike_build_ts(m->reply, IKE_PL_TSR, IKE_TS_OFFER(&n->local));
	if (n->more_possible) /* under child SAs of their own (2.9) */
		ike_build_notify(m->reply, IKE_N_ADDITIONAL_TS_POSSIBLE, NULL, 0);
	return c;
}

struct child_sa *negotiate_give(struct ike_core *core, struct ike_sa *sa, struct negotiation *n,
				struct x_msg *m)
{
	const struct ike_payload *p_ke = ike_payload_find(m->in, IKE_PL_KE);
	struct ike_ke ke = { .group = IKE_DH_NONE };
	struct child_sa *c = NULL;

	if (n->own_exchange && p_ke && ike_ke_parse(p_ke, &ke)) {
		refuse_child(core, sa, n, m, IKE_N_INVALID_SYNTAX, "the offer is malformed", "");
		return NULL;
	}
	if (choose_proposal(core, sa, n, m, &ke) && choose_selectors(core, sa, n, m) &&
	    answer_key_exchange(core, sa, n, m, &ke))
		c = install_chosen(core, sa, n, m);
	ike_kex_free(n->kex);
	n->kex = NULL;
	ike_wipe(&n->secret, sizeof(n->secret));
	return c;
}
