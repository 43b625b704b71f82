// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The AUTH payload (RFC 7296 2.15): what each end signs, by whichever method (x_psk.c, x_signature.c, x_eap.c), and
 * what to tell the user about a peer whose proof or name is not the expected one.
 */
#include "ike/exch/layer_exchange.h"

/* What one end signs: its IKE_SA_INIT message, the other's nonce, its ID with its SK_p. */
struct signed_octets {
	struct ike_iov message, nonce, id;
	const uint8_t *sk_p;
};

const uint8_t *x_proof_sk_p(const struct ike_sa *sa, bool initiator)
{
	const struct ppk_keys *ppk = sa->setup->ppk;

	if (ppk)
		return initiator ? ppk->pi : ppk->pr;
	return initiator ? sa->keys.pi : sa->keys.pr;
}

static struct signed_octets octets_of(const struct ike_sa *sa, bool initiator,
				      struct ike_iov id_body)
{
	const struct ikesa_setup *s = sa->setup;
	const struct ikesa_bytes *m = initiator ? &s->init_i : &s->init_r;

	return (struct signed_octets){
		.message = { m->data, m->len },
		.nonce = initiator ? (struct ike_iov){ s->nr, s->nr_len }
				   : (struct ike_iov){ s->ni, s->ni_len },
		.id = id_body,
		.sk_p = x_proof_sk_p(sa, initiator),
	};
}

enum { TAIL_MAX = IKE_MAX_PRF + INTAUTH_MAX }; /* the MACed ID, then IntAuth (RFC 9242 3.3.2) */

/*
 * What is signed in @job: the octets of one end. @tail, of TAIL_MAX bytes, is a part of them, which
 * the caller wipes. False if the library fails.
 */
static bool set_octets(const struct ike_sa *sa, struct ike_job *job, const struct signed_octets *o,
		       uint8_t *tail)
{
	size_t len = ike_prf_len(sa->keys.suite.prf);

	job->prf = sa->keys.suite.prf;
	job->octets[0] = o->message;
	job->octets[1] = o->nonce;
	job->octets[2] = (struct ike_iov){ tail, len + intauth_octets(sa, tail + len) };
	return len && !ike_prf(job->prf, o->sk_p, len, &o->id, 1, tail);
}

/* ---- methods ------------------------------------------------------------------- */

/* The method that the peer proves itself by; NULL: none that we know. */
static const struct x_method *method_of(const struct x_claim *who)
{
	if (who->eap)
		return &x_method_eap;
	switch (who->auth.method) {
	case IKE_AUTH_PSK: return &x_method_psk;
	case IKE_AUTH_RSA:
	case IKE_AUTH_ECDSA_256:
	case IKE_AUTH_ECDSA_384:
	case IKE_AUTH_ECDSA_521:
	case IKE_AUTH_SIGNATURE: return &x_method_signature;
	default: return NULL;
	}
}

const struct x_method *x_proof_method(enum ike_method method)
{
	static const struct x_method *const methods[IKE_METHODS] = {
		[IKE_METHOD_PSK] = &x_method_psk,
		[IKE_METHOD_SIGNATURE] = &x_method_signature,
		[IKE_METHOD_EAP] = &x_method_eap,
	};

	return methods[method];
}

/* Ours: with EAP both ends prove in the end that they have its key, whatever they showed before (2.16). */
static const struct x_method *own_method(const struct ike_sa *sa, const struct ike_peer *p)
{
	return x_proof_method(ikesa_eap_is_proven(sa) ? IKE_METHOD_EAP
						      : p->conf->local_auth.method);
}

bool x_proof_fits(const struct ike_peer *p, const struct x_claim *who)
{
	return method_of(who) == x_proof_method(p->conf->remote_auth.method);
}

/* ---- both roles ---------------------------------------------------------------- */

enum x_verdict x_proof_sign(struct ike_core *core, struct ike_sa *sa, const struct x_msg *m,
			    struct ike_peer *p, const struct ike_id *peer, job_done_fn done,
			    void *state)
{
	/* Our ID payload's body: type, three reserved octets, data (3.5). */
	uint8_t body[4 + IKE_MAX_ID] = { sa->local_id.type }, tail[TAIL_MAX];
	char tunnel[1][IKE_JOB_NAME];
	struct ike_job job = { .n_tunnels = 1, .tunnels = tunnel, .peer = peer };
	enum x_verdict verdict = X_DROP;
	struct signed_octets o;

	memcpy(tunnel[0], p->conf->name, sizeof(tunnel[0]));
	memcpy(body + 4, sa->local_id.data, sa->local_id.len);
	o = octets_of(sa, sa->initiator, (struct ike_iov){ body, 4u + sa->local_id.len });
	if (set_octets(sa, &job, &o, tail))
		verdict = own_method(sa, p)->sign(core, sa, m, p, &job, done, state);
	ike_wipe(tail, sizeof(tail));
	return verdict;
}

void x_proof_build(struct ike_builder *b, const struct ike_sa *sa, const struct ike_peer *p,
		   const uint8_t *value, size_t len)
{
	own_method(sa, p)->build(b, sa, p, (struct ike_iov){ value, len });
}

int x_proof_keep_data(const struct ike_sa *sa, const struct ike_peer *p, const uint8_t *value,
		      size_t len, struct ikesa_bytes *out)
{
	uint8_t data[SIGALG_MAX_AUTH];
	size_t n = own_method(sa, p)->data(sa, (struct ike_iov){ value, len }, data);

	return ikesa_bytes_set(out, data, n);
}

/*
 * The claim of a peer that uses a PPK which is not ours: then its other AUTH value counts (RFC 8784 3). Of two rounds the
 * first one settles whether a PPK is used, and the second one has no such value.
 */
static struct x_claim claim_without_ppk(const struct ike_sa *sa, const struct x_claim *who)
{
	struct x_claim plain = *who;

	if (sa->initiator || !sa->setup->ppk_agreed || sa->setup->ppk ||
	    (who->eap && !who->no_ppk_auth.base))
		return plain;
	if (who->no_ppk_auth.base)
		plain.auth.data = who->no_ppk_auth.base;
	plain.auth.len = who->no_ppk_auth.len;
	return plain;
}

enum x_verdict x_proof_verify(struct ike_core *core, struct ike_sa *sa, struct x_msg *m,
			      const struct x_claim *claim, const struct x_candidates *c,
			      job_done_fn done, void *state)
{
	const struct x_claim counted = claim_without_ppk(sa, claim), *who = &counted;
	const struct x_method *method = method_of(who);
	struct signed_octets o = octets_of(sa, !sa->initiator, who->body);
	uint8_t tail[TAIL_MAX];
	enum x_verdict verdict = X_DROP;
	struct ike_job job = { 0 };

	if (method && set_octets(sa, &job, &o, tail))
		verdict = method->verify(core, sa, m, who, c, &job, done, state);
	ike_wipe(tail, sizeof(tail));
	return verdict;
}

bool x_proof_find_id(const struct ike_payloads *in, uint8_t type, struct x_claim *who)
{
	const struct ike_payload *p = ike_payload_find(in, type);

	if (!p || ike_id_parse(p, &who->id))
		return false;
	who->body = (struct ike_iov){ p->body, p->len };
	return true;
}

static void note_cert(struct x_claim *who, const struct ike_cert *cert)
{
	const struct ike_iov data = { cert->data, cert->len };

	if (cert->encoding == IKE_CERT_RAW_KEY && !who->raw_key.base)
		who->raw_key = data;
	else if (cert->encoding == IKE_CERT_X509 && who->n_certs <= PKI_MAX_CERTS) {
		if (who->n_certs < PKI_MAX_CERTS)
			who->cert[who->n_certs] = data;
		who->n_certs++;
	} else if (cert->encoding == IKE_CERT_OCSP) {
		if (who->n_ocsp < PKI_MAX_CERTS)
			who->ocsp[who->n_ocsp++] = data;
	} else if (cert->encoding != IKE_CERT_RAW_KEY && cert->encoding != IKE_CERT_X509)
		who->other_cert = cert->encoding;
}

bool x_proof_find_auth(const struct ike_payloads *in, struct x_claim *who)
{
	const struct ike_payload *p = ike_payload_find(in, IKE_PL_AUTH);
	struct ike_cert cert;

	who->raw_key = (struct ike_iov){ 0 };
	who->n_certs = who->n_ocsp = who->other_cert = 0;
	for (unsigned int i = 0; i < in->n; i++) {
		if (in->p[i].type == IKE_PL_CERT && !ike_cert_parse(&in->p[i], &cert))
			note_cert(who, &cert);
	}
	return p && !ike_auth_parse(p, &who->auth);
}

void x_proof_explain_id(struct ike_core *core, struct ike_peer *p, const struct ike_sa *sa,
			const struct ike_id *id, const struct ike_id *wanted)
{
	const char *key = wanted == p->conf->first_id ? "FirstID" : "RemoteID";
	char got[IKE_MAX_ID + 16], want[IKE_MAX_ID + 16];

	ike_id_print(got, sizeof(got), id);
	ike_id_print(want, sizeof(want), wanted);
	report_error(
		core, p, sa,
		"peer identifies as '%s', but %s= expects '%s': set %s=%s in [Peer], or the peer's own identity to the latter",
		got, key, want, key, got);
}

void x_proof_explain_own(struct ike_core *core, struct ike_peer *p, const struct ike_sa *sa,
			 const char *why)
{
	bool proven = sa->initiator || !p || !ike_auth_is_user(&p->conf->remote_auth);

	if (proven)
		report_error(core, p, sa, "could not prove to the peer who we are: %s", why);
	else if (admit_reply_to(core, sa)) /* or our log could be filled at will */
		report_hint(core, p, sa, &sa->remote, "could not prove to the peer who we are: %s",
			    why);
}

void x_proof_explain_key(struct ike_core *core, struct ike_peer *p, const struct ike_sa *sa,
			 const struct x_claim *who, bool unknown)
{
	const struct x_method *method =
		x_proof_method(p ? p->conf->remote_auth.method : IKE_METHOD_PSK);
	char id[IKE_MAX_ID + 16];

	if (p && who->eap &&
	    ike_auth_is_user(&p->conf->remote_auth)) /* it may be its second round */
		method = &x_method_eap;
	if (method_of(who) == method) {
		method->explain(core, p, sa, who, unknown);
		return;
	}
	report_hint(
		core, p, sa, &sa->remote,
		"peer '%s' proves itself with authentication method %u, not %s: set its side to %s",
		ike_id_print(id, sizeof(id), &who->id), who->auth.method, method->name,
		method->remedy);
}
