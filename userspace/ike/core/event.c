// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What IKE SAs, pairs and exchanges report to the policy of their tunnel. They only note it;
 * peer.c takes the notes when the event at hand is over, and decides what follows.
 */
#include "ike/core/layer_ikesa.h"

void event_note(struct ike_core *core, struct ike_peer *p, unsigned int events)
{
	if (!p)
		return;
	p->events |= events;
	if (p->is_dirty)
		return;
	p->is_dirty = true;
	TAILQ_INSERT_TAIL(&core->dirty, p, dirty);
}

void event_note_child(struct ike_core *core, struct ike_peer *p, unsigned int conf,
		      unsigned int events)
{
	unsigned int i;

	if (!p)
		return;
	for (i = 0; i < p->conf->n_child; i++) {
		if (i == conf || conf == CHILD_ANY)
			p->want[i].events |= events;
	}
	event_note(core, p, EVENT_CHANGED);
}

unsigned int event_take(struct ike_core *core, struct ike_peer *p)
{
	unsigned int events = p->events;

	p->events = 0;
	if (p->is_dirty)
		TAILQ_REMOVE(&core->dirty, p, dirty);
	p->is_dirty = false;
	return events;
}
