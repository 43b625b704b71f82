// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Is the peer alive (RFC 7296 2.4)? It is asked when neither IKE nor ESP was heard for
 * conf.liveness. An unprotected message that it lost the IKE SA can only answer a request that is out
 * already, so it is told, and no more.
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

void liveness_check(struct ike_core *core, struct ike_sa *sa)
{
	uint64_t period = 1000ULL * sa->peer->conf->liveness;
	uint64_t heard = core->now - sa->last_rx, esp;

	sa->liveness_at = TIMER_NEVER;
	if (!period || sa->state != IKESA_ESTABLISHED)
		return;
	if (shows_life(sa)) {
		esp = core->env.last_rx(core->env.ctx, sa->peer->conf->name, sa->peer->id);
		if (esp < heard)
			heard = esp;
	}
	if (heard < period) {
		sa->liveness_at = core->now + period - heard;
		return;
	}
	request_probe(core, sa);
}

void liveness_hint(struct ike_core *core, struct ike_sa *sa)
{
	if (sa->state != IKESA_ESTABLISHED || core->now - sa->last_rx < IKESA_HINT_MS ||
	    (sa->last_hint && core->now - sa->last_hint < IKESA_HINT_MS))
		return;
	sa->last_hint = core->now ? core->now : 1;
	report_line(
		core, IKE_LOG_WARN, NULL, sa,
		"an unprotected answer says that the peer does not know this IKE SA: it may have started anew, and if no other answer comes this IKE SA ends soon");
}
