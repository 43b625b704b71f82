// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The method "signature" of IKE_AUTH (RFC 7296 2.15, RFC 4754, RFC 7427, RFC 8420), with raw public keys
 * (RFC 7670), or certificates, which pki/ judges. The keys process signs for us. The peer's signatures are verified here, as public keys are
 * no secret; that happens before anything is proven, so it is metered, and only some keys are tried.
 */
#include "ike/exch/layer_exchange.h"

#include <errno.h>
#include <stdlib.h>

enum {
	SIGNATURE_TRIES =
		8, /* times that one message's certificates are verified, and its signature is */
	CHAIN_FRESH_MS = 10000, /* what its certificates are worth is found out anew after that */
};

/* ---- ours ------------------------------------------------------------------------------- */

static enum x_verdict sign_by_key(struct ike_core *core, struct ike_sa *sa, const struct x_msg *m,
				  struct ike_peer *p, struct ike_job *job, job_done_fn done,
				  void *state)
{
	struct ikesa_setup *s = sa->setup;
	char why[256];

	s->sigalg = sigalg_choose(p->conf->own_key, s->peer_hashes, p->conf->signatures, why,
				  sizeof(why));
	if (!s->sigalg) {
		x_proof_explain_own(core, p, sa, why);
		return X_CLOSE;
	}
	job->kind = IKE_JOB_SIGN;
	job->alg = (uint16_t)sigalg_number(s->sigalg);
	return job_begin(core, sa, m, job, done, state) ? X_WAIT : X_DROP;
}

unsigned int x_signature_cost(const struct ike_sa *sa, const struct ike_peer *p)
{
	const struct ikesa_setup *s = sa->setup;
	struct ike_iov key = { 0 };
	char why[256];
	const struct sigalg *alg = sigalg_choose(p->conf->own_key, s->peer_hashes,
						 p->conf->signatures, why, sizeof(why));

	/* A private key of RSA is four times as long as the public one. */
	return alg && ike_cred_find(&p->conf->creds, IKE_CRED_OWN_KEY, &key)
		       ? (unsigned int)sigalg_sign_cost(alg, 4 * key.len)
		       : 0;
}

static void build_signature_auth(struct ike_builder *b, const struct ike_sa *sa,
				 const struct ike_peer *p, struct ike_iov value)
{
	const struct ike_creds *creds = &p->conf->creds;
	struct ike_iov item;
	bool certs = false;
	size_t at = 0;

	/* Certificates are sent whether or not they are asked for: some peers need them and do not ask. */
	while (ike_cred_next(creds, &at, IKE_CRED_OWN_CERT, &item)) {
		ike_build_cert(b, IKE_CERT_X509, item.base, item.len);
		certs = true;
	}
	if (!certs && sa->setup->takes_raw_key && ike_cred_find(creds, IKE_CRED_OWN_KEY, &item))
		ike_build_cert(b, IKE_CERT_RAW_KEY, item.base, item.len);
	if (certs && sa->setup->asks_status && ike_cred_find(creds, IKE_CRED_OWN_OCSP, &item))
		ike_build_cert(b, IKE_CERT_OCSP, item.base, item.len);
	sigalg_build_auth(b, sa->setup->sigalg, value.base, value.len);
}

static size_t give_signature_data(const struct ike_sa *sa, struct ike_iov value, uint8_t *out)
{
	return sigalg_auth_data(sa->setup->sigalg, value.base, value.len, out);
}

/* ---- the peer's key ----------------------------------------------------------------------- */

/* A message with an AUTH payload: what was found out about it, and what may be spent on that yet. */
struct proof {
	struct ike_core *core;
	const struct ike_sa *sa;
	const struct x_claim *who;
	uint8_t digest
		[32]; /* of certificates, OCSP responses and the identity that they are to be for */
	unsigned int chains, signatures; /* that may be verified yet */
	struct ike_peer *untried; /* a tunnel that this was too little for; NULL: none */
	uint64_t until; /* when the first certificate ends by which it proves something, or TIMER_NEVER */
	struct shown_path *shown; /* those certificates; NULL: none */
	bool failed; /* memory is out */
	struct ike_peer *
		needs; /* a tunnel that lacks nothing but a CRL or an OCSP response; NULL: none, … */
	struct pki_need need; /* … and where that is to be fetched */
	/* The key that was looked at last, … */
	uint8_t spki[IKE_MAX_SPKI];
	size_t spki_len;
	enum ike_key_kind kind;
	const struct sigalg *alg; /* … how the signature was verified by it (NULL: not yet), … */
	bool holds; /* … and whether it holds */
};

static struct proof proof_of(struct ike_core *core, const struct ike_sa *sa,
			     const struct x_claim *who)
{
	struct proof f = { .core = core,
			   .sa = sa,
			   .who = who,
			   .signatures = SIGNATURE_TRIES,
			   .until = TIMER_NEVER };
	unsigned int n = who->n_certs <= PKI_MAX_CERTS ? who->n_certs : PKI_MAX_CERTS, all = 0;
	uint32_t head[4 + 2 * PKI_MAX_CERTS] = { who->id.type, who->id.len, who->n_certs,
						 who->n_ocsp };
	struct ike_iov in[2 + 2 * PKI_MAX_CERTS] = { { head, sizeof(head) },
						     { who->id.data, who->id.len } };

	for (unsigned int i = 0; i < n; i++)
		in[2 + all++] = who->cert[i];
	for (unsigned int i = 0; i < who->n_ocsp; i++)
		in[2 + all++] = who->ocsp[i];
	for (unsigned int i = 0; i < all; i++)
		head[4 + i] = (uint32_t)in[2 + i].len;
	/* Without a digest none is verified. */
	if (n &&
	    !ike_hmac_sha256(core->digest_key, sizeof(core->digest_key), in, 2 + all, f.digest))
		f.chains = SIGNATURE_TRIES;
	return f;
}

/* Who answers us is no stranger. */
static void meter(const struct proof *f, unsigned int us)
{
	if (f->sa->initiator)
		return;
	admit_work(f->core, us);
	f->sa->setup->work += us;
}

/* May @what be spent on @p? */
static bool take_try(struct proof *f, unsigned int *what, struct ike_peer *p)
{
	if (!*what && !f->untried)
		f->untried = p;
	if (!*what)
		return false;
	--*what;
	return true;
}

static void verify_chain(const struct proof *f, const struct ike_peer *p, struct pki_result *r)
{
	struct ike_core *core = f->core;
	const struct x_claim *who = f->who;
	struct fetched_asker asker = { core, f->sa, p->conf->name };
	const struct pki_query q = {
		.trust = p->conf->trust,
		.certs = who->cert,
		.n_certs = who->n_certs,
		.id = &who->id,
		.now = core->env.utc(core->env.ctx),
		.usage = PKI_USAGE_ANY,
		.revocation = p->conf->revocation,
		.ocsp = who->ocsp,
		.n_ocsp = who->n_ocsp,
		.fetched = p->conf->fetch ? fetched_find : NULL,
		.fetched_ctx = &asker,
	};

	pki_verify(&q, r);
	fetched_judge(core, r);
	meter(f, r->cost);
}

/* Are core->chain these certificates, for this identity, by the CAs and CRLs that @p has, too? */
static bool is_judged(const struct proof *f, const struct ike_peer *p)
{
	const struct judged_chain *c = &f->core->chain;

	return c->by && c->changes == f->core->changes && f->core->now - c->at < CHAIN_FRESH_MS &&
	       c->revocation == p->conf->revocation && c->fetch == p->conf->fetch &&
	       !memcmp(c->digest, f->digest, sizeof(c->digest)) &&
	       (c->by == p->conf->trust || pki_trust_same(c->by, p->conf->trust));
}

/*
 * What the certificates that the peer shows are worth by the CAs of @p: found out once for all tunnels
 * with the same ones, for the sentence about it, and for copies of the message. NULL: it shows none, or
 * too much was spent.
 */
static const struct pki_result *judge_chain(struct proof *f, struct ike_peer *p)
{
	struct judged_chain *c = &f->core->chain;

	if (!f->who->n_certs || !p->conf->trust)
		return NULL;
	if (is_judged(f, p))
		return &c->result;
	if (!take_try(f, &f->chains, p))
		return NULL;
	verify_chain(f, p, &c->result);
	c->by = p->conf->trust;
	c->revocation = p->conf->revocation;
	c->fetch = p->conf->fetch;
	c->changes = f->core->changes;
	c->at = f->core->now;
	memcpy(c->digest, f->digest, sizeof(c->digest));
	return &c->result;
}

/* Does the peer show another key than @key? It need not show any. */
static bool shows_other_key(const struct x_claim *who, const struct ike_iov *key)
{
	return who->raw_key.base &&
	       (who->raw_key.len != key->len || memcmp(who->raw_key.base, key->base, key->len));
}

/*
 * The configured key, or that of a certificate for the identity which the peer claims, if a CA of @p stands
 * for it. False: there is none. It is good until the next call.
 */
static bool find_peer_key(struct proof *f, struct ike_peer *p, struct ike_iov *spki)
{
	const struct pki_result *chain;

	if (ike_cred_find(&p->conf->creds, IKE_CRED_PEER_KEY, spki))
		return !shows_other_key(f->who, spki);
	chain = judge_chain(f, p);
	if (!chain || chain->verdict != PKI_TRUSTED)
		return false;
	*spki = (struct ike_iov){ chain->spki, chain->spki_len };
	return true;
}

/* @spki is the key that is looked at now. False: too much was spent. */
static bool take_key(struct proof *f, struct ike_peer *p, struct ike_iov spki)
{
	char why[256];

	if (spki.len == f->spki_len && !memcmp(spki.base, f->spki, spki.len))
		return true;
	if (spki.len > sizeof(f->spki) || !take_try(f, &f->signatures, p))
		return false;
	f->spki_len = spki.len;
	memcpy(f->spki, spki.base, spki.len);
	f->kind = ike_key_kind(spki.base, spki.len, why, sizeof(why));
	f->alg = NULL;
	return true;
}

static const struct sigalg *read_signature(const struct proof *f, const struct ike_peer *p,
					   struct ike_iov *signature, char *why, size_t size)
{
	const struct ikesa_setup *s = f->sa->setup;

	return sigalg_read(&f->who->auth, f->kind, s->peer_hashes, p->conf->signatures, signature,
			   why, size);
}

/* Once for all tunnels with the same key, by which the message names one algorithm. */
static bool holds(struct proof *f, const struct sigalg *alg, const struct ike_iov *signature,
		  const struct ike_job *job)
{
	if (f->alg == alg)
		return f->holds;
	f->alg = alg;
	f->holds = ike_signature_holds(&alg->scheme, f->spki, f->spki_len, job->octets,
				       IKE_JOB_OCTETS, signature->base, signature->len);
	meter(f, alg->cost);
	return f->holds;
}

/* Those of the first tunnel, the best one, whose key the peer proved: most likely it is the only one. */
static void note_path(struct proof *f, const struct pki_result *r)
{
	size_t len = r->n_path * sizeof(r->path[0]);

	if (f->shown)
		return;
	f->shown = malloc(sizeof(*f->shown) + len);
	f->failed |= !f->shown;
	if (!f->shown)
		return;
	f->shown->n = r->n_path;
	memcpy(f->shown->v, r->path, len);
}

uint64_t x_signature_until(const struct ike_core *core, const struct pki_result *r)
{
	int64_t left = r->not_after - core->env.utc(core->env.ctx) + 1;

	return core->now + (left > 0 ? 1000 * (uint64_t)left : 0);
}

/* The peer proved it by its certificates, if @p has no key of it. */
static void note_certs(struct proof *f, const struct ike_peer *p)
{
	const struct judged_chain *c = &f->core->chain;
	uint64_t until = x_signature_until(f->core, &c->result);

	if (!p->conf->trust || !is_judged(f, p))
		return;
	if (until < f->until)
		f->until = until;
	note_path(f, &c->result);
}

const struct pki_need *x_signature_need(const struct pki_result *r)
{
	for (unsigned int i = 0; i < r->n_needs; i++) {
		if (r->needs[i].wanted && r->needs[i].state == PKI_NEED_FETCH)
			return &r->needs[i];
	}
	return NULL;
}

/*
 * Is all well with the peer's certificates for @p, but for revocation? Then a CRL or an OCSP response that is missing may
 * be fetched, and a refusal is worth a warning. Only for who has the private key: certificates are no secret, and to
 * fetch is work for others.
 */
static void note_status(struct proof *f, struct ike_peer *p, const struct ike_job *job)
{
	const struct pki_result *chain =
		ike_cred_find(&p->conf->creds, IKE_CRED_PEER_KEY, &(struct ike_iov){ 0 })
			? NULL
			: judge_chain(f, p);
	const struct pki_need *need;
	const struct sigalg *alg;
	struct ike_iov signature;
	char why[256];

	if (!chain || (chain->verdict != PKI_STATUS_MISSING && chain->verdict != PKI_REVOKED) ||
	    !take_key(f, p, (struct ike_iov){ chain->spki, chain->spki_len }))
		return;
	alg = read_signature(f, p, &signature, why, sizeof(why));
	if (!alg || !holds(f, alg, &signature, job))
		return;
	f->sa->setup->has_cert_key = true;
	need = p->conf->fetch && chain->verdict == PKI_STATUS_MISSING ? x_signature_need(chain)
								      : NULL;
	if (!need || f->needs)
		return;
	f->needs = p;
	f->need = *need;
}

/* Does the peer have the key of @p? */
static enum ike_job_verdict judge_signature(struct proof *f, struct ike_peer *p,
					    const struct ike_job *job)
{
	const struct sigalg *alg;
	struct ike_iov signature, spki;
	char why[256];

	if (!p || p->conf->remote_auth.method != IKE_METHOD_SIGNATURE)
		return IKE_JOB_NO_KEY;
	if (!find_peer_key(f, p, &spki)) {
		note_status(f, p, job);
		return IKE_JOB_REFUTED;
	}
	if (!take_key(f, p, spki))
		return IKE_JOB_REFUTED;
	alg = read_signature(f, p, &signature, why, sizeof(why));
	if (!alg || !holds(f, alg, &signature, job))
		return IKE_JOB_REFUTED;
	note_certs(f, p);
	return f->failed ? IKE_JOB_REFUTED : IKE_JOB_PROVEN;
}

static void explain_untried(const struct proof *f)
{
	char id[IKE_MAX_ID + 16];

	if (admit_reply_to(f->core, f->sa)) /* or our log could be filled at will */
		report_hint(
			f->core, f->untried, f->sa, &f->sa->remote,
			"more than %d tunnels with different keys or CAs fit '%s', and those of this one were not tried: let RemoteID= in [Peer] be another one in each",
			SIGNATURE_TRIES, ike_id_print(id, sizeof(id), &f->who->id));
}

static enum x_verdict verify_signature(struct ike_core *core, struct ike_sa *sa, struct x_msg *m,
				       const struct x_claim *who, const struct x_candidates *c,
				       struct ike_job *job, job_done_fn done, void *state)
{
	struct proof f = proof_of(core, sa, who);
	struct ike_job_result r = { 0 };
	enum x_verdict verdict = X_DONE;
	bool proven = false;
	unsigned int i;

	for (i = 0; i < c->n; i++) {
		r.verdict[i] = (uint8_t)judge_signature(&f, lookup_name(core, c->name[i]), job);
		proven |= r.verdict[i] == IKE_JOB_PROVEN;
	}
	if (f.needs && !proven)
		verdict = fetched_begin(core, sa, m, f.needs->conf->name, &who->id, &f.need, done,
					state);
	if (verdict != X_DONE)
		return verdict;
	if (f.until < sa->proof_until)
		sa->proof_until = f.until;
	if (f.shown) { /* tunnels that are tried later take nothing back */
		free(sa->shown);
		sa->shown = f.shown;
	}
	if (f.untried && !proven)
		explain_untried(&f);
	return done(core, sa, m, state, &r);
}

/* What the peer shows in place of certificates, and we do not take; NULL: nothing. */
static const char *name_other_cert(uint8_t encoding)
{
	switch (encoding) {
	case 0: return NULL;
	case IKE_CERT_PKCS7: return "in PKCS#7";
	case IKE_CERT_HASH_URL:
	case IKE_CERT_HASH_URLS: return "as hash and URL, which nothing is fetched from";
	default: return "in a form that is not known here";
	}
}

static void explain_raw_key(struct ike_core *core, struct ike_peer *p, const struct ike_sa *sa,
			    const struct x_claim *who, const char *id, const struct ike_iov *key)
{
	char ours[IKE_FINGERPRINT], theirs[IKE_FINGERPRINT];

	ike_key_fingerprint(ours, key->base, key->len);
	if (shows_other_key(who, key))
		report_hint(
			core, p, sa, &sa->remote,
			"peer '%s' shows the public key %s, but PublicKey= in [Peer] is %s: write there what belongs to the peer's private key",
			id, ike_key_fingerprint(theirs, who->raw_key.base, who->raw_key.len), ours);
	else
		report_hint(
			core, p, sa, &sa->remote,
			"peer '%s' does not hold the private key that belongs to PublicKey= in [Peer], %s: write there what belongs to the one it has",
			id, ours);
}

/* Of a peer that shows no certificate that a CA of @p stands for. */
static void explain_chain(struct proof *f, struct ike_peer *p, const char *id)
{
	struct ike_core *core = f->core;
	const struct ike_sa *sa = f->sa;
	const struct x_claim *who = f->who;
	const char *other = name_other_cert(who->other_cert);
	const struct pki_result *chain = judge_chain(f, p);

	f->sa->setup->out_of_time = chain && pki_is_about_time(chain->verdict);
	if (!who->n_certs && other)
		report_hint(
			core, p, sa, &sa->remote,
			"peer '%s' shows its certificate %s: let it send the certificate itself (X.509 signature, encoding 4)",
			id, other);
	else if (!who->n_certs && who->raw_key.base)
		report_hint(
			core, p, sa, &sa->remote,
			"peer '%s' shows a raw public key, but CA= in [Peer] wants a certificate: give it one, or take PublicKey= in place of CA=",
			id);
	else if (!who->n_certs)
		report_hint(
			core, p, sa, &sa->remote,
			"peer '%s' shows no certificate: let it send one (strongSwan: send_cert = always)",
			id);
	else if (chain && chain->verdict != PKI_TRUSTED)
		report_hint(core, p, sa, &sa->remote, "peer '%s': %s", id, chain->text);
	else
		report_hint(
			core, p, sa, &sa->remote,
			"peer '%s' does not hold the private key of the certificate that it shows",
			id);
}

static void explain_signature(struct ike_core *core, struct ike_peer *p, const struct ike_sa *sa,
			      const struct x_claim *who, bool unknown)
{
	char id[IKE_MAX_ID + 16], why[256];
	struct proof f = proof_of(core, sa, who);
	struct ike_iov signature, key;

	(void)unknown;
	ike_id_print(id, sizeof(id), &who->id);
	if (!p || p->conf->remote_auth.method != IKE_METHOD_SIGNATURE)
		report_hint(
			core, p, sa, &sa->remote,
			"there is no key for '%s': add PublicKey= or CA= to [Peer], and run esptun reload",
			id);
	else if (find_peer_key(&f, p, &key) && take_key(&f, p, key) &&
		 !read_signature(&f, p, &signature, why, sizeof(why)))
		report_hint(core, p, sa, &sa->remote, "peer '%s' %s", id, why);
	else if (ike_cred_find(&p->conf->creds, IKE_CRED_PEER_KEY, &key))
		explain_raw_key(core, p, sa, who, id, &key);
	else
		explain_chain(&f, p, id);
}

const struct x_method x_method_signature = {
	.name = "with a signature",
	.remedy = "a public key",
	.compare = "Key=",
	.sign = sign_by_key,
	.build = build_signature_auth,
	.data = give_signature_data,
	.verify = verify_signature,
	.explain = explain_signature,
};
