// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * INITIAL_CONTACT (RFC 7296 2.4), and the one peer that a tunnel has: which IKE SAs the notify
 * disowns, and what follows if one of these still answers.
 */
#include "ike/exch/layer_exchange.h"

void x_contact_initial(struct ike_core *core, struct ike_sa *sa)
{
	struct ike_peer *p = sa->peer;
	struct ike_sa *old;

	TAILQ_FOREACH(old, &p->sas, of_peer)
	{
		/*
		 * Only what was up before this one was begun: the notify may cross an SA that
		 * the other end was setting up meanwhile, which it then knows.
		 */
		if (old == sa || old->established_at == TIMER_NEVER ||
		    old->established_at >= sa->created_at ||
		    !ike_id_eq(&old->remote_id, &sa->remote_id))
			continue;
		old->superseded = true;
		old->close_marked = core->now;
		old->close_at = core->now + IKESA_SUPERSEDED_MS;
		/* Another peer that shows the same identity would still know it. */
		if (!p->is_client && !ike_endpoint_eq(&old->remote, &sa->remote))
			request_probe(core, old);
		sa_touch(core, old);
	}
	if (p->n_adopted) {
		p->adopted_end = core->now + PEER_ADOPTED_MS;
		event_note(core, p, EVENT_CHANGED);
	}
}

void x_contact_contested(struct ike_core *core, struct ike_sa *sa)
{
	struct ike_peer *p = sa->peer;
	char id[IKE_MAX_ID + 16], first[64], second[64];
	struct ike_sa *newer;

	if (p->is_client) /* see enum ike_unique */
		return;
	TAILQ_FOREACH_REVERSE(newer, &p->sas, ike_sas, of_peer)
	{
		if (newer->state == IKESA_ESTABLISHED && !newer->superseded &&
		    newer->established_at >= sa->close_marked &&
		    ike_id_eq(&newer->remote_id, &sa->remote_id))
			break;
	}
	if (!newer)
		return;
	p->contested_until = core->now + PEER_CONTESTED_MS;
	sa->superseded = false;
	sa->close_at = TIMER_NEVER;
	report_error(
		core, p, newer,
		"two peers show the identity '%s': one at %s, which stays, and one at %s, which is refused; make a tunnel for each, with a RemoteID= and a key of its own",
		ike_id_print(id, sizeof(id), &sa->remote_id),
		ike_endpoint_print(first, sizeof(first), &sa->remote),
		ike_endpoint_print(second, sizeof(second), &newer->remote));
	request_close(core, newer, IKESA_CLOSE_MS);
	core->env.peer_moved(core->env.ctx, p->conf->name, p->id, NULL, address_of_esp(sa),
			     natd_is_plain(&sa->natd));
}

bool x_contact_is_held(struct ike_core *core, const struct ike_sa *sa, struct ike_peer *p,
		       const struct ike_id *id)
{
	char held_by[IKE_MAX_ID + 16], refused[IKE_MAX_ID + 16], there[64], here[64];
	struct ike_sa *holder = query_holder(core, p, id, &sa->remote);

	if (!holder)
		return false;
	report_error(
		core, p, sa,
		"refused '%s' at %s, which proved the key: the tunnel is in use by '%s' at %s, and has room for one peer; make a tunnel for each, with a RemoteID= and a key of its own",
		ike_id_print(refused, sizeof(refused), id),
		ike_endpoint_print(here, sizeof(here), &sa->remote),
		ike_id_print(held_by, sizeof(held_by), &holder->remote_id),
		ike_endpoint_print(there, sizeof(there), &holder->remote));
	if (core->now < p->contested_until)
		p->contested_until = core->now + PEER_CONTESTED_MS;
	request_probe(core, holder);
	return true;
}
