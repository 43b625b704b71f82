// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The method "pre-shared key" of IKE_AUTH (RFC 7296 2.15). The keys process has the keys: it makes our
 * AUTH value, and tries which tunnels' keys the peer's is made with.
 */
#include "ike/exch/layer_exchange.h"

static enum x_verdict sign_by_psk(struct ike_core *core, struct ike_sa *sa, const struct x_msg *m,
				  struct ike_peer *p, struct ike_job *job, job_done_fn done,
				  void *state)
{
	(void)p;
	job->kind = IKE_JOB_PSK_SIGN;
	return job_begin(core, sa, m, job, done, state) ? X_WAIT : X_DROP;
}

static void build_psk_auth(struct ike_builder *b, const struct ike_sa *sa, const struct ike_peer *p,
			   struct ike_iov value)
{
	(void)sa;
	(void)p;
	ike_build_auth(b, IKE_AUTH_PSK, value.base, value.len);
}

static size_t give_psk_data(const struct ike_sa *sa, struct ike_iov value, uint8_t *out)
{
	(void)sa;
	memcpy(out, value.base, value.len);
	return value.len;
}

static enum x_verdict verify_psk(struct ike_core *core, struct ike_sa *sa, struct x_msg *m,
				 const struct x_claim *who, const struct x_candidates *c,
				 struct ike_job *job, job_done_fn done, void *state)
{
	job->kind = IKE_JOB_PSK_VERIFY;
	job->n_tunnels = c->n;
	job->tunnels = c->name;
	job->peer = &who->id;
	job->auth = (struct ike_iov){ who->auth.data, who->auth.len };
	return job_begin(core, sa, m, job, done, state) ? X_WAIT : X_DROP;
}

static void explain_psk(struct ike_core *core, struct ike_peer *p, const struct ike_sa *sa,
			const struct x_claim *who, bool unknown)
{
	char id[IKE_MAX_ID + 16];

	ike_id_print(id, sizeof(id), &who->id);
	if (unknown)
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

const struct x_method x_method_psk = {
	.name = "with a pre-shared key",
	.remedy = "PSK",
	.compare = "PSK=",
	.sign = sign_by_psk,
	.build = build_psk_auth,
	.data = give_psk_data,
	.verify = verify_psk,
	.explain = explain_psk,
};
