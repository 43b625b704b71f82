// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which tunnel does the sender of an IKE_AUTH request mean? The one that fits its identities best
 * among those whose key it proves; and if there is none, what the user should read about it.
 *
 * x_auth_choose.c calls it before anything is proven, so only the tunnels that lookup_id() finds for the
 * identity are tried, and it meters each key that is tried in vain (admit_work()).
 */
#include "ike/exch/layer_exchange.h"

bool x_match_read(const struct ike_sa *sa, const struct ike_payloads *in, struct x_claim *who)
{
	const struct ike_payload *idr = ike_payload_find(in, IKE_PL_IDR);
	struct ike_notify n;

	if (idr)
		ike_id_parse(idr, &who->wanted); /* type 0 if malformed */
	x_ppk_read(sa, in, who);
	who->rounds = ike_notify_find(in, IKE_N_MULTIPLE_AUTH_SUPPORTED, &n);
	who->another = ike_notify_find(in, IKE_N_ANOTHER_AUTH_FOLLOWS, &n);
	who->eap = !ike_payload_find(in, IKE_PL_AUTH);
	who->eap_only = who->eap && ike_notify_find(in, IKE_N_EAP_ONLY_AUTHENTICATION, &n);
	return x_proof_find_id(in, IKE_PL_IDI, who) && (x_proof_find_auth(in, who) || who->eap);
}

/* The more RemoteID= says, the better it fits; any difference here outweighs the address. */
static int fit_of_id(const struct ike_id *configured)
{
	if (!configured->type)
		return 0;
	return ike_id_is_wildcard(configured) ? 4 : 8;
}

/* Its own address is best, and one that is not configured is better than another. */
static int fit_of_address(const struct ike_peer *p, const struct ike_addr *from)
{
	if (!p->remote.addr.family)
		return 1;
	return ike_addr_eq(&p->remote.addr, from) ? 2 : 0;
}

/* Does the peer announce as many rounds of authentication as RemoteAuth= has? */
static bool fits_rounds(const struct ike_peer *p, const struct x_claim *who)
{
	return who->another == p->conf->remote_auth.then_user;
}

enum { FIT_PPK = 32 }; /* the peer names its PPK; more than all else together */

/* How well does @p fit the identities and the suite agreed on, whatever is said of rounds and PPKs? 0: not at all. */
static int matches_names(const struct ike_peer *p, const struct ike_sa *sa,
			 const struct x_claim *who)
{
	const struct ike_offer chosen = { 1, &sa->proposal };
	const struct ike_id *id = query_first_id(p->conf);
	struct ike_proposal out;
	struct ike_id own;

	if (!p->enabled || ike_auth_is_user(&p->conf->local_auth) ||
	    (p->conf->local.addr.family && !ike_addr_eq(&p->conf->local.addr, &sa->local.addr)))
		return 0;
	/* By EAP another identity is proven, later. */
	if (!(who->eap || ike_id_matches(&who->id, id)) || !x_proof_fits(p, who))
		return 0;
	query_local_id(p, sa, &own);
	if (who->wanted.type && !ike_id_eq(&who->wanted, &own))
		return 0;
	/* The suite was agreed on under another tunnel's policy, maybe. */
	if (!ike_proposal_choose(p->conf->ike, chosen, sa->keys.suite.dh, &out))
		return 0;
	return 1 + (ike_id_matches(&who->id, id) ? fit_of_id(id) : 0) +
	       fit_of_address(p, &sa->remote.addr);
}

/* After EAP the peer names its PPK; until then all is well but that it uses none. */
static enum x_ppk_fit fit_of_ppk(const struct ike_peer *p, const struct ike_sa *sa,
				 const struct x_claim *who)
{
	if (who->eap)
		return x_ppk_may_come(p, sa) ? X_PPK_WITHOUT : X_PPK_NOT;
	return x_ppk_fit(p, sa, who);
}

/* The same, and how many rounds there are, and the PPK, if one is required or both ends have it. */
static int matches_identity(const struct ike_peer *p, const struct ike_sa *sa,
			    const struct x_claim *who)
{
	int fit = matches_names(p, sa, who);
	enum x_ppk_fit ppk = fit ? fit_of_ppk(p, sa, who) : X_PPK_NOT;

	if (ppk == X_PPK_NOT || !fits_rounds(p, who))
		return 0;
	return ppk == X_PPK_WITH ? FIT_PPK + fit : fit;
}

/* By address alone: whose owner wants to read why the peer was refused? */
static int matches_address_only(const struct ike_peer *p, const struct ike_sa *sa,
				const struct x_claim *who)
{
	(void)who;
	if (!p->enabled || p->is_client)
		return 0;
	if (ike_addr_eq(&p->remote.addr, &sa->remote.addr))
		return 3;
	return p->remote.addr.family ? 1 : 2;
}

typedef int (*fit_fn)(const struct ike_peer *p, const struct ike_sa *sa, const struct x_claim *who);

/* All tunnels one after the other; but only those that could fit if the identity decides. */
static struct ike_peer *next_tunnel(struct ike_core *core, const struct x_claim *who, fit_fn fit,
				    const struct ike_peer *after)
{
	if (fit != matches_address_only && !who->eap)
		return lookup_id(core, &who->id, after);
	core->stats.visited++;
	return after ? TAILQ_NEXT(after, link) : TAILQ_FIRST(&core->peers);
}

/* Give each tunnel its ->fit; the first of the best, NULL if none fits. *@n: so many do. */
static struct ike_peer *judge_tunnels(struct ike_core *core, const struct ike_sa *sa,
				      const struct x_claim *who, fit_fn fit, unsigned int *n)
{
	struct ike_peer *p = NULL, *best = NULL;

	*n = 0;
	while ((p = next_tunnel(core, who, fit, p))) {
		p->fit = fit(p, sa, who);
		*n += !!p->fit;
		if (p->fit && (!best || p->fit > best->fit))
			best = p;
	}
	return best;
}

/* All that @fit says something of, the best first, but for @skip of them. */
static void collect(struct ike_core *core, const struct ike_sa *sa, const struct x_claim *who,
		    fit_fn fit, unsigned int skip, struct x_candidates *out)
{
	struct ike_peer *p = NULL, *best;
	unsigned int left;
	int level;

	out->n = 0;
	out->ppk = false;
	best = judge_tunnels(core, sa, who, fit, &left);
	for (level = best ? best->fit : 0; left; level--) {
		while (left && (p = next_tunnel(core, who, fit, p))) {
			if (p->fit != level)
				continue;
			if (out->n == IKE_JOB_TUNNELS)
				return;
			left--;
			if (skip) {
				skip--;
				continue;
			}
			memcpy(out->name[out->n++], p->conf->name, IKE_JOB_NAME);
			out->last_fit = level;
			out->ppk = level >= FIT_PPK;
			if (out->ppk) /* AUTH depends on its PPK */
				return;
		}
	}
}

void x_match_collect(struct ike_core *core, const struct ike_sa *sa, const struct x_claim *who,
		     unsigned int skip, struct x_candidates *out)
{
	collect(core, sa, who, matches_identity, skip, out);
}

struct ike_peer *x_match_named(struct ike_core *core, const struct ike_sa *sa,
			       const struct x_claim *who)
{
	unsigned int n;

	return judge_tunnels(core, sa, who, matches_names, &n);
}

void x_match_collect_near(struct ike_core *core, const struct ike_sa *sa, const struct x_claim *who,
			  struct x_candidates *out)
{
	collect(core, sa, who, matches_address_only, 0, out);
}

struct ike_peer *x_match_proven(struct ike_core *core, const struct ike_sa *sa,
				const struct x_claim *who, const struct x_candidates *c,
				const struct ike_job_result *r, struct ike_peer *former,
				struct ike_peer **twin)
{
	struct ike_peer *p, *best = former;
	unsigned int i;

	*twin = NULL;
	if (best)
		best->fit = matches_identity(best, sa, who);
	for (i = 0; i < c->n; i++) {
		p = r->verdict[i] == IKE_JOB_PROVEN ? lookup_name(core, c->name[i]) : NULL;
		if (!p)
			continue;
		p->fit = matches_identity(p, sa, who);
		if (!p->fit || (best && p->fit < best->fit))
			continue;
		*twin = best && p->fit == best->fit ? p : NULL;
		best = *twin ? best : p;
	}
	return best;
}

bool x_match_explain_rounds(struct ike_core *core, const struct ike_sa *sa,
			    const struct x_claim *who, struct ike_peer *p)
{
	char id[IKE_MAX_ID + 16], want[32];

	if (fits_rounds(p, who))
		return false;
	ike_id_print(id, sizeof(id), &who->id);
	ike_auth_print(want, sizeof(want), &p->conf->remote_auth);
	if (who->another)
		report_hint(
			core, p, sa, &sa->remote,
			"peer '%s' announces another round of authentication (ANOTHER_AUTH_FOLLOWS), but RemoteAuth= is %s: set its side to one round, or RemoteAuth=%s, eap in [Peer] if it is a user, too",
			id, want, want);
	else
		report_hint(
			core, p, sa, &sa->remote,
			"peer '%s' proves itself in one round, but RemoteAuth= is %s: add a second round, by EAP, at its side (strongSwan: local-2 with auth = eap), or set RemoteAuth=%s in [Peer]",
			id, want, ike_method_row(p->conf->remote_auth.method)->word);
	return true;
}

void x_match_explain(struct ike_core *core, const struct ike_sa *sa, const struct x_claim *who,
		     struct ike_peer *p)
{
	char id[IKE_MAX_ID + 16], want[IKE_MAX_ID + 16], own[IKE_MAX_ID + 16];
	struct ike_id own_id;

	ike_id_print(id, sizeof(id), &who->id);
	query_local_id(p, sa, &own_id);
	if (!ike_id_matches(&who->id, query_first_id(p->conf))) {
		x_proof_explain_id(core, p, sa, &who->id, query_first_id(p->conf));
	} else if (who->wanted.type && !ike_id_eq(&who->wanted, &own_id)) {
		ike_id_print(want, sizeof(want), &who->wanted);
		report_error(
			core, p, sa,
			"peer '%s' wants to reach '%s', but we are '%s': set LocalID=%s in [Tunnel], or the peer's idea of us to the latter",
			id, want, ike_id_print(own, sizeof(own), &own_id), want);
	} else if (ike_auth_is_user(&p->conf->local_auth)) {
		report_error(
			core, p, sa,
			"peer '%s' begins, but LocalAuth= is eap, and only who begins can be a user: let its side wait for ours",
			id);
	} else if (!x_proof_fits(p, who)) {
		x_proof_explain_key(core, p, sa, who, false);
	} else if (!x_match_explain_rounds(core, sa, who, p)) {
		report_error(
			core, p, sa,
			"peer '%s' came to an address that Local= forbids, or agreed on algorithms that Crypto= does",
			id);
	}
}

bool x_match_fits(const struct ike_peer *p, const struct ike_sa *sa, const struct x_claim *who)
{
	return matches_identity(p, sa, who);
}

/* Another one that fits as well as @best, or NULL. */
static const struct ike_peer *find_twin(struct ike_core *core, const struct x_claim *who,
					const struct ike_peer *best)
{
	struct ike_peer *p = NULL;

	while ((p = next_tunnel(core, who, matches_identity, p))) {
		if (p != best && p->fit == best->fit)
			return p;
	}
	return NULL;
}

/* Of tunnels where EAP is the second round: those that the peer may want to reach. */
static int matches_two_rounds(const struct ike_peer *p, const struct ike_sa *sa,
			      const struct x_claim *who)
{
	struct ike_id own;

	query_local_id(p, sa, &own);
	return p->conf->remote_auth.then_user && p->enabled &&
	       (!who->wanted.type || ike_id_eq(&who->wanted, &own));
}

static void explain_no_eap(struct ike_core *core, const struct ike_sa *sa,
			   const struct x_claim *who)
{
	unsigned int n;
	struct ike_peer *p = judge_tunnels(core, sa, who, matches_two_rounds, &n);
	char id[IKE_MAX_ID + 16], rounds[32];
	bool later = p;

	if (!p)
		p = judge_tunnels(core, sa, who, matches_address_only, &n);
	ike_id_print(id, sizeof(id), &who->id);
	if (later)
		report_hint(
			core, p, sa, &sa->remote,
			"peer '%s' wants EAP at once, but has to prove itself by %s before, as RemoteAuth= is %s: add that as its first round",
			id, x_proof_method(p->conf->remote_auth.method)->remedy,
			ike_auth_print(rounds, sizeof(rounds), &p->conf->remote_auth));
	else if (p && p->conf->remote_auth.method == IKE_METHOD_EAP)
		report_hint(
			core, p, sa, &sa->remote,
			"peer '%s' wants EAP, but to reach another identity than LocalID=, at an address that Local= forbids, or with algorithms that Crypto= does",
			id);
	else
		report_hint(
			core, p, sa, &sa->remote,
			"peer '%s' wants EAP, which this tunnel does not offer: set its side to %s, or RemoteAuth= here to eap, with Users=",
			id,
			x_proof_method(p ? p->conf->remote_auth.method : IKE_METHOD_PSK)->remedy);
}

struct ike_peer *x_match_eap(struct ike_core *core, const struct ike_sa *sa,
			     const struct x_claim *who)
{
	unsigned int n;
	struct ike_peer *best = judge_tunnels(core, sa, who, matches_identity, &n);
	const struct ike_peer *twin = best ? find_twin(core, who, best) : NULL;
	struct ike_peer *named;
	char id[IKE_MAX_ID + 16];

	if (best && !twin)
		return best;
	if (!admit_reply_to(core, sa)) /* or our log could be filled at will */
		return NULL;
	named = best ? NULL : x_match_named(core, sa, who);
	if (named && !x_ppk_may_come(named, sa))
		x_ppk_explain(core, named, sa, who);
	else if (best)
		report_hint(
			core, best, sa, &sa->remote,
			"peer '%s' wants EAP, which %s has, too, and nothing tells which of the two tunnels it means: set LocalID= in [Tunnel] to another one in each, and the peer to that",
			ike_id_print(id, sizeof(id), &who->id), twin->conf->name);
	else
		explain_no_eap(core, sa, who);
	return NULL;
}

void x_match_explain_twin(struct ike_core *core, const struct ike_sa *sa, struct ike_peer *p,
			  const struct ike_peer *twin)
{
	report_error(
		core, p, sa,
		"a peer proved the key that %s has, too, and nothing tells which of the two tunnels it means: set RemoteID= in [Peer] of both, or give each a key of its own",
		twin->conf->name);
}
