// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The AUTH payload with pre-shared keys (RFC 7296 2.15): what each end signs, and what to tell the
 * user about a peer whose proof or name is not the expected one.
 */
#include "ike/exch/layer_exchange.h"

/* What one end signs: its IKE_SA_INIT message, the other's nonce, its ID with its SK_p. */
struct signed_octets {
	struct ike_iov message, nonce, id;
	const uint8_t *sk_p;
};

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
		.sk_p = initiator ? sa->keys.pi : sa->keys.pr,
	};
}

/* Begin @job, complete but for what is signed: the octets of one end, whose ID is @o->id. */
static bool begin_job(struct ike_core *core, struct ike_sa *sa, const struct x_msg *m,
		      struct ike_job *job, const struct signed_octets *o, job_done_fn done,
		      void *state)
{
	uint8_t maced_id[IKE_MAX_PRF];
	size_t len = ike_prf_len(sa->keys.suite.prf);
	bool ok;

	job->prf = sa->keys.suite.prf;
	job->octets[0] = o->message;
	job->octets[1] = o->nonce;
	job->octets[2] = (struct ike_iov){ maced_id, len };
	ok = len && !ike_prf(job->prf, o->sk_p, len, &o->id, 1, maced_id) &&
	     job_begin(core, sa, m, job, done, state);
	ike_wipe(maced_id, sizeof(maced_id));
	return ok;
}

bool x_proof_sign(struct ike_core *core, struct ike_sa *sa, const struct x_msg *m,
		  const struct ike_peer *p, const struct ike_id *peer, job_done_fn done,
		  void *state)
{
	/* Our ID payload's body: type, three reserved octets, data (3.5). */
	uint8_t body[4 + IKE_MAX_ID] = { sa->local_id.type };
	char tunnel[1][IKE_JOB_NAME];
	struct ike_job job = {
		.kind = IKE_JOB_PSK_SIGN, .n_tunnels = 1, .tunnels = tunnel, .peer = peer
	};
	struct signed_octets o;

	memcpy(tunnel[0], p->conf->name, sizeof(tunnel[0]));
	memcpy(body + 4, sa->local_id.data, sa->local_id.len);
	o = octets_of(sa, sa->initiator, (struct ike_iov){ body, 4u + sa->local_id.len });
	return begin_job(core, sa, m, &job, &o, done, state);
}

void x_proof_build(struct ike_builder *b, const struct ike_sa *sa, const struct ike_job_result *r)
{
	ike_build_auth(b, IKE_AUTH_PSK, r->auth, ike_prf_len(sa->keys.suite.prf));
}

bool x_proof_verify(struct ike_core *core, struct ike_sa *sa, const struct x_msg *m,
		    const struct x_claim *who, const struct x_candidates *c, job_done_fn done,
		    void *state)
{
	struct signed_octets o = octets_of(sa, !sa->initiator, who->body);
	struct ike_job job = {
		.kind = IKE_JOB_PSK_VERIFY,
		.n_tunnels = c->n,
		.tunnels = c->name,
		.peer = &who->id,
		.auth = { who->auth.data, who->auth.len },
	};

	return begin_job(core, sa, m, &job, &o, done, state);
}

bool x_proof_find_id(const struct ike_payloads *in, uint8_t type, struct x_claim *who)
{
	const struct ike_payload *p = ike_payload_find(in, type);

	if (!p || ike_id_parse(p, &who->id))
		return false;
	who->body = (struct ike_iov){ p->body, p->len };
	return true;
}

bool x_proof_find_auth(const struct ike_payloads *in, struct ike_auth *auth)
{
	const struct ike_payload *p = ike_payload_find(in, IKE_PL_AUTH);

	return p && !ike_auth_parse(p, auth);
}

void x_proof_explain_id(struct ike_core *core, struct ike_peer *p, const struct ike_sa *sa,
			const struct ike_id *id)
{
	char got[IKE_MAX_ID + 16], want[IKE_MAX_ID + 16];

	ike_id_print(got, sizeof(got), id);
	ike_id_print(want, sizeof(want), &p->conf->remote_id);
	report_error(
		core, p, sa,
		"peer identifies as '%s', but RemoteID= expects '%s': set RemoteID=%s in [Peer], or the peer's own identity to the latter",
		got, want, got);
}

void x_proof_explain_key(struct ike_core *core, struct ike_peer *p, const struct ike_sa *sa,
			 const struct x_claim *who, bool unknown)
{
	char id[IKE_MAX_ID + 16];

	ike_id_print(id, sizeof(id), &who->id);
	if (who->auth.method != IKE_AUTH_PSK)
		report_hint(
			core, p, sa, &sa->remote,
			"peer '%s' proves itself with authentication method %u, not with a pre-shared key: set its side to PSK",
			id, who->auth.method);
	else if (unknown)
		report_hint(
			core, p, sa, &sa->remote,
			"there is no key for '%s': add [Client %s] with its PSK=, or a line for it to the file of Secrets=, and run esptun reload",
			id, id);
	else if (p && p->conf->clients > 1)
		report_hint(
			core, p, sa, &sa->remote,
			"'%s' does not hold the key we have for it: set the same at its end and in [Client %s], the file of Secrets= or [Peer]",
			id, id);
	else
		report_hint(
			core, p, sa, &sa->remote,
			"peer '%s' does not hold our pre-shared key: set the same PSK= at both ends",
			id);
}
