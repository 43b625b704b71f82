// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Post-quantum preshared keys (RFC 8784): both ends say in IKE_SA_INIT that they use them, the initiator names
 * one in IKE_AUTH, and both mix SK_d, SK_pi and SK_pr with it, so that AUTH proves that the other end has it,
 * and all keys that follow depend on it. The PPK itself has the keys process (IKE_JOB_PPK).
 *
 * USE_PPK is in messages that AUTH covers, so whoever takes it out of one makes AUTH fail. A tunnel with
 * PPKRequired has no IKE SA without its PPK. Without it the initiator adds the AUTH value that it would have sent
 * without PPK (NO_PPK_AUTH), by which a responder that does not know the PPK_ID goes on.
 *
 * With EAP all of that is in the message with the initiator's AUTH payload, which is its last one: what the responder proved
 * before is made without PPK. Of two rounds (RFC 4739) it is in the first one, and the keys that are mixed then make the AUTH
 * payloads of both. A tunnel whose clients have a PPK each learns by the job whether there is one of the name that
 * the peer says, for that peer.
 */
#include "ike/exch/layer_exchange.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

enum {
	PPK_ID_FIXED = 2, /* type of a PPK_ID, its first byte (RFC 8784 5.1) */
	PPK_TEXT = 4 * IKE_MAX_PPK_ID + 1,
	PPK_WORDS = PPK_TEXT + 16, /* with what stands before it in a sentence */
};

/* The PPK_ID @id of @len bytes as text; "" is that of none. */
static const char *print_id(char text[PPK_TEXT], const uint8_t *id, size_t len)
{
	size_t at = 0;

	text[0] = '\0';
	for (size_t i = 0; i < len && i < IKE_MAX_PPK_ID; i++)
		at += (size_t)snprintf(text + at, PPK_TEXT - at,
				       isgraph(id[i]) && id[i] != '\'' ? "%c" : "\\x%02x", id[i]);
	return text;
}

/* The PPK of a tunnel, as the words of a sentence. */
static const char *print_own(char text[PPK_WORDS], const struct ike_ppk_conf *ppk)
{
	char id[PPK_TEXT];

	if (ppk->of_clients)
		snprintf(text, PPK_WORDS, "the client's PPK");
	else
		snprintf(text, PPK_WORDS, "the PPK '%s'", print_id(id, ppk->id, ppk->id_len));
	return text;
}

/* What the peer names, whatever its type is. */
static const char *print_theirs(char text[PPK_TEXT], const struct x_claim *who)
{
	const uint8_t *id = who->ppk_id.base;

	return print_id(text, id + 1, who->ppk_id.len - 1);
}

/* ---- IKE_SA_INIT ------------------------------------------------------------------- */

void x_ppk_offer(struct ike_builder *b, const struct ike_sa *sa)
{
	if (sa->peer->conf->ppk)
		ike_build_notify(b, IKE_N_USE_PPK, NULL, 0);
}

bool x_ppk_agree(struct ike_core *core, struct ike_sa *sa, const struct ike_payloads *in)
{
	const struct ike_ppk_conf *ppk = sa->peer->conf->ppk;
	char own[PPK_WORDS];
	struct ike_notify n;

	sa->setup->ppk_agreed = ppk && ike_notify_find(in, IKE_N_USE_PPK, &n);
	if (!ppk || sa->setup->ppk_agreed || !ppk->required)
		return true;
	if (!sa->last_hint) /* told once per attempt */
		report_error(
			core, sa->peer, sa,
			"peer does not use PPKs, but PPKRequired = yes: configure %s at its side, or set PPKRequired = no in [Peer]",
			print_own(own, ppk));
	sa->last_hint = core->now ? core->now : 1;
	return false;
}

/* Which tunnel the peer means is not known yet. */
static bool has_ppks(struct ike_core *core)
{
	const struct ike_peer *p;

	if (core->ppks_of == core->changes + 1)
		return core->has_ppks;
	core->ppks_of = core->changes + 1;
	core->has_ppks = false;
	TAILQ_FOREACH(p, &core->peers, link)
	core->has_ppks |= p->conf->ppk != NULL;
	return core->has_ppks;
}

void x_ppk_answer(struct ike_core *core, struct ike_sa *sa, const struct ike_payloads *in)
{
	struct ike_notify n;

	sa->setup->ppk_agreed = ike_notify_find(in, IKE_N_USE_PPK, &n) && has_ppks(core);
}

/* ---- IKE_AUTH, both roles ------------------------------------------------------------ */

enum x_verdict x_ppk_mix(struct ike_core *core, struct ike_sa *sa, const struct x_msg *m,
			 const struct ike_peer *p, const struct x_claim *who, job_done_fn done,
			 void *state)
{
	const uint8_t *id = who->ppk_id.base;
	const struct ike_keys *k = &sa->keys;
	char tunnel[1][IKE_JOB_NAME];
	struct ike_job job = {
		.kind = IKE_JOB_PPK,
		.n_tunnels = 1,
		.tunnels = tunnel,
		.peer = &who->id,
		.prf = k->suite.prf,
		.octets = { { k->d, k->d_len }, { k->pi, k->d_len }, { k->pr, k->d_len } },
	};

	if (p->conf->ppk->of_clients && id)
		job.auth = (struct ike_iov){ id + 1, who->ppk_id.len - 1 };
	memcpy(tunnel[0], p->conf->name, sizeof(tunnel[0]));
	return job_begin(core, sa, m, &job, done, state) ? X_WAIT : X_DROP;
}

void x_ppk_drop(struct ike_sa *sa)
{
	if (sa->setup->ppk)
		ike_wipe(sa->setup->ppk, sizeof(*sa->setup->ppk));
	free(sa->setup->ppk);
	sa->setup->ppk = NULL;
}

int x_ppk_take(struct ike_sa *sa, const struct ike_job_result *r)
{
	size_t len = sa->keys.d_len;
	struct ppk_keys *mixed;

	x_ppk_drop(sa);
	if (r->error)
		return r->error;
	if (r->auth_len != IKE_JOB_PPK_KEYS * len)
		return -EINVAL;
	mixed = calloc(1, sizeof(*mixed));
	if (!mixed)
		return -ENOMEM;
	memcpy(mixed->d, r->auth, len);
	memcpy(mixed->pi, r->auth + len, len);
	memcpy(mixed->pr, r->auth + 2 * len, len);
	sa->setup->ppk = mixed;
	return 0;
}

void x_ppk_finish(struct ike_core *core, struct ike_sa *sa)
{
	const struct ike_ppk_conf *ppk = sa->peer->conf->ppk;
	const struct ppk_keys *mixed = sa->setup->ppk;
	char own[PPK_WORDS];

	if (mixed) {
		memcpy(sa->keys.d, mixed->d, sizeof(sa->keys.d));
		memcpy(sa->keys.pi, mixed->pi, sizeof(sa->keys.pi));
		memcpy(sa->keys.pr, mixed->pr, sizeof(sa->keys.pr));
		sa->ppk = IKE_PPK_USED;
		return;
	}
	sa->ppk = IKE_PPK_NONE;
	if (!ppk)
		return;
	sa->ppk = sa->setup->ppk_agreed ? IKE_PPK_UNKNOWN : IKE_PPK_NOT_OFFERED;
	report_line(
		core, IKE_LOG_WARN, sa->peer, sa,
		"%s is not used, as PPKRequired = no and the peer %s: its keys are not safe from quantum computers",
		print_own(own, ppk),
		sa->setup->ppk_agreed ? "does not have it" : "does not use PPKs");
}

/* ---- IKE_AUTH, initiator --------------------------------------------------------------- */

void x_ppk_name(struct ike_builder *b, const struct ike_sa *sa)
{
	const struct ike_ppk_conf *ppk = sa->peer->conf->ppk;
	uint8_t id[1 + IKE_MAX_PPK_ID] = { PPK_ID_FIXED };

	if (!sa->setup->ppk)
		return;
	memcpy(id + 1, ppk->id, ppk->id_len);
	ike_build_notify(b, IKE_N_PPK_IDENTITY, id, 1u + ppk->id_len);
	if (sa->setup->no_ppk_auth.len)
		ike_build_notify(b, IKE_N_NO_PPK_AUTH, sa->setup->no_ppk_auth.data,
				 sa->setup->no_ppk_auth.len);
}

bool x_ppk_confirmed(struct ike_core *core, struct ike_sa *sa, const struct ike_payloads *in)
{
	const struct ike_ppk_conf *ppk = sa->peer->conf->ppk;
	char own[PPK_WORDS];
	struct ike_notify n;

	if (sa->setup->ppk && ike_notify_find(in, IKE_N_PPK_IDENTITY, &n))
		return true;
	x_ppk_drop(sa);
	if (!ppk || !ppk->required)
		return true;
	report_error(
		core, sa->peer, sa,
		"peer goes on without %s, but PPKRequired = yes: configure it at its side, or set PPKRequired = no in [Peer]",
		print_own(own, ppk));
	return false;
}

const char *x_ppk_compare(const struct ike_sa *sa)
{
	return sa->setup->ppk ? "PPK=, PPKID=, " : "";
}

/* ---- IKE_AUTH, responder --------------------------------------------------------------- */

void x_ppk_read(const struct ike_sa *sa, const struct ike_payloads *in, struct x_claim *who)
{
	struct ike_notify n;

	who->ppk_id = who->no_ppk_auth = (struct ike_iov){ 0 };
	if (!sa->setup || !sa->setup->ppk_agreed)
		return;
	if (ike_notify_find(in, IKE_N_PPK_IDENTITY, &n) && n.len)
		who->ppk_id = (struct ike_iov){ n.data, n.len };
	if (who->ppk_id.base && ike_notify_find(in, IKE_N_NO_PPK_AUTH, &n) && n.len)
		who->no_ppk_auth = (struct ike_iov){ n.data, n.len };
}

/* Did the tunnel of @p turn out to have no PPK of that name for the client? */
static bool is_unknown(const struct ike_peer *p, const struct x_claim *who)
{
	for (unsigned int i = 0; i < who->n_unknown; i++) {
		if (!strcmp(who->unknown[i], p->conf->name))
			return true;
	}
	return false;
}

/* Does the peer name the PPK of @p, or one that may be that of a client? */
static bool is_named(const struct ike_peer *p, const struct x_claim *who)
{
	const struct ike_ppk_conf *ppk = p->conf->ppk;
	const uint8_t *id = who->ppk_id.base;

	if (!ppk || !id || id[0] != PPK_ID_FIXED)
		return false;
	if (ppk->of_clients)
		return who->ppk_id.len > 1 && who->ppk_id.len <= 1 + IKE_MAX_PPK_ID &&
		       !is_unknown(p, who);
	return who->ppk_id.len == 1u + ppk->id_len && !memcmp(id + 1, ppk->id, ppk->id_len);
}

bool x_ppk_may_come(const struct ike_peer *p, const struct ike_sa *sa)
{
	return sa->setup->ppk_agreed || !p->conf->ppk || !p->conf->ppk->required;
}

enum x_ppk_fit x_ppk_fit(const struct ike_peer *p, const struct ike_sa *sa,
			 const struct x_claim *who)
{
	const struct ike_ppk_conf *ppk = p->conf->ppk;

	if (is_named(p, who))
		return X_PPK_WITH;
	if ((ppk && ppk->required) || (sa->setup->ppk_agreed && !who->no_ppk_auth.base))
		return X_PPK_NOT;
	return X_PPK_WITHOUT;
}

void x_ppk_confirm(struct ike_builder *b, const struct ike_sa *sa)
{
	if (sa->setup->ppk)
		ike_build_notify(b, IKE_N_PPK_IDENTITY, NULL, 0);
}

/* The peer names another PPK than that of @p, or @p has none. */
static void explain_other(struct ike_core *core, struct ike_peer *p, const struct ike_sa *sa,
			  const struct x_claim *who, const char *id)
{
	const struct ike_ppk_conf *ppk = p->conf->ppk;
	const char *needs = ppk && ppk->required ? "PPKRequired = yes" : "it";
	char theirs[PPK_TEXT], ours[PPK_TEXT];

	print_theirs(theirs, who);
	if (!ppk)
		report_hint(
			core, p, sa, &sa->remote,
			"peer '%s' requires the PPK '%s', and there is none here: set PPKID= and PPK= in [Peer], or have it do without",
			id, theirs);
	else if (ppk->of_clients)
		report_hint(
			core, p, sa, &sa->remote,
			"peer '%s' names the PPK '%s', which it does not have here, and %s requires one: add that to the file of ClientPPKs=, and set PPKID= to it in [Client %s] if there is that section, or another one that names it",
			id, theirs, needs, id);
	else
		report_hint(
			core, p, sa, &sa->remote,
			"peer '%s' names the PPK '%s', but PPKID = %s, and %s requires one: set the same PPKID= and PPK= at both ends",
			id, theirs, print_id(ours, ppk->id, ppk->id_len), needs);
}

/* What else the proof is of that the peer did not make; after EAP, whose key it has, nothing. */
static const char *compare_else(char text[64], const struct ike_peer *p, const struct x_claim *who)
{
	text[0] = '\0';
	if (!who->eap)
		snprintf(text, 64, ", then compare %s",
			 x_proof_method(p->conf->local_auth.method)->compare);
	return text;
}

bool x_ppk_explain(struct ike_core *core, struct ike_peer *p, const struct ike_sa *sa,
		   const struct x_claim *who)
{
	const struct ike_ppk_conf *ppk = p->conf->ppk;
	char id[IKE_MAX_ID + 16], own[PPK_WORDS], theirs[PPK_TEXT], rest[64];

	ike_id_print(id, sizeof(id), &who->id);
	if (is_named(p, who))
		report_hint(
			core, p, sa, &sa->remote,
			"peer '%s' does not prove that it has the PPK '%s', or not its key: set the same PPK= at both ends%s",
			id, print_theirs(theirs, who), compare_else(rest, p, who));
	else if (x_ppk_fit(p, sa, who) != X_PPK_NOT)
		return false;
	else if (!sa->setup->ppk_agreed)
		report_hint(
			core, p, sa, &sa->remote,
			"peer '%s' does not use PPKs, but PPKRequired = yes: configure %s at its side, or set PPKRequired = no in [Peer]",
			id, print_own(own, ppk));
	else if (!who->ppk_id.base)
		report_hint(
			core, p, sa, &sa->remote,
			"peer '%s' said in IKE_SA_INIT that it uses a PPK, and names none: see its log",
			id);
	else
		explain_other(core, p, sa, who, id);
	return true;
}
