// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * EAP in IKE_AUTH (RFC 7296 2.16): the rounds between the first messages, in which the responder proves who it is by a
 * signature, and the last ones, in which both prove that they have the key which EAP made; and the method
 * that makes these last AUTH payloads.
 *
 * x_auth_initiator.c and x_auth_responder.c have the first and the last messages. Whatever is wrong in between ends the IKE SA at both ends: nothing
 * is established before, and the responder counts it as half-open until then. What EAP says is eap.c's to judge; here
 * each message has to be one EAP payload, and what a method asks of the keys process is a job.
 *
 * Where both ends are configured for it, the responder leaves its signature out (RFC 5998): its first message has who it says it is,
 * and EAP, by a method that proves both ends, as EAP-TLS alone does here. Else EAP_ONLY_AUTHENTICATION is ignored, and a responder that
 * leaves AUTH out is refused.
 */
#include "ike/exch/layer_exchange.h"

#include <errno.h>
#include <stdlib.h>

#include "ike/auth/psk.h"

enum { EAP_TLS_COST = 500 }; /* microseconds of a handshake, beside what our signature takes */

/* ---- the method "EAP" of AUTH payloads --------------------------------------------------------- */

/*
 * Without a key of EAP's method it is that which the end has for its ID payload (2.16): SK_pi or SK_pr. It is
 * @initiator's AUTH.
 */
static struct ike_iov key_of(const struct ike_sa *sa, bool initiator)
{
	const struct eap *run = &sa->setup->eap->run;

	if (run->msk_len)
		return (struct ike_iov){ run->msk, run->msk_len };
	return (struct ike_iov){ x_proof_sk_p(sa, initiator), ike_prf_len(sa->keys.suite.prf) };
}

static bool make_value(const struct ike_sa *sa, const struct ike_job *job, bool initiator,
		       uint8_t out[IKE_MAX_PRF])
{
	struct ike_iov key = key_of(sa, initiator);

	return !ike_psk_sign(job->prf, key.base, key.len, job->octets, IKE_JOB_OCTETS, out);
}

static enum x_verdict sign_by_eap(struct ike_core *core, struct ike_sa *sa, const struct x_msg *m,
				  struct ike_peer *p, struct ike_job *job, job_done_fn done,
				  void *state)
{
	struct ike_job_result r = { .auth_len = (uint32_t)ike_prf_len(job->prf) };
	struct x_msg copy = { 0 }; /* who waits for a job gets the message at hand to write to */
	enum x_verdict verdict;

	(void)p;
	if (!ikesa_eap_is_proven(sa) || !make_value(sa, job, sa->initiator, r.auth))
		r.error = -EINVAL;
	if (m)
		copy = *m;
	verdict = done(core, sa, m ? &copy : NULL, state, &r);
	ike_wipe(&r, sizeof(r));
	return verdict;
}

static void build_eap_auth(struct ike_builder *b, const struct ike_sa *sa, const struct ike_peer *p,
			   struct ike_iov value)
{
	(void)sa;
	(void)p;
	ike_build_auth(b, IKE_AUTH_PSK, value.base, value.len);
}

static size_t eap_auth_data(const struct ike_sa *sa, struct ike_iov value, uint8_t *out)
{
	(void)sa;
	memcpy(out, value.base, value.len);
	return value.len;
}

static enum x_verdict verify_eap(struct ike_core *core, struct ike_sa *sa, struct x_msg *m,
				 const struct x_claim *who, const struct x_candidates *c,
				 struct ike_job *job, job_done_fn done, void *state)
{
	uint8_t expected[IKE_MAX_PRF];
	struct ike_job_result r = { 0 };

	(void)c; /* the tunnel was chosen before EAP began */
	r.verdict[0] = who->auth.method == IKE_AUTH_PSK &&
				       make_value(sa, job, !sa->initiator, expected) &&
				       who->auth.len == ike_prf_len(job->prf) &&
				       ike_equal(expected, who->auth.data, who->auth.len)
			       ? IKE_JOB_PROVEN
			       : IKE_JOB_REFUTED;
	ike_wipe(expected, sizeof(expected));
	return done(core, sa, m, state, &r);
}

static void explain_eap(struct ike_core *core, struct ike_peer *p, const struct ike_sa *sa,
			const struct x_claim *who, bool unknown)
{
	char id[IKE_MAX_ID + 16];

	(void)unknown;
	report_hint(
		core, p, sa, &sa->remote,
		"peer '%s' went through EAP, but its AUTH payload is not made with the key of that: it is not the one that EAP was done with, or makes another key of it (see its log)",
		ike_id_print(id, sizeof(id), &who->id));
}

const struct x_method x_method_eap = {
	.name = "with EAP",
	.remedy = "EAP (a user's name and password)",
	.compare = "EAP= and Password= (or Cert=)",
	.sign = sign_by_eap,
	.build = build_eap_auth,
	.data = eap_auth_data,
	.verify = verify_eap,
	.explain = explain_eap,
};

/* ---- messages ----------------------------------------------------------------------------------- */

/* The one payload of @type in a message that has no other part of IKE_AUTH; NULL: it is missing, repeated, or not alone. */
static const struct ike_payload *find_only(const struct ike_payloads *in, uint8_t type)
{
	static const uint8_t parts[] = { IKE_PL_EAP, IKE_PL_AUTH, IKE_PL_SA,  IKE_PL_IDI,
					 IKE_PL_TSI, IKE_PL_TSR,  IKE_PL_CERT };
	const struct ike_payload *found = NULL;

	for (unsigned int i = 0; i < in->n; i++) {
		if (!memchr(parts, in->p[i].type, sizeof(parts)))
			continue;
		if (in->p[i].type != type || found)
			return NULL;
		found = &in->p[i];
	}
	return found;
}

/* ---- responder ---------------------------------------------------------------------------------- */

/*
 * The tunnel that was chosen; NULL: it is not for this peer any more, which is told. After any change the peer begins
 * anew, as its password may be another one, or none; what it proved cannot be judged again, as a PSK's proof is.
 */
static struct ike_peer *chosen_tunnel(struct ike_core *core, const struct ike_sa *sa)
{
	const struct ikesa_eap *e = sa->setup->eap;
	struct ike_peer *p = e->changes == core->changes ? lookup_name(core, e->tunnel) : NULL;
	struct x_claim who = { 0 };

	if (p && x_match_read(sa, &e->first.in, &who) && x_match_fits(p, sa, &who))
		return p;
	if (admit_reply_to(core, sa)) /* or our log could be filled at will */
		report_line(
			core, IKE_LOG_INFO, NULL, sa,
			"in the middle of EAP for the tunnel %s the configuration was changed, or the peer came to another address of ours: it is to begin anew",
			e->tunnel);
	return NULL;
}

/* Who the peer says that it is, as a user, or by IDi until it said so. */
static void print_peer(char *buf, size_t size, const struct ike_sa *sa)
{
	const struct ikesa_eap *e = sa->setup->eap;
	struct x_claim who = { 0 };

	if (!eap_peer(&e->run, &who.id))
		x_proof_find_id(&e->first.in, IKE_PL_IDI, &who);
	ike_id_print(buf, size, &who.id);
}

/* What is to be told of @step, of a peer that proved nothing. */
static void tell_of_peer(struct ike_core *core, struct ike_sa *sa, struct ike_peer *p,
			 const struct eap_step *step)
{
	char id[IKE_MAX_ID + 16];

	if (!*step->why)
		return;
	admit_work(core, ADMIT_WORK_AUTH + (step->wrong_secret ? ADMIT_WORK_KEY : 0));
	if (!admit_reply_to(core, sa)) /* or our log could be filled at will */
		return;
	print_peer(id, sizeof(id), sa);
	report_hint(core, p, sa, &sa->remote, "'%s': %s", id, step->why);
}

static enum x_verdict serve_judged(struct ike_core *core, struct ike_sa *sa, struct x_msg *m,
				   void *state, const struct ike_job_result *r);
static enum x_verdict serve_fetched(struct ike_core *core, struct ike_sa *sa, struct x_msg *m,
				    void *state, const struct ike_job_result *r);

/* The peer waits for what a job says about the user. */
static enum x_verdict begin_job(struct ike_core *core, struct ike_sa *sa, const struct x_msg *m,
				const struct ike_peer *p, const struct ike_id *id,
				struct eap_step *step, job_done_fn done)
{
	struct ike_job *job = &step->job;
	char tunnel[1][IKE_JOB_NAME];
	uint8_t *certs = NULL;
	bool begun = true;

	memcpy(tunnel[0], p->conf->name, sizeof(tunnel[0]));
	job->n_tunnels = 1;
	job->tunnels = tunnel;
	job->peer = id;
	job->prf = sa->keys.suite.prf;
	if (step->own_certs) {
		certs = ike_cred_copy(&p->conf->creds, IKE_CRED_OWN_CERT, &job->octets[2].len);
		job->octets[2].base = certs;
		begun = certs;
	}
	begun = begun && job_begin(core, sa, m, job, done, NULL);
	free(certs);
	return begun ? X_WAIT : X_DROP;
}

/* The peer is to send its next message, and went on with this one: others go before it if places are scarce. */
static void await_peer(struct ike_core *core, struct ike_sa *sa)
{
	uint64_t until = core->now + IKESA_HALF_OPEN_MS;

	sa->expire_at = until < sa->setup->eap->until ? until : sa->setup->eap->until;
	admit_progress(core, sa);
}

/* Too many passwords were wrong: this one is not looked at, be it right or wrong. */
static bool is_barred(struct ike_core *core, struct ike_sa *sa, struct ike_peer *p,
		      const struct ike_id *id)
{
	struct eap_step step = { 0 };
	unsigned int seconds;
	const char *where = guess_bars(core, sa, id, &seconds);

	if (!where)
		return false;
	eap_tell(
		&step,
		"too many wrong passwords %s: this one was not looked at, and none is for %u s; set the right one at its end",
		where, seconds);
	tell_of_peer(core, sa, p, &step);
	return true;
}

/* A handshake of TLS, which anybody may begin, waits for better times, and is metered. False: it has to wait. */
static bool admit_handshake(struct ike_core *core, struct ike_sa *sa, const struct ike_peer *p)
{
	unsigned int us = x_signature_cost(sa, p) + EAP_TLS_COST;

	if (!admit_has_time(core, sa->admit_kind))
		return false; /* a copy comes */
	admit_work(core, us);
	sa->setup->work += us;
	return true;
}

/* The peer, which says that it is @id (NULL: nobody yet), waits for a job of @step. */
static enum x_verdict serve_job(struct ike_core *core, struct ike_sa *sa, struct x_msg *m,
				struct ike_peer *p, struct eap_step *step, const struct ike_id *id)
{
	struct x_claim who = { 0 };

	if (step->job.kind == IKE_JOB_TLS) {
		x_proof_find_id(&sa->setup->eap->first.in, IKE_PL_IDI, &who);
		if (step->own_certs && !admit_handshake(core, sa, p))
			return X_DROP;
		return begin_job(core, sa, m, p, id ? id : &who.id, step, serve_judged);
	}
	if (!id) {
		eap_tell(
			step,
			"peer gave no name in EAP-Identity, or a domain alone, and the RADIUS server is asked for a user: set the user's name at its end");
		tell_of_peer(core, sa, p, step);
		return x_refuse_auth(m);
	}
	if (step->tries_password && is_barred(core, sa, p, id))
		return x_refuse_auth(m);
	return begin_job(core, sa, m, p, id, step, serve_judged);
}

/* The answer to the peer's request: what EAP came to. */
static enum x_verdict answer_peer(struct ike_core *core, struct ike_sa *sa, struct x_msg *m,
				  struct ike_peer *p, struct eap_step *step,
				  enum eap_verdict verdict)
{
	struct ikesa_eap *e = sa->setup->eap;
	enum x_verdict fetch = X_DONE;
	struct ike_id id;
	bool named;

	if (verdict == EAP_JUDGE)
		fetch = x_eap_judge(core, sa, m, p, step, serve_fetched, &verdict);
	if (fetch != X_DONE)
		return fetch;
	tell_of_peer(core, sa, p, step);
	named = eap_peer(&e->run, &id);
	if (named && step->wrong_secret)
		guess_wrong(core, sa, &id);
	if (named && verdict == EAP_DONE)
		guess_right(core, sa, &id);
	if (verdict == EAP_WAIT)
		return serve_job(core, sa, m, p, step, named ? &id : NULL);
	if (step->out_len)
		ike_build_payload(m->reply, IKE_PL_EAP, step->out, step->out_len);
	e->proven = verdict == EAP_DONE;
	if (verdict == EAP_FAIL)
		return X_CLOSE;
	await_peer(core, sa);
	return X_DONE;
}

/* Something was fetched, or was not, that the certificates are judged by. */
static enum x_verdict serve_fetched(struct ike_core *core, struct ike_sa *sa, struct x_msg *m,
				    void *state, const struct ike_job_result *r)
{
	struct eap_step step = { .rng = &core->env.rng };
	struct ike_peer *p = chosen_tunnel(core, sa);
	enum x_verdict verdict;

	(void)state;
	(void)r;
	if (!p)
		return x_refuse_auth(m);
	verdict = answer_peer(core, sa, m, p, &step, EAP_JUDGE);
	ike_wipe(&step, sizeof(step));
	return verdict;
}

/* A job that got lost is begun again by a copy of the request. */
static bool is_lost(const struct ike_job_result *r)
{
	return r->error && r->error != -EINVAL && r->error != -ENOTSUP && r->error != -ENOENT &&
	       r->error != -ESTALE;
}

static enum x_verdict serve_judged(struct ike_core *core, struct ike_sa *sa, struct x_msg *m,
				   void *state, const struct ike_job_result *r)
{
	struct eap_step step = { .rng = &core->env.rng };
	struct ike_peer *p = chosen_tunnel(core, sa);
	enum x_verdict verdict;

	(void)state;
	if (!p)
		return x_refuse_auth(m);
	if (is_lost(r))
		return X_DROP;
	verdict = answer_peer(core, sa, m, p, &step, eap_job_done(&sa->setup->eap->run, &step, r));
	ike_wipe(&step, sizeof(step));
	return verdict;
}

/* Keep what comes after EAP, or between two rounds, needs of the first request @m. NULL without memory. */
static struct ikesa_eap *keep_first(struct ike_core *core, struct ike_sa *sa, const struct x_msg *m,
				    const struct ike_peer *p)
{
	struct ikesa_eap *e = ikesa_eap_new(sa);

	/* The message waited for our own proof, or is at hand, as none is wanted yet. */
	const uint8_t *plain = m->wait ? m->wait->kept.plain : core->plain;
	size_t len = m->wait ? m->wait->kept.len : core->plain_len;

	if (!e || ikesa_keep(&e->first, plain, len, m->in)) {
		ikesa_eap_free(sa);
		return NULL;
	}
	memcpy(e->tunnel, p->conf->name, sizeof(e->tunnel));
	e->changes = core->changes;
	e->until = core->now + IKESA_EAP_MS;
	await_peer(core, sa);
	return e;
}

/* Append the first request of EAP. @id: the body of IDi, which the peer's AUTH is to cover. */
static enum x_verdict ask_name(struct ike_core *core, struct ike_sa *sa, struct x_msg *m,
			       const struct ike_peer *p, struct ike_iov id, bool only)
{
	struct eap_step step = { .rng = &core->env.rng };
	struct ikesa_eap *e = sa->setup->eap;

	if (ikesa_bytes_set(&e->peer_id, id.base, id.len))
		return X_DROP;
	e->awaited = false;
	await_peer(core, sa);
	eap_begin_server(&e->run, (uint8_t)p->conf->eap_methods, &step);
	e->only = only;
	if (only)
		eap_go_alone(&e->run);
	ike_build_payload(m->reply, IKE_PL_EAP, step.out, step.out_len);
	return X_DONE;
}

bool x_eap_is_only(const struct ike_peer *p, const struct x_claim *who)
{
	return who->eap_only && p->conf->local_auth.eap_only;
}

enum x_verdict x_eap_begin(struct ike_core *core, struct ike_sa *sa, struct x_msg *m,
			   const struct ike_peer *p, const struct x_claim *who)
{
	if (keep_first(core, sa, m, p) &&
	    ask_name(core, sa, m, p, who->body, x_eap_is_only(p, who)) == X_DONE)
		return X_DONE;
	ikesa_eap_free(sa);
	return X_DROP;
}

enum x_verdict x_eap_await(struct ike_core *core, struct ike_sa *sa, struct x_msg *m,
			   const struct ike_peer *p, const struct x_claim *who)
{
	struct ikesa_eap *e = keep_first(core, sa, m, p);

	if (!e || ikesa_set_first_id(sa, &who->id)) {
		ikesa_eap_free(sa);
		return X_DROP;
	}
	e->awaited = true;
	return X_DONE;
}

/* The request that the peer's second round begins with: IDi, and no AUTH payload, for that is made with EAP's key. */
static enum x_verdict begin_second(struct ike_core *core, struct ike_sa *sa, struct x_msg *m,
				   struct ike_peer *p)
{
	const struct ike_payload *idi = find_only(m->in, IKE_PL_IDI);
	struct eap_step step = { .rng = &core->env.rng };
	struct ike_id id;

	if (idi && !ike_id_parse(idi, &id))
		return ask_name(core, sa, m, p, (struct ike_iov){ idi->body, idi->len }, false);
	eap_tell(
		&step,
		"its second round of authentication does not begin with IDi alone, as EAP does, so it is refused: set that round at its side to EAP");
	tell_of_peer(core, sa, p, &step);
	return x_refuse_auth(m);
}

enum x_verdict x_eap_request(struct ike_core *core, struct ike_sa *sa, struct x_msg *m)
{
	const struct ike_payload *eap = find_only(m->in, IKE_PL_EAP);
	struct eap_step step = { .rng = &core->env.rng };
	struct ike_peer *p = chosen_tunnel(core, sa);
	enum x_verdict verdict;

	admit_work(core, ADMIT_WORK_REQUEST);
	if (!p)
		return x_refuse_auth(m);
	if (sa->setup->eap->awaited)
		return begin_second(core, sa, m, p);
	if (!eap) {
		eap_tell(
			&step,
			"in the middle of EAP it sent a message that is not one EAP payload, so it is refused: see its log");
		tell_of_peer(core, sa, p, &step);
		return x_refuse(m, IKE_N_INVALID_SYNTAX);
	}
	verdict = answer_peer(core, sa, m, p, &step,
			      eap_take(&sa->setup->eap->run, &step, eap->body, eap->len));
	ike_wipe(&step, sizeof(step));
	return verdict;
}

struct ike_peer *x_eap_last(struct ike_core *core, struct ike_sa *sa, const struct x_msg *m,
			    struct x_claim *who)
{
	const struct ikesa_eap *e = sa->setup->eap;
	struct ike_peer *p = chosen_tunnel(core, sa);
	struct eap_step step = { .rng = &core->env.rng };
	struct ike_notify another;
	char rounds[32];

	if (!p)
		return NULL;
	*who = (struct x_claim){ .eap = true, .body = { e->peer_id.data, e->peer_id.len } };
	if (!eap_peer(&e->run, &who->id))
		return NULL;
	if (ike_notify_find(m->in, IKE_N_ANOTHER_AUTH_FOLLOWS, &another))
		eap_tell(
			&step,
			"after EAP it announces another round of authentication, but RemoteAuth= has none: set its side to %s",
			ike_auth_print(rounds, sizeof(rounds), &p->conf->remote_auth));
	else if (find_only(m->in, IKE_PL_AUTH) && x_proof_find_auth(m->in, who))
		x_ppk_read(sa, m->in, who);
	else
		eap_tell(
			&step,
			"after EAP it sent a message without one AUTH payload, so it is refused: see its log");
	if (!*step.why)
		return p;
	tell_of_peer(core, sa, p, &step);
	return NULL;
}

/* ---- initiator ---------------------------------------------------------------------------------- */

bool x_eap_start(struct ike_sa *sa, const struct ike_peer *p)
{
	struct ikesa_eap *e = ikesa_eap_new(sa);
	struct ike_iov name = { 0 };

	return e && ike_cred_find(&p->conf->creds, IKE_CRED_EAP_NAME, &name) &&
	       eap_begin_client(&e->run, (uint8_t)p->conf->eap_methods, name.base, name.len);
}

static enum exchange_build build_round(struct ike_core *core, struct ike_sa *sa, struct exchange *x,
				       struct ike_builder *b)
{
	const struct ikesa_bytes *packet = &sa->setup->eap->packet;

	(void)core;
	(void)x;
	ike_build_payload(b, IKE_PL_EAP, packet->data, packet->len);
	return EXCHANGE_SEND;
}

static enum x_verdict take_packet(struct ike_core *core, struct ike_sa *sa, struct x_msg *m);

static void take_round(struct ike_core *core, struct ike_sa *sa, struct exchange *x,
		       struct x_msg *m)
{
	uint16_t error = ike_notify_first_error(m->in);
	const char *name = ike_notify_name(error);

	(void)x;
	if (find_only(m->in, IKE_PL_EAP)) {
		take_packet(core, sa, m);
		return;
	}
	if (error && !sa->setup->eap->run.rejected && !sa->setup->eap->run.told)
		report_error(
			core, sa->peer, sa,
			"peer ended EAP (%s, %u): compare %s with its list of users, and see its log",
			name ? name : "unknown error", error, eap_compare(&sa->setup->eap->run));
	sa->setup->eap->refused = error && eap_asks_password(&sa->setup->eap->run);
	if (!error)
		report_error(
			core, sa->peer, sa,
			"peer answered in the middle of EAP with a message that is not one EAP payload: see its log");
	sa_attempt_failed(core, sa);
}

static bool lose_round(struct ike_core *core, struct ike_sa *sa, struct exchange *x)
{
	char ep[64];

	(void)x;
	report_silence(core, sa->peer, sa,
		       "no answer from %s in the middle of EAP: check the path, and the peer's log",
		       ike_endpoint_print(ep, sizeof(ep), &sa->remote));
	sa_attempt_failed(core, sa);
	return true;
}

static const struct exchange_ops round_ops = {
	.name = "IKE_AUTH",
	.exchange = IKE_AUTH,
	.build = build_round,
	.response = take_round,
	.lost = lose_round,
};

static enum x_verdict answer_judged(struct ike_core *core, struct ike_sa *sa, struct x_msg *m,
				    void *state, const struct ike_job_result *r);
static enum x_verdict answer_fetched(struct ike_core *core, struct ike_sa *sa, struct x_msg *m,
				     void *state, const struct ike_job_result *r);

/* Go on with what EAP came to; X_WAIT: with a job's result. */
static enum x_verdict go_on(struct ike_core *core, struct ike_sa *sa, struct x_msg *m,
			    struct eap_step *step, enum eap_verdict verdict)
{
	struct ikesa_eap *e = sa->setup->eap;

	enum x_verdict fetch = X_DONE;

	if (verdict == EAP_JUDGE)
		fetch = x_eap_judge(core, sa, m, sa->peer, step, answer_fetched, &verdict);
	if (fetch == X_WAIT)
		return X_WAIT;
	if (fetch == X_DROP)
		report_error(core, sa->peer, sa, "%s", X_NO_JOB);
	if (*step->why)
		report_error(core, sa->peer, sa, "%s", step->why);
	switch (verdict) {
	case EAP_SEND:
		if (!ikesa_bytes_set(&e->packet, step->out, step->out_len) &&
		    request_start(core, sa, exchange_new(&round_ops, 0)))
			return X_DONE;
		report_error(core, sa->peer, sa, "no memory for a request of EAP");
		break;
	case EAP_WAIT:
		if (begin_job(core, sa, m, sa->peer, &sa->remote_id, step, answer_judged) == X_WAIT)
			return X_WAIT;
		report_error(core, sa->peer, sa, "%s", X_NO_JOB);
		break;
	case EAP_DONE:
		e->proven = true;
		e->go_on(core, sa);
		return X_DONE;
	case EAP_JUDGE:
	case EAP_FAIL: break;
	}
	sa_attempt_failed(core, sa);
	return X_DONE;
}

static enum x_verdict answer_fetched(struct ike_core *core, struct ike_sa *sa, struct x_msg *m,
				     void *state, const struct ike_job_result *r)
{
	struct eap_step step = { .rng = &core->env.rng };
	enum x_verdict verdict = go_on(core, sa, m, &step, EAP_JUDGE);

	(void)state;
	(void)r;
	ike_wipe(&step, sizeof(step));
	return verdict;
}

static enum x_verdict answer_judged(struct ike_core *core, struct ike_sa *sa, struct x_msg *m,
				    void *state, const struct ike_job_result *r)
{
	struct eap_step step = { .rng = &core->env.rng };
	enum x_verdict verdict;

	(void)state;
	verdict = go_on(core, sa, m, &step, eap_job_done(&sa->setup->eap->run, &step, r));
	ike_wipe(&step, sizeof(step));
	return verdict;
}

static enum x_verdict take_packet(struct ike_core *core, struct ike_sa *sa, struct x_msg *m)
{
	const struct ike_payload *eap = ike_payload_find(m->in, IKE_PL_EAP);
	struct eap_step step = { .rng = &core->env.rng };
	enum x_verdict verdict = go_on(core, sa, m, &step,
				       eap_take(&sa->setup->eap->run, &step, eap->body, eap->len));

	ike_wipe(&step, sizeof(step));
	return verdict;
}

static enum exchange_build build_second(struct ike_core *core, struct ike_sa *sa,
					struct exchange *x, struct ike_builder *b)
{
	(void)core;
	(void)x;
	ike_build_id(b, IKE_PL_IDI, &sa->local_id);
	return EXCHANGE_SEND;
}

static void take_second(struct ike_core *core, struct ike_sa *sa, struct exchange *x,
			struct x_msg *m)
{
	uint16_t error = ike_notify_first_error(m->in);
	const char *name = ike_notify_name(error);

	(void)x;
	if (find_only(m->in, IKE_PL_EAP)) {
		take_packet(core, sa, m);
		return;
	}
	report_error(
		core, sa->peer, sa,
		"peer took our first proof, and does not ask us for EAP in the second round (%s, %u): set its second round to EAP (strongSwan: remote-2 with auth = eap-mschapv2), or compare EAP= with its list of users",
		name ? name : "no error", error);
	sa_attempt_failed(core, sa);
}

static const struct exchange_ops second_ops = {
	.name = "IKE_AUTH",
	.exchange = IKE_AUTH,
	.build = build_second,
	.response = take_second,
	.lost = lose_round,
};

void x_eap_second(struct ike_core *core, struct ike_sa *sa, const struct x_claim *who,
		  x_eap_proven_fn proven)
{
	struct ikesa_eap *e = x_eap_start(sa, sa->peer) ? sa->setup->eap : NULL;

	if (e && !ikesa_bytes_set(&e->peer_id, who->body.base, who->body.len) &&
	    eap_identity(e->run.name, e->run.name_len, &sa->local_id)) {
		e->go_on = proven;
		if (request_start(core, sa, exchange_new(&second_ops, 0)))
			return;
	}
	report_error(core, sa->peer, sa, "no memory for our second round of authentication");
	sa_attempt_failed(core, sa);
}

enum x_verdict x_eap_answer(struct ike_core *core, struct ike_sa *sa, struct x_msg *m,
			    const struct x_claim *who, x_eap_proven_fn proven)
{
	struct ikesa_eap *e = sa->setup->eap;
	unsigned int n = 0;

	for (unsigned int i = 0; i < m->in->n; i++)
		n += m->in->p[i].type == IKE_PL_EAP;
	e->go_on = proven;
	e->only = !ike_payload_find(m->in, IKE_PL_AUTH);
	if (e->only)
		eap_go_alone(&e->run);
	if (n == 1 && !ikesa_bytes_set(&e->peer_id, who->body.base, who->body.len))
		return take_packet(core, sa, m);
	report_error(
		core, sa->peer, sa,
		"peer proved who it is, and does not ask us for EAP: set its side to EAP, or LocalAuth= here to what it wants");
	sa_attempt_failed(core, sa);
	return X_DONE;
}
