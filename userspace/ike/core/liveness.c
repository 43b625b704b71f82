// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Is the peer alive (RFC 7296 2.4)? It is asked when neither IKE nor ESP was heard for
 * conf.liveness. An unprotected message that it lost the IKE SA ends nothing. But when the real peer had
 * the time to answer and did not, a new IKE SA is begun beside this one: whether the peer is there, and is
 * who it was, that one proves. If it answers under this one after all, all is as before. So a peer that
 * started anew, or another gateway that took its address, is found in the time of two copies of a request.
 */
#include "ike/core/layer_ikesa.h"

/*
 * ESP counts for the SA that carries it; an idle twin has to answer for itself. It comes from where ours
 * goes, unless the kernel does not follow it: then the peer may get nothing (RFC 4555 3.12).
 */
static bool shows_life(const struct ike_sa *sa)
{
	return !TAILQ_EMPTY(&sa->children) && query_primary(sa->peer) == sa &&
	       !sa->peer->follow.held;
}

/* So many ms ago the peer showed that it has the SA, by IKE or ESP. */
static uint64_t heard_ago(const struct ike_core *core, const struct ike_sa *sa)
{
	uint64_t ike = core->now - sa->last_rx, esp;

	if (!shows_life(sa))
		return ike;
	esp = core->env.last_rx(core->env.ctx, sa->peer->conf->name, sa->peer->id);
	return esp < ike ? esp : ike;
}

void liveness_check(struct ike_core *core, struct ike_sa *sa)
{
	uint64_t period = 1000ULL * sa->peer->conf->liveness, heard;

	sa->liveness_at = TIMER_NEVER;
	if (!period || sa->state != IKESA_ESTABLISHED)
		return;
	heard = heard_ago(core, sa);
	if (heard < period) {
		sa->liveness_at = core->now + period - heard;
		return;
	}
	request_probe(core, sa);
}

/* Had the peer the time to answer the request that is out, and was not heard since? */
static bool is_silent(const struct ike_core *core, const struct ike_sa *sa)
{
	uint64_t waits = core->now - sa->tx.began;

	return waits >= IKESA_RETRANSMIT_FIRST_MS && heard_ago(core, sa) > waits;
}

void liveness_hint(struct ike_core *core, struct ike_sa *sa)
{
	bool anew;

	if (sa->state != IKESA_ESTABLISHED || core->now - sa->established_at < IKESA_HINT_MS ||
	    (sa->last_hint && core->now - sa->last_hint < IKESA_HINT_MS) || !is_silent(core, sa))
		return;
	sa->last_hint = core->now ? core->now : 1;
	anew = sa_doubt(core, sa);
	report_line(
		core, IKE_LOG_WARN, NULL, sa,
		"an unprotected answer says that the peer does not know this IKE SA: it may have started anew, and %s",
		anew ? "a new one is begun" : "if no other answer comes this one ends soon");
}
