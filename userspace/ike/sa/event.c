// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What IKE SAs, pairs and exchanges report to the policy of their tunnel. They only note it;
 * tunnel.c takes the notes when the event at hand is over, and decides what follows.
 */
#include "ike/sa/layer_ikesa.h"

void event_note(struct ike_core *core, struct ike_tunnel *t, unsigned int events)
{
	if (!t)
		return;
	t->events |= events;
	if (t->is_dirty)
		return;
	t->is_dirty = true;
	TAILQ_INSERT_TAIL(&core->dirty, t, dirty);
}

unsigned int event_take(struct ike_core *core, struct ike_tunnel *t)
{
	unsigned int events = t->events;

	t->events = 0;
	if (t->is_dirty)
		TAILQ_REMOVE(&core->dirty, t, dirty);
	t->is_dirty = false;
	return events;
}
