// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The tunnel for the peer that sent an IKE_AUTH request: those that fit its identities (x_match.c) have their keys
 * tried, the best ones first, and if it proves one, our own proof for that tunnel is made. A peer that wants EAP proves nothing
 * yet, so that the tunnel follows from the names alone. What the user should read about a peer that nothing takes is found out here, too.
 *
 * All of it is done for unknown peers, so it is metered; between its jobs the configuration may change, and then it begins anew.
 */
#include "ike/exch/layer_exchange.h"

#include <errno.h>
#include <stdlib.h>

enum {
	AUTH_LOOKS = 4, /* tunnels that are looked at in a microsecond */
	AUTH_PPKS = 8, /* … whose PPKs of one name are tried, each with a job of its own */
};

/* What an IKE_AUTH request notes while it waits: first for the peer's proof, then for ours. */
struct auth_request {
	uint64_t changes; /* core->changes when it was read; with other tunnels it is read anew */
	unsigned int tried; /* tunnels whose keys were tried before those of @tunnels */
	struct x_candidates tunnels; /* the one that was chosen alone, once it was */
	char proven[IKE_JOB_NAME]; /* the best one whose key it proved, while others are tried; or "" */
	char best[IKE_JOB_NAME]; /* the one it probably meant; "": none */
	bool best_unknown; /* it has no key for the peer */
	unsigned int n_unknown; /* so many tunnels have no PPK of the name that the peer says: */
	char unknown[AUTH_PPKS][IKE_JOB_NAME];
	x_chosen_fn chosen;
};

static enum x_verdict try_tunnels(struct ike_core *core, struct ike_sa *sa, struct x_msg *m,
				  struct auth_request *a, const struct x_claim *who,
				  unsigned int tried);

/*
 * What the peer claims, by its request @m, and which tunnels are known to have no such PPK. False: they are others than
 * before, so that all begins anew.
 */
static bool read_claim(const struct ike_core *core, const struct ike_sa *sa, const struct x_msg *m,
		       struct auth_request *a, struct x_claim *who)
{
	bool same = a->changes == core->changes;

	a->changes = core->changes;
	if (!same)
		a->n_unknown = 0;
	*who = (struct x_claim){ 0 };
	x_match_read(sa, m->in, who);
	who->unknown = a->unknown;
	who->n_unknown = a->n_unknown;
	return same;
}

/* Our own proof is there, for the tunnel that was chosen. */
static enum x_verdict finish_choice(struct ike_core *core, struct ike_sa *sa, struct x_msg *m,
				    void *state, const struct ike_job_result *r)
{
	struct auth_request *a = state;
	struct x_claim who;
	struct ike_peer *p;

	if (!read_claim(core, sa, m, a, &who))
		return try_tunnels(core, sa, m, a, &who, 0);
	if (r->error && r->error != -ENOENT)
		return X_DROP;
	p = lookup_name(core, a->tunnels.name[0]);
	if (r->error)
		x_proof_explain_own(core, p, sa, strerror(-r->error));
	if (r->error || !p || !p->enabled)
		return x_refuse_auth(m);
	return a->chosen(core, sa, m, p, &who, r);
}

/*
 * Nobody takes the peer, and that is told. Does it hold the key of a tunnel that does not fit it? That says
 * more than that it lacks the key of one that fits; but not of certificates, which other tunnels take by
 * other CAs and CRLs.
 */
static enum x_verdict explain_request(struct ike_core *core, struct ike_sa *sa, struct x_msg *m,
				      void *state, const struct ike_job_result *r)
{
	struct auth_request *a = state;
	struct ike_peer *p = NULL, *best = lookup_name(core, a->best);
	struct x_claim who;
	bool unknown = a->best_unknown, shows_why;
	unsigned int i;

	read_claim(core, sa, m, a, &who);
	shows_why = best && who.n_certs && x_proof_fits(best, &who);
	for (i = 0; i < a->tunnels.n && !p; i++) {
		if (!r->error && r->verdict[i] == IKE_JOB_PROVEN)
			p = lookup_name(core, a->tunnels.name[i]);
		else
			admit_work(core, ADMIT_WORK_KEY);
	}
	if (!best && a->tunnels.n) {
		best = lookup_name(core, a->tunnels.name[0]);
		unknown = !r->error && r->verdict[0] == IKE_JOB_NO_KEY;
	}
	if (p && !shows_why)
		x_match_explain(core, sa, &who, p);
	else
		x_proof_explain_key(core, best, sa, &who, unknown);
	return x_refuse_auth(m);
}

/* The peer proved none of the keys that it may have. */
static enum x_verdict refuse_proof(struct ike_core *core, struct ike_sa *sa, struct x_msg *m,
				   struct auth_request *a, const struct x_claim *who)
{
	const struct ike_job_result none = { 0 };
	enum x_verdict verdict = X_DROP;
	struct ike_peer *p;

	x_ppk_drop(sa);
	admit_work(core, ADMIT_WORK_AUTH);
	if (!admit_reply_to(core, sa)) /* or our log could be filled at will */
		return x_refuse_auth(m);
	p = x_match_named(core, sa, who);
	if (p && (x_match_explain_rounds(core, sa, who, p) || x_ppk_explain(core, p, sa, who)))
		return x_refuse_auth(m);
	fetched_end(sa);
	x_match_collect_near(core, sa, who, &a->tunnels);
	if (a->tunnels.n)
		verdict = x_proof_verify(core, sa, m, who, &a->tunnels, explain_request, a);
	return verdict == X_DROP ? explain_request(core, sa, m, a, &none) : verdict;
}

/* The peer means @p, one of those whose keys it holds: our own proof is next. */
static enum x_verdict choose_tunnel(struct ike_core *core, struct ike_sa *sa, struct x_msg *m,
				    struct auth_request *a, const struct x_claim *who,
				    struct ike_peer *p)
{
	enum x_verdict verdict;

	a->tunnels.n = 1;
	memcpy(a->tunnels.name[0], p->conf->name, sizeof(a->tunnels.name[0]));
	query_local_id(p, sa, &sa->local_id);
	verdict = x_proof_sign(core, sa, m, p, &who->id, finish_choice, a);
	return verdict == X_CLOSE ? x_refuse_auth(m) : verdict;
}

/* What the keys that were tried say about who the peer may mean; work in vain is metered. */
static void note_verdicts(struct ike_core *core, struct auth_request *a,
			  const struct ike_job_result *r)
{
	unsigned int i;

	for (i = 0; i < a->tunnels.n; i++) {
		if (r->verdict[i] != IKE_JOB_PROVEN)
			admit_work(core, ADMIT_WORK_KEY);
	}
	if (a->tried)
		return;
	memcpy(a->best, a->tunnels.name[0], sizeof(a->best));
	a->best_unknown = r->verdict[0] == IKE_JOB_NO_KEY;
}

/* Is one more PPK tried than that of the one tunnel at hand? */
static bool may_try_ppk(const struct auth_request *a)
{
	return a->tried + a->n_unknown + 1 < AUTH_PPKS;
}

/* Which keys the peer holds is known now. */
static enum x_verdict take_proof(struct ike_core *core, struct ike_sa *sa, struct x_msg *m,
				 void *state, const struct ike_job_result *r)
{
	struct auth_request *a = state;
	struct ike_peer *p, *twin;
	struct x_claim who;
	bool same;

	same = read_claim(core, sa, m, a, &who);
	/* -ERESTART: something was fetched that the peer's certificates are judged by. */
	if (r->error && r->error != -ERESTART)
		return X_DROP;
	if (r->error || !same)
		return try_tunnels(core, sa, m, a, &who, 0);
	note_verdicts(core, a, r);
	p = x_match_proven(core, sa, &who, &a->tunnels, r, lookup_name(core, a->proven), &twin);
	if (twin) {
		x_match_explain_twin(core, sa, p, twin);
		return x_refuse_auth(m);
	}
	if (a->tunnels.ppk && !p && may_try_ppk(a))
		return try_tunnels(core, sa, m, a, &who, a->tried + 1);
	/* More may be left; one of them may fit as well, and have the same key. */
	if (a->tunnels.n == IKE_JOB_TUNNELS && (!p || a->tunnels.last_fit == p->fit)) {
		if (p)
			memcpy(a->proven, p->conf->name, sizeof(a->proven));
		return try_tunnels(core, sa, m, a, &who, a->tried + a->tunnels.n);
	}
	return p ? choose_tunnel(core, sa, m, a, &who, p) : refuse_proof(core, sa, m, a, &who);
}

/* Is the one tunnel that was tried without a PPK of the name that its client says? Then that is noted, and metered. */
static bool note_unknown(struct ike_core *core, struct auth_request *a)
{
	const struct ike_peer *p = lookup_name(core, a->tunnels.name[0]);

	if (!p || !p->conf->ppk || !p->conf->ppk->of_clients || !may_try_ppk(a))
		return false;
	memcpy(a->unknown[a->n_unknown++], p->conf->name, sizeof(a->unknown[0]));
	admit_work(core, ADMIT_WORK_KEY);
	return true;
}

/* The keys are mixed with the PPK of the one tunnel that is tried. */
static enum x_verdict try_mixed(struct ike_core *core, struct ike_sa *sa, struct x_msg *m,
				void *state, const struct ike_job_result *r)
{
	struct ike_job_result none = { .id = r->id, .verdict = { IKE_JOB_NO_KEY } };
	struct auth_request *a = state;
	struct x_claim who;
	int error;

	if (!read_claim(core, sa, m, a, &who))
		return try_tunnels(core, sa, m, a, &who, 0);
	error = x_ppk_take(sa, r);
	if (!error)
		return x_proof_verify(core, sa, m, &who, &a->tunnels, take_proof, a);
	if (error == -ENOENT && note_unknown(core, a)) {
		who.n_unknown = a->n_unknown;
		return try_tunnels(core, sa, m, a, &who, a->tried);
	}
	if (error != -ENOENT)
		none.error = error;
	return take_proof(core, sa, m, a, &none);
}

/*
 * For EAP we prove who we are before the peer has proven anything: that is metered, and waits for better times, as
 * key exchanges do. It is taken off again if the peer proves itself.
 */
static enum x_verdict choose_for_eap(struct ike_core *core, struct ike_sa *sa, struct x_msg *m,
				     struct auth_request *a, const struct x_claim *who)
{
	const struct ike_job_result none = { 0 };
	struct ike_peer *p;
	unsigned int us;

	admit_work(core, core->n_peers / AUTH_LOOKS);
	p = x_match_eap(core, sa, who);
	if (!p)
		return x_refuse_auth(m);
	if (x_eap_is_only(p, who)) { /* no proof of ours is wanted yet */
		query_local_id(p, sa, &sa->local_id);
		return a->chosen(core, sa, m, p, who, &none);
	}
	if (!admit_has_time(core, sa->admit_kind))
		return X_DROP; /* a copy comes */
	us = x_signature_cost(sa, p);
	admit_work(core, us);
	sa->setup->work += us;
	return choose_tunnel(core, sa, m, a, who, p);
}

/* Have the keys of the tunnels that fit the peer tried, after the first @tried of them. */
static enum x_verdict try_tunnels(struct ike_core *core, struct ike_sa *sa, struct x_msg *m,
				  struct auth_request *a, const struct x_claim *who,
				  unsigned int tried)
{
	struct ike_peer *p;

	x_ppk_drop(sa); /* of the tunnel before, or of another request, whose job got lost */
	if (who->eap)
		return choose_for_eap(core, sa, m, a, who);
	a->tried = tried;
	if (!tried)
		a->proven[0] = 0;
	admit_work(core, tried / AUTH_LOOKS);
	x_match_collect(core, sa, who, tried, &a->tunnels);
	p = a->tunnels.n ? NULL : lookup_name(core, a->proven);
	if (p)
		return choose_tunnel(core, sa, m, a, who, p);
	if (!a->tunnels.n)
		return refuse_proof(core, sa, m, a, who);
	if (!a->tunnels.ppk)
		return x_proof_verify(core, sa, m, who, &a->tunnels, take_proof, a);
	p = lookup_name(core, a->tunnels.name[0]);
	return x_ppk_mix(core, sa, m, p, who, try_mixed, a);
}

enum x_verdict x_auth_choose(struct ike_core *core, struct ike_sa *sa, struct x_msg *m,
			     const struct x_claim *who, x_chosen_fn chosen)
{
	struct auth_request *a = calloc(1, sizeof(*a));
	enum x_verdict verdict;

	if (!a)
		return X_DROP;
	a->changes = core->changes;
	a->chosen = chosen;
	verdict = try_tunnels(core, sa, m, a, who, 0);
	if (verdict != X_WAIT)
		free(a);
	return verdict;
}
