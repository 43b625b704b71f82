// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A tunnel runs and its configuration becomes another one. All its peers have the new one from then
 * on, so that nothing of the old one is left behind.
 *
 * What was agreed with a peer stays while it fits. A child SA is known by its name or selectors: one
 * that the configuration no longer has is deleted, one that is new is asked for under the IKE SA there
 * is. Where the terms are others (identities, key, algorithms, selectors, addresses), a new IKE SA
 * takes the place of the old one: as if it were time to authenticate again. Until then the old one
 * carries what it did, but no new child SA comes under it, and nothing is rekeyed; it ends when it
 * should have been rekeyed itself. A client is told that its IKE SA ends, for we cannot begin another
 * one to it.
 */
#include "ike/core/layer_peer.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

enum { CHILD_GONE = IKE_MAX_CHILD };

struct change {
	const struct tunnel_conf *from, *to;
	bool renew; /* the terms are others */
	unsigned int map[IKE_MAX_CHILD]; /* where a child SA of @from is in @to, or CHILD_GONE */
};

/* ---- what differs ------------------------------------------------------------ */

static bool same_ppk(const struct ike_ppk_conf *x, const struct ike_ppk_conf *y)
{
	if (!x || !y)
		return x == y;
	return x->required == y->required && x->of_clients == y->of_clients &&
	       x->id_len == y->id_len && !memcmp(x->id, y->id, x->id_len);
}

/* Does @y ask more of the peer's certificates than @x? */
static bool is_stricter(enum pki_revocation y, enum pki_revocation x)
{
	static const unsigned int strictness[] = {
		[PKI_REVOCATION_OFF] = 0,
		[PKI_REVOCATION_IFURI] = 1,
		[PKI_REVOCATION_STRICT] = 2,
	};

	return strictness[y] > strictness[x];
}

static bool same_first(const struct ike_id *x, const struct ike_id *y)
{
	return x && y ? ike_id_eq(x, y) : x == y;
}

/*
 * Do the terms of @x, the old ones, hold under @y, the child SAs apart? A CA more takes nothing from who is
 * there; what another CRL says of them check_shown() asks.
 */
static bool same_terms(const struct tunnel_conf *x, const struct tunnel_conf *y)
{
	return ike_id_eq(&x->local_id, &y->local_id) && ike_id_eq(&x->remote_id, &y->remote_id) &&
	       ike_endpoint_eq(&x->local, &y->local) && ike_endpoint_eq(&x->remote, &y->remote) &&
	       same_first(x->first_id, y->first_id) &&
	       ike_auth_eq(&x->local_auth, &y->local_auth) &&
	       ike_auth_eq(&x->remote_auth, &y->remote_auth) && x->signatures == y->signatures &&
	       !is_stricter(y->revocation, x->revocation) && x->eap_methods == y->eap_methods &&
	       ike_cred_has_all(&y->creds, &x->creds, IKE_CRED_PEER_KEY) &&
	       ike_cred_has_all(&y->creds, &x->creds, IKE_CRED_EAP_NAME) &&
	       ike_cred_has_all(&y->creds, &x->creds, IKE_CRED_EAP_SERVER) &&
	       ike_cred_has_all(&x->creds, &y->creds, IKE_CRED_EAP_SERVER) &&
	       ike_cred_has_all(&y->creds, &x->creds, IKE_CRED_CA) && x->mobike == y->mobike &&
	       same_ppk(x->ppk, y->ppk) && x->encap == y->encap && x->ike == y->ike &&
	       x->esp == y->esp && !x->pool == !y->pool && x->asks_address == y->asks_address;
}

static bool carry_same(const struct child_conf *x, const struct child_conf *y)
{
	return x->mode == y->mode && x->n_local == y->n_local && x->n_remote == y->n_remote &&
	       !memcmp(x->ts, y->ts, (x->n_local + x->n_remote) * sizeof(*x->ts));
}

static unsigned int find_name(const struct tunnel_conf *c, const char *name)
{
	unsigned int i;

	for (i = 0; i < c->n_child; i++) {
		if (!strcmp(c->child[i].name, name))
			return i;
	}
	return CHILD_GONE;
}

/* Where @child of the old configuration is in the new one: by its name, or another took its place. */
static unsigned int find_child(const struct change *d, const struct child_conf *child)
{
	unsigned int i = find_name(d->to, child->name);

	if (i != CHILD_GONE)
		return i;
	for (i = 0; i < d->to->n_child; i++) {
		if (carry_same(child, &d->to->child[i]) &&
		    find_name(d->from, d->to->child[i].name) == CHILD_GONE)
			return i;
	}
	return CHILD_GONE;
}

static void compare(struct change *d)
{
	unsigned int i, at;

	d->renew |= !same_terms(d->from, d->to);
	for (i = 0; i < d->from->n_child; i++) {
		at = d->map[i] = find_child(d, &d->from->child[i]);
		d->renew |= at != CHILD_GONE && !carry_same(&d->from->child[i], &d->to->child[at]);
	}
}

/* ---- one peer ---------------------------------------------------------------- */

/* What is wanted of each child SA, in the new order; there is room for both. */
static void move_wants(struct ike_peer *p, const struct change *d)
{
	struct child_want old[IKE_MAX_CHILD];
	unsigned int i;

	memcpy(old, p->want, d->from->n_child * sizeof(*old));
	memset(p->want, 0, d->to->n_child * sizeof(*p->want));
	for (i = 0; i < d->to->n_child; i++)
		p->want[i].next_try = TIMER_NEVER;
	for (i = 0; i < d->from->n_child; i++) {
		if (d->map[i] != CHILD_GONE)
			p->want[d->map[i]] = old[i];
	}
}

/* What is left of a child SA that is gone counts as the first one's until it has ended. */
static unsigned int move_conf(unsigned int conf, const struct change *d)
{
	return d->map[conf] == CHILD_GONE ? 0 : d->map[conf];
}

static void move_child(struct child_sa *c, const struct change *d)
{
	unsigned int i;

	c->conf = move_conf(c->conf, d);
	for (i = 0; i < d->from->n_child; i++) {
		if (c->replaces != child_replaces_nothing(i))
			continue;
		c->replaces = d->map[i] == CHILD_GONE ? 0 : child_replaces_nothing(d->map[i]);
		return;
	}
}

static void move_exchanges(struct ike_core *core, struct ike_sa *sa, const struct change *d)
{
	struct exchange *x = sa->out, *next;

	if (x) {
		x->unwanted |= d->renew || d->map[x->conf] == CHILD_GONE;
		x->conf = move_conf(x->conf, d);
	}
	for (x = TAILQ_FIRST(&sa->queue); x; x = next) {
		next = TAILQ_NEXT(x, link);
		if (x->ops->makes_pair && d->map[x->conf] == CHILD_GONE) {
			TAILQ_REMOVE(&sa->queue, x, link);
			exchange_end(core, sa, x);
			continue;
		}
		x->conf = move_conf(x->conf, d);
	}
}

/* With other terms, those that are gone stay until the IKE SA goes: nothing may carry their traffic yet. */
static void move_children(struct ike_core *core, struct ike_sa *sa, const struct change *d)
{
	struct child_sa *c, *next;

	for (c = TAILQ_FIRST(&sa->children); c; c = next) {
		bool gone = d->map[c->conf] == CHILD_GONE && !d->renew;

		next = TAILQ_NEXT(c, link);
		move_child(c, d);
		if (gone && c->state <= CHILD_UP && ikesa_authenticated(sa))
			request_delete_child(core, sa, c);
		else if (c->state == CHILD_UP && d->from->rekey_child != d->to->rekey_child)
			install_plan_rekey(core, sa, c);
	}
}

/* An attempt goes on unless it would bring what is no longer wanted; then the next one begins soon. */
static void change_attempt(struct ike_core *core, struct ike_sa *sa, const struct change *d)
{
	if (!sa->initiator || !sa->setup)
		return;
	if (d->renew || d->map[sa->setup->child] == CHILD_GONE)
		sa_end(core, sa, false);
	else
		sa->setup->child = d->map[sa->setup->child];
}

/* Do the new CRLs revoke what the peer of @sa proved itself by? */
static void check_shown(struct ike_core *core, struct ike_sa *sa, const struct tunnel_conf *to)
{
	if (sa->shown && to->trust && to->revocation != PKI_REVOCATION_OFF &&
	    pki_trust_revokes(to->trust, sa->shown->v, sa->shown->n))
		sa_revoked(core, sa);
}

/* Its times begin anew where they changed. */
static void change_established(struct ike_core *core, struct ike_sa *sa, const struct change *d)
{
	sa->replaced |= d->renew;
	sa->outdated |= d->renew;
	if (d->renew && !sa->peer->is_client && ike_auth_is_user(&d->to->remote_auth))
		request_close(core, sa, IKESA_CLOSE_MS);
	if (d->from->rekey_ike != d->to->rekey_ike)
		sa_plan_rekey(core, sa);
	if (d->from->reauth != d->to->reauth)
		sa_plan_reauth(core, sa);
	check_shown(core, sa, d->to);
	liveness_check(core, sa);
	sa_touch(core, sa);
}

static void change_peer(struct ike_core *core, struct ike_peer *p, const struct change *d)
{
	struct child_sa *c;
	struct ike_sa *sa, *next;

	p->conf = d->to;
	move_wants(p, d);
	TAILQ_FOREACH(c, &p->lingering, link)
	move_child(c, d);
	/* Whether a client may still come is not known. */
	if (d->renew && p->is_client)
		adopted_remove(core, p);
	for (sa = TAILQ_FIRST(&p->sas); sa; sa = next) {
		next = TAILQ_NEXT(sa, of_peer);
		move_exchanges(core, sa, d);
		child_drop_agreed(core, sa);
		move_children(core, sa, d);
		if (sa->state == IKESA_ESTABLISHED)
			change_established(core, sa, d);
		else if (sa->state < IKESA_ESTABLISHED)
			change_attempt(core, sa, d);
	}
	peer_forget_failures(p);
	sa_forget_rejections(p);
	event_note(core, p, EVENT_CHANGED);
}

/* ---- all of them ------------------------------------------------------------- */

int peer_change(struct ike_core *core, struct ike_peer *first, const struct ike_tunnel_conf *conf,
		bool renew)
{
	struct change d = { .from = first->conf, .renew = renew };
	struct ike_tunnel *t = first->tunnel;
	struct ike_peer *p;

	d.to = tunnel_keep_conf(conf);
	if (!d.to || tunnel_grow_wants(t, d.to->n_child) || lookup_change(core, first, d.to)) {
		tunnel_free_conf(d.to);
		return -ENOMEM;
	}
	compare(&d);
	if (!ike_endpoint_eq(&d.from->remote, &d.to->remote)) {
		first->remote = d.to->remote;
		lookup_update(core, first);
	}
	t->conf = d.to;
	core->changes++;
	change_peer(core, first, &d);
	TAILQ_FOREACH(p, &t->clients, of_tunnel)
	change_peer(core, p, &d);
	tunnel_free_conf(d.from);
	return 0;
}
