// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * MOBIKE (RFC 4555): an IKE SA and its pairs go on when an address of either end changes.
 *
 * The end that began the first IKE SA decides which addresses are used, and tells the other by
 * UPDATE_SA_ADDRESSES; the other tells which addresses it has. Each end verifies by COOKIE2 that
 * its peer answers at an address before ESP goes there (address.c). One exchange of ours at most
 * does all that: while it is out, what changes is noted, and the next one says it.
 *
 * We obey NO_NATS_ALLOWED, but never send it, also where ESP is to travel without UDP: the hashes of natd.c
 * tell the same, and both ends what it is that they see, while it has the addresses of one path, so that no
 * copy of the message could go another way.
 */
#include "ike/exch/layer_exchange.h"

enum {
	COOKIE2_MIN = 8, /* octets, RFC 4555 4.2.5 */
	COOKIE2_MAX = 64,
};

static const struct exchange_ops update_ops;

/* The IKE SA there is after @sa was rekeyed; NULL if it came to nothing. */
static struct ike_sa *find_newest(const struct ike_core *core, struct ike_sa *sa)
{
	while (sa && sa->state != IKESA_ESTABLISHED)
		sa = ikesa_find(&core->sas, sa->mobike.heir_spi, sa->mobike.heir_is_ours);
	return sa;
}

/*
 * The IKE SA that @sa took the place of, while the peer, which began that, has not deleted it: our answer
 * may not have come, so that the peer cannot read what we say under @sa.
 */
static struct ike_sa *find_former(const struct ike_core *core, const struct ike_sa *sa)
{
	struct ike_sa *old, *former = NULL;

	if (sa->initiator)
		return NULL;
	TAILQ_FOREACH(old, &sa->peer->sas, of_peer)
	{
		if (old->state == IKESA_REKEYED && find_newest(core, old) == sa)
			former = old;
	}
	return former;
}

/*
 * Ask what is to be asked, unless that waits already; one that is out may be about what was. It goes
 * before all else that waits, as no ESP may come until it is answered.
 */
static void queue_request(struct ike_core *core, struct ike_sa *sa)
{
	struct exchange *x = exchange_find(sa, &update_ops, 0);

	if ((sa->mobike.update || sa->mobike.tell) && !x)
		request_queue_first(core, sa, exchange_new(&update_ops, 0));
}

/*
 * … also under the former IKE SA. Else neither end would ever hear the other: the peer repeats its
 * request to where we were, and does not get the answer that lets it read where we are.
 */
static void queue_update(struct ike_core *core, struct ike_sa *sa)
{
	struct ike_sa *former = find_former(core, sa);

	if (former) {
		former->mobike.update |= sa->mobike.update;
		former->mobike.tell |= sa->mobike.tell;
		queue_request(core, former);
	}
	queue_request(core, sa);
}

/*
 * The addresses in use are other ones: what is out goes on there, also under IKE SAs that this one
 * took the place of.
 */
static void resend_requests(struct ike_core *core, struct ike_sa *sa)
{
	struct ike_sa *old;

	TAILQ_FOREACH(old, &sa->peer->sas, of_peer)
	{
		if (old->state == IKESA_DELETING || old->state == IKESA_REKEYED) {
			address_copy(old, sa);
			request_again(core, old);
		}
	}
	request_again(core, sa);
}

/* … and the peer is asked. */
static void begin_update(struct ike_core *core, struct ike_sa *sa)
{
	sa->mobike.update = true;
	resend_requests(core, sa);
	queue_update(core, sa);
}

/* ---- addresses in messages -------------------------------------------------------- */

/* An ADDITIONAL_*_ADDRESS; false if @n is none, or malformed. */
static bool parse_address(const struct ike_notify *n, struct ike_addr *a)
{
	*a = (struct ike_addr){ 0 };
	if (n->type == IKE_N_ADDITIONAL_IP4_ADDRESS && n->len == 4)
		a->family = 4;
	else if (n->type == IKE_N_ADDITIONAL_IP6_ADDRESS && n->len == 16)
		a->family = 6;
	else
		return false;
	memcpy(a->b, n->data, n->len);
	return ike_addr_is_host(a);
}

static void take_addresses(struct ike_sa *sa, const struct ike_payloads *in)
{
	struct mobike *mb = &sa->mobike;
	struct ike_notify n;
	unsigned int i;

	mb->n_theirs = 0;
	for (i = 0; i < in->n && mb->n_theirs < MOBIKE_MAX_ADDRESSES; i++) {
		if (in->p[i].type == IKE_PL_NOTIFY && !ike_notify_parse(&in->p[i], &n) &&
		    parse_address(&n, &mb->theirs[mb->n_theirs]))
			mb->n_theirs++;
	}
}

/* Of a private network, or of a link: nobody outside gets there. */
static bool is_private(const struct ike_addr *a)
{
	if (a->family == 6)
		return (a->b[0] & 0xfe) == 0xfc || (a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80);
	return a->b[0] == 10 || (a->b[0] == 172 && (a->b[1] & 0xf0) == 16) ||
	       (a->b[0] == 192 && a->b[1] == 168) || (a->b[0] == 169 && a->b[1] == 254);
}

/* Append our addresses besides the one in use, as many as a peer is told; false if there are none. */
static bool build_addresses(struct ike_builder *b, const struct ike_sa *sa)
{
	const struct ike_tunnel *t = sa->peer->tunnel;
	unsigned int i, n = 0;

	if (t->conf->local.addr.family) /* the only one that is to be used */
		return false;
	for (i = 0; i < t->n_ours && n < MOBIKE_MAX_ADDRESSES; i++) {
		const struct ike_addr *a = &t->ours[i];

		if (ike_addr_eq(a, &sa->local.addr) ||
		    (is_private(a) && !is_private(&sa->remote.addr)))
			continue;
		n++;
		if (a->family == 4)
			ike_build_notify(b, IKE_N_ADDITIONAL_IP4_ADDRESS, a->b, 4);
		else
			ike_build_notify(b, IKE_N_ADDITIONAL_IP6_ADDRESS, a->b, 16);
	}
	return n;
}

bool x_mobike_met_nat(const struct x_msg *m)
{
	const struct ike_endpoint *from = &m->d->remote, *to = &m->d->local;
	size_t len = from->addr.family == 6 ? 16 : 4;
	const uint8_t ports[4] = {
		(uint8_t)(from->port >> 8),
		(uint8_t)from->port,
		(uint8_t)(to->port >> 8),
		(uint8_t)to->port,
	};
	struct ike_notify n;

	if (!ike_notify_find(m->in, IKE_N_NO_NATS_ALLOWED, &n))
		return false;
	return n.len != 2 * len + sizeof(ports) || memcmp(n.data, from->addr.b, len) != 0 ||
	       memcmp(n.data + len, to->addr.b, len) != 0 ||
	       memcmp(n.data + 2 * len, ports, sizeof(ports)) != 0;
}

/* ---- IKE_AUTH ------------------------------------------------------------------------ */

void x_mobike_offer(struct ike_builder *b, const struct ike_sa *sa)
{
	if (!sa->peer->conf->mobike)
		return;
	ike_build_notify(b, IKE_N_MOBIKE_SUPPORTED, NULL, 0);
	build_addresses(b, sa);
}

void x_mobike_begin(struct ike_core *core, struct ike_sa *sa, const struct ike_payloads *in)
{
	struct ike_notify n;

	if (sa->peer->conf->mobike && ike_notify_find(in, IKE_N_MOBIKE_SUPPORTED, &n)) {
		sa->mobike.on = true;
		take_addresses(sa, in);
	}
	if (sa->mobike.on && sa->strayed) { /* nobody knows whether the peer gets anything there */
		address_begin_unproven(core, sa);
		sa->mobike.update = true;
		queue_update(core, sa);
		return;
	}
	if (sa->mobike.on)
		address_note_proven(sa);
	address_begin_follow(core, sa);
}

/* ---- our request ---------------------------------------------------------------------- */

static enum exchange_build build_update(struct ike_core *core, struct ike_sa *sa,
					struct exchange *x, struct ike_builder *b)
{
	struct mobike *mb = &sa->mobike;

	(void)x;
	if (!mb->update && !mb->tell)
		return EXCHANGE_DROP;
	if (mb->update && sa->began)
		ike_build_notify(b, IKE_N_UPDATE_SA_ADDRESSES, NULL, 0);
	if (mb->update) /* libreswan returns COOKIE2 only to who sends the hashes, too */
		natd_build(b, sa, &sa->local, &sa->remote);
	if (mb->tell && !build_addresses(b, sa))
		ike_build_notify(b, IKE_N_NO_ADDITIONAL_ADDRESSES, NULL, 0);
	if (mb->update) {
		core->env.rng.fill(core->env.rng.ctx, mb->cookie, sizeof(mb->cookie));
		ike_build_notify(b, IKE_N_COOKIE2, mb->cookie, sizeof(mb->cookie));
	}
	mb->verifying = mb->update;
	mb->asked = mb->version;
	mb->telling = mb->tell;
	mb->tell = false;
	return EXCHANGE_SEND;
}

static bool is_our_cookie(const struct ike_sa *sa, const struct ike_notify *n)
{
	return n->len == MOBIKE_COOKIE_LEN && !memcmp(n->data, sa->mobike.cookie, n->len);
}

/* Another path may be accepted, and what an attacker changed is right the next time (3.9). */
static void take_refusal(struct ike_core *core, struct ike_sa *sa, uint16_t error)
{
	unsigned int n = sa->mobike.refusals++;

	report_line(core, IKE_LOG_WARN, NULL, sa, "peer refused our change of address (%s)",
		    ike_notify_name(error));
	if (n + 1 < MOBIKE_REFUSALS &&
	    (error == IKE_N_UNEXPECTED_NAT_DETECTED || address_use_other(core, sa, n)))
		return;
	sa->mobike.update = false;
	sa->mobike.refusals = 0;
	report_error(
		core, sa->peer, sa,
		"peer does not accept our address for the IKE SA there is (%s): a new one replaces it",
		ike_notify_name(error));
	sa_replace(core, sa);
}

/*
 * The peer did what we asked for but return COOKIE2, as if it knew RFC 4555 in part only. That
 * verifies no address that it merely claims (3.7).
 */
static void take_without_cookie(struct ike_core *core, struct ike_sa *sa)
{
	if (address_is_proven(sa)) {
		report_line(core, IKE_LOG_WARN, NULL, sa,
			    "peer's answer is without COOKIE2: it counts as being where it was");
		address_prove(core, sa);
		return;
	}
	address_give_up(core, sa, "answers without COOKIE2");
	sa_replace(core, sa);
}

/* Whoever does not decide asks nothing of the peer that could be refused. */
static bool is_refusal(const struct ike_sa *sa, uint16_t error)
{
	return sa->began &&
	       (error == IKE_N_UNACCEPTABLE_ADDRESSES || error == IKE_N_UNEXPECTED_NAT_DETECTED);
}

/* A NAT appeared where there must be none, on a path that the peer answers on: the IKE SA ends. */
static bool close_refused(struct ike_core *core, struct ike_sa *sa)
{
	const char *refusal = natd_refusal(sa, &sa->natd);

	if (!refusal)
		return false;
	report_error(core, sa->peer, sa, "%s", refusal);
	request_close(core, sa, IKESA_CLOSE_MS);
	return true;
}

/* The answer came under an IKE SA that was rekeyed: what it proves holds for the one there is. */
static void take_former_update(struct ike_core *core, struct ike_sa *sa, struct ike_sa *newest,
			       bool returned)
{
	struct mobike *mb = &sa->mobike;

	/* Else it says nothing of one path, and is asked again, as under any IKE SA. */
	if (!mb->verifying || mb->asked != mb->version || mb->spread)
		return;
	mb->update = false;
	if (!newest || !returned)
		return;
	newest->mobike.update |= address_use(core, newest, &sa->local, &sa->remote);
	address_prove(core, newest);
}

static void take_update(struct ike_core *core, struct ike_sa *sa, struct exchange *x,
			struct x_msg *m)
{
	uint16_t error = ike_notify_first_error(m->in);
	struct ike_sa *newest = find_newest(core, sa);
	struct mobike *mb = &sa->mobike;
	struct ike_notify cookie;
	bool returned = ike_notify_find(m->in, IKE_N_COOKIE2, &cookie);

	(void)x;
	mb->telling = false;
	if (sa->state != IKESA_ESTABLISHED && sa->state != IKESA_REKEYED) /* on its way out */
		return;
	if (mb->verifying && returned && !is_our_cookie(sa, &cookie)) { /* 3.7 */
		report_error(
			core, sa->peer, sa,
			"peer did not return COOKIE2 as it was: the IKE SA ends; it is broken, or somebody who does not see our messages answers");
		request_close(core, newest ? newest : sa, IKESA_CLOSE_MS);
		return;
	}
	if (sa->state == IKESA_REKEYED) {
		take_former_update(core, sa, newest, returned && !is_refusal(sa, error));
		return;
	}
	if (is_refusal(sa, error)) {
		/* What a copy on another path is refused for may be that path: the next one tells. */
		if (mb->asked == mb->version && !mb->spread)
			take_refusal(core, sa, error);
		return;
	}
	if (!mb->verifying) /* it was but a list */
		return;
	if (mb->asked != mb->version || mb->spread)
		return;
	if (mb->update && sa->began)
		report_line(core, IKE_LOG_INFO, NULL, sa, "peer took our change of address");
	mb->update = false;
	mb->refusals = 0;
	if (natd_is_in(m->in)) {
		natd_judge(&sa->natd, m->h, m->in, m->d);
		natd_note_seen(sa, m->in);
	}
	if (close_refused(core, sa))
		return;
	if (returned)
		address_prove(core, sa);
	else
		take_without_cookie(core, sa);
}

static const struct exchange_ops update_ops = {
	.name = "change of address",
	.exchange = IKE_INFORMATIONAL,
	.build = build_update,
	.response = take_update,
};

void x_mobike_answered(struct ike_core *core, struct ike_sa *sa, const struct ike_datagram *d)
{
	struct mobike *mb = &sa->mobike;
	bool is_choice = sa->began || ike_endpoint_eq(&mb->given_up, &d->remote);
	bool ours_changes = !ike_addr_eq(&sa->local.addr, &d->local.addr);

	mb->given_up.addr.family = 0;
	if (!mb->on || (sa->state != IKESA_ESTABLISHED && sa->state != IKESA_REKEYED))
		return;
	/* The response came from where the request went, so that path works (1.2). */
	if (mb->spread && is_choice && address_use(core, sa, &d->local, &d->remote)) {
		mb->update = true;
		mb->tell |= ours_changes;
	}
	mb->one_path |= mb->spread;
	mb->spread = false;
	queue_update(core, sa);
}

/* ---- the peer's request --------------------------------------------------------------- */

static bool may_be_at(const struct ike_core *core, const struct ike_sa *sa,
		      const struct ike_addr *remote)
{
	return ike_addr_is_host(remote) && address_is_outside(core, sa, remote);
}

/* May the peer, which decides, use the path? */
static bool may_use(const struct ike_core *core, const struct ike_sa *sa,
		    const struct ike_endpoint *local, const struct ike_endpoint *remote)
{
	const struct ike_addr *only = &sa->peer->conf->local.addr;

	return may_be_at(core, sa, &remote->addr) &&
	       (!only->family || ike_addr_eq(only, &local->addr));
}

/* The peer says that it uses the addresses that its request came with (3.5). */
static void take_peer_update(struct ike_core *core, struct ike_sa *sa, struct x_msg *m)
{
	const struct ike_datagram *d = m->d;
	struct natd natd = sa->natd;
	const char *refusal;

	if (natd_is_in(m->in))
		natd_judge(&natd, m->h, m->in, d);
	refusal = natd_refusal(sa, &natd);
	if (sa->began || refusal || !may_use(core, sa, &d->local, &d->remote)) {
		report_line(core, IKE_LOG_WARN, NULL, sa,
			    "refused the peer's change of address%s%s", refusal ? ": " : "",
			    refusal ? refusal : "");
		ike_build_notify(m->reply, IKE_N_UNACCEPTABLE_ADDRESSES, NULL, 0);
		return;
	}
	sa->mobike.told = true;
	if (address_use(core, sa, &d->local, &d->remote))
		resend_requests(core, sa);
	if (address_is_proven(sa)) {
		sa->natd = natd; /* else its answer to us tells */
		sa->mobike.update = false;
		address_prove(core, sa);
		return;
	}
	sa->mobike.update = true;
	queue_update(core, sa);
}

/*
 * The peer has these addresses now. If we decide and use none of them, its message shows one
 * that works.
 */
static void take_peer_list(struct ike_core *core, struct ike_sa *sa, struct x_msg *m)
{
	struct mobike *mb = &sa->mobike;
	unsigned int i;

	take_addresses(sa, m->in);
	for (i = 0; i < mb->n_theirs; i++) {
		if (ike_addr_eq(&mb->theirs[i], &sa->remote.addr))
			return;
	}
	if (sa->began && !ike_addr_eq(&m->d->remote.addr, &sa->remote.addr) &&
	    may_be_at(core, sa, &m->d->remote.addr) &&
	    address_use(core, sa, &sa->local, &m->d->remote))
		begin_update(core, sa);
}

static bool has_list(const struct ike_payloads *in)
{
	struct ike_notify n;

	return ike_notify_find(in, IKE_N_ADDITIONAL_IP4_ADDRESS, &n) ||
	       ike_notify_find(in, IKE_N_ADDITIONAL_IP6_ADDRESS, &n) ||
	       ike_notify_find(in, IKE_N_NO_ADDITIONAL_ADDRESSES, &n);
}

/*
 * The peer sent it before it knew of the successor, under which its other messages are. If it told
 * there which addresses it uses, that is newer.
 */
static void take_late_update(struct ike_core *core, struct ike_sa *sa, struct x_msg *m)
{
	struct ike_sa *newest = find_newest(core, sa);

	if (newest && !newest->mobike.told)
		take_peer_update(core, newest, m);
}

/* We decide, and the peer sent to another address of ours: it lacks our update, or gave it up (3.12). */
static bool is_elsewhere(const struct ike_sa *sa, const struct ike_datagram *d)
{
	return sa->began && !ike_addr_eq(&d->local.addr, &sa->local.addr);
}

void x_mobike_request(struct ike_core *core, struct ike_sa *sa, struct x_msg *m)
{
	struct ike_notify n;
	bool update = ike_notify_find(m->in, IKE_N_UPDATE_SA_ADDRESSES, &n);

	if (!sa->mobike.on)
		return;
	if (x_mobike_met_nat(m)) {
		report_line(core, IKE_LOG_WARN, NULL, sa,
			    "peer forbids NATs (NO_NATS_ALLOWED), but there is one on the path");
		ike_build_notify(m->reply, IKE_N_UNEXPECTED_NAT_DETECTED, NULL, 0);
	} else if (sa->state == IKESA_ESTABLISHED) {
		if (update)
			take_peer_update(core, sa, m);
		if (has_list(m->in))
			take_peer_list(core, sa, m);
		if (is_elsewhere(sa, m->d)) {
			sa->mobike.update = true;
			queue_update(core, sa);
		}
	} else if (update) {
		take_late_update(core, sa, m);
	}
	if (natd_is_in(m->in))
		natd_build(m->reply, sa, &m->d->local, &m->d->remote);
	if (ike_notify_find(m->in, IKE_N_COOKIE2, &n) && n.len >= COOKIE2_MIN &&
	    n.len <= COOKIE2_MAX)
		ike_build_notify(m->reply, IKE_N_COOKIE2, n.data, n.len);
}

/* ---- changes -------------------------------------------------------------------------- */

void x_mobike_local(struct ike_core *core, struct ike_sa *sa, const struct ike_addr *local)
{
	struct ike_endpoint from = sa->local;

	from.addr = *local;
	sa->mobike.proven_local = *local;
	if (!address_use(core, sa, &from, &sa->remote))
		return;
	sa->mobike.tell |= !sa->began;
	begin_update(core, sa);
}

void x_mobike_heard(struct ike_core *core, struct ike_sa *sa, const struct ike_endpoint *remote)
{
	/* What was on its way from there says nothing about where the peer claims to be since. */
	if (ike_endpoint_eq(remote, &sa->mobike.proven) || !address_follow(core, sa, remote) ||
	    !address_use(core, sa, &sa->local, remote))
		return;
	sa->mobike.update = false;
	if (sa->began || !address_is_proven(sa))
		begin_update(core, sa);
}

void x_mobike_came(struct ike_core *core, struct ike_sa *sa, const struct ike_endpoint *from)
{
	if (sa->state != IKESA_ESTABLISHED || !may_be_at(core, sa, &from->addr))
		return;
	sa->mobike.heard = *from;
	if (!sa->peer->follow.held || !address_use(core, sa, &sa->local, from))
		return;
	sa->mobike.update = false;
	if (sa->began || !address_is_proven(sa))
		begin_update(core, sa);
}

void x_mobike_timer(struct ike_core *core, struct ike_peer *p)
{
	struct ike_sa *sa;

	if (!address_follow_timer(core, p))
		return;
	sa = query_primary(p);
	if (!sa || !ikesa_authenticated(sa) || !sa->mobike.on)
		return;
	sa->mobike.update = true;
	queue_update(core, sa);
}

void x_mobike_tell(struct ike_core *core, struct ike_sa *sa)
{
	if (!sa->mobike.on)
		return;
	sa->mobike.tell = true;
	if (address_is_ours(sa)) /* else another one comes, and an update says both */
		queue_update(core, sa);
}

void x_mobike_inherit(struct ike_core *core, struct ike_sa *old, struct ike_sa *next)
{
	struct mobike *mb = &next->mobike;

	if (!old->mobike.on)
		return;
	memcpy(old->mobike.heir_spi, ikesa_own_spi(next), IKE_SPI_LEN);
	old->mobike.heir_is_ours = next->initiator;
	*mb = old->mobike;
	mb->told = false;
	memset(mb->heir_spi, 0, sizeof(mb->heir_spi));
	next->local = old->local;
	next->remote = old->remote;
	next->natd = old->natd;
	/* The hash has the SPIs in it; what is out is out under the old one. */
	mb->have_seen = false;
	mb->tell |= mb->telling;
	mb->telling = mb->spread = false;
	queue_update(core, next);
}
