// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The method "signature" of IKE_AUTH (RFC 7296 2.15, RFC 4754, RFC 7427, RFC 8420), with raw public keys
 * (RFC 7670), or certificates, which pki/ judges. The keys process signs for us. The peer's signatures are verified here, as public keys are
 * no secret; that happens before anything is proven, so it is metered, and only some keys are tried.
 */
#include "ike/exch/layer_exchange.h"

#include <errno.h>

enum {
	SIGNATURE_TRIES = 8, /* keys that one AUTH payload is verified with */
	SIGNATURE_CHAIN = 1000, /* microseconds that a chain of certificates takes, about */
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
		report_error(core, p, sa, "cannot prove to the peer who we are: %s", why);
		return X_CLOSE;
	}
	job->kind = IKE_JOB_SIGN;
	job->alg = (uint16_t)sigalg_number(s->sigalg);
	return job_begin(core, sa, m, job, done, state) ? X_WAIT : X_DROP;
}

static void build_signature_auth(struct ike_builder *b, const struct ike_sa *sa,
				 const struct ike_peer *p, struct ike_iov value)
{
	const struct ike_creds *creds = &p->conf->creds;
	struct ike_iov item;
	bool certs = false;
	size_t at = 0;

	/* Whether or not they are asked for: some peers need them and do not ask. */
	while (ike_cred_next(creds, &at, IKE_CRED_OWN_CERT, &item)) {
		ike_build_cert(b, IKE_CERT_X509, item.base, item.len);
		certs = true;
	}
	if (!certs && ike_cred_find(creds, IKE_CRED_OWN_KEY, &item))
		ike_build_cert(b, IKE_CERT_RAW_KEY, item.base, item.len);
	sigalg_build_auth(b, sa->setup->sigalg, value.base, value.len);
}

/* ---- the peer's key ----------------------------------------------------------------------- */

/* The key that the peer has to have. */
struct peer_key {
	struct ike_iov spki; /* it may be the one of ->chain */
	struct pki_result chain;
};

static enum pki_verdict verify_chain(struct ike_core *core, const struct ike_peer *p,
				     const struct x_claim *who, struct pki_result *r)
{
	const struct pki_query q = {
		.trust = p->conf->trust,
		.certs = who->cert,
		.n_certs = who->n_certs,
		.id = &who->id,
		.now = core->env.utc(core->env.ctx),
		.usage = PKI_USAGE_ANY,
		.revocation = PKI_REVOCATION_OFF,
	};

	return pki_verify(&q, r);
}

/* Does the peer show another key than @key? It need not show any. */
static bool shows_other_key(const struct x_claim *who, const struct ike_iov *key)
{
	return who->raw_key.base &&
	       (who->raw_key.len != key->len || memcmp(who->raw_key.base, key->base, key->len));
}

/*
 * The configured key, or that of a certificate for the identity which the peer claims, if a CA of @p stands
 * for it. False: there is none.
 */
static bool find_peer_key(struct ike_core *core, const struct ike_peer *p,
			  const struct x_claim *who, struct peer_key *k)
{
	if (p->conf->remote_method != IKE_METHOD_SIGNATURE)
		return false;
	if (ike_cred_find(&p->conf->creds, IKE_CRED_PEER_KEY, &k->spki))
		return !shows_other_key(who, &k->spki);
	admit_work(core, who->n_certs ? SIGNATURE_CHAIN : 0);
	if (!p->conf->trust || verify_chain(core, p, who, &k->chain) != PKI_TRUSTED)
		return false;
	k->spki = (struct ike_iov){ k->chain.spki, k->chain.spki_len };
	return true;
}

static const struct sigalg *read_signature(const struct ike_sa *sa, const struct ike_peer *p,
					   const struct x_claim *who, const struct ike_iov *key,
					   struct ike_iov *signature, char *why, size_t size)
{
	enum ike_key_kind kind = ike_key_kind(key->base, key->len, why, size);

	return sigalg_read(&who->auth, kind, sa->setup->peer_hashes, sa->setup->told_hashes,
			   p->conf->signatures, signature, why, size);
}

/* Does the peer that @who claims to be have the key of @p? *@tries is one less if that took time. */
static enum ike_job_verdict judge_signature(struct ike_core *core, const struct ike_sa *sa,
					    const struct ike_peer *p, const struct x_claim *who,
					    const struct ike_job *job, unsigned int *tries)
{
	const struct sigalg *alg;
	struct ike_iov signature;
	struct peer_key key;
	char why[256];

	if (!p || p->conf->remote_method != IKE_METHOD_SIGNATURE)
		return IKE_JOB_NO_KEY;
	if (!*tries)
		return IKE_JOB_REFUTED;
	*tries -= p->conf->trust != NULL;
	if (!find_peer_key(core, p, who, &key))
		return IKE_JOB_REFUTED;
	*tries -= !p->conf->trust;
	alg = read_signature(sa, p, who, &key.spki, &signature, why, sizeof(why));
	if (!alg)
		return IKE_JOB_REFUTED;
	if (ike_signature_holds(&alg->scheme, key.spki.base, key.spki.len, job->octets,
				IKE_JOB_OCTETS, signature.base, signature.len))
		return IKE_JOB_PROVEN;
	admit_work(core, alg->cost);
	return IKE_JOB_REFUTED;
}

static enum x_verdict verify_signature(struct ike_core *core, struct ike_sa *sa, struct x_msg *m,
				       const struct x_claim *who, const struct x_candidates *c,
				       struct ike_job *job, job_done_fn done, void *state)
{
	struct ike_job_result r = { 0 };
	unsigned int i, tries = SIGNATURE_TRIES;

	for (i = 0; i < c->n; i++)
		r.verdict[i] = (uint8_t)judge_signature(core, sa, lookup_name(core, c->name[i]),
							who, job, &tries);
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
static void explain_chain(struct ike_core *core, struct ike_peer *p, const struct ike_sa *sa,
			  const struct x_claim *who, const char *id)
{
	const char *other = name_other_cert(who->other_cert);
	struct pki_result r;

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
	else if (verify_chain(core, p, who, &r) != PKI_TRUSTED)
		report_hint(core, p, sa, &sa->remote, "peer '%s': %s", id, r.text);
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
	struct ike_iov signature, key;
	struct peer_key found;

	(void)unknown;
	ike_id_print(id, sizeof(id), &who->id);
	if (!p || p->conf->remote_method != IKE_METHOD_SIGNATURE)
		report_hint(
			core, p, sa, &sa->remote,
			"there is no key for '%s': add PublicKey= or CA= to [Peer], and run esptun reload",
			id);
	else if (find_peer_key(core, p, who, &found) &&
		 !read_signature(sa, p, who, &found.spki, &signature, why, sizeof(why)))
		report_hint(core, p, sa, &sa->remote, "peer '%s' %s", id, why);
	else if (ike_cred_find(&p->conf->creds, IKE_CRED_PEER_KEY, &key))
		explain_raw_key(core, p, sa, who, id, &key);
	else
		explain_chain(core, p, sa, who, id);
}

const struct x_method x_method_signature = {
	.name = "with a signature",
	.remedy = "a public key",
	.compare = "Key=",
	.sign = sign_by_key,
	.build = build_signature_auth,
	.verify = verify_signature,
	.explain = explain_signature,
};
