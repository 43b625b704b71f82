// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The method "signature" of IKE_AUTH (RFC 7296 2.15, RFC 4754, RFC 7427, RFC 8420), with raw public keys
 * (RFC 7670). The keys process signs for us. The peer's signatures are verified here, as public keys are
 * no secret; that happens before anything is proven, so it is metered, and only some keys are tried.
 */
#include "ike/exch/layer_exchange.h"

#include <errno.h>

enum { SIGNATURE_TRIES = 8 /* keys that one AUTH payload is verified with */ };

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
	struct ike_iov key;

	if (ike_cred_find(&p->conf->creds, IKE_CRED_OWN_KEY, &key))
		ike_build_cert(b, IKE_CERT_RAW_KEY, key.base, key.len);
	sigalg_build_auth(b, sa->setup->sigalg, value.base, value.len);
}

/* ---- the peer's --------------------------------------------------------------------------- */

/* The key that the peer of @p has to have. */
static bool find_peer_key(const struct ike_peer *p, struct ike_iov *key)
{
	return p->conf->remote_method == IKE_METHOD_SIGNATURE &&
	       ike_cred_find(&p->conf->creds, IKE_CRED_PEER_KEY, key);
}

/* Does the peer show another key than @key? It need not show any. */
static bool shows_other_key(const struct x_claim *who, const struct ike_iov *key)
{
	return who->raw_key.base &&
	       (who->raw_key.len != key->len || memcmp(who->raw_key.base, key->base, key->len));
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
	struct ike_iov key, signature;
	char why[256];

	if (!p || !find_peer_key(p, &key))
		return IKE_JOB_NO_KEY;
	if (shows_other_key(who, &key))
		return IKE_JOB_REFUTED;
	alg = read_signature(sa, p, who, &key, &signature, why, sizeof(why));
	if (!alg || !*tries)
		return IKE_JOB_REFUTED;
	--*tries;
	if (ike_signature_holds(&alg->scheme, key.base, key.len, job->octets, IKE_JOB_OCTETS,
				signature.base, signature.len))
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

static void explain_signature(struct ike_core *core, struct ike_peer *p, const struct ike_sa *sa,
			      const struct x_claim *who, bool unknown)
{
	char id[IKE_MAX_ID + 16], ours[IKE_FINGERPRINT], theirs[IKE_FINGERPRINT], why[256];
	struct ike_iov key, signature;

	(void)unknown;
	ike_id_print(id, sizeof(id), &who->id);
	if (!p || !find_peer_key(p, &key)) {
		report_hint(
			core, p, sa, &sa->remote,
			"there is no public key for '%s': add PublicKey= to [Peer], and run esptun reload",
			id);
		return;
	}
	ike_key_fingerprint(ours, key.base, key.len);
	if (shows_other_key(who, &key))
		report_hint(
			core, p, sa, &sa->remote,
			"peer '%s' shows the public key %s, but PublicKey= in [Peer] is %s: write there what belongs to the peer's private key",
			id, ike_key_fingerprint(theirs, who->raw_key.base, who->raw_key.len), ours);
	else if (!read_signature(sa, p, who, &key, &signature, why, sizeof(why)))
		report_hint(core, p, sa, &sa->remote, "peer '%s' %s", id, why);
	else
		report_hint(
			core, p, sa, &sa->remote,
			"peer '%s' does not hold the private key that belongs to PublicKey= in [Peer], %s: write there what belongs to the one it has",
			id, ours);
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
